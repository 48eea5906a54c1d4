################################################################################
#
# ringcast
#
################################################################################

RINGCAST_VERSION = 0.1.0
RINGCAST_SOURCE = ringcast-$(RINGCAST_VERSION).tar.xz
RINGCAST_SITE = https://example.org/ringcast
RINGCAST_LICENSE = GPL-2.0+
RINGCAST_LICENSE_FILES = LICENSE
RINGCAST_DEPENDENCIES = host-pkgconf jansson libcap-ng libmnl libpcap liburcu
RINGCAST_CONF_OPTS = -Dtests=false

ifeq ($(BR2_PACKAGE_LIBMICROHTTPD),y)
RINGCAST_DEPENDENCIES += libmicrohttpd
RINGCAST_CONF_OPTS += -Dmetrics_http=enabled
else
RINGCAST_CONF_OPTS += -Dmetrics_http=disabled
endif

ifeq ($(BR2_PACKAGE_LIBSECCOMP),y)
RINGCAST_DEPENDENCIES += libseccomp
RINGCAST_CONF_OPTS += -Dseccomp=enabled
else
RINGCAST_CONF_OPTS += -Dseccomp=disabled
endif

ifeq ($(BR2_PACKAGE_LIBURING),y)
RINGCAST_DEPENDENCIES += liburing
RINGCAST_CONF_OPTS += -Dio_uring=enabled
else
RINGCAST_CONF_OPTS += -Dio_uring=disabled
endif

ifeq ($(BR2_PACKAGE_NCURSES_WCHAR),y)
RINGCAST_DEPENDENCIES += ncurses
RINGCAST_CONF_OPTS += -Dncurses=enabled
else
RINGCAST_CONF_OPTS += -Dncurses=disabled
endif

ifeq ($(BR2_PACKAGE_SYSTEMD),y)
RINGCAST_DEPENDENCIES += systemd
RINGCAST_CONF_OPTS += -Dsystemd=enabled
else
RINGCAST_CONF_OPTS += -Dsystemd=disabled
endif

ifeq ($(BR2_INIT_SYSTEMD),y)
RINGCAST_CONF_OPTS += -Dinit=systemd
else ifeq ($(BR2_INIT_OPENRC),y)
RINGCAST_CONF_OPTS += -Dinit=openrc
else
RINGCAST_CONF_OPTS += -Dinit=[]
endif

define RINGCAST_USERS
	ringcast -1 ringcast -1 * - - - IGMP and MLD proxy
endef

define RINGCAST_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(RINGCAST_PKGDIR)/S80ringcast \
		$(TARGET_DIR)/etc/init.d/S80ringcast
endef

$(eval $(meson-package))
