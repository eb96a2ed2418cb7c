# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-CimInstance (PowerShell 3.0 and newer), Get-WmiObject (all) and the classes they read. Windows versions: each
# class says its own; a class or namespace that a host lacks raises what the real cmdlets raise.

function ConvertTo-DmtfDate($Value) {
    if ($Value -is [datetime]) { $Value.ToUniversalTime().ToString('yyyyMMddHHmmss.ffffff', [Globalization.CultureInfo]::InvariantCulture) + '+000' } else { $Value }
}

# The classes of a namespace by name: each a block that puts out ordered dictionaries; $null where there is no such
# namespace. An empty list of instances is not the same as no class.
function Get-ClassTable([string]$Namespace) {
    $os = Get-Data os
    switch ($Namespace.Replace('/', '\').ToLower()) {
        'root\cimv2' { return $script:Cimv2 }
        'root\securitycenter2' { if ($os.product_type -eq 1) { return $script:SecurityCenter } }
        'root\rsop\computer' { return $script:Rsop }
        'root\mscluster' { if (Get-Data cluster) { return @{ MSCluster_Cluster = { Get-Data cluster } } } }
    }
}

function Get-OperatingSystem {
    $os = Get-Data os
    [ordered]@{
        Caption = $os.caption; Version = "$($os.version).$($os.build)"; BuildNumber = "$($os.build)"; ProductType = [uint32]$os.product_type
        OperatingSystemSKU = [uint32]$os.sku; OSLanguage = [uint32][Breakwater.Lab.State]::Data['locale']['lcid']; OSArchitecture = '64-bit'
        CSName = $os.computer; CSDVersion = $os.csd; ServicePackMajorVersion = [uint16]$(if ($os.csd) { 1 } else { 0 })
        LastBootUpTime = (Get-Time (Get-Data now)).AddDays((Get-Data boots) - 9); InstallDate = (Get-Time (Get-Data now)).AddDays(-700)
        SystemDirectory = 'C:\Windows\system32'; WindowsDirectory = 'C:\Windows'; Locale = [Breakwater.Lab.State]::Data['locale']['locale']
    }
}

function Get-ComputerSystem {
    $os = Get-Data os
    [ordered]@{
        Name = $os.computer; Domain = $os.domain; DomainRole = [uint16]$os.domain_role; PartOfDomain = [bool]($os.domain_role -in 1, 3, 4, 5)
        Workgroup = $(if ($os.domain_role -in 0, 2) { $os.domain }); Manufacturer = 'VMware, Inc.'; Model = 'VMware7,1'; DNSHostName = $os.computer
        TotalPhysicalMemory = [uint64]8589398016
    }
}

# Win32_BaseService: services and drivers; Win32_Service and Win32_SystemDriver are its halves.
function Get-ServiceInstance([int[]]$Types, [switch]$Process) {
    $modes = 'Boot', 'System', 'Auto', 'Manual', 'Disabled'
    $kinds = @{ 1 = 'Kernel Driver'; 2 = 'File System Driver'; 16 = 'Own Process'; 32 = 'Share Process'; 272 = 'Own Process' }
    $running = Get-Data services
    foreach ($name in $running.get_Keys()) {
        $key = "$script:Services\$name"
        $type = [Breakwater.Lab.Reg]::Get($key, 'Type')
        if ($type -notin $Types) { continue }
        $state = $running[$name]
        $instance = [ordered]@{
            Name = $name; DisplayName = [Breakwater.Lab.Reg]::Get($key, 'DisplayName'); State = $state.state; Started = $state.state -eq 'Running'
            StartMode = $modes[[Breakwater.Lab.Reg]::Get($key, 'Start')]; Status = 'OK'; ServiceType = $kinds[$type]
            PathName = [Breakwater.Lab.Reg]::Get($key, 'ImagePath'); StartName = [Breakwater.Lab.Reg]::Get($key, 'ObjectName')
            ErrorControl = 'Normal'; AcceptStop = $state.state -eq 'Running'; ExitCode = [uint32]0
        }
        if ($Process) { $instance.ProcessId = [uint32]$state.pid }
        $instance
    }
}

function Get-AdapterConfiguration {
    foreach ($adapter in Get-Data adapters) {
        $netbios = [Breakwater.Lab.Reg]::Get("$script:Services\NetBT\Parameters\Interfaces\Tcpip_$($adapter.guid)", 'NetbiosOptions')
        [ordered]@{
            Index = [uint32]$adapter.index; InterfaceIndex = [uint32]$adapter.index; SettingID = $adapter.guid; Description = $adapter.description
            Caption = "[{0:d8}] {1}" -f $adapter.index, $adapter.description; IPEnabled = $true; DHCPEnabled = [bool]$adapter.dhcp
            IPAddress = [string[]]@($adapter.addresses); MACAddress = $adapter.mac; TcpipNetbiosOptions = $(if ($null -ne $netbios) { [uint32]$netbios })
            WINSEnableLMHostsLookup = [Breakwater.Lab.Reg]::Get("$script:Services\NetBT\Parameters", 'EnableLMHOSTS') -ne 0; ServiceName = 'vmxnet3ndis6'
        }
    }
    # Adapters without addresses: every host has some.
    [ordered]@{
        Index = [uint32]0; InterfaceIndex = [uint32]2; SettingID = '{0A3D7E55-9C1B-4D7F-8E21-5B6C7D8E9F00}'; Description = 'Microsoft Kernel Debug Network Adapter'
        Caption = '[00000000] Microsoft Kernel Debug Network Adapter'; IPEnabled = $false; DHCPEnabled = $true; IPAddress = $null; MACAddress = $null
        TcpipNetbiosOptions = $null; WINSEnableLMHostsLookup = $null; ServiceName = 'kdnic'
    }
}

# 0: done; 84: the adapter has no addresses; 70: no such option. NetBT's sockets come and go at once.
function Set-TcpipNetbios([string]$Guid, [uint32]$Option) {
    if ($Option -gt 2) { return 70 }
    $found = @(Get-Data adapters | Where-Object { $_.guid -eq $Guid })
    if (-not $found.Count) { return 84 }
    [Breakwater.Lab.State]::Change({
        [Breakwater.Lab.Reg]::Set("$script:Services\NetBT\Parameters\Interfaces\Tcpip_$Guid", 'NetbiosOptions', $Option)
        $addresses = @(foreach ($adapter in Get-Data adapters) { if ($adapter.guid -eq $Guid) { $adapter.addresses } }) | Where-Object { $_ -notlike '*:*' }
        $listeners = [Breakwater.Lab.State]::Data['listeners']
        foreach ($socket in @($listeners | Where-Object { $addresses -contains $_.address -and $_.port -in 137, 138, 139 })) { $listeners.Remove($socket) }
        if ($Option -eq 2) { return }
        foreach ($address in $addresses) {
            foreach ($port in 139, 137, 138) { $null = $listeners.Add(@{ proto = $(if ($port -eq 139) { 'tcp' } else { 'udp' }); address = $address; port = $port; pid = 4 }) }
        }
    })
    0
}

function Get-OptionalFeature {
    $features = Get-Data features
    foreach ($name in $features.get_Keys()) {
        $state = $features[$name]
        [ordered]@{ Name = $name; Caption = $name; InstallState = [uint32]$(if ($state -is [string]) { @{ DisablePending = 2; EnablePending = 2 }[$state] } else { $state }) }
    }
}

# Text, month/day/year in every language, as WMI has it since Windows 7.
function Get-QuickFix {
    foreach ($update in Get-Data updates) {
        $date = ''
        if ($update.installed) { $parts = $update.installed -split '-'; $date = '{0}/{1}/{2}' -f [int]$parts[1], [int]$parts[2], $parts[0] }
        [ordered]@{
            HotFixID = $update.id; Description = 'Security Update'; InstalledOn = $date; InstalledBy = 'NT AUTHORITY\SYSTEM'
            Caption = "http://support.microsoft.com/?kbid=$($update.id.Substring(2))"; CSName = (Get-Data os).computer; ServicePackInEffect = ''
        }
    }
}

function Get-ShareType($Share) {
    $type = [uint32]@{ disk = 0; print = 1; device = 2; ipc = 3 }[$Share.type]
    if ($Share.special) { [uint32]($type + 2147483648) } else { $type }
}

function Get-ShareInstance {
    foreach ($share in Get-Data shares) {
        [ordered]@{
            Name = $share.name; Path = $share.path; Description = $share.description; Caption = $share.description; Type = Get-ShareType $share
            Status = 'OK'; AllowMaximum = $true; MaximumAllowed = $null; AccessMask = $null
        }
    }
}

# There is one only for a share with a security descriptor of its own: not for the administrative ones.
function Get-ShareSecurity {
    foreach ($share in Get-Data shares) {
        if (-not $share.special) { [ordered]@{ Name = $share.name; Caption = "Security settings of $($share.name)"; Description = "Security settings of $($share.name)"; SettingID = $null; ControlFlags = [uint32]32772 } }
    }
}

function Get-ShareDescriptor([string]$Name) {
    foreach ($share in Get-Data shares) {
        if ($share.name -ne $Name) { continue }
        $list = @(foreach ($entry in $share.access) {
            $account = $entry.account -split '\\'
            $trustee = [pscustomobject]@{ Name = $account[-1]; Domain = $(if ($account.Count -gt 1) { $account[0] }); SIDString = $entry.sid }
            [pscustomobject]@{ AccessMask = [uint32]$entry.mask; AceFlags = [uint32]0; AceType = [uint32]$(if ($entry.type -eq 'Deny') { 1 } else { 0 }); Trustee = $trustee }
        })
        return [pscustomobject]@{ ReturnValue = [uint32]0; Descriptor = [pscustomobject]@{ ControlFlags = [uint32]32772; DACL = $list; Owner = $null; Group = $null; SACL = $null } }
    }
    [pscustomobject]@{ ReturnValue = [uint32]2310; Descriptor = $null }
}

function Get-ServerConnection {
    $number = 0
    foreach ($session in Get-Data sessions) {
        $number++
        [ordered]@{
            ComputerName = $session.client; UserName = ($session.user -split '\\')[-1]; ShareName = $session.share; NumberOfFiles = [uint32]$session.opens
            NumberOfUsers = [uint32]1; ActiveTime = [uint32]$session.seconds; ConnectionID = [uint32]$number
        }
    }
}

function Get-ServerSession {
    foreach ($session in Get-Data sessions) {
        [ordered]@{
            ComputerName = $session.client; UserName = ($session.user -split '\\')[-1]; ActiveTime = [uint32]$session.seconds; IdleTime = [uint32]0
            ClientType = ''; ResourcesOpened = [uint32]$session.opens; SessionType = [uint32]0; TransportName = '\Device\Srv2'
        }
    }
}

function Get-Product([string]$Kind) {
    foreach ($product in (Get-Data security_center)[$Kind]) {
        [ordered]@{
            displayName = $product.displayName; instanceGuid = '{D68DDC3A-831F-4FAE-9E44-DA132C1ACF46}'; productState = [uint32]$product.productState
            pathToSignedProductExe = 'windowsdefender://'; pathToSignedReportingExe = '%ProgramFiles%\Windows Defender\MsMpeng.exe'; timestamp = ''
        }
    }
}

# The properties of RSoP's classes, those of which no instance exists included.
$script:RsopClasses = @{
    RSOP_GPO = 'id', 'name', 'guidName', 'enabled', 'accessDenied', 'filterAllowed', 'version', 'fileSystemPath'
    RSOP_RegistryPolicySetting = 'registryKey', 'valueName', 'valueType', 'deleted', 'command', 'precedence', 'GPOID'
    RSOP_RegistryValue = 'Path', 'Type', 'Data', 'precedence', 'GPOID', 'Status', 'ErrorCode'
    RSOP_SecuritySettingNumeric = 'KeyName', 'Setting', 'precedence', 'GPOID', 'Status', 'ErrorCode'
    RSOP_SecuritySettingBoolean = 'KeyName', 'Setting', 'precedence', 'GPOID', 'Status', 'ErrorCode'
    RSOP_SecuritySettingString = 'KeyName', 'Setting', 'precedence', 'GPOID', 'Status', 'ErrorCode'
    RSOP_UserPrivilegeRight = 'UserRight', 'AccountList', 'precedence', 'GPOID', 'Status', 'ErrorCode'
    RSOP_AuditPolicy = 'Category', 'Success', 'Failure', 'precedence', 'GPOID', 'Status', 'ErrorCode'
}

function Get-RsopInstance([string]$Class) {
    foreach ($found in (Get-Data rsop)[$Class]) {
        if ($null -eq $found) { continue }
        $instance = [ordered]@{}
        foreach ($name in $script:RsopClasses[$Class]) { $instance[$name] = $found[$name] }
        if ($instance.Contains('precedence')) { $instance['precedence'] = [uint32]$instance['precedence'] }
        $instance
    }
}

$script:Cimv2 = @{
    Win32_OperatingSystem = { Get-OperatingSystem }
    Win32_ComputerSystem = { Get-ComputerSystem }
    Win32_BaseService = { Get-ServiceInstance 1, 2, 16, 32, 272 }
    Win32_Service = { Get-ServiceInstance 16, 32, 272 -Process }
    Win32_SystemDriver = { Get-ServiceInstance 1, 2 }
    Win32_OptionalFeature = { Get-OptionalFeature }
    Win32_NetworkAdapterConfiguration = { Get-AdapterConfiguration }
    Win32_QuickFixEngineering = { Get-QuickFix }
    Win32_Share = { Get-ShareInstance }
    Win32_LogicalShareSecuritySetting = { Get-ShareSecurity }
    Win32_ServerConnection = { Get-ServerConnection }
    Win32_ServerSession = { Get-ServerSession }
}
$script:SecurityCenter = @{
    AntiVirusProduct = { Get-Product antivirus }
    FirewallProduct = { Get-Product firewall }
    AntiSpywareProduct = { Get-Product antispyware }
}
$script:Rsop = @{}
foreach ($class in $script:RsopClasses.get_Keys()) { $script:Rsop[$class] = [scriptblock]::Create("Get-RsopInstance $class") }

# The instances that a query asks for, or an error's name: namespace, class, query, denied.
function Find-Instance([string]$Namespace, [string]$Class, [string]$Filter, [string]$Query) {
    $user = [Breakwater.Lab.State]::UserName
    $space = $Namespace.Replace('/', '\')
    foreach ($rule in Get-Data denied_classes) {
        if (($rule.namespace -eq $space -or -not $rule.namespace) -and (-not $rule.class -or $rule.class -eq $Class) -and (-not $rule.users -or $rule.users -contains $user)) {
            return @{ fault = 'denied' }
        }
    }
    $table = Get-ClassTable $space
    if ($null -eq $table) { return @{ fault = 'namespace' } }
    try {
        if ($Query) { $wql = [Breakwater.Lab.Wql]::Query($Query); $Class = $wql.ClassName } else { $wql = [Breakwater.Lab.Wql]::Filter($Filter) }
        $name = @($table.get_Keys() | Where-Object { $_ -eq $Class })
        if (-not $name) { return @{ fault = 'class' } }
        $found = @(& $table[$name[0]] | Where-Object { $wql.Matches($_) })
        @{ class = $name[0]; space = $space; properties = @($wql.Properties); found = $found }
    } catch [Management.Automation.MethodInvocationException] {
        if ($_.Exception.InnerException -isnot [Breakwater.Lab.WqlException]) { throw }
        @{ fault = 'query' }
    }
}

function Get-CimInstance {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)][string]$ClassName, [string]$Namespace = 'root/cimv2', [string]$Filter, [string]$Query,
        [string[]]$Property, [switch]$KeyOnly, [uint32]$OperationTimeoutSec
    )
    if (Test-Denied $PSCmdlet) { return }
    $answer = Find-Instance $Namespace $ClassName $Filter $Query
    if (-not $answer.fault) { $answer.fault = Test-Property $answer @($Property) }
    if ($answer.fault) {
        $codes = @{ denied = 2, 2147749891, 'wmi_denied'; namespace = 3, 2147749902, 'invalid_namespace'; class = 5, 2147749904, 'invalid_class'; query = 1, 2147749911, 'invalid_query' }
        $code = $codes[$answer.fault]
        Write-Fault $PSCmdlet ([Breakwater.Lab.Errors]::Cim($code[0], $code[1], (Get-Message $code[2]), 'Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand', "${Namespace}:$ClassName"))
        return
    }
    $wanted = @($Property) + $answer.properties | Where-Object { $_ -and $_ -ne '*' }
    foreach ($instance in $answer.found) {
        $shown = [ordered]@{}
        foreach ($name in $instance.get_Keys()) { $shown[$name] = if (-not $wanted -or $wanted -contains $name) { $instance[$name] } }
        [Breakwater.Lab.Objects]::Cim($answer.space.Replace('\', '/'), $answer.class, $shown)
    }
}

# A property that the class lacks makes the query that the cmdlet sends invalid.
function Test-Property($Answer, [string[]]$Names) {
    foreach ($name in @($Names) + $Answer.properties) {
        if ($name -and $name -ne '*' -and $Answer.found.Count -and -not $Answer.found[0].Contains($name)) { return 'query' }
    }
}

function Get-WmiObject {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)][string]$Class, [Parameter(Position = 1)][string[]]$Property = '*', [string]$Namespace = 'root\cimv2',
        [string]$Filter, [string]$Query, [switch]$Recurse, [switch]$List
    )
    if (Test-Denied $PSCmdlet) { return }
    $answer = Find-Instance $Namespace $Class $Filter $Query
    if (-not $answer.fault) { $answer.fault = Test-Property $answer @($Property) }
    if ($answer.fault) {
        $codes = @{ denied = 'AccessDenied', 'wmi_denied'; namespace = 'InvalidNamespace', 'invalid_namespace'; class = 'InvalidClass', 'invalid_class'; query = 'InvalidQuery', 'invalid_query' }
        $code = $codes[$answer.fault]
        Write-Fault $PSCmdlet ([Breakwater.Lab.Errors]::Wmi([Management.ManagementStatus]$code[0], (Get-Message $code[1])))
        return
    }
    $wanted = @($Property) + $answer.properties | Where-Object { $_ -and $_ -ne '*' }
    foreach ($instance in $answer.found) {
        $shown = [ordered]@{}
        foreach ($name in $instance.get_Keys()) { if (-not $wanted -or $wanted -contains $name) { $shown[$name] = ConvertTo-DmtfDate $instance[$name] } }
        $object = [Breakwater.Lab.Objects]::Wmi($answer.space, $answer.class, $shown)
        if ($answer.class -eq 'Win32_LogicalShareSecuritySetting') {
            $ask = { Get-ShareDescriptor $this.Name }
            $object.PSObject.Methods.Add([Management.Automation.PSScriptMethod]::new('GetSecurityDescriptor', $ask))
        }
        if ($answer.class -eq 'Win32_NetworkAdapterConfiguration') {
            $set = { param($option) [pscustomobject]@{ ReturnValue = [uint32](Set-TcpipNetbios $this.SettingID $option) } }
            $object.PSObject.Methods.Add([Management.Automation.PSScriptMethod]::new('SetTcpipNetbios', $set))
        }
        $object
    }
}

