# SPDX-License-Identifier: GPL-2.0-or-later
"""A household: boxes, channels, and a configuration file that is years old."""

from libfield import CONF, G, H, situation, time, wait_for

OLD_STB = "232.0.20.35"


@situation("an IGMPv2 box watches")
def v2(f):
    f.home()
    f.start()
    f.picture(f.box(version=2))


@situation("an IGMPv3 box watches")
def v3(f):
    f.home()
    f.start()
    f.picture(f.box(version=3))


@situation("an IGMPv1 box watches")
def v1(f):
    f.home()
    f.start()
    f.picture(f.box(version=1))


@situation("the stream arrived before the box asked")
def already_there(f):
    f.home(always=True)
    f.start()
    f.picture(f.box())


@situation("a box zaps: the new channel comes, the old one ends at the provider")
def zap(f):
    f.home()
    f.start()
    box = f.box(version=2)
    f.picture(box)
    other = f.box(group=H, version=2)
    box.leave()
    f.picture(other)
    wait_for(8, lambda: f.provider.records(G, ("LEAVE", "TO_IN")), "the old channel is left")


@situation("two LANs watch the same channel")
def two_lans(f):
    f.home()
    f.start()
    one, two = f.box("lan1"), f.box("lan2")
    f.picture(one)
    f.picture(two)


@situation("two boxes of a LAN watch, one leaves, the other keeps watching")
def one_of_two_leaves(f):
    f.home(hosts=2)
    f.start()
    one, two = f.box("lan1", version=2), f.box("lan1b", version=2)
    f.picture(one)
    f.picture(two)
    one.leave()
    f.steady(two, 4)


@situation("K11 two IGMPv3 boxes behind one address, one leaves")
def behind_one_address(f):
    t = f.home(hosts=2)
    t.hosts["lan1b"].ip("addr", "flush", "dev", "eth0")
    t.hosts["lan1b"].ip("addr", "add", "10.0.1.2/24", "dev", "eth0")
    f.start()
    one, two = f.box("lan1", version=3), f.box("lan1b", version=3)
    f.picture(one)
    f.picture(two)
    one.leave()
    f.steady(two, 4, 1.0)


@situation("K20 an older box joins a channel of 232.0.0.0/8")
def old_box_232(f):
    f.home(groups=(OLD_STB,))
    f.start()
    f.picture(f.box(group=OLD_STB, version=2))


@situation("an IGMPv3 box joins a channel of 232.0.0.0/8 without a source")
def any_source_232(f):
    f.home(groups=(OLD_STB,))
    f.start()
    f.picture(f.box(group=OLD_STB, version=3))


@situation("an IGMPv3 box joins a channel with its source")
def with_source(f):
    t = f.home()
    f.start()
    f.picture(f.box(version=3, source=t.SOURCE))


@situation("twenty-five channels at once (net.ipv4.igmp_max_memberships is 20)")
def many_channels(f):
    groups = [f"239.1.3.{n}" for n in range(1, 26)]
    f.home(groups=groups, rate=20)
    f.start()
    hosts = ("lan1", "lan2")
    boxes = [f.box(hosts[i % 2], g) for i, g in enumerate(groups)]
    for box in boxes:
        f.picture(box, 5)


@situation("the router restarts while a box watches: picture back within 12 seconds")
def restart(f):
    f.home()
    f.start()
    box = f.box(version=3)
    f.picture(box)
    f.router.stop()
    f.start()
    f.picture(box, 10, 12)


@situation("SIGHUP after a change of the file: the picture stays")
def reload(f):
    f.home()
    f.start()
    box = f.box(version=2)
    f.picture(box)
    with open(f.router.conf, "a", encoding="utf-8") as conf:
        conf.write("phyint lan9 downstream\n")
    f.router.process.send_signal(1)
    f.steady(box)
    assert f.router.alive(), "it ended"


@situation("the provider forgets hosts that do not repeat, and asks every second")
def provider_asks(f):
    f.home(query_every=1, forget=3)
    f.start()
    box = f.box()
    f.picture(box)
    f.steady(box, 5)


@situation("the provider asks by IGMPv2 and understands nothing newer")
def provider_v2(f):
    f.home(query_every=1, version=2, understands=2)
    f.start()
    f.picture(f.box(version=3))


