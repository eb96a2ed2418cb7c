# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a failing finding to the value that makes it hold: the inverse of the operators really is their inverse."""

from __future__ import annotations

import datetime
import pathlib
import sys
import typing

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.mend import Ground, Question, mended
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.operators import holds
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.targets import targets
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.planning import default_of
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.reading import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import decode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Operator
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import Finding
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Target
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
TODAY = datetime.date(2026, 11, 23)
ROOT = pathlib.Path(__file__).resolve().parents[3] / "plugins" / "plugin_utils" / "_implementations"
CONTROLS = {
    path.stem: decode(Control, yaml.safe_load(path.read_text(encoding="utf-8")))
    for path in sorted(ROOT.glob("*/controls/*.yml"))
}
HOSTS = {
    "cifs": ("7.0", ()),
    "samba": ("4.24.0", ()),
    "windows": ("10.0.20348.2227", ("server-os", "domain-member")),
    "wire": ("", ()),
}
FAILING = [
    pytest.param(control, example, id=f"{control.id}-{number}")
    for control in CONTROLS.values()
    for number, example in enumerate(control.examples, 1)
    if example.verdict == "fail"
]
# Measurements and open questions: nobody knows the value, or nothing can be written.
BEYOND = {
    "samba-hosts-allow",  # which networks
    "samba-valid-users",  # which users
    "win-fw-block-445-inbound-external",
    "win-fw-block-netbios-inbound",
    "win-fw-quic-443-scope",
    "win-unc-hardened-fileservers",  # which servers
    "win-guest-account-renamed",  # to which name
}


def book(facts):
    found = FactSet()
    for fact_id, value in facts.items():
        objects = value if isinstance(value, dict) and fact_id != "host.os" else {"": value}
        for obj, item in objects.items():
            text = item if isinstance(item, str) else ""
            reason = text.removeprefix("unreadable: ") if text.startswith("unreadable: ") else None
            fact = item if isinstance(item, Fact) else Fact(unreadable=reason) if reason else Fact(configured=item)
            found.put(fact_id, fact, str(obj))
    return found


def ask(control, value, facts, host, records=()):
    """Return findings, targets, and findings that nothing mends."""
    settings, selections = catalogue.every_setting(), [Selection(control.id, value)]
    judged = ({control.id: control}, settings, selections)
    findings = assess(facts, [host], *judged, exceptions=records, today=TODAY)
    return findings, *targets(findings, {control.id: control}, selections, facts, settings, [host], default_of)


def example_host(control, example):
    name = control.when.implementation or "samba"
    version, traits = HOSTS[name]
    side = control.when.side or "server"
    return Implementation(name, example.version or version, side, True, example.traits or traits)


@pytest.mark.parametrize(("control", "example"), FAILING)
def test_the_value_of_a_target_makes_its_test_pass(control, example):
    facts, host = book(example.facts), example_host(control, example)
    value = control.values.get(example.profile)
    findings, wanted, _beyond = ask(control, value, facts, host)
    assert any(finding.verdict == "fail" for finding in findings)
    for target in wanted:
        facts.put(target.fact, Fact(configured=target.value), target.at or target.object)
    after, again, beyond = ask(control, value, facts, host)
    assert again == [], "what was put in place fails again"
    failing = [finding for finding in after if finding.verdict == "fail"]
    assert failing == beyond, "it fails still, and not for want of a value"
    if wanted and not failing:
        assert any(finding.verdict == "pass" for finding in after) or all(
            finding.verdict in ("unknown", "not_applicable") for finding in after
        )


def test_which_controls_nothing_mends():
    """A new control without a value that mends it must be looked at by somebody."""
    mended_by_value = {
        control.id
        for control, example in (param.values for param in FAILING)
        if ask(control, control.values.get(example.profile), book(example.facts), example_host(control, example))[1]
    }
    never = {param.values[0].id for param in FAILING} - mended_by_value
    assert never == BEYOND


SAMBA = Implementation("samba", "4.17.12", "server", True, ("standalone",))
WINDOWS = Implementation("windows", "10.0.20348.2227", "server", True, ("server-os", "domain-member"))
WINDOWS_CLIENT = Implementation("windows", "10.0.20348.2227", "client", True, ("server-os", "domain-member"))


def wanted(name, value, facts, host=SAMBA, records=()):
    return ask(CONTROLS[name], value, book(facts), host, records)[1]


