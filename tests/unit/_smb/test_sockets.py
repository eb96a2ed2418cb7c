# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine on real loopback sockets, with epoll and with what other systems have."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import gc
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import polling, sockets
from ansible_collections.breakwater.smb.plugins.module_utils._smb.sockets import Options, Target, probe
from tests.unit._smb.serving import receive_frame, reset, serving, silent_port, truthful
from tests.unit._smb.simulated import NT_LM, SILENCE, Truth, inquire

SMB = frozenset(("dialects", "smb1", "signing", "ciphers", "identity"))
QUICK = Options(
    checks=SMB, connect_seconds=(0.1, 0.1, 0.2), conversation_seconds=0.3, retry_seconds=0.5, host_seconds=4.0
)
PATIENT = Options(checks=SMB)


@pytest.fixture(params=["epoll", "selectors"])
def _poller(request, monkeypatch):
    if request.param == "selectors":
        monkeypatch.setattr(sockets, "poller", lambda: (polling.Selector(), True))
    elif sys.platform != "linux":
        pytest.skip("no epoll here")


def answers(port, options=PATIENT, addresses=("127.0.0.1",), **more):
    found = []
    summary = probe((Target(one, one, (port,)) for one in addresses), options, found.append, **more)
    assert summary.targets == len(found)
    return found


def port_of(document):
    (found,) = document["ports"].values()
    return found


@pytest.mark.usefixtures("_poller")
@pytest.mark.parametrize(
    "truth",
    [
        Truth(),
        Truth(smb2=frozenset((0x0311,)), required=True, ciphers=(4, 3), signing=(1,)),
        Truth(smb1=frozenset((NT_LM,)), smb2=frozenset((0x0202, 0x0210)), keeps=False),
        Truth(smb1=frozenset((NT_LM,)), smb2=frozenset(), refuses2="close"),
        Truth(refuses1="close", ntlm=False),
        Truth(bad="unoffered"),
        Truth(bad="text"),
        Truth(bad="half a frame"),
        Truth(bad="zeros"),
    ],
    ids=str,
)
def test_the_same_as_in_memory(truth):
    with serving(truthful(truth)) as served:
        (document,) = answers(served.port)
    expected = port_of(inquire(truth, PATIENT)[0])
    found = port_of(document)
    assert {name: answer["answer"] for name, answer in found["dialects"].items()} == {
        name: answer["answer"] for name, answer in expected["dialects"].items()
    }
    for fact in ("state", "signing", "ciphers", "signing_algorithms", "ntlm"):
        assert _answer(found[fact]) == _answer(expected[fact])
    assert document["source"] == "127.0.0.1"
    assert document["connections"] == len(served.clients)


def _answer(fact):
    return (fact["answer"], fact.get("values")) if isinstance(fact, dict) else fact


@pytest.mark.usefixtures("_poller")
def test_closed_filtered_and_reset():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening
        assert port_of(answers(bound.getsockname()[1])[0]) == {"state": "closed", "reason": ""}
    with silent_port() as port:
        found = port_of(answers(port, QUICK)[0])
    assert found["state"] == "filtered" and "3 connections in 0.4 s" in found["reason"]
    with serving(lambda made, _number: reset(made)) as served:
        found = port_of(answers(served.port, QUICK)[0])
    assert found["state"] == "indeterminate" and "closes them before any reply" in found["reason"]
    assert {answer["answer"] for answer in found["dialects"].values()} == {"indeterminate"}


@pytest.mark.usefixtures("_poller")
def test_a_peer_that_drips_is_left_after_its_time():
    def drip(made, _number):
        receive_frame(made)
        for byte in b"\0\0\1\0\xfeSMB" + bytes(500):
            made.sendall(bytes((byte,)))
            time.sleep(0.02)

    began = time.monotonic()
    with serving(drip) as served:
        found = port_of(answers(served.port, QUICK)[0])
    assert time.monotonic() - began < 5
    assert found["state"] == "indeterminate" and "bytes" in found["reason"]


@pytest.mark.usefixtures("_poller")
def test_a_banner_before_any_question_is_no_smb():
    def banner(made, _number):
        made.sendall(b"220 mail.example ESMTP\r\n")
        receive_frame(made)

    with serving(banner) as served:
        assert port_of(answers(served.port, QUICK)[0])["state"] == "not_smb"


def test_the_repetition_has_more_patience():
    """A server that needs longer than the first limit is seen right at the second look."""

    def late(made, number):
        time.sleep(0.4)
        truthful(Truth(smb2=frozenset((0x0202,))))(made, number)

    options = Options(checks=SMB - {"smb1"}, conversation_seconds=0.2, retry_seconds=2.0)
    with serving(late) as served:
        found = port_of(answers(served.port, options)[0])
    assert found["dialects"]["2.0.2"]["answer"] == "accepted"


