# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The property table of Windows: its form, its codec, and what is in force where nothing is written."""

from __future__ import annotations

import itertools
import re

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import operators
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows import settings as table
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.values import (
    BadValue,
    native_of,
    parse,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import When, holds

SOURCE = catalogue.COMPILED.parents[1] / "_implementations" / "windows" / "settings.yml"
ROWS = table.rows(yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
SETTINGS = {setting.id.removeprefix("windows."): setting for setting in ROWS}
ADDRESSES = [(setting, address) for setting in ROWS for address in setting.addresses]
KINDS = {
    "boolean": {"dword"},
    "integer": {"dword"},
    "enum": {"dword"},
    "string": {"sz"},
    "list": {"multi_sz", "sz", "dword"},
}

PRODUCTS = {
    "2008r2": ("6.1.7601", "server-os domain-member"),
    "7": ("6.1.7601", "workstation domain-member pro"),
    "2012": ("6.2.9200", "server-os domain-member"),
    "2012r2": ("6.3.9600.21620", "server-os standalone"),
    "2016": ("10.0.14393.6614", "server-os domain-member"),
    "2019": ("10.0.17763.5329", "server-os domain-member server-core"),
    "2022": ("10.0.20348.2227", "server-os domain-member"),
    "2022dc": ("10.0.20348.2227", "server-os domain-controller"),
    "2025": ("10.0.26100.2033", "server-os domain-member"),
    "10pro": ("10.0.19045.4046", "workstation domain-member pro"),
    "11ent": ("10.0.22631.3155", "workstation domain-member enterprise"),
    "24pro": ("10.0.26100.2033", "workstation domain-member pro"),
    "24home": ("10.0.26100.2033", "workstation standalone home"),
}
# By hand, from Microsoft's documentation. T, F: on, off; "-": this Windows has no such setting; "?": nobody knows.
IN_FORCE = """
setting                          2008r2 7     2012  2012r2 2016  2019  2022  2022dc 2025  10pro 11ent 24pro 24home
server_smb1                      T      T     T     T      T     F     F     F      F     F     F     F     F
server_smb2                      T      T     T     T      T     T     T     T      T     T     T     T     T
server_dialect_min               -      -     -     -      -     -     -     -      none  -     -     none  none
server_dialect_max               -      -     -     -      -     -     -     -      none  -     -     none  none
server_mailslots                 -      -     -     -      -     -     -     -      F     -     -     F     F
server_require_signing           F      F     F     F      F     F     F     ?      ?     F     F     T     F
server_enable_signing            F      F     F     F      F     F     F     ?      F     F     F     F     F
server_encrypt_data              -      -     F     F      F     F     F     F      F     F     F     F     F
server_reject_unencrypted        -      -     T     T      T     T     T     T      T     T     T     T     T
server_honor_cipher_order        -      -     -     -      -     -     F     F      F     -     F     F     F
server_audit_smb1                -      -     -     -      F     F     F     F      F     F     F     F     F
server_audit_client_no_signing   -      -     -     -      -     -     -     -      F     -     -     F     F
server_auth_rate_limiter         -      -     -     -      -     -     -     -      T     -     -     T     T
server_auth_rate_delay           -      -     -     -      -     -     -     -      2000  -     -     2000  2000
server_spn_validation            0      0     0     0      0     0     0     0      0     0     0     0     0
server_strict_name_checking      T      T     T     T      T     T     T     T      T     T     T     T     T
server_idle_timeout              15     15    15    15     15    15    15    15     15    15    15    15    15
server_idle_timeout_smb2         -      -     -     -      -     -     -     -      900   -     -     900   900
server_restrict_null_access      T      T     T     T      T     T     T     T      T     T     T     T     T
server_hidden                    F      F     T     T      T     T     T     T      T     T     T     T     T
server_quic_restrict_named_pipes -      -     -     -      -     -     T     T      T     -     T     T     T
client_dialect_min               -      -     -     -      -     none  none  none   none  none  none  none  none
client_mailslots                 -      -     -     -      -     -     -     -      F     -     -     F     F
client_require_signing           F      F     F     F      F     F     F     F      T     F     F     T     F
client_enable_signing            T      T     T     T      T     T     T     T      T     T     T     T     T
client_require_encryption        -      -     -     -      -     -     -     -      F     -     -     F     F
client_block_ntlm                -      -     -     -      -     -     -     -      F     -     -     F     F
client_plain_text_password       F      F     F     F      F     F     F     F      F     F     F     F     F
client_insecure_guest            -      -     -     -      T     F     F     F      F     T     F     F     T
client_quic                      -      -     -     -      -     -     -     -      T     -     -     T     T
client_quic_skip_certificate_check -    -     -     -      -     -     F     F      F     -     F     F     F
lsa_lm_compatibility_level       3      3     3     3      3     3     3     3      3     3     3     3     3
lsa_no_lm_hash                   T      T     T     T      T     T     T     T      T     T     T     T     T
lsa_ntlm_outgoing                allow  allow allow allow  allow allow allow allow  allow allow allow allow allow
lsa_use_machine_id               T      T     T     T      T     T     T     T      T     T     T     T     T
lsa_pku2u_online_id              F      F     F     F      F     F     F     F      F     T     T     T     T
lsa_restrict_anonymous           0      0     0     0      0     0     0     0      0     0     0     0     0
lsa_restrict_anonymous_sam       T      T     T     T      T     T     T     T      T     T     T     T     T
uac_remote_full_token            F      F     F     F      F     F     F     F      F     F     F     F     F
netlogon_vulnerable_channels     -      -     -     -      -     -     -     empty  -     -     -     -     -
netlogon_audit_ntlm_in_domain    -      -     -     -      -     -     -     disabled - - - - -
netlogon_block_netbios_discovery -      -     -     -      -     -     -     -      T     -     -     T     T
account_lockout_threshold        0      0     0     0      0     0     0     0      ?     0     ?     ?     ?
account_admin_lockout            F      F     F     F      F     F     F     F      ?     F     ?     ?     ?
account_guest_enabled            ?      ?     ?     ?      ?     ?     ?     ?      ?     ?     ?     ?     ?
audit_file_share                 ?      ?     ?     ?      ?     ?     ?     ?      ?     ?     ?     ?     ?
netbt_node_type                  auto auto auto auto auto auto auto auto auto auto auto auto auto
netbt_no_name_release            ?      ?     ?     ?      ?     ?     ?     ?      ?     ?     ?     ?     ?
lltd_mapper                      ?      ?     ?     ?      ?     ?     ?     ?      ?     ?     ?     ?     ?
lltd_responder                   T      T     T     T      T     T     T     T      T     T     T     T     T
dns_multicast                    T      T     T     T      T     T     T     T      T     T     T     T     T
dns_mdns                         -      -     -     -      -     T     T     T      T     T     T     T     T
service_spooler_start            absent absent absent absent absent absent absent absent absent absent absent absent absent
print_client_named_pipes         -      -     -     -      -     -     -     -      F     -     F     F     F
print_listener_protocols         -      -     -     -      -     -     -     -      tcp   -     tcp   tcp   tcp
account_lockout_duration         0      0     0     0      0     0     0     0      0     0     0     0     0
account_lockout_reset            0      0     0     0      0     0     0     0      0     0     0     0     0
rpc_restrict_remote_clients      none authenticated none none none none none none none authenticated authenticated authenticated authenticated
update_mode                      not-set ?     not-set not-set not-set not-set not-set not-set not-set install install install install
"""
# The same on every host that knows the setting.
ALWAYS_ON = """server_validate_target_name server_forced_logoff server_admin_shares server_admin_shares_workstation server_quic
server_quic_skip_smb_encryption lsa_limit_blank_passwords lsa_audit_subcategories netlogon_require_sign_or_seal
netlogon_seal_secure_channel netlogon_sign_secure_channel netlogon_require_strong_key netbt_lmhosts print_remote_rpc"""
ALWAYS_OFF = """server_audit_client_no_encryption server_audit_insecure_guest server_announce server_authenticate_user_sharing
server_quic_audit_client_certificate client_audit_insecure_guest client_audit_server_no_encryption
client_audit_server_no_signing client_quic_force_smb_encryption lsa_null_session_fallback lsa_no_stored_credentials
lsa_everyone_includes_anonymous lsa_force_guest account_force_logoff dns_smart_name_resolution_off
lltd_mapper_domain lltd_mapper_public lltd_mapper_not_private lltd_responder_domain lltd_responder_public
lltd_responder_not_private rpc_authenticated_endpoint_mapper update_never"""
REBOOT = """server_smb1 server_smb2 server_mailslots client_mailslots client_depend_on_service lsa_null_session_fallback
lsa_use_machine_id lsa_no_stored_credentials lsa_restrict_anonymous winreg_allowed_exact_paths winreg_allowed_paths
netbt_node_type netbt_lmhosts service_mrxsmb10_start service_mrxsmb20_start rpc_restrict_remote_clients
rpc_authenticated_endpoint_mapper"""
RESTART = """server_require_signing server_enable_signing client_require_signing client_enable_signing server_spn_validation
server_restrict_null_access server_null_session_pipes server_null_session_shares server_admin_shares
server_admin_shares_workstation dns_mdns print_remote_rpc print_client_named_pipes print_listener_protocols"""
LISTS_IN_FORCE = {
    ("server_null_session_pipes", "2022"): [],
    ("server_null_session_pipes", "2022dc"): ["netlogon", "samr", "lsarpc"],
    ("server_null_session_shares", "2008r2"): [],
    ("server_ciphers", "2022"): ["AES_128_GCM", "AES_128_CCM", "AES_256_GCM", "AES_256_CCM"],
    ("lsa_restrict_remote_sam", "2012r2"): ["S-1-1-0"],
    ("lsa_restrict_remote_sam", "2016"): ["S-1-5-32-544"],
    ("lsa_restrict_remote_sam", "2022dc"): ["S-1-1-0"],
    ("lsa_ntlm_min_client_security", "7"): ["128-bit"],
    ("kerberos_encryption_types", "2022"): ["rc4-hmac", "aes128", "aes256"],
    ("hardened_sysvol", "2012r2"): [],
    ("hardened_sysvol", "2016"): ["RequireMutualAuthentication=1", "RequireIntegrity=1"],
    ("right_network_logon", "2025"): [],
    ("winreg_allowed_paths", "2025"): [],
    ("client_block_ntlm_exceptions", "2025"): [],
}
# Parameters of Set-SmbServerConfiguration and Set-SmbClientConfiguration that later releases brought or took.
SINCE = {
    2022: {
        "server_property": "AuditClientCertificateAccess DisableSmbEncryptionOnSecureConnection EnableSMBQUIC EncryptionCiphers "
        "RestrictNamedpipeAccessViaQuic",
        "client_property": "EncryptionCiphers ForceSMBEncryptionOverQuic SkipCertificateCheck",
    },
    2025: {
        "server_property": "AuditClientDoesNotSupportEncryption AuditClientDoesNotSupportSigning AuditInsecureGuestLogon "
        "AutoDisconnectTimeoutInMinutesV1 AutoDisconnectTimeoutInSecondsV2 EnableAuthRateLimiter EnableMailslots "
        "InvalidAuthenticationDelayTimeInMs Smb2DialectMax Smb2DialectMin",
        "client_property": "AuditInsecureGuestLogon AuditServerDoesNotSupportEncryption AuditServerDoesNotSupportSigning "
        "BlockNTLM EnableMailslots EnableSMBQUIC RequireEncryption Smb2DialectMax Smb2DialectMin",
    },
}
UNTIL_2022 = {"server_property": "AutoDisconnectTimeout", "client_property": ""}


def product(name):
    version, traits = PRODUCTS[name]
    return version, tuple(traits.split())


def in_force():
    head, *lines = (line.split() for line in IN_FORCE.strip().splitlines())
    for name, *cells in lines:
        assert len(cells) == len(PRODUCTS), name
        yield from ((name, host, cell) for host, cell in zip(head[1:], cells, strict=True))


def cell_of(setting, host):
    """What the table says of a setting on a host, in the form of the table above."""
    if not table.available(setting, *product(host)):
        return "-"
    row = table.default(setting, *product(host))
    if row.value is None:
        assert row.why, "somebody has to be told why"
        return "?"
    if isinstance(row.value, bool):
        return "T" if row.value else "F"
    return {"automatic": "auto"}.get(str(row.value), str(row.value)) or "empty"


@pytest.mark.parametrize(("name", "host", "cell"), [*in_force()])
def test_what_is_in_force_where_nothing_is_written(name, host, cell):
    assert cell_of(SETTINGS[name], host) == cell


@pytest.mark.parametrize(("place", "items"), LISTS_IN_FORCE.items(), ids=str)
def test_lists_in_force_where_nothing_is_written(place, items):
    name, host = place
    assert table.default(SETTINGS[name], *product(host)).value == items


@pytest.mark.parametrize(
    ("name", "value"), [(name, True) for name in ALWAYS_ON.split()] + [(name, False) for name in ALWAYS_OFF.split()]
)
def test_what_is_in_force_on_every_host(name, value):
    known = [host for host in PRODUCTS if table.available(SETTINGS[name], *product(host))]
    assert "2025" in known
    assert {table.default(SETTINGS[name], *product(host)).value for host in known} == {value}


def test_what_a_change_needs():
    """Whoever changes a value must know; a needless restart of the server cuts every user."""
    for setting in SETTINGS:
        expected = "reboot" if setting in REBOOT.split() else "restart" if setting in RESTART.split() else "none"
        assert SETTINGS[setting].restart == expected, setting


def test_an_edition_that_is_not_known_decides_nothing():
    """A cloud edition of Windows 11 24H2 is none of home, pro and enterprise."""
    for name in ("client_require_signing", "server_require_signing", "client_insecure_guest"):
        row = table.default(SETTINGS[name], "10.0.26100.2033", ("workstation", "standalone"))
        assert (row.value, bool(row.why)) == (None, True)


def test_a_version_that_is_not_known_decides_nothing_that_hangs_on_it():
    signing, boolean = SETTINGS["client_require_signing"], SETTINGS["lsa_no_lm_hash"]
    assert table.default(signing, "", ("workstation", "pro")).why == table.UNKNOWN_VERSION
    assert table.default(boolean, "", ()).value is True
    assert table.available(SETTINGS["server_dialect_min"], "", ("server-os",))


@pytest.mark.parametrize(
    ("when", "version", "traits", "expected"),
    [
        (None, "", (), True),
        (When(), "", (), True),
        (When(version=">=10.0.26100"), "10.0.26100.1742", (), True),
        (When(version=">=10.0.26100"), "10.0.20348.2227", (), False),
        (When(version=">=10.0, <10.0.26100"), "6.3.9600", (), False),
        (When(version=">=10.0.26100"), "", (), None),
        (When(trait=("home", "pro")), "10.0", ("workstation", "pro"), True),
        (When(trait=("home", "pro")), "10.0", ("workstation", "enterprise"), False),
        (When(without=("domain-controller",)), "10.0", ("server-os", "domain-controller"), False),
        (When(without=("domain-controller",)), "10.0", ("server-os", "standalone"), True),
        (When(version=">=10.0", trait=("home",)), "", ("pro",), False),
        (When(version=">=10.0", without=("home",)), "", ("home",), False),
    ],
)
def test_a_condition_of_a_row(when, version, traits, expected):
    assert holds(when, version, traits) is expected


# The form of the rows.
def test_ids_are_words_and_every_row_has_an_address():
    assert len(SETTINGS) == len(ROWS)
    for setting in ROWS:
        assert re.fullmatch(r"windows\.[a-z][a-z0-9]*(_[a-z0-9]+)+", setting.id), setting.id
        assert setting.addresses, setting.id
        assert setting.context == "global"
    names = [setting.name for setting in ROWS]
    assert sorted(set(names)) == sorted(names), "two settings with one name cannot be told apart in a report"


@pytest.mark.parametrize(("setting", "address"), ADDRESSES, ids=lambda item: getattr(item, "id", None) or item.name)
def test_an_address_is_well_formed(setting, address):
    if address.store == "registry":
        assert re.fullmatch(r"(SYSTEM\\CurrentControlSet|SOFTWARE)(\\[^\\/]+)+", address.key), address.key
        assert "\\Parameters\\Parameters" not in address.key
        assert address.kind in KINDS[setting.type]
        policy = address.key.startswith("SOFTWARE\\Policies\\")
        assert (address.truth == "policy") is policy, (
            "a policy key overrides; what stands elsewhere is what it overrides"
        )
    else:
        assert address.kind == "", "only the registry knows types"
        assert (address.truth == "effective") is address.store.endswith("_property")
    if address.store == "secedit":
        assert address.key == "System Access"
    if address.store == "right":
        assert re.fullmatch(r"Se[A-Za-z]+Right", address.name)
        assert setting.codec == "sids"
    if address.store == "audit":
        assert re.fullmatch(r"\{0CCE92[0-9A-F]{2}-69AE-11D9-BED3-505054503030\}", address.name)
        assert set(setting.tokens.values()) == {"success", "failure"}
    if address.store.endswith("_property") or address.store == "right":
        assert re.fullmatch(r"[A-Za-z0-9]+", address.name)


def test_no_two_settings_share_an_address():
    places = [(address.store, address.key.lower(), address.name.lower()) for _setting, address in ADDRESSES]
    assert sorted(set(places)) == sorted(places)


def test_a_key_is_spelt_in_one_way():
    spelt = {}
    for _setting, address in ADDRESSES:
        assert spelt.setdefault(address.key.lower(), address.key) == address.key


@pytest.mark.parametrize("host", PRODUCTS)
def test_no_truth_has_two_addresses_on_one_host(host):
    for setting in ROWS:
        truths = [address.truth for address in setting.addresses if table.counts(address, *product(host))]
        assert len(set(truths)) == len(truths), setting.id


def test_values_that_rows_name_are_values_of_the_setting():
    for setting in ROWS:
        legal = {*setting.tokens.values(), *setting.implied}
        for row in setting.defaults:
            items = row.value if isinstance(row.value, list) else [row.value]
            if setting.type in ("enum", "list") and legal:
                assert {item for item in items if item is not None} <= legal, setting.id
            kinds = {"boolean": bool, "integer": int, "enum": str, "list": list, "string": str}
            assert row.value is None or row.value.__class__ is kinds[setting.type], setting.id
        assert set(setting.scale) <= legal
        assert setting.type != "enum" or setting.tokens
        for address in setting.addresses:
            assert setting.type != "enum" or set(address.tokens.values()) <= legal | {"none"}


def test_defaults_end_with_one_for_all_others():
    for setting in ROWS:
        assert [row.when is None for row in setting.defaults] in (
            [],
            [*itertools.repeat(False, len(setting.defaults) - 1), True],
        ), setting.id


def test_what_a_security_template_writes_stands_in_ordinary_keys():
    for setting in ROWS:
        if setting.security_option:
            stores = {(address.store, address.truth) for address in setting.addresses}
            assert ("registry", "configured") in stores, setting.id
            assert ("registry", "policy") not in stores, setting.id
    for name in (
        "server_require_signing",
        "client_require_signing",
        "lsa_lm_compatibility_level",
        "server_idle_timeout",
    ):
        assert SETTINGS[name].security_option
    for name in ("server_dialect_min", "uac_remote_full_token", "netbt_node_type", "server_encrypt_data"):
        assert not SETTINGS[name].security_option


@pytest.mark.parametrize("store", ["server_property", "client_property"])
def test_a_property_is_asked_for_where_the_cmdlet_has_it(store):
    """On a release that lacks it, it would never be there; elsewhere it must not be overlooked."""
    for setting, address in ADDRESSES:
        if address.store != store:
            continue
        new = next((year for year, names in SINCE.items() if address.name in names[store].split()), 2012)
        last = 2022 if address.name in UNTIL_2022[store].split() else 2025
        for host, year in (("2019", 2019), ("2022", 2022), ("2025", 2025)):
            asked = table.available(setting, *product(host)) and table.counts(address, *product(host))
            assert asked is (new <= year <= last), (setting.id, host)


def test_hosts_before_the_cmdlets_are_read_from_the_registry():
    """A setting that exists on 2008 R2 and that only a cmdlet could tell would always be unknown there."""
    for setting in ROWS:
        if table.available(setting, *product("2008r2")):
            assert any(not address.store.endswith("_property") for address in setting.addresses), setting.id


# The codec.
def examples(setting):
    if setting.type == "boolean":
        return [True, False]
    if setting.type == "integer":
        return [0, 1, 15, 2000, *setting.tokens.values()]
    if setting.type == "string":
        return ["", "O:BAG:BAD:(A;;RC;;;BA)"]
    if setting.type == "enum":
        return list(dict.fromkeys(setting.tokens.values()))
    if setting.codec == "bits":
        names = list(setting.tokens.values())
        return [list(chosen) for size in range(len(names) + 1) for chosen in itertools.combinations(names, size)]
    if setting.codec in ("sids", "sddl"):
        return [[], ["S-1-5-32-544"], ["S-1-1-0", "S-1-5-21-1-2-3-501"]]
    return [[], ["a"], ["b", "a"]]


@pytest.mark.parametrize(("setting", "address"), ADDRESSES, ids=lambda item: getattr(item, "id", None) or item.name)
def test_every_value_survives_the_way_out_and_back(setting, address):
    for value in examples(setting):
        if address.tokens and value not in address.tokens.values() and setting.type == "enum":
            continue
        native = native_of(setting, address, value)
        back = parse(setting, address, native)
        assert back == value, native
        assert back.__class__ is value.__class__
        if address.kind == "dword":
            assert native.__class__ is int
            assert 0 <= native < 2**32 or native in map(int, setting.tokens)
        if address.kind == "multi_sz":
            assert isinstance(native, list)


def only(name, store="registry", truth=None):
    (found,) = [a for a in SETTINGS[name].addresses if a.store == store and truth in (None, a.truth)]
    return SETTINGS[name], found


@pytest.mark.parametrize(
    ("name", "store", "truth", "native", "value"),
    [
        ("server_dialect_min", "registry", "policy", 785, "3.1.1"),
        ("server_dialect_min", "registry", "policy", 770, "3.0.2"),
        ("server_dialect_min", "registry", "configured", 768, "3.0"),
        ("server_dialect_min", "registry", "configured", 528, "2.1"),
        ("client_dialect_min", "registry", "configured", 514, "2.0.2"),
        ("client_dialect_min", "registry", "policy", 311, "none"),
        ("server_dialect_max", "registry", "configured", 65536, "none"),
        ("server_dialect_max", "server_property", None, "SMB302", "3.0.2"),
        ("server_dialect_min", "server_property", None, "None", "none"),
        ("client_dialect_max", "client_property", None, "SMB311", "3.1.1"),
        ("server_strict_name_checking", "registry", None, 1, False),
        ("server_strict_name_checking", "registry", None, 0, True),
        ("server_strict_name_checking", "server_property", None, True, True),
        ("server_strict_name_checking", "server_property", None, False, False),
        ("server_require_signing", "server_property", None, "True", True),
        ("uac_remote_full_token", "registry", None, 1, True),
        ("uac_remote_full_token", "registry", None, 2, True),
        ("server_idle_timeout", "registry", None, -1, 0xFFFFFFFF),  # PowerShell shows a DWORD as a signed number
        ("server_idle_timeout", "registry", None, 0xFFFFFFFF, 0xFFFFFFFF),
        ("lsa_ntlm_min_client_security", "registry", None, 537395200, ["ntlmv2-session-security", "128-bit"]),
        ("lsa_ntlm_min_server_security", "registry", None, 536870912, ["128-bit"]),
        ("lsa_ntlm_min_server_security", "registry", None, 0, []),
        ("kerberos_encryption_types", "registry", None, 2147483640, ["aes128", "aes256", "future"]),
        ("kerberos_encryption_types", "registry", None, 28, ["rc4-hmac", "aes128", "aes256"]),
        ("kerberos_encryption_types", "registry", None, 2147483644, ["rc4-hmac", "aes128", "aes256", "future"]),
        ("kerberos_encryption_types", "registry", None, 0x38, ["aes128", "aes256", "0x20"]),
        ("audit_logon", "audit", None, 3, ["success", "failure"]),
        ("audit_logon", "audit", None, 2, ["failure"]),
        ("audit_logon", "audit", None, 0, []),
        ("right_network_logon", "right", None, ["*S-1-1-0", "*S-1-5-32-544"], ["S-1-1-0", "S-1-5-32-544"]),
        ("right_network_logon", "right", None, "*S-1-5-11,*S-1-5-9", ["S-1-5-11", "S-1-5-9"]),
        ("right_network_logon", "right", None, ["svc_backup"], ["svc_backup"]),
        ("lsa_restrict_remote_sam", "registry", None, "O:BAG:BAD:(A;;RC;;;BA)", ["S-1-5-32-544"]),
        ("lsa_restrict_remote_sam", "registry", None, "O:BAG:BAD:(A;;RC;;;BA)(A;;RC;;;S-1-5-21-1-2-3-9)", ["S-1-5-32-544", "S-1-5-21-1-2-3-9"]),
        ("lsa_restrict_remote_sam", "registry", None, "D:(A;;RC;;;WD)", ["S-1-1-0"]),
        ("lsa_restrict_remote_sam", "registry", None, " o:bag:bad:p(a;;rc;;;ba)", ["S-1-5-32-544"]),
        ("lsa_restrict_remote_sam", "registry", None, "O:BAG:BAD:(A;;0x20000;;;s-1-5-11)", ["S-1-5-11"]),
        ("account_lockout_duration", "secedit", None, "-1", 99999),
        ("account_lockout_duration", "secedit", None, " 15 ", 15),
        ("account_guest_name", "secedit", None, '"Gast"', "Gast"),
        ("account_guest_enabled", "secedit", None, "0", False),
        ("server_null_session_pipes", "server_property", None, "netlogon,samr, lsarpc", ["netlogon", "samr", "lsarpc"]),
        ("server_null_session_pipes", "server_property", None, None, []),
        ("server_null_session_pipes", "registry", None, ["", " samr "], ["samr"]),
        ("server_ciphers", "server_property", None, "AES_256_GCM, AES_128_GCM", ["AES_256_GCM", "AES_128_GCM"]),
        ("winreg_allowed_paths", "registry", None, ["Software\\Microsoft\\OLAP Server"], ["Software\\Microsoft\\OLAP Server"]),
        ("winreg_allowed_paths", "registry", None, "Software\\Microsoft\\OLAP Server", ["Software\\Microsoft\\OLAP Server"]),
        ("hardened_sysvol", "registry", None, "RequireMutualAuthentication = 1 ,RequireIntegrity=1", ["RequireMutualAuthentication=1", "RequireIntegrity=1"]),
        ("print_remote_rpc", "registry", None, 2, False),
        ("print_remote_rpc", "registry", None, 1, True),
        ("service_spooler_start", "registry", None, 4, "disabled"),
        ("service_mrxsmb10_start", "registry", None, 2, "automatic"),
        ("dns_netbios", "registry", None, 2, "disabled-on-public-networks"),
        ("netbt_node_type", "registry", None, 8, "h-node"),
        ("update_mode", "registry", None, 4, "install"),
    ],
)  # fmt: skip
def test_what_windows_writes_is_understood(name, store, truth, native, value):
    setting, address = only(name, store, truth)
    back = parse(setting, address, native)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "store", "native"),
    [
        ("server_require_signing", "registry", "1"),
        ("server_require_signing", "registry", ["1"]),
        ("server_require_signing", "server_property", "perhaps"),
        ("server_require_signing", "server_property", None),
        ("server_require_signing", "registry", 2**40),
        ("server_idle_timeout", "registry", "15"),
        ("lsa_ntlm_outgoing", "registry", 3),
        ("service_browser_start", "registry", 7),
        ("print_remote_rpc", "registry", 0),
        ("lsa_ntlm_min_client_security", "registry", ["537395200"]),
        ("lsa_restrict_remote_sam", "registry", ""),
        ("lsa_restrict_remote_sam", "registry", "O:BAG:BAD:(D;;RC;;;WD)(A;;RC;;;BA)"),
        ("lsa_restrict_remote_sam", "registry", "O:BAG:BAD:(A;;RC;;;BA)(A;;GA;;;WD)"),
        ("lsa_restrict_remote_sam", "registry", "O:BAG:BAD:(A;;RC;;;BA) trailing"),
        ("server_null_session_pipes", "registry", 5),
        ("audit_logon", "audit", "Success"),
        ("account_lockout_threshold", "secedit", "five"),
    ],
)
def test_what_windows_would_not_write_is_no_value(name, store, native):
    setting, address = only(name, store)
    with pytest.raises(BadValue) as error:
        parse(setting, address, native)
    assert str(error.value)


