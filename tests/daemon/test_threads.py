#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The threads of the data plane: how many there are, where they run, what each of them does."""

import glob
import os

from libnetns import (PLAIN, assert_continuous, case, main, wait_datagrams, wait_for)


def plays(b, config):
    t = b.topology()
    d = b.run(t, config + PLAIN)
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 100), at_least=100)
    return d


def processors(d):
    """Returns the processors that each data-plane thread may use, in the order of the threads."""
    found = {}
    for task in glob.glob(f"/proc/{d.process.pid}/task/*/status"):
        with open(task, encoding="ascii") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        if fields["Name"].startswith("ringcast-dp"):
            found[fields["Name"]] = fields["Cpus_allowed_list"]
    return [found[name] for name in sorted(found)]


@case("threads 2 with cpu-affinity: each stays on its processor")
def affinity(b):
    usable = sorted(os.sched_getaffinity(0))
    wanted = [usable[-1], usable[0]]
    d = plays(b, f"threads 2\ncpu-affinity {wanted[0]},{wanted[1]}\n")
    assert processors(d) == [str(c) for c in wanted], processors(d)
    assert [w["cpu"] for w in d.show("stats")["workers"]] == wanted


@case("threads auto: one for each processor of cpu-affinity")
def auto_of_list(b):
    cpu = min(os.sched_getaffinity(0))
    d = plays(b, f"threads auto\ncpu-affinity {cpu},{cpu},{cpu}\n")
    assert processors(d) == [str(cpu)] * 3, processors(d)


@case("threads auto: as many as suit the processors")
def auto(b):
    n = len(os.sched_getaffinity(0))
    d = plays(b, "threads auto\n")
    assert len(processors(d)) == (1 if n <= 2 else min(n - 1, 4)), processors(d)


@case("a processor that does not exist: a warning, and the thread runs anywhere")
def absent(b):
    d = plays(b, "cpu-affinity 65535\n")
    assert "cpu-affinity 65535" in d.log(), d.log()
    assert d.show("stats")["workers"][0]["cpu"] is None


@case("the counters of the threads add up")
def counters(b):
    d = plays(b, "threads 2\n")

    def adds_up():
        stats = d.show("stats")
        workers = stats["workers"]
        return len(workers) == 2 and all(
            sum(w[key] for w in workers) == stats[key] for key in ("frames", "bursts", "blocks")
        ) and sum(w["copies"] for w in workers) == sum(p["tx_packets"] for p in stats["ports"])
    wait_for(10, adds_up, "the sums of all threads")
    assert "Threads" in d.table("stats"), d.table("stats")


if __name__ == "__main__":
    main()
