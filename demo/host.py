# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Init of one host of the fleet: PID 1 of its own namespaces. Called by fleet.py: host.py NAME DIRECTORY."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
OWN = ("/etc/samba", "/var/lib/breakwater", "/var/lib/samba", "/var/cache/samba", "/var/log/samba", "/srv")
JOBS = ("/etc/cron.d", "/etc/modprobe.d")
FILES = ("/etc/fstab",)
NETBIOS = ("smb1", "guest", "defaults")
ACCOUNTS = ("root", "daemon", "bin", "sys", "www-data", "nobody", "sshd")
PR_SET_NAME = 15


def call(*command: str) -> None:
    """Run a command; a failure ends the host, with the command's message in its log."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def mounts(directory: pathlib.Path) -> None:
    """Give the host directories of its own where Samba and sshd keep their state."""
    for path in (*OWN, *(one for one in JOBS if pathlib.Path(one).is_dir())):
        own = directory / path.strip("/").replace("/", "-")
        own.mkdir(mode=0o755)
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        call("mount", "--bind", str(own), path)
    for path in (one for one in FILES if pathlib.Path(one).is_file()):
        # Nothing can be renamed over it: what a change may not do to the machine around, it cannot.
        own = directory / path.strip("/").replace("/", "-")
        shutil.copy(path, own)
        call("mount", "--bind", str(own), path)
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for path in ("/run/sshd", "/run/samba", "/var/lib/samba/private"):
        pathlib.Path(path).mkdir(mode=0o755, parents=True)


def identity(name: str, directory: pathlib.Path) -> None:
    """Give the host accounts and start links of its own: those of the machine around it are none of its business."""
    own = directory / "passwd"
    lines = pathlib.Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(":")[0] in ACCOUNTS]
    own.write_text("\n".join([*kept, "alice:x:4001:100::/home/alice:/bin/sh"]) + "\n", encoding="utf-8")
    call("mount", "--bind", str(own), "/etc/passwd")
    started = ("ssh", "smbd", "nmbd") if name in NETBIOS else ("ssh", "smbd")
    for path, names in (
        ("/etc/init.d", ("ssh", "smbd", "nmbd")),
        ("/etc/rc2.d", tuple(f"S01{one}" for one in started)),
    ):
        if pathlib.Path(path).is_dir():
            folder = directory / path.strip("/").replace("/", "-")
            folder.mkdir(mode=0o755)
            for one in names:
                # The machine's own script, so that a service of this host can be restarted; an empty one marks a link.
                script = pathlib.Path("/etc/init.d", one)
                text = script.read_bytes() if path == "/etc/init.d" and script.is_file() else b""
                (folder / one).write_bytes(text)
                (folder / one).chmod(0o755)
            call("mount", "--bind", str(folder), path)


def samba(name: str) -> None:
    """Write the configuration and start smbd (and nmbd where NetBIOS is on)."""
    shutil.copy(HERE / "hosts" / f"{name}.conf", "/etc/samba/smb.conf")
    shares = HERE / "hosts" / f"{name}.shares.conf"
    if shares.exists():
        shutil.copy(shares, "/etc/samba/shares.conf")
    for share in ("scans", "public", "archive", "files"):
        pathlib.Path("/srv", share).mkdir(mode=0o777 if share == "public" else 0o755)
    call("smbd", "-D")
    if name in NETBIOS:
        call("nmbd", "-D")


def ssh(directory: pathlib.Path) -> None:
    """Start sshd with a key of its own; it logs every command that it runs."""
    config = directory / "sshd_config"
    config.write_text(
        f"HostKey {directory}/host_key\nAuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\n"
        "ListenAddress 0.0.0.0:22\nPidFile none\nUsePAM no\nPasswordAuthentication no\nLogLevel VERBOSE\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\nPrintMotd no\n",
        encoding="ascii",
    )
    call("/usr/sbin/sshd", "-f", str(config), "-E", str(directory / "sshd.log"))


def wait_for(port: int) -> None:
    """Wait until something answers on a port of this host."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"nothing answers on port {port}")
            time.sleep(0.05)


def main() -> None:
    """Become the host, and reap what dies until the supervisor ends it."""
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    name, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    socket.sethostname(name)
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"init")
    call("ip", "link", "set", "lo", "up")
    call("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "wire0")
    call("ip", "link", "set", "wire0", "up")
    call("ip", "address", "add", "10.77.0.10/24", "dev", "eth0")
    call("ip", "link", "set", "eth0", "up")
    mounts(directory)
    identity(name, directory)
    samba(name)
    ssh(directory)
    wait_for(22)
    wait_for(445)
    (directory / "ready").touch()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(1)


if __name__ == "__main__":
    main()
