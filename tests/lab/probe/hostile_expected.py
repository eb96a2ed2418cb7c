# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must come of each behaviour of the hostile server, worked out by hand from what the behaviour is.

A cell lists every answer that is right; one letter means that nothing else is. What is true of a server that lies about
itself is that nothing is known of it, so a cell has A (accepted) or R (refused) only where the behaviour makes it true.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = ("NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")
DIALECT = {"A": "accepted", "R": "refused", "I": "indeterminate", "V": "violation"}
STATE = {"o": "open", "n": "not_smb", "h": "hostile", "i": "indeterminate"}
SIGNING = {"Q": "required", "N": "not_required", "I": "indeterminate"}
CIPHERS = {"K": "known", "0": "none", "I": "indeterminate"}
NTLM = {"O": "offered", "B": "blocked", "I": "indeterminate"}

_TABLE = """
# behaviour                   state  NT1  202  210  300  302  311  signing ciphers ntlm
silent                        i      I    I    I    I    I    I    I       I       I
deaf                          i      I    I    I    I    I    I    I       I       I
slow_loris                    ih     IV   IV   IV   IV   IV   IV   I       I       I
slow_honest                   ioh    RI   I    I    I    I    I    I       I       I
late_honest                   o      R    A    A    A    A    A    N       K       O
chopped_honest                o      R    A    A    A    A    A    N       K       O
endless_zeros                 nh     IV   IV   IV   IV   IV   IV   I       I       I
endless_noise                 nh     IV   IV   IV   IV   IV   IV   I       I       I
endless_text                  nh     IV   IV   IV   IV   IV   IV   I       I       I
noise                         n      IV   IV   IV   IV   IV   IV   I       I       I
echo                          nhio   IV   IV   IV   IV   IV   IV   I       I       I
discard                       ni     I    I    I    I    I    I    I       I       I
http                          n      IV   IV   IV   IV   IV   IV   I       I       I
ssh                           n      IV   IV   IV   IV   IV   IV   I       I       I
tls                           n      IV   IV   IV   IV   IV   IV   I       I       I
text_banner                   n      IV   IV   IV   IV   IV   IV   I       I       I
reset_on_accept               i      I    I    I    I    I    I    I       I       I
reset_on_request              ni     I    I    I    I    I    I    I       I       I
closes_on_accept              i      I    I    I    I    I    I    I       I       I
closes_in_header              nhi    IV   IV   IV   IV   IV   IV   I       I       I
closes_in_message             nhio   IV   IV   IV   IV   IV   IV   I       I       I
closes_before_the_last_byte   nhio   IV   IV   IV   IV   IV   IV   I       I       I
resets_in_message             nhio   IV   IV   IV   IV   IV   IV   I       I       I
stops_in_header               hi     I    I    I    I    I    I    I       I       I
stops_in_message              hio    I    I    I    I    I    I    I       I       I
# XP does not answer SMB2 at all: silence is all that can be seen, whatever is true.
xp                            o      A    IR   IR   IR   IR   IR   I       I0      IO
# 2.1 out of an offer of everything is a refusal of 3.x; 2.0.2 and 2.1 are answered, SMB1 is not.
silent_on_unknown             o      I    A    A    RI   RI   RI   N       I0      O
every_second_honest           o      RI   AI   AI   AI   AI   AI   N       KI      OI
first_silent                  o      RI   AI   AI   AI   AI   AI   N       KI      OI
frame_of_16_mb                hn     IV   IV   IV   IV   IV   IV   I       I       I
frame_of_16_mb_unsent         hn     IV   IV   IV   IV   IV   IV   I       I       I
longer_than_said              oh     IV   IV   IV   IV   IV   IV   I       I       I
shorter_than_said             ohi    I    I    I    I    I    I    I       I       I
empty_frame                   nhi    IV   IV   IV   IV   IV   IV   I       I       I
# A refusal of SMB1 is not longer than a header of SMB2: it comes whole.
header_only                   oh     R    IV   IV   IV   IV   IV   I       I       I
unknown_frame_type            nhi    IV   IV   IV   IV   IV   IV   I       I       I
keep_alive_flood              hi     IV   IV   IV   IV   IV   IV   I       I       I
keep_alive_drip               hi     IV   IV   IV   IV   IV   IV   I       I       I
keep_alive_before_honest      o      R    A    A    A    A    A    N       K       O
session_negative              nhi    IV   IV   IV   IV   IV   IV   I       I       I
session_retarget              nhi    IV   IV   IV   IV   IV   IV   I       I       I
session_positive_only         nhi    IV   IV   IV   IV   IV   IV   I       I       I
two_answers                   oh     R    AV   AV   AV   AV   AV   NI      KI      I
pending_then_honest           o      R    A    A    A    A    A    N       K       O
pending_flood                 ohi    IV   IV   IV   IV   IV   IV   I       I       I
pending_forever               ohi    I    I    I    I    I    I    I       I       I
wildcard_dialect              oh     R    V    V    V    V    V    I       I       I
unknown_dialect               oh     R    V    V    V    V    V    I       I       I
always_311                    oh     R    IV   IV   IV   IV   AV   NI      KI      OI
always_202                    oh     R    A    RIV  RIV  RIV  RIV  N       I0      OI
# The newer ones are accepted when 2.0.2 is not among the offered: "refused" would be wrong.
not_the_highest               oh     R    A    AIV  AIV  AIV  AIV  N       KI      OI
# Two servers take turns; each answer is right for one of them, and 3.0 and SMB1 for none.
two_servers                   oh     R    ARIV ARIV RIV  RIV  ARIV NQI     KI0     OI
bad_blob_offset               oh     R    AV   AV   AV   AV   AV   NI      KI      OI
bad_blob_length               oh     R    AV   AV   AV   AV   AV   NI      KI      OI
blob_in_header                oh     R    AV   AV   AV   AV   AV   NI      KI      OI
bad_context_offset            oh     R    A    A    A    A    AV   N       I       OI
contexts_in_header            oh     R    A    A    A    A    AV   N       I       OI
contexts_65535                oh     R    A    A    A    A    AV   N       I       OI
context_too_long              oh     R    A    A    A    A    AV   N       I       OI
many_contexts                 oh     R    A    A    A    A    AV   N       IK      OI
cipher_not_offered            oh     R    A    A    A    A    AV   N       I       OI
cipher_never_changes          oh     R    A    A    A    A    A    N       I       O
ciphers_by_the_thousand       oh     R    A    A    A    A    AV   N       I       OI
hash_not_offered              oh     R    A    A    A    A    AV   N       KI      OI
times_out_of_range            o      R    A    A    A    A    A    N       K       O
sizes_out_of_range            oh     R    AV   AV   AV   AV   AV   NI      KI      OI
wrong_message_id              oh     R    IV   IV   IV   IV   IV   I       I       I
wrong_command                 oh     R    IV   IV   IV   IV   IV   I       I       I
request_for_answer            oh     R    IV   IV   IV   IV   IV   I       I       I
wrong_structure_size          oh     R    IV   IV   IV   IV   IV   I       I       I
encrypted_answer              ohn    IV   IV   IV   IV   IV   IV   I       I       I
compressed_answer             ohn    IV   IV   IV   IV   IV   IV   I       I       I
smb1_to_smb2                  oh     R    IV   IV   IV   IV   IV   I       I       I
# Busy, forbidden and unknown are not "I do not speak that".
out_of_resources              o      R    I    I    I    I    I    I       I       I
access_denied                 o      R    IV   IV   IV   IV   IV   I       I       I
success_without_body          oh     R    IV   IV   IV   IV   IV   I       I       I
unknown_status                oh     R    IV   IV   IV   IV   IV   I       I       I
smb1_index_beyond             oh     V    A    A    A    A    A    N       K       O
smb1_words_lie                oh     V    A    A    A    A    A    N       K       O
smb1_bytes_lie                oh     AV   A    A    A    A    A    N       K       O
smb1_without_terminator       oh     AV   RI   RI   RI   RI   RI   I       I0      IO
longest_answer                oh     R    AV   AV   AV   AV   AV   NI      KI      OI
no_session                    o      R    A    A    A    A    A    N       K       I
session_refused               o      R    A    A    A    A    A    N       K       B
session_for_nothing           oh     R    A    A    A    A    A    N       K       I
empty_token                   oh     R    A    A    A    A    A    N       K       I
token_of_noise                oh     R    A    A    A    A    A    N       K       I
token_nested                  oh     R    A    A    A    A    A    N       K       I
token_length_lies             oh     R    A    A    A    A    A    N       K       I
target_outside                oh     R    A    A    A    A    A    N       K       OI
pairs_outside                 oh     R    A    A    A    A    A    N       K       OI
pair_too_long                 oh     R    A    A    A    A    A    N       K       OI
names_half_a_character        oh     R    A    A    A    A    A    N       K       OI
names_of_poison               o      R    A    A    A    A    A    N       K       OI
guid_of_poison                o      R    A    A    A    A    A    N       K       O
endless_challenges            oh     R    A    A    A    A    A    N       K       I
"""


