#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""MLD with kernel hosts of both versions: memberships, messages sent upstream, the querier role on
link-local addresses, and messages that must have no effect."""

import ctypes
import errno
import platform
import struct
import subprocess

from libnetns import (PLAIN, Sender, Tap, Topology, assert_continuous, case, main, number,
                      ringcast, wait_datagrams, wait_for, wait_record, wait_silence, wire)

GROUP = "ff0e::1:2:3"
SSM_GROUP = "ff3e::8000:1"
S1, S2 = Topology.SOURCE6, Topology.SOURCE6B
ANY = bytes(16)


def link_local(ns, interface):
    words = ns.run("ip", "-6", "-o", "addr", "show", "dev", interface, "scope", "link") \
        .stdout.split()
    return words[3].split("/")[0]


def is_record(m, group=GROUP):
    return isinstance(m, wire.Record) and m.group == group


def is_query(m, group="::"):
    return isinstance(m, wire.Query) and m.group == group


def bad(d, why):
    return d.show("stats")["control"]["bad"][why]


# ---- hosts ----

def host_version(b, version):
    t = b.topology(ipv6=True)
    t.hosts["lan1"].sysctl("net.ipv6.conf.eth0.force_mld_version", version)
    lan, wan = b.tap(t.router, "lan1"), b.tap(t.provider, "p0")
    d = b.run(t)
    b.stream(t, GROUP)
    r = b.receiver(t.hosts["lan1"], GROUP)
    seen = wait_record(lan, is_record, f"the host reports by MLDv{version}")
    assert {m.version for m in seen if is_record(m)} == {version}, seen
    assert_continuous(wait_datagrams(r, 100), at_least=100)
    row = d.wait_member("lan1", GROUP)
    assert row["version"] == version and row["mode"] == "exclude", row
    wait_record(wan, lambda m: m == wire.Record(2, "TO_EX", GROUP, ()), "joined upstream")
    # the next general query must keep the membership alive
    wait_record(lan, lambda m: is_record(m) and m.type in ("JOIN", "IS_EX"),
                "the host answers a query")
    assert d.group("lan1", GROUP)
    r.leave()
    wait_record(wan, lambda m: m == wire.Record(2, "TO_IN", GROUP, ()), "left upstream")
    d.wait_no_member("lan1", GROUP)


@case("a host held to MLDv1 receives and leaves by Done")
def version1(b):
    host_version(b, 1)


@case("a host held to MLDv2 receives and leaves")
def version2(b):
    host_version(b, 2)


@case("R149 an SSM join passes one source, and upstream it is ALLOW")
def ssm(b):
    t = b.topology(ipv6=True)
    wan = b.tap(t.provider, "p0")
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"], SSM_GROUP, source=S1)
    wait_record(wan, lambda m: m == wire.Record(2, "ALLOW", SSM_GROUP, (S1,)),
                "ALLOW of the one source")
    d.wait_member("lan1", SSM_GROUP)
    good, other = b.own(Sender(t.provider, "p0", S1)), b.own(Sender(t.provider, "p0", S2))
    for n in range(50):
        other.send(number(1000 + n), SSM_GROUP)
        good.send(number(n), SSM_GROUP)
    got = wait_datagrams(r, 50)
    assert {source for _, source in got} == {S1}, got
    tap = b.tap(t.hosts["lan1"], "eth0")
    other.send(number(1), SSM_GROUP)
    good.send(number(2), SSM_GROUP)
    seen = []
    wait_for(5, lambda: seen.extend(tap.udp()) or seen, "the good source")
    assert {u.source for u in seen} == {S1}, "the other one is not even on the wire"
    r.leave(S1)
    wait_record(wan, lambda m: m == wire.Record(2, "BLOCK", SSM_GROUP, (S1,)),
                "BLOCK when it is left")


@case("two LANs, one includes and one excludes: each its own, upstream the union")
def include_exclude(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    one = b.receiver(t.hosts["lan1"], GROUP, source=S1)
    d.wait_member("lan1", GROUP)
    up = wait_for(5, lambda: d.upstream_group(GROUP), "upstream")
    assert (up["mode"], up["sources"]) == ("include", [S1]), up
    all_but = b.receiver(t.hosts["lan2"], GROUP)
    all_but.block(S1)

    def excluded():
        row = d.group("lan2", GROUP)
        return row and row["mode"] == "exclude" and \
            [s["address"] for s in row["sources"] if s["blocked"]] == [S1]
    wait_for(5, excluded, "lan2 excludes the source")
    wait_for(5, lambda: d.upstream_group(GROUP)["mode"] == "exclude", "upstream excludes")
    assert d.upstream_group(GROUP)["sources"] == [], "lan1 wants what lan2 excludes"
    senders = [b.own(Sender(t.provider, "p0", s)) for s in (S1, S2)]
    for n in range(50):
        for sender in senders:
            sender.send(number(n), GROUP)
    assert {s for _, s in wait_datagrams(one, 50)} == {S1}
    assert {s for _, s in wait_datagrams(all_but, 50)} == {S2}


@case("a leave stops the LAN after the last queries, the other LAN continues")
def leave(b):
    t = b.topology(ipv6=True)
    b.run(t)
    b.stream(t, GROUP)
    one, two = (b.receiver(t.hosts[lan], GROUP) for lan in ("lan1", "lan2"))
    wait_datagrams(one, 50)
    wait_datagrams(two, 50)
    tap = b.tap(t.hosts["lan1"], "eth0")
    one.leave()
    queries = wait_record(tap, lambda m: is_query(m, GROUP), "the group is asked for")
    assert all(m.version == 2 for m in queries if is_query(m, GROUP)), queries
    wait_silence(tap, GROUP)
    two.receive()
    assert_continuous(wait_datagrams(two, 100), at_least=100)


@case("R038 link-local groups stay where they are, ff05::1 goes upstream")
def local_groups(b):
    t = b.topology(ipv6=True)
    wan = b.tap(t.provider, "p0")
    d = b.run(t, PLAIN.replace("phyint wan upstream", "phyint wan upstream boundary-scope 2"))
    host = t.hosts["lan1"]
    for group in ("ff01::5", "ff02::fb", "ff05::1:1"):
        b.receiver(host, group)
    seen = wait_record(wan, lambda m: is_record(m, "ff05::1:1"), "the wide one is reported")
    d.wait_member("lan1", "ff05::1:1")
    assert not any(is_record(m, g) for m in seen for g in ("ff01::5", "ff02::fb")), seen
    assert [g["group"] for g in d.show("groups")["groups"]] == ["ff05::1:1"]


@case("R203 site-local groups are members on the LAN and not reported upstream")
def site_groups(b):
    t = b.topology(ipv6=True)
    wan = b.tap(t.provider, "p0")
    d = b.run(t)
    b.receiver(t.hosts["lan1"], "ff05::1:1")
    d.wait_member("lan1", "ff05::1:1")
    b.receiver(t.hosts["lan1"], GROUP)
    seen = wait_record(wan, is_record, "the global group is reported")
    assert not any(is_record(m, "ff05::1:1") for m in seen), seen


# ---- what is on the wire ----

def check_headers(frame, to, source):
    """R027: check everything before the ICMPv6 message."""
    header, kind, body = wire.ipv6(frame)
    octets = wire.socket.inet_pton(wire.socket.AF_INET6, to)
    assert frame[:6] == b"\x33\x33" + octets[12:], frame[:6].hex()
    assert header[:4] == b"\x60\0\0\0" and header[6] == 0 and header[7] == 1, header.hex()
    assert frame[54:62].hex() in ("3a00050200000100", "3a00050200000000"), frame[54:62]
    assert wire.addr6(header[8:24]) == source and wire.addr6(header[24:40]) == to
    assert kind == 58 and wire.sum6(header, kind, body) == 0xffff
    return body


@case("R027 R042 every octet of queries and reports is right")
def octets(b):
    t = b.topology(ipv6=True)
    lan, wan = b.tap(t.hosts["lan1"], "eth0"), b.tap(t.provider, "p0")
    d = b.run(t)
    ours, up = link_local(t.router, "lan1"), link_local(t.router, "wan")
    frames, reports = [], []

    def first(tap, into, match):
        into.extend(tap.frames())
        return next((f for f in into if any(match(m) for m in wire.mld(f))), None)
    frame = wait_for(5, lambda: first(lan, frames, is_query), "a general query")
    body = check_headers(frame, "ff02::1", ours)
    # QRI 1 s, RV 2, QI 3 s
    assert body[:2] == b"\x82\0" and body[4:] == struct.pack(
        "!HH16sBBH", 1000, 0, ANY, 2, 3, 0), body.hex()
    r = b.receiver(t.hosts["lan1"], SSM_GROUP, source=S1)
    d.wait_member("lan1", SSM_GROUP)
    report = wait_for(5, lambda: first(wan, reports, lambda m: is_record(m, SSM_GROUP)),
                      "a report")
    body = check_headers(report, "ff02::16", up)
    want = bytes.fromhex("8f00 0000 0001 05000001 ff3e0000000000000000000080000001"
                         "20010db8000000000000000000000001")
    assert body[:2] + body[4:] == want, body.hex()
    r.leave(S1)
    frame = wait_for(5, lambda: first(lan, frames, lambda m: is_query(m, SSM_GROUP)),
                     "a query for the source")
    body = check_headers(frame, SSM_GROUP, ours)
    assert wire.mld(frame)[0].sources == (S1,) and body[4:6] == b"\0\xc8", body.hex()


@case("mld-version 1: queries without sources, and reports to the group")
def configured_version1(b):
    t = b.topology(ipv6=True)
    lan, wan = b.tap(t.hosts["lan1"], "eth0"), b.tap(t.provider, "p0")
    b.run(t, "mld-version 1\n" + PLAIN)
    up = link_local(t.router, "wan")
    r = b.receiver(t.hosts["lan1"], GROUP)
    seen = wait_record(lan, is_query, "a query")
    assert {m.version for m in seen if is_query(m)} == {1}, seen
    frames = []

    def message(kind):
        frames.extend(wan.frames())
        for f in frames:
            packet = wire.ipv6(f)
            if packet and packet[1] == 58 and packet[2][0] == kind and \
                    packet[2][8:24] == wire.socket.inet_pton(wire.socket.AF_INET6, GROUP):
                return f
        return None
    check_headers(wait_for(5, lambda: message(131), "an MLDv1 report"), GROUP, up)
    r.leave()
    check_headers(wait_for(5, lambda: message(132), "Done"), "ff02::2", up)


# ---- queriers ----

def general(version, ms=1000, group=ANY):
    tail = struct.pack("!BBH", 2, 3, 0) if version == 2 else b""
    return b"\x82\0\0\0" + struct.pack("!HH", ms, 0) + group + tail


def send(tap, source, message, to="ff02::1", **kw):
    tap.sock.send(wire.mld_packet(source, to, message, **kw))


@case("R131 an MLDv1 querier upstream is answered by MLDv1, SSM stays a filter here")
def older_querier(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    b.receiver(t.hosts["lan1"], GROUP)
    d.wait_member("lan1", GROUP)
    tap = b.own(Tap(t.provider, "p0"))
    send(tap, link_local(t.provider, "p0"), general(1))
    wait_record(tap, lambda m: m == wire.Record(1, "JOIN", GROUP, ()),
                "an MLDv1 report answers")
    up = d.show("upstream")["upstream"][0]["ipv6"]
    assert up["version"] == 1 and up["querier"] == link_local(t.provider, "p0"), up
    assert up["address"] == link_local(t.router, "wan"), up
    r = b.receiver(t.hosts["lan2"], SSM_GROUP, source=S1)
    wait_record(tap, lambda m: m == wire.Record(1, "JOIN", SSM_GROUP, ()),
                "the source is dropped from the report")
    d.wait_member("lan2", SSM_GROUP)
    for source in (S2, S1):
        b.own(Sender(t.provider, "p0", source)).send(number(1), SSM_GROUP)
    assert [s for _, s in wait_datagrams(r)] == [S1]


@case("R037 a unicast query upstream is answered, and elects nobody on a LAN")
def unicast_query(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    b.receiver(t.hosts["lan1"], GROUP)
    d.wait_member("lan1", GROUP)
    wan = b.own(Tap(t.provider, "p0"))

    def unicast(host, interface, ours):
        frame = wire.mld_packet("fe80::1", ours, general(2))
        words = t.router.run("ip", "-o", "link", "show", "dev", interface).stdout.split()
        mac = words[words.index("link/ether") + 1].replace(":", "")
        host.sock.send(bytes.fromhex(mac) + frame[6:])
    wait_record(wan, is_record, "the first report")
    unicast(wan, "wan", link_local(t.router, "wan"))
    wait_record(wan, lambda m: is_record(m) and m.type == "IS_EX", "the answer")
    lan = b.own(Tap(t.hosts["lan1"], "eth0"))
    unicast(lan, "lan1", link_local(t.router, "lan1"))
    wait_for(5, lambda: d.show("stats")["control"]["notes"]["querier_unicast"], "it is seen")
    assert d.interface("lan1")["querier"]["ipv6"]["state"] == "active"


@case("R055 a lower link-local address becomes querier, and is waited for when it is gone")
def election(b):
    t = b.topology(ipv6=True)
    d = b.run(t, "forwarding querier\n" + PLAIN)
    b.stream(t, GROUP)
    r = b.receiver(t.hosts["lan1"], GROUP)
    wait_datagrams(r, 20)
    lan = b.own(Tap(t.hosts["lan1"], "eth0"))

    def state():
        return d.interface("lan1")["querier"]["ipv6"]["state"]
    # a query from a higher address or a wrong sender changes nothing
    send(lan, "fe80::ffff:ffff:ffff:ffff", general(2))
    send(lan, "2001:db8::1", general(2))
    wait_for(5, lambda: bad(d, "source"), "the global sender is refused")
    assert state() == "active"
    send(lan, "fe80::1", general(2))
    wait_for(5, lambda: state() == "standby", "the lower address wins")
    row = d.interface("lan1")["querier"]
    assert row["ipv6"]["address"] == "fe80::1" and row["ipv4"]["state"] == "active", row
    assert "ipv6 standby" in d.table("interfaces"), d.table("interfaces")
    wait_silence(lan, GROUP)     # R137: a router that is not querier does not forward
    wait_for(12, lambda: state() == "active", "querier again after 6.5 s")
    r.receive()
    wait_datagrams(r, 20)


@case("R028 R029 wrong hop limit, missing Router Alert, other senders do not act")
def invalid(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, PLAIN.replace("phyint lan2 downstream\n", ""))
    lan = b.own(Tap(t.hosts["lan1"], "eth0"))
    group = wire.socket.inet_pton(wire.socket.AF_INET6, GROUP)
    report = b"\x83\0\0\0\0\0\0\0" + group
    wait_for(5, lambda: d.interface("lan1")["querier"]["ipv6"]["state"] == "active", "up")
    send(lan, "fe80::2", report, GROUP, hop_limit=2)
    wait_for(5, lambda: bad(d, "ttl"), "hop limit 2 is refused")
    send(lan, "fe80::2", report, GROUP, alert=False)
    wait_for(5, lambda: bad(d, "router_alert"), "no Router Alert is refused")
    send(lan, "::", report, GROUP)
    send(lan, "2001:db8:1::9", report, GROUP)
    wait_for(5, lambda: bad(d, "source") == 2, ":: and global senders are refused")
    assert not d.group("lan1", GROUP)
    send(lan, "fe80::2", report, GROUP)
    d.wait_member("lan1", GROUP)


@case("mld-router-alert optional accepts reports without the option")
def alert_optional(b):
    t = b.topology(ipv6=True)
    d = b.run(t, PLAIN.replace("phyint lan1 downstream",
                               "phyint lan1 downstream mld-router-alert optional"))
    lan = b.own(Tap(t.hosts["lan1"], "eth0"))
    group = wire.socket.inet_pton(wire.socket.AF_INET6, GROUP)
    wait_for(5, lambda: d.interface("lan1")["querier"]["ipv6"]["state"] == "active", "up")
    send(lan, "fe80::2", b"\x83\0\0\0\0\0\0\0" + group, GROUP, alert=False)
    d.wait_member("lan1", GROUP)


@case("R036 an extension header after the Router Alert is skipped, a fragment refused")
def extension_headers(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    lan = b.own(Tap(t.hosts["lan1"], "eth0"))
    report = b"\x83\0\0\0\0\0\0\0" + wire.socket.inet_pton(wire.socket.AF_INET6, GROUP)
    wait_for(5, lambda: d.interface("lan1")["querier"]["ipv6"]["state"] == "active", "up")
    send(lan, "fe80::2", report, GROUP,
         extensions=[(44, bytes.fromhex("00000000000001"))])
    wait_for(5, lambda: bad(d, "fragment"), "a fragment is refused")
    assert not d.group("lan1", GROUP)
    send(lan, "fe80::2", report, GROUP, extensions=[(60, bytes.fromhex("00010400000000"))])
    d.wait_member("lan1", GROUP)


@case("E24 the same link-local address on every port: each asks on its own link")
def same_address(b):
    t = b.topology(ipv6=True)
    for interface in ("wan", "lan1", "lan2"):
        t.router.ip("-6", "addr", "flush", "dev", interface, "scope", "link")
        t.router.ip("-6", "addr", "add", "fe80::77/64", "dev", interface, "nodad")
    taps = [b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")]
    d = b.run(t)
    for tap in taps:
        wait_record(tap, is_query, "a query on each LAN")
    b.stream(t, GROUP)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan2"], GROUP), 50), at_least=50)
    assert not d.group("lan1", GROUP)


# ---- addresses and families ----

@case("R039 while the address upstream is checked reports come from ::, then again")
def dad(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    b.receiver(t.hosts["lan1"], GROUP)
    d.wait_member("lan1", GROUP)
    wan = b.tap(t.provider, "p0")
    t.router.ip("link", "set", "wan", "down")
    wait_for(5, lambda: not d.interface("wan")["up"], "wan is down")
    t.router.sysctl("net.ipv6.conf.all.accept_dad", 1)
    t.router.sysctl("net.ipv6.conf.wan.accept_dad", 1)
    t.router.sysctl("net.ipv6.conf.wan.dad_transmits", 3)
    wan.frames()
    t.router.ip("link", "set", "wan", "up")
    senders = []

    def reported(source):
        for f in wan.frames():
            if any(is_record(m) for m in wire.mld(f)):
                senders.append(wire.addr6(wire.ipv6(f)[0][8:24]))
        return source in senders
    wait_for(5, lambda: reported("::"), "a report from ::")
    wait_for(15, lambda: reported(link_local(t.router, "wan")), "a report from the address")
    assert senders.index("::") == 0, senders
    assert d.interface("wan")["local6"] == link_local(t.router, "wan")


@case("a LAN without a link-local address asks as soon as it has one")
def late_address(b):
    t = b.topology(ipv6=True)
    t.router.ip("-6", "addr", "flush", "dev", "lan1", "scope", "link")
    lan = b.tap(t.hosts["lan1"], "eth0")
    d = b.run(t)
    assert d.interface("lan1")["querier"]["ipv6"]["state"] == "down"
    t.router.ip("-6", "addr", "add", "fe80::5/64", "dev", "lan1", "nodad")
    wait_record(lan, is_query, "a query")
    row = d.interface("lan1")["querier"]["ipv6"]
    assert row["state"] == "active" and row["address"] == "fe80::5", row


@case("ipv6 off and ipv4 off are obeyed per interface")
def switched_off(b):
    t = b.topology(ipv6=True)
    taps = {lan: b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")}
    config = PLAIN.replace("phyint lan1 downstream", "phyint lan1 downstream ipv6 off") \
        .replace("phyint lan2 downstream", "phyint lan2 downstream ipv4 off")
    d = b.run(t, config)
    b.receiver(t.hosts["lan1"], GROUP)
    b.receiver(t.hosts["lan2"], GROUP)
    d.wait_member("lan2", GROUP)
    wait_for(5, lambda: bad(d, "family"), "the other report is refused")
    assert not d.group("lan1", GROUP)
    seen = {"lan1": [], "lan2": []}

    def asked():
        for lan, tap in taps.items():
            seen[lan] += [f[12:14] for f in tap.frames()
                          if any(isinstance(m, wire.Query)
                                 for m in wire.igmp(f) + wire.mld(f))]
        return seen["lan1"] and seen["lan2"]
    wait_for(5, asked, "each is asked")
    assert set(seen["lan1"]) == {b"\x08\0"} and set(seen["lan2"]) == {b"\x86\xdd"}, seen


@case("ipv6 off by reload: upstream is left, a LAN forgets its groups, on again joins")
def switched_by_reload(b):
    t = b.topology(ipv6=True)
    wan = b.tap(t.provider, "p0")
    d = b.run(t)
    b.stream(t, GROUP)
    r = b.receiver(t.hosts["lan1"], GROUP)
    wait_datagrams(r, 20)
    d.write(PLAIN.replace("phyint wan upstream", "phyint wan upstream ipv6 off"))
    assert d.ctl_run("reload").returncode == 0
    wait_record(wan, lambda m: m == wire.Record(2, "TO_IN", GROUP, ()), "wan is left")
    assert d.group("lan1", GROUP)
    d.write(PLAIN)
    assert d.ctl_run("reload").returncode == 0
    wait_record(wan, lambda m: m == wire.Record(2, "TO_EX", GROUP, ()), "wan is joined")
    r.receive()
    wait_datagrams(r, 20)
    d.write(PLAIN.replace("phyint lan1 downstream", "phyint lan1 downstream ipv6 off"))
    assert d.ctl_run("reload").returncode == 0
    d.wait_no_member("lan1", GROUP)
    wait_record(wan, lambda m: m == wire.Record(2, "TO_IN", GROUP, ()), "nobody is left")
    d.write(PLAIN)
    assert d.ctl_run("reload").returncode == 0
    d.wait_member("lan1", GROUP)     # the host answers the first query
    r.receive()
    wait_datagrams(r, 20)


@case("ipv6 off upstream: IPv6 members are known and not reported")
def upstream_off(b):
    t = b.topology(ipv6=True)
    wan = b.tap(t.provider, "p0")
    d = b.run(t, PLAIN.replace("phyint wan upstream", "phyint wan upstream ipv6 off"))
    b.receiver(t.hosts["lan1"], GROUP)
    d.wait_member("lan1", GROUP)
    b.receiver(t.hosts["lan1"], "239.1.2.3")
    seen = wait_record(wan, lambda m: is_record(m, "239.1.2.3"), "IPv4 is reported")
    assert not any(is_record(m) for m in seen), seen
    assert not d.upstream_group(GROUP)


def forbid_ipv6_sockets():
    """For preexec: socket(AF_INET6) fails as on a kernel without IPv6."""
    arch, nr = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198),
                "riscv64": (0xC00000F3, 198)}[platform.machine()]
    load, jeq, ret = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 4), (jeq, 0, 5, arch), (load, 0, 0, 0), (jeq, 0, 3, nr),
            (load, 0, 0, 16), (jeq, 0, 1, 10), (ret, 0, 0, 0x00050000 | errno.EAFNOSUPPORT),
            (ret, 0, 0, 0x7FFF0000)]
    buf = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *i) for i in code))
    fprog = struct.pack("@HP", len(code), ctypes.addressof(buf))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, fprog, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp filter refused")


@case("a kernel without IPv6: IPv4 only, logged once")
def no_ipv6(b):
    t = b.topology()
    d = b.run(t, preexec=forbid_ipv6_sockets)
    b.stream(t, "239.1.2.3")
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 50), at_least=50)
    assert d.log().count("the kernel has no IPv6") == 1, d.log()
    assert list(d.interface("lan1")["querier"]) == ["ipv4"]
    assert "ipv6" not in d.show("upstream")["upstream"][0]
    assert d.ctl_run("reload").returncode == 0
    assert d.log().count("the kernel has no IPv6") == 1


# ---- ringcast-gen ----

@case("ringcast-gen sends and receives IPv6 through the proxy without loss")
def gen(b):
    t = b.topology(ipv6=True)
    d = b.run(t)
    tool = ringcast.binary("ringcast-gen")
    receiver = t.hosts["lan1"].popen(
        tool, "receive", "-m", GROUP, "--interface", "eth0", "--seconds", "20",
        "--expect", "500", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    d.wait_member("lan1", GROUP)
    sent = t.provider.run(tool, "send", "-m", GROUP, "--interface", "p0", "--source", S1,
                          "--count", "500", "--rate", "1000")
    out, _ = receiver.communicate(timeout=30)
    assert receiver.returncode == 0, f"{sent.stdout}{out}"


if __name__ == "__main__":
    main()
