# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what the patch check decides with: builds of Windows with their dates and ends, and which build mends which CVE.

    python tools/advisories.py SOURCE     write plugins/plugin_utils/_data/advisories/windows.json

SOURCE is a directory with windows_builds.json (per build: every revision with its date; life cycles) and
advisories.jsonl (per CVE: the first revision of each build that has the fix). Numbers and dates are taken over, no text.
A record without the vendor's own advisory, or whose revisions and dates contradict each other, is refused.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pathlib
import re
import sys
from typing import Any

TARGET = pathlib.Path(__file__).resolve().parent.parent / "plugins" / "plugin_utils" / "_data" / "advisories"
VENDOR = "https://msrc.microsoft.com/"
OLDEST = 7601
LEGACY = (7601, 9200, 9600)
"""Builds whose updates are not cumulative, or whose revision tells nothing: only their dates are of use."""
HOTPATCHED = frozenset({"20348", "26100", "26100s", "26200", "26300", "28000"})
"""Branches that also get updates without a reboot, whose revision differs from that of the same month's update."""
SERVER_OF = {(26100, "Windows Server 2025"): "26100s"}
"""One build, two products with revisions of their own since January 2026."""
LATE_DAYS = 31
"""A fix that came later than this after its advisory was taken from another one (lists of updates are re-issued)."""
LATE = {"CVE-2020-1472": "its second phase came with the updates of February 2021"}
SOURCES = [
    "MSRC update guide and its CVRF documents (builds, dates)",
    "CVE records of the CVE Program (builds since 2021)",
    "table of Windows builds of the scanner vuls (revision numbers and dates of many updates)",
    "endoflife.date (life cycles, MIT)",
    "CISA known exploited vulnerabilities (CC0)",
]


class Refused(ValueError):
    """The source contradicts itself, or is no source."""


def branch_of(build: int, product: str) -> str:
    """Return the name of the line of revisions that a product's build belongs to."""
    return SERVER_OF.get((build, product), str(build))


def life_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return one row of a life cycle: for whom, until when, and until when extended updates are sold."""
    name, system = row["name"], "server" if "Server" in row["name"] else "workstation"
    edition = re.search(r"\((E|W)\)$", name)
    if "IoT" in name or "IOT" in name:
        channel = "iot"
    elif system == "server":
        channel = "sac" if re.search(r" (SAC|AC)$", name) else "all"
    elif row["lts"]:
        channel = "ltsc"
    else:
        channel = {"E": "enterprise", "W": "general"}[edition[1]] if edition else "all"
    if channel == "iot" and not row["lts"]:
        return None
    return {"system": system, "channel": channel, "end": row["security_end"], "esu": row["esu_end"]}


def releases_of(row: dict[str, Any]) -> list[list[Any]]:
    """Return [revision, date] of the security releases; where hotpatches exist also what is none, without a date."""
    known = [[item["ubr"], item["date"]] for item in row["releases"] if item["date"] or row["key"] in HOTPATCHED]
    dates = [date for _revision, date in known if date]
    if [item[0] for item in known] != sorted({item[0] for item in known}) or dates != sorted(dates):
        raise Refused(f"{row['key']}: revisions and dates do not rise together")
    hotpatches = set(row["hotpatch_ubr"])
    return [item for item in known if item[0] not in hotpatches]


def branches(builds: list[dict[str, Any]], cves: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the lines of revisions by name."""
    found = {}
    for row in (row for row in builds if row["build"] >= OLDEST):
        life = [item for item in map(life_of, row["lifecycle"]) if item]
        found[row["key"]] = {
            "name": row["name"],
            "legacy": row["build"] in LEGACY,
            "hotpatched": row["key"] in HOTPATCHED,
            "life": life,
            "released": min((item["released"] for item in row["lifecycle"]), default=""),
            "releases": [] if row["build"] in LEGACY else releases_of(row),
            "hotpatches": hotpatches_of(row, cves),
        }
    return {key: row for key, row in found.items() if row["life"] or row["releases"]}


