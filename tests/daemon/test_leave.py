#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaving: immediately if that is safe, otherwise after the last-member time, and never at the
cost of another receiver."""

import time

from libnetns import (FAST, GROUP, PLAIN, QUICK, assert_continuous, case, lab, main,
                      wait_datagrams, wait_for, wait_record, wait_silence, wire)
from packets import ALL_HOSTS, REPORTS, TO_EX, Wire, igmp3_query, igmp3_report, ipv4

# so long that a slow machine cannot confuse an immediate leave with one after this time
SLOW_LEAVE = PLAIN.replace("last-member-query-interval 0.2", "last-member-query-interval 5")


def is_leave(m):
    return (isinstance(m, wire.Record) and m.group == GROUP
            and (m.type, m.sources) in (("TO_IN", ()), ("LEAVE", ())))


def is_specific_query(m):
    return isinstance(m, wire.Query) and m.group == GROUP


def watch(b, config, version=3, lans=2):
    """Returns (topology, receiver on lan1 that gets the stream, tap on its LAN)."""
    t = b.topology(lans)
    t.hosts["lan1"].sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
    b.run(t, config)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 20)
    return t, r, b.tap(t.hosts["lan1"], "eth0")


@case("R092 quickleave, one tracked IGMPv3 host: stopped at once, without waiting for an answer")
def quick(b):
    t, r, lan = watch(b, "quickleave\n" + SLOW_LEAVE)
    upstream = b.tap(t.provider, "p0")
    start = time.monotonic()
    r.leave()
    last, igmp = wait_silence(lan, seconds=4)
    b.note(f"last datagram {(last - start) * 1000:.0f} ms after the leave at most, "
           f"seen every {lab.POLL_S * 1000:.0f} ms")
    # the hosts are asked at the same moment (K11), and have 2.5 s to answer
    assert len([m for m in igmp if is_specific_query(m)]) <= 1, igmp
    assert last - start < 2.5, last - start
    wait_record(upstream, is_leave, "the leave goes upstream")


@case("without quickleave: last-member queries first, then stopped")
def slow(b):
    t, r, lan = watch(b, PLAIN)
    upstream = b.tap(t.provider, "p0")
    start = time.monotonic()
    r.leave()
    last, igmp = wait_silence(lan)
    b.note(f"last datagram {(last - start) * 1000:.0f} ms after the leave (2 x 200 ms)")
    assert [m for m in igmp if is_specific_query(m)], igmp
    wait_record(upstream, is_leave, "the leave goes upstream")


@case("quickleave with an IGMPv2 member goes through last-member queries")
def quick_v2(b):
    _, r, lan = watch(b, QUICK, version=2)
    r.leave()
    _, igmp = wait_silence(lan)
    assert [m for m in igmp if is_specific_query(m)], igmp


def one_leaves(d, tap, receivers):
    """Let one of two hosts leave until the router hears it; returns the receiver of the other. An
    IGMPv2 host that heard the other host report last leaves in silence, so the last reporter
    leaves. If a report comes in between, both join again and the test repeats."""
    for _ in range(5):
        last = d.group("lan1", GROUP)["last_reporter"]
        receivers[last].leave()
        try:
            wait_record(tap, is_leave, "the router hears the leave", seconds=2)
            return next(r for a, r in receivers.items() if a != last)
        except AssertionError:
            receivers[last].join()
            receivers[last].receive()   # drop what arrived before it left
    raise AssertionError("no leave is heard: both hosts think that the other one reported last")


def two_receivers(b, config, version):
    t = b.topology(1, hosts=2)
    for host in t.hosts.values():
        host.sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
    d = b.run(t, config)
    b.stream(t)
    receivers = {r.address: r for r in (b.receiver(t.hosts[h]) for h in ("lan1", "lan1b"))}
    for r in receivers.values():
        wait_datagrams(r, 10)
    tap = b.tap(t.router, "lan1")
    stays = one_leaves(d, tap, receivers)
    got = wait_datagrams(stays, 10)
    while len(got) < 600:   # two seconds: more than the last-member time of PLAIN
        got += wait_datagrams(stays, 50)
    assert_continuous(got, at_least=600)
    assert d.group("lan1", GROUP)


@case("E13 two IGMPv3 receivers, quickleave, one leaves: the other sees no gap")
def two_quick(b):
    two_receivers(b, QUICK, 3)


@case("E13 two IGMPv3 receivers, one leaves: the other sees no gap")
def two_slow(b):
    two_receivers(b, PLAIN, 3)


@case("E13 two IGMPv2 receivers, quickleave, one leaves: the other sees no gap")
def two_v2(b):
    two_receivers(b, QUICK, 2)


@case("R135 last leave on one LAN: the other LAN keeps its stream, no leave is sent upstream")
def other_lan(b):
    t, r, _ = watch(b, QUICK)
    other = b.receiver(t.hosts["lan2"])
    got = wait_datagrams(other, 10)
    upstream = b.tap(t.provider, "p0")
    r.leave()
    b.daemon.wait_no_member("lan1", GROUP)
    got += wait_datagrams(other, 300)
    assert_continuous(got, at_least=300)
    assert not [m for m in upstream.igmp() if is_leave(m)]


@case("SIGTERM leaves the groups upstream and exits 0")
def terminate(b):
    t, _, _ = watch(b, PLAIN)
    upstream = b.tap(t.provider, "p0")
    assert b.daemon.stop() == 0
    wait_record(upstream, is_leave, "the leave goes upstream", seconds=3)


def assert_apart(tap, n=2):
    """Check that the leaves are `n` messages, some milliseconds apart."""
    frames = []

    def all_seen():
        frames.extend(f for f in tap.frames() if any(map(is_leave, wire.igmp(f))))
        return len(frames) >= n
    wait_for(3, all_seen, f"{n} leaves upstream, each in a message of its own")
    assert all(len(wire.igmp(f)) == 1 for f in frames), frames


@case("K12 SIGTERM: the leave is repeated in a message of its own")
def terminate_repeats(b):
    t, _, _ = watch(b, "robustness 3\n" + PLAIN)
    upstream = b.tap(t.provider, "p0")
    start = time.monotonic()
    assert b.daemon.stop() == 0
    b.note(f"stopped after {(time.monotonic() - start) * 1000:.0f} ms")
    assert_apart(upstream, 3)


@case("K12 an upstream that a reload removes: the leave is repeated")
def removed_repeats(b):
    t, _, _ = watch(b, PLAIN)
    upstream = b.tap(t.provider, "p0")
    b.daemon.write(FAST + "phyint lan2 upstream\nphyint lan1 downstream\n")
    assert b.daemon.ctl_run("reload").returncode == 0
    assert_apart(upstream)


@case("clear group forgets a member that left silently, and keeps one that is there")
def clear_group(b):
    t, r, tap = watch(b, PLAIN.replace("query-interval 3\n", "query-interval 100\n", 1))
    d, ghost = b.daemon, b.own(Wire(t.hosts["lan2"], "eth0"))
    ghost.send(ipv4("10.0.2.77", REPORTS, 2, igmp3_report((TO_EX, GROUP, ()))))
    for lan in ("lan1", "lan2"):
        d.wait_member(lan, GROUP)
    tap.igmp()
    done = d.ctl_run("clear", "group", GROUP)
    assert done.returncode == 0, done
    for lan in ("lan1", "lan2"):
        assert f"{lan}: asked the hosts for members of {GROUP}" in done.stdout, done
    d.wait_no_member("lan2", GROUP)
    assert [m for m in tap.igmp() if is_specific_query(m)], "nobody was asked"
    assert_continuous(wait_datagrams(r, 300))
    assert d.group("lan1", GROUP)["hosts"]
    for words, why in (((GROUP, "lan2"), "no host on lan2 has joined"), (("10.0.0.1",), "not a group address"),
                       ((GROUP, "wan"), "'wan' is not a downstream"),
                       (("239.9.9.9",), "no host has")):
        done = d.ctl_run("clear", "group", *words)
        assert done.returncode == 4 and why in done.stderr, done


@case("clear group where another router is querier names it, and changes nothing")
def clear_elsewhere(b):
    t, r, tap = watch(b, PLAIN)
    d, other = b.daemon, b.own(Wire(t.hosts["lan1"], "eth0"))
    other.send(ipv4("10.0.1.0", ALL_HOSTS, 2, igmp3_query(qqic=125)))
    wait_for(10, lambda: d.interface("lan1")["querier"]["ipv4"]["state"] == "standby",
             "another router is querier")
    tap.igmp()
    done = d.ctl_run("clear", "group", GROUP)
    assert done.returncode == 4 and "another router asks the hosts there" in done.stdout, done
    assert_continuous(wait_datagrams(r, 100))
    assert not [m for m in tap.igmp() if is_specific_query(m)]


if __name__ == "__main__":
    main()
