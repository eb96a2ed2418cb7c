# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry drive of the Windows lab behaves as Windows PowerShell's."""

from __future__ import annotations

import pathlib
from concurrent.futures import ThreadPoolExecutor

from .conftest import Ask

SERVER = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
LSA = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa"
NEW = "HKLM:\\SOFTWARE\\Lab\\Deep"


def test_reading(ask: Ask) -> None:
    """Types, case, what is absent, what is refused."""
    wanted = {
        "dword": (f"(Get-ItemProperty -LiteralPath '{SERVER}').AutoDisconnect.GetType().Name", "Int32"),
        "case": (f"(Get-ItemProperty -LiteralPath '{SERVER.lower()}').REQUIRESECURITYSIGNATURE", "0"),
        "spelling": (f"(Get-Item -LiteralPath '{SERVER}').Property -ccontains 'requiresecuritysignature'", "True"),
        "multi": (
            f"$v = (Get-ItemProperty -LiteralPath '{SERVER}').NullSessionPipes; $v.GetType().Name; $v.Count",
            "String[]|0",
        ),
        "binary": (f"(Get-ItemProperty -LiteralPath '{SERVER}').Guid.GetType().Name", "Byte[]"),
        "expand": (f"(Get-ItemProperty -LiteralPath '{SERVER}').ServiceDll", "C:\\Windows\\system32\\srvsvc.dll"),
        "qword": (
            "(Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing').LastTrustTime.GetType().Name",
            "Int64",
        ),
        "notes": (
            f"$p = Get-ItemProperty -LiteralPath '{SERVER}'; $p.PSChildName; $p.PSPath -like '*Registry::HKEY_LOCAL_MACHINE\\SYSTEM\\*'; $p.PSDrive",
            "Parameters|True|HKLM",
        ),
        "no_key": (
            "Get-ItemProperty -LiteralPath HKLM:\\SOFTWARE\\None",
            "!ObjectNotFound ItemNotFoundException PathNotFound,",
        ),
        "no_value": (f"Get-ItemProperty -LiteralPath '{SERVER}' -Name None", "!InvalidArgument PSArgumentException "),
        "absent": (f"$null -eq (Get-ItemProperty -LiteralPath '{SERVER}').None", "True"),
        "empty": ("$null -eq (Get-ItemProperty HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\IPSec)", "True"),
        "refused": (f"Get-ItemProperty -LiteralPath '{LSA}'", "!PermissionDenied SecurityException "),
        "refused_below": (f"Get-ItemProperty -LiteralPath '{LSA}\\MSV1_0'", "!PermissionDenied SecurityException "),
        "exists": (
            f"Test-Path '{LSA}'; Test-Path '{SERVER}'; Test-Path HKLM:\\SOFTWARE\\None; Test-Path HKLM:\\",
            "True|True|False|True",
        ),
        "children": (
            f"Get-ChildItem -LiteralPath '{SERVER[: -len('Parameters')]}' | ForEach-Object {{ $_.PSChildName }}",
            "DefaultSecurity|Linkage|Parameters|Shares",
        ),
        "no_children": (
            "Get-ChildItem -LiteralPath HKLM:\\SOFTWARE\\None",
            "!ObjectNotFound ItemNotFoundException PathNotFound,",
        ),
        "provider_path": (f"(Get-ItemProperty '{SERVER.replace('HKLM:', 'Registry::HKEY_LOCAL_MACHINE')}').Size", "3"),
    }
    answers = ask("ws2022-locked", {name: script for name, (script, _value) in wanted.items()})
    for name, (_script, value) in wanted.items():
        if value.startswith("!"):
            assert answers[name].startswith(value), name
        else:
            assert answers[name] == value, name


