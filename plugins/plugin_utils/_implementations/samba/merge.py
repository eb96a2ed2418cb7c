# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two readers of one truth: testparm and our own parser. Where they disagree, nobody is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._model.fact import Fact, FactSet, Origin
from ..._model.setting import Setting
from .conf import Configuration, Share, Value
from .settings import Table, default
from .testparm import TestparmView

_DEFAULT = Origin("default")

NOT_COMPARED = frozenset({"samba.log_level", "samba.include", "samba.copy", "samba.config_file"})
"""What testparm cannot tell (its own log level) or prints in its own way (only the last include)."""


@dataclass(slots=True)
class Parsed:
    """What our own parser made of the files; ``errors`` say why ``configuration`` is None."""

    configuration: Configuration | None
    errors: list[str]


def merge(
    parsed: Parsed,
    view: TestparmView | str,
    table: Table,
    version: str,
    builtins: Mapping[str, str],
    facts: FactSet,
) -> None:
    """Put every parameter's value in force, with its origin, into ``facts``.

    Args:
        parsed: our own reading of the files.
        view: testparm's, or the reason why there is none.
        table: the property table.
        version: release of smbd.
        builtins: ``${NAME}`` of build-dependent defaults.
        facts: where the facts go.
    """
    configuration = parsed.configuration
    seen = view if isinstance(view, TestparmView) else None
    if configuration is not None and configuration.errors:
        _broken(configuration.errors, table, facts)
        return
    if configuration is None and seen is None:
        _broken([*parsed.errors, str(view)], table, facts)
        return
    facts.put("samba.config_valid", Fact(configured=True))
    if seen is not None:
        facts.put("samba.testparm_warnings", Fact(configured=seen.warnings))
    else:
        facts.put("samba.testparm_warnings", Fact(unreadable=str(view)))
    if configuration is not None:
        _describe(configuration, facts)
    defaults = {setting.id: _default(setting, version, builtins) for setting in table.settings}
    for setting in table.settings:
        ours = _ours(setting, configuration, defaults)
        theirs = _theirs(setting, seen)
        fact = _agree(setting, ours, theirs, parsed=configuration is not None)
        if fact is not None:
            facts.put(setting.id, fact)
    _shares(configuration, seen, table, defaults, facts)


def _broken(reasons: list[str], table: Table, facts: FactSet) -> None:
    """Samba loads nothing of a broken configuration, so nothing of it is known."""
    facts.put("samba.config_valid", Fact(configured=False, unreadable=None))
    facts.put("samba.config_errors", Fact(configured=reasons))
    for setting in table.settings:
        facts.put(setting.id, Fact(unreadable=reasons[0]))
    facts.put("samba.share", Fact(unreadable=reasons[0]))


def _describe(configuration: Configuration, facts: FactSet) -> None:
    facts.put("samba.conditional_includes", Fact(configured=configuration.conditional))
    facts.put("samba.config_warnings", Fact(configured=configuration.warnings))
    for name, value in configuration.options.items():
        facts.put("samba.option", Fact(configured=value.value, origin=value.origin), name)


def _default(setting: Setting, version: str, builtins: Mapping[str, str]) -> Any:
    value = default(setting, version)
    if isinstance(value, list):
        filled = [_filled(item, builtins) for item in value]
        return None if None in filled else filled
    return _filled(value, builtins) if isinstance(value, str) else value


def _filled(text: str, builtins: Mapping[str, str]) -> str | None:
    """Return a default with its build paths put in; None when the host did not tell one of them."""
    for name, path in builtins.items():
        text = text.replace("${" + name + "}", path)
    return None if "${" in text else text


def _ours(setting: Setting, configuration: Configuration | None, defaults: Mapping[str, Any]) -> Value | None:
    if configuration is None:
        return None
    written = configuration.globals.get(setting.id)
    if written is not None:
        return written
    value = defaults[setting.id]
    return None if value is None else Value(value, _DEFAULT)


