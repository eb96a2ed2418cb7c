# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence that was never there: what an audit cannot tell, of which log it is, and a log in which nothing ever stood."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.guards import in_use, unlisted, unwatched
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Seen
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.stages import waiting

SERVER = "Microsoft-Windows-SMBServer/Audit"
CLIENT = "Microsoft-Windows-SMBClient/Audit"
SECURITY = "Microsoft-Windows-SMBClient/Security"
SINCE = "2026-10-01T10:00:00Z"
WATCHED = {
    "usage.audit_since": {"": SINCE, CLIENT: SINCE, SECURITY: SINCE},
    "usage.events_read": True,
    "windows.event_channel_enabled": {SERVER: True, CLIENT: True, SECURITY: True},
    "windows.server_audit_smb1": True,
    "windows.server_audit_client_no_encryption": True,
    "windows.client_audit_server_no_signing": True,
    "windows.client_audit_server_no_encryption": True,
    "windows.client_audit_insecure_guest": True,
    "windows.lsa_ntlm_audit_incoming": "all-accounts",
    "windows.lsa_ntlm_outgoing": "audit",
}
DAY = datetime.date(2026, 11, 1)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("win-smb1-client-driver-off", "disabled"),
        ("win-smb1-client-dependency", ["bowser", "mrxsmb20", "nsi"]),
        ("win-smb1-feature-absent", "absent"),
        ("win-ntlm-restrict-outgoing", "deny"),
    ],
)
@pytest.mark.parametrize("fact", ["windows.connection_dialect", "windows.connection_protected"])
def test_a_client_whose_connections_could_not_be_listed_is_not_cut(host, target, control, value, fact):
    blocked = unlisted(target(control, value), host("windows", {fact: Fact(unreadable="access denied")}))
    assert blocked.kind == "no-evidence"
    assert "the connections of this host could not be listed (access denied)" in blocked.why
    assert unlisted(target(control, value), host("windows")) is None


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("win-smb-server-dialect-min", "3.0"),  # events of SMB 1.0 tell nothing of clients that speak 2.1
        ("win-smb-server-cipher-order", ["AES_256_GCM", "AES_128_GCM"]),
        ("win-smb-client-cipher-order", ["AES_256_GCM", "AES_128_GCM"]),
        ("win-ntlm-restrict-incoming", "deny"),  # its log is not read
        ("win-ntlm-restrict-outgoing", "deny"),
        ("win-smb-client-block-ntlm", True),
    ],
)
def test_what_the_audit_does_not_tell_needs_a_force(host, target, control, value):
    blocked = unwatched(target(control, value), host("windows", WATCHED, observe_days=14))
    assert blocked.kind == "no-evidence"
    assert f"only an exception of kind force that names {control}" in blocked.why


@pytest.mark.parametrize(
    ("control", "log"),
    [
        ("win-smb1-server-off", ""),
        ("win-smb-server-encrypt-data", ""),
        ("win-smb-client-signing-required", CLIENT),
        ("win-smb-client-require-encryption", CLIENT),
        ("win-smb-client-no-insecure-guest", SECURITY),
    ],
)
def test_the_log_that_has_to_be_old_enough_is_the_one_that_the_events_go_to(host, target, control, log):
    wanted = target(control, control != "win-smb1-server-off" and not log.endswith("Security"))
    assert unwatched(wanted, host("windows", WATCHED, observe_days=14)) is None
    wrapped = {**WATCHED["usage.audit_since"], log: "2026-11-20T10:00:00Z"}
    facts = {**WATCHED, "usage.audit_since": wrapped}
    assert "begins on 2026-11-20, 5 days ago" in unwatched(wanted, host("windows", facts, observe_days=14)).why
    channels = {**WATCHED["windows.event_channel_enabled"], log or SERVER: False}
    facts = {**WATCHED, "windows.event_channel_enabled": channels}
    off = unwatched(wanted, host("windows", facts, observe_days=14))
    assert f"the log {log or SERVER} is switched off" in off.why


EMPTY = {**WATCHED, "usage.audit_since": {CLIENT: SINCE}}
SWITCH = "windows.server_audit_smb1"


