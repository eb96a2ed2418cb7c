# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real hosts, remediated and rolled back as a user would: what is told, what is done, what is left, what it costs."""

from __future__ import annotations

import pathlib
import re
import time
from collections.abc import Mapping

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import made, play
from tests.lab.story import PLAYBOOK, Step, check_again, check_plan, differing, tell

INSECURE = ("smb1", "guest", "defaults", "registry", "included")
HOSTS = (*INSECURE, "hardened")
# A port that smbd lets go of when it is started anew, and a service that only systemd could be told to stop.
LEFT = {"samba-transports": "medium", "samba-nmbd-disabled": "medium"}
INCLUDED = """# The site's own file.
[global]
    ; signing was never looked at
    workgroup = PORT
    include = /etc/samba/site.conf

[files]
    path = /srv/files
"""
SITE = """[global]
\tserver min protocol=NT1
    map to guest = bad \\
        user
[scans]
    path = /srv/scans
    public = yes
"""


@pytest.fixture(scope="module")
def hosts():
    samba_host.require()
    with fleet.fleet() as running, fleet.fleet(("smb1", "defaults")) as more:
        samba_host.registry_backed(more["smb1"])
        (more["defaults"].directory / "etc-samba" / "site.conf").write_text(SITE, encoding="utf-8")
        (more["defaults"].directory / "etc-samba" / "site.conf").chmod(0o640)
        samba_host.write(more["defaults"], INCLUDED)
        yield {**running, "registry": more["smb1"], "included": more["defaults"]}


def one_step(name: str, hosts: Mapping[str, fleet.Host], folder: pathlib.Path, *arguments: str) -> Step:
    before = {one: host.executions() for one, host in hosts.items()}
    played = play(PLAYBOOK.get(name, name), samba_host.inventory(hosts), folder, *arguments)
    time.sleep(0.3)  # sshd writes its log when it likes
    return Step(
        played,
        played.run,
        {one: played.host(one) for one in hosts},
        {one: host.executions() - before[one] for one, host in hosts.items()},
        {one: samba_host.configuration(host) for one, host in hosts.items()},
    )


@pytest.fixture(scope="module")
def story(hosts, tmp_path_factory) -> dict[str, Step]:
    """The whole of it once for all hosts."""
    folder = tmp_path_factory.mktemp("story")
    return tell(lambda name, *arguments: one_step(name, hosts, folder, *arguments))


def test_the_hosts_are_what_they_should_be_to_begin_with(story):
    """Else the rest proves nothing: every insecure host fails something of severity high or worse."""
    for name in INSECURE:
        assert {"high", "critical"} & set(story["audit"].open(name).values()), name
    assert story["audit"].open("hardened") == {}
    assert story["audit"].played.code == 2


@pytest.mark.parametrize("name", INSECURE)
def test_after_it_the_audit_passes(story, name):
    assert story["after"].open(name) == LEFT
    remediation = story["remediate"].records[name]["remediation"]
    assert "restart of smbd" in remediation["pending"]
    assert {one["control"] for one in remediation["blocked"]} == {"samba-nmbd-disabled"}
    assert story["after"].played.code == 0, story["after"].played.output
    assert story["after"].run["verdict"] == "compliant"


def test_the_run_that_changed_says_the_same_as_the_audit_after_it(story):
    """It collected again: its verdicts are of what is now, not of what was hoped for."""
    for name in HOSTS:
        assert story["remediate"].open(name) == story["after"].open(name), name
        before = story["remediate"].records[name]["remediation"].get("counts_before", {}).get("fail", 0)
        assert before == sum(f["verdict"] == "fail" for f in story["audit"].records[name]["findings"]), name
    assert story["remediate"].played.code == 0, story["remediate"].played.output


@pytest.mark.parametrize("name", INSECURE)
def test_check_listed_exactly_what_was_done(story, name):
    check_plan(story, name)
    for _control, _object, _address, before, after in made(story["check"].records[name]):
        assert before != after


def test_diff_shows_native_values(story):
    output = story["check"].played.output
    assert re.search(r"^-.*NT1", output, re.MULTILINE), output
    assert re.search(r"^\+.*SMB2_10", output, re.MULTILINE), output


