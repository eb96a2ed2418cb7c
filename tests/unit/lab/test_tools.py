# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The native tools of the lab: files and lines as Windows writes them, in the host's language."""

from __future__ import annotations

import pathlib

from .conftest import Ask


def test_secedit_writes_a_template_in_utf_16(tmp_path: pathlib.Path) -> None:
    """Sections, names without language, local accounts by their name in the host's language."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host = SimulatedHost("ws2019-de", tmp_path)
    script = 'secedit.exe /export /areas SECURITYPOLICY USER_RIGHTS /cfg "$env:TEMP\\out.inf" /log "$env:TEMP\\out.log"; exit $LASTEXITCODE'
    done = host.run(Exec("psrp", script))
    assert (done.rc, "erfolgreich" in done.stdout.decode()) == (0, True)
    raw = (tmp_path / "Temp" / "out.inf").read_bytes()
    assert raw.startswith(b"\xff\xfe[\x00")
    lines = raw.decode("utf-16").split("\r\n")
    assert 'NewGuestName = "Gast"' in lines
    assert "LockoutBadCount = 0" in lines
    assert "SeDenyNetworkLogonRight = Gast" in lines
    assert "SeNetworkLogonRight = *S-1-1-0,*S-1-5-32-544,*S-1-5-32-545,*S-1-5-32-551" in lines
    assert "MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\NoLMHash=4,1" in lines
    assert [line for line in lines if line.startswith("[")] == [
        "[Unicode]",
        "[System Access]",
        "[Event Audit]",
        "[Registry Values]",
        "[Privilege Rights]",
        "[Version]",
    ]


def test_auditpol_backs_up_numbers_behind_localised_words(tmp_path: pathlib.Path) -> None:
    """In the codepage of the system; /get has no numbers."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    for name, codepage, words in (("ws2019-de", "cp1252", "Keine Überwachung"), ("ws2016-ja", "cp932", "監査なし")):
        host = SimulatedHost(name, tmp_path / name)
        script = 'auditpol.exe /backup "/file:$env:TEMP\\audit.csv"; @(auditpol.exe /get /category:* /r)[0].Split(",").Length'
        assert host.run(Exec("psrp", script)).stdout == b"6\r\n"
        lines = (tmp_path / name / "Temp" / "audit.csv").read_bytes().decode(codepage).split("\r\n")
        share = next(line for line in lines if "{0CCE9224-69AE-11D9-BED3-505054503030}" in line).split(",")
        assert share[-3:] == [words, "", "0"]
        assert len(lines[0].split(",")) == 7


def test_whoami_tells_sids_whatever_the_language(ask: Ask) -> None:
    """Names and attributes are localised, positions are not."""
    expressions = {"user": "whoami.exe /user /fo csv /nh", "groups": "whoami.exe /groups /fo csv /nh"}
    german = ask("ws2019-de", expressions, user="localadmin")
    assert german["user"].endswith('"S-1-5-21-1004336348-1177238915-682003330-1002"')
    assert (
        '"VORDEFINIERT\\Administratoren","Alias","S-1-5-32-544","Gruppe, die nur zum Ablehnen verwendet wird"'
        in german["groups"]
    )
    assert german["groups"].endswith('"Bezeichnung","S-1-16-8192",""')
    admin = ask("ws2022", expressions)
    assert (
        '"BUILTIN\\Administrators","Alias","S-1-5-32-544","Mandatory group, Enabled by default, Enabled group, Group owner"'
        in admin["groups"]
    )
    assert '"S-1-16-12288"' in admin["groups"]


def test_netstat_has_positions_and_german_words(ask: Ask) -> None:
    """Protocol, addresses, a localised state for TCP only, process."""
    lines = ask("ws2008r2-de", {"all": "netstat.exe -ano"})["all"].split("|")
    rows = [line.split() for line in lines if line.startswith("  TCP") or line.startswith("  UDP")]
    assert ["TCP", "[::]:445", "[::]:0", "ABHÖREN", "4"] in rows
    assert ["UDP", "0.0.0.0:500", "*:*", "1340"] in rows
    assert ["TCP", "10.20.0.9:445", "10.20.5.21:49712", "HERGESTELLT", "4"] in rows
    assert "Lokale Adresse" in lines[3]
