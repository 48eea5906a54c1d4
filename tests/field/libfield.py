# SPDX-License-Identifier: GPL-2.0-or-later
"""Situations of everyday networks. Each is a function that takes a Field and asserts what the
people there expect. It runs once with ringcast as the router and once with igmpproxy."""

import os
import select
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemon"))

from libnetns import Bench, lab, numbers, wait_for, wire  # noqa: E402
from provider import Provider  # noqa: E402
from routers import CONTESTANTS  # noqa: E402

G, H = "239.1.2.3", "239.1.2.4"
CONF = """quickleave
phyint wan upstream ratelimit 0 threshold 1
    altnet 0.0.0.0/0
phyint lan1 downstream ratelimit 0 threshold 1
phyint lan2 downstream ratelimit 0 threshold 1
"""

LATE_S = 5   # a datagram that needs more time than this counts as lost

SITUATIONS = []


class Situation:
    def __init__(self, title, function, no):
        self.title, self.function, self.no = title, function, no


def situation(title, no=None):
    """`no` says why ringcast does not do it. The case then fails if ringcast does it."""
    def register(function):
        SITUATIONS.append(Situation(title, function, no))
        return function
    return register


def arrives(box, end):
    """Wait until data can be read; returns False if none came."""
    left = end - time.monotonic()
    return left > 0 and bool(select.select([box.sock], [], [], left)[0])


class Field(Bench):
    """The network around one router in one situation."""

    def __init__(self, contestant):
        super().__init__()
        self.contestant = CONTESTANTS[contestant]
        self.router = None

    def home(self, lans=2, hosts=1, ipv6=False, groups=(G, H), **provider):
        """The usual topology, with a provider that sends the requested groups."""
        self.t = self.topology(lans, hosts, ipv6)
        self.provider = self.own(Provider(self.t.provider, groups, **provider))
        return self.t

    def start(self, config=CONF, wait=True):
        self.router = self.own(self.contestant(self.t.router, config))
        return self.router.start(wait)

    def box(self, name="lan1", group=G, version=None, **kw):
        """Returns a set-top box that watches a channel."""
        ns = self.t.hosts[name]
        if version:
            ns.sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
        return self.receiver(ns, group, **kw)

    def picture(self, box, n=30, seconds=8):
        """Check that the channel arrives: n new datagrams."""
        box.receive()
        got = []

        def enough():
            got.extend(box.receive())
            return len(got) >= n
        wait_for(seconds, enough, f"a picture of {box.group}")
        twice = len(numbers(got)) - len(set(numbers(got)))
        assert not twice, f"{twice} of {len(got)} datagrams arrived twice"

    def no_picture(self, box, seconds=1.0):
        box.receive()
        end = time.monotonic() + seconds
        while arrives(box, end):
            got = box.receive()
            assert not got, f"{len(got)} datagrams of {box.group} arrived"

    def gap(self, box, seconds):
        """Returns the longest part of the stream, in seconds, of which nothing arrives within the
        next seconds. A busy machine delays datagrams; only those that are lost count."""
        box.receive()
        before, got = self.provider.number, set()
        end = time.monotonic() + seconds
        while arrives(box, end):
            got.update(numbers(box.receive()))
        sent = self.provider.number
        end = time.monotonic() + LATE_S
        while max(got, default=0) < sent - 1 and arrives(box, end):
            got.update(numbers(box.receive()))
        known = [before - 1, *sorted(n for n in got if before <= n < sent), sent]
        return max(b - a - 1 for a, b in zip(known, known[1:])) * self.provider.period

    def steady(self, box, seconds=2.0, limit=0.5):
        longest = self.gap(box, seconds)
        assert longest < limit, f"{longest:.2f} s without a picture of {box.group}"

    def asked(self, group, types=("JOIN", "IS_EX", "TO_EX", "ALLOW", "IS_IN"), seconds=5):
        wait_for(seconds, lambda: self.provider.records(group, types),
                 f"the provider is asked for {group}")

    def program(self, interface, group=G):
        """Returns a program on the router that has itself joined a group."""
        return self.receiver(self.t.router, group, interface=interface)


def run(index, contestant):
    """Returns (yes, what went wrong). Must run in a process that lab.enter() has moved."""
    field = Field(contestant)
    try:
        try:
            SITUATIONS[index].function(field)
            return True, ""
        finally:
            field.close()
    except Exception as e:  # any failure is a verdict
        lines = traceback.format_exc().splitlines()
        said = field.router.said.splitlines()[-20:] if field.router else []
        print("\n".join(lines + said), file=sys.stderr)
        return False, str(e).split("\n")[0] or type(e).__name__


__all__ = ["G", "H", "CONF", "Field", "situation", "SITUATIONS", "lab", "signal", "time",
           "wait_for", "wire", "run", "Provider"]
