# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh
# Core of the collector: how a record is made. POSIX sh; no temporary file, no bashism.
#
# The sections (bw_collect_<name>) are appended to this file, and the call of bw_main as the last line,
# so that a script that was cut off on its way does nothing. The answer is ONE JSON document between two
# marker lines that carry a nonce. File descriptor 9 is the answer; every child reads /dev/null.

LC_ALL=C
LANG=C
export LC_ALL LANG
unset CDPATH ENV BASH_ENV POSIXLY_CORRECT GREP_OPTIONS
PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/usr/pkg/bin:/opt/local/bin"
export PATH
umask 077
set -f

bw_seconds=20      # bound of one command
bw_bytes=8388608   # bound of one output
bw_comma=''
bw_tab=$(printf '\t')
bw_cr=$(printf '\r')
bw_nl='
'

# bw_has COMMAND: whether it is there.
bw_has() { command -v "$1" >/dev/null 2>&1; }

# bw_own PID: whether a process lives in our own namespaces (one of a container does not; unreadable counts as own).
bw_own() {
    bw_theirs=$(readlink "/proc/$1/ns/mnt" 2>/dev/null)
    [ -z "$bw_theirs" ] || [ "$bw_theirs" = "$(readlink /proc/self/ns/mnt 2>/dev/null)" ]
}

# stdin -> JSON string on stdout, cut at bw_bytes (then followed by ,"truncated":true). NUL becomes \u0000
# by way of byte 1, which text files do not hold; bytes above 127 go through as they are.
bw_quote() {
    tr '\000' '\001' 2>/dev/null | sed -e 's/[\\"]/\\&/g' -e "s/$bw_tab/\\\\t/g" -e "s/$bw_cr/\\\\r/g" 2>/dev/null | awk -v max="$bw_bytes" '
        BEGIN {
            printf "\""
            for (i = 1; i < 32; i++) esc[sprintf("%c", i)] = sprintf("\\u%04x", i)
            esc["\001"] = "\\u0000"
            esc["\177"] = "\\u007f"
        }
        {
            size += length($0) + 1
            if (size > max) { cut = 1; exit }
            if (NR > 1) printf "\\n"
            if ($0 ~ /[\001-\037\177]/) {
                for (i = 1; i <= length($0); i++) {
                    c = substr($0, i, 1)
                    printf "%s", (c in esc) ? esc[c] : c
                }
            } else printf "%s", $0
        }
        END { printf "\"%s", cut ? ",\"truncated\":true" : "" }'
}

# bw_word TEXT: a short text as JSON string, without a process where it has nothing to escape.
bw_word() {
    case $1 in
    *[!A-Za-z0-9\ ._/:=%,@+-]*) printf '%s' "$1" | bw_quote ;;
    *) printf '"%s"' "$1" ;;
    esac
}

# bw_bounded SECONDS COMMAND ...: exit code 124 when the time is up. COMMAND is a program, not a function.
if timeout -k 1 5 true 2>/dev/null; then
    bw_bounded() {
        timeout -k 2 "$@"
        bw_code=$?
        case $bw_code in 137 | 143) bw_code=124 ;; esac # busybox tells the signal
        return "$bw_code"
    }
else
    bw_bounded() {
        bw_limit=$1
        shift
        "$@" &
        bw_child=$!
        (
            trap 'kill "$bw_sleep" 2>/dev/null; exit 0' TERM
            sleep "$bw_limit" &
            bw_sleep=$!
            wait "$bw_sleep"
            kill -9 "$bw_child"
        ) >/dev/null 2>&1 3>&- 4>&- 9>&- &
        bw_watch=$!
        wait "$bw_child" 2>/dev/null
        bw_code=$?
        kill -TERM "$bw_watch" 2>/dev/null
        wait "$bw_watch" 2>/dev/null
        [ "$bw_code" -ne 137 ] || bw_code=124
        return "$bw_code"
    }
fi

# bw_begin_record ID LABEL and bw_end_record RC ERR: what stands before and behind the output of a record.
bw_begin_record() {
    printf '%s\n{"id":"%s","command":' "$bw_comma" "$1" >&9
    bw_comma=','
    bw_word "$2" >&9
    printf ',"out":' >&9
}

bw_end_record() {
    printf ',"rc":%s,"err":' "$1" >&9
    bw_word "$2" >&9
    printf '}' >&9
}

# bw_record ID LABEL FUNCTION-OR-COMMAND ...: run it and add a record: id, command, out, err, rc. Sets bw_rc.
bw_record() {
    bw_begin_record "$1" "$2"
    shift 2
    bw_err=$({ { "$@" 2>&4 4>&- 9>&- </dev/null; printf '\n%s' "$?" >&4; } | bw_quote 4>&- >&9; } 4>&1)
    bw_rc=${bw_err##*"$bw_nl"}
    case $bw_rc in '' | *[!0-9]*) bw_rc=141 ;; esac # ksh93 dies with a child that a closed pipe ended
    bw_err=${bw_err%"$bw_nl"*}
    [ "${#bw_err}" -le 4000 ] || bw_err=$(printf '%s' "$bw_err" | tail -c 4000)
    bw_end_record "$bw_rc" "$bw_err"
}

# bw_run ID COMMAND ...: a bounded program. A program that is not there gives rc 127.
bw_run() {
    bw_id=$1
    shift
    bw_record "$bw_id" "$*" bw_bounded "$bw_seconds" "$@"
}

# bw_file ID PATH: the content of a file. A file that is not there gives rc 1 and the reason.
bw_file() { bw_record "$1" "$2" bw_bounded "$bw_seconds" cat "$2"; }

# bw_sums FILE ...: "SHA-256 path" of each file that can be read; without one, of standard input. Text tools do not tell
# whether a last line ends.
bw_sums() {
    if bw_has sha256sum; then
        sha256sum -- "$@"
    elif bw_has shasum; then
        shasum -a 256 -- "$@"
    elif bw_has sha256; then
        sha256 -r "$@"
    else
        openssl dgst -sha256 -r "$@"
    fi 2>/dev/null
    return 0
}

# bw_text ID LABEL TEXT: something that the script itself worked out.
bw_text() { bw_record "$1" "$2" printf '%s' "$3"; }

# bw_main NONCE SECTION ... end: the whole answer. Without the last word the script was cut off, and nothing is done.
bw_main() {
    for bw_last in "$@"; do :; done
    [ "$bw_last" = end ] || return 1
    exec 9>&1
    cd / || return
    bw_nonce=$1
    shift
    printf '\n@@breakwater %s begin@@\n{"schema":"breakwater/collected/1","uid":"%s","shell":' "$bw_nonce" "$(id -u 2>/dev/null)" >&9
    printf '%s' "${BASH_VERSION:-${KSH_VERSION:-${ZSH_VERSION:-sh}}}" | bw_quote >&9
    printf ',"records":[' >&9
    for bw_section in "$@"; do
        [ "$bw_section" = end ] || "bw_collect_$bw_section"
    done
    printf '\n]}\n@@breakwater %s end@@\n' "$bw_nonce" >&9
}
