# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripts for Windows may not contain, judged on the tree that PowerShell's own parser makes of them.

The scripts must run unchanged on PowerShell 2.0 (Windows 7 and 2008 R2, .NET 2.0) and on 7, and must look like nothing
that a security product kills. ``powershell_gate.ps1`` finds; here stand the rules and the closed lists.

A command is *guarded* where it is certain to exist: in the branch of ``if (bw_has 'Name')`` (also one side of ``-and``),
after ``if (-not (bw_has 'Name')) { … return }`` (or its ``else``), or after ``bw_need 'Name'`` in the same or an
enclosing block. A block in braces counts as run where it is written. It *lacks* a command in the ``else`` of a plain
``if (bw_has 'Name')``.
"""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab import powershell

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGIN_UTILS = ROOT / "plugins" / "plugin_utils"
SCRIPTS = sorted((ROOT / "plugins").rglob("*.ps1"))
DATA = ROOT / "tests" / "data" / "powershell"

RULES = {
    "syntax": "the parser refuses it",
    "foreach-null": "PowerShell 2.0 runs the body once for $null; lists are @(commands), literals, T[] parameters, or what an if has "
    "found not to be null before",
    "member-enumeration": "2.0 finds no member of a list's items; on @(…), (command), $list or $(…) only a list's own members are allowed",
    "count-of-one": "in 2.0 a single object has no Count; only lists and what a method returned may be asked",
    "simplified-pipeline": "Where-Object and ForEach-Object take blocks only",
    "ordered-or-custom-object": "[ordered] and [pscustomobject] came with 3.0",
    "operator": "-in, -shl, ??, ? :, &&, ?. and & at the end are newer",
    "class": "classes, enums, configurations, workflows",
    "using": "using and $using:",
    "requires": "#requires refuses instead of saying what is missing",
    "new-variable": "an automatic variable that 2.0 does not know",
    "new-parameter": "a parameter that the cmdlet did not have in 2.0",
    "attribute": "attribute arguments without value",
    "redirection": "only the output and error streams can be redirected in 2.0",
    "here-string": "taking off indentation would change it",
    "leading-pipe": "a line that begins with | or . is newer",
    "jump-out-of-block": "break and continue in a block of a pipeline leave the loop around it, or the script",
    "static-new": "::new came with 5.0",
    "where-foreach-method": ".Where and .ForEach came with 4.0",
    "reflection": "security products stop it",
    "forbidden-command": "Add-Type compiles, Invoke-Expression is what malware does",
    "command": "the command does not exist there, or is not on the list",
    "parameter": "the cmdlet does not have it in every Windows that has the cmdlet",
    "error-action": "functions of modules do not see our $ErrorActionPreference; they are told by -ErrorAction",
    "type": "the type is not on the list of those that .NET 2.0 has and that are harmless",
    "static": "the static member is not on that list",
}

NATIVE = frozenset({"whoami.exe", "netstat.exe", "secedit.exe", "auditpol.exe"})
CHANGING = frozenset({"dism.exe", "sc.exe", "schtasks.exe", "wevtutil.exe"})
"""Tools that only the interpreter of steps calls."""
DYNAMIC = frozenset({"& $work", "& $work $folder", '& "bw_collect_$section"'})
"""Calls of what a variable holds: blocks that were handed over, and the sections."""
GONE = {"Get-WmiObject": "Get-CimInstance"}
"""What PowerShell 7 has no more → the command that must be missing where it is called."""
COMMON = frozenset({"ErrorAction", "ErrorVariable"})
"""Parameters that every cmdlet has."""
TYPES = frozenset(
    [
        "array",
        "bool",
        "byte",
        "byte[]",
        "char",
        "char[]",
        "datetime",
        "decimal",
        "double",
        "enum",
        "int",
        "int[]",
        "object[]",
        "long",
        "regex",
        "scriptblock",
        "single",
        "string",
        "string[]",
        "void",
        "uint32",
        "xml",
        "ValueType",
        "IFormattable",
        "StringComparer",
        "Convert",
        "BitConverter",
        "Guid",
        "IO.Directory",
        "IO.File",
        "IO.Path",
        "Diagnostics.Stopwatch",
        "UnauthorizedAccessException",
        "Collections.IDictionary",
        "Collections.IEnumerable",
        "Globalization.CultureInfo",
        "Security.SecurityException",
        "Text.Encoding",
        "Text.RegularExpressions.MatchEvaluator",
        "Management.Automation.ActionPreferenceStopException",
        "Management.Automation.CommandNotFoundException",
        "Management.Automation.DriveNotFoundException",
        "Management.Automation.ItemNotFoundException",
    ]
)
OBJECTS = frozenset(
    [
        "Collections.ArrayList",
        "Text.StringBuilder",
        "Text.RegularExpressions.Regex",
        "UnauthorizedAccessException",
        "Management.Automation.CommandNotFoundException",
        "IO.FileStream",
        "Security.AccessControl.DirectorySecurity",
    ]
)
"""Types that New-Object may make."""
STATICS = frozenset(
    [
        "BitConverter::ToString",
        "Convert::ToInt64",
        "Diagnostics.Stopwatch::StartNew",
        "Globalization.CultureInfo::CurrentCulture",
        "Globalization.CultureInfo::InvariantCulture",
        "Guid::NewGuid",
        "IO.Directory::CreateDirectory",
        "IO.Directory::Delete",
        "IO.Directory::Exists",
        "IO.Directory::GetDirectories",
        "IO.Directory::GetFileSystemEntries",
        "IO.Directory::GetLastWriteTimeUtc",
        "IO.Directory::Move",
        "IO.File::Delete",
        "IO.File::Exists",
        "IO.File::GetAttributes",
        "IO.File::Move",
        "IO.File::ReadAllLines",
        "IO.File::ReadAllText",
        "IO.File::Replace",
        "IO.File::WriteAllText",
        "IO.Path::Combine",
        "IO.Path::GetFileName",
        "IO.Path::GetTempPath",
        "StringComparer::Ordinal",
        "Text.Encoding::BigEndianUnicode",
        "Text.Encoding::UTF8",
        "Text.Encoding::Unicode",
        "array::Reverse",
        "array::Sort",
        "datetime::FromFileTimeUtc",
        "double::IsInfinity",
        "double::IsNaN",
        "regex::Match",
        "regex::Matches",
        "regex::Replace",
        "string::Join",
    ]
)


def scripts() -> dict[str, str]:
    """Return the scripts of the collection, by path below plugins/."""
    return {str(path.relative_to(ROOT / "plugins")): path.read_text(encoding="utf-8") for path in SCRIPTS}


@functools.cache
def _versions() -> Mapping[str, frozenset[str]]:
    """Return the PowerShell versions that have a command, by its name in lower case."""
    known = ("2.0", "3.0", "4.0", "5.1")
    found = {}
    for line in (DATA / "commands.txt").read_text(encoding="utf-8").splitlines():
        name, *versions = line.split()
        if versions[0].endswith("+"):
            versions = list(known[known.index(versions[0][:-1]) :])
        found[name.lower()] = frozenset(versions)
    return found


@functools.cache
def _parameters() -> Mapping[str, frozenset[str]]:
    """Return the parameters that a cmdlet has in every Windows that has the cmdlet."""
    document = json.loads((DATA / "parameters.json").read_text(encoding="utf-8"))
    return {name.lower(): frozenset(map(str.lower, row["parameters"])) for name, row in document.items()}


@functools.cache
def _reports(text: str) -> Any:
    done = powershell.run(["-File", str(pathlib.Path(__file__).with_suffix(".ps1"))], text.encode())
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def reports(sources: Mapping[str, str]) -> dict[str, Any]:
    """Return what the parser found in each script; one start of PowerShell for all of them."""
    found: dict[str, Any] = _reports(json.dumps(dict(sources)))
    return found


def violations(sources: Mapping[str, str]) -> list[tuple[str, str, int, str]]:
    """Return (script, rule, line, text) of whatever may not be there. The scripts may call each other's functions."""
    return judge(reports(sources))


