# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Module SmbShare (Windows 8 and Server 2012, newer cmdlets later: commands.json). What the configuration cmdlets show
# is computed of policy, registry and the version's own default, so that a change can be read back.

# The value of one configuration property: policy, registry, default.
function Get-SmbValue($Rule) {
    foreach ($place in @(if ($Rule.policy) { $Rule.policy }) + @(if ($Rule.name) { @{ key = $Rule.key; name = $Rule.name } })) {
        $value = [Breakwater.Lab.Reg]::Get($place.key, $place.name)
        if ($null -ne $value) { return ConvertFrom-Registry $Rule $value }
    }
    ConvertFrom-Registry $Rule $Rule.default
}

function ConvertFrom-Registry($Rule, $Value) {
    switch ($Rule.type) {
        'Boolean' { if ($Rule.inverted -and $Value -isnot [bool]) { return -not $Value }; return [bool]$Value }
        'UInt32' { return [uint32]$Value }
        'UInt64' { return [uint64]$Value }
        'Dialect' { return [Breakwater.Lab.Types]::Member('SmbShare.SmbDialect', $Value) }
        default { return [string]::Join($(if ($Rule.separator) { $Rule.separator } else { ',' }), [string[]]@($Value | Where-Object { $_ })) }
    }
}

function ConvertTo-Registry($Rule, $Value) {
    switch ($Rule.type) {
        'Boolean' { return [int]($Value -ne [bool]$Rule.inverted) }
        'Dialect' { return [int][Microsoft.PowerShell.Cmdletization.GeneratedTypes.SmbShare.SmbDialect]$Value }
        'String' { if ($Rule.list) { return , [string[]]@($Value -split '\s*,\s*' | Where-Object { $_ }) }; return "$Value" }
        default { return [int64]$Value }
    }
}

function Get-SmbConfiguration([string]$Side, [string]$Class) {
    $shown = [ordered]@{}
    foreach ($rule in (Get-Data smb)[$Side]) { $shown[$rule.property] = Get-SmbValue $rule }
    if ($Side -eq 'server') {
        # What the SMB1 server does needs its driver: without the feature there is none.
        $driver = [Breakwater.Lab.Reg]::Exists("$script:Services\srv")
        $shown['EnableSMB1Protocol'] = $driver -and $shown['EnableSMB1Protocol']
    }
    [Breakwater.Lab.Objects]::Cim($script:Smb, $Class, $shown)
}

function Get-SmbServerConfiguration {
    [CmdletBinding()]
    param()
    if (-not (Test-Denied $PSCmdlet)) { Get-SmbConfiguration server MSFT_SmbServerConfiguration }
}

function Get-SmbClientConfiguration {
    [CmdletBinding()]
    param()
    if (-not (Test-Denied $PSCmdlet)) { Get-SmbConfiguration client MSFT_SmbClientConfiguration }
}

# One parameter per property that this version has.
function New-SmbParameter([string]$Side) {
    $types = @{ Boolean = [bool]; UInt32 = [uint32]; UInt64 = [uint64]; String = [string]; Dialect = [Microsoft.PowerShell.Cmdletization.GeneratedTypes.SmbShare.SmbDialect] }
    $all = [Management.Automation.RuntimeDefinedParameterDictionary]::new()
    foreach ($rule in (Get-Data smb)[$Side]) {
        if ($rule.shown_only) { continue }
        $attributes = [Collections.ObjectModel.Collection[Attribute]]@([Management.Automation.ParameterAttribute]::new())
        $all.Add($rule.property, [Management.Automation.RuntimeDefinedParameter]::new($rule.property, $types[$rule.type], $attributes))
    }
    $all
}

function Set-SmbValue([string]$Side, $Bound) {
    [Breakwater.Lab.State]::Change({
        foreach ($rule in (Get-Data smb)[$Side]) {
            if ($Bound.ContainsKey($rule.property)) { [Breakwater.Lab.Reg]::Set($rule.key, $rule.name, (ConvertTo-Registry $rule $Bound[$rule.property])) }
        }
    })
}

# A command that fails half-way: the first of its values is written.
function Test-Broken($Cmdlet) {
    if (-not [Breakwater.Lab.Access]::Broken($Cmdlet.MyInvocation.MyCommand.Name)) { return $false }
    Write-Fault $Cmdlet ([Breakwater.Lab.Errors]::Cim(1, 2147942487, 'The parameter is incorrect.', '', 'ROOT/Microsoft/Windows/SMB'))
    $true
}

function Set-SmbServerConfiguration {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([switch]$Force)
    dynamicparam { New-SmbParameter server }
    end {
        if (Test-Denied $PSCmdlet) { return }
        if ($Force -or $PSCmdlet.ShouldProcess('SMB Server Configuration', 'Modify')) { Set-SmbValue server $PSBoundParameters; $null = Test-Broken $PSCmdlet }
    }
}

function Set-SmbClientConfiguration {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([switch]$Force)
    dynamicparam { New-SmbParameter client }
    end {
        if (Test-Denied $PSCmdlet) { return }
        if ($Force -or $PSCmdlet.ShouldProcess('SMB Client Configuration', 'Modify')) { Set-SmbValue client $PSBoundParameters; $null = Test-Broken $PSCmdlet }
    }
}
