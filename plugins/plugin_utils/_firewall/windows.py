# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of the Windows firewall as the registry holds them: ``v2.33|Action=Allow|Active=TRUE|Dir=In|…|``.

Source: [MS-GPFAS] 2.2.2.19 with the grammars that it uses, and [MS-FASP] 2.2.37. A field that is repeated is a list of
which any item may match; a field that is absent matches everything, but for ``Active``, which is false then.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator

from .._model.answer import text
from .model import Action, Direction, Ports, Rule, Scope
from .windows_match import match_of

PROFILES = ("domain", "private", "public")
MAX_LENGTH = 32768
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_VERSION = re.compile(r"v\d{1,3}\.\d{1,3}\Z")
_PORT_WORDS = frozenset(
    {"RPC", "RPC-EPMap", "Teredo", "IPTLSIn", "IPHTTPSIn", "IPTLSOut", "IPHTTPSOut", "DHCP", "Ply2Disc", "mDNS"}
    | {"CortanaOut", "TcpCDPSvc"}
)
_PORT_WORDS_2_10 = frozenset({"IPTLSIn", "IPHTTPSIn", "IPTLSOut", "IPHTTPSOut"})
_WORDS = ("LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway")
_WORDS_2_20 = {
    "IntrAnet": "Intranet",
    "IntErnet": "Internet",
    "RmtIntrAnet": "RmtIntranet",
    "Ply2Renders": "Ply2Renders",
    "CaptivePortal": "CaptivePortal",
}
_SPELT = {word.lower(): word for word in _WORDS} | {word.lower(): shown for word, shown in _WORDS_2_20.items()}
_ACTIONS: dict[str, Action] = {"allow": "allow", "bypass": "allow", "block": "block"}
_DIRECTIONS: dict[str, Direction] = {"in": "in", "out": "out"}
_SILENT = frozenset({"desc", "edge", "defer", "lsm", "lom", "pcross", "security2", "security2_9"})
"""Fields that narrow nothing, or that only say how the peers of ``Security=`` authenticate."""

_OWN = frozenset({"action", "dir", "active", "profile", "protocol", "security", "authbypassout", "name", "embedctxt"})
_OWN |= {"lport", "rport", "ra4", "ra6"}
"""Fields that have a place of their own in the model."""
_LATER = re.compile(r"([lr]port)2_\d+|(ra[46])2")
"""Names of fields that newer versions of the grammar have added values with."""
_Field = tuple[str, str, str]
"""What a field is about, its name, and its value."""


class BadRule(ValueError):
    """A text that is no rule: Windows would not enforce it, or we do not understand what it does."""


def parse(rule_id: str, rule: object, source: str, release: tuple[int, int] | None = None) -> Rule:
    """Return a rule of its text.

    Args:
        rule_id: name of the registry value.
        rule: its content.
        source: where it stands, see Rule.
        release: major and minor version of Windows, for rules that are for some releases only; None: not known.

    Raises:
        BadRule: it has no version, action or direction, or has them twice.
    """
    fields = list(_fields(rule))
    action = _once(fields, "action").lower()
    direction = _DIRECTIONS.get(_once(fields, "dir").lower())
    if action not in _ACTIONS or direction is None:
        raise BadRule("the rule has an unknown action or direction")
    conditions: list[tuple[str, str]] = []
    protocol = _protocol(fields, conditions)
    active = _flag(fields, "active", conditions)
    profiles = _profiles(fields, conditions)
    overrides = action == "bypass" or _flag(fields, "authbypassout", conditions)
    secure = [value for kind, _key, value in fields if kind == "security" and value.lower().startswith("authenticate")]
    for kind, key, value in fields:
        if (kind not in _OWN and kind not in _SILENT) or (kind == "security" and value not in secure):
            conditions.append((text(key), text(value)))
    return Rule(
        id=text(rule_id),
        source=source,
        action=_ACTIONS[action],
        direction=direction,
        active=active,
        profiles=profiles,
        protocol=protocol,
        local_ports=_ports(fields, "lport"),
        remote_ports=_ports(fields, "rport"),
        peers=tuple(_scope(int(kind[2]), value) for kind, _key, value in fields if kind in ("ra4", "ra6")),
        authenticated=action == "bypass" or bool(secure),
        overrides=overrides,
        match=match_of(conditions, release),
        conditions=tuple(conditions),
        title=_first(fields, "name"),
        group=_first(fields, "embedctxt"),
    )


def _fields(rule: object) -> Iterator[_Field]:
    if not isinstance(rule, str) or len(rule) > MAX_LENGTH:
        raise BadRule("the rule is no text, or longer than Windows writes it")
    version, *parts = rule.split("|")
    if not _VERSION.match(version):
        raise BadRule("the rule does not begin with its version")
    for part in parts:
        if part:
            key, _equals, value = part.partition("=")
            yield _kind(key), key, value


@functools.lru_cache(maxsize=256)
def _kind(key: str) -> str:
    """Return what a field is about: ``LPort2_10`` and ``LPort`` are one list."""
    match = _LATER.fullmatch(key.lower())
    return (match[1] or match[2]) if match else key.lower()


