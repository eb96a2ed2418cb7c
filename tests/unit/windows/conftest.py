# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of Windows hosts, by hand from what Microsoft documents and live hosts show."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.windows import read as read_host
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Reading, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Edited, Target

TODAY = datetime.date(2026, 11, 25)
PARAMETERS = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"

# name → version and build, revision, edition, kind of installation
PRODUCTS: dict[str, tuple[str, int | None, str, str]] = {
    "7": ("6.1.7601", None, "Professional", "Client"),
    "2008-r2": ("6.1.7601", None, "ServerStandard", "Server"),
    "2012": ("6.2.9200", None, "ServerStandard", "Server"),
    "2012-r2": ("6.3.9600", 21620, "ServerStandard", "Server"),
    "2016": ("10.0.14393", 6614, "ServerStandard", "Server"),
    "2019": ("10.0.17763", 5329, "ServerStandard", "Server Core"),
    "2022": ("10.0.20348", 2227, "ServerStandard", "Server"),
    "2025": ("10.0.26100", 2605, "ServerStandard", "Server"),
    "10-22h2": ("10.0.19045", 3930, "Professional", "Client"),
    "11-23h2": ("10.0.22631", 3007, "Enterprise", "Client"),
    "11-24h2": ("10.0.26100", 2605, "Professional", "Client"),
    "11-24h2-home": ("10.0.26100", 2605, "CoreSingleLanguage", "Client"),
}


def service(
    name: str, start: int = 2, state: str = "Running", depends: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    return {"name": name, "start": start, "state": state, "depends": list(depends), "delete_flag": False, **more}


class Machine:
    """A host whose answer a test may change before it is read."""

    def __init__(self, product: str = "2022", role: int = 3) -> None:
        version, revision, edition, installation = PRODUCTS[product]
        build, server = version.rpartition(".")[2], installation != "Client"
        self.settings: dict[str, Any] = {}
        self.records: dict[str, Record] = {}
        self.registry: dict[str, dict[str, Any]] = {}
        self.services = {
            item["name"]: item
            for item in (
                service("LanmanServer"),
                service("LanmanWorkstation", depends=("Bowser", "MRxSmb20", "NSI")),
                service("mrxsmb20", 3),
                service("srv2", 3),
                service("MpsSvc"),
                service("BFE"),
            )
        }
        # CurrentVersion has stayed at 6.3 since Windows 8.1.
        known = {"CurrentBuild": build, "CurrentVersion": version[:3] if version[0] == "6" else "6.3"}
        known |= {"EditionID": edition, "InstallationType": installation}
        self.data("host.os", known if revision is None else {**known, "UBR": revision})
        kind = 1 if not server else 2 if role > 3 else 3
        caption = "Microsoft Windows Server" if server else "Microsoft Windows"
        wmi = {"Caption": caption, "Version": version, "BuildNumber": build, "ProductType": kind}
        self.data("host.os_wmi", wmi)
        self.data(
            "host.computer",
            {"Name": "FS01", "Domain": "example", "DomainRole": role, "PartOfDomain": role in (1, 3, 4, 5)},
        )
        self.data(
            "host.reboot", {"cbs": False, "windows_update": False, "file_rename": False, "cbs_in_progress": False}
        )
        self.data(
            "host.identity",
            {
                "sid": "S-1-5-21-1-2-3-500",
                "groups": ["S-1-5-32-544"],
                "administrator": True,
                "filtered": False,
                "integrity": "S-1-16-12288",
                "culture": "de-DE",
            },
        )
        listener = {"proto": "tcp", "address": "0.0.0.0", "port": 135, "pid": 900, "process": "svchost"}
        self.data("host.listeners", [listener])
        for name in ("host.networks", "host.adapters", "host.netbt", "host.bindings", "host.updates"):
            self.data(name, [])
        for name in ("sessions", "connections", "event_logs", "network_interfaces"):
            self.data(f"windows.{name}", [])
        self.data("windows.shares", [{"name": "IPC$", "special": True, "type": "InterprocessCommunication"}])
        self.data("host.protection", {"products": [], "defender": None})
        self.data("host.features", {"SMB1Protocol": 2})
        self.data("windows.events", {"smb1": []})
        self.data("windows.rsop", {"gpos": {}, "registry": [], "security": []})
        self.data("windows.secedit", {"System Access": {}, "Privilege Rights": {}})
        self.data("windows.auditpol", {})
        if not version.startswith("6.1"):
            self.data("windows.server_configuration", {"EnableSMB1Protocol": False, "EncryptData": False})
            self.data("windows.client_configuration", {"RequireSecuritySignature": False})
        else:
            self.fail("windows.server_configuration", 127)
            self.fail("windows.client_configuration", 127)
        self.fail("host.firewall_products", 127)
        self.fail("windows.quic", 127)
        self.key(PARAMETERS)

    def data(self, record_id: str, data: Any, **more: Any) -> Machine:
        self.records[record_id] = Record(record_id, record_id, data=data, **more)
        return self

    def fail(self, record_id: str, rc: int, err: str = "") -> Machine:
        self.records[record_id] = Record(record_id, record_id, rc=rc, err=err)
        return self

    def key(self, key: str, values: dict[str, Any] | None = None, state: str = "present") -> Machine:
        self.registry[key] = {"key": key, "state": state, "values": values or {}}
        return self

    def driver(self, name: str, **changes: Any) -> Machine:
        self.services[name] = {**self.services.get(name, service(name)), **changes}
        return self

    def collected(self) -> Collected:
        records = dict(self.records)
        records.setdefault(
            "windows.registry", Record("windows.registry", "registry", data=list(self.registry.values()))
        )
        records.setdefault("host.services", Record("host.services", "services", data=list(self.services.values())))
        return Collected(list(records.values()), "S-1-5-21-1-2-3-500", "PowerShell 5.1", "windows")

    def host(self) -> Reading:
        return read_host(self.collected(), TODAY)

    def read(self) -> Reading:
        return read(self.collected(), self.settings, self.host().facts, TODAY)

    def edit(self, *targets: Target) -> Edited:
        whole = self.host()
        whole.merge(self.read())
        return edit(targets, self.collected(), whole.facts, self.settings)

    def fact(self, fact_id: str, obj: str = "") -> Any:
        return self.read().facts.get(fact_id, obj)


@pytest.fixture
def machine() -> type[Machine]:
    """Return the class of such hosts: ``machine("2022")``."""
    return Machine


@pytest.fixture
def products() -> tuple[str, ...]:
    """Return the names of all of them."""
    return tuple(PRODUCTS)
