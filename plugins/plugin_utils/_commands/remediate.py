# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *remediate*: collect, judge, plan; then apply and collect again, in one more execution; verify, record."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._model.errors import BadInput, HostError
from .._model.step import Blocked, Change, Plan, Remediation, StepState
from .._plan.situation import Line
from .applying import Outcome, journalled
from .audit import AuditRequest, collect, counts, inputs_of
from .choosing import choose
from .clusters import Nodes, turn
from .context import Context, Hands
from .inputs import Inputs
from .opening import open_own
from .planning import plan as make_plan
from .rebooting import reboot
from .recording import answer, failures_recorded, judged, verified
from .run import close_own


@dataclass(frozen=True, slots=True)
class RemediateRequest:
    """What to change and how.

    Attributes:
        subject: the host, and what it is judged with.
        wanted: what the user chose, as ``choose`` takes it.
        line: what is known of the connection.
        nodes: the cluster that the host belongs to, by the inventory.
        check: only look and plan.
    """

    subject: AuditRequest
    wanted: Mapping[str, Any] = field(default_factory=dict)
    line: Line = field(default_factory=Line)
    nodes: Nodes | None = None
    check: bool = False


def remediate(request: RemediateRequest, context: Context, hands: Hands) -> dict[str, Any]:
    """Change one host, verify, and return the compact result.

    A change that was not completed fails: the result says so and why, and the host's record holds the same.

    Raises:
        HostError: the host could not be read.
        BadInput: the profile, the exceptions or an option cannot be used.
    """
    with failures_recorded(request.subject, context, check=request.check):
        return _Work(request, context, hands, inputs_of(request.subject)).do()


class _Work:
    """One host's change, from the first look to the record."""

    def __init__(self, request: RemediateRequest, context: Context, hands: Hands, inputs: Inputs) -> None:
        self.request = request
        self.context = context
        self.hands = hands
        self.inputs = inputs
        self.run = request.subject.run

    def do(self) -> dict[str, Any]:
        """Look, plan, change, verify, record."""
        options = choose(self.request.wanted, self.context)
        collected = collect(self.hands.execute, self.hands.family)
        record = judged(collected, self.request.subject, self.inputs, self.context)
        plan = make_plan(record, collected, self.inputs, options, self.request.line, self.context, self.request.nodes)
        found = Remediation(
            check=self.request.check,
            changes=plan.changes,
            blocked=_once(plan.blocked),
            watched=plan.watched,
            pending=plan.pending,
            reboot_required=plan.reboot,
            score_before=record.score,
            counts_before=counts(record.findings),
        )
        due = plan.reboot and "reboot" not in plan.pending
        if self.request.check or not (plan.steps or due):
            record.remediation = found
            return answer(self.run, record, changed=bool(plan.steps) or due)
        if "recorded" in record.labels:
            raise BadInput("A recorded host cannot be changed", where=record.host, remedy="leave it out with --limit")
        return self.change(plan, found, due)

    def change(self, plan: Plan, found: Remediation, due: bool) -> dict[str, Any]:
        """Apply a plan that has something to do, reboot where that is due, and look at what stands then."""
        own = None
        if self.run is None:
            own = self.run = open_own("remediate", self.request.subject, self.inputs, self.context)
        host = self.request.subject.host
        with turn(self.request.nodes, self.run, host) as mine:
            outcome = Outcome()
            if plan.steps:
                outcome = journalled(self.run, host, plan.steps, plan.changes, self.context, self.hands)
            done = self.settled(plan, found, outcome)
            rebooting = due and not outcome.failed
            if rebooting:
                outcome = self.rebooted(outcome)
            if not outcome.failed:
                mine.note("")
        if rebooting:
            over = () if outcome.failed else ("reboot",)
            done = dataclasses.replace(
                done,
                failed=outcome.failed,
                restart_done=(*done.restart_done, *over),
                reboot_required=done.reboot_required and not over,
            )
        record = verified(outcome.collected, done, self.request.subject, self.inputs, self.context)
        changed = "done" in outcome.states().values() or "reboot" in done.restart_done
        told = answer(self.run, record, changed=changed)
        if own is not None:
            close_own(own, self.context)
        return told

    def settled(self, plan: Plan, found: Remediation, outcome: Outcome) -> Remediation:
        """Return what the plan came to."""
        states = outcome.states()
        restarted = [step.target for step in plan.steps if step.kind == "restart" and states.get(step.id) == "done"]
        changes = settled_changes(plan.changes, states)
        made = any(change.state in ("done", "already", "planned") for change in changes) or not changes
        return dataclasses.replace(
            found,
            journal=self.run.name if self.run is not None and plan.steps else "",
            changes=changes,
            reboot_required=plan.reboot and made,
            restart_done=tuple(restarted),
            failed=outcome.failed,
        )

    def rebooted(self, outcome: Outcome) -> Outcome:
        """Reboot the host and collect once more."""
        failed, collected = "", None
        try:
            reboot(self.hands)
        except HostError as error:
            failed = str(error)
        try:
            collected = collect(self.hands.execute, self.hands.family)
        except HostError as error:
            failed = failed or str(error)
        return dataclasses.replace(outcome, collected=collected, failed=failed)


def _once(blocked: Sequence[Blocked]) -> tuple[Blocked, ...]:
    """Leave out what says the same of another fact of the same control."""
    seen: dict[tuple[str, str, str, str], Blocked] = {}
    for item in blocked:
        seen.setdefault((item.control, item.object, item.kind, item.why), item)
    return tuple(seen.values())


def settled_changes(changes: tuple[Change, ...], states: dict[int, StepState]) -> tuple[Change, ...]:
    """Return changes with what became of their steps; where nobody knows, they stay planned."""
    return tuple(dataclasses.replace(change, state=states.get(change.step, change.state)) for change in changes)
