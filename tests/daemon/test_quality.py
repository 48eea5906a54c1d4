#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose fault is it? Faults before the router, in it and after it give three verdicts; the time of
zaps is measured; history survives a live upgrade. The streams are those of stream_faults.py, with
RTP and MPEG-TS, at their real rate."""

import json
import signal
import threading
import time

from libnetns import FAST, GROUP, WAN, Sender, Skip, case, main, wait_datagrams, wait_for

import stream_faults  # libnetns has set the path
from manager import ManagedDaemon

GROUP6 = "ff0e::1:2:3"
LAN = "phyint lan1 downstream\n"
CONFIG = FAST + WAN + LAN
# a starved ring must overflow soon
SMALL = "threads 1\nring-size 128K\nlatency low\n" + CONFIG

# with this seed two losses are in the first eight of 40 seconds
EARLY = 6


class Playing(threading.Thread):
    """Sends a television when its datagrams are due."""

    def __init__(self, b, t, tv, group=GROUP, source=None):
        super().__init__(daemon=True)
        self.datagrams, self.expected = tv.finish()
        self.sender = Sender(t.provider, "p0", source or t.SOURCE)
        self.group, self.sent = group, 0
        self.longest = 0    # pause between two of them: on a busy machine this is an outage
        self.ended = threading.Event()
        b.own(self)
        self.start()

    def run(self):
        begun = last = time.monotonic()
        first = self.datagrams[0][0]
        for at, payload in self.datagrams:
            if self.ended.wait(max(0, begun + (at - first) / 1e9 - time.monotonic())):
                return
            self.sender.send(payload, self.group)
            self.longest = max(self.longest, time.monotonic() - last if self.sent else 0)
            last = time.monotonic()
            self.sent += 1

    def close(self):
        self.ended.set()
        self.join()
        self.sender.close()


def television(n, *losses, seed=1, **form):
    tv = stream_faults.Television(stream_faults.Form(**form), n, seed)
    for loss in losses:
        tv.lose(loss)
    return tv


def quality(d, group=GROUP, *options):
    r = d.ctl_run("--json", "quality", *options, group)
    assert r.returncode == 0, f"{r.returncode}: {r.stdout}{r.stderr}"
    return json.loads(r.stdout)


def row(d, group=GROUP, *options):
    """The row of the only stream of a group, or None."""
    rows = quality(d, group, *options)["quality"]
    assert len(rows) <= 1, rows
    return rows[0] if rows else None


def wait_row(d, condition, what, seconds=30):
    got = []

    def found():
        got[:] = [row(d)]
        return got[0] and condition(got[0])
    try:
        wait_for(seconds, found, what)
    except AssertionError as e:
        raise AssertionError(f"{e}; the last row: {json.dumps(got[0])}") from None
    return got[0]


def quote(b, d, *words):
    r = d.ctl_run(*words)
    assert r.returncode == 0, r.stderr
    for line in r.stdout.splitlines():
        b.note("    " + line)
    return r.stdout


@case("IPv6 without RTP: continuity errors are the provider's, and explain says so")
def ipv6(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, CONFIG)
    b.receiver(t.hosts["lan1"], GROUP6)
    d.wait_member("lan1", GROUP6)
    tv = Playing(b, t, television(1600, 1, 9, rtp=False, family=6), GROUP6, t.SOURCE6)
    errors = tv.expected["ts_continuity"]
    assert errors > 2, tv.expected

    def known():
        r = row(d, GROUP6)
        return r and r["counters"].get("ts_continuity", 0) == errors and \
            r["range"]["continuity"] == errors and r
    wait_for(30, known, f"{errors} continuity errors")
    r = row(d, GROUP6)
    assert r["kind"] == "MPEG-TS" and r["verdict"] == "provider", r
    assert r["range"]["router_seconds"] == 0, r
    text = " ".join(quote(b, d, "explain", GROUP6).split())
    assert "it had faults within the last hour" in text, text
    assert "payload MPEG-TS" in text and "before this router" in text, text
    assert row(d, GROUP) is None
    entry = [e for e in d.show("mfc")["mfc"] if e["group"] == GROUP6]
    assert entry[0]["quality"] == "provider", entry


@case("before the router: datagrams are missing when they arrive")
def before(b):
    t = b.topology(lans=1)
    d = b.run(t, CONFIG)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tv = Playing(b, t, television(1600, 1, 2, 9))
    r = wait_row(d, lambda r: r["counters"].get("rtp_missing", 0) == 12, "12 are missing")
    assert tv.expected["rtp_missing"] == 12, tv.expected
    r = wait_row(d, lambda r: r["range"]["provider_seconds"] > 0, "the provider is to blame")
    assert r["verdict"] == "provider" and r["drop"] is None, r
    assert r["fault"]["verdict"] == "provider" and r["fault"]["lasts"], r
    assert r["range"]["router_seconds"] == 0 and r["dropped"] == {}, r
    assert r["kind"] == "MPEG-TS in RTP" and r["in"] == "wan" and r["port"] == 5000, r
    assert r["viewers"] == 1 and r["lost"] == 12, r
    blocks = row(d, GROUP, "--since", "10m")["blocks"]
    assert len(blocks) == 10 and blocks[-1], blocks
    assert any(x and x["verdict"] == "provider" for x in blocks), blocks
    text = quote(b, d, "quality")
    assert " provider " in text and "nothing was lost in this router" in " ".join(text.split()), text
    wait_for(10, lambda: "the stream arrives damaged" in d.log(), "the log says so")


@case("in the router: a starved ring is never the provider's fault")
def inside(b):
    t = b.topology(lans=1)
    d = b.run(t, SMALL)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tv = Playing(b, t, television(6000))
    # at once: the drops are among the first that the ring has ever had
    wait_row(d, lambda r: r["verdict"] == "clean", "the stream is clean")
    d.process.send_signal(signal.SIGSTOP)
    stopped = tv.sent
    # 128K have room for less than 100 of these datagrams
    wait_for(20, lambda: tv.sent > stopped + 400, "400 datagrams for a daemon that does not run")
    d.process.send_signal(signal.SIGCONT)
    r = wait_row(d, lambda r: r["lost"] > 0 and r["range"]["router_seconds"] > 0,
                 "the ring is to blame")
    b.note(f"{r['lost']} lost, {d.interface('wan')['ring_drops']} drops of the ring")
    assert d.interface("wan")["ring_drops"] > 0
    assert r["verdict"] == "router" and r["drop"] == "ring_drops", r
    assert r["fault"]["text"] == "the receive ring was full", r
    assert r["range"]["provider_seconds"] == 0 or tv.longest > 0.9, (r, tv.longest)
    text = quote(b, d, "quality", GROUP)
    assert " router " in text and "the receive ring was full" in " ".join(text.split()), text


@case("in the router: no outage counts while the daemon does not run and loses nothing")
def stalled(b):
    t = b.topology(lans=1)
    d = b.run(t, "latency low\nring-size 8M\n" + CONFIG)   # room for 4096 frames
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tv = Playing(b, t, television(8000))
    wait_row(d, lambda r: r["verdict"] == "clean", "the stream is clean")
    for _ in range(4):
        d.process.send_signal(signal.SIGSTOP)
        begun, stopped = time.monotonic(), tv.sent
        wait_for(20, lambda: tv.sent > stopped + 400 and time.monotonic() > begun + 2.2,
                 "the daemon is stopped for more than two seconds")
        d.process.send_signal(signal.SIGCONT)
        wait_row(d, lambda r: r["counters"]["datagrams"] > stopped + 500, "it has caught up")
    r = wait_row(d, lambda r: r["counters"]["datagrams"] >= tv.sent - 500, "it has caught up")
    assert d.interface("wan")["ring_drops"] == 0 and r["lost"] == 0, r
    if tv.longest > 0.9:
        raise Skip(f"this machine made a pause of {tv.longest:.1f} s itself")
    assert r["counters"]["outages"] == r["counters"]["error_seconds"] == 0, r
    assert r["range"]["provider_seconds"] == r["range"]["router_seconds"] == 0, r


@case("in the router: copies that do not fit have their reason, and faults before it still count")
def too_large(b):
    t = b.topology(lans=1)
    t.router.ip("link", "set", "lan1", "mtu", "1200")
    d = b.run(t, CONFIG)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    Playing(b, t, television(3000, 5, 6))
    r = wait_row(d, lambda r: r["range"]["provider_seconds"] > 0 and
                 r["range"]["router_seconds"] > 0, "both are to blame")
    assert r["verdict"] == "router" and r["drop"] == "mtu_df", r
    assert r["dropped"]["mtu_df"] > 0 and "raise the MTU" in r["fault"]["advice"], r


@case("quality off: nothing is measured, and the commands say so")
def switched_off(b):
    t = b.topology(lans=1)
    d = b.run(t, "quality off\n" + CONFIG)
    receiver = b.receiver(t.hosts["lan1"])
    Playing(b, t, television(600))
    wait_datagrams(receiver, 100)
    for words in (("quality",), ("show", "zaps")):
        r = d.ctl_run(*words)
        assert r.returncode == 4 and "quality off" in r.stderr, r
    assert [e["quality"] for e in d.show("mfc")["mfc"]] == [None]
    r = d.ctl_run("explain", GROUP)
    assert r.returncode == 0 and "quality" not in r.stdout, r


@case("after the router: it leaves without faults, and a host asks again and again")
def behind(b):
    t = b.topology(lans=1)
    d = b.run(t, CONFIG)
    tv = Playing(b, t, television(8000))
    wait_for(20, lambda: tv.sent > 0, "the stream is there before its viewer")
    receiver = b.receiver(t.hosts["lan1"])
    for _ in range(3):
        d.wait_member("lan1", GROUP)
        receiver.receive()
        wait_datagrams(receiver, 20)
        receiver.leave()
        wait_for(10, lambda: not d.show("groups")["groups"], "the group has gone")
        receiver.join()
    d.wait_member("lan1", GROUP)
    r = wait_row(d, lambda r: r["verdict"] == "beyond", "the LAN is to blame")
    assert r["lost"] == r["range"]["router_seconds"] == 0, r
    assert r["range"]["provider_seconds"] == 0 or tv.longest > 0.9, (r, tv.longest)
    text = quote(b, d, "quality", GROUP)
    assert " beyond " in text and "asks for it again" in " ".join(text.split()), text

    def measured():
        zaps[:] = [d.show("zaps")]
        lan = zaps[0]["lans"][0]
        return lan["first"]["n"] == 4 and lan["leave"]["n"] == 3 and lan["random"]["n"] > 0
    zaps = []
    try:
        wait_for(15, measured, "four zaps and three leaves")
    except AssertionError as e:
        raise AssertionError(f"{e}: {json.dumps(zaps)}") from None
    zaps = d.show("zaps")
    quote(b, d, "show", "zaps")
    assert zaps["total"] == 4 and len(zaps["zaps"]) == 4, zaps
    for z in zaps["zaps"]:
        assert z["interface"] == "lan1" and z["group"] == GROUP and z["done"], z
        # a host that has left does not wait for the rest any more
        assert z["report_ms"] >= 0 and z["first_ms"] >= 0, z
        for later in ("pat_ms", "random_access_ms"):
            assert z[later] is None or z[later] >= z["first_ms"], z
    assert zaps["zaps"][0]["random_access_ms"] is not None, zaps
    # every leave has its time
    assert sum(zaps["lans"][0]["leave"]["buckets"]) == 3, zaps


@case("an outage lasts through a live upgrade")
def outage_upgraded(b):
    t = b.topology(lans=1)
    d = b.daemon = b.own(ManagedDaemon(t.router, CONFIG))
    d.start()
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    tv = Playing(b, t, television(8000))
    wait_row(d, lambda r: r["verdict"] == "clean" and r["range"]["seconds"] > 1, "it is clean")
    tv.close()
    r = wait_row(d, lambda r: r["range"]["provider_seconds"] > 1, "the provider is silent")
    upgraded = time.monotonic()
    done = d.ctl_run("upgrade")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{d.log()}"
    seconds = r["range"]["provider_seconds"]
    r = wait_row(d, lambda r: r["range"]["provider_seconds"] > seconds + 2, "still silent")
    assert r["verdict"] == "provider" and r["counters"]["outages"] == 1, r
    assert r["fault"]["text"] == "nothing arrived for more than a second", r
    asked = time.monotonic()
    r = wait_row(d, lambda r: r["fault"], "the fault")
    # it began before the upgrade, as in the earlier process
    assert r["fault"]["since_ms"] >= (asked - upgraded) * 1000, (r, asked - upgraded)
    assert r["range"]["router_seconds"] == 0, r


@case("history and zaps survive a live upgrade")
def upgraded(b):
    t = b.topology(lans=1)
    d = b.daemon = b.own(ManagedDaemon(t.router, CONFIG))
    d.start()
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    Playing(b, t, television(8000, 3, 4, seed=EARLY))
    wait_row(d, lambda r: r["counters"].get("rtp_missing", 0) == 7, "7 are missing")
    r = wait_row(d, lambda r: r["range"]["lost"] == 7, "history has them")
    wait_for(15, lambda: all(z["done"] for z in d.show("zaps")["zaps"]), "the zap is over")
    before_it = d.show("zaps")
    done = d.ctl_run("upgrade")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{d.log()}"
    after = row(d)
    assert after["range"]["lost"] == 7 and after["lost"] == 7, after
    assert after["range"]["provider_seconds"] >= r["range"]["provider_seconds"] > 0, (r, after)
    assert after["range"]["seconds"] >= r["range"]["seconds"], (r, after)
    zaps = d.show("zaps")
    assert zaps["lans"][0]["first"] == before_it["lans"][0]["first"], zaps
    assert len(zaps["zaps"]) == len(before_it["zaps"]) == 1, zaps
    # and it continues to be judged
    seconds = after["range"]["seconds"]
    wait_row(d, lambda r: r["range"]["seconds"] > seconds + 1, "further seconds are judged")
    assert row(d)["range"]["router_seconds"] == 0


if __name__ == "__main__":
    main()
