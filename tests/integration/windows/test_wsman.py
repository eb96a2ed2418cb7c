# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's WS-Management server before Ansible's own connection plugins: every authentication, exact bytes, exact counts."""

from __future__ import annotations

import base64
import contextlib
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from spnego.channel_bindings import GssChannelBindings

from tests.lab import kdc as kerberos
from tests.lab.windows.connections import KINDS, Kind, over_tls, schemes, variables
from tests.lab.windows.execution import Exec, Result
from tests.lab.windows.tasks import Played, encoded, execution, play
from tests.lab.windows.wsman import certificates
from tests.lab.windows.wsman.certificates import Authority
from tests.lab.windows.wsman.server import WsmanServer

USER, PASSWORD = "Administrator", "pa:ss wörd"
SCRIPT = "$input | Out-Null"
LINE = base64.b64encode(b"# sixty-four kilobytes of script\n" * 1490).decode()
RAW = [{"ansible.builtin.raw": "whoami"}]
# Requests of one execution with standard input, and of those how many only authenticate.
BUDGET: dict[Kind, tuple[int, int]] = {
    "winrm-basic-tls": (6, 0),
    "winrm-ntlm": (9, 3),
    "winrm-ntlm-tls": (8, 2),
    "winrm-kerberos": (7, 1),
    "psrp-basic-tls": (6, 0),
    "psrp-ntlm": (9, 3),
    "psrp-ntlm-tls": (8, 2),
    "psrp-negotiate": (8, 2),
    "psrp-kerberos": (8, 2),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def realm() -> Iterator[kerberos.Kdc]:
    kerberos.needed()
    with kerberos.Kdc({USER: PASSWORD}) as running:
        yield running


class Lab:
    """Servers and the play that reaches them."""

    def __init__(self, folder: pathlib.Path, authority: Authority, request: pytest.FixtureRequest) -> None:
        self.folder, self.authority, self._request = folder, authority, request
        self.environment: dict[str, str] = {}
        self._stack = contextlib.ExitStack()

    def server(self, kind: Kind, run: Any = None, **options: Any) -> tuple[WsmanServer, dict[str, Any]]:
        """Return a server and its host's variables."""
        user, acceptor = USER, None
        if "kerberos" in kind or "negotiate" in kind:
            realm: kerberos.Kdc = self._request.getfixturevalue("realm")
            self.environment.update(realm.environment)
            user, acceptor = realm.principal(USER), realm.acceptor
        tls = self.authority.issue() if over_tls(kind) else None
        server = self._stack.enter_context(
            WsmanServer(
                run or echo,
                {USER: PASSWORD},
                tls=tls,
                acceptor=acceptor,
                **{"schemes": schemes(kind), **options},
            )
        )
        return server, variables(kind, server, user, PASSWORD, self.authority.path if tls else None)

    def play(self, hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]], *more: str) -> Played:
        """Run tasks."""
        return play(self.folder, hosts, tasks, *more, variables=self.environment)

    def close(self) -> None:
        """End all servers."""
        self._stack.close()


