# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB 1.0 as one plan: its five states, whatever part of it is asked for."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Native, Target, Twin

SERVICES = "SYSTEM\\CurrentControlSet\\Services"
PARAMETERS = f"{SERVICES}\\LanmanServer\\Parameters"
WORKSTATION = f"{SERVICES}\\LanmanWorkstation"
WANTED = {
    "windows.smb1_server": False,
    "windows.smb1_client_dependency": ["bowser", "mrxsmb20", "nsi"],
    "windows.smb1_client_driver": "absent",
    "windows.smb1_feature": "absent",
}
SERVER = ("server_property", "", "EnableSMB1Protocol")
SWITCH = ("registry", PARAMETERS, "SMB1")
DEPENDS = ("registry", WORKSTATION, "DependOnService")
DRIVER = ("service", "mrxsmb10", "")
ROLE = ("role_feature", "FS-SMB1", "")


@pytest.fixture
def installed(machine):
    """Return a maker of hosts with SMB 1.0 as delivered."""

    def make(product="2016", depends=("Bowser", "MRxSmb10", "MRxSmb20", "NSI")):
        host = machine(product).driver("mrxsmb10", start=2).driver("srv", start=3)
        host.driver("LanmanWorkstation", depends=list(depends))
        host.key(WORKSTATION, {"DependOnService": list(depends)}).key(f"{SERVICES}\\mrxsmb10", {"Start": 2})
        host.data("host.features", {"SMB1Protocol": 1})
        host.settings = dict(catalogue.settings("windows"))
        if not host.records["host.os_wmi"].data["Version"].startswith("6.1"):
            host.data("windows.server_configuration", {"EnableSMB1Protocol": True, "EncryptData": False})
        if "Server" in host.records["host.os_wmi"].data["Caption"]:
            host.data("host.server_features", {"FS-SMB1": "Installed", "WINS": "Available"})
        return host

    return make


def made(host, *facts, **values):
    """Return what the editor makes of targets; the control of each is named after its fact."""
    named = {f"windows.{name}": value for name, value in values.items()}
    wanted = {**{fact: WANTED[fact] for fact in facts}, **named}
    asked = [Target(f"c-{fact.partition('.')[2]}", fact, value) for fact, value in wanted.items()]
    return host.edit(*asked)


def places(edited):
    return [(step.kind, step.target, step.name) for step in edited.steps]


@pytest.mark.parametrize("product", ["2012-r2", "2016"])
def test_everything_goes_in_this_order(installed, product):
    for asked in (list(WANTED), list(reversed(WANTED))):
        edited = made(installed(product), *asked)
        assert places(edited) == [SERVER, DEPENDS, DRIVER, ROLE]
        assert not edited.refused
        server, depends, driver, role = edited.steps
        assert (server.before, server.after) == (Native("boolean", True), Native("boolean", False))
        assert server.twin == Twin(PARAMETERS, "SMB1")
        assert server.restart == "none"  # the cmdlet tells the service
        assert depends.after == Native("multi_sz", ["Bowser", "MRxSmb20", "NSI"])
        assert (driver.before, driver.after) == (Native("integer", 2), Native("integer", 4))
        assert (role.before, role.after) == (Native("text", "installed"), Native("text", "available"))
        assert {step.restart for step in (depends, driver, role)} == {"reboot"}
        assert [change.control for change in edited.changes] == [
            "c-smb1_server",
            "c-smb1_client_dependency",
            "c-smb1_client_driver",
            "c-smb1_feature",
        ]


@pytest.mark.parametrize("product", ["7", "2008-r2"])
def test_before_the_cmdlets_the_registry_does_it_with_a_reboot(installed, product):
    edited = made(installed(product), *WANTED)
    assert places(edited) == [SWITCH, DEPENDS, DRIVER]
    assert edited.steps[0].before == Native("absent")
    assert edited.steps[0].after == Native("dword", 0)
    assert edited.steps[0].restart == "reboot"
    assert [(blocked.fact, blocked.kind) for blocked in edited.refused] == [("windows.smb1_feature", "edit")]


