# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an smb.conf means: the value in force of every parameter, and where it came from. Sans-I/O.

Order matters as it does in Samba (each rule checked against testparm): later wins across synonyms, repeated
sections and spellings; a share takes its defaults from [global] as that stands when the share's section first
appears; ``copy`` takes over what the other share has and this one has not set; an include is read in place and the
section it ends in goes on after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..._model.fact import Origin, OriginKind
from ..._model.text import visible
from . import printing, values
from .grammar import Item, items
from .settings import Table, key

MAX_DEPTH = 32
"""Includes nest no deeper; Samba itself gives up on loops."""

MAX_FILES = 5000
MAX_CHARACTERS = 100_000_000
"""Bounds of what one configuration may read, each include counted every time (two that double each other grow fast)."""

MAX_WARNINGS = 500
"""How many warnings are kept."""

REGISTRY = "HKLM\\Software\\Samba\\smbconf"


@dataclass(frozen=True, slots=True)
class Value:
    """A value in force and the address that gave it."""

    value: Any
    origin: Origin


Values = dict[str, Value]
"""By fact id."""


@dataclass(slots=True)
class Share:
    """A share: its name as first written, what it set itself, and what it took over when its section began.

    One that is not ``valid`` (Samba's own ``-valid``) is not served, nor can it be copied.
    """

    name: str
    own: Values = field(default_factory=dict)
    inherited: Values = field(default_factory=dict)
    valid: bool = True

    def get(self, fact_id: str) -> Value | None:
        """Return the value that the share has, its own or the one it took over."""
        return self.own.get(fact_id) or self.inherited.get(fact_id)

    def all(self) -> Values:
        """Return everything that the share has, by fact id."""
        return {**self.inherited, **self.own}


@dataclass(slots=True)
class Configuration:
    """What the files say.

    Attributes:
        main: path of the file it began with.
        globals: by fact id; only what is written (defaults are added by the reader).
        shares: by lower-case name, in order.
        options: parametric options; "full_audit:prefix" or "share/full_audit:prefix".
        errors: why Samba would refuse the whole configuration; empty when it would not.
        warnings: what Samba would warn of.
        conditional: includes whose path depends on the client or the user.
        uses_registry: the registry takes part.
    """

    main: str
    globals: Values = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    options: Values = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    conditional: list[str] = field(default_factory=list)
    uses_registry: bool = False

    def value(self, scope: str, fact_id: str) -> Value | None:
        """Return what a share (its lower-case name) has, or [global] (""); None when nothing is written that counts for it."""
        if not scope:
            return self.globals.get(fact_id)
        share = self.shares.get(scope)
        return share.get(fact_id) if share is not None else None


class Unreadable(Exception):
    """A file that takes part could not be read; ``str`` is the reason."""


ReadFile = Callable[[str], "str | None"]
"""Content of a file, None when there is no such file; raises Unreadable."""

Watch = Callable[[str, Item, "Share | None", "Share | None"], None]
"""Is told of each item once it has taken effect: its file ("": the registry), and the section before and after it."""


def load(
    main: str, read: ReadFile, table: Table, registry: str | None = None, watch: Watch | None = None
) -> Configuration:
    """Work out the configuration that begins with the file ``main``.

    Args:
        main: path of smb.conf.
        read: gives the content of a file.
        table: the property table.
        registry: output of ``net conf list``, when the host has any.
        watch: is told of every item; one that includes others comes after them.

    Raises:
        Unreadable: a file that takes part could not be read.
    """
    evaluator = _Evaluator(Configuration(main), read, table, registry, watch)
    text = read(main)
    if text is None:
        raise Unreadable(f"{main}: no such file")
    evaluator.file(main, text, depth=0)
    evaluator.finish()
    return evaluator.conf


