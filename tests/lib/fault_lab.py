# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the daemon with calls that fail (tests/faults/fault.c), the networks around it, and the
requests of its life. tests/lib/faults.py decides which calls fail."""

import collections
import contextlib
import functools
import json
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import lab
import ringcast
from lab import wait_for
from ringcast import binary
from rtnl import Rtnl

PORT = 9337
GROUP, GROUP2, GROUP6 = "239.1.2.3", "239.1.2.4", "ff0e::1:2:3"
KINDS, NAME, SITES, FRAMES = 128, 32, 8192, 12   # tests/faults/fault.h
OFF, RECORD, INJECT = 0, 1, 2
ALL = "00060000ffffffff"   # a classic BPF program
DATA = b"a datagram among faults " * 8
HEAD = struct.Struct(f"=IIQIIiIIIIiqq{FRAMES}Q")
CLOCKS = struct.calcsize("=IIQIIiIIIIi")   # where HEAD has the two clocks
SITE = struct.Struct(f"=QII{FRAMES}Q")

CONFIG = f"""query-interval 3
query-response-interval 1
startup-query-interval 0.5
last-member-query-interval 0.2
quickleave
threads 2
ring-size 256k
metrics-listen :{PORT}
phyint wan upstream
phyint lan1 downstream
"""
LAN2 = "phyint lan2 downstream\n"
# Configurations, placed before CONFIG, that take other ways through the data plane or give up
# rights.
PROFILES = {
    "default": "",
    # without a filter, the listener for metrics does not forbid io_uring
    "io_uring": "seccomp off\n",
    "plain": "transmit sendmmsg\ncoalesce off\nlatency low\n",
    "user": "user nobody\ncontrol-group nogroup\nchroot {dir}\n",
}
# the parts in which two descriptors of one kind differ
CHANGING = re.compile(r"\[?\d+\]?$|/ringcast-\w+|\d+| \(deleted\)")
REQUESTS = ("show interfaces", "show groups", "show groups detail", "show mfc", "show top",
            "show upstream", "show quality blocks 5", "show zaps", "show stats",
            "show config", f"explain {GROUP}", "version",
            "metrics", "health", "commands", "log debug", "log default")


class Finding(Exception):
    """Something that must not happen."""


class Shared:
    """The file that fault.c and this program have mapped (tests/faults/fault.h)."""

    def __init__(self, path):
        self.path = path
        self.size = HEAD.size + KINDS * NAME + SITES * SITE.size
        with open(path, "wb+") as f:
            f.truncate(self.size)
            self.map = mmap.mmap(f.fileno(), self.size)

    def set(self, mode, kind=0, site=0, nth=1, times=1, error=0):
        old = self._head()
        HEAD.pack_into(self.map, 0, OFF, kind, site, nth, times, error, old[6], 0, 0, 0, 0,
                       *old[11:13], *[0] * FRAMES)
        struct.pack_into("=I", self.map, 0, mode)

    def off(self):
        """Stop; returns (calls that matched, how many of them failed)."""
        struct.pack_into("=I", self.map, 0, OFF)
        return self._head()[7:9]

    def move_clocks(self, monotonic_s=0, realtime_s=0):
        """Move the clocks by these differences."""
        struct.pack_into("=qq", self.map, CLOCKS, int(monotonic_s * 1e9), int(realtime_s * 1e9))

    def _head(self):
        return HEAD.unpack_from(self.map, 0)

    def names(self):
        at = HEAD.size
        return [self.map[at + i * NAME:at + (i + 1) * NAME].split(b"\0")[0].decode()
                for i in range(self._head()[6])]

    def clear(self):
        at = HEAD.size + KINDS * NAME
        self.map[at:] = bytes(SITES * SITE.size)

    def sites(self):
        """Returns a list of Site."""
        at, names = HEAD.size + KINDS * NAME, self.names()
        found = []
        for hash_, kind, count, *frames in SITE.iter_unpack(self.map[at:]):
            if hash_:
                found.append(Site(hash_, kind, names[kind], count, tuple(frames)))
        return found


Site = collections.namedtuple("Site", "hash kind name count frames")


@functools.cache
def _name(path, offset):
    out = subprocess.run(["addr2line", "-fse", path, hex(offset - 1)], capture_output=True,
                         text=True, check=False).stdout
    function, _, where = (out + "\n").partition("\n")
    if function in ("", "??"):
        return f"{os.path.basename(path)}+{offset:#x}"
    return f"{function} ({where.splitlines()[0].split(' ')[0]})"


class Symbols:
    """Turns addresses into names with addr2line, so that a finding can be read."""

    def __init__(self):
        self.maps = []

    def read(self, pid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", encoding="utf-8") as f:
            base = {}
            maps = []
            for line in f:
                m = re.match(r"(\w+)-(\w+) \S+ (\w+) \S+ \d+\s+(/\S+)", line)
                if m:
                    low, high = int(m[1], 16), int(m[2], 16)
                    base.setdefault(m[4], low - int(m[3], 16))
                    maps.append((low, high, base[m[4]], m[4]))
            self.maps = maps or self.maps

    def of_sanitizer(self, frames):
        """Returns whether the call belongs to the runtime of a sanitizer, not to the daemon."""
        return any(re.search(r"/lib(a|t|ub|l)san\.", path) for f in frames[:5] if f
                   for low, high, _, path in self.maps if low <= f < high)

    def name(self, address):
        for low, high, base, path in self.maps:
            if low <= address < high:
                return _name(path, address - base)
        return hex(address)

    def path(self, frames, n=7):
        return " < ".join(self.name(f) for f in frames[:n] if f)


class Patient(ringcast.Daemon):
    """The daemon with fault.so loaded before the C library."""

    def __init__(self, ns, shared, profile="default"):
        build = os.environ.get("RINGCAST_BUILD") or \
            os.path.dirname(os.path.dirname(binary("ringcastd")))
        library = os.path.join(build, "tests", "faults", "fault.so")
        if not os.path.exists(library):
            raise FileNotFoundError(f"{library} is not built")
        self.profile = PROFILES[profile]
        super().__init__(ns, CONFIG + LAN2, start=False, verbose=False, wrap=[
            "setarch", "-R", "env", "LD_PRELOAD=" + library, "FAULT_FILE=" + shared.path,
            "ASAN_OPTIONS=verify_asan_link_order=0:allocator_may_return_null=1"
            ":detect_leaks=1:detect_stack_use_after_return=0"])

    def write(self, config):
        super().write(self.profile.format(dir=self.dir) + config)

    def start(self, seconds=15):
        """Start; returns True if it answers, False if it has ended."""
        self.spawn()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if json.loads(self.ask("version"))["pid"]:
                    return True
            except (OSError, ValueError, KeyError):
                time.sleep(0.003)
        raise Finding(f"hangs: neither an answer nor an end within {seconds} s")

    def ask(self, request, seconds=3):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds)
            self._connect(s)
            s.sendall(request.encode() + b"\n")
            text = b""
            while not text.endswith(b"\n"):
                more = s.recv(1 << 16)
                if not more:
                    raise OSError(f"{request}: no reply")
                text += more
            return text.decode()

    def _connect(self, s, seconds=1):
        """Connect. A full queue of waiting connections is not an error."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return s.connect(self.socket)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def pid(self):
        return self.process.pid

    def descriptors(self):
        """Returns {kind of descriptor: how many are open}."""
        kinds, folder = collections.Counter(), f"/proc/{self.pid()}/fd"
        for fd in os.listdir(folder):
            with contextlib.suppress(OSError):
                kinds[CHANGING.sub("", os.readlink(f"{folder}/{fd}"))] += 1
        return kinds

    def cut_log(self):
        """Returns the log since the last call."""
        text = self.log()
        with open(self.logfile, "w", encoding="utf-8"):
            pass
        return text


