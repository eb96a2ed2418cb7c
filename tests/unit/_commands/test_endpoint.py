# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports, TLS and trust as the connection plugins work them out."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._commands.endpoint import (
    Endpoint,
    authentication,
    endpoint,
    line,
)
from ansible_collections.breakwater.smb.plugins.plugin_utils._plan.situation import Line

PSRP = {"port": None, "protocol": None, "ca_cert": None, "cert_validation": "validate"}


@pytest.mark.parametrize(
    ("connection", "options", "variables", "expected"),
    [
        ("winrm", {"port": 5986, "scheme": None}, {}, Endpoint(5986, True)),
        ("winrm", {"port": 5985, "scheme": None}, {}, Endpoint(5985, False)),
        ("winrm", {"port": 8443, "scheme": "https"}, {}, Endpoint(8443, True)),
        ("winrm", {"port": 8080, "scheme": "http"}, {}, Endpoint(8080, False)),
        (
            "winrm",
            {"port": "5986", "scheme": "https"},
            {"ansible_winrm_server_cert_validation": "ignore"},
            Endpoint(5986, True, None, False),
        ),
        (
            "winrm",
            {"port": 5986, "scheme": None},
            {"ansible_winrm_ca_trust_path": "/ca.pem"},
            Endpoint(5986, True, "/ca.pem"),
        ),
        (
            "winrm",
            {"port": 5986, "scheme": None},
            {"ansible_winrm_ca_trust_path": "legacy_requests"},
            Endpoint(5986, True),
        ),
        ("psrp", PSRP, {}, Endpoint(5986, True)),
        ("psrp", {**PSRP, "protocol": "http"}, {}, Endpoint(5985, False)),
        ("psrp", {**PSRP, "port": 5985}, {}, Endpoint(5985, False)),
        ("psrp", {**PSRP, "cert_validation": "ignore"}, {}, Endpoint(5986, True, None, False)),
        ("ssh", {}, {}, Endpoint(22)),
        ("ssh", {}, {"ansible_port": 2222}, Endpoint(2222)),
        ("ssh", {}, {"ansible_ssh_common_args": "-o ProxyJump=gate"}, Endpoint(None)),
        ("paramiko", {}, {"breakwater_paramiko_jump_host": "gate"}, Endpoint(None)),
        ("local", {}, {}, Endpoint(None)),
    ],
)
def test_endpoint(connection, options, variables, expected):
    assert endpoint(connection, options.__getitem__, variables) == expected


@pytest.mark.parametrize(
    ("connection", "options", "variables", "expected"),
    [
        ("winrm", {}, {"ansible_winrm_transport": "ntlm"}, "ntlm"),
        ("winrm", {}, {"ansible_winrm_transport": ["kerberos"]}, "kerberos"),
        ("winrm", {}, {"ansible_winrm_transport": "kerberos,ntlm"}, ""),
        ("winrm", {}, {"ansible_winrm_transport": ["kerberos", "ntlm"]}, ""),
        ("winrm", {}, {"ansible_winrm_transport": "ssl"}, "basic"),
        ("winrm", {}, {"ansible_winrm_transport": "credssp"}, ""),
        ("winrm", {"remote_user": "admin"}, {}, "basic"),
        ("winrm", {"remote_user": "admin@EXAMPLE.COM"}, {}, ""),
        ("psrp", {"auth": "negotiate"}, {}, ""),
        ("psrp", {"auth": "ntlm"}, {}, "ntlm"),
        ("psrp", {"auth": "kerberos"}, {}, "kerberos"),
        ("ssh", {}, {"ansible_ssh_private_key_file": "/key"}, "key"),
        ("ssh", {}, {"ansible_password": "x"}, "password"),
        ("paramiko", {}, {}, ""),
        ("local", {}, {}, ""),
    ],
)
def test_authentication(connection, options, variables, expected):
    assert authentication(connection, options.get, variables) == expected


def test_the_line_never_holds_a_password():
    told = line("ssh", {"remote_user": "root"}.__getitem__, {"ansible_password": "hunter2", "ansible_port": "2222"})
    assert told == Line("ssh", 2222, "root", authentication="password")
    assert "hunter2" not in repr(told)


def test_a_connection_without_an_account_has_the_one_of_the_variables():
    assert line("local", {}.__getitem__, {"ansible_user": "alice"}).account == "alice"
