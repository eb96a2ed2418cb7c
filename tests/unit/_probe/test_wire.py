# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host answered, as the third truth about its settings: never more than a client can see."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import smb1
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.offer import ORDER, SMB1
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.wire import wire_facts

SMB2 = ("2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
SILENT = {"answer": "indeterminate", "reason": "no answer in 8 s", "evidence": ""}


def answer(word, **more):
    return {"answer": word, "reason": "", "evidence": "", **more}


def port(accepted=SMB2, refused=("NT LM 0.12", "LANMAN2.1"), silent=(), state="open", signing="not_required", **more):
    dialects = {name: answer("refused") for name in (*refused, *SMB2)}
    dialects.update({name: answer("accepted") for name in accepted})
    dialects.update(dict.fromkeys(silent, SILENT))
    return {"state": state, "reason": "", "dialects": dialects, "signing": answer(signing), **more}


def document(**ports):
    names = {"direct": "445/tcp", "session": "139/tcp", "names": "137/udp", "mapper": "135/tcp"}
    return {"target": "a", "address": "10.0.0.1", "ports": {names[name]: item for name, item in ports.items()}}


def facts(*documents, who="samba", **configured):
    known = FactSet()
    for name, value in configured.items():
        known.put(f"{who}.{name}", Fact(configured=value))
    return wire_facts(documents, [who], known)


def wire(found, name):
    fact = found.get(name)
    return (None, None) if fact is None else (fact.wire, fact.unreadable)


# Samba ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "low", "high"),
    [
        (SMB2, "SMB2_02", "SMB3_11"),
        (SMB2[1:], "SMB2_10", "SMB3_11"),
        (SMB2[4:], "SMB3_11", "SMB3_11"),
        (SMB2[2:4], "SMB3_00", "SMB3_02"),
        (("NT LM 0.12", *SMB2), "NT1", "SMB3_11"),
        (("NT LM 0.12", "LANMAN2.1", *SMB2), "LANMAN2", "SMB3_11"),
        (("NT LM 0.12",), "NT1", "NT1"),
    ],
)
def test_floor_and_ceiling_of_samba(accepted, low, high):
    found = facts(document(direct=port(accepted)))
    assert wire(found, "samba.server_min_protocol") == (low, None)
    assert wire(found, "samba.server_max_protocol") == (high, None)


@pytest.mark.parametrize(
    ("accepted", "configured", "expected"),
    [
        (("NT LM 0.12", *SMB2), "LANMAN1", "LANMAN1"),  # lanman auth turns the older ones away
        (("NT LM 0.12", *SMB2), "CORE", "CORE"),
        (SMB2[2:], "SMB2_24", "SMB2_24"),  # never released: the next one is what a client can be offered
        (SMB2[4:], "SMB3_10", "SMB3_10"),
        (SMB2[1:], "SMB2_02", "SMB2_10"),
        (SMB2, "SMB3_11", "SMB2_02"),
        (("NT LM 0.12", *SMB2), "SMB2_02", "NT1"),
    ],
)
def test_a_floor_that_fits_is_told_in_the_hosts_own_words(accepted, configured, expected):
    found = facts(document(direct=port(accepted)), server_min_protocol=configured)
    assert wire(found, "samba.server_min_protocol") == (expected, None)


@pytest.mark.parametrize(
    ("algorithms", "configured", "expected"),
    [
        (["AES-CMAC"], "SMB2_02", "SMB2_02"),
        (["AES-CMAC"], "SMB3_11", "SMB3_00"),
        (["AES-CMAC", "HMAC-SHA256"], "SMB2_02", "SMB3_00"),
    ],
)
def test_a_floor_may_be_lower_where_older_dialects_cannot_sign(algorithms, configured, expected):
    told = port(SMB2[2:], signing_algorithms=answer("known", values=algorithms))
    found = facts(document(direct=told), server_min_protocol=configured)
    assert wire(found, "samba.server_min_protocol") == (expected, None)


@pytest.mark.parametrize(
    ("answered", "configured", "expected"),
    [
        ("required", "mandatory", "mandatory"),
        ("required", "default", "default"),
        ("required", "if_required", "mandatory"),
        ("required", None, "mandatory"),
        ("not_required", "disabled", "disabled"),
        ("not_required", "desired", "desired"),
        ("not_required", "default", "default"),
        ("not_required", "mandatory", "if_required"),
        ("not_required", None, "if_required"),
    ],
)
def test_signing_of_samba(answered, configured, expected):
    found = facts(document(direct=port(signing=answered)), **({"server_signing": configured} if configured else {}))
    assert wire(found, "samba.server_signing") == (expected, None)


