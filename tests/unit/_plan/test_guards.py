# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that hold a target back, one by one."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.evidence import watched
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.guards import (
    held,
    in_use,
    overridden,
    own_line,
    special_role,
    unlisted,
    unwatched,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Cluster, Line

PARAMETERS = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
POLICIES = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\LanmanServer"
ME = "S-1-5-21-1-2-3-1104"
NETWORK = ("S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-32-544")


def wins(origin, read=True, fact="windows.server_require_signing", name="win-smb-server-signing-required"):
    source = Fact(effective=True) if read else Fact(unreadable="access denied")
    return {fact: Fact(configured=False, origin=origin), "windows.policy_source_read": source}


# policy


@pytest.mark.parametrize("read", [True, False])
def test_a_value_of_a_named_policy_object_is_not_written(host, target, read):
    facts = wins(Origin("policy", "SMB Baseline"), read)
    blocked = overridden(target("win-smb-server-signing-required", True), host("windows", facts))
    assert blocked.kind == "policy"
    assert "'SMB Baseline'" in blocked.why
    assert f"{PARAMETERS}!RequireSecuritySignature" in blocked.why
    assert "change it there" in blocked.why


def test_a_policy_key_that_no_policy_object_wrote_is_this_hosts_own(host, target):
    wanted = target("win-smb-server-dialect-min", "3.0")
    place = f"{POLICIES}!MinSmb2Dialect"
    facts = wins(Origin("policy", place), fact="windows.server_dialect_min")
    assert overridden(wanted, host("windows", facts)) is None
    blocked = overridden(wanted, host("windows", wins(Origin("policy", place), False, "windows.server_dialect_min")))
    assert blocked.kind == "policy"
    assert place in blocked.why


def test_an_unknown_origin_holds_back(host, target):
    facts = wins(Origin("unknown", f"{PARAMETERS}!RequireSecuritySignature"), False)
    wanted = target("win-smb-server-signing-required", True)
    blocked = overridden(wanted, host("windows", facts))
    assert "belongs to a domain" in blocked.why
    assert "let this account read" in blocked.why
    told = overridden(wanted, host("windows", wins(facts["windows.server_require_signing"].origin)))
    assert "let this account read" not in told.why  # it can, and it does not help: audit policy leaves no trace
    assert PARAMETERS in blocked.why


SMB1 = ["Bowser", "MRxSmb10", "MRxSmb20", "NSI"]


@pytest.mark.parametrize(
    ("control", "value", "by_policy", "depends", "held_back"),
    [
        ("win-smb1-client-driver-off", "absent", "windows.service_mrxsmb10_start", SMB1, True),
        ("win-smb1-client-driver-off", "absent", "windows.client_depend_on_service", SMB1, True),
        ("win-smb1-client-driver-off", "absent", "windows.client_depend_on_service", ["Bowser", "NSI"], False),
        ("win-smb1-client-dependency", ["bowser"], "windows.client_depend_on_service", SMB1, True),
        ("win-smb1-client-dependency", ["bowser"], "windows.service_mrxsmb10_start", SMB1, False),
    ],
)
@pytest.mark.parametrize("kind", ["policy", "unknown"])
def test_a_policy_that_puts_the_client_of_smb1_back(host, target, kind, control, value, by_policy, depends, held_back):
    """The administrative template "MS Security Guide" writes the driver's start type and the dependency on it."""
    standing = {"windows.service_mrxsmb10_start": "manual", "windows.client_depend_on_service": depends}
    origins = {by_policy: Origin(kind, "SMB Baseline" if kind == "policy" else "HKLM\\x!y")}
    facts = {name: Fact(configured=item, origin=origins.get(name)) for name, item in standing.items()}
    facts["windows.policy_source_read"] = Fact(effective=True)
    blocked = overridden(target(control, value), host("windows", facts))
    assert (blocked is not None) is held_back
    if blocked is not None and kind == "policy":
        assert "'SMB Baseline' sets HKLM\\SYSTEM\\CurrentControlSet\\Services\\" in blocked.why


@pytest.mark.parametrize("origin", [None, Origin("default"), Origin("local", PARAMETERS)])
def test_what_this_host_decides_is_written(host, target, origin):
    facts = wins(origin, False)
    assert overridden(target("win-smb-server-signing-required", True), host("windows", facts)) is None


def test_a_policy_object_with_the_name_of_a_key_is_still_one(host, target):
    facts = wins(Origin("policy", "HKLM\\evil!x"))
    assert overridden(target("win-smb-server-signing-required", True), host("windows", facts)) is not None


@pytest.mark.parametrize("fact", ["windows.right_network_logon", "windows.audit_logon"])
def test_places_that_are_no_registry_keys(host, target, fact):
    wanted = target("win-right-network-logon", ["S-1-5-11"], fact=fact)
    blocked = overridden(wanted, host("windows", wins(Origin("policy", "Rights"), fact=fact)))
    assert ("user right SeNetworkLogonRight" if "right" in fact else "auditpol {") in blocked.why


# own line


def line(transport="winrm", **more):
    return Line(transport, 5985, "svc-ansible", **{"uid": ME, "groups": NETWORK, **more})


@pytest.mark.parametrize(
    ("value", "made", "cut"),
    [
        (["S-1-5-32-544"], line(), None),
        (["S-1-5-11"], line(), None),
        ([ME], line(), None),
        (["S-1-5-9"], line(), "would lose the right"),
        (["S-1-5-9"], line("psrp"), "would lose the right"),
        (["S-1-5-9"], line("ssh"), "would lose the right"),
        ([], line(), "would lose the right"),
        (["S-1-5-9"], line("local"), None),
        (["S-1-5-32-544"], line(uid="", groups=()), "cannot be told"),
    ],
)
def test_the_right_that_the_connection_logs_on_with(host, target, value, made, cut):
    blocked = own_line(target("win-right-network-logon", value), host("windows", line=made))
    if cut is None:
        assert blocked is None
    else:
        assert blocked.kind == "own-line"
        assert cut in blocked.why
        assert "svc-ansible" in blocked.why
        assert "another account, or make this change at the console" in blocked.why


@pytest.mark.parametrize(
    ("value", "made", "cut"),
    [
        (["S-1-5-32-546"], line(), False),
        (["S-1-5-32-546", "S-1-5-114"], line(groups=(*NETWORK, "S-1-5-114")), True),
        (["S-1-5-32-546", "s-1-5-114"], line(groups=(*NETWORK, "S-1-5-114")), True),
        (["S-1-5-32-546"], line(uid="", groups=()), True),
    ],
)
def test_the_denied_right(host, target, value, made, cut):
    blocked = own_line(target("win-right-deny-network-logon", value), host("windows", line=made))
    assert (blocked is not None) is cut


@pytest.mark.parametrize(
    ("transport", "authentication", "value", "cut"),
    [
        ("winrm", "ntlm", "deny", True),
        ("winrm", "ntlm", "deny-domain-accounts", True),
        ("winrm", "", "deny", True),
        ("psrp", "negotiate", "deny", True),
        ("winrm", "credssp", "deny", True),
        ("winrm", "kerberos", "deny", False),
        ("winrm", "basic", "deny", False),
        ("psrp", "certificate", "deny", False),
        ("ssh", "", "deny", False),
        ("winrm", "ntlm", "allow", False),
    ],
)
def test_ntlm_is_not_blocked_under_ones_own_feet(host, target, transport, authentication, value, cut):
    made = line(transport, authentication=authentication)
    blocked = own_line(target("win-ntlm-restrict-incoming", value), host("windows", line=made))
    assert (blocked is not None) is cut
    if cut:
        assert "Kerberos" in blocked.why


def test_a_newer_ntlm_is_no_cut(host, target):
    made = line(authentication="ntlm")
    assert own_line(target("win-lm-compatibility-level", 5), host("windows", line=made)) is None
    assert own_line(target("win-ntlm-restrict-outgoing", "deny"), host("windows", line=made)) is None


@pytest.mark.parametrize(
    ("uid", "groups", "cut"),
    [
        (ME, NETWORK, False),  # of the domain
        (ME, (*NETWORK, "S-1-5-113"), True),
        ("S-1-5-21-1-2-3-500", (*NETWORK, "S-1-5-113"), False),  # the built-in administrator is not filtered
        ("", (), True),
    ],
)
def test_a_local_administrator_is_not_filtered_away(host, target, uid, groups, cut):
    made = line(uid=uid, groups=groups)
    blocked = own_line(target("win-local-token-filter", False), host("windows", line=made))
    assert (blocked is not None) is cut


def test_the_guest_account_that_one_is(host, target):
    made = line(uid="S-1-5-21-1-2-3-501")
    assert own_line(target("win-guest-account-disabled", False), host("windows", line=made)) is not None
    assert own_line(target("win-guest-account-disabled", False), host("windows", line=line())) is None


@pytest.mark.parametrize(
    ("service", "transport", "cut"),
    [("WinRM", "winrm", True), ("WinRM", "psrp", True), ("WinRM", "ssh", False), ("sshd", "ssh", True),
     ("Spooler", "winrm", False)],
)  # fmt: skip
def test_the_service_that_carries_the_connection(host, target, service, transport, cut):
    situation = host("windows", line=line(transport))
    spooler = situation.settings["windows.service_spooler_start"]
    key = f"SYSTEM\\CurrentControlSet\\Services\\{service}"
    addresses = tuple(dataclasses.replace(address, key=key) for address in spooler.addresses)
    settings = {"windows.service_spooler_start": dataclasses.replace(spooler, addresses=addresses)}
    situation = dataclasses.replace(situation, settings=settings)
    blocked = own_line(target("win-spooler-disabled", "disabled"), situation)
    assert (blocked is not None) is cut


def test_samba_carries_no_connection(host, target):
    assert own_line(target("samba-ntlm-auth", "disabled"), host(line=Line("ssh", 22, "root", "0"))) is None


# special roles

DELICATE = [
    ("win-smb-server-encrypt-data", True, "encryption"),
    ("win-right-network-logon", ["S-1-5-11"], "user rights"),
    ("win-null-session-pipes", [], "named pipes"),
    ("win-fw-log-size-path", 1, "firewall"),
    ("win-spooler-disabled", "disabled", "services"),
]


@pytest.mark.parametrize("trait", ["domain-controller", "cluster", "hyper-v", "dfs", "print-server"])
@pytest.mark.parametrize(("control", "value", "touched"), DELICATE)
def test_special_roles_hold_back_until_they_are_named(host, target, trait, control, value, touched):
    blocked = special_role(target(control, value), host("windows", traits=("server-os", trait)))
    assert blocked.kind == "role"
    assert touched in blocked.why
    assert f"names {control} for h1" in blocked.why
    assert special_role(target(control, value), host("windows", traits=("server-os", "domain-member"))) is None


def test_a_role_that_could_not_be_read_holds_back_too(host, target):
    wanted = target("win-smb-server-encrypt-data", True)
    blocked = special_role(wanted, host("windows", doubts=("cluster", "home")))
    assert "a node of a cluster could not be read" in blocked.why
    assert special_role(wanted, host("windows", doubts=("home",))) is None


@pytest.mark.parametrize("trait", ["domain-controller", "cluster"])
def test_samba_has_roles_as_well(host, target, trait):
    assert special_role(target("samba-smb-encrypt", "required"), host(traits=(trait,))).kind == "role"
    assert special_role(target("samba-server-signing", "mandatory"), host(traits=(trait,))) is None
    assert special_role(target("samba-debug-encryption-off", False), host(traits=(trait,))) is None
    assert special_role(target("samba-smb-encrypt", "required"), host(traits=("domain-member",))) is None


def test_the_role_of_one_implementation_is_not_that_of_another(host, target):
    assert special_role(target("samba-smb-encrypt", "required"), host("windows", traits=("cluster",))) is None


# evidence


@pytest.mark.parametrize(
    ("control", "value"),
    [("samba-server-signing", "mandatory"), ("samba-disable-netbios", True), ("win-smb-server-spn-validation", 1)],
)
def test_sessions_that_could_not_be_listed(host, target, control, value):
    facts = {"usage.sessions_read": Fact(unreadable="smbstatus: access denied")}
    blocked = unlisted(target(control, value), host("windows", facts))
    assert blocked.kind == "no-evidence"
    assert "smbstatus: access denied" in blocked.why
    assert unlisted(target(control, value), host("windows")) is None


def test_sessions_that_nobody_asked_for(host, target):
    situation = host()
    situation.facts.by_id.clear()
    assert unlisted(target("samba-server-signing", "mandatory"), situation).kind == "no-evidence"
    assert unlisted(target("samba-deadtime", 1), situation) is None


def test_connections_and_mounts_that_could_not_be_listed(host, target):
    facts = {
        "windows.connection_protected": Fact(unreadable="access denied")
    }  # so it is before Windows 8: nothing tells
    connected = target("win-smb-client-signing-required", True)
    assert unlisted(connected, host("windows", facts)).kind == "no-evidence"
    facts = {"client.mounts_read": Fact(unreadable="/proc/mounts: no such file")}
    assert unlisted(target("linux-cifs-module-policy", False), host("cifs", facts)).kind == "no-evidence"


WATCHED = {
    "usage.audit_since": "2026-11-01T10:00:00Z",
    "usage.events_read": True,
    "windows.server_audit_smb1": True,
    "windows.server_audit_client_no_signing": True,
}


def test_days_of_observation(host, target):
    smb1 = target("win-smb1-server-off", False)
    assert unwatched(smb1, host("windows", WATCHED)) is None  # none are asked for
    assert unwatched(smb1, host("windows", WATCHED, observe_days=24)) is None
    short = unwatched(smb1, host("windows", WATCHED, observe_days=25))
    assert short.kind == "no-evidence"
    assert "begins on 2026-11-01, 24 days ago; 25 are asked for" in short.why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"windows.server_audit_smb1": False}, "auditing is off, or could not be read (AuditSmb1Access)"),
        ({"windows.server_audit_smb1": Fact(unreadable="x")}, "auditing is off, or could not be read"),
        ({"usage.events_read": Fact(unreadable="access denied")}, "event logs could not be read (access denied)"),
        ({"usage.audit_since": Fact(unreadable="access denied")}, "since when it has been kept (access denied)"),
        ({"usage.audit_since": "soon"}, "it holds no event"),
    ],
)
def test_what_may_be_missing_of_the_evidence(host, target, change, words):
    blocked = unwatched(target("win-smb1-server-off", False), host("windows", {**WATCHED, **change}, observe_days=3))
    assert blocked.kind == "no-evidence"
    assert words in blocked.why
    assert "time lifts this" in blocked.why