@pytest.mark.parametrize(
    ("tests", "today", "ground", "expected"),
    [
        ([("equals", False)], True, Ground(), False),
        ([("one_of", ["mandatory", "required"])], "auto", Ground(), "mandatory"),
        ([("not_equals", "root")], "root", Ground(default="nobody"), "nobody"),
        ([("not_equals", "root")], "root", Ground(default="root"), None),  # the default is no better
        ([("none_of", ["root", "0"])], "root", Ground(default=""), ""),
        ([("none_of", ["root", "0"])], "root", Ground(), None),
        ([("at_most", 10080), ("at_least", 1)], 0, Ground(), 10080),  # the profile's bound, not the other one
        ([("at_most", 10080), ("at_least", 1)], 20000, Ground(), 10080),
        ([("at_least", "SMB2_10")], "NT1", Ground(scale=("NT1", "SMB2_10")), "SMB2_10"),
        ([("at_least", "SMB9")], "NT1", Ground(scale=("NT1", "SMB2_10")), None),  # on no scale
        ([("includes", ["root", "b"])], ["a", "Root"], Ground(), ["a", "Root", "b"]),
        ([("excludes", ["mrxsmb10"]), ("includes", ["nsi"])], ["bowser", "MRxSmb10"], Ground(), ["bowser", "nsi"]),
        ([("excludes", ["bcast"])], ["bcast"], Ground(default=["lmhosts", "bcast"], setting=True), ["lmhosts"]),
        ([("subset_of", ["GCM", "CCM"]), ("includes", ["GCM"])], ["CCM", "X"], Ground(), ["CCM", "GCM"]),
        ([("subset_of", [])], ["a"], Ground(setting=True), []),
        ([("subset_of", ["a", "b"])], ["x"], Ground(default=[], setting=True), []),
        ([("subset_of", ["a", "b"])], ["x"], Ground(default=["x", "b"], setting=True), ["b"]),
        ([("subset_of", ["a", "b"])], ["x"], Ground(default=["x"], setting=True), ["a", "b"]),
        ([("subset_of", ["a", "b"])], ["x"], Ground(), []),  # a measurement: only what is there can go
        ([("is_empty", None)], "/bin/x", Ground(), ""),
        ([("is_empty", None)], ["x"], Ground(), []),
        ([("is_empty", None)], 5, Ground(), None),
        ([("mode_within", "0644")], "0666", Ground(), "0644"),
        ([("mode_within", "0644")], "4755", Ground(), "0644"),
        ([("mode_within", "0644")], "what", Ground(), None),
        ([("not_empty", None)], "", Ground(default="x"), None),
        ([("networks_within", ["LocalSubnet"])], ["any"], Ground(), None),
        ([("at_least", 2)], 3, Ground(), 3),  # written already, and only not in force
    ],
)
def test_inverse(tests, today, ground, expected):
    assert mended([Question(*test) for test in tests], today, ground) == expected


JSON = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab0", max_size=4) | st.lists(st.text("ab", max_size=1))


@hypothesis.settings(deadline=None)
@given(
    st.lists(st.builds(Question, st.sampled_from(typing.get_args(Operator)), JSON), min_size=1, max_size=3),
    JSON,
    st.builds(Ground, JSON, st.lists(st.text("ab", min_size=1), max_size=3).map(tuple), st.booleans()),
)
def test_whatever_comes_out_answers_every_question(questions, today, ground):
    value = mended(questions, today, ground)
    if value is not None:
        assert all(holds(item.operator, value, item.wanted, ground.scale) is True for item in questions)


def test_a_right_stays_with_those_who_log_in():
    """Everyone goes, but whoever has an account still gets in; nobody else is thrown out with it."""
    value = ["S-1-5-32-544", "S-1-5-11"]
    facts = {"windows.right_network_logon": ["S-1-1-0", "S-1-5-32-544", "S-1-5-32-545", "S-1-5-32-551"]}
    (target,) = wanted("win-right-network-logon", value, facts, WINDOWS)
    assert target.value == ["S-1-5-11", "S-1-5-32-544"]


def test_a_share_that_has_the_hosts_value_says_so():
    facts = {
        "samba.share": {"a": {"path": "/a"}, "b": {"path": "/b"}},
        "samba.guest_ok": {"": True, "b": True},
        "samba.guest_only": {"": False},
    }
    found = wanted("samba-guest-ok", False, facts)
    assert [(item.object, item.at, item.value) for item in found] == [("a", "", False), ("b", "b", False)]
    assert {item.fact for item in found} == {"samba.guest_ok"}
    assert found[0] == Target(
        "samba-guest-ok", "samba.guest_ok", False, "a", "", "critical", "guest", CONTROLS["samba-guest-ok"].stage
    )


def test_a_waived_sibling_asks_for_nothing():
    facts = {
        "samba.share": {"a": {"path": "/a"}, "b": {"path": "/b"}},
        "samba.guest_ok": {"": False, "a": True, "b": True},
        "samba.guest_only": {"": False},
    }
    expiry = datetime.date(2027, 1, 1)
    waiver = ExceptionRecord("waiver", "samba-guest-ok", ("h",), "old scanner", "alice", expiry, "a")
    assert [item.object for item in wanted("samba-guest-ok", False, facts, records=(waiver,))] == ["b"]
    expired = ExceptionRecord("waiver", "samba-guest-ok", ("h",), "x", "alice", datetime.date(2026, 1, 1), "a")
    assert [item.object for item in wanted("samba-guest-ok", False, facts, records=(expired,))] == ["a", "b"]


