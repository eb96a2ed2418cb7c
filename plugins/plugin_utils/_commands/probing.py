# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that only probes: how it begins and ends. It judges nothing, so it has no profile, reports or place in the history."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._model.run import DataVersions, Run, Scope
from .._model.text import printable
from .._store import probes, rundir
from . import catalogue
from .context import Context

_LIMIT = 200


def open_probe(vantages: Sequence[str], about: str, context: Context) -> pathlib.Path:
    """Make the directory of a run that only probes. ``latest`` does not point at it: it has no verdicts.

    Args:
        vantages: the hosts that will ask.
        about: whom, in words.
        context: the clock.

    Raises:
        StoreError: it cannot be written.
    """
    started = context.timestamp()
    run = Run(
        id=rundir.new_id(started),
        started=started,
        kind="probe",
        tool=f"breakwater.smb {catalogue.version()}",
        ansible=context.ansible_version,
        profile="",
        scope=Scope(about if len(about) <= _LIMIT else f"{about[:_LIMIT]}…", tuple(vantages)),
        data=DataVersions(controls=catalogue.digest()),
    )
    return rundir.create(context.results, run, latest=False)


def close_probe(directory: pathlib.Path, context: Context) -> dict[str, Any]:
    """Finish a run that only probes, and say what it heard. It fails when a vantage has not finished."""
    run = rundir.read_run(directory)
    ended = probes.ended(directory)
    missing = [vantage for vantage in run.scope.hosts if ended.get(vantage) is None]
    reasons = (f"{len(missing)} vantage hosts did not finish ({', '.join(missing[:5])})",) if missing else ()
    counts = _summed(ended)
    run = dataclasses.replace(
        run,
        ended=context.timestamp(),
        verdict="incomplete" if missing else "observed",
        counts=counts,
        reasons=reasons,
    )
    rundir.write_run(directory, run)
    for line in _lines(ended, directory):
        context.show(line)
    return {
        "changed": False,
        "failed": bool(missing),
        "msg": f"{run.verdict}: {'; '.join(reasons)}" if reasons else run.verdict,
        "run": run.id,
        "directory": str(directory),
        "verdict": run.verdict,
        "reasons": list(reasons),
        "counts": counts,
        "reports": {},
    }


def _summed(ended: Mapping[str, Mapping[str, Any] | None]) -> dict[str, int]:
    """Return how many targets came to which state, over all vantages."""
    total: dict[str, int] = {}
    for trailer in ended.values():
        for state, number in ((trailer or {}).get("states") or {}).items():
            total[state] = total.get(state, 0) + number
    return total


def _lines(ended: Mapping[str, Mapping[str, Any] | None], directory: pathlib.Path) -> Iterator[str]:
    """Yield the summary, a line per vantage."""
    for vantage, trailer in ended.items():
        if trailer is None:
            yield f"{printable(vantage)}: broken off; what it heard until then is kept"
            continue
        parts = [f"{number} {state.replace('_', ' ')}" for state, number in trailer["states"].items()]
        if trailer["states"].get("open"):
            weak = trailer["signing"].get("not_required", 0)
            parts += [f"SMB1 accepted by {trailer['smb1']}", f"signing not required by {weak}"]
            parts += [f"{name}: {number}" for name, number in sorted(trailer["implementations"].items())]
        yield f"{printable(vantage)}: {', '.join(parts)}"
    yield f"Answers: {directory / 'probe'}"
