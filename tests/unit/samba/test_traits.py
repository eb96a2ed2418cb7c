# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a smb.conf tells of the host's special roles."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet

from .smbconf import MAIN, SETTINGS, TODAY, collected


@pytest.mark.parametrize(
    ("text", "trait", "told"),
    [
        ("[macs]\n fruit:time machine = yes\n", "backup-target", True),
        ("[global]\n Fruit : Time  Machine = TRUE\n[macs]\n path = /srv\n", "backup-target", True),
        ("[macs]\n fruit:time machine = no\n", "backup-target", False),
        ("[macs]\n fruit:time machine = perhaps\n", "backup-target", False),
        ("[macs]\n fruit:time machine max size = 1G\n", "backup-target", False),
        ("[global]\n clustering = yes\n", "cluster", True),
        ("[global]\n clustering = no\n", "cluster", False),
        ("[global]\n server role = active directory domain controller\n", "domain-controller", True),
    ],
)
def test_special_roles(text, trait, told):
    (server,) = read(collected({MAIN: text}), SETTINGS, FactSet(), TODAY).implementations
    assert (trait in server.traits) is told
