# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a collected answer to facts about the host's firewall, and the verdict about the ports of SMB."""

from __future__ import annotations

import re
from typing import Any

from .._model.answer import document, mapping, missing, number, table, text
from .._model.collected import Collected, Reading, SectionError
from .._model.fact import Fact, FactSet
from . import windows, windows_profiles
from .model import TCP, UDP, Profile, Rule
from .verdict import in_force, inbound, outbound, union

_SMB = 445
_PORTS = {
    "inbound_445": ((TCP, _SMB),),
    "inbound_netbios": ((TCP, 139), (UDP, 137), (UDP, 138)),
    "inbound_quic": ((UDP, 443),),
}
_REACHED = (*_PORTS, "outbound_445")
_LEGACY = "fps-nb_"
"""Names of the NetBIOS rules of the group "File and Printer Sharing", in lower case."""
_INACTIVE = re.compile(r"\|Active=FALSE\|", re.IGNORECASE)
_BLOCKS = re.compile(r"\|Action=Block\|", re.IGNORECASE)
_SERVICES = ("MpsSvc", "BFE")
"""Without these services the Windows firewall filters nothing, whatever its profiles say."""


def read(collected: Collected, host: FactSet) -> Reading:
    """Return what the answer says about the firewall of a Windows host.

    Args:
        collected: the host's answer.
        host: facts that the host reader found: services, version, other firewall products.
    """
    reading = Reading()
    facts = reading.facts
    stores, why = document(collected, "host.firewall_profiles")
    active, active_why = _active(collected)
    rules, rules_why, doubts = _rules(collected, _release(host))
    if why is None and not mapping(stores.get("local")):
        why = "host.firewall_profiles: the firewall's own profiles are not there"
    stopped = _stopped(host)
    for complaint in dict.fromkeys(filter(None, (why, active_why, rules_why))):
        reading.errors.append(SectionError("firewall", complaint))
    reason = why or active_why
    if reason is not None:
        for name in (*windows_profiles.NAMES, *_REACHED):
            facts.put(f"firewall.{name}", Fact(unreadable=reason))
    else:
        for name in windows_profiles.PROFILES:
            _profile(stores, active, name, stopped, host, rules, rules_why or doubts, facts)
    _legacy(rules, rules_why, facts)
    facts.put("firewall.smb_ipsec", _ipsec(collected, rules, rules_why or doubts))
    reason = reason or rules_why
    facts.put("firewall.readable", Fact(effective=True) if reason is None else Fact(unreadable=reason))
    return reading


def _release(host: FactSet) -> tuple[int, int] | None:
    fact = host.get("host.kernel")
    match = re.match(r"(\d{1,3})\.(\d{1,3})\.", text(fact.effective)) if fact is not None else None
    return (int(match[1]), int(match[2])) if match else None


def _active(collected: Collected) -> tuple[dict[str, dict[str, Any]] | None, str | None]:
    """Return the running profiles by name; None before Windows 8, where no cmdlet tells."""
    if missing(collected, "host.firewall_active"):
        return None, None
    listed, why = table(collected, "host.firewall_active")
    found = {text(item.get("name")).lower(): item for item in listed}
    lacking = [name for name in windows_profiles.PROFILES if name not in found]
    if why is None and lacking:
        why = f"host.firewall_active: nothing about the profile {lacking[0]}"
    return found, why


def _rules(collected: Collected, release: tuple[int, int] | None) -> tuple[list[Rule], str | None, str | None]:
    """Return the rules, why they could not be read, and which one may do anything because it cannot be understood."""
    data, why = document(collected, "host.firewall_rules")
    rules, doubts = [], None
    if why is None and not isinstance(data.get("local"), dict):
        why = "host.firewall_rules: the rules of the host are not there"
    for source, kind in (("policy", "policy"), ("mdm", "policy"), ("local", "local")):
        for rule_id, value in mapping(data.get(source)).items():
            try:
                rules.append(windows.parse(rule_id, value, kind, release))
            except windows.BadRule as error:
                harmless = isinstance(value, str) and (_INACTIVE.search(value) or _BLOCKS.search(value))
                doubts = doubts or (None if harmless else f"rule {text(rule_id)[:80]}: {error}")
    return rules, why, doubts


def _stopped(host: FactSet) -> str | None:
    """Return which service of the firewall does not run, if that is certain."""
    whole = host.get("host.services_read")
    if whole is None or whole.unreadable is not None:
        return None
    for name in _SERVICES:
        fact = host.get("host.service", name)
        if fact is None or mapping(fact.effective).get("state") == "stopped":
            return f"the service {name} does not run"
    return None


