# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action plugins do with a connection, and what becomes of what it raises."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.breakwater.smb.plugins.plugin_utils import _action
from ansible_collections.breakwater.smb.plugins.plugin_utils._action import BreakwaterAction
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import HostError, Unreachable


class FakeConnection:
    """Notes what is done to it; ``broken`` names the methods that raise."""

    has_pipelining = True
    become = None

    def __init__(self, transport="ssh", broken=(), error=None):
        self.transport = transport
        self.done = []
        self.broken = broken
        self.error = error or AnsibleConnectionFailure("no route to host")
        self._shell = types.SimpleNamespace(_IS_WINDOWS=transport in ("winrm", "psrp"))

    def close(self):
        self._note("close")

    def reset(self):
        self._note("reset")

    def _note(self, name):
        self.done.append(name)
        if name in self.broken:
            raise self.error


class Timeout(BaseException):
    """Like the one that ansible-core raises when a task's time is over."""


def action_on(connection, diff=False):
    action = BreakwaterAction.__new__(BreakwaterAction)
    action._connection = connection
    action._play_context = types.SimpleNamespace(remote_addr="a")
    action._task = types.SimpleNamespace(diff=diff)
    return action


@pytest.mark.parametrize("transport", ["ssh", "breakwater.smb.paramiko", "winrm", "psrp"])
def test_a_new_connection_is_really_one(transport):
    connection = FakeConnection(transport)
    action_on(connection).hands().reconnect()
    assert connection.done == ["close", "reset"]


def test_a_local_connection_has_nothing_to_renew():
    connection = FakeConnection("local")
    action_on(connection).hands().reconnect()
    assert connection.done == []


def test_a_dead_connection_that_cannot_be_closed_is_renewed_all_the_same():
    connection = FakeConnection("winrm", broken=("close",), error=RuntimeError("dead"))
    action_on(connection).hands().reconnect()
    assert connection.done == ["close", "reset"]


@pytest.mark.parametrize("error", [AnsibleConnectionFailure("no route"), AnsibleError("odd"), RuntimeError("odd")])
def test_a_connection_that_cannot_be_renewed_is_our_own_error(error):
    connection = FakeConnection(broken=("reset",), error=error)
    with pytest.raises(HostError, match=r"\.$"):
        action_on(connection).hands().reconnect()


def test_the_end_of_the_tasks_time_is_our_own_error_while_waiting(monkeypatch):
    def over(_seconds):
        raise Timeout

    monkeypatch.setattr(_action.time, "sleep", over)
    with pytest.raises(HostError, match="breakwater_timeout"):
        action_on(FakeConnection()).hands().wait(5)


def test_an_interrupt_stays_one(monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(_action.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        action_on(FakeConnection()).hands().wait(5)


def test_executions_raise_our_own_errors(monkeypatch):
    action = action_on(FakeConnection())

    def fails(*_arguments, **_options):
        raise AnsibleConnectionFailure("refused")

    monkeypatch.setattr(action, "_low_level_execute_command", fails, raising=False)
    with pytest.raises(Unreachable, match="refused"):
        action.hands().execute("true", b"")


@pytest.mark.parametrize("diff", [True, False])
def test_the_difference_only_where_it_was_asked_for(diff):
    told = action_on(FakeConnection(), diff).shown({"changed": True, "diff": [{"before": "x"}]})
    assert ("diff" in told) is diff
    assert told["changed"] is True
