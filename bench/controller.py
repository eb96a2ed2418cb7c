# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a whole audit costs the controller, beside what stock Ansible costs on the same hosts.

    sudo .venv/bin/python bench/controller.py --hosts 50,200 --runs 3

Every host is an address of the loopback net in the namespace of one host of the embedded fleet, so nothing leaves this
machine and nothing stays on it. See bench/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "demo"))

import fleet  # noqa: E402 - found through the line above

PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
OURS = "audit"
CASES = {
    OURS: "breakwater.smb.audit",
    "raw": str(HERE / "playbooks" / "raw.yml"),
    "setup": str(HERE / "playbooks" / "setup.yml"),
    "stock": str(HERE / "playbooks" / "stock.yml"),
}
PR_SET_CHILD_SUBREAPER = 36
PER_NET = 250
TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A run did not do what it should; figures from it would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One playbook run. All figures are seconds for all hosts together."""

    case: str
    hosts: int
    controller: float
    wall: float
    target: float


def addresses(number: int) -> list[str]:
    """Return that many addresses of the loopback net."""
    return [f"127.0.{1 + index // PER_NET}.{1 + index % PER_NET}" for index in range(number)]


def inventory(folder: pathlib.Path, host: fleet.Host, number: int) -> pathlib.Path:
    """Write an inventory of the addresses; host keys are checked like anywhere else."""
    state = host.directory.parent
    key = (host.directory / "host_key.pub").read_text(encoding="ascii").strip()
    known = folder / "known_hosts"
    known.write_text(f"127.0.* {key}\n", encoding="ascii")
    variables = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(state / "key"),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={known}",
        "ansible_control_path_dir": str(folder / "cp"),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    path = folder / f"hosts-{number}.json"
    document = {"all": {"hosts": {address: {} for address in addresses(number)}, "vars": variables}}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def environment(folder: pathlib.Path) -> dict[str, str]:
    """Return Ansible's environment: our ansible.cfg (pipelining, ControlPersist), the stock output for everybody."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_NOCOLOR": "1",
    }


def target_seconds(host: fleet.Host) -> float:
    """Return the CPU time of the host's sshd and of all that it has run and that has ended."""
    total = 0
    for pid in children(host.pid):
        with contextlib.suppress(OSError):
            name, _bracket, rest = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")
            if name.endswith("(sshd"):
                total += sum(int(field) for field in rest.split()[11:15])
    return total / TICKS


