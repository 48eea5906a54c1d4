#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with little memory: what the daemon takes of it."""

import subprocess

from libnetns import WAN, assert_continuous, case, main, wait_datagrams

LAN1 = "phyint lan1 downstream\n"
MEMINFO = "/run/meminfo"
STREAMS = [f"239.1.2.{n}" for n in range(1, 5)]


def pretend(kib):
    """The mount namespace is the test's own."""
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


if __name__ == "__main__":
    main()
