# SPDX-License-Identifier: GPL-2.0-or-later
"""Other users of the same router and the same wire: programs, switches, aliases, cables."""

import socket

from libfield import CONF, G, H, Provider, situation, wait_for, wire
from packets import IS_EX, TO_EX, Wire, fragments, igmp, igmp3_report, ipv4, query


def low_querier(f):
    """Set up a LAN on which the router does not have the lowest address."""
    t = f.home(hosts=2)
    t.router.ip("addr", "flush", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.9/24", "dev", "lan1")
    return t


def program_comes_and_goes(f, box):
    """Start and end a program on the router; waits until the kernel has reported its own join."""
    program = f.program("wan")
    f.picture(program)
    f.steady(box, 1.5)
    program.leave()
    f.steady(box, 3)


@situation("K01 a program on the router joins the same channel on the upstream and ends")
def program_ends(f):
    f.home()
    f.start()
    box = f.box(version=3)
    f.picture(box)
    program_comes_and_goes(f, box)


@situation("K01 the same with an IGMPv2 provider")
def program_ends_v2(f):
    f.home(query_every=1, version=2)
    f.start()
    box = f.box(version=2)
    f.picture(box)
    program_comes_and_goes(f, box)


@situation("K01 the program was there before the box")
def program_first(f):
    f.home()
    f.start()
    program = f.program("wan")
    f.picture(program)
    box = f.box(version=3)
    f.picture(box)
    program.leave()
    f.steady(box, 3)


@situation("K02 the last box leaves while a program on the router listens to the channel")
def program_stays(f):
    f.home()
    f.start()
    box = f.box(version=3)
    program = f.program("wan")
    f.picture(box)
    f.picture(program)
    box.leave()
    f.steady(program, 4)


@situation("K02 the router's proxy ends while a program on the router listens")
def proxy_ends(f):
    f.home()
    f.start()
    box = f.box(version=3)
    program = f.program("wan")
    f.picture(box)
    f.picture(program)
    f.router.stop()
    f.steady(program, 3)


@situation("K03 a program on the router joins on its LAN address while a box watches")
def program_on_lan(f):
    f.home()
    f.start()
    f.picture(f.box())
    f.picture(f.program("lan1"))


@situation("K04 a switch with a lower address asks on the LAN")
def switch_asks(f):
    t = low_querier(f)
    f.start()
    switch = f.own(Wire(t.hosts["lan1b"], "eth0"))
    box = f.box(version=2)
    f.picture(box)
    for _ in range(10):
        switch.send(query("10.0.1.3", 2))
        f.steady(box, 0.4)


@situation("K05 one query from an address of another subnet")
def stray_query(f):
    t = f.home(hosts=2)
    f.start()
    box = f.box(version=2)
    f.picture(box)
    switch = f.own(Wire(t.hosts["lan1b"], "eth0"))
    for source in ("10.10.10.10", "169.254.0.1", "0.0.0.0"):
        switch.send(query(source, 3))
        f.steady(box, 1)


@situation("K07 an alias with a lower address on the upstream; the provider knows the first")
def alias(f):
    t = f.home(only_from="10.0.0.2")
    t.router.ip("addr", "add", "9.1.1.1/24", "dev", "wan")
    f.start()
    f.picture(f.box())


@situation("K07 the alias comes later")
def alias_later(f):
    t = f.home(only_from="10.0.0.2", query_every=1, forget=3)
    f.start()
    box = f.box()
    f.picture(box)
    t.router.ip("addr", "add", "9.1.1.1/24", "dev", "wan")
    f.steady(box, 5)


@situation("K09 the cable of the upstream is pulled for a moment; the provider forgot")
def carrier(f):
    t = f.home(forget=None)
    f.start()
    box = f.box(version=3)
    f.picture(box)
    t.provider.ip("link", "set", "p0", "down")
    for group in f.provider.until:
        f.provider.until[group] = 0.0
    t.provider.ip("link", "set", "p0", "up")
    f.picture(box, 10, 10)


@situation("the upstream gets another address (DHCP)")
def new_address(f):
    t = f.home()
    f.start()
    box = f.box()
    f.picture(box)
    t.router.ip("addr", "add", "10.0.0.77/24", "dev", "wan")
    t.router.ip("addr", "del", "10.0.0.2/24", "dev", "wan")
    f.steady(box, 2)
    f.picture(f.box("lan2", H))


@situation("the upstream vanishes and is created again (PPPoE reconnects)")
def reconnect(f):
    t = f.home()
    f.start()
    box = f.box(version=3)
    f.picture(box)
    t.router.ip("link", "del", "wan")
    f.provider.close()
    t.add_upstream()
    f.provider = f.own(Provider(t.provider, (G, H)))
    f.picture(box, 10, 10)
    assert f.router.alive(), "it ended"


@situation("a LAN goes down while the router starts, and comes up later")
def late_lan(f):
    t = f.home()
    t.router.ip("link", "set", "lan1", "down")
    f.start()
    t.router.ip("link", "set", "lan1", "up")
    f.picture(f.box(), 10, 10)


@situation("an interface of the file appears after the start")
def late_interface(f):
    t = f.home(lans=1)
    f.start()
    t.add_lan(2)
    f.picture(f.box("lan2"), 10, 10)


@situation("the LAN is a bridge with snooping")
def bridge(f):
    t = f.home(lans=1)
    t.router.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "1")
    t.router.ip("link", "set", "br0", "up")
    t.router.ip("addr", "flush", "dev", "lan1")
    t.router.ip("link", "set", "lan1", "master", "br0")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "br0")
    f.start(CONF.replace("lan1", "br0"))
    f.picture(f.box(), 10, 10)


