# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The interpreter of steps for Windows: a closed list of kinds, on data that is never run as a script. Syntax of
# PowerShell 2.0, as in core.ps1, behind which it stands with values.ps1, kinds.ps1, journal.ps1 and undo.ps1, in this
# order; the steps follow as lines in $bw_lines. First all steps are compared with what stands there; then each is
# journalled, done, read back and journalled again.

function bw_stateless($step) {
    'reload', 'restart' -contains $step.kind
}

# What stands there must be what the plan has seen, or what it wants already.
function bw_look($step) {
    if (bw_stateless $step) {
        $step.state = 'planned'
        if ($step.kind -eq 'restart' -and $bw_restarted -notcontains $step.target) { bw_refuse $step "no service to restart: $($step.target)" }
        return
    }
    $asked = bw_try { bw_get $step }
    if ($asked.rc -ne 0) {
        bw_refuse $step (bw_said $asked)
        return
    }
    $step.was = $asked.out[0]
    $step.now = $step.was
    if ((bw_comes $step) -or (bw_same $step.kind $step.was $step.after)) {
        $step.state = 'already'
    } elseif (bw_same $step.kind $step.was $step.before) {
        $step.state = 'planned'
    } else {
        bw_refuse $step "$(bw_shown $step.was) stands there, not $(bw_shown $step.before)"
    }
}

# A driver that went with its feature comes back with it, as delivered, at the next start.
function bw_comes($step) {
    if ($step.kind -ne 'service' -or $step.was.type -ne 'absent') { return $false }
    $features = @($bw_order.steps | Where-Object { $_.kind -like '*feature' -and 'enabled', 'installed' -contains $_.after.value })
    if ($features.Length -eq 0) { return $false }
    $step.error = "$($step.target) comes back with its feature"
    $true
}

function bw_refuse($step, [string]$why) {
    $step.state = 'refused'
    $step.error = $why
}

function bw_shown($native) {
    if ($null -eq $native.value) { return 'nothing' }
    "$(bw_json $native.value) ($($native.type))"
}

# Keys that were made for a value that is not there (any more).
function bw_clear {
    foreach ($step in @($bw_order.steps | Where-Object { $_.kind -eq 'registry' -and $_.state -eq 'already' -and $_.after.type -eq 'absent' })) {
        bw_tidy $step.target
    }
}

function bw_preflight {
    $go = $true
    foreach ($step in @($bw_order.steps | Where-Object { $_ })) {
        bw_look $step
        if ($step.state -eq 'refused') { $go = $false }
    }
    if (-not $go) { bw_skip }
    $go
}

# What was planned and is not tried.
function bw_skip {
    foreach ($step in @($bw_order.steps | Where-Object { $_ -and $_.state -eq 'planned' })) { $step.state = 'skipped' }
}

# Writes a value, and for the inverse of a cmdlet's change what stood in the registry behind it. A failure of the command
# counts, unless the old value is put back: then what is read decides.
function bw_write_step($step, $native, [bool]$twin, [bool]$back) {
    $asked = bw_try { $null = bw_set $step $native }
    $bw_seen.Clear()
    if ($asked.rc -ne 0 -and -not $back) { throw (bw_said $asked) }
    if ($twin -and $null -ne $step.twin) { bw_set_value $step.twin.key $step.twin.name $step.twin.before }
    $step.now = bw_get $step
    if (bw_same $step.kind $step.now $native) { return }
    if ($asked.rc -ne 0) { throw (bw_said $asked) }
    throw "it reads $(bw_shown $step.now) after the change"
}

