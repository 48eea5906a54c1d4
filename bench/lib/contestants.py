# SPDX-License-Identifier: GPL-2.0-or-later
"""Who forwards: each is started in the router of a bed, and stopped."""

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
    """ringcastd, every group joined by reports from behind every port."""

    name = "ringcastd"
    max_ports = beds.MAX_PORTS

    def __init__(self, bed, case, options=()):
        self.ports = bed.ports
        bed.rps(2 if case.cores == 1 else 0)
        lines = [*options, "phyint wan0 upstream", "altnet 0.0.0.0/0"]
        lines += [f"phyint l{n} downstream" for n in range(self.ports)]
        self.daemon = _Daemon(bed.router, "\n".join(lines) + "\n",
                              wrap=("taskset", "-c", "1"))
        want = {beds.group(g): self.ports for g in range(case.groups)}
        for attempt in range(1, 6):
            bed.join(case.groups)
            try:
                lab.wait_for(4 * attempt, lambda: self._outputs() == want,
                             "all groups are forwarded to all ports")
                return
            except AssertionError:
                if attempt == 5:
                    raise

    def _outputs(self):
        return {e["group"]: len(e["out"]) for e in self.daemon.show("mfc")["mfc"]}

    def stop(self):
        self.daemon.stop()


class Mroute:
    """Kernel multicast routing with static entries."""

    name = "mroute"
    max_ports = 31

    def __init__(self, bed, case, rps=None):
        # it has 32 interfaces; wider cases are compared with its 16
        self.ports = bed.ports if bed.ports <= self.max_ports else 16
        # one core forwards a flow; the second one helps when there are many flows
        bed.rps(rps or (3 if case.cores == 2 and case.groups > 1 else 2))
        self.process = bed.router.popen(
            beds.tool("bench_mroute"), beds.SOURCE, str(self.ports), str(case.groups),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise lab.LabError("no kernel multicast routing: " + self.process.stderr.read())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
