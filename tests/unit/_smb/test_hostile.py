# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a peer sends, a decoder gives a result or RemoteProtocolError; and what it gives is small.

Real replies cut off at every byte and changed at every byte; lengths, counts and offsets that lie; and chance.
"""

from __future__ import annotations

import itertools
import struct

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb import (
    framing,
    netbios,
    ntlmssp,
    smb1,
    smb1_header,
    smb1_session,
    smb2,
    smb2_contexts,
    smb2_session,
    spnego,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import REASONS, RemoteProtocolError
from tests.unit._smb.captured import REPLIES, find, step

OFFERS1 = ((smb1.NT_LM,) * 4, ("LANMAN2.1",) * 4)
ALL2 = (*smb2.DIALECTS, smb2.WILDCARD)
MANY = hypothesis.settings(max_examples=400, deadline=None)


def checked(decode, *arguments):
    """Return what a decoder gives, or None for RemoteProtocolError; anything else it raises fails the test."""
    try:
        return decode(*arguments)
    except RemoteProtocolError as error:
        assert error.reason in REASONS
        assert error.detail.isprintable() and len(error.detail) < 160
        return None


def decode_token(blob):
    answer = checked(spnego.parse, blob)
    if answer is None:
        return
    assert len(answer.mechanisms) <= spnego.MAX_MECHANISMS
    assert len(answer.hint) <= 256
    told = checked(ntlmssp.challenge, answer.token)
    if told is not None:
        assert len(told.pairs) <= ntlmssp.MAX_PAIRS
        for name in (told.target, told.netbios_computer, told.dns_computer, told.dns_forest):
            assert len(name) <= 256
        for reply in (ntlmssp.anonymous(told), ntlmssp.guest(told, "guest", client_challenge=bytes(8))):
            smb2_session.session_setup_request(1, 1, spnego.response(reply))


def decode_any(message):
    """Read a message as everything it might be."""
    answer = checked(smb2.negotiate_response, message, ALL2)
    if answer is not None:
        assert answer.dialect is None or answer.dialect in ALL2
        assert len(answer.contexts.types) <= smb2_contexts.MAX_CONTEXTS
        decode_token(answer.blob)
    session = checked(smb2_session.session_setup_response, message)
    if session is not None:
        decode_token(session.blob)
    for offered in OFFERS1:
        old = checked(smb1.negotiate_response, message, offered)
        if old is not None:
            assert old.dialect is None or old.dialect in offered
            assert max(len(old.domain), len(old.server)) <= 256
            decode_token(old.blob)
    old_session = checked(smb1_session.session_setup_response, message)
    if old_session is not None:
        assert max(len(old_session.native_os), len(old_session.native_lm), len(old_session.domain)) <= 256
        decode_token(old_session.blob)
    checked(smb1_session.tree_connect_response, message)
    checked(smb1_header.status, message)


def relevant(message, offered):
    """Read a message as what its first bytes say; the rest is refused by them, which other tests show."""
    if message[:1] == b"\xfe":
        decoders = (smb2.negotiate_response, ALL2), (smb2_session.session_setup_response,)
        decode, *arguments = decoders[1 if message[12:13] == b"\1" else 0]
    else:
        decoders = {
            smb1_header.SESSION_SETUP: (smb1_session.session_setup_response,),
            smb1_header.TREE_CONNECT: (smb1_session.tree_connect_response,),
            smb1_header.TRANSACTION: (smb1_header.status,),
        }
        decode, *arguments = decoders.get(message[4] if len(message) > 4 else 0, (smb1.negotiate_response, offered))
    answer = checked(decode, message, *arguments)
    decode_token(getattr(answer, "blob", b""))
    return answer


SERVERS = sorted({exchange.server for exchange in REPLIES})


@pytest.mark.parametrize("server", SERVERS)
def test_every_capture_cut_off_at_every_byte(server):
    cut = 0
    for exchange in (x for x in REPLIES if x.server == server):
        message = exchange.message
        whole = relevant(message, exchange.offered)
        assert whole is not None
        for length in range(len(message)):
            answer = relevant(message[:length], exchange.offered)
            cut += answer is None
            # A piece is never read as another answer: only what follows the last field may be missing.
            if answer is not None and getattr(answer, "dialect", None):
                assert answer == whole
        frames = framing.Frames()
        assert frames.receive(exchange.reply[:-1]) == [] and frames.partial
    assert cut > 500


@pytest.mark.parametrize("server", SERVERS)
def test_every_capture_with_every_byte_changed(server):
    refused = taken = 0
    for exchange in (x for x in REPLIES if x.server == server):
        message = exchange.message
        for place in range(len(message)):
            for change in (0xFF, 0x01, 0x80):
                changed = bytearray(message)
                changed[place] ^= change
                if relevant(bytes(changed), exchange.offered) is None:
                    refused += 1
                else:
                    taken += 1
    assert refused > 200 and taken > 200


def test_captures_read_as_everything():
    for exchange in REPLIES:
        decode_any(exchange.message)
        decode_any(exchange.request[4:])
        decode_any(exchange.reply)


SAMPLES = [
    find("default", "smb2_all"),
    find("default", "smb2_0202"),
    find("nt1", "smb1_ntlm012"),
    find("nt1", "smb1_ntlm012_noext"),
    find("lanman", "smb1_lanman_only"),
    step("default", "anon setup1"),
    step("impacket_smb2", "anon setup1"),
    step("nt1", "peek setup"),
    step("nt1", "peek tcon"),
]
NASTY = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0xFFFFFFF8, 0xFFFFFFFF]


@pytest.mark.parametrize("exchange", SAMPLES, ids=str)
def test_every_number_lies(exchange):
    """Each word and double word of a message becomes each of some numbers that tend to break decoders."""
    message = exchange.message
    for place, value in itertools.product(range(len(message) - 3), NASTY):
        for size in (2, 4):
            lie = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            relevant(message[:place] + lie + message[place + size :], exchange.offered)


@MANY
@given(st.sampled_from(SAMPLES), st.data())
def test_many_changes_at_once(exchange, data):
    message = exchange.message
    changed = bytearray(message)
    for place, value in data.draw(
        st.dictionaries(st.integers(0, len(message) - 1), st.integers(0, 255), max_size=12)
    ).items():
        changed[place] = value
    decode_any(bytes(changed) + data.draw(st.binary(max_size=40)))


@MANY
@given(
    st.sampled_from([b"", b"\xfeSMB", b"\xffSMB", b"NTLMSSP\0", b"\x60\x48\x06\x06+\6\1\5\5\2\xa0"]),
    st.binary(max_size=400),
)
def test_chance(start, rest):
    decode_any(start + rest)
    decode_token(start + rest)
    checked(netbios.node_status_response, start + rest, 0)
    checked(framing.Frames().receive, start + rest)


contexts = st.lists(
    st.tuples(st.integers(0, 9) | st.just(0x100), st.binary(max_size=60), st.integers(-8, 8)), max_size=40
)


@MANY
@given(contexts, st.integers(0, 40) | st.just(65535), st.integers(0, 0xFFFFFFFF) | st.just(128), st.booleans())
def test_contexts_of_all_kinds(bodies, count, start, honest):
    blob = b""
    for kind, body, lie in bodies:
        length = len(body) if honest else max(0, len(body) + lie)
        blob += struct.pack("<HHI", kind, length, 0) + body
        blob += bytes(-len(blob) % 8)
    head = find("default", "smb2_all").message[:128]
    head = head[:70] + struct.pack("<H", len(bodies) if honest else count) + head[72:120] + bytes(4)
    decode_any(head + struct.pack("<I", 128 if honest else start) + blob)


der = st.recursive(
    st.binary(max_size=20),
    lambda inner: st.builds(
        lambda tag, parts, lie: bytes((tag, max(0, min(127, sum(map(len, parts)) + lie)))) + b"".join(parts),
        st.sampled_from([0x60, 0xA0, 0xA1, 0xA2, 0xA3, 0x30, 0x04, 0x06, 0x0A, 0x1B]),
        st.lists(inner, max_size=4),
        st.sampled_from([0, 0, 0, 1, -1, 100]),
    ),
    max_leaves=12,
)


@MANY
@given(der)
def test_nested_der(blob):
    decode_token(blob)
    decode_token(spnego._OID_SPNEGO.join((b"\x60\x7f", blob)))


@MANY
@given(st.binary(max_size=80), st.integers(0, 255), st.binary(max_size=300), st.integers(0, 0xFFFF))
def test_name_tables_of_all_kinds(name, count, rows, length):
    head = struct.pack(">HHHHHH", 1, 0x8400, 0, 1, 0, 0)
    for before in (name + b"\0", b"\xc0\x0c"):
        data = head + before + struct.pack(">HHIH", 0x21, 1, 0, length) + bytes((count,)) + rows
        answer = checked(netbios.node_status_response, data, 1)
        assert answer is None or len(answer.names) <= 255


def test_a_long_token_costs_no_more_than_it_is_long():
    for blob in (b"\xa0\x82\xff\xf0" * 16000, b"\xa1\x83\0\xff\xfc\x30\x83\0\xff\xf7" + b"\xa2\0" * 32763):
        assert checked(spnego.parse, blob) is None
    before = spnego._parse_cached.cache_info().maxsize
    for number in range(200):
        spnego.parse(b"NTLMSSP\0" + number.to_bytes(2, "little"))
        spnego.parse(b"NTLMSSP\0" + bytes(60000) + number.to_bytes(2, "little"))
    assert spnego._parse_cached.cache_info().currsize <= before == 64
