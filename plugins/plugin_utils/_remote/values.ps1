# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Typed values and the order that holds them, as lines of data; and the registry, value by value. Part of the
# interpreter of steps (apply.ps1 says how it works).

# "source" is this very text: an undo that is armed is its beginning, with other lines.
$bw_order = @{ journal = ''; seconds = 120; dry = $false; keep = 20; steps = @(); undo = @(); state = ''; folder = ''; lock = $null; firing = $false }
$bw_order.source = "$($MyInvocation.MyCommand.Definition)"

# bw_point NAME ID: a boundary between two states. Tests break off here.
function bw_point([string]$name, [string]$id) {
    $null = $name, $id
}

# Text as data: whatever is not plain is % and the four hexadecimal digits of each UTF-16 unit, so that lone surrogates
# and ends of lines survive.
$bw_coded = New-Object Text.RegularExpressions.Regex '%([0-9A-F]{4})'
$bw_decoder = [Text.RegularExpressions.MatchEvaluator] {
    param($found)
    "$([char][Convert]::ToInt64($found.Groups[1].Value, 16))"
}
$bw_special = New-Object Text.RegularExpressions.Regex '[^A-Za-z0-9_.\\{}()/:*#=;<>&!?^ -]'
$bw_encoder = [Text.RegularExpressions.MatchEvaluator] {
    param($found)
    '%{0:X4}' -f [int][char]$found.Value
}

function bw_decode([string]$text) {
    $bw_coded.Replace($text, $bw_decoder)
}

function bw_encode([string]$text) {
    $bw_special.Replace($text, $bw_encoder)
}

# bw_typed TYPE TEXT: a typed value of its encoded text. Every item of a list ends with a comma.
function bw_typed([string]$type, [string]$text) {
    $value = $null
    if ($type -eq 'boolean') {
        $value = $text -eq 'true'
    } elseif ('integer', 'dword', 'qword' -contains $type) {
        $value = [decimal]$text
    } elseif ('list', 'multi_sz' -contains $type) {
        $value = [string[]]@([regex]::Matches($text, '([^,]*),') | ForEach-Object { bw_decode $_.Groups[1].Value })
    } elseif ('absent', 'none' -notcontains $type) {
        $value = bw_decode $text
    }
    @{ type = $type; value = $value }
}

# bw_text NATIVE: the encoded text of a typed value.
function bw_text($native) {
    $value = $native.value
    if ($null -eq $value) { return '' }
    if ($value -is [bool]) { return "$value".ToLower() }
    if ($value -is [array]) { return [string]::Join('', [string[]]@($value | ForEach-Object { (bw_encode "$_") + ',' })) }
    bw_encode "$value"
}

# bw_same KIND A B: whether two values are one. What has no type of its own on the host is compared as text.
function bw_same([string]$kind, $one, $other) {
    if (($one.type -eq 'absent') -ne ($other.type -eq 'absent')) { return $false }
    if ($kind -eq 'right') { return (bw_holders $one) -eq (bw_holders $other) }
    if ($kind -eq 'registry') { return $one.type -eq $other.type -and (bw_text $one) -ceq (bw_text $other) }
    if ($kind -like '*_property') {
        return (bw_plain_text $one) -eq (bw_plain_text $other)
    }
    (bw_text $one) -eq (bw_text $other)
}

function bw_plain_text($native) {
    [string]::Join(',', [string[]]@(@($native.value) | ForEach-Object { "$_" -split '\s*,\s*' } | Where-Object { $_ }))
}

function bw_holders($native) {
    $names = @(@($native.value) | Where-Object { $_ } | ForEach-Object { "$_".TrimStart('*').ToUpper() } | Sort-Object -Unique)
    [string]::Join(',', [string[]]$names)
}

# The order: "O journal seconds dry keep", "S step", and of the undo "U step", or "V number step" for the inverse of one.
function bw_read_order {
    $known = @{}
    foreach ($line in @($bw_lines -split '\r?\n' | Where-Object { $_ })) {
        $words = @($line.Substring(2) -split '\|')
        if ($line -clike 'O *') {
            $bw_order.journal = $words[0]
            $bw_order.seconds = [int]$words[1]
            $bw_order.dry = $words[2] -eq '1'
            $bw_order.keep = [int]$words[3]
        } elseif ($line -clike 'S *') {
            $known[$words[0]] = $words
            $bw_order.steps += @(bw_step $words)
        } elseif ($line -clike 'U *') {
            $bw_order.undo += $line.Substring(2)
        } elseif ($line -clike 'V *') {
            $number, $id = $words[0] -split ' '
            $bw_order.undo += bw_inverse $number $known[$id]
        }
    }
}

# The line of a step's inverse: its values change places, and the mark says that the twin is put back.
function bw_inverse([string]$number, [string[]]$words) {
    $swapped = @($number) + $words[1..3] + $words[6..7] + $words[4..5]
    if ($words.Length -gt 9) { $swapped += @('i') + $words[9..12] } else { $swapped += @('') }
    [string]::Join('|', [string[]]$swapped)
}

