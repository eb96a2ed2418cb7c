# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: who can reach a port of this host, and whether this host can reach it elsewhere.

On Windows a rule that blocks beats one that allows, whatever their order; only peers that IPsec has authenticated pass
rules that block, by rules made for that. Where no rule matches, the profile's default action decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from .addresses import INTERNET, Addresses
from .model import TCP, Direction, Profile, Rule, Verdict

Outbound = Literal["open", "partly", "blocked"]


def inbound(rules: Sequence[Rule], profile: Profile, protocol: int, port: int) -> Verdict:
    """Return who can reach a port of this host in a profile."""
    if not profile.enabled:
        return Verdict(("any",))
    if profile.shielded:
        return Verdict()
    fitting = [rule for rule in _fitting(rules, profile, "in", protocol) if _covers(rule, "in", port) is not False]
    allowing = [rule for rule in fitting if rule.action == "allow"]
    anyone = Addresses(whole=profile.inbound == "allow")
    known = Addresses()
    past_blocks = Addresses()
    for rule in allowing:
        (anyone if not rule.authenticated else past_blocks if rule.overrides else known).add(rule.peers)
    for rule in _certain_blocks(fitting, "in", port):
        anyone.remove(rule.peers)
        known.remove(rule.peers)
    known.add_all(past_blocks)
    opening = sorted({rule.id for rule in allowing if not rule.authenticated}) if anyone else []
    return Verdict(anyone.shown(), known.shown(), tuple(opening))


def outbound(
    rules: Sequence[Rule], profile: Profile, port: int, protocol: int = TCP
) -> tuple[Outbound, tuple[str, ...]]:
    """Return whether this host can reach a port elsewhere, and at which addresses.

    "open": at some public address; "partly": at private and local ones only; "blocked": nowhere.
    """
    if not profile.enabled:
        return "open", ("any",)
    fitting = [rule for rule in _fitting(rules, profile, "out", protocol) if _covers(rule, "out", port) is not False]
    reached = Addresses(whole=profile.outbound == "allow")
    past_blocks = Addresses()
    for rule in fitting:
        if rule.action == "allow":
            (past_blocks if rule.overrides else reached).add(rule.peers)
    for rule in _certain_blocks(fitting, "out", port):
        reached.remove(rule.peers)
        for scope in rule.peers:
            if scope.word == INTERNET:
                reached.remove_internet(scope.version)
    reached.add_all(past_blocks)
    if not reached:
        return "blocked", ()
    return ("open" if reached.reaches_internet() else "partly"), reached.shown()


def union(verdicts: Iterable[Verdict]) -> Verdict:
    """Return who can reach at least one of several ports."""
    found = tuple(verdicts)
    return Verdict(
        _joined(verdict.open for verdict in found),
        _joined(verdict.authenticated for verdict in found),
        tuple(sorted({rule for verdict in found for rule in verdict.rules})),
    )


def in_force(rules: Sequence[Rule], profile: Profile) -> list[Rule]:
    """Return the active rules of a profile; those of the host are void where policy does not merge them."""
    return [
        rule
        for rule in rules
        if rule.active and profile.name in rule.profiles and (profile.local_rules or rule.source != "local")
    ]


def _joined(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    scopes = tuple(dict.fromkeys(scope for scopes in lists for scope in scopes))
    return ("any",) if "any" in scopes else scopes


def _fitting(rules: Sequence[Rule], profile: Profile, direction: Direction, protocol: int) -> list[Rule]:
    return [
        rule
        for rule in in_force(rules, profile)
        if rule.direction == direction and rule.match != "never" and rule.protocol in (None, protocol)
    ]


def _covers(rule: Rule, direction: Direction, port: int) -> bool | None:
    """Return whether a rule is about the port of the side that serves."""
    ports = rule.local_ports if direction == "in" else rule.remote_ports
    return True if ports is None else ports.covers(port)


def _certain_blocks(rules: Sequence[Rule], direction: Direction, port: int) -> list[Rule]:
    """Return the rules that certainly block the port: without any condition on the other side's port or on IPsec."""
    return [
        rule
        for rule in rules
        if rule.action == "block"
        and rule.match == "always"
        and not rule.authenticated
        and _covers(rule, direction, port) is True
        and (rule.remote_ports if direction == "in" else rule.local_ports) is None
    ]
