# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Renders the reports of a recorded run
version_added: 0.1.0
description:
  - Renders any format from any recorded run, from its directory alone; asks no host anything.
  - A run that was broken off is closed first, and stays V(incomplete).
options:
  run:
    description:
      - Id of the run, an unambiguous beginning of it, or V(latest).
    type: str
    default: latest
  formats:
    description:
      - Which formats to render; all of them by default.
    type: list
    elements: str
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.history
  - breakwater.smb.options.attributes_controller
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Render the newest run as JUnit for a CI server
  breakwater.smb.report:
    formats: [junit]
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: always
  type: str
verdict:
  description: V(compliant), V(noncompliant) or V(incomplete).
  returned: always
  type: str
reports:
  description: Paths of the reports, by format.
  returned: always
  type: dict
"""
