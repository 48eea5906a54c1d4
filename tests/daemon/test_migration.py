#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The chapters of doc/migration.md: each input file, converted or unchanged, forwards; and
ringcastd under the name of igmpproxy."""

import os
import re
import signal
import socket
import subprocess
import tempfile

from libnetns import (GROUP, Daemon, assert_continuous, case, lab, main, ringcast,
                      wait_datagrams, wait_for)

FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "migrate")

# name -> (files; what the user types: arguments of convert, an extra line or new names; upstream;
# downstreams; a sender that the file accepts)
CHAPTERS = {
    "igmpproxy": (["igmpproxy.conf"], None, "eth0", ["br0"], "172.16.5.5"),
    "Movistar+": (["movistar.conf"], "refresh-interval 60\n", "vlan2", ["vlan10"],
                  "172.26.22.23"),
    "IPFire, VLAN 8": (["ipfire-vlan8.conf"], None, "red0.8", ["green0"], "193.158.35.7"),
    "IPFire, BNG": (["ipfire-bng.conf"], None, "ppp0", ["green0"], "217.0.5.6"),
    "IMProxy": (["improxy.conf"], ["improxy"], "wan1", ["eth0.1", "eth0.3"],
                "198.51.100.9"),
    "VyOS, commands": (["vyos.commands"], ["vyos"], "eth0", ["eth1"], "10.0.1.9"),
    "VyOS, config.boot": (["vyos.boot"], ["vyos"], "eth0.4", ["eth1"], "203.0.113.8"),
    "OpenWrt": (["openwrt.network", "openwrt.igmpproxy"], ["openwrt"], "eth1.35", ["br-lan"],
                "217.166.3.4"),
    "OpenWrt, device given": (["openwrt.igmpproxy"],
                              ["openwrt", "--device", "iptv=eth0.4", "-d", "lan=br-lan"],
                              "eth0.4", ["br-lan"], "213.75.1.2"),
    "omcproxy": (["openwrt.network", "openwrt.omcproxy"], ["openwrt"], "pppoe-wan",
                 ["br-lan"], "198.51.100.77"),
    "pfSense": (["pfsense.conf"], {"igb0": "enp1s0", "igb1": "enp2s0"}, "enp1s0",
                ["enp2s0"], "198.51.100.77"),
    "UniFi": (["unifi.conf"], None, "iptv", ["br0"], "213.75.9.9"),
}


class House:
    """A router whose ports have the names of a configuration. The LANs end in one namespace, where
    port n is called h<n>. The namespaces are made once, the ports for each case."""

    namespaces = []

    def __init__(self, upstream, downstreams, source):
        if not House.namespaces:
            House.namespaces = [lab.Namespace(n) for n in ("provider", "router", "hosts")]
        self.provider, self.router, self.hosts = House.namespaces
        self.ports = [upstream, *downstreams]
        ends = [("p0", self.provider)] + [(f"h{n}", self.hosts)
                                          for n in range(len(downstreams))]
        near, far = [], {self.provider: [], self.hosts: []}
        for n, (port, (end, ns)) in enumerate(zip(self.ports, ends)):
            near += [f"link add {port} type veth peer name {end} netns {ns.path}",
                     f"link set {port} up", f"addr add 10.64.{n}.2/24 dev {port}"]
            far[ns] += [f"link set {end} up", f"addr add 10.64.{n}.1/24 dev {end}"]
        far[self.provider].append(f"addr add {source}/32 dev p0")
        self.router.ip_all(*near)
        for ns, commands in far.items():
            ns.ip_all(*commands)

    def close(self):
        self.router.ip_all(*(f"link del {port}" for port in self.ports))


def ringcastctl(*args):
    return subprocess.run([ringcast.binary("ringcastctl"), *args], capture_output=True,
                          text=True, timeout=20)


def configuration(files, step):
    """Returns the configuration that the chapter makes of its files."""
    paths = [os.path.join(FILES, f) for f in files]
    if isinstance(step, list):
        r = ringcastctl("convert", "--from", *step, *paths)
        assert r.returncode == 0 and not r.stderr, r
        return r.stdout
    with open(paths[0], encoding="utf-8") as f:
        text = f.read()
    if isinstance(step, dict):
        return re.sub(r"\b(\w+)\b", lambda m: step.get(m[1], m[1]), text)
    return (step or "") + text


def chapter(files, step, upstream, downstreams, source):
    def forwards(b):
        house = b.own(House(upstream, downstreams, source))
        b.daemon = d = b.own(Daemon(house.router, configuration(files, step), start=False))
        check = subprocess.run([ringcast.binary("ringcastd"), "-C", d.conf],
                               capture_output=True, text=True, timeout=20)
        assert check.returncode == 0 and f"come in on {upstream}" in check.stdout, check
        d.start()
        receivers = [b.receiver(house.hosts, interface=f"h{n}")
                     for n in range(len(downstreams))]
        b.stream(house, source=source)
        for r, name in zip(receivers, downstreams):
            assert_continuous(wait_datagrams(r, 20), at_least=20)
            assert d.group(name, GROUP), d.table("groups")
        assert d.upstream_group(GROUP), d.table("upstream")
    return forwards


for _name, _chapter in CHAPTERS.items():
    case(f"{_name}: the file of the chapter forwards")(chapter(*_chapter))


# ---- from nothing: doc/home.md and doc/hotel.md ----

def block(page, word):
    """Returns the block of a page that contains the word."""
    with open(os.path.join(FILES, "..", "..", "..", "doc", page), encoding="utf-8") as f:
        return next(text for text in re.findall(r"^```\n(.*?)^```", f.read(), re.M | re.S)
                    if word in text)


def explained(d, *args):
    return " ".join(d.ctl_run("explain", *args).stdout.split())


@case("doc/home.md: four lines, what it says without altnet, then a picture")
def home(b):
    text = block("home.md", "phyint")
    line, = re.findall(r"^ +altnet.*\n", text, re.M)
    house = b.own(House("iptv", ["eth1"], "213.75.5.5"))
    b.daemon = d = b.own(Daemon(house.router, text.replace(line, ""), start=False))
    d.start()
    r = b.receiver(house.hosts, interface="h0")
    b.stream(house, source="213.75.5.5")
    wait_for(10, lambda: "the last one just now from 213.75.5.5: that is in no subnet and no "
             "altnet of iptv" in explained(d, "udp://@239.1.2.3:5000"), "it names the sender")
    assert not r.receive()
    d.write(text)
    assert d.ctl_run("reload").returncode == 0
    assert_continuous(wait_datagrams(r, 20), at_least=20)


@case("doc/hotel.md: 40 rooms by a pattern, whitelist and limits, one ring")
def hotel(b):
    rooms = [f"eth1.{n}" for n in range(101, 141)]
    house = b.own(House("iptv", rooms + ["eth1.99"], "213.75.5.5"))
    b.daemon = d = b.own(Daemon(house.router, block("hotel.md", "phyint"), start=False))
    d.start()
    watching = b.receiver(house.hosts, interface="h6")
    refused = b.receiver(house.hosts, "239.200.1.1", interface="h12")
    devices = [b.receiver(house.hosts, f"239.1.5.{n}", interface="h11") for n in range(1, 6)]
    staff = b.receiver(house.hosts, interface="h40")
    b.stream(house, source="213.75.5.5")
    assert_continuous(wait_datagrams(watching, 20), at_least=20)
    table = lambda: d.table("interfaces")
    wait_for(10, lambda: re.search(r"^eth1\.113 +0 +[1-9]", table(), re.M), "a list refuses")
    wait_for(10, lambda: re.search(r"^eth1\.112 +[1-9].*max-groups-per-host \(4\)", table(), re.M),
             "a limit refuses")
    said = explained(d, GROUP)
    assert "no host on eth1.101, eth1.102," in said and "and 22 more has joined" in said, said
    assert d.ctl_run("explain", "239.200.1.1", "--on", "eth1.113").returncode == 1
    assert not refused.receive() and not staff.receive() and len(devices) == 5
    with open(f"/proc/{d.process.pid}/maps", encoding="ascii") as f:
        rings = [line for line in f if "socket:" in line]
    assert len(rings) == 1, rings
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        b.note(next(line.strip() for line in f if line.startswith("VmRSS")))


@case("doc/migration.md: the file in the chapter about smcroute forwards")
def smcroute(b):
    house = b.own(House("eth0", ["br0"], "172.16.5.5"))
    b.daemon = d = b.own(Daemon(house.router, block("migration.md", "altnet 172.16.5.5/32"),
                                start=False))
    d.start()
    r = b.receiver(house.hosts, interface="h0")
    b.stream(house, source="172.16.5.5")
    assert_continuous(wait_datagrams(r, 20), at_least=20)


# ---- a link named igmpproxy ----

class Syslog:
    """/dev/log as the commands that start with `wrap` see it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="dev-", dir="/run")
        for node in ("null", "zero", "urandom"):
            path = os.path.join(self.dir, node)
            with open(path, "wb"):
                subprocess.run(["mount", "--bind", "/dev/" + node, path], check=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind(os.path.join(self.dir, "log"))
        self.wrap = ["unshare", "--mount", "sh", "-c",
                     f'mount --rbind {self.dir} /dev && exec "$@"', "sh"]
        self.text = ""

    def read(self):
        while True:
            try:
                self.text += self.sock.recv(65536).decode(errors="replace") + "\n"
            except BlockingIOError:
                return self.text

    def close(self):
        self.sock.close()


class Igmpproxy:
    """ringcastd run through a link named igmpproxy, in the house of the first chapter."""

    def __init__(self, b, text=None):
        files, step, *rest = CHAPTERS["igmpproxy"]
        self.house = b.own(House(*rest))
        self.syslog = b.own(Syslog())
        self.link = os.path.join(self.syslog.dir, "igmpproxy")
        os.symlink(ringcast.binary("ringcastd"), self.link)
        self.socket = os.path.join(self.syslog.dir, "ctl.sock")
        self.conf = os.path.join(self.syslog.dir, "igmpproxy.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text or f"control-socket {self.socket}\n" + configuration(files, step))

    def command(self, *args):
        return self.syslog.wrap + [self.link, *args]

    def pid(self):
        """Returns the process id of the daemon, which is not a child of this test."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if f.read().startswith(self.link.encode() + b"\0"):
                        return int(pid)
            except OSError:
                continue
        return None

    def answers(self):
        return ringcastctl("-s", self.socket, "version").returncode == 0

    def forwards(self, b):
        b.stream(self.house, source=CHAPTERS["igmpproxy"][4])
        r = b.receiver(self.house.hosts, interface="h0")
        assert_continuous(wait_datagrams(r, 20), at_least=20)


@case("called igmpproxy it goes into the background and logs to syslog under that name")
def background(b):
    p = Igmpproxy(b)
    r = p.house.router.run(*p.command("-v", "-v", p.conf))
    pid = p.pid()
    try:
        assert p.answers(), "it answers as soon as the command has ended"
        assert os.getsid(pid) == pid, "a session of its own"
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            assert f.read() == "igmpproxy\n", "killall finds it"
        for fd in (0, 1, 2):
            # its /dev is another mount of the same device
            assert os.readlink(f"/proc/{pid}/fd/{fd}").endswith("/null"), fd
        p.forwards(b)
        assert f"igmpproxy[{pid}]: " in p.syslog.read(), p.syslog.text
        assert "debug" not in r.stdout
        os.kill(pid, signal.SIGHUP)     # igmpproxy would end
        wait_for(10, lambda: "reload" in p.syslog.read(), "the reload is logged")
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        pid = None
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@case("called igmpproxy: -n stays in the foreground, -d logs to standard error")
def foreground(b):
    p = Igmpproxy(b)
    for flags, to_stderr in ((["-n", "-v"], False), (["-d", "-v"], True)):
        p.syslog.read()
        p.syslog.text = ""
        err = os.path.join(p.syslog.dir, "err")
        with open(err, "w", encoding="utf-8") as f:
            process = p.house.router.popen(*p.command(*flags, p.conf), stderr=f)
        wait_for(10, p.answers, "it answers")
        start = os.path.getsize(err)
        process.send_signal(signal.SIGHUP)
        if to_stderr:
            wait_for(10, lambda: os.path.getsize(err) > start, "the reload is logged")
        else:
            wait_for(10, lambda: "igmpproxy[" in p.syslog.read() and
                     "reload" in p.syslog.text, "the reload is logged")
        process.terminate()
        assert process.wait(20) == 0
        assert (os.path.getsize(err) > start) == to_stderr
        assert to_stderr == (not p.syslog.read()), p.syslog.text


@case("called igmpproxy: why it does not start is on standard error and in syslog")
def fails(b):
    p = Igmpproxy(b, "phyint eth0 upstrem\n")
    for flags in ([], ["-n"]):
        r = p.house.router.run(*p.command(*flags, p.conf), check=False)
        assert r.returncode == 2, r
        assert f"{p.conf}:1:13: " in r.stderr, r.stderr
        assert f"{p.conf}:1:13: " in p.syslog.read(), p.syslog.text
        p.syslog.text = ""
    # the usage is the same as igmpproxy's, and names igmpproxy
    r = subprocess.run([p.link], capture_output=True, text=True, timeout=20)
    assert r.returncode == 1 and "configuration file" in r.stderr, r
    r = subprocess.run([p.link, "-h"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and "[-h] [-n] [-d] [-v [-v]] FILE" in r.stdout, r
    r = subprocess.run([p.link, "-x", p.conf], capture_output=True, text=True, timeout=20)
    assert r.returncode == 1, r


if __name__ == "__main__":
    main()
