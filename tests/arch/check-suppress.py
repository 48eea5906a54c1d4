#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each line of tools/lib/analyse.suppress names a file that exists and a function of that file. A
rename would otherwise be noticed only by the run of all analysers, or, for a tool of another
release, by nobody.

usage: check-suppress.py SOURCE_ROOT | --self-test
"""

import re
import tempfile
from pathlib import Path

import checker

LIST = "tools/lib/analyse.suppress"


def check(root):
    root, n, problems = Path(root), 0, []
    for number, line in enumerate((root / LIST).read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        n += 1
        _, name, function, *_ = line.split()
        path = root / name
        if not path.is_file():
            problems.append(f"{LIST}:{number}: there is no {name}: name the file that has the "
                            "function now, or take the line out")
        elif function != "-" and not re.search(rf"\b{re.escape(function)}\(", path.read_text()):
            problems.append(f"{LIST}:{number}: {name} has no {function}(): name the function as "
                            "it is called now, or take the line out")
    return n, problems


def self_test():
    with tempfile.TemporaryDirectory() as d:
        root = Path(d)
        (root / LIST).parent.mkdir(parents=True)
        (root / "a.c").write_text("int here(void);\n")
        lines = "# a comment\n\ngcc a.c here -Wx why\n"
        (root / LIST).write_text(lines)
        assert check(d) == (1, []), check(d)
        (root / LIST).write_text(lines + "gcc a.c gone -Wx why\nclang b.c here x why\n")
        assert [p.split(":")[1] for p in check(d)[1]] == ["4", "5"], check(d)
    print("a function and a file that are gone are refused")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test, "lines")
