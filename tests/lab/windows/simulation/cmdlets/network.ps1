# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Modules NetConnection, NetTCPIP, NetAdapter and NetSecurity (all since Windows 8 and Server 2012), Get-Process (all).

$script:StandardCim = 'ROOT/StandardCimv2'

function ConvertTo-NetType([string]$Type, $Value) { [Breakwater.Lab.Types]::Member($Type, $Value) }

function Get-NetConnectionProfile {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [string[]]$InterfaceAlias, [uint32[]]$InterfaceIndex, [string[]]$NetworkCategory)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($adapter in Get-Data adapters) {
        $network = $adapter.network
        if (-not (Test-Any $adapter.alias $InterfaceAlias) -or -not (Test-Any $network.name $Name) -or -not (Test-Any $network.category $NetworkCategory)) { continue }
        if ($InterfaceIndex -and $InterfaceIndex -notcontains $adapter.index) { continue }
        [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetConnectionProfile', [ordered]@{
            NetworkCategory = ConvertTo-NetType NetConnectionProfile.NetworkCategory $network.category
            IPv4Connectivity = ConvertTo-NetType NetConnectionProfile.IPv4Connectivity 'Internet'; IPv6Connectivity = ConvertTo-NetType NetConnectionProfile.IPv6Connectivity 'NoTraffic'
            Caption = $null; Description = $null; ElementName = $null; InstanceID = $adapter.guid; InterfaceAlias = $adapter.alias
            InterfaceIndex = [uint32]$adapter.index; Name = $network.name
        })
    }
}

# The sockets of a protocol that a filter asks for; the cmdlet says so when there are none.
function Find-Socket([string]$Proto, [uint16[]]$LocalPort, [string[]]$LocalAddress, [uint32[]]$OwningProcess) {
    foreach ($socket in Get-Data listeners) {
        if ($socket.proto -ne $Proto) { continue }
        if ($LocalPort -and $LocalPort -notcontains $socket.port) { continue }
        if ($OwningProcess -and $OwningProcess -notcontains $socket.pid) { continue }
        if (Test-Any $socket.address $LocalAddress) { $socket }
    }
}

function Get-NetTCPConnection {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$LocalAddress, [Parameter(Position = 1)][uint16[]]$LocalPort, [string[]]$State, [uint32[]]$OwningProcess)
    if (Test-Denied $PSCmdlet) { return }
    $found = 0
    foreach ($socket in @(Find-Socket tcp $LocalPort $LocalAddress $OwningProcess)) {
        $connected = if ($socket.state) { $socket.state } else { 'Listen' }
        if ($State -and $State -notcontains $connected) { continue }
        $found++
        [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetTCPConnection', [ordered]@{
            State = ConvertTo-NetType NetTCPConnection.State $connected; AppliedSetting = $null; CreationTime = (Get-Time (Get-Data now)).AddDays(-9); InstanceID = "$($socket.address)++$($socket.port)"
            LocalAddress = $socket.address; LocalPort = [uint16]$socket.port; OwningProcess = [uint32]$socket.pid
            RemoteAddress = $(if ($socket.address -like '*:*') { '::' } else { '0.0.0.0' }); RemotePort = [uint16]0
        })
    }
    if (-not $found) { Write-NoMatch $PSCmdlet MSFT_NetTCPConnection }
}

function Get-NetUDPEndpoint {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$LocalAddress, [Parameter(Position = 1)][uint16[]]$LocalPort, [uint32[]]$OwningProcess)
    if (Test-Denied $PSCmdlet) { return }
    $found = 0
    foreach ($socket in @(Find-Socket udp $LocalPort $LocalAddress $OwningProcess)) {
        $found++
        [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetUDPEndpoint', [ordered]@{
            CreationTime = (Get-Time (Get-Data now)).AddDays(-9); InstanceID = "$($socket.address)++$($socket.port)"; LocalAddress = $socket.address
            LocalPort = [uint16]$socket.port; OwningProcess = [uint32]$socket.pid
        })
    }
    if (-not $found) { Write-NoMatch $PSCmdlet MSFT_NetUDPEndpoint }
}

