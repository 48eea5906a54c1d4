# SPDX-License-Identifier: GPL-2.0-or-later
"""The part `web` of bench/stress: clients of lan1 that misuse the page, while a host of lan2 changes
channels and another client of lan2 reads the page. Each row has a daemon of its own."""

import collections
import contextlib
import errno
import http.client
import multiprocessing
import os
import resource
import select
import socket
import time

import ctl_bed

PORT = 8089
CONFIG = [f"web-listen 0.0.0.0:{PORT}", "web-allow 10.0.0.0/8"]
CHANNELS = 8
GROUPS = 500           # joined, so that answers are long
ADDRESSES = 20
PATIENCE = 2           # seconds; a join that takes longer is lost
READ_EVERY = 0.1       # seconds between two questions of the client that behaves
AT_ONCE = 20           # connections that are begun before answers are read


class Shape:
    """What hostile clients do. `text(n)` is what the n-th connection sends."""

    def __init__(self, name, text, clients, **kw):
        self.name, self.text, self.clients = name, text, clients
        self.addresses = kw.get("addresses", 1)
        self.reads = kw.get("reads", True)
        self.attempts = kw.get("attempts")    # connections in total; None means without end
        self.life = kw.get("life")            # seconds until the client gives up


def _get(path, extra=""):
    return f"GET {path} HTTP/1.1\r\nHost: router\r\n{extra}\r\n".encode()


