# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB 1.0: an absent value means "on" or nothing at all, by what else is on the host."""

from __future__ import annotations

import pytest

PARAMETERS = "SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
OLD_DEPENDS = ["Bowser", "MRxSmb10", "MRxSmb20", "NSI"]


def never_installed(host):
    """2019 and newer, as they come."""


def by_default(host):
    """Up to 2016: nothing is written, and both drivers are there."""
    host.data("host.features", {"SMB1Protocol": 1, "SMB1Protocol-Client": 1, "SMB1Protocol-Server": 1})
    host.data("windows.server_configuration", {"EnableSMB1Protocol": True})
    host.driver("srv", start=3).driver("mrxsmb10", start=2)
    host.driver("LanmanWorkstation", depends=OLD_DEPENDS)


def switched_off(host):
    by_default(host)
    host.key(PARAMETERS, {"SMB1": 0})
    host.data("windows.server_configuration", {"EnableSMB1Protocol": False})
    host.driver("srv", state="Stopped").driver("mrxsmb10", start=4, state="Stopped")


def waits_for_reboot(host):
    """Remove-WindowsFeature was run; WMI shows the new state, DISM the truth, and the drivers run."""
    by_default(host)
    host.data("host.features", {"SMB1Protocol": 2})
    host.data("host.reboot", {"cbs": True, "windows_update": False, "file_rename": False, "cbs_in_progress": False})
    host.data("host.feature_pending", {"SMB1Protocol": "DisablePending", "SMB1Protocol-Server": "DisablePending"})


def removed(host):
    host.data("host.features", {"SMB1Protocol": 3})


def installed_again(host):
    by_default(host)
    host.data("windows.server_configuration", {"EnableSMB1Protocol": True})


def install_pending(host):
    host.data("host.reboot", {"cbs": True, "windows_update": False, "file_rename": False, "cbs_in_progress": False})
    host.data("host.feature_pending", {"SMB1Protocol": "EnablePending"})


def driver_off_until_reboot(host):
    """The client's driver was disabled, but the machine was not restarted."""
    by_default(host)
    host.driver("mrxsmb10", start=4, state="Running")


def role_disagrees(host):
    host.data("host.server_features", {"FS-SMB1": "Installed"})


STATES = [
    # product, state, feature, server configured, server effective, client driver, still running, pending
    ("2019", never_installed, "disabled", False, False, "absent", None, False),
    ("2022", never_installed, "disabled", False, False, "absent", None, False),
    ("11-24h2", never_installed, "disabled", False, False, "absent", None, False),
    ("2016", by_default, "enabled", True, True, "automatic", None, False),
    ("2012-r2", by_default, "enabled", True, True, "automatic", None, False),
    ("2019", installed_again, "enabled", True, True, "automatic", None, False),
    ("2016", switched_off, "enabled", False, False, "disabled", None, False),
    ("2016", waits_for_reboot, "pending-removal", False, True, "automatic", None, True),
    ("2022", waits_for_reboot, "pending-removal", False, True, "automatic", None, True),
    ("2016", removed, "absent", False, False, "absent", None, False),
    ("2022", install_pending, "pending-install", True, False, "absent", None, False),
    ("2016", driver_off_until_reboot, "enabled", True, True, "disabled", "running", True),
]


@pytest.mark.parametrize(
    ("product", "state", "feature", "configured", "effective", "client", "still", "pending"),
    STATES,
    ids=[f"{row[0]}-{row[1].__name__}" for row in STATES],
)
def test_states(machine, product, state, feature, configured, effective, client, still, pending):
    host = machine(product)
    state(host)
    facts = host.read().facts
    assert facts.get("windows.smb1_feature").configured == feature
    server = facts.get("windows.smb1_server")
    assert (server.configured, server.effective, server.unreadable) == (configured, effective, None)
    driver = facts.get("windows.smb1_client_driver")
    assert (driver.configured, driver.effective) == (client, still)
    assert facts.get("windows.smb1_pending_reboot").effective is pending


@pytest.mark.parametrize("product", ["7", "2008-r2"])
def test_before_windows_8_there_is_no_feature_and_no_cmdlet(machine, product):
    host = machine(product)
    host.driver("srv", start=3).driver("mrxsmb10", start=2).driver("LanmanWorkstation", depends=OLD_DEPENDS)
    host.data("host.features", {})
    facts = host.read().facts
    assert facts.get("windows.smb1_feature").configured == "enabled"
    assert facts.get("windows.smb1_server").configured is True
    assert facts.get("windows.smb1_server").effective is None
    assert facts.get("windows.smb1_client_dependency").configured == ["bowser", "mrxsmb10", "mrxsmb20", "nsi"]
    assert facts.get("windows.smb1_pending_reboot").effective is False
    host.key(PARAMETERS, {"SMB1": 0})
    assert host.fact("windows.smb1_server").configured is False


def test_the_cmdlet_alone_does_not_decide(machine):
    """2012 R2 with the feature removed: the cmdlet still prints True."""
    host = machine("2012-r2").data("windows.server_configuration", {"EnableSMB1Protocol": True})
    fact = host.fact("windows.smb1_server")
    assert (fact.configured, fact.effective) == (False, False)


