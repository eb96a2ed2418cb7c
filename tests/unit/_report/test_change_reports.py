# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of runs that change hosts: remediation, its plan, and rollback.

Golden files as in test_golden_files.py: after a wanted change ``BREAKWATER_UPDATE_GOLDEN=1 pytest THIS_FILE``.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import xml.etree.ElementTree as tree
from collections import Counter

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation, SectionError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import (
    DataVersions,
    Fleet,
    HostRecord,
    Run,
    Scope,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Blocked, Change, Remediation
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.host_change import host_change, native, touched
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.report import (
    FORMATS,
    Ranked,
    Report,
    exit_code,
    render,
)

from .test_golden_files import GOLDEN, STARTED, check_golden, check_junit_totals

ROOT = pathlib.Path(__file__).resolve().parents[3]
RUN = "20261124T001231Z-k3f9"
EVIL = "<script>alert(1)</script>\x00\x1b[2J\u202e\ud800 ]]> & \"' {{ 7*7 }}\nsecond"
IN_USE = Blocked(
    "samba-server-min-protocol",
    "in-use",
    "in use by clients speaking less than SMB2_10: scanner@192.0.2.7 (NT1); this is lifted when they are gone, or by an"
    " exception of kind force that names samba-server-min-protocol for files",
    fact="samba.server_min_protocol",
    users=("scanner@192.0.2.7 (NT1)",),
)
CHANGES = (
    Change(
        "samba-server-signing",
        "/etc/samba/smb.conf:4 [global] server signing",
        None,
        "mandatory",
        "samba.server_signing",
        step=1,
        restart="reload",
    ),
    Change(
        "samba-guest-ok",
        "/etc/samba/shares.conf:9 [public] guest ok",
        "yes",
        "no",
        "samba.guest_ok",
        "public",
        Origin("include", "/etc/samba/shares.conf:9"),  # the address says that already
        step=2,
        restart="reload",
    ),
    Change(
        "samba-smb-ports",
        "/etc/samba/smb.conf:4 [global] smb ports",
        [445, 139],
        [445],
        origin=Origin("registry", "global"),
        step=1,
        restart="restart",
    ),
)


def finding(control: str, verdict: str, **more: str) -> Finding:
    return Finding(control, f"Title of {control}", "high", "signing", verdict, why="seen", remedy="Set it.", **more)


AFTER = [
    finding("samba-server-min-protocol", "fail"),
    finding("samba-server-signing", "pass"),
    finding("samba-guest-ok", "pass", object="public"),
    finding("samba-smb-ports", "fail"),
]
BEFORE = [dataclasses.replace(one, verdict="fail") for one in AFTER]


def host(name: str, findings: list[Finding], done: Remediation | None, score: int | None) -> HostRecord:
    facts = FactSet()
    listener = {"proto": "tcp", "address": "*", "port": 445, "state": "LISTEN", "process": "smbd", "pid": 7}
    facts.put("host.listener", Fact(effective=listener), "tcp/*:445")
    record = HostRecord(name, "192.0.2.1", "ssh", STARTED, [Implementation("samba", "4.17.12", "server", True)], facts)
    record.findings, record.remediation, record.score = list(findings), done, score
    return record


def settled(*states: str) -> tuple[Change, ...]:
    return tuple(dataclasses.replace(change, state=state) for change, state in zip(CHANGES, states, strict=True))


def remediated() -> list[HostRecord]:
    """One host as planned, one where it failed, one that is lost, one with nothing to do."""
    before = {"fail": 4, "unknown": 0, "manual": 0, "pass": 0, "not_applicable": 0, "excepted": 0}
    done = Remediation(
        RUN,
        changes=settled("done", "done", "done"),
        blocked=(IN_USE,),
        watched="live sessions only: nobody has been watching",
        pending=("restart of smbd",),
        score_before=12,
        counts_before=before,
    )
    failed = dataclasses.replace(
        done,
        changes=settled("undone", "failed", "undone"),
        pending=(),
        reboot_required=True,
        restart_done=("smbd",),
        failed="The change was not completed: smbd did not come back; 2 earlier steps were put back.",
    )
    gone = dataclasses.replace(
        done, changes=settled("planned", "planned", "planned"), failed="The connection was lost."
    )
    records = [
        host("lost", [], gone, None),
        host("broken", BEFORE, failed, 12),
        host("files", AFTER, done, 61),
        host("good", [finding("samba-server-signing", "pass")], Remediation(score_before=100), 100),
    ]
    records[0].errors = [SectionError("connection", gone.failed)]
    records[0].collected = STARTED
    records[1].errors = [SectionError("change", failed.failed)]
    return records


def planned() -> list[HostRecord]:
    done = Remediation(
        check=True,
        changes=CHANGES,
        blocked=(IN_USE,),
        watched="since 2026-11-10 (14 days)",
        pending=("restart of smbd", "reboot"),
        reboot_required=True,
        score_before=12,
        counts_before={"fail": 4},
    )
    return [host("files", BEFORE, done, 12)]


def rolled_back() -> list[HostRecord]:
    back = tuple(
        dataclasses.replace(change, before=change.after, after=change.before, origin=None, state="done")
        for change in CHANGES[:2]
    )
    nothing = host("other", [], Remediation(), None)
    nothing.collected = ""
    return [host("files", BEFORE, Remediation(RUN, changes=back), 12), nothing]


def report(records: list[HostRecord], kind: str = "remediate", verdict: str = "noncompliant") -> Report:
    by_name = {record.host: record for record in records}
    check = any(record.remediation.check for record in records if record.remediation)
    run = Run(
        RUN, STARTED, kind, "breakwater.smb 0", "2.19.0", "recommended", Scope("", tuple(by_name)), DataVersions("0"),
        verdict, "2026-11-24T00:13:00Z", check=check,
    )  # fmt: skip
    ranking = []
    for record in records:
        unread = next((error.reason for error in record.errors if error.section == "connection"), None)
        counts = dict(Counter(found.verdict for found in record.findings))
        ranking.append(Ranked(record.host, unread, record.score, counts, touched(record)))
    return Report(run, Fleet(RUN), ranking, by_name.__getitem__, (), "d")


STORIES = {
    "remediate": lambda: report(remediated(), verdict="incomplete"),
    "plan": lambda: report(planned()),
    "rollback": lambda: report(rolled_back(), "rollback"),
}


def text_of(document: Report, name: str) -> str:
    ((_format, _path, chunks),) = render(document, (name,))
    return "".join(chunks)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", FORMATS)
def test_report_is_as_it_was(name, story):
    check_golden(STORIES[story](), name, GOLDEN / story)


def test_terminal_says_what_was_done_and_how_to_undo_it():
    text = text_of(STORIES["remediate"](), "terminal")
    assert "files: score 12 -> 61  (2 fail, 2 pass)" in text
    assert "  change: 3 values changed; 1 held back; waits for: restart of smbd\n" in text
    assert "           held back (in use): in use by clients speaking less" in text
    assert "  FAILED   The change was not completed: smbd did not come back" in text
    assert "broken: score 12  " in text  # nothing better, nothing worse
    assert "waits for: reboot" in text and "restarted: smbd" in text
    assert "Nothing to do on: good" in text
    assert "           changed, and in force after a restart\n" in text
    assert "Done: 3 values changed on 1 hosts, 3 held back" in text
    assert f"rollback -i INVENTORY -e breakwater_journal={RUN}\n" in text


def test_terminal_of_a_plan_leaves_out_what_it_would_close():
    text = text_of(STORIES["plan"](), "terminal")
    assert "planned only: nothing was touched" in text.splitlines()[0]
    assert "  plan: 3 values to change; 1 held back; would wait for: restart of smbd, reboot\n" in text
    assert "samba-server-min-protocol: seen" in text
    assert "samba-server-signing" not in text
    assert "Verdict: NONCOMPLIANT (exit code 0)" in text
    assert "rollback" not in text


def test_a_host_that_was_not_asked_claims_nothing():
    text = text_of(STORIES["rollback"](), "terminal")
    assert "  change: 2 values put back\n" in text
    assert "Nothing to undo on: other" in text
    assert "Nothing was asked of this host" in text_of(STORIES["rollback"](), "html")


@pytest.mark.parametrize(
    ("kind", "check", "verdict", "code"),
    [
        ("audit", False, "compliant", 0),
        ("audit", False, "noncompliant", 2),
        ("remediate", False, "noncompliant", 2),
        ("remediate", False, "incomplete", 2),
        ("remediate", True, "noncompliant", 0),
        ("remediate", True, "incomplete", 2),
        ("rollback", False, "noncompliant", 0),
        ("rollback", False, "incomplete", 2),
    ],
)
def test_exit_code(kind, check, verdict, code):
    run = Run(RUN, STARTED, kind, "", "", "", Scope("", ()), DataVersions("0"), verdict, check=check)
    assert exit_code(run) == code


def test_junit_has_an_error_for_a_change_that_failed_and_the_reason_for_what_is_held_back():
    suites = {suite.get("name"): suite for suite in tree.fromstring(text_of(STORIES["remediate"](), "junit").encode())}
    cases = {name: {case.get("name"): case for case in suite} for name, suite in suites.items()}
    planned_case = "host was changed as planned"
    assert "did not come back" in cases["broken"][planned_case].find("error").get("message")
    assert list(cases["files"][planned_case]) == list(cases["good"][planned_case]) == []
    assert "held back (in-use): in use by" in cases["files"]["samba-server-min-protocol"].find("failure").text
    for suite in suites.values():
        check_junit_totals(suite)


def test_junit_of_a_plan_promises_no_change():
    assert "changed as planned" not in text_of(STORIES["plan"](), "junit")


@pytest.mark.parametrize("story", STORIES)
def test_json_follows_its_schema(story):
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    document = json.loads(text_of(STORIES[story](), "json"))
    schema = json.loads((ROOT / "docs" / "schemas" / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    found = next(one for one in document["hosts"] if one["host"] == "files")
    assert found["remediation"]["changes"][0]["control"] == "samba-server-signing"


def test_html_of_a_remediation():
    text = text_of(STORIES["remediate"](), "html")
    assert "<h1>SMB remediation <span" in text
    assert "What was changed" in text and "What would be changed" not in text
    assert 'data-marks="changed held"' in text and 'data-marks="held failed"' in text
    assert "12 <span" in text and "<strong>61</strong>" in text
    assert f"-e breakwater_journal={RUN} --limit files</code>" in text
    assert f"-e breakwater_journal={RUN} --limit broken</code>" not in text  # nothing stands there to undo
    assert "<caption>Still open</caption>" in text
    assert "Changed, and in force after a restart." in text
    assert "was from registry global" in text and "was from include" not in text
    assert text.count("smbd did not come back") == 1  # said once, not among what could not be read
    assert text.count("The connection was lost.") == 1


def test_html_of_a_plan():
    text = text_of(STORIES["plan"](), "html")
    assert "<h1>SMB remediation, planned <span" in text
    assert "A plan: nothing was touched on any host." in text
    assert "What would be changed (planned: nothing was touched)" in text and "Would wait for" in text
    assert text.count("The plan closes it.") == 3
    assert "Held back: in use (see above)." in text
    assert "breakwater_journal" not in text


def test_a_change_that_nobody_could_look_at_again_is_not_called_planned():
    lost = host_change(remediated()[0], STORIES["remediate"]().run)
    assert {row.state for row in lost.changes} == {"not known"}
    assert touched(remediated()[0]).changed == 0
    assert (
        lost.undo == f"ansible-playbook breakwater.smb.rollback -i INVENTORY -e breakwater_journal={RUN} --limit lost"
    )


def test_native_values():
    shown = {native(None): "nothing", native([]): "an empty list", native(""): "an empty text", native(False): "False"}
    assert all(value == text for value, text in shown.items())
    assert native(["a", "b"]) == "a, b"
    assert native("x" * 1000) == "x" * 399 + "…"
    assert native("a\x1b\n") == "a\\x1b "


def test_hostile_text_stays_text():
    blocked = Blocked(EVIL, "in-use", EVIL, EVIL, users=(EVIL,))
    change = Change(EVIL, EVIL, EVIL, [EVIL], EVIL, EVIL, Origin("include", EVIL), state="done")
    done = Remediation(EVIL, False, (change,), (blocked,), EVIL, (EVIL,), True, (EVIL,), EVIL, 3)
    record = host(EVIL, AFTER, done, 50)
    for kind, check in (("remediate", False), ("remediate", True), ("rollback", False)):
        record.remediation = dataclasses.replace(done, check=check)
        document = report([record], kind)
        text = text_of(document, "html")
        assert text.count("<script>") == 1
        assert "&lt;script&gt;alert(1)" in text
        assert "49" not in re.sub(r"(?s)<style>.*?</style>", "", text)
        terminal = text_of(document, "terminal")
        for character in ("\x1b", "\x00", "\u202e", "\ud800"):
            assert character not in terminal and character not in text
        assert len(terminal.splitlines()) == terminal.count("\n")
        tree.fromstring(text_of(document, "junit").encode())
        json.loads(text_of(document, "json"))
