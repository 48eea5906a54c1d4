/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the two proxies of OpenWrt share. Internal to convert_openwrt*.c. */

#include "tools/convert/convert_uci.h"

/* What ringcast calls the network: its device from --device or from the sections of
 * /etc/config/network, else the name itself after a note. Returns false after an
 * error. */
bool openwrt_device(struct converter *c, const struct uci *u, unsigned line,
	const char *network, char ret[IFNAMSIZ]);

/* "phyint DEVICE ROLE", followed by the network. */
void openwrt_put_phyint(
	struct converter *c, const char *network, const char *device, const char *role);

/* Calls `take` for each word of all values of an option; a value may hold several. */
typedef void (*openwrt_take_word)(
	struct converter *c, unsigned line, const char *word, void *arg);
void openwrt_for_each_word(struct converter *c, const struct uci_section *s,
	const char *name, openwrt_take_word take, void *arg);

/* config proxy, of omcproxy */
void openwrt_omcproxy(struct converter *c, const struct uci *u);
