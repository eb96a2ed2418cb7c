# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a connection plugin will connect to: port, TLS and trust, from its options and the host's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._plan.situation import Line

_HTTP = 5985
_HTTPS = 5986
_IGNORED = "ignore"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``port`` is None for connections that have none, or whose port is not the host's own (jump hosts)."""

    port: int | None
    tls: bool = False
    authority: str | None = None
    validated: bool = True


def endpoint(connection: str, option: Callable[[str], Any], variables: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint of a host.

    Args:
        connection: short name of the plugin.
        option: the plugin's own options; raises KeyError for those that it does not have.
        variables: the host's variables.
    """
    if connection == "winrm":
        return _web(
            option("port"),
            option("scheme"),
            variables.get("ansible_winrm_ca_trust_path"),
            variables.get("ansible_winrm_server_cert_validation"),
        )
    if connection == "psrp":
        return _web(option("port"), option("protocol"), option("ca_cert"), option("cert_validation"))
    if connection in ("ssh", "paramiko") and not _proxied(variables):
        return Endpoint(int(variables.get("ansible_port") or 22))
    return Endpoint(None)


def line(connection: str, option: Callable[[str], Any], variables: Mapping[str, Any]) -> Line:
    """Return what is known of a connection beforehand; the arguments are those of ``endpoint``."""
    try:
        account = option("remote_user")
    except KeyError:
        account = None
    return Line(
        transport=connection,
        port=endpoint(connection, option, variables).port,
        account=str(account or variables.get("ansible_user") or ""),
        authentication=authentication(connection, option, variables),
    )


def _web(port: Any, scheme: Any, authority: Any, validation: Any) -> Endpoint:
    """Both plugins take one from the other where only one is given, and HTTPS where none is."""
    number = int(port) if port else (_HTTP if scheme == "http" else _HTTPS)
    tls = scheme == "https" if scheme else number != _HTTP
    trusted = str(authority) if authority and authority != "legacy_requests" else None
    return Endpoint(number, tls, trusted, str(validation or "") != _IGNORED)


def _proxied(variables: Mapping[str, Any]) -> bool:
    if any("Proxy" in str(variables.get(f"ansible_ssh_{kind}_args", "")) for kind in ("common", "extra")):
        return True
    return any(variables.get(f"breakwater_paramiko_{kind}") for kind in ("proxy_command", "jump_host"))


def authentication(connection: str, option: Callable[[str], Any], variables: Mapping[str, Any]) -> str:
    """Return how a connection plugin proves who it is: "ntlm", "kerberos", "basic", "key", "password".

    "" where it is negotiated, or not known. The arguments are those of ``endpoint``.
    """
    if connection == "winrm":
        given = variables.get("ansible_winrm_transport")
        ways = [given] if isinstance(given, str) else list(given or ())
        ways = [str(way) for entry in ways for way in str(entry).split(",")]
        if len(ways) == 1:
            return {"plaintext": "basic", "ssl": "basic", "basic": "basic"}.get(ways[0], _known(ways[0]))
        return "basic" if not ways and "@" not in str(option("remote_user") or "") else ""
    if connection == "psrp":
        return _known(str(option("auth") or ""))
    if connection in ("ssh", "paramiko"):
        if variables.get("ansible_ssh_private_key_file") or variables.get("ansible_private_key_file"):
            return "key"
        return "password" if variables.get("ansible_password") or variables.get("ansible_ssh_pass") else ""
    return ""


def _known(way: str) -> str:
    return way if way in ("ntlm", "kerberos", "basic") else ""
