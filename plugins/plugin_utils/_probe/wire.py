# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a host answered to the third truth about its settings: ``wire``. Pure.

A setting is finer than what a client sees: ``server signing`` has five values, and a client sees whether it must sign. So
each claim is the list of values that fit what was seen. Where the configured value is among them, it is the wire's value
too: nothing contradicts it. Where it is not, the first of the list is, and the two truths differ. What a client cannot
see (whether encryption is *required*; ``restrict anonymous``, which lets the session be set up and refuses what comes
after it) is never claimed, and what was not answered for certain is ``unreadable`` with the
reason; then ``wire`` may hold what was certainly seen, beside it.

A host that offers nothing to this client (closed, filtered, not SMB) has no wire values at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model.fact import Fact, FactSet
from .offer import ORDER, SMB2, Offer, offered


@dataclass(frozen=True, slots=True)
class Claim:
    """What the wire says about one setting.

    Attributes:
        fact: its id.
        fits: values that fit what was seen, the most likely first; empty: none is known.
        doubt: why something else may be true ("" when nothing speaks for that).
        anyway: claimed even where the host does not have the setting (releases of Windows that know no dialect floor).
        unseen: values that fit as well, and that a client cannot tell from the others: then nothing is claimed, and
            neither where the host's own value is not known.
    """

    fact: str
    fits: tuple[Any, ...]
    doubt: str = ""
    anyway: bool = True
    unseen: tuple[Any, ...] = ()


def wire_facts(documents: Iterable[Mapping[str, Any]], implementations: Collection[str], known: FactSet) -> FactSet:
    """Return facts that have only a ``wire`` value, or the reason why there is none.

    Args:
        documents: answers of one host (its addresses, from one vantage or several), in the probe's result format.
        implementations: whose settings to speak of: "samba", "windows"; others have no settings here.
        known: what was collected from the host; the wire's values are put in its terms.
    """
    offer = offered(documents)
    facts = FactSet()
    for name in implementations:
        for claim in _CLAIMS.get(name, _nothing)(offer, known):
            fact = known.get(claim.fact)
            believed = _believed(fact or Fact())
            if claim.unseen and (believed is None or believed in claim.unseen):
                continue
            if fact is not None or claim.anyway or not known.by_id:
                facts.put(claim.fact, _fact(claim, believed))
    return facts


def _believed(known: Fact) -> Any:
    """Return what the host itself says: what runs before what is written."""
    return known.effective if known.effective is not None else known.configured


def _fact(claim: Claim, believed: Any) -> Fact:
    value = claim.fits[0] if claim.fits else None
    if any(_same(fit, believed) for fit in claim.fits):
        value = believed
    if claim.doubt:
        return Fact(wire=value, unreadable=f"the wire did not tell: {claim.doubt}")
    return Fact(wire=value)


def _same(one: Any, other: Any) -> bool:
    """Whether two values mean the same to a client; the order of algorithms is no difference."""
    if isinstance(one, list) and isinstance(other, list):
        return set(map(str, one)) == set(map(str, other))
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _nothing(offer: Offer, known: FactSet) -> Iterator[Claim]:
    del offer, known
    return iter(())


_SAMBA = dict(
    zip(
        ORDER,
        ("CORE", "COREPLUS", "LANMAN1", "LANMAN2", "NT1", "SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"),
        strict=True,
    )
)
_SAMBA_FLOORS = {"3.0": ("SMB2_22", "SMB2_24"), "3.1.1": ("SMB3_10",)}
"""Floors of dialects that were never released: the next one that a client can be offered."""
_SAMBA_CEILINGS = {"2.1": ("SMB2_22", "SMB2_24"), "3.0.2": ("SMB3_10",), "3.1.1": ("default",)}
_SAMBA_SIGNING = {
    "required": ("mandatory", "default"),  # the default of a domain controller
    "enabled": ("desired", "if_required", "default"),
    "not_required": ("if_required", "default", "desired", "disabled"),
    "disabled": ("disabled", "default", "if_required"),
}
_SAMBA_ALGORITHMS = {"AES-GMAC": "AES-128-GMAC", "AES-CMAC": "AES-128-CMAC"}


def _samba(offer: Offer, known: FactSet) -> Iterator[Claim]:
    if offer.names:
        yield Claim("samba.nmbd_running", (True,))
    if not (offer.speaks or offer.doubts):
        return
    yield from _samba_dialects(offer)
    answer, doubt = offer.weakest(*_signing(offer))
    if answer or doubt:
        yield Claim("samba.server_signing", _samba_signing(answer, known), doubt)
    yield from _algorithms(offer, "ciphers", "samba.server_smb3_encryption_algorithms", lambda name: name)
    yield from _algorithms(
        offer,
        "signing_algorithms",
        "samba.server_smb3_signing_algorithms",
        lambda name: _SAMBA_ALGORITHMS.get(name, name),
    )
    yield from _samba_encryption(offer)
    if _some(offer, "guest"):
        yield Claim("samba.map_to_guest", ("Bad User", "Bad Password"))


