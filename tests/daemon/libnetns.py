# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner of the namespace tests.

A test file defines functions with @case("what must hold") that take a Bench and ends with
main(). Each case gets a new laboratory; main() prints TAP, which meson counts case by case.
`test_x.py WORD...` runs the cases whose name contains a word.
"""

import grp
import os
import select
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import lab  # noqa: E402
import ringcast  # noqa: E402
import wire  # noqa: E402
from lab import Receiver, Sender, Topology, link, wait_for  # noqa: E402,F401
from ringcast import Daemon, Stream, gaps, number, numbers  # noqa: E402,F401
from wire import Record, Tap  # noqa: E402,F401

GROUP = "239.1.2.3"
SSM_GROUP = "232.1.2.3"

# Protocol timers in seconds instead of minutes; everything else as shipped.
FAST = """query-interval 3
query-response-interval 1
startup-query-interval 0.5
last-member-query-interval 0.2
last-member-query-count 2
"""
WAN = "phyint wan upstream\n"
LANS = "phyint lan1 downstream\nphyint lan2 downstream\n"
PLAIN = FAST + WAN + LANS
QUICK = "quickleave\n" + PLAIN

_cases = []


class Skip(Exception):
    """This case cannot run here; the text says why."""


def case(name):
    def register(function):
        _cases.append((name, function))
        return function
    return register


class Bench:
    """Everything that one case builds. All of it is closed when the case ends."""

    def __init__(self):
        self.things = []
        self.daemon = None
        self.notes = []

    def own(self, thing):
        self.things.append(thing)
        return thing

    def topology(self, lans=2, hosts=1, ipv6=False):
        return self.own(Topology(lans, hosts, ipv6))

    def run(self, topology, config=PLAIN, seconds=20, **kw):
        self.daemon = self.own(Daemon(topology.router, config, start=False, **kw))
        self.daemon.start(seconds)
        return self.daemon

    def stream(self, topology, group=GROUP, kind=Stream, **kw):
        stream = kind(topology.provider, group, **kw)
        self.things.append(_Stopper(stream))
        return stream

    def receiver(self, ns, group=GROUP, **kw):
        kind = lab.Receiver6 if ":" in group else Receiver
        return self.own(kind(ns, group, **kw))

    def tap(self, ns, interface):
        return self.own(Tap(ns, interface))

    def note(self, text):
        """Add a figure to the log; it never makes the case fail."""
        self.notes.append(text)

    def finish(self):
        """Call after a case that passed: the daemon that it started must also end cleanly."""
        if self.daemon and self.daemon.process.poll() is None:
            status = self.daemon.stop()
            assert status == 0, f"SIGTERM: exit status {status}"
        log = self.daemon.log() if self.daemon else ""
        for complaint in ("Sanitizer", "runtime error:"):
            assert complaint not in log, complaint

    def close(self):
        for thing in reversed(self.things):
            thing.close()


class _Stopper:
    def __init__(self, stream):
        self.stream = stream

    def close(self):
        if self.stream.is_alive():
            self.stream.stop()


def need_users():
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if sum(int(line.split()[2]) for line in f) < 65535:
            raise Skip("only one user id in this user namespace")


def a_group():
    """A group that is neither root's nor nobody's."""
    need_users()
    return next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534))


def wait_datagrams(receiver, n=1, seconds=10):
    """Receive until at least n datagrams have arrived."""
    got = []

    def enough():
        got.extend(receiver.receive())
        return len(got) >= n
    wait_for(seconds, enough, f"{n} datagrams of {receiver.group}")
    return got


def wait_record(tap, match, what, seconds=10):
    """Read IGMP and MLD messages until one matches; returns all that were read."""
    got = []

    def found():
        got.extend(m for f in tap.frames() for m in wire.igmp(f) + wire.mld(f))
        return any(match(m) for m in got)
    try:
        wait_for(seconds, found, what)
    except AssertionError as e:
        raise AssertionError(f"{e}; seen: {got}") from None
    return got


def wait_silence(tap, group=GROUP, seconds=15, quiet=0.4):
    """Wait until no datagram of the group has arrived for `quiet` seconds; returns
    (monotonic time of the last one, IGMP messages seen before it)."""
    last, igmp, pending = time.monotonic(), [], []

    def silent():
        nonlocal last
        for frame in tap.frames():
            pending.extend(wire.igmp(frame))
            datagram = wire.udp(frame)
            if datagram and datagram.group == group:
                last = time.monotonic()
                igmp.extend(pending)
                pending.clear()
        return time.monotonic() - last > quiet
    wait_for(seconds, silent, f"{group} stops")
    return last, igmp


def first_after(receiver, action, seconds=10):
    """Do something and return the milliseconds until the next datagram arrives."""
    start = time.monotonic()
    action()
    ready, _, _ = select.select([receiver.sock], [], [], seconds)
    assert ready, f"no datagram of {receiver.group} within {seconds} s"
    return (time.monotonic() - start) * 1000


def assert_continuous(datagrams, at_least=1):
    got = numbers(datagrams)
    assert len(got) >= at_least, f"only {len(got)} datagrams"
    missing, disorder = gaps(got)
    assert not missing and not disorder, \
        f"{missing} missing and {disorder} out of order among {len(got)}"
    return got


def _run_case(function):
    """(ok, skip reason or None, notes)."""
    bench, skip, ok = Bench(), None, True
    try:
        try:
            function(bench)
            bench.finish()
        finally:
            notes = bench.notes
            bench.close()
    except Skip as e:
        skip = str(e)
    except Exception:  # the next case runs whatever this one raises
        ok = False
        notes = notes + traceback.format_exc().splitlines()
        if bench.daemon:
            notes += ["--- log of ringcastd"] + bench.daemon.log().splitlines()[-200:]
    return ok, skip, notes


def main(needs_daemon=True):
    try:
        if needs_daemon:
            ringcast.binary("ringcastd")
        lab.enter()
    except FileNotFoundError as e:
        sys.exit(f"Bail out! {e}")
    except lab.LabError as e:
        print(f"1..0 # SKIP {e}")
        return
    wanted = sys.argv[1:]
    cases = [c for c in _cases if not wanted or any(w in c[0] for w in wanted)]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for i, (name, function) in enumerate(cases, 1):
        start = time.monotonic()
        ok, skip, notes = _run_case(function)
        failed += not ok
        for line in notes:
            print("# " + line)
        print(f"{'ok' if ok else 'not ok'} {i} - {name.replace('#', '')}"
              + (f" # SKIP {skip}" if skip else ""))
        print(f"# {time.monotonic() - start:.1f} s", flush=True)
    sys.exit(1 if failed else 0)