@pytest.fixture
def lab(tmp_path: pathlib.Path, authority: Authority, request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab(tmp_path, authority, request)
    yield made
    made.close()


def echo(ask: Exec) -> Result:
    """A host that answers with what it was asked."""
    return Result(f"{ask.transport} {ask.user} {len(ask.stdin)}\r\nzweite Zeile ä€\r\n".encode(), b"", 0)


@pytest.mark.parametrize("kind", KINDS)
def test_raw(lab: Lab, kind: Kind) -> None:
    server, host = lab.server(kind)
    done = lab.play({"one": host}, RAW, "-v")
    assert done.code == 0, done.output
    assert f"{kind.split('-')[0]} {USER} 0" in done.output
    assert "zweite Zeile ä€" in done.output
    assert server.stats.executions == 1
    assert PASSWORD not in done.output


@pytest.mark.parametrize("kind", KINDS)
def test_one_execution_costs_what_it_should(lab: Lab, kind: Kind) -> None:
    """These are the figures that the budget of an audit rests on."""
    server, host = lab.server(kind)
    done = lab.play({"one": host}, [execution(SCRIPT, LINE)])
    assert done.code == 0, done.output
    assert (done.answers["one"]["rc"], done.answers["one"]["stderr"]) == (0, "")
    requests, authentication = BUDGET[kind]
    assert server.stats.requests == requests, server.stats
    assert server.stats.operations["Authenticate"] == authentication
    assert server.stats.connections == 1
    (ask,) = server.executed
    assert ask.stdin.strip() == LINE.encode()
    assert ask.stdin.count(b"\n") <= 1
    assert len(LINE) * 4 // 3 < server.stats.bytes_up < len(LINE) * 4 // 3 + 25_000


def test_basic_over_http_is_refused_as_windows_does(lab: Lab) -> None:
    server, host = lab.server("winrm-ntlm", schemes=("basic", "ntlm"))
    host["ansible_winrm_transport"] = "basic"
    done = lab.play({"one": host}, RAW)
    assert done.code == 4
    assert "500" in done.output
    assert server.stats.executions == 0


def test_messages_that_are_not_encrypted_are_refused_over_http(lab: Lab) -> None:
    server, host = lab.server("psrp-ntlm")
    host["ansible_psrp_message_encryption"] = "never"
    done = lab.play({"one": host}, RAW)
    assert done.code == 4
    assert server.stats.executions == 0


def test_wrong_passwords(lab: Lab) -> None:
    hosts = {}
    for kind in ("winrm-basic-tls", "winrm-ntlm", "psrp-basic-tls", "psrp-ntlm"):
        server, hosts[kind] = lab.server(kind)
        hosts[kind]["ansible_password"] = "wr0ng-secret"
    done = lab.play(hosts, RAW)
    assert done.code == 4
    assert done.output.count("UNREACHABLE!") == 4
    assert "wr0ng-secret" not in done.output
    assert server.stats.executions == 0


@pytest.mark.parametrize("kind", ("winrm-ntlm-tls", "psrp-ntlm-tls"))
def test_channel_bindings_are_checked(lab: Lab, kind: Kind) -> None:
    server, host = lab.server(kind)
    server.gate.bindings = GssChannelBindings(application_data=b"tls-server-end-point:another certificate")
    assert lab.play({"one": host}, RAW).code == 4
    assert server.stats.executions == 0


@pytest.mark.parametrize("kind", ("winrm-basic-tls", "psrp-basic-tls"))
def test_certificates_are_checked(lab: Lab, kind: Kind) -> None:
    hosts, servers = {}, []
    bad: tuple[certificates.Kind, ...] = ("expired", "wrong-name", "stranger")
    for what in bad:
        certificate = lab.authority.issue(what)
        server = lab._stack.enter_context(WsmanServer(echo, {USER: PASSWORD}, tls=certificate))
        hosts[what] = variables(kind, server, USER, PASSWORD, lab.authority.path)
        servers.append(server)
    done = lab.play(hosts, RAW)
    assert done.code == 4
    assert done.output.count("UNREACHABLE!") == 3
    for reason in ("certificate has expired", "self-signed certificate|unable to get local issuer", "127.0.0.1"):
        assert any(one in done.output for one in reason.split("|")), done.output
    assert [server.stats.requests for server in servers] == [0, 0, 0]


@pytest.mark.parametrize("kind", ("winrm-kerberos", "psrp-kerberos"))
def test_kerberos_by_ticket(lab: Lab, realm: kerberos.Kdc, kind: Kind) -> None:
    server, host = lab.server(kind, schemes=("kerberos",))
    del host["ansible_password"]
    if kind == "winrm-kerberos":
        host["ansible_winrm_kinit_mode"] = "manual"
    without = lab.play({"one": host}, RAW)
    assert without.code in (2, 4)  # psrp lets the library's own exception through
    assert server.stats.executions == 0
    lab.environment["KRB5CCNAME"] = realm.ticket(USER)
    done = lab.play({"one": host}, RAW)
    assert done.code == 0, done.output
    assert [ask.user for ask in server.executed] == [USER]


@pytest.mark.parametrize(("kind", "requests"), (("winrm-ntlm", 14), ("psrp-basic-tls", 7)))
def test_long_answers_come_in_pieces(lab: Lab, kind: Kind, requests: int) -> None:
    """600 KB: some 110 KB per Receive over winrm, which asks for envelopes of 150 KB; psrp raises that to 500 KB."""
    text = "begin\r\n" + "".join(f"{number:060}" for number in range(10_000)) + "\r\nend\r\n"
    server, host = lab.server(kind, lambda ask: Result(text.encode()))
    done = lab.play({"one": host}, [execution(SCRIPT, LINE)])
    assert done.code == 0, done.output
    assert done.answers["one"]["stdout"].splitlines() == text.splitlines()
    assert server.stats.requests == requests


@pytest.mark.parametrize("kind", ("winrm-ntlm", "psrp-ntlm"))
def test_a_slow_command_outlasts_operation_timeouts(lab: Lab, kind: Kind) -> None:
    def slow(ask: Exec) -> Result:
        ask.ended.wait(2.5)
        return echo(ask)

    server, host = lab.server(kind, slow)
    host |= {"ansible_winrm_operation_timeout_sec": 1, "ansible_winrm_read_timeout_sec": 5}
    host |= {"ansible_psrp_operation_timeout": 1}
    done = lab.play({"one": host}, [execution(SCRIPT, "text")])
    assert done.code == 0, done.output
    assert done.answers["one"]["rc"] == 0
    assert server.stats.operations["Receive"] >= 3


@pytest.mark.parametrize("kind", ("winrm-ntlm", "psrp-ntlm"))
def test_exit_codes_and_errors(lab: Lab, kind: Kind) -> None:
    _server, host = lab.server(kind, lambda ask: Result(b"said\r\n", b"complained \xc3\xa4\r\n", 7))
    done = lab.play({"one": host}, [execution(SCRIPT, "text")])
    assert done.code == 0, done.output
    answer = done.answers["one"]
    assert answer["rc"] == 7
    assert answer["stdout"].strip() == "said"
    assert "complained ä" in answer["stderr"]


def test_a_command_line_that_is_too_long_for_cmd(lab: Lab) -> None:
    server, host = lab.server("winrm-basic-tls")
    done = lab.play({"one": host}, [{"lab_exec": {"command": encoded("#" * 4000)}}])
    assert "too long" in done.answers["one"]["stderr"]
    assert done.answers["one"]["rc"] == 1
    assert server.stats.executions == 0


@pytest.mark.parametrize("kind", ("winrm-ntlm", "psrp-ntlm"))
def test_several_executions_in_one_task(lab: Lab, kind: Kind) -> None:
    server, host = lab.server(kind)
    task = {"lab_exec": {"command": encoded(SCRIPT), "stdin": "text", "times": 3}}
    done = lab.play({"one": host}, [task])
    assert done.code == 0, done.output
    assert server.stats.executions == 3
    assert server.stats.connections == 1


@pytest.mark.parametrize(("kind", "more"), (("winrm-ntlm", 1), ("psrp-ntlm", 2)))
def test_windows_that_takes_its_time_costs_a_request_more(lab: Lab, kind: Kind, more: int) -> None:
    server, host = lab.server(kind, paced=True)
    done = lab.play({"one": host}, [execution(SCRIPT, LINE)])
    assert done.code == 0, done.output
    assert server.stats.requests == BUDGET[kind][0] + more


@pytest.mark.parametrize("kind", ("winrm-ntlm", "psrp-ntlm"))
def test_windows_7_takes_smaller_requests_and_an_older_protocol(lab: Lab, kind: Kind) -> None:
    server, host = lab.server(kind, largest_request=153_600, remoting="2.1")
    done = lab.play({"one": host}, [execution(SCRIPT, LINE)])
    assert done.code == 0, done.output
    assert server.stats.requests == BUDGET[kind][0]
    too_much = lab.play({"one": host}, [execution(SCRIPT, LINE * 3)])
    assert (too_much.code == 0) is kind.startswith("psrp")  # psrp sends smaller pieces until the host allows more


def test_latency_is_per_request(lab: Lab) -> None:
    slow, host = lab.server("psrp-basic-tls", latency=0.3)
    done = lab.play({"one": host}, [execution(SCRIPT, "text")])
    assert done.code == 0, done.output
    assert slow.stats.requests == 6


def test_a_user_without_rights(lab: Lab) -> None:
    hosts = {}
    for kind in ("winrm-ntlm", "psrp-basic-tls"):
        _server, hosts[kind] = lab.server(kind, refused=(USER,))
    done = lab.play(hosts, RAW)
    assert done.code == 4
    assert done.output.count("ccess is denied") >= 2


def test_twenty_hosts_at_once(lab: Lab) -> None:
    kinds: tuple[Kind, ...] = ("winrm-ntlm", "psrp-ntlm")
    made = {f"host{number}": lab.server(kinds[number % 2]) for number in range(20)}
    done = lab.play({name: host for name, (_server, host) in made.items()}, [execution(SCRIPT, LINE)])
    assert done.code == 0, done.output
    assert {server.stats.requests for server, _host in made.values()} == {9}


def test_nothing_is_left(authority: Authority, tmp_path: pathlib.Path) -> None:
    waiting = threading.Event()

    def forever(ask: Exec) -> Result:
        waiting.set()
        assert ask.ended.wait(30)
        return Result()

    with WsmanServer(forever, {USER: PASSWORD}) as server:
        host = variables("winrm-ntlm", server, USER, PASSWORD)
        caller = threading.Thread(target=play, args=(tmp_path, {"one": host}, RAW))
        caller.start()
        assert waiting.wait(30)
    caller.join(60)
    assert not caller.is_alive()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wsman")]
