# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exists on which Windows version in the lab, against the published lists."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest

from .conftest import Ask

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "data" / "lab"
DOCUMENTED: dict[str, Any] = json.loads((DATA / "cmdlets.json").read_text(encoding="utf-8"))
EDITIONS = {"ws2016": "2016", "ws2019": "2019", "ws2022": "2022", "ws2025": "2025"}
COMMON = {"AsJob", "CimSession", "Confirm", "Force", "ThrottleLimit", "WhatIf"}
SHOWN_ONLY = {"EnableAuthRateLimiter"}
"""Get-SmbServerConfiguration shows it (see the real output); Set- has no parameter for it."""
SINCE_2016 = {"AuditSmb1Access", "EnableInsecureGuestLogons"}


def state_of(host: str) -> dict[str, Any]:
    """Return a host's state without PowerShell."""
    from tests.lab.windows import state

    return state.build(host)


def documented(cmdlet: str, edition: str) -> set[str]:
    """Return a cmdlet's own parameters in one edition of the documentation."""
    rule = DOCUMENTED[cmdlet]
    return {
        name
        for name, versions in rule["parameters"].items()
        if name not in COMMON and edition in (versions or rule["versions"])
    }


@pytest.mark.parametrize("host", EDITIONS)
def test_commands_are_those_of_the_documentation(host: str) -> None:
    """A documented cmdlet is there if and only if that edition has it."""
    commands = set(state_of(host)["commands"])
    # The documentation of ServerManager starts with 2022; the module is as old as Server 2008 R2.
    for cmdlet, rule in DOCUMENTED.items():
        if cmdlet != "about" and rule["module"] != "ServerManager":
            assert (cmdlet in commands) == (EDITIONS[host] in rule["versions"]), cmdlet


@pytest.mark.parametrize("host", EDITIONS)
@pytest.mark.parametrize("side", ["server", "client"])
def test_configuration_has_the_documented_properties(host: str, side: str) -> None:
    """What can be set is shown, and hardly anything else."""
    shown = {row["property"] for row in state_of(host)["smb"][side]}
    assert shown - SHOWN_ONLY == documented(f"Set-Smb{side.title()}Configuration", EDITIONS[host])


@pytest.mark.parametrize("side", ["server", "client"])
def test_the_first_version_has_what_all_have(side: str) -> None:
    """Server 2012 lacks what came with 2016."""
    first = {row["property"] for row in state_of("ws2012")["smb"][side]}
    assert first == documented(f"Set-Smb{side.title()}Configuration", "2016") - SINCE_2016


def test_parameters_exist_in_the_documentation(ask: Ask) -> None:
    """No simulated cmdlet of a documented module takes what the real one does not know."""
    names = [name for name in DOCUMENTED if name != "about"]
    shown = ask(
        "ws2025",
        {
            name: f"(Get-Command {name}).Parameters.Keys | Where-Object {{ [Management.Automation.Cmdlet]::CommonParameters -notcontains $_ }}"
            for name in names
        },
    )
    for name, parameters in shown.items():
        known = documented(name, "2025") | COMMON | {"Online"}
        assert set(parameters.split("|")) - {""} <= known, name


def test_powershell_2_has_nothing_newer(ask: Ask) -> None:
    """Server 2008 R2: neither Windows' newer cmdlets nor PowerShell's own."""
    names = "Get-SmbShare Get-NetFirewallProfile Get-CimInstance Get-WindowsOptionalFeature ConvertTo-Json Get-ItemPropertyValue Get-WindowsFeature"
    expressions = {
        name.replace("-", "_"): f"@(Get-Command {name} -ErrorAction SilentlyContinue).Count; {name}"
        for name in names.split()
    }
    expressions |= {
        "old": "@(Get-Command Get-WmiObject, Get-HotFix, Get-WinEvent, Get-Service, ConvertTo-Csv, whoami.exe).Count",
        "version": '"$($PSVersionTable.PSVersion)"; "$($PSVersionTable.CLRVersion)"; $null -eq $PSVersionTable.PSEdition',
        "module": "Import-Module ServerManager; (Get-WindowsFeature FS-FileServer).Installed",
    }
    answers = ask("ws2008r2", expressions)
    assert answers.pop("old") == "6"
    assert answers.pop("version") == "2.0|2.0.50727.5485|True"
    assert answers.pop("module") == "True"
    for name, answer in answers.items():
        assert answer.startswith("!ObjectNotFound CommandNotFoundException"), name


@pytest.mark.parametrize(
    ("host", "version", "edition"),
    [("ws2012", "3.0", ""), ("ws2012r2", "4.0", ""), ("win11-24h2", "5.1.26100.9445", "Desktop")],
)
def test_version_tables(ask: Ask, host: str, version: str, edition: str) -> None:
    """A script that asks for the version gets that of the Windows it runs on."""
    answers = ask(
        host,
        {
            "version": '"$($PSVersionTable.PSVersion)"; "$($PSVersionTable.PSEdition)"',
            "newer": "@(Get-Command Get-ItemPropertyValue, New-TemporaryFile -ErrorAction SilentlyContinue).Count",
            "feature": "@(Get-Command Get-WindowsFeature -ErrorAction SilentlyContinue).Count",
        },
    )
    assert answers["version"] == f"{version}|{edition}"
    assert answers["newer"] == ("2" if edition else "0")
    assert answers["feature"] == ("0" if host.startswith("win11") else "1")


def test_windows_11_24h2_shows_what_a_real_one_did(ask: Ask) -> None:
    """Property by property against the output of a real host."""
    text = (DATA / "Get-SmbServerConfiguration.windows11-24h2.txt").read_text(encoding="utf-8")
    real = dict(re.findall(r"^(\w+) +:[ ]?(.*)$", text, re.MULTILINE))
    script = (
        "Get-SmbServerConfiguration | ForEach-Object { $_.PSObject.Properties } | "
        "Where-Object { $_.Name -notmatch '^(Cim|PSC)' } | ForEach-Object { $_.Name + ':' + $_.Value }"
    )
    shown = dict(item.split(":", 1) for item in ask("win11-24h2", {"all": script})["all"].split("|"))
    assert {name: value.strip() for name, value in real.items()} == shown


def test_absent_values_mean_what_edition_and_version_say(ask: Ask) -> None:
    """The same registry, four meanings."""
    expressions = {
        "absent": "(Get-Item HKLM:\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters).Property -contains 'RequireSecuritySignature'",
        "server": "(Get-SmbServerConfiguration).RequireSecuritySignature",
        "client": "(Get-SmbClientConfiguration).RequireSecuritySignature",
        "guests": "(Get-SmbClientConfiguration).EnableInsecureGuestLogons",
    }
    assert {host: list(ask(host, expressions).values()) for host in ("win11-24h2", "win11-24h2-home", "ws2025")} == {
        "win11-24h2": ["False", "True", "True", "False"],
        "win11-24h2-home": ["False", "False", "False", "True"],
        "ws2025": ["False", "False", "True", "False"],
    }
