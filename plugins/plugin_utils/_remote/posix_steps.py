# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps for Unix as pieces of script that hold nothing but data: every field and every byte that is not plain is encoded.

What is not plain is a backslash, a zero and three octal digits per byte, as ``printf %b`` reads it in every POSIX shell,
between single quotes: neither quotes nor ends of lines nor bytes that are no UTF-8 can be taken for a piece of script,
and a shell that keeps no odd bytes sees none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .._model.step import STATELESS, Native, Order, Step
from . import step_forms

_ORIGINAL = re.compile(rf"{step_forms.JOURNAL}/[0-9]{{1,6}}\Z")
_FIELD = re.compile(rb"[^A-Za-z0-9_./:=@,+*-]")
_TEXT = re.compile(rb"[^\t\n\x20-\x26\x28-\x5b\x5d-\x7e]")
_CHUNK = 16_000
"""Bytes of content per command: where ``printf`` is no builtin, an argument may have 128 KB, and each may become five."""

_PATH = re.compile(r"/[^\x00]*[^\x00/]\Z", re.DOTALL)
_ANY = re.compile(r"[^\x00]+\Z", re.DOTALL)
_NOTHING = re.compile(r"\Z")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@_.:-]{0,127}\Z")
_FORMS: step_forms.Forms = {
    "file": (_PATH, _NOTHING),
    "mode": (_PATH, _NOTHING),
    "netconf": (_ANY, _ANY),
    "unit": (_SERVICE, _NOTHING),
    "reload": (re.compile(r"(smbd|nmbd|winbindd)\Z"), _NOTHING),
    "restart": (re.compile(r"(smbd|nmbd|winbindd)\Z"), _NOTHING),
}

_VALUES: dict[tuple[str, str], re.Pattern[str]] = {
    ("file", "sha256"): re.compile(r"[0-9a-f]{64}\Z"),
    ("mode", "mode"): re.compile(r"[0-7]{3,4} [0-9]+ [0-9]+\Z"),
    ("netconf", "text"): re.compile(r"[^\x00\n]*\Z"),
    ("unit", "unit"): re.compile(r"(enabled|disabled) (running|stopped)\Z"),
}
_ABSENT = frozenset({"file", "netconf"})
_CHECKS = frozenset({"", "testparm", "findmnt"})


def functions(order: Order) -> list[str]:
    """Return an order as assignments and functions of a shell: ``bw_steps`` and one ``bw_content_ID`` per new file.

    Raises:
        ValueError: a step is none that the interpreter knows, or does not look like one.
    """
    head = f"bw_o_journal={step_forms.journal(order)} bw_o_seconds={int(order.seconds)} bw_o_dry={int(order.dry)}"
    head += f" bw_o_keep={max(1, int(order.keep))}"
    lines = [head, "bw_steps() {"]
    lines += [" ".join(['"$1"', *_fields(step, order.steps[:at])]) for at, step in enumerate(order.steps)]
    lines += [":", "}"]
    for step in order.steps:
        if step.content is not None and not order.dry:
            lines += content(str(int(step.id)), step.content.encode("utf-8", "surrogateescape"))
    return lines


def content(name: str, data: bytes) -> Iterator[str]:
    """Yield a function that writes these bytes, and nothing else."""
    yield f"bw_content_{name}() {{"
    for at in range(0, len(data), _CHUNK):
        yield f"printf '%b' '{_octal(_TEXT, data[at : at + _CHUNK])}'"
    yield ":"
    yield "}"


def encoded(text: str) -> str:
    """Return a field with everything that is not plain in octal."""
    return _octal(_FIELD, text.encode("utf-8", "surrogateescape"))


def _octal(special: re.Pattern[bytes], data: bytes) -> str:
    return special.sub(lambda found: b"\\0%03o" % found[0][0], data).decode("ascii")


def _fields(step: Step, earlier: Sequence[Step]) -> Iterator[str]:
    _check(step)
    flags = "c" if step.content is not None else ""
    flags += "r" if step.risky else ""
    flags += "f" if any(_same_thing(step, other) for other in earlier) else ""
    config = step.config if step.kind != "mode" else ""
    yield str(int(step.id))
    yield step.kind
    for field in (
        step.target,
        step.name,
        *_native(step.before),
        *_native(step.after),
        step.original,
        step.check,
        config,
    ):
        yield f"'{encoded(field)}'"
    yield f"'{flags}'"


def _same_thing(step: Step, other: Step) -> bool:
    """Whether what stands there before a step is what another makes of it."""
    if step.kind in STATELESS or step.target != other.target:
        return False
    made = (step.kind, other.kind) == ("mode", "file") and other.before.type == "absent"
    return made or (step.kind == other.kind and step.name == other.name)


def _check(step: Step) -> None:
    step_forms.check(step, _FORMS, "Unix")
    if step.check not in _CHECKS or (step.config and not _PATH.match(step.config)):
        raise ValueError(f"step {step.id}: {step.check!r} {step.config!r} is no validator and configuration")
    if step.original and not _ORIGINAL.match(step.original):
        raise ValueError(f"step {step.id}: {step.original!r} is no place of a file's old bytes")
    if step.kind in STATELESS:
        return
    for native in (step.before, step.after):
        if native.type == "absent" and step.kind in _ABSENT:
            continue
        form = _VALUES.get((step.kind, native.type))
        if form is None or not form.match(str(native.value)):
            raise ValueError(f"step {step.id}: a {step.kind} holds no {native.type} {native.value!r}")
    if step.kind == "file" and step.after.type != "absent" and step.content is None and not step.original:
        raise ValueError(f"step {step.id}: nothing says what shall stand in {step.target!r}")


def _native(native: Native) -> tuple[str, str]:
    if native.type in ("absent", "none"):
        return native.type, ""
    value = str(native.value)
    return native.type, f"0{value}" if native.type == "mode" and value.index(" ") == 3 else value
