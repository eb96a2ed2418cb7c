# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark profiles of Windows: which file fits which host, and what a few dozen rules mean, written by hand."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import importlib.util
import pathlib
import re
from collections import Counter

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import profiles
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.check import check_profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows import values
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import When, holds

ROOT = pathlib.Path(__file__).resolve().parents[3]
SHIPPED = catalogue.profiles()
WINDOWS = {name: profile for name, profile in SHIPPED.items() if profile.when.implementation == "windows"}
SERVER_BUILDS = {
    "2008-r2": "6.1.7601",
    "2012": "6.2.9200",
    "2012-r2": "6.3.9600.21620",
    "2016": "10.0.14393.7699",
    "2019": "10.0.17763.6893",
    "2022": "10.0.20348.2227",
    "2025": "10.0.26100.2894",
}
CLIENT_BUILDS = {
    "7": "6.1.7601",
    "8.1": "6.3.9600.21620",
    "10-21h2": "10.0.19044.5371",
    "10-22h2": "10.0.19045.5371",
    "11-22h2": "10.0.22621.4751",
    "11-23h2": "10.0.22631.4751",
    "11-24h2": "10.0.26100.2894",
    "11-25h2": "10.0.26200.6584",
}


def server(version, role):
    traits = ("server-os", role) if role else ("server-os",)
    system = {"id": "windows-server", "id_like": ["windows"], "version": version, "family": "windows"}
    return host(system, SERVER_BUILDS[version], traits)


def client(version, edition="enterprise", role="domain-member"):
    like = ["windows-client", f"windows-{version.split('-')[0]}"]
    system = {"id": "windows", "id_like": like, "version": version, "family": "windows"}
    return host(system, CLIENT_BUILDS[version], ("workstation", role, edition))


def host(system, build, traits):
    facts = FactSet()
    facts.put("host.os", Fact(configured=system))
    return facts, [Implementation("windows", build, role, True, traits) for role in ("server", "client")]


def fitting(family, facts, implementations=()):
    candidates = profiles.load(family, SHIPPED, catalogue.controls())
    return [item.id.removeprefix(f"{family}-") for item in profiles.fitting(candidates, facts, implementations)]


@pytest.mark.parametrize(
    ("found", "cis", "stig", "baseline"),
    [
        (server("2025", "domain-controller"), "2025-1.0.0-dc", "2025-dc", "2025-2602-dc"),
        (server("2025", "domain-member"), "2025-1.0.0-member", "2025-member", "2025-2602-member"),
        (server("2025", "standalone"), "2025-1.0.0-member", "2025-member", "2025-2602-member"),
        (server("2022", "domain-controller"), "2022-4.0.0-dc", "2022-dc", "2022-21h2-dc"),
        (server("2022", "domain-member"), "2022-4.0.0-member", "2022-member", "2022-21h2-member"),
        (server("2019", "domain-controller"), "2019-4.0.0-dc", "2019-dc", None),
        (server("2019", "standalone"), "2019-4.0.0-member", "2019-member", None),
        (server("2016", "domain-controller"), "2016-3.0.0-dc", "2016-dc", None),
        (server("2016", "domain-member"), "2016-3.0.0-member", "2016-member", None),
        (server("2012-r2", "domain-member"), "2012-r2-3.0.0-member", None, None),
        (server("2012", "domain-controller"), "2012-3.0.0-dc", None, None),
        (server("2008-r2", "domain-member"), None, None, None),
        (server("2022", None), None, None, None),
    ],
)
def test_a_server_gets_the_file_of_its_release_and_role(found, cis, stig, baseline):
    for family, name in (("cis", cis), ("stig", stig), ("microsoft-baseline", baseline)):
        assert fitting(family, *found) == ([f"windows-server-{name}"] if name else []), family


