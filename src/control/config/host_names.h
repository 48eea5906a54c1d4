/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Names of hosts. Makes a table of addresses from the files of `host-names`. A line is
 * that of hosts(5), "ADDRESS NAME ...", or that of a lease of dnsmasq, "EXPIRY MAC
 * ADDRESS NAME CLIENT". Pure: the caller reads the files. A host chooses the name in
 * its lease itself, so names are cleaned: they are UTF-8 without control characters and
 * spaces, and shorter than CHANNELS_NAME_MAX.
 */

#include "base/addr.h"

#define HOST_NAMES_MAX	    8192	/* names; more are left out */
#define HOST_NAMES_MAX_FILE (256 << 10) /* bytes; checked by the caller */

struct host_name {
	struct addr addr;
	uint32_t order; /* grows in the order of reading */
	uint32_t name;	/* where the name begins in host_names.text */
};

/* All zero at the beginning. */
struct host_names {
	struct host_name *v; /* after host_names_sort(): by address, each once */
	size_t n, cap;
	char *text; /* the names, each with its NUL */
	size_t n_text, cap_text;
	size_t n_left_out; /* beyond HOST_NAMES_MAX */
};

/* Adds the names of a file. Lines of another form are skipped. Returns 0 or -ENOMEM. */
int host_names_add(struct host_names *h, const char *text, size_t len);
/* Makes the table ready for host_names_find(). The name that was read first counts. */
void host_names_sort(struct host_names *h);
void host_names_deinit(struct host_names *h);

/* Returns the name of a host, which belongs to the table, or NULL if it has none. */
const char *host_names_find(const struct host_names *h, const struct addr *host);
