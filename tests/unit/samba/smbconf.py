# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration that tests edit: collected as a host's would be, read by our own parser alone."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import conf, sources
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import Table, fact_id
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Edited, Target

MAIN = "/etc/samba/smb.conf"
SETTINGS = catalogue.settings("samba")
TODAY = datetime.date(2026, 11, 23)


def collected(
    files: Mapping[str, bytes | str],
    *,
    registry: str | None = None,
    version: str = "4.17.12",
    sums: bool = True,
    more: Sequence[Record] = (),
) -> Collected:
    """Return what the collector would have brought: without the end of a last line, which text tools do not tell."""
    records = [Record("samba.version", "smbd -V", f"Version {version}"), Record("samba.conf", "smb.conf", MAIN)]
    lines = []
    for path, content in files.items():
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        records.append(Record("samba.file", path, raw.decode("utf-8", "surrogateescape").removesuffix("\n")))
        lines.append(f"{hashlib.sha256(raw).hexdigest()}  {path}")
    if sums:
        records.append(Record("samba.sha256", "SHA-256", "\n".join(lines)))
    if registry is not None:
        records.append(Record("samba.registry", "net conf list", registry))
    return Collected([*records, *more], uid="0")


class Host:
    """A host whose files can be edited, and are then what the steps say."""

    def __init__(self, files: Mapping[str, bytes | str] | str | bytes, **options: Any) -> None:
        files = {MAIN: files} if isinstance(files, (str, bytes)) else files
        self.files = {
            path: content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            for path, content in files.items()
        }
        self.options = options
        self.collect()

    def collect(self) -> None:
        self.collected = collected(self.files, **self.options)
        self.facts: FactSet = read(self.collected, SETTINGS, FactSet(), TODAY).facts

    def plan(self, *targets: Target) -> Edited:
        return edit(targets, self.collected, self.facts, SETTINGS)

    def edit(self, *targets: Target) -> Edited:
        """Plan, and do what the plan says."""
        done = self.plan(*targets)
        for step in done.steps:
            if step.kind == "file":
                assert step.content is not None
                assert step.before.value == hashlib.sha256(self.files[step.target]).hexdigest()
                self.files[step.target] = step.content.encode("utf-8", "surrogateescape")
                assert step.after.value == hashlib.sha256(self.files[step.target]).hexdigest()
        self.collect()
        return done

    def text(self, path: str = MAIN) -> str:
        return self.files[path].decode("utf-8", "surrogateescape")

    def configuration(self) -> conf.Configuration:
        table = Table(SETTINGS.values(), "4.17")
        return conf.load(MAIN, sources.files(self.collected), table, self.options.get("registry"))

    def value(self, name: str, share: str = "") -> Any:
        configuration = self.configuration()
        fact = fact_id(name)
        found = configuration.shares[share.lower()].get(fact) if share else configuration.globals.get(fact)
        return None if found is None else found.value


def want(name: str, value: Any, share: str = "", control: str = "a-control", **more: Any) -> Target:
    return Target(control=control, fact=fact_id(name), value=value, object=share, **more)
