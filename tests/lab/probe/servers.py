# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers, and the truth about each, worked out by hand from its configuration: never from what a probe says.

Sources are smb.conf(5) of Samba, ksmbd.conf(5), and for impacket its smbserver.py, which speaks "NT LM 0.12" and 2.0.2.
What is told here of one server holds on all its ports and addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

from .smbd import Server

DIALECTS = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
OLD = "older than NT LM 0.12"
"""Stands for every SMB1 dialect before NT LM 0.12: a server has them all or none, as far as its configuration goes."""

LONG = {"conversation_seconds": 20.0, "retry_seconds": 20.0, "host_seconds": 90.0, "connect_seconds": [5.0, 5.0]}
"""Real servers share their machine with other tests; their answers are late, not missing."""

_SIGNING = {"Q": "required", "-": "not_required", "?": "indeterminate"}
_SMB1_SIGNING = {"Q": "required", "E": "enabled", "D": "disabled", "?": "indeterminate"}
_ANSWER = {"A": "accepted", "-": "refused", "?": "indeterminate", "V": "violation"}
_CIPHERS = {"G": "AES-128-GCM", "C": "AES-128-CCM", "H": "AES-256-GCM", "D": "AES-256-CCM"}
_ALGORITHMS = {"G": "AES-GMAC", "C": "AES-CMAC", "H": "HMAC-SHA256"}

_MIN, _MAX = "server min protocol = ", "server max protocol = "
_NO_139 = ("smb ports = 445", "disable netbios = yes")

_SAMBA: dict[str, tuple[str, ...]] = {
    "defaults": (),
    "nt1-only": (_MIN + "NT1", _MAX + "NT1"),
    "nt1-to-311": (_MIN + "NT1", _MAX + "SMB3_11"),
    "nt1-to-21": (_MIN + "NT1", _MAX + "SMB2_10", "server signing = auto"),
    "nt1-to-202": (_MIN + "NT1", _MAX + "SMB2_02", "server signing = mandatory"),
    "lanman": (_MIN + "LANMAN1", _MAX + "SMB3_11", "lanman auth = yes"),
    "lanman-only": (_MIN + "LANMAN1", _MAX + "LANMAN2", "lanman auth = yes"),
    "202-only": (_MIN + "SMB2_02", _MAX + "SMB2_02"),
    "202-to-300": (_MIN + "SMB2_02", _MAX + "SMB3_00"),
    "21-only": (_MIN + "SMB2_10", _MAX + "SMB2_10"),
    "21-to-302": (_MIN + "SMB2_10", _MAX + "SMB3_02", *_NO_139),
    "300-only": (_MIN + "SMB3_00", _MAX + "SMB3_00"),
    "302-only": (_MIN + "SMB3_02", _MAX + "SMB3_02"),
    "311-only": (_MIN + "SMB3_11", _MAX + "SMB3_11"),
    "strict": (_MIN + "SMB3_11", "server signing = mandatory", "server smb encrypt = required", *_NO_139),
    "signing-off": ("server signing = disabled",),
    "signing-auto": ("server signing = auto",),
    "signing-on": ("server signing = mandatory",),
    "encryption-off": ("server smb encrypt = off",),
    "encryption-desired": ("server smb encrypt = desired",),
    "encryption-required": ("server smb encrypt = required",),
    "two-ciphers": ("server smb3 encryption algorithms = AES-256-GCM AES-128-CCM",),
    # smb.conf(5): without HMAC-SHA256 there is no 2.x, without AES-128-CCM no 3.0 and no 3.0.2. The latter holds for clients only
    # that can encrypt: smbd 4.17 takes 3.0 from one that says that it cannot.
    "no-ccm": ("server smb3 encryption algorithms = AES-128-GCM",),
    "only-cmac": ("server smb3 signing algorithms = AES-128-CMAC",),
    "139-only": ("smb ports = 139",),
    "guests": ("map to guest = bad user",),
    "no-anonymous": ("restrict anonymous = 2",),
    "denied": ("hosts deny = ALL",),
}

_KSMBD: dict[str, tuple[str, ...]] = {
    # ksmbd has no SMB1, and takes "required" for "disabled", without a word; its minimum by default is 2.1.
    "ksmbd": ("server signing = required", "server min protocol = NT1"),
    "ksmbd-300-to-302": ("server signing = mandatory", _MIN + "SMB3_00", _MAX + "SMB3_02"),
}

_IMPACKET = ("impacket-smb1", "impacket-smb2")

