# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The editor of smb.conf: the right line of the right file, and not a byte more."""

from __future__ import annotations

import dataclasses
import hashlib
import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import edit_conf
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.edit import edit
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import Fact, Origin
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Native

from .smbconf import MAIN, SETTINGS, Host, want

SIGN = want("server signing", "mandatory")
FLOOR = want("server min protocol", "SMB2_10")
GUEST = "guest ok"


def edited(text: str | bytes, *targets, **files):
    """Return the main file's new text; the plan made afterwards is empty."""
    host = Host({MAIN: text, **{f"/{name}": body for name, body in files.items()}})
    done = host.edit(*targets)
    assert done.refused == ()
    again = host.plan(*targets)
    assert (again.steps, again.changes, again.refused) == ((), (), ())
    return host.text()


# Which line ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[global]\n\tserver min protocol=NT1\n", "[global]\n\tserver min protocol=SMB2_10\n"),
        ("[global]\nserver min protocol   =   NT1\n", "[global]\nserver min protocol   =   SMB2_10\n"),
        ("[global]\n  Min  Protocol = NT1  \n# end", "[global]\n  Min  Protocol = SMB2_10\n# end"),
        ("[global]\nmin protocol = \\\n   NT1\nworkgroup = X\n", "[global]\nmin protocol = SMB2_10\nworkgroup = X\n"),
        ("[global]\n\tserver \\\n  min protocol = NT1\n", "[global]\n\tserver min protocol = SMB2_10\n"),
        ("server min protocol = NT1\n[global]\n", "server min protocol = SMB2_10\n[global]\n"),
        (
            "[global]\nmin protocol = CORE\n[a]\npath=/a\n[global]\nserver min protocol = NT1\n",
            "[global]\nmin protocol = CORE\n[a]\npath=/a\n[global]\nserver min protocol = SMB2_10\n",
        ),
        ("[global]\nmin protocol = NT1 \\\n", "[global]\nmin protocol = SMB2_10\n"),
        ("[global]\r\nmin protocol = NT1\r\n; x\r\n", "[global]\r\nmin protocol = SMB2_10\r\n; x\r\n"),
        ("[global]\r\nmin protocol = NT1", "[global]\r\nmin protocol = SMB2_10"),
        ("\ufeff[global]\nmin protocol = NT1\n", "\ufeff[global]\nmin protocol = SMB2_10\n"),
    ],
)
def test_the_line_that_counts_is_replaced_in_its_own_layout(before, after):
    assert edited(before, FLOOR) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "[global]\n    workgroup = X\n\n; end\n",
            "[global]\n    workgroup = X\n    server signing = mandatory\n\n; end\n",
        ),
        ("[global]\n", "[global]\n\tserver signing = mandatory\n"),
        ("[global]", "[global]\n\tserver signing = mandatory"),
        ("[global]\n[a]\n   path = /a\n", "[global]\n   server signing = mandatory\n[a]\n   path = /a\n"),
        ("", "[global]\n\tserver signing = mandatory\n"),
        ("# nothing\n", "# nothing\n[global]\n\tserver signing = mandatory\n"),
        ("workgroup = X\n", "workgroup = X\nserver signing = mandatory\n"),
        ("[a]\npath = /a\n", "[global]\n\tserver signing = mandatory\n\n[a]\npath = /a\n"),
        (
            "# head\n\n# a share\n[a]\n path = /a\n",
            "# head\n\n[global]\n server signing = mandatory\n\n# a share\n[a]\n path = /a\n",
        ),
        (
            "[global]\n w = 1\n workgroup = X\n[a]\n path = /a\n[global]\n deadtime = 9\n",
            "[global]\n w = 1\n workgroup = X\n server signing = mandatory\n[a]\n path = /a\n[global]\n deadtime = 9\n",
        ),
        ("[global]\r\n\tworkgroup = X", "[global]\r\n\tworkgroup = X\r\n\tserver signing = mandatory"),
        ("[global]\n\tworkgroup = \\\n X\n", "[global]\n\tworkgroup = \\\n X\n\tserver signing = mandatory\n"),
        ("[global]\n\tworkgroup = X \\\n", "[global]\n\tworkgroup = X \\\n\n\tserver signing = mandatory\n"),
    ],
)
def test_what_stands_nowhere_goes_to_the_first_block_of_global(before, after):
    assert edited(before, SIGN) == after


