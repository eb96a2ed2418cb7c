# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host for the planner, out of thin air."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Target
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Line, Options, Situation

TODAY = datetime.date(2026, 11, 25)
NOW = datetime.datetime(2026, 11, 25, 23, 30, tzinfo=datetime.timezone.utc)  # a Wednesday
VERSIONS = {"samba": "4.17.12", "windows": "10.0.26100.1"}


def _facts(given):
    book = FactSet()
    for fact_id, objects in given.items():
        for obj, item in (objects if isinstance(objects, dict) else {"": objects}).items():
            book.put(fact_id, item if isinstance(item, Fact) else Fact(effective=item), obj)
    return book


@pytest.fixture
def host():
    """Return a function that makes a situation.

    ``facts``: fact id → value, Fact, or {object: value}. ``sessions``: what a reader puts of each.
    """

    def make(
        implementation="samba", facts=(), sessions=(), traits=("standalone",), doubts=(), force=(), line=None, **options
    ):
        given = {"usage.sessions_read": True, **dict(facts)}
        if sessions:
            given["usage.session"] = {str(number): session for number, session in enumerate(sessions, 1)}
        parts = [
            Implementation(implementation, VERSIONS.get(implementation, ""), side, True, tuple(traits), tuple(doubts))
            for side in ("server", "client")
        ]
        records = tuple(
            record
            if isinstance(record, ExceptionRecord)
            else ExceptionRecord("force", record, ("h1",), "told", "alice", datetime.date(2027, 1, 1))
            for record in force
        )
        return Situation(
            "h1",
            _facts(given),
            parts,
            catalogue.every_setting(),
            catalogue.controls(),
            TODAY,
            NOW,
            records,
            Options(**options),
            line or Line("local"),
        )

    return make


@pytest.fixture
def target():
    """Return a function that makes a target of a control: its fact, area, severity and stage come from the catalogue."""

    def make(control, value=None, fact=None, **more):
        known = catalogue.controls()[control]
        made = Target(
            control, fact or known.tests[0].fact, value, severity=known.severity, area=known.area, stage=known.stage
        )
        return dataclasses.replace(made, **more)

    return make


@pytest.fixture
def session():
    """Return a function that makes a session of a client that does everything right."""

    def make(**more):
        good = {
            "user": "alice",
            "machine": "10.0.0.5",
            "address": "10.0.0.5",
            "dialect": "SMB3_11",
            "signing": "AES-128-GMAC",
            "encryption": "AES-128-GCM",
            "shares": ["data"],
        }
        return {**good, **more}

    return make
