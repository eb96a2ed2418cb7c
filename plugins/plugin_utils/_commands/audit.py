# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *audit*: collect once from one host, read, judge, record."""

from __future__ import annotations

import pathlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .._assess.assess import assess
from .._assess.score import score
from .._model.collected import Collected, Family, Implementation, SectionError
from .._model.control import SEVERITIES
from .._model.errors import BadInput, HostError
from .._model.finding import VERDICTS, Finding
from .._model.run import HostRecord
from .._remote import posix, windows
from .._remote.execution import Execute
from .._store import rundir
from . import catalogue
from .context import Context
from .inputs import Inputs, load_inputs, read_inputs
from .looking import judged_parts, look
from .reading import read


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit and how.

    Attributes:
        host: inventory name.
        address: what the connection is made to.
        connection: name of the connection plugin.
        groups: inventory groups of the host.
        run: directory of the open run; None records nothing.
        profile, exceptions: used only without a run (a run has frozen its own).
        implementation: what the user says the server is, where the host cannot tell.
        vantages: hosts that were to look at this one from the wire.
        family: which kind of shell the connection leads to.
        labels: what a reader of the report must know.
    """

    host: str
    address: str
    connection: str
    groups: tuple[str, ...] = ()
    run: pathlib.Path | None = None
    profile: str = "recommended"
    exceptions: str | None = None
    implementation: str | None = None
    labels: tuple[str, ...] = ()
    family: Family = "unix"
    vantages: tuple[str, ...] = ()


@dataclass(slots=True)
class _Stopwatch:
    """Seconds per section of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, section: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[section] = round(time.perf_counter() - start, 4)


def audit(request: AuditRequest, context: Context, execute: Execute) -> dict[str, Any]:
    """Audit one host and return the compact result.

    Raises:
        HostError: the host could not be read and there is no run to record that in.
        BadInput: the profile or the exceptions cannot be used.
    """
    inputs = inputs_of(request)
    record = blank(request, context)
    watch = _Stopwatch()
    try:
        collected = watch.time("collect", lambda: collect(execute, request.family))
    except HostError as error:
        if request.run is None:
            raise
        record.errors.append(SectionError(error.section, str(error)))
    else:
        watch.time("read", lambda: understand(record, collected, context))
    look(record, request.run, request.vantages)
    if record.facts.by_id:
        try:
            watch.time("judge", lambda: judge(record, inputs, request, context))
        except BadInput as error:  # no profile fits this host: that must not look like compliance
            if request.run is None:
                raise
            record.errors.append(SectionError("host", str(error)))
    record.timings = watch.seconds
    answer = summary(record)
    if request.run is not None:
        answer["record"] = str(rundir.write_host(request.run, record))
    return answer


def inputs_of(request: AuditRequest) -> Inputs:
    """Return what a host is judged with: the run's, where one is open, else what the task names.

    Raises:
        BadInput: the profile or the exceptions cannot be used.
        StoreError: what the run was opened with cannot be read.
    """
    return read_inputs(request.run) if request.run else load_inputs(request.profile, request.exceptions)


def collect(execute: Execute, family: Family = "unix") -> Collected:
    """Run the collector on the host: one execution.

    Raises:
        HostError: no connection, no privilege, or no whole answer.
    """
    nonce = secrets.token_hex(8)
    script = catalogue.windows_collector(nonce) if family == "windows" else catalogue.collector(nonce)
    return ask(execute, family, script, nonce)


def ask(execute: Execute, family: Family, script: bytes, nonce: str) -> Collected:
    """Run a script on the host and return the document that it answers with.

    Raises:
        HostError: no connection, no privilege, or no whole answer.
    """
    if family == "windows":
        answer = execute(windows.COMMAND, script)
        return windows.read_answer(answer.stdout, answer.stderr, answer.rc, nonce)
    answer = execute(posix.COMMAND, script)
    return posix.read_answer(answer.stdout, answer.stderr, answer.rc, nonce)


def _untried(collected: Collected) -> tuple[str, ...]:
    """Say on the report where an answer came from something that Breakwater was never run on for real."""
    if collected.family == "windows" and collected.shell.startswith("PowerShell 2."):
        return ("PowerShell 2.0: tried on simulated hosts only",)
    return ()


def blank(request: AuditRequest, context: Context) -> HostRecord:
    """Return the record of a host that nothing is known of yet."""
    return HostRecord(
        host=request.host,
        address=request.address,
        connection=request.connection,
        collected=context.timestamp(),
        groups=request.groups,
        labels=request.labels,
    )


def understand(record: HostRecord, collected: Collected, context: Context) -> None:
    """Make facts of what a host answered."""
    reading = read(collected, context.now().date())
    record.labels += _untried(collected)
    record.implementations = reading.implementations
    record.facts = reading.facts
    record.errors.extend(reading.errors)


def judge(record: HostRecord, inputs: Inputs, request: AuditRequest, context: Context) -> None:
    """Make findings of a record's facts.

    Raises:
        BadInput: no profile fits this host.
    """
    if request.implementation and not any(found.name == request.implementation for found in record.implementations):
        record.implementations.append(Implementation(request.implementation, "", "server", None, ("named-by-user",)))
    record.findings = assess(
        record.facts,
        judged_parts(record),
        catalogue.controls(),
        catalogue.every_setting(),
        inputs.selections_for(record.facts, record.implementations),
        exceptions=inputs.exceptions_for(request.host, request.groups),
        today=context.now().date(),
    )
    record.score = score(record.findings)


def summary(record: HostRecord) -> dict[str, Any]:
    """Return the compact result of a task: what a person or a playbook needs to go on."""
    return {
        "changed": False,
        "counts": counts(record.findings),
        "score": record.score,
        "failing": _controls(record.findings, "fail", excepted=False),
        "unknown": _controls(record.findings, "unknown", excepted=False),
        "excepted": _controls(record.findings, "fail", "unknown", excepted=True),
        "implementations": [_describe(found) for found in record.implementations],
        "unread": [error.reason for error in record.errors],
    }


def counts(findings: list[Finding]) -> dict[str, int]:
    """Return the number of findings per verdict, and how many of them an exception covers."""
    result: dict[str, int] = {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in VERDICTS}
    result["excepted"] = sum(finding.exception is not None for finding in findings)
    return result


def _controls(findings: list[Finding], *verdicts: str, excepted: bool) -> list[str]:
    chosen = [f for f in findings if f.verdict in verdicts and (f.exception is not None) is excepted]
    chosen.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return list(dict.fromkeys(finding.control for finding in chosen))


def _describe(found: Implementation) -> str:
    state = {True: "running", False: "stopped", None: ""}[found.running]
    return " ".join(part for part in (found.name, found.version, found.role, state) if part)
