# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real smbds, many at once: each an address of the lab's network, a configuration and a state of its own."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .space import Space

READY_SECONDS = 60.0
_OWN = ("lock", "state", "cache", "pid", "private", "ncalrpc")
_COMMON = """[global]
 netbios name = {name}
 workgroup = WATER
 server string = a test
 interfaces = {interfaces}
 bind interfaces only = yes
 server role = standalone server
 load printers = no
 printing = bsd
 printcap name = /dev/null
 disable spoolss = yes
 log file = {folder}/log.smbd
 private dir = {folder}/private
 lock directory = {folder}/lock
 state directory = {folder}/state
 cache directory = {folder}/cache
 pid directory = {folder}/pid
 ncalrpc dir = {folder}/ncalrpc
"""
_SHARES = "[files]\n path = {folder}/state\n read only = yes\n"


@dataclass(frozen=True)
class Server:
    """One smbd: its addresses, the lines of its configuration, and the ports that it opens because of them."""

    name: str
    addresses: tuple[str, ...]
    lines: Sequence[str]
    ports: tuple[int, ...] = (445, 139)


def require() -> None:
    """Skip the test where there is no smbd."""
    import pytest  # here, as what the tests start needs it no more than the servers do

    if shutil.which("smbd", path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        pytest.skip("not installed: samba (apt-get install --no-install-recommends samba)")


@contextlib.contextmanager
def running(lab: Space, servers: Mapping[str, Server], folder: pathlib.Path) -> Iterator[None]:
    """Run servers; they all answer when this returns, and are gone after it."""
    processes = [_start(lab, server, folder / name) for name, server in servers.items()]
    try:
        lab.call(lambda: _wait(servers, folder))
        yield
    finally:
        lab.end(processes)


def _start(lab: Space, server: Server, folder: pathlib.Path) -> subprocess.Popen[bytes]:
    for name in _OWN:
        (folder / name).mkdir(mode=0o755, parents=True)
    interfaces = " ".join(f"{one}/{128 if ':' in one else 32}" for one in server.addresses)
    for one in server.addresses:
        words = ["ip", "address", "add", f"{one}/{128 if ':' in one else 32}", "dev", "lo"]
        subprocess.run([*lab.enter, *words, *(["nodad"] if ":" in one else [])], check=True, timeout=60)
    path = folder / "smb.conf"
    text = _COMMON.format(name=server.name.upper(), interfaces=interfaces, folder=folder)
    path.write_text(text + "".join(f" {line}\n" for line in server.lines) + _SHARES.format(folder=folder), "utf-8")
    # In the foreground with a pipe at its input it ends when the pipe does: with this process, however that ends.
    return lab.start("/usr/sbin/smbd", "--foreground", f"--configfile={path}")


def _wait(servers: Mapping[str, Server], folder: pathlib.Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    for name, server in servers.items():
        for port in server.ports:
            while not _answers(server.addresses[-1], port):
                log = folder / name / "log.smbd"
                said = log.read_text("utf-8", "replace")[-400:] if log.exists() else "nothing"
                assert time.monotonic() < deadline, f"{name} does not listen on {port}: {said}"
                time.sleep(0.05)


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 2).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def names(lab: Space, name: str, address: str, folder: pathlib.Path) -> Iterator[None]:
    """Run an nmbd on a network card of its own, as it needs one that can broadcast; its names are registered."""
    for words in (
        "link add name wire0 type veth peer name wire1",
        f"address add {address}/24 brd + dev wire0",
        "link set wire0 up",
        "link set wire1 up",
    ):
        subprocess.run([*lab.enter, "ip", *words.split()], check=True, timeout=60)
    for one in _OWN:
        (folder / one).mkdir(mode=0o755, parents=True)
    path = folder / "smb.conf"
    text = _COMMON.format(name=name.upper(), interfaces=f"{address}/24", folder=folder)
    path.write_text(f"{text} local master = no\n log file = {folder}/log.nmbd\n", "utf-8")
    process = lab.start("/usr/sbin/nmbd", "--foreground", f"--configfile={path}")
    try:
        lookup = [*lab.enter, "nmblookup", f"--configfile={path}", "-A", address]
        deadline = time.monotonic() + READY_SECONDS
        while "<20>" not in (said := _said(lookup)):
            assert time.monotonic() < deadline, f"nmbd did not register its names: {said}"
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        lab.stop(process)


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
