# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo`` as a user runs it, with real hosts and with recorded ones, and what it says when it breaks."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import ROOT

DEMO = ROOT / "demo"
ACTS = ("audit", "plan", "remediation", "audit", "rollback", "report")
RECORDED = "import sys, fleet, run; fleet.obstacle = lambda: 'real hosts need root'; sys.exit(run.main())"


def demo(results: pathlib.Path, *arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demonstration; with ``code``, through that instead of its own main program."""
    program = [sys.executable, "-c", code] if code else [sys.executable, str(DEMO / "run.py")]
    environment = {**os.environ, "DEMO_RESULTS": str(results), "PYTHONPATH": str(DEMO), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def runs(results: pathlib.Path) -> list[tuple[dict, dict]]:
    """Return every run, oldest first: what it says about itself, and its hosts."""
    found = []
    for folder in sorted(path.parent for path in results.glob("2*/run.json")):
        hosts = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "hosts").glob("*.json")]
        assert not any(host.get("errors") for host in hosts if host["host"] in fleet.HOSTS), folder
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        found.append((run, {host["host"]: host for host in hosts}))
    return found


def labels(hosts: dict) -> dict[str, tuple[str, ...]]:
    return {name: tuple(host.get("labels", ())) for name, host in hosts.items()}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    samba_host.require()
    results = tmp_path_factory.mktemp("demo")
    done = demo(results)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, results, runs(results)


def test_the_whole_story_is_played_on_real_hosts(story):
    output, results, played = story
    assert "Starting four real hosts" in output
    assert f"{results} holds every run" in output
    names = re.findall(r"^=== Act (\d) of 6, (\w+): ", output, re.MULTILINE)
    assert names == [(str(n), name) for n, name in enumerate(ACTS, 1)]
    kinds = [(run["kind"], run.get("check", False), run["scope"].get("limit", "")) for run, _hosts in played]
    assert kinds == [
        ("audit", False, ""),
        ("remediate", True, "fleet"),
        ("remediate", False, "fleet"),
        ("audit", False, "fleet"),
        ("rollback", False, "guest"),
    ]
    assert labels(played[0][1]) == dict.fromkeys((*fleet.HOSTS, "this-machine"), ())


def test_this_machine_is_only_audited(story):
    for run, hosts in story[2][1:]:
        assert "this-machine" not in hosts, run["id"]


def test_what_was_planned_was_changed_and_is_better(story):
    (_one, first), (_two, planned), (_three, changed), (_four, after), _back = story[2]
    for name in ("smb1", "guest", "defaults"):
        wanted = [(item["address"], item.get("after")) for item in planned[name]["remediation"]["changes"]]
        assert wanted
        assert [(item["address"], item.get("after")) for item in changed[name]["remediation"]["changes"]] == wanted
        assert {item["state"] for item in changed[name]["remediation"]["changes"]} == {"done"}
        assert changed[name]["score"] == after[name]["score"] > first[name]["score"]
    assert changed["hardened"]["score"] == 100
    assert not changed["hardened"]["remediation"].get("changes")


def test_one_host_was_rolled_back(story):
    (_one, first), *_others, (_five, back) = story[2]
    assert set(back) == {"guest"}
    assert back["guest"]["findings"] == first["guest"]["findings"]
    assert back["guest"]["score"] == first["guest"]["score"]
    assert re.search(rf"^  guest +{first['guest']['score']} +\d+ +{first['guest']['score']}$", story[0], re.MULTILINE)


def test_the_last_report_shows_before_and_after(story):
    output, results, played = story
    page = results / played[2][0]["id"] / "reports" / "index.html"
    assert f"html: {page}" in output
    text = page.read_text(encoding="utf-8")
    first, after = played[0][1]["guest"]["score"], played[3][1]["guest"]["score"]
    assert "What was changed" in text
    assert f"score {first} <span" in text and f"<strong>{after}</strong>" in text


def test_recorded_hosts_and_this_machine(tmp_path):
    done = demo(tmp_path, code=RECORDED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Playing back recorded hosts: real hosts need root" in done.stdout
    assert "Recorded hosts cannot be changed" in done.stdout
    (audit, hosts), (plan, planned) = runs(tmp_path)
    assert (audit["kind"], plan["kind"], plan["check"]) == ("audit", "remediate", True)
    assert labels(hosts) == {**dict.fromkeys(fleet.HOSTS, ("recorded",)), "this-machine": ()}
    assert labels(planned) == dict.fromkeys(fleet.HOSTS, ("recorded",))


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (
            "acts.contents = lambda hosts, seen=[]: seen.append(1) or {'guest': len(seen)}",
            "act 2 of 6 (plan): the plan has changed a file",
        ),
        ("acts.RESTART = ('-e', 'breakwater_controls=samba-wide-links')", "act 2 of 6 (plan): nothing was planned"),
        ("acts.UNDONE = 'hardened'", "act 5 of 6 (rollback): nothing was put back on hardened"),
    ],
)
def test_an_act_that_did_not_do_what_it_should_is_told_with_where(tmp_path, bend, said):
    samba_host.require()
    done = demo(tmp_path, code=f"import sys, acts, run; {bend}; sys.exit(run.main())")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"The demonstration broke in {said}" in done.stderr, done.stderr


def test_what_breaks_is_no_success(tmp_path):
    done = demo(tmp_path, "-e", "breakwater_profile=strickt", code=RECORDED)
    assert done.returncode == 1
    assert "did you mean 'strict'?" in done.stdout + done.stderr
    assert "The demonstration broke in act 1 of 2 (audit)" in done.stderr


def test_without_ansible_there_is_one_sentence(tmp_path):
    here = "import pathlib, acts; acts.PLAYBOOK = pathlib.Path('/nonexistent/ansible-playbook'); "
    done = demo(tmp_path, code=here + RECORDED)
    assert done.returncode == 1
    assert "cannot run /nonexistent/ansible-playbook: No such file or directory; 'make demo'" in done.stderr


def test_hosts_that_cannot_be_read_are_no_success(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "broken.txt").write_text("nothing\n", encoding="utf-8")
    here = f"import pathlib, run; run.RECORDINGS = pathlib.Path({str(tmp_path / 'recordings')!r}); "
    done = demo(tmp_path / "results", code=here + RECORDED)
    assert done.returncode == 1
    assert "The demonstration broke in act 1 of 2 (audit): not every host could be read" in done.stderr


def test_a_stopped_demonstration_leaves_nothing(tmp_path):
    samba_host.require()
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
