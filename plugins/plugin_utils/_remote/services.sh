# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# Steps of kind unit, reload and restart: daemons and whatever manages services here.

bw_patience=15 # seconds that a daemon has to come back

# Names that the service of a daemon goes by.
bw_services() {
    case $1 in
    smbd) echo smbd smb samba samba_server samba4 samba-ad-dc ;;
    nmbd) echo nmbd nmb ;;
    winbindd) echo winbind winbindd ;;
    *) echo "$1" ;;
    esac
}

# bw_manager NAME: sets bw_by and bw_unit, what manages the service of a daemon and what it is called there.
bw_manager() {
    for bw_unit in $(bw_services "$1"); do
        if [ -d /run/systemd/system ] && bw_has systemctl; then
            bw_by=systemd
            ! systemctl cat "$bw_unit.service" >/dev/null 2>&1 </dev/null || return 0
        elif bw_has rc-service; then
            bw_by=openrc
            ! rc-service --exists "$bw_unit" 2>/dev/null </dev/null || return 0
        elif [ -s "/etc/init.d/$bw_unit" ] && [ -x "/etc/init.d/$bw_unit" ]; then
            bw_by=init
            return 0
        elif [ -x "/usr/local/etc/rc.d/$bw_unit" ] || [ -x "/etc/rc.d/$bw_unit" ]; then
            bw_by=rc
            return 0
        fi
    done
    return 1
}

# bw_service VERB: start, stop or restart. Daemons inherit nothing of this shell. It is a process of its own: what stops
# a daemon goes on to start it again, whatever becomes of this shell.
bw_service() {
    (
        trap '' HUP INT PIPE
        umask 022
        exec </dev/null >/dev/null 2>&1 3>&- 4>&- 9>&-
        case $bw_by:$1 in
        systemd:*) bw_bounded 90 systemctl "$1" "$bw_unit.service" ;;
        openrc:*) bw_bounded 90 rc-service "$bw_unit" "$1" ;;
        *:restart)
            bw_script stop
            bw_point while-restarting 0
            bw_left=$bw_patience
            while [ -n "$bw_old" ] && kill -0 "$bw_old" 2>/dev/null && [ "$bw_left" -gt 0 ]; do
                sleep 1
                bw_left=$((bw_left - 1))
            done
            bw_script start
            ;;
        *) bw_script "$1" ;;
        esac
    )
}

bw_script() {
    if [ "$bw_by" = rc ]; then
        bw_bounded 90 service "$bw_unit" "one$1"
    elif bw_has service; then
        bw_bounded 90 service "$bw_unit" "$1"
    else
        bw_bounded 90 "/etc/init.d/$bw_unit" "$1"
    fi
}

# With the smb.conf in use.
bw_control() { bw_bounded "$bw_seconds" smbcontrol ${bw_config:+"--configfile=$bw_config"} "$@" </dev/null; }

# bw_asked PARAMETER: its value in the smb.conf in use.
bw_asked() { bw_bounded "$bw_seconds" testparm -s --parameter-name="$1" ${bw_config:+"$bw_config"} 2>/dev/null </dev/null; }

# bw_running: sets bw_pid, the daemon of the step at hand by its pid file.
bw_running() {
    bw_pids=$(bw_asked 'pid directory')
    for bw_one in "$bw_pids" /run/samba /var/run/samba /var/run/samba4 /run /var/run; do
        [ -r "$bw_one/$bw_target.pid" ] || continue
        bw_pid=$(tr -dc '0-9' <"$bw_one/$bw_target.pid" 2>/dev/null)
        kill -0 "$bw_pid" 2>/dev/null || continue
        [ ! -r "/proc/$bw_pid/comm" ] || [ "$(cat "/proc/$bw_pid/comm" 2>/dev/null)" = "$bw_target" ] || continue
        return 0
    done
    bw_pid=''
    return 1
}

