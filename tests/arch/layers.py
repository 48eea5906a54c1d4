# SPDX-License-Identifier: GPL-2.0-or-later
"""Defines which folder below src/ may include from which. A folder is a layer of the
architecture."""

import re
from pathlib import Path

# folder -> the other folders that it may include from; lowest first
FOLDERS = {
    "base": "",
    "base/log": "base",
    "base/sys": "base",
    "control/proto": "base",
    "control/config": "base control/proto",
    "control/member": "base control/proto control/config",
    "control/upstream": "base control/proto control/member",
    # from dataplane/forward only the port plan, which proxy/portplan.c fills in
    "control/proxy": "base control/proto control/config control/member control/upstream "
                     "dataplane/forward",
    # from dataplane/quality only the structures that a reader gets
    "control/quality": "base dataplane/quality",
    # from dataplane/packet only the verdicts
    "control/report": "base control/proto control/config control/member control/quality "
                      "dataplane/packet",
    "dataplane/packet": "base",
    "dataplane/fib": "base",
    "dataplane/quality": "base",
    "dataplane/forward": "base dataplane/packet dataplane/fib dataplane/quality",
    "dataplane/io": "base base/sys dataplane/packet",
    "dataplane/thread": "base base/sys dataplane/packet dataplane/fib dataplane/quality "
                        "dataplane/forward dataplane/io",
    "control/sys": "base base/log base/sys control/proto control/config control/proxy "
                   "control/report",
    "control/show": "base base/log base/sys control/proto control/config control/member "
                    "control/upstream control/proxy control/quality control/report control/sys "
                    "dataplane/packet dataplane/fib dataplane/quality dataplane/forward "
                    "dataplane/thread",
    "control/daemon": "*",
}
# Folders that use the system. All others are pure; check-symbols.py says what pure means.
EDGES = {"base/log", "base/sys", "control/sys", "control/show", "control/daemon", "dataplane/io",
         "dataplane/thread"}
# library of src/meson.build -> the folders whose sources it must hold, without others
PURE_LIBS = {
    "base_pure": {"base"},
    "control_core": {f for f in FOLDERS if f.startswith("control/")} - EDGES,
    "dataplane_core": {f for f in FOLDERS if f.startswith("dataplane/")} - EDGES,
}


def may_include(mine, theirs):
    allowed = FOLDERS[mine].split()
    return mine == theirs or theirs in allowed or "*" in allowed


def strip_comments(meson_text):
    """Removes comments, which run to the end of the line; a # inside quotes does not start one."""
    lines = []
    for line in meson_text.splitlines():
        out, quoted = "", False
        for c in line:
            if c == "'":
                quoted = not quoted
            if c == "#" and not quoted:
                break
            out += c
        lines.append(out)
    return "\n".join(lines)


def library_sources(src):
    """Returns {library name: set of source paths relative to src/}."""
    text = strip_comments((Path(src) / "meson.build").read_text())
    libs = {}
    for m in re.finditer(r"static_library\(\s*'(\w+)'\s*,\s*files\((.*?)\)", text, re.S):
        libs[m.group(1)] = set(re.findall(r"'([^']+)'", m.group(2)))
    return libs


def folder_of(path):
    """Returns the folder of a path relative to src/, or None if FOLDERS does not have it."""
    folder = path.rpartition("/")[0]
    return folder if folder in FOLDERS else None
