# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection's own line: what would cut it, or the account that it logged in with."""

from __future__ import annotations

from typing import Any

from .._model.step import Target
from .situation import Line, Situation, implementation

_REMOTE_SHELLS = ("winrm", "psrp")
_SSH = ("ssh", "paramiko", "breakwater.smb.paramiko")
_NETWORK_LOGONS = (*_REMOTE_SHELLS, *_SSH)
_NOT_NTLM = ("kerberos", "basic", "certificate", "key", "password")
_CARRIERS = {"winrm": _REMOTE_SHELLS, "sshd": _SSH}
"""Service → the connections that it carries."""
_LOCAL_ACCOUNT = frozenset({"S-1-5-113", "S-1-5-114"})
_GO_ON = "connect with another account, or make this change at the console"


def cut(target: Target, situation: Situation) -> str | None:
    """Return what a target would cut of the connection, and how to go on; None when it cuts nothing."""
    line = situation.line
    if implementation(target) != "windows" or line.transport not in _NETWORK_LOGONS:
        return None
    return (
        _right(target, line)
        or _ntlm(target, line)
        or _token(target, line)
        or _account(target, line)
        or _service(target, situation)
    )


def _right(target: Target, line: Line) -> str | None:
    names = _sids(target.value)
    mine = {sid.upper() for sid in (line.uid, *line.groups) if sid}
    if target.fact == "windows.right_network_logon":
        if not mine:
            return f"whether {_who(line)} keeps the right to log on over the network cannot be told; {_GO_ON}"
        if not mine & names:
            return f"{_who(line)} would lose the right to log on over the network; {_GO_ON}"
    if target.fact == "windows.right_deny_network_logon":
        if not mine:
            return f"whether {_who(line)} would be denied to log on over the network cannot be told; {_GO_ON}"
        if mine & names:
            return (
                f"{_who(line)} would be denied to log on over the network ({', '.join(sorted(mine & names))}); {_GO_ON}"
            )
    return None


def _ntlm(target: Target, line: Line) -> str | None:
    """Return whether blocking NTLM would turn this connection away: SSH logs in by itself, WinRM may use NTLM."""
    if target.fact != "windows.lsa_ntlm_incoming" or target.value not in ("deny", "deny-domain-accounts"):
        return None
    if line.transport not in _REMOTE_SHELLS or line.authentication.lower() in _NOT_NTLM:
        return None
    told = "logs in by NTLM" if line.authentication.lower() == "ntlm" else "may log in by NTLM"
    return f"this connection {told}; connect with Kerberos, or make this change at the console"


def _token(target: Target, line: Line) -> str | None:
    """Return whether a local administrator would be left with a filtered token, which WinRM turns away."""
    if target.fact != "windows.uac_remote_full_token" or target.value is not False:
        return None
    if line.uid.endswith("-500"):  # the built-in administrator is not filtered
        return None
    local = bool(_LOCAL_ACCOUNT & set(line.groups)) or not line.groups
    if not local:
        return None
    return f"{_who(line)} is or may be a local account and would no longer be an administrator here; {_GO_ON}"


def _account(target: Target, line: Line) -> str | None:
    guest = target.fact in ("windows.account_guest_enabled", "windows.account_guest_name")
    if guest and line.uid.startswith("S-1-5-21-") and line.uid.endswith("-501"):
        return f"{_who(line)} is the guest account; {_GO_ON}"
    return None


def _service(target: Target, situation: Situation) -> str | None:
    setting = situation.settings.get(target.fact)
    if target.value not in ("disabled", "absent", "manual") or setting is None:
        return None
    for address in setting.addresses:
        service = address.key.rpartition("\\")[2].lower() if address.name.lower() == "start" else ""
        if situation.line.transport in _CARRIERS.get(service, ()):
            return f"the service {service} carries this connection; make this change at the console"
    return None


def _sids(value: Any) -> set[str]:
    return {str(item).upper() for item in value} if isinstance(value, (list, tuple)) else set()


def _who(line: Line) -> str:
    return f"the account of this connection ({line.account or line.uid or 'not known'})"
