# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How well a Windows is mended; most cases are mistakes that other tools made on real hosts."""

from __future__ import annotations

import datetime
import itertools
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._patch import windows
from ansible_collections.breakwater.smb.plugins.plugin_utils._patch.level import level_of

DATA_FILE = pathlib.Path(windows.__file__).resolve().parents[1] / "_data" / "advisories" / "windows.json"
DATA = json.loads(DATA_FILE.read_text(encoding="utf-8"))
TODAY = datetime.date(2026, 11, 22)
SERVER, CLIENT = ("server-os", "domain-member"), ("workstation", "domain-member", "pro")
ENTERPRISE = ("workstation", "domain-member", "enterprise")


def read(version, traits=SERVER, os_value=None, updates=None, today=TODAY, data=DATA, **more):
    facts = windows.read(version, traits, os_value, updates, data, today, **more)
    return {fact_id.removeprefix("patch."): fact for fact_id, _obj, fact in facts}


def open_cves(version, traits=SERVER, **more):
    fact = read(version, traits, **more)["open_cves"]
    assert fact.unreadable is None, fact.unreadable
    return fact.effective


def why_unknown(name, version, traits=SERVER, **more):
    fact = read(version, traits, **more)[name]
    assert fact.effective is None and fact.configured is None
    return fact.unreadable


# One build, two products: a server is not measured with the revisions of a client.
def test_26100_is_two_products():
    assert "CVE-2026-57089" in open_cves("10.0.26100.32522", SERVER)  # 32522 >= 8875, which mends the client
    assert "CVE-2026-57089" not in open_cves("10.0.26100.33158", SERVER)
    assert "CVE-2026-57089" not in open_cves("10.0.26100.8875", CLIENT)
    assert read("10.0.26100.32522", SERVER)["age_days"].effective == (TODAY - datetime.date(2026, 3, 10)).days
    assert read("10.0.26100.8875", CLIENT)["latest_build"].effective.startswith("26100.9")
    assert read("10.0.26100.32522", SERVER)["latest_build"].effective == "26100.33650"


def test_26100_of_an_unknown_product_is_unknown():
    assert "which is not known" in why_unknown("open_cves", "10.0.26100.8875", ("domain-member",))
    assert "which is not known" in why_unknown("supported", "10.0.26100.8875", ())


# Updates without a reboot have smaller revisions than the same month's cumulative update.
def test_a_hotpatch_with_the_fix_is_no_alarm():
    assert "CVE-2022-37958" not in read("10.0.20348.916")["open_cves"].effective
    assert "CVE-2022-37958" in open_cves("10.0.20348.887")
    assert read("10.0.20348.916", today=datetime.date(2022, 9, 20))["age_days"].effective == 7


def test_a_revision_that_may_be_a_hotpatch_is_neither_open_nor_mended():
    """June 2025 (CVE-2025-33073, 20348.3807): its hotpatch stands between 3692 and 3807, and we do not know where."""
    found = read("10.0.20348.3750")["open_cves"].effective
    assert "CVE-2025-33073" not in found
    assert "CVE-2025-47981" in found  # that of July is open in every case
    assert "CVE-2025-33073" in open_cves("10.0.20348.3692")
    assert "CVE-2025-33073" in open_cves("10.0.17763.7400")  # that branch has none


def test_the_age_of_what_may_be_a_hotpatch_is_known_when_it_decides_nothing():
    july_ninth = datetime.date(2025, 7, 9)
    assert "days old or more" in why_unknown("age_days", "10.0.20348.3750", today=july_ninth)
    assert read("10.0.20348.3750", today=datetime.date(2026, 1, 1))["age_days"].effective > windows.OLD_DAYS


# Records that mix builds: only revisions of one and the same build are compared.
@pytest.mark.parametrize(("version", "expected"), [("10.0.22631.4602", True), ("10.0.22631.4751", False)])
def test_a_greater_build_is_not_a_mended_one(version, expected):
    assert ("CVE-2025-21295" in open_cves(version, ENTERPRISE)) is expected


def test_the_name_of_a_release_decides_nothing():
    names = [{"name": "Microsoft Windows 10 Pro", "version": "10-22h2"}, {"name": "Windows 11 version 22H3"}, None]
    assert len({tuple(open_cves("10.0.22631.4602", CLIENT, os_value=name)) for name in names}) == 1


# Advisories sometimes name a revision above the one that their update installs.
@pytest.mark.parametrize(("version", "traits"), [("10.0.22621.963", ENTERPRISE), ("10.0.20348.768", SERVER)])
def test_what_the_update_installs_is_mended(version, traits):
    level = level_of(DATA["branches"][version.split(".")[2]], int(version.split(".")[3]), TODAY)
    published = {cve["id"]: cve["published"] for cve in DATA["cves"]}
    assert not [cve for cve in open_cves(version, traits) if published[cve] <= str(level.oldest)]


