# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts + controls + profile → findings. Pure; the only place where findings arise."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.collected import Implementation
from .._model.control import Control, Test
from .._model.exception import ExceptionRecord
from .._model.fact import Fact, FactSet
from .._model.finding import Finding, Verdict
from .._model.setting import Setting
from . import operators
from .conditions import candidates, doubt, mismatch
from .exceptions import applied
from .profiles import Selection

_PLACEHOLDER = re.compile(r"\{(?:value|object|setting)\}")
_ORDER: tuple[Verdict, ...] = ("fail", "unknown", "manual", "pass", "not_applicable")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one test says: a verdict, the fact that decided (None: it was not observed), and one sentence.

    ``at`` is the object that the fact was found at: a share's test may have looked at the host's value.
    """

    verdict: Verdict
    why: str
    fact_id: str
    at: str
    fact: Fact | None
    expected: str
    wanted: Any
    cause: str | None = None


def assess(
    facts: FactSet,
    implementations: Sequence[Implementation],
    controls: Mapping[str, Control],
    settings: Mapping[str, Setting],
    selections: Iterable[Selection],
    *,
    exceptions: Sequence[ExceptionRecord] = (),
    today: datetime.date,
) -> list[Finding]:
    """Return the findings of one host, in the order of the selections.

    Args:
        facts: everything that was observed.
        implementations: what is on the host; controls of absent implementations give no finding.
        controls: by id.
        settings: property tables, for scales and native names.
        selections: what the profile selects, with its values.
        exceptions: those that cover this host.
        today: for their expiry.
    """
    judge = _Judge(facts, implementations, settings)
    findings: list[Finding] = []
    for selection in selections:
        for finding in judge.control(controls[selection.control], selection):
            findings.append(applied(finding, exceptions, today))
    return findings


class _Judge:
    def __init__(
        self, facts: FactSet, implementations: Sequence[Implementation], settings: Mapping[str, Setting]
    ) -> None:
        self.facts = facts
        self.implementations = implementations
        self.settings = settings
        os_fact = facts.get("host.os")
        self.os = os_fact.configured if os_fact else None
        loaded = facts.get("samba.config_loaded")
        self.not_loaded = loaded is not None and loaded.effective is False

    def control(self, control: Control, selection: Selection) -> list[Finding]:
        """Judge one control: no finding, one, or one per object."""
        found: Implementation | None = None
        if control.when.implementation is not None:
            present = candidates(control.when, self.implementations)
            if not present:
                return []
            found = present[0]
        reason = mismatch(control.when, found, self.os)
        control, reason = self._asked(control, found) if reason is None else (control, reason)
        if reason is not None:
            return [self._finding(control, selection, "", "not_applicable", reason)]
        doubts = [doubt(when, found) for when in (control.when, *(test.when for test in control.tests)) if when]
        if any(doubts):
            why = "; ".join(dict.fromkeys(filter(None, doubts)))
            return [self._finding(control, selection, "", "unknown", why)]
        if not control.per:
            return [self._object(control, selection, "")]
        return self._objects(control, selection)

    def _asked(self, control: Control, found: Implementation | None) -> tuple[Control, str | None]:
        """Return the control with the tests that are asked of this host, or why none is."""
        reasons = [mismatch(test.when, found, self.os) if test.when else None for test in control.tests]
        tests = tuple(test for test, reason in zip(control.tests, reasons, strict=True) if reason is None)
        return (dataclasses.replace(control, tests=tests), None) if tests else (control, reasons[0])

    def _objects(self, control: Control, selection: Selection) -> list[Finding]:
        """Judge every object; all passing ones together give one finding."""
        objects = self.facts.objects(control.per)
        if not objects:
            return [self._finding(control, selection, "", "not_applicable", f"there is no {_noun(control.per)}")]
        findings: list[Finding] = []
        passing = 0
        for name, fact in objects.items():
            if fact.unreadable is not None:
                findings.append(self._finding(control, selection, name, "unknown", fact.unreadable))
                continue
            finding = self._object(control, selection, name)
            if finding.verdict == "pass":
                passing += 1
            elif finding.verdict != "not_applicable":
                findings.append(finding)
        if findings:
            return findings
        if passing:
            why = f"all {passing} hold ({_noun(control.per)})"
            return [self._finding(control, selection, "", "pass", why, self._expected(control, selection))]
        return [
            self._finding(control, selection, "", "not_applicable", f"no {_noun(control.per)} that this applies to")
        ]

    def _object(self, control: Control, selection: Selection, obj: str) -> Finding:
        outcomes = [self._test(test, selection, obj) for test in control.tests]
        applicable = [outcome for outcome in outcomes if outcome.verdict != "not_applicable"]
        decisive = min(applicable or outcomes, key=lambda outcome: _ORDER.index(outcome.verdict))
        verdict = decisive.verdict
        if verdict == "pass" and all(outcome.fact is None for outcome in applicable):
            verdict = self._nothing_seen(control)
        if control.manual and verdict == "fail":
            verdict = "manual"
        expected = "; ".join(dict.fromkeys(self._expects(outcome) for outcome in outcomes if outcome.expected))
        fact = decisive.fact or Fact()
        why = "; ".join(
            dict.fromkeys(outcome.why for outcome in applicable or outcomes if outcome.verdict == decisive.verdict)
        )
        cause = fact.cause
        if self.not_loaded and verdict != "not_applicable" and any(self._written(outcome) for outcome in outcomes):
            cause = cause or "smbd was started with options that override its configuration file"
            if verdict == "pass":  # what is written holds, but nobody knows what is in force
                verdict, why = "unknown", f"{why}, but the running smbd may not use it"
        return dataclasses.replace(
            self._finding(control, selection, obj, verdict, why, expected),
            configured=fact.configured,
            effective=fact.effective,
            wire=fact.wire,
            origin=fact.origin,
            cause=cause or decisive.cause,
            remedy=self._remedy(control, decisive, obj) if verdict in ("fail", "unknown", "manual") else "",
            evidence=tuple(
                dict.fromkeys(
                    f"{outcome.fact_id}[{outcome.at}]" if outcome.at else outcome.fact_id for outcome in outcomes
                )
            ),
        )

    def _nothing_seen(self, control: Control) -> Verdict:
        """A control that passes by absence alone: what was declared to be fine is not applicable, the rest unknown."""
        declared = all(test.operator != "not_observed" for test in control.tests)
        return "not_applicable" if declared else "unknown"

    def _written(self, outcome: _Outcome) -> bool:
        """Whether a verdict rests on what is written in smb.conf alone."""
        fact = outcome.fact
        return outcome.fact_id in self.settings and fact is not None and fact.effective is None and fact.wire is None

    def _test(self, test: Test, selection: Selection, obj: str) -> _Outcome:
        """Ask one question: of the object's own fact, else of the host's."""
        wanted = selection.wanted(test)
        expected = operators.phrase(test.operator, wanted)
        name = self._name(test.fact)
        found, each = looked_at(self.facts, test, obj)
        if each:
            return self._each(test, wanted, expected, found)
        at, fact = next(iter(found.items()), ("", None))
        return self._one(test, wanted, expected, fact, at, f"{name} of {test.object}" if test.object else name)

    def _each(self, test: Test, wanted: Any, expected: str, many: Mapping[str, Fact]) -> _Outcome:
        """A fact that exists only per object (a file, a package) must hold on each of them.

        Beside them the fact of object "" says that there may be others, which could not be read.
        """
        name = self._name(test.fact)
        outcomes = [
            self._one(test, wanted, expected, fact, obj, f"{name} of {obj or 'others'}") for obj, fact in many.items()
        ]
        worst = min(outcomes, key=lambda outcome: _ORDER.index(outcome.verdict))
        why = "; ".join(outcome.why for outcome in outcomes if outcome.verdict == worst.verdict)
        return dataclasses.replace(worst, why=why)

    def _one(self, test: Test, wanted: Any, expected: str, fact: Fact | None, at: str, name: str) -> _Outcome:
        """Ask one question to one fact, which ``name`` is the words for."""

        def outcome(verdict: Verdict, why: str, cause: str | None = None) -> _Outcome:
            return _Outcome(verdict, why, test.fact, at, fact, expected, wanted, cause)

        if fact is None and test.operator == "not_observed":
            return outcome("pass", f"{name} is absent")
        if fact is None:
            if test.absent != "unknown":
                return outcome(test.absent, f"{name} is absent")
            return outcome("unknown", f"{name} was not observed")
        if fact.unreadable is not None:
            return outcome("unknown", f"{name} could not be read: {fact.unreadable}")
        truths = fact.truths()
        if not truths:
            return outcome("unknown", f"{name} was not observed")
        if test.operator == "not_observed":
            return outcome("fail", f"{name} is there")
        scale = self.settings[test.fact].scale if test.fact in self.settings else ()
        results = {truth: operators.holds(test.operator, value, wanted, scale) for truth, value in truths.items()}
        seen = ", ".join(
            f"{operators.text(value)}{'' if truth == 'configured' else f' ({truth})'}"
            for truth, value in truths.items()
        )
        cause = self._difference(test.fact, fact) if len({repr(value) for value in truths.values()}) > 1 else None
        if False in results.values():
            return outcome("fail", f"{name} is {seen}", cause)
        if None in results.values():
            return outcome(
                "unknown", f"{name} is {seen}, which cannot be compared with {operators.text(wanted)}", cause
            )
        return outcome("pass", f"{name} is {seen}", cause)

    def _difference(self, fact_id: str, fact: Fact) -> str:
        """Say why the truths of a fact differ, as far as the property table tells."""
        setting = self.settings.get(fact_id)
        if setting is None or setting.restart == "none" or fact.effective is None or fact.configured == fact.effective:
            return "the truths differ"
        return f"pending {setting.restart}, or changed while the service was running"

    def _finding(
        self, control: Control, selection: Selection, obj: str, verdict: Verdict, why: str, expected: str = ""
    ) -> Finding:
        return Finding(
            control=control.id,
            title=control.title,
            severity=selection.severity or control.severity,
            area=control.area,
            verdict=verdict,
            object=obj,
            expected=expected,
            why=why,
            evidence=tuple(dict.fromkeys(test.fact for test in control.tests)),
            rules=selection.rules,
        )

    def _expected(self, control: Control, selection: Selection) -> str:
        parts = []
        for test in control.tests:
            wanted = selection.wanted(test)
            parts.append(f"{self._name(test.fact)}: {operators.phrase(test.operator, wanted)}")
        return "; ".join(dict.fromkeys(parts))

    def _expects(self, outcome: _Outcome) -> str:
        return f"{self._name(outcome.fact_id)}: {outcome.expected}"

    def _name(self, fact_id: str) -> str:
        """The native name of a setting; else the fact id in words."""
        setting = self.settings.get(fact_id)
        return f"'{setting.name}'" if setting is not None else fact_id.partition(".")[2].replace("_", " ")

    def _remedy(self, control: Control, decisive: _Outcome, obj: str) -> str:
        words = {
            "{value}": operators.text(decisive.wanted),
            "{object}": obj,
            "{setting}": self._name(decisive.fact_id).strip("'"),
        }
        return _PLACEHOLDER.sub(lambda match: words[match[0]], control.remedy)  # in one pass: a word is never filled


def looked_at(facts: FactSet, test: Test, obj: str) -> tuple[Mapping[str, Fact], bool]:
    """Return the facts that a test looks at, by object, and whether it must hold on each of them.

    That is the fact of the object (the test's own, else the control's), else the host's, else those of every object.
    """
    obj = test.object or obj
    many = facts.objects(test.fact)
    at = obj if obj in many else ""
    fact = many.get(at)
    if not obj and many and (fact is None or (fact.unreadable is not None and len(many) > 1)):
        return many, True
    return ({} if fact is None else {at: fact}), False


def _noun(fact_id: str) -> str:
    return fact_id.rpartition(".")[2].replace("_", " ")
