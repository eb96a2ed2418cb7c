# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy, registry, cmdlet and default of a setting: which of them counts, where it came from, and what is not known."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Address, Default, Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import When

KEY = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows\\LanmanServer"
LOCAL_ADDRESS = Address("configured", "registry", "RequireSecuritySignature", KEY, "dword")
POLICY_ADDRESS = Address("policy", "registry", "RequireSecuritySignature", POLICY, "dword")
EFFECTIVE = Address("effective", "server_property", "RequireSecuritySignature")


def setting(*addresses, type="boolean", **more):
    more.setdefault("defaults", (Default(value=False),))
    return Setting("windows.x", "X", "global", type, addresses=addresses, **more)


def read(host, *rows):
    host.settings = {row.id: row for row in rows}
    return host.read().facts


def fact(host, row):
    return read(host, row).get("windows.x")


def test_policy_wins_over_the_local_value(machine):
    host = machine().key(KEY, {"RequireSecuritySignature": 0}).key(POLICY, {"RequireSecuritySignature": 1})
    host.data("windows.server_configuration", {"RequireSecuritySignature": True})
    facts = read(host, setting(POLICY_ADDRESS, LOCAL_ADDRESS, EFFECTIVE))
    found = facts.get("windows.x")
    assert (found.configured, found.effective) == (True, True)
    assert found.origin == Origin("policy", f"HKLM\\{POLICY}!RequireSecuritySignature")
    assert found.cause == "overridden by policy"
    assert facts.get("windows.policy_conflicts").effective == ["windows.x"]


def test_a_policy_that_says_the_same_is_no_conflict(machine):
    host = machine().key(KEY, {"RequireSecuritySignature": 1}).key(POLICY, {"RequireSecuritySignature": 1})
    facts = read(host, setting(POLICY_ADDRESS, LOCAL_ADDRESS))
    assert facts.get("windows.x").cause is None
    assert facts.get("windows.policy_conflicts").effective == []


def test_a_policy_that_does_not_count_on_this_release(machine):
    address = Address(
        "policy", "registry", "RequireSecuritySignature", POLICY, "dword", when=When(version=">=10.0.26100")
    )
    host = machine("2022").key(KEY, {"RequireSecuritySignature": 0}).key(POLICY, {"RequireSecuritySignature": 1})
    assert fact(host, setting(address, LOCAL_ADDRESS)).configured is False
    host = machine("2025").key(KEY, {"RequireSecuritySignature": 0}).key(POLICY, {"RequireSecuritySignature": 1})
    assert fact(host, setting(address, LOCAL_ADDRESS)).configured is True


def test_local_value_and_its_origin(machine):
    host = machine("2022", role=2).key(KEY, {"requiresecuritysignature": 1})
    assert fact(host, setting(LOCAL_ADDRESS)).origin == Origin("local", f"HKLM\\{KEY}!RequireSecuritySignature")


def rsop(kind, name, gpo="{31B2F340}", precedence=1):
    return {
        "gpos": {"{31B2F340}": "Default Domain Policy", "{2}": "Servers"},
        "registry": [],
        "security": [{"kind": kind, "name": name, "gpo": gpo, "precedence": precedence}],
    }


def test_a_security_option_of_a_policy_lands_in_the_ordinary_key(machine):
    where = "MACHINE\\System\\CurrentControlSet\\Services\\LanManServer\\Parameters\\RequireSecuritySignature"
    answer = rsop("registry", where, "{31B2F340}", 2)
    answer["security"].append({"kind": "registry", "name": where, "gpo": "{2}", "precedence": 1})
    host = machine().key(KEY, {"RequireSecuritySignature": 1}).data("windows.rsop", answer)
    assert fact(host, setting(LOCAL_ADDRESS, security_option=True)).origin == Origin("policy", "Servers")


def test_a_policy_object_without_a_name_is_shown_by_its_id(machine):
    host = machine().key(KEY, {"RequireSecuritySignature": 1})
    host.data("windows.rsop", rsop("registry", f"MACHINE\\{KEY}\\RequireSecuritySignature", "{9}"))
    assert fact(host, setting(LOCAL_ADDRESS)).origin == Origin("policy", "{9}")


