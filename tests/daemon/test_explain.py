#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The headlines of `ringcastctl explain` where the kernel is involved: faults made with real
sockets and frames, alone and in pairs, each with the headline and exit status that must follow.
Situations that need only the judgement are in tests/unit/control/report/test_explain.c."""

import json
import os
import time

from libnetns import (FAST, GROUP, LANS, PLAIN, SSM_GROUP, WAN, Sender, Stream, case, main,
                      number, wait_datagrams, wait_for)
from packets import Wire, igmp3_report, ipv4, udp

FLOWS, STOPPED, DOUBTFUL, NO_ANSWER, REFUSED = range(5)
OTHER = "239.1.2.4"
FOREIGN = "172.16.5.5"
# no querier is present, but this case is about something else
QUIET = "refresh-interval 60\n"


def explain(d, *words):
    """Returns the headline and the exit status."""
    r = d.ctl_run("explain", *words)
    return " ".join(r.stdout.split("\n\n")[0].split()), r.returncode


def says(d, headline, status, *words):
    """Check the first answer."""
    said, code = explain(d, *words)
    assert headline in said and code == status, (said, code)
    if os.environ.get("EXPLAIN_SHOW"):
        print(f"# {' '.join(words):24} {code} {said}")


def check(d, name, *words):
    """Returns the checks of that name from the JSON."""
    reply = json.loads(d.ctl_run("--json", "explain", *words).stdout)
    return [c for c in reply["checks"] if c["check"] == name]


def refusals(d, verdict):
    """Counts the frames that were refused for that reason on all interfaces."""
    return sum(p["verdicts"].get(verdict, 0) for p in d.show("stats")["ports"])


def bed(b, config="", lans=2, member="lan1", group=GROUP, upstream=WAN, downstreams=LANS):
    """Set up a topology, the daemon, and a member of the group."""
    t = b.topology(lans=lans)
    d = b.run(t, QUIET + config + FAST + upstream + downstreams)
    r = None
    if member:
        r = b.receiver(t.hosts[member], group)
        d.wait_member(member, group)
    return t, d, r


def flows(d, r, *words):
    wait_datagrams(r, 20)
    says(d, "it arrives and is sent to every interface that asks for it", FLOWS, *words)


@case("N19 no altnet: the sender and the line to add are named everywhere, then it flows")
def no_altnet(b):
    t, d, r = bed(b)
    b.stream(t, source=FOREIGN)
    wait_for(10, lambda: refusals(d, "wrong_input") > 5, "datagrams are refused")
    said, code = explain(d, GROUP)
    assert said.startswith(f"{GROUP}: it stops here: ") and code == STOPPED, said
    assert f"just now from {FOREIGN}: that is in no subnet and no altnet of wan" in said, said
    assert check(d, "source", GROUP)[0]["advice"].startswith(f"altnet {FOREIGN}/32")
    says(d, f"{FOREIGN} is in no subnet and no altnet of wan;", STOPPED, GROUP, FOREIGN)
    entry, = d.show("mfc")["mfc"]
    assert entry["refused"] == {"source": FOREIGN, "in": "wan"}, entry
    table = d.table("mfc")
    assert f"{FOREIGN} refused" in table and f"altnet {FOREIGN}/32" in table, table
    wait_for(10, lambda: f"add 'altnet {FOREIGN}/32'" in d.log(), "the log says so")
    assert f"notice: wan: group {GROUP} source {FOREIGN}: datagrams are refused" in d.log(), d.log()
    b.stream(t, group=OTHER, source=FOREIGN)
    b.receiver(t.hosts["lan1"], OTHER)
    wait_for(10, lambda: len([e for e in d.show("mfc")["mfc"] if e["refused"]]) == 2,
             "the other group is refused also")
    assert d.log().count(f"add 'altnet {FOREIGN}/32'") == 1, d.log()
    assert not r.receive()
    d.write(QUIET + FAST + WAN.rstrip() + f" altnet {FOREIGN}/32\n" + LANS)
    assert d.ctl_run("reload").returncode == 0
    flows(d, r, GROUP)
    assert [e["refused"] for e in d.show("mfc")["mfc"] if e["group"] == GROUP] == [None]
    said = check(d, "source", GROUP, FOREIGN)[0]["text"]
    assert f"'altnet {FOREIGN}/32', line 7 of " in said, said
    b.note(said)


@case("N19 no altnet, and nobody has joined, and the upstream of the named source")
def no_altnet_pairs(b):
    t, d, _ = bed(b, member=None)
    b.stream(t, source=FOREIGN)
    wait_for(10, lambda: refusals(d, "wrong_input") > 5, "datagrams are refused")
    says(d, f"just now from {FOREIGN}", STOPPED, GROUP)
    says(d, f"{FOREIGN} is in no subnet", STOPPED, GROUP, FOREIGN)
    says(d, "no host on lan1, lan2 has joined the group", STOPPED, OTHER)
    assert "altnet" not in d.log(), "nobody waits for it"


@case("K40 the first answer after a stream has died is right; it flows again")
def died(b):
    t, d, r = bed(b)
    stream = b.stream(t)
    wait_datagrams(r, 20)
    stream.stop()
    silent = time.monotonic() + 5
    wait_for(10, lambda: time.monotonic() > silent, "it has been silent for five seconds")
    said, code = explain(d, GROUP)
    assert "nothing refuses it, but:" in said and "but none for" in said, said
    assert code == DOUBTFUL, code
    assert 4 <= d.show("mfc")["mfc"][0]["idle_s"] <= 30
    b.stream(t)
    flows(d, r, GROUP)
    flows(d, r, GROUP, t.SOURCE)
    assert check(d, "sent", GROUP)[0]["advice"].startswith("ip -s link show lan1")


@case("K41 N20 TTL 1 of one group says nothing about another, and comes before the querier")
def ttl(b):
    t = b.topology()
    d = b.run(t, PLAIN)   # the daemon never heard a query
    good = b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan1"], OTHER)
    for group in (GROUP, OTHER):
        d.wait_member("lan1", group)
    b.stream(t)
    b.stream(t, group=OTHER, ttl=1)
    wait_datagrams(good, 20)
    wait_for(10, lambda: refusals(d, "ttl_expired") > 20, "datagrams have a TTL of 1")
    said, code = explain(d, OTHER)
    assert said.startswith(f"{OTHER}: it stops here: all ") and "a TTL of 1" in said, said
    assert code == STOPPED
    said, code = explain(d, GROUP)
    assert "it arrives and is sent" in said and "TTL" not in said, said
    assert "; but: no query was ever heard on wan" in said and code == FLOWS, said
    assert not check(d, "ttl", GROUP)


@case("K42 frames that are dropped before the lookup: our own MAC, checksum, VLAN, other host")
def before_the_lookup(b):
    t, d, r = bed(b)
    wire = b.own(Wire(t.provider, "p0"))
    ours = bytes.fromhex(d.interface("lan1")["mac"].replace(":", ""))
    good = udp(t.SOURCE, GROUP, number(1))
    bad = good[:10] + bytes([good[10] ^ 1]) + good[11:]
    for name, text, frame in (
            ("loop", "had the MAC address of one of our interfaces",
             lambda: wire.send(good, source=ours)),
            ("frames", "had a wrong checksum in the IP header", lambda: wire.send(bad)),
            ("vlan", "had the tag of another VLAN", lambda: wire.send(good, vlan=7)),
            ("frames", "for the MAC address of another machine",
             lambda: wire.send(good, mac=b"\2\0\0\0\0\x77"))):
        def told():
            for _ in range(200):   # some checks look at one frame in 64
                frame()
            return any(c["verdict"] == "refuse" and text in c["text"]
                       for c in check(d, name, GROUP))
        wait_for(20, told, text)
        said, code = explain(d, GROUP)
        assert said.startswith(f"{GROUP}: it stops here: ") and code == STOPPED, said
        said, _ = explain(d, OTHER)
        assert "no host on lan1, lan2 has joined" in said, said
    assert not r.receive()
    b.stream(t)
    wait_for(10, lambda: explain(d, GROUP)[1] == FLOWS, "nothing has been damaged lately")
    flows(d, r, GROUP)


@case("N20 a LAN with a fault is named before one where no host has joined")
def lans_with_faults(b):
    t, d, _ = bed(b, member=None)
    t.router.ip("link", "set", "lan2", "down")
    wait_for(10, lambda: not d.interface("lan2")["up"], "lan2 is down")
    says(d, "it stops here: lan2 is down", STOPPED, GROUP)
    says(d, "no host on lan1 has joined the group", STOPPED, GROUP, "--on", "lan1")
    says(d, "lan2 is down", STOPPED, GROUP, "--on", "lan2")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    b.stream(t)
    wait_datagrams(r, 20)
    says(d, "every interface that asks for it; but: lan2 is down", FLOWS, GROUP)


@case("N20 N24 a join that a limit refuses is named with its host, and shown by interface")
def refused_join(b):
    config = "phyint lan1 downstream\nphyint lan2 downstream max-groups-per-host 1\n"
    t, d, _ = bed(b, member="lan2", downstreams=config)
    assert "Refused on" not in d.table("interfaces")
    b.receiver(t.hosts["lan2"], OTHER)
    wait_for(10, lambda: d.interface("lan2")["refused"], "the second group is refused")
    says(d, "it stops here: the join of 10.0.2.2 on lan2 was refused just now, by "
         "max-groups-per-host (1)", STOPPED, OTHER)
    table = d.table("interfaces")
    row = next(line for line in table.split("Refused on")[1].splitlines()
               if line.startswith("lan2"))
    assert "max-groups-per-host (1) was met" in row, table


@case("joins refused by sender, by list and by SSM range are named")
def other_joins(b):
    t, d, _ = bed(b, "ssm-range 232.0.0.0/8\n", member=None, downstreams="phyint lan1 downstream\n"
                  "phyint lan2 downstream whitelist 239.0.0.0/8 blacklist 239.1.0.0/16\n"
                  "  whitelist 232.0.0.0/8\n")
    wire = b.own(Wire(t.hosts["lan1"], "eth0"))
    for group, host, headline in (
            (GROUP, "10.7.7.7", "the join of 10.7.7.7 on lan1 was refused just now, by the "
             "check of senders"),
            (SSM_GROUP, "10.0.1.2", "the join of 10.0.1.2 on lan1 was refused just now, by "
             "ssm-range")):
        wire.send(ipv4(host, "224.0.0.22", 2, igmp3_report((4, group, ()))))
        wait_for(10, lambda: check(d, "members", group, "--on", "lan1")[0]["text"]
                 .startswith("the join of"), headline)
        says(d, headline, STOPPED, group, "--on", "lan1")
    says(d, "lan2 does not let the group pass: 'blacklist 239.1.0.0/16', line 10 of ", STOPPED,
         GROUP, "--on", "lan2")
    says(d, "lan2 does not let the group pass: no whitelist names it", STOPPED, "238.1.1.1",
         "--on", "lan2")


@case("N27 the line that keeps a group from the upstream, and from the LAN")
def lines(b):
    t, d, r = bed(b, upstream=WAN.rstrip() + " boundary 239.8.0.0/16\n"
                  "  blacklist 239.9.0.0/16\n")
    b.stream(t)
    flows(d, r, GROUP)
    for group, headline in (
            ("239.8.1.1", "the group ends at wan: 'boundary 239.8.0.0/16', line 7 of "),
            ("239.9.1.1", "the provider is not asked for the group on wan: "
             "'blacklist 239.9.0.0/16', line 8 of ")):
        b.receiver(t.hosts["lan1"], group)
        d.wait_member("lan1", group)
        says(d, headline, STOPPED, group)
    b.stream(t, group="239.8.1.1")
    wait_for(10, lambda: refusals(d, "acl") > 5, "datagrams stop at the boundary")
    says(d, "the group ends at wan: 'boundary 239.8.0.0/16'", STOPPED, "239.8.1.1")


@case("copies that do not fit: threshold and MTU, of this group alone")
def copies(b):
    t, d, r = bed(b, downstreams="phyint lan1 downstream threshold 4\nphyint lan2 downstream\n")
    healthy = b.receiver(t.hosts["lan1"], OTHER)
    d.wait_member("lan1", OTHER)
    b.stream(t, ttl=3)
    b.stream(t, group=OTHER, ttl=9)
    wait_datagrams(healthy, 20)
    wait_for(10, lambda: refusals(d, "ttl_threshold") > 5, "copies are refused")
    says(d, "copies of it had a TTL that is not above the threshold 4 of lan1", STOPPED, GROUP)
    says(d, "it arrives and is sent", FLOWS, OTHER)
    assert not r.receive()


@case("sources that no member wants: SSM members, another channel arrives")
def unwanted(b):
    t, d, _ = bed(b, member=None)
    r = b.receiver(t.hosts["lan1"], SSM_GROUP, source=t.SOURCE)
    d.wait_member("lan1", SSM_GROUP)
    b.own(Stopped(Stream(t.provider, SSM_GROUP, source=t.SOURCE2)))
    wait_for(10, lambda: refusals(d, "source_filtered") > 5, "they are refused")
    says(d, "it stops here: ", STOPPED, SSM_GROUP)
    says(d, "they came from a source that no member wants", STOPPED, SSM_GROUP)
    says(d, "the members on lan1 want the group, but not from this source", STOPPED, SSM_GROUP,
         t.SOURCE2)
    b.own(Stopped(Stream(t.provider, SSM_GROUP, source=t.SOURCE)))
    flows(d, r, SSM_GROUP)
    flows(d, r, SSM_GROUP, t.SOURCE)


class Stopped:
    """A stream that ends with the case."""

    def __init__(self, stream):
        self.close = stream.stop


@case("N21 LANs where nobody has joined are one line, and none refuses where others have")
def quiet_lans(b):
    names = [f"room{n}" for n in range(1, 13)]
    t = b.topology()
    for name in names:
        t.router.ip("link", "add", name, "type", "veth", "peer", "name", "p" + name)
        for end in (name, "p" + name):
            t.router.ip("link", "set", end, "up")
    d = b.run(t, QUIET + FAST + WAN + LANS + "phyint room* downstream\n")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    b.stream(t)
    wait_for(10, lambda: all(d.interface(n)["querier"]["ipv4"]["forwards"] for n in names),
             "the rooms are served")
    flows(d, r, GROUP)
    text = d.ctl_run("explain", GROUP).stdout
    assert " NO " not in text and len(text.splitlines()) < 25, text
    assert len([line for line in text.splitlines() if line.startswith("  -- members")]) == 1, text
    assert "no host on lan2, room" in " ".join(text.split()), text
    says(d, "no host on room7 has joined the group", STOPPED, GROUP, "--on", "room7")
    says(d, "it arrives and is sent", FLOWS, GROUP, "--on", "lan1")
    says(d, "there is no interface eth9, neither in", STOPPED, GROUP, "--on", "eth9")
    says(d, "lo has no role", STOPPED, GROUP, "--on", "lo")
    barred = [n for n in names if n != "room7"]
    d.write(QUIET + FAST + WAN + LANS + "phyint room* downstream\nwhitelist 239.9.0.0/16\n")
    assert d.ctl_run("reload").returncode == 0
    flows(d, r, GROUP)
    text = " ".join(d.ctl_run("explain", GROUP).stdout.split())
    assert text.count("no whitelist names it") == 1 and barred[0] in text, text
    for name in names:
        t.router.ip("link", "set", name, "down")
    wait_for(10, lambda: not any(d.interface(n)["up"] for n in names), "the rooms are down")
    text = " ".join(d.ctl_run("explain", GROUP).stdout.split())
    assert text.count(" are down -> check the cables") == 1, text


@case("N25 N26 forms in which people know a stream, mistakes in them, and the exit status")
def words(b):
    t, d, r = bed(b)
    b.stream(t)
    for form in (GROUP + ":5000", f"udp://@{GROUP}:5000", f"udp://{GROUP}:5000",
                 f"rtp://{t.SOURCE}@{GROUP}:5000", f"igmp://{GROUP}"):
        flows(d, r, form)
    for given, error in (
            (("239.1.2.300",), "'239.1.2.300' is not an address"),
            (("udp://@239.1.2.300:5000",), "'239.1.2.300:5000' is not an address"),
            ((GROUP, "x"), "'x' is not the address of a source"),
            ((GROUP, "ff02::1"), "of different families")):
        answer = d.ctl_run("explain", *given)
        assert answer.returncode == REFUSED and error in answer.stderr, answer
    for given in ((), (GROUP, t.SOURCE, t.SOURCE), ("--nonsense",)):
        assert d.ctl_run("explain", *given).returncode == NO_ANSWER, given
    assert d.ctl_run("-s", "/nonexistent", "explain", GROUP).returncode == NO_ANSWER
    says(d, "10.1.2.3 is not a multicast address", STOPPED, "10.1.2.3")
    says(d, "no datagram of it has arrived" if b.receiver(t.hosts["lan1"], OTHER) and
         d.wait_member("lan1", OTHER) else "", DOUBTFUL, OTHER)


@case("an upstream that is down, one that is absent, a router that is the source")
def interfaces(b):
    t, d, r = bed(b)
    stream = b.stream(t)
    flows(d, r, GROUP)
    says(d, "10.0.0.2 is an address of this router", STOPPED, GROUP, "10.0.0.2")
    says(d, "10.0.2.2 belongs to the subnet of lan2, so it must not send on wan", STOPPED, GROUP,
         "10.0.2.2")
    says(d, "lan2 is a downstream, and what arrives on downstreams", STOPPED, GROUP, "--from",
         "lan2")
    t.router.ip("link", "set", "wan", "down")
    wait_for(10, lambda: not d.interface("wan")["up"], "wan is down")
    says(d, "it stops here: wan is down", STOPPED, GROUP)
    says(d, "it stops here: wan is down", STOPPED, OTHER)   # no host has joined that group
    stream.stop()
    t.router.ip("link", "delete", "wan")
    wait_for(10, lambda: not d.interface("wan")["present"], "wan has gone")
    says(d, "the system has no interface wan at the moment", STOPPED, GROUP)


@case("an upstream without an address, and a LAN that is the port of a bridge")
def addresses_and_ports(b):
    t, d, r = bed(b, upstream=WAN + "altnet 10.0.0.0/24\n")
    b.stream(t)
    flows(d, r, GROUP)
    assert not check(d, "address", GROUP)
    t.router.ip("addr", "flush", "dev", "wan")
    wait_for(10, lambda: check(d, "address", GROUP), "the missing address is named")
    assert "wan has no IPv4 address" in check(d, "address", GROUP)[0]["text"]
    t.router.ip("link", "add", "br0", "type", "bridge")
    t.router.ip("link", "set", "lan1", "master", "br0")
    wait_for(10, lambda: not d.interface("lan1")["up"], "the bridge has taken lan1")
    says(d, "lan1 is a port of br0, which takes all of its frames", STOPPED, GROUP, "--on", "lan1")
    assert "lan1: is a port of br0" in d.ctl_run("health").stdout


@case("a refused sender of a group whose stream flows: mentioned, but not an obstacle")
def refused_and_flowing(b):
    t, d, r = bed(b)
    b.stream(t)
    foreign = b.own(Sender(t.provider, source=FOREIGN))

    def told():
        foreign.send(number(0), GROUP)
        return any(c["verdict"] == "note" for c in check(d, "source", GROUP))
    wait_datagrams(r, 20)
    wait_for(10, told, "the other sender is named")
    flows(d, r, GROUP)


if __name__ == "__main__":
    main()
