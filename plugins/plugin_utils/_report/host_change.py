# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changed on a host, held back and left waiting, in the words of a report. Text only."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .._model.run import HostRecord, Run
from .._model.step import Blocked, BlockKind, Change, Remediation, StepState
from .._model.text import printable
from .report import Touched

MAX_VALUE = 400
"""Characters of a native value that a report shows; report.json has all of it."""
_STATES: dict[StepState, str] = {
    "planned": "not known",
    "done": "changed",
    "already": "stood there already",
    "refused": "not touched: something else stood there",
    "failed": "failed: the old value stands",
    "undone": "changed, and put back",
    "skipped": "not tried",
}
_HELD: dict[BlockKind, str] = {
    "in-use": "in use",
    "no-evidence": "no evidence",
    "stage": "earlier stage",
    "role": "special role",
    "policy": "group policy",
    "own-line": "own connection",
    "irreversible": "no way back",
    "edit": "not by a step",
    "unreadable": "unreadable",
    "window": "outside the window",
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One value of one control."""

    control: str
    object: str
    address: str
    origin: str
    before: str
    after: str
    state: str
    tone: str
    force: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One value that is not pursued now."""

    control: str
    object: str
    kind: str
    why: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostChange:
    """What became of one host.

    Attributes:
        title: of the section.
        note: what a reader must know before anything else; "" when there is nothing of that kind.
        failed: why the change was not completed.
        numbers: (what, before, after), score first; ``before`` is "" where nothing was known.
        changes, held: rows.
        watched: for how long somebody has been watching; only where something was decided by it.
        waits: what still has to happen before all of it is in force.
        restarted: what was restarted.
        journal: id of the journal.
        undo: the command that puts all of it back.
    """

    title: str
    note: str
    failed: str
    numbers: tuple[tuple[str, str, str], ...]
    changes: tuple[ChangeRow, ...]
    held: tuple[HeldRow, ...]
    watched: str
    waits: tuple[str, ...]
    restarted: tuple[str, ...]
    journal: str
    undo: str


def touched(record: HostRecord) -> Touched | None:
    """Return the numbers of a host's change for the list of hosts; None for a host that was only audited."""
    done = record.remediation
    if done is None:
        return None
    return Touched(
        changed=made(done),
        held=len(done.blocked),
        score_before=done.score_before,
        failed=bool(done.failed),
    )


def made(done: Remediation) -> int:
    """Return how many values were changed, or in check mode would be."""
    return sum(change.state == ("planned" if done.check else "done") for change in done.changes)


def _may_stand(done: Remediation) -> bool:
    """Whether anything that was changed stands, or may: nobody knows of what is still planned after the change."""
    return any(change.state in ("done", "planned") for change in done.changes)


def host_change(record: HostRecord, run: Run) -> HostChange | None:
    """Return what became of a host; None for one that was only audited."""
    done = record.remediation
    if done is None:
        return None
    return HostChange(
        title=_title(run, done),
        note=_note(record, run, done),
        failed=printable(done.failed),
        numbers=tuple(_numbers(record, done)),
        changes=tuple(_change(change, done, run) for change in done.changes),
        held=tuple(_held(item) for item in done.blocked),
        watched=printable(done.watched) if done.changes or done.blocked else "",
        waits=waits(done),
        restarted=tuple(map(printable, done.restart_done)),
        journal=printable(done.journal),
        undo=undo_command(done.journal, record.host) if done.journal and _may_stand(done) else "",
    )


def undo_command(journal: str, host: str = "") -> str:
    """Return the command that puts back what a run changed, on one host or on all of them."""
    limit = f" --limit {shlex.quote(printable(host))}" if host else ""
    return f"ansible-playbook breakwater.smb.rollback -i INVENTORY -e breakwater_journal={printable(journal)}{limit}"


def waits(done: Remediation) -> tuple[str, ...]:
    """Return what still has to happen on the host before everything is in force."""
    reboot = done.reboot_required and "reboot" not in done.pending
    return (*map(printable, done.pending), *(("reboot",) if reboot else ()))


def later(change: Change, done: Remediation) -> str:
    """Return when a change that is made, or would be, comes into force; "" when it is, or is not made."""
    if change.state not in ("done", "already", "planned"):
        return ""
    waiting = {
        "restart": any(item.startswith("restart of ") for item in done.pending),
        "reboot": "reboot" not in done.restart_done,
    }
    return f"in force after a {change.restart}" if waiting.get(change.restart) else ""


def progress(done: Remediation | None, run: Run) -> dict[tuple[str, str], str]:
    """Return what is said of an open finding, by control and object, in place of its remedy.

    A rule holds it back, the plan closes it, or a change is on its way.
    """
    said: dict[tuple[str, str], str] = {}
    if done is None or run.kind == "rollback":
        return said
    for change in done.changes:
        late = later(change, done)
        if done.check and change.state == "planned":
            said[(change.control, change.object)] = "The plan closes it."
        elif late and change.state != "planned":
            said[(change.control, change.object)] = f"Changed, and {late}."
    for item in done.blocked:
        said[(item.control, item.object)] = f"Held back: {held_words(item)} (see above)."
    return said


def verb(run: Run) -> str:
    """Return what is done to a value, after its number: "3 changed"."""
    if run.kind == "rollback":
        return "to put back" if run.check else "put back"
    return "to change" if run.check else "changed"


def held_words(item: Blocked) -> str:
    """Return which rule held something back, in two or three words."""
    return _HELD.get(item.kind, printable(item.kind))


def native(value: Any) -> str:
    """Return a native value as it is written on the host, as one printable line."""
    if value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(str, value)) or "an empty list"
    else:
        text = str(value) if value != "" else "an empty text"
    text = printable(text)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def _title(run: Run, done: Remediation) -> str:
    if run.kind == "rollback":
        return "What would be put back (planned: nothing was touched)" if done.check else "What was put back"
    return "What would be changed (planned: nothing was touched)" if done.check else "What was changed"


