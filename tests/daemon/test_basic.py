#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The first things that a user does: join, watch, look at the tables."""

from libnetns import (GROUP, PLAIN, Sender, assert_continuous, case, first_after, main,
                      number, wait_datagrams, wait_for)


@case("R139 join while the stream already arrives: forwarded at once")
def join_running_stream(b):
    t = b.topology()
    d = b.run(t)
    b.stream(t, rate=1000)
    r = b.receiver(t.hosts["lan1"], join=False)
    wait_for(10, lambda: d.show("stats")["frames"] > 10, "the stream reaches the router")
    ms = first_after(r, r.join)
    b.note(f"first datagram on the LAN {ms:.1f} ms after the join")
    assert_continuous(wait_datagrams(r, 100), at_least=100)


@case("the kernel has no multicast routing socket open")
def no_kernel_routing(b):
    t = b.topology()
    d = b.run(t)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 10)
    for table in ("ip_mr_vif", "ip_mr_cache"):
        lines = t.router.read(f"/proc/net/{table}").splitlines()
        assert len(lines) == 1, f"{table}: {lines}"
    assert d.stop() == 0


@case("a LAN without a member receives nothing")
def member_only(b):
    t = b.topology()
    b.run(t)
    tap = b.tap(t.hosts["lan2"], "eth0")
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 50)
    assert not tap.udp()


@case("R154 R176 one copy per LAN, TTL lowered by one, bytes unchanged")
def one_copy(b):
    t = b.topology()
    d = b.run(t)
    b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan2"])
    d.wait_member("lan1", GROUP)
    d.wait_member("lan2", GROUP)
    taps = [b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")]
    sender = b.own(Sender(t.provider))
    sizes = [1, 2, 63, 64, 1316, 1471, 1472]
    payloads = [bytes((n + size) & 0xff for n in range(size)) for size in sizes]
    for payload in payloads:
        sender.send(payload, GROUP, ttl=7)
    for tap in taps:
        got = []
        wait_for(10, lambda: got.extend(tap.udp()) or len(got) >= len(sizes), "all sizes")
        assert [g.payload for g in got] == payloads, [len(g.payload) for g in got]
        assert {g.ttl for g in got} == {6}
        assert {g.source for g in got} == {t.SOURCE}


@case("R182 an ordinary socket behind veth is received without checksum errors")
def partial_checksums(b):
    t = b.topology()
    d = b.run(t)
    wan = b.tap(t.router, "wan")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    sender = b.own(Sender(t.provider))
    for n in range(50):
        sender.send(number(n, 700), GROUP)
    assert_continuous(wait_datagrams(r, 50), at_least=50)
    assert any(not u.checksum_ok for u in wan.udp()), "the link completes checksums itself"
    snmp = [line.split() for line in t.hosts["lan1"].read("/proc/net/snmp").splitlines()
            if line.startswith("Udp:")]
    errors = dict(zip(snmp[0], snmp[1]))["InCsumErrors"]
    assert errors == "0", f"{errors} checksum errors"


@case("R198 100 groups at once from one LAN")
def hundred_groups(b):
    t = b.topology()
    t.hosts["lan1"].sysctl("net.ipv4.igmp_max_memberships", 200)
    d = b.run(t)
    groups = [f"239.9.{i // 50}.{i % 50 + 1}" for i in range(100)]
    members = [b.receiver(t.hosts["lan1"], g) for g in groups]

    def known():
        return {g["group"] for g in d.show("groups")["groups"]} >= set(groups)
    wait_for(15, known, "all groups are known")
    wait_for(10, lambda: all(map(d.upstream_group, groups[::10])), "all are joined upstream")
    sender = b.own(Sender(t.provider))
    for n, g in enumerate(groups):
        sender.send(number(n), g)
    for n, r in enumerate(members):
        got = wait_datagrams(r)
        assert [p for p, _ in got] == [number(n)], f"{groups[n]}: {got}"


@case("the tables and their JSON show the same stream")
def tables(b):
    t = b.topology()
    d = b.run(t)
    b.stream(t)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 20)
    mfc = wait_for(5, lambda: [m for m in d.show("mfc")["mfc"]
                               if m["group"] == GROUP and m["packets"] >= 20], "counted")[0]
    assert mfc["in"] == "wan" and mfc["out"] == ["lan1"], mfc
    wan, lan1 = d.interface("wan"), d.interface("lan1")
    assert wan["role"] == "upstream" and wan["present"] and wan["up"], wan
    assert lan1["role"] == "downstream" and lan1["local"] == "10.0.1.1", lan1
    assert wan["rx_packets"] >= 20 and lan1["tx_packets"] >= 20
    assert lan1["querier"]["ipv4"]["state"] == "active", lan1["querier"]
    assert d.show("stats")["verdicts"]["forwarded"] >= 20
    for what, words in {
            "interfaces": ["Interface", "PktsIn", "PktsOut", "BytesIn", "BytesOut", "Local"],
            "mfc": ["Group", "Origin", "In", "Out", "Pkts", "Bytes", "Wrong", GROUP],
            "groups": ["lan1", GROUP], "upstream": ["wan", GROUP], "config": ["phyint"],
            "stats": ["forwarded"]}.items():
        text = d.ctl_run("show", what, "--wide").stdout
        assert all(w in text for w in words), f"show {what}:\n{text}"
    assert d.ctl_run("version").stdout.strip()
    assert d.ctl_run("show", "nonsense").returncode != 0


@case("R147 frames of a downstream stay there, unless forward-from-downstream says so")
def from_downstream(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan2"])
    d.wait_member("lan2", GROUP)
    sender = b.own(Sender(t.hosts["lan1"], "eth0", "10.0.1.2"))
    sender.send(number(0), GROUP)
    assert d.interface("lan1")["ring_packets"] == 0, "nobody reads data of a downstream"
    d.write("forward-from-downstream downstream\n" + PLAIN)
    assert d.ctl_run("reload").returncode == 0

    def arrives():
        sender.send(number(1), GROUP)
        return r.receive()
    got = wait_for(5, arrives, "lan2 receives from lan1")
    assert got[0][0] == number(1), "the frame before the reload was forwarded"


if __name__ == "__main__":
    main()
