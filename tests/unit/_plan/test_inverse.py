# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying a plan and then its inverse is the identity, on a small host that lives in memory."""

from __future__ import annotations

import dataclasses
import hashlib

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    ABSENT,
    STATELESS,
    JournalEntry,
    Native,
    Step,
    Twin,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.inverse import inverse

TIME = "2026-11-25T23:30:00Z"


def digest(content):
    return Native("sha256", hashlib.sha256(content.encode()).hexdigest())


class Memory:
    """A host that keeps what steps act on: values by address, files by path, and the originals of each journal."""

    def __init__(self, values, files):
        self.values = dict(values)
        self.files = dict(files)
        self.kept = {}
        self.commands = []

    def state(self):
        return self.values, self.files

    def look(self, step):
        if step.kind == "file":
            return digest(self.files[step.target]) if step.target in self.files else ABSENT
        return self.values.get((step.kind, step.target, step.name), ABSENT)

    def apply(self, steps, journal):
        """Do as the interpreter does: compare everything first, then change; return the journal."""
        for step in steps:
            if step.kind not in STATELESS:
                assert self.look(step) == step.before, (step, self.look(step))
        entries = []
        for step in steps:
            if step.kind in STATELESS:
                self.commands.append((step.kind, step.target))
            elif step.kind == "file":
                self.write(step, journal)
            elif step.after == ABSENT:
                del self.values[step.kind, step.target, step.name]
            else:
                self.values[step.kind, step.target, step.name] = step.after
            entries.append(JournalEntry(dataclasses.replace(step, content=None), "done", TIME))
        return entries

    def write(self, step, journal):
        if step.target in self.files:
            self.kept[f"{journal}/{step.id}"] = self.files[step.target]
        if step.after == ABSENT:
            del self.files[step.target]
            return
        content = step.content if step.content is not None else self.kept[step.original]
        assert digest(content) == step.after
        self.files[step.target] = content


NATIVE = st.one_of(
    st.just(ABSENT),
    st.builds(Native, st.just("dword"), st.integers(0, 5)),
    st.builds(Native, st.just("sz"), st.text(max_size=3)),
    st.builds(Native, st.just("multi_sz"), st.lists(st.text(max_size=2), max_size=2)),
)
KINDS = st.sampled_from(["registry", "server_property", "service", "right", "netconf", "mode", "unit"])


@st.composite
def plans(draw):
    """Return a host and a plan for it: one step per address, as a planner makes them."""
    places = draw(st.lists(st.tuples(KINDS, st.sampled_from("ABC"), st.sampled_from("xy")), unique=True, max_size=6))
    paths = draw(st.lists(st.sampled_from(["/etc/samba/smb.conf", "/etc/fstab", "/etc/new"]), unique=True, max_size=3))
    values, files, steps = {}, {}, []
    for place in places:
        before, after = draw(st.lists(NATIVE, min_size=2, max_size=2, unique_by=repr))
        if before != ABSENT:
            values[place] = before
        twin = draw(st.none() | st.builds(Twin, st.just("K"), st.just("n"), NATIVE))
        steps.append(Step(0, *place, before, after, twin=twin, risky=draw(st.booleans()), restart="restart"))
    for path in paths:
        old, new = draw(st.lists(st.none() | st.text(max_size=4), min_size=2, max_size=2, unique=True))
        if old is not None:
            files[path] = old
        before, after = (ABSENT if text is None else digest(text) for text in (old, new))
        steps.append(Step(0, "file", path, "", before, after, content=new, check="testparm", config=path))
    commands = draw(st.lists(st.sampled_from([("reload", "smbd"), ("restart", "nmbd")]), unique=True, max_size=2))
    steps = draw(st.permutations(steps)) + [Step(0, kind, name) for kind, name in sorted(commands)]
    return Memory(values, files), [dataclasses.replace(step, id=number) for number, step in enumerate(steps, 1)]


def bare(steps):
    """Return steps without what an inverse may not keep: ids, and where a file's bytes come from."""
    return [dataclasses.replace(step, id=0, original="", content=None) for step in steps]


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@given(plans())
def test_a_plan_and_its_inverse_are_the_identity(made):
    host, plan = made
    before = ({**host.values}, {**host.files})
    journal = host.apply(plan, "A")
    host.apply(inverse(journal, "A"), "B")
    assert host.state() == before


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@given(plans())
def test_the_inverse_of_the_inverse_is_the_plan(made):
    host, plan = made
    back = host.apply(inverse(host.apply(plan, "A"), "A"), "B")
    again = inverse(back, "B")
    stateful = [step for step in plan if step.kind not in STATELESS]
    assert bare(again) == (bare(plan) if stateful else [])
    host.apply(again, "C")  # it can be done: the bytes are where it says
    assert [host.look(step) for step in stateful] == [step.after for step in stateful]


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@given(plans(), st.data())
def test_what_was_cut_off_is_undone_as_far_as_it_went(made, data):
    host, plan = made
    before = ({**host.values}, {**host.files})
    done = data.draw(st.integers(0, len(plan)))
    journal = host.apply(plan[:done], "A")
    journal += [JournalEntry(step, "skipped", TIME) for step in plan[done:]]
    back = inverse(journal, "A")
    assert len([step for step in back if step.kind not in STATELESS]) == len(
        [step for step in plan[:done] if step.kind not in STATELESS]
    )
    host.apply(back, "B")
    assert host.state() == before


