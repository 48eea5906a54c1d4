#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion of ringcastctl in real shells. A small server replaces the daemon and answers with a
group and two interfaces."""

import os
import pty
import re
import select
import socket
import subprocess
import threading
import time

from libservice import ROOT, Skip, case, main, need, program, run, temporary

DATA = os.path.join(ROOT, "data", "completion")
REPLIES = {
    "show groups": '{"groups": [{"interface": "lan1", "group": "239.1.2.3"}, '
                   '{"interface": "lan1", "group": "ff3e::8000:1"}]}\n',
    "show interfaces": '{"interfaces": [{"name": "wan"}, {"name": "lan1"}]}\n',
}


class Server(threading.Thread):
    """Answers on the control socket as the daemon would."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen()
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            with client, client.makefile("rw") as f:
                for line in f:
                    f.write(REPLIES.get(line.strip(), '{"error": "unknown"}\n'))
                    f.flush()


class Shell:
    """The variables through which a shell finds the built programs and the server."""

    def __init__(self, folder):
        self.env = dict(os.environ, RINGCAST_SOCKET=os.path.join(folder, "ctl.sock"),
                        PATH=os.path.dirname(program("ringcastctl")) + ":" +
                        os.environ["PATH"], HOME=folder, TERM="dumb",
                        XDG_CONFIG_HOME=folder, XDG_DATA_HOME=folder)
        self.server = Server(self.env["RINGCAST_SOCKET"])
        self.folder = folder

    def complete_all(self, lines):
        """Returns what is offered at the end of each line."""
        return [self.complete(line) for line in lines]


class Bash(Shell):
    def complete(self, line):
        words = line.split(" ")
        script = f"""
            source {DATA}/ringcastctl.bash
            COMP_WORDS=({' '.join(repr(w) for w in words)}) COMP_CWORD={len(words) - 1}
            COMP_LINE={line!r} COMP_POINT={len(line)}
            _ringcastctl ringcastctl
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        return set(run("bash", "--norc", "-c", script, env=self.env, cwd=self.folder).split())


class Fish(Shell):
    """One fish for all lines, because it takes long to start."""

    def complete_all(self, lines):
        script = "".join(f"; complete -C '{line}'; echo END" for line in lines)
        out = run("fish", "--no-config", "-c", f"source {DATA}/ringcastctl.fish{script}",
                  env=self.env, cwd=self.folder)
        return [{s.split("\t")[0] for s in part.splitlines()}
                for part in out.split("END\n")[:-1]]


class Zsh(Shell):
    """zsh, which completes only on a terminal: type there, list the matches, read the screen."""

    def __init__(self, folder):
        super().__init__(folder)
        self.pending = ""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, env=self.env,
            cwd=folder, start_new_session=True)
        os.close(slave)
        self.type(f"PS1='READY>'; fpath=({DATA} $fpath); autoload -Uz compinit; "
                  "compinit -u -D; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; "
                  "setopt no_always_last_prompt no_beep; bindkey '^X' list-choices; "
                  "bindkey '^G' send-break; stty cols 200; print CONFIGURED\n")
        self.read_until("\nCONFIGURED")
        self.read_until("READY>")

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, text, seconds=20):
        """Returns the output up to the text; the rest stays for the next call."""
        deadline = time.monotonic() + seconds
        while text not in self.pending:
            assert time.monotonic() < deadline, f"no {text!r}: {self.pending!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                got = os.read(self.master, 65536).decode(errors="replace")
                self.pending += got.replace("\r", "")
        before, _, self.pending = self.pending.partition(text)
        return before

    def complete(self, line):
        # the next command prints the mark, which ends the list
        self.type(line + "\x18")
        self.type("\x07print MAR''K\n")
        got = self.read_until("\nMARK")
        self.read_until("READY>")
        got = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", got).replace(line.strip(), "")
        return set(got.split())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def check(kind):
    """Check the completions that every shell must offer."""
    with temporary() as folder:
        shell = kind(folder)
        try:
            open(os.path.join(folder, "some-file"), "w", encoding="utf-8").close()
            cases = (
                ("ringcastctl ", {"show", "reload", "log", "version"}, {"groups", "mfc"}),
                ("ringcastctl show ", {"groups", "mfc", "interfaces"}, {"reload", "show"}),
                ("ringcastctl --json show ", {"groups", "mfc"}, {"reload"}),
                ("ringcastctl log ", {"debug", "notice", "error"}, {"reload"}),
                ("ringcastctl help show ", {"groups", "mfc"}, {"reload"}),
                ("ringcastctl --", {"--json", "--socket"},
                 {"reload", "--from", "--openmetrics", "--once"}),
                ("ringcastctl watch --sort ", {"rate", "members"}, {"reload"}),
                ("ringcastctl -s ", {"some-file"}, {"239.1.2.3"}),
                *more())
            offers = shell.complete_all([line for line, _, _ in cases])
            for (line, wanted, unwanted), offered in zip(cases, offers, strict=True):
                assert wanted <= offered, f"{line!r}: {sorted(wanted - offered)} of {offered}"
                assert not unwanted & offered, f"{line!r}: {sorted(unwanted & offered)}"
        finally:
            getattr(shell, "close", lambda: None)()
            shell.server.sock.close()


def more():
    """Returns cases of commands with arguments of their own."""
    lines = run(program("ringcastctl"), "--help")
    if re.search(r"^  explain", lines, re.M):
        yield "ringcastctl explain ", {"239.1.2.3"}, {"reload"}
        yield "ringcastctl explain 239.1.2.3 --from ", {"wan", "lan1"}, {"239.1.2.3"}
    if re.search(r"^  convert", lines, re.M):
        yield "ringcastctl convert --from ", {"improxy", "vyos", "openwrt"}, {"lan1"}
    if re.search(r"^  quality", lines, re.M):
        yield "ringcastctl quality ", {"239.1.2.3", "wan"}, {"reload"}
    if re.search(r"^  capture", lines, re.M):
        yield "ringcastctl capture --", {"--filter", "--data"}, {"--version"}
        yield "ringcastctl capture -i ", {"wan", "lan1"}, {"239.1.2.3"}
    if re.search(r"^  show groups detail", run(program("ringcastctl"), "show", "--help"), re.M):
        yield "ringcastctl show groups ", {"detail", "239.1.2.3", "lan1"}, {"mfc"}
        yield "ringcastctl show groups detail ", {"239.1.2.3", "lan1"}, {"reload"}
        yield "ringcastctl show mfc ", {"239.1.2.3", "wan"}, {"reload", "detail"}
        yield "ringcastctl monitor --only ", {"stream", "refused"}, {"lan1", "some-file"}
        yield "ringcastctl monitor ", {"239.1.2.3", "lan1"}, {"reload"}
        yield "ringcastctl show interfaces ", {"wan", "lan1"}, {"239.1.2.3"}
        yield "ringcastctl show mfc --", {"--wide", "--no-header", "--pretty"}, {"--sort"}


@case("bash")
def bash():
    need("bash")
    check(Bash)


@case("zsh")
def zsh():
    need("zsh")
    check(Zsh)


@case("fish")
def fish():
    path = need("fish")
    if subprocess.run([path, "--no-config", "-c", "true"], capture_output=True,
                      check=False).returncode:
        raise Skip("this fish knows no --no-config")
    check(Fish)


if __name__ == "__main__":
    main()
