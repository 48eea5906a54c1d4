#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same stream through every way of transmitting, verified by ringcast-gen."""

import json
import subprocess

from libnetns import (GROUP, PLAIN, Skip, assert_continuous, case, main, ringcast,
                      wait_datagrams, wait_for)


def plays(b, kind):
    t = b.topology()
    d = b.run(t, f"transmit {kind}\n" + PLAIN)
    b.stream(t, rate=600)
    receivers = [b.receiver(t.hosts[lan]) for lan in ("lan1", "lan2")]
    for r in receivers:
        assert_continuous(wait_datagrams(r, 300), at_least=300)
    return d, receivers


@case("transmit sendmmsg")
def sendmmsg(b):
    d, _ = plays(b, "sendmmsg")
    assert "sendmmsg" in d.interface("lan1")["transmit"]


@case("transmit io_uring")
def io_uring(b):
    if not _io_uring_built():
        raise Skip("built without io_uring")
    try:
        with open("/proc/sys/kernel/io_uring_disabled", encoding="ascii") as f:
            if f.read().strip() != "0":
                raise Skip("kernel.io_uring_disabled is set")
    except FileNotFoundError:
        pass
    d, _ = plays(b, "io_uring")
    assert "io_uring" in d.interface("lan1")["transmit"]


@case("transmit auto: measures both ways, loses nothing meanwhile, and names what it uses")
def auto(b):
    d, (r, _) = plays(b, "auto")
    if "measures" not in d.show("stats")["transmit_reason"]:
        assert "sendmmsg" in d.interface("lan1")["transmit"]
        return
    got = []

    def tried():
        got.extend(r.receive())
        return d.show("stats")["transmit_trials"]
    wait_for(30, tried, "a trial")
    assert_continuous(got + wait_datagrams(r, 100), at_least=100)
    worker = d.show("stats")["workers"][0]
    assert worker["transmit"] in d.interface("lan1")["transmit"]


def _io_uring_built():
    r = subprocess.run(["ldd", ringcast.binary("ringcastd")], capture_output=True, text=True)
    return "liburing" in r.stdout


def _gen(ns, *args):
    return ns.popen(ringcast.binary("ringcast-gen"), "-p", "5000", "--json", *args,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _report(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, f"{process.returncode}: {out}{err}"
    return json.loads(out)


@case("R177 a burst of 20000 datagrams on 10 groups: no loss, duplicate or disorder")
def generator(b):
    t = b.topology()
    d = b.run(t, "ring-size 16777216\n" + PLAIN)
    count = 20000
    receivers = [_gen(t.hosts[lan], "-r", "-m", GROUP, "--groups", "10", "--interface",
                      "eth0", "--expect", str(count), "--idle-exit", "20")
                 for lan in ("lan1", "lan2")]
    for lan in ("lan1", "lan2"):
        wait_for(15, lambda: len([g for g in d.show("groups")["groups"]
                                  if g["interface"] == lan]) >= 10, f"{lan} has joined")
    sent = _report(_gen(t.provider, "-m", GROUP, "--groups", "10", "--interface", "p0",
                        "--source", t.SOURCE, "-t", "8", "--rate", "4000", "--count",
                        str(count), "--size", "1316"))
    for r in map(_report, receivers):
        bad = {k: r[k] for k in ("lost", "duplicate", "reordered", "corrupt")}
        assert r["received"] == count and not any(bad.values()), (sent, r)


@case("R185 the counters account for every frame: ring = sum of verdicts")
def accounting(b):
    t = b.topology()
    d = b.run(t)
    stream = b.stream(t)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 100)
    sent = stream.stop()

    def balanced():
        stats = d.show("stats")
        row = d.interface("wan")
        return row["rx_packets"] <= sent and \
            stats["frames"] == sum(_frame_verdicts(stats["verdicts"]))
    wait_for(5, balanced, "frames = sum of frame verdicts")
    assert d.interface("wan")["ring_drops"] == 0


COPY_VERDICTS = ("ttl_threshold", "mtu_df", "frag_failed", "port_down", "tx_full",
                 "tx_queue", "tx_size", "tx_error")


def _frame_verdicts(verdicts):
    return [n for name, n in verdicts.items() if name not in COPY_VERDICTS]


if __name__ == "__main__":
    main()
