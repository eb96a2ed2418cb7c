# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a careful administrator would do to seven hosts for the recommended profile, written by hand.

Sources: Microsoft's documentation of each setting, "Detect, enable and disable SMBv1, SMBv2, and SMBv3 in Windows", the
security policy reference, and what each host's data says of it. Nothing here comes from the property table.
"""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.edit import edit

from .test_edit import answered, judged

LSA = "SYSTEM\\CurrentControlSet\\Control\\Lsa"
MSV = f"{LSA}\\MSV1_0"
SERVER = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
CLIENT = "SYSTEM\\CurrentControlSet\\Services\\LanmanWorkstation\\Parameters"
WORKSTATION = "SYSTEM\\CurrentControlSet\\Services\\LanmanWorkstation"
DNS = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient"
PRINTERS = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\Printers"
HARDENED = "SOFTWARE\\Policies\\Microsoft\\Windows\\NetworkProvider\\HardenedPaths"
ETHERNET = "{8F1C5A2E-3D47-4B6A-9C51-0D2E4F6A7B81}"
OF_DOMAIN = "RequireMutualAuthentication=1, RequireIntegrity=1"
NOTHING = ("absent", None)


def dword(value):
    return ("dword", value)


def registry(key, name, before, after, restart="none"):
    return ("registry", key, name, before, after, restart)


def cmdlet(side, name, before, after, restart="none"):
    kind = {bool: "boolean", int: "integer", str: "text"}[after.__class__]
    return (f"{side}_property", "", name, (kind, before), (kind, after), restart)


def number(kind, target, before, after, name="", restart="none"):
    return (kind, target, name, ("integer", before), ("integer", after), restart)


def audit(guid, before, after):
    return number("audit", f"{{0CCE{guid}-69AE-11D9-BED3-505054503030}}", before, after)


# Every host as delivered: LLMNR, NTLM, anonymous, remote printing, NetBIOS, rights, and what is recorded.
EVERYWHERE = [
    registry(DNS, "EnableMulticast", NOTHING, dword(0)),
    registry(LSA, "LmCompatibilityLevel", NOTHING, dword(5)),
    registry(LSA, "RestrictAnonymous", dword(0), dword(1), "reboot"),
    registry(MSV, "AuditReceivingNTLMTraffic", NOTHING, dword(2)),
    registry(MSV, "NTLMMinClientSec", dword(0x20000000), dword(0x20080000)),
    registry(MSV, "NTLMMinServerSec", dword(0x20000000), dword(0x20080000)),
    registry(MSV, "RestrictSendingNTLMTraffic", NOTHING, dword(1)),
    registry(PRINTERS, "RegisterSpoolerRemoteRpcEndPoint", NOTHING, dword(2), "restart"),
    number("netbios", ETHERNET, 0, 2),
    (
        "right",
        "SeNetworkLogonRight",
        "",
        ("list", ["*S-1-1-0", "*S-1-5-32-544", "*S-1-5-32-545", "*S-1-5-32-551"]),
        ("list", ["*S-1-5-11", "*S-1-5-32-544"]),  # Everyone and Users become Authenticated Users
        "none",
    ),
    ("right", "SeDenyNetworkLogonRight", "", ("list", ["Guest"]), ("list", ["Guest", "*S-1-5-32-546"]), "none"),
    audit("9217", 1, 3),  # Account Lockout: failure too
    audit("9244", 0, 2),  # Detailed File Share: failure
    audit("9224", 0, 3),  # File Share
    audit("9232", 0, 3),  # MPSSVC Rule-Level Policy Change
]
# Servers audit logons already, but of the validation of credentials only success; nobody prints on a file server.
ON_SERVERS = [audit("923F", 1, 3), number("service", "Spooler", 2, 4)]
NO_LOCKOUT = [number("secedit", "System Access", 0, 10, "LockoutBadCount")]
SHORT_LOCKOUT = [
    number("secedit", "System Access", 10, 15, "LockoutDuration"),
    number("secedit", "System Access", 10, 15, "ResetLockoutCount"),
]
NTLM_LOG = [number("event_log", "Microsoft-Windows-NTLM/Operational", 1048576, 8388608, "size")]
# Before Windows 10 clients demand nothing of NETLOGON and SYSVOL; before 1607 everybody may ask the SAM from afar.
BEFORE_10 = [
    registry(HARDENED, "\\\\*\\NETLOGON", NOTHING, ("sz", OF_DOMAIN)),
    registry(HARDENED, "\\\\*\\SYSVOL", NOTHING, ("sz", OF_DOMAIN)),
    registry(LSA, "RestrictRemoteSAM", NOTHING, ("sz", "O:BAG:BAD:(A;;RC;;;BA)")),
]
CLIENT_SIGNS = [cmdlet("client", "RequireSecuritySignature", False, True)]
SERVER_SIGNS = [cmdlet("server", "RequireSecuritySignature", False, True)]
AUDIT_SMB1 = [cmdlet("server", "AuditSmb1Access", False, True)]
# The client's dialects have a cmdlet from 24H2 on, before that only the registry (since 1709): 0x300 is SMB 3.0.
CLIENT_FLOOR = [registry(CLIENT, "MinSmb2Dialect", NOTHING, dword(0x300))]
SINCE_24H2 = [
    cmdlet("client", "Smb2DialectMin", "None", "SMB300"),
    cmdlet("server", "Smb2DialectMin", "None", "SMB300"),
    cmdlet("client", "AuditInsecureGuestLogon", False, True),
    cmdlet("client", "AuditServerDoesNotSupportEncryption", False, True),
    cmdlet("client", "AuditServerDoesNotSupportSigning", False, True),
    cmdlet("server", "AuditInsecureGuestLogon", False, True),
    cmdlet("server", "AuditClientDoesNotSupportEncryption", False, True),
    cmdlet("server", "AuditClientDoesNotSupportSigning", False, True),
]

EXPECTED = {
    "ws2008r2": [
        *EVERYWHERE,
        *ON_SERVERS,
        *NO_LOCKOUT,
        *BEFORE_10,
        registry(CLIENT, "RequireSecuritySignature", dword(0), dword(1), "restart"),  # no cmdlets before 2012
        registry(SERVER, "RequireSecuritySignature", dword(0), dword(1), "restart"),
        registry(SERVER, "SMB1", NOTHING, dword(0), "reboot"),
        registry(
            WORKSTATION,
            "DependOnService",
            ("multi_sz", ["Bowser", "MRxSmb10", "MRxSmb20", "NSI"]),
            ("multi_sz", ["Bowser", "MRxSmb20", "NSI"]),
            "reboot",
        ),
        number("service", "mrxsmb10", 3, 4, restart="reboot"),
    ],
    "ws2012r2": [
        *EVERYWHERE,
        *ON_SERVERS,
        *NO_LOCKOUT,
        *BEFORE_10,
        *NTLM_LOG,
        *CLIENT_SIGNS,  # the server's side was switched on by hand
        cmdlet("server", "EnableSMB1Protocol", True, False),
        registry(
            WORKSTATION,
            "DependOnService",
            ("multi_sz", ["Bowser", "MRxSmb10", "MRxSmb20", "NSI"]),
            ("multi_sz", ["Bowser", "MRxSmb20", "NSI"]),
            "reboot",
        ),
        number("service", "mrxsmb10", 2, 4, restart="reboot"),
        ("role_feature", "FS-SMB1", "", ("text", "installed"), ("text", "available"), "reboot"),
    ],
    "ws2016": [
        *EVERYWHERE,
        *ON_SERVERS,
        *NO_LOCKOUT,
        *NTLM_LOG,
        *CLIENT_SIGNS,
        *SERVER_SIGNS,
        number("service", "Browser", 3, 4),
        cmdlet("client", "EnableInsecureGuestLogons", True, False),  # off by default since 1709 only
        cmdlet("server", "EnableSMB1Protocol", True, False),
        number("service", "mrxsmb10", 2, 4, restart="reboot"),  # here Workstation does not depend on it
        ("role_feature", "FS-SMB1", "", ("text", "installed"), ("text", "available"), "reboot"),
    ],
    "ws2019": [
        *EVERYWHERE,
        *ON_SERVERS,
        *NO_LOCKOUT,
        *NTLM_LOG,
        *CLIENT_SIGNS,
        *SERVER_SIGNS,
        *AUDIT_SMB1,
        *CLIENT_FLOOR,
    ],
    "ws2022": [
        *EVERYWHERE,
        *ON_SERVERS,
        *NO_LOCKOUT,
        *NTLM_LOG,
        *CLIENT_SIGNS,
        *SERVER_SIGNS,
        *AUDIT_SMB1,
        *CLIENT_FLOOR,
    ],
    "ws2025": [
        *EVERYWHERE,
        *ON_SERVERS,
        *SHORT_LOCKOUT,
        *NTLM_LOG,
        *SERVER_SIGNS,  # the client signs by default, the server does not say so
        *AUDIT_SMB1,
        *SINCE_24H2,
    ],
    "win11-24h2": [
        *EVERYWHERE,
        audit("9215", 1, 3),  # Logon
        audit("923F", 0, 3),  # Credential Validation
        *SHORT_LOCKOUT,
        *NTLM_LOG,
        *AUDIT_SMB1,
        *SINCE_24H2,
    ],
}
REFUSED = {
    "ws2008r2": {"win-account-lockout-duration", "win-account-lockout-reset", "win-share-permissions"},
    "ws2012r2": {"win-account-lockout-duration", "win-account-lockout-reset", "win-smb-signing-live"},
    "ws2016": {
        "win-account-lockout-duration",
        "win-account-lockout-reset",
        "win-admin-lockout",
        "win-share-permissions",
        "win-smb-signing-live",
    },
    "ws2019": {
        "win-account-lockout-duration",
        "win-account-lockout-reset",
        "win-admin-lockout",
        "win-share-permissions",
    },
    "ws2022": {
        "win-account-lockout-duration",
        "win-account-lockout-reset",
        "win-admin-lockout",
        "win-smb-multichannel-interfaces",
        "win-smb-signing-live",
    },
    "ws2025": set(),
    "win11-24h2": set(),
}


@pytest.fixture(scope="module")
def planned():
    """Return what the editor makes of each host's failing findings."""
    return {host: edited(host) for host in EXPECTED}