@pytest.mark.parametrize(
    ("implementation", "control", "value"),
    [
        ("samba", "samba-server-min-protocol", "SMB2_10"),
        ("samba", "samba-client-signing", "mandatory"),
        ("samba", "samba-guest-ok", False),
        ("windows", "win-smb1-client-driver-off", "disabled"),
        ("windows", "win-smb-server-encrypt-data", True),  # a Windows without that auditing
    ],
)
def test_where_nothing_audits_only_a_force_helps(host, target, implementation, control, value):
    blocked = unwatched(target(control, value), host(implementation, WATCHED, observe_days=1))
    assert blocked.kind == "no-evidence"
    assert f"only an exception of kind force that names {control}" in blocked.why


@pytest.mark.parametrize(
    "control", ["samba-server-max-protocol", "win-smb-server-dialect-max", "win-smb1-access-audit", "samba-deadtime"]
)
def test_what_takes_nothing_away_needs_no_days(host, target, control):
    implementation = "samba" if control.startswith("samba") else "windows"
    assert unwatched(target(control, True), host(implementation, observe_days=14)) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "live sessions only: nobody has been watching"),
        (WATCHED, "since 2026-11-01 (24 days)"),
        ({**WATCHED, "usage.audit_since": "2026-11-24T00:00:00Z"}, "since 2026-11-24 (1 day)"),
        (
            {"usage.audit_since": "2026-11-01T10:00:00Z", "windows.server_audit_smb1": False},
            "live sessions only: nobody is watching now (the audit log begins on 2026-11-01)",
        ),
        (
            {"usage.sessions_read": Fact(unreadable="not root")},
            "nobody has been watching, and live sessions could not be listed: not root",
        ),
    ],
)
def test_every_plan_says_for_how_long_somebody_has_been_watching(host, facts, words):
    assert watched(host("windows", facts)) == words


