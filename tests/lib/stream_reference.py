# SPDX-License-Identifier: GPL-2.0-or-later
"""A second analyser of streams, written from RFC 3550, RFC 4445, ISO/IEC 13818-1 and TR 101 290,
whose figures are compared with those of the program. It has all datagrams at once, so it uses sets
and lists where the program has windows and running values."""

from collections import Counter, defaultdict

SECOND = 10 ** 9
NEVER = 1 << 62
RATES = {**dict.fromkeys((0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18), 8000), 6: 16000, 10: 44100,
         11: 44100, 14: 90000, 16: 11025, 17: 22050,
         **dict.fromkeys((25, 26, 28, 31, 32, 33, 34), 90000)}


class Header:
    """RTP header (RFC 3550 5.1)"""

    def __init__(self, data, length):
        self.ok = len(data) >= 12 and data[0] >> 6 == 2
        if not self.ok:
            return
        self.type = data[1] & 127
        self.control = 192 <= data[1] <= 223
        self.seq = int.from_bytes(data[2:4], "big")
        self.stamp = int.from_bytes(data[4:8], "big")
        self.ssrc = data[8:12]
        at = 12 + 4 * (data[0] & 15)
        if data[0] & 16:
            words = int.from_bytes(data[at + 2:at + 4], "big") if at + 4 <= len(data) else 0
            at += 4 + 4 * words
        padding = 0
        if data[0] & 32 and len(data) == length:
            padding = data[-1]
            self.ok = padding > 0
        self.ok = self.ok and at + padding <= length
        self.at, self.size = at, length - at - padding

    def fec(self, data):
        """SMPTE 2022-1 8.3"""
        f = data[self.at:self.at + 16]
        return (self.type >= 96 and self.size >= 16 and len(f) == 16 and f[4] >= 128 and
                f[5:8] == b"\0\0\0" and f[12] & 0xbf == 0 and f[13] > 0 and f[14] > 0)


def ts_size(data, length):
    for size in (188, 204):
        if length >= size and length % size == 0 and all(
                data[i] == 0x47 for i in range(0, len(data), size)):
            return size
    return 0


def crc_ok(section):
    c = 0xffffffff
    for byte in section:
        for bit in range(7, -1, -1):
            top = c >> 31 ^ byte >> bit & 1
            c = (c << 1 & 0xffffffff) ^ (0x04c11db7 if top else 0)
    return c == 0


CODECS = {1: "mpeg2", 2: "mpeg2", 0x1b: "h264", 0x24: "h265"}


def nal_units(video):
    """Yields the first three bytes of each unit after a start code."""
    at = video.find(b"\0\0\1")
    while 0 <= at < len(video) - 3:
        yield video[at + 3:at + 6]
        at = video.find(b"\0\0\1", at + 4)


def classify(codec, unit):
    """Returns "begin", "parameters", "intra", "other", or None for any other unit."""
    if codec == "mpeg2":
        if unit[0] == 0xb3:
            return "parameters"
        if unit[0] == 0 and len(unit) == 3:
            return "intra" if unit[2] & 0x38 == 8 else "other"
        return "other" if 0 < unit[0] < 0xb0 else None
    if codec == "h264":
        kind = unit[0] % 32
        bits = f"{unit[1]:08b}" if len(unit) > 1 else ""
        if kind == 1:
            return "intra" if bits.startswith("1011") or bits == "10001000" else "other"
        return {5: "begin", 7: "parameters"}.get(kind)
    kind = unit[0] // 2 % 64
    if kind in (32, 33):
        return "parameters"
    return "begin" if 16 <= kind <= 21 else "other" if kind < 10 else None


def is_entry(codec, pes):
    """Can a decoder begin with the PES packet that begins so?"""
    if not codec or len(pes) < 9 or pes[:3] != b"\0\0\1" or pes[6] & 0xf0 != 0x80 or not (
            0xe0 <= pes[3] <= 0xef or pes[3] == 0xfd):
        return False
    ready = False
    for unit in nal_units(pes[9 + pes[8]:]):
        what = classify(codec, unit)
        if what in ("begin", "other"):
            return what == "begin"
        if what == "intra":
            return ready
        ready |= what == "parameters"
    return ready


