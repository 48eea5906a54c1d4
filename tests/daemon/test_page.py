#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""web-listen: the page, the JSON behind it, who may read them, and the page in a real browser.

Screenshots go to build/page, or where RINGCAST_SCREENSHOTS says.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import tempfile
import threading
import time
from collections import deque

from libnetns import (GROUP, LANS, PLAIN, QUICK, WAN, Daemon, Skip, Stream, case, first_after, lab,
                      main, wait_datagrams, wait_for)
from packets import Wire, igmp3_report, ipv4

import browser

PORT = 8089
LISTEN = f"web-listen :{PORT}\n"
SHOTS = os.environ.get("RINGCAST_SCREENSHOTS", os.path.join(lab.ROOT, "build", "page"))
NEWS, EVIL, DAMAGED = "239.1.2.4", "239.1.2.5", "239.1.2.6"
NAMES = f"""group,name
{GROUP},Das Erste HD
{NEWS},News 24
{EVIL},<img src=x onerror=alert(1)><b>Bold</b>
{DAMAGED},Bad Line TV
"""


# as a lease of dnsmasq and as a line of hosts(5)
HOSTS = """1785000000 02:00:00:00:00:01 10.0.1.2 living-room 01:02:00:00:00:00:01
10.0.2.2 <img/src=x/onerror=alert(1)><b>kitchen</b>
"""


class Http(http.client.HTTPConnection):
    """A connection from within a namespace."""

    def __init__(self, ns, host="127.0.0.1", port=PORT):
        super().__init__(host, port, timeout=20)
        self.ns = ns

    def connect(self):
        with self.ns.inside():
            super().connect()


def request(ns, path="/", method="GET", host=None, to="127.0.0.1", port=PORT):
    """Returns (status, headers, text)."""
    c = Http(ns, to, port)
    try:
        c.request(method, path, headers={"Host": host} if host else {})
        reply = c.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        c.close()


def api(ns, path, status=200):
    got, headers, text = request(ns, "/api/v1/" + path)
    assert got == status, (path, got, text)
    assert headers["Content-Type"] == "application/json; charset=utf-8", headers
    return json.loads(text)


def write(path, text, folder=None):
    """Write a file, or a link to one of that name in the folder."""
    if folder:
        os.symlink(os.path.join(folder, os.path.basename(path)), path)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def begin(b, config=LISTEN, member=True, rest=PLAIN, lans=2, names=NAMES, links=False):
    """Start a daemon with a page, names of channels and of viewers, and a stream with one
    member. The page must not depend on what is logged, so the level is that of a service."""
    t = b.topology(lans=lans)
    # paths of their own, which the daemon must be allowed to read
    stack = b.own(contextlib.ExitStack())
    folder, other = (stack.enter_context(tempfile.TemporaryDirectory(dir="/run")) for _ in range(2))
    for path in (folder, other):
        os.chmod(path, 0o755)
    hosts = os.path.join(folder, "leases")
    write(hosts, HOSTS, other if links else None)
    d = b.daemon = b.own(Daemon(
        t.router, f"channel-names tv.csv\nhost-names {hosts}\n" + config + rest, start=False,
        verbose=False))
    d.host_names = hosts
    write(os.path.join(d.dir, "tv.csv"), names, other if links else None)
    d.start()
    if member:
        r = b.receiver(t.hosts["lan1"])
        b.stream(t)
        d.wait_member("lan1", GROUP)
        wait_datagrams(r, 20)
    return t, d


@case("web-listen: files, JSON, a page without scripts; GET and HEAD alone, with a strict policy")
def answers(b):
    t, d = begin(b)
    for path in ("/", "/page.js", "/stream.js", "/day.js", "/page.css", "/icon.svg", "/plain",
                 "/api/v1/", "/api/v1/top", "/api/v1/day"):
        status, headers, text = request(t.router, path)
        assert status == 200 and text, path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers
        status, headers, text = request(t.router, path, "HEAD")
        assert status == 200 and not text and int(headers["Content-Length"]) > 0, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert request(t.router, "/api/v1/top", method)[0] == 405, method
    for path in ("/index.html", "/page.js/", "/..", "/metrics", "/api/v1/none", "/api/v1/reload",
                 "/api/v1/config", "/api/v2/top"):
        assert request(t.router, path)[0] == 404, path
    row = api(t.router, "top")["rows"][0]
    assert (row["group"], row["channel"], row["members"]) == (GROUP, "Das Erste HD", 1), row
    assert api(t.router, "mfc?filter=" + GROUP)["mfc"][0]["out"] == ["lan1"]
    hosts = api(t.router, "groups?filter=lan1")["groups"][0]["hosts"]
    assert [(h["address"], h["name"]) for h in hosts] == [("10.0.1.2", "living-room")], hosts
    zaps = api(t.router, "zaps?filter=" + GROUP)["zaps"]
    assert [(z["interface"], z["host"], z["name"]) for z in zaps] == \
        [("lan1", "10.0.1.2", "living-room")], zaps
    assert not api(t.router, "zaps?filter=lan2")["zaps"]
    assert api(t.router, "explain?group=" + GROUP)["verdict"] == "pass"
    assert api(t.router, "interfaces?filter=wan")["interfaces"][0]["name"] == "wan"
    assert api(t.router, "health")["ok"] and api(t.router, "version")["name"] == "ringcastd"
    for bad in ("mfc?filter=", "mfc?filter=no+such+words+here", "explain?group=a%0Areload",
                "top?sort=colour", "top?limit=x%20filter", "groups?filter=" + "x" * 600):
        assert "error" in api(t.router, bad, 400), bad
    texts = [(e["group"], e["channel"], e["host"], e["text"])
             for e in api(t.router, "day")["events"]]
    assert (GROUP, "Das Erste HD", "10.0.1.2", "group has its first member") in texts, texts
    text = request(t.router, "/plain")[2]
    assert "Das Erste HD" in text and "<script" not in text
    assert d.ctl_run("page").stdout == f"http://127.0.0.1:{PORT}/\n"


