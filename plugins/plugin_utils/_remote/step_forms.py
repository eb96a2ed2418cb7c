# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an order of either family must look like before it is sent: what does not look so is no step."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._model.step import Order, Step

Forms = Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]
"""Kind of step → forms of its target and its name."""

JOURNAL = r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}"
"""Form of a journal's id, which is the name of a directory on the host."""


def journal(order: Order) -> str:
    """Return the id of an order's journal.

    Raises:
        ValueError: that is no id of a journal.
    """
    if not re.fullmatch(JOURNAL, order.journal):
        raise ValueError(f"{order.journal!r} is no id of a journal")
    return order.journal


def check(step: Step, forms: Forms, family: str) -> None:
    """Check kind, target and name of a step.

    Raises:
        ValueError: the family, as a person calls it, has no such steps, or one of them does not look so.
    """
    if step.kind not in forms:
        raise ValueError(f"step {step.id}: {family} has no steps of kind {step.kind}")
    target, name = forms[step.kind]
    if not target.match(step.target) or not name.match(step.name):
        raise ValueError(f"step {step.id}: {step.target!r} {step.name!r} is no {step.kind}")
