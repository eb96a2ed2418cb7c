# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""breakwater.smb.paramiko against a real OpenSSH server."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko
import pytest
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound

from tests.lab import sshd as lab
from tests.lab.connection import as_other, connection
from tests.lab.sshd import PASSPHRASE, Sshd

SECRET = "correct horse {{ 7 * 7 }}"
USERS = {"alice": SECRET, "bob": "bobs-password", "carol": "carols-password"}
SUDOERS = "alice ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL"


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    lab.needed()
    with Sshd(users=USERS, sudoers=SUDOERS, options=["MaxAuthTries 3"]) as running:
        yield running


@pytest.fixture(autouse=True)
def _home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def reach(server: Sshd, user: str = "root", **more: Any) -> dict[str, Any]:
    options = {
        "host": server.address,
        "port": server.port,
        "remote_user": user,
        "private_key_file": str(server.key),
        "known_hosts": str(server.known_hosts),
    }
    return {**options, **more}


def refusal(options: dict[str, Any], kind: type[Exception] = AnsibleConnectionFailure) -> str:
    with connection(options) as made, pytest.raises(kind) as caught:
        made.exec_command("true")
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


# Commands


def test_one_connection_and_one_channel_for_each_command(server: Sshd) -> None:
    connections, executions = server.connections(), server.executions()
    with connection(reach(server)) as made:
        assert made.exec_command("echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
        assert made.exec_command("cat", in_data=b"\x00\xff\r\n") == (0, b"\x00\xff\r\n", b"")
    assert server.executions() - executions == 2
    assert server.connections() - connections == 1


def test_ten_megabytes_each_way_at_once(server: Sshd) -> None:
    data = os.urandom(1 << 20) * 10
    with connection(reach(server)) as made:
        code, out, err = made.exec_command("tee /dev/stderr", in_data=data)
    assert code == 0
    assert hashlib.sha256(out).digest() == hashlib.sha256(err).digest() == hashlib.sha256(data).digest()


def test_input_that_nobody_reads(server: Sshd) -> None:
    with connection(reach(server)) as made:
        assert made.exec_command("echo early; exec <&-; exit 4", in_data=b"x" * 5_000_000)[:2] == (4, b"early\n")


def test_ended_by_a_signal(server: Sshd) -> None:
    with connection(reach(server)) as made:
        code, out, err = made.exec_command("echo before; kill -9 $$")
    assert (code, out) == (255, b"before\n")
    assert b"signal" in err


def test_a_silent_command_is_cut_off(server: Sshd) -> None:
    with connection(reach(server, command_timeout=2)) as made:
        started = time.monotonic()
        with pytest.raises(AnsibleConnectionFailure, match="nothing for 2 seconds"):
            made.exec_command("sleep 30")
        assert time.monotonic() - started < 10


def test_a_child_in_the_background_does_not_hold_the_task(server: Sshd) -> None:
    with connection(reach(server)) as made:
        started = time.monotonic()
        assert made.exec_command("sleep 60 & echo done")[:2] == (0, b"done\n")
        assert time.monotonic() - started < 20


def test_a_connection_lost_in_the_middle(server: Sshd) -> None:
    with connection(reach(server)) as made:
        with pytest.raises(AnsibleConnectionFailure, match="lost while a command ran"):
            made.exec_command("echo some; kill -9 $(ps -o ppid= -p $PPID) $PPID; sleep 5")
        assert made.exec_command("echo again")[1] == b"again\n"  # a loop's next item connects anew


def test_reset(server: Sshd) -> None:
    with connection(reach(server)) as made:
        made.exec_command("true")
        made.reset()
        assert made.exec_command("echo after")[1] == b"after\n"


def test_terminal_only_without_input(server: Sshd) -> None:
    with connection(reach(server, pty=True)) as made:
        assert made.exec_command("test -t 1 && echo tty")[1].strip() == b"tty"
        assert made.exec_command("cat; test -t 1 || echo none", in_data=b"in\n")[1] == b"in\nnone\n"


# Files


def test_files_by_sftp(server: Sshd, tmp_path: pathlib.Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "local ü").write_bytes(data)
    with connection(reach(server)) as made:
        made.put_file(str(tmp_path / "local ü"), str(tmp_path / "there"))
        made.fetch_file(str(tmp_path / "there"), str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == data
        with pytest.raises(AnsibleFileNotFound, match="no file /nowhere/x"):
            made.put_file("/nowhere/x", "/tmp/x")
        with pytest.raises(AnsibleError, match=r"Cannot send .* No such file"):
            made.put_file(str(tmp_path / "back"), "/nowhere/at/all")
        with pytest.raises(AnsibleError, match="Cannot get /nowhere/x"):
            made.fetch_file("/nowhere/x", str(tmp_path / "y"))


# Authentication


def test_password_and_that_it_is_never_shown(server: Sshd) -> None:
    with connection(reach(server, "alice", private_key_file=None, password=SECRET)) as made:
        assert made.exec_command("id -un")[1] == b"alice\n"
    text = refusal(reach(server, "alice", private_key_file=None, password="wrong-secret"), AnsibleAuthenticationFailure)
    assert "did not let alice in (tried: password" in text
    assert "wrong-secret" not in text


def test_wrong_user_key_and_nothing(server: Sshd, tmp_path: pathlib.Path) -> None:
    assert "did not let nobody in (tried: key file" in refusal(reach(server, "nobody"), AnsibleAuthenticationFailure)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    options = reach(server, private_key_file=str(tmp_path / "other"))
    assert "tried: key file" in refusal(options, AnsibleAuthenticationFailure)
    assert "not there" in refusal(reach(server, private_key_file="/nowhere/key"))
    (tmp_path / "broken").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    refusal(reach(server, private_key_file=str(tmp_path / "broken")))
    assert "tried: nothing" in refusal(reach(server, private_key_file=None), AnsibleAuthenticationFailure)


def test_encrypted_key(server: Sshd) -> None:
    options = reach(server, private_key_file=str(server.encrypted_key))
    with connection({**options, "private_key_passphrase": PASSPHRASE}) as made:
        assert made.exec_command("true")[0] == 0
    assert "is encrypted" in refusal(options, AnsibleAuthenticationFailure)
    wrong = refusal({**options, "private_key_passphrase": "wrong-phrase"})
    assert "wrong-phrase" not in wrong


def test_agent(server: Sshd, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket_path = str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while not pathlib.Path(socket_path).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", socket_path)
        subprocess.run(["ssh-add", "-q", str(server.rsa_key)], check=True)
        with connection(reach(server, private_key_file=None, use_agent=True)) as made:
            assert made.exec_command("true")[0] == 0
    finally:
        agent.terminate()
        agent.wait()


def test_keys_of_the_home_directory(server: Sshd, tmp_path: pathlib.Path) -> None:
    (tmp_path / ".ssh").mkdir()
    shutil.copy(server.key, tmp_path / ".ssh" / "id_ed25519")
    with connection(reach(server, private_key_file=None, look_for_keys=True)) as made:
        assert made.exec_command("true")[0] == 0


def test_keyboard_interactive_through_pam() -> None:
    lab.needed()
    options = ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"]
    with Sshd(users=USERS, options=options, pam=True) as server:
        with connection(reach(server, "alice", private_key_file=None, password=SECRET)) as made:
            assert made.exec_command("id -un")[1] == b"alice\n"
        wrong = refusal(
            reach(server, "alice", private_key_file=None, password="nope-secret"), AnsibleAuthenticationFailure
        )
        assert "nope-secret" not in wrong


def test_key_and_password_together() -> None:
    lab.needed()
    with (
        Sshd(users=USERS, options=["AuthenticationMethods publickey,password"]) as server,
        connection(reach(server, "alice", password=SECRET)) as made,
    ):
        assert made.exec_command("id -un")[1] == b"alice\n"


# Becoming another user


@pytest.mark.parametrize("data", [None, b"the input\n"])
def test_sudo_with_a_password(server: Sshd, data: bytes | None) -> None:
    with connection(reach(server, "alice"), {"become_pass": SECRET}) as made:
        assert made.exec_command(as_other(made, "id -un; echo on err >&2; cat"), in_data=data) == (
            0,
            b"root\n" + (data or b""),
            b"on err\n",
        )


def test_sudo_without_a_password(server: Sshd) -> None:
    with connection(reach(server, "bob"), {}) as made:
        assert made.exec_command(as_other(made, "id -un; cat"), in_data=b"in") == (0, b"root\nin", b"")
    with connection(reach(server, "bob"), {"become_pass": "not needed"}) as made:
        assert made.exec_command(as_other(made, "id -un; cat"), in_data=b"in") == (0, b"root\nin", b"")


def test_sudo_refuses(server: Sshd) -> None:
    with connection(reach(server, "alice"), {"become_pass": "wrong-secret"}) as made:
        with pytest.raises(AnsibleError, match="Incorrect sudo password") as caught:
            made.exec_command(as_other(made, "id"), in_data=b"must not be read as a password\n")
        assert "wrong-secret" not in str(caught.value)
    with connection(reach(server, "alice"), {}) as made, pytest.raises(AnsibleError, match="Missing sudo password"):
        made.exec_command(as_other(made, "id"))
    with connection(reach(server, "carol"), {"become_pass": USERS["carol"]}) as made:
        code, out, err = made.exec_command(as_other(made, "id"))
        assert code == 1
        assert b"sudoers" in out + err


def test_sudo_on_a_terminal(server: Sshd) -> None:
    with connection(reach(server, "alice", pty=True), {"become_pass": SECRET}) as made:
        code, out, _err = made.exec_command(as_other(made, "id -un"))
    assert (code, out.split()) == (0, [b"root"])


def test_su(server: Sshd) -> None:
    with connection(reach(server, "alice"), {"become_user": "bob", "become_pass": USERS["bob"]}, "su") as made:
        code, out, _err = made.exec_command(as_other(made, "id -un; cat"), in_data=b"in")
        assert (code, out) == (0, b"bob\nin")
    wrong = connection(reach(server, "alice"), {"become_user": "bob", "become_pass": "wrong"}, "su")
    with wrong as made, pytest.raises(AnsibleError, match="Incorrect su password"):
        made.exec_command(as_other(made, "id -un"))
    with connection(reach(server), {"become_user": "bob"}, "su") as made:
        assert made.exec_command(as_other(made, "id -un"))[:2] == (0, b"bob\n")


# Host keys


def test_unknown_host_key(server: Sshd, tmp_path: pathlib.Path) -> None:
    options = reach(server, known_hosts=str(tmp_path / "none"))
    text = refusal(options)
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(server.directory / "host_key.pub")], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] in text
    assert f"ssh-keyscan -p {server.port} 127.0.0.1" in text
    with connection({**options, "host_key_checking": False}) as made:
        assert made.exec_command("true")[0] == 0
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / ".ssh").exists()


