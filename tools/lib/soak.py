# SPDX-License-Identifier: GPL-2.0-or-later
"""Run ringcastd for a long time with everything at once, and check every second what must always
hold. An undisturbed host gets each datagram of its streams once, intact and in order, or a counter
gives the reason for its loss. Hosts that zap get what they join, the daemon answers, and its
memory and its descriptors do not grow."""

import argparse
import contextlib
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "tests", "lib"))

import lab  # noqa: E402
import ringcast  # noqa: E402

STEADY4 = [f"239.10.0.{n}" for n in range(1, 5)]
STEADY6 = [f"ff0e::10:{n}" for n in range(1, 3)]
CHANNELS4 = [f"239.11.0.{n}" for n in range(1, 9)]
CHANNELS6 = [f"ff0e::11:{n}" for n in range(1, 9)]
STREAM_RATE = 50          # datagrams per second of each group
PATIENCE = 20             # seconds for what must happen eventually
WARM_UP = 0.25            # part of the run after which memory must not grow
GROWTH = 1.05, 2 << 20    # limits for resident memory: factor and bytes

# One processor for the senders and one for the data plane. The kernel queues frames on the
# processor of the program that sends them. If the program moves to another processor, it can
# overtake its own frames, which this soak does not test.
CPU = min(os.sched_getaffinity(0))

CONFIG = """\
timers rfc3376
cpu-affinity {cpu}
query-interval {interval}
query-response-interval 1
quickleave
forward-from-downstream none
phyint wan upstream
 altnet 10.0.0.0/24
 altnet 2001:db8::/32
phyint lan1 downstream
phyint lan2 downstream
phyint lan3 downstream{extra}
"""


def config(interval=3, extra=""):
    return CONFIG.format(cpu=CPU, interval=interval, extra=extra)


class Sender(threading.Thread):
    """Sends all streams at a steady rate, numbered in each group."""

    def __init__(self, ns):
        super().__init__(daemon=True)
        self.groups = STEADY4 + STEADY6 + CHANNELS4 + CHANNELS6
        self.sender = {4: lab.Sender(ns), 6: lab.Sender(ns, source=lab.Topology.SOURCE6)}
        self.sent = dict.fromkeys(self.groups, 0)
        self.ended = threading.Event()

    def run(self):
        os.sched_setaffinity(threading.get_native_id(), {CPU})
        at = time.monotonic()
        while not self.ended.is_set():
            for g in self.groups:
                with contextlib.suppress(OSError):    # queue full: not sent, not counted
                    self.sender[6 if ":" in g else 4].send(ringcast.number(self.sent[g]), g)
                    self.sent[g] += 1
            at += 1 / STREAM_RATE
            time.sleep(max(at - time.monotonic(), 0))


class Steady:
    """A group of the undisturbed host. The numbers are checked as they arrive."""

    def __init__(self, ns, group):
        self.group = group
        self.receiver = (lab.Receiver6 if ":" in group else lab.Receiver)(ns, group)
        self.next, self.received, self.missing, self.wrong = None, 0, 0, []

    def poll(self):
        for payload, _ in self.receiver.receive():
            n = struct.unpack("!I", payload[:4])[0]
            if payload != ringcast.number(n):
                self.wrong.append(f"{self.group}: datagram {n} is damaged")
            elif self.next is not None and n < self.next:
                self.wrong.append(f"{self.group}: {n} came after {self.next - 1}")
            else:
                self.missing += 0 if self.next is None else n - self.next
                self.next = n + 1
            self.received += 1


class Zapper(threading.Thread):
    """A host that keeps changing channels."""

    def __init__(self, ns, channels, seed):
        super().__init__(daemon=True)
        self.ns, self.channels, self.rng = ns, channels, random.Random(seed)
        self.zaps, self.starved, self.longest = 0, [], 0.0
        self.ended = threading.Event()

    def run(self):
        kind = lab.Receiver6 if ":" in self.channels[0] else lab.Receiver
        while not self.ended.is_set():
            group = self.rng.choice(self.channels)
            r = kind(self.ns, group)
            start = time.monotonic()
            while not r.receive() and not self.ended.is_set():
                if time.monotonic() - start > PATIENCE:
                    self.starved.append(f"{group}: joined and not received in {PATIENCE} s")
                    break
                time.sleep(0.005)
            self.longest = max(self.longest, time.monotonic() - start)
            time.sleep(self.rng.random() * 0.1)
            r.close()
            self.zaps += 1


