#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory use of the daemon on machines that have little."""

import json
import os
import resource
import subprocess

from libnetns import (FAST, WAN, Skip, assert_continuous, case, main, wait_datagrams, wait_for)
from packets import TO_EX, Wire, igmp3_report, ipv4

LAN1 = "phyint lan1 downstream\n"
MEMINFO = "/run/meminfo"
ALLOW = 5
STREAMS = [f"239.1.2.{n}" for n in range(1, 5)]


def pretend(kib):
    """Replace /proc/meminfo; the mount namespace belongs to this test."""
    with open(MEMINFO, "w", encoding="utf-8") as f:
        f.write(f"MemTotal: {kib} kB\n")
    subprocess.run(["mount", "--bind", MEMINFO, "/proc/meminfo"], check=True)


def resident_kib(d):
    with open(f"/proc/{d.process.pid}/smaps_rollup", encoding="utf-8") as f:
        rows = dict(line.split(":", 1) for line in f if line.split(":")[0] in
                    ("Rss", "Shared_Clean"))
    return {name: int(text.split()[0]) for name, text in rows.items()}


@case("ring-size auto: a machine with 64 MB has rings of 1 MB, and a household's streams flow")
def small_machine(b):
    t = b.topology(lans=1)
    pretend(64 * 1024)
    d = b.run(t, WAN + LAN1)
    d.wait_log("into rings of 1M")
    b.note(f"idle: {resident_kib(d)} KiB")
    receivers = []
    for group in STREAMS:
        b.stream(t, group, rate=800)
        receivers.append(b.receiver(t.hosts["lan1"], group))
    for r in receivers:
        assert_continuous(wait_datagrams(r, 1600), at_least=1600)
    assert d.interface("wan")["ring_drops"] == 0
    b.note(f"four streams: {resident_kib(d)} KiB")


@case("ring-size auto: with 512 MB and more they are 8 MB; a size in the file holds")
def larger_machine(b):
    t = b.topology(lans=1)
    pretend(512 * 1024)
    d = b.run(t, WAN + LAN1)
    d.wait_log("into rings of 8M")
    assert d.stop() == 0
    d = b.run(t, "ring-size 256K\n" + WAN + LAN1)
    d.wait_log("into rings of 256K")


class ControlGroup:
    """Limits the memory of this process and of its children within the `with` block."""

    def __init__(self, mib):
        if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            top, self.limit, self.used = "/sys/fs/cgroup", "memory.max", "memory.current"
            with open(f"{top}/cgroup.subtree_control", encoding="utf-8") as f:
                usable = "memory" in f.read().split()
        else:
            top, self.limit = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
            self.used, usable = "memory.usage_in_bytes", os.path.isdir(top)
        if not usable or not os.access(top, os.W_OK):
            raise Skip("this machine has no control group for memory that a test may use")
        self.top, self.path = top, f"{top}/ringcast-test-{os.getpid()}"
        os.mkdir(self.path)
        self._write(self.path, self.limit, mib << 20)

    @staticmethod
    def _write(folder, name, value):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(str(value))

    def read(self, name):
        with open(f"{self.path}/{name}", encoding="utf-8") as f:
            return f.read()

    def __enter__(self):
        self._write(self.path, "cgroup.procs", os.getpid())

    def __exit__(self, *_):
        self._write(self.top, "cgroup.procs", os.getpid())

    def close(self):
        os.rmdir(self.path)   # the daemon ended earlier


def numbered(i):
    return f"239.{100 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def joins(first, n):
    """Reports from a station with many addresses, each of which joins up to 128 groups."""
    for i in range(first, first + n, 128):
        yield ipv4(f"10.0.1.{100 + i // 512 % 100}", "224.0.0.22", 2, igmp3_report(
            *((TO_EX, numbered(k), ()) for k in range(i, min(i + 128, first + n)))))


