#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ringcast-replay with MLD: captures of three link types made here, addresses of both
families named with -a, and what the proxy does with them. usage: replay_mld.py REPLAY"""

import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import wire  # noqa: E402

ETHERNET, RAW, LINUX_SLL = 1, 101, 113
HOST, GROUP, SSM = "fe80::77", "ff0e::1:2:3", "ff3e::8000:1"
S1 = "2001:db8::1"


def octets(addr):
    return wire.socket.inet_pton(wire.socket.AF_INET6, addr)


def capture(path, link_type, frames):
    """frames: pairs of seconds and an Ethernet frame"""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link_type))
        for at, frame in frames:
            if link_type == RAW:
                frame = frame[14:]
            elif link_type == LINUX_SLL:
                frame = bytes(14) + frame[12:]
            f.write(struct.pack("=IIII", 1000 + int(at), int(at % 1 * 1e6), len(frame),
                                len(frame)) + frame)


def messages():
    join = b"\x83\0\0\0\0\0\0\0" + octets(GROUP)
    done = b"\x84\0\0\0\0\0\0\0" + octets(GROUP)
    allow = b"\x8f\0\0\0\0\0\0\1\5\0\0\1" + octets(SSM) + octets(S1)
    return [
        (1, wire.mld_packet(HOST, "ff02::16", allow)),
        (2, wire.mld_packet(HOST, GROUP, join)),
        (3, wire.mld_packet(HOST, GROUP, join, hop_limit=5)),
        (4, wire.mld_packet(HOST, GROUP, join, alert=False)),
        (5, wire.mld_packet("2001:db8::9", GROUP, join)),
        (6, wire.mld_packet(HOST, "ff02::2", done)),
    ]


def replay(tool, *args):
    r = subprocess.run([tool, *args], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r.stderr
    return r.stdout


def check(tool, path):
    for link_type in (ETHERNET, RAW, LINUX_SLL):
        capture(path, link_type, messages())
        out = replay(tool, "-t", "20", "-a", "lan=fe80::1234/64", "-a", "lan=10.0.0.1/24",
                     path)
        for want in (
                "query mldv2 general max-resp 10000 qrv 2 qqi 125000 from fe80::1234",
                "query v3 general max-resp 10000 qrv 2 qqi 125000 from 10.0.0.1",
                f"lan < report mldv2 allow {SSM} {{{S1}}} from {HOST}",
                f"port 0 report mldv2 from fe80::2 allow {SSM} {{{S1}}}",
                f"lan < report mldv1 is_ex {GROUP} {{}} from {HOST}",
                f"port 0 report mldv2 from fe80::2 to_ex {GROUP} {{}}",
                "lan < refused: ttl", "lan < refused: router_alert", "lan < refused: source",
                f"lan < report mldv1 to_in {GROUP} {{}} from {HOST}",
                f"port 1 query mldv2 {GROUP} max-resp 1000 qrv 2 qqi 125000 from fe80::1234",
                f"port 0 report mldv2 from fe80::2 to_in {GROUP} {{}}",
                "6 packets, 3 messages used, 1 groups at the end"):
            assert want in out, f"link type {link_type}: no {want!r} in\n{out}"


def check_names(tool, folder):
    """K45: the text before a '=' is an interface, or a part of the file's name"""
    def files(*names):
        for name in names:
            capture(os.path.join(folder, name), ETHERNET, messages())
        return subprocess.run([tool, "-q", "-t", "1", *words], capture_output=True, text=True,
                              cwd=folder, timeout=30, check=False)

    for words, made in ((["a=b.pcap"], ["a=b.pcap"]), (["lan=b.pcap"], ["b.pcap"]),
                        (["./lan=c.pcap"], ["lan=c.pcap"]), (["lan=lan=c.pcap"], []),
                        (["a-very-long-name=b.pcap"], ["a-very-long-name=b.pcap"])):
        r = files(*made)
        assert r.returncode == 0 and f"lan < report mldv1 is_ex {GROUP}" in r.stdout, (words, r)
    words = ["wan=nothing.pcap"]
    r = files()
    assert r.returncode == 1 and "nothing.pcap: No such file" in r.stderr, r


def main():
    with tempfile.TemporaryDirectory() as d:
        check(sys.argv[1], os.path.join(d, "mld.pcap"))
        check_names(os.path.abspath(sys.argv[1]), d)
    print("three link types")


if __name__ == "__main__":
    main()
