/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The receiver's state, which its loop, its summary and the observer of the link
 * share. */

#include "tools/gen/gen.h"
#include "tools/gen/gen_track.h"

struct receiver_socket {
	int fd;
	uint32_t stream;  /* index of group and port */
	uint32_t n_drops; /* datagrams that the kernel dropped, as we were too slow */
};

struct receiver {
	const struct gen_options *o;
	struct gen_track track;
	struct receiver_socket *sock;
	uint32_t n_sock;
	int epoll_fd;
	struct mmsghdr *msg; /* BATCH messages with their buffers */
	uint8_t *buf;
	int64_t join_ns, joined_ns;
	int64_t first_ns, last_ns; /* of datagrams; 0 if none has come yet */
	uint64_t n_received;

	/* with --leave-after: what comes after the leave */
	int wire_fd;
	int64_t leave_ns; /* 0 before the leave */
	uint64_t n_after;
	int64_t last_after_ns;
};

/* Opens a packet socket that sees the groups even if no program here has joined them.
 * Returns 0, or an exit status after a message. */
int gen_wire_open(struct receiver *r);
/* Reads what is there, and counts datagrams to our groups and ports in n_after. */
void gen_wire_read(struct receiver *r);

void gen_print_receiver(const struct receiver *r, double seconds);
