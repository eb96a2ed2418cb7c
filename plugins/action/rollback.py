# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``rollback``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.rollback import RollbackRequest, rollback


class ActionModule(BreakwaterAction):
    """Put back what a run changed on the host of the task."""

    ARGUMENTS = {
        "journal": {"type": "str", "required": True},
        "run": {"type": "str"},
        "results": {"type": "path", "default": "./results"},
        "profile": {"type": "str", "default": "recommended"},
        "exceptions": {"type": "path"},
        "implementation": {"type": "str"},
        "cluster": {"type": "str"},
    }
    _requires_connection = True

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Undo on one host; in check mode say what would be put back."""
        request = RollbackRequest(
            subject=self.subject(options, task_vars),
            journal=options["journal"],
            nodes=self.nodes(options, task_vars),
            check=bool(self._task.check_mode),
        )
        return self.shown(rollback(request, self.context(options), self.hands()))
