# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every value that a profile advises is one that the real Samba loads and prints back."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.operators import text
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import BUILT_IN, Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import testparm
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import Table

ADVISED = ("equals", "one_of", "at_least", "at_most", "includes", "subset_of")


def advised():
    settings = catalogue.settings("samba")
    for control in catalogue.controls().values():
        for profile in BUILT_IN:
            for test in control.tests:
                if profile in control.values and test.fact in settings and test.operator in ADVISED:
                    wanted = (
                        test.value
                        if test.value is not None
                        else Selection("", control.values[profile]).value_for(test.fact)
                    )
                    yield settings[test.fact], wanted[0] if test.operator in ("one_of", "subset_of") else wanted


def test_advised_values_are_loaded(tmp_path):
    if shutil.which("testparm") is None:
        pytest.skip("needs testparm: apt-get install samba")
    version = subprocess.run(["smbd", "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    table = Table(catalogue.settings("samba").values(), version)
    checked = 0
    for setting, wanted in {(setting.id, repr(wanted)): (setting, wanted) for setting, wanted in advised()}.values():
        name = "smb ports" if setting.name == "server smb transports" else setting.name
        if table.find(name) is None or wanted in ("tcp", ["tcp"], ""):
            continue
        conf = tmp_path / "smb.conf"
        role = "\nserver role = active directory domain controller" if "ldap server" in name else ""
        conf.write_text(f"[global]\n{name} = {text(wanted)}{role}\n", encoding="utf-8")
        done = subprocess.run(["testparm", "-sv", str(conf)], capture_output=True, text=True, check=False)
        assert "Loaded services file OK" in done.stderr, (name, wanted, done.stderr)
        seen = testparm.parse(done.stdout, "", table).globals[setting.id]
        assert seen == wanted or seen == [wanted] or str(seen).lower() == str(wanted).lower(), (name, wanted, seen)
        checked += 1
    assert checked > 50
