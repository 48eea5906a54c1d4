#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults from a list are put into streams through the router, and `show quality` counts exactly
these: RTP and MPEG-TS, both families, rings of both kinds, one and two threads, super-frames,
through a reload and through a live upgrade. tests/tools/test_quality.py has the same list for
captures.

What depends on time is compared in one case, in which the streams have their true rate. There a
machine that is late can add pauses, so those counters may be higher than the list says."""

import collections
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from libnetns import FAST, WAN, Sender, Skip, case, main, wait_for

# libnetns has set the path
from manager import ManagedDaemon
from stream_faults import Form, Television

CONFIG = FAST + WAN + "phyint lan1 downstream\n"
TIMED = {"silent_gaps", "outages", "seconds", "error_seconds", "ts_pat_late", "ts_pmt_late"}
FORMS = {"239.1.2.11": {}, "ff0e::1:2:12": {"family": 6}, "239.1.2.13": {"rtp": False},
         "ff0e::1:2:14": {"rtp": False, "family": 6},
         "239.1.2.15": {"size": 204, "padding": 8, "extension": 2}}
RATE = 600      # datagrams per second of each stream
UDP_SEGMENT = 103


def network(tv):
    """Faults that a network makes"""
    for n in (1, 2, 9):
        tv.lose(n)
    if tv.form.rtp:
        tv.repeat()
        tv.reorder(1)
        tv.reorder(40)


def sender(tv):
    """Faults that a sender makes, and events that only look like faults"""
    tv.copy()
    tv.copy(2)
    tv.without_payload()
    tv.jump(5)
    tv.jump(3, signalled=True)
    tv.transport_error()
    tv.sync_byte()
    tv.sync_byte(3)
    tv.scramble()
    if tv.form.rtp:
        tv.restart()
        tv.change_ssrc()


def splice(tv):
    tv.splice()
    tv.splice(signalled=False)


# destination port -> what happens to the stream on it
FAULTS = {5000: network, 5001: sender, 5002: splice}
N_STREAMS = len(FORMS) * len(FAULTS)


class Player(threading.Thread):
    """Sends the datagrams of several streams, [(payload, group, port)], in their order. It stops
    before number `gate` until the gate is opened."""

    def __init__(self, t, datagrams, rate, gate=None):
        super().__init__(daemon=True)
        self.datagrams, self.rate, self.gate = datagrams, rate, gate
        self.senders = {4: Sender(t.provider), 6: Sender(t.provider, source=t.SOURCE6)}
        self.sent, self.opened, self.ended = 0, threading.Event(), threading.Event()

    def run(self):
        begun, held = time.monotonic(), 0.0
        for i, (payload, group, port) in enumerate(self.datagrams):
            if i == self.gate:
                waited = time.monotonic()
                self.opened.wait()
                held = time.monotonic() - waited
            due = begun + held + i / self.rate
            while not self.ended.is_set() and time.monotonic() < due:
                time.sleep(max(0, min(0.05, due - time.monotonic())))
            if self.ended.is_set():
                return
            self.send(payload, group, port)
            self.sent += 1

    def send(self, payload, group, port):
        self.senders[6 if ":" in group else 4].send(payload, group, port)

    def close(self):
        self.ended.set()
        self.opened.set()
        if self.is_alive():
            self.join()
        for s in self.senders.values():
            s.close()


class Segments(Player):
    """Each payload is a list of datagrams that leave as one super-frame."""

    def send(self, payload, group, port):
        s = self.senders[6 if ":" in group else 4]
        size = len(payload[0]) if len(payload) > 1 else 0
        s.sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        super().send(b"".join(payload), group, port)


def mixed(streams):
    """[(payload, group, port)] of {(group, port): [payload]}, one of each in turn"""
    n = max(map(len, streams.values()))
    return [(v[i], *key) for i in range(n) for key, v in streams.items() if i < len(v)]


def listed(n, free=lambda i: True):
    """{(group, port): [payload]}, and the counters of each. Faults are put only at numbers of
    datagrams for which free(number) is true."""
    streams, expected = {}, {}
    for group, form in FORMS.items():
        for port, faults in FAULTS.items():
            tv = Television(Form(**form), n, seed=len(streams) + 7)
            number = {id(x): i for i, x in enumerate(tv.datagrams)}
            tv.places = [p for p in tv.places if free(number[id(p)])]
            faults(tv)
            datagrams, expected[group, port] = tv.finish()
            streams[group, port] = [payload for _, payload in datagrams]
    return streams, expected


def watch(b, t, d):
    for group in FORMS:
        b.receiver(t.hosts["lan1"], group)
        d.wait_member("lan1", group)


def rows(d):
    found = {}
    for r in d.show("quality")["quality"]:
        assert (r["group"], r["port"]) not in found, r
        found[r["group"], r["port"]] = r
    return found


def check(d, player, expected, ignore=frozenset(), one_less=frozenset()):
    # a busy machine sends slowly
    wait_for(200, lambda: not player.is_alive(), "all datagrams are sent")
    found = {}

    def complete():
        found.update(rows(d))
        return all(g in found and found[g]["counters"]["datagrams"] >= e["datagrams"]
                   for g, e in expected.items())
    try:
        wait_for(20, complete, "all datagrams are counted")
    except AssertionError as e:
        missing = {g: (found.get(g, {}).get("counters", {}).get("datagrams"), x["datagrams"])
                   for g, x in expected.items()}
        raise AssertionError(f"{e}: {missing}\n{d.show('stats')['ports']}") from None
    for key, e in expected.items():
        counters = found[key]["counters"]
        wrong = {name: (n, e[name]) for name, n in counters.items()
                 if n != e[name] and name not in TIMED | ignore
                 and not (name in one_less and n == e[name] - 1)}
        assert not wrong, f"{key}: counter: (router, list): {wrong}"
        assert set(e) <= set(counters), e
        assert found[key]["light"] == 0 and found[key]["fragments"] == 0
    drops = [p for p in d.show("stats")["ports"] if p["ring_drops"]]
    assert not drops, drops
    return found


def exact(b, config, threads, receive):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, config + CONFIG)
    watch(b, t, d)
    stats = d.show("stats")
    assert stats["threads"] == threads and stats["receive"] == receive, stats
    streams, expected = listed(1700)
    player = b.own(Player(t, mixed(streams), RATE * N_STREAMS))
    player.start()
    found = check(d, player, expected)
    kinds = {r["kind"] for r in found.values()}
    assert kinds == {"MPEG-TS", "MPEG-TS in RTP"}, kinds
    b.note(f"{sum(e['datagrams'] for e in expected.values())} datagrams of {N_STREAMS} streams")


@case("TPACKET_V3, one thread: the counters are the list")
def blocks(b):
    exact(b, "threads 1\n", 1, "tpacket_v3")


@case("TPACKET_V3, two threads: the counters are the list")
def blocks_two(b):
    exact(b, "threads 2\n", 2, "tpacket_v3")


@case("TPACKET_V2, one thread: the counters are the list")
def frames(b):
    exact(b, "threads 1\nlatency low\n", 1, "tpacket_v2")


@case("TPACKET_V2, two threads: the counters are the list")
def frames_two(b):
    exact(b, "threads 2\nlatency low\n", 2, "tpacket_v2")


@case("super-frames are seen datagram by datagram")
def super_frames(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, CONFIG)
    watch(b, t, d)
    if not d.show("stats")["receive_offload"]:
        raise Skip("this kernel does not say how long the pieces of a super-frame are")
    plain, expected = listed(1700)
    streams = {}
    for key, payloads in plain.items():
        streams[key], run = [], []
        for p in payloads:
            if run and (len(run) == 8 or len(p) != len(run[0])):
                streams[key].append(run)
                run = []
            run.append(p)
        streams[key].append(run)
    player = b.own(Segments(t, mixed(streams), RATE * N_STREAMS / 8))
    player.start()
    check(d, player, expected)
    wan = next(p for p in d.show("stats")["ports"] if p["name"] == "wan")
    sent = sum(e["datagrams"] for e in expected.values())
    b.note(f"{sent} datagrams in {wan['ring_packets']} frames")
    assert wan["ring_packets"] < sent / 4, "they came one by one"


@case("reloads that change filters and ports: nothing is counted that was not there")
def reloads(b):
    t = b.topology(lans=2, ipv6=True)
    d = b.run(t, CONFIG)
    watch(b, t, d)
    streams, expected = listed(1700)
    player = b.own(Player(t, mixed(streams), RATE * N_STREAMS))
    player.start()
    texts = ("", "phyint lan2 downstream\n", "phyint lan2 downstream threshold 3\n")
    n = 0
    while player.is_alive():
        d.write(texts[n % len(texts)] + CONFIG)
        r = d.ctl_run("reload")
        assert r.returncode == 0, r.stdout + r.stderr
        n += 1
    b.note(f"{n} reloads")
    assert n > 2
    check(d, player, expected)


def upgraded(b, config):
    t = b.topology(lans=1, ipv6=True)
    d = b.daemon = b.own(ManagedDaemon(t.router, config + CONFIG))
    d.start()
    watch(b, t, d)
    # no fault between the two moments at which another process begins to analyse
    streams, expected = listed(2700, lambda i: not 1100 < i < 1400)
    first = 1200 * N_STREAMS
    # the rings have room for as much as comes before the gate, also on a slow machine
    player = b.own(Player(t, mixed(streams), RATE * N_STREAMS, gate=first + 1500))
    player.start()
    wait_for(60, lambda: player.sent > first, "the faults of the first part are sent")
    r = d.ctl_run("upgrade")
    assert r.returncode == 0, f"{r.stdout}{r.stderr}\n{d.log()}"
    b.note(f"{player.sent - first} datagrams meanwhile")
    player.opened.set()
    # a step of the clock counts only if the arrival does not explain it, and the gate was closed;
    # the new process knows the codec of the video only from the next PMT, which comes at most one
    # picture later
    check(d, player, expected, {"ts_pcr_discontinuities"}, {"ts_random_access"})


@case("a live upgrade, TPACKET_V3: the counters of both processes are the list")
def upgraded_blocks(b):
    upgraded(b, "threads 1\n")


@case("a live upgrade, TPACKET_V3, two threads")
def upgraded_two(b):
    upgraded(b, "threads 2\n")


@case("a live upgrade, TPACKET_V2, two threads")
def upgraded_frames(b):
    upgraded(b, "threads 2\nlatency low\n")


def opinions(tv):
    """Faults that dvblast and ffmpeg also know. Both judge continuity across a packet whose sync
    byte is wrong; dvblast takes any number of duplicates as legal and does not read
    discontinuity_indicator; ffmpeg takes no duplicate as legal."""
    for n in (1, 2, 9):
        tv.lose(n)
    tv.jump(5)
    tv.jump(3, signalled=True)
    tv.copy()
    tv.copy(2)
    tv.sync_byte()
    tv.transport_error()
    tv.without_payload()
    tv.scramble()


class Dvblast:
    """Receives a group on a host, as a head end does, and says in its log what is wrong."""

    def __init__(self, b, host, group, udp):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="ringcast-dvblast-")
        b.own(self.log)
        with tempfile.NamedTemporaryFile("w", prefix="ringcast-dvblast-") as outputs:
            # to a socket that nobody reads, so that sending does not fail
            self.sink = b.own(host.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self.sink.bind(("127.0.0.1", 0))
            outputs.write(f"127.0.0.1:{self.sink.getsockname()[1]}/udp 1 1\n")
            outputs.flush()
            address = host.ip("-4", "-brief", "addr", "show", "eth0").stdout.split()[2]
            self.process = host.popen(
                "dvblast", "-D", f"@{group}:5000{'/udp' * udp}/ifaddr={address.split('/')[0]}",
                "-c", outputs.name, "-u", "-z", "-6", "200", "-x", "text", stdout=self.log,
                stderr=self.log)
            b.own(self)
            wait_for(10, lambda: "binding socket" in self.text(), "dvblast has read its file")

    def text(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def is_idle(self):
        """After the stream, a period has passed without a packet."""
        rates = re.findall(r"^bitrate: (\d+)$", self.text(), re.M)
        return any(int(r) for r in rates) and rates[-1] == "0"

    def count(self, text):
        return self.text().count(text)

    def close(self):
        self.process.kill()
        self.process.wait()


@case("second opinions: dvblast behind the router and ffmpeg find the same faults")
def second_opinions(b):
    for name in ("dvblast", "ffmpeg"):
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, CONFIG)
    forms = {"239.1.2.11": Form(rtp=False), "239.1.2.12": Form()}
    streams, expected, seen = {}, {}, {}
    for seed, (group, form) in enumerate(forms.items()):
        tv = Television(form, 1700, seed)
        opinions(tv)
        datagrams, expected[group, 5000] = tv.finish()
        streams[group, 5000] = [payload for _, payload in datagrams]
        seen[group] = Dvblast(b, t.hosts["lan1"], group, not form.rtp)
        d.wait_member("lan1", group)
    player = b.own(Player(t, mixed(streams), RATE * len(forms)))
    player.start()
    check(d, player, expected)
    wait_for(30, lambda: all(x.is_idle() for x in seen.values()), "dvblast has seen all")

    ts, x = expected["239.1.2.11", 5000], seen["239.1.2.11"]
    # from a pipe, because ffmpeg reads the end of a file twice
    r = subprocess.run(["ffmpeg", "-loglevel", "repeat+debug", "-f", "mpegts", "-i", "pipe:0",
                        "-map", "0", "-c", "copy", "-f", "null", "-"], capture_output=True,
                       input=b"".join(streams["239.1.2.11", 5000]), timeout=100, check=False)
    ffmpeg = collections.Counter(re.findall(
        "Continuity check failed|Packet had TEI flag set", r.stderr.decode(errors="replace")))
    found = {"router": (ts["ts_continuity"], ts["ts_duplicates"], ts["ts_transport_errors"]),
             "dvblast": (x.count("TS discontinuity"), None, x.count("transport_error_indicator")),
             "ffmpeg": (ffmpeg["Continuity check failed"], None, ffmpeg["Packet had TEI flag set"])}
    b.note(f"continuity, duplicates, transport errors: {found}")
    continuity = ts["ts_continuity"]
    assert ts["ts_signalled"] == ts["ts_sync_bytes"] == 1 and continuity > 5, ts
    # with the sync byte and the signalled jump, without the copy of a copy
    assert x.count("TS discontinuity") == continuity + 1 + 1 - 1, found
    # with the sync byte and the duplicates
    assert ffmpeg["Continuity check failed"] == continuity + 1 + ts["ts_duplicates"], found
    assert x.count("lost TS sync") == ts["ts_sync_bytes"], x.text()
    assert x.count("transport_error_indicator") == ffmpeg["Packet had TEI flag set"] == \
        ts["ts_transport_errors"] == 1, found
    # each loss is one step of the sequence numbers
    n = seen["239.1.2.12"].count("RTP discontinuity")
    b.note(f"RTP: {expected['239.1.2.12', 5000]['rtp_missing']} lost in three places, dvblast "
           f"counts {n} steps")
    assert n == 3 and expected["239.1.2.12", 5000]["rtp_missing"] == 12, seen["239.1.2.12"].text()


@case("at the true rate: gaps, an outage and a missing PAT")
def timed(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t, CONFIG)
    watch(b, t, d)
    streams, expected = {}, {}
    for seed, (group, form) in enumerate(FORMS.items()):
        for port in (5000, 5001):
            tv = Television(Form(**form), 1300, seed)
            if port == 5000:
                tv.outage()
                tv.lose()
            else:
                tv.no_pat()
                tv.pause()
            streams[group, port], expected[group, port] = tv.finish()
    first = min(v[0][0] for v in streams.values())
    due = sorted((at - first, payload, *key) for key, v in streams.items() for at, payload in v)
    player = b.own(Player(t, [], 1))
    begun = time.monotonic()
    for at, payload, group, port in due:
        time.sleep(max(0, begun + at / 1e9 - time.monotonic()))
        player.send(payload, group, port)
    found = check(d, player, expected, {"ts_pcr_discontinuities"})
    for key, e in expected.items():
        counters = found[key]["counters"]
        for name in ("outages", "ts_pat_late", "ts_pmt_late"):
            assert counters[name] >= e[name], (key, name, counters[name], e[name])
        b.note(f"{key}: " + ", ".join(
            f"{name} {counters[name]} ({e[name]})" for name in sorted(TIMED)))


if __name__ == "__main__":
    main()
