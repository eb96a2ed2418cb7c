# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# Steps of kind file and mode: read, and written as a whole or not at all.

# bw_resolve PATH: sets bw_path, the file that a link leads to.
bw_resolve() {
    bw_path=$1
    [ -h "$bw_path" ] || return 0
    if [ ! -e "$bw_path" ]; then
        bw_error='it is a symbolic link that leads nowhere'
        return 1
    fi
    bw_path=$(readlink -f "$1" 2>/dev/null)
    [ -z "$bw_path" ] || return 0
    bw_path=$1
    while [ -h "$bw_path" ]; do
        bw_link=$(ls -l "$bw_path")
        bw_link=${bw_link#*"$bw_path -> "}
        case $bw_link in /*) bw_path=$bw_link ;; *) bw_path=${bw_path%/*}/$bw_link ;; esac
    done
}

bw_get_file() {
    bw_resolve "$bw_target" || return
    if [ ! -e "$bw_path" ]; then
        bw_is='absent '
    elif [ ! -f "$bw_path" ]; then
        bw_error='it is no regular file'
    else
        bw_hash "$bw_path"
        bw_is="sha256 $bw_sum"
        [ -n "$bw_sum" ] || bw_error='it cannot be read'
    fi
}

# bw_attributes PATH: octal mode, owner and group by number.
bw_attributes() {
    # shellcheck disable=SC2012  # stat is another tool on every system
    ls -ldnL "$1" 2>/dev/null | awk '
        function three(at) {
            return (substr(m, at, 1) == "r") * 4 + (substr(m, at + 1, 1) == "w") * 2 + (index("xst", substr(m, at + 2, 1)) > 0)
        }
        {
            m = $1
            special = (index("sS", substr(m, 4, 1)) > 0) * 4 + (index("sS", substr(m, 7, 1)) > 0) * 2 + (index("tT", substr(m, 10, 1)) > 0)
            print special three(2) three(5) three(8), $3, $4
            exit
        }'
}

bw_get_mode() {
    bw_is='absent '
    [ -e "$bw_target" ] || return 0
    bw_is="mode $(bw_attributes "$bw_target")"
}

bw_immutable() {
    bw_bits=$(lsattr -d "$1" 2>/dev/null)
    case ${bw_bits%% *} in *[ia]*) bw_error='it is immutable (lsattr shows i or a)' ;; esac
}

bw_able_file() {
    bw_folder_of=${bw_path%/*}/
    [ ! -e "$bw_path" ] || bw_immutable "$bw_path"
    [ -z "$bw_error" ] || return
    if [ ! -d "$bw_folder_of" ]; then
        bw_error='there is no such directory'
    elif [ -n "$bw_check" ] && ! bw_has "$bw_check"; then
        bw_error="$bw_check is not installed, and nothing else can check it"
    elif [ -n "$bw_original" ]; then
        bw_hash "$bw_state/$bw_original"
        [ "sha256 $bw_sum" = "$bw_after" ] || bw_error="its old bytes are not kept here any more ($bw_original)"
    fi
    [ -z "$bw_error" ] || return
    if [ "$bw_o_dry" = 1 ]; then
        [ -w "$bw_folder_of" ] || bw_error='its directory cannot be written'
        return
    fi
    bw_temp_of "$bw_path"
    bw_try bw_create && rm -f "$bw_temp"
}

bw_temp_of() { bw_temp="${1%/*}/.${1##*/}.breakwater.$$"; }

# In a subshell: what may go wrong there would end some shells.
bw_create() { (set -C && printf '' | cat >"$bw_temp"); }

# What a killed change left in a directory. Nobody else is at it: the lock is ours.
bw_leftovers() {
    set +f
    for bw_one in "$1".*.breakwater.*; do
        case ${bw_one##*.} in *[!0-9]*) ;; *) rm -f "$bw_one" ;; esac
    done
    set -f
}

# bw_set_file NATIVE [back]: the whole file, or not at all.
bw_set_file() {
    bw_resolve "$bw_target" || return
    bw_temp_of "$bw_path"
    bw_source="$bw_folder/$bw_step"
    if [ "${2-}" != back ]; then
        bw_keep || return
        bw_source=${bw_original:+"$bw_state/$bw_original"}
        bw_point after-original "$bw_step"
    fi
    if [ "$1" = 'absent ' ]; then
        bw_point before-rename "$bw_step"
        bw_try rm -f "$bw_path" || return
        bw_sync "${bw_path%/*}/"
        bw_point after-rename "$bw_step"
        return 0
    fi
    if bw_fill "${1#* }" && bw_accepted "$bw_path" "$bw_temp" && bw_unchanged "${2-}"; then
        bw_point before-rename "$bw_step"
        if bw_try mv -f "$bw_temp" "$bw_path"; then
            bw_sync "${bw_path%/*}/"
            bw_point after-rename "$bw_step"
            bw_whole
            return
        fi
    fi
    rm -f "$bw_temp"
    return 1
}

# The original bytes, and beside them mode and owner, where an undo finds them.
bw_keep() {
    [ -e "$bw_path" ] || return 0
    bw_attributes "$bw_path" >"$bw_folder/$bw_step.mode" 2>/dev/null
    if ! bw_try bw_copy "$bw_path" "$bw_folder/$bw_step.new"; then
        bw_error="its old bytes cannot be kept: $bw_error"
        return 1
    fi
    bw_hash "$bw_folder/$bw_step.new"
    if [ "sha256 $bw_sum" != "$bw_before" ]; then
        rm -f "$bw_folder/$bw_step.new"
        bw_error='somebody changed it just now'
        return 1
    fi
    bw_sync "$bw_folder/$bw_step.new"
    mv -f "$bw_folder/$bw_step.new" "$bw_folder/$bw_step"
    bw_sync "$bw_folder"
}

bw_copy() { cat "$1" >"$2"; }

# bw_fill SHA: the temporary file, with the attributes of the one that it replaces.
bw_fill() {
    rm -f "$bw_temp"
    bw_try bw_create || return
    if [ -e "$bw_path" ]; then
        bw_like || return
    else
        bw_kept=$(cat "$bw_source.mode" 2>/dev/null)
        bw_owned "${bw_kept:-0644 $(id -u) $(id -g)}" "$bw_temp" || return
        ! bw_has restorecon || restorecon "$bw_temp" 2>/dev/null
    fi
    if [ -n "$bw_source" ]; then
        bw_try bw_copy "$bw_source" "$bw_temp" || return
    else
        bw_try bw_content "$bw_temp" || return
    fi
    bw_hash "$bw_temp"
    if [ "$bw_sum" != "$1" ]; then
        bw_error='the new text did not arrive whole'
        return 1
    fi
    bw_sync "$bw_temp"
    bw_point after-write "$bw_step"
}

bw_content() { "bw_content_$bw_step" | cat >"$1"; }

# cp knows access lists and labels on most systems; where it does not, their own tools are asked.
bw_like() {
    bw_try cp -a "$bw_path" "$bw_temp" || bw_try cp -p "$bw_path" "$bw_temp" || return
    if bw_has getfacl && bw_has setfacl; then
        getfacl -p "$bw_path" 2>/dev/null | setfacl --set-file=- "$bw_temp" 2>/dev/null
    fi
    [ ! -d /sys/fs/selinux ] || chcon --reference="$bw_path" "$bw_temp" 2>/dev/null
    bw_owned "$(bw_attributes "$bw_path")" "$bw_temp"
}

# bw_owned ATTRIBUTES PATH: mode, owner and group.
bw_owned() {
    [ "$(bw_attributes "$2")" != "$1" ] || return 0
    bw_ids=${1#* }
    bw_try chown "${bw_ids% *}:${bw_ids#* }" "$2" || return
    # A number leaves these two bits of a directory alone.
    [ ! -d "$2" ] || bw_try chmod u-s,g-s "$2" || return
    bw_try chmod "${1%% *}" "$2"
}

bw_unchanged() {
    [ "$1" != back ] || return 0
    bw_sum=''
    [ ! -e "$bw_path" ] || bw_hash "$bw_path"
    [ "$bw_before" != "sha256 $bw_sum" ] || return 0
    [ "$bw_before" != 'absent ' ] || [ -n "$bw_sum" ] || return 0
    bw_error='somebody changed it just now'
    return 1
}

# bw_complaints FILE NAME: what the validator says of a file, told as if its name were NAME; the last line is its exit code.
bw_complaints() {
    case $bw_check in
    testparm) bw_said=$(bw_bounded "$bw_seconds" testparm -s "$1" 2>&1 >/dev/null </dev/null) ;;
    findmnt) bw_said=$(bw_bounded "$bw_seconds" findmnt --verify --tab-file "$1" 2>&1 </dev/null) ;;
    *) bw_said='' ;;
    esac
    bw_said="$bw_said$bw_nl$?"
    while :; do
        case $1 in "$2") break ;; esac
        case $bw_said in *"$1"*) bw_said=${bw_said%%"$1"*}$2${bw_said#*"$1"} ;; *) break ;; esac
    done
}

