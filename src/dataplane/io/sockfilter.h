/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Socket filters of the receive rings as classic BPF: frames that cannot be forwarded
 * do not enter the ring. Compiling uses libpcap and is only for the control thread.
 */

#include "base/addr.h"

#include <linux/filter.h>

/* Instructions before the compiled expression: packet type and VLAN tag, which the
 * kernel keeps outside the frame. */
#define SOCKFILTER_PRELUDE 12
/* One of this many frames for other stations and VLANs passes; a power of two. */
#define SOCKFILTER_ONE_OF 64

/* Makes a filter that admits the multicast data of a family. It refuses link-local scope,
 * IGMP and MLD, what we send, and nearly all frames that are for another
 * station or have a VLAN tag. With `has_l2` a frame starts with an Ethernet header, else
 * with the IP header. Returns 0, -ENOMEM, or -EINVAL if libpcap refuses the expression.
 * Free the filter with sockfilter_deinit(). */
int sockfilter_data(enum family family, bool has_l2, struct sock_fprog *ret);
void sockfilter_deinit(struct sock_fprog *prog);

/* This filter refuses every frame. */
extern const struct sock_fprog sockfilter_none;

/* A program for PACKET_FANOUT_DATA. That of sockfilter_spread() calculates a number below
 * `n` from source and group, so that all frames of a flow and all fragments of a datagram
 * go to the same thread. The fanout group may have more than n members. */
struct sockfilter_fanout {
	struct sock_filter code[32];
	struct sock_fprog prog;
};
void sockfilter_spread(enum family family, unsigned n, struct sockfilter_fanout *ret);
/* Returns the number that the program of sockfilter_spread() calculates for a flow. */
unsigned sockfilter_member(
	const struct addr *source, const struct addr *group, unsigned n);
/* Makes a program that gives every frame to member number `index`. */
void sockfilter_divert(unsigned index, struct sockfilter_fanout *ret);