class House:
    """The networks and their hosts, which do the same each time."""

    def __init__(self):
        self.topology = lab.Topology(lans=2, ipv6=True)
        t = self.topology
        self.sender, self.sender6 = lab.Sender(t.provider), \
            lab.Sender(t.provider, source=t.SOURCE6)
        self.rtnl = Rtnl(t.router)

    def receive(self, receivers, strict):
        """Send until each receiver has got something."""
        waiting = list(receivers)

        def all_have():
            for group, sender in ((GROUP, self.sender), (GROUP2, self.sender),
                                  (GROUP6, self.sender6)):
                for _ in range(3):
                    sender.send(DATA, group)
            time.sleep(0.004)
            waiting[:] = [r for r in waiting if not r.receive()]
            return not waiting
        deadline = time.monotonic() + (8 if strict else 0.25)
        while not all_have():
            if time.monotonic() > deadline:
                what = ", ".join(f"{r.group} at {r.where}" for r in waiting)
                raise AssertionError(f"nothing arrives of {what}")

    def receivers(self, stack, *which):
        made = []
        for lan, group in which:
            kind = lab.Receiver6 if ":" in group else lab.Receiver
            r = stack.enter_context(contextlib.closing(
                kind(self.topology.hosts[lan], group)))
            r.where = lan
            made.append(r)
        return made

    def http(self, path):
        with self.topology.router.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.settimeout(3)
            s.connect(("127.0.0.1", PORT))
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            text = b""
            while more := s.recv(1 << 16):
                text += more
        status = text.split(b" ")[1:2]
        assert status == [b"200"], f"{path}: {text[:300]}"
        return text


