# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The third truth beside the other two: where they agree, where not and why, and what is known of others' servers."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.agreement import LOOK, SAME, Look, joined

SAMBA = Implementation("samba", "4.17.12", "server", True)
WINDOWS = Implementation("windows", "10.0.20348", "server", True)
CLIENT = Implementation("samba", "4.17.12", "client")
FAMILIES = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
SETTINGS = catalogue.every_setting()


def port(*taken, signing="not_required", **more):
    dialects = {name: {"answer": "accepted" if name in taken else "refused"} for name in FAMILIES}
    return {"state": "open", "dialects": dialects, "signing": {"answer": signing}, **more}


def document(ports, name="samba", address="10.0.0.5", **more):
    reason = {"reason": more.pop("reason")} if "reason" in more else {}
    identity = {"name": name, "version": "4.17", "evidence": ["GUID holds a NetBIOS name (445/tcp)"], **more}
    return {"target": address, "address": address, "ports": ports, "implementation": identity, **reason}


def facts(**values):
    book = FactSet()
    for name, value in {"host.listeners_read": True, **{k.replace("__", "."): v for k, v in values.items()}}.items():
        book.put(
            name, value if isinstance(value, Fact) else Fact(value) if name[:5] != "host." else Fact(effective=value)
        )
    book.put("host.listener", Fact(effective={"proto": "tcp", "port": 445}), "tcp/*:445")
    return book


def seen(known, *documents, parts=(SAMBA,)):
    return joined(known, parts, SETTINGS, [Look("ctl", documents)])


def test_what_agrees_has_a_third_truth_and_no_cause():
    known = facts(samba__server_min_protocol="SMB2_10", samba__server_signing="mandatory")
    out = seen(known, document({"445/tcp": port("2.1", "3.0", "3.0.2", "3.1.1", signing="required")}))
    fact = out.get("samba.server_min_protocol")
    assert (fact.configured, fact.wire, fact.cause) == ("SMB2_10", "SMB2_10", None)
    assert out.get(SAME, "server min protocol") == Fact(effective=True)
    assert out.get(SAME, "server signing") == Fact(effective=True)
    assert out.get(LOOK, "ctl").effective == [
        {"address": "10.0.0.5", "ports": {"445/tcp": "open (2.1, 3.0, 3.0.2, 3.1.1)"}, "implementation": "samba 4.17"}
    ]
    assert not out.objects("wire.smb1")


def test_what_was_written_and_not_taken_up_is_a_pending_restart_or_reload():
    known = facts(
        samba__server_min_protocol="SMB3_00", samba__server_signing=Fact("mandatory", origin=Origin("local", "f:3"))
    )
    out = seen(known, document({"445/tcp": port(*FAMILIES)}))
    told = out.get(SAME, "server min protocol")
    assert told.effective is False
    assert told.cause.startswith("pending ")
    assert "(host: SMB3_00; on the wire: NT1)" in told.cause
    fact = out.get("samba.server_min_protocol")
    assert (fact.configured, fact.wire) == ("SMB3_00", "NT1")
    assert fact.cause.startswith("pending ")
    signing = out.get("samba.server_signing")
    assert (signing.configured, signing.origin, signing.wire) == ("mandatory", Origin("local", "f:3"), "if_required")


def test_a_policy_that_is_not_obeyed():
    origin = Origin("policy", "SMB Baseline")
    known = facts(windows__server_require_signing=Fact(True, effective=True, origin=origin))
    out = seen(known, document({"445/tcp": port("3.1.1")}, "windows"), parts=(WINDOWS,))
    assert "a policy (policy SMB Baseline)" in out.get(SAME, SETTINGS["windows.server_require_signing"].name).cause or (
        "a policy (SMB Baseline)" in out.get(SAME, SETTINGS["windows.server_require_signing"].name).cause
    )


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("windows", {}, "another server answers on this port: it looks like windows (GUID holds"),
        ("impacket", {}, "it looks like impacket"),
        ("unknown", {}, "pending "),
        ("nq", {"named": True}, "pending "),
    ],
)
def test_another_server_on_the_port(name, more, words):
    known = facts(samba__server_min_protocol="SMB3_00")
    out = seen(known, document({"445/tcp": port(*FAMILIES)}, name, **more))
    assert words in out.get(SAME, "server min protocol").cause


def test_nothing_listens_on_the_host_and_yet_somebody_answers():
    known = facts(samba__server_min_protocol="SMB3_00")
    known.by_id["host.listener"] = {"tcp/*:135": Fact(effective={"proto": "tcp", "port": 135})}
    out = seen(known, document({"445/tcp": port(*FAMILIES)}))
    assert "nothing on the host listens on 445" in out.get(SAME, "server min protocol").cause
    known.put("host.listeners_read", Fact(unreadable="no ss"))
    assert (
        "nothing on the host listens"
        not in seen(known, document({"445/tcp": port(*FAMILIES)})).get(SAME, "server min protocol").cause
    )


