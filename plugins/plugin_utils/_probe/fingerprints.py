# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which implementation answered: rows of a table, each with its source, matched against the answers of a target.

A row that holds is one mark. Marks that name one implementation make it known; marks that name two make it unknown, with
both told; without a mark it is unknown. A name that the user gives fills that gap, and never overrules a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .marks import Mark, Port, guid_bytes, guid_name, seen, sizes

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Example:
    """Answers of one port, and what must be made of them (``matches`` false: the row must not hold)."""

    port: dict[str, Any]
    version: str = ""
    product: str = ""
    matches: bool = True


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One row.

    Attributes:
        id: for evidence and tests.
        implementation: what the mark says: "samba", "windows", "ksmbd", …
        mark: what must be there.
        source: where that is known from.
        product: in words; may hold ``{group}`` of the mark's patterns.
        version: the same for the version.
        examples: what tests run; they are not compiled.
    """

    id: str
    implementation: str
    mark: Mark
    source: str
    product: str = ""
    version: str = ""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A row that holds for a port; ``evidence`` says what was seen where, and by which row."""

    implementation: str
    version: str
    product: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a target is.

    Attributes:
        name: the implementation, or "unknown".
        version: "" where no mark tells, or they tell different ones.
        product: as the last row of the table tells that holds; the more special ones stand later.
        evidence: every mark that was found; of an unknown one what was seen of it.
        candidates: the implementations that marks name, where they contradict each other.
        named: the user said so, the wire did not.
    """

    name: str
    version: str = ""
    product: str = ""
    evidence: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    named: bool = False


def identify(answers: Mapping[str, Any], rows: Sequence[Fingerprint], named: str = "") -> Identity:
    """Return which implementation a target's answers show.

    Args:
        answers: one document of the probe's result format.
        rows: the table.
        named: what the user says (``breakwater_implementation``); counts only where the wire does not tell.
    """
    ports: Mapping[str, Port] = answers.get("ports") or {}
    found = [match for name, port in ports.items() for match in matches(port, rows, name)]
    names = tuple(dict.fromkeys(match.implementation for match in found))
    evidence = tuple(dict.fromkeys(match.evidence for match in found)) or tuple(_traits(ports))
    if len(names) == 1:
        products = [match.product for match in found if match.product]
        version = _agreed(match.version for match in found)
        return Identity(names[0], version, products[-1] if products else "", evidence)
    if named:
        return Identity(named, "", "", (*evidence, "named by breakwater_implementation"), names, True)
    return Identity(UNKNOWN, "", "", evidence, names)


def matches(port: Port, rows: Iterable[Fingerprint], where: str = "") -> Iterator[Match]:
    """Yield the rows that hold for one port's answers; ``where`` is the port's name, for the evidence."""
    for row in rows:
        found = seen(row.mark, port)
        if found is not None:
            told = f"{'; '.join(found.words)} ({' '.join(filter(None, (where, row.id)))})"
            yield Match(
                row.implementation, _filled(row.version, found.groups), _filled(row.product, found.groups), told
            )


def _filled(text: str, groups: Mapping[str, str]) -> str:
    """Put what patterns caught into a text; a host's own braces are text."""
    for name, value in groups.items():
        before, here, after = text.partition(f"{{{name}}}")
        if here:
            return f"{_filled(before, groups)}{value}{_filled(after, groups)}"
    return text


def _agreed(texts: Iterable[str]) -> str:
    """Return the one text that all those say who say anything; a longer one that begins like the others counts for all."""
    said = sorted({text for text in texts if text}, key=len)
    return said[-1] if said and all(said[-1].startswith(text) for text in said) else ""


def _traits(ports: Mapping[str, Port]) -> Iterator[str]:
    """Yield what was seen of a server that no row knows, so that a reader can judge."""
    for name, port in ports.items():
        ntlm, smb1 = port.get("ntlm") or {}, port.get("smb1") or {}
        told = {
            "NTLM version": ntlm.get("version"),
            "SMB1 native_os": smb1.get("native_os"),
            "SMB1 native_lm": smb1.get("native_lm"),
            "GUID": guid_name(port) or guid_bytes(port).hex(),
            "sizes": sizes(port),
        }
        words = "; ".join(f"{what} {value}" for what, value in told.items() if value)
        if words:
            yield f"no sourced mark: {words} ({name})"


def load(rows: Iterable[Mapping[str, Any]]) -> tuple[Fingerprint, ...]:
    """Return the compiled rows; they were checked when they were compiled."""
    return tuple(Fingerprint(**{**row, "mark": _mark(row["mark"])}) for row in rows)


def _mark(fields: Mapping[str, Any]) -> Mark:
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return Mark(**told)
