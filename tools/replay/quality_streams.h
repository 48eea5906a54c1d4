/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The multicast UDP streams of a capture, each with its analyser. A stream is a source,
 * a group and a destination port. A super-frame, in which the receiver's kernel has
 * joined several datagrams, is cut again if its contents show where.
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
	struct quality_stream **stream; /* owned, in the order in which they began */
	size_t n, cap;
	uint64_t other;	    /* datagrams of streams beyond STREAMS_MAX */
	uint64_t fragments; /* IP fragments, which are not analysed */
};

void quality_streams_init(struct quality_streams *s);
void quality_streams_deinit(struct quality_streams *s);
/* Takes a packet. Ignores everything except UDP to a group that is not link-local.
 * Returns 0 or -ENOMEM. */
int quality_streams_put(struct quality_streams *s, const struct capture_packet *p);
/* Call it after the last packet. Each stream ends with its last datagram. */
void quality_streams_end(struct quality_streams *s);
