# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection breakwater.smb.paramiko as Ansible makes it, without the weight of a playbook."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader, connection_loader, init_plugin_loader, shell_loader

NAME = "breakwater.smb.paramiko"


@functools.cache
def _load() -> None:
    init_plugin_loader()


@contextmanager
def connection(
    options: Mapping[str, Any], become: Mapping[str, Any] | None = None, method: str = "sudo"
) -> Iterator[Any]:
    """Yield a connection with ``options`` (names of the plugin's options); ``become``: options of the become plugin."""
    _load()
    context = PlayContext()
    made = connection_loader.get(NAME, context, "/dev/null")
    made.set_options(direct={"timeout": 5, "ssh_config": "", "use_agent": False, "look_for_keys": False, **options})
    if become is not None:
        plugin = become_loader.get(method)
        plugin.set_options(direct=dict(become))
        made.set_become_plugin(plugin)
    try:
        yield made
    finally:
        made.close()


def as_other(made: Any, command: str) -> str:
    """Return ``command`` wrapped by the connection's become plugin."""
    shell = shell_loader.get("sh")
    shell.set_options()
    shell.executable = "/bin/sh"
    return str(made.become.build_become_command(command, shell))
