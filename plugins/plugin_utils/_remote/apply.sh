# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154,SC2034  # core.sh and its sister files set what this one uses, and use what it sets
# The interpreter of steps for Unix: a closed list of kinds, on data that is never run as a script. POSIX sh.
#
# It stands behind core.sh with journal.sh, files.sh, registry.sh, services.sh and undo.sh; the order follows as assignments
# (bw_o_*) and functions: "bw_steps HANDLER" calls HANDLER with the fields of each step, bw_content_ID writes a file's new
# bytes. Fields are encoded as "printf %b" reads them.

# bw_point NAME ID: a boundary between two states. Tests break off here.
bw_point() { :; }

bw_reading='' # 1 while all steps are looked at

# bw_plain ENCODED: sets bw_text.
bw_plain() {
    bw_text=$1
    case $1 in
    *\\*)
        bw_text=$(printf '%b.' "$1")
        bw_text=${bw_text%.}
        ;;
    esac
}

# bw_load ID KIND TARGET NAME TYPE VALUE TYPE VALUE ORIGINAL CHECK CONFIG FLAGS: the step at hand.
# Flags: c has content of its own, f follows another step on the same thing, r may cut the line.
bw_load() {
    bw_step=$1
    bw_kind=$2
    bw_label="$1 $2 ${3:--} ${4:--}"
    bw_plain "$3"
    bw_target=$bw_text
    bw_plain "$4"
    bw_name=$bw_text
    bw_plain "$6"
    bw_before="$5 $bw_text"
    bw_plain "$8"
    bw_after="$7 $bw_text"
    bw_original=$9
    shift 9
    # Bytes that stood there before need nobody's approval to stand there again.
    bw_check=''
    [ -n "$bw_original" ] || bw_check=$1
    bw_plain "$2"
    bw_config=$bw_text
    bw_flags=$3
    bw_error=''
}

# bw_tell FIELD TEXT and bw_told FIELD: what became of the step at hand (state, before, after, error).
bw_tell() { eval "bw_r_$1_$bw_step=\$2"; }
bw_told() { eval "bw_text=\${bw_r_$1_$bw_step-}"; }

# bw_reason TEXT: what a tool said, as one short reason.
bw_reason() {
    case $1 in
    *'No space left'* | *'quota exceeded'*) bw_error='no room is left on its filesystem' ;;
    *'Read-only file system'*) bw_error='its filesystem is read-only' ;;
    *'not permitted'*) bw_error='the system does not permit it (an immutable file or directory?)' ;;
    '') bw_error='it failed without a word' ;;
    *)
        bw_error=${1##*"$bw_nl"}
        bw_error=${bw_error##*: }
        ;;
    esac
}

# bw_try COMMAND ...: run it; on failure bw_error says why.
bw_try() {
    bw_said=$("$@" 2>&1 </dev/null 9>&-) && return 0
    bw_reason "$bw_said"
    return 1
}

# What stands there, by kind of step: sets bw_is to "TYPE VALUE"; else bw_error says why that cannot be told.
bw_get() {
    bw_is=''
    bw_error=''
    "bw_get_$bw_kind"
    [ -z "$bw_error" ]
}

# Whether a step can be done, before anything is touched; else bw_error says why not.
bw_able() {
    case $bw_kind in
    file) bw_able_file ;;
    mode) bw_immutable "$bw_target" ;;
    netconf) bw_has net || bw_error='net (of Samba) is not installed' ;;
    unit) ;; # what could be read can be written
    esac
    [ -z "$bw_error" ]
}

bw_preflight() {
    bw_load "$@"
    case $bw_kind in
    reload | restart) bw_ready ;;
    *) bw_look ;;
    esac
}

bw_look() {
    case $bw_flags in
    *f*)
        bw_get && bw_tell before "$bw_is"
        bw_tell state go
        ;;
    *)
        bw_judge
        bw_told state
        case $bw_flags:$bw_text in *r*:go) bw_risky=1 ;; esac
        ;;
    esac
}

# The state of a step by what stands there: already, refused, failed where it cannot be done, or go.
bw_judge() {
    if ! bw_get; then
        bw_bad failed "$bw_error"
        return
    fi
    bw_tell before "$bw_is"
    [ "$bw_kind" != file ] || [ "$bw_o_dry" = 1 ] || bw_leftovers "${bw_path%/*}/"
    if [ "$bw_is" = "$bw_after" ]; then
        bw_tell state already
        bw_tell after "$bw_is"
    elif [ "$bw_is" != "$bw_before" ]; then
        bw_bad refused 'something else stands there'
    elif bw_able; then
        bw_tell state go
    else
        bw_bad failed "$bw_error"
    fi
}

# A step without a state of its own: whether there is what it needs.
bw_ready() {
    bw_tell state go
    [ "$bw_kind" != reload ] || bw_has smbcontrol || bw_obstacle="smbcontrol is not installed: $bw_target cannot be told to reload"
    [ "$bw_kind" != restart ] || ! bw_wanted || bw_manager "$bw_target" ||
        bw_obstacle="there is no service manager here that knows $bw_target: it cannot be restarted"
    [ -z "$bw_obstacle" ] || bw_stop=1
}

bw_bad() {
    bw_tell state "$1"
    bw_tell error "$2"
    bw_stop=1
}

