# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the planner knows of a host beside its targets: facts, options, the connection, and who forces what."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._model.collected import Implementation
from .._model.control import Control, Stage
from .._model.exception import ExceptionRecord
from .._model.fact import Fact, FactSet
from .._model.setting import Setting
from .._model.step import Target


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        areas, controls: names or globs; empty: all.
        exclude: controls, names or globs, that stay as they are.
        stages: stages to go; empty: all. Controls without a stage always go.
        observe_days: for how many days somebody must have been watching; 0: what is live now decides.
        restart, reboot: services may be restarted, the host may be rebooted.
        window: when they may be, in UTC; see ``window.contains``.
        roles: special roles that the user says the host has, beside those that it tells itself.
    """

    areas: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    observe_days: int = 0
    restart: bool = False
    reboot: bool = False
    window: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """The connection that a change comes through.

    Attributes:
        transport: "ssh", "winrm", "psrp", "local", …
        port: None: not known.
        account: user name as it was given.
        uid: numeric id or SID that the collector ran as; "": not known.
        groups: SIDs of the groups in its token.
        authentication: "ntlm", "kerberos", "basic", "key", "password"; "": negotiated, or not known.
    """

    transport: str = ""
    port: int | None = None
    account: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    authentication: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster that a host is a node of.

    Attributes:
        group: the inventory group of its nodes.
        nodes: their inventory names.
        away: nodes that this run does not reach.
        force: node → exceptions of kind force for it.
    """

    group: str
    nodes: tuple[str, ...]
    away: tuple[str, ...] = ()
    force: Mapping[str, tuple[ExceptionRecord, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the runs before this one saw of an auditing switch: days; None: no run saw it.

    Attributes:
        on: since when every look found it on.
        off: when it was last found off, or could not be read.
    """

    on: datetime.date | None = None
    off: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """One host at one moment.

    Attributes:
        host: inventory name.
        facts, implementations: what was collected.
        settings, controls: the property tables and the catalogue, by id.
        force: exceptions of kind force for this host; expired ones are passed over.
        today, now: for expiry, observation and window; ``now`` is UTC.
        options, line: see there.
        seen: setting that switches an audit on → what earlier runs saw of it.
        own: clients whose SMB 1.0 events are all our own probes' doing.
        cluster: which cluster the user says the host is a node of; None: of none that is known.
    """

    host: str
    facts: FactSet
    implementations: Sequence[Implementation]
    settings: Mapping[str, Setting]
    controls: Mapping[str, Control]
    today: datetime.date
    now: datetime.datetime
    force: tuple[ExceptionRecord, ...] = ()
    options: Options = field(default_factory=Options)
    line: Line = field(default_factory=Line)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    cluster: Cluster | None = None

    def forced(self, target: Target) -> bool:
        """Return whether somebody answers for going on with this target whatever speaks against it."""
        return forced_by(self.force, target, self.today)

    def fact(self, target: Target) -> Fact:
        """Return the fact whose value a target would change; an empty one where nothing stands yet."""
        return self.facts.get(target.fact, target.at) or Fact()

    def name(self, target: Target) -> str:
        """Return the native name of a target's setting, else the fact id in words."""
        setting = self.settings.get(target.fact)
        return setting.name if setting is not None else target.fact.partition(".")[2].replace("_", " ")

    def traits(self, implementation: str) -> Iterator[str]:
        """Yield what an implementation's parts certainly are."""
        for item in self.implementations:
            if item.name == implementation:
                yield from item.traits

    def doubts(self, implementation: str) -> Iterator[str]:
        """Yield what an implementation's parts may be or not, because the host did not tell."""
        for item in self.implementations:
            if item.name == implementation:
                yield from item.doubts


def forced_by(records: Sequence[ExceptionRecord], target: Target, today: datetime.date) -> bool:
    """Return whether one of a host's exceptions is a force for this target that has not expired."""
    return any(
        record.kind == "force"
        and record.control == target.control
        and (record.expires is None or record.expires >= today)
        and (record.object == target.object or fnmatch.fnmatchcase(target.object, record.object))
        for record in records
    )


def implementation(target: Target) -> str:
    """Return which implementation a target's fact belongs to, which is the editor's name too: "samba", "windows", …"""
    return target.fact.partition(".")[0]


def lifting(target: Target, situation: Situation) -> str:
    """Return the words that say how a guard is lifted."""
    return f"an exception of kind force that names {target.control} for {situation.host}"
