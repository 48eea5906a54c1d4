#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd units are well formed, and as restricted as doc/service.md says.

tests/daemon/test_service.py runs the daemon with them.
"""

import os
import re
import shutil
import subprocess

from libservice import BUILD, ROOT, Skip, case, main, need, program, run, temporary, text_of

UNITS = {"ringcast.service": "ringcast.service", "ringcast@.service": "ringcast@tv.service"}


def unit(name):
    return text_of(BUILD, "data", name)


def settings(name):
    """Returns (key, value) of all lines."""
    return re.findall(r"^(\w+)=(.*)$", unit(name), re.M)


def with_built_programs(folder):
    """Write the units with the paths of this build's programs; returns the units' paths."""
    for name in UNITS:
        text = re.sub(r"(Exec\w+=)\S*/(ringcast\w+) ",
                      lambda m: f"{m[1]}{program(m[2])} ", unit(name))
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    shutil.copy(os.path.join(folder, "ringcast@.service"),
                os.path.join(folder, "ringcast@tv.service"))
    return [os.path.join(folder, name) for name in UNITS.values()]


@case("systemd-analyze verify finds nothing")
def verify():
    analyze = need("systemd-analyze")
    with temporary() as folder:
        for path in with_built_programs(folder):
            r = subprocess.run([analyze, "verify", "--man=no", path], capture_output=True,
                               text=True, check=False)
            assert not r.returncode and not (r.stdout + r.stderr).strip(), r


@case("systemd-analyze security says what doc/service.md says")
def security():
    analyze = need("systemd-analyze")
    version = int(re.match(r"systemd (\d+)", run(analyze, "--version"))[1])
    if version < 250:
        raise Skip(f"systemd {version} cannot judge a file")
    said = re.search(r"exposure level.*?: (\d\.\d) OK", text_of(ROOT, "doc", "service.md"))
    assert said, "doc/service.md does not name the exposure level"
    with temporary() as folder:
        for path in with_built_programs(folder):
            out = run(analyze, "security", "--offline=yes", "--no-pager",
                      f"--threshold={int(float(said[1]) * 10)}", path)
            last = [line for line in out.splitlines() if "Overall exposure" in line]
    return last


@case("the template differs from the service in names and paths alone")
def template():
    def neutral(name):
        return [(k, v.replace("-%i", "").replace("/%i", "").replace(" (%i)", ""))
                for k, v in settings(name)]
    assert neutral("ringcast.service") == neutral("ringcast@.service")
    assert "%i" not in unit("ringcast.service")


@case("the service has one capability, its reload waits, igmpproxy ends")
def essentials():
    found = dict(settings("ringcast.service"))
    assert found["CapabilityBoundingSet"] == found["AmbientCapabilities"] == "CAP_NET_RAW"
    assert found["NoNewPrivileges"] == "yes"
    assert found["Conflicts"] == "igmpproxy.service"
    assert found["ExecReload"].endswith("ringcastctl -s /run/ringcast/ringcast.sock reload")
    assert "-s /run/ringcast/ringcast.sock" in found["ExecStart"]
    assert found["RuntimeDirectory"] == "ringcast"


if __name__ == "__main__":
    main()