function bw_step([string[]]$words) {
    $words += @('', '', '', '')
    $step = @{
        id = $words[0]
        where = [string]::Join('|', [string[]]$words[1..3])
        kind = $words[1]
        target = bw_long $words[2]
        name = bw_decode $words[3]
        before = bw_typed $words[4] $words[5]
        after = bw_typed $words[6] $words[7]
        flags = $words[8]
        twin = $null
        old = $null
        state = 'skipped'
        was = $null
        now = $null
        error = ''
    }
    if ($words[9]) {
        $step.twin = @{ key = bw_long $words[9]; name = bw_decode $words[10]; before = bw_typed $words[11] $words[12] }
    }
    $step
}

# "~S" and "~P" stand for the beginnings that most keys share; a tilde of a name is encoded.
function bw_long([string]$text) {
    $long = $text.Replace('~S', 'SYSTEM\CurrentControlSet').Replace('~P', 'SOFTWARE\Policies\Microsoft')
    bw_decode $long
}

# The registry. Keys as objects of .NET: the provider expands wildcards in names, and variables in values.
function bw_hive {
    Get-Item -LiteralPath 'HKLM:\' -ErrorAction Stop
}

function bw_get_value([string]$path, [string]$name) {
    $absent = @{ type = 'absent'; value = $null }
    $key = (bw_hive).OpenSubKey($path)
    if ($null -eq $key) { return $absent }
    try {
        if (@($key.GetValueNames()) -notcontains $name) { return $absent }
        $kind = "$($key.GetValueKind($name))"
        $value = $key.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
    } finally {
        $key.Close()
    }
    $type = @{ DWord = 'dword'; QWord = 'qword'; String = 'sz'; ExpandString = 'expand_sz'; MultiString = 'multi_sz'; Binary = 'binary' }[$kind]
    if (-not $type) { throw "a registry value of type $kind" }
    if ($type -eq 'binary') {
        $hex = [BitConverter]::ToString($value)
        $value = $hex.Replace('-', '').ToLower()
    }
    if ($type -eq 'multi_sz') { $value = [string[]]@($value) }
    if ($type -eq 'dword' -or $type -eq 'qword') {
        $value = [decimal]$value
        if ($value -lt 0 -and $type -eq 'dword') { $value += 4294967296 }
        if ($value -lt 0) { $value += 18446744073709551616 }
    }
    @{ type = $type; value = $value }
}

function bw_set_value([string]$path, [string]$name, $native) {
    if ($native.type -eq 'absent') {
        $key = (bw_hive).OpenSubKey($path, $true)
        if ($null -ne $key) {
            try { $key.DeleteValue($name, $false) } finally { $key.Close() }
        }
        bw_tidy $path
        return
    }
    bw_make $path
    $kind = @{ dword = 'DWord'; qword = 'QWord'; sz = 'String'; expand_sz = 'ExpandString'; multi_sz = 'MultiString'; binary = 'Binary' }[$native.type]
    $value = $native.value
    switch ($kind) {
        'DWord' {
            if ($value -gt 2147483647) { $value -= 4294967296 }
            $value = [int]$value
        }
        'QWord' {
            if ($value -gt 9223372036854775807) { $value -= 18446744073709551616 }
            $value = [long]$value
        }
        'Binary' { $value = [byte[]]@([regex]::Matches($value, '..') | ForEach-Object { [Convert]::ToInt64($_.Value, 16) }) }
    }
    Set-ItemProperty -LiteralPath "HKLM:\$path" -Name $name -Value $value -Type $kind -ErrorAction Stop
}

# Keys that are not there are remembered before they are made: an undo removes them, when they are empty again.
function bw_make([string]$path) {
    $hive = bw_hive
    $missing = @()
    for ($at = $path; $at; $at = bw_parent $at) {
        $key = $hive.OpenSubKey($at)
        if ($null -ne $key) {
            $key.Close()
            break
        }
        $missing += @($at)
    }
    if ($missing.Length -eq 0) { return }
    foreach ($key in @($missing | Where-Object { $_ })) { bw_append ([IO.Path]::Combine($bw_order.state, 'made')) (bw_encode $key) }
    $made = $hive.CreateSubKey($path)
    $made.Close()
    bw_point 'after-key' $path
}

function bw_parent([string]$path) {
    $cut = $path.LastIndexOf('\')
    if ($cut -gt 0) { $path.Substring(0, $cut) }
}

function bw_tidy([string]$path) {
    $file = [IO.Path]::Combine($bw_order.state, 'made')
    if (-not [IO.File]::Exists($file)) { return }
    $made = @([IO.File]::ReadAllLines($file) | Where-Object { $_ } | ForEach-Object { bw_decode $_ })
    $hive = bw_hive
    for ($at = $path; $at -and $made -contains $at; $at = bw_parent $at) {
        $key = $hive.OpenSubKey($at)
        if ($null -ne $key) {
            $used = $key.ValueCount + $key.SubKeyCount
            $key.Close()
            if ($used -gt 0) { break }
            $hive.DeleteSubKey($at)
        }
        $made = @($made | Where-Object { $_ -ne $at })
    }
    bw_replace $file ([string]::Join('', [string[]]@($made | ForEach-Object { (bw_encode $_) + "`n" })))
}
