# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH over the paramiko library: one TCP connection, one channel per command, host keys always checked."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase

from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.client import Refused, SshTarget, open_client
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.command import Channel, Dropped, run

DOCUMENTATION = r"""
name: paramiko
short_description: SSH by the paramiko library
version_added: 0.1.0
description:
  - Connects over SSH without an C(ssh) program on the controller, by the paramiko library.
  - Checks host keys against known_hosts, sends a task's input over standard input (pipelining), and becomes another
    user with or without a password.
author:
  - The Breakwater authors (@breakwater-smb)
requirements:
  - paramiko (Python library)
options:
  host:
    description: Address to connect to.
    type: string
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_ssh_host
  port:
    description: Port to connect to.
    type: integer
    default: 22
    vars:
      - name: ansible_port
      - name: ansible_ssh_port
  remote_user:
    description: User to log in as; by default the one of the SSH configuration, else the one who runs Ansible.
    type: string
    vars:
      - name: ansible_user
      - name: ansible_ssh_user
    ini:
      - section: defaults
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
    keyword:
      - name: remote_user
  password:
    description: Password, also offered to keyboard-interactive prompts.
    type: string
    vars:
      - name: ansible_password
      - name: ansible_ssh_pass
      - name: ansible_ssh_password
  private_key_file:
    description: Private key to log in with.
    type: path
    vars:
      - name: ansible_private_key_file
      - name: ansible_ssh_private_key_file
    ini:
      - section: defaults
        key: private_key_file
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
  private_key_passphrase:
    description: Passphrase of that key.
    type: string
    vars:
      - name: ansible_private_key_passphrase
      - name: ansible_ssh_private_key_passphrase
  use_agent:
    description: Whether to ask a running SSH agent, and look for keys in C(~/.ssh), when no key file is given.
    type: boolean
    default: true
    vars:
      - name: breakwater_paramiko_use_agent
  host_key_checking:
    description: Whether the server's key must be known. Switching it off lets anybody answer for the host.
    type: boolean
    default: true
    vars:
      - name: ansible_host_key_checking
      - name: ansible_ssh_host_key_checking
    ini:
      - section: defaults
        key: host_key_checking
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
  known_hosts:
    description: File of known keys to use beside the user's and the system's.
    type: path
    vars:
      - name: breakwater_paramiko_known_hosts
  ssh_config:
    description: SSH configuration to honour (HostName, Port, User, IdentityFile, ProxyCommand, ProxyJump, HostKeyAlias).
    type: path
    default: ~/.ssh/config
    vars:
      - name: breakwater_paramiko_ssh_config
  jump_host:
    description: Hosts to go through, as C([user@]host[:port]), separated by commas; their keys are checked too.
    type: string
    vars:
      - name: breakwater_paramiko_jump_host
  proxy_command:
    description: Command whose standard input and output lead to the server.
    type: string
    vars:
      - name: breakwater_paramiko_proxy_command
  legacy_algorithms:
    description: Whether algorithms of old NAS boxes (SHA-1 signatures and key exchange, CBC ciphers) are offered.
    type: boolean
    default: false
    vars:
      - name: breakwater_paramiko_legacy_algorithms
  timeout:
    description: Seconds that connecting, the server's greeting and logging in may take, each.
    type: integer
    default: 15
    vars:
      - name: ansible_ssh_timeout
      - name: breakwater_paramiko_timeout
    ini:
      - section: defaults
        key: timeout
    env:
      - name: ANSIBLE_TIMEOUT
  command_timeout:
    description: Seconds without a byte from a command after which the connection counts as lost.
    type: integer
    default: 300
    vars:
      - name: breakwater_paramiko_command_timeout
"""


class Connection(ConnectionBase):  # type: ignore[misc]
    """A connection of the paramiko library, opened at the first use."""

    transport = "breakwater.smb.paramiko"
    has_pipelining = True
    allow_executable = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client: Any = None

    def _target(self) -> SshTarget:
        option = self.get_option
        return SshTarget(
            host=to_text(option("host")),
            port=int(option("port")),
            user=option("remote_user") and to_text(option("remote_user")),
            password=option("password") and to_text(option("password")),
            key_file=option("private_key_file") and to_text(option("private_key_file")),
            passphrase=option("private_key_passphrase") and to_text(option("private_key_passphrase")),
            use_agent=bool(option("use_agent")),
            check_host_keys=bool(option("host_key_checking")),
            known_hosts=option("known_hosts") and to_text(option("known_hosts")),
            ssh_config=os.path.expanduser(to_text(option("ssh_config"))),
            jump_host=option("jump_host") and to_text(option("jump_host")),
            proxy_command=option("proxy_command") and to_text(option("proxy_command")),
            legacy_algorithms=bool(option("legacy_algorithms")),
            timeout=float(option("timeout")),
        )

    def _connect(self) -> Connection:
        if self._client is None:
            try:
                self._client = open_client(self._target())
            except Refused as error:
                kind = AnsibleAuthenticationFailure if error.authentication else AnsibleConnectionFailure
                raise kind(str(error)) from error
            self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run one command in one channel; answer a become prompt, then send ``in_data``."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        self._connect()
        timeout = float(self.get_option("command_timeout"))
        try:
            channel = Channel(self._client, to_bytes(cmd, errors="surrogate_or_strict"), timeout)
            with contextlib.closing(channel):
                if sudoable and self.become and self.become.expect_prompt():
                    self._become(channel)
                return run(channel, in_data)
        except Dropped as error:
            raise AnsibleConnectionFailure(f"{self.get_option('host')}: {error}") from error

    def _become(self, channel: Channel) -> None:
        """Answer the password prompt of sudo, su or doas; what comes before the success marker is dropped."""
        password = self.become.get_option("become_pass", playcontext=self._play_context)
        deadline = time.monotonic() + float(self.get_option("timeout"))
        sent = False
        while True:
            seen = channel.seen()
            if self.become.check_success(seen):
                channel.forget()
                return
            if self.become.check_incorrect_password(seen):
                raise AnsibleError(f"Incorrect {self.become.name} password")
            if self.become.check_missing_password(seen):
                raise AnsibleError(f"Missing {self.become.name} password")
            if not sent and self.become.check_password_prompt(seen):
                channel.send(to_bytes(password or "", errors="surrogate_or_strict") + b"\n")
                sent = True
            if time.monotonic() > deadline:
                raise AnsibleError(f"Timed out waiting for the {self.become.name} password prompt")
            if not channel.wait():
                return

    def put_file(self, in_path: str, out_path: str) -> None:
        """Send a file by SFTP."""
        super().put_file(in_path, out_path)
        self._transfer("put", in_path, out_path)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Get a file by SFTP."""
        super().fetch_file(in_path, out_path)
        self._transfer("get", in_path, out_path)

    def _transfer(self, verb: str, source: str, target: str) -> None:
        self._connect()
        try:
            with contextlib.closing(self._client.open_sftp()) as sftp:
                getattr(sftp, verb)(source, target)
        except (OSError, EOFError, socket.error) as error:
            raise AnsibleError(f"Cannot {verb} {source} as {target} by SFTP: {error}") from error

    def reset(self) -> None:
        """Close and open again."""
        self.close()
        self._connect()

    def close(self) -> None:
        """Close the connection and every jump host on its way."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._connected = False
