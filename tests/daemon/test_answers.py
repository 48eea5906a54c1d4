#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""F7, F12: large tables and greedy clients of the control socket while members are served.
RINGCAST_ANSWERS=500000 sets the number of entries."""

import contextlib
import json
import os
import socket
import subprocess
import time

from libnetns import (FAST, GROUP, WAN, case, first_after, lab, main, ringcast,
                      wait_datagrams, wait_for)
from packets import Wire, group_mac, igmp3_report, ipv4

N = int(os.environ.get("RINGCAST_ANSWERS", 50000))
PER_REPORT = 320
OPEN = FAST + "".join(f"{limit} 0\n" for limit in (
    "max-groups", "max-groups-per-host", "max-sources", "message-rate", "host-message-rate"))
LANS = "phyint lan1 downstream\nphyint lan2 downstream\n"
REPORT_TO = "224.0.0.22"
MIB = 1 << 10  # in kB


def memory(d, key):
    """A value of the daemon's memory in kB."""
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith(key)).split()[1])


def forget_peak(d):
    with open(f"/proc/{d.process.pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def connect(d):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(d.socket)
    return s


def ask(d, request):
    """Returns (the reply, seconds)."""
    start = time.monotonic()
    with connect(d) as s:
        s.sendall(request.encode() + b"\n")
        out = bytearray()
        while not out.endswith(b"\n"):
            got = s.recv(1 << 20)
            assert got, f"{request}: closed after {len(out)} bytes"
            out += got
    return json.loads(out), time.monotonic() - start


def fill(b, t, d):
    """Report N sources from many hosts; the membership lasts longer than the test."""
    wire = b.own(Wire(t.hosts["lan1"], "eth0"))

    def entries():
        return ask(d, "show stats")[0]["fib_entries"]
    groups = -(-N // PER_REPORT)
    for i in range(groups):
        group = f"232.1.{i >> 8}.{i & 255}"
        sources = [f"192.{k >> 8}.{k & 255}.1" for k in range(PER_REPORT)]
        packet = ipv4(f"10.0.1.{2 + i % 200}", REPORT_TO, 2,
                      igmp3_report((5, group, sources)))
        wire.sock.send(group_mac(packet) + bytes((2, 0, 0, 0, 1, 2 + i % 200)) +
                       b"\x08\0" + packet)
        if i % 50 == 49:
            wait_for(60, lambda n=i: entries() >= n * PER_REPORT, "the sources are taken")
    wait_for(60, lambda: entries() >= N, "all sources are taken")


def large(b):
    t = b.topology()
    slow = OPEN.replace("query-interval 3", "query-interval 600")
    d = b.run(t, slow + WAN + LANS, verbose=False)
    b.stream(t)
    fill(b, t, d)
    r = b.receiver(t.hosts["lan2"], join=False)
    return t, d, r


def join_times(r, until):
    """Join until the condition holds; returns how many milliseconds each join took."""
    out = []
    while not until() or not out:
        out.append(first_after(r, r.join, seconds=60))
        r.leave()
        with contextlib.suppress(BlockingIOError):
            while r.sock.recv(2048):
                pass
    return out


@case("F7 large tables arrive whole and take little memory, and members are served meanwhile")
def tables(b):
    _, d, r = large(b)
    r.join()
    wait_datagrams(r)
    for request, rows in (
            ("show groups", lambda j: sum(len(g["sources"]) for g in j["groups"])),
            ("show mfc", lambda j: len(j["mfc"])),
            ("show upstream", lambda j: sum(len(g["sources"]) for g in j["upstream"][0]["groups"])),
            ("show top sort group offset 40000 limit 500", lambda j: j["matched"]),
            ("explain " + GROUP, lambda j: N if j["verdict"] != "refuse" else 0)):
        forget_peak(d)
        before = memory(d, "VmRSS")
        reply, seconds = ask(d, request)
        grown = memory(d, "VmHWM") - before
        b.note(f"{request}: {seconds:.2f} s, {grown} kB more, {rows(reply)} rows")
        assert rows(reply) >= N, (request, rows(reply))
        assert grown < 16 * MIB, (request, grown)


def run_client(d, words):
    """Run ringcastctl; returns lines, bytes, seconds, and its memory (kB) shortly before its
    end."""
    command = [ringcast.binary("ringcastctl"), "-s", d.socket, *words.split()]
    start, lines, octets, peak = time.monotonic(), 0, 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as p:
        while got := p.stdout.read1(1 << 16):
            lines, octets = lines + got.count(b"\n"), octets + len(got)
            with open(f"/proc/{p.pid}/status", encoding="ascii") as f:
                peak = max(peak, *(int(line.split()[1]) for line in f
                                   if line.startswith("VmHWM")), 0)
    assert p.returncode == 0, words
    return lines, octets, time.monotonic() - start, peak


@case("N23 ringcastctl prints large tables and keeps only some of their rows in memory")
def printed(b):
    _, d, r = large(b)
    r.join()
    wait_datagrams(r)
    for words, rows in (("show groups", -(-N // PER_REPORT)), ("--json show groups", 0),
                        ("show mfc", N), ("--json show mfc", 0),
                        ("--pretty show mfc", N), ("--pretty show groups", N),
                        ("show upstream", -(-N // PER_REPORT)), ("--json show upstream", 0),
                        ("show interfaces", 3), ("--json show interfaces", 0)):
        lines, octets, seconds, peak = run_client(d, words)
        b.note(f"{words}: {lines} lines, {octets} bytes, {seconds:.1f} s, {peak} kB")
        assert lines > rows, (words, lines)
        assert peak < 16 * MIB, (words, peak)


@case("F12 sixteen clients with a thousand requests each, reading or not: joins are served")
def greedy(b):
    _, d, r = large(b)
    forget_peak(d)
    before = memory(d, "VmRSS")
    clients = []
    for i in range(15):
        s = b.own(connect(d))
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                s.send((b"show groups\n", b"show mfc\n", b"show upstream\n")[i % 3])
        clients.append(s)
    octets = [0]
    end = time.monotonic() + 1

    def read_some():
        for s in clients[:4]:  # the other clients never read
            with contextlib.suppress(BlockingIOError):
                octets[0] += len(s.recv(1 << 20))
        return octets[0] > 8 << 20 and time.monotonic() > end
    times = sorted(join_times(r, read_some))
    grown = memory(d, "VmHWM") - before
    b.note(f"{len(times)} joins, median {times[len(times) // 2]:.1f} ms, longest "
           f"{times[-1]:.1f} ms, {octets[0]} bytes of answers read, {grown} kB more")
    assert grown < 16 * MIB, grown
    assert ask(d, "version")[0]["name"] == "ringcastd"
    lab.wait_for(10, lambda: d.process.poll() is None, "the daemon runs")


if __name__ == "__main__":
    main()
