# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB mounts: what is mounted now, and what fstab asks for. Secrets were cut out on the host."""

from __future__ import annotations

import re
from typing import Any

from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet, Origin
from ..._model.text import visible


def read(collected: Collected, facts: FactSet) -> None:
    """Put ``client.mount`` and ``client.fstab`` facts, one per mount point."""
    for record_id, fact_id in (("host.mounts", "client.mount"), ("host.fstab", "client.fstab")):
        record = collected.get(record_id)
        if record is None:
            continue
        if record.unreadable is not None and record.err:
            facts.put(f"{fact_id}s_read", Fact(unreadable=visible(record.unreadable)))
            continue
        for line in record.out.split("\n"):
            columns = line.split()
            if len(columns) >= 4:
                value = _mount(columns)
                fact = (
                    Fact(effective=value)
                    if fact_id == "client.mount"
                    else Fact(configured=value, origin=Origin("local", "/etc/fstab"))
                )
                facts.put(fact_id, fact, unescaped(columns[1]))


def unescaped(text: str) -> str:
    """Mount tables write blanks and backslashes as ``\\040``."""
    return visible(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text))


def _mount(columns: list[str]) -> dict[str, Any]:
    options = [unescaped(option) for option in columns[3].split(",")]
    values = dict(option.partition("=")[::2] for option in options)
    security = values.get("sec", "")
    return {
        "source": unescaped(columns[0]),
        "type": visible(columns[2]),
        "vers": values.get("vers", ""),
        "sec": security,
        "seal": "seal" in values,
        "sign": "sign" in values or security.endswith("i"),
        "guest": "guest" in values or security == "none",
        "password_in_options": any(name.lower().startswith("pass") for name in values),
        "options": options,
    }