@dataclass(frozen=True)
class Expected:
    """The right answers of one behaviour; each is a set of words."""

    state: frozenset[str]
    dialects: dict[str, frozenset[str]]
    signing: frozenset[str]
    ciphers: frozenset[str]
    ntlm: frozenset[str]


def _words(letters: str, meaning: dict[str, str]) -> frozenset[str]:
    return frozenset(meaning[letter] for letter in letters)


def _read() -> dict[str, Expected]:
    found = {}
    for line in _TABLE.strip().splitlines():
        if line.startswith("#"):
            continue
        name, state, *dialects, signing, ciphers, ntlm = line.split()
        found[name] = Expected(
            _words(state, STATE),
            {column: _words(cell, DIALECT) for column, cell in zip(COLUMNS, dialects, strict=True)},
            _words(signing, SIGNING),
            _words(ciphers, CIPHERS),
            _words(ntlm, NTLM),
        )
    return found


EXPECTED = _read()
"""Behaviour → the right answers."""


def wrong(name: str, port: dict[str, object], asked: bool = True) -> list[str]:
    """Return what a port's document says that is not right for a behaviour.

    Args:
        name: the behaviour.
        port: what was said of a port.
        asked: everything was asked; else what is absent is right, and what is there must be.
    """
    right = EXPECTED[name]
    dialects = port.get("dialects") or {}
    assert isinstance(dialects, dict)
    # Where a session was granted, or refused, something speaks NetBIOS: that is open, whatever comes after.
    spoke = {"open"} if port.get("netbios_session", "none") != "none" else set()
    facts = {"state": (str(port["state"]), right.state | spoke)}
    facts |= {one: (_said(dialects.get(one)), allowed) for one, allowed in right.dialects.items()}
    facts |= {
        one: (_said(port.get(one)), getattr(right, one))
        for one in ("signing", "ciphers", "ntlm")
        if asked or one in port
    }
    return [
        f"{fact} is {found}, not {' or '.join(sorted(allowed))}"
        for fact, (found, allowed) in facts.items()
        if found not in allowed
    ]


def _said(fact: object) -> str:
    return str(fact.get("answer", "")) if isinstance(fact, dict) else "indeterminate"
