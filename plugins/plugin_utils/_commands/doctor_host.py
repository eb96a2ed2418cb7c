# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb *doctor* for one host: port, TLS, login, privilege, and what an audit could not read there."""

from __future__ import annotations

import datetime
import math
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from .._model.collected import Collected, Family
from .._model.errors import HostError, Unreachable
from .._remote.execution import Execute
from .._remote.winrm_failures import explain
from .audit import collect
from .context import Context
from .doctor import Examination
from .reading import read

_SECONDS = 5
_SOON = 30
"""Days before a certificate's end from which it is worth a warning."""


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A host as the connection sees it.

    Attributes:
        host, address, connection: inventory name, what is connected to, the connection plugin.
        port: None for connections that have none.
        family: which kind of shell the connection leads to.
        tls: whether the connection speaks TLS on that port.
        authority: file or directory of the authorities that the connection trusts; None: the system's.
        validated: False where the inventory turns the check of certificates off.
    """

    host: str
    address: str
    connection: str
    port: int | None
    family: Family = "unix"
    tls: bool = False
    authority: str | None = None
    validated: bool = True


def examine_host(request: HostRequest, context: Context, execute: Execute) -> dict[str, Any]:
    """Examine one host: port, TLS, authentication, privilege, and what an audit could not read."""
    found = Examination()
    if request.port is not None and not _port(request, found):
        return found.result(request.host, context)
    if request.tls and not _certificate(request, found):
        return found.result(request.host, context)
    try:
        collected = collect(execute, request.family)
    except HostError as error:
        found.complain("error", str(error), error.remedy or "see the connection's message with -vvv")
        if isinstance(error, Unreachable) and request.port is not None:
            protocol = "WinRM" if request.connection in ("winrm", "psrp") else "the SSH protocol, the keys"
            found.good(f"the port is open, so this is about {protocol} or the login")
        return found.result(request.host, context)
    found.good(f"{request.connection} connection, collector answered in shell {collected.shell}")
    if request.family == "windows":
        _windows_privilege(collected, found)
    else:
        _unix_privilege(collected, found)
    _readable(collected, request, context, found)
    return found.result(request.host, context)


def _port(request: HostRequest, found: Examination) -> bool:
    try:
        socket.create_connection((request.address, request.port or 22), _SECONDS).close()
    except OSError as error:
        what = f"{request.address} port {request.port} does not answer: {error.strerror or error}"
        found.complain(
            "error",
            what,
            f"check ansible_host, ansible_port and the firewalls: nc -vz {request.address} {request.port}",
        )
        return False
    found.good(f"port {request.port} answers")
    return True


def _certificate(request: HostRequest, found: Examination) -> bool:
    """Shake hands as the connection will; False when it would be refused."""
    if not request.validated:
        found.complain(
            "warning",
            "the host's certificate is not checked, so anybody in the path can read the password",
            "remove the variable that ignores certificates, and trust the authority instead (docs/windows.md)",
        )
        return True
    try:
        expires = _handshake(request)
    except ssl.SSLError as error:
        said = getattr(error, "verify_message", "") or error.reason or str(error)
        refusal = explain(f"{said} {error}", "check the listener: winrm enumerate winrm/config/listener")
        found.complain("error", str(refusal), refusal.remedy)
        return False
    except OSError as error:
        found.complain(
            "error", f"TLS with port {request.port}: {error.strerror or error}", "check the listener on the host"
        )
        return False
    days = math.floor((expires - time.time()) / 86400)
    if days < _SOON:
        found.complain("warning", f"the host's certificate ends in {days} days", "renew it before then")
    else:
        until = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc).date()
        found.good(f"TLS, certificate valid until {until}")
    return True


def _handshake(request: HostRequest) -> float:
    """Return the certificate's end (seconds since 1970).

    Raises:
        OSError: no connection, or (ssl.SSLError) a certificate that is not accepted.
    """
    trust = ssl.create_default_context()
    if request.authority:
        trust.load_verify_locations(request.authority)
    with (
        socket.create_connection((request.address, request.port or 5986), _SECONDS) as plain,
        trust.wrap_socket(plain, server_hostname=request.address) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def _unix_privilege(collected: Collected, found: Examination) -> None:
    if collected.uid == "0":
        found.good("privileged")
        return
    found.complain(
        "warning",
        f"the collector runs as uid {collected.uid}; what only root may read will be unknown",
        "set ansible_become: true",
    )


def _windows_privilege(collected: Collected, found: Examination) -> None:
    record = collected.get("host.identity")
    identity = record.data if record is not None and isinstance(record.data, dict) else {}
    found.good(f"language mode {identity.get('language_mode') or 'not told'}")
    if identity.get("administrator") is True:
        found.good("administrator")
    elif identity.get("filtered") is True:
        found.complain(
            "warning",
            "the account is a local administrator whose token Windows filters over the network",
            "use a domain account, or the built-in Administrator; docs/windows.md says what is lost",
        )
    else:
        found.complain(
            "warning",
            "the account is no administrator; what only those may read will be unknown",
            "use a member of Administrators; docs/windows.md says what needs it",
        )


def _readable(collected: Collected, request: HostRequest, context: Context, found: Examination) -> None:
    reading = read(collected, context.now().date())
    names = (
        ", ".join(sorted({f"{item.name} ({item.role})" for item in reading.implementations})) or "no SMB implementation"
    )
    found.good(names)
    windows = request.family == "windows"
    page = "windows.md" if windows else "privileges.md"
    more = "audit as an administrator" if windows else "audit with become"
    for section in reading.errors:
        found.complain(
            "warning",
            f"{section.section} will be unreadable: {section.reason}",
            f"{more}, or install the tool that is named",
        )
    unreadable = sorted({fact_id for fact_id, _obj, fact in reading.facts if fact.unreadable is not None})
    if unreadable:
        shown = ", ".join(unreadable[:8]) + (f" and {len(unreadable) - 8} more" if len(unreadable) > 8 else "")
        found.complain(
            "warning",
            f"facts that will be unreadable: {shown}",
            f"{more}; docs/{page} says what needs it",
        )