def test_a_file_that_brings_shares_ends_the_first_block():
    text = "[global]\n  workgroup = X\n  include = /shares\n\n[homes]\n  browseable = no\n"
    host = Host({MAIN: text, "/shares": "[a]\n path = /a\n"})
    host.edit(SIGN)
    assert host.text() == text.replace("  include", "  server signing = mandatory\n  include")
    assert host.files["/shares"] == b"[a]\n path = /a\n"


def test_the_main_file_may_be_nothing_but_an_include():
    host = Host({MAIN: "include = /real\n", "/real": "[global]\n   workgroup = X\n\n[a]\n   path = /a\n"})
    done = host.edit(SIGN)
    assert host.text() == "include = /real\n"
    assert host.text("/real") == "[global]\n   workgroup = X\n   server signing = mandatory\n\n[a]\n   path = /a\n"
    assert done.changes[0].address == "/real [global] server signing"


def test_nested_includes_are_changed_where_the_value_comes_from_and_before_the_main_file():
    files = {
        MAIN: "[global]\ninclude = /one\n",
        "/one": "include = /two\nworkgroup = X\n",
        "/two": "\xff = 1\n  server min protocol = NT1",
    }
    host = Host(files)
    done = host.edit(FLOOR, SIGN)
    assert host.text("/two") == "\xff = 1\n  server min protocol = SMB2_10"
    assert host.text("/one") == files["/one"]
    assert [step.target for step in done.steps] == ["/two", MAIN]
    assert {(step.check, step.config, step.restart) for step in done.steps} == {("testparm", MAIN, "reload")}
    assert [(change.address, change.before, change.after, change.step) for change in done.changes] == [
        ("/two:2 [global] server min protocol", "NT1", "SMB2_10", 1),
        (f"{MAIN} [global] server signing", None, "mandatory", 2),
    ]
    assert done.changes[0].origin == Origin("include", "/two:2")


@pytest.mark.parametrize(
    ("line", "value", "after"),
    [
        ("writeable = yes", True, "writeable = no"),
        ("Write OK = 1", True, "Write OK = no"),
        ("read only = no", True, "read only = yes"),
        ("WRITABLE = no", False, "WRITABLE = yes"),
    ],
)
def test_a_synonym_stays_and_says_it_in_its_own_sense(line, value, after):
    text = f"[a]\n path = /a\n {line}\n"
    assert edited(text, want("read only", value, "a")) == f"[a]\n path = /a\n {after}\n"


def test_of_duplicates_the_one_that_wins_is_changed():
    text = "[a]\npath=/a\npublic = no\nguest ok = no\npublic = yes\n"
    assert edited(text, want(GUEST, False, "a")) == text.replace("public = yes", "public = no")


def test_a_share_whose_section_stands_twice():
    text = "[a]\npath=/a\n[b]\npath=/b\n[A]\n\tcomment = x\n"
    assert edited(text, want(GUEST, True, "a")) == text + "\tguest ok = yes\n"


# Shares and what they take over ----------------------------------------------------------------------------------

TWO = "[global]\n{0}[a]\npath=/a\n{1}[b]\npath=/b\n{2}"


def test_a_share_that_says_it_itself_is_changed_there():
    text = TWO.format("guest ok = no\n", "guest ok = yes\n", "")
    assert edited(text, want(GUEST, False, "a")) == TWO.format("guest ok = no\n", "guest ok = no\n", "")


def test_shares_that_all_take_it_over_are_mended_in_global():
    text = TWO.format("guest ok = yes\n", "", "")
    host = Host(text)
    done = host.edit(want(GUEST, False, "a"), want(GUEST, False, "b"))
    assert host.text() == TWO.format("guest ok = no\n", "", "")
    assert [(change.object, change.address, change.step) for change in done.changes] == [
        ("a", f"{MAIN}:2 [global] guest ok", 1),
        ("b", f"{MAIN}:2 [global] guest ok", 1),
    ]