@case("web-listen: names follow their files, which may be links, also when only rights change")
def names_follow(b):
    t, d = begin(b, links=True)

    def name():
        return api(t.router, "groups")["groups"][0]["hosts"][0]["name"]
    assert name() == "living-room"
    assert api(t.router, "top")["rows"][0]["channel"] == "Das Erste HD"
    write(d.host_names, "10.0.1.2 bedroom\n")
    wait_for(20, lambda: name() == "bedroom", "the name of the new lease")
    os.chmod(d.host_names, 0)
    wait_for(20, lambda: name() is None, "the file cannot be read")
    os.chmod(d.host_names, 0o644)
    wait_for(20, lambda: name() == "bedroom", "the file can be read again")


@case("web-listen: hosts, names in the address and hidden viewers")
def who_may(b):
    lines = (f"web-listen 0.0.0.0:{PORT}\nweb-allow 10.0.1.0/24\nweb-names off\n")
    t, d = begin(b, lines)
    lan1, lan2 = t.hosts["lan1"], t.hosts["lan2"]
    assert request(lan1, to="10.0.1.1")[0] == 200
    status, _, text = request(lan2, to="10.0.2.1")
    assert status == 403 and "web-allow" in text, (status, text)
    # this system, by each of its addresses
    assert request(t.router, to="10.0.2.1")[0] == 200
    assert d.ctl_run("page").stdout == f"http://10.0.1.1:{PORT}/\n"
    for host in ("10.0.1.1", f"10.0.1.1:{PORT}", "router", "router.lan:80", "localhost", "[::1]"):
        assert request(t.router, host=host)[0] == 200, host
    for host in ("attacker.example", f"attacker.example:{PORT}", "10.0.1.1.example"):
        status, _, text = request(t.router, host=host)
        assert status == 403 and "a web page elsewhere" in text, (host, status)
    assert not api(t.router, "")["names"]
    for path in ("explain?group=" + GROUP, "interfaces", "stats", "health"):
        assert "web-names is off" in api(t.router, path, 403)["error"], path
    group = api(t.router, "groups")["groups"][0]
    assert (group["n_hosts"], group["hosts"], group["last_reporter"]) == (1, [], None), group
    zap = api(t.router, "zaps")["zaps"][0]
    assert (zap["interface"], zap["group"], zap["host"], zap["name"]) == \
        ("lan1", GROUP, None, None), zap
    for path in ("groups", "zaps"):
        assert "what its host watches" in api(t.router, path + "?filter=10.0.1.2", 400)["error"]
    everything = "".join(request(t.router, p)[2] for p in
                         ("/plain", "/api/v1/top", "/api/v1/groups", "/api/v1/mfc",
                          "/api/v1/upstream", "/api/v1/day", "/api/v1/zaps"))
    assert GROUP in everything
    assert "10.0.1.2" not in everything and "living-room" not in everything
    d.write(PLAIN)
    assert d.ctl_run("reload").returncode == 0
    r = d.ctl_run("page")
    assert r.returncode == 4 and "no web-listen" in r.stderr, r
    with t.router.socket() as s:
        assert s.connect_ex(("127.0.0.1", PORT)) == 111
    d.write(lines + PLAIN)
    assert d.ctl_run("reload").returncode == 0
    assert request(lan1, to="10.0.1.1")[0] == 200


@case("web-listen: a reload with another port keeps the page, for those who may read it now")
def another_port(b):
    """The list of the old configuration was still in use after it had been freed."""
    t, d = begin(b, f"web-listen 0.0.0.0:{PORT}\nweb-allow 10.0.1.0/24\n", member=False)
    lan1, lan2 = t.hosts["lan1"], t.hosts["lan2"]
    d.write(f"web-listen 0.0.0.0:{PORT + 1}\nweb-allow 10.0.2.0/24\n" + PLAIN)
    assert d.ctl_run("reload").returncode == 0
    assert request(lan2, to="10.0.2.1")[0] == 200
    assert request(lan1, to="10.0.1.1")[0] == 403
    r = d.ctl_run("page")
    assert r.returncode == 4 and "takes a restart" in r.stderr, r
    d.write(f"web-listen 10.0.1.77:{PORT}\n" + PLAIN)
    assert d.ctl_run("reload").returncode == 0
    r = d.ctl_run("page")
    assert r.returncode == 4 and "no interface has this address" in r.stderr, r
    t.router.ip("addr", "add", "10.0.1.77/24", "dev", "lan1")
    wait_for(10, lambda: d.ctl_run("page").returncode == 0, "the address is there")


