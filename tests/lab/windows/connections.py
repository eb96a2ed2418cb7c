# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory variables for every way that Ansible can talk to a Windows host of the lab."""

from __future__ import annotations

import pathlib
from typing import Any, Literal, get_args

from .wsman.auth import Scheme
from .wsman.server import WsmanServer

Kind = Literal[
    "winrm-basic-tls",
    "winrm-ntlm",
    "winrm-ntlm-tls",
    "winrm-kerberos",
    "psrp-basic-tls",
    "psrp-ntlm",
    "psrp-ntlm-tls",
    "psrp-negotiate",
    "psrp-kerberos",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


def over_tls(kind: Kind) -> bool:
    """Return whether the server must have a certificate."""
    return kind.endswith("-tls")


def schemes(kind: Kind) -> tuple[Scheme, ...]:
    """Return what the server must offer: what a host outside of domains offers, or one of a domain."""
    return ("basic", "negotiate", "kerberos") if "kerberos" in kind or "negotiate" in kind else ("basic", "ntlm")


def variables(
    kind: Kind, server: WsmanServer, user: str, password: str | None, trust: pathlib.Path | None = None
) -> dict[str, Any]:
    """Return the variables of a host behind that server.

    Args:
        kind: the connection plugin, the authentication, and whether TLS is below.
        server: where it listens.
        user: who logs in; for Kerberos with the realm.
        password: None with Kerberos: a ticket is there already.
        trust: the authority that signed the server's certificate; certificates are always checked.
    """
    plugin, auth = kind.removesuffix("-tls").split("-")
    scheme = "https" if over_tls(kind) else "http"
    common: dict[str, Any] = {
        "ansible_connection": plugin,
        "ansible_host": "localhost" if auth in ("kerberos", "negotiate") else "127.0.0.1",
        "ansible_port": server.port,
        "ansible_user": user,
    }
    if password is not None:
        common["ansible_password"] = password
    if plugin == "winrm":
        common |= {"ansible_winrm_transport": auth, "ansible_winrm_scheme": scheme}
        if auth == "kerberos":
            common |= {
                "ansible_winrm_kinit_mode": "manual" if password is None else "managed",
                "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
            }
        return common | ({"ansible_winrm_ca_trust_path": str(trust)} if trust else {})
    common |= {"ansible_psrp_auth": auth, "ansible_psrp_protocol": scheme}
    return common | ({"ansible_psrp_ca_cert": str(trust)} if trust else {})
