# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From chosen lines to new texts, and from these to steps and changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..._model.control import Stage
from ..._model.exact import digest
from ..._model.fact import Origin
from ..._model.setting import RestartClass
from ..._model.step import ABSENT, Change, Native, Step
from ..._model.text import visible
from .conf import REGISTRY as REGISTRY_KEY
from .edit_choice import Edit
from .edit_document import Document
from .edit_layout import REGISTRY, Layout, Spot
from .grammar import Item, items
from .settings import key

HIDDEN = "(not shown)"
_STRENGTH: tuple[RestartClass, ...] = ("none", "reload", "restart", "reboot")


def texts(edits: Iterable[Edit], layout: Layout, original: Callable[[str], str]) -> dict[str, str]:
    """Return the new text of every file that edits change (REGISTRY: the listing), by path."""
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.path, []).append(edit)
    return {
        path: _listing(layout.sources.registry or "", some)
        if path == REGISTRY
        else _file(Document(original(path)), some, layout)
        for path, some in by_path.items()
    }


def _file(document: Document, edits: list[Edit], layout: Layout) -> str:
    indented = _indented(document, layout, edits[0].path)
    headed: list[str] = []
    for edit in edits:
        if edit.old is not None:
            document.replace(edit.old.item, edit.text)
        elif edit.spot is not None:
            line = f"{_indentation(edit.spot, document, layout, indented)}{edit.name} = {edit.text}".rstrip(" ")
            if edit.spot.header:
                headed.append(line)
            elif edit.spot.place is None:
                document.add(_top(document, layout), [line])
            else:
                document.add(edit.spot.place.item.end, [line])
    if headed:
        top = _top(document, layout)
        document.add(top, ["[global]", *headed, *([""] if top < len(document.lines) - 1 else [])])
    return document.text()


def _top(document: Document, layout: Layout) -> int:
    """Return the line after which something stands above all sections and parameters of the main file."""
    first = _first(layout)
    if first is not None:
        return document.above(first)
    return len(document.lines) - 1 if not document.lines[-1] else len(document.lines)


def _first(layout: Layout) -> Item | None:
    found = (place.item for place in layout.places if place.path == layout.sources.main)
    return min(found, key=lambda item: item.line, default=None)


def _indented(document: Document, layout: Layout, path: str) -> str:
    """Return how the parameters of a file are indented: as the first one that is."""
    for place in layout.places:
        if place.path == path and place.item.kind == "parameter" and document.indentation(place.item):
            return document.indentation(place.item)
    return "\t"


def _indentation(spot: Spot, document: Document, layout: Layout, usual: str) -> str:
    """Return the indentation of the parameter before a spot, else of the one after it, else of the file."""
    if spot.place is None:
        first = None if spot.header else _first(layout)
        return usual if first is None else document.indentation(first)
    if spot.place.item.kind == "parameter":
        return document.indentation(spot.place.item)
    following = layout.places[spot.turn + 1 : spot.turn + 2]
    if following and following[0].path == spot.path and following[0].item.kind == "parameter":
        return document.indentation(following[0].item)
    return usual


def _listing(listing: str, edits: list[Edit]) -> str:
    """Return the registry's listing as it will be."""
    document = Document(listing)
    sections = _sections(listing)
    new: dict[str, list[str]] = {}
    for edit in edits:
        header = sections.get(key(edit.section))
        if edit.old is not None:
            document.replace(edit.old.item, edit.text)
        elif header is not None:
            document.add(header.end, [f"\t{edit.name} = {edit.text}"])
        else:
            new.setdefault(edit.section, [f"[{edit.section}]"]).append(f"\t{edit.name} = {edit.text}")
    for lines in new.values():
        document.add(len(document.lines), lines)
    return document.text()


def _sections(listing: str) -> dict[str, Item]:
    return {key(item.name): item for item in items(listing) if item.kind == "section"}


def steps(
    edits: Sequence[Edit], changed: Mapping[str, str], layout: Layout, original: Callable[[str], str]
) -> tuple[list[Step], dict[int, int]]:
    """Return the steps, included files before the main one, and which step does which edit (by its index)."""
    main = layout.sources.main
    order = sorted((path for path in changed if path != REGISTRY), key=lambda path: path == main)
    found: list[Step] = []
    numbers: dict[int, int] = {}
    for path in order:
        mine = [number for number, edit in enumerate(edits) if edit.path == path]
        numbers.update(dict.fromkeys(mine, len(found) + 1))
        found.append(
            Step(
                id=len(found) + 1,
                kind="file",
                target=path,
                before=Native("sha256", digest(original(path))),
                after=Native("sha256", digest(changed[path])),
                content=changed[path],
                check="testparm",
                config=main,
                restart=max((edits[number].setting.restart for number in mine), key=_STRENGTH.index),
                stage=_stage(edits[number] for number in mine),
            )
        )
    listing = layout.sources.registry or ""
    headers = _sections(listing)
    for number, edit in enumerate(edits):
        if edit.path == REGISTRY:
            numbers[number] = len(found) + 1
            found.append(_netconf(edit, len(found) + 1, listing, headers, main))
    return found, numbers


def _stage(edits: Iterable[Edit]) -> Stage | None:
    return next((item.stage for edit in edits for wish in edit.wishes for item in wish.targets if item.stage), None)


def _netconf(edit: Edit, number: int, listing: str, headers: Mapping[str, Item], main: str) -> Step:
    before = ABSENT
    if edit.old is not None:
        line = listing.split("\n")[edit.old.item.line - 1]
        before = Native("text", line.partition(" = ")[2] or edit.old.item.value)
    header = headers.get(key(edit.section))
    return Step(
        id=number,
        kind="netconf",
        target=header.name if header is not None else edit.section,
        name=edit.old.item.name if edit.old is not None else edit.name,
        before=before,
        after=Native("text", edit.text),
        config=main,
        restart=edit.setting.restart,
        stage=_stage([edit]),
    )


def changes(edits: Sequence[Edit], numbers: Mapping[int, int], layout: Layout) -> list[Change]:
    """Return what people read of the edits: one change for each target."""
    found = []
    for number, edit in enumerate(edits):
        before = visible(edit.old.item.value) if edit.old is not None else None
        after = visible(edit.text)
        if edit.setting.secret:
            before, after = (None if before is None else HIDDEN), HIDDEN
        address = _address(edit)
        for wish in edit.wishes:
            value = layout.value(wish.scope, edit.setting.id)
            origin = value.origin if value is not None else Origin("default")
            found += [
                Change(
                    control=target.control,
                    address=address,
                    before=before,
                    after=after,
                    fact=target.fact,
                    object=target.object,
                    origin=origin,
                    step=numbers[number],
                    restart=edit.setting.restart,
                )
                for target in wish.targets
            ]
    return found


def _address(edit: Edit) -> str:
    if edit.path == REGISTRY:
        return f"{REGISTRY_KEY} [{edit.section}] {visible(edit.name)}"
    line = f":{edit.old.item.line}" if edit.old is not None else ""
    return f"{visible(edit.path)}{line} [{edit.section}] {visible(edit.name)}"
