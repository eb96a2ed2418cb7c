# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the YAML that people write into the JSON that programs load.

    python tools/compile.py            write plugins/plugin_utils/_data/compiled/*.json and _data/fingerprints.json
    python tools/compile.py --check    validate everything; fail when a compiled file is stale

Run it with the collection on the path (``make compile`` does).
"""

from __future__ import annotations

import argparse
import csv
import json
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import strict_yaml
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.check import (
    check_control,
    check_examples,
    check_profile,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import rows as samba_rows
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.settings import (
    rows as windows_rows,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import DecodeError, decode, encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.check import check_fingerprint
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.fingerprints import Fingerprint

ROOT = pathlib.Path(__file__).resolve().parent.parent / "plugins" / "plugin_utils"
IMPLEMENTATIONS = ROOT / "_implementations"
CATALOGUE = pathlib.Path(__file__).resolve().parent / "catalogue.csv"
COMPILED = ROOT / "_data" / "compiled"
FINGERPRINTS = "../fingerprints.json"
"""It is no part of what judges a run, which is everything in the folder of compiled files."""
MAX_LINES = 50
TABLES = {"samba": samba_rows, "windows": windows_rows}
"""Implementations that have a property table, and what reads its form."""


def load_settings() -> dict[str, list[Setting]]:
    """Return the property tables by implementation."""
    texts = {name: (IMPLEMENTATIONS / name / "settings.yml").read_text(encoding="utf-8") for name in TABLES}
    return {name: TABLES[name](yaml.safe_load(text)) for name, text in texts.items()}


def load_controls(folder: pathlib.Path, settings: dict[str, Setting]) -> tuple[list[Control], list[str]]:
    """Return the controls of a folder, and every complaint about them."""
    controls, complaints = [], []
    with CATALOGUE.open(encoding="utf-8", newline="") as stream:
        catalogue = {row["slug"]: row["area"] for row in csv.DictReader(stream)}
    for path in sorted(folder.glob("*.yml")):
        try:
            control = decode(Control, strict_yaml.load(str(path), "control", path.name)[1])
        except (DecodeError, BadInput) as error:
            complaints.append(f"{path.name}: {error}")
            continue
        found = check_control(control, settings) or check_examples(control, settings)
        if control.id != path.stem:
            found.append(f"id {control.id!r} is not the file's name")
        if control.id not in catalogue:
            found.append("the catalogue has no such control")
        elif control.area != catalogue[control.id]:
            found.append(f"the catalogue files it under {catalogue[control.id]!r}, not {control.area!r}")
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            found.append(f"{lines} lines; {MAX_LINES} at most")
        complaints += [f"{path.name}: {complaint}" for complaint in found]
        controls.append(control)
    return controls, complaints


def load_profiles(controls: Iterable[Control], settings: dict[str, Setting]) -> tuple[list[Profile], list[str]]:
    """Return the benchmark profiles, and every complaint about them."""
    known = {control.id: control for control in controls}
    profiles, complaints = [], []
    for path in sorted((ROOT / "_data" / "profiles").glob("*.yml")):
        try:
            profile = decode(Profile, strict_yaml.load(str(path), "profile", path.name)[1])
        except (DecodeError, BadInput) as error:
            complaints.append(f"{path.name}: {error}")
            continue
        complaints += [f"{path.name}: {complaint}" for complaint in check_profile(profile, known, settings)]
        if profile.id != path.stem:
            complaints.append(f"{path.name}: id {profile.id!r} is not the file's name")
        profiles.append(profile)
    return profiles, complaints


def load_fingerprints() -> tuple[list[Fingerprint], list[str]]:
    """Return the rows that tell implementations apart, and every complaint about them."""
    path = ROOT / "_probe" / "fingerprints.yml"
    rows: list[Fingerprint] = []
    complaints: list[str] = []
    for number, entry in enumerate(strict_yaml.load(str(path), "table", path.name)[1]["fingerprints"]):
        try:
            row = decode(Fingerprint, entry, f"fingerprints[{number}]")
        except DecodeError as error:
            complaints.append(f"{path.name}: {error}")
            continue
        found = check_fingerprint(row)
        if row.id in {known.id for known in rows}:
            found.append("the id stands twice")
        complaints += [f"{path.name}: {row.id}: {complaint}" for complaint in found]
        rows.append(row)
    return rows, complaints


def lines_of(rows: Iterable[Any]) -> str:
    """Return a JSON list with one row per line, so that merges stay readable.

    Keys keep their order: the first token of a value is the one that is written.
    """
    texts = [json.dumps(encode(row), ensure_ascii=False, separators=(",", ":")) for row in rows]
    return "[\n" + ",\n".join(texts) + "\n]\n"


def compiled() -> tuple[dict[str, str], list[str]]:
    """Return file name → content of everything that is compiled, and all complaints."""
    tables = load_settings()
    files = {f"{name}-settings.json": lines_of(table) for name, table in tables.items()}
    settings = {setting.id: setting for table in tables.values() for setting in table}
    complaints: list[str] = []
    every: list[Control] = []
    for folder in sorted(IMPLEMENTATIONS.glob("*/controls")):
        controls, found = load_controls(folder, settings)
        complaints += found
        every += controls
        if controls:
            rows = [{k: v for k, v in encode(control).items() if k != "examples"} for control in controls]
            files[f"{folder.parent.name}-controls.json"] = lines_of(rows)
    profiles, found = load_profiles(every, settings)
    files["profiles.json"] = lines_of(profiles)
    marks, strange = load_fingerprints()
    files[FINGERPRINTS] = lines_of({k: v for k, v in encode(row).items() if k != "examples"} for row in marks)
    return files, complaints + found + strange


def main() -> int:
    """Compile, or check that nothing is stale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="validate only; fail when a compiled file is stale")
    check = parser.parse_args().check
    files, complaints = compiled()
    for name, text in files.items():
        path = COMPILED / name
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            complaints.append(f"{name} is stale: run tools/compile.py")
        elif not check and not complaints:
            path.write_text(text, encoding="utf-8")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
