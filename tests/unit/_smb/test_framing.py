# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames: whole, in pieces, too long, too many, and of something else."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import (
    REASONS,
    LocalProtocolError,
    RemoteProtocolError,
    SmbError,
)
from ansible_collections.breakwater.smb.plugins.module_utils._smb.framing import Frame, Frames, direct

HELLO = b"\0\0\0\x05hello"
KEEP_ALIVE = b"\x85\0\0\0"


def outcome(pieces):
    """Return the frames that pieces give, and the reason of the error behind them."""
    frames = Frames()
    found = []
    try:
        for piece in pieces:
            found += frames.receive(piece)
        frames.receive(b"")
    except RemoteProtocolError as error:
        return found, error.reason
    return found, None


def test_a_message_gets_a_header_of_four_bytes():
    assert direct(b"hello") == HELLO
    assert direct(bytes(0x12345))[:4] == b"\0\x01\x23\x45"
    for length in (0, 0x20000):
        with pytest.raises(LocalProtocolError):
            direct(bytes(length))


def test_frames_come_whole_whatever_the_pieces():
    assert outcome([HELLO + b"\x82\0\0\0" + HELLO]) == (
        [Frame(0, b"hello"), Frame(0x82, b""), Frame(0, b"hello")],
        None,
    )
    assert outcome(HELLO[i : i + 1] for i in range(9)) == ([Frame(0, b"hello")], None)


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([HELLO, KEEP_ALIVE, b"\x83\0\0\x01\x82", b"H", b"\0\1\0\0"])).map(b"".join),
    st.data(),
)
def test_how_bytes_are_cut_changes_nothing(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)])]  # noqa: B905  (3.9 knows no strict)
    assert outcome(pieces) == outcome([stream]) == outcome(bytes((byte,)) for byte in stream)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "not_smb"),
        (b"S", "not_smb"),
        (b"\x16\x03\x01", "not_smb"),
        (b"\0\1\0\1", "too_long"),
        (b"\0\xff\xff\xff", "too_long"),
        (b"\x85\0\0\x01", "bad_value"),
        (KEEP_ALIVE * 9, "too_many"),
        (HELLO * 9, "too_many"),
    ],
)
def test_what_is_refused(stream, reason):
    found, why = outcome([stream])
    assert why == reason
    assert len(found) == (8 if stream.startswith(HELLO) else 0)


def test_what_is_still_taken():
    assert outcome([KEEP_ALIVE * 8 + HELLO * 8])[1] is None
    frames = Frames()
    (frame,) = frames.receive(b"\0\1\0\0" + bytes(65536))
    assert len(frame.payload) == 65536


def test_an_error_stays_and_comes_after_the_frames_before_it():
    frames = Frames()
    assert frames.receive(HELLO + b"X") == [Frame(0, b"hello")]
    assert frames.error is not None and frames.error.reason == "not_smb"
    for _time in range(2):
        with pytest.raises(RemoteProtocolError, match="0x58"):
            frames.receive(HELLO)
    with pytest.raises(RemoteProtocolError, match="0x58"):
        frames.receive_eof()


def test_closing_within_a_frame_cuts_it_off():
    frames = Frames()
    frames.receive(HELLO)
    assert not frames.partial
    frames.receive_eof()
    frames.receive(HELLO[:6])
    assert frames.partial
    with pytest.raises(RemoteProtocolError) as caught:
        frames.receive_eof()
    assert caught.value.reason == "truncated"


def test_a_frame_byte_by_byte_costs_no_square():
    frames = Frames()
    frames.receive(b"\0\1\0\0")
    started = time.process_time()
    for _byte in range(65535):
        assert not frames.receive(b"x")
    assert time.process_time() - started < 2  # copying what is there each time would take minutes
    assert len(frames.receive(b"x")) == 1


def test_errors_tell_whose_they_are():
    error = RemoteProtocolError("too_long", "a frame")
    assert str(error) == "too_long: a frame"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.reason, again.detail) == (RemoteProtocolError, "too_long", "a frame")
    assert error.reason in REASONS
    assert issubclass(LocalProtocolError, SmbError) and not issubclass(LocalProtocolError, RemoteProtocolError)
