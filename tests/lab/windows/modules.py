# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a simulated host answers to modules of ansible.windows.

The modules themselves do not run: several need the Windows API, and all load their functions into a runspace of their own,
which the simulation does not reach. Which module is asked for, and with which options, stands in the manifest that
ansible-core (2.19 and newer) sends; PowerShell on the simulated host reads the same fact, and it comes back in the form
that the module gives it. What the module costs the host (a C# compiler, for most) is not part of that.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from .execution import Exec, Result, Run

_SEPARATOR = b"\n\0\0\0\0\n"
_PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
Shape = Callable[[Mapping[str, Any], str], dict[str, Any]]


class NotAModule(Exception):
    """An execution is not one of a module that is known here, or the host cannot say what the module asks."""


def module_of(ask: Exec) -> tuple[str, dict[str, Any]] | None:
    """Return name and options of the module that an execution runs; None when it runs none."""
    _wrapper, found, manifest = ask.stdin.partition(_SEPARATOR)
    if not found:
        return None
    for action in json.loads(manifest)["actions"]:
        for variable in action["params"].get("Variables", ()):
            if variable["Name"] == "complex_args":
                options: dict[str, Any] = variable["Value"]
                return str(options["_ansible_module_name"]).rsplit(".", 1)[-1], options
    return None


def answer(ask: Exec, run: Run) -> Result:
    """Return what the module would say on that host.

    Raises:
        NotAModule: it is none of those that the playbook uses.
    """
    found = module_of(ask)
    if found is None or found[0] not in _MODULES:
        raise NotAModule(found[0] if found else ask.command[:60])
    name, options = found
    script, shape = _MODULES[name]
    text = (
        options["_raw_params"] if name == "win_shell" else script.format(**{k: _quoted(v) for k, v in options.items()})
    )
    command = _PREFIX + base64.b64encode(text.encode("utf-16-le")).decode()
    said = run(Exec("winrm", command, b"", ask.user))
    if said.rc and name != "win_shell":
        raise NotAModule(f"{name} {options}: {said.stderr.decode('utf-8', 'replace')}")
    document = {"changed": False, "rc": said.rc, **shape(options, said.stdout.decode("utf-8", "replace"))}
    document["failed"] = bool(said.rc)
    return Result(json.dumps(document).encode() + b"\r\n", rc=said.rc)


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")


def _listed(command: str) -> str:
    return f"ConvertTo-Json -Compress -Depth 3 -InputObject @({command})"


def _shell(options: Mapping[str, Any], text: str) -> dict[str, Any]:
    stamps = {"start": "2026-11-20 12:00:00.000000", "end": "2026-11-20 12:00:01.000000", "delta": "0:00:01.000000"}
    return {"changed": True, "cmd": options["_raw_params"], "stdout": text, "stderr": "", **stamps}


def _registry(_options: Mapping[str, Any], text: str) -> dict[str, Any]:
    values = json.loads(text) if text.strip() else None
    properties = {
        name: {"raw_value": value, "type": "REG_DWORD" if isinstance(value, int) else "REG_SZ", "value": value}
        for name, value in (values or {}).items()
        if not name.startswith("PS")
    }
    return {"exists": values is not None, "properties": properties, "sub_keys": []}


def _rows(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text) if text.strip() else []
    return rows


def _services(_options: Mapping[str, Any], text: str) -> dict[str, Any]:
    rest = {
        "checkpoint": 0,
        "controls_accepted": ["stop", "shutdown"],
        "dependencies": [],
        "dependency_of": [],
        "desktop_interact": False,
        "error_control": "normal",
        "failure_actions": [],
        "service_type": "win32_share_process",
        "sid_info": "unrestricted",
        "username": "NT AUTHORITY\\SYSTEM",
    }
    return {"exists": True, "services": [{**rest, **row} for row in _rows(text)]}


# Module → the script that reads the same fact ({option} is one of its options), and the form of its answer.
_MODULES: dict[str, tuple[str, Shape]] = {
    "setup": (
        _listed(
            "Get-CimInstance -ClassName Win32_OperatingSystem -Namespace root\\cimv2 -Property Caption,Version,ProductType"
        ),
        lambda _options, text: {
            "ansible_facts": {f"ansible_{k.lower()}": v for r in _rows(text) for k, v in r.items()}
        },
    ),
    "win_whoami": ("whoami.exe /groups /fo csv /nh", lambda _options, text: {"groups": text.splitlines()}),
    "win_reg_stat": (
        "if (Test-Path -LiteralPath '{path}') {{ Get-ItemProperty -LiteralPath '{path}' | ConvertTo-Json -Compress }}",
        _registry,
    ),
    "win_service_info": (
        _listed("Get-CimInstance -ClassName Win32_BaseService -Namespace root\\cimv2 -Property Name,State,StartMode"),
        _services,
    ),
    "win_listen_ports_facts": (
        _listed("Get-NetTCPConnection -State Listen -LocalPort 135,139,445,5445"),
        lambda _options, text: {"ansible_facts": {"tcp_listen": _rows(text), "udp_listen": []}},
    ),
    "win_feature_info": (
        _listed("Get-WindowsFeature -Name {name}"),
        lambda _options, text: {"exists": True, "features": _rows(text)},
    ),
    "win_shell": ("{_raw_params}", _shell),
}
