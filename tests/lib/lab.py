# SPDX-License-Identifier: GPL-2.0-or-later
"""A laboratory of network namespaces for tools/demo and tests/daemon.

enter() moves the calling program into its own mount, PID and network namespaces (and a user
namespace if it is not root) and gives it a private /run. Everything that it then makes (named
namespaces, links, processes, control sockets) exists only there and vanishes when the program
ends, however it ends. Programs never see the namespaces of others.

Namespace is one named network namespace: run commands in it, open sockets in it.
Topology is the network that everything here uses:

    provider p0 10.0.0.1 ---- wan 10.0.0.2 router lan1 10.0.1.1 ---- eth0 10.0.1.2 lan1
                                             lan2 10.0.2.1 ---- eth0 10.0.2.2 lan2

With ipv6=True they also have 2001:db8::1, 2001:db8::2, 2001:db8:1::1 ...
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARKER = "RINGCAST_LAB"
CLONE_NEWNET = 0x40000000
POLL_S = 0.03

# socket options that the socket module lacks
IP_UNBLOCK_SOURCE, IP_BLOCK_SOURCE = 37, 38
IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP = 39, 40
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
IP_MULTICAST_ALL = 49
IPV6_MULTICAST_ALL = 29
MCAST_JOIN_GROUP, MCAST_BLOCK_SOURCE, MCAST_LEAVE_GROUP = 42, 43, 45
MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP = 46, 47

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Namespaces cannot be made here; the text says why."""


# message of unshare -> remedy
CURES = {
    "change root filesystem propagation":
        "/ is the root of a chroot and no mount point: outside, run "
        "mount --bind ROOT ROOT before chroot ROOT",
    "Operation not permitted": "run it with sudo",
}


def unshare():
    """Returns the command that starts a program in namespaces; LabError if it would fail."""
    for tool in ("unshare", "nsenter", "ip", "mount"):
        if not shutil.which(tool):
            raise LabError(f"{tool} is missing (packages util-linux, mount, iproute2)")
    cmd = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        cmd += ["--user", "--map-root-user"]
    probe = subprocess.run(cmd + ["true"], capture_output=True, text=True)
    if probe.returncode:
        said = probe.stderr.strip().replace("\n", "; ")
        cure = next((c for sign, c in CURES.items() if sign in said), "")
        raise LabError("no namespaces: " + said + (cure and f"; {cure}"))
    return cmd


def enter():
    """Start this program again inside private namespaces; returns in the inner one."""
    if os.environ.get(MARKER) == "inner":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "lab", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    cmd = unshare()
    sys.stdout.flush()
    os.environ[MARKER] = "inner"
    os.execvp("unshare", cmd + [sys.executable] + sys.argv)


def wait_for(seconds, condition, what):
    """Poll until condition() is true and return its value; AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(POLL_S)


def receive_buffer(sock, octets):
    """Set the largest receive buffer that the process may have."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, octets)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def die_with_parent():
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


