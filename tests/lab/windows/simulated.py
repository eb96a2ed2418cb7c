# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows host that is not there: a real PowerShell that sees the registry and the cmdlets of the host's data.

Every execution is a process of its own. State lives in a directory, so that what one execution changes the next reads.
"""

from __future__ import annotations

import base64
import datetime
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from tests.lab import powershell

from . import boot, definition, state
from .command_line import script_of
from .execution import Exec, Result

HERE = pathlib.Path(__file__).resolve().parent
SIMULATION = HERE / "simulation"
BUILD = HERE.parent.parent.parent / ".build" / "lab"
TIMEOUT = 120


class SimulatedHost:
    """A host of ``hosts/``, whose state lies in ``directory``; many threads and processes may use the same one."""

    def __init__(self, name: str, directory: pathlib.Path, now: datetime.datetime | None = None) -> None:
        self.name = name
        self.directory = directory
        self._shell = powershell.require()
        directory.mkdir(parents=True, exist_ok=True)
        self._state = directory / "state.json"
        self._users = definition.read(name)["users"]
        with _locked(directory / "create.lock"):
            if not self._state.exists():
                _write(self._state, json.dumps(state.build(name, now), ensure_ascii=False))

    def run(self, execution: Exec) -> Result:
        """Run one command and return what it wrote; line ends as on Windows."""
        account = execution.user.rpartition("\\")[2].partition("@")[0].lower()
        user = {"administrator": "admin"}.get(account, account)
        if user not in self._users:
            return Result(b"", b"Access is denied.\r\n", 5)
        script = script_of(execution)
        if script is None:
            refused = f"'{execution.command[:60]}' is not recognized as an internal or external command.\r\n"
            return Result(b"", refused.encode(), 1)
        if definition.load(self._state)["rebooting"]:
            self.reboot()
        # Over psrp there is no console: errors come as objects, not as CLIXML on the error output.
        options = ("-OutputFormat", "Text") if execution.transport == "psrp" else ()
        stdout, stderr, rc = self._process(self._arguments(script, *options), user, execution)
        return Result(_lines(stdout), _lines(stderr), rc)

    def document(self) -> definition.Document:
        """Return the state of the host as it is now; numbers of the registry as they are written."""
        found = definition.load(self._state)
        for values in found["registry"].values():
            for data in values.values():
                if data[0] == "DWord":
                    data[1] &= 0xFFFFFFFF
        return found

    def change(self, work: Callable[[definition.Document], None]) -> None:
        """Change the state as something outside of any execution does: a person, a policy, a fault."""
        with _locked(self._state.with_name(f"{self._state.name}.lock")):
            found = definition.load(self._state)
            work(found)
            _write(self._state, json.dumps(found, ensure_ascii=False))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass for the task scheduler, and return the names of the tasks that ran."""
        self.change(lambda found: found.update(clock=found["clock"] + seconds))
        return self._run_tasks(booted=False)

    def reboot(self, *, off: float = 0) -> list[str]:
        """Start the host anew after so many seconds, and return the names of the tasks that ran."""
        self.change(lambda found: found.update(clock=found["clock"] + off))
        self.change(boot.boot)
        return self._run_tasks(booted=True)

    def _run_tasks(self, *, booted: bool) -> list[str]:
        """Run what is due; a time that has passed while the host was off counts where the task says so."""
        found = definition.load(self._state)
        now = time.time() + found["clock"]
        ran = []
        for name, task in found["tasks"].items():
            late = bool(task["time"]) and _seconds(task["time"]) <= now
            if (booted and task["boot"]) or (late and (task["late"] or not booted)):
                if not booted:
                    self.change(functools.partial(_spend, name))
                script = re.search(r'-Command\s+"(.*)"\s*$', task["arguments"], re.DOTALL)
                if task["user"] != "S-1-5-18" or script is None or "powershell.exe" not in task["command"]:
                    # What the lab's scheduler would run otherwise than Windows' does must not pass for a test.
                    raise ValueError(f"the simulation does not know how to run {task}")
                ran.append(name)
                done = self._process(self._arguments(script[1]), "system", Exec("task", script[1]))
                (self.directory / "tasks.log").open("ab").write(b"".join(done[:2]))
        return ran

    def _arguments(self, script: str, *options: str) -> list[str]:
        encoded = base64.b64encode(script.encode("utf-16-le")).decode()
        return [self._shell, "-NonInteractive", *options, "-EncodedCommand", encoded]

    def _process(self, command: list[str], user: str, execution: Exec) -> tuple[bytes, bytes, int]:
        """Run PowerShell until it ends, nobody waits any longer, or the time is over."""
        deadline = time.monotonic() + TIMEOUT
        # From a file: communicate() forgets what a pipe did not take before its first timeout.
        with (
            tempfile.TemporaryFile() as given,
            subprocess.Popen(
                command,
                stdin=_filled(given, execution.stdin),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment(user),
                cwd=self.directory,
            ) as process,
        ):
            while True:
                try:
                    stdout, stderr = process.communicate(timeout=0.25)
                    return stdout, stderr, process.returncode
                except subprocess.TimeoutExpired:
                    if execution.ended.is_set() or time.monotonic() > deadline:
                        process.kill()

    def _environment(self, user: str) -> dict[str, str]:
        library = library_of(self._shell)
        temporary, data = self.directory / "Temp", self.directory / "ProgramData"
        for folder in (temporary, data):
            folder.mkdir(exist_ok=True)
        return {
            "BREAKWATER_LAB": "\n".join([str(library), str(self._state), user, str(SIMULATION)]),
            "XDG_CONFIG_HOME": str(library.parent / "config"),
            "XDG_CACHE_HOME": str(library.parent / "cache"),
            "XDG_DATA_HOME": str(library.parent / "data"),
            "HOME": str(library.parent),
            "PATH": "/usr/bin:/bin",
            "PSModulePath": str(SIMULATION / "modules"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "DOTNET_TieredPGO": "0",
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "TEMP": str(temporary),
            "TMP": str(temporary),
            "TMPDIR": str(temporary),
            "SystemRoot": "C:\\Windows",
            "SystemDrive": "C:",
            "windir": "C:\\Windows",
            "ProgramData": str(data),
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "USERNAME": user,
        }


def library_of(shell: str) -> pathlib.Path:
    """Return the compiled part of the simulation; made once per version of its source and of PowerShell."""
    digest = hashlib.sha256(f"{shell} {pathlib.Path(shell).stat().st_mtime_ns}".encode())
    for source in [*sorted((SIMULATION / "source").glob("*.cs")), SIMULATION / "build.ps1"]:
        digest.update(source.read_bytes())
    folder = BUILD / digest.hexdigest()[:16]
    library = folder / "Lab.dll"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "build.lock"):
        if not library.exists():
            _compile(shell, folder, library)
    return library


def _compile(shell: str, folder: pathlib.Path, library: pathlib.Path) -> None:
    profile = folder / "config" / "powershell" / "profile.ps1"
    profile.parent.mkdir(parents=True, exist_ok=True)
    _write(profile, '. "$(($env:BREAKWATER_LAB -split "`n")[3])/start.ps1"\n')
    made = folder / "new" / "Lab.dll"
    made.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            shell,
            "-NoProfile",
            "-NonInteractive",
            "-File",
            str(SIMULATION / "build.ps1"),
            str(SIMULATION / "source"),
            str(made),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode or not made.exists() or not made.stat().st_size:
        made.unlink(missing_ok=True)
        raise RuntimeError(f"the simulation does not compile:\n{done.stdout}{done.stderr}")
    made.replace(library)


def _filled(file: IO[bytes], content: bytes) -> IO[bytes]:
    file.write(content)
    file.seek(0)
    return file


def _spend(name: str, found: dict[str, Any]) -> None:
    """Take a task's time away: it fires once."""
    found["tasks"][name].update(time=None)


def _seconds(text: str) -> float:
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def _lines(output: bytes) -> bytes:
    return output.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _write(path: pathlib.Path, text: str) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
