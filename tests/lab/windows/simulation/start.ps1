# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes this PowerShell look like that of a simulated host. Loaded as a profile, before the script under test.
# BREAKWATER_LAB: library, state file, user and folder of the simulation, one per line.

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$bw_lab = $env:BREAKWATER_LAB -split "`n"
# By .NET: a cmdlet would load its whole module.
[Environment]::SetEnvironmentVariable('BREAKWATER_LAB', $null)
Import-Module -Name $bw_lab[0] -Scope Global
[Breakwater.Lab.State]::Load($bw_lab[1], $bw_lab[2])
$bw_data = [Breakwater.Lab.State]::Data

# PowerShell 2.0 has no cmdlet of a later version. Nothing is loaded by itself afterwards: what exists is here already.
foreach ($bw_module in 'Microsoft.PowerShell.Management', 'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Security') {
    Import-Module -Name $bw_module -Cmdlet $bw_data.builtins -Scope Global
}
$PSModuleAutoLoadingPreference = 'None'

New-Module -Name Simulation -ArgumentList $bw_lab[3], $bw_data.commands -ScriptBlock {
    param($folder, $commands)
    foreach ($file in [IO.Directory]::GetFiles("$folder/cmdlets", '*.ps1')) { . $file }
    Export-ModuleMember -Function $commands
} | Import-Module -Scope Global

# What the version table of Windows PowerShell says, by whatever name.
foreach ($bw_name in 'GitCommitId', 'OS', 'Platform', 'PSEdition') { $PSVersionTable.Remove($bw_name) }
$bw_shell = $bw_data.powershell
$PSVersionTable.PSVersion = [version]$bw_shell.table
$PSVersionTable.CLRVersion = [version]$bw_shell.clr
if ($bw_shell.edition) { $PSVersionTable.PSEdition = $bw_shell.edition }
$PSVersionTable.WSManStackVersion = [version]$(if ($bw_shell.version -eq '2.0') { '2.0' } else { '3.0' })
$PSVersionTable.PSRemotingProtocolVersion = [version]$bw_shell.protocol
$PSStyle.OutputRendering = 'PlainText'
foreach ($bw_name in 'Error', 'ErrorAccent', 'Warning', 'Verbose', 'Debug') { $PSStyle.Formatting.$bw_name = '' }
$ErrorView = 'NormalView'
[Globalization.CultureInfo]::CurrentCulture = [Breakwater.Lab.Culture]::Named($bw_data.locale.culture)
[Globalization.CultureInfo]::CurrentUICulture = [Globalization.CultureInfo]::CurrentCulture
Remove-Variable -Name bw_module, bw_name, bw_lab, bw_shell
$ErrorActionPreference = 'Continue'
$ProgressPreference = 'Continue'
if ($bw_data.powershell.language_mode) {
    Remove-Variable -Name bw_data
    $ExecutionContext.SessionState.LanguageMode = [Breakwater.Lab.State]::Data.powershell.language_mode
} else {
    Remove-Variable -Name bw_data
}
