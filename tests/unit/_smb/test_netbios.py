# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBIOS: the example of RFC 1001, session replies, and name tables of nodes."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import netbios
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import LocalProtocolError, RemoteProtocolError
from ansible_collections.breakwater.smb.plugins.module_utils._smb.framing import Frame
from ansible_collections.breakwater.smb.plugins.module_utils._smb.netbios import NetbiosName, SessionResponse

ASTERISK = netbios.encode_name("*", 0, fill="\0")


def row(name, suffix, flags):
    return name.ljust(15).encode("latin-1") + bytes((suffix,)) + flags.to_bytes(2, "big")


def table(rows, rest=bytes(46), transaction=0x1234, flags=0x8400, name=ASTERISK, count=None):
    record = bytes((len(rows) if count is None else count,)) + b"".join(rows) + rest
    head = b"".join(value.to_bytes(2, "big") for value in (transaction, flags, 0, 1, 0, 0))
    return head + name + b"\0\x21\0\x01\0\0\0\0" + len(record).to_bytes(2, "big") + record


ROWS = [
    row("FILES", 0x00, 0x0400),
    row("FILES", 0x20, 0x0400),
    row("WORKGROUP", 0x00, 0x8400),
    row("\x01\x02__MSBROWSE__\x02", 0x01, 0x8C00),
]


def test_a_name_is_written_in_half_bytes():
    # RFC 1001 14.1: "FRED" with twelve blanks
    assert netbios.encode_name("Fred", 0x20) == b"\x20EGFCEFEECACACACACACACACACACACACA\0"
    assert netbios.encode_name("*", 0, fill="\0") == b"\x20CK" + b"A" * 30 + b"\0"
    for name in ("", "SIXTEEN-CHARS-16", "Ω"):
        with pytest.raises(LocalProtocolError):
            netbios.encode_name(name, 0)


def test_a_session_request_names_both_ends():
    request = netbios.session_request()
    assert request[:4] == b"\x81\0\0\x44"
    assert len(request) == 4 + 0x44
    assert request[4:38] == netbios.encode_name("*SMBSERVER", 0x20)
    assert request[38:] == netbios.encode_name("BREAKWATER", 0x00)


def test_session_replies():
    assert netbios.session_response(Frame(0x82, b"")) == SessionResponse("positive")
    assert netbios.session_response(Frame(0x83, b"\x82")) == SessionResponse("negative", 0x82)
    assert netbios.SESSION_ERRORS[0x82] == "called name not present"
    assert netbios.session_response(Frame(0x84, b"\xc0\0\2\7\1\xbd")) == SessionResponse(
        "retarget", address="192.0.2.7", port=445
    )
    for frame, reason in (
        (Frame(0x83, b""), "truncated"),
        (Frame(0x84, b"\xc0\0\2\7\1"), "truncated"),
        (Frame(0x00, b"\xfeSMB"), "wrong_message"),
        (Frame(0x81, b""), "wrong_message"),
    ):
        with pytest.raises(RemoteProtocolError) as caught:
            netbios.session_response(frame)
        assert caught.value.reason == reason


def test_a_node_status_request():
    request = netbios.node_status_request(0x1234)
    assert request.hex() == "12340000000100000000000020434b" + "41" * 30 + "0000210001"
    with pytest.raises(LocalProtocolError):
        netbios.node_status_request(0x10000)


def test_a_nodes_names():
    mac = bytes.fromhex("020000aabbcc") + bytes(40)
    status = netbios.node_status_response(table(ROWS, mac), 0x1234)
    assert status.mac == "02:00:00:aa:bb:cc"
    assert status.names == (
        NetbiosName("FILES", 0x00, group=False, active=True),
        NetbiosName("FILES", 0x20, group=False, active=True),
        NetbiosName("WORKGROUP", 0x00, group=True, active=True),
        NetbiosName("\x01\x02__MSBROWSE__\x02", 0x01, group=True, active=False),  # in conflict
    )


@pytest.mark.parametrize("rest", [b"", bytes(3), bytes(46), b"\1\2\3"])
def test_a_mac_that_is_not_told(rest):
    assert netbios.node_status_response(table(ROWS, rest), 0x1234).mac == ""


def test_a_record_named_by_a_pointer_or_in_a_scope():
    expected = netbios.node_status_response(table(ROWS), 0x1234)
    assert netbios.node_status_response(table(ROWS, name=b"\xc0\x0c"), 0x1234) == expected
    scoped = ASTERISK[:-1] + b"\x05scope\0"
    assert netbios.node_status_response(table(ROWS, name=scoped), 0x1234) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (table(ROWS)[:11], "truncated"),
        (table(ROWS)[:60], "truncated"),
        (table(ROWS, count=255), "truncated"),
        (table(ROWS, transaction=1), "wrong_message"),
        (netbios.node_status_request(0x1234), "wrong_message"),
        (table(ROWS, flags=0x8403), "bad_value"),
        (table(ROWS).replace(b"\0\x21\0\x01", b"\0\x20\0\x01"), "wrong_message"),
        (table(ROWS, name=b"\x3fxx"), "wrong_message"),  # leads into the middle of the record
        (table(ROWS, name=b"\x80\x40"), "bad_value"),
        (table(ROWS, name=b"\x01x" * 200), "bad_value"),
    ],
)
def test_what_is_no_node_status(data, reason):
    with pytest.raises(RemoteProtocolError) as caught:
        netbios.node_status_response(data, 0x1234)
    assert caught.value.reason == reason
