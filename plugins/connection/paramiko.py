# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH over the paramiko library: one TCP connection, one channel per command, host keys always checked."""

from __future__ import annotations

DOCUMENTATION = r"""
name: paramiko
short_description: SSH by the paramiko library
version_added: 0.1.0
description:
  - Connects over SSH without an C(ssh) program on the controller, by the paramiko library.
  - Checks host keys against known_hosts, sends a task's input over standard input (pipelining), and becomes another
    user with or without a password.
  - One TCP connection for a host and task, and exactly one channel for a command.
author:
  - The Breakwater authors (@breakwater-smb)
requirements:
  - paramiko >= 2.9 (Python library; below 2.12 a host must be known by the type of key that it prefers)
options:
  host:
    description: Address to connect to; the SSH configuration may translate it.
    type: string
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_ssh_host
      - name: ansible_paramiko_host
  port:
    description: Port to connect to; by default the one of the SSH configuration, else 22.
    type: integer
    vars:
      - name: ansible_port
      - name: ansible_ssh_port
      - name: ansible_paramiko_port
    ini:
      - section: defaults
        key: remote_port
      - section: paramiko_connection
        key: remote_port
    env:
      - name: ANSIBLE_REMOTE_PORT
      - name: ANSIBLE_REMOTE_PARAMIKO_PORT
    keyword:
      - name: port
  remote_user:
    description: User to log in as; by default the one of the SSH configuration, else the one who runs Ansible.
    type: string
    vars:
      - name: ansible_user
      - name: ansible_ssh_user
      - name: ansible_paramiko_user
    ini:
      - section: defaults
        key: remote_user
      - section: paramiko_connection
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
      - name: ANSIBLE_PARAMIKO_REMOTE_USER
    cli:
      - name: user
        option: --user
    keyword:
      - name: remote_user
  password:
    description:
      - Password to log in with, also given to a keyboard-interactive prompt.
      - Keys are tried first, from O(private_key_file), then from an agent. Keys of C(~/.ssh) are not, so that a server
        which counts failures does not lock the account.
    type: string
    vars:
      - name: ansible_password
      - name: ansible_ssh_pass
      - name: ansible_ssh_password
      - name: ansible_paramiko_pass
      - name: ansible_paramiko_password
  private_key_file:
    description: Private key to log in with. When it is given, neither an agent nor other keys are tried.
    type: string
    vars:
      - name: ansible_private_key_file
      - name: ansible_ssh_private_key_file
      - name: ansible_paramiko_private_key_file
    ini:
      - section: defaults
        key: private_key_file
      - section: paramiko_connection
        key: private_key_file
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
      - name: ANSIBLE_PARAMIKO_PRIVATE_KEY_FILE
    cli:
      - name: private_key_file
        option: --private-key
  private_key_passphrase:
    description: Passphrase of that key.
    type: string
    vars:
      - name: ansible_private_key_passphrase
      - name: ansible_ssh_private_key_passphrase
  use_agent:
    description: Whether to ask a running SSH agent. C(IdentitiesOnly yes) in the SSH configuration switches it off too.
    type: boolean
    default: true
    vars:
      - name: breakwater_paramiko_use_agent
  look_for_keys:
    description: Whether to try the keys C(~/.ssh/id_*) when neither O(private_key_file) nor O(password) is given.
    type: boolean
    default: true
    vars:
      - name: breakwater_paramiko_look_for_keys
    ini:
      - section: paramiko_connection
        key: look_for_keys
    env:
      - name: ANSIBLE_PARAMIKO_LOOK_FOR_KEYS
  host_key_checking:
    description:
      - Whether the server's key must be known. Switching it off lets anybody answer for a host that is not known.
      - A key that has changed or is revoked is refused even then.
    type: boolean
    default: true
    vars:
      - name: ansible_host_key_checking
      - name: ansible_ssh_host_key_checking
      - name: ansible_paramiko_host_key_checking
    ini:
      - section: defaults
        key: host_key_checking
      - section: paramiko_connection
        key: host_key_checking
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
      - name: ANSIBLE_SSH_HOST_KEY_CHECKING
      - name: ANSIBLE_PARAMIKO_HOST_KEY_CHECKING
  host_key_auto_add:
    description: Whether a key that is not known is trusted and noted in O(known_hosts), else in C(~/.ssh/known_hosts).
    type: boolean
    default: false
    vars:
      - name: breakwater_paramiko_host_key_auto_add
    ini:
      - section: paramiko_connection
        key: host_key_auto_add
    env:
      - name: ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD
  known_hosts:
    description: File of known keys to use beside the user's and the system's.
    type: string
    vars:
      - name: breakwater_paramiko_known_hosts
    env:
      - name: BREAKWATER_PARAMIKO_KNOWN_HOSTS
  ssh_config:
    description:
      - SSH configuration to honour. Read are C(Host), C(Match), C(HostName), C(Port), C(User), C(IdentityFile),
        C(IdentitiesOnly), C(ProxyJump), C(ProxyCommand), C(HostKeyAlias), C(UserKnownHostsFile) and C(GlobalKnownHostsFile);
        not C(Include).
      - Variables of the inventory come before it. An empty string reads none.
    type: string
    default: ~/.ssh/config
    vars:
      - name: breakwater_paramiko_ssh_config
    env:
      - name: BREAKWATER_PARAMIKO_SSH_CONFIG
  jump_host:
    description:
      - Hosts to go through, as C([user@]host[:port]), separated by commas, the one nearest to the controller first.
        V(none) goes straight, whatever the SSH configuration says.
      - Their keys are checked too, and they get the same private key or agent, but never O(password).
    type: string
    vars:
      - name: breakwater_paramiko_jump_host
  jump_password:
    description: Password of the jump hosts.
    type: string
    vars:
      - name: breakwater_paramiko_jump_password
  proxy_command:
    description:
      - Shell command whose standard input and output lead to the server; C(%h), C(%p) and C(%r) stand for its address, port
        and user. It goes before jump hosts of the SSH configuration.
    type: string
    vars:
      - name: breakwater_paramiko_proxy_command
      - name: ansible_paramiko_proxy_command
    ini:
      - section: paramiko_connection
        key: proxy_command
    env:
      - name: ANSIBLE_PARAMIKO_PROXY_COMMAND
  legacy_algorithms:
    description:
      - Whether algorithms of old NAS boxes are offered too; SHA-1 signatures of host keys and SHA-1 key exchange, CBC ciphers,
        HMAC with SHA-1 and MD5. DSA keys need paramiko below 4, logging in there with an RSA key needs paramiko below 5.
    type: boolean
    default: false
    vars:
      - name: breakwater_paramiko_legacy_algorithms
  pty:
    description:
      - Whether commands without input run on a terminal, which some C(sudoers) demand. Standard error then joins standard output.
    type: boolean
    default: false
    vars:
      - name: breakwater_paramiko_pty
    ini:
      - section: paramiko_connection
        key: pty
    env:
      - name: ANSIBLE_PARAMIKO_PTY
  timeout:
    description:
      - Seconds that each step may take; connecting, the server's greeting with the key exchange, logging in, starting a command,
        and becoming another user.
    type: integer
    default: 15
    vars:
      - name: ansible_ssh_timeout
      - name: ansible_paramiko_timeout
      - name: breakwater_paramiko_timeout
    ini:
      - section: defaults
        key: timeout
      - section: paramiko_connection
        key: timeout
    env:
      - name: ANSIBLE_TIMEOUT
      - name: ANSIBLE_SSH_TIMEOUT
      - name: ANSIBLE_PARAMIKO_TIMEOUT
    cli:
      - name: timeout
        option: --timeout
  command_timeout:
    description: Seconds without a byte to or from a command after which the connection counts as lost.
    type: integer
    default: 300
    vars:
      - name: ansible_command_timeout
      - name: breakwater_paramiko_command_timeout
"""


