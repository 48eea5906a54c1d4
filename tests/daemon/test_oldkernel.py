#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""On kernels that lack features, a stream still passes, and the daemon logs what it uses
instead."""

import functools

from libnetns import PLAIN, assert_continuous, case, main, wait_datagrams
import oldkernel  # libnetns has set the path


def plays(b, *refusals, config=""):
    t = b.topology()
    d = b.run(t, config + PLAIN, preexec=functools.partial(oldkernel.refuse, *refusals))
    b.stream(t)
    for lan in ("lan1", "lan2"):
        assert_continuous(wait_datagrams(b.receiver(t.hosts[lan]), 100), at_least=100)
    stats = d.show("stats")
    choice = [line for line in d.log().splitlines() if "data plane: " in line]
    assert len(choice) == 1, d.log()
    return stats, choice[0]


def wan(stats):
    return [p for p in stats["ports"] if p["name"] == "wan"][0]


@case("a kernel that refuses nothing")
def nothing(b):
    stats, choice = plays(b)
    assert stats["receive"] == "tpacket_v3" and stats["receive"] in choice, choice


@case("without TPACKET_V3")
def no_tpacket_v3(b):
    stats, choice = plays(b, "no tpacket_v3")
    assert stats["receive"] == "tpacket_v2", stats["receive"]
    assert "TPACKET_V3 refused" in stats["receive_reason"], stats["receive_reason"]
    assert "receive by tpacket_v2" in choice and "TPACKET_V3 refused" in choice, choice


@case("without TPACKET_V3, on request")
def low_latency(b):
    stats, choice = plays(b, "no tpacket_v3", config="latency low\n")
    assert stats["receive"] == "tpacket_v2", stats["receive"]
    assert "refused" not in choice, choice


@case("without a description of super-frames")
def no_super_frames(b):
    stats, choice = plays(b, "no super-frames")
    assert stats["receive_offload"] is False
    assert "Linux before 6.4" in stats["receive_reason"], stats["receive_reason"]
    assert "with super-frames" not in choice and "before 6.4" in choice, choice


@case("receive-offload off asks for none")
def offload_off(b):
    stats, choice = plays(b, config="receive-offload off\n")
    assert stats["receive_offload"] is False
    assert stats["receive_reason"] == "", stats["receive_reason"]
    assert "super-frames" not in choice.split("transmit")[0], choice


@case("without vnet headers in either direction")
def no_vnet_header(b):
    stats, _ = plays(b, "no vnet header")
    assert stats["receive_offload"] is False


@case("without PACKET_FANOUT there is one thread")
def no_fanout(b):
    stats, choice = plays(b, "no fanout", config="threads 2\n")
    assert stats["threads"] == 1, stats["threads"]
    assert "PACKET_FANOUT refused" in stats["receive_reason"], stats["receive_reason"]
    assert "1 thread" in choice and "PACKET_FANOUT refused" in choice, choice


@case("R180 without PACKET_IGNORE_OUTGOING no frame comes back")
def no_ignore_outgoing(b):
    stats, _ = plays(b, "no ignore-outgoing", config="forward-from-downstream all\n")
    for port in stats["ports"]:
        assert port["name"] == "wan" or port["ring_packets"] == 0, port


@case("io_uring is unknown to the kernel")
def io_uring_unknown(b):
    stats, choice = plays(b, "io_uring unknown")
    assert "sendmmsg" in stats["transmit"] and "sendmmsg" in choice, choice


@case("io_uring cannot be confined to sending")
def io_uring_unrestricted(b):
    stats, choice = plays(b, "io_uring unrestricted")
    assert "sendmmsg" in stats["transmit"], stats["transmit"]
    # either the build has io_uring and this machine allows it, or the log says why not
    assert "cannot be confined (before 5.10)" in choice or "io_uring not" in choice \
        or "without io_uring" in choice, choice


@case("the oldest kernel of all")
def everything(b):
    stats, _ = plays(b, "no tpacket_v3", "no vnet header", "no fanout", "no ignore-outgoing",
                     "io_uring unknown", config="threads 2\n")
    assert (stats["receive"], stats["threads"]) == ("tpacket_v2", 1), stats
    assert wan(stats)["verdicts"]["forwarded"] > 0


if __name__ == "__main__":
    main()
