# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the interpreter of steps (apply.ps1) keeps in %ProgramData%\Breakwater: "lock" (held open while a change goes on),
# "owner" (who holds it), "made" (keys that did not exist), and a folder per change with "journal", "steps" and, while an
# undo is armed, "pending" and "undo.ps1". Nobody but SYSTEM and administrators may read or write any of it.

$bw_sddl = 'O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'

# Files of the state directory. What is appended is on the disk when this returns.
function bw_append([string]$path, [string]$line) {
    $stream = New-Object IO.FileStream $path, 'Append', 'Write', 'Read', 4096, 'WriteThrough'
    try {
        $bytes = [Text.Encoding]::UTF8.GetBytes("$line`n")
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush()
    } finally {
        $stream.Close()
    }
}

function bw_replace([string]$path, [string]$text) {
    [IO.File]::Delete("$path.new")
    bw_append "$path.new" $text.TrimEnd("`n")
    if ([IO.File]::Exists($path)) { [IO.File]::Replace("$path.new", $path, "$path.old") } else { [IO.File]::Move("$path.new", $path) }
}

function bw_now {
    bw_iso (Get-Date)
}

# A directory that nobody else has written to: made under another name, protected, and renamed only then.
function bw_state {
    $base = "$env:ProgramData"
    if (-not $base) { throw 'ProgramData is not set' }
    $folder = [IO.Path]::Combine($base, 'Breakwater')
    $bw_order.state = $folder
    if (-not [IO.Directory]::Exists($folder)) {
        $new = "$folder.$([Guid]::NewGuid().ToString('N'))"
        [void][IO.Directory]::CreateDirectory($new)
        bw_protect $new
        if ([IO.Directory]::GetFileSystemEntries($new).Length -gt 0) { throw "${new}: somebody wrote into it" }
        try { [IO.Directory]::Move($new, $folder) } catch { [IO.Directory]::Delete($new) }
    }
    if ([int][IO.File]::GetAttributes($folder) -band 1024) { throw "${folder} leads elsewhere (a reparse point)" }
    $rights = Get-Acl -Path $folder -ErrorAction Stop
    $sddl = "$($rights.Sddl)"
    $owner = [regex]::Match($sddl, '^O:([A-Z]{2}|S-[0-9-]+)').Groups[1].Value
    if ('BA', 'SY', 'S-1-5-18', 'S-1-5-32-544' -notcontains $owner) { throw "${folder} belongs to $owner, not to administrators" }
    if ($sddl -notmatch '^O:.*D:P[A-Z]*\(A;OICI;FA;;;(SY|BA)\)\(A;OICI;FA;;;(SY|BA)\)$') { bw_protect $folder }
}

function bw_protect([string]$folder) {
    $rights = Get-Acl -Path $folder -ErrorAction Stop
    $rights.SetSecurityDescriptorSddlForm($bw_sddl, 'Owner, Access')
    Set-Acl -Path $folder -AclObject $rights -ErrorAction Stop
}

# bw_lock SECONDS: $true when it is ours; it dies with this process.
function bw_lock([int]$seconds) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $owner = [IO.Path]::Combine($bw_order.state, 'owner')
    while ($true) {
        try {
            $bw_order.lock = New-Object IO.FileStream ([IO.Path]::Combine($bw_order.state, 'lock')), 'OpenOrCreate', 'ReadWrite', 'None'
            bw_replace $owner "process $PID since $(bw_now)"
            return $true
        } catch {
            $why = bw_reason $_
            if ($why.rc -eq 126) { throw }
            if ($null -ne $bw_order.lock) { throw }
        }
        if ($clock.Elapsed.TotalSeconds -ge $seconds) { return $false }
        Start-Sleep -Milliseconds 500
    }
}

function bw_unlock {
    if ($null -ne $bw_order.lock) { $bw_order.lock.Close() }
    $bw_order.lock = $null
}

# The journal: what is going to happen, on the disk before it happens, with what stands there now.
function bw_journal([string]$state, $step) {
    $fields = @((bw_now), $state, $step.id, $step.kind, (bw_encode $step.target), (bw_encode $step.name))
    if ($null -ne $step.was) { $fields += @($step.was.type, (bw_text $step.was)) }
    bw_append ([IO.Path]::Combine($bw_order.folder, 'journal')) ([string]::Join('|', [string[]]$fields))
}

function bw_prune {
    $folders = @([IO.Directory]::GetDirectories($bw_order.state) | ForEach-Object {
        @{ path = $_; time = [IO.Directory]::GetLastWriteTimeUtc($_); pending = [IO.File]::Exists([IO.Path]::Combine($_, 'pending')) }
    } | Sort-Object { $_.time } | Where-Object { $_.path -ne $bw_order.folder -and -not $_.pending })
    for ($at = 0; $at -lt $folders.Length + 1 - $bw_order.keep; $at++) { [IO.Directory]::Delete($folders[$at].path, $true) }
}

# Journals with that file, and what its first line says.
function bw_marked([string]$file) {
    foreach ($folder in @([IO.Directory]::GetDirectories($bw_order.state) | Where-Object { $_ })) {
        $path = [IO.Path]::Combine($folder, $file)
        if ([IO.File]::Exists($path)) {
            @{ journal = [IO.Path]::GetFileName($folder); path = $path; time = "$(@([IO.File]::ReadAllLines($path)) | Select-Object -First 1)" }
        }
    }
}

# An undo that fired is told once.
function bw_fired {
    foreach ($mark in @(bw_marked 'fired')) {
        "$($mark.journal)"
        [IO.File]::Move($mark.path, "$($mark.path).told")
    }
}
