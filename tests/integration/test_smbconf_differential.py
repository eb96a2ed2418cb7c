# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own reading of smb.conf against the real testparm, on generated configurations.

A generator writes smb.conf trees and remembers who wrote each value last. For every parameter, with testparm hidden
from the collector, the value in force must be the one that ``testparm -sv`` prints, and each origin the one that
the generator wrote. BREAKWATER_SEEDS sets how many trees (30 by default).
"""

from __future__ import annotations

import datetime
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands import catalogue
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba import testparm
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.merge import NOT_COMPARED, same
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.read import read
from ansible_collections.breakwater.smb.plugins.plugin_utils._implementations.samba.settings import Table, key
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.collected import Collected
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.fact import FactSet
from ansible_collections.breakwater.smb.plugins.plugin_utils._model.setting import Setting
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import posix

SEEDS = int(os.environ.get("BREAKWATER_SEEDS", "30"))
GUARDED = {
    # Values that testparm checks against the machine, or that change what it reads.
    "include", "copy", "config file", "config backend", "registry shares", "log level", "max open files", "-valid",
    "name resolve order", "server role", "security", "domain logons", "client lanman auth", "private dir",
    "lock directory", "state directory", "cache directory", "pid directory", "netbios name", "netbios aliases",
    "dos charset", "unix charset", "smb2 max credits", "clustering", "ctdbd socket", "root directory", "idmap backend",
    "idmap uid", "idmap gid", "printable", "printing", "available", "path", "usershare path", "winbind separator",
    "realm", "preload modules", "auto services", "kerberos encryption types", "max stat cache size", "password server",
    "client ldap sasl wrapping", "workgroup", "passdb backend", "mangling method", "mangling char", "min receivefile size",
    "server services", "dcerpc endpoint servers", "interfaces", "vfs objects", "msdfs proxy", "msdfs root", "volume",
    "server schannel", "client schannel", "server schannel require seal", "reject md5 clients", "allow nt4 crypto",
    "case sensitive", "default case", "preserve case", "short preserve case", "invalid users", "rpc server dynamic port range",
    "client use kerberos", "client protection", "kerberos method", "dedicated keytab file", "lsa over netlogon", "ldap server require strong auth",
}  # fmt: skip


class Generator:
    """Writes one configuration and knows the origin of what stands in it."""

    def __init__(self, seed: int, folder: pathlib.Path, table: Table, known: set[str]) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.settings = [s for s in table.settings if s.id in known and s.name not in GUARDED and ":" not in s.name]
        self.origins: dict[tuple[str, str], str] = {}  # (share or "", fact id) -> origin
        self.includes = 0
        self.section = ""
        self.with_registry = seed % 5 == 0

    def spell(self, name: str) -> str:
        """The same name as an admin might write it."""
        way = self.random.randrange(5)
        if way == 0:
            return name.upper()
        if way == 1:
            return name.replace(" ", "")
        if way == 2:
            return name.replace(" ", "   ").title()
        if way == 3 and " " in name:
            return name.replace(" ", " \\\n  ", 1)
        return name

    def value(self, setting: Setting, inverted: bool) -> str:
        """A legal text for a setting."""
        del inverted
        pick = self.random.choice
        if setting.type == "boolean":
            return pick(["yes", "No", "TRUE", "false", "1", "0", "On", "off"])
        if setting.type == "integer":
            return pick(["7", "0", "64", "1K"] if setting.size else ["7", "0", "010", "0x1f", "65"])
        if setting.type == "octal":
            return pick(["0640", "755", "0", "02770"])
        if setting.type == "enum":
            return pick([token for token in setting.tokens if token.lower() not in {"smb3_10", "smb2_22", "smb2_24"}])
        if setting.type == "list":
            if "algorithms" in setting.name:
                first = setting.defaults[-1].value
                return pick([", ", " ", ",", "; "]).join(first[: self.random.randrange(1, len(first))])
            if setting.name == "server smb transports":
                return pick(["445", "445 139", "139,445"])
            return pick(["a b c", "a,b , c", 'one "two words" three', "x;y\tz", "@grp +unix", "a, \\\n   b"])
        return pick(
            [
                "plain",
                "two  words",
                "tab\tbed",
                "x ; not a comment",
                "%h-%v",
                "a = b",
                '"quoted"',
                "trail \\\n  cont",
                "",
            ]
        )

    def parameter(self, where: str, line: int, lines: list[str]) -> None:
        """Append one parameter; remember who wrote it."""
        setting = self.random.choice(self.settings)
        while self.section and setting.context == "global":
            setting = self.random.choice(self.settings)
        names = [setting.name, *setting.synonyms]
        name = self.random.choice(names)
        text = f"{self.random.choice(['', '  ', chr(9)])}{self.spell(name.lstrip('!'))}{self.random.choice([' = ', '=', ' =  '])}"
        text += self.value(setting, name.startswith("!"))
        lines.extend(text.split("\n"))
        if setting.since.get(name, "0") <= "4.17":  # a name that this release does not know is ignored
            self.origins[(self.section, setting.id)] = f"{where}:{line}"

    def file(self, path: pathlib.Path, depth: int, body: int) -> None:
        """Write one file, its includes first (the order of origins is that of evaluation)."""
        lines: list[str] = []
        for _turn in range(body):
            way = self.random.randrange(20)
            if way == 0:
                lines.append(self.random.choice(["# comment \\", "; other", "", "   ", "a line without the sign"]))
            elif way in (1, 2):
                self.section = self.random.choice(["", "", "alpha", "Beta", "gamma delta"])
                name = self.section or "global"
                lines.append(
                    self.random.choice(
                        [f"[{name}]", f" [{name.upper() if not self.section else name.swapcase()}] junk"]
                    )
                )
                self.fresh(lines, path)
            elif way == 3 and depth < 3:
                self.includes += 1
                target = self.folder / f"inc{self.includes}.conf"
                lines.append(f"include = {target}")
                self.file(target, depth + 1, self.random.randrange(2, 8))
            else:
                self.parameter(str(path), len(lines) + 1, lines)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def fresh(self, lines: list[str], path: pathlib.Path) -> None:
        """Every share gets a path the first time, so that Samba keeps it."""
        if self.section and (self.section, "samba.path") not in self.origins:
            lines.append("\tpath = /tmp")
            self.origins[(self.section, "samba.path")] = f"{path}:{len(lines)}"


def run_testparm(conf: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["testparm", "-sv", str(conf)], capture_output=True, text=True, cwd="/", check=False)


def known(folder: pathlib.Path, table: Table) -> set[str]:
    """Return the facts of the parameters that this testparm prints."""
    empty = folder / "empty.conf"
    empty.write_text("[global]\n", encoding="utf-8")
    return set(testparm.parse(run_testparm(empty).stdout, "", table).globals)


def registry(folder: pathlib.Path) -> str:
    """Fill a registry of this test's own and return the lines of [global] that lead to it."""
    private = folder / "private"
    private.mkdir()
    lines = [
        f"{name} = {private}\n" for name in ("lock directory", "state directory", "cache directory", "private dir")
    ]
    (folder / "base.conf").write_text("[global]\n" + "".join(lines), encoding="utf-8")
    (folder / "reg.conf").write_text(
        "[global]\nserver string = fromreg\ndeadtime = 9\n[fromreg]\npath = /srv\nguest ok = yes\n", encoding="utf-8"
    )
    command = ["net", f"--configfile={folder / 'base.conf'}", "conf", "import", str(folder / "reg.conf")]
    subprocess.run(command, check=True)
    return "".join(lines) + "include = registry\n"


