# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What well-known tools get wrong about Windows: tests/data/peer_errors.csv, each row with a test that names it."""

from __future__ import annotations

import csv
import pathlib
import re

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.values import native_of, parse
from tests.lab.small_windows import (
    CLIENT_KEY,
    CLIENT_POLICY,
    CONTROLLER,
    LACKING,
    SERVER_KEY,
    SERVER_POLICY,
    SERVICES,
    STANDALONE,
    answer,
    findings,
    read,
    registry,
    secedit,
    service,
    verdict,
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROFILES = ROOT / "plugins" / "plugin_utils" / "_data" / "profiles"
SETTINGS = catalogue.settings("windows")
CONTROLS = catalogue.controls()
LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"
POLICIES = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
WINDOWS_POLICIES = r"SOFTWARE\Policies\Microsoft\Windows"
DNS_POLICY = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"
TESTED: dict[tuple[str, str], list[str]] = {}


def about(repository, *rules):
    """Name the rows of the table that a test is about."""

    def mark(test):
        for rule in rules:
            TESTED.setdefault((repository, rule), []).append(test.__name__)
        return test

    return mark


def known(key, **values):
    """Return the registry of a host with values in one key."""
    return registry(**{key: values})


def keys(fact_id):
    return {address.key for address in SETTINGS[fact_id].addresses if address.store == "registry"}


# Values of the server that were looked for beside those of the client. No cmdlet tells on 2008 R2: the key decides.
SERVER_VALUES = [
    ("win-smb-server-signing-required", "server_require_signing", "RequireSecuritySignature", 1),
    ("win-smb-server-signing-enabled", "server_enable_signing", "EnableSecuritySignature", 1),
    ("win-smb-server-forced-logoff", "server_forced_logoff", "EnableForcedLogOff", 1),
    ("win-smb-server-spn-validation", "server_spn_validation", "SmbServerNameHardeningLevel", 1),
]


@about("wazuh/wazuh", "16031", "16032", "16033", "34540-34543")
@pytest.mark.parametrize(("control", "setting", "name", "good"), SERVER_VALUES)
@pytest.mark.parametrize("build", [7601, 9200, 14393])
def test_values_of_the_server_stand_below_its_own_key(build, control, setting, name, good):
    assert keys(f"windows.{setting}") == {SERVER_KEY}
    cmdlet = {"windows__server_configuration": {"EnableSMB2Protocol": True}} if build != 7601 else {}

    def host(key, value):
        return answer(build, None if build < 9600 else 1, windows__registry=known(key, **{name: value}), **cmdlet)

    assert verdict(host(SERVER_KEY, good), control, "strict") == "pass"
    assert verdict(host(SERVER_KEY, 0), control, "strict") == "fail"
    mistaken = registry(**{CLIENT_KEY: {name: good}, SERVER_KEY: {name: 0}})
    assert verdict(answer(build, 1, windows__registry=mistaken, **cmdlet), control, "strict") == "fail"


@about("wazuh/wazuh", "16033")
def test_a_value_needs_to_exist_in_one_place_only():
    alone = answer(7601, None, windows__registry=known(SERVER_KEY, SmbServerNameHardeningLevel=1))
    assert verdict(alone, "win-smb-server-spn-validation", "strict") == "pass"


@about("wazuh/wazuh", "16034")
@pytest.mark.parametrize("other", [0, 1])
def test_anonymous_translation_is_told_by_the_security_database_alone(other):
    control, extra = "win-no-anonymous-sid-translation", known(LSA, TurnOffAnonymousBlock=other)
    for line, expected in (("0", "pass"), ("1", "fail")):
        state = answer(windows__secedit=secedit(LSAAnonymousNameLookup=line), windows__registry=extra)
        assert verdict(state, control) == expected
    assert {address.store for address in SETTINGS["windows.account_anonymous_name_lookup"].addresses} == {"secedit"}


@about("wazuh/wazuh", "16647", "15140")
@pytest.mark.parametrize("build", [9600, 17763])
def test_a_filtered_token_is_the_good_one_and_absent_is_filtered(build):
    for values, expected in (({}, "pass"), ({"LocalAccountTokenFilterPolicy": 0}, "pass")):
        assert (
            verdict(answer(build, 1, windows__registry=known(POLICIES, **values)), "win-local-token-filter") == expected
        )
    bad = known(POLICIES, LocalAccountTokenFilterPolicy=1)
    assert verdict(answer(build, 1, windows__registry=bad), "win-local-token-filter") == "fail"


@about("wazuh/wazuh", "34664; 16159")
@pytest.mark.parametrize(
    ("value", "microsoft", "strict"), [(0, "pass", "pass"), (2, "pass", "fail"), (1, "fail", "fail")]
)
def test_the_netbios_policy_allows_with_one(value, microsoft, strict):
    state = answer(14393, 1, windows__registry=known(DNS_POLICY, EnableNetbios=value))
    found = [verdict(state, "win-dnsclient-netbios-policy", profile) for profile in ("microsoft", "strict")]
    assert found == [microsoft, strict]


# Policies whose key is not the obvious one.
@about("microsoft/osconfig", "AuditServerDoesNotSupportEncryption/Signing")
@pytest.mark.parametrize("kind", ["Encryption", "Signing"])
def test_what_the_client_records_is_a_policy_of_the_client(kind):
    control = f"win-smb-client-audit-server-no-{kind.lower()}"
    name = f"AuditServerDoesNotSupport{kind}"

    def host(key, says):
        cmdlet = {"windows__client_configuration": {name: says}}
        return answer(26100, 33650, windows__registry=known(key, **{name: 1}), **cmdlet)

    assert verdict(host(CLIENT_POLICY, True), control) == "pass"
    assert verdict(host(SERVER_POLICY, False), control) == "fail"
    fact = read(host(SERVER_POLICY, False)).facts.get(f"windows.client_audit_server_no_{kind.lower()}")
    assert True not in fact.truths().values()


BOWSER, PROVIDER = rf"{WINDOWS_POLICIES}\Bowser", rf"{WINDOWS_POLICIES}\NetworkProvider"


@about("microsoft/osconfig", "Enable remote mailslots (Lanman Server)")
@about("scipag/HardeningKitty", "10714 10723")
@pytest.mark.parametrize(("side", "right"), [("server", BOWSER), ("client", PROVIDER)])
def test_the_policy_for_mailslots_stands_apart(side, right):
    control, cmdlet = f"win-smb-{side}-mailslots-off", f"windows__{side}_configuration"
    wrong = {rf"{WINDOWS_POLICIES}\Browser", SERVER_POLICY, CLIENT_POLICY, BOWSER, PROVIDER} - {right}
    policies = {a.key for a in SETTINGS[f"windows.{side}_mailslots"].addresses if a.truth == "policy"}
    assert policies == {right}
    for key in wrong:
        state = answer(
            26100, 33650, windows__registry=known(key, EnableMailslots=1), **{cmdlet: {"EnableMailslots": False}}
        )
        assert verdict(state, control) == "pass", key
    state = answer(
        26100, 33650, windows__registry=known(right, EnableMailslots=1), **{cmdlet: {"EnableMailslots": True}}
    )
    assert verdict(state, control) == "fail"


@about("ansible-lockdown/* CIS", "18.4.2")
def test_a_disabled_driver_is_only_half_of_it():
    """The dependency must go too, and until the reboot the driver runs."""
    bound = service("LanmanWorkstation", 2, "Running", "Bowser", "MRxSmb10", "MRxSmb20", "NSI")
    rest = [item for item in SERVICES if item["name"] != "LanmanWorkstation"]
    state = answer(9600, None, host__services=[*rest, bound, service("mrxsmb10", 4, "Running")])
    assert verdict(state, "win-smb1-client-dependency") == "fail"
    (finding,) = findings(read(state), "win-smb1-client-driver-off")
    assert (finding.verdict, finding.cause) == ("fail", "pending reboot")
    assert "DependOnService" in finding.remedy and "reboot" in finding.remedy
    done = answer(
        9600,
        None,
        host__services=[*SERVICES, service("mrxsmb10", 4, "Stopped")],
        host__features={"SMB1Protocol": 1},
        host__server_features=LACKING,
    )
    assert verdict(done, "win-smb1-client-dependency") == verdict(done, "win-smb1-client-driver-off") == "pass"


@about("CIS Windows Server 2025 v1.0.0", "-")
@pytest.mark.parametrize("side", ["server", "client"])
def test_three_hundred_and_eleven_is_no_dialect(side):
    control = f"win-smb-{side}-dialect-min"
    key, cmdlet = {"server": (SERVER_KEY, "EnableSMB2Protocol"), "client": (CLIENT_KEY, "EnableLoadBalanceScaleOut")}[
        side
    ]

    def host(value):
        return answer(
            26100,
            33650,
            windows__registry=known(key, MinSmb2Dialect=value),
            **{f"windows__{side}_configuration": {cmdlet: True}},
        )

    assert verdict(host(785), control, "strict") == verdict(host(0x311), control, "strict") == "pass"
    assert verdict(host(311), control, "strict") in ("fail", "unknown")
    assert verdict(host(311), control, "recommended") in ("fail", "unknown")
    assert verdict(host(768), control, "strict") == "fail"


@about("microsoft/PowerStig", "V-278212 V-278085 V-278178 V-278180")
def test_rules_with_an_awkward_text_are_judged_by_a_machine():
    document = yaml.safe_load((PROFILES / "stig-windows-server-2025-member.yml").read_text(encoding="utf-8"))
    rules = {str(rule.get("rule", "-")).split()[0]: CONTROLS[rule["control"]] for rule in document["rules"]}
    for number in ("V-278212", "V-278085", "V-278178", "V-278180"):
        control = rules[number]
        assert not control.manual and all(test.absent != "pass" for test in control.tests), number
        assert any(address.store == "registry" for test in control.tests for address in SETTINGS[test.fact].addresses)


# Documentation that contradicts itself.
@about("MicrosoftDocs/windowsserverdocs", "SMB encryption table")
@pytest.mark.parametrize(("build", "server"), [(26100, False), (26100, True)])
def test_nothing_encrypts_by_default(build, server):
    for side, name in (("server", "EncryptData"), ("client", "RequireEncryption")):
        control = {"server": "win-smb-server-encrypt-data", "client": "win-smb-client-require-encryption"}[side]
        told = answer(build, 9445, server=server, **{f"windows__{side}_configuration": {name: False}})
        silent = answer(build, 9445, server=server, **{f"windows__{side}_configuration": {"EnableMailslots": False}})
        assert verdict(told, control, "strict") == "fail"
        assert verdict(silent, control, "strict") in ("fail", "unknown")


@about("MicrosoftDocs/windowsserverdocs", "PowerShell sample")
def test_insecure_guests_are_a_matter_of_the_client():
    properties = {
        address.store
        for setting in SETTINGS.values()
        for address in setting.addresses
        if address.name == "EnableInsecureGuestLogons"
    }
    assert properties == {"client_property"}
    texts = [f"{control.remedy} {control.advice}" for control in CONTROLS.values()]
    assert not [text for text in texts if re.search(r"SmbServerConfiguration[^;']*EnableInsecureGuestLogons", text)]
    state = answer(windows__client_configuration={"EnableInsecureGuestLogons": True})
    assert verdict(state, "win-smb-client-no-insecure-guest") == "fail"
    mistaken = answer(
        windows__server_configuration={"EnableInsecureGuestLogons": False},
        windows__client_configuration={"EnableInsecureGuestLogons": True},
    )
    assert verdict(mistaken, "win-smb-client-no-insecure-guest") == "fail"


# Accounts by their SIDs; and no advice that locks its reader out.
@about("ansible-lockdown/Windows-10-CIS and Windows-11-CIS", "2.2.16")
def test_rights_are_compared_by_sid_in_every_language():
    control, wanted = "win-right-deny-network-logon", ["S-1-5-32-546", "S-1-5-113"]
    for accounts, expected in (
        ("*S-1-5-113,*S-1-5-32-546", "pass"),
        ("*S-1-5-32-546", "fail"),
        ("*S-1-5-32-546,Lokales Konto", "fail"),  # a name is not taken for an account
        ("*S-1-5-32-546,Local accounts", "fail"),
        ("*S-1-5-32-546,*S-1-5-21-1-2-3-113", "fail"),
    ):
        state = answer(role=STANDALONE, windows__secedit=secedit(SeDenyNetworkLogonRight=accounts))
        assert verdict(state, control, value=wanted) == expected, accounts


def leaves(value):
    """Return the texts in a value of lists and mappings."""
    if isinstance(value, (dict, list)):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in leaves(item)]
    return [value]


