#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest run of bench/run, to see that it still works. The figures do not matter."""

import json
import os
import subprocess
import sys
import tempfile

from libnetns import Skip, case, lab, main

LIBRARY = os.path.join(lab.ROOT, "bench", "lib")
PROGRAM = os.path.join(LIBRARY, "forwarding.py")
os.environ.setdefault("RINGCAST_BENCH_BUILD", os.environ.get("RINGCAST_BUILD", ""))
sys.path.insert(0, LIBRARY)

# pylint: disable=wrong-import-position
import bed          # noqa: E402
import cases        # noqa: E402
import contestants  # noqa: E402


def bench(*args):
    env = dict(os.environ)
    del env[lab.MARKER]    # it makes its own laboratory
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


@case("television: two senders of a load, compared with mroute, and mroute with itself")
def television(b):
    senders = "shared ids", "FEC"
    found = bench("--part", "television", "--load", "home", "--window", "0.1", "--ports", "super",
                  *(word for sender in senders for word in ("--sender", sender)))
    assert not found["failed"], found["failed"]
    rows = found["television"]
    assert [(r["fanout"], r["sender"]) for r in rows] == [
        (fanout, sender) for fanout in (1, 2) for sender in senders]
    for row in rows:
        assert list(row["series"]) == ["ringcastd", "mroute", "mroute again"]
        for name, s in row["series"].items():
            assert s["ns"] >= 0 and s["delivered"] > 0 and s["p99_ms"] > 0, (name, s)
        ours = row["series"]["ringcastd"]
        assert ours["wakeups"] > 0 and ours["joined"] >= 1, ours
        b.note(f"fan-out {row['fanout']}, {row['sender']}: {ours['joined']:.2f} per message")


@case("a port that takes super-frames gets them; payload that is MPEG-TS is checked and analysed")
def superframes(b):
    row, = bench("--case", "ports=super fanout=2 cores=1 payload=ts",
                 "--contestant", "ringcastd")["rates"]
    b.note(f"{row['series'][0]['joined']:.1f} datagrams per frame")
    assert row["payload"] == "ts" and row["series"][0]["copies"] > 0, row
    assert row["series"][0]["joined"] >= 1


@case("the sinks count datagrams that are late, duplicate, corrupt or of another run")
def sinks(b):
    one = cases.Case(fanout=2)
    try:
        t = b.own(bed.Bed(2, superframes=False))
        c = contestants.Mroute(t, one, 1)
    except (lab.LabError, FileNotFoundError, AssertionError) as e:
        raise Skip(str(e)) from None
    count = ("--count", "100")
    t.flood(20000, 1, one, count)
    fine = t.sink.ask("wait", 100, 200)
    assert (fine["datagrams"], fine["bytes"], fine["least"]) == (200, 200 * 1358, 100), fine
    assert not any(fine[k] for k in ("lost", "duplicate", "late", "corrupt", "foreign", "fec")), fine
    said = t.flood(20000, 1, cases.Case(fanout=2, csum="full", pace="even", fec=10), count)
    both = t.sink.ask("wait", 100, 200)
    assert (said["fec"], both["datagrams"], both["fec"], both["corrupt"]) == (10, 200, 20, 0), both
    t.flood(20000, 1, one, count)
    t.flood(20000, 1, one, count, same_run=True)
    again = t.sink.ask("wait", 200, 200)
    # the numbers begin again: all count as late except the last one, which counts as a duplicate
    assert (again["datagrams"], again["late"], again["duplicate"]) == (400, 198, 2), again
    t.flood(20000, 1, cases.Case(fanout=2, size=1000), count, same_run=True)
    assert t.sink.ask("wait", 300, 200)["corrupt"] == 200
    t.run += 1     # a run that the sinks do not know
    t.flood(20000, 1, one, count, same_run=True)
    assert t.sink.ask("wait", 300, 200)["foreign"] == 200
    c.stop()
    c = contestants.Mroute(t, cases.Case(fanout=2, groups=1), 1)
    t.sink.ask("run", t.run, one.size, one.skip())
    t.flood(20000, 1, cases.Case(fanout=2, groups=2), count, same_run=True)
    found = t.sink.ask("wait", 100, 200)
    assert found["datagrams"] == 100, found   # the other group has no entry
    c.stop()


def _run(script, *options):
    """The results of a program of bench/lib, as JSON."""
    env = dict(os.environ)
    del env[lab.MARKER]
    env.setdefault("RINGCAST_BENCH_BUILD", env["RINGCAST_BUILD"])
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "found.json")
        r = subprocess.run([sys.executable, os.path.join(LIBRARY, script), "--contestant",
                            "ringcastd", *options, "--json", out],
                           env=env, capture_output=True, text=True, timeout=100)
        if r.returncode == 77:
            raise Skip(r.stdout.strip().splitlines()[-1])
        assert r.returncode == 0, r.stdout + r.stderr
        with open(out, encoding="utf-8") as f:
            return json.load(f)


@case("bench/ctl joins groups and finds them all forwarded")
def control(b):
    found = _run("ctl.py", "--part", "groups", "--groups", "100", "--repeat", "1")
    for row in found["groups"]:
        assert row["forwarded"] == 100, row
        b.note(f"{row['cpu_us']:.0f} us per join at {row['rate']} per second")


@case("bench/stress: one host floods, another one of the same LAN is served")
def stress(b):
    row, = _run("stress.py", "--part", "shouter", "--seconds", "1")["shouter"]
    assert row["during"]["zaps"]["never"] == 0, row
    assert row["counted"]["limited"] > 1000, row
    b.note(f"{row['counted']['limited']} messages refused")


@case("bench/stress: hostile shapes, and honest hosts of two LANs are served")
def hostile(b):
    rows = _run("stress.py", "--part", "hostile", "--seconds", "1", "--shape", "182 x BLOCK",
                "--attack", "5000")["hostile"]
    assert len(rows) == 1, rows
    row, = rows
    assert not any(z["never"] for z in row["zaps"].values()), row
    assert row["counted"]["records_limited"] > 1000 and row["attack"]["sent"] > 1000, row
    b.note(f"{row['attack']['sent']} reports, control {row['control_percent']:.0f} %")


@case("bench/stress: clients misuse the page, and an honest host of another LAN is served")
def web(b):
    row, = _run("stress.py", "--part", "web", "--seconds", "1", "--shape",
                "1,000 streams, 20")["web"]
    assert row["zaps"]["never"] == 0, row
    assert row["answers"]["open, 200"] <= 100 < row["answers"]["503"], row
    assert row["reader"]["n"] > 0, row
    b.note(f"{row['connections']} connections, control {row['control_percent']:.0f} %")


if __name__ == "__main__":
    main()
