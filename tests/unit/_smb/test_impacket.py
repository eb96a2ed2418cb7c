# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codec against impacket's structures: it reads what we write, and we read what it writes."""

from __future__ import annotations

import struct

import pytest
from impacket import smb as theirs1
from impacket import smb3structs as theirs

from ansible_collections.breakwater.smb.plugins.module_utils._smb import (
    ntlmssp,
    smb1,
    smb1_session,
    smb2,
    smb2_session,
    spnego,
)

GUID, SALT = bytes(range(16)), bytes(32)


@pytest.mark.parametrize("offered", [(0x0202,), smb2.DIALECTS[:3], smb2.DIALECTS])
def test_impacket_reads_our_negotiate(offered):
    packet = theirs.SMB2Packet(smb2.negotiate_request(offered, message_id=3, guid=GUID, salt=SALT))
    assert (packet["Command"], packet["MessageID"], packet["Status"]) == (theirs.SMB2_NEGOTIATE, 3, 0)
    request = theirs.SMB2Negotiate(packet["Data"])
    assert request["Dialects"][: request["DialectCount"]] == list(offered)
    assert request["SecurityMode"] == theirs.SMB2_NEGOTIATE_SIGNING_ENABLED
    if 0x0311 not in offered:
        assert request["ClientStartTime"] == bytes(8)
        return
    start, count, _reserved = struct.unpack("<IHH", request["ClientStartTime"])
    listed = packet.getData()[start:]
    kinds = []
    for _index in range(count):
        context = theirs.SMB2NegotiateContext(listed)
        kinds.append(context["ContextType"])
        listed = listed[8 + context["DataLength"] + -context["DataLength"] % 8 :]
        if kinds[-1] == theirs.SMB2_ENCRYPTION_CAPABILITIES:
            ciphers = theirs.SMB2EncryptionCapabilities(context["Data"])
            assert ciphers["CipherCount"] == 4
        if kinds[-1] == theirs.SMB2_PREAUTH_INTEGRITY_CAPABILITIES:
            hashes = theirs.SMB2PreAuthIntegrityCapabilities(context["Data"])
            assert (hashes["HashAlgorithmCount"], hashes["SaltLength"], hashes["Salt"]) == (1, 32, SALT)
    assert kinds == [1, 2, 3, 8] and not listed


def test_we_read_impackets_reply():
    packet = theirs.SMB2Packet()
    packet["Command"], packet["Flags"], packet["MessageID"] = (
        theirs.SMB2_NEGOTIATE,
        theirs.SMB2_FLAGS_SERVER_TO_REDIR,
        5,
    )
    reply = theirs.SMB2Negotiate_Response()
    reply["SecurityMode"], reply["DialectRevision"], reply["ServerGuid"] = 3, 0x0302, GUID
    reply["Capabilities"], reply["MaxTransactSize"], reply["MaxReadSize"], reply["MaxWriteSize"] = 0x4F, 1, 2, 3
    reply["SystemTime"], reply["ServerStartTime"] = 4, 5
    reply["SecurityBufferOffset"], reply["SecurityBufferLength"] = 128, 5
    reply["Buffer"], reply["NegotiateContextOffset"] = b"token", 0
    packet["Data"] = reply.getData()
    assert smb2.negotiate_response(packet.getData(), smb2.DIALECTS, message_id=5) == smb2.Negotiate2(
        0, 0x0302, 3, 0x4F, 1, 2, 3, GUID, 4, 5, b"token"
    )


def test_impacket_reads_our_session_setup():
    blob = spnego.init(ntlmssp.negotiate())
    packet = theirs.SMB2Packet(smb2_session.session_setup_request(1, 0x1234, blob))
    assert (packet["Command"], packet["SessionID"]) == (theirs.SMB2_SESSION_SETUP, 0x1234)
    request = theirs.SMB2SessionSetup(packet["Data"])
    assert (request["SecurityBufferLength"], request["Buffer"]) == (len(blob), blob)


def test_impacket_reads_our_smb1():
    packet = theirs1.NewSMBPacket(data=smb1.negotiate_request(smb1.DIALECTS))
    assert (packet["Command"], packet["Flags2"] & 0x0800) == (theirs1.SMB.SMB_COM_NEGOTIATE, 0x0800)
    packet = theirs1.NewSMBPacket(data=smb1_session.session_setup_request(b"token", uid=7))
    command = theirs1.SMBCommand(packet["Data"][0])
    words = theirs1.SMBSessionSetupAndX_Extended_Parameters(command["Parameters"])
    assert (packet["Uid"], words["SecurityBlobLength"], words["VcNumber"]) == (7, 5, 1)
    assert command["Data"].startswith(b"token")
    packet = theirs1.NewSMBPacket(data=smb1_session.tree_connect_request("fs", uid=7))
    command = theirs1.SMBCommand(packet["Data"][0])
    words = theirs1.SMBTreeConnectAndX_Parameters(command["Parameters"])
    tree = theirs1.SMBTreeConnectAndX_Data(flags=packet["Flags2"])
    tree["_PasswordLength"] = words["PasswordLength"]
    tree.fromString(command["Data"])
    assert tree["Service"] == "?????"
    packet = theirs1.NewSMBPacket(data=smb1_session.peek_named_pipe_request(tid=9, uid=7))
    command = theirs1.SMBCommand(packet["Data"][0])
    words = theirs1.SMBTransaction_Parameters(command["Parameters"])
    assert (packet["Tid"], words["SetupCount"], words["Setup"]) == (9, 2, b"\x23\0\0\0")
    assert words["DataOffset"] == words["ParameterOffset"] == len(packet.getData())