@pytest.mark.parametrize(
    ("found", "cis", "stig", "baseline"),
    [
        (client("11-25h2"), "11-24h2-4.0.0", "11", "11-25h2"),
        (client("11-24h2"), "11-24h2-4.0.0", "11", "11-24h2"),
        (client("11-24h2", "pro", "standalone"), "11-24h2-4.0.0", "11", "11-24h2"),
        (client("11-24h2", "home", "standalone"), None, None, None),
        (client("11-23h2"), "11-23h2-3.0.0", "11", "11-23h2"),
        (client("11-22h2"), "11-23h2-3.0.0", "11", None),
        (client("10-22h2"), "10-22h2-3.0.0", "10", "10-22h2"),
        (client("10-22h2", "home"), None, None, None),
        (client("10-21h2"), "10-22h2-3.0.0", "10", None),
        (client("8.1"), None, None, None),
        (client("7"), None, None, None),
    ],
)
def test_a_client_gets_the_file_of_its_release_and_edition(found, cis, stig, baseline):
    for family, name in (("cis", cis), ("stig", stig), ("microsoft-baseline", baseline)):
        assert fitting(family, *found) == ([f"windows-{name}"] if name else []), family


@pytest.mark.parametrize("family", profiles.FAMILIES)
def test_a_host_that_no_file_fits_is_refused(family):
    inputs = load_inputs(family, None)
    facts, found = server("2022", "domain-member")
    assert inputs.selections_for(facts, found)
    for broken in (
        server("2008-r2", "domain-member"),
        server("2022", None),
        client("7"),
        (facts, []),
        (FactSet(), found),
    ):
        with pytest.raises(BadInput, match="No profile fits the host"):
            inputs.selections_for(*broken)


def test_a_file_that_is_named_still_has_to_fit():
    inputs = load_inputs("cis-windows-server-2022-4.0.0-member", None)
    assert inputs.selections_for(*server("2022", "standalone"))
    for other in (server("2022", "domain-controller"), server("2019", "standalone"), client("11-24h2")):
        with pytest.raises(BadInput, match="No profile fits the host"):
            inputs.selections_for(*other)


def test_what_fits_a_linux_host_is_as_it_was():
    facts = FactSet()
    facts.put("host.os", Fact(configured={"id": "debian", "id_like": [], "version": "12"}))
    samba = [Implementation("samba", "4.17.12", "server", True, ("standalone",))]
    assert fitting("cis", facts, samba) == fitting("cis", facts) == ["debian-12"]
    for family in ("stig", "microsoft-baseline"):
        with pytest.raises(BadInput, match="No profile fits the host"):
            load_inputs(family, None).selections_for(facts, samba)


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        (When(), True),
        (When("windows"), True),
        (When("samba"), False),
        (When("windows", version=">=10.0.20348"), True),
        (When("windows", version=">=10.0.26100"), False),
        (When("windows", trait=("domain-controller", "domain-member")), True),
        (When("windows", trait=("domain-controller",)), False),
        (When("windows", without=("cluster",)), True),
        (When("windows", without=("domain-member",)), False),
        (When("windows", side="client", os=("windows-server-2022",)), True),
        (When("windows", os=("windows-11",)), False),
        (When(os=("windows-server-2022",)), True),
    ],
)
def test_a_profile_of_ones_own_may_ask_for_implementation_version_role_and_system(when, fits):
    facts, found = server("2022", "domain-member")
    assert bool(profiles.fitting([Profile("mine", "Mine", when=when)], facts, found)) is fits