def _profile(
    stores: dict[str, Any],
    running: dict[str, dict[str, Any]] | None,
    name: str,
    stopped: str | None,
    host: FactSet,
    rules: list[Rule],
    rules_why: str | None,
    facts: FactSet,
) -> None:
    """Put the facts of one profile, and who reaches what while it holds."""
    active = None if running is None else running.get(name)
    found = windows_profiles.facts(stores, active, name)
    other = _other_product(host)
    enabled = found["enabled"]
    if stopped is not None:
        found["enabled"] = Fact(enabled.configured, False, origin=enabled.origin, cause=stopped)
    elif other is not None and enabled.unreadable is None:
        cause = enabled.cause or f"{other} is registered as a firewall, too"
        found["enabled"] = Fact(enabled.configured, enabled.effective, origin=enabled.origin, cause=cause)
    for fact_id, fact in found.items():
        facts.put(f"firewall.{fact_id}", fact, name)
    state = windows_profiles.profile(stores, active, name, found)
    if isinstance(state, Profile) and not state.enabled and other is not None:
        state = f"the Windows firewall is off, and the rules of {other} cannot be read"
    elif isinstance(state, Profile) and state.enabled and not state.shielded and rules_why is not None:
        state = rules_why
    _reached(state, rules, name, facts)


def _other_product(host: FactSet) -> str | None:
    """Return a firewall of another vendor that is on, as the Security Center says."""
    on = (name for name, fact in host.objects("host.firewall_product").items() if fact.effective is True)
    return next(on, None)


def _reached(state: Profile | str, rules: list[Rule], name: str, facts: FactSet) -> None:
    if isinstance(state, str):
        for fact_id in _REACHED:
            facts.put(f"firewall.{fact_id}", Fact(unreadable=state), name)
        return
    for fact_id, ports in _PORTS.items():
        verdict = union(inbound(rules, state, protocol, port) for protocol, port in ports)
        facts.put(f"firewall.{fact_id}", Fact(effective=list(verdict.open)), name)
        if fact_id == "inbound_445":
            facts.put("firewall.inbound_445_authenticated", Fact(effective=list(verdict.authenticated)), name)
            facts.put("firewall.inbound_445_rules", Fact(effective=list(verdict.rules)), name)
    way, scopes = outbound(rules, state, _SMB)
    facts.put("firewall.outbound_445", Fact(effective=way), name)
    facts.put("firewall.outbound_445_scopes", Fact(effective=list(scopes)), name)


def _everywhere(facts: FactSet, rules: list[Rule]) -> list[Rule]:
    """Return the rules that are in force in at least one profile."""
    found: dict[str, Rule] = {}
    for name in windows_profiles.PROFILES:
        merge = facts.get("firewall.local_merge", name) or Fact()
        state = Profile(name, local_rules=merge.unreadable is not None or any(merge.truths().values()))
        found |= {f"{rule.source}/{rule.id}": rule for rule in in_force(rules, state)}
    return list(found.values())


def _legacy(rules: list[Rule], why: str | None, facts: FactSet) -> None:
    if why is not None:
        facts.put("firewall.legacy_sharing_rules", Fact(unreadable=why))
        return
    names = {
        rule.id
        for rule in _everywhere(facts, rules)
        if rule.id.lower().startswith(_LEGACY) and rule.direction == "in" and rule.action == "allow"
    }
    facts.put("firewall.legacy_sharing_rules", Fact(effective=sorted(names)))


def _ipsec(collected: Collected, rules: list[Rule], why: str | None) -> Fact:
    """Whether a rule lets only authenticated peers in to SMB, and a connection security rule makes them authenticate."""
    if why is not None:
        return Fact(unreadable=why)
    demanding = [
        rule
        for rule in rules
        if rule.active
        and rule.authenticated
        and (rule.action, rule.direction, rule.match) in (("allow", "in", "always"), ("allow", "in", "perhaps"))
        and rule.protocol in (None, TCP)
        and (rule.local_ports is None or rule.local_ports.covers(_SMB))
    ]
    if not demanding:
        return Fact(effective=False)
    data, unread = document(collected, "host.firewall_ipsec")
    count = number(data.get("count"))
    if unread is not None or count is None:
        return Fact(unreadable=unread or "host.firewall_ipsec: the number of rules is not told")
    return Fact(effective=count > 0)
