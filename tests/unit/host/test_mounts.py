# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of cifs mounts: of fstab's entries, of the mounts that are there, and of where they differ."""

from __future__ import annotations

import datetime
import os
import pathlib
import subprocess
import tempfile

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host import mount_options
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record

CONTROLS = {name: f"linux-cifs-mount-{name}" for name in ("dialect", "signing", "encryption", "guest")}
COLLECTOR = pathlib.Path(__file__).resolve().parents[3] / "plugins/plugin_utils/_implementations/host/collect.sh"


def reading(fstab="", live="", kernel="6.1.0", debug=None, records=()):
    """Return what is read of a Linux host; the tables may be records of their own."""
    found = [Record("host.uname", "uname -srm", f"Linux {kernel} x86_64")]
    found.append(live if isinstance(live, Record) else Record("host.mounts", "/proc/mounts", live))
    found.append(fstab if isinstance(fstab, Record) else Record("host.fstab", "/etc/fstab", fstab))
    if debug is not None:
        found.append(Record("host.cifs_debug", "/proc/fs/cifs/DebugData", debug))
    return read(Collected([*found, *records], "0"))


def entry(options, kind="cifs", point="/m"):
    return f"//s/d {point} {kind} {options} 0 0\n"


def truth(name, *args, point="/m", **more):
    fact = reading(*args, **more).facts.get(f"client.mount_{name}", point)
    return None if fact is None else "unreadable" if fact.unreadable else (fact.configured, fact.effective)


def findings(name, *args, profile="strict", **more):
    found = reading(*args, **more)
    control = catalogue.controls()[CONTROLS[name]]
    selection = Selection(control.id, control.values[profile])
    today = datetime.date(2026, 11, 25)
    return assess(found.facts, found.implementations, {control.id: control}, {}, [selection], today=today)


@pytest.mark.parametrize(
    ("options", "kernel", "oldest"),
    [
        ("rw", "6.1.0", "2.1"),
        ("vers=default", "6.1.0", "2.1"),
        ("rw", "4.13.4", "3.0"),
        ("rw", "3.10.0-1160.el7", "1.0"),
        ("vers=3", "6.1.0", "3.0"),
        ("vers=3.02", "6.1.0", "3.0.2"),
        ("vers=3.11", "6.1.0", "3.1.1"),
        ("VERS=1.0", "6.1.0", "1.0"),
        ("vers=3.1.1,vers=2.0", "6.1.0", "2.0.2"),  # the last one counts
        ("vers=3.1.1,ver=1", "6.1.0", "3.1.1"),
        ("vers=9", "6.1.0", None),
        ("rw", "", None),
    ],
)
def test_the_oldest_dialect_that_an_entry_lets_in(options, kernel, oldest):
    assert mount_options.dialect(options.split(","), kernel) == oldest


@pytest.mark.parametrize(
    ("options", "signs"),
    [
        ("rw", False),
        ("sec=ntlmsspi", True),
        ("sec=krb5i,rw", True),
        ("sec=ntlmssp", False),
        ("sign", True),
        ("sec=ntlmssp,sign", True),
        ("sign,sec=ntlmssp", False),
        ("sec=ntlmsspi,sec=ntlmssp", False),
        ("seal", True),
        ("sign,signloosely", False),
        ("seal,signloosely", True),
        ("sec=ntlmsspi,ignore_signature", False),
        ('context="a,sign"', False),
    ],
)
def test_who_signs(options, signs):
    assert mount_options.signs(mount_options.split(options)) is signs


@pytest.mark.parametrize(
    ("options", "guest"),
    [
        ("rw", False),
        ("guest", True),
        ("sec=none,sec=ntlmssp", True),
        ("user,username=guest", False),
        ("username=bob,guest", True),
    ],
)
def test_who_is_a_guest(options, guest):
    assert mount_options.guest(options.split(",")) is guest


