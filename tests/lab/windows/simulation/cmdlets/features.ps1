# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Module Dism (Windows 8 and Server 2012), module ServerManager (servers), Defender (Windows 10 and Server 2016), cluster.

$script:Servicing = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'

function Get-FeatureState($State) {
    if ($State -is [string]) { return [Microsoft.Dism.Commands.FeatureState]$State }
    [Microsoft.Dism.Commands.FeatureState]@{ 1 = 'Enabled'; 2 = 'Disabled'; 3 = 'DisabledWithPayloadRemoved' }[$State]
}

function Get-WindowsOptionalFeature {
    [CmdletBinding()]
    param([switch]$Online, [string]$FeatureName, [string]$Path)
    if (Test-Denied $PSCmdlet) { return }
    $features = Get-Data features
    if ($FeatureName -and -not $features.Contains($FeatureName)) {
        Write-Fault $PSCmdlet (New-ComFault 0x800F080CL (Get-Message unknown_feature $FeatureName) 'Microsoft.Dism.Commands.GetWindowsOptionalFeatureCommand')
        return
    }
    foreach ($name in $features.get_Keys()) {
        if ($FeatureName -and $name -ne $FeatureName) { continue }
        [pscustomobject]@{
            PSTypeName = 'Microsoft.Dism.Commands.AdvancedFeatureObject'; FeatureName = $name; DisplayName = $name; Description = ''
            RestartRequired = [Microsoft.Dism.Commands.RestartType]'Possible'; CustomProperties = ''; State = Get-FeatureState $features[$name]
            Path = 'Online'; Online = $true; RestartNeeded = $false
        }
    }
}

# SMB1 is one thing under two names: the role's feature and the component behind it.
$script:Twins = @{ 'FS-SMB1' = 'SMB1Protocol'; 'FS-SMB1-CLIENT' = 'SMB1Protocol-Client'; 'FS-SMB1-SERVER' = 'SMB1Protocol-Server' }

# A feature with its parts; the change is done at the next start, and taken back it was never made.
function Set-Feature([string]$Name, [bool]$Enabled) {
    [Breakwater.Lab.State]::Change({
        $features = Get-Data features
        $moves = if ($Enabled) { @{ 2 = 'EnablePending'; 3 = 'EnablePending'; DisablePending = 1 } } else { @{ 1 = 'DisablePending'; EnablePending = 2 } }
        foreach ($part in @($features.get_Keys() | Where-Object { $_ -eq $Name -or $_ -like "$Name-*" })) {
            if ($moves.Contains($features[$part])) { $features[$part] = $moves[$features[$part]] }
        }
        foreach ($twin in $script:Twins.get_Keys()) {
            $part = $script:Twins[$twin]
            $shown = @{ '1' = 'Installed'; '2' = 'Available'; '3' = 'Removed'; EnablePending = 'InstallPending'; DisablePending = 'UninstallPending' }["$($features[$part])"]
            if ($shown -and (Get-Data server_features) -and (Get-Data server_features).Contains($twin)) { (Get-Data server_features)[$twin] = $shown }
        }
        $null = [Breakwater.Lab.State]::Make([Breakwater.Lab.State]::Root, $script:Servicing)
    })
}

function Test-Feature($Cmdlet, [string]$Name) {
    if ((Get-Data features).Contains($Name)) { return $true }
    $class = "Microsoft.Dism.Commands.$($Cmdlet.MyInvocation.MyCommand.Name.Replace('-', ''))Command"
    Write-Fault $Cmdlet (New-ComFault 0x800F080CL (Get-Message unknown_feature $Name) $class)
    $false
}

function Disable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([switch]$Online, [Parameter(Mandatory)][string[]]$FeatureName, [switch]$NoRestart, [switch]$Remove)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($name in $FeatureName) { if (Test-Feature $PSCmdlet $name) { Set-Feature $name $false } }
    [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $true }
}

