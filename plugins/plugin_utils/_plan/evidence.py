# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For how long somebody has been watching who uses what, and whether that is enough."""

from __future__ import annotations

import datetime

from .._model.fact import Fact
from .._model.step import Target
from .._model.versions import in_range
from .cuts import cuts
from .situation import Situation, implementation

_SESSIONS = ("usage.session", "windows.session_dialect", "windows.session_protected")
_CONNECTIONS = ("windows.connection_dialect", "windows.connection_protected")
_SWITCHES = {
    ("dialect", "server"): "windows.server_audit_smb1",
    ("signing", "server"): "windows.server_audit_client_no_signing",
    ("encryption", "server"): "windows.server_audit_client_no_encryption",
    ("cipher", "server"): "windows.server_audit_client_no_encryption",
    ("guest", "server"): "windows.server_audit_insecure_guest",
    ("any", "server"): "windows.lsa_ntlm_audit_incoming",
    ("signing", "client"): "windows.client_audit_server_no_signing",
    ("encryption", "client"): "windows.client_audit_server_no_encryption",
    ("cipher", "client"): "windows.client_audit_server_no_encryption",
    ("guest", "client"): "windows.client_audit_insecure_guest",
    ("any", "client"): "windows.lsa_ntlm_outgoing",
}
"""What is cut, whose → the setting that switches its auditing on; nothing audits SMB 1.0 as a client."""
_OFF = (None, False, "disabled", "allow")
_GIVING = ("max_protocol", "dialect_max", "honor_cipher_order")
"""Settings of a later stage that take nothing away."""


def watched(situation: Situation) -> str:
    """Return for how long somebody has been watching, in words."""
    since = _since(situation)
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
    for fact_id in filter(_CONNECTIONS.__contains__, asked):
        fact = situation.facts.get(fact_id) or Fact()
        if fact.unreadable is not None and not _speechless(situation):
            return f"the connections of this host could not be listed ({fact.unreadable})"
    for fact_id in ("client.mounts_read", "client.fstabs_read"):
        fact = situation.facts.get(fact_id) or Fact()
        if fact.unreadable is not None and any(cut.side == "mount" for cut in cuts(target)):
            return f"the mounts of this host could not be listed ({fact.unreadable})"
    return None


def _speechless(situation: Situation) -> bool:
    """Whether this is a Windows that nobody can ask for its connections: what is live now cannot decide there."""
    versions = [item.version for item in situation.implementations if item.name == "windows"]
    return any(in_range(version, "<6.2") is True for version in versions)


def wanted(target: Target) -> bool:
    """Return whether days of observation that the user asked for are asked of this target."""
    if target.fact.endswith(_GIVING):
        return False
    return target.stage not in (None, "observe") or any(cut.kind == "guest" for cut in cuts(target))


def silent(target: Target, situation: Situation) -> str | None:
    """Return why this platform will never tell by auditing who uses what a target cuts, or None when it can."""
    if implementation(target) != "windows":
        return "nothing on this platform audits who still needs it"
    for cut in cuts(target):
        name = _SWITCHES.get((cut.kind, cut.side))
        if name is None or situation.facts.get(name) is None:
            return f"this Windows does not audit peers {cut.words}"
    return None


def unwatched(target: Target, situation: Situation) -> str | None:
    """Return what is missing of the days of observation that were asked for, or None when nothing is."""
    for cut in cuts(target):
        name = _SWITCHES.get((cut.kind, cut.side), "")
        if situation.facts.in_force(name) in _OFF:
            setting = situation.settings.get(name)
            return f"auditing is off, or could not be read ({setting.name if setting else name})"
    read = situation.facts.get("usage.events_read") or Fact(unreadable="no event log was read")
    if read.unreadable is not None:
        return f"the event logs could not be read ({read.unreadable})"
    since = _since(situation)
    if since is None:
        fact = situation.facts.get("usage.audit_since") or Fact()
        return f"the audit log does not tell since when it has been kept ({fact.unreadable or 'it holds no event'})"
    days = (situation.today - since).days
    if days < situation.options.observe_days:
        return f"the audit log begins on {since}, {days} days ago; {situation.options.observe_days} are asked for"
    return None


def _auditing(situation: Situation) -> bool:
    return any(situation.facts.in_force(name) not in _OFF for name in _SWITCHES.values() if "_audit_" in name)


def _since(situation: Situation) -> datetime.date | None:
    told = situation.facts.in_force("usage.audit_since")
    try:
        return datetime.date.fromisoformat(str(told)[:10])
    except ValueError:
        return None
