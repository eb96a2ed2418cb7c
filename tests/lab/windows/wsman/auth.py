# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is it: Basic, NTLM and Kerberos, alone or inside Negotiate, for one connection at a time."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import pathlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import spnego
from spnego._ntlm_raw.crypto import ntowfv1
from spnego.channel_bindings import GssChannelBindings

Scheme = Literal["basic", "ntlm", "negotiate", "kerberos"]
_environment_lock = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """``in``: let in; ``more``: the client must answer a token; ``out``: rejected. ``headers`` go into the answer."""

    state: Literal["in", "more", "out"]
    headers: tuple[tuple[str, str], ...] = ()


class Gate:
    """What a server knows about its users.

    Args:
        users: passwords by name.
        schemes: ``ntlm`` offers Negotiate of which only NTLM works, as outside of domains; ``negotiate`` offers it with
            Kerberos, where ``acceptor`` has a keytab; ``kerberos`` offers Kerberos by that name too.
        folder: where the NTLM hashes of the users may be written.
        acceptor: environment variables for the Kerberos library.
        certificate_hash: digest of the server's certificate, for channel bindings.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        schemes: frozenset[Scheme],
        folder: pathlib.Path,
        acceptor: Mapping[str, str] | None = None,
        certificate_hash: bytes = b"",
    ) -> None:
        self.users = {name.lower(): (name, password) for name, password in users.items()}
        self.schemes = schemes
        self.environment = {**(acceptor or {}), "NTLM_USER_FILE": str(folder / "ntlm-users")}
        self.bindings = (
            GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash)
            if certificate_hash
            else None
        )
        path = folder / "ntlm-users"
        path.touch(mode=0o600)
        path.write_text("".join(_ntlm_line(name, password) for name, password in users.items()), encoding="utf-8")

    def offers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of a 401."""
        offered = []
        if self.schemes & {"ntlm", "negotiate"}:
            offered.append("Negotiate")
        if self.schemes & {"kerberos"}:
            offered += ["Kerberos"] if "Negotiate" in offered else ["Negotiate", "Kerberos"]
        if "basic" in self.schemes:
            offered.append('Basic realm="WSMAN"')
        return tuple(("WWW-Authenticate", one) for one in offered)


class Session:
    """The authentication of one TCP connection; ``user`` is empty until it is known."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.user = ""
        self.context: spnego.ContextProxy | None = None

    def forget(self) -> None:
        """Begin again, as after an error."""
        self.user, self.context = "", None

    def step(self, header: str) -> Outcome:
        """Take the Authorization header of a request and say what it achieves."""
        scheme, _space, text = header.partition(" ")
        try:
            token = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            return self._reject()
        if scheme.lower() == "basic" and "basic" in self._gate.schemes:
            return self._basic(token)
        if scheme.lower() in ("negotiate", "kerberos", "ntlm") and self._gate.schemes - {"basic"}:
            return self._token(scheme, token)
        return self._reject()

    def _basic(self, token: bytes) -> Outcome:
        name, _colon, password = token.partition(b":")
        known = self._gate.users.get(name.decode("utf-8", "replace").lower())
        if known is None or password not in (known[1].encode(), known[1].encode("latin-1", "replace")):
            return self._reject()
        self.forget()
        self.user = known[0]
        return Outcome("in")

    def _token(self, scheme: str, token: bytes) -> Outcome:
        if self.user:
            self.forget()
        try:
            with _environment(self._gate.environment):
                if self.context is None:
                    self.context = self._acceptor(token)
                reply = self.context.step(token)
        except Exception:  # noqa: BLE001 - every library below has its own; all mean that the token was not good
            return self._reject()
        headers = (("WWW-Authenticate", f"{scheme} {base64.b64encode(reply).decode()}"),) if reply else ()
        if not self.context.complete:
            return Outcome("more", headers)
        self.user = (self.context.client_principal or "").partition("@")[0].rpartition("\\")[2]
        return Outcome("in", headers)

    def _acceptor(self, token: bytes) -> spnego.ContextProxy:
        protocol = "negotiate"
        if token.startswith(b"NTLMSSP\x00"):
            protocol = "ntlm"
            if not self._gate.schemes & {"ntlm", "negotiate"}:
                raise PermissionError
        elif not self._gate.schemes & {"negotiate", "kerberos"}:
            protocol = "ntlm"
        return spnego.server(
            protocol=protocol,
            channel_bindings=self._gate.bindings,
            options=spnego.NegotiateOptions.use_negotiate
            if protocol == "negotiate"
            else spnego.NegotiateOptions.use_ntlm,
        )

    def _reject(self) -> Outcome:
        self.forget()
        return Outcome("out")


def _ntlm_line(name: str, password: str) -> str:
    return f"{name}:1000:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-0\n"


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The libraries read their settings from the process's environment; every server has its own."""
    with _environment_lock:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