@situation("a macvlan is the LAN")
def macvlan(f):
    t = f.home(lans=1)
    t.router.ip("link", "add", "mv0", "link", "lan1", "type", "macvlan", "mode", "bridge")
    t.router.ip("addr", "flush", "dev", "lan1")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "mv0")
    t.router.ip("link", "set", "mv0", "up")
    f.start(CONF.replace("lan1", "mv0"))
    f.picture(f.box())


@situation("a report without Router Alert, as some boxes send it")
def no_router_alert(f):
    t = f.home()
    f.start()
    box = f.box(join=False)
    f.own(Wire(t.hosts["lan1"], "eth0")).send(
        ipv4("10.0.1.2", G, 2, igmp(0x16, G), options=b""))
    f.asked(G)


@situation("a report from 0.0.0.0 (a box that has no address yet)")
def no_address(f):
    t = f.home()
    f.start()
    f.own(Wire(t.hosts["lan1"], "eth0")).send(
        ipv4("0.0.0.0", "224.0.0.22", 2, igmp3_report((TO_EX, G, ()))))
    f.asked(G)


@situation("a report from another subnet that altnet of the LAN names")
def report_of_another_subnet(f):
    t = f.home()
    f.start(CONF.replace("phyint lan2", "    altnet 192.168.7.0/24\nphyint lan2"))
    f.own(Wire(t.hosts["lan1"], "eth0")).send(
        ipv4("192.168.7.9", G, 2, igmp(0x16, G)))
    f.asked(G)


@situation("K12 at the end each leave is sent twice, in separate packets")
def leaves_apart(f):
    f.home()
    f.start()
    f.picture(f.box(version=2))
    tap = f.tap(f.t.provider, "p0")
    f.router.stop()
    packets = []

    def twice():
        packets.extend(frame for frame in tap.frames()
                       if any(r.group == G and r.type in ("LEAVE", "TO_IN")
                              for r in wire.igmp(frame) if isinstance(r, wire.Record)))
        return len(packets) >= 2
    wait_for(5, twice, "two packets with a leave")


@situation("K14 fifty leaves of one channel at once: the LAN is asked a few times, not fifty")
def many_leaves(f):
    t = f.home()
    f.start()
    box = f.box(version=2)
    f.picture(box)
    tap = f.tap(t.hosts["lan1"], "eth0")
    sender = f.own(Wire(t.hosts["lan1"], "eth0"))
    for _ in range(50):
        sender.send(ipv4("10.0.1.2", "224.0.0.2", 2, igmp(0x17, G)))
    f.steady(box, 1.5)
    asked = [m for m in tap.igmp() if isinstance(m, wire.Query) and m.group == G]
    assert len(asked) <= 6, f"{len(asked)} queries"


@situation("a program on the router and a box on each LAN, one after the other")
def program_and_boxes(f):
    f.home()
    f.start()
    program = f.program("wan")
    f.picture(program)
    for lan in ("lan1", "lan2"):
        box = f.box(lan, version=3)
        f.picture(box)
        box.leave()
        f.steady(program, 1.5)


@situation("K13 a report in two fragments (a downstream proxy with many channels)")
def fragmented_report(f):
    groups = [f"239.7.{n // 250}.{n % 250 + 1}" for n in range(300)]
    t = f.home(groups=groups, rate=1)
    f.start()
    body = igmp3_report(*((IS_EX, g, ()) for g in groups))
    whole = ipv4("10.0.1.2", "224.0.0.22", 2, body)
    wire = f.own(Wire(t.hosts["lan1"], "eth0"))
    for piece in fragments(whole, 1472):
        wire.send(piece)
    wait_for(8, lambda: len({r.group for r in f.provider.records(
        types=("JOIN", "IS_EX", "TO_EX"))} & set(groups)) == 300, "all 300 channels")


@situation("a container with CAP_NET_RAW alone")
def container(f):
    f.home()
    original = f.contestant.spawn

    def confined(self, *command):
        original(self, "setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw",
                 "--ambient-caps=-all,+net_raw", "--", *command)
    f.contestant = type("Confined", (f.contestant,), {"spawn": confined})
    f.start()
    f.picture(f.box())


@situation("another program already uses the kernel's multicast routing")
def mroute_taken(f):
    t = f.home()
    taken = t.router.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    taken.setsockopt(socket.IPPROTO_IP, 200, 1)   # MRT_INIT
    try:
        f.start()
        f.picture(f.box())
    finally:
        taken.close()
