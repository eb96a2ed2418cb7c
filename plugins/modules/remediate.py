# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: remediate
short_description: Closes what an audit finds on a host, guarded, verified and journalled
version_added: 0.2.0
description:
  - Collects and judges like M(breakwater.smb.audit), plans what would make the failing controls hold, and in check mode
    stops there. Otherwise it applies the plan and collects again, in one more execution, and judges what stands then.
  - What is still in use, what group policy would put back, what may cut the connection itself, and what a special role
    of the host forbids, is not touched but returned as RV(blocked). Only an exception of kind C(force) that names the
    control and the host lifts that.
  - Every step compares what stands there first, is done wholly or not at all, and is written to a journal before, on
    the host and on the controller. M(breakwater.smb.rollback) puts all of it back.
  - Where a step may cut the connection, its undo is armed on the host first and disarmed over a new connection.
  - Restarts services and reboots only where O(restart) and O(reboot) say so, and only inside O(window).
  - A second run changes nothing.
options:
  run:
    description:
      - Id of the open run that the record and the journal belong to, as returned by M(breakwater.smb.run).
      - Without it a change makes a run of its own, for its journal; a look in check mode records nothing.
      - With it, the profile and the exceptions are those that the run was opened with.
    type: str
  areas:
    description:
      - Areas of controls to work on, names or globs. All by default.
      - A name that fits none is refused.
    type: list
    elements: str
  controls:
    description:
      - Controls to work on, ids or globs. All by default.
      - A name that fits none is refused.
    type: list
    elements: str
  exclude:
    description:
      - Controls to leave alone, ids or globs.
      - A name that fits none is refused.
    type: list
    elements: str
  stages:
    description:
      - Stages of a roll-out to go. All by default. Controls without a stage are not held by this.
      - A later stage waits on each host while an earlier one is held back by use or missing evidence.
    type: list
    elements: str
    choices: [observe, signing, dialect, encryption, ntlm]
  observe_days:
    description:
      - For how many days somebody must have been watching before something is cut.
      - V(0) looks at what is live now; 14 is what we advise.
    type: int
    default: 0
  restart:
    description:
      - Whether services may be restarted where a value needs it.
    type: bool
    default: false
  reboot:
    description:
      - Whether the host may be rebooted where a value needs it; then waits for it and looks again.
    type: bool
    default: false
  window:
    description:
      - When services may be restarted and hosts rebooted, in UTC, such as V(22:00-04:00) or V(sat,sun 01:00-05:00),
        several joined by C(;).
      - Without it, at any time, where O(restart) or O(reboot) is set.
    type: str
  cluster:
    description:
      - Inventory group that holds all nodes of the cluster that the host belongs to, and no other host.
      - Nodes are changed one after another. After one whose change was not completed, the others of the run stay as they are.
      - What a special role holds back goes on only where an exception of kind C(force) names every node, and the play
        reaches all of them.
    type: str
  roles:
    description:
      - Special roles of the host beside those that it tells itself, of C(backup-target), C(cluster), C(dfs),
        C(domain-controller), C(hyper-v) and C(print-server).
      - A name that is none of them is refused.
    type: list
    elements: str
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.judging
  - breakwater.smb.options.subject
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without.
    support: full
    details: The same planner runs; nothing is sent to the host but the collector.
  diff_mode:
    description: Shows what would be changed.
    support: full
    details: Native values of settings; the text of files never.
  platform:
    description: What it works on.
    support: full
    platforms: posix, windows
seealso:
  - module: breakwater.smb.audit
  - module: breakwater.smb.rollback
  - module: breakwater.smb.run
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Close SMB1 and unsigned access, and nothing else
  breakwater.smb.remediate:
    areas: [dialect, signing]
  become: true
  register: changed

- name: Say what is held back, and by whom
  ansible.builtin.debug:
    var: changed.blocked

