# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: run
short_description: Opens, closes and approves a run
version_added: 0.1.0
description:
  - A run is a directory on the controller with one record per host. It is opened before the first host is audited,
    and closed after the last one.
  - Closing adds a record for each host that gave none, compares with the baseline, decides the verdict, writes the
    reports and prints the summary.
  - Runs on the controller; use C(run_once).
options:
  state:
    description:
      - V(open) starts a run and freezes its profile and exceptions.
      - V(closed) finishes it, and fails when the fleet does not comply or the run is incomplete.
      - V(approved) makes a finished run the baseline that drift is measured from.
    type: str
    choices: [open, closed, approved]
    required: true
  run:
    description:
      - Id of the run, an unambiguous beginning of it, or V(latest).
      - Required unless O(state=open).
    type: str
  fail_on:
    description:
      - The mildest severity that makes a fleet noncompliant; V(none) never does.
      - Findings that are unknown count like those that fail.
    type: str
    choices: [critical, high, medium, low, info, none]
    default: high
  max_unreachable:
    description:
      - How many hosts may go unread before the run is incomplete.
    type: int
    default: 0
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.history
  - breakwater.smb.options.judging
  - breakwater.smb.options.attributes_controller
seealso:
  - module: breakwater.smb.audit
  - module: breakwater.smb.report
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Open a run
  breakwater.smb.run:
    state: open
    profile: strict
  run_once: true
  register: opened

- name: Close it
  breakwater.smb.run:
    state: closed
    run: "{{ opened.run }}"
    fail_on: medium
  run_once: true

- name: Make it the baseline
  breakwater.smb.run:
    state: approved
    run: "{{ opened.run }}"
  run_once: true
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: always
  type: str
  sample: 20261124T001231Z-k3f9
directory:
  description: Directory of the run on the controller.
  returned: always
  type: str
verdict:
  description: V(compliant), V(noncompliant) or V(incomplete).
  returned: when O(state=closed)
  type: str
reasons:
  description: Why the verdict is not V(compliant).
  returned: when O(state=closed)
  type: list
  elements: str
counts:
  description: Number of findings per verdict, over all hosts.
  returned: when O(state=closed)
  type: dict
reports:
  description: Paths of the reports, by format.
  returned: when O(state=closed)
  type: dict
"""