# All versions; the processes of the simulated host only.
function Get-Process {
    [CmdletBinding(DefaultParameterSetName = 'Name')]
    param([Parameter(Position = 0, ParameterSetName = 'Name')][string[]]$Name, [Parameter(ParameterSetName = 'Id')][int[]]$Id)
    $processes = Get-Data processes
    $known = @(foreach ($number in $processes.get_Keys()) { [pscustomobject]@{ Id = [int]$number; ProcessName = $processes[$number]; Name = $processes[$number] } })
    foreach ($number in $Id) {
        if (-not @($known | Where-Object { $_.Id -eq $number }).Count) {
            $missing = [Exception]::new("Cannot find a process with the process identifier $number.")
            Write-Fault $PSCmdlet (New-Record $missing 'NoProcessFoundForGivenId,Microsoft.PowerShell.Commands.GetProcessCommand' 'ObjectNotFound' $number)
        }
    }
    $known | Where-Object { (-not $Id -or $Id -contains $_.Id) -and (Test-Any $_.Name $Name) }
}

$script:Bindings = @{
    ms_server = 'File and Printer Sharing for Microsoft Networks'; ms_msclient = 'Client for Microsoft Networks'
    ms_tcpip = 'Internet Protocol Version 4 (TCP/IPv4)'; ms_tcpip6 = 'Internet Protocol Version 6 (TCP/IPv6)'
}

function Get-NetAdapterBinding {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [string[]]$ComponentID, [string[]]$DisplayName, [switch]$AllBindings, [switch]$IncludeHidden)
    if (Test-Denied $PSCmdlet) { return }
    $found = 0
    foreach ($adapter in Get-Data adapters) {
        if (-not (Test-Any $adapter.alias $Name)) { continue }
        foreach ($component in $adapter.bindings.get_Keys()) {
            if (-not (Test-Any $component $ComponentID)) { continue }
            $found++
            [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetAdapterBindingSettingData', [ordered]@{
                Name = $adapter.alias; InterfaceDescription = $adapter.description; DisplayName = $script:Bindings[$component]; ComponentID = $component
                Enabled = [bool]$adapter.bindings[$component]; InstanceID = "$($adapter.guid)::$component"; ElementName = $script:Bindings[$component]; BindName = $component
            })
        }
    }
    if (-not $found) { Write-NoMatch $PSCmdlet MSFT_NetAdapterBindingSettingData }
}

function Get-NetAdapter {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [uint32[]]$InterfaceIndex, [switch]$IncludeHidden, [switch]$Physical)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($adapter in Get-Data adapters) {
        if (-not (Test-Any $adapter.alias $Name) -or ($InterfaceIndex -and $InterfaceIndex -notcontains $adapter.index)) { continue }
        [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetAdapter', [ordered]@{
            Name = $adapter.alias; InterfaceDescription = $adapter.description; InterfaceIndex = [uint32]$adapter.index; ifIndex = [uint32]$adapter.index
            InterfaceGuid = $adapter.guid; Status = 'Up'; MacAddress = $adapter.mac.Replace(':', '-'); LinkSpeed = "$($adapter.speed / 1000000000) Gbps"
            ReceiveLinkSpeed = [uint64]$adapter.speed; TransmitLinkSpeed = [uint64]$adapter.speed; InstanceID = $adapter.guid
        })
    }
}

