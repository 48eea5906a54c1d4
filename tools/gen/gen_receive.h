/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The receiver's state, shared by its loop, its summary and the watch on the wire. */

#include "tools/gen/gen.h"
#include "tools/gen/gen_track.h"

struct receiver_socket {
	int fd;
	uint32_t stream;  /* index of group and port */
	uint32_t n_drops; /* datagrams the kernel dropped because we were too slow */
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
	int64_t first_ns, last_ns; /* 0 means that nothing has come yet */
	uint64_t n_received;

	/* after --leave-after */
	int wire_fd;
	int64_t leave_ns; /* 0 means still joined */
	uint64_t n_after;
	int64_t last_after_ns;
};

/* Opens a packet socket that sees the groups even if no program here has joined them.
 * Returns 0, or an exit status after a message. */
int gen_wire_open(struct receiver *r);
/* Reads what is there, and counts datagrams to our groups and ports in n_after. */
void gen_wire_read(struct receiver *r);

void gen_print_receiver(const struct receiver *r, double seconds);
