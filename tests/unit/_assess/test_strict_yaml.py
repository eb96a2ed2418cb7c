# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that people write: whatever is in them, one sentence with file and line, and no traceback."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import exceptions, profiles, strict_yaml
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Profile
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet

ENTRY = "- kind: waiver\n  control: samba-guest-ok\n  hosts: [a]\n  reason: r\n  owner: o\n  expires: 2027-01-31\n"


def write(tmp_path, text, name="file.yml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return str(path)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("exceptions: []\nexceptions: []\n", 2, "stands twice"),
        (f"{ENTRY}{ENTRY.replace('2027-01-31', '2027-02-30')}", 12, "is no value: day is out of range"),
        ("a: 1\n\nb: \x07\n", 3, "a character that YAML does not allow"),
        (f"{ENTRY}  where: here\n", 1, "where: unknown key"),
        ("- ? [x]\n  : y\n", 1, "a key must be one word"),
        ("- ? {x: 1}\n  : y\n", 1, "a key must be one word"),
        ("just words\n", 1, "no list of exceptions"),
        ("{}\n", 1, "no list of exceptions"),
        ("- just words\n", 1, "it is not a mapping"),
        (f"{ENTRY}---\n{ENTRY}", 7, "but found another document"),
        ("- !!python/object/apply:os.system [id]\n", 1, "could not determine a constructor"),
        ("- kind: waiver\n\tcontrol: x\n", 2, "found character '\\t'"),
        (ENTRY.replace("waiver", "force").replace("[a]", '["web?"]'), 1, "more than named hosts"),
        (f"{ENTRY.replace('hosts: [a]', 'hosts: []')}", 1, "hosts is empty"),
        (f"{ENTRY.replace('reason: r', 'reason: 7')}", 1, "reason: expected str"),
        (f"{ENTRY.replace('owner: o', 'owner:')}", 1, "owner: expected str"),
        (f"{ENTRY.replace('2027-01-31', '2027-01-31T10:00:00')}", 1, "expected a date"),
    ],
)
def test_malformed(tmp_path, text, line, words):
    path = write(tmp_path, text)
    with pytest.raises(BadInput) as caught:
        exceptions.load_exceptions(path, catalogue.controls())
    assert f"{path}:{line})" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "exceptions:\n", "exceptions: []\n", "---\n", "\ufeffexceptions: []\n"]
)
def test_an_empty_file_has_no_exceptions(tmp_path, text):
    assert exceptions.load_exceptions(write(tmp_path, text), catalogue.controls()) == []


def test_files_that_are_no_text(tmp_path):
    for data, words in ((b"\xff\xfe\x00", "codec can't decode"), (b"#" * (strict_yaml.MAX_BYTES + 1), "too large")):
        with pytest.raises(BadInput, match=words):
            exceptions.load_exceptions(write(tmp_path, data), ())
    for path in (str(tmp_path), str(tmp_path / "missing.yml"), "/a\0b", "/dev/zero"):
        with pytest.raises(BadInput):
            exceptions.load_exceptions(path, ())


def test_depth_is_bounded(tmp_path):
    with pytest.raises(BadInput, match="nested too deeply"):
        exceptions.load_exceptions(write(tmp_path, "[" * 3000), ())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.sampled_from("-: \n[]{}'\"#&*!|>?%@`,ab1\t\x07"), max_size=60))
def test_any_text_is_read_or_refused(tmp_path, text):
    path = write(tmp_path, text)
    for read in (lambda: exceptions.load_exceptions(path, ()), lambda: load_inputs(path, None)):
        try:
            read()
        except BadInput as error:
            assert path in str(error)


