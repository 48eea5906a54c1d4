# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of the benchmark. A case is one row of the tables, `QUICK` and `FULL` are the tables,
and TARGETS are the ratios to kernel multicast routing that we want to reach."""

import dataclasses

import bed as beds

SIZES = (64, 512, 1358, 1500)
FANOUTS = (1, 4, 16, 32, 64, 256)
GROUPS = (1, 64, 1000)


@dataclasses.dataclass(frozen=True)
class Case:
    ports: str = "seg"     # seg: ports cut super-frames in the router; super: take them whole
    fanout: int = 4
    size: int = 1358       # the Ethernet frame without FCS
    groups: int = 1        # interleaved, one datagram of each in turn
    in_row: int = 1        # successive datagrams of a group
    csum: str = "partial"  # of UDP: partial, full or none; full and none send each datagram alone
    ids: str = "df"        # of IP; shared: no DF, one counter for all groups
    pace: str = "bursts"   # even: each group evenly spaced at any phase, each datagram alone
    payload: str = "plain"  # or ts: MPEG-TS, the quality of which is analysed
    fec: int = 0           # a longer datagram to a second port after so many; with pace=even
    cores: str = "1"       # 1: all of the router on core 1; 2: receive on core 0; both

    def __str__(self):
        text = (f"ports={self.ports} fanout={self.fanout} size={self.size} "
                f"groups={self.groups}")
        text += f" in_row={self.in_row}" if self.in_row != 1 else ""
        for key, usual in (("csum", "partial"), ("ids", "df"), ("pace", "bursts"),
                           ("payload", "plain"), ("fec", 0)):
            text += f" {key}={getattr(self, key)}" if getattr(self, key) != usual else ""
        return text

    def flood(self):
        """Returns the arguments of the generator."""
        return ("--groups", str(self.groups), "--in-row", str(self.in_row),
                "--size", str(self.size),
                *{"partial": (), "full": ("--checksum",), "none": ("--no-checksum",)}[self.csum],
                *(("--shared-ids",) if self.ids == "shared" else ()),
                *(("--even", "--spin") if self.pace == "even" else ()),
                *(("--fec", str(self.fec)) if self.fec else ()),
                *(("--ts",) if self.payload == "ts" else ()))

    def skip(self):
        """Returns how many bytes of the payload come before what the counting program reads."""
        return 4 if self.payload == "ts" else 0

    def ports_out(self):
        """Returns the number of outputs. ringcastd has 256 ports, one of which is the input."""
        return min(self.fanout, beds.MAX_PORTS - 1)

    def placements(self):
        return (1, 2) if self.cores == "both" else (int(self.cores),)

    def copying(self):
        """Returns whether two threads pay, because copying is more work than receiving."""
        return self.groups > 1 or (self.ports == "seg" and self.fanout >= 4)


def parse(text):
    """Returns the Case for a text such as "ports=seg fanout=4", with defaults for all other
    fields."""
    values = {}
    types = {f.name: f.type for f in dataclasses.fields(Case)}
    for word in text.split():
        key, _, value = word.partition("=")
        if key not in types:
            raise ValueError(f"{word}: unknown; known are {', '.join(types)}")
        values[key] = types[key](value)
    case = Case(**values)
    if case.ports not in ("seg", "super") or case.cores not in ("1", "2", "both"):
        raise ValueError(f"{text}: ports is seg or super, cores is 1, 2 or both")
    if case.csum not in ("partial", "full", "none"):
        raise ValueError(f"{text}: csum is partial, full or none")
    if case.ids not in ("df", "shared") or case.pace not in ("bursts", "even"):
        raise ValueError(f"{text}: ids is df or shared, pace is bursts or even")
    if case.fec < 0 or (case.fec and case.pace != "even"):
        raise ValueError(f"{text}: fec is a number of datagrams, and needs pace=even")
    if case.payload not in ("plain", "ts") or (case.payload == "ts" and (case.size - 42) % 188):
        raise ValueError(f"{text}: payload is plain or ts; ts needs a size of 42 + n * 188")
    if not (1 <= case.fanout <= beds.MAX_PORTS and 1 <= case.groups <= 1000):
        raise ValueError(f"{text}: fanout 1 to {beds.MAX_PORTS}, groups 1 to 1000")
    if not 64 <= case.size <= 1514:
        raise ValueError(f"{text}: size 64 to 1514")
    return case


@dataclasses.dataclass(frozen=True)
class Load:
    """Television: a number of streams at an equal rate."""

    name: str
    streams: int
    each: int
    fanouts: tuple

    @property
    def rate(self):
        return self.streams * self.each


LOADS = (Load("home", 4, 800, (1, 2)), Load("hotel", 50, 800, (4, 16)),
         Load("campus", 400, 800, (16,)), Load("studio", 1, 130000, (4,)))
# sending habits, see doc/benchmarks.md
SENDERS = {"checksum": {"csum": "full"}, "no checksum": {"csum": "none"},
           "shared ids": {"csum": "full", "ids": "shared"},
           "FEC": {"csum": "full", "fec": 10}}
# (load, fan-out, sender) -> ratio of processor time to mroute's
TELEVISION = {("home", 2, sender): 1.3 for sender in SENDERS} | {
    ("hotel", 4, "checksum"): 0.75, ("hotel", 4, "no checksum"): 0.85,
    ("hotel", 16, "checksum"): 0.6, ("hotel", 16, "no checksum"): 0.7}
WAKEUPS = {"home": 300}       # the most per second
LATENCY_MS = 10               # p99 at any load


def television(load, fanout, sender, ports="seg"):
    return Case(ports=ports, fanout=fanout, groups=load.streams, pace="even", **SENDERS[sender])


def single(fanout, sender):
    """Returns the case of evenly spaced single datagrams at the highest rate."""
    return Case(fanout=fanout, groups=50, pace="even", cores="both", **SENDERS[sender])


def television_title(row):
    """Returns what a row of television has measured."""
    return (f"{row['load']}: {row['streams']} x {row['each']}/s, fan-out {row['fanout']}, "
            f"{row['sender']}" + (", with the generator" if row["one_core"] else ""))


# case -> ratio of rates without loss, with the router on one core and on two
TARGETS = {
    Case(fanout=1, cores="both"): (1.1, 1.8),
    Case(fanout=4, cores="both"): (1.3, 2.2),
    Case(fanout=16, cores="both"): (1.3, 2.2),
    Case(ports="super", fanout=4, cores="both"): (3, 7),
    Case(ports="super", fanout=16, cores="both"): (4.5, 11),
    Case(fanout=4, groups=64, cores="both"): (1.0, 2.0),
    Case(fanout=4, groups=1000, cores="both"): (0.9, 1.7),
    Case(fanout=4, size=64, cores="both"): (1.3, 2.5),
    Case(fanout=64, cores="both"): (1.3, 1.9),
    Case(fanout=256, cores="both"): (1.3, 1.9),
}
# features that a kernel, container or configuration may lack: name, lines of the configuration,
# what the kernel refuses (oldkernel.py)
FALLBACKS = (
    ("nothing", (), ()),
    ("io_uring", ("transmit sendmmsg",), ()),
    ("joining", ("coalesce off",), ()),
    ("joining and io_uring", ("coalesce off", "transmit sendmmsg"), ()),
    ("TPACKET_V3", (), ("no tpacket_v3",)),
    ("size of received super-frames", (), ("no super-frames",)),
    ("vnet header, and so joining", (), ("no vnet header",)),
    ("all of these", ("transmit sendmmsg",),
     ("no tpacket_v3", "no vnet header", "no ignore-outgoing", "io_uring unknown")),
)
# what analysing the streams costs: lines of the configuration, and the cases
QUALITY = (("off", ("quality off",)), ("auto", ()), ("on", ("quality on",)))
QUALITY_CASES = (Case(payload="ts"),
                 Case(fanout=4, groups=50, csum="full", pace="even", payload="ts"),
                 Case(fanout=4, groups=1000, payload="ts"))
QUICK = [case for case in TARGETS if case.fanout != 64]
SINGLES = {single(4, "checksum"): (1.0, 1.7), single(4, "no checksum"): (1.0, 1.5),
           single(4, "shared ids"): (1.0, 1.3), single(1, "checksum"): (None, 1.5),
           single(1, "no checksum"): (None, 1.2)}
TARGETS |= SINGLES


def full():
    """Returns every fan-out, size, number of groups and kind of port, varied one or two at a time
    around 1358 bytes, fan-out 4 and one group."""
    rows = dict.fromkeys(TARGETS)
    for ports in ("seg", "super"):
        for fanout in FANOUTS:
            for groups in GROUPS:
                rows[Case(ports, fanout, 1358, groups, cores="both")] = None
        for size in SIZES:
            for fanout in (1, 4, 16):
                rows[Case(ports, fanout, size, cores="both")] = None
            for groups in GROUPS:
                rows[Case(ports, 4, size, groups, cores="both")] = None
    return list(rows)
