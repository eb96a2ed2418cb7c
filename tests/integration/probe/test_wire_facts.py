# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers: each is told for what it is, and what the wire says never contradicts a configuration that is in force."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.document import fault, standing
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.fingerprints import identify
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.wire import wire_facts
from tests.lab.probe import impacket_server, ksmbd, smbd
from tests.lab.probe.ask import ask
from tests.lab.probe.servers import IMPACKET, KSMBD, LONG, SAMBA

CHECKS = ["dialects", "signing", "ciphers", "identity", "smb1", "anonymous", "guest"]
DEFAULTS = {
    "server min protocol": "SMB2_02",
    "server max protocol": "SMB3_11",
    "server signing": "default",
    "server smb encrypt": "default",
    "map to guest": "Never",
    "server smb3 encryption algorithms": ["AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"],
    "server smb3 signing algorithms": ["AES-128-GMAC", "AES-128-CMAC", "HMAC-SHA256"],
}
"""smb.conf(5) of 4.17."""
SPELT = {"auto": "desired", "off": "disabled", "bad user": "Bad User"}
DENIED = "denied"
"""It hangs up on everybody: nothing of it can be known."""

UNTOLD = ("no-ccm", "only-cmac")
"""They answer some offers with STATUS_INVALID_PARAMETER, which is no refusal: their floor may stay unknown."""


def configured(name: str) -> dict[str, object]:
    """Return what a server was configured to, in the words of the property table."""
    found: dict[str, object] = dict(DEFAULTS)
    for line in SAMBA[name].lines:
        key, _equals, value = (part.strip() for part in line.partition("="))
        if key in found:
            found[key] = value.split() if "algorithms" in key else SPELT.get(value, value)
    return {f"samba.{key.replace(' ', '_')}": value for key, value in found.items()}


def facts_of(values: dict[str, object]) -> FactSet:
    known = FactSet()
    for name, value in values.items():
        known.put(name, Fact(configured=value))
    return known


@pytest.fixture(scope="module")
def samba(lab, tmp_path_factory):
    smbd.require()
    with smbd.running(lab, SAMBA, tmp_path_factory.mktemp("smbd")):
        yield ask(lab, [server.addresses[0] for server in SAMBA.values()], checks=CHECKS, **LONG).answers


def known_as(document):
    assert fault(document) == ""
    found = identify(document, catalogue.fingerprints())
    return dataclasses.replace(found, evidence=())


@pytest.mark.parametrize("name", [name for name in SAMBA if name != DENIED])
def test_smbd_is_samba_and_tells_its_version_only_over_smb1(samba, name):
    document = samba[SAMBA[name].addresses[0]]
    found = known_as(document)
    smb1 = any(port.get("smb1", {}).get("native_lm") for port in document["ports"].values())
    assert standing(document) == "open"
    if name == "lanman-only":  # neither a GUID nor strings: nothing marks it
        assert found.name in ("samba", "unknown")
        return
    assert found.name == "samba"
    assert bool(found.version) is smb1


@pytest.mark.parametrize("name", [name for name in SAMBA if name != DENIED])
def test_a_configuration_in_force_is_not_contradicted(samba, name):
    believed = configured(name)
    found = wire_facts([samba[SAMBA[name].addresses[0]]], ["samba"], facts_of(believed))
    told = {fact_id: fact for fact_id, _obj, fact in found}
    assert {"samba.server_min_protocol", "samba.server_max_protocol"} <= told.keys()
    certain = {fact_id: fact.wire for fact_id, fact in told.items() if fact.unreadable is None}
    assert certain == {fact_id: believed[fact_id] for fact_id in certain}
    assert name in UNTOLD or len(certain) == len(told)


@pytest.mark.parametrize(
    ("name", "fact_id", "believed", "seen"),
    [
        ("nt1-to-311", "samba.server_min_protocol", "SMB3_11", "NT1"),
        ("defaults", "samba.server_min_protocol", "SMB3_00", "SMB2_02"),
        ("21-to-302", "samba.server_max_protocol", "SMB3_11", "SMB3_02"),
        ("signing-off", "samba.server_signing", "mandatory", "if_required"),
        ("signing-on", "samba.server_signing", "if_required", "mandatory"),
        ("encryption-off", "samba.server_smb_encrypt", "required", "disabled"),
        ("encryption-required", "samba.server_smb_encrypt", "disabled", "if_required"),
        ("two-ciphers", "samba.server_smb3_encryption_algorithms", ["AES-256-GCM"], ["AES-256-GCM", "AES-128-CCM"]),
        ("guests", "samba.map_to_guest", "Never", "Bad User"),
    ],
)
def test_another_configuration_is(samba, name, fact_id, believed, seen):
    found = wire_facts([samba[SAMBA[name].addresses[0]]], ["samba"], facts_of({fact_id: believed}))
    assert found.get(fact_id) == Fact(wire=seen)


def test_a_server_that_hangs_up_on_everybody_is_not_known(samba):
    document = samba[SAMBA[DENIED].addresses[0]]
    assert known_as(document).name == "unknown"
    found = wire_facts([document], ["samba"], facts_of(configured("strict")))
    assert not [fact_id for fact_id, _obj, fact in found if fact.unreadable is None]


@pytest.mark.parametrize("name", IMPACKET)
def test_impacket_is_told(lab, name):
    impacket_server.require()
    address = IMPACKET[name].addresses[0]
    with impacket_server.impacket(lab, address, name.partition("-")[2]):
        found = known_as(ask(lab, [address], checks=CHECKS, **LONG).answers[address])
    assert found.name == ("impacket" if name == "impacket-smb2" else "unknown")


def test_ksmbd_is_told(lab, tmp_path):
    ksmbd.require()
    with ksmbd.running(lab, KSMBD, tmp_path):
        said = ask(lab, [server.addresses[0] for server in KSMBD.values()], checks=CHECKS[:4], **LONG).answers
    assert {known_as(document).name for document in said.values()} == {"ksmbd"}
