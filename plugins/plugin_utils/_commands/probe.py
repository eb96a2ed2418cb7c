# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *probe*: ask the wire, say which implementation answers, record every answer as it comes."""

from __future__ import annotations

import pathlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._model.codec import encode
from .._model.text import printable
from .._probe.document import STATES, standing, taken, unresolved
from .._probe.fingerprints import Identity, identify
from .._probe.offer import SMB1
from .._probe.targets import expand
from .._store.probes import Log
from . import catalogue
from .asking import Ask, Document, Failures, Settings
from .context import Context
from .probing import close_probe, open_probe
from .targeting import Chosen, Lookup, choose_targets

MAX_RETURNED = 1024
"""Targets up to which a task returns the answers themselves; beyond that they are in the file alone."""
PERIOD = 10.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """Whom to ask for what, from where.

    Attributes:
        targets: as the user wrote them.
        settings: what is asked, and the limits.
        vantage: name of the host that asks.
        run: directory of the open run; None: a run of its own is made.
        scope: file that names what is not private and may be asked.
        named: target as it was written, or address → implementation that the user says it is.
    """

    targets: Sequence[str]
    settings: Settings
    vantage: str
    run: pathlib.Path | None = None
    scope: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Heard:
    """What a probe adds up while answers come in, in whatever order."""

    states: Counter[str] = field(default_factory=Counter)
    dialects: Counter[str] = field(default_factory=Counter)
    signing: Counter[str] = field(default_factory=Counter)
    implementations: Counter[str] = field(default_factory=Counter)
    smb1: list[str] = field(default_factory=list)
    kept: list[Document] = field(default_factory=list)

    def add(self, document: Document, keep: bool) -> None:
        """Count one target."""
        state = standing(document)
        self.states[state] += 1
        if keep:
            self.kept.append(document)
        if state != "open":
            return
        self.implementations[document["implementation"]["name"]] += 1
        dialects = taken(document)
        self.dialects.update(dialects)
        self.signing[_signing(document)] += 1
        if not SMB1.keys().isdisjoint(dialects):
            self.smb1.append(document["target"])


def probe(request: ProbeRequest, context: Context, ask: Ask, lookup: Lookup | None = None) -> dict[str, Any]:
    """Ask every target from one vantage and record what each answers; return the task's result.

    Args:
        request: see there.
        context: clock and screen.
        ask: what reaches the wire.
        lookup: the resolver; by default the system's.

    Raises:
        BadInput: a target, the scope file or an option cannot be used; nothing was asked then.
        HostError: the vantage host failed; what it has answered until then is recorded.
        StoreError: the run cannot be written.
    """
    chosen = choose_targets(request.targets, request.scope, context.now().date(), lookup)
    directory = request.run or open_probe((request.vantage,), ", ".join(request.targets), context)
    try:
        heard, failures = _asked(request, chosen, directory, context, ask)
    finally:
        if request.run is None:
            close_probe(directory, context)
    return _result(request, chosen, directory, heard, failures)


def _asked(
    request: ProbeRequest, chosen: Chosen, directory: pathlib.Path, context: Context, ask: Ask
) -> tuple[Heard, list[str]]:
    heard, rows = Heard(), catalogue.fingerprints()
    keep = chosen.total + len(chosen.unresolved) <= MAX_RETURNED
    with Log(directory, request.vantage, _header(request, chosen, context)) as log:

        def take(document: Document) -> None:
            known = identify(document, rows, _named(request.named, document))
            document["implementation"] = identity(known)
            log.answer(document)
            heard.add(document, keep)

        for name, reason in chosen.unresolved.items():
            take(unresolved(name, reason, context.timestamp()))
        failures = told(
            ask(expand(chosen.ranges), request.settings, take, _progress(request, chosen, heard, log, context))
        )
        log.end({"ended": context.timestamp(), **_counts(heard), "smb1": len(heard.smb1), "failures": failures})
    for failure in failures:
        context.warn(printable(f"While probing from {request.vantage}: {failure}"))
    return heard, failures


def told(failures: Failures) -> list[str]:
    """Return what failed on the asking side in words."""
    return [f"{what} ({times} {'time' if times == 1 else 'times'})" for what, times in failures.items()]


def _header(request: ProbeRequest, chosen: Chosen, context: Context) -> dict[str, Any]:
    """Return the first line of the record: who asks whom for what, and who answers for targets that are not private."""
    return {
        "started": context.timestamp(),
        "tool": f"breakwater.smb {catalogue.version()}",
        "targets": [str(text) for text in request.targets],
        "asked": chosen.total,
        "settings": encode(request.settings),
        "scope": encode(chosen.grants),
    }


def _named(named: Mapping[str, str], document: Mapping[str, Any]) -> str:
    return named.get(document["target"]) or named.get(document["address"]) or ""


def identity(known: Identity) -> dict[str, Any]:
    """Return what is told of an implementation, every key of it."""
    return {
        "name": known.name,
        "version": known.version,
        "product": known.product,
        "evidence": list(known.evidence),
        "candidates": list(known.candidates),
        "named": known.named,
    }


def _signing(document: Mapping[str, Any]) -> str:
    """Return the weakest answer of a target's ports about signing; "indeterminate" when none was given."""
    found = {port["signing"]["answer"] for port in document["ports"].values() if "signing" in port}
    return next(
        (answer for answer in ("not_required", "indeterminate", "required") if answer in found), "indeterminate"
    )


def _counts(heard: Heard) -> dict[str, Any]:
    return {
        "states": {state: heard.states[state] for state in STATES if heard.states[state]},
        "dialects": dict(heard.dialects),
        "signing": dict(heard.signing),
        "implementations": dict(heard.implementations),
    }


def _progress(request: ProbeRequest, chosen: Chosen, heard: Heard, log: Log, context: Context) -> Callable[[int], None]:
    """Return what is told of finished targets: it shows a line now and then, and hands the file over."""
    began = shown = time.monotonic()

    def show(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        log.flush()
        if now - shown < PERIOD or not done:
            return
        shown = now
        left = (now - began) / done * (chosen.total - done)
        context.show(
            f"{printable(request.vantage)}: {done} of {chosen.total} targets, {heard.states['open']} speak SMB, about {left:.0f} s left"
        )

    return show


def _result(
    request: ProbeRequest, chosen: Chosen, directory: pathlib.Path, heard: Heard, failures: list[str]
) -> dict[str, Any]:
    return {
        "changed": False,
        "run": directory.name,
        "directory": str(directory),
        "file": str(Log.place(directory, request.vantage)),
        "vantage": request.vantage,
        "asked": chosen.total,
        **_counts(heard),
        "smb1": heard.smb1[:MAX_RETURNED],
        "unresolved": sorted(chosen.unresolved),
        "failures": failures,
        "results": heard.kept,
    }
