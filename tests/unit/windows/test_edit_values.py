# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address is written, with which type, and what is refused: hosts made by hand."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Target, Twin

SERVICES = "SYSTEM\\CurrentControlSet\\Services"
SERVER = f"{SERVICES}\\LanmanServer\\Parameters"
CLIENT = f"{SERVICES}\\LanmanWorkstation\\Parameters"
SERVER_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows\\LanmanServer"
DNS = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient"
HARDENED = "SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkProvider\\HardenedPaths"
LSA = "SYSTEM\\CurrentControlSet\\Control\\Lsa"
SIDS = {"right_network_logon": "SeNetworkLogonRight", "right_deny_network_logon": "SeDenyNetworkLogonRight"}


@pytest.fixture
def host(machine):
    """Return a maker of hosts whose keys are all there and empty."""

    def make(product="2022", role=3):
        found = machine(product, role)
        found.settings = dict(catalogue.settings("windows"))
        for setting in found.settings.values():
            for address in setting.addresses:
                if address.store == "registry":
                    found.registry.setdefault(address.key, {"key": address.key, "state": "present", "values": {}})
        return found

    return make


def made(found, *asked, **values):
    """Return what the editor makes of targets, given as fact=value; the control is named after the fact."""
    return found.edit(*asked, *(Target(f"c-{name}", f"windows.{name}", value) for name, value in values.items()))


def only(edited):
    assert edited.refused == ()
    (step,) = edited.steps
    return step


def why(edited, kind="edit"):
    assert edited.steps == ()
    assert edited.changes == ()
    (blocked,) = edited.refused
    assert blocked.kind == kind
    return blocked.why


def place(step):
    return (step.kind, step.target, step.name)


def test_the_cmdlet_comes_before_the_registry(host):
    found = host("2025").data("windows.server_configuration", {"Smb2DialectMin": "None", "EncryptData": False})
    step = only(made(found, server_dialect_min="3.1.1"))
    assert place(step) == ("server_property", "", "Smb2DialectMin")
    assert (step.before, step.after) == (Native("text", "None"), Native("text", "SMB311"))
    assert step.twin == Twin(SERVER, "MinSmb2Dialect", ABSENT)


def test_a_property_that_the_cmdlet_does_not_show_goes_to_the_registry(host):
    step = only(made(host("2022"), client_dialect_min="3.0"))
    assert place(step) == ("registry", CLIENT, "MinSmb2Dialect")
    assert (step.before, step.after, step.twin) == (ABSENT, Native("dword", 768), None)


def test_a_property_that_has_no_parameter_goes_to_the_registry(host):
    found = host("2025").data("windows.server_configuration", {"EnableAuthRateLimiter": False})
    found.key(SERVER, {"EnableAuthRateLimiter": 0})
    step = only(made(found, server_auth_rate_limiter=True))
    assert place(step) == ("registry", SERVER, "EnableAuthRateLimiter")
    assert (step.before, step.after) == (Native("dword", 0), Native("dword", 1))


def test_a_policy_value_of_this_host_is_written_where_it_stands(host):
    found = host("2025", role=2).data("windows.server_configuration", {"Smb2DialectMin": "SMB202"})
    found.key(SERVER_POLICY, {"MinSmb2Dialect": 514})
    step = only(made(found, server_dialect_min="3.0"))
    assert place(step) == ("registry", SERVER_POLICY, "MinSmb2Dialect")
    assert (step.before, step.after, step.twin) == (Native("dword", 514), Native("dword", 768), None)


def test_a_value_of_a_policy_object_is_left_to_it(host):
    found = host("2025").key(SERVER_POLICY, {"MinSmb2Dialect": 514})
    written = {"key": SERVER_POLICY, "name": "MinSmb2Dialect", "gpo": "{1}", "precedence": 1}
    found.data("windows.rsop", {"gpos": {"{1}": "Servers"}, "registry": [written], "security": []})
    assert "'Servers'" in why(made(found, server_dialect_min="3.0"), "policy")