class Ages:
    """Gaps between the sections of a table."""

    def __init__(self, stream, name, at):
        self.stream, self.name, self.at = stream, name, at

    def end(self, now):
        gap = now - self.at
        s = self.stream
        s.longest[self.name] = max(s.longest[self.name], gap)
        s.count[f"ts_{self.name}_late"] += gap > SECOND // 2

    def seen(self, now):
        self.end(now)
        self.at = now


class Ts:
    def __init__(self, stream, size, at):
        self.stream, self.size = stream, size
        self.last = {}      # pid -> (counter, mark or None, whether it was repeated)
        self.known = {0}    # in order of arrival, up to 96
        self.pat = Ages(stream, "pat", at)
        self.pmt = {}       # pid -> Ages
        self.video = {}     # pid -> codec
        self.version = None
        self.clock = {}     # pid -> (pcr, at)
        self.bad = self.good = 0
        self.lost = False

    def gap(self):
        self.last = {}

    def end(self, now):
        for a in (self.pat, *self.pmt.values()):
            a.end(now)

    def unseen(self, now):
        for a in (self.pat, *self.pmt.values()):
            a.seen(now)
        self.gap()

    def know(self, pid):
        if pid not in self.known and len(self.known) < 96:
            self.known.add(pid)
        return pid in self.known

    def datagram(self, data, at):
        """Returns False if the datagram has no packets."""
        packets = [data[i:i + self.size] for i in range(0, len(data), self.size)]
        if not data or len(data) % self.size or all(p[0] != 0x47 for p in packets):
            self.gap()
            return False
        self.stream.count["ts_packets"] += len(packets)
        for p in packets:
            if self.synchronised(p, at):
                self.packet(p, at)
        return True

    def synchronised(self, p, at):
        if p[0] != 0x47:
            self.stream.fault("ts_sync_bytes", at)
            self.gap()
            self.good = 0
            if not self.lost:
                self.bad += 1
                if self.bad == 2:
                    self.stream.count["ts_sync_losses"] += 1
                    self.lost = True
            return False
        self.bad = 0
        if self.lost:
            self.good += 1
            self.lost = self.good < 5
        return not self.lost

    def packet(self, p, at):
        count = self.stream.count
        pid = (p[1] & 31) << 8 | p[2]
        if p[1] & 128:
            self.stream.fault("ts_transport_errors", at)
            self.gap()
            return
        if pid == 0x1fff:
            count["ts_null"] += 1
            return
        count["ts_scrambled"] += p[3] >= 64
        if not self.know(pid):
            count["ts_unwatched"] += 1
            return
        field, payload = bool(p[3] & 32), bool(p[3] & 16)
        if not field and not payload:
            return
        flags = p[5] if field and p[4] else 0
        signalled = bool(flags & 128)
        count["ts_signalled"] += signalled
        if not self.continuity(pid, p, payload, signalled, at):
            return
        begins = 5 + p[4] if field else 4
        if flags & 64 or payload and p[1] & 64 and p[3] < 64 and \
                is_entry(self.video.get(pid), p[begins:]):
            count["ts_random_access"] += 1
        if flags & 16 and p[4] >= 7:
            self.pcr(pid, p, signalled, at)
        if payload and p[1] & 64 and p[3] < 64:
            self.section(pid, p, begins, at)

    def continuity(self, pid, p, payload, signalled, at):
        """Checks by ISO/IEC 13818-1 2.4.3.3; returns False for a repetition."""
        counter, mark = p[3] & 15, p[12:16]
        before = None if signalled else self.last.get(pid)
        if before:
            was, was_mark, twice = before
            if payload and counter == was and mark == was_mark:
                if twice:
                    self.error(pid, 0, at)
                else:
                    self.stream.count["ts_duplicates"] += 1
                self.last[pid] = (was, was_mark, True)
                return False
            missing = (counter - was - payload) % 16
            if missing:
                self.error(pid, missing, at)
        if payload:
            self.last[pid] = (counter, mark, False)
        elif not before or before[0] != counter:
            self.last[pid] = (counter, None, False)
        return True

    def error(self, pid, missing, at):
        self.stream.fault("ts_continuity", at)
        self.stream.count["ts_missing"] += missing
        self.stream.ts_losses[at] += missing
        self.stream.pids[pid] += 1

    def pcr(self, pid, p, signalled, at):
        """Checks by TR 101 290 2.3b, unless the arrival explains the difference."""
        self.stream.count["ts_pcr"] += 1
        base = int.from_bytes(p[6:10], "big") << 1 | p[10] >> 7
        pcr = base * 300 + ((p[10] & 1) << 8 | p[11])
        if pid not in self.clock:
            if len(self.clock) == 32:
                self.stream.count["ts_unwatched"] += 1
                return
        else:
            old, then = self.clock[pid]
            wrap = (1 << 33) * 300
            step = (pcr - old) % wrap
            step -= wrap if step > wrap // 2 else 0
            ns = abs(step) * 1000 // 27 * (1 if step >= 0 else -1)
            far = abs(ns - (at - then)) > SECOND // 10
            if not 0 <= ns <= SECOND // 10 and far and not signalled:
                self.stream.count["ts_pcr_discontinuities"] += 1
        self.clock[pid] = (pcr, at)

    def section(self, pid, p, at_payload, now):
        if at_payload >= 188:
            return
        s = p[at_payload + 1 + p[at_payload]:188]
        if len(s) < 8:
            return
        if pid == 0 and s[0] == 0:
            self.read_pat(s, now)
        elif pid in self.pmt and s[0] == 2:
            self.stream.count["ts_pmt"] += 1
            self.pmt[pid].seen(now)
            self.read_pmt(s)

    def read_pmt(self, s):
        """Finds out which PIDs are video, by ISO/IEC 13818-1 2.4.4.8."""
        end = 3 + ((s[1] & 15) << 8 | s[2])
        if end < 16 or len(s) < 12 or not s[5] & 1 or end <= len(s) and not crc_ok(s[:end]):
            return
        s = s[:end - 4]
        at = 12 + ((s[10] & 15) << 8 | s[11])
        while at + 5 <= len(s):
            codec, pid = CODECS.get(s[at]), (s[at + 1] & 31) << 8 | s[at + 2]
            if codec and pid != 0x1fff and self.know(pid) or pid in self.video:
                self.video[pid] = codec
            at += 5 + ((s[at + 3] & 15) << 8 | s[at + 4])

    def read_pat(self, s, now):
        end = 3 + ((s[1] & 15) << 8 | s[2])
        if end < 12 or end <= len(s) and not crc_ok(s[:end]):
            self.stream.count["ts_pat_crc"] += 1
            return
        self.stream.count["ts_pat"] += 1
        self.pat.seen(now)
        self.stream.first.setdefault("pat", now)
        if not s[5] & 1:
            return
        version = (s[3:5], s[5] >> 1 & 31)
        if version != self.version:
            self.version = version
            for a in self.pmt.values():
                a.end(now)
            self.pmt = {}
        entries = s[8:end - 4]
        for i in range(0, len(entries) - 3, 4):
            number, pid = entries[i:i + 2], (entries[i + 2] & 31) << 8 | entries[i + 3]
            if number == b"\0\0" or pid in self.pmt:
                continue
            if not self.know(pid) or len(self.pmt) == 32:
                self.stream.count["ts_unwatched"] += 1
            else:
                self.pmt[pid] = Ages(self.stream, "pmt", now)


