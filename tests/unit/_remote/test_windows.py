# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a Windows host, how big it is, and what is made of what comes back."""

from __future__ import annotations

import base64
import json
import pathlib
import re

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import GarbledAnswer, HostError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Address, Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows, windows_steps
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.execution import PrivilegeRefused

PLUGIN_UTILS = pathlib.Path(windows.__file__).resolve().parent.parent
CORE = (PLUGIN_UTILS / "_remote" / "core.ps1").read_text(encoding="utf-8")
SECTIONS = {
    name: (PLUGIN_UTILS / "_implementations" / name / "collect.ps1").read_text(encoding="utf-8")
    for name in ("host", "windows")
}
PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
CMD_LIMIT = 8191
WIRE_LIMIT = 100 * 1024


def encoded(script):
    return base64.b64encode(script.encode("utf-16-le")).decode()


def table():
    """The addresses of the property table that ships."""
    from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue

    return windows.Addresses.of(catalogue.settings("windows").values())


def decoded(line):
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1  # psrp sends one message per line
    return base64.b64decode(line, validate=False).decode("ascii")


# --- sizes


def test_the_bootstrap_is_small_and_the_command_line_stays_below_the_limit_of_cmd():
    assert len(windows.BOOTSTRAP) < 800
    assert PREFIX + encoded(windows.BOOTSTRAP) == windows.COMMAND
    assert len(windows.COMMAND) <= CMD_LIMIT
    # ansible-core 2.16 to 2.18: the connection winrm encodes the whole command line once more
    assert len(PREFIX + encoded(windows.COMMAND)) <= CMD_LIMIT
    # and the longest bootstrap that is allowed would fit too
    assert len(PREFIX + encoded(PREFIX + encoded("x" * 799))) <= CMD_LIMIT


def test_an_audit_stays_below_what_may_go_up():
    line = windows.build_script(CORE, SECTIONS, table(), "0123456789abcdef")
    script = decoded(line)
    print(f"script {len(script)} bytes, of them addresses {len(chr(10).join(table().lines()))}; line {len(line)} bytes")
    assert len(script) <= windows.MAX_SCRIPT == 48 * 1024
    # winrm and psrp encode once more; envelopes, authentication and encryption add some 10 KB
    assert len(base64.b64encode(line)) + 10 * 1024 < WIRE_LIMIT
    assert len(base64.b64encode(base64.b64encode(b"x" * windows.MAX_SCRIPT))) + 10 * 1024 < WIRE_LIMIT


def test_a_script_that_is_too_long_is_not_sent():
    long = "\n".join(f"$bw_line{number} = {number}" for number in range(4000))
    with pytest.raises(ValueError, match="more than 49152"):
        windows.build_script(CORE, {"host": long}, windows.Addresses(), "n0")


# --- what is sent


def test_the_script_ends_with_the_call():
    script = decoded(windows.build_script(CORE, SECTIONS, table(), "n0"))
    assert script.splitlines()[-1] == "bw_main 'n0' host windows end"
    assert not [line for line in script.splitlines() if line.startswith("#") or line != line.strip()]
    assert script.count("@'") == 1
    assert "@breakwater" in script
    for word in ("FromBase64String", "Invoke-Expression", "Add-Type", "Reflection", "Gzip", "Deflate"):
        assert word.lower() not in script.lower()


def test_stripping_leaves_strings_alone():
    assert windows.stripped("""
        # gone
        $a = '# stays' ; $b = "# 'stays' `" too"
            $c = @{ d = '#' }
    """) == ["""$a = '# stays' ; $b = "# 'stays' `" too\"""", "$c = @{ d = '#' }"]


@pytest.mark.parametrize(
    "line",
    [
        "$a = @'",
        '$a = @"',
        "<# a comment",
        "a comment #>",
        "$a = 1 <# x",
        "$a = 'open",
        '$a = "open',
        "$a = 'it''s",
        '$a = "x`"',
        "Get-Item `",
        "$a = 1 # behind code",
        "if ($a) { # behind code",
    ],
)
def test_what_stripping_could_change_is_refused(line):
    with pytest.raises(ValueError, match="line 2: "):
        windows.stripped(f"$a = 1\n{line}\n")


@pytest.mark.parametrize(
    "line", ["$a = 'it''s'", '$a = "x`"y"', "$a = $b[0]#", "$a = \"$('x')\"", "'#' + '<#'", '"@\'"']
)
def test_what_stripping_cannot_change_is_not(line):
    assert windows.stripped(line) == [line]


def test_a_script_is_ascii():
    with pytest.raises(UnicodeEncodeError):
        windows.build_script(CORE, {"host": "$a = '\u00e9'"}, windows.Addresses(), "n0")