# bw_do STEP: the handler of steps that shall be done now.
bw_do() {
    bw_load "$@"
    bw_told state
    [ "$bw_text" = go ] && [ -z "$bw_stop" ] || return 0
    case $bw_kind in
    reload | restart)
        "bw_$bw_kind"
        return
        ;;
    esac
    case $bw_flags in
    *f*)
        bw_get
        bw_tell before "$bw_is"
        if [ "$bw_is" != "$bw_before" ] || ! bw_able; then
            bw_fail "${bw_error:-something else stands there}"
            return
        fi
        ;;
    esac
    bw_point before-intended "$bw_step"
    if ! bw_note intended; then
        bw_bad failed 'the journal cannot be written'
        return
    fi
    bw_point after-intended "$bw_step"
    if "bw_set_$bw_kind" "$bw_after" && bw_get && [ "$bw_is" = "$bw_after" ]; then
        bw_tell state 'done'
        bw_tell after "$bw_is"
        bw_note 'done'
        bw_point after-done "$bw_step"
        return
    fi
    bw_why=${bw_error:-it does not read back as it was written}
    bw_back
    bw_fail "$bw_why$bw_error"
}

bw_fail() {
    bw_bad failed "$1"
    bw_note failed
}

# Put back what stood there before the step at hand; bw_error says so if that fails.
bw_back() {
    if bw_get && [ "$bw_is" = "$bw_before" ]; then
        return 0
    fi
    if [ "$bw_kind" = file ] && [ "$bw_is" != "$bw_after" ]; then
        bw_error=' (what stands there now is not of this change, and stays)'
        return 1
    fi
    bw_check=''
    if "bw_set_$bw_kind" "$bw_before" back && bw_get && [ "$bw_is" = "$bw_before" ]; then
        bw_error=''
        return 0
    fi
    bw_error=" (and the old one could not be put back: $bw_error)"
    return 1
}

# After a failed restart: what this order has done is put back, the last step first.
bw_back_all() {
    bw_undone=''
    bw_last=$bw_step
    while [ "$bw_last" -gt 1 ]; do
        bw_last=$((bw_last - 1))
        bw_steps bw_back_one
    done
}

bw_back_one() {
    [ "$1" = "$bw_last" ] || return 0
    bw_load "$@"
    bw_told state
    case $bw_kind:$bw_text in file:done | mode:done | netconf:done) ;; *) return 0 ;; esac
    if bw_back; then
        bw_tell state undone
        bw_tell after "$bw_before"
        bw_note undone
    else
        bw_undone="$bw_undone; $bw_target$bw_error"
    fi
}

bw_go() {
    bw_tools || return
    if [ "$bw_o_dry" = 1 ]; then
        if bw_holder; then bw_busy; else bw_waiting; fi
    else
        bw_home && bw_lock && bw_overdue && bw_waiting && bw_open
    fi
    [ -z "$bw_obstacle" ] || return
    bw_reading=1
    bw_listed=' '
    bw_steps bw_preflight
    bw_reading=''
    [ "$bw_o_dry" = 0 ] || return
    if [ -n "$bw_stop" ]; then
        [ -z "$bw_opened" ] || rm -rf "$bw_folder"
        return
    fi
    bw_point after-preflight 0
    [ -z "$bw_risky" ] || [ -z "$bw_o_undo" ] || bw_arm || return
    bw_steps bw_do
    bw_prune
    bw_point before-unlock 0
}

# Section of the answer: carries out the order.
bw_collect_apply() {
    bw_stop=''
    bw_risky=''
    bw_opened=''
    bw_whole_of bw_go
    bw_steps bw_answer
}

# bw_whole_of FUNCTION: does it and tells of the host. Signals that come with a lost connection do not break it off in the
# middle; what it starts has them as ever.
bw_whole_of() {
    bw_obstacle=''
    bw_armed=no
    trap : HUP INT PIPE TERM
    "$1"
    bw_unlock
    trap - HUP INT PIPE TERM
    bw_host
}

# One record about the host: whether anything was in the way, whether an undo is armed, and which have fired.
bw_host() {
    bw_begin_record apply.host "$bw_o_journal"
    printf '"armed %s' "$bw_armed" >&9
    [ ! -d "$bw_state" ] || for bw_one in $(bw_fired); do
        printf '\\nfired %s' "$bw_one" >&9
    done
    printf '"' >&9
    if [ -n "$bw_obstacle" ]; then bw_end_record 1 "$bw_obstacle"; else bw_end_record 0 ''; fi
}

bw_answer() {
    bw_load "$@"
    bw_told state
    [ "$bw_text" != go ] && [ -n "$bw_text" ] || bw_text=skipped
    [ "$bw_text" != skipped ] || [ "$bw_o_dry" = 0 ] || [ -n "$bw_obstacle" ] || bw_text=planned
    bw_begin_record apply.step "$bw_step"
    printf '"%s' "$bw_text" >&9
    case $bw_text in failed | refused) bw_code=1 ;; *) bw_code=0 ;; esac
    bw_answer_value before
    bw_answer_value after
    printf '"' >&9
    bw_told error
    bw_end_record "$bw_code" "$bw_text"
}

bw_answer_value() {
    bw_told "$1"
    [ -n "$bw_text" ] || return 0
    bw_text=$(bw_word "$bw_text")
    bw_text=${bw_text#\"}
    printf '\\n%s %s' "$1" "${bw_text%\"}" >&9
}
