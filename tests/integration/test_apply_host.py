# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps on a real host with a real smbd: validators, links, odd bytes, attributes, the registry, and what is in the way."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator

import fleet
import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.applied import applied
from tests.lab import samba_host
from tests.lab.interpreter import (
    APPLY,
    CORE,
    NONCE,
    answer,
    at_point,
    back,
    file_step,
    replaced,
    run,
    send,
    sha256,
    states,
)

CONF = "/etc/samba/smb.conf"
RELOAD = Step(9, "reload", "smbd", config=CONF)
RESTART = Step(9, "restart", "smbd", config=CONF)


@pytest.fixture(scope="module")
def running() -> Iterator[fleet.Host]:
    samba_host.require()
    with fleet.fleet(("smb1",)) as hosts:
        yield hosts["smb1"]


@pytest.fixture
def host(running: fleet.Host) -> Iterator[fleet.Host]:
    """The same host, each time as it was."""
    conf = etc(running) / "smb.conf"
    text = conf.read_bytes()
    yield running
    for path in etc(running).iterdir():
        if path.is_symlink() or path.is_file():
            path.unlink()
    conf.write_bytes(text)
    conf.chmod(0o644)


def etc(host: fleet.Host) -> pathlib.Path:
    return host.directory / "etc-samba"


def step(host: fleet.Host, new: bytes, name: str = CONF, number: int = 1, **more: object) -> Step:
    """The step that gives a file of the host a new text, as an editor makes it."""
    old = (etc(host) / pathlib.Path(name).name).read_bytes()
    return file_step(name, old, new, number, **{"check": "testparm", "config": CONF, **more})


def order(host: fleet.Host, *steps: Step, journal: str = "j1", apply: str = APPLY, dry: bool = False):
    return send(Order(journal, steps, dry=dry), host.enter(), apply)


def conf(host: fleet.Host) -> bytes:
    return (etc(host) / "smb.conf").read_bytes()


def only(host: fleet.Host, *names: str) -> None:
    """Nothing else lies there: no temporary file."""
    assert sorted(path.name for path in etc(host).iterdir()) == sorted(names or ("smb.conf",))


@contextlib.contextmanager
def mounted(host: fleet.Host, *command: str, on: str) -> Iterator[None]:
    samba_host.run(host, *command)
    try:
        yield
    finally:
        samba_host.run(host, "umount", on)


def fill(host: fleet.Host, folder: str) -> None:
    """Leave no room in a filesystem: writing until that fails is the purpose, so that cat's failure is none here."""
    samba_host.run(host, "sh", "-c", f"cat /dev/zero >{folder}/filler 2>/dev/null || true")


def test_reload_makes_it_true_for_the_running_smbd(host):
    new = conf(host).replace(b"log level = 1", b"log level = 1 auth_audit:3")
    assert states(order(host, step(host, new), RELOAD)) == ["done", "done"]
    pid = samba_host.run(host, "cat", "/run/samba/smbd.pid").strip()
    samba_host.until(lambda: "auth_audit:3" in samba_host.run(host, "smbcontrol", pid, "debuglevel"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"= NT1", b"= NT1\n\tunknwn thing = yes", 'Unknown parameter encountered: "unknwn thing"'),
        (b"= NT1", b"= NT17", "Ignoring invalid value 'NT17' for parameter 'server min protocol'"),
        (b"[global]", b"[global", "testparm does not accept it"),
    ],
)
def test_testparm_is_asked_before_anything_is_replaced(host, old, new, words):
    before = conf(host)
    assert old in before
    result = order(host, step(host, before.replace(old, new, 1)), RELOAD)
    assert states(result) == ["failed", "skipped"]
    assert words in result.results[0].error
    assert "\n" not in result.results[0].error
    assert ".breakwater." not in result.results[0].error  # told with the file's own name
    assert conf(host) == before
    only(host)


def test_what_testparm_said_of_the_old_file_is_not_held_against_the_new_one(host):
    (etc(host) / "smb.conf").write_bytes(conf(host) + b"\nunknwn = 1\n[bad]\n\tno equals sign\n")
    new = conf(host).replace(b"NT1", b"SMB2_10")
    steps = (step(host, new),)
    assert states(order(host, *steps)) == ["done"]
    assert conf(host) == new
    # Bytes that stood there before may stand there again, whatever testparm thinks of them.
    assert states(order(host, *back(steps, "j1"), journal="j2")) == ["done"]


