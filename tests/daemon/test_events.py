#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Interface events under a running daemon: changes of address, index, master, carrier, kind and
name, one by one and at random."""

import json
import os
import random
import signal
import subprocess
import threading

from libnetns import (FAST, GROUP, PLAIN, WAN, Sender, Skip, assert_continuous, case, link,
                      main, number, ringcast, wait_datagrams, wait_for, wait_record, wire)
from rtnl import Rtnl

LAN = "phyint lan1 downstream\n"


def joins(m):
    return isinstance(m, wire.Record) and m.group == GROUP and \
        m.type in ("JOIN", "IS_EX", "TO_EX")


def pass_through(t, receiver, source=None, interface="p0", seconds=10):
    """Send from the provider until the receiver has one of the datagrams."""
    sender = Sender(t.provider, interface, source or t.SOURCE)
    receiver.receive()

    def arrives():
        sender.send(number(0), GROUP)
        return receiver.receive()
    try:
        return wait_for(seconds, arrives, "forwarding works")
    finally:
        sender.close()


def unseen(d, change):
    """Stop the daemon while `change` runs, so that it sees only the outcome."""
    d.process.send_signal(signal.SIGSTOP)
    try:
        change()
    finally:
        d.process.send_signal(signal.SIGCONT)


@case("R187 links created again under their old index between two checks: all works as before")
def same_index(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    pass_through(t, b.receiver(t.hosts["lan1"]))
    old = [t.router.ifindex(n) for n in ("wan", "lan1")]

    def anew():
        for ns, name, peer_ns, peer, index in (
                (t.router, "wan", t.provider, "p0", old[0]),
                (t.router, "lan1", t.hosts["lan1"], "eth0", old[1])):
            ns.ip("link", "del", name)
            ns.ip("link", "add", name, "index", str(index), "type", "veth", "peer", "name",
                  peer, "netns", peer_ns.path)
            peer_ns.ip("link", "set", peer, "up")
            ns.ip("link", "set", name, "up")
        t.provider.ip("addr", "add", t.SOURCE + "/24", "dev", "p0")
        t.hosts["lan1"].ip("addr", "add", "10.0.1.2/24", "dev", "eth0")
        t.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
        t.router.ip("addr", "add", "10.0.1.1/24", "dev", "lan1")
    unseen(d, anew)
    p0 = b.tap(t.provider, "p0")
    assert [t.router.ifindex(n) for n in ("wan", "lan1")] == old
    r = b.receiver(t.hosts["lan1"])
    wait_record(p0, joins, "the join on the new link")
    pass_through(t, r)


@case("R118 an upstream that was down between two checks reports again")
def unseen_flap(b):
    t = b.topology(lans=1)
    d = b.run(t, WAN + LAN)
    b.receiver(t.hosts["lan1"])
    wait_for(10, lambda: d.upstream_group(GROUP) and
             d.upstream_group(GROUP)["pending"] is False, "said twice")
    p0 = b.tap(t.provider, "p0")

    def flap():
        t.router.ip("link", "set", "wan", "down")
        t.router.ip("link", "set", "wan", "up")
    unseen(d, flap)
    wait_record(p0, joins, "the group is reported again")


def carrier(b, t, d, r):
    """R118 The carrier is lost and returns: memberships are reported again, forwarding works."""
    t.provider.ip("link", "set", "p0", "down")
    wait_for(10, lambda: not d.interface("wan")["up"], "the loss is seen")
    t.provider.ip("link", "set", "p0", "up")
    wait_record(b.tap(t.provider, "p0"), joins, "the group is reported again")
    pass_through(t, r)


@case("boot order: started when there is only the loopback, upstream comes last")
def boot(b):
    t = b.topology(lans=1)
    t.provider.ip("link", "del", "p0")
    t.router.ip("link", "del", "lan1")
    d = b.run(t, PLAIN)
    assert [i["present"] for i in d.show("interfaces")["interfaces"]] == [False] * 3
    # first without an address and down, as at boot
    t.router.ip("link", "add", "lan1", "type", "veth", "peer", "name", "eth0", "netns",
                t.hosts["lan1"].path)
    t.hosts["lan1"].ip("link", "set", "eth0", "up")
    t.hosts["lan1"].ip("addr", "add", "10.0.1.2/24", "dev", "eth0")
    wait_for(5, lambda: d.interface("lan1")["present"], "lan1 is seen")
    t.router.ip("link", "set", "lan1", "up")
    t.router.ip("addr", "add", "10.0.1.1/24", "dev", "lan1")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    t.add_upstream()
    pass_through(t, r)


def masks(b, t, d, r):
    """R050 The same address with two masks: it stays when one of the two is removed."""
    for args in (("add", "10.0.0.2/16"), ("del", "10.0.0.2/24")):
        t.router.ip("addr", *args, "dev", "wan")
    # a source in the wider subnet
    t.provider.ip("addr", "add", "10.0.77.1/16", "dev", "p0")
    pass_through(t, r, "10.0.77.1")
    assert d.interface("wan")["local"] == "10.0.0.2"
    t.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
    t.router.ip("addr", "del", "10.0.0.2/16", "dev", "wan")


def pairs(b, t, d, r):
    """R174 Addresses with a peer: a removed peer is refused, the other one is not."""
    t.router.ip("addr", "flush", "dev", "wan")
    for peer in ("10.64.0.1", "10.64.0.9"):
        t.router.ip("addr", "add", "10.64.0.2", "peer", peer + "/32", "dev", "wan")
        t.provider.ip("addr", "add", peer + "/24", "dev", "p0")
    pass_through(t, r, "10.64.0.1")
    pass_through(t, r, "10.64.0.9")
    t.router.ip("addr", "del", "10.64.0.2", "peer", "10.64.0.1/32", "dev", "wan")
    pass_through(t, r, "10.64.0.9")
    refused = d.show("stats")["verdicts"]["wrong_input"]
    s = b.own(Sender(t.provider, "p0", "10.64.0.1"))

    def is_refused():
        s.send(number(0), GROUP)
        return d.show("stats")["verdicts"]["wrong_input"] > refused
    wait_for(5, is_refused, "the peer that went is refused")
    # the provider assigns another pair, as for a new PPP session
    t.router.ip("addr", "flush", "dev", "wan")
    t.router.ip("addr", "add", "10.99.0.2", "peer", "10.99.0.1/32", "dev", "wan")
    t.provider.ip("addr", "add", "10.99.0.1/24", "dev", "p0")
    pass_through(t, r, "10.99.0.1")


def renumbered(b, t, d, r):
    """R174 The subnet changes while the stream runs: sources in the new one are accepted."""
    s = b.stream(t)
    wait_datagrams(r, 20)
    p0 = b.tap(t.provider, "p0")
    t.provider.ip("addr", "add", "10.7.0.1/24", "dev", "p0")
    s2 = b.stream(t, source="10.7.0.1")
    t.router.ip("addr", "add", "10.7.0.2/24", "dev", "wan")
    # both subnets exist for a while
    both = set()

    def seen():
        both.update(a for _, a in r.receive())
        return both == {"10.0.0.1", "10.7.0.1"}
    wait_for(5, seen, "sources of both subnets")
    t.router.ip("addr", "del", "10.0.0.2/24", "dev", "wan")
    wait_for(5, lambda: d.interface("wan")["local"] == "10.7.0.2", "the address is gone")
    r.receive()

    def only_new():
        got = {a for _, a in wait_datagrams(r, 20)}
        return got == {"10.7.0.1"}
    wait_for(5, only_new, "sources of the old subnet are refused")
    wait_record(p0, joins, "reported from the new address")
    s.stop()
    s2.stop()


def mac(b, t, d, r):
    """R171 The MAC address changes: the next frames carry the new one."""
    lan = b.tap(t.hosts["lan1"], "eth0")
    t.router.ip("link", "set", "lan1", "address", "02:00:00:00:00:77")
    wait_for(5, lambda: d.interface("lan1")["mac"] == "02:00:00:00:00:77", "it is known")
    lan.frames()
    pass_through(t, r)
    macs = {f[6:12].hex(":") for f in lan.frames() if wire.udp(f)}
    assert macs == {"02:00:00:00:00:77"}, macs


@case("R050 R118 R171 R174 what changes on a link in use: MAC, carrier, masks, subnet, pairs")
def changes(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    r = b.receiver(t.hosts["lan1"])
    pass_through(t, r)
    for change in (mac, carrier, masks, renumbered, pairs):
        change(b, t, d, r)


@case("another kind of link under the same name, and back")
def kind(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    pass_through(t, b.receiver(t.hosts["lan1"]))

    def replace():
        t.router.ip("link", "del", "lan1")
        t.router.ip("link", "add", "lan1", "type", "bridge")
        t.router.ip("addr", "add", "10.0.1.1/24", "dev", "lan1")
        t.router.ip("link", "set", "lan1", "up")
    unseen(d, replace)
    wait_for(5, lambda: d.interface("lan1")["present"] and not d.group("lan1", GROUP),
             "the new link has no member")
    t.router.ip("link", "del", "lan1")
    t.add_lan(1)
    pass_through(t, b.receiver(t.hosts["lan1"]))


def as_bridge_port(b, config):
    t = b.topology(lans=1)
    t.router.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    t.router.ip("addr", "add", "10.0.5.1/24", "dev", "br0")
    t.router.ip("link", "set", "br0", "up")
    d = b.run(t, FAST + WAN + config)
    r = b.receiver(t.hosts["lan1"])
    pass_through(t, r)
    t.router.ip("link", "set", "lan1", "master", "br0")
    return t, d, r


@case("a downstream becomes the port of a bridge that is also a downstream: each datagram "
      "comes once, and again when it has left")
def bridge_port(b):
    t, d, r = as_bridge_port(b, LAN + "phyint br0 downstream altnet 10.0.1.0/24\n")
    d.wait_member("br0", GROUP)
    d.wait_no_member("lan1", GROUP)
    pass_through(t, r)
    s = b.stream(t)
    got = [x for x in wait_datagrams(r, 50) if x[0] != number(0)]
    assert_continuous(got, at_least=40)
    s.stop()
    t.router.ip("link", "set", "lan1", "nomaster")
    d.wait_member("lan1", GROUP)
    pass_through(t, r)


@case("a downstream becomes the port of an unknown bridge: logged, nothing is sent there")
def bridge_port_alone(b):
    t, d, r = as_bridge_port(b, LAN)
    d.wait_no_member("lan1", GROUP)
    assert d.interface("lan1")["master"] == "br0", d.interface("lan1")
    assert not d.interface("lan1")["up"]
    d.wait_log("lan1: is a port of br0 now")
    t.router.ip("link", "set", "lan1", "nomaster")
    d.wait_member("lan1", GROUP)
    pass_through(t, r)


@case("patterns: links that come get a port, a reload adds and removes them, another "
      "stream continues")
def patterns(b):
    t = b.topology(lans=1)
    exact = FAST + "phyint wa* upstream\n" + LAN
    d = b.run(t, exact + "phyint lan? downstream threshold 2\n")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    b.stream(t)
    got = wait_datagrams(r, 20)
    t.add_lan(2)
    late = b.receiver(t.hosts["lan2"])
    got += wait_datagrams(r, 20)
    wait_datagrams(late, 20)
    d.wait_log("lan2: downstream, by 'phyint lan?'")
    ports = {i["name"]: (i["pattern"], i["threshold"])
             for i in d.show("interfaces")["interfaces"]}
    assert ports == {"wan": ("wa*", 1), "lan1": (None, 1), "lan2": ("lan?", 2)}, ports
    d.write(exact)
    assert d.ctl_run("reload").returncode == 0
    assert d.interface("lan2") is None
    got += wait_datagrams(r, 50)
    late.receive()
    d.write(exact + "phyint l[a]n2 downstream\n")
    assert d.ctl_run("reload").returncode == 0
    wait_datagrams(late, 20)
    assert d.interface("lan2")["pattern"] == "l[a]n2"
    got += wait_datagrams(r, 50)
    assert_continuous(got, at_least=140)


@case("an upstream by pattern: its successor has another name, one of them at a time")
def upstream_pattern(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + "phyint wan* upstream\n" + LAN)
    r = b.receiver(t.hosts["lan1"])
    pass_through(t, r)
    link(t.provider, "p1", t.router, "wan1")
    t.provider.ip("addr", "add", "10.8.0.1/24", "dev", "p1")
    t.router.ip("addr", "add", "10.8.0.2/24", "dev", "wan1")
    p1 = b.tap(t.provider, "p1")
    t.router.ip("link", "del", "wan")
    wait_record(p1, joins, "the join on the other link")
    assert d.interface("wan") is None
    pass_through(t, r, "10.8.0.1", "p1")


@case("more interfaces than ports: logged once, with their names")
def too_many(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN + "".join(
        f"phyint x{n} downstream\n" for n in range(257)))
    d.wait_log("there are only 256 ports; without one: x254, x255, x256.")
    mtu = 1400
    t.router.ip("link", "set", "lan1", "mtu", str(mtu))
    wait_for(5, lambda: d.interface("lan1")["mtu"] == mtu, "an event later")
    assert d.log().count("there are only") == 1
    r = b.receiver(t.hosts["lan1"])
    pass_through(t, r)


# ---- at random ----

N_EVENTS = int(os.environ.get("RINGCAST_EVENTS", "200"))
SEED = int(os.environ.get("RINGCAST_EVENTS_SEED", random.SystemRandom().randrange(1 << 32)))
HEAP_SLACK = 64 << 10
RANDOM = FAST + WAN + LAN + "phyint lan[2-9] downstream\nphyint bond* downstream\n"


class Source(threading.Thread):
    """Sends numbered datagrams all the time, even while the link is down."""

    def __init__(self, t):
        super().__init__(daemon=True)
        self.t, self.n, self.ended = t, 0, threading.Event()
        self.start()

    def run(self):
        sender = None
        while not self.ended.wait(0.003):
            try:
                sender = sender or Sender(self.t.provider)
                sender.send(number(self.n, 256), GROUP)
                self.n += 1
            except OSError:
                sender = sender and sender.close()
        if sender:
            sender.close()

    def close(self):
        self.ended.set()
        self.join()


class Port:
    """A link of the router with its far end, and the changes that were made to it."""

    def __init__(self, chaos, name, far, far_name, address, far_address):
        self.chaos, self.name, self.far, self.far_name = chaos, name, far, far_name
        self.address, self.far_address = address, far_address
        self.net = chaos.net["router"]
        self.reset()
        self.there, self.up = True, True

    def reset(self):
        self.there, self.up, self.now = False, False, self.name
        self.extra, self.master = set(), False

    def create(self):
        net, far = self.chaos.net["router"], self.chaos.net[self.far.name]
        net.add_veth(self.name, self.far_name, self.far)
        net.add_address(self.name, self.address)
        net.up(self.name)
        far.up(self.far_name)
        far.add_address(self.far_name, self.far_address)
        self.there, self.up = True, True
        self.chaos.created(self)

    def delete(self):
        self.net.delete(self.now)
        self.reset()

    def toggle(self):
        self.up = not self.up
        self.net.up(self.now, self.up)

    def rename(self):
        new = self.name if self.now != self.name else "away" + self.name
        self.net.up(self.now, False)
        self.net.rename(self.now, new)
        self.net.up(new)
        self.now, self.up = new, True

    def readdress(self):
        a = f"10.{self.chaos.random.randrange(100, 110)}.0.2/24"
        if a in self.extra:
            self.net.delete_address(self.now, a)
        else:
            self.net.add_address(self.now, a)
        self.extra ^= {a}

    def resize(self):
        self.net.mtu(self.now, self.chaos.random.choice((576, 1280, 1400, 1500, 9000)))

    def rehouse(self):
        self.master = not self.master
        self.net.master(self.now, "br0" if self.master else None)

    def remac(self):
        self.net.mac(self.now, b"\2\0\0" + self.chaos.random.randbytes(3))

    def event(self):
        kinds = (self.toggle, self.delete, self.rename, self.readdress, self.resize,
                 self.rehouse, self.remac) if self.there else (self.create,)
        kind = self.chaos.random.choice(kinds)
        kind()

    def restore(self):
        """Return to the initial state in as few steps as possible."""
        if not self.there:
            self.create()
        if self.now != self.name:
            self.rename()
        if self.master:
            self.rehouse()
        if not self.up:
            self.toggle()
        self.net.mtu(self.name, 1500)
        for a in self.extra:
            self.net.delete_address(self.name, a)
        self.extra = set()


class Chaos:
    def __init__(self, b, t, seed):
        self.b, self.t = b, t
        self.random = random.Random(seed)
        self.receivers = {}
        self.net = {ns.name: b.own(Rtnl(ns)) for ns in t.namespaces}
        self.net["router"].add_bridge("br0")
        self.ports = [Port(self, "wan", t.provider, "p0", "10.0.0.2/24", t.SOURCE + "/24")]
        for n in (1, 2):
            self.ports.append(Port(self, f"lan{n}", t.hosts[f"lan{n}"], "eth0",
                                   f"10.0.{n}.1/24", f"10.0.{n}.2/24"))
        self.spare = Port(self, "lan3", t.hosts["lan1"], "eth3", "10.0.3.1/24", "10.0.3.2/24")
        self.spare.reset()

    def created(self, port):
        """Let hosts on the new link join the stream."""
        if port.far is self.t.provider:
            return
        if port.name in self.receivers:
            self.receivers[port.name].close()
        self.receivers[port.name] = self.b.receiver(port.far, interface=port.far_name)

    def run(self, d, n):
        for _ in range(n):
            one = self.random.choice(self.ports + [self.spare])
            how = self.random.random()
            if how < 0.1:   # two events that the daemon sees as one
                unseen(d, lambda: [one.event() for _ in range(2)])
            else:
                one.event()
            if how > 0.5:   # wait until the daemon has handled all earlier events
                d.request("version")
        assert d.process.poll() is None, "the daemon has ended"

    def restore(self):
        for port in self.ports:
            port.restore()
        if self.spare.there:
            self.spare.delete()
        for port in self.ports[1:]:
            self.created(port)

    def works(self):
        """Check that each LAN gets all datagrams once and in order."""
        both = [self.receivers[p.name] for p in self.ports[1:]]
        for r in both:
            wait_datagrams(r, 1)
        for r in both:
            assert_continuous(wait_datagrams(r, 100), at_least=100)


def used(d):
    """Returns (descriptors, bytes of heap in use, resident bytes)."""
    with open(f"/proc/{d.process.pid}/statm", encoding="utf-8") as f:
        resident = int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return (len(os.listdir(f"/proc/{d.process.pid}/fd")), d.show("stats")["heap_bytes"] or 0,
            resident)


@case(f"{N_EVENTS} random events under a stream: the daemon forwards, memory is released")
def chaos(b):
    t = b.topology()
    d = b.run(t, RANDOM)
    b.note(f"RINGCAST_EVENTS={N_EVENTS} RINGCAST_EVENTS_SEED={SEED}")
    c = Chaos(b, t, SEED)
    b.own(Source(t))
    c.run(d, min(20, N_EVENTS))   # so that tables reach their final sizes
    c.restore()
    c.works()
    before = used(d)
    c.run(d, N_EVENTS)
    c.restore()
    c.works()
    after = []

    def back():
        after[:] = used(d)
        return after[0] == before[0] and after[1] <= before[1] + HEAP_SLACK
    try:
        wait_for(10, back, "descriptors and memory are back")
    finally:
        b.note("descriptors %d -> %d, heap %d -> %d bytes, resident %d -> %d" % (
            before[0], after[0], before[1], after[1], before[2], after[2]))


class Monitor:
    """ringcastctl monitor and its output."""

    def __init__(self, d, *options):
        self.process = subprocess.Popen(
            [ringcast.binary("ringcastctl"), "-s", d.socket, "monitor", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def events(self):
        return [json.loads(line) for line in self.lines]

    def wait(self, name, **members):
        """Returns the event of that name with these members."""
        return wait_for(10, lambda: next(
            (e for e in self.events() if e["event"] == name and
             all(e.get(k) == v for k, v in members.items())), None), f"{name} {members}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(10)
        self.reader.join(10)
        return status

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()


@case("monitor: groups, hosts, links and reloads as text and as JSON, until Ctrl-C")
def monitor(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    json_lines, text = b.own(Monitor(d, "--json")), b.own(Monitor(d))

    def both_follow():
        d.ctl_run("reload")
        return json_lines.lines and text.lines
    wait_for(10, both_follow, "both follow")
    assert json_lines.wait("reload")["unix_ms"] > 1e12
    receiver = b.receiver(t.hosts["lan1"])
    for name in ("group_new", "host_joined"):
        json_lines.wait(name, interface="lan1", group=GROUP, host="10.0.1.2")
    receiver.leave()
    json_lines.wait("host_left", interface="lan1", group=GROUP, host="10.0.1.2")
    json_lines.wait("group_gone", interface="lan1", group=GROUP)
    t.hosts["lan1"].ip("link", "set", "eth0", "down")
    json_lines.wait("link_down", interface="lan1")
    t.hosts["lan1"].ip("link", "set", "eth0", "up")
    json_lines.wait("link_up", interface="lan1")
    t.router.ip("link", "del", "lan1")
    json_lines.wait("link_gone", interface="lan1")
    t.router.ip("link", "add", "lan1", "type", "veth", "peer", "name", "lan1x")
    t.router.ip("link", "set", "lan1", "up")
    json_lines.wait("link_back", interface="lan1")
    d.write("phyint nonsense\n")
    d.ctl_run("reload")
    json_lines.wait("reload_refused")
    wait_for(10, lambda: any("errors" in line for line in text.lines), "the text has it also")
    assert any(f"lan1: group {GROUP} host 10.0.1.2: group has its first member" in line
               for line in text.lines), text.lines
    assert json_lines.interrupt() == text.interrupt() == 0
    assert d.ctl_run("version").returncode == 0


@case("monitor: streams that arrive and end, and filters, whatever the level of the log")
def monitor_streams(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    before, other = "239.1.2.3", "239.1.2.4"
    b.stream(t, before)
    wait_datagrams(b.receiver(t.hosts["lan1"], before), 5)
    d.wait_log("the stream arrives")
    assert d.ctl_run("log", "notice").returncode == 0
    only = b.own(Monitor(d, "--json", "--only", "stream,reload"))
    group = b.own(Monitor(d, other, "wan"))

    def follows():
        d.ctl_run("reload")
        return only.lines
    wait_for(10, follows, "it follows")
    sender = Sender(t.provider, "p0", t.SOURCE)
    viewer = b.receiver(t.hosts["lan1"], other)

    def sees():
        sender.send(number(0), other)
        return viewer.receive()
    wait_for(10, sees, "the second stream")
    only.wait("stream_arrives", interface="wan", group=other, source=t.SOURCE)
    sender.close()
    wait_for(30, lambda: [e for e in only.events() if e["event"] == "stream_ended"], "the end")
    assert not [e for e in only.events() if e.get("group") == before], only.events()
    assert {e["event"] for e in only.events()} == {"reload", "stream_arrives", "stream_ended"}
    wait_for(10, lambda: len(group.lines) == 2, "both as text")
    assert f"wan: group {other} source {t.SOURCE}: the stream arrives\n" in group.lines[0]
    r = d.ctl_run("monitor", "--only", "streams")
    assert r.returncode == 4 and "is not a kind of event" in r.stderr, r
    assert only.interrupt() == group.interrupt() == 0


@case("monitor: a follower that never reads costs the stream nothing and ends with the daemon")
def slow_follower(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN)
    deaf = b.own(Monitor(d))

    def follows():
        d.ctl_run("reload")
        return deaf.lines
    wait_for(10, follows, "it follows")
    deaf.process.send_signal(signal.SIGSTOP)
    b.stream(t)
    receiver = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(receiver, 50)
    for _ in range(200):
        d.ctl_run("reload")
    got += wait_datagrams(receiver, 50)
    assert_continuous(got, at_least=100)
    deaf.process.send_signal(signal.SIGCONT)
    assert d.stop() == 0
    assert deaf.process.wait(10) == 4
    assert "has ended the connection" in deaf.process.stderr.read()


if __name__ == "__main__":
    main()
