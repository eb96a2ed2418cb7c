# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: ``run.json``, ``hosts/<name>.json``, ``fleet.json``, written atomically, read one by one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

from .._model.codec import DecodeError, decode, encode
from .._model.collected import SectionError
from .._model.errors import BadInput, StoreError
from .._model.run import FLEET_SCHEMA, HOST_SCHEMA, RUN_SCHEMA, Fleet, HostRecord, Run

T = TypeVar("T")
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-z]{4}")
MAX_NAME = 240
"""Characters of a host's file name without its ending; file systems take 255 bytes."""
FAILURES = "failures"
"""File of a run that names the hosts on which a change failed, in the form of their files' names."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(timestamp: str) -> str:
    """Return a run id for a time such as ``2026-11-24T00:12:31Z``: that time and four random characters."""
    compact = re.sub(r"[-:]", "", timestamp)
    return f"{compact}-{''.join(secrets.choice(_ALPHABET) for _position in range(4))}"


def create(results: pathlib.Path, run: Run, *, latest: bool = True) -> pathlib.Path:
    """Make the directory of a new run, with its ``run.json``, and point ``latest`` at it.

    Args:
        results: what holds the runs; made when it is not there.
        run: what ``run.json`` will say.
        latest: False leaves ``latest`` as it is.

    Raises:
        StoreError: it cannot be written.
    """
    directory = results / run.id
    try:
        results.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700)
        (directory / "hosts").mkdir(mode=0o700)
        write_run(directory, run)
        if latest:
            link = results / f".latest-{run.id}"
            link.symlink_to(run.id)
            link.replace(results / "latest")
    except OSError as error:
        raise cannot_write(directory, error) from error
    return directory


def write_run(directory: pathlib.Path, run: Run) -> None:
    """Write ``run.json``."""
    write_document(directory / "run.json", run)


def write_host(directory: pathlib.Path, record: HostRecord) -> pathlib.Path:
    """Write a host's file and return its path."""
    path = _host_path(directory, record.host)
    write_document(path, record)
    return path


def write_fleet(directory: pathlib.Path, fleet: Fleet) -> None:
    """Write ``fleet.json``."""
    write_document(directory / "fleet.json", fleet)


def write_document(path: pathlib.Path, value: Any) -> None:
    """Write a document as JSON, atomically."""
    document = encode(value)
    document = {"schema": getattr(value, "schema", None), **document} if hasattr(value, "schema") else document
    write_text(path, [json.dumps(document, ensure_ascii=False, separators=(",", ":")), "\n"])


def write_text(path: pathlib.Path, chunks: Iterable[str]) -> None:
    """Write a file so that it is wholly old or wholly new; readable by its owner only.

    Raises:
        StoreError: it cannot be written; what was there before is still there.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.writelines(chunks)
            stream.flush()
            os.fsync(stream.fileno())
        pathlib.Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                pathlib.Path(temporary).unlink()
        raise cannot_write(path, error) from error


def cannot_write(path: pathlib.Path, error: OSError) -> StoreError:
    """Return the error for a file or directory of the results that cannot be written."""
    return StoreError(
        "Cannot write the results",
        where=str(path),
        seen=error.strerror or str(error),
        remedy="free space, mend the permissions, or name another directory in breakwater_results",
    )


def find(results: pathlib.Path, name: str) -> pathlib.Path:
    """Return the directory of a run, by id, an unambiguous beginning of it, or ``latest``.

    Raises:
        BadInput: there is none, or more than one.
    """

    def refuse(seen: str, remedy: str) -> BadInput:
        return BadInput("Cannot find the run", where=str(results), seen=seen, remedy=remedy)

    if name == "latest":
        latest = results / "latest"
        if not latest.is_symlink() or not (latest / "run.json").is_file():
            raise refuse("no run yet", "audit first, or set breakwater_results")
        target = latest.readlink().name
        if not RUN_ID.fullmatch(target) or not (results / target / "run.json").is_file():
            raise refuse("latest does not point to a run here", "name the run by its id")
        return (results / target).absolute()
    if not re.fullmatch(r"[0-9TZa-z-]+", name):
        raise refuse(f"{name!r} is no run id", "an id looks like 20261124T001231Z-k3f9")
    known = [path.name for path in newest_first(results)]
    matches = [known_id for known_id in known if known_id.startswith(name)]
    if name in known:
        matches = [name]
    if len(matches) != 1:
        newest = f"the newest is {known[0]}" if known else "there is none at all"
        raise refuse(f"{len(matches) or 'no'} runs begin with {name!r}", newest)
    return (results / matches[0]).absolute()


def newest_first(results: pathlib.Path) -> list[pathlib.Path]:
    """Return the run directories, the newest first."""
    found = [path for path in results.glob("*") if RUN_ID.fullmatch(path.name)] if results.is_dir() else []
    return sorted(found, key=lambda path: path.name, reverse=True)


def read_run(directory: pathlib.Path) -> Run:
    """Read ``run.json``."""
    return _read(directory / "run.json", Run, RUN_SCHEMA)


def read_fleet(directory: pathlib.Path) -> Fleet | None:
    """Read ``fleet.json``; None when the run has none yet."""
    path = directory / "fleet.json"
    return _read(path, Fleet, FLEET_SCHEMA) if path.exists() else None


def host_names(directory: pathlib.Path, run: Run) -> list[str]:
    """Return the hosts of the run's scope that have a file."""
    return [host for host in run.scope.hosts if _host_path(directory, host).exists()]


