# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of the probe's benchmark, its bare client, and what it refuses to measure."""

from __future__ import annotations

import importlib.util
import pathlib
import socket
import subprocess
import sys
import threading

import pytest

BENCH = pathlib.Path(__file__).resolve().parent.parent.parent / "bench"


def load(name: str):
    """Return a module of bench/, under a name that nothing else has."""
    if str(BENCH) not in sys.path:
        sys.path.append(str(BENCH))
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"bench_{name}"] = module
    spec.loader.exec_module(module)
    return module


bench, bare = load("probe"), load("bare")


def sample(case: str, cpu: float, wall: float) -> object:
    return bench.Sample(case, 0.0, 1000, 0 if case == "nmap" else 7000, wall, cpu, 0.1, 30.0)


def test_ratios_are_taken_within_a_round():
    samples = [
        sample(case, cpu, cpu * 2)
        for ours in (1.1, 4.1, 2.1)
        for case, cpu in (("probe", ours), ("bare", ours / 2), ("nmap", ours * 20))
    ]
    lines = bench.table(samples).splitlines()
    assert lines[2] == "| 0 ms | probe | 7 | 238 | 2.100 | 2.000 | 30 | 1.00 | 1.00 | 1.00 |"
    assert lines[3].endswith("| 0.50 | 0.48 | 0.50 |")
    assert lines[4] == "| 0 ms | nmap | - | 12 | 42.000 | 41.900 | 30 | 20.00 | 20.95 | 20.00 |"
    assert len(lines) == 5


def test_the_silent_network_is_a_sentence():
    silent = bench.Sample("silent", 0.0, 4096, 0, 27.04, 2.0, 0.1, 30.0, 26.0)
    assert bench.table([silent]).splitlines()[-1] == (
        "4096 addresses that drop everything, all called filtered: probe 27.0 s, 2.0 CPU s; time-outs and windows allow 26.0 s."
    )


def test_where_the_time_goes_is_a_sentence():
    samples = [
        bench.Sample(case, 0.0, 1000, 6000, 1.0, cpu, 0.1, 30.0)
        for case, cpu in (("probe", 0.5), ("bare", 0.3), ("thinking", 0.2))
    ]
    last = bench.table(samples).splitlines()[-1]
    assert last.startswith("Of the probe's 400 µs of CPU per host, the bare exchange is 200, ")
    assert last.endswith("document are 100, windows and time limits 100.")


def test_what_time_outs_and_windows_allow():
    limits = bench.clients.Limits(connect_seconds=(1.0, 2.0), connecting=100, per_network=50)
    assert bench.clients.allowed(limits, [f"10.0.0.{one}" for one in range(100)]) == 2 * 3.0
    assert bench.clients.allowed(limits, [f"10.0.{one % 4}.{one // 4}" for one in range(101)]) == 2 * 3.0
    assert bench.clients.allowed(limits, ["10.0.0.1"]) == 3.0


def test_addresses_are_loopback_and_distinct():
    found = bench.addresses(1000)
    assert len(set(found)) == 1000
    assert all(address.startswith("127.1.") and not address.endswith((".0", ".255")) for address in found)


def test_the_bare_client_exchanges_every_byte():
    """Two conversations with each of two hosts, the reply in pieces."""
    got: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for _connection in range(4):
            line, _address = server.accept()
            with line:
                while request := line.recv(100):
                    got.append(request)
                    line.sendall(b"ans")
                    line.sendall(b"wer")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        script = [(port, [(b"one", 6), (b"two", 6)]), (port, [(b"three", 6)])]
        assert bare.exchange(["127.0.0.1", "127.0.0.1"], script, 1) == (4, 36)
        thread.join(10)
    assert sorted(got) == [b"one", b"one", b"three", b"three", b"two", b"two"]


@pytest.mark.parametrize("argument", ["--hosts=0", "--hosts=x", "--late=0", "--runs=0", "--only=nothing", "--silent=8"])
def test_bad_arguments_are_one_sentence(argument):
    done = subprocess.run(
        [sys.executable, str(BENCH / "probe.py"), argument], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
