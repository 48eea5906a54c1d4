#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The init scripts of OpenRC and OpenWrt, run with stubs of these systems. ringcastd loads the
configuration that OpenWrt's script makes of UCI sections."""

import os
import shutil

from libservice import (BUILD, ROOT, OpenWrt, case, main, need, program, run, temporary,
                        text_of)

HERE = os.path.dirname(os.path.abspath(__file__))
OPENRC, OPENWRT = (os.path.join(BUILD, "data", f) for f in ("ringcast.initd", "ringcast.init"))
SMALL = "phyint wan upstream\nphyint lan downstream\n"

UCI = """
config igmpproxy
	option quickleave 1
	option verbose 2
	list keyword 'refresh-interval 60'

config phyint
	option network wan
	option zone wan
	option direction upstream
	list altnet 10.0.0.0/8
	list altnet 172.16.0.0/12

config phyint
	option network lan
	option zone lan
	option direction downstream
	option threshold 3
	option whitelist '239.0.0.0/8 232.0.0.0/8'
	list keyword 'fast-leave'
	list keyword 'max-groups 4'

config phyint
	option network guest
	option direction downstream
	option fw_drop_ssdp 0
"""

MADE = """# made of /etc/config/igmpproxy by /etc/init.d/ringcast
quickleave
refresh-interval 60

phyint eth0.35 upstream
	ratelimit 0
	threshold 1
	altnet 10.0.0.0/8
	altnet 172.16.0.0/12

phyint br-lan downstream
	ratelimit 0
	threshold 3
	whitelist 239.0.0.0/8
	whitelist 232.0.0.0/8
	blacklist 239.255.255.250/32
	fast-leave
	max-groups 4

phyint br-guest downstream
	ratelimit 0
	threshold 1
"""


@case("shellcheck finds nothing")
def shellcheck():
    tool = need("shellcheck")
    # paths of the target system do not exist here
    for path in (OPENRC, OPENWRT, os.path.join(ROOT, "data", "install-if-absent"),
                 os.path.join(ROOT, "data", "completion", "ringcastctl.bash"),
                 os.path.join(HERE, "openrc_stub.sh")):
        run(tool, "-e", "SC1091", path)


@case("the scripts are correct for every POSIX shell that is here")
def syntax():
    shells = [s for s in ("dash", "bash", "busybox", "ksh", "mksh") if shutil.which(s)]
    for shell in shells:
        for script in (OPENRC, OPENWRT):
            run(shell, *(["sh"] if shell == "busybox" else []), "-n", script)
    return [" ".join(shells)]


# ---- OpenRC ----

