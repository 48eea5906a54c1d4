# SPDX-License-Identifier: GPL-2.0-or-later
"""The two programs that each situation compares, started with the same file."""

import os
import signal
import subprocess
import tempfile

from libnetns import lab, ringcast, wait_for
from peers import peer_environment

IGMPPROXY = os.path.join(lab.ROOT, "build", "peers", "usr", "sbin", "igmpproxy")


class Router:
    """One of the programs in a namespace. `said` is everything that it has printed."""

    def __init__(self, ns, config):
        self.ns = ns
        self.dir = tempfile.mkdtemp(prefix="field-", dir="/run")
        os.chmod(self.dir, 0o755)
        self.conf = os.path.join(self.dir, "igmpproxy.conf")
        self.logfile = os.path.join(self.dir, "log")
        with open(self.conf, "wb") as f:
            f.write(config if isinstance(config, bytes) else config.encode())
        self.process = None

    def spawn(self, *command, **kw):
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(*command, stdout=log, stderr=log, **kw)

    @property
    def said(self):
        with open(self.logfile, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGTERM):
        if self.alive():
            self.process.send_signal(how)
        return self.process.wait(20)

    def close(self):
        if self.process and self.alive():
            self.process.kill()
            self.process.wait()


class Ringcast(Router):
    name = "ringcast"

    def start(self, wait=True):
        self.socket = os.path.join(self.dir, "ctl.sock")
        self.spawn(ringcast.binary("ringcastd"), "-n", "-d", "-v", "-s", self.socket, self.conf)
        if wait:
            wait_for(20, self._answers, "ringcastd answers")
        return self

    def _answers(self):
        if not self.alive():
            raise AssertionError(f"it ended with {self.process.returncode}: {self.said}")
        return os.path.exists(self.socket) and subprocess.run(
            [ringcast.binary("ringcastctl"), "-s", self.socket, "version"],
            capture_output=True, timeout=20).returncode == 0


class Igmpproxy(Router):
    name = "igmpproxy"

    def start(self, wait=True):
        self.spawn(IGMPPROXY, "-n", "-d", "-v", self.conf, env=peer_environment())
        if wait:
            wait_for(10, self._ready, "igmpproxy has its interfaces")
        return self

    def _ready(self):
        if not self.alive():
            raise AssertionError(f"it ended with {self.process.returncode}: {self.said}")
        return len(self.ns.read("/proc/net/ip_mr_vif").splitlines()) >= 2


CONTESTANTS = {c.name: c for c in (Ringcast, Igmpproxy)}


def have_igmpproxy():
    """Returns None, or the reason why it cannot run here."""
    if not os.access(IGMPPROXY, os.X_OK):
        return "igmpproxy is not unpacked in build/peers (tools/test does that)"
    if not os.path.exists("/proc/net/ip_mr_vif"):
        return "the kernel has no multicast routing, which igmpproxy needs"
    return None