def test_what_runs_counts_before_what_is_written():
    known = FactSet()
    known.put("samba.server_signing", Fact(configured="mandatory", effective="desired"))
    found = wire_facts([document(direct=port())], ["samba"], known)
    assert wire(found, "samba.server_signing") == ("desired", None)


def test_an_answer_that_is_missing_is_unreadable_and_never_a_pass():
    found = facts(document(direct=port(SMB2[4:], silent=["2.1"], signing="indeterminate")))
    low = found.get("samba.server_min_protocol")
    assert low.wire == "SMB3_11"
    assert low.unreadable == "the wire did not tell: 445/tcp, 2.1: no answer in 8 s"
    assert wire(found, "samba.server_max_protocol") == ("SMB3_11", None)
    signing = found.get("samba.server_signing")
    assert signing.wire is None
    assert signing.unreadable.startswith("the wire did not tell: 445/tcp, signing")


def test_a_newer_dialect_that_gave_no_answer_leaves_the_ceiling_open():
    found = facts(document(direct=port(SMB2[:4], silent=["3.1.1"])))
    assert found.get("samba.server_max_protocol").unreadable
    assert wire(found, "samba.server_min_protocol") == ("SMB2_02", None)


def test_a_violation_is_neither_accepted_nor_refused():
    told = port(SMB2[4:])
    told["dialects"]["2.0.2"] = answer("violation", reason="answered 3.1.1")
    found = facts(document(direct=told))
    assert found.get("samba.server_min_protocol").unreadable == "the wire did not tell: 445/tcp, 2.0.2: answered 3.1.1"


def test_what_was_not_asked_is_not_known():
    found = facts(document(direct=port(refused=())))
    assert found.get("samba.server_min_protocol").unreadable == "the wire did not tell: SMB 1.0 was not asked for"
    assert wire(facts(document(direct=port(refused=("NT LM 0.12",)))), "samba.server_min_protocol") == ("SMB2_02", None)


@pytest.mark.parametrize("state", ["closed", "filtered", "unreachable", "not_smb"])
def test_a_port_that_offers_nothing_says_nothing(state):
    silent = {"state": state, "reason": ""}
    assert not facts(document(direct=silent, session=silent)).by_id
    both = facts(document(direct=port(SMB2[4:]), session=silent))
    assert wire(both, "samba.server_min_protocol") == ("SMB3_11", None)


@pytest.mark.parametrize("state", ["indeterminate", "hostile", "error"])
def test_a_port_that_may_offer_something_makes_all_of_it_unreadable(state):
    odd = {"state": state, "reason": "it went on and on"}
    for found in (
        facts(document(direct=odd)),
        facts(document(direct=port(SMB2[4:], signing="required"), session=odd)),
    ):
        for name in ("server_min_protocol", "server_signing"):
            assert f"is {state}: it went on and on" in found.get(f"samba.{name}").unreadable
    certain = facts(document(direct=port(), session=odd))
    assert wire(certain, "samba.server_signing") == ("if_required", None)  # weaker it cannot be


def test_the_weakest_port_and_the_weakest_vantage_count():
    old = port(("NT LM 0.12", *SMB2), refused=("LANMAN2.1",))
    found = facts(document(direct=port(SMB2[4:], signing="required"), session=old))
    assert wire(found, "samba.server_min_protocol") == ("NT1", None)
    assert wire(found, "samba.server_signing") == ("if_required", None)
    assert facts(document(direct=port(SMB2[4:], signing="required")), document(direct=old)).by_id == found.by_id


def test_what_a_client_cannot_see_is_not_claimed():
    told = port(ciphers=answer("known", values=["AES-128-GCM"]), anonymous=answer("refused"), guest=answer("refused"))
    found = facts(document(direct=told), server_smb_encrypt="required")
    for name in ("server_smb_encrypt", "restrict_anonymous", "map_to_guest", "nmbd_running"):
        assert found.get(f"samba.{name}") is None, name


