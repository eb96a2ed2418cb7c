# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON form of answers, and the bookkeeping of the engine that has no sockets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb import answers, identity
from ansible_collections.breakwater.smb.plugins.module_utils._smb.answers import (
    Answer,
    Limits,
    Listing,
    NetbiosName,
    Ntlm,
    PortAnswers,
    Smb1,
    Smb1Attempt,
    TargetAnswers,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.bookkeeping import (
    GONE,
    TALKING,
    Connection,
    Deadlines,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import Options


def test_a_port_says_only_what_was_asked():
    assert answers.port_document(PortAnswers("closed")) == {"state": "closed", "reason": ""}


def test_the_whole_document():
    port = PortAnswers(
        "open",
        netbios_session="positive",
        dialects={"3.1.1": Answer("accepted", "", "seen")},
        signing=Answer("required"),
        smb1_signing=Answer("enabled"),
        ciphers=Listing("known", ("AES-128-GCM",), "", "seen"),
        compression=Listing("none", chained=False),
        limits=Limits(("DFS",), 1, 2, 3, "guid", "then", "", 1.5, None, ("SIGNING",)),
        ntlm=Ntlm("offered", target="HOST", version="10.0.20348", revision=15),
        mechanisms=("NTLMSSP",),
        hint="hint",
        smb1=Smb1("Unix", "Samba", "GROUP", "SRV", "user", 17),
        anonymous=Answer("refused"),
        violations=("one",),
    )
    names = PortAnswers("open", names=(NetbiosName("HOST", 32, False),), mac="02:00:00:00:00:07")
    quic = PortAnswers("open", quic_versions=("1",))
    document = answers.document(
        TargetAnswers(
            "host",
            "192.0.2.7",
            1_700_000_000.25,
            0.12345,
            "192.0.2.1",
            9,
            [Smb1Attempt(1_700_000_000.5, "192.0.2.1", 51234)],
            {"139/tcp": port, "137/udp": names, "443/udp": quic},
        )
    )
    assert document["started"] == "2023-11-14T22:13:20.250Z" and document["seconds"] == 0.123
    assert document["smb1_attempts"] == [{"time": "2023-11-14T22:13:20.500Z", "source": "192.0.2.1", "port": 51234}]
    assert "reason" not in document
    found = document["ports"]["139/tcp"]
    assert found["dialects"] == {"3.1.1": {"answer": "accepted", "reason": "", "evidence": "seen"}}
    assert found["ciphers"] == {"answer": "known", "values": ["AES-128-GCM"], "reason": "", "evidence": "seen"}
    assert found["compression"]["chained"] is False
    assert found["ntlm"]["version"] == "10.0.20348" and found["ntlm"]["dns_forest"] == ""
    assert (found["capabilities"], found["max_write"], found["rdma_transforms"]) == (["DFS"], 3, ["SIGNING"])
    assert "transport_security" not in found and "guest" not in found and "signing_algorithms" not in found
    assert document["ports"]["137/udp"]["names"] == [{"name": "HOST", "suffix": 32, "group": False}]
    assert document["ports"]["443/udp"]["quic_versions"] == ["1"]
    json.dumps(document)


def test_ntlm_that_is_not_offered_has_no_names():
    port = PortAnswers("open", ntlm=Ntlm("blocked", "", "STATUS_NOT_SUPPORTED"))
    assert answers.port_document(port)["ntlm"] == {
        "answer": "blocked",
        "reason": "",
        "evidence": "STATUS_NOT_SUPPORTED",
    }


@given(st.text(max_size=600))
def test_text_of_a_peer_is_one_short_printable_line(value):
    shown = answers.text(value)
    assert len(shown) <= answers.MAX_TEXT and shown.isprintable()
    if value.isprintable() and len(value) <= answers.MAX_TEXT:
        assert shown == value


@pytest.mark.parametrize("seconds", [1e20, -1e20, float("inf")])
def test_times_that_no_calendar_has(seconds):
    assert answers.moment(seconds) == ""


def test_a_guid_is_written_as_microsoft_does():
    assert identity.guid_text(bytes(range(16))) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert identity.guid_text(b"") == ""


@pytest.mark.parametrize(
    ("name", "good"), [("HOST", True), ("", False), ("SIXTEEN-LETTERS-", False), ("H\u00d6ST", False), ("a\nb", False)]
)
def test_names_that_a_session_request_can_carry(name, good):
    assert identity.callable_names([name]) == ([name] if good else [])


class Endless:
    """A host whose time is never over."""

    deadline = float("inf")


def connection(deadline):
    return Connection(Endless(), None, None, 0, TALKING, deadline)


@given(st.lists(st.floats(0, 60), max_size=60), st.lists(st.floats(0.01, 5), min_size=1, max_size=40))
def test_deadlines_come_once_and_neither_early_nor_much_too_late(deadlines, steps):
    begin = 1000.0
    wheel = Deadlines(begin)
    waiting = [connection(begin + delay) for delay in deadlines]
    for one in waiting:
        wheel.add(one)
    now, seen = begin, set()
    for step in [*steps, 100.0]:
        now += step
        for one in wheel.due(now):
            assert one.deadline <= now and id(one) not in seen
            seen.add(id(one))
        assert all(id(one) in seen for one in waiting if one.deadline < now - 0.126)
    assert len(seen) == len(waiting)


def test_a_deadline_that_moved_on_is_looked_at_again():
    wheel = Deadlines(0.0)
    one, gone = connection(1.0), connection(1.0)
    wheel.add(one)
    wheel.add(gone)
    one.deadline = 2.0
    gone.stage = GONE
    assert list(wheel.due(1.5)) == []
    assert list(wheel.due(2.5)) == [one]


@pytest.mark.parametrize(
    "wrong",
    [
        {"checks": frozenset(("dialect",))},
        {"ports": (0,)},
        {"ports": (65536,)},
        {"connect_seconds": ()},
        {"retry_seconds": 0.0},
        {"per_network": 0},
    ],
    ids=str,
)
def test_options_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"checks|port|limits"):
        Options(**wrong)
