# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A setting's value to a step: which of its addresses is written, and what it needs to come into force.

A policy's key is written where something stands in it that no policy object put there: it overrides all others. Else
the cmdlet, which tells the service at once; else the registry. A policy's key that is empty is only used where Windows
reads the setting nowhere else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..._model.setting import Address, RestartClass, Setting
from ..._model.step import ABSENT, Native, Step, Target, Twin
from .edit_native import becoming, registry, says, standing, written
from .edit_site import Proposal, Refused, Site, proposed
from .settings import available, counts
from .smb1 import STARTS
from .stores import CMDLETS

SHOWN_ONLY = frozenset({"EnableAuthRateLimiter"})
"""Properties that the cmdlets show and have no parameter for."""
SERVICES = "SYSTEM\\CurrentControlSet\\Services\\"
_THRESHOLD, _DURATION, _RESET = (f"windows.account_lockout_{name}" for name in ("threshold", "duration", "reset"))
_FOREVER = (0, 99999)
"""Lockouts that only an administrator ends."""


def propose(target: Target, site: Site) -> Proposal | None:
    """Return the step that gives a setting a value; None where the value stands there and waits to come into force.

    Raises:
        Refused: no step can be made, and why.
    """
    setting = site.setting(target.fact)
    if not available(setting, site.product.version, site.product.traits):
        raise Refused("edit", f"this Windows does not know {setting.name}")
    return write(setting, address_for(setting, target, site), target, site)


def address_for(setting: Setting, target: Target, site: Site) -> Address:
    """Return the address that is written.

    Raises:
        Refused: a policy object sets the value, or there is no address on this host.
    """
    usable = [item for item in setting.addresses if counts(item, site.product.version, site.product.traits)]
    policies = [item for item in usable if item.truth == "policy"]
    for address in policies:
        if standing(site.stores, setting, address) != ABSENT:
            _own(address, target, site)
            return address
    local = [item for item in usable if item.truth == "configured"]
    cmdlets = [item for item in usable if item.truth == "effective" and _settable(item, site)]
    if cmdlets and not (local and _behind(setting, cmdlets[0], local[0], target, site)):
        return cmdlets[0]
    if local or policies:
        return (local or policies)[0]
    raise Refused("edit", f"{setting.name} has no place on this Windows that a step could write to")


def _settable(address: Address, site: Site) -> bool:
    return address.name not in SHOWN_ONLY and site.stores.find(address).state == "present"


def _behind(setting: Setting, cmdlet: Address, local: Address, target: Target, site: Site) -> bool:
    """Whether the service says what is wanted already, and the registry, which decides at its next start, does not."""
    if not says(setting, cmdlet, standing(site.stores, setting, cmdlet), target.value):
        return False
    before = standing(site.stores, setting, local)
    return before != ABSENT and not says(setting, local, before, target.value)


def _own(address: Address, target: Target, site: Site) -> None:
    """Refuse a policy's value that is not this host's own."""
    origin = site.fact(target).origin
    if origin is not None and origin.kind == "policy" and origin.where != address.place():
        raise Refused("policy", f"the policy object '{origin.where}' sets {address.place()}; change it there")
    if site.facts.in_force("windows.policy_source_read") is not True:
        raise Refused("policy", f"a policy sets {address.place()}, and which object does could not be read")


def write(setting: Setting, address: Address, target: Target, site: Site) -> Proposal | None:
    """Return the step that writes a target's value to an address of a setting; None: see ``propose``.

    Raises:
        Refused: no step can be made, and why.
    """
    before = standing(site.stores, setting, address)
    if before != ABSENT and says(setting, address, before, target.value):
        fact = site.fact(target)
        if fact.configured == target.value and fact.effective not in (None, target.value):
            return None
        raise Refused("edit", f"{written(address)} says so already, and something else still decides otherwise")
    after = becoming(setting, address, before, target.value)
    if address.store == "secedit":
        _account(setting, before, after, site)
    step = _step(setting, address, before, after, target)
    if step.kind == "service":
        return Proposal(target, step, f"service {step.target}", _start(before), _start(after))
    if address.store in CMDLETS:
        step = dataclasses.replace(step, twin=_twin(setting, site))
    return proposed(target, step, written(address))


def _step(setting: Setting, address: Address, before: Native, after: Native, target: Target) -> Step:
    service = _service(address)
    if service:
        if before == ABSENT:
            raise Refused("edit", f"the service {service} is not installed")
        if before.type != "dword":
            raise Refused("edit", f"the start type of the service {service} is no number")
        numbers = (Native("integer", before.value), Native("integer", after.value))
        return Step(0, "service", service, "", *numbers, restart=setting.restart, stage=target.stage)
    restart: RestartClass = setting.restart
    if address.store in CMDLETS and restart != "reboot":
        restart = "none"  # the cmdlet tells the running service
    alone = address.store in ("right", "audit")  # their names stand for themselves, below no key
    where = (address.name, "") if alone else (address.key, address.name)
    return Step(0, address.store, *where, before, after, restart=restart, stage=target.stage)


def _service(address: Address) -> str:
    """Return the service whose start type an address is."""
    below = address.key[len(SERVICES) :] if address.key.startswith(SERVICES) else ""
    return below if address.name == "Start" and "\\" not in below else ""


def _start(native: Native) -> str:
    return STARTS.get(native.value, str(native.value))


def _twin(setting: Setting, site: Site) -> Twin | None:
    """Return the registry value that the cmdlet writes, as it stands today."""
    for address in setting.addresses:
        if address.truth == "configured" and address.store == "registry":
            return Twin(address.key, address.name, registry(site.stores, address.key, address.name))
    return None


def _account(setting: Setting, before: Native, after: Native, site: Site) -> None:
    """Refuse what Windows would not take: secedit writes no line that it does not export, and lockouts lean on each other."""
    if before == ABSENT and setting.id in (_DURATION, _RESET):
        raise Refused(
            "edit",
            f"Windows keeps {setting.name} only while accounts are locked at all: set LockoutBadCount first "
            "(win-account-lockout-threshold), and look again afterwards",
        )
    if before == ABSENT:
        raise Refused(
            "edit", f"this Windows does not export {setting.name}: install the newest cumulative update first"
        )
    if setting.id not in (_DURATION, _RESET):
        return
    duration, reset = (_minutes(name, setting, after, site) for name in (_DURATION, _RESET))
    if duration is not None and reset is not None and duration not in _FOREVER and reset > duration:
        raise Refused(
            "edit",
            f"ResetLockoutCount ({reset}) may not be longer than LockoutDuration ({duration}): change both together",
        )


def _minutes(fact_id: str, setting: Setting, after: Native, site: Site) -> int | None:
    """Return what a time of the lockouts will be."""
    if fact_id == setting.id:
        return int(after.value) % 2**32
    value = site.wanted.get(fact_id, site.facts.in_force(fact_id))
    return value if isinstance(value, int) else None


def sequence(targets: Sequence[Target]) -> list[Target]:
    """Return targets in the order in which they may be written: the lockouts' threshold, duration and reset, if all."""
    order = (_THRESHOLD, _DURATION, _RESET)
    leaning = iter(sorted((item for item in targets if item.fact in order), key=lambda item: order.index(item.fact)))
    return [next(leaning) if item.fact in order else item for item in targets]
