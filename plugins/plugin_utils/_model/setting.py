# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings: facts that have defaults and a writer; the rows of an implementation's property table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SettingType = Literal["boolean", "integer", "octal", "enum", "list", "string"]
Context = Literal["global", "share"]
RestartClass = Literal["none", "reload", "restart", "reboot"]


@dataclass(frozen=True, slots=True)
class Default:
    """The value in force when nothing is written, from release ``since`` on (until the next row)."""

    since: str
    value: Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of a property table.

    Attributes:
        id: the fact id, e.g. ``samba.server_signing``.
        name: the native name, e.g. ``server signing``.
        context: "share" settings may also stand in the global section, as the default of all shares.
        type: how the native text is read.
        synonyms: other native names; a leading ``!`` marks one with the opposite sense (``!writeable``).
        tokens: native spelling → value (enums only); the first token of a value is the one that is written.
        scale: values from the weakest to the strongest protection, for ``at_least`` and ``at_most``.
        defaults: by release, oldest first; empty when the default is not known.
        restart: what a change needs to take effect.
        since: a name that older releases do not know → the release that does.
        size: an integer that may carry a unit (K, M, G, T, P).
        secret: the value is never stored, shown or logged.
    """

    id: str
    name: str
    context: Context
    type: SettingType
    synonyms: tuple[str, ...] = ()
    tokens: dict[str, str] = field(default_factory=dict)
    scale: tuple[str, ...] = ()
    defaults: tuple[Default, ...] = ()
    restart: RestartClass = "reload"
    since: dict[str, str] = field(default_factory=dict)
    size: bool = False
    secret: bool = False
