# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the answer of a Windows host to facts about the host around SMB."""

from __future__ import annotations

import datetime
from typing import Any

from ..._model.answer import document, flag, mapping, missing, moment, names, number, rows, table, text
from ..._model.collected import Collected, Reading, SectionError
from ..._model.fact import Fact, FactSet
from . import windows_listeners, windows_os

_ADMINISTRATORS = "S-1-5-32-544"
_HIGH = ("S-1-16-12288", "S-1-16-16384")
STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
_DOMAIN_ROLES = {
    0: "standalone",
    1: "domain-member",
    2: "standalone",
    3: "domain-member",
    4: "domain-controller",
    5: "domain-controller",
}
_ROLES = {"ClusSvc": "cluster", "vmms": "hyper-v", "DFS": "dfs", "WINS": "wins"}
_ON = 1
"""Fourth hexadecimal digit, from the right, of a product's state in the Security Center: 0 off, 1 on, 2 snoozed."""
_IMPORTANT = (
    "host.os",
    "host.privileged",
    "host.domain_role",
    "host.services_read",
    "host.listeners_read",
    "host.pending_reboot",
)


def read(collected: Collected, today: datetime.date) -> Reading:
    """Return what the answer says about the host itself.

    Args:
        collected: the host's answer.
        today: updates that claim to be installed later than tomorrow are not believed.
    """
    reading = Reading()
    facts = reading.facts
    system, version = windows_os.system(collected)
    facts.put("host.os", system)
    if version:
        facts.put("host.kernel", Fact(effective=version))
    facts.put("host.privileged", _privileged(collected))
    _computer(collected, facts)
    _services(collected, facts)
    windows_listeners.read(collected, facts)
    facts.put("host.pending_reboot", _pending_reboot(collected))
    _roles(facts)
    _products(collected, facts)
    _updates(collected, facts, today)
    for fact_id in _IMPORTANT:
        fact = facts.get(fact_id)
        if fact is not None and fact.unreadable is not None:
            reading.errors.append(SectionError(fact_id, fact.unreadable))
    return reading


def _privileged(collected: Collected) -> Fact:
    """Whether the collector ran as an elevated administrator; one that UAC has filtered reads like a user."""
    data, unread = document(collected, "host.identity")
    if unread is not None:
        return Fact(unreadable=unread)
    elevated = flag(data.get("administrator"))
    if elevated is None:
        return Fact(unreadable="host.identity: whether the user is an administrator is not told")
    groups, integrity = names(data.get("groups")), text(data.get("integrity"))
    if elevated and groups and _ADMINISTRATORS not in groups and text(data.get("sid")) != "S-1-5-18":
        return Fact(unreadable="host.identity: an administrator that is not in the group of administrators")
    if elevated and integrity and integrity not in _HIGH:
        return Fact(effective=False, cause="the administrator's token is filtered")
    cause = "the administrator's token is filtered" if flag(data.get("filtered")) else None
    return Fact(effective=elevated, cause=None if elevated else cause)


def _computer(collected: Collected, facts: FactSet) -> None:
    data, unread = document(collected, "host.computer")
    name = text(data.get("Name"))
    if name:
        facts.put("host.hostname", Fact(effective=name))
    told = number(data.get("DomainRole"))
    role = None if told is None else _DOMAIN_ROLES.get(told)
    system, _why = document(collected, "host.os_wmi")
    if number(system.get("ProductType")) == 2:
        role = "domain-controller"
    if role is None and flag(data.get("PartOfDomain")) is not None:
        role = "domain-member" if data["PartOfDomain"] else "standalone"
    reason = unread or "Win32_ComputerSystem: the role in a domain is not told"
    facts.put("host.domain_role", Fact(unreadable=reason) if role is None else Fact(effective=role))
    identity, unread = document(collected, "host.identity")
    language = text(identity.get("culture"))
    facts.put("host.language", Fact(effective=language) if language else Fact(unreadable=unread or "not told"))


def _services(collected: Collected, facts: FactSet) -> None:
    """Put ``host.service`` for the services that are there; the list is closed, so what is not listed is absent."""
    listed, unread = table(collected, "host.services")
    if unread is None and not any(text(item.get("name")) for item in listed):
        unread = "host.services: not one service is listed"
    for item in listed:
        name, start = text(item.get("name")), number(item.get("start"))
        if name:
            value = {
                "start": STARTS.get(-1 if start is None else start, "unknown"),
                "state": text(item.get("state")).lower() or "unknown",
            }
            facts.put("host.service", Fact(effective=value), name)
    facts.put("host.services_read", Fact(effective=True) if unread is None else Fact(unreadable=unread))


def _pending_reboot(collected: Collected) -> Fact:
    data, unread = document(collected, "host.reboot")
    if unread is not None:
        return Fact(unreadable=unread)
    marks = [flag(data.get(name)) for name in ("cbs", "windows_update", "file_rename")]
    if True in marks:
        return Fact(effective=True)
    if None in marks or flag(data.get("cbs_in_progress")):
        return Fact(unreadable="host.reboot: not every mark of a pending reboot could be read")
    return Fact(effective=False)


def _roles(facts: FactSet) -> None:
    """Put which special roles the host has, as far as its services tell; nothing when they could not be read."""
    whole = facts.get("host.services_read") or Fact()
    if whole.unreadable is not None:
        facts.put("host.role", Fact(unreadable=whole.unreadable))
        return
    domain = facts.get("host.domain_role") or Fact()
    found = {"domain-controller"} if domain.effective == "domain-controller" else set()
    for service, role in _ROLES.items():
        fact = facts.get("host.service", service)
        state = mapping(fact.effective) if fact is not None else {}
        if state.get("state") == "running" or state.get("start") == "automatic":
            found.add(role)
    facts.put("host.role", Fact(effective=sorted(found)))


def _products(collected: Collected, facts: FactSet) -> None:
    """Third-party firewalls, and the endpoint protection that runs."""
    listed, unread = table(collected, "host.firewall_products")
    for item in listed:
        if text(item.get("name")):
            facts.put("host.firewall_product", _state(item), text(item["name"]))
    if unread is not None and not missing(collected, "host.firewall_products"):  # servers have no Security Center
        facts.put("host.firewall_product", Fact(unreadable=unread))
    data, unread = document(collected, "host.protection")
    defender = mapping(data.get("defender"))
    running = {text(item.get("name")) for item in rows(data.get("products")) if _state(item).effective}
    if flag(defender.get("enabled")) and flag(defender.get("realtime")):
        running.add("Microsoft Defender Antivirus")
    fact = Fact(effective=sorted(running - {""})) if unread is None else Fact(unreadable=unread)
    facts.put("host.endpoint_protection", fact)


def _state(item: dict[str, Any]) -> Fact:
    state = number(item.get("state"))
    if state is None:
        return Fact(unreadable=f"the state of {text(item.get('name'))} is not told")
    return Fact(effective=(state >> 12) & 0xF == _ON)


def _updates(collected: Collected, facts: FactSet, today: datetime.date) -> None:
    listed, unread = table(collected, "host.updates")
    for item in listed:
        name = text(item.get("id"))
        when = moment(item.get("installed"))
        if not name:
            continue
        if when is None or when.date() > today + datetime.timedelta(days=1):
            facts.put("host.update", Fact(unreadable=f"when {name} was installed is not told"), name)
        else:
            facts.put("host.update", Fact(effective=when.date().isoformat()), name)
    facts.put("host.updates_read", Fact(effective=True) if unread is None else Fact(unreadable=unread))
