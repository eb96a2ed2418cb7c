# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every truth the answers are the truth; where a peer misbehaves they are unknown, and never wrong."""

from __future__ import annotations

import json
import random

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import CHECKS, Options, Target
from ansible_collections.breakwater.smb.plugins.module_utils._smb.questions import Inquiry
from tests.unit._smb.simulated import (
    BREACHES,
    CIPHERS,
    CLOSE,
    DIALECTS,
    NT_LM,
    OLD,
    SIGNING,
    SILENCE,
    Truth,
    inquire,
    without,
)

SMB = frozenset(("dialects", "smb1", "signing", "ciphers", "identity"))
OPTIONS = Options(checks=SMB)
MANY = hypothesis.settings(max_examples=300, deadline=None)


def orders(items):
    return st.lists(st.sampled_from(items), unique=True, max_size=len(items)).map(tuple)


TRUTHS = st.builds(
    Truth,
    smb2=st.frozensets(st.sampled_from(tuple(DIALECTS.values()))),
    smb1=st.sampled_from((frozenset(), frozenset((NT_LM,)), frozenset((NT_LM, *OLD)), frozenset(OLD[:1]))),
    required=st.booleans(),
    smb1_security=st.sampled_from((3, 7, 15)),
    ciphers=orders((1, 2, 3, 4)),
    signing=orders((0, 1, 2)),
    compression=orders((1, 2, 3, 4, 5)),
    encryption=st.booleans(),
    ntlm=st.booleans(),
    extended=st.booleans(),
    keeps=st.booleans(),
)


def port_of(document):
    (port,) = document["ports"].values()
    return port


def accepted(port):
    return {name for name, answer in port["dialects"].items() if answer["answer"] == "accepted"}


def said(port, answer):
    return {name for name, found in port["dialects"].items() if found["answer"] == answer}


def truth_names(truth):
    return {name for name, number in DIALECTS.items() if number in truth.smb2} | set(truth.smb1)


def assert_never_wrong(truth, port):
    names = truth_names(truth)
    assert accepted(port) <= names, (accepted(port), names)
    assert not said(port, "refused") & names, (said(port, "refused"), names)
    if port["signing"]["answer"] != "indeterminate":
        assert port["signing"]["answer"] == ("required" if truth.required else "not_required")
    if port["ciphers"]["answer"] == "known" and 0x0311 in truth.smb2 and "3.1.1" in accepted(port):
        assert tuple(port["ciphers"]["values"]) == tuple(CIPHERS[number] for number in truth.ciphers)


def assert_equal(truth, port):
    assert port["state"] == "open"
    names = truth_names(truth)
    assert accepted(port) == names
    assert said(port, "refused") == set(port["dialects"]) - names
    assert len(port["dialects"]) == 15
    if truth.smb2:
        assert port["signing"]["answer"] == ("required" if truth.required else "not_required")
        assert port["guid"] == "33221100-5544-7766-8899-aabbccddeeff"
        assert (port["max_read"], port["boot_time"]) == (1 << 23, "")
        assert port["ntlm"]["answer"] == ("offered" if truth.ntlm else "blocked")
        assert port["mechanisms"] == ["NTLMSSP"]
    if NT_LM in truth.smb1:
        words = {3: "disabled", 7: "enabled", 15: "required"}
        assert port["smb1_signing"]["answer"] == words[truth.smb1_security]
        assert port["smb1"]["word_count"] == 17
    assert_algorithms(truth, port)


def assert_algorithms(truth, port):
    ciphers, signing = port["ciphers"], port["signing_algorithms"]
    if 0x0311 in truth.smb2:
        assert ciphers["values"] == [CIPHERS[number] for number in truth.ciphers]
        assert ciphers["answer"] == ("known" if truth.ciphers else "none")
        assert signing["values"] == ([SIGNING[number] for number in truth.signing] or ["AES-CMAC"])
        assert port["compression"]["answer"] == ("known" if truth.compression else "none")
        assert len(port["compression"]["values"]) == len(truth.compression)
    elif truth.smb2 & {0x0300, 0x0302}:
        assert ciphers["values"] == (["AES-128-CCM"] if truth.encryption else [])
        assert signing["values"] == ["AES-CMAC"]
    else:
        assert ciphers["answer"] == "none"


@MANY
@given(TRUTHS, st.integers(0, 99), st.sampled_from((0, 1, 7)))
def test_an_honest_peer_is_seen_as_it_is(truth, seed, chunks):
    document, inquiry = inquire(truth, OPTIONS, seed=seed, chunks=chunks)
    port = port_of(document)
    assert_equal(truth, port)
    assert "violations" not in port
    json.dumps(document)
    # One connection per accepted dialect, one for the rest, three more rounds, two offers of SMB1, a second look.
    assert inquiry.connections <= len(truth.smb2) + 1 + 3 + len(truth.smb1) + 3