def _note(record: HostRecord, run: Run, done: Remediation) -> str:
    if run.kind == "rollback" and not record.collected:
        return "Nothing was asked of this host: there is nothing to undo on it."
    if run.kind == "rollback" and not done.changes and not done.failed:
        return "Everything stands as it did before that run."
    if not done.changes and not done.failed:
        return "Nothing that may be changed now." if done.blocked else "Nothing was left to change."
    return ""


def _numbers(record: HostRecord, done: Remediation) -> list[tuple[str, str, str]]:
    """Return score and counts before and after; in check mode nothing is after."""
    if done.check or record.score is None or (done.score_before is None and not done.counts_before):
        return []
    known = bool(done.counts_before)
    score = "" if done.score_before is None else str(done.score_before)
    after = Counter(finding.verdict for finding in record.findings)
    rows = [("score", score, str(record.score))]
    for verdict in ("fail", "unknown", "pass"):
        before = str(done.counts_before.get(verdict, 0)) if known else ""
        if verdict != "unknown" or after[verdict] or before not in ("", "0"):
            rows.append((verdict, before, str(after[verdict])))
    return rows


def _change(change: Change, done: Remediation, run: Run) -> ChangeRow:
    """Return a row. Outside check mode a change that is still planned is one that nobody could look at again."""
    state = "planned" if done.check and change.state == "planned" else _STATES[change.state]
    if run.kind == "rollback" and change.state == "done":
        state = "put back"
    tone = {"done": "pass", "planned": "manual" if done.check else "unknown", "already": ""}.get(change.state, "fail")
    return ChangeRow(
        control=printable(change.control),
        object=printable(change.object),
        address=printable(change.address),
        origin=_origin(change),
        before=native(change.before),
        after=native(change.after),
        state=state,
        tone=tone,
        force=later(change, done),
    )


def _origin(change: Change) -> str:
    if change.origin is None or (change.origin.where and change.address.startswith(change.origin.where)):
        return ""  # the address says it
    return "was the default" if change.origin.kind == "default" else printable(f"was from {change.origin}")


def _held(item: Blocked) -> HeldRow:
    return HeldRow(
        control=printable(item.control),
        object=printable(item.object),
        kind=held_words(item),
        why=printable(item.why),
        users=tuple(map(printable, item.users)),
    )
