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
  - A run is a directory on the controller with one record per host. It is opened before the first host is looked at,
    and closed after the last one.
  - Closing adds a record for each host that gave none, compares with the baseline, decides the verdict, writes the
    reports and prints the summary.
  - A run that changes hosts is closed after every batch of them, which does nothing while batches are still to come and
    no host has failed.
  - Runs on the controller; use C(run_once).
options:
  state:
    description:
      - V(open) starts a run and freezes its profile and exceptions.
      - V(closed) finishes it, and fails when the fleet does not comply or the run is incomplete. A rollback, and a
        change in check mode, fail only when they are incomplete.
      - V(approved) makes a finished run the baseline that drift is measured from.
    type: str
    choices: [open, closed, approved]
    required: true
  kind:
    description:
      - With O(state=open), what will be done to the hosts.
      - A run of kind V(remediate) or V(rollback) that was opened in check mode is marked as such. It has reports, but is
        not remembered in the history, so that it is never a baseline.
      - A run of kind V(probe) is about the hosts that ask the wire with M(breakwater.smb.probe_info). It judges nothing, has
        no reports, and is not remembered in the history either.
    type: str
    choices: [audit, remediate, rollback, probe]
    default: audit
    version_added: 0.2.0
  journal:
    description:
      - With O(kind=rollback), the run that will be undone. Hosts that were not part of it are left out.
    type: str
    version_added: 0.2.0
  vantage:
    description:
      - With O(state=open), patterns of inventory hosts that will look at the others from the wire; they are returned as
        RV(vantages). Patterns that mean no host are refused.
    type: list
    elements: str
    version_added: 0.2.0
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

- name: Open a run that changes hosts
  breakwater.smb.run:
    state: open
    kind: remediate
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
kind:
  description: What will be done to the hosts.
  returned: when O(state=open)
  type: str
hosts:
  description: The hosts in scope.
  returned: when O(state=open)
  type: list
  elements: str
vantages:
  description: The hosts that O(vantage) means.
  returned: when O(state=open)
  type: list
  elements: str
verdict:
  description: V(compliant), V(noncompliant) or V(incomplete); of a probe V(observed) or V(incomplete).
  returned: when O(state=closed), and no batch of hosts is still to come
  type: str
reasons:
  description: Why the verdict is not V(compliant).
  returned: when O(state=closed), and no batch of hosts is still to come
  type: list
  elements: str
counts:
  description: Number of findings per verdict, over all hosts.
  returned: when O(state=closed), and no batch of hosts is still to come
  type: dict
reports:
  description: Paths of the reports, by format.
  returned: when O(state=closed), and no batch of hosts is still to come
  type: dict
"""