def hotpatches_of(row: dict[str, Any], cves: list[dict[str, Any]]) -> list[list[Any]]:
    """Return [revision, date]: the date of an advisory that names it, else of the release with the nearest revision."""
    named = {
        revision: cve["published"]
        for cve in cves
        for item in cve["hotpatch"]
        if branch_of(item["build"], item["product"]) == row["key"]
        for revision in item["ubr"] or ()
    }
    dated = [(item["ubr"], item["date"]) for item in row["releases"] if item["date"]]
    return [
        [revision, named.get(revision) or min(dated, key=lambda item: abs(item[0] - revision))[1]]
        for revision in sorted(row["hotpatch_ubr"])
    ]


def cve_of(row: dict[str, Any], known: dict[str, Any]) -> dict[str, Any] | None:
    """Return what decides about one CVE; None when no build of Windows does."""
    if not str(row["sources"].get("advisory", "")).startswith(VENDOR):
        raise Refused(f"{row['id']}: no advisory of the vendor")
    fixed = {branch_of(item["build"], item["product"]): item["fixed_ubr"] for item in row["fixed_builds"]}
    fixed = {
        key: revision
        for key, revision in fixed.items()
        if key in known and known[key]["released"] <= row["published"]  # what came out later had the fix from the start
    }
    for key, revision in fixed.items():
        _not_late(row, key, dict(known[key]["releases"]).get(revision))
    legacy = [item["nt_build"] for item in row["kb_only"] if item["nt_build"] in LEGACY]
    if not fixed and not legacy:
        return None
    hotpatch = {branch_of(item["build"], item["product"]): min(item["ubr"]) for item in row["hotpatch"] if item["ubr"]}
    found = {"id": row["id"], "published": row["published"], "fixed": fixed, "legacy": sorted(legacy)}
    found |= {"hotpatch": hotpatch} if hotpatch else {}
    found |= {"exploited": row["kev"]["date_added"]} if row["kev"] else {}
    found |= (
        {"partial": True} if "26200" in fixed and "26100" not in fixed else {}
    )  # one code base, so a row is missing
    return found


def _not_late(row: dict[str, Any], key: str, date: str | None) -> None:
    if date is None or row["id"] in LATE:
        return
    late = datetime.date.fromisoformat(date) - datetime.date.fromisoformat(row["published"])
    if late.days > LATE_DAYS:
        raise Refused(f"{row['id']}: {key} was released on {date}, the advisory on {row['published']}")


def document(source: pathlib.Path) -> dict[str, Any]:
    """Return the whole document.

    Raises:
        Refused: the source cannot be trusted.
    """
    builds = json.loads((source / "windows_builds.json").read_text(encoding="utf-8"))
    lines = (source / "advisories.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, filter(None, lines)) if row["family"] == "windows"]
    known = branches(builds["builds"], rows)
    cves = [found for found in (cve_of(row, known) for row in rows) if found]
    for row in known.values():
        del row["released"]
    dates = [date for row in known.values() for _revision, date in row["releases"] if date]
    return {
        "schema": "breakwater/advisories/windows/1",
        "generated": builds["generated"],
        "newest": max(dates),
        "sources": SOURCES,
        "branches": known,
        "cves": sorted(cves, key=lambda cve: (cve["published"], cve["id"])),
    }


def text_of(found: dict[str, Any]) -> str:
    """Return JSON with one branch or CVE per line, so that merges stay readable."""

    def one(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=True)

    head = [f"{one(key)}:{one(found[key])}," for key in ("schema", "generated", "newest", "sources")]
    lines = [f"{one(key)}:{one(row)}" for key, row in found["branches"].items()]
    cves = [one(cve) for cve in found["cves"]]
    return "\n".join(["{", *head, '"branches":{', ",\n".join(lines), "},", '"cves":[', ",\n".join(cves), "]", "}", ""])


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path, help="directory with windows_builds.json and advisories.jsonl")
    source = parser.parse_args().source
    try:
        text = text_of(document(source))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    TARGET.mkdir(exist_ok=True)
    (TARGET / "windows.json").write_text(text, encoding="utf-8")
    print(f"windows.json: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
