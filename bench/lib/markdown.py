# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the results as tables for doc/benchmarks.md."""

import cases


def _row(*cells):
    return "| " + " | ".join(cells) + " |"


def _table(head, rows):
    align = ["---"] + ["---:"] * (len(head) - 1)
    return [_row(*head), "|" + "|".join(align) + "|", *(_row(*r) for r in rows), ""]


def series(row, name, cores, threads=1):
    """Returns the results of a contestant in a row, or None."""
    return next((s for s in row["series"] if (name, cores, threads) ==
                 (s["contestant"], s["cores"], s["threads"])), None)


def _rate(row, name, cores, threads=1):
    s = series(row, name, cores, threads)
    if not s:
        return "-"
    return (f"{s['copies'] / 1e6:.2f}{'+' if s['bound'] else ''} "
            f"({s['min'] / 1e6:.2f}..{s['max'] / 1e6:.2f})")


def _kernel(row):
    """Returns the kernel's best on two cores, if the second core was tried."""
    two = _rate(row, "mroute", 2)
    return "as on one" if two == "-" else two


def _ratio(row, cores):
    r = row["ratio"].get(cores)
    return f"**{r:.2f}**" if r else "-"


def _rates(found):
    head = ("case", "ringcastd, 1 core", "mroute, 1 core", "ratio",
            "ringcastd, 2 cores, 1 thread", "2 threads", "mroute, 2 cores", "ratio")
    return _table(head, [(_case(row), _rate(row, "ringcastd", 1), _rate(row, "mroute", 1),
                          _ratio(row, "1"), _rate(row, "ringcastd", 2),
                          _rate(row, "ringcastd", 2, 2), _kernel(row), _ratio(row, "2"))
                         for row in found["rates"]])


def _television(found):
    """One row for each forwarder of a load, with "-" if the kernel was not measured."""
    lines = []
    for row in found["television"]:
        kernel = row["series"].get("mroute")
        for name, s in row["series"].items():
            lines.append((
                cases.television_title(row), name,
                f"{s['ns']:.0f} ({s['least']:.0f}..{s['most']:.0f})",
                f"{s['ns'] / kernel['ns']:.2f}" if kernel and kernel["ns"] else "-",
                "-" if s["wakeups"] is None else f"{s['wakeups']:.0f}",
                "-" if s["joined"] is None else f"{s['joined']:.2f}",
                f"{s['p50_ms']:.2f}", f"{s['p99_ms']:.2f}", f"{100 * s['delivered']:.1f} %",
                "-" if s["memory"] is None else f"{s['memory'] / 1e6:.1f}"))
    return _table(("load", "forwarder", "ns per copy", "to mroute", "wake-ups/s",
                   "datagrams per message", "p50, ms", "p99, ms", "delivered", "resident, MB"), lines)


def _overload(found):
    """Copies per second at twice the highest rate, as a part of those at the highest rate."""
    who = (("ringcastd", 1, 1), ("mroute", 1, 1), ("ringcastd", 2, 1), ("ringcastd", 2, 2),
           ("mroute", 2, 1))

    def kept(row, key):
        s = series(row, *key)
        return f"{100 * s['overload'] / s['copies']:.0f} %" if s and s["overload"] else "-"

    return _table(("case", "ringcastd, 1 core", "mroute, 1 core", "ringcastd, 2 cores, 1 thread",
                   "2 threads", "mroute, 2 cores"),
                  [(_case(row), *(kept(row, key) for key in who)) for row in found["rates"]
                   if any(s["overload"] for s in row["series"])])


def _case(row):
    groups = "1 group" if row["groups"] == 1 else f"{row['groups']} groups"
    ports = "super-frames" if row["ports"] == "super" else "segmented"
    text = f"{ports}, fan-out {row['fanout']}, {row['size']} bytes, {groups}"
    if row["pace"] == "even":
        text += f", evenly spaced singles, checksum {row['csum']}, ids {row['ids']}"
    return text


def _witness(found):
    return _table(("case", "forwarder", "million copies/s"), [
        (_case(row), s["contestant"], _rate(row, s["contestant"], s["cores"]))
        for row in found["witness"] for s in row["series"]])


