# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong while steps are carried out on a simulated Windows host: wholly old or wholly new, and told."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step, Twin
from tests.lab.windows.applying import Answer, carry_out, confirm, dying, inverse, state_folder, waiting, whole
from tests.lab.windows.simulated import SimulatedHost

SERVICES = r"SYSTEM\CurrentControlSet\Services"
SERVER = rf"{SERVICES}\LanmanServer\Parameters"
NEW = r"SOFTWARE\Policies\Microsoft\Windows\LanmanServer\New"
POINTS = ("before-intended", "after-intended", "after-write", "after-done")


@pytest.fixture
def host(tmp_path: pathlib.Path) -> SimulatedHost:
    return SimulatedHost("ws2022", tmp_path / "host")


def plan(host: SimulatedHost, *, risky: bool = False) -> tuple[Step, ...]:
    holders = host.document()["user_rights"]["SeNetworkLogonRight"]
    return (
        Step(1, "registry", NEW, "Value", ABSENT, Native("dword", 1)),
        Step(
            2,
            "server_property",
            "",
            "EncryptData",
            Native("boolean", False),
            Native("boolean", True),
            twin=Twin(SERVER, "EncryptData"),
        ),
        Step(3, "service", "Spooler", "", Native("integer", 2), Native("integer", 4)),
        Step(
            4,
            "right",
            "SeNetworkLogonRight",
            "",
            Native("list", holders),
            Native("list", ["S-1-5-32-544"]),
            risky=risky,
        ),
    )


def stands(host: SimulatedHost) -> list[str]:
    """Return of each step of the plan whether the old or the new value stands; anything else is told as it is."""
    state = host.document()
    registry = state["registry"]
    seen = (
        registry.get(NEW, {}).get("Value"),
        registry[SERVER].get("EncryptData"),
        registry[rf"{SERVICES}\Spooler"]["Start"],
        state["user_rights"]["SeNetworkLogonRight"],
    )
    wide = ["*S-1-1-0", "*S-1-5-32-544", "*S-1-5-32-545", "*S-1-5-32-551"]
    old = (None, None, ["DWord", 2], wide)
    new = (["DWord", 1], ["DWord", 1], ["DWord", 4], ["*S-1-5-32-544"])
    return [
        "old" if now == was else "new" if now == then else repr(now)
        for now, was, then in zip(seen, old, new, strict=True)
    ]


@contextlib.contextmanager
def going_on(host: SimulatedHost, order: Order, extra: str) -> Iterator[list[Answer]]:
    """A change meanwhile; what became of it is in the list at the end."""
    seen: list[Answer] = []
    change = threading.Thread(target=lambda: seen.append(carry_out(host, order, extra=extra)))
    change.start()
    try:
        yield seen
    finally:
        change.join()


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_boundary(host, point, number):
    """Each step is wholly old or new; a second run finishes; the inverse undoes to the very state before."""
    before, steps = whole(host), plan(host)
    killed = carry_out(host, Order("first", steps), extra=dying(point, number))
    assert killed.rc == -9 and killed.collected is None
    reached = number if point in ("after-write", "after-done") else number - 1
    assert stands(host) == ["new"] * reached + ["old"] * (4 - reached)
    journal = (
        (state_folder(host) / "first" / "journal").read_text().splitlines()
        if reached or point != "before-intended"
        else []
    )
    last = "done" if point in ("after-done", "before-intended") else "intended"
    if journal:
        assert journal[-1].split("|")[1] == last
    second = carry_out(host, Order("second", steps))
    assert second.states == ["already"] * reached + ["done"] * (4 - reached) and not second.obstacle
    assert stands(host) == ["new"] * 4
    assert set(carry_out(host, Order("third", inverse(steps))).states) == {"done"}
    assert whole(host) == before


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_rolled_back(host, point):
    """Nobody finishes it: the inverse of all steps finds some undone already, and the key that was made for nothing."""
    before, steps = whole(host), plan(host)
    carry_out(host, Order("first", steps), extra=dying(point, 2))
    back = carry_out(host, Order("second", inverse(steps)))
    assert set(back.states) == {"already", "done"}
    assert whole(host) == before


def test_killed_between_a_key_and_its_value(host):
    before, steps = whole(host), plan(host)
    assert carry_out(host, Order("first", steps), extra=dying("after-key", NEW)).rc == -9
    assert host.document()["registry"][NEW] == {}
    assert set(carry_out(host, Order("second", inverse(steps))).states) == {"already"}
    assert whole(host) == before


@pytest.mark.parametrize(
    ("point", "number"), [("after-arm", ""), ("after-intended", 4), ("after-write", 4), ("after-done", 4)]
)
def test_killed_with_an_undo_armed(host, point, number):
    """Nobody is there to confirm: time undoes all of it, whatever was reached."""
    before, steps = whole(host), plan(host, risky=True)
    assert carry_out(host, Order("first", steps, inverse(steps), seconds=600), extra=dying(point, number)).rc == -9
    refused = carry_out(host, Order("second", steps))
    assert "not confirmed yet" in refused.obstacle
    assert host.wait(601) == [r"\Breakwater\undo-first"]
    assert whole(host) == before


