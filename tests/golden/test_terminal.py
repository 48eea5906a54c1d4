#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Output of ringcastctl that is special to a terminal: bold marks, where NO_COLOR allows them,
and lines that are cut to its width.

usage: test_terminal.py RINGCASTCTL
"""

import json
import os
import sys
import tempfile

from test_hostile import ANSWERS, Daemon, command_of, in_pipe, on_terminal

CHECKS = {"group": "239.1.2.3", "source": None, "summary": "it stops here", "verdict": "refuse",
          "checks": [{"check": c, "interface": "wan", "verdict": v, "text": "t", "advice": None,
                      "instance": ""} for c, v in (("members", "pass"), ("source", "refuse"),
                                                   ("querier", "unknown"), ("ttl", "note"))]}
BOLD = (b"  \x1b[1mNO\x1b[0m source", b"  \x1b[1m? \x1b[0m querier")
PLAIN = (b"  ok members", b"  NO source", b"  ?  querier", b"  -- ttl")


def bold_marks(command):
    """Yields missing marks and wrong numbers of escapes, on terminals and elsewhere."""
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


ADDRESS = "2001:db8:1111:2222:3333:4444:5555:6666"
MFC = {"rate_interval_ms": 1000, "mfc": [
    {"group": "ff3e:30:2001:db8:1111:2222:3333:4444", "origin": ADDRESS, "last_source": ADDRESS,
     "in": "wan", "out": [f"lan{i}" for i in range(40)], "packets": 10 ** 12, "wrong": 0,
     "bytes": 10 ** 15, "packets_per_s": 1000, "bytes_per_s": 10 ** 6}]}


def widths(command):
    """Yields lines that are too long, and texts that are missing or must not be there."""
    show = command + ["show", "mfc"]
    for what, said, longest, wanted, unwanted in (
            ("80 columns", on_terminal(show), 80, b"~", ADDRESS.encode()),
            ("110 columns", on_terminal(show, 110), 110, b"~", ADDRESS.encode()),
            ("200 columns", on_terminal(show, 200), 200, ADDRESS.encode(), b"~"),
            ("wide", on_terminal(show + ["--wide"]), 1000, b"lan39", b"~"),
            ("a pipe", in_pipe(show), 1000, ADDRESS.encode(), b"~")):
        lines = said.splitlines()
        if len(lines) != 2 or max(map(len, lines)) > longest:
            yield f"{what}: {len(lines)} lines, {max(map(len, lines))} long"
        if wanted not in said or unwanted in said:
            yield f"{what}: {said!r}"


def blanks(command):
    said = in_pipe(command + ["watch", "--once"])
    if b"lan1" not in said:
        yield f"no interface: {said!r}"
    yield from (f"ends in blanks: {line!r}" for line in said.splitlines()
                if line.endswith(b" "))


CASES = (("explain marks what needs attention in bold", CHECKS, bold_marks),
         ("N30 a terminal's lines hold a row each", MFC, widths),
         ("N33 a page as text has no blanks at the end of its lines", ANSWERS["watch"], blanks))


def main():
    program = command_of(sys.argv[1])
    print(f"1..{len(CASES)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        for n, (title, answer, check) in enumerate(CASES, 1):
            daemon = Daemon(path, json.dumps(answer).encode())
            faults = list(check([*program, "-s", path]))
            daemon.close(path)
            failed += bool(faults)
            for line in faults:
                print(f"# {line}")
            print(f"{'not ok' if faults else 'ok'} {n} - {title}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