def test_a_number_that_is_no_dialect_is_never_a_floor():
    setting, address = only("server_dialect_min", truth="policy")
    for number in (300, 784, 786, 3, 0x310):
        with pytest.raises(BadValue):
            parse(setting, address, number)
    weakest = [parse(setting, address, number) for number in (0, 311)]
    assert not any(operators.holds("at_least", value, "2.0.2", setting.scale) for value in weakest)


def test_what_cannot_be_written_is_refused():
    for name, value in (
        ("service_spooler_start", "absent"),
        ("netbt_node_type", "automatic"),
        ("lsa_ntlm_outgoing", "maybe"),
    ):
        with pytest.raises(BadValue):
            native_of(*only(name), value)
    with pytest.raises(BadValue):
        native_of(*only("lsa_ntlm_min_client_security"), ["56-bit"])


# Traps: what well-known tools read at the wrong place.
@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("server_mailslots", r"SOFTWARE\Policies\Microsoft\Windows\Bowser", "EnableMailslots"),
        ("client_mailslots", r"SOFTWARE\Policies\Microsoft\Windows\NetworkProvider", "EnableMailslots"),
        ("client_audit_server_no_signing", r"SOFTWARE\Policies\Microsoft\Windows\LanmanWorkstation", "AuditServerDoesNotSupportSigning"),
        ("server_audit_client_no_signing", r"SOFTWARE\Policies\Microsoft\Windows\LanmanServer", "AuditClientDoesNotSupportSigning"),
        ("server_enable_signing", r"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "EnableSecuritySignature"),
        ("server_forced_logoff", r"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "EnableForcedLogOff"),
        ("server_spn_validation", r"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters", "SmbServerNameHardeningLevel"),
        ("hardened_netlogon", r"SOFTWARE\Policies\Microsoft\Windows\NetworkProvider\HardenedPaths", r"\\*\NETLOGON"),
        ("netlogon_block_netbios_discovery", r"SOFTWARE\Policies\Microsoft\Netlogon\Parameters", "BlockNetbiosDiscovery"),
        ("client_depend_on_service", r"SYSTEM\CurrentControlSet\Services\LanmanWorkstation", "DependOnService"),
        ("kerberos_encryption_types", r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\Kerberos\Parameters", "SupportedEncryptionTypes"),
        ("lsa_pku2u_online_id", r"SYSTEM\CurrentControlSet\Control\Lsa\pku2u", "AllowOnlineID"),
        ("winreg_allowed_paths", r"SYSTEM\CurrentControlSet\Control\SecurePipeServers\Winreg\AllowedPaths", "Machine"),
    ],
)  # fmt: skip
def test_values_stand_where_windows_reads_them(name, key, value):
    assert (key, value) in [(address.key, address.name) for address in SETTINGS[name].addresses]


def test_anonymous_translation_is_an_account_policy():
    """Not TurnOffAnonymousBlock in the registry."""
    ((store, name),) = [(a.store, a.name) for a in SETTINGS["account_anonymous_name_lookup"].addresses]
    assert (store, name) == ("secedit", "LSAAnonymousNameLookup")


def test_a_floor_of_the_client_is_honoured_by_policy_from_24h2_only():
    setting, address = only("client_dialect_min", truth="policy")
    assert table.available(setting, *product("2019"))
    assert [table.counts(address, *product(host)) for host in ("2019", "2022", "2025")] == [False, False, True]


def test_scales_go_from_weak_to_strong():
    weakest_and_strongest = {name: (s.scale[0], s.scale[-1]) for name, s in SETTINGS.items() if s.scale}
    assert weakest_and_strongest == {
        "server_dialect_min": ("none", "3.1.1"),
        "client_dialect_min": ("none", "3.1.1"),
        "server_dialect_max": ("2.0.2", "none"),
        "client_dialect_max": ("2.0.2", "none"),
        "lsa_ntlm_outgoing": ("allow", "deny"),
        "lsa_ntlm_incoming": ("allow", "deny"),
        "lsa_ntlm_audit_incoming": ("disabled", "all-accounts"),
        "rpc_restrict_remote_clients": ("none", "authenticated-without-exceptions"),
        **{name: ("boot", "absent") for name in SETTINGS if name.startswith("service_")},
    }


def test_what_is_compiled_is_what_is_written():
    assert {setting.id: setting for setting in ROWS} == dict(catalogue.settings("windows"))
