# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/run: ringcastd beside kernel multicast routing, in namespaces of its own."""

import argparse
import os
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools", "lib"))

# pylint: disable=wrong-import-position
import bed as beds      # noqa: E402
import cases            # noqa: E402
import contestants      # noqa: E402
import lab              # noqa: E402
import trials           # noqa: E402


def median(values):
    return statistics.median(values) if values else 0.0


class Series:
    """The repetitions of one contestant in one case."""

    def __init__(self, name):
        self.name = name
        self.rates, self.saturation, self.joined = [], [], []
        self.bound = False

    def copies(self):
        return median(self.rates)


class Runner:
    def __init__(self, args):
        self.args = args

    def start(self, name, bed, case):
        if name == "ringcastd":
            return contestants.Ringcast(bed, case, self.args.option)
        return contestants.Mroute(bed, case)

    def repetition(self, series, bed, case):
        c = self.start(series.name, bed, case)
        try:
            if series.rates:
                guess, step = series.copies() / c.ports, 1.1
            else:
                guess, step = 600e3 / (c.ports + 0.5), 1.5
            found = trials.lossless(bed, c.ports, case, guess, step, self.args.seconds)
            over = trials.Trial(bed, c.ports, 2 * found.copies / c.ports or guess,
                                self.args.seconds, case)
        finally:
            c.stop()
        series.rates.append(found.copies)
        series.bound |= found.bound
        series.saturation.append(over.copies)
        series.joined.append(found.trial.joined if found.trial else 0)

    def case(self, case):
        bed = beds.Bed(case.ports_out(), case.ports == "super")
        both = [Series(name) for name in self.args.contestant]
        try:
            for _ in range(self.args.repeat):
                for series in both:
                    self.repetition(series, bed, case)
        finally:
            bed.close()
        return both


def number(x):
    return f"{x / 1e6:.3f}"


def line(case, both):
    """One line of the table; figures are millions of copies per second."""
    text = f"{str(case):58}"
    for s in both:
        text += (f" | {s.name} {number(s.copies())}{'+' if s.bound else ' '}"
                 f" ({number(min(s.rates))}..{number(max(s.rates))})"
                 f" over {number(median(s.saturation))} skb {median(s.joined):.1f}")
    if len(both) == 2 and both[1].copies():
        text += f" | ratio {both[0].copies() / both[1].copies():.2f}"
    return text


def options():
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    p.add_argument("--case", action="append", default=[], metavar="'KEY=VALUE ...'",
                   help="ports=seg|super fanout=N size=N groups=N cores=1|2")
    p.add_argument("--repeat", type=int, default=3, help="repetitions, interleaved (3)")
    p.add_argument("--seconds", type=float, default=0.4, help="length of a trial (0.4)")
    p.add_argument("--contestant", action="append", choices=["ringcastd", "mroute"],
                   help="only this one; may be repeated")
    p.add_argument("--option", action="append", default=[], metavar="LINE",
                   help="a line for ringcastd's configuration")
    p.add_argument("--verbose", action="store_true", help="one line for each trial")
    args = p.parse_args()
    trials.VERBOSE = args.verbose
    args.contestant = args.contestant or ["ringcastd", "mroute"]
    try:
        args.case = [cases.parse(c) for c in args.case] or [cases.Case()]
    except ValueError as e:
        p.error(str(e))
    return args


def main():
    args = options()
    try:
        lab.enter()
    except lab.LabError as e:
        print(f"cannot make network namespaces: {e}")
        return 1
    runner = Runner(args)
    for case in args.case:
        print(line(case, runner.case(case)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
