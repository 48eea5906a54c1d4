# SPDX-License-Identifier: GPL-2.0-or-later
"""The test bed of the forwarding benchmark, in private namespaces:

    generator p0 10.0.0.1 ---- wan0 10.0.0.2 router l0 10.1.0.1 ---- s0 sinks
                                                    l1 10.1.1.1 ---- s1
                                                    ...

All sinks are in one namespace. A program at the ingress hook of each s<n> counts, checks and drops
(sink.bpf.c). It runs on the processor that receives the frame, so it costs the same with every
forwarder. """

import contextlib
import json
import os
import socket
import struct
import subprocess

import lab

SOURCE = "10.0.0.1"
FIRST = 1000          # SINK_FIRST_IFINDEX
MAX_PORTS = 256
TO_IN, TO_EX = 3, 4    # without sources, they mean leave and join
QUIET_MS = 50        # after this silence no datagram is in flight


def tool(name):
    """Returns the path of a built program or object of bench/."""
    build = os.environ.get("RINGCAST_BENCH_BUILD", os.path.join(lab.ROOT, "build", "release"))
    path = os.path.join(build, "bench", name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is not built; bench/run builds it where clang and "
                                "libbpf-dev are installed")
    return path


class Sink:
    """The counting program on `count` interfaces of a namespace, and its reader."""

    def __init__(self, ns, prefix, count):
        self.process = ns.popen(tool("bench_sink"), tool("sink.bpf.o"), prefix, str(count),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise lab.LabError("no eBPF counting program: " + self.process.stderr.read()[-2000:])
        return json.loads(line)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Bed:
    """The bed, with `ports` outputs, which take super-frames or not. With `gro`, the router merges
    datagrams that it receives."""

    def __init__(self, ports, superframes, gro=False):
        self.ports, self.superframes = ports, superframes
        self.one_core = False    # the generator shares the router's processor
        self.run = 0
        self.generator = lab.Namespace("generator")
        self.router = lab.Namespace("router")
        self.sinks = lab.Namespace("sinks")
        self.router.ip_all(
            f"link add wan0 index {FIRST} type veth peer name p0 netns generator",
            "addr add 10.0.0.2/24 dev wan0", "link set wan0 up")
        self.generator.ip_all("addr add 10.0.0.1/24 dev p0", "link set p0 up")
        self.sinks.ip_all(*(
            line for n in range(ports) for line in (
                f"link add s{n} index {FIRST + n} type veth peer name l{n} netns router",
                f"link set s{n} up")))
        self.router.ip_all(*(
            line for n in range(ports) for line in (
                f"addr add 10.1.{n}.1/24 dev l{n}", f"link set l{n} up")))
        self.generator.run("ethtool", "-K", "p0", "tx-udp-segmentation", "off")
        if gro:
            self.router.run("ethtool", "-K", "wan0", "gro", "on", "rx-udp-gro-forwarding", "on")
        if not superframes:
            self.router.run("sh", "-c", "for n in $(seq 0 $1); do ethtool -K l$n "
                            "tx-udp-segmentation off || exit 1; done", "sh", str(ports - 1))
        for key in ("all.rp_filter", "default.rp_filter", "wan0.rp_filter"):
            self.router.sysctl("net.ipv4.conf." + key, 0)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.sink = Sink(self.sinks, "s", ports)

    def rps(self, mask):
        """Set the processors that receive the frames of wan0; 0 means the processor that sent
        them."""
        script = ("mount -t sysfs sys /sys && "
                  f"echo {mask:x} > /sys/class/net/wan0/queues/rx-0/rps_cpus")
        r = subprocess.run(["unshare", "--mount", *self.router.command("sh", "-c", script)],
                           capture_output=True, text=True)
        if r.returncode:
            raise AssertionError(f"rps: {r.stderr}")

    def _flood(self, rate, seconds, case, extra, same_run):
        if not same_run:
            self.run = self.run % 65535 + 1
            self.sink.ask("run", self.run, case.size, case.skip())
        # with --spin, a realtime generator would starve the kernel's own threads
        flow = case.flood()
        if self.one_core:    # it would leave the router nothing
            flow = tuple(word for word in flow if word != "--spin")
        first = () if "--spin" in (*flow, *extra) else ("--realtime",)
        return (tool("bench_flood"), *first, "--interface", "p0", "--rate", str(rate), "--seconds",
                str(seconds), *flow, "--run", str(self.run), "--cpu",
                str(int(self.one_core)), *extra)

    def flood(self, rate, seconds, case, extra=(), same_run=False):
        """Send a run, or a part of the current one; returns the generator's report."""
        r = self.generator.run(*self._flood(rate, seconds, case, extra, same_run))
        return json.loads(r.stdout)

    @contextlib.contextmanager
    def flood_during(self, rate, seconds, case, extra=()):
        """Send for `seconds`, until the `with` block ends. Yields a list, to which the generator's
        report is appended at the end."""
        process = self.generator.popen(*self._flood(rate, seconds, case, extra, False),
                                       stdout=subprocess.PIPE)
        said = []
        try:
            yield said
            said.append(json.loads(process.communicate(timeout=seconds + 30)[0]))
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def flooding(self, rate, seconds, case, extra=()):
        """Send as long as the `with` block runs."""
        process = self.generator.popen(*self._flood(rate, seconds, case, extra, False),
                                       stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def join(self, groups, ports, kind=TO_EX):
        """Send IGMPv3 reports from the host at each port, which join the groups from any
        source."""
        sock = self.sinks.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with sock:
            for n in ports:
                for first in range(0, groups, 180):
                    some = range(first, min(first + 180, groups))
                    sock.sendto(report(n, some, kind), (f"s{n}", 0x800))

    def close(self):
        self.sink.close()
        for ns in (self.generator, self.router, self.sinks):
            ns.delete()


def group(n):
    return f"239.1.{n >> 8}.{n & 255}"


def inet_sum(octets):
    if len(octets) % 2:
        octets += b"\0"
    s = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return 0xffff - s


def report(port, groups, kind=TO_EX):
    """Returns an Ethernet frame with a report about these groups from the host at the port."""
    body = b"".join(struct.pack("!BBH4s", kind, 0, 0, socket.inet_aton(group(g)))
                    for g in groups)
    head = struct.pack("!BBHHH", 0x22, 0, 0, 0, len(body) // 8)
    igmp = head[:2] + struct.pack("!H", inet_sum(head + body)) + head[4:] + body
    ip = struct.pack("!BBHHHBBH4s4s4s", 0x46, 0xc0, 24 + len(igmp), 0, 0, 1, 2, 0,
                     socket.inet_aton(f"10.1.{port}.2"), socket.inet_aton("224.0.0.22"),
                     b"\x94\x04\0\0")
    ip = ip[:10] + struct.pack("!H", inet_sum(ip)) + ip[12:]
    return (bytes.fromhex("01005e000016") + b"\x02\0\0\0\1" + bytes([port]) +
            b"\x08\0" + ip + igmp)
