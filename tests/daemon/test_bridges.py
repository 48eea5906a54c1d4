#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Linux bridge as a switch with IGMP snooping and as a querier, on either side of the
router."""

import json

from libnetns import (GROUP, LANS, WAN, assert_continuous, case, main,
                      wait_datagrams, wait_for, wait_record, wire)

# Another querier expires after 2 s, a membership after 2.4 s.
SHORT = """query-interval 1
query-response-interval 0.2
startup-query-interval 0.2
last-member-query-interval 0.2
"""
CONFIG = SHORT + WAN + LANS
OTHER = "239.1.2.4"
GROUP6 = "ff0e::1:2:3"


def bridge(ns, *options):
    ns.ip("link", "set", "br0", "type", "bridge", *map(str, options))


def bridge_querier(ns):
    """Make br0 a querier that sends a query every second and supports IGMPv3 and MLDv2."""
    bridge(ns, "mcast_igmp_version", 3, "mcast_mld_version", 2, "mcast_query_interval", 100,
           "mcast_query_response_interval", 50, "mcast_startup_query_interval", 100)
    # a bridge that hears us before its first query would stay silent for minutes
    bridge(ns, "mcast_querier_interval", 10)
    # last, because the bridge waits for the present interval before it trusts its own table
    bridge(ns, "mcast_snooping", 1, "mcast_querier", 1)


def mdb(ns, group):
    """Returns the names of the ports that the bridge has for a group."""
    entries = json.loads(ns.run("bridge", "-j", "mdb", "show").stdout)[0]["mdb"]
    return {e["port"] for e in entries if e["grp"] == group}


def router_ports(ns):
    routers = json.loads(ns.run("bridge", "-d", "-j", "mdb", "show").stdout)[0]["router"]
    return {p["port"] for ports in routers.values() for p in ports}


def querier(d, family="ipv4"):
    return d.interface("lan1")["querier"][family]


def wait_state(d, state, family="ipv4"):
    wait_for(15, lambda: querier(d, family)["state"] == state, f"the querier is {state}")


def wait_standby(d, family="ipv4"):
    """Wait until the other querier has been heard twice. Until then it is remembered for only one
    query interval."""
    wait_for(15, lambda: (querier(d, family)["other_querier_ms"] or 0) > 1000, "it is there to stay")
    assert querier(d, family)["state"] == "standby"


@case("R045 R046 R137 R140 R141 a bridge with a lower address asks: we are silent, then "
      "take over")
def lower_querier(b):
    t = b.topology(hosts=2)
    switch = t.switches["lan1"]
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.9/24", "dev", "lan1")
    switch.ip("addr", "add", "10.0.1.1/24", "dev", "br0")
    d = b.run(t, "forwarding querier\n" + CONFIG)
    b.stream(t)
    one, two = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    wait_datagrams(one, 20)
    continuous = wait_datagrams(two, 20)

    bridge(switch, "mcast_query_use_ifaddr", 1)
    bridge_querier(switch)
    wait_standby(d)
    assert querier(d)["address"] == "10.0.1.1", querier(d)
    assert querier(d)["query_interval_ms"] == 1000, "R051: its interval"
    lan = b.tap(switch, "port0")
    lan.frames()
    continuous += wait_datagrams(two, 400)   # 1.3 s, more than one query interval
    frames = lan.frames()
    assert not [u for f in frames for u in [wire.udp(f)] if u], "forwards as non-querier"
    assert not [m for f in frames for m in wire.igmp(f)], "R054: asks as non-querier"
    assert d.upstream_group(GROUP), "R141: the membership counts on"
    assert d.group("lan1", GROUP)
    one.receive()

    # the bridge falls silent; the member does not have to act
    bridge(switch, "mcast_querier", 0, "mcast_snooping", 0)
    wait_state(d, "active")
    wait_datagrams(one, 50)
    assert wait_record(lan, lambda m: m == wire.Query(3, "0.0.0.0", ()), "we ask again")
    continuous += wait_datagrams(two, 20)
    assert_continuous(continuous, at_least=440)


@case("E06 R049 a bridge that asks from 0.0.0.0 does not stop us")
def anonymous_querier(b):
    t = b.topology(hosts=2)
    switch = t.switches["lan1"]
    seen = b.tap(t.router, "lan1")
    d = b.run(t, CONFIG)
    b.stream(t)
    one = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(one, 20)
    bridge(switch, "mcast_query_use_ifaddr", 0)
    bridge_querier(switch)

    def asks():
        return [f for f in seen.frames() if wire.igmp(f)
                and isinstance(wire.igmp(f)[0], wire.Query)]
    frames = wait_for(10, asks, "the bridge asks")
    assert {wire.addr(wire.ipv4(f)[0][12:16]) for f in frames} == {"0.0.0.0"}
    before = querier(d)["queries_sent"]
    wait_for(10, lambda: querier(d)["queries_heard"] and
             querier(d)["queries_sent"] > before + 1, "we keep asking")
    assert querier(d)["state"] == "active"
    got += wait_datagrams(one, 100)
    assert_continuous(got, at_least=120)


@case("R055 R137 a bridge with a lower link-local address takes MLD over, IGMP stays ours")
def lower_mld_querier(b):
    t = b.topology(lans=1, hosts=2, ipv6=True)
    switch = t.switches["lan1"]
    switch.ip("-6", "addr", "flush", "dev", "br0")
    switch.ip("-6", "addr", "add", "fe80::1/64", "dev", "br0", "nodad")
    d = b.run(t, "forwarding querier\n" + SHORT + WAN + "phyint lan1 downstream\n")
    b.stream(t)
    b.stream(t, GROUP6)
    one, six = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan1"], GROUP6)
    continuous = wait_datagrams(one, 20)
    wait_datagrams(six, 20)
    bridge_querier(switch)
    wait_standby(d, "ipv6")
    assert querier(d, "ipv6")["address"] == "fe80::1", querier(d, "ipv6")
    lan = b.tap(switch, "port0")
    lan.frames()
    continuous += wait_datagrams(one, 400)
    frames = lan.frames()
    assert not [m for f in frames for m in wire.mld(f) if isinstance(m, wire.Query)], \
        "R054: asks as non-querier"
    assert {u.group for u in map(wire.udp, frames) if u} == {GROUP}
    assert querier(d)["state"] == "active" and d.upstream_group(GROUP6)
    bridge(switch, "mcast_querier", 0, "mcast_snooping", 0)
    wait_state(d, "active", "ipv6")
    six.receive()
    wait_datagrams(six, 50)
    assert_continuous(continuous + wait_datagrams(one, 1), at_least=400)


def bridge_of_router(b, ipv6=False):
    """Make lan1 of the router a bridge, br0, with the hosts lan1 and lan1b on its ports."""
    t = b.topology(lans=0, ipv6=ipv6)
    for name in ("lan1", "lan1b"):
        t.hosts[name] = t.namespace(name)
    t.router.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "1")
    t.router.ip("link", "set", "br0", "up")
    for i, host in enumerate(t.hosts.values()):
        host_if = f"port{i}"
        t.router.ip("link", "add", host_if, "type", "veth", "peer", "name", "eth0",
                    "netns", host.path)
        t.router.ip("link", "set", host_if, "up", "master", "br0")
        host.ip("link", "set", "eth0", "up")
        host.ip("addr", "add", f"10.0.1.{i + 2}/24", "dev", "eth0")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "br0")
    return t


def port_falls_silent(tap, receiver):
    """Wait until the port without a member gets nothing while the member receives. A bridge floods
    until it trusts a querier."""
    def silent():
        tap.frames()
        return len(wait_datagrams(receiver, 30)) and not tap.udp()
    wait_for(10, silent, "the port without a member gets nothing")


def snooping_bridge(b, group, ipv6=False):
    t = bridge_of_router(b, ipv6)
    d = b.run(t, SHORT + WAN + "phyint br0 downstream\n")
    b.stream(t, group)
    one = b.receiver(t.hosts["lan1"], group)
    idle = b.tap(t.hosts["lan1b"], "eth0")
    wait_datagrams(one, 20)
    port_falls_silent(idle, one)
    wait_for(5, lambda: mdb(t.router, group) >= {"port0"}, "the bridge knows the member")
    assert "port1" not in mdb(t.router, group), mdb(t.router, group)

    two = b.receiver(t.hosts["lan1b"], group)
    got = wait_datagrams(one, 1)
    wait_datagrams(two, 20)
    wait_for(5, lambda: mdb(t.router, group) >= {"port0", "port1"}, "both are known")
    two.leave()
    # the host that leaves loses the stream, the host that stays has no gap
    wait_for(10, lambda: "port1" not in mdb(t.router, group), "the bridge drops the port")
    got += wait_datagrams(one, 50)
    assert_continuous(got, at_least=100)
    one.leave()
    d.wait_no_member("br0", group)
    wait_for(10, lambda: not mdb(t.router, group), "the bridge has forgotten the group")


@case("R188 a bridge of the router as downstream: only the member's port gets the stream")
def snooping_igmp(b):
    snooping_bridge(b, GROUP)


@case("R188 the same with MLD and an IPv6 stream")
def snooping_mld(b):
    snooping_bridge(b, GROUP6, ipv6=True)


@case("R188 a snooping switch on the LAN learns our port as router port")
def snooping_switch(b):
    t = b.topology(lans=1, hosts=2)
    switch = t.switches["lan1"]
    bridge(switch, "mcast_snooping", 1)
    d = b.run(t, SHORT + WAN + "phyint lan1 downstream\n")
    b.stream(t)
    wait_for(10, lambda: router_ports(switch) == {"port0"}, "our port is a router port")
    one = b.receiver(t.hosts["lan1"])
    idle = b.tap(t.hosts["lan1b"], "eth0")
    wait_datagrams(one, 20)
    port_falls_silent(idle, one)
    # reports now go to router ports only; the one about another group must still reach us
    other = b.receiver(t.hosts["lan1b"], OTHER)
    d.wait_member("lan1", OTHER)
    groups = {g["group"] for g in d.show("groups")["groups"]}
    assert groups == {GROUP, OTHER}, groups
    wait_for(5, lambda: mdb(switch, GROUP) >= {"port1"} and mdb(switch, OTHER) >= {"port2"},
             "its table agrees with ours")
    assert "port2" not in mdb(switch, GROUP) and "port1" not in mdb(switch, OTHER)
    other.leave()
    d.wait_no_member("lan1", OTHER)


@case("R001 R113 E03 a snooping switch upstream passes a stream because it sees our "
      "reports")
def switch_upstream(b):
    t = b.topology(lans=1)
    switch = t.namespace("wansw")
    t.provider.ip("link", "del", "p0")
    switch.ip("link", "add", "br0", "type", "bridge")
    switch.ip("link", "set", "br0", "up")
    for ns, name, port in ((t.provider, "p0", "up0"), (t.router, "wan", "down0")):
        ns.ip("link", "add", name, "type", "veth", "peer", "name", port, "netns",
              switch.path)
        ns.ip("link", "set", name, "up")
        switch.ip("link", "set", port, "up", "master", "br0")
    t.provider.ip("addr", "add", t.SOURCE + "/24", "dev", "p0")
    t.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
    switch.ip("addr", "add", "10.0.0.250/24", "dev", "br0")
    bridge(switch, "mcast_query_use_ifaddr", 1)
    bridge_querier(switch)
    bridge(switch, "mcast_membership_interval", 180)
    wan = b.tap(t.router, "wan")
    d = b.run(t, SHORT + WAN + "phyint lan1 downstream\n")
    b.stream(t)
    wait_record(wan, lambda m: m == wire.Query(3, "0.0.0.0", ()), "the switch asks")


    def silent():
        """Returns whether nothing of the stream arrives from one query to the next."""
        seen = d.show("stats")["frames"]
        wait_record(wan, lambda m: isinstance(m, wire.Query), "the switch asks")
        return d.show("stats")["frames"] == seen
    wait_for(10, silent, "the switch holds the stream back")
    r = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(r, 20)
    assert mdb(switch, GROUP) == {"down0"}, mdb(switch, GROUP)
    # longer than a membership lasts on the switch; our answers keep it alive
    got += wait_datagrams(r, 600)
    assert_continuous(got, at_least=620)
    r.leave()
    wait_for(10, lambda: not mdb(switch, GROUP), "the switch has seen us leave")


if __name__ == "__main__":
    main()
