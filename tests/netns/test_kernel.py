#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs on the router that join groups on its upstream: one membership with the kernel."""

from libnetns import (GROUP, LANS, PLAIN, QUICK, SSM_GROUP, case, main, wait_for, wait_record,
                      wire)
from manager import ManagedDaemon

GROUP6 = "ff0e::1:2:3"
ONLY_NET_RAW = ["setpriv", "--inh-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"]
TAKES_AWAY = "TO_IN", "BLOCK", "LEAVE"


def held(d, interface="wan"):
    return {g["group"]: g["sources"] for u in d.show("upstream")["upstream"]
            if u["interface"] == interface for g in u["kernel"]}


def wait_held(d, group, is_held=True):
    wait_for(10, lambda: (group in held(d)) == is_held,
             f"{group} is {'' if is_held else 'not '}held by the kernel")


def wait_repeated(d, group):
    wait_for(10, lambda: not d.upstream_group(group)["pending"], "repeats are out")


def of(group, types):
    return lambda m: isinstance(m, wire.Record) and m.group == group and m.type in types


def everything(tap, group):
    """What was said about a group, in order."""
    return [m.type for f in tap.frames() for m in wire.igmp(f) + wire.mld(f)
            if isinstance(m, wire.Record) and m.group == group]


def last_word(tap, group, settled=1.2):
    """The types of records about a group until nothing has been said for a while."""
    got, quiet = [], [0.0]

    def silent():
        new = everything(tap, group)
        got.extend(new)
        quiet[0] = 0.0 if new else quiet[0] + 0.03
        return quiet[0] > settled
    wait_for(20, silent, f"nothing more is said about {group}")
    return got


def membership(b, ipv6=False, config=PLAIN, start=None, **kw):
    """A LAN that wants the group, reported and repeated."""
    group = GROUP6 if ipv6 else GROUP
    t = b.topology(ipv6=ipv6)
    d = (start or b.run)(t, config, **kw)
    b.receiver(t.hosts["lan1"], group)
    d.wait_member("lan1", group)
    wait_repeated(d, group)
    return t, d, group


def program_ends(b, t, d, group):
    """A program joins and leaves: after the kernel's leave comes our join."""
    p0 = b.tap(t.provider, "p0")
    program = b.receiver(t.router, group, interface="wan")
    wait_held(d, group)
    program.leave()
    wait_held(d, group, False)
    said = last_word(p0, group)
    assert any(x in TAKES_AWAY for x in said), f"the kernel left: {said}"
    assert said[-1] not in TAKES_AWAY, f"the last word is a leave: {said}"


@case("K01 the leave of a program is followed by what the LANs want")
def after_a_program(b):
    program_ends(b, *membership(b))


@case("K01 the same for MLD")
def after_a_program_mld(b):
    program_ends(b, *membership(b, ipv6=True))


@case("K01 the same with CAP_NET_RAW alone")
def with_net_raw(b):
    program_ends(b, *membership(b, wrap=ONLY_NET_RAW))


@case("K01 the same after a reload")
def after_a_reload(b):
    t, d, group = membership(b)
    d.write(PLAIN + "query-interval 4\n")
    assert d.ctl_run("reload").returncode == 0
    program_ends(b, t, d, group)


@case("K01 the same after an upgrade in place")
def after_an_upgrade(b):
    def start(t, config):
        b.daemon = b.own(ManagedDaemon(t.router, config))
        b.daemon.start()
        return b.daemon
    t, d, group = membership(b, start=start)
    assert d.ctl_run("upgrade").returncode == 0
    wait_for(20, lambda: d.ctl_run("version").returncode == 0, "the successor answers")
    program_ends(b, t, d, group)


@case("K01 a program that names a source does not narrow what a LAN wants")
def source_program(b):
    t, d, group = membership(b)
    p0 = b.tap(t.provider, "p0")
    program = b.receiver(t.router, group, interface="wan", source=t.SOURCE2)
    wait_for(10, lambda: held(d).get(group) == [t.SOURCE2], "the kernel holds one source")
    program.leave(t.SOURCE2)
    wait_held(d, group, False)
    assert last_word(p0, group)[-1] == "TO_EX"
    assert d.upstream_group(group)["mode"] == "exclude"


@case("K02 nothing is left that a program holds, until it has left as well")
def program_stays(b):
    t = b.topology()
    d = b.run(t, QUICK)
    program = b.receiver(t.router, GROUP, interface="wan")
    wait_held(d, GROUP)
    viewer = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    wait_repeated(d, GROUP)
    p0 = b.tap(t.provider, "p0")
    viewer.leave()
    d.wait_no_member("lan1", GROUP)
    assert not set(last_word(p0, GROUP)) & set(TAKES_AWAY)
    program.leave()
    wait_record(p0, of(GROUP, TAKES_AWAY), "the leave")
    wait_for(10, lambda: not d.upstream_group(GROUP), "it is no membership of ours")


@case("K02 the end of the daemon leaves a program its sources, and nothing else")
def at_the_end(b):
    t = b.topology()
    d = b.run(t)
    groups = [GROUP, SSM_GROUP, "239.1.2.9"]
    b.receiver(t.router, GROUP, interface="wan")
    b.receiver(t.router, SSM_GROUP, interface="wan", source=t.SOURCE)
    for g in groups:
        b.receiver(t.hosts["lan1"], g)
        d.wait_member("lan1", g)
        wait_repeated(d, g)
    p0 = b.tap(t.provider, "p0")
    assert d.stop() == 0
    wait_record(p0, of("239.1.2.9", TAKES_AWAY), "the leave of what nobody else holds")
    said = [m for m in p0.igmp() if isinstance(m, wire.Record)]
    assert not [m for m in said if m.group == GROUP and m.type in TAKES_AWAY], said


@case("K02 a reload without the upstream leaves nothing that a program holds")
def upstream_removed(b):
    t, d, group = membership(b)
    b.receiver(t.router, group, interface="wan")
    wait_held(d, group)
    p0 = b.tap(t.provider, "p0")
    d.write("phyint wan disabled\nphyint lan2 upstream\nphyint lan1 downstream\n")
    assert d.ctl_run("reload").returncode == 0
    assert not set(last_word(p0, group)) & set(TAKES_AWAY)


@case("K01 what another daemon of this host says on a LAN is nobody's business")
def on_a_lan(b):
    t = b.topology()
    d = b.run(t, "quickleave\n" + PLAIN.replace(LANS, "phyint lan1 downstream\n"))
    b.receiver(t.router, GROUP, interface="lan1").leave()
    assert held(d, "lan1") == {}


if __name__ == "__main__":
    main()
