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

# A feature with its parts; the change is done at the next start.
function Set-Feature([string]$Name, [string]$State, [int[]]$From) {
    [Breakwater.Lab.State]::Change({
        $features = Get-Data features
        foreach ($part in @($features.get_Keys() | Where-Object { $_ -eq $Name -or $_ -like "$Name-*" })) {
            if ($From -contains $features[$part]) { $features[$part] = $State }
        }
        $null = [Breakwater.Lab.State]::Make([Breakwater.Lab.State]::Root, $script:Servicing)
    })
}

function Disable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([switch]$Online, [Parameter(Mandatory)][string[]]$FeatureName, [switch]$NoRestart, [switch]$Remove)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($name in $FeatureName) { Set-Feature $name DisablePending 1 }
    [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $true }
}

function Enable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([switch]$Online, [Parameter(Mandatory)][string[]]$FeatureName, [switch]$NoRestart, [switch]$All)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($name in $FeatureName) { Set-Feature $name EnablePending 2, 3 }
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

function Set-ServerFeature([string]$Name, [string]$State, [string]$From) {
    [Breakwater.Lab.State]::Change({
        $features = Get-Data server_features
        foreach ($part in @($features.get_Keys() | Where-Object { $_ -eq $Name -or $_ -like "$Name-*" })) {
            if ($features[$part] -eq $From) { $features[$part] = $State }
        }
        $null = [Breakwater.Lab.State]::Make([Breakwater.Lab.State]::Root, $script:Servicing)
    })
    [pscustomobject]@{ Success = $true; RestartNeeded = 'Yes'; ExitCode = 'SuccessRestartRequired'; FeatureResult = @() }
}

function Uninstall-WindowsFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [switch]$Remove, [switch]$Restart)
    if (-not (Test-Denied $PSCmdlet)) { Set-ServerFeature $Name UninstallPending Installed }
}

function Install-WindowsFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [switch]$IncludeAllSubFeature, [switch]$Restart)
    if (-not (Test-Denied $PSCmdlet)) { Set-ServerFeature $Name InstallPending Available }
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
