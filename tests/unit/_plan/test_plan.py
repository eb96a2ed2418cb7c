# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets → a plan, with editors that write down what they were asked for."""

from __future__ import annotations

import dataclasses
import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import (
    ABSENT,
    Blocked,
    Change,
    Edited,
    Native,
    Plan,
    Step,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.plan import make
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Cluster

CONF = "/etc/samba/smb.conf"
OPEN, SHUT = "22:00-24:00", "01:00-02:00"  # the clock of these tests stands at 23:30


def restart_of(target):
    setting = catalogue.every_setting().get(target.fact)
    return setting.restart if setting is not None else "none"


def change(target, step):
    return Change(
        target.control,
        f"{target.fact}",
        None,
        target.value,
        target.fact,
        target.object,
        step=step,
        restart=restart_of(target),
    )


def file_editor(targets):
    """Make one step of everything, as the editor of smb.conf does."""
    step = Step(
        1,
        "file",
        CONF,
        "",
        Native("sha256", "aa"),
        Native("sha256", "bb"),
        content="new",
        check="testparm",
        config=CONF,
        restart="restart",
    )
    return Edited((step,), tuple(change(target, 1) for target in targets))


def registry_editor(targets):
    """Make one step per target, the kind by its fact."""
    kinds = {"windows.right_": "right", "windows.server_": "server_property", "windows.client_": "client_property"}
    steps = []
    for number, target in enumerate(targets, 1):
        kind = next((kind for prefix, kind in kinds.items() if target.fact.startswith(prefix)), "registry")
        steps.append(
            Step(
                number,
                kind,
                target.fact,
                "",
                ABSENT,
                Native("dword", 1),
                restart=restart_of(target),
                stage=target.stage,
            )
        )
    return Edited(tuple(steps), tuple(change(target, number) for number, target in enumerate(targets, 1)))


EDITORS = {"samba": file_editor, "windows": registry_editor}


def kinds(plan):
    return [(step.kind, step.target) for step in plan.steps]


def controls(plan):
    return [item.control for item in plan.changes]


def test_nothing_asked_is_an_empty_plan(host):
    assert make([], host(), EDITORS) == Plan(watched="live sessions only: nobody has been watching")


def test_one_file_is_one_step_however_many_ask(host, target):
    wanted = [target("samba-server-min-protocol", "SMB2_10"), target("samba-server-signing", "mandatory"),
              target("samba-log-level-auth", 2), target("samba-deadtime", 10080)]  # fmt: skip
    plan = make(wanted, host(), EDITORS)
    assert kinds(plan) == [("file", CONF), ("reload", "smbd")]
    assert [step.id for step in plan.steps] == [1, 2]
    assert plan.steps[0].stage == "observe"  # of the control that comes first
    assert plan.steps[1].config == CONF
    assert {item.step for item in plan.changes} == {1}
    assert sorted(controls(plan)) == sorted(item.control for item in wanted)
    assert (plan.blocked, plan.pending, plan.reboot) == ((), (), False)


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"areas": ("signing",)}, ["samba-server-signing"]),
        ({"areas": ("sign*", "auth")}, ["samba-server-signing", "samba-deadtime"]),
        ({"controls": ("samba-*-protocol",)}, ["samba-server-min-protocol"]),
        ({"exclude": ("samba-server-*",)}, ["samba-deadtime"]),
        ({"areas": ("signing",), "controls": ("samba-deadtime",)}, []),
        ({"stages": ("dialect",)}, ["samba-server-min-protocol", "samba-deadtime"]),
        ({}, ["samba-server-min-protocol", "samba-server-signing", "samba-deadtime"]),
    ],
)
def test_selection(host, target, chosen, left):
    wanted = [target("samba-server-min-protocol", "SMB2_10"), target("samba-server-signing", "mandatory"),
              target("samba-deadtime", 10080)]  # fmt: skip
    plan = make(wanted, host(**chosen), EDITORS)
    assert controls(plan) == left
    assert plan.blocked == ()  # what was not chosen is not held back


def test_what_no_editor_does_says_what_to_do(host, target):
    plan = make([target("win-fw-log-dropped", True, object="public")], host("windows"), EDITORS)
    (blocked,) = plan.blocked
    assert (blocked.kind, blocked.object, plan.steps) == ("edit", "public", ())
    assert "no step changes log dropped. It is the evidence" in blocked.why
    # No rule can lift what is not there, so none is named.
    special = host("windows", traits=("domain-controller",))
    assert make([target("win-fw-log-dropped", True)], special, EDITORS).blocked[0].kind == "edit"


def test_what_an_editor_refuses_is_in_the_plan(host, target):
    def refuse(targets):
        return Edited(refused=tuple(Blocked(item.control, "unreadable", "include not collected") for item in targets))

    plan = make([target("samba-deadtime", 1)], host(), {"samba": refuse})
    assert [item.why for item in plan.blocked] == ["include not collected"]


