# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must never happen in judging: a pass without evidence, host text that is filled in, a lost cause."""

from __future__ import annotations

import dataclasses
import datetime
import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.assess import assess
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.check import check_control
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.load import control_of
from ansible_collections.breakwater.smb.plugins.plugin_utils._assess.profiles import Selection
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.codec import encode
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Implementation
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.control import Control, Test
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.finding import VERDICTS
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.when import When

TODAY = datetime.date(2026, 11, 24)
SERVER = Implementation("samba", "4.17.12", "server", True, ("standalone",))
CLIENT = Implementation("samba", "4.17.12", "client")
SIGNING = Setting(
    "samba.server_signing",
    "server signing",
    "global",
    "enum",
    scale=("disabled", "if_required", "mandatory"),
    restart="restart",
)
SETTINGS = {SIGNING.id: SIGNING}


def control(*tests, per="", remedy="Set '{setting} = {value}' in [{object}].", when=None, manual=False):
    return Control(
        "c",
        "A title",
        "high",
        "signing",
        when or When("samba"),
        tests,
        {"recommended": None},
        remedy,
        per=per,
        manual=manual,
    )


def judge(asked, facts, value=None, implementations=(SERVER,)):
    book = FactSet()
    for fact_id, fact in facts.items():
        for obj, item in fact.items() if isinstance(fact, dict) else [("", fact)]:
            book.put(fact_id, item, obj)
    return assess(book, implementations, {"c": asked}, SETTINGS, [Selection("c", value)], today=TODAY)


def only(findings):
    (finding,) = findings
    return finding


def test_a_test_without_a_value_is_unknown():
    for operator in ("equals", "not_equals", "none_of", "excludes", "includes", "at_least", "mode_within"):
        asked = control(Test("samba.x", operator))
        assert only(judge(asked, {"samba.x": Fact(configured="anything")})).verdict == "unknown", operator


def test_an_empty_list_asks_for_nothing():
    for operator in ("none_of", "excludes", "includes"):
        asked = control(Test("samba.x", operator))
        assert only(judge(asked, {"samba.x": Fact(configured=["a"])}, [])).verdict == "unknown", operator


def test_absence_alone_is_no_evidence():
    absent = control(Test("host.kernel_module", "not_observed"))
    assert only(judge(absent, {})).verdict == "unknown"
    declared = control(Test("samba.usershare_mode", "mode_within", "1770", absent="pass"))
    assert only(judge(declared, {})).verdict == "not_applicable"


def test_absence_beside_something_seen_is_evidence():
    asked = control(Test("host.kernel_module", "not_observed"), Test("host.kernel_modules_read", "equals", True))
    assert only(judge(asked, {"host.kernel_modules_read": Fact(effective=True)})).verdict == "pass"
    seen = {"host.kernel_modules_read": Fact(effective=True), "host.kernel_module": {"cifs": Fact(effective=True)}}
    assert only(judge(asked, seen)).verdict == "fail"


def test_what_cannot_be_read_is_not_absent():
    asked = control(Test("host.kernel_module", "not_observed"))
    assert only(judge(asked, {"host.kernel_module": Fact(unreadable="no /proc")})).verdict == "unknown"


def test_a_configuration_that_is_not_in_force_never_passes():
    asked = control(Test("samba.server_signing", "at_least"))
    facts = {"samba.server_signing": Fact(configured="mandatory"), "samba.config_loaded": Fact(effective=False)}
    finding = only(judge(asked, facts, "mandatory"))
    assert finding.verdict == "unknown"
    assert "options that override" in finding.cause
    assert "may not use it" in finding.why
    facts["samba.server_signing"] = Fact(configured="mandatory", effective="mandatory")
    assert only(judge(asked, facts, "mandatory")).verdict == "pass"
    facts["samba.server_signing"] = Fact(configured="disabled")
    assert only(judge(asked, facts, "mandatory")).verdict == "fail"


