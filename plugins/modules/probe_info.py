#!/usr/bin/python
# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action plugin of the same name works out whom to ask, and runs this on a vantage host for at most 512 addresses at a time.

from __future__ import annotations

DOCUMENTATION = r"""
module: probe_info
short_description: Sees SMB as a client without credentials sees it
version_added: 0.2.0
description:
  - Asks servers which dialects they accept, each one by itself, SMB1 included; whether they require signing; which ciphers
    and signing algorithms they take and in which order; who they say they are; and which implementation that shows.
  - Every answer is V(accepted), V(refused) or V(indeterminate) with the reason, and carries its evidence. What was not
    answered is never taken for a refusal.
  - Uses no credentials and logs on nowhere, unless V(anonymous), V(guest) or V(ms17_010) is among the O(checks).
  - Runs on the controller when the connection of the task is C(local). Otherwise the host of the task is the vantage host,
    which needs Python 3.9 or newer; it is asked for at most 512 targets at a time.
  - Records every answer as it comes, in C(probe/VANTAGE.jsonl) of the run.
options:
  targets:
    description:
      - Whom to ask. Addresses, names, networks such as V(10.0.0.0/24), and ranges such as V(10.0.0.1-20) or
        V(10.0.0.1-10.0.1.5), in any mixture.
      - An address or a name may have a port of its own, V(nas01:4450) or V([fd00::7]:4450); then only that one is asked.
      - Names are resolved on the controller. Duplicates are asked once.
    type: list
    elements: str
    default: []
  hosts:
    description:
      - Inventory hosts. Where O(targets) names nobody, they are asked, by their C(ansible_host) or their name.
      - The variable C(breakwater_implementation) of a host counts as O(implementations) does.
    type: list
    elements: str
    default: []
  ports:
    description:
      - TCP ports that SMB is asked on; 139 with the NetBIOS session service.
    type: list
    elements: int
    default: [445, 139]
  checks:
    description:
      - What to ask.
      - V(dialects) which SMB2 dialects are accepted; V(signing) whether it is required; V(ciphers) which ciphers and
        signing algorithms 3.1.1 takes; V(identity) names and version out of the NTLM challenge, without a logon.
      - V(smb1) the SMB1 dialects. Windows hosts that audit SMB1 note such an attempt as use; each is recorded in the
        answers with its time and source.
      - V(ports) whether TCP 135 and 5445 are open; V(netbios) NetBIOS node status on UDP 137; V(quic) QUIC on UDP 443.
      - V(anonymous) one anonymous logon. V(guest) one logon as guest without a password, which hosts may audit as
        a failed logon. V(ms17_010) the status of one PeekNamedPipe, which tells whether MS17-010 was mended.
        These three are asked only where they are named.
    type: list
    elements: str
    choices: [dialects, smb1, signing, ciphers, identity, ports, netbios, quic, anonymous, guest, ms17_010]
    default: [dialects, smb1, signing, ciphers, identity, ports, netbios, quic]
  timeout:
    description:
      - Seconds that one conversation may take; what gave no answer is asked once more with twice the time.
    type: float
    default: 4.0
  connect_timeout:
    description:
      - Seconds that the last of three attempts to connect may take.
      - Only when all three were silent a port is V(filtered).
    type: float
    default: 3.5
  host_timeout:
    description:
      - Seconds that one target may take, all in all.
    type: float
    default: 30.0
  window:
    description:
      - Connections that may be waited for at a time.
    type: int
    default: 1024
  conversations:
    description:
      - Connections that may be talked over at a time.
    type: int
    default: 256
  per_network:
    description:
      - Connections at a time to one IPv4 network of 24 bits or IPv6 network of 64 bits.
    type: int
    default: 64
  scope:
    description:
      - YAML file on the controller that names what may be probed beside private addresses, who answers for it, and why.
      - Without it, targets outside private ranges (RFC 1918, RFC 6598, RFC 4193, loopback and link-local) are refused.
    type: path
  implementations:
    description:
      - Target as it was written, or address, to the implementation that somebody knows it to be.
      - Counts only where the answers do not tell.
    type: dict
    default: {}
  run:
    description:
      - Id of the open run that the answers are recorded in, as returned by M(breakwater.smb.run).
      - Without it a run of its own is opened and closed.
    type: str
extends_documentation_fragment:
  - breakwater.smb.options.results
  - breakwater.smb.options.attributes_reading
attributes:
  platform:
    description: What it works on.
    support: full
    platforms: posix
requirements:
  - Python 3.9 or newer on a vantage host
seealso:
  - module: breakwater.smb.run
  - plugin: breakwater.smb.sweep
    plugin_type: inventory
author:
  - The Breakwater authors (@breakwater-smb)
"""