@pytest.mark.parametrize(("role", "kind"), [(3, "unknown"), (5, "unknown"), (2, "local"), (0, "local")])
def test_without_rsop_the_origin_is_unknown_where_policies_may_reach(machine, role, kind):
    host = (
        machine("2022" if role > 1 else "11-23h2", role)
        .key(KEY, {"RequireSecuritySignature": 1})
        .fail("windows.rsop", 126)
    )
    facts = read(host, setting(LOCAL_ADDRESS))
    assert facts.get("windows.x").origin.kind == kind
    assert facts.get("windows.policy_source_read").unreadable


def test_a_standalone_host_without_rsop_has_no_policy_to_read(machine):
    host = machine("2022", 2).fail("windows.rsop", 127)
    assert read(host).get("windows.policy_source_read").effective is True
    host = machine("2022", 3).fail("windows.rsop", 127)
    assert read(host).get("windows.policy_source_read").unreadable


def test_absent_is_told_apart_from_zero(machine):
    row = setting(LOCAL_ADDRESS, defaults=(Default(value=True),))
    found = fact(machine(), row)
    assert (found.configured, found.origin) == (True, Origin("default"))
    found = fact(machine().key(KEY, {"RequireSecuritySignature": 0}), row)
    assert (found.configured, found.origin.kind) == (False, "local")
    assert fact(machine().key(KEY, state="absent"), row).origin == Origin("default")


def test_defaults_by_version_and_trait(machine):
    rows = (
        Default(value=None, when=When(version=">=10.0.26100", trait=("server-os",)), why="pages disagree"),
        Default(value=True, when=When(version=">=10.0.26100", trait=("pro", "enterprise"))),
        Default(value=False),
    )
    row = setting(LOCAL_ADDRESS, EFFECTIVE, defaults=rows)
    assert fact(machine("2022"), row).configured is False
    assert fact(machine("11-24h2", 0), row).configured is True
    assert fact(machine("11-24h2-home", 0), row).configured is False
    assert fact(machine("2025"), row).unreadable == "pages disagree"
    host = machine("2025").data("windows.server_configuration", {"RequireSecuritySignature": True})
    found = fact(host, row)
    assert (found.configured, found.effective, found.unreadable, found.origin) == (None, True, None, None)


def test_the_cmdlet_knows_better_than_a_default_but_not_than_a_value(machine):
    row = setting(LOCAL_ADDRESS, EFFECTIVE)
    host = machine().data("windows.server_configuration", {"RequireSecuritySignature": True})
    found = fact(host, row)
    assert (found.configured, found.effective) == (None, True)
    found = fact(host.key(KEY, {"RequireSecuritySignature": 0}), row)
    assert (found.configured, found.effective) == (False, True)
    host.data("windows.server_configuration", {"RequireSecuritySignature": False})
    found = fact(host.key(KEY), row)
    assert (found.configured, found.effective, found.origin) == (False, False, Origin("default"))


@pytest.mark.parametrize("rc", [1, 126, 127])
def test_a_cmdlet_that_should_tell_and_does_not_is_never_a_pass(machine, rc):
    host = machine("2022").key(KEY, {"RequireSecuritySignature": 1}).fail("windows.server_configuration", rc)
    found = fact(host, setting(LOCAL_ADDRESS, EFFECTIVE))
    assert found.unreadable
    assert found.configured is True  # what is written stays visible
    assert fact(host, setting(LOCAL_ADDRESS)).unreadable is None


def test_before_windows_8_the_registry_is_all_there_is(machine):
    host = machine("2008-r2").key(KEY, {"RequireSecuritySignature": 1})
    found = fact(host, setting(LOCAL_ADDRESS, EFFECTIVE))
    assert (found.configured, found.effective, found.unreadable) == (True, None, None)


def test_a_property_that_this_release_lacks_is_not_observed(machine):
    found = fact(machine("2012").key(KEY, {"RequireSecuritySignature": 1}), setting(LOCAL_ADDRESS, EFFECTIVE))
    assert (found.configured, found.effective, found.unreadable) == (True, None, None)


