# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Section host on Windows: who asks, which system, services, listeners, networks, firewall, protection, features.

$bw_services = 'SYSTEM\CurrentControlSet\Services'
$bw_current = 'SOFTWARE\Microsoft\Windows\CurrentVersion'
$bw_firewall = "$bw_services\SharedAccess\Parameters\FirewallPolicy"
$bw_firewall_policy = 'SOFTWARE\Policies\Microsoft\WindowsFirewall'

# SIDs and numbers only: the names of groups and labels are localised.
function bw_host_identity {
    $user = [regex]::Match((@(bw_native { whoami.exe /user /fo csv /nh 2>$null }) -join "`n"), '"([^"]*)","(S-1-[0-9-]+)"')
    if (-not $user.Success) { throw 'whoami.exe: no SID' }
    $sids = @(bw_native { whoami.exe /groups /fo csv /nh 2>$null } | ForEach-Object {
        [regex]::Match("$_", '","(S-1-[0-9-]+)",').Groups[1].Value
    } | Where-Object { $_ })
    $integrity = "$($sids | Where-Object { $_ -like 'S-1-16-*' } | Select-Object -First 1)"
    $member = $sids -contains 'S-1-5-32-544'
    $high = @('S-1-16-12288', 'S-1-16-16384') -contains $integrity
    $bw_known.sid = $user.Groups[2].Value
    $bw_known.administrator = $member -and $high
    @{
        sid = $bw_known.sid
        name = $user.Groups[1].Value
        groups = $sids
        administrator = $bw_known.administrator
        filtered = $member -and -not $high
        integrity = $integrity
        powershell = "$($PSVersionTable.PSVersion)"
        ps_edition = $bw_known.edition
        language_mode = "$($ExecutionContext.SessionState.LanguageMode)"
        culture = [Globalization.CultureInfo]::CurrentCulture.Name
        clr = "$($PSVersionTable.CLRVersion)"
        wow64 = [bool]$env:PROCESSOR_ARCHITEW6432
    }
}

function bw_host_os_wmi {
    $names = 'Caption', 'Version', 'BuildNumber', 'ProductType', 'OperatingSystemSKU', 'OSLanguage'
    bw_wmi 'Win32_OperatingSystem' $names | Select-Object -First 1 | ForEach-Object {
        $bw_known.product = [int]$_.ProductType
        bw_pick $_ $names
    }
}

function bw_host_computer {
    $names = 'Name', 'Domain', 'DomainRole', 'PartOfDomain'
    bw_wmi 'Win32_ComputerSystem' $names | Select-Object -First 1 | ForEach-Object { bw_pick $_ $names }
}

# Whether a key is there; $null where that cannot be told.
function bw_host_key([string]$key) {
    switch ((bw_registry $key @()).state) {
        'present' { $true }
        'absent' { $false }
    }
}

function bw_host_reboot {
    $cbs = "$bw_current\Component Based Servicing"
    $renames = (bw_values 'SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations')['PendingFileRenameOperations']
    $answer = @{
        cbs = bw_host_key "$cbs\RebootPending"
        cbs_in_progress = bw_host_key "$cbs\RebootInProgress"
        windows_update = bw_host_key "$bw_current\WindowsUpdate\Auto Update\RebootRequired"
        file_rename = @($renames | Where-Object { $_ }).Count -gt 0
    }
    $bw_known.cbs = $answer.cbs -eq $true -or $answer.cbs_in_progress -eq $true
    $answer
}

$bw_host_services = @(
    'LanmanServer', 'LanmanWorkstation', 'Browser', 'Bowser', 'mrxsmb', 'mrxsmb10', 'mrxsmb20', 'srv', 'srv2', 'srvnet',
    'NetBT', 'lmhosts', 'Dnscache', 'WebClient', 'Spooler', 'RemoteRegistry', 'Netlogon', 'NTDS', 'DFS', 'DFSR', 'ClusSvc',
    'vmms', 'WINS', 'MpsSvc', 'BFE', 'WinDefend', 'Sense', 'WinRM', 'sshd', 'FrxSvc'
)

