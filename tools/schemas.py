# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/schemas/*.json: JSON Schemas of the published documents, from the dataclasses of ``_model``.

python tools/schemas.py [--check]
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import sys
import types
import typing
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.exception import ExceptionRecord
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.run import Fleet, HostRecord, Run

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "schemas"
KINDS: dict[str, type] = {
    "run": Run,
    "host": HostRecord,
    "fleet": Fleet,
    "control": Control,
    "profile": Profile,
    "exception": ExceptionRecord,
}
_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type annotation."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind is datetime.date:
        return {"type": "string", "format": "date"}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [schema_of(item) if item is not type(None) else {"type": "null"} for item in arguments]}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if kind is FactSet:
        return schema_of(dict[str, dict[str, Fact]])
    return _object(kind)


def _object(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    properties = {field.name: schema_of(hints[field.name]) for field in fields}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def texts() -> dict[str, str]:
    """Return file name → schema text. ``report`` is the document of the JSON report, made of the others."""
    documents: dict[str, dict[str, Any]] = {
        name: {"title": f"breakwater {name}", **schema_of(kind)} for name, kind in KINDS.items()
    }
    parts = {"schema": {"const": "breakwater/report/1"}, "run": schema_of(Run), "fleet": schema_of(Fleet)}
    parts["hosts"] = {"type": "array", "items": schema_of(HostRecord)}
    documents["report"] = {"title": "breakwater report", "type": "object", "properties": parts, "required": list(parts)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {f"{name}.json": json.dumps({**head, **document}, indent=1) + "\n" for name, document in documents.items()}


def main() -> int:
    """Write the schemas, or check that none is stale."""
    stale = [
        name
        for name, text in texts().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/schemas/{name} is stale: run tools/schemas.py", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
