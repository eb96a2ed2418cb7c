# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that lie, stall, flood and hang up: every run ends, within its bounds, and nothing is said that is not known."""

from __future__ import annotations

import pytest

from tests.lab.probe import hostile, space
from tests.lab.probe.ask import ask
from tests.lab.probe.hostile import ADDRESSES, BEHAVIOURS
from tests.lab.probe.hostile_expected import EXPECTED, wrong

PORTS = (445, 139)
HOST_SECONDS = 30.0
CHECKS = ["dialects", "smb1", "signing", "ciphers", "identity", "netbios", "quic", "anonymous", "guest", "ms17_010"]


@pytest.fixture(scope="module")
def run():
    """What the probe said of all behaviours in one run, and the addresses that it had no business with."""
    space.require()
    with space.space() as lab:
        with hostile.hostile(lab, *PORTS) as strays:
            asked = ask(
                lab,
                ADDRESSES.values(),
                checks=CHECKS,
                ports=PORTS,
                conversation_seconds=2.0,
                retry_seconds=4.0,
                host_seconds=HOST_SECONDS,
            )
        yield asked, strays


def test_every_behaviour_has_its_row():
    assert BEHAVIOURS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_nothing_wrong_is_said(name, port, run):
    asked, _strays = run
    found = asked.answers[ADDRESSES[name]]["ports"][f"{port}/tcp"]
    assert wrong(name, found, asked=port == PORTS[0]) == [], found


def test_time_is_bounded(run):
    asked, _strays = run
    late = {name: asked.answers[address]["seconds"] for name, address in ADDRESSES.items()}
    assert {name: seconds for name, seconds in late.items() if seconds > HOST_SECONDS + 5} == {}


def test_memory_is_bounded(run):
    """Sixteen megabytes from each of a hundred hosts would be far more than this."""
    asked, _strays = run
    assert asked.summary["peak"] < 80 * 1024


def test_connections_are_bounded(run):
    """Honest servers take some twenty for both ports; a hostile one makes us try again, but not without end."""
    asked, _strays = run
    many = {name: asked.answers[address]["connections"] for name, address in ADDRESSES.items()}
    assert {name: number for name, number in many.items() if number > 60} == {}


def test_nobody_sends_us_elsewhere(run):
    """A retarget answer of the session service names another address: it is recorded, not followed."""
    _asked, strays = run
    assert strays == []


def test_our_own_side_had_no_failures(run):
    asked, _strays = run
    assert asked.summary["summary"]["failures"] == {}
    assert asked.answers.keys() == set(ADDRESSES.values())


def test_text_of_strangers_is_one_printable_line(run):
    """Whatever a peer sends as a name, no control character and no endless text comes out."""
    asked, _strays = run

    def texts(value):
        if isinstance(value, dict):
            return [text for one in value.items() for part in one for text in texts(part)]
        if isinstance(value, list):
            return [text for one in value for text in texts(one)]
        return [value] if isinstance(value, str) else []

    found = [text for document in asked.answers.values() for text in texts(document)]
    assert [text for text in found if not text.isprintable() or len(text) > 1000] == []
    poisoned = asked.answers[ADDRESSES["names_of_poison"]]["ports"]["445/tcp"]["ntlm"]
    assert poisoned["answer"] != "offered" or "lookup" in poisoned["target"], "text is kept, and only made visible"