@pytest.mark.parametrize(
    ("ciphers", "configured", "expected"),
    [
        ("none", "required", ("disabled", None)),
        ("none", None, ("disabled", None)),
        ("known", "disabled", ("if_required", None)),
        ("known", "desired", ("desired", None)),
        ("known", "required", (None, None)),  # nobody sees that before a session
        ("known", None, (None, None)),
        ("indeterminate", "desired", (None, None)),
    ],
)
def test_encryption_of_samba(ciphers, configured, expected):
    told = port(ciphers=answer(ciphers, values=[]))
    found = facts(document(direct=told), **({"server_smb_encrypt": configured} if configured else {}))
    assert wire(found, "samba.server_smb_encrypt") == expected


def test_guests_and_the_name_service_are_seen():
    told = port(anonymous=answer("accepted"), guest=answer("accepted"))
    found = facts(document(direct=told, names={"state": "open", "names": [{"name": "A"}]}), map_to_guest="Never")
    assert wire(found, "samba.map_to_guest") == ("Bad User", None)
    assert wire(found, "samba.nmbd_running") == (True, None)


def test_a_session_without_a_name_says_nothing_about_what_it_may_do():
    told = port(anonymous=answer("accepted"), guest=answer("refused"))
    assert facts(document(direct=told), restrict_anonymous=2).get("samba.restrict_anonymous") is None


def test_what_older_dialects_take_is_no_list():
    told = port(
        SMB2[:4],
        ciphers=answer("known", values=["AES-128-CCM"]),
        signing_algorithms=answer("known", values=["AES-CMAC"]),
    )
    found = facts(document(direct=told))
    assert not [name for name in found.by_id if "algorithms" in name or "encrypt" in name]


def test_algorithms_are_told_in_the_hosts_order_when_they_are_the_same():
    told = port(
        ciphers=answer("known", values=["AES-128-GCM", "AES-256-GCM"]),
        signing_algorithms=answer("known", values=["AES-GMAC", "AES-CMAC", "HMAC-SHA256"]),
    )
    name = "server_smb3_encryption_algorithms"
    same = facts(document(direct=told), **{name: ["AES-256-GCM", "AES-128-GCM"]})
    assert wire(same, f"samba.{name}") == (["AES-256-GCM", "AES-128-GCM"], None)
    more = facts(document(direct=told), **{name: ["AES-256-GCM"]})
    assert wire(more, f"samba.{name}") == (["AES-128-GCM", "AES-256-GCM"], None)
    signing = wire(more, "samba.server_smb3_signing_algorithms")
    assert signing == (["AES-128-GMAC", "AES-128-CMAC", "HMAC-SHA256"], None)
    odd = facts(document(direct=port(ciphers=answer("indeterminate", values=["AES-128-GCM"], reason="it hung up"))))
    assert odd.get(f"samba.{name}").unreadable == "the wire did not tell: 445/tcp, ciphers: it hung up"
    assert facts(document(direct=port(ciphers=answer("none", values=[])))).get(f"samba.{name}") is None


def test_only_smb1_tells_its_own_signing():
    told = port(("NT LM 0.12",), refused=("LANMAN2.1",), signing="indeterminate", smb1_signing=answer("enabled"))
    assert wire(facts(document(direct=told)), "samba.server_signing") == ("desired", None)


# Windows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "silent", "expected"),
    [
        (("NT LM 0.12", *SMB2), (), (True, None)),
        (SMB2, (), (False, None)),
        (SMB2, ("NT LM 0.12",), (None, "the wire did not tell: 445/tcp, NT LM 0.12: no answer in 8 s")),
        (("NT LM 0.12",), ("LANMAN2.1",), (True, None)),
    ],
)
def test_smb1_of_windows(accepted, silent, expected):
    found = facts(document(direct=port(accepted, silent=silent)), who="windows")
    assert wire(found, "windows.smb1_server") == expected


def test_smb1_of_windows_that_was_not_asked_for():
    found = facts(document(direct=port(refused=())), who="windows")
    assert found.get("windows.smb1_server").unreadable == "the wire did not tell: SMB 1.0 was not asked for"


