#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ringcastctl capture: what a running daemon delivers, and what cannot disturb it."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess

from libnetns import (GROUP, PLAIN, case, main, wait_datagrams, wait_for)
from ringcast import binary

SECTION, INTERFACE, STATS, PACKET = 0x0a0d0d0a, 1, 5, 6
IN, OUT = 1, 2
ETHERNET = 1


def options(body):
    """Returns pcapng options: code -> bytes."""
    found = {}
    while len(body) >= 4:
        code, length = struct.unpack_from("<HH", body)
        if code == 0:
            break
        found[code] = body[4:4 + length]
        body = body[4 + (length + 3 & ~3):]
    return found


class Pcapng:
    """A pcapng file, read by the specification and without the project's own reader."""

    def __init__(self, data):
        self.names, self.links, self.packets, self.stats = [], [], [], {}
        at = 0
        while at < len(data):
            kind, size = struct.unpack_from("<II", data, at)
            assert size % 4 == 0 and at + size <= len(data), f"block at {at} is cut off"
            assert struct.unpack_from("<I", data, at + size - 4)[0] == size
            self.block(kind, data[at + 8:at + size - 4])
            at += size

    def block(self, kind, body):
        if kind == INTERFACE:
            self.links.append(struct.unpack_from("<H", body)[0])
            self.names.append(options(body[8:])[2].decode())
        elif kind == PACKET:
            number, high, low, caplen, length = struct.unpack_from("<IIIII", body)
            flags = struct.unpack("<I", options(body[20 + (caplen + 3 & ~3):])[2])[0]
            self.packets.append((self.names[number], flags & 3, body[20:20 + caplen],
                                 length, high << 32 | low))
        elif kind == STATS:
            number = struct.unpack_from("<I", body)[0]
            o = options(body[12:])
            self.stats[self.names[number]] = {
                name: struct.unpack("<Q", o[code])[0]
                for name, code in (("accepted", 6), ("lost", 7), ("delivered", 8))}

    def count(self, name, direction, test=lambda frame: True):
        return sum(1 for n, d, frame, _, _ in self.packets
                   if n == name and d == direction and test(frame))


