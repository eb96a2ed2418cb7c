# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a collected answer to facts about SMB on Windows.

Every reader below is total: whatever a field holds, the others are read, and what could not be read says so.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from ..._model.answer import document, mapping, missing, number, text
from ..._model.collected import Collected, Reading, SectionError
from ..._model.fact import Fact, FactSet
from ..._model.setting import Setting
from . import adapters, hardened, quic, shares, smb1, truths, usage
from .origin import origins
from .product import Product, product
from .stores import SMB_CMDLETS, stores

_IMPORTANT = ("windows.shares_read", "windows.smb1_server", "windows.policy_source_read", "windows.netbios_options")
"""Facts whose loss is an error of its own."""


def read(collected: Collected, settings: Mapping[str, Setting], host: FactSet, today: datetime.date) -> Reading:
    """Return what the answer says about the SMB server and client of Windows.

    Args:
        collected: the host's answer.
        settings: the property table, by fact id.
        host: facts that the host reader found.
        today: for the days that certificates have left.
    """
    reading = Reading()
    facts = reading.facts
    windows = product(collected, host)
    reading.implementations.extend(windows.implementations())
    places = stores(collected, windows.release)
    sources = origins(collected, windows)
    truths.read(settings, places, sources, windows, facts)
    smb1.read(collected, places, sources, windows, facts)
    hardened.read(places, facts)
    shares.read(collected, windows, facts)
    usage.read(collected, facts, reading.errors)
    adapters.read(collected, host, facts)
    quic.read(collected, today, facts, reading.errors)
    _cluster(collected, windows, facts)
    facts.put("windows.wins_server", _wins(collected, host))
    for record_id, why in places.unread.items():
        if not (record_id in places.lacking and (0, 0) < windows.release < SMB_CMDLETS):
            reading.errors.append(SectionError(record_id, why))
    for fact_id in _IMPORTANT:
        unread = next(
            (fact.unreadable for fact in facts.objects(fact_id).values() if fact.unreadable is not None), None
        )
        if unread is not None:
            reading.errors.append(SectionError(fact_id, unread))
    return reading


def _cluster(collected: Collected, windows: Product, facts: FactSet) -> None:
    """Put how a failover cluster protects what its nodes tell each other."""
    if missing(collected, "windows.cluster") or collected.get("windows.cluster") is None:
        if "cluster" in windows.traits:
            facts.put("windows.cluster_security_level", Fact(unreadable="the cluster's cmdlets are not there"))
        return
    data, why = document(collected, "windows.cluster")
    for fact_id, name in (
        ("windows.cluster_security_level", "SecurityLevel"),
        ("windows.cluster_storage_level", "SecurityLevelForStorage"),
    ):
        level = number(data.get(name))
        if level is not None and why is None:
            facts.put(fact_id, Fact(effective=level))
        elif why is not None or fact_id == "windows.cluster_security_level" or name in data:
            facts.put(fact_id, Fact(unreadable=why or f"{name} is not told"))


def _wins(collected: Collected, host: FactSet) -> Fact:
    """Whether the host is a WINS server: by its service, or by the feature."""
    whole = host.get("host.services_read") or Fact(unreadable="host.services: the collector did not bring it")
    if host.get("host.service", "WINS") is not None:
        return Fact(effective=True)
    features, why = document(collected, "host.server_features")
    if why is None and text(mapping(features).get("WINS")).lower() in ("installed", "uninstallpending"):
        return Fact(effective=True)
    return Fact(unreadable=whole.unreadable) if whole.unreadable is not None else Fact(effective=False)
