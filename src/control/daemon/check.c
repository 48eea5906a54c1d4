/* SPDX-License-Identifier: GPL-2.0-or-later */

/* See check.h. */

#include "control/daemon/check.h"

#include "base/cleanup.h"
#include "base/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bridge or bond that takes the frames of the interface. Returns false if there is
 * none, or if /sys does not tell. A VRF is no such master. */
static bool find_master(const char *name, char ret[IFNAMSIZ])
{
	static const char *const kind[] = {"brport", "bonding_slave"};
	_cleanup_(freep) char *master = NULL;
	char path[64 + CONFIG_NAME_MAX];
	bool is_port = false;
	const char *slash;

	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, kind[i]);
		is_port |= access(path, F_OK) == 0;
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s/master", name);
	master = is_port ? realpath(path, NULL) : NULL;
	slash = master ? strrchr(master, '/') : NULL;
	if (!slash)
		return false;
	snprintf(ret, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, slash + 1);
	return true;
}

/* The label of a second IPv4 address may be "eth0:1". */
static bool is_label_of(const char *label, const char *name)
{
	size_t n = strlen(name);

	return strncmp(label, name, n) == 0 && (label[n] == '\0' || label[n] == ':');
}

static bool has_ipv4(const struct ifaddrs *list, const char *name)
{
	for (const struct ifaddrs *a = list; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET &&
			is_label_of(a->ifa_name, name))
			return true;
	return false;
}

static const struct ifaddrs *find_iface(const struct ifaddrs *list, const char *name)
{
	for (; list; list = list->ifa_next)
		if (strcmp(list->ifa_name, name) == 0)
			return list;
	return NULL;
}

static void check_link_of(
	const char *path, const struct config_iface *ci, const struct ifaddrs *list)
{
	const char *on = *ci->report_interface ? ci->report_interface : ci->name;
	const struct ifaddrs *link = find_iface(list, ci->name);
	bool upstream = ci->role == CONFIG_ROLE_UPSTREAM;
	char master[IFNAMSIZ];

	if (!link)
		return;
	if (find_master(ci->name, master)) {
		log_warn(
			"%s: %s is a port of %s, which takes all of its frames; name %s "
			"in its place",
			path, ci->name, master, master);
		return;
	}
	if ((link->ifa_flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING))
		log_warn("%s: %s is down at the moment; it is used as soon as it is up",
			path, ci->name);
	if (upstream && ci->ipv4 && find_iface(list, on) && !has_ipv4(list, on))
		log_warn(
			"%s: %s has no IPv4 address at the moment; the provider is asked "
			"from 0.0.0.0, which many routers ignore",
			path, on);
}

void check_links(const char *path, const struct config *cfg)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return;
	for (size_t i = 0; i < cfg->n_iface; i++)
		if (cfg->iface[i].role != CONFIG_ROLE_DISABLED &&
			!cfg->iface[i].pattern)
			check_link_of(path, &cfg->iface[i], list);
	freeifaddrs(list);
}

static void check_file(const char *path, int dir, const char *keyword, const char *file)
{
	if (faccessat(dir, file, R_OK, 0) < 0)
		log_warn("%s: %s %s cannot be read: %s", path, keyword, file,
			strerror(errno));
}

void check_files(const char *path, int dir, const struct config *cfg)
{
	if (cfg->channel_names)
		check_file(path, dir, "channel-names", cfg->channel_names);
	for (size_t i = 0; i < cfg->n_host_names; i++)
		check_file(path, dir, "host-names", cfg->host_names[i]);
}
