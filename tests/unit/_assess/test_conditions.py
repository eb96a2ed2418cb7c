# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import operators
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.conditions import (
    candidates,
    doubt,
    in_range,
    mismatch,
    version_key,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import When

NUMBERS = st.lists(st.integers(0, 30), min_size=2, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    "rising",
    [
        ["3.6.25", "4.2.0rc1", "4.2.0", "4.2.10", "4.10.0", "4.23.0rc1", "4.23.0rc2", "4.23.0", "4.23.1"],
        ["4.23.0pre1", "4.23.0rc1", "4.23.0-GIT-abc"],
        ["4.21.0~rc3+dfsg-1", "4.21.0+dfsg-1", "4.21.1+dfsg-1"],
        ["2:4.17.12+dfsg-0+deb12u2", "2:4.19.5+dfsg-4ubuntu9", "4.20.0"],
        ["3.0.28", "3.0.28a", "3.0.29"],
        ["5.14.0-427.13.1.el9_4.x86_64", "5.15.0-1", "6.8.0-31-generic", "6.12.0-rc3", "6.12.0", "6.12.1-arch1"],
        ["6.1.7601.24000", "10.0.17763.5830", "10.0.20348.2461", "10.0.26100.1742", "10.0.26100.4652"],
    ],
)
def test_versions_rise(rising):
    keys = [version_key(version) for version in rising]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("left", "right"),
    [("4.17", "4.17.0"), ("4.17.12-Debian", "2:4.17.12+dfsg-0+deb12u2"), ("4.23rc1", "4.23.0-rc1"), (" 4.9 ", "4.9")],
)
def test_versions_that_are_one(left, right):
    assert version_key(left) == version_key(right)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(left, right):
    a, b = version_key(left), version_key(right)
    assert (a < b) + (a == b) + (a > b) == 1
    assert in_range(left, ">=4.15, <4.23") in (True, False, None)


def test_a_number_of_thousands_of_digits_is_no_error():
    assert version_key("9" * 5000) > version_key("4.24")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_order_is_transitive(one, two, three):
    a, b, c = sorted([one, two, three], key=version_key)
    assert in_range(c, f">={a}")
    assert in_range(b, f">={a}, <={c}")
    assert in_range(a, f"<={c}")


@given(NUMBERS, st.integers(1, 9), st.sampled_from(["rc", "-rc", "~rc", ".rc", "beta", "pre"]))
def test_a_pre_release_comes_before_its_release_and_after_the_one_before(number, count, word):
    early = version_key(f"{number}{word}{count}")
    assert early < version_key(number)
    head, _dot, last = number.rpartition(".")
    if int(last):
        assert early > version_key(f"{head}.{int(last) - 1}")


@given(NUMBERS, st.sampled_from(["-Debian", "+dfsg-1", "-Ubuntu", "-SerNet-RedHat-8.el7", "~bpo12+1"]))
def test_a_distribution_does_not_make_a_version_newer(number, suffix):
    assert version_key(number + suffix) == version_key(number)


@given(NUMBERS)
def test_conditions_are_complements(number):
    for version in ("4.17.12", number):
        assert in_range(version, f">={number}") is not in_range(version, f"<{number}")
        assert in_range(version, f"=={number}") is not in_range(version, f"!={number}")


@pytest.mark.parametrize("condition", ["", "4.15", ">=", ">=x", ">= 4.1,", "~=4", ">=4.1 <5 ", "=>4"])
def test_what_is_no_condition(condition):
    with pytest.raises(ValueError, match="not a version condition"):
        in_range("4.1", condition)


def test_servers_come_first_and_sides_are_kept_apart():
    client = Implementation("samba", "4.9.0", "client")
    server = Implementation("samba", "4.17.12", "server")
    assert candidates(When("samba"), [client, server]) == [server, client]
    assert candidates(When("samba", side="client"), [client, server]) == [client]
    assert candidates(When("ksmbd"), [client, server]) == []
    assert mismatch(When("samba", ">=4.10"), server, None) is None


def test_numbers_that_have_no_place():
    assert operators.holds("at_least", float("nan"), 1) is None
    assert operators.holds("at_most", 1, float("nan")) is None
    assert operators.holds("at_least", 10**400, 1.5) is True
    assert operators.phrase("at_least", 10**5000).startswith("(a very long number)")


@pytest.mark.parametrize(
    ("when", "traits", "doubts", "hangs"),
    [
        (When(trait=("domain-controller",)), ("server-os",), ("domain-controller", "standalone"), True),
        (When(trait=("domain-controller",)), ("server-os", "standalone"), (), False),
        (When(trait=("workstation", "domain-controller")), ("workstation",), ("domain-controller",), False),
        (When(without=("domain-controller",)), ("server-os",), ("domain-controller",), True),
        (When(without=("domain-controller",)), ("server-os",), ("print-server",), False),
        (When(trait=("server-os",), without=("print-server",)), ("server-os",), ("print-server",), True),
        (When(version=">=10"), (), ("domain-controller",), False),
        (When(), (), ("domain-controller",), False),
    ],
)
def test_a_condition_that_hangs_on_what_the_host_did_not_tell(when, traits, doubts, hangs):
    found = Implementation("windows", "10.0.20348", "server", True, traits, doubts)
    assert (doubt(when, found) is not None) is hangs
    if hangs:
        assert mismatch(when, found, None) is None, "what is not known excludes nothing"


def test_what_certainly_does_not_fit_is_not_applicable_whatever_else_is_unknown():
    found = Implementation("windows", "6.1.7601", "server", True, (), ("domain-controller",))
    when = When(version=">=10", trait=("domain-controller",))
    assert mismatch(when, found, None) == "windows 6.1.7601 is not >=10"