def test_ipv6_with_and_without_a_scope():
    if not socket.has_ipv6 or not pathlib.Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with serving(truthful(Truth()), "::1") as served:
        (document,) = answers(served.port, addresses=["::1"])
        assert port_of(document)["state"] == "open" and document["source"] == "::1"
    (document,) = answers(445, addresses=["fe80::1%nowhere"])
    assert "scope" in document["reason"] and document["ports"] == {}
    assert polling.resolve("fe80::1%1")[1][3] == 1
    assert polling.network_key(socket.AF_INET6, "fe80::1%lo") == polling.network_key(socket.AF_INET6, "fe80::2")


def test_what_is_no_address_is_answered_with_its_reason():
    found = []
    targets = [
        Target("a", "", reason="no such name"),
        Target("b", "host.example"),
        Target("c", ""),
        Target("d", "127.0.0.1", (65536,)),
    ]
    told = []
    probe(targets, PATIENT, found.append, lambda *numbers: told.append(numbers))
    assert [one["target"] for one in found if one["reason"] and not one["ports"]] == ["a", "b", "c", "d"]
    assert found[0]["reason"] == "no such name"
    assert told == [(4, 4)]


def test_smb1_attempts_carry_the_source_that_the_server_saw():
    seen = []
    with serving(truthful(Truth(smb1=frozenset((NT_LM,))), seen)) as served:
        seen.append(served)
        (document,) = answers(served.port)
    attempts = [(one["source"], one["port"]) for one in document["smb1_attempts"]]
    assert attempts and set(attempts) == set(served.smb1_clients)
    assert all(one["time"].endswith("Z") for one in document["smb1_attempts"])


@pytest.mark.usefixtures("_poller")
def test_the_windows_hold():
    def slow(made, number):
        time.sleep(0.01)
        truthful(Truth(smb2=frozenset((0x0302, 0x0311))))(made, number)

    hosts = [f"127.1.{number % 3}.{number}" for number in range(1, 61)]
    options = Options(checks=SMB, connecting=12, conversing=5, per_network=4)
    with serving(slow) as served:
        found = answers(served.port, options, hosts)
    assert {port_of(one)["state"] for one in found} == {"open"}
    assert served.most <= 12 + 5


def test_targets_are_taken_when_there_is_room():
    taken = []

    def targets():
        for number in range(1, 200):
            taken.append(number)
            yield Target(str(number), f"127.2.{number}.1", (port,))

    begun = []
    with silent_port() as port, contextlib.suppress(KeyboardInterrupt):

        def progress(finished, started):
            begun.append((finished, started))
            raise KeyboardInterrupt

        probe(targets(), Options(checks=SMB, connecting=10), lambda _document: None, progress)
    assert begun and begun[0][1] <= 10
    assert len(taken) <= 12


def test_an_interrupt_leaves_what_was_handed_over_and_no_socket():
    found = []

    def hand_over(document):
        found.append(document)
        if len(found) == 3:
            raise KeyboardInterrupt

    with serving(truthful(Truth())) as served:
        before = set(pathlib.Path("/proc/self/fd").iterdir()) if pathlib.Path("/proc/self/fd").exists() else set()
        thresholds = gc.get_threshold()
        with pytest.raises(KeyboardInterrupt):
            probe((Target(str(n), f"127.0.1.{n}", (served.port,)) for n in range(1, 40)), PATIENT, hand_over)
        assert gc.get_threshold() == thresholds
        time.sleep(0.2)  # the server's own ends
    assert len(found) == 3
    if before:
        assert len(set(pathlib.Path("/proc/self/fd").iterdir()) - before) <= 2


class Reluctant:
    """A socket whose connecting fails for our own reasons, a few times."""

    def __init__(self, code, times):
        self.code, self.times = code, times

    def __call__(self, family, kind):
        made = polling.nonblocking(family, kind)
        if not self.times:
            return made
        self.times -= 1
        return _Refusing(made, self.code)


class _Refusing:
    def __init__(self, made, code):
        self.made, self.code = made, code

    def connect_ex(self, _address):
        return self.code

    def __getattr__(self, name):
        return getattr(self.made, name)


