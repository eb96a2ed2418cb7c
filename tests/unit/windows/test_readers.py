# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shares and who may use them, sessions, events, adapters, QUIC, hardened paths, cluster."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows import sddl
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Address, Default, Setting

HARDENED = "SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkProvider\\HardenedPaths"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O:SYG:SYD:(A;;FA;;;WD)", ["Everyone: Full"]),
        ("O:BAG:S-1-5-21-1-2-3-513D:PAI(A;;0x1200a9;;;S-1-1-0)(A;;FA;;;BA)", ["Everyone: Read"]),
        ("D:(A;;0x1301bf;;;WD)(A;;0x1200a9;;;AN)", ["Everyone: Change", "Anonymous: Read"]),
        ("D:(A;;GA;;;BG)", ["Guests: Full"]),
        ("D:(A;;FR;;;S-1-5-21-11-22-33-501)(A;;FA;;;S-1-5-21-11-22-33-514)", ["Guest: Read", "Domain Guests: Full"]),
        ("D:(A;;FA;;;NU)", ["Network: Full"]),
        ("D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)", ["Everyone: Full"]),
        ("D:(A;;0x1301ff;;;WD)", ["Everyone: Special"]),
        ("D:(A;;0x100000;;;WD)", []),
        ("D:(A;;FA;;;AU)(A;;FA;;;S-1-5-21-1-2-3-500)(A;;FA;;;S-1-5-32-545)", []),
        ("D:", []),
        ("", "bad"),
        ("D:NO_ACCESS_CONTROL", ["Everyone: Full"]),
        ("O:BAG:SY", ["Everyone: Full"]),
        ("D:(D;;FA;;;WD)(A;;FA;;;WD)(A;;FA;;;BG)(A;;FA;;;AN)", ["Anonymous: Full"]),
        ("D:(D;;0x1f01ff;;;BG)(A;;FA;;;WD)", ["Everyone: Full"]),
        ("D:(A;;FA;;;WD)(D;;FA;;;WD)", ["Everyone: Full"]),
        ("D:(A;OICIIO;FA;;;WD)", []),
        ('D:(XA;;FA;;;WD;(Member_of {SID(BA)} || @User.x == "a;b)"))', "bad"),
        ("D:(XA;;FA;;;WD;(Member_of {SID(BA)}))", ["Everyone: Full"]),
        ("D:(XD;;FA;;;WD;(Member_of {SID(BA)}))(A;;FR;;;WD)", ["Everyone: Read"]),
        ("D:AI(A;;FR;;;WD)S:(AU;SAFA;FA;;;WD)", ["Everyone: Read"]),
        ("D:(A;;FA;;;WD", "bad"),
        ("D:A;;FA;;;WD)", "bad"),
        ("D:(A;;FA;;WD)", "bad"),
        ("D:(A;;XX;;;WD)", "bad"),
        ("D:(A;;FA;;;Jeder)", "bad"),
        ("D:(Q;;FA;;;WD)", "bad"),
        ("nonsense", "bad"),
        ("D:" + "(" * 70000, "bad"),
    ],
)
def test_security_descriptors(text, expected):
    if expected == "bad":
        with pytest.raises(sddl.BadDescriptor):
            sddl.broad_access(text)
    else:
        assert sddl.broad_access(text) == expected


def share(name, **more):
    return {
        "name": name,
        "path": "C:\\data",
        "description": "",
        "special": False,
        "type": "FileSystemDirectory",
        "scope": "*",
        "encrypt": False,
        "caching": "Manual",
        "enumeration": "Unrestricted",
        "sddl": "D:(A;;0x1200a9;;;WD)",
        **more,
    }


def test_shares(machine):
    rows = [
        share("data", encrypt=True, enumeration="AccessBased", caching="None"),
        share("C$", special=True),
        share("IPC$", special=True, type="InterprocessCommunication"),
        share("Laser", type="PrintQueue"),
        share("print$"),
        share("data", scope="CLUSTER1"),
    ]
    reading = machine("2022").data("windows.shares", rows).read()
    facts = reading.facts
    assert set(facts.objects("windows.share")) == {"data", "C$", "IPC$", "Laser", "print$", "CLUSTER1\\data"}
    assert set(facts.objects("windows.share_broad_access")) == {"data", "print$", "CLUSTER1\\data"}
    assert facts.get("windows.share_broad_access", "data").configured == ["Everyone: Read"]
    assert facts.get("windows.share_broad_access", "print$").configured == []
    assert facts.get("windows.share_encrypt", "data").configured is True
    assert facts.get("windows.share_enumeration", "data").configured == "AccessBased"
    assert facts.get("windows.share_caching", "data").configured == "None"
    assert facts.get("windows.shares_read").effective is True
    assert "print-server" in reading.implementations[0].traits