class Chaos(threading.Thread):
    """Interface events that do not concern the undisturbed host, and reloads."""

    def __init__(self, topology, daemon, seed):
        super().__init__(daemon=True)
        self.t, self.daemon, self.rng = topology, daemon, random.Random(seed)
        self.done = {}
        self.troubles = []
        self.ended = threading.Event()
        self.pause = 0.3

    def run(self):
        events = [self.flap, self.again, self.rename, self.mtu, self.address, self.upstream_mtu,
                  self.upstream_address, self.reload]
        while not self.ended.is_set():
            event = self.rng.choice(events)
            try:
                event()
            except AssertionError as e:    # the command failed, not the daemon
                self.troubles.append(f"{event.__name__}: {e}")
            self.done[event.__name__] = self.done.get(event.__name__, 0) + 1
            self.ended.wait(self.rng.random() * 2 * self.pause)

    def _lan3(self, *args):
        self.t.router.ip("link", "set", *args)

    def flap(self):
        self._lan3("lan3", "down")
        time.sleep(self.rng.random() * 0.2)
        self._lan3("lan3", "up")
        self._addresses()

    def again(self):
        """Delete the interface and create it again, with another index."""
        self.t.router.ip("link", "del", "lan3")
        time.sleep(self.rng.random() * 0.2)
        self.t.add_lan(3)

    def rename(self):
        self._lan3("lan3", "down")
        self._lan3("lan3", "name", "other")
        self._lan3("other", "up")
        time.sleep(self.rng.random() * 0.2)
        self._lan3("other", "down")
        self._lan3("other", "name", "lan3")
        self._lan3("lan3", "up")
        self._addresses()

    def _addresses(self):
        """Add the IPv6 addresses, which the kernel removes with the link."""
        self.t.router.run("ip", "addr", "add", "2001:db8:3::1/64", "dev", "lan3", "nodad",
                          check=False)

    def mtu(self):
        self._lan3("lan3", "mtu", str(self.rng.choice((1280, 1400, 1500))))

    def address(self):
        self.t.router.ip("addr", "add", "10.3.3.1/24", "dev", "lan3")
        self.t.router.ip("addr", "del", "10.3.3.1/24", "dev", "lan3")

    def upstream_mtu(self):
        self.t.router.ip("link", "set", "wan", "mtu", str(self.rng.choice((1480, 1500))))

    def upstream_address(self):
        self.t.router.ip("addr", "add", "10.77.0.1/24", "dev", "wan")
        self.t.router.ip("addr", "del", "10.77.0.1/24", "dev", "wan")

    def reload(self):
        extra = self.rng.choice(("", "\n whitelist 239.0.0.0/8", "\n max-groups 100",
                                 "\n fast-leave"))
        self.daemon.write(config(interval=self.rng.choice((3, 4, 5)), extra=extra))
        self.daemon.hup()


