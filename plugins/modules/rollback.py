# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Puts back what a run changed on a host
version_added: 0.2.0
description:
  - Sends the inverse of a journal's steps, in one execution, and looks at the host again. Files come back byte by byte,
    registry values with their type or their absence.
  - Every step is compared first. When somebody has changed one of the values since, nothing is done, and the failure
    shows both.
  - A rollback has a journal of its own, and can be rolled back in turn.
  - What had no way back, and was changed under an exception, stays and is named.
options:
  journal:
    description:
      - Id of the run whose changes are undone, or an unambiguous beginning of it.
    type: str
    required: true
  run:
    description:
      - Id of the open run that the record and the journal belong to, as returned by M(breakwater.smb.run).
      - Without it a rollback makes a run of its own, for its journal; in check mode nothing is recorded.
    type: str
  cluster:
    description:
      - Inventory group that holds all nodes of the cluster that the host belongs to, and no other host.
      - Nodes are changed one after another. After one whose change was not completed, the others of the run stay as they are.
    type: str
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.judging
  - breakwater.smb.options.subject
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without.
    support: full
    details: The host compares what stands there, and says what would be put back.
  diff_mode:
    description: Shows what would be changed.
    support: full
    details: Native values of settings; the text of files never.
  platform:
    description: What it works on.
    support: full
    platforms: posix, windows
seealso:
  - module: breakwater.smb.remediate
  - module: breakwater.smb.run
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Undo what a run did to this host
  breakwater.smb.rollback:
    journal: 20261124T001231Z-k3f9
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
