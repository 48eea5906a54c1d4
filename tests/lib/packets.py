# SPDX-License-Identifier: GPL-2.0-or-later
"""Hand-made packets that no ordinary socket sends, and their sender."""

import fcntl
import os
import socket
import struct
import threading
import time

import wire

RA = bytes.fromhex("94040000")
ALL_HOSTS, ALL_ROUTERS, REPORTS = "224.0.0.1", "224.0.0.2", "224.0.0.22"
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)
SENDER_MAC = bytes.fromhex("020000000001")
TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454ca, 1, 2, 0x1000


def _summed(octets, at):
    """Returns the bytes with their checksum filled in."""
    s = struct.pack("!H", 0xffff - wire.inet_sum(octets))
    return octets[:at] + s + octets[at + 2:]


def ipv4(source, to, protocol, body, ttl=1, options=RA, tos=0xc0, trailer=b""):
    """An IPv4 packet; `trailer` follows it, outside of its length."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, tos,
                       20 + len(options) + len(body), 0, 0, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to)) + options
    return _summed(head, 10) + body + trailer


def fragments(packet, size, identification=0):
    """The same IPv4 packet in fragments whose payloads have at most `size` bytes."""
    hlen, size = (packet[0] & 15) * 4, size // 8 * 8
    head, body = packet[:hlen], packet[hlen:]
    out = []
    for at in range(0, len(body), size):
        part = body[at:at + size]
        more = 0x2000 if at + size < len(body) else 0
        h = head[:2] + struct.pack("!HHH", hlen + len(part), identification, more | at // 8) + \
            head[8:10] + b"\0\0" + head[12:]
        out.append(_summed(h, 10) + part)
    return out


def igmp(kind, group="0.0.0.0", code=0):
    """The eight octets of an IGMPv1 or v2 message of any type."""
    return _summed(struct.pack("!BBH4s", kind, code, 0, socket.inet_aton(group)), 2)


def igmp3_query(group="0.0.0.0", sources=(), code=3, qrv=2, qqic=125, extra=b""):
    m = struct.pack("!BBH4sBBH", 0x11, code, 0, socket.inet_aton(group), qrv, qqic,
                    len(sources)) + b"".join(map(socket.inet_aton, sources)) + extra
    return _summed(m, 2)


def igmp3_report(*records):
    """Records are (type, group, sources)."""
    m = struct.pack("!BBHHH", 0x22, 0, 0, 0, len(records))
    for kind, group, sources in records:
        m += struct.pack("!BBH4s", kind, 0, len(sources), socket.inet_aton(group))
        m += b"".join(map(socket.inet_aton, sources))
    return _summed(m, 2)


def query(source, version=3, group="0.0.0.0", to=None, qqic=1, qrv=2, extra=b"", **kw):
    """A whole query packet with a response time of 0.3 s."""
    body = igmp3_query(group, qqic=qqic, qrv=qrv, extra=extra) if version == 3 else \
        igmp(0x11, group, 3 if version == 2 else 0)
    return ipv4(source, to or (ALL_HOSTS if group == "0.0.0.0" else group), 2, body, **kw)


def udp(source, to, payload, checksum=None, ttl=8, port=5000):
    """A whole UDP packet to a port; `checksum` replaces the right one."""
    m = struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + \
        struct.pack("!BBH", 0, 17, len(m))
    right = (0xffff - wire.inet_sum(pseudo + m)) or 0xffff
    m = m[:6] + struct.pack("!H", right if checksum is None else checksum) + m[8:]
    return ipv4(source, to, 17, m, ttl, b"", 0)


def group_mac(packet):
    return b"\x01\x00\x5e" + bytes([packet[17] & 0x7f]) + packet[18:20]


class Wire:
    """Sends frames on an interface."""

    def __init__(self, ns, interface):
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.bind((interface, 0))

    def send(self, packet, mac=None, vlan=None, source=SENDER_MAC):
        tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
        self.sock.send((mac or group_mac(packet)) + source + tag + b"\x08\0" + packet)

    def close(self):
        self.sock.close()


class Tun:
    """The far end of a link without a link header, with the methods of Tap and Wire."""

    KIND = IFF_TUN

    def __init__(self, ns, name):
        with ns.inside():
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", name.encode(), self.KIND | IFF_NO_PI))

    def send(self, packet):
        os.write(self.fd, packet)

    def read(self):
        """Returns frames with an Ethernet header, so that all decoders of wire work."""
        packet = os.read(self.fd, 65536)
        return bytes(12) + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0") + packet

    def frames(self):
        got = []
        while True:
            try:
                got.append(self.read())
            except BlockingIOError:
                return got

    def igmp(self):
        return [m for frame in self.frames() for m in wire.igmp(frame)]

    def close(self):
        os.close(self.fd)


class TunTap(Tun):
    """The far end of a link with an Ethernet header."""

    KIND = IFF_TAP

    def send(self, packet):
        six = packet[0] >> 4 == 6
        mac = b"\x33\x33" + packet[36:40] if six else group_mac(packet)
        os.write(self.fd, mac + SENDER_MAC + (b"\x86\xdd" if six else b"\x08\0") + packet)

    def read(self):
        return os.read(self.fd, 65536)


class AgeingRouter(threading.Thread):
    """An upstream router that sends numbered datagrams of each group that it believes has members.
    It forgets a member that is silent for `age` seconds, and never sends queries. Only reports
    that join all sources of a group count; leaves end a membership."""

    def __init__(self, ns, interface, source, groups, age, rate=50):
        super().__init__(daemon=True)
        self.tap = wire.Tap(ns, interface)
        self.wire = Wire(ns, interface)
        self.source, self.age, self.period = source, age, 1 / rate
        self.number = 0
        self.until = dict.fromkeys(groups, 0.0)
        self.heard = {g: [] for g in groups}   # record types, in order
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(self.period):
            self._listen()
            self.number += 1
            for group in self.until:
                if self.member(group):
                    self.wire.send(udp(self.source, group, struct.pack("!I", self.number)))

    def member(self, group):
        return time.monotonic() < self.until[group]

    def _listen(self):
        for m in self.tap.igmp():
            if not isinstance(m, wire.Record) or m.group not in self.until:
                continue
            leaves = m.type == "LEAVE" or (m.type == "TO_IN" and not m.sources)
            self.until[m.group] = 0 if leaves else time.monotonic() + self.age
            self.heard[m.group].append(m.type)

    def close(self):
        self.ended.set()
        self.join()
        self.tap.close()
        self.wire.close()


