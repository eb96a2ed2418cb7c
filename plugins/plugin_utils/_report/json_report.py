# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole run as one JSON document (``breakwater/report/1``), streamed host by host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .._model.codec import encode
from .report import Chunks, Report

SCHEMA = "breakwater/report/1"


def render(report: Report) -> Iterator[tuple[str, Chunks]]:
    """Yield ``report.json``."""
    yield "report.json", _chunks(report)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _chunks(report: Report) -> Iterator[str]:
    run, fleet = (
        {"schema": report.run.schema, **encode(report.run)},
        {"schema": report.fleet.schema, **encode(report.fleet)},
    )
    yield f'{{"schema":{_text(SCHEMA)},"run":{_text(run)},"fleet":{_text(fleet)},"hosts":['
    for index, ranked in enumerate(report.ranking):
        record = report.read(ranked.host)
        document = {"schema": record.schema, **encode(record)}
        yield ("," if index else "") + "\n" + _text(document)
    yield "\n]}\n"
