# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *rollback*: the inverse of a journal, sent like any other order; one execution."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._model.errors import BadInput, StoreError
from .._model.step import STATELESS, Change, JournalEntry, Remediation, Step
from .._plan.effect import waits_for
from .._plan.inverse import inverse
from .._store import journal, rundir
from .applying import Outcome, carry_out, journalled, order_of, place
from .audit import AuditRequest, blank, inputs_of
from .clusters import Nodes, turn
from .context import Context, Hands
from .inputs import Inputs
from .opening import journal_directory, open_own
from .recording import answer, failures_recorded, verified
from .remediate import settled_changes
from .run import close_own
from .telling import MADE


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """What to undo.

    Attributes:
        subject: the host, and what it is judged with afterwards.
        journal: id of the run that changed it.
        nodes: the cluster that the host belongs to, by the inventory.
        check: only compare.
    """

    subject: AuditRequest
    journal: str
    nodes: Nodes | None = None
    check: bool = False


def rollback(request: RollbackRequest, context: Context, hands: Hands) -> dict[str, Any]:
    """Put back what a run changed on one host, verify, and return the compact result.

    Raises:
        BadInput: there is no such journal, or the host was not part of that run.
        StoreError: the journal cannot be read.
    """
    with failures_recorded(request.subject, context, check=request.check):
        return _Undoing(request, context, hands, inputs_of(request.subject)).do()


class _Undoing:
    """One host's rollback."""

    def __init__(self, request: RollbackRequest, context: Context, hands: Hands, inputs: Inputs) -> None:
        self.request = request
        self.context = context
        self.hands = hands
        self.inputs = inputs
        self.run = request.subject.run
        self.host = request.subject.host

    def do(self) -> dict[str, Any]:
        """Read the journal, send its inverse, verify, record."""
        source = journal_directory(self.context, self.request.journal)
        if not journal.exists(source, self.host):
            if self.host not in rundir.read_run(source).scope.hosts:
                raise BadInput(
                    "Cannot roll back",
                    where=source.name,
                    seen=f"its journal has no entries for {self.host}",
                    remedy="name the run that changed this host",
                )
            return self.nothing(f"Nothing to undo: {source.name} changed nothing here.")
        entries = journal.read(source, self.host)
        steps = inverse(entries, source.name)
        if not steps:
            return self.nothing(f"Nothing to undo: no step of {source.name} was done here, or all were undone.")
        return self.undo(source, entries, steps)

    def nothing(self, message: str) -> dict[str, Any]:
        """Nothing was asked of the host: its record claims nothing about it."""
        record = blank(self.request.subject, self.context)
        record.collected = ""
        record.remediation = Remediation(check=self.request.check)
        return {**answer(self.run, record, changed=False), "msg": message}

    def undo(self, source: pathlib.Path, entries: Sequence[JournalEntry], steps: Sequence[Step]) -> dict[str, Any]:
        """Send the steps, or in check mode only compare, and record what stands then."""
        own = None
        if self.run is None and not self.request.check:
            own = self.run = open_own("rollback", self.request.subject, self.inputs, self.context)
        changes = tuple(_changes(source, self.host, entries, steps))
        outcome = self.apply(source.name, steps, changes)
        states = outcome.states()
        if self.request.check and not outcome.failed:
            states = {step: "planned" if state in ("planned", "done") else state for step, state in states.items()}
        restarted = tuple(step.target for step in steps if step.kind == "restart" and states.get(step.id) in MADE)
        waits = waits_for([step for step in steps if states.get(step.id) in MADE], restarted)
        done = Remediation(
            journal=self.run.name if self.run is not None and not self.request.check else "",
            check=self.request.check,
            changes=settled_changes(changes, states),
            pending=waits,
            reboot_required="reboot" in waits,
            restart_done=() if self.request.check else restarted,
            failed=outcome.failed,
        )
        record = verified(outcome.collected, done, self.request.subject, self.inputs, self.context)
        stateful = [step.id for step in steps if step.kind not in STATELESS]
        changed = any(states.get(number) in ("done", "planned") for number in stateful)
        told = answer(self.run, record, changed=changed and not (self.request.check and outcome.failed))
        if not changed and not outcome.failed:
            told["msg"] = f"Nothing to undo: all of it stands as it did before {source.name}."
        left = [entry.step for entry in entries if entry.step.irreversible and entry.state == "done"]
        if left and not outcome.failed:
            told["msg"] = f"What cannot be undone stays: {', '.join(place(step) for step in left)}."
        if own is not None:
            close_own(own, self.context)
        return told

    def apply(self, source: str, steps: Sequence[Step], changes: Sequence[Change]) -> Outcome:
        """Carry out the steps, with a journal of their own; in check mode only ask."""
        if self.request.check or self.run is None:
            return carry_out(order_of(source, steps, dry=True), self.hands)
        with turn(self.request.nodes, self.run, self.host) as mine:
            outcome = journalled(self.run, self.host, steps, changes, self.context, self.hands)
            if not outcome.failed:
                mine.note("")
        return outcome


def _changes(source: pathlib.Path, host: str, entries: Sequence[JournalEntry], steps: Sequence[Step]) -> list[Change]:
    """Return what a person reads: the changes of that run the other way round; where its record is lost, the steps."""
    told: dict[int, list[Change]] = {}
    try:
        record = rundir.read_host(source, host)
    except StoreError:  # broken off before it was written; the journal alone is enough to undo
        record = None
    for change in record.remediation.changes if record is not None and record.remediation is not None else ():
        told.setdefault(change.step, []).append(change)
    asked = {_key(entry.step): entry for entry in entries}
    found = []
    for step in steps:
        if step.kind in STATELESS:
            continue
        entry = asked[_key(step)]
        before = told.get(entry.step.id) or [
            Change(entry.control, place(step), step.after.value, step.before.value, restart=step.restart)
        ]
        found += [
            dataclasses.replace(
                change, before=change.after, after=change.before, origin=None, step=step.id, state="planned"
            )
            for change in before
        ]
    return found


def _key(step: Step) -> tuple[str, str, str]:
    return (step.kind, step.target, step.name)
