# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections that are no budget's business: ssh with PowerShell behind it, and Kerberos."""

from __future__ import annotations

import pathlib
from typing import Literal

import pytest

from tests.lab import kdc as kerberos
from tests.lab.playbooks import play
from tests.lab.windows.connections import Kind, variables
from tests.lab.windows.fleet import PASSWORD, fleet
from tests.lab.windows.replayed import Replayed
from tests.lab.windows.wsman.server import WsmanServer


def test_ssh_gives_the_same_verdicts_as_winrm(tmp_path: pathlib.Path) -> None:
    verdicts = {}
    kinds: tuple[Kind | Literal["ssh"], ...] = ("ssh", "winrm-ntlm")
    for kind in kinds:
        folder = tmp_path / kind
        folder.mkdir()
        with fleet(["ws2022"], kind, folder) as hosts:
            played = play("audit", hosts.inventory, folder)
            assert hosts.executions("ws2022") == 1
        assert not played.host("ws2022").get("errors")
        verdicts[kind] = played.verdicts("ws2022")
    assert len(verdicts["ssh"]) > 100
    assert verdicts["ssh"] == verdicts["winrm-ntlm"]


@pytest.mark.parametrize(("kind", "requests"), (("winrm-kerberos", 7), ("psrp-kerberos", 8)))
@pytest.mark.parametrize("by", ("ticket", "password"))
def test_kerberos(tmp_path: pathlib.Path, answer: Replayed, kind: Kind, requests: int, by: str) -> None:
    kerberos.needed()
    with (
        kerberos.Kdc({"admin": PASSWORD}) as realm,
        WsmanServer(answer.run, {}, schemes=("kerberos",), acceptor=realm.acceptor) as server,
    ):
        secret = PASSWORD if by == "password" else None
        ticket = {} if secret else {"KRB5CCNAME": realm.ticket("admin")}
        host = variables(kind, server, realm.principal("admin"), secret)
        played = play("audit", {"web01": host}, tmp_path, **realm.environment, **ticket)
        stats = server.stats
    assert len(played.verdicts("web01")) > 100, played.output
    assert (stats.executions, stats.requests) == (1, requests)
    assert PASSWORD not in played.output