def _theirs(setting: Setting, view: TestparmView | None) -> Any:
    return None if view is None or setting.id in NOT_COMPARED else view.globals.get(setting.id)


def _agree(setting: Setting, ours: Value | None, theirs: Any, *, parsed: bool) -> Fact | None:
    """Return the fact of one parameter: testparm's value with our origin, or unreadable when they differ.

    A default is testparm's to tell: distributions backport changed defaults. ``parsed``: our own parser has read
    the files, so that what it did not find there is a default.
    """
    if theirs is None:
        return None if ours is None else Fact(configured=ours.value, origin=ours.origin)
    if ours is None:
        return Fact(configured=theirs, origin=_DEFAULT if parsed else Origin("unknown"))
    if ours.origin.kind != "default" and not same(setting, ours.value, theirs):
        return Fact(unreadable=f"testparm says {theirs!r}, {ours.origin.where} says {ours.value!r}")
    return Fact(configured=theirs, origin=ours.origin)


def same(setting: Setting, ours: Any, theirs: Any) -> bool:
    """Whether two values of one setting mean the same to Samba."""
    if isinstance(ours, str) and isinstance(theirs, str):
        if setting.id.endswith(("_directory", "_dir")):
            return ours.rstrip("/") == theirs.rstrip("/")
        return ours.strip('"') == theirs.strip('"')
    return bool(ours == theirs)


def _shares(
    configuration: Configuration | None,
    view: TestparmView | None,
    table: Table,
    defaults: Mapping[str, Any],
    facts: FactSet,
) -> None:
    ours = configuration.shares if configuration is not None else {}
    theirs = view.shares if view is not None else {}
    names = {lower: share.name for lower, share in ours.items()}
    if view is not None:
        names = {lower: name for lower, (name, _values) in theirs.items()} | {
            lower: name for lower, name in names.items() if lower not in theirs
        }
    for lower, name in names.items():
        if view is not None and configuration is not None and (lower in ours) is not (lower in theirs):
            who = "testparm" if lower in theirs else "the files"
            facts.put("samba.share", Fact(unreadable=f"only {who} know this share"), name)
            continue
        share = ours.get(lower)
        printed = theirs[lower][1] if lower in theirs else None
        for setting in table.shared:
            fact = _share_fact(setting, share, printed, view, defaults, facts)
            if fact is not None:
                facts.put(setting.id, fact, name)
        facts.put("samba.share", _share(name, facts), name)


def _share_fact(
    setting: Setting,
    share: Share | None,
    printed: Mapping[str, Any] | None,
    view: TestparmView | None,
    defaults: Mapping[str, Any],
    facts: FactSet,
) -> Fact | None:
    """Return the fact of a share's parameter, or None when the host's own value holds for it."""
    general = facts.get(setting.id)
    ours = share.get(setting.id) if share is not None else None
    if share is not None and ours is None and defaults[setting.id] is not None:
        ours = Value(defaults[setting.id], _DEFAULT)
    theirs = None
    if printed is not None and view is not None and setting.id not in NOT_COMPARED:
        theirs = printed.get(setting.id, view.globals.get(setting.id))
    fact = _agree(setting, ours, theirs, parsed=share is not None)
    if fact is None or (share is not None and setting.id in share.own):
        return fact
    if general is not None and fact.configured == general.configured and fact.unreadable == general.unreadable:
        return None
    return fact


def _share(name: str, facts: FactSet) -> Fact:
    def value(parameter: str) -> Any:
        fact = facts.get(f"samba.{parameter}", name) or facts.get(f"samba.{parameter}")
        return fact.configured if fact is not None else None

    kinds = {"homes": "homes", "printers": "print", "ipc$": "ipc"}
    kind = kinds.get(name.lower()) or ("print" if value("printable") else "disk")
    return Fact(
        configured={
            "path": value("path") or "",
            "comment": value("comment") or "",
            "kind": kind,
            "available": value("available") is not False,
        },
        origin=(facts.get("samba.path", name) or Fact()).origin,
    )
