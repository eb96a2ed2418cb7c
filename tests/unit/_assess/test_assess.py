# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import exceptions, profiles
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.score import score
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet

TODAY = datetime.date(2026, 11, 23)
SERVER = Implementation("samba", "4.17.12", "server", True, ("standalone",))


def judge(control, facts, value, implementations=(SERVER,), records=()):
    book = FactSet()
    for fact_id, objects in facts.items():
        for obj, fact in objects.items():
            book.put(fact_id, fact, obj)
    controls = {control: catalogue.controls()[control]}
    return assess(
        book,
        implementations,
        controls,
        catalogue.settings("samba"),
        [Selection(control, value)],
        exceptions=records,
        today=TODAY,
    )


def guest(**shares):
    return {
        "samba.share": {name: Fact(configured={"path": "/srv"}) for name in shares},
        "samba.guest_ok": {
            "": Fact(configured=False),
            **{name: fact for name, fact in shares.items() if fact is not None},
        },
        "samba.guest_only": {"": Fact(configured=False)},
    }


def test_a_share_without_its_own_value_has_the_hosts():
    (finding,) = judge("samba-guest-ok", guest(a=None, b=None), False)
    assert (finding.verdict, finding.object) == ("pass", "")


def test_each_failing_share_is_a_finding_of_its_own():
    findings = judge("samba-guest-ok", guest(a=None, b=Fact(configured=True), c=Fact(unreadable="no")), False)
    assert [(item.object, item.verdict) for item in findings] == [("b", "fail"), ("c", "unknown")]


def test_nothing_observed_is_never_a_pass():
    (finding,) = judge("samba-server-signing", {}, ["mandatory"])
    assert finding.verdict == "unknown"
    assert "was not observed" in finding.why


def test_absent_implementation_gives_no_finding():
    assert judge("samba-server-signing", {}, ["mandatory"], implementations=()) == []


def test_every_truth_must_hold():
    fact = Fact(configured="mandatory", wire="if_required")
    (finding,) = judge("samba-server-signing", {"samba.server_signing": {"": fact}}, ["mandatory"])
    assert (finding.verdict, finding.cause) == ("fail", "the truths differ")


def test_configuration_not_loaded_is_the_cause():
    facts = {
        "samba.server_signing": {"": Fact(configured="default")},
        "samba.config_loaded": {"": Fact(effective=False)},
    }
    (finding,) = judge("samba-server-signing", facts, ["mandatory"])
    assert "override its configuration" in finding.cause


def waiver(**changes):
    return ExceptionRecord(
        **{
            "kind": "waiver",
            "control": "samba-server-signing",
            "hosts": ("*",),
            "reason": "r",
            "owner": "o",
            "expires": TODAY,
            **changes,
        }
    )


def test_waiver_marks_and_does_not_hide():
    facts = {"samba.server_signing": {"": Fact(configured="default")}}
    (finding,) = judge("samba-server-signing", facts, ["mandatory"], records=[waiver()])
    assert finding.verdict == "fail"
    assert finding.exception.days_left == 0
    assert not finding.counts_against


def test_expired_waiver_counts_again_and_says_so():
    facts = {"samba.server_signing": {"": Fact(configured="default")}}
    expired = waiver(expires=TODAY - datetime.timedelta(days=1))
    (finding,) = judge("samba-server-signing", facts, ["mandatory"], records=[expired])
    assert finding.counts_against
    assert "expired on 2026-11-22" in finding.why


def test_score_counts_unknown_as_not_held():
    findings = judge("samba-server-signing", {}, ["mandatory"])
    assert score(findings) == 0
    assert score([]) is None


GOOD = """
exceptions:
  - kind: waiver
    control: samba-guest-ok
    hosts: [nas*, printers]
    object: public
    reason: kiosk
    owner: alice
    expires: 2027-01-31
"""