def edited(host):
    collected = answered(host, "admin")
    read, wanted = judged(collected, "recommended")
    return edit(wanted, collected, read.facts, catalogue.settings("windows"))


def line(step):
    before, after = ((native.type, native.value) for native in (step.before, step.after))
    return (step.kind, step.target, step.name, before, after, step.restart)


@pytest.mark.parametrize("host", EXPECTED)
def test_the_steps_are_those_of_a_careful_administrator(planned, host):
    found = sorted(map(repr, map(line, planned[host].steps)))
    assert found == sorted(map(repr, EXPECTED[host]))


@pytest.mark.parametrize("host", EXPECTED)
def test_what_no_step_does_is_said(planned, host):
    assert {blocked.control for blocked in planned[host].refused} == REFUSED[host]


@pytest.mark.parametrize("host", EXPECTED)
def test_the_order_is_that_of_the_list_where_it_matters(planned, host):
    """SMB 1.0 from the server to the feature; a lockout's duration before its reset, which may not be longer."""
    matters = [line for line in EXPECTED[host] if line[0] == "role_feature" or line[2] in ("SMB1", "DependOnService")]
    matters += [item for item in EXPECTED[host] if "mrxsmb10" in item or item[2] == "EnableSMB1Protocol"]
    matters += SHORT_LOCKOUT if SHORT_LOCKOUT[0] in EXPECTED[host] else NO_LOCKOUT
    found = [item for item in map(line, planned[host].steps) if item in matters]
    assert found == sorted(found, key=[*NO_LOCKOUT, *SHORT_LOCKOUT, *EXPECTED[host]].index)


