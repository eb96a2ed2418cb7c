# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Section windows: Microsoft's SMB server and client. Which values are read of the registry, the security database and
# the audit policy is data ($bw_addresses, one line each), never part of this script.

# Lines "R key|name|name", "S section|name|name", "P privilege", "A subcategory" to name and list of names per kind.
# "~S" and "~P" stand for the beginnings that most keys share.
function bw_smb_addresses([string]$kind) {
    foreach ($line in @($bw_addresses -split '\r?\n' | Where-Object { $_ -clike "$kind *" })) {
        $words = @($line.Substring(2) -split '\|')
        $key = $words[0].Replace('~S', 'SYSTEM\CurrentControlSet').Replace('~P', 'SOFTWARE\Policies\Microsoft')
        @{ key = $key; names = @($words | Select-Object -Skip 1) }
    }
}

function bw_smb_registry {
    foreach ($wanted in @(bw_smb_addresses 'R')) { bw_registry $wanted.key $wanted.names }
}

# Every property of an object of WMI's newer kind; enumerations by name. One that cannot be read is left out.
function bw_smb_properties($object) {
    $answer = @{}
    foreach ($property in @($object.PSObject.Properties | Where-Object { $_.Name -notmatch '^(Cim[A-Z]\w*|PSComputerName|PSShowComputerName|RunspaceId)$' })) {
        try {
            $value = $property.Value
            if ($value -is [enum]) { $value = "$value" }
            $answer[$property.Name] = $value
        } catch {
            $null = $_
        }
    }
    $answer
}

function bw_smb_server_configuration {
    bw_need 'Get-SmbServerConfiguration'
    Get-SmbServerConfiguration -ErrorAction Stop | Select-Object -First 1 | ForEach-Object { bw_smb_properties $_ }
}

function bw_smb_client_configuration {
    bw_need 'Get-SmbClientConfiguration'
    Get-SmbClientConfiguration -ErrorAction Stop | Select-Object -First 1 | ForEach-Object { bw_smb_properties $_ }
}

function bw_smb_shares {
    $map = 'name=Name', 'path=Path', 'description=Description', 'special=Special', 'type=ShareType', 'scope=ScopeName',
        'encrypt=EncryptData', 'caching=CachingMode', 'enumeration=FolderEnumerationMode', 'sddl=SecurityDescriptor'
    if (bw_has 'Get-SmbShare') {
        Get-SmbShare -ErrorAction Stop | ForEach-Object { bw_pick $_ $map }
    } else {
        bw_smb_old_shares
    }
}

# The type's low bits say what is shared; its highest bit that it is an administrative share.
function bw_smb_old_shares {
    $types = 'FileSystemDirectory', 'PrintQueue', 'Device', 'InterprocessCommunication'
    $rights = @{}
    foreach ($setting in @(bw_try { bw_wmi 'Win32_LogicalShareSecuritySetting' 'Name' } | ForEach-Object { $_.out } | Where-Object { $_ })) {
        $asked = bw_try { bw_smb_old_rights $setting }
        if ($asked.rc -eq 0) { $rights["$($setting.Name)"] = $asked.out | Select-Object -First 1 }
    }
    bw_wmi 'Win32_Share' 'Name', 'Path', 'Description', 'Type' | ForEach-Object {
        $type = [long]$_.Type
        $more = @{
            special = $type -ge 2147483648
            type = $types[$type % 4]
            scope = '*'
            encrypt = $null
            caching = $null
            enumeration = $null
            sddl = $rights["$($_.Name)"]
        }
        bw_pick $_ @('name=Name', 'path=Path', 'description=Description') $more
    }
}

# The access list in the form of SDDL. A share without a list lets everybody do everything.
function bw_smb_old_rights($setting) {
    if (bw_has 'Invoke-CimMethod') {
        $asked = Invoke-CimMethod -InputObject $setting -MethodName GetSecurityDescriptor -ErrorAction Stop
    } else {
        $asked = $setting.GetSecurityDescriptor()
    }
    if ($asked.ReturnValue -ne 0) { throw "GetSecurityDescriptor: $($asked.ReturnValue)" }
    $entries = @($asked.Descriptor.DACL | Where-Object { $null -ne $_ })
    if ($null -eq $asked.Descriptor.DACL) { return 'D:NO_ACCESS_CONTROL' }
    $texts = @($entries | ForEach-Object {
        $kind = 'A'
        if ([int]$_.AceType -eq 1) { $kind = 'D' }
        '({0};;0x{1:x};;;{2})' -f $kind, [long]$_.AccessMask, $_.Trustee.SIDString
    })
    'D:' + [string]::Join('', [string[]]$texts)
}

