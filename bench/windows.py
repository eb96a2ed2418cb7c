# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit of a Windows host costs, beside reading the same facts with the modules of ansible.windows.

    BREAKWATER_PWSH=/path/to/pwsh .venv/bin/python bench/windows.py --hosts 4 --runs 3

Both playbooks talk to the same simulated hosts behind the same WS-Management servers on loopback, in turn, in one run. See
bench/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass
from typing import get_args

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
COLLECTIONS = ROOT / ".build" / "collections"
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "demo"), str(COLLECTIONS)]

from controller import PLAYBOOK, BenchError, conclude, ratio, ratios  # noqa: E402 - found through the line above

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue  # noqa: E402 - found above
from tests.lab import powershell  # noqa: E402 - likewise
from tests.lab.playbooks import environment  # noqa: E402 - likewise
from tests.lab.windows import modules  # noqa: E402 - likewise
from tests.lab.windows.connections import Kind  # noqa: E402 - likewise
from tests.lab.windows.execution import Exec, Result, Run  # noqa: E402 - likewise
from tests.lab.windows.fleet import Fleet, fleet  # noqa: E402 - likewise
from tests.lab.windows.replayed import Replayed, nonce_of  # noqa: E402 - likewise

OURS, MODULES = "audit", "modules"
CASES = {OURS: "breakwater.smb.audit", MODULES: str(HERE / "playbooks" / "windows_modules.yml")}
DEFINITION = "ws2022"
NOT_RUN = (
    "The modules were not run: the server answered them from their manifest with what PowerShell says on the same host, "
    "without the C# compiler that they start on a real one."
)
PEERS = ROOT / ".build" / "bench"
KINDS: tuple[Kind, ...] = ("winrm-ntlm", "winrm-basic-tls", "psrp-ntlm", "psrp-basic-tls")


@dataclass(frozen=True, slots=True)
class Sample:
    """One playbook run; all figures are per host."""

    kind: str
    case: str
    hosts: int
    executions: float
    requests: float
    up: float
    down: float
    wall: float
    controller: float


class Memory:
    """A host that says at once what PowerShell once said to the same question; the first time it asks PowerShell.

    The first audit of a host, and every module with other options, are such first times; they happen before anything is
    measured. With ``forget`` every execution starts PowerShell.
    """

    def __init__(self, forget: bool) -> None:
        self._forget = forget
        self._lock = threading.Lock()
        self._known: dict[str, Result] = {}
        self._audit: Replayed | None = None

    def wrap(self, _name: str, run: Run) -> Run:
        """Return the function that runs a host's commands."""

        def answer(ask: Exec) -> Result:
            module = modules.module_of(ask)
            if self._forget:
                return modules.answer(ask, run) if module else run(ask)
            with self._lock:
                return self._asked(ask, run) if module is None else self._module(ask, run, module)

        return answer

    def _asked(self, ask: Exec, run: Run) -> Result:
        if self._audit is None:
            self._audit = Replayed(run(ask), nonce_of(ask))
        return self._audit.run(ask)

    def _module(self, ask: Exec, run: Run, module: tuple[str, dict[str, object]]) -> Result:
        name, options = module
        key = json.dumps([name, {key: value for key, value in options.items() if not key.startswith("_ansible")}])
        if key not in self._known:
            self._known[key] = modules.answer(ask, run)
        return self._known[key]


def peers() -> pathlib.Path:
    """Return where ansible.windows is; the first time, take it out of the package ``ansible`` from PyPI."""
    if (PEERS / "ansible_collections" / "ansible" / "windows" / "MANIFEST.json").exists():
        return PEERS
    PEERS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PEERS) as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "-d", folder, "ansible"], capture_output=True, text=True, check=False)
        found = list(pathlib.Path(folder).glob("ansible-*.whl"))
        if done.returncode or not found:
            raise BenchError(f"The package ansible cannot be had:\n{done.stderr[-800:]}")
        with zipfile.ZipFile(found[0]) as wheel:
            wanted = [name for name in wheel.namelist() if name.startswith("ansible_collections/ansible/windows/")]
            wheel.extractall(folder, wanted)
        shutil.copytree(pathlib.Path(folder) / "ansible_collections", PEERS / "ansible_collections", dirs_exist_ok=True)
    return PEERS


def version_of_peers() -> str:
    """Return the version of ansible.windows."""
    text = (peers() / "ansible_collections" / "ansible" / "windows" / "MANIFEST.json").read_text(encoding="utf-8")
    return str(json.loads(text)["collection_info"]["version"])


def registry_keys() -> list[str]:
    """Return the registry keys that an audit reads."""
    settings = catalogue.settings("windows").values()
    return sorted({address.key for setting in settings for address in setting.addresses if address.store == "registry"})


