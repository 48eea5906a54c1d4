# SPDX-License-Identifier: GPL-2.0-or-later
"""The forwarders that are compared. Each is started in the router of a bed, and stopped. The
generator is on core 0. With one core for the router, all of it is on core 1. With two, the receive
softirq is on core 0 (where the generator sends) and the thread of ringcastd on core 1; or two
threads of ringcastd are on both, together with the generator. The kernel forwards a flow on one
core only, so the second core helps it only with many flows, which are spread over both."""

import functools
import os
import shutil
import subprocess

import bed as beds
import lab
import oldkernel
import ringcast


class _Daemon(ringcast.Daemon):
    """Runs without the debug log, which would have a line for each of 255,000 joins."""

    def spawn(self):
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(*self.wrap, ringcast.binary("ringcastd"), "-n", "-d",
                                         "-s", self.socket, self.conf, preexec=self.preexec,
                                         stdout=log, stderr=log)


class Ringcast:
    """ringcastd. Hosts at all ports, or at some, join every group. The kernel may be made to
    refuse some calls."""

    name = "ringcastd"

    def __init__(self, bed, case, cores, options=(), members=None, threads=1, refuse=()):
        self.bed, self.ports = bed, bed.ports
        bed.rps(2 if cores == 1 else 0)
        if threads > 1:
            options = [*options, f"threads {threads}", "cpu-affinity 1,0"]
        lines = [*options, "phyint wan0 upstream", "altnet 0.0.0.0/0"]
        limits = "max-groups 0 max-groups-per-host 0"
        lines += [f"phyint l{n} downstream {limits}" for n in range(self.ports)]
        self.daemon = _Daemon(bed.router, "\n".join(lines) + "\n",
                              wrap=("taskset", "-c", "1" if threads == 1 else "0,1"),
                              preexec=functools.partial(oldkernel.refuse, *refuse)
                              if refuse else None)
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
        """Returns the resident bytes."""
        with open(f"/proc/{self.pid()}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def pid(self):
        # nsenter and taskset become the daemon
        return self.daemon.process.pid

    def stop(self):
        self.daemon.stop()


class _Held:
    """A program that forwards until its standard input ends."""

    def __init__(self, bed, *cmd):
        self.process = bed.router.popen(*cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            raise lab.LabError(f"{self.name}: {self.process.stderr.read().strip()[-500:]}")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Mroute(_Held):
    """Kernel multicast routing with static entries."""

    name = "mroute"
    max_ports = 31

    def __init__(self, bed, case, cores, options=()):
        # the kernel's routing supports 32 interfaces; in cases with more outputs it gets 16 outputs
        self.ports = bed.ports if bed.ports <= self.max_ports else 16
        bed.rps(3 if cores == 2 else 2)
        super().__init__(bed, beds.tool("bench_mroute"), beds.SOURCE, str(self.ports),
                         str(case.groups))


class Smcroute:
    """Debian's smcrouted, which makes the kernel's entries, with one group."""

    name = "smcroute"

    def __init__(self, bed, case, cores, options=()):
        self.ports = bed.ports
        bed.rps(2)
        unpacked = os.path.join(lab.ROOT, "build", "peers", "usr", "sbin", "smcrouted")
        path = unpacked if os.access(unpacked, os.X_OK) else shutil.which("smcrouted")
        if not path:
            raise lab.LabError("smcrouted is neither installed nor unpacked in build/peers")
        outputs = [f"l{n}" for n in range(self.ports)]
        lines = [f"phyint {i} enable ttl-threshold 1" for i in ["wan0", *outputs]]
        lines += [f"mroute from wan0 source {beds.SOURCE} group {beds.group(0)} to "
                  + " ".join(outputs)]
        with open("/run/smcroute.conf", "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        self.process = bed.router.popen(path, "-n", "-N", "-f", "/run/smcroute.conf",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lab.wait_for(10, lambda: len(bed.router.read("/proc/net/ip_mr_cache").split("\n")) > 2,
                     "smcrouted has made its entry")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Xdp(_Held):
    """The device map of XDP, as an upper limit. It works below the kernel's stack, with one fixed
    set of outputs, on the core of the generator, where the frames of a veth pair arrive."""

    name = "xdp"

    def __init__(self, bed, case, cores, options=()):
        self.ports, self.bed = bed.ports, bed
        bed.rps(0)
        # a veth accepts frames of XDP only if its peer polls
        self._poll("on")
        super().__init__(bed, beds.tool("bench_xdp"), beds.tool("xdp_fanout.bpf.o"),
                         str(self.ports))

    def _poll(self, value):
        self.bed.sinks.run("sh", "-c", "for n in $(seq 0 $1); do ethtool -K s$n gro $2 || "
                           "exit 1; done", "sh", str(self.ports - 1), value)

    def stop(self):
        super().stop()
        self._poll("off")


BY_NAME = {c.name: c for c in (Ringcast, Mroute, Smcroute, Xdp)}
