# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For how long somebody has been watching who uses what, and whether that is enough."""

from __future__ import annotations

import datetime

from .._model.fact import Fact
from .._model.step import Target
from .cuts import AES_128_CCM, OLDEST, Cut, cuts
from .dialects import SMB2, below
from .situation import Seen, Situation, implementation

_SESSIONS = ("usage.session", "windows.session_dialect", "windows.session_protected")
_CONNECTIONS = ("windows.connection_dialect", "windows.connection_protected")
_SWITCHES = {
    ("dialect", "server"): "windows.server_audit_smb1",
    ("signing", "server"): "windows.server_audit_client_no_signing",
    ("encryption", "server"): "windows.server_audit_client_no_encryption",
    ("cipher", "server"): "windows.server_audit_client_no_encryption",
    ("guest", "server"): "windows.server_audit_insecure_guest",
    ("signing", "client"): "windows.client_audit_server_no_signing",
    ("encryption", "client"): "windows.client_audit_server_no_encryption",
    ("cipher", "client"): "windows.client_audit_server_no_encryption",
    ("guest", "client"): "windows.client_audit_insecure_guest",
}
"""What is cut, whose → the setting that switches its auditing on. Nothing audits SMB 1.0 as a client, and what the
auditing of NTLM writes is not read."""
AUDITS = tuple(dict.fromkeys(_SWITCHES.values()))
OFF = (None, False)
_SERVER_LOG = "Microsoft-Windows-SMBServer/Audit"
_CLIENT_LOGS = {"guest": "Microsoft-Windows-SMBClient/Security"}
_CLIENT_LOG = "Microsoft-Windows-SMBClient/Audit"
_GIVING = ("max_protocol", "dialect_max", "honor_cipher_order")
"""Settings of a later stage that take nothing away."""


def watched(situation: Situation) -> str:
    """Return for how long somebody has been watching, in words."""
    since = _oldest(_SERVER_LOG, situation)
    if since is not None and _auditing(situation):
        days = (situation.today - since).days
        return f"since {since} ({days} {'day' if days == 1 else 'days'})"
    unread = blind(situation)
    if unread is not None:
        return f"nobody has been watching, and live sessions could not be listed: {unread}"
    if since is not None:
        return f"live sessions only: nobody is watching now (the audit log begins on {since})"
    return "live sessions only: nobody has been watching"


def blind(situation: Situation) -> str | None:
    """Return why live sessions could not be listed, or None when they were."""
    fact = situation.facts.get("usage.sessions_read") or Fact(unreadable="nothing on the host told them")
    return fact.unreadable


def unlisted(target: Target, situation: Situation) -> str | None:
    """Return why those could not be listed that a target's control wants to be looked at, or None."""
    control = situation.controls.get(target.control)
    asked = control.usage if control is not None else ()
    looks = any(item in _SESSIONS for item in asked) or any(cut.side == "server" for cut in cuts(target))
    unread = blind(situation) if looks else None
    if unread is not None:
        return f"live sessions could not be listed ({unread})"
    client = implementation(target) == "windows" and any(cut.side == "client" for cut in cuts(target))
    for fact_id in filter(lambda item: client or item in asked, _CONNECTIONS):
        fact = situation.facts.get(fact_id) or Fact()
        if fact.unreadable is not None:
            return f"the connections of this host could not be listed ({fact.unreadable})"
    for fact_id in ("client.mounts_read", "client.fstabs_read"):
        fact = situation.facts.get(fact_id) or Fact()
        if fact.unreadable is not None and any(cut.side == "mount" for cut in cuts(target)):
            return f"the mounts of this host could not be listed ({fact.unreadable})"
    return None


def observes(target: Target) -> bool:
    """Return whether a target only watches: it switches on auditing, or keeps logs."""
    watching = target.stage == "observe" or target.area == "audit"
    return watching or (target.fact == "windows.lsa_ntlm_outgoing" and target.value == "audit")