def test_shares_that_could_not_be_listed_are_unknown():
    asked = control(Test("samba.guest_ok", "equals"), per="samba.share")
    finding = only(judge(asked, {"samba.share": Fact(unreadable="Permission denied")}, False))
    assert (finding.verdict, finding.why) == ("unknown", "Permission denied")


def test_the_readers_cause_is_kept():
    asked = control(Test("samba.server_signing", "at_least"))
    fact = Fact(configured="mandatory", wire="disabled", cause="another server answers on this port")
    assert (
        only(judge(asked, {"samba.server_signing": fact}, "mandatory")).cause == "another server answers on this port"
    )


def test_a_pending_restart_is_named():
    asked = control(Test("samba.server_signing", "at_least"))
    fact = Fact(configured="mandatory", effective="disabled")
    finding = only(judge(asked, {"samba.server_signing": fact}, "mandatory"))
    assert (finding.verdict, finding.cause) == ("fail", "pending restart, or changed while the service was running")


def test_one_fail_outweighs_an_unknown():
    asked = control(Test("samba.a", "equals", True), Test("samba.b", "equals", True))
    facts = {"samba.a": Fact(unreadable="x"), "samba.b": Fact(configured=False)}
    assert only(judge(asked, facts)).verdict == "fail"


def test_a_manual_control_leaves_the_unknown_unknown():
    asked = control(Test("samba.a", "equals", True), manual=True)
    assert only(judge(asked, {"samba.a": Fact(configured=False)})).verdict == "manual"
    assert only(judge(asked, {"samba.a": Fact(unreadable="x")})).verdict == "unknown"
    assert only(judge(asked, {"samba.a": Fact(configured=True)})).verdict == "pass"


def test_not_applicable_says_why():
    facts = {"samba.a": Fact(configured=False)}
    old = control(Test("samba.a", "equals", True), when=When("samba", ">=4.20"))
    assert only(judge(old, facts)).why == "samba 4.17.12 is not >=4.20"
    dc = control(Test("samba.a", "equals", True), when=When("samba", trait=("domain-controller",)))
    assert only(judge(dc, facts)).why == "the host is not a domain-controller"
    server = control(Test("samba.a", "equals", True), when=When("samba", side="server"))
    assert judge(server, facts, implementations=[CLIENT]) == []


def test_an_unknown_version_is_judged():
    asked = control(Test("samba.a", "equals", True), when=When("samba", ">=4.20"))
    unknown = Implementation("samba", "", "server")
    assert only(judge(asked, {"samba.a": Fact(configured=False)}, implementations=[unknown])).verdict == "fail"


def test_host_text_is_never_filled_in():
    asked = control(Test("samba.guest_ok", "equals"), per="samba.share")
    name = "{value} {setting} {{ 7*7 }} %s \x1b[2J"
    facts = {"samba.share": {name: Fact(configured={})}, "samba.guest_ok": Fact(configured=True)}
    finding = only(judge(asked, facts, False))
    assert finding.remedy == f"Set 'guest ok = no' in [{name}]."
    assert finding.object == name


def test_evidence_names_where_the_value_was_found():
    asked = control(Test("samba.guest_ok", "equals"), Test("samba.guest_only", "equals"), per="samba.share")
    facts = {
        "samba.share": {"a": Fact(configured={})},
        "samba.guest_ok": {"": Fact(configured=False), "a": Fact(configured=True)},
        "samba.guest_only": Fact(configured=False),
    }
    assert only(judge(asked, facts, False)).evidence == ("samba.guest_ok[a]", "samba.guest_only")


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
FACTS = st.builds(Fact, VALUES, VALUES, VALUES, unreadable=st.none() | st.text(max_size=5))
OPERATORS = st.sampled_from(["equals", "none_of", "at_least", "excludes", "is_empty", "mode_within", "not_observed"])
TESTS = st.lists(
    st.builds(Test, st.sampled_from(["samba.a", "samba.server_signing"]), OPERATORS), min_size=1, max_size=3
)


