#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Live upgrade under a running stream, by a service manager that keeps descriptors as systemd
does. Nothing is lost or doubled, the order is kept, and nothing is sent upstream.
RINGCAST_UPGRADE_RATE is the rate of the streams (datagrams per second)."""

import json
import os
import re
import signal
import socket
import sys
import time

from libnetns import (FAST, GROUP, PLAIN, Stream, assert_continuous, case, gaps, lab, main,
                      numbers, ringcast, wait_datagrams, wait_for, wire)
from manager import ManagedDaemon

RATE = int(os.environ.get("RINGCAST_UPGRADE_RATE", "1000"))
# intervals so long that every additional query or lost membership shows
SLOW = """query-interval 3000
query-response-interval 0.5
startup-query-interval 1000
"""
CONFIG = SLOW + PLAIN[len(FAST):]


class Fast(Stream):
    """A stream that keeps its rate even if single wake-ups are late."""

    def run(self):
        start = time.monotonic()
        while not self.ended.is_set():
            due = int((time.monotonic() - start) / self.period)
            while self.sent < due:
                self.sender.send(ringcast.number(self.sent, self.size), self.group)
                self.sent += 1
            time.sleep(self.period / 2)


def pid_of(d):
    r = d.ctl_run("--json", "version")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)["pid"]


def upgrade(d):
    """Upgrade the daemon; returns the new process id."""
    old = pid_of(d)
    r = d.ctl_run("upgrade")
    assert r.returncode == 0, f"{r.returncode}: {r.stdout}{r.stderr}\n{d.log()}"
    new = pid_of(d)
    assert new != old
    assert r.stdout == f"process {new} has taken over from {old}\n", r.stdout
    return new


def settled(d):
    """Wait until neither the hosts nor we have anything left to send."""
    seen = [None, time.monotonic()]

    def quiet():
        control = d.show("stats")["control"]
        count = control["received"], control["sent"]
        if count != seen[0]:
            seen[:] = count, time.monotonic()
        return time.monotonic() - seen[1] > 1.2   # longer than a host takes to repeat a report
    wait_for(20, quiet, "no more reports")


def play(b, config=CONFIG, ipv6=False, managed=True, **kw):
    t = b.topology(ipv6=ipv6)
    if managed:
        d = b.daemon = b.own(ManagedDaemon(t.router, config, **kw))
        d.start()
    else:
        d = b.run(t, config)
    receivers = [b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])]
    if ipv6:
        receivers.append(b.receiver(t.hosts["lan1"], "ff0e::1:2:3"))
    for r in receivers:
        lab.receive_buffer(r.sock, RATE * 4096 * 4)   # the test does not read during an upgrade
    streams = []
    for group in {r.group for r in receivers}:
        streams.append(Fast(t.provider, group, rate=RATE))
        b.things.append(_Ended(streams[-1]))
    got = [wait_datagrams(r, 20) for r in receivers]
    return t, d, receivers, streams, got


class _Ended:
    def __init__(self, stream):
        self.stream = stream

    def close(self):
        if self.stream.is_alive():
            self.stream.stop()


def check(b, d, receivers, streams, got):
    """Let the streams run a little longer, stop them, and check that everything has arrived."""
    for r, g in zip(receivers, got):
        g += wait_datagrams(r, RATE // 10)
    sent = {s.group: s.stop() for s in streams}
    total = 0
    for r, g in zip(receivers, got):
        def complete():
            g.extend(r.receive())
            return numbers(g[-1:])[0] == sent[r.group] - 1
        wait_for(10, complete, f"the last datagram of {r.group}")
        missing, disorder = gaps(numbers(g))
        if missing or disorder:
            note_counters(b, d)
        assert not missing and not disorder, f"{r.group}: {missing} missing, " \
            f"{disorder} out of order among {len(g)}: {holes(numbers(g))}"
        total += len(g)
    return total


def holes(got):
    return [(a + 1, b - 1) for a, b in zip(got, got[1:]) if b != a + 1][:10]


def note_counters(b, d):
    """Note the counters that report losses."""
    stats = d.show("stats")
    for p in stats["ports"]:
        verdicts = {k: n for k, n in p["verdicts"].items() if n}
        b.note(f"{p['name']}: ring {p['ring_packets']} - {p['ring_drops']}, {verdicts}")
    b.note(str({k: n for k, n in stats["verdicts"].items() if n}))


def nothing_said(tap):
    frames = tap.frames()
    said = [m for f in frames for m in wire.igmp(f) + wire.mld(f)]
    assert not said, f"upstream: {said}"


def several(b, config, ipv6=False):
    t, d, receivers, streams, got = play(b, config, ipv6)
    settled(d)
    before = d.group("lan1", GROUP)
    taps = [b.tap(t.provider, "p0"), b.tap(t.hosts["lan1"], "eth0")]
    for _ in range(3):
        upgrade(d)
        for r, g in zip(receivers, got):
            g += wait_datagrams(r, 20)
    after = d.group("lan1", GROUP)
    stats = d.show("stats")
    total = check(b, d, receivers, streams, got)
    for tap in taps:
        nothing_said(tap)
    b.note("gaps: " + ", ".join(re.findall(r"(\d+ ms) after it stopped", d.log())))
    b.note(f"{total} datagrams through 3 upgrades at {RATE}/s, "
           f"{stats['receive']}, {stats['threads']} thread(s)")
    assert after["uptime_ms"] > before["uptime_ms"], "the group began anew"
    assert after["hosts"][0]["address"] == before["hosts"][0]["address"]
    assert d.started == 4
    wait_for(5, lambda: len(d.said("READY")) >= 4, "READY=1 of each process")
    wait_for(5, lambda: not d.stored, "the manager is told to forget the sockets")
    assert d.stop() == 0
    assert d.said("STOPPING")
    return d, stats


@case("three upgrades in a row, TPACKET_V3: none lost, none doubled, no message sent")
def blocks(b):
    d, stats = several(b, CONFIG)
    assert stats["receive"] == "tpacket_v3", stats["receive"]
    assert "receive sockets taken over" in d.log()
    wan = next(p for p in stats["ports"] if p["name"] == "wan")
    assert wan["ring_drops"] == 0
    assert wan["ring_packets"] >= RATE // 10, "counters continue"


@case("three upgrades in a row, TPACKET_V2, IPv4 and IPv6")
def frames(b):
    _, stats = several(b, "latency low\n" + CONFIG, ipv6=True)
    assert stats["receive"] == "tpacket_v2", stats["receive"]


@case("three upgrades in a row, two threads, IPv4 and IPv6")
def threads(b):
    _, stats = several(b, "threads 2\n" + CONFIG, ipv6=True)
    assert stats["threads"] == 2


@case("a daemon that had been stopped hands over correct times")
def stood_still(b):
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, PLAIN))
    d.start()
    stream = b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 20)
    d.process.send_signal(signal.SIGSTOP)
    until = stream.sent + 15 / stream.period   # longer than a membership of PLAIN lasts
    wait_for(60, lambda: stream.sent >= until, "the stream is 15 seconds further on")
    d.process.send_signal(signal.SIGCONT)
    wait_for(10, lambda: "nothing ran for" in d.log(), "it notices")
    upgrade(d)
    late = int(re.search(r"(\d+) ms after it stopped", d.log())[1])
    assert late < 10000, f"{late} ms after it stopped"
    since = d.group("lan1", GROUP)["uptime_ms"]
    assert since < 60000, since
    r.receive()
    assert_continuous(wait_datagrams(r, 100), at_least=100)


def refused(b, why, **kw):
    _, d, receivers, streams, got = play(b, **kw)
    pid = pid_of(d)
    r = d.ctl_run("upgrade")
    assert r.returncode == 4 and why in r.stderr, r
    if "cannot" not in why:
        assert "for up to 0.5 s (query-response-interval)" in r.stderr, r
        assert "continues" not in d.log(), "it had stopped"
    assert pid_of(d) == pid
    check(b, d, receivers, streams, got)


@case("a service manager that keeps no descriptors: refused, nothing happens")
def no_store(b):
    refused(b, "FileDescriptorStoreMax", keeps=False)


@case("no service manager: refused with the cost of a restart, and nothing happens")
def no_manager(b):
    refused(b, "no service manager", managed=False)


@case("a service manager that dies half way: the process continues, nothing is lost")
def manager_dies(b):
    refused(b, "cannot hand over", dies_at="state")
    log = b.daemon.log()
    assert "this process continues" in log
    # a thread that starts again cannot get another io_uring
    if "transmit by io_uring" in log and "system calls are filtered" in log:
        assert "frames are sent by sendmmsg from now on" in log, log


@case("a client that asks and goes away: the upgrade takes place, nothing is lost")
def abandoned(b):
    _, d, receivers, streams, got = play(b)
    old = pid_of(d)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.connect(d.socket)
        s.send(b"upgrade\n")
    wait_for(20, lambda: d.started == 2, "the manager starts another one")
    assert pid_of(d) != old
    check(b, d, receivers, streams, got)


@case("the service manager hears of reloads, and gets signs of life")
def notifications(b):
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, CONFIG, watchdog_s=0.4))
    d.start()
    wait_for(5, lambda: d.said("READY"), "READY=1")
    wait_for(5, lambda: len(d.said("WATCHDOG")) > 2, "WATCHDOG=1")
    d.hup()
    wait_for(5, lambda: len(d.said("READY")) == 2, "READY=1 after the reload")
    assert "MONOTONIC_USEC" in d.said("RELOADING")[0]


@case("a new program that ends at once: the manager tries again, nothing is lost")
def fallback(b):
    t, d, receivers, streams, got = play(b)
    settled(d)
    tap = b.tap(t.provider, "p0")
    d.first = ["/bin/false", "/bin/false"]
    upgrade(d)
    assert d.started == 4, d.started
    nothing_said(tap)
    check(b, d, receivers, streams, got)


@case("a process that dies after it has taken the state: the next one starts without it")
def crashed(b):
    _, d, receivers, _, _ = play(b)
    upgrade(d)
    wait_for(5, lambda: not d.stored, "the manager is told to forget the sockets")
    d.first = ["/bin/false"]
    upgrade(d)
    d.process.kill()
    d.process.wait()
    assert not [name for name, _ in d.stored if name == "state"], d.stored
    d.spawn()
    wait_for(20, d._answers, "it answers")
    receivers[0].receive()
    wait_datagrams(receivers[0], 50)


@case("the new process has another configuration: what differs is recreated and logged")
def other_config(b):
    t, d, receivers, streams, got = play(b, CONFIG)
    settled(d)
    d.write("latency low\n" + CONFIG.replace("lan2 downstream",
                                             f"lan2 downstream blacklist {GROUP}/32"))
    upgrade(d)
    assert d.show("stats")["receive"] == "tpacket_v2"
    assert "latency has changed" in d.log()
    assert d.group("lan1", GROUP) and not d.group("lan2", GROUP)
    wait_datagrams(receivers[0], 50)


UNSEALED = """
import os, sys
for fd in range(3, 3 + int(os.environ["LISTEN_FDS"])):
    link = os.readlink(f"/proc/self/fd/{fd}")
    if "ringcast-state" in link:
        with open(fd, "rb", closefd=False) as f:
            state = f.read()
        copy = os.memfd_create("ringcast-state", os.MFD_ALLOW_SEALING)
        os.write(copy, state)
        os.dup2(copy, fd)
        os.set_inheritable(fd, True)
