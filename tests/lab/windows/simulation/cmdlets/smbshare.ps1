# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Module SmbShare: shares, sessions, connections, interfaces, SMB over QUIC.

function ConvertTo-SmbType([string]$Type, $Value) { [Breakwater.Lab.Types]::Member("SmbShare.$Type", $Value) }

function Get-SmbShareObject($Share) {
    $type = @{ disk = 'FileSystemDirectory'; print = 'PrintQueue'; ipc = 'InterprocessCommunication' }[$Share.type]
    $shown = [ordered]@{
        ShareState = ConvertTo-SmbType ShareState 'Online'
        AvailabilityType = ConvertTo-SmbType AvailabilityType $(if ($Share.scope -and $Share.scope -ne '*') { 'Clustered' } else { 'NonClustered' })
        ShareType = ConvertTo-SmbType ShareType $type
        FolderEnumerationMode = ConvertTo-SmbType FolderEnumerationMode $(if ($Share.enumeration) { $Share.enumeration } else { 'Unrestricted' })
        CachingMode = ConvertTo-SmbType CachingMode $(if ($Share.caching) { $Share.caching } else { 'Manual' })
    }
    if (Test-Since '10.0.14393') { $shown.SmbInstance = ConvertTo-SmbType SmbInstance 'Default' }
    if (Test-Since '10.0.20348') { $shown.LeasingMode = ConvertTo-SmbType LeasingMode 'Full' }
    $shown += [ordered]@{
        CATimeout = [uint32]0; ConcurrentUserLimit = [uint32]0; ContinuouslyAvailable = [bool]$Share.continuous; CurrentUsers = [uint32]$Share.users
        Description = $Share.description; EncryptData = [bool]$Share.encrypt; Name = $Share.name; Path = $Share.path; Scoped = $false
        ScopeName = $(if ($Share.scope) { $Share.scope } else { '*' }); SecurityDescriptor = $Share.sddl; ShadowCopy = $false; Special = [bool]$Share.special; Temporary = $false; Volume = '\\?\Volume{9d7f1b0e-0000-0000-0000-100000000000}\'
    }
    if (Test-Since '10.0.17763') { $shown.IdentityRemoting = $false; $shown.Infrastructure = $false }
    if (Test-Since '10.0.20348') { $shown.CompressData = $false }
    if (Test-Since '10.0.26100') { $shown.IsolatedTransport = $false; $shown.DirectoryHandleLeasing = $true }
    [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbShare', $shown)
}

function Get-SmbShare {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [Parameter(Position = 1)][string[]]$ScopeName, [bool[]]$Special, [switch]$IncludeHidden)
    if (Test-Denied $PSCmdlet) { return }
    $all = Get-Data shares
    foreach ($wanted in @($Name | Where-Object { $_ -and -not [Management.Automation.WildcardPattern]::ContainsWildcardCharacters($_) })) {
        if (-not @($all | Where-Object { $_.name -eq $wanted }).Count) { Write-NotFound $PSCmdlet MSFT_SmbShare Name $wanted }
    }
    foreach ($share in $all) {
        if ((Test-Any $share.name $Name) -and (-not $Special -or $Special -contains [bool]$share.special)) { Get-SmbShareObject $share }
    }
}

function Set-SmbShare {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ParameterSetName = 'Name')][string[]]$Name, [Parameter(Mandatory, ValueFromPipeline, ParameterSetName = 'Object')]$InputObject,
        [bool]$EncryptData, [string]$CachingMode, [string]$FolderEnumerationMode, [string]$Description, [switch]$Force, [switch]$PassThru
    )
    if (Test-Denied $PSCmdlet) { return }
    if ($InputObject) { $Name = $InputObject.Name }
    $bound = $PSBoundParameters
    if (-not ($Force -or $PSCmdlet.ShouldProcess("$Name", 'Set-Share'))) { return }
    [Breakwater.Lab.State]::Change({
        foreach ($share in Get-Data shares | Where-Object { $Name -contains $_.name }) {
            foreach ($pair in ('EncryptData', 'encrypt'), ('CachingMode', 'caching'), ('FolderEnumerationMode', 'enumeration'), ('Description', 'description')) {
                if ($bound.ContainsKey($pair[0])) { $share[$pair[1]] = $bound[$pair[0]] }
            }
        }
    })
    if ($PassThru) { Get-SmbShare -Name $Name }
}

function Get-SmbShareAccess {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][string[]]$Name)
    process {
        if (Test-Denied $PSCmdlet) { return }
        foreach ($share in Get-Data shares) {
            if (-not (Test-Any $share.name $Name)) { continue }
            foreach ($entry in $share.access) {
                [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbShareAccessControlEntry', [ordered]@{
                    AccessControlType = ConvertTo-SmbType AccessControlType $entry.type; AccessRight = ConvertTo-SmbType ShareAccessRight $entry.right
                    AccountName = $entry.account; Name = $share.name; ScopeName = '*'
                })
            }
        }
    }
}

