# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening an SSH connection with paramiko: addresses, jump hosts, host keys, algorithms, authentication."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import getpass
import hashlib
import os
import pathlib
import socket
import warnings
from dataclasses import dataclass
from typing import Any

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # paramiko mentions its old ciphers when it is imported
        import paramiko
except ImportError:
    paramiko = None

SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_OLD = {
    "kex": ("diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1"),
    "keys": ("ssh-rsa", "ssh-dss", "ssh-rsa-cert-v01@openssh.com"),
    "pubkeys": ("ssh-rsa", "ssh-dss", "ssh-rsa-cert-v01@openssh.com"),
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc", "blowfish-cbc"),
    "macs": ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
}


class Refused(Exception):
    """No connection; ``str`` is one sentence. ``authentication``: the server did not let us in."""

    def __init__(self, message: str, *, authentication: bool = False) -> None:
        self.authentication = authentication
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where to connect and how. Secrets are left out of its text form.

    ``jump_host`` is ``[user@]host[:port]``, several separated by commas; ``timeout`` is in seconds.
    """

    host: str
    port: int = 22
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = dataclasses.field(default=None, repr=False)
    use_agent: bool = True
    check_host_keys: bool = True
    known_hosts: str | None = None
    ssh_config: str = ""
    jump_host: str | None = None
    proxy_command: str | None = None
    legacy_algorithms: bool = False
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class _Way:
    """What the SSH configuration makes of a target."""

    host: str
    port: int
    user: str
    alias: str
    key_files: tuple[str, ...]
    jumps: tuple[str, ...]
    proxy_command: str | None


def open_client(target: SshTarget) -> Any:
    """Return a connected ``paramiko.SSHClient``; closing it closes the jump hosts too.

    Raises:
        Refused: no connection.
    """
    if paramiko is None:
        raise Refused("The Python library paramiko is missing: install it where ansible-core runs (pip install paramiko).")
    way = _way(target)
    with contextlib.ExitStack() as stack:
        sock = _sock(target, way, stack)
        client = stack.enter_context(contextlib.closing(_Client()))
        _known_hosts(client, target)
        client.set_missing_host_key_policy(_RejectUnknown() if target.check_host_keys else paramiko.AutoAddPolicy())
        _connect(client, target, way, sock)
        client.behind = stack.pop_all()
    return client


class _Client(paramiko.SSHClient if paramiko is not None else object):  # type: ignore[misc]
    """A client that closes what it was reached through."""

    behind: contextlib.ExitStack | None = None

    def close(self) -> None:
        super().close()
        behind, self.behind = self.behind, None
        if behind is not None:
            behind.close()


def _way(target: SshTarget) -> _Way:
    config: dict[str, Any] = {}
    path = pathlib.Path(target.ssh_config) if target.ssh_config else None
    if path is not None and path.is_file():
        try:
            config = paramiko.SSHConfig.from_path(str(path)).lookup(target.host)
        except (OSError, paramiko.SSHException, UnicodeDecodeError) as error:
            raise Refused(f"Cannot read the SSH configuration {path}: {error}.") from error
    jumps = target.jump_host or config.get("proxyjump") or ""
    port = target.port if target.port != 22 else int(config.get("port", 22))
    alias = config.get("hostkeyalias", target.host)
    return _Way(
        host=config.get("hostname", target.host),
        port=port,
        user=target.user or config.get("user") or getpass.getuser(),
        alias=alias,
        key_files=(target.key_file,) if target.key_file else tuple(config.get("identityfile", ())),
        jumps=tuple(jump.strip() for jump in jumps.split(",") if jump.strip() and jump.strip().lower() != "none"),
        proxy_command=target.proxy_command or config.get("proxycommand"),
    )


def _sock(target: SshTarget, way: _Way, stack: contextlib.ExitStack) -> Any:
    """Return the socket to speak over: of a proxy command, through jump hosts, or a plain one."""
    if way.jumps:
        user, _at, address = way.jumps[-1].rpartition("@")
        host, _colon, port = address.partition(":")
        through = dataclasses.replace(
            target,
            host=host,
            port=int(port or 22),
            user=user or target.user,
            jump_host=",".join(way.jumps[:-1]) or None,
            proxy_command=None,
        )
        jump = stack.enter_context(contextlib.closing(open_client(through)))
        try:
            return jump.get_transport().open_channel("direct-tcpip", (way.host, way.port), ("127.0.0.1", 0), timeout=target.timeout)
        except (paramiko.SSHException, OSError) as error:
            raise Refused(f"The jump host {host} cannot reach {way.host} port {way.port}: {error}.") from error
    if way.proxy_command and way.proxy_command.lower() != "none":
        return stack.enter_context(contextlib.closing(paramiko.ProxyCommand(way.proxy_command)))
    try:
        return stack.enter_context(contextlib.closing(socket.create_connection((way.host, way.port), target.timeout)))
    except OSError as error:
        reason = "timed out" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise Refused(f"Cannot connect to {way.host} port {way.port}: {reason}.") from error


def _known_hosts(client: Any, target: SshTarget) -> None:
    files = [*SYSTEM_KNOWN_HOSTS, os.path.expanduser("~/.ssh/known_hosts"), *([target.known_hosts] if target.known_hosts else [])]
    for name in files:
        if pathlib.Path(name).is_file():
            try:
                client.load_system_host_keys(name)
            except (OSError, paramiko.SSHException, ValueError) as error:
                raise Refused(f"Cannot read the known hosts {name}: {error}.") from error


def fingerprint(key: Any) -> str:
    """Return a key's fingerprint as OpenSSH prints it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


