# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controls that rest on what readers derive, judged on small hosts: from the collector's answer to the verdict."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact
from tests.lab.small_windows import (
    CONTROLLER,
    DENIED,
    LACKING,
    PROFILES,
    SERVER_KEY,
    SERVICES,
    STANDALONE,
    WORKSTATION,
    answer,
    findings,
    profile,
    read,
    registry,
    service,
    verdict,
)

SMB1 = ("win-smb1-feature-absent", "win-smb1-server-off", "win-smb1-client-driver-off", "win-smb1-client-dependency")
BOUND = service("LanmanWorkstation", 2, "Running", "Bowser", "MRxSmb10", "MRxSmb20", "NSI")
REST = [item for item in SERVICES if item["name"] != "LanmanWorkstation"]
ON = [service("srv", 3), service("mrxsmb10", 2)]
OFF = [service("srv", 3, "Stopped"), service("mrxsmb10", 4, "Stopped")]
LEAVING = [service("srv", 3), service("mrxsmb10", 4, "Running")]
DELETED = [service("srv", 3, "Running", deleted=True), service("mrxsmb10", 2, "Running", deleted=True)]
SWITCHED_OFF = registry(**{SERVER_KEY: {"SMB1": 0}})
PENDING = {"cbs": True, "windows_update": False, "file_rename": False, "cbs_in_progress": False}


def host(build, services, feature=None, **more):
    if feature is not None:
        more |= {"host__features": {"SMB1Protocol": feature}, "host__server_features": LACKING}
    return answer(build, 1, host__services=[*REST, *services], **more)


# The five states of SMB 1.0, and what each means per release.
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(host(17763, [WORKSTATION], 2), "pass pass pass pass", id="2019 as installed"),
        pytest.param(host(20348, [WORKSTATION], 3), "pass pass pass pass", id="2022 without its payload"),
        pytest.param(host(14393, [WORKSTATION, *ON], 1), "fail fail fail pass", id="2016 as installed"),
        pytest.param(
            host(14393, [WORKSTATION, *OFF], 1, windows__registry=SWITCHED_OFF),
            "fail pass pass pass",
            id="2016 switched off",
        ),
        pytest.param(host(9600, [BOUND, *ON], 1), "fail fail fail fail", id="2012 R2 as installed"),
        pytest.param(
            host(9600, [BOUND, *OFF], 1, windows__registry=SWITCHED_OFF),
            "fail pass pass fail",
            id="2012 R2 with the dependency left in place",
        ),
        pytest.param(
            host(14393, [WORKSTATION, *LEAVING], 1, windows__registry=SWITCHED_OFF),
            "fail pass fail pass",
            id="the driver is disabled and runs until the reboot",
        ),
        pytest.param(
            host(
                14393,
                [WORKSTATION, *DELETED],
                2,
                host__reboot=PENDING,
                host__feature_pending={"SMB1Protocol": "DisablePending"},
            ),
            "fail fail fail pass",
            id="removal waits for the reboot",
        ),
        pytest.param(
            answer(7601, None, host__services=[*REST, BOUND, *ON], host__features=LACKING, host__server_features={}),
            "not_applicable fail fail fail",
            id="2008 R2 as installed",
        ),
        pytest.param(
            answer(
                7601,
                None,
                host__services=[*REST, WORKSTATION, *OFF],
                host__features=LACKING,
                windows__registry=SWITCHED_OFF,
            ),
            "not_applicable pass pass pass",
            id="2008 R2 hardened",
        ),
        pytest.param(
            answer(host__services=DENIED, host__features=DENIED, host__server_features=DENIED),
            "unknown unknown unknown unknown",
            id="denied",
        ),
    ],
)
def test_states_of_smb1(state, expected):
    assert " ".join(verdict(state, control) for control in SMB1) == expected


def test_the_cause_of_a_driver_that_still_runs_is_the_reboot():
    (finding,) = findings(read(host(14393, [WORKSTATION, *LEAVING], 1)), "win-smb1-client-driver-off")
    assert finding.cause == "pending reboot"
    assert "running" in finding.why


