# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The very script that an audit sends, on a PowerShell that has nothing of Windows: nothing of it may become data."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab import powershell, powershell_gate

PLUGIN_UTILS = pathlib.Path(windows.__file__).resolve().parent.parent
CORE = (PLUGIN_UTILS / "_remote" / "core.ps1").read_text(encoding="utf-8")
SECTIONS = {
    name: (PLUGIN_UTILS / "_implementations" / name / "collect.ps1").read_text(encoding="utf-8")
    for name in ("host", "windows")
}
ARGUMENTS = windows.COMMAND.split()[3:]  # what comes after "PowerShell -NoProfile -NonInteractive"
CONDITIONAL = {"host.feature_pending"}
"""Records that are made only where another one calls for it."""


def script(extra=""):
    addresses = windows.Addresses.of(catalogue.settings("windows").values())
    sections = {**SECTIONS, "host": f"{extra}\n{SECTIONS['host']}"}
    return windows.build_script(CORE, sections, addresses, "n0")


@pytest.fixture(scope="module")
def done():
    result = powershell.run(ARGUMENTS, script())
    assert result.returncode == 0
    return result


def test_nothing_but_one_whole_document_is_written(done):
    lines = done.stdout.decode("ascii").splitlines()
    assert len(lines) == 3
    document = json.loads(lines[1])
    assert list(document) == ["schema", "family", "uid", "shell", "records"]
    for record in document["records"]:
        assert list(record) == ["id", "command", "rc", "err", "ms", "data"]
    assert done.stderr == b""


def test_what_is_not_windows_says_so_and_brings_no_data(done):
    collected = windows.read_answer(done.stdout.decode(), done.stderr.decode(), 0, "n0")
    assert collected.shell.startswith("PowerShell 7")
    assert collected.uid == ""
    found = {record.id: record for record in collected.records}
    written = set(re.findall(r"bw_(?:record|list) '([a-z_.]+)'", "\n".join(SECTIONS.values())))
    assert set(found) == written - CONDITIONAL
    assert len(found) == len(collected.records) > 30
    for record in found.values():
        assert record.data is None, record
        assert record.rc in (127, 1), record
        assert record.unreadable
    exceptions = {record.id for record in found.values() if record.rc != 127}
    assert exceptions <= {"host.netbt"}  # the drive of the registry is missing, which no host of Windows shows


def test_every_command_that_is_called_is_one_that_a_reader_was_told_of():
    """The closed list of native tools is what the scripts call, no more."""
    reports = powershell_gate.reports(powershell_gate.scripts())
    changing = {f"plugin_utils/_remote/{part}.ps1" for part in windows.APPLY_PARTS}
    tools: dict[bool, set[str]] = {False: set(), True: set()}
    for script_name, report in reports.items():
        names = [command["name"] or "" for command in report["commands"]]
        tools[script_name in changing].update(name for name in names if name.endswith(".exe"))
    assert tools[False] == powershell_gate.NATIVE
    assert tools[True] - powershell_gate.NATIVE == powershell_gate.CHANGING


FIREWALL = {
    "named": (
        "v2.33|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Private|LPort=445|RA4=LocalSubnet|App=System|",
        True,
    ),
    "range": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort2_10=100-200|", True),
    "second port": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=80|LPort=139|", True),
    "other port": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=System|", False),
    "other range": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort2_10=5000-5010|", False),
    "endpoint mapper": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=RPC-EPMap|Svc=RPCSS|", True),
    "dynamic RPC": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=RPC|App=System|", False),
    "any port": ("v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|", True),
    "any protocol": ("v2.10|Action=Allow|Active=TRUE|Dir=In|App=System|", True),
    "any protocol in numbers": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=256|", True),
    "any port, off": ("v2.10|Action=Block|Active=FALSE|Dir=In|Protocol=6|", False),
    "any port of a program": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=C:\\x.exe|", False),
    "any port of a service": (
        "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=%SystemRoot%\\system32\\svchost.exe|Svc=x|",
        False,
    ),
    "any port of an app": ("v2.33|Action=Allow|Active=TRUE|Dir=Out|LUOwn=S-1|AppPkgId=S-1-15-2-1|", False),
    "a named port of a program": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=445|App=C:\\x.exe|", True),
    "ICMP": ("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=1|ICMP4=8:*|", False),
    "outbound": ("v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|", True),
    "outbound elsewhere": ("v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|LPort=445|", False),
    "remote port of a rule inwards": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|RPort=445|LPort=3389|", False),
    "QUIC": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=443|", True),
    "alternative": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=8445|", True),
    "nonsense": ("", True),
    "an unknown word": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=NewWord|", True),
    "an unknown protocol": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=?|", True),
    "long port": ("v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=99999999999999999999|", True),
}


