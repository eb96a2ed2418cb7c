# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps for every recorded host and profile: what is planned is what stands there, and doing it mends what failed.

"Doing" is a little Windows of this file: it writes each step into the records that the collector brought.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import functools
import json
import re

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.targets import targets
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue, reading
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.planning import default_of
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.windows.edit_settings import SHOWN_ONLY
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Order
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import holds
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows, windows_steps
from tests.lab.windows import definition, record

TODAY = datetime.date(2026, 11, 25)
PROFILES = ("recommended", "strict", "microsoft", "cis", "stig")
UNREADABLE = ("ws2022-constrained",)
UNKNOWN = {
    "cis": ("win7", "win11-24h2-home", "ws2008r2", "ws2008r2-de"),
    "stig": ("win7", "win11-24h2-home", "ws2008r2", "ws2008r2-de", "ws2012", "ws2012r2", "ws2012r2-smb1-half"),
}
"""Hosts that a benchmark has no file for."""
SERVICES = "SYSTEM\\CurrentControlSet\\Services"
DIALECTS = {"None": 0, "SMB202": 514, "SMB210": 528, "SMB300": 768, "SMB302": 770, "SMB311": 785}
STARTS = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
PROPERTIES = json.loads((definition.HERE / "bases" / "smb.json").read_text(encoding="utf-8"))


@functools.cache
def answered(host, user):
    result = record.output(record.read(host, user), record.NONCE)
    return windows.read_answer(result.stdout.decode("ascii"), result.stderr.decode(), result.rc, record.NONCE)


@functools.cache
def inputs(profile):
    return load_inputs(profile, None)


def judged(collected, profile):
    """Return what was read of an answer, and the targets of its findings that this implementation's editor gets."""
    read = reading.read(collected, TODAY)
    selections = inputs(profile).selections_for(read.facts, read.implementations)
    controls, settings = catalogue.controls(), catalogue.every_setting()
    findings = assess(read.facts, read.implementations, controls, settings, selections, today=TODAY)
    wanted, _beyond = targets(findings, controls, selections, read.facts, settings, read.implementations, default_of)
    return read, [target for target in wanted if target.fact.startswith("windows.")]


class Case:
    """A host with a profile: its answer, its targets and what the editor makes of them."""

    def __init__(self, host, user, profile):
        self.collected = answered(host, user)
        self.profile = profile
        self.read, self.targets = judged(self.collected, profile)
        self.product = self.read.implementations[0]
        self.edited = edit(self.targets, self.collected, self.read.facts, catalogue.settings("windows"))


case = functools.cache(Case)
CASES = [
    (host, user, profile)
    for host, user in record.recordings()
    for profile in PROFILES
    if host not in UNREADABLE and host not in UNKNOWN.get(profile, ())
    if user == "admin" or profile not in UNKNOWN  # who is no administrator is not told the role in a domain
]


@pytest.fixture(params=CASES, ids="/".join)
def told(request):
    return case(*request.param)


def data(collected, record_id):
    found = collected.get(record_id)
    return None if found is None or found.rc else found.data


def key_of(collected, key):
    return next(item for item in data(collected, "windows.registry") if item["key"].lower() == key.lower())


def registry(collected, key, name):
    """Return type and value as the record shows them."""
    raw = {known.lower(): value for known, value in key_of(collected, key)["values"].items()}.get(name.lower())
    kinds = {int: "dword", str: "sz", list: "multi_sz", type(None): "absent"}
    return kinds[raw.__class__], raw


def service(collected, name):
    return next(item for item in data(collected, "host.services") if item["name"].lower() == name.lower())


def stands(collected, step):
    """Return type and value of what a step's place holds, read without the code under test."""
    if step.kind == "registry":
        return registry(collected, step.target, step.name)
    if step.kind in ("server_property", "client_property"):
        raw = data(collected, f"windows.{step.kind.partition('_')[0]}_configuration")[step.name]
        return {bool: "boolean", int: "integer", str: "text"}[raw.__class__], raw
    if step.kind == "service":
        return "integer", service(collected, step.target)["start"]
    if step.kind == "netbios":
        raw = {item["guid"]: item["options"] for item in data(collected, "host.netbt")}.get(step.target)
        return ("absent", None) if raw is None else ("integer", raw)
    if step.kind == "secedit":
        return "integer", int(data(collected, "windows.secedit")[step.target][step.name])
    if step.kind == "right":
        return "list", data(collected, "windows.secedit")["Privilege Rights"].get(step.target, [])
    if step.kind == "audit":
        return "integer", data(collected, "windows.auditpol")[step.target]
    if step.kind == "event_log":
        logs = {item["name"]: item for item in data(collected, "windows.event_logs")}
        return ("boolean" if step.name == "enabled" else "integer"), logs[step.target][step.name]
    if step.kind == "share_property":
        name = {"EncryptData": "encrypt", "FolderEnumerationMode": "enumeration", "CachingMode": "caching"}[step.name]
        share = next(item for item in data(collected, "windows.shares") if item["name"] == step.target)
        return ("boolean" if name == "encrypt" else "text"), share[name]
    if step.kind == "feature":
        return "text", {1: "enabled", 2: "disabled", 3: "removed"}[data(collected, "host.features")[step.target]]
    assert step.kind == "role_feature"
    return "text", data(collected, "host.server_features")[step.target].lower()


