# SPDX-License-Identifier: GPL-2.0-or-later
"""The AppArmor profile of data/apparmor, loaded under another name, so that the profile of an
installed package is not touched. tools/test unpacks the parser into build/peers; tools/vm has a
kernel with AppArmor."""

import os
import re
import shutil
import subprocess

import lab

UNPACKED = os.path.join(lab.ROOT, "build", "peers")
NAME = "ringcast-test"


def parser():
    """Returns the command of apparmor_parser with its abstractions, or None."""
    path = os.path.join(UNPACKED, "sbin", "apparmor_parser")
    if not os.access(path, os.X_OK):
        path = os.path.join(UNPACKED, "usr", "sbin", "apparmor_parser")
    if os.access(path, os.X_OK):
        return [path, "--config-file", os.devnull, "--base", UNPACKED + "/etc/apparmor.d"]
    path = shutil.which("apparmor_parser")
    return [path] if path else None


def missing():
    """Returns why no profile can be loaded here, or ""."""
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="ascii") as f:
            enabled = f.read().startswith("Y")
    except OSError:
        enabled = False
    if not enabled:
        return "the kernel has no AppArmor, or it is switched off; tools/vm has one that does"
    if not os.path.isdir("/sys/kernel/security/apparmor"):
        return "securityfs is not mounted"
    return "" if parser() else "apparmor_parser is missing (package apparmor)"


def text(build, rules):
    """Returns the profile of a build under our name, with additional rules."""
    with open(os.path.join(build, "data", "ringcastd.apparmor"), encoding="utf-8") as f:
        profile = f.read()
    profile, n = re.subn(r"^profile ringcastd \{$", f"profile {NAME} {{\n{rules}", profile,
                         flags=re.M)
    assert n == 1, profile
    return profile


def load(build, rules):
    subprocess.run(parser() + ["--replace", "--skip-cache"], input=text(build, rules), text=True,
                   check=True, capture_output=True)


def unload(build):
    subprocess.run(parser() + ["--remove", "--skip-cache"], input=text(build, ""), text=True,
                   check=False, capture_output=True)


def denials():
    """Returns the denials that the kernel logged for programs under our profile."""
    said = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout
    return [line for line in said.splitlines()
            if 'apparmor="DENIED"' in line and f'profile="{NAME}"' in line]
