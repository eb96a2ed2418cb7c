# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Says what would not work, and the command that mends it
version_added: 0.1.0
description:
  - Examines the control node (versions, optional libraries, results directory, history, profile, exceptions,
    misspelt variables), or a host (port, authentication, privilege, and which facts will be unreadable).
  - Fails when something would not work; each complaint carries its remedy.
options:
  subject:
    description:
      - What to examine.
    type: str
    choices: [controller, host]
    required: true
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.history
  - breakwater.smb.options.judging
  - breakwater.smb.options.attributes_controller
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Examine the control node
  breakwater.smb.doctor:
    subject: controller
  run_once: true

- name: Examine every host
  breakwater.smb.doctor:
    subject: host
"""

RETURN = r"""
examined:
  description: What was looked at and found in order, one line each.
  returned: always
  type: list
  elements: str
complaints:
  description: What would not work.
  returned: always
  type: list
  elements: dict
  contains:
    level:
      description: V(error) when an audit would fail or lie, V(warning) when it would know less.
      type: str
    what:
      description: What was found.
      type: str
    remedy:
      description: The command or change that mends it.
      type: str
"""
