#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python folders of tools, tests and bench do not import each other in a cycle.

usage: check-imports.py SOURCE_ROOT | --self-test
"""

import ast
import graphlib
import tempfile
from pathlib import Path

import checker


def modules(path):
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def sources(root):
    for top in ("tools", "tests", "bench"):
        yield from sorted((Path(root) / top).rglob("*.py"))


def arrows(root):
    """Returns {folder: {folder that it imports from: one import that shows it}}."""
    paths = list(sources(root))
    home = {}
    for path in paths:
        home.setdefault(path.stem, set()).add(path.parent.relative_to(root).as_posix())
    graph = {}
    for path in paths:
        mine = path.parent.relative_to(root).as_posix()
        to = graph.setdefault(mine, {})
        for name in modules(path):
            where = home.get(name.partition(".")[0], set())
            if mine not in where:
                for folder in where:
                    to[folder] = f"{path.relative_to(root)} imports {name}"
    return len(paths), graph


def check(root):
    n, graph = arrows(root)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as e:
        ring = e.args[1]
        # each folder of the cycle is imported by the next one
        return n, ["a cycle of imports: " + ", ".join(
            graph[b][a] for a, b in zip(ring, ring[1:]))]
    return n, []


def self_test():
    good = {"tools/lib/run.py": "import lab\n", "tests/lib/lab.py": "import os\n",
            "tests/daemon/test_a.py": "from lab import x\nimport bed\n",
            "bench/lib/bed.py": "import lab\n"}
    bad = [("tests/lib/lab.py", "from run import y\n"), ("bench/lib/bed.py", "import test_a\n")]
    for change in [None, *bad]:
        with tempfile.TemporaryDirectory() as d:
            for name, text in good.items():
                path = Path(d) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(change[1] if change and change[0] == name else text)
            n, problems = check(d)
            assert n == len(good) and len(problems) == bool(change), (change, problems)
            assert not change or change[0] in problems[0], problems
    print(f"{len(bad)} bad samples refused")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test)
