# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → the step that changes how fstab mounts shares.

A mount that is there keeps its options until it is unmounted and mounted anew, which is never done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..._model.collected import Collected
from ..._model.exact import checksums, digest, exact
from ..._model.fact import FactSet, Origin
from ..._model.step import Blocked, Change, Edited, Native, Step, Target
from ..._model.text import visible
from ..._model.versions import in_range
from . import fstab, mount_options, mount_truths
from .mount_options import DIALECTS

FACTS = mount_truths.FACTS
_FSTAB = "/etc/fstab"
_SIGNING_FLAVOURS = {"krb5": "krb5i", "krb5p": "krb5i", "ntlmv2": "ntlmv2i"}
"""``sec=`` → the same with signing; whatever else stands there becomes ntlmsspi, the kernel's default with signing."""
_SPELT = {"3.0": "3", "3.0.2": "3.0.2", "3.1.1": "3.1.1"}
"""Oldest dialect of SMB 3 → how it is written: ``vers=3`` is 3.0 or later."""
_ANEW = "unmount it and mount it anew"


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet) -> Edited:
    """Return the step that changes options in fstab, the changes that it is, and what cannot be done and why.

    The object of a target is a mount point.

    Args:
        targets: of facts in ``FACTS``.
        collected: the host's answer.
        facts: what was read from it.
    """
    if not targets:
        return Edited()
    text, reason = _table(collected)
    lines = text.split("\n")
    changes: list[Change] = []
    impossible: list[Blocked] = []
    for target in targets:
        here = [number for number, line in enumerate(lines) if fstab.mount_point(line) == target.object]
        try:
            if reason and _may_be_in_fstab(target, facts):
                raise ValueError(reason)
            new = _changed([lines[number] for number in here], target, facts)
        except ValueError as error:
            impossible.append(target.blocked("edit", str(error)))
            continue
        for number, line in zip(here, new, strict=True):
            if line != lines[number]:
                changes.append(_change(target, number, lines[number], line))
                lines[number] = line
    if not changes:
        return Edited(refused=tuple(impossible))
    return Edited((_step(text, "\n".join(lines)),), tuple(changes), tuple(impossible))


def awaited(changes: Iterable[Change], facts: FactSet) -> tuple[str, ...]:
    """Return what changes in fstab wait for, in the words of ``Plan.pending``: the mounts that are there."""
    points = dict.fromkeys(change.object for change in changes if change.fact in FACTS)
    return tuple(f"remount of {point}" for point in points if facts.get("client.mount", point) is not None)


def _table(collected: Collected) -> tuple[str, str]:
    """Return fstab as it stands on the host, byte for byte, and why that is not known."""
    record = collected.get("host.fstab_file")
    text = None
    if record is not None and record.unreadable is None and "\x00" not in record.out:
        text = exact(record.out, checksums(collected, "host.sha256").get(_FSTAB))
    if text is not None:
        return text, ""
    reason = visible(record.unreadable or "it has no end") if record is not None else "no such record"
    return "", f"{_FSTAB} was not collected whole ({reason}); change the options by hand"


def _may_be_in_fstab(target: Target, facts: FactSet) -> bool:
    return bool(facts.get("client.fstab", target.object) or facts.get("client.fstabs_read"))


def _changed(lines: Sequence[str], target: Target, facts: FactSet) -> list[str]:
    """Return the lines of a mount point as a target wants them.

    Raises:
        ValueError: there is nothing to change, or it cannot be changed here; the text says what a person has to do.
    """
    point, fact = target.object, facts.get(target.fact, target.object)
    if not lines:
        raise ValueError(
            f"no line of {_FSTAB} that has options mounts a share at {point!r}: change it where it comes from (a mount "
            f"unit of systemd, autofs, pam_mount, a script), then {_ANEW}"
        )
    wanted = [_WANTED[target.fact](_options(line), target.value, facts) for line in lines]
    new = [fstab.changed(line, options) for line, options in zip(lines, wanted, strict=True)]
    if new != list(lines):
        return new
    if fact is not None and fact.cause not in (None, mount_truths.PENDING):
        raise ValueError(f"{_FSTAB} asks for it, and the mount at {point} is another matter: {fact.cause}")
    raise ValueError(f"{_FSTAB} asks for it, and the mount at {point} is older: {_ANEW}")


