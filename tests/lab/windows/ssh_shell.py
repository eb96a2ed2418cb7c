# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login shell of a simulated host for sshd, which then is a Windows host whose DefaultShell is PowerShell.

In sshd_config: ``ForceCommand PYTHON -m tests.lab.windows.ssh_shell HOST DIRECTORY USER``, with the repository as the
working directory or in PYTHONPATH (SetEnv). What the client asked for comes in SSH_ORIGINAL_COMMAND.
"""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


def main(arguments: Sequence[str]) -> int:
    """Run the command that the client asked for, with its standard input."""
    from tests.lab.windows.execution import Exec
    from tests.lab.windows.simulated import SimulatedHost

    host, directory, user = arguments
    asked = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    if not asked:
        sys.stderr.write("This host runs commands only.\n")
        return 1
    result = SimulatedHost(host, pathlib.Path(directory)).run(Exec("ssh", asked, sys.stdin.buffer.read(), user))
    sys.stdout.buffer.write(result.stdout)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(result.stderr)
    return result.rc


if __name__ == "__main__":
    # Called by path, too: sshd knows no working directory.
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
