# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user installs: the built tarball, in an empty collections path, without the checkout."""

from __future__ import annotations

import json
import subprocess

from tests.lab.playbooks import BIN, ROOT, environment


def test_installed_tarball_audits_a_host(tmp_path):
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    tree = tmp_path / "tree"
    tree.mkdir()
    subprocess.run(f"xargs -0 tar cf - | tar xf - -C {tree}", shell=True, cwd=ROOT, input=files, check=True)
    galaxy = str(BIN / "ansible-galaxy")
    own = {**environment(), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "c"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "t")}
    subprocess.run(
        [galaxy, "collection", "build", "--output-path", str(tmp_path), str(tree)],
        check=True,
        env=own,
        capture_output=True,
    )
    (tarball,) = tmp_path.glob("breakwater-smb-*.tar.gz")
    subprocess.run(
        [galaxy, "collection", "install", "--offline", "-p", str(tmp_path / "c"), str(tarball)],
        check=True,
        env=own,
        capture_output=True,
    )
    installed = tmp_path / "c" / "ansible_collections" / "breakwater" / "smb"
    for name in ("tests", "demo", "bench", "tools", ".ci", "Makefile"):
        assert not (installed / name).exists(), name
    inventory = tmp_path / "i.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"here": {"ansible_connection": "local"}}}}), encoding="utf-8")
    command = [
        str(BIN / "ansible-playbook"),
        "breakwater.smb.audit",
        "-i",
        str(inventory),
        "-e",
        f"breakwater_results={tmp_path}/r",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=own, cwd=tmp_path, check=False)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    run = json.loads((tmp_path / "r" / "latest" / "run.json").read_text(encoding="utf-8"))
    assert run["verdict"] in ("compliant", "noncompliant")
    assert run["tool"].startswith("breakwater.smb 0.")
    listed = subprocess.run(
        [str(BIN / "ansible-doc"), "-t", "module", "-l", "breakwater.smb"],
        capture_output=True,
        text=True,
        env=own,
        check=True,
    )
    for name in ("audit", "doctor", "report", "run"):
        assert f"breakwater.smb.{name}" in listed.stdout
    for kind, name in (("connection", "paramiko"), ("callback", "progress"), ("role", "audit")):
        shown = subprocess.run(
            [str(BIN / "ansible-doc"), "-t", kind, f"breakwater.smb.{name}"],
            capture_output=True,
            text=True,
            env=own,
            check=True,
        )
        assert name in shown.stdout.lower()
