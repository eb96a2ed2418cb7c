# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB1: what we say, and what a server may and may not answer."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import (
    filetime,
    smb1,
    smb1_header,
    smb1_session,
    status,
    text,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import LocalProtocolError, RemoteProtocolError

OFFERED = ("PC NETWORK PROGRAM 1.0", "LANMAN1.0", smb1.NT_LM)


def message(
    command, words=b"", data=b"", nt_status=0, flags=0x88, flags2=0xC001, tid=0, uid=0, count=None, length=None
):
    return (
        struct.pack("<4sBIBHH8sHHHHH", b"\xffSMB", command, nt_status, flags, flags2, 0, bytes(8), 0, tid, 1, uid, 1)
        + bytes((len(words) // 2 if count is None else count,))
        + words
        + struct.pack("<H", len(data) if length is None else length)
        + data
    )


def nt(data, capabilities=0, index=2, mode=3, key=8, **of):
    words = struct.pack("<HBHHIIIIQhB", index, mode, 50, 1, 16644, 65536, 0, capabilities, 134398082880000000, -60, key)
    return message(smb1_header.NEGOTIATE, words, data, **of)


def lanman(data, index=1, key=8, date=0x5D76, time=0x3624, zone=-60):
    words = struct.pack("<HHHHHHIHHhHH", index, 3, 16644, 50, 1, 3, 0, time, date, zone, key, 0)
    return message(smb1_header.NEGOTIATE, words, data)


def utf16(value):
    return value.encode("utf-16-le")


def reason(function, *arguments, **options):
    with pytest.raises(RemoteProtocolError) as caught:
        function(*arguments, **options)
    assert caught.value.detail
    return caught.value.reason


def test_dialects_are_offered_oldest_first():
    request = smb1.negotiate_request(smb1.DIALECTS)
    assert request[:4] == b"\xffSMB" and request[4] == 0x72
    assert request[9] == 0x18 and request[10:12] == b"\x01\xc8"
    assert request[32] == 0
    offered = request[35:].split(b"\0")
    assert offered == [b"\x02" + name.encode("ascii") for name in smb1.DIALECTS] + [b""]
    assert struct.unpack_from("<H", request, 33) == (len(request) - 35,)
    assert smb1.negotiate_request(list(smb1.DIALECTS), extended_security=False)[10:12] == b"\x01\xc0"


@pytest.mark.parametrize("dialects", [(), ("x",) * 33, ("",), ("Ünicode",), ("a\0b",), ("x" * 65,)])
def test_dialects_that_cannot_be_offered(dialects):
    with pytest.raises(LocalProtocolError):
        smb1.negotiate_request(dialects)


def test_a_refusal_has_many_forms():
    for refused in (
        message(0x72, b"\xff\xff"),
        message(0x72),
        message(0x72, data=b"\xff\xff"),
        message(0x72, nt_status=status.NOT_SUPPORTED),
        message(0x72, nt_status=status.INVALID_SMB)[:32],
    ):
        assert smb1.negotiate_response(refused, OFFERED).dialect is None


def test_nt_lm_with_extended_security():
    answer = smb1.negotiate_response(nt(b"G" * 16 + b"token", 0x80000000, mode=0x0F), OFFERED)
    assert (answer.dialect, answer.word_count, answer.guid, answer.blob) == (smb1.NT_LM, 17, b"G" * 16, b"token")
    assert (answer.max_buffer, answer.time_zone) == (16644, -60)
    assert answer.security_mode & smb1.SIGNING_REQUIRED and answer.user_security


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_nt_lm_with_a_challenge(padding):
    names = padding + utf16("DOMAIN\0SERVER\0")
    answer = smb1.negotiate_response(nt(b"8 bytes!" + names, mode=0), OFFERED)
    assert (answer.challenge, answer.domain, answer.server) == (b"8 bytes!", "DOMAIN", "SERVER")
    assert not answer.user_security
    plain = smb1.negotiate_response(nt(b"8 bytes!DOMAIN\0SERVER\0", flags2=0x4001), OFFERED)
    assert (plain.domain, plain.server) == ("DOMAIN", "SERVER")
    bare = smb1.negotiate_response(nt(b"8 bytes!"), OFFERED)
    assert (bare.domain, bare.server) == ("", "")


def test_lan_manager_tells_its_local_time():
    answer = smb1.negotiate_response(lanman(b"8 bytes!DOMAIN\0"), OFFERED)
    assert (answer.dialect, answer.word_count, answer.challenge, answer.domain) == (
        "LANMAN1.0",
        13,
        b"8 bytes!",
        "DOMAIN",
    )
    assert filetime.iso(answer.system_time) == "2026-11-22T05:49:08.000Z"
    assert smb1.negotiate_response(lanman(b"8 bytes!", date=0), OFFERED).system_time == 0


def test_core():
    answer = smb1.negotiate_response(message(0x72, b"\0\0"), OFFERED)
    assert (answer.dialect, answer.word_count) == ("PC NETWORK PROGRAM 1.0", 1)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"", "truncated"),
        (b"\xffSMB" + bytes(27), "truncated"),
        (message(0x72, b"\xff\xff")[:34], "truncated"),
        (message(0x72)[:32], "truncated"),
        (message(0x72, count=255), "truncated"),
        (message(0x72, b"\xff\xff", length=1), "truncated"),
        (b"\xfeSMB" + bytes(60), "wrong_message"),
        (b"HTTP/1.1 400" + bytes(60), "not_smb"),
        (message(0x73), "wrong_message"),
        (message(0x72, b"\xff\xff", flags=0x08), "wrong_message"),
        (message(0x72, b"\3\0"), "not_offered"),
        (message(0x72, b"\2\0"), "bad_value"),
        (message(0x72, b"\1\0" * 3), "bad_value"),
        (nt(b"8 bytes!", index=1), "bad_value"),
        (nt(b"8 bytes!", index=3), "not_offered"),
        (lanman(b"8 bytes!", index=2), "bad_value"),
        (nt(b"8 byte"), "truncated"),
        (nt(b"x" * 200, key=65), "too_long"),
        (nt(b"G" * 15, 0x80000000), "truncated"),
        (lanman(b"", key=0xFFFF), "too_long"),
        (lanman(b"", key=8), "truncated"),
    ],
)
def test_what_a_server_must_not_say(reply, expected):
    assert reason(smb1.negotiate_response, reply, OFFERED) == expected


