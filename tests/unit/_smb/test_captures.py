# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every captured exchange, held against what its summary says of it; and our requests against those that were sent."""

from __future__ import annotations

import collections
import struct

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import (
    filetime,
    framing,
    ntlmssp,
    smb1,
    smb1_header,
    smb1_session,
    smb2,
    smb2_header,
    smb2_session,
    spnego,
    status,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import RemoteProtocolError
from tests.unit._smb import captured
from tests.unit._smb.captured import EXCHANGES, REPLIES, Exchange, step

SERVERS = sorted({exchange.server for exchange in EXCHANGES})
SESSIONS = [server for server in SERVERS if (captured.FOLDER / server / "session.hex").exists()]
SAMBA_SESSIONS = ["default", "guest", "nt1", "strict"]


# What was asked, read by other code than the one under test.


def smb2_offer(request: bytes) -> dict:
    message = request[4:]
    (count,) = struct.unpack_from("<H", message, 66)
    offer = {"dialects": struct.unpack_from(f"<{count}H", message, 100), "guid": message[76:92]}
    offer.update(salt=b"", ciphers=(), signing=(), compression=(), rdma=(), transport=False, netname="")
    if 0x0311 not in offer["dialects"] or "1103" not in message.hex():
        return offer
    start, contexts = struct.unpack_from("<IH", message, 92)
    for _index in range(contexts):
        kind, length = struct.unpack_from("<HH", message, start)
        body = message[start + 8 : start + 8 + length]
        number = body[0]
        if kind == 1:
            offer["salt"] = body[6:]
        elif kind in (2, 8):
            offer["ciphers" if kind == 2 else "signing"] = struct.unpack_from(f"<{number}H", body, 2)
        elif kind in (3, 7):
            offer["compression" if kind == 3 else "rdma"] = struct.unpack_from(f"<{number}H", body, 8)
        elif kind == 5:
            offer["netname"] = body.decode("utf-16-le")
        elif kind == 6:
            offer["transport"] = True
        start += 8 + length
        start += -start % 8
    return offer


# The summary's wording, made from what we decode.


def told_smb1(message: bytes, offered: list[str]) -> str:
    answer = smb1.negotiate_response(message, offered)
    index = offered.index(answer.dialect) if answer.dialect else 0xFFFF if answer.word_count else None
    mode = answer.security_mode if answer.word_count == 17 else None
    return f"SMB1 st={answer.status:x} wc={answer.word_count} idx={index} sec={mode} caps={answer.capabilities:#x}"


def told_smb2(message: bytes, offered, **algorithms) -> str:
    answer = smb2.negotiate_response(message, offered, **algorithms)
    if answer.dialect is None:
        return f"SMB2 st={answer.status:x}"
    contexts = {}
    if answer.dialect == 0x0311:
        contexts[1] = "010020000100" + answer.contexts.salt[:6].hex()
    if answer.contexts.cipher is not None:
        contexts[2] = struct.pack("<HH", 1, answer.contexts.cipher).hex()
    if answer.contexts.signing is not None:
        contexts[8] = struct.pack("<HH", 1, answer.contexts.signing).hex()
    sizes = f"{answer.max_transact:x}/{answer.max_read:x}/{answer.max_write:x}"
    return (
        f"SMB2 {answer.dialect:04x} sec={answer.security_mode:x} caps={answer.capabilities:x} max={sizes}"
        f" boot={answer.boot_time} ctx={contexts}"
    )


def told_session(message: bytes) -> str:
    answer = smb2_session.session_setup_response(message, message_id=1)
    return f"raw {message[:4]!r} st={answer.status.to_bytes(4, 'little').hex()} len={len(message) + 4}"


def told(exchange: Exchange, extra: tuple[int, ...] = ()) -> str:
    message, request = exchange.message, exchange.request[4:]
    if request.startswith(smb1_header.PROTOCOL):
        if message.startswith(smb2_header.PROTOCOL):
            return told_smb2(message, (smb2.WILDCARD, 0x0202))
        return told_smb1(message, exchange.offered)
    if request[12] == smb2_header.SESSION_SETUP:
        return told_session(message)
    offer = smb2_offer(exchange.request)
    names = ("ciphers", "signing", "compression")
    return told_smb2(message, (*offer["dialects"], *extra), **{name: offer[name] for name in names})


def test_nothing_is_missing():
    assert len(SERVERS) == 13
    assert len(EXCHANGES) == 619
    assert collections.Counter(bool(exchange.reply) for exchange in EXCHANGES) == {True: 530, False: 89}
    assert sum(bool(exchange.told) for exchange in EXCHANGES) == 562
    assert sum(exchange.name == "session" for exchange in EXCHANGES) == 57


@pytest.mark.parametrize("exchange", [x for x in EXCHANGES if x.told], ids=str)
def test_a_reply_is_what_its_summary_says(exchange):
    if not exchange.reply:
        assert exchange.told.partition("(")[0] in ("EOF", "ConnectionResetError")
        return
    (frame,) = framing.Frames().receive(exchange.reply)
    assert frame == (0, exchange.message)
    if exchange.told.startswith("SMB2 0202") and exchange.request[4:8] == smb2_header.PROTOCOL:
        offered = smb2_offer(exchange.request)["dialects"]
        if 0x0202 not in offered:
            # impacket answers 2.0.2 to whatever was asked.
            assert exchange.server.startswith("impacket")
            with pytest.raises(RemoteProtocolError) as caught:
                told(exchange)
            assert caught.value.reason == "not_offered"
            assert told(exchange, extra=(0x0202,)) == exchange.told
            return
    assert told(exchange) == exchange.told


BUILT = [x for x in EXCHANGES if x.request[4:8] == smb1_header.PROTOCOL and x.request[8] == smb1_header.NEGOTIATE]


@pytest.mark.parametrize("exchange", BUILT, ids=str)
def test_our_smb1_negotiate_is_the_one_that_was_sent(exchange):
    extended = bool(exchange.request[4 + 11] & 0x08)
    ours = smb1.negotiate_request(exchange.offered, extended_security=extended)
    assert framing.direct(ours) == exchange.request


# Offers that no client may make, sent to see what servers say; this codec does not build them.
UNUSUAL = (
    "smb2_unknown", "smb2_zero", "smb2_02ff", "smb2_all_noctx", "smb2_311_nopreauth", "smb2_311_salt0", "smb2_secmode0",
)  # fmt: skip
USUAL = [
    x
    for x in EXCHANGES
    if x.request[4:8] == smb2_header.PROTOCOL
    and x.request[16] == smb2_header.NEGOTIATE
    and not (x.name.startswith(UNUSUAL) and x.number == 0)
]


@pytest.mark.parametrize("exchange", USUAL, ids=str)
def test_our_smb2_negotiate_is_the_one_that_was_sent(exchange):
    offer = smb2_offer(exchange.request)
    ours = smb2.negotiate_request(message_id=exchange.request[4 + 24], **offer)
    assert framing.direct(ours) == exchange.request


# What the summary does not say: sessions, step by step.


@pytest.mark.parametrize("server", SAMBA_SESSIONS)
def test_an_anonymous_session_with_samba(server):
    first, second = step(server, "anon setup1"), step(server, "anon setup2")
    ours = smb2_session.session_setup_request(1, 0, spnego.init(ntlmssp.negotiate()))
    assert framing.direct(ours) == first.request
    answer = smb2_session.session_setup_response(first.message, message_id=1)
    assert answer.status == status.MORE_PROCESSING_REQUIRED
    assert answer.session_id
    token = spnego.parse(answer.blob)
    assert token.mechanisms == ("NTLMSSP",)
    assert token.state == spnego.ACCEPT_INCOMPLETE
    challenge = ntlmssp.challenge(token.token)
    name = "LAB" + server.upper()
    assert (challenge.target, challenge.netbios_computer, challenge.netbios_domain) == (name, name, name)
    assert (challenge.dns_computer, challenge.dns_domain, challenge.dns_forest) == ("vm", "", "")
    assert (challenge.version, challenge.revision) == ("6.1.0", 15)
    assert 0 < challenge.time < 134400000000000000
    blob = spnego.response(ntlmssp.anonymous(challenge))
    assert framing.direct(smb2_session.session_setup_request(2, answer.session_id, blob)) == second.request
    last = smb2_session.session_setup_response(second.message, message_id=2)
    # Samba's anonymous session has no flag: the status decides.
    expected = {"strict": status.ACCESS_DENIED}.get(server, status.SUCCESS)
    assert (last.status, last.flags & ~smb2_session.ENCRYPT_DATA) == (expected, 0)
    if not last.status:
        assert spnego.parse(last.blob).state == spnego.ACCEPT_COMPLETED


def test_an_anonymous_session_with_impacket():
    answer = smb2_session.session_setup_response(step("impacket_smb2", "anon setup1").message)
    challenge = ntlmssp.challenge(spnego.parse(answer.blob).token)
    assert (challenge.version, challenge.revision) == ("255.255.65535", 255)
    last = smb2_session.session_setup_response(step("impacket_smb2", "anon setup2").message)
    assert (last.status, last.flags) == (status.SUCCESS, smb2_session.NULL)


@pytest.mark.parametrize(
    ("server", "expected", "flags"),
    [
        ("default", status.INVALID_PARAMETER, 0),  # what was sent as NTLMv2 response was not one
        ("impacket_smb2", status.SUCCESS, smb2_session.GUEST),
        ("impacket_smb1", status.NOT_SUPPORTED, 0),
    ],
)
def test_a_session_for_an_unknown_user(server, expected, flags):
    last = smb2_session.session_setup_response(step(server, "badusr setup2").message)
    assert (last.status, last.flags) == (expected, flags)


PEEKED = ["nt1", "nt1only", "impacket_smb1", "impacket_smb2"]


@pytest.mark.parametrize("server", PEEKED)
def test_the_four_steps_to_a_pipe(server, monkeypatch):
    monkeypatch.setattr(smb1_session, "_NATIVE_LM", "probe")  # what was sent then
    setup, tree, pipe = (step(server, f"peek {name}") for name in ("setup", "tcon", "trans"))
    assert framing.direct(smb1_session.null_session_request()) == setup.request
    session = smb1_session.session_setup_response(setup.message)
    assert (session.status, session.guest, session.blob) == (0, False, b"")
    if server.startswith("nt1"):
        assert (session.native_os, session.native_lm) == ("Windows 6.1", "Samba 4.17.12-Debian")
        assert session.domain == "LABGROUP"
    else:
        assert session.native_os[:8].isalpha()  # impacket ends these strings with one zero byte instead of two
    ours = smb1_session.tree_connect_request("127.0.0.1", uid=session.uid)
    assert framing.direct(ours) == tree.request
    connected = smb1_session.tree_connect_response(tree.message)
    assert (connected.status, connected.service) == (0, "IPC")
    ours = smb1_session.peek_named_pipe_request(tid=connected.tid, uid=session.uid)
    assert framing.direct(ours) == pipe.request
    expected = status.INVALID_HANDLE if server.startswith("nt1") else status.NOT_IMPLEMENTED
    assert smb1_header.status(pipe.message) == expected


# What wire.md has found beyond single fields.


@pytest.mark.parametrize("server", ["default", "strict", "nosign", "nt1"])
def test_samba_gives_its_name_away(server):
    answer = smb2.negotiate_response(captured.find(server, "smb2_0311").message, smb2.DIALECTS)
    assert answer.guid.rstrip(b"\0").decode("ascii") == "lab" + server
    assert answer.signing_required is (server == "strict")
    assert answer.boot_time == 0
    assert spnego.parse(answer.blob) == spnego.Spnego(("NTLMSSP",), b"", "not_defined_in_RFC4178@please_ignore")


def test_impacket_gives_itself_away():
    answer = smb2.negotiate_response(captured.find("impacket_smb2", "smb2_0202").message, smb2.DIALECTS)
    assert answer.guid == b"A" * 16
    assert answer.boot_time == answer.system_time != 0
    refused = smb1.negotiate_response(captured.find("impacket_smb2", "smb1_unknown").message, ("FOO 1.0",))
    assert (refused.dialect, refused.status, refused.word_count) == (None, 0, 0)


def test_smb1_tells_names_and_a_challenge_or_a_token():
    offered = (smb1.NT_LM,)
    plain = smb1.negotiate_response(captured.find("nt1", "smb1_ntlm012_noext").message, offered)
    assert (plain.domain, plain.server, len(plain.challenge)) == ("LABGROUP", "LABNT1", 8)
    assert (plain.max_buffer, plain.guid, plain.blob, plain.user_security) == (16644, b"", b"", True)
    extended = smb1.negotiate_response(captured.find("nt1", "smb1_ntlm012").message, offered)
    assert extended.guid.rstrip(b"\0") == b"labnt1"
    assert spnego.parse(extended.blob).mechanisms == ("NTLMSSP",)
    assert (extended.challenge, extended.domain) == (b"", "")
    old = ("LANMAN1.0", "LM1.2X002", "LANMAN2.1")
    lanman = smb1.negotiate_response(captured.find("lanman", "smb1_lanman_only").message, old)
    assert (lanman.dialect, lanman.word_count, len(lanman.challenge)) == ("LANMAN2.1", 13, 8)
    assert (lanman.security_mode, lanman.max_buffer) == (3, 16644)
    assert filetime.iso(lanman.system_time) == "2026-11-22T06:49:08.000Z"


def test_the_strongest_cipher_context_hides_the_capability():
    """3.1.1 sets the encryption bit only where no cipher was negotiated."""
    encryption = 0x40
    for name, cipher in (("smb2_311_preauth_only", None), ("smb2_311_cipher3", 3)):
        answer = smb2.negotiate_response(captured.find("default", name).message, smb2.DIALECTS)
        assert answer.contexts.cipher == cipher
        assert bool(answer.capabilities & encryption) is (cipher is None)


def test_every_reply_is_for_one_command_only():
    for exchange in REPLIES:
        message = exchange.message
        if message.startswith(smb2_header.PROTOCOL):
            decoders = [(smb2.negotiate_response, (smb2.DIALECTS,)), (smb2_session.session_setup_response, ())]
            wrong = decoders[1 - message[12]]
        else:
            wrong = (
                (smb1_session.tree_connect_response, ())
                if message[4] != smb1_header.TREE_CONNECT
                else (smb1_header.status, ())
            )
        with pytest.raises(RemoteProtocolError) as caught:
            wrong[0](message, *wrong[1])
        assert caught.value.reason == "wrong_message"
