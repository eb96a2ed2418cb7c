# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying an order to a host: one execution, a confirmation over a new connection, and the truth after a broken one."""

from __future__ import annotations

import dataclasses
import pathlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from .._model.codec import encode
from .._model.collected import Collected
from .._model.errors import BadInput, HostError
from .._model.step import STATELESS, Applied, Change, JournalEntry, Native, Order, Step, StepResult, StepState
from .._model.text import printable
from .._plan.inverse import inverse
from .._remote.applied import applied
from .._store import journal
from . import catalogue
from .audit import ask
from .context import Context, Hands

MARGIN = 30.0
"""Seconds that are given to an undo, beyond its timer, to do its work."""
PATIENCE = (0.0, 5.0, 10.0)
"""Seconds before each look at a host whose connection broke: what was going on there may need a moment to end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an order went.

    Attributes:
        results: one per step, in order; none where nobody knows.
        collected: what stands on the host now; None where nobody knows.
        failed: why the order was not completed, as one sentence; "" when it was.
    """

    results: tuple[StepResult, ...] = ()
    collected: Collected | None = None
    failed: str = ""

    def states(self) -> dict[int, StepState]:
        """Return the state of each step that is known."""
        return {result.id: result.state for result in self.results}


def order_of(name: str, steps: Sequence[Step], *, dry: bool = False) -> Order:
    """Return the order for the steps of a journal; where one may cut the line, it carries what would undo them all."""
    undo: Sequence[Step] = ()
    if not dry and any(step.risky for step in steps):
        undo = inverse([JournalEntry(step, "planned", "") for step in steps], name)
    return Order(name, tuple(steps), tuple(undo), dry=dry)


def carry_out(order: Order, hands: Hands) -> Outcome:
    """Carry out an order; whatever happens to the connection, say what is true on the host afterwards.

    Raises:
        BadInput: the order cannot be written as a script; nothing was sent.
    """
    try:
        collected, answer = send(order, hands)
    except HostError as error:
        return _after_loss(order, hands, error)
    if answer.obstacle:
        return Outcome((), collected, _sentence("Nothing was changed", answer.obstacle))
    if answer.armed:
        doubt = _confirm(order, hands)
        if doubt:
            return _taken_back(order, hands, answer.results, doubt)
    return Outcome(answer.results, collected, unfinished(order.steps, answer.results))


def journalled(
    run: pathlib.Path, host: str, steps: Sequence[Step], changes: Sequence[Change], context: Context, hands: Hands
) -> Outcome:
    """Write the journal of steps, carry them out, and write the journal again with what became of them.

    Raises:
        StoreError: the journal cannot be written; where that is so beforehand, nothing was sent.
        BadInput: the steps cannot be written as a script; nothing was sent.
    """
    entries = journal.planned(steps, changes, context.timestamp())
    journal.write(run, host, entries)
    outcome = carry_out(order_of(run.name, steps), hands)
    journal.write(run, host, journal.settled(entries, outcome.results, context.timestamp()))
    return outcome


def send(order: Order, hands: Hands) -> tuple[Collected, Applied]:
    """Send an order: one execution that applies, and collects again.

    Raises:
        HostError: there is no whole answer, and something may have been done.
        BadInput: the order cannot be written as a script; nothing was sent.
    """
    nonce = secrets.token_hex(8)
    try:
        script = catalogue.apply_script(hands.family, order, nonce)
    except ValueError as error:
        raise BadInput(
            "The plan cannot be sent to the host",
            seen=str(error),
            remedy="change fewer controls at once (breakwater_controls)",
        ) from error
    collected = ask(hands.execute, hands.family, script, nonce)
    return collected, applied(collected, order)


def _confirm(order: Order, hands: Hands) -> str:
    """Disarm the undo over a new connection; return why that failed, else ""."""
    nonce = secrets.token_hex(8)
    try:
        hands.reconnect()
        script = catalogue.confirm_script(hands.family, order.journal, nonce)
        answer = ask(hands.execute, hands.family, script, nonce)
    except HostError as error:
        return str(error)
    record = answer.get("apply.host")
    if record is None:
        return "the host did not answer the confirmation"
    return "" if record.rc == 0 else record.err.strip() or "the host did not take the confirmation"


def _taken_back(order: Order, hands: Hands, before: Sequence[StepResult], doubt: str) -> Outcome:
    """The host cannot be reached as it is now, so that its undo fires: wait for that, and look."""
    seen = _look(order, hands, order.seconds + MARGIN)
    if seen is None:
        return Outcome(
            tuple(before),
            None,
            _sentence(
                "The change could not be confirmed over a new connection, and the host does not answer",
                doubt,
                f"its undo was armed for {order.seconds} seconds; look at {order.journal} in its state directory",
            ),
        )
    collected, results = seen
    done = {result.id for result in before if result.state == "done"}
    told = tuple(
        dataclasses.replace(result, state="undone")
        if result.id in done and (result.state == "skipped" or kind in STATELESS)
        else result
        for result, kind in zip(results, (step.kind for step in order.steps), strict=True)
    )
    stays = [result for result in told if result.id in done and result.state == "done"]
    if stays:
        what = f"The change could not be confirmed, and {len(stays)} of {len(told)} steps were not undone"
        return Outcome(told, collected, _sentence(what, doubt, f"roll back {order.journal}"))
    return Outcome(
        told,
        collected,
        _sentence("The change was undone: it could not be confirmed over a new connection", doubt),
    )


