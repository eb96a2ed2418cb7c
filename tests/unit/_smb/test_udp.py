# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions by UDP: QUIC version negotiation and node status."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb import datagrams, quic
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import LocalProtocolError, RemoteProtocolError

OURS, THEIRS = b"source00", b"destin00"


def negotiation(*versions, source=OURS, destination=THEIRS, first=0x80):
    """RFC 9000 17.2.1, the connection ids of the request swapped."""
    return (
        bytes((first,))
        + bytes(4)
        + bytes((8,))
        + source
        + bytes((8,))
        + destination
        + b"".join(struct.pack(">I", version) for version in versions)
    )


def test_the_request_is_as_long_as_a_server_demands():
    request = quic.version_request(THEIRS, OURS)
    assert len(request) == 1200
    assert request[0] & 0xC0 == 0xC0
    assert request[1:5] == b"\x5a\x6a\x7a\x8a"  # 0x?a?a?a?a, RFC 9000 15
    assert request[5:23] == b"\x08" + THEIRS + b"\x08" + OURS
    with pytest.raises(LocalProtocolError):
        quic.version_request(b"", OURS)


def test_versions_without_those_that_are_to_be_ignored():
    data = negotiation(1, 0x6B3343CF, 0xFF00001D, 0x1A2A3A4A)
    versions = quic.version_response(data, THEIRS, OURS)
    assert [quic.version_name(version) for version in versions] == ["1", "2", "0xff00001d"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (negotiation(), "truncated"),
        (negotiation(1) + b"\0", "truncated"),
        (negotiation(1, first=0x40), "wrong_message"),
        (negotiation(1, source=b"guessed0"), "wrong_message"),
        (quic.version_request(THEIRS, OURS), "wrong_message"),
        (negotiation(*range(33)), "too_many"),
    ],
)
def test_what_is_no_version_negotiation(data, reason):
    with pytest.raises(RemoteProtocolError) as caught:
        quic.version_response(data, THEIRS, OURS)
    assert caught.value.reason == reason


@given(st.binary(max_size=1300))
def test_noise_is_never_taken_for_an_answer(noise):
    for question in (datagrams.QuicVersions(), datagrams.NodeStatus()):
        question.data_to_send()
        question.receive(noise)
        assert question.answers.state == "indeterminate"


def test_quic_is_asked_and_believed():
    question = datagrams.QuicVersions()
    request = question.data_to_send()
    question.receive(negotiation(1, source=request[15:23], destination=request[6:14]))
    assert question.done and question.answers.state == "open" and question.answers.quic_versions == ("1",)


def status(request, *rows, mac=b"\x02\0\0\0\0\x07"):
    """RFC 1002 4.2.18."""
    name = b"\x20" + b"CK" + b"A" * 30 + b"\0"
    table = bytes((len(rows),)) + b"".join(
        name.ljust(15).encode() + struct.pack(">BH", suffix, flags) for name, suffix, flags in rows
    )
    record = name + struct.pack(">HHIH", 0x21, 1, 0, len(table) + 46) + table + mac + bytes(40)
    return request[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0) + record


def test_node_status_tells_names_and_address():
    question = datagrams.NodeStatus()
    question.receive(
        status(question.data_to_send(), ("HOST", 0x00, 0x0400), ("HOST", 0x20, 0x0400), ("GROUP", 0, 0x8400))
    )
    assert question.done and question.server_names() == ["HOST"]
    assert [(row.name, row.suffix, row.group) for row in question.answers.names] == [
        ("HOST", 0, False),
        ("HOST", 32, False),
        ("GROUP", 0, True),
    ]
    assert question.answers.mac == "02:00:00:00:00:07"


def test_an_answer_to_somebody_else_is_passed_over():
    question = datagrams.NodeStatus()
    request = question.data_to_send()
    other = bytes((request[0] ^ 1, request[1])) + request[2:]
    question.receive(status(other, ("EVIL", 0x20, 0x0400)))
    assert not question.done and question.answers.names is None
    question.receive(status(request, ("HOST", 0x20, 0x0400)))
    assert question.done and question.server_names() == ["HOST"]


def test_a_flood_ends_the_question():
    question = datagrams.NodeStatus()
    question.data_to_send()
    for _number in range(datagrams.MAX_DATAGRAMS):
        assert not question.done
        question.receive(b"noise")
    assert question.done and question.answers.state == "indeterminate" and "do not answer" in question.answers.reason


def test_three_requests_and_then_silence():
    question = datagrams.QuicVersions()
    sent = []
    while question.more:
        sent.append(question.data_to_send())
    assert len(sent) == len(datagrams.WAITS) == 3 and len(set(sent)) == 1
    question.fail("timeout")
    assert question.done and question.answers.state == "indeterminate" and "3 requests" in question.answers.reason


@pytest.mark.parametrize(
    ("failure", "state"),
    [("closed", "closed"), ("unreachable", "unreachable"), ("error", "error"), ("limit", "indeterminate")],
)
def test_what_the_kernel_says(failure, state):
    question = datagrams.NodeStatus()
    question.fail(failure, "why")
    assert question.answers.state == state and question.answers.reason
