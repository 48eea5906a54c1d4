#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""meson install puts everything where distributions expect it, and does not overwrite files that
an administrator has edited."""

import functools
import json
import os
import re

from libservice import BUILD, ROOT, case, main, run, temporary, text_of

PROGRAMS = ["sbin/ringcastd", "bin/ringcastctl", "bin/ringcast-gen", "bin/ringcast-replay"]
AROUND = [
    "lib/systemd/system/ringcast.service",
    "lib/systemd/system/ringcast@.service",
    "lib/sysusers.d/ringcast.conf",
    "share/bash-completion/completions/ringcastctl",
    "share/fish/vendor_completions.d/ringcastctl.fish",
    "share/zsh/site-functions/_ringcastctl",
    "share/man/man1/ringcast-gen.1",
    "share/man/man1/ringcast-replay.1",
    "share/man/man5/ringcast.conf.5",
    "share/man/man8/ringcastctl.8",
    "share/man/man8/ringcast.8",
    "share/man/man8/ringcastd.8",
    "share/doc/ringcast/LICENSE",
    "share/doc/ringcast/README.md",
    "share/doc/ringcast/NEWS.md",
    "share/doc/ringcast/CONTRIBUTING.md",
    "share/doc/ringcast/SECURITY.md",
]


@functools.lru_cache
def options():
    return {o["name"]: o["value"] for o in
            json.loads(run("meson", "introspect", "--buildoptions", BUILD))}


def install(dest):
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
        env=dict(os.environ, DESTDIR=dest))


@functools.lru_cache
def installed():
    """Returns a folder with the installed files, which is made once."""
    folder = temporary()
    install(folder.name)
    return folder


def files_below(top):
    return {os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top) for name in names}


def documents():
    """Returns the files in doc/ of the source tree, without manual pages."""
    return {"share/doc/ringcast/doc/" + name
            for name in files_below(os.path.join(ROOT, "doc"))
            if not name.startswith("man" + os.sep)}


def expected():
    o = options()
    prefix = o["prefix"].lstrip("/")
    conf = os.path.join(o["prefix"], o["sysconfdir"]).lstrip("/")
    files = {os.path.join(prefix, f) for f in {*PROGRAMS, *AROUND} | documents()}
    return files | {conf + "/ringcast.conf", conf + "/default/ringcast"}, conf


@case("all files are installed, and no others")
def everything():
    want, _ = expected()
    have = files_below(installed().name)
    assert have == want, f"missing {sorted(want - have)}, unexpected {sorted(have - want)}"


@case("a configuration that is there stays as it is")
def spared():
    with temporary() as dest:
        conf = os.path.join(dest, expected()[1])
        os.makedirs(conf + "/default")
        for name in ("ringcast.conf", "default/ringcast"):
            with open(os.path.join(conf, name), "w", encoding="utf-8") as f:
                f.write("mine\n")
        install(dest)
        for name in ("ringcast.conf", "default/ringcast"):
            assert text_of(conf, name) == "mine\n", name


@case("the installed files name the paths that were chosen")
def paths():
    dest, prefix = installed().name, options()["prefix"]
    unit = text_of(dest, prefix.lstrip("/"), "lib/systemd/system/ringcast.service")
    assert f"ExecStart={prefix}/sbin/ringcastd " in unit, unit
    assert f" /{expected()[1]}/ringcast.conf\n" in unit, unit
    assert not re.search(r"@[A-Z_]+@", unit), unit


@case("links of the installed documents lead to installed documents")
def links():
    top = os.path.join(installed().name, options()["prefix"].lstrip("/"), "share/doc/ringcast")
    for name in sorted(n for n in files_below(top) if n.endswith(".md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", text_of(top, name)):
            path = os.path.normpath(os.path.join(top, os.path.dirname(name), target))
            inside = os.path.relpath(path, top)
            assert os.path.exists(path) or not inside.startswith("doc/"), \
                f"{name}: {target} is not installed"


if __name__ == "__main__":
    main()