def test_a_removed_feature_whose_driver_runs_is_not_off(machine):
    host = machine("2016")
    by_default(host)
    host.data("host.features", {"SMB1Protocol": 2})
    facts = host.read().facts
    assert facts.get("windows.smb1_feature").configured == "pending-removal"
    assert facts.get("windows.smb1_server").effective is True
    assert facts.get("windows.smb1_pending_reboot").effective is True


def test_the_client_alone_is_installed(machine):
    """Windows 10 Home and Pro after 1709: the parent feature is enabled, the server's part is not there."""
    host = machine("10-22h2", 0).driver("mrxsmb10", start=2)
    host.data("host.features", {"SMB1Protocol": 1, "SMB1Protocol-Client": 1, "SMB1Protocol-Server": 2})
    host.data("windows.server_configuration", {"EnableSMB1Protocol": True})
    facts = host.read().facts
    assert facts.get("windows.smb1_feature").configured == "enabled"
    server = facts.get("windows.smb1_server")
    assert (server.configured, server.effective, server.unreadable) == (False, False, None)


def test_a_server_driver_that_was_disabled_and_runs(machine):
    """Where no cmdlet tells, the driver does."""
    host = machine("2008-r2").driver("srv", start=4, state="Running")
    fact = host.fact("windows.smb1_server")
    assert (fact.configured, fact.effective, fact.cause) == (False, True, "pending reboot")
    assert host.fact("windows.smb1_pending_reboot").effective is True
    assert host.driver("srv", state="Stopped").fact("windows.smb1_server").truths() == {"configured": False}


def test_a_deleted_driver_that_runs(machine):
    host = machine("2016")
    by_default(host)
    host.driver("mrxsmb10", delete_flag=True)
    fact = host.fact("windows.smb1_client_driver")
    assert (fact.configured, fact.effective, fact.cause) == ("absent", "running", "pending reboot")


def test_readers_of_one_truth_that_disagree(machine):
    host = machine("2022")
    host.driver("srv", start=3, state="Stopped")
    role_disagrees(host)
    facts = host.read().facts
    assert "FS-SMB1 is enabled" in facts.get("windows.smb1_feature").unreadable
    assert facts.get("windows.smb1_server").unreadable


def test_pending_changes_that_nobody_could_name(machine):
    host = machine("2016")
    by_default(host)
    host.data("host.reboot", {"cbs": True, "windows_update": False, "file_rename": False, "cbs_in_progress": False})
    host.fail("host.feature_pending", 1, "COMException: 0x800f080c")
    assert "waits for a reboot" in host.fact("windows.smb1_pending_reboot").unreadable


@pytest.mark.parametrize("rc", [1, 126])
def test_unreadable_services(machine, rc):
    host = machine("2022").fail("host.services", rc, "no")
    facts = host.read().facts
    assert facts.get("windows.smb1_client_driver").unreadable
    assert facts.get("windows.smb1_client_dependency").unreadable
    assert facts.get("windows.smb1_pending_reboot").unreadable
    assert facts.get("windows.smb1_server").configured is False  # the feature alone says that it is not installed


def test_nothing_at_all_is_readable(machine):
    host = machine("2022").fail("host.services", 126).fail("host.features", 126).fail("windows.registry", 126)
    for name in ("smb1_feature", "smb1_server", "smb1_client_driver", "smb1_pending_reboot"):
        assert host.fact(f"windows.{name}").unreadable, name


def test_an_empty_list_of_services_is_no_list(machine):
    host = machine("2022").data("host.services", [])
    assert "not one service" in host.fact("windows.smb1_client_driver").unreadable


def test_a_clear_failure_stays_one(machine):
    """The registry is closed, but the running service accepts SMB 1.0."""
    host = machine("2016")
    by_default(host)
    host.key(PARAMETERS, state="denied")
    fact = host.fact("windows.smb1_server")
    assert (fact.effective, fact.unreadable) == (True, None)


def test_a_closed_registry_is_no_pass(machine):
    host = machine("2016")
    switched_off(host)
    host.key(PARAMETERS, state="denied")
    assert "access denied" in host.fact("windows.smb1_server").unreadable


def test_the_driver_of_the_newer_dialects(machine):
    assert machine("2022").fact("windows.smb2_client_driver").configured == "manual"
    assert (
        machine("2022").driver("mrxsmb20", start=4, state="Stopped").fact("windows.smb2_client_driver").configured
        == "disabled"
    )


def test_the_value_on_a_domain_member_came_from_a_policy(machine):
    host = machine("2016")
    switched_off(host)
    host.data(
        "windows.rsop",
        {
            "gpos": {"{1}": "Baseline"},
            "registry": [{"key": PARAMETERS.upper(), "name": "smb1", "gpo": "{1}", "precedence": 1}],
            "security": [],
        },
    )
    assert str(host.fact("windows.smb1_server").origin) == "policy Baseline"
