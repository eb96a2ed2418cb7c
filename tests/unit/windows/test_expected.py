# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every simulated host is judged as the people who wrote ``hosts/NAME.expected.yml`` beside its data say.

A host's answer comes from PowerShell where there is one, else from its recording.
"""

from __future__ import annotations

import datetime

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue, reading
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import HostError
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab import powershell
from tests.lab.windows import definition, expected, record

TODAY = datetime.date(2026, 11, 25)
UNREADABLE = {"ws2022-constrained": "PowerShell is in the language mode ConstrainedLanguage"}
"""Hosts that cannot be judged, and what is said instead."""
JUDGED = [name for name in definition.names() if name not in UNREADABLE]


def answer(name, directory):
    """Return what a host writes to the collector."""
    if powershell.find():
        return record.collect(name, directory)
    if name in record.LEFT_OUT or not record.path_of(name, "admin").exists():
        powershell.require()
    return record.output(record.read(name), record.NONCE)


def collected(name, directory):
    """Return a host's answer, taken apart."""
    result = answer(name, directory)
    stdout, stderr = result.stdout.decode("ascii"), result.stderr.decode(errors="replace")
    return windows.read_answer(stdout, stderr, result.rc, record.NONCE)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Return the profile that judges everything, ready to use."""
    profile = tmp_path_factory.mktemp("profile") / "everything.yml"
    profile.write_text(yaml.safe_dump(expected.everything(catalogue.controls())), encoding="utf-8")
    return load_inputs(str(profile), None)


def judged(name, directory, inputs):
    """Return control → worst verdict, and everything that was said of each."""
    read = reading.read(collected(name, directory), TODAY)
    assert not [error for error in read.errors if error.section == "reader"], "a reader failed"
    selections = inputs.selections_for(read.facts, read.implementations)
    findings = assess(
        read.facts, read.implementations, catalogue.controls(), catalogue.every_setting(), selections, today=TODAY
    )
    worst = expected.worst((finding.control, finding.verdict) for finding in findings)
    why = {}
    for finding in findings:
        why.setdefault(finding.control, []).append(f"{finding.object}: {finding.verdict}: {finding.why}")
    return worst, why


@pytest.mark.parametrize("name", JUDGED)
def test_the_expectation_names_every_control_of_windows(name):
    controls = {c.id for c in catalogue.controls().values() if c.when.implementation == "windows"}
    assert set(expected.expected(name)) == controls


@pytest.mark.parametrize("name", JUDGED)
def test_a_host_is_judged_as_expected(name, tmp_path, inputs):
    wanted = expected.expected(name)
    found, why = judged(name, tmp_path, inputs)
    differences = [
        f"{control}: expected {wanted.get(control)}, found {found.get(control)}: {why.get(control)}"
        for control in sorted({*wanted, *found})
        if wanted.get(control) != found.get(control)
    ]
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_host_that_cannot_be_read_says_why(name, tmp_path):
    assert not (expected.HOSTS / f"{name}.expected.yml").exists()
    with pytest.raises(HostError) as told:
        collected(name, tmp_path)
    assert UNREADABLE[name] in str(told.value)
