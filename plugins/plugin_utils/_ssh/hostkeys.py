# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known hosts as OpenSSH reads them (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

paramiko's own reader knows neither patterns nor ``@revoked``, and takes quadratic time.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import fnmatch
import hashlib
import hmac
import pathlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from .library import Refused

Verdict = Literal["known", "unknown", "changed", "revoked"]


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key: its type and its wire form."""

    type: str
    blob: bytes

    def fingerprint(self) -> str:
        """Return it as OpenSSH prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"{self.type} SHA256:{digest}"


@dataclass(slots=True)
class KnownKeys:
    """What the files say about one host. ``plain``: keys noted without a port, good for any port."""

    keys: list[HostKey] = field(default_factory=list)
    plain: list[HostKey] = field(default_factory=list)
    revoked: list[HostKey] = field(default_factory=list)
    authority: bool = False

    def judge(self, key: HostKey) -> Verdict:
        """Return whether ``key`` is the host's. Another key of the same type means that it changed."""
        if key in self.revoked:
            return "revoked"
        if key in self.keys:
            return "known"
        if any(known.type == key.type for known in self.keys):
            return "changed"
        return "known" if key in self.plain else "unknown"

    def types(self) -> list[str]:
        """Return the key types that are known, to ask the server for these first."""
        return list(dict.fromkeys(key.type for key in (*self.keys, *self.plain) if key not in self.revoked))


def name_in_file(host: str, port: int) -> str:
    """Return the name that a host is noted under."""
    return host if port == 22 else f"[{host}]:{port}"


def known_keys(files: Iterable[pathlib.Path], host: str, port: int) -> KnownKeys:
    """Read what ``files`` say about a host; files that are not there say nothing.

    Raises:
        Refused: a file cannot be read.
    """
    name, plain = name_in_file(host, port).lower(), host.lower()
    known = KnownKeys()
    for path in files:
        for marker, names, key in _entries(path):
            exact = _matches(names, name)
            if not exact and not (port != 22 and not marker and _matches(names, plain)):
                continue
            if marker == "@revoked":
                known.revoked.append(key)
            elif marker == "@cert-authority":
                known.authority = True
            elif not marker:
                (known.keys if exact else known.plain).append(key)
    return known


def _entries(path: pathlib.Path) -> Iterator[tuple[str, str, HostKey]]:
    try:
        with path.open("rb") as lines:
            for raw in lines:
                fields = raw.decode("utf-8", "surrogateescape").split()
                marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
                if len(fields) < 3 or fields[0].startswith("#"):
                    continue
                try:
                    blob = base64.b64decode(fields[2], validate=True)
                except (binascii.Error, ValueError):
                    continue  # OpenSSH skips broken lines too
                yield marker, fields[0], HostKey(fields[1], blob)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"Cannot read the known hosts {path}: {error.strerror}.") from error


def _matches(names: str, host: str) -> bool:
    if names.startswith("|1|"):
        return _matches_hash(names, host)
    found = False
    for pattern in names.lower().split(","):
        wanted = pattern.removeprefix("!")
        # Brackets are literal in known hosts, unlike in the shell's patterns.
        if wanted == host or (
            ("*" in wanted or "?" in wanted) and re.match(fnmatch.translate(wanted.replace("[", "[[]")), host)
        ):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _matches_hash(names: str, host: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in names.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, host.encode("utf-8", "surrogateescape"), hashlib.sha1).digest(), digest)


def add(path: pathlib.Path, host: str, port: int, key: HostKey) -> None:
    """Note a key at the end of ``path``, under a lock, unless another process just did.

    Raises:
        Refused: the file cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if key in known_keys([path], host, port).keys:
                return
            stream.seek(0)
            text = stream.read()
            entry = f"{name_in_file(host, port)} {key.type} {base64.b64encode(key.blob).decode()}\n".encode()
            stream.write(entry if not text or text.endswith(b"\n") else b"\n" + entry)
    except OSError as error:
        raise Refused(f"Cannot write the known hosts {path}: {error.strerror}.") from error
