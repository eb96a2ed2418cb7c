# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would break."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Target
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.cuts import _CUTS, cuts
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.guards import in_use, unlisted


@pytest.mark.parametrize(
    ("control", "value", "more", "seen"),
    [
        ("samba-server-min-protocol", "SMB2_10", {"dialect": "NT1"}, "NT1"),
        ("samba-server-min-protocol", "SMB2_10", {"dialect": "SMB2_02"}, "SMB2_02"),
        ("samba-server-min-protocol", "SMB3_11", {"dialect": "SMB3_02"}, "SMB3_02"),
        ("samba-server-min-protocol", "SMB2_10", {"dialect": ""}, "not told"),
        ("samba-server-min-protocol", "SMB2_10", {"dialect": "SMB2_10"}, None),
        ("win-smb-server-dialect-min", "3.0", {"dialect": "2.1"}, "2.1"),
        ("win-smb1-server-off", False, {"dialect": "1.0"}, "1.0"),
        ("win-smb1-server-off", False, {"dialect": "2.0.2"}, None),
        ("win-smb1-feature-absent", "absent", {"dialect": "1.0"}, "1.0"),
        ("samba-server-signing", "mandatory", {"signing": "none", "encryption": "none"}, "not signed"),
        ("samba-server-signing", "mandatory", {"signing": "none"}, None),  # encrypted, so protected
        ("samba-server-signing", "mandatory", {"signing": "unknown", "encryption": "unknown"}, "not told"),
        ("samba-server-signing", "desired", {"signing": "none", "encryption": "none"}, None),  # nobody is turned away
        ("win-smb-server-signing-required", True, {"signing": "none", "encryption": "none"}, "not signed"),
        ("win-smb-server-signing-required", True, {"signing": "yes", "encryption": "none"}, None),
        ("samba-smb-encrypt", "required", {"encryption": "none"}, "not encrypted"),
        ("samba-smb-encrypt", "required", {"encryption": ""}, "not told"),
        ("samba-smb-encrypt", "required", {"dialect": "SMB2_10"}, "not encrypted"),
        ("samba-smb-encrypt", "desired", {"encryption": "none"}, None),
        ("win-smb-server-encrypt-data", True, {"encryption": "none"}, "not encrypted"),
        ("win-smb-server-cipher-order", ["AES_256_GCM"], {"dialect": "3.0.2", "encryption": "yes"}, "3.0.2"),
        ("win-smb-server-cipher-order", ["AES_128_CCM"], {"dialect": "3.0.2", "encryption": "yes"}, None),
        ("samba-server-smb3-encryption-algorithms", ["AES-256-GCM"], {"encryption": "AES-128-CCM"}, "AES-128-CCM"),
        ("samba-map-to-guest", "Never", {"user": "nobody"}, "guest"),
        ("samba-map-to-guest", "Never", {"user": ""}, "no user"),
        ("samba-map-to-guest", "Never", {"user": "FTP"}, "guest"),  # the guest account of this host
        ("win-guest-account-disabled", False, {"user": "FS01\\Gast"}, "guest"),
        ("samba-restrict-anonymous", 1, {"user": ""}, "no user"),
        ("samba-restrict-anonymous", 1, {"user": "nobody"}, "guest"),
        ("win-restrict-null-session-access", True, {"user": "NT AUTHORITY\\ANONYMOUS LOGON"}, "no user"),
        ("win-restrict-null-session-access", True, {"user": "CORP\\guest"}, None),
        ("samba-ntlm-auth", "ntlmv2-only", {"dialect": "NT1"}, "NT1"),
        ("samba-ntlm-auth", "disabled", {}, "connected"),
        ("win-ntlm-restrict-incoming", "deny", {}, "connected"),
        ("win-lm-compatibility-level", 5, {"dialect": "1.0"}, "1.0"),
        ("win-lm-compatibility-level", 5, {}, None),
        ("samba-disable-netbios", True, {"dialect": "NT1"}, "NT1"),
        ("samba-transports", ["tcp"], {"dialect": "NT1"}, "NT1"),
        ("samba-transports", ["tcp", "nbt"], {"dialect": "NT1"}, None),
        ("win-server-service-disabled-if-unused", "disabled", {}, "connected"),
        ("win-admin-shares-off", False, {"shares": ["C$"]}, "shares not told"),
        ("win-admin-shares-off", False, {"shares": ["data", "IPC$"]}, None),
        ("win-admin-shares-off", False, {"shares": []}, "shares not told"),
        ("win-right-network-logon", ["S-1-5-11"], {"user": "CORP\\guest"}, "guest"),
        ("win-right-network-logon", ["S-1-5-32-544"], {}, "connected"),
        ("win-right-network-logon", ["S-1-1-0"], {}, None),
    ],
)
def test_sessions(host, target, session, control, value, more, seen):
    facts = {"samba.guest_account": Fact(configured="ftp"), "windows.account_guest_name": Fact(configured="Gast")}
    situation = host("windows", facts, [session(**more)])
    blocked = in_use(target(control, value), situation)
    if seen is None:
        assert blocked is None
        return
    assert blocked.kind == "in-use"
    assert seen in blocked.users[0]
    assert "10.0.0.5" in blocked.users[0]
    assert blocked.users[0] in blocked.why
    assert f"an exception of kind force that names {control} for h1" in blocked.why
    assert in_use(target(control, value), host("windows", facts)) is None


