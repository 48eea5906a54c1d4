#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes of packaging/ and their counterparts in debian/ name the version, the licence, the
libraries and the options of meson.build, and files that meson install makes.

The functions of APKBUILD and PKGBUILD run with stubs of abuild-meson and arch-meson, but without
the compiler: its results are taken from this build. RINGCAST_RECIPES=build also runs the compiler,
and the tests that the recipes run.
"""

import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys

from libservice import BUILD, ROOT, Skip, case, main, need, run, temporary, text_of

sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tools", "lib"))
import apparmor  # noqa: E402
import release  # noqa: E402

FOLDER = os.path.join(ROOT, "packaging")
UNPACKED = os.path.join(ROOT, "build", "peers")
FULL = os.environ.get("RINGCAST_RECIPES") == "build"
# library that meson.build requires -> its package in Alpine, Arch, Nix, Buildroot and Yocto
SYSTEMS = ("alpine", "arch", "nix", "buildroot", "yocto")
PACKAGES = {
    "libpcap": ("libpcap-dev", "libpcap", "libpcap", "libpcap", "libpcap"),
    "liburcu-qsbr": ("userspace-rcu-dev", "liburcu", "liburcu", "liburcu", "liburcu"),
    "libmnl": ("libmnl-dev", "libmnl", "libmnl", "libmnl", "libmnl"),
    "jansson": ("jansson-dev", "jansson", "jansson", "jansson", "jansson"),
    "libcap-ng": ("libcap-ng-dev", "libcap-ng", "libcap_ng", "libcap-ng", "libcap-ng"),
    "liburing": ("liburing-dev", "liburing", "liburing", "liburing", "liburing"),
    "libsystemd": (None, "systemd-libs", "systemd", "systemd", "systemd"),
    "libmicrohttpd": ("libmicrohttpd-dev",) + ("libmicrohttpd",) * 4,
    "libseccomp": ("libseccomp-dev",) + ("libseccomp",) * 4,
    "ncursesw": ("ncurses-dev", "ncurses", "ncurses", "ncurses", "ncurses"),
}
# packages other than libraries
TOOLS = {"alpine": {"meson", "linux-headers"}, "arch": {"meson", "cmocka", "glibc"},
         "nix": {"meson", "ninja", "pkg-config", "python3"}, "buildroot": {"host-pkgconf"},
         "yocto": set()}
# options of meson itself, which every build has
BUILTIN = {"b_ndebug", "b_pie", "buildtype", "prefix", "strip", "sysconfdir"}


def recipe(name):
    return text_of(FOLDER, name)


def release_of(field):
    """Returns the version or license of the project."""
    return re.search(rf"^    {field}: '([^']+)'", text_of(ROOT, "meson.build"), re.M)[1]


def yocto_file():
    return f"yocto/ringcast_{release_of('version')}.bb"


RECIPES = {"alpine": "alpine/APKBUILD", "arch": "arch/PKGBUILD", "nix": "nix/package.nix",
           "buildroot": "buildroot/ringcast.mk", "yocto": yocto_file()}


def dependencies():
    """Returns [(library, option that it belongs to, or None)] of meson.build."""
    found = re.findall(r"^dep_\w+ = .*?\bdependency\('([\w-]+)'(?:.*get_option\('(\w+)'\))?",
                       text_of(ROOT, "meson.build"), re.M)
    return [(name, option or None) for name, option in found if name != "threads"]


def value_of(text, name):
    """Returns a variable of a shell script, quoted or a list in brackets."""
    return re.search(rf"^{name}=[\"'(]?([^\"')]*)", text, re.M)[1]


@functools.lru_cache
def options():
    return {o["name"]: o for o in json.loads(run("meson", "introspect", "--buildoptions", BUILD))}


def tool(name):
    """Returns the path and environment of a program that is installed or only unpacked."""
    env = dict(os.environ)
    for folder in ("usr/bin", "usr/sbin", "sbin"):
        path = os.path.join(UNPACKED, folder, name)
        if os.access(path, os.X_OK):
            libraries = os.path.join(UNPACKED, "usr", "lib")
            env["LD_LIBRARY_PATH"] = f"{libraries}/{os.uname().machine}-linux-gnu:{libraries}/nix"
            return path, env
    return need(name), env


# ---- texts of the recipes ----

@case("all recipes have the version and the licence of meson.build")
def identity():
    version, licence = release_of("version"), release_of("license")
    for name, pattern in {
            "alpine/APKBUILD": r"^pkgver=(.*)$", "arch/PKGBUILD": r"^pkgver=(.*)$",
            "nix/package.nix": r'^  version = "(.*)";$',
            "buildroot/ringcast.mk": r"^RINGCAST_VERSION = (.*)$",
            "buildroot/ringcast.hash": r"ringcast-(.*)\.tar\.xz$"}.items():
        assert re.findall(pattern, recipe(name), re.M) == [version], name
    assert text_of(ROOT, "debian", "changelog").startswith(f"ringcast ({version}-")
    assert licence == "GPL-2.0-or-later"
    for name, said in {
            "alpine/APKBUILD": f'license="{licence}"', "arch/PKGBUILD": f"license=({licence})",
            "nix/package.nix": "license = lib.licenses.gpl2Plus;",
            "buildroot/ringcast.mk": "RINGCAST_LICENSE = GPL-2.0+",
            yocto_file(): f'LICENSE = "{licence}"'}.items():
        assert said in recipe(name).replace("  ", " "), name


@case("the sums of LICENSE that recipes have are right")
def licence_sums():
    with open(os.path.join(ROOT, "LICENSE"), "rb") as f:
        content = f.read()
    assert hashlib.sha256(content).hexdigest() + "  LICENSE" in recipe("buildroot/ringcast.hash")
    assert "LICENSE;md5=" + hashlib.md5(content).hexdigest() in recipe(yocto_file())


def named(system):
    """Returns the packages that a recipe names."""
    text = recipe(RECIPES[system])
    if system == "alpine":
        return set(value_of(text, "makedepends").split())
    if system == "arch":
        return set((value_of(text, "depends") + " " + value_of(text, "makedepends")).split())
    if system == "nix":
        return {word for which in ("nativeBuildInputs", "buildInputs") for word in
                re.search(rf"{which} = \[(.*?)\]", text, re.S)[1].split()}
    if system == "buildroot":
        return {word for line in re.findall(r"^RINGCAST_DEPENDENCIES \+?= (.*)$", text, re.M)
                for word in line.split()}
    return {*re.search(r'^DEPENDS = "(.*)"$', text, re.M)[1].split(),
            *re.findall(r'^PACKAGECONFIG\[\w+\] = ".*,(.*)"$', text, re.M)}


@case("each recipe names the package of each library, and no other")
def libraries():
    assert {name for name, _ in dependencies()} == set(PACKAGES)
    for i, system in enumerate(SYSTEMS):
        want = {names[i] for names in PACKAGES.values() if names[i]} | TOOLS[system]
        assert named(system) == want, f"{system}: {sorted(named(system) ^ want)}"


@case("the function of package.nix takes what it uses")
def nix_arguments():
    head, body = recipe("nix/package.nix").split("}:", 1)
    taken = set(re.findall(r"^  ([\w-]+),$", head, re.M))
    assert taken == named("nix") | {"lib", "stdenv", "fetchurl"}
    for name in taken:
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", body), name


@case("the menu of Buildroot selects the libraries that are always needed")
def buildroot_menu():
    selected = set(re.findall(r"select BR2_PACKAGE_(\w+)", recipe("buildroot/Config.in")))
    always = {PACKAGES[name][3] for name, option in dependencies() if not option}
    assert selected == {name.upper().replace("-", "_") for name in always}


def given_options():
    """Returns (file, option, value) of all recipes, debian/rules and the container."""
    texts = {name: recipe(name) for name in RECIPES.values()}
    texts["debian/rules"] = text_of(ROOT, "debian", "rules")
    texts["Containerfile"] = text_of(ROOT, "Containerfile")
    return [(name, option, value) for name, text in texts.items()
            for option, value in re.findall(r"-D(\w+)=([^\s,;'\"\\]*)", text)]


@case("options that recipes give exist, with such values")
def known_options():
    own = set(re.findall(r"^option\('(\w+)'", text_of(ROOT, "meson_options.txt"), re.M))
    for name, option, value in given_options():
        where = f"{name}: -D{option}={value}"
        assert option in own | BUILTIN, where
        known = options()[option]
        if known["type"] == "boolean":
            assert value in ("true", "false", "$(tests)", ""), where
        elif known["type"] == "array":
            assert value == "[]" or value in known["choices"], where
        elif "choices" in known:
            assert value in known["choices"], where
    # each recipe enables and disables every optional library
    for system in ("buildroot", "yocto"):
        said = {(o, v) for n, o, v in given_options() if n == RECIPES[system]}
        assert {(o, v) for _, o in dependencies() if o
                for v in ("enabled", "disabled")} <= said, system


# ---- linters

@case("shellcheck finds nothing")
def shellcheck():
    checker = need("shellcheck")
    for name in ("alpine/APKBUILD", "alpine/ringcast.pre-install", "arch/PKGBUILD",
                 "buildroot/S80ringcast"):
        run(checker, os.path.join(FOLDER, name))
    run(checker, os.path.join(ROOT, "debian", "tests", "installed"))


@case("nix-instantiate can read package.nix")
def nix_parse():
    path, env = tool("nix-instantiate")
    with temporary() as folder:
        env.update(NIX_STATE_DIR=folder, NIX_STORE_DIR=folder + "/store", NIX_LOG_DIR=folder,
                   NIX_CONF_DIR=folder, HOME=folder)
        out = run(path, "--parse", os.path.join(FOLDER, "nix", "package.nix"), env=env)
    assert 'pname = "ringcast"' in out


@case("makepkg can read PKGBUILD")
def makepkg():
    path, env = tool("makepkg")
    env["PACMAN"] = "true"   # makepkg requires pacman, but does not call it
    if path.startswith(UNPACKED):
        library = UNPACKED + "/usr/share/makepkg"   # pacman 7 has another name for it
        env.update(LIBRARY=library, MAKEPKG_LIBRARY=library,
                   MAKEPKG_CONF=UNPACKED + "/etc/makepkg.conf")
    # makepkg refuses to run as root
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] \
        if os.geteuid() == 0 else []
    with temporary() as folder:
        os.chmod(folder, 0o777)
        shutil.copyfile(os.path.join(FOLDER, "arch", "PKGBUILD"), folder + "/PKGBUILD")
        out = run(*user, path, "--printsrcinfo", env=env, cwd=folder)
    assert f"\tpkgver = {release_of('version')}\n" in out
    for library in PACKAGES:
        assert f"\tdepends = {PACKAGES[library][1]}\n" in out, library


@case("apparmor_parser accepts the profile, and the unit asks for it")
def profile():
    parser = apparmor.parser()
    if not parser:
        raise Skip("apparmor_parser is missing (package apparmor)")
    path = os.path.join(BUILD, "data", "ringcastd.apparmor")
    run(*parser, "--skip-kernel-load", "--skip-cache", path)
    assert re.search(r"^profile ringcastd \{$", text_of(path), re.M)
    for name in ("ringcast.service", "ringcast@.service"):
        assert "\nAppArmorProfile=-ringcastd\n" in text_of(BUILD, "data", name)


@case("debian/tests names tests that exist, and the program that runs them")
def autopkgtest():
    text = text_of(ROOT, "debian", "tests", "control")
    commands = re.findall(r"^Test-Command: (\S+) ?(.*)$", text, re.M)
    assert len(commands) == len(re.findall(r"^Depends: @, ", text, re.M)) == 3
    for program, words in commands:
        if program.startswith("debian/"):
            assert os.access(os.path.join(ROOT, program), os.X_OK), program
            for name in words.split():
                assert os.path.exists(os.path.join(ROOT, "tests", "daemon", name)), name


@case("debian/watch finds the tarball of a release")
def watch():
    version, line = text_of(ROOT, "debian", "watch").splitlines()
    assert version == "version=4"
    address, pattern = line.split()
    for name, meaning in {"@PACKAGE@": "ringcast", "@ANY_VERSION@": r"[-_]?v?(\d[\-+\.:\~\da-zA-Z]*)",
                          "@ARCHIVE_EXT@": r"(?i)(?:\.(?:tar\.xz|tar\.bz2|tar\.gz|zip|tgz|tbz|txz))"
                          }.items():
        pattern = pattern.replace(name, meaning.replace("(?i)", ""))
    assert address == release.ADDRESS + "/"
    assert re.fullmatch(pattern, "ringcast-10.2.1.tar.xz")[1] == "10.2.1", pattern


@case("tools/release --source leaves no recipe without its sum and address")
def sums():
    with temporary() as folder:
        copy = os.path.join(folder, "packaging")
        shutil.copytree(FOLDER, copy)
        values = {"sha256": "c0ffee", "sha512": "decade", "base64": "Zm9v="}
        release.fill(copy, release_of("version"), values, "https://example.net/there")
        for name in release.SUMS:
            name = name.format(version=release_of("version"))
            text = text_of(copy, name)
            assert any(v in text for v in values.values()), name
            assert not re.search(r"SKIP|fakeHash|example\.org/", text), name


# ---- functions of the recipes ----

STUB = """#!/bin/sh
exec {meson} setup --prefix=/usr --sysconfdir=/etc --buildtype=plain {more} "$@"
"""
# replaces meson: instead of compiling, it copies the results of this build
MESON = """#!{python}
import json, os, shutil, sys
real, build, full = {real!r}, {build!r}, {full}
if sys.argv[1] != "compile" or full:
    os.execv(real, [real] + sys.argv[1:])
