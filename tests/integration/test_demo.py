# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo`` as a user runs it, with real hosts and with recorded ones, and what it says when it breaks."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import fleet
import pytest

from tests.lab.playbooks import ROOT

DEMO = ROOT / "demo"
RECORDED = "import sys, fleet, run; fleet.obstacle = lambda: 'real hosts need root'; sys.exit(run.main())"


def demo(results: pathlib.Path, *arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demonstration; with ``code``, through that instead of its own main program."""
    program = [sys.executable, "-c", code] if code else [sys.executable, str(DEMO / "run.py")]
    environment = {**os.environ, "DEMO_RESULTS": str(results), "PYTHONPATH": str(DEMO), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=180
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def labels(results: pathlib.Path) -> dict[str, tuple[str, ...]]:
    """Return the labels of every host of the newest run."""
    hosts = [json.loads(path.read_text(encoding="utf-8")) for path in (results / "latest" / "hosts").glob("*.json")]
    assert not any(host.get("errors") for host in hosts)
    return {host["host"]: tuple(host.get("labels", ())) for host in hosts}


def test_real_hosts(tmp_path):
    if reason := fleet.obstacle():
        pytest.skip(f"needs the embedded fleet: {reason}")
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Starting four real hosts" in done.stdout
    assert f"{tmp_path}/latest holds everything" in done.stdout
    assert labels(tmp_path) == dict.fromkeys((*fleet.HOSTS, "this-machine"), ())
    assert "Nothing to do on: hardened" in done.stdout or "hardened: score 100" in done.stdout


def test_recorded_hosts_and_this_machine(tmp_path):
    done = demo(tmp_path, code=RECORDED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Playing back recorded hosts: real hosts need root" in done.stdout
    assert labels(tmp_path) == {**dict.fromkeys(fleet.HOSTS, ("recorded",)), "this-machine": ()}


def test_what_breaks_is_no_success(tmp_path):
    done = demo(tmp_path, "-e", "breakwater_profile=strickt", code=RECORDED)
    assert done.returncode == 1
    assert "did you mean 'strict'?" in done.stdout + done.stderr
    assert "The demonstration broke" in done.stderr


def test_without_ansible_there_is_one_sentence(tmp_path):
    here = "import pathlib, run; run.PLAYBOOK = pathlib.Path('/nonexistent/ansible-playbook'); "
    done = demo(tmp_path, code=here + RECORDED)
    assert done.returncode == 1
    assert "Cannot run /nonexistent/ansible-playbook: No such file or directory; 'make demo'" in done.stderr


def test_hosts_that_cannot_be_read_are_no_success(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "broken.txt").write_text("nothing\n", encoding="utf-8")
    here = f"import pathlib, run; run.RECORDINGS = pathlib.Path({str(tmp_path / 'recordings')!r}); "
    done = demo(tmp_path / "results", code=here + RECORDED)
    assert done.returncode == 1
    assert "The demonstration broke: not every host could be read" in done.stderr


def test_a_stopped_demonstration_leaves_nothing(tmp_path):
    if reason := fleet.obstacle():
        pytest.skip(f"needs the embedded fleet: {reason}")
    environment = {**os.environ, "DEMO_RESULTS": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, str(DEMO / "run.py")], env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    states = f"{fleet.PREFIX}{process.pid}-*"
    deadline = time.monotonic() + 60
    while not list(pathlib.Path("/tmp").glob(f"{states}/hosts.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 143
    assert not list(pathlib.Path("/tmp").glob(states))
