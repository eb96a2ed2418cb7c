# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is changed of fstab's cifs mounts, and all that is left alone."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host import fstab, mount_options
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.edit_mounts import awaited
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Target

KERNEL = "6.1.0-18-amd64"
TABLE = (
    "# <file system> <mount point> <type> <options> <dump> <pass>\n"
    "/dev/sda1\t/ ext4 defaults 0 1\n"
    "//srv/data   /mnt/my\\040data\tcifs   vers=1.0,rw,vers=2.0  0 0 # caf\udce9\n"
    "//srv/more /more/ smb3 defaults"
)


def records(text=TABLE, live="", kernel=KERNEL, checksum=True):
    raw = text.encode("utf-8", "surrogateescape")
    entries = [line for line in text.split("\n") if not line.startswith("#") and " ext4 " not in line]
    made = [
        Record("host.uname", "uname -srm", f"Linux {kernel} x86_64"),
        Record("host.mounts", "/proc/mounts", live),
        Record("host.fstab", "/etc/fstab", "\n".join(entries)),
        Record("host.fstab_file", "/etc/fstab", text.removesuffix("\n")),
    ]
    if checksum:
        made.append(Record("host.sha256", "SHA-256", f"{hashlib.sha256(raw).hexdigest()}  /etc/fstab"))
    return made


def plan(*targets, found=None):
    collected = Collected(found if found is not None else records(), uid="0")
    facts = read(collected).facts
    return edit(targets, collected, facts, {}), facts


def entry(options, kernel=KERNEL, **more):
    return records(f"//s/d /m cifs {options} 0 0\n", kernel=kernel, **more)


def wish(what, value, point="/m"):
    return Target(f"linux-cifs-mount-{what}", f"client.mount_{what}", value, point)


def options(done):
    return fstab.options(done.steps[0].content.split("\n")[0]) if done.steps else None


def test_options_of_a_mount_are_changed_and_all_other_bytes_stay():
    done, _facts = plan(wish("dialect", "3.0", "/mnt/my data"), wish("encryption", True, "/mnt/my data"))
    (step,) = done.steps
    new = TABLE.replace("vers=1.0,rw,vers=2.0", "rw,vers=3,seal")
    assert (step.kind, step.target, step.check, step.content) == ("file", "/etc/fstab", "findmnt", new)
    assert step.before.value == hashlib.sha256(TABLE.encode("utf-8", "surrogateescape")).hexdigest()
    first, second = done.changes
    assert first.address == second.address == "/etc/fstab:3 /mnt/my data"
    assert (first.before, first.after) == ("vers=1.0,rw,vers=2.0", "rw,vers=3")
    assert (second.before, second.after, second.control) == (
        "rw,vers=3",
        "rw,vers=3,seal",
        "linux-cifs-mount-encryption",
    )


def test_two_mounts_are_one_step():
    targets = wish("dialect", "3.0", "/mnt/my data"), wish("signing", True, "/more")
    done, _facts = plan(*targets, found=records(checksum=False))
    assert len(done.steps) == 1 and len(done.changes) == 2
    assert done.steps[0].content.endswith("smb3 defaults,sec=ntlmsspi\n")


@pytest.mark.parametrize(
    ("before", "what", "value", "after"),
    [
        ("rw", "dialect", "3.0", "rw,vers=3"),
        ("vers=1.0,rw", "dialect", "3.1.1", "vers=3.1.1,rw"),
        ("vers=1.0,rw", "dialect", "3.0.2", "vers=3.0.2,rw"),
        ("vers=1.0,rw", "dialect", "2.0.2", "rw"),  # 2.1 or later by default, which no version says
        ("vers=1.0", "dialect", "2.0.2", "defaults"),
        ("rw", "signing", True, "rw,sec=ntlmsspi"),
        ("sec=krb5,rw", "signing", True, "sec=krb5i,rw"),
        ("sec=krb5p,multiuser", "signing", True, "sec=krb5i,multiuser"),
        ("sec=ntlmv2", "signing", True, "sec=ntlmv2i"),
        ("sec=ntlm", "signing", True, "sec=ntlmsspi"),
        ("sign,sec=ntlmssp", "signing", True, "sign,sec=ntlmsspi"),
        ("sec=ntlmsspi,signloosely", "signing", True, "sec=ntlmsspi"),
        ("rw", "encryption", True, "rw,seal"),
        ("vers=3.0", "encryption", True, "vers=3.0,seal"),
        ("credentials=/root/c,guest", "guest", False, "credentials=/root/c"),
        ("guest,sec=krb5", "guest", False, "sec=krb5"),
        ("cred=/root/c,sec=none", "guest", False, "cred=/root/c,sec=ntlmsspi"),
        ("cred=/root/c,sec=none,sec=ntlmssp", "guest", False, "cred=/root/c,sec=ntlmssp"),
        ("noauto,user,x-systemd.automount,_netdev", "signing", True, "noauto,user,x-systemd.automount,_netdev,sec=ntlmsspi"),
        ('context="a:s0:c1,c2",rw', "encryption", True, 'context="a:s0:c1,c2",rw,seal'),
    ],
)  # fmt: skip
def test_what_is_written(before, what, value, after):
    done, _facts = plan(wish(what, value), found=entry(before))
    assert options(done) == after
    assert done.refused == ()


@pytest.mark.parametrize(
    ("kernel", "floor", "after"),
    [
        ("3.10.0-1160.el7.x86_64", "3.0", "vers=3.0"),  # knows no vers=3
        ("3.10.0-1160.el7.x86_64", "2.0.2", "vers=2.1"),  # its default is 1.0
        ("4.13.5", "3.0", "vers=3"),
        ("4.13.5", "2.1", "defaults"),
    ],
)
def test_old_kernels(kernel, floor, after):
    assert options(plan(wish("dialect", floor), found=entry("vers=1.0", kernel))[0]) == after


