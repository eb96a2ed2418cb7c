# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to connect, and what the user's SSH configuration adds to it."""

from __future__ import annotations

import dataclasses
import getpass
import pathlib
from dataclasses import dataclass
from typing import Any

from .library import Refused, paramiko

DEFAULT_PORT = 22


@dataclass(frozen=True, slots=True)
class SshTarget:
    """What the caller wants; None leaves it to the SSH configuration. Secrets are left out of its text form.

    ``jump_host`` is ``[user@]host[:port]``, several separated by commas; ``timeout`` is in seconds.
    """

    host: str
    port: int | None = None
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = dataclasses.field(default=None, repr=False)
    use_agent: bool = True
    look_for_keys: bool = True
    check_host_keys: bool = True
    add_host_keys: bool = False
    known_hosts: str | None = None
    ssh_config: str = ""
    jump_host: str | None = None
    jump_password: str | None = dataclasses.field(default=None, repr=False)
    proxy_command: str | None = None
    legacy_algorithms: bool = False
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class Jump:
    """One host on the way."""

    host: str
    port: int | None
    user: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """A target with its SSH configuration worked in. ``known_as`` is the name its key is kept under."""

    host: str
    port: int
    user: str
    known_as: str
    has_alias: bool
    key_files: tuple[pathlib.Path, ...]
    known_hosts: tuple[pathlib.Path, ...]
    jumps: tuple[Jump, ...]
    proxy_command: str | None
    agent: bool


def way(target: SshTarget) -> Way:
    """Return how to reach ``target``.

    Raises:
        Refused: the SSH configuration, a jump host or the key file cannot be used.
    """
    config = _configuration(target)
    alias = config.get("hostkeyalias")
    host = config.get("hostname", target.host)
    port = target.port or _port(config.get("port", DEFAULT_PORT), target.ssh_config)
    user = target.user or config.get("user") or getpass.getuser()
    return Way(
        host=host,
        port=port,
        user=user,
        known_as=alias or host,
        has_alias=alias is not None,
        key_files=_key_files(target, config),
        known_hosts=_known_hosts(target, config),
        jumps=_jumps(target, config, host),
        proxy_command=_proxy_command(
            target.proxy_command, config.get("proxycommand"), {"%h": host, "%p": str(port), "%r": user}
        ),
        agent=target.use_agent and str(config.get("identitiesonly", "no")).lower() != "yes",
    )


def _configuration(target: SshTarget) -> dict[str, Any]:
    path = pathlib.Path(target.ssh_config).expanduser() if target.ssh_config else None
    if path is None or not path.is_file():
        return {}
    try:
        return dict(paramiko.SSHConfig.from_path(str(path)).lookup(target.host))
    except (OSError, paramiko.SSHException, UnicodeDecodeError, ImportError, ValueError) as error:
        raise Refused(f"Cannot read the SSH configuration {path}: {error}.") from error


def _port(text: Any, source: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise Refused(f"'{text}' is not a port (in {source}).")
    return number


def _key_files(target: SshTarget, config: dict[str, Any]) -> tuple[pathlib.Path, ...]:
    if target.key_file:
        path = pathlib.Path(target.key_file).expanduser()
        if not path.is_file():
            raise Refused(f"The private key {path} is not there; check ansible_ssh_private_key_file.")
        return (path,)
    named = (pathlib.Path(name).expanduser() for name in config.get("identityfile", ()))
    return tuple(path for path in named if path.is_file())


def _known_hosts(target: SshTarget, config: dict[str, Any]) -> tuple[pathlib.Path, ...]:
    """The file that new keys go to stands first."""
    user = str(config.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")).split()
    system = str(config.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2")).split()
    names = [*([target.known_hosts] if target.known_hosts else []), *user, *system]
    return tuple(pathlib.Path(name.strip('"')).expanduser() for name in names if name.lower() != "none")


def _jumps(target: SshTarget, config: dict[str, Any], host: str) -> tuple[Jump, ...]:
    if target.proxy_command:
        return ()
    given = target.jump_host if target.jump_host is not None else str(config.get("proxyjump") or "")
    jumps = tuple(parse_jump(text) for text in given.split(",") if text.strip() and text.strip().lower() != "none")
    if target.jump_host is None and any(jump.host in (host, target.host) for jump in jumps):
        return ()  # "Host *" with a ProxyJump matches the jump host itself too
    return jumps


def parse_jump(text: str) -> Jump:
    """Return ``[user@]host[:port]`` in parts; an IPv6 address with a port stands in brackets.

    Raises:
        Refused: it is nothing like that.
    """
    user, _at, address = text.strip().removeprefix("ssh://").rpartition("@")
    port = ""
    if address.startswith("["):
        host, _bracket, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    elif address.count(":") == 1:
        host, _colon, port = address.partition(":")
    else:
        host = address
    if not host or host.startswith("-"):
        raise Refused(f"'{text.strip()}' is not a jump host; it is written [user@]host[:port].")
    return Jump(host, _port(port, f"the jump host {text.strip()}") if port else None, user or None)


def _proxy_command(given: str | None, configured: str | None, tokens: dict[str, str]) -> str | None:
    command = given or configured
    if not command or command.lower() == "none":
        return None
    parts = command.split("%%")
    for token, value in tokens.items():
        parts = [part.replace(token, value) for part in parts]
    return "%".join(parts)