# Shares.
def share(name, sddl, **more):
    return {
        "name": name,
        "path": "C:\\s",
        "special": False,
        "type": "FileSystemDirectory",
        "scope": "*",
        "sddl": sddl,
    } | more


EVERYBODY_READS, EVERYBODY_OWNS = "D:(A;;0x1200a9;;;WD)(A;;FA;;;BA)", "D:(A;;FA;;;WD)"


def test_what_windows_grants_on_a_domain_controller_is_no_finding_but_what_somebody_added_is():
    control = "win-share-permissions"
    given = [share("SYSVOL", EVERYBODY_READS), share("NETLOGON", EVERYBODY_READS), share("print$", EVERYBODY_READS)]
    assert verdict(answer(role=CONTROLLER, windows__shares=given), control, "strict") == "pass"
    assert verdict(answer(windows__shares=given[:1]), control, "strict") == "fail"  # a member has no SYSVOL of its own
    opened = [share("SYSVOL", EVERYBODY_OWNS), *given[1:]]
    (finding,) = findings(read(answer(role=CONTROLLER, windows__shares=opened)), control)
    assert (finding.object, finding.verdict) == ("SYSVOL", "fail")
    assert "SYSVOL" in finding.remedy


@pytest.mark.parametrize(
    ("sddl", "recommended", "strict", "legacy"),
    [
        ("D:(A;;FA;;;BA)", "pass", "pass", "pass"),
        (EVERYBODY_READS, "pass", "fail", "pass"),
        ("D:(A;;0x1301bf;;;WD)", "fail", "fail", "pass"),
        (EVERYBODY_OWNS, "fail", "fail", "fail"),
        ("D:(A;;0x1200a9;;;AN)", "fail", "fail", "fail"),
        ("D:(A;;0x1200a9;;;BG)", "fail", "fail", "fail"),
        ("D:(A;;0x1200a9;;;S-1-5-21-1-2-3-501)", "fail", "fail", "fail"),
        (None, "unknown", "unknown", "unknown"),
    ],
)
def test_permissions_of_a_share(sddl, recommended, strict, legacy):
    state = answer(windows__shares=[share("docs", sddl)])
    found = [verdict(state, "win-share-permissions", profile) for profile in ("recommended", "strict", "legacy")]
    assert found == [recommended, strict, legacy]


SHARES = ("win-share-permissions", "win-share-abe", "win-share-no-offline-cache", "win-smb-share-encrypt-data")


@pytest.mark.parametrize("control", SHARES)
def test_a_list_of_shares_that_cannot_be_read_is_unknown(control):
    assert verdict(answer(windows__shares=DENIED), control, "strict") == "unknown"
    assert verdict(answer(windows__shares=[]), control, "strict") == "unknown"  # a server that runs has IPC$
    only = [{"name": "IPC$", "special": True, "type": "InterprocessCommunication"}]
    assert verdict(answer(windows__shares=only), control, "strict") == "not_applicable"
    assert verdict(answer(windows__shares=DENIED), "win-share-inventory") == "unknown"
    assert verdict(answer(windows__shares=only), "win-share-inventory") == "pass"


def test_settings_of_shares():
    good = share("a", "D:(A;;FA;;;BA)", encrypt=True, caching="None", enumeration="AccessBased")
    bad = share("b", "D:(A;;FA;;;BA)", encrypt=False, caching="Manual", enumeration="Unrestricted")
    special = share("C$", "D:(A;;FA;;;WD)", special=True, encrypt=False)
    for control in SHARES[1:]:
        found = findings(read(answer(windows__shares=[good, bad, special])), control, "strict")
        assert [(item.object, item.verdict) for item in found] == [("b", "fail")], control
        assert verdict(answer(windows__shares=[good, special]), control, "strict") == "pass"


