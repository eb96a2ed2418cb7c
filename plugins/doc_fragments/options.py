# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments ``breakwater.smb.options.<name>``."""

    RESULTS = r"""
options:
  results:
    description:
      - Directory on the controller that holds one directory per run.
      - It is created with mode V(0700) when it is not there.
    type: path
    default: ./results
"""

    HISTORY = r"""
options:
  history:
    description:
      - Database that remembers every run and says which one is the baseline of drift.
      - A relative path is relative to the current directory.
      - By default C(history.db) in O(results).
    type: str
"""

    JUDGING = r"""
options:
  profile:
    description:
      - What is asked of a host.
      - One of the built-in profiles V(recommended), V(strict), V(microsoft) and V(legacy), the id of a benchmark
        profile, V(cis) or V(stig) for the benchmark file that fits each host, or the path of a profile file
        that ends in C(.yml) or C(.yaml).
    type: str
    default: recommended
  exceptions:
    description:
      - YAML file with the exceptions that somebody has decided on.
      - A malformed file stops the run at once.
    type: path
"""

    SUBJECT = r"""
options:
  implementation:
    description:
      - Names the SMB server of the host where the host itself cannot tell.
    type: str
"""

    ATTRIBUTES_READING = r"""
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without.
    support: full
    details: It never changes a host.
  diff_mode:
    description: Shows what would be changed.
    support: none
options: {}
"""

    ATTRIBUTES_CONTROLLER = r"""
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without.
    support: full
  diff_mode:
    description: Shows what would be changed.
    support: none
  platform:
    description: What it works on.
    support: full
    platforms: all
options: {}
"""
