# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nmap's four scripts that answer what the probe answers too, run inside the lab, and what they said in our words."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field

from .space import Space

SCRIPTS = ("smb-protocols", "smb2-security-mode", "smb2-capabilities", "smb2-time")
_DIALECTS = {"202": "2.0.2", "210": "2.1", "300": "3.0", "302": "3.0.2", "311": "3.1.1"}
_CAPABILITIES = {
    "Distributed File System": "DFS",
    "Leasing": "LEASING",
    "Multi-credit operations": "LARGE_MTU",
    "Multiple Channel support": "MULTI_CHANNEL",
    "Persistent handles": "PERSISTENT_HANDLES",
    "Directory Leasing": "DIRECTORY_LEASING",
    "Encryption": "ENCRYPTION",
}


@dataclass
class Said:
    """What nmap said of one host; None: a script said nothing, or that it failed.

    ``capabilities`` are those of each dialect, ``denied`` is whether it says that there is no SMB2 at all.
    """

    dialects: list[str] | None = None
    signing: str | None = None
    capabilities: dict[str, list[str]] = field(default_factory=dict)
    denied: bool = False
    system_time: str | None = None
    boot_time: str | None = None


def require() -> None:
    """Skip the test where there is no nmap."""
    import pytest  # here, as what the tests start needs it no more than the servers do

    if shutil.which("nmap") is None:
        pytest.skip("not installed: nmap (apt-get install --no-install-recommends nmap)")


def scan(lab: Space, addresses: Iterable[str]) -> tuple[str, dict[str, Said]]:
    """Run the scripts against addresses of one family; return nmap's version and what it said by address."""
    words = ["nmap", "-n", "-Pn", "-sT", "-T4", "-p", "445,139", "--script", ",".join(SCRIPTS), "-oX", "-", "-iL", "-"]
    text = "\n".join(addresses)
    done = subprocess.run(
        [*lab.enter, *words, *(["-6"] if ":" in text else [])],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    document = ET.fromstring(done.stdout)
    found = {}
    for host in document.iter("host"):
        address = next(one.get("addr", "") for one in host.iter("address"))
        found[address] = _host({script.get("id", ""): script for script in host.iter("script")})
    return document.get("version", ""), found


def _name(dialect: str) -> str:
    """Return our name of a dialect; versions of nmap write "202", "2.0.2" or "2:0:2"."""
    return (
        "NT LM 0.12" if dialect.startswith("NT LM") else _DIALECTS.get("".join(filter(str.isdigit, dialect)), dialect)
    )


def _host(scripts: dict[str, ET.Element]) -> Said:
    said = Said()
    for element in [scripts[one] for one in ("smb-protocols",) if one in scripts]:
        said.dialects = [_name(one.text or "") for one in element.iter("elem")]
    for element in [scripts[one] for one in ("smb2-security-mode",) if one in scripts]:
        words = [one.text or "" for one in element.iter("elem")]
        if words:
            said.signing = "required" if any(one.endswith("and required") for one in words) else "not_required"
    for element in [scripts[one] for one in ("smb2-capabilities",) if one in scripts]:
        said.denied = "not supported" in element.get("output", "")
        for table in element.iter("table"):
            names = [_CAPABILITIES.get(one.text or "") for one in table.iter("elem")]
            said.capabilities[_name(table.get("key", ""))] = [one for one in names if one]
    for element in [scripts[one] for one in ("smb2-time",) if one in scripts]:
        times = {one.get("key"): one.text for one in element.iter("elem")}
        said.system_time, said.boot_time = times.get("date"), times.get("start_date")
    return said