@pytest.mark.parametrize("state", ["denied", "error", "", "nonsense"])
def test_keys_that_could_not_be_opened(machine, state):
    host = machine().key(KEY, state=state)
    assert fact(host, setting(LOCAL_ADDRESS)).unreadable.startswith(f"HKLM\\{KEY}: ")
    host = machine().key(POLICY, state=state).key(KEY, {"RequireSecuritySignature": 1})
    assert fact(host, setting(POLICY_ADDRESS, LOCAL_ADDRESS)).unreadable


def test_a_key_that_was_not_brought_is_not_absent(machine):
    host = machine().key(POLICY)
    del host.registry[KEY]
    assert "was not read" in fact(host, setting(LOCAL_ADDRESS)).unreadable


def test_two_answers_about_one_key_are_none(machine):
    host = machine()
    rows = [{"key": KEY, "state": "present", "values": {"RequireSecuritySignature": value}} for value in (0, 1)]
    host.data("windows.registry", rows)
    assert fact(host, setting(LOCAL_ADDRESS)).unreadable


@pytest.mark.parametrize("native", ["1", True, 1.0, [1], {"a": 1}, None, "hex:01000000", "x" * 5000, 2**70])
def test_values_of_another_type_are_never_understood(machine, native):
    host = machine().key(KEY, {"RequireSecuritySignature": native})
    found = fact(host, setting(LOCAL_ADDRESS))
    assert found.unreadable
    assert found.configured is None


def test_a_dword_may_come_as_a_signed_number(machine):
    address = Address("configured", "registry", "AutoDisconnect", KEY, "dword")
    found = fact(machine().key(KEY, {"AutoDisconnect": -1}), setting(address, type="integer"))
    assert found.configured == 0xFFFFFFFF


def test_inverted_and_tokens(machine):
    address = Address("configured", "registry", "DisableStrictNameChecking", KEY, "dword", inverted=True)
    assert fact(machine().key(KEY, {"DisableStrictNameChecking": 1}), setting(address)).configured is False
    address = Address("effective", "server_property", "Smb2DialectMin", tokens={"None": "none", "SMB300": "3.0"})
    host = machine("2025").data("windows.server_configuration", {"Smb2DialectMin": "SMB300"})
    assert fact(host, setting(address, type="enum", tokens={"768": "3.0"})).effective == "3.0"
    host.data("windows.server_configuration", {"Smb2DialectMin": "SMB999"})
    assert "SMB999" in fact(host, setting(address, type="enum", tokens={"768": "3.0"})).unreadable


def test_empty_properties(machine):
    address = Address("effective", "server_property", "NullSessionPipes")
    host = machine().data("windows.server_configuration", {"NullSessionPipes": None, "X": 1})
    assert fact(host, setting(address, type="list", defaults=(Default(value=[]),))).effective == []
    found = fact(host, setting(address, type="integer", defaults=()))
    assert found.effective is None
    assert found.unreadable


def test_a_property_without_a_place_in_the_registry_is_only_effective(machine):
    host = machine().data("windows.server_configuration", {"AnnounceServer": False})
    found = fact(
        host, setting(Address("effective", "server_property", "AnnounceServer"), defaults=(Default(value=False),))
    )
    assert (found.configured, found.effective, found.origin) == (None, False, None)


def test_secedit_rights_and_audit(machine):
    host = machine("2022", 2)
    host.data(
        "windows.secedit",
        {"System Access": {"LockoutBadCount": "5"}, "Privilege Rights": {"SeNetworkLogonRight": ["*S-1-5-32-544"]}},
    )
    host.data("windows.auditpol", {"{0CCE9224-69AE-11D9-BED3-505054503030}": 3})
    lockout = setting(Address("configured", "secedit", "LockoutBadCount", "System Access"), type="integer")
    assert fact(host, lockout).configured == 5
    right = Address("configured", "right", "SeNetworkLogonRight")
    row = setting(right, type="list", codec="sids", defaults=(Default(value=[]),))
    found = fact(host, row)
    assert (found.configured, str(found.origin)) == (["S-1-5-32-544"], "local user right SeNetworkLogonRight")
    nobody = setting(
        Address("configured", "right", "SeDenyNetworkLogonRight"),
        type="list",
        codec="sids",
        defaults=(Default(value=[]),),
    )
    assert fact(host, nobody).configured == []
    audit = Address("configured", "audit", "{0cce9224-69ae-11d9-bed3-505054503030}")
    tokens = {"1": "success", "2": "failure"}
    assert fact(host, setting(audit, type="list", codec="bits", tokens=tokens)).configured == ["success", "failure"]
    other = setting(
        Address("configured", "audit", "{0}"), type="list", codec="bits", tokens=tokens, defaults=(Default(value=[]),)
    )
    assert "does not list" in fact(host, other).unreadable