def test_what_the_wire_did_not_tell_is_unknown_and_takes_nothing_away():
    known = facts(samba__server_min_protocol="SMB2_10")
    silent = port("3.1.1")
    silent["dialects"]["NT LM 0.12"] = {"answer": "indeterminate", "reason": "no answer in 4 s"}
    out = seen(known, document({"445/tcp": silent}))
    assert "no answer in 4 s" in out.get(SAME, "server min protocol").unreadable
    fact = out.get("samba.server_min_protocol") or known.get("samba.server_min_protocol")
    assert (fact.configured, fact.unreadable) == ("SMB2_10", None)


def test_what_the_host_did_not_tell_stays_unreadable():
    known = facts(samba__server_min_protocol=Fact(unreadable="testparm: not installed"))
    fact = seen(known, document({"445/tcp": port(*FAMILIES)})).get("samba.server_min_protocol")
    assert (fact.unreadable, fact.wire) == ("testparm: not installed", "NT1")


@pytest.mark.parametrize("state", ["closed", "filtered", "unreachable", "not_smb"])
def test_a_port_that_offers_nothing_says_nothing_of_settings(state):
    known = facts(samba__server_min_protocol="SMB2_10")
    out = seen(known, document({"445/tcp": {"state": state, "reason": "x"}}))
    assert out.get("samba.server_min_protocol") is None
    assert not out.objects(SAME)
    assert out.get(LOOK, "ctl").effective[0]["ports"] == {"445/tcp": state}


def test_a_vantage_without_an_answer_is_unknown():
    out = joined(FactSet(), (SAMBA,), SETTINGS, [Look("far", failed="its probe failed"), Look("near")])
    assert out.get(SAME, "far").unreadable == "nothing is known from far: its probe failed"
    assert "not asked about this host" in out.get(SAME, "near").unreadable
    assert out.get(LOOK, "far").unreadable == "its probe failed"


def test_a_server_whose_settings_nobody_can_read_is_told_from_the_wire_alone():
    old = document({"445/tcp": port(*FAMILIES), "139/tcp": {"state": "closed"}}, "nq")
    new = document({"445/tcp": port("3.1.1", signing="required")}, "unknown", "fe80::1")
    out = joined(FactSet(), (CLIENT,), SETTINGS, [Look("ctl", (old, new))])
    assert {at: fact.wire for at, fact in out.objects("wire.smb1").items()} == {
        "10.0.0.5 445/tcp": True,
        "fe80::1 445/tcp": False,
    }
    assert {at: fact.wire for at, fact in out.objects("wire.signing").items()} == {
        "10.0.0.5 445/tcp": False,
        "fe80::1 445/tcp": True,
    }
    doubt = port("3.1.1")
    doubt["dialects"]["NT LM 0.12"] = {"answer": "violation", "reason": "answered 2.0.2"}
    doubt["signing"] = {"answer": "indeterminate", "reason": "reset"}
    out = joined(FactSet(), (), SETTINGS, [Look("ctl", (document({"445/tcp": doubt}, "unknown"),))])
    assert "answered 2.0.2" in out.get("wire.smb1", "10.0.0.5 445/tcp").unreadable
    assert "reset" in out.get("wire.signing", "10.0.0.5 445/tcp").unreadable


def test_what_was_not_asked_for_is_unknown():
    asked = port("3.1.1")
    del asked["dialects"]["NT LM 0.12"], asked["signing"]
    for there, smb1, signing in (
        (asked, "SMB 1.0 was not asked for", "signing was not asked for"),
        ({"state": "open"}, "its dialects were not asked for", "its dialects were not asked for"),
    ):
        out = joined(FactSet(), (), SETTINGS, [Look("ctl", (document({"445/tcp": there}, "unknown"),))])
        assert out.get("wire.smb1", "10.0.0.5 445/tcp").unreadable == smb1
        assert out.get("wire.signing", "10.0.0.5 445/tcp").unreadable == signing


def test_an_address_that_could_not_be_asked_is_unknown():
    out = joined(FactSet(), (SAMBA,), SETTINGS, [Look("ctl", (document({}, "unknown", reason="no such interface"),))])
    assert "no such interface" in out.get(SAME, "10.0.0.5").unreadable


def test_the_weakest_signing_of_both_protocols_counts():
    both = port("NT LM 0.12", "3.1.1", signing="required", smb1_signing={"answer": "disabled"})
    out = joined(FactSet(), (), SETTINGS, [Look("ctl", (document({"445/tcp": both}, "unknown"),))])
    assert out.get("wire.signing", "10.0.0.5 445/tcp").wire is False
    only = port("NT LM 0.12", signing="indeterminate", smb1_signing={"answer": "enabled"})
    del only["signing"]
    out = joined(FactSet(), (), SETTINGS, [Look("ctl", (document({"445/tcp": only}, "unknown"),))])
    assert out.get("wire.signing", "10.0.0.5 445/tcp").wire is False


@pytest.mark.parametrize("state", ["error", "indeterminate", "hostile"])
def test_a_port_of_which_nothing_is_known_is_unknown(state):
    seen_there = {"445/tcp": {"state": state, "reason": "EMFILE"}, "135/tcp": {"state": state, "reason": ""}}
    out = joined(FactSet(), (), SETTINGS, [Look("ctl", (document(seen_there, "unknown"),))])
    for name in ("wire.smb1", "wire.signing"):
        assert {at: "EMFILE" in fact.unreadable for at, fact in out.objects(name).items()} == {"10.0.0.5 445/tcp": True}
