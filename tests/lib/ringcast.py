# SPDX-License-Identifier: GPL-2.0-or-later
"""ringcastd, ringcastctl and steady streams for use in the laboratory."""

import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading

import lab


def binary(name):
    """Returns the path of a built program: in RINGCAST_BUILD, or else in the first build directory
    that has it."""
    builds = [os.environ["RINGCAST_BUILD"]] if "RINGCAST_BUILD" in os.environ else \
        [os.path.join(lab.ROOT, d) for d in ("build", "build/release", "build/gcc")]
    for build in builds:
        for folder in ("src", "tools"):
            path = os.path.join(build, folder, name)
            if os.access(path, os.X_OK):
                return path
    raise FileNotFoundError(f"{name} is not built (looked in {', '.join(builds)}): run "
                            "tools/test --quick --suite tools, which makes build/gcc")


class Daemon:
    """A ringcastd in a namespace. `wrap` is a command that runs it (setpriv ...), `preexec` a
    function that the child calls before exec."""

    def __init__(self, ns, config, wrap=(), preexec=None, start=True, verbose=True):
        self.ns, self.wrap, self.preexec = ns, list(wrap), preexec
        self.verbose = ("-v", "-v") if verbose else ()
        self.log_to_stderr = True   # whatever the configuration says
        self.dir = tempfile.mkdtemp(prefix="ringcast-", dir="/run")
        os.chmod(self.dir, 0o1777)  # a test may start the daemon as another user
        self.conf, self.socket, self.logfile = (
            os.path.join(self.dir, f) for f in ("ringcast.conf", "ctl.sock", "log"))
        self.process = None
        self.write(config)
        if start:
            self.start()

    def belongs_to(self, uid):
        """Give the directory to the user who runs the daemon, because root trusts only its owner
        there."""
        os.chown(self.dir, uid, -1)
        os.chmod(self.dir, 0o755)

    def write(self, config):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(config)

    def spawn(self):
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(
                *self.wrap, binary("ringcastd"), "-n", *(["-d"] if self.log_to_stderr else []),
                *self.verbose, "-s", self.socket, self.conf, preexec=self.preexec,
                stdout=log, stderr=log)

    def start(self, seconds=20):
        self.spawn()
        lab.wait_for(seconds, self._answers, "ringcastd answers on its control socket")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ringcastd ended with {self.process.returncode}")
        return os.path.exists(self.socket) and self.ctl_run("version").returncode == 0

    def log(self):
        with open(self.logfile, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ctl_run(self, *args):
        return subprocess.run([binary("ringcastctl"), "-s", self.socket, *args],
                              capture_output=True, text=True, timeout=20)

    def table(self, what):
        """Returns the plain table of `show WHAT`."""
        r = self.ctl_run("show", *what.split())
        assert r.returncode == 0, f"show {what}: {r.returncode}: {r.stderr}"
        return r.stdout

    def request(self, line):
        """Returns the reply of the control socket. Conditions ask often, so this starts no
        program."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.socket)
            s.sendall(line.encode() + b"\n")
            with s.makefile(encoding="utf-8") as f:
                return json.loads(f.readline())

    def show(self, what):
        """Returns the reply to `show WHAT`."""
        reply = self.request("show " + what)
        assert "error" not in reply, f"show {what}: {reply['error']}"
        return reply

    def interface(self, name):
        """Returns the row of show interfaces, or None."""
        return next((i for i in self.show("interfaces")["interfaces"] if i["name"] == name),
                    None)

    def group(self, interface, group):
        """Returns the row of show groups, or None."""
        return next((g for g in self.show("groups")["groups"]
                     if (g["interface"], g["group"]) == (interface, group)), None)

    def upstream_group(self, group):
        """Returns the merged record in show upstream, or None."""
        return next((g for u in self.show("upstream")["upstream"] for g in u["groups"]
                     if g["group"] == group), None)

    def wait_member(self, interface, group, seconds=10):
        return lab.wait_for(seconds, lambda: self.group(interface, group),
                            f"{group} has a member on {interface}")

    def wait_no_member(self, interface, group, seconds=10):
        lab.wait_for(seconds, lambda: not self.group(interface, group),
                     f"{group} has no member on {interface} any more")

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def wait_log(self, text, seconds=10):
        lab.wait_for(seconds, lambda: text in self.log(), f"the log says {text!r}")

    def stop(self, how=signal.SIGTERM, seconds=20):
        """Stop the daemon; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(seconds)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Stream(threading.Thread):
    """Numbered datagrams at a steady rate until stop()."""

    def __init__(self, ns, group, rate=300, source=lab.Topology.SOURCE, interface="p0",
                 size=256, ttl=8):
        super().__init__(daemon=True)
        if ":" in group and ":" not in source:
            source = lab.Topology.SOURCE6
        self.sender = lab.Sender(ns, interface, source)
        self.group, self.period, self.size, self.ttl = group, 1 / rate, size, ttl
        self.sent = 0
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(self.period):
            self.sender.send(self.payload(), self.group, ttl=self.ttl)
            self.sent += 1

    def payload(self):
        """Returns that of the next datagram."""
        return number(self.sent, self.size)

    def stop(self):
        self.ended.set()
        self.join()
        self.sender.close()
        return self.sent


def number(n, size=64):
    """Returns the payload of datagram n."""
    return struct.pack("!I", n) + bytes((n + i) & 0xff for i in range(size - 4))


def gaps(numbers):
    """Returns (missing, duplicate or late) between the first and the last of a list of numbers."""
    if not numbers:
        return 0, 0
    distinct = set(numbers)
    missing = max(distinct) - min(distinct) + 1 - len(distinct)
    disorder = sum(1 for a, b in zip(numbers, numbers[1:]) if b <= a)
    return missing, disorder


def numbers(datagrams):
    """Returns the numbers of (payload, source) pairs; AssertionError if a payload is damaged."""
    out = []
    for payload, _ in datagrams:
        n = struct.unpack("!I", payload[:4])[0]
        assert payload == number(n, len(payload)), f"datagram {n} is damaged"
        out.append(n)
    return out
