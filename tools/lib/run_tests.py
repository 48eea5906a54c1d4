# SPDX-License-Identifier: GPL-2.0-or-later
"""The runs of tools/test: configure, build, run a selection of the meson tests, count.

The counts are cases: the lines of a test that prints TAP, the cases of a cmocka program, one for
any other program. They come from meson's testlog.json.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import coverage

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
THREADS = re.compile("fib_torture|sharing|_readers|dataplane|netns_(threads|reload)$")


def everything(suite, name):
    return True


NETWORKS = "netns", "field"   # suites that need namespaces and take long
# tests of files that are not compiled, so they are the same in each build
ONCE = "service_packaging", "service_feed", "service_luci", "service_completion"


def without_netns(suite, name):
    # these run whole programs from outside; with the sanitizers they find more
    return suite not in (*NETWORKS, "service", "tools")


def with_netns(*names):
    wanted = {"netns_" + n for n in names}
    # most of the time of quality_streams is its reference in Python
    without = (*ONCE, "quality_streams")
    return lambda suite, name: (suite not in NETWORKS and name not in without) or name in wanted


def unit_and_netns(*names):
    wanted = {"netns_" + n for n in names}
    return lambda suite, name: suite == "unit" or name in wanted


def threads(suite, name):
    return THREADS.search(name)


def counted(suite, name):
    # threads would corrupt the counters, which are not atomic; the live view is not pure code and
    # takes long
    return suite in coverage.SUITES and not THREADS.search(name) and name != "watch"


PACKAGES = "/var/lib/dpkg/status"   # changes whenever a package is installed or removed
OPTIONAL = "io_uring", "systemd", "metrics_http", "seccomp", "ncurses"
# build directory, purpose, compiler, meson options, selection of tests
RUNS = [
    ("gcc", "gcc, all suites", "gcc", ["-Dbuildtype=debug"], everything),
    ("clang", "clang", "clang", ["-Dbuildtype=debug"], without_netns),
    ("asan", "address and undefined behaviour sanitizers", "gcc",
     ["-Dbuildtype=debugoptimized", "-Db_sanitize=address,undefined"],
     with_netns("basic", "leave", "reload", "sources", "lifecycle")),
    ("tsan", "thread sanitizer", "gcc",
     ["-Dbuildtype=debugoptimized", "-Db_sanitize=thread"], threads),
    ("bare", "built without optional libraries", "gcc",
     ["-Dbuildtype=debug", *(f"-D{library}=disabled" for library in OPTIONAL)],
     unit_and_netns("basic", "transmit", "bare")),
    ("coverage", "coverage of the pure code, built without asserts", "gcc", coverage.OPTIONS,
     counted),
]
# of these runs, only what their tests need is built
PARTIAL = "tsan", "coverage"


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


PACKAGE = re.compile(r"\(packages? ([^)]+)\)")   # in the reason of a skip
curable = collections.Counter()                 # skips, by the package that would prevent them
failures = []                                   # what failed and why, a line each


def say(text=""):
    print(text, flush=True)


def skip(count, what, why):
    count.skipped += 1
    if m := PACKAGE.search(why):
        curable[m[1]] += 1
    say(f"SKIP {what}: {why}")


def fail(text):
    say("FAIL " + text)
    failures.append(text)


def reason(notes):
    """The exception at the end of the first traceback among the notes of a case."""
    traceback = False
    for line in notes:
        traceback = traceback or line.startswith("# Traceback ")
        if traceback and re.match(r"# [A-Za-z_.]+(:|$)", line):
            return line[2:302]
    return ""


def shortened(notes):
    """All but the beginning of the daemon's log, which follows the exception."""
    log = next((i for i, x in enumerate(notes) if x.startswith("# --- log of")), len(notes))
    return notes[:log] + notes[max(log, len(notes) - 60):]


def tell_failure(name, title, before, after):
    """Say what a failed case has printed: some tests do so before its line, some after it."""
    why = reason(before) or reason(after)
    failures.append(f"{name}: {title}: {why}" if why else f"{name}: {title}")
    say(f"FAIL {name}: {title}\n" + "\n".join(
        "    " + x for x in shortened(before if reason(before) else before + after)))