@MANY
@given(
    TRUTHS.filter(lambda truth: truth.smb2 or truth.smb1),
    st.sampled_from(("status", CLOSE)),
    st.sampled_from(("status", CLOSE)),
    st.booleans(),
    st.integers(0, 9),
)
def test_closing_is_a_way_to_refuse(truth, refuses2, refuses1, multi, seed):
    """Of SMB1, where SMB2 is never closed upon: whoever takes a dialect of SMB2 answers to the others."""
    truth = without(truth, refuses2=refuses2, refuses1=refuses1, multi=multi)
    port = port_of(inquire(truth, OPTIONS, seed=seed)[0])
    if refuses2 == "status":
        assert_equal(truth, port)
    else:
        assert accepted(port) == truth_names(truth)
        assert_never_wrong(truth, port)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_server_that_closes_connections_at_random(share):
    """Each dialect that is accepted is never said to be refused, however often it was closed upon."""
    chance = random.Random(7)
    everything = Truth(smb1=frozenset((NT_LM,)))
    for _host in range(400):
        closed = frozenset(number for number in range(64) if chance.random() < share)
        assert_never_wrong(everything, port_of(inquire(without(everything, closed=closed), OPTIONS)[0]))


@MANY
@given(TRUTHS, st.sampled_from(("status", SILENCE)), st.sampled_from(("status", SILENCE)), st.integers(0, 9))
def test_silence_is_no_refusal(truth, refuses2, refuses1, seed):
    truth = without(truth, refuses2=refuses2, refuses1=refuses1)
    port = port_of(inquire(truth, OPTIONS, seed=seed)[0])
    assert_never_wrong(truth, port)
    assert accepted(port) == truth_names(truth)
    if refuses1 == SILENCE and not truth.smb1:
        assert port["dialects"][NT_LM]["answer"] == "indeterminate"


@MANY
@given(TRUTHS, st.sampled_from(sorted(BREACHES)), st.integers(0, 9), st.sampled_from((0, 1, 100)))
def test_a_peer_that_breaks_the_protocol_is_never_believed(truth, bad, seed, chunks):
    truth = without(truth, bad=bad)
    document, inquiry = inquire(truth, OPTIONS, seed=seed, chunks=chunks)
    port = port_of(document)
    if bad == "always 2.0.2":  # it does accept that one
        assert accepted(port) <= set(truth.smb1) | {"2.0.2"}
        assert not {"2.1", "3.0", "3.0.2", "3.1.1"} & accepted(port)
    elif bad in ("bad token offset", "65535 contexts", "lowest"):
        assert accepted(port) <= truth_names(truth) | set(DIALECTS)
    else:
        assert_never_wrong(truth, port)
    assert inquiry.connections <= 20
    assert len(json.dumps(document)) < 30_000


@MANY
@given(TRUTHS, st.sampled_from((CLOSE, SILENCE)), st.booleans(), st.integers(0, 9))
def test_old_servers_that_cannot_bear_unknown_dialects(truth, way, multi, seed):
    # A server with SMB1 and SMB2 must know the offer that has both: [MS-SMB2] 3.3.5.3.1.
    truth = without(truth, ignores_unknown=way, refuses2=way, multi=multi or bool(truth.smb1))
    port = port_of(inquire(truth, OPTIONS, seed=seed)[0])
    assert_never_wrong(truth, port)
    if not truth.multi and truth.smb2 & {0x0202, 0x0210}:
        assert truth_names(truth) == accepted(port)


@MANY
@given(TRUTHS, st.integers(0, 12), st.integers(1, 12), st.booleans(), st.integers(0, 9))
def test_a_server_that_is_full_for_a_while(truth, start, length, closes, seed):
    """Conversations that a server cuts off for a time, whatever it was asked, are no refusals."""
    truth = without(truth, closed=frozenset(range(start, start + length)), refuses1=CLOSE if closes else "status")
    assert_never_wrong(truth, port_of(inquire(truth, OPTIONS, seed=seed)[0]))


@MANY
@given(TRUTHS, st.integers(0, 1), st.integers(0, 9))
def test_a_server_that_closes_every_second_connection(truth, odd, seed):
    truth = without(truth, closed=frozenset(range(odd, 64, 2)))
    assert_never_wrong(truth, port_of(inquire(truth, OPTIONS, seed=seed)[0]))


@MANY
@given(TRUTHS, st.floats(0.05, 0.9), st.integers(0, 10_000))
def test_what_is_lost_is_unknown(truth, lost, seed):
    assert_never_wrong(truth, port_of(inquire(truth, OPTIONS, seed=seed, lost=lost)[0]))