function Invoke-CimMethod {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipeline)]$InputObject, [Parameter(Mandatory)][string]$MethodName, $Arguments)
    process {
        if (Test-Denied $PSCmdlet) { return }
        if ($InputObject.CimClass.CimClassName -eq 'Win32_LogicalShareSecuritySetting' -and $MethodName -eq 'GetSecurityDescriptor') {
            Get-ShareDescriptor $InputObject.Name
        } elseif ($InputObject.CimClass.CimClassName -eq 'Win32_NetworkAdapterConfiguration' -and $MethodName -eq 'SetTcpipNetbios') {
            [pscustomobject]@{ ReturnValue = [uint32](Set-TcpipNetbios $InputObject.SettingID $Arguments['TcpipNetbiosOptions']) }
        } else {
            Write-Fault $PSCmdlet ([Breakwater.Lab.Errors]::Cim(17, 2147749973, 'Invalid method', 'Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand', $InputObject))
        }
    }
}

function Invoke-WmiMethod {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)]$InputObject, [Parameter(Mandatory)][string]$Name)
    process {
        if (Test-Denied $PSCmdlet) { return }
        if ($Name -eq 'GetSecurityDescriptor') { Get-ShareDescriptor $InputObject.Name }
    }
}

# All Windows versions.
function Get-HotFix {
    [CmdletBinding()]
    param([string[]]$Id, [string]$ComputerName)
    if (Test-Denied $PSCmdlet) { return }
    Get-WmiObject -Class Win32_QuickFixEngineering | Where-Object { Test-Any $_.HotFixID $Id }
}
