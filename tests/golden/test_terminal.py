#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What ringcastctl prints on a terminal and nowhere else: bold marks, where NO_COLOR allows.

usage: test_terminal.py RINGCASTCTL
"""

import json
import os
import sys
import tempfile

from test_hostile import Daemon, in_pipe, on_terminal

CHECKS = {"group": "239.1.2.3", "source": None, "summary": "it stops here", "verdict": "refuse",
          "checks": [{"check": c, "interface": "wan", "verdict": v, "text": "t", "advice": None,
                      "instance": ""} for c, v in (("members", "pass"), ("source", "refuse"),
                                                   ("querier", "unknown"), ("ttl", "note"))]}
BOLD = (b"  \x1b[1mNO\x1b[0m source", b"  \x1b[1m? \x1b[0m querier")
PLAIN = (b"  ok members", b"  NO source", b"  ?  querier", b"  -- ttl")


def bold_marks(command):
    """(what, terminal, environment, marks that must be there, escapes)"""
    for what, show, env, wanted, escapes in (
            ("a terminal", on_terminal, {"TERM": "xterm"}, BOLD + (PLAIN[0], PLAIN[3]), 4),
            ("NO_COLOR", on_terminal, {"TERM": "xterm", "NO_COLOR": "1"}, PLAIN, 0),
            ("an empty NO_COLOR", on_terminal, {"TERM": "xterm", "NO_COLOR": ""}, BOLD, 4),
            ("a dumb terminal", on_terminal, {"TERM": "dumb"}, PLAIN, 0),
            ("a pipe", in_pipe, {"TERM": "xterm"}, PLAIN, 0)):
        os.environ.pop("NO_COLOR", None)
        os.environ.update(env)
        said = show(command + ["explain", "239.1.2.3"])
        lacks = [w for w in wanted if w not in said]
        if lacks or said.count(b"\x1b") != escapes:
            yield f"{what}: {said!r} lacks {lacks}"


def main():
    program = sys.argv[1]
    print("1..1")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        daemon = Daemon(path, json.dumps(CHECKS).encode())
        faults = list(bold_marks([program, "-s", path]))
        daemon.close(path)
    for line in faults:
        print(f"# {line}")
    print(f"{'not ok' if faults else 'ok'} 1 - explain marks what needs attention in bold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