def test_shares_that_all_have_the_default_are_mended_in_global():
    text = TWO.format("", "", "")
    assert edited(text, want("wide links", True, "a"), want("wide links", True, "b")) == TWO.format(
        "\twide links = yes\n", "", ""
    )


def test_a_share_that_nobody_asks_about_keeps_what_it_takes_over():
    text = TWO.format("guest ok = yes\n", "", "")
    assert edited(text, want(GUEST, False, "a")) == TWO.format("guest ok = yes\n", "guest ok = no\n", "")


def test_what_global_is_asked_for_holds_for_shares_that_take_it_over_and_stronger_wishes_stand_apart():
    host = Host(TWO.format("", "", "smb encrypt = disabled\n"))
    targets = [
        want("server smb encrypt", "desired", control="one"),
        want("server smb encrypt", "required", "a", control="two"),
        want("server smb encrypt", "desired", "b", control="two"),
    ]
    done = host.edit(*targets)
    assert host.text() == TWO.format(
        "\tserver smb encrypt = desired\n", "server smb encrypt = required\n", "smb encrypt = desired\n"
    )
    assert done.refused == ()
    stronger = Host(TWO.format("", "", ""))
    stronger.edit(targets[0], dataclasses.replace(targets[0], value="required"), targets[2])
    assert stronger.text() == TWO.format("\tserver smb encrypt = required\n", "", "")


def test_a_share_that_begins_before_global_gets_a_line_of_its_own():
    text = "[a]\n\tpath = /a\n[b]\n\tpath = /b\n[global]\n\tworkgroup = X\n"
    host = Host(text)
    done = host.edit(want(GUEST, True, "b"))
    assert done.refused == ()
    assert host.value(GUEST, "b") is True and not host.value(GUEST, "a")
    assert host.text() == text.replace("/b\n", "/b\n\tguest ok = yes\n")


def test_the_values_of_a_copied_share_stay_with_the_copy_or_nothing_is_done():
    text = "[a]\npath=/a\nguest ok = yes\n[b]\ncopy = a\npath=/b\n"
    both = Host(text)
    both.edit(want(GUEST, False, "a"), want(GUEST, False, "b"))
    assert both.text() == text.replace("guest ok = yes", "guest ok = no")
    copy = Host(text)
    copy.edit(want(GUEST, False, "b"))
    assert copy.text() == text + "guest ok = no\n"
    first = Host(text)
    done = first.edit(want(GUEST, False, "a"), want("wide links", True, "a"))
    assert first.text() == text and done.steps == ()
    assert {blocked.kind for blocked in done.refused} == {"edit"}
    assert "[b]" in done.refused[0].why


def test_an_include_that_several_shares_share():
    files = {MAIN: "[a]\npath=/a\ninclude = /c\n[b]\npath=/b\ninclude = /c\n", "/c": "guest ok = yes\n"}
    both = Host(files)
    both.edit(want(GUEST, False, "a"), want(GUEST, False, "b"))
    assert (both.text(), both.text("/c")) == (files[MAIN], "guest ok = no\n")
    one = Host(files)
    one.edit(want(GUEST, False, "b"))
    assert (one.text(), one.text("/c")) == (files[MAIN] + "guest ok = no\n", files["/c"])


def test_a_parameter_of_a_printing_system_is_not_its_line():
    text = "[lp]\npath=/t\nprinting = bsd\n"
    assert edited(text, want("lprm command", "", "lp")) == text + "lprm command =\n"


def test_what_is_spoilt_is_left_out_and_the_rest_is_done():
    text = "[a]\npath=/a\nguest ok = yes\n[b]\ncopy = a\n[global]\nserver min protocol = NT1\n"
    host = Host(text)
    done = host.edit(want(GUEST, False, "a", control="guest"), FLOOR)
    assert host.text() == text.replace("NT1", "SMB2_10")
    assert [blocked.control for blocked in done.refused] == ["guest"]