class Namespace:
    def __init__(self, name, ipv6=False):
        self.name = name
        self.path = "/run/netns/" + name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._loopback_up()
        if ipv6:
            # addresses are usable at once, unless a test of duplicate address detection changes
            # this
            self.sysctl("net.ipv6.conf.all.accept_dad", 0)
            self.sysctl("net.ipv6.conf.default.accept_dad", 0)
            self.sysctl("net.ipv6.conf.default.accept_ra", 0)
        else:
            self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        # hosts accept any source, because the proxy filters
        self.sysctl("net.ipv4.conf.all.rp_filter", 0)
        self.sysctl("net.ipv4.conf.default.rp_filter", 0)

    def command(self, *cmd):
        """Returns the command that runs `cmd` here, for programs that start others. run() and
        popen() do not need it: a child begins in the namespace of the thread that starts it."""
        return ["nsenter", "--net=" + self.path, "--", *cmd]

    def run(self, *cmd, check=True, **kw):
        try:
            with self.inside():
                r = subprocess.run(cmd, capture_output=True, text=True, timeout=30, **kw)
        except FileNotFoundError as e:
            r = subprocess.CompletedProcess(cmd, 127, "", str(e))
        if check and r.returncode:
            raise AssertionError(f"{' '.join(cmd)}: {r.returncode}: {r.stdout}{r.stderr}")
        return r

    def popen(self, *cmd, preexec=None, **kw):
        def child():
            die_with_parent()
            if preexec:
                preexec()
        with self.inside():
            return subprocess.Popen(cmd, preexec_fn=child, text=True, **kw)

    def ip(self, *args):
        return self.run("ip", *args)

    def ip_all(self, *commands):
        """Run several ip commands, each one text, in one process."""
        return self.run("ip", "-batch", "-", input="\n".join(commands) + "\n")

    def sysctl(self, key, value):
        """Set it, if this kernel has it."""
        path = "/proc/sys/" + key.replace(".", "/")
        try:
            with self.inside(), open(path, "w", encoding="utf-8") as f:
                f.write(str(value))
        except FileNotFoundError:
            pass
        except OSError as e:
            raise AssertionError(f"{self.name}: cannot set {key}: {e.strerror}") from e

    def read(self, path):
        # /proc/net is that of the main thread
        path = path.replace("/proc/net/", "/proc/thread-self/net/")
        with self.inside(), open(path, encoding="utf-8") as f:
            return f.read()

    @contextlib.contextmanager
    def inside(self):
        """Sockets that our process opens within the `with` block belong to this namespace."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(self.path, "rb") as there:
            self._setns(there)
            try:
                yield
            finally:
                self._setns(home)

    def socket(self, *args):
        """Returns a socket of our process in this namespace."""
        with self.inside():
            return socket.socket(*args)

    def ifindex(self, name):
        """Returns the index of the link, or 0."""
        with self.inside():
            try:
                return socket.if_nametoindex(name)
            except OSError:
                return 0

    def delete(self):
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def _loopback_up(self):
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))

    @staticmethod
    def _setns(file):
        if _libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def link(a, a_if, b, b_if):
    """Make a veth pair between two namespaces, with both ends up."""
    a.ip_all(f"link add {a_if} type veth peer name {b_if} netns {b.path}",
             f"link set dev {a_if} up")
    b.ip("link", "set", "dev", b_if, "up")


class Topology:
    """Provider, router and `lans` LANs. If `hosts` is more than one, LAN n has hosts lan<n>,
    lan<n>b, lan<n>c ... behind a switch without snooping."""

    SOURCE = "10.0.0.1"
    SOURCE2 = "10.0.0.11"
    FOREIGN = "172.16.5.5"   # a source outside the upstream subnet
    SOURCE6 = "2001:db8::1"
    SOURCE6B = "2001:db8::11"
    FOREIGN6 = "2001:db8:ffff::5"

    def __init__(self, lans=2, hosts=1, ipv6=False):
        self.ipv6 = ipv6
        self.namespaces = []
        self.provider = self.namespace("provider")
        self.router = self.namespace("router")
        self.add_upstream()
        self.hosts = {}
        self.switches = {}
        for n in range(1, lans + 1):
            self.add_lan(n, hosts)

    def namespace(self, name):
        ns = Namespace(name, self.ipv6)
        self.namespaces.append(ns)
        return ns

    def add_upstream(self):
        link(self.provider, "p0", self.router, "wan")
        self.provider.ip_all(*(f"addr add {addr} dev p0" for addr in (
            self.SOURCE + "/24", self.SOURCE2 + "/24", self.FOREIGN + "/32")))
        self.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
        if self.ipv6:
            self.provider.ip_all(*(f"addr add {addr} dev p0 nodad" for addr in (
                self.SOURCE6 + "/64", self.SOURCE6B + "/64", self.FOREIGN6 + "/128")))
            self.router.ip("addr", "add", "2001:db8::2/64", "dev", "wan", "nodad")

    def add_lan(self, n, hosts=1):
        lan = f"lan{n}"
        names = [lan + suffix for suffix in ["", "b", "c", "d"][:hosts]]
        for name in names:
            if name not in self.hosts:
                self.hosts[name] = self.namespace(name)
        if hosts == 1:
            link(self.router, lan, self.hosts[lan], "eth0")
        else:
            self._switch(lan, names)
        self.router.ip("addr", "add", f"10.0.{n}.1/24", "dev", lan)
        for i, name in enumerate(names):
            self.hosts[name].ip("addr", "add", f"10.0.{n}.{i + 2}/24", "dev", "eth0")
        if self.ipv6:
            self.router.ip("addr", "add", f"2001:db8:{n}::1/64", "dev", lan, "nodad")
            for i, name in enumerate(names):
                self.hosts[name].ip("addr", "add", f"2001:db8:{n}::{i + 2}/64", "dev",
                                    "eth0", "nodad")

    def _switch(self, lan, names):
        sw = self.switches[lan] = self.namespace(lan + "sw")
        sw.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        sw.ip("link", "set", "br0", "up")
        link(self.router, lan, sw, "port0")
        for i, name in enumerate(names):
            link(self.hosts[name], "eth0", sw, f"port{i + 1}")
        for i in range(len(names) + 1):
            sw.ip("link", "set", f"port{i}", "master", "br0")

    def close(self):
        for ns in self.namespaces:
            ns.delete()


class Receiver:
    """An ordinary UDP receiver: a kernel socket that joined a group on one interface."""

    def __init__(self, ns, group, port=5000, source=None, interface="eth0", join=True):
        self.group, self.interface = group, ns.ifindex(interface)
        self._where = (ns, interface)
        self.sock = ns.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receive_buffer(self.sock, 8 << 20)
        self.sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)  # own groups only
        self.sock.bind((group, port))
        if join:
            self.join(source)

    def join(self, source=None):
        if source:
            self._source(IP_ADD_SOURCE_MEMBERSHIP, source)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, self._mreqn())

    def block(self, source):
        self._source(IP_BLOCK_SOURCE, source)

    def leave(self, source=None):
        if source:
            self._source(IP_DROP_SOURCE_MEMBERSHIP, source)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, self._mreqn())

    @property
    def address(self):
        ns, interface = self._where
        return ns.run("ip", "-4", "-o", "addr", "show", "dev", interface) \
            .stdout.split()[3].split("/")[0]

    def receive(self):
        """Returns everything that has arrived as a list of (payload, source address)."""
        got = []
        while True:
            try:
                data, peer = self.sock.recvfrom(65536)
            except BlockingIOError:
                return got
            got.append((data, peer[0]))

    def close(self):
        self.sock.close()

    def _mreqn(self):
        return struct.pack("=4s4si", socket.inet_aton(self.group), b"\0" * 4, self.interface)

    def _source(self, option, source):
        self.sock.setsockopt(socket.IPPROTO_IP, option,
                             b"".join(map(socket.inet_aton,
                                          (self.group, self.address, source))))


class Receiver6:
    """The same for IPv6 groups."""

    def __init__(self, ns, group, port=5000, source=None, interface="eth0", join=True):
        self.group, self.interface = group, ns.ifindex(interface)
        self.sock = ns.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receive_buffer(self.sock, 8 << 20)
        self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
        self.sock.bind((group, port, 0, self.interface))
        if join:
            self.join(source)

    def join(self, source=None):
        self._request(MCAST_JOIN_SOURCE_GROUP if source else MCAST_JOIN_GROUP, source)

    def block(self, source):
        self._request(MCAST_BLOCK_SOURCE, source)

    def leave(self, source=None):
        self._request(MCAST_LEAVE_SOURCE_GROUP if source else MCAST_LEAVE_GROUP, source)

    def _request(self, option, source):
        octets = struct.pack("=I4x", self.interface) + self._sockaddr(self.group)
        if source:
            octets += self._sockaddr(source)
        self.sock.setsockopt(socket.IPPROTO_IPV6, option, octets)

    @staticmethod
    def _sockaddr(addr):
        octets = struct.pack("=HHI", socket.AF_INET6, 0, 0) + \
            socket.inet_pton(socket.AF_INET6, addr)
        return octets.ljust(128, b"\0")  # struct sockaddr_storage

    receive = Receiver.receive
    close = Receiver.close


class Sender:
    """An ordinary UDP sender on one interface, with TTL 8 by default."""

    def __init__(self, ns, interface="p0", source=Topology.SOURCE):
        if ":" in source:
            self.sock = ns.socket(socket.AF_INET6, socket.SOCK_DGRAM, 0)
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                                 ns.ifindex(interface))
            self.sock.bind((source, 0))
            return
        self.sock = ns.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
        mreqn = struct.pack("=4s4si", b"\0" * 4, socket.inet_aton(source),
                            ns.ifindex(interface))
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn)
        self.sock.bind((source, 0))

    def send(self, payload, group, port=5000, ttl=8):
        if ":" in group:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        self.sock.sendto(payload, (group, port))

    def close(self):
        self.sock.close()


def main():
    """Print the reason if no laboratory can be made here."""
    try:
        unshare()
    except LabError as e:
        print(f"cannot make network namespaces: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
