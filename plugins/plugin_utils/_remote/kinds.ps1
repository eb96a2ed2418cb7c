# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What steps act on: how each kind of value is read and written. Part of the interpreter of steps (apply.ps1). Tools are
# read by position, number and code, never by the words of a language. What stands below a line "Kinds:" is sent only
# with orders that have steps of these kinds.

# Answers that are kept until something is written, and what 2008 R2 does not tell of roles before a reboot.
$bw_seen = @{}
$bw_waiting = @{}
$bw_restarted = 'LanmanServer', 'LanmanWorkstation', 'Netlogon', 'Dnscache', 'lmhosts', 'WebClient', 'Spooler', 'RemoteRegistry'

# What stands there, and how it is written, by kind of step.
function bw_get($step) {
    switch ($step.kind) {
        'registry' { return bw_get_value $step.target $step.name }
        'server_property' { return bw_get_property $step }
        'client_property' { return bw_get_property $step }
        'share_property' { return bw_get_property $step }
        'feature' { return bw_get_feature $step.target }
        'role_feature' { return bw_get_role $step.target }
        'service' { return bw_get_number "SYSTEM\CurrentControlSet\Services\$($step.target)" 'Start' }
        'netbios' { return bw_get_number (bw_netbt $step.target) 'NetbiosOptions' }
        'secedit' { return bw_get_template $step.target $step.name }
        'right' { return bw_get_template 'Privilege Rights' $step.target }
        'audit' { return bw_get_audit $step.target }
        'event_log' { return bw_get_log $step }
    }
    throw "no kind of step: $($step.kind)"
}

function bw_set($step, $native) {
    switch ($step.kind) {
        'registry' { return bw_set_value $step.target $step.name $native }
        'server_property' { return bw_set_property $step $native }
        'client_property' { return bw_set_property $step $native }
        'share_property' { return bw_set_property $step $native }
        'feature' { return bw_set_feature $step.target $native.value }
        'role_feature' { return bw_set_role $step.target $native.value }
        'service' { return bw_set_service $step.target $native }
        'netbios' { return bw_set_netbios $step.target $native }
        'secedit' { return bw_set_template 'SECURITYPOLICY' $step.target $step.name $native }
        'right' { return bw_set_template 'USER_RIGHTS' 'Privilege Rights' $step.target $native }
        'audit' { return bw_set_audit $step.target ([int]$native.value) }
        'event_log' { return bw_set_log $step $native }
    }
    throw "no kind of step: $($step.kind)"
}

# Answers of slow commands, until something is written.
function bw_once([string]$name, [scriptblock]$work) {
    if (-not $bw_seen.ContainsKey($name)) { $bw_seen[$name] = @(& $work) }
    $bw_seen[$name]
}

# bw_exit TOOL CODES: what the tool that ran last may have ended with.
function bw_exit([string]$tool, [int[]]$allowed) {
    $code = $LASTEXITCODE
    if ($allowed -contains $code) { return }
    if (5, 1314 -contains $code) { bw_denied "${tool}: exit code $code" }
    throw "${tool}: exit code $code"
}

function bw_get_number([string]$path, [string]$name) {
    $native = bw_get_value $path $name
    if ($native.type -eq 'dword') { $native.type = 'integer' }
    $native
}

# Kinds: server_property client_property share_property
function bw_configuration([string]$kind, [string]$share) {
    if ($kind -eq 'server_property') {
        bw_need 'Get-SmbServerConfiguration'
        return bw_once 'server' { Get-SmbServerConfiguration -ErrorAction Stop }
    }
    if ($kind -eq 'client_property') {
        bw_need 'Get-SmbClientConfiguration'
        return bw_once 'client' { Get-SmbClientConfiguration -ErrorAction Stop }
    }
    bw_need 'Get-SmbShare'
    $found = @(bw_once 'shares' { Get-SmbShare -ErrorAction Stop } | Where-Object { $_.Name -eq $share })
    if ($found.Length -ne 1) { throw "$($found.Length) shares of the name $share" }
    $found[0]
}

function bw_get_property($step) {
    $all = bw_configuration $step.kind $step.target
    $property = $all.PSObject.Properties[$step.name]
    if ($null -eq $property) { throw "there is no property $($step.name)" }
    $value = $property.Value
    if ($step.name -eq 'EnableSMB1Protocol' -and $step.kind -eq 'server_property') { $value = bw_smb1 $value }
    if ($value -is [bool]) { return @{ type = 'boolean'; value = $value } }
    if ($value -is [ValueType] -and $value -isnot [enum]) { return @{ type = 'integer'; value = [decimal]$value } }
    if ($value -is [array]) { return @{ type = 'list'; value = [string[]]$value } }
    @{ type = 'text'; value = "$value" }
}

