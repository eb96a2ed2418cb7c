# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's page shows of a Windows host, hostile text included."""

from __future__ import annotations

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._report.host_tables import tables


def shown(facts: FactSet) -> dict[str, tuple]:
    return {table.caption: table.rows for table in tables(facts) if table.rows}


def test_a_host_without_smb_has_no_table():
    assert shown(FactSet()) == {}


def test_windows_shares():
    facts = FactSet()
    facts.put("windows.share", Fact(configured={"path": "D:\\data", "type": "FileSystemDirectory"}), "data")
    facts.put("windows.share_broad_access", Fact(configured=["Everyone: Full"]), "data")
    facts.put("windows.share_encrypt", Fact(effective=True), "data")
    facts.put("windows.share_caching", Fact(unreadable="access denied"), "data")
    facts.put("windows.share", Fact(configured={"path": "", "type": "InterprocessCommunication"}), "IPC$")
    facts.put("windows.share", Fact(unreadable="Get-SmbShare: access denied\x1b[2J"), "x\x1b")
    facts.put("windows.share_broad_access", Fact(configured=[]), "x\x1b")
    assert shown(facts)["Shares"] == (
        ("data", "D:\\data", "FileSystemDirectory", "Everyone: Full", "yes", "", "unknown"),
        ("IPC$", "", "InterprocessCommunication", "", "", "", ""),
        ("x\\x1b", "Get-SmbShare: access denied\\x1b[2J", "", "nobody else", "", "", ""),
    )


def test_windows_firewall():
    facts = FactSet()
    for profile in ("public", "domain"):
        facts.put("firewall.enabled", Fact(effective=True), profile)
        facts.put("firewall.inbound_default", Fact(effective="block"), profile)
    facts.put("firewall.inbound_445", Fact(effective=[]), "public")
    facts.put("firewall.inbound_445", Fact(effective=["any"]), "domain")
    facts.put("firewall.inbound_netbios", Fact(unreadable="denied"), "domain")
    assert shown(facts)["Windows firewall"] == (
        ("domain", "yes", "block", "any", "unknown", "unknown", "unknown"),
        ("public", "yes", "block", "nobody", "unknown", "unknown", "unknown"),
    )


def test_a_session_names_its_client_once():
    facts = FactSet()
    same = {"user": "alice", "machine": "10.0.0.9", "address": "10.0.0.9", "dialect": "3.1.1", "signing": "yes"}
    facts.put("usage.session", Fact(effective=same), "1")
    facts.put("usage.session", Fact(effective={**same, "machine": "pc9"}), "2")
    assert shown(facts)["Sessions at that moment"] == (
        ("alice", "10.0.0.9", "3.1.1", "yes", ""),
        ("alice", "pc9 10.0.0.9", "3.1.1", "yes", ""),
    )