- name: Everything, with restarts on weekends
  breakwater.smb.remediate:
    profile: strict
    exclude: ["samba-quic-*"]
    restart: true
    window: sat,sun 01:00-05:00
  become: true
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be; in the order in which it is done.
  returned: when the host could be read
  type: list
  elements: dict
  contains:
    control:
      description: Which control asks for it.
      type: str
    object:
      description: The share, adapter, file that is meant; empty for the host.
      type: str
    address:
      description: Where it stands, as people write it.
      type: str
    before:
      description: The native value that stood there; null when nothing did.
      type: raw
    after:
      description: The native value that stands there now; null when nothing does.
      type: raw
    origin:
      description: Where the old value came from.
      type: str
    state:
      description:
        - V(planned) in check mode, and where nobody could see what became of it.
        - V(done), V(already) (it stood there), V(refused) (something else stood there, and nothing was touched),
          V(failed) (the old value stands), V(undone) (done, and put back), V(skipped) (not tried).
      type: str
    restart:
      description: What it needs to come into force, V(none), V(reload), V(restart) or V(reboot).
      type: str
    step:
      description: Number of the step that does it; several changes of one file are one step.
      type: int
  sample:
    - control: samba-server-min-protocol
      object: ""
      address: "/etc/samba/smb.conf:7 [global] server min protocol"
      before: NT1
      after: SMB2_10
      origin: local /etc/samba/smb.conf:7
      state: done
      restart: reload
      step: 1
blocked:
  description: What is not pursued now, and why.
  returned: when the host could be read
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
    object:
      description: The share, adapter, file that is meant; empty for the host.
      type: str
    kind:
      description:
        - Which rule holds it back, V(in-use), V(no-evidence), V(stage), V(role), V(policy), V(own-line),
          V(irreversible), V(edit), V(unreadable) or V(window).
      type: str
    why:
      description: What was seen, and what lifts it.
      type: str
    users:
      description: Who still uses it, at most 50.
      type: list
      elements: str
pending:
  description: What would bring values into force and may not be done now.
  returned: when the host could be read
  type: list
  elements: str
  sample: [restart of smbd, reboot]
reboot_required:
  description: Whether a value waits for a reboot.
  returned: when the host could be read
  type: bool
watched:
  description: For how long somebody has been watching who uses what.
  returned: when the host could be read
  type: str
score_before:
  description: The score before the change.
  returned: when the host could be read
  type: int
journal:
  description: Id that M(breakwater.smb.rollback) takes; empty when nothing was sent to the host.
  returned: when the host could be read
  type: str
  sample: 20261124T001231Z-k3f9
restart_done:
  description: Services that were restarted, and V(reboot).
  returned: when the host could be read
  type: list
  elements: str
remaining:
  description: What still counts against the host; in check mode what would, with the plan done.
  returned: when the host could be read
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
    object:
      description: The share, adapter, file that is meant; empty for the host.
      type: str
    verdict:
      description: V(fail) or V(unknown).
      type: str
    why:
      description: What was seen.
      type: str
    advice:
      description: What a person can do about it.
      type: str
counts:
  description: Number of findings per verdict, of what stands now.
  returned: when the host could be read
  type: dict
failing:
  description: Ids of the controls that fail now, worst first; those under an exception are left out.
  returned: when the host could be read
  type: list
  elements: str
unknown:
  description: Ids of the controls that could not be judged.
  returned: when the host could be read
  type: list
  elements: str
unread:
  description: Why the host, or a part of it, could not be read or changed.
  returned: when the host could be read
  type: list
  elements: str
score:
  description: Share of what was judged that holds now, weighted by severity, from 0 to 100.
  returned: when the host could be read
  type: int
run:
  description: Id of the run that holds the record; one of its own where none was open.
  returned: when O(run) is given or something was sent to the host
  type: str
record:
  description: Path of the host's record on the controller.
  returned: when O(run) is given or something was sent to the host
  type: str
"""
