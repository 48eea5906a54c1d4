#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Filters by TTL, scope, source and group decide what is forwarded."""

from libnetns import (FAST, GROUP, LANS, PLAIN, WAN, Sender, case, main, number,
                      wait_datagrams)
from packets import Wire, igmp, ipv4, udp


def arrived(b, config, sends, group=GROUP, lan="lan1"):
    """Returns the numbers that a member of the group receives out of `sends`, a list of (number,
    source, ttl). The wait ends with a last datagram that must arrive."""
    t = b.topology()
    d = b.run(t, config)
    r = b.receiver(t.hosts[lan], group)
    d.wait_member(lan, group)
    senders = {}
    for n, source, ttl in sends:
        if source not in senders:
            senders[source] = b.own(Sender(t.provider, "p0", source))
        senders[source].send(number(n), group, ttl=ttl)
    got = []
    while number(sends[-1][0]) not in got:
        got += [payload for payload, _ in wait_datagrams(r)]
    return [int.from_bytes(payload[:4], "big") for payload in got], d


@case("R155 TTL 1 is not forwarded, TTL 2 is")
def ttl_one(b):
    got, d = arrived(b, PLAIN, [(0, "10.0.0.1", 1), (1, "10.0.0.1", 2)])
    assert got == [1], got
    assert d.show("stats")["verdicts"]["ttl_expired"] == 1


@case("R165 a dropped packet causes no ICMP message")
def no_icmp(b):
    t = b.topology()
    d = b.run(t, FAST + WAN + "phyint lan1 downstream threshold 3\n")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tap = b.tap(t.provider, "p0")
    wire = b.own(Wire(t.provider, "p0"))
    wire.send(udp("10.0.0.1", GROUP, number(0), ttl=1))
    wire.send(udp("10.0.0.1", GROUP, number(1), ttl=3))
    wire.send(udp("172.16.0.9", GROUP, number(2)))
    wire.send(ipv4("10.0.0.1", GROUP, 253, number(3), ttl=1, options=b""))
    wire.send(udp("10.0.0.1", GROUP, number(4)))
    assert wait_datagrams(r)[0][0][:4] == number(4)[:4]
    icmp = [f for f in tap.frames() if f[12:14] == b"\x08\x00" and f[23] == 1]
    assert not icmp, icmp


@case("R156 threshold 3 forwards TTL 4 and drops TTL 3")
def threshold(b):
    config = FAST + WAN + "phyint lan1 downstream threshold 3\n"
    got, d = arrived(b, config, [(0, "10.0.0.1", 3), (1, "10.0.0.1", 4)])
    assert got == [1], got
    assert d.interface("lan1")["threshold"] == 3


@case("R174 a source outside the upstream subnet is dropped without altnet")
def foreign_source(b):
    got, d = arrived(b, PLAIN, [(0, "172.16.5.5", 8), (1, "10.0.0.1", 8)])
    assert got == [1], got
    assert d.show("stats")["verdicts"]["wrong_input"] >= 1


@case("R174 a source outside the upstream subnet is forwarded with altnet")
def altnet(b):
    config = FAST + "phyint wan upstream altnet 172.16.0.0/16\n" + LANS
    got, _ = arrived(b, config, [(0, "172.16.5.5", 8), (1, "10.0.0.1", 8)])
    assert got == [0, 1], got


@case("R174 altnet 0.0.0.0/0 accepts every source")
def altnet_all(b):
    config = FAST + "phyint wan upstream altnet 0.0.0.0/0\n" + LANS
    got, _ = arrived(b, config, [(0, "172.16.5.5", 8), (1, "10.0.0.1", 8)])
    assert got == [0, 1], got


@case("R159 R022 224.0.0.0/24 never crosses and is never reported upstream")
def link_local_groups(b):
    t = b.topology()
    d = b.run(t)
    upstream, lan = b.tap(t.provider, "p0"), b.tap(t.hosts["lan1"], "eth0")
    b.receiver(t.hosts["lan1"], "224.0.0.251")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    sender = b.own(Sender(t.provider))
    for group in ("224.0.0.1", "224.0.0.5", "224.0.0.251", GROUP):
        sender.send(number(0), group, ttl=255)
    wait_datagrams(r)
    assert {u.group for u in lan.udp()} == {GROUP}
    reported = {m.group for m in upstream.igmp()}
    assert GROUP in reported and not {g for g in reported if g.startswith("224.0.0.")}
    assert not d.group("lan1", "224.0.0.251")


@case("blacklist on a downstream refuses the group, others pass")
def blacklist(b):
    t = b.topology()
    d = b.run(t, FAST + WAN + "phyint lan1 downstream blacklist 239.255.255.250/32\n")
    upstream = b.tap(t.provider, "p0")
    b.receiver(t.hosts["lan1"], "239.255.255.250")
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    assert not d.group("lan1", "239.255.255.250")
    assert {m.group for m in upstream.igmp()} == {GROUP}


@case("whitelist on the upstream: a group outside it is not joined there")
def whitelist(b):
    t = b.topology()
    d = b.run(t, FAST + "phyint wan upstream whitelist 239.1.0.0/16\n" + LANS)
    upstream = b.tap(t.provider, "p0")
    b.receiver(t.hosts["lan1"], "239.2.2.2")
    d.wait_member("lan1", "239.2.2.2")
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    assert {m.group for m in upstream.igmp()} == {GROUP}


@case("R005 R006 require-router-alert refuses messages without the option or with TTL 64")
def strict_messages(b):
    t = b.topology()
    d = b.run(t, FAST + WAN + "phyint lan1 downstream require-router-alert\n"
              "phyint lan2 downstream\n")
    for n, lan in enumerate(("lan1", "lan2"), 1):
        host = b.own(Wire(t.hosts[lan], "eth0"))
        for last, kw in enumerate(({"options": b""}, {"ttl": 64}, {}), 3):
            group = f"239.1.2.{last}"
            host.send(ipv4(f"10.0.{n}.2", group, 2, igmp(0x16, group), **kw))
        d.wait_member(lan, "239.1.2.5")
    assert not d.group("lan1", "239.1.2.3") and not d.group("lan1", "239.1.2.4")
    assert d.group("lan2", "239.1.2.3") and d.group("lan2", "239.1.2.4")
    bad = d.show("stats")["control"]["bad"]
    assert bad["ttl"] == 1 and bad["router_alert"] == 1, bad


if __name__ == "__main__":
    main()
