# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# An undo that is armed: a script of its own on the host, fired by a timer and at boot, unless somebody comes back over a
# new connection and takes it away. The script is core.sh and these files with the inverse steps.

bw_unit_of_boot=/etc/systemd/system/breakwater-undo.service
bw_cron=/etc/cron.d/breakwater-undo
bw_local=/etc/local.d/breakwater-undo.start

bw_epoch() {
    bw_time=$(date +%s 2>/dev/null)
    case $bw_time in '' | *[!0-9]*) bw_time=0 ;; esac
}

# bw_pending: sets bw_whose and bw_until (seconds since 1970), of the undo that is armed.
bw_pending() {
    bw_whose=''
    bw_until=0
    [ -f "$bw_state/undo-pending" ] || return 1
    read -r bw_whose bw_until <"$bw_state/undo-pending"
    [ -n "$bw_whose" ]
}

# bw_waiting: a change that waits to be confirmed is in the way of another.
bw_waiting() {
    bw_pending || return 0
    bw_epoch
    [ "$bw_o_dry" = 0 ] || [ "$bw_time" -le "$((bw_until + 60))" ] || return 0
    bw_obstacle="the change $bw_whose waits to be confirmed; its undo fires in $((bw_until - bw_time)) seconds"
    return 1
}

# bw_overdue: an undo whose timer was killed is fired now.
bw_overdue() {
    bw_pending || return 0
    bw_epoch
    [ "$bw_time" -gt "$((bw_until + 30))" ] && [ -f "$bw_state/$bw_whose/undo" ] || return 0
    bw_unlock
    /bin/sh "$bw_state/$bw_whose/undo" now </dev/null >/dev/null 2>&1 9>&-
    bw_lock
}

bw_fired() {
    set +f
    for bw_one in "$bw_state"/*/fired; do
        [ -f "$bw_one" ] || continue
        bw_one=${bw_one%/fired}
        echo "${bw_one##*/}"
    done
    set -f
}

# Armed in an order in which a kill leaves nothing that could hurt: the script, its timer (which does nothing without
# the token), the token, what fires it at boot.
bw_arm() {
    bw_point before-armed 0
    bw_label=0 # not the step that was looked at last
    bw_obstacle='its undo cannot be armed: '
    if ! bw_try bw_write_undo; then
        bw_obstacle=$bw_obstacle$bw_error
        return 1
    fi
    bw_hash "$bw_folder/undo"
    if [ "$bw_sum" != "$bw_o_undo" ]; then
        bw_obstacle="${bw_obstacle}it did not arrive whole"
        return 1
    fi
    bw_sync "$bw_folder/undo"
    rm -f "$bw_folder/fired"
    bw_epoch
    if bw_start_timer && bw_try bw_write_token && bw_start_at_boot && bw_note armed; then
        bw_sync "$bw_state"
        bw_obstacle=''
        bw_armed=yes
        bw_point after-armed 0
        return 0
    fi
    bw_obstacle=$bw_obstacle${bw_error:-the journal cannot be written}
    bw_disarm
    return 1
}

bw_write_undo() { bw_content_undo | cat >"$bw_folder/undo" && chmod 700 "$bw_folder/undo"; }

bw_write_token() {
    printf '%s %s\n' "$bw_o_journal" "$((bw_time + bw_o_seconds))" | cat >"$bw_state/undo-pending.new" &&
        bw_sync "$bw_state/undo-pending.new" && mv -f "$bw_state/undo-pending.new" "$bw_state/undo-pending"
}

# It must not depend on this session: systemd may end what a session leaves behind.
bw_start_timer() {
    rm -f "$bw_folder/timer"
    if [ -d /run/systemd/system ] && bw_has systemd-run; then
        bw_try systemd-run --quiet --unit="breakwater-undo-$bw_o_journal" /bin/sh "$bw_folder/undo" wait "$bw_o_seconds" || return
    elif bw_has setsid; then
        setsid /bin/sh "$bw_folder/undo" wait "$bw_o_seconds" </dev/null >/dev/null 2>&1 3>&- 4>&- 9>&- &
    else
        /bin/sh "$bw_folder/undo" wait "$bw_o_seconds" </dev/null >/dev/null 2>&1 3>&- 4>&- 9>&- &
    fi
    for bw_one in 1 2 3 4 5 6 7 8 9 10; do
        [ ! -s "$bw_folder/timer" ] || return 0
        sleep 0.1 2>/dev/null || sleep 1
    done
    sleep 5
    [ ! -s "$bw_folder/timer" ] || return 0
    bw_error='its timer does not start'
    return 1
}

bw_start_at_boot() {
    if [ -d /run/systemd/system ]; then
        bw_try bw_write_unit && bw_try systemctl enable "${bw_unit_of_boot##*/}"
    elif [ -d "${bw_cron%/*}" ]; then
        bw_try bw_write_cron
    elif [ -d "${bw_local%/*}" ]; then
        bw_try bw_write_local
    fi
}

