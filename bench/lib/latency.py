# SPDX-License-Identifier: GPL-2.0-or-later
"""Latency of datagrams (RFC 2544 26.2): each carries the time of its sending, the counting
program takes the time of its arrival. Datagrams are spaced evenly, one send for each."""

EXTRA = ("--stamp", "--spin", "--tick", "1")
UNITS = ("min", "p50", "p99", "p999", "max")


def measure(bed, contestant, case, copies, part, seconds):
    """Microseconds at `part` of `copies` per second."""
    rate = copies * part / contestant.ports
    f = bed.flood(rate, seconds, case, EXTRA)
    t = bed.sink.ask("wait", f["sent"] * contestant.ports // bed.ports, 50)
    row = {unit: t["latency"][unit] / 1000 for unit in UNITS}
    row.update(part=part, rate=f["sent"] / f["seconds"],
               missing=f["sent"] * contestant.ports - t["datagrams"])
    return row
