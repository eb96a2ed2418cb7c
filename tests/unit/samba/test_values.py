# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codec of values, both ways, over the whole property table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import grammar, values

from .smbconf import SETTINGS

UNWRITABLE = {"samba.winbind_separator": "\\"}
"""A backslash at the end of a line is no value: it joins the next one. This default can only be had by saying nothing."""


def read_back(setting, text, inverted=False):
    (item,) = grammar.items(f"x = {text}\nnext = 1\n".partition("next")[0])
    return values.parse(setting, item.value, inverted=inverted)


def examples(setting):
    found = [row.value for row in setting.defaults if row.value is not None and "${" not in str(row.value)]
    found += {
        "boolean": [True, False],
        "integer": [0, 1, 4096],
        "octal": ["0000", "0640", "2770"],
        "enum": list(dict.fromkeys(setting.tokens.values())),
        "list": [[], ["one"], ["a b", "c,d", ";", ""]],
        "string": ["", "plain"],
    }[setting.type]
    return found


def test_every_setting_there_and_back():
    assert len(SETTINGS) == 554
    for setting in SETTINGS.values():
        canonical = setting.id in values._UPPER or setting.id == "samba.mangling_char"
        for example in examples(setting):
            value = values.parse(setting, example) if canonical else example
            if UNWRITABLE.get(setting.id) == value:
                continue
            for inverted in (False, True) if setting.type == "boolean" else (False,):
                text = values.format(setting, value, inverted=inverted)
                back = read_back(setting, text, inverted)
                assert back == (f"{int(value, 8):04o}" if setting.type == "octal" else value), (setting.id, value, text)


def test_the_token_that_is_written_is_the_value_itself():
    assert values.format(SETTINGS["samba.server_signing"], "mandatory") == "mandatory"
    assert values.format(SETTINGS["samba.map_to_guest"], "Never") == "Never"
    assert values.format(SETTINGS["samba.server_min_protocol"], "SMB3_11") == "SMB3_11"
    assert values.format(SETTINGS["samba.read_only"], True, inverted=True) == "no"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("read_only", "yes"), ("read_only", 1), ("deadtime", True), ("deadtime", "15"), ("deadtime", 1.5),
        ("server_signing", "sometimes"), ("server_signing", None), ("hosts_allow", "10."), ("hosts_allow", [1]),
        ("hosts_allow", ['a"b']), ("server_string", ["x"]), ("server_string", "a\nb"), ("server_string", "x "),
        ("server_string", "a  b"), ("server_string", "\x1b[2J"), ("server_string", "end\\"), ("create_mask", "0999"),
        ("create_mask", 420), ("workgroup", "lower"),
    ],
)  # fmt: skip
def test_what_no_text_stands_for(name, value):
    with pytest.raises(values.BadValue):
        values.format(SETTINGS[f"samba.{name}"], value)


def test_a_list_keeps_the_separator_and_the_bytes_of_the_old_one():
    setting = SETTINGS["samba.hosts_allow"]
    assert values.format(setting, ["a", "b"], old="x, y") == "a, b"
    assert values.format(setting, ["a", "b"], old="x y") == "a b"
    assert values.format(setting, ["caf\\xe9", "new"], old="ALL caf\udce9") == "caf\udce9 new"


@given(st.lists(st.text(max_size=8), max_size=5), st.text(max_size=20))
def test_a_list_comes_back_as_it_was_or_is_refused(items, old):
    setting = SETTINGS["samba.valid_users"]
    try:
        text = values.format(setting, items, old=old)
    except values.BadValue:
        return
    assert read_back(setting, text) == items
