#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""metrics-listen as Prometheus and as badly behaved clients see it; health."""

import contextlib
import ctypes
import http.client
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading

from libnetns import (FAST, GROUP, LANS, PLAIN, WAN, Skip, case, first_after, lab, main,
                      wait_datagrams, wait_for)
from packets import Wire, igmp3_report, ipv4

PORT = 9337
LISTEN = f"metrics-listen :{PORT}\n"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
DOC = os.path.join(lab.ROOT, "doc", "metrics.md")
DASHBOARD = os.path.join(lab.ROOT, "doc", "grafana-dashboard.json")


class Http(http.client.HTTPConnection):
    """A connection from within a namespace."""

    def __init__(self, ns, host="127.0.0.1", port=PORT):
        super().__init__(host, port, timeout=20)
        self.ns = ns

    def connect(self):
        with self.ns.inside():
            super().connect()


def request(ns, path="/metrics", method="GET", accept=None, body=None, **kw):
    """Returns (status, headers, text)."""
    connection = Http(ns, **kw)
    try:
        connection.request(method, path, body, {"Accept": accept} if accept else {})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        connection.close()


def refuses(ns, port=PORT, host="127.0.0.1"):
    with ns.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.settimeout(20)
        return s.connect_ex((host, port)) == 111  # ECONNREFUSED


def samples(text):
    """Returns {(name, frozenset of labels): value}; AssertionError if a line is malformed or
    occurs twice."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        m = SAMPLE.match(line)
        assert m, f"no sample: {line!r}"
        key = m[1], frozenset(LABEL.findall(m[2] or ""))
        assert key not in out, f"twice: {line}"
        out[key] = float(m[3])
    return out


def value(text, name, **labels):
    return samples(text).get((name, frozenset(labels.items())))


def scrape(ns, **kw):
    status, _, text = request(ns, **kw)
    assert status == 200, (status, text)
    return text


def fresh(ns):
    """Returns a scrape that begins now. A scrape shortly after another one gets the same text,
    which may be older than the test's last change."""
    def count(text):
        return value(text, "ringcast_scrapes_total")
    before, text = count(scrape(ns)), ""

    def newer():
        nonlocal text
        text = scrape(ns)
        return count(text) > before
    wait_for(10, newer, "a new scrape")
    return text


def families(text):
    """Returns the names of families in their order; AssertionError if the lines of one are not
    together."""
    seen, current, kind = [], None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split()[2]
            assert current not in seen, f"{current} begins twice"
            seen.append(current)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == current, line
            kind = line.split()[3]
        elif line.startswith("# UNIT "):
            assert line.split()[2] == current, line
            assert current.endswith("_" + line.split()[3]), line
        elif not line.startswith("#"):
            name = re.match("[a-z_]+", line)[0]
            ends = {"histogram": ("_bucket", "_count", "_sum"), "info": ("_info",)}
            if kind == "counter" and not current.endswith("_total"):
                ends["counter"] = ("_total",)
            assert name in [current + e for e in ends.get(kind, ("",))], line
    return seen


def histograms(text):
    """Check that buckets grow and that the last one equals the count."""
    buckets = {}
    for (name, labels), n in samples(text).items():
        if name.endswith("_bucket"):
            rest = frozenset(x for x in labels if x[0] != "le")
            le = float(dict(labels)["le"].replace("+Inf", "inf"))
            buckets.setdefault((name[:-7], rest), []).append((le, n))
    assert buckets
    for (name, labels), v in buckets.items():
        v.sort()
        assert [n for _, n in v] == sorted(n for _, n in v), (name, v)
        assert v[-1][0] == float("inf"), v
        assert v[-1][1] == samples(text)[name + "_count", labels]


def promtool():
    """promtool of Debian's package prometheus, installed or unpacked by tools/test."""
    unpacked = os.path.join(lab.ROOT, "build", "peers", "usr", "bin", "promtool")
    path = unpacked if os.access(unpacked, os.X_OK) else shutil.which("promtool")
    if not path:
        raise Skip("promtool is neither installed nor unpacked in build/peers, where "
                   "tools/test puts what apt-get has")
    return path


def documented():
    """Returns the names of the samples in the table of doc/metrics.md."""
    with open(DOC, encoding="utf-8") as f:
        return re.findall(r"^\| `(ringcast_\w+)` \|", f.read(), re.M)


