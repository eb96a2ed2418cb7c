# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBIOS over TCP and UDP: the session request of port 139 and the node status of UDP 137 (RFC 1001, RFC 1002)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from .errors import LocalProtocolError, RemoteProtocolError
from .framing import NEGATIVE, POSITIVE, RETARGET, SESSION_REQUEST, Frame
from .text import oem

SMB_SERVER = "*SMBSERVER"
"""The name that stands for any SMB server. Some refuse it with 0x82 and want their own."""

SUFFIX_WORKSTATION = 0x00
SUFFIX_MASTER_BROWSER = 0x1D
SUFFIX_DOMAIN_CONTROLLER = 0x1C
SUFFIX_SERVER = 0x20

SESSION_ERRORS: dict[int, str] = {
    0x80: "not listening on called name",
    0x81: "not listening for calling name",
    0x82: "called name not present",
    0x83: "insufficient resources",
    0x8F: "unspecified error",
}
"""What a negative session response says (RFC 1002 4.3.4)."""

Kind = Literal["positive", "negative", "retarget"]

_DNS = struct.Struct(">HHHHHH")
_ANSWER = struct.Struct(">HHIH")
_NODE_STATUS = 0x0021
_INTERNET = 0x0001


@dataclass(frozen=True)
class SessionResponse:
    """The answer to a session request (RFC 1002 4.3.3, .4, .5).

    Attributes:
        kind: "positive", "negative" or "retarget".
        code: of a negative one, see ``SESSION_ERRORS``; else 0.
        address: IPv4 address that a retarget names; else "". Not to be followed: it may lead anywhere.
        port: TCP port that a retarget names; else 0.
    """

    kind: Kind
    code: int = 0
    address: str = ""
    port: int = 0


@dataclass(frozen=True)
class NetbiosName:
    """One row of a node's name table.

    Attributes:
        name: without the padding; one character per byte, as the code page is not told.
        suffix: what the name stands for, 0x00 workstation, 0x20 file server, ...
        group: a group's name and not the node's own.
        active: registered and not in conflict.
    """

    name: str
    suffix: int
    group: bool
    active: bool


@dataclass(frozen=True)
class NodeStatus:
    """A node's names and its MAC address as "00:11:22:aa:bb:cc"; "" where it is not told or all zero (Samba)."""

    names: tuple[NetbiosName, ...]
    mac: str


def encode_name(name: str, suffix: int, fill: str = " ") -> bytes:
    """Return a NetBIOS name in its first-level encoding (RFC 1001 14.1), with length and terminator: 34 bytes.

    Raises:
        LocalProtocolError: longer than 15 bytes, empty, or not representable by one byte per character.
    """
    try:
        raw = name.encode("latin-1").upper()
    except UnicodeEncodeError:
        raise LocalProtocolError("a NetBIOS name has one byte per character") from None
    if not 0 < len(raw) <= 15 or not 0 <= suffix <= 255:
        raise LocalProtocolError(f"a NetBIOS name has 1 to 15 bytes, not {len(raw)}")
    padded = raw.ljust(15, fill.encode("ascii")) + bytes((suffix,))
    nibbles = bytearray()
    for byte in padded:
        nibbles.append(0x41 + (byte >> 4))
        nibbles.append(0x41 + (byte & 15))
    return b"\x20" + bytes(nibbles) + b"\0"


def session_request(called: str = SMB_SERVER, calling: str = "BREAKWATER") -> bytes:
    """Return a session request frame, header and all (RFC 1002 4.3.2).

    Raises:
        LocalProtocolError: a name cannot be encoded.
    """
    names = encode_name(called, SUFFIX_SERVER) + encode_name(calling, SUFFIX_WORKSTATION)
    return bytes((SESSION_REQUEST, 0)) + struct.pack(">H", len(names)) + names


