# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ships with Breakwater and is read at run time: collectors, settings, controls, profiles."""

from __future__ import annotations

import functools
import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from .._assess.load import control_of, profile_of, setting_of
from .._implementations.windows import hardened
from .._model.collected import Family
from .._model.control import Control, Profile
from .._model.setting import Setting
from .._model.step import Order
from .._probe.fingerprints import Fingerprint
from .._probe.fingerprints import load as fingerprints_of
from .._remote import posix, windows

_HERE = pathlib.Path(__file__).resolve().parent.parent
COMPILED = _HERE / "_data" / "compiled"
SECTIONS = ("host", "samba")
"""Sections of the Unix collector, in order: later readers may use what earlier ones found."""
WINDOWS_SECTIONS = ("host", "windows")
"""Sections of the collector for Windows."""


def collector(nonce: str, sections: tuple[str, ...] = SECTIONS) -> bytes:
    """Return the script for a Unix host."""
    return posix.build_script(_remote("core.sh"), _collectors(sections, "sh"), nonce)


def windows_collector(nonce: str) -> bytes:
    """Return what goes to the standard input of PowerShell: script and addresses, as one line of base64."""
    return windows.build_script(_remote("core.ps1"), _collectors(WINDOWS_SECTIONS, "ps1"), _addresses(), nonce)


def apply_script(family: Family, order: Order, nonce: str) -> bytes:
    """Return the script that carries out an order and collects again.

    Raises:
        ValueError: the order is too large for one script.
    """
    if family == "windows":
        sections = _collectors(WINDOWS_SECTIONS, "ps1")
        return windows.build_apply(_remote("core.ps1"), _interpreter("ps1"), sections, _addresses(), order, nonce)
    sections = _collectors(SECTIONS, "sh")
    return posix.build_apply(_remote("core.sh"), _interpreter("sh"), sections, order, nonce)


def confirm_script(family: Family, journal: str, nonce: str) -> bytes:
    """Return the script that disarms a journal's undo."""
    if family == "windows":
        return windows.build_confirm(_remote("core.ps1"), _interpreter("ps1"), journal, nonce)
    return posix.build_confirm(_remote("core.sh"), _interpreter("sh"), journal, nonce)


def _remote(name: str) -> str:
    return (_HERE / "_remote" / name).read_text(encoding="utf-8")


def _interpreter(ending: str) -> str:
    """Return the interpreter of steps, which is in several files."""
    parts = windows.APPLY_PARTS if ending == "ps1" else posix.APPLY_PARTS
    return "\n".join(_remote(f"{part}.{ending}") for part in parts)


def _collectors(sections: tuple[str, ...], ending: str) -> dict[str, str]:
    return {
        name: (_HERE / "_implementations" / name / f"collect.{ending}").read_text(encoding="utf-8") for name in sections
    }


def _addresses() -> windows.Addresses:
    return windows.Addresses.of(settings("windows").values(), {hardened.KEY: ("*",)})


def _rows(name: str) -> list[Any]:
    """Return the rows of a compiled file (one JSON object per line)."""
    text = (COMPILED / f"{name}.json").read_text(encoding="utf-8")
    document: list[Any] = json.loads(text)
    return document


@functools.cache
def settings(implementation: str) -> Mapping[str, Setting]:
    """Return the property table of an implementation, by fact id."""
    return {row["id"]: setting_of(row) for row in _rows(f"{implementation}-settings")}


@functools.cache
def every_setting() -> Mapping[str, Setting]:
    """Return the rows of all property tables, by fact id."""
    tables = sorted(path.stem.removesuffix("-settings") for path in COMPILED.glob("*-settings.json"))
    return {setting.id: setting for table in tables for setting in settings(table).values()}


@functools.cache
def controls() -> Mapping[str, Control]:
    """Return every control, by id."""
    return {row["id"]: control_of(row) for path in sorted(COMPILED.glob("*-controls.json")) for row in _rows(path.stem)}


@functools.cache
def profiles() -> Mapping[str, Profile]:
    """Return the benchmark profiles that ship with Breakwater, by id."""
    return {row["id"]: profile_of(row) for row in _rows("profiles")}


@functools.cache
def advisories() -> Mapping[str, Any]:
    """Return what is known of Windows updates: builds, dates, ends of support, and which build mends which CVE."""
    document: Mapping[str, Any] = json.loads(
        (_HERE / "_data" / "advisories" / "windows.json").read_text(encoding="utf-8")
    )
    return document


@functools.cache
def fingerprints() -> tuple[Fingerprint, ...]:
    """Return what tells implementations apart on the wire."""
    return fingerprints_of(json.loads((_HERE / "_data" / "fingerprints.json").read_text(encoding="utf-8")))


@functools.cache
def digest() -> str:
    """Return a short digest of all compiled data: which controls judged a run."""
    content = b"".join(path.read_bytes() for path in sorted(COMPILED.glob("*.json")))
    return hashlib.sha256(content).hexdigest()[:12]


def version() -> str:
    """Return the version of the collection, from the manifest of an installed one or from the checkout."""
    root = _HERE.parent.parent
    manifest = root / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    for line in (
        (root / "galaxy.yml").read_text(encoding="utf-8").splitlines() if (root / "galaxy.yml").is_file() else ()
    ):
        if line.startswith("version:"):
            return line.partition(":")[2].strip()
    return "unknown"
