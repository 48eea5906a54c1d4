/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A capture filter. The client has compiled an expression with libpcap into two
 * programs, one for frames with an Ethernet header and one for IP packets without it.
 * Programs come from outside, so they are checked before they run: they must not have
 * loops or access memory out of bounds.
 */

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct capfilter {
	struct bpf_program ethernet, raw_ip; /* owned; an empty one admits everything */
};

/* A program as text has 16 hexadecimal digits for each instruction: code, jt, jf, k. */
#define CAPFILTER_DIGITS 16
#define CAPFILTER_MAX	 512 /* instructions; bounds the work for one frame */

/* Returns 0, -EINVAL if the text is not a program or the program is not allowed to run,
 * or -ENOMEM. *ret owns memory, which capfilter_deinit() frees. */
int capfilter_parse(const char *text, struct bpf_program *ret);
/* Copies both programs. Returns 0 or -ENOMEM. */
int capfilter_copy(struct capfilter *to, const struct capfilter *from);
void capfilter_deinit(struct capfilter *f);

/* Does the filter admit the frame? `has_l2` chooses the program; `caplen` bytes of
 * `len` can be read. */

bool capfilter_match(const struct capfilter *f, bool has_l2, const void *data,
	uint32_t caplen, uint32_t len);
