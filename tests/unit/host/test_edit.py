# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is changed around SMB: whether the cifs module may be loaded, and the options of mounts in fstab."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host import fstab
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


# fstab -----------------------------------------------------------------------------------------------------------------

TABLE = (
    "# <file system> <mount point> <type> <options> <dump> <pass>\n"
    "/dev/sda1\t/ ext4 defaults 0 1\n"
    "//srv/data   /mnt/my\\040data\tcifs   vers=1.0,guest,rw,vers=2.0  0 0 # caf\udce9\n"
    "//srv/more /more smb3 defaults"
)


def mounts(text=TABLE, checksum=True):
    raw = text.encode("utf-8", "surrogateescape")
    records = [Record("host.fstab_file", "/etc/fstab", text.removesuffix("\n"))]
    if checksum:
        records.append(Record("host.sha256", "SHA-256", f"{hashlib.sha256(raw).hexdigest()}  /etc/fstab"))
    return records


def wish(point, **options):
    return Target("c", "client.fstab", options, point)


def test_options_of_a_mount_are_changed_and_all_other_bytes_stay():
    done = plan(wish("/mnt/my data", vers="3.1.1", guest=False, seal=True), records=mounts())
    (step,) = done.steps
    new = TABLE.replace("vers=1.0,guest,rw,vers=2.0", "vers=1.0,rw,vers=3.1.1,seal")
    assert (step.kind, step.target, step.check, step.content) == ("file", "/etc/fstab", "findmnt", new)
    assert step.before.value == hashlib.sha256(TABLE.encode("utf-8", "surrogateescape")).hexdigest()
    (change,) = done.changes
    assert change.address == "/etc/fstab:3 /mnt/my data"
    assert (change.before, change.after) == ("vers=1.0,guest,rw,vers=2.0", "vers=1.0,rw,vers=3.1.1,seal")


def test_two_mounts_are_one_step_and_what_stands_there_is_none():
    done = plan(wish("/mnt/my data", vers="3.0"), wish("/more", seal=True), records=mounts(checksum=False))
    assert len(done.steps) == 1 and len(done.changes) == 2
    assert done.steps[0].content.endswith("smb3 defaults,seal\n")
    assert plan(wish("/mnt/my data", rw=True), records=mounts()).steps == ()


@pytest.mark.parametrize(
    ("records", "target", "words"),
    [
        ([], wish("/more", seal=True), "not collected whole"),
        ([Record("host.fstab_file", "/etc/fstab", "", "a password stands in it", 1)], wish("/more", seal=True), "password"),
        (mounts(), wish("/", seal=True), "no line"),
        (mounts(), wish("/more", vers="3,guest"), "cannot be the value"),
        (mounts(), wish("/more", **{"a,b": True}), "not the name"),
        (mounts(), Target("c", "client.fstab", "seal", "/more"), "no line"),
        ([*mounts()[1:], Record("host.fstab_file", "/etc/fstab", TABLE + "x")], wish("/more", seal=True), "collected whole"),
    ],
)  # fmt: skip
def test_mounts_that_are_left_alone(records, target, words):
    done = plan(target, records=records)
    assert done.steps == () and words in done.refused[0].why


@given(
    st.lists(st.sampled_from(["rw", "seal", "vers=1.0", "sec=ntlm", "uid=a\\040b", "guest"]), min_size=1, max_size=6)
)
def test_any_options_come_out_as_wanted(options):
    line = f"//s/d\t/m  cifs {','.join(options)}\t0 0 # {','.join(options)}"
    new = fstab.changed(line, {"vers": "3.1.1", "guest": False, "seal": True})
    found = fstab.options(new).split(",")
    last = dict(option.partition("=")[::2] for option in found)
    assert (last["vers"], "guest" in last, "seal" in last) == ("3.1.1", False, True)
    assert [option for option in found if not option.startswith(("vers", "seal"))] == [
        option for option in options if not option.startswith(("vers", "seal", "guest"))
    ]
    head, tail = line.partition(fstab.options(line))[::2]
    assert new.startswith(head) and new.endswith(tail)
    assert fstab.changed(new, {"vers": "3.1.1", "guest": False, "seal": True}) == new


def test_an_option_that_goes_leaves_the_defaults():
    assert fstab.changed("//s/d /m cifs guest 0 0", {"guest": False}) == "//s/d /m cifs defaults 0 0"
    assert fstab.changed("//s/d /m cifs rw 0 0", {"username": "a b"}) == "//s/d /m cifs rw,username=a\\040b 0 0"
