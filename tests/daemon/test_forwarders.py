#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Several routers that could forward to a LAN: a querier that does not forward, two forwarders of
which one stops, a forwarder that ignores all others, forged queries."""

import signal
import socket
import struct
import time

import peers
from libnetns import (GROUP, WAN, Daemon, Topology, assert_continuous, case, gaps, main,
                      numbers, wait_datagrams, wait_for)
from packets import SENDER_MAC, Wire, group_mac, ipv4, query, udp
from librouters import GROUP6, SHORT, TwoRouters, querier, wait_state
from wire import frame6, mld_packet

LAN1 = "phyint lan1 downstream\n"
CONFIG = SHORT + WAN + LAN1
RATE = 300


def forwards(d):
    """Returns whether the daemon is sending now."""
    before = d.interface("lan1")["tx_packets"]
    try:
        wait_for(0.6, lambda: d.interface("lan1")["tx_packets"] > before + 5, "it forwards")
    except AssertionError:
        return False
    return True


def wait_single(receiver, seconds=20):
    """Wait until datagrams come once; returns how many came twice until then."""
    double = 0
    deadline = time.monotonic() + seconds
    while True:
        got = numbers(wait_datagrams(receiver, RATE // 2))
        disorder = gaps(got)[1]
        double += disorder
        if not disorder:
            return double
        assert time.monotonic() < deadline, "datagrams come twice for ever"


def take_over(b, receiver, kill, survivor, what):
    """Kill the router that forwards; notes how long the stream was interrupted."""
    receiver.receive()
    got = numbers(wait_datagrams(receiver, 20))
    kill()
    died = time.monotonic()
    wait_for(20, lambda: forwards(survivor), "the other takes over")
    b.note(f"{what}: seen to forward {time.monotonic() - died:.1f} s later")
    got += numbers(wait_datagrams(receiver, RATE))
    missing, disorder = gaps(got)
    assert missing < 20 * RATE and disorder <= RATE, (missing, disorder)
    b.note(f"{what}: {missing / RATE:.2f} s without a datagram")
    wait_single(receiver)


def snooping_switch(b, family):
    t = b.topology(lans=1, hosts=2, ipv6=family == "ipv6")
    group = GROUP6 if family == "ipv6" else GROUP
    switch = t.switches["lan1"]
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.9/24", "dev", "lan1")
    switch.ip("addr", "add", "10.0.1.1/24", "dev", "br0")
    if family == "ipv6":
        switch.ip("-6", "addr", "flush", "dev", "br0")
        switch.ip("-6", "addr", "add", "fe80::1/64", "dev", "br0", "nodad")
    d = b.run(t, CONFIG)
    b.stream(t, group)
    r = b.receiver(t.hosts["lan1"], group)
    got = wait_datagrams(r, 20)
    for name, value in (("mcast_igmp_version", 3), ("mcast_mld_version", 2),
                        ("mcast_query_interval", 100), ("mcast_query_response_interval", 50),
                        ("mcast_startup_query_interval", 100), ("mcast_querier_interval", 10),
                        ("mcast_query_use_ifaddr", 1), ("mcast_snooping", 1)):
        switch.ip("link", "set", "br0", "type", "bridge", name, str(value))
    # a querier that does not know the host yet keeps the stream from it
    wait_for(10, lambda: group in switch.run("bridge", "mdb", "show", "dev", "br0").stdout,
             "the switch knows the host")
    switch.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "1")
    wait_for(15, lambda: (querier(d, family)["other_querier_ms"] or 0) > 1000, "it is querier")
    got += wait_datagrams(r, 5 * RATE)
    assert_continuous(got, at_least=5 * RATE)
    assert querier(d, family)["state"] == "standby"
    assert querier(d, family)["forwards"] and not querier(d, family)["standby_streams"]
    d.wait_log("is querier now, because its address is lower; this router stops asking the "
               "hosts there but continues forwarding")


@case("K04 a snooping switch with a lower address is querier: the picture stays")
def switch_is_querier(b):
    snooping_switch(b, "ipv4")


@case("K04 the same with MLD and an IPv6 stream")
def switch_is_querier6(b):
    snooping_switch(b, "ipv6")


def two(b, family):
    t = b.own(TwoRouters(family == "ipv6"))
    group = GROUP6 if family == "ipv6" else GROUP
    low = b.run(t, CONFIG)
    b.stream(t, group, rate=RATE)
    r = b.receiver(t.hosts["lan1"], group)
    wait_datagrams(r, RATE)
    high = b.own(Daemon(t.other, CONFIG))
    wait_state(high, "standby", family)
    wait_for(10, lambda: high.upstream_group(group), "the second has the membership")
    double = wait_single(r)
    b.note(f"{double / RATE:.2f} s of datagrams came twice until one of two stopped")
    assert forwards(low) and not forwards(high)
    wait_for(5, lambda: querier(high, family)["standby_streams"] == 1, "it is shown")
    high.wait_log("also forwards this stream there, so this router stops")
    low_mac = low.interface("lan1")["mac"]
    assert low_mac in high.log(), "the log names the other"
    rival, = [x for x in high.show("interfaces")["rivals"] if x["kind"] == "forwarder"]
    assert rival["mac"] == low_mac and rival["streams"] == 1, rival
    said = high.ctl_run("explain", group).stdout
    assert low_mac in said and "leaves the stream" in said, said
    assert "non-querier, 1 stream left to others" in high.table("interfaces")
    r.receive()
    assert_continuous(wait_datagrams(r, 3 * RATE), at_least=3 * RATE)

    def kill():
        low.process.send_signal(signal.SIGKILL)
        low.process.wait()
    take_over(b, r, kill, high, "killed")
    assert high.upstream_group(group)
    low.start()
    wait_for(15, lambda: forwards(low), "the first one forwards again")
    b.note(f"{wait_single(r) / RATE:.2f} s twice when the first returned")
    assert not (forwards(low) and forwards(high))
    assert high.stop() == 0


@case("K04 R142 two ringcastd on one LAN: one stops, and takes over when the other is killed")
def two_ipv4(b):
    two(b, "ipv4")


@case("K04 R142 the same with MLD and an IPv6 stream")
def two_ipv6(b):
    two(b, "ipv6")


IGMPPROXY = "phyint wan upstream\n altnet 0.0.0.0/0\nphyint lan1 downstream\n"


def beside_igmpproxy(b, address):
    """The peer is router `other`. It sends a query every 125 s, and forwards even if another
    router does."""
    t = b.own(TwoRouters())
    t.other.ip("addr", "del", "10.0.1.9/24", "dev", "lan1")
    t.other.ip("addr", "add", address + "/24", "dev", "lan1")
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.5/24", "dev", "lan1")
    d = b.run(t, WAN + LAN1)   # our query interval is also 125 s
    b.stream(t, rate=RATE)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, RATE)
    peer = peers.igmpproxy(b, t.other, IGMPPROXY)
    wait_for(70, lambda: peer.alive() and querier(d)["queries_heard"], "it asks")
    got = []

    def twice():
        got.extend(numbers(r.receive()))
        return gaps(got)[1] > 20
    wait_for(60, twice, "both forward")
    double = gaps(got)[1] + wait_single(r)
    b.note(f"{double / RATE:.2f} s of datagrams came twice until we stopped")
    assert not forwards(d) and d.upstream_group(GROUP)
    r.receive()
    assert_continuous(wait_datagrams(r, 5 * RATE), at_least=5 * RATE)
    assert querier(d)["standby_streams"] == 1
    take_over(b, r, peer.kill, d, "igmpproxy killed")
    # the kernel deletes the peer's routes with its socket
    assert_continuous(wait_datagrams(r, RATE), at_least=RATE)


@case("K04 igmpproxy with a lower address: we leave it the stream, and take it back")
def igmpproxy_lower(b):
    beside_igmpproxy(b, "10.0.1.1")


@case("K04 igmpproxy with a higher address: the same, because it ignores others")
def igmpproxy_higher(b):
    beside_igmpproxy(b, "10.0.1.9")


@case("K05 F3 forged queries: the stream continues, and the LAN is ours again")
def forged(b):
    t = b.topology(lans=1, hosts=2)
    d = b.run(t, CONFIG)
    b.stream(t, rate=RATE)
    r = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(r, 20)
    wire = b.own(Wire(t.hosts["lan1b"], "eth0"))
    for source in ("10.10.10.10", "169.254.0.1", "0.0.0.1", "10.0.1.255"):
        wire.send(query(source, qqic=0xff, qrv=7))
    d.wait_log("query ignored: its sender is in no subnet of the interface")
    assert querier(d)["state"] == "active"
    # to our MAC address only, so no other station hears it
    mac = bytes.fromhex(d.interface("lan1")["mac"].replace(":", ""))
    wire.send(query("10.0.1.0"), mac=mac)
    wait_for(5, lambda: querier(d)["queries_heard"] > 0, "it is heard")
    assert querier(d)["state"] == "active"
    wire.send(query("10.0.1.0", qqic=0xff))
    wait_state(d, "standby")
    assert querier(d)["other_querier_ms"] <= 1000
    assert querier(d)["query_interval_ms"] == 1000
    # a forged group query, which members answer
    wire.send(query("10.0.1.0", group=GROUP, qqic=0xff))
    wait_state(d, "active")
    assert_continuous(got + wait_datagrams(r, 5 * RATE), at_least=5 * RATE)


def datagram(source, group, payload):
    """A datagram to a UDP port that the receivers do not use."""
    return udp(source, group, payload, 0, port=5001)


@case("F3 a host sends single datagrams from the provider's address: the stream continues")
def no_forwarder(b):
    t = b.topology(lans=1, hosts=2)
    d = b.run(t, CONFIG)
    b.stream(t, rate=RATE)
    r = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(r, 20)
    wire = b.own(Wire(t.hosts["lan1b"], "eth0"))
    wire.send(query("10.0.1.0"))
    wait_state(d, "standby")
    wait_for(5, lambda: querier(d)["sensor"] == "on", "it looks for forwarders")
    seen = 0
    while len(got) < 6 * RATE:
        wire.send(query("10.0.1.0"))    # the forged querier stays alive, with the same MAC address
        wire.send(datagram(t.SOURCE, GROUP, got[-1][0]))
        got += wait_datagrams(r, RATE // 10)
        seen += querier(d)["state"] == "standby"
    assert seen, "it is never on standby"
    assert_continuous(got, at_least=6 * RATE)
    assert "also forwards this stream there" not in d.log(), d.log()
    assert querier(d)["double_streams"] == 0

    def as_many():
        wire.send(query("10.0.1.0"))
        for payload, _ in r.receive():
            wire.send(datagram(t.SOURCE, GROUP, payload))
        return querier(d)["standby_streams"]
    wait_for(20, as_many, "a host that sends as much as the stream is taken for a forwarder")


GENERAL6 = struct.pack("!BBHHH16sBBH", 130, 0, 0, 300, 0, bytes(16), 2, 1, 0)


def liar(b, family, group, claim, frame):
    """A host that claims to be querier sends small frames whose header claims 64 KiB. The switch
    must not inspect them, because netfilter would drop them."""
    t = b.topology(lans=1, hosts=2, ipv6=family == "ipv6")
    for key in ("iptables", "ip6tables"):
        t.switches["lan1"].sysctl(f"net.bridge.bridge-nf-call-{key}", "0")
    d = b.run(t, CONFIG)
    b.stream(t, group, rate=RATE, **({"source": t.SOURCE6} if family == "ipv6" else {}))
    r = b.receiver(t.hosts["lan1"], group)
    got = wait_datagrams(r, 20)
    sock = b.own(t.hosts["lan1b"].socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    sock.bind(("eth0", 0))
    sock.send(claim)
    wait_state(d, "standby", family)
    wait_for(5, lambda: querier(d, family)["sensor"] == "on", "it looks for forwarders")
    while len(got) < 6 * RATE:
        sock.send(claim)
        sock.send(frame)
        got += wait_datagrams(r, RATE // 30)
    assert_continuous(got, at_least=6 * RATE)
    assert "also forwards this stream there" not in d.log(), d.log()


def ethernet(packet):
    return group_mac(packet) + SENDER_MAC + b"\x08\0" + packet


@case("F3 small frames whose header names 64 KiB are small ones: the stream continues")
def lengths(b):
    liar(b, "ipv4", GROUP, ethernet(query("10.0.1.0")),
         ethernet(ipv4("10.0.0.1", GROUP, 17, bytes(65515), 8, b"", 0)[:28]))


@case("F3 the same with an IPv6 stream")
def lengths6(b):
    liar(b, "ipv6", GROUP6, mld_packet("fe80::1", "ff02::1", GENERAL6),
         frame6(Topology.SOURCE6, GROUP6, 17, bytes(65535))[:62])


if __name__ == "__main__":
    main()
