/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Shows the datagrams of a burst to the analysers of its streams (quality_watch.h):
 * those of flows that have outputs, as they came in, super-frames datagram by datagram.
 * A datagram whose TTL is used up also counts, because it has arrived. Pure.
 */

#include "dataplane/forward/replicate.h"
#include "dataplane/quality/quality_watch.h"

/* Between quality_watch_begin() and quality_watch_end(), while the job's frames are
 * there. */
void observe_burst(const struct replicate_job *job, struct quality_watch *w);
/* One of its flows. */
void observe_flow(
	const struct replicate_job *job, unsigned flow, struct quality_watch *w);
