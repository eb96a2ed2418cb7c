# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row of the fingerprint table asks of one port's answers; all that a row asks must hold."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Port = Mapping[str, Any]
"""The answers of one port, as the probe's result format has them."""
DIALECTS = ("2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
"""SMB2 dialects, oldest first."""
_PLAIN_NAME = re.compile(rb"([!-~]{1,15})\0+|[!-~]{16}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What must be there. Patterns are regular expressions that match the whole text.

    Attributes:
        guid: server GUID: "zero", "name" (ASCII text in lower case, filled up with zeros), or a pattern of its hex digits
            as they were sent.
        ntlm_version: pattern of the version in the NTLM challenge, e.g. ``10.0.20348``.
        ntlm_revision: NTLM revision there.
        ntlm_version_is_name: the eight bytes of the version are the first letters of the target name: its encoder
            forgot the field.
        native_os, native_lm: patterns of what an SMB1 server says about itself.
        native: pattern of either of them.
        word_count: of the SMB1 NEGOTIATE reply.
        sizes: maximum transact, read and write sizes ``1048576/8388608/8388608``; one of these.
        boot_time: "undisclosed", "disclosed", or "system" (the same as the system time).
        ceiling: no dialect above this one was accepted.
        refuses: dialects that were not accepted.
        mechanism: pattern of one SPNEGO mechanism that is offered.
        violation: pattern of one violation.
    """

    guid: str = ""
    ntlm_version: str = ""
    ntlm_revision: int | None = None
    ntlm_version_is_name: bool = False
    native_os: str = ""
    native_lm: str = ""
    native: str = ""
    word_count: int | None = None
    sizes: tuple[str, ...] = ()
    boot_time: Literal["", "undisclosed", "disclosed", "system"] = ""
    ceiling: str = ""
    refuses: tuple[str, ...] = ()
    mechanism: str = ""
    violation: str = ""


@dataclass(slots=True)
class Seen:
    """What of a mark was found: the words that say so, and what its patterns' groups caught."""

    words: list[str] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, value: str, pattern: str = "") -> bool:
        """Note a value that fits; return whether it does."""
        if pattern:
            match = re.fullmatch(pattern, value)
            if match is None:
                return False
            self.groups.update({name: text for name, text in match.groupdict().items() if text is not None})
        self.words.append(f"{what} {value}")
        return True


def seen(mark: Mark, port: Port) -> Seen | None:
    """Return what a port shows of a mark, or None when anything of it is missing or was not told."""
    found = Seen()
    return found if all(check(mark, port, found) for check in _CHECKS) else None


def guid_bytes(port: Port) -> bytes:
    """Return the server's GUID as it was sent; b"" where it was not told."""
    text = str(port.get("guid") or "")
    try:
        return uuid.UUID(text).bytes_le if "-" in text else bytes.fromhex(text)
    except ValueError:
        return b""


def guid_name(port: Port) -> str:
    """Return the name that a GUID spells in ASCII letters, or ""."""
    match = _PLAIN_NAME.fullmatch(guid_bytes(port))
    if match is None:
        return ""
    name = (match[1] or match[0]).decode("ascii")
    return name if name == name.lower() else ""


def sizes(port: Port) -> str:
    """Return the maximum sizes as ``transact/read/write``; "" where they were not told."""
    found = [port.get(name) for name in ("max_transact", "max_read", "max_write")]
    return "" if None in found else "/".join(map(str, found))


def accepted(port: Port) -> Iterator[str]:
    """Yield the names of the dialects that were accepted."""
    for name, answer in (port.get("dialects") or {}).items():
        if answer.get("answer") == "accepted":
            yield name


def _guid(mark: Mark, port: Port, found: Seen) -> bool:
    if not mark.guid:
        return True
    sent = guid_bytes(port)
    if not sent:
        return False
    if mark.guid == "zero":
        return not any(sent) and found.note("GUID", "all zero")
    if mark.guid == "name":
        name = guid_name(port)
        return bool(name) and found.note("GUID spells the name", name)
    return found.note("GUID", sent.hex(), mark.guid)


def _ntlm(mark: Mark, port: Port, found: Seen) -> bool:
    ntlm = port.get("ntlm") or {}
    version = str(ntlm.get("version") or "")
    if mark.ntlm_version and not (version and found.note("NTLM version", version, mark.ntlm_version)):
        return False
    if mark.ntlm_revision is not None and ntlm.get("revision") != mark.ntlm_revision:
        return False
    if not mark.ntlm_version_is_name:
        return True
    name = str(ntlm.get("target") or ntlm.get("netbios_computer") or "")
    return version == _misread(name) and found.note("NTLM version is made of the name's letters:", version)


def _misread(name: str) -> str:
    """Return the version that the first bytes of a name in UTF-16 look like ([MS-NLMP] 2.2.2.10)."""
    raw = name.encode("utf-16-le", "replace").ljust(4, b"\0")
    return f"{raw[0]}.{raw[1]}.{int.from_bytes(raw[2:4], 'little')}"


def _smb1(mark: Mark, port: Port, found: Seen) -> bool:
    smb1 = port.get("smb1") or {}
    for name, pattern in (("native_os", mark.native_os), ("native_lm", mark.native_lm)):
        value = str(smb1.get(name) or "")
        if pattern and not (value and found.note(f"SMB1 {name}", value, pattern)):
            return False
    told = [str(smb1[name]) for name in ("native_lm", "native_os") if smb1.get(name)]
    if mark.native and not any(found.note("SMB1 says", value, mark.native) for value in told):
        return False
    return mark.word_count is None or (
        smb1.get("word_count") == mark.word_count and found.note("SMB1 word count", str(mark.word_count))
    )


def _sizes(mark: Mark, port: Port, found: Seen) -> bool:
    return not mark.sizes or (sizes(port) in mark.sizes and found.note("sizes", sizes(port)))


def _boot_time(mark: Mark, port: Port, found: Seen) -> bool:
    if not mark.boot_time:
        return True
    boot = port.get("boot_time")
    if boot is None:
        return False
    if mark.boot_time == "undisclosed":
        return boot == "" and found.note("boot time", "not disclosed")
    if mark.boot_time == "system":
        return bool(boot) and boot == port.get("system_time") and found.note("boot time", "the same as the system time")
    return bool(boot) and found.note("boot time", "disclosed")


def _dialects(mark: Mark, port: Port, found: Seen) -> bool:
    if not mark.ceiling and not mark.refuses:
        return True
    if not port.get("dialects"):
        return False
    taken = set(accepted(port))
    above = DIALECTS[DIALECTS.index(mark.ceiling) + 1 :] if mark.ceiling else ()
    if taken & {*above, *mark.refuses}:
        return False
    return found.note("accepts", ", ".join(name for name in DIALECTS if name in taken) or "no dialect of SMB2")


def _mechanism(mark: Mark, port: Port, found: Seen) -> bool:
    if not mark.mechanism:
        return True
    return any(found.note("offers", str(name), mark.mechanism) for name in port.get("mechanisms") or ())


def _violation(mark: Mark, port: Port, found: Seen) -> bool:
    if not mark.violation:
        return True
    return any(found.note("violation:", str(text), mark.violation) for text in port.get("violations") or ())


_CHECKS: tuple[Callable[[Mark, Port, Seen], bool], ...] = (
    _guid,
    _ntlm,
    _smb1,
    _sizes,
    _boot_time,
    _dialects,
    _mechanism,
    _violation,
)
