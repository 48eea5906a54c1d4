#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs on the router that join groups on its upstream share one membership with the kernel."""

import socket

from libnetns import (GROUP, LANS, PLAIN, QUICK, SSM_GROUP, WAN, Sender, assert_continuous, case,
                      main, number, numbers, wait_datagrams, wait_for, wait_record, wire)
from manager import ManagedDaemon

GROUP6 = "ff0e::1:2:3"
ONLY_NET_RAW = ["setpriv", "--inh-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"]
TAKES_AWAY = "TO_IN", "BLOCK", "LEAVE"


def held(d, interface="wan"):
    return {g["group"]: g["sources"] for u in d.show("upstream")["upstream"]
            if u["interface"] == interface for g in u["kernel"]}


def wait_held(d, group, is_held=True):
    wait_for(10, lambda: (group in held(d)) == is_held,
             f"{group} is {'' if is_held else 'not '}held by the kernel")


def wait_repeated(d, group):
    wait_for(10, lambda: not d.upstream_group(group)["pending"], "repeats are out")


def of(group, types):
    return lambda m: isinstance(m, wire.Record) and m.group == group and m.type in types


def everything(tap, group):
    """Returns all record types that were sent about a group, in order."""
    return [m.type for f in tap.frames() for m in wire.igmp(f) + wire.mld(f)
            if isinstance(m, wire.Record) and m.group == group]


def last_word(tap, group, settled=1.2):
    """Returns the types of records about a group, up to the first silence of `settled` seconds."""
    got, quiet = [], [0.0]

    def silent():
        new = everything(tap, group)
        got.extend(new)
        quiet[0] = 0.0 if new else quiet[0] + 0.03
        return quiet[0] > settled
    wait_for(20, silent, f"nothing more is said about {group}")
    return got


def membership(b, ipv6=False, config=PLAIN, start=None, **kw):
    """Set up a LAN that has joined the group; the report upstream has been sent and repeated."""
    group = GROUP6 if ipv6 else GROUP
    t = b.topology(ipv6=ipv6)
    d = (start or b.run)(t, config, **kw)
    b.receiver(t.hosts["lan1"], group)
    d.wait_member("lan1", group)
    wait_repeated(d, group)
    return t, d, group


def program_ends(b, t, d, group):
    """A program joins and leaves: our join follows the kernel's leave."""
    p0 = b.tap(t.provider, "p0")
    program = b.receiver(t.router, group, interface="wan")
    wait_held(d, group)
    program.leave()
    wait_held(d, group, False)
    said = last_word(p0, group)
    assert any(x in TAKES_AWAY for x in said), f"the kernel left: {said}"
    assert said[-1] not in TAKES_AWAY, f"the last word is a leave: {said}"


def crowd(b, n=100):
    """Set up a membership of a LAN, and programs that hold 2,000 groups on the upstream."""
    result = membership(b)
    sockets = [b.own(result[0].router.socket(socket.AF_INET, socket.SOCK_DGRAM))
               for _ in range(n)]
    for i, s in enumerate(sockets):
        for k in range(20):
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(f"239.200.{i}.{k + 1}") + socket.inet_aton("10.0.0.2"))
    wait_for(10, lambda: len(held(result[1])) == 64, "as many are shown as can be")
    return result


@case("K01 the leave of a program is followed by what the LANs want")
def after_a_program(b):
    program_ends(b, *membership(b))


@case("K01 the same for MLD")
def after_a_program_mld(b):
    program_ends(b, *membership(b, ipv6=True))


@case("K01 the same with CAP_NET_RAW alone")
def with_net_raw(b):
    program_ends(b, *membership(b, wrap=ONLY_NET_RAW))


@case("K01 the same after a reload")
def after_a_reload(b):
    t, d, group = membership(b)
    d.write(PLAIN + "query-interval 4\n")
    assert d.ctl_run("reload").returncode == 0
    program_ends(b, t, d, group)


@case("K01 the same after an upgrade in place")
def after_an_upgrade(b):
    def start(t, config):
        b.daemon = b.own(ManagedDaemon(t.router, config))
        b.daemon.start()
        return b.daemon
    t, d, group = membership(b, start=start)
    assert d.ctl_run("upgrade").returncode == 0
    wait_for(20, lambda: d.ctl_run("version").returncode == 0, "the successor answers")
    program_ends(b, t, d, group)


@case("K01 a program that names a source does not narrow what a LAN wants")
def source_program(b):
    t, d, group = membership(b)
    p0 = b.tap(t.provider, "p0")
    program = b.receiver(t.router, group, interface="wan", source=t.SOURCE2)
    wait_for(10, lambda: held(d).get(group) == [t.SOURCE2], "the kernel holds one source")
    program.leave(t.SOURCE2)
    wait_held(d, group, False)
    assert last_word(p0, group)[-1] == "TO_EX"
    assert d.upstream_group(group)["mode"] == "exclude"


@case("K01 a user who joins thousands of groups on the upstream delays no host")
def many_programs(b):
    t, d, group = crowd(b)
    program = b.receiver(t.router, group, interface="wan")
    wait_held(d, group)
    tap = b.tap(t.provider, "p0")
    program.close()
    wait_held(d, group, False)
    wait_record(tap, of(group, ("IS_EX", "TO_EX", "JOIN")), "what the LAN wants is said again")
    b.receiver(t.hosts["lan2"], SSM_GROUP)
    d.wait_member("lan2", SSM_GROUP)