def test_a_validator_that_hangs_or_is_not_there(host):
    before = conf(host)
    slow = replaced(APPLY, "bw_point() { :; }", "bw_point() { :; }\nbw_seconds=1")
    with mounted(
        host,
        "sh",
        "-c",
        f"printf '#!/bin/sh\\nsleep 30\\n' >{host.directory}/slow; chmod 755 {host.directory}/slow; mount --bind {host.directory}/slow /usr/bin/testparm",
        on="/usr/bin/testparm",
    ):
        result = order(host, step(host, before + b"\n"), apply=slow)
    assert (states(result), result.results[0].error) == (["failed"], "testparm gave no answer in 1 seconds")
    absent = APPLY + '\nbw_has() { [ "$1" != testparm ] && command -v "$1" >/dev/null 2>&1; }\n'
    result = order(host, step(host, before + b"\n"), apply=absent)
    assert "testparm is not installed" in result.results[0].error
    assert conf(host) == before
    only(host)


def test_without_the_timeout_command(host):
    core = replaced(CORE, "if timeout -k 1 5 true 2>/dev/null; then", "if false; then")
    sent = Order("j1", (step(host, conf(host).replace(b"NT1", b"SMB2_10")), RELOAD))
    done = run(posix.build_apply(core, APPLY, {}, sent, NONCE), host.enter())
    assert states(applied(answer(done), sent)) == ["done", "done"]


def test_an_included_file_is_judged_as_part_of_the_whole(host):
    """Alone it would do; what smb.conf becomes with it would not."""
    (etc(host) / "site.conf").write_bytes(b"\tlog level = 2\n")
    (etc(host) / "smb.conf").write_bytes(
        b"[global]\n\tworkgroup = PORT\n\tinclude = /etc/samba/site.conf\n\tserver min protocol = SMB2\n"
    )
    good = step(host, b"\tlog level = 3\n", "/etc/samba/site.conf")
    assert states(order(host, good)) == ["done"]
    bad = step(host, b"\tlog level = 3\n\tserver role = nonsense\n", "/etc/samba/site.conf")
    result = order(host, bad, journal="j2")
    assert states(result) == ["failed"]
    assert "testparm does not accept it" in result.results[0].error
    # The part alone says nothing new to a validator that knows no better; the whole does.
    alone = replaced(APPLY, '    bw_complaints "$2" "$1"\n', "    bw_complaints /dev/null /dev/null\n")
    result = order(host, bad, journal="j3", apply=alone)
    assert states(result) == ["failed"]
    assert (etc(host) / "site.conf").read_bytes() == b"\tlog level = 3\n"
    only(host, "smb.conf", "site.conf")


@pytest.mark.parametrize(
    "text",
    [
        b"[global]\r\n\tworkgroup = PORT\r\n\tserver min protocol = NT1\r\n[files]\r\n\tpath = /srv/files\r\n",
        "[global]\n\tserver string = Dateiablage fürs Büro\n\tserver min protocol = NT1".encode("latin-1"),
        b"\xef\xbb\xbf# a byte order mark\n[global]\n\tserver min protocol = NT1\n\tcomment = \xf0\x9f\x9a\xa2\n",
    ],
    ids=["CRLF", "Latin-1", "UTF-8 with BOM"],
)
def test_odd_bytes_survive_there_and_back(host, text):
    (etc(host) / "smb.conf").write_bytes(text)
    steps = (step(host, text.replace(b"NT1", b"SMB2_10")), RELOAD)
    assert states(order(host, *steps)) == ["done", "done"]
    assert conf(host) == text.replace(b"NT1", b"SMB2_10")
    assert states(order(host, *back(steps, "j1"), journal="j2")) == ["done", "done"]
    assert conf(host) == text


def test_a_symlinked_smb_conf(host):
    (etc(host) / "real.conf").write_bytes(conf(host))
    (etc(host) / "real.conf").chmod(0o600)
    (etc(host) / "smb.conf").unlink()
    (etc(host) / "smb.conf").symlink_to("real.conf")
    new = conf(host).replace(b"NT1", b"SMB2_10")
    assert states(order(host, step(host, new))) == ["done"]
    assert (etc(host) / "smb.conf").is_symlink()
    assert (etc(host) / "real.conf").read_bytes() == new
    assert (etc(host) / "real.conf").stat().st_mode & 0o777 == 0o600
    only(host, "smb.conf", "real.conf")


