# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster: by the inventory, with their exceptions, and one after another."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.clusters import cluster_of, nodes, turn
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.inputs import load_inputs
from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.remediate import RemediateRequest, remediate
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput, StoreError
from ansible_collections.breakwater.smb.plugins.plugin_utils._store import rundir, turns

from .conftest import PLAN, subject

GROUPS = {"all": ["a", "b", "c", "web"], "fs": ["a", "b", "c"], "east": ["a"], "empty": []}
FORCE = """
exceptions:
  - {kind: force, control: samba-smb-encrypt, hosts: [a, east], reason: told, owner: alice}
  - {kind: force, control: samba-smb-encrypt, hosts: [b], reason: told, owner: alice}
"""


def test_a_host_without_a_word_is_in_no_cluster():
    assert nodes(None, "a", GROUPS, ["a"]) is None
    assert nodes("", "a", GROUPS, ["a"]) is None


def test_the_nodes_are_the_hosts_of_the_group_and_those_that_the_play_leaves_out_are_away(tmp_path):
    found = nodes("fs", "a", GROUPS, ["a", "b", "web"])
    assert (found.group, tuple(found.members), found.away) == ("fs", ("a", "b", "c"), ("c",))
    assert found.members["a"] == ("all", "east", "fs")
    file = tmp_path / "exceptions.yml"
    file.write_text(FORCE, encoding="utf-8")
    cluster = cluster_of(found, load_inputs("recommended", str(file)))
    assert {node: len(records) for node, records in cluster.force.items()} == {"a": 1, "b": 1, "c": 0}
    assert cluster_of(None, load_inputs("recommended", None)) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fx", "is no inventory group"),
        ("empty", "is no inventory group"),
        ("east", "does not hold b"),
        ("all", "every host"),
    ],
)
def test_a_group_that_is_none_of_its_own_is_one_sentence(name, words):
    with pytest.raises(BadInput, match=f"breakwater_cluster of b.*{words}"):
        nodes(name, "b", GROUPS, ["b"])


def _take(run, host, seconds, ended):
    with turn(nodes("fs", host, GROUPS, "abc"), run, host) as mine:
        ended.put((host, "begins", time.monotonic()))
        time.sleep(seconds)
        ended.put((host, "ends", time.monotonic()))
        mine.note("")


def test_nodes_take_turns(open_a_run):
    """The lock belongs to the opened file, so that threads wait for each other as processes do."""
    run, told = open_a_run(), queue.Queue()
    working = [threading.Thread(target=_take, args=(run, host, 0.2, told)) for host in "abc"]
    for one in working:
        one.start()
    seen = [told.get(timeout=30) for _each in range(6)]
    for one in working:
        one.join(30)
    ordered = [(host, what) for host, what, _when in sorted(seen, key=lambda item: item[2])]
    assert [what for _host, what in ordered] == ["begins", "ends"] * 3
    assert all(ordered[at][0] == ordered[at + 1][0] for at in (0, 2, 4))


def test_after_a_node_that_was_not_completed_the_others_stay_as_they_are(open_a_run):
    run = open_a_run()
    found = nodes("fs", "a", GROUPS, "abc")
    with turn(found, run, "a"):
        pass  # killed, or failed: nobody said that it ended well
    with pytest.raises(BadInput, match=r"the change of a was not completed.*look at a"), turn(found, run, "b"):
        pass
    with turn(found, run, "a") as mine:  # tried again, and done
        mine.note("")
    with turn(found, run, "b") as mine:
        assert mine.failed == "b"


def test_what_another_run_left_behind_does_not_matter(open_a_run):
    found = nodes("fs", "a", GROUPS, "abc")
    with turn(found, open_a_run(), "a"):
        pass
    with turn(found, open_a_run(), "b") as mine:
        mine.note("")


def test_a_failed_change_of_one_node_keeps_the_next_from_being_asked(host, planned, context, open_a_run):
    run = open_a_run()
    planned(PLAN)
    request = RemediateRequest(subject(run), nodes=nodes("fs", "a", GROUPS, "abc"))
    host.fail_at = 1
    assert remediate(request, context, host.hands())["failed"]
    with turns.take(run.parent, "fs", run.name) as mine:
        assert mine.failed == "a"
        mine.note("b")  # as another node would have left it
    with pytest.raises(BadInput, match="the change of b was not completed"):
        remediate(request, context, host.hands())
    assert host.executions[-1] == "collect"
    with turns.take(run.parent, "fs", run.name) as mine:
        mine.note("")
    host.fail_at = 0
    assert not remediate(request, context, host.hands()).get("failed")
    with turns.take(run.parent, "fs", run.name) as mine:
        assert mine.failed == ""


def test_a_directory_that_cannot_hold_the_lock_is_one_sentence(tmp_path):
    found = nodes("fs", "a", GROUPS, "abc")
    with pytest.raises(StoreError, match="Cannot take turns"), turn(found, tmp_path / "none" / "run", "a"):
        pass


def test_the_lock_is_no_run(open_a_run):
    run = open_a_run()
    with turn(nodes("fs", "a", GROUPS, "abc"), run, "a") as mine:
        mine.note("")
    assert rundir.newest_first(run.parent) == [run]
