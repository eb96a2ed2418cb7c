# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Core of the Windows collector: how a record is made. Syntax of PowerShell 2.0; nothing is changed on the host.
#
# The sections (bw_collect_<name>) are appended to this file, then the addresses as data, and the call of bw_main as
# the last line, so that a script that was cut off on its way does nothing. The answer is ONE JSON document, in ASCII,
# between two marker lines that carry a nonce. Nothing else may be written to the output.
#
# What was lost is told by types, categories and numbers, never by a message: those are in the host's language.
# Whoever sends this file leaves out whole-line comments and indentation: no here-strings, no block comments here.

$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$VerbosePreference = 'SilentlyContinue'
$DebugPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'

# What was found out so far, shared by reference: records (JSON text), commands that were looked for, facts for later.
$bw_records = New-Object Collections.ArrayList
$bw_commands = @{}
$bw_known = @{ sid = ''; administrator = $null; product = 0; cbs = $false; smb1 = @(); edition = 'Desktop' }
if ($PSVersionTable.PSEdition) { $bw_known.edition = $PSVersionTable.PSEdition }

# bw_has NAME: whether that command exists here. The static gates know this function by its name.
function bw_has([string]$name) {
    if (-not $bw_commands.ContainsKey($name)) {
        $found = @(Get-Command -Name $name -ErrorAction SilentlyContinue)
        $bw_commands[$name] = $found.Count -gt 0
    }
    $bw_commands[$name]
}

# Ways to fail that bw_reason tells apart.
function bw_absent([string]$what) {
    throw (New-Object Management.Automation.CommandNotFoundException $what)
}

# bw_need NAME: what follows uses that command; without it the record says that it does not exist.
function bw_need([string]$name) {
    if (-not (bw_has $name)) { bw_absent $name }
}

function bw_denied([string]$what) {
    throw (New-Object UnauthorizedAccessException $what)
}

# JSON. .NET's regular expressions, because -match ignores case and then takes the Kelvin sign for a "k".
$bw_plain = New-Object Text.RegularExpressions.Regex '^[ !#-\[\]-~]*$'
$bw_strange = New-Object Text.RegularExpressions.Regex '[^ -~]+'
$bw_surrogate = New-Object Text.RegularExpressions.Regex '[\ud800-\udfff]'
$bw_escape = [Text.RegularExpressions.MatchEvaluator] {
    param($found)
    $run = $found.Value
    if ($bw_surrogate.IsMatch($run)) {
        # An encoder would replace a surrogate that stands alone.
        $codes = @([char[]]$run | ForEach-Object { '\u{0:x4}' -f [int]$_ })
        return [string]::Join('', [string[]]$codes)
    }
    $hex = [BitConverter]::ToString([Text.Encoding]::BigEndianUnicode.GetBytes($run)).Replace('-', '')
    [regex]::Replace($hex, '(....)', '\u$1')
}

