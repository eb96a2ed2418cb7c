# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import subprocess

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import restarting


def test_one_boot_has_one_name():
    script = restarting.boot_script("unix")
    told = [subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, check=True).stdout for _turn in "ab"]
    assert told[0] == told[1] != b""


@pytest.mark.parametrize("shutdown", [True, False])
def test_a_reboot_is_started_in_the_background_or_refused(tmp_path, shutdown):
    """With a shutdown of our own in the path, of course."""
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("sh", "sleep", "echo"):
        (path / tool).symlink_to(f"/bin/{tool}")
    if shutdown:
        (path / "shutdown").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\n', encoding="utf-8")
        (path / "shutdown").chmod(0o755)
    script = restarting.reboot_script("unix").replace(b":/sbin:/usr/sbin", b"")
    assert b"/sbin" not in script, "or it would find the machine's own"
    script = script.replace(b"sleep 3", b"sleep 0.2")
    done = subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, check=False, env={"PATH": str(path)})
    assert (restarting.STARTED.encode() in done.stdout) is shutdown
    assert done.returncode == (0 if shutdown else 127)
    if shutdown:
        assert not (tmp_path / "called").exists()
        subprocess.run(
            ["/bin/sh", "-c", f"until [ -s {tmp_path}/called ]; do sleep 0.05; done"], check=True, timeout=10
        )
        assert (tmp_path / "called").read_text(encoding="utf-8") == "-r now\n"


@pytest.mark.parametrize("make", [restarting.boot_script, restarting.reboot_script])
def test_powershell_gets_one_line_of_base64(make):
    text = make("windows")
    assert text.count(b"\n") == 1
    assert base64.b64decode(text).decode("ascii").strip()
