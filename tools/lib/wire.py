# SPDX-License-Identifier: GPL-2.0-or-later
"""What is on the wire of a laboratory: frames of one interface, decoded as far as tests
and the demonstration need it (IPv4, UDP, IGMP of all versions)."""

import socket
import struct
from typing import NamedTuple

from lab import ETH_P_ALL, receive_buffer

PACKET_OUTGOING = 4
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI = 263, 1, 2
RECORD_TYPES = {1: "IS_IN", 2: "IS_EX", 3: "TO_IN", 4: "TO_EX", 5: "ALLOW", 6: "BLOCK"}


class Record(NamedTuple):
    """One membership record; v1 and v2 messages become JOIN and LEAVE."""
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
    """(header, payload) of an IPv4 packet in an Ethernet frame, or None."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    ip = frame[14:]
    ihl = (ip[0] & 15) * 4
    return ip[:ihl], ip[ihl:struct.unpack("!H", ip[2:4])[0]]


def igmp(frame):
    """The records and queries of an IGMP message: a list, empty for anything else."""
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


def udp(frame):
    """The UDP datagram to a group in a frame, or None."""
    packet = ipv4(frame)
    if not packet or packet[0][9] != 17 or packet[0][16] >> 4 != 14 or len(packet[1]) < 8:
        return None
    header, body = packet
    pseudo = header[12:20] + struct.pack("!BBH", 0, 17, len(body))
    ok = body[6:8] == b"\0\0" or inet_sum(pseudo + body) == 0xffff
    return Datagram(addr(header[12:16]), addr(header[16:20]), header[8], body[8:],
                    ok and inet_sum(header) == 0xffff)


class Tap:
    """All frames that arrive on an interface (with `outgoing`, those that leave it)."""

    def __init__(self, ns, interface, outgoing=False):
        self.outgoing = outgoing
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        receive_buffer(self.sock, 16 << 20)
        # groups that nobody joined too
        self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack(
            "=iHH8s", ns.ifindex(interface), PACKET_MR_ALLMULTI, 0, b""))
        self.sock.bind((interface, ETH_P_ALL))

    def frames(self):
        """Frames since the last call of frames(), igmp() or udp()."""
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

    def udp(self):
        return [d for d in map(udp, self.frames()) if d]

    def close(self):
        self.sock.close()
