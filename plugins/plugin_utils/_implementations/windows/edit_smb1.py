# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB 1.0 switched off, as one plan: the server first, because that closes the port at once; then the client, and the feature.

``mrxsmb10`` is never stopped from starting while LanmanWorkstation depends on it: the Workstation service would not
start any more, and a member would lose its domain. Of that list only MRxSmb10 is taken out. The feature's payload
stays on the host, so that it can come back. Where a removal waits for the reboot already, nothing more is done.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..._model.answer import document
from ..._model.step import ABSENT, Blocked, Native, Step, StepKind, Target
from .edit_native import registry, says, standing
from .edit_settings import SERVICES, address_for, write
from .edit_site import Proposal, Refused, Site, proposed
from .smb1 import DISM, FEATURE, INSTALL_STATES, REMOVABLE, ROLE, SERVER_MANAGER, STARTS, STAYS, meanings

_SERVER = "windows.smb1_server"
_DEPENDENCY = "windows.smb1_client_dependency"
_DRIVER = "windows.smb1_client_driver"
_FEATURE = "windows.smb1_feature"
_SWITCH = "windows.server_smb1"
_START = "windows.service_mrxsmb10_start"
_PENDING = "windows.smb1_pending_reboot"
FACTS = frozenset({_SERVER, _DEPENDENCY, _DRIVER, _FEATURE, _SWITCH, _START, _PENDING})
_OFF: dict[str, tuple[Any, ...]] = {
    _SERVER: (False,),
    _SWITCH: (False,),
    _DRIVER: ("absent", "disabled"),
    _START: ("absent", "disabled"),
    _FEATURE: ("absent", "disabled"),
}
_WORKSTATION = f"{SERVICES}LanmanWorkstation"
_NAME = "mrxsmb10"
_KNOWN = {"bowser": "Bowser", "mrxsmb20": "MRxSmb20", "nsi": "NSI"}
_DISABLED = 4


def propose(targets: Sequence[Target], site: Site) -> Iterator[Proposal | Blocked]:
    """Yield the steps in the order in which they are done, each with the target that asks for it, and refusals."""
    feature = site.facts.get(_FEATURE)
    going = feature is not None and feature.configured == "pending-removal"
    asked = []
    for target in targets:
        if target.fact in _OFF and target.value not in _OFF[target.fact]:
            back = "no step brings SMB 1.0 back: the rollback of the change that removed it does"
            yield Refused("edit", back).blocked(target)
        elif target.fact != _PENDING:  # only the reboot changes that
            asked.append(target)
    if not going:
        yield from _each(_server, [target for target in asked if target.fact in (_SERVER, _SWITCH)], site)
    yield from _client(asked, going, site)
    if not going:
        yield from _each(_feature, [target for target in asked if target.fact == _FEATURE], site)


def _each(
    make: Callable[[Target, Site], Iterable[Proposal]], targets: Iterable[Target], site: Site
) -> Iterator[Proposal | Blocked]:
    for target in targets:
        try:
            yield from make(target, site)
        except Refused as refused:
            yield refused.blocked(target)


def _server(target: Target, site: Site) -> list[Proposal]:
    """The cmdlet's property takes effect at once; the registry, where it must do, with the reboot."""
    setting = site.setting(_SWITCH)
    address = address_for(setting, target, site)
    if address.store != "registry" and says(setting, address, standing(site.stores, setting, address), False):
        # The service refuses it now; without a value it would not after the next start.
        address = next(item for item in setting.addresses if item.store == "registry")
    made = write(setting, address, target, site)
    if made is None:
        return []
    immediate = dataclasses.replace(made.step, restart="none" if made.step.kind == "server_property" else "reboot")
    return [dataclasses.replace(made, step=immediate)]


def _client(asked: Sequence[Target], going: bool, site: Site) -> Iterator[Proposal | Blocked]:
    lists = [target for target in asked if target.fact == _DEPENDENCY]
    drivers = [target for target in asked if target.fact in (_DRIVER, _START)]
    free = True
    for target in lists:
        try:
            yield from _dependency(target, list(target.value), going, site)
        except Refused as refused:
            free = False
            yield refused.blocked(target)
    for target in drivers if not going else ():
        try:
            step = _driver(target, site)
            if step is not None and not free:
                raise Refused(
                    "edit", f"LanmanWorkstation still depends on {_NAME}: without it the service would not start"
                )
            if step is not None and not lists:
                yield from _dependency(target, None, going, site)
            if step is not None:
                yield step
        except Refused as refused:
            yield refused.blocked(target)


