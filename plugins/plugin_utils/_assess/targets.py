# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings → targets: which value of which fact would make a failing control hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.collected import Implementation
from .._model.control import Control, Test
from .._model.fact import Fact, FactSet
from .._model.finding import Finding
from .._model.setting import Setting
from .._model.step import Target
from . import operators
from .assess import looked_at
from .conditions import candidates, mismatch
from .mend import NARROWER, Ground, Question, mended
from .profiles import Selection

Default = Callable[[Setting, Implementation], Any]
"""What is in force on a host when nothing is written; None when that is not known."""
_NEVER_SET = frozenset({"windows.smb1_pending_reboot"})
"""Facts that a reboot changes, and no value that could be written."""


def targets(
    findings: Iterable[Finding],
    controls: Mapping[str, Control],
    selections: Iterable[Selection],
    facts: FactSet,
    settings: Mapping[str, Setting],
    implementations: Sequence[Implementation],
    default: Default,
) -> tuple[list[Target], list[Finding]]:
    """Return what failing findings ask for, and those findings that no value here would mend.

    A finding that a waiver covers asks for nothing. The arguments are those of ``assess``, with what it returned, and
    what knows the defaults of settings.
    """
    inverter = _Inverter(facts, settings, implementations, default)
    chosen = {selection.control: selection for selection in selections}
    found: list[Target] = []
    beyond: list[Finding] = []
    for finding in findings:
        if finding.verdict != "fail" or finding.exception is not None:
            continue
        wanted = list(inverter.wanted(finding, controls[finding.control], chosen[finding.control]))
        found += wanted
        if not wanted:
            beyond.append(finding)
    return found, beyond


@dataclass(frozen=True, slots=True)
class _Place:
    """A fact that tests look at: its id, the object that is meant, and the object that today's value stands at."""

    fact: str
    object: str
    at: str


class _Inverter:
    def __init__(
        self,
        facts: FactSet,
        settings: Mapping[str, Setting],
        implementations: Sequence[Implementation],
        default: Default,
    ) -> None:
        self.default = default
        self.facts = facts
        self.settings = settings
        self.implementations = implementations
        system = facts.get("host.os")
        self.system = system.configured if system else None

    def wanted(self, finding: Finding, control: Control, selection: Selection) -> Iterator[Target]:
        """Yield one target per fact that fails and that a value would mend."""
        present = candidates(control.when, self.implementations) if control.when.implementation else []
        host = present[0] if present else None
        asked = [test for test in control.tests if test.when is None or mismatch(test.when, host, self.system) is None]
        asked.sort(key=lambda test: test.value is not None)  # what the profile decides first
        for place, questions in self._questions(asked, finding, selection).items():
            fact = self.facts.objects(place.fact)[place.at]
            setting = self.settings.get(place.fact)
            ground = Ground(
                default=None if setting is None or host is None else self._writable(setting, host),
                scale=setting.scale if setting else (),
                setting=setting is not None,
                replacing=NARROWER if setting is not None and setting.codec == "sids" else None,
            )
            if not _fails(questions, fact, ground.scale):
                continue
            today = next(iter(fact.truths().values()), None)
            value = mended(questions, today, ground)
            if value is not None:
                yield Target(
                    control=control.id,
                    fact=place.fact,
                    value=value,
                    object=place.object,
                    at=place.at,
                    severity=finding.severity,
                    area=control.area,
                    stage=control.stage,
                )

    def _writable(self, setting: Setting, host: Implementation) -> Any:
        """Return the default of a setting, where it is a value that can be written."""
        value = self.default(setting, host)
        return None if value in setting.implied else value

    def _questions(self, asked: Iterable[Test], finding: Finding, selection: Selection) -> dict[_Place, list[Question]]:
        """Return what is asked, by the fact that it is asked of: one value has to answer all of it."""
        found: dict[_Place, list[Question]] = {}
        for test in asked:
            if test.fact in _NEVER_SET:
                continue
            wanted = selection.wanted(test)
            facts, each = looked_at(self.facts, test, finding.object)
            for at in facts:
                meant = at if each or (at and at == test.object) else finding.object
                found.setdefault(_Place(test.fact, meant, at), []).append(Question(test.operator, wanted))
        return found


def _fails(questions: Iterable[Question], fact: Fact, scale: operators.Scale) -> bool:
    if fact.unreadable is not None:
        return False
    values: list[Any] = list(fact.truths().values())
    return any(
        operators.holds(item.operator, value, item.wanted, scale) is False for item in questions for value in values
    )