class OpenRC:
    """The script, with its paths replaced by ones that a test may write to."""

    def __init__(self, folder, name="ringcast", config=SMALL, confd=""):
        self.name, self.script = name, os.path.join(folder, "initd")
        self.confd = os.path.join(folder, "confd")
        instance = name.partition(".")[2]
        self.conf = os.path.join(folder, (instance or "ringcast") + ".conf")
        text = text_of(ROOT, "data", "openrc", "ringcast.initd.in")
        for name, path in (("SBINDIR", os.path.dirname(program("ringcastd"))),
                           ("BINDIR", os.path.dirname(program("ringcastctl"))),
                           ("CONF_FILE", folder + "/ringcast.conf"), ("CONF_DIR", folder)):
            text = text.replace(f"@{name}@", path)
        for path, content in ((self.script, text), (self.confd, confd), (self.conf, config)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(content)

    def call(self, function, status=0, **env):
        return run("sh", os.path.join(HERE, "openrc_stub.sh"), self.name, self.script,
                   self.confd, function, status=status, env=dict(os.environ, **env))

    def variables(self):
        return dict(line.split("=", 1) for line in self.call("variables").splitlines())


@case("OpenRC: the service runs unprivileged with one capability")
def openrc_variables():
    with temporary() as folder:
        service = OpenRC(folder, confd='ringcast_opts="-v"\n')
        v = service.variables()
        assert v["command_args"] == \
            f"-n -s /run/ringcast/ringcast.sock -v {service.conf}", v
        assert v["command_user"] == "ringcast:ringcast" and v["no_new_privs"] == "yes", v
        assert v["capabilities"] == "^cap_net_raw", v
        assert v["supervisor"] == "supervise-daemon", v
        assert v["supervise_daemon_args"] == "--nicelevel -10", v
        assert "use logger net" in service.call("depend")


@case("OpenRC: a link is a service of its own")
def openrc_instance():
    with temporary() as folder:
        service = OpenRC(folder, name="ringcast.tv")
        v = service.variables()
        assert v["command_args"].endswith("/tv.conf"), v
        assert "-s /run/ringcast-tv/ringcast.sock" in v["command_args"], v
        assert "/run/ringcast-tv" in service.call("start_pre")


@case("OpenRC: it starts with a good configuration, and with no other")
def openrc_start():
    with temporary() as folder:
        said = OpenRC(folder).call("start_pre")
        assert "checkpath -d -m 0755 -o ringcast:ringcast /run/ringcast" in said, said
        bad = OpenRC(folder, config="nonsense\n")
        assert "refused" in bad.call("start_pre", status=1)
        assert "igmpproxy" in OpenRC(folder).call("start_pre", status=1, STARTED="igmpproxy")


@case("OpenRC: reload says so when no daemon runs")
def openrc_reload():
    with temporary() as folder:
        service = OpenRC(folder)
        text = text_of(service.script).replace("/run/ringcast", folder + "/run")
        with open(service.script, "w", encoding="utf-8") as f:
            f.write(text)
        assert "Reloading ringcast" in service.call("reload", status=1)


# ---- OpenWrt ----

@case("OpenWrt: sections of igmpproxy become a configuration that loads")
def openwrt_made():
    with temporary() as folder:
        box = OpenWrt(folder, igmpproxy=UCI)
        said = box.call("start_service")
        assert box.made() == MADE, box.made()
        run(program("ringcastd"), "-C", box.conf)
        command = [line for line in said if line.startswith(("set command", "append command"))]
        assert command[0].endswith("/sbin/ringcastd -n"), said
        assert command[1:] == ["append command -v", "append command /var/etc/ringcast.conf"]
        assert "set nice -10" in said, said
        assert "user ringcast  32768" in said, said
        assert "set reload_signal HUP" in said and "close" in said, said


@case("OpenWrt: a network that is down is left out, and waited for")
def openwrt_down():
    with temporary() as folder:
        box = OpenWrt(folder, igmpproxy=UCI)
        said = box.call("start_service", networks="wan=pppoe-wan lan=br-lan")
        assert "guest" not in box.made() and "phyint pppoe-wan" in box.made(), box.made()
        assert any("network guest is not up" in line for line in said), said
        said = box.call("start_service", networks="lan=br-lan")
        assert any("no upstream" in line for line in said), said
        assert not any(line.startswith("open") for line in said), said
        triggers = box.call("service_triggers")
        for network in ("wan", "lan", "guest"):
            assert f"interface-trigger interface.* {network} /etc/init.d/ringcast reload" \
                in triggers, triggers
        assert "reload-trigger igmpproxy" in triggers, triggers


@case("OpenWrt: its own file has precedence, and may name a finished configuration")
def openwrt_own():
    with temporary() as folder:
        box = OpenWrt(folder, igmpproxy=UCI,
                      ringcast="config ringcast\n\toption conffile /etc/ringcast.conf\n")
        said = box.call("start_service", networks="")
        assert "append command /etc/ringcast.conf" in said, said
        assert "reload-trigger ringcast" in box.call("service_triggers")


@case("OpenWrt: it does not start while igmpproxy runs")
def openwrt_rival():
    with temporary() as folder:
        box = OpenWrt(folder, igmpproxy=UCI)
        rival = os.path.join(os.path.dirname(box.script), "igmpproxy")
        with open(rival, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\ntest \"$1\" = running\n")
        os.chmod(rival, 0o755)
        said = box.call("start_service", status=1)
        assert any("igmpproxy is running" in line for line in said), said


if __name__ == "__main__":
    main()
