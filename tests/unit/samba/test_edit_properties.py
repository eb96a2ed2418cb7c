# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of every edit of every configuration: the wanted values hold, the others stay, and so do all other bytes."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import grammar
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.conf import Configuration
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import Table, fact_id
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Edited, Target

from .smbconf import MAIN, SETTINGS, Host, want

TABLE = Table(SETTINGS.values(), "4.17")
SHARES = ("a", "Beta", "c d")
"""Beside them "b", which sometimes is a copy of "a"."""
GLOBAL: dict[str, list[Any]] = {
    "server signing": ["mandatory", "disabled", "default"],
    "server min protocol": ["SMB2_10", "SMB3_11", "NT1"],
    "deadtime": [0, 15],
    "name resolve order": [["lmhosts", "host"], ["host"]],
    "map to guest": ["Never", "Bad User"],
    "server string": ["", "port", "x = y"],
}
SHARED: dict[str, list[Any]] = {
    "guest ok": [True, False],
    "read only": [True, False],
    "server smb encrypt": ["required", "desired"],
    "hosts allow": [["10.0.0.0/8"], []],
    "wide links": [False],
    "force create mode": ["0600"],
}
WRITTEN = {
    "server signing": ("server signing", ["auto", "Mandatory", "disabled"]),
    "Min  Protocol": ("server min protocol", ["NT1", "SMB2", "smb3"]),
    "deadtime": ("deadtime", ["0", "010", "7"]),
    "nameresolveorder": ("name resolve order", ["lmhosts bcast", '"host", wins']),
    "server \\\n string": ("server string", ["a \\\n  b", "caf\udce9", "q ; r"]),
    "public": ("guest ok", ["yes", "0", "True"]),
    "guest ok": ("guest ok", ["no", "yes"]),
    "Write OK": ("read only", ["yes", "no"]),
    "read only": ("read only", ["1", "false"]),
    "smb encrypt": ("server smb encrypt", ["off", "mandatory"]),
    "allow hosts": ("hosts allow", ["ALL", "10., \\\n\t192.168."]),
    "force create mode": ("force create mode", ["0", "755"]),
}
noise = st.sampled_from(
    ["", "  ", "# a comment \\", "; caf\udce9", "a line without the sign", "\ttesting : me = 1", "no such = 1"]
)
blanks = st.sampled_from(["", "  ", "\t"])


@st.composite
def parameters(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(WRITTEN)))
    text = draw(st.sampled_from(WRITTEN[name][1]))
    return f"{draw(blanks)}{name}{draw(st.sampled_from(['=', ' = ', ' =']))}{text}{draw(blanks)}"


