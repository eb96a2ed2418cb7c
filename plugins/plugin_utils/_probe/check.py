# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a row of the fingerprint table: its patterns, its texts, its examples."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from .fingerprints import Fingerprint, matches
from .marks import DIALECTS, Mark

_PATTERNS = ("ntlm_version", "native_os", "native_lm", "native", "mechanism", "violation")
_GUIDS = ("zero", "name")


def check_fingerprint(row: Fingerprint) -> list[str]:
    """Return every complaint about a row, its examples among them."""
    found = [*_texts(row), *_marks(row.mark)]
    return found or list(_examples(row))


def _texts(row: Fingerprint) -> Iterator[str]:
    for name in ("id", "implementation"):
        if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", getattr(row, name)):
            yield f"{name} {getattr(row, name)!r} is no word in lower case"
    if not row.source.strip():
        yield "it names no source"
    if not any(example.matches for example in row.examples):
        yield "no example matches"


def _marks(mark: Mark) -> Iterator[str]:
    if mark == Mark():
        yield "its mark asks nothing"
    for name in _PATTERNS:
        try:
            re.compile(getattr(mark, name))
        except re.error as error:
            yield f"{name} is no pattern: {error}"
    if mark.guid and mark.guid not in _GUIDS:
        try:
            re.compile(mark.guid)
        except re.error as error:
            yield f"guid is no pattern: {error}"
    for dialect in (*mark.refuses, *filter(None, [mark.ceiling])):
        if dialect not in DIALECTS:
            yield f"{dialect!r} is no dialect of SMB2"
    for sizes in mark.sizes:
        if not re.fullmatch(r"\d+/\d+/\d+", sizes):
            yield f"{sizes!r} is not transact/read/write"


def _examples(row: Fingerprint) -> Iterator[str]:
    bare = dataclasses.replace(row, examples=())
    for number, example in enumerate(row.examples, 1):
        found = next(matches(example.port, [bare]), None)
        if (found is not None) is not example.matches:
            yield f"example {number} {'does not match' if example.matches else 'matches'}"
        elif found is not None and (found.version, found.product) != (example.version, example.product):
            yield f"example {number} gives version {found.version!r} and product {found.product!r}"
