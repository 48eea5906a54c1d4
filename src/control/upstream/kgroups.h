/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The groups that this host's kernel holds for programs, from the text of
 * /proc/net/igmp, igmp6, mcfilter and mcfilter6. Pure: the caller reads the files.
 */

#include "base/addr.h"
#include "base/addrset.h"
#include "control/proto/gm_msg.h"

#define KGROUPS_MAX	    8192 /* groups of all interfaces together; more are left out */
#define KGROUPS_SOURCES_MAX 256 /* of a group; with more, all count as wanted */

struct kgroup {
	int ifindex;
	struct addr group;
	unsigned n_users;   /* sockets that have joined it */
	size_t n_wanted;    /* sum of the sockets that name a source */
	bool has_blocked;   /* a socket blocks a source */
	struct addrset src; /* sources that sockets name */
};

/* all zero is the empty set */
struct kgroups {
	struct kgroup *v; /* owned, sorted by interface and group */
	size_t n, cap;
};

void kgroups_deinit(struct kgroups *k);

/* Fills an empty set. `groups` is the text of igmp or igmp6, `sources` that of mcfilter
 * or mcfilter6 (NULL if it cannot be read). Lines that are not understood, and groups
 * of link-local scope, are left out. Returns 0 or -ENOMEM; the caller frees the set in
 * either case. */
int kgroups_parse(
	struct kgroups *k, enum family family, const char *groups, const char *sources);

/* What the kernel reports for its programs on the interface, as a filter to copy from:
 * INCLUDE({}) if it holds nothing. If the files leave open whether a socket wants all
 * sources, the result asks for all: asking for too much costs less than a program that
 * receives nothing. `ret` borrows from the set. */
struct kgroups_filter {
	enum gm_mode mode;
	const struct addrset *src; /* never NULL */
};
struct kgroups_filter kgroups_filter(
	const struct kgroups *k, int ifindex, const struct addr *group);

bool kgroups_eq(const struct kgroups *a, const struct kgroups *b);