# force


def force(**more):
    given = {"control": "samba-share-smb-encrypt", "object": "*", "expires": datetime.date(2026, 11, 25), **more}
    return ExceptionRecord("force", given["control"], ("h1",), "told", "alice", given["expires"], given["object"])


@pytest.mark.parametrize(
    ("record", "lifted"),
    [
        (force(), True),  # its last day
        (force(expires=None), True),
        (force(expires=datetime.date(2026, 11, 24)), False),
        (force(control="samba-smb-encrypt"), False),
        (force(object="da*"), True),
        (force(object="other"), False),
        (ExceptionRecord("waiver", "samba-share-smb-encrypt", ("h1",), "x", "alice"), False),
    ],
)
def test_a_force_lifts_use_role_and_evidence_of_its_control_until_it_expires(host, target, session, record, lifted):
    wanted = target("samba-share-smb-encrypt", "required", object="data")
    for given in (
        host(sessions=[session(encryption="none")], force=(record,)),
        host(traits=("domain-controller",), force=(record,)),
        host(facts={"usage.sessions_read": Fact(unreadable="no")}, force=(record,)),
        host(observe_days=3, force=(record,)),
    ):
        assert (held(wanted, given) is None) is lifted


def test_nothing_lifts_policy_and_the_own_line(host, target):
    right = target("win-right-network-logon", ["S-1-5-9"])
    assert held(right, host("windows", line=line(), force=(right.control,))).kind == "own-line"
    signing = target("win-smb-server-signing-required", True)
    facts = wins(Origin("policy", "SMB Baseline"))
    assert held(signing, host("windows", facts, force=(signing.control,))).kind == "policy"


