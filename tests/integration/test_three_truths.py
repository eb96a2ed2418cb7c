# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit that also looks from the wire: a real host, and what stands between it and its clients."""

from __future__ import annotations

import subprocess

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import command, ended, environment

ADDRESS = "10.77.0.10"
SAME, MINIMUM = "wire-same-as-on-the-host", "samba-server-min-protocol"
OTHER = """[global]
 server min protocol = SMB3_11
 server signing = mandatory
 smb ports = 1445
 pid directory = {0}
 lock directory = {0}
 state directory = {0}
 cache directory = {0}
 private dir = {0}
 ncalrpc dir = {0}
 log file = {0}/log
"""
REDIRECT = (
    "add table ip lab; add chain ip lab out {{ type nat hook output priority -100 ; }}; "
    "add rule ip lab out ip daddr {0} tcp dport 445 redirect to :1445; "
    "add rule ip lab out ip daddr {0} tcp dport 139 redirect to :1445"
)


@pytest.fixture(scope="module")
def host():
    samba_host.require()
    with fleet.fleet(("smb1",)) as running:
        yield running["smb1"]


def audit(host, folder, *arguments, others=()):
    """Audit a host from inside its network, so that the controller is a client like any other."""
    entry = dict(fleet.variables(host))
    entry["ansible_ssh_common_args"] += " -o HostKeyAlias=smb1"
    entry["ansible_host"] = ADDRESS
    inside = [
        "nsenter",
        f"--net=/proc/{host.pid}/ns/net",
        *command("audit", {"smb1": entry, **dict(others)}, folder, *arguments),
    ]
    done = subprocess.run(
        inside, capture_output=True, text=True, cwd=folder, env=environment(), check=False, timeout=300
    )
    return ended(done.returncode, done.stdout + done.stderr, folder)


def finding(played, control):
    return [one for one in played.host("smb1")["findings"] if one["control"] == control]


def test_without_a_vantage_nobody_looks(host, tmp_path):
    played = audit(host, tmp_path)
    assert not finding(played, SAME), played.output
    assert not (played.results / "latest" / "probe").exists()


def test_the_wire_agrees_with_a_host_that_is_what_it_says(host, tmp_path):
    played = audit(host, tmp_path, "-e", "breakwater_vantage=localhost")
    (same,) = finding(played, SAME)
    assert (same["verdict"], same["why"].startswith("all ")) == ("pass", True), same
    (minimum,) = finding(played, MINIMUM)
    assert (minimum["verdict"], minimum["configured"], minimum["wire"]) == ("fail", "NT1", "NT1")
    record = played.host("smb1")
    look = record["facts"]["wire.look"]["localhost"]["effective"]
    assert look[0]["ports"]["445/tcp"].startswith("open (")
    assert look[0]["implementation"].startswith("samba")
    assert (played.results / "latest" / "probe" / "localhost.jsonl").exists()


def test_another_server_in_the_path_is_found(host, tmp_path):
    state = host.directory / "other"
    state.mkdir()
    (host.directory / "etc-samba" / "other.conf").write_text(OTHER.format("/run/other"), encoding="utf-8")
    samba_host.run(host, "mkdir", "-p", "/run/other")
    samba_host.run(host, "smbd", "-D", "-s", "/etc/samba/other.conf")
    samba_host.run(host, "nft", REDIRECT.format(ADDRESS))
    try:
        samba_host.until(lambda: "1445" in samba_host.run(host, "ss", "-ltn"))
        played = audit(host, tmp_path, "-e", "breakwater_vantage=localhost")
    finally:
        samba_host.run(host, "nft", "delete table ip lab")
        samba_host.run(host, "sh", "-c", "kill $(cat /run/other/smbd.pid)")
    found = {one["object"]: one for one in finding(played, SAME)}
    assert {one["verdict"] for one in found.values()} == {"fail"}, found
    assert "(host: NT1; on the wire: SMB3_11)" in found["server min protocol"]["cause"]
    assert "a device in the path answers" in found["server min protocol"]["cause"]
    assert "(host: default; on the wire: mandatory)" in found["server signing"]["cause"]
    (minimum,) = finding(played, MINIMUM)
    assert (minimum["verdict"], minimum["configured"], minimum["wire"]) == ("fail", "NT1", "SMB3_11")


def test_a_vantage_that_cannot_look_leaves_it_unknown(host, tmp_path):
    far = {"far": {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_common_args": "-o ConnectTimeout=5"}}
    chosen = ("-e", "breakwater_vantage=localhost,far", "-e", "breakwater_hosts=smb1")
    played = audit(host, tmp_path, *chosen, others=far)
    found = {one["object"]: one for one in finding(played, SAME)}
    assert found["far"]["verdict"] == "unknown", found
    assert "its probe failed" in found["far"]["why"]
    assert {one["verdict"] for name, one in found.items() if name != "far"} <= {"pass"}
    assert played.code != 0


def test_a_vantage_that_does_not_exist_is_one_sentence(host, tmp_path):
    played = audit(host, tmp_path, "-e", "breakwater_vantage=nowhere")
    assert played.code != 0
    assert "breakwater_vantage 'nowhere' is no host of the inventory" in " ".join(played.output.split())
    assert not (played.results / "latest").exists()
