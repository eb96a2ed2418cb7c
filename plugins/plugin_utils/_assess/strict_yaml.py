# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that a person wrote for us: bounded, without surprises, and every complaint has its line."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import yaml

from .._model.errors import BadInput

MAX_BYTES = 4 * 2**20


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key that stands twice and aliases (which could blow up)."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be one word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:  # a date such as 2027-02-30
            raise yaml.MarkedYAMLError(
                problem=f"{node.value!r} is no value: {error}", problem_mark=node.start_mark
            ) from error


class Source:
    """A file's YAML document.

    Attributes:
        path: as the user wrote it.
        root: the document's node; None when the file is empty.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._loader = _Loader(text)
        self.root: Any = self._loader.get_single_node()

    def value(self, node: Any) -> Any:
        """Return the value of a node."""
        return self._loader.construct_document(node)

    def at(self, node: Any) -> str:
        """Return ``file:line`` of a node."""
        return f"{self.path}:{node.start_mark.line + 1}"

    def where(self, place: str) -> str:
        """Return ``file:line`` of a place such as ``rules[2].control``, or of what is nearest to it."""
        node = found = self.root
        for word, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
            if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
                node = found = node.value[int(index)]
                continue
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            key, node = next(((key, value) for key, value in pairs if key.value == word), (None, None))
            if key is None:
                break
            found = key
        return self.path if found is None else self.at(found)


def load(path: str, kind: str, variable: str) -> tuple[Source, Any]:
    """Return a file's nodes and its document (None when it is empty).

    Args:
        path: the file.
        kind: what it is, for messages: "exceptions file".
        variable: which variable names it, for messages.

    Raises:
        BadInput: it cannot be read, or is no such YAML; names file and line.
    """
    try:
        with pathlib.Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise BadInput(f"Cannot read the {kind}", where=path, seen=str(error), remedy=f"check {variable}") from error
    if len(data) > MAX_BYTES:
        raise BadInput(f"The {kind} is too large", where=path, seen=f"more than {MAX_BYTES} bytes", remedy="split it")
    try:
        source = Source(path, text)
        return source, None if source.root is None else source.value(source.root)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        seen = getattr(error, "problem", None) or ("it is nested too deeply" if mark is None else str(error))
        if isinstance(error, yaml.reader.ReaderError):
            line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
            where, seen = f"{path}:{line}", f"a character that YAML does not allow: {error.reason}"
        raise BadInput(f"The {kind} is malformed", where=where, seen=seen, remedy="mend that line") from error
