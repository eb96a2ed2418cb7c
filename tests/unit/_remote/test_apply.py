# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interpreter of steps for Unix, under every shell: files and modes, wholly or not at all, and nothing hostile runs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
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
    with_state,
)
from tests.lab.shells import SHELLS, needs, require

OWNER = f"{os.getuid()} {os.getgid()}"
ODD = b"[global]\r\n\tx = \xe9\xff\x81\x88 'q' $(touch PWNED) `touch PWNED` \\ \"z\"\n%s %d \\n\n\n \x01 \x1b[31m\nlast, no newline"
HOSTILE = "a $(touch PWNED) `touch PWNED` 'b' \"c\" \\ ;& \xe9\n-x"


@pytest.fixture(params=SHELLS)
def shell(request):
    return require(request.param)


@pytest.fixture
def interpreter(tmp_path):
    return with_state(tmp_path / "state")


def left(folder):
    """Names of what lies in a directory, but for the state directory."""
    return sorted(path.name for path in folder.iterdir() if path.name != "state")


def journal(folder, name="j1"):
    lines = (folder / "state" / name / "journal").read_text(encoding="utf-8").splitlines()
    return [line.split(" ", 1)[1] for line in lines]


def test_a_file_is_replaced_byte_by_byte_and_an_undo_puts_it_back(shell, interpreter, tmp_path):
    path = tmp_path / HOSTILE
    path.write_bytes(b"old\r\n\xff")
    path.chmod(0o640)
    steps = (file_step(path, b"old\r\n\xff", ODD),)
    result = send(Order("j1", steps), apply=interpreter, shell=shell)
    assert states(result) == ["done"]
    assert (result.results[0].before, result.results[0].after) == (sha256(b"old\r\n\xff"), sha256(ODD))
    assert path.read_bytes() == ODD
    assert path.stat().st_mode & 0o7777 == 0o640
    assert states(send(Order("j2", back(steps, "j1")), apply=interpreter, shell=shell)) == ["done"]
    assert path.read_bytes() == b"old\r\n\xff"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert left(tmp_path) == [HOSTILE]
    assert [line.split()[0] for line in journal(tmp_path)] == ["begin", "intended", "done"]
    assert not pathlib.Path("/PWNED").exists()


def test_everything_kept_on_the_host_is_its_owners_business_alone(shell, interpreter, tmp_path):
    (tmp_path / "state").mkdir(mode=0o755)
    path = tmp_path / "f"
    path.write_bytes(b"old")
    send(Order("j1", (file_step(path, b"old", b"new"),)), apply=interpreter, shell=shell)
    kept = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
    assert len(kept) > 4
    assert [str(one) for one in kept if one.lstat().st_mode & 0o077] == []
    assert (tmp_path / "state" / "j1" / "1").read_bytes() == b"old"
    assert not (tmp_path / "state" / "lock").is_symlink()


def test_three_thousand_shares(shell, interpreter, tmp_path):
    old = b"".join(
        b"[share%d]\n\tpath = /srv/%d\n\tguest ok = yes\n\t# a comment that somebody wrote\n" % (n, n)
        for n in range(3000)
    )
    new = old.replace(b"yes", b"no")
    path = tmp_path / "smb.conf"
    path.write_bytes(old)
    assert len(old) > 200_000
    started = time.monotonic()
    assert states(send(Order("j1", (file_step(path, old, new),)), apply=interpreter, shell=shell)) == ["done"]
    assert path.read_bytes() == new
    assert time.monotonic() - started < 10


def test_a_file_that_is_not_there_is_made_and_removed(shell, interpreter, tmp_path):
    steps = (
        file_step(tmp_path / "new", None, b"x\n"),
        Step(
            2,
            "mode",
            str(tmp_path / "new"),
            before=Native("mode", f"0644 {OWNER}"),
            after=Native("mode", f"0600 {OWNER}"),
        ),
    )
    dry = send(Order("j1", steps, dry=True), apply=interpreter, shell=shell)
    assert states(dry) == ["planned", "planned"]
    assert dry.results[0].before == ABSENT
    assert states(send(Order("j1", steps), apply=interpreter, shell=shell)) == ["done", "done"]
    assert (tmp_path / "new").read_bytes() == b"x\n"
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o600
    assert states(send(Order("j2", back(steps, "j1")), apply=interpreter, shell=shell)) == ["done", "done"]
    assert left(tmp_path) == []


