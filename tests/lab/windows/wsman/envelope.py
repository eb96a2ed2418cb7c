# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SOAP envelopes of WS-Management as Windows writes them ([MS-WSMV] 2.2 and 3.1.4), and its fault answers."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = f"{SHELL}/cmd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "x": TRANSFER,
    "rsp": SHELL,
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
}
_NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
_WMI = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_OVERHEAD = 2560  # of an answer around the base64 text


@dataclass(frozen=True)
class Message:
    """What a client asked for."""

    action: str
    resource: str
    message_id: str
    shell_id: str
    timeout: float
    largest: int
    options: dict[str, str]
    size: int
    body: ET.Element

    @property
    def operation(self) -> str:
        """Return ``Create``, ``Receive`` and so on."""
        return self.action.rsplit("/", 1)[-1]

    @property
    def room(self) -> int:
        """Return how many raw bytes fit into one answer, as base64, within MaxEnvelopeSize."""
        return (self.largest - _OVERHEAD) * 3 // 4

    def find(self, path: str) -> ET.Element | None:
        """Return an element below the body."""
        return self.body.find(path, NAMES)


@dataclass(frozen=True)
class Problem:
    """A fault of WinRM. ``wmi``: it comes as an MSFT_WmiError, as newer releases report quotas."""

    code: int
    subcode: str
    text: str
    sender: bool = True
    wmi: bool = False


TIMED_OUT = Problem(
    2150858793,
    "w:TimedOut",
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
    sender=False,
)
ACCESS_DENIED = Problem(5, "w:AccessDenied", "Access is denied. ")
NO_SHELL = Problem(
    2150858843,
    "w:InvalidSelectors",
    "The request for the Windows Remote Shell with ShellId failed because the shell was not found on the server. "
    "Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. ",
)
NO_COMMAND = Problem(
    2150858843,
    "w:InvalidSelectors",
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
    "Either the command has completed execution or the client specified an invalid command identifier. ",
)
TOO_MANY_SHELLS = Problem(
    2150859173,
    "w:QuotaLimit",
    "The WS-Management service cannot process the request. This user is allowed a maximum number of 30 concurrent "
    "shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
)
TOO_MANY_OPERATIONS = Problem(
    2150859174,
    "w:InternalError",
    "The WS-Management service cannot process the request. This user is allowed a maximum number of 1500 concurrent "
    "operations, which has been exceeded. Close existing operations for this user, or raise the quota for this user. ",
    sender=False,
    wmi=True,
)
NOT_SUPPORTED = Problem(2150858752, "a:ActionNotSupported", "The action is not supported by the service. ")


class EnvelopeError(Exception):
    """What came is no WS-Management message."""


class Refused(Exception):
    """The operation ends with a fault."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def parse(data: bytes) -> Message:
    """Return the message in an envelope.

    Raises:
        EnvelopeError: it is none.
    """
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise EnvelopeError(str(error)) from error
    header, body = root.find("s:Header", NAMES), root.find("s:Body", NAMES)
    if header is None or body is None:
        raise EnvelopeError("no header or no body")
    options = {one.get("Name", ""): one.text or "" for one in header.iterfind("w:OptionSet/w:Option", NAMES)}
    selectors = {one.get("Name", ""): one.text or "" for one in header.iterfind("w:SelectorSet/w:Selector", NAMES)}
    duration = re.fullmatch(r"PT([0-9.]+)S", header.findtext("w:OperationTimeout", "", NAMES))
    return Message(
        action=header.findtext("a:Action", "", NAMES),
        resource=header.findtext("w:ResourceURI", "", NAMES),
        message_id=header.findtext("a:MessageID", "", NAMES),
        shell_id=selectors.get("ShellId", "").upper(),
        timeout=float(duration[1]) if duration else 60.0,
        largest=int(header.findtext("w:MaxEnvelopeSize", "153600", NAMES)),
        options=options,
        size=len(data),
        body=body,
    )


def answer(message: Message, body: str) -> bytes:
    """Return the answer to a message."""
    return _envelope(f"{message.action}Response", message.message_id, body)


def fault(message: Message, problem: Problem) -> bytes:
    """Return the fault that a message ends with."""
    text = escape(problem.text)
    detail = (
        f'<p:MSFT_WmiError xmlns:p="{_WMI}" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
        f'b:IsCIM_Error="true"><p:Message>{text}</p:Message><p:MessageID>HRESULT 0x{problem.code:08x}</p:MessageID>'
        f"<p:error_Code>{problem.code}</p:error_Code><p:error_Type>HRESULT</p:error_Type></p:MSFT_WmiError>"
        if problem.wmi
        else f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{problem.code}" '
        f'Machine="127.0.0.1"><f:Message>{text}</f:Message></f:WSManFault>'
    )
    return _envelope(
        FAULT,
        message.message_id,
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if problem.sender else 'Receiver'}</s:Value><s:Subcode><s:Value>"
        f'{problem.subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>",
    )


def created(message: Message, shell_id: str, user: str) -> str:
    """Return the body that answers Create ([MS-WSMV] 3.1.4.5.2)."""
    inputs = message.body.findtext("rsp:Shell/rsp:InputStreams", "", NAMES)
    outputs = message.body.findtext("rsp:Shell/rsp:OutputStreams", "", NAMES)
    return (
        f"<x:ResourceCreated><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>"
        f'{escape(message.resource)}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector>'
        f"</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId>"
        f"<rsp:ResourceUri>{escape(message.resource)}</rsp:ResourceUri><rsp:Owner>{escape(user)}</rsp:Owner>"
        "<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut>"
        f"<rsp:InputStreams>{escape(inputs)}</rsp:InputStreams><rsp:OutputStreams>{escape(outputs)}</rsp:OutputStreams>"
        "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity>"
        "</rsp:Shell>"
    )


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>{escape(action)}</a:Action><a:MessageID>'
        f"uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To><a:RelatesTo>{escape(relates_to)}"
        f"</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
