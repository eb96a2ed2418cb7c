# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a collected answer to facts about Samba."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from ..._model.collected import Collected, Implementation, Reading, SectionError
from ..._model.fact import Fact, FactSet, Origin
from ..._model.setting import Setting
from ..._model.text import visible
from . import conf, inventory, lifecycle, ports, sessions, sources, values
from .loglevel import auth_level
from .merge import Parsed, merge
from .settings import Table, key
from .testparm import parse as parse_testparm

_TIME_MACHINE = key("fruit:time machine")
"""vfs_fruit(8): Macs back up to this share."""


def read(collected: Collected, settings: Mapping[str, Setting], host: FactSet, today: datetime.date) -> Reading:
    """Return what the answer says about Samba; nothing at all when the host has none.

    Args:
        collected: the host's answer.
        settings: the property table, by fact id.
        host: facts that the host reader found (processes and services).
        today: for the dates until which releases are maintained.
    """
    reading = Reading()
    client = collected.get("samba.client_version")
    if client is not None and client.unreadable is None:
        reading.implementations.append(Implementation("samba", _version(client.out), "client"))
    if collected.get("samba.version") is None:
        return reading
    facts = reading.facts
    version = _version(collected.text("samba.version"))
    running = _running(collected, host)
    if version:
        facts.put("samba.version", Fact(configured=version))
    facts.put("samba.server_running", Fact(effective=running))
    table = Table(settings.values(), version)
    parsed = _parse(collected, table)
    merge(parsed, _view(collected, table), table, version, inventory.builtins(collected, version), facts)
    _log_level(collected, facts)
    _loaded(collected, facts)
    ports.effective(host, facts)
    inventory.permissions(collected, facts)
    inventory.guest_account(collected, facts)
    inventory.usershares(collected, facts)
    inventory.nmbd(host, facts)
    if version:
        facts.put("samba.release_maintained", lifecycle.maintained(version, host, today))
    _sessions(collected, running, facts, reading.errors)
    if version or running:
        reading.implementations.append(Implementation("samba", version, "server", running, _traits(facts, parsed)))
    for reason in parsed.errors:
        reading.errors.append(SectionError("samba", reason))
    return reading


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d+\S*", text)
    return visible(match[0]) if match else ""


def _running(collected: Collected, host: FactSet) -> bool:
    return bool(collected.text("samba.pid").strip()) or host.get("host.process", "smbd") is not None


def _parse(collected: Collected, table: Table) -> Parsed:
    """Run our own parser over the files that came along."""
    main = collected.text("samba.conf")
    if not main:
        return Parsed(None, ["no smb.conf was found"])
    try:
        return Parsed(conf.load(main, sources.files(collected), table, sources.registry(collected)), [])
    except conf.Unreadable as error:
        return Parsed(None, [str(error)])


def _view(collected: Collected, table: Table) -> Any:
    """Return testparm's view, or the reason why there is none."""
    record = collected.get("samba.testparm")
    if record is None:
        return "testparm: not installed"
    loaded = record.out.lstrip().startswith("# Global parameters") and not record.truncated
    if record.unreadable is not None and not (
        record.rc == 1 and loaded
    ):  # rc 1 with output: loaded, but it has complaints
        return visible(record.unreadable)
    return parse_testparm(record.out, record.err, table)


def _log_level(collected: Collected, facts: FactSet) -> None:
    """Add what the running daemon says: testparm prints its own log level, never smbd's."""
    written = facts.get("samba.log_level") or Fact()
    record = collected.get("samba.debuglevel")
    effective, reason = None, written.unreadable
    if record is not None and record.unreadable is None:
        match = re.search(r"PID \d+:\s*(.*)", record.out)
        effective = visible(" ".join(match[1].split())) if match else None
        facts.put("samba.log_level", Fact(written.configured, effective=effective, origin=written.origin))
    elif record is not None and written.configured is None:
        reason = visible(record.unreadable or "")
    if reason is not None:
        facts.put("samba.log_auth_level", Fact(unreadable=reason))
        return
    levels = [None if text is None else auth_level(str(text)) for text in (written.configured, effective)]
    facts.put("samba.log_auth_level", Fact(levels[0], effective=levels[1], origin=written.origin))


def _loaded(collected: Collected, facts: FactSet) -> None:
    """Whether the running smbd uses the file that was read. The collector asks smbd itself, so normally it does."""
    record = collected.get("samba.cmdline")
    if record is None:
        return
    if record.unreadable is not None:
        facts.put("samba.config_loaded", Fact(unreadable=visible(record.unreadable)))
        return
    words = record.out.split("\x00")
    options = [word for word in words if word.startswith("--option")]
    facts.put("samba.config_loaded", Fact(effective=not options))
    if options:
        facts.put("samba.command_line_options", Fact(effective=[visible(option) for option in options]))


def _traits(facts: FactSet, parsed: Parsed) -> tuple[str, ...]:
    def value(name: str) -> Any:
        fact = facts.get(name)
        return fact.configured if fact else None

    role = str(value("samba.server_role") or "auto")
    security = str(value("samba.security") or "AUTO")
    traits = []
    if "domain controller" in role or value("samba.domain_logons") is True:
        traits.append("domain-controller")
    elif role == "member server" or security in ("ADS", "DOMAIN"):
        traits.append("domain-member")
    else:
        traits.append("standalone")
    if value("samba.clustering") is True:
        traits.append("cluster")
    options = parsed.configuration.options if parsed.configuration is not None else {}
    if any(name.endswith(_TIME_MACHINE) and _yes(option) for name, option in options.items()):
        traits.append("backup-target")
    facts.put("samba.server_role_effective", Fact(effective=traits[0], origin=Origin("default")))
    return tuple(traits)


def _sessions(collected: Collected, running: bool, facts: FactSet, errors: list[SectionError]) -> None:
    record = collected.get("samba.status_json")
    found: dict[str, dict[str, Any]] | None = {} if not running else None
    reason = "smbstatus gave no answer"
    if record is not None and record.unreadable is None:
        try:
            found = sessions.from_json(record.out)
        except ValueError as error:
            reason = f"smbstatus --json: {error}"
    table = collected.get("samba.status")
    if found is None and table is not None:
        if table.unreadable is None:
            found = sessions.from_table(table.out)
        else:
            reason = visible(table.unreadable)
    if found is None:
        facts.put("usage.sessions_read", Fact(unreadable=reason))
        errors.append(SectionError("samba.sessions", reason))
        return
    facts.put("usage.sessions_read", Fact(effective=True))
    for session_id, session in found.items():
        facts.put("usage.session", Fact(effective=session), session_id)


def _yes(option: conf.Value) -> bool:
    try:
        return values.boolean(str(option.value).strip())
    except values.BadValue:
        return False
