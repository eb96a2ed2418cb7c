# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many hosts, lost packets, silent networks: memory stays flat, answers come as they are found, and none is wrong."""

from __future__ import annotations

import ipaddress
from collections import Counter

import pytest

from tests.lab.probe import space
from tests.lab.probe.ask import ask
from tests.lab.probe.replay import Options
from tests.lab.probe.standin import stand_in

NAMES = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
PEERS = {"127.1.": "default", "127.2.": "strict", "127.3.": "nt1", "127.4.": "smb202"}
DIALECTS = {"127.1.": "-+++++", "127.2.": "-----+", "127.3.": "++++++", "127.4.": "-+----"}
SIGNING = {"127.1.": "not_required", "127.2.": "required", "127.3.": "not_required", "127.4.": "not_required"}
CHECKS = ["dialects", "signing", "smb1"]
AHEAD = 4 * 1024 + 1024 + 256
"""Targets that may have been asked for and not been answered: those that wait as their network is full, and both windows."""


def addresses(number: int) -> list[str]:
    """Return that many addresses, spread over the stand-ins and over networks of 250."""
    prefixes = list(PEERS)
    return [f"{prefixes[one % 4]}{one // 4 // 250}.{1 + one // 4 % 250}" for one in range(number)]


def judged(document: dict) -> Counter:
    """Return how many of a host's facts are right, unknown, and wrong."""
    prefix = document["target"][:6]
    port = document["ports"]["445/tcp"]
    right = {name: "accepted" if mark == "+" else "refused" for name, mark in zip(NAMES, DIALECTS[prefix], strict=True)}
    said = {name: port.get("dialects", {}).get(name, {}).get("answer", "indeterminate") for name in NAMES}
    right["signing"], said["signing"] = SIGNING[prefix], port.get("signing", {}).get("answer", "indeterminate")
    right["state"], said["state"] = "open", port["state"]
    return Counter(
        "right"
        if said[name] == right[name]
        else "unknown"
        if said[name] == "indeterminate"
        else f"wrong: {name} {said[name]}"
        for name in right
    )


def total(answers: dict) -> Counter:
    """Return the sums over all hosts."""
    return sum((judged(document) for document in answers.values()), Counter())


@pytest.fixture
def lab(request):
    space.require()
    with space.space(lose=getattr(request, "param", 0)) as made:
        yield made


def test_sixteen_thousand_hosts(lab):
    """Memory does not grow with the fleet, and the answers do not wait for the last host."""
    hosts = addresses(16000)
    with stand_in(lab, Options(PEERS, processes=2)) as server:
        asked = ask(lab, hosts, 300, checks=CHECKS, ports=[445])
        counted = server.said()
    assert total(asked.answers) == {"right": 16000 * 8}
    assert asked.summary["peak"] < 150 * 1024
    first, middle, last = asked.summary["asked"]
    assert first == 0
    assert middle > 8000 - AHEAD
    assert last > 16000 - AHEAD
    assert counted["connections"] == sum(document["connections"] for document in asked.answers.values())


@pytest.mark.parametrize("lab", [10], indirect=True)
def test_lost_packets_make_nothing_wrong(lab):
    """Every tenth packet is lost in both directions: a limit below the time to send again leaves facts unknown, a long one none."""
    hosts = addresses(1000)
    patient = {"connect_seconds": [1.5, 1.5, 3.5, 3.5], "checks": CHECKS, "ports": [445]}
    with stand_in(lab, Options(PEERS, processes=2)):
        short = ask(lab, hosts, 200, conversation_seconds=0.1, retry_seconds=0.1, **patient)
        long = ask(lab, hosts, 400, conversation_seconds=20.0, retry_seconds=30.0, host_seconds=300.0, **patient)
    facts = total(short.answers)
    assert {name for name in facts if name.startswith("wrong")} == set()
    assert facts["unknown"] > 0, "nothing was lost: the test is worth nothing"
    assert facts["right"] > 0
    assert total(long.answers) == {"right": 1000 * 8}


@pytest.mark.parametrize(
    ("network", "state", "attempts"),
    [(space.DROPPED, "filtered", 2), (space.CLOSED, "closed", 1), (space.PROHIBITED, "unreachable", None)],
)
def test_a_silent_network(lab, network, state, attempts):
    """Every address of a /20 gets its verdict, with as many connections as that takes and no more time than it must."""
    hosts = [str(address) for address in ipaddress.ip_network(network)]
    limits = {"connect_seconds": [0.5, 0.5], "connecting": 1024, "per_network": 64}
    asked = ask(lab, hosts, 200, checks=CHECKS, ports=[445], **limits)
    assert Counter(document["ports"]["445/tcp"]["state"] for document in asked.answers.values()) == {state: len(hosts)}
    if attempts:
        assert asked.summary["summary"]["connections"] == attempts * len(hosts)
    if state == "filtered":
        # 4,096 addresses, 1,024 at a time (64 in each of sixteen /24), a second each.
        assert 4.0 <= asked.summary["seconds"] < 20.0
