# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault that the lab's WS-Management server can make, as Ansible's connection plugins see it; one host per fault."""

from __future__ import annotations

import contextlib
import pathlib
import re
import threading
from typing import Literal

import pytest
from ansible.release import __version__ as ansible_version

from tests.lab.windows.connections import Kind, over_tls, schemes, variables
from tests.lab.windows.execution import Exec, Result
from tests.lab.windows.tasks import execution, play
from tests.lab.windows.wsman.certificates import Authority
from tests.lab.windows.wsman.faults import BANNER, Fault, Plan, progress, spoil
from tests.lab.windows.wsman.server import WsmanServer

State = Literal["ok", "unreachable", "failed"]
USER, PASSWORD = "Administrator", "pa:ss wörd"
ANSWER = "@@begin@@\r\n" + "0123456789" * 20_000 + "\r\n@@end@@\r\n"
CORE = tuple(int(part) for part in ansible_version.split(".")[:2])

# What the winrm plugin makes of it, with NTLM over HTTP: the state of the task, and what its message contains.
WINRM: dict[str, tuple[Fault, State, str]] = {
    "first request": (Fault("drop"), "unreachable", "Connection aborted"),
    "during authentication": (Fault("drop", "Authenticate", nth=3), "unreachable", "Connection aborted"),
    "create": (Fault("drop", "Create"), "unreachable", "Connection aborted"),
    "command": (Fault("drop", "Command"), "failed", "Connection aborted"),
    "send": (Fault("drop", "Send"), "failed", ""),
    "receive": (Fault("drop", "Receive"), "failed", "Connection aborted"),
    "receive, late": (Fault("drop-after", "Receive"), "failed", "Connection aborted"),
    "signal": (Fault("drop", "Signal"), "failed", "Connection aborted"),
    "delete": (Fault("drop", "Delete"), "ok", ""),
    "half an answer": (Fault("cut", "Receive"), "failed", "Connection broken"),
    "garbage": (Fault("garbage", "Create"), "unreachable", "SSH-2.0-not-what-you-expect"),
    "garbage later": (Fault("garbage", "Receive"), "failed", "SSH-2.0-not-what-you-expect"),
    "unavailable": (Fault("unavailable", "Create"), "unreachable", "503"),
    "unavailable later": (Fault("unavailable", "Receive"), "failed", "503"),
    "unauthorized": (Fault("unauthorized", "Authenticate", times=0), "unreachable", "Access denied"),
    "unauthorized later": (Fault("unauthorized", "Receive"), "failed", "400"),
    "shell quota": (Fault("shell-quota"), "unreachable", "maximum number of 30 concurrent shells"),
    "operation quota": (Fault("operation-quota"), "ok" if CORE >= (2, 18) else "failed", ""),
    "operation quota again": (Fault("operation-quota", times=0), "failed", "1500 concurrent operations"),
    "access denied": (Fault("access-denied"), "unreachable", "Access is denied"),
    "access denied later": (Fault("access-denied", "Command"), "failed", "Access is denied"),
    "shell gone": (Fault("shell-gone"), "failed", "shell was not found"),
    "shell gone later": (Fault("shell-gone", nth=2), "failed", "shell was not found"),
    "no output yet": (Fault("operation-timeout", times=3), "ok", ""),
    "slow": (Fault("slow", "Receive", seconds=2), "ok", ""),
    "late": (Fault("late", seconds=2), "ok", ""),
    "truncated": (Fault("truncated"), "ok", ""),
    "progress": (Fault("progress"), "ok", ""),
    "banner": (Fault("banner"), "ok", ""),
    "endless": (Fault("endless", size=1_000_000), "ok", ""),
}
# And the psrp plugin, with Basic over TLS. Opening takes the first Receive, the pipeline has the second.
PSRP: dict[str, tuple[Fault, State, str]] = {
    "create": (Fault("drop", "Create"), "unreachable", "Connection aborted"),
    "opening": (Fault("drop", "Receive"), "unreachable", "Connection aborted"),
    "command": (Fault("drop", "Command"), "failed", "Connection aborted"),
    "send": (Fault("drop", "Send"), "failed", "Connection aborted"),
    "receive": (Fault("drop", "Receive", nth=2), "failed", "Connection aborted"),
    "delete": (Fault("drop", "Delete"), "ok", ""),
    "half an answer": (Fault("cut", "Receive", nth=2), "failed", "Connection broken"),
    "garbage": (Fault("garbage", "Create"), "unreachable", "SSH-2.0-not-what-you-expect"),
    "unavailable": (Fault("unavailable", "Create"), "unreachable", "503"),
    "unavailable later": (Fault("unavailable", "Receive", nth=2), "failed", "503"),
    "unauthorized": (Fault("unauthorized", "Create"), "unreachable", "Failed to authenticate"),
    "unauthorized later": (Fault("unauthorized", "Send"), "failed", "Failed to authenticate"),
    "shell quota": (Fault("shell-quota"), "unreachable", "maximum number of 30 concurrent shells"),
    "operation quota": (Fault("operation-quota"), "failed", "1500 concurrent operations"),
    "access denied": (Fault("access-denied"), "unreachable", "Access is denied"),
    "access denied later": (Fault("access-denied", "Command"), "failed", "Access is denied"),
    "shell gone": (Fault("shell-gone", nth=2), "failed", "shell was not found"),
    "no output yet": (Fault("operation-timeout", nth=2, times=3), "ok", ""),
    "late": (Fault("late", seconds=2), "ok", ""),
    "truncated": (Fault("truncated"), "ok", ""),
    "progress": (Fault("progress"), "ok", ""),
    "banner": (Fault("banner"), "ok", ""),
    "endless": (Fault("endless", size=1_000_000), "ok", ""),
}


