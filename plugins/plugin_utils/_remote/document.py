# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document that every collector sends back: one JSON object between two markers that carry a nonce."""

from __future__ import annotations

import json
from typing import Any

from .._model.collected import Collected, Family, Record
from .._model.errors import GarbledAnswer
from .._model.text import printable

SCHEMA = "breakwater/collected/1"


def begins(stdout: str, nonce: str) -> bool:
    """Return whether a document begins in what the host wrote."""
    return _begin(nonce) in stdout


def between(stdout: str, nonce: str, *, last: bool = False) -> str:
    """Return what stands between the markers.

    Args:
        stdout: what the host wrote; the document begins in it.
        nonce: of the markers.
        last: whether the last end counts, because what the host told may hold one.

    Raises:
        GarbledAnswer: there is no end.
    """
    start = stdout.index(_begin(nonce))
    end = f"@@breakwater {nonce} end@@"
    stop = stdout.rfind(end, start) if last else stdout.find(end, start)
    if stop < 0:
        raise GarbledAnswer(
            "The collector's answer was cut off",
            seen=f"{len(stdout) - start} characters and no end",
            remedy="check the connection, and that no limit ends processes on the host",
        )
    return stdout[start + len(_begin(nonce)) : stop]


def decode(body: str, family: Family, shell: str) -> Collected:
    """Return the records of a document.

    Args:
        body: the JSON text.
        family: whose collector must have written it; the one for POSIX shells names none.
        shell: what a person would call the host's shell, for the message.

    Raises:
        GarbledAnswer: it is no such document.
    """
    try:
        # Shells write control characters as they come; the collector for PowerShell escapes every one.
        return _collected(json.loads(body, strict=family == "windows"), family)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GarbledAnswer(
            "The collector's answer cannot be read",
            seen=f"{type(error).__name__}: {printable(str(error))[:120]}",
            remedy=f"look for something on the host that writes into the output of {shell}",
        ) from error


def _begin(nonce: str) -> str:
    return f"@@breakwater {nonce} begin@@"


def _collected(document: Any, family: Family) -> Collected:
    schema = document["schema"]
    written = document.get("family", "unix")
    if schema != SCHEMA or written != family:
        raise ValueError(f"schema {schema!r} of family {written!r}")
    records = [
        Record(
            str(record["id"]),
            str(record["command"]),
            out=str(record["out"]) if family == "unix" else "",
            err=str(record["err"]),
            rc=int(record["rc"]),
            truncated=bool(record.get("truncated", False)),
            data=record["data"] if family == "windows" else None,
        )
        for record in document["records"]
    ]
    return Collected(records, str(document["uid"]), str(document["shell"]), family)
