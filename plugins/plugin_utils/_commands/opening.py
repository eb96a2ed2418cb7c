# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *open*: what a run is about and judged with, before the first host is asked."""

from __future__ import annotations

import dataclasses
import pathlib
from dataclasses import dataclass
from typing import Any

from .._model.errors import BadInput
from .._model.run import DataVersions, Run, RunKind, Scope
from .._patch.windows import newest_month
from .._store import rundir
from . import catalogue
from .audit import AuditRequest
from .context import Context
from .inputs import Inputs, freeze_inputs, load_inputs
from .probing import open_probe
from .variables import unknown_variables


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Scope and judging of a new run.

    Attributes:
        hosts, limit: see Scope.
        profile, exceptions: what it is judged with.
        variables: the names that begin with breakwater_.
        kind: what will be done to the hosts.
        check: they will only be looked at.
        journal: id of the run that a rollback undoes; only hosts of that run are in scope.
    """

    hosts: tuple[str, ...]
    limit: str
    profile: str
    exceptions: str | None
    variables: tuple[str, ...] = ()
    kind: RunKind = "audit"
    check: bool = False
    journal: str = ""


def open_run(request: OpenRequest, context: Context) -> dict[str, Any]:
    """Start a run: check what it is judged with, and make its directory."""
    _name_strangers(request, context)
    if request.kind == "probe":
        return _opened(open_probe(request.hosts, request.limit, context), request)
    inputs = load_inputs(request.profile, request.exceptions)
    if request.kind == "rollback":
        request = _those_changed(request, context)
    return _opened(_new_run(request, inputs, context), request)


def _opened(directory: pathlib.Path, request: OpenRequest) -> dict[str, Any]:
    return {
        "changed": False,
        "run": directory.name,
        "directory": str(directory),
        "kind": request.kind,
        "hosts": list(request.hosts),
    }


def _name_strangers(request: OpenRequest, context: Context) -> None:
    """Name the variables that only look like ours.

    Raises:
        BadInput: one is nearly ours, and hosts are to be changed: what it was to leave out would be changed too.
    """
    for name, suggestion in unknown_variables(request.variables):
        if suggestion and request.kind != "audit":
            raise BadInput(
                f"Cannot {request.kind} while a variable may be misspelt",
                where=name,
                seen="it is not one of Breakwater's",
                remedy=f"write {suggestion}, or give it another name",
            )
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        context.warn(f"The variable {name} is not one of Breakwater's, and has no effect{hint}")


def _those_changed(request: OpenRequest, context: Context) -> OpenRequest:
    """Leave out the hosts that the run to be undone had nothing to do with.

    Raises:
        BadInput: there is no such journal, or none of the hosts was part of it.
    """
    source = journal_directory(context, request.journal)
    scope = set(rundir.read_run(source).scope.hosts)
    hosts = tuple(host for host in request.hosts if host in scope)
    if not hosts:
        raise BadInput(
            "Cannot roll back",
            where=source.name,
            seen="none of the hosts of this play was part of that run",
            remedy=f"it was about {', '.join(sorted(scope)[:5])}{', …' if len(scope) > 5 else ''}",
        )
    narrowed = () if hosts == request.hosts else (f"the hosts of {source.name}",)
    limit = " and ".join(part for part in (request.limit, *narrowed) if part)
    return dataclasses.replace(request, hosts=hosts, limit=limit)


def journal_directory(context: Context, name: str) -> pathlib.Path:
    """Return the directory of the run whose journal is meant.

    Raises:
        BadInput: there is none of that name, or it changed nothing.
    """

    def refuse(where: str, seen: str, remedy: str) -> BadInput:
        return BadInput("Cannot find the journal", where=where, seen=seen, remedy=remedy)

    if not name:
        raise BadInput(
            "Cannot roll back", seen="no run is named", remedy="set breakwater_journal to the id that the change told"
        )
    if name == "latest":  # a rollback opens a run itself, and a wrong guess would undo something else
        raise refuse("breakwater_journal", f"{name!r} is no id of a run", "set it to the id that the change told")
    try:
        directory = rundir.find(context.results, name)
    except BadInput as error:
        raise refuse(str(context.results), error.seen, error.remedy) from None
    if not (directory / "journal").is_dir():
        raise refuse(directory.name, "that run changed nothing", "name a run that did")
    return directory


def _new_run(request: OpenRequest, inputs: Inputs, context: Context, *, latest: bool = True) -> pathlib.Path:
    started = context.timestamp()
    run = Run(
        id=rundir.new_id(started),
        started=started,
        kind=request.kind,
        tool=f"breakwater.smb {catalogue.version()}",
        ansible=context.ansible_version,
        profile=request.profile,
        scope=Scope(request.limit, request.hosts),
        data=DataVersions(controls=catalogue.digest(), newest_month=newest_month(catalogue.advisories())),
        check=request.check and request.kind != "audit",  # an audit in check mode is an audit
    )
    directory = rundir.create(context.results, run, latest=latest)
    freeze_inputs(directory, inputs)
    return directory


def open_own(kind: RunKind, subject: AuditRequest, inputs: Inputs, context: Context) -> pathlib.Path:
    """Start a run of one host, so that a change made without an open run has a place for its journal."""
    request = OpenRequest((subject.host,), subject.host, inputs.profile, None, kind=kind)
    return _new_run(request, inputs, context, latest=False)