def test_a_server_that_encrypts_everything_needs_no_flag_per_share():
    state = answer(
        windows__shares=[share("b", "D:", encrypt=False)], windows__server_configuration={"EncryptData": True}
    )
    assert verdict(state, "win-smb-share-encrypt-data", "strict") == "pass"


# NetBIOS and listeners.
@pytest.mark.parametrize(
    ("option", "expected"), [(2, "pass"), (0, "fail"), (1, "fail"), (None, "fail"), (7, "unknown")]
)
def test_only_two_turns_netbios_off(option, expected):
    netbt = [{"guid": "{A}", "options": 2}, {"guid": "{B}", "options": option}]
    assert verdict(answer(host__netbt=netbt), "win-netbt-nic-disabled") == expected


def listener(port, proto="tcp", pid=4, process="System"):
    return {"proto": proto, "address": "0.0.0.0", "port": port, "pid": pid, "process": process}


@pytest.mark.parametrize(
    ("option", "found", "expected"),
    [
        (2, [listener(445)], "pass"),
        (2, [listener(445), listener(139)], "fail"),  # disabled, and not in force yet
        (2, [listener(137, "udp")], "fail"),
        (0, [listener(445), listener(139), listener(137, "udp"), listener(138, "udp")], "pass"),
        (2, [listener(445, pid=812, process="relay.exe")], "fail"),
        (2, [listener(5445)], "fail"),
        (2, DENIED, "unknown"),
    ],
)
def test_listeners(option, found, expected):
    state = answer(host__netbt=[{"guid": "{A}", "options": option}], host__listeners=found)
    assert verdict(state, "win-listening-ports") == expected


# Who is asked at all.
@pytest.mark.parametrize(
    ("control", "asked", "not_asked"),
    [
        ("win-unc-hardened-sysvol", answer(), answer(role=STANDALONE)),
        ("win-wins-not-installed", answer(), answer(19045, 1, server=False)),
        ("win-smb-multichannel-interfaces", answer(), answer(19045, 1, server=False)),
        ("win-quic-alt-ports", answer(26100, 33650), answer(20348)),
        ("win-smb-event-channels", answer(windows__event_logs=DENIED), answer(7601, None)),
        ("win-smb-signing-live", answer(windows__sessions=DENIED), answer(7601, None)),
    ],
)
def test_a_host_without_the_feature_is_not_asked(control, asked, not_asked):
    assert verdict(asked, control) != "not_applicable"
    assert verdict(not_asked, control) == "not_applicable"


def test_the_default_of_hardened_paths_depends_on_the_release():
    for control in ("win-unc-hardened-sysvol", "win-unc-hardened-netlogon"):
        assert verdict(answer(17763, 1), control) == "pass"
        assert verdict(answer(9600, 1), control) == "fail"
        assert verdict(answer(17763, 1), control, "strict") == "fail"


def test_wins():
    assert verdict(answer(), "win-wins-not-installed") == "pass"
    assert verdict(answer(host__services=[*SERVICES, service("WINS")]), "win-wins-not-installed") == "fail"
    assert verdict(answer(host__services=DENIED), "win-wins-not-installed") == "unknown"


def test_a_server_on_a_public_network():
    public = [{"interface": 3, "alias": "Ethernet", "category": "Public"}]
    assert verdict(answer(), "win-smb-multichannel-interfaces") == "pass"
    assert verdict(answer(host__networks=public), "win-smb-multichannel-interfaces") == "fail"


# The firewall.
def fw(rules=(), off=(), active=None, **more):
    local = {name: {"EnableFirewall": 0 if name in off else 1} for name in PROFILES}
    running = [profile(name, enabled=str(name not in off)) for name in PROFILES]
    more |= {"host__firewall_profiles": {"local": local, "policy": {}}, "host__firewall_active": active or running}
    return answer(host__firewall_rules={"local": dict(rules), "policy": {}, "policy_key": False}, **more)


def rule(name, profiles, scope="", action="Allow", port=445, direction="In"):
    named = "".join(f"Profile={item}|" for item in profiles)
    side = "LPort" if direction == "In" else "RPort"
    return (
        name,
        f"v2.31|Action={action}|Active=TRUE|Dir={direction}|Protocol=6|{named}{side}={port}|{scope}App=System|Name=n|",
    )


