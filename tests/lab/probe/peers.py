# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/probe-peers.md: the truth about real servers beside what the probe and nmap say of them.

The integration test of the truth makes the text anew and compares it; with ``BREAKWATER_WRITE=1`` it writes it.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from .nmap import Said
from .servers import DIALECTS, OLD, TRUTH, Truth

PATH = pathlib.Path(__file__).resolve().parents[3] / "docs" / "probe-peers.md"

_HEAD = """# The probe beside nmap

Real servers, the truth about each as it follows from its configuration, and what was said of it. The probe says the truth of
every one of them (`tests/integration/probe/test_truth.py`); of nmap {version} it says here what its scripts `smb-protocols`,
`smb2-security-mode` and `smb2-capabilities` made of the same servers in the same run: "same", "nothing" where a script gave no
answer, or what it said instead. `smb2-time` gave the same times as the probe wherever it gave any.

Servers are smbd of Samba in {samba} configurations, ksmbd of Linux 6.12 and smbserver.py of impacket. `+` is a dialect that is
accepted; *old* is any that is older than NT LM 0.12, of which nmap does not ask. Capabilities are those of the newest dialect.

| server | old | NT1 | 2.0.2 | 2.1 | 3.0 | 3.0.2 | 3.1.1 | nmap: dialects | signing | nmap: signing | nmap: capabilities |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

_TAIL = """
What differs, and why:

* `smb2-capabilities` never shows Encryption or Multichannel, though the servers have them: it sends no capabilities itself, and a server
  names these only to a client that has them too ([MS-SMB2] 3.3.5.4). In 3.1.1 encryption is a matter of contexts, which it does not read.
* `denied` (`hosts deny = ALL`) turns every client away at the first request. nmap calls that "SMB 2+ not supported"; nothing of the kind is
  known, and the probe says `indeterminate`.
* `lanman-only` speaks SMB1, and nmap has nothing to say of it, because it asks for NT LM 0.12 only.

nmap answers nothing here that the probe does not. The probe also says which ciphers and signing algorithms are taken and in which order,
what SMB1 says of signing, what an anonymous or a guest gets, and each port for itself.
"""


def accepted(truth: Truth) -> list[str]:
    """Return the dialects that are accepted, without those before NT LM 0.12."""
    return [one for one in DIALECTS if truth.dialects[one] == "accepted"]


def newest(truth: Truth) -> str | None:
    """Return the newest SMB2 dialect that is accepted."""
    return next((one for one in reversed(accepted(truth)) if one != DIALECTS[0]), None)


def page(version: str, ours: Mapping[str, Any], said: Mapping[str, Said]) -> str:
    """Return the text of the page.

    Args:
        version: nmap's.
        ours: by server, what the probe says of one port of it.
        said: by server, what nmap says of it.
    """
    samba = sum(not name.startswith(("ksmbd", "impacket")) for name in TRUTH)
    rows = "".join(_row(name, TRUTH[name], ours[name], said[name]) for name in TRUTH)
    return _HEAD.format(version=version, samba=samba) + rows + _TAIL


def _row(name: str, truth: Truth, ours: Mapping[str, Any], said: Said) -> str:
    marks = {"accepted": "+", "refused": "", "violation": "", "indeterminate": "?"}
    cells = [name, *(marks[truth.dialects[one]] for one in (OLD, *DIALECTS))]
    unknown = "indeterminate" in truth.dialects.values()
    cells.append(_beside(said.dialects, None if unknown else accepted(truth)))
    cells += [(truth.signing or "").replace("_", " "), _beside(said.signing, truth.signing if newest(truth) else None)]
    dialect = newest(truth)
    if said.denied:
        cells.append("same" if dialect is None and not unknown else "no SMB2 at all")
    elif dialect is None:
        cells.append("nothing" if unknown else "")
    else:
        cells.append(_missing(said.capabilities.get(dialect or "", []), ours.get("capabilities", [])))
    return f"| {' | '.join(cells)} |\n"


def _beside(said: object, right: object) -> str:
    if said == right:
        return "same" if said else ""
    return "nothing" if said is None else "" if right is None else str(said)


def _missing(said: list[str], ours: list[str]) -> str:
    left, more = [one for one in ours if one not in said], [one for one in said if one not in ours]
    words = [f"no {one}" for one in left] + [f"{one} too" for one in more]
    return ", ".join(words) or "same"
