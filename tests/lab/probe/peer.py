# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers with bytes of a real one: which captured reply fits a request, and what in it must be renewed.

It shares nothing with the collection but the captures; what it knows of the protocol is [MS-SMB2] 3.3.5.3 and 3.3.5.4,
[MS-CIFS] 2.2.4.52 and what smbd and impacket were seen to do.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import captures

DIALECTS = (0x0202, 0x0210, 0x0300, 0x0302, 0x0311)
CIPHERS, SIGNING = (2, 1, 4, 3), (2, 1, 0)
"""What smbd takes, best first: AES-128-GCM, -CCM, AES-256-GCM, -CCM; AES-GMAC, AES-CMAC, HMAC-SHA256."""

_NT, _WILDCARD, _2002 = b"NT LM 0.12", b"SMB 2.???", b"SMB 2.002"
_REQUEST = struct.Struct("<HH24xIH")  # of NEGOTIATE: StructureSize, DialectCount, offset and number of contexts
_CONTEXT = struct.Struct("<HH4x")
_PREAUTH, _CIPHER, _SIGN = 1, 2, 8


@dataclass(frozen=True)
class Offer:
    """What a NEGOTIATE of SMB2 offers; lists of algorithms by the type of their context."""

    dialects: tuple[int, ...]
    contexts: Mapping[int, tuple[int, ...]]


def offer(message: bytes) -> Offer:
    """Read a NEGOTIATE request; one that is cut off raises ``struct.error``."""
    _size, count, position, number = _REQUEST.unpack_from(message, 64)
    dialects = struct.unpack_from(f"<{count}H", message, 100)
    contexts: dict[int, tuple[int, ...]] = {}
    if 0x0311 in dialects:
        for _context in range(number):
            kind, length = _CONTEXT.unpack_from(message, position)
            many = struct.unpack_from("<H", message, position + 8)[0]
            # Compression has four more bytes before its list, preauthentication two; neither list is needed.
            listed = struct.unpack_from(f"<{many}H", message, position + 10) if kind in (_CIPHER, _SIGN) else ()
            contexts[kind] = listed
            position += (8 + length + 7) // 8 * 8
    return Offer(dialects, contexts)


@dataclass
class Talk:
    """What a server remembers of one connection."""

    chosen: bool = False
    expected: int = 0