# stages


def test_a_later_stage_waits_while_an_earlier_one_is_in_use(host, target, session):
    wanted = [
        target("samba-smb-encrypt", "desired"),
        target("samba-server-min-protocol", "SMB2_10"),
        target("samba-server-signing", "mandatory"),
        target("samba-log-level-auth", 2),
        target("samba-deadtime", 1),
    ]
    old = session(signing="none", encryption="none")
    plan = make(wanted, host(sessions=[old]), EDITORS)
    assert [(item.control, item.kind) for item in plan.blocked] == [
        ("samba-smb-encrypt", "stage"),
        ("samba-server-min-protocol", "stage"),
        ("samba-server-signing", "in-use"),
    ]
    assert sorted(controls(plan)) == ["samba-deadtime", "samba-log-level-auth"]
    assert (
        "stage signing is not done (held back: samba-server-signing), and dialect comes after it" in plan.blocked[1].why
    )
    forced = make(wanted, host(sessions=[old], force=("samba-server-signing",)), EDITORS)
    assert forced.blocked == ()
    part = make(wanted, host(sessions=[old], force=("samba-smb-encrypt",)), EDITORS)
    assert [item.control for item in part.blocked] == ["samba-server-min-protocol", "samba-server-signing"]


def test_choosing_a_later_stage_does_not_jump_over_an_earlier_one(host, target, session):
    wanted = [target("samba-server-min-protocol", "SMB2_10"), target("samba-server-signing", "mandatory")]
    old = session(signing="none", encryption="none")
    plan = make(wanted, host(sessions=[old], stages=("dialect",)), EDITORS)
    assert [(item.control, item.kind) for item in plan.blocked] == [("samba-server-min-protocol", "stage")]


def test_roles_and_policies_hold_no_later_stage_back(host, target):
    facts = {"windows.server_require_signing": Fact(configured=False, origin=Origin("policy", "Baseline"))}
    wanted = [
        target("win-smb-server-signing-required", True),
        target("win-smb-server-encrypt-data", True),
        target("win-lm-compatibility-level", 5),
    ]
    plan = make(wanted, host("windows", facts, traits=("domain-controller",)), EDITORS)
    assert [item.kind for item in plan.blocked] == ["policy", "role"]
    assert controls(plan) == ["win-lm-compatibility-level"]


def test_missing_evidence_holds_later_stages_back(host, target):
    wanted = [target("win-smb1-server-off", False), target("win-lm-compatibility-level", 5)]
    facts = {"usage.sessions_read": Fact(unreadable="access denied")}
    plan = make(wanted, host("windows", facts), EDITORS)
    assert [item.kind for item in plan.blocked] == ["no-evidence", "no-evidence"]
    wanted[1] = target("win-smb-client-ntlm-exceptions", [])
    assert [item.kind for item in make(wanted, host("windows", facts), EDITORS).blocked] == ["no-evidence", "stage"]


# order


def test_stage_by_stage_then_what_is_risky_then_into_force(host, target):
    wanted = [
        target("win-right-network-logon", ["S-1-5-11"]),
        target("win-lm-compatibility-level", 5),
        target("win-smb-server-encrypt-data", True),
        target("win-smb1-client-dependency", ["nsi"]),
        target("win-smb1-client-driver-off", "disabled"),
        target("win-smb-server-signing-required", True),
        target("win-no-lm-hash", True),
        target("win-smb1-access-audit", True),
    ]
    plan = make(wanted, host("windows", restart=True), EDITORS)
    facts = ["server_audit_smb1", "lsa_no_lm_hash", "server_require_signing", "smb1_client_dependency",
             "smb1_client_driver", "server_encrypt_data", "lsa_lm_compatibility_level", "right_network_logon"]  # fmt: skip
    assert [step.target for step in plan.steps] == [*(f"windows.{name}" for name in facts), "LanmanServer"]
    assert [step.id for step in plan.steps] == list(range(1, 10))
    assert [step.risky for step in plan.steps] == [False] * 7 + [True, False]
    for item in plan.changes:
        assert plan.steps[item.step - 1].target == item.fact


@pytest.mark.parametrize(
    ("control", "value", "risky"),
    [
        ("win-right-deny-network-logon", ["S-1-5-32-546"], True),
        ("win-ntlm-restrict-incoming", "deny", True),
        ("win-local-token-filter", False, True),
        ("win-lm-compatibility-level", 5, False),
        ("win-smb-server-signing-required", True, False),
    ],
)
def test_what_may_cut_the_line_is_marked(host, target, control, value, risky):
    plan = make([target(control, value)], host("windows"), EDITORS)
    assert [step.risky for step in plan.steps if step.kind != "restart"] == [risky]


