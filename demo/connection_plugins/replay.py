# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection of recorded hosts: plays back what a real host once answered to the collector."""

from __future__ import annotations

import pathlib
import re
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: replay
short_description: Plays back recorded answers of the collector
description: For the demonstration where no real hosts can be made.
author: The Breakwater authors (@breakwater-smb)
options:
  recording:
    description: File that holds the answer.
    type: path
    required: true
    vars:
      - name: breakwater_recording
"""

PLACEHOLDER = b"@NONCE@"


class Connection(ConnectionBase):
    """Answers the collector's script with the recording, under the script's own nonce."""

    transport = "replay"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(
        self,
        cmd: str,
        in_data: bytes | None = None,
        sudoable: bool = True,
    ) -> tuple[int, bytes, bytes]:
        """Return the recorded answer; anything but the collector is refused."""
        self._connect()
        match = re.search(rb"^bw_main (\w+) ", in_data or b"", re.MULTILINE)
        if match is None:
            raise AnsibleConnectionFailure("A recorded host answers only Breakwater's collector.")
        path = pathlib.Path(self.get_option("recording"))  # type: ignore[no-untyped-call]
        try:
            text = path.read_bytes()
        except OSError as error:
            raise AnsibleConnectionFailure(f"Cannot read the recording {path}: {error.strerror}.") from error
        return 0, text.replace(PLACEHOLDER, match[1]), b""

    def put_file(self, in_path: str, out_path: str) -> Any:
        """A recorded host takes no files."""
        raise AnsibleConnectionFailure("A recorded host takes no files.")

    def fetch_file(self, in_path: str, out_path: str) -> Any:
        """A recorded host gives no files."""
        raise AnsibleConnectionFailure("A recorded host gives no files.")

    def close(self) -> None:
        """Nothing is open."""
        self._connected = False
