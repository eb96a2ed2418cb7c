# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arithmetic of the Windows benchmark, and how it answers modules that do not run."""

from __future__ import annotations

import base64
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATH = ROOT / "bench" / "windows.py"
SPEC = importlib.util.spec_from_file_location("bench_windows", PATH)
assert SPEC and SPEC.loader
bench = importlib.util.module_from_spec(SPEC)
sys.modules["bench_windows"] = bench
SPEC.loader.exec_module(bench)

from tests.lab.windows import modules  # noqa: E402 - found through the benchmark
from tests.lab.windows.execution import Exec, Result  # noqa: E402


def module(called: str, **options: object) -> Exec:
    """Return the execution of a module, in the form of ansible-core 2.19 to 2.21."""
    value = {**options, "_ansible_module_name": f"ansible.windows.{called}", "_ansible_verbosity": 0}
    actions = [{"name": "module_wrapper.ps1", "params": {"Variables": [{"Name": "complex_args", "Value": value}]}}]
    stdin = json.dumps({"name": "exec_wrapper"}) + "\n\0\0\0\0\n" + json.dumps({"scripts": {}, "actions": actions})
    return Exec("winrm", "PowerShell -EncodedCommand AA==", stdin.encode())


def test_modules_are_told_from_other_executions():
    assert modules.module_of(Exec("winrm", "PowerShell", b"bGluZQ==")) is None
    name, options = modules.module_of(module("win_reg_stat", path="HKLM:\\SOFTWARE")) or ("", {})
    assert (name, options["path"]) == ("win_reg_stat", "HKLM:\\SOFTWARE")


def test_a_module_is_answered_with_what_the_host_says():
    asked: list[Exec] = []

    def host(ask: Exec) -> Result:
        asked.append(ask)
        return Result(b'{"SMB1":0,"PSPath":"x"}\r\n')

    said = json.loads(modules.answer(module("win_reg_stat", path="HKLM:\\it's"), host).stdout)
    assert said["properties"] == {"SMB1": {"raw_value": 0, "type": "REG_DWORD", "value": 0}}
    assert said["exists"] and not said["changed"] and not said["failed"]
    (ask,) = asked
    assert "HKLM:\\it''s" in script_of(ask)


def script_of(ask: Exec) -> str:
    """Return the script of an encoded command."""
    return base64.b64decode(ask.command.split(" ")[-1]).decode("utf-16-le")


def test_a_command_that_fails_is_a_task_that_fails():
    said = modules.answer(module("win_shell", _raw_params="Get-Nothing"), lambda _ask: Result(b"", b"no", 1))
    assert json.loads(said.stdout)["failed"] and said.rc == 1
    with pytest.raises(modules.NotAModule):
        modules.answer(module("win_whoami"), lambda _ask: Result(b"", b"no", 1))
    with pytest.raises(modules.NotAModule):
        modules.answer(module("win_reboot"), lambda _ask: Result())


def test_the_same_question_is_asked_once():
    asked: list[Exec] = []

    def host(ask: Exec) -> Result:
        asked.append(ask)
        return Result(b"[]")

    run = bench.Memory(forget=False).wrap("host", host)
    answers = [run(module("win_feature_info", name=name)) for name in ("A", "A", "B")]
    assert answers[0] == answers[1]
    assert len(asked) == 2
    forgetful = bench.Memory(forget=True).wrap("host", host)
    assert [forgetful(module("win_feature_info", name="A")) for _time in range(2)] and len(asked) == 4


def test_every_module_of_the_playbook_has_an_answer():
    (play,) = yaml.safe_load(pathlib.Path(bench.CASES[bench.MODULES]).read_text(encoding="utf-8"))
    used = {key.rsplit(".", 1)[-1] for task in play["tasks"] for key in task if "." in key}
    assert used == set(modules._MODULES)


def test_the_keys_are_those_that_an_audit_reads():
    keys = bench.registry_keys()
    assert "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters" in keys
    assert keys == sorted(set(keys))


def test_ratios_are_taken_within_a_round():
    samples = [
        bench.Sample("winrm-ntlm", case, 4, 1, 9 * factor, 90_000 * factor, 40_000, wall * factor, 1.0)
        for wall in (1.0, 4.0, 2.0)
        for case, factor in (("audit", 1), ("modules", 10))
    ]
    lines = bench.table(samples).splitlines()
    assert lines[2] == "| winrm-ntlm | audit | 1 | 9 | 90 | 40 | 2.00 | 1.00 | 1.000 | 1.000 | 1.000 | 1.000 |"
    assert lines[3] == "| winrm-ntlm | modules | 1 | 90 | 900 | 40 | 20.00 | 1.00 | 0.100 | 0.100 | 0.100 | 1.000 |"


def test_figures_of_a_run_that_failed_are_refused(tmp_path):
    (tmp_path / "output").write_text("fatal: no route", encoding="utf-8")
    with pytest.raises(bench.BenchError, match="no route"):
        bench.check("modules", 5, 2, tmp_path)
    with pytest.raises(bench.BenchError):
        bench.check("audit", 5, 0, tmp_path)


@pytest.mark.parametrize(
    "argument", ["--hosts=0", "--hosts=x", "--runs=0", "--connections=winrm-kerberos,carrier-pigeon"]
)
def test_bad_arguments_are_one_sentence(argument):
    done = subprocess.run([sys.executable, str(PATH), argument], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: " in done.stderr and "Traceback" not in done.stderr
