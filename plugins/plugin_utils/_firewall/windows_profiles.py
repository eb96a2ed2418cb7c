# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles of the Windows firewall: what policy and registry say, and what the running firewall says.

Source: [MS-GPFAS] 2.2.3, [MS-FASP] 2.2.38. A value of policy wins over one of a management service (MDM), and that over
the host's own; whether rules of the host count at all is for policy alone to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._model.answer import flag, mapping, number, text
from .._model.fact import Fact, Origin
from .model import Action, Profile

PROFILES = ("domain", "private", "public")
DISAGREE = "the registry and the running firewall disagree"
OVERRIDDEN = "overridden by policy"
_ACTIONS: dict[str, Action] = {"allow": "allow", "block": "block"}
_LOCAL = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
_PLACES = {
    "policy": "HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall",
    "mdm": f"{_LOCAL}\\Mdm",
    "local": _LOCAL,
}


@dataclass(frozen=True, slots=True)
class _Setting:
    """One row: the value in the registry, what it means, and the property of the running profile.

    ``meanings``: number → value; empty: the number or text itself.
    """

    fact: str
    name: str
    default: Any
    active: str
    meanings: dict[int, Any]
    policy_only: bool = False
    logging: bool = False


_YES = {0: False, 1: True}
_NO = {0: True, 1: False}
_ACTION: dict[int, Any] = {0: "allow", 1: "block"}
_SETTINGS = (
    _Setting("enabled", "EnableFirewall", True, "enabled", _YES),
    _Setting("inbound_default", "DefaultInboundAction", "block", "inbound", _ACTION),
    _Setting("outbound_default", "DefaultOutboundAction", "allow", "outbound", _ACTION),
    _Setting("local_merge", "AllowLocalPolicyMerge", True, "local_merge", _YES, policy_only=True),
    _Setting("local_ipsec_merge", "AllowLocalIPsecPolicyMerge", True, "local_ipsec_merge", _YES, policy_only=True),
    _Setting("log_dropped", "LogDroppedPackets", False, "log_blocked", _YES, logging=True),
    _Setting("log_allowed", "LogSuccessfulConnections", False, "log_allowed", _YES, logging=True),
    _Setting("log_size", "LogFileSize", 4096, "log_size", {}, logging=True),
    _Setting(
        "log_path",
        "LogFilePath",
        "%systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log",
        "log_path",
        {},
        logging=True,
    ),
    _Setting("notifications", "DisableNotifications", True, "notify", _NO),
    _Setting("unicast_response", "DisableUnicastResponsesToMulticastBroadcast", True, "unicast", _NO),
)
NAMES = tuple(row.fact for row in _SETTINGS)
"""Names of the facts of a profile."""
_SHIELD = _Setting("shielded", "DoNotAllowExceptions", False, "allow_inbound_rules", _YES)


class _Bad(ValueError):
    """A value that Windows would not write."""


def facts(stores: dict[str, Any], active: dict[str, Any] | None, name: str) -> dict[str, Fact]:
    """Return the facts of one profile, by name.

    Args:
        stores: "policy", "mdm" and "local" → profile → registry values.
        active: the running profile's properties; None: this Windows has no cmdlet that tells them.
        name: "domain", "private" or "public".
    """
    return {row.fact: _fact(row, stores, active, name) for row in _SETTINGS}


def _fact(row: _Setting, stores: dict[str, Any], active: dict[str, Any] | None, name: str) -> Fact:
    written: list[tuple[Any, Origin]] = []
    try:
        for source, place in _PLACES.items():
            values = _values(stores, source, name)
            values = mapping(values.get("Logging")) if row.logging else values
            if row.name in values and not (row.policy_only and source == "local"):
                where = f"{place}!{row.name} ({name} profile)"
                written.append(
                    (_meaning(row, values[row.name]), Origin("local" if source == "local" else "policy", where))
                )
        effective = _running(row, active)
    except _Bad as error:
        return Fact(unreadable=f"{name} profile: {error}")
    if not written and effective is not None and effective != row.default:
        return Fact(effective=effective)  # nothing is written: the running firewall knows its default
    configured, origin = written[0] if written else (row.default, Origin("default"))
    cause = OVERRIDDEN if len({repr(value) for value, _origin in written}) > 1 else None
    if effective is not None and effective != configured and row.fact != "log_path":
        cause = DISAGREE
    return Fact(configured=configured, effective=effective, origin=origin, cause=cause)


def _values(stores: dict[str, Any], source: str, name: str) -> dict[str, Any]:
    """Return a profile's values in one store.

    Policy may still hold what older Windows had: one standard profile for private and public networks, which counts where
    neither of the two has a key. In the other stores "standard" is but the old name of the private one.
    """
    profiles = mapping(stores.get(source))
    found = profiles.get(name)
    if found is not None and not isinstance(found, dict):
        raise _Bad(f"the values of {source} cannot be read")
    standard, private = mapping(profiles.get("standard")), mapping(profiles.get("private"))
    alone = not private and (source != "policy" or not mapping(profiles.get("public")))
    if standard and alone and (name == "private" or (name == "public" and source == "policy")):
        return standard
    return mapping(found)


def _meaning(row: _Setting, native: Any) -> Any:
    found = number(native)
    if row.meanings:
        if found not in row.meanings:
            raise _Bad(f"{row.name} holds a value that Windows does not know")
        return row.meanings[found]
    if isinstance(row.default, int):
        if found is None:
            raise _Bad(f"{row.name} is no number")
        return found
    if not text(native):
        raise _Bad(f"{row.name} is no text")
    return text(native)


def _running(row: _Setting, active: dict[str, Any] | None) -> Any:
    """Return what the running firewall says; None where it says nothing about that."""
    native = None if active is None else active.get(row.active)
    if native is None or native in ("", "NotConfigured"):
        return None
    if isinstance(row.default, bool):
        told = flag(native)
        if told is None:
            told = {"true": True, "false": False}.get(text(native).lower())
        if told is None:
            raise _Bad(f"the running firewall's {row.active} is neither true nor false")
        return told
    if row.meanings:
        action = _ACTIONS.get(text(native).lower())
        if action is None:
            raise _Bad(f"the running firewall's {row.active} is no action")
        return action
    value = number(native) if isinstance(row.default, int) else text(native)
    if value is None or value == "":
        raise _Bad(f"the running firewall's {row.active} has an unknown form")
    return value


def profile(stores: dict[str, Any], active: dict[str, Any] | None, name: str, found: dict[str, Fact]) -> Profile | str:
    """Return the profile for the verdict, or why there can be none. Where truths differ, the more open one counts."""
    for fact_id in ("enabled", "inbound_default", "outbound_default", "local_merge"):
        why = found[fact_id].unreadable
        if why is not None:
            return why
    truths = {fact_id: list(fact.truths().values()) for fact_id, fact in found.items()}
    try:
        written = (_values(stores, source, name) for source in _PLACES)
        shields = [_meaning(_SHIELD, values[_SHIELD.name]) for values in written if _SHIELD.name in values]
        rules_count = _running(_SHIELD, active)
    except _Bad as error:
        return f"{name} profile: {error}"
    return Profile(
        name,
        enabled=all(truths["enabled"]),
        inbound="allow" if "allow" in truths["inbound_default"] else "block",
        outbound="allow" if "allow" in truths["outbound_default"] else "block",
        shielded=bool(shields) and shields[0] is True and rules_count is not True,
        local_rules=any(truths["local_merge"]),
    )
