#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports in IP fragments: cut by the kernel of a host, or sent by hand in another order.
igmpproxy, whose kernel joins them, serves as the comparison."""

import socket
import struct

import peers
from libnetns import FAST, WAN, case, main, wait_for, wait_record, wire
from packets import RA, REPORTS, TO_EX, Wire, fragments, igmp3_report, ipv4

LAN = "phyint lan1 downstream\n"
IGMPPROXY = ("phyint wan upstream ratelimit 0 threshold 1\n\taltnet 0.0.0.0/0\n"
             "phyint lan1 downstream ratelimit 0 threshold 1\n")
N = 300
GROUPS = [f"239.7.{i // 250}.{i % 250 + 1}" for i in range(N)]
HOST = "10.0.1.10"


def report(groups):
    return igmp3_report(*((TO_EX, g, ()) for g in groups))


def send_by_kernel(ns, message):
    """Send through a raw socket, so that the host's kernel cuts at the MTU."""
    with ns.socket(socket.AF_INET, socket.SOCK_RAW, 2) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, RA)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        s.sendto(message, (REPORTS, 0))


def joined(d):
    return {g["group"] for g in d.show("groups")["groups"]} & set(GROUPS)


def counted(d):
    return d.show("stats")["control"]["fragments"]


@case("K13 an IGMPv3 report of 300 records in fragments of a kernel, 300 of 300")
def by_kernel(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    send_by_kernel(t.hosts["lan1"], report(GROUPS))
    wait_for(10, lambda: len(joined(d)) == N, "all groups are joined")
    assert counted(d)["whole"] == 1 and counted(d)["wait"] == 1, counted(d)


@case("K13 the same in the other order, the fragments of two hosts mixed, and repeated")
def by_hand(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    first, second = (fragments(ipv4(source, REPORTS, 2, report(part)), 1476, 77)
                     for source, part in ((HOST, GROUPS[:200]), ("10.0.1.11", GROUPS[100:])))
    assert len(first) == len(second) == 2
    for packet, mac in ((first[1], 1), (second[1], 2), (second[1], 2), (first[0], 1)):
        host.send(packet, source=bytes([2, 0, 0, 0, 0, mac]))
    wait_for(10, lambda: joined(d) == set(GROUPS[:200]), "the first is whole")
    host.send(second[0], source=bytes([2, 0, 0, 0, 0, 2]))
    wait_for(10, lambda: len(joined(d)) == N, "and the second")
    assert counted(d)["repeated"] == 1 and counted(d)["whole"] == 2, counted(d)


@case("K13 fragments that overlap are refused, and so is the rest of the message")
def overlapping(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    whole = ipv4(HOST, REPORTS, 2, report(GROUPS))
    one, two = fragments(whole, 1476, 5)
    _, other = fragments(whole, 1468, 5)   # begins eight bytes earlier
    for packet in (one, other, two):
        host.send(packet)
    wait_for(10, lambda: counted(d)["overlap"] == 2, "refused")
    host.send(ipv4(HOST, REPORTS, 2, report(GROUPS[:1])))
    d.wait_member("lan1", GROUPS[0])
    assert len(joined(d)) == 1
    assert "in fragments refused: overlap" in d.log(), d.log()


@case("K13 a message without its last fragment ends after five seconds, and is counted")
def incomplete(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    b.own(Wire(t.hosts["lan1"], "eth0")).send(
        fragments(ipv4(HOST, REPORTS, 2, report(GROUPS)), 1476, 6)[0])
    wait_for(15, lambda: counted(d)["timeout"] == 1, "forgotten")
    assert not joined(d)


@case("K13 an MLDv2 report in fragments, in both orders")
def mld(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, FAST + WAN + LAN)
    groups = [f"ff0e::7:{i:x}" for i in range(1, 121)]
    message = struct.pack("!BBHHH", 143, 0, 0, 0, len(groups)) + b"".join(
        struct.pack("!BBH", TO_EX, 0, 0) + socket.inet_pton(socket.AF_INET6, g) for g in groups)
    frame = wire.mld_packet("fe80::2", "ff02::16", message)
    head, body = frame[:14 + 48], frame[14 + 48:]
    cut = 1400
    host = b.own(wire.Tap(t.hosts["lan1"], "eth0"))
    wait_for(10, lambda: d.interface("lan1")["querier"]["ipv6"]["state"] == "active", "up")
    for number, order in ((1, (0, 1)), (2, (1, 0))):
        for last in order:
            piece = body[cut:] if last else body[:cut]
            extension = struct.pack("!BBHI", 58, 0, cut if last else 1, number)
            host.sock.send(head[:18] + struct.pack("!H", 8 + 8 + len(piece)) + head[20:54] +
                           b"\x2c" + head[55:] + extension + piece)
        wait_for(10, lambda: counted(d)["whole"] == number, "it is whole")
        assert {g["group"] for g in d.show("groups")["groups"]} >= set(groups)


def beside_igmpproxy(b, send):
    t = b.topology(lans=1)
    t.router.sysctl("net.ipv4.igmp_max_memberships", 2 * N)
    upstream, lan = b.tap(t.provider, "p0"), b.tap(t.hosts["lan1"], "eth0")
    peers.igmpproxy(b, t.router, IGMPPROXY)
    wait_record(lan, lambda m: isinstance(m, wire.Query), "igmpproxy asks")
    send(t)
    seen = set()

    def all_of_them():
        seen.update(m.group for m in upstream.igmp() if isinstance(m, wire.Record))
        return seen >= set(GROUPS)
    wait_for(20, all_of_them, "igmpproxy joins them")
    b.note(f"igmpproxy: {len(seen & set(GROUPS))} of {N}")


@case("K13 the report of the kernel with igmpproxy, for comparison")
def igmpproxy_by_kernel(b):
    beside_igmpproxy(b, lambda t: send_by_kernel(t.hosts["lan1"], report(GROUPS)))


@case("K13 the report in the other order with igmpproxy, for comparison")
def igmpproxy_by_hand(b):
    def send(t):
        host = b.own(Wire(t.hosts["lan1"], "eth0"))
        for packet in reversed(fragments(ipv4(HOST, REPORTS, 2, report(GROUPS)), 1476, 7)):
            host.send(packet)
    beside_igmpproxy(b, send)


if __name__ == "__main__":
    main()
