# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real servers said: the captures beside the codec's tests, one file per conversation.

A file has lines ``# [label] request HEX`` and, after each, ``# reply [how it ended]`` with a line of hex, which is empty
where the server hung up instead. Both are whole frames, with the four bytes of length before the message.
"""

from __future__ import annotations

import pathlib
from functools import cache
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "unit" / "_smb" / "captures"


class Exchange(NamedTuple):
    """A request and what came back; ``reply`` is empty where the server hung up, ``label`` names a step of a session."""

    label: str
    request: bytes
    reply: bytes


def variants() -> list[str]:
    """Return the servers that were captured."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@cache
def exchanges(variant: str, name: str) -> tuple[Exchange, ...]:
    """Return one captured conversation; empty where that server was not asked so."""
    path = FOLDER / variant / f"{name}.hex"
    if not path.exists():
        return ()
    found: list[Exchange] = []
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith("# ") and " request " in f" {line[2:]}":
            label, _word, request = line[2:].rpartition(" ")
            found.append(Exchange(label.removesuffix("request").strip(), bytes.fromhex(request), b""))
        elif line and not line.startswith("#"):
            found[-1] = found[-1]._replace(reply=bytes.fromhex(line))
    return tuple(found)


def reply(variant: str, name: str, number: int = 0) -> bytes:
    """Return the answer of one exchange; empty where the server hung up or was not asked."""
    found = exchanges(variant, name)
    return found[number].reply if number < len(found) else b""


def step(variant: str, label: str) -> bytes:
    """Return the answer of a labelled step of the captured session; empty where there is none."""
    return next((one.reply for one in exchanges(variant, "session") if one.label == label), b"")
