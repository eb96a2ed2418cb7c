# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What native tools, the task scheduler and a reboot change on a simulated host, as Windows documents it."""

from __future__ import annotations

import pathlib

from .conftest import Ask

SERVICES = "SYSTEM\\CurrentControlSet\\Services"
SHARE_AUDIT = "{0CCE9224-69AE-11D9-BED3-505054503030}"
WRITE = "$file = \"$env:TEMP\\{0}.inf\".Replace('\\', '/'); [IO.File]::WriteAllLines($file, [string[]]({1}), [Text.Encoding]::Unicode); "
CONFIGURE = 'secedit.exe /configure /db "$file.sdb" /cfg $file /areas {0} /quiet; $LASTEXITCODE'


def test_secedit_configures_what_its_areas_allow(ask: Ask) -> None:
    """One template with two sections, once per area."""
    lines = "'[Unicode]','Unicode=yes','[System Access]','LSAAnonymousNameLookup = 1','NewGuestName = \"Visitor\"',"
    lines += "'[Privilege Rights]','SeNetworkLogonRight = *S-1-5-11,Guest','SeBatchLogonRight =','[Version]','signature=\"$CHICAGO$\"','Revision=1'"
    export = 'secedit.exe /export /cfg "$file.out" /quiet; @([IO.File]::ReadAllLines("$file.out") | Where-Object {{ $_ -match "{0}" }})'
    wanted = "^(LSAAnonymousNameLookup|NewGuestName|SeNetworkLogonRight|SeBatchLogonRight)"
    write = WRITE.format("all", lines)
    answers = ask(
        "ws2022",
        {
            "policy": write + CONFIGURE.format("SECURITYPOLICY") + "; " + export.format(wanted),
            "rights": write + CONFIGURE.format("USER_RIGHTS") + "; " + export.format(wanted),
        },
    )
    policy = answers["policy"].split("|")
    assert policy[0] == "0" and {"LSAAnonymousNameLookup = 1", 'NewGuestName = "Visitor"'} <= set(policy)
    assert "SeNetworkLogonRight = *S-1-5-11,Guest" not in answers["policy"]
    assert "SeNetworkLogonRight = *S-1-5-11,Guest" in answers["rights"] and "SeBatchLogonRight" not in answers["rights"]


def test_auditpol_sets_one_half_and_leaves_the_other(ask: Ask) -> None:
    """By GUID; what is no subcategory is a wrong parameter."""
    read = 'auditpol.exe /backup "/file:$env:TEMP/a.csv"; $lines = [IO.File]::ReadAllLines("$env:TEMP/a.csv"); '
    read += f"@($lines | Where-Object {{ $_ -like '*{SHARE_AUDIT}*' }})[0].Split(',')[-1]"
    answers = ask(
        "ws2019-de",
        {
            "both": f'auditpol.exe /set "/subcategory:{SHARE_AUDIT}" /success:enable /failure:enable; {read}',
            "half": f'auditpol.exe /set "/subcategory:{SHARE_AUDIT}" /success:disable; {read}',
            "wrong": 'auditpol.exe /set "/subcategory:{00000000-0000-0000-0000-000000000000}" /success:enable; $LASTEXITCODE',
        },
    )
    assert (answers["both"], answers["half"], answers["wrong"]) == ("3", "2", "87")


