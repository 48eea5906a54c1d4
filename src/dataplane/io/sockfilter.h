/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Programs for the sockets of the receive rings, as classic BPF: which frames enter the
 * ring, and which thread gets them.
 */

#include "base/addr.h"

#include <linux/filter.h>

/* One of this many frames for other stations and VLANs passes; a power of two. */
#define SOCKFILTER_ONE_OF 64

struct sockfilter {
	struct sock_filter code[64];
	struct sock_fprog prog; /* refers to the code */
};

/* Makes a filter that admits multicast data of both families. It refuses link-local
 * scope, IGMP and MLD, what we send, and nearly all frames that are for another station
 * or have a VLAN tag. With `has_l2` a frame starts with an Ethernet header, else with
 * the IP header. */
void sockfilter_data(bool has_l2, struct sockfilter *ret);

/* This filter refuses every frame. */
extern const struct sock_fprog sockfilter_none;

/* Makes a program for PACKET_FANOUT_DATA that calculates a number below `n` from source
 * and group, so that all frames of a flow and all fragments of a datagram go to the
 * same thread. The fanout group may have more than n members. */
void sockfilter_spread(enum family family, unsigned n, struct sockfilter *ret);
/* Returns the number that the program of sockfilter_spread() calculates for a flow. */
unsigned sockfilter_member(
	const struct addr *source, const struct addr *group, unsigned n);
/* Makes a program for PACKET_FANOUT_DATA that gives every frame to member number
 * `index`. */
void sockfilter_divert(unsigned index, struct sockfilter *ret);
