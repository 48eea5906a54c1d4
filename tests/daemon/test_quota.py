#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks of one host on the others: leaves in their name, space in the tables, air time of
queries."""

import select
import threading
import time

import peers
from libnetns import (FAST, GROUP, WAN, assert_continuous, case, main, wait_datagrams, wait_for,
                      wait_record, wire)
from packets import TO_EX, TO_IN, Wire, igmp3_report, ipv4

LAN = "phyint lan1 downstream\n"
# General queries come too late to restore a membership.
RARE = """query-interval 300
startup-query-interval 0.3
"""
QUICK = "quickleave\n" + RARE + WAN + LAN
ALL = "224.0.0.22"
ROUTER, VICTIM, ATTACKER = "10.0.1.1", "10.0.1.2", "10.0.1.3"


class FastProvider(threading.Thread):
    """Sends the stream while the last message was a join, and stops immediately at a leave."""

    def __init__(self, b, t):
        super().__init__(daemon=True)
        self.tap = b.own(wire.Tap(t.provider, "p0"))
        self.bench, self.topology = b, t
        self.ended = threading.Event()
        self.leaves = 0
        b.own(self)
        self.start()

    def run(self):
        stream = None
        while not self.ended.is_set():
            select.select([self.tap.sock], [], [], 0.05)
            for m in self.tap.igmp():
                if not isinstance(m, wire.Record) or m.group != GROUP:
                    continue
                leaves = m.type in ("TO_IN", "LEAVE") and not m.sources
                if leaves and stream:
                    self.leaves += 1
                    stream.stop()
                    stream = None
                elif not leaves and not stream:
                    stream = self.bench.stream(self.topology)
        if stream:
            stream.stop()

    def close(self):
        self.ended.set()
        self.join()


def specific(m):
    return isinstance(m, wire.Query) and m.group == GROUP


def two_boxes(b, same_station):
    """Two IGMPv3 boxes with the same address; both receive from a fast provider."""
    t = b.topology(1, hosts=2)
    two = t.hosts["lan1b"]
    two.ip("addr", "flush", "dev", "eth0")
    if same_station:
        for host in t.hosts.values():
            host.ip("link", "set", "eth0", "address", "02:00:00:00:10:10")
    two.ip("addr", "add", VICTIM + "/24", "dev", "eth0")
    for host in t.hosts.values():
        host.sysctl("net.ipv4.conf.eth0.force_igmp_version", 3)
    return t


def one_leaves(b, t):
    """Returns the seconds without a datagram for the box that stays, and what was sent on its
    LAN."""
    provider = FastProvider(b, t)
    boxes = [b.receiver(t.hosts[h]) for h in ("lan1", "lan1b")]
    for r in boxes:
        wait_datagrams(r, 20)
    lan = b.tap(t.hosts["lan1b"], "eth0")
    gap, last, start = 0, time.monotonic(), time.monotonic()
    boxes[0].leave()
    while time.monotonic() - start < 4:
        select.select([boxes[1].sock], [], [], 0.2)
        if boxes[1].receive():
            gap, last = max(gap, time.monotonic() - last), time.monotonic()
    gap = max(gap, time.monotonic() - last)
    return gap, provider, boxes[1], lan.igmp()


def shared_address(b, same_station):
    t = two_boxes(b, same_station)
    b.run(t, QUICK)
    gap, provider, box, seen = one_leaves(b, t)
    b.note(f"longest gap {gap * 1000:.0f} ms, {provider.leaves} leaves upstream")
    assert [m for m in seen if specific(m)], seen
    box.receive()
    wait_datagrams(box, 20)


@case("K11 quickleave, two IGMPv3 boxes behind one address: the other one is asked")
def one_address(b):
    shared_address(b, False)


@case("K11 quickleave, two IGMPv3 boxes behind one address and MAC: the other comes back")
def one_station(b):
    shared_address(b, True)


@case("K11 the same with igmpproxy, for comparison")
def beside_igmpproxy(b):
    t = two_boxes(b, True)
    lan = b.tap(t.hosts["lan1"], "eth0")   # its first query comes at once, the next in 30 s
    peers.igmpproxy(b, t.router, "quickleave\nphyint wan upstream ratelimit 0 threshold 1\n"
                    "\taltnet 0.0.0.0/0\nphyint lan1 downstream ratelimit 0 threshold 1\n")
    wait_record(lan, lambda m: isinstance(m, wire.Query), "igmpproxy asks")
    gap, provider, box, _ = one_leaves(b, t)
    b.note(f"igmpproxy: longest gap {gap * 1000:.0f} ms, {provider.leaves} leaves upstream")


@case("F6 quickleave, a leave in the name of a member from another station: nothing is lost")
def forged_leave(b):
    t = b.topology(1, hosts=2)
    t.hosts["lan1"].sysctl("net.ipv4.conf.eth0.force_igmp_version", 3)
    d = b.run(t, QUICK)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(r, 20)
    lan, upstream = b.tap(t.hosts["lan1"], "eth0"), b.tap(t.provider, "p0")
    attacker = b.own(Wire(t.hosts["lan1b"], "eth0"))
    attacker.send(ipv4(VICTIM, ALL, 2, igmp3_report((TO_IN, GROUP, ()))))
    wait_record(lan, specific, "the LAN is asked")
    while len(got) < 900:   # three seconds, longer than the last-member time
        got += wait_datagrams(r, 50)
    assert_continuous(got, at_least=900)
    assert d.group("lan1", GROUP)
    assert not [m for m in upstream.igmp() if isinstance(m, wire.Record)
                and m.group == GROUP and m.type == "TO_IN"]


def numbered(i):
    return f"239.100.{i >> 8}.{i & 255}"


def report(kind, source, first, n):
    return ipv4(source, ALL, 2, igmp3_report(
        *((kind, numbered(i), ()) for i in range(first, first + n))))


@case("F8 K14 a report with 182 leaves makes no more than two queries in its second")
def many_leaves(b):
    t = b.topology(1, hosts=2)
    b.run(t, RARE + WAN + LAN)
    attacker = b.own(Wire(t.hosts["lan1b"], "eth0"))
    attacker.send(report(TO_EX, ATTACKER, 0, 182))
    b.daemon.wait_member("lan1", numbered(181))
    lan = b.tap(t.hosts["lan1"], "eth0")
    attacker.send(report(TO_IN, ATTACKER, 0, 182))
    attacker.send(ipv4(ATTACKER, ALL, 2, igmp3_report(
        *((TO_IN, numbered(0), ()) for _ in range(182)))))
    # when this join is heard, all earlier messages have been handled
    r = b.receiver(t.hosts["lan1"])
    b.daemon.wait_member("lan1", GROUP)
    r.close()
    asked = [m for m in lan.igmp() if isinstance(m, wire.Query) and m.group != "0.0.0.0"]
    b.note(f"{len(asked)} queries for two reports with 364 leaves")
    assert 1 <= len(asked) <= 4, asked


@case("F5 a table full of one station's groups: a neighbour can still join")
def full_table(b):
    t = b.topology(1, hosts=2)
    d = b.run(t, "max-groups 1000\nmax-groups-per-host 0\n" + FAST.replace(
        "query-interval 3", "query-interval 60") + WAN + LAN)
    b.stream(t)
    attacker = b.own(Wire(t.hosts["lan1b"], "eth0"))
    for i in range(8):
        attacker.send(report(TO_EX, f"10.0.1.{100 + i}", 182 * i, 182))
    wait_for(10, lambda: len(d.show("groups")["groups"]) >= 1000, "the table is full")
    wait_datagrams(b.receiver(t.hosts["lan1"]), 20)
    assert len(d.show("groups")["groups"]) <= 1000
    d.wait_log("group ended to make room")
    said = d.ctl_run("health").stdout
    assert "max-groups (1000) was met by" in said and "end to make room" in said, said


@case("F5 a report from a MAC that no station has is refused and counted")
def nobody(b):
    t = b.topology(1)
    d = b.run(t, RARE + WAN + LAN)
    raw = b.own(Wire(t.hosts["lan1"], "eth0"))
    packet = report(TO_EX, VICTIM, 1, 1)
    for mac in (bytes(6), b"\x01\0\x5e\1\2\3"):
        raw.sock.send(b"\x01\0\x5e\0\0\x16" + mac + b"\x08\0" + packet)
    wait_for(5, lambda: d.show("stats")["control"]["bad"].get("source") == 2, "both counted")
    assert not d.group("lan1", numbered(1))
    raw.send(packet)
    d.wait_member("lan1", numbered(1))


if __name__ == "__main__":
    main()