def write(tmp_path, text):
    path = tmp_path / "exceptions.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_exceptions_file(tmp_path):
    records = exceptions.load_exceptions(write(tmp_path, GOOD), catalogue.controls())
    assert [record.control for record in exceptions.covering(records, "nas01", ())] == ["samba-guest-ok"]
    assert exceptions.covering(records, "web", ("printers",))
    assert not exceptions.covering(records, "web", ("webservers",))
    assert records[0].where.endswith(":3")


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("samba-guest-ok", "samba-guest"), 3, "did you mean"),
        (("kind: waiver", "kind: pardon"), 3, "expected one of waiver"),
        (("    reason: kiosk\n", ""), 3, "reason: is missing"),
        (("    expires: 2027-01-31\n", ""), 3, "a waiver without expires"),
        (("2027-01-31", "soon"), 3, "expected a date"),
        (("owner: alice", "owner: alice\n    owner: bob"), 9, "stands twice"),
        (("[nas*, printers]", "[nas*, printers"), 6, "expected ',' or ']'"),
        (("exceptions:", "waivers:"), 2, "unknown key 'waivers'"),
        (("reason: kiosk", "reason: &a kiosk\n    ticket: *a"), 8, "aliases are not allowed"),
    ],
)
def test_malformed_exceptions_name_file_and_line(tmp_path, change, line, words):
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(BadInput) as caught:
        exceptions.load_exceptions(path, catalogue.controls())
    assert f"{path}:{line}" in str(caught.value)
    assert words in str(caught.value)


def test_profiles(tmp_path):
    assert load_inputs("strict", None).selections_for(FactSet())
    with pytest.raises(BadInput, match="did you mean 'recommended'"):
        load_inputs("recomended", None)
    own = tmp_path / "mine.yml"
    own.write_text(
        "id: mine\ntitle: Mine\nextends: true\nrules:\n  - {control: samba-deadtime, value: 30}\nexclude: [samba-guest-ok]\n",
        encoding="utf-8",
    )
    chosen = {item.control: item for item in load_inputs(str(own), None).selections_for(FactSet())}
    assert chosen["samba-deadtime"].value == 30
    assert "samba-guest-ok" not in chosen
    own.write_text("id: mine\ntitle: Mine\nrules:\n  - {control: samba-ntlm-auth, value: never}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="'never' is no value of 'ntlm auth'"):
        load_inputs(str(own), None)
    own.write_text("id: mine\ntitel: Mine\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine.yml:2\): titel: unknown key"):
        load_inputs(str(own), None)


def test_benchmark_file_fits_the_host():
    inputs = load_inputs("cis", None)
    facts = FactSet()
    facts.put("host.os", Fact(configured={"id": "debian", "id_like": [], "version": "12"}))
    assert [item.rules for item in inputs.selections_for(facts)] == [("cis-debian-12: 2.1.14",)]
    facts.put("host.os", Fact(configured={"id": "alpine", "id_like": [], "version": "3.20"}))
    with pytest.raises(BadInput, match="No profile fits"):
        inputs.selections_for(facts)
    with pytest.raises(BadInput, match="no stig file"):
        profiles.load("stig", {}, catalogue.controls())


def test_every_profile_selects_known_values():
    for name in profiles.BUILT_IN:
        assert len(load_inputs(name, None).selections_for(FactSet())) >= 30, name


@pytest.mark.parametrize(
    ("known", "verdict"),
    [({"a": "dhcp"}, "fail"), ({"a": "disabled"}, "unknown"), ({}, "unknown")],
)
def test_objects_that_could_not_be_listed_hide_no_failure_and_let_nothing_pass(known, verdict):
    facts = {name: Fact(configured=value) for name, value in known.items()}
    facts[""] = Fact(unreadable="access denied")
    host = Implementation("windows", "10.0.20348.1", "server", True, ("server-os", "standalone"))
    (finding,) = judge("win-netbt-nic-disabled", {"windows.netbios_options": facts}, "disabled", (host,))
    assert finding.verdict == verdict
