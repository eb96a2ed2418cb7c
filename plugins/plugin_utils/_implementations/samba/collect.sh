# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154  # core.sh sets what this file uses
# Section samba: what the reader needs to know of smbd, its configuration, its shares and its sessions.

# bw_samba_conf: path of the smb.conf that counts: the running smbd's, the built-in one, or a usual one.
bw_samba_conf() {
    bw_conf=''
    if [ -n "$bw_smbd_pid" ] && [ -r "/proc/$bw_smbd_pid/cmdline" ]; then
        bw_conf=$(tr '\000' '\n' <"/proc/$bw_smbd_pid/cmdline" | awk '
            next_is { print; exit }
            $0 == "-s" || $0 == "--configfile" { next_is = 1 }
            /^--configfile=/ { print substr($0, 14); exit }
            /^-s./ { print substr($0, 3); exit }')
    fi
    [ -n "$bw_conf" ] || bw_conf=$(printf '%s\n' "$bw_build" | awk '/^ *CONFIGFILE: / { print $2; exit }')
    if [ -n "$bw_conf" ]; then
        bw_samba_switch
        return
    fi
    for bw_try in /etc/samba/smb.conf /usr/local/etc/smb4.conf /etc/smb4.conf /usr/pkg/etc/samba/smb.conf /etc/smb.conf; do
        if [ -e "$bw_try" ]; then
            bw_conf=$bw_try
            bw_samba_switch
            return
        fi
    done
}

# bw_samba_switch: smbd leaves its file for the one that "config file" names, if there is one; testparm does not.
bw_samba_switch() {
    for bw_try in 1 2 3 4; do
        [ -f "$bw_conf" ] && [ -r "$bw_conf" ] || return 0
        bw_next=$(bw_samba_includes "$bw_conf" | awk '/^configfile=/ { last = substr($0, 12) } END { print last }')
        case $bw_next in
        *%*) return 0 ;;
        /*) [ -f "$bw_next" ] || return 0 ;;
        *) return 0 ;;
        esac
        [ "$bw_next" != "$bw_conf" ] || return 0
        bw_conf=$bw_next
    done
}

# bw_samba_pid: pid of the main smbd (its pid file, else the oldest process of that name).
bw_samba_pid() {
    bw_smbd_pid=''
    for bw_try in /run/samba/smbd.pid /var/run/samba/smbd.pid /var/run/samba4/smbd.pid /run/smbd.pid; do
        if [ -r "$bw_try" ]; then
            bw_smbd_pid=$(tr -dc '0-9' <"$bw_try")
            [ -n "$bw_smbd_pid" ] && kill -0 "$bw_smbd_pid" 2>/dev/null && return
            [ -n "$bw_smbd_pid" ] && [ -d "/proc/$bw_smbd_pid" ] && return
        fi
    done
    for bw_smbd_pid in $(ps -e -o pid= -o comm= 2>/dev/null | awk '{ n = $2; sub(/.*\//, "", n) } n == "smbd" { print $1 }'); do
        bw_own "$bw_smbd_pid" && return
    done
    bw_smbd_pid=''
}

# bw_samba_includes FILE: the targets of its include lines, one per line.
bw_samba_includes() {
    tr -d '\000\r' <"$1" 2>/dev/null | awk '
        held == "" && /^[ \t]*[;#]/ { next }
        { line = held $0; held = "" }
        line ~ /\\[ \t]*$/ { sub(/\\[ \t]*$/, "", line); held = line; next }
        {
            at = index(line, "=")
            if (at == 0) next
            name = tolower(substr(line, 1, at - 1))
            gsub(/[ \t]/, "", name)
            if (name != "include" && name != "configfile" && name != "configbackend" && name != "registryshares") next
            value = substr(line, at + 1)
            sub(/^[ \t]+/, "", value)
            sub(/[ \t]+$/, "", value)
            if (value != "") print name "=" value
        }'
}

# bw_samba_files: smb.conf and every file that it includes, each once; sets bw_registry when the registry takes part.
bw_samba_files() {
    bw_registry=''
    bw_seen=$bw_nl
    bw_queue=$bw_conf$bw_nl
    bw_count=0
    while [ -n "$bw_queue" ] && [ "$bw_count" -lt 300 ]; do
        bw_path=${bw_queue%%"$bw_nl"*}
        bw_queue=${bw_queue#*"$bw_nl"}
        case $bw_path in '') continue ;; esac
        case $bw_seen in *"$bw_nl$bw_path$bw_nl"*) continue ;; esac
        bw_seen=$bw_seen$bw_path$bw_nl
        bw_count=$((bw_count + 1))
        bw_file samba.file "$bw_path"
        [ -f "$bw_path" ] && [ -r "$bw_path" ] || continue
        bw_found=$(bw_samba_includes "$bw_path")
        while [ -n "$bw_found" ]; do
            bw_line=${bw_found%%"$bw_nl"*}
            case $bw_found in *"$bw_nl"*) bw_found=${bw_found#*"$bw_nl"} ;; *) bw_found='' ;; esac
            case $bw_line in
            include=[Rr][Ee][Gg][Ii][Ss][Tt][Rr][Yy] | configbackend=* | registryshares=*) bw_registry=1 ;;
            include=*%*) ;;
            include=*) bw_queue=$bw_queue${bw_line#include=}$bw_nl ;;
            esac
        done
    done
}

# bw_samba_paths: the directories of all shares, from what testparm or the files say, for one ls.
bw_samba_paths() {
    {
        printf '%s\n' "$bw_testparm" | awk '/^\[/ { s = $0 } s != "[global]" && /^\tpath = / { print substr($0, 9) }'
        [ -n "$bw_testparm" ] || awk '
            { line = tolower($0) }
            line ~ /^[ \t]*(path|directory)[ \t]*=/ { sub(/^[^=]*=[ \t]*/, ""); sub(/[ \t\r]+$/, ""); print }' "$bw_conf" 2>/dev/null
    } | awk '/^\// && !/%/ && !seen[$0]++ && n++ < 4000'
}

