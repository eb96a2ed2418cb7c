# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own editing of smb.conf against the real testparm, on generated configurations.

What the editor plans is done (files are written, ``net conf setparm`` is called); then testparm must say every value
that was wanted, and of all others what it said before. BREAKWATER_SEEDS sets how many trees (30 by default).
"""

from __future__ import annotations

import datetime
import hashlib
import pathlib
import random
import subprocess
from typing import Any

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import grammar, testparm, values
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.merge import NOT_COMPARED, same
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import Table
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Edited, Step, Target

from .test_smbconf_differential import SEEDS, Generator, collect, hidden, known, registry, run_testparm

__all__ = ["hidden"]  # a fixture

SETTINGS = catalogue.settings("samba")
TABLE = Table(SETTINGS.values(), "4.17")


def plan(collected: Collected, targets: list[Target]) -> Edited:
    facts = read(collected, SETTINGS, FactSet(), datetime.date(2026, 11, 23)).facts
    return edit(targets, collected, facts, SETTINGS)


def do(step: Step, folder: pathlib.Path) -> None:
    """What the interpreter on a host does with a step."""
    if step.kind == "file":
        path = pathlib.Path(step.target)
        assert step.content is not None
        assert hashlib.sha256(path.read_bytes()).hexdigest() == step.before.value, "not the bytes that stand there"
        path.write_bytes(step.content.encode("utf-8", "surrogateescape"))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == step.after.value
        return
    assert step.kind == "netconf"
    net = ["net", f"--configfile={folder / 'base.conf'}", "conf"]
    stands = subprocess.run([*net, "getparm", step.target, step.name], capture_output=True, text=True, check=False)
    assert (step.before.type == "absent") is (stands.returncode != 0), (step, stands.stderr)
    assert step.before.value in (None, stands.stdout.removesuffix("\n"))
    subprocess.run([*net, "setparm", "--", step.target, step.name, step.after.value], check=True)


def seen(conf: pathlib.Path) -> testparm.TestparmView:
    truth = run_testparm(conf)
    assert "Loaded services file OK" in truth.stderr, truth.stderr
    return testparm.parse(truth.stdout, truth.stderr, TABLE)


def value(view: testparm.TestparmView, setting: Setting, share: str) -> Any:
    general = view.globals.get(setting.id)
    return view.shares[share.lower()][1].get(setting.id, general) if share else general


def wanted(generator: Generator, view: testparm.TestparmView, chance: random.Random) -> list[Target]:
    """Values that testparm would accept, for things that are written as well as for others."""
    found: dict[tuple[str, str], Target] = {}
    written = [fact for _share, fact in generator.origins if fact != "samba.path"]
    for _turn in range(chance.randrange(1, 9)):
        setting = SETTINGS[chance.choice(written)] if written and chance.random() < 0.6 else None
        setting = setting or chance.choice(generator.settings)
        share = chance.choice(["", *(name for name, _values in view.shares.values())])
        share = share if setting.context == "share" else ""
        (item,) = grammar.items(f"x = {generator.value(setting, False)}\n")
        found[setting.id, share] = Target("control", setting.id, values.parse(setting, item.value), share)
    return list(found.values())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_testparm_says_what_was_wanted_and_else_what_it_said(
    seed: int, tmp_path: pathlib.Path, hidden: pathlib.Path
) -> None:
    chance = random.Random(seed + 1000)
    generator = Generator(seed, tmp_path, TABLE, known(tmp_path, TABLE))
    conf = tmp_path / "smb.conf"
    base = registry(tmp_path) if generator.with_registry else ""
    generator.file(tmp_path / "body.conf", 1, 40)
    ends(tmp_path, chance)
    conf.write_text(f"[global]\n{base}include = {tmp_path / 'body.conf'}\n", encoding="utf-8")
    before = seen(conf)
    targets = wanted(generator, before, chance)
    done = plan(collect(conf, hidden, tmp_path), targets)
    for step in done.steps:
        do(step, tmp_path)
    after = seen(conf)
    compare(before, after, targets, done)
    again = plan(collect(conf, hidden, tmp_path), targets)
    assert again.steps == () and again.changes == ()


def ends(folder: pathlib.Path, chance: random.Random) -> None:
    """Give some of the files other ends of lines, none at the end, and bytes that are not UTF-8."""
    for path in sorted(folder.glob("inc*.conf")):
        raw = path.read_bytes()
        raw = raw.replace(b"\n", b"\r\n") if chance.random() < 0.3 else raw
        if not raw.rstrip().endswith(b"\\"):  # else what follows would be a part of the last line
            raw = raw + b"# caf\xe9 \xff\n" if chance.random() < 0.3 else raw
            raw = raw.removesuffix(b"\n") if chance.random() < 0.3 else raw
        path.write_bytes(raw)


def compare(before: testparm.TestparmView, after: testparm.TestparmView, targets: list[Target], done: Edited) -> None:
    refused = {(blocked.fact, blocked.object) for blocked in done.refused}
    asked = {(t.fact, t.object.lower()): t.value for t in targets if (t.fact, t.object) not in refused}
    assert set(after.shares) == set(before.shares)
    wrong = []
    for share in ("", *before.shares):
        for setting in TABLE.settings if not share else TABLE.shared:
            old, new = value(before, setting, share), value(after, setting, share)
            if setting.id in NOT_COMPARED or setting.name == "max open files":
                continue
            if (setting.id, share) in asked:
                stronger = setting.scale and _stronger(setting, new, asked[setting.id, share])
                if not same(setting, new, asked[setting.id, share]) and not stronger:
                    wrong.append((share, setting.id, "wanted", asked[setting.id, share], new))
            elif new != old and not followed(setting, share, new, asked):
                wrong.append((share, setting.id, "was", old, new))
    assert not wrong, (wrong[:10], done)


def followed(setting: Setting, share: str, new: Any, asked: dict[tuple[str, str], Any]) -> bool:
    """A share follows [global], and the default in [global] is what all its shares were asked to be."""
    wanted = [one for (fact, where), one in asked.items() if fact == setting.id and (not share or not where)]
    return setting.context == "share" and any(same(setting, new, one) for one in wanted)


def _stronger(setting: Setting, given: Any, wanted: Any) -> bool:
    return (
        given in setting.scale and wanted in setting.scale and setting.scale.index(given) > setting.scale.index(wanted)
    )


@pytest.mark.parametrize("seed", range(3))
def test_most_of_what_is_asked_for_is_done(seed: int, tmp_path: pathlib.Path, hidden: pathlib.Path) -> None:
    """Else the test above would prove little: an editor that refuses everything is never wrong."""
    generator = Generator(seed + 1, tmp_path, TABLE, known(tmp_path, TABLE))
    conf = tmp_path / "smb.conf"
    generator.file(conf, 1, 60)
    targets = [t for number in range(10) for t in wanted(generator, seen(conf), random.Random(number))]
    targets = list({(t.fact, t.object): t for t in targets}.values())
    done = plan(collect(conf, hidden, tmp_path), targets)
    assert done.steps and len(done.refused) <= len(targets) / 10, done.refused
