# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``probe_info``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.breakwater.smb.plugins.modules.probe_info import ARGUMENTS as MODULE_ARGUMENTS
from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.asking import (
    Call,
    ask_here,
    ask_through,
    settings,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.probe import ProbeRequest, probe
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.targeting import check_here, known_hosts
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, HostError
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir


class ActionModule(BreakwaterAction):
    """Ask the wire: from the controller in this process, from a vantage host by modules."""

    ARGUMENTS = MODULE_ARGUMENTS
    _requires_connection = False

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Probe from the host of the task."""
        context = self.context(options)
        here = self.transport() == "local"
        known = known_hosts(options["hosts"], task_vars["hostvars"])
        request = ProbeRequest(
            targets=options["targets"] or list(known),
            settings=settings(options),
            vantage=str(self._task.delegate_to or task_vars["inventory_hostname"]),
            run=rundir.find(context.results, options["run"]) if options["run"] else None,
            scope=options["scope"],
            named={**known, **{str(target): str(name) for target, name in options["implementations"].items()}},
        )
        if here and self._task.delegate_to:
            check_here(request.vantage, task_vars["hostvars"])
        if not here and self.family() == "windows":
            raise BadInput(
                "The vantage host cannot probe",
                where=request.vantage,
                seen="it is a Windows host",
                remedy="choose one with Python 3.9 or newer, or delegate to localhost",
            )
        return probe(request, context, ask_here if here else ask_through(self._call(request.vantage, task_vars)))

    def _call(self, vantage: str, task_vars: dict[str, Any]) -> Call:
        def call(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            with self._translated():
                answer = self._execute_module(
                    module_name="breakwater.smb.probe_info", module_args=dict(arguments), task_vars=task_vars
                )
            if answer.get("failed"):
                raise HostError(
                    "The vantage host could not probe",
                    where=vantage,
                    seen=str(answer.get("module_stderr") or answer.get("msg") or "it did not say why").strip()[-300:],
                    remedy="it needs Python 3.9 or newer; see ansible_python_interpreter",
                )
            plain: Mapping[str, Any] = encode(answer)
            return plain

        return call
