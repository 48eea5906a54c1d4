# SPDX-License-Identifier: GPL-2.0-or-later
"""Television with faults: a stream of numbered packets, faults from a seeded list, and the
counters that each fault must raise. The counters follow from how the stream was made; nothing is
parsed."""

import random
import struct
from collections import Counter

SECOND = 10 ** 9
SPACING = 5 * 10 ** 6       # 200 datagrams per second
START = 1_700_000_000 * SECOND + 123_456_789
PAT, PMT, VIDEO, AUDIO, NULL = 0, 0x1000, 0x100, 0x101, 0x1fff
SSRC = 0x5eed0001


def crc32(data):
    c = 0xffffffff
    for byte in data:
        c ^= byte << 24
        for _ in range(8):
            c = (c << 1 ^ (0x04c11db7 if c >> 31 else 0)) & 0xffffffff
    return struct.pack("!I", c)


def section(body):
    return body + crc32(body)


PAT_SECTION = section(bytes.fromhex("00b00d 0001 c1 0000 0001") + struct.pack("!H", 0xe000 | PMT))
PMT_SECTION = section(bytes.fromhex("02b017 0001 c1 0000") + struct.pack(
    "!HHBHHBHH", 0xe000 | VIDEO, 0xf000, 0x1b, 0xe000 | VIDEO, 0xf000, 0x03, 0xe000 | AUDIO,
    0xf000))


# the first bytes of pictures of H.264: a delimiter, then parameters and an IDR picture, or a
# picture that needs others
PES = bytes.fromhex("000001e0 0000 8080 05 2100010001")
ENTRY = PES + bytes.fromhex("0000000109 10 0000000167 64002800 0000000168 ee3c80 00000165 8884")
OTHER = PES + bytes.fromhex("0000000109 30 00000141 9a02")


class Packet:
    """A TS packet, described by its fields."""

    def __init__(self, pid, cc=0, fill=0, pcr=None, payload=True):
        self.pid, self.cc, self.fill, self.pcr, self.payload = pid, cc, fill, pcr, payload
        self.random = self.signalled = self.error = self.scrambled = self.unsynced = False
        self.copy = False           # a legal duplicate
        self.picture = None         # ENTRY or OTHER, if a picture begins here

    def octets(self):
        flags = self.signalled << 7 | self.random << 6 | (self.pcr is not None) << 4
        field = b""
        if flags or not self.payload:
            field = bytes([flags])
            if self.pcr is not None:
                base, rest = divmod(self.pcr % ((1 << 33) * 300), 300)
                field += struct.pack("!IH", base >> 1, (base & 1) << 15 | 0x7e00 | rest)
            if not self.payload:
                field += b"\xff" * (183 - len(field))
            field = bytes([len(field)]) + field
        body = {PAT: b"\0" + PAT_SECTION, PMT: b"\0" + PMT_SECTION}.get(self.pid)
        start = body is not None or self.picture is not None
        if body is None:
            body = (self.picture or b"") + random.Random(self.fill).randbytes(184)
        head = struct.pack("!BHB", 0x46 if self.unsynced else 0x47,
                           self.error << 15 | start << 14 | self.pid,
                           self.scrambled << 7 | bool(field) << 5 | self.payload << 4 | self.cc)
        return (head + field + body + b"\xff" * 184)[:188] if self.payload else head + field

    def facts(self):
        if self.unsynced:
            return Counter(ts_sync_bytes=1)
        if self.error:
            return Counter(ts_transport_errors=1)
        if self.pid == NULL:
            return Counter(ts_null=1)
        if self.copy:
            return Counter(ts_duplicates=1, ts_scrambled=self.scrambled,
                           ts_signalled=self.signalled)
        return Counter(ts_pat=self.pid == PAT, ts_pmt=self.pid == PMT, ts_pcr=self.pcr is not None,
                       ts_random_access=self.random or (
                           self.picture == ENTRY and not self.scrambled),
                       ts_signalled=self.signalled, ts_scrambled=self.scrambled)


class Datagram:
    def __init__(self, at, number, stamp, packets):
        self.at, self.seq, self.stamp, self.packets = at, number, stamp, packets
        self.ssrc = SSRC
        self.unseen = False   # the analyser does not count its packets
        self.repeated = False


