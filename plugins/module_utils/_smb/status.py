# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The NTSTATUS codes that a probe meets, by name ([MS-ERREF] 2.3.1)."""

from __future__ import annotations

SUCCESS = 0x00000000
PENDING = 0x00000103
INVALID_SMB = 0x00010002
BAD_TID = 0x00050002
BAD_UID = 0x005B0002
NOT_IMPLEMENTED = 0xC0000002
INVALID_HANDLE = 0xC0000008
INVALID_PARAMETER = 0xC000000D
MORE_PROCESSING_REQUIRED = 0xC0000016
ACCESS_DENIED = 0xC0000022
LOGON_FAILURE = 0xC000006D
ACCOUNT_RESTRICTION = 0xC000006E
ACCOUNT_DISABLED = 0xC0000072
INSUFFICIENT_RESOURCES = 0xC000009A
NOT_SUPPORTED = 0xC00000BB
NETWORK_ACCESS_DENIED = 0xC00000CA
BAD_NETWORK_NAME = 0xC00000CC
REQUEST_NOT_ACCEPTED = 0xC00000D0
LOGON_TYPE_NOT_GRANTED = 0xC000015B
USER_SESSION_DELETED = 0xC0000203
INSUFF_SERVER_RESOURCES = 0xC0000205
ACCOUNT_LOCKED_OUT = 0xC0000234
NTLM_BLOCKED = 0xC0000418
SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP = 0xC05D0000

NAMES: dict[int, str] = {
    value: f"STATUS_{name}" for name, value in list(globals().items()) if name.isupper() and isinstance(value, int)
}


def name(status: int) -> str:
    """Return the status' name, or its number as 0xC0001234 where this table has none."""
    return NAMES.get(status) or f"0x{status:08X}"
