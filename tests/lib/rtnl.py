# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes links and addresses through rtnetlink, for tests that make many changes. It starts no
process for a change, and does not remember the names of deleted links as `ip -batch` does."""

import errno
import os
import socket
import struct

NEWLINK, DELLINK, NEWADDR, DELADDR = 16, 17, 20, 21
REQUEST_ACK, CREATE_EXCL = 5, 0x600
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD = \
    1, 3, 4, 10, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFF_UP = 1


def attr(type_, data):
    if isinstance(data, str):
        data = data.encode() + b"\0"
    elif isinstance(data, int):
        data = struct.pack("=I", data)
    return struct.pack("=HH", 4 + len(data), type_) + data + b"\0" * (-len(data) % 4)


def link_message(index=0, flags=0, change=0):
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


class Rtnl:
    """rtnetlink of a namespace; failures are OSErrors."""

    def __init__(self, ns):
        self.ns, self.seq = ns, 0
        self.sock = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def close(self):
        self.sock.close()

    def index(self, name):
        with self.ns.inside():
            return socket.if_nametoindex(name)

    def add_bridge(self, name):
        self._ask(NEWLINK, link_message() + attr(IFLA_IFNAME, name) +
                  attr(IFLA_LINKINFO, attr(IFLA_INFO_KIND, "bridge")), CREATE_EXCL)

    def add_veth(self, name, peer, peer_ns):
        with open(peer_ns.path, "rb") as there:
            far = link_message() + attr(IFLA_IFNAME, peer) + \
                attr(IFLA_NET_NS_FD, there.fileno())
            info = attr(IFLA_INFO_KIND, "veth") + \
                attr(IFLA_INFO_DATA, attr(VETH_INFO_PEER, far))
            self._ask(NEWLINK, link_message() + attr(IFLA_IFNAME, name) +
                      attr(IFLA_LINKINFO, info), CREATE_EXCL)

    def delete(self, name):
        self._ask(DELLINK, link_message(self.index(name)))

    def up(self, name, up=True):
        self._ask(NEWLINK, link_message(self.index(name), IFF_UP if up else 0, IFF_UP))

    def rename(self, name, new):
        self._set(name, attr(IFLA_IFNAME, new))

    def mtu(self, name, mtu):
        self._set(name, attr(IFLA_MTU, mtu))

    def mac(self, name, octets):
        self._set(name, attr(IFLA_ADDRESS, octets))

    def master(self, name, master):
        self._set(name, attr(IFLA_MASTER, self.index(master) if master else 0))

    def add_address(self, name, address):
        self._address(NEWADDR, name, address, CREATE_EXCL)

    def delete_address(self, name, address):
        self._address(DELADDR, name, address)

    def _set(self, name, attrs):
        self._ask(NEWLINK, link_message(self.index(name)) + attrs)

    def _address(self, type_, name, address, flags=0):
        ip, length = address.split("/")
        octets = socket.inet_aton(ip)
        message = struct.pack("=BBBBI", socket.AF_INET, int(length), 0, 0, self.index(name))
        self._ask(type_, message + attr(IFA_LOCAL, octets) + attr(IFA_ADDRESS, octets), flags)

    def _ask(self, type_, message, flags=0):
        self.seq += 1
        self.sock.send(struct.pack("=IHHII", 16 + len(message), type_, REQUEST_ACK | flags,
                                   self.seq, 0) + message)
        reply = self.sock.recv(65536)
        error, = struct.unpack("=i", reply[16:20])
        if error:
            raise OSError(-error, f"rtnetlink: {os.strerror(-error)} "
                          f"({errno.errorcode.get(-error)})")
