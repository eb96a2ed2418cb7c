# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who can reach SMB: block beats allow, defaults, policy over local, and nothing that hides exposure."""

from __future__ import annotations

import ipaddress

import hypothesis
import pytest
from hypothesis import strategies

from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.addresses import Addresses
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.model import TCP, Profile, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.verdict import inbound, outbound
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.windows import parse
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet

BLOCK_PRIVATE = Profile("public")
PAST_BLOCKS = (
    "Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RA4=10.0.0.1|Security=Authenticate|AuthByPassOut=TRUE"
)
ALL_BUT_PRIVATE = "RA4=0.0.0.0-9.255.255.255|RA4=11.0.0.0-172.15.255.255|RA4=172.32.0.0-192.167.255.255|RA4=192.169.0.0-255.255.255.255"
OPEN_445 = "Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=445|App=System"


def rules(*texts, source="local"):
    return [parse(f"R{number}", f"v2.33|{text}|", source) for number, text in enumerate(texts)]


def reach(*texts, profile=BLOCK_PRIVATE, port=445):
    return list(inbound(rules(*texts), profile, TCP, port).open)


def test_nothing_allows_so_the_default_decides():
    assert reach() == []
    assert reach(profile=Profile("public", inbound="allow")) == ["any"]
    assert reach(profile=Profile("public", enabled=False)) == ["any"]
    assert reach(OPEN_445, profile=Profile("public", shielded=True)) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", ["any"]),
        ("|RA4=LocalSubnet|RA6=LocalSubnet", ["LocalSubnet"]),
        ("|RA4=10.0.0.0/8", ["10.0.0.0/8"]),
        ("|RA4=10.0.0.0/8|RA4=192.168.1.7", ["10.0.0.0/8", "192.168.1.7"]),
        ("|RA4=10.0.0.0-10.0.0.2", ["10.0.0.0-10.0.0.2"]),
        ("|RA4=0.0.0.0-255.255.255.255", ["0.0.0.0/0"]),
        ("|RA4=0.0.0.0-255.255.255.255|RA6=::/0", ["any"]),
        ("|RA42=IntrAnet", ["Intranet"]),
        ("|Profile=Domain", []),
        ("|Profile=Domain|Profile=Public", ["any"]),
        ("|Svc=LanmanServer", ["any"]),  # a condition that may hold
        ("|Neu=1", ["any"]),
        ("|IFType=Wireless", ["any"]),
        ("|RPort=1024", ["any"]),
        ("|AppPkgId=S-1-15-2-1", []),
        ("|TTK2_27=WFDKmDriver", []),
    ],
)
def test_what_one_rule_opens(fields, expected):
    assert reach(OPEN_445 + fields) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=445",
        "Action=Allow|Dir=In|Protocol=6|LPort=445",
        "Action=Allow|Active=TRUE|Dir=Out|Protocol=6|LPort=445",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=445",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=RPC|LPort2_10=446-500",
        "Action=Allow|Active=TRUE|Dir=In|App=C:\\other.exe",
    ],
)
def test_what_opens_nothing(text):
    assert reach(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Action=Allow|Active=TRUE|Dir=In",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=6",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort2_10=1-65535",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=256|App=System",
        "Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=Neu",
    ],
)
def test_rules_without_the_port_open_it_too(text):
    assert reach(text) == ["any"]


def test_block_beats_allow_whatever_the_order():
    block = "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445"
    assert reach(OPEN_445, block) == []
    assert reach(block, OPEN_445) == []
    assert reach(block, profile=Profile("public", inbound="allow")) == []


@pytest.mark.parametrize(
    "condition",
    [
        "Neu=1",
        "Svc=LanmanServer",
        "App=C:\\other.exe",
        "IFType=Lan",
        "RPort=5",
        "LA4=10.0.0.1",
        "LPort=Neu",
        "Platform=2:6:2",
        "Security=Authenticate",
    ],
)
def test_a_block_under_a_condition_protects_nobody(condition):
    port = "" if condition.startswith("LPort") else "|LPort=445"
    assert reach(OPEN_445, f"Action=Block|Active=TRUE|Dir=In|Protocol=6{port}|{condition}") == ["any"]


