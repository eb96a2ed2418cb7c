# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three clients that ``probe.py`` compares: how each is run on a lab's network, and what proves that it did its work."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from controller import BenchError

from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import Options as Limits
from tests.lab.probe import ask
from tests.lab.probe.replay import Options
from tests.lab.probe.space import Space
from tests.lab.probe.standin import stand_in

HERE = pathlib.Path(__file__).resolve().parent
OURS, BARE, NMAP = "probe", "bare", "nmap"
CASES = (OURS, BARE, NMAP)
CHECKS = ("dialects", "signing", "smb1")
PORT = 445
WINDOW = 256
SCRIPTS = "smb-protocols,smb2-security-mode"
TUNED = ("-n", "-Pn", "-sT", "-T4", "--min-hostgroup", "1024", "--min-parallelism", "512", "-p", str(PORT))

SERVER = "default"
"""The stand-in's server: smbd with its defaults."""
RIGHT = "open: 2.0.2 2.1 3.0 3.0.2 3.1.1, signing not_required"
_NMAP_DIALECTS = ["202", "210", "300", "302", "311"]


Script = list[tuple[int, list[tuple[str, int]]]]
"""What is done to a host: per conversation its port, the requests (hex) and the lengths of the replies."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds, CPU seconds, those before its work began, MiB, and what it wrote."""

    wall: float
    cpu: float
    before: float
    memory: float
    output: bytes


def run(lab: Space, command: Sequence[str], text: str, limit: float = 1800.0) -> Run:
    """Run a command on the lab's network with a text as its input.

    Raises:
        BenchError: it failed, or took longer than ``limit``.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given.write(text.encode())
        given.seek(0)
        begun, memory = time.monotonic(), 0
        process = subprocess.Popen([*lab.enter, *command], stdin=given, stdout=output, stderr=errors)
        while (waited := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() - begun > limit:
                process.kill()
                process.wait()
                raise BenchError(f"{command[0]} took longer than {limit:.0f} s")
            memory = ask.peak(process.pid) or memory
            time.sleep(0.005)
        wall, (_pid, status, used) = time.monotonic() - begun, waited
        process.returncode = os.waitstatus_to_exitcode(status)
        for one in (output, errors):
            one.seek(0)
        if process.returncode:
            raise BenchError(f"{command[0]} ended with {process.returncode}: {errors.read().decode()[-1000:]}")
        return Run(wall, used.ru_utime + used.ru_stime, 0.0, memory / 1024, output.read())


def probe(lab: Space, hosts: Sequence[str]) -> tuple[Run, int]:
    """Run our engine; return what it took and how many connections it made.

    Raises:
        BenchError: it did not say the right thing of every host.
    """
    told: dict[str, Any] = {"checks": CHECKS, "ports": [PORT], "conversing": WINDOW, "quiet": True}
    done = run(lab, [sys.executable, ask.__file__, json.dumps(told)], "\n".join(hosts))
    last = json.loads(done.output)
    if last["counted"] != {RIGHT: len(hosts)}:
        raise BenchError(f"the probe said {last['counted']}")
    return Run(done.wall, done.cpu, last["before"], done.memory, b""), last["summary"]["connections"]


def thinking(lab: Space, number: int) -> tuple[Run, int]:
    """Run our engine's requests, decoding and judgement without sockets, for that many hosts."""
    done = run(lab, [sys.executable, str(HERE / "probe_thinking.py"), str(number)], "")
    said = json.loads(done.output)
    return Run(done.wall, said["cpu"], 0.0, done.memory, b""), said["connections"] * number


def record(lab: Space) -> Script:
    """Return what our engine does to one host."""
    with stand_in(lab, Options({"": SERVER}, (PORT,), record=True)) as server:
        probe(lab, ["127.1.0.1"])
        return [(PORT, steps) for _address, steps in server.said()["conversations"]]


def bare(lab: Space, hosts: Sequence[str], script: Script) -> tuple[Run, int]:
    """Run the client that exchanges the same bytes and reads nothing into them.

    Raises:
        BenchError: not all bytes came back.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(script, file)
        file.flush()
        done = run(lab, [sys.executable, str(HERE / "bare.py"), file.name, str(WINDOW)], "\n".join(hosts))
    said = json.loads(done.output)
    expected = len(hosts) * sum(length for _port, steps in script for _request, length in steps)
    if said["bytes"] != expected:
        raise BenchError(f"the bare client got {said['bytes']} bytes instead of {expected}")
    return Run(done.wall, done.cpu, said["before"], done.memory, b""), said["connections"]


def nmap(lab: Space, hosts: Sequence[str]) -> Run:
    """Run nmap's two scripts.

    Raises:
        BenchError: it did not say the right thing of every host.
    """
    done = run(lab, ["nmap", *TUNED, "--script", SCRIPTS, "-oX", "-", "-iL", "-"], "\n".join(hosts))
    good = 0
    for host in ET.fromstring(done.output).iter("host"):
        scripts = {script.get("id"): [one.text for one in script.iter("elem")] for script in host.iter("script")}
        digits = ["".join(filter(str.isdigit, one or "")) for one in scripts.get("smb-protocols", [])]
        good += digits == _NMAP_DIALECTS and bool(scripts.get("smb2-security-mode"))
    if good != len(hosts):
        raise BenchError(f"nmap said the right thing of {good} hosts out of {len(hosts)}")
    return done


def silent(lab: Space, hosts: Sequence[str]) -> tuple[Run, float]:
    """Run our engine, with its own limits, against addresses that drop everything.

    Returns:
        what it took, and the seconds that its time-outs and windows allow at best.

    Raises:
        BenchError: it did not call every address filtered.
    """
    told: dict[str, Any] = {"checks": CHECKS, "ports": [PORT], "quiet": True}
    done = run(lab, [sys.executable, ask.__file__, json.dumps(told)], "\n".join(hosts))
    last = json.loads(done.output)
    if last["counted"] != {"filtered: , signing unknown": len(hosts)}:
        raise BenchError(f"the probe said {last['counted']}")
    return Run(done.wall, done.cpu, last["before"], done.memory, b""), allowed(Limits(), hosts)


def allowed(limits: Limits, hosts: Sequence[str]) -> float:
    """Return the seconds that silent addresses take when every window is full all the time."""
    networks = Counter(host.rpartition(".")[0] for host in hosts)
    at_once = min(limits.connecting, sum(min(limits.per_network, number) for number in networks.values()))
    return sum(limits.connect_seconds) * -(-len(hosts) // at_once)


def silent_nmap(lab: Space, hosts: Sequence[str]) -> Run:
    """Run nmap against addresses that drop everything.

    Raises:
        BenchError: it did not call every address filtered.
    """
    done = run(lab, ["nmap", *TUNED, "-oX", "-", "-iL", "-"], "\n".join(hosts))
    document = ET.fromstring(done.output)
    states = Counter(str(state.get("state")) for state in document.iter("state"))
    states += Counter({str(one.get("state")): int(one.get("count", 0)) for one in document.iter("extraports")})
    if states != {"filtered": len(hosts)}:
        raise BenchError(f"nmap said {dict(states)}")
    return done