@pytest.mark.parametrize("checking", [True, False])
def test_changed_and_revoked_host_keys(server: Sshd, tmp_path: pathlib.Path, checking: bool) -> None:
    known = tmp_path / "known"
    other = server.key.with_suffix(".pub").read_text().rsplit(" ", 1)[0]
    known.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    options = reach(server, known_hosts=str(known), host_key_checking=checking)
    text = refusal(options)
    assert "has changed" in text
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in text
    known.write_text(server.entry() + f"@revoked * {server.host_key()}\n")
    assert "is revoked" in refusal(options)


@pytest.mark.parametrize("kind", ["hashed", "home", "pattern", "without port", "second key"])
def test_ways_to_know_a_host(server: Sshd, tmp_path: pathlib.Path, kind: str) -> None:
    known = tmp_path / ".ssh" / "known_hosts"
    known.parent.mkdir()
    other = server.key.with_suffix(".pub").read_text().rsplit(" ", 1)[0]
    known.write_text(
        {
            "hashed": server.entry(),
            "home": server.entry(),
            "pattern": server.entry(f"other,[127.0.0.*]:{server.port}"),
            "without port": server.entry("127.0.0.1"),
            "second key": f"[127.0.0.1]:{server.port} {other}\n" + server.entry(),
        }[kind]
    )
    if kind == "hashed":
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True)
        assert "127.0.0.1" not in known.read_text()
    with connection(reach(server, known_hosts=None)) as made:
        assert made.exec_command("true")[0] == 0


