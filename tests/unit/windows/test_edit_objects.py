# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps for what stands once per adapter, share or log: hosts made by hand."""

from __future__ import annotations

import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Edited, Native, Target

GUID = "{8F1C5A2E-3D47-4B6A-9C51-0D2E4F6A7B81}"


@pytest.fixture
def host(machine):
    def make(product="2022"):
        found = machine(product)
        found.settings = dict(catalogue.settings("windows"))
        return found

    return make


def only(edited):
    assert edited.refused == ()
    (step,) = edited.steps
    return step


def why(edited, kind="edit"):
    assert (edited.steps, edited.changes) == ((), ())
    (blocked,) = edited.refused
    assert blocked.kind == kind
    return blocked.why


def place(step):
    return (step.kind, step.target, step.name)


def netbios(value="disabled", obj=GUID):
    return Target("c", "windows.netbios_options", value, object=obj, at=obj)


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        ([{"guid": GUID, "options": 0}], Native("integer", 0)),
        ([{"guid": GUID.lower(), "options": 1}], Native("integer", 1)),
        ([{"guid": GUID, "options": None}], ABSENT),
        ([{"guid": "{00000000-0000-0000-0000-000000000000}", "options": 1}], ABSENT),
    ],
)
def test_netbios_is_set_per_adapter(host, rows, before):
    found = host().data("host.netbt", rows)
    edited = found.edit(netbios())
    assert place(only(edited)) == ("netbios", GUID, "")
    assert (only(edited).before, only(edited).after) == (before, Native("integer", 2))
    assert edited.changes[0].address == f"NetBIOS of {GUID}"
    found.data("host.bindings", [{"adapter": "Ethernet0", "component": "ms_server", "interface_guid": GUID.lower()}])
    assert found.edit(netbios()).changes[0].address == "NetBIOS of Ethernet0"


def test_netbios_that_is_set_already_waits_for_its_driver(host):
    found = host().data("host.netbt", [{"guid": GUID, "options": 2}])
    assert found.edit(netbios()) == Edited()


def test_netbios_is_refused_where_it_cannot_be_told_or_meant(host):
    why(host().fail("host.netbt", 126).edit(netbios()), "unreadable")
    why(host().data("host.netbt", [{"guid": GUID, "options": "2"}]).edit(netbios()))
    why(host().data("host.netbt", [{"guid": GUID, "options": 0}]).edit(netbios("perhaps")))


def share(name, **more):
    row = {"name": name, "path": "D:\\x", "type": "FileSystemDirectory", "scope": "*", "special": False}
    return {**row, "encrypt": False, "caching": "Manual", "enumeration": "Unrestricted", "sddl": "D:", **more}


def of_share(fact, value, obj):
    return Target("c", f"windows.share_{fact}", value, object=obj, at=obj)


@pytest.mark.parametrize(
    ("fact", "value", "name", "before", "after"),
    [
        ("encrypt", True, "EncryptData", Native("boolean", False), Native("boolean", True)),
        (
            "enumeration",
            "AccessBased",
            "FolderEnumerationMode",
            Native("text", "Unrestricted"),
            Native("text", "AccessBased"),
        ),
        ("caching", "None", "CachingMode", Native("text", "Manual"), Native("text", "None")),
    ],
)
def test_shares_are_set_by_their_cmdlet(host, fact, value, name, before, after):
    found = host().data("windows.shares", [share("Data"), share("Other")])
    edited = found.edit(of_share(fact, value, "Data"))
    assert place(only(edited)) == ("share_property", "Data", name)
    assert (only(edited).before, only(edited).after) == (before, after)
    assert edited.changes[0].address == f"Set-SmbShare Data {name}"


def test_a_share_of_a_cluster_is_meant_by_its_own_name(host):
    found = host().data("windows.shares", [share("Data", scope="FS-CL1"), share("Docs")])
    assert only(found.edit(of_share("caching", "None", "FS-CL1\\Data"))).target == "Data"


def test_shares_of_one_name_are_never_taken_for_each_other(host):
    for rows, obj in (
        ([share("Data", scope="FS-CL1"), share("data")], "FS-CL1\\Data"),
        ([share("Data"), share("Data")], "Data (2)"),
    ):
        assert "-ScopeName" in why(host().data("windows.shares", rows).edit(of_share("caching", "None", obj)))


def test_shares_that_nothing_could_put_back_are_left_alone(host):
    found = host().data("windows.shares", [share("Data", encrypt=None, caching=None)])
    why(found.edit(of_share("encrypt", True, "Data")))
    why(found.edit(of_share("caching", "None", "Data")))
    why(found.edit(of_share("enumeration", "Sometimes", "Data")))
    why(found.edit(of_share("enumeration", "AccessBased", "Missing")))
    strange = host().data("windows.shares", [share("Da\ud800ta")])
    assert strange.edit(of_share("enumeration", "AccessBased", "Da\\xed\\xa0\\x80ta")).steps == ()
    why(host("2008-r2").data("windows.shares", [share("Data")]).edit(of_share("caching", "None", "Data")))
    why(host().fail("windows.shares", 126).edit(of_share("caching", "None", "Data")), "unreadable")


def log(what, value):
    name = "Microsoft-Windows-SMBServer/Audit"
    return Target("c", f"windows.event_channel_{what}", value, object=name, at=name)


def test_event_logs_are_switched_on_and_made_large_enough(host):
    row = {"name": "Microsoft-Windows-SMBServer/Audit", "enabled": False, "size": 1052672}
    found = host().data("windows.event_logs", [row])
    edited = found.edit(log("enabled", True), log("size", 8388608))
    assert [place(step) for step in edited.steps] == [
        ("event_log", row["name"], "enabled"),
        ("event_log", row["name"], "size"),
    ]
    assert [step.before for step in edited.steps] == [Native("boolean", False), Native("integer", 1052672)]
    assert [step.after for step in edited.steps] == [Native("boolean", True), Native("integer", 8388608)]
    assert only(found.edit(log("size", 8388609))).after == Native("integer", 8454144)  # whole blocks of 64 KB
    why(found.edit(log("size", "large")))
    why(host().data("windows.event_logs", [{**row, "denied": True}]).edit(log("size", 8388608)), "unreadable")
    why(host().edit(log("size", 8388608)))


def test_thousands_of_shares_are_looked_through_once(host):
    found = host().data("windows.shares", [share(f"s{number}") for number in range(2000)])
    targets = [of_share("caching", "None", f"s{number}") for number in range(2000)]
    targets += [of_share("encrypt", True, f"s{number}") for number in range(2000)]
    started = time.process_time()
    edited = found.edit(*targets)
    assert len(edited.steps) == 4000
    assert time.process_time() - started < 5
