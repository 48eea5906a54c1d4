#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole lives of the daemon under valgrind: it uses no memory that is freed or was never set, and
leaves neither memory nor descriptors at the end. valgrind also sees the memory that data-plane
threads share with the kernel."""

import os
import re
import shutil
import signal
import socket
import subprocess

from libnetns import (FAST, GROUP, LANS, PLAIN, WAN, Skip, case, main, ringcast,
                      wait_datagrams, wait_for, wait_record)
from manager import ManagedDaemon
from packets import Wire, query

HERE = os.path.dirname(os.path.abspath(__file__))
GROUP6 = "ff0e::1:2:3"
PORT = 9337
LISTEN = f"metrics-listen :{PORT}\n"
ERROR = 99
# valgrind is many times slower, and the machine may be busy
START_S = 60
# all requests that are answered at once
REQUESTS = [("show", what) for what in ("interfaces", "groups", "mfc", "upstream", "stats",
                                        "config")] + [
    ("quality",), ("--json", "quality", GROUP), ("show", "zaps"),
    ("show", "groups", "detail"), ("show", "groups", "detail", GROUP),
    ("show", "groups", "detail", GROUP, "lan1"), ("show", "groups", "detail", GROUP6),
    ("explain", GROUP), ("explain", GROUP, "10.0.0.1"), ("explain", GROUP6),
    ("explain", GROUP, "10.9.9.9", "--from", "lan2"), ("metrics",),
    ("metrics", "--openmetrics"), ("watch", "--once"), ("log",), ("log", "debug"),
    ("version",)]


def valgrind():
    """Returns the command that runs a daemon, and the directory with a log of each process."""
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed (package valgrind)")
    with open(ringcast.binary("ringcastd"), "rb") as f:
        if re.search(rb"__[at]san_init", f.read()):
            raise Skip("a sanitizer is built in, which valgrind cannot run")
    logs = "/run/valgrind"
    shutil.rmtree(logs, ignore_errors=True)
    os.mkdir(logs)
    return ["valgrind", f"--error-exitcode={ERROR}", "--leak-check=full", "--track-fds=yes",
            "--errors-for-leak-kinds=definite,possible", "--show-leak-kinds=definite,possible",
            f"--suppressions={HERE}/valgrind.supp", "--num-callers=30",
            f"--log-file={logs}/%p"], logs


def said(logs):
    """Returns the text of each process."""
    texts = []
    for name in os.listdir(logs):
        with open(f"{logs}/{name}", encoding="utf-8") as f:
            texts.append(f.read())
    return texts


def counts_descriptors(log):
    """Returns whether valgrind counts each open descriptor, even an inherited one, as an error, as
    in Debian 13."""
    version = re.search(r"Using Valgrind-(\d+)\.(\d+)", log)
    return (int(version[1]), int(version[2])) >= (3, 24)


def complaints(log):
    """Returns what valgrind reports against one process."""
    found = []
    opened = re.findall(r"Open (.*)\n==\d+==\s+(.*)", log)
    counted = len(opened) if counts_descriptors(log) else 0
    errors = re.search(r"ERROR SUMMARY: (\d+) errors", log)
    if not errors or int(errors[1]) != counted:
        found.append(errors[0] if errors else "no summary")
    # valgrind.supp allows one thread to stay alive
    left = re.search(r"suppressed: .* bytes in (\d+) blocks", log)
    if left and int(left[1]) > 1:
        found.append(left[0])
    # valgrind lists each open descriptor, followed by where it was opened or that it was inherited
    for name, how in opened:
        if "inherited from parent" not in how:
            found.append(f"left open: {name}")
    return found


def assert_clean(b, logs, n_processes):
    texts = said(logs)
    assert len(texts) == n_processes, texts
    for log in texts:
        found = complaints(log)
        assert not found, "; ".join(found) + "\n" + log
        for pattern in ("in use at exit.*", "total heap usage.*", "FILE DESCRIPTORS.*"):
            b.note(re.search(pattern, log)[0])


def ask_everything(d):
    for request in REQUESTS:
        fine = (0, 1, 2) if request[0] == "explain" else (0,)   # the verdicts of explain
        r = d.ctl_run(*request)
        assert r.returncode in fine, (request, r)
        if request[0] in ("show", "explain"):
            assert d.ctl_run("--json", *request).returncode in fine, request
    for request in (("show", "nonsense"), ("explain", "nobody"), ("log", "loudly")):
        assert d.ctl_run(*request).returncode != 0, request


def capture(d):
    path = os.path.join(d.dir, "capture.pcapng")
    with subprocess.Popen([ringcast.binary("ringcastctl"), "-s", d.socket, "capture", "-w", path,
                           "-d", "udp or igmp"], stderr=subprocess.PIPE) as p:
        try:
            wait_for(START_S, lambda: os.path.exists(path) and os.path.getsize(path) > 4000,
                     "packets in the capture")
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=START_S)
        finally:
            p.kill()
    assert p.returncode == 0, err


def scrape(ns):
    with ns.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(START_S)
        s.connect(("127.0.0.1", PORT))
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with s.makefile("rb") as f:
            reply = f.read()
    assert b" 200 " in reply.splitlines()[0] and b"ringcast_" in reply, reply[:200]


def hosts_change(b, t, d, r3, r2, r6):
    """Hosts of each version leave and join; the members afterwards are the same."""
    for r, lan in ((r3, "lan1"), (r2, "lan2"), (r6, "lan1")):
        r.leave()
        d.wait_no_member(lan, r.group, seconds=START_S)
        r.join()
        d.wait_member(lan, r.group, seconds=START_S)
    ssm = b.receiver(t.hosts["lan1"], "232.1.2.3", source=t.SOURCE)
    d.wait_member("lan1", ssm.group, seconds=START_S)
    ssm.leave(t.SOURCE)
    r3.block(t.SOURCE2)
    wait_for(START_S, lambda: "10.0.0.11" in d.table("groups detail"), "a source is refused")


def answers_queries(b, t):
    """The provider sends queries in two versions, and each is answered."""
    wire, tap = b.own(Wire(t.provider, "p0")), b.tap(t.provider, "p0")
    for version in (3, 2):
        wire.send(query("10.0.0.1", version))
        wait_record(tap, lambda m: getattr(m, "group", "") == GROUP, "an answer",
                    seconds=START_S)


def links_come_and_go(t, d, streams):
    for name in ("lan1", "wan"):
        t.router.ip("link", "set", "dev", name, "down")
        wait_for(START_S, lambda n=name: not d.interface(n)["up"], f"{name} is down")
        t.router.ip("link", "set", "dev", name, "up")
        wait_for(START_S, lambda n=name: d.interface(n)["up"], f"{name} is up")
    t.router.ip("link", "del", "lan2")
    wait_for(START_S, lambda: not d.interface("lan2")["present"], "lan2 is gone")
    t.add_lan(2)
    wait_for(START_S, lambda: d.interface("lan2")["present"], "lan2 is back")
    for stream in streams:
        stream.stop()
    t.provider.ip("link", "del", "p0")
    wait_for(START_S, lambda: not d.interface("wan")["present"], "wan is gone")
    t.add_upstream()
    wait_for(START_S, lambda: d.interface("wan")["present"], "wan is back")


def reloads(d, config):
    """Reload a file that is refused, one that changes much, and the original."""
    d.write(config + "phyint lan1 sideways\n")
    assert d.ctl_run("reload").returncode != 0
    d.write(LISTEN + "latency low\nquickleave\n" + FAST + WAN + "phyint lan1 downstream\n"
            f"\twhitelist {GROUP}/32\n\tmax-groups 7\n")
    assert d.ctl_run("reload").returncode == 0
    assert not d.interface("lan2")
    d.write(config)
    d.hup()
    wait_for(START_S, lambda: d.interface("lan2"), "lan2 is a downstream again")


@case("a whole life under valgrind: no error, no leak, no descriptor left open")
def life(b):
    config = LISTEN + FAST + WAN + LANS
    wrap, logs = valgrind()
    t = b.topology(ipv6=True)
    t.hosts["lan2"].sysctl("net.ipv4.conf.eth0.force_igmp_version", 2)
    d = b.run(t, config, wrap=wrap, seconds=START_S)
    b.note("transmit: " + d.interface("wan")["transmit"])
    r3, r2 = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    r6 = b.receiver(t.hosts["lan1"], GROUP6)
    streams = [b.stream(t, group) for group in (GROUP, GROUP6)]
    for r in (r3, r2, r6):
        wait_datagrams(r, 50, START_S)
    ask_everything(d)
    scrape(t.router)
    capture(d)
    answers_queries(b, t)
    hosts_change(b, t, d, r3, r2, r6)
    links_come_and_go(t, d, streams)
    r2 = b.receiver(t.hosts["lan2"])
    reloads(d, config)
    for group in (GROUP, GROUP6):
        b.stream(t, group)
    for r in (r3, r2, r6):
        r.receive()
        wait_datagrams(r, 50, START_S)
    d.process.send_signal(signal.SIGUSR1)
    ask_everything(d)
    status = d.stop(seconds=START_S)
    assert_clean(b, logs, 1)
    assert status == 0, status


@case("an upgrade under valgrind, two threads: neither process leaks anything")
def upgraded(b):
    wrap, logs = valgrind()
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, "threads 2\ntransmit sendmmsg\n" + PLAIN,
                                       wrap=wrap))
    d.start(START_S)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    wait_datagrams(r, 50, START_S)
    done = d.ctl_run("upgrade")
    assert done.returncode == 0, f"{done}; {said(logs)}"
    r.receive()
    wait_datagrams(r, 50, START_S)
    status = d.stop(seconds=START_S)
    assert_clean(b, logs, 2)
    # assert_clean has checked that every descriptor counted as an error was inherited
    assert status == 0 or (status == ERROR and counts_descriptors(said(logs)[0])), status


if __name__ == "__main__":
    main()
