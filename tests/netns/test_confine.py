#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon in its confinement (seccomp, Landlock): everything it does after the start it may
still do, and no more. Other files of tests run with the same filter; here it is seen to be on."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request

from libnetns import (GROUP, PLAIN, QUICK, Daemon, Skip, assert_continuous, case, main,
                      ringcast, wait_datagrams, wait_for)
from manager import ManagedDaemon
import oldkernel  # libnetns knows where it is

METRICS = "metrics-listen 127.0.0.1:9337\n"
FILTERED, CONFINED = "system calls are filtered (seccomp)", "files are confined (landlock"


def status(pid, key):
    """The values of a line of /proc/PID/status, of all threads."""
    values = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
            values |= {line.split()[1] for line in f if line.startswith(key + ":")}
    return values


def need(d, what):
    """Skip where the build or the kernel does not have it, and the log says so."""
    log = d.log()
    if what in log:
        return
    word = what.split("(")[1].rstrip(")")
    why = [line for line in log.splitlines() if f"{word}: " in line and "are not" in line]
    assert why, f"neither {what!r} nor why not: {log}"
    raise Skip(why[0])


def is_confined(b, d, pid=None):
    """By whatever there is; what is missing is noted."""
    for what in (FILTERED, CONFINED):
        try:
            need(d, what)
        except Skip as e:
            b.note(str(e))
    if FILTERED in d.log():
        filters = status(pid or d.process.pid, "Seccomp")
        assert filters == {"2"}, f"a thread without the filter: {filters}"


def alive(d):
    assert d.process.poll() is None, f"ended with {d.process.returncode}"


def ctl(d, *args):
    r = d.ctl_run(*args)
    assert r.returncode == 0, f"{args}: {r.returncode}: {r.stdout}{r.stderr}"
    return r.stdout


def scrape(ns, port=9337):
    with ns.inside(), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics",
                                             timeout=20) as reply:
        return reply.read().decode()


def flows(receiver):
    receiver.receive()
    assert_continuous(wait_datagrams(receiver, 100), at_least=100)


def everything(b, config):
    t = b.topology()
    d = b.run(t, config)
    is_confined(b, d)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    flows(r)

    # what is asked
    for what in ("interfaces", "groups", "mfc", "upstream", "stats", "config"):
        ctl(d, "show", what)
    assert GROUP in ctl(d, "explain", GROUP)
    assert "ringcast_build_info" in scrape(t.router)
    ctl(d, "metrics")
    assert ctl(d, "log", "info") == "info\n"
    ctl(d, "log", "default")
    path = os.path.join(d.dir, "x.pcapng")
    ctl(d, "capture", "-d", "-c", "3", "-w", path)
    assert os.path.getsize(path) > 100
    d.process.send_signal(signal.SIGUSR1)
    d.wait_log("transmit by")

    # another daemon, which is found by /proc and by its socket
    other = b.own(Daemon(t.router, PLAIN))
    wait_for(10, lambda: d.show("interfaces")["rivals"], "the other daemon is seen")
    assert other.stop() == 0

    # what changes
    t.router.ip("link", "del", "lan2")
    wait_for(10, lambda: not d.interface("lan2")["present"], "the loss is seen")
    t.add_lan(2)
    r2 = b.receiver(t.hosts["lan2"])
    flows(r2)
    d.write(config.replace("9337", "9338").replace("threshold 1", "threshold 2")
            + "log-to syslog\n")
    assert "reloaded" in ctl(d, "reload")
    assert "ringcast_build_info" in scrape(t.router, port=9338)
    d.write(config)
    d.hup()

    def back():
        with contextlib.suppress(OSError):
            return "ringcast_build_info" in scrape(t.router)
    wait_for(10, back, "the listener is back")
    alive(d)
    flows(r)
    return d


@case("forwards, answers, captures, reloads, follows interfaces, and ends well")
def whole(b):
    everything(b, METRICS + "threads 2\n" + QUICK)


@case("the same as another user with sendmmsg and frames at once, where io_uring is forbidden")
def as_user(b):
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if sum(int(line.split()[2]) for line in f) < 65535:
            raise Skip("only one user id in this user namespace")
    d = everything(b, METRICS + "user nobody\ntransmit sendmmsg\nlatency low\n" + QUICK)
    assert status(d.process.pid, "Uid") == {"65534"}


@case("an upgrade is made from outside, and the next process is also confined")
def upgrade(b):
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, PLAIN))
    d.start()
    is_confined(b, d)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    flows(r)
    for _ in range(2):
        ctl(d, "upgrade")
        is_confined(b, d)
        flows(r)
    assert d.started == 3 and d.stop() == 0
    assert not os.path.exists(d.socket), "the file of the socket is gone"


