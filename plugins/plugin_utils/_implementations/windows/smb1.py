# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB 1.0: the one thing on Windows that no single value tells.

The server's part is on where the driver ``srv`` is there and nothing says that it is off; the client's part is the
driver ``mrxsmb10``. Whether they are there at all is a feature since Windows 8.1 and 2012 R2, and a fixed part before.

=================================  ====================================  ==============================
state of the host                  what the places show                  what the facts say
=================================  ====================================  ==============================
never installed (2019 and newer)   no SMB1 value, no srv, no mrxsmb10    disabled or absent, server off
installed by default (to 2016)     no SMB1 value, both drivers start     enabled, server on
switched off, still installed      SMB1 = 0, mrxsmb10 disabled           enabled, server off
removal waits for the reboot       feature off, drivers still run        pending-removal, still on
removed                            feature off, no drivers               disabled or absent, server off
=================================  ====================================  ==============================

The same absent value means "on" where SMB 1.0 is installed and nothing where it is not. Sources: Microsoft, "Detect,
enable and disable SMBv1, SMBv2, and SMBv3 in Windows"; live hosts of 2016 to 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._model.answer import document, flag, names, number, table, text
from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet, Origin
from ..._model.setting import Address
from .origin import Origins
from .product import Product
from .stores import Stores

STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
PENDING = "pending reboot"
RUNNING = "running"
"""What is effective of a driver that was disabled or deleted and runs until the next reboot."""
_SWITCH = Address("configured", "registry", "SMB1", "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters")
FEATURE = "SMB1Protocol"
ROLE = "FS-SMB1"
REMOVABLE = (6, 3)
"""The release from which on SMB 1.0 is a feature that can be removed."""
INSTALL_STATES = {1: "enabled", 2: "disabled", 3: "absent"}
"""States of an optional feature in WMI."""
DISM = {
    "enabled": "enabled",
    "disabled": "disabled",
    "disabledwithpayloadremoved": "absent",
    "enablepending": "pending-install",
    "disablepending": "pending-removal",
    "partiallyinstalled": "enabled",
}
"""States of an optional feature in DISM."""
SERVER_MANAGER = {
    "installed": "enabled",
    "available": "disabled",
    "removed": "absent",
    "installpending": "pending-install",
    "uninstallpending": "pending-removal",
}
"""States of a role's feature in the Server Manager."""
_THERE = frozenset({"enabled", "pending-removal"})
"""States in which the parts of SMB 1.0 may run now."""
STAYS = frozenset({"enabled", "pending-install"})
"""States in which they may run after the next reboot."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A service or driver of the list; ``start`` is None when it is not there."""

    start: str | None = None
    running: bool | None = False
    deleted: bool = False
    depends: tuple[str, ...] | None = ()

    @property
    def leaving(self) -> bool:
        """Return whether it was switched off or deleted but runs until the reboot."""
        return self.running is True and (self.deleted or self.start == "disabled")


@dataclass(frozen=True, slots=True)
class _Host:
    """What the places say: each may be unread."""

    feature: str | None
    feature_why: str | None
    drivers: dict[str, Driver] | None
    drivers_why: str | None

    def driver(self, name: str) -> Driver:
        """Return a driver; one that is not listed is not there."""
        return (self.drivers or {}).get(name.lower(), Driver())


def read(collected: Collected, stores: Stores, origins: Origins, product: Product, facts: FactSet) -> None:
    """Put the facts about SMB 1.0, and about the client's driver for the newer dialects."""
    drivers, drivers_why = _drivers(collected)
    feature, feature_why = _feature(collected, product, drivers)
    host = _Host(feature, feature_why, drivers, drivers_why)
    facts.put("windows.smb1_feature", _feature_fact(host))
    facts.put("windows.smb1_server", _server(host, stores, origins))
    facts.put("windows.smb1_client_driver", _client(host, "mrxsmb10"))
    facts.put("windows.smb2_client_driver", _client(host, "mrxsmb20"))
    facts.put("windows.smb1_client_dependency", _dependency(host))
    facts.put("windows.smb1_pending_reboot", _pending(collected, product, host))