@given(TESTS, st.dictionaries(st.sampled_from(["samba.a", "samba.server_signing"]), FACTS), VALUES, st.booleans())
def test_every_host_is_judged_and_judged_alike(tests, facts, value, per):
    asked = control(*tests, per="samba.share" if per else "")
    facts = {**facts, "samba.share": {"x": Fact(configured={}), "y": Fact(configured={})}}
    findings = judge(asked, facts, value)
    assert findings == judge(asked, facts, value)
    assert findings
    for finding in findings:
        assert finding.verdict in VERDICTS
        assert finding.why
        seen = [fact for test in tests if (fact := facts.get(test.fact)) is not None]
        if finding.verdict == "pass":
            assert any(fact.truths() and fact.unreadable is None for fact in seen)
            assert all(fact.unreadable is None for fact in seen)


# A test of one object, and one that is asked of some hosts only.
OPEN = "firewall.inbound_445"
PUBLIC = Test(OPEN, "networks_within", object="public")
DOMAIN = Test(OPEN, "networks_within", object="domain")


def scopes(**profiles):
    return {OPEN: {name: Fact(effective=value) for name, value in profiles.items()}}


def test_a_test_may_ask_for_one_object():
    asked = control(PUBLIC)
    assert only(judge(asked, scopes(public=[], domain=["any"]), [])).verdict == "pass"
    finding = only(judge(asked, scopes(public=["any"], domain=[]), []))
    assert (finding.verdict, finding.object) == ("fail", "")
    assert "inbound 445 of public is any" in finding.why
    assert finding.evidence == ("firewall.inbound_445[public]",)


def test_an_object_that_was_not_seen_is_unknown_whatever_the_others_say():
    finding = only(judge(control(PUBLIC), scopes(domain=[]), []))
    assert (finding.verdict, "of public was not observed" in finding.why) == ("unknown", True)
    unread = {OPEN: {"": Fact(unreadable="access denied"), "domain": Fact(effective=[])}}
    assert "access denied" in only(judge(control(PUBLIC), unread, [])).why


def test_values_name_a_fact_of_an_object():
    value = {"firewall.inbound_445[public]": [], OPEN: ["any"]}
    asked = control(PUBLIC, DOMAIN)
    assert only(judge(asked, scopes(public=[], domain=["any"]), value)).verdict == "pass"
    assert only(judge(asked, scopes(public=["any"], domain=["any"]), value)).verdict == "fail"
    without = {"firewall.inbound_445[public]": []}
    assert only(judge(asked, scopes(public=[], domain=[]), without)).verdict == "unknown"


def test_a_test_with_a_condition_is_asked_where_it_holds():
    fixed = Test(OPEN, "networks_within", value=["LocalSubnet"], object="domain", when=When(trait=("standalone",)))
    open_domain = scopes(public=[], domain=["any"])
    assert only(judge(control(PUBLIC, fixed), open_domain, [])).verdict == "fail"
    member = Implementation("samba", "4.17.12", "server", True, ("domain-member",))
    assert only(judge(control(PUBLIC, fixed), open_domain, [], (member,))).verdict == "pass"
    finding = only(judge(control(fixed), open_domain, None, (member,)))
    assert (finding.verdict, finding.why) == ("not_applicable", "the host is not a standalone")


def test_such_tests_are_linted_and_survive_compiling():
    asked = control(
        Test("host.role", "equals", "x", object="a", when=When(trait=("workstaton",))), when=When("windows")
    )
    assert any("'workstaton' is no trait of windows" in item for item in check_control(asked, {}))
    asked = control(Test("host.role", "equals", "x", when=When("windows", side="client")), when=When("windows"))
    assert any("are the control's" in item for item in check_control(asked, {}))
    asked = dataclasses.replace(control(PUBLIC), values={"recommended": {"firewall.inbound_445[pubic]": []}})
    complaints = check_control(asked, {})
    assert any("no test asks for 'firewall.inbound_445[pubic]'" in item for item in complaints)
    assert any("no value for networks_within" in item for item in complaints)
    row = encode(control(Test(OPEN, "is_empty", object="public", when=When(trait=("workstation",)))))
    assert control_of(json.loads(json.dumps(row))).tests[0].when == When(trait=("workstation",))
