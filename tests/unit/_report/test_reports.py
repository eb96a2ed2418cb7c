# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html
import json
import xml.etree.ElementTree as tree

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import SectionError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import AppliedException, Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import (
    DataVersions,
    Drift,
    Fleet,
    HostRecord,
    Run,
    Scope,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.report import Ranked, Report, TrendPoint, render

EVIL = "<script>alert(1)</script>\x00\x1b[2J\u202e\ud800 ]]> & \"' {{ 7*7 }}\nsecond"


def finding(control, verdict, **changes):
    return Finding(
        control,
        "title",
        changes.pop("severity", "high"),
        "guest",
        verdict,
        why=changes.pop("why", "because"),
        remedy="do it",
        **changes,
    )


def records():
    facts = FactSet()
    facts.put("samba.share", Fact(configured={"path": EVIL, "kind": "disk"}), EVIL)
    facts.put(
        "host.listener",
        Fact(effective={"proto": "tcp", "address": "*", "port": 445, "state": "LISTEN", "process": EVIL, "pid": 1}),
        "tcp/*:445",
    )
    bad = HostRecord("bad", "a", "ssh", "2026-11-24T00:00:00Z", facts=facts, score=10)
    waived = AppliedException("waiver", EVIL, "alice", "T-1", "2027-01-01", 38)
    bad.findings = [
        finding("c-fail", "fail", object=EVIL, why=EVIL),
        finding("c-unknown", "unknown", severity="critical"),
        finding("c-waived", "fail", exception=waived),
        finding("c-pass", "pass"),
        finding("c-na", "not_applicable"),
        finding("c-manual", "manual"),
    ]
    gone = HostRecord("gone", "", "", "2026-11-24T00:00:00Z", errors=[SectionError("connection", EVIL)])
    good = HostRecord("good", "b", "ssh", "2026-11-24T00:00:00Z", score=100, findings=[finding("c-pass", "pass")])
    return {record.host: record for record in (bad, gone, good)}


def report():
    by_name = records()
    run = Run(
        "20261124T000000Z-abcd",
        "2026-11-24T00:00:00Z",
        "audit",
        "t",
        "2.19",
        "strict",
        Scope("", tuple(by_name)),
        DataVersions("x"),
        "incomplete",
        "2026-11-24T00:01:00Z",
        {"fail": 2, "unknown": 1, "pass": 2, "excepted": 1},
        (EVIL,),
    )
    fleet = Fleet(
        run.id,
        "20261123T000000Z-aaaa",
        True,
        [Drift("bad", "fact", "added", "samba.share", EVIL, None, EVIL), Drift("old", "host", "gone")],
    )
    ranking = [
        Ranked("gone", EVIL, None, {}),
        Ranked("bad", None, 10, {"fail": 1, "unknown": 1, "pass": 1, "waived": 1}),
        Ranked("good", None, 100, {"pass": 1}),
    ]
    reads = []

    def read(host):
        reads.append(host)
        return by_name[host]

    return Report(
        run,
        fleet,
        ranking,
        read,
        [TrendPoint("a", "", "compliant", {"fail": 1}), TrendPoint("b", "", "compliant", {"fail": 3})],
        "d",
    ), reads


def text_of(name):
    document, reads = report()
    ((_format, _path, chunks),) = list(render(document, (name,)))
    return "".join(chunks), reads


def test_every_format_reads_each_host_once():
    for name in ("html", "json", "junit"):
        assert text_of(name)[1] == ["gone", "bad", "good"], name


def test_terminal():
    text, _reads = text_of("terminal")
    lines = text.splitlines()
    assert lines[2].startswith("gone: NOT READ")
    assert "bad: score 10" in text
    assert text.index("c-unknown") < text.index("c-fail")  # critical before high
    assert "waived   c-waived" in text and "expires in 38 days" in text
    assert "Nothing to do on: good" in text
    assert "approved run): 2" in text and "old: is gone" in text
    assert "Verdict: INCOMPLETE" in text
    for character in ("\x1b", "\x00", "\u202e", "\ud800"):
        assert character not in text


def test_junit():
    text, _reads = text_of("junit")
    suites = {suite.get("name"): suite for suite in tree.fromstring(text.encode())}
    bad = suites["bad"]
    assert (bad.get("tests"), bad.get("failures"), bad.get("errors"), bad.get("skipped")) == ("6", "1", "1", "3")
    kinds = {case.get("name").split(" ")[0]: [child.tag for child in case] for case in bad}
    assert kinds == {
        "c-fail": ["failure"],
        "c-unknown": ["error"],
        "c-waived": ["skipped"],
        "c-pass": [],
        "c-na": ["skipped"],
        "c-manual": ["skipped"],
    }
    assert suites["gone"].get("errors") == "1"
    assert "alice" not in bad.find("testcase").get("name")


def test_json():
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    import pathlib

    text, _reads = text_of("json")
    document = json.loads(text)
    schema = json.loads(
        (pathlib.Path(__file__).resolve().parents[3] / "docs" / "schemas" / "report.json").read_text(encoding="utf-8")
    )
    jsonschema.validate(document, schema)
    assert [host["host"] for host in document["hosts"]] == ["gone", "bad", "good"]


def test_html():
    text, _reads = text_of("html")
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in text
    assert "default-src 'none'" in html.unescape(text)
    assert "http://" not in text and "https://" not in text
    assert "expires in 38 days" in text
    assert 'data-state="unknown"' in text


def test_unknown_format():
    with pytest.raises(BadInput, match="'pdf'; use one of html, json, junit, terminal"):
        list(render(report()[0], ("pdf",)))
