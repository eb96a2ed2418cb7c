# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of smb.conf: where each section and parameter stands. Sans-I/O; the reader and the editor share it.

The rules are those of Samba's own tokenizer, checked against testparm: a backslash at the end of a line (blanks may
follow it) joins it with the next one (inside names, values and section headers, not in comments); runs of blanks become their first
blank; comments start only at the beginning of a line; what follows a section's ``]`` is ignored; a line without
``=`` is ignored; a value ends at NUL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_BLANKS = " \t\r\v\f"


@dataclass(frozen=True, slots=True)
class Item:
    """A section header or a parameter.

    Attributes:
        kind: "section", "parameter", or "malformed" (Samba refuses the whole file).
        name: section or parameter name; what is wrong for "malformed".
        value: the parameter's text, blanks folded.
        line: first line, from 1.
        end: last line (continuations).
    """

    kind: Literal["section", "parameter", "malformed"]
    name: str
    value: str
    line: int
    end: int


def items(text: str) -> Iterator[Item]:
    """Yield the items of one file in order; stops after a malformed one."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        start = index
        line = lines[index].lstrip(_BLANKS)
        index += 1
        if not line.rstrip(_BLANKS) or line[0] in ";#":
            continue
        pieces = [line]
        while _continues(pieces[-1]) and index < len(lines):
            pieces[-1] = pieces[-1].rstrip(_BLANKS)[:-1]
            pieces.append(lines[index])
            index += 1
        item = _item("".join(pieces).strip(_BLANKS), start + 1, index)
        if item is not None:
            yield item
            if item.kind == "malformed":
                return


def _continues(line: str) -> bool:
    return line.rstrip(_BLANKS).endswith("\\")


def _item(line: str, first: int, last: int) -> Item | None:
    if not line:
        return None
    if line[0] == "[":
        name, bracket, _rest = line[1:].partition("]")
        if not bracket:
            return Item("malformed", "a section header without ']'", line[:80], first, last)
        name = fold(name, strip=False)
        if not name.strip():
            return Item("malformed", "a section header without a name", line[:80], first, last)
        return Item("section", name, "", first, last)
    name, equals, value = line.partition("=")
    if not equals:
        return None
    name = fold(name)
    if not name:
        return Item("malformed", "a parameter without a name", line[:80], first, last)
    return Item("parameter", name, fold(value).partition("\x00")[0], first, last)


def fold(text: str, *, strip: bool = True) -> str:
    """Return ``text`` with each run of blanks reduced to its first one, and none at the ends."""
    if strip:
        text = text.strip(_BLANKS)
    if "  " not in text and "\t" not in text and "\r" not in text:
        return text
    kept: list[str] = []
    blank = False
    for char in text:
        if char not in _BLANKS:
            kept.append(char)
            blank = False
        elif not blank:
            kept.append(char)
            blank = True
    return "".join(kept)
