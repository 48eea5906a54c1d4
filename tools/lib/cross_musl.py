# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a root with libraries for static programs with musl, for tools/cross musl and
tools/release.

Debian has musl and a compiler wrapper for it, but no libraries built with it. Therefore they are
built from Debian's source packages, with Debian's patches, as archives only. Everything is below
build/cross; nothing is installed."""

import collections
import glob
import os
import shutil
import subprocess

import cross_root
from cross_root import CROSS, Missing, run

SOURCE = os.path.join(CROSS, "source")   # has a folder for each library
WORK = os.path.join(CROSS, "musl-libraries")
FLAGS = "-O2 -g -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong"
# make would run these programs again for files that Debian has patched
GENERATORS = "ACLOCAL", "AUTOCONF", "AUTOMAKE", "AUTOHEADER", "MAKEINFO"

# package is the source package, how the build system, options are for that system
Library = collections.namedtuple("Library", "package how options")
NEEDED = (
    Library("liburcu", "configure", ()),
    Library("libmnl", "configure", ()),
    Library("libcap-ng", "configure", ("--without-python", "--without-python3")),
    Library("libpcap", "cmake", ("-DBUILD_WITH_LIBNL=OFF", "-DDISABLE_DBUS=ON",
                                 "-DDISABLE_RDMA=ON", "-DDISABLE_BLUETOOTH=ON")),
    Library("jansson", "cmake", ("-DJANSSON_BUILD_DOCS=OFF", "-DJANSSON_EXAMPLES=OFF",
                                 "-DJANSSON_WITHOUT_TESTS=ON")),
    Library("cmocka", "cmake", ("-DWITH_STATIC_LIB=ON", "-DWITH_EXAMPLES=OFF")),
)
# program -> package
TOOLS = {"make": "make", "cmake": "cmake", "flex": "flex", "bison": "bison",
         "dpkg-source": "dpkg-dev", "pkg-config": "pkgconf"}


def multiarch():
    return run(["gcc", "-print-multiarch"]).strip()


def specs(root):
    """Returns the options with which gcc makes static, position-independent programs with musl.

    Debian's file for musl-gcc lacks the start file and the linker's options for that."""
    found = glob.glob("/usr/lib/*-linux-musl*/musl-gcc.specs")
    if not found:
        raise Missing("musl-gcc is not installed (package musl-tools)")
    with open(found[0], encoding="utf-8") as f:
        text = f.read()
    text = text.replace("-isystem include%s", f"-isystem {root}/usr/include -isystem include%s")
    text = text.replace("/Scrt1.o", "/rcrt1.o")
    text = text.replace("*link_libgcc:\n", f"*link_libgcc:\n-L{root}/usr/lib ")
    head, _, tail = text.partition("*link:\n")
    text = (f"{head}*link:\n-static -pie --no-dynamic-linker -z text -nostdlib\n"
            + tail.partition("\n")[2])
    path = os.path.join(root, "musl.specs")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def compiler(root):
    return ["gcc", f"-specs={root}/musl.specs"]


def kernel_headers(root):
    """Copy the headers of this machine, because musl has none."""
    include = os.path.join(root, "usr", "include")
    os.makedirs(include)
    for name, there in (("linux", "linux"), ("asm-generic", "asm-generic"),
                        ("asm", f"{multiarch()}/asm")):
        if not os.path.isdir(f"/usr/include/{there}"):
            raise Missing(f"/usr/include/{there} is missing (package linux-libc-dev)")
        os.symlink(f"/usr/include/{there}", os.path.join(include, name))


def source_of(library):
    """Returns the unpacked source: Debian's, or a tarball that was put into SOURCE by hand."""
    folder = os.path.join(SOURCE, library.package)
    stamp = os.path.join(folder, ".unpacked")
    if not os.path.exists(stamp):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        given = glob.glob(f"{SOURCE}/{library.package}[-_]*.tar.*")
        if given:
            run(["tar", "-x", "-C", folder, "-f", given[0]])
        else:
            cross_root.Apt("source").source(library.package, folder)
        if not glob.glob(f"{folder}/*/"):
            raise Missing(f"{given[0] if given else library.package} has no folder with sources; "
                          f"put a whole tarball there")
        open(stamp, "w", encoding="utf-8").close()
    return glob.glob(f"{folder}/*/")[0]


def install(library, root):
    """Build one library as an archive, and install it below the root."""
    source = source_of(library)
    work = os.path.join(WORK, library.package)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    env = {k: v for k, v in os.environ.items() if k not in ("LDFLAGS", "CPPFLAGS", "CPATH")}
    env.update({name: ":" for name in GENERATORS}, CC=" ".join(compiler(root)), CFLAGS=FLAGS,
               PKG_CONFIG_LIBDIR=f"{root}/usr/lib/pkgconfig", PKG_CONFIG_SYSROOT_DIR=root,
               DESTDIR=root)
    if library.how == "cmake":
        run(["cmake", "-S", source, "-B", work, "-DCMAKE_INSTALL_PREFIX=/usr",
             "-DCMAKE_INSTALL_LIBDIR=lib", "-DBUILD_SHARED_LIBS=OFF", *library.options], env=env)
    else:
        run([os.path.join(source, "configure"), "--prefix=/usr", "--disable-shared",
             "--enable-static", *library.options], env=env, cwd=work)
    run(["make", f"-j{os.cpu_count()}"], env=env, cwd=work)
    run(["make", "install"], env=env, cwd=work)
    only_archives(os.path.join(root, "usr", "lib"))


def only_archives(lib):
    """Remove libtool's files, which refer to this machine, and shared libraries, which the linker
    would prefer."""
    for path in glob.glob(f"{lib}/*.so*") + glob.glob(f"{lib}/*.la"):
        os.unlink(path)
    for path in glob.glob(f"{lib}/*-static.a"):
        os.rename(path, path.replace("-static.a", ".a"))


def make_root(root):
    """Make a root with musl's compiler options, kernel headers and all libraries."""
    stamp = os.path.join(root, ".libraries")
    wanted = repr((FLAGS, NEEDED))
    if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == wanted:
        return
    for program, package in TOOLS.items():
        if not shutil.which(program):
            raise Missing(f"{program} is not installed (package {package})")
    shutil.rmtree(root, ignore_errors=True)
    kernel_headers(root)
    specs(root)
    for library in NEEDED:
        print(f"building {library.package}", flush=True)
        install(library, root)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write(wanted)
