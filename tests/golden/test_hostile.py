#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ringcastctl with a daemon whose answers contain control sequences: every command that the
program lists, as text and as JSON, into a pipe and on a terminal, as an answer and as an error.

usage: test_hostile.py RINGCASTCTL DIRECTORY
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading

# a title, clear the screen (7 and 8 bits), reversed text, a bell, a forged line
EVIL = "\x1b]0;a\x07\x1b[2J\x9b2J\u202e\u2066\x7f\b\r\nFORGED"
# none of these may arrive; a line break only in a text of several lines
OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
INTERFACE = {"name": "lan1", "role": "downstream", "instance": "i", "present": True, "up": True,
             "error": "e", "querier": {"ipv4": "active"}, "rx_packets": 1,
             "upstream": [{"family": "ipv4", "version": 3, "querier": "q"}]}
ANSWERS = {
    "explain": {"group": "g", "channel": "c", "source": "s", "summary": "s", "checks": [
        {"check": "c", "interface": "i", "verdict": "refuse", "text": "t", "advice": "a",
         "instance": "n"}]},
    "watch": {"version": "v", "interfaces": [INTERFACE], "drops": {"no_group": 3}, "now_ms": 5,
              "entries": 1, "matched": 1, "rows": [
                  {"group": "g", "channel": "c", "origin": "o", "last_source": "l", "in": "i",
                   "out": ["o"]}]},
    "metrics": {"text": "t", "content_type": "c"},
    "page": {"url": "u"},
    "health": {"ok": False, "problems": ["p", "q"], "unsure": []},
    "clear group": {"group": "g", "asked": [{"interface": "i", "answer_ms": 7}],
                    "not_asked": [{"interface": "i", "querier": "q", "reason": "r"}]},
    "capture": {"capture": "pcapng"},
    "monitor": {"monitor": "events"},
    "upgrade": {"ok": True, "name": "n"},   # another name than ringcastd: no wait
}
EVENT = {"event": "e", "unix_ms": 5, "interface": "i", "group": "g", "host": "h", "text": "t", "source": "s",
         "value": 7}
WORDS = {"explain": ["239.1.2.3"], "clear group": ["239.1.2.3"], "watch": ["--once"], "log": ["debug"]}
# with --json these print the answer itself
SAME = ("show mfc", "quality", "show zaps", "show groups", "show stats", "show config", "version", "explain", "metrics",
        "health", "clear group")
# these show a text of several lines
WHOLE_TEXT = ("show config", "metrics")


def poisoned(value):
    """The same with EVIL in each text, and an unexpected member."""
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    if isinstance(value, dict):
        return {k: poisoned(v) for k, v in value.items()} | {"k" + EVIL: "v" + EVIL,
                                                            "n" + EVIL: 7}
    return value


def block(kind, body):
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def capture():
    """A capture with two interfaces that have hostile names, and a packet of each."""
    octets = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    for name in (b"\x1b[2J\nFORGED", b"\x9b2J\xc2\x9b2J\x7f\xff"):
        padded = name + bytes(-len(name) % 4)
        octets += block(1, struct.pack("<HHI", 1, 0, 0)
                        + struct.pack("<HH", 2, len(name)) + padded + bytes(4))
    frame = bytes(12) + b"\x08\x00\x1b[2J" + bytes(40)
    frame += bytes(-len(frame) % 4)
    for i in (0, 1):
        octets += block(6, struct.pack("<IIIII", i, 0, 0, len(frame), len(frame)) + frame)
    return octets


class Daemon(threading.Thread):
    """Gives the same answer to every line until it is closed."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen()
        self.start()

    def run(self):
        while True:
            c, _ = self.sock.accept()
            with c, c.makefile("rb") as lines, contextlib.suppress(ConnectionError):
                for line in lines:
                    if line == b"the end\n":
                        return
                    c.sendall(self.answer + b"\n")
                    if line == b"capture\n":
                        c.sendall(capture())
                    if line == b"monitor\n":
                        c.sendall(json.dumps(poisoned(EVENT), ensure_ascii=False).encode()
                                  + b"\n" + self.answer + b"\n")
                    if line in (b"capture\n", b"monitor\n", b"upgrade\n"):
                        break

    def close(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"the end\n")
        self.join()
        self.sock.close()
        os.unlink(path)


def command_of(program):
    """The command, after meson's emulator for programs of another machine."""
    return [*os.environ.get("MESON_EXE_WRAPPER", "").split(), program]