def test_blocks_of_addresses():
    internet = "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445|RA4=0.0.0.0-9.255.255.255|RA4=11.0.0.0-255.255.255.255|RA6=::/0"
    assert reach(OPEN_445, internet) == ["10.0.0.0/8"]
    some = "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445|RA4=10.0.0.1"
    assert reach(OPEN_445 + "|RA4=10.0.0.0/30", some) == ["10.0.0.0", "10.0.0.2/31"]
    subnet = OPEN_445 + "|RA4=LocalSubnet"
    assert reach(subnet, some) == ["LocalSubnet"]
    assert reach(subnet, "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445|RA4=LocalSubnet") == []
    assert reach(OPEN_445, "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445|RA4=LocalSubnet") == ["any"]


def test_only_authenticated_peers():
    secure = OPEN_445 + "|Security=Authenticate|RA4=10.0.0.0/8"
    verdict = inbound(rules(secure), BLOCK_PRIVATE, TCP, 445)
    assert (verdict.open, verdict.authenticated) == ((), ("10.0.0.0/8",))
    block = "Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445"
    assert inbound(rules(secure, block), BLOCK_PRIVATE, TCP, 445).authenticated == ()
    bypass = secure.replace("Action=Allow", "Action=ByPass")
    assert inbound(rules(bypass, block), BLOCK_PRIVATE, TCP, 445).authenticated == ("10.0.0.0/8",)


def test_local_rules_are_void_where_policy_says_so():
    void = Profile("public", local_rules=False)
    assert reach(OPEN_445, profile=void) == []
    assert list(inbound(rules(OPEN_445, source="policy"), void, TCP, 445).open) == ["any"]
    block = rules("Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445")
    assert list(inbound([*rules(OPEN_445, source="policy"), *block], void, TCP, 445).open) == ["any"]


