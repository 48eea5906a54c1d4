# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the work of tools/fuzz: builds, runs libFuzzer, counts executions, measures coverage."""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
COVERAGE = ROOT / "build" / "fuzz-coverage"
LEDGER = BUILD / "executions.json"
PURE = ["src/base", "src/control", "src/dataplane"]

# longest input, for targets with which libFuzzer's choice (the longest seed) is bad
MAX_LEN = {"config": 600, "ctl": 400, "fib": 200, "text": 80, "forward": 80, "frame": 1600, "http": 500, "igmp": 1600, "kgroups": 1000, "mld": 1600, "netlink": 500, "proxy": 200, "quality": 400, "quality_watch": 300, "replay": 800}


def targets():
    names = (ROOT / "tests" / "fuzz").glob("fuzz_*.c")
    return sorted(p.stem.removeprefix("fuzz_") for p in names if p.stem != "fuzz_main")


def build(folder, options, programs):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", *options, str(folder), str(ROOT)], check=True,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, CC="clang"))
    wanted = [f"tests/fuzz/fuzz_{t}" for t in programs]
    r = subprocess.run(["ninja", "-C", str(folder), "tests/fuzz/seeds", *wanted],
                       check=False, capture_output=True, text=True)
    if r.returncode:
        said = (r.stdout + r.stderr).splitlines()
        print("\n".join(said[next((i for i, x in enumerate(said) if "FAILED" in x), 0):][:60]))
        sys.exit(1)


def build_fuzzers(programs):
    build(BUILD, ["-Dbuildtype=debugoptimized", "-Dfuzzer=true"], programs)


def environment():
    # a small quarantine is enough, because no input uses memory that an earlier one freed
    return dict(os.environ, CMOCKA_TEST_ABORT="1",
                ASAN_OPTIONS="quarantine_size_mb=8:detect_stack_use_after_return=0",
                UBSAN_OPTIONS="print_stacktrace=1")


def keep_count(target, executed, seconds):
    """Add to the permanent count. Several processes may do so at once."""
    with open(LEDGER, "a+", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        ledger = json.loads(f.read() or "{}")
        entry = ledger.setdefault(target, {"executions": 0, "seconds": 0})
        entry["executions"] += executed
        entry["seconds"] = round(entry["seconds"] + seconds)
        f.truncate(0)
        f.write(json.dumps(ledger, indent=1) + "\n")
    return entry["executions"]


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(target, seconds, options):
    """Fuzz a target; returns True if nothing was found."""
    corpus, seeds = BUILD / "corpus" / target, BUILD / "tests/fuzz/seeds" / target
    found = BUILD / "found"
    for folder in (corpus, found, BUILD / "log", seeds):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(BUILD / "tests/fuzz" / f"fuzz_{target}"), f"-max_total_time={seconds}",
               "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1",
               f"-artifact_prefix={found}/{target}-"]
    if target in MAX_LEN:
        command.append(f"-max_len={MAX_LEN[target]}")
    words = seeds.with_suffix(".dict")
    if words.exists():
        command.append(f"-dict={words}")
    start, before = time.monotonic(), set(found.glob(f"{target}-*"))
    with open(BUILD / "log" / f"{target}.log", "a", encoding="utf-8") as log:
        said = subprocess.run([*command, *options, str(corpus), str(seeds)], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment(), cwd=BUILD).stderr.decode("utf-8", "replace")
        log.write(said)
    executed = last_number(r"stat::number_of_executed_units: (\d+)", said)
    total = keep_count(target, executed, time.monotonic() - start)
    new = sorted(p.name for p in set(found.glob(f"{target}-*")) - before)
    print(f"{target:<10} {executed:>10} executions, {total:>11} so far; coverage "
          f"{last_number(r'cov: ([0-9]+)', said)} edges, corpus "
          f"{len(list(corpus.iterdir()))}; {', '.join(new) or 'nothing found'}", flush=True)
    ended = "Done " in said and "runs in" in said
    if new or not ended:
        print("\n".join("    " + line for line in said.splitlines()
                        if not re.search(r"NEW|REDUCE|pulse", line))[-6000:])
    return not new and ended


def fuzz(which, seconds, options):
    names = targets() if which == "all" else [which]
    if which != "all" and which not in targets():
        print(f"no target {which}; there are {', '.join(targets())}", file=sys.stderr)
        return 1
    build_fuzzers(names)
    good = [run(t, seconds, options) for t in names]
    ledger = json.loads(LEDGER.read_text())
    print(f"{sum(e['executions'] for e in ledger.values())} executions of "
          f"{len(ledger)} targets so far, {sum(not g for g in good)} with findings now")
    return 0 if all(good) else 1


# ---- coverage ----

def percent(part):
    return f"{part['covered']}/{part['count']} {part['percent']:5.1f} %"


def pure_sources():
    """Returns the files of the pure libraries in src/meson.build."""
    text = (ROOT / "src" / "meson.build").read_text()
    for lib in ("base_pure", "control_core", "dataplane_core"):
        block = re.search(rf"static_library\('{lib}', files\((.*?)\)", text, re.S)[1]
        yield from (str(ROOT / "src" / f) for f in re.findall(r"'([^']+)'", block))


def coverage(names):
    names = names or targets()
    flags = "-fprofile-instr-generate -fcoverage-mapping"
    build(COVERAGE, ["-Dbuildtype=debug", f"-Dc_args={flags}",
                     "-Dc_link_args=-fprofile-instr-generate"], names)
    profiles, programs = [], []
    for t in names:
        program = COVERAGE / "tests/fuzz" / f"fuzz_{t}"
        profile = COVERAGE / f"{t}.profraw"
        inputs = [p for p in (COVERAGE / "tests/fuzz/seeds" / t, BUILD / "corpus" / t)
                  if p.is_dir() and any(p.iterdir())]
        r = subprocess.run([str(program), *map(str, inputs)], check=False,
                           env=dict(environment(), LLVM_PROFILE_FILE=str(profile)),
                           capture_output=True)
        if r.returncode:
            print(f"{t}: exit status {r.returncode}")
            return 1
        profiles.append(str(profile))
        programs += ["-object", str(program)]
    merged = str(COVERAGE / "all.profdata")
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged, *profiles], check=True)
    report = json.loads(subprocess.run(
        ["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", *programs[1:],
         *pure_sources()], check=True, capture_output=True, text=True).stdout)["data"][0]
    print(f"{'file':<34} {'lines':>20} {'branches':>20}")
    for f in sorted(report["files"], key=lambda f: f["filename"]):
        s = f["summary"]
        print(f"{os.path.relpath(f['filename'], ROOT):<34} {percent(s['lines']):>20} "
              f"{percent(s['branches']):>20}")
    s = report["totals"]
    print(f"{'all':<34} {percent(s['lines']):>20} {percent(s['branches']):>20}")
    return 0


def main():
    if sys.argv[1] == "--list":
        print("\n".join(targets()))
        return 0
    if sys.argv[1] == "--coverage":
        return coverage(sys.argv[2:])
    return fuzz(sys.argv[1], int(sys.argv[2]), sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
