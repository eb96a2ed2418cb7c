# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# What is kept on the host: checksums, the lock, the journal. All of it lies in /var/lib/breakwater: "lock" (a link that
# names who changes something now), "undo-pending" (whose undo is armed, and until when), "made" (sections of the registry
# that did not exist), and per change a folder with "journal", "steps", the old bytes of files by step, and "undo".

bw_state=/var/lib/breakwater
bw_mine=''

bw_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# What was written is on the disk when this returns, where the system can say that of one file. A host without such a
# command can be changed all the same, so this never fails: callers go on with && or end with it.
bw_sync() { sync "$1" 2>/dev/null || sync 2>/dev/null || true; }

# Where the order at hand is kept; what is noted is about none of its steps yet.
bw_paths() {
    bw_folder="$bw_state/$bw_o_journal"
    bw_log="$bw_folder/journal"
    bw_label=0
}

# bw_note STATE [WORDS]: one line of the journal.
bw_note() {
    printf '%s %s %s%s\n' "$(bw_now)" "$1" "$bw_label" "${2:+ $2}" 2>/dev/null >>"$bw_log" || return
    bw_sync "$bw_log"
}

# Whether bw_sums has a tool.
bw_tools() {
    bw_has sha256sum || bw_has shasum || bw_has sha256 || bw_has openssl ||
        bw_obstacle='there is no tool for SHA-256 (sha256sum, shasum, sha256 or openssl)'
    [ -z "$bw_obstacle" ]
}

# bw_hash FILE: sets bw_sum, "" when it cannot be read.
bw_hash() {
    bw_sum=$(bw_sums <"$1")
    bw_sum=${bw_sum%% *}
    [ "${#bw_sum}" = 64 ] || bw_sum=''
} 2>/dev/null

# bw_birth PID: when a process began; "" when there is none. It tells a process from a later one of the same number.
bw_birth() {
    bw_born=''
    case $1 in '' | *[!0-9]*) return ;; esac
    if [ -r "/proc/$1/stat" ]; then
        bw_born=$(sed -e 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{ print $20; exit }')
    elif [ ! -d /proc/self ]; then
        bw_born=$(ps -o lstart= -p "$1" 2>/dev/null | tr -c 'A-Za-z0-9:\n' '-')
    fi
}

# The lock is a link that leads nowhere: made at once with who holds it. One whose process is gone holds nothing.
bw_holder() {
    bw_held=''
    [ -h "$bw_state/lock" ] || return 1
    bw_leads "$bw_state/lock"
    bw_held=$bw_text
    bw_rest=${bw_held#*_}
    bw_birth "${bw_held%%_*}"
    [ -n "$bw_born" ] && [ "$bw_born" = "${bw_rest%%_*}" ] && [ "${bw_rest##*_}" = "$(bw_boot)" ]
}

# bw_leads LINK: sets bw_text to what a link of ours holds.
bw_leads() {
    bw_text=$(ls -l "$1" 2>/dev/null)
    bw_text=${bw_text##*-> }
}

bw_boot() { tr -dc '0-9a-f' 2>/dev/null </proc/sys/kernel/random/boot_id || echo boot; }

bw_busy() {
    bw_rest=${bw_held#*_}
    bw_rest=${bw_rest#*_}
    bw_obstacle="another change is going on (process ${bw_held%%_*} since ${bw_rest%%_*})"
}

bw_lock() {
    bw_birth "$$"
    bw_mine="$$_${bw_born}_$(bw_now)_$(bw_boot)"
    for bw_one in 1 2 3; do
        if bw_try ln -s "$bw_mine" "$bw_state/lock"; then
            set +f
            rm -f "$bw_state"/lock.* "$bw_state"/*.new
            set -f
            return 0
        fi
        if [ ! -h "$bw_state/lock" ]; then
            bw_obstacle="$bw_state cannot be written: $bw_error"
            return 1
        fi
        if bw_holder; then
            bw_busy
            return 1
        fi
        # Nobody's. Moved away first: what was moved must be what was looked at.
        mv "$bw_state/lock" "$bw_state/lock.$$" 2>/dev/null || continue
        bw_leads "$bw_state/lock.$$"
        [ "$bw_text" = "$bw_held" ] || mv "$bw_state/lock.$$" "$bw_state/lock" 2>/dev/null
    done
    bw_obstacle='another change is going on'
    return 1
}

bw_unlock() {
    bw_leads "$bw_state/lock"
    [ -z "$bw_mine" ] || [ "$bw_text" != "$bw_mine" ] || rm -f "$bw_state/lock"
    bw_mine=''
}

# The state directory: ours alone, and no link to elsewhere.
bw_home() {
    bw_obstacle="$bw_state cannot be used: "
    if [ ! -d "$bw_state" ] && ! bw_try mkdir -p "$bw_state"; then
        bw_obstacle="$bw_obstacle$bw_error"
        return 1
    fi
    bw_text=$(bw_attributes "$bw_state")
    bw_text=${bw_text#* }
    if [ -h "$bw_state" ] || [ "${bw_text% *}" != "$(id -u)" ]; then
        bw_obstacle="${bw_obstacle}it belongs to somebody else, or is a link"
        return 1
    fi
    if ! bw_try chmod 700 "$bw_state"; then
        bw_obstacle="$bw_obstacle$bw_error"
        return 1
    fi
    bw_obstacle=''
}

bw_open() {
    bw_paths
    [ -d "$bw_folder" ] || bw_opened=1
    if bw_try mkdir -p "$bw_folder" && bw_try bw_write_steps && bw_try bw_write_begin; then
        bw_sync "$bw_folder/steps"
        return 0
    fi
    bw_obstacle="the journal in $bw_state cannot be written: $bw_error"
    return 1
}

# By way of cat, which says why it cannot write; a shell's printf does not.
bw_write_steps() { bw_steps bw_print | cat >"$bw_folder/steps"; }
bw_write_begin() { printf '%s begin %s\n' "$(bw_now)" "$$" | cat >>"$bw_log"; }
bw_print() { printf '%s|' "$@" && echo; }

# Journals beyond the newest ones; their names begin with their time.
bw_prune() {
    set +f
    bw_all=''
    for bw_one in "$bw_state"/*/journal; do
        [ ! -f "$bw_one" ] || bw_all=${bw_one%/journal}$bw_nl$bw_all
    done
    set -f
    bw_count=0
    printf '%s' "$bw_all" | while IFS= read -r bw_one; do
        bw_count=$((bw_count + 1))
        [ "$bw_count" -le "$bw_o_keep" ] || [ "$bw_one" = "$bw_folder" ] || rm -rf "$bw_one"
    done
}

