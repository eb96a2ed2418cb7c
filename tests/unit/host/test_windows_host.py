# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host around SMB, on Windows: system, privilege, services, listeners, products, updates."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.windows import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record

TODAY = datetime.date(2026, 11, 25)


def reading(**records):
    rows = [
        Record(
            f"host.{name}",
            f"host.{name}",
            data=None if isinstance(data, int) else data,
            rc=data if isinstance(data, int) else 0,
        )
        for name, data in records.items()
    ]
    return read(Collected(rows, "S-1-5-18", "PowerShell 5.1", "windows"), TODAY)


def facts(**records):
    return reading(**records).facts


def system(build, product=3, version="10.0", installation=None, **more):
    known = {"CurrentBuild": str(build), "ProductName": "Windows 10 Pro", "CurrentVersion": "6.3", **more}
    if installation:
        known["InstallationType"] = installation
    wmi = {
        "Caption": "Microsoft Windows",
        "Version": f"{version}.{build}",
        "BuildNumber": str(build),
        "ProductType": product,
    }
    return {"os": known, "os_wmi": wmi}


@pytest.mark.parametrize(
    ("build", "product", "version", "expected"),
    [
        (7601, 3, "6.1", ("windows-server", "2008-r2", ["windows"])),
        (7601, 1, "6.1", ("windows", "7", ["windows-client", "windows-7"])),
        (9200, 3, "6.2", ("windows-server", "2012", ["windows"])),
        (9600, 2, "6.3", ("windows-server", "2012-r2", ["windows"])),
        (9600, 1, "6.3", ("windows", "8.1", ["windows-client", "windows-8.1"])),
        (14393, 3, "10.0", ("windows-server", "2016", ["windows"])),
        (14393, 1, "10.0", ("windows", "10-1607", ["windows-client", "windows-10"])),
        (17763, 3, "10.0", ("windows-server", "2019", ["windows"])),
        (19045, 1, "10.0", ("windows", "10-22h2", ["windows-client", "windows-10"])),
        (20348, 3, "10.0", ("windows-server", "2022", ["windows"])),
        (22631, 1, "10.0", ("windows", "11-23h2", ["windows-client", "windows-11"])),
        (26100, 1, "10.0", ("windows", "11-24h2", ["windows-client", "windows-11"])),
        (26100, 3, "10.0", ("windows-server", "2025", ["windows"])),
        (26200, 1, "10.0", ("windows", "11-25h2", ["windows-client", "windows-11"])),
        (29999, 3, "10.0", ("windows-server", "build-29999", ["windows"])),
    ],
)
def test_releases(build, product, version, expected):
    found = facts(**system(build, product, version, UBR=77))
    value = found.get("host.os").configured
    assert (value["id"], value["version"], value["id_like"]) == expected
    assert value["build"] == f"{build}.77"
    assert found.get("host.kernel").effective == f"{version}.{build}.77"


def test_a_release_without_revision_and_the_edition():
    found = facts(**system(7601, 1, "6.1", EditionID="Professional"))
    assert found.get("host.kernel").effective == "6.1.7601"
    assert found.get("host.os").configured["edition"] == "Professional"


def test_registry_alone_and_wmi_alone():
    known = {
        "CurrentBuild": "20348",
        "UBR": 2227,
        "CurrentMajorVersionNumber": 10,
        "CurrentMinorVersionNumber": 0,
        "InstallationType": "Server Core",
    }
    assert facts(os=known, os_wmi=126).get("host.kernel").effective == "10.0.20348.2227"
    assert facts(os=126, os_wmi=system(20348)["os_wmi"]).get("host.kernel").effective == "10.0.20348"
    known = {"CurrentBuild": "9600", "CurrentVersion": "6.3", "InstallationType": "Client"}
    assert facts(os=known, os_wmi=126).get("host.kernel").effective == "6.3.9600"


@pytest.mark.parametrize(
    ("registry", "wmi", "words"),
    [
        (
            {"CurrentBuild": "20348"},
            {"BuildNumber": "17763", "ProductType": 3, "Version": "10.0.17763"},
            "different builds",
        ),
        ({"CurrentBuild": "26100"}, {}, "not told"),
        ({"CurrentBuild": "26100", "InstallationType": "Client"}, {"ProductType": 3}, "disagree"),
        ({"CurrentBuild": "evil\x00"}, {"BuildNumber": [1]}, "neither"),
        ({"CurrentBuild": "20348", "CurrentVersion": "6.3"}, {"ProductType": 3, "Version": "zehn"}, "not told"),
        (126, 126, "access denied"),
        ([], "x", "no fields"),
    ],
)
def test_systems_that_nobody_can_name(registry, wmi, words):
    found = reading(os=registry, os_wmi=wmi)
    assert words in found.facts.get("host.os").unreadable
    assert found.facts.get("host.kernel") is None
    assert "host.os" in {error.section for error in found.errors}


ADMIN = {
    "sid": "S-1-5-21-1-2-3-1001",
    "groups": ["S-1-5-32-544"],
    "administrator": True,
    "filtered": False,
    "integrity": "S-1-16-12288",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"sid": "S-1-5-18", "groups": [], "integrity": "S-1-16-16384"}, True),
        ({"administrator": False, "filtered": True, "integrity": "S-1-16-8192"}, False),
        ({"integrity": "S-1-16-8192"}, False),
        ({"administrator": False, "groups": ["S-1-5-32-545"]}, False),
        ({"groups": ["S-1-5-32-545"]}, None),
        ({"administrator": "True"}, None),
        ({"administrator": 1}, None),
    ],
)
def test_privilege(changes, expected):
    fact = facts(identity={**ADMIN, **changes}).get("host.privileged")
    assert fact.effective is expected
    assert (fact.unreadable is None) is (expected is not None)


