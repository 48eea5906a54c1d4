#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A build without any optional library reports what it cannot do; everything else works."""

import subprocess

from libnetns import (GROUP, PLAIN, assert_continuous, case, main, ringcast, wait_datagrams)


def refused(b, t, line):
    """Returns what a daemon with this line of configuration logs before it ends."""
    d = b.own(ringcast.Daemon(t.router, line + "\n" + PLAIN, start=False))
    d.spawn()
    assert d.process.wait(10) == 2, d.log()
    return d.log()


@case("a stream passes, by sendmmsg, and metrics are printed")
def stream(b):
    t = b.topology()
    d = b.run(t)
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 100), at_least=100)
    assert "sendmmsg" in d.show("stats")["transmit"]
    text = d.ctl_run("metrics", "--openmetrics").stdout
    assert text.startswith("# ") and text.endswith("# EOF\n"), text[:500]


@case("metrics-listen and web-listen are refused, and the message names the alternative")
def metrics_listen(b):
    t = b.topology()
    said = refused(b, t, "metrics-listen 127.0.0.1:9999")
    assert "libmicrohttpd" in said and "ringcastctl metrics" in said, said
    said = refused(b, t, "web-listen 127.0.0.1:9999")
    assert "libmicrohttpd" in said and "ringcastctl watch" in said, said


@case("log-to journal: the daemon says why the log goes elsewhere, and continues")
def journal(b):
    t = b.topology()
    d = b.own(ringcast.Daemon(t.router, "log-to journal\n" + PLAIN, start=False))
    d.log_to_stderr = False
    d.start()
    assert "log-to journal: the journal is not there" in d.log(), d.log()
    assert "receive by" in d.log(), d.log()


@case("watch prints tables instead of a full screen")
def watch(b):
    t = b.topology()
    d = b.run(t)
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    r = subprocess.run([ringcast.binary("ringcastctl"), "-s", d.socket, "watch", "--once"],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and GROUP in r.stdout and "\x1b" not in r.stdout, r


if __name__ == "__main__":
    main()
