SUMMARY = "IGMP and MLD proxy that forwards multicast in userspace"
HOMEPAGE = "https://example.org/ringcast"
SECTION = "net"
LICENSE = "GPL-2.0-or-later"
LIC_FILES_CHKSUM = "file://LICENSE;md5=b234ee4d69f5fce4486a80fdaf4a4263"

# jansson and liburing are in meta-oe, the others in openembedded-core
DEPENDS = "jansson libcap-ng libmnl libpcap liburcu"
SRC_URI = "https://example.org/ringcast/ringcast-${PV}.tar.xz"
SRC_URI[sha256sum] = "SKIP"

inherit bash-completion meson pkgconfig systemd useradd

EXTRA_OEMESON = "-Dtests=false"

PACKAGECONFIG ??= "ncurses seccomp ${@bb.utils.filter('DISTRO_FEATURES', 'systemd', d)}"
PACKAGECONFIG[io_uring] = "-Dio_uring=enabled,-Dio_uring=disabled,liburing"
PACKAGECONFIG[metrics_http] = "-Dmetrics_http=enabled,-Dmetrics_http=disabled,libmicrohttpd"
PACKAGECONFIG[ncurses] = "-Dncurses=enabled,-Dncurses=disabled,ncurses"
PACKAGECONFIG[seccomp] = "-Dseccomp=enabled,-Dseccomp=disabled,libseccomp"
PACKAGECONFIG[systemd] = "-Dsystemd=enabled -Dinit=systemd -Dsystemd_unit_dir=${systemd_system_unitdir},-Dsystemd=disabled -Dinit=[],systemd"

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --shell /sbin/nologin ringcast"

SYSTEMD_SERVICE:${PN} = "ringcast.service"
SYSTEMD_AUTO_ENABLE:${PN} = "disable"

PACKAGES =+ "${PN}-tools"
FILES:${PN}-tools = "${bindir}/ringcast-gen ${bindir}/ringcast-replay"
FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/sysusers.d"
FILES:${PN} += "${datadir}/fish ${datadir}/zsh"
CONFFILES:${PN} = "${sysconfdir}/ringcast.conf ${sysconfdir}/default/ringcast"
