# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter of steps on simulated Windows hosts: each kind by version, and its inverse."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import ABSENT, Native, Order, Step, Twin
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab.windows import applying
from tests.lab.windows.applying import carry_out, confirm, inverse, state_folder, whole
from tests.lab.windows.simulated import SimulatedHost

SERVICES = r"SYSTEM\CurrentControlSet\Services"
SERVER = rf"{SERVICES}\LanmanServer\Parameters"
CLIENT = rf"{SERVICES}\LanmanWorkstation\Parameters"
LOG = "Microsoft-Windows-NTLM/Operational"
SHARE_AUDIT = "{0CCE9224-69AE-11D9-BED3-505054503030}"


def integer(value):
    return Native("integer", value)


def text(value):
    return Native("text", value)


def boolean(value):
    return Native("boolean", value)


def right(*sids):
    return Native("list", [*sids])


@pytest.fixture
def host(tmp_path: pathlib.Path):
    """Return a host that tells of a log and of its shares what it left out as usual: an undo writes it."""

    def made(name: str) -> SimulatedHost:
        found = SimulatedHost(name, tmp_path / name)

        def told(state):
            state["event_logs"][LOG]["enabled"] = False
            for share in state["shares"]:
                share.setdefault("encrypt", False)

        found.change(told)
        return found

    return made


def plan(host: SimulatedHost) -> tuple[Step, ...]:
    """Return a step of every kind that this host can do."""
    state = host.document()
    guid = state["adapters"][0]["guid"]
    netbt = state["registry"][rf"{SERVICES}\NetBT\Parameters\Interfaces\Tcpip_{guid}"]
    before = integer(netbt["NetbiosOptions"][1]) if "NetbiosOptions" in netbt else ABSENT
    steps = [
        Step(0, "registry", SERVER, "SMB1", ABSENT, Native("dword", 0)),
        Step(
            0,
            "registry",
            rf"SOFTWARE\Policies\Lab\Deep{chr(0xE9)}\X",
            "it's $x|y,",
            ABSENT,
            Native("multi_sz", ["a,b", "", "'@\n%"]),
        ),
        Step(0, "service", "Spooler", "", integer(2), integer(4)),
        Step(0, "netbios", guid, "", before, integer(2)),
        Step(0, "secedit", "System Access", "LSAAnonymousNameLookup", integer(0), integer(1)),
        Step(
            0,
            "right",
            "SeNetworkLogonRight",
            "",
            right(*state["user_rights"]["SeNetworkLogonRight"]),
            right("S-1-5-32-544", "S-1-5-11"),
        ),
        Step(
            0,
            "right",
            "SeDenyNetworkLogonRight",
            "",
            right(*state["user_rights"]["SeDenyNetworkLogonRight"]),
            right("S-1-5-114"),
        ),
        Step(
            0,
            "audit",
            SHARE_AUDIT,
            "",
            integer(state["audit_policy"][SHARE_AUDIT]),
            integer(3 - state["audit_policy"][SHARE_AUDIT]),
        ),
        Step(0, "event_log", LOG, "enabled", boolean(False), boolean(True)),
        Step(0, "event_log", LOG, "size", integer(1048576), integer(33554432)),
    ]
    if state["smb"]["server"]:
        shares = [item for item in state["shares"] if not item["special"]]
        steps += [
            Step(
                0, "share_property", item["name"], "EncryptData", boolean(item["encrypt"]), boolean(not item["encrypt"])
            )
            for item in shares
        ]
        steps += [
            Step(
                0, "server_property", "", "EncryptData", boolean(False), boolean(True), twin=Twin(SERVER, "EncryptData")
            ),
            Step(
                0,
                "server_property",
                "",
                "NullSessionPipes",
                text(""),
                right("netlogon", "lsarpc"),
                twin=twin(state, SERVER, "NullSessionPipes"),
            ),
            Step(
                0,
                "client_property",
                "",
                "EnableSecuritySignature",
                boolean(True),
                boolean(False),
                twin=twin(state, CLIENT, "EnableSecuritySignature"),
            ),
        ]
    if state["features"].get("SMB1Protocol") == 1:
        steps.append(Step(0, "feature", "SMB1Protocol", "", text("enabled"), text("disabled")))
    if state.get("server_features", {}).get("WINS") == "Available":
        steps.append(Step(0, "role_feature", "WINS", "", text("available"), text("installed")))
    steps.append(Step(0, "restart", "LanmanServer"))
    return tuple(
        Step(**{**{name: getattr(step, name) for name in Step.__slots__}, "id": number})
        for number, step in enumerate(steps, 1)
    )