@about("ansible-lockdown/Windows-10-CIS and Windows-11-CIS", "2.2.16")
def test_nobody_is_advised_to_lock_administrators_out():
    control = CONTROLS["win-right-deny-network-logon"]
    assert "WinRM" in control.breaks and "lock" in control.breaks
    asked = [control.values]
    for path in sorted(PROFILES.glob("*windows*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        asked += [rule["value"] for rule in document["rules"] if rule["control"] == control.id and "value" in rule]
    sids = {sid for item in asked for sid in leaves(item)}
    assert "S-1-5-32-546" in sids
    assert all(re.fullmatch(r"S-1-5-[0-9-]+", sid) for sid in sids), sids
    assert not sids & {"S-1-5-32-544", "S-1-1-0", "S-1-5-11"}
    everyday = str([control.values[name] for name in ("recommended", "legacy")])
    assert "S-1-5-113" not in everyday and "S-1-5-114" not in everyday


# NetBIOS: 0 is "as DHCP says", 2 is off; and what was only announced is not done.
@about("fbprogmbh/Hardening-Audit-Tool-AuditTAP", "SBD-405")
@pytest.mark.parametrize(("option", "expected"), [(2, "pass"), (0, "fail"), (1, "fail"), (None, "fail")])
def test_netbios_is_off_with_two(option, expected):
    state = answer(host__netbt=[{"guid": "{A}", "options": option}])
    assert verdict(state, "win-netbt-nic-disabled") == expected


@about("simeononsecurity/Windows-Optimize-Harden-Debloat", "L766-773")
def test_every_adapter_is_looked_at_and_what_runs_counts():
    hosts = [{"guid": f"{{{name}}}", "options": 2} for name in "ABC"]
    assert verdict(answer(host__netbt=hosts), "win-netbt-nic-disabled") == "pass"
    (finding,) = findings(read(answer(host__netbt=[*hosts, {"guid": "{D}", "options": 0}])), "win-netbt-nic-disabled")
    assert finding.verdict == "fail" and "{D}" in finding.why and "{A}" not in finding.why
    running = [{"guid": "{A}", "interface": 3, "netbios": 1, "addresses": ["10.0.0.1"]}]
    assert verdict(answer(host__netbt=hosts, host__adapters=running), "win-netbt-nic-disabled") == "fail"


# What is read is a typed value, and "absent" is one: only that can be put back.
@about("nsacyber/Windows-Secure-Host-Baseline", "Disable-SMB1")
@pytest.mark.parametrize("fact_id", sorted(SETTINGS))
def test_a_value_is_read_and_written_with_its_type(fact_id):
    setting = SETTINGS[fact_id]
    for address in setting.addresses:
        if address.store != "registry" or address.kind != "dword":
            continue
        tokens = [int(token) for token in (address.tokens or setting.tokens) if token.lstrip("-").isdigit()]
        for native in tokens or [0, 1]:
            back = native_of(setting, address, parse(setting, address, native))
            assert back.__class__ is int, (address, native)
            assert parse(setting, address, back) == parse(setting, address, native)


@about("nsacyber/Windows-Secure-Host-Baseline", "Disable-SMB1")
def test_absent_is_not_zero():
    def signing(**values):
        return read(answer(7601, None, windows__registry=known(SERVER_KEY, **values))).facts.get("windows.server_smb1")

    absent, zero = signing(), signing(SMB1=0)
    assert (absent.configured, absent.origin.kind) == (True, "default")
    assert (zero.configured, zero.origin.kind != "default") == (False, True)


def test_every_row_has_a_test():
    with (ROOT / "tests" / "data" / "peer_errors.csv").open(encoding="utf-8", newline="") as stream:
        rows = {(row["repo"], row["rule"]) for row in csv.DictReader(stream)}
    assert rows == set(TESTED)
    assert all(name in globals() for names in TESTED.values() for name in names)


def test_a_domain_controller_is_asked_for_what_it_can_do():
    """S-1-5-114 means nothing there."""
    guests = secedit(SeDenyNetworkLogonRight="*S-1-5-32-546")
    assert verdict(answer(role=CONTROLLER, windows__secedit=guests), "win-right-deny-network-logon", "strict") == "pass"
    assert verdict(answer(windows__secedit=guests), "win-right-deny-network-logon", "strict") == "fail"