def test_floor_ceiling_signing_and_ciphers_of_windows():
    told = port(SMB2[2:], signing="required", ciphers=answer("known", values=["AES-256-GCM"]))
    found = facts(
        document(direct=told),
        who="windows",
        server_dialect_min="3.0",
        server_dialect_max="none",
        server_ciphers=["AES_256_GCM"],
    )
    assert wire(found, "windows.server_dialect_min") == ("3.0", None)
    assert wire(found, "windows.server_dialect_max") == ("none", None)
    assert wire(found, "windows.server_require_signing") == (True, None)
    assert wire(found, "windows.server_ciphers") == (["AES_256_GCM"], None)
    assert wire(found, "windows.server_smb2") == (True, None)
    plain = facts(document(direct=port()), who="windows", server_dialect_min="3.0", server_require_signing=True)
    assert wire(plain, "windows.server_dialect_min") == ("none", None)
    assert wire(plain, "windows.server_require_signing") == (False, None)


def test_a_windows_without_a_dialect_floor_gets_none():
    found = facts(document(direct=port()), who="windows", server_require_signing=False)
    assert found.get("windows.server_dialect_min") is None
    assert found.get("windows.server_dialect_max") is None


def test_a_windows_without_smb2():
    told = port(("NT LM 0.12",), refused=("LANMAN2.1",), signing="indeterminate", smb1_signing=answer("required"))
    found = facts(document(direct=told), who="windows")
    assert wire(found, "windows.server_smb2") == (False, None)
    assert wire(found, "windows.server_require_signing") == (True, None)


# All -----------------------------------------------------------------------------------------------------------------


def test_every_fact_is_one_that_the_tables_or_the_readers_know():
    told = port(
        ("NT LM 0.12", *SMB2),
        ciphers=answer("known", values=["AES-128-GCM"]),
        signing_algorithms=answer("known", values=["AES-GMAC"]),
        anonymous=answer("accepted"),
        guest=answer("accepted"),
    )
    names = {"state": "open", "names": [{"name": "A"}]}
    found = wire_facts([document(direct=told, names=names)], ["samba", "windows", "ksmbd"], FactSet())
    tests = {test.fact for control in catalogue.controls().values() for test in control.tests}
    assert found.by_id.keys() <= catalogue.every_setting().keys() | tests
    for fact_id, _obj, fact in found:
        setting = catalogue.every_setting().get(fact_id)
        if setting is not None and setting.scale:
            assert fact.wire in setting.scale, fact_id


def test_every_dialect_that_the_engine_asks_for_has_its_place():
    assert set(smb1.DIALECTS) == SMB1.keys() - {"PCLAN1.0", "XENIX CORE"}
    order = [ORDER.index(SMB1[name]) for name in smb1.DIALECTS if name != "Windows for Workgroups 3.1a"]
    assert order == sorted(order)
    strange = facts(document(direct=port((*SMB2, "SOMETHING NEW 7"))))
    assert wire(strange, "samba.server_min_protocol") == ("CORE", None)


def test_other_implementations_have_no_settings_here():
    assert not facts(document(direct=port()), who="ksmbd").by_id


def test_nothing_that_was_asked_is_nothing_that_is_known():
    assert not wire_facts([], ["samba", "windows"], FactSet()).by_id
    assert not wire_facts([{"ports": {}}], ["samba", "windows"], FactSet()).by_id
    mapper = {"state": "open", "reason": ""}
    assert not facts(document(mapper=mapper)).by_id


@pytest.mark.parametrize(
    ("name", "fact", "believed"),
    [("windows", "windows.server_require_signing", True), ("samba", "samba.server_signing", "mandatory")],
)
def test_signing_is_as_weak_as_that_of_smb1_where_that_is_spoken(name, fact, believed):
    known = FactSet()
    known.put(fact, Fact(believed))
    both = port(("NT LM 0.12", *SMB2), (), signing="required", smb1_signing=answer("disabled"))
    seen = wire_facts([document(direct=both)], [name], known).get(fact)
    assert seen.wire not in (None, believed)
    alone = port(SMB2, signing="required")
    assert wire_facts([document(direct=alone)], [name], known).get(fact).wire == believed


@pytest.mark.parametrize(
    ("role", "signing", "wire"),
    [
        ("standalone", "required", "mandatory"),
        ("domain-controller", "required", "default"),
        ("standalone", "not_required", "default"),
        ("domain-controller", "not_required", "if_required"),
    ],
)
def test_what_the_default_of_signing_means_hangs_on_the_role(role, signing, wire):
    known = FactSet()
    known.put("samba.server_signing", Fact("default"))
    known.put("samba.server_role_effective", Fact(effective=role))
    seen = wire_facts([document(direct=port(signing=signing))], ["samba"], known)
    assert seen.get("samba.server_signing").wire == wire