@pytest.mark.parametrize(
    ("trait", "risky"), [("domain-member", True), ("domain-controller", True), ("standalone", False)]
)
def test_where_people_log_in_by_winbind_smb_conf_is_risky(host, target, trait, risky):
    plan = make([target("samba-deadtime", 1)], host(traits=(trait,)), EDITORS)
    assert [step.risky for step in plan.steps] == [risky, False]


def test_files_of_others_are_not_risky_for_it(host, target):
    def fstab(targets):
        step = Step(1, "file", "/etc/modprobe.d/x.conf", "", ABSENT, Native("sha256", "a"), content="x")
        return Edited((step,), tuple(change(item, 1) for item in targets))

    situation = host("samba", traits=("domain-member",))
    plan = make([target("linux-cifs-module-policy", False)], situation, {"host": fstab})
    assert [step.risky for step in plan.steps] == [False]


# into force


@pytest.mark.parametrize(
    ("options", "pending"),
    [
        ({}, ("restart of smbd",)),
        ({"restart": True, "window": SHUT}, ("restart of smbd",)),
        ({"restart": True, "window": OPEN}, ()),
        ({"restart": True}, ()),
        ({"window": OPEN}, ("restart of smbd",)),
    ],
)
def test_restarts_only_where_asked_and_inside_the_window(host, target, options, pending):
    wanted = [target("samba-disable-netbios", True), target("samba-deadtime", 1)]
    plan = make(wanted, host(**options), EDITORS)
    assert plan.pending == pending
    end = ("restart", "smbd") if not pending else ("reload", "smbd")
    assert kinds(plan) == [("file", CONF), end]
    assert plan.steps[-1].config == CONF


def test_nmbd_is_not_started_anew_where_netbios_goes_because_it_would_not_come_back(host, target):
    wanted = [target("samba-disable-netbios", True)]
    running = {"samba.nmbd_running": True}
    assert kinds(make(wanted, host(facts=running, restart=True), EDITORS))[1:] == [("restart", "smbd")]
    assert make(wanted, host(facts=running), EDITORS).pending == ("restart of smbd",)


def test_a_server_that_does_not_run_needs_nothing(host, target):
    plan = make([target("samba-disable-netbios", True)], host(facts={"samba.server_running": False}), EDITORS)
    assert (kinds(plan), plan.pending) == ([("file", CONF)], ())


@pytest.mark.parametrize(
    ("control", "value", "service"),
    [
        ("win-smb-server-signing-required", True, "LanmanServer"),
        ("win-smb-client-signing-required", True, "LanmanWorkstation"),
        ("win-spooler-no-remote-rpc", False, "Spooler"),
    ],
)
def test_the_service_that_reads_a_value_is_restarted(host, target, control, value, service):
    assert make([target(control, value)], host("windows"), EDITORS).pending == (f"restart of {service}",)
    plan = make([target(control, value)], host("windows", restart=True), EDITORS)
    assert kinds(plan)[-1] == ("restart", service)
    stopped = {"host.service": {service: {"start": "disabled", "state": "stopped"}}}
    plan = make([target(control, value)], host("windows", stopped, restart=True), EDITORS)
    assert (kinds(plan)[1:], plan.pending) == ([], ())


def test_a_registry_value_tells_its_service_by_its_key(host, target):
    def editor(targets):
        key = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
        step = Step(1, "registry", key, "x", ABSENT, Native("dword", 1), restart="restart")
        return Edited((step,))

    plan = make([target("win-no-lm-hash", True)], host("windows", restart=True), {"windows": editor})
    assert kinds(plan)[-1] == ("restart", "LanmanServer")


def test_what_cannot_be_restarted_needs_a_reboot(host, target):
    plan = make([target("win-mdns-off", False)], host("windows", restart=True), EDITORS)
    assert (plan.reboot, plan.pending) == (True, ("reboot",))


@pytest.mark.parametrize(
    ("options", "pending"),
    [({}, ("reboot",)), ({"reboot": True, "window": SHUT}, ("reboot",)), ({"reboot": True, "window": OPEN}, ())],
)
def test_a_reboot_only_where_asked_and_inside_the_window(host, target, options, pending):
    plan = make([target("win-restrict-anonymous", 1)], host("windows", **options), EDITORS)
    assert (plan.reboot, plan.pending) == (True, pending)
    assert [step.kind for step in plan.steps] == ["registry"]  # the reboot itself is no step


def test_a_special_role_is_not_restarted_unless_it_is_named(host, target):
    wanted = [target("win-smb-server-signing-required", True), target("win-restrict-anonymous", 1)]
    asked = {"restart": True, "reboot": True, "traits": ("hyper-v",)}
    plan = make(wanted, host("windows", **asked), EDITORS)
    assert plan.pending == ("restart of LanmanServer", "reboot")
    assert [(item.control, item.kind) for item in plan.blocked] == [
        ("win-smb-server-signing-required", "role"),
        ("win-restrict-anonymous", "role"),
    ]
    assert "the service LanmanServer is not restarted: this host is a Hyper-V host" in plan.blocked[0].why
    assert len(plan.changes) == 2  # the values are written
    forced = make(wanted, host("windows", force=tuple(item.control for item in wanted), **asked), EDITORS)
    assert (forced.pending, forced.blocked) == ((), ())


