# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four real hosts of the embedded fleet, audited as a user would."""

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
from ansible import __version__ as core

from tests.lab import samba_host
from tests.lab.playbooks import ROOT, play

CONNECTIONS = [
    "ssh",
    "breakwater.smb.paramiko",
    *(["paramiko_ssh"] if tuple(map(int, core.split(".")[:2])) < (2, 21) else []),
]
WORST = {
    "smb1": [("samba-server-min-protocol", ""), ("samba-ntlm-auth", ""), ("samba-lanman-auth", "")],
    "guest": [
        ("samba-guest-ok", "public"),
        ("samba-force-user", "public"),
        ("samba-admin-users", "archive"),
        ("samba-map-to-guest", ""),
    ],
    "defaults": [("samba-server-signing", ""), ("samba-restrict-anonymous", "")],
    "hardened": [],
}


@pytest.fixture(scope="module")
def hosts():
    samba_host.require()
    with fleet.fleet() as running:
        yield running


def test_four_hosts_over_every_connection_with_one_execution_each(hosts, tmp_path):
    records = {}
    for connection in CONNECTIONS:
        before = {name: host.executions() for name, host in hosts.items()}
        extra = {}
        if connection == "paramiko_ssh":
            state = next(iter(hosts.values())).directory.parent
            extra = {"ANSIBLE_PARAMIKO_HOST_KEY_CHECKING": "False", "HOME": str(state)}
        entries = samba_host.inventory(hosts)
        for name, entry in entries.items():
            entry["ansible_connection"] = connection
            entry["ansible_paramiko_proxy_command"] = fleet.relay_command(hosts[name])
        folder = tmp_path / connection
        folder.mkdir()
        played = play("audit", entries, folder, **extra)
        assert played.code == 2, played.output
        assert played.run["verdict"] == "noncompliant", played.output
        time.sleep(0.3)
        assert {name: host.executions() - before[name] for name, host in hosts.items()} == dict.fromkeys(hosts, 1), (
            connection
        )
        for name, expected in WORST.items():
            verdicts = played.verdicts(name)
            for key in expected:
                assert verdicts[key] == "fail", (name, key)
            failing = {key for key, verdict in verdicts.items() if verdict in ("fail", "unknown")}
            assert (name == "hardened") is (not failing), (name, failing)
        records[connection] = {name: played.host(name)["facts"]["samba.server_min_protocol"] for name in hosts}
    assert len({json.dumps(record, sort_keys=True) for record in records.values()}) == 1


