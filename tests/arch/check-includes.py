#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Includes only go down: base <- control core / dataplane core <- edges <- main.

usage: check-includes.py SOURCE_ROOT | --self-test
"""

import re
import sys
import tempfile
from pathlib import Path

from layers import layer_of, library_sources

CORE = {"base", "control core", "dataplane core"}

# layer of the file -> layers it may include from
MAY = {
    "base": {"base"},
    "base edge": {"base", "base edge"},
    "control core": {"base", "control core"},
    "dataplane core": {"base", "dataplane core"},
    "control edge": CORE | {"base edge", "control edge", "dataplane edge"},
    "dataplane edge": CORE | {"base edge", "dataplane edge"},
    "main": CORE | {"base edge", "control edge", "dataplane edge"},
}

GENERATED = {"build_config.h"}


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if m:
            yield number, m.group(1)


def check(root):
    src = Path(root) / "src"
    libs = library_sources(src)
    problems = []
    n = 0
    for path in sorted(src.rglob("*.[ch]")):
        rel = path.relative_to(src).as_posix()
        mine = layer_of(src, rel, libs)
        n += 1
        if mine is None:
            problems.append(f"src/{rel}: belongs to no layer")
            continue
        for number, name in includes(path):
            where = f"src/{rel}:{number}"
            if name in GENERATED:
                if mine in CORE:
                    problems.append(f"{where}: {mine} depends on the build configuration")
                continue
            if not (src / name).is_file():
                problems.append(f'{where}: "{name}" is no path below src/')
                continue
            theirs = layer_of(src, name, libs)
            if theirs not in MAY[mine]:
                problems.append(f"{where}: {mine} includes {name}, which is {theirs}")
    for lib, sources in libs.items():
        for source in sources:
            if not (src / source).is_file():
                problems.append(f"src/meson.build: {lib} names {source}, which is missing")
    return n, problems


MESON = """
base_pure = static_library('base_pure', files(
    'base/addr.c', # a comment with 'base/log.c' in it
))
control_core = static_library('control_core', files('control/igmp.c'))
dataplane_core = static_library('dataplane_core', files('dataplane/fib.c'))
"""

GOOD = {
    "base/addr.c": '#include "base/addr.h"\n#include <string.h>\n',
    "base/addr.h": "",
    "base/log.c": '#include "base/log.h"\n#include "base/addr.h"\n',
    "base/log.h": "",
    "control/igmp.c": '#include "control/igmp.h"\n#include "base/addr.h"\n',
    "control/igmp.h": '#include "control/gm_msg.h"\n',
    "control/gm_msg.h": "",
    "control/loop.h": "",
    "control/app.c": '#include "control/loop.h"\n#include "dataplane/worker.h"\n',
    "control/main.c": '#include "control/loop.h"\n#include "build_config.h"\n',
    "dataplane/fib.c": '#include "dataplane/fib.h"\n',
    "dataplane/fib.h": "",
    "dataplane/worker.h": '#include "base/log.h"\n',
}

# file -> line that must be refused when it is added
BAD = [
    ("base/addr.c", '#include "control/gm_msg.h"'),
    ("base/addr.c", '#include "base/log.h"'),
    ("base/log.c", '#include "control/gm_msg.h"'),
    ("control/igmp.c", '#include "dataplane/fib.h"'),
    ("control/igmp.c", '#include "control/loop.h"'),
    ("control/gm_msg.h", '#  include "base/log.h"'),
    ("control/igmp.c", '#include "build_config.h"'),
    ("dataplane/fib.c", '#include "control/gm_msg.h"'),
    ("dataplane/fib.c", '#include "dataplane/worker.h"'),
    ("dataplane/worker.h", '#include "control/loop.h"'),
    ("control/app.c", '#include "loop.h"'),
    ("other/file.c", "/* in no layer */"),
]


def sample(directory, change=None):
    src = Path(directory) / "src"
    files = dict(GOOD)
    if change:
        files[change[0]] = files.get(change[0], "") + change[1] + "\n"
    for name, text in files.items():
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_text(text)
    (src / "meson.build").write_text(MESON)


def self_test():
    with tempfile.TemporaryDirectory() as d:
        sample(d)
        n, problems = check(d)
        assert n == len(GOOD) and not problems, problems
    for change in BAD:
        with tempfile.TemporaryDirectory() as d:
            sample(d, change)
            _, problems = check(d)
            assert len(problems) == 1 and change[0] in problems[0], (change, problems)
    print(f"{len(BAD)} bad samples refused")
    return 0


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    if sys.argv[1] == "--self-test":
        return self_test()
    n, problems = check(sys.argv[1])
    print("\n".join(problems))
    print(f"{n} files, {len(problems)} problems")
    return 1 if problems or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