def test_a_node_that_alone_is_named_is_not_restarted(host, target):
    signing = target("win-smb-server-signing-required", True)
    node = host("windows", force=(signing.control,), restart=True, traits=("cluster",))
    plan = make([signing], node, EDITORS)
    assert (plan.pending, len(plan.changes)) == (("restart of LanmanServer",), 1)
    assert (
        "the service LanmanServer is not restarted: the nodes of a cluster are changed together" in plan.blocked[0].why
    )
    whole = dataclasses.replace(node, cluster=Cluster("fs", ("h1", "h2"), (), {"h1": node.force, "h2": node.force}))
    assert (make([signing], whole, EDITORS).pending, make([signing], whole, EDITORS).blocked) == ((), ())


def test_reloads_and_restarts_of_editors_are_done_once(host, target):
    def editor(targets):
        found = file_editor(targets)
        return dataclasses.replace(
            found, steps=(*found.steps, Step(2, "reload", "smbd", config=CONF), Step(3, "restart", "nmbd"))
        )

    plan = make([target("samba-deadtime", 1)], host(), {"samba": editor})
    assert kinds(plan) == [("file", CONF), ("reload", "smbd")]
    assert plan.pending == ("restart of nmbd",)


def test_a_value_that_is_written_waits_for_what_brings_it_into_force(host, target):
    facts = {"windows.smb1_client_driver": Fact(configured="disabled", effective="running")}
    wanted = [target("win-smb1-client-driver-off", "disabled")]
    plan = make(wanted, host("windows", facts), {"windows": lambda targets: Edited()})
    assert (plan.steps, plan.reboot, plan.pending, plan.blocked) == ((), True, ("reboot",), ())


def test_smb1_that_waits_for_a_reboot_since_last_time(host):
    facts = {"windows.smb1_pending_reboot": True}
    assert make([], host("windows", facts), EDITORS).pending == ("reboot",)
    assert make([], host("windows", facts, areas=("signing",)), EDITORS).pending == ()
    assert make([], host("windows", facts, reboot=True), EDITORS).reboot is True


# no way back


def test_what_has_no_way_back_needs_a_force(host, target):
    def editor(targets):
        steps = (
            Step(
                1,
                "role_feature",
                "FS-SMB1",
                "",
                Native("text", "installed"),
                Native("text", "removed"),
                irreversible=True,
            ),
            Step(2, "registry", "K", "SMB1", ABSENT, Native("dword", 0)),
        )
        return Edited(steps, (change(targets[0], 1), change(targets[1], 2)))

    wanted = [target("win-smb1-feature-absent", "absent"), target("win-smb1-server-off", False)]
    plan = make(wanted, host("windows"), {"windows": editor})
    assert kinds(plan) == [("registry", "K")]
    assert controls(plan) == ["win-smb1-server-off"]
    assert [(item.control, item.kind) for item in plan.blocked] == [("win-smb1-feature-absent", "irreversible")]
    assert "no way back from changing FS-SMB1" in plan.blocked[0].why
    forced = make(wanted, host("windows", force=("win-smb1-feature-absent",)), {"windows": editor})
    assert kinds(forced) == [("role_feature", "FS-SMB1"), ("registry", "K")]


def test_a_bad_window_is_said_before_anything_else(host):
    with pytest.raises(ValueError, match="is not a window"):
        make([], host(window="tonight"), EDITORS)


def test_the_plan_is_a_pure_function(host, target, session):
    wanted = [target("samba-server-signing", "mandatory"), target("samba-guest-ok", False, object="data")]
    situation = host(sessions=[session(user="nobody", shares=["data"])])
    assert make(wanted, situation, EDITORS) == make(list(wanted), situation, EDITORS)


def test_three_thousand_shares_with_two_hundred_sessions(host, target, session):
    wanted = [
        target(control, value, object=f"share{number}")
        for number in range(3000)
        for control, value in (("samba-share-smb-encrypt", "required"), ("samba-wide-links", False))
    ]
    many = [session(user=f"u{number}", address=f"10.0.{number}.1", shares=[f"share{number}"]) for number in range(200)]
    many[7]["encryption"] = "none"
    situation = host(sessions=many)
    start = time.process_time()
    plan = make(wanted, situation, EDITORS)
    assert time.process_time() - start < 10
    assert [item.object for item in plan.blocked] == ["share7"]
    assert len(plan.changes) == 5999
