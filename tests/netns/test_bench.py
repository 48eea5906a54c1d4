#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/run, so that it does not rot: the smallest run, no matter what its figures are."""

import json
import os
import subprocess
import sys
import tempfile

from libnetns import Skip, case, lab, main

PROGRAM = os.path.join(lab.ROOT, "bench", "lib", "forwarding.py")


def bench(*args):
    env = dict(os.environ)
    del env[lab.MARKER]    # it makes a laboratory of its own
    env.setdefault("RINGCAST_BENCH_BUILD", env["RINGCAST_BUILD"])
    with tempfile.TemporaryDirectory() as directory:
        r = subprocess.run([sys.executable, PROGRAM, "--results", directory, "--repeat", "1",
                            "--seconds", "0.05", *args],
                           env=env, capture_output=True, text=True, timeout=200)
        if r.returncode == 77:
            raise Skip(r.stdout.strip().splitlines()[-1])
        assert r.returncode == 0, r.stdout + r.stderr
        with open(os.path.join(directory, "results.json"), encoding="utf-8") as f:
            return json.load(f)


@case("bench/run finds a rate without loss for each contestant")
def rates(b):
    found = bench("--case", "fanout=2 groups=2 size=64 cores=both")
    row, = found["rates"]
    assert {(s["contestant"], s["cores"]) for s in row["series"]} == {
        ("ringcastd", 1), ("mroute", 1), ("ringcastd", 2), ("mroute", 2)}
    for s in row["series"]:
        assert s["copies"] > 0, s
        b.note(f"{s['contestant']} on {s['cores']}: {s['copies']:.0f} copies per second")
    assert set(row["ratio"]) == {"1", "2"}


@case("a port that takes super-frames gets them")
def superframes(b):
    row, = bench("--case", "ports=super fanout=2", "--contestant", "ringcastd")["rates"]
    b.note(f"{row['series'][0]['joined']:.1f} datagrams per frame")
    assert row["series"][0]["joined"] >= 1


if __name__ == "__main__":
    main()