@case("web-listen: a reload keeps a listener below port 1024, and ends connections not allowed now")
def low_port(b):
    """Each reload bound the port again, which the user of the daemon is not allowed to do."""
    first, second = ("web-listen 0.0.0.0:80\nweb-allow 10.0.1.0/24\n",
                     "web-listen 0.0.0.0:80\nweb-allow 10.0.2.0/24\nweb-names off\n")
    t, d = begin(b, first)
    lan1, lan2 = t.hosts["lan1"], t.hosts["lan2"]
    group = json.loads(request(lan1, "/api/v1/groups", to="10.0.1.1", port=80)[2])["groups"][0]
    assert group["hosts"], group
    s = b.own(event_stream(lan1, "10.0.1.1", 80))
    read_until(s, b"data: tick\n\n")
    d.write(second + PLAIN)
    assert d.ctl_run("reload").returncode == 0
    assert request(lan1, to="10.0.1.1", port=80)[0] == 403
    status, _, text = request(lan2, "/api/v1/groups", to="10.0.2.1", port=80)
    assert status == 200 and not json.loads(text)["groups"][0]["hosts"], (status, text)
    while s.recv(4096):
        pass


def event_stream(ns, to="127.0.0.1", port=PORT):
    s = ns.socket(socket.AF_INET)
    s.settimeout(20)
    s.connect((to, port))
    s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return s


def read_until(s, text):
    got = b""
    while text not in got:
        part = s.recv(4096)
        assert part, got
        got += part
    return got


@case("web-listen: where connections are all taken, the next client is served")
def crowded(b):
    """When all connections were taken, libmicrohttpd did not listen until idle ones had ended."""
    t, d = begin(b, member=False)
    half = [t.router.socket(socket.AF_INET) for _ in range(500)]
    for i, x in enumerate(half):
        x.settimeout(20)
        x.bind((f"127.0.0.{2 + i % 2}", 0))
        x.connect(("127.0.0.1", PORT))
        with contextlib.suppress(OSError):
            x.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert request(t.router)[0] == 200
    evicted = re.search(r"^ringcast_http_connections_evicted_total (\d+)$",
                        d.ctl_run("metrics").stdout, re.M)
    # each further connection has ended another one
    assert int(evicted[1]) > 500 - 168, evicted[1]
    for x in half:
        x.close()


@case("web-listen: streams of events are told of changes, and bounded; slow readers harm nobody")
def events(b):
    t, d = begin(b, member=False)
    s = event_stream(t.router)
    head = read_until(s, b"\r\n\r\n")
    assert b" 200 " in head and b"text/event-stream" in head, head
    read_until(s, b"data: tick\n\n")
    r = b.receiver(t.hosts["lan1"])
    began = time.monotonic()
    read_until(s, b"data: change\n\n")
    b.note(f"told of a join after {(time.monotonic() - began) * 1000:.0f} ms")
    streams = [event_stream(t.router) for _ in range(110)]
    refused = sum(b" 503 " in read_until(x, b"\r\n") for x in streams)
    assert refused == 110 - 99, refused
    # the others never read; requests are answered, and a join takes effect
    b.stream(t)
    d.wait_member("lan1", GROUP)
    wait_datagrams(r, 20)
    assert api(t.router, "top")["rows"]
    for x in streams + [s]:
        x.close()
    wait_for(30, lambda: d.ctl_run("metrics").stdout.count(
        "ringcast_http_connections 0\n"), "all connections are gone")


# ---- in a browser ----

def open_page(b, t, **kw):
    program = browser.find()
    if not program:
        raise Skip("there is no browser (package chromium)")
    w = b.own(browser.Browser(t.router, program, **kw))
    w.open(f"http://127.0.0.1:{PORT}/")
    wait_live(w)
    return w


def wait_live(w):
    wait_for(30, lambda: w.evaluate("document.getElementById('state')?.textContent") == "live",
             "the page is live")


def cells(w, column):
    return w.evaluate("[...document.querySelectorAll('#streams tbody td." + column + "')]"
                      ".map((e) => e.textContent)")


class Programme(Stream):
    """Null packets of MPEG-TS in RTP, so that the daemon notices what is missing."""

    def __init__(self, *args, **kw):
        self.losses = deque()
        super().__init__(*args, **kw)

    def payload(self):
        while self.losses:
            self.sent += self.losses.popleft()
        head = struct.pack("!BBHII", 0x80, 33, self.sent & 0xffff, self.sent * 450 & 0xffffffff, 7)
        return head + (b"\x47\x1f\xff\x10" + bytes(184)) * 7

    def lose(self, n):
        """The next n datagrams are lost before this router."""
        self.losses.append(n)


