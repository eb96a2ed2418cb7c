# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grammar of firewall rules [MS-GPFAS] 2.2.2.19: real rules, its traps, and properties that hold for every text."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies

from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.model import Ports, Rule, Scope
from ansible_collections.breakwater.smb.plugins.plugin_utils._firewall.windows import BadRule, parse, render

SMB_IN = (
    "v2.33|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Private|Profile=Public|"
    "LPort=445|RA4=LocalSubnet|RA6=LocalSubnet|App=System|"
    "Name=@FirewallAPI.dll,-28511|Desc=@FirewallAPI.dll,-28514|EmbedCtxt=@FirewallAPI.dll,-28502|"
)
ALL = frozenset({"domain", "private", "public"})


def rule(text, release=None):
    return parse("X", text, "local", release)


def test_a_real_rule():
    found = parse("FPS-SMB-In-TCP", SMB_IN, "local")
    assert found == Rule(
        id="FPS-SMB-In-TCP",
        source="local",
        action="allow",
        direction="in",
        active=False,
        profiles=frozenset({"private", "public"}),
        protocol=6,
        local_ports=Ports(((445, 445),)),
        peers=(Scope(4, word="LocalSubnet"), Scope(6, word="LocalSubnet")),
        conditions=(("App", "System"),),
        title="@FirewallAPI.dll,-28511",
        group="@FirewallAPI.dll,-28502",
    )


@pytest.mark.parametrize("version", ["v2.0", "v2.10", "v2.27", "v2.29", "v2.33"])
def test_versions_and_what_absence_means(version):
    found = rule(f"{version}|Action=Block|Dir=Out|")
    assert (found.action, found.direction, found.active) == ("block", "out", False)
    assert (found.profiles, found.protocol, found.local_ports, found.remote_ports, found.peers) == (
        ALL,
        None,
        None,
        None,
        (),
    )
    assert found.match == "always"


@pytest.mark.parametrize(
    ("fields", "spans", "words", "unknown"),
    [
        ("LPort=139|LPort=445", ((139, 139), (445, 445)), (), ()),
        ("LPort2_10=137-139|LPort=445", ((137, 139), (445, 445)), (), ()),
        ("LPort=RPC|LPort=RPC-EPMap|LPort=Teredo", (), ("RPC", "RPC-EPMap", "Teredo"), ()),
        ("LPort2_10=IPHTTPSIn|LPort2_20=Ply2Disc", (), ("IPHTTPSIn", "Ply2Disc"), ()),
        ("LPort=Neu", (), (), ("Neu",)),
        ("LPort=70000", (), (), ("70000",)),
        ("LPort2_10=445-139", (), (), ("445-139",)),
        ("LPort=", (), (), ("",)),
        ("LPort=0x1bd", (), (), ("0x1bd",)),
        ("LPort=٤٤٥", (), (), ("٤٤٥",)),
    ],
)
def test_ports(fields, spans, words, unknown):
    assert rule(f"v2.10|Action=Allow|Dir=In|Protocol=6|{fields}|").local_ports == Ports(spans, words, unknown)


def test_ports_cover():
    ports = Ports(((137, 139),), ("RPC",))
    assert [ports.covers(port) for port in (136, 137, 139, 140, 445)] == [False, True, True, False, False]
    assert Ports((), (), ("Neu",)).covers(445) is None


