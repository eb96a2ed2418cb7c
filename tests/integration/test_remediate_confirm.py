# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that may cut its own line: the host undoes it alone unless somebody comes back over a new connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import fleet
import pytest

from tests.lab import samba_host
from tests.lab.playbooks import made, play

# A member of a domain, whose accounts may come from the very configuration that is changed.
MEMBER = """[global]
    workgroup = PORT
    realm = PORT.EXAMPLE
    security = ADS
    idmap config * : backend = tdb
    idmap config * : range = 10000-20000
    server min protocol = NT1

[files]
    path = /srv/files
"""
UNDONE_SECONDS = 200.0


@pytest.fixture
def host() -> Iterator[fleet.Host]:
    samba_host.require()
    with fleet.fleet(("defaults",)) as running:
        samba_host.write(running["defaults"], MEMBER)
        yield running["defaults"]


def logins(host: fleet.Host) -> int:
    return host.log("sshd").count("Accepted publickey")


def waiting(host: fleet.Host) -> str:
    """Return what runs on the host beside its services: an armed undo would."""
    lines = samba_host.run(host, "ps", "-e", "-o", "args=").splitlines()
    ours = ("ps ", "init", "smbd", "nmbd", "sshd", "winbindd")
    return "\n".join(
        line for line in lines if not line.startswith(ours) and "host.py" not in line and "/samba/" not in line
    )


def test_it_is_confirmed_over_a_new_connection_in_three_executions(host, tmp_path):
    before, ran = logins(host), host.executions()
    played = play("remediate", samba_host.inventory({"defaults": host}), tmp_path)
    assert made(played.host("defaults")), played.output
    samba_host.until(lambda: host.executions() - ran == 3)
    assert logins(host) - before >= 2, "it was confirmed over the old connection"
    assert not waiting(host), "the undo is still armed"
    assert "NT1" not in (host.directory / "etc-samba" / "smb.conf").read_text(encoding="utf-8")


@pytest.mark.once  # it waits for the timer of the undo
def test_unconfirmed_it_is_undone_by_the_host_itself(host, tmp_path):
    original = samba_host.configuration(host)
    with samba_host.held(host, tmp_path, "/usr/bin/smbcontrol", "*debuglevel*|*ping*") as process:
        os.killpg(process.pid, signal.SIGKILL)
        for relay in samba_host.relays(host):
            os.kill(relay, signal.SIGKILL)
    process.communicate(timeout=60)
    assert samba_host.configuration(host) != original
    samba_host.until(lambda: samba_host.configuration(host) == original, UNDONE_SECONDS)
    samba_host.until(lambda: not waiting(host))
    # Nothing is in the way of doing it again.
    again = play("remediate", samba_host.inventory({"defaults": host}), tmp_path)
    assert made(again.host("defaults")), again.output