# The registry knows start and dependencies; the state needs WMI, which may be refused on its own: then it is $null.
function bw_host_services {
    $states = @{}
    $where = [string]::Join(' OR ', [string[]]@($bw_host_services | ForEach-Object { "Name='$_'" }))
    $asked = bw_try { bw_wmi 'Win32_BaseService' @('Name', 'State') $where }
    foreach ($service in @($asked.out | Where-Object { $null -ne $_ })) { $states["$($service.Name)"] = $service.State }
    foreach ($name in $bw_host_services) {
        $found = bw_registry "$bw_services\$name" @('Start', 'DependOnService', 'DeleteFlag')
        if ($found.state -ne 'absent') {
            @{
                name = $name
                start = $found.values['Start']
                state = $states[$name]
                depends = @($found.values['DependOnService'] | Where-Object { $_ })
                delete_flag = $found.values['DeleteFlag'] -eq 1
            }
        }
    }
}

function bw_host_alternative_ports {
    if (bw_has 'Get-SmbServerAlternativePort') {
        $asked = bw_try { Get-SmbServerAlternativePort -ErrorAction Stop }
        @($asked.out | Where-Object { $null -ne $_ }) | ForEach-Object { [int]$_.Port }
    }
}

# Sockets as dictionaries without the process's name.
function bw_host_sockets([int[]]$tcp, [int[]]$udp) {
    if ((bw_has 'Get-NetTCPConnection') -and (bw_has 'Get-NetUDPEndpoint')) {
        $failed = @()
        $map = 'address=LocalAddress', 'port=LocalPort', 'pid=OwningProcess'
        Get-NetTCPConnection -State Listen -LocalPort $tcp -ErrorAction SilentlyContinue -ErrorVariable failed | ForEach-Object {
            bw_pick $_ $map @{ proto = 'tcp' }
        }
        bw_only_missing $failed
        Get-NetUDPEndpoint -LocalPort $udp -ErrorAction SilentlyContinue -ErrorVariable failed | ForEach-Object {
            bw_pick $_ $map @{ proto = 'udp' }
        }
        bw_only_missing $failed
        return
    }
    # Protocol, local and foreign address, (state,) process: the words are localised, the positions are not.
    $lines = @(bw_native { netstat.exe -ano 2>$null })
    if ($lines.Length -eq 0) { throw 'netstat.exe: no lines' }
    foreach ($line in $lines) {
        $parts = [regex]::Match("$line", '^\s*(TCP|UDP)\s+(\S+):(\d+)\s+(\S+)\s.*?(\d+)\s*$')
        if (-not $parts.Success) { continue }
        $proto = $parts.Groups[1].Value.ToLower()
        $port = [int]$parts.Groups[3].Value
        $listens = ($proto -eq 'udp' -and $udp -contains $port) -or ($tcp -contains $port -and $parts.Groups[4].Value -like '*:0')
        if ($listens) {
            @{ proto = $proto; address = $parts.Groups[2].Value.Trim('[', ']'); port = $port; pid = [int]$parts.Groups[5].Value }
        }
    }
}

function bw_host_listeners {
    $more = @(bw_host_alternative_ports)
    $sockets = @(bw_host_sockets (@(135, 136, 137, 138, 139, 445, 5445) + $more) (@(137, 138, 443, 445) + $more))
    $names = @{ 0 = 'Idle'; 4 = 'System' }
    $ids = @($sockets | ForEach-Object { [int]$_['pid'] } | Where-Object { -not $names.ContainsKey($_) } | Sort-Object -Unique)
    if ($ids.Count -gt 0) {
        Get-Process -Id $ids -ErrorAction SilentlyContinue | ForEach-Object { $names[[int]$_.Id] = $_.ProcessName }
    }
    foreach ($socket in $sockets) {
        $socket['process'] = $names[[int]$socket['pid']]
        $socket
    }
}

function bw_host_guid([string]$text) {
    [regex]::Match($text, '\{[0-9A-Fa-f-]{36}\}').Value
}

function bw_host_networks {
    bw_need 'Get-NetConnectionProfile'
    Get-NetConnectionProfile -ErrorAction Stop | ForEach-Object {
        $more = @{ guid = bw_host_guid $_.InstanceID; category = "$($_.NetworkCategory)" }
        bw_pick $_ @('interface=InterfaceIndex', 'alias=InterfaceAlias') $more
    }
}

function bw_host_adapters {
    $names = 'SettingID', 'InterfaceIndex', 'Description', 'IPAddress', 'TcpipNetbiosOptions', 'DHCPEnabled', 'IPEnabled'
    bw_wmi 'Win32_NetworkAdapterConfiguration' $names 'IPEnabled=TRUE' | Where-Object { $_.IPEnabled } | ForEach-Object {
        $map = 'guid=SettingID', 'interface=InterfaceIndex', 'description=Description', 'netbios=TcpipNetbiosOptions', 'dhcp=DHCPEnabled'
        bw_pick $_ $map @{ addresses = @($_.IPAddress | Where-Object { $_ }) }
    }
}