function Enable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([switch]$Online, [Parameter(Mandatory)][string[]]$FeatureName, [switch]$NoRestart, [switch]$All)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($name in $FeatureName) {
        if (-not (Test-Feature $PSCmdlet $name)) { continue }
        $parent = ($name -split '-')[0]
        if ($parent -ne $name -and (Get-Data features)[$parent] -in 2, 3, 'DisablePending') {
            if (-not $All) {
                $class = 'Microsoft.Dism.Commands.EnableWindowsOptionalFeatureCommand'
                Write-Fault $PSCmdlet (New-ComFault 0x800F0826L 'A parent feature is disabled.' $class)
                continue
            }
            Set-Feature $parent $true
        }
        Set-Feature $name $true
    }
    [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $true }
}

# Servers; a name that no feature has is no error. InstallState came with Server 2012.
function Get-WindowsFeature {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name)
    if (Test-Denied $PSCmdlet) { return }
    $features = Get-Data server_features
    foreach ($feature in $features.get_Keys()) {
        if (-not (Test-Any $feature $Name)) { continue }
        $shown = [ordered]@{ PSTypeName = 'Microsoft.Windows.ServerManager.Commands.Feature'; Name = $feature; DisplayName = $feature; Installed = $features[$feature] -in 'Installed', 'UninstallPending' }
        if (Test-Since '6.2') { $shown.InstallState = [Microsoft.Windows.ServerManager.Commands.InstallState]$features[$feature] }
        $shown.FeatureType = 'Feature'; $shown.Path = $feature; $shown.Depth = 1
        [pscustomobject]$shown
    }
}

function Set-ServerFeature([string]$Name, [bool]$Installed) {
    if ($script:Twins[$Name]) {
        Set-Feature $script:Twins[$Name] $Installed
    } else {
        [Breakwater.Lab.State]::Change({
            $features = Get-Data server_features
            $moves = if ($Installed) { @{ Available = 'InstallPending'; Removed = 'InstallPending'; UninstallPending = 'Installed' } } else { @{ Installed = 'UninstallPending'; InstallPending = 'Available' } }
            foreach ($part in @($features.get_Keys() | Where-Object { $_ -eq $Name -or $_ -like "$Name-*" })) {
                if ($moves.Contains($features[$part])) { $features[$part] = $moves[$features[$part]] }
            }
            $null = [Breakwater.Lab.State]::Make([Breakwater.Lab.State]::Root, $script:Servicing)
        })
    }
    [pscustomobject]@{ Success = $true; RestartNeeded = 'Yes'; ExitCode = 'SuccessRestartRequired'; FeatureResult = @() }
}

function Uninstall-WindowsFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [switch]$Remove, [switch]$Restart)
    if (-not (Test-Denied $PSCmdlet)) { Set-ServerFeature $Name $false }
}

function Install-WindowsFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [switch]$IncludeAllSubFeature, [switch]$Restart)
    if (-not (Test-Denied $PSCmdlet)) { Set-ServerFeature $Name $true }
}

# Windows 10 and Server 2016 on; without Defender's service the class has no provider to answer.
function Get-MpComputerStatus {
    [CmdletBinding()]
    param()
    if (Test-Denied $PSCmdlet) { return }
    $status = Get-Data defender
    if (-not $status) {
        Write-Fault $PSCmdlet ([Breakwater.Lab.Errors]::Cim(1, 2147944122, '0x800106ba', '', 'ROOT/Microsoft/Windows/Defender:MSFT_MpComputerStatus'))
        return
    }
    $shown = [ordered]@{}
    foreach ($name in $status.get_Keys()) { $shown[$name] = if ($name -like '*Age') { [uint32]$status[$name] } else { $status[$name] } }
    $shown.AntivirusSignatureLastUpdated = (Get-Time (Get-Data now)).AddDays(-1 * $status.AntivirusSignatureAge)
    $shown.AMProductVersion = '4.18.25090.3009'
    $shown.NISEnabled = $status.RealTimeProtectionEnabled
    [Breakwater.Lab.Objects]::Cim('ROOT/Microsoft/Windows/Defender', 'MSFT_MpComputerStatus', $shown)
}

function Get-Cluster {
    [CmdletBinding()]
    param()
    if (Test-Denied $PSCmdlet) { return }
    [pscustomobject](Get-Data cluster)
}
