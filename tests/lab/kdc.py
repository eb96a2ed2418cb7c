# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Kerberos realm for tests: MIT's KDC on loopback and a free port.

    with Kdc({"alice": "secret"}) as kdc:
        kdc.environment      for clients: where the realm's configuration is
        kdc.acceptor         for servers in this process: the keytab of HTTP, WSMAN and host on localhost
        kdc.ticket("alice")  a credential cache, got with alice's keytab

Everything is in a directory of its own and goes with it: no file of the system is read or written, nothing but environment
variables leads there, and no password is ever an argument of a process. ``why_not()`` says what is missing.
"""

from __future__ import annotations

import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

import pytest

REALM = "LAB.BREAKWATER.TEST"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_TOOLS = {
    "krb5kdc": "krb5-kdc",
    "kdb5_util": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
}
_READY_SECONDS = 20.0
_DIES_WITH_ITS_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def why_not() -> str | None:
    """Return why no realm can be made here, or None."""
    for tool, package in _TOOLS.items():
        if shutil.which(tool, path=_PATH) is None:
            return f"needs {tool}: apt-get install {package}"
    return None


def needed() -> None:
    """Skip the test when no realm can be made, or when Python's Kerberos libraries are missing."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"a real Kerberos KDC {reason}")
    for module in ("gssapi", "krb5", "kerberos"):
        pytest.importorskip(module, reason="Kerberos needs pip install -r tests/requirements-kerberos.txt")


class Kdc:
    """The realm; see the module's text.

    Args:
        users: passwords by name.
        services: principals of the host that clients ask for.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        services: Sequence[str] = ("HTTP/localhost", "WSMAN/localhost", "host/localhost"),
    ) -> None:
        self._users = dict(users)
        self._services = list(services)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lab-kdc-"))
        self.keytab = self.directory / "service.keytab"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.environment = {"KRB5_CONFIG": str(self.directory / "krb5.conf")}
        self.acceptor = {
            **self.environment,
            "KRB5_KTNAME": f"FILE:{self.keytab}",
            "KRB5RCACHENAME": "none:",  # the replay cache would be a file in /var/tmp
        }

    def __enter__(self) -> Kdc:
        try:
            self._configure()
            self._fill()
            self._start_somewhere()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def principal(self, user: str) -> str:
        """Return the full name of a user."""
        return f"{user}@{REALM}"

    def ticket(self, user: str) -> str:
        """Return the name of a credential cache (for KRB5CCNAME) with a fresh ticket, got with the user's keytab."""
        cache = f"FILE:{self.directory / f'ticket-{user}-{secrets.token_hex(4)}'}"
        command = ["kinit", "-k", "-t", str(self.directory / f"{user}.keytab"), "-c", cache, self.principal(user)]
        self._run(command)
        return cache

    def _configure(self) -> None:
        """Write the realm's configuration, with a port that nobody has now."""
        folder = self.directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "krb5.conf").write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
            " dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
            f" default_ccache_name = FILE:{folder}/default-ticket\n plugin_base_dir = {folder}/none\n"
            f"[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{self.port}\n }}\n"
            f"[domain_realm]\n localhost = {REALM}\n",
            encoding="ascii",
        )
        (folder / "kdc.conf").write_text(
            f"[kdcdefaults]\n kdc_listen = 127.0.0.1:{self.port}\n kdc_tcp_listen = 127.0.0.1:{self.port}\n"
            f"[realms]\n {REALM} = {{\n  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n"
            f"  acl_file = {folder}/acl\n  max_life = 1h\n }}\n"
            f"[logging]\n kdc = FILE:{folder}/kdc.log\n admin_server = FILE:{folder}/kdc.log\n",
            encoding="ascii",
        )

    def _fill(self) -> None:
        master = secrets.token_hex(16)
        self._run(["kdb5_util", "-r", REALM, "create", "-s"], f"{master}\n{master}\n")
        for user, password in self._users.items():
            self._run(["kadmin.local", "-r", REALM, "-q", f"add_principal {user}"], f"{password}\n{password}\n")
            self._admin(f"ktadd -norandkey -k {self.directory / f'{user}.keytab'} {user}")
        for service in self._services:
            self._admin(f"add_principal -randkey {service}")
            self._admin(f"ktadd -k {self.keytab} {service}")

    def _admin(self, query: str) -> None:
        self._run(["kadmin.local", "-r", REALM, "-q", query])

    def _run(self, command: list[str], stdin: str = "") -> None:
        environment = {**self.environment, "PATH": _PATH, "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-400:]}")

    def _start_somewhere(self) -> None:
        """Between choosing a port and using it, somebody else may take it."""
        for chance in range(3):
            try:
                self._start()
                return
            except RuntimeError:
                if chance == 2:
                    raise
                self._configure()

    def _start(self) -> None:
        environment = {**self.environment, "PATH": _PATH, "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}
        with (self.directory / "start.log").open("wb") as output:
            self._process = subprocess.Popen(
                [*_DIES_WITH_ITS_PARENT, str(shutil.which("krb5kdc", path=_PATH)), "-n", "-r", REALM],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.directory / "start.log").read_text(errors="replace")
                    raise RuntimeError(f"krb5kdc did not start: {said.strip()[-400:]}") from error
            time.sleep(0.05)
