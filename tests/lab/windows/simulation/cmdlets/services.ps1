# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Services (all versions; StartType since PowerShell 5.0) and access lists of files.

# PowerShell's type table adds Name and RequiredServices, aliases of what is here.
function Get-ServiceObject([string]$Name) {
    $key = "$script:Services\$Name"
    $state = (Get-Data services)[$Name]
    $shown = [ordered]@{
        PSTypeName = 'System.ServiceProcess.ServiceController'; ServiceName = $Name; DisplayName = [Breakwater.Lab.Reg]::Get($key, 'DisplayName')
        Status = [ServiceProcess.ServiceControllerStatus]$state.state; CanStop = $state.state -eq 'Running'
        ServicesDependedOn = @([Breakwater.Lab.Reg]::Get($key, 'DependOnService'))
    }
    if (Test-Since '10.0') { $shown.StartType = [ServiceProcess.ServiceStartMode]([Breakwater.Lab.Reg]::Get($key, 'Start')) }
    [pscustomobject]$shown
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
        if ([Breakwater.Lab.Reg]::Get("$script:Services\$found", 'Start') -eq 4) {
            $disabled = [InvalidOperationException]::new("Service '$found' cannot be started.")
            Write-Fault $PSCmdlet (New-Record $disabled 'CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand' 'OpenError' $found)
        } else {
            Set-ServiceState $found Running
        }
    }
}

function Stop-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name, [switch]$Force)
    if (Test-Denied $PSCmdlet) { return }
    Set-ServiceState @(Find-Service $PSCmdlet $Name) Stopped
}

function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][string[]]$Name, [switch]$Force)
    if (Test-Denied $PSCmdlet) { return }
    Set-ServiceState @(Find-Service $PSCmdlet $Name) Running
}

# Access lists of files are not simulated: everything belongs to administrators.
function Get-Acl {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath)
    [pscustomobject]@{ Path = "$Path$LiteralPath"; Owner = 'BUILTIN\Administrators'; Sddl = 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'; Access = @() }
}

function Set-Acl {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath, [Parameter(Position = 1)]$AclObject)
    $null = $Path, $LiteralPath, $AclObject
}