@pytest.mark.parametrize(
    ("state", "undone"),
    [("done", True), ("failed", True), ("planned", True), ("refused", False), ("skipped", False), ("undone", False),
     ("already", False)],
)  # fmt: skip
def test_only_what_may_have_changed_something_is_undone(state, undone):
    step = Step(4, "registry", "K", "n", ABSENT, Native("dword", 1), stage="signing", restart="reboot")
    found = inverse([JournalEntry(step, state, TIME)], "A")
    wanted = dataclasses.replace(step, id=1, before=Native("dword", 1), after=ABSENT)
    assert found == ([wanted] if undone else [])


def test_a_later_line_about_a_step_replaces_an_earlier_one():
    step = Step(1, "registry", "K", "n", ABSENT, Native("dword", 1))
    assert inverse([JournalEntry(step, "planned", TIME), JournalEntry(step, "refused", TIME)], "A") == []


def test_files_come_back_from_the_bytes_that_the_host_kept():
    step = Step(7, "file", "/etc/x", "", digest("a"), digest("b"), content="b", check="testparm")
    (back,) = inverse([JournalEntry(step, "done", TIME)], "20261125-abcd")
    assert back.original == "20261125-abcd/7"
    assert back.content is None
    assert (back.before, back.after, back.check) == (digest("b"), digest("a"), "testparm")
    (gone,) = inverse([JournalEntry(dataclasses.replace(step, before=ABSENT), "done", TIME)], "A")
    assert (gone.original, gone.after) == ("", ABSENT)


def test_services_start_anew_once_and_last():
    value = Step(1, "registry", "K", "n", ABSENT, Native("dword", 1))
    reload, restart = Step(2, "reload", "smbd", config="/x"), Step(3, "restart", "nmbd")
    entries = [JournalEntry(step, "done", TIME) for step in (value, reload, restart)]
    entries.append(JournalEntry(Step(4, "reload", "smbd"), "done", TIME))
    found = inverse(entries, "A")
    assert [(step.kind, step.target) for step in found] == [
        ("registry", "K"),
        ("reload", "smbd"),
        ("restart", "nmbd"),
    ]
    assert found[1].config == "/x"
    assert [step.id for step in found] == [1, 2, 3]
    assert inverse(entries[1:], "A") == []  # nothing to put back, so nothing to bring into force


def test_what_has_no_inverse_is_left_out():
    step = Step(
        1, "role_feature", "FS-SMB1", "", Native("text", "enabled"), Native("text", "removed"), irreversible=True
    )
    assert inverse([JournalEntry(step, "done", TIME)], "A") == []


def test_what_a_cmdlet_wrote_beside_its_property_comes_back_too():
    twin = Twin("K", "EncryptData", ABSENT)
    step = Step(3, "server_property", "", "EncryptData", Native("boolean", False), Native("boolean", True), twin=twin)
    (back,) = inverse([JournalEntry(step, "done", TIME)], "A")
    assert (back.twin, back.original) == (twin, "A/3")
    (forth,) = inverse([JournalEntry(back, "done", TIME)], "B")
    assert forth == dataclasses.replace(step, id=1)


def test_the_last_change_is_undone_first():
    """The service gets its dependency back only after the driver that it names can start again."""
    steps = [
        Step(1, "registry", "LanmanWorkstation", "DependOnService", Native("multi_sz", ["a"]), Native("multi_sz", [])),
        Step(2, "service", "mrxsmb10", "", Native("integer", 2), Native("integer", 4)),
    ]
    found = inverse([JournalEntry(step, "done", TIME) for step in steps], "A")
    assert [step.target for step in found] == ["mrxsmb10", "LanmanWorkstation"]


def test_a_reload_that_the_change_never_came_to_is_done_when_it_is_undone():
    """smbd looks at its file from time to time: without a reload it would keep what it saw for a while."""
    values = [Step(n, "netconf", "global", f"p{n}", Native("text", "a"), Native("text", "b")) for n in (1, 2)]
    commands = [Step(3, "reload", "smbd", config="/x"), Step(4, "restart", "nmbd")]
    states = ("done", "failed", "skipped", "skipped")
    entries = [JournalEntry(step, state, TIME) for step, state in zip([*values, *commands], states, strict=True)]
    assert [(step.kind, step.name) for step in inverse(entries, "j")] == [
        ("netconf", "p2"),
        ("netconf", "p1"),
        ("reload", ""),
    ]
    assert inverse([JournalEntry(step, "skipped", TIME) for step in commands], "j") == []
