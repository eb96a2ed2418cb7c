# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``audit``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.audit import audit


class ActionModule(BreakwaterAction):
    """Collect once from the host of the task, judge, and record."""

    ARGUMENTS = {
        "run": {"type": "str"},
        "results": {"type": "path", "default": "./results"},
        "profile": {"type": "str", "default": "recommended"},
        "exceptions": {"type": "path"},
        "implementation": {"type": "str"},
        "vantage": {"type": "list", "elements": "str"},
    }
    _requires_connection = True

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Audit one host; a host that cannot be read is recorded as such when a run is open."""
        return audit(self.subject(options, task_vars), self.context(options), self.executor())