@pytest.mark.parametrize("fact", ["windows.smb1_client_driver", "windows.service_mrxsmb10_start"])
def test_the_driver_never_goes_without_the_dependency(installed, fact):
    edited = made(installed(), **{fact.partition(".")[2]: "disabled"})
    assert places(edited) == [DEPENDS, DRIVER]
    assert [change.control for change in edited.changes] == [f"c-{fact.partition('.')[2]}"] * 2


def test_nothing_is_taken_out_of_a_list_without_it(installed):
    edited = made(installed(depends=("Bowser", "MRxSmb20", "NSI")), "windows.smb1_client_driver")
    assert places(edited) == [DRIVER]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("windows.smb1_server", [SERVER]),
        ("windows.smb1_client_dependency", [DEPENDS]),
        ("windows.smb1_feature", [ROLE]),
    ],
)
def test_only_what_is_asked_for(installed, fact, expected):
    assert places(made(installed(), fact)) == expected


def test_what_others_put_into_the_list_stays_as_it_is(installed):
    depends = ("bowser", "SomeFilter", "MRXSMB10", "mrxsmb20", "nsi", "zlast")
    wanted = ["bowser", "somefilter", "mrxsmb20", "nsi", "zlast"]
    host = installed(depends=depends)
    edited = made(host, smb1_client_dependency=wanted)
    assert edited.steps[0].before == Native("multi_sz", list(depends))
    assert edited.steps[0].after == Native("multi_sz", ["bowser", "SomeFilter", "mrxsmb20", "nsi", "zlast"])
    assert made(host, "windows.smb1_client_driver").steps[0].after == edited.steps[0].after


def test_more_than_that_one_is_never_taken_out(installed):
    edited = made(installed(depends=("Bowser", "SomeFilter", "MRxSmb10", "MRxSmb20", "NSI")), *WANTED)
    assert DEPENDS not in places(edited)
    assert DRIVER not in places(edited)  # it would keep the service from starting
    refused = {blocked.fact: blocked.why for blocked in edited.refused}
    assert "only mrxsmb10 is taken out" in refused["windows.smb1_client_dependency"]
    assert "would not start" in refused["windows.smb1_client_driver"]


def test_what_is_missing_is_put_in_if_it_can_start(installed):
    host = installed(depends=("Bowser", "MRxSmb10"))
    edited = made(host, "windows.smb1_client_dependency")
    assert edited.steps[0].after == Native("multi_sz", ["Bowser", "MRxSmb20", "NSI"])
    host.driver("mrxsmb20", start=4)
    edited = made(host, "windows.smb1_client_dependency")
    assert edited.steps == ()
    assert "mrxsmb20 does not start" in edited.refused[0].why


@pytest.mark.parametrize("value", ["Bowser", 5, "hex:0011"])
def test_a_list_that_is_none_is_left_alone_and_the_driver_too(installed, value):
    host = installed()
    host.key(WORKSTATION, {"DependOnService": value})
    for facts in (("windows.smb1_client_driver",), ("windows.smb1_client_driver", "windows.smb1_client_dependency")):
        edited = made(host, *facts)
        assert edited.steps == ()
        assert {blocked.fact for blocked in edited.refused} == set(facts)


def test_a_key_that_could_not_be_read_holds_the_driver_back(installed):
    host = installed()
    host.key(WORKSTATION, state="denied")
    edited = made(host, "windows.smb1_client_driver")
    assert edited.steps == ()
    assert [blocked.kind for blocked in edited.refused] == ["unreadable"]


def test_parts_that_are_on_go_before_the_whole(installed):
    host = installed("2019")
    host.data(
        "host.server_features", {"FS-SMB1": "Installed", "FS-SMB1-CLIENT": "Installed", "FS-SMB1-SERVER": "Available"}
    )
    host.data("host.features", {"SMB1Protocol": 1, "SMB1Protocol-Client": 1, "SMB1Protocol-Server": 2})
    edited = made(host, "windows.smb1_feature")
    assert [step.target for step in edited.steps] == ["FS-SMB1-CLIENT", "FS-SMB1"]
    assert {change.control for change in edited.changes} == {"c-smb1_feature"}


