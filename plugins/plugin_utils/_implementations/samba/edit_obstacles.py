# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a configuration, or one of its files, from being edited: one sentence each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..._model.collected import Collected
from ..._model.fact import FactSet
from ..._model.text import visible
from .edit_layout import Layout
from .settings import key

_GENERATED = re.compile(
    r"^[ \t\ufeff]*[;#].*\b(do not (edit|modify|change)|auto-?generated|automatically (re)?generated|"
    r"(changes|file|edits?|modifications?).{0,40}\b(will|may|might) be (lost|overwritten))",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD_LINES = 25
_BY_PATH = {
    "/etc/smb4.conf": ("TrueNAS", "midclt call -j smb.update"),
    "/etc/config/smb.conf": ("QNAP's QTS", "setcfg -f /etc/config/smb.conf, or its administration page"),
}
_BY_NAME = (
    (re.compile(r"truenas|freenas", re.IGNORECASE), _BY_PATH["/etc/smb4.conf"]),
    (re.compile(r"\bqts\b|quts|qnap", re.IGNORECASE), _BY_PATH["/etc/config/smb.conf"]),
    (re.compile(r"synology|\bdsm\b", re.IGNORECASE), ("Synology's DSM", "its control panel, or synowebapi")),
)


def appliance(main: str, facts: FactSet) -> str:
    """Return why this host's smb.conf is not one to edit: its system writes it anew; "" when it is one."""
    system = facts.in_force("host.os")
    name = f"{system.get('id', '')} {system.get('name', '')}" if isinstance(system, dict) else ""
    found = _BY_PATH.get(main) or next((words for pattern, words in _BY_NAME if pattern.search(name)), None)
    if found is None:
        return ""
    return f"{visible(main)} is written by {found[0]}, which undoes other people's changes; use {found[1]}"


def of_file(path: str, text: str, whole: str | None) -> str:
    """Return why a file cannot be edited; "" when it can.

    Args:
        path: its path.
        text: as it was collected.
        whole: see ``exact``.
    """
    shown = visible(path)
    if "\x00" in text:
        return f"{shown} holds a NUL byte (or byte 1), where Samba stops reading a line; remove it by hand"
    if whole is None:
        return f"{shown} was not collected byte for byte: it has just been changed, or holds what cannot be carried"
    found = _GENERATED.search("\n".join(text.split("\n", _HEAD_LINES)[:_HEAD_LINES]))
    if found is not None:
        return f"{shown} says that it is generated ({visible(found[0].strip())[:80]!r}); change what generates it"
    return ""


def overridden(collected: Collected) -> Mapping[str, str]:
    """Return the options of smbd's command line, which win over smb.conf: name (see ``key``) → option."""
    record = collected.get("samba.cmdline")
    words = record.out.split("\x00") if record is not None and record.unreadable is None else []
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        option = words[number + 1] if word == "--option" and number + 1 < len(words) else word.partition("--option=")[2]
        if option:
            found[key(option.partition("=")[0])] = visible(option)
    return found


def conditional(layout: Layout, turn: int) -> str:
    """Return why what stands at ``turn`` need not be what counts: an include after it, which may set it anew."""
    place = layout.conditional
    if place is None or place.turn <= turn:
        return ""
    where = f"{visible(place.path)}:{place.item.line}"
    return (
        f"'include = {visible(place.item.value)}' ({where}) reads another file for each client, comes after this line "
        f"and may set it anew; move the include to the beginning of [global]"
    )


def switched(layout: Layout) -> str:
    """Return why smb.conf is not the file that counts: another one is read for each client."""
    value = layout.configuration.globals.get("samba.config_file")
    if value is None or "%" not in str(value.value):
        return ""
    return f"'config file = {value.value}' ({value.origin.where}) makes smbd read another file for each client"
