# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file holds the documentation; the code is the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Reads a host's whole SMB surface in one execution and judges it
version_added: 0.1.0
description:
  - Sends one script over the host's own connection, reads one document back, works out what is configured, what is
    effective and where each value comes from, and judges that against a profile.
  - Needs no Python on the host and changes nothing there. Unix hosts need a POSIX shell, Windows hosts PowerShell 2.0 or
    newer over C(winrm), C(psrp) or C(ssh).
  - Works without O(ignore:become) and without administrator rights too; what cannot be read then is V(unknown), never
    V(pass). On Windows O(ignore:become) is refused; connect as an administrator.
  - With O(run) the host's record is written to the run directory, and a host that cannot be reached or read is
    recorded as such instead of failing the play.
options:
  run:
    description:
      - Id of the open run that the record belongs to, as returned by M(breakwater.smb.run).
      - Without it nothing is recorded, and a host that cannot be reached fails as with any other module.
      - With it, the profile and the exceptions are those that the run was opened with.
    type: str
  vantage:
    description:
      - Hosts whose probes of this run are taken as the third truth, what a client is offered (M(breakwater.smb.probe_info)
        with the same O(run)).
      - Where they contradict what the host says, that is a finding with its likely cause. A vantage without an answer makes
        that finding V(unknown).
    type: list
    elements: str
    version_added: 0.3.0
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.judging
  - breakwater.smb.options.subject
  - breakwater.smb.options.attributes_reading
attributes:
  platform:
    description: What it works on.
    support: full
    platforms: posix, windows
seealso:
  - module: breakwater.smb.run
  - module: breakwater.smb.report
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Look at one host without recording anything
  breakwater.smb.audit:
    profile: strict
  become: true
  register: audited

- name: Show which controls fail
  ansible.builtin.debug:
    var: audited.failing
"""

RETURN = r"""
counts:
  description: Number of findings per verdict.
  returned: when the host could be read
  type: dict
  sample: {"fail": 3, "unknown": 0, "manual": 1, "pass": 61, "not_applicable": 9}
failing:
  description: Ids of the controls that fail, worst first; those under an exception are left out.
  returned: when the host could be read
  type: list
  elements: str
  sample: [samba-server-min-protocol]
unknown:
  description: Ids of the controls that could not be judged.
  returned: when the host could be read
  type: list
  elements: str
excepted:
  description: Ids of the controls that fail or are unknown, but are covered by an exception.
  returned: when the host could be read
  type: list
  elements: str
score:
  description:
    - Share of what was judged that holds, weighted by severity, from 0 to 100.
    - Null when there was nothing to judge.
  returned: always
  type: int
implementations:
  description: SMB implementations found on the host.
  returned: always
  type: list
  elements: str
  sample: [samba 4.17.12 server running]
unread:
  description: Why the host, or a part of it, could not be read.
  returned: always
  type: list
  elements: str
record:
  description: Path of the host's record on the controller.
  returned: when O(run) is given
  type: str
"""
