# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests the daemon while its memory or its system calls fail.

The daemon runs with tests/faults/fault.c before the C library. A first run records every place (a
function and its callers) that asks for memory or makes a system call. Then the call of each place
fails: once at the start, once while everything is in use, once at the end. This must hold:

start    it starts and serves, perhaps with less; or it logs the reason and ends with an error
running  it continues; when the fault is over, everything works as before, with as many open
         descriptors as before
end      it ends in time, with status 0
"""

import argparse
import collections
import errno
import os
import random
import re
import subprocess
import sys
import time

import lab
from fault_lab import (INJECT, OFF, PROFILES, RECORD, Finding, House, Patient, Scenario,
                       Shared, Site, Symbols)
from lab import wait_for
from ringcast import binary

FOR_EVER = 0xffffffff

# Libraries that end the process, or worse, when there is no memory or no thread at the start.
# Neither is called again while the daemon runs.
KNOWN = {
    "getpwnam": "the C library does not check its allocations when it looks up names",
    "get_default_call_rcu_data": "liburcu aborts; dataplane.c has tried with a thread of its own",
    "seccomp_": "libseccomp 2.5 loops in the generator of its filter",
    "getgrnam_r": "glibc's name service does not check whether there is memory",
}

# Errors that the caller handles in another way than the usual error of the function.
FURTHER = {
    "accept4": ("ECONNABORTED",),
    "read": ("EINTR", "EAGAIN"),
    "recv": ("ECONNRESET", "EINTR"),
    "recvfrom": ("ECONNRESET",),
    "recvmsg": ("ENOMEM", "EINTR"),
    "recvmmsg": ("ENETDOWN", "EINTR"),
    "send": ("EPIPE", "EAGAIN"),
    "sendmmsg": ("EAGAIN", "ENETDOWN", "EINVAL", "EMSGSIZE"),
    "sendto": ("ENETDOWN", "ENOMEM"),
    "setsockopt": ("EPERM", "ENODEV"),
    "socket": ("EPERM", "ENOBUFS"),
    "syscall": ("EPERM",),
    "bind": ("ENOMEM", "EADDRINUSE"),
    "openat64": ("EACCES",),
    "open64": ("EACCES",),
}


def _check_sanitizer(log):
    for complaint in ("Sanitizer", "runtime error:", "Assertion", "assertion"):
        if complaint in log:
            raise Finding(f"{complaint} in the log")


# Descriptors that a thread does not open again after a failure.
MAY_GO = {"anon_inode:[io_uring]"}


class Hospital:
    """Runs faults and collects the findings."""

    def __init__(self, profile="default"):
        self.profile = profile
        self.house = House()
        self.shared = Shared("/run/fault")
        self.symbols = Symbols()
        self.daemon = None
        self.reference = None   # descriptors of a healthy daemon
        self.findings = []
        self.known = 0
        self.silent = []
        self.done = collections.Counter()

    # ---- life of a daemon

    def new(self, mode=OFF, **fault):
        self.drop()
        self.shared.set(mode, **fault)
        self.daemon = Patient(self.house.topology.router, self.shared, self.profile)
        return self.daemon.start()

    def drop(self):
        if self.daemon:
            self.daemon.close()
            self.daemon = None

    def alive(self):
        return self.daemon is not None and self.daemon.process.poll() is None

    def healthy(self):
        """Make sure that the running daemon has not had a fault."""
        if not self.alive():
            if not self.new():
                raise Finding("it does not even start without a fault")
            self.symbols.read(self.daemon.pid())
            Scenario(self.house, self.daemon).basic()
            self.daemon.cut_log()

    def same_descriptors(self, exactly=True):
        """Compare with a healthy daemon. Sockets are closed in the background, so a difference may
        last a moment."""
        now = None

        def same():
            nonlocal now
            now = self.daemon.descriptors()
            fewer = set(self.reference - now) - MAY_GO if exactly else ()
            return not now - self.reference and not fewer
        try:
            wait_for(5, same, "")
        except AssertionError:
            raise Finding(f"descriptors: more {dict(now - self.reference)}, "
                          f"fewer {dict(self.reference - now)}") from None

    # ---- clean runs

    def record(self):
        """Returns {phase: {hash: Site}} of runs without faults."""
        sites = {"start": {}, "running": {}, "end": {}}
        for _ in range(2):
            self.shared.clear()
            if not self.new(RECORD):
                raise Finding("it does not start under fault.so:\n" + self.daemon.log())
            self.shared.off()
            self._take(sites["start"])
            scenario = Scenario(self.house, self.daemon)
            scenario.basic()
            for _ in range(3):
                self.shared.clear()
                self.shared.set(RECORD)
                scenario.play(True)
                self.shared.off()
                self._take(sites["running"])
            self.reference = self._settled()
            self.symbols.read(self.daemon.pid())
            self.shared.clear()
            self.shared.set(RECORD)
            if self.daemon.stop() != 0:
                raise Finding("the clean run does not end with status 0")
            self._take(sites["end"])
        return {phase: {h: s for h, s in known.items() if not self.symbols.of_sanitizer(s.frames)}
                for phase, known in sites.items()}

    def _settled(self, seconds=0.6):
        """Returns the descriptors, once the sockets of older plans are closed."""
        seen, since = None, 0
        while seen is None or time.monotonic() - since < seconds:
            now = self.daemon.descriptors()
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.02)
        return seen

    def _take(self, known):
        for s in self.shared.sites():
            known.setdefault(s.hash, s)

    # ---- faults

    def try_start(self, site, error):
        runs = self.new(INJECT, kind=site.kind, site=site.hash, error=error)
        failed = self.shared.off()[1]
        if not failed:
            return False
        if not runs:
            self._judge_end(error or None)
            return True
        Scenario(self.house, self.daemon).basic()
        self.same_descriptors(exactly=False)
        self._stop()
        return True

    def _judge_end(self, error):
        status, log = self.daemon.process.returncode, self.daemon.log()
        _check_sanitizer(log)
        if status < 0 or status >= 128:
            raise Finding(f"ended by signal {-status if status < 0 else status - 128}")
        if status not in (2, 3, 4):
            raise Finding(f"exit status {status}")
        if "error: " not in log:
            raise Finding(f"exit status {status} without a log line")

    def _stop(self):
        try:
            status = self.daemon.stop(seconds=10)
        except subprocess.TimeoutExpired:
            raise Finding("does not stop") from None
        _check_sanitizer(self.daemon.log())
        if status:
            raise Finding(f"exit status {status} at the end")

    def try_running(self, site, error, times=1):
        self.healthy()
        scenario = Scenario(self.house, self.daemon)
        self.shared.set(INJECT, kind=site.kind, site=site.hash, error=error, times=times)
        problems = scenario.play(False)
        failed = self.shared.off()[1]
        if not self.alive():
            raise Finding(f"a running daemon ended with {self.daemon.process.returncode}")
        if failed:
            scenario.play(True)
            self.same_descriptors()
            if not self.alive():
                raise Finding(f"ended with {self.daemon.process.returncode}")
        log = self.daemon.cut_log()
        _check_sanitizer(log)
        if failed and problems and not re.search("(error|warning|notice): .*cannot|error: |"
                                                 "warning: ", log):
            self.silent.append((site, problems))
        return bool(failed)

    def try_end(self, site, error):
        self.healthy()
        self.shared.set(INJECT, kind=site.kind, site=site.hash, error=error)
        self._stop()
        return bool(self.shared.off()[1])

    def attempt(self, phase, site, error=0, times=1):
        """Play one fault and record findings. Returns True if the call did fail."""
        name = errno.errorcode[error] if error else "its error"
        try:
            if phase == "running":
                hit = self.try_running(site, error, times)
            else:
                hit = {"start": self.try_start, "end": self.try_end}[phase](site, error)
        except Finding as e:
            hit = True
            self._keep(phase, site, name, times, str(e))
            self.drop()
        finally:
            if phase != "running":
                self.drop()
        self.done[phase, site.name] += hit
        return hit

    def _keep(self, phase, site, name, times, what):
        log = self.daemon.log() if self.daemon else ""
        path = self.symbols.path(site.frames, len(site.frames))
        if phase == "start" and any(k in path for k in KNOWN):
            self.known += 1
            return
        text = f"{phase}: {site.name} fails with {name}{'' if times == 1 else ' for long'}: " \
            f"{what}\n    at {self.symbols.path(site.frames)}"
        self.findings.append(text)
        print("FOUND " + text, flush=True)
        for line in log.splitlines()[-6:]:
            print("    | " + line[:300], flush=True)

    def close(self):
        self.drop()
        self.house.topology.close()


def errors_of(name):
    return [0] + [getattr(errno, e) for e in FURTHER.get(name, ())]


def plan(sites, calls=None, phases=None):
    """Returns [(phase, site, error)]."""
    return [(phase, site, error)
            for phase, known in sites.items() if not phases or phase in phases
            for site in known.values() if not calls or site.name in calls
            for error in errors_of(site.name)]


def sample(tries, seed):
    """Returns two lists: each call once per phase, then the others in an order that depends on the
    seed. The first list is always played."""
    rng = random.Random(seed)
    tries = sorted(tries, key=lambda t: (t[0], t[1].hash, t[2]))
    rng.shuffle(tries)
    first, rest, seen = [], [], set()
    for t in tries:
        key = t[0], t[1].name
        (rest if key in seen else first).append(t)
        seen.add(key)
    return first, rest


def lasting(hospital, calls=None):
    """Let each function fail permanently while everything is used once."""
    for kind, name in enumerate(hospital.shared.names()):
        if kind and (not calls or name in calls):
            hospital.attempt("running", Site(0, kind, name, 0, ()), 0, FOR_EVER)


def summary(hospital, sites):
    lines = []
    for phase in ("start", "running", "end"):
        done = {name: v for (p, name), v in hospital.done.items() if p == phase and v}
        lines.append(f"{phase}: {len(sites[phase])} places, {sum(done.values())} faults of "
                     f"{len(done)} calls")
    return lines


def arguments():
    p = argparse.ArgumentParser(prog="tools/faults", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--call", action="append", help="only this function; may be repeated")
    p.add_argument("--phase", action="append", choices=("start", "running", "end"))
    p.add_argument("--profile", choices=sorted(PROFILES), default="default",
                   help="how the daemon is configured")
    p.add_argument("--lasting", action="store_true",
                   help="instead of once at each place, each function always fails while "
                   "everything is used once")
    p.add_argument("--seconds", type=float, help="a sample that takes about so long")
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--list", action="store_true", help="only name the places")
    return p.parse_args()


def list_places(hospital, sites):
    for phase, known in sites.items():
        for s in sorted(known.values(), key=lambda s: s.name):
            print(f"{phase:8} {s.name:16} {s.count:5}  {hospital.symbols.path(s.frames)}")


def play(hospital, args, sites):
    begin, tries = time.monotonic(), plan(sites, args.call, args.phase)
    print(f"{len(tries)} faults at {sum(map(len, sites.values()))} places", flush=True)
    if args.seconds:
        print(f"seed {args.seed}")
        first, rest = sample(tries, args.seed)
        tries = first + rest
    for i, (phase, site, error) in enumerate(tries, 1):
        if args.seconds and time.monotonic() - begin > args.seconds:
            break
        hospital.attempt(phase, site, error)
        if i % 200 == 0:
            print(f"{i} of {len(tries)}, {time.monotonic() - begin:.0f} s", flush=True)


def main():
    args, begin = arguments(), time.monotonic()
    try:
        binary("ringcastd")
        lab.enter()
    except (FileNotFoundError, lab.LabError) as e:
        print(f"tools/faults: {e}")
        return 77
    hospital = Hospital(args.profile)
    try:
        sites = hospital.record()
        if args.list:
            list_places(hospital, sites)
        elif args.lasting:
            lasting(hospital, args.call)
        else:
            play(hospital, args, sites)
    finally:
        hospital.close()
    for site, problems in hospital.silent:
        print(f"silent: {site.name} at {hospital.symbols.path(site.frames)}: {problems}")
    print("\n".join(summary(hospital, sites)))
    if hospital.known:
        print(f"{hospital.known} ends of the process by libraries at the start")
    print(f"{len(hospital.findings)} findings, {time.monotonic() - begin:.0f} s")
    return 1 if hospital.findings else 0


if __name__ == "__main__":
    sys.exit(main())
