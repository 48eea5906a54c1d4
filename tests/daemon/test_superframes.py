#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports of all kinds under runs of datagrams: joined datagrams arrive unchanged, whatever cuts the
super-frame, and `show interfaces` says which ports take super-frames."""

import itertools
import json
import os
import shutil

from libnetns import (FAST, GROUP, WAN, Sender, Skip, case, lab, main, number, ringcast,
                      wait_for, wire)
from packets import TO_EX, Tun, TunTap, Wire, igmp3_report, ipv4, udp

GROUP6 = "ff0e::1:2:3"
RUN = 30
SIZE = 1200
FAR = " altnet 0.0.0.0/0 altnet ::/0\n"


# UDP_L4 in a vnet header requires Linux 6.2
JOINS = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) >= (6, 2)


class Run:
    """Runs of datagrams of one flow: those sent and those that arrived."""

    def __init__(self, send, receive):
        self.send, self.receive = send, receive
        self.sent, self.got = [], []

    def play(self):
        first = len(self.sent)
        new = [number(n, SIZE) for n in range(first, first + RUN - 1)]
        new.append(number(first + RUN - 1, SIZE // 2))   # the last datagram may be shorter
        self.sent += new
        self.send(new)

        def enough():
            self.got += self.receive()
            return len(self.got) >= len(self.sent)
        try:
            wait_for(10, enough, "the run arrives")
        except AssertionError as e:
            missing = [n for n, p in enumerate(self.sent) if p not in self.got]
            raise AssertionError(f"{e}: {len(self.got)} of {len(self.sent)}, without "
                                 f"{missing}") from None
        assert self.got == self.sent, "other datagrams than were sent"


def counters(d, port):
    return next(p for p in d.show("stats")["ports"] if p["name"] == port)


def is_joined(d, port):
    c = counters(d, port)
    return c["tx_messages"] < c["tx_packets"]


def takes(d, port):
    return "super-frames" in d.interface(port)["transmit"]


def takes_as_it_can(d, port):
    """Returns whether the port takes super-frames exactly if the kernel supports them for packet
    sockets. On older kernels the tests check only what arrives."""
    return takes(d, port) == JOINS


def may_join(packet, ident=None, checksum=True):
    """Set DF, which makes the identification irrelevant, or clear it and use `ident`."""
    ip = bytearray(packet)
    if ident is None:
        ip[6] = 0x40
    else:
        ip[4:6] = (ident % 65536).to_bytes(2, "big")
    ip[10:12] = b"\0\0"
    ip[10:12] = (0xffff - wire.inet_sum(bytes(ip[:20]))).to_bytes(2, "big")
    if not checksum:
        ip[26:28] = b"\0\0"
    return bytes(ip)


def frames(wire_end, t, payloads, ids=None, checksum=True, **kw):
    packets = [may_join(udp(t.SOURCE, GROUP, p), ids and next(ids), checksum)
               for p in payloads]   # made first, because this takes time
    for packet in packets:
        wire_end.send(packet, **kw)


def senders(b, t):
    """Ways to send to the group: by the kernel, which leaves the checksum to the device; as frames
    with everything, without a checksum, and without DF from a counter that other streams share;
    IPv6."""
    four, six = b.own(Sender(t.provider)), b.own(Sender(t.provider, source=t.SOURCE6))
    out = b.own(Wire(t.provider, "p0"))
    return {"partial": lambda payloads: [four.send(p, GROUP) for p in payloads],
            "complete": lambda payloads: frames(out, t, payloads),
            "no checksum": lambda payloads: frames(out, t, payloads, checksum=False),
            "shared ids": lambda payloads, ids=itertools.count(65000, 7):
                frames(out, t, payloads, ids),
            "ipv6": lambda payloads: [six.send(p, GROUP6) for p in payloads]}


def play_all(b, t, d, port, receive, receive6, done=None):
    """Send in each way until something has left joined, or until `done` returns true."""
    if not JOINS:
        done = done or (lambda: True)
    for name, send in senders(b, t).items():
        run = Run(send, receive6 if name == "ipv6" else receive)
        before = counters(d, port)

        def enough():
            run.play()
            if done:
                return done()
            c = counters(d, port)
            packets = c["tx_packets"] - before["tx_packets"]
            return c["tx_messages"] - before["tx_messages"] < packets
        wait_for(20, enough, f"{name}: a run leaves joined")
        for _ in range(3):
            run.play()


def start(b, t, port, config="", **kw):
    return b.run(t, config + FAST + WAN + f"phyint {port} downstream" + FAR, **kw)


def play_hosts(b, t, port, config="", done=None, **kw):
    """Play all ways to ordinary receivers in the namespace lan1."""
    d = start(b, t, port, config, **kw)
    four, six = (b.receiver(t.hosts["lan1"], g) for g in (GROUP, GROUP6))
    for group in (GROUP, GROUP6):
        d.wait_member(port, group)
    play_all(b, t, d, port, *(lambda r=r: [p for p, _ in r.receive()] for r in (four, six)),
             done=done and (lambda: done(d)))
    return d


def lan(b):
    return b.topology(lans=1, ipv6=True)


def move_address(t, name):
    """Give lan1's addresses on the router to another interface."""
    t.router.ip("addr", "flush", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", name)
    t.router.ip("addr", "add", "2001:db8:1::1/64", "dev", name, "nodad")


def add_link(ns, *args):
    r = ns.run("ip", "link", "add", *args, check=False)
    if r.returncode:
        raise Skip(f"the kernel has no such link: {r.stderr.strip()}")


def leave_to_stack(ns, port):
    """Let the stack of `ns` cut and compute checksums, which the receiver then verifies."""
    if not shutil.which("ethtool"):
        raise Skip("ethtool is not installed (package ethtool)")
    ns.run("ethtool", "-K", port, "tx-udp-segmentation", "off", "tx", "off")


@case("veth: the port takes super-frames, with io_uring as with sendmmsg")
def veth(b):
    t = lan(b)
    d = play_hosts(b, t, "lan1")
    assert takes_as_it_can(d, "lan1"), d.interface("lan1")
    d.stop()
    d = play_hosts(b, t, "lan1", "transmit sendmmsg\n")
    assert d.interface("lan1")["transmit"] == ("super-frames, " if JOINS else "") + "sendmmsg"


@case("coalesce off: one by one")
def coalesce_off(b):
    t = lan(b)
    d = play_hosts(b, t, "lan1", "coalesce off\n", done=lambda d: True)
    assert not takes(d, "lan1") and not is_joined(d, "lan1")


@case("a device that leaves the cutting to the stack")
def cut_by_stack(b):
    t = lan(b)
    leave_to_stack(t.router, "lan1")
    assert takes_as_it_can(play_hosts(b, t, "lan1"), "lan1")


@case("a device that takes no more than 4000 bytes, or 8 segments, at once")
def small_gso(b):
    t = lan(b)
    t.router.ip("link", "set", "lan1", "gso_max_size", "4000")
    play_hosts(b, t, "lan1").stop()
    t.router.ip("link", "set", "lan1", "gso_max_size", "65536", "gso_max_segs", "8")
    assert takes_as_it_can(play_hosts(b, t, "lan1"), "lan1")


@case("R188 a bridge, one of whose ports cuts and one does not")
def bridge(b):
    t = lan(b)
    t.hosts["lan1b"] = t.namespace("lan1b")
    lab.link(t.router, "port1", t.hosts["lan1b"], "eth0")
    t.hosts["lan1b"].ip("addr", "add", "10.0.1.3/24", "dev", "eth0")
    leave_to_stack(t.router, "port1")
    add_link(t.router, "br0", "type", "bridge", "mcast_snooping", "1")
    for port in ("lan1", "port1"):
        t.router.ip("link", "set", port, "master", "br0")
    t.router.ip("link", "set", "br0", "up")
    move_address(t, "br0")
    other = b.receiver(t.hosts["lan1b"])
    d = play_hosts(b, t, "br0")
    assert takes_as_it_can(d, "br0")
    assert other.receive(), "nothing on the other port"
    run = Run(senders(b, t)["complete"], lambda: [p for p, _ in other.receive()])
    for _ in range(5):
        run.play()


@case("R181 a VLAN on the port")
def vlan(b):
    t = lan(b)
    for ns, port in ((t.router, "lan1"), (t.hosts["lan1"], "eth0")):
        add_link(ns, "link", port, "name", port + ".5", "type", "vlan", "id", "5")
        ns.ip("link", "set", port + ".5", "up")
    move_address(t, "lan1.5")
    host = t.hosts["lan1"]
    host.ip("addr", "add", "10.0.1.2/24", "dev", "eth0.5")
    d = start(b, t, "lan1.5")
    r = b.receiver(host, GROUP, interface="eth0.5")
    r6 = b.receiver(host, GROUP6, interface="eth0.5")
    play_all(b, t, d, "lan1.5", *(lambda r=r: [p for p, _ in r.receive()] for r in (r, r6)))
    assert takes_as_it_can(d, "lan1.5")


@case("macvlan")
def macvlan(b):
    t = lan(b)
    add_link(t.router, "link", "lan1", "name", "mv", "type", "macvlan", "mode", "bridge")
    t.router.ip("link", "set", "mv", "up")
    move_address(t, "mv")
    assert takes_as_it_can(play_hosts(b, t, "mv"), "mv")


@case("macvlan on a device that leaves the cutting to the stack")
def macvlan_cut(b):
    t = lan(b)
    leave_to_stack(t.router, "lan1")
    add_link(t.router, "link", "lan1", "name", "mv", "type", "macvlan", "mode", "bridge")
    t.router.ip("link", "set", "mv", "up")
    move_address(t, "mv")
    play_hosts(b, t, "mv")


@case("bond")
def bond(b):
    t = lan(b)
    add_link(t.router, "bond0", "type", "bond", "mode", "active-backup")
    t.router.ip("link", "set", "lan1", "down")
    t.router.ip("link", "set", "lan1", "master", "bond0")
    t.router.ip("link", "set", "bond0", "up")
    move_address(t, "bond0")
    play_hosts(b, t, "bond0")


def vxlan_link(t):
    for ns, port, near, far in ((t.router, "lan1", "192.0.2.1", "192.0.2.2"),
                                (t.hosts["lan1"], "eth0", "192.0.2.2", "192.0.2.1")):
        ns.ip("addr", "flush", "dev", port)
        ns.ip("addr", "add", near + "/24", "dev", port)
        add_link(ns, "vx0", "type", "vxlan", "id", "7", "remote", far, "local", near,
                 "dstport", "4789", "dev", port)
        ns.ip("link", "set", "vx0", "up", "mtu", "1400")
    move_address(t, "vx0")
    t.router.ip("addr", "add", "192.0.2.1/24", "dev", "lan1")
    t.hosts["lan1"].ip("addr", "add", "10.0.1.2/24", "dev", "vx0")


@case("vxlan: super-frames inside of UDP")
def vxlan(b):
    t = lan(b)
    play_vxlan(b, t)


@case("vxlan on a device that leaves the cutting to the stack")
def vxlan_cut(b):
    t = lan(b)
    leave_to_stack(t.router, "lan1")
    play_vxlan(b, t)


def play_vxlan(b, t):
    vxlan_link(t)
    host = t.hosts["lan1"]
    d = start(b, t, "vx0")
    both = [b.receiver(host, g, interface="vx0") for g in (GROUP, GROUP6)]
    for group in (GROUP, GROUP6):
        d.wait_member("vx0", group)
    play_all(b, t, d, "vx0", *(lambda r=r: [p for p, _ in r.receive()] for r in both))
    assert takes_as_it_can(d, "vx0")


def far_end(b, kind):
    """A TUN or TAP device as the LAN. This program is its host: it reads what arrives and cannot
    cut."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    t = b.topology(lans=0, ipv6=True)
    end = b.own(kind(t.router, "tun0"))
    t.router.ip("addr", "add", "10.64.0.2", "peer", "10.64.0.1/32", "dev", "tun0")
    t.router.ip("addr", "add", "fe80::2/64", "dev", "tun0", "nodad")
    t.router.ip("link", "set", "tun0", "up", "multicast", "on")
    d = start(b, t, "tun0")
    report = ipv4("10.64.0.1", "224.0.0.22", 2, igmp3_report((TO_EX, GROUP, ())))
    group6 = bytes.fromhex("ff0e0000000000000000000100020003")
    report6 = wire.mld_packet("fe80::9", "ff02::16", b"\x8f\0\0\0\0\0\0\x01" +
                              bytes([TO_EX, 0, 0, 0]) + group6)[14:]

    def joined():
        end.send(report)
        end.send(report6)
        return d.group("tun0", GROUP) and d.group("tun0", GROUP6)
    wait_for(10, joined, "the far end has joined")

    def receive():
        got = []
        for frame in end.frames():
            assert len(frame) <= 1514, f"{len(frame)} bytes for an MTU of 1500"
            datagram = wire.udp(frame)
            if datagram and datagram.group in (GROUP, GROUP6):
                assert datagram.checksum_ok and datagram.ttl == 7, datagram
                got.append(datagram.payload)
        return got
    play_all(b, t, d, "tun0", receive, receive)
    assert takes_as_it_can(d, "tun0")


@case("R186 TUN: no link header, and the reader gets datagrams")
def tun(b):
    far_end(b, Tun)


@case("TAP: the reader gets datagrams")
def tap(b):
    far_end(b, TunTap)


@case("R181 frames with a priority tag are also joined, and arrive without it")
def priority_tags(b):
    t = lan(b)
    d = start(b, t, "lan1")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    out = b.own(Wire(t.provider, "p0"))
    run = Run(lambda payloads: frames(out, t, payloads, vlan=0xe000),
              lambda: [p for p, _ in r.receive()])

    def enough():
        run.play()
        return is_joined(d, "lan1") or not JOINS
    wait_for(20, enough, "a run leaves joined")


@case("media and FEC on other ports: each leaves joined, and `show stats` says what ends runs")
def fec(b):
    t = lan(b)
    d = start(b, t, "lan1")
    media = b.receiver(t.hosts["lan1"])
    fec = b.receiver(t.hosts["lan1"], port=5002)
    d.wait_member("lan1", GROUP)
    out = b.own(Wire(t.provider, "p0"))
    sent = []

    def enough():
        first = len(sent)
        packets = []
        for n in range(first, first + 30):
            sent.append(number(n, SIZE))
            port = 5002 if n % 5 == 4 else 5000
            packets.append(may_join(udp(t.SOURCE, GROUP, sent[-1], port=port), 100 + 2 * n))
        for packet in packets:
            out.send(packet)
        return d.show("stats")["joining"]["messages"] < len(sent) // 2 or not JOINS
    wait_for(20, enough, "both leave joined")
    got, got_fec = [], []

    def all_there():
        got.extend(p for p, _ in media.receive())
        got_fec.extend(p for p, _ in fec.receive())
        return len(got) + len(got_fec) >= len(sent)
    wait_for(10, all_there, "everything arrives")
    assert got == [p for n, p in enumerate(sent) if n % 5 != 4]
    assert got_fec == [p for n, p in enumerate(sent) if n % 5 == 4]
    joining = d.show("stats")["joining"]
    assert sum(joining["ends"].values()) == joining["messages"], joining
    assert not joining["ends"]["ports"] and not joining["ends"]["id"], joining
    said = json.loads(d.ctl_run("--json", "explain", GROUP).stdout)
    note = next(c for c in said["checks"] if c["check"] == "joined")
    assert "of its datagrams leave in one message" in note["text"], note


@case("a kernel that refuses super-frames only when it sees one: nothing is lost")
def refused(b):
    shim = os.path.join(os.path.dirname(os.path.dirname(ringcast.binary("ringcastd"))),
                        "tests", "kernel", "old_sendmmsg.so")
    assert os.access(shim, os.R_OK), f"{shim} is not built"
    t = lan(b)
    for transmit in ("sendmmsg", "auto"):
        d = play_hosts(b, t, "lan1", f"transmit {transmit}\n",
                       wrap=("env", "LD_PRELOAD=" + shim), done=lambda d: not takes(d, "lan1"))
        assert not takes(d, "lan1") and not is_joined(d, "lan1")
        bad = {k: n for k, n in counters(d, "lan1")["verdicts"].items() if n}
        assert not bad, bad
        d.stop()


if __name__ == "__main__":
    main()
