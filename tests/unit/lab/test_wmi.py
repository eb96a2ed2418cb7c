# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WMI and CIM of the lab: queries, and the errors that tell what is missing from what is refused."""

from __future__ import annotations

from .conftest import Ask

BOTH = {"cim": "Get-CimInstance -ClassName {} {}", "wmi": "Get-WmiObject -Class {} {}"}


def both(rest: str, shown: str, kind: str) -> dict[str, str]:
    """Return the same question by CIM and by WMI."""
    class_name, _space, options = rest.partition(" ")
    return {
        f"{name}_{kind}": f"{text.format(class_name, options)} | ForEach-Object {{ {shown} }}"
        for name, text in BOTH.items()
    }


def test_filters(ask: Ask) -> None:
    """The part of WQL that scripts use."""
    filters = {
        "equal": ("Win32_Service -Filter \"Name='lanmanserver'\"", "$_.Name", "LanmanServer"),
        "either": (
            "Win32_BaseService -Filter \"Name='srv2' OR (Name='SRVNET' AND State='Running')\"",
            "$_.Name",
            "srv2|srvnet",
        ),
        "like": ("Win32_SystemDriver -Filter \"Name LIKE 'mrx[a-s]mb_0'\"", "$_.Name", "mrxsmb20"),
        "number": ("Win32_Share -Filter 'Type < 2147483648'", "$_.Name", "Software"),
        "bool": ("Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=TRUE'", "$_.InterfaceIndex", "6|9"),
        "null": ("Win32_NetworkAdapterConfiguration -Filter 'IPAddress IS NULL'", "$_.SettingID.Length", "38"),
        "not": (
            "Win32_OptionalFeature -Filter \"NOT InstallState=2 AND Name != 'SmbDirect'\"",
            "$_.Name",
            "File-Services|CoreFileServer|Printing-Server-Foundation-Features",
        ),
        "nothing": ("Win32_Service -Filter \"Name='mrxsmb10'\"", "$_.Name", ""),
    }
    expressions: dict[str, str] = {}
    for kind, (rest, shown, _value) in filters.items():
        expressions |= both(rest, shown, kind)
    expressions["query"] = (
        "(Get-CimInstance -Query \"SELECT Name, State FROM Win32_Service WHERE Name = 'Spooler'\").State"
    )
    expressions["selected"] = (
        "(Get-CimInstance Win32_OperatingSystem -Property Caption).Version; (Get-CimInstance Win32_OperatingSystem -Property Caption).Caption"
    )
    answers = ask("ws2022", expressions)
    assert answers.pop("query") == "Running"
    assert answers.pop("selected") == "Microsoft Windows Server 2022 Standard"
    assert answers == {f"{name}_{kind}": value for kind, (_rest, _shown, value) in filters.items() for name in BOTH}


def test_errors(ask: Ask) -> None:
    """Category, type and identifier as the real cmdlets raise them."""
    answers = ask(
        "ws2022",
        both("Win32_None", "1", "class")
        | both("AntiVirusProduct -Namespace root\\SecurityCenter2", "1", "namespace")
        | both('Win32_Service -Filter "Name="', "1", "query")
        | both("Win32_OperatingSystem -Property Nothing", "1", "property")
        | {"code": "try { Get-CimInstance Win32_None } catch { $_.Exception.NativeErrorCode }"},
    )
    assert answers.pop("code") == "InvalidClass"
    assert {name: answer.split(",")[0] for name, answer in answers.items()} == {
        "cim_class": "!MetadataError CimException HRESULT 0x80041010",
        "cim_namespace": "!MetadataError CimException HRESULT 0x8004100e",
        "cim_query": "!NotSpecified CimException HRESULT 0x80041017",
        "cim_property": "!NotSpecified CimException HRESULT 0x80041017",
        "wmi_class": "!InvalidType ManagementException GetWMIManagementException",
        "wmi_namespace": "!InvalidArgument ManagementException GetWMIManagementException",
        "wmi_query": "!InvalidArgument ManagementException GetWMIManagementException",
        "wmi_property": "!InvalidArgument ManagementException GetWMIManagementException",
    }


def test_users_without_elevation_are_refused(ask: Ask) -> None:
    """Each family of commands refuses in its own way."""
    expressions = {
        "cim": "Get-CimInstance Win32_OperatingSystem",
        "wmi": "Get-WmiObject Win32_OperatingSystem",
        "smb": "Get-SmbServerConfiguration",
        "net": "Get-NetFirewallProfile",
        "dism": "Get-WindowsOptionalFeature -Online",
        "scm": "Get-Service LanmanServer",
        "log": "Get-WinEvent -ListLog Microsoft-Windows-SMBServer/Audit",
        "secedit": 'secedit.exe /export /cfg "$env:TEMP/x.inf" /quiet; "$LASTEXITCODE"; Test-Path "$env:TEMP/x.inf"',
        "auditpol": '$null = auditpol.exe /backup "/file:$env:TEMP/x.csv"; "$LASTEXITCODE"; Test-Path "$env:TEMP/x.csv"',
    }
    for user in ("auditor", "localadmin"):
        answers = ask("ws2019", expressions, user=user)
        assert {name: " ".join(answer.split()[:2]) for name, answer in answers.items()} == {
            "cim": "!PermissionDenied CimException",
            "wmi": "!InvalidOperation ManagementException",
            "smb": "!PermissionDenied CimException",
            "net": "!PermissionDenied CimException",
            "dism": "!NotSpecified COMException",
            "scm": "!NotSpecified InvalidOperationException",
            "log": "!NotSpecified UnauthorizedAccessException",
            "secedit": "1|False",
            "auditpol": "1314|False",
        }


def test_old_shares_tell_their_rights_by_a_method(ask: Ask) -> None:
    """PowerShell 2.0: a method of the object; dates and nested objects as WMI has them."""
    answers = ask(
        "ws2008r2",
        {
            "rights": "Get-WmiObject Win32_LogicalShareSecuritySetting | ForEach-Object { $d = $_.GetSecurityDescriptor(); "
            "$_.Name + ' ' + $d.ReturnValue + ' ' + [string]::Join(',', @($d.Descriptor.DACL | "
            "ForEach-Object { $_.Trustee.SIDString + ' ' + $_.AccessMask + ' ' + $_.AceType })) }",
            "types": "Get-WmiObject Win32_Share | ForEach-Object { $_.Type }",
            "date": "(Get-WmiObject Win32_OperatingSystem).LastBootUpTime -match '^\\d{14}\\.\\d{6}\\+000$'",
            "update": "(Get-HotFix KB976902).InstalledOn.GetType().Name",
        },
    )
    assert answers == {
        "rights": "Data 0 S-1-1-0 2032127 0|Scans 0 S-1-1-0 1245631 0,S-1-5-32-544 2032127 0|Software 0 S-1-5-32-545 1179817 0,S-1-5-32-544 2032127 0",
        "types": "2147483648|2147483648|2147483651|0|0|0",
        "date": "True",
        "update": "DateTime",
    }
