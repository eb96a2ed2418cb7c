# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/coverage.md: how many controls of the catalogue exist, how many each peer has, and which rules of each
Windows benchmark about SMB its profile answers.

python tools/coverage.py [--check], with the collection on the path (``make compile`` does)
"""

from __future__ import annotations

import csv
import functools
import pathlib
import sys
from typing import Any

import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.versions import in_range

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tools" / "catalogue.csv"
PEERS = ROOT / "tools" / "peers.csv"
BENCHMARKS = ROOT / "tools" / "benchmarks.csv"
PROFILES = ROOT / "plugins" / "plugin_utils" / "_data" / "profiles"
WINDOWS = ROOT / "plugins" / "plugin_utils" / "_implementations" / "windows" / "controls"
PAGE = ROOT / "docs" / "coverage.md"


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def ours() -> set[str]:
    """Return the ids of the controls in the tree."""
    return {path.stem for path in (ROOT / "plugins" / "plugin_utils" / "_implementations").glob("*/controls/*.yml")}


def sort_rules(benchmark: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Return the rules of a benchmark that its profile judges, those that the release knows no setting for, and the rest.

    A rule may carry a second name in the profile ("V-254460 WN22-SO-000160").
    """
    controls: dict[str, list[str]] = {}
    for rule in _document(PROFILES / f"{benchmark['profile']}.yml")["rules"]:
        controls.setdefault(str(rule.get("rule", "")).partition(" ")[0], []).append(rule["control"])
    judged: list[str] = []
    foreign: list[str] = []
    absent: list[str] = []
    for number in benchmark["rules"].split():
        ranges = [_versions(control) for control in controls.get(number, ())]
        known = any(not text or in_range(benchmark["build"], text) for text in ranges)
        (judged if known else foreign if ranges else absent).append(number)
    return judged, foreign, absent


def _document(path: pathlib.Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


@functools.cache
def _versions(control: str) -> str:
    """Return the range of versions that a control is for; "" for all."""
    return str(_document(WINDOWS / f"{control}.yml")["when"].get("version", ""))


def table(*lines: list[object]) -> list[str]:
    """Return a Markdown table; the first line is its head."""
    texts = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return [texts[0], "|" + "---|" * len(lines[0]), *texts[1:], ""]


def _breakwater(catalogue: list[dict[str, str]], mine: set[str]) -> list[str]:
    head: list[object] = ["platform", "controls", "of", "core", "of", "related", "of"]
    lines = []
    for platform in dict.fromkeys(row["platform"] for row in catalogue):
        line: list[object] = [platform]
        for tiers in (("core", "related", "adjacent"), ("core",), ("related",)):
            every = {row["slug"] for row in catalogue if row["platform"] == platform and row["tier"] in tiers}
            line += [len(every & mine), len(every)]
        lines.append(line)
    slugs = {row["slug"] for row in catalogue}
    return table(head, *lines, ["all", len(slugs & mine), len(slugs), "", "", "", ""])


def _peers(catalogue: list[dict[str, str]]) -> list[str]:
    columns: dict[str, set[str]] = {}
    for platform in dict.fromkeys(row["platform"] for row in catalogue):
        if platform == "wire":  # who looks from there is in docs/probe-peers.md; these peers read configurations
            continue
        columns[platform] = {row["slug"] for row in catalogue if row["platform"] == platform}
        if platform == "windows":
            for tier in ("core", "related"):
                columns[tier] = {row["slug"] for row in catalogue if (row["platform"], row["tier"]) == (platform, tier)}
    lines: list[list[object]] = []
    for peer in rows(PEERS):
        has = set(peer["controls"].split())
        lines.append([peer["peer"], peer["commit"], *(len(has & slugs) for slugs in columns.values())])
    return table(["peer", "commit", *columns], *lines)


def _benchmarks() -> list[str]:
    lines: list[list[object]] = []
    for benchmark in rows(BENCHMARKS):
        judged, foreign, absent = sort_rules(benchmark)
        of = len(judged) + len(foreign) + len(absent)
        lines.append([benchmark["profile"], len(judged), of, " ".join(foreign), " ".join(absent)])
    return table(["profile", "rules judged", "of", "not applicable", "not answered"], *lines)


def page() -> str:
    """Return the text of the page."""
    catalogue = rows(CATALOGUE)
    lines = [
        "# Coverage",
        "",
        "Made by `tools/coverage.py` from the control files, the profiles and the catalogue; a test keeps it current.",
        "",
        "## Breakwater",
        "",
        *_breakwater(catalogue, ours()),
        "## Peers, by the same set operation",
        "",
        *_peers(catalogue),
        "`core` and `related` are Windows controls. "
        "A peer counts for a control when one of its rules was matched to it at that commit; a rule in free-form shell can be missed.",
        "",
        "## Windows benchmarks",
        "",
        "Rules about SMB and what it rests on (NTLM, LSA, NetBIOS, firewall profiles, user rights), as the peers above number them. "
        "*Not applicable*: asked of a release that has no such setting; the report says so. "
        "*Not answered*: see [profiles](profiles.md#windows).",
        "",
        *_benchmarks(),
    ]
    return "\n".join(lines)


def main() -> int:
    """Write the page, or check it."""
    unknown = ours() - {row["slug"] for row in rows(CATALOGUE)}
    if unknown:
        print(f"controls that the catalogue does not have: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            print("docs/coverage.md is stale: run tools/coverage.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
