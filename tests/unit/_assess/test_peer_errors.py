# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What well-known tools get wrong about Samba, and the mistakes that could be made on any platform.

Those about Windows are in tests/unit/windows/test_windows_peer_errors.py.
"""

from __future__ import annotations

import datetime

import pytest
import yaml

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess import operators
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.check import check_control, judge_example
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import decode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected, Record
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Example
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet

SETTINGS = catalogue.every_setting()
SAMBA = catalogue.settings("samba")
TODAY = datetime.date(2026, 11, 24)
SOURCES = {
    path.stem: decode(Control, yaml.safe_load(path.read_text(encoding="utf-8")))
    for path in sorted((catalogue.COMPILED.parents[1] / "_implementations").glob("*/controls/*.yml"))
}


def verdict(control, conf, version="4.17.12", profile="recommended", **files):
    """Judge a host whose smb.conf is that text, without testparm."""
    records = [
        Record("samba.version", "smbd --version", f"Version {version}"),
        Record("samba.conf", "smbd -b", "/etc/samba/smb.conf"),
        Record("samba.file", "/etc/samba/smb.conf", conf),
        *(Record("samba.file", f"/etc/samba/{name}.conf", text) for name, text in files.items()),
    ]
    reading = read(Collected(records, "0"), SAMBA, FactSet(), TODAY)
    value = catalogue.controls()[control].values[profile]
    findings = assess(
        reading.facts,
        reading.implementations,
        catalogue.controls(),
        SETTINGS,
        [Selection(control, value)],
        today=TODAY,
    )
    return {finding.verdict for finding in findings}


# ComplianceAsCode require_smb_client_signing: lower-case keys only, one spelling only, a fix for "= no" only.
@pytest.mark.parametrize(
    "line",
    [
        "client signing = mandatory",
        "client signing = required",
        "Client Signing = Required",
        "CLIENTSIGNING=FORCE",
        "  client   signing   =   Forced  ",
        "client sig\\\n   ning = mandatory",
    ],
)
def test_client_signing_in_every_spelling_that_requires_it(line):
    assert verdict("samba-client-signing", f"[global]\n{line}\n") == {"pass"}


@pytest.mark.parametrize(
    "conf",
    [
        "[global]\n",
        "[global]\n# client signing = mandatory\n",
        "[global]\n; client signing = mandatory\n",
        "[global]\nclient signing = auto\n",
        "[global]\nclient signing = no\n",
        "[global]\nclient signing = yes\n",
        "[global]\nserver signing = mandatory\n",
        "[global]\nclient signing = mandatory\nclient signing = no\n",
        "[global]\nclient signing = mandatory\n[a]\npath = /a\n[GLOBAL]\nClient Signing = Off\n",
        "[global]\nclient ipc signing = mandatory\n",
    ],
)
def test_client_signing_that_is_not_required(conf):
    assert verdict("samba-client-signing", conf) == {"fail"}


def test_client_signing_in_an_include_is_seen():
    conf = "[global]\nclient signing = no\ninclude = /etc/samba/signing.conf\n"
    assert verdict("samba-client-signing", conf, signing="client signing = required\n") == {"pass"}


def test_client_signing_in_an_include_that_cannot_be_read_is_unknown():
    conf = "[global]\nclient signing = mandatory\ninclude = /etc/samba/elsewhere.conf\n"
    assert verdict("samba-client-signing", conf) == {"unknown"}


def test_a_wrong_value_is_found_whatever_it_is():
    """A fix that looks for one bad spelling misses the others; a verdict must not."""
    for word in ("no", "false", "0", "off", "disabled", "auto", "if_required", "desired", "default", "yes"):
        assert verdict("samba-client-signing", f"[global]\nclient signing = {word}\n") == {"fail"}, word


# ComplianceAsCode smb_server_disable_root is text only; here it is judged.
def test_root_on_shares_is_judged():
    shares = "[a]\npath = /a\n[b]\npath = /b\ninvalid users = @wheel, root\n"
    assert verdict("samba-invalid-users-root", f"[global]\n{shares}", profile="strict") == {"fail"}
    inherited = f"[global]\ninvalid users = root\n{shares}"
    assert verdict("samba-invalid-users-root", inherited, profile="strict") == {"pass"}
    too_late = f"{shares}[global]\ninvalid users = root\n"  # a share takes its defaults where it begins
    assert verdict("samba-invalid-users-root", too_late, profile="strict") == {"fail"}


# Audits of what is written alone take a default for a fault, or a fault for a default.
@pytest.mark.parametrize(
    ("control", "version", "profile", "expected"),
    [
        ("samba-server-min-protocol", "4.17.12", "legacy", "pass"),
        ("samba-server-min-protocol", "4.10.18", "legacy", "fail"),
        ("samba-client-min-protocol", "4.11.0", "legacy", "pass"),
        ("samba-client-min-protocol", "4.10.18", "legacy", "fail"),
        ("samba-reject-md5", "4.18.0", "recommended", "pass"),
        ("samba-reject-md5", "4.14.14", "recommended", "fail"),
        ("samba-reject-md5", "4.17.3", "recommended", "fail"),  # the default changed in security releases
        ("samba-reject-md5", "4.17.4", "recommended", "pass"),
        ("samba-reject-md5", "4.16.8-Debian", "recommended", "pass"),
        ("samba-server-schannel", "4.8.0", "recommended", "pass"),
        ("samba-server-schannel", "4.7.12", "recommended", "fail"),
        ("samba-ntlm-auth", "4.7.0", "recommended", "pass"),
        ("samba-ntlm-auth", "4.4.0", "recommended", "fail"),
    ],
)
def test_nothing_written_means_the_default_of_that_release(control, version, profile, expected):
    assert verdict(control, "[global]\n", version, profile) == {expected}


# Wrong key, swapped key, existence tested elsewhere: each fact that a control names must decide, and no other.
@pytest.mark.parametrize("control", SOURCES.values(), ids=SOURCES)
def test_every_test_of_a_control_decides(control):
    (good, *_rest) = [example for example in control.examples if example.verdict == "pass"]
    for test in control.tests:
        if test.fact in good.facts:
            facts = {**good.facts, test.fact: "unreadable: Permission denied"}
            assert judge_example(control, changed(good, facts), SETTINGS) == "unknown", test.fact


@pytest.mark.parametrize("control", SOURCES.values(), ids=SOURCES)
def test_nothing_observed_is_never_a_pass(control):
    (good, *_rest) = [example for example in control.examples if example.verdict == "pass"]
    listed = control.per and control.per not in {test.fact for test in control.tests}
    objects = {control.per: good.facts[control.per]} if listed else {}
    nothing = ("unknown", "not_applicable", *(["manual"] if control.manual else []))
    assert judge_example(control, changed(good, objects), SETTINGS) in nothing


def changed(example, facts):
    return Example(example.verdict, facts, example.profile, example.traits, example.version)


# Inverted values: the strongest step of a scale passes wherever any step passes.
def test_no_scale_is_upside_down():
    for control in SOURCES.values():
        for test in control.tests:
            scale = SETTINGS[test.fact].scale if test.fact in SETTINGS else ()
            for value in control.values.values() if scale and test.operator in ("at_least", "at_most") else ():
                wanted = test.value or Selection(control.id, value).value_for(test.fact)
                assert operators.holds("at_least", scale[-1], wanted, scale), control.id
                assert test.operator == "at_least", f"{control.id}: scales go from weak to strong"


# The wrong number base (311 for 0x311; 0644 that YAML reads as 420), absent for zero, text for numbers.
@pytest.mark.parametrize(
    ("operator", "value", "wanted", "expected"),
    [
        ("equals", 311, 0x311, False),
        ("equals", "785", 785, False),
        ("at_least", "0x311", 785, None),
        ("mode_within", "0644", 0o644, None),
        ("mode_within", 0o644, "0644", None),
        ("mode_within", "420", "0644", False),  # what YAML made of 0644, read as octal: r---w----
        ("equals", None, 0, False),
        ("equals", "", 0, False),
        ("is_empty", 0, None, False),
        ("at_most", None, 0, None),
    ],
)
def test_number_bases_and_absence(operator, value, wanted, expected):
    assert operators.holds(operator, value, wanted) is expected


def test_a_mode_without_quotes_is_refused_in_a_control():
    source = SOURCES["samba-conf-perms"]
    bad = decode(Control, {**document(source), "values": {"recommended": 0o644}})
    assert any("no file mode in quotes" in item for item in check_control(bad, SETTINGS))


def document(control):
    return {
        "id": control.id,
        "title": control.title,
        "severity": control.severity,
        "area": control.area,
        "when": {"implementation": "samba"},
        "tests": [{"fact": test.fact, "operator": test.operator, "value": test.value} for test in control.tests],
        "values": control.values,
        "remedy": control.remedy,
    }


# Lists are sets: order, case and spacing do not matter.
@pytest.mark.parametrize("written", ["AES-256-GCM, AES-128-GCM", "aes-128-gcm aes-256-gcm", "AES-128-GCM,AES-256-GCM"])
def test_lists_are_compared_as_sets(written):
    conf = f"[global]\nserver smb3 encryption algorithms = {written}\n"
    assert verdict("samba-server-smb3-encryption-algorithms", conf, profile="strict") == {"pass"}


# A rule that fell back to "manual" enforces nothing: what a person must judge is named here, and is never severe.
def test_only_these_controls_need_a_person():
    manual = {control.id for control in SOURCES.values() if control.manual}
    assert manual == {
        "samba-allow-trusted-domains",
        "samba-enable-privileges",
        "samba-null-session-pipes",
        "samba-read-only",
        "win-no-inplace-sharing",
    }
    assert {SOURCES[name].severity for name in manual} == {"info"}


# Names that a host's language changes decide nothing: root is the user with the number 0.
def test_the_collector_speaks_no_language_and_root_is_a_number():
    core = (catalogue.COMPILED.parents[1] / "_remote" / "core.sh").read_text(encoding="utf-8")
    assert "LC_ALL=C" in core
    assert "samba.guest_account_uid" in {test.fact for test in SOURCES["samba-guest-account"].tests}


@pytest.mark.parametrize("said", ["cat: cannot open {}: Permission denied", "cat: can't open '{}': Permission denied"])
def test_an_include_that_may_not_be_read_is_not_a_missing_one(said):
    path = "/etc/samba/closed.conf"
    conf = f"[global]\nclient signing = mandatory\ninclude = {path}\n"
    records = [
        Record("samba.version", "smbd --version", "Version 4.17.12"),
        Record("samba.conf", "smbd -b", "/etc/samba/smb.conf"),
        Record("samba.file", "/etc/samba/smb.conf", conf),
        Record("samba.file", path, "", said.format(path), 1),
    ]
    facts = read(Collected(records, "1000"), SAMBA, FactSet(), TODAY).facts
    assert facts.get("samba.client_signing").unreadable is not None
