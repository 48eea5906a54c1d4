#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts are about the project only, and finished: no path of a developer's machine, no marker of
open work, and a licence line in every source file. Tests can be executed, documents name only
existing files, comments name only existing functions and fit the width of the code.

usage: check-text.py SOURCE_ROOT | --self-test
"""

import re
import subprocess
import tempfile
from pathlib import Path

import checker

# The patterns are written so that they do not match themselves.
FORBIDDEN = [
    (r"(?<![\w.])/[w]ork/", "path of a working directory"),
    (r"(?<![\w.])/[h]ome/\w", "path of somebody's home"),
    (r"(?<![\w.])/[r]oot/", "path of somebody's home"),
    (r"/tmp/[w]t\b|/tmp/[w]t-|/tmp/[b]rief", "path of a working directory"),
    (r"\.\./[s]hared\b", "path outside of the project"),
]
UNFINISHED = [
    (r"\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b", "marker of open work"),
]
# CONTRIBUTING.md, Prose: habits that no sentence of the sources needs
HABITS = [
    (r", [t]oo\b(?! (?:many|much|long|large|small|few|short|late|old|often|high|low|"
     r"narrow|wide|far|busy|soon|big))", "'too' at the end: write 'also' before the verb"),
    (r"\b[g]oe?s? on (?!(?:the|a|an|stand|each|port|this|top)\b)", "write 'continue'"),
    (r"\b[n]eed not\b", "write 'does not have to'"),
    (r"\b[s]hall\b|\b[t]hus\b", "write 'must' or 'should', 'so' or 'therefore'"),
    (r"\b[i]n front of\b", "write 'before'"),
    (r"\b[b]eside\b", "write 'next to' of a place, else 'in addition to', 'compared with', 'while'"),
    (r"\b[a]s ever\b", "write 'as before', 'as usual'"),
    (r"(?<=[a-z`')] )(?<![Tt]here )\b(?:[i]s|[a]re|[w]as|[w]ere) no (?!longer\b|more\b|other\b|one\b)",
     "write 'is not a'"),
    (r"\b[s]tands\b(?! alone)", "write 'is', or say what it means"),
    (r"\b[o]f such\b(?! hosts| \")", "name them"),
    (r"\b[w]ho (?:asks|sends|reads|has|is|holds|does)\b(?= (?:not|to|for|it|them)\b)", "name the agent: 'a client that'"),
    (r"(?<![\w.])(?:0|NULL|-1|[T]rue|[F]alse): (?=[a-z])", "write '0 if', 'returns true if'"),
    (r"\b[l]ikewise\b|\b[b]esides\b", "write 'also', 'in the same way', 'in addition to'"),
    (r"\b[m]eans none\b", "write 'or NULL', '0 if there is none'"),
    (r"\b[m]ay not\b", "write 'must not' of a rule, 'cannot' of a limit, 'perhaps' of a guess"),
    (r"\b(?:[a]ll|[e]ach|[e]very|[e]verything|[a]nything|[n]othing|[n]one|[n]obody) but\b(?! not\b)",
     "write 'except'"),
    (r"\b(?:[i]s|[a]re) none of\b", "write 'is not one of', 'does not belong to'"),
    (r"_[w]ho_[a-z]|_[i]s_no_|_[b]eside_", "also in names: the agent, 'is not', 'next to'"),
]
# the same for headers, whose comments are read without the code
HEADER_HABITS = [
    (r"^\s*/\* [T]he same\b", "say what the function does"),
    (r"^\s*(?:/\*|\*) (?:.*[.;] )?0(?: or|,) -[E]", "write 'Returns 0 or'"),
    (r"(?<=/\* )(?:[A]s above|[D]itto)\b", "say it again, or name the function"),
]
# Files that are searched for HABITS: sources below these folders, the build file at the top, and all
# documents except the one that lists the habits. Golden files are left out, because they hold the
# output of programs.
PLAIN = ("src/", "tools/", "tests/", "bench/", "data/", "debian/", "packaging/", "meson.build")
NOT_PLAIN = {"CONTRIBUTING.md", "tests/arch/check-text.py"}
# from the top of the tree; a document may omit everything after the first dot of a name
NAMED = re.compile(r"(?<![\w./<{$-])(?:bench|data|src|tests|tools)/[\w./*-]*[\w*]")
PLACEHOLDER = re.compile(r"[A-Z]{2}")   # tests/fuzz/fuzz_NAME.c
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
CALL = re.compile(r"\b([a-z][a-z0-9_]*)\(\)")
# functions of libraries that comments name but the sources do not call
OTHERS = {"abort", "initscr", "rcu_barrier", "synchronize_rcu"}
WIDTH = 88   # of C; clang-format does not wrap comments (ReflowComments: false)
COMMENT_LINE = re.compile(r"\s*(?:/?\*|//)|[^\"]*/\*")
SOURCE = {".c", ".h", ".py", ".sh"}
SKIP_DIRS = {".git"}


def tracked(root):
    """Returns the files that git knows or would add; without git, all outside of build trees."""
    try:
        run = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co",
                              "--exclude-standard"], capture_output=True)
        if run.returncode == 0:
            return [Path(root) / n for n in run.stdout.decode().split("\0") if n]
    except FileNotFoundError:
        pass  # no git on this machine
    found = []
    for path in Path(root).rglob("*"):
        parts = path.relative_to(root).parts
        if SKIP_DIRS & set(parts) or parts[0].startswith("build"):
            continue
        found.append(path)
    return found


def missing(root, line):
    """Yields the paths that a line of a document names and the tree does not have."""
    for path in NAMED.findall(line):
        if not PLACEHOLDER.search(path) and not (
                any(root.glob(path)) or any(root.glob(path + ".*"))):
            yield path


def check_file(root, path, name):
    data = path.read_bytes()
    if b"\0" in data:
        return
    lines = data.decode("utf-8", "replace").splitlines()
    is_source = path.suffix in SOURCE
    is_script = not path.suffix and bool(lines) and lines[0].startswith("#!")
    is_plain = name not in NOT_PLAIN and (
        path.suffix == ".md" or name.startswith(PLAIN) and (
            is_source or is_script or path.name in {"README", "meson.build"}))
    # documents call these tests by their path
    if path.match("test_*.py") and not path.stat().st_mode & 0o100:
        yield f"{name}: is not executable: chmod +x {name}"
    for number, line in enumerate(lines, 1):
        for pattern, why in FORBIDDEN + (UNFINISHED if is_source else []):
            if re.search(pattern, line):
                yield f"{name}:{number}: {why}: {line.strip()[:60]}"
        if is_plain:
            for pattern, why in HABITS + (HEADER_HABITS if path.suffix == ".h" else []):
                if re.search(pattern, line):
                    yield f"{name}:{number}: {why}: {line.strip()[:60]}"
        if path.suffix in (".c", ".h") and len(line.expandtabs(8)) > WIDTH and \
                COMMENT_LINE.match(line):
            yield f"{name}:{number}: a comment has more than {WIDTH} columns"
        if path.suffix == ".md":
            for gone in missing(root, line):
                yield f"{name}:{number}: there is no {gone}"
    if is_source and not any("SPDX-License-Identifier:" in s for s in lines[:2]):
        yield f"{name}: no SPDX line at the top"


def undescribed(root):
    """Yields problems with fuzz targets that have no row in the document that lists them."""
    text = root / "doc" / "testing.md"
    rows = [s for s in text.read_text().splitlines() if s.startswith("| `")] if text.exists() else []
    for target in sorted((root / "tests" / "fuzz").glob("fuzz_*.c")):
        name = target.stem[len("fuzz_"):]
        if name != "main" and not any(f"`{name}`" in s.split("|")[1] for s in rows):
            yield f"doc/testing.md: no row for the fuzz target {name}"


def misnamed(root, files):
    """Yields functions that comments of src/ and tools/ name but that do not exist."""
    calls, words = [], set(OTHERS)
    for path in files:
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".c", ".h") or not name.startswith(("src/", "tools/")):
            continue
        text = path.read_text()
        for comment in COMMENT.finditer(text):
            line = text.count("\n", 0, comment.start()) + 1
            calls += [(call, f"{name}:{line}") for call in CALL.findall(comment[0])]
        words |= set(re.findall(r"\w+", COMMENT.sub("", text)))
    for call, where in calls:
        if call not in words:
            yield f"{where}: there is no function {call}()"


def check(root):
    problems, n = list(undescribed(Path(root))), 0
    problems += misnamed(root, [p for p in sorted(tracked(root)) if p.is_file()])
    for path in sorted(tracked(root)):
        if path.is_file() and not path.is_symlink():
            n += 1
            problems += check_file(Path(root), path, path.relative_to(root).as_posix())
    return n, problems


def self_test():
    spdx = "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
    good = {
        "a.c": spdx + "int a; /* netw" + "ork/path, src/work.c, /run/x */\n",
        "run.sh": "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\nmktemp t.XXXXXX\n",
        "README.md": "no licence line; src/b.c, `src/b`, src/*, src/NAME.c, build/x/src/none\n",
        "src/b.c": spdx + "/* NULL if too long, or too many; one who pays; 0 or -ENOMEM */\n",
        "src/c.h": spdx + "int c(void); /* 0 or -ENOMEM */\n/* Returns 0 or -ENOMEM. */\n",
        "b.c": spdx + "/* outside of the folders: it goes o" + "n there, to" + "o */\n",
        "CONTRIBUTING.md": "what goes o" + "n there is a habit, to" + "o\n",
        "tests/fuzz/fuzz_main.c": spdx,
        "tests/fuzz/fuzz_a.c": spdx,
        "doc/testing.md": "| `b`, `a` | reads | holds |\n",
    }
    bad = {
        "no-licence.c": "int a;\n",
        "late-licence.h": "int a;\nint b;\n" + spdx,
        "open.c": spdx + "/* TO" + "DO: more */\n",
        "path.md": "see /wo" + "rk/main\n",
        "home.md": "see /ho" + "me/someone\n",
        "super.py": "# SPDX-License-Identifier: x\nopen('/ro" + "ot/x')\n",
        "tree.txt": "in /tmp/w" + "t-b\n",
        "test_mode.py": "# SPDX-License-Identifier: x\n",
        "outside.md": "in ../sha" + "red/x\n",
        "src/too.c": spdx + "/* which is read, to" + "o */\n",
        "src/on.h": spdx + "/* the daemon goes o" + "n and waits */\n",
        "src/need.c": spdx + "/* it nee" + "d not be there */\n",
        "src/thus.c": spdx + "/* which is thu" + "s free */\n",
        "src/front.c": spdx + "/* i" + "n front of the header */\n",
        "src/side.c": spdx + "/* a reader besid" + "e the writer */\n",
        "src/such.c": spdx + "/* the names o" + "f such */\n",
        "src/who.c": spdx + "/* wh" + "o does not read is dropped */\n",
        "src/gloss.h": spdx + "int a; /* NULL" + ": none */\n",
        "src/like.h": spdx + "/* refused like" + "wise */\n",
        "src/mean.c": spdx + "int a; /* NULL mea" + "ns none */\n",
        "src/same.h": spdx + "/* Th" + "e same for a group. */\n",
        "src/returns.h": spdx + "/* Adds one. 0 o" + "r -ENOMEM. */\n",
        "tools/returns.h": spdx + "/* 0, -E" + "NOMEM */\n",
        "src/may.c": spdx + "/* who m" + "ay not send */\n",
        "src/but.c": spdx + "/* everythin" + "g but the head */\n",
        "src/none.c": spdx + "/* the frame i" + "s none of ours */\n",
        "tests/name.c": spdx + "void it_i" + "s_no_gap(void);\n",
        "meson.build": "# which is read, to" + "o\n",
        "src/above.h": spdx + "/* A" + "s above, with a list. */\n",
        "src/ever.c": spdx + "/* heard as eve" + "r */\n",
        "bench/run": "#!/bin/sh\n# it stand" + "s before the header\n",
        "tools/on.py": "# SPDX-License-Identifier: x\n# it goes o" + "n and waits\n",
        "tests/too.h": spdx + "/* which is read, to" + "o */\n",
        "doc/need.md": "it nee" + "d not be there\n",
        "src/gone.h": spdx + "int a; /* as gone() says, b() does not */\nint b(void);\n",
        "src/wide.c": spdx + "/* " + "wide " * 20 + "*/\n",
        "src/tail.c": spdx + "int a;" + "\t" * 8 + "/* twenty columns and more */\n",
        "moved.md": "see `src/gone.c`\n",
    }
    with tempfile.TemporaryDirectory() as d:
        for name in ("src", "doc", "tests/fuzz", "tools", "bench"):
            (Path(d) / name).mkdir(parents=True)
        for name, text in good.items():
            (Path(d) / name).write_text(text)
        n, problems = check(d)
        assert n == len(good) and not problems, problems
        for name, text in bad.items():
            (Path(d) / name).write_text(text)
            _, problems = check(d)
            assert len(problems) == 1 and problems[0].startswith(name), (name, problems)
            (Path(d) / name).unlink()
        (Path(d) / "tests/fuzz/fuzz_c.c").write_text(spdx)
        _, problems = check(d)
        assert problems == ["doc/testing.md: no row for the fuzz target c"], problems
    print(f"{len(bad)} bad samples refused")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test)
