# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/coverage.md: how many controls of the catalogue exist, and how many each peer has.

python tools/coverage.py [--check]
"""

from __future__ import annotations

import csv
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tools" / "catalogue.csv"
PEERS = ROOT / "tools" / "peers.csv"
PAGE = ROOT / "docs" / "coverage.md"


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def ours() -> set[str]:
    """Return the ids of the controls in the tree."""
    return {path.stem for path in (ROOT / "plugins" / "plugin_utils" / "_implementations").glob("*/controls/*.yml")}


def page() -> str:
    """Return the text of the page."""
    catalogue, mine = rows(CATALOGUE), ours()
    platforms = list(dict.fromkeys(row["platform"] for row in catalogue))
    lines = [
        "# Coverage",
        "",
        "Made by `tools/coverage.py` from the control files and the catalogue; a test keeps it current.",
        "",
        "## Breakwater",
        "",
        "| platform | controls | of | core controls | of |",
        "|---|---|---|---|---|",
    ]
    for platform in platforms:
        every = {row["slug"] for row in catalogue if row["platform"] == platform}
        core = {row["slug"] for row in catalogue if row["platform"] == platform and row["tier"] == "core"}
        lines.append(f"| {platform} | {len(every & mine)} | {len(every)} | {len(core & mine)} | {len(core)} |")
    slugs = {row["slug"] for row in catalogue}
    lines += [f"| all | {len(slugs & mine)} | {len(slugs)} | | |", "", "## Peers, by the same set operation", ""]
    lines += ["| peer | commit | " + " | ".join(platforms) + " |", "|---|---|" + "---|" * len(platforms)]
    for peer in rows(PEERS):
        has = set(peer["controls"].split())
        counts = [
            len(has & {row["slug"] for row in catalogue if row["platform"] == platform}) for platform in platforms
        ]
        lines.append(f"| {peer['peer']} | {peer['commit']} | " + " | ".join(map(str, counts)) + " |")
    lines += [
        "",
        "A peer counts for a control when one of its rules was matched to it at that commit; a rule in free-form shell can be missed.",
        "",
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