def twin(state, key, name):
    """Return the registry value behind a property as it stands now, by its name in whatever case."""
    kinds = {"DWord": "dword", "MultiString": "multi_sz", "String": "sz"}
    for known, (kind, value) in state["registry"][key].items():
        if known.lower() == name.lower():
            return Twin(key, known, Native(kinds[kind], value))
    return Twin(key, name)


@pytest.mark.parametrize("name", ["ws2008r2", "ws2012r2", "ws2016-ja", "ws2019-de", "ws2022", "ws2025", "win11-24h2"])
def test_every_kind_is_done_and_read_back_and_its_inverse_is_the_identity(host, name):
    found = host(name)
    before, steps = whole(found), plan(found)
    done = carry_out(found, Order("first", steps))
    assert done.states == ["done"] * len(steps), {number: step["error"] for number, step in done.steps.items()}
    assert (done.obstacle, done.host["armed"], done.stderr) == ("", False, "")
    again = carry_out(found, Order("second", steps[:-1]))
    assert again.states == ["already"] * (len(steps) - 1)
    assert not (state_folder(found) / "second").exists()
    back = carry_out(found, Order("third", inverse(steps)))
    assert set(back.states) == {"done"}, {number: step["error"] for number, step in back.steps.items()}
    assert whole(found) == before


def test_types_of_the_registry_arrive_and_are_compared(host):
    found = host("ws2022")
    kinds = {
        "dword": (4294967295, 1),
        "qword": (18446744073709551615, 2),
        "sz": ("", "%SystemRoot%\n\tü"),
        "expand_sz": ("%SystemRoot%\\x", "%ProgramData%"),
        "multi_sz": ([], ["", "a"]),
        "binary": ("", "00ff"),
    }
    first = [
        Step(n, "registry", r"SOFTWARE\Lab", kind, ABSENT, Native(kind, pair[0]))
        for n, (kind, pair) in enumerate(kinds.items(), 1)
    ]
    done = carry_out(found, Order("first", tuple(first)))
    assert [done.steps[step.id]["after"] for step in first] == [
        {"type": k, "value": pair[0]} for k, pair in kinds.items()
    ]
    stands = found.document()["registry"][r"SOFTWARE\Lab"]
    assert stands["expand_sz"] == ["ExpandString", "%SystemRoot%\\x"] and stands["multi_sz"] == ["MultiString", []]
    second = [
        Step(n, "registry", r"SOFTWARE\Lab", kind, Native(kind, a), Native(kind, b))
        for n, (kind, (a, b)) in enumerate(kinds.items(), 1)
    ]
    assert set(carry_out(found, Order("second", tuple(second))).states) == {"done"}
    # A number of another width, a text of another kind: somebody else's.
    other = (
        Step(1, "registry", r"SOFTWARE\Lab", "dword", Native("qword", 1), Native("dword", 5)),
        Step(2, "registry", r"SOFTWARE\Lab", "sz", Native("expand_sz", "%SystemRoot%\n\tü"), ABSENT),
        Step(3, "registry", r"SOFTWARE\Lab", "qword", Native("qword", 2), ABSENT),
    )
    refused = carry_out(found, Order("third", other))
    assert refused.states == ["refused", "refused", "skipped"]
    assert refused.steps[1]["error"] == "1 (dword) stands there, not 1 (qword)"


