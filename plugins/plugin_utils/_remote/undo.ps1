# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The undo that a host carries out by itself, by time or at its next start, unless it is told that it can still be
# reached. Part of the interpreter of steps (apply.ps1).

# The undo: this script's beginning with other lines, run as SYSTEM by time and at the next start.
function bw_arm {
    $cut = $bw_order.source.IndexOf("`n`$null = 'the end of the undo'")
    if ($cut -lt 0) { throw 'the undo cannot be armed: this script does not know its own text' }
    bw_point 'before-arm' ''
    # What stood there already is not this order's to undo.
    $others = @($bw_order.steps | Where-Object { $_.state -eq 'already' } | ForEach-Object { $_.where })
    $undo = @($bw_order.undo | Where-Object { $others -notcontains [string]::Join('|', [string[]]@($_ -split '\|')[1..3]) } | ForEach-Object { "S $_" })
    $lines = @("O $($bw_order.journal)|0|0|$($bw_order.keep)") + $undo
    $text = $bw_order.source.Substring(0, $cut) + "`n`$bw_lines = @'`n" + [string]::Join("`n", [string[]]$lines) + "`n'@`nbw_fire end`n"
    $script = [IO.Path]::Combine($bw_order.folder, 'undo.ps1')
    bw_replace $script $text
    $file = [IO.Path]::Combine($bw_order.folder, 'undo.xml')
    $now = Get-Date
    $due = bw_iso $now.AddSeconds($bw_order.seconds)
    [IO.File]::WriteAllText($file, (bw_task $script $due), [Text.Encoding]::Unicode)
    bw_replace ([IO.Path]::Combine($bw_order.folder, 'pending')) "$(bw_now)`n$due"
    $asked = bw_try {
        $null = bw_native { schtasks.exe /Create /TN (bw_task_name) /XML $file /F 2>$null }
        bw_exit 'schtasks.exe' 0
    }
    if ($asked.rc -ne 0) {
        bw_disarm
        throw "the undo cannot be armed: $(bw_said $asked)"
    }
    bw_point 'after-arm' ''
}

function bw_task_name {
    "\Breakwater\undo-$($bw_order.journal)"
}

# -Command and not -File: an execution policy set by group policy is about files.
function bw_task([string]$script, [string]$due) {
    $quoted = $script.Replace("'", "''")
    $call = "&([ScriptBlock]::Create([IO.File]::ReadAllText('$quoted')))"
    $arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "' + $call + '"'
    $arguments = $arguments.Replace('&', '&amp;').Replace('<', '&lt;').Replace('>', '&gt;')
    $parts = '<?xml version="1.0" encoding="UTF-16"?>',
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
        '<RegistrationInfo><Author>Breakwater</Author><Description>Puts back what was not confirmed.</Description></RegistrationInfo>',
        "<Triggers><TimeTrigger><StartBoundary>$due</StartBoundary><Enabled>true</Enabled></TimeTrigger>",
        '<BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>',
        '<Principals><Principal id="Author"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals>',
        '<Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy><DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
        '<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries><StartWhenAvailable>true</StartWhenAvailable>',
        '<AllowStartOnDemand>true</AllowStartOnDemand><Enabled>true</Enabled><ExecutionTimeLimit>PT1H</ExecutionTimeLimit></Settings>',
        '<Actions Context="Author"><Exec><Command>%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe</Command>',
        "<Arguments>$arguments</Arguments></Exec></Actions></Task>"
    [string]::Join("`r`n", [string[]]$parts)
}

# The token goes first: without it the script does nothing, whatever becomes of the task.
function bw_disarm {
    [IO.File]::Delete([IO.Path]::Combine($bw_order.folder, 'pending'))
    $null = bw_native { schtasks.exe /Delete /TN (bw_task_name) /F 2>$null }
}

# When the undo is due; nothing when it is not armed any more.
function bw_due {
    $pending = [IO.Path]::Combine($bw_order.folder, 'pending')
    if ([IO.File]::Exists($pending)) { "$(@([IO.File]::ReadAllLines($pending)) | Select-Object -Last 1)" }
}

# What the task runs. Each step for itself: whatever still stands as it was left is put back.
function bw_fire {
    if ($args[$args.Length - 1] -ne 'end') { return }
    bw_read_order
    $bw_order.firing = $true
    bw_state
    $bw_order.folder = [IO.Path]::Combine($bw_order.state, $bw_order.journal)
    # Who comes before the time comes with the start of the host, and does not wait for it.
    $booted = "$(bw_due)" -gt (bw_now)
    while ($true) {
        # Somebody who hangs in the middle of the change must not keep the undo from happening.
        $locked = bw_lock 120
        try {
            $due = bw_due
            if (-not $due) { return }
            if ($booted -or $due -le (bw_now)) {
                bw_put_all_back
                return
            }
        } finally {
            if ($locked) { bw_unlock }
        }
        # It was armed anew while this one waited.
        Start-Sleep -Seconds 1
    }
}

function bw_put_all_back {
    try {
        foreach ($step in @($bw_order.steps | Where-Object { $_ })) {
            bw_look $step
            if ($step.state -eq 'planned') { $null = bw_try { bw_do $step } }
        }
        bw_clear
        bw_append ([IO.Path]::Combine($bw_order.folder, 'fired')) (bw_now)
        foreach ($step in @($bw_order.steps | Where-Object { $_ })) {
            bw_append ([IO.Path]::Combine($bw_order.folder, 'fired')) "$($step.id)|$($step.state)|$(bw_encode $step.error)"
        }
    } finally {
        bw_disarm
    }
}