def count_tap(out, name, count):
    notes, failed = [], []   # notes since the last result; failed cases with their notes
    for line in out.splitlines():
        m = re.match(r"(not )?ok\b *\d* *-? *(.*)", line)
        if m:
            title, _, directive = m[2].partition(" # ")
            before, notes = notes, []
            if directive.upper().startswith("SKIP"):
                skip(count, f"{name}: {title}", directive[4:].strip() or "no reason given")
            elif m[1]:
                count.failed += 1
                failed.append((title, before, notes))
            else:
                count.passed += 1
        elif line.startswith("#"):
            notes.append(line)
        elif m := re.match(r"1\.\.0\s*# *SKIP *(.*)", line, re.I):
            skip(count, name, m[1] or "no reason given")
    for title, before, after in failed:
        tell_failure(name, title, before, after)


def count_cmocka(out, name, count):
    def total(pattern):
        return sum(map(int, re.findall(pattern, out)))
    ran = total(r"\[=+\][^\n]*?(\d+) test\(s\) run")
    passed = total(r"\[  PASSED  \] (\d+) test\(s\)")
    # "1 test(s)"; cmocka 1.1.7 adds the name of the group, "tests: 1 test(s)"
    skips = total(r"\[  SKIPPED \] (?:[^\n]*: )?(\d+) test\(s\)")
    for case in re.findall(r"^\[  SKIPPED \] (?!.*\d+ test\(s\))(\S+)", out, re.M)[:skips]:
        skip(count, f"{name}: {case}", "the case says so")
    count.passed += passed
    count.failed += max(ran - passed - skips, 0)


def cause(out):
    """What a program of cmocka, or a sanitizer, says of the first case that failed, in a line."""
    cases = re.findall(r"^\[  FAILED  \] (?!.*test\(s\))(\S+)", out, re.M)
    values = re.findall(r"^\[  ERROR   \] --- (.*)", out, re.M)
    lines = re.findall(r"^\[   LINE   \] --- (\S+?:\d+)", out, re.M)
    report = re.findall(r"^SUMMARY: (.*)", out, re.M)
    said = [*cases[:1], *(os.path.basename(x) for x in lines[:1]), *values[:1], *report[:1]]
    return "".join(": " + x for x in said)


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def count_test(test):
    """Count the cases of one entry of testlog.json."""
    count, name, result = Count(), test["name"].split(" / ")[-1], test["result"]
    out = test.get("stdout", "") + "\n" + test.get("stderr", "")
    tap = re.search(r"^1\.\.\d+", test.get("stdout", ""), re.M)
    if tap:
        count_tap(test["stdout"], name, count)
    elif re.search(r"^\[=+\].* test\(s\) run", out, re.M):
        count_cmocka(out, name, count)
    elif result == "SKIP":
        skip(count, name, last_line(out))
    elif result in ("OK", "EXPECTEDFAIL"):
        count.passed += 1
    said = tap and count.failed and result != "TIMEOUT"
    if result not in ("OK", "EXPECTEDFAIL", "SKIP") and not said:
        # also a crash, a time-out, or a report of a sanitizer at the end
        count.failed = count.failed or 1
        fail(f"{name}: {result}, exit status {test.get('returncode')}{cause(out)}")
        say("\n".join("    " + line for line in out.splitlines()[-120:]))
    return count


class Ahead(threading.Thread):
    """Builds for the later runs, then for other machines, then analyses, while the network tests
    of the first run wait for timers. If a build fails here, the run that needs it builds again and
    reports the failure."""

    def __init__(self, runs, background):
        super().__init__(daemon=True)
        self.runs, self.busy = runs, {run[0]: threading.Lock() for run in runs}
        self.background = background

    def run(self):
        for run in self.runs:
            with self.busy[run[0]]:
                if shutil.which(run[2]):
                    build(run, quiet=True)
        for process in self.background:
            process.start()


def command(cmd, quiet=False, **kw):
    """Run a command, and show its output if it fails. With `quiet`, run it in the background with
    low priority."""
    cmd = ["nice", "-n", "19", *cmd] if quiet else cmd
    r = subprocess.run(cmd, capture_output=True, text=True, check=False, **kw)
    if r.returncode and not quiet:
        say(r.stdout[-8000:] + r.stderr[-8000:])
    return r.returncode == 0


def configure(folder, compiler, options, quiet=False):
    ninja = os.path.join(folder, "build.ninja")
    if not os.path.exists(ninja):
        shutil.rmtree(folder, ignore_errors=True)
        setup = ["--werror", *options]
    elif os.path.exists(PACKAGES) and os.path.getmtime(PACKAGES) > os.path.getmtime(ninja):
        setup = ["--reconfigure"]   # as in tools/lib/install.sh
    else:
        setup = None
    env = dict(os.environ, CC=compiler)
    return not setup or command(["meson", "setup", *setup, folder, ROOT], quiet, env=env)


