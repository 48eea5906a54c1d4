#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seed corpora of the fuzz targets, one directory each: the golden messages and files of the other
tests, and earlier findings (regress/TARGET).

usage: make_seeds.py OUT SOURCE_ROOT
"""

import hashlib
import importlib.util
import ipaddress
import os
import re
import shutil
import struct
import sys
from pathlib import Path


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Seeds:
    def __init__(self, out):
        self.out = out

    def add(self, target, octets):
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)

    def dictionary(self, target, words):
        lines = sorted({f'"{w}"' for w in words})
        (self.out / f"{target}.dict").write_text("\n".join(lines) + "\n")


def messages(golden):
    """Packets of the codecs; the first byte is that of fuzz_gm.h."""
    messages4 = [golden.V1_QUERY, golden.V2_QUERY, golden.V3_QUERY, golden.V2_REPORT,
                 golden.V2_LEAVE, golden.V3_TO_EX, golden.V3_ALLOW, golden.V3_TWO]
    messages6 = [golden.MLD1_QUERY, golden.MLD2_QUERY, golden.MLD1_REPORT,
                 golden.MLD1_DONE, golden.MLD2_ALLOW]
    for m in messages4:
        for to in ("224.0.0.1", "224.0.0.2", "224.0.0.22", "239.1.2.3", "10.0.0.9"):
            yield "igmp", golden.ip4(m, "10.0.0.7", to)
        yield "igmp", golden.ip4(m, "0.0.0.0", "224.0.0.1", ttl=64, alert=False)
    for m in messages6:
        for to in ("ff02::1", "ff02::2", "ff02::16", "ff0e::1:2:3", "fe80::9"):
            yield "mld", golden.ip6(m, "fe80::7", to)
        yield "mld", golden.ip6(m, "::", "ff02::16")


def codecs(seeds, golden):
    for target, packet in messages(golden):
        for what in (0, 1, 2):
            seeds.add(target, bytes([what]) + packet)
    for target in ("igmp", "mld"):
        for kind in range(12):
            seeds.add(target, bytes([4, kind % 3, 10, 7, kind // 3, 1]) + bytes(range(40)))


def udp(ip6=False, payload=b"0123456789", options=b"", extension=b"", **fields):
    datagram = struct.pack("!HHHH", 4000, 5000, 8 + len(payload), 0) + payload
    source, group = ("2001:db8::9", "ff0e::1") if ip6 else ("203.0.113.9", "239.1.2.3")
    proto = fields.get("proto", 17)
    if ip6:
        first = fields.get("first", proto)
        return (struct.pack("!IHBB", 0x6b000077, len(extension) + len(datagram), first, 64) +
                ipaddress.ip_address(source).packed + ipaddress.ip_address(group).packed +
                extension + datagram)
    return (struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0,
                        20 + len(options) + len(datagram), 7, fields.get("flags", 0), 64,
                        proto, 0) +
            ipaddress.ip_address(source).packed + ipaddress.ip_address(group).packed +
            options + datagram)


def fragments(seeds, golden):
    """Pieces, three bytes each (four with a time), and packets with their lengths."""
    for text in ("000007100103", "100103000007", "000007000007800007", "000007 400007 32",
                 "01000702000703000704000705000706000707000708000709000710 0103",
                 "000007000107000207100107", "2000ff 3001ff"):
        seeds.add("reassemble", bytes([0]) + bytes.fromhex(text))
    m = golden.ip4(golden.V3_TWO, "10.0.0.7", "224.0.0.22")
    for order in ((0, 1), (1, 0), (0, 0, 1)):
        octets = b""
        for last in order:
            h = bytearray(m[:24])
            body = m[32:] if last else m[24:32]
            h[2:4] = struct.pack("!H", 24 + len(body))
            h[6:8] = struct.pack("!H", 1 if last else 0x2000)
            h[10:12] = bytes(2)
            h[10:12] = struct.pack("!H", golden.checksum(bytes(h)))
            octets += struct.pack("!H", len(h) + len(body)) + bytes(h) + body
        seeds.add("reassemble", bytes([1]) + octets)
    m = golden.ip6(golden.MLD2_ALLOW, "fe80::7", "ff02::16")
    for order in ((0, 1), (1, 0), (0, 0, 1)):
        octets = b""
        for last in order:
            body = m[56:] if last else m[48:56]
            h = bytearray(m[:48]) + bytes([58, 0, 0, 8 if last else 1, 0, 0, 0, 9])
            h[4:6] = struct.pack("!H", 16 + len(body))
            h[40] = 44
            octets += struct.pack("!H", len(h) + len(body)) + bytes(h) + body
        seeds.add("reassemble", bytes([2]) + octets)


def replies(seeds, root):
    """Replies of the daemon with rows named "rows", after a byte with the size of the pieces."""
    for path in sorted((root / "tests" / "golden").glob("ctl-*.json")):
        octets = path.read_bytes().strip()
        for name in (b'"groups"', b'"mfc"', b'"interfaces"'):
            octets = octets.replace(name, b'"rows"')
        for piece in (0, 63):
            seeds.add("rows", bytes([piece]) + octets)
    for text in ('{"rows":[]}', '{"a":"]","rows":["x\\"],",[1,{"rows":[2]}]],"rows":[3]}',
                 '{"rows":[1,]}', '{"rows":[,1]}', '{"rows" : [ 1 , 2 ] , "b":1}', '[]'):
        seeds.add("rows", b"\0" + text.encode())
    seeds.dictionary("rows", ['\\"rows\\":[', '\\"', "],", "{", "}"])


def frames(seeds):
    """One frame, after the options, MTU, narrow MTU and VLAN tag of fuzz_frame.c."""
    ext = [(0, "1100050200000100"), (43, "1100000000000000"), (44, "1100000000000001"),
           (60, "110001040000 0000"), (51, "1104000000000000000000000000000000000000 00000000"),
           (0, "3c00010400000000 2c00010400000000 1100000000000000")]
    packets = [(32, udp(True, extension=bytes.fromhex(x), first=n)) for n, x in ext]
    packets += [(0, udp(options=bytes.fromhex(x))) for x in
                ("94040000", "01010101", "83070400000000 00", "8207040000000000 44040500")]
    packets += [(0, udp(flags=x, payload=bytes(200))) for x in (0x4000, 0x2000, 0x2003, 3)]
    packets += [(0, udp(proto=6, payload=bytes(40))), (32, udp(True)), (0, udp(proto=2)),
                (32, udp(True, proto=6, payload=bytes(30)))]
    for what, p in packets:
        for flags in (0, 4, 8):
            seeds.add("frame", bytes([what | flags, 0, 3, 0, 0]) + p)
        seeds.add("frame", bytes([what | 1 | 16, 0, 2, 0x60, 0]) + bytes(12) + b"\x08\0" + p)
    vnet = struct.pack("=BBHHHH", 1, 5, 0, 100, 0, 0)
    for what, ip6 in ((2, False), (34, True)):
        p = udp(ip6, payload=bytes(range(250)))
        seeds.add("frame", bytes([what, 0, 3, 0, 0]) + vnet + p)
        seeds.add("frame", bytes([what | 1, 0, 3, 0, 0]) + vnet + bytes(14) + p)


def bursts(seeds):
    """Instructions of fuzz_forward.c."""
    some = ["f0f0", "0c80f0f0", "0603e8f0", "0e00640320f0", "08f0f0", "0f01f00f02f00f03f00f04f0",
            "0c01f00c02f00c03f0", "30060020f0", "0b10f0", "0d2000f0", "0910f00901f0",
            "0c82f00601f4f0f0060100f0", "150b05f0", "0c0af0", "0e05dc0fa0f0"]
    for n, text in enumerate(some):
        for mode in range(3):
            seeds.add("forward", bytes([mode, n]) + bytes.fromhex(text))
    for how in (0, 1, 16, 17, 33):
        seeds.add("forward", bytes([0, how]) + bytes.fromhex("".join(some)))


def configurations(seeds, root):
    """Every golden file, whole and line by line, and the words of the keyword table."""
    for path in sorted((root / "tests" / "golden").glob("conf-*.in")):
        text = path.read_bytes()
        seeds.add("config", text)
        for line in text.splitlines():
            seeds.add("config", b"phyint u upstream phyint d downstream " + line)
    for path in sorted((root / "tests" / "golden").glob("conf-*.ok")):
        seeds.add("config", path.read_bytes().partition(b"== print\n")[2])
    words = re.findall(r'"([a-z0-9_-]+)"',
                       (root / "src" / "control" / "config" / "config_keyword.c").read_text())
    words += ["239.0.0.0/8", "ff0e::/16", "phyint u upstream", "phyint d downstream", "eth0"]
    seeds.dictionary("config", words)


def conversions(seeds, root):
    """The files of the conversions, after the byte `what` of fuzz_convert.c."""
    folder = root / "tests" / "golden" / "migrate"
    network = (folder / "openwrt.network").read_bytes()
    words = set()
    for dialect, pattern in enumerate(("improxy*.conf", "vyos*.[bc]o*", "openwrt*.[nio]*")):
        for path in sorted(folder.glob(pattern)):
            text = path.read_bytes()
            words |= set(re.findall(r"[a-z_-]+", text.decode()))
            seeds.add("convert", bytes([dialect]) + text)
            if dialect == 2:
                seeds.add("convert", bytes([5]) + network + b"\0" + text)
    seeds.dictionary("convert", sorted(words) + ["10.0.0.0/8", "\\x0a", "'", "{", "}"])


def requests(seeds):
    """Instructions of fuzz_ctl.c; 63 sends that many bytes on client 0, 67 on client 1."""
    lines = [b"show mfc\n", b"echo a b\n", b"none\r\n", b"  show mfc  \nwhat\n", b"\n\n",
             b"show", b"echo \xff\x01\n", b"\0\n", b"show mfcs\n", b"monitor\n", b"monitor x\n",
             b"clear group 239.1.2.3\n", b"clear group ff3e::1 lan1\n", b"clear group 10.0.0.1\n"]
    for text in lines:
        seeds.add("ctl", b"\x3f" + text.ljust(63, b" ") + b"\0")
        seeds.add("ctl", b"\x43" + text * 7)
    seeds.add("ctl", b"".join(b"\x3f" + t.ljust(63, b"x") + b"\0" for t in lines))
    seeds.add("ctl", b"\xfe" + bytes(range(33, 127)) * 3)
    seeds.add("ctl", b"\x03sho\x00\x07w mfc\n\x00\x01\x03abc\x00")
    # two clients follow; events of all sizes, and more than the clients read
    seeds.add("ctl", b"\x3f" + b"monitor\n".ljust(63, b"x") + b"\x43" + b"monitor \r\n".ljust(67)
              + bytes(range(128, 252, 4)) * 3 + b"\0")
    seeds.add("ctl", b"\x3f" + b"monitor\n".ljust(63, b"x") + b"\xb8" * 300 + b"\x01\xb8")
    seeds.dictionary("ctl", ["show mfc", "echo ", "none", "monitor", "clear group ", "239.1.2.3"])


def http(seeds):
    """Steps of fuzz_http.c after a byte for the configuration: 11 puts a request together (how,
    host, path, length of pieces, arguments), 8 sends bytes, 0 to 2 let the server run."""
    def ask(how, host, path, values=(), which=0):
        octets = bytes([11, how, host, path, 40])
        return octets + bytes([which]) + b"".join(
            bytes([len(v), 0]) + v for v in values)
    texts = [b"239.1.2.3", b"10.0.1.2", b"lan1", b"wan"]
    for mode in range(4):
        for path in range(24):
            seeds.add("http", bytes([mode]) + ask(128, path % 13, path))
            seeds.add("http", bytes([mode]) + ask(128, 0, path) + ask(3, 1, path) + b"\xf0\x02")
        for host in range(13):
            seeds.add("http", bytes([mode]) + ask(128 + 64 * (host % 2), host, 1))
        seeds.add("http", bytes([mode]) + ask(128, 0, 0, texts, 15))
        for address in range(6):
            seeds.add("http", bytes([mode]) + ask(128 + 8 * address, 0, 1) +
                      ask(128 + 8 * address, 0, 13) + ask(128 + 8 * address + 4, 5, 19))
        for values in ([b"a b", b"x"], [b"\xff\xc3\xa4<\"\\", b"%0a"], [b"239.1.2.3\0z"], [b""],
                       [b"x" * 250]):
            seeds.add("http", bytes([mode]) + ask(128, 0, 0, values, (1 << len(values)) - 1))
        for which, value in ((1, b"rate"), (2, b"10"), (4, b"500"), (8, b"239.1.2.3"), (16, b"60"),
                             (32, b"9"), (8, b"10.0.1.2"), (8, b"a b \xff\"")):
            seeds.add("http", bytes([mode]) + b"".join(
                ask(128, 0, path, [value], which) for path in range(1, 7)))
    # answers that are shared, streams, crowds, reloads, time, events
    several = b"".join(b"%c" % (11 + 16 * i) + ask(0, 0, 1)[1:] for i in range(3))
    for then in (b"\xf0", b"\x06", b"\x05\xb3\x07", b"\x05\xb3\xf6\xf0", b"\xf4\x00", b"\x07\x17",
                 b"\x03\x75lan1\x03\xf3\xff\x00\x01\x01"):
        seeds.add("http", b"\1" + several + then)
        seeds.add("http", b"\1" + ask(0, 0, 14) + ask(128, 0, 13) + then + b"\xf0" * 3)
    for text in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /api/v1/top?filter",
                 b"GET /api/v1/mfc?filter=%zz&&=&a HTTP/1.1\r\nHost: [::1]\r\nHost : x\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: router\r\nContent-Length: 99999999999999999999\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: router\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                 b"12345", b"\0\xff\r\n\r\n"):
        seeds.add("http", b"\1\x08" + bytes([len(text)]) + text + b"\xf0\xf0")
        seeds.add("http", b"\1" + b"\0".join(
            b"\x08\5" + text[i:i + 5] for i in range(0, len(text), 5)) + b"\xf0")
    seeds.dictionary("http", ["GET /", "HTTP/1.1", "Host: ", "api/v1/", "?filter=", "Content-Length: ",
                              "Transfer-Encoding: chunked", "Expect: 100-continue", "Connection: "])


def attribute(kind, octets):
    return struct.pack("=HH", 4 + len(octets), kind) + octets + bytes(-len(octets) % 4)


def netlink(seeds):
    """Instructions of fuzz_netlink.c: kind, length, payload; 7 ends a round."""
    def say(kind, payload):
        return bytes([kind, len(payload)]) + payload
    link = struct.pack("=BBHiII", 0, 0, 1, 3, 0x11043, 0) + attribute(3, b"eth0\0") + \
        attribute(4, struct.pack("=I", 1500)) + attribute(1, bytes(6)) + \
        attribute(18, attribute(1, b"veth\0"))
    addr4 = struct.pack("=BBBBI", 2, 24, 0, 0, 3) + attribute(1, bytes([10, 0, 0, 1])) + \
        attribute(2, bytes([10, 0, 0, 2])) + attribute(8, struct.pack("=I", 0x80))
    addr6 = struct.pack("=BBBBI", 10, 64, 0x40, 0, 3) + \
        attribute(1, ipaddress.ip_address("fe80::1").packed)
    up = say(64, link) + say(66, addr4) + say(2, addr6)
    seeds.add("netlink", up)
    seeds.add("netlink", up + b"\7\1" + say(1 | 8, link) + say(5 | 8, bytes(4)) +
              say(2 | 8, addr4) + say(5 | 8, bytes(4)) + b"\7")
    seeds.add("netlink", up + b"\7\0" + say(4, addr4) + say(3, link) + b"\7")
    seeds.add("netlink", up + b"\x0f" + say(1 | 8 | 16, link) + say(5 | 8, bytes(4)) + b"\x4f")
    seeds.add("netlink", up + b"\7\1" + say(6 | 8, struct.pack("=i", -22) + bytes(16)) + b"\7")
    seeds.add("netlink", say(33, link) + b"\x64" + say(34, addr4) + b"\x60")


def captures(seeds, golden):
    """The captures of the replay tests, after the byte `what` of fuzz_replay.c."""
    for _, _, function in golden._cases:
        for name, octets in function()[2].items():
            what = 1 if name == "wan" else 0
            for config in (0, 4, 8):
                seeds.add("replay", bytes([what | config]) + octets)


def streams(seeds):
    """Datagrams of fuzz_quality.c: TS packets, RTP before them, repetitions, time."""
    video, table = "00 0100 10", "14 4000 10 00 00b00d0001c100000001f0002ab104b2"
    clock, null = "0c 0100 30 07 10 000000007e00 00", "00 1fff 10"
    rtp = "80 0001 0000 01"
    for kind in ("01", "02", "03", "05"):
        body = video * int(kind, 16) if kind != "05" else video
        seeds.add("quality", bytes.fromhex(f"09 {kind} {body} 20"))
        seeds.add("quality", bytes.fromhex(f"09 {int(kind, 16) | 24:02x} {rtp} {body} 27"))
    for packet in (table, clock, null, "00 0100 20", "02 0100 30 01 80", "80 46 0100 10"):
        seeds.add("quality", bytes.fromhex(f"09 02 {packet} {video} 0a 02 07 0d 03 {packet}"))
        seeds.add("quality", bytes.fromhex(f"0d 02 {video} {packet} 0b 22 00 04 0f 10 04"))
    seeds.add("quality", bytes.fromhex("01 08 80 60 0001 0000 01 28 10 22 10 62 02"))
    # tables that begin at the end of a packet, or end in the next one
    seeds.add("quality", bytes.fromhex("01 01 21 400010 a0  01 01 21 400011 b4"))
    seeds.add("quality", bytes.fromhex("01 01 61 000010 00 30  01 01 60 003010 81 f0"))
    # PAT, PMT with three codecs, the pictures of each, many PIDs
    pes = "000001 e0 0000 80 00 00"
    for pid, picture in (("04", "000001b3 00000100 000f"), ("05", "00000167 00000141 88"),
                         ("06", "000000014201 000000012a01")):
        n = len(bytes.fromhex(pes + picture))
        seeds.add("quality", bytes.fromhex(
            "01 01 61 000010 02 30  01 01 63 003010 03 10 15 1a"
            f"01 01 {n:02x} 40 {pid} 10 {pes} {picture}"
            f"01 01 27 40 {pid} 11 {pes}"))
    seeds.add("quality", bytes.fromhex("49 01 00 000110 27  48 27 48 27 48 27"))
    seeds.add("quality", bytes.fromhex("49 01 49 000130 07 10 00112233 4455 27  48 27"))
    seeds.add("quality", bytes.fromhex(f"19 01 {video} 10 10 20 30 bb 40"))


def watched(seeds):
    """Operations of fuzz_quality_watch.c: bursts, payloads, time, orders, questions."""
    for mode in ("00", "01"):
        for order in ("06 00", "06 08", "08 90", "07 03"):
            seeds.add("quality_watch", bytes.fromhex(
                f"{mode} 03 02 01 02 00 00 03 00 04 05 {order} 00 00 05 01 04 06 03 02 33 74 "
                f"01 01 07 55 {order} 05 2b 02 0a 02 aa 07 01 05 0f 00 00 00 00"))
        seeds.add("quality_watch", bytes.fromhex(
            mode + "".join(f"00 {g:02x} 07 e4 04 05" for g in (0, 1, 2, 3, 4, 8, 9)) +
            "05 17 00 04 00 00 00 01 03 ff"))


def tables(seeds):
    """Operations of fuzz_fib.c: number, group, and for 0 and 1 the set."""
    some = ["000105 000207 080103 0401 0c01", "fa00 4401 fb00 1c00", "f200 f280 0640 0e03",
            "000155 0401 0700 080100 080155 0401 000100 0c01", "ea10 2d00 eb10 2d00",
            "00fe80 01fe81 fefe 06ff"]
    for text in some:
        seeds.add("fib", b"\1" + bytes.fromhex(text))
    seeds.add("fib", bytes(3) + bytes.fromhex("fa00fa40fa80fac0fb00070007fb40fb80fbc00700"))


def histories(seeds):
    """Steps of fuzz_proxy.c: a report of each type, queries, time, links, reloads."""
    for start in range(0, 32, 3):
        steps = [bytes([start])]
        for kind in range(6):
            steps.append(bytes([16 * kind, 8 * kind + kind % 4, 72 + kind, 1 << kind]))
            steps.append(bytes([11 + 16 * 3, 3]))
        steps += [bytes([8, 0x4a, 72]), bytes([10, 0x20, 72, 1, 3]), bytes([13 + 32, 40]),
                  bytes([14 + 16]), bytes([14 + 16]), bytes([15, start % 8]),
                  bytes([15 + 16 * 13, 1]), bytes([0, 9, 0x20]), bytes([11 + 48, 255])]
        seeds.add("proxy", b"".join(steps))
        seeds.add("proxy", b"".join(steps[:9]))
        seeds.add("proxy", b"".join(steps[:1] + steps[9:]))
        # another querier on a LAN, streams that it also forwards, upgrades in between
        copies = bytes([15 + 16 * 8, 192 + start])
        seeds.add("proxy", b"".join([*steps[:9], bytes([8, 0x48, 104]), copies,
                                     bytes([15 + 16 * 11]), copies, steps[-1]]))


def handovers(seeds):
    """Reports of fuzz_state.c, and one edit of each kind."""
    for start in range(0, 48, 5):
        reports = bytes(octet for i in range(12) for octet in (17 * i + start & 255, 37 * i & 255))
        seeds.add("state", bytes([start]) + reports)
        for how in range(8):
            seeds.add("state", bytes([start]) + reports[:2 * (1 + start // 4 % 12)] +
                      bytes([how + 8 * start & 255, start, 29 * how + start, 255, 1, 2, 3]))


def stream_logs(seeds):
    """Seconds and zaps of fuzz_stream_log.c, and edits of their state."""
    for start in range(0, 64, 7):
        steps = bytes(octet for i in range(40) for octet in (i * 4 + i % 4, 23 * i + start & 255))
        seeds.add("stream_log", bytes([40, 0]) + steps)
        for how in range(3):
            seeds.add("stream_log", bytes([30, 3]) + steps[:60] +
                      bytes([how, start, 31 * how, 5, how, 1, start, 200, how, 2, 77, 1]) + steps)


def kernel_groups(seeds):
    """The groups of programs as Linux prints them, a NUL, and their sources."""
    def line4(group, users):
        raw = int.from_bytes(ipaddress.ip_address(group).packed, sys.byteorder)
        return f"\t\t\t\t{raw:08X}     {users} 0:00000000\t\t0\n"

    igmp = ("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
            "3\twan       :     3      V2\n" + line4("239.1.2.3", 2) + line4("232.1.2.3", 1) +
            line4("224.0.0.1", 1) + "12\tppp0      :     1      V3\n" + line4("239.1.2.3", 3))
    mcfilter = ("Idx Device        MCA        SRC    INC    EXC\n"
                "  3    wan 0xe8010203 0x0a000001      1      0\n"
                "  3    wan 0xe8010203 0x0a00000b      1      0\n"
                " 12   ppp0 0xef010203 0x0a000001      0      1\n")
    igmp6 = ("4    wan             ff0e0000000000000000000000010203     1 00000004 0\n"
             "4    wan             ff3e0000000000000000000080000001     1 00000004 0\n"
             "4    wan             ff020000000000000000000000000001     1 0000000C 0\n")
    mcfilter6 = ("Idx Device                Multicast Address                   Source Address"
                 "    INC    EXC\n"
                 "  4    wan ff3e0000000000000000000080000001 "
                 "20010db8000000000000000000000001      1      0\n")
    for family, groups, sources in ((0, igmp, mcfilter), (1, igmp6, mcfilter6)):
        seeds.add("kgroups", bytes([family]) + groups.encode())
        seeds.add("kgroups", bytes([family]) + f"{groups}\0{sources}".encode())


def channels(seeds):
    url = "udp://@239.1.1.1:1234"
    xspf = ("<playlist><trackList><track><title>A &amp; &#233;</title><!-- x -->"
            f"<location>{url}</location></track></trackList></playlist>")
    for text in (f"#EXTM3U\n#EXTINF:-1 tvg-id=\"a,b\",One\n{url}\n#EXTINF:-1,Two\n"
                 "rtp://[2001:db8::1]@[ff3e::1]:1\n",
                 "#EXTM3U\n#EXTINF:-1,P\nhttp://10.0.0.1:4022/udp/239.1.1.2:1\n",
                 "v=0\ns=Two\nc=IN IP4 239.1.1.1/127/2\nc=IN IP6 ff15::101/3\n"
                 "a=source-filter: incl IN IP4 * 10.0.0.1\nv=0\ns=X\nc=IN IP4 239.1.1.9\n",
                 "<?xml version='1.0'?>" + xspf, xspf.replace("A &amp;", "<![CDATA[<]]>"),
                 "name;group;source\n\"a \"\"b\";239.1.1.1:5;10.0.0.1\n",
                 "239.1.1.1,One\n239.1.1.1,Two\n10.0.0.1@232.1.1.1,S\n"):
        seeds.add("channels", text.encode())
    seeds.add("channels", "239.1.1.1,Télé\n".encode("latin-1"))


def host_names(seeds):
    for text in ("127.0.0.1 localhost\n10.0.0.1\ttv.lan tv # old\n2001:db8::1 six\n",
                 "duid 00:01:00\n1785000000 02:00:00:00:00:01 10.0.0.1 tv 01:02:00\n"
                 "1785000000 1234 2001:db8::7 * 00:01\n0 02:00:00:00:00:02 10.0.0.2 <b> *\r\n",
                 "10.0.0.1 one\n1 2 10.0.0.1 two\n10.0.0.1 a\u0085b\n"):
        seeds.add("host_names", text.encode())
    seeds.add("host_names", "10.0.0.1 T\xe9l\xe9\n".encode("latin-1"))


def texts(seeds):
    for t in ("10.0.0.1/24", "::ffff:1.2.3.4", "fe80::1/64", "239.1.2.3", "0.0.0.0/0", "1,3-5",
              "2001:db8::/32", "::", "0-63", "255.255.255.255"):
        seeds.add("text", b"\x02" + t.encode())
    seeds.add("text", b"\x01\x18" + ipaddress.ip_address("::ffff:10.1.2.3").packed)
    seeds.add("text", b"\x01\x40" + ipaddress.ip_address("2001:db8::1").packed)
    seeds.add("text", bytes([0] + [16 * (i % 16) + i % 14 for i in range(64)]))


def main():
    out, root = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(out, ignore_errors=True)
    golden = load(root / "tests" / "golden" / "test_replay.py")
    seeds = Seeds(out)
    codecs(seeds, golden)
    fragments(seeds, golden)
    frames(seeds)
    bursts(seeds)
    configurations(seeds, root)
    channels(seeds)
    host_names(seeds)
    conversions(seeds, root)
    captures(seeds, golden)
    streams(seeds)
    watched(seeds)
    tables(seeds)
    histories(seeds)
    handovers(seeds)
    stream_logs(seeds)
    netlink(seeds)
    kernel_groups(seeds)
    texts(seeds)
    requests(seeds)
    http(seeds)
    replies(seeds, root)
    for path in sorted((root / "tests" / "fuzz" / "regress").glob("*/*")):
        folder = out / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / f"found-{path.name}")
    os.utime(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
