# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a host's document to the state that the simulation runs on: everything spelled out, times absolute.

The parts that Windows keeps in the registry (services, firewall rules, adapters, policy) are written there, so that the
cmdlets and the registry cannot contradict each other unless a host's data wants it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from . import boot, definition, generated, policy, principals, version
from .definition import Document

CCS = "SYSTEM\\CurrentControlSet"
CURRENT_VERSION = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
FIREWALL = f"{CCS}\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
FIREWALL_POLICY = "SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
STALE_ADAPTER = "{0A3D7E55-9C1B-4D7F-8E21-5B6C7D8E9F00}"


def build(name: str, now: datetime.datetime | None = None) -> Document:
    """Return the state of the host ``name`` as it is at ``now``."""
    document = definition.read(name)
    moment = now or datetime.datetime.now(datetime.timezone.utc)
    locale = definition.load(definition.HERE / "locales" / f"{document['language']}.json")
    document["locale"] = locale
    document |= {"tasks": {}, "clock": 0, "boots": 0, "rebooting": False, "broken": []}
    document["users"]["system"] = {"kind": "system"}
    document["name"] = name
    generated.extend(document)
    registry = Registry()
    for key, values in document.pop("registry").items():
        registry.key(key)
        for value, data in values.items():
            registry.set(key, value, data)
    parts: tuple[Callable[[Document, Registry], None], ...] = (_os, _services, _adapters, _firewall, _reboot)
    for part in parts:
        part(document, registry)
    for key, value, data in policy.apply(document):
        registry.set(key, value, data)
    principals.apply(document)
    version.apply(document)
    document["registry"] = registry.keys
    _listeners(document)
    _times(document, moment)
    return document


