# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong between Ansible and a real host while it is changed: the host is old or new, and a run mends it."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import Played, made, play

# While this waits, the new file is checked and not yet in place; while that does, it is in place and not in force.
BEFORE = ("/usr/bin/testparm", "*' /etc/samba/smb.conf'")
AFTER = ("/usr/bin/smbcontrol", "*debuglevel*|*ping*")
SENTENCE = re.compile(r"[A-Z][^\n]{10,399}\.")


@pytest.fixture
def host() -> Iterator[fleet.Host]:
    samba_host.require()
    with fleet.fleet(("smb1",)) as running:
        yield running["smb1"]


def remediate(host: fleet.Host, folder: pathlib.Path, *arguments: str) -> Played:
    return play("remediate", samba_host.inventory({"smb1": host}), folder, *arguments)


def rollback(host: fleet.Host, folder: pathlib.Path, run: str) -> Played:
    return play("rollback", samba_host.inventory({"smb1": host}), folder, "-e", f"breakwater_journal={run}")


def kill_the_controller(process: subprocess.Popen[str], host: fleet.Host) -> None:
    """The whole process group: ansible-playbook, its workers, its ssh."""
    os.killpg(process.pid, signal.SIGKILL)
    for relay in samba_host.relays(host):  # the master connection that outlives Ansible
        os.kill(relay, signal.SIGKILL)


def kill_the_session(process: subprocess.Popen[str], host: fleet.Host) -> None:
    for session in samba_host.sessions(host):
        os.kill(session, signal.SIGKILL)


def drop_the_connection(process: subprocess.Popen[str], host: fleet.Host) -> None:
    for relay in samba_host.relays(host):
        os.kill(relay, signal.SIGKILL)


FAULTS: dict[str, Callable[[subprocess.Popen[str], fleet.Host], None]] = {
    "controller": kill_the_controller,
    "session": kill_the_session,
    "connection": drop_the_connection,
}


def broken_off(
    host: fleet.Host, folder: pathlib.Path, fault: Callable[[subprocess.Popen[str], fleet.Host], None], where: str
) -> Played:
    """Remediate, let the fault happen while the host is at that point, and return how it went for the controller."""
    with samba_host.held(host, folder, *(BEFORE if where == "before" else AFTER)) as process:
        fault(process, host)
        time.sleep(1)  # who is cut off has noticed before the host goes on
        samba_host.release(host)
        samba_host.until(lambda: process.poll() is not None)
    played = samba_host.finish(process, folder)
    samba_host.until(lambda: not working(host))
    return played


def working(host: fleet.Host) -> bool:
    """Return whether anything of the change still runs on the host."""
    shells = samba_host.run(host, "ps", "-e", "-o", "pid=,args=")
    return bool(re.search(r"/bin/sh -s|/real ", shells))


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_second_run_finishes_what_was_broken_off(host, tmp_path, fault, where):
    original = samba_host.configuration(host)
    broken = broken_off(host, tmp_path, FAULTS[fault], where)
    assert broken.code != 0
    between = samba_host.configuration(host)
    assert between.keys() == original.keys(), "a temporary file was left behind"
    second = remediate(host, tmp_path)
    assert second.code == 0, second.output
    assert made(second.host("smb1")) or between != original
    assert second.run["verdict"] == "compliant"
    assert samba_host.configuration(host).keys() == original.keys()
    assert samba_host.configuration(host) != original


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_rollback_undoes_what_was_broken_off(host, tmp_path, fault, where):
    original = samba_host.configuration(host)
    first = play("audit", samba_host.inventory({"smb1": host}), tmp_path).host("smb1")
    broken = broken_off(host, tmp_path, FAULTS[fault], where)
    assert broken.run["verdict"] == "incomplete"
    undone = rollback(host, tmp_path, broken.run["id"])
    assert undone.code == 0, undone.output
    assert samba_host.configuration(host) == original
    restored = play("audit", samba_host.inventory({"smb1": host}), tmp_path).host("smb1")
    assert samba_host.steady(restored) == samba_host.steady(first)