bw_write_unit() {
    printf '%s\n' '[Unit]' 'Description=Breakwater: undo a change that was not confirmed' \
        "ConditionPathExists=$bw_state/undo-pending" 'After=local-fs.target' '' '[Service]' 'Type=oneshot' \
        "ExecStart=/bin/sh $bw_folder/undo now" '' '[Install]' 'WantedBy=multi-user.target' | cat >"$bw_unit_of_boot"
}

bw_write_cron() { printf '@reboot root /bin/sh %s/undo now\n' "$bw_folder" | cat >"$bw_cron"; }

bw_write_local() { printf '#!/bin/sh\n/bin/sh %s/undo now\n' "$bw_folder" | cat >"$bw_local" && chmod 700 "$bw_local"; }

# bw_disarm: take everything away but the script. The timer ends by itself without its token; so it is hurried only.
bw_disarm() {
    rm -f "$bw_state/undo-pending" "$bw_state/undo-pending.new" "$bw_cron" "$bw_local"
    bw_sync "$bw_state"
    if [ -f "$bw_unit_of_boot" ]; then
        systemctl disable "${bw_unit_of_boot##*/}" >/dev/null 2>&1 </dev/null
        rm -f "$bw_unit_of_boot"
        systemctl daemon-reload >/dev/null 2>&1 </dev/null
    fi
    [ -s "$bw_folder/timer" ] || return 0
    read -r bw_timer bw_since <"$bw_folder/timer"
    bw_birth "$bw_timer"
    [ "$bw_timer" = "$$" ] || [ -z "$bw_born" ] || [ "$bw_born" != "$bw_since" ] || kill -TERM "$bw_timer" 2>/dev/null
    rm -f "$bw_folder/timer"
}

# Section of the answer: over a new connection, that the host can still be reached.
bw_collect_confirm() {
    bw_paths
    bw_whole_of bw_confirm
}

bw_confirm() {
    bw_tools || return
    bw_lock_soon 30 || return
    if bw_pending && [ "$bw_whose" = "$bw_o_journal" ]; then
        bw_point before-confirmed 0
        bw_disarm
        bw_note confirmed
        bw_armed=yes
    elif [ -f "$bw_folder/fired" ]; then
        bw_obstacle='the undo has fired: the change was put back before it was confirmed'
    else
        bw_obstacle="no undo is armed for $bw_o_journal"
    fi
}

# bw_lock_soon SECONDS: wait for the lock.
bw_lock_soon() {
    bw_tries=$1
    if [ ! -d "$bw_state" ]; then
        bw_obstacle="no undo is armed for $bw_o_journal"
        return 1
    fi
    while :; do
        bw_obstacle=''
        bw_lock && return 0
        bw_tries=$((bw_tries - 1))
        [ "$bw_tries" -gt 0 ] || return 1
        sleep 1
    done
}

# bw_undo wait SECONDS | now: what the script does that lies on the host. It waits for the lock as long as it takes: only
# the change that armed it can hold it.
bw_undo() {
    trap '' HUP
    cd / || return
    bw_paths
    if [ "${1-}" = wait ]; then
        bw_birth "$$"
        printf '%s %s\n' "$$" "$bw_born" >"$bw_folder/timer"
        bw_nap=''
        trap 'kill "$bw_nap" 2>/dev/null; exit 0' TERM
        bw_elapsed=0
        while [ "$bw_elapsed" -lt "${2-0}" ]; do
            [ -f "$bw_state/undo-pending" ] || [ "$bw_elapsed" -lt 15 ] || return 0
            sleep 1 &
            bw_nap=$!
            wait "$bw_nap"
            bw_elapsed=$((bw_elapsed + 1))
        done
        trap - TERM
    fi
    bw_obstacle=''
    bw_tools || return
    bw_lock_soon 3600 || return
    if bw_pending && [ "$bw_whose" = "$bw_o_journal" ]; then bw_fire; fi
    bw_unlock
}

bw_fire() {
    bw_firing=1
    bw_note 'undo fired'
    bw_point after-fired 0
    bw_folder="$bw_folder/undone"
    mkdir -p "$bw_folder"
    bw_steps bw_undo_one
    bw_folder=${bw_folder%/undone}
    bw_label=0
    bw_now >"$bw_folder/fired"
    bw_note 'undo done'
    bw_disarm
}

# Each step for itself: one that cannot be undone holds no other back.
bw_undo_one() {
    bw_load "$@"
    case $bw_kind in
    reload | restart) bw_tell state go ;;
    *)
        bw_judge
        bw_told state
        case $bw_text in refused | failed) bw_note refused ;; esac
        ;;
    esac
    bw_stop=''
    bw_do "$@"
}
