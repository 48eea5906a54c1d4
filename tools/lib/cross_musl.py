# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a root with libraries for static programs with musl, for tools/cross and tools/release.

Debian has musl for nearly each processor, and options with which gcc uses it, but no libraries built
with it. Therefore they are built from Debian's source packages, with Debian's patches, as archives
only.
For another processor, musl and the kernel's headers are packages that are unpacked into the root,
and Debian's cross compiler uses the same options. Everything is below build/cross; nothing is
installed."""

import collections
import glob
import os
import re
import shutil
import subprocess

import cross_root
from cross_root import CROSS, Missing, run

SOURCE = os.path.join(CROSS, "source")   # has a folder for each library
WORK = os.path.join(CROSS, "musl-libraries")
# -flto adds the code for link-time optimization to the usual one
FLAGS = "-Os -g -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong " \
    "-fno-unwind-tables -fno-asynchronous-unwind-tables -flto -ffat-lto-objects"
# glibc's headers define this, and cmocka.h knows of no other way to recognize 64 bits on processors
# other than x86
WORDSIZE = "-D__WORDSIZE=(__SIZEOF_POINTER__*8)"
# make would run these programs again for files that Debian has patched
GENERATORS = "ACLOCAL", "AUTOCONF", "AUTOMAKE", "AUTOHEADER", "MAKEINFO"

# package is the source package, how the build system, options are for that system, make runs in
# folders, and once more to install in `installs`, if that is another folder. "inside" is a script
# that configures the source's own folder, and options are for make.
Library = collections.namedtuple("Library", "package how options folders installs",
                                 defaults=[(".",), ()])
NEEDED = (
    Library("liburcu", "configure", (), ("include", "src")),   # not its many tests
    Library("libmnl", "configure", ()),
    Library("libcap-ng", "configure", ("--without-python", "--without-python3")),
    Library("libpcap", "cmake", ("-DBUILD_WITH_LIBNL=OFF", "-DDISABLE_DBUS=ON",
                                 "-DDISABLE_RDMA=ON", "-DDISABLE_BLUETOOTH=ON")),
    Library("jansson", "cmake", ("-DJANSSON_BUILD_DOCS=OFF", "-DJANSSON_EXAMPLES=OFF",
                                 "-DJANSSON_WITHOUT_TESTS=ON")),
    Library("cmocka", "cmake", ("-DWITH_STATIC_LIB=ON", "-DWITH_EXAMPLES=OFF")),
)
# for the optional features; systemd's and ncurses' libraries are of no use in a static program
OPTIONAL = (
    Library("liburing", "inside", ("ENABLE_SHARED=0",), ("src",), (".",)),   # not its tests
    Library("libmicrohttpd", "configure", ("--disable-https", "--disable-doc",
                                           "--disable-examples", "--disable-curl")),
    Library("libseccomp", "configure", ()),
)
PACKAGES = "musl-dev", "linux-libc-dev"
# processors for which Debian has a compiler and no packages, so musl is also built
NO_PORT = ("mips",)
# program -> package
TOOLS = {"make": "make", "cmake": "cmake", "flex": "flex", "bison": "bison",
         "dpkg-source": "dpkg-dev", "pkg-config": "pkgconf"}
OPTIONAL_TOOLS = {"gperf": "gperf"}


# where musl's files are: prefix is that of gcc's programs, or empty for this machine's gcc; arch is
# Debian's name of the processor; multiarch names the folder of its headers
Machine = collections.namedtuple("Machine", "prefix arch multiarch")


def this_machine():
    return Machine("", "", run(["gcc", "-print-multiarch"]).strip())


def specs(text, root, place):
    """Returns the options with which gcc makes static, position-independent programs with musl.

    `text` is Debian's file for musl-gcc, which lacks the start file and the linker's options for
    that. Its paths are those of an installed musl; here musl is below `place`, which is "" if it
    is installed. Libraries are below `root`."""
    text = re.sub(r"/usr/(lib|include)/", rf"{place}/usr/\1/", text)
    text = text.replace("-isystem include%s",
                        f"-isystem {root}/usr/include -isystem include%s {WORDSIZE}")
    text = text.replace("/Scrt1.o", "/rcrt1.o")
    text = text.replace("*link_libgcc:\n", f"*link_libgcc:\n-L{root}/usr/lib ")
    head, _, tail = text.partition("*link:\n")
    # on ARM, libgcc and libc need each other
    return (f"{head}*link_gcc_c_sequence:\n--start-group %G %L --end-group\n\n"
            "*link:\n-static -pie --no-dynamic-linker -z text -nostdlib\n"
            + tail.partition("\n")[2])


def write_specs(root, place):
    found = glob.glob(f"{place}/usr/lib/*-linux-musl*/musl-gcc.specs")
    if not found:
        raise Missing("musl-gcc.specs is not installed (package musl-dev)")
    with open(found[0], encoding="utf-8") as f:
        text = specs(f.read(), root, place)
    with open(os.path.join(root, "musl.specs"), "w", encoding="utf-8") as f:
        f.write(text)


def compiler(root, prefix):
    return [f"{prefix}gcc", f"-specs={root}/musl.specs"]


def installed_headers(root, there, asm, package):
    """Link the kernel's headers, which are installed in `there`, because musl has none."""
    include = os.path.join(root, "usr", "include")
    os.makedirs(include, exist_ok=True)
    for name, path in (("linux", "linux"), ("asm-generic", "asm-generic"), ("asm", asm)):
        if not os.path.isdir(f"{there}/{path}"):
            raise Missing(f"{there}/{path} is missing (package {package})")
        os.symlink(f"{there}/{path}", os.path.join(include, name))