def test_a_lost_connection_is_one_sentence_that_says_what_to_do(host, tmp_path):
    broken = broken_off(host, tmp_path, drop_the_connection, "after")
    (error,) = broken.host("smb1")["errors"]
    assert SENTENCE.fullmatch(error["reason"]), error
    assert "changed" in error["reason"] or "half" in error["reason"] or "journal" in error["reason"], error


def test_two_at_once_one_does_it_and_the_other_says_so(host, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with samba_host.held(host, first, *AFTER) as process:
        # What the first has written is not to be planned on: the second looks at the file as it was.
        other = remediate(host, second)
        held = samba_host.configuration(host)
    done = samba_host.finish(process, first)
    assert done.code == 0, done.output
    assert other.code != 0, other.output
    said = other.host("smb1")
    sentences = [error["reason"] for error in said.get("errors", ())] + [said.get("remediation", {}).get("failed", "")]
    (sentence,) = [text for text in dict.fromkeys(sentences) if text]
    assert SENTENCE.fullmatch(sentence), sentence
    assert re.search(r"another change|process \d+|pid \d+", sentence), sentence
    assert samba_host.configuration(host) == held
    third = remediate(host, second)
    assert third.code == 0, third.output
    assert made(third.host("smb1")) == []


def test_a_change_by_somebody_between_plan_and_step_is_kept(host, tmp_path):
    """smb.conf is edited while the host checks the new file: that edit is not lost, and nothing is done."""
    path = host.directory / "etc-samba" / "smb.conf"
    with samba_host.held(host, tmp_path, *BEFORE) as process:
        path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
        edited = samba_host.configuration(host)["smb.conf"]
    played = samba_host.finish(process, tmp_path)
    assert played.code != 0
    assert samba_host.configuration(host) == {"smb.conf": edited}
    assert played.host("smb1")["remediation"]["failed"]
    again = remediate(host, tmp_path)
    assert again.code == 0, again.output
    assert "# by hand" in path.read_text(encoding="utf-8")


def test_rollback_refuses_what_somebody_changed_since_and_shows_both(host, tmp_path):
    changed = remediate(host, tmp_path)
    assert changed.code == 0, changed.output
    run = changed.run["id"]
    path = host.directory / "etc-samba" / "smb.conf"
    ours = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    edited = samba_host.configuration(host)
    refused = rollback(host, tmp_path, run)
    assert refused.code != 0
    assert samba_host.configuration(host) == edited
    said = refused.output + str(refused.host("smb1").get("remediation"))
    assert ours in said or ours[:12] in said, said
    assert edited["smb.conf"][0] in said or edited["smb.conf"][0][:12] in said, said
    # Once that is taken back, the rollback goes through.
    path.write_text(path.read_text(encoding="utf-8").removesuffix("# by hand\n"), encoding="utf-8")
    assert rollback(host, tmp_path, run).code == 0


def test_check_mode_of_a_rollback_touches_nothing(host, tmp_path):
    original = samba_host.configuration(host)
    run = remediate(host, tmp_path).run["id"]
    changed = samba_host.configuration(host)
    entries = samba_host.inventory({"smb1": host})
    looked = play("rollback", entries, tmp_path, "-e", f"breakwater_journal={run}", "--check", "--diff")
    assert looked.code == 0, looked.output
    assert re.search(r"^smb1 .*changed=1", looked.output, re.MULTILINE), looked.output
    assert samba_host.configuration(host) == changed != original
    assert made(looked.host("smb1"))
    assert rollback(host, tmp_path, run).code == 0
    assert samba_host.configuration(host) == original


def test_a_journal_that_is_not_there_is_one_sentence(host, tmp_path):
    before = host.executions()
    for run in ("20200101T000000Z-none", "../../etc", "latest"):
        played = rollback(host, tmp_path, run)
        time.sleep(0.3)
        assert played.code != 0, run
        assert host.executions() == before, run
        assert "journal" in played.output or "run" in played.output, run
