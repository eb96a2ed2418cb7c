# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded hosts can be played back, and tell nothing of the machine that they were recorded on."""

from __future__ import annotations

import ipaddress
import os
import re

import fleet
import pytest
import record

from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix

FILES = sorted(record.RECORDINGS.glob("*.txt"))
ACCOUNTS = {"root", "daemon", "bin", "sys", "www-data", "nobody", "sshd", "alice"}


def answer(path):
    return posix.read_answer(path.read_text(encoding="utf-8").replace("@NONCE@", "n0"), "", 0, "n0")


def test_every_host_of_the_fleet_is_recorded():
    assert {path.stem for path in FILES} == set(fleet.HOSTS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recording_is_a_whole_answer(path):
    collected = answer(path)
    assert collected.uid == "0"
    assert {"host.uname", "host.os", "host.packages", "samba.testparm", "samba.file"} <= {
        one.id for one in collected.records
    }
    assert collected.get("host.uname").out.strip() == f"Linux {record.KERNEL} x86_64"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recording_carries_no_trait_of_the_machine(path):
    text = path.read_text(encoding="utf-8")
    machine = os.uname()
    for trait in (machine.release, str(fleet.HERE.parent), "/tmp/", fleet.PREFIX, "breakwater-demo", "NONCE00"):
        assert trait not in text, trait
    assert machine.nodename == path.stem or not re.search(rf'"{re.escape(machine.nodename)}["\\]', text)
    collected = answer(path)
    assert collected.get("host.name").out.strip() == path.stem
    assert {line.split(":")[0] for line in collected.get("samba.accounts").out.split()} <= ACCOUNTS
    assert set(re.findall(r"https?://([^/\s\"]+)", text)) <= {"deb.debian.org", "www.debian.org", "bugs.debian.org"}
    own = [ipaddress.ip_network(net) for net in ("0.0.0.0/32", "127.0.0.0/8", "10.77.0.0/24")]
    for line in collected.get("host.ss").out.split("\n"):
        for found in re.findall(r"\b(?:\d{1,3}\.){3}\d{1,3}(?=[:%])", line):
            assert any(ipaddress.ip_address(found) in net for net in own), found


def test_scrubbing_keeps_the_document_whole():
    release = os.uname().release
    text = (
        '@@breakwater NONCE00 begin@@\n{"schema":"breakwater/collected/1","uid":"0","shell":"sh","records":[\n'
        f'{{"id":"host.uname","command":"uname","out":"Linux {release} x86_64","rc":0,"err":""}},\n'
        '{"id":"raw.nft","command":"nft","out":"table \\"x\\"","rc":0,"err":""},\n'
        f'{{"id":"host.mounts","command":"m","out":"/tmp/{fleet.PREFIX}1-x/srv /srv","rc":0,"err":""}}]}}\n'
        "@@breakwater NONCE00 end@@\n"
    )
    collected = posix.read_answer(record.render(text).replace("@NONCE@", "n0"), "", 0, "n0")
    assert [one.out for one in collected.records] == [f"Linux {record.KERNEL} x86_64", "", "/dev/vda1 /srv"]