@st.composite
def sections(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    """A section with some lines; a share has a path."""
    name = draw(st.sampled_from(names))
    path = [] if name.lower() == "global" else ["\tpath = /tmp"]
    return "\n".join([f"[{name}]", *path, *draw(st.lists(st.one_of(parameters(), parameters(), noise), max_size=4))])


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by path: the main one, and includes that include each other only forwards."""
    number = draw(st.integers(1, 4))
    first = draw(st.sampled_from(["[global]\n   workgroup = X", "[a]\n path = /a", "", "[a]\npath=/a\n[b]\ncopy = a"]))
    files = {}
    for index in range(number):
        pieces = [noise, parameters(), *[sections(("global", "GLOBAL", *SHARES, "BETA"))] * 3]
        if index + 1 < number:
            pieces.append(st.integers(index + 1, number - 1).map(lambda other: f"  include = /f{other}"))
        lines = "\n".join([*([] if index else [first]), *draw(st.lists(st.one_of(pieces), max_size=6))]).split("\n")
        end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
        text = draw(st.sampled_from(["", "", "\ufeff# head\n"])) + end.join(lines) + draw(st.sampled_from([end, ""]))
        files[f"/f{index}" if index else MAIN] = text.encode("utf-8", "surrogateescape")
    return files


wishes = st.one_of(
    st.sampled_from(sorted(GLOBAL)).flatmap(lambda name: st.sampled_from(GLOBAL[name]).map(lambda v: want(name, v))),
    st.tuples(st.sampled_from(sorted(SHARED)), st.sampled_from(("", "b", *SHARES))).flatmap(
        lambda pair: st.sampled_from(SHARED[pair[0]]).map(lambda value: want(pair[0], value, pair[1]))
    ),
)


def scopes(configuration: Configuration) -> list[str]:
    return ["", *configuration.shares]


def values(configuration: Configuration, scope: str) -> dict[str, Any]:
    if not scope:
        return {fact: found.value for fact, found in configuration.globals.items()}
    share = configuration.shares[scope]
    return {fact: found.value for fact, found in {**share.inherited, **share.own}.items()}


def asked(done: Edited, targets: list[Target]) -> dict[tuple[str, str], Any]:
    """What the plan answers for: (fact, section) → value."""
    refused = {(blocked.fact, blocked.object) for blocked in done.refused}
    return {(t.fact, t.object.lower()): t.value for t in targets if (t.fact, t.object) not in refused}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(configurations(), st.lists(wishes, min_size=1, max_size=6, unique_by=lambda t: (t.fact, t.object)))
def test_wanted_values_hold_and_everything_else_stays(files, targets):
    host = Host(files)
    before, original = host.configuration(), dict(host.files)
    done = host.edit(*targets)
    after = host.configuration()
    answered = asked(done, targets)
    assert after.errors == before.errors
    assert scopes(after) == scopes(before)
    if before.errors:
        assert done.steps == () and len(done.refused) == len(targets)
        return
    for (fact, scope), value in answered.items():
        now = values(after, scope).get(fact)
        stood = host.facts.get(fact, next((t.object for t in targets if t.object.lower() == scope), ""))
        strength = SETTINGS[fact].scale
        stronger = now in strength and value in strength and strength.index(now) > strength.index(value)
        assert now == value or stronger or (now is None and (stood or host.facts.get(fact)).configured == value)
    for scope in scopes(before):
        old, new = values(before, scope), values(after, scope)
        for fact in old.keys() | new.keys():
            if old.get(fact) == new.get(fact) or (fact, scope) in answered:
                continue
            assert SETTINGS[fact].context == "share", (scope, fact)
            allowed = [value for (name, where), value in answered.items() if name == fact and (not scope or not where)]
            assert new[fact] in allowed, (scope, fact, old.get(fact), new.get(fact))
    for path, content in original.items():
        check_bytes(path, content, host.files[path], done)
    again = host.plan(*targets)
    assert again.steps == () and again.changes == ()
    assert {(b.fact, b.object) for b in again.refused} <= {(b.fact, b.object) for b in done.refused}


def check_bytes(path: str, before: bytes, after: bytes, done: Edited) -> None:
    """All lines but those that a change names are there still, in order; what is new says something that was wanted."""
    named = {
        int(found[1])
        for change in done.changes
        if (found := re.match(re.escape(path) + r":(\d+) ", change.address)) is not None
    }
    lines = before.split(b"\n")
    replaced = set()
    for item in grammar.items(before.decode("utf-8", "surrogateescape")):
        if item.line in named:
            replaced |= set(range(item.line, item.end + 1))
    kept = [line for number, line in enumerate(lines, 1) if number not in replaced]
    new = after.split(b"\n")
    extra = []
    position = 0
    for line in new:
        if position < len(kept) and line.rstrip(b"\r") == kept[position].rstrip(b"\r"):
            assert line == kept[position] or position == len(kept) - 1 or not before.endswith(b"\n")
            position += 1
        else:
            extra.append(line.decode("utf-8", "surrogateescape").strip("\r"))
    assert kept[position:] in ([], [b""]), (kept[position:], new)
    wanted = {change.fact for change in done.changes}
    for line in extra:
        if line in ("", "[global]"):
            continue
        (item,) = grammar.items(line)
        found = TABLE.find(item.name)
        assert found is not None and found[0].id in wanted, line
    if not done.steps:
        assert before == after


@given(st.binary(max_size=300), st.lists(wishes, min_size=1, max_size=3))
@settings(deadline=None)
def test_any_bytes_are_edited_rightly_or_not_at_all(raw, targets):
    host = Host(b"[a]\npath=/a\n" + raw)
    before = host.files[MAIN]
    done = host.edit(*targets)
    assert not host.plan(*targets).steps
    check_bytes(MAIN, before, host.files[MAIN], done)


def test_the_names_of_this_file_are_real():
    assert {fact_id(name) for name in (*GLOBAL, *SHARED)} <= SETTINGS.keys()
    for name, (setting, _values) in WRITTEN.items():
        found = TABLE.find(name.replace("\\\n", ""))
        assert found is not None and found[0].id == fact_id(setting)
