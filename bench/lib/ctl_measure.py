# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurements of bench/ctl. Each has its own daemon and bed."""

import contextlib
import time

import ctl_bed

CHANNELS = 8
RATES = (1000, 2000, 5000, 10000, 20000, 50000, 100000)
SPACING_RATE = 1000      # datagrams per second of each channel
QUIET_NS = 2 * 10 ** 6   # processor time in QUIET_S; a process that used less is idle
QUIET_S = 0.3


@contextlib.contextmanager
def _started(name, options):
    bed = ctl_bed.Bed()
    try:
        c = ctl_bed.BY_NAME[name](bed, options)
        try:
            time.sleep(1)    # do not measure the work of the start
            yield bed, c
        finally:
            c.stop()
    finally:
        bed.close()


def _settle(c, seconds):
    """Wait until the process is idle, but at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = c.cpu_ns()
        time.sleep(QUIET_S)
        if c.cpu_ns() - before < QUIET_NS:
            return


def groups(name, n, rate, options=()):
    """Join n groups on one LAN. Measures the processor time of each join, including all later work
    (such as the repeated report to the provider), memory, how many are forwarded, and the cost
    while idle."""
    with _started(name, options) as (bed, c):
        cpu, memory = c.cpu_ns(), c.memory()
        bed.hosts(1, "join", groups=n, rate=rate, hosts=100)
        time.sleep(1.2)      # until the last joins have been repeated to the provider
        # a daemon that never becomes idle is charged for the time until here
        joined = c.cpu_ns()
        _settle(c, 5)
        grown, now = c.memory(), c.cpu_ns()
        start = time.monotonic()
        time.sleep(3)
        idle = (c.cpu_ns() - now) / (time.monotonic() - start) / 1e9
        forwarded = _forwarded(bed, n)
        return {"contestant": name, "groups": n, "rate": rate,
                "cpu_us": (joined - cpu) / n / 1000, "idle_percent": 100 * idle,
                "memory": grown, "bytes_per_group": (grown - memory) / n,
                "forwarded": forwarded}


def _forwarded(bed, n):
    """Returns how many groups reach the LAN if a datagram of each is sent three times, because the
    kernel makes the route only after the first one."""
    rate = min(5000, max(n, 1000))
    seconds = max(3 * n / rate, 1)
    with bed.start_hosts(1, "watch", groups=n, seconds=seconds + 1.5) as watch:
        watch.stdout.readline()
        flood = bed.start_flood(n, rate, seconds)
        found = bed.result(watch)
        flood.wait()
    return found["groups"]


def rate(name, options=()):
    """Find the highest rate of reports at which none is lost for a second; hosts leave and join
    1000 groups."""
    row = {"contestant": name, "reports": 0, "tries": []}
    for r in RATES:
        with _started(name, options) as (bed, c):
            bed.hosts(1, "join", groups=1000, rate=1000, hosts=100)
            _settle(c, 5)
            before, cpu = c.dropped(), c.cpu_ns()
            sent = bed.hosts(1, "churn", groups=1000, rate=r, seconds=1, hosts=100)
            dropped = c.dropped() - before
            row["tries"].append({"rate": r, "dropped": dropped, "sent_rate": sent["rate"],
                                 "cpu_us": (c.cpu_ns() - cpu) / sent["sent"] / 1000})
        if dropped:
            break
        row["reports"] = r
    return row


def zaps(name, n, flood, options=()):
    """A well-behaved host of lan2 zaps among running channels while `flood` reports per second
    come from lan1."""
    how = {"groups": CHANNELS, "count": n}
    channels = CHANNELS
    if name != "ringcastd":
        # a leave takes igmpproxy seconds, so each channel is joined once and kept
        channels = 5 if flood else 20    # a lost join costs a wait of 10 s
        how = {"groups": channels, "count": channels, "keep": True}
    with _started(name, options) as (bed, c), contextlib.ExitStack() as stack:
        stream = bed.start_flood(channels, channels * SPACING_RATE, 3600)
        stack.callback(_end, stream)
        if flood:
            churn = bed.start_hosts(1, "churn", groups=1000, rate=flood, seconds=3600,
                                    hosts=100, first=1000)
            stack.callback(_end, churn)
            time.sleep(0.3)
        found = bed.hosts(2, "zap", **how)
    return {"contestant": name, "flood": flood, **found}


def _end(process):
    process.kill()
    process.wait()
