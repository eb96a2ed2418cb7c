# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that come and go, limits, and trouble with the history, on the recorded fleet."""

from __future__ import annotations

import json

from tests.lab.playbooks import ROOT, play


def hosts(*names: str) -> dict:
    folder = ROOT / "demo" / "recordings"
    return {
        name: {"ansible_connection": "replay", "breakwater_recording": str(folder / f"{name}.txt")} for name in names
    }


def drift_of(played) -> list:
    document = json.loads((played.results / "latest" / "fleet.json").read_text(encoding="utf-8"))
    return [(item["host"], item["change"]) for item in document.get("drift", ())]


def test_only_the_whole_fleet_can_miss_a_host(tmp_path):
    play("audit", hosts("guest", "smb1"), tmp_path)
    both = hosts("guest", "smb1")
    assert drift_of(play("audit", both, tmp_path, "--limit", "guest")) == []
    narrowed = play("audit", both, tmp_path, "-e", "breakwater_hosts=guest")
    assert drift_of(narrowed) == []
    assert narrowed.run["scope"]["limit"] == "guest"
    assert drift_of(play("audit", hosts("guest", "hardened"), tmp_path)) == [("hardened", "new"), ("smb1", "gone")]
    assert drift_of(play("audit", hosts("guest", "hardened"), tmp_path)) == []


def test_another_profile_is_no_drift(tmp_path):
    play("audit", hosts("hardened"), tmp_path)
    strict = play("audit", hosts("hardened"), tmp_path, "-e", "breakwater_profile=strict")
    assert drift_of(strict) == []


def test_damaged_history_loses_neither_run_nor_reports(tmp_path):
    database = tmp_path / "history.db"
    database.write_text("this is no database " * 100, encoding="utf-8")
    played = play("audit", hosts("hardened"), tmp_path, "-e", f"breakwater_history={database}")
    assert played.code == 2
    assert "file is not a database" in " ".join(played.output.split())
    assert played.run["verdict"] == "compliant"
    for name in ("index.html", "junit.xml", "report.json", "summary.txt"):
        assert (played.results / "latest" / "reports" / name).stat().st_size > 100
    again = play("report", "localhost,", tmp_path, "-e", "breakwater_run=latest")
    assert again.code == 0, again.output


def test_damaged_host_file_stops_no_report(tmp_path):
    played = play("audit", hosts("hardened", "guest"), tmp_path)
    (played.results / "latest" / "hosts" / "guest.json").write_text("{", encoding="utf-8")
    again = play("report", "localhost,", tmp_path, "-e", "breakwater_run=latest")
    assert again.code == 0, again.output
    page = (played.results / "latest" / "reports" / "index.html").read_text(encoding="utf-8")
    assert "This host was not read: Cannot read the results" in page
