#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory itself: what the other files rely on, tested without the daemon."""

from libnetns import (GROUP, SSM_GROUP, Sender, assert_continuous, case, main, number,
                      wait_datagrams, wait_record, wire)


def reports(b, version, source=None, group=GROUP):
    t = b.topology()
    t.hosts["lan1"].sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
    tap = b.tap(t.router, "lan1")
    r = b.receiver(t.hosts["lan1"], group, source=source)
    wait_record(tap, lambda m: m.group == group, "a report")
    r.leave(source)
    return wait_record(tap, lambda m: m.type in ("LEAVE", "TO_IN", "BLOCK"), "a leave")


@case("a host held to IGMPv2 reports and leaves in that version")
def version2(b):
    assert wire.Record(2, "LEAVE", GROUP, ()) in reports(b, 2)


@case("a host held to IGMPv3 leaves by TO_IN({})")
def version3(b):
    assert wire.Record(3, "TO_IN", GROUP, ()) in reports(b, 3)


@case("a source-specific member leaves by BLOCK({s1})")
def source_specific(b):
    assert wire.Record(3, "BLOCK", SSM_GROUP, ("10.0.0.1",)) in \
        reports(b, 3, "10.0.0.1", SSM_GROUP)


@case("a stream arrives on the same link complete, and the hosts of a LAN share it")
def same_link(b):
    t = b.topology(1, hosts=2)
    b.stream(t)
    r = b.receiver(t.router, interface="wan")
    assert_continuous(wait_datagrams(r, 100), at_least=100)
    members = [b.receiver(t.hosts[h]) for h in ("lan1", "lan1b")]
    sender = b.own(Sender(t.router, "lan1", "10.0.1.1"))
    for n in range(20):
        sender.send(number(n), GROUP)
    for r in members:
        assert_continuous(wait_datagrams(r, 20), at_least=20)


@case("nothing is forwarded without the daemon")
def no_forwarding(b):
    t = b.topology()
    b.stream(t)
    lan = b.tap(t.hosts["lan1"], "eth0")
    b.receiver(t.hosts["lan1"])
    wait_datagrams(b.receiver(t.router, interface="wan"), 100)
    assert not lan.udp()


if __name__ == "__main__":
    main(needs_daemon=False)
