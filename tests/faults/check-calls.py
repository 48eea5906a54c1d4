#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every function that the daemon calls and does not define fails in fault.c, or is listed in
none.calls with a reason. This way no new call is forgotten.

usage: check-calls.py NM RINGCASTD FAULT.so NONE.calls
       check-calls.py NM --self-test
"""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

# added by the compiler: sanitizers, coverage, stack protector
TOOLCHAIN = ["__asan_*", "__ubsan_*", "__tsan_*", "__sanitizer_*", "__gcov_*", "__llvm_*",
             "__stack_chk_fail", "__libc_start_main"]


def names(nm, option, path):
    run = subprocess.run([nm, "-D", "-P", option, path], capture_output=True, text=True)
    if run.returncode or not run.stdout:
        sys.exit(f"{nm} {path}: {run.stderr.strip() or 'no symbols'}")
    return {line.split()[0].split("@")[0] for line in run.stdout.splitlines()}


def plain_name(symbol):
    """Returns the function of a fortified or versioned name."""
    if m := re.fullmatch(r"__(\w+)_chk", symbol):
        return m.group(1)
    # __fxstat64 and similar names: glibc before 2.33, whose names fault.c does not replace
    if m := re.fullmatch(r"__([fl]?)x(stat(?:at)?64)", symbol):
        return m.group(1) + m.group(2)
    return re.sub(r"^__isoc(23|99)_", "", symbol)


def read_none(text):
    """Returns the patterns; SystemExit if one has no reason."""
    patterns, reason = [], None
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            reason = line
        elif line and not reason:
            sys.exit(f"{line}: has no reason above it")
        elif line:
            patterns.append(line)
    return patterns


def judge(called, failing, patterns):
    """Returns the problems of the calls."""
    def fits(name, of):
        return any(fnmatch.fnmatchcase(name, p) for p in of)
    problems = []
    for name in sorted(called):
        plain = plain_name(name)
        if fits(name, TOOLCHAIN):
            continue
        fails = name in failing or plain in failing
        none = fits(name, patterns) or fits(plain, patterns)
        if fails == none:
            problems.append(f"{name}: " + (
                "made to fail, and named as needing nothing" if fails else
                "neither made to fail in fault.c nor named in none.calls"))
    return problems


def self_test():
    patterns = read_none("# text\n[reason]\nmem*\nstrlen # why\n")
    assert patterns == ["mem*", "strlen"], patterns
    failing = {"read", "fgets", "fstat64"}
    assert not judge({"read", "memcpy", "__memcpy_chk", "__fgets_chk", "strlen", "__fxstat64"},
                     failing, patterns)
    assert len(judge({"openat"}, failing, patterns)) == 1
    assert len(judge({"read"}, failing, ["read"])) == 1
    try:
        read_none("strlen\n[late]\n")
    except SystemExit:
        return
    raise AssertionError("a pattern without a reason passes")


def main():
    if sys.argv[2:] == ["--self-test"]:
        return self_test()
    nm, daemon, library, none = sys.argv[1:]
    called = names(nm, "--undefined-only", daemon)
    problems = judge(called, names(nm, "--defined-only", library),
                     read_none(Path(none).read_text(encoding="utf-8")))
    print("\n".join(problems) or f"{len(called)} calls")
    return sys.exit(bool(problems))


if __name__ == "__main__":
    main()
