# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes results as table rows, JSON and plots. Rates are millions of copies per second, with the
lowest and highest of the repetitions."""

import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import time

import cases
import lab
import markdown
import plots

TELEVISION_HEAD = ("\ntelevision at its own rate: processor time of the whole system without the "
                   "generator, nanoseconds per delivered copy: median (least..most); A/A is mroute "
                   "to itself")
RATES_HEAD = ("\nbursts (unless pace=even): highest rate without loss, million copies per second: median (least..most), "
              "offered twice that, datagrams per frame at a sink; + = the generator's limit")
WITNESS_HEAD = "\nother forwarders, in the same units"
QUALITY_HEAD = ("\nwith the streams analysed (MPEG-TS), on one core: million copies per second without "
                "loss, median (least..most)")
FALLBACKS_HEAD = "\nwithout what may be missing, in the same units"
CPU_HEAD = "\nprocessor time per copy, nanoseconds of the router's core: median (least..most)"
LATENCY_HEAD = "\nlatency in microseconds, at parts of the contestant's own highest rate"
BURDENED_HEAD = ("\nburdened latency in microseconds: of 1000 datagrams/s during half of the "
                 "highest rate in other groups")
DELAYS_HEAD = "\ngroup join delay and group leave delay, milliseconds"
CAPACITY_HEAD = "\ngroup capacity, one member each"
TARGETS_HEAD = "\ntargets"
FAILED_HEAD = "\nfailed"


def _read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except OSError:
        return ""


def _git():
    if not shutil.which("git"):
        return ""
    r = subprocess.run(["git", "-C", lab.ROOT, "describe", "--always", "--dirty"],
                       capture_output=True, text=True)
    return r.stdout.strip()


def new(args):
    model = [line.split(":", 1)[1].strip() for line in _read("/proc/cpuinfo").splitlines()
             if line.startswith("model name")]
    machine = {"kernel": platform.release(), "machine": platform.machine(),
               "cpu": model[0] if model else platform.processor(), "cpus": os.cpu_count(),
               "date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
               "revision": _git(),
               "netdev_max_backlog": os.environ.get("BENCH_BACKLOG", "unknown")}
    print("; ".join(f"{k} {v}" for k, v in machine.items()))
    return {"machine": machine, "repeat": args.repeat, "seconds": args.seconds,
            "options": args.option, "full": args.full, "television": [], "rates": [], "witness": [],
            "fallbacks": [], "quality": [], "cpu": [], "latency": [], "burdened": [], "delays": [],
            "capacity": [], "failed": []}


def ratio(series, cores):
    """Returns the ratio of ringcastd's better setting on these cores to the kernel's best with at
    most as many cores."""
    ours = [s.copies() for s in series if s.name == "ringcastd" and s.cores == cores]
    kernel = [s.copies() for s in series if s.name == "mroute" and s.cores <= cores]
    return max(ours) / max(kernel) if ours and kernel and max(kernel) else None


def television_median(runs):
    """Returns the medians of some measurements, and the range of the times."""
    row = {key: None if runs[0][key] is None else statistics.median(r[key] for r in runs)
           for key in runs[0]}
    row.update(least=min(r["ns"] for r in runs), most=max(r["ns"] for r in runs))
    return row


def television_ratio(row, a, b):
    s = row["series"]
    if a not in s or b not in s or not s[b]["ns"] or math.isinf(s[a]["ns"] + s[b]["ns"]):
        return None
    return s[a]["ns"] / s[b]["ns"]


def _ratios(row):
    for title, a, b in (("ratio", "ringcastd", "mroute"), ("A/A", "mroute again", "mroute")):
        r = television_ratio(row, a, b)
        if r is not None:
            yield title, r


def television_line(row):
    lines = [cases.television_title(row)
             + "".join(f"   {title} {r:.2f}" for title, r in _ratios(row))]
    for name, s in row["series"].items():
        lines.append(
            f"  {name:>12} {s['ns']:8.0f} ns ({s['least']:.0f}..{s['most']:.0f}), core without "
            f"traffic {100 * s['quiet']:.2f} %, delivered {100 * s['delivered']:.2f} % of "
            f"{s['offered']:.0f}/s, p50 "
            f"{s['p50_ms']:.2f} p99 {s['p99_ms']:.2f} ms" + (
                "" if s["wakeups"] is None else
                f", {s['wakeups']:.0f} wake-ups/s, {s['joined']:.2f} datagrams per message, "
                f"{s['memory'] / 1e6:.1f} MB resident"))
    return "\n".join(lines)


def rates_line(row):
    lines = []
    for s in row["series"]:
        threads = f", {s['threads']} threads" if s["threads"] > 1 else ""
        lines.append(f"  {s['contestant']:>10}/{s['cores']}{threads:11} "
                     f"{s['copies'] / 1e6:7.3f}"
                     f"{'+' if s['bound'] else ' '} ({s['min'] / 1e6:.3f}..{s['max'] / 1e6:.3f})"
                     + (f" twice {s['overload'] / 1e6:.3f}" if s["overload"] else "")
                     + f" joined {s['joined']:.1f}")
    ratios = " ".join(f"{cores}: {r:.2f}" for cores, r in row["ratio"].items() if r)
    return f"{row['case']}" + (f"   RATIO {ratios}" if ratios else "") + "\n" + "\n".join(lines)


def quality_line(row):
    off = row["series"][0]["copies"]
    return f"{row['case']}\n" + "\n".join(
        f"  {_quality_name(s):13} {s['copies'] / 1e6:7.3f} ({s['min'] / 1e6:.3f}.."
        f"{s['max'] / 1e6:.3f}), {s['copies'] / off:.2f} of off" + (
            f"; {row['cpu'][s['missing']]:.0f} ns per copy at the hotel's rate"
            if s["missing"] else "") for s in row["series"])


def _quality_name(series):
    return f"quality {series['missing']}" if series["missing"] else series["contestant"]


def fallbacks_line(row):
    return f"{row['case']}\n" + "\n".join(
        f"  without {s['missing']:28} {s['copies'] / 1e6:7.3f} ({s['min'] / 1e6:.3f}.."
        f"{s['max'] / 1e6:.3f})" for s in row["series"])


def cpu_line(row):
    text = f"{row['copies'] / 1e3:.0f} k copies/s, {row['pace']:6}:"
    for name, s in row["series"].items():
        text += f" | {name} {s['ns']:.0f} ({s['min']:.0f}..{s['max']:.0f})"
    return text + (f" | ratio {row['ratio']:.2f}" if "ratio" in row else "")


def latency_line(row):
    who = f"{row['contestant']}/{row['cores']}" + (
        f" {row['options']}" if row["options"] else "")
    return (f"{who:24} {row['part'] * 100:3.0f} % {row['rate']:8.0f} datagrams/s: min "
            f"{row['min']:6.1f} p50 {row['p50']:7.1f} p99 {row['p99']:7.1f} "
            f"p99.9 {row['p999']:7.1f} max {row['max']:8.1f} missing {row['missing']}")


def burdened_line(row):
    return (f"{row['contestant']}/{row['cores']} during {row['load'] / 1e6:.3f} M copies/s: min "
            f"{row['min']:.1f} p50 {row['p50']:.1f} p99 {row['p99']:.1f} max {row['max']:.1f} "
            f"missing {row['missing']}")


def delays_line(row):
    text = (f"{'burdened ' if row['burdened'] else ''}{row['rate']:.0f} datagrams/s, spacing "
            f"{row['spacing_ms']:.2f} ms, {row['join_ms']['n']} times:")
    for what in ("join", "leave"):
        p = row[what + "_ms"]
        text += (f" | {what} min {p['min']:.2f} p50 {p['p50']:.2f} p99 {p['p99']:.2f}"
                 f" max {p['max']:.2f}")
    return text


def capacity_line(row):
    text = (f"{row['contestant']:>10}: {row['forwarded']} of {row['groups']} groups, "
            f"ready in {row['ready_s']:.2f} s")
    return text + (f", {row['memory'] / 2 ** 20:.0f} MiB" if row["memory"] else "")


def targets_line(row):
    return (f"{'ok    ' if row['ok'] else 'MISSED'} {row['what']:62} target {row['target']:g} "
            f"measured {row['measured']:.2f}")


def _target(what, target, measured, at_least):
    return {"what": what, "target": target, "measured": measured,
            "ok": measured >= target if at_least else measured <= target}


def _television_targets(found):
    for row in found["television"]:
        what = f"{row['load']}, fan-out {row['fanout']}, {row['sender']}"
        wanted = cases.TELEVISION.get((row["load"], row["fanout"], row["sender"]))
        r = television_ratio(row, "ringcastd", "mroute")
        s = row["series"].get("ringcastd")
        # every contestant includes the generator's time, which would make every ratio better
        if wanted and r is not None and not row["one_core"]:
            yield _target(f"processor time, ratio, {what}", wanted, r, False)
        if s and row["load"] in cases.WAKEUPS:
            yield _target(f"wake-ups per second, {what}", cases.WAKEUPS[row["load"]],
                          s["wakeups"], False)
        # the queues of a contestant that cannot deliver everything are full, so its latency means
        # nothing
        if s and s["delivered"] > 0.999:
            yield _target(f"latency p99, ms, {what}", cases.LATENCY_MS, s["p99_ms"], False)
        if s and row["load"] == "studio":
            yield _target(f"delivered, {what}", 1, s["delivered"], True)


def targets(found):
    """Returns a row for each target that was measured."""
    rows = []
    by_case = {row["case"]: row for row in found["rates"]}
    for case, wanted in cases.TARGETS.items():
        for cores, target in zip(("1", "2"), wanted):
            measured = by_case.get(str(case), {"ratio": {}})["ratio"].get(cores)
            if measured and target:
                rows.append(_target(f"ratio {case} cores={cores}", target, measured, True))
    rows += _television_targets(found)
    for row in found["cpu"]:
        if "ratio" in row:
            rows.append(_target(f"processor time per copy, ratio, {row['pace']}", 0.85,
                                row["ratio"], False))
    for row in found["latency"]:
        if (row["contestant"], row["cores"], row["part"]) != ("ringcastd", 2, 0.1):
            continue
        for unit, target in ((("p50", 40), ("p99", 150)) if row["options"] else
                             (("p99", 10000),)):
            rows.append(_target(f"latency at 10 %, {row['options'] or 'default'}, {unit}, us",
                                target, row[unit], False))
    for row in found["delays"]:
        what = "burdened join delay" if row["burdened"] else "join delay"
        rows.append(_target(f"{what} p99 beyond the spacing, ms", 11 if row["burdened"] else 9,
                            row["join_ms"]["p99"] - row["spacing_ms"], False))
    return rows


def write(found, directory):
    directory = directory or os.path.join(lab.ROOT, "build", "bench",
                                          time.strftime("%Y%m%d-%H%M%S", time.gmtime()))
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "results.json"), "w", encoding="utf-8") as f:
        json.dump(found, f, indent=1)
    with open(os.path.join(directory, "results.txt"), "w", encoding="utf-8") as f:
        f.write(text(found))
    with open(os.path.join(directory, "results.md"), "w", encoding="utf-8") as f:
        f.write(markdown.text(found))
    if shutil.which("gnuplot"):
        plots.rates(found, directory)
        plots.latency(found, directory)
    print(f"results: {os.path.relpath(directory)}")


def text(found):
    lines = ["; ".join(f"{k} {v}" for k, v in found["machine"].items())]
    for part, head, line in (("television", TELEVISION_HEAD, television_line),
                             ("rates", RATES_HEAD, rates_line),
                             ("witness", WITNESS_HEAD, rates_line),
                             ("fallbacks", FALLBACKS_HEAD, fallbacks_line),
                             ("quality", QUALITY_HEAD, quality_line),
                             ("cpu", CPU_HEAD, cpu_line),
                             ("latency", LATENCY_HEAD, latency_line),
                             ("burdened", BURDENED_HEAD, burdened_line),
                             ("delays", DELAYS_HEAD, delays_line),
                             ("capacity", CAPACITY_HEAD, capacity_line),
                             ("targets", TARGETS_HEAD, targets_line),
                             ("failed", FAILED_HEAD, str)):
        if found.get(part):
            lines += [head, *map(line, found[part])]
    return "\n".join(lines) + "\n"
