# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks and roles against the modules that they call: every option is passed on, and every name exists."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.action import audit, probe_info, remediate, rollback, run
from ansible_collections.breakwater.smb.plugins.doc_fragments.options import ModuleDocFragment
from ansible_collections.breakwater.smb.plugins.modules import remediate as remediate_doc
from ansible_collections.breakwater.smb.plugins.modules import rollback as rollback_doc
from ansible_collections.breakwater.smb.plugins.modules import run as run_doc
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.variables import PUBLIC

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = {"audit": audit, "probe_info": probe_info, "remediate": remediate, "rollback": rollback, "run": run}
ROLES = ("smb1", "protocol", "hardening")


def arguments(name: str) -> dict[str, Any]:
    return dict(MODULES[name].ActionModule.ARGUMENTS)


def tasks(node: Any) -> list[dict[str, Any]]:
    """Return every task below a node of YAML."""
    found = []
    if isinstance(node, list):
        for item in node:
            found += tasks(item)
    elif isinstance(node, dict):
        if any(str(key).startswith("breakwater.smb.") for key in node):
            found.append(node)
        for key in ("tasks", "block", "always", "rescue"):
            found += tasks(node.get(key, []))
    return found


def called(path: pathlib.Path) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return (module, its options, the task) of a file of tasks or plays."""
    found = []
    for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
        (name,) = [str(key) for key in task if str(key).startswith("breakwater.smb.")]
        found.append((name.rpartition(".")[2], task[name], task))
    return found


@pytest.mark.parametrize("doc", [remediate_doc, rollback_doc, run_doc])
def test_documentation_names_the_options_of_the_action(doc):
    document = yaml.safe_load(doc.DOCUMENTATION)
    options = dict(document["options"])
    for fragment in document["extends_documentation_fragment"]:
        text = getattr(ModuleDocFragment, fragment.rpartition(".")[2].upper())
        options.update(yaml.safe_load(text).get("options") or {})
    spec = arguments(document["module"])
    assert options.keys() == spec.keys()
    for name, told in options.items():
        for key in ("type", "default", "choices", "elements", "required"):
            assert told.get(key) == spec[name].get(key), (name, key)


@pytest.mark.parametrize(
    "path", [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").glob("*/tasks/main.yml")], ids=str
)
def test_only_known_options_and_variables_are_used(path):
    for name, options, _task in called(path):
        if name in MODULES:
            assert options.keys() <= arguments(name).keys(), (path, name)
        for value in options.values():
            assert set(re.findall(r"breakwater_\w+", str(value))) <= PUBLIC, value


def test_the_playbook_passes_every_option_on():
    options = next(
        options for name, options, _task in called(ROOT / "playbooks" / "remediate.yml") if name == "remediate"
    )
    assert arguments("remediate").keys() - options.keys() == {"profile", "exceptions"}  # frozen by the run


@pytest.mark.parametrize("role", ROLES)
def test_a_role_passes_every_option_on_and_documents_each_variable(role):
    ((name, options, _task),) = called(ROOT / "roles" / role / "tasks" / "main.yml")
    assert name == "remediate"
    chosen = {"smb1": {"areas"}, "protocol": {"controls"}, "hardening": set()}[role]
    assert arguments("remediate").keys() - options.keys() == chosen
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    documented = specs["argument_specs"]["main"]["options"].keys()
    used = {
        name for name in PUBLIC if name in (ROOT / "roles" / role / "tasks" / "main.yml").read_text(encoding="utf-8")
    }
    used -= {name for name in used if any(name != other and name in other for other in used)}
    assert used <= documented
    assert documented <= PUBLIC
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert [name for name in documented if f"`{name}`" not in readme] == []


def test_smb1_names_every_control_that_closes_it():
    ((_name, options, _task),) = called(ROOT / "roles" / "smb1" / "tasks" / "main.yml")
    named, controls = set(options["controls"]), catalogue.controls()
    assert named <= controls.keys()
    closing = {
        name for name, control in controls.items() if control.when.implementation != "wire"
    }  # no step reaches those
    about = {name for name in closing if "smb1" in name or name.endswith(("-min-protocol", "-dialect-min"))}
    assert about <= named
    assert not [name for name in named if "max" in name]


def test_protocol_names_areas_that_exist():
    ((_name, options, _task),) = called(ROOT / "roles" / "protocol" / "tasks" / "main.yml")
    areas = {control.area for control in catalogue.controls().values()}
    assert set(options["areas"]) <= areas
    assert areas - set(options["areas"]) == {"client", "firewall", "other", "patch", "service", "share"}


@pytest.mark.parametrize("name", ["remediate", "rollback"])
def test_plays_that_change_hosts_go_by_batches_stop_at_the_first_failure_and_close(name):
    plays = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
    play = plays[-1]
    assert "[1, '10%', '100%']" in play["serial"]
    assert play["max_fail_percentage"] == 0
    (block,) = play["tasks"]
    ((module, options, task),) = [
        entry for entry in called(ROOT / "playbooks" / f"{name}.yml") if entry[1].get("state") == "closed"
    ]
    assert task in block["always"]
    assert (module, task["run_once"]) == ("run", True)
    assert options["run"] == "{{ breakwater_opened.run }}"