@pytest.mark.parametrize("answer", [{}, {"System Access": "x"}, {"System Access": []}])
def test_a_template_without_its_section_says_nothing(machine, answer):
    host = machine().data("windows.secedit", answer)
    row = setting(
        Address("configured", "secedit", "LockoutBadCount", "System Access"),
        type="integer",
        defaults=(Default(value=0),),
    )
    assert "did not export" in fact(host, row).unreadable


def test_origins_outside_of_the_registry(machine):
    row = setting(Address("configured", "secedit", "LockoutBadCount", "System Access"), type="integer")
    host = machine().data("windows.secedit", {"System Access": {"LockoutBadCount": "5"}, "Privilege Rights": {}})
    host.data("windows.rsop", rsop("numeric", "LockoutBadCount"))
    assert fact(host, row).origin == Origin("policy", "Default Domain Policy")
    host.data("windows.auditpol", {"{A}": 1})
    audit = setting(Address("configured", "audit", "{A}"), type="list", codec="bits", tokens={"1": "success"})
    assert fact(host, audit).origin.kind == "unknown"  # detailed audit policies leave no trace in RSoP


def test_settings_that_this_release_does_not_know_are_not_put(machine):
    row = setting(LOCAL_ADDRESS, available=When(version=">=10.0.26100"))
    assert fact(machine("2022").key(KEY, {"RequireSecuritySignature": 1}), row) is None
    assert fact(machine("2025").key(KEY, {"RequireSecuritySignature": 1}), row).configured is True


def test_what_hangs_on_something_that_the_host_did_not_tell(machine):
    rows = (Default(value=True, when=When(trait=("domain-controller",))), Default(value=False))
    host = machine().fail("host.computer", 126).data("host.os_wmi", {"Version": "10.0.20348", "ProductType": 3})
    assert "did not tell" in fact(host, setting(LOCAL_ADDRESS, defaults=rows)).unreadable
    assert fact(host, setting(LOCAL_ADDRESS)).configured is False


def test_an_unknown_version_decides_nothing(machine):
    rows = (Default(value=True, when=When(version=">=10.0.26100")), Default(value=False))
    host = machine().fail("host.os", 1).fail("host.os_wmi", 1).key(KEY)
    assert fact(host, setting(LOCAL_ADDRESS, defaults=rows)).unreadable
    host.key(KEY, {"RequireSecuritySignature": 1})
    assert fact(host, setting(LOCAL_ADDRESS, defaults=rows)).configured is True


def test_secrets_are_not_shown(machine):
    address = Address("configured", "registry", "Password", KEY, "sz")
    host = machine().key(KEY, {"Password": "hunter2"})
    assert "hunter2" not in repr(fact(host, setting(address, type="string", secret=True)))


def test_hostile_text_is_shown_harmlessly(machine):
    address = Address("configured", "registry", "SrvComment", KEY, "sz")
    host = machine().key(KEY, {"SrvComment": "a\x00b\udcff"})
    assert fact(host, setting(address, type="string")).configured == "a\\x00b\\xff"


@pytest.mark.parametrize("product", ["7", "2008-r2", "2012", "2016", "2022", "2025", "11-24h2-home"])
def test_the_whole_table_on_every_release(machine, product):
    """With keys that are empty, every setting has a value, or says why not; errors name each lost record once."""
    host = machine(product, 3 if product.startswith("20") else 1)
    host.settings = catalogue.settings("windows")
    keys = {address.key for row in host.settings.values() for address in row.addresses if address.store == "registry"}
    for key in keys:
        host.key(key)
    reading = host.read()
    for fact_id in host.settings:
        found = reading.facts.get(fact_id)
        assert found is None or found.truths() or found.unreadable, fact_id
    assert reading.facts.get("windows.lsa_lm_compatibility_level").configured == 3
    assert [error.section for error in reading.errors] == []
