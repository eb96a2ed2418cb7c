# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What doctor says of Windows hosts: port, certificate, login, privilege, language mode, and the way out of each."""

from __future__ import annotations

import pytest

from tests.lab import powershell
from tests.lab.playbooks import play
from tests.lab.windows.fleet import PASSWORD, fleet


@pytest.fixture(autouse=True)
def shell():
    powershell.require()


def lines(played, host):
    """Return what was said of a host: (level, text, remedy) of every line."""
    said, found = played.output.splitlines(), []
    for number, line in enumerate(said):
        for level in ("ok", "warning", "error"):
            if line.startswith(f"{level:<8} {host}: "):
                remedy = said[number + 1].removeprefix("         -> ") if level != "ok" else ""
                found.append((level, line.partition(f"{host}: ")[2], remedy))
    return found


def texts(played, host, level):
    return [text for found, text, _remedy in lines(played, host) if found == level]


def test_a_good_host_and_one_in_constrained_language_mode(tmp_path):
    names = {"good": "ws2022", "closed": "ws2022-constrained"}
    with fleet(names, "psrp-basic-tls", tmp_path) as hosts:
        played = play("doctor", hosts.inventory, tmp_path)
    good = texts(played, "good", "ok")
    assert f"port {hosts.servers['good'].port} answers" in good
    assert "the host's certificate ends in 29 days" in texts(played, "good", "warning")
    assert "language mode FullLanguage" in good
    assert "administrator" in good
    assert "psrp connection, collector answered in shell PowerShell 5.1.20348.5761 Desktop" in good
    assert not texts(played, "good", "error")
    (error,) = texts(played, "closed", "error")
    assert "ConstrainedLanguage" in error
    assert played.code == 2
    assert PASSWORD not in played.output


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("auditor", "the account is no administrator; what only those may read will be unknown"),
        ("localadmin", "the account is a local administrator whose token Windows filters over the network"),
    ],
)
def test_privilege(tmp_path, user, sentence):
    with fleet({"web01": "ws2022"}, "winrm-ntlm", tmp_path, user=user) as hosts:
        played = play("doctor", hosts.inventory, tmp_path)
    assert sentence in texts(played, "web01", "warning")
    unreadable = [
        text for text in texts(played, "web01", "warning") if text.startswith("facts that will be unreadable")
    ]
    assert unreadable
    assert not texts(played, "web01", "error")


def test_certificates(tmp_path, answer):
    bad = {"stranger": "stranger", "expired": "expired", "wrong-name": "wrong-name"}
    names = {**dict.fromkeys(bad, "ws2022"), "ignored": "ws2022"}
    with fleet(names, "winrm-basic-tls", tmp_path, certificates=bad, wrap=lambda n, run: answer.run) as hosts:
        hosts.inventory["ignored"]["ansible_winrm_server_cert_validation"] = "ignore"
        played = play("doctor", hosts.inventory, tmp_path)
        assert [hosts[name].stats.requests for name in bad] == [0, 0, 0]
    said = {name: texts(played, name, "error") for name in bad}
    assert "no authority that the controller knows has signed it" in said["stranger"][0]
    assert "it has expired" in said["expired"][0]
    assert "it is for another name" in said["wrong-name"][0]
    (warning, *_rest) = [text for text in texts(played, "ignored", "warning") if "certificate" in text]
    assert warning.startswith("the host's certificate is not checked")


def test_login_port_and_right(tmp_path, answer):
    names = {"password": "ws2022", "closed": "ws2022", "right": "ws2022"}
    with fleet(names, "winrm-ntlm", tmp_path, refused=["auditor"], wrap=lambda n, run: answer.run) as hosts:
        hosts.inventory["password"]["ansible_password"] = "wrong"
        hosts.inventory["closed"]["ansible_port"] = 1
        hosts.inventory["right"]["ansible_user"] = "auditor"
        played = play("doctor", hosts.inventory, tmp_path)
    assert texts(played, "password", "error")[0].startswith("The host refused the login")
    assert texts(played, "closed", "error")[0].startswith("127.0.0.1 port 1 does not answer")
    assert texts(played, "right", "error")[0].startswith("The account may not use WinRM on the host: access denied")
    assert all(remedy for level, _text, remedy in lines(played, "right") if level != "ok")
    assert played.code == 2
