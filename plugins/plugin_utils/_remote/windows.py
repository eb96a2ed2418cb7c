# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows family of hosts: what is sent to PowerShell, and how its answer is found among whatever surrounds it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model.collected import Collected
from .._model.errors import GarbledAnswer, HostError
from .._model.setting import Setting
from .._model.step import Order
from .._model.text import printable
from . import document, windows_steps
from .clixml import text_of
from .execution import PrivilegeRefused

MAX_SCRIPT = 48 * 1024
"""Bytes of the stripped script: base64 makes that 64 KB, and what winrm and psrp make of it stays under 100 KB."""

MAX_APPLY = 96 * 1024
"""Bytes of the stripped script that changes a host and then collects: twice an audit's.

The connection winrm sends it in one message, of which WinRM 2.0 (Windows 7 and 2008 R2) takes 150 KB: some 84 KB of script.
"""

APPLY_PARTS = ("values", "kinds", "journal", "undo", "apply")
"""Files that the interpreter of steps is made of, in this order: NAME.ps1 beside this one."""

BOOTSTRAP = "\n".join(
    (
        "$global:ProgressPreference='SilentlyContinue'",
        "$l=@($input)-join''",
        '$m="$($ExecutionContext.SessionState.LanguageMode)"',
        "if($m-and$m-ne'FullLanguage'){\"@@breakwater language $m@@\"}else{",
        "try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{$null=$_}",
        "&([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($l))))}",
    )
)
"""Runs the script that arrives on standard input as one line of base64.

It stays under 800 characters: ansible-core 2.16 to 2.18 encode the command line once more, and cmd.exe takes 8191.
The language mode comes first: in a constrained one, what follows would fail with somebody else's words.
"""

COMMAND = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand " + base64.b64encode(
    BOOTSTRAP.encode("utf-16-le")
).decode("ascii")
"""The connections psrp and winrm know a command line by this beginning, and do not wrap it again."""

_KEY = re.compile(r"[A-Za-z0-9 _.\\{}()/+-]{1,255}\Z")
_NAME = re.compile(r"[A-Za-z0-9 _.\\{}()/:+*-]{1,255}\Z")
_RIGHT = re.compile(r"Se[A-Za-z]{1,60}\Z")
_GUID = re.compile(r"\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\}\Z")

_TOKEN = re.compile(
    r"""`.|(?P<block><\#|\#>)|(?P<here>@['"]\Z)|'[^']*'|"(?:`.|[^"`])*"|(?P<text>['"])|(?<=[ \t;({])(?P<comment>\#)"""
)
"""What a line of PowerShell is made of, as far as it tells whether the next line may belong to it."""
_FAULTS = {
    "block": "a block comment",
    "here": "a here-string",
    "text": "a text over several lines",
    "comment": "a comment behind code",
}

