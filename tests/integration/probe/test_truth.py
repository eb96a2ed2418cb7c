# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the probe says of real servers is what their configuration makes true, and where nmap answers too, nmap agrees or errs."""

from __future__ import annotations

import datetime
import os
import uuid
from typing import Any

import pytest

from tests.lab.probe import impacket_server, ksmbd, nmap, peers, servers, smbd
from tests.lab.probe.ask import Asked, ask
from tests.lab.probe.servers import IMPACKET, KSMBD, LONG, OLD, SAMBA, TRUTH

ADDRESSES = {name: server.addresses[0] for group in (SAMBA, KSMBD, IMPACKET) for name, server in group.items()}
PORTS = {name: server.ports for group in (SAMBA, KSMBD, IMPACKET) for name, server in group.items()}
CHECKS = ["dialects", "signing", "ciphers", "identity", "smb1", "netbios", "anonymous", "guest", "ms17_010"]


@pytest.fixture(scope="module")
def samba(lab, tmp_path_factory):
    smbd.require()
    with smbd.running(lab, SAMBA, tmp_path_factory.mktemp("smbd")):
        yield ask(lab, [one for server in SAMBA.values() for one in server.addresses], checks=CHECKS, **LONG)


@pytest.fixture(scope="module")
def ksmbd_(lab, tmp_path_factory):
    ksmbd.require()
    with ksmbd.running(lab, KSMBD, tmp_path_factory.mktemp("ksmbd")):
        yield ask(lab, [server.addresses[0] for server in KSMBD.values()], checks=CHECKS, **LONG)


@pytest.fixture(scope="module")
def impacket(lab):
    impacket_server.require()
    with (
        impacket_server.impacket(lab, ADDRESSES["impacket-smb1"], "smb1"),
        impacket_server.impacket(lab, ADDRESSES["impacket-smb2"], "smb2"),
    ):
        yield ask(lab, [server.addresses[0] for server in IMPACKET.values()], checks=CHECKS, **LONG)


@pytest.fixture
def asked(request, name) -> Asked:
    """What the probe said of the group that a server belongs to."""
    group = {"ksmbd": "ksmbd_", "impacket": "impacket"}.get(name.partition("-")[0], "samba")
    found = request.getfixturevalue(group)
    assert isinstance(found, Asked)
    return found


