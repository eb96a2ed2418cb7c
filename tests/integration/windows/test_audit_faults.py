# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that goes wrong on the way to a Windows host: one clear sentence for it, the other hosts unharmed."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
from ansible.release import __version__ as ansible_version

from tests.lab.playbooks import Played, play
from tests.lab.windows.connections import Kind
from tests.lab.windows.fleet import PASSWORD, fleet
from tests.lab.windows.wsman.faults import Fault

CORE = tuple(int(part) for part in ansible_version.split(".")[:2])
BROKE = "The connection broke: the host closed it before the answer was whole"
REFUSED = (
    "The host refused the login: the user or the password is wrong, or the account may not log on over the network"
)
DENIED = "The account may not use WinRM on the host: access denied"
FULL = "The host has no room for another WinRM operation: a quota of its WinRM service is used up"
DOWN = "The host's WinRM service does not work: it answers that it is unavailable"
NOT_WSMAN = "The host does not speak WinRM: its answer is no HTTP"
GONE = "The host ended the shell before the answer was whole"
CUT = "The collector's answer was cut off"
FINE = ""
# Fault → the sentence's beginning; FINE: the host is audited all the same.
WINRM: dict[str, tuple[Fault, str]] = {
    "first-request": (Fault("drop"), BROKE),
    "during-authentication": (Fault("drop", "Authenticate", nth=3), BROKE),
    "create": (Fault("drop", "Create"), BROKE),
    "command": (Fault("drop", "Command"), BROKE),
    "send": (Fault("drop", "Send"), "The connection broke"),
    "receive": (Fault("drop", "Receive"), BROKE),
    "receive-late": (Fault("drop-after", "Receive"), BROKE),
    "delete": (Fault("drop", "Delete"), FINE),
    "half-an-answer": (Fault("cut", "Receive"), BROKE),
    "garbage": (Fault("garbage", "Create"), NOT_WSMAN),
    "garbage-later": (Fault("garbage", "Receive"), NOT_WSMAN),
    "unavailable": (Fault("unavailable", "Create"), DOWN),
    "unavailable-later": (Fault("unavailable", "Receive"), DOWN),
    "unauthorized": (Fault("unauthorized", "Authenticate", times=0), REFUSED),
    "unauthorized-later": (Fault("unauthorized", "Receive"), "The connection broke"),
    "shell-quota": (Fault("shell-quota"), FULL),
    "operation-quota": (Fault("operation-quota"), FINE if CORE >= (2, 18) else FULL),
    "operation-quota-again": (Fault("operation-quota", times=0), FULL),
    "access-denied": (Fault("access-denied"), DENIED),
    "access-denied-later": (Fault("access-denied", "Command"), DENIED),
    "shell-gone": (Fault("shell-gone"), GONE),
    "no-output-yet": (Fault("operation-timeout", times=3), FINE),
    "slow": (Fault("slow", "Receive", seconds=2), FINE),
    "late": (Fault("late", seconds=2), FINE),
    "truncated": (Fault("truncated"), CUT),
    "progress": (Fault("progress"), FINE),
    "banner": (Fault("banner"), FINE),
    "endless": (Fault("endless", size=1_000_000), "The collector did not run"),
}
PSRP: dict[str, tuple[Fault, str]] = {
    "create": (Fault("drop", "Create"), BROKE),
    "opening": (Fault("drop", "Receive"), BROKE),
    "command": (Fault("drop", "Command"), BROKE),
    "send": (Fault("drop", "Send"), BROKE),
    "receive": (Fault("drop", "Receive", nth=2), BROKE),
    "delete": (Fault("drop", "Delete"), FINE),
    "half-an-answer": (Fault("cut", "Receive", nth=2), BROKE),
    "garbage": (Fault("garbage", "Create"), NOT_WSMAN),
    "unavailable": (Fault("unavailable", "Create"), DOWN),
    "unavailable-later": (Fault("unavailable", "Receive", nth=2), DOWN),
    "unauthorized": (Fault("unauthorized", "Create"), REFUSED),
    "unauthorized-later": (Fault("unauthorized", "Send"), REFUSED),
    "shell-quota": (Fault("shell-quota"), FULL),
    "operation-quota": (Fault("operation-quota"), FULL),
    "access-denied": (Fault("access-denied"), DENIED),
    "access-denied-later": (Fault("access-denied", "Command"), DENIED),
    "shell-gone": (Fault("shell-gone", nth=2), GONE),
    "no-output-yet": (Fault("operation-timeout", nth=2, times=3), FINE),
    "late": (Fault("late", seconds=2), FINE),
    "truncated": (Fault("truncated"), CUT),
    "progress": (Fault("progress"), FINE),
    "banner": (Fault("banner"), FINE),
    "endless": (Fault("endless", size=1_000_000), "The collector did not run"),
}


