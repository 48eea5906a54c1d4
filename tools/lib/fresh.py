# SPDX-License-Identifier: GPL-2.0-or-later
"""The empty machines of tools/fresh.

debootstrap makes one root for each release, from the mirror that apt uses on this machine. Each
order of commands then gets a new overlay on that root, so that it sees nothing of other orders,
and its own mount and process namespaces. Nothing outside of build/fresh is changed. """

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACE = os.path.join(ROOT, "build", "fresh")
PROMISES = "README.md", os.path.join("doc", "testing.md")
SUITES = ("meson test -C build/gcc --no-rebuild --suite unit --suite golden --suite sim "
          "--suite arch --suite fuzz --suite service --suite tools")
NETNS = "RINGCAST_BUILD=$PWD/build/gcc "


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def from_source():
    """Returns the commands of "From source" in README.md."""
    block = re.search(r"\*\*From source\.\*\*\n\n```sh\n(.*?)```", text_of("README.md"), re.S)[1]
    lines = re.sub(r"\\\n\s*", "", block).splitlines()
    return [line.replace("apt-get install ", "apt-get install -y ")
            for line in lines if not line.startswith("#")]


class Step:
    """A command. Its output must contain `says`; a command that must fail has `fails` instead."""

    def __init__(self, command, says="", fails=""):
        self.command, self.says, self.fails = command, says or fails, bool(fails)

    def judge(self, status, output):
        if bool(status) != self.fails:
            return f"status {status}"
        if not re.search(self.says, output):
            return f"does not say '{self.says}'"
        return "as expected" if self.fails else "ok"


DEMO = Step("tools/demo --seconds 4", "it works")
BENCH = Step("bench/run --case fanout=2 --repeat 1 --seconds 0.05", "ringcastd(.|\n)*took")
UNIT = Step("tools/test --quick --suite unit", r"\d passed, 0 failed")
DEB = Step("tools/deb --try", "lintian: no errors(.|\n)*packages are as they were")

# options for a chroot on an overlay, on which another overlay is impossible
BUILDAH = ('buildah() { command buildah --storage-driver vfs "$@"; }; '
           "export BUILDAH_ISOLATION=chroot; ")


def orders(full):
    """Returns {name: steps}. Each order begins on an empty machine."""
    source = [Step(line) for line in from_source()] + [
        Step("ringcastd -C doc/examples/igmpproxy.conf")]
    return {
        # as in README.md
        "demo first": [DEMO, BENCH, Step("tools/test", "0 failed") if full else UNIT,
                       Step(SUITES), DEB, DEMO],
        "tests first": [UNIT, Step(NETNS + "tests/daemon/test_peers.py", "ok 5 (?!.*SKIP)"),
                        BENCH, DEMO],
        "bench first": [BENCH, DEMO] + source,
        "package first": [
            Step("tools/deb --no-check --try", DEB.says),
            Step("apt-get install -y ./build/deb/ringcast_*.deb && ringcastd -V"),
            Step("man ringcast >/dev/null || ls /usr/share/man/man8/ringcast.8.gz"),
            UNIT, Step(NETNS + "tests/daemon/test_service.py", "ok 1 (?!.*SKIP)"),
            Step("apt-get purge -y ringcast && ! ls /etc/ringcast.conf"), DEMO],
        "from source": source + [DEMO, UNIT],
        # without a registry, this machine becomes the image that Containerfile starts from
        "container": [
            Step("tar -C / --one-file-system --exclude=./src --exclude=./tmp/* -cf /tmp/base.tar ."),
            Step("apt-get install -y --no-install-recommends buildah libcap2-bin"),
            Step(BUILDAH + "buildah commit -q $(c=$(buildah from scratch) && "
                 "buildah add -q $c /tmp/base.tar / >/dev/null && echo $c) debian:12-slim"),
            Step(BUILDAH + "buildah bud --network host --pull-never -t ringcast -f Containerfile ."),
            Step(BUILDAH + "m=$(buildah mount $(buildah from --pull-never ringcast)) && "
                 "getcap $m/usr/sbin/ringcastd && chroot $m ringcastctl -V && "
                 "chroot --userspec=ringcast $m ringcastd -V", r"cap_net_raw=ep(.|\n)*ringcastd")],
        # as in doc/testing.md
        "testing": [
            Step("tools/analyse --only cppcheck", r"\b0 findings"),
            Step("tools/coverage --suite unit", "base"),
            Step("tools/faults --call accept4"),
            Step("tools/test --quick --suite tools", r"\d passed, 0 failed"),
            Step(NETNS + "tests/daemon/test_leave.py quickleave", "ok 1 (?!.*SKIP)"),
            Step(NETNS + "tests/daemon/test_links.py PPP VLAN", r"ok 3 .*VLAN"),
            Step(NETNS + "tests/daemon/test_valgrind.py", "ok 1 "),
            Step("tools/vm uname -r", r"\d+\.\d+"),
            Step("tools/cross --pure s390x", r"\d passed, 0 failed")],
        "fuzz first": [Step("tools/fuzz cost 4"), Step("tools/fuzz text 5", "nothing found"),
                       Step("tools/fuzz --coverage text", "src/base"), DEMO],
        # as in doc/reliability.md
        "release first": [Step("tools/release", r"(?s)same .*hardened .*bill of materials"), DEMO],
        # commands that cannot work must say why and what to do, and install nothing
        "refusals": [
            *(Step(f"{tool} --no-install", fails="python3 is missing: run .* without --no-install")
              for tool in ("tools/demo", "tools/test", "bench/run", "tools/coverage",
                           "tools/analyse", "tools/faults", "tools/fuzz all 5")),
            Step("su nobody -s /bin/sh -c tools/demo", fails="run this with sudo"),
            Step("tools/test --suite nosuch", fails="there is no suite nosuch"),
            Step("tools/demo --seconds 2", fails="4 or more"), Step("! command -v python3")],
        "chroot": [Step("tools/demo", fails="mount --bind ROOT ROOT")],
        # a userland too old for the tools: only the build, and tests without namespaces
        "old": [UNIT, Step(SUITES)],
    }


