# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people write as a target, what it stands for, and what is said of everything else."""

from __future__ import annotations

import ipaddress
import itertools
import random
import tracemalloc

import pytest

from ansible_collections.breakwater.smb.plugins.plugin_utils._model.errors import BadInput
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.spans import Spans
from ansible_collections.breakwater.smb.plugins.plugin_utils._probe.targets import (
    MAX_ADDRESSES,
    Name,
    Target,
    count,
    expand,
    parse,
    placed,
)


def addresses(*texts):
    return [(target.address, target.port) for target in expand([parse(text) for text in texts])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.7", ["10.0.0.7"]),
        (" 10.0.0.7 ", ["10.0.0.7"]),
        ("fd00::7", ["fd00::7"]),
        ("FD00:0:0::7", ["fd00::7"]),
        ("[fd00::7]", ["fd00::7"]),
        ("fe80::7%eth0", ["fe80::7%eth0"]),
        ("::ffff:10.0.0.7", ["10.0.0.7"]),
        ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]),
        ("10.0.0.4/31", ["10.0.0.4", "10.0.0.5"]),
        ("10.0.0.4/32", ["10.0.0.4"]),
        ("fd00::/126", ["fd00::1", "fd00::2", "fd00::3"]),
        ("fd00::/127", ["fd00::", "fd00::1"]),
        ("10.0.0.1-3", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        ("10.0.0.254-10.0.1.1", ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]),
        ("fd00::e-fd00::11", ["fd00::e", "fd00::f", "fd00::10", "fd00::11"]),
        ("10.0.0.5-5", ["10.0.0.5"]),
    ],
)
def test_addresses_networks_and_ranges(text, expected):
    assert addresses(text) == [(address, None) for address in expected]


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [("10.0.0.7:4450", "10.0.0.7", 4450), ("[fd00::7]:4450", "fd00::7", 4450), ("[fe80::7%eth0]:1", "fe80::7%eth0", 1)],
)
def test_a_port_of_its_own(text, address, port):
    assert list(expand([parse(text)])) == [Target(text, address, port)]


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("nas01", "nas01", None),
        ("nas01:4450", "nas01", 4450),
        ("files-1.example.com.", "files-1.example.com", None),
        ("10-0-0-1.example.com", "10-0-0-1.example.com", None),
        ("web_01", "web_01", None),
        ("3com.example", "3com.example", None),
        ("a-b", "a-b", None),
    ],
)
def test_names(text, name, port):
    assert parse(text) == Name(text, name, port)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("10.0.0.1 10.0.0.2", "not one word"),
        ("nas\x1b[2J", "not one word"),
        ("\\\\nas01\\share", "a share or a URL"),
        ("smb://nas01/share", "a share or a URL"),
        ("nas01/share", "'nas01' is no address"),
        ("10.0.0.0/33", "'33' is no prefix length"),
        ("10.0.0.0/-1", "no prefix length"),
        ("10.0.0.0/", "no prefix length"),
        ("10.0.0.0/255.255.255.0", "no prefix length"),
        ("fd00::/129", "'129' is no prefix length"),
        ("10.0.0.7/24", "its host bits are set; write 10.0.0.0/24 for the network, or 10.0.0.7 for the host"),
        ("10.0.0.0/24:445", "takes no port of its own"),
        ("10.0.0.1-20:445", "takes no port"),
        ("10.0.0.1-300", "'10.0.0.300' is no address"),
        ("10.0.0.9-2", "comes before its first"),
        ("10.0.0.1-fd00::1", "of two IP versions"),
        ("fd00::1-20", "'20' is no address"),
        ("10.0.0.1-", "'' is no address"),
        ("10.0.0.1-nas", "'nas' is no address"),
        ("10.0.0.256", "it is no address"),
        ("10.0.0", "it is no address"),
        ("127.1", "it is no address"),
        ("2130706433", "it is no address"),
        ("0x7f000001", "it is no address"),
        ("010.0.0.1", "it is no address"),
        ("fd00::7::1", "it is no address"),
        ("fd00::7:445:x", "it is no address"),
        ("10.0.0.7:0", "'0' is no port"),
        ("10.0.0.7:65536", "'65536' is no port"),
        ("10.0.0.7:smb", "'smb' is no port"),
        ("10.0.0.7:", "'' is no port"),
        ("[fd00::7", "not closed"),
        ("[fd00::7]445", "not closed"),
        ("[nas01]:445", "only an IPv6 address"),
        ("-nas", "neither an address nor a name"),
        ("nas..example", "neither an address nor a name"),
        (f"{'a' * 64}.example", "neither an address nor a name"),
        (".".join(["a" * 60] * 5), "neither an address nor a name"),
        ("bücher.example", "letters that DNS does not know"),
        ("{{ lookup('pipe','id') }}", "not one word"),
        ("{{x}}", "neither an address nor a name"),
        ("0.0.0.0", "0.0.0.0/8 holds no host's address"),
        ("0.0.0.0/0", "0.0.0.0/8 holds no host's address"),
        ("224.0.0.1", "224.0.0.0/3 holds no host's address"),
        ("255.255.255.255", "224.0.0.0/3 holds no host's address"),
        ("::", "::/128 holds no host's address"),
        ("ff02::1", "ff00::/8 holds no host's address"),
        ("fe80::7%eth0;id", "no interface"),
        ("::ffff:224.0.0.1", "224.0.0.0/3 holds no host's address"),
    ],
)
def test_everything_else_is_one_clear_sentence(text, seen):
    with pytest.raises(BadInput) as caught:
        parse(text)
    sentence = str(caught.value)
    assert seen in sentence
    assert sentence.startswith("The target cannot be used")
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
    assert caught.value.remedy


