#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures through ringcast-replay: its output is compared with replay-*.ok.

usage: test_replay.py REPLAY DIRECTORY [--update]

The captures are built here, octet by octet and with encoders that share nothing with the
program: pcap and pcapng, every link type it reads, several inputs. With --update the
expected texts are written instead, to be read before they are committed.
"""

import difflib
import ipaddress
import os
import struct
import subprocess
import sys
import tempfile

ETHERNET, NULL, RAW, COOKED, COOKED2 = 1, 0, 101, 113, 276
V4 = "phyint wan upstream ipv6 off\nphyint lan downstream ipv6 off altnet 0.0.0.0/0\n"
V6 = "phyint wan upstream ipv4 off\nphyint lan downstream ipv4 off\n"
ONCE = "robustness 1 last-member-query-interval 1\n"

# messages in hexadecimal, in the order of the RFCs' drawings; the checksum is filled in
V1_QUERY = "1100 0000 00000000"
V2_QUERY = "1164 0000 00000000"
V3_QUERY = "1164 0000 00000000 02 7d 0000"
V2_REPORT = "1600 0000 ef010203"
V2_LEAVE = "1700 0000 ef010203"
V3_TO_EX = "2200 0000 0000 0001  04 00 0000 ef010203"
V3_ALLOW = "2200 0000 0000 0001  05 00 0001 e8010203 0a000001"
V3_TWO = "2200 0000 0000 0002  05 00 0001 e8010203 0a000001  04 00 0000 ef010204"
MLD1_QUERY = "8200 0000 2710 0000" + 16 * "00"
MLD2_QUERY = "8200 0000 2710 0000" + 16 * "00" + "02 7d 0000"
MLD1_REPORT = "8300 0000 0000 0000 ff0e0000000000000000000100020003"
MLD1_DONE = "8400 0000 0000 0000 ff0e0000000000000000000100020003"
MLD2_ALLOW = ("8f00 0000 0000 0001  05 00 0001 ff3e0000000000000000000080000001"
              "20010db8000000000000000000000001")

_cases = []


def case(name, slug):
    def register(function):
        _cases.append((name, slug, function))
        return function
    return register


# ---- packets ----

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def filled(message, pseudo=b""):
    m = bytearray.fromhex(message)
    m[2:4] = b"\0\0"
    m[2:4] = struct.pack("!H", checksum(pseudo + bytes(m)))
    return bytes(m)


def ip4(message, source, to, ttl=1, alert=True, spoil=0):
    m = filled(message)
    options = bytes.fromhex("94040000") if alert else b""
    h = bytearray(struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0xc0,
                              20 + len(options) + len(m), 0, 0, ttl, 2, 0))
    h += ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(to).packed + options
    h[10:12] = struct.pack("!H", checksum(bytes(h)))
    m = m[:2] + struct.pack("!H", struct.unpack("!H", m[2:4])[0] ^ spoil) + m[4:]
    return bytes(h) + m


def ip6(message, source, to, hops=1):
    s, d = (ipaddress.IPv6Address(a).packed for a in (source, to))
    m = bytes.fromhex(message)
    m = filled(message, s + d + struct.pack("!II", len(m), 58))
    alert = bytes.fromhex("3a00 0502 0000 0100")
    return (struct.pack("!IHBB", 0x60000000, len(alert) + len(m), 0, hops) + s + d +
            alert + m)


def ethertype(ip):
    return struct.pack("!H", 0x86dd if ip[0] >> 4 == 6 else 0x0800)


def ethernet(ip, tags=(), pad=b""):
    vlan = b"".join(struct.pack("!HH", *t) for t in tags)
    return bytes.fromhex("01005e000016 020000000001") + vlan + ethertype(ip) + ip + pad


def cooked(ip):
    return struct.pack("!HHH8s", 2, 1, 6, bytes.fromhex("020000000001")) + \
        ethertype(ip) + ip


def cooked2(ip):
    return ethertype(ip) + struct.pack("!HIHBB8s", 0, 3, 1, 2, 6,
                                       bytes.fromhex("020000000001")) + ip


def loopback(ip):
    return struct.pack("=I", 30 if ip[0] >> 4 == 6 else 2) + ip


# ---- captures; packets are (milliseconds, bytes) ----

def pcap(link, packets, start=1000000000):
    out = struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link)
    for ms, p in packets:
        out += struct.pack("=IIII", start + ms // 1000, ms % 1000 * 1000, len(p), len(p)) + p
    return out


def pcapng(link, packets, start=1000000000):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        length = struct.pack("=I", 12 + len(body))
        return struct.pack("=I", kind) + length + body + length
    out = block(0x0a0d0d0a, struct.pack("=IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack("=HHI", link, 0, 65535))
    for ms, p in packets:
        us = start * 1000000 + ms * 1000
        out += block(6, struct.pack("=IIIII", 0, us >> 32, us & 0xffffffff, len(p), len(p))
                     + p)
    return out


def report4(message, ttl=1, **kw):
    return ip4(message, "10.0.0.7", "224.0.0.22", ttl, **kw)


JOIN_LEAVE = [(0, ip4(V2_REPORT, "10.0.0.7", "239.1.2.3")),
              (5000, ip4(V2_LEAVE, "10.0.0.7", "224.0.0.2"))]


# ---- cases: configuration, arguments, inputs ----

@case("Ethernet: an IGMPv2 host joins and leaves", "ethernet")
def join_leave():
    return V4, ["-t", "3"], {"lan": pcap(ETHERNET, [(t, ethernet(p)) for t, p in JOIN_LEAVE])}


@case("VLAN tags, one and two, are taken off", "vlan")
def vlan():
    p = report4(V3_TO_EX)
    return ONCE + V4, ["-t", "0"], {"lan": pcap(ETHERNET, [
        (0, ethernet(p, [(0x8100, 7)])),
        (100, ethernet(report4(V3_ALLOW), [(0x88a8, 100), (0x8100, 0x6000)]))])}


@case("raw IP", "any-link")
def raw():
    return ONCE + V4, ["-t", "2"], {"lan": pcap(RAW, JOIN_LEAVE)}


@case("Linux cooked", "any-link")
def linux_cooked():
    return ONCE + V4, ["-t", "2"], {"lan": pcap(COOKED, [(t, cooked(p))
                                                         for t, p in JOIN_LEAVE])}


@case("Linux cooked, version 2", "any-link")
def linux_cooked2():
    return ONCE + V4, ["-t", "2"], {"lan": pcap(COOKED2, [(t, cooked2(p))
                                                          for t, p in JOIN_LEAVE])}


@case("loopback", "any-link")
def bsd_loopback():
    return ONCE + V4, ["-t", "2"], {"lan": pcap(NULL, [(t, loopback(p))
                                                       for t, p in JOIN_LEAVE])}


@case("pcapng", "any-link")
def next_generation():
    return ONCE + V4, ["-t", "2"], {"lan": pcapng(ETHERNET, [(t, ethernet(p))
                                                             for t, p in JOIN_LEAVE])}


@case("two inputs are merged by time: E04 an IGMPv2 provider, an IGMPv3 LAN", "two-inputs")
def two_inputs():
    lan = [(1000, ethernet(report4(V3_TWO))), (3000, ethernet(report4(V3_TWO)))]
    wan = [(2000, ip4(V2_QUERY, "198.51.100.1", "224.0.0.1"))]
    return ONCE + V4, ["-t", "30"], {"lan": pcap(ETHERNET, lan), "wan": pcap(RAW, wan)}


@case("E06 E08 E09 E10 queries of the field: no address, no Router Alert, padding", "queries")
def queries():
    def query(message, source, pad=b"", **kw):
        return ethernet(ip4(message, source, "224.0.0.1", **kw), pad=pad)
    wan = [(2000, query(V3_QUERY, "0.0.0.0")),
           (20000, query(V2_QUERY, "10.3.10.2", pad=b"\0" * 18, alert=False)),
           (400000, query(V3_QUERY + 10 * "00", "203.0.113.9", ttl=64))]
    lan = [(0, ethernet(report4(V3_TO_EX)))]
    refresh = [(t, ethernet(report4(V3_TO_EX.replace("04 00", "02 00"))))
               for t in range(100000, 420000, 100000)]
    return ONCE + V4, ["-t", "20"], {"wan": pcap(ETHERNET, wan),
                                     "lan": pcap(ETHERNET, lan + refresh)}


@case("E11 queries on the LAN: by unicast, from a lower address, from a higher", "election")
def election():
    def query(source, to="224.0.0.1"):
        return ethernet(ip4(V3_QUERY, source, to))
    lan = [(0, ethernet(report4(V3_TO_EX))), (1000, query("10.0.0.200")),
           (2000, query("10.0.0.1", "10.0.0.100")), (3000, query("10.0.0.1")),
           (4000, query("10.0.0.50"))]
    return "forwarding querier\n" + ONCE + V4, \
        ["-a", "lan=10.0.0.100/24", "-t", "260"], {"lan": pcap(ETHERNET, lan)}


@case("refused: checksum, foreign protocol, fragment, cut short; E27 other types", "refused")
def refused():
    good = report4(V3_TO_EX)
    fragment = bytearray(good)
    fragment[6] = 0x20
    fragment[10:12] = b"\0\0"
    fragment[10:12] = struct.pack("!H", checksum(bytes(fragment[:24])))
    udp = bytearray(good)
    udp[9] = 17
    udp[10:12] = b"\0\0"
    udp[10:12] = struct.pack("!H", checksum(bytes(udp[:24])))
    packets = [report4(V3_TO_EX, spoil=1), bytes(udp), bytes(fragment), good[:30],
               report4("fc00 0000 00000000"), report4("1300 0000 00000000"),
               report4("1600 0000 0a010203"), report4("2200 0000 0000 0001 04 00 0000")]
    return V4, ["-t", "0"], {"lan": pcap(ETHERNET, [(n * 10, ethernet(p))
                                                    for n, p in enumerate(packets)])}


@case("K13 a report in fragments, the last one first, then a message that contradicts itself",
      "fragments")
def fragments():
    good = report4(V3_TWO)
    packets = []
    for number, field, body in ((1, 1, good[32:]), (1, 0x2000, good[24:32]),
                                (2, 0x2000, good[24:40]), (2, 1, good[32:])):
        head = bytearray(good[:24])
        head[2:4] = struct.pack("!H", 24 + len(body))
        head[4:8] = struct.pack("!HH", number, field)
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack("!H", checksum(bytes(head)))
        packets.append(bytes(head) + body)
    return V4, ["-t", "0"], {"lan": pcap(ETHERNET, [(n * 10, ethernet(p))
                                                    for n, p in enumerate(packets)])}


@case("a report cut short: its first record counts", "truncated")
def truncated():
    message = V3_TO_EX.replace("0000 0001", "0000 0005")
    return ONCE + V4, ["-t", "0"], {"lan": pcap(RAW, [(0, report4(message))])}


@case("groups that are refused: source-specific, link-local, blacklist", "policy")
def policy():
    config = "ssm-range default\n" + ONCE + V4 + "blacklist 239.1.2.0/24\n"
    packets = [report4(V3_TO_EX.replace("ef010203", g)) for g in
               ("e8010203", "e00000fb", "ef010203", "ef010303")]
    return config, ["-t", "0"], {"lan": pcap(RAW, list(enumerate(packets)))}


@case("R005 R006 require-router-alert: TTL 1 and the option, or refused", "strict")
def strict():
    packets = [report4(V3_TO_EX, ttl=64), report4(V3_TO_EX, alert=False), report4(V3_TO_EX)]
    return ONCE + V4 + "require-router-alert on\n", ["-t", "0"], {
        "lan": pcap(RAW, list(enumerate(packets)))}


@case("only time passes: general queries, and the -q option", "idle")
def idle():
    noise = ethernet(ip4("3000 0000", "10.0.0.9", "224.0.0.106"))
    return V4, ["-q", "-t", "300"], {"lan": pcap(ETHERNET, [(0, noise)])}


@case("a clock that was set: backwards, forwards by years, and out of any reason", "jumps")
def jumps():
    years = 10 * 365 * 24 * 3600
    p = report4(V3_TO_EX)
    times = [0, -5000, -4000, years * 1000,
             ((1 << 43) + 0xffffffff - 1000000000) * 1000 + 992]
    return V4 + "query-interval 10000\n", ["-q", "-t", "0"], {
        "lan": pcapng(RAW, [(t, p) for t in times])}


@case("MLD: a v1 listener, a v2 listener, a v1 querier upstream", "mld")
def mld():
    def listener(message, to="ff02::16", hops=1):
        return ethernet(ip6(message, "fe80::7", to, hops))
    lan = [(0, listener(MLD1_REPORT, "ff0e::1:2:3")), (1000, listener(MLD2_ALLOW)),
           (1500, listener(MLD2_ALLOW, hops=2)), (4000, listener(MLD1_DONE, "ff02::2"))]
    wan = [(3000, ethernet(ip6(MLD1_QUERY, "fe80::1", "ff02::1"))),
           (3500, ethernet(ip6(MLD2_QUERY, "fe80::1", "ff02::1")))]
    return ONCE + V6, ["-t", "20"], {"lan": pcap(ETHERNET, lan), "wan": pcap(ETHERNET, wan)}


# ---- running ----

def run(replay, config, arguments, inputs, folder):
    path = os.path.join(folder, "config")
    with open(path, "w", encoding="ascii") as f:
        f.write(config)
    files = []
    for name, octets in inputs.items():
        files.append(f"{name}={os.path.join(folder, name)}.pcap")
        with open(files[-1].partition("=")[2], "wb") as f:
            f.write(octets)
    r = subprocess.run([*replay, "-c", path, *arguments, *files], capture_output=True,
                       text=True, check=False, timeout=60)
    said = [line for line in r.stderr.splitlines() if "robustness" not in line]
    return r.stdout + "".join(f"stderr: {s}\n" for s in said) + f"exit {r.returncode}\n"


def difference(replay, directory, slug, function, update):
    with tempfile.TemporaryDirectory() as folder:
        got = run(replay, *function(), folder)
        got = got.replace(folder, "FOLDER")
    path = os.path.join(directory, f"replay-{slug}.ok")
    if update:
        with open(path, "w", encoding="ascii") as f:
            f.write(got)
    with open(path, encoding="ascii") as f:
        return list(difflib.unified_diff(f.read().splitlines(), got.splitlines(),
                                         "expected", "printed", lineterm=""))


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 1
    # meson names the wrapper for programs of another machine
    replay = [*os.environ.get("MESON_EXE_WRAPPER", "").split(), sys.argv[1]]
    directory = sys.argv[2]
    failed = 0
    print(f"1..{len(_cases)}")
    for n, (name, slug, function) in enumerate(_cases, 1):
        lines = difference(replay, directory, slug, function, sys.argv[3:] == ["--update"])
        failed += bool(lines)
        print(f"{'not ok' if lines else 'ok'} {n} - {name}")
        for line in lines:
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
