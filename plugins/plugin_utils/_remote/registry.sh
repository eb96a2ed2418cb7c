# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# Steps of kind netconf: the configuration of Samba that lies in its registry.

bw_net() {
    bw_verb=$1
    shift
    bw_bounded "$bw_seconds" net ${bw_config:+"--configfile=$bw_config"} conf "$bw_verb" -- "$@" </dev/null
}

# Before anything is done, one listing answers for all steps; after that, each is asked for by itself.
bw_get_netconf() {
    if [ -n "$bw_reading" ]; then
        bw_get_listed
        return
    fi
    if bw_said=$(bw_net getparm "$bw_target" "$bw_name" 2>/dev/null); then
        bw_is="text $bw_said"
        return
    fi
    bw_said=$(bw_net getparm "$bw_target" "$bw_name" 2>&1)
    case $bw_said in
    *'is not set'* | *'does not exist'*) bw_is='absent ' ;;
    *) bw_reason "$bw_said" ;;
    esac
}

bw_get_listed() {
    if [ "$bw_listed" != "$bw_config" ]; then
        if ! bw_listing=$(bw_net list 2>/dev/null); then
            bw_reason "$(bw_net list 2>&1)"
            return
        fi
        bw_listed=$bw_config
    fi
    bw_is=$(printf '%s\n' "$bw_listing" | BW_SECTION=$bw_target BW_NAME=$bw_name awk '
        BEGIN {
            section = tolower("[" ENVIRON["BW_SECTION"] "]")
            name = tolower("\t" ENVIRON["BW_NAME"] " = ")
        }
        /^\[/ { here = tolower($0) == section; next }
        here && index(tolower($0), name) == 1 { value = "text " substr($0, length(name) + 1) }
        END { printf "%s", value == "" ? "absent " : value }')
}

# bw_set_netconf NATIVE: values are arguments. A section that this made is removed again with its last parameter.
bw_set_netconf() {
    bw_mark="${bw_config:-default} $bw_target"
    if [ "$1" = 'absent ' ]; then
        bw_try bw_net delparm "$bw_target" "$bw_name" || return
        if bw_made "$bw_mark" && [ -z "$(bw_net showshare "$bw_target" 2>/dev/null | sed -e 1d | tr -d '[:space:]')" ]; then
            bw_try bw_net delshare "$bw_target"
        fi
        return
    fi
    [ "$bw_before" != 'absent ' ] || bw_net showshare "$bw_target" >/dev/null 2>&1 || bw_made "$bw_mark" || printf '%s\n' "$bw_mark" >>"$bw_state/made"
    bw_try bw_net setparm "$bw_target" "$bw_name" "${1#* }"
}

bw_made() { [ -f "$bw_state/made" ] && grep -Fqx -e "$1" "$bw_state/made"; }
