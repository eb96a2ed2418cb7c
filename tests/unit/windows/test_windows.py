# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Windows it is: traits that conditions ask for, and no exception or pass whatever the answer holds."""

from __future__ import annotations

import datetime

import hypothesis
import pytest
from hypothesis import strategies

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.read import read as read_firewall
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.host.windows import read as read_host
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.product import product
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Reading, Record

TODAY = datetime.date(2026, 11, 25)
RECORDS = [
    "identity",
    "os",
    "os_wmi",
    "computer",
    "reboot",
    "services",
    "listeners",
    "networks",
    "adapters",
    "netbt",
    "bindings",
    "firewall_profiles",
    "firewall_active",
    "firewall_rules",
    "firewall_ipsec",
    "firewall_products",
    "protection",
    "features",
    "feature_pending",
    "server_features",
    "updates",
]
SMB_RECORDS = [
    "registry",
    "server_configuration",
    "client_configuration",
    "shares",
    "sessions",
    "connections",
    "event_logs",
    "events",
    "secedit",
    "auditpol",
    "rsop",
    "quic",
    "network_interfaces",
    "cluster",
]
IDS = [f"host.{name}" for name in RECORDS] + [f"windows.{name}" for name in SMB_RECORDS]
EXCLUSIVE = ({"workstation", "server-os"}, {"standalone", "domain-member", "domain-controller"})


def traits(host):
    return set(host.read().implementations[0].traits)


def test_every_product_has_exactly_one_kind_and_one_role(machine, products):
    for name in products:
        found = traits(machine(name))
        for group in EXCLUSIVE:
            assert len(found & group) == 1, name


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("2022", 3, {"server-os", "domain-member"}),
        ("2022", 5, {"server-os", "domain-controller"}),
        ("2019", 2, {"server-os", "standalone", "server-core"}),
        ("11-24h2-home", 0, {"workstation", "standalone", "home"}),
        ("10-22h2", 1, {"workstation", "domain-member", "pro"}),
        ("11-23h2", 1, {"workstation", "domain-member", "enterprise"}),
        ("7", 0, {"workstation", "standalone", "pro"}),
    ],
)
def test_traits(machine, name, role, expected):
    assert traits(machine(name, role)) == expected


def test_roles(machine):
    assert "hyper-v" in traits(machine().driver("vmms", start=3, state="Stopped"))
    assert "dfs" in traits(machine().driver("DFS"))
    assert "dfs" not in traits(machine().driver("DFSR", start=3))
    assert "cluster" in traits(machine().driver("ClusSvc", start=3, state="Running"))
    assert "cluster" not in traits(machine().driver("ClusSvc", start=4, state="Stopped"))


def test_what_is_not_told_is_a_doubt(machine):
    host = machine().fail("host.computer", 126).data("host.os_wmi", {"Version": "10.0.20348", "ProductType": 3})
    found = product(host.collected(), host.host().facts)
    assert {"standalone", "domain-member", "domain-controller"} <= found.doubts
    assert not {"standalone", "domain-member", "domain-controller"} & set(found.traits)


def test_versions_and_running(machine):
    server, client = machine("2016").read().implementations
    assert (server.name, server.version, server.role, server.running) == ("windows", "10.0.14393.6614", "server", True)
    assert (client.role, client.running) == ("client", True)
    assert machine("7").read().implementations[0].version == "6.1.7601"
    assert machine().driver("LanmanServer", state="Stopped").read().implementations[0].running is False
    assert machine().driver("LanmanServer", state=None).read().implementations[0].running is None
    assert machine().fail("host.services", 1).read().implementations[0].running is None


def whole(records):
    collected = Collected(records, "S-1-5-18", "PowerShell 5.1", "windows")
    reading = Reading()
    reading.merge(read_host(collected, TODAY))
    reading.merge(read(collected, catalogue.settings("windows"), reading.facts, TODAY))
    reading.merge(read_firewall(collected, reading.facts))
    return reading


def passing(reading):
    controls = {
        name: control for name, control in catalogue.controls().items() if control.when.implementation == "windows"
    }
    selections = [
        Selection(name, control.values["recommended"])
        for name, control in controls.items()
        if "recommended" in control.values
    ]
    findings = assess(
        reading.facts, reading.implementations, controls, catalogue.every_setting(), selections, today=TODAY
    )
    return [finding.control for finding in findings if finding.verdict == "pass"]


@pytest.mark.parametrize("rc", [1, 124, 126, 127])
def test_a_host_that_tells_nothing_passes_nothing(rc):
    reading = whole([Record(name, name, rc=rc, err="no") for name in IDS])
    assert passing(reading) == []
    assert reading.errors


def test_a_host_without_any_record_passes_nothing():
    reading = whole([])
    assert passing(reading) == []


@pytest.mark.parametrize("data", [None, 0, "", "x", [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": []}}, True])
def test_answers_without_content_pass_nothing(data):
    reading = whole([Record(name, name, data=data) for name in IDS])
    nobody = {"win-smb-signing-live"} if data == [] else set()  # a host without sessions is none that answers nothing
    assert set(passing(reading)) == nobody
    encode(reading.facts)


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(2**70), 2**70)
    | strategies.floats(allow_nan=True)
    | strategies.text(max_size=20),
    lambda inner: (
        strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def corrupted(data, path, value):
    """Return ``data`` with what stands at a path replaced; a path chooses an item by number at each step."""
    if not path or not isinstance(data, (dict, list)) or not data:
        return value
    keys = list(data) if isinstance(data, dict) else range(len(data))
    key = keys[path[0] % len(keys)]
    copy = data.copy()
    copy[key] = corrupted(data[key], path[1:], value)
    return copy


@hypothesis.settings(max_examples=300, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(record=strategies.sampled_from(IDS), data=JSON)
def test_no_record_of_any_content_loses_the_others(record, data, machine):
    host = machine("2022")
    host.data(record, data)
    reading = whole(host.collected().records)
    assert len(reading.implementations) == 2
    assert reading.facts.get("windows.smb1_server") is not None
    assert reading.facts.get("firewall.readable") is not None
    encode(reading.facts)


@hypothesis.settings(max_examples=500, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    record=strategies.sampled_from(IDS),
    path=strategies.lists(strategies.integers(0, 50), min_size=1, max_size=4),
    value=JSON,
)
def test_no_single_field_of_any_content_loses_the_others(record, path, value, machine):
    host = machine("2022")
    records = [
        Record(
            item.id,
            item.command,
            item.out,
            item.err,
            item.rc,
            item.truncated,
            corrupted(item.data, path, value) if item.id == record else item.data,
        )
        for item in host.collected().records
    ]
    reading = whole(records)
    assert len(reading.implementations) == 2
    encode(reading.facts)