def ports(asked: Asked, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what was said of every address and port of a server that is open by its configuration."""
    server = {**SAMBA, **KSMBD, **IMPACKET}[name]
    return [
        (f"{address} {port}", asked.answers[address]["ports"][f"{port}/tcp"])
        for address in server.addresses
        for port in server.ports
    ]


def differences(name: str, port: dict[str, Any], first: bool) -> list[str]:
    """Return where a port's document departs from the truth; a further port is not asked what the first one told."""
    truth = TRUTH[name]
    said = {one: fact["answer"] for one, fact in port["dialects"].items()}
    old = {answer for one, answer in said.items() if one not in servers.DIALECTS}
    found = {one: said.get(one, "nothing") for one in servers.DIALECTS}
    found[OLD] = "accepted" if "accepted" in old else "refused" if old == {"refused"} else "indeterminate"
    wrong = [f"{one}: {found[one]}" for one, right in truth.dialects.items() if found[one] != right]
    facts = {fact: getattr(truth, fact) for fact in ("signing", "smb1_signing", "anonymous", "guest")}
    facts |= {"ciphers": truth.ciphers, "signing_algorithms": truth.algorithms}
    for fact, right in facts.items():
        if right is not None and (first or fact in port):
            answer = port.get(fact, {"answer": "indeterminate"})
            told = tuple(answer["values"]) if answer["answer"] == "known" else answer["answer"]
            if told != right:
                wrong.append(f"{fact}: {told}")
    return wrong


@pytest.mark.parametrize("name", TRUTH)
def test_truth(name, asked):
    first = PORTS[name][0]
    wrong = {
        where: found
        for where, port in ports(asked, name)
        if (found := differences(name, port, where.endswith(f" {first}")))
    }
    assert wrong == {}


@pytest.mark.parametrize("name", TRUTH)
def test_states(name, asked):
    """Ports that the configuration opens speak SMB, the others are closed; a server that hangs up is neither."""
    document = asked.answers[ADDRESSES[name]]["ports"]
    states = {port: document[f"{port}/tcp"]["state"] for port in (445, 139)}
    if name == "denied":
        assert set(states.values()) <= {"open", "indeterminate"}
    else:
        assert states == {port: "open" if port in PORTS[name] else "closed" for port in (445, 139)}


@pytest.mark.parametrize("name", [name for name in SAMBA if name not in ("denied", "lanman-only", "nt1-only")])
def test_identity(name, asked):
    """The challenge tells the NetBIOS name that the configuration sets; smbd's GUID spells it, its boot time is kept back."""
    told = [port["ntlm"] for _where, port in ports(asked, name) if "ntlm" in port]
    assert len(told) >= len(SAMBA[name].addresses)
    assert {(ntlm["answer"], ntlm["netbios_computer"]) for ntlm in told} == {("offered", SAMBA[name].name.upper())}
    for where, port in ports(asked, name):
        assert uuid.UUID(port["guid"]).bytes_le.rstrip(b"\0").decode() == SAMBA[name].name.lower()
        assert port["boot_time"] == ""
        assert abs(port["clock_skew"]) < 60
        assert "NTLMSSP" in port["mechanisms"]
        # smb.conf(5), "smb2 max read" and its sisters: 8 MiB; no more than 64 KiB in 2.0.2, and over NetBIOS.
        most = 65536 if peers.newest(TRUTH[name]) == "2.0.2" or where.endswith(" 139") else 8388608
        assert {port[size] for size in ("max_transact", "max_read", "max_write")} == {most}
    if 139 in PORTS[name]:
        assert asked.answers[ADDRESSES[name]]["ports"]["139/tcp"]["netbios_session"] == "positive"


@pytest.mark.parametrize("name", ["nt1-only", "nt1-to-311", "nt1-to-21", "nt1-to-202", "lanman"])
def test_smb1_says_what_it_is_and_is_not_called_vulnerable(name, asked):
    for address in SAMBA[name].addresses:
        port = asked.answers[address]["ports"]["445/tcp"]
        assert port["smb1"]["native_lm"].startswith("Samba 4.")
        assert port["smb1"]["security"] == "user"
        assert port["ms17_010"]["answer"] == "patched_or_not_windows"
    attempts = asked.answers[ADDRESSES[name]]["smb1_attempts"]
    assert attempts
    assert all(attempt["source"] and attempt["port"] for attempt in attempts)


@pytest.mark.parametrize("name", KSMBD)
def test_ksmbd_has_no_guid_and_no_boot_time(name, asked):
    for _where, port in ports(asked, name):
        assert (port["guid"], port["boot_time"]) == (str(uuid.UUID(int=0)), "")


def test_few_connections(samba):
    """nmap takes seventeen connections for less than what was asked here of each port.

    A server that closes on every dialect of SMB2 is asked each of them four times, with another question between.
    """
    closing = {"lanman-only": 40}
    many = {
        name: samba.answers[ADDRESSES[name]]["connections"] / len(server.ports)
        for name, server in SAMBA.items()
        if name != "denied"
    }
    assert {name: number for name, number in many.items() if number > closing.get(name, 15)} == {}
    assert many["strict"] <= 8


def test_nmap_agrees_or_errs(lab, samba, ksmbd_, impacket):
    """The page in docs is what comes of it; another version of nmap may say something else, but not something better."""
    nmap.require()
    version, by_address = nmap.scan(lab, ADDRESSES.values())
    said = {name: by_address[address] for name, address in ADDRESSES.items()}
    documents = {**samba.answers, **ksmbd_.answers, **impacket.answers}
    ours = {name: documents[ADDRESSES[name]]["ports"][f"{PORTS[name][0]}/tcp"] for name in TRUTH}
    for name, one in said.items():
        if one.system_time:
            theirs = datetime.datetime.fromisoformat(one.system_time).replace(tzinfo=datetime.timezone.utc)
            mine = datetime.datetime.fromisoformat(ours[name]["system_time"].replace("Z", "+00:00"))
            assert abs((theirs - mine).total_seconds()) < 120, name
            assert (one.boot_time == "N/A") == (ours[name]["boot_time"] == ""), name
    text = peers.page(version, ours, said)
    if os.environ.get("BREAKWATER_WRITE") == "1":
        peers.PATH.write_text(text, encoding="utf-8")
    written = peers.PATH.read_text(encoding="utf-8")
    if f"nmap {version}" in written:
        assert written == text, "BREAKWATER_WRITE=1 writes docs/probe-peers.md anew"
    else:  # another nmap than the page's: what it says of dialects and signing is the truth, or it is not
        assert all(
            one.dialects in (None, [], peers.accepted(TRUTH[name])) for name, one in said.items() if name != "denied"
        )
