# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ls -ldn`` lines: mode and owner of files and directories."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._model.text import visible

_LINE = re.compile(r"^([-dlbcps])([rwxsStT-]{9})[.+@]?\s+\d+\s+(\d+)\s+(\d+)\s.*?(/.*)$")
_BITS = {"r": 4, "w": 2, "x": 1, "s": 1, "t": 1, "S": 0, "T": 0, "-": 0}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: kind letter of ls, permission bits as four octal digits, numeric owner and group, path."""

    kind: str
    mode: str
    uid: int
    gid: int
    path: str

    @property
    def owner(self) -> str:
        """Return the owner as the facts name it: "root", or a number."""
        return "root" if self.uid == 0 else str(self.uid)


def entries(text: str) -> list[Entry]:
    """Return the entries of the output of ``ls -ldn``; a symlink's path is without its target."""
    found = []
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match:
            kind, bits, uid, gid, path = match.groups()
            if kind == "l":
                path = path.partition(" -> ")[0]
            found.append(Entry(kind, _octal(bits), int(uid), int(gid), visible(path)))
    return found


def _octal(bits: str) -> str:
    special = 4 * (bits[2] in "sS") + 2 * (bits[5] in "sS") + (bits[8] in "tT")
    parts = [sum(_BITS[bit] for bit in bits[index : index + 3]) for index in (0, 3, 6)]
    return f"{special}{parts[0]}{parts[1]}{parts[2]}"