def read_host(directory: pathlib.Path, host: str) -> HostRecord:
    """Read the file of one host.

    Raises:
        StoreError: it is not there, cut off, or of another form.
    """
    path = _host_path(directory, host)
    record = _read(path, HostRecord, HOST_SCHEMA)
    if record.host != host:
        raise StoreError("Cannot read the results", where=str(path), seen="it is another host's", remedy="audit again")
    return record


def read_host_or_error(directory: pathlib.Path, run: Run, host: str) -> HostRecord:
    """Read the file of one host; one that cannot be read becomes a record that says so."""
    try:
        return read_host(directory, host)
    except StoreError as error:
        record = HostRecord(host=host, address="", connection="", collected=run.started)
        record.errors.append(SectionError("record", str(error)))
        return record


def file_name(host: str) -> str:
    """Return what a host's files are called, without ending; too long a name keeps its beginning and gets a digest."""
    name = quote(host, safe="", errors="surrogatepass")
    if len(name) > MAX_NAME:
        name = f"{name[: MAX_NAME - 65]}-{hashlib.sha256(host.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return name


def _host_path(directory: pathlib.Path, host: str) -> pathlib.Path:
    return directory / "hosts" / f"{file_name(host)}.json"


def note_failure(directory: pathlib.Path, host: str) -> None:
    """Remember that a change failed on a host, so that nobody has to read every record to learn it.

    Raises:
        StoreError: it cannot be written.
    """
    path = directory / FAILURES
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{file_name(host)}\n")  # one short write: workers do not mix their lines
    except OSError as error:
        raise cannot_write(path, error) from error


def failures(directory: pathlib.Path) -> bool:
    """Return whether a change failed on any host of the run."""
    return (directory / FAILURES).exists()


def closed_and_unchanged(directory: pathlib.Path, run: Run) -> bool:
    """Return whether a run was closed, and no host's file is newer than that."""
    if run.ended is None:
        return False
    closed = (directory / "run.json").stat().st_mtime_ns
    return all(path.stat().st_mtime_ns <= closed for path in (directory / "hosts").glob("*.json"))


def hosts(directory: pathlib.Path, run: Run) -> Iterator[HostRecord]:
    """Yield the records of the run's scope one by one; a file that cannot be read becomes a record that says so."""
    for host in host_names(directory, run):
        yield read_host_or_error(directory, run, host)


def _read(path: pathlib.Path, kind: type[T], schema: str) -> T:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = document.get("schema") if isinstance(document, dict) else None
        if found != schema:
            raise StoreError(
                "Cannot read the results",
                where=str(path),
                seen=f"schema {found!r}",
                remedy=f"this release reads {schema!r}",
            )
        return decode(kind, document)
    except (OSError, ValueError, DecodeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError("Cannot read the results", where=str(path), seen=reason, remedy="audit again") from error