def test_a_policy_value_of_nobody_knows_whom_is_left_alone(host):
    found = host("2025").key(SERVER_POLICY, {"MinSmb2Dialect": 514}).fail("windows.rsop", 126)
    assert "could not be read" in why(made(found, server_dialect_min="3.0"), "policy")


def test_an_empty_policy_key_is_used_only_where_there_is_no_other(host):
    found = host("2025").data("windows.server_configuration", {"EnableMailslots": True})
    step = only(made(found, server_mailslots=False))
    assert (place(step), step.twin) == (("server_property", "", "EnableMailslots"), None)
    assert step.restart == "reboot"
    step = only(made(found, dns_multicast=False))
    assert place(step) == ("registry", DNS, "EnableMulticast")


def test_the_registry_is_put_right_where_only_the_service_is(host):
    found = host("2022").data("windows.server_configuration", {"RequireSecuritySignature": True})
    found.key(SERVER, {"RequireSecuritySignature": 0})
    step = only(made(found, server_require_signing=True))
    assert place(step) == ("registry", SERVER, "RequireSecuritySignature")
    assert step.restart == "restart"


def test_the_service_is_told_where_only_the_registry_is_right(host):
    found = host("2022").data("windows.server_configuration", {"RequireSecuritySignature": False})
    found.key(SERVER, {"RequireSecuritySignature": 1})
    step = only(made(found, server_require_signing=True))
    assert place(step) == ("server_property", "", "RequireSecuritySignature")
    assert step.twin == Twin(SERVER, "RequireSecuritySignature", Native("dword", 1))
    assert step.restart == "none"


def test_what_stands_everywhere_already_is_no_step(host):
    found = host("2022").data("windows.server_configuration", {"RequireSecuritySignature": True})
    for values in ({"RequireSecuritySignature": 1}, {}):
        assert "already" in why(made(found.key(SERVER, values), server_require_signing=True))


@pytest.mark.parametrize(
    ("raw", "native"),
    [
        ("1", Native("sz", "1")),
        (["1"], Native("multi_sz", ["1"])),
        ("hex:00ff", Native("binary", "00ff")),
        ("hex:0ff", Native("sz", "hex:0ff")),
        (2**40, Native("qword", 2**40)),
        (0xFFFFFFFF, Native("dword", 0xFFFFFFFF)),
        ("a\nb\ud800", Native("sz", "a\nb\ud800")),
    ],
)
def test_a_value_of_another_type_keeps_its_type(host, raw, native):
    step = only(made(host().key(LSA, {"LmCompatibilityLevel": raw}), lsa_lm_compatibility_level=5))
    assert (step.before, step.after) == (native, Native("dword", 5))


@pytest.mark.parametrize("raw", [1.5, {"a": 1}, -1, 2**70, [1]])
def test_a_value_that_nothing_could_put_back_is_left_alone(host, raw):
    found = host().key(LSA, {"LmCompatibilityLevel": raw})
    edited = made(found, lsa_lm_compatibility_level=5)
    assert edited.steps == ()
    assert edited.refused[0].kind in ("edit", "unreadable")


def test_a_key_that_could_not_be_read_holds_back(host):
    assert LSA in why(made(host().key(LSA, state="denied"), lsa_lm_compatibility_level=5), "unreadable")


def test_a_key_that_is_not_there_is_an_absent_value(host):
    assert only(made(host().key(LSA, state="absent"), lsa_lm_compatibility_level=5)).before == ABSENT


def test_names_are_found_whatever_their_case(host):
    step = only(made(host().key(LSA, {"lmcompatibilitylevel": 3}), lsa_lm_compatibility_level=5))
    assert step.before == Native("dword", 3)