def test_only_failures_ask_for_something():
    unknown = {"samba.server_signing": "unreadable: no"}
    assert wanted("samba-server-signing", ["mandatory"], unknown) == []
    assert wanted("samba-server-signing", ["mandatory"], {"samba.server_signing": "mandatory"}) == []


def test_every_adapter_that_fails_is_a_target():
    facts = {"windows.netbios_options": {"{A}": "disabled", "{B}": "enabled", "{C}": "unreadable: no"}}
    (target,) = wanted("win-netbt-nic-disabled", "disabled", facts, WINDOWS)
    assert (target.object, target.at, target.value) == ("{B}", "{B}", "disabled")


def test_tests_that_are_not_asked_of_this_host_do_not_count():
    """A domain controller keeps the pipes that it needs; a member needs none."""
    facts = {"windows.server_null_session_pipes": ["netlogon", "spoolss"]}
    value = ["netlogon", "samr", "lsarpc"]
    (member,) = wanted("win-null-session-pipes", value, facts, WINDOWS)
    controller = Implementation("windows", "10.0.20348.1", "server", True, ("server-os", "domain-controller"))
    (kept,) = wanted("win-null-session-pipes", value, facts, controller)
    assert (member.value, kept.value) == ([], ["netlogon"])


def test_a_value_that_is_written_and_not_in_force_stays_the_target():
    facts = {
        "windows.smb1_client_driver": Fact(configured="disabled", effective="running", cause="pending reboot"),
        "windows.smb1_pending_reboot": Fact(effective=True),
    }
    (target,) = wanted("win-smb1-client-driver-off", "not started", facts, WINDOWS_CLIENT)
    assert (target.fact, target.value) == ("windows.smb1_client_driver", "disabled")


def test_a_pending_reboot_is_no_value():
    facts = {"windows.smb1_client_driver": "disabled", "windows.smb1_pending_reboot": Fact(effective=True)}
    _findings, found, beyond = ask(CONTROLS["win-smb1-client-driver-off"], "not started", book(facts), WINDOWS_CLIENT)
    assert found == []
    assert [finding.control for finding in beyond] == ["win-smb1-client-driver-off"]
    assert all(isinstance(finding, Finding) for finding in beyond)


def test_the_default_of_this_release_is_what_a_forbidden_value_falls_back_to():
    facts = {"samba.share": {"a": {"path": "/a"}}, "samba.force_user": {"a": "root"}, "samba.force_group": {"a": ""}}
    (target,) = wanted("samba-force-user", "not root", facts)
    assert (target.fact, target.value, target.object) == ("samba.force_user", "", "a")
    nameless = Implementation("samba", "", "server", True, ("standalone",))
    assert wanted("samba-force-user", "not root", facts, nameless) == []


def test_a_default_by_condition_is_the_first_that_holds():
    facts = {"windows.server_smb2": True, "windows.service_mrxsmb20_start": "disabled"}
    found = wanted("win-smb2-server-on", True, facts, WINDOWS)
    assert [(item.fact, item.value) for item in found] == [("windows.service_mrxsmb20_start", "manual")]


def targets_of(facts, parts, controls, settings, selections):
    findings = assess(facts, parts, controls, settings, selections, today=TODAY)
    return targets(findings, controls, selections, facts, settings, parts, default_of)[0]


@pytest.mark.parametrize("profile", ["recommended", "strict", "microsoft"])
def test_whole_hosts_ask_for_nothing_once_they_have_it(profile):
    """No two controls pull one value to and fro: what all targets of a recorded host ask for satisfies them all."""
    from tests.lab.windows import record

    inputs, settings, controls = load_inputs(profile, None), catalogue.every_setting(), catalogue.controls()
    asked = 0
    for name, user in record.recordings():
        if name == "ws2022-constrained":
            continue
        answer = record.output(record.read(name, user), "abc123")
        collected = windows.read_answer(answer.stdout.decode("ascii"), answer.stderr.decode(), answer.rc, "abc123")
        reading = read(collected, TODAY)
        facts, parts = reading.facts, reading.implementations
        selections = inputs.selections_for(facts, parts)

        asking = (facts, parts, controls, settings, selections)
        found = targets_of(*asking)
        asked += len(found)
        for target in found:
            facts.put(target.fact, Fact(configured=target.value), target.at)
        assert targets_of(*asking) == [], name
    assert asked > 500


@pytest.mark.parametrize("today", [0, 99999])
def test_of_two_bounds_the_profiles_is_taken(today):
    (target,) = wanted("samba-deadtime", 15, {"samba.deadtime": today})
    assert target.value == 15
