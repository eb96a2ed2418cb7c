# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that one execution makes is what the next one reads, as on Windows."""

from __future__ import annotations

from .conftest import Ask

SERVER = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
POLICY = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\LanmanServer"


def test_configuration(ask: Ask) -> None:
    """Cmdlet and registry are two views of one value; policy wins."""
    before = {
        "signing": "(Get-SmbServerConfiguration).RequireSecuritySignature",
        "set": "Set-SmbServerConfiguration -RequireSecuritySignature $true -EnableStrictNameChecking $false -Smb2DialectMin SMB300 -Force",
        "registry": f"Set-ItemProperty '{SERVER}' -Name EncryptData -Value 1 -Type DWord",
        "unknown": "Set-SmbServerConfiguration -AutoDisconnectTimeout 15 -Force",
        "unforced": "Set-SmbServerConfiguration -EncryptData $false",
    }
    answers = ask("ws2025", before)
    assert answers["signing"] == "False"
    assert (answers["set"], answers["registry"]) == ("", "")
    assert answers["unknown"].startswith("!InvalidArgument ParameterBindingException AmbiguousParameter")
    assert answers["unforced"].startswith("!")
    after = {
        "cmdlet": "$c = Get-SmbServerConfiguration; $c.RequireSecuritySignature; $c.EnableStrictNameChecking; $c.Smb2DialectMin; $c.EncryptData",
        "registry": f"$r = Get-ItemProperty '{SERVER}'; $r.RequireSecuritySignature; $r.DisableStrictNameChecking; $r.MinSmb2Dialect",
        "policy": f"New-Item '{POLICY}' -Force | Out-Null; "
        f"Set-ItemProperty '{POLICY}' -Name MinSmb2Dialect -Value 785 -Type DWord; "
        f"(Get-SmbServerConfiguration).Smb2DialectMin",
    }
    assert ask("ws2025", after) == {"cmdlet": "True|False|SMB300|True", "registry": "1|1|768", "policy": "SMB311"}


def test_smb1_is_off_without_its_driver(ask: Ask) -> None:
    """The value alone decides nothing where the feature is not installed."""
    expressions = {
        "on": "(Get-SmbServerConfiguration).EnableSMB1Protocol",
        "off": "Set-SmbServerConfiguration -EnableSMB1Protocol $false -Force; (Get-SmbServerConfiguration).EnableSMB1Protocol",
        "value": f"(Get-ItemProperty '{SERVER}').SMB1",
    }
    assert ask("ws2016", expressions) == {"on": "True", "off": "False", "value": "0"}
    assert ask("ws2019", {"on": "(Get-SmbServerConfiguration).EnableSMB1Protocol"}) == {"on": "False"}


def test_features_wait_for_a_reboot(ask: Ask) -> None:
    """Removing SMB1 leaves it pending, and the sign of it in the registry."""
    pending = (
        "Test-Path 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending'"
    )
    expressions = {
        "before": pending,
        "disable": "(Disable-WindowsOptionalFeature -Online -FeatureName SMB1Protocol -NoRestart).RestartNeeded",
        "state": "(Get-WindowsOptionalFeature -Online -FeatureName SMB1Protocol).State",
        "after": pending,
        "role": "(Uninstall-WindowsFeature FS-SMB1).RestartNeeded; (Get-WindowsFeature FS-SMB1).InstallState",
        "unknown": "Get-WindowsOptionalFeature -Online -FeatureName None",
    }
    answers = ask("ws2016", expressions)
    assert answers.pop("unknown").startswith("!NotSpecified COMException")
    assert answers == {
        "before": "False",
        "disable": "True",
        "state": "DisablePending",
        "after": "True",
        "role": "Yes|UninstallPending",
    }


def test_services_and_shares(ask: Ask) -> None:
    """Start type, state, a share's flags."""
    expressions = {
        "service": "Set-Service Spooler -StartupType Disabled; Stop-Service Spooler; $s = Get-Service Spooler; $s.StartType; $s.Status",
        "wmi": "$s = Get-CimInstance Win32_Service -Filter \"Name='Spooler'\"; $s.StartMode; $s.State",
        "start": "Start-Service Spooler",
        "none": "Get-Service Nothing",
        "share": "Set-SmbShare -Name Software -EncryptData $true -CachingMode None -Force; "
        "$s = Get-SmbShare Software; $s.EncryptData; $s.CachingMode; $s.FolderEnumerationMode",
        "access": "Get-SmbShareAccess Software | ForEach-Object { $_.AccountName + ' ' + $_.AccessControlType + ' ' + $_.AccessRight }",
        "missing": "Get-SmbShare Nothing",
    }
    answers = ask("ws2022", expressions)
    assert answers.pop("none").startswith("!ObjectNotFound")
    assert answers.pop("start").startswith("!OpenError")
    assert answers.pop("missing").startswith("!ObjectNotFound Exception CmdletizationQuery_NotFound_Name")
    assert answers == {
        "service": "Disabled|Stopped",
        "wmi": "Disabled|Stopped",
        "share": "True|None|AccessBased",
        "access": "Everyone Allow Read|BUILTIN\\Administrators Allow Full",
    }