def test_three_thousand_shares_with_testparm(host):
    shares = b"".join(
        b"[share%d]\n\tpath = /srv/%d\n\tguest ok = yes\n\tcomment = share number %d\n" % (n, n, n) for n in range(3000)
    )
    (etc(host) / "smb.conf").write_bytes(b"[global]\n\tworkgroup = PORT\n" + shares)
    new = conf(host).replace(b"guest ok = yes", b"guest ok = no")
    assert states(order(host, step(host, new))) == ["done"]
    assert conf(host) == new


def test_owner_mode_and_access_lists_stay(host):
    path = etc(host) / "smb.conf"
    os.chown(path, 4001, 100)
    path.chmod(0o640)
    # user::rw- user:4002:r-- group::r-- mask::r-- other::---
    access = bytes.fromhex("0200000001000600ffffffff02000400a20f000004000400ffffffff10000400ffffffff20000000ffffffff")
    try:
        os.setxattr(path, "system.posix_acl_access", access)
        os.setxattr(path, "user.note", b"somebody's")
    except OSError as error:
        pytest.skip(f"needs a filesystem with access lists: {error}")
    steps = (step(host, conf(host) + b"# more\n"),)
    for journal, one in (("j1", steps), ("j2", back(steps, "j1"))):
        assert states(order(host, *one, journal=journal)) == ["done"]
        status = path.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (4001, 100, 0o640)
        assert os.getxattr(path, "system.posix_acl_access") == access
        assert os.getxattr(path, "user.note") == b"somebody's"


def test_somebody_changed_it_between_looking_and_changing(host):
    planned = step(host, conf(host).replace(b"NT1", b"SMB2_10"))
    (etc(host) / "smb.conf").write_bytes(conf(host) + b"# by hand\n")
    found = conf(host)
    result = order(host, planned, RELOAD)
    assert states(result) == ["refused", "skipped"]
    assert result.results[0].before == sha256(found)
    assert conf(host) == found
    only(host)


def test_no_room_where_the_file_lies(host):
    with mounted(host, "mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", "/etc/samba", on="/etc/samba"):
        samba_host.run(host, "cp", f"{etc(host)}/smb.conf", "/etc/samba/")
        fill(host, "/etc/samba")
        old = conf(host)
        for journal in ("j1", "j2"):
            result = order(
                host, file_step(CONF, old, old * 300, check="testparm", config=CONF), RELOAD, journal=journal
            )
            assert states(result) == ["failed", "skipped"]
            assert result.results[0].error == "no room is left on its filesystem"
            names = samba_host.run(host, "ls", "-A", "/etc/samba").split()
            assert sorted(names) == ["filler", "smb.conf"]
        assert samba_host.run(host, "cat", CONF).encode() == old


@pytest.mark.parametrize("size", ["4k", "32k"])
def test_no_room_for_the_journal(host, size):
    """With no room at all it is an obstacle; with room for the journal and not for the old bytes the step fails."""
    big = conf(host) + b"# a long comment\n" * 4000
    (etc(host) / "smb.conf").write_bytes(big)
    state = "/var/lib/breakwater"
    with mounted(host, "mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", state, on=state):
        if size == "4k":
            fill(host, state)
        result = order(host, step(host, big + b"\n"), RELOAD)
        assert "skipped" in states(result)
        error = result.obstacle or result.results[0].error
        assert "no room is left on its filesystem" in error
        assert ("journal" in error) == (size == "4k")
        assert "j1.new" not in samba_host.run(host, "ls", "-AR", state)
    assert conf(host) == big
    only(host)