def collect(conf: pathlib.Path, hidden: pathlib.Path, folder: pathlib.Path) -> Collected:
    """Run the real collector, with an smbd that names our smb.conf and no testparm."""
    fake = folder / "bin"
    fake.mkdir(exist_ok=True)
    (fake / "smbd").write_text(
        '#!/bin/sh\n[ "$1" = -V ] && exec /usr/sbin/smbd -V\n'
        f"/usr/sbin/smbd -b | sed 's|CONFIGFILE: .*|CONFIGFILE: {conf}|'\n",
        encoding="utf-8",
    )
    (fake / "smbd").chmod(0o755)
    script = catalogue.collector("n0nce", sections=("samba",)).replace(
        b'PATH="$PATH:', f'PATH="{fake}:{hidden}"; : "'.encode(), 1
    )
    answer = subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, cwd="/", check=False)
    return posix.read_answer(
        answer.stdout.decode("utf-8", "surrogateescape"), answer.stderr.decode(), answer.returncode, "n0nce"
    )


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A PATH with everything but testparm, and an smbd that names our smb.conf."""
    for tool in ("testparm", "smbd", "net"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}: apt-get install samba")
    folder = tmp_path_factory.mktemp("bin")
    for place in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for tool in pathlib.Path(place).iterdir():
            link = folder / tool.name
            if tool.name not in ("testparm", "smbd", "ps") and not link.exists():
                link.symlink_to(tool)
    return folder


@pytest.mark.parametrize("seed", range(SEEDS))
def test_value_in_force_and_origin(seed: int, tmp_path: pathlib.Path, hidden: pathlib.Path) -> None:
    settings = catalogue.settings("samba")
    table = Table(settings.values(), "4.17")
    generator = Generator(seed, tmp_path, table, known(tmp_path, table))
    conf = tmp_path / "smb.conf"
    base = registry(tmp_path) if generator.with_registry else ""
    generator.file(tmp_path / "body.conf", 1, 40)
    conf.write_text(f"[global]\n{base}include = {tmp_path / 'body.conf'}\n", encoding="utf-8")
    truth = run_testparm(conf)
    assert "Loaded services file OK" in truth.stderr, truth.stderr
    expected = testparm.parse(truth.stdout, truth.stderr, table)

    collected = collect(conf, hidden, tmp_path)
    assert collected.get("samba.testparm") is None
    facts = read(collected, settings, FactSet(), datetime.date(2026, 11, 23)).facts
    assert facts.get("samba.config_valid").configured is True, facts.get("samba.config_errors")

    wrong = []
    for fact_id, value in expected.globals.items():
        fact = facts.get(fact_id)
        if fact_id in NOT_COMPARED or settings[fact_id].name == "max open files":
            continue
        if fact is None or not same(settings[fact_id], fact.configured, value):
            wrong.append((fact_id, value, fact))
    for lower, (name, printed) in expected.shares.items():
        for setting in table.shared:
            value = printed.get(setting.id, expected.globals.get(setting.id))
            actual_name = next((share for share in facts.objects("samba.share") if share.lower() == lower), name)
            fact = facts.get(setting.id, actual_name) or facts.get(setting.id)
            if (
                setting.id not in NOT_COMPARED
                and value is not None
                and (fact is None or not same(setting, fact.configured, value))
            ):
                wrong.append((f"{name}: {setting.id}", value, fact))
    assert {name.lower() for name in facts.objects("samba.share")} == set(expected.shares)
    assert not wrong, wrong[:10]

    for (share, fact_id), where in generator.origins.items():
        actual = next((name for name in facts.objects("samba.share") if name.lower() == share.lower()), share)
        fact = facts.get(fact_id, actual)
        assert fact is not None and fact.origin is not None and fact.origin.where == where, (
            share,
            fact_id,
            where,
            fact,
        )
    if generator.with_registry:
        assert facts.get("samba.share", "fromreg") is not None
        origins = {fact.origin.kind for fact in facts.objects("samba.path").values() if fact.origin}
        assert "registry" in origins
    assert key("Server  Min Protocol") == "serverminprotocol"