def test_event_logs_and_services_and_adapters(ask: Ask) -> None:
    """Sizes are whole 64 KB; "auto" is not delayed; NetBIOS listens or not at once."""
    log = "Microsoft-Windows-NTLM/Operational"
    key = f"HKLM:\\{SERVICES}\\Spooler"
    answers = ask(
        "ws2022",
        {
            "size": f"wevtutil.exe sl {log} /ms:2000000 /e:false; $l = Get-WinEvent -ListLog {log}; $l.MaximumSizeInBytes; $l.IsEnabled",
            "no_log": "wevtutil.exe sl Nothing /e:true; $LASTEXITCODE",
            "auto": f"Set-ItemProperty '{key}' -Name DelayedAutostart -Value 1 -Type DWord; "
            f"$null = sc.exe config Spooler start= auto; (Get-ItemProperty '{key}').DelayedAutostart",
            "word": "$null = sc.exe config Spooler start= never; $LASTEXITCODE",
            "netbios": "$a = @(Get-CimInstance Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=TRUE')[0]; "
            "(Invoke-CimMethod -InputObject $a -MethodName SetTcpipNetbios -Arguments @{ TcpipNetbiosOptions = [uint32]2 }).ReturnValue; "
            '@(netstat.exe -ano | Where-Object { $_ -match "$(@($a.IPAddress)[0]):139 " }).Count',
            "kernel": "$a = @(Get-CimInstance Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=FALSE')[0]; "
            "(Invoke-CimMethod -InputObject $a -MethodName SetTcpipNetbios -Arguments @{ TcpipNetbiosOptions = [uint32]2 }).ReturnValue",
        },
    )
    assert answers == {
        "size": "1966080|False",
        "no_log": "15007",
        "auto": "0",
        "word": "87",
        "netbios": "0|0",
        "kernel": "84",
    }


def test_services_that_others_need(ask: Ask) -> None:
    """Only -Force stops them; a restart starts what it stopped."""
    answers = ask(
        "ws2022-dc",
        {
            "plain": "Restart-Service LanmanWorkstation",
            "needed": "(Get-Service LanmanWorkstation).DependentServices | Where-Object { $_.Status -eq 'Running' } | ForEach-Object { $_.ServiceName }",
            "force": "Restart-Service LanmanWorkstation -Force; (Get-Service LanmanWorkstation).Status; (Get-Service Netlogon).Status",
        },
    )
    assert answers["plain"].startswith("!InvalidOperation")
    assert "Netlogon" in answers["needed"].split("|") and answers["force"] == "Running|Running"


def test_rights_to_change(ask: Ask) -> None:
    """Who is no administrator changes nothing, and each tool says so with its own number."""
    answers = ask(
        "ws2022",
        {
            "sc": "$null = sc.exe config Spooler start= disabled; $LASTEXITCODE",
            "auditpol": f'$null = auditpol.exe /set "/subcategory:{SHARE_AUDIT}" /success:enable; $LASTEXITCODE',
            "wevtutil": "wevtutil.exe sl Security /e:false; $LASTEXITCODE",
            "schtasks": "schtasks.exe /Create /TN x /XML none /F; $LASTEXITCODE",
            "key": "(Get-Item HKLM:\\).OpenSubKey('SOFTWARE', $true)",
        },
        "auditor",
    )
    assert [answers[tool] for tool in ("sc", "auditpol", "wevtutil", "schtasks")] == ["5", "1314", "5", "1"]
    assert "SecurityException" in answers["key"]