import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase

from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.become import BecomeFailed, pass_become
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.client import open_client
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.command import Channel
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.library import Dropped, Refused, reason
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.target import SshTarget
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.transfer import sftp


class Connection(ConnectionBase):
    """A connection of the paramiko library, opened at the first use."""

    transport = "breakwater.smb.paramiko"
    has_pipelining = True
    allow_executable = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client: Any = None

    def _option(self, name: str) -> Any:
        return self.get_option(name)

    def _text(self, name: str) -> str | None:
        """Return a text option, None when it is empty."""
        value = self._option(name)
        return to_text(value, errors="surrogate_or_strict") if value not in (None, "") else None

    def _target(self) -> SshTarget:
        option = self._option
        return SshTarget(
            host=self._text("host") or "",
            port=int(option("port")) if option("port") is not None else None,
            user=self._text("remote_user"),
            password=self._text("password"),
            key_file=self._text("private_key_file"),
            passphrase=self._text("private_key_passphrase"),
            use_agent=bool(option("use_agent")),
            look_for_keys=bool(option("look_for_keys")),
            check_host_keys=bool(option("host_key_checking")),
            add_host_keys=bool(option("host_key_auto_add")),
            known_hosts=self._text("known_hosts"),
            ssh_config=self._text("ssh_config") or "",
            jump_host=self._text("jump_host"),
            jump_password=self._text("jump_password"),
            proxy_command=self._text("proxy_command"),
            legacy_algorithms=bool(option("legacy_algorithms")),
            timeout=float(option("timeout")),
        )

    def _connect(self) -> Connection:
        if self._client is None:
            try:
                self._client = open_client(self._target())
            except Refused as error:
                kind = AnsibleAuthenticationFailure if error.authentication else AnsibleConnectionFailure
                # ansible-core 2.19 and newer print every cause after the message; the sentence is enough
                raise kind(str(error)) from None
            self._connected = True
        return self

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BecomeFailed as error:
            raise AnsibleError(f"{self._option('host')}: {error}") from None
        except Dropped as error:
            self.close()
            raise AnsibleConnectionFailure(f"{self._option('host')}: {error}") from None

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run one command in one channel; answer a become prompt, then send ``in_data``."""
        self._connect()
        option = self._option
        with self._errors():
            channel = Channel(
                self._client,
                to_bytes(cmd, errors="surrogate_or_strict"),
                timeout=float(option("command_timeout")),
                start_timeout=float(option("timeout")),
                pty=sudoable and not in_data and bool(option("pty")),
            )
            with contextlib.closing(channel):
                become: Any = self.become
                if sudoable and become and become.success and become.success in cmd:
                    password = become.get_option("become_pass", playcontext=self._play_context)
                    pass_become(
                        channel,
                        become,
                        to_bytes(password or "", errors="surrogate_or_strict"),
                        float(option("timeout")),
                    )
                if in_data:
                    channel.send(to_bytes(in_data))
                return channel.finish()

    def put_file(self, in_path: str, out_path: str) -> None:
        """Send a file by SFTP."""
        if not pathlib.Path(to_text(in_path)).is_file():
            raise AnsibleFileNotFound(f"There is no file {in_path} to send")
        with self._files("send", in_path, out_path) as files:
            files.put(to_text(in_path), to_text(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Get a file by SFTP."""
        with self._files("get", in_path, out_path) as files:
            files.get(to_text(in_path), to_text(out_path))

    @contextlib.contextmanager
    def _files(self, verb: str, source: str, target: str) -> Iterator[Any]:
        self._connect()
        option = self._option
        limits = {"timeout": float(option("command_timeout")), "start_timeout": float(option("timeout"))}
        with self._errors():
            try:
                with sftp(self._client, **limits) as files:
                    yield files
            except OSError as error:
                raise AnsibleError(f"Cannot {verb} {source} as {target}: {reason(error)}") from None

    def reset(self) -> None:
        """Close, so that the next command opens a new connection."""
        self.close()

    def close(self) -> None:
        """Close the connection and every jump host on its way."""
        client, self._client = self._client, None
        self._connected = False
        if client is not None:
            client.close()