@pytest.mark.parametrize(
    ("name", "value", "native"),
    [
        ("lsa_ntlm_min_client_security", ["ntlmv2-session-security", "128-bit"], Native("dword", 537395200)),
        ("kerberos_encryption_types", ["aes128", "aes256", "future"], Native("dword", 2147483640)),
        ("kerberos_encryption_types", ["aes256", "0x20"], Native("dword", 0x30)),
        ("lsa_restrict_remote_sam", ["S-1-5-32-544"], Native("sz", "O:BAG:BAD:(A;;RC;;;BA)")),
        ("print_remote_rpc", False, Native("dword", 2)),
        ("dns_netbios", "disabled-on-public-networks", Native("dword", 2)),
        ("netbt_node_type", "p-node", Native("dword", 2)),
        ("server_strict_name_checking", True, Native("dword", 0)),
        ("server_null_session_pipes", ["samr"], Native("multi_sz", ["samr"])),
        ("server_null_session_shares", [], Native("multi_sz", [])),
        ("client_dialect_min", "none", Native("dword", 0)),
        ("server_idle_timeout", 4294967295, Native("dword", 4294967295)),
    ],
)
def test_native_values_as_windows_keeps_them(host, name, value, native):
    product = "2019" if name.startswith("client_") else "2008-r2"
    assert only(made(host(product), **{name: value})).after == native


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lsa_lm_compatibility_level", "5"),
        ("lsa_lm_compatibility_level", True),
        ("lsa_lm_compatibility_level", 2**32),
        ("lsa_lm_compatibility_level", -1),
        ("lsa_no_lm_hash", 1),
        ("lsa_no_lm_hash", "true"),
        ("lsa_ntlm_outgoing", "perhaps"),
        ("netbt_node_type", "automatic"),
        ("lsa_ntlm_min_client_security", ["56-bit"]),
        ("lsa_ntlm_min_client_security", "128-bit"),
        ("lsa_restrict_remote_sam", ["Administrators"]),
        ("winreg_allowed_paths", ["a", 5]),
        ("winreg_allowed_paths", ["a\x00b"]),
        ("server_null_session_pipes", [" samr "]),
        ("service_spooler_start", "absent"),
        ("account_guest_name", "a\r\n[Privilege Rights]"),
    ],
)
def test_what_does_not_mean_the_wanted_value_is_refused(host, name, value):
    found = host("2008-r2").key(f"{SERVICES}\\Spooler", {"Start": 2})
    found.data("windows.secedit", {"System Access": {"NewGuestName": "Guest"}, "Privilege Rights": {}})
    why(made(found, **{name: value}))


def test_a_setting_that_this_windows_does_not_know_is_refused(host):
    assert "does not know" in why(made(host("2019"), client_block_ntlm=True))


def test_lists_of_a_cmdlet_are_one_text(host):
    shown = {"EncryptionCiphers": "AES_128_GCM, AES_128_CCM, AES_256_GCM", "NullSessionPipes": "samr,spoolss"}
    found = host("2022").data("windows.server_configuration", {**shown, "NullSessionShares": None})
    step = only(made(found, server_ciphers=["AES_128_GCM", "AES_256_GCM"]))
    assert (step.before, step.after) == (
        Native("text", shown["EncryptionCiphers"]),
        Native("text", "AES_128_GCM, AES_256_GCM"),
    )
    step = only(made(found, server_null_session_pipes=["samr", "lsarpc"]))
    assert (step.before, step.after) == (Native("text", "samr,spoolss"), Native("text", "samr,lsarpc"))
    step = only(made(found, server_null_session_pipes=[]))
    assert step.after == Native("text", "")
    assert only(made(found, server_null_session_shares=["a"])).before == Native("text", "")


def test_a_list_that_the_cmdlet_shows_as_one_stays_one(host):
    found = host("2022").data("windows.server_configuration", {"NullSessionPipes": ["samr", "spoolss"]})
    step = only(made(found, server_null_session_pipes=["samr"]))
    assert (step.before, step.after) == (Native("list", ["samr", "spoolss"]), Native("list", ["samr"]))


