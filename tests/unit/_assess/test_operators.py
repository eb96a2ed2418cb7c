# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import operators
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.conditions import in_range, version_key
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Operator

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(get_args(Operator)), JSON, JSON, st.lists(st.text(min_size=1), max_size=4, unique=True))
def test_every_operator_is_total(operator, value, wanted, scale):
    assert operators.holds(operator, value, wanted, scale) in (True, False, None)
    assert isinstance(operators.phrase(operator, wanted), str)


@pytest.mark.parametrize(
    ("operator", "value", "wanted", "scale", "expected"),
    [
        ("equals", "Yes", "yes", (), True),
        ("equals", True, 1, (), False),  # a number is no boolean
        ("equals", 0, False, (), False),  # zero is not "no"
        ("one_of", "MANDATORY", ["mandatory"], (), True),
        ("at_least", "SMB3_00", "SMB2_10", ("NT1", "SMB2_10", "SMB3_00"), True),
        ("at_least", "NT1", "SMB2_10", ("NT1", "SMB2_10", "SMB3_00"), False),
        ("at_least", "default", "SMB2_10", ("NT1", "SMB2_10"), None),
        ("at_least", "311", 785, (), None),  # text is never compared as a number
        ("at_most", 90, 7, (), False),
        ("includes", ["Root", "x"], ["root"], (), True),
        ("excludes", ["10.0.0.0/8"], ["ALL"], (), True),
        ("subset_of", ["445"], ["tcp", "445"], (), True),
        ("subset_of", ["445", "139"], ["tcp", "445"], (), False),
        ("is_empty", [], None, (), True),
        ("is_empty", "  ", None, (), True),
        ("is_empty", False, None, (), False),
        ("mode_within", "0640", "0644", (), True),
        ("mode_within", "0666", "0644", (), False),
        ("mode_within", "4755", "0755", (), False),
        ("mode_within", "unknown", "0644", (), None),
        ("networks_within", ["LocalSubnet", "10.1.2.0/24"], ["localsubnet", "10.0.0.0/8"], (), True),
        ("networks_within", ["10.0.0.1-10.255.255.255", "192.168.1.7"], ["10.0.0.0/8", "192.168.0.0/16"], (), True),
        ("networks_within", ["9.255.255.255-10.0.0.9"], ["10.0.0.0/8"], (), False),
        ("networks_within", ["fe80::1", "fd00::/8"], ["fe80::/10", "fc00::/7"], (), True),
        ("networks_within", ["::/0"], ["10.0.0.0/8"], (), False),
        ("networks_within", ["any"], ["LocalSubnet", "10.0.0.0/8"], (), False),
        ("networks_within", ["0.0.0.0-255.255.255.255"], ["LocalSubnet", "10.0.0.0/8"], (), False),  # any in disguise
        ("networks_within", ["any", "Internet"], ["any"], (), True),
        ("networks_within", ["Internet"], ["LocalSubnet"], (), False),
        ("networks_within", ["10.0.0.0/8-banana"], ["10.0.0.0/8"], (), False),
        ("networks_within", [], [], (), True),
        ("networks_within", ["LocalSubnet"], [], (), False),
        ("networks_within", [167772160], ["10.0.0.0/8"], (), None),
        ("networks_within", None, ["10.0.0.0/8"], (), None),
    ],
)
def test_operator(operator, value, wanted, scale, expected):
    assert operators.holds(operator, value, wanted, scale) is expected


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_are_ordered_as_their_numbers(left, right):
    def shown(parts):
        return ".".join(map(str, parts))

    width = max(len(left), len(right))

    def padded(parts):
        return parts + [0] * (width - len(parts))

    assert (version_key(shown(left)) < version_key(shown(right))) == (padded(left) < padded(right))


@pytest.mark.parametrize(
    ("version", "condition", "expected"),
    [
        ("4.17.12-Debian", ">=4.17", True),
        ("4.17.12-Debian", ">=4.15, <4.17", False),
        ("4.23.0rc1", "<4.23", True),
        ("4.9.5", ">=4.11", False),
        ("4.17", "==4.17.0", True),
        ("", ">=4.11", None),
    ],
)
def test_range(version, condition, expected):
    assert in_range(version, condition) is expected


def test_range_that_is_none():
    with pytest.raises(ValueError, match="not a version condition"):
        in_range("4.1", "newer than 4")


@pytest.mark.parametrize("operator", ["subset_of", "networks_within"])
def test_nothing_beyond_an_empty_list_is_empty(operator):
    assert operators.phrase(operator, []) == "empty"
    assert "10.0.0.0/8" in operators.phrase(operator, ["10.0.0.0/8"])
