# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that answer SMB become inventory, grouped by what they offer."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sweep
short_description: Hosts found on the wire, grouped by dialect, SMB1, signing, implementation and exposure
version_added: 0.2.0
description:
  - Probes addresses, networks and ranges from the controller, as M(breakwater.smb.probe_info) does, and makes a host of
    every target that speaks SMB or answers on UDP 137 or TCP 5445. It uses no credentials.
  - Needs a file whose name ends in C(.breakwater.yml) or C(.breakwater.yaml).
  - Every host has C(ansible_host) and C(breakwater_probe), which holds all its answers. What hosts say is text that
    strangers chose; it is marked as unsafe, so that it is never taken for a template.
  - Groups are C(smb) (hosts that speak it), C(smb_dialect_...), C(smb_smb1), C(smb_smb1_unknown), C(smb_signing_required),
    C(smb_signing_not_required), C(smb_signing_unknown), C(smb_is_...) for the implementation, and C(smb_port_...) for
    every open port.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [breakwater.smb.sweep]
  targets:
    description: Whom to ask, as in M(breakwater.smb.probe_info).
    type: list
    elements: str
    required: true
  ports:
    description: TCP ports that SMB is asked on.
    type: list
    elements: int
    default: [445, 139]
  checks:
    description: What to ask, as in M(breakwater.smb.probe_info). V(anonymous), V(guest) and V(ms17_010) only where they are named.
    type: list
    elements: str
    choices: [dialects, smb1, signing, ciphers, identity, ports, netbios, quic, anonymous, guest, ms17_010]
    default: [dialects, smb1, signing, ciphers, identity, ports, netbios, quic]
  timeout:
    description: Seconds that one conversation may take.
    type: float
    default: 4.0
  connect_timeout:
    description: Seconds that the last of three attempts to connect may take.
    type: float
    default: 3.5
  host_timeout:
    description: Seconds that one target may take, all in all.
    type: float
    default: 30.0
  window:
    description: Connections that may be waited for at a time.
    type: int
    default: 1024
  conversations:
    description: Connections that may be talked over at a time.
    type: int
    default: 256
  per_network:
    description: Connections at a time to one IPv4 network of 24 bits or IPv6 network of 64 bits.
    type: int
    default: 64
  scope:
    description:
      - File that names what may be probed beside private addresses. A relative path is relative to the inventory file.
    type: path
  hostname:
    description:
      - What a host is called that was not named by its name.
      - V(name) is the DNS or NetBIOS name that it gives itself, where that is a proper name and no other host claims it;
        else its address. A host can give itself any name.
    type: str
    choices: [address, name]
    default: address
extends_documentation_fragment:
  - inventory_cache
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
# office.breakwater.yml
plugin: breakwater.smb.sweep
targets:
  - 10.20.0.0/24
  - 10.20.1.1-50
  - nas01.example.com
scope: scope.yml
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/breakwater
cache_timeout: 86400
"""

import datetime
import difflib
import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable
from ansible.release import __version__ as ansible_version
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.context import Context
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.sweep import Entry, entries, kept, sweep
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BreakwaterError

ENDINGS = (".breakwater.yml", ".breakwater.yaml")
OPTIONS = (
    "targets",
    "ports",
    "checks",
    "timeout",
    "connect_timeout",
    "host_timeout",
    "window",
    "conversations",
    "per_network",
)


class InventoryModule(BaseInventoryPlugin, Cacheable):
    """Probe, or take what the cache has, and make hosts and groups of it."""

    NAME = "breakwater.smb.sweep"

    def verify_file(self, path: str) -> bool:
        """Only files that are named as ours."""
        return super().verify_file(path) and path.endswith(ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path)
        names = C.config.get_configuration_definitions("inventory", self._load_name)
        _known(path, self._read_config_data(path), names)
        options = {name: self.get_option(name) for name in (*OPTIONS, "scope")}
        key = f"{self.get_cache_key(path)}_{_digest(options)}"
        self.load_cache_plugin()
        try:
            found = self._found(path, key, cache and self.get_option("cache"))
        except BreakwaterError as error:
            raise AnsibleParserError(str(error)) from error
        if self.get_option("cache"):
            self._cache[key] = found
        present = [*inventory.hosts, *inventory.groups]
        for entry in entries(found, self.get_option("hostname") == "name", present):
            _add(inventory, entry)

    def _found(self, path: str, key: str, cached: bool) -> list[dict[str, Any]]:
        documents = kept(self._cache[key]) if cached and key in self._cache else None
        if documents is not None:
            return documents
        options = {name: self.get_option(name) for name in OPTIONS}
        scope = self.get_option("scope")
        if scope is not None:
            scope = str(pathlib.Path(path).parent / scope)
        display = Display()
        context = Context(
            results=pathlib.Path(),
            ansible_version=str(ansible_version),
            now=lambda: datetime.datetime.now(datetime.timezone.utc),
            show=display.v,
            warn=display.warning,
        )
        return sweep(options, scope, context)


def _digest(options: Mapping[str, Any]) -> str:
    """Return what stands for everything that is asked: after a change of the file, old answers are not taken."""
    return hashlib.sha256(json.dumps(encode(options), sort_keys=True, default=str).encode()).hexdigest()[:16]


def _known(path: str, config: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    """Refuse what would have no effect, and was meant to have one."""
    unknown = sorted(str(name) for name in config if name not in names)
    if unknown:
        close = difflib.get_close_matches(unknown[0], names, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(sorted(names))}"
        raise AnsibleParserError(f"The sweep file {path} cannot be used: unknown key {unknown[0][:60]!r}; {hint}")


def _add(inventory: Any, entry: Entry) -> None:
    """Put one host in; its name and address have been checked, what it says has not."""
    inventory.add_host(entry.name)
    inventory.set_variable(entry.name, "ansible_host", entry.address)
    inventory.set_variable(entry.name, "breakwater_probe", wrap_var(entry.answers))
    for group in entry.groups:
        safe = to_safe_group_name(group, force=True, silent=True)
        inventory.add_group(safe)
        inventory.add_child(safe, entry.name)
