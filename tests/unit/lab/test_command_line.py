# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines as ansible-core's versions send them all lead to the same script."""

from __future__ import annotations

import base64
import pathlib
import threading
import time

import pytest

PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "


def encoded(script: str) -> str:
    """Return the command line of a script."""
    return PREFIX + base64.b64encode(script.encode("utf-16-le")).decode()


@pytest.mark.parametrize(
    "line",
    [
        encoded("$input; 'x'"),
        encoded(encoded("$input; 'x'")),
        f"cmd /c {encoded(chr(36) + 'input; ' + chr(39) + 'x' + chr(39))}",
        f'C:\\Windows\\system32\\cmd.exe /c "{encoded(chr(36) + "input; " + chr(39) + "x" + chr(39))}"',
        "powershell.exe -NoProfile -Command $input; 'x'",
    ],
)
def test_the_innermost_script_runs(line: str) -> None:
    """Wrapped once, twice, through cmd."""
    from tests.lab.windows.command_line import script_of
    from tests.lab.windows.execution import Exec

    assert script_of(Exec("winrm", line)) == "$input; 'x'"


def test_what_is_no_powershell() -> None:
    """Over ssh the shell is PowerShell; over winrm it is cmd, which is not simulated."""
    from tests.lab.windows.command_line import script_of
    from tests.lab.windows.execution import Exec

    assert script_of(Exec("winrm", "ipconfig /all")) is None
    assert script_of(Exec("winrm", PREFIX + "!!!")) is None
    assert script_of(Exec("ssh", "whoami.exe")) == "whoami.exe"
    assert script_of(Exec("ssh", encoded("1"))) == "1"
    assert script_of(Exec("psrp", "Get-Date")) == "Get-Date"


def test_an_execution_is_a_process(tmp_path: pathlib.Path) -> None:
    """Input, output, errors as CLIXML, exit code, CRLF."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host = SimulatedHost("win10-22h2", tmp_path)
    script = "@($input).Count; Write-Error 'too bad'; exit 3"
    done = host.run(Exec("winrm", encoded(encoded(script)), b"a\nb\n"))
    assert (done.stdout, done.rc) == (b"2\r\n", 3)
    assert done.stderr.startswith(b"#< CLIXML\r\n<Objs ")
    assert b"too bad" in done.stderr
    assert b"x001B_[31" not in done.stderr
    plain = host.run(Exec("psrp", script, b"a\n"))
    assert (plain.stdout, plain.rc, plain.stderr.startswith(b"#<")) == (b"1\r\n", 3, False)
    assert host.run(Exec("winrm", "ipconfig", user="admin")).rc == 1
    assert host.run(Exec("winrm", encoded("1"), user="nobody")).rc == 5
    assert host.run(Exec("psrp", "whoami.exe", user="CORP\\Administrator")).stdout == b"pc-win10\\administrator\r\n"


def test_an_execution_that_nobody_waits_for_ends(tmp_path: pathlib.Path) -> None:
    """Its process is killed."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    execution = Exec("psrp", "Start-Sleep 100")
    threading.Timer(0.5, execution.ended.set).start()
    started = time.monotonic()
    assert SimulatedHost("win10-22h2", tmp_path).run(execution).rc != 0
    assert time.monotonic() - started < 50