def judge(found: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    """Return the violations in reports of the parser."""
    own = {name.lower() for report in found.values() for name in report["functions"]}
    result = []
    for script, report in sorted(found.items()):
        result += [(script, item["rule"], item["line"], item["text"]) for item in report["findings"]]
        for kind, allowed in (("type", TYPES), ("static", STATICS)):
            known = {name.lower() for name in allowed}
            result += [
                (script, kind, item["line"], item["name"])
                for item in report[f"{kind}s"]
                if item["name"].lower().removeprefix("system.") not in known
            ]
        for command in report["commands"]:
            result += [(script, rule, command["line"], text) for rule, text in _command(command, own)]
    return result


def _command(command: Mapping[str, Any], own: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (rule, text) of what is wrong with one call."""
    name = command["name"]
    if name is None:
        if command["text"] not in DYNAMIC:
            yield "command", command["text"]
        return
    lowered = name.lower()
    if lowered in own or lowered in NATIVE | CHANGING:
        return
    guards = {guard.lower() for guard in command["guards"]}
    versions = _versions().get(lowered, frozenset())
    modern = lowered in _parameters()
    if lowered in guards:
        if not versions and not modern:
            yield "command", f"{name}: no Windows is known to have it"
        if "ErrorAction" not in command["parameters"] and not command["splatted"]:
            yield "error-action", command["text"]
        wrong = [p for p in command["parameters"] if p.lower() not in _parameters().get(lowered, {p.lower()})]
        for parameter in wrong:
            if parameter not in COMMON:
                yield "parameter", f"{name} -{parameter}"
    elif not {"2.0", "5.1"} <= versions:
        yield "command", f"{name}: not in PowerShell 2.0, and no guard promises it"
    missing = {gone.lower() for gone in command["lacks"]}
    if name in GONE and GONE[name].lower() not in missing:
        yield "command", f"{name}: PowerShell 7 has it no more"
    objects = {kind.lower() for kind in OBJECTS}
    if lowered == "new-object" and "".join(command["arguments"][:1]).lower() not in objects:
        yield "type", command["text"]
    if lowered == "new-object" and command["parameters"]:
        yield "parameter", command["text"]
