# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector follows ``config file``, as smbd does (and testparm does not)."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

SAMBA = pathlib.Path(__file__).parents[3] / "plugins/plugin_utils/_implementations/samba/collect.sh"


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox", "ksh"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[global]\n", "a.conf"),
        ("[global]\nConfig  File = {folder}/b.conf\n", "c d.conf"),
        ("[global]\nconfig file = {folder}/none.conf\n", "a.conf"),
        ("[global]\nconfig file = {folder}/a.conf\n", "a.conf"),
        ("[global]\nconfig file = {folder}/%m.conf\n", "a.conf"),
    ],
)
def test_file_that_counts(shell: str, text: str, expected: str, tmp_path: pathlib.Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}: apt-get install {shell}")
    (tmp_path / "a.conf").write_text(text.replace("{folder}", str(tmp_path)), encoding="utf-8")
    (tmp_path / "b.conf").write_text(f"config file = {tmp_path}/c d.conf\n", encoding="utf-8")
    (tmp_path / "c d.conf").write_text("[global]\n", encoding="utf-8")
    script = f"set -f\nbw_conf='{tmp_path}/a.conf'\n{SAMBA.read_text(encoding='utf-8')}\nbw_samba_switch\nprintf %s \"$bw_conf\"\n"
    command = [shell, "sh"] if shell == "busybox" else [shell]
    answer = subprocess.run([*command, "-s"], input=script, capture_output=True, text=True, check=True)
    assert answer.stdout == str(tmp_path / expected)