@pytest.mark.parametrize(
    ("field", "scope"),
    [
        ("RA4=10.0.0.0/8", Scope(4, 10 << 24, (11 << 24) - 1)),
        ("RA4=10.0.0.0/255.0.0.0", Scope(4, 10 << 24, (11 << 24) - 1)),
        ("RA4=10.0.0.1", Scope(4, (10 << 24) + 1, (10 << 24) + 1)),
        ("RA4=10.0.0.1-10.0.0.9", Scope(4, (10 << 24) + 1, (10 << 24) + 9)),
        ("RA6=fe80::/64", Scope(6, 0xFE80 << 112, (0xFE80 << 112) + 2**64 - 1)),
        ("RA4=localsubnet", Scope(4, word="LocalSubnet")),
        ("RA42=IntErnet", Scope(4, word="Internet")),
        ("RA62=IntrAnet", Scope(6, word="Intranet")),
        ("RA4=10.0.0.9-10.0.0.1", Scope(4, word="10.0.0.9-10.0.0.1")),
        ("RA4=fe80::1", Scope(4, word="fe80::1")),
        ("RA6=fe80::1%3", Scope(6, word="fe80::1%3")),
        ("RA4=Quatsch", Scope(4, word="Quatsch")),
    ],
)
def test_peers(field, scope):
    assert rule(f"v2.20|Action=Allow|Dir=In|{field}|").peers == (scope,)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ("App=System", "always"),
        ("App=SYSTEM", "always"),
        ("Name=x|Desc=y|EmbedCtxt=z|Edge=TRUE|Defer=App|LSM=TRUE", "always"),
        ("App=%SystemRoot%\\system32\\svchost.exe", "never"),
        ("App=%SystemRoot%\\system32\\ntoskrnl.exe", "perhaps"),
        ("App=", "perhaps"),
        ("Svc=RPCSS", "never"),
        ("Svc=LanmanServer", "perhaps"),
        ("Svc=*", "perhaps"),
        ("AppPkgId=S-1-15-2-1", "never"),
        ("LUOwn=S-1-5-21-1-2-3-1001", "never"),
        ("LUOwn=S-1-5-18", "perhaps"),
        ("LUAuth=O:LSD:(D;;CC;;;S-1-2-1)", "perhaps"),
        ("App=System|TTK2_27=WFDKmDriver", "never"),
        ("App=System|TTK2_99=Neu", "perhaps"),
        ("IF={00000000-0000-0000-0000-000000000000}", "perhaps"),
        ("IFType=Wireless", "perhaps"),
        ("LA4=10.0.0.1", "perhaps"),
        ("NNm=abc", "perhaps"),
        ("SkipVer=2.0", "perhaps"),
        ("ICMP4=8:*", "never"),
        ("Neu=1", "perhaps"),
        ("Profile=Heim", "perhaps"),
        ("Protocol=999", "perhaps"),
        ("Protocol=6|Protocol=17", "perhaps"),
        ("Active=VIELLEICHT", "perhaps"),
        ("Security=Irgendwie", "perhaps"),
        ("Platform=2:6:2", "perhaps"),
    ],
)
def test_conditions(fields, match):
    found = rule(f"v2.33|Action=Allow|Active=TRUE|Dir=In|{fields}|")
    assert found.match == match
    assert found.active


@pytest.mark.parametrize(
    ("fields", "release", "match"),
    [
        ("Platform=2:6:2", (6, 2), "always"),
        ("Platform=2:6:2", (10, 0), "never"),
        ("Platform=2:6:2|Platform2=GTEQ", (10, 0), "always"),
        ("Platform=2:6:2|Platform2=GTEQ", (6, 1), "never"),
        ("Platform=2:6:0|Platform=2:6:1", (6, 0), "always"),
        ("Platform=2:6:0|Platform=2:6:1|Platform2=GTEQ", (10, 0), "always"),
        ("Platform=2:6:2|Platform=2:6:0|Platform2=GTEQ", (6, 1), "always"),
        ("Platform=1:6:2", (6, 2), "perhaps"),
        ("Platform=zehn", (10, 0), "perhaps"),
        ("Platform2=GTEQ", (10, 0), "perhaps"),
        ("Platform=2:6:2", None, "perhaps"),
    ],
)
def test_platforms(fields, release, match):
    assert rule(f"v2.33|Action=Allow|Active=TRUE|Dir=In|{fields}|", release).match == match


def test_authentication():
    assert rule("v2.10|Action=Allow|Dir=In|Security=Authenticate|Security2_9=An-NoEncap|").authenticated
    assert rule("v2.10|Action=Allow|Dir=In|Security=AuthenticateEncrypt|").match == "always"
    past = rule("v2.10|Action=ByPass|Active=TRUE|Dir=In|Security=Authenticate|RMauth=O:LSD:(A;;CC;;;DC)|")
    assert (past.action, past.authenticated, past.overrides) == ("allow", True, True)
    out = rule("v2.10|Action=Allow|Dir=Out|Security=Authenticate|AuthByPassOut=TRUE|")
    assert (out.authenticated, out.overrides) == (True, True)


def test_protocol_256_means_any():
    assert rule("v2.10|Action=Allow|Dir=In|Protocol=256|") == rule("v2.10|Action=Allow|Dir=In|")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2.10",
        "v2.10|",
        "Action=Allow|Dir=In|",
        "v2.10|Action=Allow|",
        "v2.10|Dir=In|",
        "v2.10|Action=Allow|Action=Block|Dir=In|",
        "v2.10|Action=Vielleicht|Dir=In|",
        "v2.10|Action=Allow|Dir=Both|",
        "vx|Action=Allow|Dir=In|",
        "v2.10\n|Action=Allow|Dir=In|",
        None,
        7,
        ["v2.10|Action=Allow|Dir=In|"],
        "v2.10|Action=Allow|Dir=In|" + "A=1|" * 20000,
    ],
)
def test_texts_that_are_no_rules(text):
    with pytest.raises(BadRule):
        rule(text)


