# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record

SS = """tcp   LISTEN 0      50           0.0.0.0:445        0.0.0.0:*    users:(("smbd",pid=612,fd=30))
tcp   LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=500,fd=3))
tcp   LISTEN 0      64           *%eth0:445               *:*
tcp   LISTEN 0      50              [::]:139           [::]:*
udp   UNCONN 0      0     10.0.0.255:137        0.0.0.0:*    users:(("nmbd",pid=77,fd=18))
"""
BUSYBOX = (
    "tcp        0      0 :::445                  :::*                    LISTEN      1/smbd\n"
    "udp        0      0 0.0.0.0:138             0.0.0.0:*                           -\n"
)
SOCKSTAT = "root     smbd       1203  31 tcp4   *:445                 *:*\nroot     nmbd       1204  16 udp4   10.0.0.1:137          *:*\n"
PROC6 = "  sl  local_address remote_address st\n   0: 00000000000000000000000000000000:01BD 00000000000000000000000000000000:0000 0A 0 0\n"
PROC4 = "  sl  local_address rem_address   st\n   0: 0100007F:008B 00000000:0000 0A 0 0\n   1: 0100007F:01BD 0200007F:C001 01 0 0\n"


def facts(*records, uid="0"):
    return read(Collected([Record(*record) for record in records], uid, "sh")).facts


def listeners(*records):
    return {key: fact.effective["process"] for key, fact in facts(*records).objects("host.listener").items()}


def test_listeners_of_ss():
    assert listeners(("host.ss", "ss", SS)) == {
        "tcp/0.0.0.0:445": "smbd",
        "tcp/*%eth0:445": None,  # ksmbd: the kernel listens
        "tcp/[::]:139": None,
        "udp/10.0.0.255:137": "nmbd",
    }


def test_listeners_of_netstat_sockstat_and_proc():
    assert listeners(("host.netstat", "netstat", BUSYBOX)) == {"tcp/[::]:445": "smbd", "udp/0.0.0.0:138": None}
    assert listeners(("host.sockstat", "sockstat", SOCKSTAT)) == {"tcp/*:445": "smbd", "udp/10.0.0.1:137": "nmbd"}
    assert listeners(("host.proc_tcp", "p", PROC4), ("host.proc_tcp6", "p", PROC6)) == {
        "tcp/127.0.0.1:139": None,
        "tcp/[::]:445": None,
    }


def test_unreadable_listeners_are_said():
    found = facts(("host.ss", "ss", "", "denied", 1))
    assert "denied" in found.get("host.listeners_read").unreadable


PACKAGES = {
    "dpkg": (
        "samba 2:4.17.12+dfsg-0+deb12u1 installed\nctdb  not-installed\nsmbclient 2:4.17.12 config-files\n",
        {"samba": "2:4.17.12+dfsg-0+deb12u1"},
    ),
    "rpm": ("samba 4.19.4-5.el9_4\ncifs-utils 7.0-5.el9\n", {"samba": "4.19.4-5.el9_4", "cifs-utils": "7.0-5.el9"}),
    "apk": ("samba-server-4.19.6-r0\nmusl-1.2.5-r0\n", {"samba-server": "4.19.6-r0"}),
    "pkg": ("samba419 4.19.8\nbash 5.2\n", {"samba419": "4.19.8"}),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages(name):
    text, expected = PACKAGES[name]
    found = facts(("host.packages", name, text))
    assert {key: fact.effective for key, fact in found.objects("host.package").items()} == expected


UPDATES = {
    "apt": "samba:\n  Installed: 1\n  Candidate: 2\n  Version table:\nwinbind:\n  Installed: (none)\n  Candidate: 2\n",
    "dnf": "samba.x86_64   2   updates\n",
    "pacman": "samba 1 -> 2\n",
}


@pytest.mark.parametrize("name", UPDATES)
def test_updates(name):
    found = facts(("host.packages", "x", "samba 1\n"), ("host.updates", name, UPDATES[name]))
    assert len(found.get("host.package_updates").effective) == 1


def test_no_update_source_is_unreadable():
    assert facts(("host.packages", "x", "samba 1\n")).get("host.package_updates").unreadable
    assert facts().get("host.package_updates").unreadable


def test_mounts():
    line = "//srv/a\\040b /mnt/x\\040y cifs rw,vers=3.1.1,sec=krb5i,seal,password=***,guest 0 0\n"
    fact = facts(("host.mounts", "m", line)).get("client.mount", "/mnt/x y")
    assert fact.effective["source"] == "//srv/a b"
    assert (fact.effective["vers"], fact.effective["seal"], fact.effective["sign"], fact.effective["guest"]) == (
        "3.1.1",
        True,
        True,
        True,
    )
    assert fact.effective["password_in_options"]


@pytest.mark.parametrize(
    "options",
    [
        "password=s3cr3t,x",
        "PASSWORD=s3cr3t",
        "pass=s3cr3t,vers=3",
        "password2=s3cr3t",
        "password=s3\\,cr3t,ro",
        "credentials=/c,passwd=s3cr3t",
    ],
)
def test_secrets_do_not_leave_the_host(options, tmp_path):
    source = (
        pathlib.Path(__file__).resolve().parents[3]
        / "plugins"
        / "plugin_utils"
        / "_implementations"
        / "host"
        / "collect.sh"
    )
    script = source.read_text(encoding="utf-8") + "\nbw_redact\n"
    done = subprocess.run(
        ["sh", "-c", script], input=f"//s/a /m cifs {options} 0 0\n", capture_output=True, text=True, check=True
    )
    assert "cr3t" not in done.stdout
    assert "=***" in done.stdout


def test_processes_of_containers_are_not_ours():
    found = facts(("host.processes", "ps", "  10 smbd\n  11 nmbd\n"), ("host.elsewhere", "ps", "11 nmbd\n"))
    assert found.get("host.process", "nmbd") is None
    assert found.get("host.process_elsewhere", "nmbd").effective == 1


def test_other_implementations():
    reading = read(
        Collected(
            [Record("host.modules", "m", "ksmbd\n"), Record("host.processes", "ps", "1 ksmbd.mountd\n2 tsmb-server\n")],
            "0",
            "sh",
        )
    )
    assert [(item.name, item.running) for item in reading.implementations] == [("ksmbd", True), ("tuxera", True)]
