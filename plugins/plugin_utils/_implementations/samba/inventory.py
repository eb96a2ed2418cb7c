# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies around the configuration: permissions, accounts, usershares, build paths, nmbd."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet, Origin
from ..._model.text import visible
from .listing import Entry, entries

LISTINGS = {"config": "samba.ls_conf", "private": "samba.ls_private", "usershare": "samba.ls_usershares"}
"""What the names of the facts about files begin with → the record that lists these files."""


def builtins(collected: Collected, version: str) -> dict[str, str]:
    """Return what the placeholders of build-dependent defaults stand for."""
    paths = dict(re.findall(r"^\s*([A-Z_]+): (\S.*?)\s*$", visible(collected.text("samba.build")), re.MULTILINE))
    host = visible(collected.text("samba.hostname").split(".")[0].strip().upper())[:15]
    return {**paths, **({"HOSTNAME": host} if host else {}), **({"VERSION": version} if version else {})}


def permissions(collected: Collected, facts: FactSet) -> None:
    """Mode and owner of smb.conf and its includes, of the private files, and of the shares' directories."""
    for prefix, record_id in LISTINGS.items():
        record = collected.get(record_id)
        if record is None:
            continue
        if record.unreadable is not None:
            facts.put(f"samba.{prefix}_mode", Fact(unreadable=visible(record.unreadable)))
        _modes(prefix, entries(record.out), facts)
    if facts.objects("samba.private_mode") == {} and collected.get("samba.ls_private") is not None:
        reason = "the private directory could not be listed (not running as root)"
        facts.put("samba.private_file_mode", Fact(unreadable=reason))
        facts.put("samba.private_mode", Fact(unreadable=reason))
        facts.put("samba.private_owner", Fact(unreadable=reason))
    if collected.uid != "0" and not facts.objects("samba.private_file_mode"):
        facts.put("samba.private_file_mode", Fact(unreadable="the private directory is closed to this user"))
    by_path = {entry.path: entry for entry in entries(collected.text("samba.ls_paths"))}
    for share, fact in facts.objects("samba.share").items():
        path = fact.configured.get("path", "") if isinstance(fact.configured, dict) else ""
        entry = by_path.get(path)
        if entry is not None:
            value = {"mode": entry.mode, "uid": entry.uid, "gid": entry.gid}
            facts.put("samba.share_path_mode", Fact(effective=value), share)
        elif path and "%" not in path:
            facts.put("samba.share_path_mode", Fact(unreadable=f"{path}: not there, or not to be seen"), share)


def _modes(prefix: str, found: Iterable[Entry], facts: FactSet) -> None:
    for entry in found:
        facts.put(f"samba.{prefix}_mode", Fact(effective=entry.mode), entry.path)
        if prefix == "private" and entry.kind != "d":
            facts.put("samba.private_file_mode", Fact(effective=entry.mode), entry.path)
        facts.put(f"samba.{prefix}_owner", Fact(effective=entry.owner), entry.path)


def guest_account(collected: Collected, facts: FactSet) -> None:
    """Whether the guest account exists, and its shell."""
    fact = facts.get("samba.guest_account")
    accounts = collected.get("samba.accounts")
    if fact is None or accounts is None or not isinstance(fact.configured, str):
        return
    if accounts.unreadable is not None:
        facts.put("samba.guest_account_exists", Fact(unreadable=visible(accounts.unreadable)))
        return
    found = {
        name: (uid, shell) for name, uid, shell in re.findall(r"^([^:\n]+):(\d+):(.*)$", accounts.out, re.MULTILINE)
    }
    account = found.get(fact.configured)
    if account is None:
        reason = f"{fact.configured}: not among the system accounts of this host"
        facts.put("samba.guest_account_exists", Fact(unreadable=reason))
        return
    facts.put("samba.guest_account_exists", Fact(effective=True))
    facts.put("samba.guest_account_uid", Fact(effective=int(account[0])))
    facts.put("samba.guest_account_shell", Fact(effective=visible(account[1].strip())))


MAX_USERSHARES = 500
"""How many files of user shares the collector sends."""


def usershares(collected: Collected, facts: FactSet) -> None:
    """Shares that users defined: one file each, ``key=value`` lines."""
    unread = collected.get("samba.usershares")
    files = list(collected.all("samba.usershare"))
    reason = None if unread is None else unread.unreadable
    if len(files) >= MAX_USERSHARES:
        reason = f"{len(files)} user shares or more; the collector sends no others"
    allowed = facts.get("samba.usershare_max_shares")
    if reason is not None:
        facts.put("samba.usershares_read", Fact(unreadable=visible(reason)))
    if reason is not None and (allowed is None or allowed.configured != 0) and facts.get("samba.share") is None:
        # Nothing can be said of "every share" while some of them are not known.
        facts.put("samba.share", Fact(unreadable=f"the user shares could not be listed: {visible(reason)}"))
    for record in files:
        name = visible(record.command.rsplit("/", maxsplit=1)[-1])
        if record.unreadable is not None:
            facts.put("samba.share", Fact(unreadable=visible(record.unreadable)), name)
            continue
        keys = dict(re.findall(r"^\s*([A-Za-z_ ]+?)\s*=(.*)$", visible(record.out), re.MULTILINE))
        origin = Origin("include", visible(record.command))
        share = {
            "path": keys.get("path", ""),
            "comment": keys.get("comment", ""),
            "kind": "usershare",
            "available": True,
        }
        facts.put("samba.share", Fact(configured=share, origin=origin), name)
        guest = keys.get("guest_ok", "n").strip().lower().startswith("y")
        facts.put("samba.guest_ok", Fact(configured=guest, origin=origin), name)


def nmbd(host: FactSet, facts: FactSet) -> None:
    """Whether the NetBIOS name service runs and starts at boot, from what the host reader found."""
    whole = host.get("host.processes_read")
    if whole is not None and whole.unreadable is not None:
        facts.put("samba.nmbd_running", Fact(unreadable=whole.unreadable))
    else:
        facts.put("samba.nmbd_running", Fact(effective=host.get("host.process", "nmbd") is not None))
    for unit in ("nmbd", "nmbd.service", "nmb.service", "nmb"):
        service = host.get("host.service", unit)
        if service is not None and isinstance(service.effective, dict):
            facts.put("samba.nmbd_enabled", Fact(effective=service.effective.get("enabled") == "enabled"))
            return
    facts.put(
        "samba.nmbd_enabled",
        Fact(effective=False) if whole is not None else Fact(unreadable="no service manager answered"),
    )
