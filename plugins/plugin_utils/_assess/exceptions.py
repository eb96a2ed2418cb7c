# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exceptions file: read, linted, and applied to findings."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import fnmatch
import pathlib
from collections.abc import Collection, Sequence
from typing import Any

import yaml

from .._model.codec import DecodeError, decode
from .._model.errors import BadInput
from .._model.exception import ExceptionRecord
from .._model.finding import AppliedException, Finding

MAX_BYTES = 4 * 2**20
_KEYS = "kind, control, hosts, reason, owner, expires, object, ticket"


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key that stands twice and aliases (which could blow up)."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _value in node.value:
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key_node.value!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def load_exceptions(path: str, controls: Collection[str]) -> list[ExceptionRecord]:
    """Return the records of an exceptions file.

    Raises:
        BadInput: the file cannot be read, or an entry is malformed; names file and line.
    """
    source = pathlib.Path(path)
    try:
        if source.stat().st_size > MAX_BYTES:
            raise BadInput(
                "The exceptions file is too large", where=path, seen=f"more than {MAX_BYTES} bytes", remedy="split it"
            )
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "Cannot read the exceptions file", where=path, seen=str(error), remedy="check breakwater_exceptions"
        ) from error
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return []
        entries = _entries(root, path)
        return [_record(loader, node, path, controls) for node in entries]
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        problem = getattr(error, "problem", None) or str(error)
        raise BadInput(
            "The exceptions file is malformed", where=where, seen=problem, remedy="mend that line"
        ) from error
    finally:
        loader.dispose()


def _entries(root: Any, path: str) -> list[Any]:
    """Return the nodes of the list ``exceptions:`` (or of a bare list)."""
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value != "exceptions":
                raise BadInput(
                    "The exceptions file is malformed",
                    where=f"{path}:{key.start_mark.line + 1}",
                    seen=f"unknown key {key.value!r}",
                    remedy="the file holds one list named 'exceptions'",
                )
            root = value
    if not isinstance(root, yaml.SequenceNode):
        raise BadInput(
            "The exceptions file is malformed",
            where=f"{path}:{root.start_mark.line + 1}",
            seen="no list of exceptions",
            remedy="write 'exceptions:' and below it one '- kind: waiver' per exception",
        )
    return list(root.value)


def _record(loader: _Loader, node: Any, path: str, controls: Collection[str]) -> ExceptionRecord:
    where = f"{path}:{node.start_mark.line + 1}"

    def refuse(seen: str, remedy: str) -> BadInput:
        return BadInput("An exception is malformed", where=where, seen=seen, remedy=remedy)

    document = loader.construct_document(node)
    if not isinstance(document, dict):
        raise refuse("it is not a mapping", f"give it the keys {_KEYS}")
    if isinstance(document.get("hosts"), str):
        document["hosts"] = [document["hosts"]]
    try:
        record = decode(ExceptionRecord, {**document, "where": where})
    except DecodeError as error:
        raise refuse(str(error), f"the keys are {_KEYS}") from error
    if record.control not in controls:
        close = difflib.get_close_matches(record.control, controls, 1)
        raise refuse(
            f"unknown control {record.control!r}",
            f"did you mean {close[0]!r}?" if close else "see docs/coverage.md for the ids",
        )
    for name in ("reason", "owner"):
        if not getattr(record, name).strip():
            raise refuse(f"{name} is empty", f"say {'why' if name == 'reason' else 'who answers for it'}")
    if not record.hosts:
        raise refuse("hosts is empty", "name hosts, groups or globs; '*' is all")
    if record.kind == "waiver" and record.expires is None:
        raise refuse("a waiver without expires", "give it a last day, e.g. expires: 2027-06-30")
    if record.kind == "force" and any(host in ("all", "*") or "*" in host for host in record.hosts):
        raise refuse("a force for more than named hosts", "name each host")
    return record


def covering(records: Sequence[ExceptionRecord], host: str, groups: Collection[str]) -> list[ExceptionRecord]:
    """Return the exceptions whose scope holds this host."""
    names = {host, "all", *groups}
    return [
        record
        for record in records
        if any(scope in names or fnmatch.fnmatchcase(host, scope) for scope in record.hosts)
    ]


def applied(finding: Finding, records: Sequence[ExceptionRecord], today: datetime.date) -> Finding:
    """Return the finding, marked when a waiver covers it; an expired one is named in ``why`` and does not help."""
    if finding.verdict not in ("fail", "unknown", "manual"):
        return finding
    expired: ExceptionRecord | None = None
    for record in records:
        if (
            record.kind != "waiver"
            or record.control != finding.control
            or not fnmatch.fnmatchcase(finding.object, record.object)
        ):
            continue
        if record.expires is not None and record.expires < today:
            expired = record
            continue
        days = (record.expires - today).days if record.expires else None
        mark = AppliedException(
            record.kind, record.reason, record.owner, record.ticket, str(record.expires or ""), days
        )
        return dataclasses.replace(finding, exception=mark)
    if expired is not None:
        return dataclasses.replace(
            finding, why=f"{finding.why} (the waiver of {expired.owner} expired on {expired.expires})"
        )
    return finding
