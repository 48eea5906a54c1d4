# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the cases of this folder's tests: @case("what holds"), then main(). Prints TAP."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("RINGCAST_BUILD", os.path.join(ROOT, "build"))

# tools whose package has another name
PACKAGES = {"dpkg-query": "dpkg", "docker": "docker.io", "nix-instantiate": "nix-bin",
            "node": "nodejs", "systemd-analyze": "systemd"}

_cases = []


class Skip(Exception):
    """This case cannot run here; the text gives the reason."""


def case(name):
    def register(function):
        _cases.append((name, function))
        return function
    return register


def program(name):
    """Returns the path of a program that was built."""
    for folder in ("src", "tools"):
        path = os.path.join(BUILD, folder, name)
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"{name} is not built in {BUILD}")


def need(tool):
    """Returns the path of a tool that is not part of the project; without the tool, the case is
    skipped."""
    path = shutil.which(tool)
    if not path:
        raise Skip(f"{tool} is not installed (package {PACKAGES.get(tool, tool)})")
    return path


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def run(*cmd, status=0, **kw):
    """Run a command and return its standard output. A status other than expected is a failure."""
    r = subprocess.run(cmd, capture_output=True, text=True, check=False, **kw)
    assert status is None or r.returncode == status, \
        f"{' '.join(cmd)}: status {r.returncode}\n{r.stdout}{r.stderr}"
    return r.stdout


def temporary():
    return tempfile.TemporaryDirectory(prefix="ringcast-")


class OpenWrt:
    """A router's files below a folder, including the init script. `packages` are files of
    /etc/config."""

    def __init__(self, folder, **packages):
        self.folder = folder
        self.config = os.path.join(folder, "etc", "config")
        self.conf = os.path.join(folder, "var", "etc", "ringcast.conf")
        self.script = os.path.join(folder, "etc", "init.d", "ringcast")
        for path in (self.config, os.path.dirname(self.script)):
            os.makedirs(path)
        for name, text in packages.items():
            self.write(name, text)
        text = text_of(BUILD, "data", "ringcast.init").replace(". /lib/functions/network.sh", ":")
        text = re.sub(r"(/etc/config|/var/etc|/etc/init\.d/igmpproxy running)",
                      folder + r"\1", text)
        with open(self.script, "w", encoding="utf-8") as f:
            f.write(text)

    def write(self, package, text):
        with open(os.path.join(self.config, package), "w", encoding="utf-8") as f:
            f.write(text)

    def call(self, function, networks="wan=eth0.35 lan=br-lan guest=br-guest", status=0):
        """Returns what a function of the script prints, which is what it would tell procd."""
        said = run("sh", os.path.join(ROOT, "tests", "service", "openwrt_stub.sh"), self.script,
                   function, status=status, env=dict(os.environ, UCI_CONFIG_DIR=self.config,
                                                     NETWORKS=networks))
        return said.replace(self.folder, "").splitlines()

    def made(self):
        """Returns the configuration that the script has made."""
        return text_of(self.conf).replace(self.folder, "")


def main():
    print(f"1..{len(_cases)}", flush=True)
    failed = 0
    for i, (name, function) in enumerate(_cases, 1):
        skip, notes = "", []
        try:
            notes = function() or []
        except Skip as e:
            skip = f" # SKIP {e}"
        except Exception:  # the next case runs whatever this one raises
            failed += 1
            print("not ", end="")
            notes = traceback.format_exc().splitlines()
        print(f"ok {i} - {name}{skip}")
        for line in notes:
            print("# " + line)
    sys.exit(1 if failed else 0)
