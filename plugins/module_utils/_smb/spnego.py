# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SPNEGO tokens (RFC 4178, [MS-SPNG] 2.2.1): written for one mechanism, read with as little DER as that needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import text
from .errors import LocalProtocolError, RemoteProtocolError

NTLMSSP_SIGNATURE = b"NTLMSSP\0"

MECHANISM_NAMES: dict[str, str] = {
    "1.3.6.1.4.1.311.2.2.10": "NTLMSSP",
    "1.3.6.1.4.1.311.2.2.30": "NEGOEX",
    "1.2.840.113554.1.2.2": "Kerberos",
    "1.2.840.48018.1.2.2": "MS-Kerberos",
    "1.2.840.113554.1.2.2.3": "Kerberos-U2U",
    "1.3.6.1.5.2.5": "IAKERB",
}

ACCEPT_COMPLETED = 0
ACCEPT_INCOMPLETE = 1
REJECT = 2

MAX_MECHANISMS = 32

_OID_SPNEGO = bytes.fromhex("06062b0601050502")
_OID_NTLMSSP = bytes.fromhex("060a2b06010401823702020a")

_SEQUENCE = 0x30
_OCTETS = 0x04
_OID = 0x06
_ENUMERATED = 0x0A
_GENERAL_STRING = 0x1B
_APPLICATION = 0x60
_INIT = 0xA0
_RESPONSE = 0xA1
_MAX_OID = 64
_MAX_FIELDS = 8


@dataclass(frozen=True)
class Spnego:
    """What a server's token says.

    Attributes:
        mechanisms: names of ``MECHANISM_NAMES``, others as dotted numbers, in the server's order.
        token: the inner token, NTLMSSP or another; empty if there is none.
        hint: the hint name of NegTokenInit2; most servers send a fixed text that asks to be ignored.
        state: negState, ``ACCEPT_COMPLETED``, ``ACCEPT_INCOMPLETE``, ``REJECT``; None where it is not told.
    """

    mechanisms: tuple[str, ...] = ()
    token: bytes = b""
    hint: str = ""
    state: int | None = None


def init(token: bytes) -> bytes:
    """Return a NegTokenInit that offers NTLMSSP alone, with its first token.

    Raises:
        LocalProtocolError: the token is longer than 32767 bytes.
    """
    mechanisms = _tlv(0xA0, _tlv(_SEQUENCE, _OID_NTLMSSP))
    inner = _tlv(_SEQUENCE, mechanisms + _tlv(0xA2, _tlv(_OCTETS, token)))
    return _tlv(_APPLICATION, _OID_SPNEGO + _tlv(_INIT, inner))


def response(token: bytes) -> bytes:
    """Return a NegTokenResp that carries the next token.

    Raises:
        LocalProtocolError: the token is longer than 32767 bytes.
    """
    return _tlv(_RESPONSE, _tlv(_SEQUENCE, _tlv(0xA2, _tlv(_OCTETS, token))))


def parse(blob: bytes) -> Spnego:
    """Return what a server's token says: NegTokenInit, NegTokenInit2, NegTokenResp, bare NTLMSSP, or nothing.

    Raises:
        RemoteProtocolError: "bad_token", "too_many".
    """
    # Servers send the same bytes again and again; only short ones are kept, so that nobody fills memory.
    return _parse_cached(blob) if len(blob) <= 512 else _parse(blob)


def _parse(blob: bytes) -> Spnego:
    if not blob:
        return Spnego()
    if blob.startswith(NTLMSSP_SIGNATURE):
        return Spnego(("NTLMSSP",), blob)
    tag, body, _end = _read(blob, 0)
    if tag == _APPLICATION:
        if not body.startswith(_OID_SPNEGO):
            raise RemoteProtocolError("bad_token", "a GSS-API token of another mechanism than SPNEGO")
        tag, body, _end = _read(body, len(_OID_SPNEGO))
    if tag == _INIT:
        return _read_init(_expect(body, _SEQUENCE))
    if tag == _RESPONSE:
        return _read_response(_expect(body, _SEQUENCE))
    raise RemoteProtocolError("bad_token", f"a SPNEGO token with tag 0x{tag:02X}")


_parse_cached = lru_cache(maxsize=64)(_parse)