def put(collected, step, native):
    """Write a step's value where the collector would find it."""
    value = copy.deepcopy(native.value)
    if step.kind == "registry":
        item = key_of(collected, step.target)
        write(item, step.name, value)
        if step.name == "DependOnService":
            service(collected, "LanmanWorkstation")["depends"] = [name for name in value or [] if name]
    elif step.kind in ("server_property", "client_property"):
        data(collected, f"windows.{step.kind.partition('_')[0]}_configuration")[step.name] = value
        if step.twin is not None and native is step.before:
            write(key_of(collected, step.twin.key), step.twin.name, copy.deepcopy(step.twin.before.value))
        elif step.twin is not None:
            write(key_of(collected, step.twin.key), step.twin.name, behind(step, value))
    elif step.kind == "service":
        service(collected, step.target)["start"] = value
        for item in data(collected, "windows.registry"):
            if item["key"].lower() == f"{SERVICES}\\{step.target}".lower():
                item["values"]["Start"] = value
    elif step.kind == "netbios":
        put_netbios(collected, step, value)
    elif step.kind == "secedit":
        data(collected, "windows.secedit")[step.target][step.name] = str(value)
    elif step.kind == "right":
        data(collected, "windows.secedit")["Privilege Rights"][step.target] = value
    elif step.kind == "audit":
        data(collected, "windows.auditpol")[step.target] = value
    elif step.kind == "event_log":
        next(i for i in data(collected, "windows.event_logs") if i["name"] == step.target)[step.name] = value
    elif step.kind == "share_property":
        name = {"EncryptData": "encrypt", "FolderEnumerationMode": "enumeration", "CachingMode": "caching"}[step.name]
        next(item for item in data(collected, "windows.shares") if item["name"] == step.target)[name] = value
    elif step.kind == "feature":
        data(collected, "host.features")[step.target] = 1 if value == "enabled" else 2
    else:
        shown = "Installed" if value == "installed" else "UninstallPending"
        data(collected, "host.server_features")[step.target] = shown


def write(item, name, value):
    known = next((key for key in item["values"] if key.lower() == name.lower()), name)
    item["values"].pop(known, None)
    if value is not None:
        item["state"] = "present"
        item["values"][known] = value


def put_netbios(collected, step, value):
    for item in data(collected, "host.netbt"):
        if item["guid"] == step.target:
            item["options"] = value
    for item in data(collected, "host.adapters") or []:
        if item["guid"] == step.target:
            item["netbios"] = value or 0


def behind(step, value):
    """Return what a cmdlet writes into the registry for a property."""
    if isinstance(value, bool):
        return int(value is not step.twin.name.startswith("DisableStrict"))
    if step.name.startswith("Smb2Dialect"):
        return DIALECTS[value]
    return [item for item in re.split(r"\s*,\s*", value) if item] if isinstance(value, str) else value


def done(told):
    collected = copy.deepcopy(told.collected)
    for step in told.edited.steps:
        put(collected, step, step.after)
    return collected


def test_all_recorded_hosts_are_here():
    assert {host for host, _user, _profile in CASES} == {*definition.names()} - {*UNREADABLE, *record.LEFT_OUT}
    assert len(CASES) > 110


def test_what_must_stand_there_is_what_stands_there(told):
    for step in told.edited.steps:
        kind, value = stands(told.collected, step)
        assert (step.before.type, step.before.value) == (kind, value), step
        if step.twin is not None:
            twin = (step.twin.before.type, step.twin.before.value)
            assert twin == registry(told.collected, step.twin.key, step.twin.name), step


def test_every_step_changes_something_and_has_a_reason(told):
    steps = told.edited.steps
    assert [step.id for step in steps] == list(range(1, len(steps) + 1))
    assert {change.step for change in told.edited.changes} == {step.id for step in steps}
    assert all(step.before != step.after for step in steps)
    places = [(step.kind, step.target.lower(), step.name.lower()) for step in steps]
    assert len(set(places)) == len(places)
    by_id = {step.id: step for step in steps}
    for change in told.edited.changes:
        step = by_id[change.step]
        assert change.restart == step.restart
        assert change.address and change.before != change.after
        if step.kind == "service":
            assert (change.before, change.after) == (STARTS[step.before.value], STARTS[step.after.value])
        else:
            assert (change.before, change.after) == (step.before.value, step.after.value)


def test_every_target_is_pursued_or_refused_or_waits(told):
    named = {(item.control, item.object, item.fact) for item in (*told.edited.changes, *told.edited.refused)}
    going = told.read.facts.get("windows.smb1_feature")
    for target in told.targets:
        if (target.control, target.object, target.fact) in named:
            continue
        fact = told.read.facts.get(target.fact, target.at)
        written = fact.configured == target.value and fact.effective not in (None, target.value)
        leaving = target.fact.startswith("windows.smb1_") and going.configured == "pending-removal"
        assert written or leaving, target
    for blocked in told.edited.refused:
        assert blocked.kind in ("edit", "policy", "unreadable")
        assert len(blocked.why) > 20 and "\n" not in blocked.why


