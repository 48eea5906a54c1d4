# SPDX-License-Identifier: GPL-2.0-or-later
"""A minimal service manager for the tests. It listens on a NOTIFY_SOCKET and keeps descriptors as
systemd's store does. If ringcastd ends with the status that requests a restart, the manager starts
it with these descriptors. It can start other programs first."""

import array
import contextlib
import os
import socket
import subprocess
import sys
import threading

from ringcast import Daemon, binary

EXIT_UPGRADE = 5

# dup2 to 3, 4, ... and exec; a separate process, because Popen also needs descriptors
LAUNCH = """
import os, sys
n = int(sys.argv[1])
fds = [os.dup(int(fd)) for fd in sys.argv[3:3 + n]]
fds = [__import__("fcntl").fcntl(fd, 0, 3 + n) for fd in fds]
for i, fd in enumerate(fds):
    os.dup2(fd, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(n), LISTEN_FDNAMES=sys.argv[2])
os.execvp(sys.argv[3 + n], sys.argv[3 + n:])
"""


class ManagedDaemon(Daemon):
    def __init__(self, ns, config, keeps=True, watchdog_s=None, dies_at=None, **kw):
        self.keeps, self.watchdog_s = keeps, watchdog_s
        self.dies_at = dies_at   # the manager ends when it receives the descriptor of this name
        self.first = []          # programs that it starts before the next ringcastd
        self.stored = []     # [name, descriptor]
        self.messages = []   # dictionaries, in order of arrival
        self.started, self.trying = 0, False
        self.lock = threading.Lock()
        super().__init__(ns, config, start=False, **kw)
        self.notify = os.path.join(self.dir, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.notify)
        self.ended = False
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def spawn(self):
        with self.lock:
            fds = [fd for _, fd in self.stored]
            names = ":".join(name for name, _ in self.stored)
        self.trying = bool(self.first)
        program = self.first.pop(0) if self.first else binary("ringcastd")
        env = dict(os.environ, NOTIFY_SOCKET=self.notify)
        if self.watchdog_s:
            env["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1e6))
        launch = [sys.executable, "-c", LAUNCH, str(len(fds)), names, *map(str, fds)]
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                launch + self.ns.command(*self.wrap, program, "-n", "-d", "-v",
                                         "-v", "-s", self.socket, self.conf),
                pass_fds=fds, env=env, stdout=log,
                stderr=log)
        self.started += 1
        threading.Thread(target=self._watch, args=(self.process,), daemon=True).start()

    def _watch(self, process):
        if (process.wait() == EXIT_UPGRADE or self.trying) and not self.ended:
            self.spawn()

    def _listen(self):
        while not self.ended:
            data, ancillary, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(4 * 253))
            fds = array.array("i")
            for level, kind, octets in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(octets)
            message = dict(line.split("=", 1) for line in data.decode().splitlines())
            self._handle(message, list(fds))
            if self.dies_at and message.get("FDNAME") == self.dies_at:
                self.die()

    def _handle(self, message, fds):
        with self.lock:
            if "FDSTORE" in message and self.keeps:
                self.stored += [[message["FDNAME"], fd] for fd in fds]
                fds = []
            if "FDSTOREREMOVE" in message:
                fds += [fd for name, fd in self.stored if name == message["FDNAME"]]
                self.stored = [e for e in self.stored if e[0] != message["FDNAME"]]
            self.messages.append(message)
        for fd in fds:
            os.close(fd)

    def die(self):
        with self.lock:
            self.ended = True
            for _, fd in self.stored:
                os.close(fd)
            self.stored = []
        self.sock.close()

    def said(self, key, value=None):
        with self.lock:
            return [m for m in self.messages if key in m and value in (None, m[key])]

    def close(self):
        self.ended = True
        super().close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, \
                contextlib.suppress(ConnectionRefusedError):
            s.sendto(b"", self.notify)      # wakes the manager, which waits for a message
        self.listener.join()
        self.sock.close()