_TABLE = """
# Where encryption is required nobody is let in, as an anonymous session has no key to encrypt with.
# server              NT1 old 202 21 300 302 311  signing smb1-signing  ciphers algorithms anonymous guest
defaults              -   -   A   A  A   A   A    -       .             GCHD    GCH        A         -
nt1-only              A   -   -   -  -   -   -    .       D             .       .          .         .
nt1-to-311            A   -   A   A  A   A   A    -       D             GCHD    GCH        A         -
nt1-to-21             A   -   A   A  -   -   -    -       E             .       .          A         -
nt1-to-202            A   -   A   -  -   -   -    Q       Q             .       .          A         -
lanman                A   A   A   A  A   A   A    -       D             GCHD    GCH        A         -
lanman-only           -   A   -   -  -   -   -    .       .             .       .          .         .
202-only              -   -   A   -  -   -   -    -       .             .       .          A         -
202-to-300            -   -   A   A  A   -   -    -       .             .       .          A         -
21-only               -   -   -   A  -   -   -    -       .             .       .          A         -
21-to-302             -   -   -   A  A   A   -    -       .             .       .          A         -
300-only              -   -   -   -  A   -   -    -       .             .       .          A         -
302-only              -   -   -   -  -   A   -    -       .             .       .          A         -
311-only              -   -   -   -  -   -   A    -       .             GCHD    GCH        A         -
strict                -   -   -   -  -   -   A    Q       .             GCHD    GCH        -         -
signing-off           -   -   A   A  A   A   A    -       .             GCHD    GCH        A         -
signing-auto          -   -   A   A  A   A   A    -       .             GCHD    GCH        A         -
signing-on            -   -   A   A  A   A   A    Q       .             GCHD    GCH        A         -
encryption-off        -   -   A   A  A   A   A    -       .             none    GCH        A         -
encryption-desired    -   -   A   A  A   A   A    -       .             GCHD    GCH        A         -
encryption-required   -   -   A   A  A   A   A    -       .             GCHD    GCH        -         -
two-ciphers           -   -   A   A  A   A   A    -       .             HC      GCH        A         -
no-ccm                -   -   A   A  A   A   A    -       .             G       GCH        A         -
only-cmac             -   -   -   -  A   A   A    -       .             GCHD    C          A         -
139-only              -   -   A   A  A   A   A    -       .             GCHD    GCH        A         -
guests                -   -   A   A  A   A   A    -       .             GCHD    GCH        A         A
no-anonymous          -   -   A   A  A   A   A    -       .             GCHD    GCH        -         -
# It takes every connection and drops it at the first request: nothing can be known.
denied                ?   ?   ?   ?  ?   ?   ?    ?       ?             ?       ?          ?         ?
ksmbd                 -   -   -   A  A   A   A    -       .             .       .          .         .
ksmbd-300-to-302      -   -   -   -  A   A   -    Q       .             .       .          .         .
impacket-smb1         A   -   -   -  -   -   -    .       D             .       .          .         .
# It answers any offer with 2.0.2, also one that does not have it.
impacket-smb2         A   -   A   V  V   V   V    -       D             .       .          .         .
"""


@dataclass(frozen=True)
class Truth:
    """What is true of a server; None: the question does not arise, or the configuration does not decide it.

    ``dialects`` is by name, and ``OLD`` for those before "NT LM 0.12". ``ciphers`` and ``algorithms`` are in the server's
    order; "none" is that it has none of them, "indeterminate" that it cannot be told.
    """

    dialects: dict[str, str]
    signing: str | None
    smb1_signing: str | None
    ciphers: tuple[str, ...] | str | None
    algorithms: tuple[str, ...] | str | None
    anonymous: str | None
    guest: str | None


def _samba() -> dict[str, Server]:
    two_families = ("defaults", "nt1-to-311", "strict")
    found = {}
    for number, (name, lines) in enumerate(_SAMBA.items(), 1):
        addresses = (f"10.77.0.{number}", *((f"fd77::{number:x}",) if name in two_families else ()))
        ports = (139,) if name == "139-only" else (445,) if _NO_139[0] in lines else (445, 139)
        found[name] = Server(name.replace("-", "")[:15], addresses, lines, ports)
    return found


SAMBA = _samba()
KSMBD = {name: Server(name, (f"10.77.1.{one}",), lines, (445,)) for one, (name, lines) in enumerate(_KSMBD.items(), 1)}
IMPACKET = {name: Server(name, (f"10.77.2.{one}",), (), (445,)) for one, name in enumerate(_IMPACKET, 1)}


def _listed(cell: str, names: dict[str, str]) -> tuple[str, ...] | str | None:
    words = {"none": "none", "?": "indeterminate", ".": None}
    return words[cell] if cell in words else tuple(names[letter] for letter in cell)


def _read() -> dict[str, Truth]:
    found = {}
    for line in _TABLE.strip().splitlines():
        if line.startswith("#"):
            continue
        name, nt1, old, *rest = line.split()
        smb2, (signing, smb1_signing, ciphers, algorithms, anonymous, guest) = rest[:5], rest[5:]
        dialects = {OLD: _ANSWER[old]}
        dialects |= {one: _ANSWER[cell] for one, cell in zip(DIALECTS, (nt1, *smb2), strict=True)}
        found[name] = Truth(
            dialects,
            _SIGNING.get(signing),
            _SMB1_SIGNING.get(smb1_signing),
            _listed(ciphers, _CIPHERS),
            _listed(algorithms, _ALGORITHMS),
            _ANSWER.get(anonymous),
            _ANSWER.get(guest),
        )
    return found


TRUTH = _read()
