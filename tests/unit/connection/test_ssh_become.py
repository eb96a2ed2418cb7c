# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialogue with sudo, with outputs that arrive in all kinds of pieces."""

from __future__ import annotations

import pytest
from ansible.plugins.loader import become_loader

from ansible_collections.breakwater.smb.plugins.plugin_utils._ssh.become import BecomeFailed, pass_become

MARKER = "BECOME-SUCCESS-abc"
PROMPT = "[sudo via ansible, key=abc] password:"


class Scripted:
    """A channel that shows one more piece at each wait: (stream, bytes), or a password that it waits for."""

    def __init__(self, *pieces: tuple[str, bytes]) -> None:
        self.pieces = list(pieces)
        self.out = self.err = self.sent = b""

    def ended(self) -> bool:
        return not self.pieces

    def wait(self, _seen: int) -> None:
        if self.pieces and (self.pieces[0][0] != "wants" or self.sent == self.pieces[0][1]):
            stream, data = self.pieces.pop(0)
            if stream != "wants":
                setattr(self, stream, getattr(self, stream) + data)

    def send(self, data: bytes) -> None:
        self.sent += data

    def drop_out(self, size: int) -> None:
        self.out = self.out[size:]

    def drop_err(self, size: int) -> None:
        self.err = self.err[size:]


def dialogue(*pieces: tuple[str, bytes], password: bytes = b"pw") -> Scripted:
    sudo = become_loader.get("sudo")
    sudo.success, sudo.prompt = MARKER, PROMPT
    channel = Scripted(*pieces)
    pass_become(channel, sudo, password, 2.0)  # type: ignore[arg-type]
    return channel


def test_output_right_behind_the_marker_is_kept() -> None:
    channel = dialogue(
        ("err", PROMPT.encode()), ("wants", b"pw\n"), ("out", f"{MARKER}\nfirst\n".encode()), ("err", b"e")
    )
    assert (channel.out, channel.sent) == (b"first\n", b"pw\n")


def test_pieces() -> None:
    whole = f"motd\n{MARKER}\nout".encode()
    pieces = [("out", whole[at : at + 1]) for at in range(len(whole))]
    channel = dialogue(
        *(("err", PROMPT[at : at + 5].encode()) for at in range(0, len(PROMPT), 5)), ("wants", b"pw\n"), *pieces
    )
    assert channel.out + b"".join(data for _stream, data in channel.pieces) == b"out"
    assert channel.sent == b"pw\n"


def test_errors_of_the_command_itself_are_kept() -> None:
    channel = dialogue(
        ("err", f"{PROMPT} ".encode()),
        ("wants", b"pw\n"),
        ("err", b"\nown\n"),
        ("out", f"{MARKER}\n".encode()),
        ("out", b""),
    )
    assert channel.err == b"own\n"


def test_no_prompt() -> None:
    assert dialogue(("out", f"{MARKER}\r\nout".encode()), ("out", b"")).sent == b""


def test_refused() -> None:
    channel = dialogue(("err", b"alice is not in the sudoers file.\n"))
    assert b"sudoers" in channel.err
    with pytest.raises(BecomeFailed, match="Incorrect sudo password"):
        dialogue(("err", PROMPT.encode()), ("wants", b"pw\n"), ("err", b"Sorry, try again.\n"), ("out", b""))
    with pytest.raises(BecomeFailed, match="Incorrect sudo password"):  # another language: the second prompt tells
        dialogue(
            ("err", PROMPT.encode()),
            ("wants", b"pw\n"),
            ("err", b"\nNon.\n" + PROMPT.encode()),
            ("out", b""),
            ("out", b""),
        )
    with pytest.raises(BecomeFailed, match="Missing sudo password"):
        dialogue(("err", PROMPT.encode()), ("out", b""), ("out", b""), password=b"")
    with pytest.raises(BecomeFailed, match="within 2 seconds"):
        dialogue(("wants", b"never"))