# bw_compare OLD NEW: whether a validator has nothing to say against the new text that it had not against the old one.
bw_compare() {
    bw_new=${2##*"$bw_nl"}
    if [ "$bw_new" = 124 ]; then
        bw_error="$bw_check gave no answer in $bw_seconds seconds"
        return 1
    fi
    bw_found=$(printf '%s\n@@\n%s\n' "$1" "$2" | awk -v failed="$bw_new" -v failed_before="${1##*"$bw_nl"}" '
        $0 == "@@" && !new { new = 1; next }
        !new { known[$0] = 1; next }
        $0 in known { next }
        /^[0-9]+$/ || /^Load smb config/ || /^Loaded services/ || /^Weak crypto/ || /^[ \t]*$/ || /^[ \t]*\[W\]/ { next }
        /Unknown parameter|Ignoring badly formed|\[E\]|rror|nvalid|not valid/ { if (bad == "") bad = $0 }
        other == "" { other = $0 }
        END {
            if (bad != "") print bad
            else if (failed != 0 && failed_before == 0) print (other != "") ? other : "exit code " failed
        }')
    [ -z "$bw_found" ] || bw_error="$bw_check does not accept it: $bw_found"
    [ -z "$bw_found" ]
}

bw_accepted() {
    [ -n "$bw_check" ] || return 0
    bw_complaints "$2" "$1"
    bw_told_new=$bw_said
    bw_told_old="${bw_nl}0"
    if [ -e "$1" ]; then
        bw_complaints "$1" "$1"
        bw_told_old=$bw_said
    fi
    bw_main_before=''
    if bw_is_included; then
        bw_complaints "$bw_config" "$bw_config"
        bw_main_before=$bw_said
    fi
    bw_compare "$bw_told_old" "$bw_told_new"
}

# A file that smb.conf includes is judged as a part of the whole, too: once it stands there.
bw_is_included() { [ "$bw_check" = testparm ] && [ -n "$bw_config" ] && [ ! "$bw_config" -ef "$bw_path" ]; }

bw_whole() {
    bw_is_included && [ -n "$bw_main_before" ] || return 0
    bw_complaints "$bw_config" "$bw_config"
    bw_compare "$bw_main_before" "$bw_said"
}

bw_set_mode() { bw_owned "${1#* }" "$bw_target"; }
