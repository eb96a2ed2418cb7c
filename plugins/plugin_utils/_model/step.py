# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing a host: what is wanted, what holds it back, the steps that get there, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .control import Severity, Stage
from .fact import Origin
from .setting import RestartClass

StepKind = Literal[
    # Unix
    "file",
    "mode",
    "netconf",
    "unit",
    # Windows
    "registry",
    "server_property",
    "client_property",
    "share_property",
    "feature",
    "role_feature",
    "service",
    "netbios",
    "secedit",
    "right",
    "audit",
    "event_log",
    # both: commands of a closed list; they have no state of their own
    "reload",
    "restart",
]
STATELESS: frozenset[StepKind] = frozenset({"reload", "restart"})
"""Kinds that bring a value into force and hold none themselves."""

NativeType = Literal[
    "absent", "none", "text", "boolean", "integer", "list", "sha256", "mode", "unit", "dword", "qword", "sz",
    "expand_sz", "multi_sz", "binary",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Native:
    """A value as it stands on the host, with its type; nothing there is a value too.

    ``value`` by ``type``: "absent", "none" (stateless steps): None; "text", "sz", "expand_sz": str; "boolean": bool;
    "integer", "dword", "qword": int; "list", "multi_sz": list of str; "sha256", "binary": hexadecimal, lower case;
    "mode": "0640 0 0" (octal mode, owner, group by number); "unit": "enabled running" (enabled or disabled, running
    or stopped).
    """

    type: NativeType
    value: Any = None


ABSENT = Native("absent")
NO_STATE = Native("none")


@dataclass(frozen=True, slots=True)
class Twin:
    """The registry value that a cmdlet writes beside its property: an exact undo has to put it back too."""

    key: str
    name: str
    before: Native = ABSENT


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the interpreter on the host does: wholly, or not at all.

    Attributes:
        id: from 1, in the order of the plan.
        kind: what it acts on; the interpreter knows these kinds and nothing else.
        target: path (file, mode), section (netconf), unit or service, registry key below HKEY_LOCAL_MACHINE, share,
            feature, adapter's GUID, section of the security template (secedit), privilege, subcategory's GUID, log.
        name: parameter (netconf), value (registry), property, line (secedit).
        before: what must stand there; the interpreter refuses when something else does.
        after: what shall stand there.
        content: whole new text of a file, bytes that are not UTF-8 as surrogate escapes. Never stored or shown.
        original: where the host kept a file's bytes: "<journal>/<step id>"; instead of ``content``, to undo.
        check: which validator must accept a file before it replaces the old one: "testparm", "findmnt".
        config: the smb.conf in use, for testparm, smbcontrol and net.
        twin: see Twin.
        restart: what a change needs to come into force.
        stage: of the control that asked first.
        risky: it may cut the line or the account that it came through: an undo is armed first.
        irreversible: there is no inverse.
    """

    id: int
    kind: StepKind
    target: str
    name: str = ""
    before: Native = NO_STATE
    after: Native = NO_STATE
    content: str | None = None
    original: str = ""
    check: str = ""
    config: str = ""
    twin: Twin | None = None
    restart: RestartClass = "none"
    stage: Stage | None = None
    risky: bool = False
    irreversible: bool = False


BlockKind = Literal[
    "in-use", "no-evidence", "stage", "role", "policy", "own-line", "irreversible", "edit", "unreadable", "window"
]


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a target is not pursued now.

    Attributes:
        control, object, fact: whose target.
        kind: which rule held it back.
        why: one sentence that names what was seen, and what lifts it.
        users: who still uses it: client addresses, users, machines; at most 50.
    """

    control: str
    kind: BlockKind
    why: str
    object: str = ""
    fact: str = ""
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A value that a failing finding asks for.

    Attributes:
        control, severity, area, stage: the control's.
        fact: fact id, which is a setting's id where a property table knows it.
        value: what shall hold.
        object: the share, adapter, … that the finding is about; "" is the host.
        at: object that today's value stands at: "" where a share has the host's.
    """

    control: str
    fact: str
    value: Any
    object: str = ""
    at: str = ""
    severity: Severity = "medium"
    area: str = ""
    stage: Stage | None = None

    def blocked(self, kind: BlockKind, why: str, users: tuple[str, ...] = ()) -> Blocked:
        """Return that this target is not pursued now; see Blocked."""
        return Blocked(self.control, kind, why, self.object, self.fact, users)


StepState = Literal["planned", "done", "already", "refused", "failed", "undone", "skipped"]
"""done: changed, and read back. already: it stood there. refused: something else stood there, and nothing was touched.
failed: the old value stands. undone: it was done, and put back because a later one failed. skipped: not tried."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a person reads of a step: one value of one control.

    Attributes:
        control: who asks for it.
        address: where, as people write it: ``/etc/samba/smb.conf:12 [global] server min protocol``,
            ``HKLM\\SYSTEM\\…!SMB1``, ``Set-SmbServerConfiguration RequireSecuritySignature``.
        before, after: native, as it is or will be written; None: nothing stands there.
        origin: where the old value came from.
        step: id of the step that does it.
        state: "planned" in check mode and before; then what became of the step.
        restart: what it still needs to come into force.
    """

    control: str
    address: str
    before: Any = None
    after: Any = None
    fact: str = ""
    object: str = ""
    origin: Origin | None = None
    step: int = 0
    state: StepState = "planned"
    restart: RestartClass = "none"


@dataclass(frozen=True, slots=True)
class Edited:
    """What an implementation's editor makes of targets; ids count from 1 within it."""

    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    refused: tuple[Blocked, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done on one host, in this order.

    Attributes:
        steps, changes, blocked: see there.
        watched: for how long somebody has been watching who uses what, as one sentence.
        pending: what would bring values into force and may not be done now: "restart of smbd", "reboot".
        reboot: a value needs a reboot to come into force.
    """

    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    watched: str = ""
    pending: tuple[str, ...] = ()
    reboot: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent to a host's interpreter.

    Attributes:
        journal: id of the host's journal directory.
        steps: in order.
        undo: inverse steps that are armed on the host before the first risky one; empty: none are.
        seconds: until the undo fires, unless it is confirmed.
        dry: only compare what stands there with before and after.
        keep: number of journals that stay on the host.
    """

    journal: str
    steps: tuple[Step, ...]
    undo: tuple[Step, ...] = ()
    seconds: int = 120
    dry: bool = False
    keep: int = 20


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step on the host. ``before`` and ``after`` are what was read there."""

    id: int
    state: StepState
    before: Native | None = None
    after: Native | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the interpreter answered.

    Attributes:
        results: one per step, in order.
        obstacle: why nothing was done at all: another change is going on, no room for the journal, …
        armed: an undo is armed and waits to be confirmed.
    """

    results: tuple[StepResult, ...] = ()
    obstacle: str = ""
    armed: bool = False


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A line of ``journal/<name>.jsonl``: a step, without content, and what became of it. Times are UTC."""

    step: Step
    state: StepState
    time: str
    control: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Remediation:
    """What a run did to a host, beside what it found: part of ``hosts/<name>.json``.

    Attributes:
        journal: id of the journal that a rollback names; "" in check mode.
        check: nothing was touched.
        changes, blocked, watched, pending: of the plan, with what became of it.
        reboot_required: a value waits for a reboot.
        restart_done: services that were restarted, and "reboot".
        failed: why the change was not completed; "" when it was.
        score_before, counts_before: of the findings before.
    """

    journal: str = ""
    check: bool = False
    changes: tuple[Change, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    watched: str = ""
    pending: tuple[str, ...] = ()
    reboot_required: bool = False
    restart_done: tuple[str, ...] = ()
    failed: str = ""
    score_before: int | None = None
    counts_before: dict[str, int] = field(default_factory=dict)
