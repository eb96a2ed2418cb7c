# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 of the shell on a real host at every boundary: each file is old or new, the journal tells, all of it mends."""

from __future__ import annotations

import dataclasses
import pathlib
import random
import re
import subprocess
import time

import fleet
import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Native, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
from tests.lab import samba_host
from tests.lab.interpreter import APPLY, CORE, NONCE, at_point, back, file_step, run, send, states

CONF, SHARES = "/etc/samba/smb.conf", "/etc/samba/shares.conf"
CHANGES = {CONF: (b"Bad User", b"Never"), SHARES: (b"guest ok = yes", b"guest ok = no")}
PER_STEP = ("before-intended", "after-intended", "after-original", "after-write", "before-rename", "after-rename")
POINTS = [
    "after-preflight 0",
    *(f"{name} {step}" for step in (1, 2) for name in (*PER_STEP, "after-done")),
    "before-intended 3",
    "after-intended 3",
    "after-done 3",
    "before-unlock 0",
]
RELOAD = ["before-reload 4", "after-reload 4"]
RESTART = ["before-restart 4", "while-restarting 0", "after-restart 4"]
ARMED = ["before-armed 0", "after-armed 0", "before-intended 1", "after-done 2", "before-reload 4", "before-unlock 0"]
MODES = (Native("mode", "0644 0 0"), Native("mode", "0600 0 0"))


@dataclasses.dataclass
class World:
    """A host and its two files, as they were and as they shall be."""

    host: fleet.Host
    old: dict[str, bytes]
    new: dict[str, bytes]
    number: int = 0

    def path(self, name: str) -> pathlib.Path:
        return self.host.directory / "etc-samba" / pathlib.Path(name).name

    def steps(self, last: str = "reload") -> tuple[Step, ...]:
        more = {"check": "testparm", "config": CONF}
        files = [file_step(name, self.old[name], self.new[name], at, **more) for at, name in ((1, SHARES), (2, CONF))]
        mode = Step(3, "mode", SHARES, before=MODES[0], after=MODES[1])
        return (*files, mode, Step(4, last, "smbd", config=CONF))

    def now(self) -> dict[str, bytes]:
        return {name: self.path(name).read_bytes() for name in self.old}

    def mode(self) -> int:
        return self.path(SHARES).stat().st_mode & 0o777

    def reset(self) -> str:
        """Put the host into its first state, and return a new id for a journal."""
        for name, text in self.old.items():
            self.path(name).write_bytes(text)
            self.path(name).chmod(0o644)
        self.number += 1
        return f"j{self.number}"

    def send(self, journal: str, steps: tuple[Step, ...], apply: str = APPLY) -> list[str]:
        result = send(Order(journal, steps), self.host.enter(), apply)
        assert result.obstacle == "", result
        return states(result)

    def kill(self, order: Order, point: str) -> None:
        script = posix.build_apply(CORE, at_point(point, '[ -n "${bw_firing-}" ] || kill -9 $$'), {}, order, NONCE)
        done = run(script, self.host.enter())
        assert done.returncode in (-9, 137), (point, done)

    def journal(self, name: str) -> list[str]:
        path = self.host.directory / "var-lib-breakwater" / name / "journal"
        return [line.split(" ", 1)[1] for line in path.read_text(encoding="utf-8").splitlines()]

    def runs(self) -> None:
        """The host's smbd answers."""
        samba_host.until(lambda: self._pings() == 0, 20)

    def _pings(self) -> int:
        return subprocess.run(
            [*self.host.enter(), "smbcontrol", "smbd", "ping"], capture_output=True, check=False
        ).returncode

    def litter(self) -> list[str]:
        state = self.host.directory / "var-lib-breakwater"
        found = [path.name for path in self.path(CONF).parent.iterdir() if ".breakwater." in path.name]
        found += [path.name for path in state.iterdir() if not re.fullmatch(r"j\d+\w*|made", path.name)]
        return found + [str(path) for path in state.rglob("*.new")]


@pytest.fixture(scope="module")
def world():
    samba_host.require()
    with fleet.fleet(("guest",)) as hosts:
        host = hosts["guest"]
        old = {name: (host.directory / "etc-samba" / pathlib.Path(name).name).read_bytes() for name in CHANGES}
        new = {name: text.replace(*CHANGES[name]) for name, text in old.items()}
        assert all(old[name] != new[name] for name in old)
        yield World(host, old, new)


def check_half_done(world: World, journal: str, point: str) -> None:
    """Each file is wholly old or wholly new, and the journal knows which, but for the step that was going on."""
    lines = world.journal(journal)
    for step, name in ((1, SHARES), (2, CONF)):
        text = world.now()[name]
        assert text in (world.old[name], world.new[name]), (point, name)
        said = [line.split()[0] for line in lines if line.split()[1:3] == [str(step), "file"]]
        if said[-1:] == ["done"]:
            assert text == world.new[name], (point, lines)
        if not said:
            assert text == world.old[name], (point, lines)
        if text == world.new[name]:
            assert "intended" in said, (point, lines)
            kept = world.host.directory / "var-lib-breakwater" / journal / str(step)
            assert kept.read_bytes() == world.old[name], point
    assert world.mode() in (0o644, 0o600)