def _dependency(target: Target, wanted: list[str] | None, going: bool, site: Site) -> Iterator[Proposal]:
    """Take MRxSmb10 out of the list, and put in what a target finds missing; None: it asks for nothing else."""
    before = registry(site.stores, _WORKSTATION, "DependOnService")
    if site.stores.keys[_WORKSTATION.lower()][0] == "absent":
        raise Refused("edit", "the service LanmanWorkstation is not installed")
    if before.type not in ("multi_sz", "absent"):
        raise Refused("edit", "DependOnService of LanmanWorkstation is no list")
    today: list[str] = [] if before == ABSENT else before.value
    kept = [item for item in today if item.lower() != _NAME]
    asked = [item.lower() for item in wanted] if wanted is not None else [item.lower() for item in kept]
    if {item.lower() for item in kept if item} - set(asked):
        raise Refused("edit", f"of what LanmanWorkstation depends on only {_NAME} is taken out")
    missing = [item for item in asked if item not in {known.lower() for known in kept}]
    for item in missing:
        _startable(item, site)
    if going and not missing:
        return
    after = [*kept, *(_KNOWN[item] for item in missing)]
    if after != today:
        step = Step(
            0,
            "registry",
            _WORKSTATION,
            "DependOnService",
            before,
            Native("multi_sz", after),
            restart="reboot",
            stage=target.stage,
        )
        yield proposed(target, step, f"HKLM\\{_WORKSTATION}!DependOnService")


def _startable(name: str, site: Site) -> None:
    """Refuse a dependency that would keep the Workstation service from starting."""
    if name not in _KNOWN:
        raise Refused("edit", f"whether LanmanWorkstation may depend on {name} is not known")
    driver = site.facts.get("windows.smb2_client_driver")
    if name == "mrxsmb20" and (driver is None or driver.configured in (None, "absent", "disabled")):
        raise Refused(
            "edit", "the driver mrxsmb20 does not start: set its start type to 3 (manual) first (win-smb2-server-on)"
        )


def _driver(target: Target, site: Site) -> Proposal | None:
    before = registry(site.stores, f"{SERVICES}{_NAME}", "Start")
    if before == ABSENT or before.value == _DISABLED:
        return None
    if before.type != "dword" or before.value not in STARTS:
        raise Refused("edit", f"the start type of {_NAME} is no number that Windows knows")
    step = Step(
        0,
        "service",
        _NAME,
        "",
        Native("integer", before.value),
        Native("integer", _DISABLED),
        restart="reboot",
        stage=target.stage,
    )
    return Proposal(target, step, f"service {_NAME}", STARTS[before.value], STARTS[_DISABLED])


def _feature(target: Target, site: Site) -> Iterator[Proposal]:
    """Switch off the parts that are on, the whole last: so an undo brings the same parts back."""
    if (0, 0) < site.product.release < REMOVABLE:
        raise Refused(
            "edit", "before 8.1 and 2012 R2 SMB 1.0 is a fixed part: its server and client are switched off instead"
        )
    kind, on, off, parts = _parts(site)
    if not parts:
        raise Refused("edit", "Windows shows no part of the feature SMB1Protocol that is on and could be switched off")
    for part in parts:
        step = Step(0, kind, part, "", Native("text", on), Native("text", off), restart="reboot", stage=target.stage)
        yield proposed(target, step, f"feature {part}")


def _parts(site: Site) -> tuple[StepKind, str, str, list[str]]:
    """Return how the feature is switched here (servers: as a role's feature), and which of its parts are on."""
    roles, why = document(site.collected, "host.server_features")
    if why is None and ROLE in roles:
        return "role_feature", "installed", "available", _below(ROLE, meanings(roles, SERVER_MANAGER))
    features, why = document(site.collected, "host.features")
    states = meanings(features, INSTALL_STATES) if why is None else {}
    waiting, why = document(site.collected, "host.feature_pending")
    if why is None:
        states |= meanings(waiting, DISM)
    return "feature", "enabled", "disabled", _below(FEATURE, states)


def _below(whole: str, states: dict[str, str | None]) -> list[str]:
    names = [name for name in sorted(states) if name.startswith(f"{whole}-")] + [whole]
    return [name for name in names if states.get(name) in STAYS]
