# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is generated can be loaded, and the published schemas hold for what is shipped."""

from __future__ import annotations

import datetime
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.load import control_of, profile_of, setting_of
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import decode, encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation, SectionError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import AppliedException, Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import HostRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Setting

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLUGIN_UTILS = ROOT / "plugins" / "plugin_utils"


def tool(name):
    spec = importlib.util.spec_from_file_location(f"bw_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(name):
    return json.loads((PLUGIN_UTILS / "_data" / "compiled" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("platform", "count"), [("samba", 84), ("windows", 151)])
def test_all_controls_of_a_platform_are_there(platform, count):
    rows_of = tool("coverage").rows(ROOT / "tools" / "catalogue.csv")
    catalogued = [row for row in rows_of if row["platform"] == platform]
    assert len(catalogued) == count
    assert {row["slug"] for row in catalogued} <= set(catalogue.controls())


def test_a_compiled_file_has_one_row_per_line():
    for path in sorted((PLUGIN_UTILS / "_data" / "compiled").glob("*.json")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(json.loads("".join(lines))) + 2, path.name


@pytest.mark.parametrize(
    ("name", "kind", "quick"),
    [
        ("samba-controls", Control, control_of),
        ("host-controls", Control, control_of),
        ("windows-controls", Control, control_of),
        ("samba-settings", Setting, setting_of),
        ("windows-settings", Setting, setting_of),
        ("profiles", Profile, profile_of),
    ],
)
def test_the_quick_loader_agrees_with_the_strict_one(name, kind, quick):
    for row in rows(name):
        assert quick(row) == decode(kind, row)


def schema(name):
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    document = json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.mark.parametrize(
    ("name", "pattern"), [("control", "_implementations/*/controls/*.yml"), ("profile", "_data/profiles/*.yml")]
)
def test_what_people_write_has_the_published_form(name, pattern):
    validator = schema(name)
    for path in sorted(PLUGIN_UTILS.glob(pattern)):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert not list(validator.iter_errors(document)), path.name
        assert list(validator.iter_errors({**document, "titel": ""}))


def test_records_have_the_published_form():
    facts = FactSet()
    facts.put("samba.share", Fact({"path": "/srv"}, origin=Origin("local", "/etc/samba/smb.conf:3")), "a")
    facts.put("samba.x", Fact(unreadable="no", cause="pending restart"))
    finding = Finding("c", "t", "high", "auth", "fail", exception=AppliedException("waiver", "r", "o", days_left=3))
    record = HostRecord("h", "a", "ssh", "2026-11-24T00:00:00Z", [Implementation("samba", "4.17", "server")], facts)
    record.findings.append(finding)
    record.errors.append(SectionError("host", "x"))
    document = json.loads(json.dumps(encode(record)))
    assert not list(schema("host").iter_errors(document))
    assert decode(HostRecord, document) == record
    waiver = ExceptionRecord("waiver", "c", ("h",), "r", "o", datetime.date(2027, 1, 31))
    assert not list(schema("exception").iter_errors(json.loads(json.dumps(encode(waiver)))))


def compile_one(tmp_path, text):
    compiler = tool("compile")
    folder = tmp_path / "controls"
    folder.mkdir()
    (folder / "samba-deadtime.yml").write_text(text, encoding="utf-8")
    return compiler.load_controls(folder, dict(catalogue.settings("samba")))[1]


SOURCE = (PLUGIN_UTILS / "_implementations" / "samba" / "controls" / "samba-deadtime.yml").read_text(encoding="utf-8")


def test_the_sample_is_good(tmp_path):
    assert compile_one(tmp_path, SOURCE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("id: samba-deadtime", "id: samba-dead-time"), "the catalogue has no such control"),
        (("area: auth", "area: share"), "the catalogue files it under 'auth'"),
        (("area: auth", "area: autth"), "unknown area 'autth'"),
        (("severity: low", "severity: lowest"), "severity: expected one of"),
        (("samba.deadtime", "samba.deadtimes"), "unknown fact 'samba.deadtimes'"),
        (("operator: at_most", "operator: includes"), "includes needs a list"),
        (("recommended: 10080", "recommended: ten"), "'ten' is no integer"),
        (("recommended: 10080", "recomended: 10080"), "values for an unknown profile 'recomended'"),
        (("verdict: fail, facts: {samba.deadtime: 0}", "verdict: pass, facts: {samba.deadtime: 0}"), "judged fail"),
        (("verdict: fail", "verdict: bad"), "examples with an unknown verdict 'bad'"),
        (("side: server", "side: srever"), "side is 'srever'"),
        (("side: server", 'side: server, version: "newer"'), "is not a version condition"),
        (("implementation: samba, ", ""), "without an implementation would be ignored"),
        (("remedy:", "remedy: x\nremedy:"), "the key 'remedy' stands twice"),
        (("remedy:", "# x\n" * 50 + "remedy:"), "50 at most"),
        (("remedy:", "usage: [usage.sesion]\nremedy:"), "unknown fact 'usage.sesion'"),
    ],
)
def test_the_compiler_complains(tmp_path, change, words):
    assert SOURCE.replace(*change) != SOURCE
    assert any(words in complaint for complaint in compile_one(tmp_path, SOURCE.replace(*change)))


def test_the_bench_runs():
    answer = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "judge.py")], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "load the controls" in answer.stdout