# Re-issued advisories put today's updates into yesterday's: what came out later had the fix from the start.
@pytest.mark.parametrize("version", ["10.0.19045.2130", "10.0.22621.521", "10.0.20348.169"])
def test_an_old_fix_is_not_asked_of_a_younger_release(version):
    traits = SERVER if ".20348." in version else CLIENT
    assert "CVE-2021-34527" not in open_cves(version, traits)
    assert "CVE-2021-34527" in open_cves("10.0.17763.1999")


# What CVE records or titles do not say must be in the data all the same.
@pytest.mark.parametrize(
    ("cve", "version", "mended"),
    [
        ("CVE-2017-0144", "10.0.14393.693", "10.0.14393.953"),
        ("CVE-2017-0148", "10.0.14393.693", "10.0.14393.953"),
        ("CVE-2020-0796", "10.0.18363.719", "10.0.18363.720"),
        ("CVE-2017-0016", "10.0.14393.693", "10.0.14393.953"),
        ("CVE-2020-17096", "10.0.17763.1577", "10.0.17763.1637"),
        ("CVE-2022-24508", "10.0.20348.524", "10.0.20348.587"),
        ("CVE-2021-36942", "10.0.17763.2061", "10.0.17763.2114"),
        ("CVE-2025-33073", "10.0.17763.7322", "10.0.17763.7434"),
    ],
)
def test_flaws_that_others_miss(cve, version, mended):
    assert cve in open_cves(version)
    assert cve not in open_cves(mended)


def test_smbghost_is_no_flaw_of_other_releases():
    for version in ("10.0.17763.1", "10.0.14393.0", "10.0.19041.1", "10.0.18363.720"):
        assert "CVE-2020-0796" not in open_cves(version), version


def test_exploited_ones_come_first():
    found = open_cves("10.0.17763.5000")
    exploited = {cve["id"] for cve in DATA["cves"] if "exploited" in cve}
    flags = [cve in exploited for cve in found]
    assert flags == sorted(flags, reverse=True) and True in flags and False in flags


# Windows 7 to 2012 R2: a list of updates convicts only by its dates.
def test_a_later_update_is_never_called_missing():
    updates = {"KB4012212": "2017-04-01", "KB5023769": "2023-03-20"}  # the security-only fix of MS17-010, and a rollup
    assert "not always cumulative" in why_unknown("open_cves", "6.1.7601", updates={**updates, "KB1": "2026-10-20"})
    assert "CVE-2017-0144" not in open_cves("6.1.7601", updates=updates)


def test_what_was_published_after_the_last_installation_is_open():
    found = open_cves("6.1.7601", updates={"KB3212646": "2017-01-20"})
    assert found[0:1] and "CVE-2017-0144" in found
    assert "CVE-2017-0144" not in open_cves("6.1.7601", updates={"KB4012212": "2017-03-14", "KB3212646": "2017-01-20"})
    assert "CVE-2020-0796" not in found  # no flaw of that Windows


@pytest.mark.parametrize(
    "updates", [None, {}, {"KB3212646": None}, {"KB3212646": "2017-01-20", "KB1": "12.01.2017"}, {"KB1": ""}]
)
def test_without_certain_dates_nothing_is_said(updates):
    for version in ("6.1.7601", "6.3.9600", "6.3.9600.20000", "10.0.14393"):
        assert why_unknown("open_cves", version, updates=updates)
        assert why_unknown("age_days", version, updates=updates)


def test_a_revision_of_windows_8_1_decides_nothing():
    """A security-only update raises it as the rollup of that month does."""
    assert "not always cumulative" in why_unknown("open_cves", "6.3.9600.21620")


def test_a_host_without_a_revision_is_as_old_as_its_last_installation():
    updates = {"KB4012212": "2017-04-01"}
    assert read("10.0.14393", updates=updates)["age_days"].effective == (TODAY - datetime.date(2017, 4, 1)).days
    assert "no revision" in why_unknown("age_days", "10.0.14393", updates={"KB1": "2026-11-20"})


# The registry tells what runs; what waits for a reboot is not in it yet.
def test_a_pending_reboot_is_named():
    facts = read("10.0.17763.7322", pending_reboot=True)
    assert "reboot" in facts["open_cves"].cause and "reboot" in facts["age_days"].cause
    assert read("10.0.17763.7322", pending_reboot=False)["open_cves"].cause is None


# Age.
@pytest.mark.parametrize(
    ("version", "traits", "days"),
    [
        ("10.0.17763.6532", SERVER, 740),
        ("10.0.20348.5761", SERVER, 40),
        ("10.0.20348.4650", SERVER, (TODAY - datetime.date(2026, 1, 13)).days),  # out of turn, after January's
        ("10.0.19045.5854", CLIENT, (TODAY - datetime.date(2025, 5, 13)).days),
        ("10.0.19045.5917", CLIENT, (TODAY - datetime.date(2025, 5, 13)).days),  # a preview contains May's
    ],
)
def test_age_is_that_of_the_newest_security_release_inside(version, traits, days):
    assert read(version, traits)["age_days"].effective == days


