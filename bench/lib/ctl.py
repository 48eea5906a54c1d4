# SPDX-License-Identifier: GPL-2.0-or-later
"""bench/ctl: the control plane of ringcastd compared with igmpproxy, in private namespaces."""

import argparse
import json
import os
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))

# pylint: disable=wrong-import-position
import ctl_bed          # noqa: E402
import ctl_measure      # noqa: E402
import lab              # noqa: E402

GROUPS = (100, 1000, 10000)
MEDIANS = ("cpu_us", "idle_percent", "forwarded", "bytes_per_group", "memory")


def options():
    p = argparse.ArgumentParser(prog="bench/ctl", description=__doc__)
    p.add_argument("--contestant", action="append", choices=list(ctl_bed.BY_NAME))
    p.add_argument("--groups", action="append", type=int, help="of the table; may be repeated")
    p.add_argument("--repeat", type=int, default=3, help="repetitions, interleaved")
    p.add_argument("--zaps", type=int, default=1000)
    p.add_argument("--part", action="append", choices=("groups", "rate", "zaps"))
    p.add_argument("--option", action="append", default=[], metavar="LINE",
                   help="a line for ringcastd's configuration")
    p.add_argument("--json", metavar="FILE", help="write what was found")
    args = p.parse_args()
    args.contestant = args.contestant or list(ctl_bed.BY_NAME)
    args.groups = args.groups or list(GROUPS)
    args.part = args.part or ["groups", "rate", "zaps"]
    return args


def _medians(rows):
    out = dict(rows[0])
    for key in MEDIANS:
        values = [r[key] for r in rows]
        out[key] = statistics.median(values)
        out[key + "_range"] = [min(values), max(values)]
    return out


def measure(args):
    """Run all requested measurements. bench/run also calls this."""
    found = {"groups": [], "rate": [], "zaps": []}
    for n in args.groups if "groups" in args.part else ():
        # joins at a rate that both can handle, and a flood for ringcastd only
        for rate in (1000, 50000):
            names = [c for c in args.contestant if rate == 1000 or c == "ringcastd"]
            rows = {name: [] for name in names}
            for _ in range(args.repeat if n < 10000 else 1):
                for name in names:
                    rows[name].append(ctl_measure.groups(name, n, rate, args.option))
            for name in names:
                row = _medians(rows[name])
                found["groups"].append(row)
                print(groups_line(row), flush=True)
    for name in args.contestant if "rate" in args.part else ():
        row = ctl_measure.rate(name, args.option)
        found["rate"].append(row)
        print(rate_line(row), flush=True)
    for name in args.contestant if "zaps" in args.part else ():
        for flood in (0, 50000):
            row = ctl_measure.zaps(name, args.zaps, flood, args.option)
            found["zaps"].append(row)
            print(zaps_line(row), flush=True)
    return found


def groups_line(r):
    return (f"{r['contestant']:>10} {r['groups']:6} groups, joins at {r['rate']:6}/s: "
            f"{r['cpu_us']:7.1f} us of CPU per join, {r['forwarded']:.0f} forwarded, idle "
            f"{r['idle_percent']:.2f} %, {r['memory'] / 2 ** 20:.1f} MiB, "
            f"{r['bytes_per_group']:.0f} bytes per group")


def rate_line(r):
    tries = ", ".join(f"{t['rate']}: {t['dropped']}" for t in r["tries"])
    return (f"{r['contestant']:>10} {r['reports']} reports per second without loss "
            f"(lost of a second at {tries})")


def zaps_line(r):
    d = r.get("join_us")
    delay = (f"join min {d['min']:.0f} p50 {d['p50']:.0f} p99 {d['p99']:.0f} max "
             f"{d['max']:.0f} us" if d else "no join was forwarded")
    return (f"{r['contestant']:>10} during {r['flood']} reports/s, {r['zaps']} zaps, "
            f"{r['never']} never: {delay}")


def main():
    args = options()
    try:
        lab.enter()
        found = measure(args)
    except (lab.LabError, FileNotFoundError) as e:
        print(f"cannot measure here: {e}")
        return 77
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
