# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening an SSH connection with paramiko: jump hosts, host keys, authentication; every wait is bounded."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import socket
import subprocess
import tempfile
from typing import Any

from . import algorithms
from .hostkeys import HostKey, KnownKeys, add, known_keys, name_in_file
from .library import UNUSABLE, Refused, paramiko, reason
from .target import SshTarget, Way, way

MAX_JUMPS = 8
KEEPALIVE_SECONDS = 15


class _Client(paramiko.SSHClient if paramiko is not None else object):  # type: ignore[misc]
    """A client that closes what it was reached through."""

    behind: contextlib.ExitStack | None = None

    def close(self) -> None:
        super().close()
        behind, self.behind = self.behind, None
        if behind is not None:
            behind.close()


def open_client(target: SshTarget) -> Any:
    """Return a connected ``paramiko.SSHClient``; closing it closes the jump hosts too.

    Raises:
        Refused: no connection.
    """
    return _open(target, MAX_JUMPS)


def _open(target: SshTarget, jumps_left: int) -> Any:
    if paramiko is None:
        raise Refused(UNUSABLE)
    path = way(target)
    with contextlib.ExitStack() as stack:
        sock = _sock(target, path, stack, jumps_left)
        client = stack.enter_context(contextlib.closing(_Client()))
        known = known_keys(path.known_hosts, path.known_as, _noted_port(path))
        client.set_missing_host_key_policy(_HostKeys(target, path, known))
        _connect(client, target, path, sock, known.types())
        client.get_transport().set_keepalive(KEEPALIVE_SECONDS)
        client.behind = stack.pop_all()
    return client


def _noted_port(path: Way) -> int:
    return 22 if path.has_alias else path.port


def _sock(target: SshTarget, path: Way, stack: contextlib.ExitStack, jumps_left: int) -> Any:
    """Return the socket to speak over: through jump hosts, of a proxy command, or a plain one."""
    if path.jumps:
        return _through_jumps(target, path, stack, jumps_left)
    if path.proxy_command:
        return stack.enter_context(_proxy(path.proxy_command))
    try:
        return stack.enter_context(contextlib.closing(socket.create_connection((path.host, path.port), target.timeout)))
    except (OSError, UnicodeError) as error:
        raise Refused(f"Cannot connect to {path.host} port {path.port}: {reason(error)}.") from error


def _through_jumps(target: SshTarget, path: Way, stack: contextlib.ExitStack, jumps_left: int) -> Any:
    if jumps_left <= 0:
        raise Refused(
            f"More than {MAX_JUMPS} jump hosts lead to {path.host}; does the SSH configuration go round in circles?"
        )
    last = path.jumps[-1]
    before = [f"{f'{jump.user}@' if jump.user else ''}[{jump.host}]:{jump.port or ''}" for jump in path.jumps[:-1]]
    through = dataclasses.replace(
        target,
        host=last.host,
        port=last.port,
        user=last.user,
        password=target.jump_password,  # the target's own password is no business of the jump host
        jump_host=",".join(before) or None,
        proxy_command=None,
    )
    jump = stack.enter_context(contextlib.closing(_open(through, jumps_left - 1)))
    try:
        return jump.get_transport().open_channel(
            "direct-tcpip", (path.host, path.port), ("127.0.0.1", 0), timeout=target.timeout
        )
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise Refused(
            f"The jump host {last.host} cannot reach {path.host} port {path.port}: {reason(error)}."
        ) from error


