/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_mroute: kernel multicast routing with static entries only. Interface wan0 is
 * the input; l0, l1 ... are the outputs; groups 239.1.0.0 + n have one source. Prints
 * "ready" and runs until the end of its standard input, because the kernel deletes the
 * table with the socket. */

#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/mroute.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "bench_mroute: %s: %s\n", what, strerror(errno));
	return 1;
}

static int add_vif(int fd, unsigned vif, const char *ifname)
{
	struct vifctl v = {.vifc_vifi = (vifi_t)vif,
		.vifc_flags = VIFF_USE_IFINDEX,
		.vifc_threshold = 1,
		.vifc_lcl_ifindex = (int)if_nametoindex(ifname)};

	return setsockopt(fd, IPPROTO_IP, MRT_ADD_VIF, &v, sizeof(v));
}

static int add_entry(int fd, const char *source, unsigned group, unsigned outputs)
{
	struct mfcctl m = {
		.mfcc_parent = 0, .mfcc_mcastgrp.s_addr = htonl(BENCH_NET + group)};

	m.mfcc_origin.s_addr = inet_addr(source);
	for (unsigned i = 1; i <= outputs; i++)
		m.mfcc_ttls[i] = 1;
	return setsockopt(fd, IPPROTO_IP, MRT_ADD_MFC, &m, sizeof(m));
}

int main(int argc, char **argv)
{
	unsigned outputs, groups;
	const int one = 1;
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: bench_mroute SOURCE OUTPUTS GROUPS\n");
		return 2;
	}
	outputs = (unsigned)atoi(argv[2]);
	groups = (unsigned)atoi(argv[3]);
	if (outputs >= MAXVIFS) {
		fprintf(stderr, "bench_mroute: at most %d outputs\n", MAXVIFS - 1);
		return 2;
	}
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, MRT_INIT, &one, sizeof(one)))
		return fail("MRT_INIT");
	if (add_vif(fd, 0, "wan0"))
		return fail("wan0");
	for (unsigned i = 0; i < outputs; i++) {
		char ifname[IF_NAMESIZE];

		snprintf(ifname, sizeof(ifname), "l%u", i);
		if (add_vif(fd, i + 1, ifname))
			return fail(ifname);
	}
	for (unsigned g = 0; g < groups; g++)
		if (add_entry(fd, argv[1], g, outputs))
			return fail("MRT_ADD_MFC");
	printf("ready\n");
	fflush(stdout);
	while (read(0, &(char){0}, 1) > 0)
		;
	return 0;
}
