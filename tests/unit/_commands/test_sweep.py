# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of an inventory out of answers: their names, which strangers chose, and their groups."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.modules import probe_info
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.sweep import entries, groups, kept, sweep
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput

OPTIONS = {name: spec.get("default") for name, spec in probe_info.ARGUMENTS.items()}
HOSTILE = (
    "{{ lookup('pipe', 'touch /tmp/owned') }}",
    "<script>alert(1)</script>",
    "\x1b[2Jgone",
    "a b",
    "../../etc/passwd",
    "name\nother",
    "",
    "-rf",
    "x" * 300,
    "10.9.9.9",
    "ñame",
)


def answer(word, reason=""):
    return {"answer": word, "reason": reason, "evidence": ""}


def smb(address, target="", accepted=("3.1.1",), refused=("NT LM 0.12",), name="", **more):
    dialects = {dialect: answer("accepted") for dialect in accepted}
    dialects.update({dialect: answer("refused") for dialect in refused})
    port = {"state": "open", "reason": "", "dialects": dialects, "signing": answer("required"), **more}
    if name:
        port["ntlm"] = {"answer": "offered", "dns_computer": name, "version": "6.1.0"}
    return {
        "target": target or address,
        "address": address,
        "ports": {"445/tcp": port, "139/tcp": {"state": "closed", "reason": ""}},
        "implementation": {"name": "samba"},
    }


def named(*documents, own=True):
    return {entry.address: entry.name for entry in entries(documents, own)}


def test_a_host_is_called_as_the_user_called_it_else_by_its_address():
    found = named(smb("10.0.0.2", "nas01"), smb("10.0.0.1", "10.0.0.0/24"), smb("fd00::1"), own=False)
    assert found == {"10.0.0.1": "10.0.0.1", "10.0.0.2": "nas01", "fd00::1": "fd00::1"}
    assert list(found) == ["10.0.0.1", "10.0.0.2", "fd00::1"]
    assert named(smb("10.0.0.2", "nas01", name="other.example")) == {"10.0.0.2": "nas01"}


def test_a_name_with_two_addresses_is_two_hosts():
    assert named(smb("10.0.0.2", "nas01"), smb("fd00::2", "nas01"), own=False) == {
        "10.0.0.2": "10.0.0.2",
        "fd00::2": "fd00::2",
    }


def test_a_host_may_be_called_as_it_calls_itself():
    assert named(smb("10.0.0.1", name="Files.Example.COM")) == {"10.0.0.1": "files.example.com"}
    assert named(smb("10.0.0.1", name="Files.Example.COM"), own=False) == {"10.0.0.1": "10.0.0.1"}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_proper_name_is_never_a_hosts_name(name):
    assert named(smb("10.0.0.1", name=name)) == {"10.0.0.1": "10.0.0.1"}
    assert named(smb("10.0.0.1", target=name or "10.0.0.1")) == {"10.0.0.1": "10.0.0.1"}


def test_nobody_takes_the_name_of_another():
    found = named(smb("10.0.0.1", name="dc01"), smb("10.0.0.2", name="DC01"), smb("10.0.0.3", name="nas01"))
    assert found == {"10.0.0.1": "10.0.0.1", "10.0.0.2": "10.0.0.2", "10.0.0.3": "nas01"}
    given = named(smb("10.0.0.1", "dc01"), smb("10.0.0.2", name="DC01"))
    assert given == {"10.0.0.1": "dc01", "10.0.0.2": "10.0.0.2"}


def test_groups_say_what_is_offered():
    assert set(groups(smb("10.0.0.1", accepted=("NT LM 0.12", "2.0.2", "3.1.1"), refused=()))) == {
        "smb",
        "smb_dialect_NT LM 0.12",
        "smb_dialect_2.0.2",
        "smb_dialect_3.1.1",
        "smb_smb1",
        "smb_signing_required",
        "smb_is_samba",
        "smb_port_445/tcp",
    }
    weak = set(groups(smb("10.0.0.1", signing=answer("not_required"))))
    assert "smb_signing_not_required" in weak
    assert not {"smb_smb1", "smb_smb1_unknown"} & weak