REACH = "win-fw-block-445-inbound-external"


@pytest.mark.parametrize(
    ("state", "server", "workstation"),
    [
        pytest.param({}, "pass", "pass", id="no rule"),
        pytest.param({"off": ["public"]}, "fail", "fail", id="off is open"),
        pytest.param({"off": ["domain"]}, "pass", "fail", id="off on domain networks"),
        pytest.param({"rules": [rule("A", ["Domain"])]}, "pass", "fail", id="anybody on domain networks"),
        pytest.param(
            {"rules": [rule("A", ["Domain"], "RA4=10.9.8.0/255.255.255.0|")]}, "pass", "pass", id="management only"
        ),
        pytest.param({"rules": [rule("A", ["Private"], "RA4=LocalSubnet|")]}, "pass", "fail", id="neighbours"),
        pytest.param(
            {"rules": [rule("A", ["Public"], "RA4=LocalSubnet|")]}, "fail", "fail", id="neighbours in a hotel"
        ),
        pytest.param({"rules": [rule("A", [])]}, "fail", "fail", id="all profiles"),
        pytest.param(
            {"rules": [rule("A", []), rule("B", ["Public", "Private"], action="Block")]},
            "pass",
            "fail",
            id="block wins",
        ),
        pytest.param({"active": DENIED}, "unknown", "unknown", id="denied"),
    ],
)
def test_who_reaches_port_445(state, server, workstation):
    assert verdict(fw(**state), REACH) == server
    assert verdict(fw(**state, build=19045, server=False), REACH) == workstation


def test_the_firewall_service_is_asked_too():
    stopped = [item for item in SERVICES if item["name"] != "MpsSvc"] + [service("MpsSvc", 4, "Stopped")]
    for control in (REACH, "win-fw-profiles-enabled", "win-fw-block-netbios-inbound"):
        assert verdict(fw(host__services=stopped), control) == "fail", control


@pytest.mark.parametrize(
    ("control", "profile_name", "good", "bad"),
    [
        ("win-fw-profiles-enabled", "recommended", {}, {"enabled": "False"}),
        ("win-fw-default-inbound-block", "recommended", {}, {"inbound": "Allow"}),
        ("win-fw-default-outbound", "microsoft", {}, {"outbound": "Block"}),
        ("win-fw-log-dropped", "recommended", {"log_blocked": "True"}, {"log_blocked": "False"}),
        ("win-fw-log-allowed", "strict", {"log_allowed": "True"}, {"log_allowed": "False"}),
        ("win-fw-log-size-path", "recommended", {"log_size": 16384}, {"log_size": 16383}),
        (
            "win-fw-notify-unicast",
            "strict",
            {"notify": "False", "unicast": "False"},
            {"notify": "False", "unicast": "True"},
        ),
        (
            "win-fw-public-no-local-merge",
            "strict",
            {"local_merge": "False", "local_ipsec_merge": "False"},
            {"local_ipsec_merge": "True"},
        ),
    ],
)
def test_every_profile_of_the_firewall_counts(control, profile_name, good, bad):
    def state(**public):
        rows = [profile("domain", **good), profile("private", **good), profile("public", **{**good, **public})]
        return fw(
            active=rows,
            host__firewall_profiles={"local": {name: {"LogFilePath": "x"} for name in PROFILES}, "policy": {}},
        )

    assert verdict(state(), control, profile_name) == "pass"
    assert verdict(state(**bad), control, profile_name) == "fail"
    assert verdict(fw(active=DENIED), control, profile_name) == "unknown"


def test_outbound():
    control = "win-fw-block-smb-outbound-external"
    assert verdict(fw(), control) == "fail"
    block = rule("B", ["Public"], action="Block", direction="Out")
    assert verdict(fw([block]), control) == "pass"
    assert verdict(fw([block]), control, "strict") == "fail"
    assert verdict(fw([rule("B", [], action="Block", direction="Out")]), control, "strict") == "pass"