@pytest.mark.parametrize(
    "addresses",
    [
        {"registry": {"SYSTEM\\X'; Remove-Item x; '": ["a"]}},
        {"registry": {"SYSTEM\\X": ["a'b"]}},
        {"registry": {"SYSTEM\\X": ["a\n'@\nexit"]}},
        {"registry": {"SYSTEM\\X\n'@": ["a"]}},
        {"registry": {"SYSTEM\\X": ["a|b"]}},
        {"registry": {"SYSTEM\\X|Y": ["a"]}},
        {"registry": {"SYSTEM\\X": [""]}},
        {"registry": {"": ["a"]}},
        {"registry": {"SYSTEM\\X ": ["a"]}},
        {"registry": {"SYSTEM\\*": ["a"]}},
        {"registry": {"SYSTEM\\$(x)": ["a"]}},
        {"registry": {"SYSTEM\\\u00e9": ["a"]}},
        {"registry": {"S" * 256: ["a"]}},
        {"secedit": {"System Access": ["a=b"]}},
        {"rights": ["SeNetworkLogonRight; x"]},
        {"rights": ["NetworkLogon"]},
        {"audit": ["0CCE9224-69AE-11D9-BED3-505054503030"]},
        {"audit": ["{0cce9224-69ae-11d9-bed3-505054503030}"]},
    ],
)
def test_an_address_is_never_script(addresses):
    with pytest.raises(ValueError, match="is no address"):
        windows.build_script(CORE, SECTIONS, windows.Addresses(**addresses), "n0")


@pytest.mark.parametrize(
    ("nonce", "section"), [("", "host"), ("a b", "host"), ("n'0", "host"), ("n0", "ho st"), ("n0", "x;y")]
)
def test_nonce_and_section_are_words(nonce, section):
    with pytest.raises(ValueError, match="letters and digits"):
        windows.build_script(CORE, {section: ""}, windows.Addresses(), nonce)


def test_addresses_of_settings():
    def setting(*addresses):
        return Setting("windows.x", "x", "global", "boolean", addresses=addresses)

    found = windows.Addresses.of(
        [
            setting(
                Address("policy", "registry", "A", "SOFTWARE\\P"), Address("configured", "registry", "B", "SYSTEM\\K")
            ),
            setting(Address("configured", "registry", "C", "system\\k"), Address("effective", "server_property", "C")),
            setting(
                Address("configured", "registry", "b", "SYSTEM\\K"),
                Address("configured", "secedit", "N", "System Access"),
            ),
            setting(Address("configured", "right", "SeX")),
            setting(Address("configured", "audit", "{0cce9224-69ae-11d9-bed3-505054503030}")),
        ],
        {"SYSTEM\\K": ["Z"], "SYSTEM\\All": ["*"]},
    )
    assert found.lines() == [
        "R SOFTWARE\\P|A",
        "R SYSTEM\\All|*",
        "R SYSTEM\\K|b|C|Z",
        "S System Access|N",
        "P SeX",
        "A {0CCE9224-69AE-11D9-BED3-505054503030}",
    ]


def test_every_address_of_the_table_is_sent_once():
    lines = table().lines()
    assert len(lines) == len(set(lines)) > 20
    keys = [line.partition("|")[0].lower() for line in lines if line.startswith("R ")]
    assert len(keys) == len(set(keys))


def test_beginnings_that_most_keys_share_are_sent_short_and_read_whole():
    addresses = windows.Addresses(
        {r"SYSTEM\CurrentControlSet\Services\X": ["Start"], r"SOFTWARE\Policies\Microsoft\Y": ["*"], "SYSTEM\\Z": ["a"]}
    )
    script = decoded(windows.build_script(CORE, SECTIONS, addresses, "n0"))
    assert "\nR ~P\\Y|*\nR ~S\\Services\\X|Start\nR SYSTEM\\Z|a\n" in script
    for long, short in windows_steps.BEGINNINGS.items():
        assert f".Replace('{short}', '{long}')" in script


# --- what comes back

RECORD = {"id": "host.os", "command": "x", "rc": 0, "err": "", "ms": 3, "data": {"CurrentBuild": "20348"}}
DOCUMENT = {
    "schema": "breakwater/collected/1",
    "family": "windows",
    "uid": "S-1-5-21-1-2-3-500",
    "shell": "PowerShell 5.1.20348.2110 Desktop",
    "records": [RECORD, {**RECORD, "id": "b", "rc": 126, "data": None, "truncated": True, "err": "X: no"}],
}


def answer(document=None, nonce="n0"):
    text = json.dumps(DOCUMENT if document is None else document)
    return f"@@breakwater {nonce} begin@@\r\n{text}\r\n@@breakwater {nonce} end@@\r\n"


def wrapped(text, width):
    return "\r\n".join(text[start : start + width] for start in range(0, len(text), width))


