# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames of one interface of a laboratory, decoded as far as tests and the demonstration need it
(IPv4 and IPv6, UDP, IGMP and MLD of all versions)."""

import socket
import struct
from typing import NamedTuple

from lab import ETH_P_ALL, receive_buffer

PACKET_OUTGOING = 4
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI = 263, 1, 2
RECORD_TYPES = {1: "IS_IN", 2: "IS_EX", 3: "TO_IN", 4: "TO_EX", 5: "ALLOW", 6: "BLOCK"}


class Record(NamedTuple):
    """One membership record; IGMPv1, v2 and MLDv1 messages become JOIN and LEAVE."""
    version: int
    type: str
    group: str
    sources: tuple


class Query(NamedTuple):
    version: int
    group: str
    sources: tuple


class Datagram(NamedTuple):
    source: str
    group: str
    ttl: int
    payload: bytes
    checksum_ok: bool


def addr(octets):
    return socket.inet_ntoa(octets)


def addrs(octets, n):
    return tuple(addr(octets[i * 4:i * 4 + 4]) for i in range(n))


def inet_sum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def ipv4(frame):
    """Returns (header, payload) of an IPv4 packet in an Ethernet frame, or None."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    ip = frame[14:]
    ihl = (ip[0] & 15) * 4
    return ip[:ihl], ip[ihl:struct.unpack("!H", ip[2:4])[0]]


def igmp(frame):
    """Returns the records and queries of an IGMP message as a list, empty for anything else."""
    packet = ipv4(frame)
    if not packet or packet[0][9] != 2 or len(packet[1]) < 8:
        return []
    m = packet[1]
    kind, group = m[0], addr(m[4:8])
    if kind == 0x11:
        return [_query(m, group)]
    if kind in (0x12, 0x16):
        return [Record(1 if kind == 0x12 else 2, "JOIN", group, ())]
    if kind == 0x17:
        return [Record(2, "LEAVE", group, ())]
    if kind == 0x22:
        return _records(m)
    return []


def _query(m, group):
    if len(m) < 12:
        return Query(2 if m[1] else 1, group, ())
    return Query(3, group, addrs(m[12:], struct.unpack("!H", m[10:12])[0]))


def _records(m):
    out, at = [], 8
    for _ in range(struct.unpack("!H", m[6:8])[0]):
        kind, aux, n = struct.unpack("!BBH", m[at:at + 4])
        out.append(Record(3, RECORD_TYPES.get(kind, str(kind)), addr(m[at + 4:at + 8]),
                          tuple(sorted(addrs(m[at + 8:], n)))))
        at += 8 + 4 * (n + aux)
    return out


def addr6(octets):
    return socket.inet_ntop(socket.AF_INET6, octets)


def addrs6(octets, n):
    return tuple(addr6(octets[i * 16:i * 16 + 16]) for i in range(n))


def ipv6(frame):
    """Returns (header, protocol after the extension headers, rest) of an IPv6 packet, or None."""
    if len(frame) < 54 or frame[12:14] != b"\x86\xdd":
        return None
    header, rest = frame[14:54], frame[54:]
    rest = rest[:struct.unpack("!H", header[4:6])[0]]
    kind = header[6]
    while kind in (0, 43, 44, 60) and len(rest) >= 8:
        kind, rest = rest[0], rest[8 if kind == 44 else (rest[1] + 1) * 8:]
    return header, kind, rest


def sum6(header, kind, body):
    """Returns 0xffff if the checksum inside the body is right."""
    return inet_sum(header[8:40] + struct.pack("!IHBB", len(body), 0, 0, kind) + body)


def mld(frame):
    """Returns the records and queries of an MLD message as a list, empty for anything else."""
    packet = ipv6(frame)
    if not packet or packet[1] != 58 or len(packet[2]) < 8:
        return []
    m = packet[2]
    kind, group = m[0], addr6(m[8:24]) if len(m) >= 24 else ""
    if kind == 130:
        if len(m) < 28:
            return [Query(1, group, ())]
        return [Query(2, group, addrs6(m[28:], struct.unpack("!H", m[26:28])[0]))]
    if kind in (131, 132):
        return [Record(1, "JOIN" if kind == 131 else "LEAVE", group, ())]
    return _records6(m) if kind == 143 else []