@pytest.mark.parametrize(
    ("truth", "connections"),
    [
        (Truth(smb2=frozenset((0x0311,)), ciphers=(2,), signing=(1,)), 3),  # hardened: all, SMB1, the rest and a pair
        (Truth(smb2=frozenset((0x0202, 0x0210))), 4),
        (Truth(smb2=frozenset(), smb1=frozenset((NT_LM,)), refuses2=CLOSE), 5),
        (Truth(), 9),
    ],
)
def test_as_few_connections_as_the_facts_need(truth, connections):
    assert inquire(truth, OPTIONS)[1].connections == connections


def test_a_used_up_connection_is_not_taken_for_an_answer():
    """A server that closes after a refusal is asked the next question on a fresh connection."""
    truth = Truth(smb2=frozenset((0x0311,)), keeps=False)
    port = port_of(inquire(truth, OPTIONS)[0])
    assert_equal(truth, port)


def test_windows_without_smb1_closes_and_is_believed_only_on_second_sight():
    truth = Truth(refuses1=CLOSE)
    answer = port_of(inquire(truth, OPTIONS)[0])["dialects"][NT_LM]
    assert answer["answer"] == "refused" and "closed the connection 4 times" in answer["reason"]
    answer = port_of(inquire(without(truth, closed=frozenset(range(1, 64))), OPTIONS)[0])["dialects"][NT_LM]
    assert answer["answer"] == "indeterminate"


def test_xp_that_is_silent_to_smb2_is_found():
    truth = Truth(smb2=frozenset(), smb1=frozenset((NT_LM,)), refuses2=SILENCE)
    port = port_of(inquire(truth, OPTIONS)[0])
    assert accepted(port) == {NT_LM}
    assert port["smb1"]["native_lm"] == "Samba 9.9" and port["ntlm"]["netbios_computer"] == "HOST"


def test_a_server_that_answers_one_dialect_to_everything_accepts_only_that():
    port = port_of(inquire(Truth(smb2=frozenset((0x0202,)), bad="always 2.0.2"), OPTIONS)[0])
    assert accepted(port) == {"2.0.2"}
    assert said(port, "violation") == {"2.1", "3.0", "3.0.2", "3.1.1"}


def test_not_the_highest_is_told():
    port = port_of(inquire(Truth(bad="lowest"), OPTIONS)[0])
    assert accepted(port) == set(DIALECTS)
    assert port["violations"] and port["dialects"]["3.1.1"]["reason"]


@pytest.mark.parametrize(("bad", "state"), [("text", "not_smb"), ("banner", "not_smb"), ("long frame", "hostile")])
def test_what_speaks_but_not_smb(bad, state):
    port = port_of(inquire(Truth(bad=bad), OPTIONS)[0])
    assert port["state"] == state and port["reason"]


@pytest.mark.parametrize("way", [CLOSE, SILENCE])
def test_what_takes_connections_and_says_nothing(way):
    truth = Truth(smb2=frozenset(), refuses2=way, refuses1=way)
    port = port_of(inquire(truth, OPTIONS)[0])
    assert port["state"] == "indeterminate" and port["reason"]
    assert said(port, "indeterminate") == set(port["dialects"])


class Failing:
    """A port whose connections are not made."""

    def __init__(self, *failures):
        self.failures = list(failures)

    def run(self, options, ports=(445,)):
        inquiry = Inquiry(Target("x", "192.0.2.9", ports), options, 0.0)
        seconds = []
        while (talk := inquiry.next()) is not None:
            seconds.append(talk.connect_seconds)
            talk.fail(self.failures.pop(0))
            assert not inquiry.finished(talk)
        assert inquiry.done
        return port_of_first(inquiry), seconds


def port_of_first(inquiry):
    return next(iter(inquiry.answers(0.0).ports.values()))


@pytest.mark.parametrize(
    ("failures", "state", "seconds"),
    [
        (("silent", "silent", "silent"), "filtered", [1.5, 1.5, 3.5]),
        (("silent", "closed"), "closed", [1.5, 1.5]),
        (("closed",), "closed", [1.5]),
        (("unreachable", "unreachable"), "unreachable", [1.5, 1.5]),
        (("silent", "unreachable"), "unreachable", [1.5, 1.5]),
        (("error",), "error", [1.5]),
        (("limit",), "indeterminate", [1.5]),
    ],
)
def test_a_port_without_a_connection(failures, state, seconds):
    answers, tried = Failing(*failures).run(OPTIONS)
    assert (answers.state, tried) == (state, seconds)


