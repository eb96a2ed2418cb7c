# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every captured server, replayed: the probe says of each what its configuration made true, and keeps to its windows."""

from __future__ import annotations

import pytest

from tests.lab.probe import captures
from tests.lab.probe.ask import ask
from tests.lab.probe.replay import Options
from tests.lab.probe.standin import stand_in

NAMES = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
ANSWERS = {"+": {"accepted"}, "-": {"refused"}, "V": {"violation", "refused"}, "?": {"refused", "indeterminate"}}
# By hand, from the configuration that each was captured with; smbd closes on SMB2 where SMB1 is all it speaks.
TRUTH = {
    "default": ("-+++++", "not_required"),
    "guest": ("-+++++", "not_required"),
    "impacket_smb1": ("+-----", "indeterminate"),
    "impacket_smb2": ("++VVVV", "not_required"),
    "lanman": ("++++++", "not_required"),
    "nosign": ("-+++++", "not_required"),
    "nt1": ("++++++", "not_required"),
    "nt1noext": ("+?????", "indeterminate"),
    "nt1only": ("+?????", "indeterminate"),
    "smb2": ("-++---", "not_required"),
    "smb202": ("-+----", "not_required"),
    "smb300": ("---+--", "not_required"),
    "strict": ("-----+", "required"),
}
PREFIXES = {f"127.10.{number}.": variant for number, variant in enumerate(TRUTH, 1)}
HOSTS = {variant: f"{prefix}1" for prefix, variant in PREFIXES.items()}


@pytest.fixture(scope="module")
def answers(lab):
    with stand_in(lab, Options(PREFIXES, (445, 139))):
        return ask(lab, HOSTS.values()).answers


def test_every_captured_server_has_its_truth():
    assert sorted(TRUTH) == captures.variants()


@pytest.mark.parametrize("port", ["445/tcp", "139/tcp"])
@pytest.mark.parametrize("variant", TRUTH)
def test_truth(variant, port, answers):
    found = answers[HOSTS[variant]]["ports"][port]
    marks, signing = TRUTH[variant]
    assert found["state"] == "open"
    said = {name: found["dialects"][name]["answer"] for name in NAMES}
    assert {name: said[name] for name, mark in zip(NAMES, marks, strict=True) if said[name] not in ANSWERS[mark]} == {}
    assert found["signing"]["answer"] == signing


def test_lanman_is_told_from_no_lanman(answers):
    older = {
        variant: {
            name
            for name, answer in answers[host]["ports"]["445/tcp"]["dialects"].items()
            if name not in NAMES and answer["answer"] == "accepted"
        }
        for variant, host in HOSTS.items()
    }
    assert {variant for variant, names in older.items() if names} == {"lanman"}


@pytest.mark.parametrize("only", ["default", "strict"])
def test_no_more_connections_than_the_facts_need(lab, only):
    """Dialects, ciphers, names and SMB1 of one port: nmap takes seventeen connections for less."""
    with stand_in(lab, Options({"": only}, (445,))) as server:
        document = ask(lab, ["127.0.0.9"], ports=[445], checks=["dialects", "smb1", "signing", "ciphers", "identity"])
        taken = server.said()["connections"]
    assert taken == document.answers["127.0.0.9"]["connections"]
    assert taken <= {"default": 11, "strict": 6}[only]


def test_windows_are_kept(lab):
    """At most two connections to a host and sixty-four to a network at once, and in all what the two windows hold."""
    hosts = [f"127.{20 + one % 8}.0.{1 + one // 8}" for one in range(1200)]
    with stand_in(lab, Options({"": "default"}, (445,), latency=0.02, record=True)) as server:
        ask(lab, hosts, ports=[445], checks=["dialects", "smb1", "signing"])
        most = server.said()["most"]
    # The server learns of the end of a connection a little later than we: a few more may seem to be open.
    assert most["address"] <= 2 + 2
    assert most["network"] <= 64 + 32
    assert 256 <= most["all"] <= 256 + 1024, "the windows are there to be used"
