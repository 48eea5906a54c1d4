# SPDX-License-Identifier: GPL-2.0-or-later
"""Group join delay and group leave delay (RFC 2432 3.6, RFC 3918 5): the time from a host's report
to the first, or the last, datagram that it gets of a constantly arriving stream. Burdened: at the
same time other ports get half of what the router can forward. Group capacity (RFC 3918 7): how
many groups are forwarded at once."""

import dataclasses
import random
import socket
import time

import bed as beds
import contestants
from cases import Case

GROUPS = 8
SETTLED_NS = 12 * 10 ** 6    # this silence ends a stream; datagrams may collect for 8 ms
# After a fast leave the LAN is asked whether there is another member. A second leave of the same
# group before that is over waits for answers, so it is not fast.
LEFT_S = 1.1


class Zapper:
    """The host at port 0, which changes channels."""

    def __init__(self, bed, seed):
        self.bed, self.rng = bed, random.Random(seed)
        self.sock = bed.sinks.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.channel = None
        self.left = [0.0] * GROUPS    # when each channel was left
        self.join_ns, self.leave_ns = [], []

    def _report(self, kind):
        frame = beds.report(0, [self.channel], kind)
        now = time.monotonic_ns()
        self.sock.sendto(frame, ("s0", 0x800))
        return now

    def _next(self):
        """Returns a channel that was left long enough ago."""
        time.sleep(max(0.0, min(self.left) + LEFT_S - time.monotonic()))
        now = time.monotonic()
        return self.rng.choice([c for c, left in enumerate(self.left) if left + LEFT_S <= now])

    def _watched(self):
        return self.bed.sink.ask("watched", 0)

    def zap(self):
        """Join a channel until its first datagram arrives, then leave it until its last one."""
        self.channel = self._next()
        time.sleep(self.rng.uniform(0, 0.002))   # any phase of the stream
        self.bed.sink.ask("watch", self.channel)
        start = self._report(beds.TO_EX)
        poll(lambda: self._watched()["n"], "the first datagram of a group")
        self.join_ns.append(self._watched()["first"] - start)
        end = self._report(beds.TO_IN)
        self.left[self.channel] = time.monotonic()
        poll(lambda: time.monotonic_ns() - max(end, self._watched()["last"]) > SETTLED_NS,
             "a group that was left ends")
        self.leave_ns.append(max(0, self._watched()["last"] - end))

    def forget(self):
        self.join_ns.clear()
        self.leave_ns.clear()

    def close(self):
        self.sock.close()


def poll(condition, what):
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within 5 s: {what}")
        time.sleep(0.001)


def percentiles(ns):
    ns = sorted(ns)

    def at(p):
        return ns[min(len(ns) - 1, int(len(ns) * p))] / 1e6
    return {"n": len(ns), "min": at(0), "p50": at(0.5), "p99": at(0.99), "max": at(1)}


def zaps(bed, n, rate, burdened, options=(), seed=1):
    """Join and leave n times; returns the milliseconds of both. `rate` is datagrams per second of
    all groups. If `burdened`, the other ports have joined all groups."""
    case = Case(fanout=bed.ports, groups=GROUPS)
    members = range(1, bed.ports) if burdened else ()
    c = contestants.Ringcast(bed, case, 2, ["fast-leave", *options], members)
    zapper = Zapper(bed, seed)
    try:
        with bed.flooding(rate, 3600, case):
            zapper.zap()      # waits until the stream arrives
            zapper.forget()
            for _ in range(n):
                zapper.zap()
    finally:
        zapper.close()
        c.stop()
    return {"rate": rate, "spacing_ms": 1000 * GROUPS / rate, "burdened": burdened,
            "join_ms": percentiles(zapper.join_ns), "leave_ms": percentiles(zapper.leave_ns)}


def capacity(bed, name, groups):
    """Join n groups at port 0, send one datagram to each, and count those forwarded."""
    case = dataclasses.replace(Case(), fanout=1, groups=groups)
    start = time.monotonic()
    c = contestants.BY_NAME[name](bed, case, 1)
    took = time.monotonic() - start
    try:
        rate = 20000
        f = bed.flood(rate, groups / rate, case, ("--count", str(groups)))
        t = bed.sink.ask("wait", f["sent"], 200)
        memory = c.memory() if name == "ringcastd" else None
    finally:
        c.stop()
    return {"contestant": name, "groups": groups, "sent": f["sent"],
            "forwarded": t["datagrams"], "ready_s": took, "memory": memory}
