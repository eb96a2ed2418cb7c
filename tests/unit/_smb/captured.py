# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real exchanges with Samba 4.17 and impacket 0.13: ``captures/SERVER/NAME.hex``, and what each is in ``summary.json``.

A file has a line ``# [label] request HEX`` and one ``# reply HOW`` per exchange; the reply's hex follows, unless the
server hung up. Bytes are whole frames, with their header of four bytes.
"""

from __future__ import annotations

import json
import pathlib
import re
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).parent / "captures"


@dataclass(frozen=True)
class Exchange:
    """One request and its reply.

    Attributes:
        label: which step of a session; else "".
        reply: empty where the server hung up.
        told: what the summary says of the reply; "" for steps of a session.
    """

    server: str
    name: str
    number: int
    label: str
    request: bytes
    reply: bytes
    told: str

    def __str__(self) -> str:
        return f"{self.server}/{self.name}#{self.number}"

    @property
    def message(self) -> bytes:
        """The reply without its frame."""
        return self.reply[4:]

    @property
    def offered(self) -> list[str]:
        """The dialects of an SMB1 NEGOTIATE, read by other code than the one under test; of others nothing."""
        if self.request[4:9] != b"\xffSMB\x72":
            return []
        return [part[1:].decode("ascii") for part in self.request[4 + 35 :].split(b"\0") if part]


def _read(path: pathlib.Path, told: list[str]) -> list[Exchange]:
    found = []
    pattern = re.compile(
        r"# (?:(?P<label>[a-z]+ [a-z0-9]+) )?request (?P<request>[0-9a-f]+)\n# reply.*\n(?P<reply>[0-9a-f]*)"
    )
    for number, match in enumerate(pattern.finditer(path.read_text(encoding="ascii"))):
        found.append(
            Exchange(
                path.parent.name,
                path.stem,
                number,
                match["label"] or "",
                bytes.fromhex(match["request"]),
                bytes.fromhex(match["reply"]),
                told[number] if told else "",
            )
        )
    return found


def _all() -> list[Exchange]:
    found = []
    for folder in sorted(FOLDER.iterdir()):
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.hex")):
            found += _read(path, summary[path.stem].split(" | ") if path.stem in summary else [])
    return found


EXCHANGES = _all()
REPLIES = [exchange for exchange in EXCHANGES if exchange.reply]


def find(server: str, name: str, number: int = 0) -> Exchange:
    """Return one exchange of a conversation."""
    return next(x for x in EXCHANGES if (x.server, x.name, x.number) == (server, name, number))


def step(server: str, label: str) -> Exchange:
    """Return one step of a captured session."""
    return next(x for x in EXCHANGES if (x.server, x.label) == (server, label))
