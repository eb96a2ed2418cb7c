# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Windows Server 2008 R2 only: nothing loads by itself there, so that this module must be imported. Later versions have
# the commands from the start (those that change under newer names); this module then adds nothing.
$about = [Breakwater.Lab.State]::Data['os']
if ($about.version -eq '6.1' -and $about.product_type -ne 1) {
    $simulation = Get-Module -Name Simulation
    function Get-WindowsFeature([string[]]$Name) { & $simulation { param($wanted) Get-WindowsFeature -Name $wanted } $Name }
    function Add-WindowsFeature([string[]]$Name) { & $simulation { param($wanted) Install-WindowsFeature -Name $wanted[0] } $Name }
    function Remove-WindowsFeature([string[]]$Name) { & $simulation { param($wanted) Uninstall-WindowsFeature -Name $wanted[0] } $Name }
    Export-ModuleMember -Function Get-WindowsFeature, Add-WindowsFeature, Remove-WindowsFeature
} else {
    Export-ModuleMember
}
