# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of Samba beside its parameters: modes, owners, nmbd; and what only a person can do."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Native, Target

from .smbconf import SETTINGS, Host, want

CONF = "/etc/samba/smb.conf"
KEYS = "/var/lib/samba/private/passdb.tdb"
LISTINGS = [
    Record("samba.ls_conf", "ls -ldn", f"-rw-rw-rw- 1 1000 4 99 Jan  1 00:00 {CONF}\n-rw-r--r-- 1 0 0 9 Jan  1 00:00 /inc"),
    Record("samba.ls_private", "ls -ldn", f"drwxr-xr-x 2 0 0 9 Jan  1 00:00 /var/lib/samba/private\n-rw-r----- 1 0 7 9 Jan  1 00:00 {KEYS}"),
    Record("samba.ls_usershares", "ls -ldn", "drwxrwxrwt 2 0 118 9 Jan  1 00:00 /var/lib/samba/usershares"),
]  # fmt: skip


def target(fact, value, obj="", control="c"):
    return Target(control, f"samba.{fact}", value, obj)


def plan(*targets, records=None, facts=None):
    return edit(
        targets, Collected(list(LISTINGS if records is None else records), uid="0"), facts or FactSet(), SETTINGS
    )


def test_mode_and_owner_of_a_file_are_one_step():
    done = plan(target("config_mode", "0644", CONF), target("config_owner", "root", CONF))
    (step,) = done.steps
    assert (step.kind, step.target, step.restart) == ("mode", CONF, "none")
    assert (step.before, step.after) == (Native("mode", "0666 1000 4"), Native("mode", "0644 0 4"))
    assert [(c.address, c.before, c.after, c.object, c.step) for c in done.changes] == [
        (f"{CONF} mode", "0666", "0644", CONF, 1),
        (f"{CONF} owner", "1000", "root", CONF, 1),
    ]
    assert done.refused == ()


@pytest.mark.parametrize(
    ("fact", "path", "value", "after"),
    [
        ("config_mode", CONF, "0777", None),
        ("config_mode", CONF, "7644", "0644 1000 4"),
        ("private_file_mode", KEYS, "0600", "0600 0 7"),
        ("private_mode", "/var/lib/samba/private", "0700", "0700 0 0"),
        ("usershare_mode", "/var/lib/samba/usershares", "1770", "1770 0 118"),
        ("usershare_owner", "/var/lib/samba/usershares", "root", None),
    ],
)
def test_a_mode_only_loses_bits(fact, path, value, after):
    done = plan(target(fact, value, path))
    assert [step.after.value for step in done.steps] == ([] if after is None else [after])
    assert done.refused == ()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (target("config_mode", "0644", "/not/there"), "not seen"),
        (target("config_mode", "rw-r--r--", CONF), "neither"),
        (target("config_owner", "alice", CONF), "neither"),
        (target("config_mode", "0644", "/link"), "symbolic link"),
        (target("config_mode", "0644", "/caf\\xe9"), "not seen"),
    ],
)
def test_files_that_are_left_alone(wanted, words):
    more = Record(
        "samba.ls_conf",
        "ls",
        "lrwxrwxrwx 1 0 0 9 Jan  1 00:00 /link -> /else\n-rw-rw-rw- 1 0 0 9 Jan  1 00:00 /caf\udce9",
    )
    done = plan(wanted, records=[more] if words in ("symbolic link",) or "caf" in wanted.object else LISTINGS)
    assert done.steps == () and done.changes == ()
    assert words in done.refused[0].why


NMBD = (target("nmbd_running", False), target("nmbd_enabled", False))
SYSTEMD = Record("host.systemd", "systemctl show", "")


def services(**states):
    facts = FactSet()
    for name, (active, enabled) in states.items():
        facts.put("host.service", Fact(effective={"active": active, "enabled": enabled}), name)
    return facts


@pytest.mark.parametrize(
    ("name", "state", "before"),
    [
        ("nmbd", ("active", "enabled"), "enabled running"),
        ("nmb", ("inactive", "enabled-runtime"), "enabled stopped"),
        ("nmbd", ("activating", "disabled"), "disabled running"),
    ],
)
def test_nmbd_is_stopped_and_stays_so(name, state, before):
    done = plan(*NMBD, records=[SYSTEMD], facts=services(**{name: state}))
    assert [(s.kind, s.target, s.before.value, s.after.value) for s in done.steps] == [
        ("unit", "nmbd", before, "disabled stopped")
    ]
    assert [(c.address, c.before, c.after) for c in done.changes] == [(f"{name}.service", before, "disabled stopped")]


@pytest.mark.parametrize(
    ("records", "facts", "words"),
    [
        ([], services(nmbd=("", "enabled")), "no systemd"),
        ([SYSTEMD], services(), "no systemd"),
        ([SYSTEMD], services(nmbd=("inactive", "disabled")), "what starts it"),
    ],
)
def test_where_nobody_manages_nmbd_a_person_has_to(records, facts, words):
    done = plan(*NMBD, records=records, facts=facts)
    assert done.steps == ()
    assert [words in blocked.why for blocked in done.refused] == [True]


@pytest.mark.parametrize(
    "fact",
    [
        "guest_account_shell",
        "guest_account_exists",
        "release_maintained",
        "config_valid",
        "conditional_includes",
        "xyz",
    ],
)
def test_what_has_no_step_has_advice(fact):
    done = plan(target(fact, True, control="one"))
    assert done.steps == ()
    (blocked,) = done.refused
    assert (blocked.control, blocked.kind, blocked.fact) == ("one", "edit", f"samba.{fact}")
    assert fact.replace("_", " ") in blocked.why


def test_everything_together_is_numbered_through():
    host = Host("[global]\nserver signing = no\n", more=[*LISTINGS, SYSTEMD])
    host.facts.put("host.service", Fact(effective={"active": "active", "enabled": "enabled"}), "nmbd")
    done = host.plan(*NMBD, want("server signing", "mandatory"), target("config_mode", "0644", CONF))
    assert [(step.id, step.kind) for step in done.steps] == [(1, "file"), (2, "mode"), (3, "unit")]
    assert [(change.step, change.fact) for change in done.changes] == [
        (1, "samba.server_signing"),
        (2, "samba.config_mode"),
        (3, "samba.nmbd_enabled"),
    ]


def test_a_number_that_only_the_owner_knows():
    done = Host("[global]\n").plan(want("max smbd processes", 1))
    assert done.steps == () and "owner" in done.refused[0].why