@case("in the background, in a chroot, under the name of igmpproxy")
def background(b):
    t = b.topology()
    d = b.own(Daemon(t.router, "", start=False))
    d.write(f"chroot {d.dir}\n" + PLAIN)
    link = os.path.join(d.dir, "igmpproxy")
    os.symlink(ringcast.binary("ringcastd"), link)
    r = t.router.run(link, "-vv", "-s", d.socket, d.conf)
    assert r.returncode == 0, r
    pid = json.loads(ctl(d, "--json", "version"))["pid"]
    receiver = b.receiver(t.hosts["lan1"])
    b.stream(t)
    wait_datagrams(receiver, 20)
    d.write("rescanvif\n" + f"chroot {d.dir}\n" + PLAIN)
    assert "reloaded" in ctl(d, "reload")
    wait_datagrams(receiver, 20)
    os.kill(pid, signal.SIGTERM)

    def gone():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return not os.path.exists(f"/proc/{pid}")
    wait_for(20, gone, "it ends")


def moved(b, t, config):
    """The configuration file becomes a link to one in another directory."""
    d = b.run(t, config)
    outside = os.path.join("/run", "elsewhere.conf")
    shutil.copy(d.conf, outside)
    os.unlink(d.conf)
    os.symlink(outside, d.conf)
    return d


@case("where the kernel lets it have neither, the daemon says so and forwards")
def neither(b):
    t = b.topology()
    d = b.run(t, preexec=lambda: oldkernel.refuse("confinement forbidden"))
    for word, what in (("seccomp", "filtered"), ("landlock", "confined")):
        assert any(line.startswith(f"info: {word}: ") and f"are not {what}" in line
                   for line in d.log().splitlines()), d.log()
    b.stream(t)
    flows(b.receiver(t.hosts["lan1"]))


@case("a configuration file that moves out of its directory is refused, and why is said")
def file_outside(b):
    d = moved(b, b.topology(), PLAIN)
    need(d, CONFINED)
    r = d.ctl_run("reload")
    assert r.returncode == 4, r
    for text in (r.stdout, d.log()):
        assert "Permission denied" in text and "landlock" in text, text
    # back again, as another file
    os.unlink(d.conf)
    d.write(PLAIN)
    assert "reloaded" in ctl(d, "reload")


@case("seccomp off, landlock off: no filter, files anywhere; a reload does not change it")
def switched_off(b):
    t = b.topology()
    for config in ("seccomp off\n", "landlock off\n"):
        d = moved(b, t, config + PLAIN)
        log = d.log()
        if "seccomp" in config:
            assert "filtered" not in log, log
            assert status(d.process.pid, "Seccomp") == status("self", "Seccomp")
            os.unlink(d.conf)
        else:
            assert "confined" not in log, log
            assert "reloaded" in ctl(d, "reload")
        d.write(PLAIN)
        assert "reloaded" in ctl(d, "reload")
        assert f"{config.split()[0]} cannot change while running" in d.log(), d.log()
        assert d.stop() == 0


@case("a link that leads elsewhere at the start is followed on reload")
def link_at_start(b):
    t = b.topology()
    d = b.daemon = b.own(Daemon(t.router, "", start=False))
    os.mkdir("/run/real")
    os.unlink(d.conf)
    os.symlink("/run/real/new.conf", d.conf)
    d.write(PLAIN)
    d.start()
    with open("/run/real/next.conf", "w", encoding="utf-8") as f:
        f.write("rescanvif\n" + PLAIN)
    os.rename("/run/real/next.conf", "/run/real/new.conf")
    assert "reloaded" in ctl(d, "reload")
    assert "rescanvif\n" in ctl(d, "show", "config")


@case("lines go to the journal")
def to_journal(b):
    os.makedirs("/run/systemd/journal", exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.settimeout(20)
        journal.bind("/run/systemd/journal/socket")
        t = b.topology()
        d = b.daemon = b.own(Daemon(t.router, "log-to journal\n" + PLAIN, start=False))
        with open(d.logfile, "w", encoding="utf-8") as log:
            d.process = t.router.popen(ringcast.binary("ringcastd"), "-n", "-v", "-s", d.socket,
                                       d.conf, stdout=log, stderr=log)
        wait_for(20, d._answers, "it answers")
        ctl(d, "reload")

        def reloaded():
            return b"reloaded" in journal.recv(65536)
        try:
            wait_for(20, reloaded, "a line about the reload")
        except TimeoutError:
            if "journal" in d.log():
                raise Skip("built without libsystemd") from None
            raise
    os.unlink("/run/systemd/journal/socket")


@case("a call that is forbidden ends the daemon, and its manager sees SIGSYS")
def forbidden(b):
    t = b.topology()
    module = os.path.join(os.environ["RINGCAST_BUILD"], "tests", "netns", "forbidden_call.so")
    for config, ends in (("", True), ("seccomp off\n", False)):
        d = b.daemon = b.own(Daemon(t.router, config + PLAIN,
                                    wrap=("env", "LD_PRELOAD=" + module,
                                          "ASAN_OPTIONS=verify_asan_link_order=0")))
        if ends:
            need(d, FILTERED)
        d.process.send_signal(signal.SIGUSR2)
        d.wait_log("taken over")
        if ends:
            assert d.process.wait(20) == -signal.SIGSYS, d.process.returncode
        else:
            d.wait_log("and it lives")


if __name__ == "__main__":
    main()