@dataclass
class Peer:
    """The server of one captured variant, for all connections to it."""

    variant: str
    _single: dict[int, bytes] = field(default_factory=dict)
    _cache: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for dialect in DIALECTS:
            reply = captures.reply(self.variant, f"smb2_{dialect:04x}")
            if reply[12:16] == bytes(4) and reply:
                self._single[dialect] = reply
        # impacket answers whatever comes next, where smbd hangs up.
        self._lax = captures.reply(self.variant, "smb1_rejected_then_smb2", 1) != b""

    @property
    def dialects(self) -> tuple[int, ...]:
        """The dialects that it takes when each is offered alone, and means."""
        return tuple(one for one, reply in self._single.items() if struct.unpack_from("<H", reply, 72)[0] == one)

    def usual(self, dialect: int) -> bytes:
        """Return the reply that accepts one dialect, as it was captured."""
        return self._single[dialect]

    def answer(self, frame: bytes, talk: Talk) -> bytes | None:
        """Return the frame that answers one, or None where the server hangs up."""
        if frame[:1] == b"\x81":
            return b"\x82\0\0\0"
        if frame[:1] == b"\x85":
            return b""
        try:
            if frame[4:8] == b"\xfeSMB":
                return self._smb2(frame, talk)
            if frame[4:8] == b"\xffSMB":
                return self._smb1(frame, talk)
        except struct.error:
            pass
        return None

    def _smb2(self, frame: bytes, talk: Talk) -> bytes | None:
        command, message_id = frame[16], frame[28:36]
        if command == 0:
            if not self._lax and (talk.chosen or int.from_bytes(message_id, "little") != talk.expected):
                return None
            talk.expected += 1
            reply = self._negotiated(frame)
            talk.chosen = reply[12:16] == bytes(4)
        elif command == 1 and (talk.chosen or self._lax):
            reply = self._setup(frame)
            if session := frame[44:52].strip(b"\0"):
                reply = reply[:44] + session.ljust(8, b"\0") + reply[52:]
        else:
            return None
        return reply[:28] + message_id + reply[36:] if reply else None

    def _negotiated(self, frame: bytes) -> bytes:
        # The key leaves out what no two requests share: MessageId, ClientGuid and the salt, which stands first.
        salt = 4 + int.from_bytes(frame[96:100], "little") + 14
        key = frame[68:80] + frame[96:salt] + frame[salt + 32 :]
        if key not in self._cache:
            if len(self._cache) > 1000:
                self._cache.clear()
            self._cache[key] = self._made(offer(frame[4:]))
        return self._cache[key]

    def _made(self, offered: Offer) -> bytes:
        if not offered.dialects and not self._lax:
            return captures.reply(self.variant, "smb2_zero_dialects")
        common = max((one for one in offered.dialects if one in self._single), default=None)
        if common is None:
            return captures.reply(self.variant, "smb2_unknown_0999")
        if common != 0x0311 or self._single[common][72:74] != b"\x11\x03":
            return self._single[common]
        if _PREAUTH not in offered.contexts:
            return captures.reply(self.variant, "smb2_all_noctx")
        if _CIPHER not in offered.contexts and _SIGN not in offered.contexts:
            return captures.reply(self.variant, "smb2_311_preauth_only")
        reply = bytearray(self._single[common])
        for kind, known in ((_CIPHER, CIPHERS), (_SIGN, SIGNING)):
            wanted = offered.contexts.get(kind, ())
            _put(reply, kind, next((one for one in known if one in wanted), 0))
        return bytes(reply)

    def _setup(self, frame: bytes) -> bytes:
        position, length = struct.unpack_from("<HH", frame, 4 + 64 + 12)
        token = frame[4 + position : 4 + position + length]
        if token[:1] == b"\xa1":
            return captures.step(self.variant, "anon setup2")
        raw = token.startswith(b"NTLMSSP\0")
        return captures.reply(self.variant, "smb2_all_session_rawntlm" if raw else "smb2_all_session", 1)

    def _smb1(self, frame: bytes, talk: Talk) -> bytes | None:
        if frame[8] != 0x72:
            names = {0x73: "peek setup", 0x75: "peek tcon", 0x25: "peek trans"}
            return captures.step(self.variant, names.get(frame[8], "")) or None if talk.chosen else None
        if talk.chosen and not self._lax:
            return None
        names_offered = [name for name in frame[39:].split(b"\0") if name]
        dialects = [name.removeprefix(b"\x02") for name in names_offered]
        extended = bool(struct.unpack_from("<H", frame, 14)[0] & 0x0800)
        reply = self._oldest(dialects, extended)
        talk.chosen = True
        if reply[4:8] == b"\xfeSMB" and reply[72:74] == b"\xff\x02":
            talk.chosen, talk.expected = False, 1
        return reply or None

    def _oldest(self, dialects: list[bytes], extended: bool) -> bytes:
        """Return the reply to a list of dialect names: [MS-SMB2] 3.3.5.3, [MS-CIFS] 2.2.4.52.2."""
        if _WILDCARD in dialects and (reply := captures.reply(self.variant, "smb1_only_2xxx"))[4:8] == b"\xfeSMB":
            return reply
        if _2002 in dialects and (reply := captures.reply(self.variant, "smb1_multi_2002"))[4:8] == b"\xfeSMB":
            return reply
        reply = captures.reply(self.variant, "smb1_ntlm012" if extended else "smb1_ntlm012_noext")
        if _NT in dialects and reply[36:37] == b"\x11":
            return _indexed(reply, dialects.index(_NT))
        return self._lanman(dialects) or captures.reply(self.variant, "smb1_unknown")

    def _lanman(self, dialects: list[bytes]) -> bytes:
        asked = captures.exchanges(self.variant, "smb1_lanman_only")[0]
        if asked.reply[36:37] != b"\x0d":
            return b""
        names = [name.removeprefix(b"\x02") for name in asked.request[39:].split(b"\0") if name]
        chosen = names[struct.unpack_from("<H", asked.reply, 37)[0]]
        return _indexed(asked.reply, dialects.index(chosen)) if chosen in dialects else b""


def _indexed(reply: bytes, index: int) -> bytes:
    return reply[:37] + struct.pack("<H", index) + reply[39:]


def _put(reply: bytearray, kind: int, value: int) -> None:
    """Write the chosen algorithm into a context of a NEGOTIATE response ([MS-SMB2] 2.2.4)."""
    number, position = struct.unpack_from("<H", reply, 4 + 64 + 6)[0], struct.unpack_from("<I", reply, 4 + 64 + 60)[0]
    for _context in range(number):
        found, length = _CONTEXT.unpack_from(reply, 4 + position)
        if found == kind:
            struct.pack_into("<H", reply, 4 + position + 10, value)
        position += (8 + length + 7) // 8 * 8
