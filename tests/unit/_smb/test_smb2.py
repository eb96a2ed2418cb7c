# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB2: what we say, and what a server may and may not answer."""

from __future__ import annotations

import os
import struct

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import smb2, smb2_contexts, smb2_session, status
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import LocalProtocolError, RemoteProtocolError
from ansible_collections.breakwater.smb.plugins.module_utils._smb.smb2 import DIALECTS
from ansible_collections.breakwater.smb.plugins.module_utils._smb.smb2_contexts import Contexts

GUID = bytes(range(16))
SALT = bytes(range(100, 132))


def header(command=0, nt_status=0, flags=1, message_id=0, size=64, session=0):
    return struct.pack(
        "<4sHHIHHIIQIIQ16s", b"\xfeSMB", size, 0, nt_status, command, 1, flags, 0, message_id, 0, 0, session, bytes(16)
    )


def context(kind, body, length=None):
    data = struct.pack("<HHI", kind, len(body) if length is None else length, 0) + body
    return data + bytes(-len(data) % 8)


PREAUTH = context(1, struct.pack("<HHH", 1, 32, 1) + SALT)
CIPHER = context(2, struct.pack("<HH", 1, 2))


def reply(
    dialect=0x0311, contexts=(PREAUTH, CIPHER), count=None, start=None, blob=b"", blob_start=None, size=65, mode=1, **of
):
    end = 128 + len(blob)
    padding = -end % 8
    return (
        header(**of)
        + struct.pack(
            "<HHHH16sIIIIQQHHI", size, mode, dialect, len(contexts) if count is None else count, GUID, 0x7F, 1, 2, 3, 4, 5,
            128 if blob_start is None else blob_start, len(blob), end + padding if start is None else start,
        )
        + blob
        + bytes(padding)
        + b"".join(contexts)
    )  # fmt: skip


def reason(message, offered=DIALECTS, **options):
    with pytest.raises(RemoteProtocolError) as caught:
        smb2.negotiate_response(message, offered, **options)
    assert caught.value.detail
    return caught.value.reason


def test_signing_is_offered_and_never_demanded():
    for offered in (*((dialect,) for dialect in DIALECTS), DIALECTS):
        request = smb2.negotiate_request(offered, guid=GUID, salt=SALT)
        assert struct.unpack_from("<HHH", request, 64) == (36, len(offered), 1)
        assert request[48:64] == bytes(16)  # the signature
        assert struct.unpack_from("<H", request, 14) == (1,)  # credits


@pytest.mark.parametrize(
    ("offered", "capabilities"),
    [((0x0202,), 0), ((0x0202, 0x0210), 0), ((0x0300,), 0x7F), ((0x0210, 0x0302), 0x7F), (DIALECTS, 0x7F)],
)
def test_capabilities_belong_to_3(offered, capabilities):
    request = smb2.negotiate_request(offered, guid=GUID, salt=SALT)
    assert struct.unpack_from("<I", request, 72) == (capabilities,)
    assert request[76:92] == (bytes(16) if offered == (0x0202,) else GUID)


def test_capabilities_may_be_kept_back():
    whole = smb2.negotiate_request(DIALECTS, guid=GUID, salt=SALT)
    plain = smb2.negotiate_request(DIALECTS, guid=GUID, salt=SALT, capabilities=False)
    assert plain == whole[:72] + bytes(4) + whole[76:]


@pytest.mark.parametrize("count", range(1, 6))
def test_contexts_are_aligned_and_end_with_the_last(count):
    request = smb2.negotiate_request(DIALECTS[-count:], guid=GUID, salt=SALT, netname="ab", transport=True, rdma=(1, 2))
    start, number = struct.unpack_from("<IH", request, 92)
    assert start % 8 == 0 and start - (100 + 2 * count) < 8
    kinds = []
    for _index in range(number):
        assert start % 8 == 0
        kind, length = struct.unpack_from("<HH", request, start)
        kinds.append(kind)
        end = start + 8 + length
        start = end + -end % 8
    assert kinds == [1, 2, 3, 5, 6, 7, 8]
    assert end == len(request)


