# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The acts of ``make demo``: each runs one playbook as a user would, and looks whether it did what it should."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fleet

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PLAYBOOK = pathlib.Path(sys.executable).parent / "ansible-playbook"
UNDONE = "guest"
"""The host that is rolled back."""
FLEET = ("--limit", "fleet")
"""What was looked at beside the fleet has not gone when only the fleet is changed: a limit is no drift."""
RESTART = ("-e", "breakwater_restart=true")
"""Some values come into force only when smbd is restarted, and that has to be allowed."""

Record = dict[str, Any]


class Broken(Exception):
    """An act did not do what it should; the text says what."""


@dataclass(frozen=True, slots=True)
class Played:
    """A run that an act has made: what it says about itself, and the record of each host."""

    run: dict[str, Any]
    directory: pathlib.Path
    hosts: dict[str, Record]

    def score(self, host: str) -> int:
        """Return a host's score; one that has none is no part of this story."""
        score = self.hosts[host].get("score") if host in self.hosts else None
        if not isinstance(score, int):
            raise Broken(f"{host} has no score")
        return score


@dataclass(slots=True)
class Stage:
    """Where the acts are played.

    Attributes:
        results: directory of the runs.
        inventory: the hosts that the story is about.
        beside: what is audited only: this machine.
        total: number of acts.
        arguments: of the user, for every playbook.
    """

    results: pathlib.Path
    inventory: pathlib.Path
    beside: pathlib.Path
    total: int
    arguments: Sequence[str] = ()
    act: str = field(default="", init=False)
    number: int = field(default=0, init=False)

    def announce(self, name: str, line: str) -> None:
        """Say in one line what comes now."""
        self.number += 1
        self.act = f"act {self.number} of {self.total} ({name})"
        print(f"\n=== Act {self.number} of {self.total}, {name}: {line}", flush=True)

    def play(self, playbook: str, *arguments: str, beside: bool = False, codes: Sequence[int] = (0, 2)) -> Played:
        """Run a playbook that makes a run, and return that run.

        Raises:
            Broken: it ended in another way than it should, or not every host answered.
        """
        before = self._newest()
        code = self.command(playbook, *arguments, beside=beside)
        newest = self._newest()
        if newest is None or newest == before or code not in (0, 2):
            raise Broken(f"ansible-playbook exited with {code}")
        run = _read(newest / "run.json")
        hosts = {record["host"]: record for record in map(_read, sorted((newest / "hosts").glob("*.json")))}
        if run.get("verdict") not in ("compliant", "noncompliant"):
            raise Broken(f"not every host could be read or changed: {'; '.join(run.get('reasons', ()))}")
        if code not in codes:
            raise Broken(f"ansible-playbook exited with {code}")
        return Played(run, newest, hosts)

    def command(self, playbook: str, *arguments: str, beside: bool = False) -> int:
        """Run a playbook and return its exit code."""
        inventories = (self.inventory, self.beside) if beside else (self.inventory,)
        command = [str(PLAYBOOK), f"breakwater.smb.{playbook}", "-e", f"breakwater_results={self.results}"]
        command += [*arguments, *self.arguments]
        for path in inventories:
            command += ["-i", str(path)]
        environment = {
            **os.environ,
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        }
        try:
            return fleet.run(command, environment, ROOT)
        except OSError as error:
            raise Broken(f"cannot run {PLAYBOOK}: {error.strerror}; 'make demo' makes what is missing") from error

    def _newest(self) -> pathlib.Path | None:
        """Return the directory of the newest run."""
        link = self.results / "latest"
        return link.resolve() if (link / "run.json").exists() else None