def test_places_are_those_that_this_release_has(told):
    settings = catalogue.settings("windows").values()
    usable = [
        address
        for setting in settings
        if holds(setting.available, told.product.version, told.product.traits) is not False
        for address in setting.addresses
        if holds(address.when, told.product.version, told.product.traits) is not False
    ]
    keys = {(item.store, item.key.lower(), item.name.lower()): item for item in usable}
    old = told.product.version.startswith("6.1")
    for step in told.edited.steps:
        if step.kind == "registry":
            address = keys["registry", step.target.lower(), step.name.lower()]
            assert step.after.type == address.kind
        elif step.kind in ("server_property", "client_property"):
            assert (step.kind, "", step.name.lower()) in keys and not old
            rule = PROPERTIES[step.kind.partition("_")[0]][step.name]
            assert not rule.get("shown_only")
            assert step.restart in ("none", "reboot")
        elif step.kind in ("secedit", "right", "audit"):
            place = (step.kind, "System Access".lower(), step.name.lower()) if step.kind == "secedit" else ("", "", "")
            assert place in keys or (step.kind, "", step.target.lower()) in keys
        elif step.kind in ("feature", "role_feature"):
            assert not old and not told.product.version.startswith("6.2")


def test_the_interpreter_takes_every_step(told):
    order = Order("20261125T120000Z-abcd", told.edited.steps)
    assert len(windows_steps.lines(order)) == len(told.edited.steps) + 1


def test_smb1_goes_in_order(told):
    steps = [(step.kind, step.target, step.name) for step in told.edited.steps]

    def at(*wanted):
        return [number for number, step in enumerate(steps) if step in wanted]

    switch = at(
        ("server_property", "", "EnableSMB1Protocol"), ("registry", f"{SERVICES}\\LanmanServer\\Parameters", "SMB1")
    )
    depends = at(("registry", f"{SERVICES}\\LanmanWorkstation", "DependOnService"))
    driver = at(("service", "mrxsmb10", ""))
    feature = [number for number, step in enumerate(steps) if step[0] in ("feature", "role_feature")]
    order = [*switch, *depends, *driver, *feature]
    assert order == sorted(order)
    today = [name.lower() for name in service(told.collected, "LanmanWorkstation")["depends"] or []] if driver else []
    assert not driver or "mrxsmb10" not in today or depends
    for number in depends:
        step = told.edited.steps[number]
        kept = [name for name in step.before.value if name.lower() != "mrxsmb10"]
        assert step.after.value[: len(kept)] == kept


def test_doing_it_mends_what_failed_and_leaves_nothing_to_do(told):
    """But for what waits for the reboot: a feature that is removed, its drivers."""
    collected = done(told)
    read, wanted = judged(collected, told.profile)
    changed = {(change.control, change.object, change.fact) for change in told.edited.changes}
    smb1 = any(step.kind in ("feature", "role_feature") or step.target == "mrxsmb10" for step in told.edited.steps)
    left = {(item.control, item.object, item.fact) for item in wanted} & changed
    assert not {item for item in left if not (smb1 and item[2].startswith("windows.smb1_"))}
    again = edit(wanted, collected, read.facts, catalogue.settings("windows"))
    assert again.steps == ()
    assert again.changes == ()


def test_doing_it_and_undoing_it_is_the_identity(told):
    collected = done(told)
    for step in reversed(told.edited.steps):
        put(collected, step, step.before)
    assert plain(collected) == plain(told.collected)


def plain(collected):
    """Return the records; a key that was made is remembered by the host and removed when it is empty again."""
    records = [dataclasses.asdict(record) for record in copy.deepcopy(collected.records)]
    for item in records:
        if item["id"] == "windows.registry" and item["data"]:
            for key in item["data"]:
                key["state"] = "absent" if key["state"] == "present" and not key["values"] else key["state"]
    return records


def test_the_host_itself_is_untouched_by_planning():
    collected = answered("ws2022", "admin")
    before = copy.deepcopy(collected)
    read, wanted = judged(collected, "strict")
    edit(wanted, collected, read.facts, catalogue.settings("windows"))
    assert collected == before


def test_properties_that_no_parameter_sets_are_the_documented_ones():
    shown = {name for side in ("server", "client") for name, rule in PROPERTIES[side].items() if rule.get("shown_only")}
    assert shown == SHOWN_ONLY
    addresses = [address for setting in catalogue.settings("windows").values() for address in setting.addresses]
    for address in addresses:
        if address.truth == "effective":
            assert address.name in PROPERTIES[address.store.partition("_")[0]]


def test_nothing_that_was_not_there_is_of_another_type_than_absent(told):
    assert all((step.before == ABSENT) is (step.before.value is None) for step in told.edited.steps)