def busy_daemon(b, config=LISTEN + PLAIN):
    """Run a daemon with a stream and one member, so that there is something to measure."""
    t = b.topology(lans=2)
    d = b.run(t, config)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    d.wait_member("lan1", GROUP)
    wait_datagrams(r, 50)
    return t, d


def prometheus(b, t, d):
    """Check the text against the table in the documentation and against show stats."""
    status, headers, text = request(t.router)
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    assert "# EOF" not in text and "# UNIT" not in text
    names = families(text)
    histograms(text)
    assert set(documented()) == set(names), set(documented()) ^ set(names)
    entry = {"group": GROUP, "source": "*"}
    assert value(text, "ringcast_group_receive_packets_total", **entry) >= 50
    assert value(text, "ringcast_group_outputs", **entry) == 1
    assert value(text, "ringcast_group_entries_truncated") == 0
    for name in ("groups", "hosts"):
        assert value(text, f"ringcast_{name}", interface="lan1") == 1
        assert value(text, f"ringcast_{name}", interface="lan2") == 0
    assert value(text, "ringcast_upstream_groups", interface="wan", family="ipv4") == 1
    assert value(text, "ringcast_forward_latency_seconds_count", frame="oldest") > 0
    assert value(text, "ringcast_querier_state", interface="lan1", family="ipv4",
                 state="active") == 1
    before = samples(text)
    stats = d.show("stats")
    after = samples(scrape(t.router))
    compared = 0
    for port in stats["ports"]:
        for verdict, n in port["verdicts"].items():
            for name in ("ringcast_frames_total", "ringcast_copies_dropped_total"):
                key = name, frozenset({"interface": port["name"],
                                       "verdict": verdict}.items())
                if key in before:
                    assert before[key] <= n <= after[key], (key, before[key], n)
                    compared += 1
    assert compared == 3 * len(stats["verdicts"]), compared
    oldest, newest = (value(text, "ringcast_forward_latency_seconds_sum", frame=f) /
                      value(text, "ringcast_forward_latency_seconds_count", frame=f) * 1e6
                      for f in ("oldest", "newest"))
    b.note(f"latency of the data plane: {oldest:.0f} us oldest, {newest:.0f} us newest frame")


def openmetrics(t, d):
    """Check the form that a client must ask for: units, families, end mark."""
    status, headers, text = request(t.router, accept=OPENMETRICS + ",*/*;q=0.1")
    assert status == 200 and headers["Content-Type"].startswith(OPENMETRICS), headers
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    assert not [f for f in families(text) if f.endswith(("_total", "_info"))]
    histograms(text)
    units = re.findall(r"# UNIT (\S+) (\S+)", text)
    assert ("ringcast_forward_latency_seconds", "seconds") in units, units
    assert set(u for _, u in units) == {"seconds", "bytes", "ratio"}
    r = d.ctl_run("metrics", "--openmetrics")
    assert r.returncode == 0 and families(r.stdout) == families(text), r.stderr
    r = d.ctl_run("metrics")
    assert set(families(r.stdout)) == set(documented())


@case("Prometheus, OpenMetrics and the dashboard: everything that is documented is there")
def all_of_it(b):
    t, d = busy_daemon(b)
    prometheus(b, t, d)
    openmetrics(t, d)
    dashboard(t)