@pytest.mark.parametrize("point", POINTS + RELOAD)
def test_killed_while_it_changes_files(world, point):
    journal = world.reset()
    world.kill(Order(journal, world.steps()), point)
    check_half_done(world, journal, point)
    # A second run of the same order finishes it.
    assert set(world.send(journal, world.steps())) <= {"done", "already"}
    assert world.now() == world.new
    assert world.mode() == 0o600
    assert world.litter() == []
    # And the inverse of the first order undoes it, from the bytes that were kept before the kill.
    assert set(world.send(f"{journal}b", back(world.steps(), journal))) == {"done"}
    assert (world.now(), world.mode()) == (world.old, 0o644)


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_undone(world, point):
    journal = world.reset()
    world.kill(Order(journal, world.steps()), point)
    assert set(world.send(f"{journal}b", back(world.steps(), journal))) <= {"done", "already"}
    assert (world.now(), world.mode()) == (world.old, 0o644)
    assert world.litter() == []


@pytest.mark.parametrize("point", RESTART)
@pytest.mark.parametrize("then", ["again", "undone"])
def test_killed_while_it_restarts(world, point, then):
    """What stops smbd starts it again, whatever becomes of the shell; the next order restarts it once more."""
    journal = world.reset()
    pid = samba_host.run(world.host, "cat", "/run/samba/smbd.pid")
    world.kill(Order(journal, world.steps("restart")), point)
    world.runs()
    steps = world.steps("restart")
    if then == "again":
        assert world.send(journal, steps) == ["already"] * 3 + ["done"]
        assert world.now() == world.new
    else:
        assert world.send(f"{journal}b", back(steps, journal)) == ["done"] * 4
        assert world.now() == world.old
    world.runs()
    assert samba_host.run(world.host, "cat", "/run/samba/smbd.pid") != pid
    assert world.litter() == []


@pytest.mark.parametrize("point", POINTS[:12])
def test_killed_while_it_undoes(world, point):
    journal = world.reset()
    assert set(world.send(journal, world.steps())) == {"done"}
    inverse = back(world.steps(), journal)  # 1 mode, 2 smb.conf, 3 shares.conf
    name, step = point.split()
    numbers = {"0": "0", "1": "2", "2": "3"}
    world.kill(Order(f"{journal}b", inverse), f"{name} {numbers[step]}")
    for path, text in world.now().items():
        assert text in (world.old[path], world.new[path])
    assert set(world.send(f"{journal}c", inverse)) <= {"done", "already"}
    assert (world.now(), world.mode()) == (world.old, 0o644)
    assert world.litter() == []


@pytest.mark.parametrize("point", ARMED)
def test_killed_while_an_undo_is_armed(world, point):
    """Before the token nothing is armed and nothing was done; after it, the host undoes alone."""
    journal = world.reset()
    steps = tuple(dataclasses.replace(step, risky=step.id == 1) for step in world.steps())
    world.kill(Order(journal, steps, undo=back(steps, journal), seconds=2), point)
    pending = world.host.directory / "var-lib-breakwater" / "undo-pending"
    assert pending.exists() == (point != "before-armed 0")
    samba_host.until(lambda: not pending.exists(), 20)
    samba_host.until(lambda: "undo" not in samba_host.run(world.host, "ps", "-e", "-o", "args="), 20)
    assert (world.now(), world.mode()) == (world.old, 0o644)
    assert not list((world.host.directory / "etc-cron.d").iterdir())
    assert set(world.send(journal, world.steps())) == {"done"}
    assert world.litter() == []


@pytest.mark.slow
def test_killed_at_any_time(world):
    """No boundary was forgotten: the whole process group is killed after a random time, as often as is sensible."""
    chance = random.Random(5)
    for _round in range(40):
        journal = world.reset()
        script = posix.build_apply(CORE, APPLY, {}, Order(journal, world.steps()), NONCE)
        process = subprocess.Popen(
            [*world.host.enter(), "/bin/sh", "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(script)
        process.stdin.close()
        time.sleep(chance.uniform(0.0, 0.35))
        samba_host.run(
            world.host,
            "sh",
            "-c",
            "kill -9 $(ps -e -o pid= -o args= | awk '/[s]h -s|[t]estparm|[s]mbcontrol/ { print $1 }') 2>/dev/null; true",
        )
        process.wait(20)
        for path, text in world.now().items():
            assert text in (world.old[path], world.new[path])
        assert world.mode() in (0o644, 0o600)
        assert set(world.send(journal, world.steps())) <= {"done", "already"}
        assert (world.now(), world.mode()) == (world.new, 0o600)
        assert set(world.send(f"{journal}b", back(world.steps(), journal))) == {"done"}
        assert world.now() == world.old
        assert world.litter() == []
