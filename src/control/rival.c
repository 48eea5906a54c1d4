/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rivals of the daemon in the kernel, see rival.h; asked at start and after a reload.
 * The kernel lists the interfaces of its multicast routing below /proc/net, and says in
 * the sysctl mc_forwarding that a program has taken it.
 */

#include "control/rival.h"

#include "base/log.h"

#include <stdio.h>

static const char *const vif_path[_FAMILY_N] = {
	"/proc/net/ip_mr_vif", "/proc/net/ip6_mr_vif"};
static const char *const forwarding_path[_FAMILY_N] = {
	"/proc/sys/net/ipv4/conf/all/mc_forwarding",
	"/proc/sys/net/ipv6/conf/all/mc_forwarding"};

unsigned rival_interfaces(enum family family)
{
	FILE *f = fopen(vif_path[family], "re");
	char line[256];
	unsigned n = 0;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		n++;
	fclose(f);
	return n ? n - 1 : 0; /* the first line is a heading */
}

bool rival_forwarding(enum family family)
{
	FILE *f = fopen(forwarding_path[family], "re");
	int c = '0';

	if (!f)
		return false;
	c = fgetc(f);
	fclose(f);
	return c >= '1' && c <= '9';
}

void rival_warn(void)
{
	static const char *const name[_FAMILY_N] = {"IPv4", "IPv6"};

	for (enum family family = 0; family < _FAMILY_N; family++) {
		unsigned n = rival_interfaces(family);

		if (n || rival_forwarding(family))
			log_warn(
				"another multicast router (igmpproxy, smcroute, pimd...) "
				"uses the kernel's %s multicast routing with %u "
				"interfaces; stop it, or datagrams arrive twice",
				name[family], n);
	}
}
