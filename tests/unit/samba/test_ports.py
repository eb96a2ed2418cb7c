# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What smbd listens on, where that differs from what is written."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.ports import TRANSPORTS, effective
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet


def listening(*ports: int, process: str | None = "smbd") -> FactSet:
    facts = FactSet()
    facts.put("host.listeners_read", Fact(effective=True))
    for port in ports:
        value = {"proto": "tcp", "address": "0.0.0.0", "port": port, "process": process, "pid": 1}
        facts.put("host.listener", Fact(effective=value), f"tcp/0.0.0.0:{port}")
    return facts


def of(configured: list[str], host: FactSet) -> Fact:
    facts = FactSet()
    facts.put(TRANSPORTS, Fact(configured=configured))
    effective(host, facts)
    found = facts.get(TRANSPORTS)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("configured", "ports", "seen"),
    [
        (["445"], (139, 445), ["445", "139"]),  # written, and smbd was not restarted
        (["tcp"], (139, 445), ["tcp", "139"]),
        (["tcp", "nbt", "quic"], (445,), ["tcp", "quic"]),
        (["445", "139"], (445, 139), None),
        (["tcp:445"], (445,), None),
        (["TCP:4450"], (445,), ["445"]),
    ],
)
def test_the_listeners_tell_what_is_in_force(configured, ports, seen):
    assert of(configured, listening(*ports)).effective == seen


@pytest.mark.parametrize(
    "host", [listening(), listening(139, 445, process=None), listening(139, 445, process="other"), FactSet()]
)
def test_nothing_is_said_where_nobody_tells_whose_the_sockets_are(host):
    assert of(["445"], host).effective is None


def test_a_word_that_is_not_known_says_nothing():
    assert of(["smoke-signals"], listening(445)).effective is None