class Rtp:
    """Sequence numbers (RFC 3550 A.1), extended so that they do not wrap."""

    def __init__(self, stream, head, rate_of=None):
        self.stream = stream
        self.jitter = self.jitter_max = 0
        self.begin(head, head.seq)

    def begin(self, head, seq):
        self.ssrc, self.highest, self.lowest = head.ssrc, seq, seq
        self.got = {seq}
        self.candidate = None
        self.transit = None
        self.rate = RATES.get(head.type, 0)

    def put(self, head, at):
        """Returns "next", "gap", "late", "duplicate" or "elsewhere"."""
        place = self.place(head, at)
        if place != "elsewhere" and self.rate:
            self.add_jitter(head, at)
        return place

    def place(self, head, at):
        ahead = (head.seq - self.highest) % 65536
        if head.ssrc != self.ssrc or 3000 <= ahead <= 65536 - 100:
            return self.elsewhere(head)
        self.candidate = None
        if 0 < ahead < 3000:
            self.highest += ahead
            self.got.add(self.highest)
            for _ in range(ahead - 1):
                self.stream.fault("rtp_missing", at)
            self.stream.rtp_losses[at] += ahead - 1
            return "gap" if ahead > 1 else "next"
        number = self.highest - (65536 - ahead) % 65536
        if number < self.lowest:
            self.stream.count["rtp_skipped"] += 1
            return "elsewhere"
        if number in self.got:
            self.stream.count["rtp_duplicated"] += 1
            return "duplicate"
        self.got.add(number)
        self.stream.count["rtp_reordered"] += 1
        self.stream.faults.append((at, -1))
        return "late"

    def elsewhere(self, head):
        if self.candidate == (head.ssrc, head.seq):
            same = head.ssrc == self.ssrc
            self.stream.count["rtp_restarts" if same else "rtp_ssrc_changes"] += 1
            self.begin(head, head.seq)
            return "gap"
        self.candidate = (head.ssrc, (head.seq + 1) % 65536)
        self.stream.count["rtp_skipped"] += 1
        return "elsewhere"

    def add_jitter(self, head, at):
        """RFC 3550 A.8"""
        transit = (at - self.stream.start) * self.rate // SECOND - head.stamp
        d = 0 if self.transit is None else (transit - self.transit + 2 ** 31) % 2 ** 32 - 2 ** 31
        self.transit = transit
        if abs(d) >= self.rate:
            self.stream.count["rtp_timestamp_jumps"] += 1
            return
        self.jitter += abs(d) - (self.jitter + 8 >> 4)
        self.jitter_max = max(self.jitter_max, self.jitter)


