# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.choosing import choose
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import STAGES
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput

NOTHING = {
    "areas": None,
    "controls": None,
    "exclude": None,
    "stages": None,
    "observe_days": 0,
    "restart": False,
    "reboot": False,
    "window": None,
}


def test_nothing_chosen_is_everything(context):
    options = choose(NOTHING, context)
    assert (options.areas, options.controls, options.exclude, options.stages) == ((), (), (), ())
    assert options.window == ""
    assert STAGES == ("observe", "signing", "dialect", "encryption", "ntlm")


def test_names_and_globs(context):
    chosen = {
        **NOTHING,
        "areas": ["dialect", "name-*"],
        "controls": ["samba-*", "win-smb1-server-off"],
        "exclude": ["*-quic-*"],
        "stages": ["observe"],
        "window": "sat,sun 01:00-05:00; 22:00-23:00",
        "observe_days": 14,
    }
    options = choose(chosen, context)
    assert options.areas == ("dialect", "name-*")
    assert options.controls == ("samba-*", "win-smb1-server-off")
    assert options.observe_days == 14


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("areas", ["dialekt"], "breakwater_areas.*'dialekt' fits none; did you mean 'dialect'"),
        ("areas", ["zzz*"], "breakwater_areas.*the areas are anonymous, audit"),
        ("controls", ["samba-server-signin"], "breakwater_controls.*did you mean 'samba-server-signing'"),
        ("controls", ["samba-server-*", "ksmbd-*"], "breakwater_controls.*'ksmbd-\\*' fits none"),
        ("exclude", [""], "breakwater_exclude"),
        ("window", "22:00", "breakwater_window.*22:00"),
        ("window", "25:00-26:00", "breakwater_window"),
        ("observe_days", -1, "breakwater_observe_days.*-1 days"),
    ],
)
def test_what_means_nothing_is_one_sentence(context, name, value, said):
    with pytest.raises(BadInput, match=said) as caught:
        choose({**NOTHING, name: value}, context)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["remediate", "rollback"])
@pytest.mark.parametrize("check", [False, True])
def test_nothing_is_changed_while_a_variable_may_be_misspelt(open_a_run, context, kind, check):
    with pytest.raises(BadInput, match=r"\(breakwater_control\): .*; write breakwater_controls, .*\.$"):
        open_a_run(kind=kind, check=check, variables=("breakwater_control",))
    assert not list(context.results.glob("*/run.json"))


def test_a_variable_that_is_nothing_like_ours_is_named_and_an_audit_only_warns(open_a_run):
    assert open_a_run(variables=("breakwater_harbour_master",)).is_dir()
    assert open_a_run(kind="audit", variables=("breakwater_control",)).is_dir()