@situation("K08 the provider never asks and understands IGMPv2 alone; the sysctl says so")
def forced_version(f):
    t = f.home(understands=2)
    t.router.sysctl("net.ipv4.conf.wan.force_igmp_version", 2)
    f.start()
    f.picture(f.box(version=3))


@situation("the provider asks from 0.0.0.0")
def provider_asks_from_nowhere(f):
    f.home(query_every=1, forget=3, query_from="0.0.0.0")
    f.start()
    box = f.box()
    f.picture(box)
    f.steady(box, 5)


@situation("the provider asks from an address outside of the subnet")
def provider_asks_from_outside(f):
    f.home(query_every=1, forget=3, query_from="10.10.10.10")
    f.start()
    box = f.box()
    f.picture(box)
    f.steady(box, 5)


@situation("streams with a UDP checksum of 0, large datagrams")
def large(f):
    f.home(size=1400)
    f.start()
    f.picture(f.box())


@situation("datagrams in fragments")
def fragments(f):
    f.home(size=2800)
    f.start()
    f.picture(f.box())


@situation("a stream with TTL 2 arrives")
def ttl_2(f):
    f.home(ttl=2)
    f.start()
    f.picture(f.box())


@situation("threshold 3 on the LAN: a stream with TTL 3 is kept back, one with TTL 4 is not")
def threshold(f):
    t = f.home(ttl=3)
    f.start(CONF.replace("phyint lan1 downstream ratelimit 0 threshold 1",
                         "phyint lan1 downstream ratelimit 0 threshold 3"))
    box = f.box()
    f.asked(G)
    f.no_picture(box)
    f.provider.ttl = 4
    f.picture(box)


@situation("the whitelist of a LAN lets one channel pass and keeps another back")
def whitelist(f):
    f.home(always=True)
    f.start(CONF.replace("phyint lan2", "    whitelist 239.1.2.3/32\nphyint lan2"))
    allowed, refused = f.box(group=G), f.box(group=H)
    f.picture(allowed)
    f.no_picture(refused)


@situation("the source is outside of the subnet and altnet names it")
def altnet(f):
    t = f.home(source="172.16.5.5")
    f.start(CONF.replace("altnet 0.0.0.0/0", "altnet 172.16.0.0/12"))
    f.picture(f.box())


@situation("the same with rp_filter in strict mode, as many distributions have it")
def rp_filter(f):
    t = f.home(source="172.16.5.5")
    t.router.sysctl("net.ipv4.conf.all.rp_filter", 1)
    f.start()
    f.picture(f.box())


@situation("the firewall of the router forwards no multicast")
def firewall(f):
    t = f.home()
    t.router.run("nft", "add table ip x; add chain ip x f { type filter hook forward "
                 "priority 0; policy drop; }")
    f.start()
    f.picture(f.box())


@situation("a source that the file does not name is kept out")
def no_altnet(f):
    f.home(source="172.16.5.5", always=True)
    f.start(CONF.replace("    altnet 0.0.0.0/0\n", ""))
    box = f.box()
    f.asked(G)
    f.no_picture(box)


@situation("IPv6: a box joins by MLD")
def mld(f):
    t = f.home(ipv6=True, groups=("ff0e::1:2:3",), source="2001:db8::1")
    f.start()
    f.picture(f.box(group="ff0e::1:2:3"))


@situation("SIGTERM: the provider hears that nobody watches any more")
def leaves_at_the_end(f):
    f.home()
    f.start()
    f.picture(f.box(version=2))
    before = len(f.provider.heard)
    f.router.stop()
    wait_for(5, lambda: [r for _, _, r in f.provider.heard[before:]
                         if r.group == G and r.type in ("LEAVE", "TO_IN")], "a leave")


@situation("a host is unplugged and comes back")
def unplugged(f):
    t = f.home()
    f.start()
    box = f.box(version=3)
    f.picture(box)
    t.hosts["lan1"].ip("link", "set", "eth0", "down")
    f.no_picture(box, 0.3)
    t.hosts["lan1"].ip("link", "set", "eth0", "up")
    f.picture(box, 10, 10)
