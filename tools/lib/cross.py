# SPDX-License-Identifier: GPL-2.0-or-later
"""Build for another machine and run the tests under qemu-user. See tools/cross --help."""

import argparse
import collections
import os
import shutil
import sys
import time

import cross_musl
import cross_root
import run_tests
from cross_root import CROSS, Missing
from run_tests import Count, say

# arch is Debian's name; cpu is family and name in meson
Target = collections.namedtuple("Target", "arch triplet qemu cpu endian")
TARGETS = {
    "armhf": Target("armhf", "arm-linux-gnueabihf", "arm", ("arm", "armv7hl"), "little"),
    "armel": Target("armel", "arm-linux-gnueabi", "arm", ("arm", "armv5te"), "little"),
    "i386": Target("i386", "i686-linux-gnu", "i386", ("x86", "i686"), "little"),
    "mipsel": Target("mipsel", "mipsel-linux-gnu", "mipsel", ("mips", "mips32r2"), "little"),
    "arm64": Target("arm64", "aarch64-linux-gnu", "aarch64", ("aarch64", "armv8-a"), "little"),
    "s390x": Target("s390x", "s390x-linux-gnu", "s390x", ("s390x", "s390x"), "big"),
}
# the same processors, with another C library, and one for which Debian has no libraries; "musl" is
# this machine's
WITH_MUSL = {**TARGETS, "mips": Target("mips", "mips-linux-gnu", "mips", ("mips", "mips32r2"), "big")}
TARGETS.update({f"musl-{name}": target for name, target in WITH_MUSL.items()})
TARGETS["musl"] = next(
    (t for t in TARGETS.values() if t.qemu == os.uname().machine),
    Target("", "", os.uname().machine, (os.uname().machine,) * 2, sys.byteorder))
# targets for which no programs can be made
IMPOSSIBLE_MUSL = {"musl-armel": "libatomic of Debian's compiler has functions that are chosen at "
                   "start (ifunc), which musl does not do"}
# targets whose multiarch directory has another name than the compiler
MULTIARCH = {"i686-linux-gnu": "i386-linux-gnu"}
SUITES = "unit", "sim", "golden"
INSTALLED = "src/ringcastd", "tools/ringcastctl", "tools/ringcast-gen", "tools/ringcast-replay"
# features that an emulator of programs lacks
IMPOSSIBLE = {"callfilter": "qemu-user has no seccomp",
              "transmit": "qemu-user has no PACKET_FANOUT"}
# tests that take minutes in an emulator
SLOW = {"admission", "coalesce", "collect", "config_print", "convert", "fib_memory",
        "fib_property", "flood", "hostile", "instances_state", "refusals", "upstream_pace",
        "upstream_property"}
# folders whose tests use sockets, threads or the kernel (tests/arch/layers.py)
EDGES = "base/log", "control/sys", "control/show", "control/daemon", "dataplane/io", \
    "dataplane/thread"
# other tests that use them
IMPURE = {"fib_torture", "watch"}


def impure():
    """Returns the names of the unit tests of EDGES, and IMPURE."""
    unit = os.path.join(cross_root.ROOT, "tests", "unit")
    return IMPURE | {name[len("test_"):-len(".c")] for folder in EDGES
                     for name in os.listdir(os.path.join(unit, folder))}


def own_machine(target):
    return target.qemu == os.uname().machine


def quoted(words):
    return "[" + ", ".join(f"'{w}'" for w in words) + "]"


def cross_file(path, target, cc, root, pkgconfig, options):
    """Write meson's cross file. It names the options, so that a build with others is set up
    again, see configure()."""
    wrapper = [] if own_machine(target) else [emulator(target), "-L", root]
    tools = {name: cross_root.tool(target.triplet, name) for name in ("ar", "nm", "strip")}
    text = f"# {' '.join(options)}\n[binaries]\n" + f"c = {quoted(cc)}\npkgconfig = 'pkg-config'\n"
    text += "".join(f"{k} = '{v}'\n" for k, v in tools.items())
    if wrapper:
        text += f"exe_wrapper = {quoted(wrapper)}\n"
    text += "[properties]\n"
    text += f"needs_exe_wrapper = {'true' if wrapper else 'false'}\n"
    text += f"pkg_config_libdir = {quoted(pkgconfig)}\n"
    text += f"sys_root = '{root}'\n"
    text += ("[host_machine]\nsystem = 'linux'\n"
             f"cpu_family = '{target.cpu[0]}'\ncpu = '{target.cpu[1]}'\n"
             f"endian = '{target.endian}'\n")
    if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def emulator(target):
    path = os.pathsep.join([os.environ.get("PATH", ""), os.path.join(CROSS, "qemu/usr/bin")])
    found = shutil.which(f"qemu-{target.qemu}-static", path=path) or \
        shutil.which(f"qemu-{target.qemu}", path=path)   # since Debian 13
    if not found:
        raise Missing(f"qemu-{target.qemu}-static is not installed (package qemu-user-static)")
    return found


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            package = f"gcc-{p[:-4]}" if p.endswith("-gcc") else p
            raise Missing(f"{p} is not installed (package {package})")


def is_musl(name):
    return name.partition("-")[0] == "musl"


