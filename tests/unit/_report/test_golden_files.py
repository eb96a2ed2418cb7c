# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One golden file per report format. After a wanted change: ``BREAKWATER_UPDATE_GOLDEN=1 pytest THIS_FILE``."""

from __future__ import annotations

import os
import pathlib
import re
import xml.etree.ElementTree as tree

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation, SectionError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import AppliedException, Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import (
    DataVersions,
    Drift,
    Fleet,
    HostRecord,
    Run,
    Scope,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.report import (
    FORMATS,
    Ranked,
    Report,
    TrendPoint,
    render,
)

GOLDEN = pathlib.Path(__file__).parent / "golden"
STARTED = "2026-11-24T00:12:31Z"

# What the Jenkins schema of JUnit files (junit-10.xsd) allows of what we write.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "properties", "system-out", "system-err", "testsuite"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
}
ATTRIBUTES = {
    "testsuites": ({"name"}, {"time", "tests", "failures", "disabled", "errors"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "timestamp", "hostname", "time", "id", "package"},
    ),
    "testcase": ({"name"}, {"classname", "time", "group"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
}


def file_server() -> HostRecord:
    """A host with one of everything, and a share whose name is an attack."""
    facts = FactSet()
    for address, process in (("0.0.0.0", "smbd"), ("::", None)):
        listener = {"proto": "tcp", "address": address, "port": 445, "state": "LISTEN", "process": process, "pid": 7}
        facts.put("host.listener", Fact(effective=listener), f"tcp/{address}:445")
    facts.put("samba.share", Fact(configured={"path": "/srv/public", "kind": "disk"}), "public")
    facts.put("samba.share", Fact(configured={"path": "/srv/<b>", "kind": "disk"}), "<script>\x1b[2J\u202e")
    facts.put("samba.guest_ok", Fact(configured=True, origin=Origin("local", "/etc/samba/smb.conf:9")), "public")
    facts.put("samba.share_path_mode", Fact(effective={"mode": "0777"}), "public")
    facts.put("usage.session", Fact(effective={"user": "alice", "address": "192.0.2.7", "dialect": "SMB3_11"}), "1")
    facts.put("client.mount", Fact(effective={"source": "//nas/data", "vers": "1.0", "sec": "ntlm"}), "/mnt/data")
    waiver = AppliedException("waiver", "kiosk until the move", "alice", "OPS-7", "2027-01-31", 68)
    guest = Finding(
        "samba-guest-ok",
        "No share is open to guests",
        "critical",
        "guest",
        "fail",
        "public",
        "'guest ok': no",
        True,
        origin=Origin("local", "/etc/samba/smb.conf:9"),
        why="'guest ok' is yes",
        remedy="Set 'guest ok = no' in [public].",
        evidence=("samba.guest_ok [public]",),
        rules=("CIS 1.2",),
    )
    signing = Finding("samba-server-signing", "The server requires signing", "high", "signing", "unknown")
    record = HostRecord(
        "files",
        "192.0.2.1",
        "ssh",
        STARTED,
        [Implementation("samba", "4.17.12", "server", True), Implementation("cifs", "6.1", "client")],
        facts,
        errors=[SectionError("samba.sessions", "smbstatus: Permission denied")],
        labels=("recorded",),
        score=41,
    )
    record.findings = [
        guest,
        signing,
        Finding("samba-wide-links", "No wide links", "high", "share", "fail", "public", exception=waiver, why="yes"),
        Finding("samba-valid-users", "Shares name their users", "medium", "share", "manual", why="a person must look"),
        Finding("samba-null-passwords", "No empty passwords", "high", "authentication", "pass", why="no"),
        Finding("samba-ldap-strong-auth", "LDAP is signed", "high", "domain", "not_applicable", why="no controller"),
    ]
    return record


def report() -> Report:
    """A run of three hosts: one with findings, one silent, one in order."""
    silent = HostRecord("silent", "", "", STARTED, errors=[SectionError("connection", "no route to host")])
    good = HostRecord("good", "192.0.2.2", "ssh", STARTED, score=100)
    hosts = {record.host: record for record in (silent, file_server(), good)}
    run = Run(
        "20261124T001231Z-k3f9",
        STARTED,
        "audit",
        "breakwater.smb 0",
        "2.19.0",
        "recommended",
        Scope("all", tuple(hosts)),
        DataVersions("0"),
        "incomplete",
        "2026-11-24T00:13:00Z",
        {"fail": 2, "unknown": 1, "manual": 1, "pass": 1, "not_applicable": 1, "excepted": 1},
        ("1 hosts were not read (silent), and 0 may go unread",),
    )
    drift = [
        Drift("old", "host", "gone"),
        Drift("files", "fact", "added", "samba.share", "public", None, {"path": "/srv/public", "kind": "disk"}),
        Drift("files", "fact", "changed", "samba.server_signing", "", "mandatory", {"unreadable": "Permission denied"}),
        Drift("files", "verdict", "newly_failing", "samba-guest-ok", "public", "pass", "fail"),
    ]
    counts = {"fail": 1, "unknown": 1, "manual": 1, "pass": 1, "not_applicable": 1, "waived": 1}
    ranking = [
        Ranked("silent", "no route to host", None, {}),
        Ranked("files", None, 41, counts),
        Ranked("good", None, 100, {}),
    ]
    trend = [TrendPoint("20261123T001231Z-aaaa", "", "compliant", {"fail": 1}), TrendPoint(run.id, "", "x", run.counts)]
    return Report(run, Fleet(run.id, "20261123T001231Z-aaaa", True, drift), ranking, hosts.__getitem__, trend, "d")


def check_golden(document: Report, name: str, folder: pathlib.Path) -> None:
    """A format of a report is what the folder's file holds."""
    for _format, path, chunks in render(document, (name,)):
        text = "".join(chunks)
        if name == "html":  # its style, its script and their digests are not what this test is about
            text = re.sub(r"(?s)(<style>|<script>|'sha256-|&#39;sha256-).*?(</style>|</script>|'|&#39;)", r"\1\2", text)
        golden = folder / path
        if os.environ.get("BREAKWATER_UPDATE_GOLDEN") == "1":
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8"), f"{golden} differs; BREAKWATER_UPDATE_GOLDEN=1 rewrites it"


def check_junit_totals(suite: tree.Element) -> None:
    """The totals of a suite are those of its cases."""
    results = [child.tag for case in suite for child in case]
    assert int(suite.get("tests", "")) == len(suite), suite.get("name")
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute, "")) == results.count(tag), suite.get("name")


@pytest.mark.parametrize("name", FORMATS)
def test_report_is_as_it_was(name):
    check_golden(report(), name, GOLDEN)


def test_junit_has_the_form_that_jenkins_reads():
    ((_format, _path, chunks),) = render(report(), ("junit",))
    root = tree.fromstring("".join(chunks).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional = ATTRIBUTES[element.tag]
        assert required <= set(element.keys()) <= required | optional, element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    for suite in root:
        check_junit_totals(suite)
        names = [(case.get("classname"), case.get("name")) for case in suite]
        assert len(set(names)) == len(names)