def test_a_file_that_was_removed_comes_back_with_mode_and_owner(shell, interpreter, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    (tmp_path / "f").chmod(0o2604)
    steps = (file_step(tmp_path / "f", b"old", None),)
    assert states(send(Order("j1", steps), apply=interpreter, shell=shell)) == ["done"]
    assert left(tmp_path) == []
    assert states(send(Order("j2", back(steps, "j1")), apply=interpreter, shell=shell)) == ["done"]
    assert (tmp_path / "f").read_bytes() == b"old"
    assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o2604


def test_modes(shell, interpreter, tmp_path):
    (tmp_path / "f").write_bytes(b"")
    (tmp_path / "d").mkdir(mode=0o755)
    (tmp_path / "f").chmod(0o666)
    (tmp_path / "d").chmod(0o1777)
    steps = (
        Step(
            1,
            "mode",
            str(tmp_path / "f"),
            before=Native("mode", f"0666 {OWNER}"),
            after=Native("mode", f"0640 {OWNER}"),
        ),
        Step(
            2,
            "mode",
            str(tmp_path / "d"),
            before=Native("mode", f"1777 {OWNER}"),
            after=Native("mode", f"2750 {OWNER}"),
        ),
    )
    result = send(Order("j1", steps), apply=interpreter, shell=shell)
    assert states(result) == ["done", "done"], result
    assert [(tmp_path / name).stat().st_mode & 0o7777 for name in "fd"] == [0o640, 0o2750]
    assert states(send(Order("j2", back(steps, "j1")), apply=interpreter, shell=shell)) == ["done", "done"]
    assert [(tmp_path / name).stat().st_mode & 0o7777 for name in "fd"] == [0o666, 0o1777]


def test_when_one_thing_is_not_as_expected_nothing_is_done(shell, interpreter, tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(b"old")
    (tmp_path / "b").write_bytes(b"somebody else's")
    (tmp_path / "c").write_bytes(b"new")
    steps = tuple(file_step(tmp_path / name, b"old", b"new", number) for number, name in enumerate("abc", 1))
    for dry, first in ((True, "planned"), (False, "skipped")):
        result = send(Order("j1", steps, dry=dry), apply=interpreter, shell=shell)
        assert states(result) == [first, "refused", "already"]
        assert result.results[1].before == sha256(b"somebody else's")
        assert result.results[0].before == sha256(b"old")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert not (tmp_path / "state" / "j1").exists()  # what did nothing takes no place among the journals


def test_dry_touches_nothing(shell, interpreter, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    before = tmp_path.stat().st_mtime_ns
    assert states(
        send(Order("j1", (file_step(tmp_path / "f", b"old", b"new"),), dry=True), apply=interpreter, shell=shell)
    ) == ["planned"]
    assert tmp_path.stat().st_mtime_ns == before
    assert left(tmp_path) == ["f"]
    assert not (tmp_path / "state").exists()


def test_the_same_order_again_finds_it_done(shell, interpreter, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    order = Order("j1", (file_step(tmp_path / "f", b"old", b"new"),))
    assert states(send(order, apply=interpreter, shell=shell)) == ["done"]
    assert states(send(order, apply=interpreter, shell=shell)) == ["already"]
    assert (tmp_path / "state" / "j1" / "1").read_bytes() == b"old"


def test_one_thing_twice_in_an_order(shell, interpreter, tmp_path):
    (tmp_path / "f").write_bytes(b"one")
    steps = (file_step(tmp_path / "f", b"one", b"two"), file_step(tmp_path / "f", b"two", b"three", 2))
    assert states(send(Order("j1", steps), apply=interpreter, shell=shell)) == ["done", "done"]
    assert (tmp_path / "f").read_bytes() == b"three"
    assert states(send(Order("j2", back(steps, "j1")), apply=interpreter, shell=shell)) == ["done", "done"]
    assert (tmp_path / "f").read_bytes() == b"one"


def test_links_are_followed_and_stay(shell, interpreter, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "smb.conf").write_bytes(b"old")
    (tmp_path / "middle").symlink_to("real/smb.conf")
    (tmp_path / "link").symlink_to(tmp_path / "middle")
    no_readlink = replaced(interpreter, 'readlink -f "$1"', "false")
    for text, old, new in ((interpreter, b"old", b"new"), (no_readlink, b"new", b"newer")):
        assert states(send(Order("j1", (file_step(tmp_path / "link", old, new),)), apply=text, shell=shell)) == ["done"]
        assert (tmp_path / "real" / "smb.conf").read_bytes() == new
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "middle").is_symlink()
        assert left(tmp_path / "real") == ["smb.conf"]


@pytest.mark.parametrize("what", ["dangling", "directory", "fifo", "nowhere"])
def test_what_is_no_file_to_replace(what, shell, interpreter, tmp_path):
    path = tmp_path / "f"
    words = {
        "dangling": "leads nowhere",
        "directory": "no regular file",
        "fifo": "no regular file",
        "nowhere": "no such directory",
    }
    if what == "dangling":
        path.symlink_to("gone")
    elif what == "directory":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    else:
        path = tmp_path / "no" / "such" / "f"
    result = send(Order("j1", (file_step(path, None, b"new"),)), apply=interpreter, shell=shell)
    assert states(result) == ["failed"]
    assert words[what] in result.results[0].error


def test_somebody_changes_it_while_it_is_changed(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    for point in ("after-preflight", "after-intended 1", "after-original 1", "after-write 1"):
        path.write_bytes(b"old")
        text = at_point(point, f"printf 'theirs' >'{path}'", interpreter)
        result = send(Order("j1", (file_step(path, b"old", b"new"),)), apply=text, shell=shell)
        assert states(result) == ["failed"], point
        assert "somebody changed it" in result.results[0].error, point
        assert path.read_bytes() == b"theirs", point
        assert left(tmp_path) == ["f"], point


def test_a_text_that_does_not_arrive_whole_is_not_put_there(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    step = file_step(path, b"old", b"new", after=sha256(b"other"))
    result = send(Order("j1", (step,)), apply=interpreter, shell=shell)
    assert (states(result), result.results[0].error) == (["failed"], "the new text did not arrive whole")
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["f"]


def test_old_bytes_that_are_not_kept_any_more(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"new")
    (step,) = back((file_step(path, b"old", b"new"),), "j1")
    result = send(Order("j2", (step,)), apply=interpreter, shell=shell)
    assert states(result) == ["failed"]
    assert "not kept here" in result.results[0].error
    (tmp_path / "state" / "j1").mkdir(parents=True)
    (tmp_path / "state" / "j1" / "1").write_bytes(b"tampered with")
    assert states(send(Order("j2", (step,)), apply=interpreter, shell=shell)) == ["failed"]
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.97, 0.999])
def test_an_order_that_was_cut_off_does_nothing(cut, shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    script = posix.build_apply(CORE, interpreter, {}, Order("j1", (file_step(path, b"old", b"new" * 3000),)), NONCE)
    done = run(script[: int(len(script) * cut)], shell=shell)
    assert b"begin@@" not in done.stdout
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["f"]
    assert not (tmp_path / "state").exists()


def test_a_connection_that_breaks_does_not_stop_it(shell, interpreter, tmp_path):
    """Nobody reads the answer any more, and the session hangs up."""
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(b"old")
    waits = tmp_path / "state" / "waits"
    hangup = f"touch '{waits}'; while [ -e '{waits}' ]; do sleep 0.05; done; kill -HUP $$; kill -PIPE $$; kill -TERM $$"
    text = at_point("after-intended 1", hangup, interpreter)
    order = Order("j1", tuple(file_step(path, b"old", b"new", number) for number, path in enumerate(paths, 1)))
    script = posix.build_apply(CORE, text, {}, order, NONCE)
    with subprocess.Popen(
        [*shell, "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(script)
        process.stdin.close()
        while not waits.exists():
            time.sleep(0.02)
        process.stdout.close()
        process.stderr.close()
        waits.unlink()
        process.wait(30)
    assert [path.read_bytes() for path in paths] == [b"new"] * 3
    assert journal(tmp_path)[-1].startswith("done 3 ")
    assert left(tmp_path) == ["a", "b", "c"]
    assert not (tmp_path / "state" / "lock").is_symlink()


def test_a_lock_whose_process_is_gone_holds_nothing(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    (tmp_path / "state").mkdir()
    killed = at_point("after-write 1", "kill -9 $$", interpreter)
    order = Order("j1", (file_step(path, b"old", b"new"),))
    run(posix.build_apply(CORE, killed, {}, order, NONCE), shell=shell)
    assert (tmp_path / "state" / "lock").is_symlink()
    assert len(left(tmp_path)) == 2  # the temporary file
    dry = send(Order("j2", order.steps, dry=True), apply=interpreter, shell=shell)
    assert (states(dry), dry.obstacle) == (["planned"], "")
    assert states(send(Order("j2", order.steps), apply=interpreter, shell=shell)) == ["done"]
    assert left(tmp_path) == ["f"]
    assert sorted(one.name for one in (tmp_path / "state").iterdir()) == ["j1", "j2"]


def test_a_living_process_of_the_same_number_is_another_one(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lock").symlink_to(f"{os.getpid()}_12345_2026-01-01T00:00:00Z_{'0' * 32}")
    assert states(send(Order("j1", (file_step(path, b"old", b"new"),)), apply=interpreter, shell=shell)) == ["done"]


def test_two_at_once(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    held = at_point(
        "after-intended 1",
        f"touch '{tmp_path}/waits'; while [ -e '{tmp_path}/waits' ]; do sleep 0.05; done",
        interpreter,
    )
    order = Order("j1", (file_step(path, b"old", b"new"),))
    script = posix.build_apply(CORE, held, {}, order, NONCE)
    with subprocess.Popen([*shell, "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(script)
        process.stdin.close()
        while not (tmp_path / "waits").exists():
            time.sleep(0.02)
        for dry in (False, True):
            other = send(Order("j2", order.steps, dry=dry), apply=interpreter, shell=shell)
            assert other.obstacle.startswith("another change is going on (process ")
            assert "since 20" in other.obstacle
            assert states(other) == ["skipped"]
        assert path.read_bytes() == b"old"
        (tmp_path / "waits").unlink()
        assert b'"done' in process.stdout.read()
    assert path.read_bytes() == b"new"


def test_only_the_newest_journals_are_kept(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"0")
    for number in range(1, 6):
        step = file_step(path, b"%d" % (number - 1), b"%d" % number)
        assert states(send(Order(f"j{number}", (step,), keep=3), apply=interpreter, shell=shell)) == ["done"]
    assert sorted(one.name for one in (tmp_path / "state").iterdir()) == ["j3", "j4", "j5"]


def test_the_state_directory_must_be_ours(shell, interpreter, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to("elsewhere")
    result = send(Order("j1", (file_step(path, b"old", b"new"),)), apply=interpreter, shell=shell)
    assert "it belongs to somebody else, or is a link" in result.obstacle
    assert states(result) == ["skipped"]
    assert path.read_bytes() == b"old"


HASHERS = {"shasum": "perl", "openssl": "openssl", "sha256": None, "none": None}


@pytest.mark.parametrize("name", HASHERS)
def test_tools_for_checksums(name, shell, interpreter, tmp_path):
    if HASHERS[name]:
        needs(name, HASHERS[name])
    path = tmp_path / "f"
    path.write_bytes(b"old")
    others = [one for one in ("sha256sum", "shasum", "sha256", "openssl") if one != name]
    text = interpreter
    if name == "sha256":  # of the BSDs
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "sha256").write_text("#!/bin/sh\nsha256sum | cut -d ' ' -f 1\n", encoding="ascii")
        (folder / "sha256").chmod(0o755)
        text = f"PATH='{folder}':$PATH\n{text}"
    text += f'\nbw_has() {{\ncase $1 in {" | ".join(others)}) return 1 ;; esac\ncommand -v "$1" >/dev/null 2>&1\n}}\n'
    result = send(Order("j1", (file_step(path, b"old", b"new"),)), apply=text, shell=shell)
    if name == "none":
        assert "no tool for SHA-256" in result.obstacle
        assert path.read_bytes() == b"old"
    else:
        assert states(result) == ["done"]


def test_with_the_tools_of_busybox(interpreter, tmp_path):
    """As on Alpine: every tool that is asked is an applet."""
    needs("busybox")
    folder = tmp_path / "bin"
    folder.mkdir()
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True)
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o640)
    prefix = ["env", f"PATH={folder}"]
    steps = (file_step(path, b"old", ODD), file_step(tmp_path / "new", None, b"x", 2))
    for journal_id, order in (("j1", steps), ("j2", back(steps, "j1"))):
        result = send(Order(journal_id, order), prefix, interpreter, [str(folder / "sh")])
        assert states(result) == ["done", "done"], result
        assert path.stat().st_mode & 0o7777 == 0o640
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["bin", "f"]


def test_hostile_environment(interpreter, tmp_path):
    trap = tmp_path / "env.sh"
    trap.write_text("echo NOISE; alias printf=false; IFS=x\n", encoding="ascii")
    path = tmp_path / "f"
    path.write_bytes(b"old")
    environment = {
        "PATH": os.environ["PATH"],
        "ENV": str(trap),
        "BASH_ENV": str(trap),
        "LC_ALL": "de_DE.UTF-8",
        "CDPATH": "/tmp",
    }
    script = posix.build_apply(CORE, interpreter, {}, Order("j1", (file_step(path, b"old", ODD),)), NONCE)
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, env=environment, check=False)
    record = answer(done).get("apply.step")
    assert record.out.startswith("done\n"), done
    assert path.read_bytes() == ODD


def test_without_ansible_or_python_it_stays_small(interpreter):
    """The interpreter beside the collector; an armed undo brings it once more, as data."""
    order = Order("j1", (file_step("/etc/samba/smb.conf", b"old", b"new"),))
    size = len(posix.build_apply(CORE, interpreter, {}, order, NONCE))
    print(f"interpreter: {size} bytes")
    assert size < 48_000


def test_the_interpreter_is_the_one_that_ships():
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue

    order = Order("j1", ())
    script = catalogue.apply_script("unix", order, NONCE)
    assert script.startswith(posix.build_apply(CORE, APPLY, {}, order, NONCE).partition(b"bw_o_journal=")[0][:20_000])
    assert script.endswith(b"bw_main 0123456789abcdef apply host samba end\n")
    assert catalogue.confirm_script("unix", "j1", NONCE).endswith(b"bw_main 0123456789abcdef confirm end\n")
