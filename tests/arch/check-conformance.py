#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every requirement has its row in doc/conformance.md, and every row a test that exists or a
reason.

usage: check-conformance.py SOURCE_ROOT | --count SOURCE_ROOT | --self-test

A row is "| id | clause | who | level | what we do | evidence |". Evidence is tests, each in
backquotes as `program: case`, or a sentence that begins with "reason:". The program is the name of
the meson test. The case is a function or a row of a table (C), the text of a @case (Python) or of
a case= (shell); it may be cut short with "...". A program without cases is named alone. --count
only prints the figures and checks nothing. """

import ast
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from layers import strip_comments

IDS = [f"R{n:03}" for n in range(1, 204)] + [f"E{n:02}" for n in range(1, 31)]
LEVELS = {"M": "must", "S": "should", "m": "may", "D": "defined", "P": "project",
          "E": "edge case"}
ROW = re.compile(r"^\| *([RE]\d+) *\|")
REFERENCE = re.compile(r"`([\w-]+)(?:: ([^`]+))?`")


# ---- cases of a test program: patterns as regular expressions ----

def c_cases(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = set()
    for name in re.findall(r"\bvoid (\w+)\(", text):
        if re.search(rf"\(\s*{name}\s*[,)]", text):   # registered
            found.add(re.escape(name))
    # the names of table rows; adjacent string literals form one name
    for literals in re.findall(r'\{\s*(?:\.\w+ = )?((?:"(?:[^"\\]|\\.)*"\s*)+)', text):
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
        found.add(re.escape("".join(parts).replace('\\"', '"')))
    return found


def literal(node):
    """Returns a string; the variable parts of an f-string become wildcards."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(v) or ".+" for v in node.values)
    return None


def python_cases(text):
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "case" and node.args:
                found.add(literal(node.args[0]))
    return found - {None}


def shell_cases(text):
    return {re.escape(m) for m in re.findall(r'^case="([^"]*)"', text, re.M)}


READERS = {".c": c_cases, ".py": python_cases, ".sh": shell_cases}


def programs(root):
    """Returns {name of a meson test: file}."""
    top = Path(root) / "tests"
    found = {}
    for path in sorted(top.rglob("*")):
        if path.suffix in READERS and path.name.startswith("test_"):
            name = path.stem.removeprefix("test_")
            if path.suffix == ".py" and path.parent.name == "daemon":
                name = "netns_" + name
            found.setdefault(name, path)
        elif path.name == "meson.build":
            text = strip_comments(path.read_text())
            for name, file in re.findall(r"test\('([\w-]+)', *(?:\w+, *args: *\[[^\]]*?)?"
                                         r"files\('([\w.-]+)'", text):
                found[name] = path.parent / file
    return found


class Tests:
    def __init__(self, root):
        self.programs = programs(root)
        self.cases = {}

    def problem(self, program, case):
        path = self.programs.get(program)
        if path is None or not path.is_file():
            return f"no test program '{program}'"
        if program not in self.cases:
            self.cases[program] = READERS[path.suffix](path.read_text())
        cases = self.cases[program]
        if case is None:
            return f"'{program}' has cases: name one" if cases else None
        if case.endswith("..."):
            start = case[:-3].rstrip()
            if any(re.sub(r"\\(.)", r"\1", c).startswith(start) for c in cases):
                return None
        elif any(re.fullmatch(c, case) for c in cases):
            return None
        return f"'{program}' has no case '{case}'"


# ---- rows ----

def cells(line):
    """Returns the columns of a table row; \\| is not a border."""
    return [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]


def check_row(row, tests):
    """Returns the kind of the row and its problems."""
    if len(row) != 6:
        return None, [f"{len(row)} columns, not 6"]
    _, _, _, level, what, evidence = row
    problems = []
    if level not in LEVELS:
        problems.append(f"level '{level}' is not one of {' '.join(LEVELS)}")
    if len(what) < 10:
        problems.append("does not say what we do")
    references = REFERENCE.findall(evidence)
    for program, case in references:
        p = tests and tests.problem(program, case or None)
        if p:
            problems.append(p)
    if references:
        return "tested", problems
    reason = evidence.partition("reason:")[2].strip()
    if len(reason) < 20:
        problems.append("neither a test nor a reason")
    return "reasoned", problems


