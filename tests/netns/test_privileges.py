#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daemon may do and may not: capabilities, and seccomp without io_uring."""

from libnetns import (GROUP, PLAIN, Daemon, Skip, assert_continuous, case, main,
                      ringcast, wait_datagrams)

ONLY_NET_RAW = ["setpriv", "--inh-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
          "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw",
          "--bounding-set=-all,+net_raw"]


def plays(b, config=PLAIN, **kw):
    t = b.topology()
    d = b.run(t, config, **kw)
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 100), at_least=100)
    return d


def ends(b, config=PLAIN, **kw):
    """Start a daemon that is expected to end by itself; returns (exit status, log)."""
    t = b.topology()
    d = b.own(Daemon(t.router, config, start=False, **kw))
    b.daemon = d
    d.spawn()
    return d.process.wait(20), d.log()


@case("without CAP_NET_RAW it exits 3 and names the capability")
def no_net_raw(b):
    status, log = ends(b, wrap=["setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw"])
    assert status == 3, status
    assert "CAP_NET_RAW" in log, log


@case("with CAP_NET_RAW and no other capability it works")
def only_net_raw(b):
    d = plays(b, wrap=ONLY_NET_RAW)
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        effective = [line.split()[1] for line in f if line.startswith("CapEff")][0]
    assert int(effective, 16) & ~(1 << 13) == 0, effective


@case("as user nobody with CAP_NET_RAW it works")
def nobody(b):
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if sum(int(line.split()[2]) for line in f) < 65535:
            raise Skip("only one user id in this user namespace")
    plays(b, wrap=NOBODY)


@case("with io_uring forbidden by seccomp it works and says which path it took")
def no_io_uring(b):
    d = plays(b, preexec=ringcast.forbid_io_uring)
    assert "sendmmsg" in d.log(), "the log does not name the transmit path"
    assert "sendmmsg" in d.interface("lan1")["transmit"], d.interface("lan1")
    assert d.group("lan1", GROUP)


@case("io_uring required but forbidden: exits 3 and says so")
def io_uring_required(b):
    status, log = ends(b, "transmit io_uring\n" + PLAIN, preexec=ringcast.forbid_io_uring)
    assert status == 3, status
    assert "io_uring" in log, log


if __name__ == "__main__":
    main()
