# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SPNEGO and NTLMSSP, against pyspnego, which reads what we write, writes what we read, and checks our proof."""

from __future__ import annotations

import datetime
import hmac

import pytest
import spnego as pyspnego
from spnego._ntlm_raw import messages as theirs
from spnego._spnego import NegState, NegTokenInit, NegTokenResp, unpack_token

from ansible_collections.breakwater.smb.plugins.module_utils._smb import filetime, ntlmssp, spnego
from ansible_collections.breakwater.smb.plugins.module_utils._smb.errors import LocalProtocolError, RemoteProtocolError

NTLM = "1.3.6.1.4.1.311.2.2.10"
WINDOWS = ["1.3.6.1.4.1.311.2.2.30", "1.2.840.48018.1.2.2", "1.2.840.113554.1.2.2", "1.2.840.113554.1.2.2.3", NTLM]


def reason(function, *arguments):
    with pytest.raises(RemoteProtocolError) as caught:
        function(*arguments)
    return caught.value.reason


def tlv(tag, value):
    assert len(value) < 128
    return bytes((tag, len(value))) + value


# SPNEGO


@pytest.mark.parametrize("length", [0, 40, 100, 127, 128, 200, 255, 256, 5000, 32000])
def test_what_we_write_is_read(length):
    token = ntlmssp.SIGNATURE + bytes(length)
    first = unpack_token(spnego.init(token))
    assert (first.mech_types, first.mech_token) == ([NTLM], token)
    second = unpack_token(spnego.response(token))
    assert (second.response_token, second.neg_state) == (token, None)


def test_a_token_has_an_end():
    for write in (spnego.init, spnego.response):
        with pytest.raises(LocalProtocolError):
            write(bytes(32768))


def test_what_windows_offers():
    blob = NegTokenInit(mech_types=WINDOWS, hint_name=b"not_defined_in_RFC4178@please_ignore").pack()
    answer = spnego.parse(blob)
    assert answer.mechanisms == ("NEGOEX", "MS-Kerberos", "Kerberos", "Kerberos-U2U", "NTLMSSP")
    assert (answer.hint, answer.token, answer.state) == ("not_defined_in_RFC4178@please_ignore", b"", None)


def test_mechanisms_without_a_name():
    mechanisms = tlv(0x06, b"\x88\x37\1") + tlv(0x06, b"\x2a\3\4\x92\xa7\x60") + tlv(0x06, b"\x09")
    blob = tlv(0xA0, tlv(0x30, tlv(0xA0, tlv(0x30, mechanisms))))
    assert spnego.parse(blob).mechanisms == ("2.999.1", "1.2.3.4.300000", "0.9")


def test_an_answer():
    blob = NegTokenResp(neg_state=NegState.accept_incomplete, supported_mech=NTLM, response_token=b"NTLMSSP\0x").pack()
    assert spnego.parse(blob) == spnego.Spnego(("NTLMSSP",), b"NTLMSSP\0x", "", spnego.ACCEPT_INCOMPLETE)
    assert spnego.parse(NegTokenResp(neg_state=NegState.reject).pack()).state == spnego.REJECT
    assert spnego.parse(b"") == spnego.Spnego()
    assert spnego.parse(b"NTLMSSP\0rest") == spnego.Spnego(("NTLMSSP",), b"NTLMSSP\0rest")


def test_a_mic_where_hints_may_stand_is_no_hint():
    """RFC 4178 has the MIC as [3], an octet string."""
    inner = tlv(0xA0, tlv(0x30, spnego._OID_NTLMSSP)) + tlv(0xA3, tlv(0x04, b"\x30\x03mic"))
    blob = tlv(0x60, spnego._OID_SPNEGO + tlv(0xA0, tlv(0x30, inner)))
    assert spnego.parse(blob) == spnego.Spnego(("NTLMSSP",))


@pytest.mark.parametrize(
    ("blob", "expected"),
    [
        (b"\x60", "bad_token"),
        (b"\x60\x80", "bad_token"),
        (b"\x60\x85\0\0\0\0\1x", "bad_token"),
        (b"\x60\x84\xff\xff\xff\xff", "bad_token"),
        (b"\x60\x01\x06", "bad_token"),
        (tlv(0x60, tlv(0x06, b"\x2a\x86\x48")), "bad_token"),
        (tlv(0x60, spnego._OID_SPNEGO), "bad_token"),
        (tlv(0x60, spnego._OID_SPNEGO + tlv(0xA7, b"")), "bad_token"),
        (tlv(0x30, b""), "bad_token"),
        (tlv(0xA1, tlv(0x31, b"")), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA0, tlv(0x0A, b"\0\1")))), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA2, tlv(0x03, b"x")))), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA1, tlv(0x06, b"")))), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA1, tlv(0x06, b"\x2a\x86")))), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA1, tlv(0x06, b"\x2a" * 65)))), "bad_token"),
        (tlv(0xA1, tlv(0x30, tlv(0xA7, b"") * 9)), "too_many"),
        (tlv(0xA0, tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0x06, b"\x2a") * 33)))), "too_many"),
        (tlv(0xA0, tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0x02, b"\x2a"))))), "bad_token"),
        (b"\xa0\x80" * 30000, "bad_token"),
        (b"\x30\x82\xff\xfc" * 10000, "bad_token"),
    ],
)
def test_what_is_no_token(blob, expected):
    assert reason(spnego.parse, blob) == expected