def test_what_is_not_known_has_a_group_of_its_own():
    odd = smb("10.0.0.1", refused=(), signing=answer("indeterminate", "no answer"))
    odd["ports"]["445/tcp"]["dialects"]["NT LM 0.12"] = answer("indeterminate", "no answer")
    assert {"smb_smb1_unknown", "smb_signing_unknown"} <= set(groups(odd))
    half = smb("10.0.0.1")
    half["ports"]["139/tcp"] = {"state": "hostile", "reason": "it went on and on"}
    assert {"smb_smb1_unknown", "smb_signing_unknown"} <= set(groups(half))


def test_only_targets_with_something_open_are_hosts(context, shown):
    states = {"10.0.0.1": "open", "10.0.0.2": "closed", "10.0.0.3": "filtered", "10.0.0.4": "not_smb"}

    def ask(targets, made, on_answer, progress):
        assert made.ports == (4450,)
        for target in targets:
            port = {"state": states[target.address], "reason": ""}
            on_answer({"target": target.given, "address": target.address, "ports": {"4450/tcp": port}})
        return {"no free port": 1}

    def lookup(name):
        raise OSError("no such \x1b[2Jname")

    options = {**OPTIONS, "targets": ["10.0.0.1-4", "gone"], "ports": [4450]}
    found = sweep(options, None, context, ask, lookup)
    assert [document["address"] for document in found] == ["10.0.0.1"]
    assert found[0]["implementation"]["name"] == "unknown"
    assert shown == [
        "gone is not in the inventory: the name cannot be resolved: no such \\x1b[2Jname",
        "While sweeping: no free port (1 time)",
    ]


def test_neighbours_of_smb_are_an_exposure_and_no_server(context):
    ports = {"10.0.0.1": "137/udp", "10.0.0.2": "135/tcp", "10.0.0.3": "443/udp", "10.0.0.4": "5445/tcp"}

    def ask(targets, made, on_answer, progress):
        for target in targets:
            told = {
                "445/tcp": {"state": "closed", "reason": ""},
                ports[target.address]: {"state": "open", "reason": ""},
            }
            on_answer({"target": target.given, "address": target.address, "ports": told})
        return {}

    found = list(entries(sweep({**OPTIONS, "targets": ["10.0.0.1-4"]}, None, context, ask), False))
    assert {entry.name: entry.groups for entry in found} == {
        "10.0.0.1": ("smb_port_137/udp",),
        "10.0.0.4": ("smb_port_5445/tcp",),
    }


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"targets": ["8.8.8.8"]}, "no private address"),
        ({"targets": ["x y"]}, "not one word"),
        ({"window": 0}, "option window"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(context, change, seen):
    def never(*_arguments):
        raise AssertionError("nothing may be asked")

    with pytest.raises(BadInput, match=seen):
        sweep({**OPTIONS, "targets": ["10.0.0.1"], **change}, None, context, never)


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "all",
        "Ungrouped",
        "smb",
        "smb_is_samba",
        "smb_port_445_tcp",
        "jump01",
        "web",
    ],
)
def test_nobody_becomes_what_means_something_else(name):
    documents = [smb("10.0.0.1", "10.0.0.0/24", name=name), smb("10.0.0.2", "10.0.0.0/24", name="nas01")]
    found = {entry.address: entry.name for entry in entries(documents, True, ("jump01", "WEB"))}
    assert found == {"10.0.0.1": "10.0.0.1", "10.0.0.2": "nas01"}


@pytest.mark.parametrize("found", [None, "x", [1], [{"address": "127.0.0.1"}], {"a": 1}])
def test_what_a_cache_holds_and_is_not_ours_is_not_taken(found):
    assert kept(found) is None


def test_what_a_cache_holds_and_is_ours_is_taken():
    good = {**smb("10.0.0.1"), "started": "2026-12-01T09:00:00.000Z", "source": "10.0.0.9", "smb1_attempts": []}
    assert kept([good]) == [good]
    assert kept([{**good, "implementation": None}]) is None


def test_an_address_that_was_named_twice_is_one_host_with_all_its_ports():
    one, two = smb("10.0.0.1"), smb("10.0.0.1", "10.0.0.1:4451")
    two["ports"] = {"4451/tcp": two["ports"]["445/tcp"]}
    (entry,) = entries([one, two], False)
    assert set(entry.answers["ports"]) == {"445/tcp", "139/tcp", "4451/tcp"}
    assert {"smb_port_445/tcp", "smb_port_4451/tcp"} <= set(entry.groups)
