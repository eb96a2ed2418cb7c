# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hundred thousand answers of real servers with something broken in them, through the whole engine."""

from __future__ import annotations

from tests.lab.probe import space
from tests.lab.probe.ask import ask
from tests.lab.probe.replay import Options
from tests.lab.probe.standin import stand_in

PEERS = {"127.1.": "default", "127.2.": "nt1", "127.3.": "lanman", "127.4.": "impacket_smb2"}
CHECKS = ["dialects", "smb1", "signing", "ciphers", "identity"]


def test_a_hundred_thousand_broken_answers():
    """Two of three answers have something broken: no crash, no end of time, no growth, and words of the closed sets only."""
    space.require()
    prefixes = list(PEERS)
    hosts = [f"{prefixes[one % 4]}{one // 4 // 250}.{1 + one // 4 % 250}" for one in range(15000)]
    with space.space() as lab, stand_in(lab, Options(PEERS, processes=2, mutate=67)) as server:
        # What comes late is not waited for: whether it is right matters elsewhere.
        asked = ask(lab, hosts, 400, checks=CHECKS, ports=[445], conversation_seconds=0.1, retry_seconds=0.1)
        counted = server.said()
    assert counted["requests"] > 100000
    assert asked.answers.keys() == set(hosts)
    assert asked.summary["peak"] < 150 * 1024
    assert asked.summary["summary"]["failures"] == {}
    ports = [document["ports"]["445/tcp"] for document in asked.answers.values()]
    assert {port["state"] for port in ports} <= {"open", "not_smb", "hostile", "indeterminate"}
    answers = {answer["answer"] for port in ports for answer in port.get("dialects", {}).values()}
    assert answers == {"accepted", "refused", "indeterminate", "violation"}