def test_killed_before_anything_is_armed(host):
    before, steps = whole(host), plan(host, risky=True)
    assert carry_out(host, Order("first", steps, inverse(steps)), extra=dying("before-arm")).rc == -9
    assert whole(host) == before and host.document()["tasks"] == {}
    assert carry_out(host, Order("second", steps)).states == ["done"] * 4


def test_an_undo_waits_for_the_change_to_end(host):
    """The clock is over while the change still goes on: both happen, one after the other."""
    before, steps = whole(host), plan(host, risky=True)
    order = Order("first", steps, inverse(steps), seconds=600)
    with going_on(host, order, waiting("after-done", 4, 4)) as seen:
        until(lambda: host.document()["tasks"] and stands(host)[3] == "new")
        assert host.wait(601) == [r"\Breakwater\undo-first"]
    assert seen[0].states == ["done"] * 4 and seen[0].host["armed"] is True
    assert whole(host) == before
    assert confirm(host, "first").obstacle.startswith("the undo has fired")


def test_an_undo_that_came_early_waits_for_its_new_time(host):
    """It was armed before the first step and once more before the risky one, when its first time was over already."""
    steps = plan(host, risky=True)
    order = Order("first", steps, inverse(steps), seconds=15)
    ran = []
    undo = threading.Thread(target=lambda: ran.extend(host.wait(0)))
    with going_on(host, order, waiting("after-done", 1, 25)) as seen:
        until(lambda: host.document()["tasks"])
        time.sleep(16)
        undo.start()
    assert seen[0].states == ["done"] * 4 and seen[0].host["armed"] is True
    confirmed = confirm(host, "first")
    undo.join()
    assert (confirmed.obstacle, ran) == ("", [r"\Breakwater\undo-first"])
    assert stands(host) == ["new"] * 4 and host.wait(3600) == []


def test_two_changes_at_once(host):
    steps = plan(host)
    with going_on(host, Order("first", steps), waiting("before-intended", 2, 8)) as seen:
        until((state_folder(host) / "first" / "journal").exists)
        second = carry_out(host, Order("second", steps))
    assert re.fullmatch(r"another change is going on: process \d+ since 20\S+Z", second.obstacle)
    assert second.states == ["skipped"] * 4
    assert seen[0].states == ["done"] * 4


def test_access_denied_at_the_third_step(host):
    before, steps = whole(host), plan(host)
    steps = (
        *steps[:2],
        Step(3, "registry", rf"{SERVICES}\NetBT\Parameters", "SMBDeviceEnabled", ABSENT, Native("dword", 0)),
        steps[3],
    )
    host.change(lambda state: state["denied_keys"].append({"key": rf"{SERVICES}\NetBT", "write": True}))
    done = carry_out(host, Order("first", steps))
    assert done.states == ["done", "done", "failed", "skipped"] and not done.obstacle
    assert re.match(r"\w+: ", done.steps[3]["error"]) and done.steps[3]["after"]["type"] == "absent"
    assert (state_folder(host) / "first" / "journal").read_text().splitlines()[-1].split("|")[1:3] == ["failed", "3"]
    host.change(lambda state: state["denied_keys"].pop())
    assert carry_out(host, Order("second", steps)).states == ["already", "already", "done", "done"]
    assert set(carry_out(host, Order("third", inverse(steps))).states) == {"done"}
    assert whole(host) == before


def test_a_value_that_changed_since_it_was_collected(host):
    steps = plan(host)
    host.change(lambda state: state["registry"][rf"{SERVICES}\Spooler"].update(Start=["DWord", 3]))
    before = whole(host)
    done = carry_out(host, Order("first", steps))
    assert done.states == ["skipped", "skipped", "refused", "skipped"]
    assert done.steps[3]["error"] == "3 (integer) stands there, not 2 (integer)"
    assert whole(host) == before and not (state_folder(host) / "first").exists()


def test_a_value_that_changes_while_steps_are_done(host):
    steps = plan(host)
    with going_on(host, Order("first", steps), waiting("after-done", 2, 3)) as seen:
        until(lambda: stands(host)[1] == "new")
        host.change(lambda state: state["registry"][rf"{SERVICES}\Spooler"].update(Start=["DWord", 3]))
    assert seen[0].states == ["done", "done", "refused", "skipped"]
    assert host.document()["registry"][rf"{SERVICES}\Spooler"]["Start"] == ["DWord", 3]


def test_a_cmdlet_that_fails_after_it_has_written(host):
    """It said that it failed, so that what stood there before stands there again, and nothing behind it."""
    before, steps = whole(host), plan(host)
    host.change(lambda state: state["broken"].append("Set-SmbServerConfiguration"))
    done = carry_out(host, Order("first", steps))
    assert done.states == ["done", "failed", "skipped", "skipped"]
    assert done.steps[2]["error"].startswith("CimException: ") and "put back" not in done.steps[2]["error"]
    host.change(lambda state: state["broken"].clear())
    assert set(carry_out(host, Order("second", inverse(steps[:1]))).states) == {"done"}
    assert whole(host) == before


