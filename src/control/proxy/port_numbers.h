/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The numbers of ports. Counters, refusals and histories are kept by number and outlive
 * the port, so a number stays with the name that got it first. It goes to another name
 * only when all numbers have had a name. Pure.
 */

#include "base/portset.h"

#include <net/if.h>

/* All zero at the beginning. */
struct port_numbers {
	struct portset taken;
	char name[PORT_MAX][IFNAMSIZ]; /* of the last port that had the number, or "" */
	uint32_t freed[PORT_MAX];      /* the value of n_freed when it became free */
	uint32_t n_freed;
};

/* Returns a number for a port of this name, or PORT_MAX if all are taken. A name that
 * is not taken gets the number that it had before. */
unsigned port_numbers_take(struct port_numbers *v, const char *name);
void port_numbers_free(struct port_numbers *v, unsigned port);