def check_history(b, t, d):
    """A damaged stream appears next to three others. Returns whose fault the page must name."""
    damaged = b.stream(t, DAMAGED, Programme, rate=100)
    b.receiver(t.hosts["lan1"], DAMAGED)
    d.wait_member("lan1", DAMAGED)
    wait_for(30, lambda: quality(d, DAMAGED)["kind"] == "MPEG-TS in RTP", "the stream is known")
    damaged.lose(2)
    got = []

    def known():
        got[:] = [api(t.router, "history")]
        lost = any(f["group"] == DAMAGED and f["lost"] for f in got[0]["faults"])
        return lost and max(n or 0 for n in got[0]["viewers"]) == 5
    wait_for(40, known, "the fault and five viewers")
    viewers, watched, faults = (got[0][k] for k in ("viewers", "watched", "faults"))
    # the test began at most one block ago
    assert len(viewers) == 96 and viewers.count(None) >= 94, viewers
    assert [w["group"] for w in watched].index(GROUP) == 0 and len(watched) == 4, watched
    assert (watched[0]["channel"], watched[0]["viewers"]) == ("Das Erste HD", 2), watched
    f = next(f for f in faults if f["group"] == DAMAGED)
    assert (f["group"], f["channel"], f["in"]) == (DAMAGED, "Bad Line TV", "wan"), f
    # a machine that stops for half a second makes the ring lose, which is this router's fault
    ours = bool(d.interface("wan")["ring_drops"] and f["router_seconds"])
    assert ours or f["provider_seconds"] >= 1 and not f["router_seconds"], f
    assert f["lost"] >= 1 and (ours or f["verdict"] == "provider"), f
    assert 0 <= got[0]["unix_ms"] - f["unix_ms"] < 600_000, got
    return " and ".join(["the provider"] * (f["provider_seconds"] > 0) +
                        ["this router"] * (f["router_seconds"] > 0))


def click(w, text):
    w.evaluate(f"[...document.querySelectorAll('#streams th button')]"
               f".find((e) => e.textContent === {json.dumps(text)}).click()")


def set_filter(w, text):
    w.evaluate("(() => { const e = document.getElementById('filter'); "
               f"e.value = {json.dumps(text)}; e.dispatchEvent(new Event('input')); }})()")


def row(w, group):
    """The texts of a stream's row by column; empty if there is none."""
    return w.evaluate("(() => { for (const tr of document.querySelector('#streams tbody').rows) "
                      f"if (tr.querySelector('.group').textContent === {json.dumps(group)}) return "
                      "Object.fromEntries([...tr.cells].map((c) => [c.classList[0], "
                      "c.textContent])); return {}; })()")


def text_of(w, name):
    return w.evaluate(f"document.getElementById({json.dumps(name)}).textContent")


ASKED = "performance.getEntriesByType('resource').filter((e) => e.startTime > {} && " \
    "e.name.includes('/api/v1/top')).length"


def appears(b, w, what, knows, shows):
    """Wait until the daemon knows of something, and then until the page shows it. The page asks
    every two seconds and after each change; answers that it asks for from now on must have it."""
    wait_for(30, knows, f"the daemon knows of {what}")
    began, since = time.monotonic(), w.evaluate("performance.now()")

    def shown():
        # the page asks again when it has shown an answer; one that is being made may be older
        asked = w.evaluate(ASKED.format(since))
        there = shows()
        assert there or asked < 5, f"the page has asked {asked} times since, but not shown {what}"
        return there
    wait_for(20, shown, f"the page shows {what}")
    b.note(f"{what}: on the page {(time.monotonic() - began) * 1000:.0f} ms after the daemon knew")


def quality(d, group):
    """The row of show quality, or an empty one."""
    rows = d.show("quality " + group)["quality"]
    return rows[0] if rows else {"lost": 0, "fault": None, "kind": ""}


def fault(d, group, verdict, text):
    f = quality(d, group)["fault"]
    return f and f["verdict"] == verdict and text in f["text"]


def sorts_and_filters(w):
    names = cells(w, "name")
    assert "<img src=x onerror=alert(1)><b>Bold</b>" in names, names
    assert w.evaluate("document.querySelectorAll('main b, main img').length") == 0
    click(w, "Group")
    assert cells(w, "group") == [GROUP, NEWS, EVIL]
    click(w, "Group")
    assert cells(w, "group") == [EVIL, NEWS, GROUP]
    click(w, "Viewers")
    assert cells(w, "group")[0] == GROUP and cells(w, "viewers")[0] == "2"
    set_filter(w, "news")
    assert cells(w, "group") == [NEWS]
    set_filter(w, "nothing like that")
    assert text_of(w, "no-streams") == "No stream matches the filter."
    set_filter(w, "")


