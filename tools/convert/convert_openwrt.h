/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Functions for both proxies of OpenWrt. Internal to convert_openwrt*.c. */

#include "tools/convert/convert_uci.h"

/* Finds the device of a network, from --device or from the sections of
 * /etc/config/network. If there is none, uses the name itself and adds a note. Returns
 * false after an error. */
bool openwrt_device(struct converter *c, const struct uci *u, unsigned line,
	const char *network, char ret[IFNAMSIZ]);

/* Writes "phyint DEVICE ROLE", and the network as a comment. */
void openwrt_put_phyint(
	struct converter *c, const char *network, const char *device, const char *role);

/* Calls `take` for each word of all values of an option; a value may hold several. */
typedef void (*openwrt_take_word)(
	struct converter *c, unsigned line, const char *word, void *arg);
void openwrt_for_each_word(struct converter *c, const struct uci_section *s,
	const char *name, openwrt_take_word take, void *arg);

/* Converts the sections `config proxy` of omcproxy. */
void openwrt_omcproxy(struct converter *c, const struct uci *u);