# What a session does not tell of its protection its open files do, where they are few enough to ask for.
function bw_smb_protection([object[]]$sessions) {
    $opens = 0
    foreach ($session in $sessions) { $opens += [long]$session.opens }
    $silent = @($sessions | Where-Object { $null -eq $_.signed -and $null -eq $_.encrypted -and $_.opens })
    if ($silent.Length -eq 0 -or $opens -gt 1000 -or -not (bw_has 'Get-SmbOpenFile')) { return }
    $asked = bw_try { Get-SmbOpenFile -ErrorAction Stop }
    if ($asked.rc -ne 0) { return }
    foreach ($session in $silent) {
        $files = @($asked.out | Where-Object { $null -ne $_ -and "$($_.SessionId)" -eq $session.id })
        $told = @($files | Where-Object { $_.Signed -is [bool] -and $_.Encrypted -is [bool] })
        if ($files.Length -eq 0 -or $told.Length -lt $files.Length) { continue }
        # What is encrypted needs no signature, and Windows shows none.
        $session.encrypted = @($files | Where-Object { -not $_.Encrypted }).Length -eq 0
        $session.signed = @($files | Where-Object { -not $_.Signed -and -not $_.Encrypted }).Length -eq 0
    }
}

# What a release does not tell (dialect, signing, encryption) is null.
function bw_smb_sessions {
    $map = 'client=ClientComputerName', 'user=ClientUserName', 'dialect=Dialect', 'signed=Signed', 'encrypted=Encrypted',
        'opens=NumOpens'
    if (bw_has 'Get-SmbSession') {
        $sessions = @(Get-SmbSession -ErrorAction Stop | ForEach-Object { bw_pick $_ $map @{ id = "$($_.SessionId)" } })
        bw_smb_protection $sessions
        foreach ($session in $sessions) {
            $session.Remove('id')
            $session
        }
    } else {
        bw_wmi 'Win32_ServerConnection' 'ComputerName', 'UserName', 'NumberOfFiles' | ForEach-Object {
            $more = @{ dialect = $null; signed = $null; encrypted = $null }
            bw_pick $_ @('client=ComputerName', 'user=UserName', 'opens=NumberOfFiles') $more
        }
    }
}

function bw_smb_connections {
    bw_need 'Get-SmbConnection'
    $map = 'server=ServerName', 'share=ShareName', 'user=UserName', 'dialect=Dialect', 'signed=Signed', 'encrypted=Encrypted'
    Get-SmbConnection -ErrorAction Stop | ForEach-Object { bw_pick $_ $map }
}

$bw_smb_logs = @(
    'Microsoft-Windows-SMBServer/Audit', 'Microsoft-Windows-SMBServer/Security', 'Microsoft-Windows-SMBServer/Operational',
    'Microsoft-Windows-SMBClient/Audit', 'Microsoft-Windows-SMBClient/Security', 'Microsoft-Windows-SMBClient/Connectivity',
    'Microsoft-Windows-NTLM/Operational'
)

# Get-WinEvent says "none" by an error; its identifier is the same in every language.
function bw_smb_none($problem) {
    $none = "$($problem.FullyQualifiedErrorId)" -match '^NoMatching(Logs|Events|Providers)Found'
    $none -or "$($problem.CategoryInfo.Category)" -eq 'ObjectNotFound' -and (bw_reason $problem).rc -eq 1
}

# One log that is refused does not take the others along.
function bw_smb_event_logs {
    $refused = $null
    $logs = @(foreach ($name in $bw_smb_logs) {
        try {
            Get-WinEvent -ListLog $name -ErrorAction Stop | ForEach-Object {
                $more = @{ name = $name; mode = "$($_.LogMode)"; oldest = bw_smb_oldest $name }
                bw_pick $_ @('enabled=IsEnabled', 'size=MaximumSizeInBytes', 'records=RecordCount') $more
            }
        } catch {
            if (-not (bw_smb_none $_)) {
                if ((bw_reason $_).rc -ne 126) { throw }
                $refused = $_
                @{ name = $name; denied = $true }
            }
        }
    })
    if ($null -ne $refused -and @($logs | Where-Object { -not $_.denied }).Length -eq 0) { throw $refused }
    $logs
}

