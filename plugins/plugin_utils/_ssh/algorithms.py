# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which algorithms are offered: today's, or on demand also those of old NAS boxes.

paramiko 5 dropped SHA-1 in key exchange and host keys altogether; ``transport_class`` puts it back for one connection
(RFC 4253 §8, RFC 4419, RFC 3526 §3). DSA keys exist in paramiko below 4 only.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .library import paramiko

try:
    from cryptography.hazmat.primitives import hashes
    from paramiko.kex_gex import KexGexSHA256
    from paramiko.kex_group14 import KexGroup14SHA256
except (ImportError, AttributeError):  # no paramiko that works, or one so old that it has the old algorithms itself
    KexGexSHA256 = KexGroup14SHA256 = hashes = None  # type: ignore[assignment, misc]

OLD = {
    "kex": ("diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"),
    "keys": ("ssh-rsa", "ssh-dss"),
    "pubkeys": ("ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "ssh-dss"),
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc", "blowfish-cbc"),
    "macs": ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
}
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
# RFC 2409 §6.2, the second Oakley group
_OAKLEY_2 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)


def disabled(legacy: bool) -> dict[str, list[str]]:
    """Return paramiko's ``disabled_algorithms``."""
    return {} if legacy else {kind: list(names) for kind, names in OLD.items()}


def transport(legacy: bool, key_types: list[str], *args: Any, **kwargs: Any) -> Any:
    """Make a ``paramiko.Transport`` that asks first for host keys of the types that are known."""
    made = (transport_class() if legacy else paramiko.Transport)(*args, **kwargs)
    offered = list(made._preferred_keys)
    known = [name for kind in key_types for name in (_RSA if kind == "ssh-rsa" else (kind,)) if name in offered]
    made.get_security_options().key_types = list(dict.fromkeys([*known, *offered]))
    return made


def transport_class() -> Any:
    """Return a class of transports that knows the old algorithms whatever paramiko is installed."""
    base = paramiko.Transport
    exchanges = _exchanges()
    kex = {name: made for name, made in exchanges.items() if name not in base._kex_info}
    keys = {} if "ssh-rsa" in base._key_info else {"ssh-rsa": _old_rsa()}

    class LegacyTransport(base):  # type: ignore[misc, valid-type]
        _kex_info = {**base._kex_info, **kex}
        _key_info = {**base._key_info, **keys}
        _preferred_kex = (*base._preferred_kex, *kex)
        _preferred_keys = (*base._preferred_keys, *keys)

    return LegacyTransport


def _exchanges() -> dict[str, Any]:
    if KexGroup14SHA256 is None:
        return {}

    def derived(base: Any, name: str, **attributes: Any) -> Any:
        return type(base.__name__, (base,), {"name": name, "hash_algo": hashlib.sha1, **attributes})

    return {
        OLD["kex"][0]: derived(KexGexSHA256, OLD["kex"][0]),
        OLD["kex"][1]: derived(KexGroup14SHA256, OLD["kex"][1]),
        OLD["kex"][2]: derived(KexGroup14SHA256, OLD["kex"][2], P=_OAKLEY_2),
    }


def _old_rsa() -> Any:
    class OldRSAKey(paramiko.RSAKey):  # type: ignore[misc]
        HASHES = {**paramiko.RSAKey.HASHES, "ssh-rsa": hashes.SHA1}

    return OldRSAKey
