#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Joining datagrams into super-frames changes nothing. Routers with `coalesce exact` and `coalesce
on` get the same frames as one with `coalesce off`, and the outputs to their LANs are compared byte
by byte; nothing may be lost. With `exact` nothing differs. `on` may change IPv4 identifications,
add a checksum to datagrams without one, and change the order among different ports.
RINGCAST_IDENTITY is the number of datagrams; 10000000 takes minutes."""

import os
import re
import shutil
import subprocess

from libnetns import Skip, case, lab, link, main, ringcast, wait_for, wire
from packets import TO_EX, Wire, igmp3_report, ipv4

COUNT = int(os.environ.get("RINGCAST_IDENTITY", "40000"))
SEED = int(os.environ.get("RINGCAST_SEED", "1"))
GROUPS = 32   # per family, as in identity_gen.c
LANS = "1500:1,1500:1,1280:1,600:3"
CONFIG = """query-interval 3000
phyint wan upstream altnet 0.0.0.0/0 altnet ::/0
phyint lan1 downstream
phyint lan2 downstream
phyint lan3 downstream
phyint lan4 downstream threshold 3
"""


def router(b, world, name, config):
    """A router whose links end in `world`. lan1 takes super-frames; the router's stack cuts those
    of lan2. The MTU of lan3 is smaller. The MTU of lan4 is too small for IPv6; its threshold is 3,
    and the stack must also compute checksums."""
    ns = lab.Namespace(name, ipv6=True)
    b.own(_Deleted(ns))
    for port in ("wan", "lan1", "lan2", "lan3", "lan4"):
        link(world, f"{name}-{port}", ns, port)
    for n, port in enumerate(("wan", "lan1", "lan2", "lan3", "lan4")):
        ns.ip("addr", "add", f"10.0.{n}.1/24", "dev", port)
    ns.ip("link", "set", "lan3", "mtu", "1280")
    ns.ip("link", "set", "lan4", "mtu", "600")
    ns.run("ethtool", "-K", "lan2", "tx-udp-segmentation", "off")
    ns.run("ethtool", "-K", "lan4", "tx-udp-segmentation", "off", "tx", "off")
    d = b.own(ringcast.Daemon(ns, config + CONFIG))
    join_all(b, world, name, d)
    return d


def note_stats(b, name, d):
    """Note the counters of a router, for the log of a case that fails."""
    stats = d.show("stats")
    for p in stats["ports"]:
        counts = {k: n for k, n in p.items() if isinstance(n, int) and n}
        counts |= {k: n for k, n in p["verdicts"].items() if n}
        b.note(f"{name} {p['name']}: {counts}")


def join_all(b, world, name, d):
    """Join every group on every LAN with the reports that hosts would send."""
    v4 = igmp3_report(*((TO_EX, f"239.77.0.{g}", ()) for g in range(GROUPS)))
    v6 = [wire.mld_packet("fe80::9", "ff02::16", b"\x8f\0\0\0\0\0\0\x01" +
                          bytes([TO_EX, 0, 0, 0]) + group6(g)) for g in range(GROUPS)]

    for lan in ("lan1", "lan2", "lan3", "lan4"):
        host = f"10.0.{lan[3]}.9"
        out = b.own(Wire(world, f"{name}-{lan}"))

        def joined():
            out.send(ipv4(host, "224.0.0.22", 2, v4))
            for report in v6:
                out.sock.send(report)
            there = [g["group"] for g in d.show("groups")["groups"] if g["interface"] == lan]
            six = sum(":" in g for g in there)
            return len(there) - six == GROUPS and (six == GROUPS or lan == "lan4")
        wait_for(10, joined, f"{name}: groups on {lan}")


def group6(g):
    return bytes.fromhex("ff0e") + bytes(10) + b"\0\x77" + g.to_bytes(2, "big")


class _Deleted:
    def __init__(self, ns):
        self.close = ns.delete


def compare(b, variants):
    """Compare variants, (name, mode, configuration), with the first one."""
    if not shutil.which("ethtool"):
        raise Skip("ethtool is not installed (package ethtool)")
    world = lab.Namespace("world")
    b.own(_Deleted(world))
    daemons = {name: router(b, world, name, config) for name, _, config in variants}
    program = os.path.join(os.path.dirname(os.path.dirname(ringcast.binary("ringcastd"))),
                           "tests", "kernel", "identity")
    r = subprocess.run(world.command(program, str(COUNT), str(SEED), LANS,
                                     *(f"{n}:{mode}" for n, mode, _ in variants)),
                       capture_output=True, text=True)
    for line in r.stdout.splitlines():
        b.note(line)
    for name, d in daemons.items() if r.returncode else ():
        note_stats(b, name, d)
    assert r.returncode == 0, f"exit status {r.returncode} {r.stderr}"
    joined = {port: int(n) for port, n in
              re.findall(r"(\S+) \d+ datagrams (\d+) in", r.stdout)}
    came_joined = int(re.search(r"(\d+) of them in super-frames", r.stdout)[1])
    reference = variants[0][0]
    assert not joined[f"{reference}-lan1"], "the reference has sent super-frames"
    if came_joined:
        on, exact = (next(joined[f"{n}-lan1"] for n, mode, _ in variants[1:] if mode == m)
                     for m in ("on", "exact"))
        assert on > exact * 5 // 4, f"on has joined {on}, exact {exact}"
    for name, _, _ in variants[1:] if came_joined else ():   # otherwise Linux is older than 6.2
        assert joined[f"{name}-lan1"] > came_joined + COUNT // 10, \
            f"{name}: hardly anything was joined"
        assert not joined[f"{name}-lan2"], "the stack was to cut"


@case("coalesce exact: all bytes as with off; coalesce on: only the permitted differences")
def identity(b):
    compare(b, (("off", "exact", "coalesce off\n"),
                ("exact", "exact", "coalesce exact\n"),
                ("on", "on", "coalesce on\n")))


@case("the same through sendmmsg, with two threads, and with larger blocks")
def ways(b):
    compare(b, (("off", "exact", "coalesce off\ntransmit sendmmsg\n"),
                ("exact", "exact", "transmit sendmmsg\ncoalesce exact\nthreads 2\n"),
                ("on", "on", "transmit sendmmsg\ncoalesce on\nlatency throughput\n")))


if __name__ == "__main__":
    main()
