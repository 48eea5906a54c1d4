#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Source filters of IGMPv3: each LAN gets exactly what it asked for; the merge is reported
upstream."""

from libnetns import (GROUP, PLAIN, SSM_GROUP, Sender, case, main, number,
                      wait_datagrams, wait_for, wait_record, wire)

OLD_STB_GROUP = "232.0.20.35"
S1, S2 = "10.0.0.1", "10.0.0.11"


def send_both(b, t, group, n=20):
    senders = [b.own(Sender(t.provider, "p0", s)) for s in (S1, S2)]
    for i in range(n):
        for s in senders:
            s.send(number(i), group)


def sources_seen(tap, group, n):
    """Count the datagrams of each source that a LAN saw; waits for n of them."""
    got = []
    wait_for(10, lambda: got.extend(u for u in tap.udp() if u.group == group)
             or len(got) >= n, f"{n} datagrams of {group}")
    return {s: sum(u.source == s for u in got) for s in (S1, S2)}


def record(group, types, sources):
    def match(m):
        return (isinstance(m, wire.Record) and m.group == group and m.type in types
                and m.sources == sources)
    return match


@case("R133 R153 INCLUDE({s1}) and EXCLUDE({s1}) on two LANs, merged record upstream")
def include_exclude(b):
    t = b.topology()
    # the taps count frames, so each datagram needs its own
    d = b.run(t, "coalesce off\nquickleave\n" + PLAIN)
    upstream = b.tap(t.provider, "p0")
    one = b.receiver(t.hosts["lan1"], source=S1)
    d.wait_member("lan1", GROUP)
    wait_record(upstream, record(GROUP, ("ALLOW", "IS_IN", "TO_IN"), (S1,)),
                "INCLUDE({s1}) upstream")
    two = b.receiver(t.hosts["lan2"])
    two.block(S1)

    def excludes():
        g = d.group("lan2", GROUP)
        return g and g["mode"] == "exclude" and \
            [s["address"] for s in g["sources"] if s["blocked"]] == [S1]
    wait_for(10, excludes, "lan2 is EXCLUDE({s1})")
    wait_record(upstream, record(GROUP, ("TO_EX", "IS_EX"), ()), "EXCLUDE({}) upstream")
    wait_for(5, lambda: (lambda g: g and (g["mode"], g["sources"]) == ("exclude", []))(
        d.upstream_group(GROUP)), "show upstream has EXCLUDE({})")

    taps = {lan: b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")}
    send_both(b, t, GROUP)
    assert sources_seen(taps["lan1"], GROUP, 20) == {S1: 20, S2: 0}
    assert sources_seen(taps["lan2"], GROUP, 20) == {S1: 0, S2: 20}
    assert {s for _, s in one.receive()} == {S1} and {s for _, s in two.receive()} == {S2}

    one.leave(S1)   # EXCLUDE({s1}) remains
    wait_record(upstream, record(GROUP, ("BLOCK", "TO_EX", "IS_EX"), (S1,)),
                "EXCLUDE({s1}) upstream")


@case("R153 source-specific join of a 232/8 channel delivers that source only")
def ssm(b):
    t = b.topology()
    d = b.run(t, "coalesce off\n" + PLAIN)
    upstream = b.tap(t.provider, "p0")
    b.receiver(t.hosts["lan1"], SSM_GROUP, source=S1)
    b.receiver(t.hosts["lan2"], SSM_GROUP, source=S2)
    d.wait_member("lan1", SSM_GROUP)
    d.wait_member("lan2", SSM_GROUP)
    # in a record of its own, or together with that of lan1
    seen = wait_record(upstream, lambda m: isinstance(m, wire.Record) and m.group == SSM_GROUP
                       and S2 in m.sources, "s2 is asked for upstream")
    assert not [m for m in seen if m.type in ("TO_EX", "IS_EX")], f"R151: {seen}"
    taps = [b.tap(t.hosts[lan], "eth0") for lan in ("lan1", "lan2")]
    send_both(b, t, SSM_GROUP)
    assert sources_seen(taps[0], SSM_GROUP, 20) == {S1: 20, S2: 0}
    assert sources_seen(taps[1], SSM_GROUP, 20) == {S1: 0, S2: 20}


@case("K20 an older host's join of a 232/8 group is served unless the file says ssm-range")
def ssm_range_is_empty(b):
    t = b.topology()
    t.hosts["lan1"].sysctl("net.ipv4.conf.eth0.force_igmp_version", 2)
    d = b.run(t)
    upstream = b.tap(t.provider, "p0")
    b.stream(t, OLD_STB_GROUP)
    wait_datagrams(b.receiver(t.hosts["lan1"], OLD_STB_GROUP), 20)
    wait_record(upstream, record(OLD_STB_GROUP, ("TO_EX",), ()), "the join upstream")
    assert d.interface("lan1")["refused"] == 0


@case("R149 an any-source join of a 232/8 group is refused")
def ssm_refused(b):
    t = b.topology()
    d = b.run(t, "ssm-range default\n" + PLAIN)
    upstream = b.tap(t.provider, "p0")
    b.receiver(t.hosts["lan1"], SSM_GROUP)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    assert not d.group("lan1", SSM_GROUP)
    assert {m.group for m in upstream.igmp()} == {GROUP}


@case("R066 a second source on the same LAN adds only itself upstream")
def second_source(b):
    t = b.topology()
    d = b.run(t)
    upstream = b.tap(t.provider, "p0")
    r = b.receiver(t.hosts["lan1"], SSM_GROUP, source=S1)
    wait_record(upstream, record(SSM_GROUP, ("ALLOW",), (S1,)), "ALLOW({s1})")
    wait_for(10, lambda: not d.upstream_group(SSM_GROUP)["pending"], "repeats are out")
    upstream.igmp()
    r.join(S2)
    seen = wait_record(upstream, record(SSM_GROUP, ("ALLOW",), (S2,)), "ALLOW({s2})")
    assert not [m for m in seen if m.type == "ALLOW" and S1 in m.sources], seen


if __name__ == "__main__":
    main()
