# SPDX-License-Identifier: GPL-2.0-or-later
"""Multicast routers of other projects. tools/test unpacks their Debian packages into build/peers
without installing them, so that no service starts. Installed programs also work."""

import os
import signal
import subprocess
import tempfile

from libnetns import Skip, lab, wait_for

UNPACKED = os.path.join(lab.ROOT, "build", "peers")


def peer_environment():
    """meson fills new memory with a value (MALLOC_PERTURB_). igmpproxy computes the checksum of
    its queries over 16 bytes too many, of memory that it never wrote. The checksums are right only
    while that memory is zero, as it is in the field."""
    env = dict(os.environ)
    env.pop("MALLOC_PERTURB_", None)
    return env


class Program:
    """An executable and the environment that it needs. Raises Skip if it is missing."""

    def __init__(self, path):
        if not os.path.exists("/proc/net/ip_mr_vif"):
            raise Skip("the kernel has no multicast routing, which the peer needs")
        self.env = peer_environment()
        self.path = os.path.join(UNPACKED, path)
        if os.access(self.path, os.X_OK):
            libraries = os.path.join(UNPACKED, "usr", "lib",
                                     f"{os.uname().machine}-linux-gnu")
            self.env["LD_LIBRARY_PATH"] = f"{libraries}:{libraries}/frr"
        else:
            self.path = "/" + path
        try:
            r = subprocess.run([self.path, "-h"], env=self.env, capture_output=True,
                               text=True, timeout=20)
        except OSError:
            raise Skip(f"{path} is neither installed nor unpacked in build/peers, where "
                       "tools/test puts what apt-get has") from None
        # do not skip: that would hide that an unpacked program lacks something
        assert not r.returncode or self.path == "/" + path, \
            f"{self.path} does not run: {r.stderr.strip()}; run tools/test as root, which " \
            "unpacks the libraries that the machine lacks"
        if r.returncode:
            raise Skip(f"{path} does not run: {r.stderr.strip()}")


class Peer:
    """A daemon of another project in a namespace."""

    def __init__(self, ns, program, *args):
        self.logfile = tempfile.mkstemp(prefix="peer-", suffix=".log", dir="/run")[1]
        with open(self.logfile, "w", encoding="utf-8") as log:
            self.process = ns.popen(program.path, *args, stdout=log, stderr=log,
                                    env=program.env)

    def log(self):
        with open(self.logfile, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        assert self.process.poll() is None, \
            f"the peer ended with {self.process.returncode}: {self.log()[-2000:]}"
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()


def _file(text):
    fd, path = tempfile.mkstemp(prefix="peer-", suffix=".conf", dir="/run")
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def pimd(b, ns, config):
    """pimd, a PIM-SM router with its own IGMP."""
    return b.own(Peer(ns, Program("usr/sbin/pimd"), "-f", "-c", _file(config)))


def _frr_accounts():
    """FRR requires its user and groups. We add them in our own mount namespace."""
    for name, lines in (("passwd", "frr:x:0:0::/:/bin/false\n"),
                        ("group", "frr:x:0:\nfrrvty:x:0:\n")):
        original = "/etc/" + name
        with open(original, encoding="utf-8") as f:
            text = f.read()
        if "\nfrr:" in text:
            continue
        subprocess.run(["mount", "--bind", _file(text + lines), original], check=True)


def frr(b, ns, config):
    """Start FRR's zebra and pimd; returns pimd, which speaks IGMP."""
    zebra, routing = Program("usr/lib/frr/zebra"), Program("usr/lib/frr/pimd")
    _frr_accounts()
    folder = tempfile.mkdtemp(prefix="frr-", dir="/run")
    api = os.path.join(folder, "zebra.api")

    def start(program, config):
        name = os.path.basename(program.path)
        return b.own(Peer(ns, program, "-u", "root", "-g", "root", "-P", "0", "-z", api,
                          "-i", os.path.join(folder, name + ".pid"), "--vty_socket",
                          folder, "-f", _file(config), "--log", "stdout"))
    first = start(zebra, "")
    wait_for(15, lambda: first.alive() and os.path.exists(api), "zebra listens")
    return start(routing, config)


def igmpproxy(b, ns, config):
    """igmpproxy, the program that users migrate from."""
    return b.own(Peer(ns, Program("usr/sbin/igmpproxy"), "-n", "-v", _file(config)))
