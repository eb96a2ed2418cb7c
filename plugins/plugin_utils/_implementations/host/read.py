# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a collected answer to facts about the host around SMB."""

from __future__ import annotations

import re
from collections import Counter

from ..._model.collected import Collected, Implementation, Reading, SectionError
from ..._model.fact import Fact, FactSet
from ..._model.text import visible
from . import listeners, mount_truths, mounts, packages

_PROCESSES = (
    "smbd",
    "nmbd",
    "winbindd",
    "samba",
    "samba-bgqd",
    "ksmbd.mountd",
    "tsmb-server",
    "lwiod",
    "lwsmd",
    "ctdbd",
    "mosmb",
)
_OTHERS = {"tsmb-server": "tuxera", "lwiod": "likewise", "mosmb": "mosmb"}
_FIREWALLS = ("nft", "iptables", "ip6tables", "iptables_legacy", "firewalld", "ufw", "pf", "ipfw")


def read(collected: Collected) -> Reading:
    """Return what the answer says about the host itself."""
    reading = Reading()
    facts = reading.facts
    facts.put("host.privileged", Fact(effective=collected.uid == "0"))
    _system(collected, facts)
    listeners.read(collected, facts)
    _processes(collected, facts)
    packages.read(collected, facts)
    packages.services(collected, facts)
    packages.in_use(facts)
    _kernel(collected, facts)
    mounts.read(collected, facts)
    _firewall(collected, facts, reading.errors)
    reading.implementations.extend(_implementations(facts))
    for fact_id in ("host.listeners_read", "host.processes_read", "host.packages_read"):
        fact = facts.get(fact_id)
        if fact is not None and fact.unreadable is not None:
            reading.errors.append(SectionError(fact_id, fact.unreadable))
    return reading


def _system(collected: Collected, facts: FactSet) -> None:
    kernel, release, machine = ([*visible(collected.text("host.uname")).split(), "", "", ""])[:3]
    if release:
        facts.put("host.kernel", Fact(effective=release))
        facts.put("host.arch", Fact(effective=machine))
    name = visible(collected.text("host.name").strip())
    if name:
        facts.put("host.hostname", Fact(effective=name))
    record = collected.get("host.os")
    pairs = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', visible(record.out), re.MULTILINE)) if record else {}
    if not pairs.get("ID"):
        facts.put("host.os", Fact(unreadable="no os-release on the host"))
        return
    value = {
        "id": pairs["ID"],
        "id_like": pairs.get("ID_LIKE", "").split(),
        "version": pairs.get("VERSION_ID", ""),
        "name": pairs.get("PRETTY_NAME", pairs["ID"]),
        "family": kernel.lower(),
    }
    facts.put("host.os", Fact(configured=value))


def _processes(collected: Collected, facts: FactSet) -> None:
    record = collected.get("host.processes") or collected.get("host.processes_busybox")
    if record is None or record.unreadable is not None:
        reason = visible(record.unreadable or "") if record else "no ps on the host"
        facts.put("host.processes_read", Fact(unreadable=reason))
        return
    elsewhere = dict(re.findall(r"^(\d+) (\S+)", collected.text("host.elsewhere"), re.MULTILINE))
    found = re.findall(r"^\s*(\d+)\s+(\S+)", record.out, re.MULTILINE)
    counted = Counter(visible(name.rsplit("/", maxsplit=1)[-1]) for pid, name in found if pid not in elsewhere)
    for name, number in Counter(elsewhere.values()).items():
        facts.put("host.process_elsewhere", Fact(effective=number), visible(name))
    facts.put("host.processes_read", Fact(effective=True))
    for name in _PROCESSES:
        if counted[name]:
            facts.put("host.process", Fact(effective=counted[name]), name)


def _kernel(collected: Collected, facts: FactSet) -> None:
    modules = collected.get("host.modules")
    if modules is not None and modules.unreadable is None:
        for name in modules.out.split():
            facts.put("host.kernel_module", Fact(effective=True), name)
    for name, value in re.findall(r"^(\w+)=(.*)$", visible(collected.text("host.cifs_parameters")), re.MULTILINE):
        facts.put("client.cifs_parameter", Fact(effective=value), name)
    blocked = re.search(r"^\s*install\s+cifs\s+(/usr)?/bin/(false|true)", collected.text("host.modprobe"), re.MULTILINE)
    loaded = modules is not None and modules.unreadable is None and "cifs" in modules.out.split()
    if collected.get("host.modprobe") is not None:
        facts.put("host.cifs_module_available", Fact(effective=loaded or blocked is None))
    lines = [line.strip() for line in visible(collected.text("host.modprobe")).split("\n") if line.strip()]
    if lines:
        facts.put("client.modprobe", Fact(configured=lines))


def _firewall(collected: Collected, facts: FactSet, errors: list[SectionError]) -> None:
    """Raw rules, judged elsewhere."""
    for name in _FIREWALLS:
        record = collected.get(f"raw.{name}")
        if record is None:
            continue
        if record.unreadable is None:
            facts.put("raw.firewall", Fact(effective=visible(record.out)), name)
        else:
            facts.put("raw.firewall", Fact(unreadable=visible(record.unreadable)), name)
            errors.append(SectionError(f"firewall.{name}", visible(record.unreadable)))


def _implementations(facts: FactSet) -> list[Implementation]:
    """Every SMB implementation but Samba, which has a reader of its own."""
    found = []
    modules, processes = facts.objects("host.kernel_module"), facts.objects("host.process")
    package = facts.get("host.package", "ksmbd-tools")
    if "ksmbd" in modules or "ksmbd.mountd" in processes or package is not None:
        version = str(package.effective) if package is not None else ""
        found.append(Implementation("ksmbd", version, "server", "ksmbd.mountd" in processes))
    client = facts.get("host.package", "cifs-utils")
    if "cifs" in modules or client is not None or _mounts_shares(facts):
        found.append(Implementation("cifs", str(client.effective) if client else "", "client", "cifs" in modules))
    for process, name in _OTHERS.items():
        if process in processes:
            found.append(Implementation(name, "", "server", True))
    return found


def _mounts_shares(facts: FactSet) -> bool:
    """Whether the kernel's client is used here, or whether nobody can say that it is not: a table was not read."""
    return any(facts.objects(name) for name in ("client.mount", *mount_truths.FACTS))
