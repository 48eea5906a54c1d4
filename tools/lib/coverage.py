# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures which lines and branches of the pure code the tests execute. run_tests.py builds and
runs the tests.

The pure libraries are those whose symbols the suite arch checks; tests/arch/meson.build is their
only list. gcovr reads the counts of gcc; this module adds them up by library and compares them
with the bounds. """

import json
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Assertions are compiled out, because a test cannot make one fail and their branches would count
# as missed.
OPTIONS = ["-Dbuildtype=debug", "-Db_coverage=true", "-Db_ndebug=true"]
SUITES = ("unit", "sim", "golden", "fuzz")
BOUNDS = {"lines": 95.0, "branches": 90.0}      # for each library
# for each file, so that the average does not hide a poor one
FILE_BOUNDS = {"lines": 85.0, "branches": 75.0}
FEW = 20    # a percentage of fewer lines or branches means nothing


def introspect(what, folder):
    return json.loads(subprocess.run(["meson", "introspect", "--" + what, folder], check=True,
                                     capture_output=True, text=True).stdout)


def pure_libraries(folder):
    """Returns {library: (directory of its objects, its sources)}, relative to the project."""
    archives = {next(a for a in t["cmd"] if a.endswith(".a")) for t in introspect("tests", folder)
                if t["name"].startswith("symbols-") and "--self-test" not in t["cmd"]}
    found = {}
    for target in introspect("targets", folder):
        archive = os.path.relpath(target["filename"][0], folder)
        if archive in archives:
            sources = [os.path.relpath(s, ROOT) for part in target["target_sources"]
                       for s in part.get("sources", [])]
            found[target["name"]] = (os.path.join(folder, archive + ".p"), sources)
    if len(found) != len(archives) or not found:
        raise RuntimeError(f"coverage: of the libraries {sorted(archives)} only {sorted(found)} "
                         "are targets of the build")
    return found


def forget(folder):
    """Remove the counts of an earlier run."""
    for directory, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".gcda"):
                os.unlink(os.path.join(directory, name))


def measure(folder, libraries):
    """Return the files of the libraries with gcovr's sums; gcovr also writes its reports. An
    output path must not be a device, because gcovr deletes the file there before it writes."""
    html = os.path.join(folder, "html")
    os.makedirs(html, exist_ok=True)
    summary = os.path.join(folder, "coverage-summary.json")
    r = subprocess.run(
        ["gcovr", "--root", ROOT, "--object-directory", folder, "--filter", "src/",
         "--filter", "tools/", "--json-summary", summary,
         "--json", os.path.join(folder, "coverage.json"),
         "--html-details", os.path.join(html, "index.html"),
         "--html-title", "ringcast, pure code", *(where for where, _ in libraries.values())],
        cwd=ROOT, capture_output=True, text=True, check=False)
    if r.returncode:
        raise RuntimeError("coverage: gcovr failed\n" + r.stdout[-4000:] + r.stderr[-4000:])
    with open(summary, encoding="utf-8") as f:
        return json.load(f)["files"]


class Figure:
    """Counts how many lines and branches exist, and how many were executed."""

    def __init__(self):
        self.taken, self.all = dict.fromkeys(BOUNDS, 0), dict.fromkeys(BOUNDS, 0)

    def add(self, file):
        for what, key in (("lines", "line"), ("branches", "branch")):
            self.taken[what] += file[key + "_covered"]
            self.all[what] += file[key + "_total"]

    def percent(self, what):
        return 100 * self.taken[what] / self.all[what] if self.all[what] else 100.0

    def under(self, bounds, few=0):
        return [f"{what} {self.percent(what):.1f} %, the bound is {bound:.0f} %"
                for what, bound in bounds.items()
                if self.all[what] >= few and self.percent(what) < bound]

    def row(self, name):
        cells = [f"{self.taken[w]:6} of {self.all[w]:5} {self.percent(w):6.1f} %" for w in BOUNDS]
        return f"{name:36}{cells[0]}   {cells[1]}"


def library_of(name, libraries):
    """Returns the pure library that has the source, or, for a header, the one of its directory."""
    for library, (_, sources) in libraries.items():
        if name in sources:
            return library
    for library, (_, sources) in libraries.items():
        if os.path.dirname(name) in map(os.path.dirname, sources):
            return library
    raise RuntimeError(f"coverage: {name} belongs to no pure library")


def report(folder):
    """Returns (bounds that are missed, the table by file and library)."""
    libraries = pure_libraries(folder)
    files = measure(folder, libraries)
    parts, total = {name: [] for name in libraries}, Figure()
    for file in files:
        parts[library_of(file["filename"], libraries)].append(file)
        total.add(file)
    rows, faults = [], []
    for library, members in parts.items():
        of_library = Figure()
        for file in sorted(members, key=lambda f: f["filename"]):
            of_file = Figure()
            of_file.add(file)
            of_library.add(file)
            rows.append(of_file.row("  " + file["filename"]))
            faults += [f"{file['filename']}: {u}" for u in of_file.under(FILE_BOUNDS, FEW)]
        rows.append(of_library.row(library))
        faults += [f"{library}: {u}" for u in of_library.under(BOUNDS)]
    rows.append(total.row("pure code"))
    head = f"{'':36}{'lines':>24}   {'branches':>24}"
    where = os.path.relpath(os.path.join(folder, "html", "index.html"), ROOT)
    return faults, "\n".join([head, *rows, f"each line: {where}"])


def missing():
    """Returns the first program that a report needs and that is not installed, or None."""
    return next((p for p in ("gcov", "gcovr") if not shutil.which(p)), None)
