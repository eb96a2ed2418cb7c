# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialogue with sudo, su or doas, up to the moment when the command itself runs."""

from __future__ import annotations

import time
from typing import Any

from .command import Channel


class BecomeFailed(Exception):
    """The other user's rights were not given; ``str`` is one sentence."""


def pass_become(channel: Channel, become: Any, password: bytes, timeout: float) -> None:
    """Answer the password prompt of an Ansible become plugin, until its success marker or the command's end.

    Prompt and marker are cut out of the output. A command that ends without the marker keeps all, for it says why.

    Raises:
        BecomeFailed: the password is wrong or missing, or nothing happened for ``timeout`` seconds.
    """
    marker = str(become.success).encode()
    deadline = time.monotonic() + timeout
    answered = False
    while True:
        over = channel.ended()
        out, err = channel.out, channel.err
        end = out.find(b"\n", out.find(marker)) + 1 if marker in out else 0
        if end:
            channel.drop_out(end)
            channel.drop_err(_end_of_prompt(become.prompt, err))
            return
        if become.check_incorrect_password(out + err) or (answered and _prompts(become, out, err) > 1):
            raise BecomeFailed(f"Incorrect {become.name} password.")
        missing = not (answered or password) and _prompts(become, out, err) > 0
        if missing or become.check_missing_password(out + err):
            raise BecomeFailed(f"Missing {become.name} password.")
        if over:
            return
        if not answered and _prompts(become, out, err):
            channel.send(password + b"\n")
            answered = True
        if time.monotonic() > deadline:
            raise BecomeFailed(f"{become.name} let nobody through within {timeout:.0f} seconds.")
        channel.wait(len(out) + len(err))


def _prompts(become: Any, out: bytes, err: bytes) -> int:
    """Return how many password prompts there are; su's are recognised, not counted."""
    if not become.prompt or not (become.check_password_prompt(out) or become.check_password_prompt(err)):
        return 0
    return max(1, (out + err).count(become.prompt.strip().encode())) if isinstance(become.prompt, str) else 1


def _end_of_prompt(prompt: Any, err: bytes) -> int:
    """Return where a prompt on standard error ends."""
    wanted = prompt.strip().encode() if isinstance(prompt, str) else b""
    at = err.rfind(wanted) if wanted else -1
    if at < 0:
        return 0
    rest = err[at + len(wanted) :]
    return len(err) - len(rest.lstrip(b" \r\n"))
