# SPDX-License-Identifier: GPL-2.0-or-later
"""A provider that sends queries, and sends a stream only while it is requested.

It understands reports of every version of IGMP and MLD on its interface. A leave stops the stream
at once, as with providers that save bandwidth, or after `grace` seconds."""

import threading
import time

from libnetns import lab, ringcast, wire
from packets import Wire, query

POLL_S = 0.02


class Provider(threading.Thread):
    """Streams of numbered datagrams of each group in `groups`, sent from `source`.

    query: seconds between general queries, None for no queries; query_from: their source; version:
    their version; forget: seconds after which a silent member is forgotten; only_from: the only
    address whose reports count; always: whether to send without a request; understands: the newest
    version of IGMP whose reports count; ttl, size: of the datagrams."""

    def __init__(self, ns, groups, interface="p0", source=lab.Topology.SOURCE, rate=100,
                 query_every=None, query_from=None, version=3, forget=None, only_from=None,
                 always=False, ttl=8, size=200, understands=3):
        super().__init__(daemon=True)
        self.ns, self.source, self.period = ns, source, 1 / rate
        self.tap = wire.Tap(ns, interface)
        self.wire = Wire(ns, interface)
        self.sender = lab.Sender(ns, interface, source)
        self.query_every, self.query_from = query_every, query_from or source
        self.version, self.forget, self.only_from = version, forget, only_from
        self.always, self.ttl, self.size, self.understands = always, ttl, size, understands
        self.until = dict.fromkeys(groups, 0.0)   # when the last report expires
        self.heard = []                           # (time, source address, record)
        self.number = 0
        self.running = True
        self.start()

    def _count(self, record, now):
        if record.version > self.understands or record.group not in self.until:
            return
        if record.type in ("JOIN", "IS_EX", "TO_EX") or (
                record.type in ("ALLOW", "IS_IN", "TO_IN") and record.sources):
            self.until[record.group] = now + self.forget if self.forget else float("inf")
        elif record.type in ("LEAVE", "BLOCK") or (record.type == "TO_IN" and
                                                   not record.sources):
            self.until[record.group] = 0.0

    def _frames(self):
        try:
            return self.tap.frames()
        except OSError:
            return []  # the line is down at the moment

    def _listen(self, now):
        for frame in self._frames():
            packet = wire.ipv4(frame)
            sender = wire.addr(packet[0][12:16]) if packet else None
            for record in wire.igmp(frame) + wire.mld(frame):
                if not isinstance(record, wire.Record):
                    continue
                self.heard.append((now, sender, record))
                if self.only_from is None or sender == self.only_from:
                    self._count(record, now)

    def _send(self, now):
        for group, until in self.until.items():
            if not (self.always or until > now):
                continue
            payload = ringcast.number(self.number, self.size)
            try:
                self.sender.send(payload, group, ttl=self.ttl)
            except OSError:
                pass  # the line is down at the moment
        self.number += 1

    def run(self):
        next_send, next_query = time.monotonic(), 0.0
        while self.running:
            now = time.monotonic()
            self._listen(now)
            if self.query_every and now >= next_query:
                self.ask()
                next_query = now + self.query_every
            if now >= next_send:
                self._send(now)
                next_send = max(next_send + self.period, now)
            time.sleep(max(0.0, min(POLL_S, next_send - time.monotonic())))

    def ask(self, group="0.0.0.0", **kw):
        try:
            self.wire.send(query(self.query_from, self.version, group, **kw))
        except OSError:
            pass

    def records(self, group=None, types=None):
        return [r for _, _, r in list(self.heard)
                if group in (None, r.group) and (types is None or r.type in types)]

    def close(self):
        self.running = False
        self.join()
        self.tap.close()
        self.sender.close()