def _drivers(collected: Collected) -> tuple[dict[str, Driver] | None, str | None]:
    listed, why = table(collected, "host.services")
    found = {}
    for item in listed:
        start, state, depends = number(item.get("start")), text(item.get("state")).lower(), names(item.get("depends"))
        found[text(item.get("name")).lower()] = Driver(
            STARTS.get(-1 if start is None else start, "unknown"),
            None if not state or state == "unknown" else state != "stopped",
            flag(item.get("delete_flag")) is True,
            None if depends is None else tuple(name.lower() for name in depends),
        )
    found.pop("", None)
    if why is None and not found:
        why = "host.services: not one service is listed"
    return (None, why) if why is not None else (found, None)


def _feature(
    collected: Collected, product: Product, drivers: dict[str, Driver] | None
) -> tuple[str | None, str | None]:
    """Return the state of the feature, or why it cannot be told."""
    if (0, 0) < product.release < REMOVABLE:
        return "enabled", None
    waiting = _waiting(collected)
    if waiting is not None:
        return waiting, None
    features, why = document(collected, "host.features")
    optional = _of_parts(features, FEATURE, INSTALL_STATES) if why is None else None
    roles, roles_why = document(collected, "host.server_features")
    manager = _of_parts(roles, ROLE, SERVER_MANAGER) if roles_why is None else None
    if manager in ("pending-removal", "pending-install"):
        return manager, None
    if optional is not None and manager is not None and (optional == "enabled") is not (manager == "enabled"):
        return None, f"the optional feature {FEATURE} is {optional}, but the role feature {ROLE} is {manager}"
    if optional is not None or manager is not None:
        return optional or manager, None
    if drivers is not None and "mrxsmb10" not in drivers and "srv" not in drivers:
        return "absent", None  # no state is told, and neither driver is there
    return None, why or roles_why or f"Windows does not tell the state of the feature {FEATURE}"


def _waiting(collected: Collected) -> str | None:
    """Return what DISM says while a change of features waits for the reboot; WMI shows the new state already."""
    data, why = document(collected, "host.feature_pending")
    if why is not None:
        return None
    whole = DISM.get(text(data.get(FEATURE)).lower())
    return whole if whole is not None else _of_parts(data, FEATURE, DISM)


def meanings(data: Mapping[str, Any], words: Mapping[Any, str]) -> dict[str, str | None]:
    """Return what the states of features mean, by name; None for one that Windows does not know."""
    return {
        name: words.get(text(value).lower() if isinstance(value, str) else number(value))
        for name, value in data.items()
    }


def _of_parts(data: dict[str, Any], feature: str, words: Mapping[Any, str]) -> str | None:
    """Return the state of a feature with its parts (client, server): the one that leaves most of it on the host."""
    found = {
        state
        for name, state in meanings(data, words).items()
        if name == feature or (name.startswith(f"{feature}-") and not name.endswith("-Deprecation"))
    }
    order = ("enabled", "pending-removal", "pending-install", None, "disabled", "absent")
    return next((state for state in order if state in found), None)


def _feature_fact(host: _Host) -> Fact:
    if host.feature is None:
        return Fact(unreadable=host.feature_why)
    state = host.feature
    if state in ("disabled", "absent") and host.driver("mrxsmb10").running is True:
        state = "pending-removal"  # the drivers go with the reboot
    return Fact(configured=state, cause=PENDING if state.startswith("pending") else None)


def _server(host: _Host, stores: Stores, origins: Origins) -> Fact:
    """Whether the server would accept SMB 1.0: after a restart (configured), and now (effective)."""
    stays, now = _installed(host)
    switched_on, origin, why = _switch(stores, origins)
    configured = _both(stays, switched_on)
    told = stores.properties.get("windows.server_configuration", {}).get("enablesmb1protocol")
    says = flag(told)
    effective = None if says is None and not (now and host.driver("srv").leaving) else _both(now, says is not False)
    if configured is None and effective is not True:
        why = (host.drivers_why or host.feature_why) if stays is None else why
        return Fact(effective=effective, unreadable=why or "whether SMB 1.0 is installed is not told")
    cause = PENDING if effective and not configured and now and not stays else None
    return Fact(configured=configured, effective=effective, origin=origin, cause=cause)