_KINDS = re.compile(r"^# Kinds: ([a-z_ ]+)$", re.MULTILINE)
_LANGUAGE = re.compile(r"@@breakwater language (\w+)@@")
_REFUSALS = (
    (
        r"ScriptContainedMaliciousContent|0x800\s*70\s*0e1|-2147024671",
        "its antimalware interface blocked the script",
        "allow the collector there (its text is in the collection, core.ps1 and collect.ps1), or audit it from the wire",
    ),
    (
        r"ScriptsNotAllowed|(No|Restricted|Constrained)Language|(no|restricted|constrained)[- ]language",
        "the endpoint allows no scripts (its language mode is restricted)",
        "connect to an endpoint that is not restricted",
    ),
    (
        r"PSSecurityException|about_Execution_Policies|UnauthorizedAccess,",
        "the execution policy of the host forbids it",
        "allow scripts by the policy that sets it: Get-ExecutionPolicy -List",
    ),
)
_STRANGERS = (
    (
        r"^[^\n]*\b(PowerShell|powershell(\.exe)?)['\"]?:? .*(command )?not found|not found: PowerShell|PowerShell: (inaccessible or )?not found",
        "this is a Unix shell",
        "remove ansible_shell_type and the Windows connection from this host",
    ),
    (
        r"is not recognized as|CommandNotFoundException",
        "the host has no PowerShell on its path",
        "install Windows PowerShell, or audit it from the wire",
    ),
    (
        r"OutOfMemoryException|0xC0000017|0x8007000E",
        "PowerShell ran out of memory there",
        "raise MaxMemoryPerShellMB of its WinRM service",
    ),
    (
        r"FromBase64String|FormatException|Invalid length for a Base-64|IncompleteParseException|ParserError|ParseException",
        "the script arrived damaged",
        "try again; if it repeats, look for what changes the input of programs in the path",
    ),
)
_CODES = {
    5: (
        PrivilegeRefused,
        "the account may not start PowerShell",
        "use an account that may, a member of Administrators",
    ),
    127: (GarbledAnswer, "this is a Unix shell", "remove ansible_shell_type and the Windows connection from this host"),
    1260: (
        GarbledAnswer,
        "a policy of the host forbids PowerShell",
        "allow it by AppLocker or software restriction policy",
    ),
    9009: (
        GarbledAnswer,
        "the host has no PowerShell on its path",
        "install Windows PowerShell, or audit it from the wire",
    ),
}
"""Exit codes that mean one thing in every language."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the settings tables name on a Windows host, and thus what is read there.

    Attributes:
        registry: key below HKEY_LOCAL_MACHINE → names of values; ``*`` is all of them.
        secedit: section of the exported security template → names.
        rights: constants of privileges (``SeNetworkLogonRight``).
        audit: GUIDs of audit subcategories, in capitals and braces.
    """

    registry: Mapping[str, Iterable[str]] = field(default_factory=dict)
    secedit: Mapping[str, Iterable[str]] = field(default_factory=dict)
    rights: Iterable[str] = ()
    audit: Iterable[str] = ()

    @classmethod
    def of(cls, settings: Iterable[Setting], also: Mapping[str, Iterable[str]] | None = None) -> Addresses:
        """Return the addresses of a property table.

        Args:
            settings: rows of the table.
            also: further registry keys that readers need.
        """
        registry: dict[str, dict[str, None]] = {}
        secedit: dict[str, dict[str, None]] = {}
        rights: dict[str, None] = {}
        audit: dict[str, None] = {}
        for key, names in (also or {}).items():
            registry.setdefault(key, {}).update(dict.fromkeys(names))
        for address in (address for setting in settings for address in setting.addresses):
            if address.store == "registry":
                registry.setdefault(address.key, {})[address.name] = None
            elif address.store == "secedit":
                secedit.setdefault(address.key, {})[address.name] = None
            elif address.store == "right":
                rights[address.name] = None
            elif address.store == "audit":
                audit[address.name.upper()] = None
        return cls({key: tuple(names) for key, names in registry.items()}, secedit, tuple(rights), tuple(audit))

    def lines(self) -> list[str]:
        """Return the addresses as the lines of data that the collector reads.

        Raises:
            ValueError: one of them holds a character that no address has; the script would be made of data then.
        """
        found = [_line("R", _KEY, key, names) for key, names in _sorted(self.registry)]
        found += [_line("S", _KEY, section, names) for section, names in _sorted(self.secedit)]
        found += [f"P {_checked(_RIGHT, name)}" for name in sorted(set(self.rights))]
        found += [f"A {_checked(_GUID, guid)}" for guid in sorted(set(self.audit))]
        return found


def _sorted(table: Mapping[str, Iterable[str]]) -> list[tuple[str, list[str]]]:
    """Names of one key that is spelt in several ways come together, as Windows sees them."""
    spellings: dict[str, str] = {}
    merged: dict[str, dict[str, str]] = {}
    for key, names in table.items():
        shown = spellings.setdefault(key.lower(), key)
        merged.setdefault(shown, {}).update({name.lower(): name for name in names})
    return [(key, sorted(names.values(), key=str.lower)) for key, names in sorted(merged.items())]


def _line(kind: str, form: re.Pattern[str], key: str, names: Iterable[str]) -> str:
    return f"{kind} {'|'.join([_checked(form, key), *(_checked(_NAME, name) for name in names)])}"


def _checked(form: re.Pattern[str], word: str) -> str:
    if not form.match(word) or word != word.strip():
        raise ValueError(f"{word!r} is no address")
    return word


def build_script(core: str, sections: Mapping[str, str], addresses: Addresses, nonce: str) -> bytes:
    """Return what goes to standard input: the whole script as one line of base64.

    The script is the core, the sections, the addresses as data in a here-string, and the call of ``bw_main`` as its
    last line, which ends in a word that a script cut off there does not have.

    Raises:
        ValueError: the script is too long, not ASCII, or written in a way that stripping would change.
    """
    call = _call(nonce, sections)
    return _sent([core, *sections.values()], [*_address_data(addresses), call], MAX_SCRIPT)


def build_apply(
    core: str, apply: str, sections: Mapping[str, str], addresses: Addresses, order: Order, nonce: str
) -> bytes:
    """Return what goes to standard input to carry out an order and to collect again, as one line of base64.

    The order travels as data in a here-string, every field encoded; the interpreter (``apply.ps1``) is a section like
    those of the collector, and the first.

    Args:
        core: text of ``core.ps1``.
        apply: texts of the files of ``APPLY_PARTS``, one after the other.
        sections: of the collector; none, and nothing is collected.
        addresses: what the settings tables name.
        order: what to do.
        nonce: of the markers around the answer.

    Raises:
        ValueError: a step is none that the interpreter knows, or the script is too long or not ASCII.
    """
    call = _call(nonce, ["apply", *sections])
    data = [*_address_data(addresses), *_order_data(order), call]
    return _sent([core, _needed(apply, order), *sections.values()], data, MAX_APPLY)


