/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A capture filter: an expression that the client has compiled with libpcap, one
 * program for frames with an Ethernet header and one for IP packets without. Programs
 * come from outside, so they are checked before they run: no loops, no access out of
 * bounds.
 */

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct capfilter {
	struct bpf_program ethernet, raw_ip; /* owned; an empty one admits everything */
};

/* instructions as text, 16 hexadecimal digits each: code, jt, jf, k */
#define CAPFILTER_DIGITS 16
#define CAPFILTER_MAX	 512 /* of them; bounds what a frame costs */

/* Returns 0, -EINVAL if it is not a program or one that may not run, or -ENOMEM. *ret
 * owns memory. */
int capfilter_parse(const char *text, struct bpf_program *ret);
/* deep; 0, -ENOMEM */
int capfilter_copy(struct capfilter *to, const struct capfilter *from);
void capfilter_deinit(struct capfilter *f);

bool capfilter_match(const struct capfilter *f, bool has_l2, const void *data,
	uint32_t caplen, uint32_t len);