os.execv(sys.argv[1], sys.argv[1:])
"""


# sockets of the right interface and protocol, but of a kind that delivers other bytes
WRONG = """
import os, socket, sys
names = os.environ["LISTEN_FDNAMES"].split(":")
for fd, name in enumerate(names, 3):
    if name.startswith(("igmp", "mld")):
        kind = socket.SOCK_RAW
    elif name.startswith(("ring", "gap")):
        kind = socket.SOCK_DGRAM
    else:
        continue
    with socket.socket(fileno=os.dup(fd)) as s:
        at = s.getsockname()
    with socket.socket(socket.AF_PACKET, kind) as s:
        s.bind(at[:2])
        os.dup2(s.fileno(), fd)
os.execv(sys.argv[1], sys.argv[1:])
"""


@case("sockets of another kind are not used")
def wrong_sockets(b):
    t, d, receivers, _, _ = play(b)
    d.wrap = [sys.executable, "-c", WRONG]
    upgrade(d)
    assert "0 receive sockets taken over" in d.log(), d.log()
    receivers[0].receive()
    wait_datagrams(receivers[0], 50)
    b.receiver(t.hosts["lan1"], "239.9.9.9")
    d.wait_member("lan1", "239.9.9.9")


@case("a state that somebody could still change is not used")
def unsealed(b):
    _, d, receivers, _, _ = play(b)
    d.wrap = [sys.executable, "-c", UNSEALED]
    upgrade(d)
    assert "the state that was handed over is not from ringcastd" in d.log(), d.log()
    receivers[0].receive()
    wait_datagrams(receivers[0], 50)


if __name__ == "__main__":
    main()
