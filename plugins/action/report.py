# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``report``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.report import ReportRequest, report


class ActionModule(BreakwaterAction):
    """Render the reports of a recorded run, on the controller."""

    ARGUMENTS = {
        "run": {"type": "str", "default": "latest"},
        "results": {"type": "path", "default": "./results"},
        "history": {"type": "str"},
        "formats": {"type": "list", "elements": "str"},
    }

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Render; ``task_vars`` are not needed."""
        del task_vars
        formats = tuple(options["formats"] or ())
        return report(ReportRequest(options["run"], options["history"], formats), self.context(options))
