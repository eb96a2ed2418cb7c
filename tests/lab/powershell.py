# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds PowerShell 7: what BREAKWATER_PWSH names, then ``pwsh`` on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence


def find() -> str | None:
    """Return the program's path, or None."""
    named = os.environ.get("BREAKWATER_PWSH")
    return shutil.which(named) if named else shutil.which("pwsh")


def require() -> str:
    """Return the program's path; a test without it is skipped with the way to get it."""
    found = find()
    if found is None:
        import pytest

        pytest.skip("needs PowerShell 7: install the package powershell, or name its program in BREAKWATER_PWSH")
    return found


def run(
    arguments: Sequence[str],
    stdin: bytes = b"",
    *,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[bytes]:
    """Run PowerShell without profile and without questions; its output is bytes."""
    return subprocess.run(
        [require(), "-NoProfile", "-NonInteractive", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "NO_COLOR": "1", "POWERSHELL_TELEMETRY_OPTOUT": "1", **(environment or {})},
        check=False,
        timeout=timeout,
    )
