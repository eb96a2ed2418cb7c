# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several tests of Windows hosts need once."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab import powershell
from tests.lab.windows.execution import Exec
from tests.lab.windows.replayed import Replayed
from tests.lab.windows.simulated import SimulatedHost

NONCE = "5eed0000c0ffee00"


@pytest.fixture(scope="session")
def answer(tmp_path_factory) -> Replayed:
    """Return what the collector really said on a stock Server 2022, to be given again."""
    powershell.require()
    host = SimulatedHost("ws2022", tmp_path_factory.mktemp("answer"))
    result = host.run(Exec("winrm", windows.COMMAND, catalogue.windows_collector(NONCE)))
    assert windows.read_answer(result.stdout.decode(), result.stderr.decode(), result.rc, NONCE).records
    return Replayed(result, NONCE)
