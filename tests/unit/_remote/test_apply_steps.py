# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How steps become data of a script for Unix: nothing hostile is taken, and nothing that is taken can run."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix, posix_steps
from tests.lab.interpreter import APPLY, CORE, NONCE, file_step

SUM = Native("sha256", "0" * 64)
MODE = Native("mode", "0644 0 0")
TEXT = Native("text", "x")
UNIT = Native("unit", "enabled running")
GOOD = [
    Step(1, "file", "/a", before=SUM, after=SUM, content="x"),
    Step(1, "file", "/a", before=ABSENT, after=SUM, original="20261125T060000Z-abcd/3"),
    Step(1, "file", "/a", before=SUM, after=ABSENT),
    Step(1, "mode", "/a b'\n", before=MODE, after=MODE),
    Step(1, "netconf", "a b\n", "c : d", before=ABSENT, after=TEXT, config="/etc/samba/smb.conf"),
    Step(1, "unit", "nmbd", before=UNIT, after=UNIT),
    Step(1, "reload", "smbd", config="/etc/samba/smb.conf"),
    Step(1, "restart", "smbd"),
]
BAD = {
    "a kind of Windows": Step(1, "registry", "SYSTEM", "x", before=ABSENT, after=ABSENT),
    "no path": Step(1, "file", "etc/passwd", before=SUM, after=ABSENT),
    "a directory": Step(1, "file", "/etc/", before=SUM, after=ABSENT),
    "NUL in a path": Step(1, "file", "/etc/\0", before=SUM, after=ABSENT),
    "a file with a name": Step(1, "file", "/etc/x", "y", before=SUM, after=ABSENT),
    "no checksum": Step(1, "file", "/a", before=Native("sha256", "XYZ"), after=ABSENT),
    "a file holds no text": Step(1, "file", "/a", before=TEXT, after=ABSENT),
    "a file of nothing": Step(1, "file", "/a", before=SUM, after=SUM),
    "a validator that nobody knows": Step(1, "file", "/a", before=SUM, after=ABSENT, check="sh -c id"),
    "a configuration that is no path": Step(1, "file", "/a", before=SUM, after=ABSENT, config="-s x"),
    "old bytes elsewhere": Step(1, "file", "/a", before=SUM, after=SUM, original="../../etc/shadow"),
    "a mode in words": Step(1, "mode", "/a", before=MODE, after=Native("mode", "u+s 0 0")),
    "a mode of nothing": Step(1, "mode", "/a", before=ABSENT, after=MODE),
    "an owner by name": Step(1, "mode", "/a", before=MODE, after=Native("mode", "0644 root root")),
    "no section": Step(1, "netconf", "", "x", before=ABSENT, after=TEXT),
    "no parameter": Step(1, "netconf", "global", "", before=ABSENT, after=TEXT),
    "two lines": Step(1, "netconf", "global", "x", before=ABSENT, after=Native("text", "a\nb")),
    "an option for a unit": Step(1, "unit", "--now", before=UNIT, after=UNIT),
    "a unit that is half": Step(1, "unit", "nmbd", before=UNIT, after=Native("unit", "enabled")),
    "any command": Step(1, "restart", "sshd; reboot"),
    "another service": Step(1, "restart", "sshd"),
}


@pytest.mark.parametrize("step", GOOD, ids=lambda step: f"{step.kind} {step.before.type} {step.after.type}")
def test_what_is_a_step(step):
    assert posix_steps.functions(Order("j1", (step,)))


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_step(what):
    with pytest.raises(ValueError, match="step 1: "):
        posix_steps.functions(Order("j1", (BAD[what],)))


@pytest.mark.parametrize("journal", ["", "a/b", "..", "a b", "x" * 65, "a\n", "$(id)", "-x"])
def test_what_is_no_journal(journal):
    with pytest.raises(ValueError, match="no id of a journal"):
        posix_steps.functions(Order(journal, ()))
    with pytest.raises(ValueError, match="no id of a journal"):
        posix.build_confirm(CORE, APPLY, journal, NONCE)


def decoded(field: str) -> bytes:
    return subprocess.run(["sh", "-c", f"printf '%b' '{field}'"], capture_output=True, check=True).stdout


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60))
def test_a_field_is_plain_and_comes_back(text):
    field = posix_steps.encoded(text)
    assert re.fullmatch(r"[A-Za-z0-9_./:=@,+*\\-]*", field)
    assert decoded(field) == text.encode()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_content_comes_back_and_holds_no_quote(data):
    lines = list(posix_steps.content("1", data))
    body = "\n".join(lines)
    assert body.isascii()
    assert body.count("'") % 4 == 0  # only those around the format and the text
    done = subprocess.run(["sh", "-s"], input=f"{body}\nbw_content_1\n".encode(), capture_output=True, check=True)
    assert done.stdout == data


def test_every_byte_comes_back_across_the_pieces_of_a_long_text():
    data = bytes(range(256)) * 300
    body = "\n".join(posix_steps.content("1", data))
    assert max(map(len, body.split("printf"))) < 100_000  # an argument may have 128 KB where printf is no builtin
    done = subprocess.run(["sh", "-s"], input=f"{body}\nbw_content_1\n".encode(), capture_output=True, check=True)
    assert done.stdout == data


def test_stripping_comments_does_not_touch_data():
    text = b"# a comment\n\n   indented\n\t# another\n\n"
    script = posix.build_apply(CORE, APPLY, {}, Order("j1", (file_step("/a", None, text),)), NONCE)
    assert text in script


def test_a_dry_order_carries_no_text_and_no_undo():
    step = file_step("/a", None, b"xylophone", risky=True)
    undo = (file_step("/a", b"xylophone", None),)
    script = posix.build_apply(CORE, APPLY, {}, Order("j1", (step,), undo=undo, dry=True), NONCE)
    assert b"xylophone" not in script
    assert b"bw_content_undo() {" not in script
    assert b"bw_o_undo=\n" in script


def test_a_script_that_is_too_long():
    step = file_step("/a", None, b"\xff" * (posix.MAX_APPLY // 5))
    with pytest.raises(ValueError, match="too many to send at once"):
        posix.build_apply(CORE, APPLY, {}, Order("j1", (step,)), NONCE)


def test_a_mode_of_three_digits_is_one_of_four():
    step = Step(1, "mode", "/a", before=Native("mode", "644 0 0"), after=MODE)
    line = posix_steps.functions(Order("j1", (step,)))[2]
    assert line.count(r"'0644\00400\00400'") == 2
