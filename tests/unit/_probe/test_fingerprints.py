# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which implementation answers: the table with its examples, and what is made of marks that agree, contradict or miss."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import decode
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe import marks
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.check import check_fingerprint
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.fingerprints import Fingerprint, identify, matches
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.marks import Mark

SOURCE = pathlib.Path(marks.__file__).with_name("fingerprints.yml")
ROWS = [decode(Fingerprint, row) for row in yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["fingerprints"]]
SAMBA_GUID = "66696c65733031000000000000000000"
SAMBA = {"guid": SAMBA_GUID, "boot_time": "", "ntlm": {"version": "6.1.0", "revision": 15}}
WINDOWS = {"ntlm": {"version": "10.0.20348", "revision": 15}, "guid": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}


def known(*ports, named=""):
    names = ("445/tcp", "139/tcp", "4450/tcp")
    return identify({"ports": dict(zip(names, ports, strict=False))}, catalogue.fingerprints(), named)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_has_a_source_and_examples_that_hold(row):
    assert check_fingerprint(row) == []


def test_what_is_loaded_is_what_was_written():
    assert list(catalogue.fingerprints()) == [dataclasses.replace(row, examples=()) for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_no_example_is_taken_for_another_implementation(row):
    for example in row.examples:
        if example.matches:
            assert {match.implementation for match in matches(example.port, ROWS)} == {row.implementation}


def test_each_family_of_the_issue_is_told():
    told = {row.implementation for row in ROWS}
    assert {"windows", "samba", "ksmbd", "macos", "nq", "likewise", "impacket"} <= told


def test_samba_is_told_by_its_guid_and_its_version_by_smb1():
    found = known(SAMBA)
    assert (found.name, found.version) == ("samba", "")
    assert found.evidence == ("GUID spells the name files01; boot time not disclosed (445/tcp samba-guid)",)
    full = known({**SAMBA, "smb1": {"native_os": "Windows 6.1", "native_lm": "Samba 4.17.12-Debian"}})
    assert (full.name, full.version) == ("samba", "4.17.12-Debian")
    assert "SMB1 native_lm Samba 4.17.12-Debian (445/tcp samba-native-lm)" in full.evidence


@pytest.mark.parametrize(
    "port",
    [
        {"smb1": {"native_os": "Windows 6.1", "native_lm": ""}},
        {"smb1": {"native_os": "Windows 6.1", "native_lm": "Windows 6.1"}},
        {"ntlm": {"version": "6.1.0", "revision": 15}},
        {"ntlm": {"version": "6.1.7601", "revision": 15}, "dialects": {"3.1.1": {"answer": "accepted"}}},
        {"ntlm": {"version": "10.0.99999", "revision": 15}},
    ],
)
def test_windows_is_not_believed_on_its_name_alone(port):
    found = known(port)
    assert found.name == "unknown"
    assert found.evidence[0].startswith("no sourced mark: ")
    assert next(iter((port.get("ntlm") or port.get("smb1")).values())) in found.evidence[0]


def test_windows_is_known_by_its_build():
    found = known(WINDOWS)
    assert (found.name, found.version, found.product) == ("windows", "10.0.20348", "Windows Server 2022")
    both = known(
        {
            "ntlm": {"version": "6.3.9600", "revision": 15},
            "dialects": {"3.0.2": {"answer": "accepted"}},
            "smb1": {"native_os": "Windows Server 2012 R2 Standard 9600", "native_lm": "x"},
        }
    )
    assert (both.name, both.version, both.product) == ("windows", "6.3.9600", "Windows Server 2012 R2 Standard")
    assert len(both.evidence) == 2


def test_marks_that_contradict_each_other_make_it_unknown_with_both():
    found = known({**WINDOWS, "guid": SAMBA_GUID, "boot_time": ""})
    assert found.name == "unknown"
    assert set(found.candidates) == {"samba", "windows"}
    assert len(found.evidence) == 2
    ports = known(SAMBA, WINDOWS)
    assert ports.name == "unknown"
    assert {text.rpartition("(")[2].partition(" ")[0] for text in ports.evidence} == {"445/tcp", "139/tcp"}


def test_a_name_that_the_user_gives_fills_the_gap_and_never_overrules():
    silent = known({"ntlm": {"version": "6.1.0", "revision": 15}}, named="mosmb")
    assert (silent.name, silent.named) == ("mosmb", True)
    assert silent.evidence[-1] == "named by breakwater_implementation"
    assert known(SAMBA, named="mosmb").name == "samba"
    decided = known(SAMBA, WINDOWS, named="samba")
    assert (decided.name, set(decided.candidates)) == ("samba", {"samba", "windows"})


def test_nothing_that_answers_has_no_identity():
    assert known({"state": "closed"}) == known()
    assert known().name == "unknown"
    assert known().evidence == ()


def test_a_guid_may_be_written_in_either_way():
    raw = bytes.fromhex(SAMBA_GUID)
    import uuid

    assert marks.guid_bytes({"guid": str(uuid.UUID(bytes_le=raw))}) == raw == marks.guid_bytes({"guid": SAMBA_GUID})
    assert marks.guid_bytes({"guid": "nonsense"}) == b""
    assert marks.guid_bytes({}) == b""


def test_text_of_the_host_with_braces_stays_text():
    row = Fingerprint("x", "x", Mark(native_lm="LM (?P<version>.*)"), "a source", "{version} of {product}", "{version}")
    port = {"smb1": {"native_lm": "LM {version}{{ 7*7 }}"}}
    (found,) = matches(port, [row])
    assert (found.version, found.product) == ("{version}{{ 7*7 }}", "{version}{{ 7*7 }} of {product}")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"source": " "}, "names no source"),
        ({"examples": ()}, "no example matches"),
        ({"mark": Mark()}, "asks nothing"),
        ({"mark": Mark(native_lm="(")}, "native_lm is no pattern"),
        ({"mark": Mark(guid="(")}, "guid is no pattern"),
        ({"mark": Mark(guid="name", ceiling="4.0")}, "'4.0' is no dialect"),
        ({"mark": Mark(sizes=("1",))}, "is not transact/read/write"),
        ({"id": "Bad Id"}, "is no word"),
        ({"version": "7"}, "gives version '7'"),
        ({"mark": Mark(guid="zero")}, "example 1 does not match"),
    ],
)
def test_a_bad_row_is_named(change, complaint):
    row = next(row for row in ROWS if row.id == "samba-guid")
    assert complaint in "; ".join(check_fingerprint(dataclasses.replace(row, **change)))