function bw_smb_oldest([string]$name) {
    $asked = bw_try { Get-WinEvent -LogName $name -Oldest -MaxEvents 1 -ErrorAction Stop }
    $asked.out | Select-Object -First 1 | ForEach-Object { bw_iso $_.TimeCreated }
}

# Who an event is about: by the name of its field where it tells names, else the first text in it.
function bw_smb_peer($entry) {
    if ($entry.Id -ne 3000) {
        try {
            $xml = [xml]$entry.ToXml()
            foreach ($name in 'ClientName', 'ClientAddress', 'ServerName', 'RemoteName') {
                foreach ($node in @($xml.GetElementsByTagName('*') | Where-Object { $_.LocalName -eq $name -or $_.GetAttribute('Name') -eq $name })) {
                    if ($node.InnerText) { return $node.InnerText }
                }
            }
        } catch {
            $null = $_
        }
    }
    @($entry.Properties | ForEach-Object { $_.Value } | Where-Object { $_ -is [string] -and $_ }) | Select-Object -First 1
}

# One kind of event, counted by peer: the newest 1,000 events and 200 peers of them. Kinds with more are named.
function bw_smb_count([string]$kind, [string]$log, [int[]]$ids) {
    $peers = @{}
    $more = $false
    $where = [string]::Join(' or ', [string[]]@($ids | ForEach-Object { "EventID=$_" }))
    try {
        $found = @(Get-WinEvent -LogName $log -FilterXPath "*[System[($where)]]" -MaxEvents 1000 -ErrorAction Stop)
    } catch {
        if (-not (bw_smb_none $_)) { throw }
        $found = @()
    }
    foreach ($entry in $found) {
        $peer = "$(bw_smb_peer $entry)".Trim('\', ' ')
        if (-not $peer) { $peer = '?' }
        if (-not $peers.ContainsKey($peer)) {
            if ($peers.get_Count() -ge 200) {
                $more = $true
                continue
            }
            $peers[$peer] = @{ client = $peer; count = 0; last = bw_iso $entry.TimeCreated }
        }
        $peers[$peer]['count']++
    }
    if ($more -or $found.Count -ge 1000) { $bw_known.cut = @($bw_known.cut) + $kind }
    @($peers.get_Values())
}

function bw_smb_events {
    $server = 'Microsoft-Windows-SMBServer/Audit'
    $client = 'Microsoft-Windows-SMBClient/Audit'
    $bw_known.cut = @()
    $answer = @{
        smb1 = @(bw_smb_count 'smb1' $server 3000)
        client_no_signing = @(bw_smb_count 'client_no_signing' $server 3021)
        client_no_encryption = @(bw_smb_count 'client_no_encryption' $server 3022)
        guest = @(bw_smb_count 'guest' $server 3023)
        server_no_signing = @(bw_smb_count 'server_no_signing' $client 31998)
        server_no_encryption = @(bw_smb_count 'server_no_encryption' $client 31999)
        guest_servers = @(bw_smb_count 'guest_servers' 'Microsoft-Windows-SMBClient/Security' (31017, 31018, 31022))
    }
    $answer.cut = $bw_known.cut
    $answer
}

# Sections and names of an exported security template are the same in every language.
function bw_smb_secedit {
    bw_folder {
        param($folder)
        $file = [IO.Path]::Combine($folder, 'policy.inf')
        $log = [IO.Path]::Combine($folder, 'policy.log')
        $null = bw_native { secedit.exe /export /areas SECURITYPOLICY USER_RIGHTS /cfg $file /log $log /quiet 2>$null }
        $answer = @{ 'Privilege Rights' = @{} }
        $rights = @(bw_smb_addresses 'P' | ForEach-Object { $_.key })
        $wanted = @{}
        foreach ($address in @(bw_smb_addresses 'S')) {
            $wanted[$address.key] = $address.names
            $answer[$address.key] = @{}
        }
        $section = ''
        foreach ($line in @(bw_file 'secedit.exe' $file)) {
            if ($line -match '^\s*\[(.*)\]\s*$') { $section = $matches[1] }
            $at = $line.IndexOf('=')
            if ($at -lt 1) { continue }
            $name = $line.Substring(0, $at).Trim()
            $value = $line.Substring($at + 1).Trim()
            if ($section -eq 'Privilege Rights' -and $rights -contains $name) {
                $answer[$section][$name] = @($value -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ })
            } elseif ($wanted.ContainsKey($section) -and $wanted[$section] -contains $name) {
                $answer[$section][$name] = $value.Trim('"')
            }
        }
        if (-not $section) { throw 'secedit.exe: an empty file' }
        $answer
    }
}