def test_a_reboot_takes_smb1_with_its_drivers_and_brings_them_back(tmp_path: pathlib.Path) -> None:
    """The keys of the component go with it; the dependency on its driver too."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host = SimulatedHost("ws2012r2", tmp_path)
    workstation = f"{SERVICES}\\LanmanWorkstation"
    before = host.document()["registry"]
    host.run(Exec("psrp", "Disable-WindowsOptionalFeature -Online -FeatureName SMB1Protocol -NoRestart"))
    assert host.document()["features"]["SMB1Protocol"] == "DisablePending"
    host.run(Exec("psrp", "shutdown.exe /r /t 5"))
    host.run(Exec("psrp", "1"))
    state = host.document()
    assert (state["boots"], state["features"]["SMB1Protocol"], state["server_features"]["FS-SMB1"]) == (
        1,
        2,
        "Available",
    )
    assert not {f"{SERVICES}\\srv", f"{SERVICES}\\mrxsmb10"} & state["registry"].keys()
    assert "MRxSmb10" not in state["registry"][workstation]["DependOnService"][1]
    assert not [key for key in state["registry"] if key.endswith("RebootPending")]
    host.run(Exec("psrp", "Enable-WindowsOptionalFeature -Online -FeatureName SMB1Protocol -NoRestart"))
    host.reboot()
    assert host.document()["registry"][f"{SERVICES}\\srv"] == before[f"{SERVICES}\\srv"]


def test_a_disabled_driver_with_its_dependency_kept_leaves_no_workstation(tmp_path: pathlib.Path) -> None:
    """As Microsoft's page on SMB1 warns."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host = SimulatedHost("ws2012r2", tmp_path)
    host.run(Exec("psrp", "sc.exe config mrxsmb10 start= disabled"))
    assert host.document()["services"]["LanmanWorkstation"]["state"] == "Running"
    host.reboot()
    assert host.document()["services"]["LanmanWorkstation"]["state"] == "Stopped"
    host.run(Exec("psrp", "sc.exe config LanmanWorkstation depend= Bowser/MRxSmb20/NSI"))
    host.reboot()
    assert host.document()["services"]["LanmanWorkstation"]["state"] == "Running"


def test_tasks_run_by_time_late_and_at_the_start(tmp_path: pathlib.Path) -> None:
    """As SYSTEM; a time that passed while the host was off counts only where the task says so."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    call = "New-Item -Path HKLM:\\SOFTWARE\\{0} -Value (whoami.exe) | Out-Null"
    task = (
        "<Task><Triggers>{triggers}</Triggers><Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals>"
        "<Settings><StartWhenAvailable>{late}</StartWhenAvailable></Settings><Actions><Exec><Command>powershell.exe</Command>"
        '<Arguments>-NoProfile -Command "{call}"</Arguments></Exec></Actions></Task>'
    )
    time = "<TimeTrigger><StartBoundary>2020-01-01T00:00:00Z</StartBoundary></TimeTrigger>"
    host = SimulatedHost("ws2022", tmp_path)
    for name, triggers, late in (("Soon", time, "false"), ("Late", time, "true"), ("Boot", "<BootTrigger />", "false")):
        (tmp_path / f"{name}.xml").write_text(
            task.format(triggers=triggers, late=late, call=call.format(name)), encoding="utf-16"
        )
        host.run(Exec("psrp", f"schtasks.exe /Create /TN \\Lab\\{name} /XML '{tmp_path / name}.xml' /F"))
    assert host.reboot(off=10) == ["\\Lab\\Late", "\\Lab\\Boot"]
    assert host.wait(1) == ["\\Lab\\Soon", "\\Lab\\Late"] and host.wait(1) == []
    registry = host.document()["registry"]
    assert all("system" in registry[f"SOFTWARE\\{name}"][""][1] for name in ("Soon", "Late", "Boot"))
    host.run(Exec("psrp", "schtasks.exe /Delete /TN \\Lab\\Boot /F"))
    assert host.reboot() == []


def test_access_lists_of_directories(ask: Ask, tmp_path: pathlib.Path) -> None:
    """What is below ProgramData is readable for users, until it is protected."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    change = "$a.SetSecurityDescriptorSddlForm('O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)', 'Owner, Access'); Set-Acl -Path '{0}' -AclObject $a; "
    answers = ask(
        "ws2022",
        {
            "before": f"(Get-Acl -Path '{folder}').Sddl",
            "after": f"$a = Get-Acl -Path '{folder}'; " + change.format(folder) + f"(Get-Acl -Path '{folder}').Sddl",
            "none": "Get-Acl -Path /no/such/folder",
        },
    )
    assert "D:AI(" in answers["before"] and ";BU)" in answers["before"]
    assert answers["after"] == "O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
    assert answers["none"].startswith("!ObjectNotFound ItemNotFoundException")
