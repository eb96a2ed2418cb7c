# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Services (all versions; StartType since PowerShell 5.0).

# PowerShell's type table adds Name and RequiredServices, aliases of what is here.
function Get-ServiceObject([string]$Name) {
    $key = "$script:Services\$Name"
    $state = (Get-Data services)[$Name]
    $shown = [ordered]@{
        PSTypeName = 'System.ServiceProcess.ServiceController'; ServiceName = $Name; DisplayName = [Breakwater.Lab.Reg]::Get($key, 'DisplayName')
        Status = [ServiceProcess.ServiceControllerStatus]$state.state; CanStop = $state.state -eq 'Running'
        ServicesDependedOn = @([Breakwater.Lab.Reg]::Get($key, 'DependOnService'))
        DependentServices = @(Find-Dependent $Name | ForEach-Object {
            [pscustomobject]@{ PSTypeName = 'System.ServiceProcess.ServiceController'; ServiceName = $_; Status = [ServiceProcess.ServiceControllerStatus](Get-Data services)[$_].state }
        })
    }
    if (Test-Since '10.0') { $shown.StartType = [ServiceProcess.ServiceStartMode]([Breakwater.Lab.Reg]::Get($key, 'Start')) }
    [pscustomobject]$shown
}

# Names of the services that cannot run without this one, those of theirs included.
function Find-Dependent([string]$Name) {
    $found = @()
    $wanted = @($Name)
    while ($wanted.Count) {
        $wanted = @(foreach ($other in (Get-Data services).get_Keys()) {
            $needs = @([Breakwater.Lab.Reg]::Get("$script:Services\$other", 'DependOnService'))
            if ($found -notcontains $other -and @($needs | Where-Object { $wanted -contains $_ }).Count) { $other }
        })
        $found += $wanted
    }
    $found
}

# Whether a service can start: it and all that it needs is there and not disabled. What the host's data does not hold runs.
function Test-Start([string]$Name) {
    $key = "$script:Services\$Name"
    if (-not [Breakwater.Lab.Reg]::Exists($key)) { return $Name -notin 'mrxsmb10', 'srv' }
    if ([Breakwater.Lab.Reg]::Get($key, 'Start') -eq 4 -and (Get-Data services)[$Name].state -ne 'Running') { return $false }
    foreach ($needed in [Breakwater.Lab.Reg]::Get($key, 'DependOnService')) { if ($needed -and -not (Test-Start $needed)) { return $false } }
    $true
}

# Names of services of its own that a command means; drivers only where they are named.
function Find-Service($Cmdlet, [string[]]$Name) {
    $all = (Get-Data services).get_Keys()
    foreach ($wanted in $Name) {
        $wild = [Management.Automation.WildcardPattern]::ContainsWildcardCharacters($wanted)
        $found = @($all | Where-Object { $_ -like $wanted -and (-not $wild -or [Breakwater.Lab.Reg]::Get("$script:Services\$_", 'Type') -gt 2) })
        if (-not $found.Count -and -not $wild) {
            $missing = [Exception]::new((Get-Message no_service $wanted))
            Write-Fault $Cmdlet (New-Record $missing "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.$($Cmdlet.MyInvocation.MyCommand.Name.Replace('-', ''))Command" 'ObjectNotFound' $wanted)
        }
        $found
    }
}

function Get-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][string[]]$Name = '*')
    process {
        if (Test-Denied $PSCmdlet) { return }
        foreach ($found in @(Find-Service $PSCmdlet $Name | Sort-Object -Unique)) { Get-ServiceObject $found }
    }
}

function Set-ServiceState([string[]]$Names, [string]$State) {
    [Breakwater.Lab.State]::Change({ foreach ($name in $Names) { (Get-Data services)[$name].state = $State } })
}

function Set-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [string]$StartupType, [string]$Status)
    if (Test-Denied $PSCmdlet) { return }
    $found = @(Find-Service $PSCmdlet $Name)
    if (-not $found.Count) { return }
    $starts = @{ Automatic = 2; Manual = 3; Disabled = 4; AutomaticDelayedStart = 2 }
    if ($StartupType) { [Breakwater.Lab.Reg]::Set("$script:Services\$($found[0])", 'Start', $starts[$StartupType]) }
    if ($Status) { Set-ServiceState $found $Status }
}

function Start-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($found in @(Find-Service $PSCmdlet $Name)) {
        if ([Breakwater.Lab.Reg]::Get("$script:Services\$found", 'Start') -eq 4 -or -not (Test-Start $found)) {
            Write-ServiceFault $PSCmdlet "Service '$found' cannot be started." 'CouldNotStartService' 'OpenError' $found
        } else {
            Set-ServiceState $found Running
        }
    }
}

function Write-ServiceFault($Cmdlet, [string]$Text, [string]$Id, [string]$Category, $Target) {
    $class = "Microsoft.PowerShell.Commands.$($Cmdlet.MyInvocation.MyCommand.Name.Replace('-', ''))Command"
    Write-Fault $Cmdlet (New-Record ([InvalidOperationException]::new($Text)) "$Id,$class" $Category $Target)
}

# Without -Force, a service that others need is not stopped.
function Stop-Tree($Cmdlet, [string]$Name, [bool]$Force) {
    $others = @(Find-Dependent $Name | Where-Object { (Get-Data services)[$_].state -eq 'Running' })
    if ($others.Count -and -not $Force) {
        Write-ServiceFault $Cmdlet "Cannot stop service '$Name' because it has dependent services." 'ServiceHasDependentServices' 'InvalidOperation' $Name
        return
    }
    Set-ServiceState (@($others) + $Name) Stopped
    , (@($Name) + $others)
}

function Stop-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name, [switch]$Force)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($found in @(Find-Service $PSCmdlet $Name)) { $null = Stop-Tree $PSCmdlet $found $Force }
}

# What it stopped it starts again; one that does not start leaves the rest stopped.
function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name, [switch]$Force)
    if (Test-Denied $PSCmdlet) { return }
    foreach ($found in @(Find-Service $PSCmdlet $Name)) {
        foreach ($stopped in @(Stop-Tree $PSCmdlet $found $Force)) {
            foreach ($one in $stopped) {
                if ([Breakwater.Lab.Access]::Broken($one) -or -not (Test-Start $one)) {
                    Write-ServiceFault $PSCmdlet "Failed to start service '$one'." 'StartServiceFailed' 'OpenError' $one
                    return
                }
                Set-ServiceState $one Running
            }
        }
    }
}
