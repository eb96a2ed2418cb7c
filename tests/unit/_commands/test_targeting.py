# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the user wrote to whom a probe may ask; nothing is asked before all of it was checked."""

from __future__ import annotations

import contextlib
import datetime
import socket

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import targeting
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.targeting import (
    check_here,
    check_vantages,
    choose_targets,
    known_hosts,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.targets import expand

TODAY = datetime.date(2026, 12, 1)
NAMES = {
    "nas01": ["10.0.0.1"],
    "both": ["10.0.0.2", "fd00::2"],
    "www": ["203.0.113.7"],
    "split": ["10.0.0.3", "8.8.8.8"],
}


def lookup(name):
    if name == "empty":
        return []
    if name not in NAMES:
        raise socket.gaierror(-2, "Name or service not known")
    return NAMES[name]


def choose(*texts, scope=None):
    return choose_targets(texts, scope, TODAY, lookup)


def write(tmp_path, text):
    path = tmp_path / "scope.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_names_are_resolved_and_merged_with_addresses():
    chosen = choose("nas01", "10.0.0.0/30", "both", "nas01")
    assert [target.address for target in expand(chosen.ranges)] == ["10.0.0.1", "10.0.0.2", "fd00::2"]
    assert (chosen.total, dict(chosen.unresolved)) == (3, {})


@pytest.mark.parametrize("name", ["www", "split"])
def test_a_name_that_leads_out_of_the_private_ranges_is_refused_by_its_address(name):
    with pytest.raises(BadInput, match=rf"\({name}\): (203\.0\.113\.7|8\.8\.8\.8) is no private address"):
        choose("nas01", name)


def test_addresses_are_checked_before_any_name_is_looked_up():
    def never(name):
        raise AssertionError(name)

    with pytest.raises(BadInput, match="may not be probed"):
        choose_targets(["nas01", "8.8.8.8"], None, TODAY, never)
    with pytest.raises(BadInput, match="cannot be used"):
        choose_targets(["nas01", "10.0.0.300"], None, TODAY, never)


def test_a_scope_file_lets_a_name_in(tmp_path):
    path = write(tmp_path, "scope:\n  - network: 203.0.113.0/24\n    reason: our DMZ\n    owner: alice\n")
    chosen = choose("www", scope=path)
    assert [target.given for target in expand(chosen.ranges)] == ["www"]
    assert chosen.grants[0].owner == "alice"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("scope:\n  - network: 203.0.113.1/24\n    reason: x\n    owner: y\n", "scope.yml:2"),
        ("scope:\n  - network: 203.0.113.1\n    owner: y\n", "scope.yml:2"),
        ("scopes: []\n", "scope.yml:1): scopes: unknown key"),
        ("- a\n- &x b\n- *x\n", "aliases are not allowed"),
        ("scope: [", "scope.yml:1"),
        ("\x00", "a character that YAML does not allow"),
        ("just text", "no list"),
    ],
)
def test_a_bad_scope_file_is_named_with_its_line(tmp_path, text, seen):
    with pytest.raises(BadInput) as caught:
        choose("10.0.0.1", scope=write(tmp_path, text))
    assert seen in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scope_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match=r"Cannot read the scope file .*check breakwater_scope"):
        choose("10.0.0.1", scope=str(tmp_path / "nothing.yml"))


def test_a_name_that_leads_nowhere_is_told_and_the_others_go_on():
    chosen = choose("gone", "nas01", "gone:4450", "empty")
    assert chosen.total == 1
    assert dict(chosen.unresolved) == {
        "gone": "the name cannot be resolved: Name or service not known",
        "gone:4450": "the name cannot be resolved: Name or service not known",
        "empty": "the name has no address",
    }


def test_when_nothing_is_left_it_is_an_error():
    with pytest.raises(
        BadInput, match=r"nothing to probe \(gone\): the name cannot be resolved: Name or service not known"
    ):
        choose("gone")
    with pytest.raises(BadInput, match=r"no target is named; set breakwater_targets"):
        choose()


def test_the_systems_resolver_is_the_default(monkeypatch):
    asked = []

    def resolver(name, port, type):
        asked.append((name, port))
        return [
            (socket.AF_INET6, type, 6, "", ("fd00::1", 0, 0, 0)),
            (socket.AF_INET, type, 6, "", ("10.0.0.1", 0)),
            (socket.AF_INET, type, 6, "", ("10.0.0.1", 0)),
        ]

    monkeypatch.setattr(targeting.socket, "getaddrinfo", resolver)
    chosen = choose_targets(["nas01"], None, TODAY)
    assert asked == [("nas01", None)]
    assert [target.address for target in expand(chosen.ranges)] == ["fd00::1", "10.0.0.1"]


def test_inventory_hosts_are_asked_as_they_are_reached():
    variables = {"a": {"ansible_host": "10.0.0.1", "breakwater_implementation": "nq"}, "b": {}}
    assert known_hosts(["a", "b"], variables) == {"10.0.0.1": "nq", "b": ""}
    with pytest.raises(BadInput, match=r"no such host.*nope"):
        known_hosts(["a", "nope"], variables)


def test_vantages_that_are_named_have_to_exist():
    check_vantages(None, [])
    check_vantages(["localhost"], ["localhost"])
    for patterns, text in ((["a", "b"], "'a,b'"), ([""], "''")):
        with pytest.raises(BadInput, match=f"breakwater_vantage {text} is no host of the inventory"):
            check_vantages(patterns, [])


@pytest.mark.parametrize(
    ("vantage", "here"), [("localhost", True), ("mine", True), ("far", False), ("unlisted", False)]
)
def test_only_this_machine_is_here(vantage, here):
    variables = {"mine": {"ansible_connection": "local"}, "far": {"ansible_host": "10.0.0.1"}}
    with contextlib.nullcontext() if here else pytest.raises(BadInput, match="was not reached"):
        check_here(vantage, variables)
