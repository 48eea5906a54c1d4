/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Instructions of classic BPF, from which the filters of sockets are made. A jump names
 * the number of instructions that it passes over. */

#include "base/inet.h"

#include <linux/filter.h>

#define AD(field)	       ((uint32_t)(SKF_AD_OFF + (field)))
#define LOAD(size, off)	       BPF_STMT(BPF_LD | (size) | BPF_ABS, off)
#define AND(bits)	       BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits)
#define RETURN(n)	       BPF_STMT(BPF_RET | BPF_K, n)
#define IF(op, k, then, other) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, then, other)

/* These continue if they do not refuse the frame. Two instructions each. */
#define REFUSE_IF(op, k)     IF(op, k, 0, 1), RETURN(0)
#define REFUSE_UNLESS(op, k) IF(op, k, 1, 0), RETURN(0)
/* Continues with one of `n` frames, chosen at random. `n` is a power of two. */
#define ONE_OF(n) LOAD(BPF_W, AD(SKF_AD_RANDOM)), AND((n)-1), REFUSE_UNLESS(BPF_JEQ, 0)

/* Continue with datagrams to groups that routers forward. The frame begins with its IP
 * header. IPv4: groups of 224.0.0.0/4 outside 224.0.0.0/24, and not IGMP. IPv6: groups
 * of the scopes above 2 (RFC 4291 2.7); afterwards the next header is loaded. */
#define DATA_IPV4                                                                      \
	LOAD(BPF_W, 16), AND(0xffffff00), REFUSE_IF(BPF_JEQ, 0xe0000000),              \
		AND(0xf0000000), REFUSE_UNLESS(BPF_JEQ, 0xe0000000), LOAD(BPF_B, 9),   \
		REFUSE_IF(BPF_JEQ, PROTO_IGMP)
#define DATA_IPV6                                                                      \
	LOAD(BPF_B, 24), REFUSE_UNLESS(BPF_JEQ, 0xff), LOAD(BPF_B, 25), AND(0x0f),     \
		REFUSE_UNLESS(BPF_JGT, 2), LOAD(BPF_B, 6)