@contextlib.contextmanager
def _proxy(command: str) -> Any:
    """Run a proxy command on one end of a socket pair, so that timeouts work as on any socket."""
    ours, its = socket.socketpair()
    with ours, tempfile.TemporaryFile() as messages:
        with its:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"], stdin=its.fileno(), stdout=its.fileno(), stderr=messages
            )
        try:
            yield ours
        except Refused as error:
            messages.seek(0)
            said = messages.read(2000).decode("utf-8", "replace").strip()
            if said and not error.authentication:
                raise Refused(f"{error} The proxy command said: {reason(Exception(said))}.") from error
            raise
        finally:
            ours.close()
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _HostKeys(paramiko.MissingHostKeyPolicy if paramiko is not None else object):  # type: ignore[misc]
    """Judges the server's key. paramiko asks it about every key, for it is given no known hosts of its own."""

    def __init__(self, target: SshTarget, path: Way, known: KnownKeys) -> None:
        self.target = target
        self.path = path
        self.known = known

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Raise ``Refused`` unless the key may be trusted."""
        del client, hostname
        shown = HostKey(key.get_name(), key.asbytes())
        port = _noted_port(self.path)
        verdict = self.known.judge(shown)
        name = name_in_file(self.path.known_as, port)
        if verdict == "revoked":
            raise Refused(
                f"The host key of {name} ({shown.fingerprint()}) is revoked in known_hosts; somebody else may be answering."
            )
        if verdict == "changed":
            old = next(known.fingerprint() for known in self.known.keys if known.type == shown.type)
            raise Refused(
                f"The host key of {name} has changed: it shows {shown.fingerprint()}, known is {old};"
                f" find out why before you remove the old one with: ssh-keygen -R '{name}'"
            )
        if verdict == "unknown" and self.target.add_host_keys:
            add(self.path.known_hosts[0], self.path.known_as, port, shown)
        elif verdict == "unknown" and self.target.check_host_keys:
            raise Refused(self._unknown(shown, name))

    def _unknown(self, shown: HostKey, name: str) -> str:
        others = ""
        if self.known.authority:
            others = " A certificate authority is noted for it, which paramiko cannot check."
        elif self.known.types():
            others = f" Only keys of the types {', '.join(self.known.types())} are noted for it."
        port = "" if self.path.port == 22 else f"-p {self.path.port} "
        return (
            f"The host key of {name} is not known: {shown.fingerprint()}.{others} Compare it with what the host itself prints for"
            " ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub, then make it known with:"
            f" ssh-keyscan {port}{self.path.host} >> ~/.ssh/known_hosts"
        )


def _connect(client: Any, target: SshTarget, path: Way, sock: Any, key_types: list[str]) -> None:
    options: dict[str, Any] = {"disabled_algorithms": algorithms.disabled(target.legacy_algorithms)}
    accepted = inspect.signature(paramiko.SSHClient.connect).parameters
    if "transport_factory" in accepted:  # paramiko 2.12
        options["transport_factory"] = functools.partial(algorithms.transport, target.legacy_algorithms, key_types)
    search = not target.key_file and target.password is None and target.look_for_keys
    where = f"{path.host} port {path.port}"
    try:
        client.connect(
            path.known_as,
            port=path.port,
            username=path.user,
            password=target.password,
            key_filename=[str(name) for name in path.key_files] or None,
            passphrase=target.passphrase,
            timeout=target.timeout,
            banner_timeout=target.timeout,
            auth_timeout=target.timeout,
            allow_agent=path.agent and not target.key_file,
            look_for_keys=search,
            sock=sock,
            **options,
        )
    except paramiko.PasswordRequiredException as error:
        raise Refused(
            f"A private key for {where} is encrypted; give its passphrase as ansible_ssh_private_key_passphrase or load it into an agent.",
            authentication=True,
        ) from error
    except paramiko.AuthenticationException as error:
        raise _not_let_in(error, target, path, where) from error
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise Refused(_incompatible(error, target, where)) from error
    except (paramiko.SSHException, OSError, EOFError, ValueError, AttributeError) as error:
        # ValueError and AttributeError: what paramiko makes of key files and of connections that end too early
        raise _no_ssh(error, client, target, path, where) from error


def _not_let_in(error: Exception, target: SshTarget, path: Way, where: str) -> Refused:
    if "timeout" in str(error).lower():
        return Refused(f"{where} did not answer the login of {path.user} within {target.timeout:.0f} seconds.")
    means = (("key file", path.key_files), ("agent", path.agent and not target.key_file), ("password", target.password))
    tried = ", ".join(name for name, used in means if used) or "nothing"
    allowed = ", ".join(getattr(error, "allowed_types", ()))
    hint = f"; it accepts {reason(Exception(allowed))}" if allowed else ""
    return Refused(
        f"{where} did not let {path.user} in (tried: {tried}{hint}); check user, key and password.", authentication=True
    )


def _incompatible(error: Exception, target: SshTarget, where: str) -> str:
    if target.legacy_algorithms:
        return f"{where} and this paramiko {paramiko.__version__} have no algorithm in common: {reason(error)}."
    return (
        f"{where} offers only algorithms that are not accepted ({reason(error)});"
        " for an old NAS box set breakwater_paramiko_legacy_algorithms: true for that host."
    )


def _no_ssh(error: Exception, client: Any, target: SshTarget, path: Way, where: str) -> Refused:
    transport = client.get_transport()
    if "No authentication methods" in str(error):
        return _not_let_in(error, target, path, where)
    if transport is not None and getattr(transport, "host_key", None) is not None and not transport.is_authenticated():
        if path.key_files and not isinstance(error, OSError) and transport.is_active():
            return Refused(f"The private key for {where} cannot be used: {reason(error)}.", authentication=True)
        return Refused(f"{where} ended the connection during the login of {path.user}: {reason(error)}.")
    if "banner" in str(error) or isinstance(error, AttributeError) or "No existing session" in str(error):
        return Refused(
            f"{where} did not answer as an SSH server within {target.timeout:.0f} seconds ({reason(error)})."
        )
    return Refused(f"Cannot speak SSH with {where}: {reason(error)}.")
