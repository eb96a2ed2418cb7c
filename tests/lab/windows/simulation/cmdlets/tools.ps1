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
function auditpol.exe {
    $words = (Get-Locale).auditpol
    $refused = -not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('auditpol.exe')
    if ($refused) {
        $global:LASTEXITCODE = 1314
        return $words.denied -split "`n"
    }
    $global:LASTEXITCODE = 0
    if ($args[0] -eq '/get') { return Get-AuditLine $false }
    foreach ($argument in $args) {
        if ($argument -like '/file:*') {
            $file = Get-ToolPath $argument.Substring(6).Trim('"')
            [IO.File]::WriteAllText($file, (@(Get-AuditLine $true) -join "`r`n") + "`r`n", [Text.Encoding]::GetEncoding((Get-Locale).codepage))
        }
    }
}

# sc qc NAME, sc query NAME, sc config NAME start= X.
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
            $at = [array]::IndexOf($args, 'start=')
            if ($at -gt 0) { [Breakwater.Lab.Reg]::Set($key, 'Start', @{ boot = 0; system = 1; auto = 2; demand = 3; disabled = 4 }[$args[$at + 1]]) }
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