# Lines of the system's policy come before those of single users. The last column is a number, the others are localised.
function bw_smb_auditpol {
    bw_folder {
        param($folder)
        $file = [IO.Path]::Combine($folder, 'audit.csv')
        $null = bw_native { auditpol.exe /backup "/file:$file" 2>$null }
        $wanted = @(bw_smb_addresses 'A' | ForEach-Object { $_.key })
        $answer = @{}
        foreach ($line in @(bw_file 'auditpol.exe' $file)) {
            $parts = [regex]::Match("$line", ',(\{[0-9A-Fa-f-]{36}\}),.*,"?(\d+)"?\s*$')
            if (-not $parts.Success) { continue }
            $guid = $parts.Groups[1].Value.ToUpper()
            if ($wanted -contains $guid -and -not $answer.ContainsKey($guid)) { $answer[$guid] = [int]$parts.Groups[2].Value }
        }
        $answer
    }
}

# What group policy set, and which policy object did. Only what the addresses name.
function bw_smb_rsop {
    $space = 'root\rsop\computer'
    $answer = @{ gpos = @{}; registry = @(); security = @() }
    bw_wmi 'RSOP_GPO' @('id', 'name') '' $space | ForEach-Object { $answer.gpos["$($_.id)"] = $_.name }
    $keys = @{}
    foreach ($wanted in @(bw_smb_addresses 'R')) { $keys[$wanted.key] = $wanted.names }
    $answer.registry = @(bw_wmi 'RSOP_RegistryPolicySetting' @('registryKey', 'valueName', 'GPOID', 'precedence') '' $space |
        Where-Object { $keys.ContainsKey("$($_.registryKey)") } | ForEach-Object {
            $names = $keys["$($_.registryKey)"]
            if ($names -contains '*' -or $names -contains $_.valueName) {
                bw_pick $_ @('key=registryKey', 'name=valueName', 'gpo=GPOID', 'precedence')
            }
        })
    $classes = @{
        registry = 'RSOP_RegistryValue', 'Path'
        numeric = 'RSOP_SecuritySettingNumeric', 'KeyName'
        boolean = 'RSOP_SecuritySettingBoolean', 'KeyName'
        string = 'RSOP_SecuritySettingString', 'KeyName'
        right = 'RSOP_UserPrivilegeRight', 'UserRight'
        audit = 'RSOP_AuditPolicy', 'Category'
    }
    $answer.security = @(foreach ($kind in 'registry', 'numeric', 'boolean', 'string', 'right', 'audit') {
        $field = $classes[$kind][1]
        bw_wmi $classes[$kind][0] @($field, 'GPOID', 'precedence') '' $space | ForEach-Object {
            bw_pick $_ @("name=$field", 'gpo=GPOID', 'precedence') @{ kind = $kind }
        }
    })
    $answer
}

function bw_smb_mappings {
    bw_need 'Get-SmbServerCertificateMapping'
    Get-SmbServerCertificateMapping -ErrorAction Stop | ForEach-Object {
        bw_pick $_ @('name=Name', 'thumbprint=Thumbprint', 'store=StoreName', 'subject=Subject', 'require_client_auth=RequireClientAuthentication')
    }
}

# An elliptic curve's public key is one byte and two coordinates; anything else tells its size itself.
function bw_smb_key_size($certificate) {
    switch ($certificate.PublicKey.EncodedKeyValue.RawData.Length) {
        65 { return 256 }
        97 { return 384 }
        133 { return 521 }
    }
    $asked = bw_try { $certificate.PublicKey.Key.KeySize }
    $asked.out | Select-Object -First 1
}

