# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that ``printing = …`` in a share brings along (measured with testparm; [global] brings none)."""

from __future__ import annotations

_BSD = {"lpq_command": "lpq -P'%p'", "lprm_command": "lprm -P'%p' %j", "print_command": "lpr -r -P'%p' %s"}
_LPRNG = {
    **_BSD,
    "lppause_command": "lpc hold '%p' %j",
    "lpresume_command": "lpc release '%p' %j",
    "queuepause_command": "lpc stop '%p'",
    "queueresume_command": "lpc start '%p'",
}
_SYSV = {
    "lpq_command": "lpstat -o%p",
    "lprm_command": "cancel %p-%j",
    "print_command": "lp -c -d%p %s; rm %s",
    "lppause_command": "lp -i %p-%j -H hold",
    "lpresume_command": "lp -i %p-%j -H resume",
    "queuepause_command": "disable %p",
    "queueresume_command": "enable %p",
}
_QNX = {"lpq_command": "lpq -P%p", "lprm_command": "lprm -P%p %j", "print_command": "lp -r -P%p %s"}
_CUPS = dict.fromkeys(_SYSV, "") | {"lpq_command": "%p"}

_BY_SYSTEM = {
    "bsd": _BSD,
    "aix": _BSD,
    "lprng": _LPRNG,
    "plp": _LPRNG,
    "sysv": _SYSV,
    "hpux": _SYSV,
    "qnx": _QNX,
    "cups": _CUPS,
    "iprint": _CUPS,
}


def commands(system: str) -> dict[str, str]:
    """Return parameter (as in its fact id) → command of a printing system; none for one that we do not know."""
    return _BY_SYSTEM.get(system.lower(), {})