def test_no_contexts_without_3_1_1():
    request = smb2.negotiate_request(DIALECTS[:4], guid=GUID)
    assert len(request) == 100 + 8
    assert request[92:100] == bytes(8)


def test_requests_for_one_offer_differ_in_id_guid_and_salt_alone():
    one = smb2.negotiate_request(DIALECTS, guid=GUID, salt=SALT)
    other = smb2.negotiate_request(DIALECTS, message_id=0x0102030405060708, guid=bytes(16), salt=bytes(32))
    start = one.index(SALT)
    assert start % 8 == 6  # behind the context's header and three words
    differing = {i for i, (a, b) in enumerate(zip(one, other)) if a != b}  # noqa: B905  (3.9 knows no strict)
    assert len(one) == len(other)
    assert differing == {*range(24, 32), *range(77, 92), *range(start, start + 32)}
    assert smb2.negotiate_request(list(DIALECTS), guid=GUID, salt=SALT, ciphers=[2, 1, 4, 3]) == one


@pytest.mark.parametrize(
    "options",
    [
        {"dialects": ()},
        {"dialects": (0x02FF,)},
        {"dialects": (0x0999, 0x0202)},
        {"dialects": (0x0202, 0x0202)},
        {"guid": b"short"},
        {"salt": b""},
        {"salt": bytes(31)},
        {"message_id": -1},
        {"message_id": 1 << 64},
        {"ciphers": (5,)},
        {"ciphers": (1, 1)},
        {"signing": (3,)},
        {"compression": (6,)},
        {"rdma": (9,)},
        {"netname": "x" * 256},
    ],
)
def test_what_we_must_not_say(options):
    with pytest.raises(LocalProtocolError):
        smb2.negotiate_request(**{"dialects": DIALECTS, "guid": GUID, "salt": SALT, **options})


def test_a_reply():
    answer = smb2.negotiate_response(reply(blob=b"token", mode=3), DIALECTS)
    assert answer == smb2.Negotiate2(
        0, 0x0311, 3, 0x7F, 1, 2, 3, GUID, 4, 5, b"token", Contexts((1, 2), cipher=2, salt=SALT)
    )
    assert answer.signing_required
    assert smb2.capability_names(answer.capabilities)[0] == "DFS"
    assert smb2.capability_names(0x80000180) == ("NOTIFICATIONS", "0x00000100", "0x80000000")


def test_all_contexts():
    contexts = [
        context(8, struct.pack("<HH", 1, 2)),
        context(3, struct.pack("<HHI3H", 3, 0, 1, 4, 1, 5)),
        context(0x100, os.urandom(16)),
        context(7, struct.pack("<HHI2H", 2, 0, 0, 1, 2)),
        context(6, struct.pack("<I", 1)),
        PREAUTH,
        context(2, struct.pack("<HH", 1, 0)),
    ]
    found = smb2.negotiate_response(reply(contexts=contexts), DIALECTS).contexts
    assert found == Contexts((8, 3, 0x100, 7, 6, 1, 2), 0, 2, (4, 1, 5), True, (1, 2), 1, SALT)
    assert len(found.types) < smb2_contexts.MAX_CONTEXTS


def test_contexts_that_are_not_known_may_come_twice():
    strange = context(0x77, b"x")
    found = smb2.negotiate_response(reply(contexts=(strange, PREAUTH, CIPHER, strange)), DIALECTS)
    assert (found.dialect, found.contexts.cipher) == (0x0311, 2)


def test_contexts_of_older_dialects_are_not_read():
    answer = smb2.negotiate_response(reply(0x0302, contexts=(), count=65535, start=99999), DIALECTS)
    assert (answer.dialect, answer.contexts) == (0x0302, Contexts())


