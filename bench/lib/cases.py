# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: a case is one row of the tables."""

import dataclasses

import bed as beds


@dataclasses.dataclass(frozen=True)
class Case:
    ports: str = "seg"     # seg: ports cut super-frames in the router; super: take them whole
    fanout: int = 4
    size: int = 1358       # the Ethernet frame without FCS
    groups: int = 1        # interleaved: one datagram of each in turn
    cores: int = 1         # 1: all of the router on core 1; 2: receive on core 0
    in_row: int = 1        # datagrams of a group in turn

    def ports_out(self):
        """ringcastd has 256 ports, one of which is the input."""
        return min(self.fanout, beds.MAX_PORTS - 1)

    def __str__(self):
        text = (f"ports={self.ports} fanout={self.fanout} size={self.size} "
                f"groups={self.groups} cores={self.cores}")
        return text + (f" in_row={self.in_row}" if self.in_row != 1 else "")


def parse(text):
    """"ports=seg fanout=4" -> Case; what is not said has its default."""
    values = {}
    types = {f.name: f.type for f in dataclasses.fields(Case)}
    for word in text.split():
        key, _, value = word.partition("=")
        if key not in types:
            raise ValueError(f"{word}: unknown; known are {', '.join(types)}")
        values[key] = types[key](value)
    case = Case(**values)
    if case.ports not in ("seg", "super") or case.cores not in (1, 2):
        raise ValueError(f"{text}: ports is seg or super, cores is 1 or 2")
    if not (1 <= case.fanout <= beds.MAX_PORTS and 1 <= case.groups <= 1000):
        raise ValueError(f"{text}: fanout 1 to {beds.MAX_PORTS}, groups 1 to 1000")
    if not 64 <= case.size <= 1514:
        raise ValueError(f"{text}: size 64 to 1514")
    return case
