#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The pure libraries call nothing outside an allow-list: no clock, socket, thread, log.

usage: check-symbols.py NM LIBRARY.a ALLOW_FILE [BASE.a]
       check-symbols.py NM --self-test CC AR

An allow file has one symbol or shell pattern per line, # starts a comment, and
"include FILE" reads another one. A symbol that the library itself or BASE defines is fine.
"""

import fnmatch
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# added by the compiler: sanitizers, coverage, stack protector, position independence
TOOLCHAIN = [
    "__asan_*", "__ubsan_*", "__tsan_*", "__lsan_*", "__msan_*", "__sanitizer_*",
    "__gcov_*", "__llvm_*", "__profc_*", "__cyg_profile_*",
    "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_", "__tls_get_addr",
    "__udivti3", "__umodti3", "__divti3", "__modti3", "__popcountdi2",
]

# why pure code must not use a symbol; the first pattern that matches is reported
REASONS = [
    (r"clock_|time$|gettimeofday|nanosleep|timerfd_|strftime|localtime|gmtime",
     "reads a clock; time is a parameter"),
    (r"socket|bind$|connect$|listen$|accept|send|recv|setsockopt|getsockopt|ioctl|if_",
     "network I/O belongs to an edge"),
    (r"pthread_|thrd_|mtx_|sem_|futex|fork|exec|syscall",
     "threads and system calls belong to an edge"),
    (r"v?f?printf$|puts$|putc|fput|fwrite|perror|stdout|stderr|syslog|log_",
     "pure code neither logs nor prints"),
    (r"random|rand|drand|srand|arc4", "randomness is a parameter (base/rng.h)"),
    (r"getenv|setenv|environ", "pure code does not depend on the environment"),
    (r"f?open|close|read|write|mmap|munmap|poll|epoll|select|unlink|stat",
     "files and descriptors belong to an edge"),
    (r"exit$|signal|raise|kill", "pure code does not end the process"),
]


def read_allow(path):
    patterns = []
    for line in Path(path).read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "include":
            patterns += read_allow(Path(path).parent / words[1])
        else:
            patterns.append(words[0])
    return patterns


def plain_name(symbol):
    """Returns the function of a fortified or versioned name."""
    m = re.fullmatch(r"__(\w+)_chk", symbol)
    if m:
        return m.group(1)
    return re.sub(r"^__isoc(23|99)_", "", symbol)


def matches(symbol, patterns):
    return any(fnmatch.fnmatchcase(symbol, p) for p in patterns)


def reason(symbol):
    for pattern, why in REASONS:
        if re.match(pattern, symbol):
            return why
    return "not on the allow-list"


def symbols(nm, archive):
    """Returns (defined names, [(object, undefined name)])."""
    run = subprocess.run([nm, "-A", "-P", archive], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{nm} {archive}: {run.stderr.strip()}")
    defined, undefined = set(), []
    for line in run.stdout.splitlines():
        m = re.match(r".*?\[([^\]]+)\]: (\S+) (\S)", line)
        if not m:
            continue
        member, name, kind = m.groups()
        if kind == "U":
            undefined.append((Path(member).name, name))
        elif kind not in "wv":
            defined.add(name)
    if run.stdout.strip() and not defined and not undefined:
        sys.exit(f"{nm} {archive}: output in an unknown form")
    return defined, undefined


def check(nm, archive, allow_file, base=None):
    allowed = read_allow(allow_file)
    defined, undefined = symbols(nm, archive)
    if base:
        defined |= symbols(nm, base)[0]
    problems = []
    for member, name in undefined:
        if name in defined or matches(name, TOOLCHAIN):
            continue
        if matches(plain_name(name), allowed) or matches(name, allowed):
            continue
        problems.append(f"{Path(archive).name}({member}): {name}: {reason(plain_name(name))}")
    return len(undefined), problems


# (body, symbol that must be refused, or None)
SAMPLES = [
    ("#include <string.h>\nsize_t f(const char *s) { return strlen(s); }", None),
    ("int g(void); int f(void) { return g(); } int g(void) { return 1; }", None),
    ("#include <time.h>\nlong f(void) { struct timespec t; clock_gettime(1, &t);"
     " return t.tv_sec; }", "clock_gettime"),
    ("#include <sys/socket.h>\nint f(void) { return socket(2, 2, 0); }", "socket"),
    ("#include <stdio.h>\nint f(int i) { return fprintf(stderr, \"%d\", i); }", "fprintf"),
    ("#include <stdlib.h>\nlong f(void) { return random(); }", "random"),
    ("int unheard_of(void); int f(void) { return unheard_of(); }", "unheard_of"),
]


def self_test(nm, cc, ar):
    with tempfile.TemporaryDirectory() as d:
        d = Path(d)
        (d / "base.allow").write_text("memcpy # copies\nsnprintf\n")
        (d / "lib.allow").write_text("include base.allow\nstrlen\n")
        for i, (body, bad) in enumerate(SAMPLES):
            c, o, lib = d / f"s{i}.c", d / f"s{i}.o", d / f"lib{i}.a"
            c.write_text(body + "\n")
            subprocess.run([*cc.split(), "-c", "-O0", "-o", o, c], check=True)
            subprocess.run([ar, "rcs", lib, o], check=True)
            n, problems = check(nm, str(lib), d / "lib.allow")
            if bad is None:
                assert not problems, problems
                continue
            names = [p for p in problems if f": {bad}:" in p and f"(s{i}.o)" in p]
            assert n > 0 and len(names) == 1, (bad, problems)
        # a function that base defines may be called if base is named
        (d / "b.c").write_text("int unheard_of(void); int unheard_of(void) { return 0; }\n")
        subprocess.run([*cc.split(), "-c", "-o", d / "b.o", d / "b.c"], check=True)
        subprocess.run([ar, "rcs", d / "b.a", d / "b.o"], check=True)
        last = str(d / f"lib{len(SAMPLES) - 1}.a")
        assert not check(nm, last, d / "lib.allow", str(d / "b.a"))[1]
    assert plain_name("__memcpy_chk") == "memcpy"
    assert not matches(plain_name("__printf_chk"), ["snprintf"])
    print(f"{len(SAMPLES)} samples judged")
    return 0


def main():
    if len(sys.argv) == 5 and sys.argv[2] == "--self-test":
        return self_test(sys.argv[1], sys.argv[3], sys.argv[4])
    if len(sys.argv) not in (4, 5):
        print(__doc__, file=sys.stderr)
        return 1
    n, problems = check(*sys.argv[1:])
    print("\n".join(problems))
    print(f"{sys.argv[2]}: {n} undefined symbols, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
