# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a probe may ask: private addresses, and what somebody answers for."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import DecodeError
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.scope import Grant, Scope, grants
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.targets import parse

TODAY = datetime.date(2026, 12, 1)
DMZ = Grant("203.0.113.0/24", "our DMZ", "alice", datetime.date(2026, 12, 31))


def allowed(text, *records):
    return Scope(records, TODAY).outside(parse(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "169.254.1.1",
        "::1",
        "fc00::1",
        "fdff::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "10.255.255.255-10.255.255.255",
    ],
)
def test_private_addresses_may_be_asked(text):
    assert allowed(text)


@pytest.mark.parametrize(
    ("text", "stranger"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("9.255.255.255", "9.255.255.255"),
        ("11.0.0.0/30", "11.0.0.1"),
        ("172.15.255.255", "172.15.255.255"),
        ("172.32.0.1", "172.32.0.1"),
        ("192.167.255.255-192.168.0.9", "192.167.255.255"),
        ("192.168.255.250-192.169.0.3", "192.169.0.0"),
        ("100.63.255.255", "100.63.255.255"),
        ("100.128.0.1", "100.128.0.1"),
        ("126.0.0.1", "126.0.0.1"),
        ("203.0.113.1", "203.0.113.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("::2", "::2"),
        ("64:ff9b::a00:1", "64:ff9b::a00:1"),
        ("fbff::1", "fbff::1"),
        ("fe00::1", "fe00::1"),
        ("fec0::1", "fec0::1"),
    ],
)
def test_others_are_refused_and_the_first_stranger_is_named(text, stranger):
    assert Scope(today=TODAY).outside(parse(text)) == stranger
    with pytest.raises(BadInput) as caught:
        Scope(today=TODAY).check([parse("10.0.0.1"), parse(text)])
    assert f"{stranger} is no private address, and no scope file names it" in str(caught.value)
    assert "breakwater_scope" in caught.value.remedy


def test_a_scope_file_adds_and_takes_nothing_away():
    assert allowed("203.0.113.0/24", DMZ)
    assert allowed("203.0.113.255", DMZ)
    assert allowed("10.0.0.1", DMZ)
    assert not allowed("203.0.112.255-203.0.113.4", DMZ)
    assert allowed("203.0.112.250-203.0.113.4", DMZ, Grant("203.0.112.250-255", "r", "o"))
    assert allowed("2001:db8::5", Grant("2001:db8::/64", "r", "o"))
    assert allowed("198.51.100.7", Grant("198.51.100.7", "r", "o"))
    assert not allowed("198.51.100.8", Grant("198.51.100.7", "r", "o"))


def test_what_has_expired_counts_no_more_and_is_named():
    scope = Scope([DMZ], datetime.date(2027, 1, 1))
    assert Scope([DMZ], datetime.date(2026, 12, 31)).outside(parse("203.0.113.9")) is None
    with pytest.raises(BadInput, match=r"what alice answered for expired on 2026-12-31"):
        scope.check([parse("203.0.113.9")])
    with pytest.raises(BadInput, match=r"no scope file names it"):
        scope.check([parse("198.51.100.7")])


def test_the_file_is_a_list_of_records():
    record = {"network": "203.0.113.0/24", "reason": "our DMZ", "owner": "alice", "expires": "2026-12-31"}
    assert grants({"scope": [record]}) == [DMZ]
    assert grants([record]) == [DMZ]
    assert grants(None) == []
    assert grants({"scope": None}) == []


@pytest.mark.parametrize(
    ("document", "place", "reason"),
    [
        ("all", "", "no list"),
        ({"scope": "10.0.0.0/8"}, "scope", "no list"),
        ({"networks": []}, "networks", "unknown key"),
        ([{"network": "203.0.113.0/24", "owner": "alice"}], "[0].reason", "is missing"),
        ([{"network": "203.0.113.0/24", "owner": "alice", "reason": " "}], "[0].reason", "say why"),
        ([{"network": "203.0.113.0/24", "owner": "", "reason": "x"}], "[0].owner", "say who answers"),
        ({"scope": [{"network": "203.0.113.9/24", "owner": "a", "reason": "x"}]}, "scope[0].network", "host bits"),
        ([{"network": "nas01", "owner": "a", "reason": "x"}], "[0].network", "no address, network or range"),
        ([{"network": "203.0.113.9:445", "owner": "a", "reason": "x"}], "[0].network", "no address, network or range"),
        ([{"network": "0.0.0.0/0", "owner": "a", "reason": "x"}], "[0].network", "holds no host's address"),
        ([{"network": "203.0.113.9", "owner": "a", "reason": "x", "port": 1}], "[0].port", "unknown key"),
        ([{"network": "203.0.113.9", "owner": "a", "reason": "x", "expires": "soon"}], "[0].expires", "a date"),
        (["203.0.113.9"], "[0]", "expected a mapping"),
    ],
)
def test_every_complaint_about_the_file_has_its_place(document, place, reason):
    with pytest.raises(DecodeError) as caught:
        grants(document)
    assert caught.value.path == place
    assert reason in caught.value.reason