def test_writing_is_read_back_by_another_process(ask: Ask) -> None:
    """Every type survives the way into the state and out again."""
    values = {
        "DWord": ("4294967295", "4294967295 UInt32"),
        "QWord": ("1099511627776", "1099511627776 Int64"),
        "String": ("'text'", "text String"),
        "ExpandString": ("'%SystemRoot%\\x'", "C:\\Windows\\x String"),
        "MultiString": ("@('one', 'zwei')", "one zwei String[]"),
        "Binary": ("([byte[]](0, 255))", "0 255 Byte[]"),
    }
    written = {"key": f"(New-Item -Path '{NEW}' -Force).Name"}
    written |= {
        kind: f"New-ItemProperty -LiteralPath '{NEW}' -Name {kind} -Value {value} -PropertyType {kind} | Out-Null"
        for kind, (value, _shown) in values.items()
    }
    written["set"] = (
        f"Set-ItemProperty -LiteralPath '{NEW}' -Name Other -Value 7 -Type DWord; Set-ItemProperty '{NEW}' -Name other -Value 8"
    )
    written["twice"] = f"New-ItemProperty -LiteralPath '{NEW}' -Name dword -Value 1 -PropertyType DWord"
    written["no_parent"] = "New-Item -Path HKLM:\\SOFTWARE\\None\\Deep"
    answers = ask("ws2022", written)
    assert answers["key"] == "HKEY_LOCAL_MACHINE\\SOFTWARE\\Lab\\Deep"
    assert answers["twice"].startswith("!ResourceExists IOException")
    assert answers["no_parent"].startswith("!")
    assert [answers[kind] for kind in values] == [""] * len(values)

    read = {kind: f"$v = (Get-ItemProperty '{NEW}').{kind}; \"$v \" + $v.GetType().Name" for kind in values}
    read["other"] = f"(Get-Item '{NEW}').GetValueKind('Other'); (Get-ItemProperty '{NEW}').Other"
    answers = ask("ws2022", read)
    assert {kind: answers[kind] for kind in values} == {kind: shown for kind, (_value, shown) in values.items()}
    assert answers["other"] == "DWord|8"

    removed = {
        "value": f"Remove-ItemProperty -LiteralPath '{NEW}' -Name Binary; (Get-Item '{NEW}').Property -contains 'Binary'",
        "key": "Remove-Item -LiteralPath HKLM:\\SOFTWARE\\Lab -Recurse; Test-Path HKLM:\\SOFTWARE\\Lab",
    }
    assert ask("ws2022", removed) == {"value": "False", "key": "False"}
    assert ask("ws2022", {"gone": "Test-Path HKLM:\\SOFTWARE\\Lab"}) == {"gone": "False"}


def test_a_user_reads_and_does_not_write(ask: Ask) -> None:
    """Users read policy and services; the list of remotely readable paths is not for them."""
    answers = ask(
        "ws2022",
        {
            "read": f"(Get-ItemProperty -LiteralPath '{SERVER}').Size",
            "write": f"Set-ItemProperty -LiteralPath '{SERVER}' -Name Size -Value 1",
            "new": "New-Item -Path HKLM:\\SOFTWARE\\Mine",
            "paths": "Get-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurePipeServers\\winreg\\AllowedPaths",
        },
        user="auditor",
    )
    assert answers["read"] == "3"
    assert {name: answer.split()[0] for name, answer in answers.items() if name != "read"} == dict.fromkeys(
        ("write", "new", "paths"), "!PermissionDenied"
    )


def test_processes_that_write_at_once_lose_nothing(tmp_path: pathlib.Path) -> None:
    """Every change takes the lock and starts from what the others left."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host = SimulatedHost("ws2019", tmp_path)

    def write(number: int) -> int:
        script = (
            f"1..5 | ForEach-Object {{ Set-ItemProperty '{SERVER}' -Name \"Lab{number}_$_\" -Value $_ -Type DWord }}"
        )
        return host.run(Exec("psrp", script)).rc

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(write, range(3))) == [0, 0, 0]
    count = host.run(Exec("psrp", f"@((Get-Item '{SERVER}').Property -like 'Lab*').Count"))
    assert count.stdout == b"15\r\n"