function bw_host_netbt {
    $key = "$bw_services\NetBT\Parameters\Interfaces"
    foreach ($child in @(bw_children $key | Where-Object { $_ -match '^Tcpip_\{' })) {
        @{ guid = $child.Substring(6); options = (bw_values "$key\$child" 'NetbiosOptions')['NetbiosOptions'] }
    }
}

function bw_host_bindings {
    if (bw_has 'Get-NetAdapterBinding') {
        $failed = @()
        Get-NetAdapterBinding -ComponentID 'ms_server', 'ms_msclient' -ErrorAction SilentlyContinue -ErrorVariable failed | ForEach-Object {
            bw_pick $_ @('adapter=Name', 'component=ComponentID', 'enabled=Enabled') @{ interface_guid = bw_host_guid $_.InstanceID }
        }
        bw_only_missing $failed
    } else {
        @{ linkage = @((bw_values "$bw_services\LanmanServer\Linkage" 'Bind')['Bind'] | Where-Object { $_ }) }
    }
}

# One profile's values; {} where the key is absent.
function bw_host_profile([string]$key) {
    $answer = bw_values $key '*' $true
    $logging = bw_values "$key\Logging" '*' $true
    if ($logging.get_Count() -gt 0) { $answer['Logging'] = $logging }
    $answer
}

# In the policy's key StandardProfile counts only where PrivateProfile and PublicProfile are not there; the reader knows.
function bw_host_profiles([string]$key) {
    @{
        domain = bw_host_profile "$key\DomainProfile"
        private = bw_host_profile "$key\PrivateProfile"
        public = bw_host_profile "$key\PublicProfile"
        standard = bw_host_profile "$key\StandardProfile"
    }
}

function bw_host_firewall_profiles {
    $null = bw_values $bw_firewall @()
    $local = bw_host_profiles $bw_firewall
    $local.private = $local.standard
    $local.Remove('standard')
    @{
        local = $local
        policy = bw_host_profiles $bw_firewall_policy
        mdm = bw_host_profiles "$bw_firewall\Mdm"
    }
}

function bw_host_firewall_active {
    bw_need 'Get-NetFirewallProfile'
    $map = 'name=Name', 'enabled=Enabled', 'inbound=DefaultInboundAction', 'outbound=DefaultOutboundAction',
        'allow_inbound_rules=AllowInboundRules', 'local_merge=AllowLocalFirewallRules', 'local_ipsec_merge=AllowLocalIPsecRules',
        'log_blocked=LogBlocked', 'log_allowed=LogAllowed', 'log_size=LogMaxSizeKilobytes', 'log_path=LogFileName',
        'notify=NotifyOnListen', 'unicast=AllowUnicastResponseToMulticast'
    Get-NetFirewallProfile -PolicyStore ActiveStore -ErrorAction Stop | ForEach-Object {
        $answer = bw_pick $_ $map
        foreach ($key in @($answer.get_Keys())) {
            # True and False of a three-valued enumeration, actions and names as text.
            $text = "$($answer[$key])"
            if ($text -eq 'True' -or $text -eq 'False') { $answer[$key] = $text -eq 'True' }
        }
        $answer
    }
}

# bw_host_concerns RULE PORTS: whether a rule [MS-GPFAS 2.2.2.19] can concern SMB's ports: it names one of them, or no
# port at all and nothing but the system itself, which is who listens there. What is not understood is the reader's.
function bw_host_concerns([string]$rule, [int[]]$ports) {
    if ($rule -match '\|Protocol=(?!6\||17\||256\|)\d') { return $false }
    $side = 'L'
    if ($rule -match '\|Dir=Out\|') { $side = 'R' }
    $named = [regex]::Matches($rule, "\|${side}Port(?:2_10)?=([^|]*)")
    if ($named.Count -eq 0) {
        return $rule -notmatch '\|(Active=FALSE|AppPkgId=|Svc=|App=(?!System\|))'
    }
    foreach ($port in @($named | ForEach-Object { $_.Groups[1].Value })) {
        if ($port -match '^(\d{1,5})(-(\d{1,5}))?$') {
            $from = [int]$matches[1]
            $to = $from
            if ($matches[3]) { $to = [int]$matches[3] }
            foreach ($one in $ports) { if ($one -ge $from -and $one -le $to) { return $true } }
        } elseif ($port -notmatch '^(RPC|IPHTTPSIn|IPHTTPSOut|IPTLSIn|IPTLSOut|Teredo|Ply2Disc|mDNS|DHCP)$') {
            return $true
        }
    }
    $false
}