def test_workstations_have_the_optional_feature(installed):
    host = installed("10-22h2")
    features = {"SMB1Protocol": 1, "SMB1Protocol-Client": 1, "SMB1Protocol-Server": 1, "SMB1Protocol-Deprecation": 1}
    host.data("host.features", {**features, "SmbDirect": 1})
    edited = made(host, "windows.smb1_feature")
    assert {step.kind for step in edited.steps} == {"feature"}
    assert [step.target for step in edited.steps][-1] == "SMB1Protocol"
    assert {step.target for step in edited.steps} == set(features)
    assert {step.before.value for step in edited.steps} == {"enabled"}
    assert {step.after.value for step in edited.steps} == {"disabled"}  # its payload stays


def test_an_installation_that_waits_is_taken_back(installed):
    host = installed("10-22h2")
    host.data("host.reboot", {"cbs": True, "windows_update": False, "file_rename": False, "cbs_in_progress": False})
    host.data("host.features", {"SMB1Protocol": 2})
    host.data("host.feature_pending", {"SMB1Protocol": "EnablePending"})
    edited = made(host, "windows.smb1_feature")
    assert [(step.target, step.before.value) for step in edited.steps] == [("SMB1Protocol", "enabled")]
    server = installed().data("host.server_features", {"FS-SMB1": "InstallPending"})
    assert [(step.target, step.before.value) for step in made(server, "windows.smb1_feature").steps] == [
        ("FS-SMB1", "installed")
    ]


@pytest.mark.parametrize("state", ["UninstallPending", "uninstallpending"])
def test_where_the_removal_waits_for_the_reboot_nothing_more_is_done(installed, state):
    host = installed()
    host.data("host.server_features", {"FS-SMB1": state})
    edited = made(host, *WANTED)
    assert edited.steps == ()
    assert edited.refused == ()


def test_a_repair_of_the_list_does_not_wait(installed):
    host = installed(depends=("Bowser", "MRxSmb10", "MRxSmb20"))
    host.data("host.server_features", {"FS-SMB1": "UninstallPending"})
    edited = made(host, "windows.smb1_client_dependency")
    assert edited.steps[0].after == Native("multi_sz", ["Bowser", "MRxSmb20", "NSI"])


def test_a_driver_that_is_off_and_runs_waits_only(installed):
    host = installed()
    host.driver("mrxsmb10", start=4, state="Running").key(f"{SERVICES}\\mrxsmb10", {"Start": 4})
    edited = made(host, "windows.smb1_client_driver")
    assert edited.steps == ()
    assert edited.refused == ()


def test_a_service_that_refuses_it_now_and_would_not_later(installed):
    """Nothing is written, so the next start of the server brings it back."""
    host = installed()
    host.data("windows.server_configuration", {"EnableSMB1Protocol": False, "EncryptData": False})
    edited = made(host, "windows.smb1_server")
    assert places(edited) == [SWITCH]
    assert edited.steps[0].restart == "reboot"
    host.key(PARAMETERS, {"SMB1": 1})
    assert made(host, "windows.smb1_server").steps[0].before == Native("dword", 1)


def test_the_setting_and_the_fact_share_one_step(installed):
    edited = made(installed(), "windows.smb1_server", server_smb1=False)
    assert places(edited) == [SERVER]
    assert [change.control for change in edited.changes] == ["c-smb1_server", "c-server_smb1"]


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("smb1_server", True),
        ("server_smb1", True),
        ("smb1_client_driver", "automatic"),
        ("service_mrxsmb10_start", "manual"),
        ("smb1_feature", "enabled"),
    ],
)
def test_it_is_never_switched_on(installed, fact, value):
    edited = made(installed(), **{fact: value})
    assert edited.steps == ()
    assert "brings SMB 1.0 back" in edited.refused[0].why


def test_the_reboot_itself_is_no_step(installed):
    edited = made(installed(), smb1_pending_reboot=False)
    assert (edited.steps, edited.refused) == ((), ())


def test_without_the_workstation_service_there_is_no_list(installed):
    host = installed()
    del host.services["LanmanWorkstation"]
    host.key(WORKSTATION, state="absent")
    edited = made(host, "windows.smb1_client_dependency")
    assert edited.steps == ()
    assert "not installed" in edited.refused[0].why


def test_a_feature_that_no_record_shows_is_refused(installed):
    host = installed("10-22h2")
    host.fail("host.features", 126)
    edited = made(host, "windows.smb1_feature")
    assert edited.steps == ()
    assert edited.refused