def test_names_with_wildcards_are_names(host):
    found = host("ws2022")
    key = r"SOFTWARE\Policies\Microsoft\Windows\NetworkProvider\HardenedPaths"
    both = {r"\\*\SYSVOL": ["String", "RequireIntegrity=1"], r"\\dc\SYSVOL": ["String", "keep"]}
    found.change(lambda state: state["registry"].update({key: both}))
    step = Step(1, "registry", key, r"\\*\SYSVOL", Native("sz", "RequireIntegrity=1"), ABSENT)
    assert carry_out(found, Order("first", (step,))).states == ["done"]
    assert found.document()["registry"][key] == {r"\\dc\SYSVOL": ["String", "keep"]}


def test_keys_of_its_own_go_with_the_last_value_and_others_stay(host):
    found = host("ws2022")
    deep = r"SOFTWARE\Policies\Lab\One\Two"
    steps = (
        Step(1, "registry", deep, "a", ABSENT, Native("dword", 1)),
        Step(2, "registry", deep, "b", ABSENT, Native("dword", 1)),
    )
    carry_out(found, Order("first", steps))
    found.change(lambda state: state["registry"].update({r"SOFTWARE\Policies\Lab\One": {"theirs": ["DWord", 1]}}))
    carry_out(found, Order("second", inverse(steps)))
    registry = found.document()["registry"]
    assert deep not in registry and registry[r"SOFTWARE\Policies\Lab\One"] == {"theirs": ["DWord", 1]}


def test_a_delayed_start_stays_delayed(host):
    found = host("ws2022")
    found.change(lambda state: state["registry"][rf"{SERVICES}\Spooler"].update(DelayedAutostart=["DWord", 1]))
    before = whole(found)
    step = Step(1, "service", "Spooler", "", integer(2), integer(4))
    assert carry_out(found, Order("first", (step,))).states == ["done"]
    assert carry_out(found, Order("second", inverse([step]))).states == ["done"]
    assert whole(found) == before


def test_the_driver_of_smb1_with_the_dependency_and_the_reboot(host):
    found = host("ws2012r2")
    depends = found.document()["registry"][rf"{SERVICES}\LanmanWorkstation"]["DependOnService"][1]
    kept = [name for name in depends if name.lower() != "mrxsmb10"]
    assert len(kept) == len(depends) - 1
    steps = (
        Step(
            1,
            "registry",
            rf"{SERVICES}\LanmanWorkstation",
            "DependOnService",
            Native("multi_sz", depends),
            Native("multi_sz", kept),
        ),
        Step(2, "service", "mrxsmb10", "", integer(2), integer(4)),
        Step(3, "feature", "SMB1Protocol", "", text("enabled"), text("disabled")),
    )
    assert carry_out(found, Order("first", steps)).states == ["done"] * 3
    found.reboot()
    state = found.document()
    assert state["features"]["SMB1Protocol"] == 2 and state["server_features"]["FS-SMB1"] == "Available"
    assert rf"{SERVICES}\mrxsmb10" not in state["registry"] and rf"{SERVICES}\srv" not in state["registry"]
    assert state["services"]["LanmanWorkstation"]["state"] == "Running"


def test_looking_only_changes_nothing(host):
    found = host("ws2022")
    before, steps = whole(found), plan(found)
    done = carry_out(found, Order("first", steps, inverse(steps), dry=True))
    assert set(done.states) == {"planned"} and whole(found) == before
    assert not (state_folder(found) / "first").exists()


def test_the_host_keeps_a_journal_with_what_stood_there(host):
    found = host("ws2022")
    steps = (
        Step(1, "registry", SERVER, "SMB1", ABSENT, Native("dword", 0)),
        Step(2, "service", "Spooler", "", integer(2), integer(4)),
    )
    carry_out(found, Order("first", steps))
    lines = (state_folder(found) / "first" / "journal").read_text().splitlines()
    assert [line.split("|")[1:] for line in lines] == [
        ["intended", "1", "registry", SERVER, "SMB1", "absent", ""],
        ["done", "1", "registry", SERVER, "SMB1", "absent", ""],
        ["intended", "2", "service", "Spooler", "", "integer", "2"],
        ["done", "2", "service", "Spooler", "", "integer", "2"],
    ]
    assert (state_folder(found) / "first" / "steps").read_text().startswith("O first|120|0|20\nS 1|registry|~S")
    assert state_folder(found).stat().st_mode & 0o777 == 0o700


