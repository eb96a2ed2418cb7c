# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would break: live sessions and connections, mounts, and what event logs have counted.

What a live session does not tell counts as use: nobody can say that it would go on.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from .._model.fact import Fact
from .._model.step import Target
from .cuts import AES_128_CCM, Cut
from .dialects import SMB2, SMB3, below
from .situation import Situation

_UNTOLD = ("", "unknown")
_ANONYMOUS = frozenset({"", "anonymous", "anonymous logon"})
_SMB1 = "usage.smb1_client"
_EVENTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("dialect", "server"): (_SMB1,),
    ("signing", "server"): ("usage.unsigned_client",),
    ("encryption", "server"): ("usage.unencrypted_client",),
    ("guest", "server"): ("usage.guest_client",),
    ("signing", "client"): ("usage.unsigned_server", "usage.guest_server"),
    ("encryption", "client"): ("usage.unencrypted_server",),
    ("guest", "client"): ("usage.guest_server",),
}
"""What is cut, whose → the events that show it."""


def users(target: Target, cut: Cut, situation: Situation) -> list[str]:
    """Return who is in the way of a cut, each with what was seen: ``alice@10.0.0.5 (NT1)``."""
    live = {"server": _sessions, "client": _connections, "mount": _mounts}[cut.side]
    return list(dict.fromkeys([*live(target, cut, situation), *_events(cut, situation)]))


def _sessions(target: Target, cut: Cut, situation: Situation) -> Iterator[str]:
    for key, fact in situation.facts.objects("usage.session").items():
        session: dict[str, Any] = fact.effective if isinstance(fact.effective, dict) else {}
        shares = [str(name).casefold() for name in session.get("shares") or ()]
        if target.object and shares and target.object.casefold() not in shares:
            continue
        address = str(session.get("address") or session.get("machine") or "")
        seen = _seen(session, shares, cut, situation)
        if seen is not None:
            yield f"{session.get('user') or '?'}@{address or key} ({seen})"


def _seen(session: dict[str, Any], shares: list[str], cut: Cut, situation: Situation) -> str | None:
    """Return what a session shows that the cut would end, or None when it would go on."""
    dialect, encryption = session.get("dialect"), str(session.get("encryption") or "")
    if cut.kind == "dialect":
        old = below(dialect, cut.floor)
        return str(dialect) if old else "dialect not told" if old is None else None
    if cut.kind == "signing":
        signing = str(session.get("signing") or "")
        if signing not in ("none", *_UNTOLD) or encryption not in ("none", *_UNTOLD):
            return None  # what is encrypted is protected as well
        return "not signed" if signing == "none" else "signing not told"
    if cut.kind == "encryption":
        if encryption == "none" or below(dialect, SMB3):
            return "not encrypted"
        return "encryption not told" if encryption in _UNTOLD else None
    if cut.kind == "cipher":
        return _cipher(dialect, encryption, cut)
    if cut.kind in ("guest", "anonymous"):
        return _nobody(str(session.get("user") or ""), cut, situation)
    if cut.kind == "printing":
        return next(_printers(shares, situation), None) if shares else "shares not told"
    if cut.kind == "admin-share":
        return None if shares and not any(_administrative(name) for name in shares) else "shares not told"
    return "connected"


def _cipher(dialect: Any, encryption: str, cut: Cut) -> str | None:
    """Clients of SMB 3.0 and 3.0.2 know AES-128-CCM alone; newer ones agree on what is left."""
    used = encryption.upper().replace("-", "_")
    if used == "NONE" or below(dialect, SMB3):
        return None
    if used.startswith("AES") and used not in cut.kept:
        return encryption
    if AES_128_CCM in cut.kept:
        return None
    return {True: str(dialect), None: "dialect not told"}.get(below(dialect, "3.1.1"))


def _nobody(user: str, cut: Cut, situation: Situation) -> str | None:
    name = user.rpartition("\\")[2].strip().casefold()
    if name in _ANONYMOUS:
        return "no user"
    unix = {"nobody", str(situation.facts.in_force("samba.guest_account") or "nobody").casefold()}
    if cut.kind == "anonymous":  # Samba shows a client without a user as its guest account
        return "guest" if name in unix else None
    windows = {"guest", str(situation.facts.in_force("windows.account_guest_name") or "guest").casefold()}
    return "guest" if name in unix | windows else None