def prepare_musl(name, optional):
    """Prepare for static programs with musl, as prepare() does."""
    if name in IMPOSSIBLE_MUSL:
        raise Missing(IMPOSSIBLE_MUSL[name])
    need("meson", "ninja", "pkg-config", "apt-get")
    target = TARGETS[name]
    if name == "musl":
        machine = cross_musl.this_machine()
    else:
        need("dpkg-deb", f"{target.triplet}-gcc")
        if not own_machine(target):
            emulator(target)
        machine = cross_musl.Machine(f"{target.triplet}-", target.arch, multiarch(target))
    variant = name + ("" if optional else "-needed")
    root = os.path.join(CROSS, "root", variant)
    cross_musl.make_root(root, machine, optional)
    path = os.path.join(CROSS, f"{variant}.ini")
    options = [] if optional else without_optional()
    cross_file(path, target, cross_musl.compiler(root, machine.prefix), root,
               [f"{root}/usr/lib/pkgconfig"], options)
    return path, options


def multiarch(target):
    return MULTIARCH.get(target.triplet, target.triplet)


def without_optional():
    return [f"-D{o}=disabled" for o in run_tests.OPTIONAL]


def prepare(name, optional):
    """Prepare compiler, libraries and cross file. Returns (cross file, options for meson)."""
    if is_musl(name):
        return prepare_musl(name, optional)
    target = TARGETS[name]
    root = os.path.join(CROSS, "root", name + ("" if optional else "-needed"))
    need("meson", "ninja", "pkg-config", "apt-get", "dpkg-deb")
    if not own_machine(target):
        need(f"{target.triplet}-gcc")
        emulator(target)
    os.makedirs(os.path.join(CROSS, "root"), exist_ok=True)
    names = cross_root.NEEDED + (cross_root.OPTIONAL if optional else ())
    cross_root.from_packages(target.arch, names, root)
    lib = f"{root}/usr/lib/{multiarch(target)}"
    cc = [f"{target.triplet}-gcc", f"--sysroot={root}"]
    pkgconfig = [f"{lib}/pkgconfig", f"{root}/usr/share/pkgconfig"]
    path = os.path.join(CROSS, f"{name}{'' if optional else '-needed'}.ini")
    options = [] if optional else without_optional()
    cross_file(path, target, cc, root, pkgconfig, options)
    return path, options


def configure(folder, path, options):
    ninja = os.path.join(folder, "build.ninja")
    if os.path.exists(ninja) and os.path.getmtime(ninja) > os.path.getmtime(path):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    env = {k: v for k, v in os.environ.items()
           if k not in ("CC", "CFLAGS", "LDFLAGS", "CPPFLAGS", "LIBRARY_PATH", "CPATH")}
    # optimizing libraries again for each test would take long
    return run_tests.command(["meson", "setup", "--werror", "-Dbuildtype=debug",
                              "-Dc_link_args=-fno-lto", "--cross-file", path, *options, folder,
                              cross_root.ROOT], env=env)


def is_pure(suite, name):
    return suite in ("golden", "unit") and name not in impure() and name not in SLOW


def is_chosen(suite, name):
    return suite in SUITES


def programs_of(folder, chosen):
    """Returns the programs that these tests run or pass to a script."""
    targets = run_tests.introspect(folder, "--targets")
    known = {os.path.relpath(f, folder) for t in targets for f in t["filename"]}
    words = {os.path.relpath(os.path.join(folder, word), folder)
             for t in run_tests.introspect(folder, "--tests")
             if chosen(run_tests.suites_of(t)[0], t["name"]) for word in t["cmd"]}
    return sorted(known & words)


def build_for(name, pure, nice=False):
    """Build for a target; returns the build directory. Raises Missing if a tool or package is not
    available."""
    folder = os.path.join(CROSS, name + ("-pure" if pure else ""))
    path, options = prepare(name, not pure)
    if not configure(folder, path, options):
        return None
    programs = []
    if pure:
        programs = programs_of(folder, is_pure)
    elif is_musl(name):   # the other suites replace functions of a shared C library
        programs = [*INSTALLED, *programs_of(folder, is_chosen)]
    return folder if run_tests.command(["ninja", "-C", folder, *programs], nice) else None


def one_target(name, pure, only_build=False):
    """Build for one target and run the tests; returns their count."""
    count, start = Count(), time.monotonic()
    say(f"\n=== {name}: {'pure code' if pure else 'everything'} under qemu-user"
        if not own_machine(TARGETS[name]) else f"\n=== {name}")
    try:
        folder = build_for(name, pure)
    except Missing as e:
        run_tests.skip(count, f"target {name}", str(e))
        return count
    if not folder:
        say(f"FAIL build {name}")
        count.failed += 1
        return count
    say(f"built in {time.monotonic() - start:.0f} s")
    if not only_build:
        os.environ.setdefault("RINGCAST_SHOW_GROUPS", "5000")   # because an emulator is slow
        names, _ = run_tests.selection(folder, is_pure if pure else is_chosen, None)
        for n in sorted(set(names) & set(IMPOSSIBLE)) if not own_machine(TARGETS[name]) else ():
            run_tests.skip(count, n, IMPOSSIBLE[n])
            names.remove(n)
        expected = sum(t["name"] in names for t in run_tests.introspect(folder, "--tests"))
        tests = run_tests.run_tests(folder, names, 10)
        for test in tests:
            count.add(run_tests.count_test(test))
        if len(tests) < expected:
            say(f"FAIL {expected - len(tests)} tests left no result")
            count.failed += expected - len(tests)
    say(f"--- {name}: {count}, {time.monotonic() - start:.0f} s")
    return count


def main():
    parser = argparse.ArgumentParser(prog="tools/cross")
    parser.add_argument("--pure", action="store_true")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("targets", nargs="+", choices=sorted(TARGETS), metavar="TARGET")
    args = parser.parse_args()
    total = Count()
    for name in args.targets:
        total.add(one_target(name, args.pure, args.build))
    say()
    run_tests.cures()
    say(str(total))
    return 1 if total.failed or not (total.passed or args.build) else 0


if __name__ == "__main__":
    sys.exit(main())