def test_old_journals_go_and_armed_ones_stay(host):
    found = host("ws2022")
    step = Step(1, "service", "Spooler", "", integer(2), integer(4))
    for number in range(4):
        order = Order(f"j{number}", (step,) if number % 2 == 0 else inverse([step]), keep=2)
        assert carry_out(found, order).states == ["done"]
    assert sorted(path.name for path in state_folder(found).iterdir() if path.is_dir()) == ["j2", "j3"]


def test_a_restart_starts_again_what_depends_on_it(host):
    found = host("ws2022-dc")
    running = {name for name, service in found.document()["services"].items() if service["state"] == "Running"}
    assert carry_out(
        found, Order("first", (Step(1, "restart", "LanmanServer"), Step(2, "restart", "LanmanWorkstation")))
    ).states == ["done", "done"]
    assert {name for name, service in found.document()["services"].items() if service["state"] == "Running"} == running
    refused = carry_out(found, Order("second", (Step(1, "restart", "WinRM"),)))
    assert refused.states == ["refused"] and "no service to restart" in refused.steps[1]["error"]


def test_it_collects_again_in_the_same_execution(host):
    found = host("ws2022")
    texts = {
        name: (applying.REMOTE.parent / "_implementations" / name / "collect.ps1").read_text()
        for name in catalogue.WINDOWS_SECTIONS
    }
    addresses = windows.Addresses.of(catalogue.settings("windows").values())
    order = Order("first", (Step(1, "registry", SERVER, "SMB1", ABSENT, Native("dword", 0)),))
    done = carry_out(found, order, sections=texts, addresses=addresses)
    collected = {record.id: record for record in done.collected.records}
    assert list(collected)[:3] == ["apply.host", "apply.step", "host.identity"] and done.collected.uid
    values = {row["key"]: row["values"] for row in collected["windows.registry"].data}
    assert values[SERVER]["SMB1"] == 0


# What cuts the line.


def risky(found: SimulatedHost) -> tuple[Step, ...]:
    holders = found.document()["user_rights"]["SeNetworkLogonRight"]
    return (
        Step(1, "registry", rf"{SERVER}\New", "SMB1", ABSENT, Native("dword", 0)),
        Step(2, "server_property", "", "EncryptData", boolean(False), boolean(True), twin=Twin(SERVER, "EncryptData")),
        Step(3, "right", "SeNetworkLogonRight", "", right(*holders), right("S-1-5-32-544"), risky=True),
    )


@pytest.mark.parametrize("name", ["ws2022", "ws2008r2"])
def test_an_undo_fires_by_time_and_puts_everything_back(host, name):
    found = host(name)
    before = whole(found)
    steps = tuple(step for step in risky(found) if step.kind != "server_property" or name != "ws2008r2")
    done = carry_out(found, Order("first", steps, inverse(steps), seconds=600))
    assert done.host["armed"] is True and set(done.states) == {"done"}
    refused = carry_out(found, Order("second", steps))
    assert refused.obstacle.startswith("the change first is not confirmed yet: its undo was armed at 20")
    assert set(refused.states) == {"already"}
    looked = carry_out(found, Order("third", inverse(steps), dry=True))
    assert looked.host["armed"] is True and set(looked.states) == {"planned"} and not looked.obstacle
    assert found.wait(300) == [] and found.wait(310) == [r"\Breakwater\undo-first"]
    assert whole(found) == before
    late = confirm(found, "first")
    assert late.obstacle.startswith("the undo has fired") and not late.host["armed"] and late.host["fired"] == ["first"]
    assert carry_out(found, Order("fourth", ())).host["fired"] == []