def test_a_client_that_does_everything_right_is_in_nobodys_way(host, target, session):
    shares = {name: {"path": "/srv"} for name in session()["shares"]}
    situation = host(facts={"samba.share": shares, "samba.printable": False}, sessions=[session()])
    listed = ("cipher", "algorithms", "right", "transports", "depend")
    for fact in set(_CUTS) - {"windows.service_server_start"}:
        lists = (["AES-128-GCM", "S-1-5-11", "nbt"],)
        scalars = (True, False, "mandatory", "required", "SMB3_11", "3.1.1", 5, "ntlmv2-only", "auto")
        for value in lists if any(word in fact for word in listed) else scalars:
            assert in_use(Target("samba-server-signing", fact, value), situation) is None, (fact, value)


def test_a_share_looks_only_at_sessions_that_use_it(host, target, session):
    old = [session(user="bob", encryption="none", shares=["other"]), session(user="eve", encryption="none", shares=[])]
    situation = host(sessions=old)
    share = target("samba-share-smb-encrypt", "required", object="Data")
    assert in_use(share, situation).users == ("eve@10.0.0.5 (not encrypted)",)  # her shares are not told
    assert len(in_use(target("samba-smb-encrypt", "required"), situation).users) == 2
    situation = host(sessions=[session(encryption="none", shares=["DATA"])])
    assert in_use(share, situation) is not None


def test_events_count_as_use_and_say_when(host, target):
    seen = {"count": 15, "last": "2026-11-20T04:00:00Z"}
    facts = {"usage.smb1_client": {"10.20.9.40": seen, "10.0.0.9": seen, "scanner": {"count": 1, "last": ""}}}
    wanted = target("win-smb1-server-off", False)
    mine = frozenset({"10.0.0.9"})  # what our own probes did
    found = in_use(wanted, dataclasses.replace(host("windows", facts), own=mine))
    assert found.users == ("10.20.9.40 (last seen 2026-11-20)", "scanner (in the event log)")
    # Who asks for three days of observation has said what is long ago.
    late = in_use(wanted, dataclasses.replace(host("windows", facts, observe_days=3), own=mine))
    assert late.users == ("scanner (in the event log)",)


@pytest.mark.parametrize(
    ("control", "value", "event"),
    [
        ("win-smb-server-signing-required", True, "usage.unsigned_client"),
        ("win-smb-server-encrypt-data", True, "usage.unencrypted_client"),
        ("win-share-encrypt", True, "usage.unencrypted_client"),
        ("win-guest-account-disabled", False, "usage.guest_client"),
        ("win-smb-client-signing-required", True, "usage.unsigned_server"),
        ("win-smb-client-require-encryption", True, "usage.unencrypted_server"),
        ("win-smb-client-no-insecure-guest", False, "usage.guest_server"),
    ],
)
def test_each_kind_has_its_events(host, target, control, value, event):
    control = "win-smb-share-encrypt-data" if control == "win-share-encrypt" else control
    found = in_use(target(control, value), host("windows", {event: {"10.0.0.7": {"count": 1, "last": ""}}}))
    assert found.users == ("10.0.0.7 (in the event log)",)


