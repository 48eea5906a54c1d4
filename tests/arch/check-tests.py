#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every test in the tree is known to the build: a test that never runs is worse than none.

usage: check-tests.py SOURCE_ROOT | --self-test

Tests are tests/**/test_*.c and the scripts below tests/, except for helpers (lib*). Each must be
named in the meson.build of its directory or of one above it, by its file name or its stem; for
test_x.c the name x is enough.
"""

import re
import tempfile
from pathlib import Path

import checker
from layers import strip_comments

# modules that other scripts import, in addition to those of tests/lib
HELPERS = {"checker.py", "jshn_stub.sh", "layers.py", "openrc_stub.sh", "openwrt_stub.sh", "peers.py"}


def tests_of(top):
    for path in sorted(top.rglob("*")):
        if path.suffix == ".c" and path.name.startswith("test_"):
            yield path
        elif path.suffix in (".sh", ".py") and path.parent != top / "lib" and \
                not path.name.startswith("lib"):
            if path.name not in HELPERS:
                yield path


def names_of(path):
    names = {path.name, path.stem}
    if path.suffix == ".c":
        names.add(path.stem.removeprefix("test_"))
    return names


def quoted_above(path, top):
    """Returns all strings in the meson.build files from the test's directory up to tests/."""
    found = set()
    directory = path.parent
    while True:
        build = directory / "meson.build"
        if build.is_file():
            for text in re.findall(r"'([^']*)'", strip_comments(build.read_text())):
                found.add(text)
                found.add(text.rsplit("/", 1)[-1])
        if directory == top:
            return found
        directory = directory.parent


def check(root):
    top = Path(root) / "tests"
    problems, n = [], 0
    for path in tests_of(top):
        n += 1
        if not names_of(path) & quoted_above(path, top):
            problems.append(f"{path.relative_to(root)}: in no meson.build, so it never runs")
    return n, problems


def self_test():
    with tempfile.TemporaryDirectory() as d:
        unit, netns = Path(d) / "tests/unit", Path(d) / "tests/daemon"
        for directory in (unit, netns):
            directory.mkdir(parents=True)
        (unit / "meson.build").write_text("t = {\n    'one': [],\n    # 'two': [],\n}\n")
        (netns / "meson.build").write_text("foreach n : ['join', 'mld.py']\nendforeach\n")
        for path in (unit / "test_one.c", netns / "join.sh", netns / "mld.py",
                     netns / "lib.sh"):
            path.write_text("")
        n, problems = check(d)
        assert n == 3 and not problems, problems
        for path in (unit / "test_two.c", netns / "leave.sh", netns / "reload.py"):
            path.write_text("")
            _, problems = check(d)
            assert len(problems) == 1 and path.name in problems[0], problems
            path.unlink()
    print("3 unregistered tests found")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test, "tests")