def test_an_echo_is_not_an_answer():
    request = smb1.negotiate_request(OFFERED)
    assert reason(smb1.negotiate_response, request, OFFERED) == "wrong_message"


# After NEGOTIATE


def setup(words, data, **of):
    return message(0x73, words, data, **of)


def test_requests_of_a_session():
    request = smb1_session.session_setup_request(b"token", uid=7, mid=3)
    assert request[4] == 0x73 and request[32] == 12 and request[10:12] == b"\x01\xc8"
    assert struct.unpack_from("<HH", request, 28) == (7, 3)
    assert struct.unpack_from("<HHHIHII", request, 37) == (4356, 2, 1, 0, 5, 0, 0x80000054)
    assert request[59:] == b"token" + utf16("Unix\0breakwater\0")  # even without padding
    assert smb1_session.session_setup_request(b"tokens")[59:] == b"tokens\0" + utf16("Unix\0breakwater\0")
    request = smb1_session.tree_connect_request("fs", uid=7)
    assert request[33:43] == b"\xff\0\0\0\0\0\1\0" + struct.pack("<H", 1 + 20 + 6)
    assert request[43:] == b"\0" + utf16("\\\\fs\\IPC$\0") + b"?????\0"
    request = smb1_session.peek_named_pipe_request(tid=1, uid=2)
    assert struct.unpack_from("<HH", request, 61) == (0x0023, 0)
    for function, options in (
        (smb1_session.session_setup_request, {"blob": b""}),
        (smb1_session.session_setup_request, {"blob": bytes(16385)}),
        (smb1_session.session_setup_request, {"blob": b"x", "uid": 65536}),
        (smb1_session.tree_connect_request, {"server": "", "uid": 1}),
        (smb1_session.peek_named_pipe_request, {"tid": -1, "uid": 5}),
    ):
        with pytest.raises(LocalProtocolError):
            function(**options)


