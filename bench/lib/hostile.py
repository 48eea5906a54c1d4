# SPDX-License-Identifier: GPL-2.0-or-later
"""The part `hostile` of bench/stress: sends what a hostile host may send, and measures the effect
on honest hosts of the same LAN and of another one. Each row has a daemon of its own."""

import contextlib
import json
import random
import socket
import struct
import subprocess
import time

import bed as beds
import ctl_bed
import lab

IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)
PREY = "239.66.0.1"           # a group with many sources, or one that is left again and again
PREY6 = "ff15::66:1"
ATTACKER, MAC = "10.0.1.66", bytes.fromhex("020000000066")
VICTIM = "10.0.1.2"           # the honest host that zaps
JUMBO = 9000
CHANNELS = 8
PATIENCE = 2                  # seconds; a join that takes longer is lost
KNOWN = 1024                  # sources of PREY


def _sum(octets, at):
    return octets[:at] + struct.pack("!H", beds.inet_sum(octets)) + octets[at + 2:]


def _frame(source, to, message, mac=MAC):
    ip = struct.pack("!BBHHHBBH4s4sI", 0x46, 0xc0, 24 + len(message), 0, 0, 1, 2, 0,
                     socket.inet_aton(source), socket.inet_aton(to), 0x94040000)
    to = socket.inet_aton(to)
    return (b"\x01\x00\x5e" + bytes([to[1] & 0x7f]) + to[2:] + mac + b"\x08\x00" +
            _sum(ip, 10) + message)


def _report(records, source=ATTACKER, mac=MAC):
    """Records are (type, group, sources)."""
    m = struct.pack("!BBHHH", 0x22, 0, 0, 0, len(records))
    for kind, group, sources in records:
        m += struct.pack("!BBH4s", kind, 0, len(sources), socket.inet_aton(group))
        m += b"".join(map(socket.inet_aton, sources))
    return _frame(source, "224.0.0.22", _sum(m, 2), mac)


def _report6(records):
    """The same for MLD."""
    a, to = (socket.inet_pton(socket.AF_INET6, x) for x in ("fe80::66", "ff02::16"))
    m = struct.pack("!BBHHH", 143, 0, 0, 0, len(records))
    for kind, group, sources in records:
        m += struct.pack("!BBH16s", kind, 0, len(sources),
                         socket.inet_pton(socket.AF_INET6, group))
        m += b"".join(socket.inet_pton(socket.AF_INET6, s) for s in sources)
    pseudo = a + to + struct.pack("!IHBB", len(m), 0, 0, 58)
    m = m[:2] + struct.pack("!H", beds.inet_sum(pseudo + m)) + m[4:]
    ip = struct.pack("!IHBB", 0x60000000, 8 + len(m), 0, 1) + a + to
    return (bytes.fromhex("333300000016") + MAC + b"\x86\xdd" + ip +
            bytes.fromhex("3a00050200000100") + m)


def _query(max_resp):
    m = _sum(struct.pack("!BBH4s", 0x11, max_resp, 0, bytes(4)), 2)
    return _frame("10.0.0.1", "224.0.0.1", m)


def _group(n):
    return f"239.{70 + n // 65536}.{n // 256 % 256}.{n % 256}"


def _source(n):
    return f"198.{18 + n // 65025}.{n // 255 % 255}.{n % 255 + 1}"


def _known(n):
    return [_source(i) for i in range(n)]


def _random_groups(n, kind, some):
    return [(kind, _group(some.randrange(1 << 19)), ()) for _ in range(n)]


def _prepare_sources():
    known = _known(KNOWN)
    return [_report([(ALLOW, PREY, known[i:i + 256])]) for i in range(0, KNOWN, 256)]