def test_samba_draws_some_values_from_others():
    text = "[global]\nclient lanman auth = yes\nclient ntlmv2 auth = no\nserver signing = auto\n"
    assert edited(text, want("client ntlmv2 auth", True)) == text.replace("auth = no", "auth = yes")


# How it is written -------------------------------------------------------------------------------------------------


def test_a_default_that_is_wanted_is_written_where_something_else_stands():
    text = "[global]\nserver signing = disabled\n"
    assert edited(text, want("server signing", "default")) == "[global]\nserver signing = default\n"


def test_the_name_is_one_that_the_release_knows():
    host = Host("[global]\n", version="4.9.5")
    host.edit(want("server smb encrypt", "required"))
    assert host.text() == "[global]\n\tsmb encrypt = required\n"


def test_lists_keep_their_items_as_they_are_spelled():
    raw = b'[a]\npath=/a\nhosts allow = 10., ALL, "a b", caf\xe9\n'
    host = Host(raw)
    today = host.facts.get("samba.hosts_allow", "a").configured
    host.edit(want("hosts allow", [item for item in today if item != "ALL"], "a"))
    assert host.files[MAIN] == b'[a]\npath=/a\nhosts allow = 10., "a b", caf\xe9\n'


def test_log_level_keeps_its_classes():
    target = want("log auth level", 3)
    for before, after in (
        ("log level = 1 auth_audit:2 winbind:5", "log level = 1 auth_audit:3 winbind:5"),
        ("debuglevel = 2 smb:1", "debuglevel = 2 smb:1 auth_audit:3"),
        ("log level = 1 auth_audit:1@/var/log/a", "log level = 1 auth_audit:3@/var/log/a"),
        ("workgroup = X", "workgroup = X\nlog level = 0 auth_audit:3"),
    ):
        assert edited(f"[global]\n{before}\n", target) == f"[global]\n{after}\n"
    assert not Host("[global]\nlog level = 1 auth_json_audit:5\n").plan(target).steps
    old = Host("[global]\nlog level = 1\n", version="4.6.0").plan(target)
    assert not old.steps and "4.7" in old.refused[0].why


@pytest.mark.parametrize("value", ["a\nb", "a\x07", "ends \\", " two", "x\x00y"])
def test_a_text_that_smbconf_cannot_hold_is_refused(value):
    done = Host("[global]\n").plan(want("server string", value), SIGN)
    assert [blocked.fact for blocked in done.refused] == ["samba.server_string"]
    assert len(done.steps) == 1


def test_a_secret_is_in_no_change(monkeypatch):
    settings = {**SETTINGS, "samba.server_string": dataclasses.replace(SETTINGS["samba.server_string"], secret=True)}
    host = Host("[global]\nserver string = hush\n")
    done = edit([want("server string", "other")], host.collected, host.facts, settings)
    assert [(change.before, change.after) for change in done.changes] == [("(not shown)", "(not shown)")]


# What a step carries -----------------------------------------------------------------------------------------------


def test_a_step_names_the_bytes_before_and_after():
    raw = b"[global]\r\n# caf\xe9 \xc3\xa9\r\nserver signing = no"
    done = Host(raw).plan(SIGN)
    new = b"[global]\r\n# caf\xe9 \xc3\xa9\r\nserver signing = mandatory"
    (step,) = done.steps
    assert step.kind == "file" and step.target == MAIN and step.content is not None
    assert step.before == Native("sha256", hashlib.sha256(raw).hexdigest())
    assert step.after == Native("sha256", hashlib.sha256(new).hexdigest())
    assert step.content.encode("utf-8", "surrogateescape") == new
    (change,) = done.changes
    assert change.address == f"{MAIN}:3 [global] server signing"
    assert (change.before, change.after, change.origin) == ("no", "mandatory", Origin("local", f"{MAIN}:3"))


