# SPDX-License-Identifier: GPL-2.0-or-later
"""Processor time of the whole machine: what is not idle. The kernel's time of idleness is
exact (it is stamped when a processor falls asleep and wakes), while its user and system time
count ticks."""

import os
import re
import time

import bed as beds

SLEEPTIME = re.compile(r"\.(?:idle|iowait)_sleeptime *: *(\d+)")


def idle_ns():
    """Idle time of all processors together, until now."""
    home = os.sched_getaffinity(0)
    total = 0
    try:
        for cpu in range(os.cpu_count()):
            # the one that reads is awake, and its count complete
            os.sched_setaffinity(0, {cpu})
            total += _idle_of(cpu)
    finally:
        os.sched_setaffinity(0, home)
    return total


def _idle_of(cpu):
    try:
        with open("/proc/timer_list", encoding="ascii") as f:
            part = f.read().split(f"\ncpu: {cpu}\n")[1].split("\ncpu: ")[0]
        return sum(int(ns) for ns in SLEEPTIME.findall(part))
    except (OSError, IndexError):
        with open("/proc/stat", encoding="ascii") as f:
            words = next(line.split() for line in f if line.startswith(f"cpu{cpu} "))
        return (int(words[4]) + int(words[5])) * 10 ** 9 // os.sysconf("SC_CLK_TCK")


def window(bed, case, rate, seconds, counted, extra=()):
    """(nanoseconds not idle, copies counted) while the generator runs at a rate."""
    with bed.flooding(rate, seconds + 1, case, extra):
        time.sleep(0.4)
        n, idle, start = counted(), idle_ns(), time.monotonic_ns()
        time.sleep(seconds)
        idle, end = idle_ns() - idle, time.monotonic_ns()
        n = counted() - n
    return (end - start) * os.cpu_count() - idle, n


def generator(bed, case, cores, rate, seconds, extra=()):
    """Busy nanoseconds per datagram of the generator and of receiving: dropped on arrival."""
    bed.rps(2 if cores == 1 else 0)
    drop = beds.Sink(bed.router, "wan", 1)
    try:
        drop.ask("run", bed.run + 1, case.size)
        busy, n = window(bed, case, rate, seconds,
                         lambda: drop.ask("read")["datagrams"], extra)
    finally:
        drop.close()
        bed.router.run("tc", "qdisc", "del", "dev", "wan0", "clsact")
    return busy / n


def per_copy(bed, contestant, case, rate, seconds, generator_ns, extra=()):
    """Nanoseconds of the whole machine, but for the generator, per copy delivered."""
    busy, n = window(bed, case, rate, seconds,
                     lambda: bed.sink.ask("read")["datagrams"], extra)
    return busy / n - generator_ns / contestant.ports
