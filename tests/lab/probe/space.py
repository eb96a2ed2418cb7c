# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of its own for a test: nothing but loopback, every address of ``ADDRESSES`` on it, and no way out.

    with space(lose=10) as lab:
        lab.start("python", "server.py")         a process inside
        lab.call(lambda: scan("127.1.2.3"))      a function whose sockets are made inside

It is a network namespace that ends with the test's process, however that ends, and the processes started in it with it.
Needs root and iproute2; nftables where packets are to be lost. ``obstacle()`` says what is missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

Returned = TypeVar("Returned")

ADDRESSES = ("10.64.0.0/10", "fd64::/32")
"""Beside 127.0.0.0/8 and ::1, these are local addresses as well: a server on a wildcard answers on all of them."""

CLOSED, DROPPED, PROHIBITED = "10.80.0.0/20", "10.81.0.0/20", "10.82.0.0/20"
"""Networks whose TCP ports answer with a reset, with nothing, with ICMP "administratively prohibited"."""

_NEEDS = {
    "ip": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
_CLONE_NEWNET = 0x40000000
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""The words before a command that let the kernel end it when the test's process is gone."""

_PREPARE = (
    "ip link set lo up && {routes} && echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range && echo up && exec cat"
)
_RULES = """table inet breakwater-lab {{
  chain lost {{
    type filter hook prerouting priority -300
    ip daddr {dropped} drop
{lose}
  }}
  chain answered {{
    type filter hook input priority 0
    ip daddr {closed} tcp flags & (syn | ack) == syn reject with tcp reset
    ip daddr {prohibited} tcp flags & (syn | ack) == syn reject with icmp type admin-prohibited
  }}
}}
"""


@dataclass
class Space:
    """A running network namespace; ``pid`` holds it."""

    pid: int
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def enter(self) -> list[str]:
        """The words before a command that let it run inside."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def call(self, function: Callable[[], Returned]) -> Returned:
        """Call a function in a thread of its own inside; sockets that it makes stay there."""

        def inside() -> Returned:
            _join(self.pid)
            return function()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(inside).result()

    def start(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a process inside, with pipes at its standard input and output; it ends with the space."""
        process = subprocess.Popen(
            [*_WITH_US, *self.enter, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.children.append(process)
        return process

    def serve(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a server that writes "ready" when it listens, and wait for that."""
        process = self.start(*command)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n", f"{' '.join(command)[:200]} did not start"
        return process

    def end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        """End processes that do not look at their input, all at a time."""
        for process in processes:
            process.terminate()
        for process in processes:
            self.stop(process)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a process that ``start`` started: its input ends, and it has a moment to do so itself."""
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def obstacle() -> str | None:
    """Return why no network can be made here, or None."""
    if os.geteuid() != 0:
        return "a network of its own needs root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    packages = sorted({package for tool, package in _NEEDS.items() if shutil.which(tool, path=path) is None})
    if packages:
        return f"not installed: {' '.join(packages)} (apt-get install --no-install-recommends {' '.join(packages)})"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"network namespaces cannot be made: {tried.stderr.strip()}"


def require() -> None:
    """Skip the test where no network can be made."""
    import pytest  # here, as what the tests start needs it no more than the servers do

    if reason := obstacle():
        pytest.skip(reason)


@contextlib.contextmanager
def space(lose: int = 0) -> Iterator[Space]:
    """Make a network.

    Args:
        lose: how many of a hundred packets are lost at random, in both directions.
    """
    routes = " && ".join(f"ip {'-6' if ':' in net else '-4'} route add local {net} dev lo" for net in ADDRESSES)
    holder = subprocess.Popen(
        [*_WITH_US, "unshare", "--net", "sh", "-c", _PREPARE.format(routes=routes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    made = Space(holder.pid)
    try:
        assert holder.stdout.readline() == b"up\n", "the network could not be made"
        rule = f'    iifname "lo" numgen random mod 100 < {lose} drop' if lose else ""
        rules = _RULES.format(dropped=DROPPED, closed=CLOSED, prohibited=PROHIBITED, lose=rule)
        subprocess.run([*made.enter, "nft", "-f", "-"], input=rules.encode(), check=True, timeout=60)
        yield made
    finally:
        for process in made.children:
            made.stop(process)
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


def _join(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot enter the network")
    finally:
        os.close(descriptor)
