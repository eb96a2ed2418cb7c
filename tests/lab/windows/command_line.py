# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a command line to the script that PowerShell runs."""

from __future__ import annotations

import base64
import binascii
import re

from .execution import Exec

_POWERSHELL = re.compile(r'^\s*(?:&\s*)?"?(?:[A-Za-z]:\\[^"]*\\)?powershell(?:\.exe)?"?(?=\s|$)', re.IGNORECASE)
_ENCODED = re.compile(r"\s-(?:EncodedCommand|enc|ec|e)\s+['\"]?([A-Za-z0-9+/=]+)['\"]?\s*$", re.IGNORECASE)
_COMMAND = re.compile(r"\s-(?:Command|c)\s+(.*)$", re.IGNORECASE | re.DOTALL)
_CODE_PAGE = re.compile(r"^\s*chcp\.com 65001 > \$null ;\s*")  # ansible-core 2.16 and 2.17 over ssh
_CMD = re.compile(
    r'^\s*(?:cmd|cmd\.exe|"?C:\\Windows\\system32\\cmd\.exe"?)\s+/[cs]\s+(?:/c\s+)?(.*)$', re.IGNORECASE | re.DOTALL
)


def script_of(execution: Exec) -> str | None:
    """Return the script that a command line runs in the end; None when that is no PowerShell.

    A PowerShell that only starts another one is left out, as is ``cmd /c``: ansible-core 2.16 to 2.18 wrap a command
    line over winrm once more. Over ssh the login shell is PowerShell, so that any text is a script there.
    """
    if execution.transport == "psrp":
        return execution.command
    text = _CODE_PAGE.sub("", execution.command)
    outer = _CMD.match(text)
    if outer:
        text = outer.group(1)
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1]
    script = _inner(text)
    if script is None:
        return text if execution.transport == "ssh" else None
    while (inner := _inner(script)) is not None:
        script = inner
    return script


def _inner(text: str) -> str | None:
    """Return the script of a command line ``PowerShell ... -EncodedCommand ...`` or ``... -Command ...``."""
    if not _POWERSHELL.match(text):
        return None
    encoded = _ENCODED.search(text)
    if encoded:
        try:
            return base64.b64decode(encoded.group(1), validate=True).decode("utf-16-le")
        except (binascii.Error, UnicodeDecodeError):
            return None
    command = _COMMAND.search(text)
    return command.group(1).strip() if command and command.group(1).strip() != "-" else None
