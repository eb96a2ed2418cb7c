# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.dialects import below, rank


@pytest.mark.parametrize(
    "names",
    [
        ("NT1", "SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"),
        ("1.0", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"),
        ("1.0", "2.0", "2.1", "3.0", "3.02", "3.11"),  # as mount options
        ("NT LM 0.12", "SMB 2.0.2", "smb2.1", "3", "SMB302", "SMB311"),
    ],
)
def test_all_spellings_have_one_order(names):
    assert [rank(name) for name in names] == [100, 202, 210, 300, 302, 311]


def test_the_scales_of_the_property_tables_are_in_that_order():
    """Two sources of one truth: the tables, and how a live session is compared."""
    for setting in catalogue.every_setting().values():
        named = [rank(step) for step in setting.scale if rank(step) is not None]
        if setting.id.endswith(("_min_protocol", "_max_protocol", "_dialect_min", "_dialect_max")):
            assert named == sorted(named), setting.id
            assert len(named) >= 5, setting.id


@pytest.mark.parametrize("text", ["", "default", "none", None, 3, "SMB4_00", "3.1.1.1.1", "2.x", ["3.0"], "NT1; rm"])
def test_what_names_no_dialect_is_not_told(text):
    assert rank(text) is None
    assert below(text, "3.0") is None
