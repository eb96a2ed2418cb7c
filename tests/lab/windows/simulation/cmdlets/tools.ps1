# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Native tools, all versions, as functions of their full name: text on the output, the exit code in $LASTEXITCODE.

function Get-Locale { [Breakwater.Lab.State]::Data['locale'] }

# A path as a tool got it; both slashes are separators here.
function Get-ToolPath([string]$Path) { $Path.Replace('\', '/') }

function Format-Csv([string[]]$Fields) { '"' + ($Fields -join '","') + '"' }

function whoami.exe {
    $user = [Breakwater.Lab.State]::User
    $words = (Get-Locale).whoami
    $names = (Get-Locale).accounts
    $asked = "$args"
    $global:LASTEXITCODE = 0
    if ($asked -like '*/user*') {
        if ($asked -notlike '*/nh*') { Format-Csv 'User Name', 'SID' }
        return Format-Csv $user.account, $user.sid
    }
    if ($asked -like '*/groups*') {
        if ($asked -notlike '*/nh*') { Format-Csv 'Group Name', 'Type', 'SID', 'Attributes' }
        foreach ($group in $user.groups) {
            $kind = if ($group.sid -like 'S-1-5-32-*') { $words.alias } elseif ($group.sid -like 'S-1-5-21-*') { $words.group } else { $words.known }
            $name = if ($names[$group.sid]) { $names[$group.sid] } else { "$((Get-Data os).domain)\Domain Admins" }
            Format-Csv $name, $kind, $group.sid, $words[$group.state]
        }
        return Format-Csv $names[$user.label], $words.label, $user.label, ''
    }
    $user.account
}

function netstat.exe {
    $words = (Get-Locale).netstat
    $global:LASTEXITCODE = 0
    ''
    $words.title
    ''
    $words.header
    foreach ($socket in Get-Data listeners) {
        $six = $socket.address -like '*:*'
        $local = if ($six) { "[$($socket.address)]:$($socket.port)" } else { "$($socket.address):$($socket.port)" }
        if ($socket.proto -eq 'udp') {
            '  {0,-6} {1,-22} {2,-22} {3,-16} {4}' -f 'UDP', $local, '*:*', '', $socket.pid
        } else {
            '  {0,-6} {1,-22} {2,-22} {3,-16} {4}' -f 'TCP', $local, $(if ($six) { '[::]:0' } else { '0.0.0.0:0' }), $words['LISTENING'], $socket.pid
        }
    }
    foreach ($session in Get-Data sessions) {
        $address = @(@(Get-Data adapters)[0].addresses)[0]
        '  {0,-6} {1,-22} {2,-22} {3,-16} {4}' -f 'TCP', "${address}:445", "$($session.client):49712", $words['ESTABLISHED'], 4
    }
}

# The security options that a template may hold, as secedit names them.
$script:Options = @(
    'MACHINE\Software\Microsoft\Windows\CurrentVersion\Policies\System\ConsentPromptBehaviorAdmin'
    'MACHINE\Software\Microsoft\Windows\CurrentVersion\Policies\System\EnableLUA'
    'MACHINE\Software\Microsoft\Windows\CurrentVersion\Policies\System\Kerberos\Parameters\SupportedEncryptionTypes'
    'MACHINE\System\CurrentControlSet\Control\Lsa\DisableDomainCreds'
    'MACHINE\System\CurrentControlSet\Control\Lsa\EveryoneIncludesAnonymous'
    'MACHINE\System\CurrentControlSet\Control\Lsa\ForceGuest'
    'MACHINE\System\CurrentControlSet\Control\Lsa\LimitBlankPasswordUse'
    'MACHINE\System\CurrentControlSet\Control\Lsa\LmCompatibilityLevel'
    'MACHINE\System\CurrentControlSet\Control\Lsa\MSV1_0\NTLMMinClientSec'
    'MACHINE\System\CurrentControlSet\Control\Lsa\MSV1_0\NTLMMinServerSec'
    'MACHINE\System\CurrentControlSet\Control\Lsa\NoLMHash'
    'MACHINE\System\CurrentControlSet\Control\Lsa\RestrictAnonymous'
    'MACHINE\System\CurrentControlSet\Control\Lsa\RestrictAnonymousSAM'
    'MACHINE\System\CurrentControlSet\Control\SecurePipeServers\Winreg\AllowedExactPaths\Machine'
    'MACHINE\System\CurrentControlSet\Control\SecurePipeServers\Winreg\AllowedPaths\Machine'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\AutoDisconnect'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\EnableForcedLogOff'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\EnableSecuritySignature'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\NullSessionPipes'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\RequireSecuritySignature'
    'MACHINE\System\CurrentControlSet\Services\LanManServer\Parameters\RestrictNullSessAccess'
    'MACHINE\System\CurrentControlSet\Services\LanmanWorkstation\Parameters\EnablePlainTextPassword'
    'MACHINE\System\CurrentControlSet\Services\LanmanWorkstation\Parameters\EnableSecuritySignature'
    'MACHINE\System\CurrentControlSet\Services\LanmanWorkstation\Parameters\RequireSecuritySignature'
    'MACHINE\System\CurrentControlSet\Services\Netlogon\Parameters\RequireSignOrSeal'
    'MACHINE\System\CurrentControlSet\Services\Netlogon\Parameters\RequireStrongKey'
    'MACHINE\System\CurrentControlSet\Services\Netlogon\Parameters\SealSecureChannel'
    'MACHINE\System\CurrentControlSet\Services\Netlogon\Parameters\SignSecureChannel'
)

function Get-TemplateLine {
    '[Unicode]'
    'Unicode=yes'
    '[System Access]'
    $policy = Get-Data security_policy
    foreach ($name in $policy.get_Keys()) {
        $value = $policy[$name]
        if ($value -is [string]) { "$name = `"$value`"" } else { "$name = $value" }
    }
    '[Event Audit]'
    foreach ($name in 'AuditSystemEvents', 'AuditLogonEvents', 'AuditObjectAccess', 'AuditPrivilegeUse', 'AuditPolicyChange', 'AuditAccountManage', 'AuditProcessTracking', 'AuditDSAccess', 'AuditAccountLogon') { "$name = 0" }
    '[Registry Values]'
    foreach ($option in $script:Options) {
        $cut = $option.LastIndexOf('\')
        $value = [Breakwater.Lab.Reg]::Get($option.Substring(8, $cut - 8), $option.Substring($cut + 1))
        if ($value -is [int]) { "$option=4,$value" } elseif ($value -is [string[]]) { "$option=7,$($value -join ',')" } elseif ($null -ne $value) { "$option=1,`"$value`"" }
    }
}

function Get-RightLine {
    '[Privilege Rights]'
    $rights = Get-Data user_rights
    foreach ($name in $rights.get_Keys()) { if (@($rights[$name]).Count) { "$name = $(@($rights[$name]) -join ',')" } }
}

# secedit /export [/areas AREA...] /cfg FILE [/log FILE] [/quiet]: a template in UTF-16.
# secedit /configure /db FILE /cfg FILE [/areas AREA...]: what the template names and the areas allow is set, no more.
function secedit.exe {
    $words = (Get-Locale).secedit
    $quiet = $args -contains '/quiet'
    $file = $null
    $areas = @()
    for ($at = 0; $at -lt $args.Count; $at++) {
        if ($args[$at] -eq '/cfg') { $file = Get-ToolPath $args[$at + 1] }
        if ($args[$at] -in 'SECURITYPOLICY', 'USER_RIGHTS') { $areas += $args[$at] }
    }
    $refused = -not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('secedit.exe')
    if (-not $refused -and $args -contains '/configure' -and $args -contains '/db' -and $file -and [IO.File]::Exists($file)) {
        Set-Template ([IO.File]::ReadAllLines($file)) $areas
        $global:LASTEXITCODE = 0
        return
    }
    if ($refused -or $args -notcontains '/export' -or -not $file) {
        if (-not $quiet) { $words.denied }
        $global:LASTEXITCODE = 1
        return
    }
    $lines = @(if (-not $areas -or $areas -contains 'SECURITYPOLICY') { Get-TemplateLine } else { '[Unicode]', 'Unicode=yes' })
    if (-not $areas -or $areas -contains 'USER_RIGHTS') { $lines += @(Get-RightLine) }
    $lines += '[Version]', 'signature="$CHICAGO$"', 'Revision=1'
    [IO.File]::WriteAllText($file, ($lines -join "`r`n") + "`r`n", [Text.Encoding]::Unicode)
    $global:LASTEXITCODE = 0
    if (-not $quiet) { $words.done }
}

# The lines of a template that lie in one of the areas; no area is all of them.
function Set-Template([string[]]$Lines, [string[]]$Areas) {
    $section = ''
    [Breakwater.Lab.State]::Change({
        foreach ($line in $Lines) {
            if ($line -match '^\s*\[(.*)\]\s*$') { $section = $matches[1]; continue }
            $name, $value = @($line -split '=', 2 | ForEach-Object { $_.Trim() })
            if (-not $name -or $null -eq $value) { continue }
            $policy = -not $Areas -or $Areas -contains 'SECURITYPOLICY'
            if ($section -eq 'System Access' -and $policy) { Set-AccountPolicy $name $value }
            if ($section -eq 'Registry Values' -and $policy) { Set-Option $name $value }
            if ($section -eq 'Privilege Rights' -and (-not $Areas -or $Areas -contains 'USER_RIGHTS')) { Set-Right $name $value }
        }
    })
}

function Set-AccountPolicy([string]$Name, [string]$Value) {
    $policy = Get-Data security_policy
    $policy[$Name] = if ($Value -match '^-?\d+$') { [int]$Value } else { $Value.Trim('"') }
}

function Set-Option([string]$Option, [string]$Value) {
    $cut = $Option.LastIndexOf('\')
    $kind, $text = $Value -split ',', 2
    $data = switch ($kind) { '4' { [int]$text } '7' { , [string[]]@($text -split ',' | Where-Object { $_ }) } default { $text.Trim('"') } }
    [Breakwater.Lab.Reg]::Set($Option.Substring(8, $cut - 8), $Option.Substring($cut + 1), $data)
}

# Accounts by SID come out by name where they are the machine's own, as in every export.
function Set-Right([string]$Name, [string]$Value) {
    $guest = "*$(Get-Data machine_sid)-501"
    (Get-Data user_rights)[$Name] = @($Value -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ } | ForEach-Object { if ($_ -eq $guest) { (Get-Locale).guest } else { $_ } })
}

function Get-AuditLine([bool]$Values) {
    $words = (Get-Locale).auditpol
    $policy = Get-Data audit_policy
    $computer = (Get-Data os).computer
    $count = if ($Values) { 7 } else { 6 }
    @($words.header)[0..($count - 1)] -join ','
    foreach ($guid in $policy.get_Keys()) {
        $line = $computer, 'System', $words.subcategories[$guid], $guid, @($words.values)[$policy[$guid]], ''
        if ($Values) { $line += $policy[$guid] }
        $line -join ','
    }
    if ($Values) { foreach ($option in 'CrashOnAuditFail', 'FullPrivilegeAuditing', 'AuditBaseObjects', 'AuditBaseDirectories') { "$computer,,Option:$option,,$($words.disabled),,0" } }
}

# auditpol /backup /file:FILE (with a numeric last column) and /get /category:* /r (without); texts are localised.
# auditpol /set /subcategory:{GUID} /success:enable|disable /failure:enable|disable: what is not named stays.
function auditpol.exe {
    $words = (Get-Locale).auditpol
    $refused = -not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('auditpol.exe')
    if ($refused) {
        $global:LASTEXITCODE = 1314
        return $words.denied -split "`n"
    }
    $global:LASTEXITCODE = 0
    if ($args[0] -eq '/get') { return Get-AuditLine $false }
    if ($args[0] -eq '/set') { return Set-AuditLine $args }
    foreach ($argument in $args) {
        if ($argument -like '/file:*') {
            $file = Get-ToolPath $argument.Substring(6).Trim('"')
            [IO.File]::WriteAllText($file, (@(Get-AuditLine $true) -join "`r`n") + "`r`n", [Text.Encoding]::GetEncoding((Get-Locale).codepage))
        }
    }
}

# 87: the parameter is wrong.
function Set-AuditLine([string[]]$Options) {
    $given = @{}
    foreach ($option in $Options) { if ($option -match '^/(\w+):(.*)$') { $given[$matches[1]] = $matches[2].Trim('"') } }
    $policy = Get-Data audit_policy
    $guid = @($policy.get_Keys() | Where-Object { $_ -eq $given.subcategory })
    if ($guid.Count -ne 1 -or @(@($given.success, $given.failure) | Where-Object { $_ -and $_ -notin 'enable', 'disable' }).Count) {
        $global:LASTEXITCODE = 87
        return
    }
    [Breakwater.Lab.State]::Change({
        $value = (Get-Data audit_policy)[$guid[0]]
        foreach ($pair in ('success', 1), ('failure', 2)) {
            if ($given[$pair[0]] -eq 'enable') { $value = $value -bor $pair[1] }
            if ($given[$pair[0]] -eq 'disable') { $value = $value -band (3 - $pair[1]) }
        }
        (Get-Data audit_policy)[$guid[0]] = $value
    })
}

# wevtutil sl LOG /e:true|false /ms:BYTES [/q:true]; a size is rounded to whole 64 KB, one megabyte at least.
function wevtutil.exe {
    if (-not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('wevtutil.exe')) { $global:LASTEXITCODE = 5; return }
    $options = $args
    $log = @((Get-Data event_logs).get_Keys() | Where-Object { $_ -eq $options[1] })
    if ($args[0] -ne 'sl' -or -not $log.Count) { $global:LASTEXITCODE = 15007; return }
    $global:LASTEXITCODE = 0
    [Breakwater.Lab.State]::Change({
        $entry = (Get-Data event_logs)[$log[0]]
        foreach ($option in $options) {
            if ($option -match '^/e:(true|false)$') { $entry['enabled'] = $matches[1] -eq 'true' }
            if ($option -match '^/ms:(\d+)$') { $entry['size'] = [Math]::Max(1048576, [long]$matches[1] - [long]$matches[1] % 65536) }
        }
    })
}

# schtasks /Create /TN NAME /XML FILE /F, /Delete /TN NAME /F, /Query /TN NAME. What a task does when its time has come
# is scheduled.py's.
function schtasks.exe {
    if (-not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('schtasks.exe')) { $global:LASTEXITCODE = 1; return }
    $given = @{}
    for ($at = 0; $at -lt $args.Count; $at++) { if ($args[$at] -in '/TN', '/XML') { $given[$args[$at]] = $args[$at + 1] } }
    $name = '\' + "$($given['/TN'])".TrimStart('\')
    $known = (Get-Data tasks).Contains($name)
    $global:LASTEXITCODE = 0
    switch ($args[0]) {
        '/Create' {
            $task = [xml][IO.File]::ReadAllText((Get-ToolPath $given['/XML']))
            if (($known -and $args -notcontains '/F') -or -not $task.Task.Actions.Exec.Command) { $global:LASTEXITCODE = 1; return }
            $time = $task.Task.Triggers.TimeTrigger | Where-Object { $_.StartBoundary } | Select-Object -First 1
            $entry = @{
                user = $task.Task.Principals.Principal.UserId; command = $task.Task.Actions.Exec.Command; arguments = $task.Task.Actions.Exec.Arguments
                time = $(if ($time) { $time.StartBoundary }); boot = $null -ne $task.Task.Triggers['BootTrigger']
                late = $task.Task.Settings.StartWhenAvailable -eq 'true'
            }
            [Breakwater.Lab.State]::Change({ (Get-Data tasks)[$name] = $entry })
        }
        '/Delete' {
            if ($known) { [Breakwater.Lab.State]::Change({ (Get-Data tasks).Remove($name) }) } else { $global:LASTEXITCODE = 1 }
        }
        default { if (-not $known) { $global:LASTEXITCODE = 1 } }
    }
}

# shutdown /r: simulated.py starts the host anew before anybody asks it again.
function shutdown.exe {
    if (-not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('shutdown.exe')) { $global:LASTEXITCODE = 5; return }
    if ($args -contains '/r') { [Breakwater.Lab.State]::Change({ [Breakwater.Lab.State]::Data['rebooting'] = $true }) }
    $global:LASTEXITCODE = 0
}

# dism /Online /Enable-Feature|/Disable-Feature /FeatureName:NAME: 3010, for a reboot is needed.
function dism.exe {
    if (-not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('dism.exe')) { $global:LASTEXITCODE = 740; return }
    $name = @($args | Where-Object { $_ -like '/FeatureName:*' } | ForEach-Object { $_.Substring(13) })
    $found = @((Get-Data features).get_Keys() | Where-Object { $_ -eq $name[0] })
    if (-not $found.Count) { $global:LASTEXITCODE = -2146498548; return }
    if ($args -contains '/Disable-Feature') { Set-Feature $found[0] $false }
    if ($args -contains '/Enable-Feature') { Set-Feature $found[0] $true }
    $global:LASTEXITCODE = 3010
}

# sc qc NAME, sc query NAME, sc config NAME start= X depend= A/B.
function sc.exe {
    $words = (Get-Locale).sc
    $verb, $name = $args[0..1]
    $known = @((Get-Data services).get_Keys() | Where-Object { $_ -eq $name })
    if (-not [Breakwater.Lab.State]::Elevated) { $global:LASTEXITCODE = 5; return $words.denied -split "`n" }
    if (-not $known.Count) { $global:LASTEXITCODE = 1060; return $words.missing -split "`n" }
    $key = "$script:Services\$($known[0])"
    $global:LASTEXITCODE = 0
    switch ($verb) {
        'query' {
            ''
            "SERVICE_NAME: $name "
            '        STATE              : {0}' -f $(if ((Get-Data services)[$known[0]].state -eq 'Running') { '4  RUNNING ' } else { '1  STOPPED ' })
        }
        'qc' {
            "[SC] QueryServiceConfig $($words.ok)"
            ''
            "SERVICE_NAME: $name"
            '        START_TYPE         : {0}   {1}' -f [Breakwater.Lab.Reg]::Get($key, 'Start'), @('BOOT_START', 'SYSTEM_START', 'AUTO_START', 'DEMAND_START', 'DISABLED')[[Breakwater.Lab.Reg]::Get($key, 'Start')]
            '        BINARY_PATH_NAME   : {0}' -f [Breakwater.Lab.Reg]::Get($key, 'ImagePath')
            '        DEPENDENCIES       : {0}' -f ([Breakwater.Lab.Reg]::Get($key, 'DependOnService') -join "`r`n                           : ")
        }
        'config' {
            if ([Breakwater.Lab.Access]::Refuses('sc.exe')) { $global:LASTEXITCODE = 5; return $words.denied -split "`n" }
            $at = [array]::IndexOf($args, 'start=')
            if ($at -gt 0) {
                $start = @{ boot = 0; system = 1; auto = 2; demand = 3; disabled = 4 }[$args[$at + 1]]
                if ($null -eq $start) { $global:LASTEXITCODE = 87; return }
                [Breakwater.Lab.Reg]::Set($key, 'Start', $start)
                # "auto" is not "delayed-auto".
                if ($start -eq 2 -and [Breakwater.Lab.Reg]::Get($key, 'DelayedAutostart')) { [Breakwater.Lab.Reg]::Set($key, 'DelayedAutostart', 0) }
            }
            $at = [array]::IndexOf($args, 'depend=')
            if ($at -gt 0) { [Breakwater.Lab.Reg]::Set($key, 'DependOnService', [string[]]@($args[$at + 1] -split '/' | Where-Object { $_ })) }
            "[SC] ChangeServiceConfig $($words.ok)"
        }
    }
}

# net share.
function net.exe {
    $global:LASTEXITCODE = 0
    if ($args[0] -eq 'share') { foreach ($share in Get-Data shares) { '{0,-12} {1,-31} {2}' -f $share.name, $share.path, $share.description } }
}

# gpresult /r /scope computer: the names of applied policy objects.
function gpresult.exe {
    $global:LASTEXITCODE = 0
    foreach ($gpo in Get-Data gpos) { "        $($gpo.name)" }
}