def test_no_local_port_is_waited_for_and_never_a_verdict(monkeypatch):
    monkeypatch.setattr(sockets, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "nonblocking", Reluctant(errno.EADDRNOTAVAIL, 5))
    with serving(truthful(Truth())) as served:
        found = port_of(answers(served.port)[0])
    assert found["state"] == "open" and found["dialects"]["3.1.1"]["answer"] == "accepted"
    monkeypatch.setattr(sockets, "nonblocking", Reluctant(errno.EADDRNOTAVAIL, 1000))
    found = port_of(answers(445)[0])
    assert found["state"] == "error" and "EADDRNOTAVAIL" in found["reason"]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (errno.ENETUNREACH, "unreachable"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ECONNREFUSED, "closed"),
        (errno.EACCES, "error"),
        (errno.EPERM, "error"),
        (errno.EINVAL, "error"),
    ],
)
def test_what_an_error_of_connect_says(monkeypatch, code, state):
    monkeypatch.setattr(sockets, "nonblocking", Reluctant(code, 1000))
    found = port_of(answers(445)[0])
    assert found["state"] == state
    assert state == "closed" or errno.errorcode[code] in found["reason"]


def test_descriptors_that_run_out_shrink_the_window(monkeypatch):
    left = [30]

    def few(family, kind):
        left[0] -= 1
        if left[0] % 3 == 0 and left[0] > 0:
            raise OSError(errno.EMFILE, "too many")
        return polling.nonblocking(family, kind)

    monkeypatch.setattr(sockets, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "nonblocking", few)
    with serving(truthful(Truth(smb2=frozenset((0x0311,))))) as served:
        found = answers(served.port, addresses=[f"127.0.2.{n}" for n in range(1, 20)])
    assert {port_of(one)["state"] for one in found} == {"open"}


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
from ansible_collections.breakwater.smb.plugins.module_utils._smb.sockets import Options, Target, probe
found = []
targets = (Target(str(n), f"127.3.{n}.1", (int(sys.argv[1]),)) for n in range(1, 101))
summary = probe(targets, Options(checks=frozenset(("dialects",))), found.append)
print(len(found), {next(iter(one["ports"].values()))["state"] for one in found})
"""


def test_a_low_limit_of_open_files_is_lived_with():
    with serving(truthful(Truth(smb2=frozenset((0x0311,))))) as served:
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(served.port), "24"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.stdout.strip() == "100 {'open'}", done.stderr


def test_a_hosts_time_is_limited():
    truth = Truth(smb2=frozenset(), refuses2=SILENCE, refuses1=SILENCE)
    options = Options(checks=SMB, conversation_seconds=5.0, host_seconds=0.5)
    began = time.monotonic()
    with serving(truthful(truth)) as served:
        (document,) = answers(served.port, options)
    assert time.monotonic() - began < 2 and document["seconds"] < 1
    assert {answer["answer"] for answer in port_of(document)["dialects"].values()} == {"indeterminate"}


def retargeting(port):
    """Answer every session request with another port of the same address ([RFC 1002] 4.3.5)."""

    def serve(made, _number):
        while receive_frame(made):
            made.sendall(b"\x84\0\0\6" + socket.inet_aton("127.0.0.1") + port().to_bytes(2, "big"))

    return serve


def accepting(truth):
    """Take the session, then speak as a truth."""
    serve_truth = truthful(truth)

    def serve(made, number):
        receive_frame(made)
        made.sendall(b"\x82\0\0\0")
        serve_truth(made, number)

    return serve


def test_a_retarget_leads_to_another_port_once_and_never_in_a_circle():
    with serving(accepting(Truth())) as real, serving(retargeting(lambda: real.port)) as first:
        (document,) = answers(first.port, dataclasses.replace(PATIENT, session_ports=frozenset((first.port,))))
    assert port_of(document)["dialects"]["3.1.1"]["answer"] == "accepted"
    circle = []
    with serving(retargeting(lambda: circle[0].port)) as first:
        circle.append(first)
        (document,) = answers(first.port, dataclasses.replace(QUICK, session_ports=frozenset((first.port,))))
    assert len(first.clients) < 10
    assert {answer["answer"] for answer in port_of(document)["dialects"].values()} == {"indeterminate"}


@pytest.mark.parametrize(
    ("said", "state"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_smb"), (b"", "indeterminate"), (b"\x82\0\0\0", "not_smb")],
)
def test_to_take_the_session_is_not_to_speak_smb(said, state):
    def serve(made, _number):
        receive_frame(made)
        made.sendall(b"\x82\0\0\0")
        while receive_frame(made):
            made.sendall(said)

    with serving(serve) as served:
        (document,) = answers(served.port, dataclasses.replace(QUICK, session_ports=frozenset((served.port,))))
    assert port_of(document)["state"] == state, port_of(document)
