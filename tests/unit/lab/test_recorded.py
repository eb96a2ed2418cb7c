# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded form of the Windows hosts is that of today's collector, host data and simulation."""

from __future__ import annotations

import pathlib

import pytest

RENEW = "python -m tests.lab.windows.record"


def test_every_host_is_recorded() -> None:
    """And nothing that is no host any more."""
    from tests.lab.windows import record

    assert sorted(record.FOLDER.glob("*.json")) == sorted(record.path_of(*pair) for pair in record.recordings())


def test_recordings_are_not_stale() -> None:
    """Whatever a recording depends on is in its digest."""
    from tests.lab.windows import record

    stale = [pair for pair in record.recordings() if record.read(*pair)["digest"] != record.digest(*pair)]
    assert not stale, f"renew them: {RENEW}"


def test_recordings_are_read_as_answers() -> None:
    """Under any nonce; a constrained host says so instead."""
    from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import GarbledAnswer
    from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
    from tests.lab.windows import record

    for name, user in record.recordings():
        result = record.output(record.read(name, user), "abc123")
        text = result.stdout.decode("ascii"), result.stderr.decode(), result.rc, "abc123"
        if name == "ws2022-constrained":
            with pytest.raises(GarbledAnswer, match="ConstrainedLanguage"):
                windows.read_answer(*text)
        else:
            assert len(windows.read_answer(*text).records) >= 25, name


@pytest.mark.parametrize(("name", "user"), [("ws2019-hardened", "admin"), ("ws2022", "auditor")])
def test_the_collector_answers_what_is_recorded(tmp_path: pathlib.Path, name: str, user: str) -> None:
    """Run again, record by record."""
    from tests.lab.windows import record

    fresh = record.recorded(record.collect(name, tmp_path, user))
    kept = record.read(name, user)
    assert fresh == {key: value for key, value in kept.items() if key != "digest"}, f"renew it: {RENEW}"
