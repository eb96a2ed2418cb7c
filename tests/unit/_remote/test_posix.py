# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import GarbledAnswer
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.execution import PrivilegeRefused
from tests.lab.shells import SHELLS, needs, require

CORE = (pathlib.Path(posix.__file__).parent / "core.sh").read_text(encoding="utf-8")
AWKS = {"mawk": "mawk", "gawk": "gawk", "original-awk": "original-awk", "busybox awk": "busybox"}
WEIRD = b'a\x00b\x02\tc\\ "q" \xe9\xff\r\nsecond\x1b[31m\x7f \xc3\xa9 {{ 7 * 7 }} $(id) `id`\nlast'
SECTION = """
bw_collect_test() {
bw_run hello echo 'he"l\\lo {{ x }}'
bw_run both sh -c 'echo out; echo "e\\"rr" >&2; exit 3'
bw_seconds=1
bw_run slow sh -c 'echo early; sleep 30'
bw_seconds=20
bw_file missing /nonexistent/file
bw_file weird WEIRD
bw_run absent no-such-command-here x
bw_bytes=1000
bw_run long seq 1 100000
bw_run eats cat
bw_text text label 'a  b
c'
}
"""


def answer(shell, tmp_path, environment=None, core=CORE):
    weird = tmp_path / "weird"
    weird.write_bytes(WEIRD)
    script = posix.build_script(core, {"test": SECTION.replace("WEIRD", str(weird))}, "n0")
    done = subprocess.run([*shell, "-s"], input=script, capture_output=True, env=environment, check=False)
    assert done.stderr == b""
    return posix.read_answer(done.stdout.decode("utf-8", "surrogateescape"), "", done.returncode, "n0")


def check(collected):
    assert collected.uid == str(os.geteuid())
    assert collected.get("hello").out == 'he"l\\lo {{ x }}'
    both = collected.get("both")
    assert (both.out, both.err, both.rc) == ("out", 'e"rr', 3)
    slow = collected.get("slow")
    assert (slow.out, slow.rc) == ("early", 124)
    assert "no answer in time" in slow.unreadable
    assert collected.get("missing").rc == 1
    assert "No such file" in collected.get("missing").unreadable
    assert collected.get("weird").out == WEIRD.decode("utf-8", "surrogateescape")
    assert collected.get("absent").unreadable == "no-such-command-here x: not installed"
    assert collected.get("long").truncated
    assert len(collected.get("long").out) <= 1000
    assert collected.get("eats").out == ""  # a child that reads standard input does not eat the script
    assert collected.get("text").out == "a  b\nc"


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_gives_the_same_answer(name, tmp_path):
    check(answer(require(name), tmp_path))


@pytest.mark.parametrize("name", AWKS)
def test_every_awk_gives_the_same_answer(name, tmp_path):
    needs(AWKS[name])
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "awk").write_text(f'#!/bin/sh\nexec {name} "$@"\n', encoding="ascii")
    (folder / "awk").chmod(0o755)
    check(answer(["sh"], tmp_path, {"PATH": f"{folder}:{os.environ['PATH']}"}))


def test_without_the_timeout_command(tmp_path):
    core = CORE.replace("if timeout -k 1 5 true 2>/dev/null; then", "if false; then")
    assert core != CORE
    collected = answer(["sh"], tmp_path, core=core)
    assert (collected.get("slow").out, collected.get("slow").rc) == ("early", 124)
    assert collected.get("both").rc == 3


def test_hostile_environment(tmp_path):
    trap = tmp_path / "env.sh"
    trap.write_text("echo NOISE; alias printf=false; IFS=x\n", encoding="ascii")
    environment = {
        "PATH": os.environ["PATH"],
        "ENV": str(trap),
        "BASH_ENV": str(trap),
        "LC_ALL": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "POSIXLY_CORRECT": "1",
        "CDPATH": "/tmp",
    }
    check(answer(["sh"], tmp_path, environment))


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
def test_a_script_that_was_cut_off_does_nothing(cut, tmp_path):
    marker = tmp_path / "ran"
    section = f"\nbw_collect_test() {{\nbw_run x touch {marker}\n}}\n"
    script = posix.build_script(CORE, {"test": section}, "n0")
    done = subprocess.run(["sh", "-s"], input=script[: int(len(script) * cut)], capture_output=True, check=False)
    assert b"begin@@" not in done.stdout
    assert not marker.exists()


def test_the_script_is_small():
    size = len(catalogue.collector("0123456789abcdef"))
    print(f"collector: {size} bytes")
    assert size < 32_000


WHOLE = '@@breakwater n0 begin@@\n{"schema":"breakwater/collected/1","uid":"0","shell":"sh","records":[]}\n@@breakwater n0 end@@\n'


@pytest.mark.parametrize("text", ["Welcome!\n*****\n" + WHOLE + "bye", "motd " + WHOLE, WHOLE.replace("\n", "\r\n")])
def test_a_banner_around_the_answer_is_normal(text):
    assert posix.read_answer(text, "noise", 0, "n0").uid == "0"


@pytest.mark.parametrize(
    ("stdout", "stderr", "rc", "kind", "words"),
    [
        ("", "sudo: a password is required", 1, PrivilegeRefused, "sudo wants a password"),
        ("", "bob is not in the sudoers file.", 1, PrivilegeRefused, "may not use sudo"),
        ("", "sudo: sorry, you must have a tty to run sudo", 1, PrivilegeRefused, "requiretty"),
        ("", "su: Authentication failure", 1, PrivilegeRefused, "su refused"),
        ("This account is currently not available.", "", 1, GarbledAnswer, "no login shell"),
        ("", "'/bin/sh' is not recognized as an internal or external command", 1, GarbledAnswer, "Windows shell"),
        ("", "", 0, GarbledAnswer, "exit code 0, nothing"),
        ("\x1b[31mbanner {{ evil }}\x00", "", 0, GarbledAnswer, "\\x1b[31mbanner"),
        (WHOLE[:60], "", 0, GarbledAnswer, "cut off"),
        (WHOLE.replace('"records":[]', '"records":[{]'), "", 0, GarbledAnswer, "cannot be read"),
        (WHOLE.replace("collected/1", "collected/9"), "", 0, GarbledAnswer, "collected/9"),
        (WHOLE.replace('"records":[]', '"records":[{"id":1}]'), "", 0, GarbledAnswer, "cannot be read"),
        (WHOLE.replace("n0", "other"), "", 0, GarbledAnswer, "did not run"),
    ],
)
def test_what_is_no_answer(stdout, stderr, rc, kind, words):
    with pytest.raises(kind) as caught:
        posix.read_answer(stdout, stderr, rc, "n0")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
