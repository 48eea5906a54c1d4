/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that stream_log.c shares with stream_log_state.c. */

#include "control/quality/stream_log.h"

struct stream_log {
	struct table table;
	struct stream_entry *newest, *oldest; /* by when they were last judged */
	size_t bytes, max_bytes;	      /* of entries and chunks */
};

/* Adds an entry, as the newest one, for a key that has none. Returns NULL if there is no
 * memory. */
struct stream_entry *stream_log_add(
	struct stream_log *l, const struct quality_stream *key);
/* Allocates a chunk for `e`, all zero, and counts it as used. Returns NULL if there is no
 * room. */
struct history_chunk *stream_log_chunk(struct stream_log *l, struct stream_entry *e);
/* Frees a list of chunks. */
void stream_log_give_back(struct stream_log *l, struct history_chunk *list);