def test_duplicates_are_asked_once_in_the_order_of_their_first_mention():
    found = addresses("10.0.0.3", "10.0.0.1-5", "10.0.0.4/31", "10.0.0.0/29", "10.0.0.3", "10.0.0.3:4450")
    assert found == [
        ("10.0.0.3", None),
        ("10.0.0.1", None),
        ("10.0.0.2", None),
        ("10.0.0.4", None),
        ("10.0.0.5", None),
        ("10.0.0.6", None),
        ("10.0.0.3", 4450),
    ]


def test_the_same_address_on_two_interfaces_is_two_targets():
    assert len(addresses("fe80::1%eth0", "fe80::1%eth1", "fe80::1%eth0")) == 2


def test_a_network_of_sixteen_million_addresses_is_not_held():
    tracemalloc.start()
    ranges = [parse("10.0.0.0/8"), parse("10.0.0.1-200"), parse("10.3.0.0/16")]
    assert count(ranges) == 2**24 - 2
    first = [target.address for target in itertools.islice(expand(ranges), 3)]
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert first == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert peak < 100_000


def test_too_many_are_refused_by_their_number():
    with pytest.raises(BadInput, match=rf"too many: 18446744073709551615 addresses; {MAX_ADDRESSES} at most"):
        count([parse("fd00::/64")])
    with pytest.raises(BadInput, match="too many"):
        count([parse("10.0.0.0/8"), parse("127.0.0.1-5")])


def test_many_single_addresses_are_quick():
    texts = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(20_000)]
    random.Random(7).shuffle(texts)
    assert [address for address, _port in addresses(*texts, *texts)] == texts


def test_names_become_all_their_addresses_and_keep_their_port():
    entries = [parse("nas01"), parse("nas02:4450"), parse("10.0.0.1"), parse("gone")]
    found = placed(entries, {"nas01": ["10.0.0.1", "fd00::1"], "nas02": ["::ffff:10.0.0.1"]})
    assert list(expand(found)) == [
        Target("nas01", "10.0.0.1"),
        Target("nas01", "fd00::1"),
        Target("nas02:4450", "10.0.0.1", 4450),
    ]


def test_a_name_that_leads_to_no_hosts_address_is_refused():
    with pytest.raises(BadInput, match=r"\(nas01\): 0\.0\.0\.0/8 holds no host's address"):
        placed([parse("nas01")], {"nas01": ["0.0.0.0"]})


def test_spans_are_sets():
    chooser = random.Random(11)
    for _turn in range(300):
        spans, model = Spans(), set()
        for _step in range(12):
            first = chooser.randrange(60)
            last = first + chooser.randrange(12)
            expected = [number for number in range(first, last + 1) if number not in model]
            missing = [number for low, high in spans.missing(first, last) for number in range(low, high + 1)]
            assert missing == expected
            spans.add(first, last)
            model.update(range(first, last + 1))
            assert spans.missing(-5, 100) == _spans_of(set(range(-5, 101)) - model)


def _spans_of(numbers):
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def test_what_is_parsed_is_what_the_standard_library_says():
    for text in ("10.0.0.0/22", "192.168.7.128/25", "fd00:1::/119"):
        network = ipaddress.ip_network(text)
        assert [address for address, _port in addresses(text)] == [str(host) for host in network.hosts()]