STREAM = _get("/api/v1/events")
MALFORMED = (
    b"\x00\x01\x02\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    _get("/" + "x" * 20000), _get("/", "X: " + "y" * 20000 + "\r\n"),
    _get("/", "".join(f"X{i}: y\r\n" for i in range(2000))),
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: router\r\nContent-Length: 999999999999999999999\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: router\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    _get("/api/v1/mfc?filter=%zz%00%ff"), _get("/api/v1/top?limit=99999999999999999999"),
    _get("/api/v1/top?" + "&".join(f"filter={i}" for i in range(500))),
    b"\r\n" * 5000, _get("/", "Content-Length: -1\r\n"), _get("/%00%00/../../etc/passwd"),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


def _question(n):
    group = f"239.1.{n // 256 % 2}.{n % 256}"
    return _get((f"/api/v1/explain?group={group}", f"/api/v1/mfc?filter={group}",
                 f"/api/v1/top?limit=500&filter={n % 10}", f"/api/v1/groups?filter={group}",
                 "/plain")[n % 5])


SHAPES = (
    Shape("nobody", None, 0),
    Shape("200 that never read", lambda n: _get("/api/v1/top?limit=500"), 200, reads=False,
          life=5, addresses=2),
    Shape("400 half-open, two addresses", lambda n: b"GET / HTTP/1.1\r\nHost: ", 400, addresses=2),
    Shape("400 that say nothing, 20 addresses", lambda n: b"", 400, addresses=ADDRESSES),
    Shape("1,000 streams, one address", lambda n: STREAM, 1000, attempts=1000),
    Shape("1,000 streams, 20 addresses", lambda n: STREAM, 1000, attempts=1000,
          addresses=ADDRESSES),
    Shape("1,000 streams that never read, 20 addresses", lambda n: STREAM, 1000, attempts=1000,
          addresses=ADDRESSES, reads=False),
    Shape("malformed requests", lambda n: MALFORMED[n % len(MALFORMED)], 50, addresses=4, life=0.2),
    Shape("questions, each another one", _question, 100, addresses=4),
)


class Client:
    def __init__(self, ns, source, text, reads):
        self.left, self.reads, self.head, self.began = text, reads, b"", time.monotonic()
        self.sock = ns.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if not reads:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.sock.bind((source, 0))
        self.error = self.sock.connect_ex(("10.0.1.1", PORT))

    def send(self):
        """Returns false if the server does not want it."""
        try:
            while self.left:
                self.left = self.left[self.sock.send(self.left):]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def receive(self):
        """Returns false if the server has closed."""
        try:
            while True:
                part = self.sock.recv(65536)
                if not part:
                    return False
                self.head = (self.head + part)[:16]
        except BlockingIOError:
            return True
        except OSError:
            return False

    def status(self):
        """Returns the status of the answer, or "none"."""
        head = self.head.split(b" ")
        return head[1].decode("latin-1") if len(head) > 1 and head[0].startswith(b"HTTP/") \
            else "none"


class Crowd:
    """The clients of a shape."""

    def __init__(self, ns, shape):
        self.ns, self.shape, self.poll, self.open = ns, shape, select.epoll(), {}
        self.n, self.answers, self.most = 0, collections.Counter(), 0

    def _begin(self):
        s = self.shape
        c = Client(self.ns, f"10.0.1.{100 + self.n % s.addresses}", s.text(self.n), s.reads)
        self.n += 1
        if c.error not in (0, errno.EINPROGRESS):
            self.answers["refused"] += 1
            c.sock.close()
            return
        self.open[c.sock.fileno()] = c
        self.poll.register(c.sock, select.EPOLLOUT | (select.EPOLLIN if s.reads else 0))

    def _end(self, c, why):
        self.answers[why] += 1
        del self.open[c.sock.fileno()]
        self.poll.unregister(c.sock)
        c.sock.close()

    def _event(self, fd, events):
        c = self.open[fd]
        if events & select.EPOLLOUT:
            if not c.send():
                self._end(c, "none")
                return
            if not c.left:
                self.poll.modify(c.sock, select.EPOLLIN if c.reads else 0)
        gone = events & (select.EPOLLHUP | select.EPOLLERR)
        if (c.reads and events & select.EPOLLIN and not c.receive()) or gone:
            self._end(c, c.status())

    def turn(self):
        s = self.shape
        for _ in range(AT_ONCE):
            if len(self.open) < s.clients and (s.attempts is None or self.n < s.attempts):
                self._begin()
        for fd, events in self.poll.poll(0.01):
            if fd in self.open:
                self._event(fd, events)
        if s.life:
            for c in [c for c in self.open.values() if time.monotonic() - c.began > s.life]:
                self._end(c, "gave up")
        self.most = max(self.most, len(self.open))

    def result(self):
        """Counts the connections by how they ended, and those that are still open."""
        out = dict(self.answers)
        for c in self.open.values():
            key = "open, " + c.status()
            out[key] = out.get(key, 0) + 1
        return out

    def close(self):
        for c in self.open.values():
            c.sock.close()
        self.poll.close()


def _read_pages(ns, ended, out):
    """A client that behaves: asks, reads, and asks again. The times until its answers in
    milliseconds, and how many were none."""
    took, failed = [], 0
    while not ended.is_set():
        began = time.monotonic()
        c = http.client.HTTPConnection("10.0.2.1", PORT, timeout=10)
        try:
            with ns.inside():
                c.connect()
            c.request("GET", "/api/v1/top?limit=500&sort=rate")
            reply = c.getresponse()
            if reply.read() and reply.status == 200:
                took.append((time.monotonic() - began) * 1000)
            else:
                failed += 1
        except (OSError, http.client.HTTPException):
            failed += 1
        finally:
            c.close()
        ended.wait(READ_EVERY)
    out.send((sorted(took), failed))


@contextlib.contextmanager
def _reader(ns):
    """Yields a function that ends the client and returns what it found."""
    ended, (here, there) = multiprocessing.Event(), multiprocessing.Pipe(False)
    p = multiprocessing.Process(target=_read_pages, args=(ns, ended, there), daemon=True)
    p.start()

    def result():
        ended.set()
        took, failed = here.recv()
        p.join()
        return {"n": len(took), "failed": failed, "p50": took[len(took) // 2] if took else None,
                "p99": took[len(took) * 99 // 100] if took else None}
    try:
        yield result
    finally:
        p.kill()
        p.join()


def _evicted(c):
    for line in c.daemon.ctl_run("metrics").stdout.splitlines():
        if line.startswith("ringcast_http_connections_evicted"):
            return int(float(line.split()[-1]))
    return 0


def _end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def _measure(bed, c, shape, seconds):
    row = {"shape": shape.name, "memory_before": c.memory()}
    crowd = Crowd(bed.lan[1], shape)
    with contextlib.ExitStack() as stack:
        stack.callback(crowd.close)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            crowd.turn()
        control, start, highest = c.control_ns(), time.monotonic(), 0
        reader = stack.enter_context(_reader(bed.lan[2]))
        zaps = bed.start_hosts(2, "zap", groups=CHANNELS, count=max(int(seconds * 20), 20),
                               patience=PATIENCE)
        stack.callback(_end, zaps)
        while zaps.poll() is None or time.monotonic() < start + seconds:
            crowd.turn()
            highest = max(highest, c.memory())
        row["zaps"] = bed.result(zaps)
        row["reader"] = reader()
        row["control_percent"] = (c.control_ns() - control) / (time.monotonic() - start) / 1e7
        row["memory"] = highest
        row.update(connections=crowd.n, most=crowd.most, answers=crowd.result())
    row["evicted"] = _evicted(c)
    return row


def _row(args, shape):
    bed = ctl_bed.Bed()
    try:
        # the hostile clients, the honest ones and the provider share a processor
        bed.lan[1].ip_all(*(f"addr add 10.0.1.{100 + i}/24 dev eth0" for i in range(ADDRESSES)))
        c = ctl_bed.Ringcast(bed, [*CONFIG, *args.option], limits=True)
        try:
            stream = bed.start_flood(CHANNELS, CHANNELS * 1000, 3600)
            try:
                bed.hosts(1, "join", groups=GROUPS, rate=1000, hosts=10, first=1000, host=1)
                return _measure(bed, c, shape, min(args.seconds, 10))
            finally:
                _end(stream)
        finally:
            c.stop()
    finally:
        bed.close()


def rows(args):
    """Yield a row for each shape whose name contains --shape."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    os.sched_setaffinity(0, {0})
    for shape in SHAPES:
        if args.shape in shape.name:
            yield _row(args, shape)


def words(row):
    d, r = row["zaps"].get("join_us"), row["reader"]
    joins = f"{d['p50'] / 1000:.1f}, {d['p99'] / 1000:.1f} ms" if d else "none"
    page = f"{r['p50']:.0f}, {r['p99']:.0f} ms" if r["n"] else "none"
    answers = ", ".join(f"{k}: {n}" for k, n in sorted(row["answers"].items()))
    return (f"{row['shape']}: join {joins}, {row['zaps']['never']} of {row['zaps']['zaps']} lost; "
            f"page {page}, {r['failed']} of {r['n'] + r['failed']} not answered; control "
            f"{row['control_percent']:.0f} %; {row['memory_before'] / 2 ** 20:.1f} -> "
            f"{row['memory'] / 2 ** 20:.1f} MiB; {row['connections']} connections, at most "
            f"{row['most']} at once, {row['evicted']} evicted; {answers}")