@case("promtool accepts both formats without a warning")
def by_promtool(b):
    tool = promtool()
    t, d = busy_daemon(b)
    r = subprocess.run([tool, "check", "metrics"], input=scrape(t.router),
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and not r.stdout + r.stderr, r
    # the only part of promtool that reads OpenMetrics requires time stamps
    text = scrape(t.router, accept=OPENMETRICS)
    stamped = re.sub(r"^([^#\n].*)$", r"\1 1700000000", text, flags=re.M)
    with open("/run/metrics.txt", "w", encoding="utf-8") as f:
        f.write(stamped)
    r = subprocess.run([tool, "tsdb", "create-blocks-from", "openmetrics",
                        "/run/metrics.txt", "/run/blocks"],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r
    b.note(r.stdout.strip().splitlines()[-1] if r.stdout.strip() else "no output")


def dashboard(t):
    """Check that the dashboard names only existing metrics."""
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    there = {name for name, _ in samples(scrape(t.router))}
    optional = {"ringcast_upstream_query_age_seconds"}
    # these are there as soon as a stream has been judged, and a host has waited for one
    late = {"ringcast_stream_judged_seconds_total", "ringcast_stream_rtp_missing_total",
            "ringcast_stream_continuity_errors_total", "ringcast_zap_wait_seconds_bucket"}
    wait_for(30, lambda: late <= {name for name, _ in samples(scrape(t.router))},
             "the metrics of a stream and of a zap")
    there |= late
    named = set(re.findall(r"ringcast_\w+", json.dumps(board)))
    assert len(named) > 20 and named - there - optional == set(), named - there
    assert board["templating"]["list"][0]["type"] == "datasource"
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}", panel["title"]


def hosts_and_bodies(t):
    """F15: a web page whose name resolves to us is refused; we do not wait for a body without an
    end."""
    def reply(*head, version="1.1"):
        with t.router.socket(socket.AF_INET) as s:
            s.settimeout(20)
            s.connect(("127.0.0.1", PORT))
            lines = (f"GET /healthz HTTP/{version}",) + head + ("", "")
            s.sendall("\r\n".join(lines).encode())
            return b"".join(iter(lambda: s.recv(4096), b"")).decode()

    def first_line(*head, **how):
        return reply(*head, **how).split("\r\n")[0]
    for host in ("localhost", f"localhost:{PORT}", f"127.0.0.1:{PORT}", "[::1]", "[::1]:80"):
        assert " 200 " in first_line(f"Host: {host}"), host
    for host in ("attacker.example", f"attacker.example:{PORT}", "localhost.example",
                 "0.0.0.0", f"0.0.0.0:{PORT}", "192.0.2.1"):
        said = reply(f"Host: {host}")
        assert " 403 " in said and "use localhost or 127.0.0.1" in said, (host, said)
    for host in ("[::1]evil.com", "127.0.0.1:evil.com", "localhost:80.evil.com", "::1", "",
                 "localhost, evil.com", "localhost:"):
        said = reply(f"Host: {host}")
        assert " 400 " in said and "write a name or an address" in said, (host, said)
    for head in (("Host: localhost", "Host: evil.com"), ("Host: evil.com", "Host: localhost"),
                 ("Host: localhost", "host: localhost"), ("Host : evil.com",),
                 ("Host: localhost", "Host : evil.com"), ("Host\t: localhost",), ()):
        said = reply(*head)
        assert said == "" or " 400 " in said and "write it once" in said, (head, said)
    # HTTP/1.0, which knows no Host, is accepted because no web page uses it
    assert " 200 " in first_line(version="1.0")
    assert " 403 " in first_line("Host: evil.com", version="1.0")
    line = first_line("Host: localhost", "Transfer-Encoding: chunked", "", "5", "begun")
    assert " 400 " in line, line


def methods_and_paths(t):
    """Check that only GET and HEAD of /metrics and /healthz work."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
        status, headers, _ = request(t.router, method=method, body="x" * 100)
        assert status == 405 and headers["Allow"] == "GET, HEAD", (method, status)
    for path in ("/", "/metrics/", "/Metrics", "/metrics2", "//metrics", "/..", "*",
                 "/%6detric"):
        assert request(t.router, path)[0] == 404, path
    status, headers, text = request(t.router, method="HEAD")
    assert status == 200 and not text and int(headers["Content-Length"]) > 10000
    assert request(t.router, "/metrics?x=1#y")[0] == 200
    assert request(t.router, method="GET", body="a body")[0] == 200
    assert request(t.router, method="GET", body="x" * 2000)[0] == 400
    text = scrape(t.router)
    assert value(text, "ringcast_http_requests_total", code="405") == 6
    assert value(text, "ringcast_http_requests_total", code="404") == 8


def send_raw(ns, octets, count=1):
    """Make connections that send these bytes and then wait."""
    out = []
    for _ in range(count):
        s = ns.socket()
        s.settimeout(20)
        s.connect(("127.0.0.1", PORT))
        with contextlib.suppress(OSError):
            s.sendall(octets)
        out.append(s)
    return out


def is_closed(s):
    try:
        s.settimeout(20)
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


@case("slow, silent, greedy and faulty clients do not keep others waiting")
def bad_clients(b):
    t, d = busy_daemon(b)
    methods_and_paths(t)
    hosts_and_bodies(t)
    r = b.receiver(t.hosts["lan2"], join=False)
    # slow-loris: more incomplete requests than the server has places
    slow = send_raw(t.router, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", 40)
    text = scrape(t.router)
    assert value(text, "ringcast_http_connections") <= 16
    wait_for(20, lambda: value(scrape(t.router),
                               "ringcast_http_connections_evicted_total") >= 32,
             "the oldest was closed")
    assert is_closed(slow[0])
    # clients that send a request and do not read, or that close at once
    greedy = send_raw(t.router, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 5)
    for s in send_raw(t.router, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 20):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    for octets in (b"\0" * 5000, b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
                   b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                   b"GET /metrics HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n",
                   b"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                   b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"ffffffffffffffffff\r\n"):
        for s in send_raw(t.router, octets, 3):
            s.close()
    b.note(f"join while they are there: {first_after(r, r.join):.1f} ms until the first datagram")
    assert "ringcast_build_info" in scrape(t.router)
    assert d.ctl_run("health").returncode == 0
    for s in slow + greedy:
        s.close()
    wait_for(20, lambda: value(scrape(t.router), "ringcast_http_connections") == 1,
             "all connections but ours are gone")


def join_many(b, t, d, n):
    w = b.own(Wire(t.hosts["lan1"], "eth0"))
    groups = [socket.inet_ntoa((0xef010000 + i).to_bytes(4, "big")) for i in range(n)]
    for i in range(0, n, 180):
        records = [(4, g, []) for g in groups[i:i + 180]]
        w.send(ipv4("10.0.1.2", "224.0.0.22", 2, igmp3_report(*records)))
    wait_for(30, lambda: d.interface("lan1")["groups"] >= n, f"{n} groups")


@case("10,000 groups: all of them, the busiest of them, and joins meanwhile")
def many_groups(b):
    t = b.topology(lans=2)
    config = LISTEN + "quickleave\nfast-leave\n" + WAN + LANS
    d = b.run(t, "metrics-groups 20000\nmax-groups-per-host 0\n" + config)
    d.ctl_run("log", "warning")
    join_many(b, t, d, 10000)
    b.stream(t, rate=1000)
    text = fresh(t.router)
    got = [k for k in samples(text) if k[0] == "ringcast_group_receive_bytes_total"]
    assert len(got) == 10000 and value(text, "ringcast_group_entries_truncated") == 0
    cost = value(text, "ringcast_scrape_duration_seconds") * 1000
    slice_ = value(text, "ringcast_scrape_longest_slice_seconds") * 1000
    b.note(f"scrape of {len(text) / 1e6:.1f} MB: {cost:.1f} ms of the control thread, "
           f"{slice_:.2f} ms at a stretch")
    r = b.receiver(t.hosts["lan2"], join=False)

    def delays(n=15):
        out = []
        for _ in range(n):
            out.append(first_after(r, r.join))
            r.leave()
            wait_for(10, lambda: d.interface("lan2")["groups"] == 0, "left")
            r.receive()
        return sorted(out)
    alone = delays()
    ended = threading.Event()

    def scrapes():
        while not ended.is_set():
            scrape(t.router)
    threads = [threading.Thread(target=scrapes) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        together = delays()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    b.note(f"join, median (worst) of 15: {alone[7]:.1f} ({alone[-1]:.1f}) ms, under "
           f"scrapes {together[7]:.1f} ({together[-1]:.1f}) ms")
    d.write("metrics-groups 10\n" + config)
    assert d.ctl_run("reload").returncode == 0
    text = fresh(t.router)
    got = [k for k in samples(text) if k[0] == "ringcast_group_receive_bytes_total"]
    assert len(got) == 10, len(got)
    assert value(text, "ringcast_group_entries_truncated") in (9990, 9991)


@case("reload moves the listener; a port that is taken does not stop any stream")
def reload_moves(b):
    t = b.topology(lans=2, ipv6=True)
    d = b.run(t, LISTEN + PLAIN)

    def reload(lines):
        d.write(lines + PLAIN)
        assert d.ctl_run("reload").returncode == 0
    reload("")
    assert refuses(t.router)
    reload(LISTEN)
    text = scrape(t.router)
    assert value(text, "ringcast_config_reloads_total", result="taken") == 2
    reload("metrics-listen [::1]:9337\n")
    assert refuses(t.router)
    assert "ringcast_build_info" in scrape(t.router, host="::1")
    assert "not a loopback address" not in d.log()
    reload("metrics-listen [::]:9337\n")
    d.wait_log("[::]:9337 is not a loopback address")
    assert "ringcast_build_info" in scrape(t.router, host="::1")
    assert "ringcast_build_info" in scrape(t.router, host="10.0.1.1")
    # the address is added later
    reload("metrics-listen 10.0.7.7:9337\n")
    t.router.ip("addr", "add", "10.0.7.7/32", "dev", "lo")
    assert "ringcast_build_info" in scrape(t.router, host="10.0.7.7")
    taken = t.router.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", 9337))
    taken.listen()
    reload("metrics-listen :9337\n")
    d.wait_log("metrics-listen 127.0.0.1:9337: Address already in use; trying again")
    assert d.ctl_run("health").returncode == 0
    taken.close()
    wait_for(20, lambda: not refuses(t.router), "it listens")
    scrape(t.router)
    d.write("metrics-listen nowhere\n" + PLAIN)
    assert d.ctl_run("reload").returncode == 4
    text = fresh(t.router)
    assert value(text, "ringcast_config_last_reload_successful") == 0
    assert value(text, "ringcast_config_reloads_total", result="refused") == 1
    # the port stays the one of the start
    reload("metrics-listen :9338\n")
    d.wait_log("metrics-listen: port 9338 cannot be bound while running")
    assert refuses(t.router, 9338)
    scrape(t.router)


@case("health: interfaces that are down or missing, and /healthz")
def health(b):
    t = b.topology(lans=2)
    d = b.run(t, LISTEN + PLAIN + "phyint lan9 downstream\n")

    def now(*args):
        r = d.ctl_run("health", *args)
        status, _, text = request(t.router, "/healthz" + "?allow-down" * bool(args))
        assert (status == 200) == (r.returncode == 0), (status, text, r)
        return r.returncode, r.stdout, text
    missing = "lan9: there is no such interface\n"
    assert now() == (4, missing, missing)
    assert now("--allow-down") == (0, "", "ok\n")
    t.add_lan(9)
    wait_for(10, lambda: now() == (0, "", "ok\n"), "lan9 is there")
    assert value(fresh(t.router), "ringcast_healthy") == 1
    t.router.ip("link", "set", "lan2", "down")
    down = "lan2: the interface is down\n"
    wait_for(10, lambda: now() == (4, down, down), "lan2 is down")
    assert now("--allow-down")[0] == 0
    text = fresh(t.router)
    assert value(text, "ringcast_healthy") == 0
    assert value(text, "ringcast_interface_up", interface="lan2") == 0
    r = d.ctl_run("--json", "health")
    assert r.returncode == 4 and json.loads(r.stdout)["problems"] == [down.strip()], r
    assert d.ctl_run("health", "--quiet").stdout == ""
    assert d.ctl_run("health", "now").returncode == 1
    d.process.kill()
    d.process.wait()
    r = d.ctl_run("health")
    assert r.returncode == 1 and "cannot reach" in r.stderr, r
    b.daemon = None


class Tracer:
    """Stops a single thread, which only a debugger can do."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, tid):
        self.tid = tid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                                     ctypes.c_void_p]
        if self.libc.ptrace(self.SEIZE, tid, None, None):
            raise Skip("ptrace: " + os.strerror(ctypes.get_errno()))
        self.libc.ptrace(self.INTERRUPT, tid, None, None)
        os.waitpid(tid, 0x40000000)  # __WALL

    def close(self):
        self.libc.ptrace(self.DETACH, self.tid, None, None)


@case("health: a data-plane thread that makes no progress is found")
def hanging_thread(b):
    t = b.topology(lans=1)
    d = b.run(t, LISTEN + FAST + WAN + "phyint lan1 downstream\n")
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    for _ in range(8):
        b.stream(t, rate=4000)
    wait_datagrams(r, 1000)
    tids = [int(i) for i in os.listdir(f"/proc/{d.process.pid}/task")
            if t.router.read(f"/proc/{d.process.pid}/task/{i}/comm") == "ringcast-dp0\n"]
    assert len(tids) == 1, tids

    def stop_at_work():
        tracer = Tracer(tids[0])
        if value(d.ctl_run("metrics").stdout, "ringcast_thread_asleep", thread="0") == 0:
            return b.own(tracer)
        tracer.close()
        return None
    tracer = wait_for(30, stop_at_work, "the thread is caught at work")
    hangs = "data-plane thread 0 hangs\n"
    r = d.ctl_run("health")
    assert (r.returncode, r.stdout) == (4, hangs), r
    assert request(t.router, "/healthz")[::2] == (503, hangs)
    tracer.close()
    wait_for(10, lambda: d.ctl_run("health").returncode == 0, "it gets on again")


main()