def check(root, with_tests=True):
    path = Path(root) / "doc/conformance.md"
    tests = Tests(root) if with_tests else None
    problems, seen, kinds = [], Counter(), Counter()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = ROW.match(line)
        if not m:
            continue
        row = cells(line)
        seen[m[1]] += 1
        kind, wrong = check_row(row, tests)
        problems += [f"{path.name}:{number}: {m[1]}: {w}" for w in wrong]
        if kind:
            kinds[LEVELS.get(row[3], "?"), kind] += 1
    problems += [f"{path.name}: {i} is missing" for i in IDS if not seen[i]]
    problems += [f"{path.name}: {i} is there {n} times" for i, n in seen.items() if n > 1]
    problems += [f"{path.name}: {i} is not an id of the list" for i in seen if i not in IDS]
    return kinds, problems


def figures(kinds):
    def line(name, tested, reasoned):
        return f"  {name:<10}{tested + reasoned:>4}: {tested:>3} tested, {reasoned:>2} reasoned"
    out = ["requirements of doc/conformance.md:"]
    for name in LEVELS.values():
        out.append(line(name, kinds[name, "tested"], kinds[name, "reasoned"]))
    out.append(line("all", *(sum(n for (_, k), n in kinds.items() if k == kind)
                             for kind in ("tested", "reasoned"))))
    return "\n".join(out)


# ---- self-test ----

def self_test():
    with tempfile.TemporaryDirectory() as d:
        unit, netns, doc = (Path(d) / n for n in ("tests/unit", "tests/daemon", "doc"))
        for directory in (unit, netns, doc):
            directory.mkdir(parents=True)
        (unit / "test_one.c").write_text(
            '/* static void gone(void **state) {} gone */\n'
            'static const struct c t[] = { {"R002 a|b", "x"}, };\n'
            'static void unused(void **state) {}\n'
            'static void works(void **state) {}\n'
            'int main(void) { cmocka_unit_test(works); }\n')
        (netns / "test_join.py").write_text(
            '@case("R003 a long "\n      "name")\ndef x(b):\n    pass\n'
            'for f in 4, 6:\n    case(f"R004 IPv{f}")(x)\n')
        (unit / "plain.sh").write_text("exit 0\n")
        (unit / "meson.build").write_text("test('shell', files('plain.sh'))\n")
        good = ("`one: works`", "`one: R002 a\\|b`, `netns_join: R003 a long name`",
                "`netns_join: R003 a...`", "`netns_join: R004 IPv6`", "`shell`",
                "reason: the lines of this sentence say why")
        rows = [f"| {i} | 1 | both | M | what is done here | {good[n % len(good)]} |"
                for n, i in enumerate(IDS)]

        def run(changed):
            (doc / "conformance.md").write_text("\n".join(changed) + "\n")
            return check(d)

        kinds, problems = run(rows)
        assert not problems, problems
        assert sum(kinds.values()) == len(IDS) == 233
        bad = ("`one: unused`", "`one: gone`", "`one: absent`", "`two: works`", "`one`",
               "`netns_join: R003 a`", "`netns_join: b...`", "`netns_join: R004 IPv`",
               "`shell: case`", "", "reason: none", "works")
        for evidence in bad:
            line = f"| R001 | 1 | both | M | what is done here | {evidence} |"
            assert len(run([line] + rows[1:])[1]) == 1, evidence
        for line in ("| R001 | 1 | both | X | what is done here | `one: works` |",
                     "| R001 | 1 | both | M | what is done here |",
                     "| R001 | 1 | both | M | | `one: works` |"):
            assert len(run([line] + rows[1:])[1]) == 1, line
        assert len(run(rows[1:])[1]) == 1
        assert len(run(rows + rows[:1])[1]) == 1
        assert len(run(rows + [rows[0].replace("R001", "R204")])[1]) == 1
        print(f"{len(bad) + 6} faults found")
    return 0


def main():
    args = sys.argv[1:]
    if args == ["--self-test"]:
        return self_test()
    if len(args) == 2 and args[0] == "--count":
        print(figures(check(args[1], with_tests=False)[0]))
        return 0
    if len(args) != 1 or args[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 1
    kinds, problems = check(args[0])
    print("\n".join(problems + [figures(kinds)]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