def test_the_known_type_of_key_is_asked_for(tmp_path: pathlib.Path) -> None:
    lab.needed()
    extra = tmp_path / "extra"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(extra)], check=True)
    with Sshd(options=[f"HostKey {extra}"]) as server:
        server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {extra.with_suffix('.pub').read_text()}")
        with connection(reach(server)) as made:
            assert made.exec_command("true")[0] == 0


def test_adding_on_demand_only(server: Sshd, tmp_path: pathlib.Path) -> None:
    known = tmp_path / "new" / "known"
    options = reach(server, known_hosts=str(known), host_key_auto_add=True)
    for _round in range(2):
        with connection(options) as made:
            assert made.exec_command("true")[0] == 0
    assert known.read_text() == server.entry()
    with connection(reach(server, known_hosts=str(known))) as made:
        assert made.exec_command("true")[0] == 0


# Ways


def test_jump_hosts(server: Sshd) -> None:
    lab.needed()
    with Sshd() as target, Sshd() as second:
        known = target.directory / "all"
        known.write_text(target.entry() + server.entry() + second.entry())
        chain = f"root@127.0.0.1:{server.port},127.0.0.1:{second.port}"
        options = {**reach(server), "port": target.port, "known_hosts": str(known), "jump_host": chain}
        for box in (target, second):
            shutil.copy(server.key.with_suffix(".pub"), box.directory / "authorized_keys")
        with connection(options) as made:
            data = os.urandom(2_000_000)
            assert made.exec_command("cat", in_data=data)[1] == data
        assert [box.connections() for box in (target, second)] == [1, 1]
        known.write_text(target.entry() + second.entry())
        assert f"[127.0.0.1]:{server.port} is not known" in refusal(options)
        nowhere = {**options, "port": lab.free_port(), "jump_host": f"127.0.0.1:{second.port}"}
        assert "cannot reach 127.0.0.1 port" in refusal(nowhere)
    assert "is not a jump host" in refusal(reach(server, jump_host="a@b:c:d@"))