class Stream:
    """The contents of one stream's datagrams, given as triples of nanoseconds, the captured bytes,
    and the original length."""

    def __init__(self, datagrams):
        self.count, self.pids, self.longest = Counter(), Counter(), Counter()
        self.first = {}
        self.faults = []                     # (time, +1 or -1)
        self.rtp_losses, self.ts_losses = Counter(), Counter()   # by time
        self.kind, self.misfits = "unknown", 0
        self.ts = self.rtp = self.candidate = None
        self.start = datagrams[0][0]
        media, now = [], self.start
        for at, data, length in datagrams:
            self.count["time_steps"] += at < now
            now = max(at, now)
            self.count["datagrams"] += 1
            self.count["bytes"] += length
            self.count["truncated"] += len(data) < length
            media.append((now, self.datagram(now, data, length)))
        self.end = now
        if self.kind in ("MPEG-TS", "MPEG-TS in RTP"):
            self.ts.end(now)
        self.count["media_bytes"] = sum(n for _, n in media)
        self.arrival(media)

    def fault(self, name, at):
        self.count[name] += 1
        self.faults.append((at, 1))

    # ---- kinds ----

    def datagram(self, at, data, length):
        """Returns the number of media bytes."""
        if self.kind == "unknown" and not self.recognise(at, data, length):
            return length
        if self.kind == "MPEG-TS":
            return self.put_ts(at, data, length)
        if self.kind == "2022-1 FEC":
            head = Header(data, length)
            bad = len(data) == length and not (
                head.ok and (head.control or head.fec(data)))
            self.fits(not bad, at)
            return length
        return self.put_rtp(at, data, length)

    def recognise(self, at, data, length):
        size = ts_size(data, length) if data else 0
        if size:
            self.kind, self.ts = "MPEG-TS", Ts(self, size, at)
            return True
        head = Header(data, length)
        if not head.ok or head.control:
            self.candidate = None
            return False
        second = self.candidate == (head.ssrc, head.seq)
        if self.begins_ts(at, head, data):
            self.rtp = None
            return True
        self.candidate = (head.ssrc, (head.seq + 1) % 65536)
        if not second:
            return False
        self.kind = "2022-1 FEC" if head.fec(data) else "RTP"
        self.rtp = self.new_rtp(head)
        self.rtp.begin(head, head.seq - 1)
        return True

    def new_rtp(self, head):
        new = Rtp(self, head)
        if getattr(self, "was_rtp", None):
            new.jitter, new.jitter_max = self.was_rtp.jitter, self.was_rtp.jitter_max
        self.was_rtp = new
        return new

    def begins_ts(self, at, head, data):
        size = ts_size(data[head.at:head.at + head.size], head.size) if head.type == 33 else 0
        if size:
            self.kind, self.ts = "MPEG-TS in RTP", Ts(self, size, at)
        return bool(size)

    def fits(self, good, at):
        if good:
            self.misfits = 0
            return
        self.fault("misfits", at)
        self.misfits += 1
        if self.misfits == 16:
            if self.ts and self.kind.startswith("MPEG-TS"):
                self.ts.end(at)
            self.kind, self.misfits, self.candidate = "unknown", 0, None
            self.count["kind_changes"] += 1

    def put_ts(self, at, data, length, whole=True):
        media = length // self.ts.size * 188
        if len(data) < length or not whole:
            self.ts.unseen(at)
            return media
        good = self.ts.datagram(data, at)
        self.fits(good, at)
        return media if good else length

    def put_rtp(self, at, data, length):
        head, whole = Header(data, length), len(data) == length
        if not head.ok:
            if whole or len(data) >= 12:
                self.fits(False, at)
            elif self.kind == "MPEG-TS in RTP":
                self.ts.unseen(at)
            return length
        if head.control:
            self.count["rtp_control"] += 1
            return 0
        if self.rtp is None:
            self.rtp, place = self.new_rtp(head), "gap"
            if self.rtp.rate:
                self.rtp.add_jitter(head, at)
        else:
            place = self.rtp.put(head, at)
        if place == "duplicate":
            return 0
        in_order = place in ("next", "gap")
        if place == "gap" and self.ts:
            self.ts.gap()
        if self.kind == "RTP":
            self.misfits = 0
            if not in_order or not self.begins_ts(at, head, data):
                return head.size
            self.count["kind_changes"] += 1
        if not in_order:
            return head.size // self.ts.size * 188
        if head.type != 33:
            self.ts.gap()
            self.fits(False, at)
            return head.size
        return self.put_ts(at, data[head.at:head.at + head.size] if whole else b"", head.size,
                           whole)

    # ---- arrival ----

    def arrival(self, media):
        start, n = self.start, (self.end - self.start) // SECOND
        gaps, sizes, errors = defaultdict(list), defaultdict(list), set()
        net = Counter()
        for (before, _), (at, _) in zip(media, media[1:]):
            gaps[(at - start) // SECOND].append(at - before)
        for at, size in media:
            sizes[(at - start) // SECOND].append((at, size))
        for at, what in self.faults:
            net[(at - start) // SECOND] += what
        errors |= {s for s, x in net.items() if x > 0}
        for (before, _), (at, _) in zip(media, media[1:]):
            if at - before > SECOND:
                self.count["outages"] += 1
                errors |= set(range((before + SECOND - start) // SECOND,
                                    (at - start) // SECOND + 1))
        self.count["seconds"] = n
        self.count["error_seconds"] = sum(s < n for s in errors)
        self.gap_max = max((g for x in gaps.values() for g in x), default=0)
        self.df = self.df_max = None
        self.mlr = self.mlr_max = 0
        self.usual, threshold, rate = 0, NEVER, None
        for s in sorted(set(gaps) | set(sizes)):
            silent = [g for g in gaps[s] if threshold < g <= SECOND]
            self.count["silent_gaps"] += len(silent)
            if s == n:
                break
            to_end = start + (s + 1) * SECOND - sizes[s][-1][0]
            quiet = silent or max(gaps[s], default=0) > SECOND or \
                to_end > min(threshold, SECOND)
            self.delivery(sizes[s], start + s * SECOND, rate)
            total = sum(size for _, size in sizes[s])
            if total and not quiet:
                rate = 1e9 / total
            peak = max((g for g in gaps[s] if g <= SECOND), default=0)
            if peak:
                self.usual = self.usual or peak
                more = min(peak, 3 * self.usual) - self.usual
                self.usual += abs(more) // 8 * (1 if more >= 0 else -1)
                threshold = max(3 * self.usual, 20 * 10 ** 6)
        losses = Counter()
        for at, x in (self.ts_losses if self.kind == "MPEG-TS" else self.rtp_losses).items():
            losses[(at - start) // SECOND] += x
        self.mlr_max = max((x for s, x in losses.items() if s < n), default=0)

    def delivery(self, sizes, begin, rate):
        """Measures the virtual buffer of RFC 4445 3.1 before and after each datagram."""
        if rate is None or not sum(size for _, size in sizes):
            return
        levels, total = [0.0], 0
        for at, size in sizes:
            levels += [total * rate - (at - begin), (total + size) * rate - (at - begin)]
            total += size
        self.df = int(max(levels) - min(levels))
        self.df_max = max(self.df, self.df_max or 0)
