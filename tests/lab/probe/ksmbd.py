# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ksmbd in virtual machines of its own, each an address of the lab's network."""

from __future__ import annotations

import contextlib
import pathlib
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping

from .smbd import Server
from .space import Space

SCRIPT = pathlib.Path(__file__).resolve().parent / "ksmbd.sh"
IMAGE = SCRIPT.parents[3] / ".build" / "ksmbd"
READY_SECONDS = 120.0
_NEEDS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "modprobe": "kmod",
    "cpio": "cpio",
    "xz": "xz-utils",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "flock": "util-linux",
}


def require() -> None:
    """Make the image where it is missing; skip the test, and say how to get it, where that cannot be done."""
    import pytest  # here, as what the tests start needs it no more than the servers do

    packages = sorted(
        {package for tool, package in _NEEDS.items() if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")}
    )
    if packages:
        pytest.skip(
            f"not installed: {' '.join(packages)} (apt-get install --no-install-recommends {' '.join(packages)})"
        )
    if platform.machine() != "x86_64":
        pytest.skip("the virtual machine of ksmbd is for amd64 only")
    done = subprocess.run(["sh", str(SCRIPT), "build"], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        pytest.skip(
            f"no image of ksmbd (sh {SCRIPT.relative_to(SCRIPT.parents[3])} build): {done.stderr.strip()[-300:]}"
        )


@contextlib.contextmanager
def running(lab: Space, servers: Mapping[str, Server], folder: pathlib.Path) -> Iterator[None]:
    """Boot one machine per server; ksmbd has started in all of them when this returns."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name, server in servers.items():
            console = folder / f"{name}.console"
            processes.append(
                lab.start("sh", str(SCRIPT), "run", server.addresses[0], str(console), "\n".join(server.lines))
            )
        for name, process in zip(servers, processes, strict=True):
            _wait(folder / f"{name}.console", process)
        yield
    finally:
        lab.end(processes)


def _wait(console: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while "ksmbd is up" not in (said := console.read_text("utf-8", "replace") if console.exists() else ""):
        assert process.poll() is None, "the virtual machine has ended"
        assert time.monotonic() < deadline, f"ksmbd did not start: {said[-400:]}"
        time.sleep(0.1)