@pytest.mark.parametrize("code", [status.NOT_SUPPORTED, status.INVALID_PARAMETER, status.PENDING])
def test_a_refusal_is_its_status(code):
    for body in (b"", b"\x09\0\0\0\0\0\0\0", b"\x09\0\0\0\0\0\0\0\0"):
        assert smb2.negotiate_response(header(nt_status=code) + body, DIALECTS) == smb2.Negotiate2(code)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", "truncated"),
        (b"\xfeSM", "truncated"),
        (header()[:63], "truncated"),
        (b"GET / HTTP/1.0\r\n", "not_smb"),
        (bytes(200), "not_smb"),
        (b"\xffSMB" + bytes(100), "wrong_message"),
        (b"\xfdSMB" + bytes(100), "wrong_message"),
        (b"\xfcSMB" + bytes(100), "wrong_message"),
        (reply(size=64), "bad_value"),
        (reply(flags=0), "wrong_message"),
        (reply(command=1), "wrong_message"),
        (header(size=65), "bad_value"),
        (header(), "truncated"),
        (reply()[:127], "truncated"),
        (reply(dialect=0x02FF), "not_offered"),
        (reply(dialect=0x0310), "not_offered"),
        (reply(dialect=0), "not_offered"),
        (reply(blob=b"token", blob_start=127), "bad_offset"),
        (reply(blob=b"token", blob_start=65535), "bad_offset"),
        (reply(count=33), "too_many"),
        (reply(count=65535), "too_many"),
        (reply(count=3), "truncated"),
        (reply(start=120), "bad_offset"),
        (reply(start=132), "bad_offset"),
        (reply(start=0xFFFFFFF8), "bad_offset"),
        (reply(contexts=()), "missing"),
        (reply(contexts=(CIPHER,)), "missing"),
        (reply(contexts=(PREAUTH, PREAUTH)), "bad_value"),
        (reply(contexts=(PREAUTH, context(2, b"\1\0\2\0", length=65535))), "truncated"),
        (reply(contexts=(PREAUTH, context(2, b"\1\0"))), "truncated"),
        (reply(contexts=(PREAUTH, context(2, b"\2\0\2\0\1\0"))), "bad_value"),
        (reply(contexts=(PREAUTH, context(2, b"\1\0\5\0"))), "not_offered"),
        (reply(contexts=(PREAUTH, context(8, b"\0\0\2\0"))), "bad_value"),
        (reply(contexts=(PREAUTH, context(8, b"\1\0\3\0"))), "not_offered"),
        (reply(contexts=(PREAUTH, context(3, bytes(8)))), "bad_value"),
        (reply(contexts=(PREAUTH, context(3, bytes(7)))), "truncated"),
        (reply(contexts=(PREAUTH, context(3, b"\xff\xff" + bytes(8)))), "truncated"),
        (reply(contexts=(PREAUTH, context(3, b"\1\0" + bytes(6) + b"\6\0"))), "not_offered"),
        (reply(contexts=(PREAUTH, context(6, b"\1"))), "truncated"),
        (reply(contexts=(context(1, b"\1\0"),)), "truncated"),
        (reply(contexts=(context(1, struct.pack("<HHH", 1, 0, 2)),)), "bad_value"),
        (reply(contexts=(context(1, struct.pack("<HHH", 2, 0, 1) + b"\2\0"),)), "bad_value"),
        (reply(contexts=(context(1, struct.pack("<HHH", 1, 33, 1) + SALT),)), "truncated"),
    ],
)
def test_what_a_server_must_not_say(message, expected):
    assert reason(message) == expected


