# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection breakwater.smb.paramiko as Ansible makes it, without the weight of a playbook."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from ansible import constants
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader, shell_loader

from ansible_collections.breakwater.smb.plugins.connection import paramiko as plugin

NAME = "breakwater.smb.paramiko"


@functools.cache
def _load() -> Any:
    """Make the plugin known by hand: Ansible's loader finds no collection once its modules were imported without it."""
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("connection", NAME, options)
    plugin.Connection._load_name = NAME
    return plugin.Connection


@contextmanager
def connection(
    options: Mapping[str, Any], become: Mapping[str, Any] | None = None, method: str = "sudo"
) -> Iterator[Any]:
    """Yield a connection with ``options`` (names of the plugin's options); ``become``: options of the become plugin."""
    made = _load()(PlayContext())
    made.set_options(direct={"timeout": 15, "ssh_config": "", "use_agent": False, "look_for_keys": False, **options})
    if become is not None:
        other = become_loader.get(method)
        other.set_options(direct=dict(become))
        made.set_become_plugin(other)
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
