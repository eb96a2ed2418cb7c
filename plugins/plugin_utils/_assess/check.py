# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lint of controls and profiles as data; the compiler and the tests use it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._model.collected import Implementation
from .._model.control import Control, Example, Profile, Test
from .._model.fact import Fact, FactSet
from .._model.finding import VERDICTS
from .._model.setting import Setting
from .._model.when import When
from . import operators
from .assess import assess
from .conditions import in_range
from .profiles import BUILT_IN, Complaint, Selection, complaints, fallback

AREAS = frozenset(
    [
        "anonymous",
        "audit",
        "auth",
        "client",
        "dialect",
        "encryption",
        "firewall",
        "guest",
        "name-resolution",
        "netbios",
        "other",
        "patch",
        "quic",
        "service",
        "share",
        "signing",
    ]
)
FACTS = frozenset(
    f"{room}.{name}"
    for room, names in {
        "host": "os kernel arch privileged hostname listener listeners_read package package_update package_updates "
        "packages_read package_index_age_days service process process_elsewhere processes_read kernel_module "
        "kernel_modules_read cifs_module_available smb_server_packages smb_server_in_use role",
        "client": "mount fstab cifs_parameter modprobe",
        "usage": "session sessions_read",
        "samba": "version server_running config_valid config_errors config_warnings testparm_warnings "
        "conditional_includes config_loaded command_line_options config_mode config_owner option share "
        "share_path_mode usershare usershares_read usershare_mode usershare_owner private_mode private_file_mode "
        "private_owner guest_account_exists guest_account_shell guest_account_uid nmbd_running nmbd_enabled "
        "log_auth_level release_maintained server_role_effective registry_shares",
    }.items()
    for name in names.split()
)
"""Facts that are no setting; a control may ask for these and for settings, and for nothing else."""
_REFERENCE = re.compile(r"^[A-Za-z][^\n]{3,160}\Z")
_TODAY = datetime.date(2026, 1, 1)
_ORDERED = frozenset({"at_least", "at_most"})
_LISTS = frozenset({"includes", "excludes", "subset_of"})


def check_control(control: Control, settings: Mapping[str, Setting]) -> list[str]:
    """Return what is wrong with a control."""
    found = [*_when(control.when)]
    if control.area not in AREAS:
        found.append(f"unknown area {control.area!r}")
    if not control.tests:
        found.append("it has no test, so it would always hold")
    found += [f"values for an unknown profile {profile!r}" for profile in control.values if profile not in BUILT_IN]
    if not control.values and any(_profile_decides(test) for test in control.tests):
        found.append("only benchmark profiles select it, so its tests must name their values")
    facts = [*(test.fact for test in control.tests), *control.usage, *([control.per] if control.per else [])]
    facts += [fact for example in control.examples for fact in example.facts]
    found += [f"unknown fact {fact!r}" for fact in dict.fromkeys(facts) if fact not in FACTS and fact not in settings]
    for test in control.tests:
        found += [f"{test.fact}: {complaint}" for complaint in _test(control, test, settings.get(test.fact))]
    found += [f"a reference of no known form: {item!r}" for item in control.references if not _REFERENCE.match(item)]
    verdicts = {example.verdict for example in control.examples}
    found += [f"examples with an unknown verdict {item!r}" for item in sorted(verdicts - set(VERDICTS))]
    if "pass" not in verdicts or not verdicts & {"fail", "manual"}:
        found.append("needs at least one example that passes and one that fails")
    return found


def _when(when: When) -> Iterator[str]:
    if when.version:
        try:
            in_range("1", when.version)
        except ValueError as error:
            yield str(error)
    if when.side not in (None, "server", "client"):
        yield f"side is {when.side!r}; it is server or client"
    if when.implementation is None and (when.version or when.side or when.trait or when.without):
        yield "a version, side or trait without an implementation would be ignored"


def _profile_decides(test: Test) -> bool:
    return test.value is None and test.operator in operators.NEEDS_VALUE


def _test(control: Control, test: Test, setting: Setting | None) -> Iterator[str]:
    """Yield what is wrong with one test: its operator for that setting, and its value in every profile."""
    if setting is not None:
        yield from _operator(test.operator, setting)
    if not _profile_decides(test):
        if test.operator in operators.NEEDS_VALUE:
            yield from _value(test.operator, test.value, setting)
        return
    for profile, given in control.values.items():
        wanted = Selection(control.id, given).value_for(test.fact)
        yield from (f"{profile}: {complaint}" for complaint in _value(test.operator, wanted, setting))


