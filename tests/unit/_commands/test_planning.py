# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was collected to a plan: the real targets and planner, with editors that only take notes."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import planning
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.audit import blank, collect, judge, understand
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Change, Edited, Native, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Line, Options

from .conftest import FakeHost, subject


@pytest.fixture
def asked(monkeypatch):
    """Every call of an editor: its name, its targets, and the table it was given."""
    calls = []

    def editor(name):
        def edit(targets, collected, facts, settings):
            calls.append((name, list(targets), dict(settings)))
            steps = [
                Step(n, "netconf", "global", t.fact, Native("absent"), Native("text", "x"))
                for n, t in numbered(targets)
            ]
            changes = [Change(t.control, t.fact, None, "x", t.fact, t.object, step=n) for n, t in numbered(targets)]
            return Edited(tuple(steps), tuple(changes))

        return edit

    def numbered(targets):
        return list(enumerate(targets, 1))

    tables = {prefix: (editor(prefix), table) for prefix, (_edit, table) in planning.EDITORS.items()}
    monkeypatch.setattr(planning, "EDITORS", tables)
    return calls


def plan(context, options=None, exceptions=None, name="smb1"):
    inputs = load_inputs("recommended", exceptions)
    collected = collect(FakeHost(before=name).execute)
    record = blank(subject(), context)
    understand(record, collected, context)
    judge(record, inputs, subject(), context)
    return planning.plan(record, collected, inputs, options or Options(), Line("ssh", 22, "root"), context)


def test_failing_findings_become_steps_of_the_right_editor(context, asked):
    made = plan(context)
    (names, targets, table) = asked[0]
    assert names == "samba"
    assert "samba.server_min_protocol" in table
    assert {"samba-server-min-protocol", "samba-server-signing"} <= {target.control for target in targets}
    assert {change.control for change in made.changes} == {target.control for target in targets}
    assert [step.id for step in made.steps] == list(range(1, len(made.steps) + 1))


def test_a_host_that_complies_has_nothing_to_do(context, asked):
    made = plan(context, name="hardened")
    assert asked == []
    assert made.steps == ()


def test_what_the_user_chose_reaches_the_planner(context, asked):
    made = plan(context, Options(areas=("signing",), exclude=("samba-client-*",)))
    assert {change.control for change in made.changes} == {"samba-server-signing"}


def test_a_waiver_asks_for_nothing(context, asked, tmp_path):
    path = tmp_path / "exceptions.yml"
    path.write_text(
        "exceptions:\n  - {kind: waiver, control: samba-server-signing, hosts: a, reason: x, owner: y, expires: 2099-01-01}\n",
        encoding="utf-8",
    )
    controls = {change.control for change in plan(context, exceptions=str(path)).changes}
    assert "samba-server-signing" not in controls
    assert "samba-server-min-protocol" in controls


def test_only_a_force_for_this_host_reaches_the_guards(context, asked, tmp_path, monkeypatch):
    path = tmp_path / "exceptions.yml"
    path.write_text(
        "exceptions:\n"
        "  - {kind: force, control: samba-server-signing, hosts: a, reason: x, owner: y}\n"
        "  - {kind: force, control: samba-map-to-guest, hosts: b, reason: x, owner: y}\n"
        "  - {kind: waiver, control: samba-guest-ok, hosts: a, reason: x, owner: y, expires: 2099-01-01}\n",
        encoding="utf-8",
    )
    seen = situation_of(context, monkeypatch, exceptions=str(path))
    assert [(record.kind, record.control) for record in seen.force] == [("force", "samba-server-signing")]


def situation_of(context, monkeypatch, **more):
    seen = []
    real = planning.make

    def watching(targets, situation, editors):
        seen.append(situation)
        return real(targets, situation, editors)

    monkeypatch.setattr(planning, "make", watching)
    plan(context, **more)
    return seen[0]


def test_the_line_is_the_one_that_the_collector_came_through(context, asked, monkeypatch):
    seen = situation_of(context, monkeypatch)
    assert seen.line == Line("ssh", 22, "root", "0")
    assert seen.host == "a"
    assert seen.today == context.now().date()


@pytest.mark.parametrize(
    ("data", "groups"),
    [
        ({"groups": ["S-1-5-32-544", "S-1-16-12288"]}, ("S-1-5-32-544", "S-1-16-12288")),
        ({"groups": "x"}, ()),
        (None, ()),
    ],
)
def test_groups_are_those_of_the_token(data, groups):
    record = Record("host.identity", "whoami.exe", data=data)
    assert planning._groups(Collected([record], family="windows")) == groups
    assert planning._groups(dataclasses.replace(Collected(), family="unix")) == ()


@pytest.mark.parametrize(("mounted", "waits"), [(True, ("remount of /m",)), (False, ())])
def test_a_change_in_fstab_waits_for_the_mount_that_is_there(context, mounted, waits):
    """From the host's answer to the step, with the real editor: the share is mounted as fstab says, unsigned."""
    table = "//s/d /m cifs vers=3.1.1,sec=ntlmssp,credentials=/c 0 0"
    live = "//s/d /m cifs rw,vers=3.1.1,sec=ntlmssp,username=a 0 0" if mounted else ""
    collected = Collected(
        [
            Record("host.uname", "uname -srm", "Linux 6.1.0 x86_64"),
            Record("host.mounts", "/proc/mounts", live),
            Record("host.fstab", "/etc/fstab", table),
            Record("host.fstab_file", "/etc/fstab", table),
        ],
        "0",
    )
    inputs, record = load_inputs("recommended", None), blank(subject(), context)
    understand(record, collected, context)
    judge(record, inputs, subject(), context)
    made = planning.plan(record, collected, inputs, Options(), Line("ssh", 22, "root"), context)
    (step,) = made.steps
    assert step.content == table.replace("ntlmssp", "ntlmsspi") + "\n"
    assert (made.pending, made.blocked) == (waits, ())