def errors(played: Played, name: str) -> list[str]:
    """Return why a host could not be read; parts of a host that other tests look at are left out."""
    host = ("connection", "collector", "privilege", "host")
    return [error["reason"] for error in played.host(name).get("errors", ()) if error["section"] in host]


def is_one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z][^\n]{10,399}\.", text)) and "object at 0x" not in text and "Traceback" not in text


@pytest.mark.parametrize("kind", ["winrm-ntlm", "psrp-basic-tls"])
def test_every_fault_is_one_sentence_and_harms_no_other_host(tmp_path, answer, kind: Kind):
    table = WINRM if kind == "winrm-ntlm" else PSRP
    names = {**dict.fromkeys(table, "ws2022"), "healthy": "ws2022"}
    faults = {name: (fault,) for name, (fault, _sentence) in table.items()}
    with fleet(names, kind, tmp_path, faults=faults, wrap=lambda name, run: answer.run) as hosts:
        played = play("audit", hosts.inventory, tmp_path, "-f", "20")
    said = {name: errors(played, name) for name in names}
    wrong = {
        name: said[name]
        for name, sentence in {**{n: s for n, (_f, s) in table.items()}, "healthy": FINE}.items()
        if (len(said[name]) != 1 or not said[name][0].startswith(sentence))
        if sentence != FINE or said[name]
    }
    assert wrong == {}
    assert [text for texts in said.values() for text in texts if not is_one_sentence(text)] == []
    judged = [name for name in names if not said[name]]
    assert len({len(played.verdicts(name)) for name in judged}) == 1, "a fault changed what a host was judged by"
    assert all(len(played.verdicts(name)) > 100 for name in judged)
    assert played.run["verdict"] == "incomplete"
    assert played.code == 2
    assert nowhere(PASSWORD, tmp_path, played)


def nowhere(secret: str, folder: pathlib.Path, played: Played) -> bool:
    """Return whether a secret is neither in the output nor in any result."""
    found = subprocess.run(
        ["grep", "-rlF", secret, str(folder / "results")], capture_output=True, text=True, check=False
    )
    return secret not in played.output and found.returncode == 1


CERTIFICATES: dict[str, str] = {
    "stranger": "The host's certificate is not accepted: no authority that the controller knows has signed it",
    "expired": "The host's certificate is not accepted: it has expired",
    "wrong-name": "The host's certificate is not accepted: it is for another name",
}


@pytest.mark.parametrize("kind", ["winrm-basic-tls", "psrp-basic-tls"])
def test_certificates_are_checked(tmp_path, answer, kind: Kind):
    names = dict.fromkeys(CERTIFICATES, "ws2022")
    bad = {name: name for name in CERTIFICATES}
    with fleet(names, kind, tmp_path, certificates=bad, wrap=lambda name, run: answer.run) as hosts:
        played = play("audit", hosts.inventory, tmp_path)
        asked = [hosts[name].stats.requests for name in names]
    for name, sentence in CERTIFICATES.items():
        assert [error.startswith(sentence) for error in errors(played, name)] == [True], (name, errors(played, name))
    assert not any(asked), "a password went to a host that is not who it says"
    assert played.code == 2


def test_a_wrong_password_is_tried_once(tmp_path, answer):
    """Windows locks accounts: one refused login, and no second attempt."""
    with fleet({"locked": "ws2022"}, "winrm-ntlm", tmp_path, wrap=lambda name, run: answer.run) as hosts:
        hosts.inventory["locked"]["ansible_password"] = "wrong"
        played = play("audit", hosts.inventory, tmp_path)
        requests = hosts["locked"].stats.requests
    assert [error.startswith(REFUSED) for error in errors(played, "locked")] == [True]
    assert requests <= 3
    assert played.code == 2


def test_nothing_listens(tmp_path):
    entry = {
        "ansible_connection": "winrm",
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "ansible_user": "admin",
        "ansible_password": "unused",
        "ansible_winrm_transport": "ntlm",
    }
    played = play("audit", {"gone": entry, "gone2": {**entry, "ansible_connection": "psrp"}}, tmp_path)
    for name in ("gone", "gone2"):
        assert errors(played, name) == [
            "Cannot connect: nothing listens on that port; check ansible_port and, on the host, Enable-PSRemoting."
        ]
