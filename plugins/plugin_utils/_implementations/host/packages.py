# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages of SMB software, their pending updates, and the services that start them."""

from __future__ import annotations

import re

from ..._model.collected import Collected
from ..._model.fact import Fact, FactSet
from ..._model.text import visible

_SMB = re.compile(r"^(samba|smb|libsmb|libwbclient|winbind|ksmbd|cifs|ctdb)", re.IGNORECASE)


def read(collected: Collected, facts: FactSet) -> None:
    """Put ``host.package``, ``host.package_updates`` and ``host.package_index_age_days``."""
    record = collected.get("host.packages")
    if record is None or record.unreadable is not None:
        reason = visible(record.unreadable or "") if record else "no known package manager on the host"
        facts.put("host.packages_read", Fact(unreadable=reason))
        facts.put("host.package_updates", Fact(unreadable=reason))
        return
    facts.put("host.packages_read", Fact(effective=True))
    for name, version in _installed(visible(record.out)).items():
        facts.put("host.package", Fact(effective=version), name)
    _updates(collected, facts)
    age = collected.get("host.index_age")
    if age is not None and age.unreadable is None and age.out.strip().lstrip("-").isdigit():
        facts.put("host.package_index_age_days", Fact(effective=int(age.out)))
    else:
        facts.put("host.package_index_age_days", Fact(unreadable="the age of the package index cannot be told"))


def _installed(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n"):
        columns = line.split()
        if len(columns) == 1:  # apk: name-1.2.3-r0
            match = re.match(r"^(.+?)-(\d[^-]*-r\d+)$", columns[0])
            columns = [match[1], match[2]] if match else columns
        if (
            len(columns) >= 2
            and _SMB.match(columns[0])
            and columns[1][0].isdigit()
            and columns[2:] in ([], ["installed"])
        ):
            found[columns[0]] = columns[1]
    return found


def _updates(collected: Collected, facts: FactSet) -> None:
    record = collected.get("host.updates")
    if record is None:
        facts.put("host.package_updates", Fact(unreadable="the package manager cannot tell of pending updates"))
        return
    # dnf and yum exit with 100 (or 1) when there is something, or nothing, to list.
    if record.unreadable is not None and record.rc not in (1, 100):
        facts.put("host.package_updates", Fact(unreadable=visible(record.unreadable)))
        return
    text = visible(record.out)
    pending = _apt(text) if "Candidate:" in text else _lines(text)
    installed = facts.objects("host.package")
    shown = sorted(f"{name} {new}" for name, new in pending.items() if name in installed)
    facts.put("host.package_updates", Fact(effective=shown))
    for name, new in pending.items():
        if name in installed:
            facts.put("host.package_update", Fact(effective=new), name)


def _apt(text: str) -> dict[str, str]:
    """``apt-cache policy``: a block per package with Installed and Candidate."""
    pending = {}
    pattern = r"^(\S+):\n\s+Installed: (\S+)\n\s+Candidate: (\S+)"
    for name, installed, candidate in re.findall(pattern, text, re.MULTILINE):
        if installed not in ("(none)", candidate) and candidate != "(none)":
            pending[name] = candidate
    return pending


def _lines(text: str) -> dict[str, str]:
    """dnf, apk, pacman, zypper, pkg: one line per package, in slightly different clothes."""
    pending = {}
    for line in text.split("\n"):
        columns = line.replace("|", " ").split()
        names = [column for column in columns if _SMB.match(column)]
        if names:
            name = re.sub(r"\.(x86_64|aarch64|noarch|i[36]86|armv7hl|ppc64le|s390x)$", "", names[0])
            name = re.sub(r"-\d[^-]*(-r?\d+)?$", "", name)
            pending[name] = columns[-1] if columns[-1] != names[0] else ""
    return pending


def services(collected: Collected, facts: FactSet) -> None:
    """Put ``host.service`` facts: {"active", "enabled"} per unit."""
    systemd = collected.get("host.systemd")
    if systemd is not None and systemd.unreadable is None:
        for block in visible(systemd.out).split("\n\n"):
            values = dict(line.partition("=")[::2] for line in block.split("\n"))
            if values.get("LoadState") not in (None, "not-found"):
                state = {"active": values.get("ActiveState", ""), "enabled": values.get("UnitFileState", "")}
                facts.put("host.service", Fact(effective=state), values["Id"].removesuffix(".service"))
        return
    links = collected.get("host.sysv")
    if links is not None and links.unreadable is None:
        words = visible(links.out).split()
        started = {word[3:] for word in words if re.match(r"^S\d\d", word)}
        for name in ("smbd", "nmbd", "winbind", "samba-ad-dc", "samba", "ksmbd"):
            if name in words or name in started:
                enabled = "enabled" if name in started else "disabled"
                facts.put("host.service", Fact(effective={"active": "", "enabled": enabled}), name)
        return
    sysrc = collected.get("host.sysrc")
    if sysrc is not None and sysrc.unreadable is None:
        for name, value in re.findall(
            r"^(samba_server|smbd|nmbd|winbindd)_enable: (\S+)", visible(sysrc.out), re.MULTILINE
        ):
            state = {"active": "", "enabled": "enabled" if value.upper() == "YES" else "disabled"}
            facts.put("host.service", Fact(effective=state), name)


SERVERS = frozenset({"samba", "samba-server", "samba-ad-dc", "samba4", "ksmbd-tools"})
SERVICES = frozenset({"smbd", "smb", "nmbd", "nmb", "samba", "samba-ad-dc", "ksmbd", "samba_server"})


def in_use(facts: FactSet) -> None:
    """Put which SMB servers are installed, and which are running or start at boot (what benchmarks ask)."""
    unread = facts.get("host.packages_read") or Fact()
    if unread.unreadable is not None:
        facts.put("host.smb_server_packages", Fact(unreadable=unread.unreadable))
    else:
        facts.put("host.smb_server_packages", Fact(effective=sorted(SERVERS & set(facts.objects("host.package")))))
    processes = facts.get("host.processes_read") or Fact(unreadable="no ps on the host")
    if processes.unreadable is not None:
        facts.put("host.smb_server_in_use", Fact(unreadable=processes.unreadable))
        return
    running = {
        name for name in ("smbd", "nmbd", "samba", "ksmbd.mountd") if facts.get("host.process", name) is not None
    }
    for name, fact in facts.objects("host.service").items():
        state = fact.effective if isinstance(fact.effective, dict) else {}
        if name in SERVICES and (state.get("active") == "active" or state.get("enabled") == "enabled"):
            running.add(name)
    facts.put("host.smb_server_in_use", Fact(effective=sorted(running)))