function bw_quote([string]$text) {
    if (-not $bw_plain.IsMatch($text)) {
        $text = $text.Replace('\', '\\').Replace('"', '\"')
        if ($bw_strange.IsMatch($text)) {
            $text = $bw_strange.Replace($text, $bw_escape)
        }
    }
    '"' + $text + '"'
}

function bw_iso($time) {
    if ($time -is [datetime]) {
        $time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss', [Globalization.CultureInfo]::InvariantCulture) + 'Z'
    }
}

# A number, a time, an enumeration's name: whatever is no text, list or dictionary.
function bw_scalar($value) {
    if ($value -is [bool]) {
        if ($value) { return 'true' }
        return 'false'
    }
    if ($value -is [double] -or $value -is [single]) {
        if ([double]::IsNaN($value) -or [double]::IsInfinity($value)) { return 'null' }
        $text = $value.ToString('R', [Globalization.CultureInfo]::InvariantCulture)
        if ($text -match '[.E]') { return $text }
        return "$text.0"
    }
    if ($value -is [datetime]) { return (bw_quote (bw_iso $value)) }
    if ($value -is [ValueType] -and $value -isnot [enum] -and $value -isnot [char]) {
        $text = ([IFormattable]$value).ToString($null, [Globalization.CultureInfo]::InvariantCulture)
        if ($text -match '^-?[0-9]+(\.[0-9]+)?$') { return $text }
        return (bw_quote $text)
    }
    bw_quote "$value"
}

# bw_write BUILDER VALUE DEPTH: append the value as JSON. Keys are sorted: the same host gives the same text.
function bw_write($out, $value, [int]$depth) {
    if ($null -eq $value) {
        [void]$out.Append('null')
        return
    }
    if ($value -is [string]) {
        [void]$out.Append((bw_quote $value))
        return
    }
    if ($value -isnot [Collections.IEnumerable]) {
        [void]$out.Append((bw_scalar $value))
        return
    }
    if ($depth -gt 16) { throw 'a value is nested too deeply' }
    $comma = ''
    if ($value -is [Collections.IDictionary]) {
        # get_Keys: an entry named "Keys" would hide the property.
        $keys = [string[]]@($value.get_Keys() | ForEach-Object { "$_" })
        [array]::Sort($keys, [StringComparer]::Ordinal)
        [void]$out.Append('{')
        foreach ($key in $keys) {
            [void]$out.Append($comma).Append((bw_quote $key)).Append(':')
            # The most common case by far, without a call of itself.
            $item = $value[$key]
            if ($item -is [string]) { [void]$out.Append((bw_quote $item)) } else { bw_write $out $item ($depth + 1) }
            $comma = ','
        }
        [void]$out.Append('}')
        return
    }
    [void]$out.Append('[')
    foreach ($item in $value) {
        [void]$out.Append($comma)
        if ($item -is [string]) { [void]$out.Append((bw_quote $item)) } else { bw_write $out $item ($depth + 1) }
        $comma = ','
    }
    [void]$out.Append(']')
}

function bw_json($value) {
    $out = New-Object Text.StringBuilder
    bw_write $out $value 0
    $out.ToString()
}

# bw_reason ERRORRECORD: rc (127 does not exist, 126 access denied, 1 anything else), err, and whether a path is absent.
function bw_reason($problem) {
    $cause = $problem.Exception
    if ($cause -is [Management.Automation.ActionPreferenceStopException] -and $null -ne $cause.ErrorRecord) {
        $problem = $cause.ErrorRecord
        $cause = $problem.Exception
    }
    $id = "$($problem.FullyQualifiedErrorId)"
    # What was thrown as a text has that text as its identifier.
    if ($id -eq $cause.Message) { $id = '' }
    $rc = 1
    if ($cause -is [Management.Automation.CommandNotFoundException]) {
        # A module that is there and cannot be loaded is no missing command.
        if ($id -notlike 'CouldNotAutoLoadModule*') { $rc = 127 }
    } elseif ("$($problem.CategoryInfo.Category)" -eq 'PermissionDenied') {
        $rc = 126
    } else {
        $rc = bw_code $cause $id
    }
    $text = "$($cause.GetType().Name): $($cause.Message)"
    if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
    @{ rc = $rc; err = $text; out = @(); absent = $cause -is [Management.Automation.ItemNotFoundException] }
}

# Names and numbers of WMI, CIM and Win32 errors. 5 access denied, 1314 privilege not held.
function bw_code($cause, [string]$id) {
    $codes = "$id "
    for ($depth = 0; $depth -lt 5 -and $null -ne $cause; $depth++) {
        if ($cause -is [UnauthorizedAccessException] -or $cause -is [Security.SecurityException]) { return 126 }
        if ($null -ne $cause.NativeErrorCode) { $codes += "code $($cause.NativeErrorCode) " }
        if ($null -ne $cause.ErrorCode) { $codes += "code $($cause.ErrorCode) " }
        $cause = $cause.InnerException
    }
    if ($codes -match 'code (AccessDenied|5|1314|-2147024891|-2147217405) |0x80041003|0x80070005|(System Error (5|1314)|MI RESULT 2),') {
        return 126
    }
    if ($codes -match 'code (InvalidClass|InvalidNamespace|-2147217392|-2147217394) |0x80041010|0x8004100e|MI RESULT [35],') {
        return 127
    }
    1
}

function bw_try([scriptblock]$work) {
    try {
        @{ rc = 0; err = ''; out = @(& $work) }
    } catch {
        bw_reason $_
    }
}

function bw_keep([string]$id, [string]$command, $answer, [string]$json, [bool]$cut, $clock) {
    $text = '{"id":' + (bw_quote $id) + ',"command":' + (bw_quote $command) + ',"rc":' + $answer.rc
    $text += ',"err":' + (bw_quote $answer.err) + ',"ms":' + $clock.ElapsedMilliseconds + ',"data":' + $json
    if ($cut) { $text += ',"truncated":true' }
    [void]$bw_records.Add($text + '}')
}

# bw_record ID LABEL BLOCK: a record whose data is the last thing that the block puts out. Nothing is no answer.
function bw_record([string]$id, [string]$command, [scriptblock]$work) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $answer = bw_try $work
    $json = 'null'
    if ($answer.rc -eq 0) {
        $last = $answer.out.Length - 1
        if ($last -ge 0 -and $null -ne $answer.out[$last]) {
            $written = bw_try { bw_json ($answer.out[$last]) }
            if ($written.rc -eq 0) { $json = $written.out[0] } else { $answer = $written }
        } else {
            $answer = @{ rc = 1; err = 'NoAnswer: nothing came back' }
        }
    }
    bw_keep $id $command $answer $json $false $clock
}

