# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted facts of Samba that no parameter holds: modes and owners of files, nmbd; and what nobody can write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._model.collected import Collected
from ..._model.editing import by_hand, joined, refused
from ..._model.fact import FactSet
from ..._model.step import Blocked, Change, Edited, Native, Step, Target
from .inventory import LISTINGS
from .listing import Entry, entries

_MODES = {f"samba.{name}_mode": record for name, record in LISTINGS.items()} | {
    "samba.private_file_mode": LISTINGS["private"]
}
_OWNERS = {f"samba.{name}_owner": record for name, record in LISTINGS.items()}
_NMBD = frozenset({"samba.nmbd_running", "samba.nmbd_enabled"})
_STOPPED = "disabled stopped"
_ADVICE = {
    "samba.guest_account_exists": "create the account, without a shell and without rights, or name another one",
    "samba.guest_account_uid": "name an account without rights in 'guest account'",
    "samba.guest_account_shell": "take its shell away: usermod --shell /usr/sbin/nologin ACCOUNT",
    "samba.release_maintained": "upgrade Samba to a release that still gets security fixes",
    "samba.config_valid": "mend smb.conf by hand; testparm says which line breaks it",
    "samba.config_warnings": "mend what testparm warns of by hand: only its owner knows what was meant",
    "samba.conditional_includes": "write into smb.conf itself what all clients shall have",
}
"""What a person has to do where no step exists."""


def edit(targets: Sequence[Target], collected: Collected, facts: FactSet) -> Edited:
    """Return the steps for targets whose facts are not parameters. The arguments are those of ``edit.edit``."""
    files = [target for target in targets if target.fact in _MODES or target.fact in _OWNERS]
    nmbd = [target for target in targets if target.fact in _NMBD]
    known = _MODES.keys() | _OWNERS.keys() | _NMBD
    others = tuple(by_hand(target, _ADVICE) for target in targets if target.fact not in known)
    return joined([_files(files, collected), _unit(nmbd, collected, facts), Edited(refused=others)])


def _files(targets: Iterable[Target], collected: Collected) -> Edited:
    """Return one step for each file whose mode or owner is wanted; a mode only ever loses bits."""
    by_path: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        by_path.setdefault((_MODES.get(target.fact) or _OWNERS[target.fact], target.object), []).append(target)
    parts: list[Edited] = []
    listings: dict[str, dict[str, Entry]] = {}
    for (record, path), wanted in by_path.items():
        if record not in listings:
            listings[record] = {entry.path: entry for entry in entries(collected.text(record))}
        parts.append(_file(path, wanted, listings[record].get(path), collected.text(record)))
    return joined(parts)


def _file(path: str, wanted: Sequence[Target], entry: Entry | None, listing: str) -> Edited:
    if entry is None or path not in listing:  # the second: a name that is not UTF-8 is shown otherwise than it is
        return refused(wanted, f"{path or 'the file'} was not seen under this name")
    if entry.kind == "l":
        return refused(wanted, f"{path} is a symbolic link: what it leads to has the mode that counts")
    mode, owner = int(entry.mode, 8), entry.uid
    changes: list[Change] = []
    impossible: list[Blocked] = []
    for target in wanted:
        value = str(target.value)
        if target.fact in _OWNERS and value == "root":
            before, after, owner = entry.owner, value, 0
        elif target.fact in _MODES and value and not set(value) - set("01234567"):
            before, mode = entry.mode, mode & int(value, 8)
            after = f"{int(entry.mode, 8) & int(value, 8):04o}"
        else:
            impossible.append(
                target.blocked("edit", f"{path}: {value!r} is neither an owner that is set here nor a mode")
            )
            continue
        if before != after:
            what = "owner" if target.fact in _OWNERS else "mode"
            changes.append(Change(target.control, f"{path} {what}", before, after, target.fact, target.object, step=1))
    new = f"{mode:04o} {owner} {entry.gid}"
    old = f"{entry.mode} {entry.uid} {entry.gid}"
    step = Step(1, "mode", path, before=Native("mode", old), after=Native("mode", new))
    return Edited((step,) if changes else (), tuple(changes), tuple(impossible))


def _unit(targets: Sequence[Target], collected: Collected, facts: FactSet) -> Edited:
    """Return the step that stops nmbd and keeps it stopped, where systemd manages it; it does both, whichever fails."""
    targets = list({(target.control, target.object, str(target.value)): target for target in targets}.values())
    manager = collected.get("host.systemd")
    services = facts.objects("host.service")
    name = next((name for name in ("nmbd", "nmb") if name in services), None)
    if manager is None or manager.unreadable is not None or name is None:
        why = (
            "no systemd on this host knows nmbd: stop it, and keep it from starting, by hand (update-rc.d nmbd disable)"
        )
        return refused(targets, why)
    state = services[name].effective
    state = state if isinstance(state, dict) else {}
    enabled = "enabled" if str(state.get("enabled", "")).startswith("enabled") else "disabled"
    running = "running" if state.get("active") in ("active", "activating", "reloading") else "stopped"
    before = f"{enabled} {running}"
    if before == _STOPPED:
        return refused(
            targets, f"nmbd was not started by its unit ({name}.service is {_STOPPED}): find out what starts it"
        )
    wanted = [target for target in targets if target.value is False]
    step = Step(1, "unit", "nmbd", before=Native("unit", before), after=Native("unit", _STOPPED))
    changes = [
        Change(target.control, f"{name}.service", before, _STOPPED, target.fact, target.object, step=1)
        for target in wanted
    ]
    others = refused([item for item in targets if item not in wanted], "nmbd is stopped here, and never started")
    return Edited((step,) if wanted else (), tuple(changes), others.refused)
