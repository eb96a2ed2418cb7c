# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host costs without the network: the engine's requests, plan, decoding, judgement and document, and no socket.

    python bench/probe_thinking.py HOSTS

The replies are those of the stand-in, made once before the clock runs. It prints JSON: CPU seconds in all, and those of the
documents alone.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".build" / "collections")]

from ansible_collections.breakwater.smb.plugins.module_utils._smb.answers import document  # noqa: E402 - found above
from ansible_collections.breakwater.smb.plugins.module_utils._smb.dialogue import Conversation  # noqa: E402 - likewise
from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import Options, Target  # noqa: E402 - likewise
from ansible_collections.breakwater.smb.plugins.module_utils._smb.questions import Inquiry  # noqa: E402 - likewise
from tests.lab.probe.peer import Peer, Talk  # noqa: E402 - likewise

CHECKS = frozenset(("dialects", "signing", "smb1"))
Answer = Callable[[bytes], bytes]


def ask(options: Options, begin: Callable[[], Answer]) -> Inquiry:
    """Ask one host everything; ``begin`` makes a connection and returns what answers on it."""
    inquiry = Inquiry(Target("127.0.0.1", "127.0.0.1"), options, 0.0)
    while not inquiry.done:
        talk = inquiry.next()
        assert isinstance(talk, Conversation)
        inquiry.connected(talk, "127.0.0.1")
        answer = begin()
        while True:
            request = talk.data_to_send()
            if request:
                talk.receive(answer(request))
            if talk.done and not inquiry.finished(talk):
                break
    return inquiry


def main() -> int:
    """Measure."""
    hosts = int(sys.argv[1])
    options = Options(checks=CHECKS, ports=(445,))
    peer = Peer("default")
    replies: list[bytes] = []

    def recorded() -> Answer:
        talk = Talk()

        def answer(request: bytes) -> bytes:
            replies.append(peer.answer(request, talk) or b"")
            return replies[-1]

        return answer

    connections = ask(options, recorded).connections

    def again() -> Inquiry:
        left = iter(replies)
        return ask(options, lambda: lambda _request: next(left))

    begun = time.process_time()
    inquiries = [again() for _host in range(hosts)]
    asked = time.process_time()
    for inquiry in inquiries:
        document(inquiry.answers(0.0))
    ended = time.process_time()
    print(json.dumps({"connections": connections, "cpu": ended - begun, "documents": ended - asked}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
