# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that group policy has written, or may have: what is written here would be put back."""

from __future__ import annotations

from collections.abc import Iterator

from .._model.fact import Origin
from .._model.setting import Setting
from .._model.step import Target
from .situation import Situation

_PLACES = ("HKLM\\", "secedit [", "user right ", "auditpol ")
_DEPENDENCY, _START = "windows.client_depend_on_service", "windows.service_mrxsmb10_start"
_DRIVER = "mrxsmb10"


def overriding(target: Target, situation: Situation) -> str | None:
    """Return which policy a value comes from and what must change there, or None when this host may decide itself.

    A value in a policy key that no policy object put there is this host's own, where the host told of its objects.
    """
    found = (_overriding(origin, fact_id, target, situation) for fact_id, origin in _origins(target, situation))
    return next((why for why in found if why is not None), None)


def _origins(target: Target, situation: Situation) -> Iterator[tuple[str, Origin | None]]:
    """Yield where what a target would write comes from today, by the fact that tells it.

    SMB 1.0 as a client is two facts without an origin, which stand at settings that have one. The driver goes together
    with the service's dependency on it: a policy that puts only that one back would keep the service from starting.
    """
    facts = situation.facts
    if target.fact not in ("windows.smb1_client_driver", "windows.smb1_client_dependency"):
        yield target.fact, situation.fact(target).origin
        return
    start, depends = facts.get(_START), facts.get(_DEPENDENCY)
    if target.fact == "windows.smb1_client_driver" and start is not None:
        yield _START, start.origin
    listed = depends.in_force if depends is not None else None
    needs = isinstance(listed, (list, tuple)) and _DRIVER in [str(item).lower() for item in listed]
    if depends is not None and (needs or target.fact == "windows.smb1_client_dependency"):
        yield _DEPENDENCY, depends.origin


def _overriding(origin: Origin | None, fact_id: str, target: Target, situation: Situation) -> str | None:
    if origin is None or origin.kind not in ("policy", "unknown"):
        return None
    setting = situation.settings.get(fact_id)
    where = _address(setting, origin.where) or situation.name(target)
    if origin.kind == "unknown":
        told = situation.facts.in_force("windows.policy_source_read") is True
        lift = "" if told else ", or let this account read the Resultant Set of Policy"
        return (
            f"Windows does not tell where {where} comes from, and this host belongs to a domain, so policy may put it "
            f"back; set it in a policy object{lift}"
        )
    if not _is_place(origin.where, setting):
        return f"the policy object '{origin.where}' sets {where} and would put it back; change it there"
    if situation.facts.in_force("windows.policy_source_read") is True:
        return None
    return f"a policy sets {where}, and which policy object could not be read; change it in that object"


def _address(setting: Setting | None, origin: str) -> str:
    """Return the place that a policy object has to change: where the origin says, else the first one known."""
    if origin.startswith(_PLACES):
        return origin
    return next((item.place() for item in setting.addresses if item.truth != "effective"), "") if setting else ""


def _is_place(where: str, setting: Setting | None) -> bool:
    """Whether an origin is only an address: policy objects have names of their own."""
    if setting is None:
        return where.startswith(_PLACES)
    return where in {address.place() for address in setting.addresses}