class Scenario:
    """All requests of a daemon's life in one second. With `strict`, each step must succeed in
    time; otherwise steps may fail."""

    def __init__(self, house, daemon):
        self.house, self.daemon = house, daemon

    def play(self, strict, steps=None):
        problems = []
        with contextlib.ExitStack() as stack:
            for step in steps or (self.lans, self.streams, self.requests, self.capture,
                                  self.scrape, self.links, self.signals, self.smaller,
                                  self.one_stream):
                try:
                    step(strict, stack)
                except (OSError, AssertionError, ValueError, KeyError, IndexError) as e:
                    if strict:
                        raise Finding(f"{step.__name__}: {e!r}") from None
                    problems.append(f"{step.__name__}: {e!r}")
        return problems

    def until(self, condition, what, strict):
        def quietly():
            try:
                return condition()
            except (OSError, ValueError, KeyError):
                return False
        wait_for(10 if strict else 0.1, quietly, what)

    def interfaces(self):
        return {i["name"]: i for i in
                json.loads(self.daemon.ask("show interfaces"))["interfaces"]}

    def reload(self, config):
        self.daemon.write(config)
        reply = json.loads(self.daemon.ask("reload"))
        assert reply.get("ok"), reply

    def lans(self, strict, stack):
        self.reload(CONFIG + LAN2)
        self.until(lambda: self.interfaces()["lan2"]["up"], "lan2 is up", strict)

    def streams(self, strict, stack):
        self.house.receive(self.house.receivers(
            stack, ("lan1", GROUP), ("lan1", GROUP6), ("lan2", GROUP), ("lan2", GROUP2)),
            strict)

    def one_stream(self, strict, stack):
        self.house.receive(self.house.receivers(stack, ("lan1", GROUP2)), strict)

    def requests(self, strict, stack):
        for request in REQUESTS:
            try:
                reply = json.loads(self.daemon.ask(request))
                assert "error" not in reply, (request, reply)
            except (OSError, AssertionError, ValueError):
                if strict:
                    raise

    @staticmethod
    def ask_all(daemon):
        Scenario(None, daemon).requests(True, None)

    def capture(self, strict, stack):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(3 if strict else 0.3)
            s.connect(self.daemon.socket)
            s.sendall(f"capture data ethernet={ALL} raw={ALL}\n".encode())
            got = s.recv(1 << 16)
            assert got and b'"error"' not in got, got
            self.house.receive(self.house.receivers(stack, ("lan1", GROUP2)), strict)
            while strict and DATA not in got:
                more = s.recv(1 << 16)
                assert more, "the capture ends"
                got += more

    def scrape(self, strict, stack):
        if strict:
            self.until(lambda: self.house.http("/metrics"), "metrics by HTTP", strict)
        self.house.http("/metrics")
        self.until(lambda: self.house.http("/healthz"), "healthy", strict)

    def links(self, strict, stack):
        rtnl = self.house.rtnl
        try:
            rtnl.up("lan2", False)
            self.until(lambda: not self.interfaces()["lan2"]["up"], "lan2 is down", strict)
        finally:
            rtnl.up("lan2")
        self.until(lambda: self.interfaces()["lan2"]["up"], "lan2 is up again", strict)
        rtnl.add_address("lan2", "10.0.77.1/24")
        try:
            self.until(lambda: "10.0.77.1" in str(self.interfaces()["lan2"]["addresses"]),
                       "the address", strict)
        finally:
            rtnl.delete_address("lan2", "10.0.77.1/24")

    def signals(self, strict, stack):
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.ask("version")

    def smaller(self, strict, stack):
        self.reload(CONFIG)
        self.until(lambda: "lan2" not in self.interfaces(), "no lan2", strict)

    def basic(self):
        """Check what must work after a start."""
        return self.play(True, (self.lans, self.streams, self.requests, self.scrape,
                                self.smaller))
