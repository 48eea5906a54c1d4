#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everyday situations on ringcast and on Debian's igmpproxy, in the same topology and by the same
steps. Prints TAP, then a table of both verdicts.

usage: field.py [--table FILE] [--doc doc/field.md] [WORD...]

A case passes if ringcast does what the people in the situation expect, or if the situation gives a
reason why it does not. WORD... are parts of titles. --table also writes the table to FILE; --doc
replaces the table in the document. """

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

import libfield
import routers
import situations_files  # noqa: F401
import situations_home  # noqa: F401
import situations_sharing  # noqa: F401
from libfield import SITUATIONS, lab

AT_ONCE = 8
BEGIN, END = "<!-- table -->\n", "<!-- end of the table -->\n"


def one(index, contestant):
    """Run a situation in its own process; returns (yes, or None if it cannot run; detail)."""
    r = subprocess.run([sys.executable, "-B", os.path.abspath(__file__), "--one", str(index),
                        contestant], capture_output=True, text=True, timeout=120, check=False)
    m = re.search(r"^verdict (yes|no|skip) (.*)$", r.stdout, re.M)
    if not m:
        return False, (r.stderr.strip().splitlines() or ["no verdict"])[-1], r.stderr
    return {"yes": True, "no": False, "skip": None}[m.group(1)], m.group(2), r.stderr


def run_one(index, contestant):
    try:
        lab.enter()
        yes, detail = libfield.run(index, contestant)
        print("verdict", "yes" if yes else "no", detail)
    except lab.LabError as e:
        print("verdict skip", e)


def word(yes):
    return {True: "yes", False: "no", None: "-"}[yes]


def reason(s, yes, detail):
    if yes[0] is False:
        return s.no or detail
    return "" if yes[1] else detail


def markdown(rows):
    lines = ["| situation | ringcast | igmpproxy | why not |", "|---|---|---|---|"]
    for s, yes, detail in rows:
        why = reason(s, yes, detail).replace("|", "\\|")
        # the document leaves out details that change from run to run
        why = re.sub(r"/run/\S+", "FILE", re.sub(r"\b\d+\.\d+ s\b", "seconds", why))
        why = re.sub(r"(picture of 239\.1\.3)\.\d+", r"\1.x", why)
        lines.append(f"| {s.title} | {word(yes[0])} | {word(yes[1])} | {why} |")
    return "\n".join(lines) + "\n"


def plain(rows):
    width = max(len(s.title) for s, _, _ in rows)
    lines = [f"{'situation':{width}}  ringcast  igmpproxy"]
    for s, yes, detail in rows:
        why = reason(s, yes, detail)
        lines.append(f"{s.title:{width}}  {word(yes[0]):8}  {word(yes[1]):9}"
                     + (f"  {why[:90]}" if why else ""))
    both = [yes for _, yes, _ in rows]
    lines.append(f"{len(rows)} situations: ringcast yes in {both_count(both, 0)}, igmpproxy yes "
                 f"in {both_count(both, 1)}; igmpproxy yes, ringcast no: "
                 f"{sum(y[1] is True and y[0] is False for y in both)}")
    return "\n".join(lines) + "\n"


def both_count(both, column):
    return sum(y[column] is True for y in both)


def renew(path, table):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head, rest = text.split(BEGIN)
    with open(path, "w", encoding="utf-8") as f:
        f.write(head + BEGIN + table + END + rest.split(END)[1])


def report(number, s, yes, why, errors):
    if yes is None:
        print(f"ok {number} - {s.title} # SKIP {why}")
        return True
    ok = yes != bool(s.no)
    if not ok:
        for line in (errors or why).splitlines()[-40:]:
            print("# " + line)
        if yes:
            print("# it works, but the situation says why it would not: " + s.no)
    print(f"{'ok' if ok else 'not ok'} {number} - {s.title}", flush=True)
    return ok


def run_all(wanted):
    missing = routers.have_igmpproxy()
    rows, good = [], True
    print(f"1..{len(wanted)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [(i, pool.submit(one, i, "ringcast"),
                 None if missing else pool.submit(one, i, "igmpproxy")) for i in wanted]
        for n, (i, ours, theirs) in enumerate(jobs, 1):
            yes, why, errors = ours.result()
            peer, peer_why = theirs.result()[:2] if theirs else (None, missing)
            good &= report(n, SITUATIONS[i], yes, why, errors)
            rows.append((SITUATIONS[i], (yes, peer), why if yes is False else peer_why))
    if missing:
        print(f"# igmpproxy was not tried: {missing}")
    return rows, good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--table")
    parser.add_argument("--doc")
    parser.add_argument("word", nargs="*")
    args = parser.parse_args()
    if args.one:
        run_one(int(args.one[0]), args.one[1])
        return
    wanted = [i for i, s in enumerate(SITUATIONS)
              if not args.word or any(w in s.title for w in args.word)]
    rows, good = run_all(wanted)
    table = plain(rows)
    print("".join(f"# {line}\n" for line in table.splitlines()), end="")
    if args.table:
        with open(args.table, "w", encoding="utf-8") as f:
            f.write(table)
    if args.doc:
        renew(args.doc, markdown(rows))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
