# SPDX-License-Identifier: GPL-2.0-or-later
"""Processor time per copy. The generator alone runs on core 0. Core 1 runs the router and
everything that belongs to it: softirqs, threads, sinks. Therefore the time in which core 1 is not
idle is the time of the whole machine without the generator, and nothing has to be subtracted. The
kernel's idle time is exact, because it is stamped when a processor falls asleep and wakes up; user
and system time count ticks."""

import os
import re
import time

ROUTER = 1
SLEEPTIME = re.compile(r"\.(?:idle|iowait)_sleeptime *: *(\d+)")


def idle_ns():
    """Returns the idle time of the router's core until now."""
    home = os.sched_getaffinity(0)
    try:
        # reading on that processor wakes it up, which completes its count
        os.sched_setaffinity(0, {ROUTER})
        return _idle_of(ROUTER)
    finally:
        os.sched_setaffinity(0, home)


def _idle_of(cpu):
    try:
        with open("/proc/timer_list", encoding="ascii") as f:
            part = f.read().split(f"\ncpu: {cpu}\n")[1].split("\ncpu: ")[0]
        return sum(int(ns) for ns in SLEEPTIME.findall(part))
    except (OSError, IndexError):
        with open("/proc/stat", encoding="ascii") as f:
            words = next(line.split() for line in f if line.startswith(f"cpu{cpu} "))
        return (int(words[4]) + int(words[5])) * 10 ** 9 // os.sysconf("SC_CLK_TCK")


def per_copy(bed, case, rate, seconds, extra=()):
    """Returns nanoseconds of the router's core per delivered copy."""
    with bed.flooding(rate, seconds + 1, case, extra):
        time.sleep(0.3)
        n, idle, start = bed.sink.ask("read")["datagrams"], idle_ns(), time.monotonic_ns()
        time.sleep(seconds)
        idle, end = idle_ns() - idle, time.monotonic_ns()
        n = bed.sink.ask("read")["datagrams"] - n
    return (end - start - idle) / n
