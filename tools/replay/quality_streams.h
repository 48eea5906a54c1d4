/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The multicast UDP streams of a capture, each with its analyser. A stream is a source,
 * a group and a destination port. Super-frames, datagrams that the receiver's kernel
 * has joined, are cut again as far as their contents show where.
 */

#include "base/addr.h"
#include "base/array.h"
#include "base/table.h"
#include "dataplane/quality/quality.h"
#include "tools/replay/capture_file.h"

#define STREAMS_MAX 4096

struct quality_stream {
	struct table_node node;
	struct addr source, group;
	uint16_t port;
	uint64_t super_frames;
	struct quality q;
};

struct quality_streams {
	struct table table;
	struct quality_stream **stream; /* owned, in the order in which they came */
	size_t n, cap;
	uint64_t other;	    /* datagrams of streams beyond STREAMS_MAX */
	uint64_t fragments; /* of IP: not looked at */
};

void quality_streams_init(struct quality_streams *s);
void quality_streams_deinit(struct quality_streams *s);
/* Returns 0 or -ENOMEM. What is not UDP to a group beyond the link is ignored. */
int quality_streams_put(struct quality_streams *s, const struct capture_packet *p);
/* After the last packet: each stream ends with its last datagram. */
void quality_streams_end(struct quality_streams *s);