@pytest.mark.parametrize("where", ["/etc/samba", "/var/lib/breakwater"])
def test_read_only(host, where):
    before = conf(host)
    samba_host.run(host, "mount", "--bind", where, where)
    with mounted(host, "mount", "-o", "remount,ro,bind", where, on=where):
        planned = step(host, before + b"\n")
        result = order(host, planned, RELOAD)
        assert states(result)[-1] == "skipped"
        assert "read-only" in (result.obstacle or result.results[0].error)
        if where == "/etc/samba":
            assert states(order(host, planned, RELOAD, dry=True))[0] == "failed"
    assert conf(host) == before
    only(host)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_immutable(host, what):
    before = conf(host)
    path = etc(host) / "smb.conf" if what == "file" else etc(host)
    done = subprocess.run(["chattr", "+i", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs chattr +i: {done.stderr.strip()}")
    try:
        for apply in (APPLY, replaced(APPLY, "lsattr -d", "false")):
            result = order(host, step(host, before + b"\n"), RELOAD, apply=apply)
            assert states(result) == ["failed", "skipped"]
            assert "immutable" in result.results[0].error
            only(host)
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)
    assert conf(host) == before


def test_a_file_that_is_a_mount_of_its_own(host):
    """As containers have it: nothing can be renamed there."""
    before = conf(host)
    with mounted(host, "mount", "--bind", f"{etc(host)}/smb.conf", CONF, on=CONF):
        result = order(host, step(host, before + b"\n"), RELOAD)
        assert states(result) == ["failed", "skipped"]
        assert result.results[0].error == "Device or resource busy"
    assert conf(host) == before
    only(host)


@pytest.mark.parametrize(
    "line",
    ["interfaces = 203.0.113.7\n\tbind interfaces only = yes", "smb ports = 4455"],
    ids=["nothing to bind", "a port that is taken"],
)
def test_a_file_with_which_smbd_does_not_come_back(host, line):
    before = conf(host)
    taken = "import socket, sys\nfor family in (socket.AF_INET, socket.AF_INET6):\n    s = socket.socket(family)\n"
    taken += "    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
    taken += (
        "    s.bind(('', 4455)); s.listen(); globals()[str(family)] = s\nprint('ready', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [*host.enter(), "python3", "-c", taken], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdin is not None and other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            new = before.replace(b"= NT1", f"= NT1\n\t{line}".encode())
            impatient = replaced(APPLY, "bw_patience=15", "bw_patience=6")
            result = order(host, step(host, new), RESTART, apply=impatient)
        finally:
            other.stdin.close()
            other.wait(10)
    assert states(result) == ["undone", "failed"], result
    assert result.results[1].error.startswith("smbd did not come back: ")
    assert result.results[1].error.endswith("; it runs with the old configuration again")
    assert conf(host) == before
    assert "PONG" in samba_host.run(host, "smbcontrol", "smbd", "ping")
    only(host)


def test_what_was_restarted_before_goes_back_too(host):
    """nmbd never comes back with this; smbd, which did, serves what its file says again."""
    before = conf(host)
    new = before.replace(b"= NT1", b"= NT1\n\tsmb ports = 445\n\tdisable netbios = yes")
    nmbd = Step(10, "restart", "nmbd", config=CONF)
    result = order(host, step(host, new), RESTART, nmbd, apply=replaced(APPLY, "bw_patience=15", "bw_patience=6"))
    assert states(result) == ["undone", "undone", "failed"], result
    assert conf(host) == before
    samba_host.until(lambda: ":139 " in samba_host.run(host, "ss", "-Hltn"), 20)
    assert "PONG" in samba_host.run(host, "smbcontrol", "nmbd", "ping")
    assert any(
        letter.isalpha() for letter in result.results[2].error.partition("did not come back: ")[2].partition(";")[0]
    )


def test_a_restart_that_cannot_be_done_is_found_before_anything_is(host):
    before = conf(host)
    script = "/etc/init.d/smbd"
    text = samba_host.run(host, "cat", script)
    try:
        samba_host.run(host, "sh", "-c", f": >{script}")
        for dry in (True, False):
            result = order(host, step(host, before + b"\n"), RESTART, dry=dry)
            assert "no service manager here that knows smbd" in result.obstacle
        assert conf(host) == before
    finally:
        samba_host.run(host, "sh", "-c", f"cat >{script}", text=text)


def test_a_daemon_that_does_not_run_is_not_started(host):
    before = conf(host)
    nmbd, winbindd = Step(2, "restart", "winbindd", config=CONF), Step(3, "reload", "winbindd", config=CONF)
    result = order(host, step(host, before + b"\n"), nmbd, winbindd)
    assert states(result) == ["done", "already", "already"]
    assert "winbindd does not run" in result.results[1].error


def test_two_orders_at_once(host):
    planned = step(host, conf(host).replace(b"NT1", b"SMB2_10"))
    held = at_point("after-intended 1", f"while [ -e {host.directory}/held ]; do sleep 0.05; done")
    (host.directory / "held").touch()
    script = posix.build_apply(CORE, held, {}, Order("j1", (planned, RELOAD)), NONCE)
    with subprocess.Popen([*host.enter(), "/bin/sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdin is not None and first.stdout is not None
        first.stdin.write(script)
        first.stdin.close()
        lock = host.directory / "var-lib-breakwater" / "lock"
        samba_host.until(lock.is_symlink)
        result = order(host, planned, RELOAD, journal="j2")
        assert result.obstacle.startswith("another change is going on (process ")
        (host.directory / "held").unlink()
        assert first.stdout.read().count(b'"done') == 2
    assert b"SMB2_10" in conf(host)


def test_fstab_is_checked_by_findmnt(host, tmp_path):
    fstab = host.directory / "fstab"
    fstab.write_bytes(b"proc /proc proc defaults 0 0\n//nas/x /nowhere-at-all cifs vers=1.0 0 0\n")
    good = fstab.read_bytes().replace(b"vers=1.0", b"vers=3.1.1,seal")
    result = order(host, file_step(fstab, fstab.read_bytes(), good, check="findmnt"))
    assert states(result) == ["done"], result  # the mount point was missing before, too
    bad = good.replace(b" cifs ", b" nosuchfs ") + b"only two\n"
    result = order(host, file_step(fstab, good, bad, check="findmnt"), journal="j2")
    assert states(result) == ["failed"]
    assert "findmnt does not accept it" in result.results[0].error
    assert fstab.read_bytes() == good


def test_the_registry(running):
    """Values are arguments, sections that were made go again, and nothing is left of hostile names."""
    net = ["sh", "-c", 'printf "[global]\\n\\tconfig backend = registry\\n" >/tmp/breakwater-registry.conf']
    samba_host.run(running, "mount", "-t", "tmpfs", "tmpfs", "/tmp")
    try:
        samba_host.run(running, *net)
        config = "/tmp/breakwater-registry.conf"
        conf_list = ["net", f"--configfile={config}", "conf", "list"]
        samba_host.run(
            running, "net", f"--configfile={config}", "conf", "setparm", "global", "server min protocol", "NT1"
        )
        samba_host.run(running, "net", f"--configfile={config}", "conf", "setparm", "scans", "path", "/srv/scans")
        before = samba_host.run(running, *conf_list)

        def one(number: int, section: str, name: str, old: Native, new: Native) -> Step:
            return Step(number, "netconf", section, name, before=old, after=new, config=config)

        def text(value: str) -> Native:
            return Native("text", value)

        evil = "-x $(touch /PWNED) `id` 'q' \"q\""
        steps = (
            one(1, "global", "server min protocol", text("NT1"), text("SMB2_10")),
            one(2, "global", "restrict anonymous", ABSENT, text("2")),
            one(3, evil, "path", ABSENT, text("/srv/" + evil)),
            one(4, evil, "comment", ABSENT, text(evil + " \\")),
            one(5, "scans", "path", text("/srv/scans"), ABSENT),
        )
        dry = order(running, *steps, dry=True)
        assert states(dry) == ["planned"] * 5
        assert [one.before for one in dry.results] == [step.before for step in steps]
        assert states(order(running, *steps)) == ["done"] * 5
        assert states(order(running, *steps)) == ["already"] * 5
        after = samba_host.run(running, *conf_list)
        assert "server min protocol = SMB2_10" in after and f"comment = {evil}" in after
        assert states(order(running, *back(steps, "j1"), journal="j2")) == ["done"] * 5
        restored = samba_host.run(running, *conf_list)
        assert sorted(restored.split("\n")) == sorted(before.split("\n"))
        wrong = one(1, "global", "server min protocol", text("NT1"), text("SMB99"))
        result = order(running, wrong, journal="j3")
        assert states(result) == ["failed"]
        assert "SMB99" in result.results[0].error
        assert samba_host.run(running, *conf_list) == restored
        changed = one(1, "global", "server min protocol", text("SMB3"), text("SMB2_10"))
        result = order(running, changed, journal="j4")
        assert (states(result), result.results[0].before) == (["refused"], text("NT1"))
    finally:
        samba_host.run(running, "umount", "/tmp")


def test_the_collector_follows_in_the_same_answer(host):
    sent = Order("j1", (step(host, conf(host).replace(b"NT1", b"SMB3_00")), RELOAD))
    collected = answer(run(catalogue.apply_script("unix", sent, NONCE), host.enter()))
    assert states(applied(collected, sent)) == ["done", "done"]
    assert collected.records[0].id == "apply.host"
    assert "server min protocol = SMB3_00" in collected.get("samba.testparm").out