def test_an_entry_is_judged_whether_it_is_mounted_or_not():
    fstab = entry("noauto,user,vers=1.0") + entry("x-systemd.automount,seal,vers=3.1.1", "smb3", "/n/")
    assert truth("dialect", fstab) == ("1.0", None)
    assert truth("dialect", fstab, point="/n") == ("3.1.1", None)
    assert truth("encryption", fstab, point="/n") == (True, None)
    assert truth("signing", fstab, point="/n") == (True, None)
    assert truth("guest", fstab) == (False, None)
    failing = [(one.object, one.verdict) for one in findings("dialect", fstab)]
    assert failing == [("/m", "fail")]


def test_a_line_without_options_has_the_defaults():
    assert truth("dialect", "//s/d /m cifs\n") == ("2.1", None)


def test_smbfs_is_another_client():
    assert reading(entry("rw", "smbfs")).facts.objects("client.mount_dialect") == {}


def test_of_several_mounts_at_one_point_the_weakest_counts():
    assert truth("dialect", entry("vers=3.1.1") + entry("vers=2.1")) == ("2.1", None)
    assert truth("guest", entry("rw") + entry("guest")) == (True, None)
    assert truth("encryption", entry("seal"), entry("vers=3.0,seal") + entry("vers=3.0")) == (True, False)


def test_what_is_mounted_with_older_options_than_fstabs_waits_to_be_mounted_anew():
    fstab, live = entry("vers=3.1.1,sec=ntlmsspi,seal"), entry("rw,vers=2.1,sec=ntlmssp,username=a")
    for name in ("dialect", "signing", "encryption"):
        (finding,) = findings(name, fstab, live)
        assert (finding.verdict, finding.cause) == ("fail", "pending remount"), name
    (finding,) = findings("guest", entry("cred=/c"), entry("vers=3.0,sec=none"))
    assert (finding.verdict, finding.cause) == ("fail", "pending remount")


def test_other_differences_have_other_causes():
    def cause(name, *args, **more):
        return reading(*args, **more).facts.get(f"client.mount_{name}", "/m").cause

    assert cause("dialect", entry("rw"), entry("vers=3.1.1")).startswith("negotiated")
    assert cause("encryption", entry("rw"), entry("vers=3.1.1,seal")).startswith("mounted with other options")
    assert cause("dialect", "", entry("vers=1.0")) == "not mounted by /etc/fstab"
    assert cause("dialect", entry("vers=3.1.1"), entry("vers=3.1.1")) is None


def test_a_mount_that_does_not_tell_whether_it_signs_is_unknown():
    """The kernel shows it beside sec=, and sec= only where it was given."""
    live = entry("rw,vers=3.1.1,cache=strict,username=a")
    assert truth("signing", entry("sign"), live) == "unreadable"
    assert truth("signing", "", live) == "unreadable"
    assert truth("signing", entry("rw"), live) == (False, None)
    assert [one.verdict for one in findings("signing", entry("sign"), live)] == ["unknown"]


DEBUG = """Display Internal CIFS Data Structures for Debugging
---------------------------------------------------
CIFS Version 2.46
Servers:
1) ConnectionId: 0x1 Hostname: s
Number of credits: 8190,1,1 Dialect 0x311 signed
\tSessions:
\t1) Address: 10.0.0.5 Uses: 1 Capability: 0x300047\tSession Status: 1 {who}
\tSecurity type: RawNTLMSSP  SessionId: 0x7a3b{flags}
\tUser: 0 Cred User: 0

\tShares:
\t0) IPC: \\\\s\\IPC$ Mounts: 1 DevInfo: 0x0 Attributes: 0x0
\tPathComponentMax: 0 Status: 1 type: 0 Serial Number: 0x0

\t1) \\\\s\\d Mounts: 1 DevInfo: 0x20 Attributes: 0x1006f
\tPathComponentMax: 255 Status: 1 type: DISK Serial Number: 0x1{tree}
"""


