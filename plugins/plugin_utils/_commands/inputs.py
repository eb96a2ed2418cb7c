# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is judged with: its profile and its exceptions, frozen when the run is opened (``inputs.json``)."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from .._assess import exceptions, profiles
from .._assess.check import check_profile
from .._assess.profiles import Selection
from .._model.codec import decode
from .._model.collected import Implementation
from .._model.control import Profile
from .._model.errors import BadInput, StoreError
from .._model.exception import ExceptionRecord
from .._model.fact import FactSet
from .._store import rundir
from . import catalogue


@dataclass(frozen=True, slots=True)
class Inputs:
    """The profile (one, or the files of a family) and all exceptions."""

    profile: str
    profiles: tuple[Profile, ...]
    exceptions: tuple[ExceptionRecord, ...] = ()

    def selections_for(self, facts: FactSet, implementations: Sequence[Implementation] = ()) -> list[Selection]:
        """Return what is asked of a host.

        Raises:
            BadInput: no file of the family fits the host.
        """
        fitting = profiles.fitting(list(self.profiles), facts, implementations)
        if not fitting:
            raise BadInput(
                "No profile fits the host",
                where=f"breakwater_profile {self.profile}",
                seen="its operating system (with its edition and its role in a domain) is in none of the files",
                remedy="use a built-in profile for this host",
            )
        return profiles.select(fitting, catalogue.controls())

    def exceptions_for(self, host: str, groups: tuple[str, ...]) -> list[ExceptionRecord]:
        """Return the exceptions whose scope holds a host."""
        return exceptions.covering(self.exceptions, host, groups)


def load_inputs(profile: str, exceptions_file: str | None) -> Inputs:
    """Read the profile and the exceptions that the user named.

    Raises:
        BadInput: one of them cannot be used.
    """
    controls = catalogue.controls()
    chosen = profiles.load(profile, catalogue.profiles(), controls)
    for item in chosen:
        for complaint in check_profile(item, controls, catalogue.every_setting()):
            raise BadInput(
                "The profile cannot be used",
                where=profiles.where(profile, complaint.place),
                seen=str(complaint),
                remedy="mend that line",
            )
    records = exceptions.load_exceptions(exceptions_file, controls) if exceptions_file else []
    return Inputs(profile, tuple(chosen), tuple(records))


def freeze_inputs(run: pathlib.Path, inputs: Inputs) -> None:
    """Write ``inputs.json`` of a run."""
    rundir.write_document(run / "inputs.json", inputs)


def read_inputs(run: pathlib.Path) -> Inputs:
    """Read ``inputs.json`` of a run.

    Raises:
        StoreError: it is not there or damaged.
    """
    path = run / "inputs.json"
    try:
        return decode(Inputs, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StoreError(
            "Cannot read what the run is judged with", where=str(path), seen=str(error), remedy="open a new run"
        ) from error
