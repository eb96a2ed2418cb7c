# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands once per adapter, share or log: NetBIOS, a share's protection, the size of a log."""

from __future__ import annotations

import collections
import functools
from typing import Any

from ..._model.answer import ask, flag, number, rows, table, text
from ..._model.step import ABSENT, Native, NativeType, Step, Target
from .adapters import OPTIONS, guid_of
from .edit_site import Proposal, Refused, Site, proposed
from .shares import named

_NUMBERS = {word: number for number, word in OPTIONS.items()}
_SHARES = {
    "windows.share_encrypt": ("EncryptData", "encrypt"),
    "windows.share_enumeration": ("FolderEnumerationMode", "enumeration"),
    "windows.share_caching": ("CachingMode", "caching"),
}
"""Fact → property of Set-SmbShare, and its name in the record."""
_ACCEPTED = {
    "windows.share_encrypt": (True, False),
    "windows.share_enumeration": ("AccessBased", "Unrestricted"),
    "windows.share_caching": ("None", "Manual", "Documents", "Programs", "BranchCache"),
}
_LOGS = {"windows.event_channel_enabled": "enabled", "windows.event_channel_size": "size"}
_BLOCK = 65536
"""A log grows in blocks of this many bytes; other sizes are rounded."""
FACTS = frozenset({"windows.netbios_options", *_SHARES, *_LOGS})


class Objects:
    """The editor of them, for one host: what is listed is looked through once, however many targets there are."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def propose(self, target: Target) -> Proposal | None:
        """Return the step for one adapter, share or log; None where the value stands there and waits to come into force.

        Raises:
            Refused: no step can be made, and why.
        """
        if target.fact == "windows.netbios_options":
            return self._netbios(target)
        return self._share(target) if target.fact in _SHARES else self._log(target)

    def _netbios(self, target: Target) -> Proposal | None:
        wanted = _NUMBERS.get(str(target.value))
        if wanted is None:
            raise Refused("edit", f"NetBIOS has no option {target.value!r}")
        listed, why = self._netbt
        if why is not None:
            raise Refused("unreadable", f"the options of NetBIOS could not be read: {why}")
        found = [item.get("options") for item in listed if guid_of(item) == target.object]
        option = found[0] if found else None
        if option is not None and number(option) is None:
            raise Refused("edit", f"NetbiosOptions of {target.object} is no number")
        if option == wanted:
            return None
        before = ABSENT if option is None else Native("integer", option)
        step = Step(0, "netbios", target.object, "", before, Native("integer", wanted), stage=target.stage)
        return proposed(target, step, f"NetBIOS of {self._adapters.get(target.object, target.object)}")

    @functools.cached_property
    def _netbt(self) -> tuple[list[dict[str, Any]], str | None]:
        return table(self._site.collected, "host.netbt")

    @functools.cached_property
    def _adapters(self) -> dict[str, str]:
        """GUID → name, as people know it."""
        places = (
            ("host.adapters", "guid", "description"),
            ("host.networks", "guid", "alias"),
            ("host.bindings", "interface_guid", "adapter"),
        )
        found = {}
        for record_id, key, name in places:
            data, _why = ask(self._site.collected, record_id)
            for item in rows(data):
                if text(item.get(name)):
                    found[guid_of({"guid": item.get(key)})] = text(item[name])
        return found

    def _share(self, target: Target) -> Proposal:
        """Shares of a cluster's names are changed too, where the name tells which one is meant."""
        if target.value not in _ACCEPTED[target.fact]:
            raise Refused("edit", f"a share takes no {target.value!r} there")
        shares, times, why = self._shares
        if why is not None:
            raise Refused("unreadable", f"the list of shares could not be read: {why}")
        item = shares.get(target.object, {})
        name = item.get("name")
        if not isinstance(name, str) or name != text(name):
            raise Refused("edit", f"no share of the name {target.object} was found")
        if times[name.lower()] > 1:
            raise Refused("edit", f"several shares have the name {name}: run Set-SmbShare with -ScopeName by hand")
        if "windows.server_configuration" in self._site.stores.lacking:
            raise Refused("edit", "this Windows has no Set-SmbShare: the share's properties cannot be set from outside")
        name_there, key = _SHARES[target.fact]
        told = item.get(key)
        if (flag(told) if key == "encrypt" else text(told) or None) is None:
            raise Refused("edit", f"the share's {name_there} was not told, so it could not be put back")
        kind: NativeType = "boolean" if key == "encrypt" else "text"
        before, after = Native(kind, told), Native(kind, target.value)
        step = Step(0, "share_property", name, name_there, before, after, stage=target.stage)
        return proposed(target, step, f"Set-SmbShare {name} {name_there}")

    @functools.cached_property
    def _shares(self) -> tuple[dict[str, dict[str, Any]], collections.Counter[str], str | None]:
        """Shares by the object of their facts, how often each name is there, and why the list is not whole."""
        listed, why = table(self._site.collected, "windows.shares")
        return named(listed), collections.Counter(text(item.get("name")).lower() for item in listed), why

    def _log(self, target: Target) -> Proposal:
        what = _LOGS[target.fact]
        listed, why = self._event_logs
        item = next((item for item in listed if text(item.get("name")) == target.object), {})
        told = item.get(what)
        if why is not None or item.get("denied") is True:
            raise Refused("unreadable", f"the log {target.object} could not be read: {why or 'access denied'}")
        if what == "enabled" and flag(told) is not None and flag(target.value) is not None:
            before, after = Native("boolean", told), Native("boolean", target.value)
        elif what == "size" and number(told) is not None and (size := number(target.value)) is not None and size > 0:
            before, after = Native("integer", told), Native("integer", -(-size // _BLOCK) * _BLOCK)
        else:
            raise Refused("edit", f"the log {target.object} is not told, or takes no {target.value!r}")
        step = Step(0, "event_log", target.object, what, before, after, stage=target.stage)
        return proposed(target, step, f"event log {target.object} {what}")

    @functools.cached_property
    def _event_logs(self) -> tuple[list[dict[str, Any]], str | None]:
        return table(self._site.collected, "windows.event_logs")