def test_an_unknown_version_fits_no_range():
    facts, _found = server("2022", "domain-member")
    unknown = [Implementation("windows", "", "server", True, ("server-os",))]
    for text in (">=6.1", "<99"):
        mine = [Profile("mine", "Mine", when=When("windows", version=text))]
        assert profiles.fitting(mine, facts, unknown) == []


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("{implementation: windows, trait: [domain_controller]}", "'domain_controller' is no trait of windows"),
        ("{implementation: windows, without: [DC]}", "'DC' is no trait of windows"),
        ("{implementation: windows, version: newest}", "is not a version condition"),
        ("{trait: [domain-controller]}", "without an implementation would be ignored"),
    ],
)
def test_a_condition_that_would_silently_hold_or_not_is_refused(tmp_path, when, words):
    own = tmp_path / "mine.yml"
    rule = "rules: [{control: win-smb-server-signing-required}]"
    own.write_text(f"id: mine\ntitle: Mine\nwhen: {when}\n{rule}\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_inputs(str(own), None)
    assert words in str(caught.value)


def test_every_rule_names_a_control_and_a_value_that_the_setting_has():
    assert len(WINDOWS) == 33
    for profile in WINDOWS.values():
        assert not check_profile(profile, catalogue.controls(), catalogue.every_setting()), profile.id
        assert len(profile.rules) >= 40, profile.id
        assert not profile.extends
        for rule in profile.rules:
            control = catalogue.controls()[rule.control]
            assert control.when.implementation == "windows", (profile.id, rule.control)


def test_no_rule_stands_twice():
    """One rule of a benchmark may be two controls (both hardened paths), and one control several rules (per network)."""
    for profile in WINDOWS.values():
        pairs = Counter((rule.rule, rule.control) for rule in profile.rules)
        assert [pair for pair, times in pairs.items() if times > 1] == [], profile.id
        answers: dict[str, set[str]] = {}
        for rule in profile.rules:
            answers.setdefault(rule.rule.split(" ")[0], set()).add(rule.control)
        several = {frozenset(controls) for name, controls in answers.items() if name and len(controls) > 1}
        assert several <= SHARED, profile.id


SHARED = {frozenset({"win-unc-hardened-netlogon", "win-unc-hardened-sysvol"})}


def test_no_rule_asks_what_the_hosts_of_its_file_never_are():
    """A control that its file's hosts always fail to be (a server, a member) would answer the rule with not_applicable."""
    for profile in WINDOWS.values():
        roles = profile.when.trait or ("standalone", "domain-member")
        kinds = ("workstation", "enterprise") if "home" in profile.when.without else ("server-os",)
        for rule in profile.rules:
            when = dataclasses.replace(catalogue.controls()[rule.control].when, version=None)
            assert any(holds(when, "", (*kinds, role)) for role in roles), (profile.id, rule.rule, rule.control)


def test_two_rules_of_one_control_ask_for_the_same():
    for profile in WINDOWS.values():
        values: dict[str, list[object]] = {}
        for rule in profile.rules:
            values.setdefault(rule.control, []).append(rule.value)
        for control, asked in values.items():
            assert all(value == asked[0] for value in asked), (profile.id, control)


ANCHORS = """
cis-windows-server-2025-1.0.0-member 2.3.8.1 win-smb-client-signing-required
cis-windows-server-2025-1.0.0-member 18.6.7.4 win-smb-server-mailslots-off
cis-windows-server-2025-1.0.0-member 18.6.7.5 win-smb-server-dialect-min
cis-windows-server-2025-1.0.0-member 18.6.7.6 win-smb-auth-rate-delay
cis-windows-server-2025-1.0.0-member 18.6.8.4 win-smb-auth-rate-limiter
cis-windows-server-2025-1.0.0-member 18.6.8.5 win-smb-client-no-insecure-guest
cis-windows-server-2025-1.0.0-member 18.6.8.6 win-smb-client-mailslots-off
cis-windows-server-2025-1.0.0-member 18.6.8.7 win-smb-client-dialect-min
cis-windows-server-2025-1.0.0-dc 18.6.8.8 win-smb-client-require-encryption
cis-windows-server-2025-1.0.0-dc 2.3.11.13 win-ntlm-audit-domain
cis-windows-server-2025-1.0.0-dc 2.3.5.2 win-netlogon-no-vulnerable-channel
cis-windows-server-2022-4.0.0-member 2.3.8.1 win-smb-client-signing-required
cis-windows-server-2022-4.0.0-member 2.3.9.2 win-smb-server-signing-required
cis-windows-server-2022-4.0.0-member 2.3.9.5 win-smb-server-spn-validation
cis-windows-server-2022-4.0.0-member 2.2.3 win-right-network-logon
cis-windows-server-2022-4.0.0-member 2.2.22 win-right-deny-network-logon
cis-windows-server-2022-4.0.0-member 2.3.10.7 win-null-session-pipes
cis-windows-server-2022-4.0.0-member 2.3.11.10 win-ntlm-min-client-sec
cis-windows-server-2022-4.0.0-member 5.2 win-spooler-disabled
cis-windows-server-2022-4.0.0-member 18.4.2 win-smb1-client-driver-off
cis-windows-server-2022-4.0.0-member 18.4.3 win-smb1-server-off
cis-windows-server-2022-4.0.0-member 18.6.7.1 win-smb-server-dialect-min
cis-windows-server-2022-4.0.0-member 18.6.8.2 win-smb-client-require-encryption
cis-windows-server-2022-4.0.0-dc 2.2.2 win-right-network-logon
cis-windows-server-2022-4.0.0-dc 2.2.21 win-right-deny-network-logon
cis-windows-server-2022-4.0.0-dc 2.3.10.6 win-null-session-pipes
cis-windows-server-2022-4.0.0-dc 5.1 win-spooler-disabled
cis-windows-server-2019-4.0.0-member 2.3.11.9 win-ntlm-min-client-sec
cis-windows-server-2019-4.0.0-member 18.4.3 win-smb1-server-off
cis-windows-server-2016-3.0.0-member 18.4.3 win-smb1-client-driver-off
cis-windows-server-2016-3.0.0-member 18.4.4 win-smb1-server-off
cis-windows-server-2016-3.0.0-member 2.3.10.10 win-restrict-null-session-access
cis-windows-server-2012-r2-3.0.0-dc 2.2.20 win-right-deny-network-logon
cis-windows-server-2012-r2-3.0.0-member 2.2.21 win-right-deny-network-logon
cis-windows-server-2012-3.0.0-member 18.4.2 win-smb1-client-dependency
cis-windows-server-2012-3.0.0-member 2.3.8.1 win-smb-client-signing-required
cis-windows-11-24h2-4.0.0 18.6.7.4 win-smb-auth-rate-limiter
cis-windows-11-24h2-4.0.0 18.6.7.6 win-smb-server-dialect-min
cis-windows-11-24h2-4.0.0 18.6.8.7 win-smb-client-require-encryption
cis-windows-11-24h2-4.0.0 2.2.16 win-right-deny-network-logon
cis-windows-11-24h2-4.0.0 5.23 win-server-service-disabled-if-unused
cis-windows-11-23h2-3.0.0 18.4.4 win-smb1-server-off
cis-windows-11-23h2-3.0.0 5.26 win-server-service-disabled-if-unused
cis-windows-10-22h2-3.0.0 2.3.10.9 win-restrict-null-session-access
cis-windows-10-22h2-3.0.0 5.3 win-browser-service-disabled
stig-windows-server-2025-member V-278212 win-smb-client-no-plaintext-password
stig-windows-server-2025-member V-278213 win-smb-server-signing-required
stig-windows-server-2025-member V-278178 win-local-token-filter
stig-windows-server-2025-dc V-278165 win-right-network-logon
stig-windows-server-2022-member V-254460 win-smb-client-signing-required
stig-windows-server-2022-member V-254463 win-smb-server-signing-required
stig-windows-server-2022-member V-254275 win-smb1-feature-absent
stig-windows-server-2022-member V-254434 win-right-network-logon
stig-windows-server-2022-dc V-254421 win-right-deny-network-logon
stig-windows-server-2019-member V-205747 win-restrict-remote-sam
stig-windows-server-2019-dc V-205725 win-restrict-null-session-access
stig-windows-server-2016-dc V-225042 win-smb-server-signing-required
stig-windows-11 V-253287 win-smb1-server-off
stig-windows-11 V-253454 win-restrict-anonymous
stig-windows-10 V-220926 win-smb-client-no-plaintext-password
stig-windows-10 V-241992 win-fw-default-inbound-block
microsoft-baseline-windows-server-2025-2602-dc LanmanServer!RequireSecuritySignature win-smb-server-signing-required
microsoft-baseline-windows-server-2025-2602-member MSV1_0!AuditReceivingNTLMTraffic win-ntlm-audit-incoming
microsoft-baseline-windows-server-2022-21h2-member SeDenyNetworkLogonRight win-right-deny-network-logon
microsoft-baseline-windows-11-24h2 Bowser!EnableMailslots win-smb-server-mailslots-off
microsoft-baseline-windows-10-22h2 NetBT!NodeType win-netbt-nodetype
"""
"""Rule numbers as the benchmarks print them; the same number means other things in other versions."""


@pytest.mark.parametrize("line", ANCHORS.split("\n")[1:-1])
def test_a_rule_means_what_the_benchmark_says(line):
    name, number, control = line.split()
    found = {rule.control for rule in WINDOWS[name].rules if rule.rule.split(" ")[0] == number}
    assert control in found
    assert found == {control} or found in SHARED


ABSENT = """
cis-windows-server-2022-4.0.0-dc win-smb-server-spn-validation
cis-windows-server-2022-4.0.0-dc win-restrict-anonymous
cis-windows-server-2022-4.0.0-dc win-restrict-remote-sam
cis-windows-server-2022-4.0.0-dc win-guest-account-disabled
cis-windows-server-2022-4.0.0-member win-netlogon-no-vulnerable-channel
cis-windows-server-2022-4.0.0-member win-ntlm-audit-domain
cis-windows-server-2022-4.0.0-member win-wins-not-installed
stig-windows-server-2022-dc win-local-token-filter
stig-windows-server-2022-dc win-rpc-restrict-remote-clients
microsoft-baseline-windows-server-2025-2602-member win-smb-server-signing-required
microsoft-baseline-windows-server-2025-2602-dc win-restrict-remote-sam
"""


@pytest.mark.parametrize("line", ABSENT.split("\n")[1:-1])
def test_a_role_is_not_asked_what_the_benchmark_asks_of_the_other(line):
    name, control = line.split()
    assert control not in {rule.control for rule in WINDOWS[name].rules}


VALUES = [
    ("cis-windows-server-2025-1.0.0-member", "windows.server_dialect_min", "3.1.1"),
    ("microsoft-baseline-windows-server-2025-2602-member", "windows.server_dialect_min", "3.0"),
    ("cis-windows-11-24h2-4.0.0", "windows.client_dialect_min", "3.1.1"),
    ("microsoft-baseline-windows-11-24h2", "windows.client_dialect_min", "3.0"),
    ("cis-windows-server-2022-4.0.0-dc", "windows.server_null_session_pipes", ["netlogon", "samr", "lsarpc"]),
    ("cis-windows-server-2022-4.0.0-member", "windows.server_spn_validation", 1),
    ("cis-windows-server-2022-4.0.0-member", "windows.account_lockout_threshold", 5),
    ("stig-windows-server-2022-member", "windows.account_lockout_threshold", 3),
    ("microsoft-baseline-windows-server-2022-21h2-member", "windows.account_lockout_threshold", 10),
    ("microsoft-baseline-windows-server-2025-2602-member", "windows.account_lockout_threshold", 3),
    ("microsoft-baseline-windows-11-24h2", "windows.account_lockout_duration", 10),
    ("stig-windows-11", "windows.account_lockout_duration", 15),
    ("cis-windows-server-2022-4.0.0-member", "windows.right_network_logon", ["S-1-5-32-544", "S-1-5-11"]),
    ("cis-windows-server-2022-4.0.0-dc", "windows.right_network_logon", ["S-1-5-32-544", "S-1-5-11", "S-1-5-9"]),
    ("cis-windows-11-24h2-4.0.0", "windows.right_network_logon", ["S-1-5-32-544", "S-1-5-32-555"]),
    ("cis-windows-server-2022-4.0.0-dc", "windows.right_deny_network_logon", ["S-1-5-32-546"]),
    ("cis-windows-server-2022-4.0.0-member", "windows.right_deny_network_logon", ["S-1-5-32-546", "S-1-5-114"]),
    ("cis-windows-11-24h2-4.0.0", "windows.right_deny_network_logon", ["S-1-5-32-546", "S-1-5-113"]),
    ("microsoft-baseline-windows-11-24h2", "windows.right_deny_network_logon", ["S-1-5-113"]),
    ("cis-windows-server-2022-4.0.0-member", "windows.hardened_sysvol", 3),
    ("cis-windows-server-2012-r2-3.0.0-member", "windows.hardened_sysvol", 2),
    ("stig-windows-server-2022-member", "windows.hardened_sysvol", 2),
    ("stig-windows-server-2025-member", "windows.audit_account_lockout", ["success", "failure"]),
    ("stig-windows-server-2022-member", "windows.audit_account_lockout", ["failure"]),
]


def asked(name, fact_id):
    """Return what a profile asks of a fact, and its control."""
    for selection in profiles.select([WINDOWS[name]], catalogue.controls()):
        for test in catalogue.controls()[selection.control].tests:
            if test.fact == fact_id and test.value is None:
                return selection.value_for(fact_id), selection
    raise AssertionError(f"{name} asks nothing of {fact_id}")


@pytest.mark.parametrize(("name", "fact_id", "value"), VALUES)
def test_a_value_is_the_benchmarks(name, fact_id, value):
    given, _selection = asked(name, fact_id)
    assert (len(given) if fact_id == "windows.hardened_sysvol" else given) == value


def verdict(name, fact_id, fact):
    """Judge one fact by the profile of a 2025 member server."""
    facts, found = server("2025", "domain-member")
    facts.put("windows.rpc_authenticated_endpoint_mapper", Fact(configured=False))  # the STIG does not ask for it
    facts.put(fact_id, fact)
    controls = catalogue.controls()
    (selection,) = [
        item
        for item in profiles.select([WINDOWS[name]], controls)
        if fact_id in {test.fact for test in controls[item.control].tests}
    ]
    today = datetime.date(2026, 11, 25)
    (finding,) = assess(facts, found, controls, catalogue.every_setting(), [selection], today=today)
    return finding.verdict, selection.rules


@pytest.mark.parametrize(
    ("number", "fact_id", "good", "bad"),
    [
        ("V-278212", "windows.client_plain_text_password", False, True),
        ("V-278085", "windows.netbt_no_name_release", True, False),
        ("V-278178", "windows.uac_remote_full_token", False, True),
        ("V-278180", "windows.rpc_restrict_remote_clients", "authenticated", "none"),
    ],
)
def test_rules_that_powerstig_leaves_to_a_person_are_judged(number, fact_id, good, bad):
    """PowerSTIG 4.30.0 has these four of the STIG of Server 2025 as manual rules (their check text could not be parsed)."""
    name = "stig-windows-server-2025-member"
    for value, expected in (
        (Fact(configured=good), "pass"),
        (Fact(configured=bad), "fail"),
        (Fact(unreadable="Access is denied"), "unknown"),
    ):
        found, rules = verdict(name, fact_id, value)
        assert found == expected
        assert any(rule.startswith(f"{name}: {number}") for rule in rules)


def test_the_minimum_dialect_is_not_the_number_that_the_benchmark_prints():
    """CIS Server 2025 v1.0.0 says "311 (decimal)" and means 0x311, which is 785."""
    setting = catalogue.settings("windows")["windows.server_dialect_min"]
    (policy,) = [address for address in setting.addresses if address.truth == "policy"]
    for number, expected in ((785, "pass"), (311, "fail"), (770, "fail")):
        fact = Fact(configured=values.parse(setting, policy, number))
        assert verdict("cis-windows-server-2025-1.0.0-member", setting.id, fact)[0] == expected, number


def test_the_page_names_files_that_exist():
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:cis|stig|microsoft-baseline)-windows-[a-z0-9.-]*[a-z0-9]", page))
    named |= {name.replace("-member", "-dc") for name in named}
    assert named == set(WINDOWS)


