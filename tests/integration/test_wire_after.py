# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a real smbd lets in before a remediation, after it, and after the rollback: asked on the wire, not of a file."""

from __future__ import annotations

import subprocess

import fleet
import pytest

from tests.lab import samba_host, wire
from tests.lab.playbooks import play

# 3.1.1 wants a signed TREE_CONNECT of every client, whatever the server's settings: it proves nothing.
UNSIGNED = tuple(dialect for dialect in wire.DIALECTS if dialect < 0x0311)


@pytest.fixture(scope="module")
def hosts():
    samba_host.require()
    with fleet.fleet(("smb1", "guest")) as running:
        for host in running.values():
            samba_host.add_user(host)
        yield running


def seen(host: fleet.Host, share: str) -> dict[str, bool]:
    """Return what the server lets in."""
    where = samba_host.endpoint(host)
    found = {"smb1": wire.smb1_only(where).accepted}
    for dialect in wire.DIALECTS:
        for signed in (False, True):
            answer = wire.tree_connect(where, samba_host.ALICE, share, dialect, signed=signed)
            found[f"{dialect:#06x} {'signed' if signed else 'unsigned'}"] = answer.accepted
    found["guest"] = wire.guest(where, share, 0x0302).accepted
    found["anonymous"] = wire.anonymous(where, "IPC$", 0x0302).accepted
    return found


def smbclient(host: fleet.Host, share: str) -> bool:
    """Return whether a client as it should be gets in and may list the share."""
    login = f"{samba_host.ALICE.user}%{samba_host.ALICE.password}"
    command = [
        "smbclient",
        "-m",
        "SMB3",
        "--client-protection=encrypt",
        "-U",
        login,
        f"//127.0.0.1/{share}",
        "-c",
        "ls",
    ]
    return subprocess.run([*host.enter(), *command], capture_output=True, check=False, timeout=60).returncode == 0


def test_the_client_itself_is_let_in_and_turned_away_where_it_should_be():
    """Each answer against the setting that alone decides it."""
    samba_host.require()
    with fleet.fleet(("defaults",)) as running:
        host = running["defaults"]
        where, share = samba_host.endpoint(host), "[files]\n path = /srv/files\n"
        samba_host.add_user(host)

        def tried(dialect: int, signed: bool) -> str:
            return wire.tree_connect(where, samba_host.ALICE, "files", dialect, signed=signed).said

        assert wire.smb1_only(where).said.startswith("refused")
        assert {tried(dialect, True) for dialect in wire.DIALECTS} == {"accepted"}
        assert {tried(dialect, False) for dialect in UNSIGNED} == {"accepted"}
        assert tried(0x0311, False) == "STATUS_ACCESS_DENIED"

        samba_host.write(host, f"[global]\n server signing = mandatory\n server min protocol = SMB2_10\n{share}")
        assert {tried(dialect, True) for dialect in wire.DIALECTS[1:]} == {"accepted"}
        assert {tried(dialect, False) for dialect in wire.DIALECTS[1:]} == {"STATUS_ACCESS_DENIED"}
        assert tried(0x0202, True) == "STATUS_NOT_SUPPORTED"

        samba_host.write(host, f"[global]\n server smb encrypt = required\n{share}")
        assert {tried(dialect, True) for dialect in wire.DIALECTS[2:]} == {"STATUS_ACCESS_DENIED"}
        wrong = wire.tree_connect(where, wire.Login("alice", "wrong"), "files", 0x0302, signed=True)
        assert wrong == wire.Answer("session setup", "STATUS_LOGON_FAILURE")

        samba_host.write(host, f"[global]\n restrict anonymous = 2\n{share}")
        assert wire.anonymous(where, "IPC$", 0x0302) == wire.Answer("tree connect", "STATUS_ACCESS_DENIED")
        assert wire.guest(where, "files", 0x0302) == wire.Answer("session setup", "STATUS_LOGON_FAILURE")

        samba_host.write(host, f"[global]\n map to guest = bad user\n{share} guest ok = yes\n")
        assert wire.guest(where, "files", 0x0302).accepted
        assert wire.anonymous(where, "IPC$", 0x0302).accepted


def test_smbd_turns_away_what_it_took_before_and_takes_it_again_after_the_rollback(hosts, tmp_path):
    shares = {"smb1": "scans", "guest": "public"}
    entries = samba_host.inventory(hosts)
    before = {name: seen(host, shares[name]) for name, host in hosts.items()}
    assert before["smb1"]["smb1"]
    assert before["guest"]["guest"]
    for name in hosts:
        assert [dialect for dialect in UNSIGNED if not before[name][f"{dialect:#06x} unsigned"]] == []

    changed = play("remediate", entries, tmp_path)
    assert changed.code == 0, changed.output
    run = changed.run["id"]
    after = {name: seen(host, shares[name]) for name, host in hosts.items()}
    for name, host in hosts.items():
        assert not after[name]["smb1"]
        assert [said for said, taken in after[name].items() if taken and "unsigned" in said] == []
        assert not after[name]["0x0202 signed"]  # below the dialect floor
        assert after[name]["0x0311 signed"], "a client that signs is still let in"
        assert not after[name]["guest"]
        assert smbclient(host, shares[name])

    undone = play("rollback", entries, tmp_path, "-e", f"breakwater_journal={run}")
    assert undone.code == 0, undone.output
    assert {name: seen(host, shares[name]) for name, host in hosts.items()} == before