def run(command: list[str], folder: pathlib.Path) -> tuple[int, float, float]:
    """Run a playbook; return its exit code, its seconds, and the CPU seconds of all its processes."""
    start = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(ANSIBLE_COLLECTIONS_PATH=f"{COLLECTIONS}:{peers()}"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _pid, status, used = os.wait4(process.pid, 0)  # the hosts' PowerShells are children too, and do not count
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, used.ru_utime + used.ru_stime


def measure(kind: Kind, case: str, hosts: Fleet, folder: pathlib.Path, forks: int) -> Sample:
    """Run one playbook against all hosts.

    Raises:
        BenchError: the playbook did not reach every host.
    """
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts.inventory}}), encoding="utf-8")
    (folder / "variables.json").write_text(
        json.dumps({"breakwater_results": str(folder / "results"), "windows_keys": registry_keys()}), encoding="utf-8"
    )
    command = [str(PLAYBOOK), CASES[case], "--forks", str(forks), "-i", str(folder / "hosts.json")]
    command += ["-e", f"@{folder / 'variables.json'}"]
    number = len(hosts.servers)
    before = {name: server.stats for name, server in hosts.servers.items()}
    code, wall, controller = run(command, folder)
    check(case, number, code, folder)
    spent = [server.stats - before[name] for name, server in hosts.servers.items()]

    def mean(name: str) -> float:
        return statistics.fmean(getattr(one, name) for one in spent)

    figures = (mean("executions"), mean("requests"), mean("bytes_up"), mean("bytes_down"))
    return Sample(kind, case, number, *figures, wall / number, controller / number)


def check(case: str, number: int, code: int, folder: pathlib.Path) -> None:
    """Refuse figures of a run that did not do its work."""
    good = code == 0
    if case == OURS:
        latest = folder / "results" / "latest"
        run = latest / "run.json"
        verdict = json.loads(run.read_text(encoding="utf-8"))["verdict"] if run.exists() else "none"
        read = len(list((latest / "hosts").glob("*.json")))
        good = code in (0, 2) and verdict in ("compliant", "noncompliant") and read == number
    if not good:
        tail = (folder / "output").read_text(encoding="utf-8", errors="replace")[-1500:]
        raise BenchError(f"{case} against {number} hosts ended with {code}:\n{tail}")


def table(samples: list[Sample]) -> str:
    """Return medians per host, and the ratios of the audit to the modules within one round, as Markdown."""
    lines = [
        "| connection | playbook | executions | requests | KB up | KB down | wall, s | controller CPU, s | audit ÷ this: requests | KB up | wall | CPU |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in dict.fromkeys(sample.kind for sample in samples):
        ours = [sample for sample in samples if (sample.kind, sample.case) == (kind, OURS)]
        for case in CASES:
            mine = [sample for sample in samples if (sample.kind, sample.case) == (kind, case)]
            if mine:
                cells = [f"{_median(mine, 'executions'):.0f}", f"{_median(mine, 'requests'):.0f}"]
                cells += [f"{_median(mine, name) / 1000:.0f}" for name in ("up", "down")]
                cells += [f"{_median(mine, name):.2f}" for name in ("wall", "controller")]
                cells += [ratio(ratios(ours, mine, name), 3) for name in ("requests", "up", "wall", "controller")]
                lines.append(f"| {kind} | {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _median(samples: list[Sample], name: str) -> float:
    return float(statistics.median(getattr(sample, name) for sample in samples))


def arguments() -> argparse.Namespace:
    """Return the command line, checked."""
    parser = argparse.ArgumentParser(description="Cost of an audit of Windows beside ansible.windows.")
    parser.add_argument("--hosts", type=int, default=4, help="how many hosts at once (default: 4)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; each runs both playbooks once (default: 3)")
    parser.add_argument("--latency", type=float, default=20, help="milliseconds per request (default: 20)")
    parser.add_argument("--forks", type=int, default=10, help="Ansible's forks, the same for both (default: 10)")
    parser.add_argument("--connections", default=",".join(KINDS), help=f"of {', '.join(get_args(Kind))}")
    parser.add_argument("--powershell", action="store_true", help="start PowerShell for every execution")
    parser.add_argument("--json", type=pathlib.Path, help="also write every sample to this file")
    options = parser.parse_args()
    options.connections = options.connections.split(",")
    if wrong := set(options.connections) - set(get_args(Kind)) | {k for k in options.connections if "kerberos" in k}:
        parser.error(f"--connections takes no {', '.join(sorted(wrong))}")
    if options.hosts < 1 or options.runs < 1 or options.forks < 1 or options.latency < 0:
        parser.error("--hosts, --runs and --forks are at least 1, and --latency is not negative")
    if powershell.find() is None:
        parser.error("PowerShell 7 is needed: install the package powershell, or name its program in BREAKWATER_PWSH")
    return options


def rounds(kind: Kind, memory: Memory, options: argparse.Namespace, samples: list[Sample]) -> None:
    """Measure both playbooks over one connection, in an order that turns."""
    names = {f"host{number}": DEFINITION for number in range(options.hosts)}
    with tempfile.TemporaryDirectory(prefix="breakwater-bench-") as name:
        folder = pathlib.Path(name)
        with fleet(names, kind, folder, latency=options.latency / 1000, wrap=memory.wrap) as hosts:
            if not options.powershell:
                for case in CASES:
                    measure(kind, case, hosts, folder, options.forks)
            for number in range(options.runs):
                for case in list(CASES)[:: 1 if number % 2 == 0 else -1]:
                    samples.append(measure(kind, case, hosts, folder, options.forks))
                    print(f"{kind} {case}: {samples[-1].wall:.2f} s per host", file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print the table."""
    options = arguments()

    def measuring(samples: list[Sample]) -> None:
        memory = Memory(options.powershell)
        print(f"ansible.windows {version_of_peers()}, {options.hosts} hosts, {options.latency:g} ms per request.")
        for kind in options.connections:
            rounds(kind, memory, options, samples)

    return conclude(measuring, lambda samples: f"{NOT_RUN}\n\n{table(samples)}", options.json)


if __name__ == "__main__":
    sys.exit(main())
