# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin sweep in ansible-inventory and ansible-playbook: what hosts call themselves never becomes code."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pytest
import yaml

from tests.lab.named_server import named
from tests.lab.playbooks import BIN, environment, play
from tests.lab.sshd import free_port

HOSTILE = {
    "127.0.0.2": "{{ lookup('ansible.builtin.pipe', 'touch ' ~ marker) }}",
    "127.0.0.3": "{% for x in range(9) %}x{% endfor %}",
    "127.0.0.4": "<script>alert(1)</script>",
    "127.0.0.5": "\x1b[31mred\x07\n- hosts: all",
    "127.0.0.6": "!unsafe &a *b",
}
PROPER = {"127.0.0.7": "NAS01.example", "127.0.0.8": "twin", "127.0.0.9": "TWIN"}


@pytest.fixture(scope="module")
def port():
    """Several servers on one port, each an address of loopback."""
    number = free_port()
    with contextlib.ExitStack() as stack:
        for address, name in {**HOSTILE, **PROPER}.items():
            stack.enter_context(named(name, address, number))
        yield number


def write(folder, port, **more):
    document = {
        "plugin": "breakwater.smb.sweep",
        "targets": ["127.0.0.2-12"],
        "ports": [port],
        "checks": ["dialects", "smb1", "signing", "identity"],
        **more,
    }
    path = folder / "office.breakwater.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def inventory(folder, *arguments, **extra):
    """Run ansible-inventory and return how it went."""
    done = subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", "office.breakwater.yml", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**extra),
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def listed(folder):
    done = inventory(folder, "--list")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))


def test_hosts_are_grouped_by_what_they_offer(tmp_path, port):
    write(tmp_path, port)
    found = listed(tmp_path)
    every = sorted({**HOSTILE, **PROPER})
    for group in (
        "smb",
        "smb_dialect_2_0_2",
        "smb_dialect_2_1",
        "smb_signing_not_required",
        "smb_is_unknown",
        f"smb_port_{port}_tcp",
    ):
        assert sorted(found[group]["hosts"]) == every, group
    assert not {"smb_smb1", "smb_smb1_unknown", "smb_dialect_3_1_1"} & found.keys()
    told = found["_meta"]["hostvars"]["127.0.0.7"]
    assert told["ansible_host"] == "127.0.0.7"
    assert told["breakwater_probe"]["ports"][f"{port}/tcp"]["ntlm"]["dns_computer"] == "NAS01.example"
    assert told["breakwater_probe"]["implementation"]["name"] == "unknown"


def test_a_graph_shows_no_more_than_names_that_are_names(tmp_path, port):
    write(tmp_path, port, hostname="name")
    done = inventory(tmp_path, "--graph", "smb")
    assert done.returncode == 0, done.stderr
    hosts = {line.strip("| -") for line in done.stdout.splitlines()[1:]}
    assert hosts == {*HOSTILE, "nas01.example", "127.0.0.8", "127.0.0.9"}


def test_text_of_strangers_stays_text_wherever_it_goes(tmp_path, port):
    """Names come back letter by letter: through a template, a loop, a fact that is set, a lookup of another variable."""
    write(tmp_path, port)
    marker = tmp_path / "owned"
    name = f"breakwater_probe.ports['{port}/tcp'].ntlm.dns_computer"
    told = "{{ NAME }}".replace("NAME", name)
    kept = "{{ {'told': NAME, 'once': once, 'twice': twice, 'thrice': thrice} | to_json }}".replace("NAME", name)
    every = "{{ hostvars[inventory_hostname].breakwater_probe | to_json | length }}"
    tasks = [
        {"ansible.builtin.set_fact": {"once": told}},
        {"ansible.builtin.set_fact": {"twice": "{{ once | default('') }}"}},
        {"ansible.builtin.set_fact": {"thrice": "{{ twice }} and " + every}},
        {"ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": [told, "{{ once }}"]},
        {
            "ansible.builtin.copy": {
                "content": kept,
                "dest": str(tmp_path) + "/{{ inventory_hostname }}.json",
                "mode": "0600",
            },
            "delegate_to": "localhost",
        },
    ]
    book = tmp_path / "play.yml"
    variables = {"marker": str(marker), "ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    book.write_text(
        json.dumps([{"hosts": "smb", "gather_facts": False, "vars": variables, "tasks": tasks}]), encoding="utf-8"
    )
    played = play(str(book), tmp_path / "office.breakwater.yml", tmp_path)
    assert played.code == 0, played.output
    assert not marker.exists()
    for address, name in HOSTILE.items():
        shown = name.replace("\x1b", "\\x1b").replace("\x07", "\\x07").replace("\n", "\\x0a")
        kept = json.loads((tmp_path / f"{address}.json").read_text(encoding="utf-8"))
        assert {kept["told"], kept["once"], kept["twice"]} == {shown}
        assert kept["thrice"].startswith(f"{shown} and ")
    assert "\x1b" not in played.output


