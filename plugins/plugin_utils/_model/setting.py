# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings: facts that have defaults and a writer; the rows of an implementation's property table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .when import When

SettingType = Literal["boolean", "integer", "octal", "enum", "list", "string"]
Context = Literal["global", "share"]
RestartClass = Literal["none", "reload", "restart", "reboot"]


Truth = Literal["policy", "configured", "effective"]
Store = Literal["registry", "server_property", "client_property", "secedit", "right", "audit"]
Codec = Literal["", "bits", "sids", "sddl"]


@dataclass(frozen=True, slots=True)
class Default:
    """The value in force when nothing is written.

    Attributes:
        since: from that release on, until the next row (releases that are one line of versions: Samba).
        value: None: the setting does not exist there, or nobody knows; then ``why`` says so.
        when: on which hosts (products whose editions differ: Windows); the first row that holds decides.
        why: why there is no value.
    """

    since: str = ""
    value: Any = None
    when: When | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one truth of a setting stands on the host.

    Attributes:
        truth: "policy" overrides "configured"; "effective" is what the running service says.
        store: "registry" (``key`` below HKEY_LOCAL_MACHINE, ``name`` of the value), "server_property" or
            "client_property" (of Get-SmbServerConfiguration, Get-SmbClientConfiguration), "secedit" (``key`` is the
            section of the exported template), "right" (a privilege's constant), "audit" (a subcategory's GUID).
        key, name: see ``store``.
        kind: registry type that is written: "dword", "sz", "multi_sz", "qword".
        inverted: the native value has the opposite sense.
        tokens: native value, as text → value; where this address spells it otherwise than the setting.
        when: on which hosts this address counts; elsewhere whatever stands there has no effect.
    """

    truth: Truth
    store: Store
    name: str
    key: str = ""
    kind: str = ""
    inverted: bool = False
    tokens: dict[str, Any] = field(default_factory=dict)
    when: When | None = None

    def place(self) -> str:
        """Return a configured address as people write it; origins name it so too."""
        if self.store == "registry":
            return f"HKLM\\{self.key}!{self.name}"
        if self.store == "secedit":
            return f"secedit [{self.key}] {self.name}"
        return f"user right {self.name}" if self.store == "right" else f"auditpol {self.name}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of a property table.

    Attributes:
        id: the fact id, e.g. ``samba.server_signing``.
        name: the native name, e.g. ``server signing``.
        context: "share" settings may also stand in the global section, as the default of all shares.
        type: how the native text is read.
        synonyms: other native names; a leading ``!`` marks one with the opposite sense (``!writeable``).
        tokens: native spelling → value; the first token of a value is the one that is written.
        implied: values that no token stands for, because they mean that nothing is written.
        codec: how a list stands in one native value: "bits" (the tokens are masks), "sids" (of the accounts that hold
            a right), "sddl" (a security descriptor: who may read); "": as a list, or as words.
        scale: values from the weakest to the strongest protection, for ``at_least`` and ``at_most``.
        defaults: by release, oldest first, or by condition; empty when the default is not known.
        restart: what a change needs to take effect.
        since: a name that older releases do not know → the release that does.
        size: an integer that may carry a unit (K, M, G, T, P).
        secret: the value is never stored, shown or logged.
        addresses: where its truths stand on the host, for implementations that have no configuration file.
        available: hosts that know this setting at all; elsewhere it is not observed.
        security_option: a security template writes it into the ordinary key, so only RSoP tells that policy did.
    """

    id: str
    name: str
    context: Context
    type: SettingType
    synonyms: tuple[str, ...] = ()
    tokens: dict[str, Any] = field(default_factory=dict)
    implied: tuple[str, ...] = ()
    codec: Codec = ""
    scale: tuple[str, ...] = ()
    defaults: tuple[Default, ...] = ()
    restart: RestartClass = "reload"
    since: dict[str, str] = field(default_factory=dict)
    size: bool = False
    secret: bool = False
    addresses: tuple[Address, ...] = ()
    available: When | None = None
    security_option: bool = False
