# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changing a host costs, beside the same settings with Ansible's own module, on the same hosts.

    sudo .venv/bin/python bench/remediate.py --hosts 4 --runs 3

Each host is one of the embedded fleet. Every round begins with the insecure file: once to change it, once more when
nothing is left to do. See bench/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "demo")]

import fleet  # noqa: E402 - found through the line above
from controller import PLAYBOOK, BenchError, conclude, own_what_runs, ratio, ratios, rounds, run  # noqa: E402 - likewise

OURS = "remediate"
CASES = {OURS: "breakwater.smb.remediate", "lineinfile": str(HERE / "playbooks" / "lineinfile.yml")}
PHASES = ("change", "again")
HOST = "smb1"
WANTED = {
    "server min protocol": "SMB2",  # so testparm calls SMB2_10
    "server signing": "required",
    "ntlm auth": "ntlmv2-only",
    "lanman auth": "No",
    "restrict anonymous": "1",
    "disable netbios": "Yes",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One playbook run; all figures are per host, times in seconds."""

    case: str
    phase: str
    executions: float
    wall: float
    controller: float


@contextlib.contextmanager
def running(number: int) -> Iterator[dict[str, fleet.Host]]:
    """Run that many hosts with an insecure configuration."""
    with contextlib.ExitStack() as stack:
        yield {f"host{one + 1}": stack.enter_context(fleet.fleet((HOST,)))[HOST] for one in range(number)}


def inventory(folder: pathlib.Path, hosts: Mapping[str, fleet.Host]) -> pathlib.Path:
    """Write the inventory of the hosts."""
    python = {"ansible_python_interpreter": "/usr/bin/python3"}
    entries = {name: {**fleet.variables(host), **python} for name, host in hosts.items()}
    path = folder / "hosts.json"
    path.write_text(json.dumps({"all": {"hosts": entries}}), encoding="utf-8")
    return path


def insecure(hosts: Mapping[str, fleet.Host]) -> None:
    """Give every host its file as it was, and let smbd read it."""
    text = (HERE.parent / "demo" / "hosts" / f"{HOST}.conf").read_text(encoding="utf-8")
    for host in hosts.values():
        (host.directory / "etc-samba" / "smb.conf").write_text(text, encoding="utf-8")
        subprocess.run([*host.enter(), "smbcontrol", "all", "reload-config"], check=True, timeout=60)


def measure(case: str, phase: str, hosts: Mapping[str, fleet.Host], folder: pathlib.Path, forks: int) -> Sample:
    """Run one playbook against all hosts.

    Raises:
        BenchError: a host is not as it should be afterwards.
    """
    command = [str(PLAYBOOK), CASES[case], "--forks", str(forks), "-i", str(inventory(folder, hosts))]
    command += ["-e", f"breakwater_results={folder / 'results'}", "-e", '{"breakwater_batches": ["100%"]}']
    ran = sum(host.executions() for host in hosts.values())
    code, wall, spent = run(command, folder)
    time.sleep(0.5)  # sshd writes its log when it likes
    executions = sum(host.executions() for host in hosts.values()) - ran
    if code != 0 or not all(changed(host) for host in hosts.values()):
        text = (folder / "output").read_text(encoding="utf-8", errors="replace")[-1500:]
        raise BenchError(f"{case} ({phase}) ended with {code}:\n{text}")
    number = len(hosts)
    return Sample(case, phase, executions / number, wall / number, spent / number)


def changed(host: fleet.Host) -> bool:
    """Return whether testparm on the host says what both playbooks are there for."""
    done = subprocess.run(
        [*host.enter(), "testparm", "-sv"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    said = {name.strip(): value for name, _equals, value in (line.partition(" = ") for line in done.splitlines())}
    return all(said.get(name) == value for name, value in WANTED.items())


def table(samples: list[Sample]) -> str:
    """Return the medians, and the medians of the ratios to each peer within one round, as Markdown."""
    lines = [
        "| when | playbook | executions | wall, s | controller CPU, s | remediate ÷ this: executions | wall | CPU |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = ("executions", "wall", "controller")
    for phase in PHASES:
        ours = [sample for sample in samples if (sample.case, sample.phase) == (OURS, phase)]
        for case in CASES:
            mine = [sample for sample in samples if (sample.case, sample.phase) == (case, phase)]
            if mine:
                cells = [f"{statistics.median(getattr(one, name) for one in mine):.2f}" for name in names]
                cells += [ratio(ratios(ours, mine, name)) for name in names]
                lines.append(f"| {phase} | {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Return the command line, checked."""
    parser = argparse.ArgumentParser(description="Cost of a remediation beside stock Ansible's.")
    parser.add_argument("--hosts", type=int, default=4, help="number of hosts (default: 4)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; each runs every playbook twice (default: 3)")
    parser.add_argument("--forks", type=int, default=10, help="Ansible's forks, the same for all (default: 10)")
    parser.add_argument("--json", type=pathlib.Path, help="also write every sample to this file")
    options = parser.parse_args()
    if min(options.hosts, options.runs, options.forks) < 1 or options.hosts > 50:
        parser.error("--hosts, --runs and --forks are at least 1, and --hosts at most 50")
    return options


def main() -> int:
    """Measure and print the table."""
    options = arguments()
    own_what_runs()

    def measuring(samples: list[Sample]) -> None:
        with running(options.hosts) as hosts, tempfile.TemporaryDirectory(prefix="breakwater-bench-") as name:
            for case in [case for order in rounds(list(CASES), options.runs) for case in order]:
                insecure(hosts)
                for phase in PHASES:
                    samples.append(measure(case, phase, hosts, pathlib.Path(name), options.forks))
                    print(f"{case} ({phase}): {samples[-1].wall:.2f} s per host", file=sys.stderr, flush=True)

    return conclude(measuring, table, options.json)


if __name__ == "__main__":
    sys.exit(main())