def backlog_drops():
    """Returns the number of frames that the kernel dropped on the whole machine because too many
    waited for a processor. A busy machine drops some."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        return sum(int(line.split()[1], 16) for line in f)


# the daemon's counters of copies and frames that it did not deliver
LOSSES = ("tx_full", "tx_queue", "tx_error", "tx_size", "port_down", "frag_failed")


class Soak:
    def __init__(self, args):
        self.args, self.failures = args, []
        self.t = lab.Topology(lans=3, ipv6=True)
        self.daemon = ringcast.Daemon(self.t.router, config(),
                                      verbose=False)
        self.steady = [Steady(self.t.hosts["lan2"], g) for g in STEADY4 + STEADY6]
        self.sender = Sender(self.t.provider)
        self.zappers = [Zapper(self.t.hosts["lan1"], c, args.seed + i)
                        for i, c in enumerate((CHANNELS4, CHANNELS6))]
        self.chaos = Chaos(self.t, self.daemon, args.seed)
        self.samples = []      # (seconds, resident bytes, descriptors)
        self.explained, self.dropped_before = 0, backlog_drops()
        self.recent = [(0, 0)] * 3      # (missing, explained) at the last checks

    def fail(self, text):
        if len(self.failures) < 50:
            self.failures.append(f"{time.monotonic() - self.start:8.1f} s: {text}")
            print("FAILED " + self.failures[-1], flush=True)

    def run(self):
        self.start = time.monotonic()
        end = self.start + self.args.seconds
        for s in self.steady:
            self.daemon.wait_member("lan2", s.group)
        threads = [self.sender, self.chaos, *self.zappers]
        for thread in threads:
            thread.start()
        told = self.start
        while time.monotonic() < end and len(self.failures) < 50:
            self.wait(1)
            self.check()
            if time.monotonic() - told >= self.args.every:
                told = time.monotonic()
                print(self.line(), flush=True)
        for thread in (self.chaos, *self.zappers):
            thread.ended.set()
        for thread in (self.chaos, *self.zappers):
            thread.join(2 * PATIENCE)
        self.finish()
        self.sender.ended.set()
        self.sender.join()

    def wait(self, seconds):
        """Keep reading the receivers, so that their buffers never fill up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for s in self.steady:
                s.poll()
            time.sleep(0.02)

    def check(self):
        pid = self.daemon.process.pid
        status = self.daemon.process.poll()
        if status is not None:
            self.fail(f"the daemon has ended with {status}")
            raise SystemExit(1)
        try:
            stats = self.daemon.show("stats")
            self.daemon.show("interfaces")
            self.daemon.show("groups")
        except AssertionError as e:
            self.fail(f"no answer on the control socket: {e}")
            return
        self.explained = sum(p["ring_drops"] + sum(p["verdicts"].get(v, 0) for v in LOSSES)
                             for p in stats["ports"] if p["name"] in ("wan", "lan2"))
        self.explained += backlog_drops() - self.dropped_before
        missing = sum(s.missing for s in self.steady)
        # a loss must be counted at once or a moment before
        new, counted = missing - self.recent[-1][0], self.explained - self.recent[0][1]
        self.recent = self.recent[1:] + [(missing, self.explained)]
        if new > counted:
            self.fail(f"{new} datagrams are missing on lan2, {counted} are accounted for")
        for s in self.steady:
            for text in s.wrong:
                self.fail(text)
            s.wrong.clear()
        for z in self.zappers:
            for text in z.starved:
                self.fail(text)
            z.starved.clear()
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            resident = int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        self.samples.append((time.monotonic() - self.start, resident,
                             len(os.listdir(f"/proc/{pid}/fd"))))

    def finish(self):
        """The events have ended; everything must be as it was."""
        self.daemon.write(config())
        self.daemon.hup()
        self.wait(2)
        self.check()
        for group in (STEADY4[0], STEADY6[0]):
            r = Steady(self.t.hosts["lan3"], group)
            with contextlib.suppress(AssertionError):
                lab.wait_for(PATIENCE, lambda r=r: r.poll() or r.received > 10,
                             "the LAN of the events gets what it joins")
            if r.received <= 10:
                self.fail(f"{group} does not reach lan3 after the events")
            r.receiver.close()
        early = [s for s in self.samples if s[0] < self.args.seconds * WARM_UP]
        base = max((s[1] for s in early), default=0)
        if early and self.samples[-1][1] > base * GROWTH[0] + GROWTH[1]:
            self.fail(f"memory grew from {base / 2 ** 20:.1f} to "
                      f"{self.samples[-1][1] / 2 ** 20:.1f} MiB")
        if self.samples[-1][2] > max(s[2] for s in early or self.samples):
            self.fail(f"{self.samples[-1][2]} descriptors at the end, at most "
                      f"{max(s[2] for s in early)} in the beginning")

    def line(self):
        seconds, resident, fds = self.samples[-1] if self.samples else (0, 0, 0)
        received = sum(s.received for s in self.steady)
        return (f"{seconds:8.0f} s: {received} datagrams, {sum(s.missing for s in self.steady)} "
                f"missing, {self.explained} accounted for; {sum(z.zaps for z in self.zappers)} "
                f"zaps, longest {max(z.longest for z in self.zappers):.2f} s; "
                f"{sum(self.chaos.done.values())} events; {resident / 2 ** 20:.1f} MiB, "
                f"{fds} descriptors")

    def close(self):
        self.daemon.close()


def options():
    p = argparse.ArgumentParser(prog="tools/soak", description=__doc__)
    p.add_argument("hours", nargs="?", type=float, default=1.0, help="how long (1)")
    p.add_argument("--seconds", type=float, help="the same in seconds")
    p.add_argument("--seed", type=int, help="of events and zaps; printed when not given")
    p.add_argument("--every", type=float, default=60, help="seconds between lines (60)")
    args = p.parse_args()
    args.seconds = args.seconds or args.hours * 3600
    if args.seed is None:
        args.seed = random.randrange(1 << 30)
    return args


def main():
    args = options()
    try:
        lab.enter()
        soak = Soak(args)
    except lab.LabError as e:
        print(f"skipped: {e}")
        return 77
    print(f"seed {args.seed}, {args.seconds:.0f} s", flush=True)
    try:
        soak.run()
    finally:
        soak.close()
    print(soak.line())
    print("events: " + ", ".join(f"{v} {k}" for k, v in sorted(soak.chaos.done.items())))
    for text in soak.chaos.troubles[:10]:
        print("note: " + text)
    if soak.failures:
        print(f"{len(soak.failures)} failures; again with --seed {args.seed}")
        print(soak.daemon.log()[-4000:])
        return 1
    print("soak passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