@pytest.mark.parametrize(
    ("texts", "profile", "expected"),
    [
        ([], Profile("public"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445"], Profile("public"), "blocked"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RPort=139"], Profile("public"), "blocked"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445"], Profile("domain", enabled=False), "open"),
        (["Action=Block|Active=FALSE|Dir=Out|Protocol=6|RPort=445"], Profile("public"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|LPort=445"], Profile("public"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|App=C:\\x.exe"], Profile("public"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RA4=8.8.8.8"], Profile("public"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RA42=IntErnet|RA62=IntErnet"], Profile("public"), "partly"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RA42=IntErnet"], Profile("public"), "open"),
        ([f"Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445|{ALL_BUT_PRIVATE}|RA6=2000::/3"], Profile("public"), "partly"),
        ([], Profile("public", outbound="block"), "blocked"),
        (["Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=445|RA4=10.0.0.0/8"], Profile("public", outbound="block"), "partly"),
        (["Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=445"], Profile("public", outbound="block"), "open"),
        (["Action=Allow|Active=TRUE|Dir=Out|RPort=445|Protocol=6|RA4=Quatsch"], Profile("public", outbound="block"), "open"),
        (["Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=445", PAST_BLOCKS], Profile("public"), "partly"),
    ],
)  # fmt: skip
def test_outbound(texts, profile, expected):
    assert outbound(rules(*texts), profile, 445)[0] == expected


EDGE = strategies.integers(0, 2**32 - 1)
RANGE = strategies.tuples(EDGE, EDGE).map(lambda pair: Scope(4, min(pair), max(pair)))


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(strategies.lists(strategies.tuples(strategies.booleans(), RANGE), max_size=6), strategies.data())
def test_sets_of_addresses_add_and_take(steps, data):
    found = Addresses()
    edges = [0, 2**32 - 1] + [
        edge for _adds, scope in steps for edge in (scope.first, scope.last, scope.first - 1, scope.last + 1)
    ]
    point = data.draw(strategies.sampled_from(edges) | EDGE)
    inside = False
    for adds, scope in steps:
        (found.add if adds else found.remove)([scope])
        if scope.first <= point <= scope.last:
            inside = adds
    assert any(first <= point <= last for first, last in found.spans[4]) is inside
    for shown in found.shown():
        first, _dash, last = shown.partition("-")
        assert ipaddress.ip_address(last) if last else ipaddress.ip_network(first)


TEXTS = strategies.builds(
    "{}|Active=TRUE|Dir=In|Protocol=6{}{}{}".format,
    strategies.sampled_from(["Action=Allow", "Action=Block"]),
    strategies.sampled_from(["", "|LPort=445", "|LPort2_10=1-500", "|LPort=80", "|LPort=Neu"]),
    strategies.sampled_from(
        ["", "|RA4=10.0.0.0/8", "|RA4=10.1.0.0/16|RA6=fe80::/10", "|RA4=LocalSubnet", "|RA4=0.0.0.0/1"]
    ),
    strategies.sampled_from(["", "|App=System", "|Neu=1", "|App=C:\\x.exe", "|Security=Authenticate"]),
)


def spans(texts, profile):
    """Return the reach as a set of addresses, by way of what is shown."""
    found = Addresses()
    for scope in inbound(rules(*texts), profile, TCP, 445).open:
        found.add(
            ()
            if scope == "any"
            else [parse("x", f"v2.20|Action=Allow|Dir=In|RA{6 if ':' in scope else 4}={scope}|", "").peers[0]]
        )
    return found


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(strategies.lists(TEXTS, max_size=5), TEXTS, strategies.sampled_from(["allow", "block"]))
def test_one_more_rule_moves_the_verdict_in_one_direction_only(texts, more, default):
    profile = Profile("public", inbound=default)
    before, after = spans(texts, profile), spans([*texts, more], profile)
    wide, narrow = (after, before) if "Allow" in more else (before, after)
    wide_words = {word for _version, word in wide.words}
    everything = [(0, 2**32 - 1)]
    assert all(word in wide_words or wide.spans[4] == everything for _version, word in narrow.words)
    for version, listed in narrow.spans.items():
        for first, last in listed:
            assert any(low <= first and last <= high for low, high in wide.spans[version])


LOCAL = {"EnableFirewall": 1, "DefaultInboundAction": 1, "DefaultOutboundAction": 0}
RUNNING = {"enabled": True, "inbound": "Block", "outbound": "Allow", "local_merge": True, "allow_inbound_rules": True}


def host(services=("MpsSvc", "BFE"), products=None):
    facts = FactSet()
    facts.put("host.kernel", Fact(effective="10.0.20348.2227"))
    facts.put("host.services_read", Fact(effective=True))
    for name in services:
        facts.put("host.service", Fact(effective={"start": "automatic", "state": "running"}), name)
    for name, running in (products or {}).items():
        facts.put("host.firewall_product", Fact(effective=running), name)
    return facts


def answer(local=None, policy=None, active=None, rules=None, policy_rules=None, **records):
    names = ("domain", "private", "public")
    data = {
        "firewall_profiles": {
            "local": {name: {**LOCAL, **(local or {})} for name in names},
            "policy": policy or {name: {} for name in names},
        },
        "firewall_active": [{"name": name.capitalize(), **RUNNING, **(active or {})} for name in names],
        "firewall_rules": {
            "local": rules or {},
            "policy": policy_rules or {},
            "policy_key": False,
            "total": {"local": 1, "policy": 0},
        },
        "firewall_ipsec": {"count": 0},
        **records,
    }
    return Collected(
        [
            Record(
                f"host.{name}",
                name,
                data=None if isinstance(item, int) else item,
                rc=item if isinstance(item, int) else 0,
            )
            for name, item in data.items()
            if item is not None
        ],
        family="windows",
    )


def facts(*arguments, facts_of_host=None, **more):
    return read(answer(*arguments, **more), facts_of_host or host()).facts


def test_a_quiet_host():
    reading = read(answer(), host())
    for name in ("domain", "private", "public"):
        assert reading.facts.get("firewall.enabled", name).truths() == {"configured": True, "effective": True}
        assert reading.facts.get("firewall.inbound_default", name).effective == "block"
        assert reading.facts.get("firewall.inbound_445", name).effective == []
        assert reading.facts.get("firewall.outbound_445", name).effective == "open"
    assert reading.facts.get("firewall.readable").effective is True
    assert reading.facts.get("firewall.smb_ipsec").effective is False
    assert reading.facts.get("firewall.legacy_sharing_rules").effective == []
    assert reading.errors == []


def test_profiles_of_rules():
    text = "v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Private|LPort=445|RA4=LocalSubnet|RA6=LocalSubnet|App=System|"
    found = facts(rules={"FPS-SMB-In-TCP": text})
    assert found.get("firewall.inbound_445", "private").effective == ["LocalSubnet"]
    assert found.get("firewall.inbound_445_rules", "private").effective == ["FPS-SMB-In-TCP"]
    assert found.get("firewall.inbound_445", "public").effective == []
    assert found.get("firewall.inbound_netbios", "private").effective == []


def test_netbios_and_the_legacy_group():
    text = "v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Private|LPort=138|RA4=LocalSubnet|RA6=LocalSubnet|App=System|"
    found = facts(rules={"FPS-NB_Datagram-In-UDP": text, "FPS-NB_Name-In-UDP": text.replace("TRUE", "FALSE")})
    assert found.get("firewall.inbound_netbios", "private").effective == ["LocalSubnet"]
    assert found.get("firewall.legacy_sharing_rules").effective == ["FPS-NB_Datagram-In-UDP"]


def test_policy_over_local():
    policy = {
        "domain": {},
        "private": {"EnableFirewall": 0},
        "public": {"EnableFirewall": 1, "AllowLocalPolicyMerge": 0},
    }
    rule = {"A": f"v2.33|{OPEN_445}|"}
    found = facts(policy=policy, rules=rule, active={"enabled": "NotConfigured", "local_merge": None})
    private = found.get("firewall.enabled", "private")
    assert (private.configured, private.origin.kind, private.cause) == (False, "policy", "overridden by policy")
    assert found.get("firewall.inbound_445", "private").effective == ["any"]
    assert found.get("firewall.local_merge", "public").configured is False
    assert found.get("firewall.inbound_445", "public").effective == []
    assert found.get("firewall.inbound_445", "domain").effective == ["any"]
    found = facts(policy=policy, policy_rules=rule)
    assert found.get("firewall.inbound_445", "public").effective == ["any"]


def test_a_merge_flag_in_the_local_store_means_nothing():
    found = facts(
        local={"AllowLocalPolicyMerge": 0}, rules={"A": f"v2.33|{OPEN_445}|"}, active={"local_merge": "NotConfigured"}
    )
    assert found.get("firewall.local_merge", "public").origin.kind == "default"
    assert found.get("firewall.inbound_445", "public").effective == ["any"]


def test_the_standard_profile_of_a_policy_counts_only_alone():
    standard = {"EnableFirewall": 0}
    policy = {"domain": {}, "private": {}, "public": {}, "standard": standard}
    found = facts(policy=policy, active={"enabled": None})
    assert found.get("firewall.enabled", "public").configured is False
    assert found.get("firewall.enabled", "private").configured is False
    assert found.get("firewall.enabled", "domain").configured is True
    found = facts(policy={**policy, "public": {"EnableFirewall": 1}}, active={"enabled": None})
    assert found.get("firewall.enabled", "private").configured is True


def test_the_standard_profile_of_a_management_service_is_the_private_one():
    stores = {"local": dict.fromkeys(("domain", "private", "public"), LOCAL), "policy": {}}
    mdm = {"domain": {}, "private": {}, "public": {}, "standard": {"EnableFirewall": 0}}
    found = facts(firewall_profiles={**stores, "mdm": mdm}, active={"enabled": None})
    assert found.get("firewall.enabled", "private").configured is False
    assert found.get("firewall.enabled", "public").configured is True


def test_registry_and_running_firewall_that_disagree():
    found = facts(active={"enabled": False, "inbound": "Allow"})
    enabled = found.get("firewall.enabled", "public")
    assert (enabled.configured, enabled.effective, enabled.cause) == (
        True,
        False,
        "the registry and the running firewall disagree",
    )
    assert found.get("firewall.inbound_445", "public").effective == ["any"]
    found = facts(local={"EnableFirewall": 0})
    assert found.get("firewall.inbound_445", "public").effective == ["any"]
    found = facts(local={"DefaultInboundAction": 0})
    assert found.get("firewall.inbound_445", "public").effective == ["any"]
    found = facts(local={"DoNotAllowExceptions": 1}, rules={"A": f"v2.33|{OPEN_445}|"})
    assert found.get("firewall.inbound_445", "public").effective == ["any"]  # the running firewall lets rules count
    found = facts(
        local={"DoNotAllowExceptions": 1}, rules={"A": f"v2.33|{OPEN_445}|"}, active={"allow_inbound_rules": False}
    )
    assert found.get("firewall.inbound_445", "public").effective == []


def test_logging_and_notifications():
    logging = {
        "LogDroppedPackets": 1,
        "LogSuccessfulConnections": 0,
        "LogFileSize": 16384,
        "LogFilePath": "%systemroot%\\x.log",
    }
    active = {
        "log_blocked": True,
        "log_allowed": False,
        "log_size": 16384,
        "log_path": "C:\\x.log",
        "notify": False,
        "unicast": "NotConfigured",
    }
    found = facts(local={"Logging": logging, "DisableNotifications": 1}, active=active)
    assert found.get("firewall.log_dropped", "domain").truths() == {"configured": True, "effective": True}
    assert found.get("firewall.log_allowed", "domain").effective is False
    assert found.get("firewall.log_size", "domain").configured == 16384
    assert found.get("firewall.log_path", "domain").cause is None
    assert found.get("firewall.notifications", "domain").configured is False
    unicast = found.get("firewall.unicast_response", "domain")
    assert (unicast.configured, unicast.origin.kind) == (True, "default")


def test_before_windows_8_the_registry_is_all_there_is():
    found = facts(firewall_active=127)
    assert found.get("firewall.enabled", "public").truths() == {"configured": True}
    assert found.get("firewall.readable").effective is True


@pytest.mark.parametrize("service", ["MpsSvc", "BFE"])
def test_a_service_that_does_not_run_filters_nothing(service):
    found = facts(facts_of_host=host([name for name in ("MpsSvc", "BFE") if name != service]))
    enabled = found.get("firewall.enabled", "public")
    assert (enabled.effective, enabled.cause) == (False, f"the service {service} does not run")
    assert found.get("firewall.inbound_445", "public").effective == ["any"]


def test_a_firewall_of_another_vendor():
    found = facts(facts_of_host=host(products={"Wall": True}))
    assert "Wall" in found.get("firewall.enabled", "public").cause
    assert found.get("firewall.inbound_445", "public").effective == []
    found = facts(local={"EnableFirewall": 0}, facts_of_host=host(products={"Wall": True}))
    assert "Wall" in found.get("firewall.inbound_445", "public").unreadable
    found = facts(local={"EnableFirewall": 0}, facts_of_host=host(products={"Wall": False}))
    assert found.get("firewall.inbound_445", "public").effective == ["any"]


@pytest.mark.parametrize("lost", ["firewall_profiles", "firewall_active"])
@pytest.mark.parametrize("how", [1, 126, None, [], {}, "x"])
def test_profiles_that_could_not_be_read(lost, how):
    reading = read(answer(**{lost: how}), host())
    for name in ("enabled", "inbound_445", "outbound_445", "log_dropped"):
        found = reading.facts.objects(f"firewall.{name}")
        assert set(found) == {""}
        assert found[""].unreadable
    assert reading.facts.get("firewall.readable").unreadable
    assert reading.errors


@pytest.mark.parametrize("how", [1, 126, None, [], {}, {"local": []}])
def test_rules_that_could_not_be_read(how):
    found = read(answer(firewall_rules=how), host()).facts
    assert found.get("firewall.enabled", "public").effective is True
    assert found.get("firewall.inbound_445", "public").unreadable
    assert found.get("firewall.outbound_445", "public").unreadable
    assert found.get("firewall.smb_ipsec").unreadable
    assert found.get("firewall.legacy_sharing_rules").unreadable
    found = read(answer(firewall_rules=how, local={"EnableFirewall": 0}), host()).facts
    assert found.get("firewall.inbound_445", "public").effective == ["any"]  # that needs no rules


@pytest.mark.parametrize(
    "value", ["garbage", 7, None, ["x"], "v2.33|Active=TRUE|Dir=In|", "v2.33|Action=Neu|Active=TRUE|Dir=In|"]
)
def test_a_rule_that_cannot_be_understood_may_open_anything(value):
    assert "rule X" in facts(rules={"X": value}).get("firewall.inbound_445", "public").unreadable


@pytest.mark.parametrize(
    "value", ["v2.33|Action=Allow|Action=Block|Active=FALSE|Dir=In|", "v2.33|Action=Block|Active=TRUE|"]
)
def test_a_rule_that_cannot_be_understood_and_opens_nothing(value):
    assert facts(rules={"X": value}).get("firewall.inbound_445", "public").effective == []


@pytest.mark.parametrize("value", ["1", 2, True, None, [1], -1])
def test_values_that_windows_would_not_write(value):
    found = facts(local={"EnableFirewall": value})
    assert found.get("firewall.enabled", "public").unreadable
    assert found.get("firewall.inbound_445", "public").unreadable
    assert found.get("firewall.log_dropped", "public").unreadable is None


def test_one_profile_that_cannot_be_read_does_not_lose_the_others():
    profiles = {"local": {"domain": LOCAL, "private": "x", "public": LOCAL}, "policy": {}}
    found = facts(firewall_profiles=profiles)
    assert found.get("firewall.enabled", "private").unreadable
    assert found.get("firewall.inbound_445", "private").unreadable
    assert found.get("firewall.inbound_445", "public").effective == []


def test_ipsec_needs_a_rule_that_makes_peers_authenticate():
    secure = {"A": f"v2.33|{OPEN_445}|Security=Authenticate|RA4=10.0.0.0/8|"}
    assert facts(rules=secure).get("firewall.smb_ipsec").effective is False
    found = facts(rules=secure, firewall_ipsec={"count": 2})
    assert found.get("firewall.smb_ipsec").effective is True
    assert found.get("firewall.inbound_445_authenticated", "public").effective == ["10.0.0.0/8"]
    assert found.get("firewall.inbound_445", "public").effective == []
    assert facts(rules=secure, firewall_ipsec=126).get("firewall.smb_ipsec").unreadable


def test_rules_of_a_management_service_are_policy():
    rules_of_mdm = {"local": {}, "policy": {}, "mdm": {"A": f"v2.33|{OPEN_445}|"}}
    policy = {"public": {"AllowLocalPolicyMerge": 0}}
    found = facts(policy=policy, firewall_rules=rules_of_mdm, active={"local_merge": False})
    assert found.get("firewall.inbound_445", "public").effective == ["any"]
