# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate for PowerShell 2.0 on the collection's scripts, and on samples that show that it catches what it should."""

from __future__ import annotations

import pytest

from tests.lab import powershell_gate

CAUGHT = {
    "syntax": ["if ($a) {", "$a = 'x"],
    "foreach-null": [
        "foreach ($a in $b) { $a }",
        "foreach ($a in @($b)) { $a }",
        "foreach ($a in $b.Items) { $a }",
        "foreach ($a in Get-Item 'x') { $a }",
        "function f($b) { foreach ($a in $b) { $a } }",
        "function f { $b = Get-Item 'x'; foreach ($a in $b) { $a } }",
        "function f($b) { if ($null -eq $b) { $b = 1 }; foreach ($a in $b) { $a } }",
        "function f($b) { if ($null -eq $c) { return }; foreach ($a in $b) { $a } }",
    ],
    "member-enumeration": [
        "@(Get-Item 'x').Name",
        "(Get-Item 'x').Name",
        "('a', 'b').Length.Name; ('a', 'b').Name",
        "$($a; $b).Name",
        "function f { $b = @(Get-Item 'x'); $b.Name }",
        "function f([string[]]$b) { $b.Trim() }",
        "$a[1..2].Name",
        "(Get-Item 'x' | Select-Object -First 1).Name",
    ],
    "count-of-one": ["function f { $b = Get-Item 'x'; $b.Count }", "$a.b.Count"],
    "simplified-pipeline": [
        "Get-Item 'x' | Where-Object Name -eq 'x'",
        "Get-Item 'x' | ForEach-Object Name",
        "Get-Item 'x' | Where-Object -Property Name -EQ -Value 'x'",
        "Get-Item 'x' | ForEach-Object -MemberName Name",
    ],
    "ordered-or-custom-object": ["[ordered]@{ a = 1 }", "[pscustomobject]@{ a = 1 }", "[PSCustomObject] @{}"],
    "operator": [
        "$a -in $b",
        "$a -notin $b",
        "1 -shl 2",
        "$a ?? 1",
        "$a ? 1 : 2",
        "Get-Item 'x' && Get-Item 'y'",
        "Get-Item 'x' || Get-Item 'y'",
        "$a ??= 1",
        "${a}?.b",
        "Get-Item 'x' &",
        "'a' -replace 'a', { 'b' }",
    ],
    "class": ["class A { }", "enum A { B }"],
    "using": ["using namespace System.IO\nGet-Item 'x'", "$using:a"],
    "requires": ["#requires -Version 5\nGet-Item 'x'"],
    "new-variable": ["Get-Item 'x' | ForEach-Object { $PSItem }", "$PSScriptRoot"],
    "new-parameter": ["Get-Content 'x' -Raw", "Get-ChildItem 'x' -File", "Write-Output 'x' -NoEnumerate"],
    "attribute": ["function f { param([Parameter(Mandatory)]$a) $a }"],
    "redirection": ["Get-Item 'x' 3>$null", "Get-Item 'x' *>$null", "Get-Item 'x' 4>&1"],
    "here-string": ["$a = @'\nx\n'@", '$a = @"\nx\n"@'],
    "leading-pipe": ["Get-Item 'x'\n| Where-Object { $_ }"],
    "jump-out-of-block": ["Get-Item 'x' | ForEach-Object { continue }", "& $work { break }", "break"],
    "static-new": ["[Text.StringBuilder]::new()"],
    "where-foreach-method": ["$a.Where({ $_ })", "$a.ForEach({ $_ })"],
    "reflection": [
        "[string].Assembly",
        "$a.GetType().GetField('b', 'NonPublic,Static')",
        "$a.GetType().GetMethod('b')",
        "[string].GetConstructor(@())",
    ],
    "forbidden-command": ["Add-Type 'class A {}'", "Invoke-Expression $a", "iex $a", "Invoke-Command { 1 }"],
    "command": [
        "Get-CimInstance -ClassName A",
        "if (bw_has 'Get-SmbShare') { Get-SmbSession -ErrorAction Stop }",
        "if (bw_has 'Get-SmbShare') { 1 } else { Get-SmbShare -ErrorAction Stop }",
        "if (-not (bw_has 'Get-SmbShare')) { Get-SmbShare -ErrorAction Stop }",
        "if ((bw_has 'Get-SmbShare') -or $a) { Get-SmbShare -ErrorAction Stop }",
        "if (bw_has $a) { Get-SmbShare -ErrorAction Stop }",
        "Get-SmbShare -ErrorAction Stop\nbw_need 'Get-SmbShare'",
        "if ($a) { bw_need 'Get-SmbShare' }\nGet-SmbShare -ErrorAction Stop",
        "if (-not (bw_has 'Get-SmbShare')) { $a = 1 }\nGet-SmbShare -ErrorAction Stop",
        "if (bw_has 'Get-Nonsense') { Get-Nonsense -ErrorAction Stop }",
        "netsh.exe advfirewall show allprofiles",
        "whoami /user",
        "& $a",
        ". 'x.ps1'",
        "Get-WmiObject -Class A",
        "Get-WindowsFeature",
    ],
    "parameter": [
        "if (bw_has 'Get-SmbShare') { Get-SmbShare -LeasingMode 1 -ErrorAction Stop }",
        "if (bw_has 'Get-SmbShare') { Get-SmbShare -Nonsense 1 -ErrorAction Stop }",
        "New-Object -ComObject 'HNetCfg.FwPolicy2'",
    ],
    "error-action": ["if (bw_has 'Get-SmbShare') { Get-SmbShare }"],
    "type": [
        "[Microsoft.Win32.Registry]",
        "[adsi]'x'",
        "[wmi]'x'",
        "New-Object Net.WebClient",
        "[IO.Compression.GzipStream]",
        "New-Object $a",
    ],
    "static": ["[string]::IsNullOrWhiteSpace('')", "[Convert]::FromBase64String('')", "[Environment]::Exit(1)"],
}
ALLOWED = [
    "foreach ($a in @(Get-Item 'x')) { $a }",
    "foreach ($a in @(Get-Item 'x' | Where-Object { $_ })) { continue }",
    "foreach ($a in 'x', 'y') { foreach ($b in 1..3) { break } }",
    "$b = @('x', 'y')\nfunction f { foreach ($a in $b) { $a } }",
    "function f([string[]]$b) { foreach ($a in $b) { $b.Length } }",
    "function f($b) { if ($null -eq $b) { return }\nforeach ($a in $b) { $a } }",
    "function f($b) { if ($null -ne $b) { foreach ($a in $b) { $a } } }",
    "function f { $b = @(Get-Item 'x'); $b.Count; $b[0].Name }",
    "(New-Object Text.StringBuilder).ToString()",
    "function bw_own { @{ a = 1 } }\n(bw_own).a",
    "function f($t) { $m = [regex]::Matches($t, 'a'); $m.Count }",
    "Get-Item 'x' 2>$null",
    "$a -contains 'x'",
    "try { Get-Item 'x' } catch { throw } finally { $null = 1 }",
    "function bw_has { }\nif (bw_has 'Get-SmbShare') { Get-Item 'x' | ForEach-Object { Get-SmbShare -Name 'x' -ErrorAction Stop } }",
    "function bw_has { }\nif ($a -and (bw_has 'Get-SmbShare')) { Get-SmbShare -ErrorAction Stop }",
    "function bw_has { }\nif (-not (bw_has 'Get-SmbShare')) { 1 } else { Get-SmbShare -ErrorAction Stop }",
    "function bw_has { }\nif (-not (bw_has 'Get-SmbShare')) { return }\nGet-SmbShare -ErrorAction Stop",
    "function bw_need { }\nbw_need 'Get-SmbShare'\nif ($a) { Get-SmbShare -ErrorAction Stop }",
    "function bw_has { }\nif (bw_has 'Get-CimInstance') { Get-CimInstance -ClassName A @b } else { Get-WmiObject -Class A @b }",
    "whoami.exe /user",
]


def test_our_scripts_hold_nothing_of_it():
    assert powershell_gate.SCRIPTS, "no script was found"
    assert not powershell_gate.violations(powershell_gate.scripts())


@pytest.fixture(scope="module")
def judged():
    """Every sample, judged on its own, by one start of PowerShell."""
    samples = [text for texts in CAUGHT.values() for text in texts] + ALLOWED
    reports = powershell_gate.reports({str(number): text for number, text in enumerate(samples)})
    return {
        text: {rule for _script, rule, _line, _text in powershell_gate.judge({"sample": reports[str(number)]})}
        for number, text in enumerate(samples)
    }


@pytest.mark.parametrize("rule", powershell_gate.RULES)
def test_every_rule_has_a_sample_and_catches_it(rule, judged):
    assert CAUGHT[rule]
    for text in CAUGHT[rule]:
        assert rule in judged[text], text


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_allowed_is_not_caught(text, judged):
    assert not judged[text]


def test_rules_and_samples_belong_together():
    assert set(CAUGHT) == set(powershell_gate.RULES)
