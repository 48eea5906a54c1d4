# SPDX-License-Identifier: GPL-2.0-or-later
"""Who forwards: each is started in the router of a bed, and stopped. The generator is on
core 0. With the router on one core, everything of it is on core 1. With two, the receive
softirq is on core 0 (where the generator sends) and the thread of ringcastd on core 1; the
kernel forwards a flow on one core only, so the second one helps it with many flows, which are
spread over both."""

import os
import subprocess

import bed as beds
import lab
import ringcast


class _Daemon(ringcast.Daemon):
    """Without the debug log, which would be a line for each of 255,000 joins."""

    def spawn(self):
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(*self.wrap, ringcast.binary("ringcastd"), "-n", "-d",
                                         "-s", self.socket, self.conf, stdout=log, stderr=log)


class Ringcast:
    """ringcastd; every group is joined by reports from behind every port, or some."""

    name = "ringcastd"

    def __init__(self, bed, case, cores, options=(), members=None):
        self.bed, self.ports = bed, bed.ports
        bed.rps(2 if cores == 1 else 0)
        lines = [*options, "phyint wan0 upstream", "altnet 0.0.0.0/0"]
        lines += [f"phyint l{n} downstream" for n in range(self.ports)]
        self.daemon = _Daemon(bed.router, "\n".join(lines) + "\n",
                              wrap=("taskset", "-c", "1"))
        try:
            self.join(case.groups, range(bed.ports) if members is None else members)
        except BaseException:
            self.stop()
            raise

    def join(self, groups, members):
        want = {beds.group(g): len(members) for g in range(groups)} if members else {}
        for attempt in range(1, 6):
            self.bed.join(groups, members)
            try:
                lab.wait_for(4 * attempt, lambda: self._outputs() == want,
                             "all groups are forwarded to all ports")
                return
            except AssertionError:
                if attempt == 5:
                    raise

    def _outputs(self):
        return {e["group"]: len(e["out"]) for e in self.daemon.show("mfc")["mfc"]}

    def memory(self):
        """Resident octets."""
        with open(f"/proc/{self.pid()}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def pid(self):
        # nsenter and taskset become the daemon
        return self.daemon.process.pid

    def stop(self):
        self.daemon.stop()


class Mroute:
    """Kernel multicast routing with static entries."""

    name = "mroute"
    max_ports = 31

    def __init__(self, bed, case, cores, options=()):
        # it has 32 interfaces; wider cases are compared with its 16
        self.ports = bed.ports if bed.ports <= self.max_ports else 16
        bed.rps(3 if cores == 2 else 2)
        self.process = bed.router.popen(
            beds.tool("bench_mroute"), beds.SOURCE, str(self.ports), str(case.groups),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise lab.LabError("no kernel multicast routing: " + self.process.stderr.read())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


BY_NAME = {c.name: c for c in (Ringcast, Mroute)}
