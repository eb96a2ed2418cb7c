# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A peer in memory whose truth is known, and a driver that holds an inquiry's conversations with it.

It builds its bytes from [MS-SMB2], [MS-CIFS] and [MS-NLMP] with ``struct`` alone: nothing of the collection's codec is
used, so that a mistake there is not made twice.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.breakwater.smb.plugins.module_utils._smb import answers as answers_module
from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import Options, Target
from ansible_collections.breakwater.smb.plugins.module_utils._smb.questions import PARALLEL, Inquiry

DIALECTS = {"2.0.2": 0x0202, "2.1": 0x0210, "3.0": 0x0300, "3.0.2": 0x0302, "3.1.1": 0x0311}
CIPHERS = {1: "AES-128-CCM", 2: "AES-128-GCM", 3: "AES-256-CCM", 4: "AES-256-GCM"}
SIGNING = {0: "HMAC-SHA256", 1: "AES-CMAC", 2: "AES-GMAC"}
NT_LM = "NT LM 0.12"
OLD = ("LANMAN1.0", "LM1.2X002", "LANMAN2.1")
GUID = bytes.fromhex("00112233445566778899aabbccddeeff")

CLOSE, SILENCE = "close", "silence"
NOT_SUPPORTED, INVALID_PARAMETER, MORE_PROCESSING = 0xC00000BB, 0xC000000D, 0xC0000016


@dataclass(frozen=True)
class Truth:
    """What a peer accepts, and how it refuses and misbehaves.

    Attributes:
        refuses2, refuses1: ``status`` (the rule), ``close`` or ``silence``: what an offer brings that has no accepted
            dialect; SMB1's ``status`` is DialectIndex 0xFFFF.
        keeps: after a refusal the connection stays usable.
        multi: an SMB1 offer that has SMB2 in it is answered in SMB2 (every server with SMB2 must).
        ignores_unknown: ``close`` or ``silence`` for every offer that has any dialect it does not know; "": no.
        bad: how it breaks the protocol, one of ``BREACHES``; "": not at all.
        closed: conversations (by number) that it closes before any reply: too many clients, a ban, a crash.
    """

    smb2: frozenset[int] = frozenset(DIALECTS.values())
    smb1: frozenset[str] = frozenset()
    required: bool = False
    smb1_security: int = 3
    ciphers: tuple[int, ...] = (2, 1, 4, 3)
    signing: tuple[int, ...] = (2, 1, 0)
    compression: tuple[int, ...] = ()
    encryption: bool = True
    ntlm: bool = True
    anonymous: int = 0
    tree: int = 0
    extended: bool = True
    refuses2: str = "status"
    refuses1: str = "status"
    keeps: bool = True
    multi: bool = True
    ignores_unknown: str = ""
    bad: str = ""
    closed: frozenset[int] = frozenset()
    session: str = ""
    peek: int = 0xC0000205


def frame(message: bytes) -> bytes:
    """Direct TCP."""
    return struct.pack(">I", len(message)) + message