def _operator(operator: str, setting: Setting) -> Iterator[str]:
    if operator in _ORDERED and not setting.scale and setting.type != "integer":
        yield f"{operator} needs a number or a scale, and {setting.name!r} is of type {setting.type}"
    if operator in _LISTS and setting.type != "list":
        yield f"{operator} needs a list, and {setting.name!r} is of type {setting.type}"
    if operator in ("one_of", "none_of", "equals", "not_equals") and setting.type == "list":
        yield f"{operator} needs a single value, and {setting.name!r} is a list"
    if operator == "mode_within" and setting.type != "octal":
        yield f"mode_within needs a file mode, and {setting.name!r} is of type {setting.type}"


def _value(operator: str, wanted: Any, setting: Setting | None) -> list[str]:
    if wanted is None:
        return [f"no value for {operator}"]
    if wanted == [] and operator in operators.VACUOUS_WHEN_EMPTY:
        return [f"{operator} with an empty list asks for nothing"]
    if operator == "mode_within" and not operators.is_mode(wanted):
        return [f"{wanted!r} is no file mode in quotes, such as '0644'"]
    if setting is None:
        return []
    legal = list(dict.fromkeys(setting.tokens.values()))
    items = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(wanted, list) and operator in ("equals", "not_equals", *_ORDERED):
        return [f"{operator} needs one value, not a list"]
    if setting.type == "enum" and not all(item in legal for item in items):
        return [f"{wanted!r} is no value of {setting.name!r}: {', '.join(sorted(legal))}"]
    if operator in _ORDERED and setting.scale and wanted not in setting.scale:
        return [f"{wanted!r} has no place on the scale of {setting.name!r}: {', '.join(setting.scale)}"]
    kinds: dict[str, type] = {"boolean": bool, "integer": int, "octal": str, "list": str, "string": str}
    kind = kinds.get(setting.type)
    if kind is not None and not all(
        isinstance(item, kind) and not (kind is int and isinstance(item, bool)) for item in items
    ):
        return [f"{wanted!r} is no {setting.type}, which {setting.name!r} is"]
    return []


def check_examples(control: Control, settings: Mapping[str, Setting]) -> list[str]:
    """Return the examples that are not judged as they say."""
    found = []
    for number, example in enumerate(control.examples, 1):
        verdict = judge_example(control, example, settings)
        if verdict != example.verdict:
            found.append(f"example {number}: judged {verdict}, said to be {example.verdict}")
    return found


def judge_example(control: Control, example: Example, settings: Mapping[str, Setting]) -> str:
    """Return the worst verdict of a control on an example's small host."""
    facts = FactSet()
    for fact_id, value in example.facts.items():
        objects = value if isinstance(value, dict) and fact_id not in ("host.os",) else {"": value}
        for obj, item in objects.items():
            text = item if isinstance(item, str) else ""
            reason = text.removeprefix("unreadable: ") if text.startswith("unreadable: ") else None
            facts.put(fact_id, Fact(unreadable=reason) if reason else Fact(configured=item), str(obj))
    host = Implementation(
        control.when.implementation or "samba", example.version or "4.24.0", _side(control), True, example.traits
    )
    if control.values and example.profile not in control.values:
        return "not selected"
    selection = Selection(control.id, control.values.get(example.profile))
    findings = assess(facts, [host], {control.id: control}, settings, [selection], today=_TODAY)
    return min((finding.verdict for finding in findings), key=VERDICTS.index, default="none")


def _side(control: Control) -> Any:
    return control.when.side or "server"


def check_profile(
    profile: Profile, controls: Mapping[str, Control], settings: Mapping[str, Setting]
) -> list[Complaint]:
    """Return what is wrong with a profile: references, and values that a setting does not have."""
    found = [*complaints(profile, controls), *(Complaint("when", text) for text in _when(profile.when))]
    for index, rule in enumerate(profile.rules):
        control = controls.get(rule.control)
        if control is None:
            continue
        given = rule.value if rule.value is not None else fallback(control, profile.base)
        place = f"rules[{index}].{'control' if rule.value is None else 'value'}"
        if isinstance(rule.value, dict):
            known = {test.fact for test in control.tests}
            found += [
                Complaint(place, f"{rule.control} does not ask for {key!r}") for key in rule.value if key not in known
            ]
        if rule.value is not None and not any(_profile_decides(test) for test in control.tests):
            found.append(Complaint(place, f"the tests of {rule.control} name their own values, so this has no effect"))
        for test in control.tests:
            if _profile_decides(test):
                wanted = Selection(control.id, given).value_for(test.fact)
                problems = _value(test.operator, wanted, settings.get(test.fact))
                found += [Complaint(place, problem) for problem in problems]
    return found