def _both(left: bool | None, right: bool | None) -> bool | None:
    """Three-valued and: False if either says so, True if both do."""
    if left is False or right is False:
        return False
    return True if left and right else None


def _installed(host: _Host) -> tuple[bool | None, bool | None]:
    """Return whether the server's part is there after the next reboot, and now."""
    srv = host.driver("srv")
    if host.drivers is not None and srv.start is None:
        return host.feature == "pending-install", False
    if host.drivers is None:
        if host.feature is None:
            return None, None
        return host.feature in STAYS, host.feature in _THERE
    if srv.running is True:  # whatever else says that it is gone: it is not yet
        return not srv.leaving and (host.feature is None or host.feature in STAYS), True
    if srv.start == "disabled" or srv.deleted:
        return False, False if srv.running is False else None
    if host.feature is None:
        return None, None
    return host.feature in STAYS, host.feature in _THERE


def _switch(stores: Stores, origins: Origins) -> tuple[bool | None, Origin | None, str | None]:
    """Return whether the registry leaves SMB 1.0 on where it is installed: absent means on."""
    found = stores.find(_SWITCH)
    if found.state == "unread":
        return None, None, found.why
    if found.state == "absent":
        return True, Origin("default"), None
    value = number(found.native)
    if value is None:
        return None, None, f"{_SWITCH.place()} is no number"
    return value != 0, origins.written(_SWITCH), None


def _client(host: _Host, name: str) -> Fact:
    """Return how a driver of the client starts; what was switched off and still runs is effective as "running"."""
    if host.drivers is None:
        return Fact(unreadable=host.drivers_why)
    driver = host.driver(name)
    if driver.start is None:
        return Fact(configured="absent")
    if driver.start == "unknown":
        return Fact(unreadable=f"the start type of {name} is not told")
    configured = "absent" if driver.deleted else driver.start
    if driver.leaving:
        return Fact(configured=configured, effective=RUNNING, cause=PENDING)
    if driver.running is None and configured in ("absent", "disabled"):
        return Fact(configured=configured, unreadable=f"whether {name} still runs is not told")
    return Fact(configured=configured)


def _dependency(host: _Host) -> Fact:
    if host.drivers is None:
        return Fact(unreadable=host.drivers_why)
    if "lanmanworkstation" not in host.drivers:
        return Fact(configured=[])
    depends = host.driver("LanmanWorkstation").depends
    if depends is None:
        return Fact(unreadable="what the service LanmanWorkstation depends on is not told")
    return Fact(configured=list(depends))


def _pending(collected: Collected, product: Product, host: _Host) -> Fact:
    """Whether a part that was removed or switched off still runs."""
    parts = [host.driver(name) for name in ("mrxsmb10", "srv")]
    gone = host.feature in ("disabled", "absent")
    if host.feature == "pending-removal" or any(part.leaving or (gone and part.running is True) for part in parts):
        return Fact(effective=True, cause=PENDING)
    if host.drivers is None:
        return Fact(unreadable=host.drivers_why)
    if all(part.start is None for part in parts):
        return Fact(effective=False)
    if any(part.running is None for part in parts):
        return Fact(unreadable="whether the drivers of SMB 1.0 run is not told")
    if host.feature is None:
        return Fact(unreadable=host.feature_why)
    if (0, 0) < product.release < REMOVABLE:
        return Fact(effective=False)  # nothing that could be removed
    reboot, why = document(collected, "host.reboot")
    if why is None and flag(reboot.get("cbs")) is not False and _waiting(collected) is None:
        why = "a change of features waits for a reboot, and whether it is this one cannot be told"
    return Fact(unreadable=why) if why is not None else Fact(effective=False)
