# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The largest script that changes a host, over every connection: in one execution, and whole."""

from __future__ import annotations

import base64
import dataclasses
import pathlib
from collections.abc import Callable
from typing import Literal

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab.windows import tasks
from tests.lab.windows.connections import Kind
from tests.lab.windows.fleet import fleet

NONCE = "connections"


def largest() -> tuple[Order, bytes]:
    """Return an order that fills the script to its limit, and the script."""
    for count in range(60, 400):
        steps = [
            Step(number, "registry", r"SOFTWARE\Lab", f"value{number}", ABSENT, Native("sz", "x" * 160))
            for number in range(1, count)
        ]
        order = Order("first", tuple(steps))
        script = catalogue.apply_script("windows", order, NONCE)
        if len(base64.b64decode(script)) > windows.MAX_APPLY - 250:
            return order, script
    raise AssertionError("the order never became large enough")


def usual() -> tuple[Order, bytes]:
    """Return an order as long as the strictest plan of a host without cmdlets, an undo included, and the script."""
    values = [
        (rf"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters{n % 3}", f"RequireSomething{n}")
        for n in range(45)
    ]
    steps = [Step(n, "registry", *value, ABSENT, Native("dword", 1), risky=True) for n, value in enumerate(values, 1)]
    steps += [Step(46, "service", "Spooler", "", Native("integer", 2), Native("integer", 4))]
    undo = [dataclasses.replace(step, before=step.after, after=step.before) for step in reversed(steps)]
    order = Order("first", tuple(steps), tuple(undo))
    return order, catalogue.apply_script("windows", order, NONCE)


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("ws2022", "winrm-ntlm", largest),
        ("ws2022", "psrp-ntlm", largest),
        ("ws2022", "ssh", largest),
        ("ws2008r2", "psrp-ntlm", largest),
        # WinRM 2.0 takes 150 KB in one message.
        ("ws2008r2", "winrm-ntlm", usual),
    ],
)
def test_a_large_order_is_one_execution(
    tmp_path: pathlib.Path, name: str, kind: Kind | Literal["ssh"], made: Callable[[], tuple[Order, bytes]]
) -> None:
    order, script = made()
    with fleet([name], kind, tmp_path) as hosts:
        task = tasks.execution(windows.BOOTSTRAP, script.decode("ascii"))
        played = tasks.play(tmp_path, hosts.inventory, [task], timeout=300)
        assert hosts.executions(name) == 1
        state = hosts.simulated[name].document()
    answer = played.answers[name]
    collected = windows.read_answer(answer["stdout"], answer["stderr"], answer["rc"], NONCE)
    steps = [record.data for record in collected.records if record.id == "apply.step"]
    assert [step["state"] for step in steps] == ["done"] * len(order.steps), played.output
    for step in order.steps:
        assert step.kind != "registry" or step.name in state["registry"][step.target]
    assert {"host.os", "windows.registry"} <= {record.id for record in collected.records}