# NTLMSSP

PAIRS = (
    (theirs.AvId.nb_domain_name, "CORP"),
    (theirs.AvId.nb_computer_name, "FS1"),
    (theirs.AvId.dns_domain_name, "corp.example"),
    (theirs.AvId.dns_computer_name, "fs1.corp.example"),
    (theirs.AvId.dns_tree_name, "example"),
)
NOW = datetime.datetime(2026, 11, 22, 6, 49, 8, tzinfo=datetime.timezone.utc)


def challenge(pairs=PAIRS, moment=NOW, flags=0xE28A8215, version=(10, 0, 20348)):
    info = theirs.TargetInfo()
    for kind, value in pairs:
        info[kind] = value
    if moment:
        info[theirs.AvId.timestamp] = theirs.FileTime.unpack(
            filetime.from_unix(moment.timestamp()).to_bytes(8, "little")
        )
    return theirs.Challenge(
        flags=flags,
        server_challenge=b"8 bytes!",
        target_name="CORP",
        target_info=info,
        version=theirs.Version(major=version[0], minor=version[1], build=version[2]),
    ).pack()


def test_our_first_message():
    message = theirs.Negotiate.unpack(ntlmssp.negotiate())
    assert message.flags == 0xE2088297
    assert (message.domain_name, message.workstation) == (None, None)
    assert (message.version.major, message.version.minor, message.version.build) == (10, 0, 17763)
    assert message.version.revision == 15


def test_what_a_challenge_tells():
    answer = ntlmssp.challenge(challenge())
    assert (answer.target, answer.challenge, answer.flags) == ("CORP", b"8 bytes!", 0xE28A8215)
    assert (answer.netbios_domain, answer.netbios_computer) == ("CORP", "FS1")
    assert (answer.dns_domain, answer.dns_computer, answer.dns_forest) == (
        "corp.example",
        "fs1.corp.example",
        "example",
    )
    assert (answer.version, answer.revision) == ("10.0.20348", 15)
    assert filetime.iso(answer.time) == "2026-11-22T06:49:08.000Z"
    assert len(answer.pairs) == 6


def test_what_a_challenge_need_not_tell():
    message = challenge()
    without_version = message[:20] + (0xE28A8215 & ~ntlmssp.VERSION).to_bytes(4, "little") + message[24:]
    assert ntlmssp.challenge(without_version).version == ""
    old = ntlmssp.challenge(ntlmssp.SIGNATURE + b"\2\0\0\0" + bytes(8) + b"\0\2\0\0" + b"8 bytes!")
    assert old == ntlmssp.Challenge("", 0x200, b"8 bytes!")
    names = ntlmssp.SIGNATURE + b"\2\0\0\0" + b"\4\0\4\0\x20\0\0\0" + b"\2\2\0\0" + b"8 bytes!CORP"
    assert ntlmssp.challenge(names).target == "CORP"


def av(kind, value, length=None):
    return kind.to_bytes(2, "little") + (len(value) if length is None else length).to_bytes(2, "little") + value


def with_info(info, length=None, start=48):
    size = (len(info) if length is None else length).to_bytes(2, "little")
    field = size + size + start.to_bytes(4, "little")
    return ntlmssp.SIGNATURE + b"\2\0\0\0" + bytes(8) + b"\1\2\x80\0" + b"8 bytes!" + bytes(8) + field + info


