# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Windows this is: from the registry and from WMI, which must not contradict each other."""

from __future__ import annotations

from typing import Any

from ..._model.answer import document, number, text
from ..._model.collected import Collected
from ..._model.fact import Fact

# Names of releases by build. Source: Microsoft's release information of Windows and Windows Server.
_SERVERS = {
    6001: "2008",
    6002: "2008",
    6003: "2008",
    7600: "2008-r2",
    7601: "2008-r2",
    9200: "2012",
    9600: "2012-r2",
    14393: "2016",
    16299: "1709",
    17134: "1803",
    17763: "2019",
    18362: "1903",
    18363: "1909",
    19041: "2004",
    19042: "20h2",
    20348: "2022",
    25398: "23h2",
    26100: "2025",
}
_CLIENTS = {
    7600: "7",
    7601: "7",
    9200: "8",
    9600: "8.1",
    10240: "10-1507",
    10586: "10-1511",
    14393: "10-1607",
    15063: "10-1703",
    16299: "10-1709",
    17134: "10-1803",
    17763: "10-1809",
    18362: "10-1903",
    18363: "10-1909",
    19041: "10-2004",
    19042: "10-20h2",
    19043: "10-21h1",
    19044: "10-21h2",
    19045: "10-22h2",
    22000: "11-21h2",
    22621: "11-22h2",
    22631: "11-23h2",
    26100: "11-24h2",
    26200: "11-25h2",
}
_FIRST_11 = 22000


def system(collected: Collected) -> tuple[Fact, str]:
    """Return the ``host.os`` fact and the whole version, ``10.0.20348.2227``.

    When build or kind of product are not known for sure, the fact is unreadable and the version empty.
    """
    found = _system(collected)
    if isinstance(found, str):
        return Fact(unreadable=found), ""
    major, value = found
    return Fact(configured=value), f"{major}.{value['build']}"


def _system(collected: Collected) -> tuple[str, dict[str, Any]] | str:
    registry, unread = document(collected, "host.os")
    wmi, wmi_unread = document(collected, "host.os_wmi")
    if unread is not None and wmi_unread is not None:
        return f"{unread}; {wmi_unread}"
    builds = {build for build in (_digits(registry.get("CurrentBuild")), _digits(wmi.get("BuildNumber"))) if build}
    if not builds:
        return "neither the registry nor WMI tells the build of this Windows"
    if len(builds) > 1:
        return f"registry and WMI tell different builds: {' and '.join(map(str, sorted(builds)))}"
    build = builds.pop()
    server = _is_server(registry, wmi, build)
    if isinstance(server, str):
        return server
    major = _major(registry, wmi, build)
    if major is None:
        return f"the version that build {build} belongs to is not told"
    revision = number(registry.get("UBR"))
    shown = str(build) if revision is None else f"{build}.{revision}"
    value = {
        **_names(build, server),
        "name": text(wmi.get("Caption")).strip(),
        "family": "windows",
        "build": shown,
        "edition": text(registry.get("EditionID")),
        "installation": text(registry.get("InstallationType")),
    }
    value["name"] = value["name"] or f"Windows {'Server ' if server else ''}{value['version']}"
    return major, value


def _names(build: int, server: bool) -> dict[str, Any]:
    version = (_SERVERS if server else _CLIENTS).get(build, f"build-{build}")
    if server:
        return {"id": "windows-server", "id_like": ["windows"], "version": version}
    line = ("windows-11" if build >= _FIRST_11 else "windows-10") if build >= 10240 else f"windows-{version}"
    return {"id": "windows", "id_like": ["windows-client", line], "version": version}


def _is_server(registry: dict[str, Any], wmi: dict[str, Any], build: int) -> bool | str:
    """Return whether the product is a server, or why that cannot be told."""
    told: dict[str, bool] = {}
    product = number(wmi.get("ProductType"))
    if product in (1, 2, 3):
        told["WMI"] = product != 1
    installation = text(registry.get("InstallationType"))
    if installation in ("Client", "Server", "Server Core", "Nano Server"):
        told["the registry"] = installation != "Client"
    if len(set(told.values())) > 1:
        return "WMI and the registry disagree on whether this is a server"
    if told:
        return next(iter(told.values()))
    if (build in _SERVERS) is not (build in _CLIENTS):
        return build in _SERVERS
    return "whether this is a server or a client is not told"


def _major(registry: dict[str, Any], wmi: dict[str, Any], build: int) -> str | None:
    """Return ``10.0`` or ``6.1``. The registry's CurrentVersion stayed at 6.3 for ever, so it only helps before 10."""
    version = text(wmi.get("Version")).split(".")
    if len(version) == 3 and version[0].isdecimal() and version[1].isdecimal():
        return f"{int(version[0][:4])}.{int(version[1][:4])}"
    major, minor = number(registry.get("CurrentMajorVersionNumber")), number(registry.get("CurrentMinorVersionNumber"))
    if major is not None and minor is not None:
        return f"{major}.{minor}"
    current = text(registry.get("CurrentVersion"))
    return current if build < 10240 and current in ("6.0", "6.1", "6.2", "6.3") else None


def _digits(value: Any) -> int | None:
    """Return a build number, which the registry and WMI hold as text."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 8:
        return int(value)
    return number(value)
