# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cifs mounts of a real host's fstab: audited, planned, changed, left alone the second time, and put back."""

from __future__ import annotations

import hashlib
import pathlib
import re

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import made, play
from tests.lab.story import Step, check_again, check_plan, tell

NAME = "hardened"
WEAK = (
    "//nas/data\t/mnt/old\\040data  cifs  credentials=/etc/nas,vers=1.0,noauto,user,x-systemd.automount 0 0 # scanner"
)
TABLE = f"""# The site's own table.
proc /proc proc defaults 0 0
{WEAK}
//nas/good /mnt/good smb3 credentials=/etc/nas,vers=3.1.1,sec=ntlmsspi,_netdev 0 0
//nas/open /mnt/open cifs guest,vers=3.1.1 0 0
# no end of line"""
POINT = "/mnt/old data"
OURS = "linux-cifs-mount-"
CHOSEN = ("-e", f'{{"breakwater_controls": ["{OURS}*"]}}')


@pytest.fixture(scope="module")
def host():
    samba_host.require()
    with fleet.fleet((NAME,)) as running:
        one = running[NAME]
        # An /etc of its own: a new fstab is renamed over the old one, which a file that is a mount point does not allow.
        own = f"{one.directory}/etc"
        samba_host.run(one, "sh", "-c", f"mkdir {own} && cp -a /etc/. {own} && mount --bind {own} /etc")
        table(one).unlink()
        table(one).write_bytes(TABLE.encode())
        table(one).chmod(0o640)
        yield one


def table(host: fleet.Host) -> pathlib.Path:
    return host.directory / "etc" / "fstab"


def state(host: fleet.Host) -> dict[str, tuple[str, int, int]]:
    path = table(host)
    status = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"fstab": (digest, status.st_mode, status.st_uid), "names": (str(sorted(path.parent.glob("*fstab*"))), 0, 0)}


@pytest.fixture(scope="module")
def story(host, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mounts")
    texts = {}

    def one_step(name: str, *arguments: str) -> Step:
        playbook = {"check": "remediate", "after": "audit", "again": "remediate", "restored": "audit"}.get(name, name)
        chosen = CHOSEN if playbook == "remediate" else ()
        before = host.executions()
        played = play(playbook, samba_host.inventory({NAME: host}), folder, *arguments, *chosen)
        texts[name] = table(host).read_text(encoding="utf-8")
        done = {NAME: host.executions() - before}
        return Step(played, played.run, {NAME: played.host(NAME)}, done, {NAME: state(host)})

    return tell(one_step), texts


def verdicts(step: Step) -> set[tuple[str, str, str]]:
    findings = step.records[NAME]["findings"]
    ours = [one for one in findings if one["control"].startswith(OURS)]
    return {(one["control"].removeprefix(OURS), one.get("object", ""), one["verdict"]) for one in ours}


LEFT = {("signing", "/mnt/open", "fail"), ("guest", "/mnt/open", "fail")}


def test_the_audit_finds_the_weak_entries(story):
    steps, _texts = story
    assert verdicts(steps["audit"]) == LEFT | {("dialect", POINT, "fail"), ("signing", POINT, "fail")}


def test_the_plan_shows_what_is_done_and_touches_nothing(story):
    steps, texts = story
    assert texts["check"] == TABLE
    output = steps["check"].played.output
    assert re.search(r"^-credentials=/etc/nas,vers=1\.0,noauto", output, re.MULTILINE), output
    assert re.search(r"^\+credentials=/etc/nas,vers=3,noauto", output, re.MULTILINE), output
    assert f"/etc/fstab:3 {POINT}" in output
    check_plan(steps, NAME)


def test_only_that_entry_is_changed(story):
    steps, texts = story
    options = "credentials=/etc/nas,vers=1.0,noauto,user,x-systemd.automount"
    strong = options.replace("vers=1.0", "vers=3") + ",sec=ntlmsspi"
    assert texts["remediate"] == TABLE.replace(options, strong)
    before, after = steps["audit"].states[NAME], steps["remediate"].states[NAME]
    assert before["fstab"][1:] == after["fstab"][1:] and before["names"] == after["names"]
    changes = {(control, address) for control, _object, address, *_rest in made(steps["remediate"].records[NAME])}
    assert changes == {(f"{OURS}{what}", f"/etc/fstab:3 {POINT}") for what in ("dialect", "signing")}
    assert verdicts(steps["remediate"]) == verdicts(steps["after"]) == LEFT | {("dialect", "", "pass")}


def test_what_a_person_has_to_do_is_said(story):
    steps, _texts = story
    blocked = {
        one["control"].removeprefix(OURS): one for one in steps["remediate"].records[NAME]["remediation"]["blocked"]
    }
    assert {name: (one["kind"], one["object"]) for name, one in blocked.items()} == {
        "guest": ("edit", "/mnt/open"),
        "signing": ("edit", "/mnt/open"),
    }
    assert "credentials" in blocked["guest"]["why"]


def test_the_second_run_changes_nothing(story):
    steps, texts = story
    check_again(steps, NAME)
    assert texts["again"] == texts["remediate"]


def test_the_rollback_restores_every_byte(story):
    steps, texts = story
    assert steps["rollback"].played.code == 0, steps["rollback"].played.output
    assert texts["rollback"] == TABLE
    assert steps["restored"].states == steps["audit"].states
    assert verdicts(steps["restored"]) == verdicts(steps["audit"])