# bw_list ID LABEL BLOCK [MAX]: a record whose data is the list of all that the block puts out, MAX of them at most.
function bw_list([string]$id, [string]$command, [scriptblock]$work, [int]$max = 5000) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $answer = bw_try $work
    $json = 'null'
    $cut = $false
    if ($answer.rc -eq 0) {
        $items = @($answer.out | Where-Object { $null -ne $_ } | Select-Object -First $max)
        $cut = $answer.out.Length -gt $max
        $written = bw_try { bw_json $items }
        if ($written.rc -eq 0) { $json = $written.out[0] } else { $answer = $written }
    }
    bw_keep $id $command $answer $json $cut $clock
}

# bw_wmi CLASS PROPERTIES [FILTER] [NAMESPACE]: instances, by CIM where there is CIM.
function bw_wmi([string]$class, [string[]]$properties, [string]$filter = '', [string]$namespace = 'root\cimv2') {
    $query = @{ Namespace = $namespace; Property = $properties; ErrorAction = 'Stop' }
    if ($filter) { $query['Filter'] = $filter }
    if (bw_has 'Get-CimInstance') {
        Get-CimInstance -ClassName $class @query
    } else {
        Get-WmiObject -Class $class @query
    }
}

# bw_pick OBJECT NAMES [MORE]: those properties ("key=Property", or the property's own name) added to a dictionary.
# A property that this release does not have is null.
function bw_pick($object, [string[]]$names, $more = @{}) {
    foreach ($name in $names) {
        $words = @($name -split '=')
        $property = $words[$words.Length - 1]
        $more[$words[0]] = $object.$property
    }
    $more
}

