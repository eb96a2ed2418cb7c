# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the libraries below winrm and psrp say, word by word, and the sentence that a user reads."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._remote.winrm_failures import explain

POOL = "HTTPSConnectionPool(host='192.0.2.1', port=5986): Max retries exceeded with url: /wsman (Caused by "
SAID = {
    "ntlm: the specified credentials were rejected by the server": "The host refused the login",
    "InvalidCredentialsError: the specified credentials were rejected by the server": "The host refused the login",
    "Failed to connect to the host via PSRP: 192.0.2.1: Failed to authenticate the user admin with ntlm": "The host refused the login",
    POOL + "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "certificate has expired (_ssl.c:1006)')))": "it has expired",
    POOL + "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "self-signed certificate (_ssl.c:1006)')))": "no authority that the controller knows",
    POOL + 'SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname '
    "mismatch, certificate is not valid for 'files01'. (_ssl.c:1006)\")))": "it is for another name",
    POOL + "NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new "
    "connection: [Errno 111] Connection refused'))": "nothing listens on that port",
    POOL + "ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to 192.0.2.1 timed "
    "out. (connect timeout=30)'))": "the host does not answer",
    POOL
    + "NameResolutionError(\"<urllib3.connection.HTTPSConnection object>: Failed to resolve 'nas' ([Errno -2] Name "
    'or service not known)"))': "its name is not known",
    "winrm connection error: HTTPConnectionPool(host='192.0.2.1', port=5985): Read timed out. (read timeout=30)": "The host gave no answer",
    "WSManFaultError: Zugriff verweigert (extended fault data: {'transport_message': 'Bad HTTP response returned from "
    "server. Code 500', 'http_status_code': 500, 'wsmanfault_code': '5', 'fault_code': 's:Sender', 'fault_subcode': "
    "'w:AccessDenied'})": "The account may not use WinRM",
    "Failed to connect to the host via PSRP: Received a WSManFault message. (Code: 5, Machine: HOST, Reason: Access "
    "is denied.)": "The account may not use WinRM",
    "Received a WSManFault message. (Code: 2150859174, Machine: HOST, Reason: x)": "no room for another WinRM operation",
    "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))": "The connection broke",
    "ExpatError: not well-formed (invalid token): line 1, column 0": "does not speak WinRM",
    "('Connection aborted.', BadStatusLine('SSH-2.0-OpenSSH_9.2'))": "its answer is no HTTP",
    "WinRMTransportError: Bad HTTP response returned from server. Code 400": "HTTP 400",
    "Received a WSManFault message. (Code: 2150858843, Machine: HOST, Reason: x)": "The host ended the shell",
    "ntlm: Access denied: Server did not respond with NTLM challenge token": "The host refused the login",
    "ssl: auth method ssl requires a password": "the inventory gives no password",
    "kerberos: the python kerberos library is not installed": "the library for Kerberos is not installed",
    "kerberos: Cannot get ticket: KrbError: Clock skew too great": "the clocks differ",
    "SpnegoError (1): GSSAPI Server not found in Kerberos database": "no service of that name",
    "winrm or requests is not installed: No module named 'winrm'": "the library of this connection is not installed",
}


@pytest.mark.parametrize(("said", "sentence"), SAID.items(), ids=[f"{n:02}" for n in range(len(SAID))])
def test_one_clear_sentence(said, sentence):
    error = explain(said, "look")
    assert sentence in str(error)
    assert str(error).count(". ") == 0 and str(error).endswith(".")
    assert len(str(error)) < 260
    assert "object at 0x" not in str(error)


def test_unknown_words_are_passed_on_and_bounded():
    error = str(explain("Something else\x1b[2J" + "x" * 5000, "try that"))
    assert error.startswith("Cannot connect: Something else\\x1b[2Jxxx")
    assert error.endswith("try that.")
    assert len(error) < 400