def _read(path: pathlib.Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def recorded(stage: Stage) -> None:
    """Play what can be played with recorded hosts."""
    stage.announce("audit", "reads and judges every host, and changes nothing")
    stage.play("audit", beside=True)
    plan(stage)
    print("\nRecorded hosts cannot be changed: remediation and rollback are shown where real hosts can be made.")


def whole_story(stage: Stage, hosts: Mapping[str, fleet.Host]) -> None:
    """Play everything on real hosts."""
    at_first = contents(hosts)
    stage.announce("audit", "reads and judges every host, and changes nothing")
    first = stage.play("audit", beside=True)
    planned = plan(stage)
    expect(contents(hosts) == at_first, "the plan has changed a file of a host")
    changed = remediate(stage, planned)
    stage.announce("audit", "the same again: what is open now")
    after = stage.play("audit", *FLEET)
    for name in hosts:
        expect(after.score(name) == changed.score(name), f"{name} is not judged as right after its change")
    back = undo(stage, changed, first)
    own = at_first[UNDONE]
    expect(contents({UNDONE: hosts[UNDONE]})[UNDONE] == own, f"the files of {UNDONE} are not what they were")
    report(stage, changed)
    print("\nScores            audited   changed   rolled back")
    for name in hosts:
        rolled = str(back.score(name)) if name == UNDONE else ""
        print(f"  {name:<14}{first.score(name):>9}{after.score(name):>10}{rolled:>14}".rstrip())


def plan(stage: Stage) -> Played:
    """Show what remediation would change."""
    stage.announce("plan", "remediation with --check --diff: every value that would change; nothing is touched")
    planned = stage.play("remediate", "--check", "--diff", *FLEET, *RESTART, codes=(0,))
    expect(any(map(changes, planned.hosts.values())), "nothing was planned on any host")
    return planned


def remediate(stage: Stage, planned: Played) -> Played:
    """Change the hosts: exactly what was planned, and every host that was changed is better for it."""
    stage.announce("remediation", "guarded, verified, journalled; smbd may be restarted (breakwater_restart=true)")
    changed = stage.play("remediate", *FLEET, *RESTART)
    for name, record in changed.hosts.items():
        expect(changes(record) == changes(planned.hosts[name]), f"{name} was not changed as planned")
        if changes(record):
            before = record["remediation"].get("score_before")
            expect(changed.score(name) > (before or 0), f"the score of {name} did not rise: {before}")
    return changed


def undo(stage: Stage, changed: Played, first: Played) -> Played:
    """Roll one host back: it is judged as in the first audit."""
    stage.announce("rollback", f"of {UNDONE} alone; every byte of its files, and every finding, is as at first")
    journal = f"breakwater_journal={changed.run['id']}"
    back = stage.play("rollback", "--limit", UNDONE, "-e", journal, codes=(0,))
    expect(set(back.hosts) == {UNDONE}, "other hosts were rolled back too")
    expect(bool(changes(back.hosts[UNDONE])), f"nothing was put back on {UNDONE}")
    same = back.hosts[UNDONE]["findings"] == first.hosts[UNDONE]["findings"]
    expect(same, f"the findings of {UNDONE} are not those of the first audit")
    return back


def report(stage: Stage, changed: Played) -> None:
    """Render the report of the remediation once more: each host before and after."""
    stage.announce("report", "the remediation, with each host before and after")
    page = changed.directory / "reports" / "index.html"
    page.unlink(missing_ok=True)
    code = stage.command(
        "report", "-e", f"breakwater_run={changed.run['id']}", "-e", '{"breakwater_formats": ["html"]}'
    )
    expect(code == 0 and page.is_file(), f"there is no report (ansible-playbook exited with {code})")


def changes(record: Record) -> list[tuple[str, ...]]:
    """Return what was changed on a host, or in a plan would be: without what became of it, which has to be "done"."""
    done = record.get("remediation") or {}
    wanted = "planned" if done.get("check") else "done"
    keys = ("control", "object", "address", "before", "after")
    return [
        tuple(json.dumps(change.get(key)) for key in keys)
        for change in done.get("changes", ())
        if change.get("state", "planned") == wanted
    ]


def contents(hosts: Mapping[str, fleet.Host]) -> dict[str, dict[str, tuple[str, int]]]:
    """Return a digest and the mode of every file in /etc/samba, by host."""
    return {
        name: {
            path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
            for path in sorted((host.directory / "etc-samba").iterdir())
            if path.is_file()
        }
        for name, host in hosts.items()
    }


def expect(holds: bool, otherwise: str) -> None:
    """Break the act unless something holds."""
    if not holds:
        raise Broken(otherwise)
