# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security descriptors of shares as text: who may do what, by SID ([MS-DTYP] 2.5.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FULL, CHANGE, READ = 0x1F01FF, 0x1301BF, 0x1200A9
_SYNCHRONIZE = 0x100000
_ALL = FULL & ~_SYNCHRONIZE
_GENERIC = {0x10000000: FULL, 0x20000000: 0x1200A0, 0x40000000: 0x120116, 0x80000000: 0x120089}
_RIGHTS = {
    "GA": 0x10000000,
    "GX": 0x20000000,
    "GW": 0x40000000,
    "GR": 0x80000000,
    "FA": FULL,
    "FR": 0x120089,
    "FW": 0x120116,
    "FX": 0x1200A0,
    "RC": 0x20000,
    "SD": 0x10000,
    "WD": 0x40000,
    "WO": 0x80000,
    "CC": 0x1,
    "DC": 0x2,
    "LC": 0x4,
    "SW": 0x8,
    "RP": 0x10,
    "WP": 0x20,
    "DT": 0x40,
    "LO": 0x80,
    "CR": 0x100,
}
_EVERYONE, _ANONYMOUS = "S-1-1-0", "S-1-5-7"
WELL_KNOWN = {
    "AN": _ANONYMOUS,
    "AU": "S-1-5-11",
    "BA": "S-1-5-32-544",
    "BG": "S-1-5-32-546",
    "BU": "S-1-5-32-545",
    "SY": "S-1-5-18",
    "WD": _EVERYONE,
}
"""Well-known accounts, as a security descriptor abbreviates them."""
_ALIASES = {
    **WELL_KNOWN,
    "NU": "S-1-5-2",
    "LG": "S-1-5-21-0-0-0-501",
    "DG": "S-1-5-21-0-0-0-514",
}
_BROAD = {
    _EVERYONE: "Everyone",
    _ANONYMOUS: "Anonymous",
    "S-1-5-2": "Network",
    "S-1-5-32-546": "Guests",
    "501": "Guest",
    "514": "Domain Guests",
}
"""Principals that nobody in particular has to be: SIDs, and the last part of those that belong to a domain or host."""
_HEAD = re.compile(r"(?:O:[\w-]+?)?(?:G:[\w-]+?)?(?:(D):(P|AR|AI|NO_ACCESS_CONTROL)*)?(?=\(|S:|\Z)", re.IGNORECASE)
_MAX = 65536


class BadDescriptor(ValueError):
    """A text that is no security descriptor that we understand."""


@dataclass(frozen=True, slots=True)
class _Entry:
    allows: bool
    mask: int
    sid: str


def broad_access(sddl: str) -> list[str]:
    """Return what principals such as Everyone may do, as ``Everyone: Full``; rights are Full, Change, Read or Special.

    Raises:
        BadDescriptor: the text cannot be understood as a whole.
    """
    entries = _entries(sddl)
    if entries is None:
        return ["Everyone: Full"]
    found = []
    for sid in dict.fromkeys(entry.sid for entry in entries if entry.allows):
        name = _BROAD.get(sid) or (_BROAD.get(sid.rpartition("-")[2]) if sid.startswith("S-1-5-21-") else None)
        right = _right(_granted(sid, entries))
        if name and right:
            found.append(f"{name}: {right}")
    return list(dict.fromkeys(found))


def _entries(sddl: str) -> list[_Entry] | None:
    """Return the entries of the access list; None when there is no list, which lets everyone in."""
    sddl = sddl.strip()
    head = _HEAD.match(sddl)
    if head is None or not 0 < len(sddl) <= _MAX:
        raise BadDescriptor("the security descriptor cannot be understood")
    if head[1] is None or (head[2] or "").upper() == "NO_ACCESS_CONTROL":
        return None
    entries = []
    for text in _parenthesised(sddl[head.end() :]):
        fields = [field.strip().upper() for field in text.split(";")]
        if len(fields) < 6:
            raise BadDescriptor("an entry of the security descriptor is too short")
        kind, flags, rights, sid = fields[0], fields[1], fields[2], fields[5]
        if "IO" in re.findall("..", flags):
            continue  # for what is below only
        if kind in ("A", "OA", "XA", "ZA"):  # a condition may hold
            entries.append(_Entry(True, _mask(rights), _sid(sid)))
        elif kind in ("D", "OD"):
            entries.append(_Entry(False, _mask(rights), _sid(sid)))
        elif kind != "XD":  # a denial that may not hold protects nobody
            raise BadDescriptor(f"unknown kind of entry {kind[:20]!r} in the security descriptor")
    return entries


def _parenthesised(text: str) -> Iterator[str]:
    """Yield what stands in parentheses, up to the list for auditing; conditions hold parentheses of their own."""
    depth = start = 0
    for index, char in enumerate(text):
        if char == "(":
            depth += 1
            start = start if depth > 1 else index + 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                yield text[start:index]
        elif depth == 0:
            if text[index : index + 2].upper() == "S:":
                return
            raise BadDescriptor("the security descriptor cannot be understood")
        if depth < 0:
            break
    if depth:
        raise BadDescriptor("the security descriptor is cut off")


def _mask(rights: str) -> int:
    try:
        if re.fullmatch(r"0X[0-9A-F]{1,8}|\d{1,10}", rights):
            mask = int(rights, 16 if rights.startswith("0X") else 10)
        else:
            mask = 0
            for name in re.findall("..?", rights):
                mask |= _RIGHTS[name]
    except KeyError as error:
        raise BadDescriptor(f"unknown right {error} in the security descriptor") from None
    for generic, meaning in _GENERIC.items():
        if mask & generic:
            mask = (mask & ~generic) | meaning
    return mask


def _sid(text: str) -> str:
    if re.fullmatch(r"S-1(-(0X[0-9A-F]{1,12}|\d{1,15})){1,16}", text):
        return text
    if re.fullmatch("[A-Z]{2}", text):
        return _ALIASES.get(text, text)
    raise BadDescriptor("an entry of the security descriptor names nobody")


def _granted(sid: str, entries: list[_Entry]) -> int:
    """Return the rights of one principal: an earlier entry decides. What Everyone is denied, all but anonymous are."""
    granted = denied = 0
    for entry in entries:
        if entry.allows and entry.sid == sid:
            granted |= entry.mask & ~denied
        elif not entry.allows and (entry.sid == sid or (entry.sid == _EVERYONE and sid != _ANONYMOUS)):
            denied |= entry.mask & ~granted
    return granted


def _right(mask: int) -> str:
    """Return the name of a right; what goes beyond Change without being Full is Special."""
    plain = mask & ~_SYNCHRONIZE
    if plain & _ALL == _ALL:
        return "Full"
    if not plain:
        return ""
    if plain == CHANGE & ~_SYNCHRONIZE:
        return "Change"
    return "Special" if plain & ~READ else "Read"