# What does not run has nothing to read anew.
bw_rests() {
    bw_tell state already
    bw_tell error "$bw_target does not run: what it reads when it starts is in force then"
}

bw_reload() {
    if ! bw_running; then
        bw_rests
        return
    fi
    bw_note intended
    bw_point before-reload "$bw_step"
    if bw_said=$(bw_control all reload-config 2>&1); then
        bw_tell state 'done'
        bw_note 'done'
    else
        bw_reason "$bw_said"
        bw_fail "$bw_target was not reached: $bw_error"
    fi
    bw_point after-reload "$bw_step"
}

bw_restart() {
    if ! bw_wanted; then
        bw_rests
        return
    fi
    bw_note intended
    bw_point before-restart "$bw_step"
    printf '%s\n' "$bw_target" >"$bw_state/restarting"
    if bw_again; then
        rm -f "$bw_state/restarting"
        bw_tell state 'done'
        bw_note 'done'
        bw_point after-restart "$bw_step"
        return
    fi
    bw_why="$bw_target did not come back: $(bw_last_words)"
    bw_point before-undone "$bw_step"
    if [ -z "${bw_firing-}" ]; then
        bw_restart_old
        bw_why=$bw_why$bw_undone
    fi
    bw_fail "$bw_why"
}

# It does not come back with what this order wrote: all of that is put back, and it is started with that.
bw_restart_old() {
    bw_daemon=$bw_target
    bw_smbconf=$bw_config
    bw_at=$bw_step
    bw_back_all
    bw_steps bw_again_one
    bw_step=$bw_at
    bw_target=$bw_daemon
    bw_config=$bw_smbconf
    bw_label="$bw_step restart $bw_target -"
    if bw_again; then
        rm -f "$bw_state/restarting"
        bw_why="$bw_why; it runs with the old configuration again"
    else
        bw_why="$bw_why; it does not come back with the old configuration either"
    fi
}

# What this order has brought into force before does not stay so either.
bw_again_one() {
    bw_load "$@"
    bw_told state
    case $bw_kind:$bw_text in
    reload:done) bw_control all reload-config >/dev/null 2>&1 ;;
    restart:done) bw_again || bw_undone="$bw_undone; $bw_target does not come back with the old configuration" ;;
    *) return 0 ;;
    esac
    bw_tell state undone
    bw_note undone
}

# bw_wanted: a daemon that runs, or that a change which was broken off was just restarting.
bw_wanted() { bw_running || [ "$(cat "$bw_state/restarting" 2>/dev/null)" = "$bw_target" ]; }

# bw_again: restart it, wait until it answers, and see that it goes on doing so.
bw_again() {
    bw_manager "$bw_target" || return
    bw_old=''
    if bw_running; then
        bw_old=$bw_pid
        bw_of_process "$bw_pid"
    fi
    bw_service restart
    bw_left=$bw_patience
    while [ "$bw_left" -gt 0 ]; do
        if bw_running && [ "$bw_pid" != "$bw_old" ] && bw_answers; then
            sleep 1
            if kill -0 "$bw_pid" 2>/dev/null && bw_answers; then return 0; fi
        fi
        sleep 1
        bw_left=$((bw_left - 1))
    done
    return 1
}

bw_answers() {
    bw_has smbcontrol || return 0
    case $(bw_control "$bw_pid" ping 2>/dev/null) in *PONG*) ;; *) return 1 ;; esac
}

# The unit whose main process it is: a daemon may run under another name than the usual one.
bw_of_process() {
    [ "$bw_by" = systemd ] || return 0
    bw_text=$(sed -n -e 's|.*/\([A-Za-z0-9@_.:-]*\)\.service$|\1|p' "/proc/$1/cgroup" 2>/dev/null)
    bw_text=${bw_text%%"$bw_nl"*}
    [ -n "$bw_text" ] || return 0
    [ "$(systemctl show -p MainPID "$bw_text.service" 2>/dev/null </dev/null)" != "MainPID=$1" ] || bw_unit=$bw_text
}