def _fallbacks(found):
    """One row for each missing feature, one column for each case."""
    rows = found["fallbacks"]
    return _table(("without", *map(_case, rows)), [
        (some[0]["missing"], *(f"{s['copies'] / 1e6:.2f} ({s['min'] / 1e6:.2f}.."
                               f"{s['max'] / 1e6:.2f})" for s in some))
        for some in zip(*(row["series"] for row in rows))])


def _quality(found):
    """One row for each mode, with two columns for each case."""
    rows = found["quality"]
    return _table(("quality", *(f"{_case(row)}{what}" for row in rows
                                for what in ("", ": ns per copy"))), [
        (some[0]["missing"] or "mroute",
         *(x for row, s in zip(rows, some) for x in (
             f"{s['copies'] / 1e6:.2f}",
             f"{row['cpu'][s['missing']]:.0f}" if s["missing"] else "-")))
        for some in zip(*(row["series"] for row in rows))])


def _cpu(found):
    names = list(found["cpu"][0]["series"])
    return _table(("datagrams come", *names, "ratio"), [
        ({"bursts": "every 200 us, some at once", "even": "one by one"}[row["pace"]],
         *(f"{row['series'][n]['ns']:.0f} ({row['series'][n]['min']:.0f}.."
           f"{row['series'][n]['max']:.0f})" for n in names),
         f"{row.get('ratio', 0):.2f}") for row in found["cpu"]])


def _who(row):
    cores = "1 core" if row["cores"] == 1 else "2 cores"
    return ", ".join(filter(None, (row["contestant"], cores, row.get("options"))))


def _latency(found):
    return _table(("forwarder", "load", "datagrams/s", "min", "p50", "p99", "max"), [
        (_who(row), f"{row['part'] * 100:.0f} %", f"{row['rate']:,.0f}",
         *(f"{row[k]:,.0f}" for k in ("min", "p50", "p99", "max")))
        for row in found["latency"]])


def _burdened(found):
    return _table(("forwarder", "other groups, million copies/s", "min", "p50", "p99", "max"), [
        (_who(row), f"{row['load'] / 1e6:.2f}",
         *(f"{row[k]:,.0f}" for k in ("min", "p50", "p99", "max")))
        for row in found["burdened"]])


def _delays(found):
    rows = []
    for row in found["delays"]:
        load = f"{row['rate']:,.0f} datagrams/s, spacing {row['spacing_ms']:.2f} ms"
        for what in ("join", "leave"):
            p = row[what + "_ms"]
            rows.append((("burdened " if row["burdened"] else "") + f"{what} delay", load,
                         *(f"{p[k]:.2f}" for k in ("min", "p50", "p99", "max"))))
    return _table(("delay", "streams", "min", "p50", "p99", "max"), rows)


def _capacity(found):
    return _table(("forwarder", "groups", "forwarded", "ready after, s", "memory, MiB"), [
        (row["contestant"], f"{row['groups']:,}", f"{row['forwarded']:,}",
         f"{row['ready_s']:.2f}", f"{row['memory'] / 2 ** 20:.0f}" if row["memory"] else "-")
        for row in found["capacity"]])


def _targets(found):
    return _table(("target", "wanted", "measured", ""), [
        (row["what"], f"{row['target']:g}", f"{row['measured']:.2f}",
         "ok" if row["ok"] else "missed") for row in found["targets"]])


PARTS = (("television", "Television at its own rate", _television),
         ("rates", "Bursts: highest rate without loss, million copies per second", _rates),
         ("rates", "Copies per second at twice that rate, in per cent of it", _overload),
         ("witness", "Other forwarders", _witness),
         ("fallbacks", "Without what may be missing, million copies per second on one core",
          _fallbacks),
         ("quality", "Streams analysed (MPEG-TS), million copies per second on one core", _quality),
         ("cpu", "Processor time per copy, nanoseconds", _cpu),
         ("latency", "Latency, microseconds", _latency),
         ("burdened", "Burdened latency, microseconds", _burdened),
         ("delays", "Group join delay and group leave delay, milliseconds", _delays),
         ("capacity", "Group capacity", _capacity),
         ("targets", "Targets", _targets))


def text(found):
    lines = ["; ".join(f"{k} {v}" for k, v in found["machine"].items()), ""]
    for part, title, table in PARTS:
        if found.get(part):
            lines += ["### " + title, "", *table(found)]
    return "\n".join(lines)
