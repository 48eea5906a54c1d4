# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/run: ringcastd compared with kernel multicast routing, in private namespaces."""

import argparse
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))

# pylint: disable=wrong-import-position
import cases            # noqa: E402
import lab              # noqa: E402
import results          # noqa: E402
import suite            # noqa: E402
import trials           # noqa: E402


def options():
    p = argparse.ArgumentParser(
        prog="bench/run", description="Compare ringcastd with kernel multicast routing. "
        "Without --case or --part the quick run (7 minutes), or the full one.")
    p.add_argument("--case", action="append", default=[], metavar="'KEY=VALUE ...'",
                   help="only this row: ports=seg|super fanout=N size=N groups=N in_row=N "
                        "csum=partial|full|none ids=df|shared pace=bursts|even "
                        "payload=plain|ts fec=N cores=1|2|both")
    p.add_argument("--part", action="append", default=[], choices=suite.PARTS,
                   help="only this part; may be repeated")
    p.add_argument("--full", action="store_true", help="all rows, more repetitions")
    p.add_argument("--check", action="store_true",
                   help="exit with 1 when a target is missed")
    p.add_argument("--repeat", type=int, help="repetitions, interleaved (3; quick run 2)")
    p.add_argument("--seconds", type=float, help="length of a trial (0.4; quick run 0.14)")
    p.add_argument("--contestant", action="append", choices=list(suite.CONTESTANTS),
                   help="only this one; may be repeated")
    p.add_argument("--option", action="append", default=[], metavar="LINE",
                   help="a line for ringcastd's configuration")
    p.add_argument("--load", action="append", default=[],
                   choices=[load.name for load in cases.LOADS],
                   help="of the part television only this load; may be repeated")
    p.add_argument("--sender", action="append", default=[], choices=list(cases.SENDERS),
                   help="of the part television only this sender; may be repeated")
    p.add_argument("--ports", choices=("seg", "super"), default="seg",
                   help="of the part television: where super-frames are cut: router or receiver")
    p.add_argument("--one-core", action="store_true",
                   help="of the part television: the generator shares the router's processor, and "
                        "its time is in the figures")
    p.add_argument("--gro", action="store_true",
                   help="the router's upstream merges received datagrams (rx-udp-gro-forwarding); "
                        "not of delays and capacity")
    p.add_argument("--window", type=float,
                   help="seconds that processor time is measured for, of television (10; quick "
                        "run 1)")
    p.add_argument("--results", metavar="DIRECTORY",
                   help="folder for table, JSON and plots (build/bench/DATE; none with --case)")
    p.add_argument("--verbose", action="store_true", help="one line for each trial")
    args = p.parse_args()
    quick = not (args.full or args.case)
    trials.VERBOSE, trials.RESOLUTION = args.verbose, 1.08 if quick else 1.03
    args.quick = quick
    args.repeat = args.repeat or (2 if quick else 3)
    args.seconds = args.seconds or (0.14 if quick else 0.4)
    args.window = args.window or (1.0 if quick else 10.0)
    args.contestant = args.contestant or ["ringcastd", "mroute"]
    try:
        args.case = [cases.parse(c) for c in args.case]
    except ValueError as e:
        p.error(str(e))
    return args


def measure(args):
    """Returns how many targets were missed, and how many rows failed."""
    s = suite.Suite(args)
    if args.case:
        s.rates(args.case)
    parts = args.part or ([] if args.case else [
        p for p in suite.PARTS   # the full rates include the singles
        if p != "singles" and (args.full or p not in ("fallbacks", "quality"))])
    for part in parts:
        s.part(part)
    missed = s.targets() if parts else 0
    s.end()
    if parts or args.results:
        results.write(s.found, args.results)
    return missed, len(s.found["failed"])


def main():
    args = options()
    try:
        if not {0, 1} <= os.sched_getaffinity(0):
            raise lab.LabError("needs the processors 0 and 1")
        lab.enter()
        missed, failed = measure(args)
    except (lab.LabError, FileNotFoundError) as e:
        print(f"cannot measure here: {e}")
        return 77
    return 1 if failed or (missed and args.check) else 0


if __name__ == "__main__":
    sys.exit(main())
