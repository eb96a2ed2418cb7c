# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of small Windows hosts, as the collector would bring them: whole, quiet, and changed by each test."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue, reading
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Reading, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import Finding

TODAY = datetime.date(2026, 11, 22)
STANDALONE, MEMBER, CONTROLLER = 2, 3, 5
SERVER_KEY = r"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters"
CLIENT_KEY = r"SYSTEM\CurrentControlSet\Services\LanmanWorkstation\Parameters"
SERVER_POLICY = r"SOFTWARE\Policies\Microsoft\Windows\LanmanServer"
CLIENT_POLICY = r"SOFTWARE\Policies\Microsoft\Windows\LanmanWorkstation"
DENIED = "denied"
"""In place of a record's data: access was denied."""
LACKING = "lacking"
"""In place of a record's data: this Windows has no such cmdlet or class."""

_NAMES = {7601: ("6.1", "Server 2008 R2"), 9200: ("6.2", "Server 2012"), 9600: ("6.3", "Server 2012 R2")}
_NAMES |= {14393: ("10.0", "Server 2016")}
_NAMES |= {17763: ("10.0", "Server 2019"), 20348: ("10.0", "Server 2022"), 26100: ("10.0", "Server 2025")}
_CLIENTS = {7601: "7", 19045: "10", 22631: "11", 26100: "11", 26200: "11"}


def service(name: str, start: int = 2, state: str = "Running", *depends: str, deleted: bool = False) -> dict[str, Any]:
    """Return one row of host.services."""
    return {"name": name, "start": start, "state": state, "depends": list(depends), "delete_flag": deleted}


PROFILES = ("domain", "private", "public")


def profile(name: str, **changes: Any) -> dict[str, Any]:
    """Return one row of host.firewall_active."""
    row = {"name": name.title(), "enabled": "True", "inbound": "Block", "outbound": "Allow"}
    row |= {"local_merge": "True", "local_ipsec_merge": "True", "log_blocked": "False", "log_allowed": "False"}
    row |= {
        "log_size": 4096,
        "log_path": "pfirewall.log",
        "notify": "True",
        "unicast": "True",
        "allow_inbound_rules": "True",
    }
    return row | changes


WORKSTATION = service("LanmanWorkstation", 2, "Running", "Bowser", "MRxSmb20", "NSI")
SERVICES = [
    service("LanmanServer"),
    WORKSTATION,
    service("mrxsmb20", 3),
    service("srv2", 3),
    service("MpsSvc"),
    service("BFE"),
]


