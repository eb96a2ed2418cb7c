# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit makes of the probes of its run, and which events on a host those have caused."""

from __future__ import annotations

import dataclasses
import datetime
import json

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.audit import audit
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.looking import heard, look, own_clients
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import Unreachable
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import HostRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir
from ansible_collections.breakwater.smb.plugins.plugin_utils._store.probes import Log

from .conftest import FakeHost, subject

FAMILIES = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
SAME = "wire-same-as-on-the-host"


def document(target="10.0.0.1", address="10.0.0.1", taken=FAMILIES, **more):
    dialects = {name: {"answer": "accepted" if name in taken else "refused"} for name in FAMILIES}
    port = {"state": "open", "dialects": dialects, "signing": {"answer": "not_required"}}
    identity = {"name": "samba", "version": "4.17", "evidence": []}
    found = {"target": target, "address": address, "started": "2026-11-25T00:00:00Z", "source": "10.0.0.9"}
    return {**found, "smb1_attempts": [], "ports": {"445/tcp": port}, "implementation": identity, **more}


def probed(run, *documents, vantage="ctl", whole=True):
    with Log(run, vantage, {"started": "2026-11-25T00:00:00Z"}) as log:
        for one in documents:
            log.answer(one)
        if whole:
            log.end({"ended": "2026-11-25T00:00:01Z"})
    return run


def record(address="10.0.0.1"):
    return HostRecord(host="a", address=address, connection="ssh", collected="2026-11-25T00:00:00Z")


def test_only_what_is_about_the_host_is_heard(open_a_run):
    about = [document(), document("web", "10.0.0.2"), document("10.0.0.11", "10.0.0.11")]
    run = probed(open_a_run(), *about)
    assert [one["address"] for one in heard(run, "ctl", {"10.0.0.1", "a"}).documents] == ["10.0.0.1"]
    assert [one["address"] for one in heard(run, "ctl", {"web"}).documents] == ["10.0.0.2"]
    assert heard(run, "ctl", {"10.0.0.3"}).failed == "it was not asked about this host"
    assert "failed, or was broken off" in heard(run, "far", {"10.0.0.1"}).failed


def test_lines_that_are_broken_or_strange_are_passed_over(open_a_run):
    run = probed(open_a_run(), document())
    with Log.place(run, "ctl").open("a", encoding="utf-8") as file:
        file.write('{"target": "10.0.0.1", "addr\n["10.0.0.1"]\n')
    assert len(heard(run, "ctl", {"10.0.0.1"}).documents) == 1


def test_a_name_that_leads_nowhere_is_why(open_a_run):
    run = probed(open_a_run(), document("a", "", ports={}, reason="the name cannot be resolved"))
    assert heard(run, "ctl", {"a"}).failed == "the name cannot be resolved"


def test_without_a_run_or_a_vantage_nobody_looks(open_a_run):
    assert heard(None, "ctl", {"a"}).failed
    untouched = record()
    look(untouched, open_a_run(), ())
    assert not untouched.facts.by_id


def test_a_host_that_cannot_be_reached_is_judged_by_the_wire_alone(context, open_a_run):
    run = probed(open_a_run(), document(taken=("NT LM 0.12",)))

    def execute(command, stdin):
        raise Unreachable("Cannot connect", seen="timed out", remedy="look")

    request = dataclasses.replace(subject(run), address="10.0.0.1", vantages=("ctl",))
    answer = audit(request, context, execute)
    assert "wire-smb1-refused" in answer["failing"]
    written = rundir.read_host(run, "a")
    assert any("Cannot connect" in error.reason for error in written.errors)
    assert written.facts.get("wire.smb1", "10.0.0.1 445/tcp").wire is True


def test_a_host_that_answers_has_its_third_truth(context, open_a_run):
    run = probed(open_a_run(), document(taken=("3.1.1",)))
    request = dataclasses.replace(subject(run), address="10.0.0.1", vantages=("ctl",))
    answer = audit(request, context, FakeHost(before="smb1").execute)
    assert SAME in answer["failing"]
    assert (
        SAME
        not in audit(dataclasses.replace(request, vantages=()), context, FakeHost(before="smb1").execute)["failing"]
    )
    assert (
        SAME
        in audit(dataclasses.replace(request, vantages=("far",)), context, FakeHost(before="smb1").execute)["unknown"]
    )


@pytest.mark.parametrize(
    ("count", "client", "mine"), [(1, "10.0.0.9", True), (2, "10.0.0.9", False), (1, "10.0.0.8", False)]
)
def test_events_that_our_own_probe_caused_are_told_from_others(context, open_a_run, count, client, mine):
    when = context.now().astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    attempt = {"time": when, "source": "10.0.0.9", "port": 50000}
    probed(open_a_run(), document(smb1_attempts=[attempt]))
    host = record()
    host.facts.put("usage.audit_since", Fact(effective="2026-11-01T00:00:00Z"))
    host.facts.put("usage.smb1_client", Fact(effective={"count": count, "last": when}), client)
    assert own_clients(host, context) == (frozenset({client}) if mine else frozenset())
    assert own_clients(record(), context) == frozenset()


def test_a_host_that_was_asked_by_name_is_known_by_what_it_listens_on(context, open_a_run):
    when = context.now().astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    probed(open_a_run(), document("a", smb1_attempts=[{"time": when, "source": "10.0.0.9", "port": 5}]))
    host = record("a.example")
    host.facts.put("host.listener", Fact(effective={"address": "10.0.0.1", "port": 139}), "tcp/10.0.0.1:139")
    host.facts.put("usage.audit_since", Fact(effective="2026-11-01T00:00:00Z"))
    host.facts.put("usage.smb1_client", Fact(effective={"count": 1, "last": when}), "10.0.0.9")
    assert own_clients(host, context) == frozenset({"10.0.0.9"})


def test_the_file_is_what_the_tests_believe(open_a_run):
    run = probed(open_a_run(), document(), whole=False)
    lines = [json.loads(line) for line in Log.place(run, "ctl").read_text(encoding="utf-8").splitlines()]
    assert [sorted({"schema", "target"} & line.keys()) for line in lines] == [["schema"], ["target"]]


def test_a_file_that_was_cut_off_inside_a_character_is_read(open_a_run):
    run = probed(open_a_run(), document(), whole=False)
    with Log.place(run, "ctl").open("ab") as file:
        file.write('{"target": "10.0.0.1", "reason": "ü'.encode()[:-1])
    assert len(heard(run, "ctl", {"10.0.0.1"}).documents) == 1


def test_another_name_of_the_host_may_have_been_asked(open_a_run):
    run = probed(open_a_run(), document("files.example", "127.0.0.1", taken=("3.1.1",)))
    other = record("localhost")
    look(other, run, ("ctl",))
    assert other.facts.get("wire.look", "ctl").unreadable is None