function bw_do($step) {
    if ($step.kind -eq 'reload') {
        $step.state = 'done'
        return $true
    }
    if ($step.kind -eq 'restart') { return bw_do_restart $step }
    # A slow step may have come between the comparison and this one.
    bw_look $step
    if ($step.state -eq 'already') { return $true }
    if ($step.state -ne 'planned') { return $false }
    bw_point 'before-intended' $step.id
    bw_journal 'intended' $step
    bw_point 'after-intended' $step.id
    # The twin as it stands now, should this step fail.
    $twin = $step.twin
    if ($null -ne $twin) { $step.old = @{ key = $twin.key; name = $twin.name; before = bw_get_value $twin.key $twin.name } }
    $asked = bw_try { bw_write_step $step $step.after ($step.flags -like '*i*') $false }
    bw_point 'after-write' $step.id
    if ($asked.rc -eq 0) {
        $step.state = 'done'
        bw_journal 'done' $step
        bw_point 'after-done' $step.id
        return $true
    }
    $step.state = 'failed'
    $step.error = bw_said $asked
    bw_put_back $step
    $false
}

# The old value, where the new one did not come to stand.
function bw_put_back($step) {
    $step.twin = $step.old
    $asked = bw_try {
        $step.now = bw_get $step
        if ($null -ne $step.twin -or -not (bw_same $step.kind $step.now $step.was)) { bw_write_step $step $step.was $true $true }
    }
    if ($asked.rc -ne 0) { $step.error += "; the old value could not be put back: $(bw_said $asked)" }
    $asked = bw_try { bw_journal $step.state $step }
    if ($asked.rc -ne 0) { $step.error += "; $(bw_said $asked)" }
}

# A service that does not come back: what this order has changed is put back, and the service started once more.
function bw_do_restart($step) {
    bw_point 'before-reload' $step.id
    $asked = bw_try { bw_restart $step.target }
    bw_point 'after-reload' $step.id
    if ($asked.rc -eq 0) {
        $step.state = 'done'
        if ($asked.out -contains $false) { $step.state = 'already' }
        return $true
    }
    $step.state = 'failed'
    $step.error = bw_said $asked
    if ($bw_order.firing) { return $false }
    $done = @($bw_order.steps | Where-Object { $_.state -eq 'done' -and -not (bw_stateless $_) })
    [array]::Reverse($done)
    foreach ($other in $done) {
        $other.state = 'undone'
        bw_put_back $other
        if ($other.error) { $other.state = 'done' }
    }
    # What was restarted with the new values gets the old ones too.
    foreach ($other in @($bw_order.steps | Where-Object { $_.kind -eq 'restart' -and $_.state -eq 'done' })) {
        $again = bw_try { bw_restart $other.target }
        if ($again.rc -ne 0) { $other.error = bw_said $again } else { $other.state = 'undone' }
    }
    $asked = bw_try { bw_start @($step.target) }
    if ($asked.rc -ne 0) { $step.error += "; it does not start with the old values either: $(bw_said $asked)" }
    $false
}

# The undo is armed before the first step, so that nothing is done where it cannot be, and once more before the first
# risky one: only then its time counts.
function bw_work {
    $risky = @($bw_order.steps | Where-Object { $_.flags -like '*r*' -and $_.state -eq 'planned' } | ForEach-Object { $_.id })
    $armed = $risky.Length -gt 0 -and @($bw_order.undo).Length -gt 0
    if ($armed) { bw_arm }
    foreach ($step in @($bw_order.steps | Where-Object { $_ })) {
        if ($step.state -eq 'already') { continue }
        if ($armed -and -not [IO.File]::Exists([IO.Path]::Combine($bw_order.folder, 'pending'))) {
            bw_refuse $step 'the undo has fired meanwhile'
            $step.state = 'failed'
            break
        }
        if ($armed -and $step.id -eq $risky[0]) { bw_arm }
        $asked = bw_try { bw_do $step }
        if ($asked.rc -ne 0) {
            # The journal could not be written: what was not begun is not done, and what was done stands.
            if ($step.state -ne 'done') { $step.state = 'failed' }
            $step.error = bw_said $asked
        }
        if ($asked.rc -ne 0 -or $asked.out -contains $false) { break }
    }
    bw_skip
    if ($armed -and @($bw_order.steps | Where-Object { $_.flags -like '*r*' -and $_.state -eq 'done' }).Length -eq 0) {
        bw_disarm
        $armed = $false
    }
    $armed
}