def build_confirm(core: str, apply: str, journal: str, nonce: str) -> bytes:
    """Return what goes to standard input to say that a host can still be reached: its armed undo is taken away.

    Raises:
        ValueError: that is no id of a journal.
    """
    order = Order(journal, ())
    return _sent([core, _needed(apply, order)], [*_order_data(order), _call(nonce, ["confirm"])], MAX_APPLY)


def _address_data(addresses: Addresses) -> list[str]:
    return ["$bw_addresses = @'", *map(_abbreviated, addresses.lines()), "'@"]


def _abbreviated(line: str) -> str:
    """Shorten the key; the collector knows the short beginnings too (``bw_smb_addresses``)."""
    kind, address = line.split(" ", 1)
    return f"{kind} {windows_steps.abbreviated(address)}"


def _order_data(order: Order) -> list[str]:
    return ["$bw_lines = @'", *windows_steps.lines(order), "'@"]


def _needed(apply: str, order: Order) -> str:
    """Return the interpreter without what only other kinds of steps need: a line "Kinds:" begins such a part."""
    kinds = {"all", *(step.kind for step in (*order.steps, *order.undo))}
    first, *rest = _KINDS.split(apply)
    parts = zip(rest[::2], rest[1::2], strict=True)
    return first + "".join(text for names, text in parts if kinds & set(names.split()))


def _call(nonce: str, sections: Iterable[str]) -> str:
    names = list(sections)
    if not re.fullmatch(r"[0-9A-Za-z]{1,64}", nonce) or not all(re.fullmatch(r"[a-z]+", name) for name in names):
        raise ValueError("nonce and section names are letters and digits")
    # Quoted: a nonce such as 12e4567890123456 would be a number otherwise.
    return f"bw_main '{nonce}' {' '.join(names)} end"


def _sent(texts: Iterable[str], rest: Iterable[str], largest: int) -> bytes:
    script = "\n".join([*stripped("\n".join(texts)), *rest]).encode("ascii")
    if len(script) > largest:
        raise ValueError(f"the script has {len(script)} bytes, more than {largest}")
    return base64.b64encode(script) + b"\n"


def stripped(text: str) -> list[str]:
    """Return the lines of a script without comments of whole lines, indentation and empty lines.

    Raises:
        ValueError: a line holds what may go on in the next one (block comment, here-string, text), so that taking
            something off the next line could change what the script means.
    """
    kept = []
    for number, line in enumerate((line.strip() for line in text.splitlines()), 1):
        if not line or line.startswith("#"):
            if line.startswith("#>"):
                raise ValueError(f"line {number}: a block comment")
            continue
        fault = _goes_on(line)
        if fault:
            raise ValueError(f"line {number}: {fault}")
        kept.append(line)
    return kept


def _goes_on(line: str) -> str:
    """Return what of this line the next one may belong to; ``""`` if nothing."""
    if line.endswith("`"):
        return "a continued line"
    return next((_FAULTS[token.lastgroup] for token in _TOKEN.finditer(line) if token.lastgroup), "")


def read_answer(stdout: str, stderr: str, rc: int, nonce: str) -> Collected:
    """Return what the collector brought back.

    Raises:
        PrivilegeRefused: the account may not run PowerShell.
        GarbledAnswer: there is no whole document.
    """
    if not document.begins(stdout, nonce):
        raise _no_answer(stdout, text_of(stderr), rc)
    # One line of ASCII was written: what looks like the end of a line was put in on the way, by a console.
    body = re.sub(r"[\r\n]", "", document.between(stdout, nonce, last=True))
    return document.decode(body, "windows", "PowerShell")


def _no_answer(stdout: str, stderr: str, rc: int) -> HostError:
    said = f"{stderr}\n{stdout}"
    mode = _LANGUAGE.search(said)
    if mode:
        return GarbledAnswer(
            "The collector cannot run",
            seen=f"PowerShell is in the language mode {mode[1]}",
            remedy="allow the account full language by the policy (WDAC, AppLocker) that restricts it, or audit from the wire",
        )
    for what, table in (("The host refused the collector", _REFUSALS), ("The collector did not run", _STRANGERS)):
        for pattern, seen, remedy in table:
            if re.search(pattern, said, re.IGNORECASE | re.MULTILINE):
                return GarbledAnswer(what, seen=seen, remedy=remedy)
    if rc in _CODES:
        kind, seen, remedy = _CODES[rc]
        return kind("The collector did not run", seen=seen, remedy=remedy)
    lines = [line for line in said.split("\n") if line.strip()] or ["nothing"]
    return GarbledAnswer(
        "The collector did not run",
        seen=f"exit code {rc}, {printable(lines[0])[:160]}",
        remedy="see what 'ansible -m ansible.builtin.raw -a whoami' says of the host",
    )