def looked(situation, **seen):
    return dataclasses.replace(situation, seen={SWITCH: Seen(**seen)})


def test_a_log_that_nobody_ever_wrote_to_counts_from_when_the_switch_was_seen_on(host, target):
    """Where nobody speaks SMB 1.0 its log stays empty: without another witness the switch-off would wait for ever."""
    wanted = target("win-smb1-server-off", False)
    assert "it holds no event" in unwatched(wanted, host("windows", EMPTY, observe_days=14)).why
    assert unwatched(wanted, looked(host("windows", EMPTY, observe_days=24), on=DAY)) is None
    short = unwatched(wanted, looked(host("windows", EMPTY, observe_days=25), on=DAY))
    assert "switched on only since 2026-11-01, 24 days ago; 25 are asked for" in short.why


def test_a_log_that_could_not_be_read_is_no_empty_one(host, target):
    wanted = target("win-smb1-server-off", False)
    facts = {**WATCHED, "usage.audit_since": Fact(unreadable="access denied")}
    assert "access denied" in unwatched(wanted, looked(host("windows", facts, observe_days=3), on=DAY)).why
    facts = {**EMPTY, "windows.event_channel_enabled": {CLIENT: True}}
    assert unwatched(wanted, looked(host("windows", facts, observe_days=3), on=DAY)) is not None


def test_old_events_do_not_vouch_for_days_on_which_auditing_was_off(host, target):
    wanted = target("win-smb1-server-off", False)
    late = datetime.date(2026, 11, 20)
    since = looked(host("windows", WATCHED, observe_days=14), on=late, off=late)
    assert "switched on only since 2026-11-20, 5 days ago" in unwatched(wanted, since).why
    assert unwatched(wanted, looked(host("windows", WATCHED, observe_days=14), on=DAY)) is None
    before = looked(host("windows", WATCHED, observe_days=14), on=DAY, off=datetime.date(2026, 9, 1))
    assert unwatched(wanted, before) is None


def test_auditing_waits_for_nothing(host, target):
    """Whoever watches which servers this host logs in to by NTLM takes nothing away, whatever stage the control has."""
    audit, deny = target("win-ntlm-restrict-outgoing", "audit"), target("win-ntlm-restrict-outgoing", "deny")
    situation = host("windows", observe_days=14)
    assert unwatched(audit, situation) is None
    assert unwatched(deny, situation) is not None
    signing = target("win-smb-server-signing-required", True)
    held = [(signing, unwatched(signing, situation))]
    free, late = waiting([audit, deny], held, situation)
    assert free == [audit]
    assert [(item, blocked.kind) for item, blocked in late] == [(deny, "stage")]


def test_what_cuts_nothing_that_is_known_waits_for_no_audit_that_is_not_there(host, target):
    """Windows 8.1 and 2012 R2 cannot audit SMB 1.0: time would never lift it there, and the sentence says so."""
    wanted = target("win-ntlm-min-client-sec", ["128-bit"])
    facts = {name: fact for name, fact in WATCHED.items() if name != "windows.server_audit_smb1"}
    assert "only an exception of kind force" in unwatched(wanted, host("windows", facts, observe_days=3)).why
    off = unwatched(wanted, host("windows", {**WATCHED, "windows.server_audit_smb1": False}, observe_days=3))
    assert "auditing is off" in off.why
    assert unwatched(wanted, host("windows", WATCHED, observe_days=3)) is None


def test_old_events_that_hold_a_cut_say_how_they_stop_counting(host, target):
    facts = {"usage.smb1_client": {"10.0.0.9": {"count": 1, "last": "2026-05-01T00:00:00Z"}}}
    wanted = target("win-smb1-server-off", False)
    assert "breakwater_observe_days says how many days of it count" in in_use(wanted, host("windows", facts)).why
    assert in_use(wanted, host("windows", facts, observe_days=14)) is None
    live = in_use(wanted, host("windows", sessions=[{"user": "a", "address": "10.0.0.9", "dialect": "1.0"}]))
    assert "lifted when they are gone, or" in live.why
