# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the simulated cmdlets share. The host's data is read anew every time: a change replaces it.

$script:Services = 'SYSTEM\CurrentControlSet\Services'
$script:Smb = 'ROOT/Microsoft/Windows/SMB'

# Part of the host's data: a list item by item, an object as it is; nothing where there is none.
function Get-Data([string]$Name) {
    $value = [Breakwater.Lab.State]::Data[$Name]
    if ($null -ne $value) { $value }
}

# A message in the host's language.
function Get-Message([string]$Name) {
    $text = [Breakwater.Lab.State]::Data['locale']['messages'][$Name]
    if ($args.Count) { $text -f $args } else { $text }
}

function New-ComFault([uint32]$Code, [string]$Message, [string]$Id) { [Breakwater.Lab.Errors]::Com($Code, $Message, $Id) }

function New-Record([Exception]$Exception, [string]$Id, [string]$Category, $Target) {
    [Breakwater.Lab.Errors]::Make($Exception, $Id, [Management.Automation.ErrorCategory]$Category, $Target)
}

# Whether this user is refused the command on this host; if so, the error that Windows raises has been written.
# A command that the host's data denies raises the same error as one that needs elevation.
function Test-Denied($Cmdlet) {
    $name = $Cmdlet.MyInvocation.MyCommand.Name
    $kind = [Breakwater.Lab.Access]::Kind($name)
    if (-not [Breakwater.Lab.Access]::Refuses($name) -and ([Breakwater.Lab.State]::Elevated -or -not $kind -or $kind -eq 'log')) { return $false }
    Write-Fault $Cmdlet (Get-Refusal $name $kind)
    $true
}

function Get-Refusal([string]$Name, [string]$Kind) {
    switch ($Kind) {
        'smb' { return [Breakwater.Lab.Errors]::Cim(2, 5, (Get-Message access_denied), '', 'ROOT/Microsoft/Windows/SMB') }
        'dism' { return New-ComFault 0x800702E4L (Get-Message elevation) "Microsoft.Dism.Commands.$($Name.Replace('-', ''))Command" }
        'role' { return New-Record ([Exception]::new((Get-Message no_privilege))) "DISMAPI_Error__Failed_To_Enable_Updates,Microsoft.Windows.ServerManager.Commands.$($Name.Replace('-', ''))Command" 'PermissionDenied' $null }
        'scm' { return New-Record ([InvalidOperationException]::new((Get-Message scm_denied))) "System.InvalidOperationException,Microsoft.PowerShell.Commands.$($Name.Replace('-', ''))Command" 'NotSpecified' $null }
        default {
            if ($Name -in 'Get-WmiObject', 'Invoke-WmiMethod', 'Get-HotFix') {
                return [Breakwater.Lab.Errors]::Wmi([Management.ManagementStatus]::AccessDenied, (Get-Message wmi_denied))
            }
            return [Breakwater.Lab.Errors]::Cim(2, 2147749891, (Get-Message wmi_denied), '', 'root\cimv2')
        }
    }
}

# Write an error as the real command does: a compiled cmdlet obeys the preference of whoever calls it, a function of a
# script module only the global one (and -ErrorAction, both).
function Write-Fault($Cmdlet, $Record) {
    $script = $Cmdlet.MyInvocation.MyCommand.Name -match '-(Smb|Net|Mp)'
    $ErrorActionPreference = if ($script) { $global:ErrorActionPreference } else { $Cmdlet.GetVariableValue('ErrorActionPreference') }
    $Cmdlet.WriteError($Record)
}

# CDXML cmdlets that ask by a key and find nothing.
function Write-NotFound($Cmdlet, [string]$Class, [string]$Property, $Value) {
    $text = Get-Message not_found $Class $Property $Value
    Write-Fault $Cmdlet (New-Record ([Exception]::new($text)) "CmdletizationQuery_NotFound_$Property" 'ObjectNotFound' $Value)
}

# CDXML cmdlets that ask by a filter and find nothing.
function Write-NoMatch($Cmdlet, [string]$Class) {
    $text = Get-Message no_match $Class
    Write-Fault $Cmdlet (New-Record ([Exception]::new($text)) 'CmdletizationQuery_NotFound' 'ObjectNotFound' $Class)
}

# A command of the host's own version: 6.2, 10.0.26100 and so on.
function Test-Since([string]$Version) { [version]([Breakwater.Lab.State]::Data['os']['full']) -ge [version]$Version }

# Whether a name matches one of the wildcards; no wildcard given means all.
function Test-Any($Value, [string[]]$Patterns) {
    if (-not $Patterns) { return $true }
    foreach ($pattern in $Patterns) { if ($Value -like $pattern) { return $true } }
    $false
}

function Get-Time([string]$Text) { [datetime]::Parse($Text, [Globalization.CultureInfo]::InvariantCulture).ToLocalTime() }
