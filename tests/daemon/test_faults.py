#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory and system calls that fail, each function once per phase of the daemon's life
(tools/faults makes every place fail), and clocks that jump."""

import errno
import json
import os
import time

from libnetns import (GROUP, Record, Skip, assert_continuous, case, main, numbers, wait_datagrams,
                      wait_for, wait_record, wire)

import faults  # libnetns has set the path
from fault_lab import INJECT, Patient, Scenario, Shared

SEED = int(os.environ.get("RINGCAST_FAULTS_SEED") or time.time())

STANDSTILL = 30   # datagrams, of 300 per second


@case("every function fails once at the start, while running and at the end")
def each_function(b):
    hospital = b.own(faults.Hospital())
    sites = hospital.record()
    first, _ = faults.sample(faults.plan(sites), SEED)
    for phase, site, error in first:
        hospital.attempt(phase, site, error)
    b.note(f"RINGCAST_FAULTS_SEED={SEED}")
    for line in faults.summary(hospital, sites):
        b.note(line)
    assert not hospital.findings, hospital.findings
    no_descriptors(hospital, sites)
    short_rings(hospital, sites)
    lost_messages(hospital, sites)


def no_descriptors(hospital, sites):
    """The log names what ran out, and does not blame a missing feature of the kernel."""
    first = next(s for s in sites["start"].values() if s.name == "socket" and
                 "check_capability" in hospital.symbols.path(s.frames, 1))
    assert not hospital.new(INJECT, kind=first.kind, site=first.hash)
    log = hospital.daemon.log()
    assert hospital.daemon.process.returncode == 4 and "Too many open files" in log, log
    assert "CONFIG_PACKET" not in log, log


def short_rings(hospital, sites):
    """The kernel twice refuses memory for rings: a smaller ring works, and the log says so."""
    ring = next(s for s in sites["start"].values() if s.name == "setsockopt" and
                "ring_rx_request" in hospital.symbols.path(s.frames) and
                "sync_set" in hospital.symbols.path(s.frames, len(s.frames)))
    assert hospital.new(INJECT, kind=ring.kind, site=ring.hash, times=2, error=errno.ENOMEM)
    Scenario(hospital.house, hospital.daemon).basic()
    assert hospital.shared.off()[1] == 2
    log = hospital.daemon.log()
    assert "in one piece for a receive ring" in log, log


def lost_messages(hospital, sites):
    """Netlink messages are lost while the daemon starts: it reads all interfaces again."""
    first = next(s for s in sites["start"].values() if s.name == "recvmsg" and
                 "wait_for_dump" in hospital.symbols.path(s.frames))
    assert hospital.new(INJECT, kind=first.kind, site=first.hash, error=errno.ENOBUFS)
    Scenario(hospital.house, hospital.daemon).basic()
    assert hospital.shared.off()[1] == 1
    log = hospital.daemon.log()
    assert "netlink: messages were lost" in log, log


class Clocks:
    """A daemon whose clocks the test can move, and a stream with a member."""

    def __init__(self, b, profile="default"):
        self.topology = b.topology(ipv6=True)
        self.shared = Shared("/run/clocks")
        self.lan, self.wan = b.tap(self.topology.hosts["lan1"], "eth0"), \
            b.tap(self.topology.provider, "p0")
        b.daemon = self.daemon = b.own(
            Patient(self.topology.router, self.shared, profile))
        assert self.daemon.start()
        self.receiver = b.receiver(self.topology.hosts["lan1"], GROUP)
        b.stream(self.topology)
        self.got = wait_datagrams(self.receiver, 100)

    def go_on(self):
        """Check that the stream continues without a long gap. A machine that is busy with other
        tests may lose single datagrams; a host that lost its membership receives nothing for
        longer."""
        self.got += wait_datagrams(self.receiver, 100)
        got = numbers(self.got)
        longest = max(b - a for a, b in zip(got, got[1:]))
        assert longest <= STANDSTILL, f"{longest - 1} in a row are missing"


@case("sendmmsg takes over when the io_uring accepts nothing any more")
def no_uring(b):
    c = Clocks(b, "io_uring")

    def stats():
        return json.loads(c.daemon.ask("show stats"))
    if not stats()["transmit_reason"].startswith("each thread measures"):
        raise Skip(f"no io_uring here: {stats()['transmit_reason']}")
    c.shared.set(INJECT, kind=c.shared.names().index("io_uring_submit_and_wait"),
                 times=faults.FOR_EVER)
    c.daemon.wait_log("io_uring stopped working: frames are sent by sendmmsg")
    wait_for(10, lambda: stats()["transmit"] == "sendmmsg", "the other way to send")
    assert "stopped working" in stats()["transmit_reason"]
    c.receiver.receive()
    assert_continuous(wait_datagrams(c.receiver, 100), at_least=100)
    assert c.shared.off()[1]


@case("setting the time of day, by a day in either direction, disturbs nothing")
def time_of_day(b):
    c = Clocks(b)
    for seconds in (86400, -86400, 0):
        c.shared.move_clocks(realtime_s=seconds)
        c.go_on()
        Scenario.ask_all(c.daemon)
    wait_record(c.lan, lambda m: isinstance(m, wire.Query), "the next query")
    assert "nothing ran" not in c.daemon.log()


@case("five minutes in which nothing ran: streams continue, queries and reports are sent")
def five_minutes_later(b):
    c, reports = Clocks(b), []

    def is_report(m):
        return isinstance(m, Record) and m.group == GROUP

    def said():
        reports.extend(m for f in c.wan.frames() for m in wire.igmp(f) if is_report(m))
        return len(reports) >= 2
    wait_for(10, said, "the join, robustness times")
    c.lan.frames()
    c.shared.move_clocks(monotonic_s=300)
    c.daemon.wait_log("nothing ran for")
    wait_record(c.lan, lambda m: isinstance(m, wire.Query), "the hosts are asked")
    wait_record(c.wan, is_report, "the provider is told")
    c.go_on()
    assert c.daemon.ask("show groups").count(GROUP) == 1


if __name__ == "__main__":
    main()
