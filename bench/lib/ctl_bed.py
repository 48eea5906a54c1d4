# SPDX-License-Identifier: GPL-2.0-or-later
"""The test bed of the control benchmark, and the programs that it measures:

    provider p0 ---- wan router lan1 ---- eth0 many hosts
                                lan2 ---- eth0 a well-behaved one

The router's process is on core 1, hosts and provider are on core 0. A process costs what the
scheduler charged to it: all its threads, their system calls, and the softirqs that they cause."""

import glob
import json
import os
import subprocess
import tempfile

import bed as beds
import lab
import ringcast

PEERS = os.path.join(lab.ROOT, "build", "peers", "usr", "sbin")


class Bed:
    def __init__(self, ipv6=False):
        self.topology = t = lab.Topology(lans=2, ipv6=ipv6)
        self.provider, self.router = t.provider, t.router
        self.lan = {1: t.hosts["lan1"], 2: t.hosts["lan2"]}
        # a forwarder in the kernel needs this, and more memberships than the default
        for key in ("all.rp_filter", "wan.rp_filter"):
            self.router.sysctl("net.ipv4.conf." + key, 0)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv4.igmp_max_memberships", 100000)
        self.router.sysctl("net.core.optmem_max", 1 << 30)

    def hosts(self, lan, mode, **options):
        """Run bench_igmp and return its output."""
        with self.start_hosts(lan, mode, **options) as p:
            return self.result(p)

    def start_hosts(self, lan, mode, **options):
        cmd = ["taskset", "-c", "0", beds.tool("bench_igmp"), "--source", f"10.0.{lan}.2"]
        for key, value in options.items():
            cmd += ["--" + key] + ([] if value is True else [str(value)])
        return self.lan[lan].popen(*cmd, mode, stdout=subprocess.PIPE)

    @staticmethod
    def result(process):
        out = process.communicate()[0]
        if process.returncode:
            raise AssertionError(f"bench_igmp: exit status {process.returncode}")
        return json.loads(out.splitlines()[-1])

    def start_flood(self, groups, rate, seconds, *extra):
        return self.provider.popen(
            beds.tool("bench_flood"), "--interface", "p0", "--rate", str(rate), "--seconds",
            str(seconds), "--groups", str(groups), "--in-row", "1", "--size", "128", "--run",
            "1", "--cpu", "0", *extra, stdout=subprocess.DEVNULL)

    def close(self):
        self.topology.close()


class _Process:
    """The common part of all contestants."""

    def cpu_ns(self):
        """Returns the processor time of all threads until now."""
        total = 0
        for path in glob.glob(f"/proc/{self.pid()}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        return total

    def control_ns(self):
        """Returns the processor time until now of the thread that reads membership messages."""
        with open(f"/proc/{self.pid()}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    def memory(self):
        """Returns the resident bytes."""
        with open(f"/proc/{self.pid()}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Quiet(ringcast.Daemon):
    """Runs without -v, as in production."""

    def spawn(self):
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(
                *self.wrap, ringcast.binary("ringcastd"), "-n", "-d", "-s", self.socket,
                self.conf, stdout=log, stderr=log)


class Ringcast(_Process):
    name = "ringcastd"

    def __init__(self, bed, options=(), limits=False):
        # one host plays thousands in bench/ctl, so the limits are off there
        off = () if limits else ("message-rate 0", "host-message-rate 0", "max-groups-per-host 0")
        config = "\n".join([*options, *off, "quickleave", "phyint wan upstream",
                            "altnet 0.0.0.0/0", "phyint lan1 downstream",
                            "phyint lan2 downstream", ""])
        self.daemon = _Quiet(bed.router, config, wrap=("taskset", "-c", "1"))

    def pid(self):
        return self.daemon.process.pid

    def sent(self):
        """Returns how many membership messages were sent to hosts and to the provider."""
        return self.daemon.show("stats")["control"]["sent"]

    def dropped(self):
        """Returns how many reports did not fit into the receive buffers."""
        return self.daemon.show("stats")["control"]["dropped"]

    def counted(self):
        """Returns the counters of messages that were not accepted."""
        s = self.daemon.show("stats")
        notes = s["control"]["notes"]
        out = {k: s["control"][k] for k in ("dropped", "limited", "records_limited", "hosts_sampled")}
        out["ring_drops"] = sum(p["ring_drops"] for p in s["ports"])
        out.update({k: notes[k] for k in ("group_limit", "host_quota", "host_limit")})
        return {k: v for k, v in out.items() if v}

    def kill(self):
        self.daemon.process.kill()
        self.daemon.process.wait()

    def again(self):
        self.daemon.start()

    def stop(self):
        self.daemon.stop()


class Igmpproxy(_Process):
    name = "igmpproxy"

    def __init__(self, bed, options=(), limits=False):
        path = os.path.join(PEERS, "igmpproxy")
        if not os.access(path, os.X_OK):
            raise lab.LabError("igmpproxy is not unpacked in build/peers")
        self.bed = bed
        with tempfile.NamedTemporaryFile("w", dir="/run", delete=False) as f:
            f.write("quickleave\nphyint wan upstream ratelimit 0 threshold 1\n"
                    "altnet 0.0.0.0/0\nphyint lan1 downstream ratelimit 0 threshold 1\n"
                    "phyint lan2 downstream ratelimit 0 threshold 1\n")
        os.chmod(f.name, 0o644)
        self.path, self.conf = path, f.name
        self.again()

    def again(self):
        self.process = self.bed.router.popen("taskset", "-c", "1", self.path, "-n", self.conf,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lab.wait_for(10, lambda: self.bed.router.read("/proc/net/ip_mr_vif").count("lan") == 2,
                     "igmpproxy has its interfaces")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def counted(self):
        return {"dropped": self.dropped()}

    @staticmethod
    def sent():
        """igmpproxy does not count the messages that it sends."""
        return None

    def pid(self):
        return self.process.pid

    def dropped(self):
        rows = self.bed.router.read("/proc/net/raw").splitlines()[1:]
        return sum(int(r.split()[-1]) for r in rows)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


BY_NAME = {c.name: c for c in (Ringcast, Igmpproxy)}