# Without its driver the server says no, whatever is set.
function bw_smb1($told) {
    $driver = bw_get_value 'SYSTEM\CurrentControlSet\Services\srv' 'Type'
    if ($driver.type -ne 'absent') { return $told }
    $set = bw_get_value 'SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters' 'SMB1'
    $set.type -eq 'absent' -or $set.value -ne 0
}

function bw_set_property($step, $native) {
    $value = $native.value
    if ($value -is [array]) { $value = [string]::Join(',', [string[]]$value) }
    $with = @{ Force = $true; Confirm = $false; ErrorAction = 'Stop' }
    $with[$step.name] = $value
    if ($step.kind -eq 'server_property') {
        bw_need 'Set-SmbServerConfiguration'
        Set-SmbServerConfiguration @with
    } elseif ($step.kind -eq 'client_property') {
        bw_need 'Set-SmbClientConfiguration'
        Set-SmbClientConfiguration @with
    } else {
        bw_need 'Set-SmbShare'
        bw_configuration $step.kind $step.target | Set-SmbShare @with
    }
}

# Kinds: feature
function bw_get_feature([string]$name) {
    $state = ''
    if (bw_has 'Get-WindowsOptionalFeature') {
        $found = Get-WindowsOptionalFeature -Online -FeatureName $name -ErrorAction Stop
        $state = "$($found.State)"
    } else {
        $known = '', 'Enabled', 'Disabled', 'DisabledWithPayloadRemoved'
        $found = bw_wmi 'Win32_OptionalFeature' @('Name', 'InstallState') "Name='$name'" | Select-Object -First 1
        if ($null -ne $found) { $state = $known[[int]$found.InstallState] }
    }
    # What waits for a reboot counts as reached.
    $means = @{
        Enabled = 'enabled'; EnablePending = 'enabled'; PartiallyInstalled = 'enabled'; Disabled = 'disabled'; DisablePending = 'disabled'
        DisabledWithPayloadRemoved = 'removed'
    }
    if (-not $means[$state]) { throw "the feature $name is in state '$state'" }
    @{ type = 'text'; value = $means[$state] }
}

function bw_set_feature([string]$name, [string]$state) {
    if ($state -eq 'enabled') {
        if (bw_has 'Enable-WindowsOptionalFeature') {
            $null = Enable-WindowsOptionalFeature -Online -FeatureName $name -All -NoRestart -ErrorAction Stop
        } else {
            $null = bw_native { dism.exe /Online /Enable-Feature "/FeatureName:$name" /NoRestart /Quiet 2>$null }
            bw_exit 'dism.exe' 0, 3010
        }
    } elseif ($state -eq 'disabled') {
        if (bw_has 'Disable-WindowsOptionalFeature') {
            $null = Disable-WindowsOptionalFeature -Online -FeatureName $name -NoRestart -ErrorAction Stop
        } else {
            $null = bw_native { dism.exe /Online /Disable-Feature "/FeatureName:$name" /NoRestart /Quiet 2>$null }
            bw_exit 'dism.exe' 0, 3010
        }
    } else {
        throw "a feature cannot be made $state"
    }
}

# Kinds: role_feature
# Server 2008 R2 has the commands in a module that nothing loads by itself, and two of them under other names.
function bw_roles {
    if (bw_has 'Get-WindowsFeature') { return }
    Import-Module ServerManager -ErrorAction Stop
    $bw_commands.Clear()
}

function bw_get_role([string]$name) {
    bw_roles
    bw_need 'Get-WindowsFeature'
    $found = @(Get-WindowsFeature -Name $name -ErrorAction Stop | Where-Object { $_.Name -eq $name })
    if ($found.Length -ne 1) { throw "there is no feature $name" }
    $state = "$($found[0].InstallState)"
    if (-not $state) {
        if ($bw_waiting[$name]) { return @{ type = 'text'; value = $bw_waiting[$name] } }
        $state = 'Available'
        if ($found[0].Installed) { $state = 'Installed' }
    }
    $means = @{ Installed = 'installed'; InstallPending = 'installed'; Available = 'available'; UninstallPending = 'available'; Removed = 'removed' }
    if (-not $means[$state]) { throw "the feature $name is in state '$state'" }
    @{ type = 'text'; value = $means[$state] }
}