function bw_host_rules($all, [int[]]$ports) {
    $answer = @{}
    foreach ($entry in $all.GetEnumerator()) {
        if (bw_host_concerns "$($entry.Value)" $ports) { $answer[$entry.Key] = "$($entry.Value)" }
    }
    $answer
}

function bw_host_firewall_rules {
    $ports = @(135, 136, 137, 138, 139, 443, 445, 5445) + @(bw_host_alternative_ports)
    $local = bw_values "$bw_firewall\FirewallRules" '*'
    $group = bw_values "$bw_firewall_policy\FirewallRules" '*' $true
    $mdm = bw_values "$bw_firewall\Mdm\FirewallRules" '*' $true
    @{
        local = bw_host_rules $local $ports
        policy = bw_host_rules $group $ports
        mdm = bw_host_rules $mdm $ports
        policy_key = bw_host_key "$bw_firewall_policy\FirewallRules"
        total = @{ local = $local.get_Count(); policy = $group.get_Count(); mdm = $mdm.get_Count() }
    }
}

function bw_host_firewall_ipsec {
    $null = bw_values $bw_firewall @()
    $local = bw_values "$bw_firewall\ConSecRules" '*' $true
    $group = bw_values "$bw_firewall_policy\ConSecRules" '*' $true
    @{ count = $local.get_Count() + $group.get_Count(); local = $local; policy = $group }
}

function bw_host_products([string]$class) {
    bw_wmi $class @('displayName', 'productState') '' 'root\SecurityCenter2' | ForEach-Object {
        bw_pick $_ @('name=displayName', 'state=productState')
    }
}

function bw_host_defender {
    bw_need 'Get-MpComputerStatus'
    Get-MpComputerStatus -ErrorAction Stop | Select-Object -First 1 | ForEach-Object {
        $map = 'realtime=RealTimeProtectionEnabled', 'signature_age=AntivirusSignatureAge', 'mode=AMRunningMode'
        bw_pick $_ $map @{ enabled = $_.AMServiceEnabled -and $_.AntivirusEnabled }
    }
}

# Servers have no Security Center: then the list is empty, and Defender speaks for itself.
function bw_host_protection {
    $products = bw_try { bw_host_products 'AntiVirusProduct' }
    $defender = bw_try { bw_host_defender }
    if ($products.rc -eq 126) { bw_denied 'root\SecurityCenter2' }
    if ($products.rc -eq 1) { throw $products.err }
    if ($products.rc -ne 0 -and $defender.rc -eq 126) { bw_denied 'Get-MpComputerStatus' }
    if ($products.rc -ne 0 -and $defender.rc -eq 127) { bw_absent 'root\SecurityCenter2 AntiVirusProduct' }
    if ($products.rc -ne 0 -and $defender.rc -eq 1) { throw $defender.err }
    @{ products = $products.out; defender = $defender.out | Select-Object -First 1 }
}

$bw_host_features = @(
    'SMB1Protocol', 'SMB1Protocol-Client', 'SMB1Protocol-Server', 'SMB1Protocol-Deprecation', 'SmbDirect', 'File-Services',
    'CoreFileServer', 'WINSRuntime', 'DFSN-Server', 'DFSR-Infrastructure-ServerEdition', 'FailoverCluster-FullServer',
    'Microsoft-Hyper-V', 'Printing-Server-Role'
)

function bw_host_features {
    $answer = @{}
    $where = [string]::Join(' OR ', [string[]]@($bw_host_features | ForEach-Object { "Name='$_'" }))
    bw_wmi 'Win32_OptionalFeature' @('Name', 'InstallState') $where | ForEach-Object {
        if ($bw_host_features -contains $_.Name) { $answer["$($_.Name)"] = $_.InstallState }
    }
    $bw_known.smb1 = @($answer.get_Keys() | Where-Object { $_ -like 'SMB1Protocol*' })
    $answer
}

# Asks the servicing stack, which takes seconds: only while a reboot of its own is pending.
function bw_host_feature_pending {
    $answer = @{}
    bw_need 'Get-WindowsOptionalFeature'
    foreach ($name in @(@('SMB1Protocol') + $bw_known.smb1 | Sort-Object -Unique)) {
        Get-WindowsOptionalFeature -Online -FeatureName $name -ErrorAction Stop | ForEach-Object {
            $answer["$($_.FeatureName)"] = "$($_.State)"
        }
    }
    $answer
}