def faults_appear(b, t, d, w, shows):
    """Loss, an outage and copies that do not fit. `shows` are the streams by group."""
    for group in (GROUP, NEWS, EVIL):
        wait_for(30, lambda g=group: quality(d, g)["kind"] == "MPEG-TS in RTP", f"{group} is known")
    shows[GROUP].lose(5)
    appears(b, w, "a loss of the provider", lambda: quality(d, GROUP)["lost"] >= 5,
            lambda: row(w, GROUP).get("state") == "faults of the provider")
    w.evaluate(f"location.hash = '#/stream/{NEWS}'")
    wait_for(20, lambda: text_of(w, "h-stream") == f"News 24 ({NEWS})", "the view of a stream")
    shows[NEWS].stop()
    appears(b, w, "an outage", lambda: fault(d, NEWS, "provider", "more than a second"),
            lambda: "nothing arrived for more than a second" in text_of(w, "quality"))
    w.evaluate("location.hash = '#/'")
    wait_for(20, lambda: row(w, NEWS).get("state") == "faults of the provider", "the outage in the list")
    wait_for(20, lambda: row(w, NEWS).get("rate") == "0.00", "nothing flows")
    t.router.ip("link", "set", "lan2", "mtu", "1200")
    appears(b, w, "a fault of the router", lambda: fault(d, EVIL, "router", "MTU"),
            lambda: row(w, EVIL).get("state") == "faults of this router")


def one_stream(w):
    w.evaluate(f"location.hash = '#/stream/{GROUP}'")
    wait_for(20, lambda: "10.0.1.2" in text_of(w, "viewers"), "its viewers")
    assert text_of(w, "h-stream") == f"Das Erste HD ({GROUP})"
    wait_for(20, lambda: w.evaluate(
        "document.querySelectorAll('#explain tbody tr').length") > 3, "the checks")
    wait_for(20, lambda: w.evaluate(
        "document.querySelectorAll('#quality svg rect').length") == 96, "a day of its quality")
    # by the keyboard
    w.evaluate("document.querySelector('#range [data-range=month]').focus()")
    w.key("Enter")
    wait_for(20, lambda: w.evaluate(
        "document.querySelectorAll('#quality svg rect').length") == 180, "a month of its quality")
    assert "the last 30 days in parts of 4 hours" in w.evaluate(
        "document.querySelector('#quality svg').getAttribute('aria-label')")
    assert w.evaluate("[...document.querySelectorAll('#range [aria-pressed=true]')]"
                      ".map((e) => e.textContent)") == ["30 days"]
    wait_for(20, lambda: w.evaluate("document.querySelectorAll('#zaps tbody tr').length") == 2,
             "the zaps of two hosts")
    zap = w.evaluate("[...document.querySelector('#zaps tbody').rows].map((r) => "
                     "[...r.cells].map((c) => c.textContent))")
    kitchen = "<img/src=x/onerror=alert(1)><b>kitchen</b> (10.0.2.2)"
    assert sorted(r[1:3] for r in zap) == \
        [["lan1", "living-room (10.0.1.2)"], ["lan2", kitchen]], zap
    assert w.evaluate("[...document.querySelector('#viewers tbody').rows].map((r) => "
                      "r.cells[1].textContent)") == ["living-room (10.0.1.2)", kitchen]
    assert w.evaluate("document.querySelectorAll('main b, main img').length") == 0
    # the last zap, to a stream that already arrived
    assert zap[0][1] == "lan2" and zap[0][4].endswith(" ms"), zap


def a_day(b, t, d, w):
    whose = check_history(b, t, d)
    w.evaluate("location.hash = '#/day'")
    wait_for(20, lambda: "Das Erste HD" in text_of(w, "events"), "the events")
    assert "5 at most" in w.evaluate(
        "document.querySelector('#day-viewers svg').getAttribute('aria-label')")
    assert w.evaluate("document.querySelectorAll('#day-viewers rect').length") == 96
    assert w.evaluate("[...document.querySelector('#watched tbody').rows].map((r) => "
                      "r.cells[1].textContent)")[0] == GROUP
    faults = w.evaluate("[...document.querySelector('#faults tbody').rows].map((r) => "
                        "[...r.cells].slice(1, 4).map((c) => c.textContent))")
    assert ["Bad Line TV", "wan", whose] in faults, faults


