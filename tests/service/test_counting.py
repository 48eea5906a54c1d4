#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks how tools/test counts the cases of a unit test, whichever version of cmocka printed
them."""

import os
import sys

from libservice import ROOT, case, main

sys.path.insert(0, os.path.join(ROOT, "tools", "lib"))

import run_tests  # noqa: E402

run_tests.say = lambda text="": None   # the output here is TAP

# how the output of cmocka 1.1.5 and 1.1.7 ends; the latter names the group
ENDS = {"1.1.5": "", "1.1.7": "tests: "}


def counted(end, ran, passed, skipped):
    """Returns the counts for a program whose output ends like that."""
    count = run_tests.Count()
    lines = [f"[==========] tests: {ran} test(s) run.", f"[  PASSED  ] {passed} test(s)."]
    lines += [f"[  SKIPPED ] case_{n}" for n in range(skipped)]   # printed while it runs
    if skipped:
        lines.append(f"[  SKIPPED ] {end}{skipped} test(s), listed below:")
        lines += [f"[  SKIPPED ] case_{n}" for n in range(skipped)]
    run_tests.count_cmocka("\n".join(lines) + "\n", "unit", count)
    return count.passed, count.failed, count.skipped


for _version, _end in ENDS.items():
    def _case(end=_end):
        assert counted(end, 5, 5, 0) == (5, 0, 0)
        assert counted(end, 5, 4, 1) == (4, 0, 1)
        assert counted(end, 5, 2, 2) == (2, 1, 2)
    case(f"cases of cmocka {_version}: passed, skipped, failed")(_case)

if __name__ == "__main__":
    main()
