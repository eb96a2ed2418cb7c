# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *doctor* for the control node: what would not work, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .._assess.conditions import version_key
from .._model.errors import BreakwaterError
from .._store.history import open_history
from .context import Context
from .inputs import load_inputs
from .run import history_url
from .variables import unknown_variables

MINIMUM_CORE = "2.16"
MINIMUM_PYTHON = (3, 10)
OPTIONAL = {
    "paramiko": "connection breakwater.smb.paramiko",
    "winrm": "hosts reached by WinRM",
    "pypsrp": "hosts reached by PSRP",
}
_PACKAGES = {"winrm": "pywinrm"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that would not work ("error") or that an audit would not see ("warning"), and what mends it."""

    level: Literal["error", "warning"]
    what: str
    remedy: str


@dataclass(slots=True)
class Examination:
    """What was looked at, and what was wrong."""

    examined: list[str] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)

    def good(self, text: str) -> None:
        """Note something that is in order."""
        self.examined.append(text)

    def complain(self, level: Literal["error", "warning"], what: str, remedy: str) -> None:
        """Note something that is not."""
        self.complaints.append(Complaint(level, what, remedy))

    def attempt(self, good: str, work: Callable[[], Any]) -> None:
        """Do something that a later run needs; its error becomes a complaint."""
        try:
            work()
        except BreakwaterError as error:
            self.complain("error", str(error), error.remedy or "mend that")
        else:
            self.good(good)

    def result(self, who: str, context: Context) -> dict[str, Any]:
        """Show everything, and fail when an audit would."""
        for line in self.examined:
            context.show(f"ok       {who}: {line}")
        for complaint in self.complaints:
            context.show(f"{complaint.level:<8} {who}: {complaint.what}")
            context.show(f"         -> {complaint.remedy}")
        errors = [complaint for complaint in self.complaints if complaint.level == "error"]
        return {
            "changed": False,
            "failed": bool(errors),
            "msg": f"{len(errors)} of {len(self.complaints)} complaints would keep an audit from working"
            if errors
            else "ready",
            "examined": self.examined,
            "complaints": self.complaints,
        }


@dataclass(frozen=True, slots=True)
class ControllerRequest:
    """What a run would be given. ``variables`` maps each host to its names that begin with breakwater_."""

    history: str | None
    profile: str
    exceptions: str | None
    variables: dict[str, tuple[str, ...]]


def examine_controller(request: ControllerRequest, context: Context) -> dict[str, Any]:
    """Examine the control node, the inventory's variables and the files that a run would use."""
    found = Examination()
    _versions(found, context)
    for library, purpose in OPTIONAL.items():
        package = _PACKAGES.get(library, library)
        if importlib.util.find_spec(library) is None:
            found.complain(
                "warning",
                f"{package} is not installed; needed for {purpose}",
                f"{sys.executable} -m pip install {package}",
            )
        else:
            found.good(f"{package} {importlib.metadata.version(package)}")
    if shutil.which("ssh") is None:
        found.complain(
            "warning", "there is no ssh program", "apt-get install openssh-client, or use breakwater.smb.paramiko"
        )
    found.attempt(f"results in {context.results}", lambda: _writable(context.results))
    url = history_url(request.history, context)
    found.attempt("the history can be used", lambda: open_history(url).__exit__())
    found.attempt(f"profile {request.profile}", lambda: load_inputs(request.profile, None))
    if request.exceptions is not None:
        found.attempt(f"exceptions in {request.exceptions}", lambda: load_inputs("recommended", request.exceptions))
    _variables(found, request.variables)
    return found.result("controller", context)


def _versions(found: Examination, context: Context) -> None:
    if version_key(context.ansible_version) < version_key(MINIMUM_CORE):
        found.complain(
            "error",
            f"ansible-core {context.ansible_version} is older than {MINIMUM_CORE}",
            "pip install --upgrade ansible-core",
        )
    else:
        found.good(f"ansible-core {context.ansible_version}")
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < MINIMUM_PYTHON:
        found.complain(
            "error", f"Python {python} is too old for the controller", "run ansible-core under Python 3.10 or newer"
        )
    else:
        found.good(f"Python {python}")


def _writable(results: pathlib.Path) -> None:
    try:
        results.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=results):
            pass
    except OSError as error:
        raise BreakwaterError(
            "Cannot write the results",
            where=str(results),
            seen=error.strerror or str(error),
            remedy="set breakwater_results to a directory of yours",
        ) from error
    if results.stat().st_mode & 0o077:
        raise BreakwaterError(
            "Others can read the results",
            where=str(results),
            seen=f"mode {results.stat().st_mode & 0o777:04o}",
            remedy=f"chmod 0700 {results}",
        )


def _variables(found: Examination, variables: dict[str, tuple[str, ...]]) -> None:
    named: dict[tuple[str, str], list[str]] = {}
    for host, names in variables.items():
        for name, suggestion in unknown_variables(names):
            named.setdefault((name, suggestion), []).append(host)
    for (name, suggestion), hosts in sorted(named.items()):
        remedy = f"rename it to {suggestion}" if suggestion else "remove it; docs/variables.md has the list"
        found.complain(
            "error", f"{name} (of {', '.join(hosts[:3])}{', …' if len(hosts) > 3 else ''}) has no meaning", remedy
        )
    if not named:
        found.good("no misspelt breakwater_ variable")
