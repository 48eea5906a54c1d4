#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks how tools/test counts the cases of a unit test, whichever version of cmocka printed
them, and what it says of cases that failed."""

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

# one case that failed among others, with a log that is longer than what is shown
FAILED = """1..3
# 5 ms
ok 1 - before
# Traceback (most recent call last):
#   File "test.py", line 1, in case
#     raise AssertionError("not within 10 s: it answers")
# AssertionError: not within 10 s: it answers
# --- log of ringcastd
""" + "".join(f"# line {n}\n" for n in range(200)) + """not ok 2 - in the middle
# 6 ms
ok 3 - behind
"""


@case("a case that failed is named with its exception, and told before its log")
def failed_case():
    said = []
    run_tests.say, silent = said.append, run_tests.say
    run_tests.failures.clear()
    count = run_tests.count_test({"name": "netns / netns_x", "result": "ERROR", "returncode": 1,
                                  "stdout": FAILED})
    run_tests.say = silent
    assert (count.passed, count.failed, count.skipped) == (2, 1, 0)
    assert run_tests.failures == \
        ["netns_x: in the middle: AssertionError: not within 10 s: it answers"]
    shown = said[0].splitlines()
    assert len(said) == 1 and "Traceback" in shown[1] and shown[-1].endswith("# line 199")
    assert not any("# 5 ms" in line or "# line 0" in line for line in shown), shown


@case("the exception of a case may also follow its line")
def exception_behind():
    before, behind = FAILED.split("# Traceback", 1)
    exception = behind.partition("# ---")[0]
    said = []
    run_tests.say, silent = said.append, run_tests.say
    run_tests.failures.clear()
    run_tests.count_tap(before + "not ok 2 - in the middle\n# Traceback" + exception +
                        "ok 3 - behind\n", "x", run_tests.Count())
    run_tests.say = silent
    assert run_tests.failures == \
        ["x: in the middle: AssertionError: not within 10 s: it answers"]
    assert "Traceback" in said[0], said


# a program of cmocka prints its cases first and says why they failed on standard error
CMOCKA = ("[==========] Running 2 test(s).\n[ RUN      ] first\n[       OK ] first\n"
          "[ RUN      ] second\n[  FAILED  ] second\n[==========] 2 test(s) run.\n",
          "[  ERROR   ] --- 0x1 != 0x2\n[   LINE   ] --- ../x/test_x.c:6: error: Failure!\n"
          "[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n"
          "[  FAILED  ] second\n\n 1 FAILED TEST(S)\n")


@case("the summary names the case of a unit test that failed, its line and its values")
def failed_unit_test():
    run_tests.failures.clear()
    count = run_tests.count_test({"name": "unit / x", "result": "FAIL", "returncode": 1,
                                  "stdout": CMOCKA[0], "stderr": CMOCKA[1]})
    assert (count.passed, count.failed, count.skipped) == (1, 1, 0)
    assert run_tests.failures == ["x: FAIL, exit status 1: second: test_x.c:6: 0x1 != 0x2"]


@case("the summary contains the last line of a report of a sanitizer")
def sanitizer_report():
    run_tests.failures.clear()
    run_tests.count_test({"name": "unit / x", "result": "FAIL", "returncode": 66, "stderr":
                          "WARNING: ThreadSanitizer: data race\nSUMMARY: data race a.c:1\n"})
    assert run_tests.failures == ["x: FAIL, exit status 66: data race a.c:1"]


if __name__ == "__main__":
    main()
