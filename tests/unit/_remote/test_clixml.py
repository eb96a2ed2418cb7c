# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.clixml import text_of
from tests.lab import powershell

OPEN = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
PROGRESS = (
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN>'
    '<MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil /><PI>-1</PI>'
    "<PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
)


def document(*parts):
    return f"#< CLIXML\r\n{OPEN}{''.join(parts)}</Objs>"


def error(text):
    return f'<S S="Error">{text}</S>'


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("", ""),
        ("plain words\nand more", "plain words\nand more"),
        (document(PROGRESS), ""),
        (document(error("Zugriff verweigert_x000D__x000A_")), "Zugriff verweigert"),
        (
            document(PROGRESS, error("a_x000D__x000A_"), error("b &lt;&amp;&gt; &quot;c&quot;"), PROGRESS),
            'a\nb <&> "c"',
        ),
        (document(error("emoji _xD83D__xDE00_ and _x00E9_")), "emoji \U0001f600 and \u00e9"),
        (document(error("an _x005F_x0041_ that was typed")), "an _x0041_ that was typed"),
        ("before\r\n" + document(error("within")) + "\r\nafter", "before\nwithin\nafter"),
        (document(error("first")) + document(error("second")), "first\nsecond"),
        (f"#< CLIXML\r\n{OPEN}{error('cut of')[:-7]}", "cut"),
        (f"#< CLIXML\r\n{OPEN[:20]}", ""),
        ("#< CLIXML", ""),
        (document(error("alone _xD83D_")), "alone \ufffd"),
        (document('<S S="Warning">careful</S>'), "careful"),
    ],
)
def test_what_was_said(stderr, said):
    assert text_of(stderr) == said


@given(st.text(), st.text(alphabet="<>/#_x0A S=\"Error'Objs", max_size=200))
def test_garbage_never_fails(text, markup):
    for garbage in (text, markup, document(markup), document(error(markup)), "#< CLIXML" + text):
        assert isinstance(text_of(garbage), str)


@pytest.mark.parametrize("text", ["short", "a\u00e9\u3042 \U0001f600 <&>\"'", "_x000A_ typed", "tab\there"])
def test_what_powershell_writes(text):
    """The real serializer: an error and a progress record of a PowerShell whose error output is a pipe."""
    codes = ",".join(str(ord(char)) for char in text)
    body = (
        f"$t = -join (@({codes}) | ForEach-Object {{ [char]::ConvertFromUtf32($_) }})\n"
        "Write-Progress -Activity 'Preparing' -Status 'x'\n[Console]::Error.Flush()\n$host.UI.WriteErrorLine($t)"
    )
    done = powershell.run(
        ["-OutputFormat", "XML", "-EncodedCommand", base64.b64encode(body.encode("utf-16-le")).decode()]
    )
    said = done.stderr.decode()
    assert said.startswith("#< CLIXML"), said
    assert text in text_of(said)
    assert "Preparing" not in text_of(said)
