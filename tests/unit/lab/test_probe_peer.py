# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in says what the real server said to the same requests, but for what no two answers of a server share."""

from __future__ import annotations

import random
import struct

import pytest

from tests.lab.probe import captures
from tests.lab.probe.mutations import MUTATIONS
from tests.lab.probe.peer import Peer, Talk, offer

CONVERSATIONS = [
    (variant, path.stem)
    for variant in captures.variants()
    for path in sorted((captures.FOLDER / variant).glob("*.hex"))
    if path.stem != "session"
]


def steady(frame: bytes) -> bytes:
    """Return a frame without times, salts, session numbers, challenges, and the process that served SMB1."""
    found = bytearray(frame)
    if frame[4:8] == b"\xffSMB":
        return frame[:52]
    if frame[16:17] == b"\0" and len(frame) > 132:
        found[108:124] = bytes(16)
        if frame[72:74] == b"\x11\x03":
            salt = 4 + struct.unpack_from("<I", frame, 128)[0] + 14
            found[salt : salt + 32] = bytes(32)
    elif frame[16:17] == b"\1":
        challenge = frame.find(b"NTLMSSP\0") + 24
        found[44:52] = bytes(8)
        found[challenge : challenge + 8] = bytes(8)
        return bytes(found[:-16])
    return bytes(found)


@pytest.mark.parametrize(("variant", "name"), CONVERSATIONS)
def test_captured_conversation(variant, name):
    peer, talk = Peer(variant), Talk()
    for exchange in captures.exchanges(variant, name):
        reply = peer.answer(exchange.request, talk) or b""
        assert steady(reply) == steady(exchange.reply)
        if not reply:
            break


def test_there_is_something_to_replay():
    assert len(CONVERSATIONS) > 400
    assert len(captures.variants()) == 13


def test_the_highest_common_dialect_is_chosen():
    asked = captures.exchanges("default", "smb2_all")[0].request
    assert offer(asked[4:]).dialects == (0x0202, 0x0210, 0x0300, 0x0302, 0x0311)
    for variant, chosen in {"default": 0x0311, "smb2": 0x0210, "smb300": 0x0300, "impacket_smb2": 0x0202}.items():
        assert struct.unpack_from("<H", Peer(variant).answer(asked, Talk()) or b"", 72)[0] == chosen


def test_a_cipher_that_is_not_offered_is_not_chosen():
    asked = captures.exchanges("default", "smb2_311_cipher3")[0].request
    reply = Peer("default").answer(asked, Talk()) or b""
    assert struct.pack("<HHIHH", 2, 4, 0, 1, 3) in reply
    assert struct.pack("<HHIHH", 2, 4, 0, 1, 2) not in reply


def test_lists_of_algorithms_are_read():
    contexts = offer(captures.exchanges("default", "smb2_all")[0].request[4:]).contexts
    assert contexts[2] == (2, 1, 4, 3)
    assert contexts[8] == (0, 1, 2) or set(contexts[8]) == {0, 1, 2}


@pytest.mark.parametrize(
    "frame", [b"", b"\0\0\0\4abcd", b"\0\0\0\x44\xfeSMB" + bytes(64), b"\0\0\0\x08\xffSMB" + bytes(4)]
)
def test_nonsense_is_hung_up_on(frame):
    assert not Peer("default").answer(frame, Talk())


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_every_mutation_breaks_something(mutation):
    dice = random.Random(7)
    for name in ("smb1_ntlm012", "smb2_unknown_0999", "smb2_all"):
        reply = captures.reply("default", name)
        broken = [mutation(dice, bytearray(reply)) for _turn in range(300)]
        assert sum(one != reply for one in broken) > 200
        assert max(map(len, broken)) < 8192
