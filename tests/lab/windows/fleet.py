# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated Windows hosts, each behind a server of its own, as an inventory for Ansible.

    with fleet(["ws2022", "win7"], "winrm-ntlm", tmp_path) as hosts:
        play("audit", hosts.inventory, tmp_path)
        hosts["ws2022"].stats.requests

A host may have several names in the inventory: ``{"web01": "ws2022", "web02": "ws2022"}``. Over ``ssh``, a real sshd
stands before each host (``hosts.sshds``), with PowerShell as the login shell.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.lab import powershell
from tests.lab import sshd as lab
from tests.lab.sshd import Sshd

from . import ssh_shell
from .connections import Kind, over_tls, schemes, variables
from .definition import read
from .execution import Run
from .simulated import SimulatedHost
from .wsman.certificates import Authority
from .wsman.certificates import Kind as CertificateKind
from .wsman.faults import Fault
from .wsman.server import WsmanServer

PASSWORD = "Lab-p4ss wörd"
"""Of every account of the lab's hosts (``admin``, ``localadmin``, ``auditor``); must appear in no output and no file."""
USERS = ("admin", "localadmin", "auditor")

_PATIENCE = {
    # A loaded machine may need longer than the usual 20 seconds, and every Receive that times out is one more request.
    "ansible_winrm_operation_timeout_sec": 110,
    "ansible_winrm_read_timeout_sec": 120,
    "ansible_psrp_operation_timeout": 110,
    "ansible_psrp_read_timeout": 120,
}


@dataclass
class Fleet:
    """Running hosts by their names in the inventory. ``inventory`` is what ``tests.lab.playbooks.play`` takes."""

    inventory: dict[str, dict[str, Any]] = field(default_factory=dict)
    servers: dict[str, WsmanServer] = field(default_factory=dict)
    sshds: dict[str, Sshd] = field(default_factory=dict)
    simulated: dict[str, SimulatedHost] = field(default_factory=dict)

    def __getitem__(self, name: str) -> WsmanServer:
        """Return the server of a host."""
        return self.servers[name]

    def executions(self, name: str) -> int:
        """Return how many commands ran on a host, whatever the connection."""
        if name in self.sshds:
            return self.sshds[name].log().count("Starting session: ")
        return self.servers[name].stats.executions


@contextlib.contextmanager
def fleet(
    names: Sequence[str] | Mapping[str, str],
    kind: Kind | Literal["ssh"],
    folder: pathlib.Path,
    *,
    user: str = "admin",
    faults: Mapping[str, Sequence[Fault]] | None = None,
    refused: Collection[str] = (),
    latency: float = 0.0,
    paced: bool = False,
    certificates: Mapping[str, CertificateKind] | None = None,
    wrap: Callable[[str, Run], Run] | None = None,
) -> Iterator[Fleet]:
    """Start hosts and their servers.

    Args:
        names: hosts of ``hosts/``, or these by their names in the inventory.
        kind: the connection plugin and its authentication.
        folder: state and certificates are kept below it.
        user: who logs in.
        faults: what goes wrong, by name in the inventory.
        refused: accounts that may not open a shell.
        latency: of every answer, in seconds.
        paced: see ``WsmanServer``.
        certificates: those that are not good, by name in the inventory.
        wrap: returns the function that runs a host's commands instead of the host's own.
    """
    named = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    made = Fleet()
    with contextlib.ExitStack() as stack:
        for name, definition in named.items():
            made.simulated[name] = SimulatedHost(definition, folder / "hosts" / name)
        if kind == "ssh":
            for name, definition in named.items():
                sshd = stack.enter_context(_sshd(definition, folder / "hosts" / name, user))
                made.sshds[name], made.inventory[name] = sshd, _ssh_variables(sshd)
            yield made
            return
        authority = Authority(folder)
        trust = authority.path if over_tls(kind) else None
        for name, host in made.simulated.items():
            server = stack.enter_context(
                WsmanServer(
                    wrap(name, host.run) if wrap else host.run,
                    dict.fromkeys(USERS, PASSWORD),
                    tls=authority.issue((certificates or {}).get(name, "good")) if trust else None,
                    schemes=schemes(kind),
                    refused=refused,
                    latency=latency,
                    faults=(faults or {}).get(name, ()),
                    paced=paced,
                    **_winrm_of(named[name]),
                )
            )
            made.servers[name] = server
            made.inventory[name] = variables(kind, server, user, PASSWORD, trust) | _PATIENCE
        yield made


def _winrm_of(definition: str) -> dict[str, Any]:
    """Return what the age of a host's PowerShell means for its WinRM."""
    version = read(definition)["powershell"]["version"]
    remoting = {"2.0": "2.1", "3.0": "2.2", "4.0": "2.2"}.get(version, "2.3")
    return {"remoting": remoting, "largest_request": 153_600 if version == "2.0" else 512_000}


def _sshd(definition: str, directory: pathlib.Path, user: str) -> Sshd:
    """Return a server whose only command is PowerShell on that host; root may write to the host's state."""
    lab.needed()
    shell = f"{sys.executable} {ssh_shell.__file__} {definition} {directory} {user}"
    return Sshd(options=[f"ForceCommand {shell}", f"SetEnv BREAKWATER_PWSH={powershell.require()}"])


def _ssh_variables(sshd: Sshd) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_shell_type": "powershell",
        "ansible_host": sshd.address,
        "ansible_port": sshd.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(sshd.key),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={sshd.known_hosts} -o ControlMaster=no",
        "ansible_ssh_args": "",
    }
