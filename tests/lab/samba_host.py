# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of the embedded fleet, as a test that changes it sees it: its files, its users, its smbd, what it is told."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fleet
import pytest

from .playbooks import Played, command, ended, environment
from .wire import Endpoint, Login

ALICE = Login("alice", "correct horse")
SECONDS = 60.0
VOLATILE = ("host.process", "host.package_index_age_days")
"""Facts that two readings of an unchanged host do not share: numbers of processes, the age of apt's lists."""


def require() -> None:
    """Skip the test where hosts of the embedded fleet cannot be made."""
    if reason := fleet.obstacle():
        pytest.skip(f"needs the embedded fleet: {reason}")


def inventory(hosts: Mapping[str, fleet.Host]) -> dict[str, dict[str, Any]]:
    """Return the inventory of hosts by their names there; they may be of several fleets."""
    return {name: dict(fleet.variables(host)) for name, host in hosts.items()}


def endpoint(host: fleet.Host) -> Endpoint:
    """Return where the host's smbd listens."""
    return Endpoint(namespace=f"/proc/{host.pid}/ns/net")


def run(host: fleet.Host, *words: str, text: str = "") -> str:
    """Run a command inside the host and return what it wrote; a failure is the test's."""
    done = subprocess.run(
        [*host.enter(), *words], input=text, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def configuration(host: fleet.Host) -> dict[str, tuple[str, str, int, int]]:
    """Return what lies in /etc/samba: path → sha256 (or the link's target), mode, owner, group."""
    folder = host.directory / "etc-samba"
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = f"-> {path.readlink()}"
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a directory"
        found[str(path.relative_to(folder))] = (content, oct(status.st_mode), status.st_uid, status.st_gid)
    return found


def write(host: fleet.Host, text: str, name: str = "smb.conf") -> None:
    """Write a file of /etc/samba and start smbd anew with it."""
    (host.directory / "etc-samba" / name).write_text(text, encoding="utf-8")
    restart(host)


def restart(host: fleet.Host) -> None:
    """Start smbd anew."""
    run(host, "sh", "-c", "kill $(cat /run/samba/smbd.pid)")
    run(host, "sh", "-c", "while [ -e /run/samba/smbd.pid ]; do sleep 0.1; done; smbd -D")
    run(host, "sh", "-c", "until smbcontrol smbd ping >/dev/null 2>&1; do sleep 0.1; done")


def registry_backed(host: fleet.Host) -> None:
    """Move the host's configuration into Samba's registry."""
    run(host, "net", "conf", "import", "/etc/samba/smb.conf")
    write(host, "[global]\n\tconfig backend = registry\n")


def add_user(host: fleet.Host, login: Login = ALICE) -> None:
    """Let a user in."""
    run(host, "smbpasswd", "-a", "-s", login.user, text=f"{login.password}\n{login.password}\n")


def hold(host: fleet.Host, tool: str, but: str) -> None:
    """Let a tool wait, from now on, until ``release``; only this host sees it.

    Args:
        host: whose tool.
        tool: its absolute path.
        but: pattern of the shell for arguments, as one text, with which it works as ever.
    """
    real, wrapper = host.directory / "real", host.directory / "wrapper"
    real.write_bytes(pathlib.Path(tool).read_bytes())
    real.chmod(0o755)
    (host.directory / "held").touch()
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in {but}) ;;\n*)\n  touch {host.directory}/waiting\n'
        f'  while [ -e {host.directory}/held ]; do sleep 0.05; done ;;\nesac\nexec {real} "$@"\n',
        encoding="utf-8",
    )
    wrapper.chmod(0o755)
    run(host, "mount", "--bind", str(wrapper), tool)


def waits(host: fleet.Host) -> bool:
    """Return whether the held tool was called and waits."""
    return (host.directory / "waiting").exists()


def release(host: fleet.Host) -> None:
    """Let the held tool go on, now and from now on."""
    (host.directory / "held").unlink(missing_ok=True)
    (host.directory / "waiting").unlink(missing_ok=True)


@contextlib.contextmanager
def held(host: fleet.Host, folder: pathlib.Path, tool: str, but: str) -> Iterator[subprocess.Popen[str]]:
    """Start a remediation that waits where it calls the tool (see ``hold``); at the end it may go on."""
    hold(host, tool, but)
    process = start("remediate", {host.name: host}, folder)
    try:
        until(lambda: waits(host) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        yield process
    except BaseException:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        release(host)


def until(what: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def start(
    playbook: str, hosts: Mapping[str, fleet.Host], folder: pathlib.Path, *arguments: str
) -> subprocess.Popen[str]:
    """Start ``breakwater.smb.<playbook>`` in a process group of its own; ``finish`` waits for it."""
    return subprocess.Popen(
        command(playbook, inventory(hosts), folder, *arguments),
        cwd=folder,
        env=environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], folder: pathlib.Path) -> Played:
    """Wait for what ``start`` started."""
    output, _nothing = process.communicate(timeout=300)
    return ended(process.returncode, output, folder)


def sessions(host: fleet.Host) -> list[int]:
    """Return the numbers of the processes of the host's sshd that serve a connection."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode("utf-8", "replace")
            inside = (path / "ns" / "pid").readlink() == pathlib.Path(f"/proc/{host.pid}/ns/pid").readlink()
        except OSError:
            continue
        if inside and words.startswith("sshd: ") and "listener" not in words:
            found.append(int(path.name))
    return found


def relays(host: fleet.Host) -> list[int]:
    """Return the numbers of the processes that carry connections to the host."""
    mine = shlex.split(fleet.relay_command(host))[2:]
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")[:-1]
            inside = (path.parent / "ns" / "net").readlink() == pathlib.Path(f"/proc/{host.pid}/ns/net").readlink()
        except OSError:
            continue
        if inside and words == mine:
            found.append(int(path.parent.name))
    return found


def steady(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a host's facts and findings without what differs between two readings of an unchanged host."""
    facts = {name: objects for name, objects in record["facts"].items() if name not in VOLATILE}
    return facts, record["findings"]
