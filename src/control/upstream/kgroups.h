/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The groups that this host's kernel holds for programs, from the text of
 * /proc/net/igmp, igmp6, mcfilter and mcfilter6. Pure: the caller reads the files.
 */

#include "base/addr.h"
#include "base/addrset.h"
#include "control/proto/gm_msg.h"

/* groups of all interfaces together; further ones are left out */
#define KGROUPS_MAX 8192
/* sources of a group; if there are more, all sources count as wanted */
#define KGROUPS_SOURCES_MAX 256

struct kgroup {
	int ifindex;
	struct addr group;
	unsigned n_users;   /* sockets that have joined it */
	size_t n_wanted;    /* for each source, the sockets that name it; their sum */
	bool has_blocked;   /* a socket blocks a source */
	struct addrset src; /* sources that sockets name */
};

/* All zero is the empty set. */
struct kgroups {
	struct kgroup *v; /* owned, sorted by interface and group */
	size_t n, cap;
};

void kgroups_deinit(struct kgroups *k);

/* Fills an empty set. `groups` is the text of igmp or igmp6, and `sources` is that of
 * mcfilter or mcfilter6, or NULL if it cannot be read. Leaves out lines that cannot be
 * understood, and groups of link-local scope. Returns 0 or -ENOMEM; the caller frees
 * the set in either case. */
int kgroups_parse(
	struct kgroups *k, enum family family, const char *groups, const char *sources);

/* What the kernel reports for its programs on the interface, or INCLUDE({}) if it holds
 * nothing. If the files do not tell whether a socket wants all sources, the result asks
 * for all, because asking for too much costs less than a program that receives nothing.
 * The result borrows from the set. */
struct kgroups_filter {
	enum gm_mode mode;
	const struct addrset *src; /* never NULL */
};
struct kgroups_filter kgroups_filter(
	const struct kgroups *k, int ifindex, const struct addr *group);

bool kgroups_eq(const struct kgroups *a, const struct kgroups *b);
