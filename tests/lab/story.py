# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A remediation and its rollback from the first audit to the last, and what holds of it on hosts of either family."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .playbooks import Played, made

STEPS = ("audit", "check", "remediate", "after", "again", "rollback", "restored")
PLAYBOOK = {"check": "remediate", "after": "audit", "again": "remediate", "restored": "audit"}


@dataclass
class Step:
    """What a playbook did and left behind, by host; a state is all of a host that a change could touch."""

    played: Played
    run: dict[str, Any]
    records: dict[str, dict[str, Any]]
    executions: dict[str, int]
    states: dict[str, dict[str, Any]]

    def failing(self, name: str) -> dict[str, str]:
        """Return control → severity of what fails on a host."""
        return {f["control"]: f["severity"] for f in self.records[name]["findings"] if f["verdict"] == "fail"}

    def open(self, name: str) -> dict[str, str]:
        """Return control → severity of what fails on a host or is unknown there."""
        findings = self.records[name]["findings"]
        return {f["control"]: f["severity"] for f in findings if f["verdict"] in ("fail", "unknown")}

    def changed(self, name: str) -> int:
        """Return what Ansible's recap says."""
        recap = re.search(rf"^{name} .*changed=(\d+)", self.played.output, re.MULTILINE)
        assert recap, self.played.output
        return int(recap[1])


S = TypeVar("S", bound=Step)


def tell(step: Callable[..., S]) -> dict[str, S]:
    """Audit, look at the plan, remediate, audit, remediate again, roll back, audit: each once for all hosts.

    Args:
        step: plays a step of this name with these arguments.
    """
    told: dict[str, S] = {}
    for name in STEPS:
        arguments: tuple[str, ...] = ("-e", '{"breakwater_batches": ["100%"]}')
        if name == "check":
            arguments += ("--check", "--diff")
        if name == "rollback":
            arguments += ("-e", f"breakwater_journal={told['remediate'].run['id']}")
        told[name] = step(name, *arguments)
    return told


def check_plan(story: Mapping[str, Step], name: str) -> None:
    """The plan listed exactly what was done then, and touched nothing."""
    planned = made(story["check"].records[name])
    assert planned, story["check"].played.output
    done = made(story["remediate"].records[name])
    assert planned == done, (planned, done)
    for step, expected in (("check", "planned"), ("remediate", "done")):
        changes = story[step].records[name]["remediation"]["changes"]
        assert {change.get("state", "planned") for change in changes} == {expected}, (step, changes)
    assert story["check"].states[name] == story["audit"].states[name], name
    assert story["check"].changed(name) == story["remediate"].changed(name) == 1, story["remediate"].played.output


def check_again(story: Mapping[str, Step], name: str) -> None:
    """The second remediation changed nothing."""
    again = story["again"]
    assert again.changed(name) == 0, again.played.output
    assert made(again.records[name]) == [], again.records[name]["remediation"]
    assert again.states[name] == story["remediate"].states[name], name


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """Return the keys under which two hosts, or one at two times, do not hold the same."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