def test_a_filtered_administrator_is_told_why():
    fact = facts(identity={**ADMIN, "administrator": False, "filtered": True}).get("host.privileged")
    assert (fact.effective, fact.cause) == (False, "the administrator's token is filtered")


def test_computer():
    found = facts(
        computer={"Name": "FS\x0001", "DomainRole": 5, "PartOfDomain": True}, identity={**ADMIN, "culture": "ja-JP"}
    )
    assert found.get("host.hostname").effective == "FS\\x0001"
    assert found.get("host.domain_role").effective == "domain-controller"
    assert found.get("host.language").effective == "ja-JP"
    assert facts(computer={"DomainRole": 0}).get("host.domain_role").effective == "standalone"
    assert facts(computer={"PartOfDomain": True}).get("host.domain_role").effective == "domain-member"
    assert (
        facts(computer={"DomainRole": 1}, os_wmi={"ProductType": 2}).get("host.domain_role").effective
        == "domain-controller"
    )
    assert facts(computer={"DomainRole": 9}).get("host.domain_role").unreadable
    assert facts(computer=126).get("host.domain_role").unreadable


def test_services_and_roles():
    rows = [
        {"name": "LanmanServer", "start": 2, "state": "Running"},
        {"name": "ClusSvc", "start": 3, "state": "Running"},
        {"name": "vmms", "start": 2, "state": "Stopped"},
        {"name": "odd", "start": "2", "state": None},
    ]
    found = facts(services=rows, computer={"DomainRole": 3})
    assert found.get("host.service", "LanmanServer").effective == {"start": "automatic", "state": "running"}
    assert found.get("host.service", "odd").effective == {"start": "unknown", "state": "unknown"}
    assert found.get("host.services_read").effective is True
    assert found.get("host.role").effective == ["cluster", "hyper-v"]
    for lost in (126, [], [{}], {"a": 1}):
        found = facts(services=lost)
        assert found.get("host.services_read").unreadable
        assert found.get("host.role").unreadable


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"cbs": False, "windows_update": False, "file_rename": False, "cbs_in_progress": False}, False),
        ({"cbs": False, "windows_update": True, "file_rename": False}, True),
        ({"cbs": True, "windows_update": None, "file_rename": None}, True),
        ({"cbs": None, "windows_update": False, "file_rename": False}, None),
        ({"cbs": False, "windows_update": False, "file_rename": False, "cbs_in_progress": True}, None),
        ({}, None),
        (126, None),
    ],
)
def test_pending_reboot(marks, expected):
    fact = facts(reboot=marks).get("host.pending_reboot")
    assert fact.effective is expected
    assert (fact.unreadable is None) is (expected is not None)


def test_listeners():
    rows = [
        {"proto": "tcp", "address": "::", "port": 445, "pid": 4, "process": "System"},
        {"proto": "udp", "address": "10.0.0.1", "port": 137, "pid": 4, "process": None},
    ]
    found = facts(listeners=rows)
    assert set(found.objects("host.listener")) == {"tcp/[::]:445", "udp/10.0.0.1:137"}
    assert found.get("host.listener", "tcp/[::]:445").effective["process"] == "System"
    assert found.get("host.listeners_read").effective is True
    assert facts(listeners=[*rows, {"proto": "sctp", "port": 445}]).get("host.listeners_read").unreadable
    assert facts(listeners=[]).get("host.listeners_read").unreadable  # port 135 always listens
    assert facts(listeners=1).get("host.listeners_read").unreadable


def test_products():
    found = facts(
        firewall_products=[
            {"name": "Wall", "state": 266256},
            {"name": "Old", "state": 262144},
            {"name": "?", "state": "on"},
        ],
        protection={
            "products": [{"name": "AV", "state": 397568}, {"name": "Off", "state": 393472}],
            "defender": {"enabled": True, "realtime": True},
        },
    )
    assert {name: fact.effective for name, fact in found.objects("host.firewall_product").items()} == {
        "Wall": True,
        "Old": False,
        "?": None,
    }
    assert found.get("host.endpoint_protection").effective == ["AV", "Microsoft Defender Antivirus"]
    assert facts(firewall_products=127).objects("host.firewall_product") == {}  # servers have no Security Center
    assert facts(firewall_products=126).get("host.firewall_product").unreadable
    assert facts(protection=126).get("host.endpoint_protection").unreadable
    assert (
        facts(protection={"products": [], "defender": {"enabled": True, "realtime": False}})
        .get("host.endpoint_protection")
        .effective
        == []
    )


def test_updates():
    found = facts(
        updates=[
            {"id": "KB1", "installed": "2026-10-14"},
            {"id": "KB2", "installed": None},
            {"id": "KB3", "installed": "2099-01-01"},
            {"id": 4},
        ]
    )
    assert found.get("host.update", "KB1").effective == "2026-10-14"
    assert found.get("host.update", "KB2").unreadable
    assert found.get("host.update", "KB3").unreadable
    assert found.get("host.updates_read").effective is True
    assert facts(updates=1).get("host.updates_read").unreadable


def test_what_is_lost_is_an_error_each():
    sections = {error.section for error in reading().errors}
    assert {"host.os", "host.privileged", "host.domain_role", "host.services_read", "host.listeners_read"} <= sections
