# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a target takes away from whom: the kind of access that ends when its value is in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .._model.step import Target
from .dialects import SMB2, rank

Kind = Literal["dialect", "signing", "encryption", "cipher", "guest", "anonymous", "any", "admin-share", "printing"]
Side = Literal["server", "client", "mount"]
AES_128_CCM = "AES_128_CCM"


@dataclass(frozen=True, slots=True)
class Cut:
    """An end of access.

    Attributes:
        kind: what ends: older dialects, unsigned, unencrypted, guest or anonymous access, certain ciphers, all access
            of which nobody can tell whether it goes on.
        side: whose access: that of this server's clients, that of this host as a client, that of its mounts.
        words: what the clients in the way are doing ("speaking less than SMB 2.0.2").
        floor: the oldest dialect that stays.
        kept: the ciphers that stay.
    """

    kind: Kind
    side: Side
    words: str
    floor: str = ""
    kept: tuple[str, ...] = ()


def cuts(target: Target) -> tuple[Cut, ...]:
    """Return what a target cuts; nothing for what loosens nobody: auditing, logs, permissions, our own caution."""
    make = _CUTS.get(target.fact)
    if make is not None:
        return make(target.value)
    return (_ANONYMOUS,) if target.area == "anonymous" else ()


def _dialect(side: Side, floor: Any) -> tuple[Cut, ...]:
    return (Cut("dialect", side, f"speaking less than {_shown(floor)}", str(floor)),) if rank(floor) else ()


def _shown(floor: Any) -> str:
    return str(floor) if str(floor).upper().startswith("SMB") else f"SMB {floor}"


def _floor(side: Side) -> Callable[[Any], tuple[Cut, ...]]:
    return lambda value: _dialect(side, value)


def _when(cut: Cut, *values: Any) -> Callable[[Any], tuple[Cut, ...]]:
    """Cut where the target's value is one of these; another one cuts nothing."""
    return lambda value: (cut,) if value in values else ()


def _always(*found: Cut) -> Callable[[Any], tuple[Cut, ...]]:
    return lambda value: found


def _old(words: str, *values: Any) -> Callable[[Any], tuple[Cut, ...]]:
    """What only clients of SMB 1.0 need; where no values are named, every value ends it."""
    cut = Cut("dialect", "server", words, SMB2)
    return _when(cut, *values) if values else _always(cut)


def _ciphers(side: Side) -> Callable[[Any], tuple[Cut, ...]]:
    def cut(value: Any) -> tuple[Cut, ...]:
        kept = tuple(str(item).upper().replace("-", "_") for item in value) if isinstance(value, (list, tuple)) else ()
        return (Cut("cipher", side, "encrypting with a cipher that goes", kept=kept),)

    return cut


def _transports(value: Any) -> tuple[Cut, ...]:
    left = {str(item).lower().removeprefix("tcp:") for item in value} if isinstance(value, (list, tuple)) else set()
    return () if left & {"nbt", "139"} else _old(_NETBIOS)(value)


def _ntlm(value: Any) -> tuple[Cut, ...]:
    return (_NTLM,) if value == "disabled" else _old(_LM)(value)


def _right(value: Any) -> tuple[Cut, ...]:
    """Who is left when Everyone goes: all who log in, or only those groups that are named."""
    names = {str(item) for item in value} if isinstance(value, (list, tuple)) else set()
    if names & {"S-1-1-0"}:
        return ()
    return (_GUEST, _ANONYMOUS) if names & {"S-1-5-11", "S-1-5-32-545"} else (_RIGHT,)


