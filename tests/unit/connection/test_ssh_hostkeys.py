# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading, judging and writing known hosts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import multiprocessing
import pathlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.hostkeys import HostKey, KnownKeys, add, known_keys
from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.library import Refused

ONE, TWO = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"two")
RSA = HostKey("ssh-rsa", b"rsa")


def line(names: str, key: HostKey = ONE, marker: str = "") -> str:
    return f"{marker}{' ' if marker else ''}{names} {key.type} {base64.b64encode(key.blob).decode()} a comment\n"


def read(tmp_path: pathlib.Path, text: str, host: str = "nas.example.org", port: int = 22) -> KnownKeys:
    path = tmp_path / "known"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return known_keys([path, tmp_path / "not there"], host, port)


@pytest.mark.parametrize(
    ("names", "host", "port", "known"),
    [
        ("nas.example.org", "nas.example.org", 22, True),
        ("NAS.example.org", "nas.EXAMPLE.org", 22, True),
        ("other,nas.example.org", "nas.example.org", 22, True),
        ("*.example.org", "nas.example.org", 22, True),
        ("na?.example.org", "nas.example.org", 22, True),
        ("*.example.org,!nas.example.org", "nas.example.org", 22, False),
        ("!nas.example.org,*.example.org", "nas.example.org", 22, False),
        ("example.org", "nas.example.org", 22, False),
        ("[nas.example.org]:2222", "nas.example.org", 2222, True),
        ("[*.example.org]:2222", "nas.example.org", 2222, True),
        ("[nas.example.org]:2222", "nas.example.org", 22, False),
        ("[nas.example.org]:2222", "nas.example.org", 2223, False),
        ("nas.example.org", "nas.example.org", 2222, True),
        ("[fd00::1]:2222", "fd00::1", 2222, True),
        ("[a-z]*", "nas", 22, False),
    ],
)
def test_names(tmp_path: pathlib.Path, names: str, host: str, port: int, known: bool) -> None:
    assert (read(tmp_path, line(names), host, port).judge(ONE) == "known") is known


def test_hashed_names(tmp_path: pathlib.Path) -> None:
    """The integration tests read what ssh-keygen -H makes."""
    salt = "5O9yeOuSZxLNzz0cmgqzRp+JUqE="
    digest = base64.b64encode(hmac.new(base64.b64decode(salt), b"nas", hashlib.sha1).digest()).decode()
    assert read(tmp_path, line(f"|1|{salt}|{digest}"), "nas").judge(ONE) == "known"
    assert read(tmp_path, line(f"|1|{salt}|{digest}"), "nas2").judge(ONE) == "unknown"
    assert read(tmp_path, line(f"|1|{salt}"), "nas").judge(ONE) == "unknown"
    assert read(tmp_path, line("|1|%|%"), "nas").judge(ONE) == "unknown"


def test_verdicts(tmp_path: pathlib.Path) -> None:
    name = "nas.example.org"
    assert read(tmp_path, line(name, TWO)).judge(ONE) == "changed"
    assert read(tmp_path, line(name, RSA)).judge(ONE) == "unknown"
    assert read(tmp_path, line(name, TWO) + line(name, ONE)).judge(ONE) == "known"
    assert read(tmp_path, line(name) + line("*", ONE, "@revoked")).judge(ONE) == "revoked"
    assert read(tmp_path, line(name, TWO), port=2222).judge(ONE) == "unknown"
    authority = read(tmp_path, line("*.example.org", ONE, "@cert-authority"))
    assert authority.authority
    assert authority.judge(ONE) == "unknown"
    assert read(tmp_path, line(name, ONE, "@something-new")).judge(ONE) == "unknown"


def test_types_to_ask_for(tmp_path: pathlib.Path) -> None:
    name = "nas.example.org"
    assert read(tmp_path, line(name, RSA) + line(name, ONE) + line(name, TWO)).types() == ["ssh-rsa", "ssh-ed25519"]
    assert read(tmp_path, line(name, ONE) + line(name, ONE, "@revoked")).types() == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_garbage_is_skipped(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    read(tmp_path_factory.mktemp("garbage"), f"{text}\n{line('nas.example.org')}")


def test_broken_lines_are_skipped(tmp_path: pathlib.Path) -> None:
    text = "# comment\n\nnas.example.org\nnas.example.org ssh-rsa\nnas.example.org ssh-rsa ???\nn\udcff ssh-rsa AAAA\n"
    assert read(tmp_path, text + line("nas.example.org")).judge(ONE) == "known"


def test_unreadable(tmp_path: pathlib.Path) -> None:
    with pytest.raises(Refused, match=r"Cannot read the known hosts .*: Is a directory\."):
        known_keys([tmp_path], "nas", 22)
    with pytest.raises(Refused, match="Cannot write the known hosts"):
        add(tmp_path, "nas", 22, ONE)


def test_many_processes_add_at_once(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "known"
    path.parent.mkdir()
    path.write_text("# without an end of line")
    with multiprocessing.get_context("spawn").Pool(4) as pool:  # the test's own process may have threads
        pool.starmap(add, [(path, f"host{number % 10}", 2222, ONE) for number in range(40)], chunksize=1)
    lines = path.read_text().splitlines()
    assert len(lines) == 11
    assert {entry.split()[0] for entry in lines[1:]} == {f"[host{number}]:2222" for number in range(10)}


def test_a_hundred_thousand_lines(tmp_path: pathlib.Path) -> None:
    text = "".join(line(f"host{number}") for number in range(100_000))
    (tmp_path / "known").write_text(text)
    started = time.process_time()
    assert known_keys([tmp_path / "known"], "host99999", 22).judge(ONE) == "known"
    assert time.process_time() - started < 3
