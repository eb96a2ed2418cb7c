# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One execution on the host through the connection plugin, and its answer in a file: all that an audit asks of Ansible."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs ``command`` with ``stdin``, ``times`` times, and writes {rc, stdout, stderr} below the folder that ``LAB_ANSWERS`` names."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run it; an error of the connection is the task's."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        stdin = self._task.args.get("stdin", "")
        for _time in range(self._task.args.get("times", 1)):
            answer = self._low_level_execute_command(  # type: ignore[no-untyped-call]
                self._task.args["command"], in_data=stdin.encode() or None, sudoable=False
            )
        name = (task_vars or {})["inventory_hostname"]
        kept = {key: answer[key] for key in ("rc", "stdout", "stderr")}
        pathlib.Path(os.environ["LAB_ANSWERS"], f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")
        return {**result, "changed": False}
