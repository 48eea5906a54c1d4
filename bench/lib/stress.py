# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/stress: measures what hostile or careless neighbours can do to ringcastd and to igmpproxy,
in private namespaces."""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))

# pylint: disable=wrong-import-position
import bed as beds      # noqa: E402
import ctl_bed          # noqa: E402
import hostile          # noqa: E402
import hostile_web      # noqa: E402
import lab              # noqa: E402
import ringcast         # noqa: E402

CHANNELS = 8
STREAM = "239.3.0.1"      # the watched stream; other groups belong to the bench programs
STREAM_RATE = 1000
STORM_FIRST = 1000        # group numbers of the storm begin here
PARTS = ("storm", "shouter", "overload", "queries", "restart", "hostile", "web")


def options():
    p = argparse.ArgumentParser(prog="bench/stress", description=__doc__)
    p.add_argument("--part", action="append", choices=PARTS)
    p.add_argument("--contestant", action="append", choices=list(ctl_bed.BY_NAME))
    p.add_argument("--seconds", type=float, default=30, help="of each load (overload: twice that)")
    p.add_argument("--rate", type=int, default=50000, help="messages per second of a storm")
    p.add_argument("--hosts", type=int, default=1000, help="that make the storm")
    p.add_argument("--attack", type=int, default=10000,
                   help="frames per second of each hostile shape")
    p.add_argument("--shape", default="", help="hostile, web: those with this in their name only")
    p.add_argument("--option", action="append", default=[], metavar="LINE",
                   help="a line for ringcastd's configuration")
    p.add_argument("--json", metavar="FILE", help="write what was found")
    args = p.parse_args()
    args.contestant = args.contestant or list(ctl_bed.BY_NAME)
    args.part = args.part or list(PARTS)
    return args


@contextlib.contextmanager
def _started(name, lines):
    bed = ctl_bed.Bed()
    try:
        c = ctl_bed.BY_NAME[name](bed, lines, limits=True)
        try:
            time.sleep(1)
            yield bed, c
        finally:
            c.stop()
    finally:
        bed.close()


def _end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


class Watched:
    """A stream of 1000 datagrams per second that a host of lan2 has joined through its kernel. The
    receiver counts what loss() returns."""

    def __init__(self, bed, seconds):
        tool = ringcast.binary("ringcast-gen")
        self.receiver = bed.lan[2].popen(
            tool, "receive", "-m", STREAM, "--interface", "eth0", "--seconds", str(seconds + 2),
            "--json", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(1)    # until the group is joined and forwarded
        self.sender = bed.provider.popen(
            tool, "send", "-m", STREAM, "--interface", "p0", "--rate", str(STREAM_RATE), "-t", "8",
            "--seconds", str(seconds), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def result(self):
        out = json.loads(self.receiver.communicate()[0].splitlines()[-1])
        self.sender.wait()
        return out


def _lost(report):
    total = report.get("total", report)
    return {"received": total["received"], "lost": total["lost"]}


def _zaps(bed, c, lan, seconds):
    """Zap with a well-behaved host for about that time; returns the delays of its joins. igmpproxy
    takes seconds to leave, and a lost join costs a wait. Therefore each channel is joined once and
    kept."""
    if c.name != "ringcastd":
        return bed.hosts(lan, "zap", groups=CHANNELS, count=CHANNELS, keep=True)
    return bed.hosts(lan, "zap", groups=CHANNELS, count=max(int(seconds * 20), 20))


def storm(name, args):
    """Many hosts of lan1 send reports while a well-behaved one of the same LAN zaps and a host of
    lan2 watches a stream."""
    return _measure_storm(name, args, hosts=args.hosts, rate=args.rate)


def shouter(name, args):
    """The same as storm(), from a single host at the same rate."""
    return _measure_storm(name, args, hosts=1, rate=args.rate)


def _measure_storm(name, args, hosts, rate):
    row = {"contestant": name, "rate": rate, "hosts": hosts, "seconds": args.seconds}
    with _started(name, args.option) as (bed, c), contextlib.ExitStack() as stack:
        stream = bed.start_flood(CHANNELS, CHANNELS * 1000, 3600)
        stack.callback(_end, stream)
        row["memory_before"] = c.memory()
        for when in ("alone", "during"):
            if when == "during":
                load = bed.start_hosts(1, "churn", groups=10000, rate=rate, first=STORM_FIRST,
                                       seconds=args.seconds + 3, hosts=hosts, host=1)
                stack.callback(_end, load)
                time.sleep(0.5)
            watched = Watched(bed, args.seconds)
            cpu, start = c.cpu_ns(), time.monotonic()
            row[when] = {"zaps": _zaps(bed, c, 1, min(args.seconds, 10)),
                         "stream": _lost(watched.result()),
                         "cpu_percent": (c.cpu_ns() - cpu) / (time.monotonic() - start) / 1e7}
            row["memory_" + when] = c.memory()
        row["counted"] = c.counted()
    return row


def overload(name, args):
    """Send more data than can be forwarded: joins must work, losses must be counted, and
    afterwards everything must be as before."""
    row = {"contestant": name, "seconds": 2 * args.seconds}
    with _started(name, args.option) as (bed, c), contextlib.ExitStack() as stack:
        bed.hosts(1, "join", groups=1, first=500, rate=1000)
        bed.hosts(2, "join", groups=1, first=500, rate=1000)
        stream = bed.start_flood(CHANNELS, CHANNELS * 1000, 3600)
        stack.callback(_end, stream)
        row["alone"] = _zaps(bed, c, 1, 5)
        # the generator's highest rate, which is more than a router on one core forwards
        load = bed.start_flood(1, 10_000_000, 2 * args.seconds, "--first", "500", "--spin")
        stack.callback(_end, load)
        time.sleep(0.5)
        row["during"] = _zaps(bed, c, 1, min(2 * args.seconds, 10))
        load.wait()
        row["counted"] = c.counted()
        row["recovery_s"] = _recovery(bed)
    return row


def _recovery(bed):
    """Returns the seconds from the end of the load until a stream arrives without loss."""
    start = time.monotonic()
    tool = ringcast.binary("ringcast-gen")
    while True:
        sender = bed.provider.popen(
            tool, "send", "-m", STREAM, "--interface", "p0", "--rate", "1000", "-t", "8",
            "--seconds", "1.5", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        r = bed.lan[2].run(tool, "receive", "-m", STREAM, "--interface", "eth0", "--seconds", "1",
                           "--json", check=False)
        sender.wait()
        found = _lost(json.loads(r.stdout.splitlines()[-1]))
        if found["received"] > 500 and not found["lost"]:
            return began - start
        if time.monotonic() - start > 60:
            return None


def queries(name, args):
    """Send general queries from the provider's side at the highest rate, and count the reports
    that answer."""
    row = {"contestant": name}
    packet = _query()
    with _started(name, args.option) as (bed, c):
        bed.hosts(1, "join", groups=1000, rate=1000, hosts=100)
        time.sleep(2)
        with bed.provider.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800)) as s:
            s.bind(("p0", 0x800))
            s.setblocking(False)
            cpu, end, n = c.cpu_ns(), time.monotonic() + args.seconds, 0
            start, answers = time.monotonic(), 0
            while time.monotonic() < end:
                for _ in range(50):
                    with contextlib.suppress(BlockingIOError):
                        n += s.send(packet) > 0
                answers += _reports(s)
            row["queries"] = n
            row["rate"] = n / (time.monotonic() - start)
            row["cpu_percent"] = (c.cpu_ns() - cpu) / (time.monotonic() - start) / 1e7
            row["answers_per_s"] = answers / args.seconds
        row["counted"] = c.counted()
    return row


def _query():
    """Returns a frame with a general query of IGMPv3, to be answered within 0.1 s."""
    igmp = struct.pack("!BBH4sBBH", 0x11, 1, 0, bytes(4), 2, 125, 0)
    igmp = igmp[:2] + struct.pack("!H", beds.inet_sum(igmp)) + igmp[4:]
    ip = struct.pack("!BBHHHBBH4s4sI", 0x46, 0xc0, 24 + len(igmp), 0, 0, 1, 2, 0,
                     bytes((10, 0, 0, 1)), bytes((224, 0, 0, 1)), 0x94040000)
    ip = ip[:10] + struct.pack("!H", beds.inet_sum(ip)) + ip[12:]
    return bytes.fromhex("01005e000001020000000001") + b"\x08\x00" + ip + igmp


def _reports(sock):
    n = 0
    while True:
        try:
            frame = sock.recv(2048)
        except BlockingIOError:
            return n
        n += frame[23] == 2 and frame[38] in (0x16, 0x22, 0x12)


def restart(name, args):
    """Run kill -9 and an immediate restart during a stream, and measure the interruption."""
    gaps = []
    for _ in range(3):
        with _started(name, args.option) as (bed, c):
            watched = Watched(bed, 15)
            time.sleep(2)
            c.kill()
            c.again()
            found = watched.result()
            gaps.append(_lost(found)["lost"] / STREAM_RATE)
    return {"contestant": name, "gaps_s": gaps, "gap_s": statistics.median(gaps)}


# ---- texts ----

def _zap_words(z):
    d = z.get("join_us")
    if not d:
        return f"{z['zaps']} zaps, none forwarded"
    return (f"{z['zaps']} zaps, {z['never']} never, join p50 {d['p50'] / 1000:.1f} p99 "
            f"{d['p99'] / 1000:.1f} max {d['max'] / 1000:.1f} ms")


def words(part, r):
    if part == "hostile":
        return hostile.words(r)
    if part == "web":
        return hostile_web.words(r)
    if part in ("storm", "shouter"):
        lines = [f"{r['contestant']:>10} {part}: {r['rate']} messages/s of {r['hosts']} host(s) "
                 f"for {r['seconds']:.0f} s"]
        for when in ("alone", "during"):
            w = r[when]
            lines.append(f"           {when:>6}: {_zap_words(w['zaps'])}; stream lost "
                         f"{w['stream']['lost']} of {w['stream']['lost'] + w['stream']['received']}"
                         f"; {w['cpu_percent']:.0f} % CPU, {r['memory_' + when] / 2 ** 20:.1f} MiB")
        return "\n".join(lines) + f"\n           counted: {r['counted']}"
    if part == "overload":
        recovery = "never" if r["recovery_s"] is None else f"{r['recovery_s']:.2f} s"
        return (f"{r['contestant']:>10} overload for {r['seconds']:.0f} s: alone "
                f"{_zap_words(r['alone'])}\n           during {_zap_words(r['during'])}\n"
                f"           without loss again after {recovery}; counted: {r['counted']}")
    if part == "queries":
        return (f"{r['contestant']:>10} {r['queries']} queries ({r['rate']:.0f}/s): "
                f"{r['answers_per_s']:.1f} reports/s, {r['cpu_percent']:.0f} % CPU")
    return (f"{r['contestant']:>10} kill -9 and restart: gap {r['gap_s']:.2f} s "
            f"({', '.join(f'{g:.2f}' for g in r['gaps_s'])})")


def _rows(part, name, args):
    if part == "hostile":
        yield from hostile.rows(name, args, Watched)
    elif part == "web":
        if name == "ringcastd":    # the other has no page
            yield from hostile_web.rows(args)
    else:
        yield globals()[part](name, args)


def main():
    args = options()
    found = {}
    try:
        lab.enter()
        for part in args.part:
            found[part] = []
            for name in args.contestant:
                for row in _rows(part, name, args):
                    found[part].append(row)
                    print(words(part, row), flush=True)
    except (lab.LabError, FileNotFoundError) as e:
        print(f"cannot measure here: {e}")
        return 77
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
