#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The LuCI application for OpenWrt. Its menu and rights fit the views and the plugin of rpcd; its
form writes what the init script reads; and its views run in node, with a stub of LuCI's API and
recorded answers."""

import json
import os
import re

from libservice import ROOT, OpenWrt, case, main, need, program, run, temporary, text_of

HERE = os.path.dirname(os.path.abspath(__file__))
APP = os.path.join(ROOT, "packaging", "openwrt", "luci-app-ringcast")
VIEWS = os.path.join(APP, "htdocs", "luci-static", "resources", "view")
NAME = "luci-app-ringcast"
EVIL = "<img src=x onerror=alert(1)>&amp;\"'"
NO_DAEMON = {"error": "cannot reach the daemon at /run/ringcast.sock"}
EXPLAINED = {"verdict": "refuse", "summary": "nobody on br-lan asks for it", "checks": [
    {"check": "member", "interface": "br-lan", "verdict": "refuse", "text": "no member",
     "advice": "join on a host"},
    {"check": "source", "interface": None, "verdict": "pass", "text": "fine", "advice": None}]}


def recorded():
    """Returns answers of a daemon by method."""
    return {method: [json.loads(text_of(ROOT, "tests", "golden", f"ctl-{name}.json"))]
            for method, name in (("interfaces", "interfaces"), ("streams", "mfc"),
                                 ("groups", "groups"))} | {"explain": [EXPLAINED]}


def view(name, **scenario):
    node = need("node")
    with temporary() as folder:
        path = os.path.join(folder, "scenario.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scenario, f)
        return json.loads(run(node, os.path.join(HERE, "luci_stub.js"),
                              os.path.join(VIEWS, "ringcast", name + ".js"), path))


def json_below_root(*path):
    return json.loads(text_of(APP, "root", "usr", "share", *path, NAME + ".json"))


@case("the menu leads to views that are there, for whoever has the rights")
def menu():
    entries = json_below_root("luci", "menu.d")
    rights = json_below_root("rpcd", "acl.d")
    assert list(rights) == [NAME]
    leaves = set()
    for path, entry in entries.items():
        assert path.startswith("admin/services/ringcast"), path
        assert set(entry) <= {"title", "order", "action", "depends"}, entry
        assert isinstance(entry["title"], str) and isinstance(entry["order"], int), entry
        assert set(entry.get("depends", {})) <= {"acl", "uci"}, entry
        assert set(entry.get("depends", {}).get("acl", [])) <= set(rights), entry
        if entry["action"]["type"] == "view":
            leaves.add(entry["action"]["path"] + ".js")
        else:
            assert entry["action"] == {"type": "firstchild"}, entry
            assert entry["depends"]["acl"] == [NAME], "children have the rights of this one"
    have = {os.path.relpath(os.path.join(folder, f), VIEWS)
            for folder, _, names in os.walk(VIEWS) for f in names}
    assert leaves == have, (leaves, have)


@case("the rights are those that the views use: reading by ubus, one file of UCI")
def rights():
    granted = json_below_root("rpcd", "acl.d")[NAME]
    assert set(granted) == {"description", "read", "write"}, granted
    assert granted["write"] == {"uci": ["ringcast"]}, granted
    assert granted["read"]["uci"] == ["ringcast"], granted
    offered = json.loads(run("sh", "-c", 'sed "/jshn.sh/d" "$1" | sh -s list', "sh", os.path.join(
        ROOT, "data", "openwrt", "ringcast.rpcd.in")))
    assert granted["read"]["ubus"] == {"ringcast": list(offered)}, (granted, list(offered))
    used = {(o, m) for o, m, _ in view("status", answers=recorded(), group="239.1.2.3")["calls"]}
    assert used == {("ringcast", m) for m in offered}, used


# ---- the form ----

# options -> the result of the init script, in the order of ringcast.conf
EXAMPLES = {
    ("ringcast", "quickleave"): ("1", "quickleave"),
    ("ringcast", "verbose"): ("3", None),
    ("ringcast", "keyword"): ("refresh-interval 60", "refresh-interval 60"),
    ("ringcast", "conffile"): ("/etc/ringcast.conf", None),
    ("phyint", "network"): ("lan", "phyint br-lan "),
    ("phyint", "direction"): ("downstream", " downstream"),
    ("phyint", "threshold"): ("7", "\tthreshold 7"),
    ("phyint", "altnet"): ("10.9.0.0/16", "\taltnet 10.9.0.0/16"),
    ("phyint", "whitelist"): ("239.0.0.0/8", "\twhitelist 239.0.0.0/8"),
    ("phyint", "blacklist"): ("239.1.0.0/16", "\tblacklist 239.1.0.0/16"),
    ("phyint", "fw_drop_ssdp"): ("1", "\tblacklist 239.255.255.250/32"),
    ("phyint", "keyword"): ("max-groups 64", "\tmax-groups 64"),
}


def options(form):
    return {(s["type"], o["name"]): o for s in form["sections"] for o in s["options"]}


def sections(have, leave_out=(), **chosen):
    """Returns a UCI file with every option of the form."""
    text = "config phyint\n\toption network wan\n\toption direction upstream\n"
    for kind in ("ringcast", "phyint"):
        text += f"config {kind}\n"
        for (section, name), o in have.items():
            if section == kind and name not in leave_out:
                word = "list" if o["kind"] == "DynamicList" else "option"
                value = chosen.get(name, EXAMPLES[section, name][0])
                text += f"\t{word} {name} '{value}'\n"
    return text


@case("each option of the form is one that the init script reads, and none is missing")
def form_options():
    form = view("config")
    assert form["config"] == "ringcast"
    script = text_of(ROOT, "data", "openwrt", "ringcast.init.in")
    read = set(re.findall(r'config_get(?:_bool)? \w+ "\$1" (\w+)', script)) | \
        set(re.findall(r'(?:config_list_foreach|write_each) "\$1" (\w+)', script))
    have = options(form)
    # rate limits never had an effect on Linux, so the form does not offer them
    assert {name for _, name in have} == read - {"ratelimit"}, (have.keys(), read)
    assert set(have) == set(EXAMPLES), have.keys()


@case("what the form writes arrives in ringcast.conf, and ringcastd loads it")
def form_values():
    have = options(view("config"))
    with temporary() as folder:
        box = OpenWrt(folder, ringcast=sections(have, leave_out=["conffile"]))
        said = box.call("start_service")
        for _, line in EXAMPLES.values():
            assert not line or line in box.made(), (line, box.made())
        assert said.count("append command -v") == 2, said
        run(program("ringcastd"), "-C", box.conf)
        box.write("ringcast", sections(have))
        assert "append command /etc/ringcast.conf" in box.call("start_service")


@case("every choice of a list loads, and a flag that is off has no effect")
def form_choices():
    have = options(view("config"))
    for (_, name), o in have.items():
        for value in o["values"]:
            with temporary() as folder:
                box = OpenWrt(folder, ringcast=sections(have, ["conffile"], **{name: value}))
                box.call("start_service")
                run(program("ringcastd"), "-C", box.conf)
    with temporary() as folder:
        off = {name: "0" for (_, name), o in have.items() if o["kind"] == "Flag"}
        box = OpenWrt(folder, ringcast=sections(have, ["conffile"], **off))
        box.call("start_service")
        assert "quickleave" not in box.made() and "255.250" not in box.made(), box.made()


# ---- the page ----

@case("the page shows interfaces, streams and groups, and asks again after five seconds")
def page():
    answers = recorded()
    later = json.loads(json.dumps(answers["streams"][0]))
    later["mfc"][0]["packets"] = 5000000
    later["mfc"] = later["mfc"][:1]
    answers["streams"].append(later)
    got = view("status", answers=answers, polls=1)
    assert got["intervals"] == [5], got["intervals"]
    interfaces, streams, groups = got["pages"][0]["tables"]
    assert ["eth0", "upstream", "up", "1.2 M", "0"] in interfaces, interfaces
    assert ["ppp0", "downstream", "missing", "0", "0"] in interfaces, interfaces
    assert ["wlan0", "downstream", "down", "0", "0"] in interfaces, interfaces
    assert ["tun3", "downstream", "No buffer space available", "0", "0"] in interfaces
    assert streams[1] == ["239.1.2.3", "192.0.2.1", "eth0", "br-lan, eth2.100", "1.2 M",
                          "14.3 M"], streams
    assert streams[2] == ["239.255.255.250", "*", "-", "-", "0", "0"], streams
    assert groups[1] == ["br-lan", "239.1.2.3", "10.0.0.17", "0", "259 s"], groups
    assert len(groups) == 4 and groups[3][3] == "2", groups
    assert any(a.startswith("igmpproxy: datagrams arrive twice")
               for a in got["pages"][0]["alerts"]), got["pages"][0]["alerts"]
    _, streams, _ = got["pages"][1]["tables"]
    assert len(streams) == 2 and streams[1][4] == "5.0 M", streams


@case("a group that is typed is explained: verdict, findings, advice")
def explained():
    got = view("status", answers=recorded(), group=" 239.1.2.3 ")
    assert got["calls"][-1] == ["ringcast", "explain", {"group": "239.1.2.3"}], got["calls"]
    assert "nobody on br-lan asks for it" in got["pages"][1]["text"]
    assert got["pages"][1]["tables"][3][1:] == [
        ["member", "br-lan", "refuse", "no member", "join on a host"],
        ["source", "-", "pass", "fine", "-"]], got["pages"][1]["tables"][3]


@case("errors are shown once, and what was shown before goes away")
def errors():
    answers = {m: a + [NO_DAEMON] for m, a in recorded().items()}
    got = view("status", answers=answers, polls=1)
    assert got["pages"][1]["alerts"] == [NO_DAEMON["error"]], got["pages"][1]["alerts"]
    assert [len(t) for t in got["pages"][1]["tables"]] == [1, 1, 1]
    # rpcd does not know the object, so it answers with a number
    got = view("status", answers={m: [4] for m in recorded()}, group="x")
    assert len(got["pages"][1]["alerts"]) == 2, got["pages"][1]["alerts"]
    assert "Is the package ringcast installed?" in got["pages"][1]["alerts"][0]
    got = view("status", answers=recorded() | {"explain": [{"reject": "timeout"}]}, group="x")
    assert got["pages"][1]["alerts"][-1] == "timeout", got["pages"][1]["alerts"]


def poisoned(value):
    """Returns the same value with EVIL in each text."""
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    if isinstance(value, dict):
        return {k: poisoned(v) for k, v in value.items()}
    return value


@case("names that look like markup stay text, whoever has chosen them")
def hostile():
    answers = {method: poisoned(a) for method, a in recorded().items()}
    got = view("status", answers=answers, group="x")
    for p in got["pages"]:
        assert p["markup"] == [], p["markup"]
        assert p["tables"][1][1][0] == "239.1.2.3" + EVIL, p["tables"][1][1]
    assert got["pages"][1]["tables"][3][1][4] == "join on a host" + EVIL
    error = {"error": EVIL}
    got = view("status", answers={m: [error] for m in answers}, group="x")
    assert got["pages"][1]["alerts"] == [EVIL, EVIL], got["pages"][1]["alerts"]
    assert got["pages"][1]["markup"] == []


@case("answers that lack usual fields still make a page")
def sparse():
    for answer in ({}, {"interfaces": None, "mfc": None, "groups": None},
                   {"interfaces": [{}], "mfc": [{}], "groups": [{}], "checks": [{}]}):
        got = view("status", answers={m: [answer] for m in recorded()}, group="x")
        assert len(got["pages"][1]["tables"]) == 4, got["pages"][1]
        assert "undefined" not in got["pages"][1]["text"], got["pages"][1]["text"]


if __name__ == "__main__":
    main()
