# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of versions, and ranges of them."""

from __future__ import annotations

import re

_RANGE = re.compile(r"^(>=|<=|>|<|==|!=)\s*(\d\S*)$")
_EARLY = ("rc", "beta", "alpha", "pre", "dev")
_EPOCH = re.compile(r"^[0-9]+:(?=[0-9])")
_JOINED = re.compile(rf"[-~.](?=(?:{'|'.join(_EARLY)})(?![A-Za-z]))", re.IGNORECASE)


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that orders versions: numbers as numbers, and a pre-release (rc, beta, alpha) before its release.

    A distribution's suffix ("4.17.12-Debian") does not make a version newer than its upstream version,
    and a package's epoch ("2:4.17.12+dfsg") is no part of it.
    """
    upstream = re.split(r"[-+~ ]", _JOINED.sub("", _EPOCH.sub("", version.strip())), maxsplit=1)[0]
    parts: list[tuple[int, int, str]] = []
    for number, word in re.findall(r"([0-9]{1,18})|([A-Za-z]+)", upstream):
        if number:
            parts.append((1, int(number), ""))
        else:
            early = word.lower() in _EARLY
            if early:  # 4.23.0rc1 comes before 4.23
                _drop_zeros(parts)
            parts.append((-1 if early else 2, 0, word.lower()))
    _drop_zeros(parts)
    return (*parts, (0, 0, ""))


def _drop_zeros(parts: list[tuple[int, int, str]]) -> None:
    while parts and parts[-1] == (1, 0, ""):
        parts.pop()


def in_range(version: str, condition: str) -> bool | None:
    """Return whether ``version`` is in a range such as ``">=4.15, <4.23"``; None when it is not known.

    Raises:
        ValueError: the range is not of that form.
    """
    key = version_key(version)
    known = bool(re.match(r"[0-9]", version.strip()))
    result = True
    for part in condition.split(","):
        match = _RANGE.match(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a version condition such as '>=4.15'")
        other = version_key(match[2])
        result = (
            result
            and {
                ">=": key >= other,
                "<=": key <= other,
                ">": key > other,
                "<": key < other,
                "==": key == other,
                "!=": key != other,
            }[match[1]]
        )
    return result if known else None