def test_netbios_rules():
    nb = rule("FPS-NB_Session-In-TCP", ["Private"], "RA4=LocalSubnet|", port=139)
    assert verdict(fw([nb]), "win-fw-block-netbios-inbound") == "fail"
    assert verdict(fw([nb]), "win-fw-block-netbios-inbound", "legacy") == "pass"
    assert verdict(fw(), "win-fw-block-netbios-inbound") == "pass"
    assert verdict(fw([nb]), "win-fw-restrictive-sharing-group") == "not_applicable"
    assert verdict(fw([nb], build=26100, revision=33650), "win-fw-restrictive-sharing-group") == "fail"


# Patches.
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (answer(20348, 5761), "pass pass pass"),
        (answer(20348, 3692), "pass fail fail"),
        (answer(26100, 32522), "pass fail fail"),
        (answer(19045, 5854, server=False), "fail fail fail"),  # no extended update is installed
        (answer(9600, None), "fail unknown unknown"),
        (answer(7601, None, host__updates=[{"id": "KB1", "installed": "2017-01-20"}]), "fail fail fail"),
        (answer(host__os=DENIED, host__os_wmi=DENIED), "unknown unknown unknown"),
    ],
)
def test_patches(state, expected):
    controls = ("win-supported-os", "win-patch-smb-cves", "win-patch-age")
    assert " ".join(verdict(state, control) for control in controls) == expected


# Logs, sessions, clusters.
def log(name, size, enabled=True):
    return {
        "name": f"Microsoft-Windows-{name}",
        "enabled": enabled,
        "size": size,
        "mode": "Circular",
        "records": 1,
        "oldest": None,
    }


@pytest.mark.parametrize(
    ("logs", "recommended", "strict"),
    [
        ([log("SMBServer/Audit", 8 << 20)], "pass", "fail"),
        ([log("SMBServer/Audit", 32 << 20), log("NTLM/Operational", 1 << 20)], "fail", "fail"),
        ([log("SMBServer/Audit", 32 << 20), log("SMBClient/Audit", 32 << 20, enabled=False)], "fail", "fail"),
        ([], "unknown", "unknown"),
        (DENIED, "unknown", "unknown"),
    ],
)
def test_event_logs(logs, recommended, strict):
    state = answer(windows__event_logs=logs)
    assert [verdict(state, "win-smb-event-channels", name) for name in ("recommended", "strict")] == [
        recommended,
        strict,
    ]


def session(dialect, signed, encrypted=False, client="10.0.0.9"):
    return {"client": client, "user": "D\\u", "dialect": dialect, "signed": signed, "encrypted": encrypted, "opens": 1}


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([], "pass"),
        ([session("3.1.1", True)], "pass"),
        ([session("3.1.1", False, True)], "pass"),
        ([session("3.1.1", True), session("3.1.1", False, client="10.0.0.8")], "fail"),
        ([session("1.5", True)], "fail"),
        ([session("2.0.2", True)], "fail"),
        ([session("3.0", None, None)], "unknown"),
        ([session(None, True)], "unknown"),
        (DENIED, "unknown"),
    ],
)
def test_live_sessions(sessions, expected):
    assert verdict(answer(windows__sessions=sessions), "win-smb-signing-live") == expected


def test_clusters():
    nodes = [*SERVICES, service("ClusSvc")]
    levels = {"SecurityLevel": 1, "SecurityLevelForStorage": 0}
    assert verdict(answer(), "win-cluster-smb-encryption") == "not_applicable"
    assert verdict(answer(host__services=nodes), "win-cluster-smb-encryption") == "unknown"
    assert verdict(answer(host__services=nodes, windows__cluster=levels), "win-cluster-smb-encryption") == "fail"
    signed = {"SecurityLevel": 1, "SecurityLevelForStorage": 1}
    assert verdict(answer(host__services=nodes, windows__cluster=signed), "win-cluster-smb-encryption") == "pass"
    assert (
        verdict(answer(host__services=nodes, windows__cluster=signed), "win-cluster-smb-encryption", "strict") == "fail"
    )
    old = {"SecurityLevel": 1}
    assert verdict(answer(14393, 1, host__services=nodes, windows__cluster=old), "win-cluster-smb-encryption") == "pass"


