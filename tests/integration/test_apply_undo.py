# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An undo that is armed on a real host: it outlives the session, fires by time and at boot, and can be taken away."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import subprocess
import time
from collections.abc import Iterator

import fleet
import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Applied, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.applied import applied
from tests.lab import samba_host
from tests.lab.interpreter import APPLY, CORE, NONCE, answer, at_point, back, confirm, file_step, send, states

CONF = "/etc/samba/smb.conf"
RELOAD = Step(2, "reload", "smbd", config=CONF)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def running() -> Iterator[fleet.Host]:
    samba_host.require()
    with fleet.fleet(("smb1",)) as hosts:
        yield hosts["smb1"]


@dataclasses.dataclass
class Change:
    """A risky change of a host's smb.conf, and what undoes it."""

    host: fleet.Host
    journal: str
    old: bytes
    new: bytes

    def order(self, seconds: int) -> Order:
        step = file_step(CONF, self.old, self.new, check="testparm", config=CONF, risky=True)
        return Order(self.journal, (step, RELOAD), undo=back((step, RELOAD), self.journal), seconds=seconds)

    def send(self, seconds: int, apply: str = APPLY) -> Applied:
        return send(self.order(seconds), self.host.enter(), apply)

    def confirm(self) -> str:
        return confirm(self.journal, self.host.enter())

    def now(self) -> bytes:
        return (self.host.directory / "etc-samba" / "smb.conf").read_bytes()

    def state(self, name: str = "") -> pathlib.Path:
        return self.host.directory / "var-lib-breakwater" / name

    def told(self) -> list[str]:
        lines = self.state(f"{self.journal}/journal").read_text(encoding="utf-8").splitlines()
        return [" ".join(line.split()[1:3]) for line in lines]

    def undo_runs(self) -> bool:
        running = samba_host.run(self.host, "ps", "-e", "-o", "args=")
        return "/undo " in running or "sleep 1" in running

    def nothing_is_armed(self) -> bool:
        left = self.state("undo-pending").exists() or list((self.host.directory / "etc-cron.d").iterdir())
        return not left and not self.undo_runs()


@pytest.fixture
def change(running: fleet.Host) -> Iterator[Change]:
    path = running.directory / "etc-samba" / "smb.conf"
    old = path.read_bytes()
    made = Change(running, f"j{next(NUMBERS)}", old, old.replace(b"NT1", b"SMB3_00"))
    yield made
    samba_host.until(lambda: not made.undo_runs(), 20)
    path.write_bytes(old)


def test_unconfirmed_it_is_undone(change):
    result = change.send(2)
    assert (states(result), result.armed, result.obstacle) == (["done", "done"], True, "")
    assert change.now() == change.new
    assert change.state("undo-pending").read_text(encoding="ascii").startswith(f"{change.journal} ")
    (job,) = (change.host.directory / "etc-cron.d").iterdir()
    undo = f"/var/lib/breakwater/{change.journal}/undo"
    assert job.read_text(encoding="ascii") == f"@reboot root /bin/sh {undo} now\n"
    assert change.state(f"{change.journal}/undo").stat().st_mode & 0o7777 == 0o700
    samba_host.until(lambda: change.now() == change.old, 20)
    samba_host.until(change.nothing_is_armed, 20)
    assert change.told()[-6:] == ["undo fired", "intended 1", "done 1", "intended 2", "done 2", "undo done"]
    assert change.confirm() == "the undo has fired: the change was put back before it was confirmed"
    # Nothing is in the way of the next one, and what has fired can be undone no second time.
    assert states(send(dataclasses.replace(change.order(60), undo=()), change.host.enter())) == ["done", "done"]


def test_confirmed_it_stays(change):
    assert change.send(3).armed
    assert change.confirm() == ""
    assert change.nothing_is_armed()
    time.sleep(4)
    assert change.now() == change.new
    assert change.told()[-1] == "confirmed 0"
    assert change.confirm() == f"no undo is armed for {change.journal}"


def test_what_is_not_risky_arms_nothing(change):
    order = change.order(2)
    calm = dataclasses.replace(order, steps=tuple(dataclasses.replace(step, risky=False) for step in order.steps))
    assert not send(calm, change.host.enter()).armed
    assert not change.state(f"{change.journal}/undo").exists()
    assert change.nothing_is_armed()


def test_a_risky_step_that_is_done_already_arms_nothing(change):
    (change.host.directory / "etc-samba" / "smb.conf").write_bytes(change.new)
    result = change.send(2)
    assert (states(result), result.armed) == (["already", "done"], False)


