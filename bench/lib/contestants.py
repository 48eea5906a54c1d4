# SPDX-License-Identifier: GPL-2.0-or-later
"""Who forwards: each is started in the router of a bed, and stopped."""

import subprocess

import bed as beds
import lab
import ringcast


class Ringcast:
    """ringcastd, every group joined by reports from behind every port."""

    name = "ringcastd"
    max_ports = beds.MAX_PORTS

    def __init__(self, bed, groups, cores, ports=None, options=()):
        self.ports = bed.ports if ports is None else ports
        bed.rps(2 if cores == 1 else 0)
        lines = [*options, "phyint wan0 upstream", "altnet 0.0.0.0/0"]
        lines += [f"phyint l{n} downstream" for n in range(self.ports)]
        self.daemon = ringcast.Daemon(bed.router, "\n".join(lines) + "\n",
                                      wrap=("taskset", "-c", "1"))
        want = {(beds.group(g), f"l{n}") for g in range(groups) for n in range(self.ports)}
        for _ in range(5):
            bed.join(groups, self.ports)
            try:
                lab.wait_for(4, lambda: want <= self._outputs(), "all groups are forwarded")
                return
            except AssertionError as e:
                missing = e
        raise missing

    def _outputs(self):
        return {(e["group"], out) for e in self.daemon.show("mfc")["mfc"] for out in e["out"]}

    def stop(self):
        self.daemon.stop()


class Mroute:
    """Kernel multicast routing with static entries."""

    name = "mroute"
    max_ports = 31

    def __init__(self, bed, groups, cores, ports=None, options=(), rps=2):
        self.ports = min(bed.ports if ports is None else ports, self.max_ports)
        bed.rps(rps)
        self.process = bed.router.popen(
            beds.tool("bench_mroute"), beds.SOURCE, str(self.ports), str(groups),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise lab.LabError("no kernel multicast routing: " + self.process.stderr.read())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