def test_what_stays_of_a_list_keeps_its_spelling(host):
    found = host("2008-r2").key(SERVER, {"NullSessionPipes": [" SAMR", "", "spoolss\x01"]})
    step = only(made(found, server_null_session_pipes=["spoolss\x01", "SAMR", "lsarpc"]))
    assert step.before == Native("multi_sz", [" SAMR", "", "spoolss\x01"])
    assert step.after == Native("multi_sz", ["spoolss\x01", " SAMR", "lsarpc"])


def test_hardened_paths_keep_their_other_flags(host):
    found = host().key(HARDENED, {"\\\\*\\NETLOGON": "RequirePrivacy=1,RequireIntegrity=0"})
    value = ["RequirePrivacy=1", "RequireIntegrity=0", "RequireMutualAuthentication=1", "RequireIntegrity=1"]
    step = only(made(found, hardened_netlogon=value))
    assert place(step) == ("registry", HARDENED, "\\\\*\\NETLOGON")
    assert step.before == Native("sz", "RequirePrivacy=1,RequireIntegrity=0")
    assert step.after == Native("sz", "RequirePrivacy=1, RequireIntegrity=1, RequireMutualAuthentication=1")


def rights(found, **lines):
    held = {SIDS[name]: value for name, value in lines.items()}
    return found.data("windows.secedit", {"System Access": {}, "Privilege Rights": held})


def test_rights_keep_who_has_them_as_the_export_spells_it(host):
    found = rights(host(), right_deny_network_logon=["Gast", "*S-1-5-32-546", "CORP\\svc"])
    step = only(made(found, right_deny_network_logon=["Gast", "S-1-5-32-546", "CORP\\svc", "S-1-5-114"]))
    assert place(step) == ("right", "SeDenyNetworkLogonRight", "")
    assert step.before == Native("list", ["Gast", "*S-1-5-32-546", "CORP\\svc"])
    assert step.after == Native("list", ["Gast", "*S-1-5-32-546", "CORP\\svc", "*S-1-5-114"])


def test_a_right_that_nobody_has_is_an_empty_list(host):
    step = only(made(rights(host()), right_deny_network_logon=["S-1-5-32-546"]))
    assert (step.before, step.after) == (Native("list", []), Native("list", ["*S-1-5-32-546"]))


def test_a_right_as_one_text(host):
    found = rights(host(), right_network_logon="*S-1-1-0, *S-1-5-32-544")
    step = only(made(found, right_network_logon=["S-1-5-32-544"]))
    assert (step.before, step.after) == (
        Native("list", ["*S-1-1-0", "*S-1-5-32-544"]),
        Native("list", ["*S-1-5-32-544"]),
    )


def test_rights_that_could_not_be_exported_hold_back(host):
    why(made(host().fail("windows.secedit", 126), right_network_logon=["S-1-5-32-544"]), "unreadable")


def accounts(found, **lines):
    return found.data("windows.secedit", {"System Access": lines, "Privilege Rights": {}})


def test_lockout_goes_from_threshold_to_duration_to_reset(host):
    found = accounts(host(), LockoutBadCount="50", LockoutDuration="5", ResetLockoutCount="5")
    edited = made(found, account_lockout_reset=15, account_lockout_duration=15, account_lockout_threshold=10)
    assert [step.name for step in edited.steps] == ["LockoutBadCount", "LockoutDuration", "ResetLockoutCount"]
    assert [step.before.value for step in edited.steps] == [50, 5, 5]
    assert {step.before.type for step in edited.steps} == {"integer"}
    assert {step.kind for step in edited.steps} == {"secedit"}


