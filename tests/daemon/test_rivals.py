#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Other multicast daemons on the same interfaces: found at the start and when they start later,
named, shown, and noticed when they end."""

import contextlib
import ctypes
import os
import select
import socket
import struct

from libnetns import FAST, PLAIN, WAN, Daemon, Skip, case, main, wait_for
from packets import Wire, query

MRT_INIT, MRT_ADD_VIF, MRT_TABLE_IFINDEX = 200, 202, 8
LAN1 = "phyint lan1 downstream\n"
LAN2 = "phyint lan2 downstream\n"


class Program:
    """A process on the router, named igmpproxy, that takes the kernel's multicast routing."""

    def __init__(self, t, interfaces):
        ready, self.hold = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.hold[1])
                ctypes.CDLL(None).prctl(15, b"igmpproxy", 0, 0, 0)   # PR_SET_NAME
                with open(t.router.path, "rb") as there:
                    t.router._setns(there)
                os.write(ready[1], self._take(interfaces))
                os.read(self.hold[0], 1)
            finally:
                os._exit(0)
        os.close(ready[1])
        os.close(self.hold[0])
        answer = os.read(ready[0], 100)
        os.close(ready[0])
        if answer != b"ok":
            self.close()
            raise Skip("no kernel multicast routing: " + answer.decode())

    @staticmethod
    def _take(interfaces):
        try:
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
            s.setsockopt(socket.IPPROTO_IP, MRT_INIT, struct.pack("i", 1))
            for n, name in enumerate(interfaces):
                s.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF, struct.pack(
                    "=HBBIiI", n, MRT_TABLE_IFINDEX, 1, 0, socket.if_nametoindex(name), 0))
            s.detach()   # held until the process ends
            return b"ok"
        except OSError as e:
            return str(e).encode()

    def close(self):
        if self.pid:
            os.close(self.hold[1])
            os.waitpid(self.pid, 0)
            self.pid = 0


class Stranger:
    """A process of an ordinary user that claims to be one or many ringcastds on these interfaces,
    and also igmpproxy. It announces this to all others, and answers every request."""

    UID, NAMES = 12345, 60

    def __init__(self, t, interfaces):
        ready, self.hold = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.hold[1])
                with open(t.router.path, "rb") as there:
                    t.router._setns(there)
                indexes = ".".join(str(socket.if_nametoindex(i)) for i in interfaces)
                os.setgroups([])
                os.setresgid(self.UID, self.UID, self.UID)
                os.setresuid(self.UID, self.UID, self.UID)
                ctypes.CDLL(None).prctl(15, b"igmpproxy", 0, 0, 0)   # PR_SET_NAME
                self._talk(indexes, ready[1], self.hold[0])
            finally:
                os._exit(0)
        os.close(ready[1])
        os.close(self.hold[0])
        self.ready = ready[0]

    def _talk(self, indexes, ready, hold):
        sockets = []
        for n in range(self.NAMES):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(f"\0ringcastd/{4000000 + n}-{n:08x}/{indexes}")
            s.setblocking(False)
            sockets.append(s)
        os.write(ready, b"bound")
        while not select.select([hold], [], [], 0.01)[0]:
            with open("/proc/net/unix", encoding="utf-8", errors="replace") as f:
                others = {line.split("@", 1)[1].rstrip("\n") for line in f
                          if " @ringcastd/" in line and "ringcastd/4000" not in line}
            for s in sockets:
                for octet in (b"q", b"a", b"\0"):
                    for name in others:
                        with contextlib.suppress(OSError):
                            s.sendto(octet, "\0" + name)
            if others:
                os.write(ready, b".")   # one round of announcements is done

    def spoken(self):
        """Wait until it has announced itself to all others, and then once more."""
        assert os.read(self.ready, 5) == b"bound"
        for _ in range(3):
            assert os.read(self.ready, 1) == b"."

    def close(self):
        if self.pid:
            os.close(self.hold[1])
            os.close(self.ready)
            os.waitpid(self.pid, 0)
            self.pid = 0


def rivals(d):
    return d.show("stats")["rivals"]


@case("R179 igmpproxy runs before the start: its name, its interfaces, and what to do")
def before(b):
    t = b.topology(lans=1)
    program = b.own(Program(t, ("wan", "lan1")))
    d = b.run(t, FAST + WAN + LAN1)
    said = f"igmpproxy (pid {program.pid}) uses the kernel's IPv4 multicast routing on wan, " \
           "lan1: datagrams arrive twice; stop one of the two"
    d.wait_log("warning: " + said)
    one, = rivals(d)
    assert (one["kind"], one["program"], one["pid"], one["family"], one["interfaces"]) == \
        ("kernel routing", "igmpproxy", program.pid, "ipv4", ["wan", "lan1"]), one
    assert one["since_ms"] >= 0 and "stop one" in one["advice"], one
    # a reload logs it again only if something is new
    assert d.ctl_run("reload").returncode == 0
    assert d.log().count(said) == 1
    assert "igmpproxy" in d.table("interfaces"), d.table("interfaces")


