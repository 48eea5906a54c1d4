#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile host on a LAN sends messages that are expensive to process, also with its neighbours'
addresses. The neighbours are real: kernel sockets that join groups. The tests assert that all of
their joins are served during the flood; the time that a join takes is only noted."""

import itertools
import json
import random
import socket
import struct
import threading
import time

from libnetns import (FAST, LANS, WAN, Record, Sender, assert_continuous, case, main, number,
                      wait_datagrams, wait_for, wait_record, wire)
from packets import (ALLOW, BLOCK, IS_EX, REPORTS, SENDER_MAC, TO_EX, TO_IN, fragments,
                     group_mac, igmp, igmp3_query, igmp3_report, ipv4, query)

ATTACKER = "10.0.1.3"
WATCHED = "239.1.1.1"
PREY = "239.66.0.1"             # a group with many sources
PATIENCE = 20                   # seconds for one join, which takes a few milliseconds


def report(source, *records):
    return ipv4(source, REPORTS, 2, igmp3_report(*records))


def frame(packet, mac):
    return group_mac(packet) + mac + b"\x08\0" + packet


def groups(first, n):
    return [f"239.{80 + first + i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(n)]


class Flood(threading.Thread):
    """Sends frames over and over, in bursts of `burst` per `period` seconds."""

    def __init__(self, ns, frames, burst, period, interface="eth0"):
        super().__init__(daemon=True)
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.bind((interface, 0))
        self.frames, self.burst, self.period = itertools.cycle(frames), burst, period
        self.sent, self.began = 0, time.monotonic()
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            for f in itertools.islice(self.frames, self.burst):
                self.sock.send(f)
            self.sent += self.burst
            self.ended.wait(self.period)

    def rate(self):
        return self.sent / (time.monotonic() - self.began)

    def close(self):
        self.ended.set()
        self.join()
        self.sock.close()


class Channels(threading.Thread):
    """The provider sends a datagram to each channel every few milliseconds."""

    def __init__(self, ns, channels):
        super().__init__(daemon=True)
        self.sender, self.channels = Sender(ns), channels
        self.ended = threading.Event()
        self.start()

    def run(self):
        for n in itertools.count():
            for channel in self.channels:
                self.sender.send(number(n), channel)
            if self.ended.wait(0.005):
                return

    def close(self):
        self.ended.set()
        self.join()
        self.sender.close()


def mac_of(ns, interface="eth0"):
    row, = json.loads(ns.ip("-j", "link", "show", interface).stdout)
    return bytes.fromhex(row["address"].replace(":", ""))


def join(b, ns, channel):
    """Join a channel and leave it again; returns the milliseconds until it arrived."""
    r = b.receiver(ns, channel)
    start = time.monotonic()
    wait_datagrams(r, seconds=PATIENCE)
    delay = (time.monotonic() - start) * 1000
    r.close()
    return delay


def joins(b, hosts, channels, what, flood, seconds=0):
    """Each host joins each channel, repeatedly for that many seconds; all joins must be served. A
    join takes a second at most, even if only its repetition is heard."""
    delays = {ns.name: [] for ns in hosts}
    end = time.monotonic() + seconds
    while True:
        for channel in channels:
            for ns in hosts:
                delays[ns.name].append(join(b, ns, channel))
        assert flood.is_alive()
        if time.monotonic() >= end:
            break
    for name, d in delays.items():
        d.sort()
        b.note(f"{what}, {flood.rate():.0f}/s: {len(d)} joins on {name}, all served, median "
               f"{d[len(d) // 2]:.1f}, worst {d[-1]:.1f} ms")


def bed(b, config=""):
    """lan1 has a victim and an attacker, lan2 a bystander. Victim and bystander watch a stream all
    the time."""
    t = b.topology(hosts=2)
    d = b.run(t, config + FAST + WAN + LANS, verbose=False)
    channels = [f"239.2.{i}.1" for i in range(12)]
    b.own(Channels(t.provider, channels))
    victim, attacker, bystander = (t.hosts[n] for n in ("lan1", "lan1b", "lan2"))
    running = b.stream(t, WATCHED)
    watched = [b.receiver(ns, WATCHED) for ns in (victim, bystander)]
    for lan in ("lan1", "lan2"):
        d.wait_member(lan, WATCHED)
    for r in watched:
        wait_datagrams(r)
    return t, d, channels, (victim, attacker, bystander), watched, running


def forgeries(victim):
    """Yields the forgeries of F4 and similar ones as (description, frames)."""
    mac, ip = mac_of(victim), "10.0.1.2"
    some = random.Random(1)
    word = lambda: f"239.{some.randrange(70, 80)}.{some.randrange(256)}.{some.randrange(256)}"
    host = lambda: (bytes([2, 9]) + some.randbytes(4), f"10.0.1.{some.randrange(4, 250)}")
    yield "empty reports with its MAC", [frame(report(ATTACKER), mac)]
    yield "empty reports with its MAC and IP", [frame(report(ip), mac)]
    yield "random groups with its MAC and IP", [
        frame(report(ip, (TO_IN, word(), ())), mac) for _ in range(20000)]
    large = [[(BLOCK, word(), ()) for _ in range(182)] for _ in range(100)]
    yield "large reports with its MAC and IP", [frame(report(ip, *r), mac) for r in large]
    made_up = [host() for _ in range(1000)]
    yield "1,000 made-up hosts", [
        frame(report(a, *large[i % 100]), m) for i, (m, a) in enumerate(made_up)]


@case("F4 a forged MAC, or MAC and IP, does not silence its owner: joins are served")
def forged(b):
    _, d, channels, (victim, attacker, bystander), watched, running = bed(b)
    for what, frames in forgeries(victim):
        flood = Flood(attacker, frames, 4200, 0.5)
        try:
            # longer than a membership lives without an answer
            joins(b, (victim, bystander), channels[:6], what, flood, 8)
        finally:
            flood.close()
    running.stop()
    for r in watched:
        assert_continuous(r.receive(), 10)
    control = d.show("stats")["control"]
    assert control["limited"] > 0, control
    b.note(str({k: control[k] for k in ("limited", "records_limited", "hosts_sampled", "dropped")}))


@case("F2 all reports of a host that has groups are heard, whatever strangers send")
def strangers(b):
    t, d, channels, (victim, attacker, _), _, _ = bed(b, "message-rate 100\n")
    receivers = [b.receiver(victim, c) for c in channels]
    for r in receivers:
        wait_datagrams(r)
    *_, (_, frames) = forgeries(victim)
    flood = b.own(Flood(attacker, frames, 1000, 0.2))
    start = d.show("stats")["control"]["records_limited"]
    wait_for(PATIENCE, lambda: d.show("stats")["control"]["records_limited"] > start + 182 * 1000,
             "strangers are refused")
    # longer than a membership of any channel lives without an answer
    end = time.monotonic() + 15
    while time.monotonic() < end:
        for r in receivers:
            r.receive()
            wait_datagrams(r, seconds=1)
    assert flood.is_alive()
    b.note(f"{flood.rate():.0f}/s: {len(receivers)} channels of one host went on")


def refused(d, port):
    return next(i["refused"] for i in d.show("interfaces")["interfaces"]
                if i["name"] == port)


@case("F4 a stranger that uses up a host's quota in its name ends none of its streams")
def in_its_name(b):
    _, d, channels, (victim, attacker, bystander), watched, running = bed(b)
    some, mac = random.Random(1), mac_of(victim)
    frames = [frame(report("10.0.1.2", *[(TO_EX, f"239.{some.randrange(70, 80)}."
                                          f"{some.randrange(256)}.{some.randrange(256)}", ())
                                         for _ in range(182)]), mac) for _ in range(500)]
    flood = Flood(attacker, frames, 1000, 0.1)
    try:
        wait_for(PATIENCE, lambda: refused(d, "lan1") > 0, "the host may have no more groups")
        # longer than a membership lives without an answer
        joins(b, (bystander,), channels[:6], "a neighbour's groups are used up", flood, 20)
    finally:
        flood.close()
    running.stop()
    for r in watched:
        assert_continuous(r.receive(), 10)
    control = d.show("stats")["control"]
    b.note(str({k: control[k] for k in ("limited", "records_limited", "hosts_sampled", "dropped")}))


@case("F2 health, explain and the log name each limit and the host that met it")
def named(b):
    _, d, _, (_, attacker, _), _, _ = bed(b, "host-message-rate 50\n")
    flood = b.own(Flood(attacker, [frame(report(ATTACKER), SENDER_MAC)], 500, 0.1))
    who = ":".join(f"{o:02x}" for o in SENDER_MAC) + f" ({ATTACKER})"
    said = f"lan1: host {who} sends more than host-message-rate allows"

    def told():
        r = d.ctl_run("health")
        assert r.returncode == 0, r.stdout   # a flood is not a reason for a restart
        return said in r.stdout
    wait_for(20, told, "health names the host")
    assert d.ctl_run("health", "--quiet").stdout == ""
    r = d.ctl_run("explain", "239.9.9.9")
    assert f"{who} sends more than host-message-rate allows" in " ".join(r.stdout.split()), r.stdout
    assert f"{who}: sends more than host-message-rate allows (50 messages" in d.log(), d.log()
    assert f"notice: lan1: host {who}: sends more" in d.log(), "a limit of the file is not a fault"
    assert flood.is_alive()


def burst_of(ns, packet, n):
    with ns.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind(("eth0", 0))
        for _ in range(n):
            s.send(frame(packet, SENDER_MAC))


@case("F2 reports about a limit are exact: refused, or used in part, and how often")
def counted(b):
    t = b.topology(lans=1, hosts=2)
    d = b.run(t, "host-message-rate 10\n" + FAST + WAN + "phyint lan1 downstream\n")
    attacker = t.hosts["lan1b"]
    # 320 units and at random up to 80 more: the second report must be cut
    burst_of(attacker, report(ATTACKER, *[(TO_EX, g, ()) for g in groups(0, 182)]), 3)
    control = lambda: d.show("stats")["control"]
    wait_for(10, lambda: control()["records_limited"] > 0, "records are left off")
    d.wait_log("records of a message were left out; raise the limit")
    assert control()["limited"] == 0 and " refused" not in d.log(), control()
    burst_of(attacker, report(ATTACKER), 500)
    wait_for(10, lambda: control()["limited"] > 0, "messages are refused")
    said = lambda: " ".join(d.ctl_run("health").stdout.split())
    wait_for(10, lambda: f" from all hosts that do: {control()['limited']} messages refused and " in said(),
             "health counts as show stats does")


# The contents of one report each, from the table of F2. Some need a group with 1,024 sources.
def shapes():
    own = [f"192.0.2.{i % 250 + 1}" for i in range(120)]
    new = groups(3, 182 * 50)
    return [
        ("182 x BLOCK{}", [[(BLOCK, PREY, ())] * 182]),
        ("182 x ALLOW{}", [[(ALLOW, PREY, ())] * 182]),
        ("120 x ALLOW{known}", [[(ALLOW, PREY, (s,)) for s in own]]),
        ("22 x ALLOW{new}", [[(ALLOW, PREY, (f"198.18.{n}.{i + 1}",)) for i in range(22)]
                             for n in range(250)]),
        ("182 x TO_EX of new groups", [[(TO_EX, g, ()) for g in new[i:i + 182]]
                                       for i in range(0, len(new), 182)]),
        ("182 x TO_EX/TO_IN of one group", [[(TO_EX, PREY, ()), (TO_IN, PREY, ())] * 91]),
        ("a list of 360 sources", [[(IS_EX, PREY, [f"203.0.{n}.{i % 250 + 1}"
                                                   for i in range(360)])] for n in range(50)]),
    ]


def prepare(attacker):
    """Give the group many sources."""
    for first in range(0, 1024, 256):
        sources = [f"192.0.{first // 256}.{i}" for i in range(256)]
        packet = report(ATTACKER, (ALLOW, PREY, sources))
        with attacker.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
            s.bind(("eth0", 0))
            s.send(frame(packet, SENDER_MAC))


@case("F2 expensive reports delay neither the joins of others nor the control socket")
def dear(b):
    _, d, channels, (victim, attacker, bystander), watched, running = bed(b)
    prepare(attacker)
    d.wait_member("lan1", PREY)
    for what, bodies in shapes():
        frames = [frame(report(ATTACKER, *body), SENDER_MAC) for body in bodies]
        flood = Flood(attacker, frames, 1000, 0.1)
        try:
            joins(b, (victim, bystander), channels, what, flood)
            start = time.monotonic()
            d.show("stats")
            b.note(f"{what}: show stats in {(time.monotonic() - start) * 1000:.0f} ms")
        finally:
            flood.close()
    running.stop()
    for r in watched:
        assert_continuous(r.receive(), 10)
    control = d.show("stats")["control"]
    assert control["records_limited"] > 0, control
    b.note(str({k: control[k] for k in ("limited", "records_limited", "dropped")}))


@case("F2 a burst of 1,800 packets: a host that joins afterwards does not wait for it")
def burst(b):
    _, d, channels, (victim, attacker, bystander), _, _ = bed(b)
    prepare(attacker)
    d.wait_member("lan1", PREY)
    f = frame(report(ATTACKER, *[(BLOCK, PREY, ())] * 182), SENDER_MAC)
    before = d.show("stats")["control"]["received"]
    with attacker.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind(("eth0", 0))
        for _ in range(1800):
            s.send(f)
    for ns in (victim, bystander):
        b.note(f"{ns.name} joins after {join(b, ns, channels[0]):.1f} ms")
    control = d.show("stats")["control"]
    # they were read, not lost in the socket
    wait_for(PATIENCE, lambda: d.show("stats")["control"]["received"] >= before + 1800,
             "all are read")
    assert control["dropped"] == 0, control
    assert d.show("stats")["control"]["records_limited"] > 1800 * 182 / 2


WATCHED6 = "ff0e::6:1"


def useless(ip, mac):
    """Messages that a host on the provider's side sends in the name of the provider's router and
    that no upstream needs. Yields (description, frames); all frames differ."""
    some = random.Random(1)
    word = lambda: f"239.{some.randrange(70, 80)}.{some.randrange(256)}.{some.randrange(256)}"
    large = [report(ip, *[(TO_EX, word(), ())] * 182) for _ in range(500)]
    yield "reports of 182 records", [frame(p, mac) for p in large]
    yield "reports in fragments", [frame(f, mac) for n, p in enumerate(large[:100])
                                   for f in fragments(p, 1000, n)]
    yield "messages of an unknown type", [
        frame(ipv4(ip, word(), 2, igmp(0x13, word())), mac) for _ in range(5000)]
    records = lambda: b"".join(b"\4\0\0\0\xff\x0e" + some.randbytes(14) for _ in range(70))
    yield "MLD reports of 70 records", [
        wire.mld_packet("fe80::1", "ff02::16", struct.pack("!BBHHH", 143, 0, 0, 0, 70) +
                        records()) for _ in range(500)]


def dear_queries(ip, mac):
    """The same for queries about groups and sources that do not exist."""
    some = random.Random(1)
    word = lambda: f"239.{some.randrange(70, 80)}.{some.randrange(256)}.{some.randrange(256)}"
    sources = lambda: [f"203.0.{some.randrange(256)}.{i % 250 + 1}" for i in range(360)]
    yield "queries of a group", [frame(query(ip, group=word()), mac) for _ in range(5000)]
    yield "queries of 360 sources", [frame(ipv4(ip, g, 2, igmp3_query(g, sources())), mac)
                                     for g in (word() for _ in range(500))]


def ask(tap, packets, again):
    """Send queries of both families again every `again` seconds until both are answered; returns
    how often they were sent."""
    for n in itertools.count(1):
        tap.frames()
        for packet in packets:
            tap.sock.send(packet)
        missing = {WATCHED, WATCHED6}

        def answered(m):
            if isinstance(m, Record) and m.type == "IS_EX":
                missing.discard(m.group)
            return not missing
        try:
            wait_record(tap, answered, "both answers", again)
            return n
        except AssertionError:
            if n * again >= PATIENCE:
                raise


def provider_side(b, shapes, config, again):
    """Send floods on the provider's link while two streams run; yields the counters of each
    flood."""
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, config + FAST + WAN + "phyint lan1 downstream\n", verbose=False)
    running = [b.stream(t, g) for g in (WATCHED, WATCHED6)]
    watched = [b.receiver(t.hosts["lan1"], g) for g in (WATCHED, WATCHED6)]
    for r in watched:
        wait_datagrams(r)
    mac, tap = mac_of(t.provider, "p0"), b.tap(t.provider, "p0")
    packets = (frame(query(t.SOURCE), mac),
               wire.mld_packet("fe80::1", "ff02::1", struct.pack(
                   "!BBHHH16xBBH", 130, 0, 0, 300, 0, 2, 125, 0)))
    for what, frames in shapes(t.SOURCE, mac):
        before = d.show("stats")["control"]
        flood = Flood(t.provider, frames, 1500, 0.1, "p0")
        try:
            asked = [ask(tap, packets, again) for _ in range(10)]
            assert flood.is_alive()
        finally:
            flood.close()
        control = d.show("stats")["control"]
        more = {k: control[k] - before[k] for k in
                ("received", "limited", "records_limited", "hosts_sampled", "dropped")}
        b.note(f"{what}, {flood.rate():.0f}/s: 10 queries answered of {sum(asked)}; {more}")
        yield flood.sent, more
    for stream in running:
        stream.stop()
    for r in watched:
        assert_continuous(r.receive(), 10)


@case("F9 a flood of messages that no upstream needs: the provider's queries are answered")
def useless_floods(b):
    # so low that every flood would use it up
    config = "host-message-rate 20\nmessage-rate 40\n"
    for sent, more in provider_side(b, useless, config, PATIENCE):
        assert more["received"] < sent / 10, (sent, more)   # the kernel has filtered them
        assert more["limited"] == more["dropped"] == 0, more
    assert "more than" not in b.daemon.log(), b.daemon.log()


@case("F9 floods of queries in the name of the provider's router: its own queries are answered")
def query_floods(b):
    for _, more in provider_side(b, dear_queries, "", 1):
        assert more["dropped"] == 0, more


if __name__ == "__main__":
    main()
