# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The generator of the patch data: what it takes over, and what it refuses."""

from __future__ import annotations

import copy
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[3] / "tools" / "advisories.py"
_SPEC = importlib.util.spec_from_file_location("advisories", TOOL)
advisories = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(advisories)

BUILD = {
    "key": "20348",
    "build": 20348,
    "name": "Windows Server 2022",
    "lifecycle": [
        {
            "name": "Windows Server 2022",
            "released": "2021-08-18",
            "security_end": "2031-10-14",
            "esu_end": None,
            "lts": True,
        }
    ],
    "hotpatch_ubr": [916],
    "releases": [
        {"ubr": 887, "date": "2022-08-09"},
        {"ubr": 946, "date": None},
        {"ubr": 1006, "date": "2022-09-13"},
    ],
}
CVE = {
    "id": "CVE-2022-37958",
    "family": "windows",
    "published": "2022-09-13",
    "title": "a vendor's text",
    "kev": None,
    "fixed_builds": [{"build": 20348, "product": "Windows Server 2022", "fixed_ubr": 1006}],
    "hotpatch": [{"build": 20348, "product": "Windows Server 2022", "ubr": [916]}],
    "kb_only": [{"nt_build": 9600}, {"nt_build": 6002}],
    "sources": {"advisory": "https://msrc.microsoft.com/update-guide/vulnerability/CVE-2022-37958"},
}


def made(tmp_path, build=None, cve=None):
    builds = {"generated": "2026-11-22", "builds": [{**copy.deepcopy(BUILD), **(build or {})}]}
    (tmp_path / "windows_builds.json").write_text(json.dumps(builds), encoding="utf-8")
    lines = [{**copy.deepcopy(CVE), **(cve or {})}, {"id": "CVE-1", "family": "samba"}]
    (tmp_path / "advisories.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return json.loads(advisories.text_of(advisories.document(tmp_path)))


def test_numbers_and_dates_are_taken_and_no_text(tmp_path):
    found = made(tmp_path)
    assert found["branches"]["20348"]["releases"] == [[887, "2022-08-09"], [946, None], [1006, "2022-09-13"]]
    assert found["branches"]["20348"]["hotpatches"] == [[916, "2022-09-13"]]
    assert found["cves"] == [
        {
            "id": "CVE-2022-37958",
            "published": "2022-09-13",
            "fixed": {"20348": 1006},
            "legacy": [9600],
            "hotpatch": {"20348": 916},
        }
    ]
    assert found["newest"] == "2022-09-13" and "vendor's text" not in json.dumps(found)


def test_previews_are_kept_only_where_a_revision_may_be_a_hotpatch(tmp_path):
    found = made(tmp_path, {"key": "17763", "build": 17763, "hotpatch_ubr": []})
    assert found["branches"]["17763"]["releases"] == [[887, "2022-08-09"], [1006, "2022-09-13"]]


def test_client_and_server_of_one_build_are_apart(tmp_path):
    rows = [
        {"build": 26100, "product": "Windows 11 24H2", "fixed_ubr": 8875},
        {"build": 26100, "product": "Windows Server 2025", "fixed_ubr": 33158},
    ]
    releases = [{"ubr": 33158, "date": "2026-07-14"}]
    build = {"key": "26100s", "build": 26100, "hotpatch_ubr": [], "releases": releases}
    found = made(tmp_path, build, {"fixed_builds": rows, "published": "2026-07-14"})
    assert found["cves"][0]["fixed"] == {"26100s": 33158}


def test_what_came_out_later_had_the_fix_from_the_start(tmp_path):
    found = made(tmp_path, cve={"published": "2021-07-01"})
    assert found["cves"][0]["fixed"] == {}


def test_a_cve_that_no_build_decides_is_left_out(tmp_path):
    assert made(tmp_path, cve={"fixed_builds": [], "kb_only": []})["cves"] == []


def test_a_row_that_must_be_missing_makes_a_record_partial(tmp_path):
    rows = [{"build": 26200, "product": "Windows 11 25H2", "fixed_ubr": 1006}]
    found = made(tmp_path, {"key": "26200", "build": 26200, "hotpatch_ubr": []}, {"fixed_builds": rows})
    assert found["cves"][0]["partial"] is True
    assert "partial" not in made(tmp_path)["cves"][0]


@pytest.mark.parametrize(
    "address",
    ["https://news.example/cve-2026-44656", "", "http://msrc.microsoft.com/x", "https://msrc.microsoft.com.example/"],
)
def test_only_the_vendor_is_a_source(tmp_path, address):
    """A machine-written article once made an SMB flaw of another product's number."""
    with pytest.raises(advisories.Refused, match="no advisory of the vendor"):
        made(tmp_path, cve={"sources": {"advisory": address}})


def test_a_fix_from_another_months_list_is_refused(tmp_path):
    with pytest.raises(advisories.Refused, match="was released on 2022-09-13"):
        made(tmp_path, cve={"published": "2022-06-14"})


@pytest.mark.parametrize(
    "releases",
    [
        [{"ubr": 1006, "date": "2022-09-13"}, {"ubr": 887, "date": "2022-08-09"}],
        [{"ubr": 887, "date": "2022-09-13"}, {"ubr": 1006, "date": "2022-08-09"}],
        [{"ubr": 887, "date": "2022-08-09"}, {"ubr": 887, "date": "2022-09-13"}],
    ],
)
def test_revisions_and_dates_must_rise_together(tmp_path, releases):
    with pytest.raises(advisories.Refused, match="do not rise"):
        made(tmp_path, {"releases": releases})


def test_a_refused_source_writes_nothing(tmp_path):
    made(tmp_path)
    (tmp_path / "advisories.jsonl").write_text(json.dumps({**CVE, "sources": {}}), encoding="utf-8")
    before = advisories.TARGET.joinpath("windows.json").read_bytes()
    done = subprocess.run([sys.executable, str(TOOL), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no advisory of the vendor" in done.stderr
    assert advisories.TARGET.joinpath("windows.json").read_bytes() == before
