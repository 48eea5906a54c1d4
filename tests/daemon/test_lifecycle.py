#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces that vanish, return, appear late or are down; start and stop of the daemon."""

import os
import signal
import time

from libnetns import (FAST, GROUP, PLAIN, WAN, Daemon, Sender, assert_continuous, case,
                      main, number, ringcast, wait_datagrams, wait_for, wait_record)


def joins(m):
    return getattr(m, "type", "") in ("JOIN", "IS_EX", "TO_EX") and m.group == GROUP


def probe_until_received(b, t, r, seconds=15):
    """Send from the provider until the receiver has one datagram; returns the seconds that it
    took."""
    start = time.monotonic()
    sender = b.own(Sender(t.provider))

    def arrives():
        sender.send(number(0), GROUP)
        return r.receive()
    wait_for(seconds, arrives, "forwarding works")
    return time.monotonic() - start


@case("R187 upstream deleted and created again: reports and forwarding are back")
def upstream_returns(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    probe_until_received(b, t, r)
    t.provider.ip("link", "del", "p0")
    wait_for(10, lambda: not d.interface("wan")["present"], "the loss is seen")
    t.add_upstream()
    start = time.monotonic()
    tap = b.tap(t.provider, "p0")
    wait_record(tap, joins, "the group is joined again")
    b.note(f"joined again {time.monotonic() - start:.2f} s after the link was back")
    b.note(f"forwarding {probe_until_received(b, t, r):.2f} s after that")


@case("R187 downstream deleted and created again works")
def downstream_returns(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    probe_until_received(b, t, r)
    other = b.receiver(t.hosts["lan2"])
    t.router.ip("link", "del", "lan1")
    wait_for(10, lambda: not d.interface("lan1")["present"], "the loss is seen")
    d.wait_no_member("lan1", GROUP)
    probe_until_received(b, t, other)
    t.add_lan(1)
    probe_until_received(b, t, b.receiver(t.hosts["lan1"]))


@case("a downstream that appears after the start works")
def late_downstream(b):
    t = b.topology(lans=1)
    d = b.run(t)
    assert not d.interface("lan2")["present"]
    t.add_lan(2)
    wait_for(10, lambda: d.interface("lan2")["present"], "lan2 is seen")
    probe_until_received(b, t, b.receiver(t.hosts["lan2"]))


@case("an upstream that appears after the start works")
def late_upstream(b):
    t = b.topology()
    t.provider.ip("link", "del", "p0")
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    t.add_upstream()
    wait_record(b.tap(t.provider, "p0"), joins, "the group is joined")
    probe_until_received(b, t, r)


@case("a port that is down does not disturb the live one next to it")
def dead_port(b):
    t = b.topology()
    d = b.run(t)
    b.stream(t)
    live, dead = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    got = wait_datagrams(live, 20)
    wait_datagrams(dead, 20)
    t.router.ip("link", "set", "dev", "lan2", "down")
    wait_for(10, lambda: not d.interface("lan2")["up"], "the port is down")
    got += wait_datagrams(live, 200)
    t.router.ip("link", "set", "dev", "lan2", "up")
    dead.receive()
    wait_datagrams(dead, 20)
    got += wait_datagrams(live, 50)
    assert_continuous(got, at_least=270)


@case("an upstream that is down for a while: joined again when it is up")
def upstream_flaps(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    t.router.ip("link", "set", "dev", "wan", "down")
    wait_for(10, lambda: not d.interface("wan")["up"], "the link is down")
    tap = b.tap(t.provider, "p0")
    t.router.ip("link", "set", "dev", "wan", "up")
    wait_record(tap, joins, "the group is joined again")
    probe_until_received(b, t, r)


@case("members survive a restart of the daemon")
def restart(b):
    t = b.topology()
    d = b.run(t)
    r = b.receiver(t.hosts["lan1"])
    probe_until_received(b, t, r)
    assert d.stop() == 0
    assert d.ctl_run("version").returncode == 1, "nobody answers"
    d.start()   # its socket replaces the stale one
    r.receive()
    probe_until_received(b, t, r)


@case("a second daemon on the same control socket is refused, the first continues")
def second_daemon(b):
    t = b.topology()
    d = b.run(t)
    r = t.router.run(ringcast.binary("ringcastd"), "-n", "-d", "-s", d.socket, d.conf,
                     check=False)
    assert r.returncode == 4, r
    assert f"another ringcastd (pid {d.process.pid}) answers there" in r.stderr, r
    assert d.ctl_run("version").returncode == 0


@case("SIGINT stops cleanly, SIGUSR1 logs a summary")
def signals(b):
    t = b.topology()
    d = b.run(t)
    before = len(d.log())
    d.process.send_signal(signal.SIGUSR1)
    wait_for(5, lambda: len(d.log()) > before, "a summary is logged")
    assert d.ctl_run("version").returncode == 0
    assert d.stop(signal.SIGINT) == 0


@case("called igmpproxy it goes to the background, as igmpproxy does")
def as_igmpproxy(b):
    t = b.topology()
    d = b.own(Daemon(t.router, PLAIN, start=False))
    link = os.path.join(d.dir, "igmpproxy")
    os.symlink(ringcast.binary("ringcastd"), link)
    t.router.run(link, "-s", d.socket, d.conf)
    wait_for(10, lambda: d.ctl_run("version").returncode == 0, "the background one answers")
    pids = [p for p in os.listdir("/proc") if p.isdigit() and link.encode() in _command(p)]
    assert pids, "no process"
    for pid in pids:
        os.kill(int(pid), signal.SIGTERM)
    wait_for(10, lambda: d.ctl_run("version").returncode != 0, "it has stopped")


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


@case("an interface whose name is not text is shown with question marks")
def odd_name(b):
    t = b.topology()
    d = b.run(t, "defaultdown\n" + PLAIN)
    t.router.ip("link", "add", "odd\udcff", "type", "veth", "peer", "name", "oddpeer")
    t.router.ip("link", "set", "odd\udcff", "up")
    wait_for(5, lambda: "odd?" in [i["name"] for i in d.show("interfaces")["interfaces"]],
             "it is listed")
    assert "odd?" in [p["name"] for p in d.show("stats")["ports"]]


@case("interfaces that no phyint names are downstreams with defaultdown")
def defaultdown(b):
    t = b.topology()
    b.run(t, "defaultdown\n" + FAST + WAN)
    probe_until_received(b, t, b.receiver(t.hosts["lan2"]))


if __name__ == "__main__":
    main()
