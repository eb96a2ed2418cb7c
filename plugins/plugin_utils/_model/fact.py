# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts: anything observed on a host, by id and object.

The object is a share, a listener, a file, …; ``""`` stands for the host itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Value = Any
"""A JSON value: None, bool, int, float, str, list or dict of such."""

OriginKind = Literal["default", "local", "include", "registry", "policy", "unknown"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The address that a configured value came from.

    ``where`` is a file with its line (``/etc/samba/smb.conf:12``), a registry address or a policy's name.
    """

    kind: OriginKind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}".strip()


@dataclass(frozen=True, slots=True)
class Fact:
    """Up to three truths about one thing; None means that this truth was not observed.

    Attributes:
        configured: what the file, registry or policy says.
        effective: what the running service says.
        wire: what a client is offered.
        origin: where ``configured`` came from.
        unreadable: why the value could not be read. Such a fact never satisfies a test.
        cause: why the truths differ, when a reader knows ("pending restart", …).
    """

    configured: Value = None
    effective: Value = None
    wire: Value = None
    origin: Origin | None = None
    unreadable: str | None = None
    cause: str | None = None

    @property
    def in_force(self) -> Value:
        """Return what holds on the host: the effective value, else the configured one; None when unreadable."""
        if self.unreadable is not None:
            return None
        return self.effective if self.effective is not None else self.configured

    def truths(self) -> dict[str, Value]:
        """Return the truths that were observed, by name, in the order configured, effective, wire."""
        pairs = (("configured", self.configured), ("effective", self.effective), ("wire", self.wire))
        return {name: value for name, value in pairs if value is not None}


@dataclass(slots=True)
class FactSet:
    """The facts of one host: id → object → fact."""

    by_id: dict[str, dict[str, Fact]] = field(default_factory=dict)

    def put(self, fact_id: str, fact: Fact, obj: str = "") -> None:
        """Store ``fact``, replacing an earlier one of the same id and object."""
        self.by_id.setdefault(fact_id, {})[obj] = fact

    def get(self, fact_id: str, obj: str = "") -> Fact | None:
        """Return the fact of exactly this id and object."""
        return self.by_id.get(fact_id, {}).get(obj)

    def in_force(self, fact_id: str, obj: str = "") -> Value:
        """Return what holds (see Fact); None when it was not observed or could not be read."""
        fact = self.get(fact_id, obj)
        return None if fact is None else fact.in_force

    def unused(self, fact_id: str, name: str) -> str:
        """Return an object of that name that is still free: no row of a host may hide another."""
        taken, candidate, turn = self.objects(fact_id), name, 2
        while candidate in taken:
            candidate, turn = f"{name} ({turn})", turn + 1
        return candidate

    def objects(self, fact_id: str) -> Mapping[str, Fact]:
        """Return all objects of ``fact_id`` with their facts (empty when there are none)."""
        return self.by_id.get(fact_id, {})

    def merge(self, other: FactSet) -> None:
        """Take over every fact of ``other``."""
        for fact_id, obj, fact in other:
            self.put(fact_id, fact, obj)

    def __iter__(self) -> Iterator[tuple[str, str, Fact]]:
        for fact_id, objects in self.by_id.items():
            for obj, fact in objects.items():
                yield fact_id, obj, fact