def is_igmp(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 2


class Capture:
    def __init__(self, daemon, *args, **kw):
        self.process = subprocess.Popen(
            [binary("ringcastctl"), "-s", daemon.socket, "capture", *args],
            stderr=subprocess.PIPE, **kw)

    def end(self, how=signal.SIGINT):
        """Stop the capture; returns its exit status and output."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, (out or b"").decode(), err.decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def read(path):
    with open(path, "rb") as f:
        return Pcapng(f.read())


def wait_size(path, octets=1):
    wait_for(10, lambda: os.path.exists(path) and os.path.getsize(path) >= octets,
             f"{octets} bytes in the capture")


@case("a capture holds the messages of all interfaces, both ways, and others can read it")
def messages(b):
    t = b.topology(lans=1)
    d = b.run(t)
    path = os.path.join(d.dir, "all.pcapng")
    c = b.own(Capture(d, "-w", path))
    wait_size(path)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wait_for(10, lambda: read(path).count("wan", OUT, is_igmp), "a report upstream")
    text = b.own(Capture(d, "-i", "lan1", "--filter", "dst 224.0.0.22", "-c", "1",
                         stdout=subprocess.PIPE))
    line, _ = text.process.communicate(timeout=20)
    assert text.process.returncode == 0, text.process.returncode
    assert b" lan1 in  10.0.1.2 > 224.0.0.22: igmp v3 report, 1 record" in line, line
    r.leave()
    d.wait_no_member("lan1", GROUP)
    status, _, said = c.end()
    assert status == 0 and "captured on 2 interfaces, 0 lost" in said, (status, said)
    assert said.startswith("capturing on wan, lan1; Ctrl-C ends\n"), said
    p = read(path)
    assert p.names == ["wan", "lan1"] and p.links == [ETHERNET] * 2, (p.names, p.links)
    for name, direction in (("wan", OUT), ("lan1", IN), ("lan1", OUT)):
        assert p.count(name, direction, is_igmp), (name, direction, p.packets)
    assert p.stats["lan1"]["delivered"] == p.count("lan1", IN) + p.count("lan1", OUT), p.stats
    link = json.loads(t.hosts["lan1"].run("ip", "-j", "link", "show", "eth0").stdout)
    host = link[0]["address"].replace(":", "")
    frame = next(f for n, way, f, _, _ in p.packets if (n, way) == ("lan1", IN) and is_igmp(f))
    assert frame[6:12].hex() == host and frame[:6].hex() == "01005e000016", frame[:14].hex()
    assert [x[4] for x in p.packets] == sorted(x[4] for x in p.packets), "times"
    # read the file with libpcap
    replay = subprocess.run([binary("ringcast-replay"), path], capture_output=True, text=True)
    assert replay.returncode == 0, replay.stderr
    if shutil.which("tshark"):
        shark = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e",
                                "frame.interface_name", "-e", "_ws.col.Info", "igmp"],
                               capture_output=True, text=True)
        assert shark.returncode == 0, shark.stderr
        assert any(GROUP in s and s.startswith("lan1") for s in shark.stdout.splitlines()), \
            shark.stdout
        b.note("tshark: " + shark.stdout.splitlines()[0])


@case("data frames: as received, filtered, sampled; the end of the daemon ends the file")
def data(b):
    t = b.topology(lans=1)
    d = b.run(t)
    b.stream(t, rate=500, size=1000)
    b.stream(t, group="239.1.2.4", rate=500)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 5)
    everything, one_of, lines = (os.path.join(d.dir, n) for n in ("all", "some", "lines"))
    c = [b.own(Capture(d, "--data", "-w", everything, "udp and dst host", GROUP)),
         b.own(Capture(d, "--sample", "10", "--snaplen", "64", "-w", one_of, "udp"))]
    with open(lines, "wb") as f:
        c.append(b.own(Capture(d, "--data", "--filter", "udp", "--count", "3", stdout=f)))
    wait_size(everything, 30000)
    wait_size(one_of, 1000)
    _, said = c[2].process.communicate(timeout=20)
    with open(lines, encoding="utf-8") as f:
        got = f.read().splitlines()
    assert c[2].process.returncode == 0 and len(got) == 3, (got, said)
    assert all(" wan in  10.0.0.1." in s and "UDP, length" in s and "ttl 8" in s
               for s in got), got
    assert d.stop() == 0
    for x in c[:2]:
        _, err = x.process.communicate(timeout=20)
        assert x.process.returncode == 4 and b"daemon has ended" in err, err
    p, s = read(everything), read(one_of)
    assert {f[30:34].hex() for _, _, f, _, _ in p.packets} == {"ef010203"}
    assert {(n, way, len(f), length) for n, way, f, length, _ in p.packets} == \
        {("wan", IN, 256, 1042)}
    assert {f[22] for _, _, f, _, _ in p.packets} == {8}, "TTL as received"
    numbers = [struct.unpack_from("!I", f, 42)[0] for _, _, f, _, _ in p.packets]
    assert len(numbers) == p.stats["wan"]["delivered"], p.stats
    assert s.packets and {len(f) for _, _, f, _, _ in s.packets} == {64}
    times = [x[4] for x in s.packets]
    b.note(f"{len(p.packets)} frames; one of ten: "
           f"{len(times) / ((times[-1] - times[0]) / 1e9 or 1):.0f} per second of 1000")


@case("full disk, closed pipe, bad filter, unknown interface: reported, without effect on others")
def troubles(b):
    t = b.topology(lans=1)
    d = b.run(t)
    b.stream(t, rate=2000)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 5)

    def fails(status, text, *args, **kw):
        c = b.own(Capture(d, *args, **kw))
        _, err = c.process.communicate(timeout=20)
        assert c.process.returncode == status and text in err.decode(), \
            (args, c.process.returncode, err)
    fails(1, "cannot write /dev/full: No space left on device", "--data", "-w", "/dev/full")
    with open("/dev/full", "wb") as full:
        fails(1, "No space left on device", "--data", stdout=full)
    r, w = os.pipe()
    os.close(r)
    fails(1, "Broken pipe", "--data", "-w", "-", stdout=w)
    os.close(w)
    fails(1, "cannot open", "-w", os.path.join(d.dir, "no", "file"))
    fails(1, "filter 'hosts 1'", "hosts", "1")
    fails(4, "it has loops", "ip6", "protochain", "0")
    fails(4, "interface lan7 does not belong to this daemon", "-i", "lan7")
    fails(4, "snaplen", "--snaplen", "1")
    fails(1, "--count takes a number", "-c", "x")
    limited = os.path.join(d.dir, "small")
    fails(1, "File too large", "--data", "-w", limited, preexec_fn=lambda: __import__(
        "resource").setrlimit(1, (20000, 20000)) or signal.signal(signal.SIGXFSZ, 1))
    assert read(limited).packets, "shortened to whole blocks"
    assert d.ctl_run("version").returncode == 0


@case("a client that does not read loses packets, which are counted; the daemon continues")
def slow_client(b):
    t = b.topology(lans=1)
    d = b.run(t)
    b.stream(t, rate=5000, size=1400)
    wait_datagrams(b.receiver(t.hosts["lan1"]), 5)
    clients = []
    for _ in range(8):
        s = b.own(socket.socket(socket.AF_UNIX))
        s.connect(d.socket)
        s.sendall(b"capture data snaplen=1500\n")
        assert s.recv(21) == b'{"capture":"pcapng"}\n'
        clients.append(s)
    refused = d.ctl_run("capture", "-c", "1")
    assert refused.returncode == 4 and "8 streams" in refused.stderr, refused
    for s in clients[1:]:
        s.close()
    wait_for(10, lambda: d.ctl_run("capture", "-i", "wan", "-d", "-c", "1").returncode == 0,
             "streams that are gone leave their places")
    slow = clients[0]
    before = d.interface("wan")["rx_packets"]
    # the daemon queues 2 MiB at most
    wait_for(20, lambda: d.interface("wan")["rx_packets"] > before + 3000, "3000 datagrams")
    assert d.ctl_run("version").returncode == 0
    slow.shutdown(socket.SHUT_WR)
    data = b""
    while True:
        part = slow.recv(1 << 20)
        if not part:
            break
        data += part
    p = Pcapng(data)
    st = p.stats["wan"]
    assert st["lost"] > 0 and st["delivered"] == p.count("wan", IN) + \
        p.count("wan", OUT), (st, len(p.packets))
    assert st["accepted"] == st["lost"] + st["delivered"], st
    b.note(f"{st['accepted']} frames, {st['delivered']} delivered, {st['lost']} lost")


@case("lines as JSON, of both families")
def lines_json(b):
    t = b.topology(lans=1, ipv6=True)
    d = b.run(t)
    c = b.own(Capture(d, "--json", "--interface", "lan1", "-c", "4", "ip6[54] == 143 or "
                      "(igmp and ip[9] == 2)", stdout=subprocess.PIPE))
    b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan1"], "ff15::1")
    out, err = c.process.communicate(timeout=20)
    rows = [json.loads(line) for line in out.splitlines()]
    assert c.process.returncode == 0 and len(rows) == 4, (rows, err)
    assert {r["interface"] for r in rows} == {"lan1"}
    assert {"igmp", "mld"} >= {r["protocol"] for r in rows}, rows


if __name__ == "__main__":
    main()
