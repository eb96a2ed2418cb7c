# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truths of a setting: what policy and registry say, what the service says, and what is in force by default.

Nothing here ever makes a pass that the running service could contradict. Where the cmdlet should tell the effective
value and could not be read, the fact is unreadable although the written value is known: a written value may wait for
a restart. That turns a clear failure into "unknown", which counts against the host all the same; the value stays
visible in the fact. A property that this release's cmdlet does not have is simply not observed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._model.fact import Fact, FactSet, Origin
from ..._model.setting import Address, Setting, Truth
from ..._model.when import When
from .origin import Origins
from .product import Product
from .settings import available, counts, default
from .stores import Stores
from .values import BadValue, parse

OVERRIDDEN = "overridden by policy"


@dataclass(frozen=True, slots=True)
class _Truth:
    """One truth: a value, why there is none, or neither (nothing stands there)."""

    value: Any = None
    present: bool = False
    why: str | None = None
    address: Address | None = None


def read(settings: Mapping[str, Setting], stores: Stores, origins: Origins, product: Product, facts: FactSet) -> None:
    """Put one fact per setting that this Windows knows, and which policies differ from what stands locally."""
    conflicts = []
    for setting in settings.values():
        if any(product.doubtful(when) for when in _conditions(setting)):
            facts.put(setting.id, Fact(unreadable="the host did not tell product, edition or role, which decide here"))
            continue
        if not available(setting, product.version, product.traits):
            continue
        fact, conflict = _fact(setting, stores, origins, product)
        facts.put(setting.id, fact)
        if conflict:
            conflicts.append(setting.id)
    facts.put("windows.policy_source_read", origins.fact())
    unread = stores.unread.get("windows.registry")
    facts.put("windows.policy_conflicts", Fact(effective=conflicts) if unread is None else Fact(unreadable=unread))


def _conditions(setting: Setting) -> Iterator[When | None]:
    yield setting.available
    yield from (row.when for row in setting.defaults)
    yield from (address.when for address in setting.addresses)


def _fact(setting: Setting, stores: Stores, origins: Origins, product: Product) -> tuple[Fact, bool]:
    """Return a setting's fact, and whether policy and local value differ."""
    policy = _truth(setting, "policy", stores, product)
    local = _truth(setting, "configured", stores, product)
    effective = _truth(setting, "effective", stores, product)
    configured, origin, why = _configured(setting, policy, local, effective, origins, product)
    conflict = policy.present and local.present and policy.value != local.value
    fact = Fact(
        configured=configured,
        effective=effective.value,
        origin=origin,
        unreadable=why or effective.why,
        cause=OVERRIDDEN if conflict else None,
    )
    return fact, conflict


def _configured(
    setting: Setting, policy: _Truth, local: _Truth, effective: _Truth, origins: Origins, product: Product
) -> tuple[Any, Origin | None, str | None]:
    """Return the value that is written or in force by default, its origin, and why it cannot be told."""
    if policy.why is not None:
        return None, None, policy.why
    if policy.present and policy.address is not None:
        return policy.value, origins.policy(policy.address), None
    if local.why is not None:
        return None, None, local.why
    if local.present and local.address is not None:
        return local.value, origins.written(local.address), None
    written = any(address.truth != "effective" for address in setting.addresses)
    if not written and effective.present:
        return None, None, None  # a cmdlet's property that stands nowhere else: nothing is configured
    row = default(setting, product.version, product.traits)
    if effective.present and row.value != effective.value:
        return None, None, None  # nothing is written: what is in force by default is our belief, the cmdlet knows
    if row.value is not None:
        return row.value, Origin("default"), None
    return None, None, None if effective.why is not None else row.why


def _truth(setting: Setting, truth: Truth, stores: Stores, product: Product) -> _Truth:
    """Return what the first address of that truth holds where anything stands."""
    for address in setting.addresses:
        if address.truth != truth or not counts(address, product.version, product.traits):
            continue
        found = stores.find(address)
        if found.state == "unread":
            return _Truth(why=found.why, address=address)
        native = [] if found.native is None and setting.type == "list" else found.native
        if found.state == "present" and native is not None:
            try:
                value = parse(setting, address, native)
            except BadValue as error:
                return _Truth(why=f"{_place(address)}: {error}", address=address)
            return _Truth("(not shown)" if setting.secret else value, True, None, address)
    return _Truth()


def _place(address: Address) -> str:
    return f"property {address.name}" if address.truth == "effective" else address.place()
