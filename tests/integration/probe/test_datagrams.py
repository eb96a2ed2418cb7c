# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked by UDP: node status of a real nmbd, and of servers of 137 and 443 that are honest, or anything but."""

from __future__ import annotations

import pytest

from tests.lab.probe import datagrams, smbd
from tests.lab.probe.ask import ask
from tests.lab.probe.datagrams import ADDRESSES, BEHAVIOURS, HONEST, MAC, NAMES


@pytest.fixture(scope="module")
def answers(lab):
    with datagrams.datagrams(lab):
        return ask(lab, ADDRESSES.values(), 60, checks=["netbios", "quic"], ports=[445]).answers


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_only_an_answer_to_our_question_is_believed(name, answers):
    ports = answers[ADDRESSES[name]]["ports"]
    status, quic = ports["137/udp"], ports["443/udp"]
    if name in HONEST:
        assert (status["state"], quic["state"]) == ("open", "open")
        assert [(row["name"], row["suffix"], row["group"]) for row in status["names"]] == list(NAMES)
        assert status["mac"] == MAC
        assert quic["quic_versions"] == ["1", "2"], "the third is reserved, to be ignored"
        return
    assert quic["state"] == "indeterminate"
    assert "quic_versions" not in quic
    if name != "many":  # 200 names are many, but they are true
        assert status["state"] == "indeterminate"
        assert "names" not in status


def test_a_port_without_a_server_is_closed(lab):
    document = ask(lab, ["127.68.0.1"], 60, checks=["netbios", "quic"], ports=[]).answers["127.68.0.1"]
    assert {port: found["state"] for port, found in document["ports"].items() if port != "138/udp"} == {
        "137/udp": "closed",
        "443/udp": "closed",
    }


def test_a_real_nmbd(lab, tmp_path):
    """Its names follow from its configuration: itself as workstation, messenger and server, and its workgroup."""
    smbd.require()
    with smbd.names(lab, "lighthouse", "10.78.0.1", tmp_path):
        found = ask(lab, ["10.78.0.1"], 60, checks=["netbios"], ports=[445]).answers["10.78.0.1"]["ports"]["137/udp"]
    assert found["state"] == "open"
    rows = {(row["name"], row["suffix"], row["group"]) for row in found["names"]}
    assert {("LIGHTHOUSE", 0x00, False), ("LIGHTHOUSE", 0x03, False), ("LIGHTHOUSE", 0x20, False)} <= rows
    assert ("WATER", 0x00, True) in rows
