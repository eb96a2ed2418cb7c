# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when a Windows is mended; dates are those of Microsoft's life cycle pages."""

from __future__ import annotations

import datetime
import json
import pathlib

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._patch import windows

DATA = json.loads(
    (pathlib.Path(windows.__file__).resolve().parents[1] / "_data" / "advisories" / "windows.json").read_text(
        encoding="utf-8"
    )
)
TODAY = datetime.date(2026, 11, 22)
YES, NO = True, False


def support(version, traits, today=TODAY, name="", edition="", updates=None):
    os_value = {"id": "windows", "name": name, "edition": edition}
    facts = windows.read(version, traits.split(), os_value, updates, DATA, today)
    return facts.get("patch.supported"), facts.get("patch.support_ends")


@pytest.mark.parametrize(
    ("version", "traits", "name", "expected", "ends"),
    [
        ("6.1.7601", "server-os", "Microsoft Windows Server 2008 R2 Standard", NO, "2023-01-10"),
        ("6.1.7601", "workstation pro", "Microsoft Windows 7 Professional", NO, "2020-01-14"),
        ("6.2.9200", "server-os", "Microsoft Windows Server 2012 Standard", NO, "2026-10-13"),
        ("6.3.9600", "server-os", "Microsoft Windows Server 2012 R2 Standard", NO, "2026-10-13"),
        ("10.0.14393.9418", "server-os", "Microsoft Windows Server 2016 Standard", YES, "2027-01-12"),
        ("10.0.17763.9245", "server-os", "Microsoft Windows Server 2019 Datacenter", YES, "2029-01-09"),
        ("10.0.17763.9245", "server-os", "Microsoft Windows Server Datacenter", NO, "2020-11-10"),  # 1809, semi-annual
        ("10.0.20348.1", "server-os", "Microsoft Windows Server 2022 Standard", YES, "2031-10-14"),
        ("10.0.25398.2330", "server-os", "Microsoft Windows Server Datacenter", NO, "2026-05-12"),
        ("10.0.26100.33650", "server-os", "Microsoft Windows Server 2025 Standard", YES, "2034-11-14"),
        ("10.0.22631.7652", "workstation enterprise", "Microsoft Windows 11 Enterprise", NO, "2026-11-10"),
        ("10.0.26100.9445", "workstation pro", "Microsoft Windows 11 Pro", NO, "2026-10-13"),
        ("10.0.26100.9445", "workstation home", "Microsoft Windows 11 Home", NO, "2026-10-13"),
        ("10.0.26100.9445", "workstation enterprise", "Microsoft Windows 11 Enterprise", YES, "2027-10-12"),
        ("10.0.26100.9445", "workstation enterprise", "Microsoft Windows 11 Enterprise LTSC", YES, "2029-10-09"),
        ("10.0.26100.9445", "workstation enterprise", "Microsoft Windows 11 IoT Enterprise LTSC", YES, "2034-10-10"),
        ("10.0.26200.9711", "workstation pro", "Microsoft Windows 11 Pro", YES, "2027-10-12"),
        ("10.0.17763.9245", "workstation enterprise", "Microsoft Windows 10 Enterprise", NO, "2021-05-11"),
        ("10.0.17763.9245", "workstation enterprise", "Microsoft Windows 10 Entreprise LTSC", YES, "2029-01-09"),
        ("10.0.14393.9418", "workstation enterprise", "Microsoft Windows 10 Enterprise 2016 LTSB", NO, "2026-10-13"),
    ],
)
def test_support_of_a_release(version, traits, name, expected, ends):
    supported, until = support(version, traits, name=name)
    assert (supported.effective, until.effective) == (expected, ends)
    assert (supported.cause is None) is expected


def test_the_last_day_counts():
    until = datetime.date(2027, 1, 12)
    assert support("10.0.14393.9418", "server-os", until)[0].effective is True
    assert support("10.0.14393.9418", "server-os", until + datetime.timedelta(1))[0].effective is not True


@pytest.mark.parametrize(
    ("edition", "ends"),
    [
        ("EnterpriseS", "2029-10-09"),
        ("EnterpriseSN", "2029-10-09"),
        ("IoTEnterpriseS", "2034-10-10"),
        ("Enterprise", "2027-10-12"),
        ("EnterpriseN", "2027-10-12"),
    ],
)
def test_the_edition_tells_the_long_term_channel(edition, ends):
    assert support("10.0.26100.9445", "workstation enterprise", edition=edition)[1].effective == ends


# Extended updates: what shows that they are bought is an update that only they could bring.
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("10.0.19045.6456", NO),  # of the last day of support
        ("10.0.19045.7725", YES),
        ("10.0.19045.9999", YES),  # newer than the data, so newer than the end
        ("10.0.19045.2130", NO),
    ],
)
def test_extended_updates_are_believed_when_one_is_installed(version, expected):
    supported, until = support(version, "workstation pro", name="Microsoft Windows 10 Pro")
    assert supported.effective is expected
    assert until.effective == ("2028-10-10" if expected else "2025-10-14")
    assert (supported.cause is not None and "none is installed" in supported.cause) is not expected


def test_extended_updates_of_a_windows_without_revisions_are_unknown():
    supported, _until = support("6.3.9600", "server-os", datetime.date(2026, 1, 1), updates={"KB5070882": "2025-12-10"})
    assert "extended ones end on 2026-10-13" in supported.unreadable


def test_after_extended_updates_nothing_helps():
    assert support("10.0.19045.9999", "workstation pro", datetime.date(2028, 10, 11))[0].effective is False


# What is not known is never supported.
@pytest.mark.parametrize(
    ("version", "traits", "said"),
    [
        ("10.0.26300.9711", "workstation pro", "life cycle is not in the data"),
        ("10.0.99999.1", "server-os", "is not known to this release"),
        ("10.0.22631.7652", "pro", "server or a workstation"),
        ("10.0.26100.9445", "workstation", "edition is not known"),
        ("10.0.17763.9245", "workstation enterprise", "edition is not known"),  # long-term channel or not?
        ("10.0.17763.9245", "server-os", "edition is not known"),  # 2019, or 1809 of the semi-annual channel?
        ("10.0.20348.5761", "workstation pro", "no life cycle for this edition"),
    ],
)
def test_unknown_is_unreadable(version, traits, said):
    supported, until = support(version, traits)
    assert supported.effective is None and said in supported.unreadable
    assert until.effective is None
