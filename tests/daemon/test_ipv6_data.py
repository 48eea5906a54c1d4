#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 streams through the whole daemon, frame by frame: what changes (the hop limit), what stays
(everything else), and what is never forwarded."""

import struct

from libnetns import (PLAIN, Sender, Tap, Topology, case, main, number, wait_datagrams,
                      wait_for, wire)

GROUP = "ff0e::1:2:3"
S1 = Topology.SOURCE6
PADN = bytes.fromhex("00010400000000")     # options header of eight bytes
LAST = b"the last one"


def udp(payload, port=5000):
    return struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload


class Path:
    """A provider that writes frames, taps at both LANs, and members of GROUP on both."""

    def __init__(self, b, config=PLAIN, groups=(GROUP,)):
        self.topology = t = b.topology(ipv6=True)
        self.daemon = b.run(t, config)
        for group in groups:
            for lan in ("lan1", "lan2"):
                b.receiver(t.hosts[lan], group)
                self.daemon.wait_member(lan, group)
        self.wan = b.own(Tap(t.provider, "p0"))
        self.taps = [b.own(Tap(t.hosts[lan], "eth0")) for lan in ("lan1", "lan2")]

    def pass_through(self, frames):
        """Returns the frames that leave on each LAN, in order. One more frame ends the wait."""
        for frame in frames:
            self.wan.sock.send(frame)
        last = wire.frame6(S1, GROUP, 17, udp(LAST))
        self.wan.sock.send(last)
        got = []
        for tap in self.taps:
            seen = []

            def ended(tap=tap, seen=seen):
                seen.extend(f for f in tap.frames()
                            if f[12:14] == b"\x86\xdd" and f[38] == 0xff and
                            not wire.mld(f))
                return seen and seen[-1].endswith(LAST)
            wait_for(10, ended, "the last frame")
            got.append([f for f in seen[:-1] if f[38:40] != b"\xff\x02"])
        return got

    def verdict(self, name):
        return self.daemon.show("stats")["verdicts"][name]


@case("R154 R168 R171 R176 hop limit less one on every copy, all other bytes as they came")
def only_the_hop_limit(b):
    p = Path(b)
    frames = [
        wire.frame6(S1, GROUP, 17, udp(b"plain")),
        wire.frame6(S1, GROUP, 17, udp(b"label and class"), 7, 0x0b8abcde),
        wire.frame6(S1, GROUP, 17, udp(b"x" * 1452), 255),
        wire.frame6(S1, GROUP, 17, udp(b"hop by hop"), 9, extensions=[(0, PADN)]),
        wire.frame6(S1, GROUP, 17, udp(b"Router Alert"), 9,
                    extensions=[wire.ROUTER_ALERT]),
        wire.frame6(S1, GROUP, 17, udp(b"options"), 9, extensions=[(60, PADN), (60, PADN)]),
        wire.frame6(S1, GROUP, 44, struct.pack("!BBHI", 17, 0, 1, 77) + b"f" * 1200, 9),
        wire.frame6(S1, GROUP, 44, struct.pack("!BBHI", 17, 0, 1200, 77) + b"g" * 33, 9),
        wire.frame6(S1, GROUP, 59, b"no next header", 3),
        wire.frame6(S1, GROUP, 253, b"any protocol", 3),
        wire.frame6(S1, GROUP, 58, b"\x80\0\0\0\0\1\0\1 an echo request", 3),
    ]
    for lan, got in zip(("lan1", "lan2"), p.pass_through(frames)):
        words = p.topology.router.run("ip", "-o", "link", "show", "dev", lan).stdout.split()
        mac = bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))
        want = [f[:6] + mac + f[12:21] + bytes([f[21] - 1]) + f[22:] for f in frames]
        assert [g.hex() for g in got] == [w.hex() for w in want], (lan, len(got))


@case("R155 R165 hop limit 0 and 1 end here, 2 passes; no ICMPv6 answers")
def hop_limit(b):
    p = Path(b)
    frames = [wire.frame6(S1, GROUP, 17, udp(b"%d" % n), n) for n in (0, 1, 3)]
    for got in p.pass_through(frames):
        assert [(f[21], f[62:]) for f in got] == [(2, b"3")], got
    wait_for(5, lambda: p.verdict("ttl_expired") == 2, "both are counted")
    icmp = [f for f in p.wan.frames() if (wire.ipv6(f) or (0, 0, b"\x80"))[1] == 58 and
            wire.ipv6(f)[2][0] < 128]
    assert not icmp, [f.hex() for f in icmp]


@case("R160 R161 scopes 0 to 2 never pass, wider ones pass beyond the boundary, f as joined")
def scopes(b):
    wide = ("ff03::9", "ff05::9", "ff08::9", "ff0f::9", "ff1e::9")
    p = Path(b, PLAIN.replace("phyint wan upstream", "phyint wan upstream boundary-scope 2"),
             groups=(GROUP,) + wide)
    narrow = ("ff00::9", "ff01::9", "ff11::9", "ff02::9", "ff02::fb", "ff12::9")
    frames = [wire.frame6(S1, g, 17, udp(g.encode())) for g in narrow + wide]
    for got in p.pass_through(frames):
        assert [f[62:].decode() for f in got] == list(wide), got
    # R161: the provider's groups up to scope 8 end here by default
    p.daemon.write(PLAIN)
    assert p.daemon.ctl_run("reload").returncode == 0
    for got in p.pass_through(frames):
        assert [f[62:].decode() for f in got] == ["ff0f::9", "ff1e::9"], got


@case("R162 R163 R164 R175 impossible sources and control protocols are not forwarded")
def refused(b):
    p = Path(b)
    message = b"\x8f\0\0\0\0\0\0\0"
    frames = [wire.frame6(s, GROUP, 17, udp(s.encode()))
              for s in ("::", "::1", "fe80::9", "ff0e::9", "2001:db8:7::1", "::ffff:10.0.0.1")]
    frames += [wire.frame6(S1, GROUP, 58, message), wire.frame6(S1, GROUP, 103, b"PIM"),
               wire.mld_packet(S1, GROUP, message, 64),
               wire.frame6(S1, GROUP, 58, message, extensions=[wire.ROUTER_ALERT, (60, PADN)])]
    # RFC 5095: a routing header of type 0
    frames.append(wire.frame6(S1, GROUP, 17, udp(b"source route"),
                              extensions=[(43, bytes.fromhex("00000000000000"))]))
    jumbo = wire.frame6(S1, GROUP, 17, udp(b"jumbo"),
                        extensions=[(0, bytes.fromhex("00c20400010000"))])
    frames.append(jumbo[:18] + b"\0\0" + jumbo[20:])
    short = wire.frame6(S1, GROUP, 17, udp(b"cut off"))
    frames.append(short[:-3])
    for got in p.pass_through(frames):
        assert got == [], [g.hex() for g in got]
    # plain MLD does not even reach the ring
    wait_for(5, lambda: p.verdict("control") == 2, "control is counted")
    assert p.verdict("martian_source") >= 4 and p.verdict("wrong_input") >= 1
    assert p.verdict("source_route") == 1 and p.verdict("bad_length") >= 1


@case("R174 a source outside the upstream's subnet needs an altnet")
def altnet(b):
    p = Path(b, PLAIN.replace("phyint wan upstream",
                              "phyint wan upstream altnet 2001:db8:ffff::/48"))
    frames = [wire.frame6(s, GROUP, 17, udp(s.encode()))
              for s in (Topology.FOREIGN6, "2001:db8:fffe::5")]
    for got in p.pass_through(frames):
        assert [f[62:].decode() for f in got] == [Topology.FOREIGN6], got


@case("R167 a packet larger than one LAN's MTU is dropped there alone")
def too_big(b):
    t = b.topology(ipv6=True)
    t.router.ip("link", "set", "lan2", "mtu", "1280")
    d = b.run(t)
    one, two = (b.receiver(t.hosts[lan], GROUP) for lan in ("lan1", "lan2"))
    d.wait_member("lan1", GROUP)
    d.wait_member("lan2", GROUP)
    sender = b.own(Sender(t.provider, "p0", S1))
    sizes = (1232, 1233, 1452, 100)
    for n, size in enumerate(sizes):
        sender.send(number(n, size), GROUP)
    assert [len(p) for p, _ in wait_datagrams(one, 4)] == list(sizes)
    assert [len(p) for p, _ in wait_datagrams(two, 2)] == [1232, 100]
    assert d.show("stats")["verdicts"]["mtu_df"] == 2


@case("IPv4 and IPv6 streams side by side stay apart")
def both_families(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    four, six = b.receiver(t.hosts["lan1"], "239.1.2.3"), b.receiver(t.hosts["lan2"], GROUP)
    d.wait_member("lan1", "239.1.2.3")
    d.wait_member("lan2", GROUP)
    taps = [b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")]
    senders = [(b.own(Sender(t.provider)), "239.1.2.3"),
               (b.own(Sender(t.provider, "p0", S1)), GROUP)]
    for n in range(100):
        for sender, group in senders:
            sender.send(number(n), group)
    wait_datagrams(four, 100)
    wait_datagrams(six, 100)
    assert {u.group for u in taps[0].udp()} == {"239.1.2.3"}
    assert {u.group for u in taps[1].udp()} == {GROUP}


if __name__ == "__main__":
    main()