@case("K02 groups that a program holds are not left until the program has left them")
def program_stays(b):
    t = b.topology()
    d = b.run(t, QUICK)
    program = b.receiver(t.router, GROUP, interface="wan")
    wait_held(d, GROUP)
    viewer = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wait_repeated(d, GROUP)
    p0 = b.tap(t.provider, "p0")
    viewer.leave()
    d.wait_no_member("lan1", GROUP)
    assert not set(last_word(p0, GROUP)) & set(TAKES_AWAY)
    program.leave()
    wait_record(p0, of(GROUP, TAKES_AWAY), "the leave")
    wait_for(10, lambda: not d.upstream_group(GROUP), "it is not a membership of ours")


@case("K02 when the daemon ends, a program keeps its sources, and everything else is left")
def at_the_end(b):
    t = b.topology()
    d = b.run(t)
    groups = [GROUP, SSM_GROUP, "239.1.2.9"]
    b.receiver(t.router, GROUP, interface="wan")
    b.receiver(t.router, SSM_GROUP, interface="wan", source=t.SOURCE)
    for g in groups:
        b.receiver(t.hosts["lan1"], g)
        d.wait_member("lan1", g)
        wait_repeated(d, g)
    p0 = b.tap(t.provider, "p0")
    assert d.stop() == 0
    wait_record(p0, of("239.1.2.9", TAKES_AWAY), "the leave of what nobody else holds")
    said = [m for m in p0.igmp() if isinstance(m, wire.Record)]
    assert not [m for m in said if m.group == GROUP and m.type in TAKES_AWAY], said


@case("K02 a reload that removes the upstream leaves no group that a program holds")
def upstream_removed(b):
    t, d, group = membership(b)
    b.receiver(t.router, group, interface="wan")
    wait_held(d, group)
    p0 = b.tap(t.provider, "p0")
    d.write("phyint wan disabled\nphyint lan2 upstream\nphyint lan1 downstream\n")
    assert d.ctl_run("reload").returncode == 0
    assert not set(last_word(p0, group)) & set(TAKES_AWAY)


@case("K01 reports of another daemon of this host on a LAN have no effect")
def on_a_lan(b):
    t = b.topology()
    d = b.run(t, "quickleave\n" + PLAIN.replace(LANS, "phyint lan1 downstream\n"))
    b.receiver(t.router, GROUP, interface="lan1").leave()
    assert held(d, "lan1") == {}


def on_lan(b, ipv6=False, config=PLAIN):
    """A box watches, and a program on the router has joined on lan1 as well."""
    group = GROUP6 if ipv6 else GROUP
    t = b.topology(ipv6=ipv6)
    d = b.run(t, config)
    b.stream(t, group)
    box = b.receiver(t.hosts["lan1"], group)
    wait_datagrams(box, 20)
    program = b.receiver(t.router, group, interface="lan1")
    wait_datagrams(program, 20)
    return t, d, group, box, program


@case("K03 a program on the router that joined on a LAN gets every datagram once")
def program_on_lan(b):
    t, d, group, box, program = on_lan(b)
    lan = b.tap(t.hosts["lan1"], "eth0")
    got = [wait_datagrams(r, 300) for r in (program, box)]
    for datagrams in got:
        assert_continuous(datagrams, at_least=300)
    assert {s for _, s in got[0]} == {t.SOURCE}
    seen = [u for u in lan.udp() if u.group == group]
    assert {u.ttl for u in seen} == {7}, "nothing else is on the wire"
    stats = d.show("stats")
    assert stats["local_packets"] >= 300 and stats["local_errors"] == 0, stats
    program.leave()
    known, seen = [0], [0]

    def ended():
        """Returns whether the program got none while the box received 100 datagrams."""
        seen[0] += len(box.receive())
        if seen[0] >= 100:
            before, known[0] = known[0], d.show("stats")["local_packets"]
            seen[0] = 0
            return before == known[0]
        return False
    wait_for(15, ended, "nothing is given to it any more")


@case("K03 the same for IPv6")
def program_on_lan6(b):
    _, _, _, _, program = on_lan(b, ipv6=True)
    assert_continuous(wait_datagrams(program, 300), at_least=300)


@case("K03 with strict rp_filter, a source from elsewhere, and CAP_NET_RAW alone")
def program_on_lan_strict(b):
    t = b.topology()
    for where in ("all", "lan1"):
        t.router.sysctl(f"net.ipv4.conf.{where}.rp_filter", 1)
    b.run(t, PLAIN.replace(WAN, WAN + "altnet 172.16.0.0/12\n"), wrap=ONLY_NET_RAW)
    b.stream(t, source=t.FOREIGN)
    b.receiver(t.hosts["lan1"])
    assert_continuous(wait_datagrams(b.receiver(t.router, interface="lan1"), 100),
                      at_least=100)


@case("K03 received super-frames arrive as single datagrams")
def program_super_frames(b):
    t = b.topology()
    d = b.run(t)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    program = b.receiver(t.router, GROUP, interface="lan1")
    sock = b.own(Sender(t.provider)).sock
    sock.setsockopt(socket.SOL_UDP, 103, 256)   # UDP_SEGMENT
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
    got = []

    def arrived():
        sock.sendto(b"".join(number(n, 256) for n in range(20)), (GROUP, 5000))
        got.extend(program.receive())
        return len(got) >= 40
    wait_for(10, arrived, "40 datagrams")
    assert {len(payload) for payload, _ in got} == {256}
    numbers(got)


if __name__ == "__main__":
    main()
