# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMB over QUIC: certificate mappings, the certificates behind them, and who may come in."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

from ..._model.answer import document, flag, missing, moment, names, number, rows, text
from ..._model.collected import Collected, SectionError
from ..._model.fact import Fact, FactSet

_RSA = frozenset({"RSA", "1.2.840.113549.1.1.1"})
_ELLIPTIC = frozenset({"ECC", "ECDSA", "ECDH", "ECDSA_P256", "ECDSA_P384", "ECDSA_P521", "1.2.840.10045.2.1"})
_SHA2 = frozenset(
    [
        *(f"sha{size}{kind}" for size in (256, 384, 512) for kind in ("rsa", "ecdsa")),
        "1.2.840.113549.1.1.11",
        "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2",
        "1.2.840.10045.4.3.3",
        "1.2.840.10045.4.3.4",
    ]
)
_WEAK_HASHES = frozenset(
    ["md5rsa", "sha1rsa", "sha1ecdsa", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"]
)
_LEAST_BITS = {True: 2048, False: 256}
"""Smallest key, of RSA and of an elliptic curve."""


def read(collected: Collected, today: datetime.date, facts: FactSet, errors: list[SectionError]) -> None:
    """Put the facts about SMB over QUIC; nothing at all where this Windows has no cmdlets for it."""
    if missing(collected, "windows.quic"):
        return
    data, why = document(collected, "windows.quic")
    lists = ("mappings", "certificates", "client_access", "ports")
    if why is None and not all(isinstance(data.get(name), list) for name in lists):
        why = "windows.quic: the answer is not whole"
    if why is not None:
        for name in ("mapping", "client_auth", "client_access", "certificate_days", "certificate_strong"):
            facts.put(f"windows.quic_{name}", Fact(unreadable=why))
        facts.put("windows.quic_alternative_ports", Fact(unreadable=why))
        errors.append(SectionError("windows.quic", why))
    certificates = {text(item.get("thumbprint")).upper(): item for item in rows(data.get("certificates"))}
    for item in rows(data.get("mappings")):
        name, thumbprint = text(item.get("name")) or "?", text(item.get("thumbprint")).upper() or "?"
        mapping = {key: text(item.get(key)) for key in ("thumbprint", "store", "subject")}
        facts.put("windows.quic_mapping", Fact(configured=mapping), name)
        demanded = flag(item.get("require_client_auth"))
        fact = Fact(unreadable="not told") if demanded is None else Fact(configured=demanded)
        facts.put("windows.quic_client_auth", fact, name)
        _certificate(certificates.get(thumbprint), thumbprint, today, facts)
    if why is None:
        access, ports = (
            names(_identifiers(data.get("client_access"))),
            [_port(item) for item in rows(data.get("ports"))],
        )
        fact = Fact(unreadable="not told") if access is None else Fact(configured=access)
        facts.put("windows.quic_client_access", fact)
        fact = Fact(unreadable="a port is not told") if None in ports else Fact(configured=sorted(filter(None, ports)))
        facts.put("windows.quic_alternative_ports", fact)


def _identifiers(value: Any) -> Any:
    """Return who is allowed to come in; those who are denied say nothing of the others."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    return [item.get("identifier") for item in value if item.get("access") == "Allow"]


def _port(item: dict[str, Any]) -> int | None:
    port = number(item.get("port"))
    return port if port is not None and 0 < port < 65536 else None


def _certificate(item: dict[str, Any] | None, thumbprint: str, today: datetime.date, facts: FactSet) -> None:
    if item is None:
        why = "no such certificate in the store of the computer"
        facts.put("windows.quic_certificate_days", Fact(unreadable=why), thumbprint)
        facts.put("windows.quic_certificate_strong", Fact(unreadable=why), thumbprint)
        return
    ends = moment(item.get("not_after"))
    fact = Fact(unreadable="its end is not told") if ends is None else Fact(effective=(ends.date() - today).days)
    facts.put("windows.quic_certificate_days", fact, thumbprint)
    strong = _strong(item)
    fact = Fact(unreadable=strong) if isinstance(strong, str) else Fact(effective=strong)
    facts.put("windows.quic_certificate_strong", fact, thumbprint)


def _strong(item: dict[str, Any]) -> bool | str:
    """Return whether key, signature and names are as Microsoft asks for SMB over QUIC, or why that cannot be told."""
    signature, algorithm = text(item.get("signature_algorithm")).lower(), text(item.get("key_algorithm")).upper()
    size, subjects = number(item.get("key_size")), names(item.get("names"))
    rsa = algorithm in _RSA
    if signature in _WEAK_HASHES or (size is not None and size < _LEAST_BITS[rsa] and (rsa or algorithm in _ELLIPTIC)):
        return False
    if subjects is not None and any(_is_address(name) for name in subjects):
        return False
    if signature not in _SHA2:
        return f"its signature algorithm {signature[:40] or '(not told)'} is not one that we know"
    if not rsa and algorithm not in _ELLIPTIC:
        return f"its key algorithm {algorithm[:40] or '(not told)'} is not one that we know"
    if size is None or subjects is None:
        return "its key size or its names are not told"
    return bool(subjects)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip())
    except ValueError:
        return False
    return True