function bw_host_server_features {
    $answer = @{}
    $names = 'FS-SMB1', 'FS-SMB1-CLIENT', 'FS-SMB1-SERVER', 'WINS'
    bw_need 'Get-WindowsFeature'
    Get-WindowsFeature -Name $names -ErrorAction Stop | ForEach-Object {
        if ($names -contains $_.Name) { $answer["$($_.Name)"] = "$($_.InstallState)" }
    }
    $answer
}

# InstalledOn is text: month/day/year whatever the language, yyyymmdd, or a FILETIME in hexadecimal.
function bw_host_installed([string]$text) {
    if ($text -match '^(0?[1-9]|1[0-2])/(\d{1,2})/(\d{4})') {
        return '{0}-{1:d2}-{2:d2}' -f $matches[3], [int]$matches[1], [int]$matches[2]
    }
    if ($text -match '^(\d{4})(\d\d)(\d\d)$') { return '{0}-{1}-{2}' -f $matches[1], $matches[2], $matches[3] }
    if ($text -match '^[0-9A-Fa-f]{16}$') { return (bw_iso ([datetime]::FromFileTimeUtc([Convert]::ToInt64($text, 16)))).Substring(0, 10) }
}

function bw_host_updates {
    bw_wmi 'Win32_QuickFixEngineering' 'HotFixID', 'InstalledOn' | Where-Object { $_.HotFixID -match '^KB' } | ForEach-Object {
        $answer = @{ id = "$($_.HotFixID)"; installed = $null }
        # PowerShell makes a time of this text, and fails at it in some languages.
        try { $answer.installed = bw_host_installed "$($_.InstalledOn)" } catch { $answer.installed = $null }
        $answer
    }
}

function bw_collect_host {
    $version = 'CurrentBuild', 'UBR', 'ProductName', 'DisplayVersion', 'ReleaseId', 'EditionID', 'InstallationType',
        'CurrentMajorVersionNumber', 'CurrentMinorVersionNumber', 'CurrentVersion'
    bw_record 'host.identity' 'whoami.exe' { bw_host_identity }
    bw_record 'host.os' 'CurrentVersion' { bw_values 'SOFTWARE\Microsoft\Windows NT\CurrentVersion' $version }
    bw_record 'host.os_wmi' 'Win32_OperatingSystem' { bw_host_os_wmi }
    bw_record 'host.computer' 'Win32_ComputerSystem' { bw_host_computer }
    bw_record 'host.reboot' 'pending reboot' { bw_host_reboot }
    bw_list 'host.services' 'services' { bw_host_services }
    bw_list 'host.listeners' 'listeners' { bw_host_listeners }
    bw_list 'host.networks' 'Get-NetConnectionProfile' { bw_host_networks }
    bw_list 'host.adapters' 'Win32_NetworkAdapterConfiguration' { bw_host_adapters }
    bw_list 'host.netbt' 'NetBT interfaces' { bw_host_netbt }
    if (bw_has 'Get-NetAdapterBinding') {
        bw_list 'host.bindings' 'Get-NetAdapterBinding' { bw_host_bindings }
    } else {
        bw_record 'host.bindings' 'LanmanServer linkage' { bw_host_bindings }
    }
    bw_record 'host.firewall_profiles' 'firewall profiles' { bw_host_firewall_profiles }
    bw_list 'host.firewall_active' 'Get-NetFirewallProfile' { bw_host_firewall_active }
    bw_record 'host.firewall_rules' 'firewall rules' { bw_host_firewall_rules }
    bw_record 'host.firewall_ipsec' 'connection security rules' { bw_host_firewall_ipsec }
    bw_list 'host.firewall_products' 'FirewallProduct' { bw_host_products 'FirewallProduct' }
    bw_record 'host.protection' 'endpoint protection' { bw_host_protection }
    bw_record 'host.features' 'Win32_OptionalFeature' { bw_host_features }
    if ($bw_known.cbs) { bw_record 'host.feature_pending' 'Get-WindowsOptionalFeature' { bw_host_feature_pending } }
    if ($bw_known.product -ne 1) { bw_record 'host.server_features' 'Get-WindowsFeature' { bw_host_server_features } }
    bw_list 'host.updates' 'Win32_QuickFixEngineering' { bw_host_updates }
}
