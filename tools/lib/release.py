# SPDX-License-Identifier: GPL-2.0-or-later
"""Check what a release promises: the same source gives the same bytes wherever and whenever it
is built, the programs are hardened, and what they are made of is written down as SPDX 2.3."""

import argparse
import base64
import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import cross
import cross_root
import run_tests

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("src/ringcastd", "tools/ringcastctl", "tools/ringcast-gen", "tools/ringcast-replay")

# replaces the address and the checksums in the recipes of packaging/, which are in the tarball and
# therefore cannot contain its checksums
ADDRESS = "https://example.org/ringcast"
SUMS = {
    "alpine/APKBUILD": ("SKIP  ", "{sha512}  "),
    "arch/PKGBUILD": ("(SKIP)", "({sha256})"),
    "buildroot/ringcast.hash": ("none  SKIP  ", "sha256  {sha256}  "),
    "nix/package.nix": ("lib.fakeHash", '"sha256-{base64}"'),
    "yocto/ringcast_{version}.bb": ('"SKIP"', '"{sha256}"'),
}


def run(*cmd, cwd=None, env=None):
    r = subprocess.run(cmd, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if r.returncode:
        sys.exit(f"{' '.join(cmd)}: exit status {r.returncode}\n{r.stdout[-4000:]}{r.stderr[-4000:]}")
    return r.stdout


def files_of_tree():
    """Returns the files that git does not ignore; in a tree from a tarball, those outside of
    build directories."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        names = run("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                    "--exclude-standard", cwd=ROOT).split("\0")
        return [f for f in names if f and os.path.isfile(os.path.join(ROOT, f))]
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [b for b in below if b != "__pycache__" and
                    not (folder == ROOT and b.startswith("build"))]
        found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in names]
    return sorted(found)


def export(directory):
    """Copy the tree as it is."""
    files = files_of_tree()
    os.makedirs(directory)
    tar = subprocess.Popen(["tar", "-c", "-C", ROOT, "--null", "-T", "-"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    out = subprocess.Popen(["tar", "-x", "-C", directory], stdin=tar.stdout)
    tar.stdin.write("\0".join(files).encode())
    tar.stdin.close()
    if out.wait() or tar.wait():
        sys.exit("cannot copy the tree")


def build(directory, **env):
    """Build the programs of a release; returns {program: its bytes}."""
    run("meson", "setup", "--buildtype=release", "-Dtests=false", "build", cwd=directory,
        env=dict(os.environ, **env))
    run("ninja", "-C", "build", *PROGRAMS, cwd=directory)
    found = {}
    for p in PROGRAMS:
        with open(os.path.join(directory, "build", p), "rb") as f:
            found[p] = f.read()
    return found


def reproducible(where):
    """Build in two places, with paths of different length, in other languages and time zones."""
    builds = []
    for name, env in (("a", {"TZ": "UTC", "LANG": "C"}),
                      ("a/much/deeper/place/b", {"TZ": "Asia/Tokyo", "LANG": "C.UTF-8"})):
        directory = os.path.join(where, name, "tree")
        export(directory)
        builds.append(build(directory, **env))
    good = True
    for p in PROGRAMS:
        sums = [hashlib.sha256(b[p]).hexdigest() for b in builds]
        same = sums[0] == sums[1]
        good &= same
        print(f"{'same' if same else 'DIFFERENT':9} {sums[0][:32]} {os.path.basename(p)}")
    return good, os.path.join(where, "a", "tree", "build")


def hardening(path):
    """Returns {protection: whether the program has it}."""
    dynamic = run("readelf", "-d", path)
    header = run("readelf", "-h", path)
    program = run("readelf", "-lW", path)
    symbols = run("readelf", "--dyn-syms", "-W", path)
    code = run("objdump", "-d", path) if re.search("X86-64|AArch64", header) else "bti"
    stack = next((x.split() for x in program.splitlines() if "GNU_STACK" in x), None)
    return {
        "position-independent": "Type:" in header and " DYN " in header,
        "read-only relocations": "GNU_RELRO" in program,
        "bound at start": bool(re.search(r"BIND_NOW|FLAGS.*NOW", dynamic)),
        "stack not executable": bool(stack) and "E" not in stack[6],
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified": bool(re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", ""))),
        "branch targets marked": bool(re.search(r"\b(endbr64|bti|paciasp)\b", code)),
        "no RPATH": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
    }


def hardened(build_dir):
    good = True
    for p in PROGRAMS:
        found = hardening(os.path.join(build_dir, p))
        missing = [k for k, v in found.items() if not v]
        good &= not missing
        print(f"{'MISSING' if missing else 'hardened':9} {os.path.basename(p)}: "
              f"{', '.join(missing or found)}")
    return good


def libraries(build_dir):
    """Returns (library, Debian package, version) of all libraries that the programs are linked
    to."""
    found = set()
    for p in PROGRAMS:
        out = run("ldd", os.path.join(build_dir, p))
        for name, path in re.findall(r"^\s*(\S+) => (\S+)", out, re.M):
            r = subprocess.run(["dpkg-query", "-S", os.path.realpath(path)], capture_output=True,
                               text=True, check=False)
            package = r.stdout.split(":")[0] if r.returncode == 0 else None
            version = run("dpkg-query", "-W", "-f", "${Version}", package) if package else None
            found.add((name, package or name, version or "unknown"))
    return sorted(found)


def spdx(build_dir, version):
    """Returns the bill of materials. SOURCE_DATE_EPOCH also makes it reproducible."""
    when = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    packages = [{
        "SPDXID": "SPDXRef-ringcast", "name": "ringcast", "versionInfo": version,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "GPL-2.0-or-later", "licenseDeclared": "GPL-2.0-or-later",
        "copyrightText": "NOASSERTION"}]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                  "relatedSpdxElement": "SPDXRef-ringcast"}]
    seen = set()
    for _, package, release in libraries(build_dir):
        if package in seen:
            continue
        seen.add(package)
        ident = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", package)
        packages.append({
            "SPDXID": ident, "name": package, "versionInfo": release,
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{package}@{release}"}]})
        relations.append({"spdxElementId": "SPDXRef-ringcast",
                          "relationshipType": "DYNAMIC_LINK", "relatedSpdxElement": ident})
    name = f"ringcast-{version}"
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": name, "documentNamespace": f"urn:ringcast:spdx:{name}:{when}",
        "creationInfo": {"created": created, "creators": ["Tool: ringcast tools/release"]},
        "packages": packages, "relationships": relations}


def tarball(where, version):
    """Pack the tree into one file, with the same bytes wherever it is made; returns its path."""
    name = f"ringcast-{version}"
    when = os.environ.get("SOURCE_DATE_EPOCH") or run(
        "git", "-c", "safe.directory=*", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    with tempfile.TemporaryDirectory() as tree:
        export(os.path.join(tree, name))
        tar = subprocess.run(
            ["tar", "-c", "-C", tree, "--sort=name", f"--mtime=@{when}", "--owner=0", "--group=0",
             "--numeric-owner", "--mode=u=rwX,go=rX", "--format=gnu", name],
            check=True, capture_output=True).stdout
    path = os.path.join(where, name + ".tar.xz")
    with open(path, "wb") as f:
        f.write(lzma.compress(tar))
    return path


def sums_of(path):
    with open(path, "rb") as f:
        content = f.read()
    sha256 = hashlib.sha256(content)
    return {"sha256": sha256.hexdigest(), "sha512": hashlib.sha512(content).hexdigest(),
            "base64": base64.b64encode(sha256.digest()).decode()}


def fill(folder, version, values, address):
    """Put the checksums and the address of a tarball into the recipes below `folder`."""
    for name, (placeholder, text) in SUMS.items():
        path = os.path.join(folder, name.format(version=version))
        with open(path, encoding="utf-8") as f:
            recipe = f.read()
        if recipe.count(placeholder) != 1:
            sys.exit(f"{path}: {placeholder} must occur exactly once")
        with open(path, "w", encoding="utf-8") as f:
            f.write(recipe.replace(placeholder, text.format(**values))
                    .replace(ADDRESS, address))


def source(where, address):
    """Make the files to publish: the tarball, and the recipes that fetch it."""
    with open(os.path.join(ROOT, "meson.build"), encoding="utf-8") as f:
        version = re.search(r"version: '([^']+)'", f.read())[1]
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    path = tarball(where, version)
    values = sums_of(path)
    folder = os.path.join(where, "packaging")
    shutil.copytree(os.path.join(ROOT, "packaging"), folder)
    fill(folder, version, values, address)
    print(f"{values['sha256']}  {os.path.relpath(path)}")
    print(f"recipes with its sums, from {address}: {os.path.relpath(folder)}")


def own_processor():
    """Returns Debian's name of this machine's processor."""
    if shutil.which("dpkg"):
        return run("dpkg", "--print-architecture").strip()
    return os.uname().machine


def static_targets():
    """Returns {processor: target of tools/cross} of static programs, this machine's first."""
    own = own_processor()
    return {own: "musl", **{t: f"musl-{t}" for t in cross.WITH_MUSL if t != own}}


# Nothing reads unwind tables: a debugger has its own. No kernel marks branch targets of programs
# on x86, and musl has no shadow stacks.
SMALL = ("-ffunction-sections -fdata-sections -fno-unwind-tables -fno-asynchronous-unwind-tables "
         "-fcf-protection=none -flto-partition=one")


def build_static(name, optional):
    """Build static programs for a target of tools/cross, with or without optional features;
    returns the build directory, or None if the build fails."""
    path, options = cross.prepare(name, optional)
    folder = os.path.join(cross.CROSS, f"{name}-static{'-optional' if optional else ''}")
    setup = ["meson", "setup", "--buildtype=minsize", "-Db_lto=true", "-Dtests=false",
             "--cross-file", path, *options, f"-Dc_args={SMALL}",
             f"-Dc_link_args={SMALL} -Wl,--gc-sections", folder, ROOT]
    shutil.rmtree(folder, ignore_errors=True)
    good = run_tests.command(setup) and run_tests.command(["ninja", "-C", folder, *PROGRAMS])
    return folder if good else None


def fault_of(path, target):
    """Returns what is wrong with a static program, or None. It must at least start."""
    if re.search("NEEDED", run("readelf", "-d", path)) or \
            re.search("INTERP", run("readelf", "-lW", path)):
        return "needs a shared library"
    if "IRELATIV" in run("readelf", "-rW", path):
        return "has functions that are chosen at start (ifunc), which musl does not do"
    start = [] if cross.own_machine(target) else [cross.emulator(target)]
    r = subprocess.run([*start, path, "-V"], capture_output=True, text=True, check=False)
    return None if r.returncode == 0 else f"does not start: status {r.returncode}\n{r.stderr}"


def static_for(processor, name, where, optional, count):
    """Make the programs for one target in a folder of `where`, and print their sizes."""
    try:
        folder = build_static(name, optional)
    except cross.Missing as e:
        run_tests.skip(count, processor, str(e))
        return
    target, sizes, faults = cross.TARGETS[name], [], [] if folder else ["the build fails"]
    there = os.path.join(where, processor)
    shutil.rmtree(there, ignore_errors=True)
    for p in PROGRAMS if folder else ():
        os.makedirs(there, exist_ok=True)
        path = os.path.join(there, os.path.basename(p))
        prefix = "" if name == "musl" else target.triplet
        run(cross_root.tool(prefix, "strip"), "-o", path, os.path.join(folder, p))
        sizes.append(os.path.getsize(path))
        if fault := fault_of(path, target):
            faults.append(f"{os.path.basename(p)} {fault}")
    count.failed += bool(faults)
    count.passed += not faults
    print(row(processor, [f"{n / 1000:.0f}" for n in sizes]) if not faults else
          f"FAIL {processor}: {'; '.join(faults)}", flush=True)


def row(first, cells):
    widths = [len(os.path.basename(p)) for p in PROGRAMS]
    return f"{first:9}" + "".join(f"  {c:>{w}}" for c, w in zip(cells, widths))


def static(where, processors, optional):
    """Make stripped static programs with musl and print how large they are; returns their
    count."""
    count, known = run_tests.Count(), static_targets()
    print(f"static programs in {os.path.relpath(where)}, in KB:\n"
          + row("", [os.path.basename(p) for p in PROGRAMS]), flush=True)
    for processor in processors or known:
        static_for(processor, known[processor], where, optional, count)
    run_tests.cures()
    print(count)
    return count


def main():
    p = argparse.ArgumentParser(prog="tools/release", description=__doc__)
    p.add_argument("--hardening", metavar="BUILD", help="only look at the programs of this build")
    p.add_argument("--sbom", metavar="FILE", help="bill of materials (build/ringcast.spdx.json)")
    p.add_argument("--static", action="store_true", help="only make static programs with musl, "
                   "in build/static; see tools/cross")
    p.add_argument("processor", nargs="*", metavar="PROCESSOR", help="for --static: "
                   f"{', '.join(static_targets())}, or all of them if none is given")
    p.add_argument("--optional", action="store_true", help="for --static: with io_uring, the "
                   "page, metrics by HTTP and the filter of system calls, in build/static-optional")
    p.add_argument("--source", action="store_true", help="only make the tarball of the release in "
                   "build/source, and the recipes of packaging with its sums")
    p.add_argument("--url", default=ADDRESS, help="for --source: where the tarball will be")
    args = p.parse_args()
    unknown = set(args.processor) - set(static_targets())
    if unknown:
        p.error(f"{unknown.pop()} is not a processor of --static")
    if not args.static and (args.processor or args.optional):
        p.error("a processor and --optional take --static")
    if args.source:
        source(os.path.join(ROOT, "build", "source"), args.url)
        return 0
    if args.static:
        where = os.path.join(ROOT, "build", "static-optional" if args.optional else "static")
        made = static(where, args.processor, args.optional)
        return 1 if made.failed or not made.passed else 0
    if args.hardening:
        return 0 if hardened(args.hardening) else 1
    with tempfile.TemporaryDirectory() as where:
        same, build_dir = reproducible(where)
        strong = hardened(build_dir)
        version = run(os.path.join(build_dir, "src/ringcastd"), "-V").split()[-1]
        bill = spdx(build_dir, version)
    path = args.sbom or os.path.join(ROOT, "build", "ringcast.spdx.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(bill, f, indent=1)
        f.write("\n")
    print(f"bill of materials: {os.path.relpath(path)}, {len(bill['packages'])} packages")
    return 0 if same and strong else 1


if __name__ == "__main__":
    sys.exit(main())
