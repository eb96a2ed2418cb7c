# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``doctor``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.doctor import (
    ControllerRequest,
    examine_controller,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.doctor_host import HostRequest, examine_host
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.endpoint import endpoint


class ActionModule(BreakwaterAction):
    """Examine the control node or the host of the task."""

    ARGUMENTS = {
        "subject": {"type": "str", "choices": ["controller", "host"], "required": True},
        "results": {"type": "path", "default": "./results"},
        "history": {"type": "str"},
        "profile": {"type": "str", "default": "recommended"},
        "exceptions": {"type": "path"},
    }

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Dispatch on the subject."""
        context = self.context(options)
        if options["subject"] == "host":
            return examine_host(self._host(task_vars), context, self.executor())
        hostvars = task_vars.get("hostvars", {})
        variables = {
            str(host): tuple(str(name) for name in hostvars[host] if str(name).startswith("breakwater_"))
            for host in hostvars
        }
        variables["extra or play variables"] = tuple(
            str(name) for name in task_vars if str(name).startswith("breakwater_")
        )
        request = ControllerRequest(options["history"], options["profile"], options["exceptions"], variables)
        return examine_controller(request, context)

    def _host(self, task_vars: dict[str, Any]) -> HostRequest:
        name = str(task_vars["inventory_hostname"])
        connection = self.transport()
        place = endpoint(connection, self._connection.get_option, task_vars)
        return HostRequest(
            host=name,
            address=str(task_vars.get("ansible_host") or name),
            connection=connection,
            port=place.port,
            family=self.family(),
            tls=place.tls,
            authority=place.authority,
            validated=place.validated,
        )
