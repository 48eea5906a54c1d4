#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reload: by SIGHUP and by ringcastctl, with errors, and under a running stream."""

from libnetns import (FAST, GROUP, LANS, PLAIN, WAN, assert_continuous, case, main,
                      wait_datagrams, wait_for)

BROKEN = PLAIN + "phyint lan3 sideways\n"
WITHOUT_LAN2 = FAST + WAN + "phyint lan1 downstream\n"


def playing(b, config=PLAIN):
    t = b.topology()
    d = b.run(t, config)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    return t, d, r, wait_datagrams(r, 20)


def still_without_gap(r, got, n=150):
    got += wait_datagrams(r, n)
    assert_continuous(got, at_least=n)


@case("ringcastctl reload of a broken file: says where, keeps the running configuration")
def control_error(b):
    _, d, r, got = playing(b)
    before = d.table("config")
    d.write(BROKEN)
    reply = d.ctl_run("reload")
    assert reply.returncode != 0
    line = BROKEN.count("\n")
    assert f"ringcast.conf:{line}:" in reply.stdout + reply.stderr, reply
    assert d.table("config") == before
    still_without_gap(r, got)


@case("SIGHUP with a broken file: logged with line and column, running configuration kept")
def hup_error(b):
    _, d, r, got = playing(b)
    before = d.table("config")
    d.write(BROKEN)
    d.hup()
    d.wait_log(f"ringcast.conf:{BROKEN.count(chr(10))}:")
    assert d.table("config") == before
    still_without_gap(r, got)


@case("a file that vanished: reload fails, the stream continues")
def no_file(b):
    import os
    _, d, r, got = playing(b)
    os.unlink(d.conf)
    assert d.ctl_run("reload").returncode != 0
    still_without_gap(r, got)


@case("reload keeps an unchanged stream without losing a datagram")
def seamless(b):
    _, d, r, got = playing(b)
    for round_ in range(5):
        config = (PLAIN, WITHOUT_LAN2)[round_ % 2]
        d.write(config.replace("phyint wan upstream",
                               f"phyint wan upstream altnet 172.16.{round_}.0/24"))
        assert d.ctl_run("reload").returncode == 0
        got += wait_datagrams(r, 60)
    assert_continuous(got, at_least=300)
    assert "172.16.4.0/24" in d.table("config")


@case("SIGHUP takes a new downstream in, and out again")
def add_remove(b):
    t, d, _, _ = playing(b, WITHOUT_LAN2)
    assert not any(i["name"] == "lan2" and i["role"] == "downstream"
                   for i in d.show("interfaces")["interfaces"])
    r = b.receiver(t.hosts["lan2"])
    d.write(PLAIN)
    d.hup()
    wait_datagrams(r, 50)
    tap = b.tap(t.hosts["lan2"], "eth0")
    d.write(WITHOUT_LAN2)
    assert d.ctl_run("reload").returncode == 0
    tap.frames()
    d.wait_no_member("lan2", GROUP)
    wait_for(10, lambda: len([u for u in tap.udp()]) == 0, "lan2 gets nothing any more")


@case("reload applies a filter to members that are there already")
def filter_applies(b):
    t, d, r, _ = playing(b)
    d.write(FAST + WAN + LANS.replace("lan1 downstream",
                                      f"lan1 downstream blacklist {GROUP}/32"))
    assert d.ctl_run("reload").returncode == 0
    d.wait_no_member("lan1", GROUP)
    r.receive()
    other = b.receiver(t.hosts["lan2"])
    wait_datagrams(other, 50)
    assert not r.receive(), "the refused group is still forwarded"


@case("an interface that is new in the file does not inherit the counters of another")
def counters_stay_with_the_name(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    b.stream(t, source="172.16.5.5")
    wait_for(10, lambda: "refused on wan" in d.ctl_run("explain", GROUP).stdout, "it is refused")
    d.write(FAST + "phyint lan1 upstream\nphyint wan downstream\n")
    assert d.ctl_run("reload").returncode == 0
    assert "refused" not in d.ctl_run("explain", GROUP).stdout, d.ctl_run("explain", GROUP)
    d.write(FAST + "phyint ppp0 upstream\nphyint lan1 downstream\n")
    assert d.ctl_run("reload").returncode == 0
    assert "refused" not in d.ctl_run("explain", GROUP).stdout, d.ctl_run("explain", GROUP)
    assert d.interface("ppp0")["ring_packets"] == 0, d.interface("ppp0")


@case("the reply to reload says what is not in force, or is not there")
def reply_warns(b):
    t = b.topology(lans=1)
    d = b.run(t, FAST + WAN + "phyint lan1 downstream\n")
    d.write("metrics-listen :9337\nseccomp off\n" + FAST + "phyint lan1 downstream\n"
            "phyint ppp7 upstream\n")
    reply = d.ctl_run("reload")
    assert reply.returncode == 0 and "configuration reloaded" in reply.stdout, reply
    for words in ("seccomp cannot change while running", "metrics-listen: port 9337 cannot be bound",
                  "there is no interface ppp7"):
        assert f"warning: {words}" in reply.stdout, reply.stdout
        assert words in d.log(), d.log()
    d.write(FAST + WAN + "phyint lan1 downstream\n")
    assert "there is no" not in d.ctl_run("reload").stdout


@case("log LEVEL changes the level of the running daemon")
def log_level(b):
    _, d, _, _ = playing(b)
    for level in ("debug", "warning", "info"):
        assert d.ctl_run("log", level).returncode == 0, level
    assert d.ctl_run("log", "loudest").returncode != 0


if __name__ == "__main__":
    main()
