# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Group policy objects of a host: what they write, and what root\\rsop\\computer says of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .definition import Document

_BOOLEAN = {
    "PasswordComplexity",
    "ClearTextPassword",
    "RequireLogonToChangePassword",
    "ForceLogoffWhenHourExpire",
    "LSAAnonymousNameLookup",
    "EnableAdminAccount",
    "EnableGuestAccount",
    "AllowAdministratorLockout",
}
_KINDS = {"int": 4, "list": 7, "str": 1}


def identity(document: Document, gpo: Document) -> str:
    """Return a policy object's id as RSoP spells it."""
    path = ",".join(f"DC={part}" for part in document["os"]["domain"].split("."))
    return f"cn={gpo['guid'].lower()},cn=policies,cn=system,{path}"


def apply(document: Document) -> Iterator[tuple[str, str, Any]]:
    """Yield the registry values that policy writes, and put the rest (rights, account policy, RSoP) into ``document``.

    The first policy object that names a setting wins.
    """
    rsop: dict[str, list[Document]] = {}
    taken: dict[tuple[str, str], int] = {}
    for gpo in document["gpos"]:
        gpo["id"] = identity(document, gpo)
        rsop.setdefault("RSOP_GPO", []).append(
            {
                "id": gpo["id"],
                "name": gpo["name"],
                "guidName": gpo["guid"],
                "enabled": True,
                "accessDenied": False,
                "filterAllowed": True,
                "version": 262145,
                "fileSystemPath": f"\\\\{document['os']['domain']}\\SysVol\\{document['os']['domain']}\\Policies\\{gpo['guid']}",
            }
        )
        for name, instance, effect in _settings(gpo):
            key = (name, str(instance.get("registryKey", "")) + str(instance.get("valueName", "")) + _named(instance))
            taken[key] = taken.get(key, 0) + 1
            rsop.setdefault(name, []).append({**instance, "precedence": taken[key], "GPOID": gpo["id"]})
            if taken[key] > 1:
                continue
            if isinstance(effect, tuple):
                yield effect
            else:
                effect(document)
        for category, value in gpo.get("audit", {}).items():
            document["audit_policy"][category] = value
    document["rsop"] = rsop


def _named(instance: Document) -> str:
    return str(instance.get("Path") or instance.get("KeyName") or instance.get("UserRight") or "").lower()


Effect = tuple[str, str, Any] | Callable[[Document], None]


def _settings(gpo: Document) -> Iterator[tuple[str, Document, Effect]]:
    """Yield RSoP class, instance, and what it does: a registry value, or a change to the security database."""
    for key, values in gpo.get("registry", {}).items():
        for name, data in values.items():
            instance = {
                "registryKey": key,
                "valueName": name,
                "valueType": _kind(data),
                "deleted": False,
                "command": "",
            }
            yield "RSOP_RegistryPolicySetting", instance, (key, name, data)
    for path, data in gpo.get("options", {}).items():
        key, _slash, name = path.removeprefix("MACHINE\\").rpartition("\\")
        text = ",".join(data) if isinstance(data, list) else str(data)
        written = key.replace("System\\", "SYSTEM\\", 1).replace("Software\\", "SOFTWARE\\", 1)
        yield "RSOP_RegistryValue", _security({"Path": path, "Type": _kind(data), "Data": text}), (written, name, data)
    for name, value in gpo.get("system_access", {}).items():
        kind = "String" if isinstance(value, str) else "Boolean" if name in _BOOLEAN else "Numeric"
        setting = bool(value) if kind == "Boolean" else value
        instance = _security({"KeyName": name, "Setting": setting})
        yield f"RSOP_SecuritySetting{kind}", instance, _into("security_policy", name, value)
    for right, accounts in gpo.get("rights", {}).items():
        instance = _security({"UserRight": right, "AccountList": accounts})
        yield "RSOP_UserPrivilegeRight", instance, _into("user_rights", right, accounts)


def _kind(data: Any) -> int:
    return _KINDS.get(type(data).__name__, 4)


def _into(section: str, name: str, value: Any) -> Callable[[Document], None]:
    def write(document: Document) -> None:
        document[section][name] = value

    return write


def _security(instance: Document) -> Document:
    return {**instance, "Status": 1, "ErrorCode": 0}
