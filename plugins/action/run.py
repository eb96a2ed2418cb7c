# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of the module ``run``."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.opening import OpenRequest, open_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.run import CloseRequest, approve_run, close_run
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.targeting import check_vantages
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput


class ActionModule(BreakwaterAction):
    """Open, close or approve a run, on the controller."""

    ARGUMENTS = {
        "state": {"type": "str", "choices": ["open", "closed", "approved"], "required": True},
        "kind": {"type": "str", "choices": ["audit", "remediate", "rollback", "probe"], "default": "audit"},
        "run": {"type": "str"},
        "journal": {"type": "str"},
        "results": {"type": "path", "default": "./results"},
        "history": {"type": "str"},
        "profile": {"type": "str", "default": "recommended"},
        "exceptions": {"type": "path"},
        "fail_on": {
            "type": "str",
            "choices": ["critical", "high", "medium", "low", "info", "none"],
            "default": "high",
        },
        "max_unreachable": {"type": "int", "default": 0},
        "vantage": {"type": "list", "elements": "str"},
    }

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Dispatch on the wanted state."""
        context = self.context(options)
        if options["state"] == "open":
            vantages = self.hosts_of(options["vantage"] or [], task_vars)
            check_vantages(options["vantage"], vantages)
            opened = open_run(
                OpenRequest(
                    hosts=tuple(map(str, task_vars["ansible_play_hosts_all"])),
                    limit=_limit(task_vars),
                    profile=options["profile"],
                    exceptions=options["exceptions"],
                    variables=tuple(name for name in map(str, task_vars) if name.startswith("breakwater_")),
                    kind=options["kind"],
                    check=bool(self._task.check_mode),
                    journal=options["journal"] or "",
                ),
                context,
            )
            return {**opened, "vantages": vantages}
        if not options["run"]:
            raise BadInput(f"Cannot make a run {options['state']}", seen="no run is named", remedy="set the option run")
        if options["state"] == "approved":
            return approve_run(options["run"], options["history"], context)
        request = CloseRequest(options["run"], options["history"], options["fail_on"], options["max_unreachable"])
        return close_run(request, context)


def _limit(task_vars: dict[str, Any]) -> str:
    """Return what keeps a part of the inventory out of the run; "" when nothing does."""
    pattern = str(task_vars.get("breakwater_hosts") or "all")
    parts = ["" if pattern == "all" else pattern, str(task_vars.get("ansible_limit") or "")]
    return " and ".join(part for part in parts if part)
