#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The OpenWrt feed (packaging/openwrt), read by make with a replacement for OpenWrt's build
system: its packages, their libraries and options, and the files that they install."""

import functools
import json
import os
import re

from libservice import ROOT, case, main, need, run, temporary, text_of

FEED = os.path.join(ROOT, "packaging", "openwrt")
RULES = """TAR:=tar
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
"""
# `make list` prints the fields of a package; the other targets run what the real ones would run
PACKAGE = """FIELDS:=SECTION CATEGORY SUBMENU TITLE DEPENDS USERID VARIANT DEFAULT_VARIANT PROVIDES CONFLICTS
define BuildPackage
$(foreach f,$(FIELDS),$(eval $(f):=))
$(eval $(Package/$(1)))
$(foreach f,$(FIELDS),$(info $(1).$(f)=$(strip $($(f)))))
$(info $(1).conffiles=$(strip $(Package/$(1)/conffiles)))
$(info $(1).description=$(strip $(Package/$(1)/description)))
install-$(1):
	$$(call Package/$(1)/install,$$(DESTDIR))
endef
list:
	@echo version=$(PKG_VERSION)
	@echo args=$(MESON_ARGS)
prepare:
	$(Build/Prepare)
"""
# The libraries that meson.build requires and their OpenWrt packages. meson.build explains
# libatomic.
LIBRARIES = {"libpcap": "libpcap", "liburcu-qsbr": "liburcu", "libmnl": "libmnl",
             "jansson": "jansson", "libcap-ng": "libcap-ng", "threads": "libpthread"}
OPTIONAL = {"liburing": "KERNEL_IO_URING:liburing", "libseccomp": "KERNEL_SECCOMP:libseccomp",
            "libmicrohttpd": "libmicrohttpd", "ncursesw": "libncurses", "libsystemd": None}
KERNEL = ("CONFIG_KERNEL_IO_URING=y", "CONFIG_KERNEL_SECCOMP=y")
FILES = {"etc/init.d/ringcast": 0o755, "etc/uci-defaults/80_ringcast": 0o755,
         "usr/bin/ringcastctl": 0o755, "usr/libexec/rpcd/ringcast": 0o755,
         "usr/sbin/ringcastd": 0o755, "usr/share/ringcast/ringcast.config": 0o644}


def make(top, *words):
    for name, text in (("rules.mk", RULES), ("package.mk", PACKAGE), ("meson.mk", "MESON_ARGS:=\n")):
        with open(os.path.join(top, name), "w", encoding="utf-8") as f:
            f.write(text)
    return run(need("make"), "--no-print-directory", "-C", os.path.join(FEED, "ringcast"),
               f"TOPDIR={top}", f"INCLUDE_DIR={top}", *words)


@functools.lru_cache
def listed(variant="small", *kernel):
    with temporary() as top:
        out = make(top, "list", f"BUILD_VARIANT={variant}", *kernel)
    return dict(line.split("=", 1) for line in out.splitlines() if re.match(r"[\w.-]+=", line))


def option(name, variant, *kernel):
    args = dict(a[2:].split("=") for a in listed(variant, *kernel)["args"].split() if a[:2] == "-D")
    return args[name]


@case("two packages of the version of the source, and one configuration file that stays")
def packages():
    version = re.search(r"version: '([^']+)'", text_of(ROOT, "meson.build"))[1]
    have = listed()
    assert have["version"] == version, have
    assert f"PKG_VERSION:={version}\n" in text_of(FEED, "luci-app-ringcast", "Makefile")
    for name, variant in (("ringcast", "small"), ("ringcast-full", "full")):
        assert have[name + ".VARIANT"] == variant, have
        assert have[name + ".conffiles"] == "/etc/config/ringcast", have
        assert have[name + ".USERID"] == "ringcast:ringcast", have
        assert have[name + ".CATEGORY"] == "Network" and have[name + ".TITLE"], have
        assert have[name + ".description"].startswith("Lets hosts of several LANs"), have
    assert have["ringcast.DEFAULT_VARIANT"] == "1" and not have["ringcast-full.DEFAULT_VARIANT"]
    assert have["ringcast-full.PROVIDES"] == have["ringcast-full.CONFLICTS"] == "ringcast", have


@case("each package depends on the libraries that meson.build asks for, and on no others")
def libraries():
    asked = re.findall(r"dependency\('([^']+)'(.*)\)", text_of(ROOT, "meson.build"))
    assert {n for n, more in asked if "required" in more} == set(OPTIONAL), asked
    assert {n for n, more in asked if "required" not in more} == set(LIBRARIES), asked
    small = {"+" + p for p in LIBRARIES.values()} | {"+libatomic"}
    assert set(listed()["ringcast.DEPENDS"].split()) == small, listed()
    assert set(listed()["ringcast-full.DEPENDS"].split()) == \
        small | {"+" + p for p in OPTIONAL.values() if p}, listed()


@case("no option is left to what a build finds: small has none, full what the kernel has")
def options():
    known = dict(re.findall(r"option\('(\w+)', type: '(\w+)'", text_of(ROOT, "meson_options.txt")))
    features = [name for name, kind in known.items() if kind == "feature"]
    for variant in ("small", "full"):
        given = re.findall(r"-D(\w+)=", listed(variant)["args"])
        assert set(given) <= set(known) and set(features) <= set(given), given
    for name in features:
        assert option(name, "small", *KERNEL) == "disabled", name
        assert option(name, "full", *KERNEL) == \
            ("disabled" if name == "systemd" else "enabled"), name
    assert option("io_uring", "full") == option("seccomp", "full") == "disabled"


@case("the sources are those of this tree, and each file that a package has is one they install")
def installed():
    with temporary() as top:
        source, dest, box = (os.path.join(top, d) for d in ("source", "dest", "box"))
        make(top, "prepare", f"PKG_BUILD_DIR={source}")
        assert text_of(source, "meson.build") == text_of(ROOT, "meson.build")
        left_out = [n for n in os.listdir(source) if n == ".git" or n.startswith("build")]
        assert not left_out, left_out
        run("meson", "setup", os.path.join(source, "openwrt-build"), source,
            *listed()["args"].split())
        plan = json.loads(run("meson", "introspect", "--installed",
                              os.path.join(source, "openwrt-build")))
        for path in plan.values():
            path = dest + path
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.isdir(path):
                with open(path, "w", encoding="utf-8"):
                    pass
        make(top, "install-ringcast", f"PKG_INSTALL_DIR={dest}", f"DESTDIR={box}")
        have = {os.path.relpath(os.path.join(folder, n), box):
                os.stat(os.path.join(folder, n)).st_mode & 0o777
                for folder, _, names in os.walk(box) for n in names}
        assert have == FILES, have
        make(top, "install-ringcast-full", f"PKG_INSTALL_DIR={dest}", f"DESTDIR={box}/full")
        assert os.path.exists(box + "/full/usr/sbin/ringcastd")


@case("OpenWrt's search for packages finds both Makefiles, from the top of the tree also")
def found():
    for name in ("ringcast", "luci-app-ringcast"):
        path = os.path.join(FEED, name, "Makefile")
        # scripts/feeds looks for this line, five folders deep
        assert re.search(r"call BuildPackage", text_of(path)), name
        assert len(os.path.relpath(path, ROOT).split(os.sep)) <= 5, path
    app = text_of(FEED, "luci-app-ringcast", "Makefile")
    assert "LUCI_DEPENDS:=+luci-base +ringcast\n" in app, app
    assert "include $(TOPDIR)/feeds/luci/luci.mk\n" in app, app


if __name__ == "__main__":
    main()