out = sys.argv[sys.argv.index("-C") + 1]
with open(os.path.join(build, "meson-info", "intro-installed.json")) as f:
    for path in json.load(f):
        made = os.path.relpath(path, build)
        if not made.startswith("..") and not os.path.exists(os.path.join(out, made)):
            shutil.copy(path, os.path.join(out, made))
"""


def executable(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o755)


def play(folder, name, shell, script, **stubs):
    """Run the functions of a recipe on a copy of the tree; returns what it has packaged, as names
    below the root of the package."""
    if any(f"#define {have} 0" in text_of(BUILD, "build_config.h") for have in (
            "HAVE_LIBURING", "HAVE_LIBSYSTEMD", "HAVE_LIBMICROHTTPD", "HAVE_LIBSECCOMP",
            "HAVE_NCURSES")):
        raise Skip("an optional library that the recipes ask for is not installed")
    tree = os.path.join(folder, f"ringcast-{release_of('version')}")
    shutil.copytree(ROOT, tree, symlinks=True,
                    ignore=lambda at, names: [n for n in names if at == ROOT and
                                              (n.startswith("build") or n == ".git")])
    bin_folder = os.path.join(folder, "bin")
    os.mkdir(bin_folder)
    meson = shutil.which("meson")
    executable(os.path.join(bin_folder, "meson"), MESON.format(
        python=sys.executable, real=meson, build=BUILD, full=FULL))
    for stub, more in stubs.items():
        executable(os.path.join(bin_folder, stub.replace("_", "-")),
                   STUB.format(meson=meson, more=more))
    package = os.path.join(folder, "package")
    run(shell, "-ec", script, shell, os.path.join(FOLDER, name), cwd=folder,
        env=dict(os.environ, PATH=bin_folder + ":" + os.environ["PATH"], srcdir=folder,
                 pkgdir=package, DESTDIR=""))
    return {os.path.relpath(os.path.join(at, f), package)
            for at, _, names in os.walk(package) for f in names}


@functools.lru_cache
def arch_package():
    """Returns (folder, files) of PKGBUILD."""
    folder = temporary()
    script = '. "$1"; cd "$srcdir"; (build); ' + ("(check); " if FULL else "") + "(package)"
    return folder, play(folder.name, "arch/PKGBUILD", "bash", script, arch_meson=(
        "--sbindir=bin --auto-features=enabled --wrap-mode=nodownload "
        + ("" if FULL else "-Dtests=false")))


@case("PKGBUILD: build and package make what it names, in Arch's folders")
def arch():
    folder, files = arch_package()
    text = recipe("arch/PKGBUILD")
    for name in ("ringcastd", "ringcastctl", "ringcast-gen", "ringcast-replay"):
        assert "usr/bin/" + name in files, name
    assert set(value_of(text, "backup").split()) == {f for f in files if f.startswith("etc/")}
    assert {"usr/lib/sysusers.d/ringcast.conf", "usr/lib/systemd/system/ringcast.service",
            "usr/lib/systemd/system/ringcast@.service"} <= files
    unit = text_of(folder.name, "package/usr/lib/systemd/system/ringcast.service")
    assert "\nExecStart=/usr/bin/ringcastd " in unit and " /etc/ringcast.conf\n" in unit


# the files that abuild moves into a subpackage of that kind
MOVES = {"doc": ("usr/share/doc/", "usr/share/man/"), "openrc": ("etc/init.d/", "etc/conf.d/"),
         "bash-completion": ("usr/share/bash-completion/",),
         "fish-completion": ("usr/share/fish/",), "zsh-completion": ("usr/share/zsh/",)}


@case("APKBUILD: build and package make what its subpackages take")
def alpine():
    text = recipe("alpine/APKBUILD")
    kinds = [name.replace("$pkgname-", "") for name in value_of(text, "subpackages").split()]
    assert sorted(kinds) == sorted(MOVES)
    with temporary() as folder:
        # a POSIX shell, like the one of abuild
        script = ('want_check() { %s; }; . "$1"; builddir="$srcdir/$pkgname-$pkgver"; '
                  'cd "$builddir"; (build); %s (package)' % (
                      ("true", "(check);") if FULL else ("false", "")))
        rest = play(folder, "alpine/APKBUILD", "sh", script, abuild_meson="--auto-features=auto")
        start = os.path.join(folder, "package/etc/init.d/ringcast")
        assert os.stat(start).st_mode & stat.S_IXUSR
        assert "command=\"/usr/sbin/ringcastd\"" in text_of(start)
    for kind in kinds:
        taken = {f for f in rest if f.startswith(MOVES[kind])}
        assert taken, f"{kind} would be empty"
        rest -= taken
    assert rest == {"usr/sbin/ringcastd", "usr/bin/ringcastctl", "usr/bin/ringcast-gen",
                    "usr/bin/ringcast-replay", "etc/ringcast.conf"}, sorted(rest)
    return ["compiled and tested as well" if FULL else "with the programs of this build"]


@case("package.nix: its steps leave everything below the package, and programs that read /etc")
def nix():
    text = recipe("nix/package.nix")
    steps = {name: re.search(rf"{name} = ''\n(.*?)  '';", text, re.S)[1]
             for name in ("preInstall", "postInstall")}
    flags = re.findall(r'"(-D\S+)"', text)
    with temporary() as folder:
        out = os.path.join(folder, "store", "ringcast")
        play(folder, "nix/package.nix", "bash", f"""
            export out={out} NIX_BUILD_TOP=$srcdir
            meson setup --prefix=$out --auto-features=enabled {" ".join(flags)} ringcast-* output
            meson compile -C output
            {steps["preInstall"]}
            meson install -C output --no-rebuild
            {steps["postInstall"]}""")
        unit = text_of(out, "lib/systemd/system/ringcast.service")
        assert f"\nExecStart={out}/sbin/ringcastd " in unit and " /etc/ringcast.conf\n" in unit
        for name in ("sbin/ringcastd", "bin/ringcastctl", "etc/ringcast.conf",
                     "share/man/man8/ringcastd.8", "lib/sysusers.d/ringcast.conf"):
            assert os.path.exists(os.path.join(out, name)), name


@case("APKBUILD: the user is there before the files")
def alpine_user():
    text = recipe("alpine/APKBUILD")
    assert value_of(text, "install") == "$pkgname.pre-install"
    assert value_of(text, "pkgusers") == value_of(text, "pkggroups") == "ringcast"
    with temporary() as folder:
        for name in ("addgroup", "adduser"):
            executable(os.path.join(folder, name), f'#!/bin/sh\necho {name} "$@" >&3\n')
        script = os.path.join(FOLDER, "alpine", "ringcast.pre-install")
        out = run("sh", "-c", f"sh {shlex.quote(script)} 3>&1",
                  env=dict(os.environ, PATH=folder + ":" + os.environ["PATH"]))
    assert [line.split()[0] for line in out.splitlines()] == ["addgroup", "adduser"]
    assert all(line.endswith(" ringcast") for line in out.splitlines())


def evaluated(*settings):
    """Returns the options, dependencies and users of ringcast.mk as make evaluates them."""
    rules = "\n".join(settings) + "\nmeson-package =\n" + recipe("buildroot/ringcast.mk") + (
        "$(info $(RINGCAST_CONF_OPTS))\n$(info $(RINGCAST_DEPENDENCIES))\n"
        "$(info $(RINGCAST_USERS))\nall: ;\n")
    out = run(need("make"), "-sf", "-", input=rules).splitlines()
    return out[0].split(), set(out[1].split()), out[2].split()


@case("ringcast.mk: make reads it; a library that is selected is used, another is not")
def buildroot():
    kinds = ("LIBMICROHTTPD", "LIBSECCOMP", "LIBURING", "NCURSES_WCHAR", "SYSTEMD")
    optional = {o for _, o in dependencies() if o}
    given, needs, user = evaluated(*(f"BR2_PACKAGE_{k}=y" for k in kinds), "BR2_INIT_SYSTEMD=y")
    assert {f"-D{o}=enabled" for o in optional} | {"-Dtests=false", "-Dinit=systemd"} == set(given)
    assert needs == named("buildroot") and user[:4] == ["ringcast", "-1", "ringcast", "-1"]
    given, needs, _ = evaluated("BR2_INIT_OPENRC=y")
    assert {f"-D{o}=disabled" for o in optional} | {"-Dtests=false", "-Dinit=openrc"} == set(given)
    assert needs == {"host-pkgconf"} | {PACKAGES[n][3] for n, o in dependencies() if not o}
    assert "-Dinit=[]" in evaluated()[0]


@case("S80ringcast starts the daemon in the foreground with its file, stops and reloads it")
def buildroot_init():
    script = recipe("buildroot/S80ringcast")
    with temporary() as folder:
        for name in ("start-stop-daemon", "ringcastctl", "ringcastd"):
            executable(os.path.join(folder, name), f'#!/bin/sh\necho {name} "$@" >&2\n')
        path = os.path.join(folder, "S80ringcast")
        executable(path, re.sub(r"/usr/s?bin/(ringcast\w+) (-C|reload)", rf"{folder}/\1 \2", script))
        env = dict(os.environ, PATH=folder + ":" + os.environ["PATH"])

        def said(word):
            r = subprocess.run(["sh", path, word], env=env, capture_output=True, text=True,
                               check=False)
            assert r.returncode == 0, r
            return r.stderr.splitlines()
        check, start = said("start")
        assert check == "ringcastd -C /etc/ringcast.conf"
        assert start.startswith("start-stop-daemon -S ") and start.endswith(
            " -x /usr/sbin/ringcastd -- -n /etc/ringcast.conf")
        assert said("stop")[0].startswith("start-stop-daemon -K ")
        assert said("reload") == ["ringcastctl reload"]
        # if the file is refused, the script starts nothing
        executable(os.path.join(folder, "ringcastd"), "#!/bin/sh\nexit 2\n")
        r = subprocess.run(["sh", path, "start"], env=env, capture_output=True, text=True,
                           check=False)
        assert r.returncode == 2 and "start-stop-daemon" not in r.stderr, r


# folders of Yocto, and the files that its classes package by default
YOCTO = {"bindir": "usr/bin", "sysconfdir": "etc", "datadir": "usr/share",
         "nonarch_libdir": "usr/lib", "systemd_system_unitdir": "usr/lib/systemd/system",
         "PN": "ringcast"}
BY_DEFAULT = ("usr/bin/", "usr/sbin/", "etc/", "usr/share/doc/", "usr/share/man/",
              "usr/share/bash-completion/")


@case("the recipe of Yocto: its files exist, and every file belongs to a package")
def yocto():
    _, files = arch_package()
    text = recipe(yocto_file())
    assert re.search(r'^SYSTEMD_SERVICE:\$\{PN\} = "ringcast.service"$', text, re.M)
    assert re.search(r'^USERADD_PARAM:\$\{PN\} = "--system .* ringcast"$', text, re.M)
    for name in ("bash-completion", "meson", "pkgconfig", "systemd", "useradd"):
        assert re.search(rf"^inherit .*\b{name}\b", text, re.M), name
    patterns = [re.sub(r"\$\{(\w+)\}", lambda m: YOCTO[m[1]], word)
                for line in re.findall(r'^(?:CONF)?FILES:\S+ \+?= "(.*)"$', text, re.M)
                for word in line.split()]
    for pattern in patterns:
        assert [f for f in files if f == pattern or f.startswith(pattern + "/")], pattern
    left = [f for f in files if not f.startswith(BY_DEFAULT + tuple(patterns))]
    assert not left, left


if __name__ == "__main__":
    main()