# What people read: address, before, after.
ADDRESSES = {
    "ws2016": {
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa!RestrictAnonymous": (0, 1),
        "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient!EnableMulticast": (None, 0),
        "Set-SmbServerConfiguration EnableSMB1Protocol": (True, False),
        "Set-SmbClientConfiguration RequireSecuritySignature": (False, True),
        "service mrxsmb10": ("automatic", "disabled"),
        "service Browser": ("manual", "disabled"),
        "feature FS-SMB1": ("installed", "available"),
        "user right SeDenyNetworkLogonRight": (["Guest"], ["Guest", "*S-1-5-32-546"]),
        "auditpol {0CCE9224-69AE-11D9-BED3-505054503030}": (0, 3),
        "secedit [System Access] LockoutBadCount": (0, 10),
        "NetBIOS of Ethernet": (0, 2),
        "event log Microsoft-Windows-NTLM/Operational size": (1048576, 8388608),
    },
    "ws2008r2": {
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters!SMB1": (None, 0),
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanWorkstation!DependOnService": (
            ["Bowser", "MRxSmb10", "MRxSmb20", "NSI"],
            ["Bowser", "MRxSmb20", "NSI"],
        ),
        "NetBIOS of vmxnet3 Ethernet Adapter": (0, 2),
    },
}


@pytest.mark.parametrize("host", ADDRESSES)
def test_changes_are_written_as_people_write_them(planned, host):
    found = {change.address: (change.before, change.after) for change in planned[host].changes}
    assert {address: found.get(address) for address in ADDRESSES[host]} == ADDRESSES[host]


def test_changes_tell_where_the_old_value_came_from(planned):
    origins = {change.address: change.origin for change in planned["ws2016"].changes}
    assert origins["Set-SmbServerConfiguration EnableSMB1Protocol"].kind == "default"
    assert origins["secedit [System Access] LockoutBadCount"].kind in ("local", "unknown")


def test_a_cmdlet_carries_the_registry_value_behind_it(planned):
    steps = {step.name: step for step in planned["ws2016"].steps if step.kind.endswith("_property")}
    twins = {name: (step.twin.key, step.twin.name, step.twin.before.type) for name, step in steps.items()}
    assert twins["EnableSMB1Protocol"] == (SERVER, "SMB1", "absent")
    assert twins["EnableInsecureGuestLogons"] == (CLIENT, "AllowInsecureGuestAuth", "absent")
    assert twins["RequireSecuritySignature"] in (
        (SERVER, "RequireSecuritySignature", "dword"),
        (CLIENT, "RequireSecuritySignature", "dword"),
    )
