# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# For the scripts of plugins/: Invoke-ScriptAnalyzer -Path plugins -Recurse -Settings tests/PSScriptAnalyzerSettings.psd1
@{
    IncludeDefaultRules = $true
    ExcludeRules        = @(
        # PowerShell 2.0 has nothing else; the gate for commands sees to it that it is called nowhere else.
        'PSAvoidUsingWMICmdlet',
        # Our own functions: short calls of the same few functions, on 48 KB.
        'PSAvoidUsingPositionalParameters'
    )
    Rules               = @{
        PSAvoidOverwritingBuiltInCmdlets = @{ PowerShellVersion = @('desktop-5.1.14393.206-windows') }
        PSUseCompatibleSyntax            = @{
            Enable         = $true
            TargetVersions = @('3.0', '4.0', '5.0', '5.1', '6.2', '7.0')
        }
        PSUseCompatibleCmdlets           = @{
            compatibility = @(
                'desktop-2.0-windows',
                'desktop-3.0-windows',
                'desktop-4.0-windows',
                'desktop-5.1.14393.206-windows'
            )
        }
        PSPlaceOpenBrace                 = @{ Enable = $true; OnSameLine = $true; NewLineAfter = $true; IgnoreOneLineBlock = $true }
        PSUseConsistentWhitespace        = @{ Enable = $true }
        PSUseCorrectCasing               = @{ Enable = $true }
    }
}