EXAMPLES = r"""
- name: Ask a network from the controller
  breakwater.smb.probe_info:
    targets:
      - 10.20.0.0/24
      - nas01
      - 10.20.1.1-20
  delegate_to: localhost
  register: wire

- name: Show who accepts SMB1
  ansible.builtin.debug:
    var: wire.smb1

- name: Ask the same from a host in another zone, gently
  breakwater.smb.probe_info:
    targets: [10.20.0.0/24]
    checks: [dialects, signing]
    window: 64
  delegate_to: jump01
"""

RETURN = r"""
run:
  description: Id of the run that the answers were recorded in.
  returned: always
  type: str
directory:
  description: Directory of that run on the controller.
  returned: always
  type: str
file:
  description: File with every answer, one JSON object per line.
  returned: always
  type: str
vantage:
  description: The host that asked.
  returned: always
  type: str
asked:
  description: How many addresses were asked.
  returned: always
  type: int
states:
  description: How many targets came to which state, by their best port.
  returned: always
  type: dict
  sample: {"open": 37, "filtered": 12, "closed": 205}
dialects:
  description: How many targets accept which dialect.
  returned: always
  type: dict
  sample: {"3.1.1": 35, "2.0.2": 30, "NT LM 0.12": 2}
signing:
  description: How many targets require signing.
  returned: always
  type: dict
  sample: {"required": 12, "not_required": 25}
implementations:
  description: How many targets show which implementation.
  returned: always
  type: dict
  sample: {"windows": 20, "samba": 15, "unknown": 2}
smb1:
  description: Targets that accept a dialect of SMB1, at most 1024 of them.
  returned: always
  type: list
  elements: str
unresolved:
  description: Names that lead to no address.
  returned: always
  type: list
  elements: str
failures:
  description: What failed on the asking side, such as too few file descriptors.
  returned: always
  type: list
  elements: str
results:
  description:
    - Every target with its answers.
    - Empty when there are more than 1024; then they are in RV(file).
  returned: always
  type: list
  elements: dict
  contains:
    target:
      description: The target as it was written.
      type: str
    address:
      description: Its address; empty when the name leads nowhere.
      type: str
    implementation:
      description: Name (V(unknown) when no mark tells, or marks contradict each other), version, product and evidence.
      type: dict
    smb1_attempts:
      description: Time, source address and port of every SMB1 request that was sent.
      type: list
      elements: dict
    ports:
      description:
        - By port, such as C(445/tcp), its state and what it answered.
        - A key that is absent was not asked. The guide has all of them.
      type: dict
      sample:
        "445/tcp":
          state: open
          dialects: {"2.0.2": {"answer": "refused"}, "3.1.1": {"answer": "accepted"}}
          signing: {"answer": "required", "evidence": "SecurityMode 0x0003 of NEGOTIATE 3.1.1"}
          ciphers: {"answer": "known", "values": ["AES-128-GCM", "AES-256-GCM"]}
"""

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.smb.plugins.module_utils._smb.options import PORTION, Target, of_task
from ansible_collections.breakwater.smb.plugins.module_utils._smb.sockets import probe

ARGUMENTS = {
    "targets": {"type": "list", "elements": "str", "default": []},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "ports": {"type": "list", "elements": "int", "default": [445, 139]},
    "checks": {
        "type": "list",
        "elements": "str",
        "choices": [
            "dialects",
            "smb1",
            "signing",
            "ciphers",
            "identity",
            "ports",
            "netbios",
            "quic",
            "anonymous",
            "guest",
            "ms17_010",
        ],
        "default": ["dialects", "smb1", "signing", "ciphers", "identity", "ports", "netbios", "quic"],
    },
    "timeout": {"type": "float", "default": 4.0},
    "connect_timeout": {"type": "float", "default": 3.5},
    "host_timeout": {"type": "float", "default": 30.0},
    "window": {"type": "int", "default": 1024},
    "conversations": {"type": "int", "default": 256},
    "per_network": {"type": "int", "default": 64},
    "scope": {"type": "path"},
    "implementations": {"type": "dict", "default": {}},
    "run": {"type": "str"},
    "results": {"type": "path", "default": "./results"},
}
_TARGET = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|([0-9.]+))(?::([0-9]{1,5}))?")


def target_of(text: str) -> Target:
    """Return one address with or without a port, as the action plugin writes it: ``10.0.0.7:4450``, ``[fd00::7]``.

    Raises:
        ValueError: it is neither.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise ValueError("The module takes addresses; networks and names are the action plugin's: " + text[:60])
    return Target(text, match[1] or match[2], (int(match[3]),) if match[3] else ())


def main() -> None:
    """Ask, and return what every target answered."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        targets = [target_of(text) for text in module.params["targets"]]
    except ValueError as error:
        module.fail_json(msg=str(error))
    if len(targets) > PORTION:
        module.fail_json(msg=f"More than {PORTION} targets in one call of the module.")
    answers: list[dict[str, Any]] = []
    summary = probe(targets, of_task(module.params), answers.append)
    module.exit_json(changed=False, results=answers, failures=dict(summary.failures))


if __name__ == "__main__":
    main()
