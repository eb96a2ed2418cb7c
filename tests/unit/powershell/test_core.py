# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The core of the Windows collector in a real PowerShell: JSON, records, reasons, markers, and scripts that were cut."""

from __future__ import annotations

import base64
import json
import math
import pathlib
import struct

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import GarbledAnswer
from ansible_collections.breakwater.smb.plugins.plugin_utils._remote import windows
from tests.lab import powershell

CORE = (pathlib.Path(windows.__file__).parent / "core.ps1").read_text(encoding="utf-8")
ARGUMENTS = windows.COMMAND.split()[3:]  # what comes after "PowerShell -NoProfile -NonInteractive"


NOTHING = windows.Addresses()


def script(body, *, addresses=NOTHING):
    return windows.build_script(CORE, {"test": f"function bw_collect_test {{\n{body}\n}}\n"}, addresses, "n0")


def run(body, **more):
    done = powershell.run(ARGUMENTS, script(body, **more))
    return windows.read_answer(done.stdout.decode("ascii"), done.stderr.decode(), done.returncode, "n0")


def expression(value):
    """Return PowerShell for a value; every character is written as a number."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return f"${value}"
    if isinstance(value, int):
        return f"([long]{value})"
    if isinstance(value, float):
        return f"([BitConverter]::Int64BitsToDouble({struct.unpack('<q', struct.pack('<d', value))[0]}))"
    if isinstance(value, str):
        units = struct.unpack(
            f"<{len(value.encode('utf-16-le', 'surrogatepass')) // 2}H", value.encode("utf-16-le", "surrogatepass")
        )
        return f"(TestText {' '.join(map(str, units))})"
    if isinstance(value, list):
        return f"(TestList {' '.join(map(expression, value))})"
    return f"(TestTable {' '.join(expression(word) for pair in value.items() for word in pair)})"


def joined(text):
    """Two halves of a surrogate pair are one character, as any reader of JSON sees it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