# bw_samba_ls: ls -ldn of the paths on its arguments (links are followed), and of those that are not there nothing.
bw_samba_ls() {
    for bw_item in "$@"; do
        [ -e "$bw_item" ] && ls -ldnL "$bw_item"
    done
    return 0
}

bw_samba_sums() {
    IFS=$bw_nl
    # shellcheck disable=SC2086
    set -- $bw_seen
    unset IFS
    bw_sums "$@"
}

bw_samba_ls_shares() {
    bw_samba_paths | while IFS= read -r bw_item; do
        ls -ldn "$bw_item" || true
    done
}

bw_samba_ls_files() {
    set +f
    IFS=$bw_nl
    # shellcheck disable=SC2046,SC2086
    bw_samba_ls "$bw_conf" $(printf '%s' "$bw_seen")
    unset IFS
    set -f
}

bw_samba_ls_private() {
    bw_private=$(printf '%s\n' "$bw_testparm" | awk '/^\tprivate dir = / { print substr($0, 16); exit }')
    [ -n "$bw_private" ] || bw_private=$(printf '%s\n' "$bw_build" | awk '/^ *PRIVATE_DIR: / { print $2; exit }')
    [ -n "$bw_private" ] || return 0
    bw_samba_ls "$bw_private" "$bw_private/passdb.tdb" "$bw_private/secrets.tdb" "$bw_private/smbpasswd" \
        "$bw_private/sam.ldb" "$bw_private/secrets.ldb" "$bw_private/secrets.keytab"
}

bw_samba_usershares() {
    bw_user_dir=$(printf '%s\n' "$bw_testparm" | awk '/^\tusershare path = / { print substr($0, 19); exit }')
    [ -n "$bw_user_dir" ] || bw_user_dir=/var/lib/samba/usershares
    [ -d "$bw_user_dir" ] || return 0
    bw_record samba.ls_usershares "$bw_user_dir" bw_samba_ls "$bw_user_dir"
    if [ ! -r "$bw_user_dir" ]; then
        bw_run samba.usershares ls "$bw_user_dir"
        return
    fi
    set +f
    bw_count=0
    for bw_item in "$bw_user_dir"/*; do
        [ -f "$bw_item" ] && [ "$bw_count" -lt 500 ] || continue
        bw_count=$((bw_count + 1))
        bw_file samba.usershare "$bw_item"
    done
    set -f
}

# bw_samba_accounts: name, uid and shell of the accounts below 1000 and of nobody; one of them is the guest.
bw_samba_accounts() {
    if bw_has getent; then getent passwd; else cat /etc/passwd; fi | awk -F: '$3 < 1000 || $3 >= 65534 { print $1 ":" $3 ":" $7 }'
}

bw_collect_samba() {
    bw_samba_pid
    if ! bw_has smbd && ! bw_has testparm && [ -z "$bw_smbd_pid" ]; then
        bw_has smbclient && bw_run samba.client_version smbclient -V
        return 0
    fi
    bw_run samba.version smbd -V
    bw_has smbclient && bw_run samba.client_version smbclient -V
    bw_build=$(bw_bounded "$bw_seconds" smbd -b </dev/null 2>/dev/null | awk '/^Paths:/ { on = 1 } on && /^$/ { exit } on')
    bw_text samba.build 'smbd -b' "$bw_build"
    bw_text samba.pid smbd "$bw_smbd_pid"
    bw_text samba.hostname hostname "$(hostname 2>/dev/null || uname -n)"
    [ -n "$bw_smbd_pid" ] && bw_file samba.cmdline "/proc/$bw_smbd_pid/cmdline"
    bw_samba_conf
    bw_text samba.conf smb.conf "$bw_conf"
    bw_testparm=''
    if bw_has testparm; then
        bw_run samba.testparm testparm -sv "$bw_conf"
        [ "$bw_rc" = 124 ] || bw_testparm=$(bw_bounded "$bw_seconds" testparm -s "$bw_conf" </dev/null 2>/dev/null)
    fi
    bw_samba_files
    bw_record samba.sha256 SHA-256 bw_samba_sums
    [ -z "$bw_registry" ] || bw_run samba.registry net --configfile="$bw_conf" conf list
    if [ -n "$bw_smbd_pid" ]; then
        bw_run samba.debuglevel smbcontrol --configfile="$bw_conf" "$bw_smbd_pid" debuglevel
        bw_run samba.status_json smbstatus --configfile="$bw_conf" --json
        [ "$bw_rc" = 0 ] || bw_run samba.status smbstatus -s "$bw_conf" -b
    fi
    bw_record samba.ls_conf 'ls -ldn' bw_samba_ls_files
    bw_record samba.ls_private 'ls -ldn' bw_samba_ls_private
    bw_record samba.ls_paths 'ls -ldn' bw_samba_ls_shares
    bw_samba_usershares
    bw_record samba.accounts passwd bw_samba_accounts
}