def test_events_and_certificates(ask: Ask) -> None:
    """Logs that do not exist, logs without events, and events with properties."""
    audit = "Microsoft-Windows-SMBServer/Audit"
    answers = ask(
        "ws2016",
        {
            "found": f"$e = @(Get-WinEvent -LogName {audit} -FilterXPath '*[System[(EventID=3000)]]' -MaxEvents 5); "
            f"$e.Count; $e[0].Id; $e[0].Properties[0].Value; $e[0].TimeCreated -gt $e[4].TimeCreated",
            "hash": f"@(Get-WinEvent -FilterHashtable @{{LogName='{audit}'; Id=3000; StartTime=(Get-Date).AddDays(-3)}}).Count",
            "xml": f"([xml](Get-WinEvent -LogName {audit} -MaxEvents 1).ToXml()).Event.UserData.EventData.ClientName",
            "none": f"Get-WinEvent -LogName {audit} -FilterXPath '*[System[EventID=2]]'",
            "no_log": "Get-WinEvent -ListLog Microsoft-Windows-SMBClient/Audit",
            "log": f"$l = Get-WinEvent -ListLog {audit}; $l.IsEnabled; $l.MaximumSizeInBytes; $l.LogMode; $l.RecordCount",
        },
    )
    assert answers.pop("none").startswith("!ObjectNotFound Exception NoMatchingEventsFound")
    assert answers.pop("no_log").startswith("!ObjectNotFound Exception NoMatchingLogsFound")
    assert answers == {
        "found": "5|3000|10.20.9.40|True",
        "hash": "2",
        "xml": "10.20.9.40",
        "log": "True|8388608|Circular|19",
    }
    quic = ask(
        "ws2025-quic",
        {
            "names": "Get-SmbServerCertificateMapping | ForEach-Object { $_.Name + ' ' + $_.RequireClientAuthentication }",
            "days": "Get-SmbServerCertificateMapping | ForEach-Object { $t = $_.Thumbprint; "
            "Get-ChildItem Cert:\\LocalMachine\\My | Where-Object { $_.Thumbprint -eq $t } } | "
            "ForEach-Object { [Math]::Floor(($_.NotAfter - (Get-Date)).TotalDays) }",
            "item": "(Get-Item Cert:\\LocalMachine\\My\\1F0E9D8C7B6A59483726150433221100FFEEDDCC).PublicKey.Key.KeySize",
            "dns": "(Get-Item Cert:\\LocalMachine\\My\\1F0E9D8C7B6A59483726150433221100FFEEDDCC).DnsNameList",
            "access": "Get-SmbClientAccessToServer -Name edge01.corp.example | ForEach-Object { $_.IdentifierType + ' ' + $_.AccessControlType }",
            "port": "(Get-SmbServerAlternativePort).Port",
        },
    )
    assert quic == {
        "names": "edge01.corp.example True|files.example False",
        "days": "200|12",
        "item": "1024",
        "dns": "files.example|www.files.example",
        "access": "ISSUER Allow|SHA256 Deny",
        "port": "8443",
    }


def test_firewall_profiles_merge_policy(ask: Ask) -> None:
    """The active store knows policy and defaults, the persistent one says what is not configured."""
    expressions = {
        "active": 'Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object { "$($_.Name) $($_.Enabled) '
        "$($_.DefaultInboundAction) $($_.AllowLocalFirewallRules) $($_.LogMaxSizeKilobytes) "
        '$($_.NotifyOnListen)" }',
        "local": "(Get-NetFirewallProfile -Name Public).DefaultInboundAction; (Get-NetFirewallProfile -Name Public).AllowLocalFirewallRules",
    }
    assert ask("ws2019-hardened", expressions) == {
        "active": "|".join(f"{name} True Block False 16384 False" for name in ("Domain", "Private", "Public")),
        "local": "NotConfigured|NotConfigured",
    }
