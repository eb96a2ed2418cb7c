# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is changed around SMB: whether the cifs module may be loaded."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Target

LINUX = [Record("host.uname", "uname -srm", "Linux 6.1 x86_64"), Record("host.os", "os-release", "ID=debian")]
MODULE = Target("linux-cifs-module-policy", "host.cifs_module_available", False)
POLICY = "/etc/modprobe.d/breakwater-cifs.conf"


def plan(*targets, records=()):
    collected = Collected([*LINUX, *records], uid="0")
    return edit(targets, collected, read(collected).facts, {})


def test_the_module_is_kept_away_by_a_file_of_our_own():
    done = plan(MODULE, records=[Record("host.modules", "m", ""), Record("host.modprobe", "modprobe.d", "")])
    (step,) = done.steps
    assert (step.kind, step.target, step.before, step.restart, step.check) == ("file", POLICY, ABSENT, "none", "")
    assert step.content == "install cifs /bin/false\nblacklist cifs\n"
    assert step.after == Native("sha256", hashlib.sha256(step.content.encode()).hexdigest())
    (change,) = done.changes
    assert (change.control, change.before, change.after, change.step) == (MODULE.control, None, "/bin/false", 1)
    after = read(Collected([*LINUX, Record("host.modules", "m", ""), Record("host.modprobe", "d", step.content)])).facts
    assert after.in_force("host.cifs_module_available") is False


def test_a_module_that_is_loaded_needs_a_reboot_and_is_not_written_about_twice():
    loaded = Record("host.modules", "m", "cifs")
    (step,) = plan(MODULE, records=[loaded, Record("host.modprobe", "modprobe.d", "")]).steps
    assert step.restart == "reboot"
    done = plan(MODULE, records=[loaded, Record("host.modprobe", "modprobe.d", step.content)])
    assert done.steps == () and "reboot" in done.refused[0].why


def test_other_systems_have_no_such_module():
    collected = Collected(
        [Record("host.uname", "uname -srm", "FreeBSD 14 amd64"), Record("host.os", "o", "ID=freebsd")]
    )
    done = edit([MODULE], collected, read(collected).facts, {})
    assert done.steps == () and "Linux" in done.refused[0].why


def test_a_module_is_never_let_in():
    done = plan(Target("c", "host.cifs_module_available", True))
    assert done.steps == () and done.refused[0].kind == "edit"


@pytest.mark.parametrize("fact", ["host.smb_server_packages", "host.smb_server_in_use", "host.anything"])
def test_packages_and_services_are_for_a_person(fact):
    done = plan(Target("c", fact, []))
    assert done.steps == ()
    assert [(blocked.kind, blocked.fact) for blocked in done.refused] == [("edit", fact)]