def test_two_shares_of_one_name_do_not_hide_each_other(machine):
    rows = [share("a", sddl="D:(A;;FA;;;WD)"), share("a", sddl="D:(A;;FA;;;BA)")]
    facts = machine().data("windows.shares", rows).read().facts
    assert facts.get("windows.share_broad_access", "a").configured == ["Everyone: Full"]
    assert facts.get("windows.share_broad_access", "a (2)").configured == []


def test_old_shares_tell_less(machine):
    row = share("data", encrypt=None, caching=None, enumeration=None)
    facts = machine("2008-r2").data("windows.shares", [row]).read().facts
    assert facts.get("windows.share_encrypt", "data") is None  # SMB 2.1 cannot encrypt at all
    assert facts.get("windows.share_enumeration", "data").unreadable
    facts = machine("2012").data("windows.shares", [row]).read().facts
    assert facts.get("windows.share_encrypt", "data").unreadable


def test_a_share_that_does_not_say_that_it_is_special_is_judged(machine):
    facts = machine().data("windows.shares", [share("X", special="yes", type=7)]).read().facts
    assert facts.get("windows.share_broad_access", "X") is not None


@pytest.mark.parametrize("descriptor", [None, "", 7, "Jeder: Vollzugriff", ["D:"]])
def test_permissions_that_were_not_told(machine, descriptor):
    facts = machine().data("windows.shares", [share("a", sddl=descriptor)]).read().facts
    assert facts.get("windows.share_broad_access", "a").unreadable


def test_a_list_that_was_cut_off_never_holds_for_every_share(machine):
    reading = machine().data("windows.shares", [share("a")], truncated=True).read()
    assert reading.facts.get("windows.share_broad_access", "a").configured == ["Everyone: Read"]
    for name in ("share", "share_broad_access", "share_encrypt", "share_enumeration", "share_caching"):
        assert "longer than" in reading.facts.get(f"windows.{name}", "").unreadable
    assert "windows.shares_read" in {error.section for error in reading.errors}


def test_a_server_that_encrypts_needs_no_flag_per_share(machine):
    host = machine().data("windows.shares", [share("a", encrypt=False)])
    addresses = (Address("effective", "server_property", "EncryptData"),)
    row = Setting(
        "windows.server_encrypt_data",
        "EncryptData",
        "global",
        "boolean",
        addresses=addresses,
        defaults=(Default(value=False),),
    )
    host.settings = {row.id: row}
    assert host.fact("windows.share_encrypt", "a").configured is False
    host.data("windows.server_configuration", {"EncryptData": True})
    assert host.fact("windows.share_encrypt", "a").effective is True


def test_sessions_and_connections(machine):
    host = machine()
    host.data(
        "windows.sessions",
        [
            {"client": "10.0.0.5", "user": "EX\\u", "dialect": "3.1.1", "signed": True, "encrypted": False, "opens": 2},
            {"client": "10.0.0.5", "user": "EX\\u", "dialect": "1.5", "signed": False, "encrypted": False, "opens": 1},
            {"client": None, "user": 7, "dialect": None, "signed": None, "encrypted": None},
        ],
    )
    host.data(
        "windows.connections", [{"server": "nas", "share": "x", "dialect": "2.1", "signed": None, "encrypted": True}]
    )
    facts = host.read().facts
    assert facts.get("usage.session", "EX\\u@10.0.0.5").effective["dialect"] == "3.1.1"
    assert facts.get("windows.session_dialect", "EX\\u@10.0.0.5 (2)").effective == "1.0"
    assert facts.get("windows.session_protected", "EX\\u@10.0.0.5").effective is True
    assert facts.get("windows.session_protected", "EX\\u@10.0.0.5 (2)").effective is False
    assert facts.get("windows.session_dialect", "?@?").unreadable
    assert facts.get("windows.session_protected", "?@?").unreadable
    assert facts.get("windows.connection_dialect", "\\\\nas\\x").effective == "2.1"
    assert facts.get("windows.connection_protected", "\\\\nas\\x").effective is True
    assert facts.get("usage.sessions_read").effective is True


def test_sessions_that_could_not_be_read(machine):
    reading = machine().fail("windows.sessions", 126).fail("windows.connections", 127).read()
    assert "access denied" in reading.facts.get("usage.sessions_read").unreadable
    assert reading.facts.get("windows.session_dialect").unreadable
    assert reading.facts.get("windows.connection_dialect").unreadable
    assert [error.section for error in reading.errors] == ["windows.sessions"]


