# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of the remediation's benchmark, and that its playbooks are there."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys

import pytest

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "bench" / "remediate.py"
SPEC = importlib.util.spec_from_file_location("bench_remediate", PATH)
assert SPEC and SPEC.loader
bench = importlib.util.module_from_spec(SPEC)
sys.modules["bench_remediate"] = bench
SPEC.loader.exec_module(bench)


def test_ratios_are_taken_within_a_round():
    samples = [
        bench.Sample(case, "change", executions, seconds, seconds / 2)
        for seconds_ours in (1.0, 4.0, 2.0)
        for case, executions, seconds in (("remediate", 2, seconds_ours), ("lineinfile", 13, seconds_ours * 4))
    ]
    lines = bench.table(samples).splitlines()
    assert lines[2] == "| change | remediate | 2.00 | 2.00 | 1.00 | 1.00 | 1.00 | 1.00 |"
    assert lines[3] == "| change | lineinfile | 13.00 | 8.00 | 4.00 | 0.15 | 0.25 | 0.25 |"
    assert len(lines) == 4


def test_playbooks_are_there():
    assert all(pathlib.Path(playbook).exists() for playbook in bench.CASES.values() if playbook.endswith(".yml"))


@pytest.mark.parametrize("argument", ["--hosts=0", "--hosts=x", "--runs=0"])
def test_bad_arguments_are_one_sentence(argument):
    done = subprocess.run([sys.executable, str(PATH), argument], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