def test_a_release_that_the_data_lacks_may_be_the_installed_one():
    """Windows 10 1703 has a hole of four months at the turn of 2020."""
    releases = DATA["branches"]["15063"]["releases"]
    before, after = next(pair for pair in itertools.pairwise(releases) if pair[1][1] == "2020-02-11")
    assert before[1] == "2019-10-08"
    inside = f"10.0.15063.{(before[0] + after[0]) // 2}"
    assert "at most" in why_unknown("age_days", inside, ENTERPRISE, today=datetime.date(2020, 3, 1))
    assert read(inside, ENTERPRISE)["age_days"].effective == (TODAY - datetime.date(2020, 2, 11)).days


def test_a_host_newer_than_the_data_is_recent_while_the_data_is():
    facts = read("10.0.20348.5900", today=datetime.date(2026, 11, 22))
    assert facts["age_days"].effective == 40
    assert facts["open_cves"].effective == []
    later = read("10.0.20348.5900", today=datetime.date(2027, 3, 1))
    assert "at most" in later["age_days"].unreadable
    assert "what came after 2026-10-13 is not known" in later["open_cves"].unreadable


def test_old_data_acquits_nobody_but_still_convicts():
    last, later = datetime.date(2026, 11, 27), datetime.date(2026, 11, 28)
    assert open_cves("10.0.20348.5761", today=last) == []
    assert "is not known" in why_unknown("open_cves", "10.0.20348.5761", today=later)
    assert open_cves("10.0.20348.5622", today=later) == ["CVE-2026-84011"]


def test_a_record_that_was_read_in_part_acquits_only_who_has_its_month():
    reason = why_unknown("open_cves", "10.0.26100.9445", ENTERPRISE)
    assert "CVE-2026-84011" in reason
    assert open_cves("10.0.26200.9711", ENTERPRISE) == []


def test_a_fix_of_unknown_revision():
    """CVE-2026-50508 names 22H2 without a revision: older updates lack it for sure."""
    assert "CVE-2026-50508" in open_cves("10.0.22621.6060", ENTERPRISE)


def test_a_clock_that_is_wrong_gives_no_age():
    assert "clock" in why_unknown("age_days", "10.0.20348.5761", today=datetime.date(2026, 1, 1))


@pytest.mark.parametrize("version", ["10.0.99999.1", "6.0.6002", "6.0.6002.21966", "5.2.3790", "", "banana", "10.0"])
def test_an_unknown_build_is_unknown_in_everything(version):
    for name in ("supported", "support_ends", "open_cves", "age_days"):
        assert why_unknown(name, version)


@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=3), st.dates())
def test_any_host_gets_an_answer(version, traits, today):
    for fact in read(version, traits, os_value={"name": version, "edition": version}, today=today).values():
        assert (fact.unreadable is None) is (fact.effective is not None)


BRANCHES = sorted(key for key, row in DATA["branches"].items() if row["releases"] and key != "26300")


@given(st.sampled_from(BRANCHES), st.integers(0, 40000), st.integers(0, 40000))
def test_more_is_never_worse(key, left, right):
    """A greater revision never has more open flaws (where both are known), nor an older content."""
    build, traits = key.removesuffix("s"), SERVER if key.endswith("s") else CLIENT
    low, high = sorted((left, right))
    branch = DATA["branches"][key]
    if not any(number in (low, high) for number, _date in branch["hotpatches"]):
        assert level_of(branch, low, TODAY).oldest <= level_of(branch, high, TODAY).oldest
    below, above = (read(f"10.0.{build}.{number}", traits)["open_cves"] for number in (low, high))
    if below.effective is not None and above.effective:
        assert set(above.effective) <= set(below.effective) | {"CVE-2026-84011"}


def test_the_newest_month():
    assert windows.newest_month(DATA) == "2026-10"


def test_the_data_is_small_and_sound():
    assert DATA_FILE.stat().st_size < 150_000
    assert len({cve["id"] for cve in DATA["cves"]}) == len(DATA["cves"]) > 150
    for cve in DATA["cves"]:
        assert set(cve["fixed"]) <= set(DATA["branches"]), cve["id"]
        assert cve["fixed"] or cve["legacy"], cve["id"]
    for key, row in DATA["branches"].items():
        numbers = [number for number, _date in row["releases"]]
        dates = [date for _number, date in row["releases"] if date]
        assert numbers == sorted(set(numbers)) and dates == sorted(dates), key
        assert max(dates, default="") <= DATA["newest"]