def build(run, quiet=False):
    name, _, compiler, options, _ = run
    folder = folder_of(name)
    return (configure(folder, compiler, options, quiet)
            and command(["ninja", "-C", folder, *targets_of(run)], quiet))


def folder_of(name):
    return os.path.join(ROOT, "build", name)


def introspect(folder, what):
    return json.loads(subprocess.run(["meson", "introspect", what, folder], check=True,
                                     capture_output=True, text=True).stdout)


def targets_of(run):
    """The programs that the chosen tests need; nothing, which means all, for a run that shows
    that everything can be built."""
    name, folder, chosen = run[0], folder_of(run[0]), run[4]
    if name not in PARTIAL:
        return []
    names, _ = selection(folder, chosen, None)
    needed = {target for test in introspect(folder, "--tests") if test["name"] in names
              for target in test["depends"]}
    return [os.path.relpath(file, folder) for target in introspect(folder, "--targets")
            if target["id"] in needed for file in target["filename"]]


def suites_of(test):
    return [s.split(":")[-1] for s in test["suite"]] or ["other"]


def selection(folder, chosen, suite):
    """Return (names of the tests in a run, how many tests they are). One name can mean several
    tests, because meson runs all tests of a name, whatever their suite."""
    tests, names = introspect(folder, "--tests"), set()
    for t in tests:
        of = suites_of(t)
        if (not suite or suite in of) and chosen(of[0], t["name"]):
            names.add(t["name"])
    return sorted(names), sum(t["name"] in names for t in tests)


def run_tests(folder, names, slower):
    log = os.path.join(folder, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    env = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
               TSAN_OPTIONS="halt_on_error=1", ASAN_OPTIONS="detect_stack_use_after_return=1")
    # twice the number of processors, because most tests wait for timers
    processes = str(2 * (os.cpu_count() or 1))
    subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "-t", str(slower),
                    "--num-processes", processes, *names], env=env, check=False)
    if not os.path.exists(log):
        return []
    with open(log, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def one_run(run, suite, ahead):
    name, what, compiler, options, chosen = run
    count, start = Count(), time.monotonic()
    say(f"\n=== {what}")
    if not shutil.which(compiler):
        skip(count, f"run {name}", f"{compiler} is not installed (package {compiler})")
        return count
    folder = folder_of(name)
    with ahead.busy[name] if name in ahead.busy else contextlib.nullcontext():
        built = build(run)
    if not built:
        fail(f"build {name}")
        count.failed += 1
        return count
    say(f"built in {time.monotonic() - start:.0f} s")
    if name == RUNS[0][0]:
        ahead.start()
    names, expected = selection(folder, chosen, suite)
    if not names:
        say("no test of this selection")
        return count
    if name == "coverage":
        coverage.forget(folder)
    tests = run_tests(folder, names, 1 if "sanitize" not in str(options) else 3)
    for test in tests:
        count.add(count_test(test))
    if len(tests) < expected:
        fail(f"{expected - len(tests)} tests of {name} left no result")
        count.failed += expected - len(tests)
    if name == "coverage":
        check_coverage(folder, count, suite)
    say(f"--- {what}: {count}, {time.monotonic() - start:.0f} s")
    return count


def check_coverage(folder, count, suite):
    """Check the bounds. Only all suites together can reach them, so for a single suite the table
    is only printed."""
    if coverage.missing():
        skip(count, "coverage", f"{coverage.missing()} is not installed (package gcovr)")
        return
    try:
        faults, table = coverage.report(folder)
    except RuntimeError as e:
        faults, table = [str(e)], ""
    say(table)
    if suite and table:
        return
    for fault in faults:
        fail(fault)
    if faults:
        count.failed += 1
    else:
        count.passed += 1


class Soak:
    """tools/soak, run while the compilers work. This takes no extra time, and the compilers load
    the machine."""

    SECONDS = 120

    def __init__(self):
        env = dict(os.environ, RINGCAST_BUILD=os.path.join(ROOT, "build", "gcc"))
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "tools", "soak"), "--no-install", "--seconds", str(self.SECONDS),
             "--every", "30"],
            env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def result(self):
        count, out = Count(), self.process.communicate(timeout=10 * self.SECONDS)[0]
        say(f"\n=== soak of {self.SECONDS} s, during the runs above")
        if self.process.returncode == 77:
            skip(count, "soak", last_line(out))
        elif self.process.returncode:
            count.failed += 1
            fail("soak")
            say("\n".join("    " + x for x in out.splitlines()[-80:]))
        else:
            count.passed += 1
            say(out.rstrip())
        return count


