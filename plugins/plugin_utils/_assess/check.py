# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lint of controls and profiles as data; the compiler and the tests use it."""

from __future__ import annotations

import dataclasses
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
        "kernel_modules_read cifs_module_available smb_server_packages smb_server_in_use role domain_role "
        "pending_reboot endpoint_protection firewall_product updates_read update language services_read",
        "client": "mount fstab mount_dialect mount_signing mount_encryption mount_guest cifs_parameter modprobe",
        "usage": "session sessions_read smb1_client unsigned_client unencrypted_client guest_client unsigned_server "
        "unencrypted_server guest_server events_read audit_since",
        "samba": "version server_running config_valid config_errors config_warnings testparm_warnings "
        "conditional_includes config_loaded command_line_options config_mode config_owner option share "
        "share_path_mode usershare usershares_read usershare_mode usershare_owner private_mode private_file_mode "
        "private_owner guest_account_exists guest_account_shell guest_account_uid nmbd_running nmbd_enabled "
        "log_auth_level release_maintained server_role_effective registry_shares",
        "windows": "smb1_feature smb1_server smb1_client_driver smb1_client_dependency smb1_pending_reboot "
        "smb2_client_driver share share_encrypt share_enumeration share_caching share_broad_access shares_read "
        "session_dialect session_protected connection_dialect connection_protected event_channel_enabled "
        "event_channel_size netbios_options hardened_path hardened_paths quic_mapping quic_client_auth quic_client_access "
        "quic_certificate_days quic_certificate_strong quic_alternative_ports server_bound_public server_binding "
        "unexpected_listeners cluster_security_level cluster_storage_level policy_conflicts policy_source_read "
        "wins_server user_sharing_policy",
        "firewall": "enabled inbound_default outbound_default local_merge local_ipsec_merge log_dropped log_allowed "
        "log_size log_path notifications unicast_response inbound_445 inbound_netbios inbound_quic outbound_445 "
        "legacy_sharing_rules smb_ipsec readable",
        "wire": "look same_as_on_the_host smb1 signing",
        "patch": "supported support_ends open_cves age_days latest_build",
    }.items()
    for name in names.split()
)
"""Facts that are no setting; a control may ask for these and for settings, and for nothing else."""
TRAITS = {
    name: frozenset(words.split())
    for name, words in {
        "samba": "standalone domain-member domain-controller cluster named-by-user",
        "windows": "workstation server-os standalone domain-member domain-controller home pro enterprise server-core cluster "
        "hyper-v dfs print-server quic named-by-user",
    }.items()
}
"""Traits that the readers give an implementation; a misspelt one would silently hold for no host, or for all."""
_REFERENCE = re.compile(r"^[A-Za-z][^\n]{3,160}\Z")
_TODAY = datetime.date(2026, 1, 1)
_EXAMPLE_HOSTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cifs": ("7.0", ()),
    "samba": ("4.24.0", ()),
    "windows": ("10.0.20348.2227", ("server-os", "domain-member")),
    "wire": ("", ()),
}
"""Version and traits of an example that names none: what is most common."""
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
    keys = {key for test in control.tests for key in _keys(test)}
    given = {key for value in control.values.values() if isinstance(value, dict) for key in value}
    found += [f"no test asks for {key!r}" for key in sorted(given - keys)]
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
    known = TRAITS.get(when.implementation or "")
    for trait in (*when.trait, *when.without):
        if known is not None and trait not in known:
            yield f"{trait!r} is no trait of {when.implementation}"


def _keys(test: Test) -> tuple[str, ...]:
    """Return the names that a profile's values may call a test by."""
    return (test.fact, f"{test.fact}[{test.object}]") if test.object else (test.fact,)


def _profile_decides(test: Test) -> bool:
    return test.value is None and test.operator in operators.NEEDS_VALUE


def _test(control: Control, test: Test, setting: Setting | None) -> Iterator[str]:
    """Yield what is wrong with one test: its condition, its operator for that setting, and its value in every profile."""
    if test.when is not None:
        if test.when.implementation is not None or test.when.side is not None:
            yield "implementation and side of its condition are the control's"
        yield from _when(dataclasses.replace(test.when, implementation=control.when.implementation))
    if setting is not None:
        yield from _operator(test.operator, setting)
    if not _profile_decides(test):
        if test.operator in operators.NEEDS_VALUE:
            yield from _value(test.operator, test.value, setting)
        return
    for profile, given in control.values.items():
        wanted = Selection(control.id, given).value_for(test.fact, test.object)
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
    legal = list(dict.fromkeys((*setting.tokens.values(), *setting.implied)))
    items = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(wanted, list) and operator in ("equals", "not_equals", *_ORDERED):
        return [f"{operator} needs one value, not a list"]
    if (setting.type == "enum" or (setting.type == "list" and legal)) and not all(item in legal for item in items):
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
    name = control.when.implementation or "samba"
    version, traits = _EXAMPLE_HOSTS[name]
    host = Implementation(name, example.version or version, _side(control), True, example.traits or traits)
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
            known = {key for test in control.tests for key in _keys(test)}
            found += [
                Complaint(place, f"{rule.control} does not ask for {key!r}") for key in rule.value if key not in known
            ]
        if rule.value is not None and not any(_profile_decides(test) for test in control.tests):
            found.append(Complaint(place, f"the tests of {rule.control} name their own values, so this has no effect"))
        for test in control.tests:
            if _profile_decides(test):
                wanted = Selection(control.id, given).value_for(test.fact, test.object)
                problems = _value(test.operator, wanted, settings.get(test.fact))
                found += [Complaint(place, problem) for problem in problems]
    return found
