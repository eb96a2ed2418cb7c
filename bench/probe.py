# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe of many hosts costs, beside nmap and beside a client that exchanges the same bytes and decodes nothing.

    sudo .venv/bin/python bench/probe.py --hosts 4000 --late 1000 --runs 3

The hosts are loopback addresses of a network namespace; a stand-in answers with bytes of a real smbd, at once and after ten
milliseconds. Then a /20 that drops everything. See bench/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import ipaddress
import pathlib
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "demo"), str(ROOT / ".build" / "collections")]

import probe_clients as clients  # noqa: E402 - found through the line above
from controller import BenchError, conclude, own_what_runs, ratio, ratios, rounds  # noqa: E402 - likewise
from probe_clients import BARE, CASES, NMAP, OURS  # noqa: E402 - likewise

from tests.lab.probe import space  # noqa: E402 - likewise
from tests.lab.probe.replay import Options  # noqa: E402 - likewise
from tests.lab.probe.standin import stand_in  # noqa: E402 - likewise

LATENCIES = (0.0, 0.01)
SERVER_PROCESSES = 2
SILENT, SILENT_NMAP = "silent", "silent, nmap"
THINKING = "thinking"


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a client. Times are seconds for all hosts together, memory is in MiB.

    Attributes:
        before: CPU seconds until its work began, where the client says so (Python's start).
        allowed: of a network that drops everything, what time-outs and windows allow at best.
    """

    case: str
    latency: float
    hosts: int
    connections: int
    wall: float
    cpu: float
    before: float
    memory: float
    allowed: float = 0.0

    @property
    def work(self) -> float:
        """CPU seconds without the start."""
        return self.cpu - self.before


def addresses(number: int) -> list[str]:
    """Return that many addresses of the loopback net."""
    return [f"127.1.{one // 250}.{1 + one % 250}" for one in range(number)]


def measure(case: str, lab: space.Space, hosts: Sequence[str], latency: float, script: clients.Script) -> Sample:
    """Run one client against the stand-in."""
    connections = 0
    if case == OURS:
        found, connections = clients.probe(lab, hosts)
    elif case == BARE:
        found, connections = clients.bare(lab, hosts, script)
    else:
        found = clients.nmap(lab, hosts)
    return Sample(case, latency, len(hosts), connections, found.wall, found.cpu, found.before, found.memory)


def measure_silent(case: str, lab: space.Space, prefix: int) -> Sample:
    """Run one client against a network that drops everything."""
    network = ipaddress.IPv4Network(f"{space.DROPPED.partition('/')[0]}/{prefix}")
    hosts = [str(one) for one in network]
    if case == SILENT:
        found, allowed = clients.silent(lab, hosts)
    else:
        found, allowed = clients.silent_nmap(lab, hosts), 0.0
    return Sample(case, 0.0, len(hosts), 0, found.wall, found.cpu, found.before, found.memory, allowed)


def table(samples: list[Sample]) -> str:
    """Return the medians, and the medians of the ratios within one round, as Markdown."""
    lines = [
        "| reply latency | client | connections per host | hosts per s | CPU s per 1,000 hosts | without start | MiB "
        "| this ÷ probe, CPU | without start | this ÷ probe, wall |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for latency in LATENCIES:
        ours = [one for one in samples if (one.case, one.latency) == (OURS, latency)]
        for case in CASES:
            mine = [one for one in samples if (one.case, one.latency) == (case, latency)]
            if mine:
                lines.append(f"| {latency * 1000:.0f} ms | {case} | {' | '.join(_cells(mine, ours))} |")
    rest = [*_shares(samples), *(_sentence(one) for one in samples if one.case in (SILENT, SILENT_NMAP))]
    return "\n".join([*lines, *([""] if rest else []), *rest])


def _shares(samples: list[Sample]) -> list[str]:
    """Return how our CPU is made up, where all three parts were measured."""
    found = {
        case: [one.work / one.hosts * 1e6 for one in samples if (one.case, one.latency) == (case, 0.0)]
        for case in (OURS, BARE, THINKING)
    }
    if not all(found.values()):
        return []
    whole, bare, thinking = (statistics.median(found[case]) for case in (OURS, BARE, THINKING))
    return [
        f"Of the probe's {whole:.0f} µs of CPU per host, the bare exchange is {bare:.0f}, requests, decoding, judgement and document "
        f"are {thinking:.0f}, windows and time limits {whole - bare - thinking:.0f}."
    ]


def _cells(mine: list[Sample], ours: list[Sample]) -> list[str]:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    return [
        f"{mine[0].connections / mine[0].hosts:.0f}" if mine[0].connections else "-",
        f"{median([one.hosts / one.wall for one in mine]):.0f}",
        f"{median([one.cpu / one.hosts * 1000 for one in mine]):.3f}",
        f"{median([one.work / one.hosts * 1000 for one in mine]):.3f}",
        f"{median([one.memory for one in mine]):.0f}",
        *(ratio(ratios(mine, ours, name)) for name in ("cpu", "work", "wall")),
    ]


def _sentence(one: Sample) -> str:
    name = "probe" if one.case == SILENT else "nmap"
    text = (
        f"{one.hosts} addresses that drop everything, all called filtered: {name} {one.wall:.1f} s, {one.cpu:.1f} CPU s"
    )
    return f"{text}; time-outs and windows allow {one.allowed:.1f} s." if one.allowed else f"{text}."


def arguments() -> argparse.Namespace:
    """Return the command line, checked."""
    parser = argparse.ArgumentParser(description="Cost of a probe beside nmap's and a bare client's.")
    parser.add_argument("--hosts", type=int, default=4000, help="number of hosts that answer at once (default: 4000)")
    parser.add_argument("--late", type=int, default=1000, help="number of hosts that answer late (default: 1000)")
    parser.add_argument("--runs", type=int, default=3, help="rounds; each runs every client once (default: 3)")
    parser.add_argument("--only", default=",".join(CASES), help=f"clients, with commas (default: {','.join(CASES)})")
    parser.add_argument(
        "--silent", type=int, default=20, help="prefix of the network that drops everything (default: 20)"
    )
    parser.add_argument("--json", type=pathlib.Path, help="also write every sample to this file")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if wrong := set(options.only) - set(CASES):
        parser.error(f"--only knows {', '.join(CASES)}, not {', '.join(sorted(wrong))}")
    numbers = (options.hosts, options.late)
    if min(*numbers, options.runs) < 1 or max(numbers) > 60000 or not 20 <= options.silent <= 32:
        parser.error("--hosts and --late are 1 to 60000, --runs at least 1, --silent 20 to 32")
    return options


def main() -> int:
    """Measure and print the table."""
    options = arguments()
    own_what_runs()

    def measuring(samples: list[Sample]) -> None:
        def took(sample: Sample) -> None:
            samples.append(sample)
            print(f"{sample.case}: {sample.hosts} hosts, {sample.wall:.2f} s", file=sys.stderr, flush=True)

        if reason := space.obstacle():
            raise BenchError(f"Cannot measure here: {reason}.")
        with space.space() as lab:
            script = clients.record(lab)
            for latency, number in zip(LATENCIES, (options.hosts, options.late), strict=True):
                hosts = addresses(number)
                server = Options({"": clients.SERVER}, (clients.PORT,), latency, SERVER_PROCESSES)
                with stand_in(lab, server):
                    for order in rounds(options.only, options.runs):
                        for case in order:
                            took(measure(case, lab, hosts, latency, script))
            found, connections = clients.thinking(lab, options.hosts)
            took(Sample(THINKING, 0.0, options.hosts, connections, found.wall, found.cpu, 0.0, found.memory))
            took(measure_silent(SILENT, lab, options.silent))
            if NMAP in options.only:
                took(measure_silent(SILENT_NMAP, lab, options.silent))

    return conclude(measuring, table, options.json)


if __name__ == "__main__":
    sys.exit(main())
