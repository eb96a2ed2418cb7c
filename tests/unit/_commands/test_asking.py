# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options on their way to the engine, and portions on their way through a vantage host that may answer anything."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.module_utils._smb import sockets
from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import of_task
from ansible_collections.breakwater.smb.plugins.modules import probe_info
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import asking
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.asking import (
    Settings,
    ask_here,
    ask_through,
    settings,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, GarbledAnswer, Unreachable
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.document import unresolved
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.targets import Target, expand, parse

DEFAULTS = {name: spec.get("default") for name, spec in probe_info.ARGUMENTS.items()}


def answered(text, address):
    return {**unresolved(text, "", "2026-12-01T00:00:00Z"), "address": address}


class Vantage:
    """Answers module calls as the module would; ``spoil`` changes what it says."""

    def __init__(self, spoil=lambda results: results):
        self.calls = []
        self.spoil = spoil

    def __call__(self, arguments):
        self.calls.append(arguments)
        results = []
        for text in arguments["targets"]:
            target = probe_info.target_of(text)
            results.append(answered(text, target.address))
        return {"results": self.spoil(results), "failures": {"too few descriptors": 2, "x": "y"}}


def run(vantage, *texts):
    found, done = [], []
    failures = ask_through(vantage)(expand([parse(text) for text in texts]), Settings(), found.append, done.append)
    return found, done, failures


# Options -------------------------------------------------------------------------------------------------------------


def test_the_modules_defaults_are_those_of_the_settings_and_of_the_engine():
    made = settings(DEFAULTS)
    assert dataclasses.replace(made, checks=()) == dataclasses.replace(Settings(), checks=())
    assert set(made.checks) == set(Settings().checks)
    assert of_task(asking._told(made)) == sockets.Options()
    assert of_task(DEFAULTS) == sockets.Options()


def test_module_and_controller_understand_options_alike():
    told = {**DEFAULTS, "timeout": 1.0, "connect_timeout": 0.5, "ports": [4450], "checks": ["dialects"], "window": 7}
    assert of_task(told) == of_task(asking._told(settings(told)))
    assert of_task(asking._told(settings(told))).connect_seconds == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ports", []),
        ("ports", [0]),
        ("ports", [65536]),
        ("ports", [-1]),
        ("ports", list(range(1, 34))),
        ("checks", []),
        ("checks", ["dialect"]),
        ("timeout", 0.0),
        ("timeout", -1.0),
        ("timeout", float("nan")),
        ("timeout", float("inf")),
        ("connect_timeout", 601.0),
        ("host_timeout", 0.0),
        ("window", 0),
        ("window", 9000),
        ("conversations", 0),
        ("per_network", -5),
    ],
)
def test_an_option_that_cannot_be_used_is_one_sentence(name, value):
    with pytest.raises(BadInput, match=rf"^The option {name} cannot be used: .*\.$"):
        settings({**DEFAULTS, name: value})


def test_what_is_named_twice_counts_once():
    assert settings({**DEFAULTS, "ports": [445, 139, 445]}).ports == (445, 139)


# The module's own targets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["10.0.0.7", "10.0.0.7:4450", "fd00::7", "[fd00::7]:4450", "fe80::7%eth0", "[fe80::7%eth0]:1"]
)
def test_the_module_reads_what_the_controller_writes(text):
    (target,) = expand([parse(text)])
    read = probe_info.target_of(asking._text(target))
    assert (read.address, read.ports) == (target.address, () if target.port is None else (target.port,))
    assert read.name == asking._text(target)


@pytest.mark.parametrize(
    "text", ["nas01", "10.0.0.0/24", "10.0.0.1-20", "", "10.0.0.1;id", "[10.0.0.1", "10.0.0.1:", "x:1"]
)
def test_the_module_takes_addresses_only(text):
    with pytest.raises(ValueError, match="The module takes addresses"):
        probe_info.target_of(text)


# Portions ------------------------------------------------------------------------------------------------------------


def test_portions_of_512_are_handed_over_one_by_one():
    vantage = Vantage()
    found, done, failures = run(vantage, "10.0.0.0/21", "10.0.0.1:4450")
    assert [len(call["targets"]) for call in vantage.calls] == [512, 512, 512, 511]
    assert done == [512, 1024, 1536, 2047]
    assert [document["target"] for document in found[:2]] == ["10.0.0.0/21", "10.0.0.0/21"]
    assert (found[0]["address"], found[-1]["target"]) == ("10.0.0.1", "10.0.0.1:4450")
    assert failures == {"too few descriptors": 8}


def test_only_what_the_module_needs_travels():
    vantage = Vantage()
    run(vantage, "10.0.0.1")
    assert vantage.calls[0].keys() == {*Settings.__slots__, "targets"}
    assert vantage.calls[0].keys() <= probe_info.ARGUMENTS.keys()


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda results: None, "2 of 2 targets have no answer"),
        (lambda results: results[:1], "1 of 2 targets have no answer"),
        (lambda results: [*results, results[0]], "about a target that was not asked"),
        (lambda results: [*results, answered("10.9.9.9", "10.9.9.9")], "about a target that was not asked"),
        (lambda results: ["x"], "it is no object"),
        (lambda results: [{**results[0], "ports": []}], "ports is no object"),
        (lambda results: [{**results[0], "address": "10.9.9.9"}], "about another address"),
    ],
)
def test_a_vantage_host_that_answers_something_else_is_not_believed(spoil, seen):
    with pytest.raises(GarbledAnswer, match=seen):
        run(Vantage(spoil), "10.0.0.1-2")


def test_what_was_answered_before_the_vantage_host_failed_was_handed_over():
    def failing(arguments):
        if found:
            raise Unreachable("Cannot connect")
        return Vantage()(arguments)

    found, done = [], []
    with pytest.raises(Unreachable):
        ask_through(failing)(expand([parse("10.0.0.0/22")]), Settings(), found.append, done.append)
    assert (len(found), done) == (512, [512])


def test_the_engine_gets_what_was_chosen(monkeypatch):
    asked = {}

    def engine(targets, options, on_answer, progress):
        asked.update(targets=list(targets), options=options)
        on_answer({"target": "nas01"})
        progress(1, 2)
        return sockets.Summary(targets=1, failures={"no free port": 1})

    monkeypatch.setattr(sockets, "probe", engine)
    found, done = [], []
    targets = [Target("nas01", "10.0.0.1"), Target("nas02:4450", "fd00::2", 4450)]
    assert ask_here(targets, Settings(ports=(4450,)), found.append, done.append) == {"no free port": 1}
    assert asked["targets"] == [
        sockets.Target("nas01", "10.0.0.1", ()),
        sockets.Target("nas02:4450", "fd00::2", (4450,)),
    ]
    assert asked["options"].ports == (4450,)
    assert (found, done) == ([{"target": "nas01"}], [1])
