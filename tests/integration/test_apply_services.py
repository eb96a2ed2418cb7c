# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service managers: the commands that are given to systemd, OpenRC and SysV, with real daemons behind played managers."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import fleet
import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.step import Applied, Native, Order, Step
from tests.lab import samba_host
from tests.lab.interpreter import APPLY, back, confirm, file_step, replaced, send, states

CONF = "/etc/samba/smb.conf"
# What the managers have in common: a daemon that is started, stopped, and known by its pid file.
DAEMON = """#!/bin/sh
echo "${0##*/} $*" >>/run/asked
alive() { kill -0 "$(cat "/run/samba/$1.pid" 2>/dev/null)" 2>/dev/null; }
stop() { kill "$(cat "/run/samba/$1.pid")"; while alive "$1"; do sleep 0.1; done; }
mkdir -p /run/on
"""
SYSTEMCTL = """
for unit; do :; done
name=${unit%.service}
case $1 in
cat) [ "$name" = smb ] || [ "$name" = nmb ] ;;
show) echo "MainPID=$(cat /run/samba/smbd.pid)" ;;
restart) stop "${name}d"; "${name}d" -D ;;
start) "${name}d" -D ;;
stop) stop "${name}d" ;;
enable) touch "/run/on/$name" ;;
disable) rm -f "/run/on/$name" ;;
is-enabled) if [ -e "/run/on/$name" ]; then echo enabled; else echo disabled; exit 1; fi ;;
is-active) if alive "${name}d"; then echo active; else echo inactive; exit 3; fi ;;
daemon-reload) ;;
*) exit 1 ;;
esac
"""
SYSTEMD_RUN = """
while :; do case $1 in -*) shift ;; *) break ;; esac; done
setsid "$@" </dev/null >/dev/null 2>&1 &
"""
RC_SERVICE = """
case $1 in
--exists) [ "$2" = smb ] || [ "$2" = nmb ]; exit ;;
esac
case $2 in
restart) stop "${1}d"; "${1}d" -D ;;
start) "${1}d" -D ;;
stop) stop "${1}d" ;;
status) alive "${1}d" ;;
esac
"""
RC_UPDATE = """
case $1 in
show) ls /run/on | sed -e 's/$/ | default/' ;;
add) touch "/run/on/$2" ;;
del) rm "/run/on/$2" ;;
esac
"""
UPDATE_RC = """
case $2 in enable) touch "/etc/rc2.d/S01$1" ;; disable) rm -f "/etc/rc2.d/S01$1" ;; esac
"""
MANAGERS = {
    "systemd": {"systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN},
    "OpenRC": {"rc-service": RC_SERVICE, "rc-update": RC_UPDATE},
    "SysV": {"update-rc.d": UPDATE_RC},
}


@dataclasses.dataclass
class World:
    host: fleet.Host
    manager: str

    def send(self, *steps: Step, journal: str = "j1", apply: str = APPLY, **more: Any) -> Applied:
        return send(Order(journal, steps, **more), self.prefix(), apply)

    def prefix(self) -> list[str]:
        path = f"{self.host.directory}/tools:/usr/sbin:/usr/bin:/sbin:/bin"
        return [*self.host.enter(), "env", f"PATH={path}"]

    def asked(self) -> list[str]:
        return samba_host.run(self.host, "cat", "/run/asked").splitlines()

    def pid(self, name: str) -> str:
        return samba_host.run(self.host, "cat", f"/run/samba/{name}.pid")

    def alive(self, name: str) -> bool:
        command = ["sh", "-c", f'kill -0 "$(cat /run/samba/{name}.pid)"']
        return subprocess.run([*self.host.enter(), *command], capture_output=True, check=False).returncode == 0

    @property
    def conf(self) -> pathlib.Path:
        return self.host.directory / "etc-samba" / "smb.conf"


@pytest.fixture(params=MANAGERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    samba_host.require()
    with fleet.fleet(("smb1",)) as hosts:
        host = hosts["smb1"]
        tools = host.directory / "tools"
        tools.mkdir()
        for name, text in MANAGERS[request.param].items():
            (tools / name).write_text(DAEMON + text, encoding="ascii")
            (tools / name).chmod(0o755)
        if request.param == "systemd":
            if not pathlib.Path("/etc/systemd/system").is_dir():
                pytest.skip("needs /etc/systemd/system to mount something over it")
            samba_host.run(host, "mkdir", "-p", "/run/systemd/system")
            samba_host.run(host, "mount", "-t", "tmpfs", "tmpfs", "/etc/systemd/system")
        if request.param != "SysV":
            samba_host.run(host, "sh", "-c", "mkdir -p /run/on; touch /run/on/smb /run/on/nmb")
        samba_host.until(lambda: World(host, "").alive("nmbd"))
        yield World(host, request.param)


def test_restart_by_the_units_own_name(world):
    old = world.pid("smbd")
    text = world.conf.read_bytes()
    step = file_step(CONF, text, text + b"# more\n", check="testparm", config=CONF)
    result = world.send(step, Step(2, "restart", "smbd", config=CONF))
    assert states(result) == ["done", "done"], result
    assert world.pid("smbd") != old
    assert world.alive("smbd")
    wanted = {"systemd": "systemctl restart smb.service", "OpenRC": "rc-service smb restart"}
    if world.manager in wanted:
        assert wanted[world.manager] in world.asked()


def test_one_that_does_not_come_back_is_put_back(world):
    text = world.conf.read_bytes()
    bad = text.replace(b"[global]", b"[global]\n\tinterfaces = 203.0.113.7\n\tbind interfaces only = yes")
    step = file_step(CONF, text, bad, check="testparm", config=CONF)
    impatient = replaced(APPLY, "bw_patience=15", "bw_patience=5")
    result = world.send(step, Step(2, "restart", "smbd", config=CONF), apply=impatient)
    assert states(result) == ["undone", "failed"], result
    assert world.conf.read_bytes() == text
    assert world.alive("smbd")


def test_a_unit_is_stopped_and_started_again(world):
    before, after = Native("unit", "enabled running"), Native("unit", "disabled stopped")
    step = Step(1, "unit", "nmbd", before=before, after=after)
    dry = world.send(step, dry=True)
    assert (states(dry), dry.results[0].before) == (["planned"], before)
    assert states(world.send(step)) == ["done"]
    assert not world.alive("nmbd")
    assert states(world.send(step, journal="j2")) == ["already"]
    assert states(world.send(*back((step,), "j1"), journal="j3")) == ["done"]
    assert world.alive("nmbd")
    half = Step(1, "unit", "nmbd", before=before, after=Native("unit", "disabled running"))
    assert states(world.send(half, journal="j4")) == ["done"]
    refused = world.send(step, journal="j5")
    assert (states(refused), refused.results[0].before) == (["refused"], half.after)


def test_a_unit_that_nobody_knows(world):
    step = Step(
        1, "unit", "no-such", before=Native("unit", "enabled running"), after=Native("unit", "disabled stopped")
    )
    result = world.send(step)
    assert states(result) == ["failed"]
    assert result.results[0].error == "there is no service manager here that knows it"


@pytest.mark.parametrize("world", ["systemd"], indirect=True)
def test_an_undo_that_systemd_keeps(world):
    text = world.conf.read_bytes()
    step = file_step(CONF, text, text + b"# more\n", check="testparm", config=CONF, risky=True)
    unit = "/etc/systemd/system/breakwater-undo.service"
    for number, confirmed, seconds in ((1, True, 60), (2, False, 9)):
        journal = f"u{number}"
        result = world.send(step, journal=journal, undo=back((step,), journal), seconds=seconds)
        assert (states(result), result.armed) == (["done"], True), result
        assert f"ExecStart=/bin/sh /var/lib/breakwater/{journal}/undo now\n" in samba_host.run(world.host, "cat", unit)
        assert "systemctl enable breakwater-undo.service" in world.asked()
        asked = [line for line in world.asked() if line.startswith("systemd-run")][-1]
        assert f"--unit=breakwater-undo-{journal} /bin/sh /var/lib/breakwater/{journal}/undo wait {seconds}" in asked
        if confirmed:
            assert confirm(journal, world.prefix()) == ""
            assert world.conf.read_bytes() != text
            assert states(world.send(*back((step,), journal), journal=f"{journal}b")) == ["done"]
        samba_host.until(lambda: world.conf.read_bytes() == text, 20)
        samba_host.until(lambda: "breakwater" not in samba_host.run(world.host, "ls", "/etc/systemd/system"), 20)
        assert world.asked()[-1] == "systemctl daemon-reload"