def registry(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every key that the property table names: empty but for ``changes`` (key → values, or a state)."""
    keys = {
        address.key
        for setting in catalogue.settings("windows").values()
        for address in setting.addresses
        if address.store == "registry"
    }
    rows = []
    for key in sorted(keys | set(changes)):
        found = changes.get(key, "absent")
        state = "present" if isinstance(found, dict) else found
        rows.append({"key": key, "state": state, "values": found if isinstance(found, dict) else {}})
    return rows


def secedit(**lines: str) -> dict[str, Any]:
    """Return a whole export of secedit; names of privileges begin with Se."""
    rights = {name: value.split(",") for name, value in lines.items() if name.startswith("Se")}
    return {
        "System Access": {name: value for name, value in lines.items() if not name.startswith("Se")},
        "Privilege Rights": rights,
    }


def _os(build: int, revision: int | None, *, server: bool, edition: str) -> tuple[dict[str, Any], dict[str, Any]]:
    version, name = _NAMES.get(build, ("10.0", "")) if server else (_NAMES.get(build, ("10.0",))[0], _CLIENTS[build])
    caption = f"Microsoft Windows {name} {'Standard' if server else 'Pro'}"
    known = {"CurrentBuild": str(build), "EditionID": edition, "InstallationType": "Server" if server else "Client"}
    known |= {} if revision is None else {"UBR": revision}
    wmi = {"Caption": caption, "Version": f"{version}.{build}", "BuildNumber": str(build), "ProductType": 3}
    return known, {**wmi, "ProductType": 3 if server else 1}


def answer(
    build: int = 20348,
    revision: int | None = 5761,
    role: int = MEMBER,
    *,
    server: bool = True,
    edition: str = "",
    **records: Any,
) -> Collected:
    """Return what the collector brings from a host.

    Args:
        build, revision: which Windows.
        role: Win32_ComputerSystem.DomainRole of a server; a workstation's is one or two less.
        server: a server product, not a workstation.
        edition: EditionID.
        records: id with ``__`` for the dot → data, DENIED or LACKING; None leaves the record out.
    """
    registry_os, wmi = _os(
        build, revision, server=server, edition=edition or ("ServerStandard" if server else "Professional")
    )
    if role == CONTROLLER:
        wmi["ProductType"] = 2
    cmdlets = build >= 9200
    data: dict[str, Any] = {
        "host.identity": {
            "sid": "S-1-5-21-1-2-3-500",
            "groups": ["S-1-5-32-544"],
            "administrator": True,
            "filtered": False,
        },
        "host.os": registry_os,
        "host.os_wmi": wmi,
        "host.computer": {"Name": "H", "DomainRole": role if server else {STANDALONE: 0, MEMBER: 1}[role]},
        "host.reboot": {"cbs": False, "windows_update": False, "file_rename": False, "cbs_in_progress": False},
        "host.services": SERVICES,
        "host.listeners": [{"proto": "tcp", "address": "0.0.0.0", "port": 445, "pid": 4, "process": "System"}],
        "host.networks": [{"interface": 3, "alias": "Ethernet", "category": "DomainAuthenticated"}],
        "host.adapters": [],
        "host.netbt": [{"guid": "{A}", "options": 2}],
        "host.bindings": [{"adapter": "Ethernet", "component": "ms_server", "enabled": True}],
        "host.firewall_profiles": {"local": {name: {"EnableFirewall": 1} for name in PROFILES}, "policy": {}},
        "host.firewall_active": [profile(name) for name in PROFILES] if cmdlets else LACKING,
        "host.firewall_rules": {"local": {}, "policy": {}, "policy_key": False},
        "host.firewall_ipsec": {"count": 0},
        "host.firewall_products": LACKING if server else [],
        "host.protection": {"products": [], "defender": None},
        "host.features": {"SMB1Protocol": 2},
        "host.server_features": {"FS-SMB1": "Available", "WINS": "Available"} if server else LACKING,
        "host.updates": [{"id": "KB1", "installed": "2026-10-20"}],
        "windows.registry": registry(),
        "windows.server_configuration": {} if cmdlets else LACKING,
        "windows.client_configuration": {} if cmdlets else LACKING,
        "windows.shares": [],
        "windows.sessions": [],
        "windows.connections": [] if cmdlets else LACKING,
        "windows.event_logs": [],
        "windows.events": {},
        "windows.secedit": secedit(),
        "windows.auditpol": _subcategories(),
        "windows.rsop": {"gpos": {}, "registry": [], "security": []},
        "windows.quic": {"mappings": [], "certificates": [], "client_access": [], "ports": []}
        if build >= 20348
        else LACKING,
        "windows.network_interfaces": [] if cmdlets else LACKING,
        "windows.cluster": LACKING,
    }
    data |= {name.replace("__", "."): value for name, value in records.items()}
    return Collected(
        [_record(*item) for item in data.items() if item[1] is not None], "S-1-5-18", "PowerShell 5.1", "windows"
    )


def _subcategories() -> dict[str, int]:
    addresses = [address for setting in catalogue.settings("windows").values() for address in setting.addresses]
    return {address.name: 0 for address in addresses if address.store == "audit"}


def _record(record_id: str, data: Any) -> Record:
    rc = {DENIED: 126, LACKING: 127}.get(data, 0) if isinstance(data, str) else 0
    return Record(record_id, record_id, rc=rc, data=None if rc else data)


def read(collected: Collected, today: datetime.date = TODAY) -> Reading:
    """Return what all readers make of an answer; none may fail on it."""
    found = reading.read(collected, today)
    assert not [error for error in found.errors if error.section == "reader"], found.errors
    return found


def findings(found: Reading, control: str, profile: str = "recommended", value: Any = None) -> list[Finding]:
    """Return what a control says about a host; ``value`` stands for that of a benchmark."""
    known = catalogue.controls()
    wanted = known[control].values[profile] if value is None else value
    return assess(
        found.facts,
        found.implementations,
        {control: known[control]},
        catalogue.every_setting(),
        [Selection(control, wanted)],
        today=TODAY,
    )


def verdict(collected: Collected, control: str, profile: str = "recommended", value: Any = None) -> str:
    """Return the one verdict of a control, or all of them in a row."""
    return ", ".join(sorted({item.verdict for item in findings(read(collected), control, profile, value)}))