@pytest.mark.parametrize(
    ("control", "value", "dialect", "protected", "seen"),
    [
        ("win-smb1-client-driver-off", "disabled", "1.0", True, "1.0"),
        ("win-smb1-client-dependency", ["nsi"], "1.0", True, "1.0"),
        ("win-smb1-client-driver-off", "disabled", "3.1.1", False, None),
        ("win-smb1-client-driver-off", "disabled", Fact(unreadable="no"), True, "dialect not told"),
        ("win-smb-client-dialect-min", "3.0", "2.1", True, "2.1"),
        ("win-smb-client-signing-required", True, "3.1.1", False, "neither signed"),
        ("win-smb-client-signing-required", True, "3.1.1", True, None),
        ("win-smb-client-signing-required", True, "3.1.1", Fact(unreadable="no"), "protection not told"),
        ("win-smb-client-require-encryption", True, "2.1", True, "2.1"),
        ("win-smb-client-require-encryption", True, "3.1.1", False, "neither signed"),
        ("win-smb-client-no-insecure-guest", False, "3.1.1", False, "neither signed"),
        ("win-smb-client-block-ntlm", True, "3.1.1", True, "connected"),
        ("win-ntlm-restrict-outgoing", "deny", "3.1.1", True, "connected"),
        ("win-ntlm-restrict-outgoing", "audit", "3.1.1", True, None),
        ("win-smb-client-cipher-order", ["AES_256_GCM"], "3.0.2", True, "3.0.2"),
    ],
)
def test_connections_of_this_host(host, target, control, value, dialect, protected, seen):
    name = "\\\\dc01\\SYSVOL"
    facts = {"windows.connection_dialect": {name: dialect}, "windows.connection_protected": {name: protected}}
    found = in_use(target(control, value), host("windows", facts))
    assert found is None if seen is None else found.users[0].startswith(f"{name} ({seen}")


@pytest.mark.parametrize(
    ("what", "value", "mount", "seen"),
    [
        ("dialect", "3.0", {"vers": "2.0"}, "vers=2.0"),
        ("dialect", "3.0", {"vers": "3.1.1"}, None),
        ("dialect", "3.0", {"vers": ""}, "dialect not told"),
        ("signing", True, {"vers": "1.0"}, "no sign"),
        ("signing", True, {"vers": ""}, "no sign"),
        ("signing", True, {"vers": "2.1"}, None),  # every server of SMB 2 can sign
        ("signing", True, {"vers": "3.1.1", "guest": True}, "guest"),
        ("signing", True, {"vers": "1.0", "sign": True}, None),
        ("encryption", True, {"vers": "3.1.1", "sign": True}, "no seal"),
        ("encryption", True, {"vers": "3.1.1", "seal": True}, None),
        ("guest", False, {"guest": True}, "guest"),
        ("guest", False, {"guest": False}, None),
    ],
)
def test_mounts(host, target, what, value, mount, seen):
    """What is mounted elsewhere, and what fstab alone asks for, is in nobody's way."""
    there = {"/mnt/a": {"source": "//fs/a", **mount}, "/mnt/b": {"source": "//fs/b", "vers": "1.0", "guest": True}}
    wanted = target(f"linux-cifs-mount-{what}", value, object="/mnt/a")
    found = in_use(wanted, host("cifs", {"client.mount": there}))
    assert found is None if seen is None else found.users == (f"//fs/a on /mnt/a ({seen})",)
    asked = {"client.fstab": {"/mnt/a": Fact(configured={"source": "//fs/a", "vers": "1.0", "guest": True})}}
    assert in_use(wanted, host("cifs", asked)) is None
    unread = host("cifs", {"client.mounts_read": Fact(unreadable="/proc/mounts: cannot be read")})
    assert unlisted(wanted, unread).kind == "no-evidence"


