# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit: a suite per host, a case per control and object, for CI servers.

fail → failure; unknown → error (it could not be judged); under an exception, not applicable or manual → skipped.
A run that changes hosts has one case more per host: a change that was not completed is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from .._model.finding import Finding
from .._model.run import HostRecord
from .._model.step import Blocked
from .._model.text import visible
from .report import Chunks, Ranked, Report

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> Iterator[tuple[str, Chunks]]:
    """Yield ``junit.xml``."""
    yield "junit.xml", _chunks(report)


def _clean(text: str) -> str:
    """Characters that XML 1.0 cannot carry become visible escapes."""
    return _ILLEGAL.sub(lambda match: f"\\x{ord(match[0]):02x}", visible(text))


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _chunks(report: Report) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="breakwater">\n'
    for ranked in report.ranking:
        yield from _suite(report.read(ranked.host), ranked)
    yield "</testsuites>\n"


def _suite(record: HostRecord, ranked: Ranked) -> Iterator[str]:
    findings = record.findings
    failures = sum(finding.verdict == "fail" and finding.exception is None for finding in findings)
    errors = sum(finding.verdict == "unknown" and finding.exception is None for finding in findings)
    skipped = sum(_skip(finding) is not None for finding in findings)
    unread = ranked.unread is not None
    done = record.remediation
    changed = done is not None and not done.check
    errors += unread + bool(done is not None and done.failed and changed)
    yield (
        f'<testsuite name={_attribute(record.host)} tests="{len(findings) + unread + changed}" failures="{failures}"'
        f' errors="{errors}" skipped="{skipped}" timestamp={_attribute(record.collected.rstrip("Z"))}>\n'
    )
    if ranked.unread is not None:
        yield f'<testcase classname={_attribute(record.host)} name="host can be read">'
        yield f"<error message={_attribute(ranked.unread)}/></testcase>\n"
    if done is not None and changed:
        failed = f"<error message={_attribute(done.failed)}/>" if done.failed else ""
        yield f'<testcase classname={_attribute(record.host)} name="host was changed as planned">{failed}</testcase>\n'
    held = {(item.control, item.object): item for item in done.blocked} if done is not None else {}
    for finding in findings:
        yield _case(record.host, finding, held.get((finding.control, finding.object)))
    yield "</testsuite>\n"


def _skip(finding: Finding) -> str | None:
    if finding.exception is not None:
        return f"{finding.exception.kind} until {finding.exception.expires or 'further notice'}: {finding.exception.reason}"
    if finding.verdict == "not_applicable":
        return f"not applicable: {finding.why}"
    return f"manual: {finding.why}" if finding.verdict == "manual" else None


def _case(host: str, finding: Finding, held: Blocked | None) -> str:
    name = f"{finding.control} [{finding.object}]" if finding.object else finding.control
    text = f"<testcase classname={_attribute(f'{host}.{finding.area}')} name={_attribute(name)}>"
    skip = _skip(finding)
    if skip is not None:
        text += f"<skipped message={_attribute(skip)}/>"
    elif finding.verdict in ("fail", "unknown"):
        tag = "failure" if finding.verdict == "fail" else "error"
        detail = f"{finding.title}\nexpected: {finding.expected}\nseen: {finding.why}\norigin: {finding.origin or '-'}\n{finding.remedy}"
        detail += f"\nheld back ({held.kind}): {held.why}" if held is not None else ""
        text += f"<{tag} type={_attribute(finding.severity)} message={_attribute(finding.why)}>{escape(_clean(detail))}</{tag}>"
    return text + "</testcase>\n"
