#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks what tools/release --static prepares for each processor; it compiles nothing."""

import contextlib
import io
import os
import re
import sys
import tempfile

from libservice import ROOT, case, main, text_of

sys.path.insert(0, os.path.join(ROOT, "tools", "lib"))

import cross  # noqa: E402
import cross_musl  # noqa: E402
import release  # noqa: E402

# Debian's name -> musl's name of the processor
FOLDERS = {"armhf": "arm-linux-musleabihf", "armel": "arm-linux-musleabi",
           "i386": "i386-linux-musl", "mipsel": "mipsel-linux-musl",
           "mips": "mips-linux-musl",
           "arm64": "aarch64-linux-musl", "s390x": "s390x-linux-musl"}

# Debian's musl-gcc.specs for one of these folders
SPECS = """%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem /usr/include/{0} -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem /usr/include/{0} -isystem include%s

*link_libgcc:
-L/usr/lib/{0} -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{{!shared: /usr/lib/{0}/Scrt1.o}} /usr/lib/{0}/crti.o crtbeginS.o%s

*endfile:
crtendS.o%s /usr/lib/{0}/crtn.o

*link:
-dynamic-linker /lib/ld-musl.so.1 -nostdlib %{{shared:-shared}} %{{static:-static}}

*esp_link:


"""


def section(text, name):
    return re.search(rf"^\*{name}:\n(.*)$", text, re.M)[1]


def specs_for(processor, place):
    return cross_musl.specs(SPECS.format(FOLDERS[processor]), "/ROOT", place)


def paths(text):
    return re.findall(r"/\S*/\S*[^\s}]", text)


@case("for another processor, gcc takes headers, start files and libraries from its root alone")
def unpacked():
    for processor, folder in FOLDERS.items():
        text = specs_for(processor, "/ROOT")
        outside = [p for p in paths(text) if not p.startswith("/ROOT/usr/")]
        assert not outside, f"{processor}: {outside}"
        headers = f"-nostdinc -isystem /ROOT/usr/include/{folder} -isystem /ROOT/usr/include "
        for name in "cpp_options", "cc1":   # musl's headers are found before the libraries'
            assert headers in section(text, name), section(text, name)
        lib = f"/ROOT/usr/lib/{folder}"
        assert section(text, "link_libgcc") == f"-L/ROOT/usr/lib -L{lib} -L .%s"
        assert section(text, "endfile") == f"crtendS.o%s {lib}/crtn.o"


@case("for this machine's processor, gcc takes the files of the installed musl")
def installed():
    text = specs_for("arm64", "")
    assert section(text, "link_libgcc") == "-L/ROOT/usr/lib -L/usr/lib/aarch64-linux-musl -L .%s"
    assert "-isystem /usr/include/aarch64-linux-musl -isystem /ROOT/usr/include " in \
        section(text, "cc1")


@case("programs are static and position-independent")
def linked():
    for processor, folder in FOLDERS.items():
        text = specs_for(processor, "/ROOT")
        assert section(text, "link") == "-static -pie --no-dynamic-linker -z text -nostdlib"
        # this start file applies the relocations that a dynamic linker would apply
        assert f"/ROOT/usr/lib/{folder}/rcrt1.o" in section(text, "startfile")
        assert "Scrt1.o" not in text
        assert section(text, "link_gcc_c_sequence") == "--start-group %G %L --end-group"


@case("the tools install the compiler of each processor")
def compilers():
    text = text_of(ROOT, "tools/lib/install.sh")
    installed_for = re.search(r'^static_targets="(.*)"$', text, re.M)[1].split()
    assert sorted(installed_for) == \
        sorted(t for t in cross.WITH_MUSL if f"musl-{t}" not in cross.IMPOSSIBLE_MUSL)
    assert sorted(cross.WITH_MUSL) == sorted(FOLDERS)
    for processor in cross.WITH_MUSL:
        package = re.search(rf"^\t{processor}\) echo (\S+)", text, re.M)[1]
        assert package == f"gcc-{cross.WITH_MUSL[processor].triplet}"


@case("a processor without a compiler is skipped with the reason, and the others are tried")
def skipped():
    known, tried, before = release.static_targets(), [], cross.prepare

    def prepare(name, _optional):
        tried.append(name)
        raise cross.Missing(f"no compiler for {name} (package {name}-gcc)")

    out = io.StringIO()
    cross.prepare = prepare
    try:
        with tempfile.TemporaryDirectory() as where, contextlib.redirect_stdout(out):
            count = release.static(where, [], False)
    finally:
        cross.prepare = before
    assert tried == list(known.values())
    assert (count.passed, count.failed, count.skipped) == (0, 0, len(known))
    for processor, name in known.items():
        assert f"SKIP {processor}: no compiler for {name}" in out.getvalue(), out.getvalue()


@case("a target that musl cannot serve is refused before anything is installed or built")
def impossible():
    for name, reason in cross.IMPOSSIBLE_MUSL.items():
        assert name in cross.TARGETS
        try:
            cross.prepare(name, True)
        except cross.Missing as e:
            assert str(e) == reason
        else:
            raise AssertionError(f"{name} is not refused")


if __name__ == "__main__":
    main()
