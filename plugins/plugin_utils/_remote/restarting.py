# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebooting a host: what starts it, and what tells one life of a host from the next. Two closed scripts per family."""

from __future__ import annotations

import base64

from .._model.collected import Family

STARTED = "breakwater reboots"

_BOOT = {
    # Linux has an id per boot; FreeBSD tells the time of it.
    "unix": "cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.boottime\n",
    "windows": (
        "$o=if(Get-Command Get-CimInstance -ErrorAction SilentlyContinue){Get-CimInstance Win32_OperatingSystem}"
        'else{Get-WmiObject Win32_OperatingSystem};"$($o.LastBootUpTime)"'
    ),
}
_REBOOT = {
    # In a session of its own and a little later, so that the answer still gets through.
    "unix": (
        "PATH=$PATH:/sbin:/usr/sbin; export PATH\n"
        "command -v shutdown >/dev/null 2>&1 || exit 127\n"
        "(trap '' HUP; sleep 3; shutdown -r now) </dev/null >/dev/null 2>&1 &\n"
        f"echo {STARTED}\n"
    ),
    "windows": (
        "shutdown.exe /r /t 5 /d p:2:4 /c 'Breakwater' 2>&1 | Out-Null;"
        f"if ($LASTEXITCODE -eq 0) {{ '{STARTED}' }} else {{ exit 1 }}"
    ),
}


def boot_script(family: Family) -> bytes:
    """Return what goes to standard input to learn which boot of the host this is."""
    return _encoded(_BOOT[family], family)


def reboot_script(family: Family) -> bytes:
    """Return what goes to standard input to reboot; it answers ``STARTED``."""
    return _encoded(_REBOOT[family], family)


def _encoded(script: str, family: Family) -> bytes:
    """The bootstrap of PowerShell takes one line of base64."""
    return base64.b64encode(script.encode("ascii")) + b"\n" if family == "windows" else script.encode("ascii")