def test_a_restart_is_asked_for_where_a_value_needs_one():
    booleans = [item for item in SETTINGS.values() if item.restart == "restart" and item.type == "boolean"]
    ports = next(item for item in booleans if item.id not in edit_conf._FOR_ITS_OWNER)
    done = Host("[global]\n").plan(SIGN, want(ports.name, not ports.defaults[-1].value))
    assert [step.restart for step in done.steps] == ["restart"]
    assert [change.restart for change in done.changes] == ["reload", "restart"]


def test_without_checksums_a_last_line_is_taken_to_end():
    (step,) = Host("[global]\nserver signing = no\n", sums=False).plan(SIGN).steps
    assert step.content == "[global]\nserver signing = mandatory\n"


# What is not done --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({MAIN: "[global]\nserver string = a\x00b\n"}, "NUL"),
        ({MAIN: "# This file is auto-generated by openmediavault\n[global]\n"}, "generated"),
        ({MAIN: "# DO NOT EDIT THIS FILE\n[global]\n"}, "generated"),
        ({MAIN: "[global]\nconfig file = /etc/samba/%m.conf\n"}, "config file"),
        ({MAIN: "[global]\ninclude = /etc/samba/%m.conf\n[a]\npath=/a\ninclude = /x.%U\n"}, "each client"),
        ({MAIN: "[global]\nserver signing = no\ninclude = /etc/samba/%m.conf\n"}, "each client"),
        ({MAIN: "[global]\nserver signing = bogus\n"}, "refuses"),
    ],
)
def test_files_that_are_not_edited(files, words):
    done = Host(files).plan(SIGN)
    assert done.steps == () and done.changes == ()
    assert [(blocked.kind, blocked.control) for blocked in done.refused] == [("edit", "a-control")]
    assert words in done.refused[0].why


def test_a_conditional_include_before_the_line_that_counts_does_no_harm():
    text = "[global]\n  include = /etc/samba/%m.conf\n  workgroup = X\n[a]\npath=/a\n"
    assert edited(text, SIGN) == text.replace("= X\n", "= X\n  server signing = mandatory\n")


def test_an_include_that_was_not_collected_or_changed_meanwhile():
    host = Host({MAIN: "[global]\ninclude = /gone\n", "/gone": "server signing = no\n"})
    records = [record for record in host.collected.records if record.command != "/gone"]
    lost = dataclasses.replace(host.collected, records=records)
    done = edit([SIGN], lost, host.facts, SETTINGS)
    assert done.steps == () and "/gone: not collected" in done.refused[0].why
    cut = [dataclasses.replace(r, truncated=r.command == "/gone") for r in host.collected.records]
    done = edit([SIGN], dataclasses.replace(host.collected, records=cut), host.facts, SETTINGS)
    assert done.steps == () and "longer than" in done.refused[0].why
    new = [dataclasses.replace(r, out=r.out + "\n#" if r.command == "/gone" else r.out) for r in host.collected.records]
    done = edit([SIGN], dataclasses.replace(host.collected, records=new), host.facts, SETTINGS)
    assert done.steps == () and "byte for byte" in done.refused[0].why


@pytest.mark.parametrize("name", ["TrueNAS", "QTS 5.1", "Synology DSM"])
def test_appliances_write_their_own(name):
    host = Host("[global]\n")
    host.facts.put("host.os", Fact(configured={"id": "linux", "name": name}))
    done = host.plan(SIGN)
    assert done.steps == () and name.split()[0] in done.refused[0].why


def test_what_smbd_was_told_when_it_was_started_wins():
    from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Record

    more = [Record("samba.cmdline", "/proc/1/cmdline", "smbd\x00--option=server signing=disabled\x00-D")]
    done = Host("[global]\n", more=more).plan(SIGN, FLOOR)
    assert [blocked.fact for blocked in done.refused] == ["samba.server_signing"]
    assert len(done.steps) == 1


def test_shares_that_the_files_do_not_have():
    host = Host("[global]\n")
    host.facts.put("samba.share", Fact(configured={"kind": "usershare"}), "mine")
    done = host.plan(want(GUEST, False, "mine"), want(GUEST, False, "ghost"), want("no such thing", 1))
    assert done.steps == ()
    assert [blocked.kind for blocked in done.refused] == ["edit"] * 3
    assert "net usershare" in done.refused[0].why and "[ghost]" in done.refused[1].why


