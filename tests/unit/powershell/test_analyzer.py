# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PSScriptAnalyzer and tree-sitter on the collection's scripts for Windows."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab import powershell, powershell_gate

SETTINGS = powershell_gate.ROOT / "tests" / "PSScriptAnalyzerSettings.psd1"
ANALYZE = """
$ErrorActionPreference = 'Stop'
if (-not (Get-Module -ListAvailable PSScriptAnalyzer)) { return 'null' }
$found = @(foreach ($path in $env:BREAKWATER_SCRIPTS -split [IO.Path]::PathSeparator) {
    Invoke-ScriptAnalyzer -Path $path -Settings $env:BREAKWATER_SETTINGS | ForEach-Object {
        @{ rule = $_.RuleName; path = $path; line = $_.Line; text = $_.Message; extent = $_.Extent.Text }
    }
})
ConvertTo-Json -InputObject $found -Depth 3 -EscapeHandling EscapeNonAscii
"""
SAMPLES = {
    "syntax": ("$a = $b ?? 1\n$a", "PSUseCompatibleSyntax"),
    "class": ("class A { }\n[A]", "PSUseCompatibleSyntax"),
    "alias": ("gci C:\\", "PSAvoidUsingCmdletAliases"),
    "newer": ("Get-SmbShare", "PSUseCompatibleCmdlets"),
    "unused": ("Get-Item 'a' | ForEach-Object { $unused = $_ }", "PSUseDeclaredVarsMoreThanAssignments"),
    "catch": ("try { Get-Item 'a' } catch { }", "PSAvoidUsingEmptyCatchBlock"),
    "expression": ("Invoke-Expression $args", "PSAvoidUsingInvokeExpression"),
    "ascii": ("# \N{RIGHTWARDS ARROW}\nGet-Item 'a'", "PSUseBOMForUnicodeEncodedFile"),
}


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory):
    """What the analyzer says of our scripts and of samples that it must not like, by path."""
    folder = tmp_path_factory.mktemp("samples")
    for name, (text, _rule) in SAMPLES.items():
        (folder / f"{name}.ps1").write_text(text, encoding="utf-8")
    paths = [*powershell_gate.SCRIPTS, *folder.glob("*.ps1")]
    environment = {"BREAKWATER_SCRIPTS": os.pathsep.join(map(str, paths)), "BREAKWATER_SETTINGS": str(SETTINGS)}
    done = powershell.run(["-Command", ANALYZE], environment=environment)
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr, done.stderr.decode()  # a rule that fails finds nothing
    found = json.loads(done.stdout)
    if found is None:
        pytest.skip("needs PSScriptAnalyzer: pwsh -Command Install-Module PSScriptAnalyzer")
    return {path: [item for item in found if item["path"] == str(path)] for path in paths}


def test_the_analyzer_finds_nothing_but_what_is_guarded(analyzed):
    """PSUseCompatibleCmdlets does not see guards: each of its findings must be a command that the gate sees guarded."""
    reports = powershell_gate.reports(powershell_gate.scripts())
    unexplained = []
    compatibility = 0
    for path in powershell_gate.SCRIPTS:
        commands = reports[str(path.relative_to(powershell_gate.ROOT / "plugins"))]["commands"]
        guarded = {(command["line"], command["name"]) for command in commands if command["name"] in command["guards"]}
        for item in analyzed[path]:
            if item["rule"] == "PSUseCompatibleCmdlets" and (item["line"], item["extent"].split()[0]) in guarded:
                compatibility += 1
            else:
                unexplained.append((item["rule"], path.name, item["line"], item["text"]))
    assert not unexplained
    assert compatibility > 10, "the rule PSUseCompatibleCmdlets did not run"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_analyzer_finds_what_it_is_there_for(name, analyzed):
    found = next(items for path, items in analyzed.items() if path.stem == name)
    assert SAMPLES[name][1] in {item["rule"] for item in found}


def parser():
    tree_sitter = pytest.importorskip("tree_sitter", reason="needs tree-sitter: pip install -r tests/requirements.txt")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="needs tree-sitter-powershell")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language()))


@pytest.mark.parametrize("path", powershell_gate.SCRIPTS, ids=lambda p: str(p.relative_to(powershell_gate.ROOT)))
def test_the_second_parser_accepts_every_script(path):
    assert not parser().parse(path.read_bytes()).root_node.has_error


def test_the_second_parser_accepts_what_is_sent():
    assert not parser().parse(windows.BOOTSTRAP.encode()).root_node.has_error


@pytest.mark.parametrize("text", ["if ($a) {", "$a = 'x", "$a ?? 1", "$a ? 1 : 2", "foreach ($a $b) { }"])
def test_the_second_parser_refuses_what_is_broken_or_newer(text):
    assert parser().parse(text.encode()).root_node.has_error
