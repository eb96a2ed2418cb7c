# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts too large to store: firewall rules and shares made by number, the same every time."""

from __future__ import annotations

from .definition import Document

_SCOPES = ("", "RA4=LocalSubnet|RA6=LocalSubnet|", "RA4=10.0.0.0/255.0.0.0|", "RA42=IntErnet|RA62=IntErnet|")
_PROFILES = ("", "Profile=Domain|", "Profile=Private|Profile=Public|")


def extend(document: Document) -> None:
    """Add what ``generate`` asks for: ``firewall_rules``, ``shares``."""
    wanted = document.pop("generate", {})
    local = document["firewall"].setdefault("local", {})
    for number in range(wanted.get("firewall_rules", 0)):
        local[f"{{{number:08X}-5B7A-4C0F-9D11-AA00BB11CC22}}"] = rule(number)
    for number in range(wanted.get("shares", 0)):
        document["shares"].append(share(number))


def rule(number: int) -> str:
    """Return the text of rule ``number``, without its version: every 75th concerns SMB, every 500th names no port."""
    direction = "In" if number % 3 else "Out"
    port = f"{'L' if direction == 'In' else 'R'}Port={445 if number % 75 == 0 else 10000 + number}|"
    if number % 500 == 1:
        port = ""
    action = "Block" if number % 11 == 0 else "Allow"
    active = "FALSE" if number % 7 == 0 else "TRUE"
    protocol = 17 if number % 5 == 0 and number % 75 else 6
    program = f"App=C:\\Program Files\\Vendor {number % 40}\\service{number}.exe|"
    return (
        f"Action={action}|Active={active}|Dir={direction}|Protocol={protocol}|{_PROFILES[number % 3]}{port}"
        f"{_SCOPES[number % 4]}{program}Name=Vendor {number % 40} service {number}|"
        f"Desc=Made by the installer of Vendor {number % 40}.|EmbedCtxt=Vendor {number % 40}|"
    )


def share(number: int) -> Document:
    """Return share ``number``: every 50th is open to everybody for writing."""
    right = "Full" if number % 50 == 0 else "Read"
    return {
        "name": f"Project{number:03}",
        "path": f"D:\\Shares\\Project{number:03}",
        "description": f"Project {number}",
        "access": [
            ["S-1-1-0" if number % 10 == 0 else "S-1-5-32-545", "Allow", right],
            ["S-1-5-32-544", "Allow", "Full"],
        ],
        "encrypt": number % 20 == 0,
        "enumeration": "AccessBased" if number % 2 else "Unrestricted",
        "caching": "None" if number % 4 == 0 else "Manual",
    }