def test_a_reset_longer_than_the_lockout_is_refused(host):
    found = accounts(host(), LockoutBadCount="10", LockoutDuration="10", ResetLockoutCount="10")
    assert "longer" in why(made(found, account_lockout_reset=15))
    for endless in ("-1", "0"):  # an administrator ends it
        found = accounts(host(), LockoutBadCount="10", LockoutDuration=endless, ResetLockoutCount="10")
        assert only(made(found, account_lockout_reset=15)).after == Native("integer", 15)


def test_a_lockout_without_end_is_written_as_windows_does(host):
    found = accounts(host(), LockoutBadCount="10", LockoutDuration="10", ResetLockoutCount="10")
    assert only(made(found, account_lockout_duration=99999)).after == Native("integer", -1)


def test_lines_that_are_not_exported_are_no_steps(host):
    found = accounts(host(), LockoutBadCount="0")
    assert "LockoutBadCount first" in why(made(found, account_lockout_duration=15))
    assert "LockoutBadCount first" in why(made(found, account_lockout_reset=15))
    assert "update" in why(made(found, account_admin_lockout=True))


def test_texts_of_the_security_policy(host):
    step = only(made(accounts(host(), NewGuestName="Guest"), account_guest_name="nobody"))
    assert (step.before, step.after) == (Native("text", "Guest"), Native("text", "nobody"))


def test_audit_policy_is_written_by_guid(host):
    guid = "{0CCE9215-69AE-11D9-BED3-505054503030}"
    step = only(made(host().data("windows.auditpol", {guid: 1}), audit_logon=["success", "failure"]))
    assert place(step) == ("audit", guid, "")
    assert (step.before, step.after) == (Native("integer", 1), Native("integer", 3))


def test_start_types_are_services(host):
    found = host().key(f"{SERVICES}\\Spooler", {"Start": 2})
    edited = made(found, service_spooler_start="disabled")
    step = only(edited)
    assert place(step) == ("service", "Spooler", "")
    assert (step.before, step.after) == (Native("integer", 2), Native("integer", 4))
    (change,) = edited.changes
    assert (change.address, change.before, change.after) == ("service Spooler", "automatic", "disabled")


def test_a_service_that_is_not_there_is_not_made(host):
    assert "not installed" in why(made(host(), service_spooler_start="disabled"))
    assert "no number" in why(
        made(host().key(f"{SERVICES}\\Spooler", {"Start": "2"}), service_spooler_start="disabled")
    )


def test_two_controls_that_want_the_same_share_a_step(host):
    targets = [Target(f"c{number}", "windows.lsa_lm_compatibility_level", 5) for number in (1, 2)]
    edited = made(host(), *targets)
    assert len(edited.steps) == 1
    assert [(change.control, change.step) for change in edited.changes] == [("c1", 1), ("c2", 1)]


def test_two_controls_that_want_different_values_are_told_apart(host):
    targets = [Target(f"c{value}", "windows.lsa_lm_compatibility_level", value) for value in (5, 4)]
    edited = made(host(), *targets)
    assert [step.after for step in edited.steps] == [Native("dword", 5)]
    assert [change.control for change in edited.changes] == ["c5"]
    (blocked,) = edited.refused
    assert (blocked.control, blocked.kind) == ("c4", "edit")
    assert "c5" in blocked.why
    assert "c4" in blocked.why
    assert f"HKLM\\{LSA}!LmCompatibilityLevel" in blocked.why


@pytest.mark.parametrize(
    "fact",
    [
        "windows.cluster_security_level",
        "windows.quic_alternative_ports",
        "windows.server_bound_public",
        "windows.share_broad_access",
        "windows.wins_server",
        "windows.something_new",
        "firewall.enabled",
    ],
)
def test_what_has_no_step_has_advice(host, fact):
    told = why(made(host(), Target("c", fact, True)))
    assert told.startswith("no step changes ")
    assert len(told.split(": ", 1)[1]) > 30


def test_the_step_has_the_stage_of_its_control(host):
    step = only(made(host(), Target("c", "windows.lsa_lm_compatibility_level", 5, stage="ntlm")))
    assert step.stage == "ntlm"
