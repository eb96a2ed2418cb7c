# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What brings changed values into force: a reload, a restart where it may be done now, a reboot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from .._model.setting import RestartClass
from .._model.step import STATELESS, Blocked, Change, Step, Target
from . import cluster, roles
from .order import Asking
from .situation import Situation, implementation, lifting
from .window import contains

_PROPERTIES = {
    "server_property": "LanmanServer",
    "share_property": "LanmanServer",
    "client_property": "LanmanWorkstation",
}
_FACTS = (
    ("windows.server_", "LanmanServer"),
    ("windows.client_", "LanmanWorkstation"),
    ("windows.print_", "Spooler"),
)
_FALLBACK: dict[str, RestartClass] = {"samba": "reload", "windows": "reboot"}
"""What brings values into force that are in no property table: log levels of Samba, the drivers of SMB 1.0."""
_SMBD = "smbd"
_SERVICES = "\\services\\"
_RESTARTED = frozenset({"lanmanserver", "lanmanworkstation", "spooler", "webclient", "remoteregistry", "lmhosts"})
"""Services that a plan restarts; for others (Dnscache, NetBT, Netlogon) a reboot is what is sure to help."""


@dataclass(frozen=True, slots=True)
class Need:
    """A service, or the whole host (""), that has to start anew before a value is in force."""

    service: str
    kind: RestartClass
    targets: tuple[Target, ...] = ()
    config: str = ""


@dataclass(slots=True)
class Effect:
    """What a plan ends with.

    Attributes:
        steps: reloads and restarts, without ids.
        pending: what may not be done now.
        blocked: restarts that a special role holds back.
        reboot: a value needs one.
    """

    steps: list[Step] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    reboot: bool = False


def needs(
    steps: Sequence[Step], changes: Sequence[Change], asking: Asking, idle: Sequence[Target], situation: Situation
) -> Iterator[Need]:
    """Yield what the steps, and values that are written already but not in force, need.

    Args:
        steps, changes: of all editors; a change knows better than a step that many changes share.
        asking: see there.
        idle: targets whose value is written, and no more is to be done about them.
        situation: see there.
    """
    by_id = {step.id: step for step in steps}
    for change in changes:
        step = by_id.get(change.step)
        if step is not None:
            yield from _need(change.fact, change.restart, step, tuple(asking.of_change(change)), situation)
    named = {change.step for change in changes}
    for step in steps:
        if step.kind in STATELESS:
            yield Need(step.target, "reload" if step.kind == "reload" else "restart", (), step.config)
        elif step.id not in named:
            yield from _need("", step.restart, step, (), situation)
    for target in idle:
        setting = situation.settings.get(target.fact)
        kind: RestartClass = setting.restart if setting is not None else _FALLBACK.get(implementation(target), "none")
        yield from _need(target.fact, kind, None, (target,), situation)


def _need(
    fact: str, kind: RestartClass, step: Step | None, targets: tuple[Target, ...], situation: Situation
) -> Iterator[Need]:
    if kind == "none":
        return
    service = _to_restart(fact, kind, step)
    if not service:
        yield Need("", "reboot", targets)
    elif service == _SMBD:
        if situation.facts.in_force("samba.server_running") is not False:
            yield Need(service, kind, targets, step.config if step is not None else "")
    elif (situation.facts.in_force("host.service", service) or {}).get("state") != "stopped":
        yield Need(service, "restart", targets)


def _to_restart(fact: str, kind: RestartClass, step: Step | None) -> str:
    """Return the service that has to take a value up; "" for the whole host."""
    if kind == "reboot":
        return ""
    if fact.startswith("samba.") or (step is not None and (step.check == "testparm" or step.kind == "netconf")):
        return _SMBD
    service = _service(fact, step)
    return service if service.lower() in _RESTARTED else ""


def _service(fact: str, step: Step | None) -> str:
    """Return the Windows service that reads a value; "" when that is not known."""
    if step is not None and step.kind in _PROPERTIES:
        return _PROPERTIES[step.kind]
    if step is not None and step.kind == "registry":
        _above, found, rest = step.target.lower().partition(_SERVICES)
        if found:
            return step.target[len(step.target) - len(rest) :].partition("\\")[0]
    return next((service for prefix, service in _FACTS if fact.startswith(prefix)), "")


def waits_for(steps: Sequence[Step], restarted: Collection[str]) -> tuple[str, ...]:
    """Return what values that were written still wait for, in the words of ``Plan.pending``.

    Args:
        steps: that were done; of an undo, which has no targets.
        restarted: services that were started anew after them.
    """
    found: list[str] = []
    for step in steps:
        if step.kind in STATELESS or step.restart not in ("restart", "reboot"):
            continue
        service = _to_restart("", step.restart, step)
        if service not in restarted:
            found.append(f"restart of {service}" if service else "reboot")
    return tuple(sorted(set(found), key=lambda word: (word == "reboot", word)))


def effect(wanted: Sequence[Need], stopped: frozenset[str], situation: Situation) -> Effect:
    """Return the steps that bring values into force, each service once, and what has to wait.

    Args:
        wanted: see ``needs``.
        stopped: services that a step of the plan stops anyway.
        situation: see there.
    """
    found = Effect()
    restarts = [need for need in wanted if need.kind == "restart" and need.service not in stopped]
    done: set[str] = set()
    for service in dict.fromkeys(need.service for need in restarts):
        mine = [need for need in restarts if need.service == service]
        if _may(mine, f"the service {service} is not restarted", situation.options.restart, situation, found):
            config = next((need.config for need in mine if need.config), "")
            found.steps.append(Step(0, "restart", service, config=config))
            done.add(service)
        else:
            found.pending.append(f"restart of {service}")
    reloads = [need for need in wanted if need.kind == "reload" and need.service not in done]
    for service in dict.fromkeys(need.service for need in reloads):
        config = next((need.config for need in reloads if need.service == service and need.config), "")
        found.steps.append(Step(0, "reload", service, config=config))
    reboots = [need for need in wanted if need.kind == "reboot"]
    found.reboot = bool(reboots)
    if reboots and not _may(reboots, "the host is not rebooted", situation.options.reboot, situation, found):
        found.pending.append("reboot")
    return found


def _may(wanted: Sequence[Need], words: str, asked: bool, situation: Situation, found: Effect) -> bool:
    """Whether a restart may be done now: asked for, inside the window, and not on a host that others lean on."""
    if not asked or not contains(situation.options.window, situation.now):
        return False
    role = next((why for name in roles.SPECIAL if (why := roles.special(name, situation))), None)
    targets = [target for need in wanted for target in need.targets]
    forced = [target for target in targets if situation.forced(target)]
    if role is None or any(cluster.partly(target, situation) is None for target in forced):
        return True
    for target in {target.control: target for target in targets}.values():
        partly = cluster.partly(target, situation) if target in forced else None
        why = f"{words}: {partly or f'{role}; {lifting(target, situation)} lifts this'}"
        found.blocked.append(target.blocked("role", why))
    return False
