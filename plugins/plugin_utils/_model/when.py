# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``when:`` — to which hosts a control, a default or a profile applies. A closed grammar."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .versions import in_range


@dataclass(frozen=True, slots=True)
class When:
    """All given conditions must hold; an empty one holds everywhere.

    Attributes:
        implementation: name of an implementation ("samba").
        version: a range such as ``">=4.15, <4.23"`` on that implementation's version.
        side: "server" or "client": that side must be installed.
        trait: any one of these traits must be there ("domain-controller", …).
        without: none of these traits may be there.
        os: any one of these operating system ids (``ID`` and ``ID_LIKE`` of os-release, "freebsd", …).
    """

    implementation: str | None = None
    version: str | None = None
    side: str | None = None
    trait: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    os: tuple[str, ...] = ()


def holds(when: When | None, version: str, traits: Collection[str]) -> bool | None:
    """Return whether version and traits are as asked; None when that hangs on a version that is not known."""
    if when is None:
        return True
    if when.trait and not set(when.trait) & set(traits):
        return False
    if set(when.without) & set(traits):
        return False
    return in_range(version, when.version) if when.version else True