def _read_init(body: bytes) -> Spnego:
    """[MS-SPNG] 2.2.1: [0] mechTypes, [1] reqFlags, [2] mechToken, [3] negHints, [4] mechListMIC."""
    mechanisms: tuple[str, ...] = ()
    token, hint = b"", ""
    for tag, value in _fields(body):
        if tag == 0xA0:
            mechanisms = _mechanisms(_expect(value, _SEQUENCE))
        elif tag == 0xA2:
            token = _expect(value, _OCTETS)
        elif tag == 0xA3 and value[:1] == bytes((_SEQUENCE,)):
            # RFC 4178 has the MIC as [3], an octet string; Microsoft put the hints there.
            hint = _hint(_expect(value, _SEQUENCE))
    return Spnego(mechanisms, token, hint)


def _read_response(body: bytes) -> Spnego:
    """RFC 4178 4.2.2: [0] negState, [1] supportedMech, [2] responseToken, [3] mechListMIC."""
    mechanisms: tuple[str, ...] = ()
    token, state = b"", None
    for tag, value in _fields(body):
        if tag == 0xA0:
            number = _expect(value, _ENUMERATED)
            if len(number) != 1:
                raise RemoteProtocolError("bad_token", f"a negState of {len(number)} bytes")
            state = number[0]
        elif tag == 0xA1:
            mechanisms = (_oid(_expect(value, _OID)),)
        elif tag == 0xA2:
            token = _expect(value, _OCTETS)
    return Spnego(mechanisms, token, "", state)


def _mechanisms(body: bytes) -> tuple[str, ...]:
    found: list[str] = []
    start = 0
    while start < len(body):
        if len(found) == MAX_MECHANISMS:
            raise RemoteProtocolError("too_many", f"more than {MAX_MECHANISMS} mechanisms")
        tag, value, start = _read(body, start)
        if tag != _OID:
            raise RemoteProtocolError("bad_token", f"tag 0x{tag:02X} among mechanisms")
        found.append(_oid(value))
    return tuple(found)


def _hint(body: bytes) -> str:
    for tag, value in _fields(body):
        if tag == 0xA0:
            return text.oem(_expect(value, _GENERAL_STRING))
    return ""


def _oid(body: bytes) -> str:
    """Return an object identifier by name or as dotted numbers."""
    if not 0 < len(body) <= _MAX_OID or body[-1] & 0x80:
        raise RemoteProtocolError("bad_token", f"an object identifier of {len(body)} bytes")
    numbers: list[int] = []
    number = 0
    for byte in body:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    dotted = ".".join(str(number) for number in [first, numbers[0] - 40 * first, *numbers[1:]])
    return MECHANISM_NAMES.get(dotted, dotted)


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the context-tagged fields of a sequence."""
    start = 0
    for _count in range(_MAX_FIELDS):
        if start >= len(body):
            return
        tag, value, start = _read(body, start)
        yield tag, value
    if start < len(body):
        raise RemoteProtocolError("too_many", f"more than {_MAX_FIELDS} fields in a SPNEGO token")


def _expect(data: bytes, tag: int) -> bytes:
    """Return the value of the one element that ``data`` begins with."""
    found, value, _end = _read(data, 0)
    if found != tag:
        raise RemoteProtocolError("bad_token", f"tag 0x{found:02X} where 0x{tag:02X} belongs")
    return value


def _read(data: bytes, start: int) -> tuple[int, bytes, int]:
    """Return tag, value and end of the DER element at ``start``: one byte of tag, a definite length below 64 KiB."""
    if len(data) < start + 2:
        raise RemoteProtocolError("bad_token", "a DER element is cut off")
    tag, length = data[start], data[start + 1]
    begin = start + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or len(data) < begin + size:
            raise RemoteProtocolError("bad_token", f"a DER length of {size} bytes")
        length = int.from_bytes(data[begin : begin + size], "big")
        begin += size
    end = begin + length
    if end > len(data):
        raise RemoteProtocolError("bad_token", f"a DER element of {length} bytes, {len(data) - begin} are there")
    return tag, data[begin:end], end


def _tlv(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length > 0x7FFF:
        raise LocalProtocolError(f"a token of {length} bytes")
    if length < 0x80:
        head = bytes((tag, length))
    elif length < 0x100:
        head = bytes((tag, 0x81, length))
    else:
        head = bytes((tag, 0x82, length >> 8, length & 0xFF))
    return head + value
