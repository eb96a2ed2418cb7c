# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays of a host's change: its record in the run, and the task's result."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

from .._model.collected import Collected, SectionError
from .._model.errors import BreakwaterError, HostError, StoreError
from .._model.run import HostRecord
from .._model.step import Remediation
from .._store import rundir
from .audit import AuditRequest, blank, judge, understand
from .context import Context
from .inputs import Inputs
from .telling import result


def judged(collected: Collected, subject: AuditRequest, inputs: Inputs, context: Context) -> HostRecord:
    """Return the record of what was collected."""
    record = blank(subject, context)
    understand(record, collected, context)
    judge(record, inputs, subject, context)
    return record


def verified(
    collected: Collected | None, done: Remediation, subject: AuditRequest, inputs: Inputs, context: Context
) -> HostRecord:
    """Return the record after a change; that of a host which nobody could see again claims nothing about it."""
    if collected is None:
        record, section = blank(subject, context), "connection"
    else:
        record, section = judged(collected, subject, inputs, context), "change"
    if done.failed:
        record.errors.append(SectionError(section, done.failed))
    record.remediation = done
    return record


def answer(run: pathlib.Path | None, record: HostRecord, *, changed: bool) -> dict[str, Any]:
    """Write the record where a run is open, and return the task's result; it fails when the change did."""
    done = record.remediation or Remediation()
    told = {**result(record, done), "changed": changed}
    if run is not None:
        told["run"] = run.name
        told["record"] = str(rundir.write_host(run, record))
    if done.failed:
        told.update(failed=True, msg=done.failed)
        if run is not None:
            rundir.note_failure(run, record.host)
    return told


@contextlib.contextmanager
def failures_recorded(subject: AuditRequest, context: Context, *, check: bool) -> Iterator[None]:
    """Record why a host was not looked at or changed, so that an open run can say so after the task has failed."""
    try:
        yield
    except BreakwaterError as error:
        if subject.run is not None:
            record = blank(subject, context)
            record.errors.append(SectionError(error.section if isinstance(error, HostError) else "host", str(error)))
            record.remediation = Remediation(check=check, failed=str(error))
            with contextlib.suppress(StoreError):  # the error that led here is the one to tell
                rundir.write_host(subject.run, record)
                rundir.note_failure(subject.run, record.host)
        raise
