# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the wire: in this very process, or through a vantage host in portions."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils._smb import sockets
from ...module_utils._smb.options import CHECKS, DEFAULT_CHECKS, PORTION, of_task
from .._model.errors import BadInput, GarbledAnswer
from .._probe.document import fault
from .._probe.targets import Target

Document = dict[str, Any]
Progress = Callable[[int], None]
"""Told how many targets are finished."""
Failures = dict[str, int]
"""What failed on the asking side (descriptors, local ports, routes that ran out), and how often."""
Ask = Callable[[Iterable[Target], "Settings", Callable[[Document], None], Progress], Failures]
"""Asks every target, hands over each document as it is finished, and returns what failed."""
Call = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Runs the module on the vantage host with these options. Raises HostError when it did not answer."""
_PORTS = 32
_SECONDS = (0.1, 600.0)
_WINDOW = (1, 8192)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked, and the limits; times in seconds.

    Attributes:
        ports: TCP ports that SMB is asked on.
        checks: see the module's documentation.
        timeout: of one conversation.
        connect_timeout: of the last and longest attempt to connect.
        host_timeout: of one target, all in all.
        window, conversations: connections at a time that are being made, and that are made.
        per_network: connections at a time to one IPv4 /24 or IPv6 /64.
    """

    ports: tuple[int, ...] = (445, 139)
    checks: tuple[str, ...] = tuple(sorted(DEFAULT_CHECKS))
    timeout: float = 4.0
    connect_timeout: float = 3.5
    host_timeout: float = 30.0
    window: int = 1024
    conversations: int = 256
    per_network: int = 64


def settings(options: Mapping[str, Any]) -> Settings:
    """Return a task's options as settings; one that is None has its default.

    Raises:
        BadInput: a value cannot be used.
    """
    told = {name: options[name] for name in Settings.__slots__ if options.get(name) is not None}
    for name in ("ports", "checks"):
        if name in told:
            told[name] = tuple(dict.fromkeys(told[name]))
    if "ports" in told:
        told["ports"] = tuple(map(_port, told["ports"]))
    made = Settings(**told)
    if not 0 < len(made.ports) <= _PORTS or not all(0 < port < 65536 for port in made.ports):
        raise _bad("ports", f"{list(made.ports)}"[:200], f"name 1 to {_PORTS} TCP ports, each from 1 to 65535")
    unknown = sorted(set(made.checks) - CHECKS)
    if unknown or not made.checks:
        raise _bad("checks", ", ".join(unknown) or "none", f"the checks are {', '.join(sorted(CHECKS))}")
    for name, (low, high) in {
        **dict.fromkeys(("timeout", "connect_timeout", "host_timeout"), _SECONDS),
        **dict.fromkeys(("window", "conversations", "per_network"), _WINDOW),
    }.items():
        value = getattr(made, name)
        if not low <= value <= high:
            raise _bad(name, f"{value}", f"it is a number from {low} to {high}")
    return made


def _port(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError):
        raise _bad("ports", f"{given!r}"[:60], "name TCP ports by their numbers") from None


def _bad(name: str, seen: str, remedy: str) -> BadInput:
    return BadInput(f"The option {name} cannot be used", seen=seen, remedy=remedy)


def _told(made: Settings) -> dict[str, Any]:
    """Return settings by the names of the module's options."""
    return {name: getattr(made, name) for name in Settings.__slots__}


def ask_here(
    targets: Iterable[Target], made: Settings, on_answer: Callable[[Document], None], progress: Progress
) -> Failures:
    """Ask from this process."""
    asked = (
        sockets.Target(target.given, target.address, () if target.port is None else (target.port,))
        for target in targets
    )
    summary = sockets.probe(asked, of_task(_told(made)), on_answer, lambda done, _begun: progress(done))
    return dict(summary.failures)


def ask_through(call: Call) -> Ask:
    """Return what asks through a vantage host: a module call per portion, each one's answers handed over as it ends."""

    def ask(
        targets: Iterable[Target], made: Settings, on_answer: Callable[[Document], None], progress: Progress
    ) -> Failures:
        failures: Counter[str] = Counter()
        done = 0
        for portion in portions(targets):
            answer = call(_options(portion, made))
            for document in _documents(answer, portion):
                on_answer(document)
            failures.update(_failures(answer))
            done += len(portion)
            progress(done)
        return dict(failures)

    return ask


def _failures(answer: Mapping[str, Any]) -> Failures:
    told = answer.get("failures")
    return (
        {str(what): times for what, times in told.items() if isinstance(times, int)} if isinstance(told, dict) else {}
    )


def portions(targets: Iterable[Target]) -> Iterator[dict[str, Target]]:
    """Yield targets by the text that the module gets, at most PORTION at a time."""
    rest = iter(targets)
    while portion := {_text(target): target for target in itertools.islice(rest, PORTION)}:
        yield portion


def _text(target: Target) -> str:
    """Return address and port as the module reads them."""
    address = f"[{target.address}]" if ":" in target.address else target.address
    return address if target.port is None else f"{address}:{target.port}"


def _options(portion: Mapping[str, Target], made: Settings) -> dict[str, Any]:
    return {**_told(made), "ports": list(made.ports), "checks": list(made.checks), "targets": list(portion)}


def _documents(answer: Mapping[str, Any], portion: Mapping[str, Target]) -> Iterator[Document]:
    """Yield the documents of a module's answer, each about a target that was asked.

    Raises:
        GarbledAnswer: the answer has not that form, or a target is missing.
    """
    results, left = answer.get("results"), dict(portion)
    for document in results if isinstance(results, list) else ():
        target = left.pop(str(document.get("target")), None) if isinstance(document, dict) else None
        wrong = fault(document) or ("it is about a target that was not asked" if target is None else "")
        if wrong or target is None or document["address"] != target.address:
            raise _garbled(wrong or "it is about another address")
        yield {**document, "target": target.given}
    if left:
        raise _garbled(f"{len(left)} of {len(portion)} targets have no answer")


def _garbled(seen: str) -> GarbledAnswer:
    return GarbledAnswer("The vantage host's answer cannot be used", seen=seen, remedy="probe again")
