# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A quiet run: one progress line while hosts are audited or changed, then the summary."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: One progress line while hosts are audited or changed
version_added: 0.1.0
description:
  - Shows a single progress line for Breakwater's own tasks instead of one line per host; everything that fails, and
    all tasks of other collections, are shown as the default callback shows them.
  - Where the output is no terminal, a line is printed every ten seconds.
extends_documentation_fragment:
  - default_callback
requirements:
  - Set as C(stdout_callback) in the configuration.
author:
  - The Breakwater authors (@breakwater-smb)
"""

import sys
import time
from typing import Any

from ansible import context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.text import printable

OURS = "breakwater.smb."
PLAYBOOKS = "/ansible_collections/breakwater/smb/playbooks/"
PERIOD = 10.0
VERBS = {f"{OURS}audit": "audited", f"{OURS}remediate": "remediated", f"{OURS}rollback": "rolled back"}
"""Tasks whose hosts are counted, and what was done to a host then."""
PLANNED = ("remediated", "rolled back")
"""What in check mode is only planned."""


class CallbackModule(DefaultCallback):
    """The default callback, but silent where Breakwater's own tasks succeed."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "breakwater.smb.progress"

    def __init__(self) -> None:
        super().__init__()
        self._total = 0
        self._done = 0
        self._bad = 0
        self._told = 0
        self._began = time.monotonic()
        self._printed = 0.0
        self._counting = False
        self._verb = ""
        self._foreign = False
        self._held: Any = None
        self._live = sys.stdout.isatty()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A new play: how many hosts there are. Its banner waits for a task that is shown."""
        manager = play.get_variable_manager()
        self._total = len(manager._inventory.get_hosts(play.hosts)) if manager and manager._inventory else 0
        self._held = play

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Count the hosts of a task that looks at or changes them; other tasks of ours say nothing."""
        self._finish()
        self._verb = VERBS.get(str(task.action), "")
        if self._verb in PLANNED and context.CLIARGS.get("check"):
            self._verb = "planned"
        self._counting = bool(self._verb)
        if self._counting:
            self._done = self._bad = self._told = 0
            self._began = self._printed = time.monotonic()
        if not _is_ours(task):
            self._foreign = True
            if self._held is not None:
                super().v2_playbook_on_play_start(self._held)
                self._held = None
            super().v2_playbook_on_task_start(task, is_conditional)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Nothing per host of ours."""
        if not _is_ours(task):
            super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count our own, and show what they warn of; show the others."""
        if not _is_ours(_task_of(result)):
            super().v2_runner_on_ok(result)
            return
        data = _data_of(result)
        if data.get("warnings") or data.get("deprecations"):
            self._erase()
            self._handle_warnings(data)
        self._count(bool(data.get("failing") or data.get("unknown") or data.get("unread")))

    def v2_on_file_diff(self, result: Any) -> None:
        """What --diff shows; for our own with the host's name, which no other line tells."""
        self._erase()
        data = _data_of(result)
        if not _is_ours(_task_of(result)):
            super().v2_on_file_diff(result)
        elif data.get("diff") and data.get("changed"):
            self._display.display(f"{printable(str(_host_of(result)))}:")
            self._display.display(self._get_diff(data["diff"]))

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Nothing for our own."""
        if not _is_ours(_task_of(result)):
            super().v2_runner_on_skipped(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """One sentence for our own failures; the default display for others."""
        self._erase()
        task = _task_of(result)
        if not _is_ours(task):
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)
            return
        message = printable(" ".join(str(_data_of(result).get("msg", "failed")).split()))
        host = "" if task.run_once else f" {printable(str(_host_of(result)))}:"
        ignored = " (ignored)" if ignore_errors else ""
        self._display.display(f"FAILED:{host} {message}{ignored}", color="red", stderr=self.display_failed_stderr)
        self._count(True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Show it on a line of its own."""
        self._erase()
        super().v2_runner_on_unreachable(result)
        self._count(True)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """A limit leaves the controller out of our first play, which only checks that there are hosts: no news."""
        if self._held is None or list(self._held.hosts) != ["localhost"]:
            super().v2_playbook_on_no_hosts_matched()

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Our own failures have been shown already."""
        self._finish()
        if self._foreign:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The summary stands in for the recap, unless tasks of others ran too or more detail was asked for."""
        self._finish()
        if self._foreign or self._display.verbosity > 0:
            super().v2_playbook_on_stats(stats)

    @property
    def display_failed_stderr(self) -> bool:
        """Whether failures go to standard error, as the default callback is configured."""
        return bool(self.get_option("display_failed_stderr"))

    def _count(self, bad: bool) -> None:
        if not self._counting:
            return
        self._done += 1
        self._bad += bad
        now = time.monotonic()
        if self._live:
            sys.stdout.write(f"\r\x1b[K{self._line(now)}")
            sys.stdout.flush()
        elif now - self._printed >= PERIOD:
            self._printed = now
            self._told = self._done
            self._display.display(self._line(now))

    def _line(self, now: float) -> str:
        left = ""
        if 0 < self._done < self._total:
            left = f", about {(now - self._began) / self._done * (self._total - self._done):.0f} s left"
        return f"{self._done} of {self._total} hosts {self._verb}, {self._bad} with findings{left}"

    def _erase(self) -> None:
        """Take the live line away before anything else is printed."""
        if self._live and self._counting and self._done:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()

    def _finish(self) -> None:
        """Leave the last count on a line of its own."""
        if self._counting and self._done != self._told:
            self._erase()
            self._display.display(self._line(time.monotonic()))
        self._counting = False
        self._verb = ""


def _is_ours(task: Any) -> bool:
    """Whether a task is one of Breakwater's modules, or stands in one of its playbooks."""
    return str(task.action).startswith(OURS) or PLAYBOOKS in str(task.get_path() or "")


def _task_of(result: Any) -> Any:
    """The task of a result, whatever ansible-core calls it."""
    return getattr(result, "task", None) or result._task


def _data_of(result: Any) -> Any:
    """The data of a result, whatever ansible-core calls it."""
    return getattr(result, "result", None) or result._result


def _host_of(result: Any) -> Any:
    """The host of a result, whatever ansible-core calls it."""
    return getattr(result, "host", None) or result._host
