# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real OpenSSH server for tests, on loopback and a free port, with users of its own.

    with Sshd(users={"alice": "secret"}, sudoers="alice ALL=(ALL) ALL") as sshd:
        sshd.port, sshd.key, sshd.known_hosts, sshd.executions(), sshd.log()

It runs in mount and PID namespaces: ``/etc/passwd``, ``shadow``, ``group``, ``sudoers`` and ``/etc/pam.d`` are copies
there, so its users and passwords exist for it alone, and all its processes die with the ``with`` block, or with the
test. root and every user of ``users`` let ``key`` (ed25519), ``rsa_key`` and ``encrypted_key`` in; passwords only work
for ``users``. ``options`` are further lines of sshd_config, the first one of a keyword counts, so they win.
Needs root, openssh-server and util-linux; ``why_not()`` says what is missing.
"""

from __future__ import annotations

import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

import pytest

PASSPHRASE = "open-sesame"
_READY_SECONDS = 20.0
_BASE_UID = 20000


def why_not() -> str | None:
    """Return why no sshd can be started here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    for tool, package in {"sshd": "openssh-server", "ssh-keygen": "openssh-client", "unshare": "util-linux"}.items():
        if shutil.which(tool, path=path) is None:
            return f"needs {tool}: apt-get install {package}"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else f"namespaces cannot be made: {tried.stderr.strip()}"


def needed() -> None:
    """Skip the test when no sshd can be started here."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"a real sshd {reason}")


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """The server; see the module's text. ``directory`` holds all its files and is removed at the end."""

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        sudoers: str = "",
        options: Sequence[str] = (),
        host_key_type: str = "ed25519",
        address: str = "127.0.0.1",
        pam: bool = False,
    ) -> None:
        self.users = dict(users or {})
        self.sudoers = sudoers
        self.options = list(options)
        self.host_key_type = host_key_type
        self.address = address
        self.pam = pam
        self.port = free_port()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="breakwater-sshd-"))
        self.key = self.directory / "key"
        self.rsa_key = self.directory / "rsa_key"
        self.encrypted_key = self.directory / "encrypted_key"
        self.known_hosts = self.directory / "known_hosts"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sshd:
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self) -> str:
        """Return what sshd logged so far, at level VERBOSE."""
        path = self.directory / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def executions(self) -> int:
        """Return how many commands ran."""
        return self.log().count("Starting session: command")

    def connections(self) -> int:
        """Return how many TCP connections came (the one that tried whether sshd is ready is not counted)."""
        return self.log().count("Connection from ") - 1

    def host_key(self) -> str:
        """Return type and text of its public host key."""
        return " ".join((self.directory / "host_key.pub").read_text(encoding="ascii").split()[:2])

    def entry(self, name: str = "") -> str:
        """Return a line for known_hosts."""
        return f"{name or f'[{self.address}]:{self.port}'} {self.host_key()}\n"

    def variables(self, user: str = "root") -> dict[str, object]:
        """Return the inventory variables that reach it by key over breakwater.smb.paramiko."""
        return {
            "ansible_connection": "breakwater.smb.paramiko",
            "ansible_host": self.address,
            "ansible_port": self.port,
            "ansible_user": user,
            "ansible_ssh_private_key_file": str(self.key),
            "breakwater_paramiko_known_hosts": str(self.known_hosts),
            "breakwater_paramiko_ssh_config": "",
        }

    def _prepare(self) -> None:
        for path, kind, phrase in (
            (self.key, "ed25519", ""),
            (self.rsa_key, "rsa", ""),
            (self.encrypted_key, "ed25519", PASSPHRASE),
            (self.directory / "host_key", self.host_key_type, ""),
        ):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", phrase, "-C", "test", "-f", str(path)], check=True)
        self.directory.chmod(0o755)  # sshd reads the authorized keys as the user
        keys = [
            path.with_suffix(".pub").read_text(encoding="ascii")
            for path in (self.key, self.rsa_key, self.encrypted_key)
        ]
        (self.directory / "authorized_keys").write_text("".join(keys), encoding="ascii")
        self.known_hosts.write_text(self.entry(), encoding="ascii")
        self._accounts()
        lines = [
            *self.options,
            f"ListenAddress {self.address}:{self.port}",
            f"HostKey {self.directory}/host_key",
            f"AuthorizedKeysFile {self.directory}/authorized_keys",
            f"AllowUsers {' '.join(['root', *self.users])}",
            "PermitRootLogin prohibit-password",
            "StrictModes no",
            f"UsePAM {'yes' if self.pam else 'no'}",
            "LogLevel VERBOSE",
            "PidFile none",
            "MaxStartups 200:30:400",
            "PrintMotd no",
            *([] if any(line.startswith("Subsystem") for line in self.options) else ["Subsystem sftp internal-sftp"]),
        ]
        (self.directory / "sshd_config").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _accounts(self) -> None:
        etc = self.directory / "etc"
        etc.mkdir(mode=0o755)
        for name in ("passwd", "group", "shadow"):
            shutil.copy(f"/etc/{name}", etc / name)
        with (
            (etc / "passwd").open("a") as passwd,
            (etc / "shadow").open("a") as shadow,
            (etc / "group").open("a") as group,
        ):
            for uid, (user, password) in enumerate(self.users.items(), _BASE_UID):
                home = self.directory / "home" / user
                home.mkdir(parents=True)
                os.chown(home, uid, uid)
                digest = subprocess.run(
                    ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True
                )
                passwd.write(f"{user}:x:{uid}:{uid}::{home}:/bin/sh\n")
                shadow.write(f"{user}:{digest.stdout.strip()}:19000:0:99999:7:::\n")
                group.write(f"{user}:x:{uid}:\n")
        shutil.copytree("/etc/pam.d", etc / "pam.d")
        (etc / "pam.d" / "sshd").write_text(
            "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n",
            encoding="ascii",
        )
        (etc / "sudoers").write_text(f"root ALL=(ALL:ALL) ALL\n{self.sudoers}\n", encoding="utf-8")
        (etc / "sudoers").chmod(0o440)

    def _start(self) -> None:
        etc = self.directory / "etc"
        binds = [
            f"mount --bind {shlex.quote(str(etc / name))} /etc/{name}"
            for name in ("passwd", "group", "shadow", "pam.d")
        ]
        if pathlib.Path("/etc/sudoers").exists():
            binds.append(f"mount --bind {shlex.quote(str(etc / 'sudoers'))} /etc/sudoers")
        run = "mkdir -p /run/sshd; mount -t tmpfs -o mode=755 tmpfs /run/sshd"
        config, log = (shlex.quote(str(self.directory / name)) for name in ("sshd_config", "log"))
        script = " && ".join(
            [*binds, run, f"exec {shutil.which('sshd', path='/usr/sbin:/sbin')} -D -f {config} -E {log}"]
        )
        command = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--mount-proc",
            "--fork",
            "--kill-child=SIGKILL",
        ]
        with (self.directory / "start.log").open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "/bin/sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                with socket.create_connection((self.address, self.port), 1) as probe:
                    probe.recv(4)
                return
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.directory / "start.log").read_text(errors="replace") + self.log()
                    raise RuntimeError(f"sshd did not start: {said.strip()[-400:]}") from error
            time.sleep(0.05)
