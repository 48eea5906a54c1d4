#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two providers at one router: two instances, or one instance that speaks with its provider on one
interface and receives its data on another."""

from libnetns import (FAST, GROUP, Record, Sender, assert_continuous, case, link, main,
                      number, numbers, wait_datagrams, wait_for, wait_record)
from packets import Wire, query

SECOND = "10.9.0.1"
TWO = FAST + """
instance tv
    phyint wan upstream
    phyint lan1 downstream
instance radio
    phyint wan2 upstream
    phyint lan2 downstream
"""
SPLIT = FAST + """
phyint wan upstream
    report-interface wan2
phyint lan1 downstream
"""


def second_provider(t):
    """provider2 p0 10.9.0.1 ---- wan2 10.9.0.2 router"""
    ns = t.namespace("provider2")
    link(ns, "p0", t.router, "wan2")
    ns.ip("addr", "add", SECOND + "/24", "dev", "p0")
    t.router.ip("addr", "add", "10.9.0.2/24", "dev", "wan2")
    return ns


def of_group(group):
    return lambda m: isinstance(m, Record) and m.group == group


def groups_of(messages):
    return {m.group for m in messages if isinstance(m, Record)}


@case("R200 R132 two instances: each reports to its own provider and gets its own streams")
def two_instances(b):
    t = b.topology()
    provider2 = second_provider(t)
    d = b.run(t, TWO)
    one, two = b.tap(t.provider, "p0"), b.tap(provider2, "p0")
    r1, r2 = b.receiver(t.hosts["lan1"]), b.receiver(t.hosts["lan2"])
    b.receiver(t.hosts["lan2"], "239.2.2.2")
    d.wait_member("lan1", GROUP)
    seen2 = wait_record(two, of_group("239.2.2.2"), "the second instance reports")
    if GROUP not in groups_of(seen2):
        seen2 += wait_record(two, of_group(GROUP), "and its other group")
    seen1 = wait_record(one, of_group(GROUP), "the first instance reports")
    assert groups_of(seen1) == {GROUP} and groups_of(seen2) == {GROUP, "239.2.2.2"}

    # the same group from both providers; the numbers tell the streams apart
    s1, s2 = b.own(Sender(t.provider)), b.own(Sender(provider2, "p0", SECOND))
    for i in range(20):
        s1.send(number(i), GROUP)
        s2.send(number(1000 + i), GROUP)
    assert numbers(wait_datagrams(r1, 20)) == list(range(20))
    assert numbers(wait_datagrams(r2, 20)) == list(range(1000, 1020))
    assert not r1.receive() and not r2.receive()
    rows = {(e["instance"], e["group"]): e["out"] for e in d.show("mfc")["mfc"]
            if e["origin"] == "*"}
    assert rows[("tv", GROUP)] == ["lan1"] and rows[("radio", GROUP)] == ["lan2"], rows
    assert d.interface("lan2")["instance"] == "radio"
    assert "downstream, radio" in d.table("interfaces")


@case("R117 a query of one provider is answered to that one only")
def query_on_one(b):
    t = b.topology()
    provider2 = second_provider(t)
    d = b.run(t, TWO)
    b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan2"])
    wait_for(10, lambda: all(
        [g["group"] for g in u["groups"] if not g["pending"]] == [GROUP]
        for u in d.show("upstream")["upstream"]), "both have joined and said it twice")
    one, two = b.tap(t.provider, "p0"), b.tap(provider2, "p0")
    b.own(Wire(provider2, "p0")).send(query(SECOND))
    wait_record(two, of_group(GROUP), "the answer")
    assert not groups_of(one.igmp())
    b.own(Wire(t.provider, "p0")).send(query(t.SOURCE))
    wait_record(one, of_group(GROUP), "the other answer")
    assert not groups_of(two.igmp())


@case("R200 an instance that a reload removes leaves its groups, the other one's stream "
      "continues")
def instance_removed(b):
    t = b.topology()
    provider2 = second_provider(t)
    d = b.run(t, TWO)
    two = b.tap(provider2, "p0")
    r = b.receiver(t.hosts["lan1"])
    b.receiver(t.hosts["lan2"])
    d.wait_member("lan1", GROUP)
    d.wait_member("lan2", GROUP)
    stream = b.stream(t)
    wait_datagrams(r, 30)
    two.igmp()
    d.write(TWO.split("instance radio")[0])
    d.hup()
    wait_record(two, lambda m: isinstance(m, Record) and m.type == "TO_IN"
                and m.group == GROUP, "the second instance leaves")
    d.wait_log("reloaded")
    assert d.interface("wan2") is None
    sent = stream.sent
    got = []
    wait_for(10, lambda: got.extend(r.receive()) or
             (got and int.from_bytes(got[-1][0][:4], "big") > sent + 30), "it continues")
    seen = numbers(got)
    assert seen == list(range(seen[0], seen[0] + len(seen))), "datagrams are missing"


@case("R200 reloads that add, move and remove other instances: a stream loses nothing")
def untouched(b):
    t = b.topology()
    second_provider(t)
    tv = TWO[TWO.index("instance tv"):TWO.index("instance radio")]
    radio = TWO[TWO.index("instance radio"):]
    spare = "instance spare\n phyint wan3 upstream\n phyint lan3 downstream\n"
    d = b.run(t, FAST + tv)
    r = b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)
    b.stream(t)
    got = wait_datagrams(r, 20)
    for others in (tv + radio, radio + tv, spare + radio + tv, radio + tv + spare, tv,
                   radio.replace("lan2", "lan3") + tv, tv + radio):
        d.write(FAST + others)
        assert d.ctl_run("reload").returncode == 0
        names = {i["instance"] for i in d.show("interfaces")["interfaces"]}
        assert names == {n for n in ("tv", "radio", "spare") if "instance " + n in others}
        got += wait_datagrams(r, 40)
    assert_continuous(got, at_least=290)
    # the instance that was configured last works
    b.receiver(t.hosts["lan2"])
    d.wait_member("lan2", GROUP)


@case("report-interface: reports and queries on one interface, data on another")
def split(b):
    t = b.topology(lans=1)
    provider2 = second_provider(t)
    d = b.run(t, SPLIT)
    data, voice = b.tap(t.provider, "p0"), b.tap(provider2, "p0")
    r = b.receiver(t.hosts["lan1"])
    seen = wait_record(voice, of_group(GROUP), "the join on wan2")
    assert groups_of(seen) == {GROUP} and not groups_of(data.igmp())
    b.own(Sender(t.provider)).send(number(1), GROUP)
    b.own(Sender(provider2, "p0", SECOND)).send(number(2), GROUP)
    b.own(Sender(t.provider)).send(number(3), GROUP)
    assert numbers(wait_datagrams(r, 2)) == [1, 3], "data counts on wan only"
    wait_for(10, lambda: not d.upstream_group(GROUP)["pending"], "repeats are out")
    voice.igmp()
    b.own(Wire(t.provider, "p0")).send(query(t.SOURCE))
    b.own(Wire(provider2, "p0")).send(query(SECOND))
    wait_record(voice, of_group(GROUP), "the answer to the query on wan2")
    assert not groups_of(data.igmp())
    up = d.show("upstream")["upstream"][0]
    assert (up["interface"], up["report_interface"]) == ("wan", "wan2"), up
    assert up["ipv4"]["queries"] == 1, up
    r.leave()
    wait_record(voice, lambda m: isinstance(m, Record) and m.type == "TO_IN", "the leave")


@case("report-interface changed by a reload: the leave is sent on the old interface")
def split_reload(b):
    t = b.topology(lans=1)
    provider2 = second_provider(t)
    d = b.run(t, SPLIT)
    data, voice = b.tap(t.provider, "p0"), b.tap(provider2, "p0")
    b.receiver(t.hosts["lan1"])
    wait_record(voice, of_group(GROUP), "the join on wan2")
    d.write(SPLIT.replace("report-interface wan2", ""))
    d.hup()
    wait_record(voice, lambda m: isinstance(m, Record) and m.type == "TO_IN",
                "the leave on wan2")
    wait_record(data, lambda m: isinstance(m, Record) and m.type == "TO_EX",
                "the join on wan")


if __name__ == "__main__":
    main()