def _administrative(share: str) -> bool:
    return share.endswith("$") and share != "ipc$"


def _printers(shares: list[str], situation: Situation) -> Iterator[str]:
    """Yield which shares are printers: their section says so, or they have none, as printers that come from CUPS."""
    facts = situation.facts
    sections = {name.casefold(): name for name in facts.objects("samba.share")}
    for share in shares:
        section = sections.get(share)
        fact = facts.get("samba.printable", section or "") or facts.get("samba.printable")
        if share != "ipc$" and (section is None or fact is None or fact.in_force is not False):
            yield share


def _connections(target: Target, cut: Cut, situation: Situation) -> Iterator[str]:
    facts = situation.facts
    names = {**facts.objects("windows.connection_dialect"), **facts.objects("windows.connection_protected")}
    for name in filter(None, names):
        dialect = facts.in_force("windows.connection_dialect", name)
        protected = facts.in_force("windows.connection_protected", name)
        seen: str | None = "connected"
        if cut.kind == "dialect":
            old = below(dialect, cut.floor)
            seen = str(dialect) if old else "dialect not told" if old is None else None
        elif cut.kind == "cipher":
            seen = _cipher(dialect, "", cut)
        elif cut.kind == "encryption" and below(dialect, SMB3):
            seen = str(dialect)
        elif cut.kind in ("signing", "encryption", "guest"):
            unprotected = "neither signed nor encrypted"
            seen = {True: None, False: unprotected}.get(protected, "protection not told")
        if seen is not None:
            yield f"{name} ({seen})"


def _mounts(target: Target, cut: Cut, situation: Situation) -> Iterator[str]:
    """Yield which mounts are in the way; what fstab merely asks for is in nobody's way but the module's."""
    for fact_id in ("client.mount", "client.fstab") if cut.kind == "any" else ("client.mount",):
        for point, fact in situation.facts.objects(fact_id).items():
            mount = fact.in_force if isinstance(fact.in_force, dict) else {}
            if target.object and point != target.object:
                continue
            seen = _mounted(mount, cut) if cut.kind != "any" else _WHERE[fact_id]
            if seen is not None:
                yield f"{mount.get('source') or '?'} on {point} ({seen})"


_WHERE = {"client.mount": "mounted", "client.fstab": "in /etc/fstab"}


def _mounted(mount: dict[str, Any], cut: Cut) -> str | None:
    """Return what a mount that is there shows that the cut would end, or None when it would go on."""
    version = mount.get("vers")
    if cut.kind == "dialect":
        old = below(version, cut.floor)
        return f"vers={version}" if old else "dialect not told" if old is None else None
    if cut.kind == "guest":
        return "guest" if mount.get("guest") else None
    if mount.get("seal") or (cut.kind == "signing" and mount.get("sign")):
        return None
    if cut.kind == "encryption":
        return "no seal"
    if mount.get("guest"):
        return "guest"  # who has no user has no key to sign with
    return None if below(version, SMB2) is False else "no sign"  # [MS-SMB2] 3.3.5.4: every server of SMB 2 can sign


def _events(cut: Cut, situation: Situation) -> Iterator[str]:
    for fact_id in _EVENTS.get((cut.kind, cut.side), ()):
        for client, fact in situation.facts.objects(fact_id).items():
            last = _last(fact)
            own = fact_id == _SMB1 and client in situation.own
            if own or _over(last, situation):
                continue
            yield f"{client} (last seen {last[:10]})" if last else f"{client} (in the event log)"


def _last(fact: Fact) -> str:
    return str(fact.effective.get("last") or "") if isinstance(fact.effective, dict) else ""


def _over(last: str, situation: Situation) -> bool:
    """Whether an event is older than what the user said must be watched; without such a word none is."""
    days = situation.options.observe_days
    try:
        when = datetime.date.fromisoformat(last[:10])
    except ValueError:
        return False
    return days > 0 and (situation.today - when).days > days
