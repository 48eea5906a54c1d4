#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages that set-top boxes, switches and providers really send: some bend the rules, some
belong to other protocols."""

import struct

from libnetns import (FAST, GROUP, SSM_GROUP, WAN, Sender, Stream, assert_continuous,
                      case, first_after, main, number, wait_datagrams, wait_for,
                      wait_record, wait_silence, wire)
from packets import (ALLOW, IS_EX, REPORTS, TO_EX, Wire, igmp, igmp3_report, ipv4, query,
                     udp)

LAN = "phyint lan1 downstream\n"
# A membership lasts 2.4 s, another querier 2.1 s.
SHORT = """query-interval 1
query-response-interval 0.2
startup-query-interval 0.2
last-member-query-interval 0.2
"""
SSDP, MDNS = "239.255.255.250", "224.0.0.251"
OTHER = "239.1.2.4"


def counters(d):
    return d.show("stats")["control"]["bad"]


def upstream(d):
    return d.show("upstream")["upstream"][0]["ipv4"]


def reports_of(group):
    return lambda m: isinstance(m, wire.Record) and m.group == group


def answered(b, t, d, packet, what):
    """Send a query from the provider and check that it is answered."""
    p0 = b.own(wire.Tap(t.provider, "p0"))
    before = upstream(d)["queries"]
    wait_for(5, lambda: not d.upstream_group(GROUP)["pending"], "all repeats are sent")
    p0.frames()
    b.own(Wire(t.provider, "p0")).send(packet)
    wait_record(p0, reports_of(GROUP), f"{what} is answered")
    assert upstream(d)["queries"] == before + 1


@case("R116 E06 E08 E09 E10 queries upstream: anonymous, foreign, padded, without Router "
      "Alert")
def odd_queries(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    for what, packet in {
            "E06 a query from 0.0.0.0": query("0.0.0.0"),
            "E10 a query from another network": query("198.51.100.1"),
            "E08 a query without Router Alert": query(t.SOURCE, options=b""),
            "E09 a padded query": query(t.SOURCE, trailer=b"\xff" * 18),
            "R010 bytes after the query": query(t.SOURCE, extra=bytes(10)),
            "R006 a query with TTL 64": query(t.SOURCE, ttl=64)}.items():
        answered(b, t, d, packet, what)
    assert upstream(d)["version"] == 3, "R003: the padding was read"
    # one of them is older and 28 bytes long, padded by the link, as OpenELEC saw it; while such a
    # querier is heard, only one of the link's subnet changes the version
    older = {"options": b"", "trailer": bytes(18)}
    answered(b, t, d, query("10.3.10.2", 2, **older), "E09 IGMPv2 from elsewhere")
    assert upstream(d)["version"] == 3
    answered(b, t, d, query(t.SOURCE, 2, **older), "E09 IGMPv2")
    assert upstream(d)["version"] == 2, "R003: the padding was read"


@case("R020 E07 E08 reports from hosts without address, of all versions")
def anonymous_hosts(b):
    t = b.topology(lans=1)
    d = b.run(t, SHORT + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    bodies = {"239.1.1.1": igmp(0x12, "239.1.1.1"), "239.1.1.2": igmp(0x16, "239.1.1.2"),
              "239.1.1.3": igmp3_report((TO_EX, "239.1.1.3", ()))}
    for group, body in bodies.items():
        host.send(ipv4("0.0.0.0", REPORTS if body[0] == 0x22 else group, 2, body,
                       options=b"" if body[0] == 0x16 else b"\x94\x04\0\0"))
        d.wait_member("lan1", group)
    # answers to queries keep the memberships, silence ends them
    lan = b.tap(t.hosts["lan1"], "eth0")
    for _ in range(4):
        wait_record(lan, lambda m: isinstance(m, wire.Query), "a query")
        host.send(ipv4("0.0.0.0", REPORTS, 2, igmp3_report((IS_EX, "239.1.1.3", ()))))
    assert d.group("lan1", "239.1.1.3")
    d.wait_no_member("lan1", "239.1.1.1")
    d.wait_no_member("lan1", "239.1.1.3")


@case("R021 reports from a foreign network are refused unless altnet names it")
def foreign_hosts(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    packet = ipv4("192.0.2.9", GROUP, 2, igmp(0x16, GROUP))
    host.send(packet)
    wait_for(5, lambda: counters(d)["foreign"] == 1, "it is counted")
    assert not d.group("lan1", GROUP)
    d.write(FAST + WAN + LAN + " altnet 192.0.2.0/24\n")
    assert d.ctl_run("reload").returncode == 0
    host.send(packet)
    d.wait_member("lan1", GROUP)


@case("R007 R175 E27 RGMP, PIM, DVMRP, mtrace and router discovery are ignored")
def other_protocols(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan2"])
    d.wait_member("lan1", GROUP)
    d.wait_member("lan2", GROUP)
    p0, two = b.tap(t.provider, "p0"), b.tap(t.hosts["lan2"], "eth0")
    wait_for(5, lambda: not d.upstream_group(GROUP)["pending"], "all repeats are sent")
    for tap in (p0, two):
        tap.frames()
    groups = d.show("groups")["groups"]
    kinds = [0x13, 0x14, 0x1e, 0x1f, 0x30, 0x31, 0x32, 0xfc, 0xfd, 0xfe, 0xff]
    for wire_end, source in ((b.own(Wire(t.hosts["lan1"], "eth0")), "10.0.1.2"),
                             (b.own(Wire(t.provider, "p0")), t.SOURCE)):
        for kind in kinds:
            wire_end.send(ipv4(source, "224.0.0.25", 2, igmp(kind, OTHER)))
            wire_end.send(ipv4(source, GROUP, 2, igmp(kind, OTHER), ttl=8))
        # PIM hello and join, also to an ordinary group with a TTL that would pass
        for to, ttl in (("224.0.0.13", 1), (GROUP, 8)):
            wire_end.send(ipv4(source, to, 103, bytes.fromhex("2000dfff"), ttl))
            wire_end.send(ipv4(source, to, 103, bytes.fromhex("2300dcff"), ttl))
    # on the provider's side the kernel admits only queries
    wait_for(5, lambda: counters(d)["type"] == 2 * len(kinds), "those of the LAN are counted")
    sender = b.own(Sender(t.provider))
    sender.send(number(7), GROUP)
    assert [p for p, _ in wait_datagrams(r)] == [number(7)]
    assert [(g["interface"], g["group"]) for g in d.show("groups")["groups"]] == \
        [(g["interface"], g["group"]) for g in groups]
    for tap in (p0, two):
        strange = [f.hex() for f in tap.frames() if wire.ipv4(f) and
                   wire.ipv4(f)[0][9] != 17 and not wire.igmp(f)]
        assert not strange, f"forwarded or sent: {strange}"


@case("R022 R112 R144 E15 mDNS never goes upstream, and SSDP not where a blacklist says so")
def discovery_protocols(b):
    t = b.topology(lans=1)
    d = b.run(t, "forward-from-downstream all\n" + FAST + WAN +
              f" blacklist {SSDP}\n" + LAN)
    p0 = b.tap(t.provider, "p0")
    for group in (MDNS, SSDP, "224.0.0.22", GROUP):
        b.receiver(t.hosts["lan1"], group)
    d.wait_member("lan1", GROUP)
    d.wait_member("lan1", SSDP)
    seen = wait_record(p0, reports_of(GROUP), "the join of an ordinary group")
    b.own(Wire(t.provider, "p0")).send(query(t.SOURCE))
    wait_for(5, lambda: not d.upstream_group(GROUP)["pending"], "all repeats are sent")
    seen += wait_record(p0, lambda m: m.group == GROUP and m.type == "IS_EX", "the answer")
    assert {m.group for m in seen if isinstance(m, wire.Record)} == {GROUP}, seen
    assert not d.group("lan1", MDNS)
    # their datagrams do not pass either
    sender = b.own(Sender(t.hosts["lan1"], "eth0", "10.0.1.2"))
    for n, group in enumerate((MDNS, GROUP)):
        sender.send(number(n), group)
    got = []
    wait_for(5, lambda: got.extend(p0.udp()) or got, "the ordinary group goes up")
    assert [u.group for u in got] == [GROUP], got


@case("E16 sixty groups upstream, although the kernel of the router permits two memberships")
def kernel_limit(b):
    t = b.topology(lans=1)
    t.router.sysctl("net.ipv4.igmp_max_memberships", 2)
    t.hosts["lan1"].sysctl("net.ipv4.igmp_max_memberships", 100)
    d = b.run(t, FAST + WAN + LAN)
    groups = [f"239.8.8.{n}" for n in range(1, 61)]
    members = [b.receiver(t.hosts["lan1"], g) for g in groups]
    wait_for(15, lambda: len(d.show("upstream")["upstream"][0]["groups"]) == 60, "joined")
    sender = b.own(Sender(t.provider))
    for n, group in enumerate(groups):
        sender.send(number(n), group)
    for n, r in enumerate(members):
        assert [p for p, _ in wait_datagrams(r)] == [number(n)]


@case("R139 E19 data long before the join: the very next datagram is forwarded")
def data_before_join(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    stream = b.stream(t, rate=500)
    wait_for(10, lambda: d.show("stats")["frames"] > 200, "the stream arrives for a while")
    r = b.receiver(t.hosts["lan1"], join=False)
    for _ in range(3):
        ms = first_after(r, r.join)
        b.note(f"first datagram {ms:.1f} ms after the join")
        assert_continuous(wait_datagrams(r, 20))
        r.leave()
        d.wait_no_member("lan1", GROUP)
        r.receive()
    assert stream.is_alive()


@case("R176 UDP checksums: none, right and wrong ones go through as they are")
def checksums(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    lan = b.tap(t.hosts["lan1"], "eth0")
    out = b.own(Wire(t.provider, "p0"))
    packets = [udp(t.SOURCE, GROUP, number(n), checksum)
               for n, checksum in enumerate((None, 0, 0xbad, 0xffff, None))]
    for packet in packets:
        out.send(packet)
    got = []

    def all_there():
        got.extend(f[14:] for f in lan.frames() if wire.udp(f))
        return len(got) >= len(packets)
    wait_for(5, all_there, "all of them")
    # only the TTL (8) and the checksum of the IP header (10, 11) may differ
    assert [p[:8] + p[9:10] + p[12:] for p in got] == \
        [p[:8] + p[9:10] + p[12:] for p in packets]


@case("R015 E11 a unicast general query takes no role")
def unicast_query(b):
    t = b.topology(lans=1)
    t.router.ip("addr", "add", "10.0.1.200/24", "dev", "lan1")
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.run("ip", "addr", "replace", "10.0.1.200/24", "dev", "lan1")
    d = b.run(t, SHORT + WAN + LAN)
    host = b.own(Wire(t.hosts["lan1"], "eth0"))
    ours = bytes.fromhex(d.interface("lan1")["mac"].replace(":", ""))

    def role():
        return d.interface("lan1")["querier"]["ipv4"]
    host.send(query("10.0.1.2", to="10.0.1.200"), ours)
    wait_for(5, lambda: role()["queries_heard"] == 1, "it is heard")
    assert role()["state"] == "active"
    host.send(query("10.0.1.2"))
    wait_for(5, lambda: role()["state"] == "standby", "the same to all hosts is elected")


@case("R048 E12 three queriers: the lowest leaves, the next is accepted, then we are querier")
def ghost(b):
    t = b.topology(lans=1)
    t.router.ip("addr", "add", "10.0.1.200/24", "dev", "lan1")
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.run("ip", "addr", "replace", "10.0.1.200/24", "dev", "lan1")
    d = b.run(t, SHORT + WAN + LAN)
    lan = b.own(Wire(t.hosts["lan1"], "eth0"))

    def role():
        q = d.interface("lan1")["querier"]["ipv4"]
        return q["state"], q["address"]
    lan.send(query("10.0.1.3"))
    wait_for(5, lambda: role() == ("standby", "10.0.1.3"), "the lowest is elected")
    # it ends; the next querier asks all the time, which must not keep the dead one alive
    states = []

    def accepted():
        lan.send(query("10.0.1.100"))
        states.append(role())
        return role() == ("standby", "10.0.1.100")
    wait_for(10, accepted, "the second one is elected")
    assert ("standby", "10.0.1.3") in states, "a higher address replaced a living querier"
    wait_for(10, lambda: role() == ("active", "10.0.1.200"), "both are gone")


@case("E29 a box that vanishes without a leave: its stream ends, others are not disturbed")
def vanished(b):
    t = b.topology(lans=1, hosts=2)
    d = b.run(t, SHORT + WAN + LAN)
    b.stream(t)
    b.stream(t, OTHER)
    gone, stays = b.receiver(t.hosts["lan1"], OTHER), b.receiver(t.hosts["lan1b"])
    wait_datagrams(gone, 20)
    got = wait_datagrams(stays, 20)
    lan = b.tap(t.hosts["lan1b"], "eth0")
    t.hosts["lan1"].ip("link", "set", "eth0", "down")
    d.wait_no_member("lan1", OTHER)
    wait_silence(lan, OTHER)
    wait_for(5, lambda: not d.upstream_group(OTHER), "it has been left upstream")
    got += wait_datagrams(stays, 100)
    assert_continuous(got, at_least=120)


@case("R153 E30 the stream continues from another server: any-source hosts see it, "
      "source-specific ones do not")
def fail_over(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    any_source = b.receiver(t.hosts["lan1"])
    channel = b.receiver(t.hosts["lan1"], SSM_GROUP, source=t.SOURCE)
    first = [b.stream(t, g) for g in (GROUP, SSM_GROUP)]
    wait_datagrams(any_source, 20)
    wait_datagrams(channel, 20)
    for stream in first:
        stream.stop()
    backup = b.own(Sender(t.provider, source=t.SOURCE2))
    for n in range(50):
        backup.send(number(n), SSM_GROUP)
        backup.send(number(n), GROUP)
    got = []
    wait_for(10, lambda: got.extend(s for _, s in any_source.receive()) or
             got.count(t.SOURCE2) == 50, "the backup's datagrams")
    assert t.SOURCE2 not in {s for _, s in channel.receive()}
    assert d.upstream_group(GROUP)["mode"] == "exclude"


@case("R023 E05 impossible sources in a report are left out, the others join upstream")
def odd_sources(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    p0 = b.tap(t.provider, "p0")
    b.own(Wire(t.hosts["lan1"], "eth0")).send(ipv4("10.0.1.2", REPORTS, 2, igmp3_report(
        (ALLOW, SSM_GROUP, ("0.0.0.0", "224.1.1.1", "87.141.215.251")))))
    d.wait_member("lan1", SSM_GROUP)
    seen = wait_record(p0, reports_of(SSM_GROUP), "the join")
    assert wire.Record(3, "ALLOW", SSM_GROUP, ("87.141.215.251",)) in seen, seen


@case("R156 E21 a stream with TTL 1 is counted, and no TTL is raised")
def ttl_one(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    low, high = Stream(t.provider, GROUP, ttl=1), b.own(Sender(t.provider))
    try:
        wait_for(10, lambda: sum(n for v, n in d.show("stats")["verdicts"].items()
                                 if "ttl" in v) >= 20, "they are counted")
        assert not r.receive()
        high.send(struct.pack("!I", 1), GROUP, ttl=2)
        assert len(wait_datagrams(r)) == 1
    finally:
        low.stop()


if __name__ == "__main__":
    main()