def _prepare_sources6():
    return [_report6([(ALLOW, PREY6, [f"2001:db8:9::{n * 64 + i:x}" for i in range(64)])])
            for n in range(KNOWN // 64)]


# ---- shapes ---- Each function yields (description, frames that prepare, frames that are
# repeated). Its argument is the victim's MAC address.

def _dear(_):
    """Reports that cause much work."""
    prepare, known = _prepare_sources(), _known(120)
    yield "182 x BLOCK{}", prepare, [_report([(BLOCK, PREY, ())] * 182)]
    yield "182 x ALLOW{}", prepare, [_report([(ALLOW, PREY, ())] * 182)]
    yield "120 x ALLOW{known}", prepare, [_report([(ALLOW, PREY, (s,)) for s in known])]
    yield "22 x ALLOW{new}", prepare, [
        _report([(ALLOW, PREY, (_source(2000 + n * 22 + i),)) for i in range(22)])
        for n in range(500)]
    yield "71 x BLOCK{}, MLD", _prepare_sources6(), [_report6([(BLOCK, PREY6, ())] * 71)]
    yield "182 x TO_EX of new groups", [], [
        _report([(TO_EX, _group(n * 182 + i), ()) for i in range(182)]) for n in range(500)]
    yield "1,115 x BLOCK{}, jumbo", prepare, [_report([(BLOCK, PREY, ())] * 1115)]
    yield "1,115 x TO_EX of new groups, jumbo", [], [
        _report([(TO_EX, _group(n * 1115 + i), ()) for i in range(1115)]) for n in range(100)]


def _forged(victim):
    """Reports in the name of other hosts, existing or not."""
    some = random.Random(1)
    yield "empty, the victim's MAC", [], [_report([], ATTACKER, victim)]
    yield "empty, its MAC and IP", [], [_report([], VICTIM, victim)]
    yield "random groups, its MAC and IP", [], [
        _report(_random_groups(1, TO_IN, some), VICTIM, victim) for _ in range(20000)]
    yield "182 x random groups, its MAC and IP", [], [
        _report(_random_groups(182, TO_EX, some), VICTIM, victim) for _ in range(500)]
    yield "182 x random groups, 1,000 made-up hosts", [], [
        _report(_random_groups(182, TO_EX, some), f"10.0.1.{some.randrange(3, 250)}",
                b"\x02\x09" + some.randbytes(4)) for _ in range(1000)]
    yield "random groups, 20,000 made-up hosts", [], [
        _report(_random_groups(1, TO_EX, some), f"10.0.1.{some.randrange(3, 250)}",
                b"\x02\x09" + some.randbytes(4)) for _ in range(20000)]


def _hoards(_):
    """Reports that fill a table."""
    groups = [_report([(TO_EX, _group(n * 182 + i), ()) for i in range(182)],
                      "10.0.1.66" if n < 67 else "10.0.1.67") for n in range(92)]
    yield "groups of two addresses", [], groups
    yield "342 sources in each of 3,300 groups", [], [
        _report([(ALLOW, _group(n), [_source(n * 342 + i) for i in range(342)])])
        for n in range(3300)]


def _amplified(_):
    """Reports that make the router send."""
    yield "182 x TO_IN of a group that exists", [], [
        _report([(TO_EX, PREY, ())]), _report([(TO_IN, PREY, ())] * 182)]
    yield "91 x TO_EX, TO_IN of one group", [], [
        _report([(TO_EX, PREY, ()), (TO_IN, PREY, ())] * 91)]
    yield "TO_EX, TO_IN of 182 groups", [], [
        _report([(kind, _group(i), ()) for i in range(182)]) for kind in (TO_EX, TO_IN)]


def _provider(_):
    """Queries from the provider's side, with 1,000 groups joined."""
    yield "v2 queries, max-resp 1, of the provider", None, [_query(1)]


KINDS = (_dear, _forged, _hoards, _amplified, _provider)


# ---- measuring ----

def _start(ns, interface, frames, rate, seconds):
    p = ns.popen("taskset", "-c", "0", beds.tool("bench_frames"), "--interface", interface,
                 "--rate", str(rate), "--seconds", str(seconds), stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE)
    p.stdin.buffer.write(b"".join(struct.pack("!H", len(f)) + f for f in frames))
    p.stdin.close()
    p.stdin = None    # so that communicate() does not use the closed pipe
    return p


def _mac(ns):
    row, = json.loads(ns.ip("-j", "link", "show", "eth0").stdout)
    mac = bytearray.fromhex(row["address"].replace(":", ""))
    mac[5] ^= 1    # the first host of bench_igmp
    return bytes(mac)


@contextlib.contextmanager
def _bed(name, lines):
    bed = ctl_bed.Bed(ipv6=True)
    try:
        bed.router.ip("link", "set", "lan1", "mtu", str(JUMBO))
        bed.lan[1].ip("link", "set", "eth0", "mtu", str(JUMBO))
        c = ctl_bed.BY_NAME[name](bed, lines, limits=True)
        try:
            time.sleep(1)
            yield bed, c
        finally:
            c.stop()
    finally:
        bed.close()


def _zaps(bed, c, seconds):
    """Zap with an honest host of each LAN at the same time."""
    how = {"groups": CHANNELS, "count": max(int(seconds * 20), 20)}
    first = {1: 0, 2: 0}
    if c.name != "ringcastd":
        # a leave takes seconds, so each channel is joined once and kept, and no channel is on both
        # LANs
        how = {"groups": CHANNELS // 2, "count": CHANNELS // 2, "keep": True}
        first[2] = CHANNELS // 2
    runs = [bed.start_hosts(lan, "zap", patience=PATIENCE, first=first[lan], **how)
            for lan in (1, 2)]
    return {f"lan{lan}": bed.result(p) for lan, p in zip((1, 2), runs)}


def _row(name, args, watched, kind, index):
    """Measure one shape, given by kind and number."""
    seconds = min(args.seconds, 10)
    with _bed(name, args.option) as (bed, c), contextlib.ExitStack() as stack:
        shape, prepare, frames = list(kind(_mac(bed.lan[1])))[index]
        stream = bed.start_flood(CHANNELS, CHANNELS * 1000, 3600)
        stack.callback(_end, stream)
        if prepare is None:
            bed.hosts(1, "join", groups=1000, rate=1000, hosts=100, first=1000, host=1)
            where = bed.provider, "p0"
        else:
            where = bed.lan[1], "eth0"
            if prepare:
                _start(*where, prepare, 200, len(prepare) / 200).wait()
        time.sleep(1)
        seen = watched(bed, seconds)
        sent, control, cpu, start = c.sent(), c.control_ns(), c.cpu_ns(), time.monotonic()
        load = _start(*where, frames, args.attack, seconds + 1)
        stack.callback(_end, load)
        time.sleep(0.3)
        row = {"contestant": name, "shape": shape, "zaps": _zaps(bed, c, seconds / 2)}
        row["stream"] = seen.result()
        load.wait()
        took = time.monotonic() - start
        row["attack"] = bed.result(load)
        row["control_percent"] = (c.control_ns() - control) / took / 1e7
        row["cpu_percent"] = (c.cpu_ns() - cpu) / took / 1e7
        if sent is not None:
            row["out_per_in"] = (c.sent() - sent) / max(row["attack"]["sent"], 1)
        row["counted"] = c.counted()
        row["memory"] = c.memory()
    return row


def _end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def rows(name, args, watched):
    """Yield a row for each shape whose name contains --shape. `watched` starts a running
    stream."""
    for kind in KINDS:
        shapes = [shape for shape, _, _ in kind(MAC)]
        for index, what in enumerate(shapes):
            if args.shape in what:
                yield _row(name, args, watched, kind, index)


def _zap_words(z):
    d = z.get("join_us")
    if not d:
        return f"none of {z['zaps']} joins"
    return (f"{d['p50'] / 1000:.1f}, {d['p99'] / 1000:.1f} ms, {z['never']} of {z['zaps']} lost")


def words(row):
    total = row["stream"].get("total", row["stream"])
    out = f"{row['out_per_in']:.3f}" if "out_per_in" in row else "-"
    return (f"{row['contestant']:>10} {row['shape']} at {row['attack']['rate']:.0f}/s: "
            f"same LAN {_zap_words(row['zaps']['lan1'])}; other LAN "
            f"{_zap_words(row['zaps']['lan2'])}; stream lost {total['lost']} of "
            f"{total['lost'] + total['received']}; control {row['control_percent']:.0f} %, all "
            f"{row['cpu_percent']:.0f} %; {out} frames out per frame in; "
            f"{row['memory'] / 2 ** 20:.0f} MiB; {row['counted']}")