def on_terminal(command, cols=80):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, cols, 0, 0))
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as p:
        os.close(theirs)
        said = b""
        while True:
            try:
                got = os.read(ours, 65536)
            except OSError:      # there is no writer any more
                break
            if not got:
                break
            said += got
        p.wait(60)
    os.close(ours)
    return said.replace(b"\r\n", b"\n")


def in_pipe(command):
    r = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return r.stdout + r.stderr


def faults(said, may_have_lines):
    text = said.decode("utf-8", "backslashreplace")
    found = [f"{m.group()!r} in {text[max(0, m.start() - 30):m.end()]!r}"
             for m in OBEYED.finditer(text)]
    if "\\x" in text:
        found.append(f"no UTF-8: {text!r}")
    if not may_have_lines and "\nFORGED" in text:
        found.append(f"a line of its own: {text!r}")
    return found[:3]


def answer_of(name, directory):
    if name in ANSWERS:
        return ANSWERS[name]
    path = os.path.join(directory, f"ctl-{name.split()[-1]}.json")
    with open(path.replace("detail", "groups-detail"), encoding="utf-8") as f:
        return json.load(f)


def answers(name, directory):
    """Yields (kind, bytes) for each kind of answer to a command."""
    value = answer_of(name, directory)
    for how, ascii_only in (("octets", False), ("escapes", True)):
        for what, v in (("answer", poisoned(value)), ("error", {"error": "e" + EVIL}),
                        ("list", [EVIL]), ("no error", {"error": {"k" + EVIL: EVIL}})):
            yield f"{what} with {how}", json.dumps(v, ensure_ascii=ascii_only).encode()
    yield "no JSON", ("\x1b[2J" + EVIL).split("\n", maxsplit=1)[0].encode()
    yield "half of it", b'{"a":"\x1b[2J\x9b'


def changed(said, name, directory):
    """A list that says whether the printed JSON differs from the daemon's answer."""
    want = poisoned(answer_of(name, directory))
    try:
        got = json.loads(said.decode().splitlines()[0])
    except (ValueError, IndexError) as e:
        return [f"no JSON: {e}: {said!r}"]
    return [] if got == want else [f"another answer: {got}"]


def main():
    program, directory = command_of(sys.argv[1]), sys.argv[2]
    os.environ["NO_COLOR"] = "1"     # otherwise explain sends escape sequences itself
    names = []
    for words in (["--help"], ["show", "--help"]):
        text = subprocess.run([*program, *words], capture_output=True, text=True,
                              check=True).stdout
        listed = re.search(r"commands:\n(.*?)(\n\n|\n$)", text, re.S)[1]
        names += [re.match(r"  ([a-z]+( [a-z]+)*)", line)[1] for line in listed.splitlines()]
    for name in ("show", "convert", "help"):     # these do not ask the daemon
        names.remove(name)
    assert len(names) > 10, names
    print(f"1..{len(names)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        for n, name in enumerate(names, 1):
            found = []
            for what, answer in answers(name, directory):
                daemon = Daemon(path, answer)
                command = [*program, "-s", path, *name.split(), *WORDS.get(name, [])]
                whole = name in WHOLE_TEXT and what.startswith("answer")
                for how, said, lines in (
                        ("pipe", in_pipe(command), whole),
                        ("terminal", on_terminal(command), whole),
                        ("JSON in a pipe", in_pipe(command + ["--json"])
                         if "octets" in what else b"", False),
                        ("JSON on a terminal", on_terminal(command + ["--json"]), False)):
                    if how == "terminal" and what == "answer with octets":
                        assert said.strip(), f"{name} says nothing"
                    found += [f"{what}, {how}: {f}" for f in faults(said, lines)]
                    if how.startswith("JSON") and what == "answer with octets" and name in SAME:
                        found += changed(said, name, directory)
                daemon.close(path)
            failed += bool(found)
            print(f"{'not ok' if found else 'ok'} {n} - {name}")
            for line in found:
                print("# " + line.encode("unicode_escape").decode(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
