#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin that answers `ubus call ringcast` on OpenWrt, with a daemon that forwards. Without
rpcd and ubus here, the test calls the plugin as rpcd does; a stub replaces jshn.sh."""

import json
import os
import subprocess

from libnetns import GROUP, PLAIN, case, lab, main, ringcast, wait_datagrams

DATA = os.path.join(lab.ROOT, "data", "openwrt")
JSHN = os.path.join(lab.ROOT, "tests", "service", "jshn_stub.sh")


class Ubus:
    def __init__(self, daemon):
        self.daemon, self.plugin = daemon, os.path.join(daemon.dir, "rpcd")
        with open(os.path.join(DATA, "ringcast.rpcd.in"), encoding="utf-8") as f:
            text = f.read()
        text = text.replace("@BINDIR@", os.path.dirname(ringcast.binary("ringcastctl")))
        text = text.replace("/usr/share/libubox/jshn.sh", JSHN)
        with open(self.plugin, "w", encoding="utf-8") as f:
            f.write(text)

    def call(self, method, **arguments):
        r = subprocess.run(["sh", self.plugin, "call", method], input=json.dumps(arguments),
                           text=True, capture_output=True, check=False,
                           env=dict(os.environ, RINGCAST_SOCKET=self.daemon.socket))
        assert r.stderr == "", r.stderr
        return json.loads(r.stdout)


@case("groups, streams, interfaces and explain of a stream that is forwarded")
def forwarded(b):
    t = b.topology(lans=2)
    ubus = Ubus(b.run(t, PLAIN))
    r = b.receiver(t.hosts["lan1"])
    b.daemon.wait_member("lan1", GROUP)
    b.stream(t)
    wait_datagrams(r, 20)
    [group] = ubus.call("groups", group=GROUP)["groups"]
    assert (group["group"], group["interface"]) == (GROUP, "lan1"), group
    assert ubus.call("groups", interface="lan2")["groups"] == []
    [stream] = ubus.call("streams", group=GROUP, interface="lan1")["mfc"]
    assert stream["in"] == "wan" and stream["out"] == ["lan1"], stream
    assert stream["packets"] >= 20, stream
    names = [i["name"] for i in ubus.call("interfaces")["interfaces"]]
    assert sorted(names) == ["lan1", "lan2", "wan"], names
    [lan] = ubus.call("interfaces", interface="lan1")["interfaces"]
    assert lan["tx_packets"] >= 20, lan
    assert ubus.call("explain", group=GROUP, on="lan1")["verdict"] == "pass"
    # other verdicts have other exit statuses, but are answers as well
    assert ubus.call("explain", group=GROUP, on="lan2")["verdict"] == "refuse"
    assert "error" in ubus.call("explain", group="nonsense")


if __name__ == "__main__":
    main()
