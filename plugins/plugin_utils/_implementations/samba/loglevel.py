# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``log level``: one text for all classes of messages; the classes that tell who logs in are the ones that matter."""

from __future__ import annotations

import re

from .settings import release

LEVEL = "samba.log_level"
AUTH = "samba.log_auth_level"
"""The fact that is drawn from LEVEL: at which level logins are logged."""

_AUTH = re.compile(r"(?i)(?<![\w:])auth_audit:\d+")
_SINCE = (4, 7)


def auth_level(text: str) -> int:
    """Return the level at which logins are logged: of auth_audit or auth_json_audit, else of all classes."""
    classes = {name: int(level) for name, level in re.findall(r"\b(\w+):(\d+)", text)}
    general = re.match(r"\s*(\d+)", text)
    fallback = int(general[1]) if general else classes.get("all", 0)
    return max(classes.get("auth_audit", fallback), classes.get("auth_json_audit", fallback))


def raised(text: str, level: int, version: str) -> str:
    """Return ``text`` with logins logged at ``level`` at least; all else in it stays.

    Raises:
        ValueError: this release does not know the class; the words say what to do.
    """
    if release(version) != (0, 0) and release(version) < _SINCE:
        raise ValueError(
            "Samba logs logins apart only from 4.7 on; upgrade it, or raise 'log level' as a whole by hand"
        )
    if auth_level(text) >= level:
        return text
    if _AUTH.search(text):
        return _AUTH.sub(f"auth_audit:{level}", text)
    return f"{text} auth_audit:{level}".strip()
