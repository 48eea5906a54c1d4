# SPDX-License-Identifier: GPL-2.0-or-later
"""Latency of datagrams (RFC 2544 26.2). Each datagram carries the time at which it was sent, and
the counting program records the time of arrival. Datagrams are evenly spaced and sent one by
one."""

import time

EXTRA = ("--stamp", "--spin", "--tick", "1")
UNITS = ("min", "p50", "p99", "p999", "max")


def measure(bed, contestant, case, copies, part, seconds):
    """Returns microseconds at `part` of `copies` per second."""
    rate = copies * part / contestant.ports
    f = bed.flood(rate, seconds, case, EXTRA)
    t = bed.sink.ask("wait", f["sent"] * contestant.ports // bed.ports, 50)
    row = {unit: t["latency"][unit] / 1000 for unit in UNITS}
    row.update(part=part, rate=f["sent"] / f["seconds"],
               missing=f["sent"] * contestant.ports - t["datagrams"])
    return row


def burdened(bed, contestant, case, others, copies, seconds):
    """Returns microseconds for a stream of 1000 datagrams per second, while `others`, the other
    groups, arrive at `copies` per second (RFC 2432 3.6.2)."""
    rate = 1000
    with bed.flooding(copies / contestant.ports, seconds + 2, others, ("--first", "1")):
        time.sleep(0.2)
        f = bed.flood(rate, seconds, case, ("--stamp", "--tick", "1"), same_run=True)
    t = bed.sink.ask("read")
    row = {unit: t["latency"][unit] / 1000 for unit in UNITS}
    row.update(rate=rate, load=copies,
               missing=f["sent"] * contestant.ports - t["latency"]["n"])
    return row