def test_a_module_is_not_taken_from_mounts(host, target):
    wanted = target("linux-cifs-module-policy", False)
    facts = {"client.fstab": {"/mnt/a": Fact(configured={"source": "//fs/a"})}}
    assert in_use(wanted, host("cifs", facts)).users == ("//fs/a on /mnt/a (in /etc/fstab)",)
    assert in_use(wanted, host("cifs")) is None


def test_many_users_are_counted_and_few_are_shown(host, target, session):
    many = [session(user=f"u{number}", dialect="NT1") for number in range(80)]
    found = in_use(target("samba-server-min-protocol", "SMB2_10"), host(sessions=many))
    assert len(found.users) == 50
    assert "in use by clients speaking less than SMB2_10: u0@" in found.why
    assert "and 77 more; this is lifted when they are gone" in found.why


@pytest.mark.parametrize("odd", [None, "text", {}, {"user": None, "shares": None, "dialect": 3}])
def test_a_session_of_no_known_form_counts_as_use(host, target, odd):
    situation = host(facts={"usage.session": {"x": Fact(effective=odd)}})
    for control, value in (
        ("samba-server-min-protocol", "SMB2_10"),
        ("samba-server-signing", "mandatory"),
        ("samba-smb-encrypt", "required"),
        ("samba-map-to-guest", "Never"),
        ("samba-restrict-anonymous", 1),
    ):
        assert in_use(target(control, value), situation) is not None, control


@pytest.mark.parametrize("control", ["win-smb1-access-audit", "samba-log-level-auth", "win-audit-logon"])
def test_what_only_watches_is_not_guarded(host, target, session, control):
    facts = {"usage.sessions_read": Fact(unreadable="no")}
    wanted = target(control, True)
    assert in_use(wanted, host("windows", facts, [session(dialect="1.0")])) is None
    assert unlisted(wanted, host("windows", facts)) is None


def test_every_control_that_may_turn_somebody_away_is_guarded():
    """Server side: dialect, signing, encryption, guest and anonymous access, and the stage ntlm, but for what is named."""
    free = {
        "samba-server-max-protocol", "win-smb-server-dialect-max",  # more is offered
        "win-smb-server-honor-cipher-order",  # only an order
        "samba-debug-encryption-off", "win-smb-server-signing-enabled", "win-smb2-server-on",
        "samba-server-smb3-signing-algorithms",  # every client of SMB 3.1.1 that signs knows AES-CMAC
        "samba-guest-account", "win-guest-account-renamed",  # guests come as somebody else
        "win-cluster-smb-encryption",  # between nodes: held back by their role
        "win-smb-signing-live",  # a look at sessions, with no value to write
        "win-no-null-session-fallback",  # listed below: anonymous
    }  # fmt: skip
    for control in catalogue.controls().values():
        fact = control.tests[0].fact
        server = control.when.side == "server" or ".server_" in fact or ".lsa_" in fact
        area = control.area in ("dialect", "signing", "encryption", "guest", "anonymous") or control.stage == "ntlm"
        client = ".client_" in fact or control.stage == "observe" or "outgoing" in fact or "client_security" in fact
        if not server or not area or client or control.manual or control.id in free:
            continue
        values = (True, False, "mandatory", "required", "SMB3_11", "3.1.1", "disabled", "deny", "never", 5, ["x"])
        targets = [Target(control.id, fact, value, area=control.area, stage=control.stage) for value in values]
        assert any(map(cuts, targets)), control.id


@pytest.mark.parametrize("value", [("samba.load_printers", False), ("samba.disable_spoolss", True)])
@pytest.mark.parametrize(
    ("shares", "printing"),
    [(["Laser"], True), (["data", "IPC$"], False), (["data", "hp-from-cups"], True), ([], True)],
)
def test_the_print_service_is_not_switched_off_under_those_who_print(host, target, session, value, shares, printing):
    fact, wanted = value
    facts = {
        "samba.share": {"data": {"path": "/srv"}, "laser": {"path": "/var/spool"}},
        "samba.printable": {"": False, "laser": True},
    }
    blocked = in_use(target("samba-printers-off", wanted, fact), host("samba", facts, [session(shares=shares)]))
    assert (blocked is not None) is printing