class _RejectUnknown(paramiko.MissingHostKeyPolicy if paramiko is not None else object):  # type: ignore[misc]
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Refuse; say which key it is and how to make it known."""
        del client
        name, _separator, port = hostname.strip("[").partition("]:")
        scan = f"ssh-keyscan {f'-p {port} ' if port else ''}{name} >> ~/.ssh/known_hosts"
        raise Refused(
            f"The host key of {hostname} is not known ({fingerprint(key)}); compare it with the host's own, then run: {scan}"
        )


def _connect(client: Any, target: SshTarget, way: _Way, sock: Any) -> None:
    transport_options: dict[str, Any] = {}
    if not target.legacy_algorithms:
        transport_options["disabled_algorithms"] = {name: list(values) for name, values in _OLD.items()}
    given_key = bool(target.key_file)
    try:
        client.connect(
            way.alias,
            port=way.port,
            username=way.user,
            password=target.password,
            key_filename=[os.path.expanduser(name) for name in way.key_files if pathlib.Path(os.path.expanduser(name)).is_file()] or None,
            passphrase=target.passphrase,
            timeout=target.timeout,
            banner_timeout=target.timeout,
            auth_timeout=target.timeout,
            allow_agent=target.use_agent and not given_key,
            look_for_keys=target.use_agent and not given_key and target.password is None,
            sock=sock,
            **transport_options,
        )
        client.get_transport().set_keepalive(15)
    except Refused:
        raise
    except paramiko.BadHostKeyException as error:
        raise Refused(
            f"The host key of {way.alias} has changed: it shows {fingerprint(error.key)}, known is"
            f" {fingerprint(error.expected_key)}; find out why before you remove the old one with: ssh-keygen -R {way.alias}"
        ) from error
    except paramiko.AuthenticationException as error:
        tried = ", ".join(word for word, used in (("key", way.key_files), ("password", target.password), ("agent", target.use_agent)) if used)
        raise Refused(f"{way.alias} did not let {way.user} in (tried: {tried or 'nothing'}); check the user, key or password.", authentication=True) from error
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise Refused(
            f"{way.alias} offers only algorithms that are not accepted ({error}); for an old NAS box set"
            " breakwater_paramiko_legacy_algorithms: true for that host."
        ) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise Refused(f"Cannot speak SSH with {way.alias} port {way.port}: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__).rstrip(".")[:200]
