# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → steps for the host around SMB: whether the cifs module may be loaded, and how fstab mounts shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._model.collected import Collected
from ..._model.editing import by_hand, joined, refused
from ..._model.exact import digest
from ..._model.fact import FactSet
from ..._model.setting import Setting
from ..._model.step import ABSENT, Change, Edited, Native, Step, Target
from . import edit_mounts

_MODULE = "host.cifs_module_available"
_POLICY = "/etc/modprobe.d/breakwater-cifs.conf"
_RULE = "install cifs /bin/false"
_POLICY_TEXT = f"{_RULE}\nblacklist cifs\n"
_ADVICE = {
    "host.package_index_age_days": "refresh the package index (apt-get update, dnf makecache)",
    "host.package_updates": "install the pending updates",
    "host.smb_server_packages": "remove the packages, or give a host that is a file server a waiver",
    "host.smb_server_in_use": "stop and disable the services, or give a host that is a file server a waiver",
}
"""What a person has to do where no step exists."""


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet, settings: Mapping[str, Setting]) -> Edited:
    """Return the steps that make targets hold, the changes that they are, and what cannot be changed and why.

    Args:
        targets: facts of the host with the value that shall hold.
        collected: the host's answer.
        facts: what was read from it.
        settings: not used: no property table knows the host.
    """
    del settings
    module = [target for target in targets if target.fact == _MODULE]
    mounts = [target for target in targets if target.fact in edit_mounts.FACTS]
    others = tuple(by_hand(target, _ADVICE) for target in targets if target.fact not in (_MODULE, *edit_mounts.FACTS))
    return joined([_module(module, facts), edit_mounts.edit(mounts, collected, facts), Edited(refused=others)])


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