@pytest.mark.parametrize(
    ("found", "target", "words"),
    [
        (entry("guest"), wish("guest", False), "names no user"),
        (entry("guest,username=bob"), wish("guest", False), "names no user"),
        (entry("sec=none"), wish("signing", True), "a guest signs nothing"),
        (entry("vers=2.1"), wish("encryption", True), "vers=2.1"),
        (entry("vers=9"), wish("encryption", True), "vers=9"),
        (entry("rw", "3.10.0"), wish("encryption", True), "needs SMB 3.0"),
        (entry("vers=1.0"), wish("dialect", "SMB3"), "no dialect"),
        (records(), wish("encryption", True, "/"), "no line of /etc/fstab that has options"),
        ([], wish("encryption", True), "no line of /etc/fstab that has options"),
    ],
)
def test_what_is_for_a_person(found, target, words):
    done, _facts = plan(target, found=found)
    assert done.steps == () and done.changes == ()
    assert [words in blocked.why for blocked in done.refused] == [True], done.refused


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ([], "no such record"),
        ([Record("host.fstab_file", "/etc/fstab", "", "a password stands in it", 1)], "a password stands in it"),
        ([Record("host.fstab_file", "/etc/fstab", "x"), Record("host.sha256", "s", f"{'0' * 64}  /etc/fstab")], "no end"),
    ],
)  # fmt: skip
def test_a_table_that_did_not_come_whole(whole, words):
    done, _facts = plan(wish("encryption", True), found=[*entry("rw")[:3], *whole])
    assert done.steps == ()
    assert "not collected whole" in done.refused[0].why and words in done.refused[0].why


LIVE = "//s/d /m cifs rw,vers=3.1.1,sec=ntlmssp,username=a 0 0\n"


def test_a_mount_that_is_there_is_never_touched_and_the_plan_waits_for_it():
    found = [*entry("rw", live=LIVE), Record("host.x", "x")]
    done, facts = plan(wish("signing", True), found=found)
    assert [(step.kind, step.restart) for step in done.steps] == [("file", "none")]
    assert awaited(done.changes, facts) == ("remount of /m",)
    done, facts = plan(wish("signing", True), found=entry("rw"))
    assert awaited(done.changes, facts) == ()


@pytest.mark.parametrize("asked", ["sec=ntlmsspi", "sign", "seal"])
def test_what_fstab_asks_for_already_waits_to_be_mounted_anew(asked):
    done, facts = plan(wish("signing", True), found=entry(asked, live=LIVE))
    assert done.steps == ()
    assert "unmount it and mount it anew" in done.refused[0].why
    assert facts.get("client.mount_signing", "/m").cause == "pending remount"


def test_a_mount_that_fstab_does_not_know():
    done, _facts = plan(wish("signing", True, "/n"), found=entry("sign", live=LIVE.replace("/m", "/n")))
    assert done.steps == () and "autofs" in done.refused[0].why


OPTIONS = ["rw", "seal", "sign", "signloosely", "vers=1.0", "vers=3.1.1", "vers=default", "sec=ntlm", "sec=krb5i"]
OPTIONS += ["sec=none", "guest", "credentials=/c", "uid=a\\040b", "user", "x-systemd.automount", 'context="a,seal"', ""]
ANY = st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=7).filter(any)
WISHES = {
    "dialect": ("3.0", lambda found: mount_options.dialect(found, KERNEL) in ("3.0", "3.0.2", "3.1.1")),
    "signing": (True, mount_options.signs),
    "encryption": (True, mount_options.seals),
    "guest": (False, lambda found: not mount_options.guest(found)),
}
TOUCHED = frozenset({"vers", "sec", "seal", "guest", "signloosely", "ignore_signature"})


@given(ANY, st.sampled_from(sorted(WISHES)))
def test_any_entry_comes_out_as_wanted_and_all_else_stays(chosen, what):
    line = f"//s/d\t/m  cifs {','.join(chosen)}\t0 0 # {','.join(chosen)}"
    text = f"# a\n//o/o /other cifs guest,vers=1.0 0 0\n{line}\n\n/dev/sda1 / ext4 defaults"
    value, holds = WISHES[what]
    done, _facts = plan(wish(what, value), found=records(text))
    was = mount_options.split(fstab.options(line))
    if not done.steps:
        assert done.refused and (holds(was) or not mount_options.logs_in(was) or what == "encryption")
        return
    lines, new = text.split("\n"), done.steps[0].content.split("\n")
    assert [number for number, pair in enumerate(zip(lines, new, strict=True)) if pair[0] != pair[1]] == [2]
    now = mount_options.split(fstab.options(new[2]))
    assert holds(now)
    if now != ["defaults"]:
        left = [option for option in was if mount_options.name_of(option) not in TOUCHED]
        assert [option for option in now if mount_options.name_of(option) not in TOUCHED] == left
    head, tail = line.partition(fstab.options(line))[::2]
    assert new[2].startswith(head) and new[2].endswith(tail)
    again, _facts = plan(wish(what, value), found=records(done.steps[0].content))
    assert again.steps == ()


def test_a_line_is_changed_only_with_what_can_stand_there():
    line = "//s/d /m cifs rw 0 0"
    assert fstab.changed(line, {"username": "a b"}) == "//s/d /m cifs rw,username=a\\040b 0 0"
    for name, value, words in (("vers", "3,guest", "cannot be the value"), ("a,b", True, "not the name")):
        with pytest.raises(ValueError, match=words):
            fstab.changed(line, {name: value})
    with pytest.raises(ValueError, match="not a line of fstab"):
        fstab.changed("# nothing", {"seal": True})
