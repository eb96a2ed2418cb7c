# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shares that users define: what cannot be listed keeps every control on shares from passing."""

from __future__ import annotations

import datetime

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.inventory import MAX_USERSHARES
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet

TODAY = datetime.date(2026, 11, 24)
FOLDER = "/var/lib/samba/usershares"
DENIED = Record("samba.usershares", f"ls {FOLDER}", "", f"ls: cannot open directory '{FOLDER}': Permission denied", 2)


def guests(*records, conf="[global]\n[docs]\npath = /srv\n"):
    """Return (object, verdict) of the control on guest shares."""
    collected = [
        Record("samba.version", "smbd --version", "Version 4.17.12"),
        Record("samba.conf", "smbd -b", "/etc/samba/smb.conf"),
        Record("samba.file", "/etc/samba/smb.conf", conf),
        *records,
    ]
    settings = catalogue.settings("samba")
    reading = read(Collected(collected, "1000"), settings, FactSet(), TODAY)
    findings = assess(
        reading.facts,
        reading.implementations,
        catalogue.controls(),
        settings,
        [Selection("samba-guest-ok", False)],
        today=TODAY,
    )
    return [(finding.object, finding.verdict) for finding in findings]


def user_share(name, guest):
    return Record("samba.usershare", f"{FOLDER}/{name}", f"#VERSION 2\npath=/home/{name}\nguest_ok={guest}\n")


def test_what_is_listed_is_judged():
    assert guests() == [("", "pass")]
    assert guests(user_share("a", "n")) == [("", "pass")]
    assert guests(user_share("a", "n"), user_share("b", "y")) == [("b", "fail")]


def test_what_cannot_be_listed_is_unknown():
    assert guests(DENIED) == [("", "unknown")]
    assert guests(DENIED, conf="[global]\n") == [("", "unknown")]


def test_where_users_may_not_share_nothing_is_missing():
    assert guests(DENIED, conf="[global]\nusershare max shares = 0\n[docs]\npath = /srv\n") == [("", "pass")]


def test_more_than_the_collector_sends():
    assert guests(*(user_share(f"s{number}", "n") for number in range(MAX_USERSHARES))) == [("", "unknown")]


def test_the_collector_sends_as_many():
    script = (catalogue.COMPILED.parents[1] / "_implementations" / "samba" / "collect.sh").read_text(encoding="utf-8")
    assert f'"$bw_count" -lt {MAX_USERSHARES} ' in script