TOOLS = """
function TestText { -join [char[]]@($args) }
function TestList { $l = New-Object Collections.ArrayList; foreach ($a in $args) { [void]$l.Add($a) }; Write-Output -NoEnumerate $l }
function TestTable { $h = New-Object Collections.Hashtable ([StringComparer]::Ordinal)
for ($i = 0; $i -lt $args.Count; $i += 2) { $h[$args[$i]] = $args[$i + 1] }; $h }
"""
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30).map(joined)
HOSTILE = st.sampled_from(
    [
        '"',
        "\\",
        "\\\\",
        "\x00",
        "\x1f\x7f\x80",
        "\ud800",
        "\udfff\ud800",
        "\U0001f600",
        "\u2028",
        "{{ 7 * 7 }}",
        "$(id)",
        "`n",
        "\u212a",
        "'@",
        "Keys",
        "Count",
        "@@breakwater n0 end@@",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
    | HOSTILE
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | HOSTILE, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(VALUES, min_size=25, max_size=60))
def test_json_is_what_python_reads(values):
    lines = "\n".join(
        f"bw_record 'r{number}' 'value' {{ @{{ v = {expression(value)} }} }}" for number, value in enumerate(values)
    )
    collected = run(TOOLS.strip() + "\n" + lines)
    for number, value in enumerate(values):
        record = collected.get(f"r{number}")
        assert record.rc == 0, record.err
        assert record.data == {"v": value}
        assert math.copysign(1, record.data["v"]) == math.copysign(1, value) if isinstance(value, float) else True


def test_kinds_of_values():
    collected = run(
        """
bw_record 'kinds' 'x' { @{ i = [uint32]4294967295; l = [uint64]18446744073709551615; b = [byte]7; c = [char]'x'; e = [DayOfWeek]'Monday'
d = [decimal]1.50; g = [Guid]'00000000-0000-0000-0000-000000000001'; n = [double]::NaN; s = [single]1.5; t = [TimeSpan]'01:00:00'
w = (Get-Date '2024-01-12T03:04:05Z'); f = @(); o = @('x'); m = @(@{ a = 1 }); Keys = 1; Count = 2; z = [version]'1.2' } }
bw_list 'none' 'x' { }
bw_list 'one' 'x' { 'a' }
bw_list 'two' 'x' { 'a'; $null; 'b' }
bw_list 'many' 'x' { 1..10 } 3
bw_list 'exact' 'x' { 1..3 } 3
bw_record 'nothing' 'x' { }
bw_record 'null' 'x' { $null }
bw_record 'last' 'x' { 'noise'; @{ a = 1 } }
"""
    )
    assert collected.get("kinds").data == {
        "i": 4294967295, "l": 18446744073709551615, "b": 7, "c": "x", "e": "Monday", "d": 1.5, "s": 1.5, "n": None,
        "g": "00000000-0000-0000-0000-000000000001", "t": "01:00:00", "w": "2024-01-12T03:04:05Z",
        "f": [], "o": ["x"], "m": [{"a": 1}], "Keys": 1, "Count": 2, "z": "1.2",
    }  # fmt: skip
    assert [collected.get(name).data for name in ("none", "one", "two")] == [[], ["a"], ["a", "b"]]
    assert (collected.get("many").data, collected.get("many").truncated) == ([1, 2, 3], True)
    assert (collected.get("exact").data, collected.get("exact").truncated) == ([1, 2, 3], False)
    for name in ("nothing", "null"):
        assert (collected.get(name).rc, collected.get(name).data) == (1, None)
        assert "nothing came back" in collected.get(name).unreadable
    assert collected.get("last").data == {"a": 1}


def test_keys_are_sorted_so_that_the_same_host_gives_the_same_text():
    done = powershell.run(ARGUMENTS, script("bw_record 'r' 'x' { @{ b = 1; a = @{ z = 1; B = 2; y = 3 }; A1 = 4 } }"))
    assert '"data":{"A1":4,"a":{"B":2,"y":3,"z":1},"b":1}' in done.stdout.decode()


def test_numbers_and_times_do_not_depend_on_the_culture():
    collected = run(
        """
$culture = [Globalization.CultureInfo]::InvariantCulture.Clone()
$culture.NumberFormat.NumberDecimalSeparator = ','
$culture.NumberFormat.NegativeSign = '~'
$culture.DateTimeFormat.TimeSeparator = '.'
$culture.DateTimeFormat.DateSeparator = '/'
[Globalization.CultureInfo]::CurrentCulture = $culture
bw_record 'r' 'x' { @{ d = 1234.5; n = -7; l = [long]-7; m = [decimal]-1.5
t = [DateTime]::SpecifyKind((New-Object DateTime 2024, 1, 12, 3, 4, 5), 'Utc'); c = (-1.5).ToString() } }
"""
    )
    data = collected.get("r").data
    assert data.pop("c") == "~1,5", "the culture was not set"
    assert data == {"d": 1234.5, "n": -7, "l": -7, "m": -1.5, "t": "2024-01-12T03:04:05Z"}


def test_three_thousand_rules_take_well_under_a_second():
    collected = run(
        """
$rules = @{}
foreach ($i in 1..3000) { $rules["{0}-$i" -f [Guid]::NewGuid()] = 'v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=' + $i +
'|App=C:\\Windows\\"x"\\' + [char]233 + '|' + 'x' * 200 }
$self = [Diagnostics.Process]::GetCurrentProcess()
function Cpu { $self.Refresh(); $self.TotalProcessorTime.TotalMilliseconds }
foreach ($turn in 1..5) { bw_record "r$turn" 'x' { $before = Cpu; $null = bw_json $rules; @{ ms = [int]((Cpu) - $before) } } }
"""
    )
    best = min(collected.get(f"r{turn}").data["ms"] for turn in range(1, 6))
    print(f"3,000 rules: {best} ms of processor time")  # of wall time on a machine that does nothing else
    assert best < 1000


REASONS = {
    "missing command": ("Get-NoSuchThing", 127),
    "missing tool": ("bw_native { nosuchtool.exe /x 2>$null }", 127),
    "bw_need": ("bw_need 'Get-NoSuchThing'", 127),
    "denied by type": ("throw (New-Object UnauthorizedAccessException 'nein')", 126),
    "denied by category": ("Write-Error -Message 'verweigert' -Category PermissionDenied", 126),
    "denied within": ("throw (New-Object Exception 'a', (New-Object Security.SecurityException 'b'))", 126),
    "CIM denied": ("throw (CimLike 'AccessDenied')", 126),
    "CIM class": ("throw (CimLike 'InvalidClass')", 127),
    "CIM namespace": ("throw (CimLike 'InvalidNamespace')", 127),
    "CIM anything": ("throw (CimLike 'Failed')", 1),
    "WMI denied": ("throw (ComLike -2147217405)", 126),
    "WMI class": ("throw (ComLike -2147217392)", 127),
    "WMI namespace": ("throw (ComLike -2147217394)", 127),
    "Win32 5": ("throw (New-Object ComponentModel.Win32Exception 5)", 126),
    "Win32 1314": ("throw (New-Object ComponentModel.Win32Exception 1314)", 126),
    "Win32 2": ("throw (New-Object ComponentModel.Win32Exception 2)", 1),
    "id of WMI": ("Write-Error -Message x -ErrorId 'HRESULT 0x80041003,Get-X'", 126),
    "id of a class": ("Write-Error -Message x -ErrorId 'HRESULT 0x80041010,Get-X'", 127),
    "id of Win32": ("Write-Error -Message x -ErrorId 'Windows System Error 5,Get-SmbShare'", 126),
    "id of MI": ("Write-Error -Message x -ErrorId 'MI RESULT 2,Get-SmbShare'", 126),
    "another id": ("Write-Error -Message x -ErrorId 'Windows System Error 53,Get-SmbShare'", 1),
    "words decide nothing": ("throw 'Access is denied. Zugriff verweigert. 0x80070005 AccessDenied'", 1),
    "no drive": ("Get-ItemProperty -LiteralPath 'NOSUCH:\\x'", 1),
    "no file": ("Get-Content -LiteralPath '/no/such/file'", 1),
    "no registry": ("bw_values 'SYSTEM\\x' 'y'", 127),
    "a loop left": ("throw 'x'", 1),
}


def test_reasons_come_from_types_and_numbers():
    tools = """
function CimLike($code) { $e = New-Object Exception "falsch"; Add-Member -InputObject $e -MemberType NoteProperty -Name NativeErrorCode -Value $code; $e }
function ComLike($code) { New-Object Runtime.InteropServices.COMException 'falsch', $code }
"""
    lines = "\n".join(f"bw_record 'r{number}' 'x' {{ {text} }}" for number, (text, _rc) in enumerate(REASONS.values()))
    collected = run(tools.strip() + "\n" + lines)
    for number, (name, (_text, rc)) in enumerate(REASONS.items()):
        record = collected.get(f"r{number}")
        assert (record.rc, record.data) == (rc, None), (name, record)
        assert record.err.partition(":")[0].isidentifier(), record.err


def test_a_broken_section_loses_nothing_else():
    sections = {
        "first": "function bw_collect_first { bw_record 'a' 'x' { 1 }\nthrow 'broken'\nbw_record 'never' 'x' { 1 } }",
        "second": "function bw_collect_second { 'noise'; bw_record 'b' 'x' { throw 'no' }\nbw_record 'c' 'x' { 3 } }",
        "third": "function bw_other { }",
    }
    done = powershell.run(ARGUMENTS, windows.build_script(CORE, sections, windows.Addresses(), "n0"))
    collected = windows.read_answer(done.stdout.decode(), done.stderr.decode(), done.returncode, "n0")
    assert [(record.id, record.rc) for record in collected.records] == [
        ("a", 0), ("section.first", 1), ("b", 1), ("c", 0), ("section.third", 127),
    ]  # fmt: skip
    assert "broken" in collected.get("section.first").err
    assert b"noise" not in done.stdout


@pytest.mark.parametrize("nonce", ["0123456789012345", "12e4567890123456", "1234567890e12345", "00000000000000d1"])
def test_a_nonce_that_looks_like_a_number_stays_a_word(nonce):
    """One of a thousand does: as a number it would come back as another text, or as Infinity."""
    line = windows.build_script(CORE, {"test": "function bw_collect_test { bw_record 'a' 'x' { 1 } }"}, NOTHING, nonce)
    done = powershell.run(ARGUMENTS, line)
    collected = windows.read_answer(done.stdout.decode(), done.stderr.decode(), done.returncode, nonce)
    assert [record.id for record in collected.records] == ["a"]


def test_nothing_but_the_answer_is_written():
    done = powershell.run(
        ARGUMENTS,
        script(
            "bw_record 'a' 'x' { Write-Warning 'w'; Write-Verbose 'v'; Write-Progress 'p'; Write-Debug 'd'; 'stray'; 1 }\n'more'\nGet-Date"
        ),
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert [lines[0], lines[-1]] == ["@@breakwater n0 begin@@", "@@breakwater n0 end@@"]
    assert len(lines) == 3
    assert json.loads(lines[1])["records"][0]["data"] == 1
    assert done.stderr == b""


def test_a_child_does_not_wait_for_the_input():
    collected = run("bw_list 'a' 'cat' { bw_native { cat } }")
    assert collected.get("a").data == []


def test_addresses_are_data():
    addresses = windows.Addresses(
        {"SYSTEM\\Test (x)": ["*"], "SOFTWARE\\A": ["\\\\*\\NETLOGON", "b c"]},
        {"System Access": ["EnableGuestAccount"]},
        ["SeNetworkLogonRight"],
        ["{0CCE9224-69AE-11D9-BED3-505054503030}"],
    )
    assert run("bw_record 'a' 'x' { @{ lines = @($bw_addresses -split '\\n') } }", addresses=addresses).get(
        "a"
    ).data == {
        "lines": [
            "R SOFTWARE\\A|\\\\*\\NETLOGON|b c",
            "R SYSTEM\\Test (x)|*",
            "S System Access|EnableGuestAccount",
            "P SeNetworkLogonRight",
            "A {0CCE9224-69AE-11D9-BED3-505054503030}",
        ]
    }


@pytest.mark.parametrize("cut", [0.4, 0.99, "end", "call", "nonce"])
def test_a_script_that_was_cut_off_does_nothing(cut, tmp_path):
    marker = tmp_path / "ran"
    whole = base64.b64decode(script(f"bw_record 'a' 'x' {{ New-Item -Path '{marker}' -ItemType File }}"))
    last = whole.rindex(b"\nbw_main")
    short = {"end": whole[: whole.rindex(b"end")], "call": whole[:last], "nonce": whole[: last + 12]}.get(cut)
    if short is None:
        short = whole[: int(len(whole) * cut)]
    done = powershell.run(ARGUMENTS, base64.b64encode(short) + b"\n")
    assert b"begin@@" not in done.stdout
    assert not marker.exists()
    with pytest.raises(GarbledAnswer):
        windows.read_answer(done.stdout.decode(), done.stderr.decode(), done.returncode, "n0")


def test_a_line_that_was_cut_off_does_nothing(tmp_path):
    marker = tmp_path / "ran"
    line = script(f"bw_record 'a' 'x' {{ New-Item -Path '{marker}' -ItemType File }}")
    for cut in (0, 100, len(line) - 4):
        done = powershell.run(ARGUMENTS, line[:cut])
        assert b"begin@@" not in done.stdout
        assert not marker.exists()


def test_a_script_that_arrived_in_several_lines_is_whole():
    line = script("bw_record 'a' 'x' { 1 }").strip()
    done = powershell.run(ARGUMENTS, line[:100] + b"\r\n" + line[100:200] + b"\n" + line[200:] + b"\r\n")
    assert windows.read_answer(done.stdout.decode(), "", 0, "n0").get("a").data == 1


@pytest.mark.parametrize("mode", ["ConstrainedLanguage", "RestrictedLanguage"])
def test_another_language_mode_is_said(mode):
    body = f"$ExecutionContext.SessionState.LanguageMode = '{mode}'\n{windows.BOOTSTRAP}"
    done = powershell.run(["-Command", body], script("bw_record 'a' 'x' { 1 }"))
    assert b"begin@@" not in done.stdout
    with pytest.raises(GarbledAnswer) as caught:
        windows.read_answer(done.stdout.decode(), done.stderr.decode(), done.returncode, "n0")
    assert mode in str(caught.value)


def test_a_folder_is_there_while_it_is_needed_and_removed_whatever_happens(tmp_path):
    line = script(
        """
bw_record 'path' 'x' { bw_folder { param($folder) @{ there = (Test-Path -LiteralPath $folder); path = $folder } } }
bw_record 'fails' 'x' { bw_folder { param($folder) New-Item -Path "$folder/a" -ItemType File; throw 'no' } }
bw_record 'file' 'x' { bw_folder { param($folder) bw_file 'tool.exe' "$folder/missing" } }
"""
    )
    done = powershell.run(ARGUMENTS, line, environment={"TMPDIR": str(tmp_path)})
    collected = windows.read_answer(done.stdout.decode(), done.stderr.decode(), done.returncode, "n0")
    made = collected.get("path").data
    assert made["there"] is True
    assert pathlib.Path(made["path"]).parent == tmp_path
    assert (collected.get("fails").rc, collected.get("file").rc) == (1, 126)  # no administrator: it was refused
    assert list(tmp_path.iterdir()) == []
