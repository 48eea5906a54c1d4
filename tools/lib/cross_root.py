# SPDX-License-Identifier: GPL-2.0-or-later
"""Libraries of other machines for tools/cross, in directories below build/cross.

Nothing is installed, and the architectures that dpkg knows do not change: apt-get gets a separate
state directory for each architecture and downloads the packages with their dependencies, and their
files are unpacked."""

import glob
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CROSS = os.path.join(ROOT, "build", "cross")
NEEDED = ("libc6-dev", "libpcap-dev", "liburcu-dev", "libmnl-dev", "libjansson-dev",
          "libcap-ng-dev", "libcmocka-dev")
OPTIONAL = ("liburing-dev", "libsystemd-dev", "libmicrohttpd-dev", "libseccomp-dev",
            "libncurses-dev")


class Missing(Exception):
    """Something is not available on this machine; the text says what and why."""


def run(cmd, **kw):
    """Run a command and return its standard output; a failure raises Missing with the end of the
    output."""
    r = subprocess.run(cmd, capture_output=True, text=True, check=False, errors="replace", **kw)
    if r.returncode:
        end = "\n".join((r.stdout + r.stderr).splitlines()[-25:])
        raise Missing(f"{' '.join(cmd[:4])} ... failed with status {r.returncode}\n{end}")
    return r.stdout


class Apt:
    """apt-get for one architecture, with this machine's Debian archives; for "source", the source
    packages."""

    def __init__(self, arch):
        self.dir = os.path.join(CROSS, "apt", arch)
        for d in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.dir, d), exist_ok=True)
        open(os.path.join(self.dir, "status"), "a", encoding="utf-8").close()
        self.kind = "deb-src" if arch == "source" else "deb"
        self.list = os.path.join(self.dir, "sources.list")
        options = {
            "APT::Architecture": arch, "APT::Architectures": arch,
            "APT::Install-Recommends": "false", "Debug::NoLocking": "true",
            "Dir::State": self.dir, "Dir::State::lists": f"{self.dir}/lists",
            "Dir::State::status": f"{self.dir}/status", "Dir::Cache": f"{self.dir}/cache",
            "Dir::Etc::sourcelist": self.list, "Dir::Etc::sourceparts": "-",
            # apt-get would download as another user, who cannot write to build
            "APT::Sandbox::User": ""}
        self.cmd = ["apt-get", "-qq"]
        for key, value in options.items():
            self.cmd += ["-o", f"{key}={value}"]

    def update(self):
        if os.path.exists(self.list):
            return
        archives = run(["apt-get", "indextargets", "--format",
                        "$(ORIGIN)|$(REPO_URI) $(RELEASE) $(COMPONENT)",
                        "Created-By: Packages"]).splitlines()
        archives = sorted({a.partition("|")[2] for a in archives if a.startswith("Debian|")})
        if not archives:
            raise Missing("apt-get knows no archive of Debian: call apt-get update")
        key = "/usr/share/keyrings/debian-archive-keyring.gpg"
        signed = f"[signed-by={key}] " if os.path.exists(key) else ""
        with open(self.list + ".new", "w", encoding="utf-8") as f:
            for a in archives:
                f.write(f"{self.kind} {signed}{a}\n")
        options = ["-o", f"Dir::Etc::sourcelist={self.list}.new"]
        # an archive that is being updated must not prevent the use of others; packages that are
        # missing because of it are reported later
        subprocess.run([*self.cmd, *options, "update"], capture_output=True, check=False)
        os.rename(self.list + ".new", self.list)

    def packages(self, names):
        """Download the packages and their dependencies; returns the files."""
        self.update()
        archives = os.path.join(self.dir, "cache", "archives")
        before = set(glob.glob(f"{archives}/*.deb"))
        run([*self.cmd, "install", "-y", "--download-only", *names])
        return sorted(set(glob.glob(f"{archives}/*.deb")) | before)

    def only(self, names):
        """Download these packages without those that they depend on; returns the files."""
        self.update()
        folder = os.path.join(self.dir, "only")
        os.makedirs(folder, exist_ok=True)
        run([*self.cmd, "download", *names], cwd=folder)
        return [max(glob.glob(f"{folder}/{n}_*.deb"), key=os.path.getmtime) for n in names]

    def source(self, name, folder):
        """Download a source package into a folder, and unpack it there with its patches."""
        self.update()
        run([*self.cmd, "source", name], cwd=folder)


def relative_links(root):
    """Make absolute links relative, because they would lead to files of this machine."""
    for folder, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(folder, name)
            if os.path.islink(path) and os.readlink(path).startswith("/"):
                there = os.path.relpath(root + os.readlink(path), folder)
                os.unlink(path)
                os.symlink(there, path)


def unpack(deb, root):
    """Unpack the files of a package without its documents."""
    tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    run(["tar", "-x", "-C", root, "--keep-directory-symlink", "--no-same-owner",
         "--exclude=./usr/share/doc", "--exclude=./usr/share/locale"], stdin=tar.stdout)
    if tar.wait():
        raise Missing(f"{deb} is broken: remove it and try again")


def from_packages(arch, names, root):
    """Make a root with the files of Debian's packages and of those that they depend on."""
    stamp = os.path.join(root, ".packages")
    if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == " ".join(names):
        return
    shutil.rmtree(root, ignore_errors=True)
    for d in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(root, "usr", d))
        os.symlink(f"usr/{d}", os.path.join(root, d))
    for deb in Apt(arch).packages(names):
        unpack(deb, root)
    relative_links(root)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write(" ".join(names))


def tool(triplet, name):
    """Returns a tool of binutils for that machine."""
    path = f"{triplet}-{name}"
    return path if shutil.which(path) else name