def test_replies_of_a_session():
    words = struct.pack("<BBHHH", 0xFF, 0, 0, 1, 5)
    names = utf16("Windows 5.1\0Windows 2000 LAN Manager\0")
    answer = smb1_session.session_setup_response(setup(words, b"token" + names, uid=5))
    assert answer == smb1_session.SessionSetup1(0, 5, True, b"token", "Windows 5.1", "Windows 2000 LAN Manager", "")
    plain = setup(words[:6], b"Unix\0Samba\0GROUP\0", flags2=0x4001)
    assert smb1_session.session_setup_response(plain) == smb1_session.SessionSetup1(
        0, 0, True, b"", "Unix", "Samba", "GROUP"
    )
    refused = setup(b"", b"", nt_status=status.ACCESS_DENIED)
    assert smb1_session.session_setup_response(refused).status == status.ACCESS_DENIED
    assert reason(smb1_session.session_setup_response, setup(b"", b"")) == "bad_value"
    assert reason(smb1_session.session_setup_response, setup(bytes(4), b"")) == "bad_value"
    assert reason(smb1_session.session_setup_response, setup(words, b"toke")) == "truncated"


def test_a_tree_and_a_pipe():
    tree = message(0x75, bytes(6), b"IPC\0\0\0\0", tid=9)
    assert smb1_session.tree_connect_response(tree) == smb1_session.TreeConnect1(0, 9, "IPC")
    denied = message(0x75, nt_status=status.ACCESS_DENIED)
    assert smb1_session.tree_connect_response(denied) == smb1_session.TreeConnect1(status.ACCESS_DENIED)
    assert smb1_header.status(message(0x25, nt_status=status.INSUFF_SERVER_RESOURCES)) == 0xC0000205
    assert reason(smb1_header.status, denied) == "wrong_message"
    assert smb1_header.status(denied, smb1_header.TREE_CONNECT) == status.ACCESS_DENIED


# Text and times


def test_text_is_bounded_and_never_an_error():
    assert text.utf16(utf16("a" * 300)) == "a" * 256
    assert text.utf16(b"\x00\xd8a\0") == "\ufffda"
    assert text.utf16(b"a\0b") == "a\ufffd"
    assert text.utf16_strings(b"\0" + utf16("a\0\0b"), 3) == ["a", "", "b"]
    assert text.utf16_strings(utf16("\0b\0"), 2) == ["", "b"]
    assert text.utf16_strings(b"\0" * 65535, 3) == ["", "", ""]
    assert text.utf16_strings(b"", 2) == ["", ""]
    assert text.oem(b"caf\x82\0x") == "caf\x82"
    assert text.oem_strings(b"a\0b", 3) == ["a", "b", ""]


def test_times():
    assert filetime.unix(filetime.from_unix(1767225600.5)) == 1767225600.5
    assert filetime.iso(filetime.from_unix(1767225600.5)) == "2026-01-01T00:00:00.500Z"
    for unknown in (0, 2**64 - 1, filetime.UNIX_EPOCH + 253402300800 * filetime.TICKS):
        assert filetime.unix(unknown) is None and filetime.iso(unknown) == ""
    assert filetime.iso(unknown - 1) == "9999-12-31T23:59:59.999Z"
    assert filetime.from_dos(0x5D76, 0x3624, 0) == filetime.from_unix(1795330148)
    assert filetime.from_dos(0xFFFF, 0xFFFF, 0) == 0