def session_response(frame: Frame) -> SessionResponse:
    """Return what a frame answers to a session request.

    Raises:
        RemoteProtocolError: "wrong_message" (another frame), "truncated".
    """
    kind, payload = frame
    if kind == POSITIVE:
        return SessionResponse("positive")
    if kind == NEGATIVE:
        if not payload:
            raise RemoteProtocolError("truncated", "a negative session response without a code")
        return SessionResponse("negative", code=payload[0])
    if kind == RETARGET:
        if len(payload) < 6:
            raise RemoteProtocolError("truncated", f"a retarget of {len(payload)} bytes, not 6")
        address = ".".join(str(byte) for byte in payload[:4])
        return SessionResponse("retarget", address=address, port=payload[4] << 8 | payload[5])
    raise RemoteProtocolError("wrong_message", f"frame type 0x{kind:02X} answers a session request")


def node_status_request(transaction_id: int) -> bytes:
    """Return the datagram that asks a node for its name table (RFC 1002 4.2.17).

    Raises:
        LocalProtocolError: the id has more than 16 bits.
    """
    if not 0 <= transaction_id <= 0xFFFF:
        raise LocalProtocolError("a transaction id has 16 bits")
    question = encode_name("*", 0, fill="\0") + struct.pack(">HH", _NODE_STATUS, _INTERNET)
    return _DNS.pack(transaction_id, 0, 1, 0, 0, 0) + question


def node_status_response(data: bytes, transaction_id: int) -> NodeStatus:
    """Return what a datagram tells of a node (RFC 1002 4.2.18).

    Raises:
        RemoteProtocolError: "wrong_message" (not a reply, another id, not a node status), "truncated", "bad_value".
    """
    if len(data) < _DNS.size:
        raise RemoteProtocolError("truncated", f"a datagram of {len(data)} bytes")
    reply_id, flags, questions, answers, _authorities, _additional = _DNS.unpack_from(data)
    if reply_id != transaction_id or not flags & 0x8000:
        raise RemoteProtocolError("wrong_message", "not the reply to this request")
    if flags & 0x000F or questions or answers != 1:
        raise RemoteProtocolError("bad_value", f"flags 0x{flags:04X}, {questions} questions, {answers} answers")
    start = _after_name(data, _DNS.size)
    if len(data) < start + _ANSWER.size + 1:
        raise RemoteProtocolError("truncated", "the answer is cut off")
    kind, family, _ttl, length = _ANSWER.unpack_from(data, start)
    if (kind, family) != (_NODE_STATUS, _INTERNET):
        raise RemoteProtocolError("wrong_message", f"record type 0x{kind:04X} answers a node status request")
    start += _ANSWER.size
    return _name_table(data[start : start + length])


def _after_name(data: bytes, start: int) -> int:
    """Return where the name at ``start`` ends: labels up to 255 bytes, or a pointer (RFC 1035 4.1.4), which is not followed."""
    end = start
    while end < len(data) and end - start < 255:
        length = data[end]
        if length & 0xC0 == 0xC0:
            return end + 2
        if length & 0xC0:
            break
        end += 1 + length
        if not length:
            return end
    raise RemoteProtocolError("bad_value", "the record's name does not end")


def _name_table(record: bytes) -> NodeStatus:
    count = record[0] if record else 0
    end = 1 + 18 * count
    if len(record) < end:
        raise RemoteProtocolError("truncated", f"{len(record)} bytes for {count} names")
    names = []
    for start in range(1, end, 18):
        flags = record[start + 16] << 8 | record[start + 17]
        name = oem(record[start : start + 15]).rstrip(" ")
        names.append(NetbiosName(name, record[start + 15], bool(flags & 0x8000), flags & 0x0C00 == 0x0400))
    mac = record[end : end + 6]  # the statistics behind it are often cut off, and say nothing more
    told = len(mac) == 6 and any(mac)
    return NodeStatus(tuple(names), ":".join(f"{byte:02x}" for byte in mac) if told else "")