# Signing and encryption of a session are not told; an open file tells both.
function Get-SmbSession {
    [CmdletBinding()]
    param([string[]]$ClientComputerName, [string[]]$ClientUserName, [switch]$IncludeHidden)
    if (Test-Denied $PSCmdlet) { return }
    $number = 0
    foreach ($session in Get-Data sessions) {
        $number++
        if (-not (Test-Any $session.client $ClientComputerName) -or -not (Test-Any $session.user $ClientUserName)) { continue }
        $shown = [ordered]@{}
        if (Test-Since '10.0.14393') { $shown.SmbInstance = ConvertTo-SmbType SmbInstance 'Default' }
        $shown += [ordered]@{
            ClientComputerName = $session.client; ClientUserName = $session.user; ClusterNodeName = ''; Dialect = $session.dialect; NumOpens = [uint64]$session.opens
            ScopeName = '*'; SecondsExists = [uint32]$session.seconds; SecondsIdle = [uint32]0; SessionId = [uint64](4398046511104 + $number)
            TransportName = '\Device\Srv2'
        }
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbSession', $shown)
    }
}

function Get-SmbOpenFile {
    [CmdletBinding()]
    param([string[]]$ClientComputerName)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($open in Get-Data open_files) {
        if (-not (Test-Any $open.client $ClientComputerName)) { continue }
        $number = 0
        foreach ($session in Get-Data sessions) {
            $number++
            if ($session.client -eq $open.client -and $session.user -eq $open.user) { break }
        }
        $shown = [ordered]@{
            ClientComputerName = $open.client; ClientUserName = $open.user; ClusterNodeName = ''; ContinuouslyAvailable = $false; FileId = [uint64]$open.id
            Locks = [uint32]0; Path = $open.path; Permissions = [uint32]1179785; ScopeName = '*'; SessionId = [uint64](4398046511104 + $number)
            ShareRelativePath = $open.relative
        }
        if (Test-Since '10.0.14393') { $shown.Encrypted = [bool]$open.encrypted; $shown.Signed = [bool]$open.signed }
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbOpenFile', $shown)
    }
}

# Signed came with Windows 10 1607; an encrypted connection reports Signed as False.
function Get-SmbConnection {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$ServerName, [string[]]$UserName)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($connection in Get-Data connections) {
        if (-not (Test-Any $connection.server $ServerName) -or -not (Test-Any $connection.user $UserName)) { continue }
        $shown = [ordered]@{}
        if (Test-Since '10.0.14393') { $shown.SmbInstance = ConvertTo-SmbType SmbInstance 'Default' }
        $shown += [ordered]@{
            ContinuouslyAvailable = $false; Credential = $connection.user; Dialect = $connection.dialect; Encrypted = [bool]$connection.encrypted
            NumOpens = [uint64]1; Redirected = $false; ServerName = $connection.server; ShareName = $connection.share; UserName = $connection.user
        }
        if (Test-Since '10.0.14393') { $shown.Signed = [bool]$connection.signed }
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbConnection', $shown)
    }
}

function Get-SmbServerNetworkInterface {
    [CmdletBinding()]
    param()
    if (Test-Denied $PSCmdlet) { return }
    foreach ($adapter in Get-Data adapters) {
        if (-not $adapter.bindings.ms_server) { continue }
        foreach ($address in $adapter.addresses) {
            [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbServerNetworkInterface', [ordered]@{
                FriendlyName = $adapter.alias; InterfaceIndex = [uint32]$adapter.index; IpAddress = $address; LinkSpeed = [uint64]$adapter.speed
                RdmaCapable = [bool]$adapter.rdma; RssCapable = [bool]$adapter.rss; ScopeName = '*'
            })
        }
    }
}

function Get-SmbServerCertificateMapping {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name, [Parameter(Position = 1)][string[]]$Subject, [string[]]$Thumbprint, [switch]$IncludeHidden)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($mapping in (Get-Data quic).mappings) {
        if (-not (Test-Any $mapping.name $Name) -or -not (Test-Any $mapping.thumbprint $Thumbprint)) { continue }
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbServerCertificateMapping', [ordered]@{
            Type = ConvertTo-SmbType Type 'QUIC'; Flags = ConvertTo-SmbType Flags 'None'; DisplayName = $mapping.name; Name = $mapping.name
            RequireClientAuthentication = [bool]$mapping.require_client_auth; SkipClientCertificateAccessCheck = [bool]$mapping.skip_access_check
            StoreName = 'My'; Subject = $mapping.subject; Thumbprint = $mapping.thumbprint
        })
    }
}

function Get-SmbClientAccessToServer {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($entry in (Get-Data quic).client_access) {
        if (-not (Test-Any $entry.name $Name)) { continue }
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbClientAccessToServer', [ordered]@{
            Name = $entry.name; IdentifierType = $entry.type; Identifier = $entry.identifier; AccessControlType = ConvertTo-SmbType AccessControlType $entry.access
            Description = $entry.description
        })
    }
}

function Get-SmbServerAlternativePort {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$TransportType, [Parameter(Position = 1)][uint16[]]$Port, [switch]$IncludeHidden)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($entry in (Get-Data quic).ports) {
        [Breakwater.Lab.Objects]::Cim($script:Smb, 'MSFT_SmbServerAlternativePort', [ordered]@{
            TransportType = ConvertTo-SmbType TransportType $entry.transport; Port = [uint16]$entry.port; EnabledInstances = 'Default'
        })
    }
}