def test_a_service_that_does_not_come_back(host):
    """All that the order did is put back, and the service runs again."""
    restarts = Step(5, "restart", "LanmanWorkstation"), Step(6, "restart", "LanmanServer")
    before, steps = whole(host), (*plan(host, risky=True), *restarts)
    host.change(lambda state: state["broken"].append("LanmanServer"))
    done = carry_out(host, Order("first", steps, inverse(steps)))
    assert done.states == ["undone"] * 5 + ["failed"] and done.host["armed"] is False
    host.change(lambda state: state["broken"].clear())
    assert whole(host) == before
    assert host.document()["services"]["LanmanServer"]["state"] == "Running"


@pytest.fixture
def small_disk(host):
    """A disk of 64 KB for the state directory; its size is changed by filling it."""
    folder = host.directory / "ProgramData"
    folder.mkdir(exist_ok=True)
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], check=False).returncode
    ):
        pytest.skip("needs root and the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_from_the_start(host, small_disk):
    before, steps = whole(host), plan(host, risky=True)
    carry_out(host, Order("zero", ()))
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(1 << 20))
    done = carry_out(host, Order("first", steps, inverse(steps)))
    assert done.obstacle and set(done.states) == {"skipped"}
    assert whole(host) == before
    (small_disk / "ballast").unlink()
    assert carry_out(host, Order("second", steps)).states == ["done"] * 4


def test_a_disk_that_becomes_full_half_way(host, small_disk):
    """The journal comes first: a step that cannot be written down is not begun."""
    before, steps = whole(host), plan(host)
    # The journal's last page is filled, and then the disk.
    fill = (
        "function bw_point([string]$name, [string]$id) { if (\"$name $id\" -eq 'after-done 2') {\n"
        "$journal = [IO.Path]::Combine($bw_order.folder, 'journal')\n"
        "$rest = 4096 - (New-Object IO.FileInfo $journal).Length % 4096\n"
        "[IO.File]::AppendAllText($journal, [string]::new('-', $rest - 1) + [char]10)\n"
        "try { [IO.File]::WriteAllBytes([IO.Path]::Combine($env:ProgramData, 'ballast'), [byte[]]::new(1048576)) } catch { $null = $_ }\n"
        "} }"
    )
    done = carry_out(host, Order("first", steps), extra=fill)
    assert done.states == ["done", "done", "failed", "skipped"] and done.steps[3]["error"]
    assert stands(host) == ["new", "new", "old", "old"]
    (small_disk / "ballast").unlink()
    assert set(carry_out(host, Order("second", inverse(steps[:2]))).states) == {"done"}
    assert whole(host) == before


# The state directory.


def test_a_directory_of_somebody_else_is_refused(host):
    state_folder(host).mkdir(parents=True)
    if os.geteuid():
        pytest.skip("needs root: a directory of somebody else's")
    os.chown(state_folder(host), 1001, 1001)
    before = whole(host)
    done = carry_out(host, Order("first", plan(host)))
    assert re.search(r"belongs to S-1-5-21-[\d-]+-1001, not to administrators", done.obstacle)
    assert set(done.states) == {"skipped"} and whole(host) == before


def test_a_directory_that_leads_elsewhere_is_refused(host, tmp_path):
    state_folder(host).parent.mkdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    state_folder(host).symlink_to(tmp_path / "elsewhere")
    done = carry_out(host, Order("first", plan(host)))
    assert "reparse point" in done.obstacle and not list((tmp_path / "elsewhere").iterdir())


def test_a_directory_that_others_may_write_to_is_closed(host):
    state_folder(host).mkdir(parents=True, mode=0o755)
    assert carry_out(host, Order("first", plan(host))).states == ["done"] * 4
    assert state_folder(host).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("user", ["auditor", "localadmin"])
def test_an_account_without_rights_is_told_so(host, user):
    before = whole(host)
    done = carry_out(host, Order("first", plan(host)), user=user)
    assert done.collected.records[0].rc == 126
    assert done.obstacle and set(done.states) == {"skipped"}
    assert whole(host) == before and not state_folder(host).exists()


def test_a_share_that_is_gone_and_a_property_that_this_release_lacks(host):
    steps = (
        Step(1, "share_property", "Gone", "EncryptData", Native("boolean", False), Native("boolean", True)),
        Step(2, "server_property", "", "Smb2DialectMin", Native("text", "None"), Native("text", "SMB300")),
        Step(3, "feature", "NoSuchFeature", "", Native("text", "enabled"), Native("text", "disabled")),
        Step(4, "event_log", "NoSuchLog", "enabled", Native("boolean", False), Native("boolean", True)),
    )
    done = carry_out(host, Order("first", steps))
    assert done.states == ["refused"] * 4
    assert done.steps[1]["error"] == "0 shares of the name Gone"
    assert done.steps[2]["error"] == "there is no property Smb2DialectMin"
