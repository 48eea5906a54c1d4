#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The file as a user meets it: real igmpproxy files, -C, and errors that name the place."""

import os
import re
import subprocess

from libnetns import PLAIN, WAN, Daemon, Skip, case, main, ringcast

REAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")


def ringcastd(*args):
    return subprocess.run([ringcast.binary("ringcastd"), "-d", *args], capture_output=True,
                          text=True, timeout=20)


def refused(text, line, column, *words):
    path = "/run/broken.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    for args in (["-C", path], ["-n", path]):
        r = ringcastd(*args)
        said = r.stdout + r.stderr
        assert r.returncode == 2, r
        assert re.search(rf"^.*{path}:{line}:{column}: \S", said, re.M), said
        for word in words:
            assert word in said, said


def loads(name):
    r = ringcastd("-C", os.path.join(REAL, name))
    assert r.returncode == 0, r
    return r.stdout + r.stderr


@case("the Movistar file loads: VLANs, threshold 3, altnet 172.0.0.0/8")
def movistar(b):
    said = loads("conf-movistar.in")
    assert "vlan2" in said and "vlan10" in said, said


@case("the IPFire file loads: VLAN upstream, semicolons, altnet in 239/8 warns")
def ipfire_vlan(b):
    said = loads("conf-ipfire-vlan8.in")
    assert "red0.8" in said and "239.0.0.0/8" in said and "remove it" in said, said


@case("the IPFire BNG file loads: PPP upstream, an interface without a role")
def ipfire_ppp(b):
    said = loads("conf-ipfire-ppp.in")
    assert "ppp0" in said and "232.0.0.0/8" in said, said


@case("an unknown word: exit 2 with line and column")
def unknown_word(b):
    refused(WAN + "phyint lan1 downstream\n  treshold 3\n", 3, 3, "treshold")


@case("a number out of range: exit 2 with line and column")
def out_of_range(b):
    refused(WAN + "phyint lan1 downstream threshold 300\n", 2, 34, "300")


@case("no upstream: exit 2")
def no_upstream(b):
    path = "/run/no-upstream.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write("phyint lan1 downstream\n")
    r = ringcastd("-C", path)
    assert r.returncode == 2 and "upstream" in r.stdout + r.stderr, r


@case("a file that does not exist: exit 2, named")
def no_file(b):
    r = ringcastd("-n", "/run/nowhere.conf")
    assert r.returncode == 2 and "/run/nowhere.conf" in r.stdout + r.stderr, r


@case("usage errors exit 1; -h and -V exit 0")
def usage(b):
    assert ringcastd("-n").returncode == 1
    assert ringcastd("--no-such-option").returncode == 1
    assert ringcastd("-h").returncode == 0
    version = ringcastd("-V")
    assert version.returncode == 0 and re.search(r"\d+\.\d+\.\d+", version.stdout)


@case("N37 long options are the short ones; -C without a file checks that of the service")
def long_options(b):
    for short, long in (("-h", "--help"), ("-V", "--version")):
        assert ringcastd(short).stdout == ringcastd(long).stdout != ""
    path = "/run/long.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write(PLAIN)
    assert ringcastd("--check", path).stdout == ringcastd("-C", path).stdout != ""
    t = b.topology()
    d = b.daemon = b.own(Daemon(t.router, PLAIN, start=False))
    d.verbose = ("--foreground", "--debug", "--verbose", "--verbose")
    d.start()
    assert d.ctl_run("log").stdout.strip().endswith("debug"), d.ctl_run("log")
    for words in ([], ["--check"], ["--foreground"], ["-C", path, path]):
        r = ringcastd(*words)
        if words == ["--check"]:
            assert re.search(r"/etc/ringcast.conf", r.stdout + r.stderr), r
        else:
            assert r.returncode == 1 and "exactly one configuration file" in r.stderr, r


@case("K23 interfaces that are not there are named, with those that are: -C, start, reload")
def missing_interfaces(b):
    t = b.topology()
    path = "/run/missing.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write("phyint igb0 upstream\nphyint lo downstream\nphyint ppp* downstream\n")
    r = ringcastd("-C", path)
    assert r.returncode == 0 and "no interface igb0" in r.stderr, r
    d = b.run(t, PLAIN + "phyint br-lan downstream\n")
    d.wait_log("there is no interface br-lan; the interfaces of this system: ")
    d.write(PLAIN + "phyint wan.7 downstream\n")
    assert d.ctl_run("reload").returncode == 0
    d.wait_log("there is no interface wan.7; the interfaces of this system: ")


@case("-C says what keeps an interface from its role: down, no address, the port of a bridge")
def links(b):
    t = b.topology()
    path = "/run/links.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write("phyint wan upstream\nphyint lan1 downstream\nphyint lan2 downstream\n")

    if t.router.run("mount", "-t", "sysfs", "sysfs", "/sys", check=False).returncode:
        raise Skip("/sys of a namespace cannot be mounted here")

    def said():
        return t.router.run(ringcast.binary("ringcastd"), "-C", path).stderr
    assert "at the moment" not in said() and "port of" not in said(), said()
    t.router.ip("link", "set", "lan1", "down")
    t.router.ip("addr", "flush", "dev", "wan")
    t.router.ip("link", "add", "br0", "type", "bridge")
    t.router.ip("link", "set", "lan2", "master", "br0")
    with open(path, "a", encoding="utf-8") as f:
        f.write("channel-names none.m3u\nhost-names /run/links.conf\n")
    assert "channel-names none.m3u cannot be read: No such file" in said(), said()
    assert "host-names" not in said(), said()
    for words in ("lan1 is down at the moment", "wan has no IPv4 address at the moment",
                  "lan2 is a port of br0"):
        assert words in said(), said()


@case("K28 the loopback never becomes a port")
def loopback(b):
    t = b.topology()
    d = b.run(t, PLAIN + "phyint lo downstream\n")
    assert {i["name"] for i in d.show("interfaces")["interfaces"]} == {
        "wan", "lan1", "lan2"}


@case("what show config prints loads again and means the same")
def round_trip(b):
    t = b.topology()
    d = b.run(t, PLAIN)
    printed = d.table("config")
    d.write(printed)
    assert d.ctl_run("reload").returncode == 0
    assert d.table("config") == printed


if __name__ == "__main__":
    main()