@case("in chromium: joins, zaps, faults and outages appear; sorted, filtered; names stay text")
def in_a_browser(b):
    t, d = begin(b, member=False, rest=QUICK)
    w = open_page(b, t)
    assert text_of(w, "no-streams") == "Nobody has joined a group."
    first = b.receiver(t.hosts["lan1"])
    appears(b, w, "a join", lambda: d.group("lan1", GROUP), lambda: cells(w, "group") == [GROUP])
    shows = {group: b.stream(t, group, Programme, rate=rate)
             for group, rate in ((GROUP, 150), (NEWS, 80), (EVIL, 40))}
    b.receiver(t.hosts["lan2"], GROUP)
    news = b.receiver(t.hosts["lan1"], NEWS)
    b.receiver(t.hosts["lan2"], EVIL)
    wait_for(20, lambda: sorted(cells(w, "group")) == [GROUP, NEWS, EVIL] and
             row(w, GROUP).get("viewers") == "2", "three streams")
    sorts_and_filters(w)
    wait_for(20, lambda: all(float(r or 0) > 0 for r in cells(w, "rate")), "rates")
    one_stream(w)
    w.evaluate("location.hash = '#/network'")
    wait_for(20, lambda: w.evaluate("document.querySelectorAll('#ports article').length") == 3,
             "the interfaces")
    a_day(b, t, d, w)
    w.evaluate("location.hash = '#/'")
    first.leave()
    news.leave()
    b.receiver(t.hosts["lan1"], EVIL)
    appears(b, w, "zaps", lambda: d.group("lan1", EVIL) and not d.group("lan1", GROUP) and
            not d.group("lan1", NEWS),
            lambda: row(w, EVIL).get("to") == "lan1, lan2" and row(w, GROUP).get("to") == "lan2" and
            not row(w, NEWS))
    news.join()
    appears(b, w, "a zap back", lambda: d.group("lan1", NEWS), lambda: row(w, NEWS))
    faults_appear(b, t, d, w, shows)
    w.evaluate("location.hash = '#/day'")
    for text in ("10.0.1.2: group has its first member", "group no longer has a member",
                 "damaged in this router", "raise the MTU of that LAN to that of the provider",
                 "look at the line to it"):
        wait_for(20, lambda text=text: text in text_of(w, "events"), f"{text!r} is an event")
    assert not w.faults, w.faults
    # a policy that lets everything through would find nothing: this must be stopped
    w.evaluate("document.body.append(Object.assign(document.createElement('script'), "
               "{textContent: 'window.evil = 1'}))")
    wait_for(20, lambda: w.evaluate("1") and w.faults, "the policy stops a script")
    assert w.evaluate("window.evil") is None


# streams of events that end at once: how many timers and listeners there are after three
FOLLOW = """(() => {
	const timers = new Set(), set = setInterval, clear = clearInterval, later = setTimeout;
	const source = EventSource, listen = document.addEventListener;
	let made, listeners = 0;
	window.setInterval = (f, ms) => { const id = set(f, ms); timers.add(id); return id; };
	window.clearInterval = (id) => { timers.delete(id); clear(id); };
	window.setTimeout = () => 0;
	document.addEventListener = () => { listeners++; };
	window.EventSource = function () { made = this; this.readyState = 2; };
	window.EventSource.CLOSED = 2;
	for (let i = 0; i < 3; i++) {
		follow();
		made.onerror();
	}
	const asking = timers.size;
	follow();
	made.onopen();
	Object.assign(window, {setInterval: set, clearInterval: clear, setTimeout: later,
		EventSource: source});
	document.addEventListener = listen;
	return [asking, timers.size, listeners];
})()"""
# the sum over the rows of two sources of a group, and of another group
SUM = """countViewers([{group: "232.1.1.1", origin: "10.0.0.1", members: 2},
	{group: "232.1.1.1", origin: "10.0.0.2", members: 1},
	{group: "232.1.1.1", origin: "10.0.0.1", members: 4, instance: "b"},
	{group: "232.1.1.2", origin: "10.0.0.1", members: 8}, {group: "232.1.1.3", origin: "*"}])"""


@case("in chromium: one timer without events, viewers of two sources, and answers that come late")
def in_the_background(b):
    """Each stream of events that was refused left a timer, until the page asked all the time."""
    t, _ = begin(b)
    w = open_page(b, t)
    assert w.evaluate(FOLLOW) == [1, 0, 0]
    assert w.evaluate(SUM) == 14
    w.evaluate(f"location.hash = '#/stream/{GROUP}'")
    shown = "['viewers', 'quality', 'zaps', 'explain'].map((i) => byId(i).textContent)"
    wait_for(20, lambda: all(w.evaluate(shown)) and "jitter" in text_of(w, "quality") and
             "lan1" in text_of(w, "zaps"), "the view of a stream")
    # nobody watches this one
    for what in ("Viewers", "Quality", "Zaps", "Explain"):
        w.evaluate(f"show{what}('{NEWS}')")
    got = w.evaluate(shown)
    assert "10.0.1.2" in got[0] and "Nothing has been" not in got[1] and \
        "Nobody has zapped" not in got[2], got
    assert NEWS not in got[3], got
    assert not w.faults, w.faults