def lists(group, first, n):
    """The same for sources of one group, up to 256 in a report."""
    for i in range(first, first + n, 256):
        yield ipv4(f"10.0.1.{100 + i // 512 % 100}", "224.0.0.22", 2, igmp3_report(
            (ALLOW, group, [f"10.{k >> 8 & 255}.{k & 255}.7"
                            for k in range(i, min(i + 256, first + n))])))


def watched(b, limit, config):
    """Set up a daemon within the limit, a stream through it, a receiver, and an attacker's
    wire."""
    group = b.own(ControlGroup(limit))
    t = b.topology(lans=1, hosts=2)
    with group:
        d = b.run(t, config + WAN + LAN1, verbose=False)
    b.stream(t, STREAMS[0])
    r = b.receiver(t.hosts["lan1"], STREAMS[0])
    wait_datagrams(r, 100)
    return d, r, b.own(Wire(t.hosts["lan1b"], "eth0"))


def alive(b, d, r):
    wait_datagrams(r, 100)
    assert d.process.poll() is None
    b.note(f"{resident_kib(d)} KiB")


@case("R195 a control group of 64 MB: a LAN that joins all groups is refused, and named")
def many_groups(b):
    d, r, attacker = watched(b, 64, "max-groups-per-host 0\n")
    d.wait_log("into rings of 1M")
    known = 64 * 1024 * 1024 // 4 // 2 // 1152

    def full():
        for packet in joins(0, 16384):
            attacker.send(packet)
        return d.interface("lan1")["groups"] >= known
    wait_for(20, full, "the table is full")
    assert d.interface("lan1")["groups"] == known
    d.wait_log("group refused: the memory for groups of a LAN is used up")
    said = d.ctl_run("health").stdout
    assert f"the memory for groups of a LAN ({known}) was met by" in said, said
    alive(b, d, r)


@case("R195 a control group of 64 MB: lists of 260,000 sources do not end the daemon")
def many_sources(b):
    d, r, attacker = watched(b, 64, "max-groups-per-host 0\n")
    before = d.interface("lan1")["refused"]
    for k in range(256):
        for packet in lists(numbered(k), 0, 1020):
            attacker.send(packet)
        if k % 16 == 15:   # send no faster than the daemon reads
            d.interface("lan1")
    wait_for(10, lambda: d.interface("lan1")["refused"] > before, "sources are refused")
    d.wait_log("the addresses of")
    alive(b, d, r)


@case("memory that the system refuses: joins are lost, the stream is not, and later ones work")
def refused(b):
    config = FAST + "max-groups-per-host 0\nmax-groups 0\n" + WAN + LAN1
    t = b.topology(lans=1, hosts=2)
    # otherwise other threads could use the rest of a thread's share of the address space
    arena = ["env", "MALLOC_ARENA_MAX=1"]
    d = b.run(t, config, verbose=False, wrap=arena)
    with open(f"/proc/{d.process.pid}/statm", encoding="utf-8") as f:
        size = int(f.read().split()[0]) * resource.getpagesize() + (6 << 20)
    assert d.stop() == 0
    d = b.run(t, config, verbose=False, wrap=arena,
              preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
    b.stream(t, STREAMS[0])
    r = b.receiver(t.hosts["lan1"], STREAMS[0])
    wait_datagrams(r, 100)
    attacker = b.own(Wire(t.hosts["lan1b"], "eth0"))

    def out_of_memory():
        for packet in joins(0, 60000):
            attacker.send(packet)
        return "no memory for" in d.log()
    wait_for(20, out_of_memory, "no memory is left")
    wait_datagrams(r, 100)

    def expired():   # a leave also needs memory, the expiry of a membership needs none
        answer = d.ctl_run("--json", "show", "interfaces", "lan1")
        return (answer.returncode == 0 and
                json.loads(answer.stdout)["interfaces"][0]["groups"] < 100)
    wait_for(60, expired, "the groups have expired")
    late = b.receiver(t.hosts["lan1"], STREAMS[1])
    b.stream(t, STREAMS[1])
    wait_datagrams(late, 100)
    alive(b, d, r)


if __name__ == "__main__":
    main()
