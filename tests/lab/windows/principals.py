# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is who on a host: the users that log on to the lab, their tokens, and the access lists of shares."""

from __future__ import annotations

from .definition import Document

_RIGHTS = {"Full": "FA", "Change": "0x1301bf", "Read": "0x1200a9"}
_MASKS = {"Full": 2032127, "Change": 1245631, "Read": 1179817}
_ALIASES = {
    "S-1-1-0": "WD",
    "S-1-5-7": "AN",
    "S-1-5-11": "AU",
    "S-1-5-32-544": "BA",
    "S-1-5-32-545": "BU",
    "S-1-5-32-546": "BG",
    "S-1-5-32-551": "BO",
}
_ADMIN_SHARE = "O:SYG:SYD:(A;;GA;;;BA)(A;;GA;;;BO)(A;;GA;;;IU)"
_NETWORK = ["S-1-5-2", "S-1-5-11", "S-1-5-15"]


def apply(document: Document) -> None:
    """Spell out users and shares."""
    about, accounts = document["os"], document["locale"]["accounts"]
    for name, user in document["users"].items():
        user.update(_token(document, user["kind"]) | {"name": name})
    for right, holders in document["user_rights"].items():
        document["user_rights"][right] = [_holder(document, holder) for holder in holders]
    policy = document["security_policy"]
    if policy["NewGuestName"] == "Guest":
        policy["NewGuestName"] = document["locale"]["guest"]
    for share in document["shares"]:
        share.setdefault("type", "disk")
        share.setdefault("special", False)
        if share.pop("admin", False):
            share["sddl"] = None if share["type"] == "ipc" else _ADMIN_SHARE
            share["access"] = []
            continue
        share["access"] = [
            {
                "sid": sid,
                "account": accounts.get(sid) or names.get(sid) or f"{about['computer']}\\{sid.rpartition('-')[2]}",
                "type": kind,
                "right": right,
                "mask": _MASKS[right],
            }
            for names in [document.get("accounts", {})]
            for sid, kind, right in share["access"]
        ]
        share["sddl"] = "O:SYG:SYD:" + "".join(_ace(entry) for entry in share["access"])


def _ace(entry: Document) -> str:
    kind = "A" if entry["type"] == "Allow" else "D"
    return f"({kind};;{_RIGHTS[entry['right']]};;;{_ALIASES.get(entry['sid'], entry['sid'])})"


def _holder(document: Document, holder: str) -> str:
    """Local accounts stand in an exported security template by name, everybody else by SID."""
    guest: str = document["locale"]["guest"]
    return guest if holder == "@guest" else holder


def _token(document: Document, kind: str) -> Document:
    about, words = document["os"], document["locale"]
    domain = about["domain"].split(".")[0].upper() if about["domain_role"] in (1, 3, 4, 5) else about["computer"]
    sid = document.get("domain_sid", document["machine_sid"]) if kind == "admin" else document["machine_sid"]
    name, number = {
        "admin": (words["administrator"], 500),
        "auditor": ("auditor", 1001),
        "localadmin": ("localadmin", 1002),
        "system": ("system", 18),
    }[kind]
    groups = {"S-1-1-0": "enabled"}
    if kind in ("admin", "system"):
        groups |= {"S-1-5-32-544": "owner"}
    if kind == "localadmin":
        groups |= {"S-1-5-114": "deny", "S-1-5-32-544": "deny"}
    groups["S-1-5-32-545"] = "enabled"
    if about["version"] != "6.1":
        groups["S-1-5-32-580"] = "enabled"
    groups |= dict.fromkeys(_NETWORK, "enabled")
    if kind != "admin" and about["version"] not in ("6.1", "6.2"):
        groups["S-1-5-113"] = "enabled"
    if kind == "admin" and "domain_sid" in document:
        groups[f"{document['domain_sid']}-512"] = "enabled"
    groups["S-1-5-64-10"] = "enabled"
    labels = {"admin": "S-1-16-12288", "auditor": "S-1-16-8448", "localadmin": "S-1-16-8192", "system": "S-1-16-16384"}
    return {
        "account": f"{(domain if kind == 'admin' else about['computer'])}\\{name}".lower(),
        "sid": "S-1-5-18" if kind == "system" else f"{sid}-{number}",
        "elevated": kind in ("admin", "system"),
        "groups": [{"sid": group, "state": state} for group, state in groups.items()],
        "label": labels[kind],
    }