def test_event_logs_and_events(machine):
    host = machine()
    name = "Microsoft-Windows-SMBServer/Audit"
    host.data(
        "windows.event_logs",
        [
            {"name": name, "enabled": True, "size": 8388608, "oldest": "2026-10-01T00:00:00.0000000Z"},
            {"name": "B", "enabled": "?", "size": "8"},
        ],
    )
    host.data(
        "windows.events",
        {"smb1": [{"client": "10.0.0.9", "count": 3, "last": "2026-11-24T10:00:00Z"}], "guest": "x", "cut": []},
    )
    facts = host.read().facts
    assert facts.get("windows.event_channel_enabled", name).configured is True
    assert facts.get("windows.event_channel_size", name).configured == 8388608
    assert facts.get("windows.event_channel_size", "B").unreadable
    assert facts.get("windows.event_channel_enabled", "B").unreadable
    assert facts.get("usage.audit_since").effective == "2026-10-01T00:00:00Z"
    assert facts.get("usage.smb1_client", "10.0.0.9").effective == {"count": 3, "last": "2026-11-24T10:00:00Z"}
    assert facts.get("usage.events_read").effective is True
    facts = machine().fail("windows.event_logs", 126).fail("windows.events", 1, "x").read().facts
    assert facts.get("windows.event_channel_enabled").unreadable
    assert facts.get("usage.events_read").unreadable


@pytest.mark.parametrize(
    ("more", "since", "unreadable"),
    [
        ({"oldest": "2026-10-01T00:00:00Z", "records": 4}, "2026-10-01T00:00:00Z", None),
        ({"records": 0}, None, None),
        ({"records": 4}, None, "Microsoft-Windows-SMBClient/Audit: its oldest event is not told"),
        ({"denied": True}, None, "Microsoft-Windows-SMBClient/Audit: access denied"),
    ],
)
def test_each_audit_log_has_its_own_age(machine, more, since, unreadable):
    name = "Microsoft-Windows-SMBClient/Audit"
    facts = machine().data("windows.event_logs", [{"name": name, "enabled": True, "size": 1024, **more}]).read().facts
    fact = facts.get("usage.audit_since", name)
    assert (fact.effective, fact.unreadable) == (since, unreadable) if fact is not None else more == {"records": 0}
    assert facts.get("usage.audit_since") is None


def test_netbios_of_every_interface(machine):
    host = machine()
    rows = [("{a}", 2), ("{B}", 0), ("{C}", None), ("{D}", 7), ("{E}", "2")]
    host.data("host.netbt", [{"guid": guid, "options": options} for guid, options in rows])
    host.data(
        "host.adapters", [{"guid": "{A}", "netbios": 2}, {"guid": "{B}", "netbios": 1}, {"guid": "{F}", "netbios": 2}]
    )
    facts = host.read().facts
    found = {guid: (fact.configured, fact.effective) for guid, fact in facts.objects("windows.netbios_options").items()}
    assert found["{A}"] == ("disabled", "disabled")
    assert found["{B}"] == ("dhcp", "enabled")
    assert found["{C}"] == ("dhcp", None)
    assert facts.get("windows.netbios_options", "{C}").origin == Origin("default")
    assert found["{F}"] == (None, "disabled")
    assert facts.get("windows.netbios_options", "{D}").unreadable
    assert facts.get("windows.netbios_options", "{E}").unreadable
    host = machine().fail("host.netbt", 126).data("host.adapters", [{"guid": "{A}", "netbios": 0}])
    assert host.fact("windows.netbios_options", "{A}").effective == "dhcp"
    assert "access denied" in host.fact("windows.netbios_options", "other adapters").unreadable
    assert "windows.netbios_options" in {error.section for error in host.read().errors}
    assert "access denied" in host.data("host.adapters", []).fact("windows.netbios_options").unreadable


def test_one_event_log_that_is_refused_leaves_the_others(machine):
    host = machine()
    audit = "Microsoft-Windows-SMBServer/Audit"
    host.data("windows.event_logs", [{"name": audit, "denied": True}, {"name": "B", "enabled": True, "size": 1024}])
    reading = host.read()
    assert reading.facts.get("windows.event_channel_size", "B").configured == 1024
    assert reading.facts.get("windows.event_channel_enabled", audit).unreadable == "access denied"
    assert reading.facts.get("usage.audit_since").unreadable == f"{audit}: access denied"
    assert [(error.section, error.reason) for error in reading.errors] == [
        ("windows.event_logs", f"access denied: {audit}")
    ]