class Registry:
    """Keys below HKLM with typed values; names are compared without case."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, list[Any]]] = {}
        self._spelled: dict[str, str] = {}

    def key(self, path: str) -> dict[str, list[Any]]:
        """Return a key, made when it is not there."""
        return self.keys.setdefault(self._spelled.setdefault(path.lower(), path), {})

    def set(self, path: str, name: str, data: Any) -> None:
        """Write a value: an int is a DWORD, a list MULTI_SZ, an object names its type."""
        values = self.key(path)
        known = next((item for item in values if item.lower() == name.lower()), name)
        values[known] = _typed(data)


def _typed(data: Any) -> list[Any]:
    if isinstance(data, bool):
        return ["DWord", int(data)]
    if isinstance(data, int):
        return ["DWord", data]
    if isinstance(data, list):
        return ["MultiString", data]
    if isinstance(data, dict):
        kind, value = next(iter(data.items()))
        return [{"expand": "ExpandString", "qword": "QWord", "binary": "Binary", "multi": "MultiString"}[kind], value]
    return ["String", data]


def _os(document: Document, registry: Registry) -> None:
    about = document["os"]
    build = str(about["build"])
    values: Document = {
        "CurrentBuild": build,
        "CurrentBuildNumber": build,
        "CurrentVersion": "6.3" if about["version"] == "10.0" else about["version"],
        "EditionID": about["edition_id"],
        "InstallationType": about["installation_type"],
        "ProductName": about["product_name"],
        "SystemRoot": "C:\\Windows",
        "RegisteredOwner": "Windows User",
    }
    if about["version"] == "10.0":
        values |= {"CurrentMajorVersionNumber": 10, "CurrentMinorVersionNumber": 0, "ReleaseId": about["release_id"]}
    for member, name in (("ubr", "UBR"), ("display_version", "DisplayVersion"), ("csd", "CSDVersion")):
        if member in about:
            values[name] = about[member]
    for name, data in values.items():
        registry.set(CURRENT_VERSION, name, data)
    registry.set(f"{CCS}\\Control\\ComputerName\\ActiveComputerName", "ComputerName", about["computer"])
    registry.set(f"{CCS}\\Control\\Nls\\Language", "InstallLanguage", document["locale"]["locale"])


def _services(document: Document, registry: Registry) -> None:
    running = {}
    for name, service in document["services"].items():
        key = f"{CCS}\\Services\\{name}"
        values = {
            "DisplayName": service["display"],
            "ErrorControl": 1,
            "ImagePath": {"expand": service["path"]},
            "Start": service["start"],
            "Type": service["type"],
        }
        if "account" in service:
            values["ObjectName"] = service["account"]
        if service.get("depends"):
            values["DependOnService"] = service["depends"]
        if service.get("delete"):
            values["DeleteFlag"] = 1
        for value, data in values.items():
            registry.set(key, value, data)
        running[name] = {"state": service["state"], "pid": service.get("pid") or (0 if service["type"] > 2 else 4)}
    document["services"] = running


def _adapters(document: Document, registry: Registry) -> None:
    registry.set(f"{CCS}\\Services\\NetBT\\Parameters\\Interfaces\\Tcpip_{STALE_ADAPTER}", "NetbiosOptions", 0)
    bound = []
    for number, adapter in enumerate(document["adapters"]):
        guid = adapter["guid"]
        key = f"{CCS}\\Services\\NetBT\\Parameters\\Interfaces\\Tcpip_{guid}"
        registry.key(key)
        if adapter["netbios"] is not None:
            registry.set(key, "NetbiosOptions", adapter["netbios"])
        registry.set(key, "NameServerList", [])
        if adapter["bindings"].get("ms_server"):
            bound += [f"\\Device\\Tcpip_{guid}", f"\\Device\\Tcpip6_{guid}", f"\\Device\\NetBT_Tcpip_{guid}"]
        category = {"Public": 0, "Private": 1, "DomainAuthenticated": 2}[adapter["network"]["category"]]
        profile = f"{CURRENT_VERSION}\\NetworkList\\Profiles\\{{5D2A3C1{number}-77A0-4F0B-9A3E-1C5B7D9E0F21}}"
        registry.set(profile, "ProfileName", adapter["network"]["name"])
        registry.set(profile, "Category", category)
        registry.set(profile, "Managed", int(category == 2))
    registry.set(f"{CCS}\\Services\\LanmanServer\\Linkage", "Bind", bound)
    registry.set(f"{CCS}\\Services\\LanmanWorkstation\\Linkage", "Bind", bound)


def _firewall(document: Document, registry: Registry) -> None:
    firewall = document.pop("firewall")
    stock = definition.load(definition.HERE / "bases" / f"{firewall['rules']}.json")
    active, without = set(firewall.get("active", ())), set(firewall.get("without", ()))
    for name, text in stock.items():
        if name == "about" or name in without:
            continue
        action, rest = text.split("|", 1)
        state = "TRUE" if name in active else "FALSE"
        registry.set(f"{FIREWALL}\\FirewallRules", name, f"{firewall['version']}|{action}|Active={state}|{rest}")
    for name, text in firewall.get("local", {}).items():
        registry.set(f"{FIREWALL}\\FirewallRules", name, f"{firewall['version']}|{text}")
    for profile in ("DomainProfile", "StandardProfile", "PublicProfile"):
        values = {"EnableFirewall": 1, **firewall["profiles"], **firewall.get(profile, {})}
        logging = {
            "LogFilePath": "%systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log",
            "LogFileSize": 4096,
            "LogDroppedPackets": 0,
            "LogSuccessfulConnections": 0,
            **values.pop("Logging", {}),
        }
        _profile(registry, f"{FIREWALL}\\{profile}", values, logging)
    for name, text in firewall.get("security_rules", {}).items():
        registry.set(f"{FIREWALL}\\ConSecRules", name, text)


def _profile(registry: Registry, key: str, values: Document, logging: Document) -> None:
    for name, data in values.items():
        registry.set(key, name, data)
    for name, data in logging.items():
        registry.set(f"{key}\\Logging", name, data)


def _reboot(document: Document, registry: Registry) -> None:
    """The four signs of a pending reboot, each a key or a value that is there or not."""
    pending = document.pop("reboot", {})
    if pending.get("cbs"):
        registry.key(f"{boot.SERVICING}\\RebootPending")
    if pending.get("cbs_in_progress"):
        registry.key(f"{boot.SERVICING}\\RebootInProgress")
    if pending.get("windows_update"):
        registry.key(boot.UPDATE)
    if pending.get("file_rename"):
        registry.set(boot.MANAGER, "PendingFileRenameOperations", pending["file_rename"])


def _listeners(document: Document) -> None:
    listeners = [
        {"proto": proto, "address": address, "port": port, "pid": pid}
        for proto, address, port, pid in document["listeners"]
    ]
    document["listeners"] = [*listeners, *boot.smb_listeners(document)]


def _times(document: Document, now: datetime.datetime) -> None:
    """Turn "days ago" and "in days" into times, so that a host does not age. Updates have dates: they do age."""

    def ago(days: float) -> str:
        moment = now - datetime.timedelta(days=days)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    for certificate in document["certificates"]:
        certificate["not_after"] = ago(-certificate.pop("expires_in_days"))
        certificate["not_before"] = ago(certificate.pop("valid_since_days"))
    document["events"] = _events(document, ago)
    for name, log in document["event_logs"].items():
        log["records"] = max(log["records"], sum(event["log"] == name for event in document["events"]))
    document["now"] = ago(0)


def _events(document: Document, ago: Callable[[float], str]) -> list[Document]:
    """Return all events, the newest first; where a log is older than its events, one that nobody asks for begins it."""
    events = []
    for event in document["events"]:
        for number in range(event.get("times", 1)):
            time = ago(event["days_ago"] + number * event.get("every_days", 1))
            properties = [{"name": key, "value": value} for key, value in event["properties"].items()]
            events.append({"log": event["log"], "id": event["id"], "time": time, "properties": properties})
    for name, log in document["event_logs"].items():
        if "oldest_days" in log:
            events.append({"log": name, "id": 1, "time": ago(log.pop("oldest_days")), "properties": []})
    return sorted(events, key=lambda event: str(event["time"]), reverse=True)