@pytest.mark.parametrize("kind", ("winrm-ntlm", "psrp-basic-tls"))
def test_faults(tmp_path: pathlib.Path, kind: Kind) -> None:
    table = WINRM if kind == "winrm-ntlm" else PSRP
    authority = Authority(tmp_path)
    with contextlib.ExitStack() as stack:
        hosts, servers = {}, {}
        for name, faults in {**{name: (row[0],) for name, row in table.items()}, "healthy": ()}.items():
            tls = authority.issue() if over_tls(kind) else None
            server = stack.enter_context(
                WsmanServer(
                    lambda ask: Result(ANSWER.encode()),
                    {USER: PASSWORD},
                    tls=tls,
                    schemes=schemes(kind),
                    faults=faults,
                )
            )
            hosts[name], servers[name] = (
                variables(kind, server, USER, PASSWORD, authority.path if tls else None),
                server,
            )
        done = play(tmp_path, hosts, [execution("$input", "text")], timeout=240)
    states = {name: state(name, done.output) for name in hosts}
    assert states == {"healthy": ("ok", ""), **{name: (row[1], states[name][1]) for name, row in table.items()}}
    for name, (_fault, _state, text) in table.items():
        assert text in states[name][1], (name, states[name])
    assert {name for name, (found, _message) in states.items() if found == "ok"} == set(done.answers)
    for name in set(done.answers) - {"truncated", "banner", "endless"}:
        assert done.answers[name]["stdout"].split() == ANSWER.split(), name
    assert "@@end@@" not in done.answers["truncated"]["stdout"]
    assert done.answers["banner"]["stdout"].count("@@end@@") == 1
    assert done.answers["banner"]["stdout"].splitlines()[1] == "@@begin@@"
    assert len(done.answers["endless"]["stdout"]) > 900_000
    assert PASSWORD not in done.output


def state(host: str, output: str) -> tuple[State, str]:
    """Return how a host's task ended and what was said."""
    found = re.search(rf"(?:fatal: )?\[{re.escape(host)}\]: (UNREACHABLE|FAILED)! => (.*?)\n(?=\S)", output, re.S)
    if found is None:
        return "ok", ""
    return ("unreachable", found[2]) if found[1] == "UNREACHABLE" else ("failed", found[2])


def test_faults_come_when_they_are_due() -> None:
    plan = Plan([Fault("drop", "Receive", nth=2, times=2), Fault("slow", times=0, nth=5)])
    got = [plan.pick(name) for name in ("Create", "Receive", "Receive", "Receive", "Receive", "Delete")]
    assert [one.what if one else "" for one in got] == ["", "", "drop", "drop", "slow", "slow"]
    assert Plan().pick("Create") is None


def test_what_faults_do_to_output() -> None:
    result = Result(b"abcd", b"error", 3)
    assert spoil(Fault("truncated"), result) == Result(b"ab", b"error", 3)
    assert spoil(Fault("banner"), result).stdout == BANNER + b"abcd"
    with pytest.raises(UnicodeDecodeError):
        BANNER.decode()
    assert spoil(Fault("progress"), result).stderr == progress(0) + b"error" + progress(1)
    assert spoil(Fault("late"), result) == result
    assert 900_000 < len(spoil(Fault("endless", size=1_000_000), result).stdout) <= 1_000_000


def test_a_command_that_nobody_waits_for_is_told_so(tmp_path: pathlib.Path) -> None:
    told = threading.Event()

    def endless(ask: Exec) -> Result:
        if ask.ended.wait(30):
            told.set()
        return Result()

    authority = Authority(tmp_path)
    with WsmanServer(endless, {USER: PASSWORD}, tls=authority.issue()) as server:
        host = variables("winrm-basic-tls", server, USER, PASSWORD, authority.path)
        done = play(tmp_path, {"one": host}, [{**execution("$input", "text"), "timeout": 3}])
        assert done.code == 2
        assert "Timed out after 3 second(s)" in done.output or "expected time frame (3)" in done.output
        assert told.wait(10)
        assert server.stats.operations["Signal"] == 1