REMOVED = "{0A3D7E55-9C1B-4D7F-8E21-5B6C7D8E9F00}"
UNPLUGGED = "{8F1C5A2E-3D47-4B6A-9C51-0D2E4F6A7B81}"


@pytest.mark.parametrize(
    ("product", "bindings", "counted"),
    [
        ("2019", [{"adapter": "LAN", "component": "ms_server", "enabled": False, "interface_guid": UNPLUGGED.lower()}], {UNPLUGGED}),
        ("2008-r2", {"linkage": [f"\\Device\\NetBT_Tcpip_{UNPLUGGED}"]}, {UNPLUGGED}),
        ("2019", [{"adapter": "LAN", "component": "ms_server", "enabled": True}], {UNPLUGGED, REMOVED}),  # no GUID told
        ("2008-r2", {"linkage": []}, {UNPLUGGED, REMOVED}),
    ],
)  # fmt: skip
def test_the_key_of_an_adapter_that_is_gone_does_not_count(machine, product, bindings, counted):
    live = "{3D1F806C-74E5-4C99-A132-4E5F60718293}"
    host = machine(product).data("host.bindings", bindings).data("host.adapters", [{"guid": live, "netbios": 2}])
    host.data("host.netbt", [{"guid": guid, "options": 0} for guid in (live, UNPLUGGED, REMOVED)])
    assert set(host.read().facts.objects("windows.netbios_options")) == {live, *counted}
    host.fail("host.adapters", 126)
    assert set(host.read().facts.objects("windows.netbios_options")) == {live, UNPLUGGED, REMOVED}
    host.data("host.netbt", [{"options": 0}])
    assert "without a GUID" in host.fact("windows.netbios_options").unreadable


def test_bindings_and_public_networks(machine):
    host = machine()
    binding = [
        ("Ethernet", "ms_server", True),
        ("WAN", "ms_server", True),
        ("WAN", "ms_msclient", False),
        ("LAN", "ms_server", False),
    ]
    host.data("host.bindings", [{"adapter": a, "component": c, "enabled": e} for a, c, e in binding])
    host.data("host.networks", [{"alias": "Ethernet", "category": "Private"}, {"alias": "WAN", "category": "Public"}])
    facts = host.read().facts
    assert facts.get("windows.server_bound_public").effective == ["WAN"]
    assert facts.get("windows.server_binding", "LAN").configured is False
    assert "windows.server_binding" in facts.by_id
    host.data("host.networks", [{"alias": "VPN", "category": "Public"}])
    assert "VPN" in host.fact("windows.server_bound_public").unreadable
    host.data("host.networks", [{"alias": "LAN", "category": "Privat"}])
    assert host.fact("windows.server_bound_public").unreadable
    host = machine("2008-r2").data("host.bindings", {"linkage": ["\\Device\\Tcpip_{1}", 7]}).fail("host.networks", 127)
    assert host.fact("windows.server_bound_public").unreadable
    host.data("host.bindings", {"linkage": ["\\Device\\Tcpip_{1}"]})
    assert host.fact("windows.server_binding", "\\Device\\Tcpip_{1}").configured is True


def listener(port, pid=4, proto="tcp", process="System"):
    return {"proto": proto, "address": "0.0.0.0", "port": port, "pid": pid, "process": process}


def test_listeners_that_nothing_explains(machine):
    host = machine()
    host.data("host.listeners", [listener(445), listener(139), listener(137, proto="udp"), listener(443, proto="udp")])
    assert host.fact("windows.unexpected_listeners").effective == []
    host.data("host.netbt", [{"guid": "{A}", "options": 2}])
    assert host.fact("windows.unexpected_listeners").effective == ["tcp/139", "udp/137"]
    host.data("host.listeners", [listener(445, 812, process="evil"), listener(5445)])
    assert host.fact("windows.unexpected_listeners").effective == ["tcp/445 (evil)", "tcp/5445"]
    host.data("windows.network_interfaces", [{"interface": 1, "rdma": True}])
    assert host.fact("windows.unexpected_listeners").effective == ["tcp/445 (evil)"]
    host.data("host.listeners", [listener(445, None)])
    assert host.fact("windows.unexpected_listeners").unreadable
    assert machine().fail("host.listeners", 1, "x").fact("windows.unexpected_listeners").unreadable


def quic(**certificate):
    known = {
        "thumbprint": "AB12",
        "not_after": "2026-12-25T00:00:00Z",
        "key_size": 2048,
        "key_algorithm": "1.2.840.113549.1.1.1",
        "signature_algorithm": "1.2.840.113549.1.1.11",
        "names": ["fs.example"],
    }
    mapping = {
        "name": "fs.example",
        "thumbprint": "ab12",
        "store": "My",
        "subject": "CN=fs",
        "require_client_auth": False,
    }
    return {"mappings": [mapping], "certificates": [{**known, **certificate}], "client_access": [], "ports": []}