def test_policy_comes_before_everything_else(host, target, session):
    facts = wins(Origin("policy", "SMB Baseline"))
    old = session(signing="none", encryption="none")
    assert held(target("win-smb-server-signing-required", True), host("windows", facts, [old])).kind == "policy"
    assert in_use(target("win-smb-server-signing-required", True), host("windows", facts, [old])) is not None


# roles that only people know, and clusters


def test_a_role_that_the_user_names_holds_back_as_one_that_the_host_tells(host, target):
    wanted = target("samba-smb-encrypt", "required")
    assert held(wanted, host()) is None
    blocked = held(wanted, host(roles=("backup-target",)))
    assert (blocked.kind, "this host is a backup target" in blocked.why) == ("role", True)
    assert held(wanted, host(roles=("hyper-v",))).kind == "role"
    assert held(wanted, host(roles=("backup-target",), force=(wanted.control,))) is None


def names(node, **more):
    return dataclasses.replace(force(control="samba-smb-encrypt"), hosts=(node,), **more)


def cluster(*nodes, away=(), forced=("h1", "h2")):
    return Cluster("fs", nodes, away, {node: (names(node),) for node in forced})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "breakwater_cluster names no inventory group"),
        (cluster("h1", "h2", away=("h2",)), "this run leaves out h2"),
        (cluster("h1", "h2", forced=("h1",)), "no exception of kind force names samba-smb-encrypt for h2"),
        (cluster("h1", "a", "b", "c", "d"), "for a, b, c and 1 more"),
        (cluster("h1", "h2"), None),
    ],
)
def test_the_nodes_of_a_cluster_go_together_or_not_at_all(host, target, given, words):
    wanted = target("samba-smb-encrypt", "required")
    node = dataclasses.replace(host(traits=("standalone", "cluster"), force=(names("h1"),)), cluster=given)
    blocked = held(wanted, node)
    assert (blocked is None) is (words is None)
    if blocked is not None:
        assert (blocked.kind, words in blocked.why) == ("role", True), blocked.why


def test_an_expired_force_of_another_node_is_none(host, target):
    other = Cluster(
        "fs", ("h1", "h2"), (), {"h1": (names("h1"),), "h2": (names("h2", expires=datetime.date(2026, 11, 24)),)}
    )
    node = dataclasses.replace(host(traits=("cluster",), force=(names("h1"),)), cluster=other)
    assert "for h2" in held(target("samba-smb-encrypt", "required"), node).why


def test_what_no_role_holds_back_goes_on_for_one_node(host, target):
    node = host(traits=("cluster",), facts={"samba.server_running": True})
    assert held(target("samba-server-signing", "mandatory"), node) is None
