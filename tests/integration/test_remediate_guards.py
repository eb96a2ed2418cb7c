# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds a remediation of a real host back: who is connected, and what the user chose; and what lets it go on."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import Any

import fleet
import pytest
import yaml

from tests.lab import samba_host, wire
from tests.lab.playbooks import Played, force_exceptions, made, play

CUT = ("samba-server-min-protocol", "samba-server-signing")
CLIENT = "10.77.0.10"
OLD = ("-m", "NT1", "--option=client min protocol=NT1", "--client-protection=off")
SIGNS = ("-m", "SMB3_11", "--client-protection=sign")


@pytest.fixture
def host() -> Iterator[fleet.Host]:
    samba_host.require()
    with fleet.fleet(("smb1",)) as running:
        samba_host.add_user(running["smb1"])
        yield running["smb1"]


@contextlib.contextmanager
def connected(host: fleet.Host, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Be a client that is in the middle of its work."""
    login = f"{samba_host.ALICE.user}%{samba_host.ALICE.password}"
    command = [*host.enter(), "smbclient", *options, "-U", login, f"//{CLIENT}/scans"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        try:
            samba_host.until(lambda: samba_host.ALICE.user in samba_host.run(host, "smbstatus", "-b"))
            yield client
        finally:
            assert client.stdin is not None
            client.stdin.close()
            client.wait(30)


def remediate(host: fleet.Host, folder: Any, *arguments: str) -> Played:
    return play("remediate", samba_host.inventory({"smb1": host}), folder, *arguments)


def blocked(played: Played) -> dict[str, dict[str, Any]]:
    return {one["control"]: one for one in played.host("smb1")["remediation"].get("blocked", ())}


def controls(played: Played) -> set[str]:
    return {control for control, *_rest in made(played.host("smb1"))}


def test_a_live_smb1_client_holds_the_cut_back_and_is_named(host, tmp_path):
    where = samba_host.endpoint(host)
    with connected(host, *OLD):
        played = remediate(host, tmp_path)
        found = blocked(played)
        assert "samba-server-min-protocol" in found, played.output
        assert {found[name]["kind"] for name in CUT if name in found} <= {"in-use", "stage"}
        in_use = [one for name, one in found.items() if name in CUT and one["kind"] == "in-use"]
        assert in_use
        for one in in_use:
            assert any(CLIENT in user for user in one["users"]), one
            assert CLIENT in one["why"] or "in use" in one["why"], one
    assert "samba-server-min-protocol" not in controls(played)
    assert "samba-lanman-auth" in controls(played) or "samba-lanman-auth" in found  # what nobody uses goes on
    assert wire.smb1_only(where).accepted
    assert played.host("smb1")["remediation"]["watched"]
    # The client is gone: nothing else has changed, and now it is done.
    again = remediate(host, tmp_path)
    assert again.code == 0, again.output
    assert "samba-server-min-protocol" in controls(again)
    assert not wire.smb1_only(where).accepted


@pytest.mark.parametrize(("expires", "forced"), [("2099-01-01", True), ("2026-01-01", False)])
def test_an_exception_of_kind_force_lifts_it_until_it_expires(host, tmp_path, expires, forced):
    with connected(host, *OLD):
        names = (*CUT, "samba-ntlm-auth", "samba-lanman-auth")
        played = remediate(host, tmp_path, *force_exceptions(tmp_path, "smb1", names, expires))
        assert ("samba-server-min-protocol" in controls(played)) is forced, played.output
        assert ("samba-server-min-protocol" in blocked(played)) is not forced
    assert wire.smb1_only(samba_host.endpoint(host)).accepted is not forced


def test_a_client_that_signs_holds_nothing_back(host, tmp_path):
    with connected(host, *SIGNS) as client:
        played = remediate(host, tmp_path)
        assert client.poll() is None, "the remediation threw out a client that does everything right"
    assert set(CUT) <= controls(played), blocked(played)


def test_observe_days_asks_for_evidence_that_samba_cannot_give(host, tmp_path):
    played = remediate(host, tmp_path, "-e", "breakwater_observe_days=14")
    held = blocked(played)["samba-server-min-protocol"]
    assert held["kind"] in ("no-evidence", "stage")
    kinds = {one["kind"] for one in blocked(played).values()}
    assert "no-evidence" in kinds
    assert any("force" in one["why"] for one in blocked(played).values() if one["kind"] == "no-evidence")
    assert not set(CUT) & controls(played)
    assert wire.smb1_only(samba_host.endpoint(host)).accepted


def test_controls_areas_and_exclude_choose(host, tmp_path):
    one = remediate(host, tmp_path, "-e", '{"breakwater_controls": ["samba-lanman-auth"]}')
    assert controls(one) == {"samba-lanman-auth"}
    auth = remediate(
        host, tmp_path, "-e", '{"breakwater_areas": ["dialect"], "breakwater_exclude": ["samba-client-*"]}'
    )
    assert controls(auth) == {"samba-server-min-protocol"}, blocked(auth)


def test_restart_is_pending_until_it_is_allowed(host, tmp_path):
    """What smbd reads only when it starts waits, and says so; nothing restarts unasked."""
    number = samba_host.run(host, "cat", "/run/samba/smbd.pid")
    played = remediate(host, tmp_path)
    remediation = played.host("smb1")["remediation"]
    assert any("smbd" in one for one in remediation.get("pending", ())), remediation
    assert remediation.get("restart_done", []) == []
    assert samba_host.run(host, "cat", "/run/samba/smbd.pid") == number


@pytest.mark.parametrize("name", ["smb1", "protocol", "hardening"])
def test_roles_choose_areas(host, tmp_path, name):
    """A role is a selection, no more: what it changes is what remediate with its areas would."""
    playbook = tmp_path / "role.yml"
    playbook.write_text(
        yaml.safe_dump(
            [{"hosts": "all", "gather_facts": False, "roles": [{"role": f"breakwater.smb.{name}"}]}], sort_keys=False
        ),
        encoding="utf-8",
    )
    before = host.executions()
    done = play(str(playbook), samba_host.inventory({"smb1": host}), tmp_path)
    assert done.code == 0, done.output
    text = (host.directory / "etc-samba" / "smb.conf").read_text(encoding="utf-8")
    assert "NT1" not in text
    assert ("server signing = mandatory" in text) is (name != "smb1"), text
    samba_host.until(lambda: host.executions() - before == 2)


ROLE = ("-e", '{"breakwater_roles": ["backup-target"]}', "-e", "breakwater_profile=strict", "--check")


def test_a_role_that_the_inventory_tells_holds_back_what_others_lean_on(host, tmp_path):
    free = {control for control, *_rest in made(remediate(host, tmp_path, *ROLE[2:]).host("smb1"))}
    held = blocked(remediate(host, tmp_path, *ROLE))
    roles = {name for name, one in held.items() if one["kind"] == "role"}
    assert "samba-smb-encrypt" in free & roles
    assert "this host is a backup target" in held["samba-smb-encrypt"]["why"]


def test_a_cluster_goes_as_one_and_takes_turns(host, tmp_path):
    alone = ("-e", '{"breakwater_roles": ["cluster"]}', "-e", "breakwater_profile=strict")
    exceptions = force_exceptions(tmp_path, "smb1", ("samba-smb-encrypt",))
    held = blocked(remediate(host, tmp_path, *alone, *exceptions, "--check"))
    assert "breakwater_cluster names no inventory group" in held["samba-smb-encrypt"]["why"]
    played = remediate(host, tmp_path, *alone, *exceptions, "-e", "breakwater_cluster=ungrouped")
    assert "samba-smb-encrypt" in controls(played), played.output
    assert (played.results / ".turn-ungrouped").read_text(encoding="utf-8").endswith("\n")
    back = play(
        "rollback",
        samba_host.inventory({"smb1": host}),
        tmp_path,
        "-e",
        f"breakwater_journal={played.run['id']}",
        "-e",
        "breakwater_cluster=ungrouped",
    )
    assert "changed=1" in back.output, back.output


def test_a_cluster_that_is_no_group_is_one_sentence(host, tmp_path):
    played = remediate(host, tmp_path, "-e", "breakwater_cluster=nodes")
    assert played.code != 0
    assert "'nodes' is no inventory group" in played.output
    assert "Traceback" not in played.output
