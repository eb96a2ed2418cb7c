# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes of a file on a host: what the collector brought, made whole by the checksum that came along."""

from __future__ import annotations

import hashlib
import re

from .collected import Collected

_SUM = re.compile(r"^\\?([0-9a-f]{64}) [ *]?(/.*)$", re.MULTILINE)


def checksums(collected: Collected, record_id: str) -> dict[str, str]:
    """Return path → SHA-256 of a record that the collector's ``bw_sums`` made."""
    record = collected.get(record_id)
    return {} if record is None else {path: found for found, path in _SUM.findall(record.out)}


def exact(text: str, checksum: str | None) -> str | None:
    """Return a file's whole text; None when what was collected is not what stands there, byte for byte.

    What comes from a host through a pipe of text tools does not tell whether its last line ends; the checksum does.
    Without one, a last line is taken to end: where it does not, the host refuses the change.
    """
    if checksum is None:
        return text + "\n" if text else text
    try:
        return next((whole for whole in (text + "\n", text) if digest(whole) == checksum), None)
    except UnicodeEncodeError:  # a surrogate that no byte was ever escaped to
        return None


def digest(text: str) -> str:
    """Return the SHA-256 of a text whose bytes that are not UTF-8 are surrogate escapes."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
