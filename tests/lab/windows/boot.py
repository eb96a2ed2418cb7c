# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reboot does to a simulated host: pending features come and go with their drivers, services start anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .definition import Document

SERVICES = "SYSTEM\\CurrentControlSet\\Services"
SERVICING = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
UPDATE = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired"
MANAGER = "SYSTEM\\CurrentControlSet\\Control\\Session Manager"
DISABLED, ENABLED = 2, 1

_DRIVERS = {
    "srv": ("SMB1Protocol-Server", "Server SMB 1.xxx Driver", ["srv2"], 3),
    "mrxsmb10": ("SMB1Protocol-Client", "SMB 1.x MiniRedirector", ["mrxsmb"], 2),
}
"""Driver → the part of SMB1Protocol that brings it, its name as shown, what it needs, its start type as delivered."""


def boot(document: Document) -> None:
    """Change a host's state as a reboot does; tasks are not run."""
    document.update(boots=document["boots"] + 1, rebooting=False)
    _features(document)
    _signs(document)
    _services(document)
    _listeners(document)


def _features(document: Document) -> None:
    features = document["features"]
    changed = {
        name: {"DisablePending": DISABLED, "EnablePending": ENABLED}.get(state) for name, state in features.items()
    }
    changed = {name: state for name, state in changed.items() if state is not None}
    features.update(changed)
    servers = document.get("server_features", {})
    for name, state in servers.items():
        servers[name] = {"UninstallPending": "Available", "InstallPending": "Installed"}.get(state, state)
    for driver, (part, *_rest) in _DRIVERS.items():
        decides = part if part in features else "SMB1Protocol"
        if decides in changed:
            (_brought if changed[decides] == ENABLED else _gone)(document, driver)


def _gone(document: Document, driver: str) -> None:
    """The component's keys go with it, and with the client's driver the dependency of the Workstation service."""
    key = _key(document, f"{SERVICES}\\{driver}")
    if key is None:
        return
    document.setdefault("payload", {})[driver] = document["registry"].pop(key)
    document["services"].pop(driver, None)
    if driver == "mrxsmb10":
        depends = _values(document, f"{SERVICES}\\LanmanWorkstation")["DependOnService"]
        depends[1] = [name for name in depends[1] if name.lower() != driver]


def _brought(document: Document, driver: str) -> None:
    if _key(document, f"{SERVICES}\\{driver}") is not None:
        return
    _part, shown, needs, start = _DRIVERS[driver]
    fresh = {
        "DisplayName": ["String", shown],
        "ErrorControl": ["DWord", 1],
        "ImagePath": ["ExpandString", f"System32\\DRIVERS\\{driver}.sys"],
        "Start": ["DWord", start],
        "Type": ["DWord", 2],
        "DependOnService": ["MultiString", needs],
    }
    # The component's manifest writes its service anew, whatever somebody had made of it before it went.
    kept = document.get("payload", {}).pop(driver, fresh)
    document["registry"][f"{SERVICES}\\{driver}"] = {**kept, "Start": fresh["Start"]}
    document["services"][driver] = {"state": "Stopped", "pid": 0}


def _signs(document: Document) -> None:
    for path in (f"{SERVICING}\\RebootPending", f"{SERVICING}\\RebootInProgress", UPDATE):
        key = _key(document, path)
        if key is not None:
            del document["registry"][key]
    _values(document, MANAGER).pop("PendingFileRenameOperations", None)


def _services(document: Document) -> None:
    """What starts by itself runs if it can; what is asked for runs where it ran before and still can."""
    services = document["services"]
    for name in [name for name in services if _number(document, name, "DeleteFlag")]:
        document["registry"].pop(_key(document, f"{SERVICES}\\{name}"))
        del services[name]
    before = {name for name, service in services.items() if service["state"] == "Running"}
    wanted = {name for name in services if (start := _number(document, name, "Start")) is not None and start <= 2}
    running = {name for name in wanted | before if _can(document, name, set())}
    for name, service in services.items():
        service["state"] = "Running" if name in running else "Stopped"


def _can(document: Document, name: str, asked: set[str]) -> bool:
    """Whether a service can start: it is not disabled, and all that it needs can. What the data does not hold runs."""
    if name.lower() in asked:
        return True
    key = _key(document, f"{SERVICES}\\{name}")
    if key is None:
        return name.lower() not in _DRIVERS
    start = document["registry"][key].get("Start", ["DWord", 3])[1]
    needs = document["registry"][key].get("DependOnService", ["MultiString", []])[1]
    return start != 4 and all(_can(document, other, asked | {name.lower()}) for other in needs)


def _listeners(document: Document) -> None:
    kept = [socket for socket in document["listeners"] if socket["port"] not in (137, 138, 139, 445)]
    document["listeners"] = kept + list(smb_listeners(document))


def smb_listeners(document: Document) -> Iterator[Document]:
    """Yield SMB's own listeners, as they follow from the Server service and the adapters' NetBIOS options."""
    if document["services"].get("LanmanServer", {}).get("state") == "Running":
        yield {"proto": "tcp", "address": "::", "port": 445, "pid": 4}
    for adapter in document["adapters"]:
        options = _values(document, f"{SERVICES}\\NetBT\\Parameters\\Interfaces\\Tcpip_{adapter['guid']}")
        if options.get("NetbiosOptions", ["DWord", 0])[1] == 2:
            continue
        for address in adapter["addresses"]:
            if ":" not in address:
                yield {"proto": "tcp", "address": address, "port": 139, "pid": 4}
                yield {"proto": "udp", "address": address, "port": 137, "pid": 4}
                yield {"proto": "udp", "address": address, "port": 138, "pid": 4}


def _key(document: Document, path: str) -> str | None:
    """Return a key as it is spelt in the state."""
    return next((key for key in document["registry"] if key.lower() == path.lower()), None)


def _values(document: Document, path: str) -> dict[str, Any]:
    values: dict[str, Any] = document["registry"].get(_key(document, path) or "", {})
    return values


def _number(document: Document, service: str, name: str) -> int | None:
    data = _values(document, f"{SERVICES}\\{service}").get(name)
    return int(data[1]) if data else None