function bw_set_role([string]$name, [string]$state) {
    bw_roles
    if ($state -eq 'installed') {
        if (bw_has 'Install-WindowsFeature') {
            $done = Install-WindowsFeature -Name $name -ErrorAction Stop
        } else {
            bw_need 'Add-WindowsFeature'
            $done = Add-WindowsFeature -Name $name -ErrorAction Stop
        }
    } elseif ($state -eq 'available') {
        if (bw_has 'Uninstall-WindowsFeature') {
            $done = Uninstall-WindowsFeature -Name $name -ErrorAction Stop
        } else {
            bw_need 'Remove-WindowsFeature'
            $done = Remove-WindowsFeature -Name $name -ErrorAction Stop
        }
    } else {
        throw "a feature cannot be made $state"
    }
    if (-not $done.Success) { throw "the feature ${name}: $($done.ExitCode)" }
    $bw_waiting[$name] = $state
}

# Kinds: service
# Through the service manager, which keeps what it once read. Drivers are services to it.
function bw_set_service([string]$name, $native) {
    $words = 'boot', 'system', 'auto', 'demand', 'disabled'
    $key = "SYSTEM\CurrentControlSet\Services\$name"
    if ($native.type -eq 'absent' -or $native.value -lt 0 -or $native.value -gt 4) { throw "no start type of a service: $($native.value)" }
    $delayed = bw_get_value $key 'DelayedAutostart'
    $start = $words[[int]$native.value]
    $null = bw_native { sc.exe config $name start= $start 2>$null }
    bw_exit 'sc.exe' 0
    if (-not (bw_same 'registry' $delayed (bw_get_value $key 'DelayedAutostart'))) { bw_set_value $key 'DelayedAutostart' $delayed }
}

# Kinds: netbios
function bw_netbt([string]$guid) {
    "SYSTEM\CurrentControlSet\Services\NetBT\Parameters\Interfaces\Tcpip_$guid"
}

# The method tells the driver at once, but works for adapters in use only; others read the value when they start.
function bw_set_netbios([string]$guid, $native) {
    $option = 0
    if ($native.type -ne 'absent') { $option = [int]$native.value }
    if (0, 1, 2 -notcontains $option) { throw "no NetBIOS option: $option" }
    $adapters = @(bw_wmi 'Win32_NetworkAdapterConfiguration' '*' "SettingID='$guid'")
    $code = 84
    foreach ($adapter in $adapters) {
        if (bw_has 'Invoke-CimMethod') {
            $done = Invoke-CimMethod -InputObject $adapter -MethodName SetTcpipNetbios -Arguments @{ TcpipNetbiosOptions = [uint32]$option } -ErrorAction Stop
        } else {
            $done = $adapter.SetTcpipNetbios([uint32]$option)
        }
        $code = [int]$done.ReturnValue
    }
    if (0, 1, 84 -notcontains $code) { throw "SetTcpipNetbios: $code" }
    $wanted = @{ type = $native.type; value = $native.value }
    if ($wanted.type -ne 'absent') { $wanted.type = 'dword' }
    if (-not (bw_same 'registry' $wanted (bw_get_value (bw_netbt $guid) 'NetbiosOptions'))) {
        bw_set_value (bw_netbt $guid) 'NetbiosOptions' $wanted
    }
}

# Kinds: secedit right
# The security database, line by line; sections and names are the same in every language.
function bw_exported {
    bw_once 'secedit' {
        bw_folder {
            param($folder)
            $file = [IO.Path]::Combine($folder, 'policy.inf')
            $null = bw_native { secedit.exe /export /areas SECURITYPOLICY USER_RIGHTS /cfg $file /log "$file.log" /quiet 2>$null }
            $section = ''
            foreach ($line in @(bw_file 'secedit.exe' $file)) {
                if ($line -match '^\s*\[(.*)\]\s*$') { $section = $matches[1] }
                $at = $line.IndexOf('=')
                if ($at -gt 0) { "$section`n$($line.Substring(0, $at).Trim())`n$($line.Substring($at + 1).Trim())" }
            }
        }
    }
}

