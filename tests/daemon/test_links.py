#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Links that are not a plain Ethernet port, and ports that change while they are in use."""

import errno
import os
import shutil
import socket

from libnetns import (FAST, GROUP, PLAIN, WAN, Sender, Skip, assert_continuous, case,
                      link, main, number, wait_datagrams, wait_for, wait_record, wire)
from packets import Tun, Wire, igmp, igmp3_report, ipv4, query, udp
from peers import igmpproxy

LAN = "phyint lan1 downstream\n"
SHORT = FAST.replace("query-interval 3", "query-interval 1") \
    .replace("query-response-interval 1", "query-response-interval 0.2")
ANYWHERE = " altnet 0.0.0.0/0\n"


def report(version=None):
    def match(m):
        return isinstance(m, wire.Record) and m.group == GROUP and \
            m.type in ("JOIN", "IS_EX", "TO_EX") and version in (None, m.version)
    return match


def packets_with(tap, match, what, seconds=10):
    """Wait for IGMP packets with a matching message; returns (header, messages) of all packets."""
    got = []

    def found():
        for frame in tap.frames():
            if wire.igmp(frame):
                got.append((wire.ipv4(frame)[0], wire.igmp(frame)))
        return any(match(m) for _, messages in got for m in messages)
    wait_for(seconds, found, what)
    return got


def senders(packets):
    return {wire.addr(head[12:16]) for head, _ in packets}


def pass_through(send, receiver, seconds=15):
    """Send numbered datagrams until the receiver has one of them."""
    n = 0

    def arrives():
        nonlocal n
        n += 1
        send(n)
        return receiver.receive()
    wait_for(seconds, arrives, "forwarding works")


def provider_sends(b, t):
    sender = b.own(Sender(t.provider))
    return lambda n: sender.send(number(n), GROUP)


@case("R186 E18 a TUN upstream: reports without link header, queries and stream the same")
def tun_upstream(b):
    t = b.topology(lans=1)
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    tun = b.own(Tun(t.router, "tun0"))
    t.router.ip("addr", "add", "10.64.0.2", "peer", "10.64.0.1/32", "dev", "tun0")
    t.router.ip("link", "set", "tun0", "up", "mtu", "1492")
    d = b.run(t, FAST + "phyint tun0 upstream\n" + ANYWHERE + LAN)
    assert d.interface("tun0")["mac"] is None, "it has no link header"
    r = b.receiver(t.hosts["lan1"])
    sent = packets_with(tun, report(3), "the join")
    assert senders(sent) == {"10.64.0.2"}
    assert all(head[20:24] == b"\x94\x04\0\0" and head[8] == 1 for head, _ in sent), sent
    # any source, up to the largest size that the link carries
    payloads = [number(n, size) for n, size in enumerate((4, 1356, 1464))]
    for payload in payloads:
        tun.send(udp("87.141.215.251", GROUP, payload))
    assert [p for p, _ in wait_datagrams(r, 3)] == payloads
    tun.frames()
    tun.send(query("172.30.0.1"))
    wait_record(tun, report(3), "the query is answered")
    r.leave()
    wait_record(tun, lambda m: m.group == GROUP and m.type == "TO_IN", "the leave")


@case("R186 E18 PPP upstream")
def ppp_upstream(b):
    if not shutil.which("pppd"):
        raise Skip("pppd is not installed (package ppp)")
    try:
        os.close(os.open("/dev/ppp", os.O_RDWR))
    except OSError as e:
        raise Skip(f"the kernel has no PPP: /dev/ppp: {e.strerror}") from None
    t = b.topology(lans=1)
    far = f"nsenter --net={t.router.path} pppd nodetach noauth local nolock notty unit 0"
    near = b.own(_Process(t.provider.popen("pppd", "nodetach", "noauth", "local", "nolock",
                                           "unit", "0", "10.64.0.1:10.64.0.2", "pty", far)))
    wait_for(20, lambda: near.alive() and t.router.ifindex("ppp0") and "10.64.0.2" in
             t.router.run("ip", "addr", "show", "dev", "ppp0").stdout, "the link is up")
    t.provider.ip("link", "set", "ppp0", "multicast", "on")
    t.router.ip("link", "set", "ppp0", "multicast", "on")
    b.run(t, FAST + "phyint ppp0 upstream\n" + LAN)
    r = b.receiver(t.hosts["lan1"])
    sender = b.own(Sender(t.provider, "ppp0", "10.64.0.1"))
    pass_through(lambda n: sender.send(number(n), GROUP), r)


