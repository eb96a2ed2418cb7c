# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded fleet itself: its servers speak what they should, and it comes and goes without a trace."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import fleet
import pytest

from tests.lab import samba_host

FLEET = pathlib.Path(fleet.__file__)


@pytest.fixture(autouse=True)
def _possible():
    samba_host.require()


def traces() -> dict[str, set[str]]:
    """What a fleet could leave on this machine."""
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
    processes = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(FLEET.parent / "host.py") in words or str(FLEET.parent / "relay.py") in words:
            processes.add(words)
    return {
        "mounts": {line.split()[1] for line in mounts},
        "links": {line.split(":")[1].strip() for line in links},
        "files": {str(path) for path in pathlib.Path("/tmp").glob(f"{fleet.PREFIX}*")},
        "processes": processes,
    }


def gone(before: dict[str, set[str]]) -> bool:
    """Whether nothing new is left; what the kernel is just ending gets a moment."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if all(new <= before[kind] for kind, new in traces().items()):
            return True
        time.sleep(0.1)
    return False


def speaks(host: fleet.Host, dialect: str, port: int = 445) -> bool:
    """Whether a host's smbd agrees to a dialect."""
    options = [f"--option=client {end} protocol={dialect}" for end in ("min", "max")]
    command = ["smbclient", "-N", "-g", "-L", "127.0.0.1", "-p", str(port), *options]
    done = subprocess.run([*host.enter(), *command], capture_output=True, text=True, check=False, timeout=60)
    return "NT_STATUS_CONNECTION_DISCONNECTED" not in done.stderr + done.stdout and (
        "protocol negotiation failed" not in done.stderr + done.stdout
    )


def test_only_the_old_host_speaks_smb1():
    if shutil.which("smbclient") is None:
        pytest.skip("needs smbclient: apt-get install smbclient")
    with fleet.fleet() as hosts:
        assert {name: speaks(host, "NT1") for name, host in hosts.items()} == {
            "smb1": True,
            "guest": False,
            "defaults": False,
            "hardened": False,
        }
        assert speaks(hosts["hardened"], "SMB3_11")
        assert not speaks(hosts["hardened"], "SMB3_02")
        assert speaks(hosts["defaults"], "SMB2_02")
        listing = subprocess.run(
            [*hosts["guest"].enter(), "smbclient", "-N", "-g", "-L", "127.0.0.1"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Disk|public|For everybody" in listing.stdout


def test_each_host_sees_only_itself():
    with fleet.fleet(("smb1", "hardened")) as hosts:
        for name, host in hosts.items():
            seen = subprocess.run(
                [*host.enter(), "ps", "-e", "-o", "comm="], capture_output=True, text=True, check=True
            ).stdout.split()
            assert seen.count("init") == 1 and "pytest" not in seen
            assert ("nmbd" in seen) is (name == "smb1")
            called = subprocess.run([*host.enter(), "uname", "-n"], capture_output=True, text=True, check=True).stdout
            assert called.strip() == name
            routes = subprocess.run([*host.enter(), "ip", "route"], capture_output=True, text=True, check=True).stdout
            assert "default" not in routes


def test_twice_in_a_row_and_two_at_once():
    before = traces()
    with fleet.fleet(("defaults",)) as one, fleet.fleet(("defaults",)) as two:
        assert one["defaults"].directory != two["defaults"].directory
        assert speaks(one["defaults"], "SMB3_11") and speaks(two["defaults"], "SMB3_11")
    assert gone(before)
    with fleet.fleet(("defaults",)) as again:
        assert again["defaults"].pid > 0
    assert gone(before)


def test_a_host_that_does_not_start_takes_the_others_with_it():
    before = traces()
    with (
        pytest.raises(fleet.FleetError, match=r"The host nobody did not start: FileNotFoundError.*nobody\.conf"),
        fleet.fleet(("defaults", "nobody")),
    ):
        pass
    assert gone(before)


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(FLEET), *command], start_new_session=True, text=True, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_supervisor_alone_is_ended(number, tmp_path):
    before = traces()
    command = f"echo $$; touch {tmp_path}/up; trap 'touch {tmp_path}/told; exit 0' TERM; while :; do sleep 0.1; done"
    process = start("run", "--", "sh", "-c", command)
    deadline = time.monotonic() + 60
    while not (tmp_path / "up").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    os.kill(process.pid, number)
    assert process.wait(30) in {signal.SIGKILL: (-9,), signal.SIGTERM: (143,), signal.SIGINT: (130,)}[number]
    if number == signal.SIGKILL:
        os.kill(child, signal.SIGKILL)  # what a killed supervisor leaves is the user's own command and a directory
        with fleet.fleet(("defaults",)):
            assert not any(path.startswith(f"/tmp/{fleet.PREFIX}{process.pid}-") for path in traces()["files"])
    else:
        assert (tmp_path / "told").exists()
    assert gone(before)


@pytest.mark.parametrize(
    ("command", "code"), [(["sh", "-c", "test -s $BREAKWATER_FLEET/hosts.json && exit 7"], 7), (["/nonexistent"], 127)]
)
def test_exit_code_is_the_commands(command, code):
    process = start("run", "--", *command)
    assert process.wait(60) == code