@pytest.mark.parametrize(
    ("who", "flags", "tree", "told"),
    [
        ("", " signed", "", (True, False, False)),
        ("", "", "", (False, False, False)),
        ("", " encrypted signed", "", (True, True, False)),
        ("", "", " Encrypted", (True, True, False)),
        ("Guest ", "", "", (False, False, True)),
        ("Anonymous ", "", "", (False, False, True)),
    ],
)
def test_sessions_of_the_kernel_tell_what_its_mount_table_does_not(who, flags, tree, told):
    debug = DEBUG.format(who=who, flags=flags, tree=tree)
    live = "//S/d/folder /m cifs rw,vers=3.1.1,username=a 0 0\n"
    found = reading("", live, debug=debug).facts
    assert tuple(found.in_force(f"client.mount_{name}", "/m") for name in ("signing", "encryption", "guest")) == told
    mount = found.in_force("client.mount", "/m")
    assert (mount["sign"], mount["seal"], mount["guest"]) == told
    assert truth("signing", "", live.replace("//S/d", "//s/e"), debug=debug) == "unreadable"


def test_two_sessions_of_one_share_must_both_sign():
    two = DEBUG.format(who="", flags=" signed", tree="") + DEBUG.format(who="", flags="", tree="")
    assert truth("signing", "", entry("rw,vers=3.1.1,username=a"), debug=two) == (None, False)


def test_a_server_that_lets_users_in_as_guests_is_not_helped_by_a_remount():
    debug = DEBUG.format(who="Guest ", flags="", tree="")
    (finding,) = findings("guest", entry("cred=/c"), entry("vers=3.1.1,username=a"), debug=debug)
    assert (finding.verdict, finding.cause) == ("fail", "the server lets the user in as a guest")


@pytest.mark.parametrize("name", CONTROLS)
def test_a_table_that_could_not_be_read_is_unknown_whatever_the_other_one_says(name):
    good = entry("vers=3.1.1,sec=ntlmsspi,seal,cred=/c")
    for tables in (
        {"fstab": Record("host.fstab", "/etc/fstab", "", "cannot be read", 1), "live": ""},
        {"fstab": Record("host.fstab", "/etc/fstab", "", "cannot be read", 1), "live": good},
        {"fstab": good, "live": Record("host.mounts", "/proc/mounts", "", "cannot be read", 1)},
    ):
        verdicts = [(one.object, one.verdict) for one in findings(name, **tables)]
        assert verdicts == [("", "unknown")], tables


@pytest.mark.parametrize("name", CONTROLS)
def test_a_client_without_mounts_is_not_applicable_and_a_host_without_the_client_is_not_judged(name):
    client = [Record("host.packages", "dpkg-query", "cifs-utils 2:7.0-2 installed\n")]
    assert [one.verdict for one in findings(name, records=client)] == ["not_applicable"]
    assert findings(name) == []
    good = entry("vers=3.1.1,sec=ntlmsspi,seal,cred=/c")
    assert [one.verdict for one in findings(name, good, good)] == ["pass"]


@pytest.mark.parametrize(("there", "code", "said"), [(True, 1, "cannot be read"), (False, 0, "")])
def test_a_table_that_may_not_be_read_is_told_from_one_that_is_not_there(there, code, said):
    if os.getuid() != 0:
        pytest.skip("needs root, to become somebody who may not read a file")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        table = pathlib.Path(folder) / "fstab"
        if there:
            table.write_text(entry("rw"), encoding="utf-8")
            table.chmod(0o600)
        script = COLLECTOR.read_text(encoding="utf-8").replace("/etc/fstab", str(table)) + "\nbw_host_fstab\n"
        done = subprocess.run(
            ["sh", "-s"], input=script, capture_output=True, text=True, check=False, user=65534, cwd="/"
        )
    assert (done.returncode, done.stderr.strip(), done.stdout) == (code, said, "")
