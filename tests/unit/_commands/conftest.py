# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host made of two recordings and a few values: what it is told to do changes the values, and which recording it plays."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
from dataclasses import dataclass, field

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import applying, catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import remediate as verb
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.audit import AuditRequest
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.context import Context, Hands
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.opening import OpenRequest, open_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import Unreachable
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    STATELESS,
    Applied,
    Change,
    Native,
    Order,
    Plan,
    Step,
    StepResult,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.execution import Executed
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.restarting import STARTED
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir

RECORDINGS = pathlib.Path(__file__).resolve().parents[3] / "demo" / "recordings"
OLD, NEW = Native("text", "NT1"), Native("text", "SMB2_10")
STEP = Step(1, "netconf", "global", "server min protocol", OLD, NEW, restart="reload", stage="dialect")
RELOAD = Step(2, "reload", "smbd")
CHANGE = Change(
    "samba-server-min-protocol", "registry [global] server min protocol", "NT1", "SMB2_10", step=1, restart="reload"
)


def plan_of(*steps, changes=(CHANGE,), **more):
    return Plan(tuple(steps), tuple(changes), **more)


PLAN = plan_of(STEP, RELOAD)
RISKY = plan_of(Step(1, "netconf", "global", "server min protocol", OLD, NEW, restart="reload", risky=True), RELOAD)


@dataclass
class FakeHost:
    """A host: ``values`` by (target, name), the recordings it plays, and the faults that happen to it."""

    before: str = "smb1"
    after: str = "hardened"
    values: dict = field(default_factory=lambda: {("global", "server min protocol"): OLD})
    executions: list = field(default_factory=list)
    waited: list = field(default_factory=list)
    connections: int = 1
    orders: list = field(default_factory=list)
    armed: Order | None = None
    lose: set = field(default_factory=set)
    """Kinds of executions during which the connection breaks: "apply" (after the work), "confirm", "dry", "collect"."""
    lose_before_work: bool = False
    gone: bool = False
    """No new connection can be made."""
    busy: str = ""
    fail_at: int = 0
    refuse: Native | None = None
    boots: int = 1
    answer: Applied = field(default_factory=Applied)

    def execute(self, command, stdin):
        text = stdin.decode()
        kind = self._kind(text)
        if self.gone:
            raise Unreachable("Cannot connect", seen="no route", remedy="try again")
        self.executions.append(kind)
        lost = kind in self.lose
        if kind == "boot":
            return Executed(0, f"boot {self.boots}\n", "")
        if kind == "reboot":
            self.boots += 1
            return Executed(0, f"{STARTED}\n", "")
        if kind in ("apply", "dry") and not (lost and self.lose_before_work):
            self.answer = self._carry_out(self.orders[-1])
        elif kind == "confirm" and not lost:
            self.armed = None
        if lost:
            self.lose.discard(kind)
            raise Unreachable("Cannot connect", seen="the connection was reset", remedy="try again")
        records = [{"id": "apply.host", "command": "", "out": "", "err": "", "rc": 0}] if kind == "confirm" else None
        return Executed(0, self._document(text, records), "")

    def _kind(self, text):
        if text.startswith("order "):
            return "dry" if self.orders[-1].dry else "apply"
        if text.startswith("confirm "):
            return "confirm"
        if "shutdown" in text:
            return "reboot"
        return "boot" if "boot_id" in text else "collect"

    def _document(self, text, records):
        nonce = re.search(r"(?:bw_main|order|confirm) '?(\w+)", text)[1]
        if records is not None:
            body = json.dumps({"schema": "breakwater/collected/1", "uid": "0", "shell": "sh", "records": records})
            return f"@@breakwater {nonce} begin@@{body}@@breakwater {nonce} end@@"
        changed = self.values[("global", "server min protocol")] == NEW
        name = self.after if changed else self.before
        return (RECORDINGS / f"{name}.txt").read_text(encoding="utf-8").replace("@NONCE@", nonce)

    def _carry_out(self, order):
        if self.busy:
            return Applied((), self.busy)
        results = []
        stands = {step.id: self._stands(step) for step in order.steps if step.kind not in STATELESS}
        by_id = {step.id: step for step in order.steps}
        bad = [number for number, value in stands.items() if value not in (by_id[number].before, by_id[number].after)]
        for step in order.steps:
            value = stands.get(step.id)
            if bad:
                results.append(StepResult(step.id, "refused" if step.id in bad else "skipped", value))
            elif order.dry:
                state = "already" if value == step.after else "planned"
                results.append(StepResult(step.id, state, value))
            elif any(result.state == "failed" for result in results):
                results.append(StepResult(step.id, "skipped", value))
            elif step.id == self.fail_at:
                results.append(StepResult(step.id, "failed", value, error="it is immutable"))
            elif value == step.after and step.kind not in STATELESS:
                results.append(StepResult(step.id, "already", value, value))
            else:
                if step.kind not in STATELESS:
                    self.values[(step.target, step.name)] = step.after
                results.append(StepResult(step.id, "done", value, step.after))
        if order.undo and not bad:
            self.armed = order
        return Applied(tuple(results), armed=self.armed is order)

    def _stands(self, step):
        return self.refuse or self.values.get((step.target, step.name), Native("absent"))

    def reconnect(self):
        self.connections += 1

    def wait(self, seconds):
        self.waited.append(seconds)
        if self.armed is not None and sum(self.waited) >= self.armed.seconds:
            for step in self.armed.undo:
                if step.kind not in STATELESS:
                    self.values[(step.target, step.name)] = step.after
            self.armed = None
            self.gone = False

    def hands(self):
        return Hands(self.execute, self.reconnect, self.wait)


@pytest.fixture
def host(monkeypatch):
    made = FakeHost()

    def script(family, order, nonce):
        made.orders.append(order)
        return f"order {nonce}".encode()

    monkeypatch.setattr(catalogue, "apply_script", script)
    monkeypatch.setattr(catalogue, "confirm_script", lambda family, journal, nonce: f"confirm {nonce}".encode())
    monkeypatch.setattr(applying, "applied", lambda collected, order: made.answer)
    return made


@pytest.fixture
def planned(monkeypatch, host):
    """What the planner says: the given plan while the old value stands, and nothing when the new one does."""

    def use(plan):
        def make(record, collected, inputs, options, line, context, nodes=None):
            return plan if host.values[("global", "server min protocol")] != NEW else Plan()

        monkeypatch.setattr(verb, "make_plan", make)

    use(PLAN)
    return use


@pytest.fixture
def context(tmp_path):
    shown: list[str] = []
    ticks = iter(range(10_000))

    def now():
        start = datetime.datetime(2026, 11, 25, tzinfo=datetime.timezone.utc)
        return start + datetime.timedelta(seconds=next(ticks))

    return Context(tmp_path / "results", "2.19", now, shown.append, shown.append)


@pytest.fixture
def shown(context):
    """Every line that was shown."""
    return context.show.__self__


@pytest.fixture
def open_a_run(context):
    def open_it(hosts=("a",), kind="remediate", **more):
        told = open_run(OpenRequest(tuple(hosts), "", "recommended", None, kind=kind, **more), context)
        return rundir.find(context.results, told["run"])

    return open_it


def subject(run=None, host="a"):
    return AuditRequest(host, host, "ssh", run=run)