class Form:
    """The encoding of datagrams."""

    def __init__(self, rtp=True, size=188, padding=0, extension=0, csrcs=0, family=4):
        self.rtp, self.size, self.padding = rtp, size, padding
        self.extension, self.csrcs, self.family = extension, csrcs, family

    def octets(self, d):
        body = b"".join(p.octets() + bytes(self.size - 188) for p in d.packets)
        if not self.rtp:
            return body
        head = struct.pack("!BBHII", 0x80 | bool(self.padding) << 5 | bool(self.extension) << 4 |
                           self.csrcs, 33, d.seq % 65536, d.stamp % 2 ** 32, d.ssrc)
        head += b"\x11\x22\x33\x44" * self.csrcs
        if self.extension:
            head += struct.pack("!HH", 0xbede, self.extension) + bytes(4 * self.extension)
        tail = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        return head + body + tail


class Television:
    """A clean stream of some seconds, then faults one by one. `expected` has the counters."""

    def __init__(self, form, n=1600, seed=1):
        self.form, self.rng = form, random.Random(seed)
        # times of faults, pairs of times of outages; times at which a fault was repaired
        self.expected, self.errors, self.mended = Counter(), [], []
        counters = Counter()
        self.datagrams = []
        number = self.rng.randrange(65536)
        for i in range(n):
            at = i * SPACING
            packets = [self.packet(pid, counters) for pid in self.layout(i)]
            for p in packets:
                if p.pid == VIDEO and i % 7 == 0:
                    p.pcr, p.random = 10 ** 9 + at * 27 // 1000, i % 98 == 0
                    break
            # some of the pictures where a decoder can begin say so only by their contents
            if i % 8 == 5:
                video = next(p for p in packets if p.pid == VIDEO)
                video.picture = ENTRY if i % 80 in (5, 45) else OTHER
            self.datagrams.append(Datagram(START + at, number + i, 777 + at * 9 // 10 ** 5,
                                           packets))
        # each fault has its own place, away from other faults and from both ends
        places = list(range(60, n - 60, 60))
        self.rng.shuffle(places)
        self.places = [self.datagrams[i] for i in places]

    @staticmethod
    def layout(i):
        tables = [PAT, PMT] if i % 20 == 0 else [VIDEO, VIDEO]
        return [*tables, VIDEO, AUDIO, VIDEO, VIDEO, NULL]

    def packet(self, pid, counters):
        p = Packet(pid, counters[pid] % 16, self.rng.randrange(2 ** 32))
        counters[pid] += 1
        return p

    # ---- places ----

    def place(self, room=0, after=0):
        """Returns the index of a datagram with ordinary content that is not near another fault,
        with at least `after` datagrams before it and `room` after it."""
        d = next(d for d in self.places if after < self.datagrams.index(d) <
                 len(self.datagrams) - room - 60)
        self.places.remove(d)
        i = self.datagrams.index(d)
        while any(p.pid == PAT for d in self.datagrams[i:i + 3] for p in d.packets):
            i += 1
        return i

    def later(self, i, pid):
        return [p for d in self.datagrams[i:] for p in d.packets if p.pid == pid]

    def fault(self, i, **counters):
        self.expected.update(counters)
        self.errors.append(self.datagrams[i].at)

    # ---- faults of the network ----

    def lose(self, n=1):
        long = n > 3    # also a silent gap, once the usual spacing is known
        i = self.place(after=250 * long)
        self.expected["silent_gaps"] += long
        gone = self.datagrams[i:i + n]
        del self.datagrams[i:i + n]
        if self.form.rtp:
            self.fault(i, rtp_missing=n)
            return
        # for each PID, its next packet reveals the loss
        for pid, k in Counter(p.pid for d in gone for p in d.packets).items():
            if pid != NULL and k % 16:
                shows = next(j for j, d in enumerate(self.datagrams) if j >= i and any(
                    p.pid == pid for p in d.packets))
                self.fault(shows, ts_continuity=1, ts_missing=k % 16)

    def repeat(self):
        i = self.place()
        d = self.datagrams[i]
        again = Datagram(d.at + SPACING // 2, d.seq, d.stamp, d.packets)
        again.unseen = again.repeated = True
        self.datagrams.insert(i + 1, again)
        self.expected["rtp_duplicated"] += 1

    def reorder(self, distance=3):
        i = self.place()
        d = self.datagrams.pop(i)
        d.at, d.unseen = self.datagrams[i + distance - 1].at + SPACING // 2, True
        self.datagrams.insert(i + distance, d)
        self.fault(i, rtp_missing=1, rtp_reordered=1)
        self.mended.append(d.at)

    def outage(self, ns=2_200_000_000):
        """No datagram arrives for a while, although the sender does not stop."""
        n = ns // SPACING
        i = self.place(n)
        before = self.datagrams[i - 1].at
        gone = self.datagrams[i:i + n]
        assert len(gone) == n
        del self.datagrams[i:i + n]
        self.places = [p for p in self.places if p in self.datagrams]
        after = self.datagrams[i].at
        self.expected.update(outages=1, ts_pat_late=1, ts_pmt_late=1)
        self.errors.append((before + SECOND, after))
        if self.form.rtp:
            self.fault(i, rtp_missing=n)
            return
        for pid, k in Counter(p.pid for d in gone for p in d.packets).items():
            if pid != NULL and k % 16:
                self.fault(next(j for j in range(i, len(self.datagrams)) if any(
                    p.pid == pid for p in self.datagrams[j].packets)),
                    ts_continuity=1, ts_missing=k % 16)

    def pause(self, ns=60_000_000):
        """The sender stops for a while."""
        i = self.place(after=250)
        for d in self.datagrams[i:]:
            d.at += ns
        self.expected["silent_gaps"] += 1

    # ---- faults of the sender ----

    def restart(self):
        i = self.place()
        for d in self.datagrams[i:]:
            d.seq += 20000
        self.datagrams[i].unseen = True
        self.expected.update(rtp_restarts=1, rtp_skipped=1)

    def change_ssrc(self):
        i = self.place()
        for d in self.datagrams[i:]:
            d.ssrc, d.seq = d.ssrc + 1, d.seq + 7
        self.datagrams[i].unseen = True
        self.expected.update(rtp_ssrc_changes=1, rtp_skipped=1)

    def jump(self, by=5, signalled=False):
        """The continuity counter of the video jumps."""
        i = self.place()
        packets = self.later(i, VIDEO)
        for p in packets:
            p.cc = (p.cc + by) % 16
        if signalled:
            packets[0].signalled = True
        else:
            self.fault(i, ts_continuity=1, ts_missing=by)

    def splice(self, signalled=True):
        """Another programme begins: counters and clock continue elsewhere."""
        i = self.place()
        for pid in (VIDEO, AUDIO, PAT, PMT):
            packets, by = self.later(i, pid), self.rng.randrange(1, 15)
            for p in packets:
                p.cc = (p.cc + by) % 16
            if signalled:
                packets[0].signalled = True
            else:
                shows = next(j for j, d in enumerate(self.datagrams)
                             if packets[0] in d.packets)
                self.fault(shows, ts_continuity=1, ts_missing=by)
        clocked = [p for p in self.later(i, VIDEO) if p.pcr is not None]
        for p in clocked:
            p.pcr += 27_000_000 * 3600
        if signalled:
            clocked[0].signalled = True
        else:
            self.expected["ts_pcr_discontinuities"] += 1

    def copy(self, times=1):
        """The null packet becomes a copy of the video packet before it. A second copy is one too
        many; it becomes the first packet of the next datagram, whose last packet is dropped."""
        i = self.place()
        original = self.datagrams[i].packets[5]
        assert original.pid == VIDEO
        twin = Packet(VIDEO, original.cc, original.fill)
        twin.copy = True
        self.datagrams[i].packets[6] = twin
        if times == 2:
            third = Packet(VIDEO, original.cc, original.fill)
            third.copy = True
            first = self.datagrams[i + 1].packets
            first.insert(0, third)
            first.pop()
            # the third packet counts as an error, not as a duplicate
            self.expected["ts_duplicates"] -= 1
            self.fault(i + 1, ts_continuity=1)

    def without_payload(self):
        """The null packet becomes a video packet without payload, which does not raise the
        counter."""
        i = self.place()
        before = self.datagrams[i].packets[5]
        self.datagrams[i].packets[6] = Packet(VIDEO, before.cc, payload=False)

    def transport_error(self):
        i = self.place()
        self.datagrams[i].packets[2].error = True
        self.errors.append(self.datagrams[i].at)

    def sync_byte(self, n=1):
        i = self.place()
        for p in self.datagrams[i].packets[1:1 + n]:
            p.unsynced = True
        self.errors.append(self.datagrams[i].at)
        if n > 1:
            # synchronisation needs five good packets: the rest of this datagram and the next one;
            # the fifth is the first that counts
            self.expected["ts_sync_losses"] += 1
            rest = self.datagrams[i].packets[1 + n:] + self.datagrams[i + 1].packets
            for p in rest[:4]:
                p.skipped = True

    def scramble(self, n=3):
        i = self.place()
        for d in self.datagrams[i:i + n]:
            d.packets[3].scrambled = True

    def no_pat(self, ns=900_000_000):
        """The PAT is missing; null packets replace it."""
        i = self.place(ns // SPACING)
        end = self.datagrams[i].at + ns
        gone = 0
        for d in self.datagrams[i:]:
            for j, p in enumerate(d.packets):
                if p.pid != PAT:
                    continue
                if d.at < end:
                    gone += 1
                    d.packets[j] = Packet(NULL)
                else:
                    p.cc = (p.cc - gone) % 16
        self.expected["ts_pat_late"] += 1

    # ---- the end ----

    def finish(self):
        """Returns [(ns, bytes)] and the counters that are expected."""
        e = self.expected
        for d in self.datagrams:
            e["datagrams"] += 1
            e["bytes"] += len(self.form.octets(d))
            if not d.repeated:
                e["media_bytes"] += 188 * len(d.packets)
            if d.unseen:
                continue
            e["ts_packets"] += len(d.packets)
            for p in d.packets:
                if not getattr(p, "skipped", False):
                    e.update(p.facts())
        start, last = self.datagrams[0].at, self.datagrams[-1].at
        e["seconds"] = (last - start) // SECOND
        out, net = set(), Counter()
        for x in self.errors:
            if isinstance(x, tuple):
                out |= set(range((x[0] - start) // SECOND, (x[1] - start) // SECOND + 1))
            else:
                net[(x - start) // SECOND] += 1
        net.subtract((at - start) // SECOND for at in self.mended)
        e["error_seconds"] = sum(s < e["seconds"] for s in out | {s for s in net if net[s] > 0})
        return [(d.at, self.form.octets(d)) for d in self.datagrams], +e


# ---- capture files ----

ADDRESSES = {4: ("203.0.113.9", "239.1.2.3"), 6: ("2001:db8::9", "ff0e::1:2:3")}


def frame(payload, family=4, port=5000, source=None, group=None):
    """Returns an Ethernet frame. The UDP checksum is 0, as many senders have it."""
    import socket
    source, group = source or ADDRESSES[family][0], group or ADDRESSES[family][1]
    af = socket.AF_INET if family == 4 else socket.AF_INET6
    a, b = socket.inet_pton(af, source), socket.inet_pton(af, group)
    udp = struct.pack("!HHHH", 4000, port, (8 + len(payload)) % 65536, 0) + payload
    if family == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 8, 17, 0) + a + b
        return b"\x01\0\x5e" + bytes([b[1] & 127]) + b[2:] + bytes(6) + b"\x08\0" + ip + udp
    ip = struct.pack("!IHBB", 0x60000000, len(udp), 17, 8) + a + b
    return b"\x33\x33" + b[12:] + bytes(6) + b"\x86\xdd" + ip + udp


def capture(frames, snaplen=65535):
    """Returns a pcap file with nanoseconds, made of [(ns, frame)]."""
    out = [struct.pack("=IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, snaplen, 1)]
    for at, f in frames:
        out.append(struct.pack("=IIII", at // SECOND, at % SECOND, min(len(f), snaplen), len(f)))
        out.append(f[:snaplen])
    return b"".join(out)


def super_frames(datagrams, n, form):
    """Joins up to n datagrams of equal length as a kernel does: all get the time of the first.
    Returns the datagrams with these times, and the payloads."""
    cut, joined, i = [], [], 0
    while i < len(datagrams):
        at, size, k = datagrams[i][0], len(datagrams[i][1]), 1
        while k < n and i + k < len(datagrams) and len(datagrams[i + k][1]) == size and \
                datagrams[i + k][0] - datagrams[i + k - 1][0] <= 2 * SPACING and (
                not form.rtp or datagrams[i + k][1][2:4] == struct.pack(
                    "!H", (int.from_bytes(datagrams[i][1][2:4], "big") + k) % 65536)):
            k += 1
        cut += [(at, d) for _, d in datagrams[i:i + k]]
        joined.append((at, b"".join(d for _, d in datagrams[i:i + k])))
        i += k
    return cut, joined
