# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Windows answers here: version, what ``when:`` may ask for, and whether its server and client run."""

from __future__ import annotations

from dataclasses import dataclass

from ..._model.answer import document, mapping, rows, table, text
from ..._model.collected import Collected, Implementation
from ..._model.fact import FactSet
from ..._model.when import When

_PRODUCTS = frozenset({"workstation", "server-os"})
_ROLES = frozenset({"standalone", "domain-member", "domain-controller"})
_EDITIONS = frozenset({"home", "pro", "enterprise"})
_HOME = frozenset({"core", "coren", "coresinglelanguage", "corecountryspecific"})
_WORK = ("enterprise", "education", "iotenterprise")


@dataclass(frozen=True, slots=True)
class Product:
    """This Windows.

    Attributes:
        version: ``10.0.20348.2227``; ``""`` when it is not known.
        traits: what the host certainly is.
        doubts: traits that it may or may not have, because the host did not tell.
        server_running, client_running: None when that could not be told.
    """

    version: str
    traits: tuple[str, ...]
    doubts: frozenset[str] = frozenset()
    server_running: bool | None = None
    client_running: bool | None = None

    @property
    def build(self) -> int:
        """Return the build number; 0 when it is not known."""
        parts = self.version.split(".")
        return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() else 0

    @property
    def release(self) -> tuple[int, int]:
        """Return major and minor version; (0, 0) when they are not known."""
        parts = self.version.split(".")
        known = len(parts) > 2 and parts[0].isdecimal() and parts[1].isdecimal()
        return (int(parts[0]), int(parts[1])) if known else (0, 0)

    def doubtful(self, when: When | None) -> bool:
        """Return whether a condition hangs on something that the host did not tell."""
        return when is not None and bool(self.doubts & {*when.trait, *when.without})

    def implementations(self) -> list[Implementation]:
        """Return the server and the client that every Windows has."""
        doubts = tuple(sorted(self.doubts))
        return [
            Implementation("windows", self.version, "server", self.server_running, self.traits, doubts),
            Implementation("windows", self.version, "client", self.client_running, self.traits, doubts),
        ]


def product(collected: Collected, host: FactSet) -> Product:
    """Return what the host is, from the facts of the host reader and a few records."""
    system = mapping(host.in_force("host.os"))
    version = text(host.in_force("host.kernel"))
    role = host.in_force("host.domain_role")
    traits: list[str] = []
    doubts: set[str] = set()
    if system:
        traits.append("server-os" if system.get("id") == "windows-server" else "workstation")
        traits += _edition(text(system.get("edition")).lower(), traits[0], doubts)
        if text(system.get("installation")) == "Server Core":
            traits.append("server-core")
    else:
        doubts |= _PRODUCTS | _EDITIONS | {"server-core"}
    if role in _ROLES:
        traits.append(str(role))
    else:
        doubts |= _ROLES
    _roles(collected, host, traits, doubts)
    return Product(
        version, tuple(traits), frozenset(doubts), _running(host, "LanmanServer"), _running(host, "LanmanWorkstation")
    )


def _edition(edition: str, kind: str, doubts: set[str]) -> list[str]:
    if kind == "server-os":
        return []
    if edition in _HOME:
        return ["home"]
    if edition.startswith("professional"):
        return ["pro"]
    if edition.startswith(_WORK):
        return ["enterprise"]
    if not edition:
        doubts |= _EDITIONS
    return []


def _running(host: FactSet, name: str) -> bool | None:
    if host.in_force("host.services_read") is not True:
        return None
    state = mapping(host.in_force("host.service", name)).get("state")
    return None if state == "unknown" else state == "running"


def _roles(collected: Collected, host: FactSet, traits: list[str], doubts: set[str]) -> None:
    """Roles beside the domain's: of services, shares and QUIC mappings."""
    if host.in_force("host.services_read") is True:
        for name, trait in (("ClusSvc", "cluster"), ("vmms", "hyper-v"), ("DFS", "dfs"), ("DFSR", "dfs")):
            state = mapping(host.in_force("host.service", name))
            used = state.get("start") == "automatic" or (trait != "dfs" and state.get("state") == "running")
            if state and (used or trait == "hyper-v") and trait not in traits:
                traits.append(trait)
    else:
        doubts |= {"cluster", "hyper-v", "dfs"}
    shares, unread = table(collected, "windows.shares")
    if any(text(item.get("type")) == "PrintQueue" for item in shares):
        traits.append("print-server")
    elif unread is not None:
        doubts.add("print-server")
    quic, _unread = document(collected, "windows.quic")
    if rows(quic.get("mappings")):
        traits.append("quic")
