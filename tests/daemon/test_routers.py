#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Other routers: a second ringcastd behind the first or next to it on the same LAN."""

import signal

from libnetns import (GROUP, LANS, SSM_GROUP, WAN, Daemon, assert_continuous, case, gaps,
                      link, main, numbers, wait_datagrams, wait_for, wait_record)
from librouters import GROUP6, SHORT, TwoRouters, querier, wait_state

@case("R134 R135 a ringcastd behind a ringcastd: joins, sources and leaves go all the way")
def cascade(b):
    t = b.topology(lans=2)
    inner, home = t.namespace("inner"), t.namespace("home")
    # turn the host of lan1 into a router
    t.router.ip("link", "del", "lan1")
    link(t.router, "lan1", inner, "wan")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "lan1")
    inner.ip("addr", "add", "10.0.1.2/24", "dev", "wan")
    link(inner, "lan1", home, "eth0")
    inner.ip("addr", "add", "10.0.9.1/24", "dev", "lan1")
    home.ip("addr", "add", "10.0.9.2/24", "dev", "eth0")
    outer = b.run(t, SHORT + WAN + LANS)
    second = b.own(Daemon(inner, SHORT + "phyint wan upstream\n altnet 10.0.0.0/24\n"
                          "phyint lan1 downstream\n"))
    p0 = b.tap(t.provider, "p0")
    b.stream(t)
    wire_home = b.tap(home, "eth0")
    r, sibling = b.receiver(home), b.receiver(t.hosts["lan2"])
    got = wait_datagrams(r, 50)
    ttl = {u.ttl for u in wire_home.udp()}
    assert ttl == {6}, f"each router takes one from 8: {ttl}"

    b.stream(t, SSM_GROUP, rate=50)
    b.stream(t, SSM_GROUP, rate=50, source=t.SOURCE2)
    only = b.receiver(home, SSM_GROUP, source=t.SOURCE2)
    assert {s for _, s in wait_datagrams(only, 20)} == {t.SOURCE2}
    assert outer.upstream_group(SSM_GROUP)["sources"] == [t.SOURCE2]
    # the outer router's queries keep both memberships alive beyond their 2.4 s
    got += wait_datagrams(r, 850)
    assert_continuous(got, at_least=900)
    wait_datagrams(only, 1)

    p0.frames()
    only.leave(t.SOURCE2)
    wait_record(p0, lambda m: m.group == SSM_GROUP and m.type == "BLOCK", "the leave")
    r.leave()
    second.wait_no_member("lan1", GROUP)
    outer.wait_no_member("lan1", GROUP)
    assert outer.upstream_group(GROUP), "lan2 is still there"
    assert_continuous(wait_datagrams(sibling, 50), at_least=50)
    assert second.stop() == 0


def take_turns(b, group, family, low_address):
    t = b.own(TwoRouters(family == "ipv6"))
    config = "forwarding querier\n" + SHORT + WAN + "phyint lan1 downstream\n"
    low = b.run(t, config)
    high = b.own(Daemon(t.other, config))
    wait_state(high, "standby", family)
    assert querier(high, family)["address"] == low_address
    b.stream(t, group)
    hosts = [b.receiver(t.hosts[h], group) for h in ("lan1", "lan1b")]
    for r in hosts:
        assert_continuous(wait_datagrams(r, 150), at_least=150)
    assert low.upstream_group(group) and high.upstream_group(group)
    assert high.interface("lan1")["tx_packets"] == 0, "the one without the role forwards"
    assert_continuous(wait_datagrams(hosts[0], 100))
    hosts[0].receive()
    got = wait_datagrams(hosts[0], 20)

    # without notice: it sends neither a leave nor a last query
    low.process.send_signal(signal.SIGKILL)
    low.process.wait()
    wait_state(high, "active", family)
    got += wait_datagrams(hosts[0], 300)
    missing, disorder = gaps(numbers(got))
    assert missing, "nobody noticed that the first one died"
    assert not disorder, f"{disorder} duplicate or late"
    b.note(f"the take-over cost {missing} of 300 datagrams per second: {missing / 300:.1f} s")

    # it returns, still with the lower address, and learns the memberships again
    low.start()
    wait_state(high, "standby", family)
    wait_datagrams(hosts[0], 1)
    wait_for(10, lambda: low.interface("lan1")["tx_packets"], "the first one forwards again")
    got += wait_datagrams(hosts[0], 300)
    assert gaps(numbers(got))[1] == 0, "duplicate or late when the first one returns"
    assert high.stop() == 0


@case("R142 R046 R140 forwarding querier, two ringcastd on one LAN: each datagram once, and "
      "one takes over from the other")
def two_on_one_lan(b):
    take_turns(b, GROUP, "ipv4", "10.0.1.1")


@case("R142 R055 R140 the same with MLD and an IPv6 stream")
def two_on_one_lan6(b):
    take_turns(b, GROUP6, "ipv6", "fe80::2")


@case("R189 always-querier: a lower address on the LAN does not stop the stream")
def always_querier(b):
    t = b.own(TwoRouters())
    config = SHORT + WAN + "phyint lan1 downstream"
    b.run(t, config + "\n")
    high = b.own(Daemon(t.other, config + " always-querier\n"))
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    wait_for(10, lambda: querier(high)["queries_heard"] > 1, "the lower one is heard")
    assert querier(high)["state"] == "active"
    # both forward now, as this keyword demands: every datagram comes twice
    r.receive()
    assert gaps(numbers(wait_datagrams(r, 200)))[1], "only one of them forwards"
    assert high.stop() == 0


if __name__ == "__main__":
    main()