def test_an_undo_fires_at_the_next_start(host):
    found = host("ws2022")
    found.reboot()
    before, steps = whole(found), risky(found)
    carry_out(found, Order("first", steps, inverse(steps), seconds=3600))
    assert found.reboot(off=5) == [r"\Breakwater\undo-first"]
    assert whole(found) == before
    assert carry_out(found, Order("second", ())).host["fired"] == ["first"]


def test_what_is_confirmed_stays(host):
    found = host("ws2022")
    found.reboot()
    steps = risky(found)
    carry_out(found, Order("first", steps, inverse(steps), seconds=600))
    done = confirm(found, "first")
    assert (done.obstacle, done.host["armed"]) == ("", True)
    assert confirm(found, "first").obstacle == "no undo is armed for first"
    after = whole(found)
    assert found.wait(3600) == [] and found.reboot() == []
    assert whole(found) == after and after["tasks"] == {}


def test_an_undo_leaves_alone_what_somebody_changed_since_and_what_stood_there_before(host):
    found = host("ws2022")
    steps = risky(found)
    found.change(lambda state: state["registry"].update({rf"{SERVER}\New": {"SMB1": ["DWord", 0]}}))
    done = carry_out(found, Order("first", steps, inverse(steps), seconds=600))
    assert done.states == ["already", "done", "done"]
    found.change(lambda state: state["registry"][SERVER].update(EncryptData=["DWord", 0]))
    found.wait(601)
    state = found.document()
    assert state["registry"][rf"{SERVER}\New"] == {"SMB1": ["DWord", 0]}
    assert state["user_rights"]["SeNetworkLogonRight"] == list(steps[2].before.value)


def test_nothing_is_done_where_the_undo_cannot_be_armed(host):
    found = host("ws2022")
    found.change(lambda state: state["denied_commands"].append({"command": "schtasks.exe"}))
    before, steps = whole(found), risky(found)
    done = carry_out(found, Order("first", steps, inverse(steps)))
    assert done.obstacle.startswith("the undo cannot be armed: schtasks.exe: exit code 1")
    assert set(done.states) == {"skipped"} and whole(found) == before
    assert not (state_folder(found) / "first" / "pending").exists()


def test_nothing_stays_armed_where_nothing_risky_was_done(host):
    found = host("ws2022")
    steps = risky(found)
    found.change(lambda state: state["denied_commands"].append({"command": "Set-SmbServerConfiguration"}))
    done = carry_out(found, Order("first", steps, inverse(steps)))
    assert done.states == ["done", "failed", "skipped"] and done.host["armed"] is False
    assert found.document()["tasks"] == {}


def test_smb1_removed_with_a_reboot_comes_back_with_the_rollback_and_another(host):
    found = host("ws2016")
    found.reboot()
    before = whole(found)
    on, off = boolean(True), boolean(False)
    depends = before["registry"][rf"{SERVICES}\LanmanWorkstation"]["DependOnService"][1]
    steps = (
        Step(1, "server_property", "", "EnableSMB1Protocol", on, off, twin=Twin(SERVER, "SMB1")),
        Step(2, "service", "mrxsmb10", "", integer(2), integer(4)),
        Step(3, "feature", "SMB1Protocol", "", text("enabled"), text("disabled")),
    )
    assert carry_out(found, Order("first", steps)).states == ["done"] * 3
    found.reboot()
    assert rf"{SERVICES}\srv" not in found.document()["registry"]
    back = carry_out(found, Order("second", inverse(steps)))
    assert back.states == ["done", "already", "done"], {number: step["error"] for number, step in back.steps.items()}
    assert back.steps[2]["error"] == "mrxsmb10 comes back with its feature"
    found.reboot()
    after = whole(found)
    assert after["features"] == before["features"] and after["server_features"] == before["server_features"]
    assert "SMB1" not in after["registry"][SERVER]
    assert (
        rf"{SERVICES}\srv" in after["registry"]
        and depends == after["registry"][rf"{SERVICES}\LanmanWorkstation"]["DependOnService"][1]
    )