def _after_loss(order: Order, hands: Hands, error: HostError) -> Outcome:
    """The connection broke while the host was being changed: look what is there now."""
    # Where an undo is armed it will fire: what can be seen before that is not what will stay.
    seen = _look(order, hands, order.seconds + MARGIN if order.undo else 0.0)
    what = "The connection was lost while the host was being changed"
    if seen is None:
        return Outcome(
            (),
            None,
            _sentence(
                what,
                str(error),
                f"each step is wholly done or not at all: run it again to finish, or roll back the journal {order.journal}",
            ),
        )
    collected, results = seen
    stateful = [result for result, step in zip(results, order.steps, strict=True) if step.kind not in STATELESS]
    done = sum(result.state == "done" for result in stateful)
    # What was not done yet may still be: the host may go on, or only begin, with an order whose line is cut. So nothing
    # counts as untouched, and an undo looks at every step again.
    open_ended = (dataclasses.replace(one, state="planned") if one.state == "skipped" else one for one in results)
    return Outcome(
        tuple(open_ended),
        collected,
        _sentence(
            f"{what}, and {done} of {len(stateful)} steps were done a moment later",
            str(error),
            f"run it again to finish, or roll back the journal {order.journal}",
        ),
    )


def _look(order: Order, hands: Hands, first: float) -> tuple[Collected, tuple[StepResult, ...]] | None:
    """Collect again, and tell by what stands there which steps are done; None where that is not to be had."""
    question = dataclasses.replace(order, undo=(), dry=True)
    for seconds in (first, *PATIENCE[1:]):
        try:
            hands.wait(seconds)
            hands.reconnect()
            collected, answer = send(question, hands)
        except HostError:
            continue
        if not answer.obstacle:
            found = {result.id: result for result in answer.results}
            return collected, tuple(_truth(step, found.get(step.id)) for step in order.steps)
    return None


def _truth(step: Step, seen: StepResult | None) -> StepResult:
    """Return what became of a step, by what stands there now."""
    if step.kind in STATELESS:
        return StepResult(step.id, "failed", error="nobody knows whether it was done")  # so that an undo does it again
    if seen is None or seen.before is None:
        error = (seen.error if seen is not None else "") or "the host did not tell what stands there"
        return StepResult(step.id, "failed", error=error)
    if same(seen.before, step.after):
        return StepResult(step.id, "done", step.before, seen.before)
    if same(seen.before, step.before):
        return StepResult(step.id, "skipped", seen.before)
    return StepResult(step.id, "failed", seen.before, error="something else stands there now")


def same(one: Native, other: Native) -> bool:
    """Return whether two values are the same, whatever kind of list they hold."""
    return one.type == other.type and encode(one.value) == encode(other.value)


def unfinished(steps: Sequence[Step], results: Sequence[StepResult]) -> str:
    """Return why an order was not completed, as one sentence; "" when every step is done or stood there already."""
    by_id = {step.id: step for step in steps}
    refused = [result for result in results if result.state == "refused"]
    if refused:
        result, step = refused[0], by_id[refused[0].id]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        found = shown(result.before.value, result.before.type) if result.before is not None else "something else"
        return _sentence(
            f"Nothing was changed: somebody changed {place(step)}{more}",
            result.error
            if result.before is None and result.error
            else f"{shown(step.before.value, step.before.type)} was expected, and {found} stands there",
            "look at it, and run again",
        )
    failed = [result for result in results if result.state == "failed"]
    if not failed:
        return ""
    step = by_id[failed[0].id]
    undone = sum(result.state == "undone" for result in results)
    done = sum(result.state == "done" for result in results)
    if undone:
        rest = f"{undone} earlier {_steps(undone)} put back"
    else:
        rest = f"{done} earlier {_steps(done)} done, and can be rolled back" if done else "nothing was changed"
    return _sentence(f"The change was not completed: {place(step)}", failed[0].error or "it failed", rest)


def _steps(number: int) -> str:
    return "step was" if number == 1 else "steps were"


def place(step: Step) -> str:
    """Return where a step acts, in the words of its kind."""
    if step.kind == "registry":
        return f"HKLM\\{step.target}!{step.name}"
    if step.kind in ("server_property", "client_property"):
        return f"Set-Smb{step.kind.partition('_')[0].capitalize()}Configuration {step.name}"
    if step.kind in STATELESS:
        return f"{step.kind} of {step.target}"
    if step.kind == "file":
        return step.target
    where = f"{step.target} {step.name}".strip()
    return where if step.kind in ("mode", "netconf", "unit") else f"{step.kind.replace('_', ' ')} {where}"


def shown(value: object, kind: str = "") -> str:
    """Return a native value as people write it."""
    if kind == "absent" or value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "an empty list"
    return str(value) if value != "" else "an empty text"


def _sentence(what: str, seen: str, remedy: str = "") -> str:
    """Return one sentence of at most 400 characters; what was seen is cut, not what to do."""
    tail = (f"; {remedy}" if remedy else "").rstrip(".") + "."
    seen = printable(" ".join(seen.split())).rstrip(".")
    room = 398 - len(what) - len(tail)
    if len(seen) > room:
        seen = seen[: max(0, room - 1)] + "…"
    return f"{what}: {seen}{tail}"