class _Process:
    def __init__(self, process):
        self.process = process

    def alive(self):
        assert self.process.poll() is None, "pppd has ended"
        return True

    def close(self):
        self.process.kill()
        self.process.wait()


@case("R173 multicast in broadcast and in our unicast frames is forwarded, in others' not")
def frame_destinations(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    out = b.own(Wire(t.provider, "p0"))
    ours = bytes.fromhex(d.interface("wan")["mac"].replace(":", ""))
    macs = [b"\xff" * 6, ours, bytes.fromhex("0200000000fe"), None]
    for n, mac in enumerate(macs):
        out.send(udp(t.SOURCE, GROUP, number(n)), mac)
    got = [p for p, _ in wait_datagrams(r, 3)]
    assert got == [number(0), number(1), number(3)], got


@case("R181 E28 a priority tag is accepted, another VLAN's tag is not")
def tags(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    lan = b.tap(t.hosts["lan1"], "eth0")
    out = b.own(Wire(t.provider, "p0"))
    for n, vlan in enumerate((0, 2, 0xe000, None)):   # 0xe000: priority 7
        out.send(udp(t.SOURCE, GROUP, number(n)), vlan=vlan)
    got = [p for p, _ in wait_datagrams(r, 3)]
    assert got == [number(0), number(2), number(3)], got
    assert len(lan.udp()) == 3, "a tag went on to the LAN"
    # the same for queries: one in another VLAN is not for us
    p0 = b.tap(t.provider, "p0")
    out.send(query(t.SOURCE), vlan=2)
    out.send(query(t.SOURCE), vlan=0)
    wait_record(p0, report(), "the query with the priority tag is answered")
    assert d.show("upstream")["upstream"][0]["ipv4"]["queries"] == 1


@case("R181 E28 a VLAN of the upstream port: its frames come once, those of the port not")
def vlan_upstream(b):
    t = b.topology(lans=1)
    for ns, port in ((t.provider, "p0"), (t.router, "wan")):
        if ns.run("ip", "link", "add", "link", port, "name", port + ".2", "type", "vlan",
                  "id", "2", check=False).returncode:
            raise Skip("the kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)")
        ns.ip("link", "set", port + ".2", "up")
    t.provider.ip("addr", "add", "10.2.0.1/24", "dev", "p0.2")
    t.router.ip("addr", "add", "10.2.0.2/24", "dev", "wan.2")
    d = b.run(t, FAST + "phyint wan.2 upstream\n" + ANYWHERE + LAN)
    p2 = b.tap(t.provider, "p0.2")
    r = b.receiver(t.hosts["lan1"])
    wait_record(p2, report(), "the join is tagged")
    tagged, plain = b.own(Sender(t.provider, "p0.2", "10.2.0.1")), b.own(Sender(t.provider))
    for n in range(0, 20, 2):
        plain.send(number(n), GROUP)
        tagged.send(number(n + 1), GROUP)
    assert [p for p, _ in wait_datagrams(r, 10)] == [number(n) for n in range(1, 20, 2)]
    # both may be upstreams, but each frame belongs to only one of them
    d.write(FAST + WAN + ANYWHERE + "phyint wan.2 upstream\n" + ANYWHERE + LAN)
    assert d.ctl_run("reload").returncode == 0
    pass_through(lambda n: plain.send(number(n), GROUP), r)
    wanted = [number(n) for n in range(1000, 1010)]
    for payload in wanted:
        tagged.send(payload, GROUP)
    got = []

    def all_there():
        got.extend(p for p, _ in r.receive() if p in wanted)
        return len(got) >= len(wanted)
    wait_for(10, all_there, "the tagged frames")
    assert got == wanted, "one of them was taken twice"


def alone(packets):
    """Returns the senders of queries."""
    return senders([p for p in packets if isinstance(p[1][0], wire.Query)])


@case("R050 R058 K07 three addresses on a downstream: the first one asks, and it may go")
def two_addresses(b):
    t = b.topology(lans=1)
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    for address in ("10.0.1.77/24", "192.168.7.1/24", "10.0.1.20/24"):
        t.router.ip("addr", "add", address, "dev", "lan1")
    lan = b.tap(t.hosts["lan1"], "eth0")
    d = b.run(t, SHORT + WAN + LAN)
    own = d.interface("lan1")["local"]
    assert own == "10.0.1.77", own
    for _ in range(3):
        asked = packets_with(lan, lambda m: isinstance(m, wire.Query), "a query")
        assert alone(asked) == {own}
    # the querier election compares that address
    rival = b.own(Wire(t.hosts["lan1"], "eth0"))
    rival.send(query("10.0.1.150"))
    rival.send(query("10.0.1.10"))

    def state():
        return d.interface("lan1")["querier"]["ipv4"]
    wait_for(5, lambda: state()["state"] == "standby", "the lower one is elected")
    assert state()["address"] == "10.0.1.10" and state()["queries_heard"] == 2, state()
    wait_for(10, lambda: state()["state"] == "active", "it is gone")
    # an alias that is added later changes nothing
    t.router.ip("addr", "add", "10.0.0.1/24", "dev", "lan1")
    lan.frames()
    for _ in range(2):
        asked = packets_with(lan, lambda m: isinstance(m, wire.Query), "a query")
        assert alone(asked) == {own}
    # hosts of both subnets are heard
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    t.hosts["lan1"].ip("addr", "flush", "dev", "eth0")
    t.hosts["lan1"].ip("addr", "add", "192.168.7.2/24", "dev", "eth0")
    b.receiver(t.hosts["lan1"], "239.1.2.4")
    d.wait_member("lan1", "239.1.2.4")
    # the kernel also removes 10.0.1.20
    t.router.ip("addr", "del", "10.0.1.77/24", "dev", "lan1")
    wait_for(5, lambda: d.interface("lan1")["local"] == "192.168.7.1", "the next one")
    lan.frames()
    asked = packets_with(lan, lambda m: isinstance(m, wire.Query), "a query")
    assert alone(asked) == {"192.168.7.1"}


def with_alias(b):
    """Returns (topology, tap at the provider). The upstream has the address 84.1.2.3, and 10.0.0.3
    as an alias for managing the modem."""
    t = b.topology(lans=1)
    for ns, port, n in ((t.provider, "p0", 1), (t.router, "wan", 3)):
        ns.ip("addr", "flush", "dev", port)
        ns.ip("addr", "add", f"84.1.2.{n}/24", "dev", port)
        ns.ip("addr", "add", f"10.0.0.{n}/24", "dev", port)
    return t, b.tap(t.provider, "p0")


@case("K07 an alias with a lower address: reports leave from the upstream's own")
def alias(b):
    t, p0 = with_alias(b)
    d = b.run(t, FAST + WAN + ANYWHERE + LAN)
    b.receiver(t.hosts["lan1"])
    assert senders(packets_with(p0, report(), "the join")) == {"84.1.2.3"}

    def reports_sent():
        return d.show("upstream")["upstream"][0]["ipv4"]["reports_sent"]
    wait_for(5, lambda: reports_sent() == 2, "the join is repeated")
    # the first querier is followed; a query from the alias' subnet changes nothing
    asks = b.own(Wire(t.provider, "p0"))
    for source in ("84.1.2.1", "10.0.0.1", "10.10.10.10"):
        p0.frames()
        asks.send(query(source))
        answer = packets_with(p0, lambda m: isinstance(m, wire.Record), "the answer")
        assert senders(answer) == {"84.1.2.3"}, (source, answer)
        assert {m.type for _, got in answer for m in got} == {"IS_EX"}, answer
    # other addresses that come and go change nothing
    t.router.ip("addr", "add", "9.1.1.1/24", "dev", "wan")
    t.router.ip("addr", "del", "10.0.0.3/24", "dev", "wan")
    t.router.ip("addr", "del", "9.1.1.1/24", "dev", "wan")
    asks.send(query("84.1.2.1"))
    answer = packets_with(p0, lambda m: isinstance(m, wire.Record), "the answer")
    assert senders(answer) == {"84.1.2.3"}, answer
    assert reports_sent() == 6


@case("K07 igmpproxy in the same place: its reports also leave from the upstream's own")
def alias_igmpproxy(b):
    t, p0 = with_alias(b)
    igmpproxy(b, t.router, "phyint wan upstream altnet 0.0.0.0/0\nphyint lan1 downstream\n"
              "phyint lo disabled\n")
    b.receiver(t.hosts["lan1"])
    assert senders(packets_with(p0, report(), "the join", 20)) == {"84.1.2.3"}


@case("R199 R113 an upstream without address: reports from 0.0.0.0, the stream arrives")
def unnumbered(b):
    t = b.topology(lans=1)
    t.router.ip("addr", "flush", "dev", "wan")
    p0 = b.tap(t.provider, "p0")
    d = b.run(t, FAST + WAN + ANYWHERE + LAN)
    r = b.receiver(t.hosts["lan1"])
    assert senders(packets_with(p0, report(), "the join")) == {"0.0.0.0"}
    pass_through(provider_sends(b, t), r)
    # an address is assigned, as by DHCP: everything is reported again from it
    t.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
    wait_for(5, lambda: d.show("upstream")["upstream"][0]["address"], "the address is seen")
    wait_for(10, lambda: "10.0.0.2" in senders(packets_with(p0, report(), "reports")),
             "the reports have the address")


@case("R118 E17 the upstream's address changes: everything is reported again from the new")
def address_changes(b):
    t = b.topology(lans=1)
    p0 = b.tap(t.provider, "p0")
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wait_for(5, lambda: d.upstream_group(GROUP)["pending"] is False, "said twice")
    p0.frames()
    t.router.ip("addr", "add", "10.0.0.7/24", "dev", "wan")
    t.router.ip("addr", "del", "10.0.0.2/24", "dev", "wan")   # also removes the second address
    t.router.run("ip", "addr", "replace", "10.0.0.7/24", "dev", "wan")
    wait_for(10, lambda: "10.0.0.7" in senders(packets_with(p0, report(), "reports")),
             "a report from the new address")
    wait_for(5, lambda: d.upstream_group(GROUP)["pending"] is False, "said twice")
    later = p0.frames()
    assert not [f for f in later if wire.igmp(f) and
                wire.addr(wire.ipv4(f)[0][12:16]) == "10.0.0.2"], "the old address is used"
    pass_through(provider_sends(b, t), r)


def macvlan(ns, parent, name, address):
    if ns.run("ip", "link", "add", "link", parent, "name", name, "type", "macvlan", "mode",
              "bridge", check=False).returncode:
        raise Skip("the kernel has no macvlan interfaces")
    ns.ip("addr", "flush", "dev", parent)
    ns.ip("addr", "add", address, "dev", name)
    ns.ip("link", "set", name, "up")


@case("macvlan interfaces as upstream and downstream")
def macvlans(b):
    t = b.topology(lans=1)
    macvlan(t.router, "wan", "mvwan", "10.0.0.2/24")
    macvlan(t.router, "lan1", "mvlan", "10.0.1.1/24")
    p0, lan = b.tap(t.provider, "p0"), b.tap(t.hosts["lan1"], "eth0")
    d = b.run(t, FAST + "phyint mvwan upstream\nphyint mvlan downstream\n")
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    assert_continuous(wait_datagrams(r, 100), at_least=100)
    frame = next(f for f in lan.frames() if wire.udp(f))
    assert frame[6:12].hex(":") == d.interface("mvlan")["mac"], "R171: the port's own MAC"
    wait_record(p0, report(), "the join")
    r.leave()
    wait_record(p0, lambda m: m.group == GROUP and m.type == "TO_IN", "the leave")


def rename(ns, old, new):
    ns.ip("link", "set", "dev", old, "down")
    ns.ip("link", "set", "dev", old, "name", new)
    ns.ip("link", "set", "dev", new, "up")


@case("R187 ports renamed away and back: roles follow the name")
def renamed(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    send = provider_sends(b, t)
    pass_through(send, r)
    rename(t.router, "lan1", "spare")
    wait_for(5, lambda: not d.interface("lan1")["present"], "lan1 is gone")
    d.wait_no_member("lan1", GROUP)
    rename(t.router, "lan2", "lan1")   # another link gets the known name
    two = b.receiver(t.hosts["lan2"])
    d.wait_member("lan1", GROUP)
    r.receive()
    pass_through(send, two)
    assert not r.receive(), "the old link still gets the stream"
    rename(t.router, "wan", "old")
    wait_for(5, lambda: not d.interface("wan")["present"], "wan is gone")
    rename(t.router, "old", "wan")
    two.receive()
    pass_through(send, two)


@case("R187 a port moved to another namespace and back")
def moved(b):
    t = b.topology()
    d = b.run(t)
    one, two = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    send = provider_sends(b, t)
    pass_through(send, one)
    pass_through(send, two)
    elsewhere = t.namespace("elsewhere")
    t.router.ip("link", "set", "dev", "lan1", "netns", elsewhere.path)
    wait_for(5, lambda: not d.interface("lan1")["present"], "lan1 is gone")
    d.wait_no_member("lan1", GROUP)
    two.receive()
    pass_through(send, two)
    one.receive()
    elsewhere.ip("link", "set", "dev", "lan1", "netns", t.router.path)
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "lan1")
    t.router.ip("link", "set", "dev", "lan1", "up")
    pass_through(send, one)


@case("R166 R187 the MTU of a downstream shrinks and grows while it is used")
def mtu_changes(b):
    t = b.topology()
    d = b.run(t)
    one, two = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    d.wait_member("lan1", GROUP)
    d.wait_member("lan2", GROUP)
    sender = b.own(Sender(t.provider))
    sender.sock.setsockopt(socket.IPPROTO_IP, 10, 2)   # IP_MTU_DISCOVER, IP_PMTUDISC_DO

    def burst(sizes):
        for size in sizes:
            sender.send(number(size, size), GROUP)
    burst((1400, 500))
    assert len(wait_datagrams(one, 2)) == 2
    t.router.ip("link", "set", "dev", "lan1", "mtu", "1000")
    wait_for(5, lambda: d.interface("lan1")["mtu"] == 1000, "the MTU is known")
    burst((1400, 500))
    got = wait_datagrams(one, 1)
    assert [len(p) for p, _ in got] == [500], [len(p) for p, _ in got]
    assert len(wait_datagrams(two, 4)) == 4, "the other LAN has both"
    verdicts = {p["name"]: p["verdicts"] for p in d.show("stats")["ports"]}
    assert sum(n for name, n in verdicts["lan1"].items() if "mtu" in name) == 1, verdicts
    # a datagram that may be fragmented is fragmented for that LAN only
    sender.sock.setsockopt(socket.IPPROTO_IP, 10, 0)   # IP_PMTUDISC_DONT
    frames = b.tap(t.hosts["lan1"], "eth0")
    burst((1401,))
    assert [len(p) for p, _ in wait_datagrams(one, 1)] == [1401]
    assert len([f for f in frames.frames() if len(f) > 500]) == 1, "not in two parts"
    wait_datagrams(two, 1)
    sender.sock.setsockopt(socket.IPPROTO_IP, 10, 2)
    t.router.ip("link", "set", "dev", "lan1", "mtu", "1500")
    wait_for(5, lambda: d.interface("lan1")["mtu"] == 1500, "the MTU is known")
    burst((1400,))
    assert [len(p) for p, _ in wait_datagrams(one, 1)] == [1400]


@case("R143 a cable between two downstreams makes no loop")
def loop(b):
    t = b.topology()
    t.router.ip("link", "del", "lan2")
    link(t.router, "lan2", t.router, "lan3")
    t.router.ip("addr", "add", "10.0.2.1/24", "dev", "lan2")
    t.router.ip("addr", "add", "10.0.3.1/24", "dev", "lan3")
    # joined datagrams would return as fewer packets
    d = b.run(t, "coalesce off\nforward-from-downstream all\n" + PLAIN +
              "phyint lan3 downstream always-querier\n")
    # members on both ends, so that we would forward into the cable
    for end, other in (("lan2", "lan3"), ("lan3", "lan2")):
        b.own(Wire(t.router, end)).send(ipv4("0.0.0.0", GROUP, 2, igmp(0x16, GROUP)))
        d.wait_member(other, GROUP)
    r = b.receiver(t.hosts["lan1"])
    stream = b.stream(t)
    assert_continuous(wait_datagrams(r, 200), at_least=200)
    stream.stop()
    ports = {p["name"]: p for p in d.show("stats")["ports"]}
    for end in ("lan2", "lan3"):
        port = ports[end]
        assert 0 < port["tx_packets"] <= stream.sent, f"{end}: {port}"
        assert port["verdicts"]["forwarded"] == 0, f"{end} forwards what came round"
    wait_for(10, lambda: next(p for p in d.show("stats")["ports"] if p["name"] == "lan2")
             ["ring_packets"] >= 200, "it did come round")


@case("K09 the carrier of the upstream is lost for less than a second: reported again")
def short_flaps(b):
    t = b.topology(lans=1)
    p0 = b.tap(t.provider, "p0")
    d = b.run(t, "robustness 1\n" + FAST + WAN + LAN)
    b.receiver(t.hosts["lan1"])
    packets_with(p0, report(), "the join")
    for n in range(12):
        p0.frames()
        t.provider.ip("link", "set", "p0", "down")
        try:
            p0.frames()
        except OSError as e:    # each socket reports it once
            assert e.errno == errno.ENETDOWN, e
        t.provider.ip("link", "set", "p0", "up")
        packets_with(p0, lambda m: isinstance(m, wire.Record) and m.type == "TO_EX",
                     f"the report after the {n + 1}th loss", seconds=5)
    # the kernel reported a loss, or only that one had happened
    wait_for(5, lambda: "carrier lost" in d.log() or "wan: link down" in d.log(), "it is said")
    lines = [line for line in d.log().splitlines()
             if "carrier lost" in line or "wan: link" in line]
    assert 1 <= len(lines) <= 11, lines


def link_lines(d, interface):
    return [line for line in d.log().splitlines()
            if line.startswith(f"notice: {interface}: ") and
            (" link " in line or "interface is" in line)]


def swap(t, interface):
    """Delete the interface and create another one with its name."""
    t.router.ip("link", "del", interface)
    t.router.ip("link", "add", interface, "type", "veth", "peer", "name", "far-" + interface)
    t.router.ip("link", "set", "far-" + interface, "up")
    t.router.ip("link", "set", interface, "up")


@case("N23 the log says when a link goes down, comes up, is gone and is back, one line each")
def link_log(b):
    t = b.topology(lans=2)
    t.router.ip("link", "set", "lan2", "down")
    d = b.run(t, WAN + LAN + "phyint lan2 downstream\n", verbose=False)

    def said(interface, *texts):
        wait_for(5, lambda: len(link_lines(d, interface)) >= len(texts), texts[-1])
        lines = link_lines(d, interface)
        assert len(lines) == len(texts) and all(map(lambda t, l: t in l, texts, lines)), lines
    said("lan2", "link down: nothing is forwarded")
    t.router.ip("link", "set", "lan2", "up")
    said("lan2", "link down", "link up")
    t.router.ip("link", "set", "wan", "down")
    said("wan", "link down: nothing comes in")
    t.router.ip("link", "set", "wan", "up")
    said("wan", "link down", "link up")
    t.router.ip("link", "del", "lan1")
    said("lan1", "interface is gone")
    t.router.ip("link", "add", "lan1", "type", "veth", "peer", "name", "far")
    t.router.ip("link", "set", "far", "up")
    t.router.ip("link", "set", "lan1", "up")
    said("lan1", "interface is gone", "interface is back, link up")
    assert "cannot open" not in d.log(), d.log()


@case("N23 the port of a pattern says that its interface is gone")
def pattern_log(b):
    t = b.topology(lans=2)
    d = b.run(t, WAN + "phyint lan* downstream\n", verbose=False)
    t.router.ip("link", "del", "lan2")
    wait_for(5, lambda: link_lines(d, "lan2"), "it is said")
    assert len(link_lines(d, "lan2")) == 1 and "is gone" in link_lines(d, "lan2")[0]


@case("N23 the log says at info when a stream arrives and when it has ended")
def stream_log(b):
    t = b.topology(lans=1)
    d = b.run(t, WAN + LAN, verbose=False)
    assert d.ctl_run("log", "info").returncode == 0
    r = b.receiver(t.hosts["lan1"])
    stream = b.stream(t)
    wait_datagrams(r)
    line = f"info: wan: group {GROUP} source 10.0.0.1: the stream "
    wait_for(20, lambda: line + "arrives" in d.log(), "it arrives")
    stream.stop()
    wait_for(30, lambda: line + "has ended: no datagram for ten seconds" in d.log(), "it ends")
    assert d.log().count(line) == 2, d.log()


@case("K47 an interface that is swapped twenty times: a few log lines, the last is right")
def swapped(b):
    t = b.topology(lans=1)
    d = b.run(t, WAN + LAN, verbose=False)
    before = len(d.log().splitlines())
    for _ in range(20):
        swap(t, "lan1")
        wait_for(5, lambda: d.interface("lan1")["up"], "it is used")
    t.router.ip("link", "set", "lan1", "down")
    wait_for(15, lambda: "lan1: link down" in d.log().splitlines()[-1], "as it is in the end")
    lines = d.log().splitlines()[before:]
    b.note(f"{len(lines)} lines")
    assert len(lines) <= 12, lines


@case("K10 two interfaces on one segment: our own reports make no member, and the log says so")
def looped(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN.replace("downstream", "downstream" + ANYWHERE))
    segment = b.own(Wire(t.hosts["lan1"], "eth0"))
    ours = bytes.fromhex(d.interface("wan")["mac"].replace(":", ""))
    join = igmp3_report((4, GROUP, ()))
    segment.send(ipv4("10.0.0.2", "224.0.0.22", 2, join))
    segment.send(ipv4("0.0.0.0", "224.0.0.22", 2, join), source=ours)
    wait_for(5, lambda: "come back here" in d.log(), "the log names the fault")
    assert "lan1" in d.log().split("frames of another interface")[0].splitlines()[-1]
    assert not d.group("lan1", GROUP)
    r = d.ctl_run("explain", GROUP)
    assert "frames that this router sends on wan come back here" in r.stdout, r.stdout


if __name__ == "__main__":
    main()