def wanted(target: Target) -> bool:
    """Return whether days of observation that the user asked for are asked of this target."""
    if target.fact.endswith(_GIVING):
        return False
    return target.stage not in (None, "observe") or any(cut.kind == "guest" for cut in cuts(target))


def silent(target: Target, situation: Situation) -> str | None:
    """Return why this platform will never tell by auditing who uses what a target cuts, or None when it can."""
    if implementation(target) != "windows":
        return "nothing on this platform audits who still needs it"
    for cut in _to_watch(target):
        name = _switch(cut)
        if not name or situation.facts.get(name) is None:
            return f"no audit that this Windows has, and that is read here, tells of peers {cut.words}"
    return None


def _to_watch(target: Target) -> tuple[Cut, ...]:
    """Return what a target cuts; of a later stage that takes nothing away that is known, the oldest clients."""
    return cuts(target) or (OLDEST,)


def _switch(cut: Cut) -> str:
    """Return the setting that switches the auditing of a cut on; "" where nothing that is read tells of it.

    Events of SMB 1.0 say nothing of clients that speak 2.x, nor those of clients that cannot encrypt of ciphers.
    """
    if cut.kind == "dialect" and below(SMB2, cut.floor) is not False:
        return ""
    if cut.kind == "cipher" and AES_128_CCM not in cut.kept:
        return ""
    return _SWITCHES.get((cut.kind, cut.side), "")


def unwatched(target: Target, situation: Situation) -> str | None:
    """Return what is missing of the days of observation that were asked for, or None when nothing is."""
    read = situation.facts.get("usage.events_read") or Fact(unreadable="no event log was read")
    asked = _to_watch(target)
    for cut in asked:
        name, log = _switch(cut), _log(cut)
        if situation.facts.in_force(name) in OFF:
            setting = situation.settings.get(name)
            return f"auditing is off, or could not be read ({setting.name if setting else name})"
        if situation.facts.in_force("windows.event_channel_enabled", log) is False:
            return f"the log {log} is switched off"
    if read.unreadable is not None:
        return f"the event logs could not be read ({read.unreadable})"
    return next((why for cut in asked if (why := _short(_switch(cut), _log(cut), situation)) is not None), None)


def _log(cut: Cut) -> str:
    """Return the log that the audit events of a cut go to."""
    return _SERVER_LOG if cut.side == "server" else _CLIENT_LOGS.get(cut.kind, _CLIENT_LOG)


def _short(switch: str, log: str, situation: Situation) -> str | None:
    """Return why an audit log does not cover the days that were asked for, or None when it does.

    A log that holds no event tells nothing of its age: there counts since when every look at this host found the
    auditing on. Where a look found it off after the log's first event, that event says nothing either.
    """
    seen, kept = situation.seen.get(switch, Seen()), _kept(log, situation)
    begins, since = "the audit log begins on", _oldest(log, situation)
    if kept.unreadable is None and (since is None or (seen.off is not None and seen.off >= since)):
        begins = "runs have seen auditing switched on only since"
        since = seen.on if situation.facts.in_force("windows.event_channel_enabled", log) is True else None
    if since is None:
        return (
            f"the audit log does not tell since when it has been kept ({kept.unreadable or 'it holds no event'}), and no "
            "earlier run on this controller saw auditing switched on"
        )
    days = (situation.today - since).days
    if days < situation.options.observe_days:
        return f"{begins} {since}, {days} days ago; {situation.options.observe_days} are asked for"
    return None


def _auditing(situation: Situation) -> bool:
    return any(situation.facts.in_force(name) not in OFF for name in AUDITS)


def _kept(log: str, situation: Situation) -> Fact:
    return situation.facts.get("usage.audit_since", "" if log == _SERVER_LOG else log) or Fact()


def _oldest(log: str, situation: Situation) -> datetime.date | None:
    """Return the day of the oldest event in an audit log."""
    try:
        return datetime.date.fromisoformat(str(_kept(log, situation).in_force)[:10])
    except ValueError:
        return None
