# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of the benchmark, and that every playbook of it is there."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys

import pytest

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "bench" / "controller.py"
SPEC = importlib.util.spec_from_file_location("bench_controller", PATH)
assert SPEC and SPEC.loader
bench = importlib.util.module_from_spec(SPEC)
sys.modules["bench_controller"] = bench
SPEC.loader.exec_module(bench)


@pytest.mark.parametrize("cases", ["abc", "ab", "abcd"])
def test_no_playbook_always_goes_first(cases):
    orders = bench.rounds(list(cases), 2 * len(cases))
    first = [order[0] for order in orders]
    assert {case: first.count(case) for case in cases} == dict.fromkeys(cases, 2)
    assert first[0] != first[1]
    assert all(sorted(order) == list(cases) for order in orders)


def test_addresses_are_loopback_and_distinct():
    found = bench.addresses(1000)
    assert len(set(found)) == 1000
    assert all(address.startswith("127.0.") and not address.endswith((".0", ".255")) for address in found)


def test_ratios_are_taken_within_a_round():
    samples = [
        bench.Sample(case, 10, controller, 2 * controller, 1.0)
        for ours in (1.0, 4.0, 2.0)
        for case, controller in (("audit", ours), ("raw", ours / 2))
    ]
    lines = bench.table(samples).splitlines()
    assert lines[2] == "| 10 | audit | 200 | 400 | 100 | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) |"
    assert lines[3] == "| 10 | raw | 100 | 200 | 100 | 2.00 (2.00 to 2.00) | 2.00 (2.00 to 2.00) |"


def test_figures_of_a_run_that_failed_are_refused(tmp_path):
    (tmp_path / "output").write_text("fatal: no route", encoding="utf-8")
    with pytest.raises(bench.BenchError, match="no route"):
        bench.check("raw", 5, 4, tmp_path, tmp_path / "output")
    with pytest.raises(bench.BenchError):
        bench.check("audit", 5, 2, tmp_path, tmp_path / "output")


def test_playbooks_are_there():
    assert all(pathlib.Path(playbook).exists() for playbook in bench.CASES.values() if playbook.endswith(".yml"))


@pytest.mark.parametrize("argument", ["--hosts=0", "--hosts=x", "--runs=0", "--only=nothing"])
def test_bad_arguments_are_one_sentence(argument):
    done = subprocess.run([sys.executable, str(PATH), argument], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: " in done.stderr and "Traceback" not in done.stderr
