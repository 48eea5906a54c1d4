#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No two source files below src/ have a static function of the same name, so that a stack trace
or a profile tells where it is.

usage: check-names.py SOURCE_ROOT | --self-test
"""

import re
import tempfile
from pathlib import Path

import checker

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)|\b_[a-z]+_\([^)]*\)")
# what is before the name in a declaration has no operator, initialiser or parenthesis
STATIC = re.compile(r"^\s*static\s[^;={}()]*?\b(\w+)\(", re.M)


def check(root):
    src, files, where = Path(root) / "src", 0, {}
    for path in sorted(src.rglob("*.c")):
        files += 1
        text = ATTRIBUTE.sub("", COMMENT.sub("", path.read_text()))
        for name in set(STATIC.findall(text)):
            where.setdefault(name, []).append(path.relative_to(src).as_posix())
    return files, [f"{name}() is in {' and '.join(p)}: name it after what it does in each, or "
                   "move it to a file that both may include"
                   for name, p in sorted(where.items()) if len(p) > 1]


def self_test():
    with tempfile.TemporaryDirectory() as d:
        root = Path(d) / "src"
        root.mkdir()
        (root / "a.c").write_text("static int one(int a)\n{\n\treturn a;\n}\n"
                                  "static const int two[] = {1};\nint three(void);\n")
        (root / "b.c").write_text("/*\nstatic int one(void)\n*/\nint one(void);\n"
                                  "static int two(void)\n{\n\treturn two;\n}\n")
        (root / "c.c").write_text("__attribute__((__format__(__printf__, 2, 3))) static int\n"
                                  "four(void)\n{\n\treturn 0;\n}\n")
        assert check(d) == (3, []), check(d)
        (root / "b.c").write_text("static struct x *one(\n\tint a)\n{\n}\n")
        assert [p.split("(")[0] for p in check(d)[1]] == ["one"], check(d)
        (root / "b.c").write_text("static _printf_(1, 2) int four(void)\n{\n}\n")
        assert [p.split("(")[0] for p in check(d)[1]] == ["four"], check(d)
    print("two kinds of copies refused")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test)