def test_listeners_and_origins(hosts, tmp_path):
    played = play("audit", samba_host.inventory(hosts), tmp_path)
    guest, hardened = played.host("guest"), played.host("hardened")
    assert guest["facts"]["samba.guest_ok"]["public"]["origin"] == {
        "kind": "include",
        "where": "/etc/samba/shares.conf:7",
    }
    assert set(hardened["facts"]["host.listener"]) == {"tcp/0.0.0.0:445", "tcp/[::]:445"}
    assert guest["facts"]["host.listener"]["tcp/0.0.0.0:139"]["effective"]["process"] == "smbd"
    assert any(key.startswith("udp/") and key.endswith(":137") for key in guest["facts"]["host.listener"])
    for path in (played.results / "latest" / "reports").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_unprivileged_is_unknown_never_pass(hosts, tmp_path):
    """The same host read as root and as nobody: nothing may pass that the unprivileged run could not read."""
    host = hosts["smb1"]
    enter = ["nsenter", f"--target={host.pid}", "--mount", "--uts", "--net", "--pid"]
    subprocess.run([*enter, "chmod", "0600", "/etc/samba/smb.conf"], check=True)
    try:
        from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
        from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix

        script = catalogue.collector("n0")
        done = subprocess.run(
            [*enter, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-s"],
            input=script,
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        recording = tmp_path / "smb1.txt"
        recording.write_text(done.stdout.decode().replace("n0", "@NONCE@"), encoding="utf-8")
        assert posix.read_answer(done.stdout.decode(), "", 0, "n0").uid == "65534"
    finally:
        subprocess.run([*enter, "chmod", "0644", "/etc/samba/smb.conf"], check=True)
    played = play("audit", {"smb1": {"ansible_connection": "replay", "breakwater_recording": str(recording)}}, tmp_path)
    verdicts = played.verdicts("smb1")
    assert verdicts[("samba-server-min-protocol", "")] == "unknown"
    passing = {control for (control, _obj), verdict in verdicts.items() if verdict == "pass"}
    assert passing <= {
        "samba-conf-perms",
        "samba-supported-version",
        "samba-cves",
        "samba-nmbd-disabled",
        "samba-usershare-perms",
        "samba-private-perms",
    }
    assert played.code == 2


def test_waiver_drift_and_approval(hosts, tmp_path):
    exceptions = tmp_path / "exceptions.yml"
    exceptions.write_text(
        "exceptions:\n  - {kind: waiver, control: samba-guest-ok, hosts: guest, object: public, reason: kiosk, owner: alice, expires: 2099-01-01}\n",
        encoding="utf-8",
    )
    first = play("audit", samba_host.inventory(hosts), tmp_path, "-e", f"breakwater_exceptions={exceptions}")
    assert "waived   samba-guest-ok [public]: kiosk" in first.output
    assert first.run["counts"]["excepted"] == 1
    approved = play("approve", "localhost,", tmp_path, "-e", "breakwater_run=latest")
    assert approved.code == 0, approved.output
    host = hosts["defaults"]
    enter = ["nsenter", f"--target={host.pid}", "--mount", "--uts", "--net", "--pid"]
    subprocess.run(
        [*enter, "sh", "-c", "printf '[new]\\npath=/srv/files\\nguest ok = yes\\n' >> /etc/samba/smb.conf"], check=True
    )
    second = play("audit", samba_host.inventory(hosts), tmp_path, "--limit", "defaults,hardened")
    assert "samba.share [new] added" in second.output
    assert "samba-guest-ok [new] newly failing" in second.output
    assert "is gone" not in second.output
    assert "approved run" in second.output
    for name in ("index.html", "junit.xml", "report.json", "summary.txt"):
        assert (second.results / "latest" / "reports" / name).stat().st_size > 500


def test_wrong_key_and_unknown_host_key(hosts, tmp_path):
    entries = {
        name: entry for name, entry in samba_host.inventory(hosts).items() if name in ("smb1", "guest", "hardened")
    }
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    entries["smb1"].update(ansible_connection="breakwater.smb.paramiko", ansible_ssh_private_key_file=str(other))
    entries["guest"].update(ansible_connection="breakwater.smb.paramiko", breakwater_paramiko_known_hosts="/dev/null")
    played = play("audit", entries, tmp_path, HOME=str(tmp_path))
    assert played.run["verdict"] == "incomplete"
    assert "did not let root in (tried:" in played.output
    assert "host key of guest is not known" in played.output
    assert "hardened" in played.output


def leftovers(pid: int) -> set[str]:
    """Return what there is of the fleet of that process; other tests may run fleets of their own."""
    mine = f"{fleet.PREFIX}{pid}-"
    mounts = {
        line.split()[1]
        for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        if mine in line
    }
    return mounts | {str(path) for path in pathlib.Path("/tmp").glob(f"{mine}*")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_fleet_leaves_nothing_behind(number):
    samba_host.require()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "demo" / "fleet.py"), "run", "--", "sleep", "60"], start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not any(
        (path / "hosts.json").exists() for path in pathlib.Path("/tmp").glob(f"{fleet.PREFIX}{process.pid}-*")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    children = subprocess.run(
        ["pgrep", "-s", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    assert children
    os.killpg(process.pid, number)
    process.wait(30)
    assert leftovers(process.pid) == set()
