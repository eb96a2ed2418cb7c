# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all action plugins share: options in, one command, plain results out.

The only place where Ansible's exceptions and ours are translated into each other.
"""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.release import __version__ as ansible_version
from ansible.utils.display import Display

from ._commands.audit import AuditRequest
from ._commands.clusters import Nodes, nodes
from ._commands.context import Context, Hands
from ._model.codec import encode
from ._model.collected import Family
from ._model.errors import BreakwaterError, HostError, Unreachable
from ._remote.execution import Executed, PrivilegeRefused
from ._remote.winrm_failures import explain
from ._store import rundir


class BreakwaterAction(ActionBase):
    """An action plugin that decodes its options, calls one command and encodes what it returns.

    Subclasses set ``ARGUMENTS`` (an Ansible argument spec) and implement ``command``.
    """

    ARGUMENTS: Mapping[str, Any] = {}
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the command; an error that a user can mend fails the task with its one sentence."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        options = self.validate_argument_spec(dict(self.ARGUMENTS))[1]
        try:
            answer = self.command(encode(options), task_vars or {})  # without Ansible's tags
        except BreakwaterError as error:
            raise AnsibleActionFail(str(error)) from None  # newer releases tell a cause again
        result.update(encode(answer))
        return result

    def command(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the work; the result is merged into the task's result."""
        raise NotImplementedError

    def context(self, options: Mapping[str, Any]) -> Context:
        """Return what every command needs to know about where it runs."""
        return Context(
            results=pathlib.Path(options["results"]).absolute(),
            ansible_version=str(ansible_version),
            now=lambda: datetime.datetime.now(datetime.timezone.utc),
            show=Display().display,
            warn=Display().warning,
        )

    def transport(self) -> str:
        """Return the short name of the connection plugin: ``ansible.builtin.winrm`` is ``winrm``."""
        return str(self._connection.transport).rsplit(".", maxsplit=1)[-1]

    def family(self) -> Family:
        """Return which kind of shell the connection leads to."""
        return "windows" if getattr(self._connection._shell, "_IS_WINDOWS", False) else "unix"

    def executor(self) -> Callable[[str, bytes], Executed]:
        """Return a function that runs one command line on the host, with ``become`` where the task asks for it.

        It raises HostError (Unreachable, PrivilegeRefused) instead of Ansible's own errors.
        """
        windows = self.family() == "windows"

        def execute(command: str, stdin: bytes) -> Executed:
            data: bytes | None = stdin
            if windows:
                self._refuse_become()
            if not self._connection.has_pipelining:  # such a connection has no standard input to offer
                command, data = f"/bin/sh -c {shlex.quote(stdin.decode())}", None
            with self._translated():
                answer = self._low_level_execute_command(command, in_data=data, sudoable=not windows)
            return Executed(int(answer["rc"]), answer["stdout"], answer["stderr"])

        return execute

    def hands(self) -> Hands:
        """Return what reaches the host more than once: executions, a new connection, patience."""
        return Hands(self.executor(), self._reconnect, self._wait, self.family())

    def _reconnect(self) -> None:
        """Close the connection, so that the next execution comes through a new one, with a new authentication."""
        if self.transport() == "local":
            return
        with contextlib.suppress(Exception):  # a connection that is dead cannot be asked to end
            self._connection.close()
        with self._translated():
            self._connection.reset()  # for ssh this ends the master connection that would outlive the task

    def _wait(self, seconds: float) -> None:
        with self._translated():
            time.sleep(seconds)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what Ansible and the connection plugins raise into our own errors."""
        try:
            yield
        except AnsibleError as error:
            raise self._failure(error) from error
        except BaseException as error:  # the task's own timeout is no Exception; its class differs between releases
            if "Timeout" in type(error).__name__:
                raise HostError(
                    "The host gave no answer",
                    seen="the time bound of the task is over",
                    remedy="raise breakwater_timeout",
                ) from None
            if isinstance(error, Exception):
                raise self._failure(error) from error
            raise

    def subject(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> AuditRequest:
        """Return the host of the task, and what it is judged with."""
        connection = self.transport()
        return AuditRequest(
            host=str(task_vars["inventory_hostname"]),
            address=str(task_vars.get("ansible_host") or task_vars["inventory_hostname"]),
            connection=connection,
            family=self.family(),
            groups=tuple(sorted(map(str, task_vars.get("group_names", ())))),
            run=rundir.find(self.context(options).results, options["run"]) if options["run"] else None,
            profile=options["profile"],
            exceptions=options["exceptions"],
            implementation=options["implementation"],
            vantages=tuple(options.get("vantage") or ()),
            labels=("recorded",) if connection == "replay" else (),
        )

    def hosts_of(self, patterns: Sequence[str], task_vars: Mapping[str, Any]) -> list[str]:
        """Return the hosts of the inventory that patterns mean; none where there is no pattern."""
        if not any(patterns):
            return []
        lookup = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader, templar=self._templar)
        return [str(host) for host in lookup.run(list(patterns), variables=task_vars)]

    def nodes(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Nodes | None:
        """Return the cluster that the host of the task belongs to, as the inventory says.

        Raises:
            BadInput: the named group does not exist, or does not hold the host.
        """
        playing = task_vars.get("ansible_play_hosts_all") or ()
        return nodes(options["cluster"], str(task_vars["inventory_hostname"]), task_vars.get("groups") or {}, playing)

    def shown(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return a task's result with its difference only where the user asked for one."""
        return answer if self._task.diff else {name: item for name, item in answer.items() if name != "diff"}

    def _refuse_become(self) -> None:
        """Ansible becomes another user on Windows only inside its own module wrapper, which would cost more executions."""
        if self._connection.become is not None:
            raise PrivilegeRefused(
                "Cannot become another user on Windows",
                seen="become is set for this host",
                remedy="set ansible_become to false there, and connect as an administrator",
            )

    def _failure(self, error: BaseException) -> HostError:
        """Say what a failing connection meant; the libraries below winrm and psrp raise exceptions of their own."""
        said = _one_line(error)
        if not isinstance(error, AnsibleError):
            said = f"{type(error).__name__}: {said}"
        if self.transport() in ("winrm", "psrp"):
            return explain(said, self._mend())
        if isinstance(error, AnsibleConnectionFailure):
            return Unreachable("Cannot connect", seen=_short(said), remedy=self._mend())
        if isinstance(error, AnsibleError):
            return _execution_error(_short(said))
        return Unreachable("The connection plugin failed", seen=_short(said), remedy="use another connection plugin")

    def _mend(self) -> str:
        """Return a command that shows the same failure with all its detail."""
        harmless = "whoami" if self.family() == "windows" else "true"
        return f"try: ansible -m ansible.builtin.raw -a {harmless} -vvv {self._task_host()}"

    def _task_host(self) -> str:
        return str(self._play_context.remote_addr or "HOST")


def _execution_error(message: str) -> HostError:
    lowered = message.lower()
    if any(word in lowered for word in ("sudo password", "become", "password is required", "privilege")):
        return PrivilegeRefused(
            "Cannot become the privileged user",
            seen=message,
            remedy="check become_method, become_user and the become password",
        )
    return Unreachable("Cannot run the collector", seen=message, remedy="see the connection plugin's message")


def _one_line(error: BaseException) -> str:
    return " ".join(to_text(error).split())


def _short(text: str) -> str:
    return text if len(text) <= 400 else text[:400] + "…"
