# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a run. Each measures, prints its table row by row, and keeps its results."""

import dataclasses
import statistics
import time

import bed as beds
import cases
import contestants
import cpu
import delays
import lab
import latency
import results
import television
import trials
from cases import Case

GROUPS = 8           # for the burdened latency; one of them is measured
PARTS = ("television", "singles", "rates", "witness", "fallbacks", "quality", "cpu", "latency",
         "delays", "capacity")
CONTESTANTS = contestants.BY_NAME


class Series:
    """The repetitions of one contestant in one placement of one case."""

    def __init__(self, name, cores, threads=1, missing="", **more):
        self.name, self.cores, self.threads, self.missing = name, cores, threads, missing
        self.more = more     # arguments of the contestant
        if threads > 1:
            self.more["threads"] = threads
        self.rates, self.over, self.joined = [], [], []
        self.bound = False

    def copies(self):
        return statistics.median(self.rates)

    def row(self):
        return {"contestant": self.name, "cores": self.cores, "threads": self.threads,
                "missing": self.missing, "copies": self.copies(),
                "min": min(self.rates), "max": max(self.rates), "bound": self.bound,
                "overload": statistics.median(self.over) if self.over else None,
                "joined": statistics.median(self.joined)}


class Suite:
    def __init__(self, args):
        self.args = args
        self.started = time.monotonic()
        self.found = results.new(args)
        self.guess = {}      # measured series -> copies per second that it reached last

    def part(self, name):
        try:
            getattr(self, name)()
        except AssertionError as e:
            self._failed(name, e)

    def _failed(self, what, e):
        """Record a finding and continue with the next parts."""
        self.found["failed"].append(f"{what}: {e}")
        print(f"{what}: FAILED: {e}", flush=True)

    def start(self, name, bed, case, cores, options=(), **more):
        return CONTESTANTS[name](bed, case, cores, [*self.args.option, *options], **more)

    # television

    def television(self):
        print(results.TELEVISION_HEAD, flush=True)
        for load in cases.LOADS:
            for fanout in load.fanouts:
                if self.args.load and load.name not in self.args.load:
                    continue
                bed = beds.Bed(fanout, self.args.ports == "super", self.args.gro)
                bed.one_core = self.args.one_core
                try:
                    self._television_rows(bed, load, fanout)
                finally:
                    bed.close()

    def _television_rows(self, bed, load, fanout):
        for sender in self.args.sender or cases.SENDERS:
            case = cases.television(load, fanout, sender, self.args.ports)
            try:
                row = self._television_row(bed, load, case)
            except AssertionError as e:
                self._failed(f"{load.name}, {case}", e)
                continue
            row.update(load=load.name, streams=load.streams, each=load.each, fanout=fanout,
                       sender=sender, ports=self.args.ports, one_core=self.args.one_core)
            self.found["television"].append(row)
            print(results.television_line(row), flush=True)

    def _television_row(self, bed, load, case):
        names = list(self.args.contestant)
        if "mroute" in names:
            names.append(television.AGAIN)
        runs = {name: [] for name in names}
        for _ in range(1 if self.args.quick else self.args.repeat):
            for name, found in runs.items():
                trials.Calm.wait()
                c = self.start(name.split()[0], bed, case, 1)
                try:
                    found.append(television.measure(bed, c, case, load.rate,
                                                    self.args.window))
                finally:
                    c.stop()
        return {"series": {name: results.television_median(found)
                           for name, found in runs.items()}}

    def singles(self):
        self.rates(list(cases.SINGLES))

    # rates

    def rates(self, rows=None):
        rows = rows or (cases.full() if self.args.full else cases.QUICK)
        print(results.RATES_HEAD, flush=True)
        for case in rows:
            try:
                row = self._rate_row(case)
            except AssertionError as e:
                self._failed(case, e)
                continue
            self.found["rates"].append(row)
            print(results.rates_line(row), flush=True)

    def _series(self, case):
        wanted = []
        for name in self.args.contestant:
            placements = set(case.placements())
            if name in ("smcroute", "xdp"):
                placements = {1}
            elif name == "mroute":
                # the kernel uses one core for a flow, however many cores there are
                placements = {1} | (placements if case.groups > 1 else set())
            wanted += [(name, cores, threads) for cores in placements
                       for threads in self._threads(name, cores, case)]
        return [Series(*w) for w in sorted(wanted, key=lambda w: w[1:])]

    def _threads(self, name, cores, case):
        """Returns the numbers of threads to try; the quick run tries only the one that should be
        better."""
        if name != "ringcastd" or cores == 1:
            return (1,)
        if not self.args.quick:
            return (1, 2)
        return (2,) if case.copying() else (1,)

    def _rate_row(self, case, series=None):
        series = series or self._series(case)
        bed = beds.Bed(case.ports_out(), case.ports == "super", self.args.gro)
        try:
            for _ in range(self.args.repeat):
                for s in series:
                    self._repetition(s, bed, case)
        finally:
            bed.close()
        return {"case": str(case), **vars(case), "series": [s.row() for s in series],
                "ratio": {str(cores): results.ratio(series, cores)
                          for cores in case.placements()}}

    def _repetition(self, series, bed, case):
        c = self.start(series.name, bed, case, series.cores, **series.more)
        try:
            key = series.name, series.cores, series.threads, series.missing
            guess = self.guess.get(key, 600e3) / c.ports
            found = trials.lossless(bed, c.ports, case, guess, 1.1 if series.rates else 1.5,
                                    self.args.seconds)
            self.guess[key] = found.copies or 600e3
            if not self.args.quick:
                over = trials.Trial(bed, c.ports, 2 * self.guess[key] / c.ports,
                                    self.args.seconds, case)
                series.over.append(over.copies)
        finally:
            c.stop()
        series.rates.append(found.copies)
        series.bound |= found.bound
        series.joined.append(found.trial.joined if found.trial else 0)

    # other forwarders

    def witness(self):
        """Measure smcrouted, which should reach what static entries reach, and XDP as an upper
        limit."""
        print(results.WITNESS_HEAD, flush=True)
        wide = Case(fanout=16)
        for name in ("smcroute", "xdp"):
            for case in (Case(), wide) if self.args.full else (Case(),):
                try:
                    row = self._rate_row(case, [Series(name, 1)])
                except (lab.LabError, AssertionError, FileNotFoundError) as e:
                    print(f"{name}: {e}", flush=True)
                    break
                self.found["witness"].append(row)
                print(results.rates_line(row), flush=True)

    def fallbacks(self):
        print(results.FALLBACKS_HEAD, flush=True)
        for case in (Case(), Case(groups=64)):
            series = [Series("ringcastd", 1, missing=missing, options=options, refuse=refuse)
                      for missing, options, refuse in cases.FALLBACKS]
            row = self._rate_row(case, series)
            self.found["fallbacks"].append(row)
            print(results.fallbacks_line(row), flush=True)

    # analysing streams

    def quality(self):
        print(results.QUALITY_HEAD, flush=True)
        for case in cases.QUALITY_CASES:
            series = [Series("ringcastd", 1, missing=mode, options=options)
                      for mode, options in cases.QUALITY] + [Series("mroute", 1)]
            row = self._rate_row(case, series)
            row["cpu"] = self._quality_cpu(case)
            self.found["quality"].append(row)
            print(results.quality_line(row), flush=True)

    def _quality_cpu(self, case):
        """Returns the processor time per copy at the rate of the hotel, {mode: [ns]}."""
        load = next(load for load in cases.LOADS if load.name == "hotel")
        even = dataclasses.replace(case, pace="even", csum="full")
        found = {mode: [] for mode, _ in cases.QUALITY}
        bed = beds.Bed(case.ports_out(), case.ports == "super", self.args.gro)
        try:
            for _ in range(self.args.repeat):
                for mode, options in cases.QUALITY:
                    trials.Calm.wait()
                    c = self.start("ringcastd", bed, even, 1, options)
                    try:
                        found[mode].append(television.measure(bed, c, even, load.rate,
                                                              self.args.window)["ns"])
                    finally:
                        c.stop()
        finally:
            bed.close()
        return {mode: statistics.median(ns) for mode, ns in found.items()}

    # processor time

    def cpu(self):
        print(results.CPU_HEAD, flush=True)
        for pace, extra in (("bursts", ()), ("even", ("--spin", "--segments", "1"))):
            row = self._cpu_row(Case(), 150e3, extra)
            row["pace"] = pace
            self.found["cpu"].append(row)
            print(results.cpu_line(row), flush=True)

    def _cpu_row(self, case, copies, extra):
        bed = beds.Bed(case.ports_out(), case.ports == "super", self.args.gro)
        values = {name: [] for name in self.args.contestant}
        seconds = 2.0 if self.args.full else 0.4
        try:
            for _ in range(self.args.repeat + 1):
                for name, ns in values.items():
                    c = self.start(name, bed, case, 1)
                    try:
                        ns.append(cpu.per_copy(bed, case, copies / case.fanout, seconds, extra))
                    finally:
                        c.stop()
        finally:
            bed.close()
        row = {"copies": copies, "series": {
            n: {"ns": statistics.median(v), "min": min(v), "max": max(v)}
            for n, v in values.items()}}
        if "ringcastd" in values and "mroute" in values:
            row["ratio"] = row["series"]["ringcastd"]["ns"] / row["series"]["mroute"]["ns"]
        return row

    # latency

    def latency(self):
        case = Case()
        print(results.LATENCY_HEAD, flush=True)
        seconds = 0.3 if not self.args.full else 5.0
        wanted = [("ringcastd", 2, ()), ("ringcastd", 2, ("latency low",)),
                  ("ringcastd", 1, ()), ("mroute", 1, ())]
        bed = beds.Bed(case.ports_out(), case.ports == "super", self.args.gro)
        try:
            for name, cores, options in wanted:
                if name in self.args.contestant:
                    self._latency_rows(bed, case, name, cores, options, seconds)
        finally:
            bed.close()
        print(results.BURDENED_HEAD, flush=True)
        for row in self.found["burdened"]:
            print(results.burdened_line(row), flush=True)

    def _latency_rows(self, bed, case, name, cores, options, seconds):
        try:
            c = self.start(name, bed, dataclasses.replace(case, groups=GROUPS), cores, options)
        except AssertionError:
            print(f"{name}: refuses {', '.join(options)}", flush=True)
            return
        try:
            copies = self._copies_even(bed, c, case)
            for part in (0.1, 0.5, 0.9):
                row = latency.measure(bed, c, case, copies, part, seconds)
                row.update(contestant=name, cores=cores, options=", ".join(options),
                           lossless=copies)
                self.found["latency"].append(row)
                print(results.latency_line(row), flush=True)
            if options:
                return
            several = dataclasses.replace(case, groups=GROUPS)
            most = trials.lossless(bed, c.ports, several, copies / 2 / c.ports, 1.5,
                                   self.args.seconds).copies
            row = latency.burdened(bed, c, case, dataclasses.replace(case, groups=GROUPS - 1),
                                   most / 2, seconds)
            row.update(contestant=name, cores=cores)
            self.found["burdened"].append(row)
        finally:
            c.stop()

    def _copies_even(self, bed, c, case):
        """Returns the rate without loss of evenly spaced single datagrams, which latency uses."""
        found = trials.lossless(bed, c.ports, case, 400e3 / c.ports, 1.5, self.args.seconds,
                                latency.EXTRA)
        return found.copies

    # delays

    def delays(self):
        if "ringcastd" not in self.args.contestant:
            return
        n = 1000 if self.args.full else 100
        print(results.DELAYS_HEAD, flush=True)
        bed = beds.Bed(4, False)
        try:
            half = self._half_load(bed)
            for rate, burdened in ((8000, False), (half, True)):
                row = delays.zaps(bed, n, rate, burdened, self.args.option)
                self.found["delays"].append(row)
                print(results.delays_line(row), flush=True)
        finally:
            bed.close()

    def _half_load(self, bed):
        case = Case(fanout=4, groups=delays.GROUPS)
        c = self.start("ringcastd", bed, case, 2)
        try:
            found = trials.lossless(bed, c.ports, case, 150e3, 1.5, self.args.seconds)
        finally:
            c.stop()
        return found.copies / c.ports / 2

    # capacity

    def capacity(self):
        print(results.CAPACITY_HEAD, flush=True)
        bed = beds.Bed(1, False)
        try:
            for groups in ((1000, 10000, 65536) if self.args.full else (1000, 10000)):
                for name in self.args.contestant:
                    row = delays.capacity(bed, name, groups)
                    self.found["capacity"].append(row)
                    print(results.capacity_line(row), flush=True)
        finally:
            bed.close()

    # targets

    def targets(self):
        """Print targets with their measurements; returns how many were missed."""
        rows = results.targets(self.found)
        self.found["targets"] = rows
        if rows:
            print(results.TARGETS_HEAD)
        for row in rows:
            print(results.targets_line(row))
        return sum(not row["ok"] for row in rows)

    def end(self):
        waited = trials.Calm.waited_s
        self.found["waited_s"] = round(waited, 1)
        print(f"took {time.monotonic() - self.started:.0f} s" + (
            f"; waited {waited:.1f} s for others who used the processors: "
            "these figures may be spoilt" if waited > 1 else ""))