def test_a_silent_port_does_not_keep_the_next_one_waiting():
    inquiry = Inquiry(Target("x", "192.0.2.9"), Options(checks=SMB), 0.0)
    first = inquiry.next()
    assert first.port == 445 and inquiry.next() is None
    first.fail("silent")
    inquiry.finished(first)
    assert sorted((inquiry.next().port, inquiry.next().port)) == [139, 445]


def test_139_after_445_is_not_asked_who_it_is_again():
    document, _inquiry = inquire(Truth(), Options(checks=SMB), Target("x", "192.0.2.9"))
    first, second = document["ports"]["445/tcp"], document["ports"]["139/tcp"]
    assert first["ntlm"]["answer"] == "offered" and first["ciphers"]["answer"] == "known"
    assert "ntlm" not in second and "ciphers" not in second
    assert second["netbios_session"] == "positive"
    assert accepted(second) == accepted(first)


def test_139_is_called_by_its_own_name_when_it_wants_that():
    options = Options(checks=SMB)
    document, _inquiry = inquire(Truth(session="HOST"), options, Target("x", "192.0.2.9"))
    assert document["ports"]["139/tcp"]["netbios_session"] == "positive"
    assert accepted(document["ports"]["139/tcp"]) == set(DIALECTS)
    document, _inquiry = inquire(Truth(session="OTHER"), options, Target("x", "192.0.2.9"))
    port = document["ports"]["139/tcp"]
    assert (port["netbios_session"], port["state"]) == ("negative 0x82", "open")
    assert said(port, "indeterminate") == set(port["dialects"])


@pytest.mark.parametrize(
    ("status", "tree", "answer"),
    [
        (0, 0, "accepted"),
        (0, 0xC0000022, "refused"),  # Samba's "restrict anonymous = 2"
        (0xC0000022, 0, "refused"),
        (0xC0000001, 0, "indeterminate"),
    ],
)
def test_logons_only_where_asked_for(status, tree, answer):
    options = Options(checks=SMB | {"anonymous", "guest"})
    port = port_of(inquire(Truth(anonymous=status, tree=tree), options)[0])
    assert port["anonymous"]["answer"] == answer and port["guest"]["answer"] == answer
    quiet = port_of(inquire(Truth(anonymous=status), OPTIONS)[0])
    assert "anonymous" not in quiet and "guest" not in quiet and "ms17_010" not in quiet


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (0xC0000205, "vulnerable"),
        (0xC0000022, "patched_or_not_windows"),
        (0xC0000008, "patched_or_not_windows"),
        (0xC0000002, "indeterminate"),
        (0, "indeterminate"),
    ],
)
def test_ms17_010(status, answer):
    options = Options(checks=frozenset(("smb1", "ms17_010")))
    truth = Truth(smb1=frozenset((NT_LM,)), extended=False, peek=status)
    assert port_of(inquire(truth, options)[0])["ms17_010"]["answer"] == answer
    assert port_of(inquire(Truth(), options)[0])["ms17_010"]["answer"] == "indeterminate"


@pytest.mark.parametrize("check", sorted(CHECKS - {"netbios", "quic", "ports"}))
def test_every_check_alone(check):
    document, _inquiry = inquire(Truth(smb1=frozenset((NT_LM,))), Options(checks=frozenset((check,))))
    port = port_of(document)
    assert port["state"] == "open"
    if check != "smb1":
        assert document["smb1_attempts"] == []


def test_without_smb1_nothing_of_it_is_sent():
    options = Options(checks=SMB - {"smb1"})
    for truth in (Truth(), Truth(smb2=frozenset(), refuses2=CLOSE), Truth(smb2=frozenset(), refuses2=SILENCE)):
        inquiry = Inquiry(Target("x", "192.0.2.9", (445,)), options, 0.0)
        while (talk := inquiry.next()) is not None:
            if talk.opening:
                inquiry.connected(talk, "192.0.2.1")
            assert b"\xffSMB" not in talk.data_to_send()
            talk.fail("timeout")
            inquiry.finished(talk)
        assert NT_LM not in port_of(inquire(truth, options)[0])["dialects"]


def test_what_is_not_finished_in_time_is_unknown():
    inquiry = Inquiry(Target("x", "192.0.2.9"), OPTIONS, 0.0)
    talk = inquiry.next()
    inquiry.connected(talk, "192.0.2.1")
    talk.fail("limit")
    inquiry.finished(talk)
    inquiry.expire()
    assert inquiry.next() is None and inquiry.done
    answers = inquiry.answers(30.0)
    assert {answer.answer for answer in answers.ports["445/tcp"].dialects.values()} == {"indeterminate"}
    assert answers.ports["139/tcp"].state == "indeterminate"