def unpacked_headers(root, machine):
    """Unpack musl and the kernel's headers of another processor. musl-dev depends on a compiler
    that runs there, which is of no use here."""
    os.makedirs(root)
    for deb in cross_root.Apt(machine.arch).only(PACKAGES):
        cross_root.unpack(deb, root)
    os.symlink(f"{machine.multiarch}/asm", os.path.join(root, "usr", "include", "asm"))


def clean_environment():
    """Returns the environment without options that are for programs of this machine."""
    return {k: v for k, v in os.environ.items() if k not in ("LDFLAGS", "CPPFLAGS", "CPATH")}


def build_musl(root, machine):
    """Build musl for a processor that Debian has only a compiler for, with the layout of Debian's
    packages."""
    folder = machine.multiarch.replace("-gnu", "-musl")
    work = os.path.join(WORK, os.path.basename(root), "musl")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    env = {**clean_environment(), "CC": f"{machine.prefix}gcc", "CFLAGS": "-Os -g",
           "DESTDIR": root}
    run([os.path.join(source_of("musl"), "configure"), f"--target={machine.prefix[:-1]}",
         "--prefix=/usr", f"--libdir=/usr/lib/{folder}", f"--includedir=/usr/include/{folder}",
         "--disable-shared", "--enable-wrapper=gcc"], env=env, cwd=work)
    run(["make", f"-j{os.cpu_count()}"], env=env, cwd=work)
    run(["make", "install"], env=env, cwd=work)
    installed_headers(root, f"/usr/{machine.prefix[:-1]}/include", "asm",
                      f"linux-libc-dev-{machine.arch}-cross")


def source_of(package):
    """Returns the unpacked source: Debian's, or a tarball that was put into SOURCE by hand."""
    folder = os.path.join(SOURCE, package)
    stamp = os.path.join(folder, ".unpacked")
    if not os.path.exists(stamp):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        given = glob.glob(f"{SOURCE}/{package}[-_]*.tar.*")
        if given:
            run(["tar", "-x", "-C", folder, "-f", given[0]])
        else:
            cross_root.Apt("source").source(package, folder)
        if not glob.glob(f"{folder}/*/"):
            raise Missing(f"{given[0] if given else package} has no folder with sources; "
                          f"put a whole tarball there")
        open(stamp, "w", encoding="utf-8").close()
    return glob.glob(f"{folder}/*/")[0]


