#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""If little or nothing happens, little or nothing is done, whatever the number of groups. The
tests count system calls and wake-ups, not time."""

import collections
import re
import shutil
import socket
import subprocess
import time

from libnetns import FAST, WAN, Sender, Skip, case, main, number, wait_for
from packets import Wire, igmp3_report, ipv4

GROUPS, PER_REPORT = 10000, 180
SECONDS = 10
# a deadline that moved into the future causes one unnecessary wake-up, then the timer is set again
IN_VAIN = 4
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")


def calls(pid):
    """Counts the system calls of all threads for some seconds, except those in which a thread
    slept all the time."""
    r = subprocess.run(["timeout", "-s", "INT", str(SECONDS), "strace", "-f", "-qq", "-o",
                        "/run/trace", "-p", str(pid)], capture_output=True, text=True)
    if "attach" in r.stderr:
        raise Skip("strace cannot attach: " + r.stderr.strip())
    with open("/run/trace", encoding="utf-8") as f:
        lines = f.readlines()
    assert lines, "strace has seen no thread"
    lines = [line for line in lines if "<unfinished" not in line and "<detached" not in line]
    return collections.Counter(m.group(1) for m in map(CALL.match, lines) if m)


@case("10,000 groups and no traffic: only protocol timers cause work")
def silence(b):
    if not shutil.which("strace"):
        raise Skip("strace is not installed (package strace)")
    t = b.topology(lans=1)
    # the next query is 125 s away
    d = b.run(t, "startup-query-count 1\n" + WAN + "phyint lan1 downstream max-groups-per-host 0\n")
    w = b.own(Wire(t.hosts["lan1"], "eth0"))
    groups = [socket.inet_ntoa((0xef010000 + n).to_bytes(4, "big")) for n in range(GROUPS)]
    for first in range(0, GROUPS, PER_REPORT):
        records = [(4, g, ()) for g in groups[first:first + PER_REPORT]]
        w.send(ipv4("10.0.1.2", "224.0.0.22", 2, igmp3_report(*records)))
    wait_for(20, lambda: d.show("stats")["fib_entries"] == GROUPS, "all groups are known")

    last = [-1, 0.0]

    def settled():
        sent, now = d.show("stats")["control"]["sent"], time.monotonic()
        if sent != last[0]:
            last[:] = sent, now
        return now - last[1] > 2
    # a change is repeated within a second
    wait_for(30, settled, "all is reported, twice")
    seen = calls(d.process.pid)
    b.note(f"in {SECONDS} s: {dict(seen)}")
    assert sum(seen.values()) <= 3 * IN_VAIN, seen
    assert set(seen) <= {"epoll_wait", "timerfd_settime", "restart_syscall"}, seen


@case("four streams of 800 datagrams per second: the thread wakes for its timer alone")
def household(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    groups = [f"239.1.2.{n}" for n in range(1, 5)]
    receivers = [b.receiver(t.hosts["lan1"], g) for g in groups]
    for group in groups:
        d.wait_member("lan1", group)
    sender = b.own(Sender(t.provider))
    before, start = d.show("stats")["wakeups"], time.monotonic()
    for n in range(1600):
        for group in groups:
            sender.send(number(n, 1316), group)
        # evenly spaced, even on a slow machine
        while time.monotonic() < start + (n + 1) / 800:
            time.sleep(0.0002)

    def all_there():
        for got, r in zip(arrived, receivers):
            got.extend(p for p, _ in r.receive())
        return all(len(got) == 1600 for got in arrived)
    arrived = [[] for _ in groups]
    wait_for(10, all_there, "everything arrives")
    wakeups, seconds = d.show("stats")["wakeups"] - before, time.monotonic() - start
    b.note(f"{wakeups} wake-ups in {seconds:.1f} s")
    for got in arrived:
        assert got == [number(n, 1316) for n in range(1600)], "order"
    # a timer of 8 ms; a slow machine takes longer and is allowed more wake-ups
    assert wakeups <= 130 * seconds + 20, f"{wakeups} wake-ups in {seconds} s"


if __name__ == "__main__":
    main()
