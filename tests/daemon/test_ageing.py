#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Providers whose routers never send queries but forget members that stay silent. The times are
scaled down: ageing in 1.7 s instead of 260 s, refresh-interval 1 instead of 60."""

import struct

from libnetns import FAST, GROUP, WAN, case, main, wait_datagrams, wait_for
from packets import AgeingRouter, Wire, igmp, ipv4, query

AGE = 1.7
RATE = 50
OTHER = "239.1.2.4"
LAN = "phyint lan1 downstream\n"


def numbers_of(r, n, seconds):
    return [struct.unpack("!I", p[:4])[0] for p, _ in wait_datagrams(r, n, seconds)]


def ageing(b, t):
    return b.own(AgeingRouter(t.provider, "p0", t.SOURCE, (GROUP, OTHER), AGE, RATE))


@case("E01 R120 refresh-interval keeps a stream for ten ageing periods of an upstream "
      "without querier")
def refreshed(b):
    t = b.topology(lans=1)
    provider = ageing(b, t)
    b.run(t, "refresh-interval 1\n" + FAST + WAN + LAN)
    r, other = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan1"], OTHER)
    n = int(10 * AGE * RATE)
    for got in (numbers_of(r, n, 90), numbers_of(other, n, 90)):
        missing = got[-1] - got[0] + 1 - len(got)
        assert not missing, f"{missing} of {len(got)} are missing: the provider forgot us"
    for group, kinds in provider.heard.items():
        assert set(kinds) <= {"TO_EX", "IS_EX"}, f"{group}: not plain reports: {kinds}"
    b.note(f"{len(provider.heard[GROUP])} reports in {n / RATE:.0f} s")
    r.leave()
    wait_for(10, lambda: "TO_IN" in provider.heard[GROUP], "the leave is told")
    assert "TO_IN" not in provider.heard[OTHER]


@case("E01 without refresh-interval the same stream ends after one ageing period")
def forgotten(b):
    t = b.topology(lans=1)
    provider = ageing(b, t)
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 20)
    wait_for(15, lambda: provider.until[GROUP] and not provider.member(GROUP),
             "the provider forgets us")
    assert d.upstream_group(GROUP), "and we do not know"
    r.receive()
    last = provider.number
    wait_for(10, lambda: provider.number > last + 20, "time passes")
    assert not r.receive()


@case("E02 an upstream held to IGMPv2 is refreshed by IGMPv2 reports")
def refreshed_v2(b):
    t = b.topology(lans=1)
    provider = ageing(b, t)
    b.run(t, "refresh-interval 1\n" + FAST + "phyint wan upstream igmp-version 2\n" + LAN)
    r = b.receiver(t.hosts["lan1"])
    n = int(1.5 * AGE * RATE)
    got = numbers_of(r, n, 30)
    assert got[-1] - got[0] + 1 == len(got), "the provider forgot us"
    assert set(provider.heard[GROUP]) == {"JOIN"}, provider.heard


@case("R120 refresh-interval is silent while an upstream querier asks")
def querier_there(b):
    t = b.topology(lans=1)
    provider = ageing(b, t)
    d = b.run(t, "refresh-interval 2\n" + FAST + WAN + LAN)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wire = b.own(Wire(t.provider, "p0"))
    wait_for(10, lambda: len(provider.heard[GROUP]) >= 2, "joined, and said twice")
    asked = 0
    heard = len(provider.heard[GROUP])
    for _ in range(3):   # at least 2.4 s, longer than the refresh interval
        wire.send(query(t.SOURCE))
        asked += 1
        wait_for(5, lambda: len(provider.heard[GROUP]) == heard + asked, "one answer each")
        number = provider.number
        wait_for(5, lambda: provider.number > number + 0.8 * RATE, "time passes")
    assert len(provider.heard[GROUP]) == heard + asked, "more reports than answers"


@case("E03 a host reports all the time, and only queries are answered upstream")
def chatty_host(b):
    t = b.topology(lans=1)
    provider = ageing(b, t)
    d = b.run(t, FAST + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    lan_report = ipv4("10.0.1.2", GROUP, 2, igmp(0x16, GROUP))
    for _ in range(50):
        host.send(lan_report)
    d.wait_member("lan1", GROUP)
    wait_for(10, lambda: len(provider.heard[GROUP]) == 2, "joined, and said twice")
    for _ in range(50):
        host.send(lan_report)
    b.own(Wire(t.provider, "p0")).send(query(t.SOURCE))
    wait_for(10, lambda: len(provider.heard[GROUP]) > 2, "the query is answered")
    assert provider.heard[GROUP][2:] == ["IS_EX"], provider.heard[GROUP]


if __name__ == "__main__":
    main()
