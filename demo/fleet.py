# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded fleet: real hosts, each with its own sshd and smbd, in namespaces that die with this process.

    python demo/fleet.py run -- COMMAND ...    start the fleet, run COMMAND, stop the fleet

COMMAND finds the inventory in ``BREAKWATER_FLEET`` (a directory). Each host has network, mount, PID and UTS
namespaces of its own and no way out of them; SSH reaches its loopback through ``relay.py``. Nothing on the machine's
own network is touched. Needs root, samba, openssh-server and iproute2.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
HOSTS = ("smb1", "guest", "defaults", "hardened")
NEEDS = {
    "smbd": "samba",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "ip": "iproute2",
    "unshare": "util-linux",
}
READY_SECONDS = 60.0
PREFIX = "breakwater-fleet-"
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10.0


class FleetError(Exception):
    """The fleet cannot run here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Host:
    """A running host: its name, the PID of its init as this process sees it, and its directory."""

    name: str
    pid: int
    directory: pathlib.Path

    def log(self, name: str) -> str:
        """Return the text of one of its logs ("sshd", "init")."""
        path = self.directory / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def enter(self) -> list[str]:
        """Return the command prefix that runs something inside the host."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--net", "--pid"]

    def executions(self) -> int:
        """Return how many commands its sshd has run."""
        return self.log("sshd").count("Starting session: command")


def missing() -> list[str]:
    """Return the Debian packages that are needed and not there."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return sorted({package for tool, package in NEEDS.items() if shutil.which(tool, path=path) is None})


def obstacle() -> str | None:
    """Return why real hosts cannot be made here, or None."""
    if os.geteuid() != 0:
        return "real hosts need root"
    packages = missing()
    if packages:
        return f"not installed: {' '.join(packages)} (apt-get install --no-install-recommends {' '.join(packages)})"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else f"namespaces cannot be made: {tried.stderr.strip()}"


def _die_with_parent() -> None:
    """Runs in the child: the kernel ends it when the supervisor is gone, however that went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def fleet(names: tuple[str, ...] = HOSTS) -> Iterator[dict[str, Host]]:
    """Run the hosts; on the way out everything of them is gone."""
    reason = obstacle()
    if reason is not None:
        raise FleetError(f"The fleet cannot start: {reason}.")
    _remove_leftovers()
    state = pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "breakwater-demo", "-f"]
        subprocess.run([*keygen, str(state / "key")], check=True)
        for name in names:
            directory = state / name
            directory.mkdir()
            subprocess.run([*keygen, str(directory / "host_key")], check=True)
            processes.append(_start(name, directory, state))
        hosts = {name: _wait(name, state / name, process) for name, process in zip(names, processes, strict=True)}
        _inventory(state, hosts)
        yield hosts
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        _remove(state)


def _remove(state: pathlib.Path) -> None:
    """Remove a fleet's directory; a host that is just being ended may still write into it for a moment."""
    deadline = time.monotonic() + STOP_SECONDS
    while state.exists() and time.monotonic() < deadline:
        shutil.rmtree(state, ignore_errors=True)
        time.sleep(0.02)


def _remove_leftovers() -> None:
    """Directories of fleets whose supervisor was killed hard (their processes died with it)."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        supervisor = path.name.removeprefix(PREFIX).split("-")[0]
        if supervisor.isdigit() and not pathlib.Path("/proc", supervisor).exists():
            shutil.rmtree(path, ignore_errors=True)


def _start(name: str, directory: pathlib.Path, state: pathlib.Path) -> subprocess.Popen[bytes]:
    (directory / "authorized_keys").write_text((state / "key.pub").read_text(encoding="ascii"), encoding="ascii")
    command = [
        "unshare",
        "--fork",
        "--kill-child=SIGKILL",
        "--pid",
        "--mount-proc",
        "--mount",
        "--uts",
        "--net",
        "--propagation",
        "private",
    ]
    with (directory / "init.log").open("wb") as log:
        return subprocess.Popen(
            [*command, sys.executable, str(HERE / "host.py"), name, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent,
            start_new_session=True,
        )


def _wait(name: str, directory: pathlib.Path, process: subprocess.Popen[bytes]) -> Host:
    deadline = time.monotonic() + READY_SECONDS
    while not (directory / "ready").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            text = (directory / "init.log").read_text(encoding="utf-8", errors="replace").strip()
            raise FleetError(f"The host {name} did not start: {(text.splitlines() or ['no message'])[-1][:400]}.")
        time.sleep(0.05)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    return Host(name, int(children[0]), directory)


def relay_command(host: Host) -> str:
    """Return the ProxyCommand that reaches a host's sshd."""
    return shlex.join(
        ["nsenter", f"--net=/proc/{host.pid}/ns/net", sys.executable, str(HERE / "relay.py"), "127.0.0.1", "22"]
    )


def variables(host: Host) -> dict[str, str]:
    """Return what an inventory says of a host, so that Ansible reaches it."""
    state = host.directory.parent
    return {
        "ansible_host": host.name,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(state / "key"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={state}/known_hosts -o ProxyCommand={shlex.quote(relay_command(host))}",
        "breakwater_paramiko_known_hosts": str(state / "known_hosts"),
        "breakwater_paramiko_proxy_command": relay_command(host),
        "ansible_control_path_dir": str(state / "cp"),
    }


def _inventory(state: pathlib.Path, hosts: dict[str, Host]) -> None:
    known = [
        f"{name} {(host.directory / 'host_key.pub').read_text(encoding='ascii').strip()}"
        for name, host in hosts.items()
    ]
    (state / "known_hosts").write_text("\n".join(known) + "\n", encoding="ascii")
    entries = {name: variables(host) for name, host in hosts.items()}
    document = {"all": {"children": {"fleet": {"hosts": entries}}}}
    (state / "hosts.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def stop_on_sigterm() -> None:
    """Let SIGTERM end this process the way an exception does, so that everything is cleaned up."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))


def run(command: list[str], environment: dict[str, str], directory: pathlib.Path | None = None) -> int:
    """Run a command and return its exit code; when this process is ended, the command may end in order."""
    with subprocess.Popen(command, env=environment, cwd=directory) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
            raise


def main() -> int:
    """Run a command with the fleet up."""
    if sys.argv[1:3] != ["run", "--"] or len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    stop_on_sigterm()
    try:
        with fleet() as hosts:
            state = next(iter(hosts.values())).directory.parent
            return run(sys.argv[3:], {**os.environ, "BREAKWATER_FLEET": str(state)})
    except FleetError as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"Cannot run {error.filename}: no such command.", file=sys.stderr)
        return 127
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
