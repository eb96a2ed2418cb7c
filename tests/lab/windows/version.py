# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Windows version has: commands, cmdlets of PowerShell itself, properties of the SMB configuration."""

from __future__ import annotations

from typing import Any

from . import definition
from .definition import Document

SIMULATION = definition.HERE / "simulation"
_PARAMETERS = "SYSTEM\\CurrentControlSet\\Services\\{}\\Parameters"
_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows\\{}"
_TABLES = {"2.0": "2.0", "3.0": "3.0", "4.0": "4.0"}
_PROTOCOLS = {"2.0": "2.1", "3.0": "2.2", "4.0": "2.2", "5.1": "2.3"}


def apply(document: Document) -> None:
    """Put into a host's state what its version decides."""
    about, shell = document["os"], document["powershell"]
    about["full"] = f"{about['version']}.{about['build']}"
    table = definition.load(SIMULATION / "commands.json")
    rules = {name: rule for name, rule in table.items() if name != "about" and _has(document, rule)}
    document["commands"] = list(rules)
    document["rules"] = {name: rule["deny"] for name, rule in table.items() if name != "about" and "deny" in rule}
    document["builtins"] = builtins(shell["version"])
    document["smb"] = {side: properties(document, side) for side in ("server", "client")}
    build = shell.get("build", "").split(".")
    shell["table"] = _TABLES.get(shell["version"]) or f"5.1.{build[2]}.{build[3]}"
    shell["edition"] = "Desktop" if shell["version"] == "5.1" else None
    shell["protocol"] = _PROTOCOLS[shell["version"]]


def _has(document: Document, rule: Document) -> bool:
    only = rule.get("only")
    if only == "server" and document["os"]["product_type"] == 1:
        return False
    if only == "cluster" and not document.get("cluster"):
        return False
    return number(document["os"]["full"]) >= number(rule.get("since", "0"))


def number(text: str) -> list[int]:
    """Return a version as numbers that compare."""
    return [int(part) for part in text.split(".")]


def builtins(version: str) -> list[str]:
    """Return the cmdlets of PowerShell's own modules that Windows PowerShell of that version has."""
    first = definition.load(SIMULATION / "builtins.json")
    return [
        name
        for since, names in first.items()
        if since != "about" and number(since) <= number(version)
        for name in names
    ]


def properties(document: Document, side: str) -> list[Document]:
    """Return the SMB configuration's properties with their defaults on this host; none before Windows 8."""
    edition = document.get("smb_cmdlets")
    if edition is None:
        return []
    key = _PARAMETERS.format("LanmanServer" if side == "server" else "LanmanWorkstation")
    rows: list[Document] = []
    for name, rule in definition.load(definition.HERE / "bases" / "smb.json")[side].items():
        if edition not in rule.get("in", [edition]):
            continue
        row: Document = {
            "property": name,
            "type": rule["type"],
            "key": key,
            "name": rule["name"],
            "default": _default(document, rule),
        }
        if "policy" in rule:
            row["policy"] = {"key": _POLICY.format(rule["policy"]), "name": rule["name"]}
        rows.append(
            row | {member: rule[member] for member in ("inverted", "list", "separator", "shown_only") if member in rule}
        )
    return rows


def _default(document: Document, rule: Document) -> Any:
    about = document["os"]
    for row in rule.get("unless", ()):
        facts = {
            "product": "workstation" if about["product_type"] == 1 else "server",
            "home": about["edition_id"].startswith("Core"),
            "edition": about["edition_id"],
        }
        if document["smb_cmdlets"] in row.get("in", [document["smb_cmdlets"]]) and all(
            row.get(name, value) == value for name, value in facts.items()
        ):
            return row["value"]
    return rule["default"]