def table():
    with (ROOT / "tools" / "benchmarks.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_coverage_table_knows_every_file_and_every_rule():
    assert {row["profile"] for row in table()} == set(WINDOWS)
    for row in table():
        rules = row["rules"].split()
        assert len(rules) == len(set(rules)), row["profile"]
        numbered = {rule.rule.split(" ")[0] for rule in WINDOWS[row["profile"]].rules if rule.rule}
        assert numbered <= set(rules), row["profile"]


OPEN = {
    "the name of the firewall's log": {"9.1.4", "9.1.5", "9.2.4", "9.2.5", "9.3.6", "9.3.7"},
    "the service lltdsvc": {"5.8", "5.9"},
    "the spooler of a workstation": {"5.14", "5.17", "5.18"},
    "groups of the domain": {"V-225015", "V-205672", "V-254435", "V-278184", "V-220968", "V-253491"},
    "left open by the baseline": {"LanmanWorkstation!RequireEncryption"},
}
"""Rules that no profile answers, by what they ask; docs/profiles.md says the same."""


def test_the_rules_that_are_not_answered_are_known():
    for row in table():
        numbered = {rule.rule.split(" ")[0] for rule in WINDOWS[row["profile"]].rules}
        missing = set(row["rules"].split()) - numbered
        assert missing <= set().union(*OPEN.values()), row["profile"]
        assert len(missing) <= 5, row["profile"]


def test_coverage_counts_judged_foreign_and_open_rules():
    spec = importlib.util.spec_from_file_location("bw_coverage", ROOT / "tools" / "coverage.py")
    coverage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(coverage)
    (row,) = [row for row in table() if row["profile"] == "cis-windows-server-2022-4.0.0-member"]
    judged, foreign, absent = coverage.sort_rules(row)
    assert len(judged) + len(foreign) + len(absent) == len(row["rules"].split())
    assert "2.3.8.1" in judged
    assert foreign == ["18.6.7.1", "18.6.8.2", "18.7.3", "18.7.5"]
    assert absent == ["9.1.4", "9.2.4", "9.3.6"]