class Link:
    """The peer's end of one connection."""

    def __init__(self, truth: Truth, number: int, netbios: bool = False) -> None:
        self.truth = truth
        self.number = number
        self.expects_session = netbios
        self.chosen = False
        self.message_id = 0
        self.smb1_names: list[str] = []
        self.setups = 0

    def receive(self, data: bytes) -> list[Any]:
        """Return what to do: bytes to send, ``CLOSE`` or ``SILENCE``."""
        if self.number in self.truth.closed:
            return [CLOSE]
        if self.expects_session:
            return self._session(data)
        if self.truth.bad in BREACHES:
            return BREACHES[self.truth.bad](self, data[4:])
        return self.honest(data[4:])

    def honest(self, message: bytes) -> list[Any]:
        if message[:4] == b"\xfeSMB":
            return self._smb2(message)
        assert message[:4] == b"\xffSMB", message[:8]
        return self._smb1(message)

    def _session(self, data: bytes) -> list[Any]:
        assert data[0] == 0x81 and len(data) == 72
        called = bytes((data[5 + 2 * i] - 65) << 4 | (data[6 + 2 * i] - 65) for i in range(15)).decode().rstrip()
        if self.truth.session and called != self.truth.session:
            return [b"\x83\0\0\x01\x82", CLOSE]
        self.expects_session = False
        return [b"\x82\0\0\0"]

    # SMB2

    def _smb2(self, message: bytes) -> list[Any]:
        command, message_id = struct.unpack_from("<H", message, 12)[0], struct.unpack_from("<Q", message, 24)[0]
        if command == 1:
            return self._setup2(message, message_id)
        if command == 3:
            assert message[72:].decode("utf-16-le") == "\\\\*SMBSERVER\\IPC$"
            body = struct.pack("<HBBIII", 16, 2, 0, 0, 0, 0)
            return [frame(self.header2(3, message_id, self.truth.tree, 7) + body)]
        assert command == 0
        if not self.truth.smb2 and self.truth.refuses2 != "status":
            return [self.truth.refuses2]
        if self.chosen or message_id != self.message_id:
            return [CLOSE]
        self.message_id += 1
        count = struct.unpack_from("<H", message, 66)[0]
        offer = struct.unpack_from(f"<{count}H", message, 100)
        if self.truth.ignores_unknown and not set(offer) <= self.truth.smb2:
            return [self.truth.ignores_unknown]
        common = self.truth.smb2 & set(offer)
        if not common:
            if self.truth.refuses2 != "status":
                return [self.truth.refuses2]
            refusal = frame(self.header2(0, message_id, NOT_SUPPORTED) + b"\x09\0" + bytes(7))
            return [refusal] if self.truth.keeps else [refusal, CLOSE]
        self.chosen = True
        return [frame(self.negotiated(max(common), message, message_id))]

    def header2(self, command: int, message_id: int, status: int = 0, session: int = 0) -> bytes:
        return struct.pack(
            "<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 0, status, command, 1, 1, 0, message_id, 0, 0, session, b""
        )

    def negotiated(self, dialect: int, request: bytes, message_id: int, **changes: Any) -> bytes:
        """The reply to NEGOTIATE ([MS-SMB2] 2.2.4)."""
        truth = self.truth
        token = _INIT
        start = 128 + len(token) + -(128 + len(token)) % 8
        contexts = self.contexts(request) if dialect == 0x0311 else []
        blob = b"".join(
            struct.pack("<HHI", kind, len(body), 0) + body.ljust(len(body) + -len(body) % 8, b"\0")
            for kind, body in contexts
        )
        capabilities = 0x07 | (0x40 if truth.encryption and dialect in (0x0300, 0x0302) else 0)
        fields = {"dialect": dialect, "count": len(contexts), "start": start if contexts else 0, "length": len(token)}
        fields.update(changes)
        body = struct.pack(
            "<HHHH16sIIIIQQHHI", 65, 3 if truth.required else 1, fields["dialect"], fields["count"], GUID, capabilities,
            1 << 23, 1 << 23, 1 << 23, 133_000_000_000_000_000, 0, 128, fields["length"], fields["start"],
        )  # fmt: skip
        message = self.header2(0, message_id) + body + token
        return message.ljust(start, b"\0") + blob if contexts else message

    def contexts(self, request: bytes) -> list[tuple[int, bytes]]:
        offered = {}
        start, count = struct.unpack_from("<IH", request, 92)
        for _index in range(count):
            kind, length = struct.unpack_from("<HH", request, start)
            offered[kind] = request[start + 8 : start + 8 + length]
            start += 8 + length + -length % 8
        assert offered[1][:6] == struct.pack("<HHH", 1, 32, 1)
        found = [(1, struct.pack("<HHH", 1, 32, 1) + bytes(32))]
        for kind, taken in ((2, self.truth.ciphers), (8, self.truth.signing)):
            if kind in offered and taken:
                listed = struct.unpack_from(f"<{struct.unpack_from('<H', offered[kind])[0]}H", offered[kind], 2)
                common = [item for item in taken if item in listed]
                if common or kind == 2:
                    found.append((kind, struct.pack("<HH", 1, common[0] if common else 0)))
        if self.truth.compression and 3 in offered:
            taken = self.truth.compression
            found.append((3, struct.pack(f"<HHI{len(taken)}H", len(taken), 0, 1, *taken)))
        return found

    def _setup2(self, message: bytes, message_id: int) -> list[Any]:
        self.setups += 1
        if not self.truth.ntlm:
            return [frame(self.header2(1, message_id, NOT_SUPPORTED) + b"\x09\0" + bytes(7))]
        if self.setups > 1:
            status = self.truth.anonymous
            return [frame(self.header2(1, message_id, status, 7) + struct.pack("<HHHH", 9, 0, 72, 0) + b"\0")]
        token = _challenge()
        body = struct.pack("<HHHH", 9, 0, 72, len(token)) + token
        return [frame(self.header2(1, message_id, MORE_PROCESSING, 7) + body)]

    # SMB1

    def _smb1(self, message: bytes) -> list[Any]:
        command = message[4]
        if command != 0x72:
            return self._after_smb1(command)
        count = struct.unpack_from("<H", message, 33)[0]
        names = [name[1:].decode() for name in message[35 : 35 + count].split(b"\0")[:-1]]
        if self.truth.multi and self.truth.smb2:
            if "SMB 2.???" in names and self.truth.smb2 != {0x0202}:
                self.message_id = 1
                return [frame(self.negotiated(0x02FF, b"", 0))]
            if "SMB 2.002" in names and 0x0202 in self.truth.smb2:
                self.chosen = True
                return [frame(self.negotiated(0x0202, b"", 0))]
        common = [name for name in names if name in self.truth.smb1]
        if not common:
            if self.truth.refuses1 != "status":
                return [self.truth.refuses1]
            return [frame(self.reply1(0x72, b"\xff\xff", b""))]
        name = NT_LM if NT_LM in common else common[-1]
        index = names.index(name)
        if name != NT_LM:
            words = struct.pack("<HHHHHHIHHhHH", index, 1, 4356, 2, 1, 0, 0, 0, 0, 0, 0, 0)
            return [frame(self.reply1(0x72, words, b"GROUP\0"))]
        capabilities = 0x8000F3FD if self.truth.extended else 0x0000F3FD
        words = struct.pack(
            "<HBHHIIIIQhB", index, self.truth.smb1_security, 50, 1, 16644, 65536, 0, capabilities, 0, 0,
            0 if self.truth.extended else 8,
        )  # fmt: skip
        data = GUID + _INIT if self.truth.extended else bytes(8) + "GROUP\0SRV\0".encode("utf-16-le")
        return [frame(self.reply1(0x72, words, data))]

    def _after_smb1(self, command: int) -> list[Any]:
        self.setups += 1
        if command == 0x73 and self.truth.extended and not self.truth.ntlm:
            return [frame(self.reply1(0x73, b"", b"", NOT_SUPPORTED))]
        if command == 0x73 and self.truth.extended and self.setups == 1:
            token = _challenge()
            words = struct.pack("<BBHHH", 255, 0, 0, 0, len(token))
            names = b"\0" * ((33 + 8 + 2 + len(token)) % 2) + "Unix\0Samba 9.9\0".encode("utf-16-le")
            return [frame(self.reply1(0x73, words, token + names, MORE_PROCESSING))]
        if command == 0x73:
            names = b"\0" * ((33 + 6 + 2) % 2) + "Unix\0Samba 9.9\0GROUP\0".encode("utf-16-le")
            return [frame(self.reply1(0x73, struct.pack("<BBHH", 255, 0, 0, 0), names))]
        if command == 0x75:
            return [frame(self.reply1(0x75, struct.pack("<BBHH", 255, 0, 0, 1), b"IPC\0"))]
        return [frame(self.reply1(command, b"", b"", self.truth.peek))]

    def reply1(self, command: int, words: bytes, data: bytes, status: int = 0) -> bytes:
        header = struct.pack(
            "<4sBIBHH8sHHHHH", b"\xffSMB", command, status, 0x98, 0xC801, 0, b"", 0, 1, 0xFEFF, 2048, 0
        )
        return header + bytes((len(words) // 2,)) + words + struct.pack("<H", len(data)) + data


def _der(tag: int, value: bytes) -> bytes:
    length = len(value)
    return bytes((tag, length) if length < 128 else (tag, 0x82, length >> 8, length & 255)) + value


_NTLMSSP = bytes.fromhex("2b06010401823702020a")
_INIT = _der(
    0x60, bytes.fromhex("06062b0601050502") + _der(0xA0, _der(0x30, _der(0xA0, _der(0x30, _der(6, _NTLMSSP)))))
)


def _challenge() -> bytes:
    """NegTokenResp with an NTLM CHALLENGE ([MS-NLMP] 2.2.1.2)."""
    name = "HOST".encode("utf-16-le")
    pairs = b"".join(
        struct.pack("<HH", kind, len(value)) + value
        for kind, value in ((2, name), (1, name), (3, "host.example".encode("utf-16-le")), (0, b""))
    )
    head = b"NTLMSSP\0" + struct.pack(
        "<IHHII8s8sHHI",
        2,
        len(name),
        len(name),
        56,
        0xE28A8215,
        b"12345678",
        b"",
        len(pairs),
        len(pairs),
        56 + len(name),
    )
    token = head + struct.pack("<BBH3xB", 10, 0, 20348, 15) + name + pairs
    return _der(0xA1, _der(0x30, _der(0xA2, _der(4, token))))


def _smb2_only(change: Any) -> Any:
    """Return a breach that leaves SMB1 as it is."""

    def breach(link: Link, message: bytes) -> list[Any]:
        if message[:4] != b"\xfeSMB" or struct.unpack_from("<H", message, 12)[0]:
            return link.honest(message)
        return change(link, message, struct.unpack_from("<Q", message, 24)[0])

    return breach


def _offer(message: bytes) -> tuple[int, ...]:
    return struct.unpack_from(f"<{struct.unpack_from('<H', message, 66)[0]}H", message, 100)


def _lowest(link: Link, message: bytes, number: int) -> list[Any]:
    common = link.truth.smb2 & set(_offer(message))
    return [frame(link.negotiated(min(common), message, number))] if common else link.honest(message)


BREACHES = {
    "unoffered": _smb2_only(lambda link, message, number: [frame(link.negotiated(0x0310, message, number))]),
    "wildcard": _smb2_only(lambda link, message, number: [frame(link.negotiated(0x02FF, message, number))]),
    "always 2.0.2": _smb2_only(lambda link, message, number: [frame(link.negotiated(0x0202, message, number))]),
    "lowest": _smb2_only(_lowest),
    "65535 contexts": _smb2_only(
        lambda link, message, number: [frame(link.negotiated(max(_offer(message)), message, number, count=65535))]
    ),
    "bad token offset": _smb2_only(
        lambda link, message, number: [frame(link.negotiated(max(_offer(message)), message, number, length=60000))]
    ),
    "echo": lambda link, message: [frame(message)],
    "text": lambda link, message: [b"HTTP/1.1 400 Bad Request\r\n\r\n", CLOSE],
    "banner": lambda link, message: [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "long frame": lambda link, message: [b"\0\xff\xff\xff\xfeSMB"],
    "keep-alives": lambda link, message: [b"\x85\0\0\0" * 100],
    "half a frame": lambda link, message: [b"\0\0\1\0\xfeSMB", CLOSE],
    "zeros": lambda link, message: [bytes(200000)],
    "other protocol": lambda link, message: [frame(b"\xfdSMB" + bytes(100))],
    "cut off": lambda link, message: [
        frame(step[4:-9]) if isinstance(step, bytes) and len(step) > 40 else step for step in link.honest(message)
    ],
    "flood": lambda link, message: [frame(link.header2(1, 99) + bytes(9)) * 50],
    "random": lambda link, message: [random.Random(message).randbytes(300)],
}


def inquire(
    truth: Truth,
    options: Options,
    target: Target | None = None,
    seed: int = 0,
    chunks: int = 0,
    lost: float = 0.0,
) -> tuple[dict[str, Any], Inquiry]:
    """Hold all conversations that an inquiry wants; return the document and the inquiry.

    Args:
        seed: decides which of two open conversations goes on.
        chunks: bytes of the peer come in pieces of this many; 0: as they are.
        lost: the part of conversations whose reply never comes.
    """
    target = target or Target("peer", "192.0.2.7", (445,))
    chance = random.Random(seed)
    inquiry = Inquiry(target, options, 1_700_000_000.0)
    open_now: list[Any] = []
    for _step in range(2000):
        while (talk := inquiry.next()) is not None:
            open_now.append(talk)
        assert len([talk for talk in open_now if not talk.datagram]) <= PARALLEL
        if not open_now:
            break
        talk = open_now.pop(chance.randrange(len(open_now)))
        if talk.datagram:
            talk.data_to_send()
            talk.fail("timeout")
            inquiry.finished(talk)
            continue
        if talk.opening:
            inquiry.connected(talk, "192.0.2.1")
        link = Link(truth, talk.number, talk.port in options.session_ports)
        silent = chance.random() < lost
        while True:
            hold(talk, link, chunks, silent)
            if not inquiry.finished(talk):
                break
    assert inquiry.done, "something is asked for ever, or never ends"
    return answers_module.document(inquiry.answers(1.0)), inquiry


def hold(talk: Any, link: Link, chunks: int = 0, silent: bool = False) -> None:
    """Hold one conversation to its end."""
    for _turn in range(64):
        if talk.done:
            return
        data = talk.data_to_send()
        if not data:
            break
        if talk.wire_smb1:
            talk.wire_smb1 = False
        for action in [SILENCE] if silent else link.receive(data):
            if action == CLOSE:
                talk.receive_eof()
            elif action != SILENCE:
                size = chunks or len(action)
                for start in range(0, len(action), size):
                    if not talk.done:
                        talk.receive(action[start : start + size])
    talk.fail("timeout")


def without(truth: Truth, **fields: Any) -> Truth:
    """Return a truth with other fields."""
    return replace(truth, **fields)
