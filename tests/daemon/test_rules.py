#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of the operator and built-in guards: boundaries, lists towards the provider, limits,
forged sources, loops, rivals."""

import json
import socket
import struct

from libnetns import (FAST, GROUP, LANS, PLAIN, WAN, Record, Sender, Skip, case, link, main,
                      number, numbers, wait_datagrams, wait_for)
from packets import Wire, query, udp

LOCAL, SSDP = "239.255.1.1", "239.255.255.250"
ALL = "forward-from-downstream all\n" + FAST
MRT_INIT, MRT_ADD_VIF, MRT6_INIT = 200, 202, 200


def reported(tap):
    return {m.group for m in tap.igmp() if isinstance(m, Record)}


def verdicts(d):
    return d.show("stats")["verdicts"]


def both_directions(b, config, inner, outer):
    """A host of lan1 and the provider send `inner` and `outer`; lan2 has joined both. Returns what
    lan2 received of each (numbers below 10 come from lan1), what the provider saw of the host's
    stream, what was reported, and the daemon."""
    t = b.topology()
    d = b.run(t, config)
    tap = b.tap(t.provider, "p0")
    members = {g: b.receiver(t.hosts["lan2"], g) for g in (inner, outer)}
    for group in members:
        d.wait_member("lan2", group)
    wait_for(10, lambda: d.upstream_group(outer), "the other group is asked for")
    reports = reported(tap)
    host = b.own(Sender(t.hosts["lan1"], "eth0", "10.0.1.2"))
    provider = b.own(Sender(t.provider))
    for group in (inner, outer):
        host.send(number(1), group)
    wait_datagrams(members[outer])
    for group in (inner, outer):
        provider.send(number(11), group)
    wait_datagrams(members[outer])
    # later rules come after the earlier ones
    host.send(number(2), inner)
    host.send(number(2), outer)
    got = {outer: [1, 11] + numbers(wait_datagrams(members[outer]))}
    got[inner] = []
    while 2 not in got[inner]:
        got[inner] += numbers(wait_datagrams(members[inner]))
    sent = {}
    wait_for(10, lambda: [sent.setdefault(u.group, []).append(u) for u in tap.udp()
                          if u.source == "10.0.1.2"] or len(sent.get(outer, [])) >= 2,
             "the provider gets the other group")
    return got, set(sent), reports, d


@case("R161 boundary on the upstream: neither reports nor data, in either direction")
def boundary_wan(b):
    got, sent, reports, d = both_directions(
        b, ALL + "phyint wan upstream boundary 239.255.0.0/16\n" + LANS, LOCAL, GROUP)
    assert got == {LOCAL: [1, 2], GROUP: [1, 11, 2]}, got
    assert sent == {GROUP} and reports == {GROUP}, (sent, reports)
    assert verdicts(d)["acl"] == 1, verdicts(d)


@case("R144 blacklist on the upstream: neither reports nor data of LANs towards it")
def blacklist_wan(b):
    got, sent, reports, _ = both_directions(
        b, ALL + f"phyint wan upstream blacklist {LOCAL}/32\n" + LANS, LOCAL, GROUP)
    assert got == {LOCAL: [1, 11, 2], GROUP: [1, 11, 2]}, got
    assert sent == {GROUP} and reports == {GROUP}, (sent, reports)


@case("F15 SSDP does not cross the upstream, and LANs exchange it")
def ssdp(b):
    got, sent, reports, _ = both_directions(b, ALL + WAN + LANS, SSDP, GROUP)
    assert got == {SSDP: [1, 2], GROUP: [1, 11, 2]}, got
    assert sent == {GROUP} and reports == {GROUP}, (sent, reports)


@case("F15 SSDP crosses the upstream with boundary-scope 2")
def ssdp_as_it_was(b):
    got, sent, reports, _ = both_directions(
        b, ALL + "phyint wan upstream boundary-scope 2\n" + LANS, SSDP, GROUP)
    assert got == {SSDP: [1, 11, 2], GROUP: [1, 11, 2]}, got
    assert sent == reports == {SSDP, GROUP}, (sent, reports)


@case("F15 data from the broadcast address of the provider's subnet are not forwarded")
def broadcast_source(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wire = b.own(Wire(t.provider, "p0"))
    lowest, _, last = t.SOURCE.rpartition(".")
    for n, source in enumerate((lowest + ".255", lowest + ".0", t.SOURCE)):
        wire.send(udp(source, GROUP, number(n)))
    assert numbers(wait_datagrams(r, 2)) == [1, 2]
    assert verdicts(d)["wrong_input"] == 1, verdicts(d)
    checks = json.loads(d.ctl_run("--json", "explain", GROUP, lowest + ".255").stdout)["checks"]
    assert [c for c in checks if c["verdict"] == "refuse" and "broadcast" in c["text"]], checks


@case("R161 boundary on a LAN: its group stays there")
def boundary_lan(b):
    t = b.topology()
    d = b.run(t, ALL + WAN + "phyint lan1 downstream boundary 239.255.0.0/16\n"
              "phyint lan2 downstream\n")
    inner, r = b.receiver(t.hosts["lan2"], LOCAL), b.receiver(t.hosts["lan2"])
    b.receiver(t.hosts["lan1"], LOCAL)
    b.receiver(t.hosts["lan1"])
    for lan in ("lan1", "lan2"):
        d.wait_member(lan, GROUP)
    d.wait_member("lan2", LOCAL)
    assert not d.group("lan1", LOCAL)
    host = b.own(Sender(t.hosts["lan1"], "eth0", "10.0.1.2"))
    for i, group in enumerate((LOCAL, GROUP)):
        host.send(number(i), group)
    assert numbers(wait_datagrams(r)) == [1]
    assert not inner.receive() and verdicts(d)["acl"] == 1


@case("R162 our own addresses as source are dropped and counted")
def own_source(b):
    t = b.topology()
    d = b.run(t, FAST + "phyint wan upstream altnet 0.0.0.0/0\n" + LANS)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wire = b.own(Wire(t.provider, "p0"))
    for n, source in enumerate(("10.0.0.2", "10.0.1.1", "10.0.2.1", "10.0.0.7")):
        wire.send(udp(source, GROUP, number(n)))
    assert numbers(wait_datagrams(r)) == [3]
    assert verdicts(d)["martian_source"] == 3, verdicts(d)


@case("R143 a cable from a LAN to the upstream makes no loop")
def loop(b):
    t = b.topology()
    t.router.ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable1")
    t.router.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    for name in ("br0", "cable0", "cable1"):
        t.router.ip("link", "set", name, "up")
    # wan and cable0 are one segment, and cable1, a downstream, leads to it as well
    t.router.ip("addr", "flush", "dev", "wan")
    for port in ("wan", "cable0"):
        t.router.ip("link", "set", port, "master", "br0")
    t.router.ip("addr", "add", "10.0.0.2/24", "dev", "br0")
    t.router.ip("addr", "add", "10.0.7.1/24", "dev", "cable1")
    # returning frames are counted, so each datagram has its own
    d = b.run(t, "coalesce off\n" + ALL + "phyint br0 upstream altnet 0.0.0.0/0\n"
              "phyint cable1 downstream altnet 0.0.0.0/0\nphyint lan1 downstream\n")
    r = b.receiver(t.hosts["lan1"])
    b.receiver(t.provider, interface="p0")   # a member behind the cable
    d.wait_member("lan1", GROUP)
    d.wait_member("cable1", GROUP)
    sender = b.own(Sender(t.provider))
    for i in range(50):
        sender.send(number(i), GROUP)
    assert numbers(wait_datagrams(r, 50)) == list(range(50)), "each one once"
    wait_for(10, lambda: verdicts(d)["own_mac"] >= 50, "what came back was recognised")
    v = verdicts(d)
    assert not r.receive() and v["own_mac"] <= 200, v


@case("R201 R082 max-groups 2: the third stream is refused, logged once and counted")
def streams(b):
    t = b.topology()
    d = b.run(t, "quickleave\n" + FAST + WAN + "phyint lan1 downstream max-groups 2\n"
              "phyint lan2 downstream\n")
    first = b.receiver(t.hosts["lan1"], "239.1.1.1")
    d.wait_member("lan1", "239.1.1.1")
    b.receiver(t.hosts["lan1"], "239.1.1.2")
    d.wait_member("lan1", "239.1.1.2")
    third = b.receiver(t.hosts["lan1"], "239.1.1.3")
    wait_for(10, lambda: d.interface("lan1")["refused"] >= 2, "refused, more than once")
    assert d.interface("lan1")["groups"] == 2 and not d.group("lan1", "239.1.1.3")
    assert not d.upstream_group("239.1.1.3")
    assert d.log().count("group refused: max-groups") == 1, d.log()
    assert "notice: lan1: group 239.1.1.3 host " in d.log(), "a limit of the file is not a fault"
    b.receiver(t.hosts["lan2"], "239.1.1.3")
    d.wait_member("lan2", "239.1.1.3")
    first.leave()
    d.wait_no_member("lan1", "239.1.1.1")
    third.leave()
    third.join()
    d.wait_member("lan1", "239.1.1.3")


@case("E16 120 groups of one LAN are reported and forwarded")
def many_groups(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    host = t.hosts["lan1"]
    host.sysctl("net.ipv4.igmp_max_memberships", 200)
    groups = [f"239.3.3.{i}" for i in range(1, 121)]
    members = [b.receiver(host, g) for g in groups]
    wait_for(20, lambda: len(d.show("upstream")["upstream"][0]["groups"]) == len(groups),
             "all are asked for upstream")
    sender = b.own(Sender(t.provider))
    for i, g in enumerate(groups):
        sender.send(number(i), g)
    for i, r in enumerate(members):
        assert numbers(wait_datagrams(r)) == [i]


@case("R057 a hundred queries of an older version on a LAN are one line of the log")
def older_querier(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    wire = b.own(Wire(t.hosts["lan1"], "eth0"))
    for _ in range(100):
        wire.send(query("10.0.1.77", version=2))
    wait_for(10, lambda: d.show("stats")["control"]["notes"]["older_querier"] >= 100,
             "all are counted")
    assert d.log().count("querier of an older version heard") == 1
    assert d.interface("lan1")["querier"]["ipv4"]["version"] == 3


@case("R179 a program that holds the kernel's multicast routing is named, IPv4 and IPv6")
def rivals(b):
    t = b.topology(lans=1)
    four = t.router.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    six = t.router.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with four, six:
        try:
            four.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
            six.setsockopt(socket.IPPROTO_IPV6, MRT6_INIT, 1)
        except OSError as e:
            raise Skip(f"no multicast routing in this kernel: {e}") from None
        four.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF,
                        struct.pack("=HBBIi4x", 0, 8, 1, 0, t.router.ifindex("wan")))
        d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
        assert "uses the kernel's IPv4 multicast routing on wan: datagrams" in d.log()
        assert "uses the kernel's IPv6 multicast routing, on no interface yet" in d.log()
    d.hup()
    d.wait_log("reloaded")
    assert d.show("stats")["rivals"] == [], "they are gone"


if __name__ == "__main__":
    main()