# The last thing that a daemon wrote into its log.
bw_last_words() {
    bw_logs=$(bw_asked 'log file' | sed -e "s/%m/$bw_target/g")
    for bw_one in "$bw_logs" "/var/log/samba/log.$bw_target" "/var/log/samba4/log.$bw_target" "/usr/local/samba/var/log.$bw_target"; do
        [ -s "$bw_one" ] || continue
        tail -n 40 "$bw_one" | awk '
            /^\[/ || !/[A-Za-z]/ { next }
            { sub(/^[ \t]+/, ""); last = $0 }
            /rror|ailed|annot|nvalid|ddress already/ { said = $0 }
            END { print substr(said != "" ? said : last, 1, 200) }'
        return
    done
    echo 'it left no word in its log'
}

bw_get_unit() {
    if ! bw_manager "$bw_target"; then
        bw_error='there is no service manager here that knows it'
        return
    fi
    bw_on=disabled
    bw_up=stopped
    case $bw_by in
    systemd)
        case $(systemctl is-enabled "$bw_unit.service" 2>/dev/null </dev/null) in enabled*) bw_on=enabled ;; esac
        case $(systemctl is-active "$bw_unit.service" 2>/dev/null </dev/null) in active | activating | reloading) bw_up=running ;; esac
        ;;
    openrc)
        rc-update show default 2>/dev/null </dev/null | awk -v name="$bw_unit" '$1 == name { found = 1 } END { exit !found }' && bw_on=enabled
        rc-service "$bw_unit" status >/dev/null 2>&1 </dev/null && bw_up=running
        ;;
    init)
        set +f
        for bw_one in /etc/rc2.d/S[0-9][0-9]"$bw_unit" /etc/init.d/rc3.d/S[0-9][0-9]"$bw_unit"; do
            [ ! -e "$bw_one" ] || bw_on=enabled
        done
        set -f
        if bw_running; then bw_up=running; fi
        ;;
    rc)
        bw_error='the service manager of this system is not written to'
        return
        ;;
    esac
    bw_is="unit $bw_on $bw_up"
}

# Whether the unit at hand runs after "start", and does not after "stop".
bw_settled() {
    bw_get_unit
    case $bw_verb:$bw_is in start:*' running' | stop:*' stopped') ;; *) return 1 ;; esac
}

# bw_set_unit NATIVE: whether it starts with the host, and whether it runs.
bw_set_unit() {
    case $1 in *' enabled '*) bw_enable='enable' ;; *) bw_enable='disable' ;; esac
    case $1 in *' running') bw_verb=start ;; *) bw_verb=stop ;; esac
    case $bw_by in
    systemd) bw_try systemctl "$bw_enable" "$bw_unit.service" || return ;;
    openrc)
        if [ "$bw_enable" = enable ]; then bw_enable=add; else bw_enable=del; fi
        bw_get_unit
        case $bw_enable:$bw_is in add:*' enabled '* | del:*' disabled '*) ;; *) bw_try rc-update "$bw_enable" "$bw_unit" default || return ;; esac
        ;;
    init)
        if bw_has update-rc.d; then
            bw_try update-rc.d "$bw_unit" "$bw_enable" || return
        elif bw_has chkconfig; then
            if [ "$bw_enable" = enable ]; then bw_enable=on; else bw_enable=off; fi
            bw_try chkconfig "$bw_unit" "$bw_enable" || return
        else
            bw_error='there is neither update-rc.d nor chkconfig'
            return 1
        fi
        ;;
    esac
    if bw_settled; then return 0; fi
    bw_service "$bw_verb"
    bw_left=$bw_patience
    while [ "$bw_left" -gt 0 ]; do
        if bw_settled; then return 0; fi
        sleep 1
        bw_left=$((bw_left - 1))
    done
    bw_error="it does not $bw_verb"
    return 1
}
