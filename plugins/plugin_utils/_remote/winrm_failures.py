# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the connections winrm and psrp say when they fail → one sentence that says what to do.

They pass on what HTTP, TLS, Kerberos and Windows libraries say, often a screen long. Numbers (HTTP
status, WSMan fault codes, HRESULTs) come first: Windows' own words are in the host's language.
"""

from __future__ import annotations

import re

from .._model.errors import Unreachable
from .._model.text import printable

_MAX = 300

_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    # what the plugin says, what failed, what was seen, what to do
    (
        r"certificate has expired",
        "The host's certificate is not accepted",
        "it has expired",
        "renew the certificate of the WinRM listener",
    ),
    (
        r"hostname mismatch|doesn't match|is not valid for",
        "The host's certificate is not accepted",
        "it is for another name",
        "set ansible_host to a name that the certificate holds",
    ),
    (
        r"certificate_verify_failed|certificate verify failed",
        "The host's certificate is not accepted",
        "no authority that the controller knows has signed it",
        "set ansible_winrm_ca_trust_path or ansible_psrp_ca_cert to the authority's certificate",
    ),
    (
        r"wrong_version_number|wrong version number|unknown_protocol|record layer failure",
        "Cannot connect",
        "the port does not speak TLS",
        "use port 5986, or set the scheme to http with message encryption (ntlm, kerberos)",
    ),
    (
        r"(winrm or requests|pypsrp).*(is|are) not installed|no module named '?(winrm|pypsrp)",
        "Cannot connect",
        "the library of this connection is not installed on the controller",
        "pip install pywinrm pypsrp",
    ),
    (
        r"(requests_kerberos|kerberos library|gssapi|krb5).*(not installed|is required|requires)|requires the (python )?'?(kerberos|gssapi)",
        "Cannot log in by Kerberos",
        "the library for Kerberos is not installed on the controller",
        "pip install 'pywinrm[kerberos]' 'pypsrp[kerberos]'",
    ),
    (
        r"server not found in kerberos|server_not_found|s_principal_unknown",
        "Cannot log in by Kerberos",
        "the domain knows no service of that name",
        "set ansible_host to the host's name in the domain, not an address",
    ),
    (
        r"no kerberos credentials|no credentials (cache|were supplied)|can't find .*credential|ticket expired|kinit",
        "Cannot log in by Kerberos",
        "there is no valid ticket, and none could be got",
        "check user, password and realm: kinit USER@REALM",
    ),
    (
        r"clock skew",
        "Cannot log in by Kerberos",
        "the clocks differ by more than five minutes",
        "set the time on both sides",
    ),
    (
        r"requires a password|no password (was )?(given|provided|specified)",
        "Cannot log in",
        "the inventory gives no password",
        "set ansible_password (from a vault), or a login without one (kerberos, certificate)",
    ),
    (
        r"badstatusline|ssh-2\.0",
        "The host does not speak WinRM",
        "its answer is no HTTP",
        "check ansible_port: 5985 or 5986 usually",
    ),
    (
        r"2150858843|0x8033805b|shell was not found",
        "The host ended the shell before the answer was whole",
        "it does not know the shell any more",
        "try again; if it repeats, raise IdleTimeout and the shell quotas of its WinRM service",
    ),
    (
        r"credentials were rejected|did not respond with \w+ challenge|invalidcredentials|authenticationerror"
        r"|failed to authenticate|\b401\b|logon_failure|permission denied \(",
        "The host refused the login",
        "the user or the password is wrong, or the account may not log on over the network",
        "check ansible_user and ansible_password",
    ),
    (
        r"0x803381a6|2150859174|0x803381a7|quota",
        "The host has no room for another WinRM operation",
        "a quota of its WinRM service is used up",
        "close other shells there, or raise MaxConcurrentOperationsPerUser and MaxShellsPerUser",
    ),
    (
        r"0x80070005|wsmanfault_code'?: '?5\b|code: 5,|\b403\b|access is denied",
        "The account may not use WinRM on the host",
        "access denied",
        "use a member of Administrators or of Remote Management Users",
    ),
    (
        r"send_input failed",
        "The connection broke while the collector was sent",
        "the host stopped reading",
        "try again; if it repeats, see the host's event log Microsoft-Windows-WinRM/Operational",
    ),
    (
        r"read timed out|readtimeout|operation ?timed ?out|operationtimeout|http read timeout|timed out waiting",
        "The host gave no answer",
        "the time bound of the connection is over",
        "raise ansible_winrm_read_timeout_sec or ansible_psrp_read_timeout",
    ),
    (
        r"connection refused|errno 111",
        "Cannot connect",
        "nothing listens on that port",
        "check ansible_port and, on the host, Enable-PSRemoting",
    ),
    (
        r"timed out|errno 110|no route to host|network is unreachable|errno 113|errno 101",
        "Cannot connect",
        "the host does not answer",
        "check ansible_host, ansible_port and the firewalls between",
    ),
    (
        r"name or service not known|failed to resolve|nodename nor servname|getaddrinfo|name resolution",
        "Cannot connect",
        "its name is not known",
        "set ansible_host to an address or a name that resolves",
    ),
    (
        r"remote end closed|remotedisconnected|connection (was )?(aborted|reset)|incompleteread|broken pipe|badstatusline|eof occurred|errno 104",
        "The connection broke",
        "the host closed it before the answer was whole",
        "try again; if it repeats, look for a proxy or a security product in the path",
    ),
    (
        r"code 400\b|\bcode=400\b",
        "The connection broke",
        "the host did not know the login any more (HTTP 400)",
        "try again; if it repeats, look for a proxy or a security product in the path",
    ),
    (
        r"\b50[234]\b",
        "The host's WinRM service does not work",
        "it answers that it is unavailable",
        "restart the service WinRM on the host",
    ),
    (
        r"not well-formed|mismatched tag|syntax error: line|no element found|expaterror|parseerror|xml",
        "The host does not speak WinRM",
        "its answer is no WS-Management message",
        "check ansible_port: 5985 or 5986 usually",
    ),
)


def explain(said: str, remedy: str) -> Unreachable:
    """Return the error for what the connection said.

    Args:
        said: its message, with the exception's class name where that tells something.
        remedy: what to do where nothing better is known.
    """
    text = printable(said)
    for pattern, what, seen, mend in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return Unreachable(what, seen=seen, remedy=mend)
    short = text if len(text) <= _MAX else text[:_MAX] + "…"
    return Unreachable("Cannot connect", seen=short, remedy=remedy)
