# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders as lines of data for the interpreter on Windows hosts."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    ABSENT,
    NO_STATE,
    Native,
    Order,
    Step,
    Twin,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows, windows_steps

KEY = r"SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters"


def lines(*steps, undo=()):
    return windows_steps.lines(Order("20261125T060300Z-ab12", steps, undo, seconds=90, dry=True, keep=7))


def test_an_order_is_a_head_its_steps_and_its_undo():
    step = Step(3, "registry", KEY, "SMB1", ABSENT, Native("dword", 0), risky=True)
    undo = Step(1, "registry", KEY, "SMB1", Native("dword", 0), ABSENT)
    other = Step(2, "registry", KEY, "SMB1", Native("dword", 1), ABSENT)
    assert lines(step, undo=[undo, other]) == [
        "O 20261125T060300Z-ab12|90|1|7",
        r"S 3|registry|~S\Services\LanmanServer\Parameters|SMB1|absent||dword|0|r",
        "V 1 3",
        r"U 2|registry|~S\Services\LanmanServer\Parameters|SMB1|dword|1|absent||",
    ]


def test_the_twin_and_the_mark_of_an_inverse_follow():
    step = Step(
        1,
        "server_property",
        "",
        "EncryptData",
        Native("boolean", False),
        Native("boolean", True),
        original="first/1",
        twin=Twin(KEY, "EncryptData", Native("multi_sz", ["a", ""])),
    )
    assert lines(step)[1] == (
        r"S 1|server_property||EncryptData|boolean|false|boolean|true|i|~S\Services\LanmanServer\Parameters|EncryptData|multi_sz|a,,"
    )


def test_the_inverse_of_a_property_is_one_only_with_its_twin_put_back():
    false, true = Native("boolean", False), Native("boolean", True)
    step = Step(7, "client_property", "", "EncryptData", false, true, twin=Twin(KEY, "EncryptData"))
    back = Step(1, "client_property", "", "EncryptData", true, false, twin=Twin(KEY, "EncryptData"), original="first/7")
    forward = Step(1, "client_property", "", "EncryptData", true, false, twin=Twin(KEY, "EncryptData"))
    assert lines(step, undo=[back])[2] == "V 1 7"
    assert lines(step, undo=[forward])[2].startswith("U 1|client_property||EncryptData|boolean|true|boolean|false||~S")


def test_what_only_other_kinds_need_is_not_sent():
    interpreter = "$a\n# Kinds: registry service\n$b\n# Kinds: right\n$c\n# Kinds: all\n$d"
    step = Step(1, "registry", KEY, "SMB1", ABSENT, Native("dword", 0))
    sent = windows.build_apply("", interpreter, {}, windows.Addresses(), Order("first", (step,)), "n0")
    assert base64.b64decode(sent).decode().splitlines()[:3] == ["$a", "$b", "$d"]
    undo = Step(1, "right", "SeX", "", Native("list", []), Native("list", []))
    sent = windows.build_apply("", interpreter, {}, windows.Addresses(), Order("first", (step,), (undo,)), "n0")
    assert base64.b64decode(sent).decode().splitlines()[:4] == ["$a", "$b", "$c", "$d"]


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=30))
def test_every_text_is_one_line_of_plain_ascii_and_comes_back(text):
    coded = windows_steps.encoded(text)
    assert re.fullmatch(r"[ -~]*", coded) and not set("'\"`$|,@\n\r~") & set(coded)
    units = re.sub("%([0-9A-F]{4})", lambda found: chr(int(found[1], 16)), coded)
    assert units.encode("utf-16-le", "surrogatepass") == text.encode("utf-16-le", "surrogatepass")


def test_a_tilde_of_a_key_is_not_taken_for_the_short_form():
    step = Step(1, "registry", r"~S\Services", "x", ABSENT, Native("sz", "~P"))
    assert lines(step)[1] == r"S 1|registry|%007ES\Services|x|absent||sz|%007EP|"


@pytest.mark.parametrize(
    "step",
    [
        Step(1, "file", "/etc/samba/smb.conf"),
        Step(1, "registry", "SYSTEM\nX", "SMB1", ABSENT, Native("dword", 0)),
        Step(1, "registry", KEY, "", ABSENT, Native("dword", 0)),
        Step(1, "registry", KEY, "SMB1", ABSENT, Native("boolean", True)),
        Step(1, "server_property", "", "EncryptData -Force; calc", Native("boolean", True), Native("boolean", False)),
        Step(1, "feature", "X'; calc #", "", Native("text", "enabled"), Native("text", "disabled")),
        Step(1, "service", "mrxsmb10 start= auto", "", Native("integer", 2), Native("integer", 4)),
        Step(1, "netbios", "0A3D7E55-9C1B-4D7F-8E21-5B6C7D8E9F00", "", ABSENT, Native("integer", 2)),
        Step(1, "right", "SeX\nSeY", "", Native("list", []), Native("list", [])),
        Step(1, "secedit", "Registry Values", "X", Native("integer", 0), Native("integer", 1)),
        Step(1, "audit", "File Share", "", Native("integer", 0), Native("integer", 1)),
        Step(1, "event_log", "Security", "retention", Native("integer", 0), Native("integer", 1)),
        Step(1, "restart", "LanmanServer", "", ABSENT, NO_STATE),
        Step(1, "restart", "a & calc"),
    ],
)
def test_what_does_not_look_like_a_step_is_refused(step):
    with pytest.raises(ValueError, match=r"step 1:"):
        lines(step)


@pytest.mark.parametrize("journal", ["", "..", "a/b", "a\\b", ".hidden", "x" * 65, "a b"])
def test_a_journal_is_one_plain_name(journal):
    with pytest.raises(ValueError, match="journal"):
        windows_steps.lines(Order(journal, ()))


def test_the_script_is_one_line_and_hostile_text_is_no_part_of_it():
    evil = "'@\n}; Remove-Item C:\\ -Recurse; $x = @'"
    order = Order("first", (Step(1, "registry", KEY, evil, ABSENT, Native("sz", evil)),))
    sent = windows.build_apply("$a = 1", "$b = 2", {}, windows.Addresses(), order, "n0")
    assert sent.count(b"\n") == 1 and sent.endswith(b"\n")
    script = base64.b64decode(sent).decode("ascii")
    assert script.splitlines()[-1] == "bw_main 'n0' apply end"
    assert "Remove-Item C:\\ -Recurse; " not in script or "'@\n}" not in script
    assert script.count("\n'@\n") == 2


def test_an_order_that_is_too_long_is_refused():
    steps = tuple(Step(n, "registry", KEY, f"v{n}", ABSENT, Native("sz", "x" * 1000)) for n in range(1, 110))
    with pytest.raises(ValueError, match="more than 98304"):
        windows.build_apply("", "", {}, windows.Addresses(), Order("first", steps), "n0")


def test_confirming_names_a_journal_and_nothing_else():
    script = base64.b64decode(windows.build_confirm("$a = 1", "$b = 2", "first", "n0")).decode()
    assert script.splitlines() == [
        "$a = 1",
        "$b = 2",
        "$bw_lines = @'",
        "O first|120|0|20",
        "'@",
        "bw_main 'n0' confirm end",
    ]