def test_only_what_was_offered_may_be_chosen():
    assert reason(reply(dialect=0x0300), offered=(0x0202, 0x0210)) == "not_offered"
    assert reason(reply(), ciphers=(1, 3, 4)) == "not_offered"
    assert (
        reason(reply(contexts=(PREAUTH, context(3, struct.pack("<HHIH", 1, 0, 0, 1)))), compression=()) == "not_offered"
    )
    gmac = reply(contexts=(PREAUTH, context(8, b"\1\0\2\0")))
    assert reason(gmac, signing=(0, 1)) == "not_offered"
    # AES-CMAC is what a server falls back to.
    cmac = reply(contexts=(PREAUTH, context(8, b"\1\0\1\0")))
    assert smb2.negotiate_response(cmac, DIALECTS, signing=(0,)).contexts.signing == 1


def test_a_reply_belongs_to_its_request():
    assert smb2.negotiate_response(reply(message_id=7), DIALECTS, message_id=7).dialect == 0x0311
    assert reason(reply(message_id=7), message_id=6) == "wrong_message"
    refused = header(nt_status=status.NOT_SUPPORTED, message_id=1)
    assert reason(refused, message_id=0) == "wrong_message"
    assert reason(smb2.negotiate_request(DIALECTS, guid=GUID, salt=SALT)) == "wrong_message"  # our own bytes, echoed


def test_the_answer_to_a_multi_protocol_negotiate():
    answer = smb2.negotiate_response(reply(0x02FF, contexts=()), (smb2.WILDCARD, 0x0202))
    assert answer.dialect == smb2.WILDCARD


# SESSION_SETUP


def session_reply(blob=b"token", start=72, size=9, length=None, **of):
    length = len(blob) if length is None else length
    return header(command=1, **of) + struct.pack("<HHHH", size, 1, start, length) + blob


def test_a_session_setup_request():
    request = smb2_session.session_setup_request(3, 0x1122, b"token")
    assert struct.unpack_from("<HHIHHIIQIIQ", request, 4) == (64, 0, 0, 1, 1, 0, 0, 3, 0xFEFF, 0, 0x1122)
    assert struct.unpack_from("<HBBIIHHQ", request, 64) == (25, 0, 1, 1, 0, 88, 5, 0)
    assert request[88:] == b"token"
    for message_id, session_id, blob in ((-1, 0, b"x"), (0, 1 << 64, b"x"), (0, 0, b""), (0, 0, bytes(65536))):
        with pytest.raises(LocalProtocolError):
            smb2_session.session_setup_request(message_id, session_id, blob)


def test_session_setup_replies():
    more = session_reply(nt_status=status.MORE_PROCESSING_REQUIRED, session=9, message_id=1)
    assert smb2_session.session_setup_response(more, message_id=1) == smb2_session.SessionSetup(
        status.MORE_PROCESSING_REQUIRED, 9, 1, b"token"
    )
    done = smb2_session.session_setup_response(session_reply(b"", start=0, session=9))
    assert done == smb2_session.SessionSetup(0, 9, smb2_session.GUEST, b"")
    refused = smb2_session.session_setup_response(header(command=1, nt_status=status.LOGON_FAILURE))
    assert (refused.status, refused.blob) == (status.LOGON_FAILURE, b"")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (header(command=1), "truncated"),
        (session_reply(size=8), "bad_value"),
        (session_reply(start=71), "bad_offset"),
        (session_reply(start=73), "bad_offset"),
        (session_reply(length=65535), "bad_offset"),
        (reply(), "wrong_message"),
    ],
)
def test_what_is_no_session_setup_reply(message, expected):
    with pytest.raises(RemoteProtocolError) as caught:
        smb2_session.session_setup_response(message)
    assert caught.value.reason == expected


def test_statuses_have_names():
    assert status.name(0xC00000BB) == "STATUS_NOT_SUPPORTED"
    assert status.name(0) == "STATUS_SUCCESS"
    assert status.name(0xC0000016) == "STATUS_MORE_PROCESSING_REQUIRED"
    assert status.name(0x12) == "0x00000012"
    assert len(status.NAMES) == len([name for name in vars(status) if name.isupper()]) - 1