def test_a_jump_host_never_gets_the_password(server: Sshd) -> None:
    options = reach(server, "alice", private_key_file=None, password=SECRET, jump_host=f"alice@127.0.0.1:{server.port}")
    before = server.log().count("Failed password") + server.log().count("Accepted password")
    assert "tried: nothing" in refusal(options, AnsibleAuthenticationFailure)
    assert server.log().count("Failed password") + server.log().count("Accepted password") == before
    with connection({**options, "jump_password": SECRET}) as made:
        assert made.exec_command("id -un")[1] == b"alice\n"


def test_proxy_command(server: Sshd) -> None:
    relay = pathlib.Path(__file__).resolve().parents[2] / "demo" / "relay.py"
    with connection(reach(server, proxy_command=f"python3 {relay} %h %p")) as made:
        data = os.urandom(2_000_000)
        assert made.exec_command("cat", in_data=data)[1] == data
    text = refusal(reach(server, proxy_command="echo no way through >&2; exit 1"))
    assert "no way through" in text


def test_ssh_configuration(server: Sshd, tmp_path: pathlib.Path) -> None:
    config = tmp_path / "config"
    jump = f"Host gate\n HostName 127.0.0.1\n Port {server.port}\n User root\n IdentityFile {server.key}\n HostKeyAlias box\n"
    common = f"Host *\n UserKnownHostsFile {tmp_path}/known\n"
    (tmp_path / "known").write_text(server.entry("box"))
    base = {"host": "gate", "ssh_config": str(config), "remote_user": None}
    config.write_text(jump + common)
    with connection(base) as made:
        assert made.exec_command("id -un")[1] == b"root\n"
    inner = f"Host inner\n HostName 127.0.0.1\n Port {server.port}\n User alice\n IdentityFile {server.key}\n"
    config.write_text(f"{jump}{inner} HostKeyAlias box\n ProxyJump gate\n{common} ProxyJump gate\n")
    executions = server.log().count("direct-tcpip") + server.connections()
    with connection({**base, "host": "inner"}) as made:
        assert made.exec_command("id -un")[1] == b"alice\n"
    assert server.log().count("direct-tcpip") + server.connections() >= executions + 2
    config.write_text("Host gate\n Port many\n")
    assert "'many' is not a port" in refusal(base)
    config.write_text("Host gate\n ProxyJump one\nHost one\n ProxyJump two\nHost two\n ProxyJump one\n")
    assert "circles" in refusal(base)


# Algorithms


OLD = ["KexAlgorithms {kex}", "Ciphers {cipher}", "MACs {mac}", "HostKeyAlgorithms ssh-rsa"]


@pytest.mark.parametrize(
    ("kex", "cipher", "mac"),
    [
        ("diffie-hellman-group1-sha1", "aes128-cbc", "hmac-sha1"),
        ("diffie-hellman-group14-sha1", "3des-cbc", "hmac-sha1"),
        ("diffie-hellman-group-exchange-sha1", "aes256-cbc", "hmac-md5"),
    ],
)
def test_an_old_nas(kex: str, cipher: str, mac: str) -> None:
    lab.needed()
    lines = [line.format(kex=kex, cipher=cipher, mac=mac) for line in OLD]
    with Sshd(users=USERS, options=lines, host_key_type="rsa") as server:
        assert "breakwater_paramiko_legacy_algorithms: true" in refusal(reach(server))
        with connection(reach(server, legacy_algorithms=True)) as made:
            assert made.exec_command("cat", in_data=b"old" * 100_000)[1] == b"old" * 100_000
        with connection(reach(server, "alice", private_key_file=None, password=SECRET, legacy_algorithms=True)) as made:
            assert made.exec_command("id -un")[1] == b"alice\n"
        server.known_hosts.write_text("")
        assert "is not known" in refusal(reach(server, legacy_algorithms=True))


