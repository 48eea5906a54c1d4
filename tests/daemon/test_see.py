#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The operator's view: the display on terminals, rates, the balance of the counters,
and why a stream does not arrive."""

import os
import shutil
import socket
import subprocess

from libnetns import (GROUP, PLAIN, Sender, Skip, case, main, number, ringcast,
                      wait_datagrams, wait_for)
from packets import Wire, igmp3_report, ipv4

# with RINGCAST_SHOW set, the test prints what the terminal shows
SHOW = os.environ.get("RINGCAST_SHOW")

# constants that the socket module lacks
IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2


class Terminal:
    """A terminal of a given size with a shell in it, emulated by tmux."""

    def __init__(self, cols, rows):
        if not shutil.which("tmux"):
            raise Skip("tmux is not installed (package tmux)")
        self.socket = f"/run/tmux-{cols}x{rows}"
        env = {**os.environ, "TERM": "xterm-256color", "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}
        env.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d",
                        "-x", str(cols), "-y", str(rows), "env PS1='$ ' sh"],
                       check=True, env=env)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True,
                              capture_output=True, text=True).stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.keys("Enter")

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, condition, what, seconds=15):
        """Wait until condition(screen) is true; returns the screen."""
        last = ""

        def seen():
            nonlocal last
            last = self.screen()
            return condition(last)
        try:
            wait_for(seconds, seen, what)
        except AssertionError as e:
            raise AssertionError(f"{e}; the terminal shows:\n{last}") from None
        return last

    def resize(self, cols, rows):
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False,
                       capture_output=True)


def join_many(b, t, n):
    """One host joins hundreds of groups, which is more than a socket can."""
    w = b.own(Wire(t.hosts["lan1"], "eth0"))
    groups = [socket.inet_ntoa((0xef020000 + i).to_bytes(4, "big")) for i in range(1, n + 1)]
    for first in range(0, n, 100):
        w.send(ipv4("10.0.1.2", "224.0.0.22", 2,
                    igmp3_report(*((4, g, ()) for g in groups[first:first + 100]))))
    return groups


def start_watch(b, d, cols, rows, *options):
    term = b.own(Terminal(cols, rows))
    term.wait(lambda s: "$" in s, "a shell")
    term.type(" ".join([ringcast.binary("ringcastctl"), "-s", d.socket, "watch", "-i", "0.5",
                        *options]))
    return term


def rows_of(screen):
    """Returns the lines of the table of groups, or nothing while it is not shown."""
    lines = screen.splitlines()
    head = next((i for i, line in enumerate(lines) if line.startswith("Group")), len(lines))
    return [line for line in lines[head + 1:] if line[:1].isdigit() and "q quit" not in line]


def note_screen(b, what, screen):
    if SHOW:
        b.note(what)
        for line in screen.splitlines():
            b.note("|" + line)


def watch_sizes(b, t, d):
    """80x24 and 200x50, with 3 and with 500 groups; returns the smaller terminal."""
    groups = ["239.1.2.3", "239.1.2.4", "239.1.2.5"]
    for n, g in enumerate(groups):
        b.stream(t, g, rate=20 * (n + 1), size=1316)
        b.receiver(t.hosts["lan1"], g)
    b.receiver(t.hosts["lan2"], groups[2])
    small, large = start_watch(b, d, 80, 24), start_watch(b, d, 200, 50)

    def ready(screen):
        # the fastest comes first, and rates are shown
        return "Group" in screen and len(rows_of(screen)) == 3 and \
            rows_of(screen)[0].startswith(groups[2]) and "lan1,lan2" in screen
    for term, cols, rows in ((small, 80, 24), (large, 200, 50)):
        screen = term.wait(ready, "three groups")
        assert "up, querier" in screen and "q quit" in screen.splitlines()[rows - 1], screen
        assert max(map(len, screen.splitlines())) <= cols
        note_screen(b, f"3 groups, {cols}x{rows}", screen)
    many = join_many(b, t, 497)
    for term, cols, rows in ((small, 80, 24), (large, 200, 50)):
        screen = term.wait(lambda s: "of 500 by" in s, "500 groups")
        shown = len(rows_of(screen))
        assert shown == rows - 8, f"{shown} groups on {rows} lines:\n{screen}"
        note_screen(b, f"500 groups, {cols}x{rows}", screen)
    # order, scrolling, filter, interfaces, help
    small.keys("5")
    small.wait(lambda s: rows_of(s) and rows_of(s)[0].startswith(groups[0]), "sorted by group")
    small.keys("End")
    small.wait(lambda s: "485-500 of 500" in s and many[-1] in s, "the end of the list")
    small.keys("r")
    small.wait(lambda s: rows_of(s) and rows_of(s)[0].startswith(many[-1]), "reversed")
    small.keys("/")
    small.tmux("send-keys", "-l", "239.1.2.")
    small.keys("Enter")
    small.wait(lambda s: "1-3 of 3" in s and len(rows_of(s)) == 3, "the filter")
    small.keys("Escape")
    small.wait(lambda s: "of 500 by" in s, "no filter")
    small.keys("i")
    small.wait(lambda s: "Group " not in s and "lan2" in s, "interfaces alone")
    small.keys("h")
    small.wait(lambda s: "reverse the order" in s, "help")
    small.keys("h")
    small.wait(lambda s: "of 500 by" in s, "the groups again")
    # End and Home as PuTTY sends them, and keys that mean nothing to us (N32)
    before = small.wait(lambda s: rows_of(s), "rows")
    small.tmux("send-keys", "-H", *"1b 5b 34 7e".split())
    small.wait(lambda s: rows_of(s) and rows_of(s) != rows_of(before), "the end")
    small.tmux("send-keys", "-H", *"1b 5b 31 7e".split())
    small.wait(lambda s: rows_of(s) == rows_of(before), "the beginning")
    small.tmux("send-keys", "-H", *"1b 5b 31 3b 35 71 1b 4f 34 1b 71".split())
    small.keys("h")
    small.wait(lambda s: "reverse the order" in s, "help, so that nothing has ended it")
    small.keys("h")
    small.wait(lambda s: rows_of(s) == rows_of(before), "the same order as before")
    small.resize(100, 30)
    small.wait(lambda s: len(rows_of(s)) == 22, "a larger terminal")
    return small


def watch_restart(term, d):
    """Check that it outlives the daemon and restores the terminal."""
    d.stop()
    term.wait(lambda s: "daemon not reachable, retrying" in s and "lan1" in s,
              "trouble, above what was known last")
    d.start()
    term.wait(lambda s: "retrying" not in s and "lan1" in s, "the new daemon")
    term.keys("q")
    term.wait(lambda s: s.rstrip().endswith("$"), "the shell again")
    term.type("stty -a | tr ' ' '\\n' | grep -x -e -echo -e -icanon; echo end$?")
    term.wait(lambda s: "end1" in s, "a terminal that echoes lines")
    # the same after a signal
    term.type("clear; " + " ".join([ringcast.binary("ringcastctl"), "-s", d.socket, "watch"])
              + " & sleep 0; fg; stty -a | tr ' ' '\\n' | grep -x -e -echo -e -icanon; echo e$?")
    term.wait(lambda s: "up, querier" in s, "the view")
    term.keys("C-c")
    term.wait(lambda s: "e1" in s, "a terminal that echoes lines after Ctrl-C")


def watch_plain(d):
    """Check that output without a terminal is pages of text, and with --once a single one with
    rates."""
    d.wait_member("lan1", GROUP)
    r = d.ctl_run("watch", "--once")
    row = next(line.split() for line in r.stdout.splitlines() if line.startswith(GROUP))
    assert r.returncode == 0 and row[2:5] == ["wan", "lan1", "1"] and row[5] != "-", r.stdout
    p = subprocess.Popen([ringcast.binary("ringcastctl"), "-s", d.socket, "watch", "-i", "0.5"],
                         stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)
    pages = 0
    while pages < 3:
        line = p.stdout.readline()
        assert line, p.stderr.read()
        pages += line.startswith("ringcast ")
        assert "\033" not in line
    p.terminate()
    assert p.wait(10) == 0
    p.stdout.close()
    p.stderr.close()
    d.stop()
    assert d.ctl_run("watch", "--once").returncode == 1
    assert d.ctl_run("watch", "--interval", "0").returncode == 1


@case("watch: terminal sizes, keys, a daemon that restarts, text without a terminal")
def watch(b):
    t = b.topology()
    d = b.run(t)
    term = watch_sizes(b, t, d)
    watch_restart(term, d)
    watch_plain(d)


def filters(d):
    """Check that a filter shows only the chosen groups, addresses or interfaces (N29)."""
    for words, wanted, unwanted in (
            (["mfc", GROUP, "lan1"], GROUP, "lan9"), (["mfc", "239.9.0.0/16"], "Origin", GROUP),
            (["mfc", "10.0.0.1"], GROUP, "lan9"), (["mfc", "10.0.0.99"], "Origin", GROUP),
            (["mfc", "wan"], GROUP, "lan9"), (["mfc", "lan2"], "Origin", GROUP),
            (["interfaces", "lan2"], "lan2", "lan1"), (["groups", "10.0.1.2"], GROUP, "lan9"),
            (["groups", "lan2"], "Reporter", GROUP), (["upstream", "wan", GROUP], GROUP, "lan1")):
        r = d.ctl_run("show", *words)
        assert r.returncode == 0 and wanted in r.stdout, (words, r)
        assert unwanted not in r.stdout, (words, r.stdout)
        assert max(map(len, r.stdout.splitlines())) <= 80, r.stdout


def rates_and_details(d):
    """Check that show mfc has rates, and show groups detail the hosts."""
    def has_rates():
        table = d.ctl_run("show", "mfc", "--wide").stdout
        row = next(x.split() for x in table.splitlines() if x.startswith(GROUP))
        return row[-1] not in ("-", "0") and row[-2] not in ("-", "0")
    wait_for(10, has_rates, "packets and bits per second")
    mfc = d.show("mfc")
    assert mfc["rate_interval_ms"] > 0 and mfc["mfc"][0]["packets_per_s"] > 0, mfc
    text = d.ctl_run("show", "groups", "detail", GROUP, "lan1").stdout
    assert f"lan1 {GROUP}: exclude, IGMPv3" in text and "10.0.1.2" in text, text
    assert "no such group" in d.ctl_run("show", "groups", "detail", "lan2").stdout
    filters(d)
    r = d.ctl_run("show", "groups", "detail", "eth7")
    assert r.returncode == 4 and "eth7" in r.stderr, r


def balance(d):
    return d.show("stats")["balance"]


def wait_settled(d):
    def settled():
        s = balance(d)
        assert s["ok"], s
        return s["frames"]["waiting"] == 0 and s["copies"]["under_way"] == 0
    wait_for(10, settled, "every frame and every copy is accounted for")
    return balance(d)


@case("the counters balance: under load, with fragments, refused copies, a port that goes")
def balanced(b):
    t = b.topology()
    t.router.ip("link", "set", "lan2", "mtu", "600")
    d = b.run(t, "threads 2\n" + PLAIN)
    for lan in ("lan1", "lan2"):
        b.receiver(t.hosts[lan])
        d.wait_member(lan, GROUP)
    streams = [b.stream(t, g, rate=500, size=1200, ttl=ttl)
               for g, ttl in ((GROUP, 8), ("239.7.7.7", 8), (GROUP, 1))]
    for s in streams:
        s.sender.sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)

    def busy():
        s = balance(d)
        assert s["ok"], s
        return s["copies"]["fragments"] > 100 and s["frames"]["dropped"] > 100
    wait_for(20, busy, "fragments and drops")
    df = b.own(Sender(t.provider))
    df.sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    for n in range(20):
        df.send(number(n, 1200), GROUP)
    wait_for(10, lambda: d.show("stats")["verdicts"]["mtu_df"] >= 20, "copies too large")
    # a ring with frames in it is removed and replaced
    t.router.ip("link", "set", "wan", "down")
    wait_for(10, lambda: not d.interface("wan")["up"], "wan is down")
    t.router.ip("link", "set", "wan", "up")
    before = balance(d)["frames"]["forwarded"]
    t.router.ip("addr", "replace", "10.0.0.2/24", "dev", "wan")
    wait_for(20, lambda: balance(d)["frames"]["forwarded"] > before, "the stream is back")
    for s in streams:
        s.stop()
    end = wait_settled(d)
    b.note(str(end))
    f, c = end["frames"], end["copies"]
    assert f["ring_packets"] == f["ring_drops"] + f["forwarded"] + f["dropped"] + f["abandoned"]
    assert c["due"] + c["fragments"] == c["sent"] + c["refused"] and c["refused"] >= 20
    wait_for(10, lambda: "balance: ok\n" in d.table("stats"), "nothing is left to be counted")


def explain(d, *args):
    r = d.ctl_run("explain", *args)
    assert r.returncode in (0, 1, 2), r
    return r.stdout


@case("explain names what refuses a stream and follows what changes; rates, details")
def explained(b):
    t = b.topology()
    d = b.run(t, PLAIN + "phyint lan3 downstream\n")
    assert "no host on lan1, lan2 has joined the group" in explain(d, GROUP)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    text = explain(d, GROUP, t.SOURCE)
    assert "NO interface lan3" in text and "no interface lan3 at the moment" in text, text
    assert "nothing refuses it, but: no datagram of it has arrived on wan" in text, text
    assert "no query was ever heard on wan" in text, text
    assert "10.7.7.7 is in no subnet and no altnet of wan" in explain(d, GROUP, "10.7.7.7")
    assert "altnet 10.7.7.7/32" in explain(d, GROUP, "10.7.7.7")
    assert "what arrives on downstreams is not" in explain(d, GROUP, "--from", "lan2")
    assert "there is no interface eth9" in explain(d, GROUP, "--from", "eth9")
    assert "never leaves its link" in explain(d, "224.0.0.5")
    d.write("refresh-interval 60\n" + PLAIN)
    assert d.ctl_run("reload").returncode == 0
    b.stream(t)
    wait_datagrams(r, 10)

    def arrives():
        text = explain(d, GROUP)
        return "it arrives and is sent to every interface that asks for it" in text
    rates_and_details(d)
    wait_for(10, arrives, "the stream is known to arrive")
    if SHOW:
        for line in explain(d, GROUP, t.SOURCE).splitlines():
            b.note(line)
        for line in explain(d, GROUP, "10.7.7.7").splitlines():
            b.note(line)


if __name__ == "__main__":
    main()