def _records6(m):
    out, at = [], 8
    for _ in range(struct.unpack("!H", m[6:8])[0]):
        kind, aux, n = struct.unpack("!BBH", m[at:at + 4])
        out.append(Record(2, RECORD_TYPES.get(kind, str(kind)), addr6(m[at + 4:at + 20]),
                          tuple(sorted(addrs6(m[at + 20:], n)))))
        at += 20 + 16 * n + 4 * aux
    return out


def frame6(source, to, kind, body, hop_limit=64, label=0, extensions=()):
    """Returns an Ethernet frame with an IPv6 packet. Extensions are pairs of a header's number and
    its bytes without the first one, the number of the next header. The checksum of UDP and ICMPv6
    is filled in."""
    a, b = (socket.inet_pton(socket.AF_INET6, x) for x in (source, to))
    at = {17: 6, 58: 2}.get(kind)
    if at:
        body = body[:at] + b"\0\0" + body[at + 2:]
        pseudo = a + b + struct.pack("!IHBB", len(body), 0, 0, kind)
        body = body[:at] + struct.pack("!H", 0xffff - inet_sum(pseudo + body)) + \
            body[at + 2:]
    first = kind
    for number, octets in reversed(extensions):
        body, first = bytes([first]) + octets + body, number
    return b"\x33\x33" + b[12:] + bytes.fromhex("020000000099") + b"\x86\xdd" + \
        struct.pack("!IHBB", 0x60000000 | label, len(body), first, hop_limit) + a + b + body


ROUTER_ALERT = (0, bytes.fromhex("00050200000100"))


def mld_packet(source, to, message, hop_limit=1, alert=True, extensions=()):
    """Returns a frame with an MLD message, including the Router Alert."""
    return frame6(source, to, 58, message, hop_limit,
                  extensions=([ROUTER_ALERT] if alert else []) + list(extensions))


def udp(frame):
    """Returns the UDP datagram to a group in a frame, or None."""
    six = ipv6(frame)
    if six:
        header, kind, body = six
        if kind != 17 or header[24] != 0xff or len(body) < 8:
            return None
        return Datagram(addr6(header[8:24]), addr6(header[24:40]), header[7], body[8:],
                        sum6(header, kind, body) == 0xffff)
    packet = ipv4(frame)
    if not packet or packet[0][9] != 17 or packet[0][16] >> 4 != 14 or len(packet[1]) < 8:
        return None
    header, body = packet
    pseudo = header[12:20] + struct.pack("!BBH", 0, 17, len(body))
    ok = body[6:8] == b"\0\0" or inet_sum(pseudo + body) == 0xffff
    return Datagram(addr(header[12:16]), addr(header[16:20]), header[8], body[8:],
                    ok and inet_sum(header) == 0xffff)


class Tap:
    """Receives all frames that arrive on an interface (with `outgoing`, those that leave it)."""

    def __init__(self, ns, interface, outgoing=False):
        self.outgoing = outgoing
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        receive_buffer(self.sock, 16 << 20)
        # so that groups without a member also arrive
        self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack(
            "=iHH8s", ns.ifindex(interface), PACKET_MR_ALLMULTI, 0, b""))
        self.sock.bind((interface, ETH_P_ALL))

    def frames(self):
        """Returns the frames since the last call of frames(), igmp(), mld() or udp()."""
        got = []
        while True:
            try:
                frame, where = self.sock.recvfrom(65536)
            except BlockingIOError:
                return got
            if (where[2] == PACKET_OUTGOING) == self.outgoing:
                got.append(frame)

    def igmp(self):
        return [m for frame in self.frames() for m in igmp(frame)]

    def mld(self):
        return [m for frame in self.frames() for m in mld(frame)]

    def udp(self):
        return [d for d in map(udp, self.frames()) if d]

    def close(self):
        self.sock.close()
