# SPDX-License-Identifier: GPL-2.0-or-later
"""Plots the results with gnuplot."""

import os
import subprocess

import markdown


def _gnuplot(directory, name, script, width=900):
    script = (f"set terminal svg size {width},520 dynamic background 'white'\n"
              f"set output '{os.path.join(directory, name)}'\n" + script)
    r = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True)
    if r.returncode:
        print("gnuplot: " + r.stderr)


def _title(name, cores, threads):
    return f"{name}, {cores} core(s)" + (f", {threads} threads" if threads > 1 else "")


def rates(found, directory):
    """Plot bars with the spread of the repetitions, a group of bars for each case."""
    names = sorted({(s["contestant"], s["cores"], s["threads"]) for row in found["rates"]
                    for s in row["series"]}, key=lambda n: (n[0] != "mroute", n))
    if not names:
        return
    data = "$d << E\n"
    for row in found["rates"]:
        label = f"{row['ports']} x{row['fanout']}"
        label += f" {row['size']}B" if row["size"] != 1358 else ""
        label += f" {row['groups']}g" if row["groups"] != 1 else ""
        data += f'"{label}"'
        for name in names:
            s = markdown.series(row, *name)
            data += "".join(f" {s[k] / 1e6:.4f}" for k in ("copies", "min", "max")) if s \
                else " NaN NaN NaN"
        data += "\n"
    plots = ", ".join(f"$d using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}"
                      f"{':xtic(1)' if i == 0 else ''} title '{_title(*n)}'"
                      for i, n in enumerate(names))
    _gnuplot(directory, "rates.svg", data + "E\n" + (
        "set style data histograms\nset style histogram errorbars gap 1 lw 1\n"
        "set style fill solid 0.7\nset xtics rotate by -40 font ',9'\nset grid y\n"
        "set key top left\nset ylabel 'million copies per second without loss'\n"
        "set logscale y\nset yrange [0.1:*]\n"
        f"plot {plots}\n"), max(900, 200 + 55 * len(found["rates"])))


def latency(found, directory):
    rows = found["latency"]
    if not rows:
        return
    data, plots = "", []
    for i, who in enumerate(dict.fromkeys((r["contestant"], r["cores"], r["options"])
                                          for r in rows)):
        mine = [r for r in rows if (r["contestant"], r["cores"], r["options"]) == who]
        data += f"$d{i} << E\n" + "".join(
            f"{r['part'] * 100} {r['p50']} {r['p99']}\n" for r in mine) + "E\n"
        title = f"{who[0]}, {who[1]} core(s) {who[2]}".strip()
        plots.append(f"$d{i} using 1:2 with linespoints lt {i + 1} title '{title}, p50'")
        plots.append(f"$d{i} using 1:3 with linespoints lt {i + 1} dt 2 title '{title}, p99'")
    _gnuplot(directory, "latency.svg", data + (
        "set xlabel 'load, percent of the highest rate without loss'\n"
        "set ylabel 'microseconds'\nset logscale y\nset grid\nset xrange [0:100]\n"
        "set key outside bottom center horizontal maxcols 2\n"
        f"plot {', '.join(plots)}\n"))