# WCAG 2: contrast of each text with what is behind it
CONTRAST = """(() => {
	const rgb = (s) => (s.match(/[\\d.]+/g) || []).map(Number);
	const light = (c) => [0, 1, 2].map((i) => c[i] / 255).map((v) =>
		v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length === 3 || c[3] > 0)
				return c;
		}
		return [255, 255, 255];
	};
	const bad = [];
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
		if (!own || !e.getClientRects().length || e.closest("noscript"))
			continue;
		const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5)
			bad.push(`${e.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
	}
	return bad;
})()"""
# controls for which a screen reader has no name
UNNAMED = """[...document.querySelectorAll("a, button, input, [role=img], [role=region], nav, img")]
	.filter((e) => e.getClientRects().length && !(e.getAttribute("aria-label") ||
		e.getAttribute("aria-labelledby") || e.textContent.trim() || e.alt === "" ||
		(e.labels && e.labels.length))).map((e) => e.outerHTML)"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(w, name):
    """Check what is on the screen, and keep a picture."""
    for scheme in ("light", "dark"):
        w.scheme(scheme)
        bad = w.evaluate(CONTRAST)
        assert not bad, (name, scheme, bad)
        w.screenshot(os.path.join(SHOTS, f"{name}-{scheme}.png"))
    assert not w.evaluate(UNNAMED), w.evaluate(UNNAMED)


# name, datagrams per second, LANs with viewers
EVENING = (("News 24 HD", 130, "lan1 lan2"), ("Film Classics", 90, "lan1"),
           ("Sport 1 HD", 170, "lan1 lan2 lan3"), ("Children", 60, "lan3"),
           ("Documentary HD", 150, "lan2"), ("Regional North", 70, "lan1 lan3"),
           ("Music", 40, "lan2"))
FIRST = "239.35.10.1"
# view -> what is filled last
VIEWS = {"": "#streams", "network": "#drops", "day": "#events", "stream/" + FIRST: "#explain"}


def visit(w, view):
    """Wait until a view is there, with its tables; returns its name."""
    w.evaluate(f"location.hash = '#/{view}'")
    name, last = (view or "streams").split("/")[0], VIEWS[view]
    wait_for(20, lambda: w.evaluate(
        f"!document.getElementById('view-{name}').hidden && "
        f"document.querySelector('{last} td, {last} p')?.textContent.length > 0"), view)
    return name


def evening(b, t, w, samples):
    for i, (_, rate, lans) in enumerate(EVENING, 1):
        b.stream(t, f"239.35.10.{i}", rate=rate, size=1344)
        for lan in lans.split():
            b.receiver(t.hosts[lan], f"239.35.10.{i}")
    wait_for(120, lambda: len(cells(w, "group")) == len(EVENING) and w.evaluate(
        "Math.min(...[...page.rates.values()].map((l) => l.filter((r) => r > 0).length))") >=
        samples, f"{samples} samples of each stream")


def tab_order(w):
    """Every control can be reached with the Tab key, from the top."""
    w.open(f"http://127.0.0.1:{PORT}/")
    wait_live(w)
    wait_for(20, lambda: len(cells(w, "group")) == len(EVENING), "the streams")
    click(w, "Group")    # rates would change the order
    names, order = cells(w, "name"), []
    for _ in range(18):
        w.key("Tab")
        order.append(w.evaluate("(() => { const e = document.activeElement; return e.id || "
                                "e.className || e.textContent; })()"))
    assert order[:14] == ["skip", "nav-streams", "nav-network", "nav-day", "filter", "scroll",
                          "State", "Channel", "Group", "Source", "From", "To", "Viewers",
                          "Mbit/s"], order
    assert order[14:17] == names[:3] == [n for n, _, _ in EVENING[:3]], order


@case("in chromium: the picture of README.md, labels, contrast, focus order, a phone, no scripts")
def accessible(b):
    """With RINGCAST_SCREENSHOTS=DIR the plots are longer, and doc/page.png is a copy of
    DIR/evening-light.png."""
    t, _ = begin(b, member=False, rest=PLAIN + "phyint lan3 downstream\n", lans=3, names="".join(
        f"239.35.10.{i},{name}\n" for i, (name, _, _) in enumerate(EVENING, 1)))
    w = open_page(b, t, width=1200, height=480)
    evening(b, t, w, 20 if "RINGCAST_SCREENSHOTS" in os.environ else 2)
    look(w, "evening")
    size = os.path.getsize(os.path.join(SHOTS, "evening-light.png"))
    assert size < 200_000, size
    w.size(1280, 800)
    for view in VIEWS:
        look(w, visit(w, view))
        assert w.evaluate("document.querySelectorAll('main section:not([hidden]) h2').length") == 1
    tab_order(w)
    assert w.evaluate("document.documentElement.lang") == "en"
    w.size(390, 844, 2, True)
    for view in VIEWS:
        name = visit(w, view)
        assert w.evaluate(WIDE) <= 0, f"{view} is wider than a phone"
        look(w, "phone-" + name)
    assert not w.faults, w.faults
    w.scripts(False)
    w.size(1280, 800)
    w.open(f"http://127.0.0.1:{PORT}/")
    wait_for(30, lambda: "News 24 HD" in str(w.call("DOM.getDocument", depth=-1)),
             "the plain table")
    w.screenshot(os.path.join(SHOTS, "plain.png"))


# timers as shipped, so that members who answer no query stay; a leave is quick
SLOW = "quickleave\nfast-leave\nlast-member-query-interval 0.2\n" + WAN + LANS


def join_many(b, t, d, n):
    """Groups 239.40.x.y with a member on lan2."""
    w = b.own(Wire(t.hosts["lan2"], "eth0"))
    groups = [f"239.40.{i >> 8}.{i & 255}" for i in range(n)]
    for i in range(0, n, 100):
        w.send(ipv4("10.0.2.2", "224.0.0.22", 2,
                    igmp3_report(*[(4, g, []) for g in groups[i:i + 100]])))
    wait_for(30, lambda: d.interface("lan2")["groups"] >= n, f"{n} groups")


def cpu_ms(d):
    """Processor time of the control thread so far."""
    with open(f"/proc/{d.process.pid}/task/{d.process.pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e6


# frames that the browser draws in two seconds while the list scrolls
SCROLL = """new Promise((done) => {
	const began = performance.now();
	let frames = 0;
	const step = (now) => {
		frames++;
		scrollTo(0, (now - began) * 2 % document.documentElement.scrollHeight);
		if (now - began < 2000)
			requestAnimationFrame(step);
		else
			done(frames / (now - began) * 1000);
	};
	requestAnimationFrame(step);
})"""


@case("in chromium: 500 streams are all there, sorted and filtered")
def five_hundred(b):
    t, d = begin(b, rest=SLOW)
    join_many(b, t, d, 499)
    w = open_page(b, t)
    wait_for(60, lambda: len(cells(w, "group")) == 500, "500 rows")
    b.note(f"{w.evaluate(SCROLL):.0f} frames per second while 500 streams scroll, drawn by the "
           "processor")
    samples = "Math.max(...[...page.rates.values()].map((l) => l.length))"
    first, before, began = w.evaluate(samples), cpu_ms(d), time.monotonic()
    wait_for(60, lambda: w.evaluate(samples) >= first + 2, "four seconds of samples")
    took = (time.monotonic() - began) * 1000
    b.note(f"the control thread takes {(cpu_ms(d) - before) / took * 100:.1f} % of a processor "
           "with the page open")
    click(w, "Group")
    assert cells(w, "group")[:2] == [GROUP, "239.40.0.0"], cells(w, "group")
    set_filter(w, "239.40.1.")
    assert len(cells(w, "group")) == 499 - 256
    assert not w.faults, w.faults


def burst(t, d, path, n=100):
    """Processor time of the control thread, in ms, for n clients that ask at the same time."""
    clients = [t.router.socket(socket.AF_INET) for _ in range(n)]
    d.process.send_signal(signal.SIGSTOP)
    try:
        for x in clients:
            x.settimeout(20)
            x.connect(("127.0.0.1", PORT))
            x.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        before = cpu_ms(d)
    finally:
        d.process.send_signal(signal.SIGCONT)
    for x in clients:
        with x.makefile("rb") as f:
            assert b" 200 " in f.readline(), path
            assert f.read()
        x.close()
    return cpu_ms(d) - before


@case("web-listen: a hundred clients that ask for the events get what was written once")
def events_are_written_once(b):
    """Each client got its own answer, which took a hundred times as long."""
    t, d = begin(b, member=False, rest=SLOW)
    join_many(b, t, d, 300)
    answer = api(t.router, "day")
    assert len(answer["events"]) == 256 and answer["forgotten"] > 0, answer["forgotten"]
    files, days = burst(t, d, "/page.js"), burst(t, d, "/api/v1/day")
    b.note(f"100 answers take {files:.1f} ms with a file, and {days:.1f} ms with 256 events")
    assert days < 4 * files, (days, files)


@case("web-listen: a hundred open pages, and joins meanwhile")
def hundred_pages(b):
    t, d = begin(b, rest=SLOW)
    join_many(b, t, d, 300)
    b.stream(t, NEWS, rate=1000)
    r = b.receiver(t.hosts["lan1"], NEWS, join=False)
    ended, answers = threading.Event(), []

    def page():
        with event_stream(t.router) as s:
            while not ended.is_set():
                read_until(s, b"data: ")
                # all have one address, of which 120 connections are served
                with contextlib.suppress(http.client.HTTPException, ConnectionError):
                    if not ended.is_set():
                        answers.append(request(t.router, "/api/v1/top?limit=500")[0])

    def delays(n=15):
        out = []
        for _ in range(n):
            out.append(first_after(r, r.join))
            r.leave()
            wait_for(10, lambda: d.group("lan1", NEWS) is None, "left")
            r.receive()
        return sorted(out)
    alone = delays()
    threads = [threading.Thread(target=page) for _ in range(100)]
    for x in threads:
        x.start()
    try:
        wait_for(30, lambda: len(answers) > 200, "the pages ask")
        before, began = cpu_ms(d), time.monotonic()
        together = delays()
        took = (time.monotonic() - began) * 1000
        used = cpu_ms(d) - before
    finally:
        ended.set()
        for x in threads:
            x.join()
    assert set(answers) <= {200, 503} and answers.count(200) > len(answers) / 2
    assert d.interface("lan2")["groups"] == 300
    b.note(f"join, median (worst) of 15: {alone[7]:.1f} ({alone[-1]:.1f}) ms, with 100 pages "
           f"{together[7]:.1f} ({together[-1]:.1f}) ms; {used / took * 100:.0f} % of the control "
           f"thread for {len(answers)} answers of 302 streams")


if __name__ == "__main__":
    main()
