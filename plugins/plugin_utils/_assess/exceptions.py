# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exceptions file: read, linted, and applied to findings."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import fnmatch
from collections.abc import Collection, Sequence
from typing import Any

from .._model.codec import DecodeError, decode
from .._model.errors import BadInput
from .._model.exception import ExceptionRecord
from .._model.finding import AppliedException, Finding
from . import strict_yaml

_KEYS = "kind, control, hosts, reason, owner, expires, object, ticket"


def load_exceptions(path: str, controls: Collection[str]) -> list[ExceptionRecord]:
    """Return the records of an exceptions file.

    Raises:
        BadInput: the file cannot be read, or an entry is malformed; names file and line.
    """
    source, document = strict_yaml.load(path, "exceptions file", "breakwater_exceptions")
    return [_record(source, node, entry, controls) for node, entry in _entries(source, document)]


def _entries(source: strict_yaml.Source, document: Any) -> list[tuple[Any, Any]]:
    """Return node and value of each entry of the list ``exceptions:`` (or of a bare list)."""
    node = source.root
    if isinstance(document, dict) and document:
        unknown = [key for key in document if key != "exceptions"]
        if unknown:
            raise BadInput(
                "The exceptions file is malformed",
                where=source.where(str(unknown[0])),
                seen=f"unknown key {unknown[0]!r}",
                remedy="the file holds one list named 'exceptions'",
            )
        node, document = node.value[0][1], document["exceptions"]
    if document is None:
        return []
    if not isinstance(document, list):
        raise BadInput(
            "The exceptions file is malformed",
            where=source.at(node),
            seen="no list of exceptions",
            remedy="write 'exceptions:' and below it one '- kind: waiver' per exception",
        )
    return list(zip(node.value, document, strict=True))


def _record(source: strict_yaml.Source, node: Any, document: Any, controls: Collection[str]) -> ExceptionRecord:
    where = source.at(node)

    def refuse(seen: str, remedy: str) -> BadInput:
        return BadInput("An exception is malformed", where=where, seen=seen, remedy=remedy)

    if not isinstance(document, dict):
        raise refuse("it is not a mapping", f"give it the keys {_KEYS}")
    if "where" in document:  # a field of the record, but not one that a person fills in
        raise refuse("where: unknown key", f"the keys are {_KEYS}")
    if isinstance(document.get("hosts"), str):
        document = {**document, "hosts": [document["hosts"]]}
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
    if record.kind == "force" and any(host == "all" or set("*?[") & set(host) for host in record.hosts):
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
            or not (finding.object == record.object or fnmatch.fnmatchcase(finding.object, record.object))
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
