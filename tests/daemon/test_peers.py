#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""FRR and pimd as the provider's router and as rivals on the LAN. Cases skip if tools/test could
not get the packages."""

from libnetns import (GROUP, SSM_GROUP, WAN, Stream, assert_continuous, case, link, main,
                      wait_datagrams, wait_for, wait_record, wait_silence, wire)

import peers

SHORT = """query-interval 1
query-response-interval 0.2
startup-query-interval 0.2
last-member-query-interval 0.2
"""
HEADEND = "10.7.0.2"


def querier(d, interface="lan1"):
    return d.interface(interface)["querier"]["ipv4"]


def wait_state(d, state, seconds=20):
    wait_for(seconds, lambda: querier(d)["state"] == state, f"the querier is {state}")


def behind_router(b):
    """Turn the provider's namespace into a router, with the sender behind it."""
    t = b.topology(lans=1)
    headend = t.namespace("headend")
    link(headend, "eth0", t.provider, "h0")
    headend.ip("addr", "add", HEADEND + "/24", "dev", "eth0")
    t.provider.ip("addr", "add", "10.7.0.1/24", "dev", "h0")
    t.provider.ip("addr", "del", t.SOURCE2 + "/24", "dev", "p0")
    t.provider.ip("addr", "del", t.FOREIGN + "/32", "dev", "p0")
    return t, headend


def is_query(m):
    return isinstance(m, wire.Query)


@case("E05 R101 FRR as the provider's router: its queries are answered, joins and leaves "
      "act")
def frr_upstream(b):
    t, headend = behind_router(b)
    wan = b.tap(t.router, "wan")
    frr = peers.frr(b, t.provider, """interface p0
 ip pim
 ip igmp
 ip igmp query-max-response-time 5
 ip igmp query-interval 2
interface h0
 ip pim
ip pim rp 10.0.0.1 239.0.0.0/8
""")
    d = b.run(t, SHORT + WAN + " altnet 10.7.0.0/24\nphyint lan1 downstream\n")
    streams = [Stream(headend, g, source=HEADEND, interface="eth0", rate=100)
               for g in (GROUP, SSM_GROUP)]
    try:
        wait_record(wan, lambda m: frr.alive() and is_query(m), "FRR asks")
        r = b.receiver(t.hosts["lan1"])
        ssm = b.receiver(t.hosts["lan1"], SSM_GROUP, source=HEADEND)
        got, got_ssm = wait_datagrams(r, 10, seconds=20), wait_datagrams(ssm, 10)
        # its first query after the joins must find the members
        queries = d.show("upstream")["upstream"][0]["ipv4"]["queries"]
        wait_for(15, lambda: d.show("upstream")["upstream"][0]["ipv4"]["queries"]
                 > queries + 1, "two more queries of FRR")
        got += wait_datagrams(r, 100)
        assert_continuous(got_ssm + wait_datagrams(ssm, 100), at_least=110)
        assert_continuous(got, at_least=110)
        r.leave()
        wait_silence(wan, seconds=20)
        assert wait_datagrams(ssm, 50), "the other channel plays on"
    finally:
        for stream in streams:
            stream.stop()


def lan_with_rival(b, address, ours):
    """Turn host lan1b into a router whose only interface is eth0."""
    t = b.topology(lans=1, hosts=2)
    host = t.hosts["lan1b"]
    host.ip("addr", "flush", "dev", "eth0")
    host.ip("addr", "add", address + "/24", "dev", "eth0")
    t.router.ip("addr", "del", "10.0.1.1/24", "dev", "lan1")
    t.router.ip("addr", "add", ours + "/24", "dev", "lan1")
    return t, host


def frr_querier(b, ns):
    return peers.frr(b, ns, """interface eth0
 ip igmp
 ip igmp query-max-response-time 5
 ip igmp query-interval 1
""")


def pimd_querier(b, ns):
    # its clock ticks every 5 s
    return peers.pimd(b, ns, "igmp-query-interval 5\nigmp-querier-timeout 12\n"
                      "rp-address 10.0.1.1 224.0.0.0/4\n")


CONFIG = "forwarding querier\n" + SHORT + WAN + "phyint lan1 downstream\n"


def lower_rival(b, start):
    t, host = lan_with_rival(b, "10.0.1.1", "10.0.1.9")
    d = b.run(t, CONFIG)
    b.stream(t)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 20)
    peer = start(b, host)
    wait_for(20, lambda: peer.alive() and querier(d)["state"] == "standby", "it is elected")
    assert querier(d)["address"] == "10.0.1.1", querier(d)
    lan = b.tap(t.hosts["lan1"], "eth0")
    wait_silence(lan, seconds=10)
    assert d.upstream_group(GROUP), "R141: the membership counts on"
    return t, d, lan, peer


@case("R045 R046 R052 FRR with a lower address on the LAN is querier until it dies")
def frr_lower(b):
    t, d, lan, peer = lower_rival(b, frr_querier)
    # a host leaves, and the other router must send the queries
    other = b.receiver(t.hosts["lan1"], "239.1.2.4")
    d.wait_member("lan1", "239.1.2.4")
    lan.frames()
    other.leave()
    asked = wait_record(lan, lambda m: is_query(m) and m.group == "239.1.2.4",
                        "the other router asks who else is there")
    assert querier(d)["state"] == "standby", asked
    d.wait_no_member("lan1", "239.1.2.4", seconds=20)
    peer.kill()
    wait_state(d, "active")
    stopped = d.interface("lan1")["tx_packets"]
    wait_for(10, lambda: d.interface("lan1")["tx_packets"] > stopped + 20,
             "the stream is back")


@case("R047 FRR with a higher address on the LAN yields to us")
def frr_higher(b):
    t, host = lan_with_rival(b, "10.0.1.9", "10.0.1.1")
    lan = b.tap(t.router, "lan1")
    peer = frr_querier(b, host)
    wait_record(lan, lambda m: peer.alive() and is_query(m), "it asks", seconds=20)
    d = b.run(t, CONFIG)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    sent = querier(d)["queries_sent"]
    wait_for(15, lambda: querier(d)["queries_sent"] > sent + 1, "it has heard us")
    heard, sent = querier(d)["queries_heard"], querier(d)["queries_sent"]
    assert_continuous(wait_datagrams(r, 1000), at_least=1000)
    assert querier(d)["state"] == "active", "R047: a higher address won"
    assert querier(d)["queries_sent"] > sent + 1
    assert querier(d)["queries_heard"] == heard, "the other one has not yielded"
    assert peer.alive()


@case("R045 R137 pimd with a lower address on the LAN is elected")
def pimd_lower(b):
    lower_rival(b, pimd_querier)


@case("R179 a kernel that routes multicast for pimd: we warn")
def kernel_routes(b):
    t = b.topology()
    peer = peers.pimd(b, t.router, "rp-address 10.0.0.2 224.0.0.0/4\n")
    wait_for(10, lambda: peer.alive() and
             len(t.router.read("/proc/net/ip_mr_vif").splitlines()) > 1, "pimd routes")
    b.run(t).wait_log("uses the kernel's IPv4 multicast routing on")


if __name__ == "__main__":
    main()