# One value of a profile: group policy (active store only), the local store, $null.
function Get-FirewallValue([string]$Profile, [string]$Name, [bool]$Active) {
    $below = if ($Name -like 'Log*') { '\Logging' } else { '' }
    $policy = 'SOFTWARE\Policies\Microsoft\WindowsFirewall'
    if ($Active) {
        foreach ($key in @($Profile) + @(if ($Profile -eq 'StandardProfile') { 'PrivateProfile' })) {
            $value = [Breakwater.Lab.Reg]::Get("$policy\$key$below", $Name)
            if ($null -ne $value) { return $value }
        }
    }
    [Breakwater.Lab.Reg]::Get("$script:Services\SharedAccess\Parameters\FirewallPolicy\$Profile$below", $Name)
}

# GpoBoolean of a value; what stands for "not configured" in the persistent store is a default in the active one.
function Get-FirewallFlag([string]$Profile, [string]$Name, [bool]$Active, [bool]$Default, [switch]$Negated) {
    $value = Get-FirewallValue $Profile $Name $Active
    if ($null -eq $value) { return ConvertTo-NetType NetSecurity.GpoBoolean $(if ($Active) { "$Default" } else { 'NotConfigured' }) }
    ConvertTo-NetType NetSecurity.GpoBoolean "$([bool]$value -ne [bool]$Negated)"
}

function Get-FirewallAction([string]$Profile, [string]$Name, [bool]$Active, [string]$Default) {
    $value = Get-FirewallValue $Profile $Name $Active
    if ($null -eq $value) { return ConvertTo-NetType NetSecurity.Action $(if ($Active) { $Default } else { 'NotConfigured' }) }
    ConvertTo-NetType NetSecurity.Action $(if ($value) { 'Block' } else { 'Allow' })
}

function Get-NetFirewallProfile {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [switch]$All, [string]$PolicyStore = 'PersistentStore')
    if (Test-Denied $PSCmdlet) { return }
    $active = $PolicyStore -eq 'ActiveStore'
    foreach ($pair in ('Domain', 'DomainProfile'), ('Private', 'StandardProfile'), ('Public', 'PublicProfile')) {
        if (-not (Test-Any $pair[0] $Name)) { continue }
        $key = $pair[1]
        $size = Get-FirewallValue $key 'LogFileSize' $active
        [Breakwater.Lab.Objects]::Cim($script:StandardCim, 'MSFT_NetFirewallProfile', [ordered]@{
            Profile = $pair[0]; Enabled = Get-FirewallFlag $key EnableFirewall $active $true
            DefaultInboundAction = Get-FirewallAction $key DefaultInboundAction $active Block
            DefaultOutboundAction = Get-FirewallAction $key DefaultOutboundAction $active Allow
            AllowInboundRules = Get-FirewallFlag $key DoNotAllowExceptions $active $true -Negated
            AllowLocalFirewallRules = Get-FirewallFlag $key AllowLocalPolicyMerge $active $true
            AllowLocalIPsecRules = Get-FirewallFlag $key AllowLocalIPsecPolicyMerge $active $true
            AllowUserApps = Get-FirewallFlag $key AllowUserApps $active $true; AllowUserPorts = Get-FirewallFlag $key AllowUserPorts $active $true
            AllowUnicastResponseToMulticast = Get-FirewallFlag $key DisableUnicastResponsesToMulticastBroadcast $active $true -Negated
            NotifyOnListen = Get-FirewallFlag $key DisableNotifications $active $true -Negated
            EnableStealthModeForIPsec = Get-FirewallFlag $key EnableStealthModeForIPsec $active $false
            LogMaxSizeKilobytes = [uint64]$(if ($null -eq $size) { 4096 } else { $size }); LogAllowed = Get-FirewallFlag $key LogSuccessfulConnections $active $false
            LogBlocked = Get-FirewallFlag $key LogDroppedPackets $active $false; LogIgnored = Get-FirewallFlag $key LogIgnoredRules $active $false
            Caption = $null; Description = $null; ElementName = ''; InstanceID = "MSFT|FW|FirewallProfile|$($pair[0])"; DisabledInterfaceAliases = @('NotConfigured')
            LogFileName = Get-FirewallValue $key 'LogFilePath' $active; Name = $pair[0]
        })
    }
}
