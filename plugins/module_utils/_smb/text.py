# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from the peer: bounded, and never an error; what cannot be decoded becomes U+FFFD."""

from __future__ import annotations

LIMIT = 256
"""Characters kept of one string. DNS names have 255 at most; the rest of a longer one is dropped."""


def utf16(data: bytes, limit: int = LIMIT) -> str:
    """Return little-endian UTF-16 as text, without the terminator and what follows it."""
    return data[: 2 * limit].decode("utf-16-le", "replace").partition("\0")[0]


def oem(data: bytes, limit: int = LIMIT) -> str:
    """Return bytes of an unknown code page as text, one character each, up to the first NUL."""
    return data[:limit].decode("latin-1").partition("\0")[0]


def utf16_strings(data: bytes, count: int) -> list[str]:
    """Return up to ``count`` NUL-terminated UTF-16 strings; those that are not there are empty.

    Servers that align strings put one byte before the first, others do not ([MS-CIFS] 2.2.1.1 asks for it; Samba aligns
    in SESSION_SETUP and not in NEGOTIATE, impacket never). The length tells: whole characters and one byte over.
    """
    start = 1 if data[:1] == b"\0" and len(data) % 2 else 0
    data = data[: 2 * (LIMIT + 1) * count + 1]
    found = []
    for _index in range(count):
        end = start
        while end + 1 < len(data) and (data[end] or data[end + 1]):
            end += 2
        found.append(utf16(data[start:end]))
        start = end + 2
    return found


def oem_strings(data: bytes, count: int) -> list[str]:
    """Return up to ``count`` NUL-terminated strings of single bytes; those that are not there are empty."""
    parts = data.split(b"\0", count)[:count]
    return [oem(part) for part in parts] + [""] * (count - len(parts))