def test_hostile_names_are_shown_harmlessly():
    found = parse("a\x00b", "v2.10|Action=Allow|Dir=In|Name=\x00\udc80|", "local")
    assert (found.id, found.title) == ("a\\x00b", "\\x00\\x80")


FIELDS = [
    "Action",
    "Dir",
    "Active",
    "Profile",
    "Protocol",
    "LPort",
    "RPort",
    "LPort2_10",
    "RPort2_10",
    "LPort2_20",
    "RA4",
    "RA6",
    "RA42",
    "RA62",
    "LA4",
    "App",
    "Svc",
    "Security",
    "AuthByPassOut",
    "Platform",
    "Platform2",
    "TTK",
    "TTK2_27",
    "AppPkgId",
    "LUOwn",
    "IF",
    "IFType",
    "Name",
    "EmbedCtxt",
]
VALUES = [
    "Allow",
    "Block",
    "ByPass",
    "In",
    "Out",
    "TRUE",
    "FALSE",
    "Domain",
    "Private",
    "Public",
    "6",
    "17",
    "256",
    "445",
    "139",
    "137-139",
    "RPC",
    "LocalSubnet",
    "10.0.0.0/8",
    "10.0.0.1-10.0.0.9",
    "::/0",
    "System",
    "Authenticate",
    "2:6:2",
    "GTEQ",
    "IntErnet",
]


@hypothesis.settings(max_examples=500, deadline=None)
@hypothesis.given(
    strategies.text()
    | strategies.text("v2.10|=Action AllowDirInBlockLPrt45-,;{}\x00").map(lambda text: f"v2.10|{text}")
)
def test_no_text_ever_raises_anything_else(text):
    try:
        found = rule(text)
    except BadRule:
        return
    assert rule(render(found)).action == found.action


@hypothesis.settings(max_examples=800, deadline=None)
@hypothesis.given(
    strategies.lists(
        strategies.tuples(
            strategies.sampled_from(FIELDS), strategies.sampled_from(VALUES) | strategies.text(max_size=6)
        ),
        max_size=10,
    )
)
def test_what_was_understood_once_is_written_and_understood_again(fields):
    text = "v2.33|" + "".join(f"{key}={value}|" for key, value in fields)
    try:
        found = rule(text)
    except BadRule:
        return
    hypothesis.assume(found.action == "allow" or not found.overrides)
    again = rule(render(found))
    assert again.match == found.match
    assert (again.local_ports, again.remote_ports, again.profiles, again.protocol) == (
        found.local_ports,
        found.remote_ports,
        found.profiles,
        found.protocol,
    )


PORT = strategies.integers(0, 65535)
SPANS = strategies.lists(strategies.tuples(PORT, PORT).map(sorted).map(tuple), min_size=1, max_size=4).map(tuple)
PORTS = strategies.none() | SPANS.map(Ports) | strategies.just(Ports((), ("RPC-EPMap",)))


@strategies.composite
def scopes(draw):
    version = draw(strategies.sampled_from([4, 6]))
    if draw(strategies.booleans()):
        words = ["LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway", "Internet", "Intranet", "RmtIntranet"]
        return Scope(version, word=draw(strategies.sampled_from(words)))
    edge = strategies.integers(0, 2 ** (32 if version == 4 else 128) - 1)
    first, last = sorted([draw(edge), draw(edge)])
    return Scope(version, first, last)


@strategies.composite
def rules(draw):
    action = draw(strategies.sampled_from(["allow", "block"]))
    authenticated = action == "allow" and draw(strategies.booleans())
    name = strategies.text("abcdefghij @.,-()\\", min_size=1, max_size=20)
    return Rule(
        id="X",
        source="local",
        action=action,
        direction=draw(strategies.sampled_from(["in", "out"])),
        active=draw(strategies.booleans()),
        profiles=frozenset(draw(strategies.sets(strategies.sampled_from(sorted(ALL)), min_size=1))),
        protocol=draw(strategies.none() | strategies.integers(0, 255)),
        local_ports=draw(PORTS),
        remote_ports=draw(PORTS),
        peers=tuple(draw(strategies.lists(scopes(), max_size=4))),
        authenticated=authenticated,
        overrides=authenticated and draw(strategies.booleans()),
        conditions=draw(strategies.sampled_from([(), (("App", "System"),)])),
        title=draw(strategies.just("") | name),
        group=draw(strategies.just("") | name),
    )


@hypothesis.settings(max_examples=500, deadline=None)
@hypothesis.given(rules())
def test_every_rule_survives_the_way_out_and_back(known):
    assert rule(render(known)) == known
