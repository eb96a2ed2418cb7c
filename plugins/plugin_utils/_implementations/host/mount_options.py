# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a cifs mount mean: mount.cifs(8), and the kernel's own parser (fs/smb/client/fs_context.c)."""

from __future__ import annotations

from collections.abc import Sequence

from ..._model.versions import in_range

TYPES = frozenset({"cifs", "smb3"})
"""File systems of the kernel's SMB client. Both offer the same dialects; smb3 refuses 1.0 and 2.0."""
DIALECTS = ("1.0", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
"""From the oldest to the newest, as facts name them."""
_VERSIONS = {
    "1.0": "1.0",
    "2.0": "2.0.2",
    "2.1": "2.1",
    "3": "3.0",  # 3.0 or later
    "3.0": "3.0",
    "3.02": "3.0.2",
    "3.0.2": "3.0.2",
    "3.11": "3.1.1",
    "3.1.1": "3.1.1",
}
"""``vers=`` → the oldest dialect that it lets the server choose."""
_LOOSE = frozenset({"signloosely", "ignore_signature"})
_CREDENTIALS = frozenset({"credentials", "cred"})


def split(text: str) -> list[str]:
    """Return the options of a mount as they stand there; a comma between double quotes parts none."""
    found: list[str] = []
    for piece in text.split(","):
        if found and found[-1].count('"') % 2:
            found[-1] += f",{piece}"
        else:
            found.append(piece)
    return found


def name_of(option: str) -> str:
    """Return the name of an option, whose case does not count."""
    return option.partition("=")[0].lower()


def last(options: Sequence[str], name: str) -> str:
    """Return the value of an option that counts by its last one; "" where it is not there."""
    return next((option.partition("=")[2] for option in reversed(options) if name_of(option) == name), "")


def dialect(options: Sequence[str], kernel: str) -> str | None:
    """Return the oldest dialect that a mount lets the server choose; None when that cannot be told.

    Args:
        options: of the mount.
        kernel: release of the running kernel, whose default holds without ``vers=``: 1.0 before 4.13, 3.0 before
            4.13.5, then 2.1 or later.
    """
    version = last(options, "vers").lower()
    if version not in ("", "default"):
        return _VERSIONS.get(version)
    if in_range(kernel, ">=4.13.5"):
        return "2.1"
    if in_range(kernel, ">=4.13"):
        return "3.0"
    return "1.0" if in_range(kernel, "<4.13") else None


def negotiated(options: Sequence[str]) -> str | None:
    """Return the dialect that a mount in /proc/mounts speaks; None when the kernel does not tell."""
    return _VERSIONS.get(last(options, "vers"))


def seals(options: Sequence[str]) -> bool:
    """Return whether a mount demands encryption."""
    return "seal" in map(name_of, options)


def signs(options: Sequence[str]) -> bool:
    """Return whether a mount demands signing: by ``sec=…i``, by ``sign``, or because it encrypts.

    A later ``sec=`` takes back what an earlier ``sign`` asked for. ``signloosely`` signs and looks at no signature.
    """
    if seals(options):
        return True
    demanded = False
    for option in options:
        name, _equals, value = option.partition("=")
        if name.lower() == "sec":
            demanded = value.lower().endswith("i")
        elif name.lower() == "sign":
            demanded = True
    return demanded and not _LOOSE & set(map(name_of, options))


def guest(options: Sequence[str]) -> bool:
    """Return whether a mount logs in without a user: ``guest``, or ``sec=none`` wherever it stands."""
    return any(name_of(option) == "guest" or option.lower() == "sec=none" for option in options)


def logs_in(options: Sequence[str]) -> bool:
    """Return whether a mount knows whom to log in as with nobody to ask: a credentials file, or Kerberos."""
    return bool(_CREDENTIALS & set(map(name_of, options))) or last(options, "sec").lower().startswith("krb5")
