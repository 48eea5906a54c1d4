# SPDX-License-Identifier: GPL-2.0-or-later
"""Television with evenly spaced streams at a given rate. The measurement is the time in which the
router's core is not idle (cpu.py), over a window that is long enough: at 6,400 copies per second,
a copy of a microsecond takes 0.6 % of the core. An equal window without traffic is measured
before, and mroute is measured twice, so that the table shows the noise."""

import time

import bed as beds
import cpu

AGAIN = "mroute again"


def _wakeups(contestant):
    if contestant.name != "ringcastd":
        return None
    s = contestant.daemon.show("stats")
    return s["wakeups"], s["joining"]["datagrams"], s["joining"]["messages"], time.monotonic()


def _copies(counted):
    return counted["datagrams"] + counted["fec"]


class _Window:
    """Idle and busy time of the router's core during a pause of `seconds`."""

    def __init__(self, seconds):
        idle, start = cpu.idle_ns(), time.monotonic_ns()
        time.sleep(seconds)
        idle, end = cpu.idle_ns() - idle, time.monotonic_ns()
        self.ns = end - start
        self.busy_ns = max(0, self.ns - idle)


def measure(bed, contestant, case, rate, seconds):
    """Measure one contestant at `rate` datagrams per second."""
    quiet = _Window(min(seconds, 1.0))
    with bed.flood_during(rate, seconds + 1.5, case, ("--stamp",)) as said:
        time.sleep(0.5)
        before = _wakeups(contestant)
        n = _copies(bed.sink.ask("read"))
        window = _Window(seconds)
        n, after = _copies(bed.sink.ask("read")) - n, _wakeups(contestant)
    due = said[0]["sent"] * contestant.ports
    t = bed.sink.ask("wait", -(-due // bed.ports), beds.QUIET_MS)
    due += said[0]["fec"] * contestant.ports
    if t["corrupt"] or t["late"] or t["duplicate"]:
        raise AssertionError(f"duplicate, late or corrupt datagrams: {t}")
    row = {"ns": window.busy_ns / n if n else float("inf"),
           "quiet": quiet.busy_ns / quiet.ns, "copies": n * 1e9 / window.ns,
           "offered": said[0]["sent"] / said[0]["seconds"], "delivered": _copies(t) / due,
           "p50_ms": t["latency"]["p50"] / 1e6, "p99_ms": t["latency"]["p99"] / 1e6,
           "wakeups": None, "joined": None, "memory": None}
    if before:
        row["memory"] = contestant.memory()
        row["wakeups"] = (after[0] - before[0]) / (after[3] - before[3])
        row["joined"] = (after[1] - before[1]) / max(1, after[2] - before[2])
    return row