def test_what_is_cached_is_not_asked_again(tmp_path, port):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    with named("late", "127.0.0.12", port):
        write(tmp_path, port, **cache)
        first = listed(tmp_path)
    assert "127.0.0.12" in first["smb"]["hosts"]
    assert listed(tmp_path) == first
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    assert "127.0.0.12" not in listed(tmp_path)["smb"]["hosts"]


def test_a_file_that_was_changed_is_asked_anew(tmp_path, port):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    write(tmp_path, port, **cache)
    assert "127.0.0.9" in listed(tmp_path)["smb"]["hosts"]
    write(tmp_path, port, **cache, targets=["127.0.0.2-8"])
    assert "127.0.0.9" not in listed(tmp_path)["smb"]["hosts"]


def test_a_cache_with_something_else_in_it_is_asked_anew(tmp_path, port):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    write(tmp_path, port, **cache)
    first = listed(tmp_path)
    (path,) = (tmp_path / "cache").iterdir()
    document = json.loads(path.read_text(encoding="utf-8"))
    payload = {"__payload__": "null"} if "__payload__" in document else None
    path.write_text(json.dumps(payload), encoding="utf-8")
    assert listed(tmp_path)["smb"]["hosts"] == first["smb"]["hosts"]


def test_a_stranger_does_not_become_localhost(tmp_path, port):
    with named("localhost", "127.0.0.11", port), named("all", "127.0.0.10", port):
        write(tmp_path, port, hostname="name")
        found = listed(tmp_path)
    assert {"127.0.0.10", "127.0.0.11", "nas01.example"} <= set(found["smb"]["hosts"])
    assert "localhost" not in found["_meta"]["hostvars"]


def test_names_that_the_user_gives_are_kept(tmp_path, port):
    write(tmp_path, port, targets=["localhost", "127.0.0.7"], ports=[port])
    with named("self", "127.0.0.1", port):
        found = listed(tmp_path)
    assert sorted(found["smb"]["hosts"]) == ["127.0.0.7", "localhost"]
    assert found["_meta"]["hostvars"]["localhost"]["ansible_host"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"targets": ["8.8.8.8"]}, "8.8.8.8 is no private address"),
        ({"targets": ["10.0.0.9/24"]}, "its host bits are set"),
        ({"targets": []}, "no target is named"),
        ({"ports": [0]}, "The option ports cannot be used"),
        ({"ports": ["smb"]}, "name TCP ports by their numbers"),
        ({"scpoe": "mine.yml"}, "unknown key 'scpoe'; did you mean 'scope'?"),
        ({"window": 0}, "The option window cannot be used"),
        ({"scope": "nothing.yml"}, "Cannot read the scope file"),
        ({"checks": ["dialect"]}, "dialect"),
    ],
)
def test_what_a_user_can_do_wrong_is_one_sentence_and_not_0(tmp_path, port, change, seen):
    write(tmp_path, port, **change)
    done = inventory(tmp_path, "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true")
    assert done.returncode != 0
    assert seen in " ".join(done.stderr.split())


def test_other_files_are_not_ours(tmp_path, port):
    path = write(tmp_path, port).rename(tmp_path / "office.yml")
    done = subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", str(path), "--list"],
        capture_output=True,
        text=True,
        env=environment(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true"),
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