@pytest.mark.parametrize(
    "line", ["Ciphers aes128-cbc,3des-cbc", "MACs hmac-sha1", "KexAlgorithms diffie-hellman-group14-sha1"]
)
def test_one_old_algorithm_is_enough_to_be_refused(line: str) -> None:
    lab.needed()
    with Sshd(options=[line]) as server:
        assert "breakwater_paramiko_legacy_algorithms" in refusal(reach(server))


def test_legacy_mode_still_takes_the_strongest(server: Sshd) -> None:
    with connection(reach(server, legacy_algorithms=True)) as made:
        assert made.exec_command("true")[0] == 0
        transport = made._client.get_transport()
        assert "cbc" not in transport.remote_cipher
        assert transport.host_key_type == "ssh-ed25519"


# Hostile servers


@contextmanager
def hostile(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that does ``answer`` to each connection; yields its port."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _address = listener.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    answer(peer)
                    done.wait(30)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def flood(line: bytes) -> Callable[[socket.socket], None]:
    """Send ``line`` again and again, up to 64 MB."""

    def answer(peer: socket.socket) -> None:
        for _round in range((64 << 20) // len(line)):
            peer.sendall(line)

    return answer


def stalls_in_key_exchange(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
    peer.recv(4096)


@pytest.mark.parametrize(
    "answer",
    [
        lambda peer: None,
        lambda peer: peer.sendall(b"HTTP/1.1 400 Bad \x1b[31mRequest\x1b[0m\r\n\r\n"),
        lambda peer: peer.sendall(b"SSH-1.5-old\r\n"),
        lambda peer: peer.sendall(b"SSH-2.0-x\r\n" + b"\xff" * 4000),
        lambda peer: peer.close(),
        flood(b"A" * 65536),
        flood(b"lines and lines\r\n" * 1000),
        stalls_in_key_exchange,
    ],
    ids=["silent", "http", "ssh 1", "garbage", "closes", "endless line", "endless lines", "stalls in key exchange"],
)
def test_hostile_before_the_keys(answer: Callable[[socket.socket], None], capfd: pytest.CaptureFixture[str]) -> None:
    with hostile(answer) as port:
        started = time.monotonic()
        text = refusal({"host": "127.0.0.1", "port": port, "timeout": 2})
        assert time.monotonic() - started < 15
    assert text.isprintable()
    assert f"127.0.0.1 port {port}" in text
    assert "Traceback" not in capfd.readouterr().err


class Obstinate(paramiko.ServerInterface):
    """Lets everybody in, and then does not answer one thing."""

    def __init__(self, stalls_at: str) -> None:
        self.stalls_at = stalls_at

    def _stall(self, at: str) -> None:
        if at == self.stalls_at:
            time.sleep(25)

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._stall("login")
        return int(paramiko.common.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._stall("channel")
        return int(paramiko.common.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        self._stall("exec")
        return self.stalls_at != "refuses"


@pytest.mark.parametrize("stalls_at", ["login", "channel", "exec", "refuses", "output"])
def test_hostile_after_the_keys(server: Sshd, stalls_at: str, capfd: pytest.CaptureFixture[str]) -> None:
    key = paramiko.RSAKey.from_private_key_file(str(server.rsa_key))

    def answer(peer: socket.socket) -> None:
        transport = paramiko.Transport(peer)
        transport.add_server_key(key)
        transport.start_server(server=Obstinate(stalls_at))

    with hostile(answer) as port:
        options = {
            "host": "127.0.0.1",
            "port": port,
            "remote_user": "x",
            "password": SECRET,
            "host_key_checking": False,
        }
        started = time.monotonic()
        text = refusal({**options, "timeout": 2, "command_timeout": 2})
        assert time.monotonic() - started < 20
    assert SECRET not in text
    assert "Traceback" not in capfd.readouterr().err


def test_nobody_listens(server: Sshd) -> None:
    assert "Connection refused" in refusal(reach(server, port=lab.free_port()))
    assert "Cannot connect to no.such.host.invalid" in refusal(reach(server, host="no.such.host.invalid"))


def test_a_server_without_sftp() -> None:
    lab.needed()
    with Sshd(options=["Subsystem sftp /nowhere/sftp-server"]) as server:
        text = (server.directory / "sshd_config").read_text()
        assert text.count("Subsystem") == 1
        with (
            connection(reach(server)) as made,
            pytest.raises(AnsibleConnectionFailure, match="SFTP could not be started"),
        ):
            made.fetch_file("/etc/hostname", "/dev/null")