OWN = "id: mine\ntitle: Mine\nbase: recommended\nextends: true\nrules:\n  - control: samba-deadtime\n    value: 30\n"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("samba-deadtime", "samba-deadtme"), 6, "did you mean 'samba-deadtime'"),
        (("value: 30", "value: '30'"), 7, "is no integer"),
        (("value: 30", "value: 1e1"), 7, "is no integer"),
        (("recommended", "hardened"), 3, "'hardened' is none of recommended"),
        (("title: Mine", "titel: Mine"), 2, "unknown key"),
        (("extends: true", "extends: maybe"), 4, "expected bool"),
        (("    value: 30", "    value: 30\n    severity: bad"), 8, "expected one of critical"),
        (("    value: 30", "    value: 30\n    rule: 6.12"), 8, "expected str"),
        (("    value: 30", "    value: 30\n    value: 31"), 8, "stands twice"),
        (("samba-deadtime\n    value: 30", "samba-conf-perms\n    value: 0644"), 7, "no file mode in quotes"),
        (("samba-deadtime\n    value: 30", "samba-full-audit\n    value: []"), 7, "asks for nothing"),
        (("samba-deadtime\n    value: 30", "samba-valid-users\n    value: x"), 7, "has no effect"),
        (("samba-deadtime\n    value: 30", "samba-server-min-protocol\n    value: SMB4"), 7, "is no value of"),
        (("samba-deadtime\n    value: 30", "samba-server-min-protocol\n    value: [SMB3_11]"), 7, "needs one value"),
        (("value: 30", "value: 30\nexclude:\n  - samba-guest-ok\n  - samba-guest-okay"), 10, "did you mean"),
        (("value: 30", "value: 30\nwhen: {version: '>=4'}"), 8, "would be ignored"),
    ],
)
def test_a_profile_that_cannot_be_used_names_its_line(tmp_path, change, line, words):
    path = write(tmp_path, OWN.replace(*change))
    with pytest.raises(BadInput) as caught:
        load_inputs(path, None)
    assert f"{path}:{line})" in str(caught.value)
    assert words in str(caught.value)


def test_a_profile_that_selects_nothing_is_refused(tmp_path):
    path = write(tmp_path, "id: mine\ntitle: Mine\n")
    with pytest.raises(BadInput, match="it selects no control"):
        load_inputs(path, None)
    path = write(tmp_path, "id: mine\ntitle: Mine\nrules: [{control: samba-deadtime}]\nexclude: [samba-deadtime]\n")
    with pytest.raises(BadInput, match="it selects no control"):
        load_inputs(path, None)


def test_no_benchmark_fits_an_unknown_system():
    shipped = list(catalogue.profiles().values())
    for system in (None, {}, {"id": ""}):
        facts = FactSet()
        facts.put("host.os", Fact(configured=system))
        assert profiles.fitting(shipped, facts) == []
    facts = FactSet()
    facts.put("host.os", Fact(unreadable="Permission denied"))
    assert profiles.fitting(shipped, facts) == []
    assert profiles.fitting([Profile("mine", "Mine")], facts)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ({"id": "debian", "version": "12"}, ["cis-debian-12"]),
        ({"id": "ubuntu", "id_like": ["debian"], "version": "24.04"}, ["cis-ubuntu-24.04"]),
        ({"id": "ubuntu", "id_like": ["debian"], "version": "23.10"}, []),
        ({"id": "rhel", "id_like": ["fedora"], "version": "9.4"}, ["cis-rhel-9"]),
        ({"id": "rocky", "id_like": ["rhel", "centos", "fedora"], "version": "9.3"}, ["cis-rocky-9"]),
        ({"id": "sles", "id_like": ["suse"], "version": "15.6"}, ["cis-sles-15"]),
        ({"id": "debian", "version": ""}, []),
        ({"id": "freebsd", "version": "14.1"}, []),
    ],
)
def test_the_benchmark_of_exactly_that_system_fits(system, expected):
    facts = FactSet()
    facts.put("host.os", Fact(configured=system))
    assert [item.id for item in profiles.fitting(list(catalogue.profiles().values()), facts)] == expected


def test_an_object_is_also_taken_by_its_name(tmp_path):
    text = ENTRY.replace("  reason", "  object: 'data[1]'\n  reason")
    (record,) = exceptions.load_exceptions(write(tmp_path, text), catalogue.controls())
    assert record.object == "data[1]"