def test_which_firewall_rules_are_sent():
    rules = "\n".join(f"'{name}' = '{rule}'" for name, (rule, _kept) in FIREWALL.items())
    extra = f"""
function bw_collect_rules {{
bw_record 'rules' 'x' {{ bw_host_rules @{{
{rules}
}} (135, 136, 137, 138, 139, 443, 445, 5445, 8445) }}
}}
"""
    line = windows.build_script(CORE, {"rules": extra + SECTIONS["host"]}, windows.Addresses(), "n0")
    result = powershell.run(ARGUMENTS, line)
    record = windows.read_answer(result.stdout.decode(), result.stderr.decode(), 0, "n0").get("rules")
    assert record.rc == 0, record.err
    assert set(record.data) == {name for name, (_rule, kept) in FIREWALL.items() if kept}


INSTALLED = {
    "1/12/2024": "2024-01-12",
    "01/12/2024 00:00:00": "2024-01-12",
    "20100521": "2010-05-21",
    "01d4aa92c0a90000": "2019-01-12",
    "13/01/2024": None,
    "12.01.2024": None,
    "": None,
}


def test_dates_of_updates():
    calls = "\n".join(f"'{text}' = bw_host_installed '{text}'" for text in INSTALLED)
    extra = f"function bw_collect_dates {{ bw_record 'dates' 'x' {{ @{{\n{calls}\n}} }} }}\n"
    line = windows.build_script(CORE, {"dates": extra + SECTIONS["host"]}, windows.Addresses(), "n0")
    result = powershell.run(ARGUMENTS, line)
    record = windows.read_answer(result.stdout.decode(), result.stderr.decode(), 0, "n0").get("dates")
    assert record.data == INSTALLED


OPEN_FILES = {
    # session: its open files (signed, encrypted), and what is said of the session
    1: ([(True, False), (True, False)], (True, False)),
    2: ([(False, True)], (True, True)),
    3: ([(True, False), (False, True)], (True, False)),
    4: ([(True, False), (False, False)], (False, False)),
    5: ([], (None, None)),  # opens that nobody lists
    6: ([(None, None), (True, False)], (None, None)),  # before Windows 10 1607
}
WORDS = {True: "$true", False: "$false", None: "$null"}


def told(opens, failing=False):
    """Return (signed, encrypted) of the sessions 1 to 6, and of 7, which says it itself."""
    files = "\n".join(
        f"New-Object PSObject -Property @{{ SessionId = [uint64]{session}; Signed = {WORDS[signed]}; Encrypted = {WORDS[encrypted]} }}"
        for session, (items, _said) in OPEN_FILES.items()
        for signed, encrypted in items
    )
    sessions = "\n".join(
        f"New-Object PSObject -Property @{{ SessionId = [uint64]{session}; ClientComputerName = 'c{session}'; NumOpens = [uint64]{opens} }}"
        for session in OPEN_FILES
    )
    extra = f"""
function Get-SmbSession {{ [CmdletBinding()] param()
{sessions}
New-Object PSObject -Property @{{ SessionId = 7; ClientComputerName = 'c7'; NumOpens = 0; Signed = $false; Encrypted = $true }} }}
function Get-SmbOpenFile {{ [CmdletBinding()] param()
{"throw 'x'" if failing else files} }}
function bw_collect_sessions {{ bw_list 'sessions' 'x' {{ bw_smb_sessions }} }}
"""
    line = windows.build_script(CORE, {"sessions": extra + SECTIONS["windows"]}, windows.Addresses(), "n0")
    result = powershell.run(ARGUMENTS, line)
    record = windows.read_answer(result.stdout.decode(), result.stderr.decode(), 0, "n0").get("sessions")
    assert record.rc == 0, record.err
    assert [item["client"] for item in record.data] == [f"c{number}" for number in range(1, 8)]
    assert not any("id" in item for item in record.data)
    return [(item["signed"], item["encrypted"]) for item in record.data]


def test_open_files_tell_how_a_session_is_protected():
    assert told(2) == [*(said for _files, said in OPEN_FILES.values()), (False, True)]


@pytest.mark.parametrize(("opens", "failing"), [(0, False), (400, False), (2, True)])
def test_open_files_are_not_asked_for_on_a_busy_server_and_need_not_answer(opens, failing):
    assert told(opens, failing) == [(None, None)] * 6 + [(False, True)]
