# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed on a host since the baseline. Pure."""

from __future__ import annotations

from typing import Any

from .._model.codec import encode
from .._model.fact import Fact
from .._model.finding import Verdict
from .._model.run import Drift, HostRecord

State = dict[str, Any]
"""{"facts": {id: {object: value}}, "verdicts": {control: {object: verdict}}, "read": bool}; plain JSON."""

_VOLATILE = ("usage.", "raw.", "windows.session_", "windows.connection_")
_IGNORED = frozenset(
    {
        "host.package_index_age_days",
        "host.process",
        "host.process_elsewhere",
        "samba.server_running",
        "host.listeners_read",
        "host.processes_read",
        "patch.age_days",
        "windows.quic_certificate_days",
    }
)
_BAD: tuple[Verdict, ...] = ("fail", "unknown")


def host_state(record: HostRecord) -> State:
    """Return what counts for drift: what is set (not defaults), what is there, and the verdicts that matter."""
    facts: dict[str, dict[str, Any]] = {}
    for fact_id, obj, fact in record.facts:
        if fact_id.startswith(_VOLATILE) or fact_id in _IGNORED:
            continue
        if _is_default(fact):
            continue
        facts.setdefault(fact_id, {})[obj] = _value(fact_id, encode(fact))
    verdicts: dict[str, dict[str, str]] = {}
    for finding in record.findings:
        verdicts.setdefault(finding.control, {})[finding.object] = finding.verdict
    return {"facts": facts, "verdicts": verdicts, "read": not unread(record)}


def _is_default(fact: Fact) -> bool:
    """Whether nobody set this and the service says nothing else: a flip to a set value is then an added fact."""
    only_configured = fact.unreadable is None and fact.effective is None and fact.wire is None
    return only_configured and fact.origin is not None and fact.origin.kind == "default"


def unread(record: HostRecord) -> str | None:
    """Return why nothing is known of a host; None when it answered."""
    for error in record.errors:
        if error.section in ("connection", "privilege", "collector", "host", "record", "reader"):
            return error.reason
    return None


def _value(fact_id: str, fact: dict[str, Any]) -> Any:
    """Return the truths of a fact without what changes by itself (process ids)."""
    value = {name: fact[name] for name in ("configured", "effective", "wire", "unreadable") if name in fact}
    if fact_id == "host.listener" and isinstance(value.get("effective"), dict):
        value["effective"] = {name: item for name, item in value["effective"].items() if name != "pid"}
    return value


def compare(host: str, before: State, now: State, *, verdicts: bool = True) -> list[Drift]:
    """Return the differences of one host's states, facts first. A host that could not be read has none.

    ``verdicts`` False: the two were judged by different profiles, so that only facts can be compared.
    """
    if not before["read"] or not now["read"] or before == now:
        return []
    changes = _facts(host, before["facts"], now["facts"])
    return [*changes, *_verdicts(host, before["verdicts"], now["verdicts"])] if verdicts else changes


def _facts(host: str, before: dict[str, Any], now: dict[str, Any]) -> list[Drift]:
    changes = []
    for fact_id in sorted({*before, *now}):
        old, new = before.get(fact_id, {}), now.get(fact_id, {})
        for obj in sorted({*old, *new}):
            if obj not in new:
                changes.append(Drift(host, "fact", "removed", fact_id, obj, _shown(old[obj]), None))
            elif obj not in old:
                changes.append(Drift(host, "fact", "added", fact_id, obj, None, _shown(new[obj])))
            elif old[obj] != new[obj]:
                changes.append(Drift(host, "fact", "changed", fact_id, obj, _shown(old[obj]), _shown(new[obj])))
    return changes


def _shown(value: Any) -> Any:
    """Return the one truth that is there, or all of them."""
    return (
        next(iter(value.values()))
        if isinstance(value, dict) and len(value) == 1 and "unreadable" not in value
        else value
    )


def _verdicts(host: str, before: dict[str, Any], now: dict[str, Any]) -> list[Drift]:
    """A control that passes everywhere has one verdict for object ``""``; compare the sets of bad objects."""
    changes = []
    for control in sorted({*before, *now}):
        old, new = before.get(control), now.get(control)
        if old is None or new is None:
            continue  # newly judged or no longer: the profile changed, not the host
        bad_before = {obj for obj, verdict in old.items() if verdict in _BAD}
        bad_now = {obj for obj, verdict in new.items() if verdict in _BAD}
        for obj in sorted(bad_now - bad_before):
            changes.append(Drift(host, "verdict", "newly_failing", control, obj, old.get(obj, "pass"), new[obj]))
        for obj in sorted(bad_before - bad_now):
            changes.append(Drift(host, "verdict", "newly_passing", control, obj, old[obj], new.get(obj, "pass")))
    return changes