# bw_only_missing ERRORS: throws the first that says something else than that there is no such object.
function bw_only_missing($errors) {
    foreach ($problem in @($errors | Where-Object { $null -ne $_ })) {
        if ("$($problem.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw $problem }
    }
}

# bw_registry KEY NAMES: state (present, absent, denied, error) and those values of a key below HKEY_LOCAL_MACHINE.
# A name "*" means all. REG_DWORD is unsigned, whatever .NET makes of it; binary values become "hex:0011".
$bw_own = '^PS(Path|ParentPath|ChildName|Drive|Provider)$'

function bw_registry([string]$key, [string[]]$names) {
    $answer = @{ key = $key; state = 'present'; values = @{} }
    if ($env:PROCESSOR_ARCHITEW6432 -and $key -like 'SOFTWARE\*' -and $key -notlike 'SOFTWARE\Policies\*') {
        # A 32-bit process would be shown another key.
        $answer.state = 'error'
        return $answer
    }
    $found = $null
    try {
        $found = Get-ItemProperty -LiteralPath "HKLM:\$key" -ErrorAction Stop
    } catch {
        $why = bw_reason $_
        if ($_.Exception -is [Management.Automation.DriveNotFoundException]) { bw_absent 'HKLM' }
        $answer.state = 'error'
        if ($why.absent) { $answer.state = 'absent' }
        if ($why.rc -eq 126) { $answer.state = 'denied' }
    }
    if ($null -eq $found) { return $answer }
    if ($names -contains '*') {
        $names = @($found.PSObject.Properties | ForEach-Object { $_.Name } | Where-Object { $_ -notmatch $bw_own })
    }
    foreach ($name in $names) {
        $property = $found.PSObject.Properties[$name]
        if ($null -eq $property) { continue }
        $value = $property.Value
        if ($value -is [int] -and $value -lt 0) { $value = 4294967296 + $value }
        if ($value -is [long] -and $value -lt 0) { $value = [decimal]$value + 18446744073709551616 }
        if ($value -is [byte[]]) { $value = 'hex:' + [BitConverter]::ToString($value).Replace('-', '').ToLower() }
        $answer.values[$name] = $value
    }
    $answer
}

# bw_values KEY NAMES [OPTIONAL]: the values of a key that must be readable, and there unless it is optional.
function bw_values([string]$key, [string[]]$names, [bool]$optional = $false) {
    $answer = bw_registry $key $names
    if ($answer.state -eq 'denied') { bw_denied "HKLM\$key" }
    if ($answer.state -eq 'error' -or ($answer.state -eq 'absent' -and -not $optional)) { throw "HKLM\${key}: $($answer.state)" }
    $answer.values
}

# bw_children KEY: names of the subkeys; none where the key is absent.
function bw_children([string]$key) {
    try {
        Get-ChildItem -LiteralPath "HKLM:\$key" -ErrorAction Stop | ForEach-Object { $_.PSChildName }
    } catch {
        $why = bw_reason $_
        if (-not $why.absent) { throw }
    }
}

# bw_native BLOCK: the lines of a native tool; what it writes to its error output is no error of ours.
function bw_native([scriptblock]$work) {
    $ErrorActionPreference = 'Continue'
    & $work
}

# bw_folder BLOCK: runs it with a folder of its own that only administrators and its owner may read, and removes that.
function bw_folder([scriptblock]$work) {
    $folder = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'breakwater-' + [Guid]::NewGuid().ToString('N'))
    [void](New-Item -ItemType Directory -Path $folder)
    try {
        try {
            $rights = New-Object Security.AccessControl.DirectorySecurity
            $rights.SetSecurityDescriptorSddlForm('D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)', 'Access')
            Set-Acl -Path $folder -AclObject $rights
        } catch {
            # Best effort: the temporary folder of an account is its own already.
            $null = $_
        }
        & $work $folder
    } finally {
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
    }
}

# bw_file TOOL PATH: the lines of a file that a native tool was to write; no file means that it refused.
function bw_file([string]$tool, [string]$path) {
    if (-not (Test-Path -LiteralPath $path)) {
        if ($bw_known.administrator -ne $true -or $LASTEXITCODE -eq 5 -or $LASTEXITCODE -eq 1314) { bw_denied $tool }
        throw "${tool}: exit code $LASTEXITCODE and no file"
    }
    Get-Content -LiteralPath $path -ErrorAction Stop
}

# bw_main NONCE SECTION ... end: the whole answer. Without the last word the script was cut off, and nothing is done.
function bw_main {
    if ($args.Length -lt 2 -or $args[$args.Length - 1] -ne 'end') { return }
    $nonce = $args[0]
    "@@breakwater $nonce begin@@"
    foreach ($section in @($args[1..($args.Length - 1)] | Where-Object { $_ -ne 'end' })) {
        try {
            $null = & "bw_collect_$section"
        } catch {
            bw_keep "section.$section" $section (bw_reason $_) 'null' $false ([Diagnostics.Stopwatch]::StartNew())
        }
    }
    $shell = bw_quote "PowerShell $($PSVersionTable.PSVersion) $($bw_known.edition)"
    $head = '{"schema":"breakwater/collected/1","family":"windows","uid":' + (bw_quote $bw_known.sid) + ',"shell":' + $shell
    $head + ',"records":[' + [string]::Join(',', [string[]]$bw_records.ToArray()) + ']}'
    "@@breakwater $nonce end@@"
}
