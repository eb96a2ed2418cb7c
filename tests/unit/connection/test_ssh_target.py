# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What inventory variables and an SSH configuration come to."""

from __future__ import annotations

import getpass
import pathlib

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.library import Refused, reason
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.target import Jump, SshTarget, Way, parse_jump, way

pytest.importorskip("paramiko", reason="needs paramiko: pip install paramiko")


def reached(tmp_path: pathlib.Path, config: str, **target: object) -> Way:
    path = tmp_path / "config"
    path.write_text(config)
    return way(SshTarget(**{"host": "nas", "ssh_config": str(path), **target}))  # type: ignore[arg-type]


def test_defaults() -> None:
    path = way(SshTarget(host="nas"))
    assert (path.host, path.port, path.user, path.known_as) == ("nas", 22, getpass.getuser(), "nas")
    assert (path.jumps, path.proxy_command, path.key_files) == ((), None, ())


def test_the_configuration_fills_what_is_not_given(tmp_path: pathlib.Path) -> None:
    key = tmp_path / "key"
    key.touch()
    config = (
        f"Host nas\n HostName 192.0.2.7\n Port 2222\n User root\n IdentityFile {key}\n IdentitiesOnly yes\n"
        f" HostKeyAlias box\n UserKnownHostsFile {tmp_path}/one {tmp_path}/two\n GlobalKnownHostsFile none\n"
    )
    path = reached(tmp_path, config)
    assert (path.host, path.port, path.user, path.known_as, path.has_alias) == ("192.0.2.7", 2222, "root", "box", True)
    assert path.key_files == (key,)
    assert path.known_hosts == (tmp_path / "one", tmp_path / "two")
    assert not path.agent
    path = reached(tmp_path, config, port=22, user="audit", known_hosts="/mine")
    assert (path.port, path.user, path.known_hosts[0]) == (22, "audit", pathlib.Path("/mine"))


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        ("gate", Jump("gate", None, None)),
        ("admin@gate:2222", Jump("gate", 2222, "admin")),
        ("a@b@gate", Jump("gate", None, "a@b")),
        ("[fd00::1]:2222", Jump("fd00::1", 2222, None)),
        ("fd00::1", Jump("fd00::1", None, None)),
        ("[fd00::1]:", Jump("fd00::1", None, None)),
    ],
)
def test_jump(text: str, jump: Jump) -> None:
    assert parse_jump(text) == jump


@pytest.mark.parametrize("text", ["", "admin@", "gate:many", "gate:0", "gate:70000", "-oProxyCommand=x"])
def test_no_jump(text: str) -> None:
    with pytest.raises(Refused):
        parse_jump(text)


def test_jumps(tmp_path: pathlib.Path) -> None:
    config = "Host *\n ProxyJump gate\n"
    assert [jump.host for jump in reached(tmp_path, config).jumps] == ["gate"]
    assert reached(tmp_path, config, host="gate").jumps == ()
    assert reached(tmp_path, config, jump_host="none").jumps == ()
    assert [jump.host for jump in reached(tmp_path, config, jump_host="a, b").jumps] == ["a", "b"]
    assert reached(tmp_path, config, proxy_command="nc %h %p").jumps == ()


def test_proxy_command(tmp_path: pathlib.Path) -> None:
    assert reached(tmp_path, "", proxy_command="nc %h %p %r %%h", user="u").proxy_command == "nc nas 22 u %h"
    assert reached(tmp_path, "Host nas\n ProxyCommand nc %h %p\n").proxy_command == "nc nas 22"
    assert reached(tmp_path, "Host nas\n ProxyCommand none\n").proxy_command is None


def test_bad_configuration(tmp_path: pathlib.Path) -> None:
    with pytest.raises(Refused, match="'many' is not a port"):
        reached(tmp_path, "Port many\n")
    (tmp_path / "config").write_bytes(b"Host \xff\n")
    with pytest.raises(Refused, match="Cannot read the SSH configuration"):
        way(SshTarget(host="nas", ssh_config=str(tmp_path / "config")))
    with pytest.raises(Refused, match="is not there"):
        reached(tmp_path, "", key_file="/nowhere")


def test_secrets_are_not_in_its_text() -> None:
    target = SshTarget(host="nas", password="s3cret", passphrase="s3cret", jump_password="s3cret")
    assert "s3cret" not in repr(target)


def test_reasons_are_printable() -> None:
    assert reason(ValueError("a\x1b[31m\nb.")) == "a\\x1b[31m b"
    assert reason(TimeoutError()) == "timed out"
    assert reason(EOFError()) == "EOFError"
