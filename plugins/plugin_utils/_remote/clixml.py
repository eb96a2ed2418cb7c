# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error output of PowerShell, which may be CLIXML [MS-PSRP 2.2.5]: what it says, without progress and markup.

PowerShell writes it so when it was started with ``-EncodedCommand`` and its output is a pipe. No XML parser: the text
may be cut off, be preceded by other text, or hold several documents.
"""

from __future__ import annotations

import html
import re

HEADER = "#< CLIXML"

_DOCUMENT = re.compile(r"#< CLIXML\s*(<Objs\b.*?(?:</Objs>|\Z))?", re.DOTALL)
_STREAM = re.compile(r'<S S="(?:Error|Warning|Output|Debug|Verbose)">(.*?)(?:</S>|\Z)', re.DOTALL)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def text_of(stderr: str) -> str:
    """Return what was said: the texts of every CLIXML document, and whatever else stands around them.

    Texts that are no CLIXML come back as they are.
    """
    if HEADER not in stderr:
        return stderr
    said = _DOCUMENT.sub(
        lambda match: "\n" + "".join(_decoded(text) for text in _STREAM.findall(match[1] or "")), stderr
    )
    return "\n".join(line.rstrip() for line in said.splitlines() if line.strip())


def _decoded(text: str) -> str:
    """Undo what the serializer does: entities first, then characters as ``_x000A_``, in UTF-16."""
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), html.unescape(text))
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