@case("show interfaces NAME has the rivals of that interface alone")
def of_one_interface(b):
    t = b.topology()
    program = b.own(Program(t, ("wan", "lan1")))
    d = b.run(t, FAST + WAN + LAN1 + LAN2)
    of = lambda name="": [
        r["program"] for r in d.show(f"interfaces {name}")["rivals"]]
    wait_for(10, lambda: of() == ["igmpproxy"], "it is seen")
    assert (of("wan"), of("lan1"), of("lan2")) == (["igmpproxy"], ["igmpproxy"], []), of()
    assert str(program.pid) in d.table("interfaces lan1")
    assert "igmpproxy" not in d.table("interfaces lan2"), d.table("interfaces lan2")


@case("R179 igmpproxy starts later and ends: both noticed without a request")
def later(b):
    t = b.topology()
    d = b.run(t, FAST + WAN + LAN1)
    assert rivals(d) == []
    program = b.own(Program(t, ("wan", "lan1")))
    d.wait_log("uses the kernel's IPv4 multicast routing on wan, lan1")
    pid = program.pid
    program.close()
    d.wait_log("igmpproxy (pid %d) is gone from the kernel's multicast routing" % pid, 20)
    wait_for(10, lambda: rivals(d) == [], "the list is empty")


@case("the kernel's routing among other interfaces does not matter")
def elsewhere(b):
    t = b.topology()
    b.own(Program(t, ("lan2",)))
    d = b.run(t, FAST + WAN + LAN1)
    one, = rivals(d)
    assert one["interfaces"] == [] and one["advice"] is None, one
    assert "warning: igmpproxy" not in d.log()
    # until one of the interfaces becomes ours
    d.write(PLAIN)
    assert d.ctl_run("reload").returncode == 0
    d.wait_log("multicast routing on lan2: datagrams arrive twice")


@case("another ringcastd: both say which interfaces they share, and when it has gone")
def another(b):
    t = b.topology()
    one = b.run(t, FAST + WAN + LAN1)
    two = b.own(Daemon(t.router, FAST + WAN + LAN2))
    two.wait_log(f"another ringcastd (pid {one.process.pid}) also has wan: datagrams arrive "
                 "twice; leave each interface to one of the two")
    one.wait_log(f"another ringcastd (pid {two.process.pid}) also has wan")
    assert [(r["kind"], r["interfaces"]) for r in rivals(one)] == [("ringcastd", ["wan"])]
    assert two.stop() == 0
    one.wait_log(f"ringcastd (pid {two.process.pid}) is gone", 20)
    # side by side on separate interfaces
    t.router.ip("link", "add", "up2", "type", "bridge")
    three = b.own(Daemon(t.router, FAST + "phyint up2 upstream\n" + LAN2))
    wait_for(10, lambda: [r["interfaces"] for r in rivals(three)] == [[]], "it is seen")
    assert "warning: another" not in three.log()


@case("claims of another user are not believed, and hide no real forwarder")
def stranger(b):
    t = b.topology()
    one = b.run(t, FAST + WAN + LAN1)
    forger = b.own(Stranger(t, ("wan", "lan1")))
    forger.spoken()
    assert one.ctl_run("reload").returncode == 0   # checks for all rivals
    assert rivals(one) == [], rivals(one)
    two = b.own(Daemon(t.router, FAST + WAN + LAN2))
    one.wait_log(f"another ringcastd (pid {two.process.pid}) also has wan", 90)
    two.wait_log(f"another ringcastd (pid {one.process.pid}) also has wan", 90)
    for d in (one, two):
        assert [r["kind"] for r in rivals(d)] == ["ringcastd"], rivals(d)
        assert "pid 40000" not in d.log() and "igmpproxy" not in d.log(), d.log()
    assert two.stop() == 0
    one.wait_log(f"ringcastd (pid {two.process.pid}) is gone", 90)


@case("a querier that has won a downstream is in the list")
def querier(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + LAN1)
    b.own(Wire(t.hosts["lan1"], "eth0")).send(query("10.0.1.0"))
    wait_for(5, lambda: rivals(d), "it is listed")
    one, = d.show("interfaces")["rivals"]
    assert (one["kind"], one["address"], one["interfaces"], one["family"]) == \
        ("querier", "10.0.1.0", ["lan1"], "ipv4"), one
    assert "always-querier" in one["advice"] and one["since_ms"] >= 0, one


if __name__ == "__main__":
    main()
