#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel hosts that are restricted to IGMPv1, v2 or v3, and an upstream that speaks an older
version."""

import socket
import struct

from libnetns import (FAST, GROUP, PLAIN, Tap, assert_continuous, case, main, wait_datagrams,
                      wait_record, wire)


def host_version(b, version, config=PLAIN):
    t = b.topology()
    t.hosts["lan1"].sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
    lan = b.tap(t.router, "lan1")
    d = b.run(t, config)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_record(lan, lambda m: isinstance(m, wire.Record) and m.group == GROUP
                and m.version == version, f"the host reports by IGMPv{version}")
    assert_continuous(wait_datagrams(r, 100), at_least=100)
    row = d.wait_member("lan1", GROUP)
    assert row["version"] == version and row["mode"] == "exclude", row
    # the next general query must keep the membership alive
    wait_record(lan, lambda m: getattr(m, "type", "") in ("JOIN", "IS_EX")
                and m.group == GROUP, "the host answers a query", seconds=25)
    assert d.group("lan1", GROUP)


@case("a host held to IGMPv1 receives")
def version1(b):
    # an IGMPv1 host takes up to 10 s to answer, whatever the query says
    host_version(b, 1, PLAIN.replace("query-interval 3\n", "query-interval 8\n"))


@case("a host held to IGMPv2 receives")
def version2(b):
    host_version(b, 2)


@case("a host held to IGMPv3 receives")
def version3(b):
    host_version(b, 3)


def general_query(version):
    """A general query from the provider with all lower layers."""
    body = {1: b"\x11\0\0\0\0\0\0\0", 2: b"\x11\x0a\0\0\0\0\0\0"}[version]
    body = body[:2] + struct.pack("!H", 0xffff - wire.inet_sum(body)) + body[4:]
    head = bytes.fromhex("46c0") + struct.pack("!H", 24 + len(body)) + \
        bytes.fromhex("0000000001020000") + socket.inet_aton("10.0.0.1") + \
        socket.inet_aton("224.0.0.1") + bytes.fromhex("94040000")
    head = head[:10] + struct.pack("!H", 0xffff - wire.inet_sum(head)) + head[12:]
    return head + body


def upstream_version(b, version):
    t = b.topology()
    d = b.run(t)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tap = b.own(Tap(t.provider, "p0"))
    mac = bytes.fromhex("020000000001")
    tap.sock.send(bytes.fromhex("01005e000001") + mac + b"\x08\0" + general_query(version))
    wait_record(tap, lambda m: m == wire.Record(version, "JOIN", GROUP, ()),
                f"an IGMPv{version} report answers")
    assert d.show("upstream")["upstream"][0]["ipv4"]["version"] == version
    other = "239.1.2.4"
    b.receiver(t.hosts["lan2"], other)
    seen = wait_record(tap, lambda m: m.group == other, "the next group is joined")
    assert {m.version for m in seen if m.group == other} == {version}, seen


@case("R125 an IGMPv2 querier upstream is answered by IGMPv2")
def upstream2(b):
    upstream_version(b, 2)


@case("R127 an IGMPv1 querier upstream is answered by IGMPv1")
def upstream1(b):
    upstream_version(b, 1)


@case("igmp-version 2 on a downstream: its queries are IGMPv2")
def configured(b):
    t = b.topology()
    tap = b.tap(t.hosts["lan1"], "eth0")
    b.run(t, PLAIN.replace("phyint lan1 downstream", "phyint lan1 downstream igmp-version 2"))
    b.stream(t)
    seen = wait_record(tap, lambda m: isinstance(m, wire.Query), "a query")
    assert {m.version for m in seen} == {2}, seen
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 50), at_least=50)


@case("K08 force_igmp_version of the kernel is obeyed, also at run time; the file overrules it")
def forced(b):
    t = b.topology(lans=1)
    key = "net.ipv4.conf.wan.force_igmp_version"
    t.router.sysctl(key, 2)
    p0 = b.tap(t.provider, "p0")
    config = FAST + "phyint lan1 downstream\nphyint wan upstream"
    d = b.run(t, config)
    b.receiver(t.hosts["lan1"])

    def version(n):
        return lambda m: isinstance(m, wire.Record) and m.group == GROUP and \
            m.version == n and m.type in ("JOIN", "TO_EX", "IS_EX")
    seen = wait_record(p0, version(2), "the join")
    assert not any(map(version(3), seen)), seen
    assert "the kernel's force_igmp_version is 2" in d.log()
    assert "# the kernel's force_igmp_version is 2" in d.ctl_run("show", "config").stdout
    # at run time; the daemon reads the setting when it acts anyway, as for its own queries
    t.router.sysctl(key, 0)
    wait_record(p0, version(3), "IGMPv3 after the setting is gone", seconds=30)
    t.router.sysctl("net.ipv4.conf.all.force_igmp_version", 1)
    wait_record(p0, version(1), "IGMPv1 as 'all' says", seconds=30)
    d.write(config + " igmp-version 3\n")
    assert d.ctl_run("reload").returncode == 0
    wait_record(p0, version(3), "IGMPv3 as the file says")
    assert "force_igmp_version" not in d.ctl_run("show", "config").stdout


@case("K08 force_mld_version of the kernel is obeyed")
def forced_mld(b):
    t = b.topology(lans=1, ipv6=True)
    t.router.sysctl("net.ipv6.conf.all.force_mld_version", 1)
    p0 = b.tap(t.provider, "p0")
    d = b.run(t, FAST + "phyint lan1 downstream\nphyint wan upstream\n")
    b.receiver(t.hosts["lan1"], "ff3e::8000:1234")
    wait_record(p0, lambda m: isinstance(m, wire.Record) and m.version == 1, "MLDv1")
    assert "the kernel's force_mld_version is 1, so MLDv1" in d.log()


if __name__ == "__main__":
    main()