def _once(fields: list[_Field], name: str) -> str:
    found = {value for kind, _key, value in fields if kind == name}
    if len(found) != 1:
        raise BadRule(f"the rule has {'no' if not found else 'more than one'} {name}")
    return found.pop()


def _first(fields: list[_Field], name: str) -> str:
    return next((text(value) for kind, _key, value in fields if kind == name), "")


def _flag(fields: list[_Field], name: str, conditions: list[tuple[str, str]]) -> bool:
    """Return a flag that is false when absent; one that cannot be read counts as set, under a condition."""
    found = [value for kind, _key, value in fields if kind == name]
    told = {value.upper() for value in found}
    if told <= {"TRUE", "FALSE"} and len(told) < 2:
        return "TRUE" in told
    conditions += [(name, text(value)) for value in found]
    return True


def _protocol(fields: list[_Field], conditions: list[tuple[str, str]]) -> int | None:
    found = {value for kind, _key, value in fields if kind == "protocol"}
    if len(found) == 1 and re.fullmatch(r"[0-9]{1,3}", only := next(iter(found))):
        if int(only) < 256:
            return int(only)
        found -= {"256"}  # any
    conditions += [("Protocol", text(value)) for value in sorted(found)]
    return None


def _profiles(fields: list[_Field], conditions: list[tuple[str, str]]) -> frozenset[str]:
    found = {value.lower() for kind, _key, value in fields if kind == "profile"}
    strange = found - set(PROFILES)
    conditions += [("Profile", text(value)) for value in sorted(strange)]
    return frozenset(PROFILES if strange or not found else found)


def _ports(fields: list[_Field], side: str) -> Ports | None:
    spans, words, unknown = [], [], []
    for kind, _key, value in fields:
        if kind != side:
            continue
        match = _PORT.fullmatch(value)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first <= last < 65536:
            spans.append((first, last))
        elif value in _PORT_WORDS:
            words.append(value)
        else:
            unknown.append(text(value))
    return Ports(tuple(spans), tuple(words), tuple(unknown)) if spans or words or unknown else None


def _scope(version: int, value: str) -> Scope:
    """Return a range, or a word: one that is not known stays as it is and holds nothing else."""
    kind, network = (
        (ipaddress.IPv4Address, ipaddress.IPv4Network)
        if version == 4
        else (ipaddress.IPv6Address, ipaddress.IPv6Network)
    )
    first, dash, last = (part.strip() for part in value.partition("-"))
    try:
        if dash:
            low, high = int(kind(first)), int(kind(last))
        else:
            whole = network(first, strict=False)
            low, high = int(whole.network_address), int(whole.broadcast_address)
    except ValueError:
        low, high = 1, 0
    if low <= high and "%" not in value:
        return Scope(4 if version == 4 else 6, low, high)
    return Scope(4 if version == 4 else 6, word=_SPELT.get(value.lower(), text(value)))


def render(rule: Rule, version: str = "2.10") -> str:
    """Return the text of a rule, as Windows would store it; ``parse`` gives the same rule back."""
    past_blocks_in = rule.overrides and rule.direction == "in"
    action = "Block" if rule.action == "block" else "ByPass" if past_blocks_in else "Allow"
    fields = [("Action", action), ("Active", "TRUE" if rule.active else "FALSE"), ("Dir", rule.direction.capitalize())]
    if rule.protocol is not None:
        fields.append(("Protocol", str(rule.protocol)))
    if rule.profiles != frozenset(PROFILES):
        fields += [("Profile", name.capitalize()) for name in PROFILES if name in rule.profiles]
    fields += _port_fields("L", rule.local_ports) + _port_fields("R", rule.remote_ports)
    fields += [_peer_field(scope) for scope in rule.peers]
    if rule.authenticated:
        fields.append(("Security", "Authenticate"))
    if rule.overrides and not past_blocks_in:
        fields.append(("AuthByPassOut", "TRUE"))
    fields += rule.conditions
    fields += [(key, value) for key, value in (("Name", rule.title), ("EmbedCtxt", rule.group)) if value]
    return f"v{version}|" + "".join(f"{key}={value}|" for key, value in fields)


def _port_fields(side: str, ports: Ports | None) -> list[tuple[str, str]]:
    if ports is None:
        return []
    fields = [(f"{side}Port", str(a)) if a == b else (f"{side}Port2_10", f"{a}-{b}") for a, b in ports.spans]
    for word in ports.words:
        fields.append((f"{side}Port2_10" if word in _PORT_WORDS_2_10 else f"{side}Port", word))
    return fields + [(f"{side}Port", word) for word in ports.unknown]


def _peer_field(scope: Scope) -> tuple[str, str]:
    if scope.word:
        native = next((word for word, shown in _WORDS_2_20.items() if shown == scope.word), "")
        return (f"RA{scope.version}2", native) if native else (f"RA{scope.version}", scope.word)
    kind = ipaddress.IPv4Address if scope.version == 4 else ipaddress.IPv6Address
    first, last = kind(scope.first), kind(scope.last)
    return f"RA{scope.version}", str(first) if first == last else f"{first}-{last}"