def cmake_for(root):
    """Returns the options with which cmake builds for another processor."""
    modes = [f"-DCMAKE_FIND_ROOT_PATH_MODE_{what}=ONLY"
             for what in ("LIBRARY", "INCLUDE", "PACKAGE")]
    return ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_FIND_ROOT_PATH={root}", *modes,
            "-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER"]


def install(library, root, prefix):
    """Build one library as an archive, and install it below the root."""
    source = source_of(library.package)
    work = os.path.join(WORK, os.path.basename(root), library.package)
    shutil.rmtree(work, ignore_errors=True)
    if library.how == "inside":
        shutil.copytree(source, work)
    os.makedirs(work, exist_ok=True)
    env = clean_environment()
    env.update({name: ":" for name in GENERATORS}, CC=" ".join(compiler(root, prefix)),
               CFLAGS=FLAGS, PKG_CONFIG_LIBDIR=f"{root}/usr/lib/pkgconfig", PKG_CONFIG_SYSROOT_DIR=root,
               DESTDIR=root)
    make = ["make", f"-j{os.cpu_count()}"]
    if library.how == "cmake":
        run(["cmake", "-S", source, "-B", work, "-DCMAKE_INSTALL_PREFIX=/usr",
             "-DCMAKE_INSTALL_LIBDIR=lib", "-DBUILD_SHARED_LIBS=OFF",
             *(cmake_for(root) if prefix else ()), *library.options], env=env)
    elif library.how == "inside":
        run(["./configure", "--prefix=/usr", f"--cc={env['CC']}"], env=env, cwd=work)
        make += library.options
    else:
        host = [f"--host={prefix[:-1]}"] if prefix else []
        run([os.path.join(source, "configure"), "--prefix=/usr", "--disable-shared",
             "--enable-static", *host, *library.options], env=env, cwd=work)
    for folder in library.folders:
        run([*make, "-C", folder], env=env, cwd=work)
    for folder in library.installs or library.folders:
        run([*make, "-j1", "-C", folder, "install"], env=env, cwd=work)
    only_archives(os.path.join(root, "usr", "lib"))


def only_archives(lib):
    """Remove libtool's files, which refer to this machine, and shared libraries, which the linker
    would prefer."""
    for path in glob.glob(f"{lib}/*.so*") + glob.glob(f"{lib}/*.la"):
        os.unlink(path)
    for path in glob.glob(f"{lib}/*-static.a"):
        os.rename(path, path.replace("-static.a", ".a"))


def make_root(root, machine, optional):
    """Make a root with musl's compiler options, kernel headers and libraries; `optional` chooses
    whether it has those for the optional features."""
    stamp = os.path.join(root, ".libraries")
    libraries = NEEDED + (OPTIONAL if optional else ())
    # another compiler cannot read the code for link-time optimization
    version = run([f"{machine.prefix}gcc", "-dumpfullversion"])
    wanted = repr((FLAGS, WORDSIZE, version, libraries))
    if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == wanted:
        return
    tools = {**TOOLS, **(OPTIONAL_TOOLS if optional else {})}
    for program, package in tools.items():
        if not shutil.which(program):
            raise Missing(f"{program} is not installed (package {package})")
    shutil.rmtree(root, ignore_errors=True)
    if machine.arch in NO_PORT:
        build_musl(root, machine)
    elif machine.prefix:
        unpacked_headers(root, machine)
    else:
        installed_headers(root, "/usr/include", f"{machine.multiarch}/asm", "linux-libc-dev")
    write_specs(root, root if machine.prefix else "")
    for library in libraries:
        print(f"building {library.package}", flush=True)
        install(library, root, machine.prefix)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write(wanted)