def test_it_outlives_the_ssh_session(change):
    """Sent through sshd, as Ansible does; then the connection is gone."""
    folder = change.host.directory.parent
    order = change.order(3)
    options = [
        "-o",
        f"UserKnownHostsFile={folder}/known_hosts",
        "-o",
        f"ProxyCommand={fleet.relay_command(change.host)}",
    ]
    done = subprocess.run(
        [
            "ssh",
            "-F",
            "none",
            "-i",
            str(folder / "key"),
            *options,
            "-o",
            "BatchMode=yes",
            f"root@{change.host.name}",
            "/bin/sh -s",
        ],
        input=posix.build_apply(CORE, APPLY, {}, order, NONCE),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert applied(answer(done), order).armed
    assert change.now() == change.new
    samba_host.until(lambda: "undo done" in change.told(), 20)
    assert change.now() == change.old


def test_another_change_has_to_wait_until_it_is_confirmed(change):
    assert change.send(60).armed
    other = file_step("/etc/samba/other.conf", None, b"x\n")
    for dry in (False, True):
        result = send(Order("other", (other,), dry=dry), change.host.enter())
        assert result.obstacle.startswith(f"the change {change.journal} waits to be confirmed; its undo fires in ")
    assert change.confirm() == ""
    assert states(send(Order("other", (other,), dry=True), change.host.enter())) == ["planned"]


def test_it_fires_at_boot(change):
    """The timer died with the host; what cron runs at boot is left."""
    assert change.send(60).armed
    timer = change.state(f"{change.journal}/timer").read_text(encoding="ascii").split()[0]
    samba_host.run(change.host, "kill", "-9", timer)
    (job,) = (change.host.directory / "etc-cron.d").iterdir()
    samba_host.run(change.host, "sh", "-c", job.read_text(encoding="ascii").split("root ", 1)[1])
    assert change.now() == change.old
    samba_host.until(change.nothing_is_armed, 20)
    assert "has fired" in change.confirm()


def test_a_timer_that_was_killed_is_made_up_for_by_the_next_order(change):
    assert change.send(60).armed
    timer = change.state(f"{change.journal}/timer").read_text(encoding="ascii").split()[0]
    samba_host.run(change.host, "kill", "-9", timer)
    change.state("undo-pending").write_text(f"{change.journal} {int(time.time()) - 100}\n", encoding="ascii")
    result = send(Order("next", (file_step("/etc/samba/other.conf", None, b"x\n"),)), change.host.enter())
    assert states(result) == ["done"]
    (change.host.directory / "etc-samba" / "other.conf").unlink()
    assert change.now() == change.old
    samba_host.until(change.nothing_is_armed, 20)


@pytest.mark.parametrize(
    "point", ["after-fired 0", "before-rename 1", "after-rename 1", "after-done 1", "after-reload 2"]
)
def test_an_undo_that_was_killed_is_finished_at_boot(change, point):
    killed = at_point(point, '[ -z "${bw_firing-}" ] || [ -e /run/killed ] || { touch /run/killed; kill -9 $$; }')
    samba_host.run(change.host, "rm", "-f", "/run/killed")
    assert change.send(1, killed).armed
    samba_host.until(lambda: not change.undo_runs(), 20)
    samba_host.run(change.host, "test", "-e", "/run/killed")
    assert change.now() in (change.old, change.new)
    assert change.state("undo-pending").exists()
    samba_host.run(change.host, "/bin/sh", f"/var/lib/breakwater/{change.journal}/undo", "now")
    assert change.now() == change.old
    assert change.nothing_is_armed()


def test_it_puts_back_only_what_this_change_wrote(change):
    assert change.send(2).armed
    path = change.host.directory / "etc-samba" / "smb.conf"
    path.write_bytes(change.new + b"# by hand\n")
    samba_host.until(lambda: "undo done" in change.told(), 20)
    assert path.read_bytes() == change.new + b"# by hand\n"
    assert "refused 1" in change.told()


def test_it_waits_for_the_change_that_armed_it(change):
    slow = at_point("after-done 1", '[ -n "${bw_firing-}" ] || sleep 4')
    result = change.send(1, slow)
    assert (states(result), result.armed) == (["done", "done"], True)
    samba_host.until(lambda: change.now() == change.old, 20)
    told = change.told()
    assert told.index("done 2") < told.index("undo fired")


def test_what_cannot_be_armed_is_not_done(change):
    order = change.order(60)
    script = posix.build_apply(CORE, APPLY, {}, order, NONCE)
    broken = script.replace(b"bw_o_undo=", b"bw_o_undo=0")
    done = subprocess.run([*change.host.enter(), "/bin/sh", "-s"], input=broken, capture_output=True, check=False)
    result = applied(answer(done), order)
    assert result.obstacle == "its undo cannot be armed: it did not arrive whole"
    assert (states(result), result.armed) == (["skipped", "skipped"], False)
    samba_host.run(change.host, "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/etc/cron.d")
    try:
        result = change.send(60)
        assert result.obstacle == "its undo cannot be armed: its filesystem is read-only"
    finally:
        samba_host.run(change.host, "umount", "/etc/cron.d")
    assert change.now() == change.old
    samba_host.until(change.nothing_is_armed, 20)


def test_a_confirmation_that_was_killed_is_as_if_nobody_came(change):
    assert change.send(3).armed
    script = posix.build_confirm(CORE, at_point("before-confirmed 0", "kill -9 $$"), change.journal, NONCE)
    subprocess.run([*change.host.enter(), "/bin/sh", "-s"], input=script, capture_output=True, check=False)
    samba_host.until(lambda: change.now() == change.old, 20)
    samba_host.until(change.nothing_is_armed, 20)