RELEASES = ("bookworm", "trixie", "bullseye")
# orders for only one release; bullseye has no others
ONLY = {"old": "bullseye", "container": "bookworm"}


def names_for(release, plan):
    return [n for n in plan if ONLY.get(n, release) == release
            and (release != "bullseye" or n in ONLY)]


def output(*cmd):
    return subprocess.run(cmd, check=True, capture_output=True, text=True).stdout


def mirror():
    """Returns the mirror that apt uses on this machine."""
    lines = output("apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)",
                   "Created-By: Packages").splitlines()
    found = [line.split("|")[2] for line in lines if line.startswith("Debian|main|")]
    plain = [uri for uri in found if "security" not in uri]
    if not plain:
        sys.exit("apt has no source of Debian here; name one: tools/fresh --mirror URI")
    return plain[0]


def make_base(release, uri):
    """Make the empty root of a release, or return the existing one."""
    base = os.path.join(PLACE, release)
    if os.path.exists(os.path.join(base, ".complete")):
        return
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(base)
    with open(os.path.join(PLACE, f"{release}.log"), "w", encoding="utf-8") as log:
        subprocess.run(["debootstrap", "--variant=minbase", release, base, uri], check=True,
                       stdout=log, stderr=log)
    # how this machine reaches the mirror
    settings = [line for line in output("apt-config", "dump", "Acquire").splitlines()
                if re.match(r"Acquire::(https?::|Check-)", line)]
    with open(os.path.join(base, "etc/apt/apt.conf.d/99fresh"), "w", encoding="utf-8") as f:
        f.write("\n".join(settings) + "\n")
    with open(os.path.join(base, "etc/dpkg/dpkg.cfg.d/fresh"), "w", encoding="utf-8") as f:
        f.write("force-unsafe-io\n")   # the files do not have to survive a power failure
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        if os.path.exists(name):
            shutil.copy(name, base + name)
    os.mkdir(os.path.join(base, "src"))
    open(os.path.join(base, ".complete"), "w", encoding="utf-8").close()


def copy_tree(to):
    """Copy the files that git knows or would add."""
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"],
                           check=True, capture_output=True).stdout
    tar = subprocess.run(["tar", "-C", ROOT, "--null", "-T", "-", "--ignore-failed-read", "-cf",
                          "-"], check=True, input=names, capture_output=True).stdout
    subprocess.run(["tar", "-C", to, "-xf", "-"], check=True, input=tar)