function bw_get_template([string]$section, [string]$name) {
    $lines = @(bw_exported)
    if ($lines.Length -eq 0) { throw 'secedit.exe: an empty file' }
    foreach ($line in $lines) {
        $words = @($line -split "`n")
        if ($words[0] -ne $section -or $words[1] -ne $name) { continue }
        if ($section -eq 'Privilege Rights') {
            return @{ type = 'list'; value = [string[]]@($words[2] -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ }) }
        }
        if ($words[2] -match '^-?\d+$') { return @{ type = 'integer'; value = [decimal]$words[2] } }
        return @{ type = 'text'; value = $words[2].Trim('"') }
    }
    # A right that nobody has is not written out.
    if ($section -eq 'Privilege Rights') { return @{ type = 'list'; value = [string[]]@() } }
    @{ type = 'absent'; value = $null }
}

function bw_set_template([string]$area, [string]$section, [string]$name, $native) {
    $text = "$($native.value)"
    if ($native.type -eq 'absent') { throw "a line of [$section] cannot be removed" }
    if ($native.type -eq 'text') { $text = '"' + $text + '"' }
    if ($native.type -eq 'list') {
        $text = [string]::Join(',', [string[]]@(@($native.value) | Where-Object { $_ } | ForEach-Object { $_ -replace '^S-1-', '*S-1-' }))
    }
    if ("$section$name$text" -match '[\r\n]') { throw 'an end of line in a security template' }
    bw_folder {
        param($folder)
        $file = [IO.Path]::Combine($folder, 'change.inf')
        $lines = '[Unicode]', 'Unicode=yes', "[$section]", "$name = $text", '[Version]', 'signature="$CHICAGO$"', 'Revision=1', ''
        [IO.File]::WriteAllText($file, [string]::Join("`r`n", [string[]]$lines), [Text.Encoding]::Unicode)
        $null = bw_native { secedit.exe /configure /db "$file.sdb" /cfg $file /areas $area /log "$file.log" /quiet 2>$null }
        bw_exit 'secedit.exe' 0, 3
    }
}

# Kinds: audit
function bw_get_audit([string]$guid) {
    $lines = bw_once 'auditpol' {
        bw_folder {
            param($folder)
            $file = [IO.Path]::Combine($folder, 'audit.csv')
            $null = bw_native { auditpol.exe /backup "/file:$file" 2>$null }
            bw_file 'auditpol.exe' $file
        }
    }
    foreach ($line in @($lines | Where-Object { $_ })) {
        $parts = [regex]::Match("$line", ',(\{[0-9A-Fa-f-]{36}\}),.*,"?(\d+)"?\s*$')
        if ($parts.Success -and $parts.Groups[1].Value -eq $guid) { return @{ type = 'integer'; value = [decimal]$parts.Groups[2].Value } }
    }
    throw "there is no audit subcategory $guid"
}

function bw_set_audit([string]$guid, [int]$value) {
    $words = 'disable', 'enable'
    $success = $words[$value -band 1]
    $failure = $words[($value -band 2) / 2]
    $null = bw_native { auditpol.exe /set "/subcategory:$guid" "/success:$success" "/failure:$failure" 2>$null }
    bw_exit 'auditpol.exe' 0
}

# Kinds: event_log
function bw_get_log($step) {
    $log = Get-WinEvent -ListLog $step.target -ErrorAction Stop | Select-Object -First 1
    if ($step.name -eq 'size') { return @{ type = 'integer'; value = [decimal]$log.MaximumSizeInBytes } }
    @{ type = 'boolean'; value = [bool]$log.IsEnabled }
}

function bw_set_log($step, $native) {
    $option = "/e:$(bw_text $native)"
    if ($step.name -eq 'size') { $option = "/ms:$(bw_text $native)" }
    $null = bw_native { wevtutil.exe sl $step.target $option /q:true 2>$null }
    bw_exit 'wevtutil.exe' 0
}

# Kinds: all
# Services that depend on it are stopped with it; those that ran are running afterwards.
function bw_restart([string]$name) {
    if ($bw_restarted -notcontains $name) { throw "no service to restart: $name" }
    $service = Get-Service -Name $name -ErrorAction Stop
    if ("$($service.Status)" -ne 'Running') { return $false }
    $others = @(@($service.DependentServices) | Where-Object { $_ -and "$($_.Status)" -eq 'Running' } | ForEach-Object { $_.Name })
    try { Restart-Service -Name $name -Force -ErrorAction Stop } finally { bw_start (@($name) + $others) }
    $true
}

function bw_start([string[]]$names) {
    foreach ($name in $names) {
        $service = Get-Service -Name $name -ErrorAction Stop
        if ("$($service.Status)" -ne 'Running') { Start-Service -Name $name -ErrorAction Stop }
    }
}
