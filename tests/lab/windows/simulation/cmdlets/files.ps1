# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Access lists of directories. The directory's own mode and owner carry them: 0700 is one for SYSTEM and administrators
# alone, anything else what a directory below ProgramData inherits; whoever runs the simulation is Administrators.

$script:Own = 'A;OICI;FA;;;SY', 'A;OICI;FA;;;BA'

function Get-Owner([string]$Path) {
    $stat = (Microsoft.PowerShell.Management\Get-Item -LiteralPath $Path -Force -ErrorAction Stop).UnixStat
    $mine = (Microsoft.PowerShell.Management\Get-Item -LiteralPath '/proc/self' -Force).UnixStat
    if ($stat.UserId -eq $mine.UserId) { 'BA' } else { "$((Get-Data machine_sid))-$($stat.UserId)" }
}

function Get-Acl {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath)
    $file = "$Path$LiteralPath"
    if (-not [IO.File]::Exists($file) -and -not [IO.Directory]::Exists($file)) {
        $missing = [Management.Automation.ItemNotFoundException]::new("Cannot find path '$file' because it does not exist.")
        Write-Fault $PSCmdlet (New-Record $missing 'GetAcl_PathNotFound,Microsoft.PowerShell.Commands.GetAclCommand' 'ObjectNotFound' $file)
        return
    }
    $list = 'D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;FA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)'
    if ([int][IO.File]::GetUnixFileMode($file) -eq 448) { $list = 'D:PAI(' + ($script:Own -join ')(') + ')' }
    $shown = [pscustomobject]@{ PSTypeName = 'System.Security.AccessControl.DirectorySecurity'; Path = $file; Owner = ''; Sddl = "O:$(Get-Owner $file)G:SY$list"; Access = @() }
    $change = { param($sddl, $sections) $null = $sections; $this.Sddl = $sddl }
    $shown.PSObject.Methods.Add([Management.Automation.PSScriptMethod]::new('SetSecurityDescriptorSddlForm', $change))
    $shown
}

function Set-Acl {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0)][string[]]$Path, [string[]]$LiteralPath, [Parameter(Position = 1)]$AclObject)
    $file = "$Path$LiteralPath"
    if ((Get-Owner $file) -ne 'BA' -or -not [Breakwater.Lab.State]::Elevated -or [Breakwater.Lab.Access]::Refuses('Set-Acl')) {
        $denied = [UnauthorizedAccessException]::new('Attempted to perform an unauthorized operation.')
        Write-Fault $PSCmdlet (New-Record $denied 'System.UnauthorizedAccessException,Microsoft.PowerShell.Commands.SetAclCommand' 'PermissionDenied' $file)
        return
    }
    $entries = @([regex]::Matches($AclObject.Sddl, '\(([^)]*)\)') | ForEach-Object { $_.Groups[1].Value })
    if ($AclObject.Sddl -notmatch '^(O:BA)?(G:..)?D:P' -or (Compare-Object $entries $script:Own)) { throw "not simulated: the access list $($AclObject.Sddl)" }
    [IO.File]::SetUnixFileMode($file, [IO.UnixFileMode]448)
}
