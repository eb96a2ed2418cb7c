# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → steps for the host around SMB: whether the cifs module may be loaded, and how fstab mounts shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._model.collected import Collected
from ..._model.editing import by_hand, joined, refused
from ..._model.exact import checksums, digest, exact
from ..._model.fact import FactSet, Origin
from ..._model.setting import Setting
from ..._model.step import ABSENT, Blocked, Change, Edited, Native, Step, Target
from . import fstab

_MODULE = "host.cifs_module_available"
_MOUNT = "client.fstab"
_POLICY = "/etc/modprobe.d/breakwater-cifs.conf"
_RULE = "install cifs /bin/false"
_POLICY_TEXT = f"{_RULE}\nblacklist cifs\n"
_FSTAB = "/etc/fstab"
_ADVICE = {
    "host.package_index_age_days": "refresh the package index (apt-get update, dnf makecache)",
    "host.package_updates": "install the pending updates",
    "host.smb_server_packages": "remove the packages, or give a host that is a file server a waiver",
    "host.smb_server_in_use": "stop and disable the services, or give a host that is a file server a waiver",
}
"""What a person has to do where no step exists."""


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> Edited:
    """Return the steps that make targets hold, the changes that they are, and what cannot be changed and why.

    The object of a target of ``client.fstab`` is a mount point, its value what is wanted of the options: see
    ``fstab.Options``.

    Args:
        targets: facts of the host with the value that shall hold.
        collected: the host's answer.
        facts: what was read from it.
        settings: not used: no property table knows the host.
    """
    del settings
    module = [target for target in targets if target.fact == _MODULE]
    mounts = [target for target in targets if target.fact == _MOUNT]
    others = tuple(by_hand(target, _ADVICE) for target in targets if target.fact not in (_MODULE, _MOUNT))
    return joined([_module(module, facts), _mounts(mounts, collected), Edited(refused=others)])


def _module(targets: Sequence[Target], facts: FactSet) -> Edited:
    """Return the step that keeps the cifs module from being loaded: a file of its own in /etc/modprobe.d."""
    system = facts.in_force("host.os")
    if not targets:
        return Edited()
    if not isinstance(system, dict) or system.get("family") != "linux":
        return refused(targets, "only Linux has such a module")
    loaded = facts.in_force("host.kernel_module", "cifs") is True
    if _RULE in (facts.in_force("client.modprobe") or ()):
        why = (
            "cifs will not be loaded again, and is loaded now: unmount its shares and say 'modprobe -r cifs', or reboot"
        )
        return refused(targets, why)
    wanted = [target for target in targets if target.value is False]
    others = refused(
        [target for target in targets if target not in wanted], "the module is kept away here, and never let in"
    )
    if not wanted:
        return others
    step = Step(
        id=1,
        kind="file",
        target=_POLICY,
        before=ABSENT,
        after=Native("sha256", digest(_POLICY_TEXT)),
        content=_POLICY_TEXT,
        restart="reboot" if loaded else "none",
    )
    address = f"{_POLICY} install cifs"
    changes = [
        Change(target.control, address, None, "/bin/false", target.fact, target.object, step=1, restart=step.restart)
        for target in wanted
    ]
    return Edited((step,), tuple(changes), others.refused)


def _mounts(targets: Sequence[Target], collected: Collected) -> Edited:
    """Return the step that changes options in fstab; a mount that is there keeps its own until it is mounted anew."""
    if not targets:
        return Edited()
    record = collected.get("host.fstab_file")
    text = None
    if record is not None and record.unreadable is None and "\x00" not in record.out:
        text = exact(record.out, checksums(collected, "host.sha256").get(_FSTAB))
    if text is None:
        reason = record.unreadable if record is not None else None
        why = f"{_FSTAB} was not collected whole ({reason or 'no such record'}); change the options by hand"
        return refused(targets, why)
    lines = text.split("\n")
    changes: list[Change] = []
    impossible: list[Blocked] = []
    for target in targets:
        found = [number for number, line in enumerate(lines) if fstab.mount_point(line) == target.object]
        try:
            if not found or not isinstance(target.value, Mapping):
                raise ValueError(f"no line of {_FSTAB} mounts a share at {target.object!r}")
            new = [fstab.changed(lines[number], target.value) for number in found]
        except ValueError as error:
            impossible.append(target.blocked("edit", str(error)))
            continue
        for number, line in zip(found, new, strict=True):
            if line != lines[number]:
                changes.append(_mount_change(target, number, lines[number], line))
                lines[number] = line
    after = "\n".join(lines)
    step = Step(
        id=1,
        kind="file",
        target=_FSTAB,
        before=Native("sha256", digest(text)),
        after=Native("sha256", digest(after)),
        content=after,
        check="findmnt",
    )
    return Edited((step,) if changes else (), tuple(changes), tuple(impossible))


def _mount_change(target: Target, number: int, before: str, after: str) -> Change:
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