def children(pid: int) -> list[int]:
    """Return the PIDs of a process's children."""
    try:
        return [
            int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return []


def reap(keep: set[int]) -> None:
    """End the ControlPersist masters that a run left; their CPU time then counts as the run's."""
    while left := set(children(os.getpid())) - keep:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def settle(host: fleet.Host) -> None:
    """Wait until the host has ended every session of the run before."""
    deadline = time.monotonic() + 30
    while any(children(pid) for pid in children(host.pid) if _is_sshd(pid)):
        if time.monotonic() > deadline:
            raise BenchError("Sessions of the run before do not end.")
        time.sleep(0.1)


def _is_sshd(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "sshd"
    return False


def controller_seconds() -> float:
    """Return the CPU time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: list[str], folder: pathlib.Path) -> tuple[int, float, float]:
    """Run a playbook; return its exit code, its seconds, and the CPU seconds of all its processes.

    What it prints is in ``folder / "output"``.
    """
    keep = set(children(os.getpid()))
    used, start = controller_seconds(), time.monotonic()
    with (folder / "output").open("wb") as output:
        code = subprocess.run(
            command, env=environment(folder), cwd=folder, stdout=output, stderr=output, check=False
        ).returncode
    wall = time.monotonic() - start
    reap(keep)
    return code, wall, controller_seconds() - used


def measure(case: str, number: int, host: fleet.Host, folder: pathlib.Path, forks: int) -> Sample:
    """Run one playbook against that many hosts.

    Raises:
        BenchError: the playbook did not reach every host.
    """
    results = folder / "results"
    command = ["nsenter", f"--net=/proc/{host.pid}/ns/net", str(PLAYBOOK), CASES[case], "--forks", str(forks)]
    command += ["-i", str(inventory(folder, host, number)), "-e", f"breakwater_results={results}"]
    settle(host)
    target = target_seconds(host)
    code, wall, controller = run(command, folder)
    settle(host)
    check(case, number, code, results, folder / "output")
    return Sample(case, number, controller, wall, target_seconds(host) - target)


def check(case: str, number: int, code: int, results: pathlib.Path, output: pathlib.Path) -> None:
    """Refuse figures of a run that did not do its work."""
    if case == OURS:
        latest = results / "latest"
        verdict = (
            json.loads((latest / "run.json").read_text(encoding="utf-8"))["verdict"] if latest.exists() else "none"
        )
        read = len(list((latest / "hosts").glob("*.json"))) if latest.exists() else 0
        good = code in (0, 2) and verdict in ("compliant", "noncompliant") and read == number
    else:
        good = code == 0
    if not good:
        tail = output.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise BenchError(f"{case} against {number} hosts ended with {code}:\n{tail}")


def rounds(cases: list[str], runs: int) -> list[list[str]]:
    """Return the order of the cases in each round: turned and reversed, so that none always goes first."""
    turns = [turn // 2 % len(cases) for turn in range(runs)]  # each of them both ways before the next
    turned = [cases[turn:] + cases[:turn] for turn in turns]
    return [order if turn % 2 == 0 else order[::-1] for turn, order in enumerate(turned)]


def table(samples: list[Sample]) -> str:
    """Return the medians, and the medians of the ratios of our audit to each peer within one round, as Markdown."""
    lines = [
        "| hosts | playbook | controller CPU, ms per host | wall, ms per host | hosts' CPU, ms per host | audit ÷ this, CPU | audit ÷ this, wall |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for number in sorted({sample.hosts for sample in samples}):
        ours = [sample for sample in samples if sample.hosts == number and sample.case == OURS]
        for case in CASES:
            mine = [sample for sample in samples if sample.hosts == number and sample.case == case]
            if mine:
                cells = [
                    _per_host([getattr(one, name) for one in mine], number) for name in ("controller", "wall", "target")
                ]
                cells += [_ratio(ours, mine, name) for name in ("controller", "wall")]
                lines.append(f"| {number} | {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _per_host(seconds: list[float], number: int) -> str:
    return f"{statistics.median(seconds) * 1000 / number:.0f}"


def _ratio(ours: list[Sample], theirs: list[Sample], name: str) -> str:
    found = ratios(ours, theirs, name)
    text = ratio(found)
    return text if len(found) < 2 else f"{text} ({min(found):.2f} to {max(found):.2f})"


def ratios(ours: list[Any], theirs: list[Any], name: str) -> list[float]:
    """Return our samples' figure over the peer's, round by round; a round that was not finished has none."""
    return [getattr(one, name) / getattr(other, name) for one, other in zip(ours, theirs, strict=False)]


def ratio(found: list[float], digits: int = 2) -> str:
    """Return the median of ratios as it stands in a table."""
    return f"{statistics.median(found):.{digits}f}" if found else "-"


def arguments() -> argparse.Namespace:
    """Return the command line, checked."""
    parser = argparse.ArgumentParser(description="Controller cost of an audit beside stock Ansible's.")
    parser.add_argument("--hosts", default="50,200", help="numbers of hosts, with commas (default: 50,200)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; each runs every playbook once (default: 3)")
    parser.add_argument("--forks", type=int, default=10, help="Ansible's forks, the same for all (default: 10)")
    parser.add_argument("--only", default=",".join(CASES), help=f"playbooks, with commas (default: {','.join(CASES)})")
    parser.add_argument("--json", type=pathlib.Path, help="also write every sample to this file")
    options = parser.parse_args()
    try:
        options.hosts = [int(number) for number in options.hosts.split(",")]
    except ValueError:
        parser.error(f"--hosts takes whole numbers with commas, not {options.hosts!r}")
    options.only = options.only.split(",")
    if wrong := set(options.only) - set(CASES):
        parser.error(f"--only knows {', '.join(CASES)}, not {', '.join(sorted(wrong))}")
    if min(options.hosts) < 1 or max(options.hosts) > 200 * PER_NET or options.runs < 1 or options.forks < 1:
        parser.error("--hosts, --runs and --forks are at least 1, and --hosts at most 50000")
    return options


def own_what_runs() -> None:
    """Become the parent of what playbooks leave running, and end in order when this process is ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    fleet.stop_on_sigterm()


def conclude(
    measuring: Callable[[list[Any]], None], show: Callable[[list[Any]], str], file: pathlib.Path | None
) -> int:
    """Measure, print the table, and return the exit code.

    Args:
        measuring: appends a sample for each run.
        show: makes the table.
        file: where the samples are written as well.
    """
    samples: list[Any] = []
    code = 0
    try:
        measuring(samples)
    except (fleet.FleetError, BenchError) as error:
        print(error, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:  # what was measured is still worth its time
        code = 130
    if file:
        file.write_text(json.dumps([asdict(sample) for sample in samples], indent=1), encoding="utf-8")
    print(show(samples))
    return code


def main() -> int:
    """Measure and print the table."""
    options = arguments()
    own_what_runs()

    def measuring(samples: list[Sample]) -> None:
        with fleet.fleet(("defaults",)) as hosts, tempfile.TemporaryDirectory(prefix="breakwater-bench-") as name:
            for number in options.hosts:
                for case in [case for order in rounds(options.only, options.runs) for case in order]:
                    samples.append(measure(case, number, hosts["defaults"], pathlib.Path(name), options.forks))
                    print(f"{case}: {number} hosts, {samples[-1].wall:.1f} s", file=sys.stderr, flush=True)

    return conclude(measuring, table, options.json)


if __name__ == "__main__":
    sys.exit(main())