@pytest.mark.parametrize(
    "stdout",
    [
        answer(),
        "profile says hello\r\n" + answer() + "\r\nbye",
        answer().replace("\r\n", "\n"),
        f"@@breakwater n0 begin@@\r\n{wrapped(json.dumps(DOCUMENT), 80)}\r\n@@breakwater n0 end@@",
        f"@@breakwater n0 begin@@\n{wrapped(json.dumps(DOCUMENT), 7)}\n@@breakwater n0 end@@",
    ],
)
def test_an_answer_is_found_whatever_surrounds_it_and_however_a_console_wrapped_it(stdout):
    collected = windows.read_answer(stdout, "#< CLIXML\r\n<Objs", 1, "n0")
    assert (collected.uid, collected.family) == (DOCUMENT["uid"], "windows")
    assert collected.shell.startswith("PowerShell 5.1")
    assert collected.get("host.os").data == {"CurrentBuild": "20348"}
    assert collected.get("host.os").unreadable is None
    second = collected.get("b")
    assert (second.rc, second.data, second.truncated, second.err) == (126, None, True, "X: no")


def test_host_data_may_hold_the_end_marker():
    document = {**DOCUMENT, "records": [{**RECORD, "data": ["@@breakwater n0 end@@"]}]}
    assert windows.read_answer(answer(document), "", 0, "n0").get("host.os").data == ["@@breakwater n0 end@@"]


CLIXML = '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{}</Objs>'


@pytest.mark.parametrize(
    ("stdout", "stderr", "rc", "kind", "words"),
    [
        ("@@breakwater language ConstrainedLanguage@@\r\n", "", 0, GarbledAnswer, "language mode ConstrainedLanguage"),
        (
            "",
            CLIXML.format(
                '<S S="Error">x_x000A_    + FullyQualifiedErrorId : ScriptContainedMaliciousContent_x000A_</S>'
            ),
            1,
            GarbledAnswer,
            "antimalware",
        ),
        ("", "FullyQualifiedErrorId : ScriptsNotAllowed", 1, GarbledAnswer, "allows no scripts"),
        ("", "+ FullyQualifiedErrorId : UnauthorizedAccess,Microsoft.PowerShell", 1, GarbledAnswer, "execution policy"),
        ("", "PSSecurityException about_Execution_Policies", 1, GarbledAnswer, "execution policy"),
        ("", "/bin/sh: 1: PowerShell: not found", 127, GarbledAnswer, "Unix shell"),
        ("", "bash: PowerShell: command not found", 127, GarbledAnswer, "Unix shell"),
        ("", "zsh:1: command not found: PowerShell", 127, GarbledAnswer, "Unix shell"),
        ("", "-sh: Befehl nicht gefunden", 127, GarbledAnswer, "Unix shell"),
        ("", "'PowerShell' is not recognized as an internal or external command,", 1, GarbledAnswer, "no PowerShell"),
        ("", 'Der Befehl "PowerShell" ist entweder falsch geschrieben oder', 9009, GarbledAnswer, "no PowerShell"),
        ("", "Ce programme est bloqu\u00e9", 1260, GarbledAnswer, "a policy of the host forbids"),
        ("Zugriff verweigert", "", 5, PrivilegeRefused, "may not start PowerShell"),
        (
            "",
            CLIXML.format('<S S="Error">FullyQualifiedErrorId : FormatException</S>'),
            1,
            GarbledAnswer,
            "arrived damaged",
        ),
        ("", "IncompleteParseException", 1, GarbledAnswer, "arrived damaged"),
        ("", "System.OutOfMemoryException", 1, GarbledAnswer, "out of memory"),
        ("", CLIXML.format('<Obj S="progress" RefId="0"></Obj>'), 0, GarbledAnswer, "exit code 0, nothing"),
        ("", "", 3, GarbledAnswer, "exit code 3, nothing"),
        ("\x1b[31mbanner {{ evil }}\x00", "", 0, GarbledAnswer, "\\x1b[31mbanner"),
        (answer()[:80], "", 0, GarbledAnswer, "cut off"),
        (answer()[:80], "ScriptContainedMaliciousContent", 0, GarbledAnswer, "cut off"),
        (answer().replace('"records": [', '"records": [[{'), "", 0, GarbledAnswer, "cannot be read"),
        (answer({**DOCUMENT, "schema": "breakwater/collected/9"}), "", 0, GarbledAnswer, "collected/9"),
        (answer({**DOCUMENT, "family": "unix"}), "", 0, GarbledAnswer, "family"),
        (answer({**DOCUMENT, "records": [{"id": 1}]}), "", 0, GarbledAnswer, "cannot be read"),
        (answer({**DOCUMENT, "records": "x"}), "", 0, GarbledAnswer, "cannot be read"),
        (answer([1]), "", 0, GarbledAnswer, "cannot be read"),
        (answer().replace('"20348"', "[" * 100_000), "", 0, GarbledAnswer, "cannot be read"),
        (answer(nonce="other"), "", 0, GarbledAnswer, "did not run"),
    ],
)
def test_what_is_no_answer(stdout, stderr, rc, kind, words):
    with pytest.raises(HostError) as caught:
        windows.read_answer(stdout, stderr, rc, "n0")
    said = str(caught.value)
    print(said)
    assert caught.value.__class__ is kind
    assert words in said
    assert re.fullmatch(r"[^\n\x1b\x00]{20,400}\.", said)
    assert "CLIXML" not in said
