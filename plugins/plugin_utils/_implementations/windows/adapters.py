# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBIOS over TCP/IP per adapter, the adapters that the server is bound to, and who listens beside it."""

from __future__ import annotations

import re
from typing import Any

from ..._model.answer import ask, document, flag, mapping, names, number, rows, table, text
from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet, Origin

OPTIONS = {0: "dhcp", 1: "enabled", 2: "disabled"}
_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\NetBT\\Parameters\\Interfaces\\Tcpip_"
_KERNEL = 4
"""The process id of System: SMB and NetBIOS of Windows listen in the kernel."""
_NETBIOS = frozenset({"tcp/139", "udp/137", "udp/138"})
_DIRECT = "tcp/5445"
_GUID = re.compile(r"\{[0-9A-F-]{36}\}", re.IGNORECASE)


def read(collected: Collected, host: FactSet, facts: FactSet) -> None:
    """Put the facts about adapters."""
    _netbios(collected, facts)
    _bindings(collected, facts)
    facts.put("windows.unexpected_listeners", _unexpected(collected, host, facts))


def _netbios(collected: Collected, facts: FactSet) -> None:
    """Put ``windows.netbios_options`` of every interface: also of one that is not connected now.

    An adapter that is gone leaves its key behind, which nothing reads any more.
    """
    registry, why = table(collected, "host.netbt")
    adapters, adapters_why = table(collected, "host.adapters")
    live = {guid_of(item): number(item.get("netbios")) for item in adapters if guid_of(item)}
    present = _present(collected) if adapters_why is None else set()
    for item in registry:
        guid, option = guid_of(item), item.get("options")
        if not guid:
            why = why or "host.netbt: an interface without a GUID"
            continue
        if present and guid not in present and guid not in live:
            continue
        value = "dhcp" if option is None else OPTIONS.get(_number(option))
        origin = Origin("default") if option is None else Origin("local", f"{_KEY}{guid}!NetbiosOptions")
        effective = OPTIONS.get(_number(live.pop(guid, None)))
        if value is None:
            fact = Fact(effective=effective, unreadable="NetbiosOptions holds no option that Windows knows")
        else:
            fact = Fact(configured=value, effective=effective, origin=origin)
        facts.put("windows.netbios_options", fact, guid)
    for guid, option in live.items():  # connected, and without a key of its own
        effective = OPTIONS.get(_number(option))
        fact = Fact(effective=effective) if effective else Fact(unreadable="the option is not told")
        facts.put("windows.netbios_options", fact, guid)
    if why is not None:  # what the live ones say still counts
        others = "other adapters" if facts.objects("windows.netbios_options") else ""
        facts.put("windows.netbios_options", Fact(unreadable=why), others)
    elif not registry and adapters_why is not None:
        facts.put("windows.netbios_options", Fact(unreadable=adapters_why))


def _present(collected: Collected) -> set[str]:
    """Return the GUIDs of the adapters that SMB is bound to or could be, connected or not; empty: not told."""
    data, why = ask(collected, "host.bindings")
    if why is not None:
        return set()
    if isinstance(data, list):
        return {text(item.get("interface_guid")).upper() for item in rows(data)} - {""}
    devices = names(mapping(data).get("linkage")) or []
    return {guid.upper() for device in devices for guid in _GUID.findall(device)}


def _number(value: Any) -> int:
    found = number(value)
    return -1 if found is None else found


def guid_of(item: dict[str, Any]) -> str:
    """Return the GUID of an interface, in braces and capitals."""
    guid = text(item.get("guid")).strip().removeprefix("Tcpip_").strip("{}").upper()
    return f"{{{guid}}}" if guid else ""


def _bindings(collected: Collected, facts: FactSet) -> None:
    """Put whether File and Printer Sharing is bound to each adapter, and to which in public networks."""
    data, why = ask(collected, "host.bindings")
    bound: dict[str, dict[str, Any]] = {}
    if why is None and isinstance(data, list):
        for item in rows(data):
            if text(item.get("component")).lower() == "ms_server" and text(item.get("adapter")):
                bound[text(item["adapter"])] = item
                enabled = flag(item.get("enabled"))
                fact = Fact(unreadable="not told") if enabled is None else Fact(configured=enabled)
                facts.put("windows.server_binding", fact, text(item["adapter"]))
    elif why is None:  # before Windows 8: devices, which no cmdlet connects with a network
        for device in names(mapping(data).get("linkage")) or []:
            facts.put("windows.server_binding", Fact(configured=True), device)
        why = "this Windows does not tell which adapters are in a public network"
    if why is not None and not facts.objects("windows.server_binding"):
        facts.put("windows.server_binding", Fact(unreadable=why))
    networks, networks_why = table(collected, "host.networks")
    facts.put("windows.server_bound_public", _public(bound, networks, why or networks_why))


def _public(bound: dict[str, dict[str, Any]], networks: list[dict[str, Any]], why: str | None) -> Fact:
    if why is not None:
        return Fact(unreadable=why)
    found = []
    for network in networks:
        category, alias = text(network.get("category")), text(network.get("alias"))
        if category not in ("Public", "Private", "DomainAuthenticated"):
            return Fact(unreadable=f"the category of network {alias or '?'} is not told")
        if category != "Public":
            continue
        item = bound.get(alias)
        if item is None or flag(item.get("enabled")) is None:
            return Fact(unreadable=f"whether the server is bound to {alias or '?'} is not told")
        if item["enabled"]:
            found.append(alias)
    return Fact(effective=sorted(found))


def _unexpected(collected: Collected, host: FactSet, facts: FactSet) -> Fact:
    """Return what Windows' own SMB, as it is set up, does not explain: ``tcp/139`` and the like.

    UDP 443 is left out: web servers answer HTTP/3 there, in the kernel too.
    """
    whole = host.get("host.listeners_read") or Fact(unreadable="host.listeners: the collector did not bring it")
    if whole.unreadable is not None:
        return Fact(unreadable=whole.unreadable)
    quic, _why = document(collected, "windows.quic")
    ports = {number(item.get("port")) for item in rows(quic.get("ports"))}
    silent = _netbios_off(facts)
    interfaces, interfaces_why = table(collected, "windows.network_interfaces")
    direct = any(item.get("rdma") is True for item in interfaces)
    strange = set()
    for fact in host.objects("host.listener").values():
        listener = mapping(fact.effective)
        place, owner = f"{listener.get('proto')}/{listener.get('port')}", listener.get("pid")
        if place in ("tcp/445", "tcp/139") and owner is None:
            return Fact(unreadable=f"who listens on {place} is not told")
        if place in ("tcp/445", "tcp/139") and owner != _KERNEL:
            strange.add(f"{place} ({listener.get('process') or f'process {owner}'})")
        elif place in _NETBIOS and owner in (_KERNEL, None) and silent:
            strange.add(place)
        elif place == _DIRECT and not direct and listener.get("port") not in ports:
            if interfaces_why is not None:
                return Fact(unreadable=f"{place}: {interfaces_why}")
            strange.add(place)
    return Fact(effective=sorted(strange))


def _netbios_off(facts: FactSet) -> bool:
    """Whether NetBIOS is certainly off on every adapter."""
    options = facts.objects("windows.netbios_options").values()
    return bool(options) and all(
        fact.unreadable is None and set(fact.truths().values()) == {"disabled"} for fact in options
    )
