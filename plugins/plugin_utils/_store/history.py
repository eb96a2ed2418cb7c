# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history: every run, which one is approved, and what each host looked like then.

Host states are stored by their content, so that a host that did not change costs one row per run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._model.errors import BadInput, StoreError
from .._model.run import Run
from .._model.text import visible
from .drift import State

_SCHEMA = """
CREATE TABLE runs (id TEXT PRIMARY KEY, started TEXT NOT NULL, ended TEXT, kind TEXT NOT NULL, profile TEXT NOT NULL,
    verdict TEXT NOT NULL, scope_limit TEXT NOT NULL, counts TEXT NOT NULL, approved INTEGER NOT NULL DEFAULT 0);
CREATE TABLE states (hash TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE host_states (run TEXT NOT NULL, host TEXT NOT NULL, hash TEXT, PRIMARY KEY (run, host));
CREATE INDEX host_states_by_host ON host_states (host, run);
"""
VERSION = 1
BATCH = 200
"""Hosts per transaction."""
BUSY_SECONDS = 60.0
"""How long one run waits for another one on the same history."""


@dataclass(frozen=True, slots=True)
class Past:
    """A run as the history remembers it. ``limit`` is the ``--limit`` it ran with."""

    id: str
    started: str
    profile: str
    verdict: str
    limit: str
    counts: dict[str, int]
    approved: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A host as it was last seen, in which run, and which profile judged it then."""

    state: State
    run: str
    profile: str


def open_history(url: str) -> History:
    """Open (and create) the history of a URL such as ``sqlite:///results/history.db``.

    Raises:
        BadInput: the URL is of a kind that this release does not know.
        StoreError: the database cannot be used.
    """
    scheme, separator, path = url.partition(":///")
    if not separator or scheme != "sqlite" or not path:
        kind = url.partition(":")[0]
        raise BadInput(
            "Cannot use the history",
            where="breakwater_history",
            seen=f"a URL of kind {kind!r}",
            remedy="this release writes sqlite:///PATH",
        )
    return History(pathlib.Path(path).absolute())


class History:
    """A history in SQLite. Use as a context manager."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        with self._errors():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # O_EXCL: a link that somebody laid here is not followed
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self.db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._write_ahead()
                self._migrate()
            except BaseException:
                self.db.close()
                raise

    def _write_ahead(self) -> None:
        """Switch to write-ahead logging; SQLite does not wait by itself while another run does the same."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_error: object) -> None:
        self.db.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, zlib.error, ValueError) as error:
            raise StoreError(
                "Cannot use the history",
                where=str(self.path),
                seen=str(error),
                remedy="move the file away if it is damaged (the run directories are kept), or mend its permissions",
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:  # a full disk has rolled back already
                    self.db.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        if self.db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        with self._transaction():
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise sqlite3.DatabaseError(f"it was written by a newer release (schema {version})")
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self.db.execute(statement)
                self.db.execute(f"PRAGMA user_version={VERSION}")

    def record(self, run: Run, states: Iterable[tuple[str, State]]) -> None:
        """Remember a closed run with its hosts' states; recording it again replaces what was recorded.

        States are written in small transactions, so that reading ten thousand hosts locks nobody out; the run itself
        comes last, and nothing looks at the states of a run that is not there yet.
        """
        batch: list[tuple[str, State]] = []
        for pair in states:
            batch.append(pair)
            if len(batch) == BATCH:
                self._put(run.id, batch)
                batch.clear()
        self._put(run.id, batch)
        counts = json.dumps(run.counts)
        row = (run.id, run.started, run.ended, run.kind, run.profile, run.verdict, run.scope.limit, counts)
        with self._transaction():
            self.db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET"
                " ended = excluded.ended, profile = excluded.profile, verdict = excluded.verdict, counts = excluded.counts",
                row,
            )

    def _put(self, run_id: str, states: list[tuple[str, State]]) -> None:
        """Store hosts' states; a host that was not read has a row without one."""
        with self._transaction():
            for host, state in states:
                digest = None
                if state["read"]:
                    text = json.dumps(state, sort_keys=True, separators=(",", ":")).encode()
                    digest = hashlib.sha256(text).hexdigest()
                    self.db.execute(
                        "INSERT INTO states VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", (digest, zlib.compress(text))
                    )
                self.db.execute(
                    "INSERT INTO host_states VALUES (?, ?, ?) ON CONFLICT (run, host) DO UPDATE SET hash = excluded.hash",
                    (run_id, visible(host), digest),
                )

    def approve(self, run_id: str) -> None:
        """Make a run the baseline.

        Raises:
            BadInput: the history does not know it, or it is incomplete.
        """
        with self._errors():
            row = self.db.execute("SELECT verdict FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[0] == "incomplete":
            raise BadInput(
                "Cannot approve the run",
                where=run_id,
                seen="it is not in the history" if row is None else "it is incomplete: some hosts were not read",
                remedy="approve a run that was closed, or audit again",
            )
        with self._transaction():
            self.db.execute("UPDATE runs SET approved = 0 WHERE approved != 0")
            self.db.execute("UPDATE runs SET approved = 1 WHERE id = ?", (run_id,))

    def baseline(self, run: Run) -> Past | None:
        """Return the run that drift is measured from: the approved one, else the newest before ``run``.

        A run that is closed late is never compared with a later one. Audits and changes look at hosts in the same way,
        so that what Breakwater changed itself is not drift for the next audit.
        """
        columns = "id, started, profile, verdict, scope_limit, counts, approved"
        with self._errors():
            row = self.db.execute(
                f"SELECT {columns} FROM runs WHERE id < ?1 AND (approved = 1 OR {_alike('kind')} = {_alike('?2')})"
                " ORDER BY approved DESC, id DESC LIMIT 1",
                (run.id, run.kind),
            ).fetchone()
            return None if row is None else _past(row)

    def state(self, host: str, baseline: Past) -> Known | None:
        """Return what was last known of a host at the baseline.

        That is its state in that run, or, where the run's limit left the host out or it did not answer then, in the
        newest run before in which it did: otherwise one silent night would hide what changed during it.
        """
        with self._errors():
            row = self.db.execute(
                "SELECT s.state, r.id, r.profile FROM host_states h JOIN states s ON s.hash = h.hash"
                " JOIN runs r ON r.id = h.run WHERE h.host = ? AND h.run <= ? ORDER BY h.run DESC LIMIT 1",
                (visible(host), baseline.id),
            ).fetchone()
            return None if row is None else Known(json.loads(zlib.decompress(row[0])), row[1], row[2])

    def fleet(self, baseline: Past) -> set[str] | None:
        """Return the hosts of the whole fleet as of the baseline: the scope of the newest run without a limit.

        None: every run until then had a limit, so that nobody knows.
        """
        with self._errors():
            row = self.db.execute(
                f"SELECT id FROM runs WHERE id <= ?1 AND scope_limit = '' AND {_alike('kind')} ="
                f" (SELECT {_alike('kind')} FROM runs WHERE id = ?1) ORDER BY id DESC LIMIT 1",
                (baseline.id,),
            ).fetchone()
            return None if row is None else self.hosts(row[0])

    def hosts(self, run_id: str) -> set[str]:
        """Return the hosts that a run had in scope."""
        with self._errors():
            return {row[0] for row in self.db.execute("SELECT host FROM host_states WHERE run = ?", (run_id,))}

    def trend(self, limit: int = 30) -> list[Past]:
        """Return the newest runs, oldest first."""
        with self._errors():
            rows = self.db.execute(
                "SELECT id, started, profile, verdict, scope_limit, counts, approved FROM runs ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [_past(row) for row in reversed(rows)]


def _alike(kind: str) -> str:
    """Return SQL that is equal for kinds of runs which look at hosts in the same way."""
    return f"CASE WHEN {kind} IN ('audit', 'remediate', 'rollback') THEN 'audit' ELSE {kind} END"


def _past(row: tuple[str, str, str, str, str, str, int]) -> Past:
    return Past(row[0], row[1], row[2], row[3], row[4], json.loads(row[5]), bool(row[6]))