class Cross:
    """tools/cross in the background, for the pure code on 32-bit and on big-endian machines."""

    TARGETS = "armhf", "i386", "mipsel", "s390x"

    def __init__(self):
        self.process, self.out, self.once = None, None, threading.Lock()

    def start(self):
        with self.once:
            if not self.process:
                self.out = tempfile.TemporaryFile("w+", errors="replace")
                self.process = subprocess.Popen(
                    ["nice", "-n", "19", os.path.join(ROOT, "tools", "cross"), "--no-install",
                     "--pure", *self.TARGETS], stdout=self.out, stderr=subprocess.STDOUT)

    def result(self):
        count, start = Count(), time.monotonic()
        say("\n=== other machines, during the runs above")
        self.start()
        self.process.wait()
        self.out.seek(0)
        out = self.out.read()
        say(out.rstrip().rpartition("\n")[0])
        for line in out.splitlines():
            if m := re.match(r"SKIP .*?: .*", line):
                if p := PACKAGE.search(m[0]):
                    curable[p[1]] += 1
        m = re.match(r"(\d+) passed, (\d+) failed, (\d+) skipped$", last_line(out))
        if m:
            count.passed, count.failed, count.skipped = map(int, m.groups())
        if not m or self.process.returncode and not count.failed:
            count.failed += 1
        if count.failed:
            fail("other machines")
        say(f"--- waited {time.monotonic() - start:.0f} s for it")
        return count


class Analysis:
    """tools/analyse in the background; each analyzer counts as one case."""

    def __init__(self):
        self.process, self.once = None, threading.Lock()

    def start(self):
        with self.once:
            self.process = self.process or subprocess.Popen(
                ["nice", "-n", "19", os.path.join(ROOT, "tools", "analyse"), "--no-install",
                 "--quick"],
                env=dict(os.environ, RINGCAST_BUILD=os.path.join(ROOT, "build", "gcc")),
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def result(self):
        count, start = Count(), time.monotonic()
        say("\n=== static analysis, during the runs above")
        self.start()
        out = self.process.communicate()[0]
        verdicts = re.findall(r"(\w+) (\d+ findings|failed|not installed)",
                              last_line(out).partition("analysis: ")[2])
        for tool, verdict in verdicts:
            if verdict == "not installed":
                skip(count, f"analysis: {tool}", f"{verdict} (package {tool})")
            elif verdict == "0 findings":
                count.passed += 1
            else:
                count.failed += 1
        if not count.failed and self.process.returncode not in (0, 77) or not verdicts:
            count.failed += 1
        if count.failed:
            fail("analysis")
        say(out.rstrip())
        say(f"--- waited {time.monotonic() - start:.0f} s for it")
        return count


def field_table():
    """Print the table of everyday situations with ringcast and with igmpproxy."""
    path = os.path.join(ROOT, "build", RUNS[0][0], "field.txt")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            say("\n" + f.read().rstrip())


def cures():
    """Print the packages that the skipped cases need."""
    if curable:
        say("skipped because a package is missing: "
            + ", ".join(f"{package} ({n})" for package, n in sorted(curable.items())))
        say("to run them: apt-get install " + " ".join(sorted(curable)).replace(",", ""))


def requirements():
    """Print how many requirements of each kind have a test; the suite arch checks it."""
    script = os.path.join(ROOT, "tests", "arch", "check-conformance.py")
    say(subprocess.run([sys.executable, "-B", script, "--count", ROOT], check=False,
                       capture_output=True, text=True).stdout.rstrip())


def selected_runs(args):
    if args.coverage:
        return [run for run in RUNS if run[0] == "coverage"]
    if args.quick:
        return RUNS[:1]
    # a single suite cannot reach the bounds
    return [run for run in RUNS if not args.suite or run[0] != "coverage"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--coverage", action="store_true", help="only this run")
    parser.add_argument("--suite")
    args = parser.parse_args()
    total, soak = Count(), None
    whole = not (args.quick or args.coverage or args.suite)
    background = [Cross(), Analysis()] if whole else []
    ahead = Ahead(RUNS[1:] if whole else [], background)
    for run in selected_runs(args):
        if run[0] == "clang" and not args.suite:
            soak = Soak()
        total.add(one_run(run, args.suite, ahead))
    if soak:
        total.add(soak.result())
    for process in background:
        total.add(process.result())
    field_table()
    say()
    requirements()
    say()
    cures()
    if failures:
        say("failed:\n" + "\n".join("  " + text for text in failures))
    say(str(total))
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
