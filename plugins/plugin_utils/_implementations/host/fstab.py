# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of fstab that mount shares: their options, changed in place. Sans-I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..._model.text import visible
from . import mount_options
from .mounts import point

Options = Mapping[str, str | bool]
"""What is wanted: option → its text, True for the option alone, False for none."""

_LINE = re.compile(
    r"(?P<head>[ \t]*(?P<source>[^\s#]\S*)[ \t]+(?P<point>\S+)[ \t]+(?P<type>\S+)[ \t]+)(?P<options>\S+)"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def mount_point(line: str) -> str | None:
    """Return where a line mounts a share, as the facts name it; None when it mounts none."""
    found = _LINE.match(line)
    if found is None or found["type"] not in mount_options.TYPES:
        return None
    return point(found["point"])


def changed(line: str, wanted: Options) -> str:
    """Return a line with the options that are wanted; all its other bytes stay.

    Of an option that stands there more than once the last place is taken, and the others go: an earlier ``sec=none``
    would still count.

    Raises:
        ValueError: an option or its text cannot stand in fstab.
    """
    found = _LINE.match(line)
    if found is None:
        raise ValueError(f"not a line of fstab: {visible(line)!r}")
    options = mount_options.split(found["options"])
    for name, value in wanted.items():
        options = _with(options, name, value)
    return f"{found['head']}{','.join(options) or 'defaults'}{line[found.end() :]}"


def options(line: str) -> str:
    """Return a line's options as they stand there; "" when it is no line of fstab."""
    found = _LINE.match(line)
    return found["options"] if found is not None else ""


def _with(present: list[str], name: str, value: str | bool) -> list[str]:
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not the name of a mount option")
    places = [index for index, option in enumerate(present) if mount_options.name_of(option) == name]
    if value is False:
        return [option for index, option in enumerate(present) if index not in places]
    text = name if value is True else f"{name}={_escaped(str(value))}"
    if not places:
        return [*present, text]
    kept = [(index, option) for index, option in enumerate(present) if index not in places[:-1]]
    return [text if index == places[-1] else option for index, option in kept]


def _escaped(text: str) -> str:
    if not text or re.search(r"[,\x00-\x08\x0a-\x1f\x7f]", text):
        raise ValueError(f"{text!r} cannot be the value of a mount option")
    return re.sub(r"[ \t\\#]", lambda match: f"\\{ord(match[0]):03o}", text)