OLDEST = Cut("dialect", "server", f"speaking less than SMB {SMB2}", SMB2)
"""SMB 1.0 goes: the end of the oldest clients."""
_SIGNING = Cut("signing", "server", "not signing")
_ENCRYPTION = Cut("encryption", "server", "not encrypting")
_GUEST = Cut("guest", "server", "coming as guest")
_ANONYMOUS = Cut("anonymous", "server", "coming without a user")
_NTLM = Cut("any", "server", "that may log in by NTLM (whether by Kerberos is not told)")
_RIGHT = Cut("any", "server", "that may hold the right only through a group that loses it")
_SMB1_CLIENT = Cut("dialect", "client", f"speaking less than SMB {SMB2}", SMB2)
_NTLM_CLIENT = Cut("any", "client", "where this host may be logged in by NTLM (whether by Kerberos is not told)")
_ADMIN = Cut("admin-share", "server", "using an administrative share, or not telling which")
_NETBIOS = "that may need NetBIOS (by their dialect)"
_LM = "that may know no NTLMv2 (by their dialect)"
_PRINTING = Cut("printing", "server", "connected to a printer, or to a share that no file describes")
_CUTS: dict[str, Callable[[Any], tuple[Cut, ...]]] = {
    "samba.server_min_protocol": _floor("server"),
    "windows.server_dialect_min": _floor("server"),
    "windows.smb1_server": _always(OLDEST),
    "windows.server_smb1": _always(OLDEST),
    "windows.smb1_feature": _always(OLDEST, _SMB1_CLIENT),
    "windows.smb1_client_driver": _always(_SMB1_CLIENT),
    "windows.smb1_client_dependency": _always(_SMB1_CLIENT),
    "windows.client_depend_on_service": _always(_SMB1_CLIENT),
    "windows.service_mrxsmb10_start": _always(_SMB1_CLIENT),
    "windows.client_dialect_min": _floor("client"),
    "samba.server_signing": _when(_SIGNING, "mandatory"),
    "windows.server_require_signing": _when(_SIGNING, True),
    "windows.client_require_signing": _when(Cut("signing", "client", "not signing"), True),
    "samba.server_smb_encrypt": _when(_ENCRYPTION, "required"),
    "windows.server_encrypt_data": _when(_ENCRYPTION, True),
    "windows.server_reject_unencrypted": _when(_ENCRYPTION, True),
    "windows.share_encrypt": _when(_ENCRYPTION, True),
    "windows.client_require_encryption": _when(Cut("encryption", "client", "not encrypting"), True),
    "samba.server_smb3_encryption_algorithms": _ciphers("server"),
    "windows.server_ciphers": _ciphers("server"),
    "windows.client_ciphers": _ciphers("client"),
    "samba.map_to_guest": _always(_GUEST),
    "samba.guest_ok": _when(_GUEST, False),
    "samba.guest_only": _when(_GUEST, False),
    "samba.usershare_allow_guests": _when(_GUEST, False),
    "windows.account_guest_enabled": _when(_GUEST, False),
    "windows.lsa_force_guest": _when(_GUEST, False),
    "windows.server_authenticate_user_sharing": _when(_GUEST, True),
    "windows.right_deny_network_logon": _always(_GUEST),
    "windows.right_network_logon": _right,
    "windows.client_insecure_guest": _when(Cut("guest", "client", "that this host may use as a guest"), False),
    "samba.ntlm_auth": _ntlm,
    "samba.lanman_auth": _old(_LM, False),
    "samba.raw_ntlmv2_auth": _old(_LM, False),
    "samba.nt_hash_store": _when(_NTLM, "never"),
    "windows.lsa_lm_compatibility_level": _old(_LM, 4, 5),
    "windows.lsa_ntlm_min_server_security": _old(_LM),
    "windows.lsa_ntlm_incoming": _when(_NTLM, "deny", "deny-domain-accounts"),
    "windows.lsa_ntlm_outgoing": _when(_NTLM_CLIENT, "deny"),
    "windows.client_block_ntlm": _when(_NTLM_CLIENT, True),
    "samba.disable_netbios": _old(_NETBIOS, True),
    "samba.server_smb_transports": _transports,
    "windows.netbios_options": _old(_NETBIOS),
    "samba.load_printers": _when(_PRINTING, False),
    "samba.disable_spoolss": _when(_PRINTING, True),
    "windows.service_server_start": _always(Cut("any", "server", "using the service")),
    "windows.server_admin_shares": _when(_ADMIN, False),
    "windows.server_admin_shares_workstation": _when(_ADMIN, False),
    "client.mount_dialect": _floor("mount"),
    "client.mount_signing": _when(Cut("signing", "mount", "not signing"), True),
    "client.mount_encryption": _when(Cut("encryption", "mount", "not encrypting"), True),
    "client.mount_guest": _when(Cut("guest", "mount", "of a guest"), False),
    "host.cifs_module_available": _always(Cut("any", "mount", "needing the module")),
}