def _options(line: str) -> list[str]:
    return mount_options.split(fstab.options(line))


def _dialect(options: Sequence[str], floor: Any, facts: FactSet) -> fstab.Options:
    """Ask for a floor; below 3.0 the kernel's default is newer than any version that could be named."""
    kernel = str(facts.in_force("host.kernel") or "")
    today = mount_options.dialect(options, kernel)
    if floor not in DIALECTS:
        raise ValueError(f"{floor!r} is no dialect")
    if today is not None and DIALECTS.index(today) >= DIALECTS.index(floor):
        return {}
    modern = in_range(kernel, ">=4.13.5")
    if floor in _SPELT:
        return {"vers": _SPELT[floor] if modern or floor != "3.0" else "3.0"}
    return {"vers": False} if modern else {"vers": "2.1"}


def _signing(options: Sequence[str], wanted: Any, facts: FactSet) -> fstab.Options:
    if wanted is not True or mount_options.signs(options):
        return {}
    flavour = mount_options.last(options, "sec").lower()
    signing: dict[str, str | bool] = {"sec": _SIGNING_FLAVOURS.get(flavour, "ntlmsspi")}
    if mount_options.guest(options) and not mount_options.logs_in(options):
        raise ValueError("a guest signs nothing: name a credentials file (credentials=) in the entry first")
    return {**signing, "signloosely": False, "ignore_signature": False}


def _encryption(options: Sequence[str], wanted: Any, facts: FactSet) -> fstab.Options:
    if wanted is not True or mount_options.seals(options):
        return {}
    version = mount_options.last(options, "vers")
    oldest = mount_options.dialect(options, str(facts.in_force("host.kernel") or ""))
    chosen = oldest == "2.1" and version in ("", "default")  # the newest that both sides speak
    if not chosen and oldest not in _SPELT:
        said = f"vers={version}" if version else "nothing of vers= on this kernel"
        raise ValueError(f"encryption needs SMB 3.0, and the entry says {said}: change that first")
    return {"seal": True}


def _user(options: Sequence[str], wanted: Any, facts: FactSet) -> fstab.Options:
    """Log in as somebody: ``guest`` goes, and ``sec=none`` becomes the kernel's default with signing."""
    if wanted is not False or not mount_options.guest(options):
        return {}
    if not mount_options.logs_in(options):
        raise ValueError(
            "the entry names no user to log in as: write a credentials file (mode 0600), name it with credentials=, and "
            "take guest or sec=none out"
        )
    if "sec=none" not in map(str.lower, options):
        return {"guest": False}
    flavour = mount_options.last(options, "sec").lower()
    return {"guest": False, "sec": "ntlmsspi" if flavour == "none" else flavour}


_WANTED: Mapping[str, Callable[[Sequence[str], Any, FactSet], fstab.Options]] = {
    mount_truths.DIALECT: _dialect,
    mount_truths.SIGNING: _signing,
    mount_truths.ENCRYPTION: _encryption,
    mount_truths.GUEST: _user,
}


def _step(before: str, after: str) -> Step:
    return Step(
        id=1,
        kind="file",
        target=_FSTAB,
        before=Native("sha256", digest(before)),
        after=Native("sha256", digest(after)),
        content=after,
        check="findmnt",
    )


def _change(target: Target, number: int, before: str, after: str) -> Change:
    return Change(
        control=target.control,
        address=f"{_FSTAB}:{number + 1} {target.object}",
        before=fstab.options(before),
        after=fstab.options(after),
        fact=target.fact,
        object=target.object,
        origin=Origin("local", f"{_FSTAB}:{number + 1}"),
        step=1,
    )
