# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``remediate``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.endpoint import line
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.remediate import RemediateRequest, remediate
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import STAGES


class ActionModule(BreakwaterAction):
    """Collect, plan, apply and verify on the host of the task."""

    ARGUMENTS = {
        "run": {"type": "str"},
        "results": {"type": "path", "default": "./results"},
        "profile": {"type": "str", "default": "recommended"},
        "exceptions": {"type": "path"},
        "implementation": {"type": "str"},
        "areas": {"type": "list", "elements": "str"},
        "controls": {"type": "list", "elements": "str"},
        "exclude": {"type": "list", "elements": "str"},
        "stages": {"type": "list", "elements": "str", "choices": list(STAGES)},
        "observe_days": {"type": "int", "default": 0},
        "restart": {"type": "bool", "default": False},
        "reboot": {"type": "bool", "default": False},
        "window": {"type": "str"},
        "cluster": {"type": "str"},
        "roles": {"type": "list", "elements": "str"},
    }
    _requires_connection = True

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Change one host; in check mode say what would be changed."""
        context = self.context(options)
        request = RemediateRequest(
            subject=self.subject(options, task_vars),
            wanted=options,
            line=line(self.transport(), self._connection.get_option, task_vars),
            nodes=self.nodes(options, task_vars),
            check=bool(self._task.check_mode),
        )
        return self.shown(remediate(request, context, self.hands()))