def _samba_dialects(offer: Offer) -> Iterator[Claim]:
    """A floor may be lower than what is accepted, where older dialects are turned away for another reason.

    Those of SMB1 by ``lanman auth``; 2.0.2 and 2.1 where HMAC-SHA256, all that they know, is no signing algorithm.
    """
    low, doubt = offer.lowest()
    if offer.state("NT1") == "not_asked" and not doubt:
        doubt = "SMB 1.0 was not asked for"
    if low or doubt:
        unsigned = any(_without_hmac(told) for _where, told in _of_newest(offer, "signing_algorithms"))
        lower = bool(low) and (low not in SMB2 or (low == "3.0" and unsigned))
        older = tuple(_SAMBA[name] for name in ORDER[: ORDER.index(low)][::-1]) if lower else ()
        fits = (_SAMBA[low], *_SAMBA_FLOORS.get(low, ()), *older) if low else ()
        yield Claim("samba.server_min_protocol", fits, doubt)
    high, doubt = offer.highest()
    if high or doubt:
        fits = (_SAMBA[high], *_SAMBA_CEILINGS.get(high, ())) if high else ()
        yield Claim("samba.server_max_protocol", fits, doubt)


def _without_hmac(told: Mapping[str, Any]) -> bool:
    return told.get("answer") == "known" and "HMAC-SHA256" not in (told.get("values") or ())


def _samba_encryption(offer: Offer) -> Iterator[Claim]:
    """Whether it can be encrypted at all (smbd without takes no cipher of 3.1.1); whether it must be, nobody sees."""
    told = {answer["answer"] for _where, answer in _of_newest(offer, "ciphers")}
    if told == {"none"}:
        yield Claim("samba.server_smb_encrypt", ("disabled",))
    elif "known" in told:
        yield Claim("samba.server_smb_encrypt", ("if_required", "default", "desired"), unseen=("required",))


def _samba_signing(answer: str, known: FactSet) -> tuple[str, ...]:
    """``default`` means mandatory on a domain controller, and if_required elsewhere (smb.conf(5))."""
    fits = _SAMBA_SIGNING.get(answer, ())
    role = known.in_force("samba.server_role_effective")
    if not role or ("mandatory" in fits) is (role == "domain-controller"):
        return fits
    return tuple(fit for fit in fits if fit != "default")


def _windows(offer: Offer, known: FactSet) -> Iterator[Claim]:
    del known
    if not (offer.speaks or offer.doubts):
        return
    yield from _windows_smb1(offer)
    some = _smb2(offer)
    if some is not None:
        yield Claim("windows.server_smb2", (some,))
    low, doubt = offer.lowest(SMB2)
    if low or doubt:
        yield Claim(
            "windows.server_dialect_min", ("none", low) if low == SMB2[0] else (low,) if low else (), doubt, False
        )
    high, doubt = offer.highest(SMB2)
    if high or doubt:
        yield Claim(
            "windows.server_dialect_max", ("none", high) if high == SMB2[-1] else (high,) if high else (), doubt, False
        )
    answer, doubt = offer.weakest(*_signing(offer)) if some is not False else offer.weakest("smb1_signing")
    if answer or doubt:
        fits = {"required": (True,), "not_required": (False,), "enabled": (False,), "disabled": (False,)}
        yield Claim("windows.server_require_signing", fits.get(answer, ()), doubt)
    yield from _algorithms(
        offer, "ciphers", "windows.server_ciphers", lambda name: name.replace("-", "_"), anyway=False
    )
    if _some(offer, "guest"):
        yield Claim("windows.account_guest_enabled", (True,))


def _windows_smb1(offer: Offer) -> Iterator[Claim]:
    families = ORDER[: ORDER.index("NT1") + 1]
    low, doubt = offer.lowest(families)
    if low:
        yield Claim("windows.smb1_server", (True,))
    elif doubt or offer.state("NT1") == "not_asked":
        yield Claim("windows.smb1_server", (), doubt or "SMB 1.0 was not asked for")
    else:
        yield Claim("windows.smb1_server", (False,))


def _smb2(offer: Offer) -> bool | None:
    """Whether any SMB2 dialect is accepted; None: not known."""
    high, doubt = offer.highest(SMB2)
    if high:
        return True
    return None if doubt or offer.state(SMB2[-1]) == "not_asked" else False


def _signing(offer: Offer) -> tuple[str, ...]:
    """Return which answers about signing count: one setting is about both protocols, and the weaker is what is offered."""
    smb1 = _smb2(offer) is False or offer.state("NT1") == "accepted"
    return ("signing", "smb1_signing") if smb1 else ("signing",)


def _some(offer: Offer, name: str) -> bool:
    """Whether some port let such a client in; a refusal proves nothing about one setting."""
    return any(told.get("answer") == "accepted" for _where, told in offer.facts(name))


def _of_newest(offer: Offer, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (port, answer) of a list that 3.1.1 negotiates, where 3.1.1 was spoken: older ones have but one algorithm."""
    for where, port in offer.ports:
        newest = port["dialects"].get(SMB2[-1]) or {}
        if newest.get("answer") == "accepted" and isinstance(port.get(name), dict):
            yield where, port[name]


def _algorithms(
    offer: Offer, name: str, fact: str, native: Callable[[str], str], anyway: bool = True
) -> Iterator[Claim]:
    """What 3.1.1 negotiates; nothing is claimed where it was not spoken, or none is taken (that is another setting)."""
    lists: list[Sequence[str]] = []
    for where, told in _of_newest(offer, name):
        if told.get("answer") == "indeterminate":
            why = told.get("reason") or "no answer"
            yield Claim(fact, (), f"{where}, {name.replace('_', ' ')}: {why}", anyway)
            return
        if told.get("answer") == "known":
            lists.append([native(str(value)) for value in told.get("values") or ()])
    if lists:
        every = list(dict.fromkeys(value for values in lists for value in values))
        yield Claim(fact, (every,), "", anyway)


_CLAIMS: Mapping[str, Callable[[Offer, FactSet], Iterator[Claim]]] = {"samba": _samba, "windows": _windows}