def test_quic(machine):
    reading = machine("2025").data("windows.quic", quic()).read()
    facts = reading.facts
    assert facts.get("windows.quic_certificate_days", "AB12").effective == 30
    assert facts.get("windows.quic_certificate_strong", "AB12").effective is True
    assert facts.get("windows.quic_client_auth", "fs.example").configured is False
    assert facts.get("windows.quic_alternative_ports").configured == []
    assert "quic" in reading.implementations[0].traits
    assert "windows.quic_mapping" not in machine("2019").read().facts.by_id


@pytest.mark.parametrize(
    ("changes", "strong"),
    [
        ({"key_size": 1024}, False),
        ({"signature_algorithm": "sha1RSA"}, False),
        ({"signature_algorithm": "1.2.840.113549.1.1.10"}, None),
        ({"names": ["10.0.0.1"]}, False),
        ({"names": []}, False),
        ({"key_algorithm": "1.2.840.10045.2.1", "key_size": 256, "signature_algorithm": "1.2.840.10045.4.3.2"}, True),
        ({"key_size": None}, None),
        ({"key_algorithm": "9.9"}, None),
        ({"names": None}, None),
    ],
)
def test_quic_certificates(machine, changes, strong):
    fact = machine("2025").data("windows.quic", quic(**changes)).fact("windows.quic_certificate_strong", "AB12")
    assert fact.effective is strong
    assert (fact.unreadable is None) is (strong is not None)


def test_quic_access_ports_and_lost_certificates(machine):
    data = quic()
    data["certificates"] = []
    data["client_access"] = [{"identifier": "A", "access": "Allow"}, {"identifier": "B", "access": "Deny"}]
    data["ports"] = [{"transport": "QUIC", "port": 8443}]
    facts = machine("2025").data("windows.quic", data).read().facts
    assert facts.get("windows.quic_certificate_days", "AB12").unreadable
    assert facts.get("windows.quic_client_access").configured == ["A"]
    assert facts.get("windows.quic_alternative_ports").configured == [8443]
    data["ports"] = [{"transport": "QUIC", "port": "8443"}]
    assert machine("2025").data("windows.quic", data).fact("windows.quic_alternative_ports").unreadable
    reading = machine("2025").fail("windows.quic", 126).read()
    assert reading.facts.get("windows.quic_mapping").unreadable
    assert "windows.quic" in {error.section for error in reading.errors}


def test_hardened_paths_of_file_servers(machine):
    host = machine().key(
        HARDENED,
        {"\\\\*\\NETLOGON": "RequireIntegrity=1", "\\\\FS\\data": "requireprivacy=1,  RequireIntegrity=1", "\\\\x": 5},
    )
    facts = host.read().facts
    assert facts.get("windows.hardened_paths").configured == ["\\\\FS\\data", "\\\\x"]
    assert facts.get("windows.hardened_path", "\\\\FS\\data").configured == ["RequireIntegrity=1", "RequirePrivacy=1"]
    assert facts.get("windows.hardened_path", "\\\\x").unreadable
    assert machine().key(HARDENED, state="absent").fact("windows.hardened_paths").configured == []
    assert "access denied" in machine().key(HARDENED, state="denied").fact("windows.hardened_paths").unreadable


def test_clusters(machine):
    host = machine("2022").driver("ClusSvc").data("windows.cluster", {"SecurityLevel": 1, "SecurityLevelForStorage": 0})
    reading = host.read()
    assert reading.facts.get("windows.cluster_security_level").effective == 1
    assert reading.facts.get("windows.cluster_storage_level").effective == 0
    assert "cluster" in reading.implementations[0].traits
    facts = machine("2016").driver("ClusSvc").data("windows.cluster", {"SecurityLevel": 1}).read().facts
    assert facts.get("windows.cluster_storage_level") is None
    assert machine("2022").driver("ClusSvc").fact("windows.cluster_security_level").unreadable
    assert (
        machine("2022").driver("ClusSvc").fail("windows.cluster", 126).fact("windows.cluster_storage_level").unreadable
    )
    assert machine("2022").fact("windows.cluster_security_level") is None


def test_wins(machine):
    assert machine().fact("windows.wins_server").effective is False
    assert machine().driver("WINS").fact("windows.wins_server").effective is True
    assert machine().data("host.server_features", {"WINS": "Installed"}).fact("windows.wins_server").effective is True
    assert machine().fail("host.services", 126).fact("windows.wins_server").unreadable