# {root} is the machine: a mount point, unless the order tests the case that it is not
ENTER = """set -e
{mount}
mount -t proc proc {root}/proc
mount --rbind /sys {root}/sys
mount --rbind /dev {root}/dev
mount -t tmpfs -o mode=755 run {root}/run
cd {root}
exec chroot {root} /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/nonexistent LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    /bin/bash -c "cd /src && $1"
"""


class Machine:
    def __init__(self, release, order):
        self.name = f"{release}-{order.replace(' ', '-')}"
        self.top = os.path.join(PLACE, "run", self.name)
        self.close()
        base, self.root = os.path.join(PLACE, release), os.path.join(self.top, "root")
        if order == "chroot":
            os.makedirs(self.top)
            subprocess.run(["cp", "-a", base, self.root], check=True)
            source, mount = os.path.join(self.root, "src"), "true"
        else:
            for name in ("root", "up/src", "work"):
                os.makedirs(os.path.join(self.top, name))
            source = os.path.join(self.top, "up", "src")
            mount = (f"mount -t overlay overlay -o lowerdir={base},upperdir={self.top}/up,"
                     f"workdir={self.top}/work {self.root}")
        self.script = ENTER.format(root=shlex.quote(self.root), mount=mount)
        copy_tree(source)

    def run(self, command, log):
        """Run a command; returns (exit status, output). The output is also written to the file."""
        with open(log, "w", encoding="utf-8") as f:
            status = subprocess.run(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c",
                 self.script, "bash", command], stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                check=False).returncode
        with open(log, encoding="utf-8", errors="replace") as f:
            return status, f.read()

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


def row(*columns):
    print("{:9} {:14} {:44} {:>5}  {}".format(*columns), flush=True)


def play(release, order, steps, keep):
    """Run the steps one after the other; returns how many failed."""
    machine, bad = Machine(release, order), 0
    for i, step in enumerate(steps, 1):
        log = os.path.join(PLACE, "log", f"{machine.name}-{i}.log")
        start = time.monotonic()
        verdict = step.judge(*machine.run(step.command, log))
        fine = verdict in ("ok", "as expected")
        bad += not fine
        shown = step.command if len(step.command) <= 44 else step.command[:41] + "..."
        row(release, order, shown, f"{time.monotonic() - start:.0f} s",
            verdict if fine else f"{verdict}: {os.path.relpath(log, ROOT)}")
    if not keep:
        machine.close()
    return bad


def forgotten(plan):
    """Returns the programs that the documents tell people to run but no order runs."""
    promised = set(re.findall(r"\b(?:tools|bench)/[a-z]+\b(?!/)", "".join(map(text_of, PROMISES))))
    tried = set(re.findall(r"\b(?:tools|bench)/[a-z]+", " ".join(
        step.command for steps in plan.values() for step in steps)))
    return sorted(p for p in promised - tried - {"tools/fresh"} if os.path.isfile(os.path.join(ROOT, p)))


def main():
    plan = orders(False)
    parser = argparse.ArgumentParser(prog="tools/fresh", description="Run what README.md and "
                                     "doc/testing.md tell people to run, on empty machines.")
    parser.add_argument("--release", action="append", choices=RELEASES,
                        help="only this one (bookworm, trixie, bullseye)")
    parser.add_argument("--order", action="append", choices=list(plan), help="only this order")
    parser.add_argument("--full", action="store_true", help="all of tools/test, in one order")
    parser.add_argument("--keep", action="store_true", help="leave the machines in build/fresh/run")
    parser.add_argument("--mirror", help="of Debian (that of this machine)")
    parser.add_argument("--list", action="store_true", help="say what would run")
    args = parser.parse_args()
    plan = orders(args.full)
    os.makedirs(os.path.join(PLACE, "log"), exist_ok=True)
    bad = 0
    for release in args.release or RELEASES:
        names = [n for n in names_for(release, plan) if n in (args.order or plan)]
        if names and not args.list:
            make_base(release, args.mirror or mirror())
        for name in names:
            if args.list:
                for step in plan[name]:
                    row(release, name, step.command, "", "")
            else:
                bad += play(release, name, plan[name], args.keep)
    for program in forgotten(plan):
        print(f"nobody tries {program}")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
