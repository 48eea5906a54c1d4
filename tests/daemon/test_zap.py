#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Zapping: leave one channel and join another, faster than a person can watch. 300 times at 50 per
second; with RINGCAST_ZAP=full in the environment, 1000 times at 10 per second."""

import os
import random
import subprocess
import time

from libnetns import (FAST, WAN, assert_continuous, case, main, ringcast, wait_datagrams,
                      wait_for)

CHANNELS = [f"239.5.5.{n}" for n in range(1, 9)]
CHANNELS6 = [f"ff0e::5:{n}" for n in range(1, 9)]
LAN = "phyint lan1 downstream\n"
FULL = os.environ.get("RINGCAST_ZAP") == "full"


class Remote:
    """A host that watches one channel after the other."""

    def __init__(self, b, ns, channels, rng):
        self.receivers = {c: b.receiver(ns, c, join=False) for c in channels}
        self.rng = rng
        self.channel = None

    def zap(self):
        old = self.channel
        self.channel = self.rng.choice([c for c in self.receivers if c != old])
        if old:
            self.receivers[old].leave()
        self.receivers[self.channel].join()

    def off(self):
        self.receivers[self.channel].leave()
        self.channel = None

    def drain(self):
        for r in self.receivers.values():
            r.receive()


def play_all(b, t, channels):
    """Start all channels; the first one is numbered for assert_continuous()."""
    b.stream(t, channels[0], rate=200)
    source = t.SOURCE6 if ":" in channels[0] else t.SOURCE
    process = t.provider.popen(
        ringcast.binary("ringcast-gen"), "-p", "5000", "-m", channels[1], "--groups",
        str(len(channels) - 1), "--interface", "p0", "--source", source, "-t", "8",
        "--rate", str(40 * len(channels)), "--size", "256", stdout=subprocess.DEVNULL)
    b.own(_Ender(process))


class _Ender:
    def __init__(self, process):
        self.process = process

    def close(self):
        self.process.terminate()
        self.process.wait()


def groups(d):
    return {g["group"] for g in d.show("groups")["groups"]}


def joined(d):
    return {g["group"]: g["mode"] for u in d.show("upstream")["upstream"]
            for g in u["groups"]}


def storm(b, config, zaps, rate, version=3, channels=CHANNELS):
    if FULL:
        zaps, rate = 1000, 10
    seed = random.randrange(1 << 32)
    b.note(f"seed {seed}")
    rng = random.Random(seed)
    constant = channels[0]
    t = b.topology(lans=1, hosts=3, ipv6=channels is CHANNELS6)
    for host in t.hosts.values():
        host.sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
    d = b.run(t, config + FAST + WAN + LAN)
    play_all(b, t, channels)
    steady = b.receiver(t.hosts["lan1c"], constant)
    got = wait_datagrams(steady, 10)
    remotes = [Remote(b, t.hosts[h], channels, rng) for h in ("lan1", "lan1b")]
    start = time.monotonic()
    most = 0
    for n in range(zaps):
        remotes[n % 2].zap()
        got += steady.receive()
        if n % 20 == 0:
            most = max(most, len(groups(d)))
        pause = start + (n + 1) / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)   # the rate of the zaps, not a wait for a condition
    b.note(f"{zaps} zaps in {time.monotonic() - start:.1f} s, at most {most} groups at once")

    # only what the three hosts watch remains, on the LAN and upstream
    watched = {constant} | {r.channel for r in remotes}
    wait_for(10, lambda: groups(d) == watched, "the others have ended on the LAN")
    wait_for(10, lambda: joined(d) == dict.fromkeys(watched, "exclude"),
             "the others have been left upstream")
    for r in remotes:
        r.drain()
        wait_datagrams(r.receivers[r.channel], 10)
        r.off()
    wait_for(10, lambda: groups(d) == {constant}, "the zappers are off")
    wait_for(10, lambda: joined(d) == {constant: "exclude"}, "also upstream")
    got += steady.receive()
    lan = b.tap(t.hosts["lan1"], "eth0")
    # the provider still sends the other channels, but not to this LAN
    got += wait_datagrams(steady, 20)
    assert {u.group for u in lan.udp()} == {constant}
    assert_continuous(got)
    assert not d.show("stats")["control"]["dropped"]


@case("E20 R088 a zap storm of two hosts leaves no group behind, a third one sees no gap")
def zapping(b):
    storm(b, "", 300, 50)


@case("E20 E13 the same with quickleave")
def zapping_quickleave(b):
    storm(b, "quickleave\n", 60, 40)


@case("E20 E13 the same with IGMPv2 hosts and quickleave")
def zapping_v2(b):
    storm(b, "quickleave\n", 60, 40, version=2)


@case("E20 E13 the same with MLDv2 hosts and quickleave")
def zapping_mld(b):
    storm(b, "quickleave\n", 60, 40, channels=CHANNELS6)


if __name__ == "__main__":
    main()