function bw_ready {
    if ($env:PROCESSOR_ARCHITEW6432) { throw 'this is a 32-bit PowerShell: it would be shown another registry' }
    $key = (bw_hive).OpenSubKey('SYSTEM\CurrentControlSet\Services', $true)
    if ($null -ne $key) { $key.Close() }
    bw_state
}

function bw_other {
    $owner = [IO.Path]::Combine($bw_order.state, 'owner')
    $asked = bw_try { [IO.File]::ReadAllText($owner).Trim() }
    "another change is going on: $($asked.out | Select-Object -First 1)"
}

function bw_carry_out($answer) {
    # Who only looks may come after a change whose connection was lost, and waits for its end.
    $patience = 3
    if ($bw_order.dry) { $patience = 60 }
    if (-not (bw_lock $patience)) { throw (bw_other) }
    $answer.fired = @(bw_fired)
    $go = bw_preflight
    foreach ($mark in @(bw_marked 'pending')) {
        if (-not $bw_order.dry) { throw "the change $($mark.journal) is not confirmed yet: its undo was armed at $($mark.time)" }
        $answer.armed = $true
    }
    if (-not $go -or $bw_order.dry) { return }
    bw_clear
    if (@($bw_order.steps | Where-Object { $_.state -eq 'planned' }).Length -eq 0) { return }
    $bw_order.folder = [IO.Path]::Combine($bw_order.state, $bw_order.journal)
    if ([IO.Directory]::Exists($bw_order.folder)) { throw "there is a journal $($bw_order.journal) already" }
    [void][IO.Directory]::CreateDirectory($bw_order.folder)
    bw_append ([IO.Path]::Combine($bw_order.folder, 'steps')) $bw_lines
    $answer.armed = bw_work
    bw_prune
}

# bw_said ANSWER: why it failed; what this file throws is a sentence of its own.
function bw_said($asked) {
    $asked.err -replace '^RuntimeException: ', ''
}

# bw_answer VERB: does it under the lock, and keeps what is to be said of the whole.
function bw_answer([string]$verb) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    bw_read_order
    $answer = @{ obstacle = ''; armed = $false; journal = $bw_order.journal; fired = @() }
    $asked = bw_try {
        bw_ready
        if ($verb -eq 'confirm') { bw_confirm $answer } else { bw_carry_out $answer }
    }
    bw_unlock
    if ($asked.rc -ne 0) {
        $asked.err = bw_said $asked
        $answer.obstacle = $asked.err
        bw_skip
    }
    bw_keep 'apply.host' $verb $asked (bw_json $answer) $false $clock
}

# Section of the answer: what became of the order.
function bw_collect_apply {
    bw_answer 'apply'
    foreach ($step in @($bw_order.steps | Where-Object { $_ })) {
        $data = @{ id = [int]$step.id; state = $step.state; before = $step.was; after = $step.now; error = $step.error }
        $fine = 'done', 'already', 'planned', 'skipped' -contains $step.state
        $clock = [Diagnostics.Stopwatch]::StartNew()
        bw_keep 'apply.step' "$($step.id)" @{ rc = [int](-not $fine); err = $step.error } (bw_json $data) $false $clock
    }
}

# Section of the answer: over a new connection, that the host can still be reached.
function bw_collect_confirm {
    bw_answer 'confirm'
}

function bw_confirm($answer) {
    if (-not (bw_lock 30)) { throw (bw_other) }
    $bw_order.folder = [IO.Path]::Combine($bw_order.state, $bw_order.journal)
    if ([IO.File]::Exists([IO.Path]::Combine($bw_order.folder, 'pending'))) {
        bw_disarm
        $answer.armed = $true
        return
    }
    $answer.fired = @(bw_fired)
    if ($answer.fired -contains $bw_order.journal) { throw 'the undo has fired: the change was put back before it was confirmed' }
    throw "no undo is armed for $($bw_order.journal)"
}
$null = 'the end of the undo'