# SMB over QUIC.
def quic(days=300, demand=True, access=("SHA256=00",), **certificate):
    end = f"2027-{1 + days // 31:02d}-01T00:00:00Z" if days < 300 else "2028-01-01T00:00:00Z"
    known = {"thumbprint": "AA", "not_after": end, "key_size": 2048, "key_algorithm": "RSA"}
    known |= {"signature_algorithm": "sha256RSA", "names": ["fs.example.org"]} | certificate
    return {
        "mappings": [
            {
                "name": "fs.example.org",
                "thumbprint": "AA",
                "store": "My",
                "subject": "CN=fs",
                "require_client_auth": demand,
            }
        ],
        "certificates": [known],
        "client_access": [{"identifier": item, "access": "Allow"} for item in access],
        "ports": [],
    }


@pytest.mark.parametrize(
    ("data", "certificate", "access"),
    [
        (quic(), "pass", "pass"),
        (quic(not_after="2026-12-01T00:00:00Z"), "fail", "pass"),
        (quic(not_after="2026-01-01T00:00:00Z"), "fail", "pass"),
        (quic(key_size=1024), "fail", "pass"),
        (quic(signature_algorithm="sha1RSA"), "fail", "pass"),
        (quic(names=["203.0.113.9"]), "fail", "pass"),
        (quic(thumbprint="BB"), "unknown", "pass"),  # the mapped certificate is not there
        (quic(demand=False), "pass", "fail"),
        (quic(access=()), "pass", "fail"),
        (DENIED, "unknown", "unknown"),
        (LACKING, "not_applicable", "not_applicable"),
        ({"mappings": [], "certificates": [], "client_access": [], "ports": []}, "not_applicable", "not_applicable"),
    ],
)
def test_quic(data, certificate, access):
    state = answer(windows__quic=data)
    assert verdict(state, "win-quic-cert-expiry") == certificate
    assert verdict(state, "win-quic-client-access-control", "strict") == access


def test_alternative_ports_are_compared_with_what_was_approved():
    state = answer(26100, 33650, windows__quic={**quic(), "ports": [{"transport": "TCP", "port": 8443}]})
    assert verdict(state, "win-quic-alt-ports") == "fail"
    assert verdict(state, "win-quic-alt-ports", value=[8443, 9443]) == "pass"


# Policies.
def test_conflicts_of_policy_and_local_configuration():
    assert verdict(answer(), "win-gpo-origin") == "pass"
    assert verdict(answer(windows__rsop=DENIED), "win-gpo-origin") == "unknown"
    assert verdict(answer(windows__rsop=LACKING, role=STANDALONE), "win-gpo-origin") == "pass"
    reading = read(answer())
    reading.facts.put("windows.policy_conflicts", Fact(effective=["windows.client_insecure_guest"]))
    (finding,) = findings(reading, "win-gpo-origin")
    assert finding.verdict == "fail" and "windows.client_insecure_guest" in finding.why


def test_what_only_a_user_can_be_asked_is_left_to_a_person():
    (finding,) = findings(read(answer()), "win-no-inplace-sharing", "strict")
    assert (finding.verdict, finding.counts_against) == ("manual", False)


@pytest.mark.parametrize(
    "control",
    [
        *SMB1,
        "win-smb-share-encrypt-data",
        "win-fw-block-445-inbound-external",
        "win-fw-block-netbios-inbound",
        "win-fw-block-smb-outbound-external",
        "win-netbt-nic-disabled",
    ],
)
def test_a_control_that_may_cut_somebody_off_says_whom_and_where_that_shows(control):
    asked = catalogue.controls()[control]
    assert asked.breaks and asked.usage
