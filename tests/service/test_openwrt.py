#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenWrt files other than the init script: the plugin, called as rpcd calls it and answered
by a control socket of this test, and the script that makes /etc/config/ringcast."""

import contextlib
import json
import os
import socket
import subprocess
import threading

from libservice import (BUILD, ROOT, OpenWrt, case, main, need, program, run, temporary,
                        text_of)

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(ROOT, "tests", "golden")
METHODS = {
    "groups": {"group": "str", "address": "str", "interface": "str"},
    "streams": {"group": "str", "address": "str", "interface": "str"},
    "interfaces": {"interface": "str"},
    "explain": {"group": "str", "source": "str", "from": "str", "on": "str"},
}


# ---- the plugin of rpcd ----

class Answers:
    """A control socket that gives the same answer to every request and records the requests."""

    def __init__(self, folder, answer):
        self.path, self.answer, self.requests = folder + "/ctl.sock", answer, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return   # the socket was closed
            with client, client.makefile("rw", encoding="utf-8") as lines:
                with contextlib.suppress(OSError):
                    for line in lines:
                        self.requests.append(line.rstrip("\n"))
                        lines.write(json.dumps(self.answer) + "\n")
                        lines.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def plugin(folder):
    """Returns the script with the programs of this build and a stub of jshn.sh."""
    text = text_of(ROOT, "data", "openwrt", "ringcast.rpcd.in")
    text = text.replace("@BINDIR@", os.path.dirname(program("ringcastctl")))
    text = text.replace("/usr/share/libubox/jshn.sh", os.path.join(HERE, "jshn_stub.sh"))
    path = os.path.join(folder, "ringcast")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def call(folder, method, arguments, answers=None):
    """Call the plugin as rpcd does: the method is an argument, an object is on standard input."""
    given = arguments if isinstance(arguments, str) else json.dumps(arguments)
    r = subprocess.run(["sh", plugin(folder), "call", method], input=given, text=True,
                       capture_output=True, check=False, cwd=folder,
                       env=dict(os.environ, RINGCAST_SOCKET=answers.path if answers
                                else folder + "/nobody"))
    assert r.stderr == "", r.stderr
    return json.loads(r.stdout)


@case("shellcheck finds nothing, and every installed POSIX shell reads the scripts")
def shellcheck():
    tool = need("shellcheck")
    for name in ("ringcast.rpcd", "ringcast.defaults"):
        run(tool, "-e", "SC1091", os.path.join(BUILD, "data", name))
    run(tool, os.path.join(HERE, "jshn_stub.sh"))
    for shell in (["dash"], ["bash"], ["busybox", "sh"]):
        with contextlib.suppress(FileNotFoundError):
            for name in ("ringcast.rpcd", "ringcast.defaults"):
                run(*shell, "-n", os.path.join(BUILD, "data", name))


@case("list: every method with its arguments")
def methods():
    with temporary() as folder:
        assert json.loads(run("sh", plugin(folder), "list")) == METHODS
        run("sh", plugin(folder), status=1)


EXPLAINED = {"group": "239.1.2.3", "source": None, "verdict": "refuse", "summary": "nobody asks",
             "checks": []}


@case("call: each method asks the daemon for what it says, and hands the answer on")
def calls():
    groups, streams, interfaces = (json.loads(text_of(GOLDEN, f"ctl-{name}.json"))
                                   for name in ("groups", "mfc", "interfaces"))
    for method, answer, arguments, request in (
            ("groups", groups, {}, "show groups"),
            ("groups", groups,
             {"interface": "br-lan", "group": "239.1.2.3", "address": "10.0.0.0/24"},
             "show groups 239.1.2.3 10.0.0.0/24 br-lan"),
            ("streams", streams, {"group": "ff3e::1234", "address": None},
             "show mfc ff3e::1234"),
            # a call from a browser contains its session
            ("interfaces", interfaces,
             {"interface": "eth0.35", "ubus_rpc_session": "0" * 32}, "show interfaces eth0.35"),
            ("explain", EXPLAINED, {"group": "239.1.2.3", "source": ""},
             "explain 239.1.2.3"),
            ("explain", EXPLAINED,
             {"group": "rtp://10.0.0.1@239.1.2.3:5000", "on": "br-lan", "from": "wan",
              "source": "10.0.0.9"},
             "explain rtp://10.0.0.1@239.1.2.3:5000 10.0.0.9 from wan on br-lan")):
        with temporary() as folder, Answers(folder, answer) as answers:
            got = call(folder, method, arguments, answers)
            assert answers.requests == [request], answers.requests
            assert got == answer, got


@case("call: wrong arguments are reported, and nothing is asked or run")
def refused():
    evil = ["239.1.2.3; touch HERE", "$(touch HERE)", "`touch HERE`", "'; touch HERE; '", "a b",
            "*", "239.1.2.3\nreload", "\\", "\u00e9", '"', "|", "a'b", "x" * 201]
    with temporary() as folder, Answers(folder, {"groups": []}) as answers:
        for method, arguments, error in (
                *[("groups", {"group": word}, "group ") for word in evil],
                *[("explain", {"group": "239.1.2.3", name: evil[0]}, name + " ")
                  for name in ("source", "from", "on")],
                ("groups", {"group": "--help"}, "cannot begin with -"),
                ("groups", {"group": 5}, "not of the type int"),
                ("groups", {"group": ["239.1.2.3"]}, "not of the type array"),
                ("groups", {"$(touch HERE)": "x"}, "there is no argument __touch_HERE_"),
                ("interfaces", {"group": "239.1.2.3"}, "takes: interface"),
                ("explain", {}, "group is missing"),
                ("groups", "", "not a JSON object"),
                ("groups", "[1]", "not a JSON object"),
                ("groups", "{", "not a JSON object"),
                ("reload", {}, "there is no method"),
                ("", {}, "there is no method")):
            got = call(folder, method, arguments, answers)
            assert list(got) == ["error"] and error in got["error"], (method, arguments, got)
        assert answers.requests == [], answers.requests
        assert "HERE" not in os.listdir(folder)


@case("call: no daemon, and an answer that ubus would refuse, are errors with a reason")
def failures():
    with temporary() as folder:
        got = call(folder, "groups", {})
        assert "cannot reach the daemon" in got["error"], got
        many = {"groups": [{"interface": "lan", "group": "239.1.2.3"}] * 20000}
        with Answers(folder, many) as answers:
            got = call(folder, "groups", {}, answers)
        assert "too long for ubus" in got["error"], str(got)[:200]


@case("call: what the daemon refuses is an error in its words")
def refused_by_daemon():
    with temporary() as folder, Answers(folder, {"error": "'x' is not a group"}) as answers:
        for method, arguments in (("groups", {"group": "x"}), ("explain", {"group": "x"})):
            got = call(folder, method, arguments, answers)
            assert got == {"error": "'x' is not a group"}, got


# ---- /etc/config/ringcast ----

class Installed(OpenWrt):
    """A router on which the package has just been installed."""

    def __init__(self, folder, **packages):
        super().__init__(folder, **packages)
        tools = os.path.join(folder, "tools")
        os.makedirs(tools)
        os.makedirs(os.path.join(folder, "var", "run"))
        for name in ("logger", "killall"):
            path = os.path.join(tools, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(f'#!/bin/sh\necho {name} "$@" >>{folder}/said\n')
            os.chmod(path, 0o755)
        text = text_of(ROOT, "data", "openwrt", "ringcast.defaults.in")
        text = text.replace("@BINDIR@", os.path.dirname(program("ringcastctl")))
        text = text.replace("@DATADIR@/ringcast", os.path.join(ROOT, "data", "openwrt"))
        for path in ("/etc/config/", "/run ", "/run\n", "/var/run "):
            text = text.replace(" " + path, f" {folder}{path}")
            text = text.replace("=" + path, f"={folder}{path}")
        self.defaults = os.path.join(folder, "80_ringcast")
        with open(self.defaults, "w", encoding="utf-8") as f:
            f.write(text)

    def first_start(self):
        """Run the script, which is sourced and deleted only if it succeeds. Returns what it
        logs."""
        run("sh", "-c", '. "$1"', "sh", self.defaults,
            env=dict(os.environ, PATH=self.folder + "/tools:" + os.environ["PATH"]))
        return text_of(self.folder, "said").replace(self.folder, "").splitlines()


@case("a new router gets two networks, and ringcastd loads what becomes of them")
def new_router():
    with temporary() as folder:
        box = Installed(folder)
        said = box.first_start()
        assert said == ["killall -HUP rpcd"], said
        config = os.path.join(box.config, "ringcast")
        assert text_of(config) == text_of(ROOT, "data", "openwrt", "ringcast.config")
        assert os.stat(config).st_mode & 0o777 == 0o600
        assert os.readlink(folder + "/run") == folder + "/var/run"
        box.call("start_service")
        assert "phyint eth0.35 upstream" in box.made(), box.made()
        assert "phyint br-lan downstream" in box.made(), box.made()
        run(program("ringcastd"), "-C", box.conf)


@case("igmpproxy's sections are taken over: the daemon gets the same configuration")
def migrated():
    for name in ("openwrt.igmpproxy", "openwrt-mfc.igmpproxy"):
        old = text_of(GOLDEN, "migrate", name)
        with temporary() as before, temporary() as after:
            networks = "iptv=eth0.4 wan=eth0.35 lan=br-lan"
            was = OpenWrt(before, igmpproxy=old)
            was.call("start_service", networks=networks)
            box = Installed(after, igmpproxy=old)
            said = box.first_start()
            assert text_of(box.config, "igmpproxy") == old
            assert "config igmpproxy" not in text_of(box.config, "ringcast")
            box.call("start_service", networks=networks)
            assert box.made().split("\n", 1)[1] == was.made().split("\n", 1)[1], box.made()
            assert any("/etc/init.d/igmpproxy stop" in line for line in said), said
            assert ("no section 'mfc'" in "\n".join(said)) == ("mfc" in name), said
            assert not any("device of the network" in line for line in said), said


@case("however a section of igmpproxy is written, it gets the new name, and no text of a value")
def spellings():
    old = ("package igmpproxy\n\nconfig 'igmpproxy'\n\toption quickleave 1\n"
           "config \"igmpproxy\" 'x'\nconfig\tigmpproxy # comment\nconfig igmpproxy;option a b\n"
           "config igmpproxy2\n\toption network 'config igmpproxy'\n")
    with temporary() as folder:
        box = Installed(folder, igmpproxy=old)
        box.first_start()
        assert text_of(box.config, "ringcast") == (
            "package ringcast\n\nconfig ringcast\n\toption quickleave 1\n"
            "config ringcast 'x'\nconfig\tringcast # comment\nconfig ringcast;option a b\n"
            "config igmpproxy2\n\toption network 'config igmpproxy'\n"), \
            text_of(box.config, "ringcast")


@case("a file that is there stays as it is, also the second time")
def kept():
    with temporary() as folder:
        box = Installed(folder, ringcast="config ringcast\n", igmpproxy="config igmpproxy\n")
        for _ in range(2):
            assert not any("made of" in line for line in box.first_start())
            assert text_of(box.config, "ringcast") == "config ringcast\n"


if __name__ == "__main__":
    main()