@pytest.mark.parametrize("text", ["[global]\n", "[global]\n\tinterfaces = eth0\n"])
def test_which_interfaces_clients_come_through_is_for_the_owner_to_say(text):
    """Alone, or beside a list that nobody looked at, it cuts off clients, and smbpasswd and winbind, which need lo."""
    done = Host({MAIN: text}).plan(want("bind interfaces only", True), SIGN)
    assert [step.kind for step in done.steps] == ["file"]
    assert {change.fact for change in done.changes} == {"samba.server_signing"}
    (refused,) = done.refused
    assert "for its owner to say" in refused.why


def test_two_controls_that_want_different_things():
    done = Host("[global]\n").plan(want("deadtime", 10), want("deadtime", 15, control="other"))
    assert [blocked.control for blocked in done.refused] == ["other"]
    assert done.changes[0].after == "10"


# The registry --------------------------------------------------------------------------------------------------------

REGISTRY = "[global]\n\tserver min protocol = NT1\n\tserver string = a  b\n\n[files]\n\tpath = /srv\n\tguest ok = yes\n"


def test_values_in_the_registry_are_set_there():
    host = Host("[global]\nconfig backend = registry\n", registry=REGISTRY)
    done = host.plan(FLOOR, SIGN, want(GUEST, False, "files"), want("wide links", True, "files"))
    assert done.refused == ()
    told = [(step.kind, step.target, step.name, step.before, step.after.value) for step in done.steps]
    assert sorted(told, key=str) == sorted(
        [
            ("netconf", "global", "server min protocol", Native("text", "NT1"), "SMB2_10"),
            ("netconf", "global", "server signing", Native("absent"), "mandatory"),
            ("netconf", "files", "guest ok", Native("text", "yes"), "no"),
            ("netconf", "global", "wide links", Native("absent"), "yes"),
        ],
        key=str,
    )
    assert {step.config for step in done.steps} == {MAIN}
    assert [change.step for change in done.changes] == [1, 2, 3, 4]


def test_a_share_of_the_registry_beside_a_text():
    listing = "[files]\n\tpath = /srv\n\n[more]\n\tpath = /more"
    host = Host("[global]\nregistry shares = yes\nguest ok = yes\n[a]\npath=/a\n", registry=listing)
    done = host.plan(want(GUEST, False, "files"), SIGN)
    assert done.refused == ()
    assert [(step.kind, step.target) for step in done.steps] == [("file", MAIN), ("netconf", "files")]


def test_a_spelling_of_the_registry_that_net_conf_would_not_change():
    listing = "[files]\n\tpath = /srv\n\twriteable = yes"
    done = Host("[global]\nconfig backend = registry\n", registry=listing).plan(want("read only", True, "files"))
    assert done.steps == () and "net conf" in done.refused[0].why


# The cost --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["", "  guest ok = yes\n"])
def test_three_thousand_shares(own):
    shares = "".join(f"[share{number}]\n  path = /srv/{number}\n  comment = x\n{own}" for number in range(3000))
    host = Host("[global]\n  workgroup = X\n" + ("" if own else "  guest ok = yes\n") + shares)
    targets = [want(GUEST, False, f"share{number}") for number in range(3000)]
    targets += [want("follow symlinks", False, f"share{number}") for number in range(2999)]
    began = time.process_time()
    done = host.plan(*targets, SIGN)
    assert time.process_time() - began < 2
    assert len(done.changes) == 6000 and done.refused == () and len(done.steps) == 1


def test_the_end_of_trying_is_near():
    """However many flaws there are, the rounds are few."""
    shares = "".join(f"[a{n}]\npath=/a\nguest ok = yes\n[b{n}]\ncopy = a{n}\n" for n in range(40))
    done = Host(shares).plan(*(want(GUEST, False, f"a{n}") for n in range(40)), SIGN)
    assert len(done.refused) == 40 and len(done.steps) == 1
    assert edit_conf._ROUNDS < 10