function bw_smb_certificate($mapping) {
    $store = 'My'
    if ($mapping.store) { $store = $mapping.store }
    foreach ($certificate in @(Get-ChildItem -LiteralPath "Cert:\LocalMachine\$store" -ErrorAction Stop | Where-Object { $_.Thumbprint -eq $mapping.thumbprint })) {
        @{
            thumbprint = $certificate.Thumbprint
            not_after = bw_iso $certificate.NotAfter
            key_size = bw_smb_key_size $certificate
            key_algorithm = $certificate.PublicKey.Oid.Value
            signature_algorithm = $certificate.SignatureAlgorithm.Value
            subject = $certificate.Subject
            names = @($certificate.DnsNameList | Where-Object { $_ } | ForEach-Object { $_.Unicode })
        }
    }
}

function bw_smb_client_access($mapping) {
    if (bw_has 'Get-SmbClientAccessToServer') {
        Get-SmbClientAccessToServer -Name $mapping.name -ErrorAction Stop | ForEach-Object {
            bw_pick $_ @('type=IdentifierType', 'identifier=Identifier', 'access=AccessControlType') @{ server = $mapping.name }
        }
    }
}

function bw_smb_ports {
    if (bw_has 'Get-SmbServerAlternativePort') {
        Get-SmbServerAlternativePort -ErrorAction Stop | ForEach-Object {
            bw_pick $_ @('transport=TransportType', 'port=Port')
        }
    }
}

function bw_smb_quic {
    $mappings = @(bw_smb_mappings)
    @{
        mappings = $mappings
        certificates = @(foreach ($mapping in $mappings) { bw_smb_certificate $mapping })
        client_access = @(foreach ($mapping in $mappings) { bw_smb_client_access $mapping })
        ports = @(bw_smb_ports)
    }
}

function bw_smb_network_interfaces {
    bw_need 'Get-SmbServerNetworkInterface'
    Get-SmbServerNetworkInterface -ErrorAction Stop | ForEach-Object {
        bw_pick $_ @('interface=InterfaceIndex', 'address=IpAddress', 'speed=LinkSpeed', 'rss=RssCapable', 'rdma=RdmaCapable')
    }
}

function bw_smb_cluster {
    bw_wmi 'MSCluster_Cluster' '*' '' 'root\MSCluster' | Select-Object -First 1 | ForEach-Object {
        bw_pick $_ @('SecurityLevel', 'SecurityLevelForStorage')
    }
}

function bw_collect_windows {
    bw_list 'windows.registry' 'registry' { bw_smb_registry }
    bw_record 'windows.server_configuration' 'Get-SmbServerConfiguration' { bw_smb_server_configuration }
    bw_record 'windows.client_configuration' 'Get-SmbClientConfiguration' { bw_smb_client_configuration }
    bw_list 'windows.shares' 'shares' { bw_smb_shares } 2000
    bw_list 'windows.sessions' 'sessions' { bw_smb_sessions } 500
    bw_list 'windows.connections' 'Get-SmbConnection' { bw_smb_connections } 500
    bw_list 'windows.event_logs' 'Get-WinEvent -ListLog' { bw_smb_event_logs }
    bw_record 'windows.events' 'Get-WinEvent' { bw_smb_events }
    bw_record 'windows.secedit' 'secedit.exe' { bw_smb_secedit }
    bw_record 'windows.auditpol' 'auditpol.exe' { bw_smb_auditpol }
    bw_record 'windows.rsop' 'root\rsop\computer' { bw_smb_rsop }
    bw_record 'windows.quic' 'Get-SmbServerCertificateMapping' { bw_smb_quic }
    bw_list 'windows.network_interfaces' 'Get-SmbServerNetworkInterface' { bw_smb_network_interfaces }
    $service = bw_try { bw_registry 'SYSTEM\CurrentControlSet\Services\ClusSvc' 'Start' }
    if ($service.rc -ne 0 -or $service.out[0].state -ne 'absent') {
        bw_record 'windows.cluster' 'MSCluster_Cluster' { bw_smb_cluster }
    }
}
