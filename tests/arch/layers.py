# SPDX-License-Identifier: GPL-2.0-or-later
"""Which file belongs to which layer: read from src/meson.build, so that the build and the
checks cannot disagree."""

import re
from pathlib import Path

# library -> directory below src/
PURE_LIBS = {
    "base_pure": "base",
    "control_core": "control",
    "dataplane_core": "dataplane",
}

# Edges that are known by name, also when only their header exists yet.
EDGES = {
    "base": {"log", "log_journal", "log_syslog"},
    "control": {"app_confine", "callfilter", "landlock", "netlink", "mcsock", "loop", "ctl", "json", "show", "show_priv", "privdrop",
        "portplan", "app", "app_priv", "app_io", "app_kernel", "app_config", "app_force", "app_forwarder", "app_later", "app_log", "app_metrics", "app_monitor",
        "app_notice", "app_refusals", "app_rival", "app_streams", "app_tap", "app_upgrade", "health", "http", "listen", "main",
        "scrape", "scrape_priv",
        "scrape_write", "selfstat", "sensor", "monitor", "service", "tap"},
    "dataplane": {"capfilter", "cpus", "crew", "ring_rx", "ring_rx_priv", "ring_rx_v2",
        "ring_rx_v3", "tx_local", "tx_port", "tx_uring", "sample", "sockfilter", "worker", "dataplane",
        "dataplane_priv", "dataplane_upgrade"},
}


def strip_comments(meson_text):
    """meson comments run to the end of the line; a # inside quotes is none"""
    lines = []
    for line in meson_text.splitlines():
        out, quoted = "", False
        for c in line:
            if c == "'":
                quoted = not quoted
            if c == "#" and not quoted:
                break
            out += c
        lines.append(out)
    return "\n".join(lines)


def library_sources(src):
    """library name -> set of source paths relative to src/"""
    text = strip_comments((Path(src) / "meson.build").read_text())
    libs = {}
    for m in re.finditer(r"static_library\(\s*'(\w+)'\s*,\s*files\((.*?)\)", text, re.S):
        libs[m.group(1)] = set(re.findall(r"'([^']+)'", m.group(2)))
    return libs


def layer_of(src, path, libs):
    """'base', 'control core', 'dataplane edge', 'main', ... of a path relative to src/"""
    directory, _, name = path.partition("/")
    stem = name.rsplit(".", 1)[0]
    if directory not in EDGES:
        return None
    if path == "control/main.c":
        return "main"
    lib = next(k for k, v in PURE_LIBS.items() if v == directory)
    source = f"{directory}/{stem}.c"
    if source in libs.get(lib, ()):
        pure = True
    elif stem in EDGES[directory]:
        pure = False
    else:
        # a header without a source file is as pure as its directory's core
        pure = not (Path(src) / source).exists()
    if directory == "base":
        return "base" if pure else "base edge"
    return f"{directory} core" if pure else f"{directory} edge"
