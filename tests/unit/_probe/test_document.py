# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that came through another host: of the right form, or refused; and what a target comes to."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import answers
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.document import (
    fault,
    standing,
    taken,
    unresolved,
)

FULL = answers.document(
    answers.TargetAnswers(
        "nas01",
        "10.0.0.1",
        1764547200.0,
        0.1,
        "10.0.0.9",
        9,
        [answers.Smb1Attempt(1764547200.0, "10.0.0.9", 50000)],
        {
            "445/tcp": answers.PortAnswers(
                answers.OPEN,
                dialects={
                    "3.1.1": answers.Answer("accepted"),
                    "NT LM 0.12": answers.Answer("refused"),
                    "2.1": answers.Answer("accepted"),
                },
                signing=answers.Answer("required"),
                ciphers=answers.Listing("known", ("AES-128-GCM",)),
                compression=answers.Listing("none", chained=False),
                limits=answers.Limits(("DFS",), 1, 2, 3, "00" * 16, "", "", None),
                ntlm=answers.Ntlm("offered", version="6.1.0", revision=15),
                mechanisms=("NTLMSSP",),
                violations=("odd",),
                smb1=answers.Smb1("Unix", "Samba 3"),
                anonymous=answers.Answer("refused"),
            ),
            "139/tcp": answers.PortAnswers(answers.CLOSED, netbios_session="none"),
            "135/tcp": answers.PortAnswers(answers.OPEN),
            "137/udp": answers.PortAnswers(answers.OPEN, names=(answers.NetbiosName("A", 0, False),), mac="00:00"),
            "443/udp": answers.PortAnswers("indeterminate", quic_versions=()),
        },
    )
)


def test_what_our_own_engine_tells_is_of_the_right_form():
    assert fault(FULL) == ""
    assert fault(unresolved("gone", "no such name", "2026-12-01T00:00:00Z")) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        (("target",), None),
        (("address",), 7),
        (("source",), ["x"]),
        (("smb1_attempts",), {}),
        (("smb1_attempts",), ["x"]),
        (("ports",), []),
        (("ports",), {str(number): {"state": "open"} for number in range(65)}),
        (("ports", "445/tcp"), "open"),
        (("ports", "445/tcp", "state"), None),
        (("ports", "445/tcp", "reason"), {}),
        (("ports", "445/tcp", "dialects"), []),
        (("ports", "445/tcp", "dialects", "3.1.1"), "accepted"),
        (("ports", "445/tcp", "dialects", "3.1.1", "answer"), None),
        (("ports", "445/tcp", "dialects", "3.1.1", "reason"), 5),
        (("ports", "445/tcp", "signing"), True),
        (("ports", "445/tcp", "ciphers", "values"), "AES"),
        (("ports", "445/tcp", "ntlm"), "offered"),
        (("ports", "445/tcp", "smb1"), []),
        (("ports", "445/tcp", "guid"), 0),
        (("ports", "445/tcp", "violations"), "x"),
        (("ports", "137/udp", "names"), {}),
    ],
)
def test_what_is_not_of_the_form_is_refused(path, value):
    document = copy.deepcopy(FULL)
    if not path:
        document = value
    else:
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    assert fault(document)


@pytest.mark.parametrize("name", ["target", "address", "started", "source", "smb1_attempts", "ports"])
def test_what_is_missing_is_missed(name):
    assert fault({key: value for key, value in FULL.items() if key != name})


def test_a_target_comes_to_the_state_of_its_best_port_of_smb():
    def target(**ports):
        names = {"direct": "445/tcp", "session": "139/tcp", "mapper": "135/tcp", "other": "4450/tcp"}
        return {"address": "10.0.0.1", "ports": {names[name]: {"state": state} for name, state in ports.items()}}

    assert standing(FULL) == "open"
    assert standing(target(direct="closed", session="filtered")) == "filtered"
    assert standing(target(direct="closed", mapper="open")) == "closed"
    assert standing(target(direct="not_smb", session="indeterminate")) == "not_smb"
    assert standing(target(direct="hostile", session="not_smb")) == "hostile"
    assert standing(target(other="open")) == "open"
    assert standing(target()) == "indeterminate"
    assert standing(unresolved("gone", "no such name", "")) == "unresolved"
    assert taken(FULL) == ["3.1.1", "2.1"]
