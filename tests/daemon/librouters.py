# SPDX-License-Identifier: GPL-2.0-or-later
"""Two routers between one provider and one LAN."""

from libnetns import Topology, link, wait_for

# Another querier counts as gone after 2.1 s.
SHORT = """query-interval 1
query-response-interval 0.2
startup-query-interval 0.2
last-member-query-interval 0.2
"""


GROUP6 = "ff0e::1:2:3"


def querier(d, family="ipv4"):
    return d.interface("lan1")["querier"][family]


def wait_state(d, state, family="ipv4"):
    wait_for(15, lambda: querier(d, family)["state"] == state, f"the querier is {state}")


class TwoRouters(Topology):
    """Routers `router` (10.0.1.1) and `other` (10.0.1.9) between the same two links."""

    def __init__(self, ipv6=False):
        super().__init__(lans=1, hosts=2, ipv6=ipv6)
        self.other = self.namespace("other")
        up, lan = self.namespace("upsw"), self.switches["lan1"]
        up.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        up.ip("link", "set", "br0", "up")
        self.provider.ip("link", "del", "p0")
        self.provider.ip("link", "add", "p0", "type", "veth", "peer", "name", "source",
                         "netns", up.path)
        self.provider.ip("link", "set", "p0", "up")
        self.provider.ip("addr", "add", self.SOURCE + "/24", "dev", "p0")
        link(self.router, "wan", up, "first")
        link(self.other, "wan", up, "second")
        link(self.other, "lan1", lan, "second")
        for port in ("source", "first", "second"):
            up.ip("link", "set", port, "up", "master", "br0")
        lan.ip("link", "set", "second", "master", "br0")
        self.router.ip("addr", "add", "10.0.0.2/24", "dev", "wan")
        self.other.ip("addr", "add", "10.0.0.9/24", "dev", "wan")
        self.other.ip("addr", "add", "10.0.1.9/24", "dev", "lan1")
        if ipv6:
            self._add_ipv6()

    def _add_ipv6(self):
        self.provider.ip("addr", "add", self.SOURCE6 + "/64", "dev", "p0", "nodad")
        for ns, host in ((self.router, 2), (self.other, 9)):
            ns.ip("addr", "add", f"2001:db8::{host}/64", "dev", "wan", "nodad")
            ns.ip("addr", "replace", f"2001:db8:1::{host}/64", "dev", "lan1", "nodad")
            ns.ip("-6", "addr", "flush", "dev", "lan1", "scope", "link")
            ns.ip("addr", "add", f"fe80::{host}/64", "dev", "lan1", "nodad")