def test_pairs_are_read_to_their_end_mark():
    assert ntlmssp.challenge(with_info(av(1, b"A\0") + av(0, b"") + b"rubbish")).pairs == ((1, b"A\0"),)
    assert ntlmssp.challenge(with_info(av(1, b"A\0"))).netbios_computer == "A"
    twice = ntlmssp.challenge(with_info(av(1, b"A\0") + av(1, b"B\0") + av(7, b"short")))
    assert (twice.netbios_computer, twice.time) == ("A", 0)
    assert len(ntlmssp.challenge(with_info(av(99, b"") * 64)).pairs) == 64


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (b"", "bad_token"),
        (b"NTLMSSP\0", "bad_token"),
        (b"x" * 60, "bad_token"),
        (ntlmssp.negotiate(), "bad_token"),
        (ntlmssp.SIGNATURE + b"\3\0\0\0" + bytes(60), "bad_token"),
        (ntlmssp.SIGNATURE + b"\2\0\0\0" + b"\4\0\4\0\x1f\0\0\0" + bytes(20), "bad_token"),
        (ntlmssp.SIGNATURE + b"\2\0\0\0" + b"\4\0\4\0\xff\xff\xff\xff" + bytes(20), "bad_token"),
        (with_info(av(1, b"A\0"), start=0xFFFFFFFF), "bad_token"),
        (with_info(av(1, b"A\0"), length=7), "bad_token"),
        (with_info(av(1, b"A\0", length=3)), "bad_token"),
        (with_info(av(1, b"A\0") + b"\0\0\0"), "bad_token"),
        (with_info(av(99, b"") * 65), "too_many"),
        (with_info(av(99, bytes(9000))), "too_long"),
    ],
)
def test_what_is_no_challenge(token, expected):
    assert reason(ntlmssp.challenge, token) == expected


def test_an_anonymous_answer():
    answer = theirs.Authenticate.unpack(ntlmssp.anonymous(ntlmssp.challenge(challenge())))
    assert answer.flags & ntlmssp.ANONYMOUS
    assert not answer.flags & (ntlmssp.KEY_EXCHANGE | ntlmssp.SIGN)
    assert (answer.user_name, answer.domain_name, answer.workstation) == (None, None, None)
    assert (answer.lm_challenge_response, answer.nt_challenge_response) == (b"\0", None)


def test_a_guests_answer_proves_an_empty_password():
    told = ntlmssp.challenge(challenge())
    answer = theirs.Authenticate.unpack(ntlmssp.guest(told, "Gäst", client_challenge=b"clientch"))
    assert (answer.user_name, answer.domain_name) == ("Gäst", None)
    assert answer.lm_challenge_response == bytes(24)
    key = hmac.new(bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0"), "GÄST".encode("utf-16-le"), "md5").digest()
    proof, temporary = answer.nt_challenge_response[:16], answer.nt_challenge_response[16:]
    assert proof == hmac.new(key, b"8 bytes!" + temporary, "md5").digest()
    blob = theirs.NTClientChallengeV2.unpack(temporary)
    assert blob.challenge_from_client == b"clientch"
    assert blob.av_pairs[theirs.AvId.dns_computer_name] == "fs1.corp.example"


def test_a_guest_without_the_servers_time_tells_its_own():
    told = ntlmssp.challenge(challenge(moment=None))
    answer = theirs.Authenticate.unpack(ntlmssp.guest(told, "guest", client_challenge=b"clientch", now=0x1234))
    assert answer.nt_challenge_response[24:32] == (0x1234).to_bytes(8, "little")
    assert len(answer.lm_challenge_response) == 24 and answer.lm_challenge_response.endswith(b"clientch")
    one, other = (ntlmssp.guest(told, "guest") for _time in range(2))
    assert one != other  # the client's challenge is random


@pytest.mark.parametrize(("user", "nonce"), [("", b""), ("x" * 105, b""), ("guest", b"short")])
def test_guests_that_cannot_be(user, nonce):
    with pytest.raises(LocalProtocolError):
        ntlmssp.guest(ntlmssp.challenge(challenge()), user, client_challenge=nonce)


def test_python_without_md5_is_our_fault_and_not_the_peers(monkeypatch):
    def refuse(*_arguments):
        raise ValueError("disabled for FIPS")

    monkeypatch.setattr(ntlmssp.hmac, "new", refuse)
    with pytest.raises(LocalProtocolError, match="MD5"):
        ntlmssp.guest(ntlmssp.challenge(challenge()), "guest")


def test_a_server_accepts_an_account_without_a_password(tmp_path, monkeypatch):
    """pyspnego's acceptor verifies the response itself."""
    accounts = tmp_path / "accounts"
    accounts.write_text(":guest:\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))
    server = pyspnego.server(protocol="ntlm", options=pyspnego.NegotiateOptions.use_ntlm)
    told = ntlmssp.challenge(server.step(ntlmssp.negotiate()))
    server.step(ntlmssp.guest(told, "guest"))
    assert server.complete
    assert server.client_principal is not None and server.client_principal.endswith("guest")
    wrong = pyspnego.server(protocol="ntlm", options=pyspnego.NegotiateOptions.use_ntlm)
    told = ntlmssp.challenge(wrong.step(ntlmssp.negotiate()))
    forged = bytearray(ntlmssp.guest(told, "guest"))
    forged[88 + 24] ^= 1  # the first byte of the proof
    with pytest.raises(pyspnego.exceptions.SpnegoError):
        wrong.step(bytes(forged))
