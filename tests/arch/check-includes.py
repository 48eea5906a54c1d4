#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Includes follow the order of the folders (layers.py), pure folders stay pure, and every file is
in a folder.

usage: check-includes.py SOURCE_ROOT | --self-test
"""

import re
import tempfile
from pathlib import Path

import checker
from layers import EDGES, PURE_LIBS, folder_of, library_sources, may_include

GENERATED = {"build_config.h"}


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if m:
            yield number, m.group(1)


def check_file(src, rel, path):
    mine = folder_of(rel)
    if mine is None:
        yield f"src/{rel}: is in no folder of tests/arch/layers.py"
        return
    for number, name in includes(path):
        where = f"src/{rel}:{number}"
        if name in GENERATED:
            if mine not in EDGES:
                yield f"{where}: {mine} depends on the build configuration"
        elif not (src / name).is_file():
            yield f'{where}: "{name}" is not a path below src/'
        elif folder_of(name) is None or not may_include(mine, folder_of(name)):
            yield f"{where}: {mine} must not include {name}"


def check_libraries(src):
    for lib, sources in library_sources(src).items():
        for source in sorted(sources):
            if not (src / source).is_file():
                yield f"src/meson.build: {lib} names {source}, which is missing"
            elif lib in PURE_LIBS and folder_of(source) not in PURE_LIBS[lib]:
                yield f"src/meson.build: {lib} names {source}, whose folder is not pure"
            elif lib not in PURE_LIBS and folder_of(source) not in EDGES:
                yield f"src/meson.build: {lib} names {source}, whose folder is pure"


def check(root):
    src = Path(root) / "src"
    files = sorted(src.rglob("*.[ch]"))
    problems = [text for path in files
                for text in check_file(src, path.relative_to(src).as_posix(), path)]
    return len(files), problems + list(check_libraries(src))


MESON = """
base_pure = static_library('base_pure', files(
    'base/addr.c', # a comment with 'base/log/log.c' in it
))
control_core = static_library('control_core', files('control/proto/igmp.c'))
dataplane_core = static_library('dataplane_core', files('dataplane/fib/fib.c'))
control_edge = static_library('control_edge', files('base/log/log.c'))
"""

GOOD = {
    "base/addr.c": '#include "base/addr.h"\n#include <string.h>\n',
    "base/addr.h": "",
    "base/log/log.c": '#include "base/log/log.h"\n#include "base/addr.h"\n',
    "base/log/log.h": "",
    "control/proto/igmp.c": '#include "control/proto/igmp.h"\n#include "base/addr.h"\n',
    "control/proto/igmp.h": '#include "control/proto/gm_msg.h"\n',
    "control/proto/gm_msg.h": "",
    "control/member/mgroup.h": '#include "control/proto/gm_msg.h"\n',
    "control/sys/loop.h": "",
    "control/daemon/app.c": '#include "control/sys/loop.h"\n'
                            '#include "dataplane/thread/worker.h"\n',
    "control/daemon/main.c": '#include "control/sys/loop.h"\n#include "build_config.h"\n',
    "dataplane/fib/fib.c": '#include "dataplane/fib/fib.h"\n',
    "dataplane/fib/fib.h": "",
    "dataplane/thread/worker.h": '#include "dataplane/fib/fib.h"\n',
}

# (file, line that must be refused when it is added to the file)
BAD = [
    ("base/addr.c", '#include "control/proto/gm_msg.h"'),
    ("base/addr.c", '#include "base/log/log.h"'),
    ("base/log/log.c", '#include "control/proto/gm_msg.h"'),
    ("control/proto/igmp.c", '#include "dataplane/fib/fib.h"'),
    ("control/proto/igmp.c", '#include "control/sys/loop.h"'),
    ("control/proto/igmp.c", '#include "control/member/mgroup.h"'),
    ("control/proto/gm_msg.h", '#  include "base/log/log.h"'),
    ("control/proto/igmp.c", '#include "build_config.h"'),
    ("control/sys/loop.h", '#include "dataplane/thread/worker.h"'),
    ("dataplane/fib/fib.c", '#include "control/proto/gm_msg.h"'),
    ("dataplane/fib/fib.c", '#include "dataplane/thread/worker.h"'),
    ("dataplane/thread/worker.h", '#include "control/sys/loop.h"'),
    ("control/daemon/app.c", '#include "loop.h"'),
    ("control/other.c", "/* in no folder */"),
    ("other/file.c", "/* in no folder */"),
]
# libraries that must be refused
BAD_LIBS = [
    "static_library('control_core', files('control/daemon/app.c'))",
    "static_library('daemon', files('control/proto/igmp.c'))",
    "static_library('daemon', files('control/daemon/none.c'))",
]


def sample(directory, change=None, library=""):
    src = Path(directory) / "src"
    files = dict(GOOD)
    if change:
        files[change[0]] = files.get(change[0], "") + change[1] + "\n"
    for name, text in files.items():
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_text(text)
    (src / "meson.build").write_text(MESON + library)


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
    for library in BAD_LIBS:
        with tempfile.TemporaryDirectory() as d:
            sample(d, library=library)
            _, problems = check(d)
            assert len(problems) == 1 and "meson.build" in problems[0], (library, problems)
    print(f"{len(BAD) + len(BAD_LIBS)} bad samples refused")
    return 0


if __name__ == "__main__":
    checker.run(__doc__, check, self_test)