EXPECTED = {
    "smb1": {
        ("samba-server-min-protocol", "/etc/samba/smb.conf:7 [global] server min protocol", "NT1", "SMB2_10"),
        ("samba-server-signing", "/etc/samba/smb.conf [global] server signing", None, "mandatory"),
    },
    "guest": {
        ("samba-guest-ok", "/etc/samba/shares.conf:7 [public] guest ok", "yes", "no"),
        ("samba-map-to-guest", "/etc/samba/smb.conf:7 [global] map to guest", "Bad User", "Never"),
    },
    "included": {
        ("samba-server-min-protocol", "/etc/samba/site.conf:2 [global] server min protocol", "NT1", "SMB2_10")
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_person_would_have_changed_is_changed_where_it_stands(story, name):
    planned = made(story["check"].records[name])
    assert EXPECTED[name] - {(control, *rest) for control, _object, *rest in planned} == set()


def test_what_the_editor_has_no_business_with_stays(story, hosts):
    """Comments, order, layout, owner and mode survive, and no temporary file is left behind."""
    for name in HOSTS:
        before, after = story["audit"].states[name], story["remediate"].states[name]
        assert before.keys() == after.keys(), name
        for path, (_content, mode, user, group) in before.items():
            assert after[path][1:] == (mode, user, group), (name, path)
    assert story["remediate"].states["hardened"] == story["audit"].states["hardened"]
    for name in ("smb1", "guest", "included"):
        assert story["remediate"].states[name] != story["audit"].states[name]
    registry = story["remediate"].states["registry"]
    assert registry["smb.conf"] == story["audit"].states["registry"]["smb.conf"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_second_time_changes_nothing(story, name):
    check_again(story, name)
    assert story["again"].open(name) == story["after"].open(name)


@pytest.mark.parametrize("name", HOSTS)
def test_rollback_restores_every_byte_and_every_finding(story, name):
    assert story["rollback"].states[name] == story["audit"].states[name]
    facts, findings = samba_host.steady(story["restored"].records[name])
    facts_before, findings_before = samba_host.steady(story["audit"].records[name])
    assert differing(facts, facts_before) == set()
    assert findings == findings_before
    assert story["rollback"].changed(name) == int(name != "hardened"), story["rollback"].played.output


def test_executions_counted_by_sshd(story):
    """One to look, two to change and prove it, one to undo; the connection's own business is none of these."""
    nothing = dict.fromkeys(HOSTS, 1)
    assert story["audit"].executions == nothing
    assert story["check"].executions == nothing
    assert story["remediate"].executions == {**dict.fromkeys(INSECURE, 2), "hardened": 1}
    assert story["again"].executions == nothing
    assert story["rollback"].executions == {**dict.fromkeys(INSECURE, 1), "hardened": 0}


def test_the_journal_lies_on_both_sides_and_is_nobody_elses_business(story, hosts):
    run = story["remediate"].run["id"]
    results = story["remediate"].played.results
    for name in INSECURE:
        journal = results / run / "journal" / f"{name}.jsonl"
        assert journal.stat().st_mode & 0o077 == 0
        assert journal.stat().st_size > 0
        state = hosts[name].directory / "var-lib-breakwater"
        assert state.stat().st_mode & 0o077 == 0, name
        found = [path for path in state.rglob("*") if path.is_file()]
        assert any(run in str(path) for path in found), (name, found)
        assert [path for path in state.rglob("*") if path.stat().st_mode & 0o077] == [], name
    assert not (results / run / "journal" / "hardened.jsonl").exists()


def test_rolling_back_what_was_rolled_back_does_nothing(story, hosts, tmp_path_factory):
    some = {name: hosts[name] for name in ("smb1", "registry")}
    folder = story["rollback"].played.results.parent
    step = one_step("rollback", some, folder, "-e", f"breakwater_journal={story['remediate'].run['id']}")
    for name in some:
        assert step.changed(name) == 0, step.played.output
        assert step.states[name] == story["audit"].states[name]


def test_what_was_rolled_back_can_be_rolled_forward_again(story, hosts):
    """A rollback is a change with a journal of its own."""
    some = {"guest": hosts["guest"]}
    folder = story["rollback"].played.results.parent
    step = one_step("rollback", some, folder, "-e", f"breakwater_journal={story['rollback'].run['id']}")
    assert step.changed("guest") == 1, step.played.output
    assert step.states["guest"] == story["remediate"].states["guest"]
    back = one_step("rollback", some, folder, "-e", f"breakwater_journal={step.run['id']}")
    assert back.states["guest"] == story["audit"].states["guest"]