class _Evaluator:
    """The state of one pass over the files: where we are, and what is set so far."""

    def __init__(
        self, conf: Configuration, read: ReadFile, table: Table, registry: str | None, watch: Watch | None
    ) -> None:
        self.conf = conf
        self.read = read
        self.table = table
        self.registry = registry
        self.watch = watch
        self.share: Share | None = None
        self.valid_by_default = True
        self.elsewhere = False  # the registry alone counts, and no text any more
        self.open: set[str] = set()
        self.files = 0
        self.characters = 0

    def file(self, path: str, text: str, depth: int) -> None:
        """Apply one file in place."""
        self.files += 1
        self.characters += len(text)
        if self.files > MAX_FILES or self.characters > MAX_CHARACTERS:
            raise Unreadable(f"{visible(path)}: too many or too large includes to follow")
        self.open.add(path)
        kind: OriginKind = "local" if depth == 0 else "include"
        shown = visible(path)
        for item in items(text):
            if self.conf.errors or self.elsewhere:
                break
            self.item(item, Origin(kind, f"{shown}:{item.line}"), path, depth)
        self.open.discard(path)

    def item(self, item: Item, origin: Origin, path: str, depth: int) -> None:
        """Apply one section header or parameter."""
        before = self.share
        if item.kind == "malformed":
            self.conf.errors.append(f"{origin.where}: {item.name}")
        elif item.kind == "section":
            self.section(item.name)
        elif ":" in item.name:
            self.option(item, origin)
        elif item.name.startswith("-") and key(item.name) == "-valid":
            self.valid(item, origin)
        else:
            self.parameter(item, origin, path, depth)
        if self.watch is not None:
            self.watch(path, item, before, self.share)

    def section(self, name: str) -> None:
        """Go on in a section; a new share takes over [global] as it stands."""
        if key(name) in ("global", "globals"):
            self.share = None
            return
        shown = visible(name)
        known = self.conf.shares.get(shown.lower())
        if known is None:
            known = Share(shown, valid=self.valid_by_default)
            known.inherited = {
                setting.id: value
                for setting in self.table.shared
                if (value := self.conf.globals.get(setting.id)) is not None
            }
            self.conf.shares[shown.lower()] = known
        self.share = known

    def valid(self, item: Item, origin: Origin) -> None:
        """``-valid = no`` takes the share away, in [global] all shares that begin after it."""
        try:
            wanted = values.boolean(item.value)
        except values.BadValue as error:
            self.conf.errors.append(f"{origin.where}: -valid: {error}")
            return
        self.conf.warnings.append(f"{origin.where}: -valid is for Samba's own use")
        if self.share is None:
            self.valid_by_default = wanted
        else:
            self.share.valid = wanted

    def option(self, item: Item, origin: Origin) -> None:
        """Set a parametric option (``module:option``)."""
        name = visible(key(item.name))
        if self.share is not None:
            name = f"{self.share.name}/{name}"
        self.conf.options[name] = Value(visible(item.value), origin)

    def parameter(self, item: Item, origin: Origin, path: str, depth: int) -> None:
        """Set a parameter in the section that we are in."""
        found = self.table.find(item.name)
        if found is None:
            self.conf.warnings.append(f"{origin.where}: unknown parameter {visible(item.name)!r}")
            return
        setting, inverted = found
        if self.share is not None and setting.context == "global":
            self.conf.warnings.append(f"{origin.where}: global parameter {setting.name!r} in a share has no effect")
            return
        try:
            value = Value(values.parse(setting, item.value, inverted=inverted), origin)
        except values.BadValue as error:
            self.conf.errors.append(f"{origin.where}: {setting.name}: {error}")
            return
        target = self.conf.globals if self.share is None else self.share.own
        target[setting.id] = value
        if setting.id == "samba.include":
            self.include(item.value, origin, path, depth)
        elif setting.id == "samba.copy":
            self.copy(self.share, item.value, origin)
        elif setting.id == "samba.printing" and self.share is not None:
            for parameter, command in printing.commands(str(value.value)).items():
                self.share.own[f"samba.{parameter}"] = Value(command, origin)
        elif setting.id == "samba.config_backend" and value.value == "registry":
            self.only_registry(origin)
        elif setting.id == "samba.config_file" and item.value:
            self.conf.conditional.append(f"{origin.where}: config file = {visible(item.value)}")

    def include(self, target: str, origin: Origin, path: str, depth: int) -> None:
        """Read another file in place."""
        if key(target) == "registry":
            self.registry_globals()
            return
        if "%" in target:
            self.conf.conditional.append(f"{origin.where}: include = {visible(target)}")
            return
        if not target.startswith("/"):
            self.conf.conditional.append(f"{origin.where}: include = {visible(target)} (relative to smbd's directory)")
        if target in self.open or depth >= MAX_DEPTH:
            self.conf.errors.append(f"{origin.where}: include loop through {visible(target)}")
            return
        text = self.read(target)
        if text is None:
            self.conf.warnings.append(f"{origin.where}: no such include: {visible(target)}")
            return
        self.file(target, text, depth + 1)

    def copy(self, share: Share | None, source: str, origin: Origin) -> None:
        """Take over what another share has and this one has not set itself."""
        if share is None:
            self.conf.errors.append(f"{origin.where}: copy = {visible(source)}: [global] cannot copy a share")
            return
        other = self.conf.shares.get(visible(source).lower())
        if other is None or other is share or not other.valid:
            self.conf.errors.append(f"{origin.where}: copy = {visible(source)}: no such share before this line")
            return
        for fact_id, value in other.all().items():
            if fact_id != "samba.copy" and fact_id not in share.own:
                share.own[fact_id] = value

    # The registry ----------------------------------------------------------------------------------------------

    def registry_items(self) -> Iterable[tuple[str, Item]]:
        """Yield (section, item) of the registry's configuration."""
        self.conf.uses_registry = True
        if self.registry is None:
            raise Unreadable("the registry-backed configuration (net conf list) could not be read")
        section = "global"
        for item in items(self.registry):
            if item.kind == "section":
                section = item.name
            yield section, item

    def registry_globals(self) -> None:
        """``include = registry``: the registry's globals now, its shares at the end."""
        here = self.share
        for section, item in list(self.registry_items()):
            if key(section) == "global" and item.kind == "parameter":
                self.share = None
                self.registry_item(section, item)
        self.share = here
        self.conf.globals["samba.registry_shares"] = Value(True, Origin("registry", f"{REGISTRY}\\global"))

    def registry_shares(self) -> None:
        """The shares of the registry, after the text: on a share that both have, the registry's lines win."""
        for section, item in list(self.registry_items()):
            if key(section) == "global":
                continue
            if item.kind == "section":
                self.section(item.name)
            else:
                self.registry_item(section, item)

    def registry_item(self, section: str, item: Item) -> None:
        self.item(item, Origin("registry", f"{REGISTRY}\\{visible(section)}"), "", MAX_DEPTH)

    def only_registry(self, origin: Origin) -> None:
        """``config backend = registry``: forget the text, take the registry."""
        conf = self.conf
        conf.globals.clear()
        conf.shares.clear()
        conf.options.clear()
        self.share = None
        self.registry_globals()
        conf.globals["samba.config_backend"] = Value("registry", origin)
        self.elsewhere = True

    def finish(self) -> None:
        """What Samba does after the last line."""
        conf = self.conf
        shares = conf.globals.get("samba.registry_shares")
        if shares is not None and shares.value and not conf.errors:
            self.registry_shares()
        conf.shares = {name: share for name, share in conf.shares.items() if share.valid}
        self.client_authentication()
        role = conf.globals.get("samba.server_role")
        if role is not None and role.value == "active directory domain controller":
            conf.globals["samba.passdb_backend"] = Value("samba_dsdb", Origin("default", "forced by Samba"))
        for share in conf.shares.values():
            self.check(share)
        more = len(conf.warnings) - MAX_WARNINGS
        if more > 0:
            conf.warnings[MAX_WARNINGS:] = [f"{more} more warnings"]

    def client_authentication(self) -> None:
        """NTLMv2 as a client rules out LAN Manager, and without that there is no plain text either."""
        written = self.conf.globals
        ntlmv2 = written.get("samba.client_ntlmv2_auth")
        lanman = written.get("samba.client_lanman_auth")
        if lanman is not None and (ntlmv2 is None or ntlmv2.value):
            written["samba.client_lanman_auth"] = lanman = Value(False, lanman.origin)
        plain = written.get("samba.client_plaintext_auth")
        if plain is not None and (lanman is None or not lanman.value):
            written["samba.client_plaintext_auth"] = Value(False, plain.origin)

    def check(self, share: Share) -> None:
        """Samba's own corrections: no path means not available; [printers] is printable and not browseable."""

        def force(fact_id: str, value: Any) -> None:
            share.own[fact_id] = Value(value, Origin("default", "forced by Samba"))

        name = share.name.lower()
        if name == "printers":
            force("samba.printable", True)
            force("samba.browseable", False)
        path = share.get("samba.path")
        if name != "homes" and (path is None or not path.value):
            proxy = share.get("samba.msdfs_proxy")
            if proxy is None or not proxy.value:
                self.conf.warnings.append(f"share {share.name}: no path, so it is not available")
                force("samba.available", False)
